/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builders of the shapes in sends.spec: whatever the room, from none to enough, nothing is
 * written outside of it (each room is a heap block of its own, under a sanitizer); what is
 * built has exactly the bytes meant, with zeros where nobody looks, and its validator takes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "sends.h"

static struct sends_context ctx;
static const u8 many[40] = {
	1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0, 16, 0,
};

#define part(bytes) (struct wire_slice){ many, bytes }
#define slice(...) (struct wire_slice){ (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }) }

static u8 *stale_room(u32 bytes)
{
	u8 *to = malloc(bytes ? bytes : 1);

	assert_non_null(to);
	memset(to, STALE, bytes);
	return to;
}

/* Rooms from none to more than enough; "build" and "check" speak of to, room and size. */
#define assert_builds(build, check, text) do {					\
		struct bytes expected = { NULL, 0 };				\
		u32 room, size;							\
		u8 *to;								\
										\
		put_hex(&expected, text);					\
		for (room = 0; room < expected.size; room++) {			\
			to = stale_room(room);					\
			assert_int_not_equal(build, 0);				\
			free(to);						\
		}								\
		for (room = expected.size; room < expected.size + 20; room++) {	\
			to = stale_room(room);					\
			assert_int_equal(build, 0);				\
			assert_int_equal(size, expected.size);			\
			assert_memory_equal(to, expected.data, size);		\
			for (u32 behind = size; behind < room; behind++)	\
				assert_int_equal(to[behind], STALE);		\
			assert_int_equal(check, 0);				\
			free(to);						\
		}								\
		bytes_clear(&expected);						\
	} while (0)

#define builds(name, text, ...) do {						\
		struct sends_##name m = { __VA_ARGS__ }, view;			\
		assert_builds(sends_build_##name(to, room, &m, &size),		\
			      sends_check_##name(to, size, &view), text);	\
	} while (0)

#define builds_with_context(name, text, ...) do {				\
		struct sends_##name m = { __VA_ARGS__ }, view;			\
		assert_builds(sends_build_##name(to, room, &ctx, &m, &size),	\
			      sends_check_##name(to, size, &ctx, &view), text);	\
	} while (0)

#define refuses(rule, name, ...) do {						\
		struct sends_##name m = { __VA_ARGS__ };			\
		u32 size;							\
		u8 *to = stale_room(200);					\
										\
		assert_int_equal(sends_build_##name(to, 200, &m, &size), SENDS_RULE_##rule);	\
		free(to);							\
	} while (0)

static void fixed_fields_follow_variable_ones_again_and_again(void **state)
{
	(void)state;
	builds(blobs, "01 02 05 78 56 34 12 | 01 00 02 00 03 | 04 03 02 01 aa bb | 00 00 |"
	       "08 07 06 05 04 03 02 01 | 00 00 00 00 | 00 00",
	       .header.count = 2, .length = 5, .before = 0x12345678, .data = part(5), .after = 0x01020304,
	       .check = 0xaabb, .end = 0x0102030405060708);
	builds(blobs, "01 01 00 00 00 00 00 | | 00 00 00 00 00 00 | 00 | 01 00 00 00 00 00 00 00 | 00 00 | 00 00",
	       .header.count = 1, .end = 1);
}

static void a_variable_field_that_is_not_as_long_as_told_is_not_sent(void **state)
{
	(void)state;
	refuses(BLOBS_LENGTH_LIMIT, blobs, .header.count = 1, .length = 41);
	refuses(HEADER_COUNT_RANGE, blobs, .header.count = 9);
	refuses(BLOBS_TRAILING, blobs, .header.count = 1, .length = 4, .data = part(5));
	refuses(BLOBS_END_BOUNDS, blobs, .header.count = 1, .length = 5, .data = part(0));
}

static void a_mixture_is_built_with_and_without_its_first_part(void **state)
{
	(void)state;
	builds(mixed, "02 02 | 01 01 00 00 02 | 03 | 61 62 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |"
	       "01 00 02 00 | 02 09 03 07 01",
	       .header.count = 2, .n = 4, .part = { .x = 1, .data = part(2), .y = 2 }, .sort = 3,
	       .name = slice('a', 'b'), .words = part(4), .list = slice(2, 9, 3, 7, 1));
	builds(mixed, "02 04 | 07 00 | 01 01 00 02 00 00 02 05 00 00 00 | 03 | 61 62 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |"
	       "01 00 02 00 03 00 04 00 | ",
	       .header.count = 4, .n = 8, .extra = 7, .part = { .x = 1, .data = part(4), .y = 2, .z = 5 }, .sort = 3,
	       .name = slice('a', 'b'), .words = part(8));
}

static void a_let_that_lies_is_noticed(void **state)
{
	(void)state;
	refuses(MIXED_SORT_BOUNDS, mixed, .header.count = 8, .n = 4, .part = { .data = part(2) }, .sort = 3);
	refuses(MIXED_NAME_ASCII, mixed, .header.count = 1, .n = 2, .part = { .data = part(1) }, .sort = 3,
		.name = slice(200), .words = part(2));
}

static void structs_lie_in_structs_at_odd_places(void **state)
{
	(void)state;
	builds(nested, "03 04 | 11 00 | 01 01 00 02 00 00 02 03 00 00 00 | 5a | 04 01 00 00 05 | 06 00 07 |"
	       "e0 e1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 | 03 01 00 |"
	       "21 00 | 08 01 00 00 09 | 5a | 0a 01 00 0b | 0c 00 0d",
	       .header.count = 4,
	       .part = { .first = 0x11, .left = { .x = 1, .data = part(4), .y = 2, .z = 3 },
			 .right = { .x = 4, .data = part(2), .y = 5 }, .last = { 6, 7 } },
	       .id = slice(0xe0, 0xe1), .rest = { .bytes_used = 3, .data = part(2) },
	       .more = { .first = 0x21, .left = { .x = 8, .data = part(2), .y = 9 },
			 .right = { .x = 10, .data = part(1), .y = 11 }, .last = { 12, 13 } });
}

static void halves_may_differ_in_length(void **state)
{
	(void)state;
	ctx.wide = 0;
	builds_with_context(branches, "04 01 01 00 | 07 | 08 00 00 00 | 00 | 09",
			    .header.count = 1, .flags = SENDS_MARK_LOW, .f = 7, .g = 8, .k = 9);
	ctx.wide = 1;
	builds_with_context(branches, "04 05 00 80 | 01 00 | 02 01 00 02 00 03 | 03 | 08 00 00 00 | 04 00 05 00 | 09",
			    .header.count = 5, .flags = SENDS_MARK_HIGH, .a = 1, .b = 2, .c = part(5), .e = 3,
			    .g = 8, .h = 4, .i = 5, .k = 9);
	builds_with_context(branches, "04 04 01 80 | 01 00 | 02 00 00 00 00 00 00 00 | 03 | 08 00 00 00 | 04 00 05 00 | 09",
			    .header.count = 4, .flags = SENDS_MARK_HIGH | SENDS_MARK_LOW, .a = 1, .d = 2, .e = 3,
			    .g = 8, .h = 4, .i = 5, .k = 9);
}

static void what_has_one_value_is_filled_in_and_what_nobody_looks_at_is_zero(void **state)
{
	(void)state;
	builds(words, "05 03 | 05 c8 ff ff | 01 02 03 04 | 00 00 | e0 e1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |"
	       "61 00 62 00 00 00 00 00 | 12 34 00 00 | 01 00 02 00",
	       .header = { .kind = 77, .count = 7 }, .bits_low = 5, .bits_middle = 200, .bits_high = 0xffff,
	       .id = slice(0xe0, 0xe1), .name = slice('a', 0, 'b', 0), .two = slice(0x12, 0x34), .tail = part(4));
	refuses(WORDS_BITS_MIDDLE_LIMIT, words, .bits_middle = 201);
	refuses(WORDS_SIZE, words, .tail = part(5));
	refuses(WORDS_SIZE, words, .name = part(9));
}

static void what_may_trail_is_not_sent(void **state)
{
	(void)state;
	builds(tail, "06 03 03 00 | 61 00 00 | 04 | 01 00 00 64",
	       .header.count = 3, .length = 3, .room = 4, .name = slice('a', 0, 0), .pairs = slice(1, 0, 0, 100));
	refuses(PAIR_B_RANGE, tail, .header.count = 3, .room = 4, .pairs = slice(1, 0, 0, 101));
}

static void a_frame_has_no_header(void **state)
{
	(void)state;
	builds(envelope, "09 00 | 01 00 02 | 04 00 00 00", .size_told = 9, .blob = part(3), .seal = 4);
	builds(envelope, "06 00 | | 04 00 00 00", .size_told = 6, .seal = 4);
	refuses(ENVELOPE_SHORT, envelope, .size_told = 94 + 2, .blob = (struct wire_slice){ (const u8[90]){ 0 }, 90 });
}

/* Any lengths whatever in the view: refused or whole, and never outside of the room. */
static void lengths_that_do_not_fit_together_write_nowhere_else(void **state)
{
	u32 room, a, b, size, built = 0, refused = 0;
	u8 *to;

	(void)state;
	for (room = 0; room < 90; room++)
		for (a = 0; a <= sizeof(many); a += 3)
			for (b = 0; b < 10; b++) {
				struct sends_mixed m = {
					.header.count = (u8)b, .n = 2 * b, .part.data = part(b), .sort = 3,
					.name = part(1), .words = part(2 * b), .list = part(a),
				};
				struct sends_blobs blobs = { .header.count = (u8)b, .length = (u8)a, .data = part(a) };

				to = stale_room(room);
				if (sends_build_mixed(to, room, &m, &size))
					refused++;
				else
					built += size <= room;
				if (sends_build_blobs(to, room, &blobs, &size))
					refused++;
				else
					built += size <= room;
				free(to);
			}
	assert_int_equal(built + refused, 90 * 14 * 10 * 2);
	assert_true(built > 1000 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_fields_follow_variable_ones_again_and_again),
		cmocka_unit_test(a_variable_field_that_is_not_as_long_as_told_is_not_sent),
		cmocka_unit_test(a_mixture_is_built_with_and_without_its_first_part),
		cmocka_unit_test(a_let_that_lies_is_noticed),
		cmocka_unit_test(structs_lie_in_structs_at_odd_places),
		cmocka_unit_test(halves_may_differ_in_length),
		cmocka_unit_test(what_has_one_value_is_filled_in_and_what_nobody_looks_at_is_zero),
		cmocka_unit_test(what_may_trail_is_not_sent),
		cmocka_unit_test(a_frame_has_no_header),
		cmocka_unit_test(lengths_that_do_not_fit_together_write_nowhere_else),
	};

	return cmocka_run_group_tests_name("builders: shapes", tests, NULL, NULL);
}
