// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounce pools: what goes out is the request's own bytes and zeros, what comes in is what the
 * validator let through, no slot belongs to two requests, and no page changes sides meanwhile.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "memory.h"
#include "pool.h"
#include "shim.h"

#define SLOTS 64
#define CPUS 4
#define STALE 0xa5

static struct bounce_pool pool;

static void start_with(u32 slots, u32 cpus)
{
	shim_start(false, cpus);
	sim_start(SIM_SNP, 2 * slots + 32);
	assert_int_equal(pool_create(&pool, sim_visibility(), slots, cpus, false), 0);
	assert_int_equal(atomic_read(&sim_visibility()->changes), DIV_ROUND_UP(slots, 16));
}

/* Every slot is somewhere, once. */
static void assert_whole(void)
{
	u8 *seen = calloc(pool.slots, 1);
	u32 total = pool.free_count, cpu, i;

	for (i = 0; i < pool.free_count; i++)
		assert_int_equal(seen[pool.free[i]]++, 0);
	for (cpu = 0; cpu < pool.cache_count; cpu++) {
		assert_true(pool.caches[cpu].count <= pool.cache_most);
		total += pool.caches[cpu].count;
		for (i = 0; i < pool.caches[cpu].count; i++)
			assert_int_equal(seen[pool.caches[cpu].slots[i]]++, 0);
	}
	assert_int_equal(total, pool.slots);
	free(seen);
}

static void stop(void)
{
	u32 changes = DIV_ROUND_UP(pool.slots, 16);

	assert_whole();
	assert_int_equal(atomic_read(&sim_visibility()->changes), changes);
	pool_destroy(&pool, true);
	assert_int_equal(atomic_read(&sim_visibility()->changes), 2 * changes);
	assert_true(shim_allocated() == 0);
	sim_stop(0);
	shim_stop();
}

/* A request with room for its slots, as many as it needs: behind them lies nothing. */
struct request {
	struct bounce_buffer b;
	u32 room[SLOTS];
};

static void give_room(struct request *r, u32 slots)
{
	r->b.slots = r->room + SLOTS - min_t(u32, slots, SLOTS);
}

static struct kvec whole(void *at, size_t bytes)
{
	return (struct kvec){ at, bytes };
}

static int map_nothing(struct request *r, u32 pages, u32 cpu)
{
	give_room(r, pages);
	return bounce_map(&pool, &r->b, BOUNCE_FROM_HOST, NULL, 0, pages * PAGE_SIZE, cpu);
}

static void map_out(struct request *r, const struct kvec *data, u32 pieces, u32 bytes)
{
	give_room(r, DIV_ROUND_UP(bytes, PAGE_SIZE));
	assert_int_equal(bounce_map(&pool, &r->b, BOUNCE_TO_HOST, data, pieces, bytes, 0), 0);
	assert_int_equal(r->b.count, DIV_ROUND_UP(bytes, PAGE_SIZE));
}

static void map_in(struct request *r, u32 bytes)
{
	give_room(r, DIV_ROUND_UP(bytes, PAGE_SIZE));
	assert_int_equal(bounce_map(&pool, &r->b, BOUNCE_FROM_HOST, NULL, 0, bytes, 0), 0);
	assert_int_equal(r->b.count, DIV_ROUND_UP(bytes, PAGE_SIZE));
}

/* Page @i of a request, as the host has it. */
static u8 *page_of_host(const struct request *r, u32 i)
{
	u64 gfns[SLOTS];

	bounce_gfns(&r->b, gfns);
	return sim_host_memory(gfns[i], 0, PAGE_SIZE);
}

static u8 pattern(u32 at)
{
	return at * 31 + at / 256 + 1;
}

static void fill(u8 *at, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		at[i] = pattern(i);
}

/* Whatever was in the pool before: bytes that a request must not bring along. */
static void dirty_pool(void)
{
	struct request r;
	u32 i;

	assert_int_equal(map_nothing(&r, pool.slots, 0), 0);
	for (i = 0; i < r.b.count; i++)
		memset(page_of_host(&r, i), STALE, PAGE_SIZE);
	bounce_unmap(&r.b, 0);
}

static void assert_host_has(const struct request *r, u32 bytes)
{
	u32 i, at, byte;
	u8 *page;

	for (i = 0; i < r->b.count; i++) {
		page = page_of_host(r, i);
		for (at = 0; at < PAGE_SIZE; at++) {
			byte = i * PAGE_SIZE + at;
			assert_int_equal(page[at], byte < bytes ? pattern(byte) : 0);
		}
	}
}

static void fill_by_host(const struct request *r)
{
	u32 i, at;
	u8 *page;

	for (i = 0; i < r->b.count; i++) {
		page = page_of_host(r, i);
		for (at = 0; at < PAGE_SIZE; at++)
			page[at] = pattern(i * PAGE_SIZE + at);
	}
}

static const u32 sizes[] = { 0, 1, 7, 8, 512, 4095, 4096, 4097, 8192, 12345, 65536 };

/* Takes slots so that those left are strewn: no two of a request lie side by side. */
static void scatter(struct request *held)
{
	struct request all;
	u32 i;

	assert_int_equal(map_nothing(&all, SLOTS, 0), 0);
	held->b = all.b;
	held->b.slots = held->room;
	held->b.count = SLOTS / 2;
	for (i = 0; i < SLOTS / 2; i++) {
		held->b.slots[i] = all.b.slots[2 * i];
		all.b.slots[i] = all.b.slots[2 * i + 1];
	}
	all.b.count = SLOTS / 2;
	bounce_unmap(&all.b, 0);
}

/* ---- to the host ---- */

static void what_goes_out_is_the_data_and_zeros_to_the_end_of_the_page(void **state)
{
	struct request r;
	struct kvec data;
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		dirty_pool();
		data = whole(malloc(sizes[i] + !sizes[i]), sizes[i]);
		fill(data.iov_base, sizes[i]);
		map_out(&r, &data, 1, sizes[i]);
		assert_host_has(&r, sizes[i]);
		bounce_unmap(&r.b, 0);
		free(data.iov_base);
	}
	stop();
}

static void slots_that_lie_apart_are_filled_the_same(void **state)
{
	struct request held, r;
	struct kvec data;
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	dirty_pool();
	scatter(&held);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		data = whole(malloc(sizes[i] + !sizes[i]), sizes[i]);
		fill(data.iov_base, sizes[i]);
		map_out(&r, &data, 1, sizes[i]);
		assert_true(r.b.count < 2 || r.b.slots[1] != r.b.slots[0] + 1);
		assert_host_has(&r, sizes[i]);
		bounce_unmap(&r.b, 0);
		free(data.iov_base);
	}
	bounce_unmap(&held.b, 0);
	stop();
}

/* Cuts @bytes at @at into pieces of growing size, an empty one among them. */
static u32 cut(u8 *at, u32 bytes, struct kvec *pieces)
{
	u32 done = 0, count = 0, n;

	while (done < bytes) {
		n = min_t(u32, count == 3 ? 0 : 1 + 611 * count, bytes - done);
		pieces[count++] = whole(at + done, n);
		done += n;
	}
	return count;
}

static void pieces_are_gathered_in_order(void **state)
{
	static u8 at[12345];
	struct kvec pieces[32];
	struct request r;
	u32 count;

	(void)state;
	start_with(SLOTS, CPUS);
	dirty_pool();
	fill(at, sizeof(at));
	count = cut(at, sizeof(at), pieces);
	map_out(&r, pieces, count, sizeof(at));
	assert_host_has(&r, sizeof(at));
	bounce_unmap(&r.b, 0);
	stop();
}

/* More data than the request has bytes stays here; less is made up by zeros. */
static void the_size_of_the_request_bounds_what_goes_out(void **state)
{
	static u8 at[10000];
	struct kvec pieces[2] = { { at, 5000 }, { at + 5000, 5000 } };
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	dirty_pool();
	fill(at, sizeof(at));
	map_out(&r, pieces, 2, 6000);
	assert_host_has(&r, 6000);
	bounce_unmap(&r.b, 0);
	dirty_pool();
	map_out(&r, pieces, 1, 9000);
	assert_host_has(&r, 5000);
	bounce_unmap(&r.b, 0);
	stop();
}

static void nothing_comes_back_of_what_goes_out(void **state)
{
	u8 at[100];
	struct kvec data = whole(at, sizeof(at));
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	fill(at, sizeof(at));
	map_out(&r, &data, 1, sizeof(at));
	memset(page_of_host(&r, 0), STALE, PAGE_SIZE);
	bounce_finish(&r.b, &data, 1, sizeof(at));
	assert_int_equal(at[0], pattern(0));
	assert_int_equal(at[99], pattern(99));
	bounce_unmap(&r.b, 0);
	stop();
}

/* ---- from the host ---- */

static void what_is_to_be_filled_is_empty_before(void **state)
{
	struct request r;
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	dirty_pool();
	map_in(&r, 3 * PAGE_SIZE - 1);
	for (i = 0; i < 3; i++)
		assert_null(memchr_inv(page_of_host(&r, i), 0, PAGE_SIZE));
	bounce_unmap(&r.b, 0);
	stop();
}

/* In a block of exactly its size; the rest of it is cleared, and full of secrets before. */
static void assert_brings_in(struct request *r, u32 room, u32 valid, u32 expected)
{
	struct kvec pieces[64];
	u8 *at = malloc(room);
	u32 count = cut(at, room, pieces), i;

	memset(at, STALE, room);
	bounce_finish(&r->b, pieces, count, valid);
	for (i = 0; i < room; i++)
		assert_int_equal(at[i], i < expected ? pattern(i) : 0);
	free(at);
}

static void what_comes_in_is_the_valid_bytes_and_zeros(void **state)
{
	static const u32 valid[] = { 0, 1, 511, 4096, 4097, 9999, 10000 };
	struct request held, r;
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		map_in(&r, 10000);
		fill_by_host(&r);
		assert_brings_in(&r, 10000, valid[i], valid[i]);
		bounce_unmap(&r.b, 0);
	}
	scatter(&held);
	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		map_in(&r, 10000);
		fill_by_host(&r);
		assert_brings_in(&r, 10000, valid[i], valid[i]);
		bounce_unmap(&r.b, 0);
	}
	bounce_unmap(&held.b, 0);
	stop();
}

static void no_more_comes_in_than_was_asked_for(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	map_in(&r, 5000);
	fill_by_host(&r);
	assert_brings_in(&r, 8192, 5001, 5000);
	assert_brings_in(&r, 8192, 0xffffffff, 5000);
	assert_brings_in(&r, 3000, 0xffffffff, 3000);
	bounce_unmap(&r.b, 0);
	assert_brings_in(&r, 8192, 5000, 0);
	stop();
}

#ifdef AIRLOCK_FETCH_HOOK
static u32 fetched;

/* A host that overwrites whatever has been fetched. */
static void count_and_overwrite(const void *at, u32 size)
{
	static void *last;
	static u32 last_size;

	if (fetched)
		memset(last, STALE, last_size);
	last = (void *)(uintptr_t)at;
	last_size = size;
	fetched += size;
}

static void each_byte_that_comes_in_is_fetched_once(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	map_in(&r, 10000);
	fill_by_host(&r);
	fetched = 0;
	airlock_fetch_hook = count_and_overwrite;
	assert_brings_in(&r, 10000, 9001, 9001);
	airlock_fetch_hook = NULL;
	assert_int_equal(fetched, 9001);
	bounce_unmap(&r.b, 0);
	stop();
}
#else
static void each_byte_that_comes_in_is_fetched_once(void **state)
{
	(void)state;
	skip();
}
#endif

/* ---- slots ---- */

static void neighbours_are_taken_together_again_and_again(void **state)
{
	struct request r;
	u32 round, i;

	(void)state;
	start_with(SLOTS, CPUS);
	for (round = 0; round < 10; round++) {
		assert_int_equal(map_nothing(&r, round % 2 ? 2 : 16, 0), 0);
		for (i = 1; i < r.b.count; i++)
			assert_int_equal(r.b.slots[i], r.b.slots[i - 1] + 1);
		bounce_unmap(&r.b, 0);
	}
	stop();
}

static void the_host_knows_slots_by_the_numbers_of_their_pages(void **state)
{
	struct request r;
	u64 gfns[SLOTS];
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&r, SLOTS, 0), 0);
	bounce_gfns(&r.b, gfns);
	for (i = 0; i < SLOTS; i++)
		assert_true(gfns[i] == hostmem_gfn(&pool.memory, r.b.slots[i]));
	bounce_unmap(&r.b, 0);
	stop();
}

static void a_pool_that_is_empty_turns_requests_away(void **state)
{
	struct request a, b;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&a, SLOTS - 3, 0), 0);
	assert_int_equal(map_nothing(&b, 4, 0), -ENOSPC);
	assert_int_equal(b.b.count, 0);
	bounce_unmap(&b.b, 0);
	assert_int_equal(atomic_read(&pool.exhausted), 1);
	assert_int_equal(map_nothing(&b, 3, 0), 0);
	bounce_unmap(&b.b, 0);
	bounce_unmap(&a.b, 0);
	assert_int_equal(atomic_read(&pool.exhausted), 1);
	stop();
}

static void what_no_pool_of_this_size_can_hold_is_refused(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&r, SLOTS + 1, 0), -EINVAL);
	assert_int_equal(bounce_map(&pool, &r.b, BOUNCE_FROM_HOST, NULL, 0, SLOTS * PAGE_SIZE + 1, 0),
			 -EINVAL);
	assert_int_equal(bounce_map(&pool, &r.b, BOUNCE_FROM_HOST, NULL, 0, 0xffffffff, 0), -EINVAL);
	assert_int_equal(r.b.count, 0);
	assert_int_equal(atomic_read(&pool.exhausted), 0);
	stop();
}

static void slots_are_given_back_once(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&r, 2, 0), 0);
	bounce_unmap(&r.b, 0);
	bounce_unmap(&r.b, 0);
	stop();
}

/* Slots end up in the caches of all processors; the last one gets them all the same. */
static void slots_in_caches_of_other_processors_are_found(void **state)
{
	struct request r;
	u32 cpu, cached = 0;

	(void)state;
	start_with(SLOTS, CPUS);
	for (cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(map_nothing(&r, 1, cpu), 0);
		bounce_unmap(&r.b, cpu);
		cached += pool.caches[cpu].count;
		assert_true(pool.caches[cpu].count > 0);
	}
	assert_true(cached > 0);
	for (cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(map_nothing(&r, SLOTS, cpu), 0);
		bounce_unmap(&r.b, cpu);
		assert_int_equal(map_nothing(&r, 1, cpu + 1), 0);
		bounce_unmap(&r.b, cpu + 1);
	}
	assert_int_equal(atomic_read(&pool.exhausted), 0);
	stop();
}

static void caches_keep_no_more_than_half_of_the_pool(void **state)
{
	struct request r[SLOTS];
	u32 cpu, cached = 0, i;

	(void)state;
	start_with(SLOTS, CPUS);
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(map_nothing(&r[i], 1, i), 0);
	for (i = 0; i < SLOTS; i++)
		bounce_unmap(&r[i].b, i);
	for (cpu = 0; cpu < CPUS; cpu++)
		cached += pool.caches[cpu].count;
	assert_true(cached > 0 && cached <= SLOTS / 2);
	stop();
}

/* With 64 slots for 4 processors a cache keeps 8, and changes hands by 4. */
static void a_processor_mostly_lives_on_its_cache(void **state)
{
	struct request a, b;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(pool.cache_most, 8);
	assert_int_equal(map_nothing(&a, 1, 1), 0);
	assert_int_equal(pool.caches[1].count, 3);
	assert_int_equal(pool.free_count, 60);
	assert_int_equal(map_nothing(&b, 3, 1), 0);
	assert_int_equal(pool.caches[1].count, 0);
	assert_int_equal(pool.free_count, 60);
	bounce_unmap(&a.b, 1);
	bounce_unmap(&b.b, 1);
	assert_int_equal(pool.caches[1].count, 4);
	assert_int_equal(pool.free_count, 60);
	stop();
}

static void what_a_cache_lacks_comes_with_its_next_filling(void **state)
{
	struct request a, b;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&a, 2, 1), 0);
	assert_int_equal(map_nothing(&b, 4, 1), 0);
	assert_int_equal(pool.caches[1].count, 2);
	assert_int_equal(pool.free_count, 56);
	bounce_unmap(&a.b, 1);
	bounce_unmap(&b.b, 1);
	assert_int_equal(pool.caches[1].count, 8);
	stop();
}

static void large_requests_leave_the_caches_alone(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&r, 5, 1), 0);
	assert_int_equal(pool.free_count, 59);
	bounce_unmap(&r.b, 1);
	assert_int_equal(pool.free_count, SLOTS);
	assert_int_equal(map_nothing(&r, 4, 1), 0);
	assert_int_equal(pool.free_count, 60);
	bounce_unmap(&r.b, 1);
	assert_int_equal(pool.caches[1].count, 4);
	assert_int_equal(map_nothing(&r, 4, 1), 0);
	assert_int_equal(pool.free_count, 60);
	assert_int_equal(pool.caches[1].count, 0);
	bounce_unmap(&r.b, 1);
	stop();
}

static void a_full_cache_gives_half_of_it_back(void **state)
{
	static const u32 counts[] = { 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 5 };
	struct request r[ARRAY_SIZE(counts)];
	u32 i;

	(void)state;
	start_with(SLOTS, CPUS);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		assert_int_equal(map_nothing(&r[i], 1, 2), 0);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		bounce_unmap(&r[i].b, 1);
		assert_int_equal(pool.caches[1].count, counts[i]);
	}
	stop();
}

/* Nothing is left but 3 slots each in two caches. */
static void no_more_is_taken_from_other_caches_than_is_missing(void **state)
{
	struct request one, two, rest, r;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&one, 1, 1), 0);
	assert_int_equal(map_nothing(&two, 1, 2), 0);
	assert_int_equal(map_nothing(&rest, pool.free_count, 0), 0);
	assert_int_equal(map_nothing(&r, 4, 0), 0);
	assert_int_equal(pool.caches[1].count + pool.caches[2].count, 2);
	bounce_unmap(&r.b, 0);
	bounce_unmap(&rest.b, 0);
	bounce_unmap(&one.b, 0);
	bounce_unmap(&two.b, 0);
	stop();
}

/* Three processors, because numbers do not wrap around at a multiple of that. */
static void a_wrong_hint_misses_no_cache(void **state)
{
	struct request r;
	u32 cpu;

	(void)state;
	start_with(SLOTS, 3);
	for (cpu = 0; cpu < 3; cpu++) {
		assert_int_equal(map_nothing(&r, 1, cpu), 0);
		bounce_unmap(&r.b, cpu);
	}
	assert_int_equal(map_nothing(&r, SLOTS, 0xffffffff), 0);
	bounce_unmap(&r.b, 0);
	stop();
}

static void the_processor_is_only_a_hint(void **state)
{
	struct request r;

	(void)state;
	start_with(SLOTS, CPUS);
	assert_int_equal(map_nothing(&r, 3, 0xffffffff), 0);
	bounce_unmap(&r.b, 0xfffffffe);
	stop();
}

/* More processors than slots; and one slot for all. */
static void small_pools_work(void **state)
{
	struct request a, b;
	u32 slots, cpu;

	(void)state;
	for (slots = 1; slots < 6; slots++) {
		start_with(slots, 8);
		for (cpu = 0; cpu < 20; cpu++) {
			assert_int_equal(map_nothing(&a, slots, cpu), 0);
			assert_int_equal(map_nothing(&b, 1, cpu), -ENOSPC);
			bounce_unmap(&a.b, cpu + 1);
		}
		stop();
	}
}

/* Many requests of random size at once: each slot belongs to one of them. */
static void no_slot_belongs_to_two_requests(void **state)
{
	static struct request r[40];
	u8 owner[SLOTS] = { 0 };
	u32 seed = 1, round, i, n;

	(void)state;
	start_with(SLOTS, CPUS);
	memset(r, 0, sizeof(r));
	for (round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		n = seed >> 8 & 63;
		n %= ARRAY_SIZE(r);
		for (i = 0; i < r[n].b.count; i++)
			owner[r[n].b.slots[i]]--;
		bounce_unmap(&r[n].b, seed >> 14 & 3);
		if (seed >> 16 & 1 && map_nothing(&r[n], seed >> 17 & 15, seed >> 21 & 3) == 0)
			for (i = 0; i < r[n].b.count; i++)
				assert_int_equal(owner[r[n].b.slots[i]]++, 0);
	}
	assert_true(atomic_read(&pool.exhausted) > 0);
	for (n = 0; n < ARRAY_SIZE(r); n++)
		bounce_unmap(&r[n].b, n);
	stop();
}

/* ---- many processors at once ---- */

static u32 owners[SLOTS];

static void *use_pool(void *argument)
{
	u32 cpu = (u32)(uintptr_t)argument, seed = cpu + 1, round, i;
	struct request r;

	shim_set_cpu(cpu);
	for (round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		if (map_nothing(&r, 1 + (seed >> 16) % 20, cpu))
			continue;
		for (i = 0; i < r.b.count; i++)
			if (__atomic_fetch_add(&owners[r.b.slots[i]], 1, __ATOMIC_RELAXED))
				shim_bug("slot %u belongs to two requests", r.b.slots[i]);
		for (i = 0; i < r.b.count; i++)
			__atomic_fetch_sub(&owners[r.b.slots[i]], 1, __ATOMIC_RELAXED);
		bounce_unmap(&r.b, (cpu + (seed >> 24)) % CPUS);
	}
	return NULL;
}

static void processors_share_a_pool_without_sharing_slots(void **state)
{
	pthread_t threads[CPUS];
	u32 i;

	(void)state;
	shim_start(true, CPUS);
	sim_start(SIM_SNP, 2 * SLOTS);
	assert_int_equal(pool_create(&pool, sim_visibility(), SLOTS, CPUS, false), 0);
	for (i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_pool, (void *)(uintptr_t)i), 0);
	for (i = 0; i < CPUS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	stop();
}

/* ---- beginning and end ---- */

static void pools_need_slots_and_processors(void **state)
{
	(void)state;
	shim_start(false, 1);
	sim_start(SIM_SNP, 64);
	memset(&pool, STALE, sizeof(pool));
	assert_int_equal(pool_create(&pool, sim_visibility(), 0, 1, false), -EINVAL);
	assert_int_equal(pool_create(&pool, sim_visibility(), 1, 0, false), -EINVAL);
	assert_int_equal(pool_create(&pool, sim_visibility(), 65, 1, false), -ENOMEM);
	pool_destroy(&pool, true);
	sim_stop(0);
	shim_stop();
}

/* Whichever allocation fails: what was shared is private again, and nothing is lost. */
static void a_pool_that_cannot_be_made_leaves_nothing(void **state)
{
	u32 nth, failed = 0;
	int error;

	(void)state;
	for (nth = 1; nth < 16; nth++) {
		shim_start(false, CPUS);
		sim_start(SIM_SNP, 200);
		shim_fail_allocations(nth, 0);
		error = pool_create(&pool, sim_visibility(), SLOTS, CPUS, false);
		shim_fail_allocations(0, 0);
		assert_true(!error || error == -ENOMEM);
		failed += error != 0;
		if (!error)
			pool_destroy(&pool, true);
		assert_true(shim_allocated() == 0 && sim_shared_pages() == 0);
		sim_stop(0);
		shim_stop();
	}
	assert_true(failed >= 4);
}

static void a_pool_that_cannot_be_shared_is_none(void **state)
{
	(void)state;
	shim_start(false, CPUS);
	sim_start(SIM_SNP, 200);
	sim_fail_share(2, -EPERM, 1);
	assert_int_equal(pool_create(&pool, sim_visibility(), SLOTS, CPUS, false), -EPERM);
	assert_int_equal(atomic_read(&sim_visibility()->leaked), 16);
	assert_true(shim_allocated() == 0);
	sim_stop(16);
	shim_stop();
}

static void a_pool_the_ordinary_host_keeps_is_leaked(void **state)
{
	(void)state;
	shim_start(false, CPUS);
	sim_start(SIM_PLAIN, 200);
	assert_int_equal(pool_create(&pool, sim_visibility(), SLOTS, CPUS, false), 0);
	pool_destroy(&pool, false);
	assert_int_equal(atomic_read(&sim_visibility()->leaked), SLOTS);
	assert_true(shim_allocated() == 0);
	pool_destroy(&pool, false);
	sim_stop(SLOTS);
	shim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_out_is_the_data_and_zeros_to_the_end_of_the_page),
		cmocka_unit_test(slots_that_lie_apart_are_filled_the_same),
		cmocka_unit_test(pieces_are_gathered_in_order),
		cmocka_unit_test(the_size_of_the_request_bounds_what_goes_out),
		cmocka_unit_test(nothing_comes_back_of_what_goes_out),
		cmocka_unit_test(what_is_to_be_filled_is_empty_before),
		cmocka_unit_test(what_comes_in_is_the_valid_bytes_and_zeros),
		cmocka_unit_test(no_more_comes_in_than_was_asked_for),
		cmocka_unit_test(each_byte_that_comes_in_is_fetched_once),
		cmocka_unit_test(neighbours_are_taken_together_again_and_again),
		cmocka_unit_test(the_host_knows_slots_by_the_numbers_of_their_pages),
		cmocka_unit_test(a_pool_that_is_empty_turns_requests_away),
		cmocka_unit_test(what_no_pool_of_this_size_can_hold_is_refused),
		cmocka_unit_test(slots_are_given_back_once),
		cmocka_unit_test(slots_in_caches_of_other_processors_are_found),
		cmocka_unit_test(caches_keep_no_more_than_half_of_the_pool),
		cmocka_unit_test(a_processor_mostly_lives_on_its_cache),
		cmocka_unit_test(what_a_cache_lacks_comes_with_its_next_filling),
		cmocka_unit_test(large_requests_leave_the_caches_alone),
		cmocka_unit_test(a_full_cache_gives_half_of_it_back),
		cmocka_unit_test(no_more_is_taken_from_other_caches_than_is_missing),
		cmocka_unit_test(a_wrong_hint_misses_no_cache),
		cmocka_unit_test(the_processor_is_only_a_hint),
		cmocka_unit_test(small_pools_work),
		cmocka_unit_test(no_slot_belongs_to_two_requests),
		cmocka_unit_test(processors_share_a_pool_without_sharing_slots),
		cmocka_unit_test(pools_need_slots_and_processors),
		cmocka_unit_test(a_pool_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(a_pool_that_cannot_be_shared_is_none),
		cmocka_unit_test(a_pool_the_ordinary_host_keeps_is_leaked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
