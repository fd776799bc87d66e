// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processor a channel interrupts. The host is asked, and may go on interrupting another;
 * so a channel works wherever it is called, and a processor is let go only when nothing can
 * come to it any more, as far as that can be known.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "core.h"

#define DRAIN_TRIES 3			/* C-062 */
#define DRAIN_SLEEP 10			/* ms */

u32 placement_vp(struct airlock_connection *c, u32 cpu)
{
	return c->transport->ops->vp(c->transport, cpu);
}

/* Not one that is away, or on its way: nobody would take its channels from it again. */
static u32 placement_turn(struct airlock_connection *c)
{
	u32 left, cpu;

	for (left = c->transport->cpus; left; left--) {
		cpu = c->next_cpu;
		c->next_cpu = (cpu + 1) % c->transport->cpus;
		if (cpu_active(cpu))
			return cpu;
	}
	return c->connect_cpu;
}

/* Round robin where it pays; the others do with the processor that has the messages. */
u32 placement_first(struct airlock_connection *c, const u8 *class)
{
	if (!class_find(class)->busy || c->context.version < CONTROL_VERSION_2_4)
		return c->connect_cpu;
	return placement_turn(c);
}

/* After it, nothing more comes to the old processor; a late one counts just as well. */
void placement_hear(struct airlock_channel *channel, const struct control_modify_response *m)
{
	int error = channel_status(channel, m->status);

	if (!error) {
		channel->cpu = channel->move_cpu;
		channel->old_cpu = NO_CPU;
	} else if (error == -EIO) {
		channel->old_cpu = NO_CPU;	/* where it was */
	}
	channel->move_result = error;
	complete(&channel->moved);
}

/*
 * Locked. Until it is known how it ends, both processors may be interrupted. Before 5.3 it is never
 * known.
 */
static int placement_say(struct airlock_channel *channel, u32 cpu, u8 *message, u32 *size)
{
	struct airlock_connection *c = channel->connection;
	struct control_message m = { .kind = CONTROL_MSG_MODIFY_CHANNEL };
	int error;

	if (channel->dead)
		return -ENODEV;
	m.modify_channel.relid = channel->relid;
	m.modify_channel.target_vp = placement_vp(c, cpu);
	reinit_completion(&channel->moved);
	error = control_say_channel(c, &channel->session, &m, message, size);
	if (error)
		return -EBUSY;		/* not open, or an earlier one is not answered (C-173) */
	channel->move_result = -ETIMEDOUT;
	channel->move_cpu = cpu;
	channel->old_cpu = cpu;
	if (c->context.version < CONTROL_VERSION_5_3) {
		channel->old_cpu = channel->cpu;
		channel->cpu = cpu;
	}
	return 0;
}

static int placement_await(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;
	int error;

	if (!message_wait(c, &channel->moved, c->policy.modify_deadline))
		return -EBUSY;
	spin_lock_irqsave(&c->lock, flags);
	error = channel->move_result;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

static int placement_move(struct airlock_channel *channel, u32 cpu)
{
	struct airlock_connection *c = channel->connection;
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 size;
	int error;

	if (c->context.version < CONTROL_VERSION_4_1)
		return -EOPNOTSUPP;
	spin_lock_irqsave(&c->lock, flags);
	error = placement_say(channel, cpu, message, &size);
	spin_unlock_irqrestore(&c->lock, flags);
	if (!error)
		error = message_post(c, message, size, false);
	if (error || c->context.version < CONTROL_VERSION_5_3)
		return error;
	return placement_await(channel);
}

/**
 * airlock_channel_move() - let a channel interrupt another processor
 * @channel: an open channel
 * @cpu: the processor; it has a SynIC
 *
 * Context: process; may sleep, within modify_deadline. Return: 0: asked, and where the version has an
 * answer, done; -EOPNOTSUPP: before 4.1; -EBUSY: not open, no answer, or none to an earlier move; -EIO: the
 * host has refused; -ENODEV: the channel is dead.
 */
int airlock_channel_move(struct airlock_channel *channel, u32 cpu)
{
	int error;

	if (cpu >= channel->connection->transport->cpus)
		return -EINVAL;
	mutex_lock(&channel->device->mutex);
	error = placement_move(channel, cpu);
	mutex_unlock(&channel->device->mutex);
	return error;
}
EXPORT_SYMBOL_GPL(airlock_channel_move);

/* Locked. A closed channel has no interrupt to move: it just opens elsewhere next time. */
static bool placement_is_bound(struct airlock_channel *channel, u32 cpu, u32 refuge)
{
	if (channel->cpu != cpu)
		return false;
	if (!channel_is_closed(channel) && !channel->dead)
		return true;
	channel->cpu = refuge;
	return false;
}

/* A channel that interrupts the processor, held; NULL: none does any more. */
static struct airlock_channel *placement_next(struct airlock_connection *c, u32 cpu, u32 refuge)
{
	struct airlock_channel *found = NULL;
	unsigned long flags;
	u32 relid;

	spin_lock_irqsave(&c->lock, flags);
	for (relid = 0; relid < RELIDS && !found; relid++)
		if (c->channels[relid] && placement_is_bound(c->channels[relid], cpu, refuge))
			found = c->channels[relid];
	if (found)
		airlock_channel_get(found);
	spin_unlock_irqrestore(&c->lock, flags);
	return found;
}

static int placement_evacuate(struct airlock_connection *c, u32 cpu)
{
	u32 refuge = c->connect_cpu;
	struct airlock_channel *channel;
	int error = 0;

	while (!error && (channel = placement_next(c, cpu, refuge))) {
		error = airlock_channel_move(channel, refuge);
		airlock_channel_put(channel);
	}
	return error ? -EBUSY : 0;
}

/* A move that nobody acknowledged: the host may go on for an unknown time. */
static bool placement_may_come(struct airlock_connection *c, u32 cpu)
{
	unsigned long flags;
	bool may = false;
	u32 relid;

	spin_lock_irqsave(&c->lock, flags);
	for (relid = 0; relid < RELIDS && !may; relid++)
		may = c->channels[relid] && c->channels[relid]->ready && c->channels[relid]->old_cpu == cpu;
	spin_unlock_irqrestore(&c->lock, flags);
	return may;
}

/* What was set before the host acknowledged is still there; a host that never stops is not waited for. */
static int placement_drain(struct airlock_connection *c, u32 cpu)
{
	u32 try;

	for (try = 0; try < DRAIN_TRIES; try++) {
		if (!event_scan(c, cpu))
			return 0;
		msleep(DRAIN_SLEEP);
	}
	return -EBUSY;
}

/**
 * airlock_cpu_offline() - a processor is about to go away
 * @c: the connection
 * @cpu: the processor
 *
 * Context: process; may sleep, within modify_deadline for each channel there.
 * Return: 0: nothing will interrupt it; -EBUSY: something may, or it has the messages.
 */
int airlock_cpu_offline(struct airlock_connection *c, u32 cpu)
{
	unsigned long flags;
	bool down;

	spin_lock_irqsave(&c->lock, flags);
	down = c->session.at.state == CONTROL_STATE_CONNECTION_DISCONNECTED;
	spin_unlock_irqrestore(&c->lock, flags);
	if (down)
		return 0;
	if (cpu == c->connect_cpu || placement_evacuate(c, cpu) || placement_may_come(c, cpu))
		return -EBUSY;
	return placement_drain(c, cpu);
}
EXPORT_SYMBOL_GPL(airlock_cpu_offline);
