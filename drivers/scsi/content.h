/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What disks say of themselves, in data that came by commands. Each function is told how many
 * bytes were transferred and looks at no others; what it returns is bounded, whatever a disk says.
 */
#ifndef AIRLOCK_SCSI_CONTENT_H
#define AIRLOCK_SCSI_CONTENT_H

#include <linux/types.h>

#define CONTENT_BLOCK_MIN 512
#define CONTENT_BLOCK_MAX 4096
#define CONTENT_LUNS_MAX 256

struct content_capacity {
	u64 last_block;
	u32 block_bytes;
	u32 physical_bytes;	/* at least block_bytes */
	bool unmap;		/* logical block provisioning */
	bool unmap_zeroes;
};

struct content_inquiry {
	u8 type;		/* peripheral */
	bool present;		/* qualifier 0: a device of that type is there */
	bool removable;
	u8 version;
	u32 bytes;		/* that count */
};

/* A page of vital product data: bytes of the body that were transferred. */
struct content_page {
	const u8 *body;
	u32 bytes;
};

/* In blocks; 0: not said, or not usable. */
struct content_limits {
	u32 granularity;	/* of transfers */
	u32 optimal, most;
	u32 unmap_blocks, unmap_descriptors;
	u32 unmap_granularity, unmap_alignment;
	u64 same_blocks;
};

int __must_check content_capacity10(const u8 *data, u32 bytes, struct content_capacity *c);
int __must_check content_capacity16(const u8 *data, u32 bytes, struct content_capacity *c);
bool __must_check content_may_become(const struct content_capacity *now,
				     const struct content_capacity *before, bool in_use);
u32 __must_check content_luns(const u8 *data, u32 bytes, u8 *luns, u32 room);
int __must_check content_inquiry(const u8 *data, u32 bytes, struct content_inquiry *i);
int __must_check content_page(const u8 *data, u32 bytes, u8 code, struct content_page *page);
int __must_check content_block_limits(const u8 *data, u32 bytes, u32 block_bytes, u32 max_transfer,
				      struct content_limits *l);

#endif
