// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: the C library's, with a head before it that says who asked for it. Whatever was
 * not cleared, and what was freed, is full of sim_secret.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "internal.h"
#include "memory.h"
#include "sanitize.h"

const uint8_t sim_secret[16] = {
	0xc5, 0x5e, 0xc2, 0xe7, 0xa9, 0x0f, 0xd1, 0x6b, 0x93, 0xb8, 0x27, 0xfa, 0x4d, 0xe3, 0x71, 0x8c,
};

#define HEAD_BYTES 64
#define BLOCK 0xb10cb10cU
/* More in one piece is not to be had from kmalloc(). */
#define PIECE_MAX (4UL << 20)
/* What a kernel returns for no bytes. */
#define NO_BYTES ((void *)16)

struct block {
	u32 magic;
	bool large;
	struct block *next, *prev;
	size_t size;
	const char *function;
};

_Static_assert(sizeof(struct block) <= HEAD_BYTES, "the head holds a block");

/*
 * Heads may not be touched by anyone else, so sanitizers do not look into what does. And the lock
 * of the list would order, for ThreadSanitizer, what nothing in a kernel orders.
 */
static struct block *blocks;
static int blocks_lock;
static u64 bytes_now, blocks_now;
static unsigned int fail_in, fail_every;

/* ---- failures ---- */

void shim_fail_allocations(unsigned int nth, unsigned int every)
{
	__atomic_store_n(&fail_every, every, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_in, nth, __ATOMIC_RELAXED);
}

bool shim_allocation_fails(void)
{
	unsigned int left = __atomic_load_n(&fail_in, __ATOMIC_RELAXED), next;

	do {
		if (!left)
			return false;
		next = left > 1 ? left - 1 : __atomic_load_n(&fail_every, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&fail_in, &left, next, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return left == 1;
}

/* ---- the list ---- */

static UNSEEN void lock_blocks(void)
{
	while (__atomic_exchange_n(&blocks_lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static UNSEEN void unlock_blocks(void)
{
	__atomic_store_n(&blocks_lock, 0, __ATOMIC_RELEASE);
}

static UNSEEN void link_block(struct block *b, size_t size, bool large, const char *function)
{
	b->magic = BLOCK;
	b->large = large;
	b->size = size;
	b->function = function;
	b->prev = NULL;
	lock_blocks();
	b->next = blocks;
	if (blocks)
		blocks->prev = b;
	blocks = b;
	bytes_now += size;
	blocks_now++;
	unlock_blocks();
}

static UNSEEN void unlink_block(struct block *b)
{
	b->magic = 0;
	lock_blocks();
	if (b->next)
		b->next->prev = b->prev;
	if (b->prev)
		b->prev->next = b->next;
	else
		blocks = b->next;
	bytes_now -= b->size;
	blocks_now--;
	unlock_blocks();
}

static UNSEEN struct block block_of(const void *p)
{
	const struct block *b = (const void *)((const u8 *)p - HEAD_BYTES);

	/* Not the whole: copying it would be a call of memcpy(), which is looked into. */
	return (struct block) {
		.magic = b->magic, .large = b->large, .size = b->size, .function = b->function,
	};
}

UNSEEN uint64_t shim_allocated(void)
{
	return bytes_now;
}

UNSEEN uint64_t shim_allocated_blocks(void)
{
	return blocks_now;
}

UNSEEN void shim_print_allocated(void)
{
	const struct block *b;

	for (b = blocks; b; b = b->next)
		fprintf(stderr, "shim: %zu bytes at %p, allocated by %s()\n", b->size,
			(const void *)((const u8 *)b + HEAD_BYTES), b->function);
}

/* ---- allocating and freeing ---- */

void shim_fill_with_secret(u8 *to, size_t size)
{
	size_t done = min(size, sizeof(sim_secret)), more;

	memcpy(to, sim_secret, done);
	for (; done < size; done += more) {
		more = min(done, size - done);
		memcpy(to + done, to, more);
	}
}

static void check_flags(size_t size, gfp_t flags, bool large)
{
	if (flags & __GFP_DIRECT_RECLAIM)
		shim_may_sleep("an allocation with GFP_KERNEL");
	else if (large)
		shim_bug("kvmalloc() and the like may always sleep");
	if (!large && size > PIECE_MAX)
		shim_bug("%zu bytes are too much for kmalloc()", size);
}

void *shim_alloc(size_t count, size_t size, gfp_t flags, bool large, const char *function)
{
	void *memory;
	u8 *p;

	if (__builtin_mul_overflow(count, size, &size) || size > SIZE_MAX / 2)
		return NULL;
	check_flags(size, flags, large);
	if (shim_allocation_fails())
		return NULL;
	if (!size)
		return NO_BYTES;
	if (posix_memalign(&memory, HEAD_BYTES, HEAD_BYTES + size))
		return NULL;
	link_block(memory, size, large, function);
	ASAN_POISON_MEMORY_REGION(memory, HEAD_BYTES);
	p = (u8 *)memory + HEAD_BYTES;
	if (flags & __GFP_ZERO)
		memset(p, 0, size);
	else
		shim_fill_with_secret(p, size);
	return p;
}

void *shim_memdup(const void *from, size_t size, gfp_t flags, const char *function)
{
	void *p = shim_alloc(1, size, flags, false, function);

	if (p && p != NO_BYTES)
		memcpy(p, from, size);
	return p;
}

/* Among threads most of it would order too much; one thread suffices to find what it finds. */
static void check_unused(const void *p, const struct block *b)
{
	const char *what;

	what = shim_holds_within(shim_context(), p, b->size) ? "a lock that is held" : NULL;
	if (!what && !shim_threads)
		what = shim_fibers_within(p, b->size);
	if (!what && !shim_threads && shim_work_within(p, b->size))
		what = "a work that is queued";
	if (!what && !shim_threads && shim_tasklet_within(p, b->size))
		what = "a tasklet that is scheduled";
	if (what)
		shim_bug("memory allocated by %s() is freed, and in it is %s", b->function, what);
}

static void release(const void *p, bool large_allowed)
{
	struct block b;
	u8 *start;

	if (!p || p == NO_BYTES)
		return;
	start = (u8 *)(uintptr_t)p - HEAD_BYTES;
	b = block_of(p);
	if (b.magic != BLOCK)
		shim_bug("%p is freed, which is not allocated", p);
	if (b.large && !large_allowed)
		shim_bug("kfree() of memory that %s() has from kvmalloc() or the like", b.function);
	if (b.large && shim_context()->kind == SHIM_TASK)
		shim_may_sleep("kvfree()");
	check_unused(p, &b);
	shim_fill_with_secret(start + HEAD_BYTES, b.size);
	unlink_block((struct block *)start);
	ASAN_UNPOISON_MEMORY_REGION(start, HEAD_BYTES);
	free(start);
}

void kfree(const void *p)
{
	release(p, false);
}

void kvfree(const void *p)
{
	release(p, true);
}

void kfree_sensitive(const void *p)
{
	kfree(p);
}
