/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounce pools: pages shared once, when a device starts, through which its bulk data goes.
 * No page changes sides on the way of an I/O. A slot is a page; a request gets as many as
 * it needs, from a cache of its processor first.
 */
#ifndef AIRLOCK_POOL_H
#define AIRLOCK_POOL_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "hostmem.h"

enum bounce_direction { BOUNCE_TO_HOST, BOUNCE_FROM_HOST };

#define POOL_CACHE 128		/* slots a processor keeps at most */

struct pool_cache {
	spinlock_t lock;
	u32 count;
	u32 slots[POOL_CACHE];
} ____cacheline_aligned;

struct bounce_pool {
	struct hostmem memory;
	spinlock_t lock;
	u32 *free;		/* a stack */
	u32 free_count;
	u32 slots;
	struct pool_cache *caches;
	u32 cache_count;	/* processors */
	u32 cache_most;		/* slots a cache of this pool keeps at most */
	u64 *gfns;		/* of each slot */
	atomic_t exhausted;	/* requests turned away */
};

/* The slots of one request. */
struct bounce_buffer {
	struct bounce_pool *pool;
	enum bounce_direction direction;
	u32 bytes;
	u32 count;		/* slots */
	u32 *slots;		/* the caller's room for count */
};

int __must_check pool_create(struct bounce_pool *pool, struct visibility *v, u32 slots, u32 cpus,
			     bool private);
void pool_destroy(struct bounce_pool *pool, bool given_back);
/* @cpu: a hint, whose cache to look into first. -ENOSPC when the pool has too few; sets count. */
int __must_check bounce_map(struct bounce_pool *pool, struct bounce_buffer *b,
			    enum bounce_direction direction, const struct kvec *data, u32 pieces,
			    u32 bytes, u32 cpu);
void bounce_gfns(const struct bounce_buffer *b, u64 *gfns);
/* Copies in @valid bytes, which the validator has bounded, and clears the rest of @data. */
void bounce_finish(struct bounce_buffer *b, const struct kvec *data, u32 pieces, u32 valid);
/* Gives the slots back. Never before the host is done with them. */
void bounce_unmap(struct bounce_buffer *b, u32 cpu);

#endif
