// SPDX-License-Identifier: GPL-2.0-only
/*
 * What disks say of themselves: what is believed of it, and that no byte is looked at that
 * was not transferred (each answer lies in memory of just that size).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/errno.h>

#include "content.h"

/* Memory that ends where the answer ends. */
static u8 *answer(const void *bytes, u32 size)
{
	u8 *p = malloc(size ? size : 1);

	assert_non_null(p);
	memcpy(p, bytes, size);
	return p;
}

static void put_be(u8 *p, u64 value, u32 width)
{
	for (; width--; value >>= 8)
		p[width] = (u8)value;
}

static int capacity10(u32 last, u32 block, u32 bytes, struct content_capacity *c)
{
	u8 data[8], *p;
	int error;

	put_be(data, last, 4);
	put_be(data + 4, block, 4);
	p = answer(data, bytes);
	error = content_capacity10(p, bytes, c);
	free(p);
	return error;
}

static int capacity16(u64 last, u32 block, u32 bytes, struct content_capacity *c)
{
	u8 data[32] = { 0 }, *p;
	int error;

	put_be(data, last, 8);
	put_be(data + 8, block, 4);
	data[13] = 0xf3;
	data[14] = 0xc0;
	p = answer(data, bytes);
	error = content_capacity16(p, bytes, c);
	free(p);
	return error;
}

static void a_capacity_is_taken_as_it_is(void **state)
{
	struct content_capacity c;

	(void)state;
	assert_int_equal(capacity10(99, 512, 8, &c), 0);
	assert_int_equal(c.last_block, 99);
	assert_int_equal(c.block_bytes, 512);
	assert_int_equal(c.physical_bytes, 512);
	assert_int_equal(capacity16(0x123456789, 4096, 32, &c), 0);
	assert_int_equal(c.last_block, 0x123456789);
	assert_int_equal(c.physical_bytes, 4096 << 3);
	assert_true(c.unmap && c.unmap_zeroes);
	assert_int_equal(capacity16(7, 512, 16, &c), 0);
}

static void a_short_capacity_is_none(void **state)
{
	struct content_capacity c;
	u32 size;

	(void)state;
	for (size = 0; size < 8; size++)
		assert_int_equal(capacity10(99, 512, size, &c), -EMSGSIZE);
	for (size = 0; size < 16; size++)
		assert_int_equal(capacity16(99, 512, size, &c), -EMSGSIZE);
}

static void blocks_have_a_size_that_is_possible(void **state)
{
	static const u32 impossible[] = { 0, 1, 256, 511, 513, 520, 1000, 4095, 4097, 8192, 65536, 0x80000000 };
	static const u32 possible[] = { 512, 1024, 2048, 4096 };
	struct content_capacity c;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(impossible) / sizeof(*impossible); i++) {
		assert_int_equal(capacity10(99, impossible[i], 8, &c), -EINVAL);
		assert_int_equal(capacity16(99, impossible[i], 32, &c), -EINVAL);
	}
	for (i = 0; i < sizeof(possible) / sizeof(*possible); i++) {
		assert_int_equal(capacity10(99, possible[i], 8, &c), 0);
		assert_int_equal(capacity16(99, possible[i], 32, &c), 0);
	}
}

static void a_size_in_bytes_fits_into_63_bits(void **state)
{
	const u64 most = INT64_MAX >> 12;
	struct content_capacity c;

	(void)state;
	assert_int_equal(capacity16(UINT64_MAX, 512, 32, &c), -ERANGE);
	assert_int_equal(capacity16(most, 4096, 32, &c), -ERANGE);
	assert_int_equal(capacity16(most - 1, 4096, 32, &c), 0);
	assert_int_equal(capacity16(INT64_MAX >> 9, 512, 32, &c), -ERANGE);
	assert_int_equal(capacity16((INT64_MAX >> 9) - 1, 512, 32, &c), 0);
}

static void a_capacity_beyond_32_bits_is_asked_for_by_the_longer_command(void **state)
{
	struct content_capacity c;

	(void)state;
	assert_int_equal(capacity10(UINT32_MAX, 512, 8, &c), -EOVERFLOW);
	assert_int_equal(capacity10(UINT32_MAX - 1, 512, 8, &c), 0);
}

static void a_disk_in_use_does_not_shrink(void **state)
{
	const struct content_capacity before = { .last_block = 100, .block_bytes = 512 };
	const struct content_capacity smaller = { .last_block = 99, .block_bytes = 512 };
	const struct content_capacity larger = { .last_block = 101, .block_bytes = 512 };
	const struct content_capacity other = { .last_block = 100, .block_bytes = 4096 };

	(void)state;
	assert_true(content_may_become(&before, &before, true));
	assert_true(content_may_become(&larger, &before, true));
	assert_false(content_may_become(&smaller, &before, true));
	assert_false(content_may_become(&other, &before, true));
	assert_true(content_may_become(&smaller, &before, false));
	assert_true(content_may_become(&other, &before, false));
}

/* REPORT LUNS data with these LUNs; @named: the list length it says. */
static u32 luns_of(const u8 *entries, u32 count, u32 named, u32 bytes, u8 *luns, u32 room)
{
	u8 *data = calloc(1, 8 + 8 * count), *p;
	u32 found, i;

	assert_non_null(data);
	put_be(data, named, 4);
	for (i = 0; i < count; i++)
		data[8 + 8 * i + 1] = entries[i];
	p = answer(data, bytes);
	found = content_luns(p, bytes, luns, room);
	free(p);
	free(data);
	return found;
}

static void luns_are_listed(void **state)
{
	static const u8 entries[] = { 0, 1, 7, 255 };
	u8 luns[CONTENT_LUNS_MAX];

	(void)state;
	assert_int_equal(luns_of(entries, 4, 32, 40, luns, sizeof(luns)), 4);
	assert_memory_equal(luns, entries, 4);
}

static void a_list_ends_where_the_transfer_ended(void **state)
{
	static const u8 entries[] = { 0, 1, 7, 255 };
	u8 luns[CONTENT_LUNS_MAX];

	(void)state;
	assert_int_equal(luns_of(entries, 4, UINT32_MAX, 40, luns, sizeof(luns)), 4);
	assert_int_equal(luns_of(entries, 4, 0x10000, 31, luns, sizeof(luns)), 2);
	assert_int_equal(luns_of(entries, 4, 9, 40, luns, sizeof(luns)), 1);
	assert_int_equal(luns_of(entries, 4, 32, 8, luns, sizeof(luns)), 0);
	assert_int_equal(luns_of(entries, 4, 32, 7, luns, sizeof(luns)), 0);
	assert_int_equal(luns_of(entries, 4, 32, 0, luns, sizeof(luns)), 0);
}

static void a_lun_is_listed_once_and_no_more_than_there_is_room(void **state)
{
	static const u8 entries[] = { 3, 3, 0, 3, 0, 5 };
	static const u8 once[] = { 3, 0, 5 };
	u8 luns[CONTENT_LUNS_MAX], many[600];
	u32 i;

	(void)state;
	assert_int_equal(luns_of(entries, 6, 48, 56, luns, sizeof(luns)), 3);
	assert_memory_equal(luns, once, 3);
	assert_int_equal(luns_of(entries, 6, 48, 56, luns, 2), 2);
	for (i = 0; i < sizeof(many); i++)
		many[i] = (u8)i;
	assert_int_equal(luns_of(many, 600, 4800, 4808, luns, sizeof(luns)), 256);
}

static void luns_in_other_methods_of_addressing_are_passed_over(void **state)
{
	static const u8 odd[][8] = {
		{ 0x40, 1 }, { 0x80, 1 }, { 0xc1, 1 }, { 0x01, 1 }, { 0, 1, 0, 1 }, { 0, 1, 1 }, { 0, 1, 0, 0, 0, 0, 0, 1 },
	};
	u8 luns[4], data[16] = { 0 };
	u32 i;

	(void)state;
	data[3] = 8;
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		memcpy(data + 8, odd[i], 8);
		assert_int_equal(content_luns(data, 16, luns, 4), 0);
	}
}

static void an_inquiry_says_what_was_transferred_of_it(void **state)
{
	u8 data[36] = { 0x05, 0x80, 0x05, 0x02, 31 }, *p;
	struct content_inquiry i;
	u32 size;

	(void)state;
	assert_int_equal(content_inquiry(data, 36, &i), 0);
	assert_true(i.present && i.removable);
	assert_int_equal(i.type, 5);
	assert_int_equal(i.version, 5);
	assert_int_equal(i.bytes, 36);
	data[4] = 255;
	for (size = 0; size <= 36; size++) {
		p = answer(data, size);
		assert_int_equal(content_inquiry(p, size, &i), size < 5 ? -EMSGSIZE : 0);
		if (size >= 5)
			assert_int_equal(i.bytes, size);
		free(p);
	}
	data[4] = 1;
	assert_int_equal(content_inquiry(data, 36, &i), 0);
	assert_int_equal(i.bytes, 6);
	data[0] = 0x7f;
	assert_int_equal(content_inquiry(data, 36, &i), 0);
	assert_false(i.present);
	data[0] = 0x20;
	assert_int_equal(content_inquiry(data, 36, &i), 0);
	assert_false(i.present);
}

static void a_page_is_the_one_that_was_asked_for_and_no_longer_than_it_came(void **state)
{
	u8 data[12] = { 0, 0x83, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct content_page page;

	(void)state;
	assert_int_equal(content_page(data, 12, 0x83, &page), 0);
	assert_ptr_equal(page.body, data + 4);
	assert_int_equal(page.bytes, 8);
	assert_int_equal(content_page(data, 12, 0x80, &page), -EINVAL);
	assert_int_equal(content_page(data, 3, 0x83, &page), -EMSGSIZE);
	data[2] = 0xff;
	assert_int_equal(content_page(data, 9, 0x83, &page), 0);
	assert_int_equal(page.bytes, 5);
}

static int limits(const u8 *body, u32 bytes, struct content_limits *l)
{
	u8 data[64] = { 0, 0xb0, 0, 60 }, *p;
	int error;

	memcpy(data + 4, body, 60);
	p = answer(data, bytes);
	error = content_block_limits(p, bytes, 512, 0x40000, l);
	free(p);
	return error;
}

static void limits_are_cut_to_what_the_controller_takes(void **state)
{
	struct content_limits l;
	u8 body[60];
	u32 size;

	(void)state;
	memset(body, 0xff, sizeof(body));
	assert_int_equal(limits(body, 64, &l), 0);
	assert_int_equal(l.granularity, 512);
	assert_int_equal(l.most, 512);
	assert_int_equal(l.optimal, 512);
	assert_int_equal(l.unmap_granularity, 0);
	assert_int_equal(l.unmap_alignment, 0);
	assert_int_equal(l.same_blocks, UINT64_MAX);
	for (size = 0; size <= 64; size++)
		assert_int_equal(limits(body, size, &l), size < 16 ? -EMSGSIZE : 0);
}

static void a_granularity_is_a_power_of_two_or_nothing(void **state)
{
	static const struct { u32 granularity, alignment, taken, aligned; } said[] = {
		{ 8, 0x80000003, 8, 3 }, { 8, 3, 8, 0 }, { 8, 0x80000008, 8, 0 }, { 0, 0x80000000, 0, 0 },
		{ 3, 0x80000001, 0, 0 }, { 1 << 20, 0x800fffff, 1 << 20, 0xfffff }, { 1 << 21, 0, 0, 0 },
		{ 0x80000000, 0xffffffff, 0, 0 },
	};
	struct content_limits l;
	u8 body[60] = { 0 };
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(said) / sizeof(*said); i++) {
		put_be(body + 24, said[i].granularity, 4);
		put_be(body + 28, said[i].alignment, 4);
		assert_int_equal(limits(body, 64, &l), 0);
		assert_int_equal(l.unmap_granularity, said[i].taken);
		assert_int_equal(l.unmap_alignment, said[i].aligned);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capacity_is_taken_as_it_is),
		cmocka_unit_test(a_short_capacity_is_none),
		cmocka_unit_test(blocks_have_a_size_that_is_possible),
		cmocka_unit_test(a_size_in_bytes_fits_into_63_bits),
		cmocka_unit_test(a_capacity_beyond_32_bits_is_asked_for_by_the_longer_command),
		cmocka_unit_test(a_disk_in_use_does_not_shrink),
		cmocka_unit_test(luns_are_listed),
		cmocka_unit_test(a_list_ends_where_the_transfer_ended),
		cmocka_unit_test(a_lun_is_listed_once_and_no_more_than_there_is_room),
		cmocka_unit_test(luns_in_other_methods_of_addressing_are_passed_over),
		cmocka_unit_test(an_inquiry_says_what_was_transferred_of_it),
		cmocka_unit_test(a_page_is_the_one_that_was_asked_for_and_no_longer_than_it_came),
		cmocka_unit_test(limits_are_cut_to_what_the_controller_takes),
		cmocka_unit_test(a_granularity_is_a_power_of_two_or_nothing),
	};

	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
