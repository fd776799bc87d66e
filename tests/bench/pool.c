// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bulk data: a request is mapped, copied and unmapped through a bounce pool, against memcpy() of the
 * same bytes between the same kinds of memory. No page may change sides meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "pool.h"

#define PAGE 4096
#define SLOTS 512
#define LARGEST 65536
#define BUFFERS 16		/* of private memory, used in turns */
#define REQUESTS 64		/* a run */

static u32 changes;
static u8 *private, *shared;
static struct bounce_pool pool;
static enum bounce_direction direction;

/* ---- memory that says it changes sides, and counts how often ---- */

static void *pages_alloc(struct visibility *v, u32 pages)
{
	(void)v;
	return aligned_alloc(PAGE, (size_t)pages * PAGE);
}

static void pages_free(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	(void)pages;
	free(at);
}

static int pages_change(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	(void)at;
	(void)pages;
	changes++;
	return 0;
}

/* One run is all it gets. */
static u8 __host *pages_map(struct visibility *v, const struct page_run *runs, u32 count, bool is_private)
{
	(void)v;
	(void)is_private;
	check(count == 1, "memory in one piece");
	return (u8 __host *)runs->at;
}

static void pages_unmap(struct visibility *v, u8 __host *at)
{
	(void)v;
	(void)at;
}

static u64 pages_gfn(struct visibility *v, const void *at)
{
	(void)v;
	return (unsigned long)at / PAGE;
}

static const struct visibility_ops ops = {
	.name = "bench", .max_run = SLOTS, .alloc = pages_alloc, .free = pages_free, .share = pages_change,
	.revoke = pages_change, .map = pages_map, .unmap = pages_unmap, .gfn = pages_gfn,
};

/* ---- subjects ---- */

static void nothing(void)
{
}

static u8 *buffer(u32 i)
{
	return private + i % BUFFERS * LARGEST;
}

static u64 run_copy(void)
{
	u32 i;

	for (i = 0; i < REQUESTS; i++) {
		if (direction == BOUNCE_TO_HOST)
			memcpy(shared, buffer(i), bench_bytes);
		else
			memcpy(buffer(i), shared, bench_bytes);
		__asm__ __volatile__("" : : : "memory");
	}
	return REQUESTS;
}

/* What swiotlb copies for the same: also in, for a device that may write less than it says. */
static u64 run_swiotlb_copies(void)
{
	u32 i;

	for (i = 0; i < REQUESTS; i++) {
		memcpy(shared, buffer(i), bench_bytes);
		__asm__ __volatile__("" : : : "memory");
		if (direction == BOUNCE_FROM_HOST)
			memcpy(buffer(i), shared, bench_bytes);
		__asm__ __volatile__("" : : : "memory");
	}
	return REQUESTS;
}

static u64 run_pool(void)
{
	u32 slots[LARGEST / PAGE], i;
	u64 gfns[LARGEST / PAGE];
	struct bounce_buffer b = { .slots = slots };

	for (i = 0; i < REQUESTS; i++) {
		const struct kvec data = { buffer(i), bench_bytes };

		check(!bounce_map(&pool, &b, direction, &data, 1, bench_bytes, 0), "slots for a request");
		bounce_gfns(&b, gfns);
		__asm__ __volatile__("" : : "r"(gfns) : "memory");
		bounce_finish(&b, &data, 1, bench_bytes);
		bounce_unmap(&b, 0);
	}
	return REQUESTS;
}

static void report(const char *name, const struct result *r)
{
	double against = r[2].ns / r[1].ns;

	printf("| %u KiB %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", bench_bytes / 1024, name, r[0].ns, r[1].ns,
	       r[1].ratio, r[1].extra, r[2].ns, against);
	say(name, bench_bytes, "against-memcpy", r[1].ratio, NULL, true);
	say(name, bench_bytes, "against-swiotlb-copies", against, NULL, true);
}

void bench_pool(void)
{
	static const struct subject subjects[] = {
		{ "memcpy", nothing, run_copy }, { "pool", nothing, run_pool },
		{ "swiotlb", nothing, run_swiotlb_copies },
	};
	struct visibility v = { .ops = &ops };
	struct result results[SUBJECTS];
	u32 before;

	private = aligned_alloc(PAGE, BUFFERS * LARGEST);
	shared = aligned_alloc(PAGE, LARGEST);
	check(private && shared, "memory");
	memset(private, 1, BUFFERS * LARGEST);
	memset(shared, 1, LARGEST);
	check(!pool_create(&pool, &v, SLOTS, 2, false), "a pool");
	before = changes;
	printf("Through the bounce pool, one request, median ns:\n\n"
	       "| request | memcpy | mapped, copied, unmapped | bandwidth against memcpy | ns on top "
	       "| what swiotlb copies | against that |\n|---|---|---|---|---|---|---|\n");
	for (bench_bytes = 4096; bench_bytes <= LARGEST; bench_bytes *= 16) {
		direction = BOUNCE_TO_HOST;
		measure(subjects, 3, results);
		report("to-host", results);
		direction = BOUNCE_FROM_HOST;
		measure(subjects, 3, results);
		report("from-host", results);
	}
	printf("\nPages that changed sides meanwhile: %u\n\n", changes - before);
	say("pool", 0, "visibility-changes", changes - before, "0", changes == before);
	check(changes == before, "no page changes sides on the way of an I/O");
	pool_destroy(&pool, true);
}
