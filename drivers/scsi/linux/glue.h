/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between Linux's SCSI layer and the engine: a host adapter, and what each command carries of ours.
 */
#ifndef AIRLOCK_SCSI_GLUE_H
#define AIRLOCK_SCSI_GLUE_H

#include <linux/mempool.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include "content.h"
#include "scsi.h"

#define DISK_PIECES_INLINE 16	/* of data; commands with more take a list of the pool */
#define DISK_PIECES 256		/* at most; a list is a page then */

/* Freed with the last reference to @shost, whose private data this is. */
struct disk_host {
	struct scsi_engine engine;
	struct Scsi_Host *shost;
	mempool_t *lists;		/* of pieces: some are always there, to write memory out with */
	bool added;			/* the SCSI layer may be asked to look */
	struct delayed_work hurry;	/* removal takes too long */
	u32 patience;			/* ms, of a removal with commands out */
	bool hurried;			/* it was reset for that once */
	atomic_t luns;			/* that were found */
};

/* What we hold a disk to once it was believed. */
struct disk_known {
	struct content_capacity capacity;	/* block_bytes 0: not known */
};

/* Behind each struct scsi_cmnd, cleared with it. */
struct disk_command {
	struct scsi_command command;
	bool out;			/* the engine's, from before scsi_queue() until done() */
	struct kvec *list;		/* of the pool, or NULL */
	struct kvec pieces[DISK_PIECES_INLINE];
};

/* queue.c */
int disk_queue(struct Scsi_Host *shost, struct scsi_cmnd *cmd);

/* vet.c */
void disk_vet(struct disk_host *host, const struct scsi_device *sdev, struct scsi_command *command);

/* recover.c: the SCSI layer's error handling */
int disk_abort(struct scsi_cmnd *cmd);
int disk_reset_lun(struct scsi_cmnd *cmd);
int disk_reset_bus(struct scsi_cmnd *cmd);
int disk_reset_adapter(struct scsi_cmnd *cmd);
void disk_hurry(struct work_struct *work);

/* scan.c: process context */
void disk_scan(struct disk_host *host);
void disk_rescan(struct scsi_engine *engine);

/* attributes.c */
extern const struct attribute_group *disk_groups[];

#endif
