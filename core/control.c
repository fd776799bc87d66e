// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control messages as what they mean. One is believed if its validator and every session that
 * knows of it do, in the order of the specification; only then does anything hear of it. Ours
 * move the sessions before they are posted, so that no answer can come too early (C-179).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "core.h"

/* Locked: the channel a message is about; NULL: there is none. */
static struct airlock_channel *control_channel_of(struct airlock_connection *c, const struct control_message *m)
{
	u64 relid;

	return control_channel_key(m, &relid) && relid < RELIDS ? c->channels[relid] : NULL;
}

/* What is not in the table is in the first state of a session, where next to nothing is allowed. */
static int control_step_channel(struct airlock_connection *c, struct airlock_channel *channel,
				const struct control_message *m)
{
	struct control_channel_session none = { 0 };

	if (channel)
		return control_channel_receive(&channel->session, &c->context, m);
	session_start(&control_channel_table, &none.at);
	return control_channel_receive(&none, &c->context, m);
}

static int control_step_stream(const struct control_message *m)
{
	struct control_stream_session none = { 0 };

	session_start(&control_stream_table, &none.at);
	return control_stream_receive(&none, m);
}

static void control_to_channel(struct airlock_connection *c, const struct control_message *m,
			       struct finding *found)
{
	struct airlock_channel *channel = control_channel_of(c, m);
	int rule = control_step_channel(c, channel, m);

	found->channel = channel;
	if (rule)
		found->rule = control_rule_ids[rule];
	else if (m->kind == CONTROL_MSG_RESCIND)
		device_hear_rescind(c, channel, found);
	else if (m->kind == CONTROL_MSG_OPEN_RESULT)
		channel_hear_open(channel, &m->open_result);
	else if (m->kind == CONTROL_MSG_MODIFY_RESPONSE)
		placement_hear(channel, &m->modify_response);
}

/* While we suspend, or leave, what comes and goes is nothing to us any more (C-131, C-257). */
static int control_is_late(const struct airlock_connection *c, const struct control_message *m)
{
	if (m->kind == CONTROL_MSG_OFFER && (c->suspended || c->leaving))
		return CONTROL_RULE_CONNECTION_OFFER_STATE;
	if (m->kind == CONTROL_MSG_RESCIND && c->suspended)
		return CONTROL_RULE_CONNECTION_RESCIND_STATE;
	return 0;
}

static void control_dispatch(struct airlock_connection *c, const struct control_message *m, struct finding *found)
{
	int rule;

	switch (m->kind) {
	case CONTROL_MSG_OFFER:
		offer_hear(c, m, found);
		break;
	case CONTROL_MSG_RESCIND:
	case CONTROL_MSG_OPEN_RESULT:
	case CONTROL_MSG_MODIFY_RESPONSE:
		control_to_channel(c, m, found);
		break;
	case CONTROL_MSG_GPADL_CREATED:
	case CONTROL_MSG_GPADL_TORNDOWN:
		gpadl_hear(c, m, found);
		break;
	case CONTROL_MSG_TL_CONNECT_RESULT:
		rule = control_step_stream(m);
		found->rule = rule ? control_rule_ids[rule] : 0;
		break;
	default:
		connection_hear(c, m);
	}
}

/*
 * None of the messages that a second session may refuse moves the connection's, so there is
 * nothing to put back when one does.
 */
static void control_hear_locked(struct airlock_connection *c, const u8 *message, u32 size, struct finding *found)
{
	struct control_message m;
	int rule = control_receive(message, size, &c->context, &m);

	if (!rule)
		rule = control_connection_receive(&c->session, &c->context, &m);
	if (!rule)
		rule = control_is_late(c, &m);
	if (rule)
		found->rule = control_rule_ids[rule];
	else
		control_dispatch(c, &m, found);
}

void control_hear(struct airlock_connection *c, const u8 *message, u32 size)
{
	struct finding found = { .offence = OFFENCE_MESSAGE };
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	control_hear_locked(c, message, size, &found);
	if (found.channel)
		airlock_channel_get(found.channel);
	spin_unlock_irqrestore(&c->lock, flags);
	violation_act(c, &found);
	if (found.channel)
		airlock_channel_put(found.channel);
}

static int control_build(struct airlock_connection *c, const struct control_message *m, u8 *message, u32 *size)
{
	const struct control_context *ctx = &c->context;

	switch (m->kind) {
	case CONTROL_MSG_INITIATE_CONTACT:
		return control_build_initiate_contact(message, MESSAGE_BYTES, ctx, &m->initiate_contact, size);
	case CONTROL_MSG_REQUEST_OFFERS:
		return control_build_request_offers(message, MESSAGE_BYTES, ctx, &m->request_offers, size);
	case CONTROL_MSG_UNLOAD:
		return control_build_unload(message, MESSAGE_BYTES, ctx, &m->unload, size);
	case CONTROL_MSG_RELID_RELEASED:
		return control_build_relid_released(message, MESSAGE_BYTES, ctx, &m->relid_released, size);
	case CONTROL_MSG_OPEN:
		return control_build_open(message, MESSAGE_BYTES, ctx, &m->open, size);
	case CONTROL_MSG_CLOSE:
		return control_build_close(message, MESSAGE_BYTES, ctx, &m->close, size);
	case CONTROL_MSG_MODIFY_CHANNEL:
		return control_build_modify_channel(message, MESSAGE_BYTES, ctx, &m->modify_channel, size);
	default:
		return CONTROL_RULE_DISPATCH;
	}
}

int control_say_connection(struct airlock_connection *c, const struct control_message *m, u8 *message, u32 *size)
{
	lockdep_assert_held(&c->lock);
	if (control_build(c, m, message, size))
		return -EINVAL;
	return control_connection_send(&c->session, &c->context, m) ? -EPROTO : 0;
}

int control_say_channel(struct airlock_connection *c, struct control_channel_session *session,
			const struct control_message *m, u8 *message, u32 *size)
{
	lockdep_assert_held(&c->lock);
	if (control_build(c, m, message, size))
		return -EINVAL;
	return control_channel_send(session, &c->context, m) ? -EPROTO : 0;
}
