/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a ring, for tests of one end: byte by byte, by the catalogue's words, and
 * without anything of what is tested. Include it after cmocka.h.
 */
#ifndef AIRLOCK_TESTS_RING_HOST_H
#define AIRLOCK_TESTS_RING_HOST_H

#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/types.h>

#include "access.h"
#include "bytes.h"

#define PAGE 4096

/* Words of a control page. */
enum word { WRITE_INDEX = 0, READ_INDEX = 4, MASK = 8, PENDING = 12, FEATURES = 64 };

struct ring_host {
	u8 *memory;		/* control page and data */
	u8 *data;
	u32 pages, size;
	u32 at;			/* the host's own index */
};

static inline void ring_host_start(struct ring_host *h, u32 pages)
{
	*h = (struct ring_host){ .pages = pages, .size = (pages - 1) * PAGE };
	h->memory = aligned_alloc(PAGE, (size_t)pages * PAGE);
	assert_non_null(h->memory);
	h->data = h->memory + PAGE;
	memset(h->memory, STALE, (size_t)pages * PAGE);
}

static inline void ring_host_stop(struct ring_host *h)
{
	free(h->memory);
	h->memory = NULL;
}

static inline u8 __host *ring_host_memory(const struct ring_host *h)
{
	return (u8 __host *)(unsigned long)h->memory;
}

static inline u32 *word_at(const struct ring_host *h, enum word word)
{
	return (u32 *)(void *)(h->memory + word);
}

static inline u32 peek(const struct ring_host *h, enum word word)
{
	return __atomic_load_n(word_at(h, word), __ATOMIC_SEQ_CST);
}

static inline void poke(const struct ring_host *h, enum word word, u32 value)
{
	__atomic_store_n(word_at(h, word), value, __ATOMIC_SEQ_CST);
}

/* A byte that tells where in a packet it stands, and in which. */
static inline u8 pattern(u64 id, u32 at)
{
	return id * 31 + at * 7 + (at >> 8) + 1;
}

/* Reproducible, and not the C library's, which other threads share. */
static inline u32 next_random(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static inline u32 random_below(u32 *seed, u32 limit)
{
	return next_random(seed) % limit;
}

#endif
