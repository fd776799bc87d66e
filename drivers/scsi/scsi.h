/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol engine of synthetic SCSI (also IDE and Fibre Channel) controllers: handshake,
 * sub-channels, commands through the bounce pool, resets, the end. It knows nothing of
 * Linux's SCSI layer; the glue fills in commands and hears when they are done.
 */
#ifndef AIRLOCK_SCSI_H
#define AIRLOCK_SCSI_H

#include "airlock.h"
#include "pool.h"
#include "storage.h"

#define SCSI_SENSE_BYTES 20
#define SCSI_CDB_BYTES 16
#define SCSI_CHANNELS_MAX 64

/* How a command ended, for the glue to turn into its own codes. */
enum scsi_verdict {
	SCSI_DONE,		/* status, and sense with CHECK CONDITION, are the target's */
	SCSI_BUSY,		/* try again, a bounded number of times */
	SCSI_NO_DEVICE,		/* there may be no such LUN: to be confirmed, then believed */
	SCSI_ABORTED,
	SCSI_RETRY,		/* capacity or parameters changed: again, after another look */
	SCSI_ERROR,		/* the host says that it failed, or contradicts itself */
	SCSI_GONE,		/* the channel is gone */
};

struct scsi_engine;
struct scsi_lane;
struct scsi_request;

/* The caller's from the start to the end of done(); the engine keeps nothing of it afterwards. */
struct scsi_command {
	/* in */
	u8 path, target, lun;
	u8 cdb[SCSI_CDB_BYTES];
	u8 cdb_bytes;
	u8 direction;		/* enum storage_data_direction */
	u32 bytes;		/* of data */
	const struct kvec *data;
	u32 pieces;
	bool tagged;
	u32 timeout;		/* seconds, told to the target */
	void (*done)(struct scsi_command *command);	/* softirq or process context, once */
	void *glue;
	/* out */
	enum scsi_verdict verdict;
	u8 status;		/* SCSI status byte */
	u32 transferred;	/* bytes that are the device's; the rest of a read is zero */
	u8 sense[SCSI_SENSE_BYTES];
	u8 sense_bytes;
	/* the engine's */
	struct scsi_request *request;
};

struct scsi_engine_ops {
	void (*rescan)(struct scsi_engine *engine);	/* process context, at most once a second */
	void (*failed)(struct scsi_engine *engine);	/* it is of no more use; any context */
};

/* Limits as agreed with the host and cut to ours. */
struct scsi_limits {
	u16 version;
	u32 max_transfer;	/* bytes, whole pages */
	u16 subchannels;	/* that may be asked for */
};

/* A message of the handshake or the like, and its answer: one at a time, each under its own id. */
struct scsi_step {
	u64 id;			/* 0: none */
	u32 operation;
	int result;		/* -EINPROGRESS until it is known */
	struct storage_message answer;
	struct completion done;
};

/*
 * Locks: control (may sleep) outside of lock (softirq-safe), that outside of those of rings and
 * request tables. Functions of the core that take others, and done(), are called without lock.
 */
struct scsi_engine {
	struct airlock_device *device;
	const struct scsi_engine_ops *ops;
	void *glue;
	u8 target;				/* of an IDE disk */
	struct storage_context context;		/* what is the same for all packets */
	struct scsi_limits limits;
	struct storage_world_wide_names names;	/* of a Fibre Channel adapter */
	struct mutex control;	/* opens and closes channels, steps, resets: one at a time */

	spinlock_t lock;	/* all that follows */
	struct storage_device_session session;
	struct storage_rescan_session rescan;
	struct storage_subchannel_session subchannel_sessions[SCSI_CHANNELS_MAX];
	struct scsi_lane *lanes[SCSI_CHANNELS_MAX];	/* by sub-channel index; 0: the primary */
	struct scsi_lane *usable[SCSI_CHANNELS_MAX];	/* take commands */
	u32 usable_count;
	struct bounce_pool pool;
	bool pool_created;
	bool memory_out;	/* pages of the pool stay the host's although channels are closed */
	struct scsi_step step;
	u32 outstanding;	/* commands not done */
	u32 orphans;		/* given up, not answered */
	u32 pinned;		/* answered in a way that proves nothing (ST-066) */
	struct completion drained;
	struct delayed_work rescan_work;
	struct work_struct salvage_work;
	unsigned long last_scan;	/* jiffies */
	bool look_again;	/* a target has said that it changed */
	bool started, draining, resetting, failed;
	bool telling;		/* failed() has yet to be called, or runs */
	atomic_t violations;	/* of the device protocol */
	atomic_t refused;	/* sense data */
	atomic_t clamped;	/* limits */
};

int __must_check scsi_start(struct scsi_engine *engine, struct airlock_device *device,
			    const struct scsi_engine_ops *ops, void *glue);
int __must_check scsi_grow(struct scsi_engine *engine, u32 wanted);
void scsi_subchannel(struct scsi_engine *engine, struct airlock_channel *channel);
void scsi_subchannel_gone(struct scsi_engine *engine, struct airlock_channel *channel);
int __must_check scsi_queue(struct scsi_engine *engine, struct scsi_command *command, u32 cpu);
void scsi_give_up(struct scsi_engine *engine, struct scsi_command *command);
int __must_check scsi_reset(struct scsi_engine *engine, u32 operation, u8 path, u8 target, u8 lun);
void scsi_look_again(struct scsi_engine *engine);
void scsi_fail(struct scsi_engine *engine);
void scsi_stop(struct scsi_engine *engine);
int __must_check scsi_restart(struct scsi_engine *engine);

#endif
