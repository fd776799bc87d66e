// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the device classes of the specification with the kernel's, while this is compiled:
 * the generated source is included, because only there can the compiler see the bytes.
 */
#include <linux/build_bug.h>
#include <linux/hyperv.h>

#include "control.c"

#define SAME_CLASS(theirs, name)							\
	do {										\
		static const struct hv_vmbus_device_id kernel = { theirs };		\
											\
		BUILD_BUG_ON_MSG(__builtin_memcmp(&kernel.guid, control_device_class_##name, 16), #name); \
	} while (0)

void airlock_compare_classes(void);

void airlock_compare_classes(void)
{
	SAME_CLASS(HV_IDE_GUID, ide);
	SAME_CLASS(HV_SCSI_GUID, scsi);
	SAME_CLASS(HV_SYNTHFC_GUID, fibre_channel);
	SAME_CLASS(HV_NIC_GUID, network);
	SAME_CLASS(HV_ND_GUID, network_direct);
	SAME_CLASS(HV_PCIE_GUID, pci);
	SAME_CLASS(HV_SYNTHVID_GUID, video);
	SAME_CLASS(HV_KBD_GUID, keyboard);
	SAME_CLASS(HV_MOUSE_GUID, mouse);
	SAME_CLASS(HV_KVP_GUID, key_value);
	SAME_CLASS(HV_TS_GUID, time_sync);
	SAME_CLASS(HV_HEART_BEAT_GUID, heartbeat);
	SAME_CLASS(HV_SHUTDOWN_GUID, shutdown);
	SAME_CLASS(HV_FCOPY_GUID, file_copy);
	SAME_CLASS(HV_VSS_GUID, backup);
	SAME_CLASS(HV_DM_GUID, memory);
	SAME_CLASS(HV_AVMA1_GUID, activation);
	SAME_CLASS(HV_AVMA2_GUID, activation2);
	SAME_CLASS(HV_RDV_GUID, remote_desktop);
}
