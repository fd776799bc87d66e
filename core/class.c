// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes of devices, as far as the core has to know them before it believes an offer: which
 * have one instance only (C-136), speak through pipes (C-124), want memory-mapped space
 * (C-130), interrupt often. What is not in the table is held to nothing but the defaults.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "core.h"

/* Of use to those drivers that serve several classes. */
EXPORT_SYMBOL_GPL(control_device_class_ide);
EXPORT_SYMBOL_GPL(control_device_class_fibre_channel);

#define MMIO_DEFAULT 64
#define MMIO_VIDEO 256
#define MMIO_PCI 4096

#define CLASSES_NUMBERED 16	/* the rest has the next number in common */

#define ANY(name) control_device_class_##name, NULL
#define ONE(name) control_device_class_##name, control_device_instance_##name

/* Mouse and video frame their packets as pipes do, but are offered with and without the flag. */
static const struct device_class classes[] = {
	{ ANY(ide), PIPE_NEVER, true, MMIO_DEFAULT },
	{ ANY(scsi), PIPE_NEVER, true, MMIO_DEFAULT },
	{ ANY(fibre_channel), PIPE_NEVER, true, MMIO_DEFAULT },
	{ ANY(network), PIPE_NEVER, true, MMIO_DEFAULT },
	{ ANY(network_direct), PIPE_NEVER, true, MMIO_DEFAULT },
	{ ANY(pci), PIPE_NEVER, true, MMIO_PCI },
	{ ONE(video), PIPE_EITHER, false, MMIO_VIDEO },
	{ ONE(keyboard), PIPE_NEVER, false, MMIO_DEFAULT },
	{ ONE(mouse), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ONE(key_value), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(time_sync), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(heartbeat), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(shutdown), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(file_copy), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(backup), PIPE_ALWAYS, false, MMIO_DEFAULT },
	{ ONE(memory), PIPE_NEVER, false, MMIO_DEFAULT },
	{ ANY(activation), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ANY(activation2), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ANY(remote_desktop), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ANY(configuration), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ANY(guest_emulation), PIPE_EITHER, false, MMIO_DEFAULT },
	{ ANY(serial), PIPE_EITHER, false, MMIO_DEFAULT },
};

static const struct device_class class_unknown = { NULL, NULL, PIPE_EITHER, false, MMIO_DEFAULT };

/* Never NULL. */
const struct device_class *class_find(const u8 *class)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (!memcmp(classes[i].class, class, 16))
			return &classes[i];
	return &class_unknown;
}

/* The kernel's number of a class, as /sys shows it to programs: the order of the table is theirs. */
u16 class_number(const u8 *class)
{
	u32 i;

	for (i = 0; i < CLASSES_NUMBERED; i++)
		if (!memcmp(classes[i].class, class, 16))
			break;
	return i;
}

bool class_is_known(const u8 *class)
{
	return class_find(class) != &class_unknown;
}
