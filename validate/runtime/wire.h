/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores of wire integers in private memory, byte by byte, so that alignment
 * and the byte order of the machine do not matter; compilers make one access of each.
 * Sums instead of "|": provers know them. Never used on memory the host can write.
 */
#ifndef AIRLOCK_WIRE_H
#define AIRLOCK_WIRE_H

#include <linux/nospec.h>
#include <linux/types.h>

/* Bytes inside the private copy of a message; data is NULL where the message has none. */
struct wire_slice {
	const u8 *data;
	u32 size;
};

/*@ logic integer wire_le16(u8 *p) = p[0] + 0x100 * p[1];
    logic integer wire_le32(u8 *p) = p[0] + 0x100 * p[1] + 0x10000 * p[2] + 0x1000000 * p[3];
    logic integer wire_le64(u8 *p) = wire_le32(p) + 0x100000000 * wire_le32(p + 4);
    logic integer wire_be16(u8 *p) = 0x100 * p[0] + p[1];
    logic integer wire_be32(u8 *p) = 0x1000000 * p[0] + 0x10000 * p[1] + 0x100 * p[2] + p[3];
    logic integer wire_be64(u8 *p) = 0x100000000 * wire_be32(p) + wire_be32(p + 4);
 */

/*@ requires \valid_read(p + (0 .. 1));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_le16(p);
 */
static inline u16 wire_le16(const u8 *p)
{
	return p[0] + (p[1] << 8);
}

/*@ requires \valid_read(p + (0 .. 3));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_le32(p);
 */
static inline u32 wire_le32(const u8 *p)
{
	return p[0] + (p[1] << 8) + (p[2] << 16) + ((u32)p[3] << 24);
}

/*@ requires \valid_read(p + (0 .. 7));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_le64(p);
 */
static inline u64 wire_le64(const u8 *p)
{
	return wire_le32(p) + ((u64)wire_le32(p + 4) << 32);
}

/*@ requires \valid_read(p + (0 .. 1));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_be16(p);
 */
static inline u16 wire_be16(const u8 *p)
{
	return (p[0] << 8) + p[1];
}

/*@ requires \valid_read(p + (0 .. 3));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_be32(p);
 */
static inline u32 wire_be32(const u8 *p)
{
	return ((u32)p[0] << 24) + (p[1] << 16) + (p[2] << 8) + p[3];
}

/*@ requires \valid_read(p + (0 .. 7));
    terminates \true;
    assigns \nothing;
    ensures \result == wire_be64(p);
 */
static inline u64 wire_be64(const u8 *p)
{
	return ((u64)wire_be32(p) << 32) + wire_be32(p + 4);
}

/*@ requires \valid(p + (0 .. 1));
    terminates \true;
    assigns p[0 .. 1];
    ensures wire_le16(p) == v;
 */
static inline void wire_put_le16(u8 *p, u16 v)
{
	p[0] = v % 0x100;
	p[1] = v >> 8;
}

/*@ requires \valid(p + (0 .. 3));
    terminates \true;
    assigns p[0 .. 3];
    ensures wire_le32(p) == v;
 */
static inline void wire_put_le32(u8 *p, u32 v)
{
	wire_put_le16(p, v % 0x10000);
	wire_put_le16(p + 2, v >> 16);
}

/*@ requires \valid(p + (0 .. 7));
    terminates \true;
    assigns p[0 .. 7];
    ensures wire_le64(p) == v;
 */
static inline void wire_put_le64(u8 *p, u64 v)
{
	wire_put_le32(p, v % 0x100000000);
	wire_put_le32(p + 4, v >> 32);
}

/*@ requires \valid(p + (0 .. 1));
    terminates \true;
    assigns p[0 .. 1];
    ensures wire_be16(p) == v;
 */
static inline void wire_put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v % 0x100;
}

/*@ requires \valid(p + (0 .. 3));
    terminates \true;
    assigns p[0 .. 3];
    ensures wire_be32(p) == v;
 */
static inline void wire_put_be32(u8 *p, u32 v)
{
	wire_put_be16(p, v >> 16);
	wire_put_be16(p + 2, v % 0x10000);
}

/*@ requires \valid(p + (0 .. 7));
    terminates \true;
    assigns p[0 .. 7];
    ensures wire_be64(p) == v;
 */
static inline void wire_put_be64(u8 *p, u64 v)
{
	wire_put_be32(p, v >> 32);
	wire_put_be32(p + 4, v % 0x100000000);
}

/*
 * An index that has passed its check, kept below size also where the processor guesses
 * that the check went the other way.
 */
/*@ terminates \true;
    assigns \nothing;
    ensures index < size ==> \result == index;
    ensures index >= size ==> \result == 0;
 */
static inline u64 wire_index(u64 index, u64 size)
{
	return array_index_nospec(index, size);
}

#endif
