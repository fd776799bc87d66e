// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/scsi_host/hostN: what the controller's host has been caught at, and what was agreed.
 */
#include "glue.h"

static const struct scsi_engine *engine_of(struct device *dev)
{
	const struct disk_host *host = shost_priv(class_to_shost(dev));

	return &host->engine;
}

static ssize_t violations_show(struct device *dev, struct device_attribute *a, char *text)
{
	return sysfs_emit(text, "%u\n", atomic_read(&engine_of(dev)->violations));
}
static DEVICE_ATTR_RO(violations);

static ssize_t refused_show(struct device *dev, struct device_attribute *a, char *text)
{
	return sysfs_emit(text, "%u\n", atomic_read(&engine_of(dev)->refused));
}
static DEVICE_ATTR_RO(refused);

static ssize_t clamped_show(struct device *dev, struct device_attribute *a, char *text)
{
	return sysfs_emit(text, "%u\n", atomic_read(&engine_of(dev)->clamped));
}
static DEVICE_ATTR_RO(clamped);

/* Version, bytes of a transfer, sub-channels: those in use, and those that were agreed. */
static ssize_t limits_show(struct device *dev, struct device_attribute *a, char *text)
{
	const struct scsi_engine *e = engine_of(dev);
	u32 lanes = READ_ONCE(e->usable_count);

	return sysfs_emit(text, "version %u.%u\nmax_transfer %u\nsubchannels %u of %u\n",
			  e->limits.version >> 8, e->limits.version & 0xff, e->limits.max_transfer,
			  lanes ? lanes - 1 : 0, e->limits.subchannels);
}
static DEVICE_ATTR_RO(limits);

static struct attribute *disk_attrs[] = {
	&dev_attr_violations.attr,
	&dev_attr_refused.attr,
	&dev_attr_clamped.attr,
	&dev_attr_limits.attr,
	NULL
};

static const struct attribute_group disk_group = {
	.attrs = disk_attrs,
};

const struct attribute_group *disk_groups[] = { &disk_group, NULL };
