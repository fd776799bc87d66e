// SPDX-License-Identifier: GPL-2.0-only
/*
 * See content.h. Pure functions. Where a disk says what cannot be, it is refused if the
 * answer decides what memory or blocks are touched, and taken as silence if it is only advice.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "content.h"
#include "wire.h"

#define CAPACITY10_BYTES 8
#define CAPACITY16_BYTES 16		/* of 32; the rest is not needed */
#define INQUIRY_MIN 5
#define PAGE_HEAD 4
#define PAGE_BLOCK_LIMITS 0xb0
#define LIMITS_MIN 12			/* of the body, what the oldest disks send */
#define LIMITS_UNMAP 32
#define LIMITS_SAME 40
#define LUN_BYTES 8
#define EXPONENT_MAX 3			/* physical blocks of eight logical ones: 32 KiB at most */

/* ST-098, ST-099: neither a block size nor a size in bytes that does not fit. */
static int capacity_check(const struct content_capacity *c)
{
	if (c->block_bytes < CONTENT_BLOCK_MIN || c->block_bytes > CONTENT_BLOCK_MAX)
		return -EINVAL;
	if (!is_power_of_2(c->block_bytes))
		return -EINVAL;
	if (c->last_block >= (u64)S64_MAX >> ilog2(c->block_bytes))
		return -ERANGE;
	return 0;
}

/**
 * content_capacity10() - what READ CAPACITY(10) returned
 * @data: the command's data
 * @bytes: of it that were transferred
 * @c: filled in on 0
 *
 * Context: any. Return: 0; -EOVERFLOW: the longer command has to be asked; -EINVAL, -ERANGE:
 * impossible; -EMSGSIZE: too short.
 */
int content_capacity10(const u8 *data, u32 bytes, struct content_capacity *c)
{
	if (bytes < CAPACITY10_BYTES)
		return -EMSGSIZE;
	memset(c, 0, sizeof(*c));
	c->last_block = wire_be32(data);
	c->block_bytes = wire_be32(data + 4);
	c->physical_bytes = c->block_bytes;
	if (c->last_block == U32_MAX)
		return -EOVERFLOW;
	return capacity_check(c);
}

/**
 * content_capacity16() - what READ CAPACITY(16) returned
 * @data: the command's data
 * @bytes: of it that were transferred
 * @c: filled in on 0
 *
 * Context: any. Return: 0; -EINVAL, -ERANGE: impossible; -EMSGSIZE: too short.
 */
int content_capacity16(const u8 *data, u32 bytes, struct content_capacity *c)
{
	u32 exponent;

	if (bytes < CAPACITY16_BYTES)
		return -EMSGSIZE;
	memset(c, 0, sizeof(*c));
	c->last_block = wire_be64(data);
	c->block_bytes = wire_be32(data + 8);
	exponent = min_t(u32, data[13] & 0xf, EXPONENT_MAX);
	c->unmap = data[14] & 0x80;
	c->unmap_zeroes = c->unmap && (data[14] & 0x40);
	c->physical_bytes = c->block_bytes;
	if (capacity_check(c))
		return capacity_check(c);
	c->physical_bytes <<= exponent;
	return 0;
}

/**
 * content_may_become() - whether a disk that was like this may now be like that
 * @now: what it says now
 * @before: what it said
 * @in_use: someone counts on what it said
 *
 * Context: any. Return: false for a disk in use that has shrunk, or has other blocks (ST-099).
 */
bool content_may_become(const struct content_capacity *now, const struct content_capacity *before,
			bool in_use)
{
	if (!in_use)
		return true;
	return now->block_bytes == before->block_bytes && now->last_block >= before->last_block;
}

/* Simple addressing, one level, 8 bits: what the protocol can name. */
static bool lun_is_simple(const u8 *entry)
{
	return !entry[0] && !wire_be16(entry + 2) && !wire_be32(entry + 4);
}

/**
 * content_luns() - which LUNs REPORT LUNS has named
 * @data: the command's data
 * @bytes: of it that were transferred
 * @luns: room for them
 * @room: how many of them; CONTENT_LUNS_MAX is always enough
 *
 * Entries beyond what was transferred, in other addressing methods, or there twice are passed over
 * (ST-100, ST-101). Context: any. Return: how many, at most @room.
 */
u32 content_luns(const u8 *data, u32 bytes, u8 *luns, u32 room)
{
	u32 named, at, count = 0;

	if (bytes < LUN_BYTES)
		return 0;
	named = min_t(u32, wire_be32(data), bytes - LUN_BYTES) / LUN_BYTES;
	named = min_t(u32, named, 2 * CONTENT_LUNS_MAX);
	for (at = 1; at <= named && count < room; at++) {
		const u8 *entry = data + at * LUN_BYTES;

		if (lun_is_simple(entry) && !memchr(luns, entry[1], count))
			luns[count++] = entry[1];
	}
	return count;
}

/**
 * content_inquiry() - what INQUIRY returned
 * @data: the command's data
 * @bytes: of it that were transferred
 * @i: filled in on 0
 *
 * Names of vendor and product are not looked at: they decide nothing (ST-103). What lies behind
 * @i->bytes was not said, whatever the length byte says (ST-102).
 *
 * Context: any. Return: 0 or -EMSGSIZE.
 */
int content_inquiry(const u8 *data, u32 bytes, struct content_inquiry *i)
{
	if (bytes < INQUIRY_MIN)
		return -EMSGSIZE;
	i->type = data[0] & 0x1f;
	i->present = !(data[0] >> 5) && i->type != 0x1f;
	i->removable = data[1] & 0x80;
	i->version = data[2];
	i->bytes = min_t(u32, bytes, INQUIRY_MIN + data[4]);
	return 0;
}

/**
 * content_page() - a page of vital product data
 * @data: the command's data
 * @bytes: of it that were transferred
 * @code: which page was asked for
 * @page: filled in on 0; points into @data
 *
 * Context: any. Return: 0; -EMSGSIZE: too short; -EINVAL: another page.
 */
int content_page(const u8 *data, u32 bytes, u8 code, struct content_page *page)
{
	if (bytes < PAGE_HEAD)
		return -EMSGSIZE;
	if (data[1] != code)
		return -EINVAL;
	page->body = data + PAGE_HEAD;
	page->bytes = min_t(u32, wire_be16(data + 2), bytes - PAGE_HEAD);
	return 0;
}

/* At most what the controller takes; 0 says nothing. */
static u32 limit_blocks(u32 said, u32 most)
{
	return min(said, most);
}

/* A granularity is a power of two of sane size, and an alignment lies below it (ST-104). */
static void limits_unmap(const u8 *body, struct content_limits *l)
{
	u32 granularity = wire_be32(body + 24), alignment = wire_be32(body + 28);

	l->unmap_blocks = wire_be32(body + 16);
	l->unmap_descriptors = wire_be32(body + 20);
	if (!granularity || granularity > (1u << 20) || !is_power_of_2(granularity))
		return;
	l->unmap_granularity = granularity;
	if (alignment >> 31 && (alignment & S32_MAX) < granularity)
		l->unmap_alignment = alignment & S32_MAX;
}

/**
 * content_block_limits() - the page of block limits
 * @data: the command's data
 * @bytes: of it that were transferred
 * @block_bytes: of the disk; accepted before
 * @max_transfer: bytes, of the controller
 * @l: filled in on 0, with what can be used
 *
 * Context: any. Return: 0; -EMSGSIZE: too short; -EINVAL: another page.
 */
int content_block_limits(const u8 *data, u32 bytes, u32 block_bytes, u32 max_transfer,
			 struct content_limits *l)
{
	u32 most = max_transfer / block_bytes;
	struct content_page page;
	int error;

	error = content_page(data, bytes, PAGE_BLOCK_LIMITS, &page);
	if (error)
		return error;
	if (page.bytes < LIMITS_MIN)
		return -EMSGSIZE;
	memset(l, 0, sizeof(*l));
	l->granularity = limit_blocks(wire_be16(page.body + 2), most);
	l->most = limit_blocks(wire_be32(page.body + 4), most);
	l->optimal = limit_blocks(wire_be32(page.body + 8), l->most ? l->most : most);
	if (page.bytes >= LIMITS_UNMAP)
		limits_unmap(page.body, l);
	if (page.bytes >= LIMITS_SAME)
		l->same_blocks = wire_be64(page.body + 32);
	return 0;
}
