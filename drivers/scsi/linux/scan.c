// SPDX-License-Identifier: GPL-2.0-only
/*
 * LUNs come and go. The host's word that something changed is only a reason to look; that a LUN is
 * gone is believed when an INQUIRY of our own says so (ST-046, ST-079).
 */
#include <linux/delay.h>

#include "content.h"
#include "glue.h"

#define ASK_BYTES 36
#define ASK_SECONDS 10
#define ASK_TRIES 20		/* when there is no room */
#define ASK_PAUSE 100		/* ms between them */
#define NOT_CONNECTED 1		/* qualifier: it can be, but is not now: no reason to remove it */

struct question {
	struct scsi_command command;
	struct kvec piece;
	struct completion answered;
	u8 data[ASK_BYTES];
};

static void question_done(struct scsi_command *command)
{
	struct question *q = command->glue;

	complete(&q->answered);
}

/* @bytes: of data that are expected, in a CDB of six bytes that says so itself. */
static void question_make(struct question *q, const struct scsi_device *sdev, u8 opcode, u8 bytes)
{
	memset(q, 0, sizeof(*q));
	init_completion(&q->answered);
	q->piece.iov_base = q->data;
	q->piece.iov_len = bytes;
	q->command = (struct scsi_command){
		.path = sdev->channel, .target = sdev->id, .lun = sdev->lun,
		.cdb = { opcode, [4] = bytes },
		.cdb_bytes = 6,
		.direction = bytes ? STORAGE_DATA_DIRECTION_READ : STORAGE_DATA_DIRECTION_NONE,
		.bytes = bytes,
		.data = &q->piece,
		.pieces = !!bytes,
		.timeout = ASK_SECONDS,
		.done = question_done,
		.glue = q,
	};
}

/* Past the SCSI layer: no queue of a device that may be gone is waited for. */
static int question_ask(struct scsi_engine *engine, struct question *q)
{
	int error = -EAGAIN, i;

	for (i = 0; i < ASK_TRIES && error == -EAGAIN; i++) {
		if (i)
			msleep(ASK_PAUSE);
		error = scsi_queue(engine, &q->command, raw_smp_processor_id());
	}
	if (error)
		return error;
	if (!wait_for_completion_timeout(&q->answered, ASK_SECONDS * HZ)) {
		scsi_give_up(engine, &q->command);
		wait_for_completion(&q->answered);
	}
	return 0;
}

static bool question_says_gone(const struct question *q)
{
	const struct scsi_command *c = &q->command;
	struct content_inquiry inquiry;

	if (c->verdict == SCSI_NO_DEVICE)
		return true;
	if (c->verdict != SCSI_DONE || c->status != SAM_STAT_GOOD ||
	    content_inquiry(q->data, c->transferred, &inquiry))
		return false;
	return !inquiry.present && q->data[0] >> 5 != NOT_CONNECTED;
}

/* Without an answer nothing is known, and nothing removed. */
static bool disk_is_gone(struct disk_host *host, const struct scsi_device *sdev)
{
	struct question q;

	question_make(&q, sdev, INQUIRY, ASK_BYTES);
	return !question_ask(&host->engine, &q) && question_says_gone(&q);
}

/* The upper layers take a disk that does not answer for one without a capacity. */
static bool disk_answers(struct disk_host *host, const struct scsi_device *sdev)
{
	struct question q;

	question_make(&q, sdev, TEST_UNIT_READY, 0);
	if (question_ask(&host->engine, &q))
		return false;
	return q.command.verdict == SCSI_DONE || q.command.verdict == SCSI_RETRY;
}

static void disk_check(struct disk_host *host, struct scsi_device *sdev)
{
	if (disk_is_gone(host, sdev)) {
		sdev_printk(KERN_NOTICE, sdev, "gone\n");
		scsi_remove_device(sdev);
	} else if (disk_answers(host, sdev)) {
		scsi_rescan_device(sdev);	/* capacity, parameters */
	}
}

/* Finds what is new. An IDE disk is a device of its own, at an address it was offered with. */
void disk_scan(struct disk_host *host)
{
	if (host->engine.context.device == STORAGE_DEVICE_KIND_IDE)
		scsi_add_device(host->shost, 0, host->engine.target, 0);
	else
		scsi_scan_host(host->shost);
}

/* The engine's wish, at most once a second. Before the first scan there is nothing to look at again. */
void disk_rescan(struct scsi_engine *engine)
{
	struct disk_host *host = engine->glue;
	struct scsi_device *sdev;

	if (!smp_load_acquire(&host->added))
		return;
	shost_for_each_device(sdev, host->shost)
		disk_check(host, sdev);
	disk_scan(host);
}
