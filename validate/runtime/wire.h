/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores of wire integers in private memory, byte by byte, so that alignment
 * and the byte order of the machine do not matter; compilers make one access of each.
 * Never used on memory the host can write.
 */
#ifndef AIRLOCK_WIRE_H
#define AIRLOCK_WIRE_H

#include <linux/types.h>

/* Bytes inside the private copy of a message; data is NULL where the message has none. */
struct wire_slice {
	const u8 *data;
	u32 size;
};

static inline u16 wire_le16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static inline u32 wire_le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

static inline u64 wire_le64(const u8 *p)
{
	return wire_le32(p) | (u64)wire_le32(p + 4) << 32;
}

static inline u16 wire_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 wire_be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline u64 wire_be64(const u8 *p)
{
	return (u64)wire_be32(p) << 32 | wire_be32(p + 4);
}

static inline void wire_put_le16(u8 *p, u16 v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static inline void wire_put_le32(u8 *p, u32 v)
{
	wire_put_le16(p, v);
	wire_put_le16(p + 2, v >> 16);
}

static inline void wire_put_le64(u8 *p, u64 v)
{
	wire_put_le32(p, v);
	wire_put_le32(p + 4, v >> 32);
}

static inline void wire_put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void wire_put_be32(u8 *p, u32 v)
{
	wire_put_be16(p, v >> 16);
	wire_put_be16(p + 2, v);
}

static inline void wire_put_be64(u8 *p, u64 v)
{
	wire_put_be32(p, v >> 32);
	wire_put_be32(p + 4, v);
}

#endif
