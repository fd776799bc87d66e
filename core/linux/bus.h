/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Linux bus above a connection: devices in /sys/bus/vmbus, drivers by device id. What transports and
 * drivers call; all of it in airlock.ko.
 */
#ifndef AIRLOCK_LINUX_BUS_H
#define AIRLOCK_LINUX_BUS_H

#include <linux/device.h>
#include <linux/mod_devicetable.h>

#include "airlock.h"

/* An offered device. Freed with the last reference to @device. */
struct vmbus_device {
	struct device device;
	struct airlock_device *core;
	struct kobject *channels;		/* the directory; NULL: there is none */
	char *override;				/* name of the only driver it may have; NULL: any that matches */
};

#define to_vmbus_device(d) container_of(d, struct vmbus_device, device)
#define to_vmbus_driver(d) container_of(d, struct vmbus_driver, driver)

/* A driver: its functions are those of @core, called for devices that match @ids. */
struct vmbus_driver {
	struct airlock_driver core;		/* .class is not used */
	const struct hv_vmbus_device_id *ids;	/* ends with one that is zero */
	struct device_driver driver;
};

int __must_check vmbus_register(struct vmbus_driver *driver, struct module *owner, const char *module_name);
void vmbus_unregister(struct vmbus_driver *driver);
/* The Linux device of one that is bound, for a driver's own children. */
struct device *vmbus_linux_device(struct airlock_device *device);

/*
 * A transport's part. One connection at a time: -EBUSY. After vmbus_prepare() interrupts may be passed on
 * (airlock_message_interrupt(), airlock_event_interrupt()); vmbus_connect() negotiates and asks for offers,
 * bounded by the policy's deadlines; vmbus_disconnect() removes all devices and ends the connection;
 * interrupts stop, and vmbus_release() frees it. Process context.
 */
struct airlock_connection *vmbus_prepare(struct transport *transport, struct visibility *visibility,
					 struct device *parent);
int __must_check vmbus_connect(struct airlock_connection *c);
void vmbus_disconnect(struct airlock_connection *c);
void vmbus_release(struct airlock_connection *c);

#endif
