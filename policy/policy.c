// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy a guest has if nobody says otherwise. An isolated guest admits what it cannot do
 * without and asks for nothing that only saves the host's time; an ordinary one takes whatever
 * its host, which it has to trust anyway, offers.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "control.h"
#include "policy.h"
#include "storage.h"

static const u8 *const isolated_classes[] = {
	control_device_class_scsi, control_device_class_network, control_device_class_pci,
	control_device_class_time_sync, control_device_class_heartbeat, control_device_class_shutdown,
};

static const struct airlock_policy policy_common = {
	.version_ceiling = CONTROL_VERSION_6_0,
	.channels_max = 512,
	.devices_per_class = 128,
	.subchannels_max = 64,
	.offers = { .burst = 1024, .per_second = 16 },

	.post_deadline = 10000,
	.contact_deadline = 30000,
	.offers_deadline = 60000,
	.open_deadline = 10000,
	.create_deadline = 10000,
	.teardown_deadline = 10000,
	.modify_deadline = 5000,
	.unload_deadline = 100000,	/* hosts flush disk caches first: 50 s have been seen */
	.step_deadline = 10000,
	.drain_deadline = 30000,
	.reset_deadline = 10000,

	.message_budget = 64,
	.packet_budget = 256,
	.gpadl_bytes_max = 1280ULL << 20,
	.max_transfer = 1U << 20,
	.pool_slots = 4096,

	.answers = {
		[OFFENCE_MESSAGE] = POLICY_DROP,
		[OFFENCE_OFFER] = POLICY_DROP,
		[OFFENCE_FLOOD] = POLICY_DROP,
		[OFFENCE_RING] = POLICY_QUARANTINE,
		[OFFENCE_PACKET] = POLICY_DROP,
		[OFFENCE_COMPLETION] = POLICY_DROP,
		[OFFENCE_DEVICE] = POLICY_DROP,
	},
	.strikes = 1000,
};

/**
 * policy_defaults() - the policy of a guest that has none
 * @p: filled in
 * @isolated: the hypervisor is not trusted
 *
 * Context: any.
 */
void policy_defaults(struct airlock_policy *p, bool isolated)
{
	*p = policy_common;
	p->isolated = isolated;
	p->monitors = !isolated;
	p->version_floor = isolated ? CONTROL_VERSION_5_2 : CONTROL_VERSION_2_4;
	p->features = CONTROL_FEATURE_CONFIDENTIAL;
	p->storage_floor = isolated ? STORAGE_VERSION_6_0 : STORAGE_VERSION_2_0;
	if (!isolated)
		return;
	p->classes = isolated_classes;
	p->class_count = ARRAY_SIZE(isolated_classes);
}
EXPORT_SYMBOL_GPL(policy_defaults);
