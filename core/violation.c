// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken rules: counted for the channel and for the connection, one line of log within a rate,
 * then the policy's answer. The host decides how often this runs, so nothing here allocates,
 * waits, or says more than the log's limit allows.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "core.h"

void violations_init(struct violations *v)
{
	memset(v, 0, sizeof(*v));
	spin_lock_init(&v->lock);
}

/* Locked: the line of a rule; NULL: it has none. */
static struct rule_count *violations_find(struct violations *v, u32 rule)
{
	u32 i;

	for (i = 0; i < v->used; i++)
		if (v->seen[i].rule == rule)
			return &v->seen[i];
	return NULL;
}

u32 violations_add(struct violations *v, u32 rule)
{
	struct rule_count *seen;
	unsigned long flags;
	u32 total;

	spin_lock_irqsave(&v->lock, flags);
	seen = violations_find(v, rule);
	if (!seen && v->used < RULES_SEEN) {
		seen = &v->seen[v->used++];
		seen->rule = rule;
	}
	if (seen)
		seen->count++;
	else
		v->others++;
	total = ++v->total;
	spin_unlock_irqrestore(&v->lock, flags);
	return total;
}
EXPORT_SYMBOL_GPL(violations_add);

u32 violations_drop(struct violations *v)
{
	unsigned long flags;
	u32 dropped;

	spin_lock_irqsave(&v->lock, flags);
	dropped = ++v->dropped;
	spin_unlock_irqrestore(&v->lock, flags);
	return dropped;
}

/**
 * violations_count() - how often a rule was broken
 * @v: whose
 * @rule: its id
 *
 * Context: any. Return: the count; 0 also for what was counted among the others.
 */
u32 violations_count(struct violations *v, u32 rule)
{
	struct rule_count *seen;
	unsigned long flags;
	u32 count;

	spin_lock_irqsave(&v->lock, flags);
	seen = violations_find(v, rule);
	count = seen ? seen->count : 0;
	spin_unlock_irqrestore(&v->lock, flags);
	return count;
}
EXPORT_SYMBOL_GPL(violations_count);

static void violation_record(struct airlock_connection *c, struct airlock_channel *channel, u32 rule)
{
	violations_add(&c->violations, rule);
	if (channel)
		violations_add(&channel->violations, rule);
	pr_warn_ratelimited("airlock: rule %08x broken, channel %u\n", rule,
			    channel ? READ_ONCE(channel->relid) : 0);
}

void violation_note(struct airlock_connection *c, struct airlock_channel *channel, enum core_rule rule)
{
	violation_record(c, channel, CORE_RULE_ID(rule));
}

void violation_note_leaks(struct airlock_connection *c, struct airlock_channel *channel)
{
	int leaked = atomic_read(&c->visibility->leaked);
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&c->lock, flags);
	more = leaked > c->leaked;
	c->leaked = leaked;
	spin_unlock_irqrestore(&c->lock, flags);
	if (more)
		violation_note(c, channel, CORE_RULE_PAGE_LEAKED);
}

/* Whoever is let off too often is not let off again. */
static bool violation_is_strike(struct airlock_connection *c, struct airlock_channel *channel)
{
	return channel && violations_drop(&channel->violations) >= c->policy.strikes && c->policy.strikes;
}

/**
 * airlock_violation() - the host has broken a rule
 * @c: the connection
 * @channel: the channel it happened on, or NULL
 * @rule: id of the rule, from a generated table or CORE_RULE_ID()
 * @offence: what kind of offence that is; the policy has an answer to each
 *
 * Context: any, without a lock of the core. With the answer "quarantine" an offence that belongs to no
 * channel is dropped: there is nothing to put away.
 */
void airlock_violation(struct airlock_connection *c, struct airlock_channel *channel, u32 rule,
		       enum policy_offence offence)
{
	enum policy_answer answer = c->policy.answers[offence];

	violation_record(c, channel, rule);
	if (answer == POLICY_DROP && violation_is_strike(c, channel))
		answer = POLICY_QUARANTINE;
	if (answer == POLICY_PANIC)
		panic("airlock: rule %08x broken\n", rule);
	else if (answer == POLICY_DISCONNECT)
		airlock_kill_connection(c);
	else if (answer == POLICY_QUARANTINE && channel)
		airlock_quarantine(channel);
}
EXPORT_SYMBOL_GPL(airlock_violation);

void violation_act(struct airlock_connection *c, const struct finding *found)
{
	if (found->rule)
		airlock_violation(c, found->channel, found->rule, found->offence);
	if (found->quarantine && found->channel)
		airlock_quarantine(found->channel);
	if (found->fatal)
		airlock_kill_connection(c);
}

/**
 * airlock_quarantine() - put a channel away: nothing of it is believed, or touched, any more
 * @channel: the channel
 *
 * Its waiters fail, its driver hears of it once, its memory stays the host's until visibility is
 * revoked. Only a rescind, or the end of the connection, gives its number back.
 *
 * Context: any, without a lock of the core.
 */
void airlock_quarantine(struct airlock_channel *channel)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	channel_put_away(channel, -ENODEV);
	spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(airlock_quarantine);

/* In whatever state it is: the session has one line for each that leads to its end. */
static void kill_session(struct airlock_connection *c)
{
	static const u8 ends[] = {
		CONTROL_EVENT_CONNECTION_LOCAL_GIVE_UP,
		CONTROL_EVENT_CONNECTION_AFTER_CONTACT_DEADLINE,
		CONTROL_EVENT_CONNECTION_AFTER_UNLOAD_DEADLINE,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ends); i++)
		session_local(&control_connection_table, &c->session.at, ends[i]);
}

/* Their GPADLs are dealt with all at once, by the caller. */
static void kill_channels(struct airlock_connection *c)
{
	struct airlock_channel *channel;
	u32 relid = 0;

	while ((channel = channel_next(c, &relid)) != NULL) {
		session_local(&control_channel_table, &channel->session.at,
			      CONTROL_EVENT_CHANNEL_LOCAL_QUARANTINE);
		channel_die(channel, -ENODEV);
	}
}

/**
 * airlock_kill_connection() - believe nothing more of this host
 * @c: the connection
 *
 * All who wait are woken with an error, all channels are dead; an unload is posted from process
 * context, with little hope, and nobody waits for its answer.
 *
 * Context: any, without a lock of the core.
 */
void airlock_kill_connection(struct airlock_connection *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (!c->dead) {
		WRITE_ONCE(c->dead, true);
		kill_session(c);
		kill_channels(c);
		gpadl_fail_all(c, -EPIPE);
		complete(&c->contacted);
		complete(&c->offered);
		complete(&c->unloaded);
		queue_work(c->queue, &c->work);
	}
	spin_unlock_irqrestore(&c->lock, flags);
}
EXPORT_SYMBOL_GPL(airlock_kill_connection);
