// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by what disks say of themselves, ST-098 to ST-107: bytes that no protocol check can
 * see, delivered by the engine and then read as the layer above does. They are read from a copy of
 * just as many bytes as were transferred, so that any look beyond is seen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "memory.h"
#include "shim.h"
#include "storage_act.h"

#define PAGE 4096
#define SYNCHRONIZE_CACHE 0x35
#define MODE_SENSE 0x1a
#define REPORT_LUNS 0xa0

static const u8 inquiry[6] = { INQUIRY, 0, 0, 0, 96, 0 };
static const u8 block_limits[6] = { INQUIRY, 1, 0xb0, 0, 64, 0 };
static const u8 capacity10[10] = { READ_CAPACITY };
static const u8 capacity16[16] = { 0x9e, 0x10, [13] = 32 };
static const u8 report_luns[12] = { REPORT_LUNS, [8] = 0x40 };	/* 16 KiB */
static const u8 mode_sense[6] = { MODE_SENSE, 0, 0x08, 0, 192, 0 };

static struct io io;

/* ---- what the disk says ---- */

static u8 said[16384];
static u32 said_bytes;

static void put_be(u32 at, u64 value, u32 width)
{
	for (; width--; value >>= 8)
		said[at + width] = value;
}

/* In place of the target's data. */
static bool say(struct target_answer *a)
{
	if (said_bytes)
		host_write_range(last_gfns, last_range_offset, said, said_bytes);
	a->transferred = said_bytes;
	a->srb_status = 0x01;
	a->scsi_status = GOOD;
	a->status = 0;
	return true;
}

/* The bytes that count of what the disk was made to say, in a block of just their number. */
static u8 *ask(const u8 *cdb, u32 cdb_bytes, u32 room, const char *what)
{
	u8 *copy;

	lie_about(0, cdb[0], 1, say, what);
	expect(!io_get(&io, cdb, cdb_bytes, room) && io_wait(&io));
	expect(io.command.verdict == SCSI_DONE && io.command.transferred == said_bytes);
	expect(io_all(&io, said_bytes, room, 0));
	copy = malloc(said_bytes);
	expect(copy);
	memcpy(copy, io.bytes, said_bytes);
	return copy;
}

static void say_nothing(u32 bytes)
{
	memset(said, 0, sizeof(said));
	said_bytes = bytes;
}

/* ---- capacity ---- */

static int told_capacity(u64 last, u32 block, struct content_capacity *c)
{
	int error10, error16;
	u8 *data;

	say_nothing(32);
	put_be(0, last, 8);
	put_be(8, block, 4);
	data = ask(capacity16, 16, 32, "a capacity");
	error16 = content_capacity16(data, said_bytes, c);
	free(data);
	if (last >= 0xffffffff)
		return error16;
	say_nothing(8);
	put_be(0, last, 4);
	put_be(4, block, 4);
	data = ask(capacity10, 10, 8, "a capacity");
	error10 = content_capacity10(data, said_bytes, c);
	free(data);
	expect(error10 == error16);
	return error16;
}

ATTACK(block_of_no_size, "ST-098", "blocks of 0 bytes, of odd sizes, of more than a page")
{
	static const u32 sizes[] = { 0, 1, 256, 511, 513, 520, 4095, 8192, 0x80000000, 0xffffffff };
	struct content_capacity c;
	u32 i;

	act_start();
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		expect(told_capacity(1000, sizes[i], &c) == -EINVAL);
	expect(!told_capacity(1000, 512, &c) && c.block_bytes == 512);
	expect(!told_capacity(1000, 4096, &c) && c.block_bytes == 4096 && c.last_block == 1000);
	evidence("refused: only powers of two from 512 to 4096");
	act_works();
}

ATTACK(capacity_of_all, "ST-099", "capacities that overflow, and a disk in use that shrinks")
{
	static const u64 lasts[] = { 0xffffffffffffffff, 0x7fffffffffffffff, 0x0040000000000000 };
	struct content_capacity c, before;
	u32 i;

	act_start();
	for (i = 0; i < ARRAY_SIZE(lasts); i++)
		expect(told_capacity(lasts[i], 512, &c) == -ERANGE);
	expect(!told_capacity(4095, 512, &before));
	expect(!told_capacity(4094, 512, &c) && !content_may_become(&c, &before, true));
	expect(!told_capacity(4095, 4096, &c) && !content_may_become(&c, &before, true));
	expect(!told_capacity(9999, 512, &c) && content_may_become(&c, &before, true));
	evidence("refused; a disk in use may only grow");
	act_works();
}

/* ---- LUNs ---- */

static u32 told_luns(u32 length, u32 bytes, u8 *luns)
{
	u8 *data;
	u32 count;

	put_be(0, length, 4);
	said_bytes = bytes;
	data = ask(report_luns, 12, 16384, "a list of LUNs");
	count = content_luns(data, bytes, luns, CONTENT_LUNS_MAX);
	free(data);
	return count;
}

ATTACK(list_too_long, "ST-100", "the list of LUNs says to be longer than what was transferred, or odd")
{
	u8 luns[CONTENT_LUNS_MAX];

	act_start();
	say_nothing(0);
	said[8 + 1] = 3;
	said[16 + 1] = 5;
	said[24 + 1] = 7;
	expect(told_luns(0xffffffff, 24, luns) == 2 && luns[0] == 3 && luns[1] == 5);
	expect(told_luns(0x10000, 31, luns) == 2);
	expect(told_luns(15, 32, luns) == 1);
	expect(told_luns(0xfffffff8, 8, luns) == 0);
	expect(told_luns(24, 7, luns) == 0);
	evidence("only what was transferred counts");
	act_works();
}

ATTACK(luns_without_end, "ST-101", "thousands of LUNs, twice the same, by addresses of other kinds")
{
	u8 luns[CONTENT_LUNS_MAX];
	u32 i, count;

	act_start();
	say_nothing(0);
	for (i = 1; i < 2048; i++)
		put_be(8 * i, (u64)(i & 0xff) << 48, 8);
	count = told_luns(2047 * 8, 16384, luns);
	expect(count == 256);
	for (i = 1; i < 2048; i++)
		put_be(8 * i, (u64)i << (i % 2 ? 56 : 32), 8);
	expect(!told_luns(511 * 8, 4096, luns));
	say_nothing(0);
	expect(told_luns(511 * 8, 4096, luns) == 1 && !luns[0]);
	evidence("%u at most, each once, of the simple kind", count);
	act_works();
}

/* ---- identity ---- */

ATTACK(identity_too_long, "ST-102", "INQUIRY and its pages say to be longer than what was transferred")
{
	static const u32 bytes[] = { 5, 36, 96 };
	struct content_inquiry i;
	struct content_page page;
	u8 *data;
	u32 n;

	act_start();
	for (n = 0; n < ARRAY_SIZE(bytes); n++) {
		say_nothing(bytes[n]);
		said[4] = 0xff;
		data = ask(inquiry, 6, 96, "an identity");
		expect(!content_inquiry(data, bytes[n], &i) && i.bytes == bytes[n]);
		free(data);
	}
	say_nothing(20);
	said[1] = 0xb0;
	put_be(2, 0xffff, 2);
	data = ask(block_limits, 6, 64, "a page");
	expect(!content_page(data, 20, 0xb0, &page) && page.bytes == 16);
	free(data);
	say_nothing(3);
	data = ask(inquiry, 6, 96, "an identity of 3 bytes");
	expect(content_inquiry(data, 3, &i) == -EMSGSIZE);
	expect(content_page(data, 3, 0xb0, &page) == -EMSGSIZE);
	free(data);
	evidence("only what was transferred counts");
	act_works();
}

static void told_vendor(const char *vendor, struct content_inquiry *i)
{
	u8 *data;

	say_nothing(36);
	said[2] = 5;
	said[4] = 31;
	memcpy(said + 8, vendor, 8);
	data = ask(inquiry, 6, 96, "a vendor's name");
	expect(!content_inquiry(data, 36, i));
	free(data);
}

ATTACK(vendor_decides, "ST-103", "the vendor is \"Msft\", or is not")
{
	struct content_inquiry a, b;
	struct scsi_limits limits;

	act_start();
	limits = scene->engine.limits;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	told_vendor("Msft    ", &a);
	told_vendor("\xff\xff\xff\xff\xff\xff\xff\xff", &b);
	expect(!memcmp(&a, &b, sizeof(a)));
	expect(!memcmp(&limits, &scene->engine.limits, sizeof(limits)));
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	evidence("decides nothing");
	act_works();
}

/* ---- limits ---- */

static void told_limits(u32 transfer, u32 granularity, u32 alignment, struct content_limits *l)
{
	u8 *data;

	say_nothing(64);
	said[1] = 0xb0;
	put_be(2, 60, 2);
	put_be(6, transfer >> 16, 2);
	put_be(8, transfer, 4);
	put_be(12, transfer, 4);
	put_be(20, transfer, 4);
	put_be(24, transfer, 4);
	put_be(28, granularity, 4);
	put_be(32, alignment, 4);
	data = ask(block_limits, 6, 64, "limits of a disk");
	expect(!content_block_limits(data, 64, 512, scene->engine.limits.max_transfer, l));
	free(data);
}

ATTACK(limits_of_nonsense, "ST-104", "granularities of 0, of odd and of huge sizes; transfers without limit")
{
	static const u32 values[] = { 0, 3, 7, 0x7fffffff, 0x80000000, 0xffffffff };
	struct content_limits l;
	u32 i, most;

	act_start();
	most = scene->engine.limits.max_transfer / 512;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		told_limits(values[i], values[i], values[i], &l);
		expect(!l.unmap_granularity && !l.unmap_alignment);
		expect(l.most <= most && l.optimal <= most && l.granularity <= most);
	}
	told_limits(64, 8, 0x80000000 | 9, &l);
	expect(l.unmap_granularity == 8 && !l.unmap_alignment && l.most == 64);
	evidence("cut to the controller's, or taken as silence");
	act_works();
}

NOT_APPLICABLE(disks_exchanged, "ST-105", "serial numbers of two LUNs are exchanged at a rescan",
	       "which disk it is cannot be proven by a protocol whose other end invents the names; the engine "
	       "keeps none, and pins identity on nothing: that is for a key or a root hash above the bus");

NOT_APPLICABLE(data_rolled_back, "ST-106", "data read are not those that were written",
	       "no bus can tell old or false data of a disk from true ones: dm-verity or dm-integrity above it can");

/* ---- caches ---- */

ATTACK(modes_flip, "ST-107", "the cache is said to be off, and the disk turns read-only, while in use")
{
	u64 commands;
	u8 *data;

	act_start();
	say_nothing(24);
	said[0] = 23;
	said[4] = 0x08;
	said[5] = 18;
	data = ask(mode_sense, 6, 192, "a cache that is off");
	expect(!(data[6] & 4));
	free(data);
	commands = scene->target.commands;
	expect(!io_plain(&io, SYNCHRONIZE_CACHE) && io_wait(&io));
	expect(io.command.verdict == SCSI_DONE && scene->target.commands == commands + 1);
	evidence("flushes are sent whatever is said of caches");
	scene->target.luns[0].read_only = true;
	expect(!io_write(&io, 0, 8, 0x12) && io_wait(&io));
	expect(io.command.status == CHECK_CONDITION && io.command.sense[2] == 7 && !io.command.transferred);
	evidence("a write that was not done says so");
	scene->target.luns[0].read_only = false;
	act_works();
}
