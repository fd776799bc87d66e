// SPDX-License-Identifier: GPL-2.0-only
/*
 * A controller's life: started, failed, stopped, started again. Every wait has a deadline of
 * the policy; what the host has not answered by then ends without it, after the channels are
 * closed, and pages it may still write are not used for anything else.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "inside.h"

#define IDE_TARGETS 2

/* A broken rule is counted and the policy's business. No lock is held. */
void scsi_violation(struct scsi_lane *lane, int rule)
{
	struct airlock_channel *channel = lane->channel;

	atomic_inc(&lane->engine->violations);
	airlock_violation(channel->connection, channel, storage_rule_ids[rule], OFFENCE_DEVICE);
}

/* Worth knowing, but nothing to punish the host for. */
void scsi_count(struct scsi_lane *lane, u32 rule)
{
	violations_add(&lane->channel->violations, rule);
	violations_add(&lane->channel->connection->violations, rule);
}

/* New commands are welcome. */
bool scsi_running(const struct scsi_engine *engine)
{
	return engine->started && !engine->draining && !engine->failed;
}

/* One command or orphan less, with the lock held. */
void scsi_settle(struct scsi_engine *engine, u32 *count)
{
	(*count)--;
	if (!engine->outstanding && !engine->orphans)
		complete(&engine->drained);
}

/*
 * Whoever waits for a command need not wait for the glue to stop us. Salvage is queued while it
 * cannot be too late: scsi_stop() lets none be queued behind its back.
 */
bool scsi_mark_failed(struct scsi_engine *engine)
{
	bool running = engine->started && !engine->draining;

	if (engine->failed)
		return false;
	WRITE_ONCE(engine->failed, true);
	session_local(&storage_device_table, &engine->session.at, STORAGE_EVENT_DEVICE_LOCAL_FAIL);
	if (engine->step.result == -EINPROGRESS) {
		engine->step.result = -ENODEV;
		complete(&engine->step.done);
	}
	complete(&engine->drained);
	if (running) {
		engine->telling = true;
		schedule_work(&engine->salvage_work);
	}
	return running;
}

/* Once for each true of scsi_mark_failed(); scsi_stop() waits for it. No lock is held. */
void scsi_tell_failure(struct scsi_engine *engine)
{
	unsigned long flags;

	if (engine->ops->failed)
		engine->ops->failed(engine);
	spin_lock_irqsave(&engine->lock, flags);
	engine->telling = false;
	complete(&engine->drained);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * scsi_fail() - give a controller up: nothing more is expected of it, and what is out ends with SCSI_GONE
 * @engine: that was started
 *
 * Context: any but hard interrupt; failed() is called, once.
 */
void scsi_fail(struct scsi_engine *engine)
{
	unsigned long flags;
	bool tell;

	spin_lock_irqsave(&engine->lock, flags);
	tell = scsi_mark_failed(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (tell)
		scsi_tell_failure(engine);
}

/* 1: nothing is out. 0: something is, and its end will be heard. */
static int scsi_idle(struct scsi_engine *engine)
{
	unsigned long flags;
	int idle = 1;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->outstanding || engine->orphans) {
		idle = engine->failed ? -ENODEV : 0;
		reinit_completion(&engine->drained);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return idle;
}

/* Waits for all commands to be answered, those that were given up included. Control is held. */
int scsi_drain(struct scsi_engine *engine, u32 milliseconds)
{
	unsigned long now = jiffies, end = now + msecs_to_jiffies(milliseconds);
	int idle;

	for (;;) {
		idle = scsi_idle(engine);
		if (idle)
			return idle < 0 ? idle : 0;
		if (time_after_eq(now, end)) {
			scsi_count(engine->lanes[0], CORE_RULE_ID(CORE_RULE_WAIT_EXPIRED));
			return -ETIMEDOUT;
		}
		wait_for_completion_timeout(&engine->drained, end - now);
		now = jiffies;
	}
}

static void scsi_close_lanes(struct scsi_engine *engine, bool all)
{
	struct scsi_lane *lane;
	u32 i;

	for (i = SCSI_CHANNELS_MAX; i-- > 0;) {
		lane = engine->lanes[i];
		if (lane && (all || lane->dead))
			scsi_lane_close(lane);
	}
}

/*
 * A channel is dead, or all are of no use: what was sent on them ends now, not when the glue gets
 * round to it.
 */
static void scsi_salvage(struct work_struct *work)
{
	struct scsi_engine *engine = container_of(work, struct scsi_engine, salvage_work);

	mutex_lock(&engine->control);
	if (!engine->draining)
		scsi_close_lanes(engine, engine->failed);
	mutex_unlock(&engine->control);
}

/* What the last start may have left behind. Nothing of the engine runs. */
static void scsi_clean(struct scsi_engine *engine)
{
	u32 i;

	session_start(&storage_device_table, &engine->session.at);
	session_start(&storage_rescan_table, &engine->rescan.at);
	session_local(&storage_rescan_table, &engine->rescan.at,
		      STORAGE_EVENT_RESCAN_LOCAL_CHANNEL_OPENED);
	for (i = 0; i < SCSI_CHANNELS_MAX; i++)
		session_start(&storage_subchannel_table, &engine->subchannel_sessions[i].at);
	engine->started = false;
	engine->draining = false;
	engine->resetting = false;
	WRITE_ONCE(engine->failed, false);
	engine->look_again = false;
	engine->memory_out = false;
	engine->pinned = 0;
	engine->last_scan = jiffies - HZ;
	engine->context.max_transfer = STORAGE_PAGE;
	engine->context.max_subchannels = 1;
}

/* Private pages if the offer promises that they are reached (ST-095); the core has checked it. */
static int scsi_create_pool(struct scsi_engine *engine)
{
	struct airlock_connection *connection = engine->device->connection;
	bool private = engine->device->primary->flags & CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY;
	int error;

	error = pool_create(&engine->pool, connection->visibility, connection->policy.pool_slots,
			    connection->transport->cpus, private);
	engine->pool_created = !error;
	return error;
}

/* The channel may have gone while nobody looked. */
static int scsi_open_for_business(struct scsi_engine *engine)
{
	unsigned long flags;
	int error = 0;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->failed) {
		error = -ENODEV;
	} else {
		engine->started = true;
		scsi_lane_use(engine->lanes[0]);
		scsi_rescan_soon(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return error;
}

static void scsi_take_down(struct scsi_engine *engine)
{
	scsi_close_lanes(engine, true);
	if (engine->pool_created)
		pool_destroy(&engine->pool, !engine->memory_out);
	engine->pool_created = false;
}

/* Whoever is above us counts on the old limit: less will not do (ST-029, ST-111). */
static int scsi_keep_transfer(struct scsi_engine *engine, const struct scsi_limits *before)
{
	if (engine->limits.max_transfer < before->max_transfer)
		return -EPROTO;
	engine->limits.max_transfer = before->max_transfer;
	return 0;
}

/* All of the handshake, always (ST-110). @before: limits in use, the least that will do; or NULL. */
static int scsi_bring_up(struct scsi_engine *engine, const struct scsi_limits *before)
{
	u16 floor = engine->device->connection->policy.storage_floor;
	int error;

	if (!scsi_own_transfer(engine))
		return -EINVAL;
	scsi_clean(engine);
	error = scsi_lane_open(engine, engine->device->primary, 0);
	if (error)
		return error;
	error = scsi_handshake(engine, before ? before->version : floor);
	if (!error && before)
		error = scsi_keep_transfer(engine, before);
	if (!error)
		error = scsi_create_pool(engine);
	if (!error)
		error = scsi_open_for_business(engine);
	if (error)
		scsi_take_down(engine);
	return error;
}

/* What is to be known of a device before it is asked anything. */
static int scsi_identify(struct scsi_engine *engine)
{
	const struct airlock_device *device = engine->device;
	u16 target = wire_le16(device->instance + 4);

	engine->context.device = STORAGE_DEVICE_KIND_SCSI;
	if (!memcmp(device->class, control_device_class_fibre_channel, sizeof(device->class)))
		engine->context.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	if (memcmp(device->class, control_device_class_ide, sizeof(device->class)))
		return 0;
	engine->context.device = STORAGE_DEVICE_KIND_IDE;
	if (target >= IDE_TARGETS)	/* ST-042: it would be truncated to that of another disk */
		return -EINVAL;
	engine->target = target;
	return 0;
}

/**
 * scsi_start() - a controller of a device that was probed: opens its channel, agrees, ends READY
 * @engine: of which nothing need be set; its channels and pool are gone again if this fails
 * @device: its primary channel is not open
 * @ops: what the engine may call once this has returned 0, or shortly before
 * @glue: the caller's
 *
 * Context: may sleep, for each step at most the policy's deadlines.
 * Return: 0 or -errno: -ETIMEDOUT for a host that does not answer, -EOPNOTSUPP for one without a
 * version we take, -EIO for one that says no, -EPROTO for one that lies, -ENODEV for one that is
 * gone, -EINVAL for an address or a policy that cannot be.
 */
int scsi_start(struct scsi_engine *engine, struct airlock_device *device,
	       const struct scsi_engine_ops *ops, void *glue)
{
	int error;

	memset(engine, 0, sizeof(*engine));
	engine->device = device;
	engine->ops = ops;
	engine->glue = glue;
	spin_lock_init(&engine->lock);
	mutex_init(&engine->control);
	init_completion(&engine->step.done);
	init_completion(&engine->drained);
	INIT_DELAYED_WORK(&engine->rescan_work, scsi_rescan_work);
	INIT_WORK(&engine->salvage_work, scsi_salvage);
	error = scsi_identify(engine);
	if (error)
		return error;
	mutex_lock(&engine->control);
	error = scsi_bring_up(engine, NULL);
	mutex_unlock(&engine->control);
	return error;
}

/* Nothing new is taken from now on; whether the host can be waited for. */
static bool scsi_begin_stop(struct scsi_engine *engine)
{
	unsigned long flags;
	bool alive;

	spin_lock_irqsave(&engine->lock, flags);
	engine->draining = true;
	alive = !engine->failed;
	session_local(&storage_rescan_table, &engine->rescan.at, STORAGE_EVENT_RESCAN_LOCAL_DRAIN);
	session_local(&storage_device_table, &engine->session.at, STORAGE_EVENT_DEVICE_LOCAL_DRAIN);
	spin_unlock_irqrestore(&engine->lock, flags);
	return alive;
}

static void scsi_end_drain(struct scsi_engine *engine, u8 event)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	session_local(&storage_device_table, &engine->session.at, event);
	if (event != STORAGE_EVENT_DEVICE_LOCAL_DRAINED)
		WRITE_ONCE(engine->failed, true);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/*
 * All channels are closed: whoever has taken a command off its request before, to give it up or to
 * answer it, is through with done(), and with failed() too. Our own code and the glue's, not the host.
 */
static void scsi_quiesce(struct scsi_engine *engine)
{
	unsigned long flags;
	bool quiet;

	for (;;) {
		spin_lock_irqsave(&engine->lock, flags);
		quiet = !engine->outstanding && !engine->telling;
		reinit_completion(&engine->drained);
		spin_unlock_irqrestore(&engine->lock, flags);
		if (quiet)
			return;
		wait_for_completion_timeout(&engine->drained, HZ);
	}
}

/**
 * scsi_stop() - no more commands; those on their way end, or end with SCSI_GONE
 * @engine: that was started; nothing of it runs when this returns
 *
 * A host that is there has the policy's drain_deadline to answer. Then the channels are closed,
 * and what is still out ends: a host that is gone holds up nobody (ST-108). A rescan that runs is
 * waited for last, since it may wait for such commands (ST-044).
 *
 * Context: may sleep; not from rescan(), failed() or done().
 */
void scsi_stop(struct scsi_engine *engine)
{
	u32 deadline = engine->device->connection->policy.drain_deadline;
	u8 event = STORAGE_EVENT_DEVICE_LOCAL_DRAINED;

	if (!engine->started)
		return;
	mutex_lock(&engine->control);
	cancel_delayed_work(&engine->rescan_work);
	scsi_expect_none(engine);
	if (scsi_begin_stop(engine)) {
		if (scsi_drain(engine, deadline))
			event = STORAGE_EVENT_DEVICE_AFTER_DRAIN_DEADLINE;
		scsi_end_drain(engine, event);
	}
	scsi_take_down(engine);
	scsi_end_drain(engine, STORAGE_EVENT_DEVICE_LOCAL_CHANNEL_CLOSED);
	mutex_unlock(&engine->control);
	scsi_quiesce(engine);
	cancel_work_sync(&engine->salvage_work);
	cancel_delayed_work_sync(&engine->rescan_work);
	engine->started = false;
}

/**
 * scsi_restart() - a controller that was stopped is to be as it was: resume
 * @engine: that was stopped; its device may have been offered anew
 *
 * Context: may sleep, as scsi_start().
 * Return: as scsi_start(); -EPROTO or -EOPNOTSUPP also if the host offers less than what is in use.
 */
int scsi_restart(struct scsi_engine *engine)
{
	const struct scsi_limits before = engine->limits;
	int error;

	mutex_lock(&engine->control);
	error = scsi_bring_up(engine, &before);
	if (error)
		engine->limits = before;
	mutex_unlock(&engine->control);
	return error;
}
