// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory named to the host, in conversation: posting its parts, waiting for answers, giving
 * up. A handle that fails is out of the table when its caller hears of it; whether its pages
 * are the host's still is gpadl_given_back()'s to say.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "core.h"

/* Locked. The host has heard of all these pages only when the last part is sent. */
static bool gpadl_is_coming(const struct gpadl *g)
{
	u8 state = g->session.at.state;

	return state == CONTROL_STATE_GPADL_POSTING || state == CONTROL_STATE_GPADL_LAST ||
		state == CONTROL_STATE_GPADL_CREATING;
}

void gpadl_abandon(struct airlock_channel *channel, int error)
{
	struct gpadl_table *t = &channel->connection->gpadls;
	u32 i;

	for (i = 0; channel->relid && i < GPADL_SLOTS; i++)
		if (t->slots[i] && t->slots[i]->relid == channel->relid && gpadl_is_coming(t->slots[i]))
			gpadl_event(t->slots[i], CONTROL_EVENT_GPADL_LOCAL_ABANDON, error);
}

void gpadl_fail_all(struct airlock_connection *c, int error)
{
	struct gpadl_table *t = &c->gpadls;
	u32 i;

	for (i = 0; i < GPADL_SLOTS; i++) {
		if (!t->slots[i])
			continue;
		if (t->slots[i]->session.at.state == CONTROL_STATE_GPADL_TEARING)
			gpadl_event(t->slots[i], CONTROL_EVENT_GPADL_AFTER_TEARDOWN_DEADLINE, error);
		else if (gpadl_is_coming(t->slots[i]))
			gpadl_event(t->slots[i], CONTROL_EVENT_GPADL_LOCAL_ABANDON, error);
	}
}

/* Those that drivers still hold: their structures are not ours to look at any more. */
void gpadl_forget_all(struct airlock_connection *c, bool unloaded)
{
	struct gpadl_table *t = &c->gpadls;
	u32 i;

	for (i = 0; i < GPADL_SLOTS; i++) {
		struct gpadl *g = t->slots[i];

		if (!g || !g->handle)
			continue;
		if (unloaded)
			gpadl_event(g, CONTROL_EVENT_GPADL_LOCAL_CONNECTION_GONE, -ENODEV);
		gpadl_remove(t, g);
	}
}

static u32 gpadl_handle_of(const struct control_message *m)
{
	return m->kind == CONTROL_MSG_GPADL_CREATED ? m->gpadl_created.handle : m->gpadl_torndown.handle;
}

/*
 * A host that says "created" before it has heard of all pages is not to be reasoned with (C-203).
 * The session has given up on the pages; the channel goes too.
 */
void gpadl_hear(struct airlock_connection *c, const struct control_message *m, struct finding *found)
{
	struct gpadl *g = gpadl_find(&c->gpadls, gpadl_handle_of(m));
	int rule = gpadl_receive(&c->gpadls, m);

	if (g && g->relid < RELIDS)
		found->channel = c->channels[g->relid];
	if (rule) {
		found->rule = control_rule_ids[rule];
	} else if (g && m->kind == CONTROL_MSG_GPADL_CREATED && g->session.at.state == CONTROL_STATE_GPADL_LEAKED) {
		found->rule = CORE_RULE_ID(CORE_RULE_GPADL_EARLY);
		found->quarantine = true;
	} else if (found->channel && m->kind == CONTROL_MSG_GPADL_CREATED) {
		(void)channel_status(found->channel, m->gpadl_created.status);
	}
}

void gpadl_drop(struct airlock_connection *c, struct gpadl *g)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	if (g->handle && gpadl_find(&c->gpadls, g->handle) == g)
		gpadl_remove(&c->gpadls, g);
	spin_unlock_irqrestore(&c->lock, flags);
}

static int gpadl_begin(struct airlock_channel *channel, struct gpadl *g, const struct hostmem *memory)
{
	struct airlock_connection *c = channel->connection;
	unsigned long flags;
	int error = -ENODEV;

	memset(g, 0, sizeof(*g));
	spin_lock_irqsave(&c->lock, flags);
	if (!channel->dead && channel->relid)
		error = gpadl_add(&c->gpadls, g, memory, channel->relid);
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/*
 * 1: a part was posted, and there may be more. Nothing is named on behalf of a channel that died
 * before its first part: nobody would be woken, and the deadline would be waited for.
 */
static int gpadl_post_part(struct airlock_channel *channel, struct gpadl *g)
{
	struct airlock_connection *c = channel->connection;
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 size;
	int more, error;

	spin_lock_irqsave(&c->lock, flags);
	more = -ENODEV;
	if (!channel->dead || g->sent)
		more = gpadl_next_part(g, &c->context, message, sizeof(message), &size);
	spin_unlock_irqrestore(&c->lock, flags);
	if (more <= 0)
		return more;
	error = message_post(c, message, size, false);
	return error ? error : 1;
}

static void gpadl_expire(struct airlock_connection *c, struct gpadl *g, u8 event, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	gpadl_event(g, event, error);
	spin_unlock_irqrestore(&c->lock, flags);
}

static int gpadl_result(struct airlock_connection *c, struct gpadl *g)
{
	unsigned long flags;
	int result;

	spin_lock_irqsave(&c->lock, flags);
	result = g->result;
	spin_unlock_irqrestore(&c->lock, flags);
	return result;
}

/* Half a description can neither be finished nor torn down: its pages are given up (C-225). */
static int gpadl_post(struct airlock_channel *channel, struct gpadl *g)
{
	struct airlock_connection *c = channel->connection;
	int more;

	do {
		more = gpadl_post_part(channel, g);
	} while (more > 0);
	if (more < 0 && !completion_done(&g->answered)) {
		gpadl_expire(c, g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, more);
		airlock_quarantine(channel);
	}
	return more;
}

static void gpadl_note_silence(struct airlock_connection *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->silent |= c->leaving;
	spin_unlock_irqrestore(&c->lock, flags);
}

/* No answer: the channel is of no use any more, the pages are the host's (C-204, C-210). */
static int gpadl_await(struct airlock_channel *channel, struct gpadl *g, u32 deadline, u8 event)
{
	struct airlock_connection *c = channel->connection;

	if (!message_wait(c, &g->answered, deadline)) {
		gpadl_expire(c, g, event, -ETIMEDOUT);
		airlock_quarantine(channel);
		gpadl_note_silence(c);
	}
	return gpadl_result(c, g);
}

static bool gpadl_may_be_torn_down(struct airlock_connection *c, struct gpadl *g)
{
	unsigned long flags;
	bool live;

	spin_lock_irqsave(&c->lock, flags);
	live = gpadl_is_live(g) && !c->silent;
	spin_unlock_irqrestore(&c->lock, flags);
	return live;
}

/**
 * airlock_gpadl_create() - name memory to the host, as belonging to a channel
 * @channel: the channel, open or not
 * @g: the GPADL; nothing of it need be initialised
 * @memory: the memory, which must outlive the GPADL
 *
 * Context: process; may sleep, within create_deadline (and teardown_deadline, after an answer that is neither
 * yes nor no). Return: 0, or -errno; then gpadl_given_back() says how to destroy @memory.
 */
int airlock_gpadl_create(struct airlock_channel *channel, struct gpadl *g, const struct hostmem *memory)
{
	struct airlock_connection *c = channel->connection;
	int error = gpadl_begin(channel, g, memory);

	if (error)
		return error;
	error = gpadl_post(channel, g);
	if (!error)
		error = gpadl_await(channel, g, c->policy.create_deadline,
				    CONTROL_EVENT_GPADL_AFTER_CREATE_DEADLINE);
	if (!error)
		return 0;
	airlock_gpadl_teardown(channel, g);
	return error;
}
EXPORT_SYMBOL_GPL(airlock_gpadl_create);

static int gpadl_post_teardown(struct airlock_channel *channel, struct gpadl *g)
{
	struct airlock_connection *c = channel->connection;
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 size;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	error = c->dead ? -EPIPE : gpadl_teardown_message(g, &c->context, message, sizeof(message), &size);
	spin_unlock_irqrestore(&c->lock, flags);
	/* Not heard, perhaps: then nothing is given back, as after no answer. */
	return error ? error : message_post(c, message, size, false);
}

/**
 * airlock_gpadl_teardown() - the host is to let go of memory
 * @channel: the channel it was created for
 * @g: the GPADL, in whatever state
 *
 * Also after a rescind: the host answers still, or is not waited for for long.
 *
 * Context: process; may sleep, within teardown_deadline.
 */
void airlock_gpadl_teardown(struct airlock_channel *channel, struct gpadl *g)
{
	struct airlock_connection *c = channel->connection;

	if (gpadl_may_be_torn_down(c, g) && !gpadl_post_teardown(channel, g))
		gpadl_await(channel, g, c->policy.teardown_deadline, CONTROL_EVENT_GPADL_AFTER_TEARDOWN_DEADLINE);
	gpadl_drop(c, g);
}
EXPORT_SYMBOL_GPL(airlock_gpadl_teardown);
