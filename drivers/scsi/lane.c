// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lane: a channel and the requests on it. What comes in on it is sorted here; when it is
 * closed, every request that was on it ends, once.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "inside.h"

/* The lock is held. */
void scsi_lane_use(struct scsi_lane *lane)
{
	struct scsi_engine *engine = lane->engine;

	engine->usable[engine->usable_count++] = lane;
}

void scsi_lane_unuse(struct scsi_lane *lane)
{
	struct scsi_engine *engine = lane->engine;
	u32 i;

	for (i = 0; i < engine->usable_count; i++)
		if (engine->usable[i] == lane)
			engine->usable[i] = engine->usable[--engine->usable_count];
}

/*
 * The two kinds of owner an id has cannot be mistaken for each other: ids of steps belong to
 * the engine's one step (ST-061). Softirq, never twice at once for a channel.
 */
static void scsi_completion(struct scsi_lane *lane, const struct ring_completion *c)
{
	void *owner = airlock_take_completion(lane->channel, c);

	if (!owner)
		return;
	if (owner == &lane->engine->step)
		scsi_step_answered(lane, c);
	else
		scsi_answered(owner, c);
}

/* A failed engine does not listen: its channels are about to be closed. */
static void scsi_receive(struct airlock_channel *channel, const struct ring_message *m)
{
	struct scsi_lane *lane = channel->config.driver;

	if (READ_ONCE(lane->engine->failed))
		return;
	if (m->kind == RING_MSG_COMPLETION)
		scsi_completion(lane, &m->completion);
	else if (m->kind == RING_MSG_IN_BAND)
		scsi_news(lane, &m->in_band);
}

/* Rescinded, or put away. Without its first channel there is no controller. */
static void scsi_dead(struct airlock_channel *channel)
{
	struct scsi_lane *lane = channel->config.driver;
	struct scsi_engine *engine = lane->engine;
	bool salvage = false, tell = false;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	lane->dead = true;
	scsi_lane_unuse(lane);
	if (!lane->index)
		tell = scsi_mark_failed(engine);
	else
		salvage = scsi_running(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (tell)
		scsi_tell_failure(engine);
	if (salvage)
		schedule_work(&engine->salvage_work);
}

static void scsi_lane_configure(struct scsi_lane *lane, struct airlock_channel_config *config)
{
	*config = (struct airlock_channel_config){
		.pages_out = SCSI_RING_PAGES,
		.pages_in = SCSI_RING_PAGES,
		.packet_bytes = SCSI_PACKET_BYTES,
		.send_bytes = SCSI_GPA_BYTES(scsi_own_transfer(lane->engine) / STORAGE_PAGE),
		.requests = SCSI_REQUESTS + 1,	/* a step finds room whatever commands take */
		.driver = lane,
		.receive = scsi_receive,
		.dead = scsi_dead,
	};
}

static void scsi_lane_free(struct scsi_lane *lane)
{
	kvfree(lane->requests);
	kfree(lane);
}

static struct scsi_lane *scsi_lane_create(struct scsi_engine *engine,
					  struct airlock_channel *channel, u32 index)
{
	struct scsi_lane *lane = kzalloc(sizeof(*lane), GFP_KERNEL);
	u32 i;

	if (!lane)
		return NULL;
	lane->requests = kvcalloc(SCSI_REQUESTS, sizeof(*lane->requests), GFP_KERNEL);
	if (!lane->requests) {
		kfree(lane);
		return NULL;
	}
	lane->engine = engine;
	lane->channel = channel;
	lane->index = index;
	INIT_LIST_HEAD(&lane->free);
	INIT_LIST_HEAD(&lane->pinned);
	init_completion(&lane->quiet);
	for (i = 0; i < SCSI_REQUESTS; i++) {
		lane->requests[i].lane = lane;
		session_start(&storage_srb_table, &lane->requests[i].session.at);
		list_add_tail(&lane->requests[i].node, &lane->free);
	}
	return lane;
}

static void scsi_lane_set(struct scsi_engine *engine, u32 index, struct scsi_lane *lane)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->lanes[index] = lane;
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* Opens a channel. Commands do not go there before scsi_lane_use(). */
int scsi_lane_open(struct scsi_engine *engine, struct airlock_channel *channel, u32 index)
{
	struct airlock_channel_config config;
	struct scsi_lane *lane;
	int error;

	lane = scsi_lane_create(engine, channel, index);
	if (!lane)
		return -ENOMEM;
	scsi_lane_set(engine, index, lane);
	scsi_lane_configure(lane, &config);
	error = airlock_channel_open(channel, &config);
	if (error) {
		scsi_lane_set(engine, index, NULL);
		scsi_lane_free(lane);
	}
	return error;
}

/* Nobody begins to send any more, and whoever has begun is through: our own code, not the host. */
static void scsi_lane_quiesce(struct scsi_lane *lane)
{
	struct scsi_engine *engine = lane->engine;
	unsigned long flags;
	bool quiet;

	spin_lock_irqsave(&engine->lock, flags);
	scsi_lane_unuse(lane);
	lane->closing = true;
	quiet = !lane->senders;
	spin_unlock_irqrestore(&engine->lock, flags);
	while (!quiet)
		quiet = wait_for_completion_timeout(&lane->quiet, HZ);
}

/* The channel is closed: every request still out ends, and what answers proved nothing lets go. */
static void scsi_lane_reclaim(struct scsi_lane *lane, bool given_back)
{
	struct scsi_request *request, *next;
	void *owner;
	u64 id;

	while ((owner = request_reclaim(&lane->channel->requests, &id)) != NULL) {
		if (owner != &lane->engine->step)
			scsi_reclaim(owner, given_back);
	}
	list_for_each_entry_safe(request, next, &lane->pinned, node)
		scsi_reclaim(request, given_back);
}

/*
 * Closed first, then its requests end (ST-108, ST-113): no completion can come between. Without the
 * host's word that it is done with the ring, it may not be done with the pages of requests either.
 */
void scsi_lane_close(struct scsi_lane *lane)
{
	struct scsi_engine *engine = lane->engine;

	scsi_lane_quiesce(lane);
	airlock_channel_close(lane->channel);
	scsi_lane_reclaim(lane, lane->channel->given_back);
	airlock_channel_forget(lane->channel);
	scsi_lane_set(engine, lane->index, NULL);
	if (lane->index)
		scsi_subchannel_closed(engine, lane->index,
				       lane->dead ? STORAGE_EVENT_SUBCHANNEL_LOCAL_RESCINDED :
						    STORAGE_EVENT_SUBCHANNEL_LOCAL_DEVICE_GONE);
	scsi_lane_free(lane);
}
