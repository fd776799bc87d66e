// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus: what the core has found becomes a device of Linux, named and described as the kernel's
 * own vmbus does, and the driver core says which driver has it, and when.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "compat.h"
#include "inside.h"

#define LAST_RELEASE (10 * HZ)

static atomic_t devices_alive = ATOMIC_INIT(0);

static int bus_match(struct device *device, compat_driver *driver)
{
	return vmbus_is_match(to_vmbus_device(device), to_vmbus_driver(driver));
}

static int bus_uevent(compat_device *device, struct kobj_uevent_env *env)
{
	const struct airlock_device *core = to_vmbus_device(device)->core;

	return add_uevent_var(env, "MODALIAS=vmbus:%*phN", (int)sizeof(core->class), core->class);
}

static int bus_probe(struct device *device)
{
	return airlock_device_bind(to_vmbus_device(device)->core, &to_vmbus_driver(device->driver)->core);
}

static void bus_remove(struct device *device)
{
	airlock_device_unbind(to_vmbus_device(device)->core);
}

/*
 * No shutdown(): a driver may have its own; and all are unbound when the transport's shutdown, which comes
 * after those of all devices on it, ends the connection.
 */
static struct bus_type vmbus_bus = {
	.name = "vmbus",
	.bus_groups = vmbus_status_groups,
	.dev_groups = vmbus_device_groups,
	.match = bus_match,
	.uevent = bus_uevent,
	.probe = bus_probe,
	.remove = bus_remove,
};

/* The core's half may outlive its connection, and touches nothing of it then. */
static void bus_release(struct device *device)
{
	struct vmbus_device *vdev = to_vmbus_device(device);

	airlock_device_put(vdev->core);
	kfree(vdev->override);
	kfree(vdev);
	if (atomic_dec_and_test(&devices_alive))
		wake_up_var(&devices_alive);
}

static struct vmbus_device *bus_create(struct airlock_device *core)
{
	struct vmbus_device *vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);

	if (!vdev)
		return NULL;
	atomic_inc(&devices_alive);
	airlock_device_get(core);
	vdev->core = core;
	vdev->device.bus = &vmbus_bus;
	vdev->device.parent = vmbus_parent(core->connection);
	vdev->device.release = bus_release;
	device_initialize(&vdev->device);
	return vdev;
}

/* Before it is added, for its driver may be probed within. */
static int bus_enter(struct vmbus_device *vdev)
{
	int error = dev_set_name(&vdev->device, "%pUl", vdev->core->instance);

	if (error)
		return error;
	vdev->core->bus_data = vdev;
	error = device_add(&vdev->device);
	if (error)
		vdev->core->bus_data = NULL;
	return error;
}

static int vmbus_add(struct airlock_device *core)
{
	struct vmbus_device *vdev = bus_create(core);
	int error;

	if (!vdev)
		return -ENOMEM;
	error = bus_enter(vdev);
	if (error) {
		put_device(&vdev->device);
		return error;
	}
	vmbus_channels_create(vdev);
	vmbus_channel_added(core->primary);
	return 0;
}

static void vmbus_remove(struct airlock_device *core)
{
	struct vmbus_device *vdev = core->bus_data;

	vmbus_channel_removed(core->primary);
	vmbus_channels_remove(vdev);
	device_del(&vdev->device);
	core->bus_data = NULL;
	put_device(&vdev->device);
}

const struct airlock_bus_ops vmbus_ops = {
	.add = vmbus_add,
	.remove = vmbus_remove,
	.channel_added = vmbus_channel_added,
	.channel_removed = vmbus_channel_removed,
};

/**
 * vmbus_linux_device() - the Linux device of one that is bound
 * @device: the core's device
 *
 * Context: functions of its driver, from probe to the end of remove.
 * Return: the device, for children, messages and the like.
 */
struct device *vmbus_linux_device(struct airlock_device *device)
{
	struct vmbus_device *vdev = device->bus_data;

	return &vdev->device;
}
EXPORT_SYMBOL_GPL(vmbus_linux_device);

/**
 * vmbus_register() - a driver is there
 * @driver: its @core, @ids and, if it likes, @driver.shutdown and the like are filled in
 * @owner: its module
 * @module_name: KBUILD_MODNAME
 *
 * Devices are probed within.
 *
 * Context: process; may sleep. Return: 0 or -errno.
 */
int vmbus_register(struct vmbus_driver *driver, struct module *owner, const char *module_name)
{
	driver->driver.name = driver->core.name;
	driver->driver.owner = owner;
	driver->driver.mod_name = module_name;
	driver->driver.bus = &vmbus_bus;
	return driver_register(&driver->driver);
}
EXPORT_SYMBOL_GPL(vmbus_register);

/**
 * vmbus_unregister() - a driver goes
 * @driver: it; its devices are unbound within, and wait for another
 *
 * Context: process; may sleep.
 */
void vmbus_unregister(struct vmbus_driver *driver)
{
	driver_unregister(&driver->driver);
}
EXPORT_SYMBOL_GPL(vmbus_unregister);

/* The kernel's own, asked for by something that only it has: two of a name would get a trace. */
static bool vmbus_is_taken(void)
{
	if (!__symbol_get("vmbus_proto_version"))
		return false;
	__symbol_put("vmbus_proto_version");
	return true;
}

int vmbus_bus_init(void)
{
	int error = vmbus_is_taken() ? -EEXIST : bus_register(&vmbus_bus);

	if (error == -EEXIST)
		pr_err("airlock: there is a bus named vmbus already: hv_vmbus has the host, airlock leaves it alone\n");
	return error;
}

/* Of a device that somebody still holds, the end is here: better wait for it than be gone before. */
void vmbus_bus_exit(void)
{
	while (!wait_var_event_timeout(&devices_alive, !atomic_read(&devices_alive), LAST_RELEASE))
		pr_err("airlock: %d devices are still held\n", atomic_read(&devices_alive));
	bus_unregister(&vmbus_bus);
}
