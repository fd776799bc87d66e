/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What crosses files of the engine and is nobody else's business: lanes, requests, steps.
 */
#ifndef AIRLOCK_SCSI_INSIDE_H
#define AIRLOCK_SCSI_INSIDE_H

#include <linux/errno.h>
#include <linux/kernel.h>

#include "scsi.h"

#define SCSI_PAYLOAD_BYTES 64		/* of a packet, the same in both directions */
#define SCSI_PACKET_BYTES (16 + SCSI_PAYLOAD_BYTES)
#define SCSI_GPA_BYTES(pages) (32 + 8 * (pages) + SCSI_PAYLOAD_BYTES)
#define SCSI_RING_PAGES 32		/* control page included */
#define SCSI_REQUESTS 352		/* of one channel: what its ring holds of them */
#define SCSI_INLINE_PAGES 32		/* of a request that needs no memory to be found */
/* Orphans and pinned ones; a channel with more has failed. */
#define SCSI_STUCK_MAX (SCSI_REQUESTS / 2)

/*
 * One transaction id's worth of state. The engine's own: the command may be gone long before the
 * host lets go of the pages (ST-065, ST-066).
 */
struct scsi_request {
	struct scsi_lane *lane;
	struct list_head node;			/* of the free or of the pinned ones */
	struct scsi_command *command;		/* NULL: given up, or done */
	u64 id;
	struct storage_srb_session session;
	struct bounce_buffer buffer;
	u64 *gfns;
	void *room;				/* for a large one's frames and slots */
	u64 inline_gfns[SCSI_INLINE_PAGES];
	u32 inline_slots[SCSI_INLINE_PAGES];
};

/* A channel and the requests on it. Made before the channel is opened, freed after it is closed. */
struct scsi_lane {
	struct scsi_engine *engine;
	struct airlock_channel *channel;
	u32 index;
	struct scsi_request *requests;
	/* under the engine's lock */
	struct list_head free, pinned;
	u32 stuck;				/* orphans and pinned ones */
	u32 senders;				/* inside of scsi_queue() */
	bool dead, closing;
	struct completion quiet;		/* no sender is left, none will come */
};

/* engine.c */
/* With the lock held. True: the failure is to be told by scsi_tell_failure() once it is not. */
bool scsi_mark_failed(struct scsi_engine *engine);
void scsi_tell_failure(struct scsi_engine *engine);
bool scsi_running(const struct scsi_engine *engine);
void scsi_settle(struct scsi_engine *engine, u32 *count);
int __must_check scsi_drain(struct scsi_engine *engine, u32 milliseconds);
void scsi_violation(struct scsi_lane *lane, int rule);
void scsi_count(struct scsi_lane *lane, u32 rule);

/* lane.c: process context, control is held */
int __must_check scsi_lane_open(struct scsi_engine *engine, struct airlock_channel *channel,
				u32 index);
void scsi_lane_close(struct scsi_lane *lane);
void scsi_lane_use(struct scsi_lane *lane);
/* With the lock held. */
void scsi_lane_unuse(struct scsi_lane *lane);

/* step.c: control is held */
int __must_check scsi_step(struct scsi_engine *engine, const struct storage_message *question,
			   u32 milliseconds, u8 expired, struct storage_message *answer);
void scsi_step_answered(struct scsi_lane *lane, const struct ring_completion *c);

/* handshake.c */
int __must_check scsi_handshake(struct scsi_engine *engine, u16 floor);
u32 scsi_own_transfer(const struct scsi_engine *engine);

/* command.c */
void scsi_clear_data(const struct scsi_command *command);
void scsi_free_room(struct scsi_request *request);

/* completion.c */
void scsi_answered(struct scsi_request *request, const struct ring_completion *c);
void scsi_reclaim(struct scsi_request *request, bool given_back);
void scsi_end(struct scsi_engine *engine, struct scsi_command *command, enum scsi_verdict verdict);

/* verdict.c: 0, or the rule that the sense data break; *changed: the device wants another look */
int scsi_judge(const struct storage_srb_complete *answer, struct scsi_command *command,
	       bool *changed);

/* subchannel.c: control is held */
void scsi_subchannel_closed(struct scsi_engine *engine, u32 index, u8 event);
void scsi_expect_none(struct scsi_engine *engine);

/* rescan.c */
void scsi_news(struct scsi_lane *lane, const struct ring_in_band *p);
void scsi_rescan_soon(struct scsi_engine *engine);
void scsi_rescan_work(struct work_struct *work);

#endif
