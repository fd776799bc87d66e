// SPDX-License-Identifier: GPL-2.0-only
/*
 * What disks say of themselves is looked at before the SCSI layer acts on it. What cannot be is an
 * error; of a list or of advice, only the part that can be used is passed on.
 */
#include "glue.h"
#include "wire.h"

#define PAGE_BLOCK_LIMITS 0xb0
#define PAGE_CHARACTERISTICS 0xb1
#define PAGE_ZONES 0xb6
/*
 * Drivers of other kinds of devices believe what they read, and are loaded by the kind that is claimed:
 * there are disks here, and nothing else.
 */
#define NOTHING_THERE 0x7f
#define INQUIRY_PAGE 0x01		/* bit of the CDB: a page, not the standard data */

/* A list as long as the host likes would be memory as much as it likes (ST-100, ST-101). */
static int vet_luns(u8 *data, struct scsi_command *c)
{
	u8 luns[CONTENT_LUNS_MAX];
	u32 count, i;

	if (c->transferred < 8)
		return -EMSGSIZE;
	count = content_luns(data, c->transferred, luns, ARRAY_SIZE(luns));
	memset(data, 0, c->transferred);
	wire_put_be32(data, count * 8);
	for (i = 0; i < count; i++)
		data[8 * i + 9] = luns[i];
	c->transferred = 8 * count + 8;
	return 0;
}

/* Whoever has written to a disk counts on its blocks: it may grow, and nothing else (ST-099). */
static int vet_change(const struct scsi_device *sdev, const struct content_capacity *now)
{
	struct disk_known *known = sdev->hostdata;

	if (!known || sdev->type != TYPE_DISK)
		return 0;
	if (known->capacity.block_bytes && !content_may_become(now, &known->capacity, true))
		return -EINVAL;
	known->capacity = *now;
	return 0;
}

static int vet_capacity10(const struct scsi_device *sdev, u8 *data, const struct scsi_command *c)
{
	struct content_capacity capacity;
	int error = content_capacity10(data, c->transferred, &capacity);

	if (error == -EOVERFLOW)	/* the long form is asked next */
		return 0;
	return error ? error : vet_change(sdev, &capacity);
}

static int vet_capacity16(const struct scsi_device *sdev, u8 *data, const struct scsi_command *c)
{
	struct content_capacity capacity;
	int error = content_capacity16(data, c->transferred, &capacity);

	if (error)
		return error;
	data[13] = (data[13] & 0xf0) | ilog2(capacity.physical_bytes / capacity.block_bytes);
	return vet_change(sdev, &capacity);
}

/* Limits that cannot be become limits that were not said (ST-104). */
static int vet_limits(const struct disk_host *host, const struct scsi_device *sdev, u8 *data,
		      const struct scsi_command *c)
{
	u32 block = clamp_t(u32, sdev->sector_size, CONTENT_BLOCK_MIN, CONTENT_BLOCK_MAX);
	struct content_limits l;
	int error;

	error = content_block_limits(data, c->transferred, block, host->engine.limits.max_transfer, &l);
	if (error)
		return error;
	wire_put_be16(data + 6, l.granularity);
	wire_put_be32(data + 8, l.most * block < PAGE_SIZE ? 0 : l.most);
	wire_put_be32(data + 12, l.optimal);
	if (c->transferred < 36)
		return 0;
	wire_put_be32(data + 28, l.unmap_granularity);
	wire_put_be32(data + 32, l.unmap_alignment ? l.unmap_alignment | BIT(31) : 0);
	if (c->transferred > 36)	/* WRITE SAME, atomic writes: not judged, so not said */
		memset(data + 36, 0, min(c->transferred, 64U) - 36);
	return 0;
}

static int vet_inquiry(const struct disk_host *host, const struct scsi_device *sdev, u8 *data,
		       const struct scsi_command *c)
{
	struct content_inquiry inquiry;
	struct content_page page;
	int error;

	if (!(c->cdb[1] & INQUIRY_PAGE)) {
		error = content_inquiry(data, c->transferred, &inquiry);
		if (!error && inquiry.type != TYPE_DISK && inquiry.type != TYPE_ROM)
			data[0] = NOTHING_THERE;
		return error;
	}
	if (c->cdb[2] == PAGE_ZONES)
		return -EINVAL;
	error = content_page(data, c->transferred, c->cdb[2], &page);
	if (error)
		return error;
	if (c->transferred < c->bytes)		/* else there may be more to ask for (ST-102) */
		wire_put_be16(data + 2, page.bytes);
	if (c->cdb[2] == PAGE_CHARACTERISTICS && c->transferred > 8)
		data[8] &= ~0x30;		/* no zones */
	return c->cdb[2] == PAGE_BLOCK_LIMITS && page.bytes ? vet_limits(host, sdev, data, c) : 0;
}

static int vet_by_opcode(const struct disk_host *host, const struct scsi_device *sdev, u8 *data,
			 struct scsi_command *c)
{
	switch (c->cdb[0]) {
	case INQUIRY:
		return vet_inquiry(host, sdev, data, c);
	case REPORT_LUNS:
		return vet_luns(data, c);
	case READ_CAPACITY:
		return vet_capacity10(sdev, data, c);
	case SERVICE_ACTION_IN_16:
		return (c->cdb[1] & 0x1f) == SAI_READ_CAPACITY_16 ? vet_capacity16(sdev, data, c) : 0;
	default:
		return 0;
	}
}

/*
 * Of a read that succeeded; the copy is private by now. Data in several pieces are a user's, sent past
 * the drivers above us: the kernel's own questions of this kind have one buffer.
 */
void disk_vet(struct disk_host *host, const struct scsi_device *sdev, struct scsi_command *command)
{
	u8 *data;

	if (command->direction != STORAGE_DATA_DIRECTION_READ || command->pieces != 1)
		return;
	data = command->data->iov_base;
	if (!vet_by_opcode(host, sdev, data, command))
		return;
	atomic_inc(&host->engine.refused);
	memset(data, 0, command->bytes);
	command->transferred = 0;
	command->verdict = SCSI_ERROR;
}
