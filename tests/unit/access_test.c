// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door to host memory: what is copied is what lay there at the moment of one fetch, each
 * byte is fetched once, and nothing beside the range is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "access.h"
#include "bytes.h"

/*
 * Long ranges as they are fetched outside of testing builds, which are told of every word: the
 * same source once more.
 */
#undef AIRLOCK_FETCH_HOOK
#define host_fetch_range plain_fetch_range
#define host_store plain_store
#define host_clear plain_clear
void plain_fetch_range(void *to, const void __host *from, u32 size);
void plain_store(void __host *to, const void *from, u32 size);
void plain_clear(void __host *to, u32 size);
#include "../../bounce/access.c"
#undef host_fetch_range
#undef host_store
#undef host_clear
#undef fetch_long

#define SIZES 1200
#define PLACES 9		/* alignments */

static const void __host *host(const void *at)
{
	return (const void __host *)(unsigned long)at;
}

static u8 pattern(u32 at)
{
	return at * 7 + at / 256 + 1;
}

/* ---- ranges ---- */

/* In blocks of exactly their size, for AddressSanitizer. */
static void try_fetch(void (*fetch)(void *to, const void __host *from, u32 size), u32 place, u32 size)
{
	u8 *from = malloc(place + size + 1), *to = malloc(place + size + 1);
	u32 i;

	for (i = 0; i < place + size; i++)
		from[i] = pattern(i);
	memset(to, STALE, place + size + 1);
	fetch(to + place, host(from + place), size);
	for (i = 0; i < place + size + 1; i++)
		assert_int_equal(to[i], i < place || i == place + size ? STALE : pattern(i));
	free(from);
	free(to);
}

static void ranges_of_all_sizes_are_fetched_from_any_address(void **state)
{
	u32 place, size;

	(void)state;
	for (place = 0; place < PLACES; place++)
		for (size = 0; size < SIZES; size += 1 + size / 100) {
			try_fetch(host_fetch_range, place, size);
			try_fetch(plain_fetch_range, place, size);
		}
}

static void sizes_known_to_the_compiler_are_fetched(void **state)
{
	u8 from[32], to[33];
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(from); i++)
		from[i] = pattern(i);
	memset(to, STALE, sizeof(to));
	host_fetch(to, host(from), 16);
	assert_memory_equal(to, from, 16);
	assert_int_equal(to[16], STALE);
	host_fetch(to, host(from), 32);
	assert_memory_equal(to, from, 32);
	assert_int_equal(to[32], STALE);
	host_fetch(to + 1, host(from + 3), 5);
	assert_memory_equal(to + 1, from + 3, 5);
	assert_int_equal(to[6], from[6]);
}

static void stores_and_clears_touch_their_range_only(void **state)
{
	u8 from[64], to[66];
	u32 size, i;

	(void)state;
	for (i = 0; i < sizeof(from); i++)
		from[i] = pattern(i);
	for (size = 0; size <= sizeof(from); size++) {
		memset(to, STALE, sizeof(to));
		host_store((void __host *)(unsigned long)(to + 1), from, size);
		assert_int_equal(to[0], STALE);
		assert_memory_equal(to + 1, from, size);
		assert_int_equal(to[1 + size], STALE);
		host_clear((void __host *)(unsigned long)(to + 1), size);
		assert_int_equal(to[0], STALE);
		for (i = 0; i < size; i++)
			assert_int_equal(to[1 + i], 0);
		assert_int_equal(to[1 + size], STALE);
	}
}

/* ---- a host that writes meanwhile ---- */

static struct {
	u8 *memory;
	u32 size;
	u8 fetched[SIZES];	/* how often */
	u32 calls;
} scene;

static void count_fetches(const void *at, u32 size)
{
	u32 offset = (const u8 *)at - scene.memory, i;

	scene.calls++;
	assert_true(offset <= scene.size && size <= scene.size - offset);
	for (i = 0; i < size; i++)
		scene.fetched[offset + i]++;
}

/* What is about to be fetched changes now; what has been fetched is overwritten. */
static void overwrite_behind_the_fetch(const void *at, u32 size)
{
	u32 offset = (const u8 *)at - scene.memory;

	count_fetches(at, size);
	memset(scene.memory, 0xee, offset);
	memset(scene.memory + offset, 0x11, size);
}

static void start_scene(u32 size, void (*hook)(const void *at, u32 size))
{
	memset(&scene, 0, sizeof(scene));
	scene.memory = malloc(size + 1);
	scene.size = size;
	memset(scene.memory, STALE, size);
	airlock_fetch_hook = hook;
}

static void end_scene(void)
{
	airlock_fetch_hook = NULL;
	free(scene.memory);
}

static void each_byte_is_fetched_once(void **state)
{
	u8 to[SIZES];
	u32 size, i;

	(void)state;
	for (size = 0; size < SIZES; size += 1 + size / 50) {
		start_scene(size, count_fetches);
		host_fetch(to, host(scene.memory), size);
		for (i = 0; i < size; i++)
			assert_int_equal(scene.fetched[i], 1);
		assert_int_equal(scene.calls, size / 8 + size % 8);
		end_scene();
	}
}

static void each_byte_of_a_known_size_is_fetched_once(void **state)
{
	u8 to[16];
	u32 i;

	(void)state;
	start_scene(sizeof(to), count_fetches);
	host_fetch(to, host(scene.memory), sizeof(to));
	for (i = 0; i < sizeof(to); i++)
		assert_int_equal(scene.fetched[i], 1);
	end_scene();
}

static void what_is_written_after_its_fetch_is_not_seen(void **state)
{
	u8 to[SIZES];
	u32 size, i;

	(void)state;
	for (size = 0; size < SIZES; size += 1 + size / 50) {
		start_scene(size, overwrite_behind_the_fetch);
		host_fetch(to, host(scene.memory), size);
		for (i = 0; i < size; i++)
			assert_int_equal(to[i], 0x11);
		end_scene();
	}
}

static void what_is_stored_is_never_read_back(void **state)
{
	u8 from[100] = { 0 };

	(void)state;
	start_scene(sizeof(from), count_fetches);
	host_store((void __host *)(unsigned long)scene.memory, from, sizeof(from));
	host_clear((void __host *)(unsigned long)scene.memory, sizeof(from));
	assert_int_equal(scene.calls, 0);
	end_scene();
}

/* ---- words ---- */

/* The kernel sets bits of longs, so that a word has a neighbour, as it has in every page. */
static u32 words[2] __aligned(8);
#define word (words[0])

static u32 __host *host_of_word(void)
{
	return (u32 __host *)(unsigned long)&word;
}

static void words_are_loaded_and_stored(void **state)
{
	(void)state;
	word = 0x12345678;
	assert_int_equal(host_load32(host_of_word()), 0x12345678);
	assert_int_equal(host_load32_acquire(host_of_word()), 0x12345678);
	host_store32(host_of_word(), 0x9abcdef0);
	assert_int_equal(word, 0x9abcdef0);
	host_store32_release(host_of_word(), 5);
	assert_int_equal(word, 5);
}

static void a_word_that_is_taken_is_zero_afterwards(void **state)
{
	(void)state;
	word = 0x80000001;
	assert_int_equal(host_take32(host_of_word()), 0x80000001);
	assert_int_equal(word, 0);
	assert_int_equal(host_take32(host_of_word()), 0);
}

static void a_word_is_replaced_only_if_it_is_what_was_expected(void **state)
{
	(void)state;
	word = 3;
	assert_false(host_replace32(host_of_word(), 2, 9));
	assert_int_equal(word, 3);
	assert_true(host_replace32(host_of_word(), 3, 9));
	assert_int_equal(word, 9);
}

static void a_bit_is_set_and_no_other_changes(void **state)
{
	(void)state;
	word = 0x00010001;
	host_set_bit32(host_of_word(), 31);
	assert_int_equal(word, 0x80010001);
	host_set_bit32(host_of_word(), 0);
	assert_int_equal(word, 0x80010001);
}

/* The bits of longs are what is set; either half of one may be the word that is meant. */
static void a_bit_is_set_in_either_half_of_a_long(void **state)
{
	static u32 halves[2] __aligned(8);

	(void)state;
	host_set_bit32((u32 __host *)(unsigned long)&halves[1], 3);
	assert_int_equal(halves[0], 0);
	assert_int_equal(halves[1], 8);
	host_set_bit32((u32 __host *)(unsigned long)&halves[0], 31);
	assert_int_equal(halves[0], 0x80000000);
	assert_int_equal(halves[1], 8);
}

/* Each of them is one look at the word; a store is none. */
static void words_are_fetched_once(void **state)
{
	(void)state;
	start_scene(4, count_fetches);
	free(scene.memory);
	scene.memory = (u8 *)&word;
	(void)host_load32(host_of_word());
	assert_int_equal(scene.calls, 1);
	(void)host_load32_acquire(host_of_word());
	assert_int_equal(scene.calls, 2);
	(void)host_take32(host_of_word());
	assert_int_equal(scene.calls, 3);
	(void)host_replace32(host_of_word(), 0, 1);
	assert_int_equal(scene.calls, 4);
	host_store32(host_of_word(), 1);
	host_store32_release(host_of_word(), 1);
	host_set_bit32(host_of_word(), 1);
	assert_int_equal(scene.calls, 4);
	airlock_fetch_hook = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_all_sizes_are_fetched_from_any_address),
		cmocka_unit_test(sizes_known_to_the_compiler_are_fetched),
		cmocka_unit_test(stores_and_clears_touch_their_range_only),
		cmocka_unit_test(each_byte_is_fetched_once),
		cmocka_unit_test(each_byte_of_a_known_size_is_fetched_once),
		cmocka_unit_test(what_is_written_after_its_fetch_is_not_seen),
		cmocka_unit_test(what_is_stored_is_never_read_back),
		cmocka_unit_test(words_are_loaded_and_stored),
		cmocka_unit_test(a_word_that_is_taken_is_zero_afterwards),
		cmocka_unit_test(a_word_is_replaced_only_if_it_is_what_was_expected),
		cmocka_unit_test(a_bit_is_set_and_no_other_changes),
		cmocka_unit_test(a_bit_is_set_in_either_half_of_a_long),
		cmocka_unit_test(words_are_fetched_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
