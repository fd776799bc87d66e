// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands: from the SCSI layer to the engine, and what came of them back. Data are copied
 * through the engine's pool, so any scatterlist will do, as long as it has kernel addresses.
 */
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/smp.h>

#include "glue.h"

static_assert(IS_ENABLED(CONFIG_64BIT) && !IS_ENABLED(CONFIG_HIGHMEM), "sg_virt() of any page");
static_assert(SCSI_SENSE_BYTES <= SCSI_SENSE_BUFFERSIZE);

static void disk_free_pieces(struct disk_host *host, struct disk_command *d)
{
	if (d->list)
		mempool_free(d->list, host->lists);
	d->list = NULL;
}

/* Neighbours become one piece. Not more pieces than the scatterlist has; -EINVAL if it holds too little. */
static int disk_write_pieces(struct scsi_cmnd *cmd, struct kvec *pieces)
{
	u32 left = scsi_bufflen(cmd), count = 0, part;
	struct kvec *last = NULL;
	struct scatterlist *sg;
	int i;

	scsi_for_each_sg(cmd, sg, scsi_sg_count(cmd), i) {
		part = min(sg->length, left);
		left -= part;
		if (last && last->iov_base + last->iov_len == sg_virt(sg)) {
			last->iov_len += part;
			continue;
		}
		last = &pieces[count++];
		last->iov_base = sg_virt(sg);
		last->iov_len = part;
	}
	return left ? -EINVAL : (int)count;
}

static int disk_take_pieces(struct disk_host *host, struct scsi_cmnd *cmd, struct disk_command *d)
{
	struct kvec *pieces = d->pieces;
	int count;

	if (scsi_sg_count(cmd) > DISK_PIECES)
		return -EINVAL;
	if (scsi_sg_count(cmd) > DISK_PIECES_INLINE) {
		d->list = mempool_alloc(host->lists, GFP_ATOMIC | __GFP_NOWARN);
		if (!d->list)
			return -EAGAIN;
		pieces = d->list;
	}
	count = disk_write_pieces(cmd, pieces);
	if (count < 0)
		return count;
	d->command.data = pieces;
	d->command.pieces = count;
	return 0;
}

/* A command without data has none, whatever direction it names. */
static int disk_direction(const struct scsi_cmnd *cmd)
{
	if (!cmd->sdb.length)
		return STORAGE_DATA_DIRECTION_NONE;
	switch (cmd->sc_data_direction) {
	case DMA_TO_DEVICE:
		return STORAGE_DATA_DIRECTION_WRITE;
	case DMA_FROM_DEVICE:
		return STORAGE_DATA_DIRECTION_READ;
	default:
		return -EINVAL;
	}
}

static u8 disk_verdict_byte(const struct disk_host *host, enum scsi_verdict verdict)
{
	switch (verdict) {
	case SCSI_DONE:
	case SCSI_BUSY:
		return DID_OK;
	case SCSI_RETRY:		/* as often as the SCSI layer allows (ST-080) */
		return DID_SOFT_ERROR;
	case SCSI_ABORTED:
		return DID_ABORT;
	case SCSI_NO_DEVICE:
		return DID_NO_CONNECT;
	case SCSI_GONE:			/* a sub-channel is no device (ST-113) */
		return READ_ONCE(host->engine.failed) ? DID_NO_CONNECT : DID_REQUEUE;
	case SCSI_ERROR:
	default:
		return DID_ERROR;
	}
}

/* Busy is for the SCSI layer to bound, by time (ST-081), and to learn a smaller depth from. */
static u8 disk_status_byte(const struct scsi_command *command)
{
	if (command->verdict == SCSI_BUSY)
		return command->status == SAM_STAT_TASK_SET_FULL ? SAM_STAT_TASK_SET_FULL : SAM_STAT_BUSY;
	return command->verdict == SCSI_DONE ? command->status : SAM_STAT_GOOD;
}

static void disk_tell(const struct disk_host *host, struct scsi_cmnd *cmd, const struct scsi_command *command)
{
	u8 verdict = disk_verdict_byte(host, command->verdict);

	cmd->result = verdict << 16 | disk_status_byte(command);
	scsi_set_resid(cmd, command->bytes - command->transferred);
	memcpy(cmd->sense_buffer, command->sense, command->sense_bytes);
}

/*
 * A LUN in use is said not to be there: to be looked at. Absent ones, while the bus is scanned,
 * are no news (ST-079).
 */
static void disk_doubt(struct disk_host *host, const struct scsi_device *sdev)
{
	if (sdev->sdev_state == SDEV_RUNNING)
		scsi_look_again(&host->engine);
}

/*
 * After scsi_done() the command is not ours to touch. Whoever waits for @out to end, with the command
 * in his hands, waits for readers too: then this is through.
 */
static void disk_done(struct scsi_command *command)
{
	struct disk_command *d = container_of(command, struct disk_command, command);
	struct scsi_cmnd *cmd = command->glue;
	struct disk_host *host = shost_priv(cmd->device->host);

	rcu_read_lock();
	if (command->verdict == SCSI_DONE && command->status == SAM_STAT_GOOD)
		disk_vet(host, cmd->device, command);
	if (command->verdict == SCSI_NO_DEVICE)
		disk_doubt(host, cmd->device);
	disk_tell(host, cmd, command);
	disk_free_pieces(host, d);
	smp_store_release(&d->out, false);
	scsi_done(cmd);
	rcu_read_unlock();
}

static int disk_fill(struct disk_host *host, struct scsi_cmnd *cmd, struct disk_command *d)
{
	const struct scsi_device *sdev = cmd->device;
	int direction = disk_direction(cmd);

	d->list = NULL;
	if (direction < 0 || cmd->cmd_len > SCSI_CDB_BYTES)
		return -EINVAL;
	d->command = (struct scsi_command){
		.path = sdev->channel, .target = sdev->id, .lun = sdev->lun,
		.cdb_bytes = cmd->cmd_len,
		.direction = direction,
		.bytes = scsi_bufflen(cmd),
		.tagged = cmd->flags & SCMD_TAGGED,
		.timeout = scsi_cmd_to_rq(cmd)->timeout / HZ,
		.done = disk_done,
		.glue = cmd,
	};
	memcpy(d->command.cdb, cmd->cmnd, cmd->cmd_len);
	return disk_take_pieces(host, cmd, d);
}

/* The engine has not taken it. */
static int disk_refuse(struct scsi_cmnd *cmd, int error)
{
	if (error == -EAGAIN)
		return SCSI_MLQUEUE_HOST_BUSY;
	cmd->result = (error == -ENODEV ? DID_NO_CONNECT : DID_ERROR) << 16;
	scsi_done(cmd);
	return 0;
}

/* Softirq or process context. With 0, done, or to be done. */
int disk_queue(struct Scsi_Host *shost, struct scsi_cmnd *cmd)
{
	struct disk_host *host = shost_priv(shost);
	struct disk_command *d = scsi_cmd_priv(cmd);
	int error;

	error = disk_fill(host, cmd, d);
	if (!error) {
		d->out = true;
		error = scsi_queue(&host->engine, &d->command, raw_smp_processor_id());
	}
	if (!error)
		return 0;
	d->out = false;
	disk_free_pieces(host, d);
	return disk_refuse(cmd, error);
}
