// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back: an answer takes its request once, is judged, and only then are data copied,
 * as many as it was entitled to. An answer that breaks a rule ends the command, but proves
 * nothing about the pages: they rest until the channel is closed (ST-066).
 */
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "inside.h"

/* Tells the command's owner that it ended without an answer that counts. No lock is held. */
void scsi_end(struct scsi_engine *engine, struct scsi_command *command, enum scsi_verdict verdict)
{
	unsigned long flags;

	scsi_clear_data(command);
	command->verdict = verdict;
	command->status = 0;
	command->transferred = 0;
	memset(command->sense, 0, sizeof(command->sense));
	command->sense_bytes = 0;
	command->done(command);
	spin_lock_irqsave(&engine->lock, flags);
	scsi_settle(engine, &engine->outstanding);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* The lock is held. The message passes both sessions, or neither has heard it. */
static int scsi_hear_answer(struct scsi_engine *engine, struct scsi_request *request,
			    const struct storage_context *ctx, const struct storage_message *m)
{
	struct session_state before = engine->session.at;
	int rule;

	rule = storage_device_receive(&engine->session, ctx, m);
	if (rule)
		return rule;
	rule = storage_srb_receive(&request->session, m);
	if (rule)
		engine->session.at = before;
	return rule;
}

/* The lock is held. Takes the command off the request; NULL: it was given up. */
static struct scsi_command *scsi_take_command(struct scsi_engine *engine,
					      struct scsi_request *request)
{
	struct scsi_command *command = request->command;

	request->command = NULL;
	if (command) {
		command->request = NULL;
		return command;
	}
	request->lane->stuck--;
	scsi_settle(engine, &engine->orphans);
	return NULL;
}

/* The request and its id are free again; nothing refers to its slots any more. */
static void scsi_free_request(struct scsi_request *request)
{
	struct scsi_lane *lane = request->lane;
	unsigned long flags;

	scsi_free_room(request);
	spin_lock_irqsave(&lane->engine->lock, flags);
	session_local(&storage_srb_table, &request->session.at, STORAGE_EVENT_SRB_LOCAL_RELEASE);
	request_release(&lane->channel->requests, request->id);
	list_add(&request->node, &lane->free);
	spin_unlock_irqrestore(&lane->engine->lock, flags);
}

static void scsi_unmap(struct scsi_request *request)
{
	if (request->buffer.count)
		bounce_unmap(&request->buffer, raw_smp_processor_id());
	request->buffer.count = 0;
}

/**
 * scsi_look_again() - there is a reason to look at the bus again
 * @engine: that was started; does nothing if it is not running
 *
 * Context: any but hard interrupt, without lock.
 */
void scsi_look_again(struct scsi_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->look_again = true;
	scsi_rescan_soon(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* An answer in good form: judged before it is used, copied before anyone is told (ST-086). */
static void scsi_finish(struct scsi_request *request, struct scsi_command *command,
			const struct storage_srb_complete *answer)
{
	struct scsi_lane *lane = request->lane;
	struct scsi_engine *engine = lane->engine;
	bool changed = false;
	unsigned long flags;
	int rule;

	rule = scsi_judge(answer, command, &changed);
	if (request->buffer.count)
		bounce_finish(&request->buffer, command->data, command->pieces,
			      command->transferred);
	scsi_unmap(request);
	scsi_free_request(request);
	if (rule) {
		atomic_inc(&engine->refused);
		scsi_count(lane, storage_rule_ids[rule]);
	}
	if (changed)
		scsi_look_again(engine);
	command->done(command);
	spin_lock_irqsave(&engine->lock, flags);
	scsi_settle(engine, &engine->outstanding);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* The lock is held. True: too many rest, the failure is to be told. */
static bool scsi_pin(struct scsi_engine *engine, struct scsi_request *request)
{
	struct scsi_lane *lane = request->lane;

	request_release(&lane->channel->requests, request->id);
	list_add(&request->node, &lane->pinned);
	engine->pinned++;
	return ++lane->stuck > SCSI_STUCK_MAX && scsi_mark_failed(engine);
}

/* A completion whose id was this request's, now taken. Softirq. */
void scsi_answered(struct scsi_request *request, const struct ring_completion *c)
{
	struct scsi_lane *lane = request->lane;
	struct scsi_engine *engine = lane->engine;
	struct storage_context ctx = engine->context;
	struct scsi_command *command;
	struct storage_message m;
	unsigned long flags;
	bool tell = false;
	int rule;

	ctx.kind = STORAGE_PACKET_KIND_ANSWER;
	ctx.primary = !lane->index;
	ctx.transaction = c->header.transaction;
	ctx.answering = STORAGE_OPERATION_EXECUTE_SRB;
	rule = storage_receive(c->payload.data, c->payload.size, &ctx, &m);
	spin_lock_irqsave(&engine->lock, flags);
	if (!rule)
		rule = scsi_hear_answer(engine, request, &ctx, &m);
	command = scsi_take_command(engine, request);
	if (rule)
		tell = scsi_pin(engine, request);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (rule) {
		scsi_violation(lane, rule);
		if (command)
			scsi_end(engine, command, SCSI_ERROR);
	} else if (command) {
		scsi_finish(request, command, &m.srb_complete);
	} else {
		scsi_unmap(request);
		scsi_free_request(request);
	}
	if (tell)
		scsi_tell_failure(engine);
}

/*
 * The channel of a request is closed. Slots the host may still write are not given out again: they
 * go with the pool, which then has to prove that its pages are private or leak them.
 */
void scsi_reclaim(struct scsi_request *request, bool given_back)
{
	struct scsi_engine *engine = request->lane->engine;
	struct scsi_command *command = NULL;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (list_empty(&request->node)) {
		command = scsi_take_command(engine, request);
	} else {
		list_del_init(&request->node);
		engine->pinned--;
	}
	session_local(&storage_srb_table, &request->session.at,
		      STORAGE_EVENT_SRB_LOCAL_CHANNEL_GONE);
	if (request->buffer.count && !given_back)
		engine->memory_out = true;
	spin_unlock_irqrestore(&engine->lock, flags);
	if (given_back)
		scsi_unmap(request);
	scsi_free_room(request);
	if (command)
		scsi_end(engine, command, SCSI_GONE);
}
