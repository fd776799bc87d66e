// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of requests: an id is good for one completion, from when its packet is published,
 * and whatever else a host answers is told apart and changes nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kernel.h>

#include "request.h"
#include "ring_host.h"
#include "shim.h"
#include "violation.h"

static struct request_table table;
static int owners[8];

static int start(void **state)
{
	(void)state;
	shim_start(false, 1);
	return request_table_create(&table, 4);
}

static int stop(void **state)
{
	(void)state;
	request_table_destroy(&table);
	shim_stop();
	return shim_allocated() ? -1 : 0;
}

static void assert_taken(u64 id, void *expected)
{
	void *owner = NULL;

	assert_int_equal(request_take(&table, id, &owner), 0);
	assert_ptr_equal(owner, expected);
}

static void assert_broken(u64 id, int rule)
{
	void *owner = owners;

	assert_int_equal(request_take(&table, id, &owner), rule);
	assert_ptr_equal(owner, owners);
}

static u64 in_flight(void *owner)
{
	u64 id = request_reserve(&table, owner);

	assert_true(id);
	request_publish(&table, id);
	return id;
}

/* ---- one request ---- */

static void an_id_is_a_slot_and_a_generation(void **state)
{
	u64 id = request_reserve(&table, owners);
	u32 i;

	(void)state;
	assert_true(id == 0x10001);
	request_release(&table, id);
	for (i = 2; i <= 4; i++) {
		id = request_reserve(&table, owners);
		assert_true(id == (0x10000 | i));
		request_release(&table, id);
	}
	id = request_reserve(&table, owners);
	assert_true(id == 0x20001);
	assert_int_equal(table.in_flight, 1);
	request_release(&table, id);
	assert_int_equal(table.in_flight, 0);
}

static void an_id_is_good_once_it_is_published(void **state)
{
	u64 id = request_reserve(&table, &owners[1]);

	(void)state;
	assert_broken(id, CORE_RULE_COMPLETION_EARLY);
	assert_broken(id, CORE_RULE_COMPLETION_EARLY);
	request_publish(&table, id);
	assert_taken(id, &owners[1]);
}

static void an_id_is_good_once(void **state)
{
	u64 id = in_flight(&owners[1]);

	(void)state;
	assert_taken(id, &owners[1]);
	assert_broken(id, CORE_RULE_COMPLETION_STALE);
	request_release(&table, id);
	assert_broken(id, CORE_RULE_COMPLETION_STALE);
	request_publish(&table, id);
	assert_broken(id, CORE_RULE_COMPLETION_STALE);
}

static void an_id_of_an_earlier_use_is_stale(void **state)
{
	u64 first = in_flight(&owners[1]), id;
	u32 i;

	(void)state;
	assert_taken(first, &owners[1]);
	request_release(&table, first);
	for (i = 0; i < 4; i++)
		id = in_flight(&owners[2]);
	assert_true(id == first + 0x10000);
	assert_broken(first, CORE_RULE_COMPLETION_STALE);
	assert_taken(id, &owners[2]);
}

static void an_id_that_was_never_given_out_is_unknown(void **state)
{
	static const u64 guesses[] = {
		0, 1, 2, 4, 5, 0xffff, 0x10000, 0x10002, 0x10005, 0x1ffff, 0x20001, 0x100010001, 0x8000000000010001,
		0xffffffffffff0001, 0xffffffffffffffff, 0xfffffffffffffffe, 0xffff888012345678,
	};
	u64 id = in_flight(&owners[1]);
	u32 i;

	(void)state;
	assert_true(id == 0x10001);
	for (i = 0; i < ARRAY_SIZE(guesses); i++)
		assert_broken(guesses[i], CORE_RULE_COMPLETION_UNKNOWN);
	assert_taken(id, &owners[1]);
}

static void what_is_in_flight_is_not_released(void **state)
{
	u64 id = in_flight(&owners[1]);

	(void)state;
	request_release(&table, id);
	assert_int_equal(table.in_flight, 1);
	assert_taken(id, &owners[1]);
	assert_int_equal(table.in_flight, 0);
}

static void a_release_of_what_is_not_ours_does_nothing(void **state)
{
	u64 id = request_reserve(&table, &owners[1]), i;

	(void)state;
	for (i = 0; i < 8; i++)
		request_release(&table, i);
	request_release(&table, id + 0x10000);
	request_release(&table, id - 0x10000);
	request_publish(&table, id + 0x10000);
	request_publish(&table, 0);
	request_release(&table, ~0ULL);
	assert_broken(id, CORE_RULE_COMPLETION_EARLY);
	request_release(&table, id);
	request_release(&table, id);
	for (i = 0; i < 4; i++)
		assert_true(request_reserve(&table, owners));
	assert_true(!request_reserve(&table, owners));
}

/* ---- the table ---- */

static void a_full_table_gives_no_id(void **state)
{
	u64 ids[4], i;

	(void)state;
	for (i = 0; i < 4; i++)
		ids[i] = in_flight(&owners[i]);
	assert_true(!request_reserve(&table, owners));
	assert_int_equal(table.in_flight, 4);
	assert_taken(ids[2], &owners[2]);
	assert_true(!request_reserve(&table, owners));
	request_release(&table, ids[2]);
	assert_true(request_reserve(&table, owners) == ids[2] + 0x10000);
	assert_true(!request_reserve(&table, owners));
}

static void a_slot_is_used_again_as_late_as_possible(void **state)
{
	u64 last[4] = { 0 }, id;
	u32 i;

	(void)state;
	for (i = 0; i < 100; i++) {
		id = in_flight(owners);
		assert_int_equal((id & 0xffff) - 1, i % 4);
		assert_true(id > last[i % 4]);
		last[i % 4] = id;
		assert_taken(id, owners);
		request_release(&table, id);
	}
}

static void a_request_without_an_owner_is_refused(void **state)
{
	(void)state;
	assert_true(!request_reserve(&table, NULL));
	assert_int_equal(table.in_flight, 0);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	struct request_table other;

	(void)state;
	assert_int_equal(request_table_create(&other, 0), -EINVAL);
	assert_int_equal(request_table_create(&other, 0x10000), -EINVAL);
	assert_int_equal(request_table_create(&other, 0xffffffff), -EINVAL);
}

static void a_table_that_was_not_created_holds_nothing(void **state)
{
	struct request_table other = { 0 };
	void *owner;

	(void)state;
	request_table_destroy(&other);
	shim_fail_allocations(1, 0);
	assert_int_equal(request_table_create(&other, 1), -ENOMEM);
	assert_true(!request_reserve(&other, owners));
	assert_int_equal(request_take(&other, 0x10001, &owner), CORE_RULE_COMPLETION_UNKNOWN);
	request_table_destroy(&other);
}

static void the_largest_table_has_65535_ids(void **state)
{
	u64 id;
	u32 i;

	(void)state;
	request_table_destroy(&table);
	assert_int_equal(request_table_create(&table, REQUESTS_MAX), 0);
	for (i = 1; i <= 0xffff; i++)
		assert_true(in_flight(owners) == (0x10000 | i));
	assert_true(!request_reserve(&table, owners));
	for (i = 1; i <= 0xffff; i++)
		assert_taken(0x10000 | i, owners);
	assert_null(request_reclaim(&table, &id));
}

static void a_destroyed_table_knows_nobody(void **state)
{
	u64 id = in_flight(owners), other;

	(void)state;
	request_table_destroy(&table);
	assert_int_equal(table.in_flight, 0);
	assert_broken(id, CORE_RULE_COMPLETION_UNKNOWN);
	assert_true(!request_reserve(&table, owners));
	request_publish(&table, id);
	request_release(&table, id);
	assert_null(request_reclaim(&table, &other));
	request_table_destroy(&table);
}

static void reclaiming_takes_what_is_in_flight_and_nothing_else(void **state)
{
	u64 reserved = request_reserve(&table, &owners[0]), first = in_flight(&owners[1]), taken, second, id;

	(void)state;
	taken = in_flight(&owners[2]);
	second = in_flight(&owners[3]);
	assert_taken(taken, &owners[2]);
	assert_ptr_equal(request_reclaim(&table, &id), &owners[1]);
	assert_true(id == first);
	request_release(&table, id);
	assert_ptr_equal(request_reclaim(&table, &id), &owners[3]);
	assert_true(id == second);
	assert_null(request_reclaim(&table, &id));
	assert_broken(first, CORE_RULE_COMPLETION_STALE);
	assert_broken(second, CORE_RULE_COMPLETION_STALE);
	assert_broken(reserved, CORE_RULE_COMPLETION_EARLY);
	request_publish(&table, reserved);
	assert_ptr_equal(request_reclaim(&table, &id), &owners[0]);
	assert_true(id == reserved);
	assert_null(request_reclaim(&table, &id));
	assert_int_equal(table.in_flight, 0);
}

/* ---- against a naive table ---- */

#define SLOTS 3
#define GENERATIONS 600

/* Everything that ever happened to each id. */
enum fate { NEVER, RESERVED, FLYING, TAKEN, OVER };

static enum fate fates[SLOTS + 2][GENERATIONS];
static void *owner_of[SLOTS + 2][GENERATIONS];

static enum fate *fate_of(u64 id)
{
	static enum fate never;
	u64 slot = id & 0xffff, generation = id >> 16;

	never = NEVER;
	return slot >= 1 && slot <= SLOTS && generation < GENERATIONS ? &fates[slot][generation] : &never;
}

static u32 busy_slots(void)
{
	u32 slot, generation, busy = 0;

	for (slot = 1; slot <= SLOTS; slot++)
		for (generation = 0; generation < GENERATIONS; generation++)
			busy += fates[slot][generation] >= RESERVED && fates[slot][generation] <= TAKEN;
	return busy;
}

static void model_reserve(u32 *seed)
{
	void *owner = &owners[random_below(seed, ARRAY_SIZE(owners))];
	u64 id = request_reserve(&table, owner);

	assert_int_equal(!id, busy_slots() == SLOTS);
	if (!id)
		return;
	assert_true(id >> 16 && id >> 16 < GENERATIONS);
	assert_int_equal(*fate_of(id), NEVER);
	*fate_of(id) = RESERVED;
	owner_of[id & 0xffff][id >> 16] = owner;
}

static void model_publish(u64 id)
{
	request_publish(&table, id);
	if (*fate_of(id) == RESERVED)
		*fate_of(id) = FLYING;
}

static void model_take(u64 id)
{
	static const int rules[] = {
		[NEVER] = CORE_RULE_COMPLETION_UNKNOWN, [RESERVED] = CORE_RULE_COMPLETION_EARLY, [FLYING] = 0,
		[TAKEN] = CORE_RULE_COMPLETION_STALE, [OVER] = CORE_RULE_COMPLETION_STALE,
	};
	void *owner = NULL;

	assert_int_equal(request_take(&table, id, &owner), rules[*fate_of(id)]);
	if (*fate_of(id) != FLYING) {
		assert_null(owner);
		return;
	}
	assert_ptr_equal(owner, owner_of[id & 0xffff][id >> 16]);
	*fate_of(id) = TAKEN;
}

static void model_release(u64 id)
{
	request_release(&table, id);
	if (*fate_of(id) == RESERVED || *fate_of(id) == TAKEN)
		*fate_of(id) = OVER;
}

static void model_reclaim(void)
{
	u32 slot, generation, flying = 0;
	void *owner;
	u64 id = 0;

	for (slot = 1; slot <= SLOTS; slot++)
		for (generation = 0; generation < GENERATIONS; generation++)
			flying += fates[slot][generation] == FLYING;
	owner = request_reclaim(&table, &id);
	assert_int_equal(!owner, !flying);
	if (!owner)
		return;
	assert_int_equal(*fate_of(id), FLYING);
	assert_ptr_equal(owner, owner_of[id & 0xffff][id >> 16]);
	*fate_of(id) = TAKEN;
}

/* An id in or near what is in use, or nonsense. */
static u64 some_id(u32 *seed, u32 step)
{
	if (!random_below(seed, 20))
		return (u64)next_random(seed) << 40 | next_random(seed);
	return random_below(seed, SLOTS + 2) | (u64)random_below(seed, step / 10 + 3) << 16;
}

static void each_id_has_the_fate_a_naive_table_says(void **state)
{
	u32 seed = 1, step, round;
	u64 id;

	(void)state;
	for (round = 0; round < 30; round++) {
		request_table_destroy(&table);
		assert_int_equal(request_table_create(&table, SLOTS), 0);
		memset(fates, 0, sizeof(fates));
		for (step = 0; step < 500; step++) {
			id = some_id(&seed, step);
			switch (random_below(&seed, 12)) {
			case 0 ... 3:
				model_reserve(&seed);
				break;
			case 4 ... 6:
				model_publish(id);
				break;
			case 7 ... 8:
				model_take(id);
				break;
			case 9 ... 10:
				model_release(id);
				break;
			default:
				if (!random_below(&seed, 10))
					model_reclaim();
			}
		}
	}
}

/* All sequences of a few operations on a table of one slot, each against the fates. */
static void no_short_sequence_of_operations_is_special(void **state)
{
	u32 sequence, step, left, seed = 1;
	u64 id;

	(void)state;
	for (sequence = 0; sequence < 531441; sequence++) {	/* 9 to the power of 6 */
		if (sequence % 9 != 0)
			continue;	/* nothing is there before something is reserved */
		request_table_destroy(&table);
		assert_int_equal(request_table_create(&table, 1), 0);
		memset(fates, 0, sizeof(fates));
		for (step = 0, left = sequence; step < 6; step++, left /= 9) {
			id = 1 | (left % 9 & 1 ? 1 : 2) << 16;
			switch (left % 9) {
			case 0:
				fates[2][0] = RESERVED;	/* the model's other slots are busy for ever */
				fates[3][0] = RESERVED;
				model_reserve(&seed);
				break;
			case 1 ... 2:
				model_publish(id);
				break;
			case 3 ... 4:
				model_take(id);
				break;
			case 5 ... 6:
				model_release(id);
				break;
			case 7:
				model_reclaim();
				break;
			}
		}
	}
}

/* ---- among threads ---- */

#define THREADS 4
#define ROUNDS 20000

static u32 completed[THREADS];

/* Each takes what it, or another, has sent; in the end all were taken once. */
static void *send_and_complete(void *argument)
{
	u32 number = (u32 *)argument - completed, seed = number, i;
	void *owner;
	u64 id;

	for (i = 0; i < ROUNDS; ) {
		id = request_reserve(&table, &completed[number]);
		if (id) {
			request_publish(&table, id);
			i++;
		}
		id = random_below(&seed, 4) + 1 + ((u64)(random_below(&seed, 100) + i) << 16);
		if (request_take(&table, id, &owner))
			owner = request_reclaim(&table, &id);
		if (owner) {
			__atomic_add_fetch((u32 *)owner, 1, __ATOMIC_RELAXED);
			request_release(&table, id);
		}
	}
	return NULL;
}

static int start_threads(void **state)
{
	(void)state;
	shim_start(true, 2);
	memset(completed, 0, sizeof(completed));
	return request_table_create(&table, 4);
}

static void each_request_is_completed_once_among_threads(void **state)
{
	pthread_t threads[THREADS];
	u32 *owner, i;
	u64 id;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_and_complete, &completed[i]), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while ((owner = request_reclaim(&table, &id)))
		++*owner;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(completed[i], ROUNDS);
	assert_int_equal(table.in_flight, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_is_a_slot_and_a_generation),
		TEST(an_id_is_good_once_it_is_published),
		TEST(an_id_is_good_once),
		TEST(an_id_of_an_earlier_use_is_stale),
		TEST(an_id_that_was_never_given_out_is_unknown),
		TEST(what_is_in_flight_is_not_released),
		TEST(a_release_of_what_is_not_ours_does_nothing),
		TEST(a_full_table_gives_no_id),
		TEST(a_slot_is_used_again_as_late_as_possible),
		TEST(a_request_without_an_owner_is_refused),
		TEST(sizes_that_cannot_be_are_refused),
		TEST(a_table_that_was_not_created_holds_nothing),
		TEST(the_largest_table_has_65535_ids),
		TEST(a_destroyed_table_knows_nobody),
		TEST(reclaiming_takes_what_is_in_flight_and_nothing_else),
		TEST(each_id_has_the_fate_a_naive_table_says),
		TEST(no_short_sequence_of_operations_is_special),
		cmocka_unit_test_setup_teardown(each_request_is_completed_once_among_threads, start_threads, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
