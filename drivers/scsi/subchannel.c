// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels: asked for by number, offered by the host when it likes, used when they have
 * been opened, missed by nobody when they go (ST-033 to ST-037, ST-113).
 */
#include <linux/minmax.h>

#include "inside.h"

/* The lock is held. */
static bool scsi_subchannel_event(struct scsi_engine *engine, u32 index, u8 event)
{
	struct storage_subchannel_session *session = &engine->subchannel_sessions[index];

	return session_local(&storage_subchannel_table, &session->at, event);
}

/* A lane is closed, or never came to be: its index may be asked for again. */
void scsi_subchannel_closed(struct scsi_engine *engine, u32 index, u8 event)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	scsi_subchannel_event(engine, index, event);
	scsi_subchannel_event(engine, index, STORAGE_EVENT_SUBCHANNEL_LOCAL_RECLAIMED);
	spin_unlock_irqrestore(&engine->lock, flags);
}

static int scsi_expect(struct scsi_engine *engine, u32 count)
{
	unsigned long flags;
	int error = 0;
	u32 i;

	spin_lock_irqsave(&engine->lock, flags);
	if (!scsi_running(engine))
		error = -ENODEV;
	for (i = 1; i <= count && !error; i++)
		if (engine->subchannel_sessions[i].at.state != STORAGE_STATE_SUBCHANNEL_UNASKED)
			error = -EALREADY;
	for (i = 1; i <= count && !error; i++)
		scsi_subchannel_event(engine, i, STORAGE_EVENT_SUBCHANNEL_LOCAL_ASKED);
	spin_unlock_irqrestore(&engine->lock, flags);
	return error;
}

/* Whatever is offered later is refused: by the core, and by sessions that expect nothing. */
void scsi_expect_none(struct scsi_engine *engine)
{
	const u8 gone = STORAGE_EVENT_SUBCHANNEL_LOCAL_DEVICE_GONE;
	u32 i;

	airlock_subchannels_wanted(engine->device, 0);
	for (i = 1; i < SCSI_CHANNELS_MAX; i++)
		if (engine->subchannel_sessions[i].at.state == STORAGE_STATE_SUBCHANNEL_EXPECTED)
			scsi_subchannel_closed(engine, i, gone);
}

/* Offers may come before the answer does, so everybody is told first. */
static int scsi_ask_for(struct scsi_engine *engine, u32 count)
{
	struct storage_message question = {
		.kind = STORAGE_MSG_CREATE_SUBCHANNELS,
		.create_subchannels = {
			.header.operation = STORAGE_OPERATION_CREATE_SUBCHANNELS,
			.header.flags = STORAGE_PACKET_FLAG_COMPLETION_REQUESTED,
			.count = count,
		},
	}, answer;
	int error;

	airlock_subchannels_wanted(engine->device, count);
	error = scsi_step(engine, &question, engine->device->connection->policy.step_deadline,
			  STORAGE_EVENT_DEVICE_AFTER_STEP_DEADLINE, &answer);
	if (!error && answer.create_complete.header.status)
		error = -EIO;
	if (error)
		scsi_expect_none(engine);
	return error;
}

/**
 * scsi_grow() - asks the host for more channels
 * @engine: that was started
 * @wanted: channels; cut to what was agreed
 *
 * The controller works without them: a host that refuses, lies or does not answer within the
 * policy's step_deadline has promised none, and an offer that comes later is refused.
 *
 * Context: may sleep.
 * Return: how many the host has promised; -ENODEV if the device is gone, -EALREADY if it was asked
 * before.
 */
int scsi_grow(struct scsi_engine *engine, u32 wanted)
{
	u32 count = min_t(u32, wanted, engine->limits.subchannels);
	int error;

	if (!count)
		return 0;
	mutex_lock(&engine->control);
	error = scsi_expect(engine, count);
	if (!error && scsi_ask_for(engine, count))
		count = 0;
	mutex_unlock(&engine->control);
	return error ? error : (int)count;
}

static bool scsi_expected(struct scsi_engine *engine, u32 index)
{
	unsigned long flags;
	bool expected;

	spin_lock_irqsave(&engine->lock, flags);
	expected = scsi_running(engine) && index && index < SCSI_CHANNELS_MAX &&
		   scsi_subchannel_event(engine, index, STORAGE_EVENT_SUBCHANNEL_LOCAL_OFFERED);
	spin_unlock_irqrestore(&engine->lock, flags);
	return expected;
}

/* It may have gone while it was being opened. */
static void scsi_subchannel_opened(struct scsi_engine *engine, u32 index)
{
	struct scsi_lane *lane = engine->lanes[index];
	unsigned long flags;
	bool dead;

	spin_lock_irqsave(&engine->lock, flags);
	scsi_subchannel_event(engine, index, STORAGE_EVENT_SUBCHANNEL_LOCAL_OPENED);
	dead = lane->dead || !scsi_running(engine);
	if (!dead)
		scsi_lane_use(lane);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (dead)
		scsi_lane_close(lane);
}

/**
 * scsi_subchannel() - a sub-channel was offered
 * @engine: of the device it belongs to
 * @channel: not open; stays so if it was not asked for, was there before, or cannot be opened
 *
 * Context: may sleep.
 */
void scsi_subchannel(struct scsi_engine *engine, struct airlock_channel *channel)
{
	const u32 surplus = CORE_RULE_ID(CORE_RULE_OFFER_SURPLUS);
	u32 index = channel->index;

	mutex_lock(&engine->control);
	if (!scsi_expected(engine, index))
		airlock_violation(channel->connection, channel, surplus, OFFENCE_OFFER);
	else if (scsi_lane_open(engine, channel, index))
		scsi_subchannel_closed(engine, index, STORAGE_EVENT_SUBCHANNEL_LOCAL_FAILED);
	else
		scsi_subchannel_opened(engine, index);
	mutex_unlock(&engine->control);
}

/**
 * scsi_subchannel_gone() - a sub-channel was rescinded
 * @engine: of the device it belongs to
 * @channel: what was sent on it ends with SCSI_GONE before this returns
 *
 * Context: may sleep.
 */
void scsi_subchannel_gone(struct scsi_engine *engine, struct airlock_channel *channel)
{
	u32 i;

	mutex_lock(&engine->control);
	for (i = 1; i < SCSI_CHANNELS_MAX; i++)
		if (engine->lanes[i] && engine->lanes[i]->channel == channel)
			scsi_lane_close(engine->lanes[i]);
	mutex_unlock(&engine->control);
}
