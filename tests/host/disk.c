// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCSI disks as a host presents them: identity, capacity, blocks, the few pages and
 * parameters that a guest asks for, and sense data when it cannot be done. All numbers inside of
 * commands are big-endian, as everywhere in SCSI.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

enum {
	NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5, DATA_PROTECT = 7,
	UNKNOWN_COMMAND = 0x20, LBA_OUT_OF_RANGE = 0x21, INVALID_FIELD = 0x24,
	INVALID_PARAMETER = 0x26, WRITE_PROTECTED = 0x27,
};

#define MAX_UNMAP_BLOCKS 0x10000
#define CHUNK 4096

static uint64_t be(const uint8_t *p, unsigned int width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | *p++;
	return value;
}

static void put_be(uint8_t *p, uint64_t value, unsigned int width)
{
	while (width--) {
		p[width] = (uint8_t)value;
		value >>= 8;
	}
}

/* ---- how a command ends ---- */

static void fill_sense(uint8_t *sense, uint8_t key, uint8_t asc, uint8_t ascq)
{
	memset(sense, 0, SENSE_BYTES);
	sense[0] = 0x70;
	sense[2] = key;
	sense[7] = SENSE_BYTES - 8;
	sense[12] = asc;
	sense[13] = ascq;
}

static void fail(struct disk_command *c, uint8_t srb, uint8_t key, uint8_t asc, uint8_t ascq)
{
	c->moved = 0;
	c->scsi_status = SCSI_CHECK_CONDITION;
	c->srb_status = srb | SRB_AUTOSENSE;
	fill_sense(c->sense, key, asc, ascq);
}

static void invalid(struct disk_command *c, uint8_t asc)
{
	fail(c, SRB_INVALID_REQUEST, ILLEGAL_REQUEST, asc, 0);
}

static void overrun(struct disk_command *c)
{
	fail(c, SRB_DATA_OVERRUN, ILLEGAL_REQUEST, INVALID_FIELD, 0);
}

static void no_such_lun(struct disk_command *c)
{
	c->moved = 0;
	c->scsi_status = SCSI_CHECK_CONDITION;
	c->srb_status = SRB_INVALID_LUN;
}

/* As many of @bytes as the guest allows (its allocation length), and has room for. */
static void reply(struct disk_command *c, const uint8_t *from, uint32_t bytes, uint64_t allocation)
{
	if (bytes > allocation)
		bytes = (uint32_t)allocation;
	if (bytes && !c->in) {
		invalid(c, INVALID_FIELD);
		return;
	}
	if (bytes > c->room)
		bytes = c->room;
	if (bytes)
		memcpy(c->data, from, bytes);
	c->moved = bytes;
}

/* ---- blocks ---- */

static bool load(struct target_lun *l, uint64_t at, uint8_t *to, uint64_t bytes)
{
	ssize_t n;

	if (l->memory) {
		memcpy(to, l->memory + at, bytes);
		return true;
	}
	while (bytes) {
		n = pread(l->file, to, bytes, (off_t)at);
		if (n <= 0)
			return false;
		to += n;
		at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return true;
}

static bool save(struct target_lun *l, uint64_t at, const uint8_t *from, uint64_t bytes)
{
	ssize_t n;

	if (l->memory) {
		memcpy(l->memory + at, from, bytes);
		return true;
	}
	while (bytes) {
		n = pwrite(l->file, from, bytes, (off_t)at);
		if (n <= 0)
			return false;
		from += n;
		at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return true;
}

static bool zero(struct target_lun *l, uint64_t at, uint64_t bytes)
{
	static const uint8_t zeros[CHUNK];
	uint64_t n;

	if (!l->memory && bytes && !fallocate(l->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes))
		return true;
	for (; bytes; bytes -= n, at += n) {
		n = bytes < CHUNK ? bytes : CHUNK;
		if (!save(l, at, zeros, n))
			return false;
	}
	return true;
}

static bool in_range(struct target_lun *l, struct disk_command *c, uint64_t lba, uint64_t blocks)
{
	if (lba <= l->blocks && blocks <= l->blocks - lba)
		return true;
	invalid(c, LBA_OUT_OF_RANGE);
	return false;
}

static bool may_write(struct target_lun *l, struct disk_command *c)
{
	if (!l->read_only)
		return true;
	fail(c, SRB_ERROR, DATA_PROTECT, WRITE_PROTECTED, 0);
	return false;
}

static void medium_error(struct disk_command *c)
{
	fail(c, SRB_ERROR, MEDIUM_ERROR, 0x11, 0);
}

/* Where a command of 6, 10, 12 or 16 bytes keeps its address and its number of blocks. */
static void extent(const uint8_t *cdb, uint64_t *lba, uint64_t *blocks)
{
	switch (cdb[0] >> 5) {
	case 0:
		*lba = be(cdb + 1, 3) & 0x1fffff;
		*blocks = cdb[4] ? cdb[4] : 256;
		break;
	case 4:
		*lba = be(cdb + 2, 8);
		*blocks = be(cdb + 10, 4);
		break;
	case 5:
		*lba = be(cdb + 2, 4);
		*blocks = be(cdb + 6, 4);
		break;
	default:
		*lba = be(cdb + 2, 4);
		*blocks = be(cdb + 7, 2);
		break;
	}
}

static void read_blocks(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint64_t lba, blocks;

	extent(c->cdb, &lba, &blocks);
	if (!in_range(l, c, lba, blocks))
		return;
	if (blocks * l->block_bytes > (c->in ? c->room : 0)) {
		overrun(c);
		return;
	}
	t->reads++;
	c->moved = (uint32_t)(blocks * l->block_bytes);
	if (!load(l, lba * l->block_bytes, c->data, c->moved))
		medium_error(c);
}

static void write_blocks(struct target *t, struct target_lun *l, struct disk_command *c)
{
	bool at_once = c->cdb[0] != 0x0a && c->cdb[1] & 8;	/* FUA */
	uint64_t lba, blocks;

	extent(c->cdb, &lba, &blocks);
	if (!may_write(l, c) || !in_range(l, c, lba, blocks))
		return;
	if (blocks * l->block_bytes > (c->in ? 0 : c->room)) {
		overrun(c);
		return;
	}
	t->writes++;
	c->moved = (uint32_t)(blocks * l->block_bytes);
	if (!save(l, lba * l->block_bytes, c->data, c->moved) || (at_once && !l->memory && fdatasync(l->file)))
		medium_error(c);
}

/* A block goes to many places; with the right bit it is not even sent, and zero. */
static void write_same(struct target *t, struct target_lun *l, struct disk_command *c)
{
	bool no_block = c->cdb[0] == 0x93 && c->cdb[1] & 1;
	uint64_t lba, blocks, i;

	extent(c->cdb, &lba, &blocks);
	if (!blocks && lba < l->blocks)
		blocks = l->blocks - lba;
	if (!may_write(l, c) || !in_range(l, c, lba, blocks))
		return;
	if (!no_block && (c->in || c->room < l->block_bytes)) {
		overrun(c);
		return;
	}
	t->writes++;
	if (no_block) {
		if (!zero(l, lba * l->block_bytes, blocks * l->block_bytes))
			medium_error(c);
		return;
	}
	c->moved = l->block_bytes;
	for (i = 0; i < blocks; i++) {
		if (save(l, (lba + i) * l->block_bytes, c->data, l->block_bytes))
			continue;
		medium_error(c);
		return;
	}
}

static void unmap(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint64_t bytes = be(c->cdb + 7, 2), lba, blocks, at, end;

	if (c->cdb[1] & 1) {		/* anchored */
		invalid(c, INVALID_FIELD);
		return;
	}
	if (!bytes || !may_write(l, c))
		return;
	if (c->in || bytes > c->room || bytes < 8 || be(c->data + 2, 2) > bytes - 8) {
		invalid(c, INVALID_PARAMETER);
		return;
	}
	end = 8 + be(c->data + 2, 2) / 16 * 16;
	for (at = 8; at < end; at += 16) {
		lba = be(c->data + at, 8);
		blocks = be(c->data + at + 8, 4);
		if (!in_range(l, c, lba, blocks))
			return;
		if (!zero(l, lba * l->block_bytes, blocks * l->block_bytes)) {
			medium_error(c);
			return;
		}
	}
	t->writes++;
	c->moved = (uint32_t)bytes;
}

static void synchronize(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint64_t lba, blocks;

	(void)t;
	extent(c->cdb, &lba, &blocks);
	if (in_range(l, c, lba, blocks) && !l->memory && fdatasync(l->file))
		medium_error(c);
}

static void verify(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint64_t lba, blocks;

	(void)t;
	extent(c->cdb, &lba, &blocks);
	if (c->cdb[1] & 6)		/* compare with data sent along */
		invalid(c, INVALID_FIELD);
	else
		in_range(l, c, lba, blocks);
}

/* ---- identity and parameters ---- */

static void standard_inquiry(struct target_lun *l, struct disk_command *c)
{
	uint8_t r[36] = { 0 };

	r[1] = l->removable ? 0x80 : 0;
	r[2] = 5;			/* SPC-3 */
	r[3] = 2;
	r[4] = sizeof(r) - 5;
	r[7] = 2;			/* commands are queued */
	memcpy(r + 8, "Msft    Virtual Disk    1.0 ", 28);
	reply(c, r, sizeof(r), be(c->cdb + 3, 2));
}

static uint32_t device_identification(struct target_lun *l, uint8_t *page)
{
	page[0] = 2;			/* a T10 vendor's, ASCII */
	page[1] = 1;
	page[3] = 24;
	memcpy(page + 4, "Msft    ", 8);
	memcpy(page + 12, l->serial, 16);
	page[28] = 1;			/* NAA 6, binary */
	page[29] = 3;
	page[31] = 16;
	memcpy(page + 32, l->serial, 16);
	page[32] = 0x60 | (page[32] & 0x0f);
	return 48;
}

static uint32_t block_limits(struct target *t, struct target_lun *l, uint8_t *page)
{
	put_be(page + 4, t->max_transfer / l->block_bytes, 4);	/* most in one command */
	put_be(page + 16, MAX_UNMAP_BLOCKS, 4);
	put_be(page + 20, 256, 4);		/* ranges */
	put_be(page + 24, 4096 / l->block_bytes, 4);
	put_be(page + 32, l->blocks, 8);	/* WRITE SAME */
	return 60;
}

/* The page behind its 4 bytes of header; 0: there is none. */
static uint32_t vital_page(struct target *t, struct target_lun *l, uint8_t code, uint8_t *page)
{
	static const uint8_t known[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };

	switch (code) {
	case 0x00:
		memcpy(page, known, sizeof(known));
		return sizeof(known);
	case 0x80:
		memcpy(page, l->serial, sizeof(l->serial));
		return sizeof(l->serial);
	case 0x83:
		return device_identification(l, page);
	case 0xb0:
		return block_limits(t, l, page);
	case 0xb1:
		put_be(page, 1, 2);	/* does not turn */
		return 60;
	case 0xb2:
		page[1] = 0xe0;		/* UNMAP, WRITE SAME (10) and (16) unmap */
		page[2] = 2;		/* thin */
		return 4;
	}
	return 0;
}

static void inquiry(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint8_t r[4 + 64] = { 0 };
	uint32_t bytes;

	if (!(c->cdb[1] & 1)) {
		if (c->cdb[2])
			invalid(c, INVALID_FIELD);
		else
			standard_inquiry(l, c);
		return;
	}
	bytes = vital_page(t, l, c->cdb[2], r + 4);
	if (!bytes) {
		invalid(c, INVALID_FIELD);
		return;
	}
	r[1] = c->cdb[2];
	put_be(r + 2, bytes, 2);
	reply(c, r, 4 + bytes, be(c->cdb + 3, 2));
}

/* Who asks for a disk that is not there learns just that; LUN 0 stands for the whole target. */
static void absent_inquiry(struct disk_command *c)
{
	uint64_t allocation = be(c->cdb + 3, 2);
	uint8_t r[36] = { 0x7f, 0, 5, 2, 31 };

	if (c->cdb[1] & 1 || c->cdb[2] || allocation < 5 || !c->in || c->room < allocation) {
		no_such_lun(c);
		return;
	}
	if (!c->lun)
		memcpy(r + 8, "Msft    Virtual Disk    1.0 ", 28);
	reply(c, r, sizeof(r), allocation);
}

static void report_luns(struct target *t, struct disk_command *c)
{
	uint8_t r[8 + 8 * TARGET_LUNS] = { 0 };
	uint32_t bytes = 8, i;

	for (i = 0; i < TARGET_LUNS; i++) {
		if (!t->luns[i].present)
			continue;
		put_be(r + bytes, i, 2);
		bytes += 8;
	}
	put_be(r, bytes - 8, 4);
	if (c->room >= 8)
		reply(c, r, bytes, be(c->cdb + 6, 4));
}

static void read_capacity10(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint8_t r[8];

	(void)t;
	put_be(r, l->blocks - 1 > 0xffffffff ? 0xffffffff : l->blocks - 1, 4);
	put_be(r + 4, l->block_bytes, 4);
	reply(c, r, sizeof(r), sizeof(r));
}

static void read_capacity16(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint8_t r[32] = { 0 };

	(void)t;
	if ((c->cdb[1] & 0x1f) != 0x10) {
		invalid(c, INVALID_FIELD);
		return;
	}
	put_be(r, l->blocks - 1, 8);
	put_be(r + 8, l->block_bytes, 4);
	r[14] = 0xc0;			/* thin, and what was unmapped reads as zeros */
	reply(c, r, sizeof(r), be(c->cdb + 10, 4));
}

/* Caching and control pages; "changeable values" are all zero: nothing can be changed. */
static uint32_t mode_pages(uint8_t code, bool changeable, uint8_t *r)
{
	uint32_t bytes = 0;

	if (code == 0x08 || code == 0x3f) {
		r[0] = 0x08;
		r[1] = 18;
		r[2] = changeable ? 0 : 4;	/* the cache holds what was written */
		bytes += 20;
	}
	if (code == 0x0a || code == 0x3f) {
		r[bytes] = 0x0a;
		r[bytes + 1] = 10;
		bytes += 12;
	}
	return bytes;
}

static void mode_sense(struct target *t, struct target_lun *l, struct disk_command *c)
{
	bool small = c->cdb[0] == 0x1a, changeable = c->cdb[2] >> 6 == 1;
	uint32_t head = small ? 4 : 8, bytes;
	uint8_t r[8 + 32] = { 0 };

	(void)t;
	bytes = mode_pages(c->cdb[2] & 0x3f, changeable, r + head);
	if (!bytes || (c->cdb[3] && c->cdb[3] != 0xff) || c->cdb[2] >> 6 == 3) {
		invalid(c, INVALID_FIELD);
		return;
	}
	bytes += head;
	if (small)
		r[0] = (uint8_t)(bytes - 1);
	else
		put_be(r, bytes - 2, 2);
	r[small ? 2 : 3] = 0x10 | (l->read_only ? 0x80 : 0);	/* DPO and FUA are understood */
	reply(c, r, bytes, small ? c->cdb[4] : be(c->cdb + 7, 2));
}

static void request_sense(struct target *t, struct target_lun *l, struct disk_command *c)
{
	uint8_t r[SENSE_BYTES];

	(void)t;
	fill_sense(r, l->sense_key, l->asc, l->ascq);
	l->sense_key = l->asc = l->ascq = 0;
	reply(c, r, sizeof(r), c->cdb[4]);
}

static void nothing(struct target *t, struct target_lun *l, struct disk_command *c)
{
	(void)t;
	(void)l;
	(void)c;
}

/* ---- dispatch ---- */

static const struct {
	uint8_t code;
	bool calm;		/* answered whatever there is to report first */
	void (*run)(struct target *t, struct target_lun *l, struct disk_command *c);
} commands[] = {
	{ 0x00, false, nothing },		/* TEST UNIT READY */
	{ 0x03, true, request_sense },
	{ 0x08, false, read_blocks }, { 0x28, false, read_blocks },
	{ 0xa8, false, read_blocks }, { 0x88, false, read_blocks },
	{ 0x0a, false, write_blocks }, { 0x2a, false, write_blocks },
	{ 0xaa, false, write_blocks }, { 0x8a, false, write_blocks },
	{ 0x12, true, inquiry },
	{ 0x1a, false, mode_sense }, { 0x5a, false, mode_sense },
	{ 0x1b, false, nothing },		/* START STOP UNIT */
	{ 0x1e, false, nothing },		/* PREVENT ALLOW MEDIUM REMOVAL */
	{ 0x25, false, read_capacity10 }, { 0x9e, false, read_capacity16 },
	{ 0x2f, false, verify }, { 0x8f, false, verify },
	{ 0x35, false, synchronize }, { 0x91, false, synchronize },
	{ 0x41, false, write_same }, { 0x93, false, write_same },
	{ 0x42, false, unmap },
};

static struct target_lun *addressed(struct target *t, const struct disk_command *c)
{
	if (c->path || c->target || c->lun >= TARGET_LUNS || !t->luns[c->lun].present)
		return NULL;
	return &t->luns[c->lun];
}

static void unit_attention(struct target_lun *l, struct disk_command *c)
{
	fail(c, SRB_ERROR, l->sense_key, l->asc, l->ascq);
	l->sense_key = l->asc = l->ascq = 0;
}

void disk_execute(struct target *t, struct disk_command *c)
{
	struct target_lun *l = addressed(t, c);
	unsigned int i;

	c->moved = 0;
	c->srb_status = SRB_SUCCESS;
	c->scsi_status = SCSI_GOOD;
	if (c->cdb[0] == 0xa0) {
		report_luns(t, c);
		return;
	}
	if (!l) {
		if (c->cdb[0] == 0x12)
			absent_inquiry(c);
		else
			no_such_lun(c);
		return;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (commands[i].code != c->cdb[0])
			continue;
		if (l->sense_key && !commands[i].calm)
			unit_attention(l, c);
		else
			commands[i].run(t, l, c);
		return;
	}
	invalid(c, UNKNOWN_COMMAND);
}
