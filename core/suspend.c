// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hibernation: devices stay, everything the host knows of them goes. On resume the host must be
 * the one it was, and a device is taken back only if it is the one it was.
 */
#include <linux/errno.h>
#include <linux/export.h>

#include "core.h"

/* Locked. */
static bool suspend_is_possible(struct airlock_connection *c)
{
	struct airlock_device *device;

	list_for_each_entry(device, &c->devices, node)
		if (!channel_is_closed(device->primary))
			return false;
	return c->session.at.state == CONTROL_STATE_CONNECTION_RUNNING;
}

static int suspend_begin(struct airlock_connection *c)
{
	unsigned long flags;
	int error = -EBUSY;

	spin_lock_irqsave(&c->lock, flags);
	if (c->dead)
		error = -EPIPE;
	else if (!c->suspended && suspend_is_possible(c))
		error = 0;
	c->suspended |= !error;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/**
 * airlock_suspend() - end the connection, keep the devices
 * @c: a connection; the primaries of all its devices are closed
 *
 * Context: process; may sleep. Return: 0; -EBUSY: something is open, nothing has changed; -EPIPE,
 * -ETIMEDOUT: the connection is dead.
 */
int airlock_suspend(struct airlock_connection *c)
{
	struct airlock_device *device;
	int error = suspend_begin(c);

	if (error)
		return error;
	flush_workqueue(c->queue);
	/* Nothing is queued from now on, so the list is ours. */
	list_for_each_entry(device, &c->devices, node)
		device_remove_subchannels(device);
	connection_forget(c);
	return connection_unload(c) ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(airlock_suspend);

static int resume_begin(struct airlock_connection *c, u32 *version, u32 *features)
{
	unsigned long flags;
	int error = 0;

	spin_lock_irqsave(&c->lock, flags);
	if (c->dead)
		error = -EPIPE;
	else if (!c->suspended || c->session.at.state != CONTROL_STATE_CONNECTION_DISCONNECTED)
		error = -EINVAL;
	*version = c->context.version;
	*features = c->context.features;
	if (!error)
		c->resuming = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/* Locked. Who has not come back is gone (C-258). */
static bool resume_sort(struct airlock_connection *c)
{
	struct airlock_device *device;
	bool sorted = true;

	list_for_each_entry(device, &c->devices, node) {
		struct airlock_channel *channel = device->primary;

		if (channel->relid || channel->rescinded)
			continue;
		channel->rescinded = true;
		channel_die(channel, -ENODEV);
		sorted &= device_queue(c, channel, true);
	}
	return sorted;
}

static void resume_end(struct airlock_connection *c)
{
	unsigned long flags;
	bool sorted;

	spin_lock_irqsave(&c->lock, flags);
	c->resuming = false;
	c->suspended = false;
	sorted = resume_sort(c);
	spin_unlock_irqrestore(&c->lock, flags);
	if (!sorted)
		airlock_kill_connection(c);
}

/* The very version and the very features: layouts that drivers remember depend on them (C-259). */
static int resume_contact(struct airlock_connection *c, u32 version, u32 features)
{
	int error = connection_contact(c, version, version, features);

	if (error || c->context.features == features)
		return error;
	violation_note(c, NULL, CORE_RULE_VERSION_FEATURES);
	connection_unload(c);
	return -EPROTO;
}

static void resume_listen(struct airlock_connection *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->suspended = false;
	spin_unlock_irqrestore(&c->lock, flags);
}

/**
 * airlock_resume() - the connection as it was, and the devices that come back
 * @c: a suspended connection
 *
 * Context: process; may sleep. Return: 0: drivers may open their channels again, and get -ENODEV where
 * the host has not offered the device again; else -errno: no device has come back, and they are
 * being removed, or will be when the caller disconnects.
 */
int airlock_resume(struct airlock_connection *c)
{
	u32 version, features;
	int error = resume_begin(c, &version, &features);

	if (error)
		return error;
	error = resume_contact(c, version, features);
	if (!error) {
		resume_listen(c);
		error = contact_request_offers(c);
	}
	resume_end(c);
	return error;
}
EXPORT_SYMBOL_GPL(airlock_resume);
