/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Indices and packets in the ring from the host, through the generated validators: honest
 * ones are taken, hostile ones stopped by the rule that is meant to stop them. Ids like
 * R-049 name the attack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "ring.h"

#define RING_BYTES (31 * 4096)

static struct ring_context ctx;
static struct ring_message in;
static struct bytes msg;

static int begin(void **state)
{
	(void)state;
	ctx = (struct ring_context){
		.ring_bytes = RING_BYTES, .available = 4096, .buffer_bytes = 4096,
		.transfer_bytes = 0x100000, .ranges_max = 64, .transfer_set = 0xcafe,
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	bytes_clear(&msg);
	return 0;
}

static int judge(void)
{
	memset(&in, STALE, sizeof(in));
	return ring_receive(msg.data, msg.size, &ctx, &in);
}

#define assert_refused(rule) assert_int_equal(judge(), RING_RULE_##rule)
#define assert_taken(type) do {						\
		assert_int_equal(judge(), 0);				\
		assert_int_equal(in.kind, RING_MSG_##type);		\
	} while (0)

/* ---- indices ---- */

static int write_index(u32 at)
{
	struct ring_inbound_write_index view;

	bytes_clear(&msg);
	put(&msg, at, 4);
	return ring_check_inbound_write_index(msg.data, msg.size, &ctx, &view);
}

static int read_index(u32 at)
{
	struct ring_outbound_read_index view;

	bytes_clear(&msg);
	put(&msg, at, 4);
	return ring_check_outbound_read_index(msg.data, msg.size, &ctx, &view);
}

static void indices(u32 ours, u32 theirs)
{
	ctx.our_index = ours;
	ctx.their_index = theirs;
}

/* */
static void an_index_lies_inside_of_the_ring(void **state)
{
	(void)state;
	indices(0, 0);
	assert_int_equal(write_index(RING_BYTES - 8), 0);
	assert_int_equal(write_index(RING_BYTES), RING_RULE_INDEX_AT_BYTE_LIMIT);
	assert_int_equal(write_index(0xfffffff8), RING_RULE_INDEX_AT_BYTE_LIMIT);
	assert_int_equal(read_index(RING_BYTES), RING_RULE_INDEX_AT_BYTE_LIMIT);
}

/* */
static void an_index_lies_between_two_packets(void **state)
{
	(void)state;
	indices(0, 0);
	assert_int_equal(write_index(4), RING_RULE_INDEX_AT_BYTE_MULTIPLE);
	assert_int_equal(write_index(0x101), RING_RULE_INDEX_AT_BYTE_MULTIPLE);
	assert_int_equal(read_index(0x7c), RING_RULE_INDEX_AT_BYTE_MULTIPLE);
}

/* ST-007: what we have not read lies between our index and theirs, in one piece. */
static void the_host_writes_forward_from_where_it_wrote(void **state)
{
	(void)state;
	indices(0x80, 0x100);
	assert_int_equal(write_index(0x100), 0);
	assert_int_equal(write_index(0x108), 0);
	assert_int_equal(write_index(0xf8), RING_RULE_INBOUND_WRITE_INDEX_FORWARD);
	assert_int_equal(write_index(0x80), RING_RULE_INBOUND_WRITE_INDEX_FORWARD);
}

/* it may go round the end of the ring, but not onto what we have not read. */
static void the_host_writes_round_the_end_as_far_as_we_have_read(void **state)
{
	(void)state;
	indices(0x80, 0x100);
	assert_int_equal(write_index(0), 0);
	assert_int_equal(write_index(0x78), 0);
	indices(0x80, 0x40);
	assert_int_equal(write_index(0x40), 0);
	assert_int_equal(write_index(0x78), 0);
	assert_int_equal(write_index(0x80), RING_RULE_INBOUND_WRITE_INDEX_WRAPPED);
	assert_int_equal(write_index(0x38), RING_RULE_INBOUND_WRITE_INDEX_WRAPPED);
	assert_int_equal(write_index(0x1000), RING_RULE_INBOUND_WRITE_INDEX_WRAPPED);
}

static void an_empty_ring_may_be_filled_all_the_way_round(void **state)
{
	(void)state;
	indices(0x80, 0x80);
	assert_int_equal(write_index(0x80), 0);
	assert_int_equal(write_index(RING_BYTES - 8), 0);
	assert_int_equal(write_index(0x78), 0);
}

/* ST-008 */
static void the_host_reads_forward_and_not_past_what_we_wrote(void **state)
{
	(void)state;
	indices(0x80, 0x40);
	assert_int_equal(read_index(0x40), 0);
	assert_int_equal(read_index(0x80), 0);
	assert_int_equal(read_index(0x38), RING_RULE_OUTBOUND_READ_INDEX_FORWARD);
	assert_int_equal(read_index(0x88), RING_RULE_OUTBOUND_READ_INDEX_FORWARD);
}

/* */
static void the_host_reads_round_the_end_as_far_as_we_wrote(void **state)
{
	(void)state;
	indices(0x80, 0x100);
	assert_int_equal(read_index(0x100), 0);
	assert_int_equal(read_index(RING_BYTES - 8), 0);
	assert_int_equal(read_index(0x80), 0);
	assert_int_equal(read_index(0x88), RING_RULE_OUTBOUND_READ_INDEX_WRAPPED);
	assert_int_equal(read_index(0xf8), RING_RULE_OUTBOUND_READ_INDEX_WRAPPED);
}

static void an_index_has_four_bytes(void **state)
{
	struct ring_inbound_write_index inbound;
	struct ring_outbound_read_index outbound;

	(void)state;
	bytes_resize(&msg, 3);
	assert_int_equal(ring_check_inbound_write_index(msg.data, 3, &ctx, &inbound),
			 RING_RULE_INBOUND_WRITE_INDEX_SIZE);
	assert_int_equal(ring_check_outbound_read_index(msg.data, 3, &ctx, &outbound),
			 RING_RULE_OUTBOUND_READ_INDEX_SIZE);
}

/* the hints may hold anything, the indices may not. */
static void a_control_page_is_four_kilobytes_with_two_indices(void **state)
{
	struct ring_control_page page;

	(void)state;
	put_hex(&msg, "08 00 00 00 | 10 00 00 00 | ff ff ff ff | fe ff ff ff");
	put_zeros(&msg, 48);
	put_hex(&msg, "ff ff ff ff");
	bytes_resize(&msg, 4096);
	assert_int_equal(ring_check_control_page(msg.data, msg.size, &ctx, &page), 0);
	assert_int_equal(page.write.at_byte, 8);
	assert_int_equal(page.read.at_byte, 16);
	assert_int_equal(page.interrupt_mask, 0xffffffff);
	assert_int_equal(page.pending_send_size, 0xfffffffe);
	assert_int_equal(page.features_pending_send_size, 1);
	msg.data[4] = 0x14;
	assert_int_equal(ring_check_control_page(msg.data, msg.size, &ctx, &page),
			 RING_RULE_INDEX_AT_BYTE_MULTIPLE);
	msg.data[2] = 2;
	assert_int_equal(ring_check_control_page(msg.data, msg.size, &ctx, &page),
			 RING_RULE_INDEX_AT_BYTE_LIMIT);
	bytes_resize(&msg, 4095);
	assert_int_equal(ring_check_control_page(msg.data, msg.size, &ctx, &page),
			 RING_RULE_CONTROL_PAGE_SIZE);
}

/* ---- descriptors ---- */

static void descriptor(u16 type, u16 offset8, u16 length8, u16 flags, u64 transaction)
{
	bytes_clear(&msg);
	put(&msg, type, 2);
	put(&msg, offset8, 2);
	put(&msg, length8, 2);
	put(&msg, flags, 2);
	put(&msg, transaction, 8);
}

/* A packet with "payload" bytes behind a plain descriptor. */
static void packet(u16 type, u16 flags, u64 transaction, u32 payload)
{
	descriptor(type, 2, 2 + payload / 8, flags, transaction);
	put_zeros(&msg, payload);
}

static int judge_descriptor(void)
{
	struct ring_header header;

	return ring_check_header(msg.data, &ctx, &header);
}

static void an_honest_completion_is_read_from_its_bytes(void **state)
{
	(void)state;
	put_hex(&msg, "0b 00 02 00 0a 00 00 00 | 02 00 00 00 00 00 00 00");
	put_hex(&msg, "01 00 00 00 00 00 00 00 00 00 00 00 | 00 06 00 00");
	put_zeros(&msg, 48);
	assert_taken(COMPLETION);
	assert_true(in.completion.header.transaction == 2);
	assert_ptr_equal(in.completion.payload.data, msg.data + 16);
	assert_int_equal(in.completion.payload.size, 64);
}

static void an_honest_in_band_packet_is_taken(void **state)
{
	(void)state;
	packet(6, 0, 0, 64);
	assert_taken(IN_BAND);
	assert_int_equal(in.in_band.payload.size, 64);
	packet(6, 0, 0, 0);
	assert_taken(IN_BAND);
	assert_int_equal(in.in_band.payload.size, 0);
}

/* ST-001, ST-003 */
static void a_payload_lies_behind_the_descriptor_and_in_the_packet(void **state)
{
	(void)state;
	descriptor(6, 1, 4, 0, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_OFFSET8_LIMIT);
	descriptor(6, 0, 0, 0, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_OFFSET8_LIMIT);
	descriptor(6, 3, 2, 0, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_INSIDE);
	descriptor(6, 2, 0, 0, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_INSIDE);
	descriptor(6, 2, 2, 0, 0);
	assert_int_equal(judge_descriptor(), 0);
}

/* ST-002: its trailer of 8 bytes counts. */
static void a_packet_is_no_longer_than_what_was_written(void **state)
{
	(void)state;
	descriptor(11, 2, 10, 0, 7);
	ctx.available = 88;
	assert_int_equal(judge_descriptor(), 0);
	ctx.available = 87;
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_IN_RING);
	ctx.available = 80;
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_IN_RING);
	ctx.available = RING_BYTES;
	descriptor(11, 2, 0xffff, 0, 7);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_IN_RING);
}

/* R-050, ST-002 */
static void a_packet_is_no_longer_than_our_room_for_it(void **state)
{
	(void)state;
	descriptor(11, 2, 10, 0, 7);
	ctx.buffer_bytes = 80;
	assert_int_equal(judge_descriptor(), 0);
	ctx.buffer_bytes = 79;
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_IN_BUFFER);
}

/* R-057, ST-011 */
static void a_flag_without_a_meaning_is_refused(void **state)
{
	(void)state;
	descriptor(6, 2, 2, 2, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_FLAGS_RESERVED);
	descriptor(6, 2, 2, 0x8000, 0);
	assert_int_equal(judge_descriptor(), RING_RULE_HEADER_FLAGS_RESERVED);
}

/* R-055, ST-010 */
static void a_type_nobody_knows_is_refused(void **state)
{
	(void)state;
	packet(0, 0, 7, 0);
	assert_refused(HEADER_TYPE_ENUM);
	packet(14, 0, 7, 0);
	assert_refused(HEADER_TYPE_ENUM);
	packet(0xffff, 0, 7, 0);
	assert_refused(HEADER_TYPE_ENUM);
}

static void nothing_shorter_than_a_descriptor_is_a_packet(void **state)
{
	(void)state;
	packet(6, 0, 0, 0);
	bytes_resize(&msg, 15);
	assert_refused(HEADER_SIZE);
}

/* ---- packets ---- */

/* the descriptor that was copied with it is what counts. */
static void a_packet_is_exactly_as_long_as_it_says(void **state)
{
	(void)state;
	packet(6, 0, 0, 64);
	bytes_resize(&msg, 88);
	assert_refused(IN_BAND_WHOLE);
	bytes_resize(&msg, 79);
	assert_refused(IN_BAND_WHOLE);
	packet(11, 0, 7, 64);
	bytes_resize(&msg, 16);
	assert_refused(COMPLETION_WHOLE);
	bytes_resize(&msg, 81);
	assert_refused(COMPLETION_WHOLE);
}

/* ST-004 */
static void no_payload_starts_late_where_nothing_is_to_be_in_front(void **state)
{
	(void)state;
	descriptor(6, 3, 4, 0, 0);
	put_zeros(&msg, 16);
	assert_refused(IN_BAND_PLAIN);
	descriptor(11, 3, 4, 0, 7);
	put_zeros(&msg, 16);
	assert_refused(COMPLETION_PLAIN);
}

/* R-058, ST-011 */
static void the_host_asks_for_completions_only_where_that_is_known(void **state)
{
	(void)state;
	packet(6, 1, 0x55, 64);
	assert_refused(IN_BAND_UNASKED);
	ctx.host_may_ask = 1;
	assert_taken(IN_BAND);
}

/* ST-011 */
static void a_completion_asks_for_no_completion(void **state)
{
	(void)state;
	packet(11, 1, 7, 64);
	assert_refused(COMPLETION_SILENT);
	ctx.host_may_ask = 1;
	assert_refused(COMPLETION_SILENT);
}

/* */
static void a_completion_answers_something(void **state)
{
	(void)state;
	packet(11, 0, 0, 64);
	assert_refused(COMPLETION_OURS);
	packet(11, 0, 1ull << 63, 64);
	assert_taken(COMPLETION);
}

/* it would have us touch memory of its choice. */
static void the_host_names_no_frames_to_us(void **state)
{
	(void)state;
	descriptor(9, 7, 8, 1, 6);
	put_hex(&msg, "00 00 00 00 | 01 00 00 00 | 00 20 00 00 | 00 00 00 00");
	put_zeros(&msg, 32);
	assert_refused(DISPATCH);
}

/* */
static void packets_of_older_days_are_refused(void **state)
{
	static const struct { u16 type, rule; } old[] = {
		{ 1, RING_RULE_SYNCH_REFUSED },
		{ 2, RING_RULE_ADD_TRANSFER_SET_REFUSED },
		{ 3, RING_RULE_REMOVE_TRANSFER_SET_REFUSED },
		{ 4, RING_RULE_ESTABLISH_GPADL_REFUSED },
		{ 5, RING_RULE_TEARDOWN_GPADL_REFUSED },
		{ 8, RING_RULE_GPADL_DATA_REFUSED },
		{ 10, RING_RULE_CANCEL_REFUSED },
		{ 12, RING_RULE_ADDITIONAL_PACKETS_REFUSED },
		{ 13, RING_RULE_ADDITIONAL_DATA_REFUSED },
	};
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(old) / sizeof(*old); i++) {
		packet(old[i].type, 0, 7, 64);
		assert_int_equal(judge(), old[i].rule);
	}
}

/* ---- transfer pages ---- */

struct range {
	u32 bytes, offset;
};

static const struct range honest[] = { { 100, 0 }, { 0x1000, 0xff000 } };

static void compose_transfer(u16 offset8, u16 flags, u16 set, u32 range_count,
			     const struct range *ranges, u32 filled)
{
	u32 i;

	descriptor(7, offset8, offset8 + 1, flags, 0x55);
	put(&msg, set, 2);
	put(&msg, 0xffff, 2);		/* who owns the set: not looked at */
	put(&msg, range_count, 4);
	for (i = 0; i < filled; i++) {
		put(&msg, ranges[i].bytes, 4);
		put(&msg, ranges[i].offset, 4);
	}
	bytes_resize(&msg, offset8 * 8 + 8);
	ctx.takes_transfers = 1;
}

static void transfer(u32 bytes, u32 offset)
{
	struct range range = { bytes, offset };

	compose_transfer(4, 1, 0xcafe, 1, &range, 1);
}

static void an_honest_transfer_is_read_from_its_bytes(void **state)
{
	(void)state;
	ctx.takes_transfers = 1;
	put_hex(&msg, "07 00 04 00 09 00 01 00 | 10 00 00 00 00 00 00 00");
	put_hex(&msg, "fe ca 00 00 01 00 00 00 | 0e 07 00 00 e0 70 00 00");
	put_hex(&msg, "6b 00 00 00 00 00 00 00 ff ff ff ff 00 00 00 00");
	put_zeros(&msg, 24);
	assert_taken(TRANSFER_PAGES);
	assert_true(in.transfer_pages.header.transaction == 16);
	assert_int_equal(in.transfer_pages.range_count, 1);
	assert_ptr_equal(in.transfer_pages.ranges.data, msg.data + 24);
	assert_int_equal(in.transfer_pages.ranges.size, 8);
	assert_ptr_equal(in.transfer_pages.payload.data, msg.data + 32);
	assert_int_equal(in.transfer_pages.payload.size, 40);
}

static void a_transfer_of_several_ranges_is_taken(void **state)
{
	(void)state;
	compose_transfer(6, 1, 0xcafe, 2, honest, 2);	/* one range more would fit */
	assert_taken(TRANSFER_PAGES);
	assert_int_equal(in.transfer_pages.ranges.size, 16);
	assert_int_equal(in.transfer_pages.payload.size, 8);
}

/* */
static void only_channels_with_a_receive_buffer_take_transfers(void **state)
{
	(void)state;
	transfer(100, 0);
	ctx.takes_transfers = 0;
	assert_refused(DISPATCH);
}

/* */
static void a_transfer_has_room_for_the_header_of_its_ranges(void **state)
{
	(void)state;
	descriptor(7, 2, 4, 1, 0x55);
	put_zeros(&msg, 16);
	ctx.takes_transfers = 1;
	assert_refused(TRANSFER_PAGES_EXTENDED);
	bytes_resize(&msg, 23);
	assert_refused(TRANSFER_PAGES_SIZE);
}

/* */
static void a_transfer_that_is_not_to_be_returned_is_refused(void **state)
{
	(void)state;
	compose_transfer(5, 0, 0xcafe, 2, honest, 2);
	assert_refused(TRANSFER_PAGES_RETURNED);
}

/* */
static void a_transfer_lies_in_our_receive_buffer(void **state)
{
	(void)state;
	compose_transfer(5, 1, 0xbabe, 2, honest, 2);
	assert_refused(TRANSFER_PAGES_SET_VALUE);
}

/* */
static void the_ranges_of_a_transfer_lie_in_front_of_its_payload(void **state)
{
	(void)state;
	compose_transfer(5, 1, 0xcafe, 3, honest, 2);
	assert_refused(TRANSFER_PAGES_IN_FRONT);
	compose_transfer(5, 1, 0xcafe, 0, honest, 2);
	assert_refused(TRANSFER_PAGES_RANGE_COUNT_RANGE);
	compose_transfer(5, 1, 0xcafe, 0x20000001, honest, 2);
	assert_refused(TRANSFER_PAGES_RANGE_COUNT_RANGE);
	ctx.ranges_max = 1;
	compose_transfer(5, 1, 0xcafe, 2, honest, 2);
	assert_refused(TRANSFER_PAGES_RANGE_COUNT_RANGE);
}

/* */
static void a_range_lies_inside_of_the_receive_buffer(void **state)
{
	(void)state;
	transfer(0x100000, 0);
	assert_taken(TRANSFER_PAGES);
	transfer(0x100001, 0);
	assert_refused(TRANSFER_RANGE_BYTE_COUNT_RANGE);
	transfer(0, 0);
	assert_refused(TRANSFER_RANGE_BYTE_COUNT_RANGE);
	transfer(0x1000, 0xff001);
	assert_refused(TRANSFER_RANGE_BYTE_OFFSET_LIMIT);
	transfer(0x1000, 0xfffff000);	/* the sum wraps around */
	assert_refused(TRANSFER_RANGE_BYTE_OFFSET_LIMIT);
}

/* */
static void every_range_is_looked_at(void **state)
{
	const struct range last_is_bad[] = { { 100, 0 }, { 100, 0x100000 } };

	(void)state;
	compose_transfer(5, 1, 0xcafe, 2, last_is_bad, 2);
	assert_refused(TRANSFER_RANGE_BYTE_OFFSET_LIMIT);
}

/* */
static void a_transfer_is_exactly_as_long_as_it_says(void **state)
{
	(void)state;
	transfer(100, 0);
	bytes_resize(&msg, 48);
	assert_refused(TRANSFER_PAGES_WHOLE);
	compose_transfer(6, 1, 0xcafe, 2, honest, 2);
	bytes_resize(&msg, 40);
	assert_refused(TRANSFER_PAGES_UNUSED_BOUNDS);
	bytes_resize(&msg, 39);
	assert_refused(TRANSFER_PAGES_RANGES_BOUNDS);
}

/* ---- pipes ---- */

static struct ring_pipe_packet pipe_view;

static int pipe_packet(u32 type, u32 length, u32 room)
{
	bytes_clear(&msg);
	put(&msg, type, 4);
	put(&msg, length, 4);
	put_zeros(&msg, room);
	return ring_check_pipe_packet(msg.data, msg.size, &pipe_view);
}

static void an_honest_pipe_packet_gives_its_data(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(1, 5, 8), 0);
	assert_ptr_equal(pipe_view.data.data, msg.data + 8);
	assert_int_equal(pipe_view.data.size, 5);
	assert_int_equal(pipe_packet(1, 16384, 16384), 0);
}

/* */
static void the_data_of_a_pipe_lies_in_the_packet(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(1, 9, 8), RING_RULE_PIPE_PACKET_DATA_BOUNDS);
	assert_int_equal(pipe_packet(1, 1, 0), RING_RULE_PIPE_PACKET_DATA_BOUNDS);
}

/* */
static void a_pipe_carries_16_kilobytes_at_once(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(1, 16385, 16392), RING_RULE_PIPE_PACKET_LENGTH_LIMIT);
	assert_int_equal(pipe_packet(1, 0xffffffff, 8), RING_RULE_PIPE_PACKET_LENGTH_LIMIT);
}

/* */
static void no_data_ends_a_stream(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(1, 0, 0), 0);
	assert_int_equal(pipe_view.data.size, 0);
}

/* */
static void a_pipe_carries_data_only(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(2, 5, 8), RING_RULE_PIPE_PACKET_TYPE_VALUE);
	assert_int_equal(pipe_packet(5, 5, 8), RING_RULE_PIPE_PACKET_TYPE_VALUE);
	assert_int_equal(pipe_packet(0, 5, 8), RING_RULE_PIPE_PACKET_TYPE_ENUM);
	assert_int_equal(pipe_packet(6, 5, 8), RING_RULE_PIPE_PACKET_TYPE_ENUM);
}

static void a_pipe_packet_is_filled_but_for_its_last_word(void **state)
{
	(void)state;
	assert_int_equal(pipe_packet(1, 1, 8), 0);
	assert_int_equal(pipe_packet(1, 8, 16), RING_RULE_PIPE_PACKET_FILLED);
	assert_int_equal(pipe_packet(1, 0, 8), RING_RULE_PIPE_PACKET_FILLED);
	bytes_resize(&msg, 7);
	assert_int_equal(ring_check_pipe_packet(msg.data, msg.size, &pipe_view),
			 RING_RULE_PIPE_PACKET_SIZE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)

static int run_indices(void)
{
	const struct CMUnitTest tests[] = {
		test(an_index_lies_inside_of_the_ring),
		test(an_index_lies_between_two_packets),
		test(the_host_writes_forward_from_where_it_wrote),
		test(the_host_writes_round_the_end_as_far_as_we_have_read),
		test(an_empty_ring_may_be_filled_all_the_way_round),
		test(the_host_reads_forward_and_not_past_what_we_wrote),
		test(the_host_reads_round_the_end_as_far_as_we_wrote),
		test(an_index_has_four_bytes),
		test(a_control_page_is_four_kilobytes_with_two_indices),
	};

	return cmocka_run_group_tests_name("ring: indices", tests, NULL, NULL);
}

static int run_packets(void)
{
	const struct CMUnitTest tests[] = {
		test(an_honest_completion_is_read_from_its_bytes),
		test(an_honest_in_band_packet_is_taken),
		test(a_payload_lies_behind_the_descriptor_and_in_the_packet),
		test(a_packet_is_no_longer_than_what_was_written),
		test(a_packet_is_no_longer_than_our_room_for_it),
		test(a_flag_without_a_meaning_is_refused),
		test(a_type_nobody_knows_is_refused),
		test(nothing_shorter_than_a_descriptor_is_a_packet),
		test(a_packet_is_exactly_as_long_as_it_says),
		test(no_payload_starts_late_where_nothing_is_to_be_in_front),
		test(the_host_asks_for_completions_only_where_that_is_known),
		test(a_completion_asks_for_no_completion),
		test(a_completion_answers_something),
		test(the_host_names_no_frames_to_us),
		test(packets_of_older_days_are_refused),
	};

	return cmocka_run_group_tests_name("ring: packets", tests, NULL, NULL);
}

static int run_transfers_and_pipes(void)
{
	const struct CMUnitTest tests[] = {
		test(an_honest_transfer_is_read_from_its_bytes),
		test(a_transfer_of_several_ranges_is_taken),
		test(only_channels_with_a_receive_buffer_take_transfers),
		test(a_transfer_has_room_for_the_header_of_its_ranges),
		test(a_transfer_that_is_not_to_be_returned_is_refused),
		test(a_transfer_lies_in_our_receive_buffer),
		test(the_ranges_of_a_transfer_lie_in_front_of_its_payload),
		test(a_range_lies_inside_of_the_receive_buffer),
		test(every_range_is_looked_at),
		test(a_transfer_is_exactly_as_long_as_it_says),
		test(an_honest_pipe_packet_gives_its_data),
		test(the_data_of_a_pipe_lies_in_the_packet),
		test(a_pipe_carries_16_kilobytes_at_once),
		test(no_data_ends_a_stream),
		test(a_pipe_carries_data_only),
		test(a_pipe_packet_is_filled_but_for_its_last_word),
	};

	return cmocka_run_group_tests_name("ring: transfer pages and pipes", tests, NULL, NULL);
}

int main(void)
{
	int failed = run_indices();

	failed += run_packets();
	failed += run_transfers_and_pipes();
	return failed ? 1 : 0;
}
