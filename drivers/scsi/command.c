// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a command to the host: checked, given a request and an id, copied into the
 * bounce pool, sent. An error on the way undoes all of it; giving up undoes nothing, since the
 * host may still be at work on the pages.
 */
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "inside.h"

#define CDB_MIN 6
#define SENSE_ROOM 20
#define SENSE_ROOM_OLD 18	/* before 5.1 */
#define SRB_BYTES 52
#define SRB_BYTES_OLD 36
#define QUEUE_TAG_NONE 0xff
#define QUEUE_SIMPLE 0x20
#define CHANNELS_TRIED 2

/* Nothing that is not the device's is taken for it. */
void scsi_clear_data(const struct scsi_command *command)
{
	u32 left = command->bytes, part, i;

	if (command->direction != STORAGE_DATA_DIRECTION_READ)
		return;
	for (i = 0; i < command->pieces && left; i++) {
		part = min_t(size_t, command->data[i].iov_len, left);
		memset(command->data[i].iov_base, 0, part);
		left -= part;
	}
}

void scsi_free_room(struct scsi_request *request)
{
	kfree(request->room);
	request->room = NULL;
}

static int scsi_command_data(const struct scsi_engine *engine, const struct scsi_command *command)
{
	u64 bytes = 0;
	u32 i;

	if (command->direction == STORAGE_DATA_DIRECTION_NONE)
		return command->bytes ? -EINVAL : 0;
	if (command->direction > STORAGE_DATA_DIRECTION_NONE)
		return -EINVAL;
	if (!command->bytes || command->bytes > engine->limits.max_transfer)
		return -EINVAL;
	for (i = 0; i < command->pieces; i++)
		bytes += command->data[i].iov_len;
	return bytes != command->bytes ? -EINVAL : 0;
}

static int scsi_command_check(const struct scsi_engine *engine, const struct scsi_command *command)
{
	if (command->cdb_bytes < CDB_MIN || command->cdb_bytes > SCSI_CDB_BYTES || !command->done)
		return -EINVAL;
	return scsi_command_data(engine, command);
}

/* The lock is held. @nth: of the channels that take commands. */
static int scsi_pick(struct scsi_engine *engine, u32 cpu, u32 nth, struct scsi_lane **lane)
{
	if (!scsi_running(engine) || !engine->usable_count)
		return -ENODEV;
	if (engine->resetting || nth >= engine->usable_count)
		return -EAGAIN;
	*lane = engine->usable[(cpu + nth) % engine->usable_count];
	return list_empty(&(*lane)->free) ? -EAGAIN : 0;
}

/* A request of a channel, and an id: now the channel stays, for as long as we are its sender. */
static struct scsi_request *scsi_get_request(struct scsi_engine *engine,
					     struct scsi_command *command, u32 cpu, u32 nth,
					     int *error)
{
	struct scsi_request *request = NULL;
	struct scsi_lane *lane = NULL;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	*error = scsi_pick(engine, cpu, nth, &lane);
	if (*error)
		goto out;
	request = list_first_entry(&lane->free, struct scsi_request, node);
	request->id = request_reserve(&lane->channel->requests, request);
	if (!request->id) {
		*error = -EAGAIN;
		request = NULL;
		goto out;
	}
	list_del_init(&request->node);
	session_local(&storage_srb_table, &request->session.at, STORAGE_EVENT_SRB_LOCAL_RESERVE);
	request->command = command;
	command->request = request;
	lane->senders++;
	engine->outstanding++;
out:
	spin_unlock_irqrestore(&engine->lock, flags);
	return request;
}

static void scsi_sender_leaves(struct scsi_lane *lane)
{
	if (!--lane->senders && lane->closing)
		complete(&lane->quiet);
}

/* It was not sent: all is as it was before. */
static void scsi_put_request(struct scsi_request *request, struct scsi_command *command,
			     const struct session_state *building)
{
	struct scsi_lane *lane = request->lane;
	struct scsi_engine *engine = lane->engine;
	unsigned long flags;

	scsi_free_room(request);
	spin_lock_irqsave(&engine->lock, flags);
	request->session.at = *building;
	session_local(&storage_srb_table, &request->session.at, STORAGE_EVENT_SRB_LOCAL_ABANDON);
	request_release(&lane->channel->requests, request->id);
	request->command = NULL;
	command->request = NULL;
	list_add(&request->node, &lane->free);
	scsi_settle(engine, &engine->outstanding);
	scsi_sender_leaves(lane);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/*
 * Where frames and slots are written down. Ordinary requests need no memory for that: they are what
 * memory is freed with.
 */
static int scsi_make_room(struct scsi_request *request, u32 pages)
{
	const size_t page = sizeof(*request->gfns) + sizeof(*request->buffer.slots);

	request->gfns = request->inline_gfns;
	request->buffer.slots = request->inline_slots;
	if (pages <= SCSI_INLINE_PAGES)
		return 0;
	request->room = kmalloc_array(pages, page, GFP_ATOMIC | __GFP_NOWARN);
	if (!request->room)
		return -EAGAIN;
	request->gfns = request->room;
	request->buffer.slots = (u32 *)(request->gfns + pages);
	return 0;
}

static int scsi_map(struct scsi_request *request, const struct scsi_command *command, u32 cpu)
{
	struct scsi_engine *engine = request->lane->engine;
	enum bounce_direction direction = BOUNCE_TO_HOST;
	int error;

	request->buffer.count = 0;
	if (!command->bytes)
		return 0;
	if (command->direction == STORAGE_DATA_DIRECTION_READ)
		direction = BOUNCE_FROM_HOST;
	error = scsi_make_room(request, DIV_ROUND_UP(command->bytes, STORAGE_PAGE));
	if (error)
		return error;
	error = bounce_map(&engine->pool, &request->buffer, direction, command->data,
			   command->pieces, command->bytes, cpu);
	if (error) {
		request->buffer.count = 0;
		return error == -ENOSPC ? -EAGAIN : error;
	}
	bounce_gfns(&request->buffer, request->gfns);
	return 0;
}

static u32 scsi_srb_flags(const struct scsi_command *command)
{
	u32 flags = STORAGE_SRB_FLAG_DISABLE_SYNCH_TRANSFER;

	if (command->tagged)
		flags |= STORAGE_SRB_FLAG_QUEUE_ACTION_ENABLE | STORAGE_SRB_FLAG_NO_QUEUE_FREEZE;
	if (command->direction == STORAGE_DATA_DIRECTION_READ)
		flags |= STORAGE_SRB_FLAG_DATA_IN;
	if (command->direction == STORAGE_DATA_DIRECTION_WRITE)
		flags |= STORAGE_SRB_FLAG_DATA_OUT;
	return flags;
}

static void scsi_fill(const struct scsi_engine *engine, const struct scsi_command *command,
		      struct storage_execute_srb *srb)
{
	bool old = engine->limits.version < STORAGE_VERSION_5_1;

	*srb = (struct storage_execute_srb){
		.header.operation = STORAGE_OPERATION_EXECUTE_SRB,
		.header.flags = STORAGE_PACKET_FLAG_COMPLETION_REQUESTED,
		.length = old ? SRB_BYTES_OLD : SRB_BYTES,
		.path = command->path,
		.target = command->target,
		.lun = command->lun,
		.cdb_length = command->cdb_bytes,
		.sense_room = old ? SENSE_ROOM_OLD : SENSE_ROOM,
		.direction = command->direction,
		.transfer_length = command->bytes,
		.cdb = { command->cdb, command->cdb_bytes },
		.queue_tag = command->tagged ? QUEUE_TAG_NONE : 0,
		.queue_action = command->tagged ? QUEUE_SIMPLE : 0,
		.srb_flags = scsi_srb_flags(command),
		.timeout = command->timeout,
	};
}

/* Puts the request in flight: its answer may be here before this returns. */
static int scsi_send(struct scsi_request *request, const struct scsi_command *command)
{
	struct scsi_engine *engine = request->lane->engine;
	struct storage_message m = { .kind = STORAGE_MSG_EXECUTE_SRB };
	struct storage_context ctx = engine->context;
	struct outbound_packet packet = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true };
	u8 payload[SCSI_PAYLOAD_BYTES];
	const u32 room = sizeof(payload);
	int rule;

	ctx.kind = STORAGE_PACKET_KIND_OURS;
	scsi_fill(engine, command, &m.execute_srb);
	rule = storage_build_execute_srb(payload, room, &ctx, &m.execute_srb, &packet.bytes);
	if (rule || storage_srb_send(&request->session, &m))
		return -EINVAL;
	packet.payload = payload;
	if (command->bytes) {
		packet.kind = RING_MSG_GPA_DIRECT;
		packet.range_bytes = command->bytes;
		packet.gfns = request->gfns;
		packet.gfn_count = request->buffer.count;
	}
	return airlock_send_request(request->lane->channel, &packet, request->id);
}

/*
 * What the caller can make use of. An index of the host's that lies is a command that failed
 * (ST-008); a sub-channel that went meanwhile is no reason to, others are there.
 */
static int scsi_queue_error(const struct scsi_lane *lane, int error)
{
	if (error == -EAGAIN || error == -EINVAL)
		return error;
	if (error == -EMSGSIZE)
		return -EINVAL;
	return lane->index ? -EAGAIN : -ENODEV;
}

static int scsi_queue_on(struct scsi_engine *engine, struct scsi_command *command, u32 cpu, u32 nth)
{
	struct session_state building;
	struct scsi_request *request;
	struct scsi_lane *lane;
	unsigned long flags;
	int error;

	request = scsi_get_request(engine, command, cpu, nth, &error);
	if (!request)
		return error;
	lane = request->lane;
	building = request->session.at;
	error = scsi_map(request, command, cpu);
	if (!error)
		error = scsi_send(request, command);
	if (error) {
		error = scsi_queue_error(lane, error);
		if (request->buffer.count)
			bounce_unmap(&request->buffer, cpu);
		scsi_put_request(request, command, &building);
		return error;
	}
	spin_lock_irqsave(&engine->lock, flags);
	scsi_sender_leaves(lane);
	spin_unlock_irqrestore(&engine->lock, flags);
	return 0;
}

/**
 * scsi_queue() - sends a command to the target
 * @engine: that was started
 * @command: filled in; with 0, the engine's until done()
 * @cpu: submitting processor: which channel is tried first
 *
 * Context: any but hard interrupt. done() may have been called before this returns.
 * Return: 0: done() will be called, once. -EAGAIN: no room in ring, pool or table now, or a reset
 * is under way. -EINVAL: no such command can be sent. -ENODEV: the device is gone.
 */
int scsi_queue(struct scsi_engine *engine, struct scsi_command *command, u32 cpu)
{
	int error = scsi_command_check(engine, command);
	u32 nth;

	if (error)
		return error;
	for (nth = 0; nth < CHANNELS_TRIED; nth++) {
		error = scsi_queue_on(engine, command, cpu, nth);
		if (error != -EAGAIN)
			break;
	}
	return error;
}

/* The lock is held. True: the command was still out, and the request has lost it. */
static bool scsi_orphan(struct scsi_engine *engine, struct scsi_command *command)
{
	struct scsi_request *request = command->request;

	if (!request || !session_local(&storage_srb_table, &request->session.at,
				       STORAGE_EVENT_SRB_LOCAL_GIVE_UP))
		return false;
	request->command = NULL;
	command->request = NULL;
	engine->orphans++;
	request->lane->stuck++;
	return true;
}

/**
 * scsi_give_up() - the command's time is up
 * @engine: it was queued on
 * @command: for which scsi_queue() has returned 0 and done() has not returned
 *
 * done() is called with SCSI_ABORTED, unless an answer was faster: then it is being called already,
 * and the command is the engine's until it is. The pages of the pool stay the host's until it
 * answers or its channel is closed; a host that keeps too many has failed (ST-065).
 *
 * Context: any but hard interrupt.
 */
void scsi_give_up(struct scsi_engine *engine, struct scsi_command *command)
{
	bool given_up, tell = false;
	struct scsi_lane *lane = NULL;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (command->request)
		lane = command->request->lane;
	given_up = scsi_orphan(engine, command);
	if (given_up && lane->stuck > SCSI_STUCK_MAX)
		tell = scsi_mark_failed(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (given_up)
		scsi_end(engine, command, SCSI_ABORTED);
	if (tell)
		scsi_tell_failure(engine);
}
