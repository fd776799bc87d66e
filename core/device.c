// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: how they come and go. Everything that a bus or a driver hears of runs here, in one
 * ordered work, so that the removal of a device never overtakes its arrival, nor a
 * sub-channel its device. Only drivers are bound and unbound elsewhere, too, when someone asks
 * the bus for it: device->binding keeps one driver's functions from running beside each other,
 * and none runs for a driver that is gone.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* Locked. Its primary is part of it; both hold the other until the device is removed. */
struct airlock_device *device_create(struct airlock_connection *c, const struct control_offer *o)
{
	struct airlock_device *device = kzalloc(sizeof(*device), GFP_ATOMIC);

	if (!device)
		return NULL;
	device->connection = c;
	refcount_set(&device->references, 1);
	mutex_init(&device->binding);
	mutex_init(&device->mutex);
	INIT_LIST_HEAD(&device->subchannels);
	memcpy(device->class, o->class.data, sizeof(device->class));
	memcpy(device->instance, o->instance.data, sizeof(device->instance));
	device->mmio_megabytes = o->mmio_megabytes;
	device->primary = channel_create(device);
	if (!device->primary) {
		kfree(device);
		return NULL;
	}
	list_add_tail(&device->node, &c->devices);
	return device;
}

void airlock_device_get(struct airlock_device *device)
{
	refcount_inc(&device->references);
}
EXPORT_SYMBOL_GPL(airlock_device_get);

void airlock_device_put(struct airlock_device *device)
{
	if (refcount_dec_and_test(&device->references))
		kfree(device);
}
EXPORT_SYMBOL_GPL(airlock_device_put);

/**
 * airlock_subchannels_wanted() - how many sub-channels a driver is about to ask its device for
 * @device: the device; its primary is open
 * @count: sub-channels in all; more, and indices above, are refused
 *
 * Context: any, without the connection's lock.
 */
void airlock_subchannels_wanted(struct airlock_device *device, u16 count)
{
	struct airlock_connection *c = device->connection;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	device->subchannels_wanted = min_t(u16, count, c->policy.subchannels_max);
	spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(airlock_subchannels_wanted);

/*
 * A channel takes part in at most two events, and there are that many for each that may live; so
 * this cannot fail, unless what it rests on is wrong. Then the connection ends, not the guest.
 */
bool device_queue(struct airlock_connection *c, struct airlock_channel *channel, bool rescinded)
{
	struct airlock_event *event = list_first_entry_or_null(&c->free_events, struct airlock_event, node);

	if (!event)
		return false;
	airlock_channel_get(channel);
	event->channel = channel;
	event->rescinded = rescinded;
	list_move_tail(&event->node, &c->events);
	queue_work(c->queue, &c->work);
	return true;
}

/* Dead at once, for all who wait; removed by and by. The session has taken care of twice (C-151). */
void device_hear_rescind(struct airlock_connection *c, struct airlock_channel *channel, struct finding *found)
{
	channel->rescinded = true;
	channel_die(channel, -ENODEV);
	gpadl_abandon(channel, -ENODEV);
	if (!device_queue(c, channel, true))
		found->fatal = true;
}

/* False: it was over before it began, or what it belongs to is going. */
static bool device_may_add(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	struct airlock_device *device = channel->device;
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&c->lock, flags);
	may = !channel->dead && !c->leaving && !c->suspended && device->state < DEVICE_REMOVING;
	spin_unlock_irqrestore(&c->lock, flags);
	return may;
}

static void device_set(struct airlock_device *device, enum airlock_device_state state)
{
	unsigned long flags;

	spin_lock_irqsave(&device->connection->lock, flags);
	device->state = state;
	spin_unlock_irqrestore(&device->connection->lock, flags);
}

static struct airlock_channel *device_take_subchannel(struct airlock_device *device)
{
	struct airlock_connection *c = device->connection;
	struct airlock_channel *channel;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	channel = list_first_entry_or_null(&device->subchannels, struct airlock_channel, node);
	if (channel)
		list_del_init(&channel->node);
	spin_unlock_irqrestore(&c->lock, flags);
	return channel;
}

/* Those who have heard of it, and are still there, hear the last of it. @binding is held. */
static void device_renounce_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	const struct airlock_bus_ops *bus = device->connection->bus;

	if (!channel->announced)
		return;
	if (device->driver && device->driver->subchannel_gone)
		device->driver->subchannel_gone(device, channel);
	if (bus->channel_removed)
		bus->channel_removed(channel);
	channel->announced = false;
}

/* Off the device's list already; @binding is held. The reference of the list goes. */
static void device_drop_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	device_renounce_subchannel(device, channel);
	airlock_channel_close(channel);
	airlock_channel_forget(channel);
	airlock_channel_put(channel);
}

/* @binding is held. */
static void device_drop_subchannels(struct airlock_device *device)
{
	struct airlock_channel *channel;

	airlock_subchannels_wanted(device, 0);
	while ((channel = device_take_subchannel(device)))
		device_drop_subchannel(device, channel);
}

void device_remove_subchannels(struct airlock_device *device)
{
	mutex_lock(&device->binding);
	device_drop_subchannels(device);
	mutex_unlock(&device->binding);
}

/* Whatever a driver has left behind is taken away from the host. */
static void device_clear_primary(struct airlock_device *device)
{
	airlock_channel_close(device->primary);
	airlock_channel_forget(device->primary);
	violation_note_leaks(device->connection, device->primary);	/* the driver's own memory too */
}

/* @binding is held. Its driver is gone; of what it has left open, sub-channels go first (C-157). */
static void device_leave(struct airlock_device *device)
{
	device->driver = NULL;
	device_drop_subchannels(device);
	device_clear_primary(device);
}

static bool device_is_going(struct airlock_device *device)
{
	unsigned long flags;
	bool going;

	spin_lock_irqsave(&device->connection->lock, flags);
	going = device->state >= DEVICE_REMOVING;
	spin_unlock_irqrestore(&device->connection->lock, flags);
	return going;
}

/* @binding is held. */
static int device_probe(struct airlock_device *device, const struct airlock_driver *driver)
{
	int error;

	if (device->driver)
		return -EBUSY;
	if (device_is_going(device))
		return -ENODEV;
	device->driver = driver;
	error = driver->probe(device);
	if (error)
		device_leave(device);
	return error;
}

/**
 * airlock_device_bind() - let a driver have a device
 * @device: the device; no bus has to have announced it yet
 * @driver: probed within; remains valid until airlock_device_unbind()
 *
 * Also once more after a driver was unbound, the same or another: the primary can be opened again,
 * unless the host has not given back what it knew of it.
 *
 * Context: process, but none of a driver's functions; may sleep.
 * Return: 0; -EBUSY: it has one; -ENODEV: it is on its way out; else what the driver's probe says.
 */
int airlock_device_bind(struct airlock_device *device, const struct airlock_driver *driver)
{
	int error;

	mutex_lock(&device->binding);
	error = device_probe(device, driver);
	mutex_unlock(&device->binding);
	return error;
}
EXPORT_SYMBOL_GPL(airlock_device_bind);

/**
 * airlock_device_unbind() - take a device away from its driver; harmless if it has none
 * @device: the device; the host may have taken it back already
 *
 * The driver ends what is under way and closes its channels, sub-channels first (C-157); it does not
 * hear of each. When this returns, none of its functions runs, and none will.
 *
 * Context: process, but none of a driver's functions; may sleep.
 */
void airlock_device_unbind(struct airlock_device *device)
{
	mutex_lock(&device->binding);
	if (device->driver) {
		device->driver->remove(device);
		device_leave(device);
	}
	mutex_unlock(&device->binding);
}
EXPORT_SYMBOL_GPL(airlock_device_unbind);

/* Sub-channels first (C-157); then whatever the driver has left behind is taken away from the host. */
static void device_remove(struct airlock_device *device)
{
	struct airlock_connection *c = device->connection;
	struct airlock_channel *primary = device->primary;
	unsigned long flags;

	device_set(device, DEVICE_REMOVING);
	device_remove_subchannels(device);
	if (primary->announced)
		c->bus->remove(device);
	device_clear_primary(device);
	spin_lock_irqsave(&c->lock, flags);
	device->state = DEVICE_GONE;
	device->primary = NULL;
	list_del_init(&device->node);
	spin_unlock_irqrestore(&c->lock, flags);
	airlock_channel_put(primary);
	airlock_device_put(device);
}

/* Locked: whether the relid is to be given back; the slot is free before the host can know. */
static bool device_say_release(struct airlock_connection *c, struct airlock_channel *channel, u8 *message, u32 *size)
{
	struct control_message m = { .kind = CONTROL_MSG_RELID_RELEASED };

	m.relid_released.relid = channel->relid;
	if (c->dead || c->leaving || c->suspended || !channel->relid ||
	    control_say_channel(c, &channel->session, &m, message, size))
		return false;
	channel_remove(channel);
	return true;
}

void device_release(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	bool say;
	u32 size;

	spin_lock_irqsave(&c->lock, flags);
	say = device_say_release(c, channel, message, &size);
	spin_unlock_irqrestore(&c->lock, flags);
	/* Not heard, the host cannot use the number again: its loss. */
	if (say)
		message_tell(c, message, size);
}

static void device_add(struct airlock_channel *channel)
{
	struct airlock_device *device = channel->device;
	struct airlock_connection *c = device->connection;

	if (!c->bus->add(device)) {
		channel->announced = true;
		device_set(device, DEVICE_BOUND);
		return;
	}
	device_remove(device);
	device_release(channel);
}

/* False: its driver was unbound meanwhile, and has left it to the host. */
static bool device_lists(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;
	bool listed;

	spin_lock_irqsave(&c->lock, flags);
	listed = !list_empty(&channel->node);
	spin_unlock_irqrestore(&c->lock, flags);
	return listed;
}

/* @binding is held, so whoever hears of it here is the one who has asked for it. */
static void device_announce_subchannel(struct airlock_channel *channel)
{
	struct airlock_device *device = channel->device;
	const struct airlock_bus_ops *bus = device->connection->bus;

	if (!device->driver || !device->driver->subchannel || !device_lists(channel))
		return;
	channel->announced = true;
	if (bus->channel_added)
		bus->channel_added(channel);
	device->driver->subchannel(device, channel);
}

static void device_add_subchannel(struct airlock_channel *channel)
{
	mutex_lock(&channel->device->binding);
	device_announce_subchannel(channel);
	mutex_unlock(&channel->device->binding);
}

static bool device_unlist(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;
	bool listed;

	spin_lock_irqsave(&c->lock, flags);
	listed = !list_empty(&channel->node);
	list_del_init(&channel->node);
	spin_unlock_irqrestore(&c->lock, flags);
	return listed;
}

static void device_rescinded_subchannel(struct airlock_channel *channel)
{
	mutex_lock(&channel->device->binding);
	if (device_unlist(channel))
		device_drop_subchannel(channel->device, channel);
	mutex_unlock(&channel->device->binding);
}

static void device_rescinded(struct airlock_channel *channel)
{
	struct airlock_device *device = channel->device;

	if (!channel->index && device->state != DEVICE_GONE)
		device_remove(device);
	else if (channel->index)
		device_rescinded_subchannel(channel);
	device_release(channel);
}

static void device_deal(struct airlock_channel *channel, bool rescinded)
{
	if (rescinded)
		device_rescinded(channel);
	else if (!device_may_add(channel))
		return;
	else if (channel->index)
		device_add_subchannel(channel);
	else
		device_add(channel);
}

static struct airlock_channel *device_next_event(struct airlock_connection *c, bool *rescinded)
{
	struct airlock_channel *channel = NULL;
	struct airlock_event *event;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	event = list_first_entry_or_null(&c->events, struct airlock_event, node);
	if (event) {
		channel = event->channel;
		*rescinded = event->rescinded;
		list_move_tail(&event->node, &c->free_events);
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return channel;
}

static struct airlock_device *device_next(struct airlock_connection *c)
{
	struct airlock_device *device;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	device = c->leaving ? list_first_entry_or_null(&c->devices, struct airlock_device, node) : NULL;
	spin_unlock_irqrestore(&c->lock, flags);
	return device;
}

void device_work(struct work_struct *work)
{
	struct airlock_connection *c = container_of(work, struct airlock_connection, work);
	struct airlock_channel *channel;
	struct airlock_device *device;
	bool rescinded;

	while ((channel = device_next_event(c, &rescinded))) {
		device_deal(channel, rescinded);
		airlock_channel_put(channel);
	}
	while ((device = device_next(c)))
		device_remove(device);
	contact_farewell(c);
}
