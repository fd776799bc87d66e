// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: made by an offer, opened and closed by a driver. What the host must be done with
 * before memory is anyone else's is decided here, on every way out: a ring is given back by the
 * host, or revoked, or given up, never just freed.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

#define RING_PAGES_MIN 2		/* control page and one of data */

/* A monitor is nothing without a page that the host was told of: C-127. */
static u8 channel_monitor(struct airlock_channel *channel, const struct control_offer *o)
{
	struct airlock_connection *c = channel->connection;

	if (!o->monitor_allocated)
		return NO_MONITOR;
	if (c->monitors.at && c->context.version >= CONTROL_VERSION_5_0)
		return o->monitor_id;
	violation_note(c, channel, CORE_RULE_MONITOR_PAGE);
	return NO_MONITOR;
}

/* Numbers of an earlier offer are worth nothing (C-137). */
void channel_take_offer(struct airlock_channel *channel, const struct control_offer *o)
{
	WRITE_ONCE(channel->relid, o->relid);
	channel->signal_id = o->connection_id;
	channel->index = o->subchannel;
	channel->flags = o->flags;
	channel->monitor = channel_monitor(channel, o);
	if (o->flags & CONTROL_CHANNEL_FLAG_HVSOCK) {
		channel->user[0] = o->stream.from_host;
	} else if (o->flags & CONTROL_CHANNEL_FLAG_PIPE) {
		wire_put_le32(channel->user, o->pipe.mode);
		memcpy(channel->user + 4, o->pipe.data.data, o->pipe.data.size);
		wire_put_le32(channel->user + 116, o->pipe.flags);
	} else {
		memcpy(channel->user, o->user.data, sizeof(channel->user));
	}
	WRITE_ONCE(channel->dead, false);
	channel->rescinded = false;
}

/* In a tasklet. One reference, the device's. */
struct airlock_channel *channel_create(struct airlock_device *device)
{
	struct airlock_channel *channel = kzalloc(sizeof(*channel), GFP_ATOMIC);

	if (!channel)
		return NULL;
	airlock_device_get(device);
	channel->connection = device->connection;
	channel->device = device;
	INIT_LIST_HEAD(&channel->node);
	refcount_set(&channel->references, 1);
	init_completion(&channel->opened);
	init_completion(&channel->moved);
	violations_init(&channel->violations);
	/* A driver without requests has no table; the host may answer it all the same. */
	spin_lock_init(&channel->requests.lock);
	channel->monitor = NO_MONITOR;
	channel->old_cpu = NO_CPU;
	channel->cpu = placement_first(channel->connection, device->class);
	tasklet_setup(&channel->tasklet, transfer_tasklet);
	return channel;
}

void airlock_channel_get(struct airlock_channel *channel)
{
	refcount_inc(&channel->references);
}
EXPORT_SYMBOL_GPL(airlock_channel_get);

/* Rings, table and tasklet have ended before: at the latest when its device was removed. */
void airlock_channel_put(struct airlock_channel *channel)
{
	if (!refcount_dec_and_test(&channel->references))
		return;
	airlock_device_put(channel->device);
	kfree(channel);
}
EXPORT_SYMBOL_GPL(airlock_channel_put);

void channel_insert(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;

	airlock_channel_get(channel);
	c->channels[channel->relid] = channel;
	c->channel_count++;
}

/* From now on neither events nor messages find it; and its number is no number any more. */
void channel_remove(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;

	c->channels[channel->relid] = NULL;
	c->channel_count--;
	WRITE_ONCE(channel->relid, 0);
	airlock_channel_put(channel);
}

struct airlock_channel *channel_next(const struct airlock_connection *c, u32 *relid)
{
	while (*relid < RELIDS) {
		struct airlock_channel *channel = c->channels[(*relid)++];

		if (channel)
			return channel;
	}
	return NULL;
}

bool channel_is_open(const struct airlock_channel *channel)
{
	return channel->session.at.state == CONTROL_STATE_CHANNEL_OPENED;
}

bool channel_is_closed(const struct airlock_channel *channel)
{
	u8 state = channel->session.at.state;

	return !channel->ready && state != CONTROL_STATE_CHANNEL_OPENING && state != CONTROL_STATE_CHANNEL_OPENED &&
		state != CONTROL_STATE_CHANNEL_DOUBTFUL && state != CONTROL_STATE_CHANNEL_CLOSING;
}

void channel_die(struct airlock_channel *channel, int error)
{
	WRITE_ONCE(channel->dead, true);
	channel->open_result = error;
	channel->move_result = error;
	complete(&channel->opened);
	complete(&channel->moved);
	if (channel->ready)
		tasklet_schedule(&channel->tasklet);	/* tells the driver */
}

void channel_put_away(struct airlock_channel *channel, int error)
{
	session_local(&control_channel_table, &channel->session.at, CONTROL_EVENT_CHANNEL_LOCAL_QUARANTINE);
	channel_die(channel, error);
	gpadl_abandon(channel, error);
}

int channel_status(struct airlock_channel *channel, u32 status)
{
	if (!status)
		return 0;
	if (status >= CONTROL_FAILURE) {
		violation_note(channel->connection, channel, CORE_RULE_STATUS_FAILED);
		return -EIO;
	}
	violation_note(channel->connection, channel, CORE_RULE_STATUS_AMBIGUOUS);
	return -EPROTO;
}

/* The session has matched it with the attempt that waits. */
void channel_hear_open(struct airlock_channel *channel, const struct control_open_result *m)
{
	channel->open_result = channel_status(channel, m->status);
	complete(&channel->opened);
}

static int channel_check_config(const struct airlock_channel_config *config)
{
	u64 pages = (u64)config->pages_out + config->pages_in;

	if (config->pages_out < RING_PAGES_MIN || config->pages_in < RING_PAGES_MIN || pages > CONTROL_PAGES_MAX)
		return -EINVAL;
	if (!config->receive || config->user_bytes > sizeof(((struct airlock_channel *)0)->user))
		return -EINVAL;
	return 0;
}

static void channel_close_rings(struct airlock_channel *channel)
{
	if (channel->out.packet)
		outbound_close(&channel->out);
	if (channel->in.packet)
		inbound_close(&channel->in);
}

static int channel_open_rings(struct airlock_channel *channel)
{
	const struct airlock_channel_config *config = &channel->config;
	const struct ring_context limits = {
		.buffer_bytes = config->packet_bytes,
		.host_may_ask = config->host_may_ask,
		.takes_transfers = config->takes_transfers,
		.transfer_set = config->transfer_set,
		.transfer_bytes = config->transfer_bytes,
		.ranges_max = config->ranges_max,
	};
	u8 __host *in = channel->memory.at + config->pages_out * CONTROL_PAGE;
	int error;

	error = outbound_open(&channel->out, channel->memory.at, config->pages_out, config->send_bytes);
	if (error)
		return error;
	error = inbound_open(&channel->in, in, config->pages_in, &limits);
	if (!error && config->requests)
		error = request_table_create(&channel->requests, config->requests);
	return error;
}

/* A private ring was granted, or the offer would not have been believed (C-121). */
static int channel_prepare(struct airlock_channel *channel, const struct airlock_channel_config *config)
{
	bool private = channel->flags & CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING;
	int error = channel_check_config(config);

	if (error)
		return error;
	if (channel->memory.at)
		return -EBUSY;
	if (READ_ONCE(channel->dead))
		return -ENODEV;
	airlock_channel_forget(channel);
	channel->config = *config;
	channel->given_back = true;
	error = hostmem_create(&channel->memory, channel->connection->visibility,
			       config->pages_out + config->pages_in, private);
	violation_note_leaks(channel->connection, channel);
	return error;
}

static void channel_fill_open(struct airlock_channel *channel, struct control_open *m, u8 *user)
{
	const struct airlock_channel_config *config = &channel->config;

	memset(user, 0, sizeof(channel->user));		/* C-281 */
	if (config->user_bytes)
		memcpy(user, config->user, config->user_bytes);
	m->relid = channel->relid;
	m->open_id = channel->open_id;
	m->ring = channel->gpadl.handle;
	m->target_vp = placement_vp(channel->connection, channel->cpu);
	m->downstream_page = config->pages_out;
	m->user.data = user;
	m->user.size = sizeof(channel->user);
}

/*
 * Locked. Rings are mapped, so events may be heard before the host can know of the channel (C-053);
 * those that come before the result are looked for after it. Every attempt has a number of its
 * own, so the result of an earlier one opens nothing (C-167).
 */
static int channel_say_open(struct airlock_channel *channel, u8 *message, u32 *size)
{
	struct airlock_connection *c = channel->connection;
	struct control_message m = { .kind = CONTROL_MSG_OPEN };
	u8 user[sizeof(channel->user)];

	if (!++c->next_open_id)
		c->next_open_id = 1;
	channel->open_id = c->next_open_id;
	channel->open_result = -ETIMEDOUT;
	channel->mourned = false;
	channel->old_cpu = NO_CPU;
	reinit_completion(&channel->opened);
	channel_fill_open(channel, &m.open, user);
	if (control_say_channel(c, &channel->session, &m, message, size))
		return -ENODEV;			/* rescinded or put away meanwhile */
	smp_store_release(&channel->ready, true);
	return 0;
}

static int channel_post_open(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 size;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	error = channel_say_open(channel, message, &size);
	spin_unlock_irqrestore(&c->lock, flags);
	if (error)
		return error;
	error = message_post(c, message, size, false);
	if (error)	/* it says; the host may have the message all the same (C-302) */
		airlock_quarantine(channel);
	return error;
}

/* The result may come while we are giving up: whichever is first counts. */
static int channel_await_open(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	bool answered = message_wait(c, &channel->opened, c->policy.open_deadline);
	unsigned long flags;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	if (!answered)
		session_local(&control_channel_table, &channel->session.at,
			      CONTROL_EVENT_CHANNEL_AFTER_OPEN_DEADLINE);
	error = channel->open_result;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/* Nobody is called any more, nobody sends: C-055, C-162. */
static void channel_quiesce(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	WRITE_ONCE(channel->ready, false);
	spin_unlock_irqrestore(&c->lock, flags);
	tasklet_kill(&channel->tasklet);
	channel_close_rings(channel);
}

static void channel_say_close(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	struct control_message m = { .kind = CONTROL_MSG_CLOSE };
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 size;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	m.close.relid = channel->relid;
	error = channel->relid ? control_say_channel(c, &channel->session, &m, message, &size) : -ENODEV;
	spin_unlock_irqrestore(&c->lock, flags);
	if (!error && message_post(c, message, size, false))
		airlock_quarantine(channel);	/* it may not know that it is closed */
}

/*
 * Given up on: the host may use the rings until their pages are revoked, and is not asked about
 * them. Nor is a host that has once said nothing while we leave: one deadline, not one a channel (C-178).
 */
static bool channel_is_lost(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;
	bool lost;

	spin_lock_irqsave(&c->lock, flags);
	lost = c->dead || c->silent || channel->session.at.state == CONTROL_STATE_CHANNEL_ABANDONED;
	spin_unlock_irqrestore(&c->lock, flags);
	return lost;
}

/* A close has no answer: that the ring is torn down is what says that it happened (C-180). */
static void channel_end_close(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (!channel->given_back)
		channel_put_away(channel, -ENODEV);
	else
		session_local(&control_channel_table, &channel->session.at,
			      CONTROL_EVENT_CHANNEL_LOCAL_RING_TORN_DOWN);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* With the device's mutex; from any state. */
static void channel_take_down(struct airlock_channel *channel)
{
	channel_quiesce(channel);
	channel_say_close(channel);
	if (channel_is_lost(channel))
		gpadl_drop(channel->connection, &channel->gpadl);
	else
		airlock_gpadl_teardown(channel, &channel->gpadl);
	channel->given_back = gpadl_given_back(&channel->gpadl);
	channel_end_close(channel);
	hostmem_destroy(&channel->memory, channel->given_back);
	violation_note_leaks(channel->connection, channel);
}

static int channel_open(struct airlock_channel *channel, const struct airlock_channel_config *config)
{
	int error = channel_prepare(channel, config);

	if (error)
		return error;
	error = airlock_gpadl_create(channel, &channel->gpadl, &channel->memory);
	if (!error)
		error = channel_open_rings(channel);
	if (!error)
		error = channel_post_open(channel);
	if (!error)
		error = channel_await_open(channel);
	if (error) {
		channel_take_down(channel);
		airlock_channel_forget(channel);
	}
	return error;
}

/**
 * airlock_channel_open() - open a channel, with rings of its own
 * @channel: a channel that is closed
 * @config: the driver's half; copied, but for what it points to
 *
 * Packets may arrive before it returns. Whatever the host answers, or does not, after a failure
 * nothing of the channel is open and its memory is dealt with.
 *
 * Context: process; may sleep, within the deadlines for creation, opening and teardown.
 * Return: 0; -EIO: the host has refused; -EPROTO: it said neither yes nor no; -ETIMEDOUT: nothing, and the
 * channel is dead; -ENODEV: the channel is dead; -EBUSY, -EINVAL, -ENOMEM.
 */
int airlock_channel_open(struct airlock_channel *channel, const struct airlock_channel_config *config)
{
	int error;

	mutex_lock(&channel->device->mutex);
	error = channel_open(channel, config);
	mutex_unlock(&channel->device->mutex);
	/* Nobody looked at an event from before the result (C-063). */
	if (!error)
		airlock_channel_poll(channel);
	return error;
}
EXPORT_SYMBOL_GPL(airlock_channel_open);

/**
 * airlock_channel_close() - close a channel; harmless if it is not open
 * @channel: the channel, alive or dead; nobody sends on it any more
 *
 * When it returns, no function of the driver runs for this channel, and none will. Requests that
 * are still in flight can be reclaimed; @channel->given_back tells what their memory is.
 *
 * Context: process; may sleep, within the deadline for teardown.
 */
void airlock_channel_close(struct airlock_channel *channel)
{
	mutex_lock(&channel->device->mutex);
	if (channel->memory.at)
		channel_take_down(channel);
	mutex_unlock(&channel->device->mutex);
}
EXPORT_SYMBOL_GPL(airlock_channel_close);

/**
 * airlock_channel_forget() - the requests of a closed channel are dealt with
 * @channel: the channel
 *
 * Context: process.
 */
void airlock_channel_forget(struct airlock_channel *channel)
{
	request_table_destroy(&channel->requests);
}
EXPORT_SYMBOL_GPL(airlock_channel_forget);
