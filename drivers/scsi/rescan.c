// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host says unasked, and what comes of it: at most a wish that someone looks at the
 * bus again, in process context, when the device is ready, and at most once a second
 * (ST-043 to ST-046, ST-080).
 */
#include <linux/jiffies.h>

#include "inside.h"

#define SCAN_INTERVAL HZ

/* The lock is held. */
static int scsi_hear(struct scsi_engine *engine, const struct storage_context *ctx,
		     const struct storage_message *m)
{
	int rule;

	if (m->kind != STORAGE_MSG_NEW_NAMES)
		return storage_rescan_receive(&engine->rescan, m);
	rule = storage_device_receive(&engine->session, ctx, m);
	if (!rule)
		engine->names = m->new_names.names;
	return rule;
}

/* Softirq. */
void scsi_news(struct scsi_lane *lane, const struct ring_in_band *p)
{
	struct scsi_engine *engine = lane->engine;
	struct storage_context ctx;
	struct storage_message m;
	unsigned long flags;
	int rule;

	spin_lock_irqsave(&engine->lock, flags);
	ctx = engine->context;
	ctx.kind = STORAGE_PACKET_KIND_NEWS;
	ctx.primary = !lane->index;
	ctx.transaction = p->header.transaction;
	rule = storage_receive(p->payload.data, p->payload.size, &ctx, &m);
	if (!rule)
		rule = scsi_hear(engine, &ctx, &m);
	if (!rule)
		scsi_rescan_soon(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (rule)
		scsi_violation(lane, rule);
}

static bool scsi_scan_wanted(const struct scsi_engine *engine)
{
	return scsi_running(engine) &&
	       (engine->look_again || engine->rescan.at.state == STORAGE_STATE_RESCAN_WANTED);
}

/* The lock is held. A work that is queued already stays where it is: one pending wish. */
void scsi_rescan_soon(struct scsi_engine *engine)
{
	unsigned long now = jiffies, due = engine->last_scan + SCAN_INTERVAL;

	if (scsi_scan_wanted(engine))
		schedule_delayed_work(&engine->rescan_work, time_before(now, due) ? due - now : 0);
}

void scsi_rescan_work(struct work_struct *work)
{
	struct delayed_work *delayed = to_delayed_work(work);
	struct scsi_engine *engine = container_of(delayed, struct scsi_engine, rescan_work);
	unsigned long flags;
	bool scan;

	spin_lock_irqsave(&engine->lock, flags);
	scan = scsi_scan_wanted(engine);
	if (scan) {
		session_local(&storage_rescan_table, &engine->rescan.at,
			      STORAGE_EVENT_RESCAN_LOCAL_SCAN);
		engine->look_again = false;
		engine->last_scan = jiffies;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (scan && engine->ops->rescan)
		engine->ops->rescan(engine);
}
