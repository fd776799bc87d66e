// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets between rings and drivers. Receiving is one tasklet a channel, within a budget; what
 * is asked to be looked at again is looked at again later, never in a loop. A ring that lied
 * about itself is not read again.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "core.h"

#define SIGNAL_BYTES 8
#define MONITOR_PENDING 8		/* in the page to the host: where the groups' pending words start */
#define MONITOR_GROUP 8			/* bytes of a group: pending, armed */

/**
 * airlock_channel_poll() - look at a channel's rings as if the host had signalled
 * @channel: the channel; nothing happens unless it is open
 *
 * Context: any.
 */
void airlock_channel_poll(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (channel->ready && !channel->dead && channel_is_open(channel))
		tasklet_schedule(&channel->tasklet);
	spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(airlock_channel_poll);

/* No hypercall: the host looks at this page by itself. */
static void transfer_set_monitor(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	u8 __host *page = c->monitors.at + CONTROL_PAGE;
	u32 group = channel->monitor / 32 * MONITOR_GROUP;

	host_set_bit32((u32 __host *)(page + MONITOR_PENDING + group), channel->monitor % 32);
	atomic_inc(&c->monitor_signals);
}

/* A host may forget a signal, or refuse it, at will; it hurts itself, and drivers have deadlines (C-307). */
static void transfer_signal(struct airlock_channel *channel)
{
	static const struct control_context plain;
	struct control_signal_event m = { .connection_id = channel->signal_id };
	struct airlock_connection *c = channel->connection;
	u8 input[SIGNAL_BYTES];
	u32 size;

	if (channel->monitor != NO_MONITOR) {
		transfer_set_monitor(channel);
		return;
	}
	if (control_build_signal_event(input, sizeof(input), &plain, &m, &size))
		return;
	atomic_inc(&c->signals);
	if (hypercall_verdict(c->transport->ops->signal(c->transport, input)) != HYPERCALL_DONE)
		violation_note(c, channel, CORE_RULE_SIGNAL_FAILED);
}

/* Framing is lost, so there is nothing to drop and go on with, whatever the policy's answer. */
static void transfer_break(struct airlock_channel *channel, int rule)
{
	airlock_violation(channel->connection, channel, ring_rule_ids[rule], OFFENCE_RING);
	airlock_quarantine(channel);
}

/* True: the budget is used up. */
static bool transfer_receive(struct airlock_channel *channel)
{
	u32 left = channel->connection->policy.packet_budget;
	struct ring_message m;
	int rule = 0, got;

	for (; left && !READ_ONCE(channel->dead); left--) {
		got = inbound_next(&channel->in, &m, &rule);
		if (got > 0) {
			channel->config.receive(channel, &m);
		} else if (got == -EBADMSG) {
			airlock_violation(channel->connection, channel, ring_rule_ids[rule], OFFENCE_PACKET);
		} else {
			if (got == -EPROTO)
				transfer_break(channel, rule);
			return false;
		}
	}
	return !left;
}

static u32 transfer_blocked(struct outbound *out)
{
	unsigned long flags;
	u32 pending;

	spin_lock_irqsave(&out->lock, flags);
	pending = out->dead ? 0 : out->pending;
	spin_unlock_irqrestore(&out->lock, flags);
	return pending;
}

/* A sender that found no room is told when there is; the host need not have told us. */
static void transfer_unblock(struct airlock_channel *channel)
{
	u32 pending, room;
	int rule = 0;

	if (!channel->config.writable)
		return;
	pending = transfer_blocked(&channel->out);
	if (!pending)
		return;
	room = outbound_free_bytes(&channel->out, &rule);
	if (rule) {
		transfer_break(channel, rule);
	} else if (room >= pending) {
		outbound_unblock(&channel->out);
		channel->config.writable(channel);
	}
}

static void transfer_mourn(struct airlock_channel *channel)
{
	if (channel->mourned)
		return;
	channel->mourned = true;
	if (channel->config.dead)
		channel->config.dead(channel);
}

void transfer_tasklet(struct tasklet_struct *t)
{
	struct airlock_channel *channel = from_tasklet(channel, t, tasklet);
	bool more;

	channel->runs++;
	if (!READ_ONCE(channel->dead)) {
		inbound_mask(&channel->in);
		more = transfer_receive(channel);
		if (!READ_ONCE(channel->dead) && inbound_release(&channel->in))
			transfer_signal(channel);
		if (!READ_ONCE(channel->dead))
			transfer_unblock(channel);
		/* Bounded: what came meanwhile, or says so for ever, waits for the next run. */
		if (!READ_ONCE(channel->dead) && (more || inbound_unmask(&channel->in)))
			airlock_channel_poll(channel);
	}
	if (READ_ONCE(channel->dead))
		transfer_mourn(channel);
}

static int transfer_send(struct airlock_channel *channel, const struct outbound_packet *p,
			 void (*publish)(void *), void *argument)
{
	bool signal = false;
	int rule = 0;
	int error;

	error = outbound_send(&channel->out, p, publish, argument, &signal, &rule);
	if (error == -EPROTO)
		transfer_break(channel, rule);
	if (!error && signal)
		transfer_signal(channel);
	return error == -EPROTO || error == -EPIPE ? -ENODEV : error;
}

/* Room may come up while we ask to be told of it. */
static bool transfer_room_came(struct airlock_channel *channel, const struct outbound_packet *p)
{
	int rule = 0;
	bool room = outbound_block(&channel->out, outbound_total(p), &rule);

	if (rule)
		transfer_break(channel, rule);
	return room && !rule;
}

static int transfer_try(struct airlock_channel *channel, const struct outbound_packet *p,
			void (*publish)(void *), void *argument)
{
	int error;

	if (!smp_load_acquire(&channel->ready) || READ_ONCE(channel->dead))
		return -ENODEV;
	error = transfer_send(channel, p, publish, argument);
	if (error == -EAGAIN && channel->config.writable && transfer_room_came(channel, p))
		error = transfer_send(channel, p, publish, argument);
	return error == -EAGAIN && READ_ONCE(channel->dead) ? -ENODEV : error;
}

/**
 * airlock_send() - send a packet that no completion is kept track of for
 * @channel: an open channel
 * @p: the packet
 *
 * Context: any but hard interrupts; any number at once.
 * Return: 0; -EAGAIN: no room; -EMSGSIZE: never; -ENODEV: the channel is closed or dead.
 */
int airlock_send(struct airlock_channel *channel, const struct outbound_packet *p)
{
	return transfer_try(channel, p, NULL, NULL);
}
EXPORT_SYMBOL_GPL(airlock_send);

struct transfer_request { struct request_table *table; u64 id; };

/* Right before the host can see the packet, and not earlier: an answer before that is a lie. */
static void transfer_publish(void *argument)
{
	struct transfer_request *request = argument;

	request_publish(request->table, request->id);
}

/**
 * airlock_send_request() - send a packet that is to be completed
 * @channel: an open channel
 * @p: the packet; its transaction id and its wish for a completion are set here
 * @id: reserved in @channel->requests
 *
 * Context: any but hard interrupts. Return: as airlock_send(); on failure the caller releases @id.
 */
int airlock_send_request(struct airlock_channel *channel, struct outbound_packet *p, u64 id)
{
	struct transfer_request request = { .table = &channel->requests, .id = id };

	p->transaction = id;
	p->wants_completion = true;
	return transfer_try(channel, p, transfer_publish, &request);
}
EXPORT_SYMBOL_GPL(airlock_send_request);

/**
 * airlock_take_completion() - whose request a completion answers
 * @channel: the channel it came on
 * @m: the completion
 *
 * Context: the channel's receive function.
 * Return: the owner, who releases the id when done; NULL: nobody's, it was counted.
 */
void *airlock_take_completion(struct airlock_channel *channel, const struct ring_completion *m)
{
	void *owner = NULL;
	int rule = request_take(&channel->requests, m->header.transaction, &owner);

	if (!rule)
		return owner;
	airlock_violation(channel->connection, channel, CORE_RULE_ID(rule), OFFENCE_COMPLETION);
	return NULL;
}
EXPORT_SYMBOL_GPL(airlock_take_completion);
