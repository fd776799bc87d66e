// SPDX-License-Identifier: GPL-2.0-only
/*
 * A step: one message of the handshake, of growing or of a reset, and its answer. Each has
 * an id of its own that is good for one answer until the deadline, and for nothing later
 * (ST-023, ST-024, ST-063).
 */
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "inside.h"

#define RETRY_MS 10	/* between attempts to find room in the ring */

/* By its kind; all questions of steps begin with the same header. */
static int scsi_build(const struct storage_context *c, const struct storage_message *q, u8 *p,
		      u32 *n)
{
	const u32 room = SCSI_PAYLOAD_BYTES;

	switch (q->kind) {
	case STORAGE_MSG_BEGIN_INITIALIZATION:
		return storage_build_begin_initialization(p, room, c, &q->begin_initialization, n);
	case STORAGE_MSG_QUERY_VERSION:
		return storage_build_query_version(p, room, c, &q->query_version, n);
	case STORAGE_MSG_QUERY_PROPERTIES:
		return storage_build_query_properties(p, room, c, &q->query_properties, n);
	case STORAGE_MSG_QUERY_NAMES:
		return storage_build_query_names(p, room, c, &q->query_names, n);
	case STORAGE_MSG_END_INITIALIZATION:
		return storage_build_end_initialization(p, room, c, &q->end_initialization, n);
	case STORAGE_MSG_CREATE_SUBCHANNELS:
		return storage_build_create_subchannels(p, room, c, &q->create_subchannels, n);
	case STORAGE_MSG_RESET:
		return storage_build_reset(p, room, c, &q->reset, n);
	default:
		return STORAGE_RULE_DISPATCH;
	}
}

/* The lock is held. 0: the step waits for its answer under a fresh id. */
static int scsi_step_begin(struct scsi_engine *engine, const struct storage_context *ctx,
			   const struct storage_message *question)
{
	struct scsi_step *step = &engine->step;
	struct scsi_lane *lane = engine->lanes[0];
	u64 id;

	if (engine->failed || !lane)
		return -ENODEV;
	id = request_reserve(&lane->channel->requests, step);
	if (!id)
		return -EBUSY;
	if (storage_device_send(&engine->session, ctx, question)) {
		request_release(&lane->channel->requests, id);
		return -EBUSY;
	}
	reinit_completion(&step->done);
	step->id = id;
	step->operation = question->begin_initialization.header.operation;
	step->result = -EINPROGRESS;
	return 0;
}

/* A host that works empties a ring full of commands; one that does not has its deadline. */
static int scsi_step_send(struct airlock_channel *channel, struct outbound_packet *packet, u64 id,
			  unsigned long end)
{
	int error;

	for (;;) {
		error = airlock_send_request(channel, packet, id);
		if (error != -EAGAIN)
			return error;
		if (time_after_eq(jiffies, end))
			return -ETIMEDOUT;
		msleep(RETRY_MS);
	}
}

/* No answer to this id means anything from now on. It was sent, or it never was. */
static void scsi_step_retire(struct airlock_channel *channel, u64 id, bool sent)
{
	void *owner;

	if (!sent || !request_take(&channel->requests, id, &owner))
		request_release(&channel->requests, id);
}

/* Takes what came of it, which may be nothing. @error: of sending. */
static int scsi_step_end(struct scsi_engine *engine, int error, u8 expired,
			 struct storage_message *answer)
{
	struct scsi_step *step = &engine->step;
	struct scsi_lane *lane = engine->lanes[0];
	bool late = false;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (step->result == -EINPROGRESS || error) {
		scsi_step_retire(lane->channel, step->id, !error);
		late = !error || error == -ETIMEDOUT;
		step->result = error ? error : -ETIMEDOUT;
	}
	error = step->result;
	if (error)
		session_local(&storage_device_table, &engine->session.at, expired);
	else
		*answer = step->answer;
	step->id = 0;
	step->result = -EIDRM;
	spin_unlock_irqrestore(&engine->lock, flags);
	if (late)
		scsi_count(lane, CORE_RULE_ID(CORE_RULE_WAIT_EXPIRED));
	return error;
}

/*
 * Asks the host, and waits for its answer at most so long. @expired: what it means to the
 * device's session if there is none. 0 and the answer, whatever its status; or -errno. Control is
 * held; sleeps.
 */
int scsi_step(struct scsi_engine *engine, const struct storage_message *question, u32 milliseconds,
	      u8 expired, struct storage_message *answer)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds), now, flags;
	struct outbound_packet packet = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true };
	struct storage_context ctx = engine->context;
	u8 payload[SCSI_PAYLOAD_BYTES];
	int error;

	ctx.kind = STORAGE_PACKET_KIND_OURS;
	ctx.primary = 1;
	packet.payload = payload;
	if (scsi_build(&ctx, question, payload, &packet.bytes))
		return -EINVAL;
	spin_lock_irqsave(&engine->lock, flags);
	error = scsi_step_begin(engine, &ctx, question);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (error)
		return error;
	error = scsi_step_send(engine->lanes[0]->channel, &packet, engine->step.id, end);
	now = jiffies;
	if (!error && time_before(now, end))
		wait_for_completion_timeout(&engine->step.done, end - now);
	return scsi_step_end(engine, error, expired, answer);
}

/* What an answer to the step is worth. The lock is held. */
static int scsi_step_check(struct scsi_engine *engine, const struct ring_completion *c)
{
	struct storage_context ctx = engine->context;
	struct storage_message m;
	int rule;

	ctx.kind = STORAGE_PACKET_KIND_ANSWER;
	ctx.primary = 1;
	ctx.transaction = c->header.transaction;
	ctx.answering = engine->step.operation;
	rule = storage_receive(c->payload.data, c->payload.size, &ctx, &m);
	if (!rule)
		rule = storage_device_receive(&engine->session, &ctx, &m);
	if (!rule)
		engine->step.answer = m;
	return rule;
}

/* The id was taken, so this is its first answer. One that breaks a rule ends the step as well. */
void scsi_step_answered(struct scsi_lane *lane, const struct ring_completion *c)
{
	struct scsi_engine *engine = lane->engine;
	struct scsi_step *step = &engine->step;
	unsigned long flags;
	int rule = 0;

	spin_lock_irqsave(&engine->lock, flags);
	if (step->id == c->header.transaction && step->result == -EINPROGRESS) {
		rule = scsi_step_check(engine, c);
		step->result = rule ? -EPROTO : 0;
		complete(&step->done);
	}
	request_release(&lane->channel->requests, c->header.transaction);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (rule)
		scsi_violation(lane, rule);
}
