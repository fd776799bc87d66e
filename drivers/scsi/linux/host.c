// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI host of a synthetic SCSI, IDE or Fibre Channel controller: how it comes and goes.
 */
#include <linux/module.h>
#include <scsi/scsi_devinfo.h>

#include "bus.h"
#include "glue.h"

#define DISK_QUEUE 256		/* commands of a hardware queue; a channel holds somewhat more */
#define DISK_LUNS 256		/* the protocol's field has 8 bits */
#define DISK_LISTS 4
#define DISK_LUNS_MAX 256	/* of a controller in all, whatever a host claims */
#define TIMEOUT_MOST 3600

static unsigned int timeout = 180;
module_param(timeout, uint, 0444);
MODULE_PARM_DESC(timeout, "seconds a command may take before the controller is reset");

/* What can be addressed, by kind: buses, targets on each, LUNs of each. */
static const struct {
	u32 paths, targets, luns;
} disk_room[] = {
	[STORAGE_DEVICE_KIND_SCSI] = { 8, 2, DISK_LUNS },
	[STORAGE_DEVICE_KIND_IDE] = { 1, 2, 1 },
	[STORAGE_DEVICE_KIND_FIBRE_CHANNEL] = { 8, 128, DISK_LUNS },
};

/*
 * REPORT LUNS and pages are asked for even if a disk claims an old version of the standard. Flags set here
 * also keep the host's vendor and product strings from choosing others (ST-103).
 */
static int disk_prepare(struct scsi_device *sdev)
{
	struct disk_host *host = shost_priv(sdev->host);

	sdev->hostdata = kzalloc(sizeof(struct disk_known), GFP_KERNEL);
	if (!sdev->hostdata)
		return -ENOMEM;
	if (atomic_inc_return(&host->luns) > DISK_LUNS_MAX)
		return -ENXIO;		/* disk_forget() counts it out again */
	sdev->sdev_bflags = BLIST_REPORTLUN2 | BLIST_TRY_VPD_PAGES;
	sdev->no_report_opcodes = true;
	blk_queue_rq_timeout(sdev->request_queue, clamp(timeout, 1U, (unsigned int)TIMEOUT_MOST) * HZ);
	return 0;
}

/* Also after disk_prepare() has refused it. */
static void disk_forget(struct scsi_device *sdev)
{
	struct disk_host *host = shost_priv(sdev->host);

	if (sdev->hostdata)
		atomic_dec(&host->luns);
	kfree(sdev->hostdata);
	sdev->hostdata = NULL;
}

static struct scsi_host_template disk_template = {
	.module = THIS_MODULE,
	.name = "airlock_scsi",
	.proc_name = "airlock_scsi",
	.cmd_size = sizeof(struct disk_command),
	.queuecommand = disk_queue,
	.eh_abort_handler = disk_abort,
	.eh_device_reset_handler = disk_reset_lun,
	.eh_bus_reset_handler = disk_reset_bus,
	.eh_host_reset_handler = disk_reset_adapter,
	.slave_alloc = disk_prepare,
	.slave_destroy = disk_forget,
	.change_queue_depth = scsi_change_queue_depth,
	.track_queue_depth = 1,
	.can_queue = DISK_QUEUE,
	.cmd_per_lun = DISK_QUEUE,
	.sg_tablesize = DISK_PIECES,
	.this_id = -1,
	.no_write_same = 1,
	.shost_groups = disk_groups,
};

/* Any context. Commands end by themselves, without a connection, until the bus takes the device away. */
static void disk_failed(struct scsi_engine *engine)
{
	const struct disk_host *host = engine->glue;

	shost_printk(KERN_NOTICE, host->shost, "the controller is gone, or was given up\n");
}

static const struct scsi_engine_ops disk_ops = {
	.rescan = disk_rescan,
	.failed = disk_failed,
};

/* A queue for each channel that was promised; until one is there, others carry its commands. */
static void disk_configure(struct disk_host *host, u32 subchannels)
{
	struct Scsi_Host *shost = host->shost;
	u32 kind = host->engine.context.device;

	shost->max_channel = disk_room[kind].paths - 1;
	shost->max_id = disk_room[kind].targets;
	shost->max_lun = disk_room[kind].luns;
	shost->max_cmd_len = SCSI_CDB_BYTES;
	shost->max_sectors = host->engine.limits.max_transfer >> SECTOR_SHIFT;
	shost->nr_hw_queues = min_t(u32, 1 + subchannels, num_online_cpus());
}

/* The controller is ready: the SCSI layer may see it. */
static int disk_add(struct disk_host *host, struct airlock_device *device)
{
	int promised, error;

	promised = scsi_grow(&host->engine, host->engine.limits.subchannels);
	if (promised == -ENODEV)
		return promised;
	disk_configure(host, max(promised, 0));
	error = scsi_add_host(host->shost, vmbus_linux_device(device));
	if (error)
		return error;
	smp_store_release(&host->added, true);
	disk_scan(host);
	return 0;
}

static struct disk_host *disk_create(void)
{
	struct Scsi_Host *shost = scsi_host_alloc(&disk_template, sizeof(struct disk_host));
	struct disk_host *host;

	if (!shost)
		return NULL;
	host = shost_priv(shost);
	host->shost = shost;
	host->lists = mempool_create_kmalloc_pool(DISK_LISTS, DISK_PIECES * sizeof(struct kvec));
	if (!host->lists) {
		scsi_host_put(shost);
		return NULL;
	}
	INIT_DELAYED_WORK(&host->hurry, disk_hurry);
	return host;
}

/* No command is out, and none can come. Who still holds the host reads its limits at most. */
static void disk_destroy(struct disk_host *host)
{
	mempool_destroy(host->lists);
	scsi_host_put(host->shost);
}

static int disk_probe(struct airlock_device *device)
{
	struct disk_host *host = disk_create();
	int error;

	if (!host)
		return -ENOMEM;
	device->driver_data = host;	/* before sub-channels are asked for */
	error = scsi_start(&host->engine, device, &disk_ops, host);
	if (error)
		goto out;
	error = disk_add(host, device);
	if (!error)
		return 0;
	scsi_stop(&host->engine);
out:
	device->driver_data = NULL;
	disk_destroy(host);
	return error;
}

/*
 * Above us first, while the engine is there: caches are flushed if the host listens, and every command ends
 * at once if it is gone. Then the engine, whose rescan may still run: the SCSI layer refuses it.
 */
static void disk_remove(struct airlock_device *device)
{
	struct disk_host *host = device->driver_data;

	host->patience = device->connection->policy.drain_deadline;
	schedule_delayed_work(&host->hurry, msecs_to_jiffies(host->patience));
	scsi_remove_host(host->shost);
	cancel_delayed_work_sync(&host->hurry);
	scsi_stop(&host->engine);
	device->driver_data = NULL;
	disk_destroy(host);
}

static void disk_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	struct disk_host *host = device->driver_data;

	if (host)
		scsi_subchannel(&host->engine, channel);
}

static void disk_subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	struct disk_host *host = device->driver_data;

	if (host)
		scsi_subchannel_gone(&host->engine, channel);
}

/* As in validate/spec/control.spec, guids device_class. */
static const struct hv_vmbus_device_id disk_ids[] = {
	{ .guid = GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f) },
	{ .guid = GUID_INIT(0x32412632, 0x86cb, 0x44a2, 0x9b, 0x5c, 0x50, 0xd1, 0x41, 0x73, 0x54, 0xf5) },
	{ .guid = GUID_INIT(0x2f9bcc4a, 0x0069, 0x4af3, 0xb7, 0x6b, 0x6f, 0xd0, 0xbe, 0x52, 0x8c, 0xda) },
	{ }
};
MODULE_DEVICE_TABLE(vmbus, disk_ids);

static struct vmbus_driver disk_driver = {
	.core = {
		.name = "airlock_scsi",
		.probe = disk_probe,
		.remove = disk_remove,
		.subchannel = disk_subchannel,
		.subchannel_gone = disk_subchannel_gone,
	},
	.ids = disk_ids,
};

static int __init disk_init(void)
{
	return vmbus_register(&disk_driver, THIS_MODULE, KBUILD_MODNAME);
}
module_init(disk_init);

static void __exit disk_exit(void)
{
	vmbus_unregister(&disk_driver);
}
module_exit(disk_exit);

MODULE_DESCRIPTION("Airlock: SCSI, IDE and Fibre Channel controllers of VMBus");
MODULE_LICENSE("GPL");
