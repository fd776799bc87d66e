// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error handling. The protocol cannot abort: a write that was given up may still be carried out,
 * after others that were sent later. So nothing counts as recovered before a reset has brought
 * everything back; a controller that cannot be reset is given up (ST-064, ST-065).
 */
#include <linux/delay.h>
#include <linux/rcupdate.h>

#include "glue.h"

static struct disk_host *disk_of(const struct scsi_cmnd *cmd)
{
	return shost_priv(cmd->device->host);
}

/*
 * A command's time is up. When this returns, the engine knows nothing of it any more. It may have been
 * answered just now; if not, only a reset says what became of it.
 */
int disk_abort(struct scsi_cmnd *cmd)
{
	struct disk_command *d = scsi_cmd_priv(cmd);

	scsi_give_up(&disk_of(cmd)->engine, &d->command);
	while (smp_load_acquire(&d->out))	/* done() is running: our own code, not the host's */
		msleep(1);
	synchronize_rcu();			/* ... and is through with the command */
	return d->command.verdict == SCSI_ABORTED ? FAILED : SUCCESS;
}

static bool disk_give_up(struct scsi_cmnd *cmd, void *context)
{
	struct disk_host *host = context;
	struct disk_command *d = scsi_cmd_priv(cmd);

	scsi_give_up(&host->engine, &d->command);
	return true;
}

/* The SCSI layer is about to take its commands back: the engine has none of them afterwards. */
static void disk_give_all_up(struct disk_host *host)
{
	while (READ_ONCE(host->engine.outstanding)) {
		scsi_host_busy_iter(host->shost, disk_give_up, host);
		msleep(1);
	}
}

/* The host refuses one kind of reset: there are others. Else the device is of no more use. */
static int disk_reset(struct scsi_cmnd *cmd, u32 operation, bool last)
{
	const struct scsi_device *sdev = cmd->device;
	struct disk_host *host = disk_of(cmd);
	int error;

	error = scsi_reset(&host->engine, operation, sdev->channel, sdev->id, sdev->lun);
	if (!error)
		return SUCCESS;
	shost_printk(KERN_NOTICE, host->shost, "reset %u failed: %d\n", operation, error);
	if (error == -EIO && !last)
		return FAILED;
	scsi_fail(&host->engine);	/* else what it still has might be carried out later */
	disk_give_all_up(host);
	return FAST_IO_FAIL;
}

int disk_reset_lun(struct scsi_cmnd *cmd)
{
	return disk_reset(cmd, STORAGE_OPERATION_RESET_LUN, false);
}

int disk_reset_bus(struct scsi_cmnd *cmd)
{
	return disk_reset(cmd, STORAGE_OPERATION_RESET_BUS, false);
}

int disk_reset_adapter(struct scsi_cmnd *cmd)
{
	return disk_reset(cmd, STORAGE_OPERATION_RESET_ADAPTER, true);
}

/*
 * The host is being removed and waits for commands, longer than we are ready to: with a reset they come
 * back, or the engine fails and they end without the host. One that answers resets but keeps removal waiting all
 * the same gets no second one.
 */
void disk_hurry(struct work_struct *work)
{
	struct disk_host *host = container_of(to_delayed_work(work), struct disk_host, hurry);
	int error;

	if (host->hurried) {
		shost_printk(KERN_NOTICE, host->shost, "removal still waited for commands: given up\n");
		scsi_fail(&host->engine);
		return;
	}
	host->hurried = true;
	error = scsi_reset(&host->engine, STORAGE_OPERATION_RESET_ADAPTER, 0, 0, 0);
	shost_printk(KERN_NOTICE, host->shost, "removal waited for commands: reset: %d\n", error);
	schedule_delayed_work(&host->hurry, msecs_to_jiffies(host->patience));
}
