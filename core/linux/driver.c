// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers of the bus: how they register, and which devices they may have: those of their ids,
 * unless the administrator has named another for a device.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "inside.h"

/* Matching looks at names without the device's lock, so that they need one of their own. */
static DEFINE_SPINLOCK(override_lock);

static bool driver_has_class(const struct vmbus_driver *driver, const u8 *class)
{
	const struct hv_vmbus_device_id *id;

	for (id = driver->ids; id && !guid_is_null(&id->guid); id++)
		if (!memcmp(&id->guid, class, sizeof(id->guid)))
			return true;
	return false;
}

bool vmbus_is_match(struct vmbus_device *vdev, const struct vmbus_driver *driver)
{
	bool overridden, named = false;

	spin_lock(&override_lock);
	overridden = vdev->override;
	if (overridden)
		named = !strcmp(vdev->override, driver->driver.name);
	spin_unlock(&override_lock);
	return overridden ? named : driver_has_class(driver, vdev->core->class);
}

/* Tools know the text of one that is not set. */
ssize_t vmbus_override_show(struct vmbus_device *vdev, char *text)
{
	ssize_t size;

	spin_lock(&override_lock);
	size = sysfs_emit(text, "%s\n", vdev->override ?: "(null)");
	spin_unlock(&override_lock);
	return size;
}

/* An empty line takes it back. */
ssize_t vmbus_override_store(struct vmbus_device *vdev, const char *text, size_t size)
{
	char *name, *old;

	if (size >= PAGE_SIZE - 1)
		return -EINVAL;
	name = kstrndup(text, size, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	name[strcspn(name, "\n")] = '\0';
	if (!*name) {
		kfree(name);
		name = NULL;
	}
	spin_lock(&override_lock);
	old = vdev->override;
	vdev->override = name;
	spin_unlock(&override_lock);
	kfree(old);
	return size;
}
