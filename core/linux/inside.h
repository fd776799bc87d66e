/* SPDX-License-Identifier: GPL-2.0-only */
/* What crosses files of the Linux bus, and transports and drivers do not see. */
#ifndef AIRLOCK_LINUX_INSIDE_H
#define AIRLOCK_LINUX_INSIDE_H

#include <linux/sysfs.h>

#include "bus.h"

/* bus.c */
extern const struct airlock_bus_ops vmbus_ops;
int __must_check vmbus_bus_init(void);
void vmbus_bus_exit(void);

/* connection.c */
struct device *vmbus_parent(struct airlock_connection *c);
/* The connection there is, held until vmbus_let_go(); NULL: none, and nothing to let go. */
struct airlock_connection *vmbus_hold(void);
void vmbus_let_go(void);

/* sysfs.c: attributes of a device; the directories of its channels */
extern const struct attribute_group *vmbus_device_groups[];
void vmbus_channels_create(struct vmbus_device *vdev);
void vmbus_channels_remove(struct vmbus_device *vdev);
void vmbus_channel_added(struct airlock_channel *channel);
void vmbus_channel_removed(struct airlock_channel *channel);

/* driver.c: which driver a device may have */
bool vmbus_is_match(struct vmbus_device *vdev, const struct vmbus_driver *driver);
ssize_t vmbus_override_show(struct vmbus_device *vdev, char *text);
ssize_t vmbus_override_store(struct vmbus_device *vdev, const char *text, size_t size);

/* status.c: of the connection, in the bus's directory */
extern const struct attribute_group *vmbus_status_groups[];

#endif
