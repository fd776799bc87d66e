// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring from the host: what an honest one writes arrives, whole and once; what any other
 * one does to it ends at the ring.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "inbound.h"
#include "ring_host.h"
#include "shim.h"

#define DESCRIPTOR 16
#define TRAILER 8
#define IN_BAND 6
#define TRANSFER_PAGES 7
#define COMPLETION 11
#define LARGEST (PAGE - 8 - TRAILER)	/* packet of a ring with one page of data */

static struct ring_host host;
static struct inbound ring;

static const struct ring_context plain = { .buffer_bytes = PAGE };
static const struct ring_context generous = {
	.buffer_bytes = PAGE, .host_may_ask = 1, .takes_transfers = 1, .transfer_set = 0xcafe,
	.transfer_bytes = 1000, .ranges_max = 4,
};

static void open_with(u32 pages, const struct ring_context *limits)
{
	ring_host_start(&host, pages);
	assert_int_equal(inbound_open(&ring, ring_host_memory(&host), pages, limits), 0);
}

static int start(void **state)
{
	(void)state;
	shim_start(false, 1);
	open_with(2, &plain);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	airlock_fetch_hook = NULL;
	inbound_close(&ring);
	ring_host_stop(&host);
	shim_stop();
	return shim_allocated() ? -1 : 0;
}

static void open_again(u32 pages, const struct ring_context *limits)
{
	inbound_close(&ring);
	ring_host_stop(&host);
	open_with(pages, limits);
}

/* ---- the host's end ---- */

static void host_bytes(const void *bytes, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		host.data[(host.at + i) % host.size] = ((const u8 *)bytes)[i];
	host.at = (host.at + size) % host.size;
}

static void host_number(u64 value, u32 width)
{
	u8 bytes[8];
	u32 i;

	for (i = 0; i < width; i++)
		bytes[i] = value >> 8 * i;
	host_bytes(bytes, width);
}

static void host_descriptor(u32 type, u32 offset8, u32 length8, u32 flags, u64 id)
{
	host_number(type, 2);
	host_number(offset8, 2);
	host_number(length8, 2);
	host_number(flags, 2);
	host_number(id, 8);
}

static void host_publish(void)
{
	poke(&host, WRITE_INDEX, host.at);
}

/* A packet with so many bytes of payload, in multiples of 8, that no one is told of yet. */
static void host_write(u32 type, u32 flags, u64 id, u32 payload)
{
	u32 i;

	host_descriptor(type, 2, 2 + payload / 8, flags, id);
	for (i = 0; i < payload; i++)
		host_number(pattern(id, i), 1);
	host_number(0xdeadbeefdeadbeef, TRAILER);
}

static void host_send(u32 type, u32 flags, u64 id, u32 payload)
{
	host_write(type, flags, id, payload);
	host_publish();
}

/* ---- what is expected of our end ---- */

static void assert_packet(u64 id, u32 payload)
{
	struct ring_message m;
	int rule = -1;
	u32 i;

	assert_int_equal(inbound_next(&ring, &m, &rule), 1);
	assert_int_equal(rule, 0);
	assert_int_equal(m.kind, RING_MSG_IN_BAND);
	assert_true(m.in_band.header.transaction == id);
	assert_int_equal(m.in_band.payload.size, payload);
	for (i = 0; i < payload; i++)
		assert_int_equal(m.in_band.payload.data[i], pattern(id, i));
}

static void assert_result(int result, int broken)
{
	struct ring_message m;
	int rule = -1;

	assert_int_equal(inbound_next(&ring, &m, &rule), result);
	assert_int_equal(rule, broken);
}

static void assert_empty(void)
{
	assert_result(0, 0);
}

/* And it is for good. */
static void assert_dead(int broken)
{
	assert_result(-EPROTO, broken);
	assert_result(-EPIPE, 0);
}

/* Both ends meet at @at, the ring is empty, and all of it is the host's. */
static void meet_at(u32 at)
{
	u32 need;

	while (host.at != at) {
		need = (at + host.size - host.at) % host.size;
		if (need < DESCRIPTOR + TRAILER)
			need = DESCRIPTOR + TRAILER;
		host_send(IN_BAND, 0, 1, need - DESCRIPTOR - TRAILER);
		assert_packet(1, need - DESCRIPTOR - TRAILER);
		(void)!inbound_release(&ring);
	}
	assert_int_equal(peek(&host, READ_INDEX), at);
}

/* ---- fetches ---- */

static struct {
	u32 count;		/* of fetches */
	u32 control[PAGE / 4];	/* of each word */
	u8 *seen;		/* how often each byte of data */
} fetches;

static void count_fetch(const void *at, u32 size)
{
	u32 offset = (const u8 *)at - host.memory, i;

	fetches.count++;
	assert_true(offset + size <= host.pages * PAGE);
	if (offset < PAGE) {
		assert_int_equal(size, 4);
		fetches.control[offset / 4]++;
		return;
	}
	for (i = 0; i < size; i++)
		fetches.seen[offset - PAGE + i]++;
}

static void count_fetches(void)
{
	free(fetches.seen);
	memset(&fetches, 0, sizeof(fetches));
	fetches.seen = calloc(1, host.size);
	assert_non_null(fetches.seen);
	airlock_fetch_hook = count_fetch;
}

static void stop_counting(void)
{
	airlock_fetch_hook = NULL;
	free(fetches.seen);
	fetches.seen = NULL;
}

/* Exactly the @size bytes from @at on were fetched, each once. */
static void assert_fetched(u32 at, u32 size)
{
	u32 i;

	for (i = 0; i < host.size; i++)
		assert_int_equal(fetches.seen[i], (i + host.size - at) % host.size < size);
}

static void assert_words_fetched(u32 write, u32 pending, u32 features)
{
	u32 i;

	for (i = 0; i < PAGE / 4; i++)
		assert_int_equal(fetches.control[i], i == WRITE_INDEX / 4 ? write : i == PENDING / 4 ? pending :
				 i == FEATURES / 4 ? features : 0);
}

/* ---- opening and closing ---- */

static void opening_clears_all_of_the_memory(void **state)
{
	u32 i;

	(void)state;
	open_again(3, &plain);
	for (i = 0; i < 3 * PAGE; i++)
		assert_int_equal(host.memory[i], 0);
	assert_empty();
}

static void a_ring_without_data_or_too_large_is_refused(void **state)
{
	struct ring_message m;
	struct inbound other;
	int rule;

	(void)state;
	assert_int_equal(inbound_open(&other, NULL, 0, &plain), -EINVAL);
	assert_int_equal(inbound_open(&other, NULL, 1, &plain), -EINVAL);
	assert_int_equal(inbound_open(&other, NULL, 8190, &plain), -EINVAL);
	assert_int_equal(inbound_open(&other, NULL, 0xffffffff, &plain), -EINVAL);
	assert_int_equal(inbound_next(&other, &m, &rule), -EPIPE);
	assert_false(inbound_unmask(&other));
	inbound_close(&other);
}

static void assert_refused(struct ring_context limits)
{
	struct inbound other;

	assert_int_equal(inbound_open(&other, ring_host_memory(&host), 2, &limits), -EINVAL);
	inbound_close(&other);
}

static void limits_that_cannot_be_are_refused(void **state)
{
	struct ring_context limits;

	(void)state;
#define REFUSED(field, value) do { limits = generous; limits.field = value; assert_refused(limits); } while (0)
	REFUSED(buffer_bytes, 0);
	REFUSED(buffer_bytes, 15);
	REFUSED(buffer_bytes, PAGE + 1);
	REFUSED(buffer_bytes, 0xffffffff);
	REFUSED(host_may_ask, 2);
	REFUSED(takes_transfers, 2);
	REFUSED(transfer_bytes, 0);
	REFUSED(transfer_bytes, 0x80000000);
	REFUSED(ranges_max, 0);
	REFUSED(ranges_max, 65533);
#undef REFUSED
	open_again(2, &generous);
	limits = generous;
	limits.takes_transfers = 0;
	limits.transfer_bytes = 0;
	limits.buffer_bytes = 16;
	open_again(2, &limits);
	assert_empty();
	limits = generous;
	limits.transfer_bytes = 0x7fffffff;
	limits.ranges_max = 65532;
	open_again(2, &limits);
}

static void limits_say_nothing_of_where_we_stand(void **state)
{
	struct ring_context limits = plain;

	(void)state;
	limits.ring_bytes = 3 * PAGE;
	limits.our_index = 40;
	limits.their_index = 80;
	limits.available = 120;
	open_again(2, &limits);
	assert_empty();
	host_send(IN_BAND, 0, 7, 8);
	assert_packet(7, 8);
	assert_empty();
}

static void opening_fails_without_memory(void **state)
{
	struct inbound other;

	(void)state;
	shim_fail_allocations(1, 0);
	assert_int_equal(inbound_open(&other, ring_host_memory(&host), 2, &plain), -ENOMEM);
	inbound_close(&other);
}

static void a_closed_ring_is_left_alone(void **state)
{
	(void)state;
	host_send(IN_BAND, 0, 7, 8);
	inbound_close(&ring);
	memset(host.memory, STALE, 2 * PAGE);
	count_fetches();
	assert_result(-EPIPE, 0);
	assert_false(inbound_release(&ring));
	inbound_mask(&ring);
	assert_false(inbound_unmask(&ring));
	assert_int_equal(fetches.count, 0);
	stop_counting();
	assert_int_equal(peek(&host, READ_INDEX), STALE * 0x01010101U);
	assert_int_equal(peek(&host, MASK), STALE * 0x01010101U);
}

static void indices_start_over_whatever_the_host_left(void **state)
{
	(void)state;
	host_send(IN_BAND, 0, 7, 8);
	assert_packet(7, 8);
	inbound_close(&ring);
	assert_int_equal(inbound_open(&ring, ring_host_memory(&host), 2, &plain), 0);
	assert_empty();
	host.at = 0;
	host_send(IN_BAND, 0, 8, 16);
	assert_packet(8, 16);
}

/* ---- honest hosts ---- */

static void an_empty_ring_has_no_packet(void **state)
{
	(void)state;
	assert_empty();
	host_send(IN_BAND, 0, 7, 8);
	assert_packet(7, 8);
	assert_empty();
	assert_int_equal(ring.packets, 1);
	assert_int_equal(ring.bytes, DESCRIPTOR + 8);
}

static void packets_come_in_order_and_once(void **state)
{
	u64 id;

	(void)state;
	for (id = 1; id <= 50; id++)
		host_send(IN_BAND, 0, id, id % 5 * 8);
	for (id = 1; id <= 50; id++)
		assert_packet(id, id % 5 * 8);
	assert_empty();
}

static void kinds_of_packets_are_told_apart(void **state)
{
	struct ring_message m;
	int rule;

	(void)state;
	open_again(2, &generous);
	host_send(COMPLETION, 0, 0x123456789abcdef0, 8);
	host_descriptor(TRANSFER_PAGES, 4, 5, 1, 77);
	host_number(0xcafe, 2);
	host_number(0xffff, 2);
	host_number(1, 4);
	host_number(900, 4);
	host_number(100, 4);
	host_number(0x1122334455667788, 8);
	host_number(0, TRAILER);
	host_publish();
	assert_int_equal(inbound_next(&ring, &m, &rule), 1);
	assert_int_equal(m.kind, RING_MSG_COMPLETION);
	assert_true(m.completion.header.transaction == 0x123456789abcdef0);
	assert_int_equal(inbound_next(&ring, &m, &rule), 1);
	assert_int_equal(m.kind, RING_MSG_TRANSFER_PAGES);
	assert_int_equal(m.transfer_pages.range_count, 1);
	assert_int_equal(m.transfer_pages.payload.size, 8);
	assert_int_equal(m.transfer_pages.payload.data[0], 0x88);
}

static void assert_arrives(u32 at, u32 payload)
{
	meet_at(at);
	host_send(IN_BAND, 0, at, payload);
	assert_packet(at, payload);
	assert_empty();
	(void)!inbound_release(&ring);
	assert_int_equal(peek(&host, READ_INDEX), host.at);
}

static void a_packet_may_start_anywhere(void **state)
{
	static const u32 payloads[] = { 0, 8, 16, 24, 40, 2040, LARGEST - DESCRIPTOR - 8, LARGEST - DESCRIPTOR };
	u32 at, i;

	(void)state;
	for (at = 0; at < PAGE; at += 8)
		for (i = 0; i < ARRAY_SIZE(payloads); i++)
			assert_arrives(at, payloads[i]);
}

static void a_packet_may_have_any_size(void **state)
{
	static const u32 places[] = { 0, 8, 1000, 2048, PAGE - 32, PAGE - 24, PAGE - 16, PAGE - 8 };
	u32 payload, i;

	(void)state;
	for (payload = 0; payload <= LARGEST - DESCRIPTOR; payload += 8)
		for (i = 0; i < ARRAY_SIZE(places); i++)
			assert_arrives(places[i], payload);
}

static void the_largest_packet_fills_the_private_room(void **state)
{
	struct ring_context limits = { .buffer_bytes = 128 };

	(void)state;
	open_again(2, &limits);
	host_send(IN_BAND, 0, 1, 112);
	assert_packet(1, 112);
	host_send(IN_BAND, 0, 2, 120);
	assert_dead(RING_RULE_HEADER_IN_BUFFER);
}

static void the_largest_ring_works_at_its_end(void **state)
{
	const u32 pages = 8189;
	struct ring_context limits = { .buffer_bytes = 0xffff * 8 };
	u32 i;

	(void)state;
	open_again(pages, &limits);
	for (i = 0; i < 65; i++) {
		host_send(IN_BAND, 0, i, 0xffff * 8 - DESCRIPTOR);
		assert_packet(i, 0xffff * 8 - DESCRIPTOR);
		(void)!inbound_release(&ring);
	}
	assert_true(host.at < 0xffff * 8 * 2);
}

/* ---- index lies ---- */

/* By the catalogue: in the ring, between packets, not backwards, not over what is not given back. */
static bool write_index_is_true(u32 given_back, u32 last, u32 index)
{
	if (index >= PAGE || index % 8)
		return false;
	return given_back == last || (index + PAGE - last) % PAGE < (given_back + PAGE - last) % PAGE;
}

/* Reads up to @last, gives back up to @given_back, then tries a write index. */
static void try_write_index(u32 given_back, u32 last, u32 index)
{
	struct ring_message m;
	int rule, result;

	open_again(2, &plain);
	meet_at(given_back);
	if (last != given_back) {
		host_send(IN_BAND, 0, 2, (last + PAGE - given_back) % PAGE - DESCRIPTOR - TRAILER);
		assert_int_equal(inbound_next(&ring, &m, &rule), 1);
	}
	assert_int_equal(host.at, last);
	memset(host.data, 0, PAGE);
	poke(&host, WRITE_INDEX, index);
	result = inbound_next(&ring, &m, &rule);
	if (!write_index_is_true(given_back, last, index)) {
		assert_int_equal(result, -EPROTO);
		assert_true(rule >= RING_RULE_INDEX_AT_BYTE_LIMIT && rule <= RING_RULE_INBOUND_WRITE_INDEX_WRAPPED);
	} else if (index == last) {
		assert_int_equal(result, 0);
	} else {
		assert_int_equal(result, -EPROTO);	/* for zeros are no packet */
		assert_true(rule == RING_RULE_HEADER_TYPE_ENUM || rule == RING_RULE_HEADER_IN_RING);
	}
}

static void each_write_index_is_true_or_a_lie(void **state)
{
	static const u32 places[][2] = { { 0, 0 }, { 0, 24 }, { 800, 1600 }, { 2400, 2400 }, { 4000, 800 }, { 24, 0 } };
	u32 i, index;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		for (index = 0; index < PAGE + 64; index += index % 64 < 12 ? 1 : 4)
			try_write_index(places[i][0], places[i][1], index);
	try_write_index(800, 1600, 0x7ffffff8);
	try_write_index(800, 1600, 0xfffffff8);
	try_write_index(800, 1600, 0xffffffff);
}

static void an_index_names_the_rule_it_breaks(void **state)
{
	static const struct { u32 index; int rule; } lies[] = {
		{ PAGE, RING_RULE_INDEX_AT_BYTE_LIMIT }, { 0xfffffff8, RING_RULE_INDEX_AT_BYTE_LIMIT },
		{ 1604, RING_RULE_INDEX_AT_BYTE_MULTIPLE }, { 1592, RING_RULE_INBOUND_WRITE_INDEX_FORWARD },
		{ 800, RING_RULE_INBOUND_WRITE_INDEX_FORWARD },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		open_again(2, &plain);
		meet_at(800);
		host_send(IN_BAND, 0, 2, 800 - DESCRIPTOR - TRAILER);
		assert_packet(2, 800 - DESCRIPTOR - TRAILER);
		poke(&host, WRITE_INDEX, lies[i].index);
		assert_dead(lies[i].rule);
	}
	open_again(2, &plain);
	meet_at(4000);
	host_send(IN_BAND, 0, 2, 200 - DESCRIPTOR - TRAILER);
	assert_packet(2, 200 - DESCRIPTOR - TRAILER);
	poke(&host, WRITE_INDEX, 4008);
	assert_dead(RING_RULE_INBOUND_WRITE_INDEX_WRAPPED);
}

static void less_than_a_packet_is_a_lie_and_not_looked_at(void **state)
{
	u32 bytes;

	(void)state;
	for (bytes = 8; bytes < DESCRIPTOR + TRAILER; bytes += 8) {
		open_again(2, &plain);
		meet_at(2000);
		poke(&host, WRITE_INDEX, 2000 + bytes);
		count_fetches();
		assert_dead(RING_RULE_HEADER_IN_RING);
		assert_fetched(0, 0);
		stop_counting();
	}
}

static void our_own_words_are_only_written(void **state)
{
	(void)state;
	host_send(IN_BAND, 0, 1, 8);
	host_send(IN_BAND, 0, 2, 8);
	assert_packet(1, 8);
	poke(&host, READ_INDEX, 0xffffffff);
	poke(&host, MASK, 0xffffffff);
	assert_packet(2, 8);
	assert_false(inbound_release(&ring));
	assert_int_equal(peek(&host, READ_INDEX), host.at);
	assert_false(inbound_unmask(&ring));
	assert_int_equal(peek(&host, MASK), 0);
}

/* ---- descriptors and packets that lie ---- */

struct lie {
	u32 type, offset8, length8, flags;
	u64 id;
	int rule;
};

/* 64 bytes can be read. */
static void host_lie(const struct lie *lie)
{
	u32 start = host.at;

	host_descriptor(lie->type, lie->offset8, lie->length8, lie->flags, lie->id);
	host.at = (start + 64) % host.size;
	host_publish();
}

static void a_descriptor_that_lies_ends_the_ring(void **state)
{
	static const struct lie lies[] = {
		{ 0, 2, 2, 0, 1, RING_RULE_HEADER_TYPE_ENUM }, { 14, 2, 2, 0, 1, RING_RULE_HEADER_TYPE_ENUM },
		{ 0xffff, 2, 2, 0, 1, RING_RULE_HEADER_TYPE_ENUM }, { 6, 0, 2, 0, 1, RING_RULE_HEADER_OFFSET8_LIMIT },
		{ 6, 1, 2, 0, 1, RING_RULE_HEADER_OFFSET8_LIMIT }, { 6, 2, 2, 2, 1, RING_RULE_HEADER_FLAGS_RESERVED },
		{ 6, 2, 2, 0x8001, 1, RING_RULE_HEADER_FLAGS_RESERVED }, { 6, 2, 0, 0, 1, RING_RULE_HEADER_INSIDE },
		{ 6, 2, 1, 0, 1, RING_RULE_HEADER_INSIDE }, { 6, 0xffff, 7, 0, 1, RING_RULE_HEADER_INSIDE },
		{ 6, 2, 8, 0, 1, RING_RULE_HEADER_IN_RING }, { 6, 2, 9, 0, 1, RING_RULE_HEADER_IN_RING },
		{ 6, 2, 0x2000, 0, 1, RING_RULE_HEADER_IN_RING }, { 6, 2, 0xffff, 0, 1, RING_RULE_HEADER_IN_RING },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		open_again(2, &plain);
		meet_at(PAGE - 8);
		host_lie(&lies[i]);
		count_fetches();
		assert_dead(lies[i].rule);
		/* No more than it says, and nothing if that is not there to be read. */
		assert_fetched(PAGE - 8, lies[i].length8 == 7 ? 56 : DESCRIPTOR);
		stop_counting();
		assert_false(inbound_release(&ring));
		assert_false(inbound_unmask(&ring));
	}
}

static void a_packet_that_lies_is_passed_over(void **state)
{
	static const struct lie lies[] = {
		{ 1, 2, 7, 0, 1, RING_RULE_SYNCH_REFUSED }, { 2, 2, 7, 0, 1, RING_RULE_ADD_TRANSFER_SET_REFUSED },
		{ 3, 2, 7, 0, 1, RING_RULE_REMOVE_TRANSFER_SET_REFUSED },
		{ 4, 2, 7, 0, 1, RING_RULE_ESTABLISH_GPADL_REFUSED },
		{ 5, 2, 7, 0, 1, RING_RULE_TEARDOWN_GPADL_REFUSED }, { 6, 3, 7, 0, 1, RING_RULE_IN_BAND_PLAIN },
		{ 6, 2, 7, 1, 1, RING_RULE_IN_BAND_UNASKED }, { 7, 3, 7, 1, 1, RING_RULE_DISPATCH },
		{ 8, 2, 7, 0, 1, RING_RULE_GPADL_DATA_REFUSED }, { 9, 3, 7, 0, 1, RING_RULE_DISPATCH },
		{ 10, 2, 7, 0, 1, RING_RULE_CANCEL_REFUSED }, { 11, 2, 7, 0, 0, RING_RULE_COMPLETION_OURS },
		{ 11, 2, 7, 1, 1, RING_RULE_COMPLETION_SILENT }, { 11, 7, 7, 0, 1, RING_RULE_COMPLETION_PLAIN },
		{ 12, 2, 7, 0, 1, RING_RULE_ADDITIONAL_PACKETS_REFUSED },
		{ 13, 2, 7, 0, 1, RING_RULE_ADDITIONAL_DATA_REFUSED },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		host_lie(&lies[i]);
		host_send(IN_BAND, 0, i, 24);
		assert_result(-EBADMSG, lies[i].rule);
		assert_packet(i, 24);
		assert_empty();
		(void)!inbound_release(&ring);
		assert_int_equal(peek(&host, READ_INDEX), host.at);
	}
	assert_int_equal(ring.packets, ARRAY_SIZE(lies));
}

static void a_channel_says_what_it_takes(void **state)
{
	static const struct lie lies[] = {
		{ 7, 2, 7, 1, 1, RING_RULE_TRANSFER_PAGES_EXTENDED },
		{ 7, 3, 7, 0, 1, RING_RULE_TRANSFER_PAGES_RETURNED },
		{ 7, 4, 7, 1, 1, RING_RULE_TRANSFER_PAGES_SET_VALUE },
	};
	u32 i;

	(void)state;
	open_again(2, &generous);
	host_send(IN_BAND, 1, 9, 0);
	assert_packet(9, 0);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		host_lie(&lies[i]);
		assert_result(-EBADMSG, lies[i].rule);
	}
	assert_empty();
}

/* ---- each byte once ---- */

static void each_byte_is_fetched_once_and_the_trailer_never(void **state)
{
	u32 at, payload;

	(void)state;
	for (at = 0; at < PAGE; at += 104)
		for (payload = 0; payload <= LARGEST - DESCRIPTOR; payload += 248) {
			meet_at(at);
			host_send(IN_BAND, 0, at, payload);
			count_fetches();
			assert_packet(at, payload);
			assert_fetched(at, DESCRIPTOR + payload);
			stop_counting();
			(void)!inbound_release(&ring);
		}
}

static void the_write_index_is_fetched_once_for_all_packets(void **state)
{
	u64 id;

	(void)state;
	for (id = 0; id < 20; id++)
		host_send(IN_BAND, 0, id, 8);
	count_fetches();
	for (id = 0; id < 20; id++)
		assert_packet(id, 8);
	assert_words_fetched(1, 0, 1);
	assert_empty();
	assert_words_fetched(2, 0, 1);
	host_send(IN_BAND, 0, id, 8);
	assert_packet(id, 8);
	assert_words_fetched(3, 0, 1);
	stop_counting();
}

/* What has been fetched changes at once, to what would be worst. */
static struct { u32 fetched; u8 worst; } change;

static void change_behind(const void *at, u32 size)
{
	static const void *last;
	static u32 last_size;
	u8 *data = (u8 *)(unsigned long)last;

	if (change.fetched++ && data >= host.data)
		memset(data, change.worst, last_size);
	last = at;
	last_size = size;
}

static void what_changes_after_its_fetch_has_no_effect(void **state)
{
	static const u8 worst[] = { 0, 1, 0x7f, 0xff };
	u32 i, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(worst); i++)
		for (at = 0; at < PAGE; at += 8) {
			meet_at(at);
			host_send(IN_BAND, 0, at, 56);
			change.fetched = 0;
			change.worst = worst[i];
			airlock_fetch_hook = change_behind;
			assert_packet(at, 56);
			airlock_fetch_hook = NULL;
			(void)!inbound_release(&ring);
		}
}

/* Anything may stand anywhere at any fetch. */
static u32 storm_seed;

static void storm(const void *at, u32 size)
{
	u8 *bytes = (u8 *)(unsigned long)at;
	u32 i;

	if (bytes >= host.data) {
		for (i = 0; i < size; i++)
			bytes[i] = next_random(&storm_seed);
		if (random_below(&storm_seed, 3))	/* often much like a descriptor */
			for (i = 0; i < size; i++)
				bytes[i] = i == 0 ? 6 + random_below(&storm_seed, 2) * 5 : i == 2 ? 2 :
					   i == 4 ? 2 + random_below(&storm_seed, 20) : 0;
	} else if (random_below(&storm_seed, 100)) {
		*word_at(&host, WRITE_INDEX) = random_below(&storm_seed, PAGE / 8) * 8;
		*word_at(&host, PENDING) = random_below(&storm_seed, PAGE + 100);
	} else {
		*word_at(&host, WRITE_INDEX) = next_random(&storm_seed);
	}
}

static void assert_inside(const struct wire_slice *s)
{
	assert_true(s->data >= ring.packet && s->data + s->size <= ring.packet + ring.context.buffer_bytes);
}

static u32 weather_a_storm(void)
{
	struct ring_message m;
	int rule, result;
	u32 packets = 0;

	do {
		result = inbound_next(&ring, &m, &rule);
		assert_true(result == 1 || result == 0 || result == -EBADMSG || result == -EPROTO);
		assert_true((result < 0) == (rule != 0));
		assert_true(ring.context.our_index < PAGE && ring.context.our_index % 8 == 0);
		assert_true(ring.context.available <= PAGE - 8 && ring.context.available % 8 == 0);
		if (result == 1)
			assert_inside(m.kind == RING_MSG_IN_BAND ? &m.in_band.payload : &m.completion.payload);
		packets += result == 1;
		if (!random_below(&storm_seed, 4))
			(void)!inbound_release(&ring);
	} while (result >= 0 || result == -EBADMSG);
	return packets;
}

static void no_storm_gets_through(void **state)
{
	u32 round, packets = 0;

	(void)state;
	for (round = 0; round < 2000; round++) {
		storm_seed = round;
		open_again(2, &plain);
		*word_at(&host, FEATURES) = 1;
		airlock_fetch_hook = storm;
		packets += weather_a_storm();
		airlock_fetch_hook = NULL;
	}
	assert_true(packets > 1000);	/* or it would be no test */
}

/* ---- flow control ---- */

static void features_are_looked_at_once_when_the_host_has_spoken(void **state)
{
	(void)state;
	assert_empty();
	poke(&host, FEATURES, 0xfffffffd);	/* the host opens its end now */
	host_send(IN_BAND, 0, 1, 8);
	count_fetches();
	assert_packet(1, 8);
	assert_words_fetched(1, 0, 1);
	poke(&host, FEATURES, 0);
	host_send(IN_BAND, 0, 2, 8);
	assert_packet(2, 8);
	assert_words_fetched(2, 0, 1);
	poke(&host, PENDING, PAGE - 8 - 64);
	assert_false(inbound_release(&ring));	/* there was more room before */
	assert_words_fetched(3, 1, 1);
	stop_counting();
}

static void without_flow_control_nobody_waits(void **state)
{
	(void)state;
	poke(&host, FEATURES, 0xfffffffe);
	host_send(IN_BAND, 0, 1, 4000);
	assert_packet(1, 4000);
	poke(&host, FEATURES, 1);
	poke(&host, PENDING, 4000);
	count_fetches();
	assert_false(inbound_release(&ring));
	assert_int_equal(fetches.count, 0);
	stop_counting();
	assert_int_equal(peek(&host, READ_INDEX), host.at);
	assert_int_equal(ring.signals, 0);
}

/* By the catalogue, 7.3: low bits masked, net room crosses from below to at least what is pending. */
static bool host_would_wait(u32 pending, u32 used_before, u32 used_after)
{
	u32 before = PAGE - used_before - 8, after = PAGE - used_after - 8;

	pending &= ~7U;
	return pending && pending <= PAGE && before < pending && after >= pending;
}

#define PACKET 40

/* @sent packets lie in the ring, @read of them are read and given back in one go. */
static void try_release(u32 at, u32 sent, u32 read, u32 pending)
{
	u64 before = ring.signals;
	bool signal;
	u32 i;

	meet_at(at);
	before = ring.signals;
	for (i = 0; i < sent; i++)
		host_send(IN_BAND, 0, i, PACKET - DESCRIPTOR - TRAILER);
	for (i = 0; i < read; i++)
		assert_packet(i, PACKET - DESCRIPTOR - TRAILER);
	poke(&host, PENDING, pending);
	signal = inbound_release(&ring);
	assert_int_equal(signal, host_would_wait(pending, sent * PACKET, (sent - read) * PACKET));
	assert_int_equal(ring.signals - before, signal);
	assert_false(inbound_release(&ring));	/* once */
	poke(&host, PENDING, 0);
	for (; i < sent; i++)
		assert_packet(i, PACKET - DESCRIPTOR - TRAILER);
	(void)!inbound_release(&ring);
}

static void the_host_is_signalled_when_its_room_crosses_what_is_pending(void **state)
{
	static const u32 pendings[] = { 0, 1, 7, PAGE - 8, PAGE - 7, PAGE - 1, PAGE, PAGE + 1, PAGE + 8, 0x7fffffff,
					0xffffffff };
	u32 sent, read, i, threshold;

	(void)state;
	poke(&host, FEATURES, 1);
	for (sent = 1; sent <= (PAGE - 8) / PACKET; sent += 9)
		for (read = 0; read <= sent; read += 1 + read / 3) {
			for (i = 0; i < ARRAY_SIZE(pendings); i++)
				try_release(1000, sent, read, pendings[i]);
			threshold = PAGE - 8 - (sent - read) * PACKET;
			for (i = threshold - 17; i <= threshold + 17; i++)
				try_release(3000, sent, read, i);
			for (i = PAGE - 8 - sent * PACKET; i < PAGE - 8 - sent * PACKET + 17; i++)
				try_release(PAGE - 8, sent, read, i);
		}
}

static void the_mask_has_no_say_in_signals_about_room(void **state)
{
	(void)state;
	poke(&host, FEATURES, 1);
	host_send(IN_BAND, 0, 1, 4000);
	assert_packet(1, 4000);
	inbound_mask(&ring);
	poke(&host, PENDING, 2000);
	assert_true(inbound_release(&ring));
}

static void a_release_of_nothing_does_nothing(void **state)
{
	(void)state;
	poke(&host, FEATURES, 1);
	host_send(IN_BAND, 0, 1, 8);
	poke(&host, PENDING, 8);
	poke(&host, READ_INDEX, 0x1234);
	count_fetches();
	assert_false(inbound_release(&ring));
	assert_int_equal(fetches.count, 0);
	stop_counting();
	assert_int_equal(peek(&host, READ_INDEX), 0x1234);
}

static void a_host_that_does_not_wait_costs_one_look(void **state)
{
	(void)state;
	poke(&host, FEATURES, 1);
	host_send(IN_BAND, 0, 1, 4000);
	assert_packet(1, 4000);
	poke(&host, PENDING, 7);
	count_fetches();
	assert_false(inbound_release(&ring));
	assert_words_fetched(0, 1, 0);
	stop_counting();
}

static void a_bad_write_index_is_no_reason_to_signal(void **state)
{
	static const u32 lies[] = { PAGE, PAGE - 4, 3, 0x7ffffff8, 0xfffffff8 };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		open_again(2, &plain);
		poke(&host, FEATURES, 1);
		meet_at(40);
		host_send(IN_BAND, 0, 1, 4000);
		assert_packet(1, 4000);
		poke(&host, PENDING, 2000);
		poke(&host, WRITE_INDEX, lies[i]);
		assert_false(inbound_release(&ring));
		assert_int_equal(peek(&host, READ_INDEX), host.at);
	}
}

/* ---- the mask ---- */

static void masking_is_written_and_unmasking_looks_again(void **state)
{
	(void)state;
	inbound_mask(&ring);
	assert_int_equal(peek(&host, MASK), 1);
	assert_false(inbound_unmask(&ring));
	assert_int_equal(peek(&host, MASK), 0);
	inbound_mask(&ring);
	host_send(IN_BAND, 0, 1, 8);
	host_send(IN_BAND, 0, 2, 8);
	assert_true(inbound_unmask(&ring));
	assert_int_equal(peek(&host, MASK), 0);
	assert_packet(1, 8);
	assert_true(inbound_unmask(&ring));	/* one is left */
	assert_packet(2, 8);
	assert_false(inbound_unmask(&ring));
}

static bool mask_was_clear;

static void look_at_mask(const void *at, u32 size)
{
	(void)size;
	assert_ptr_equal(at, word_at(&host, WRITE_INDEX));
	mask_was_clear = !peek(&host, MASK);
	host_send(IN_BAND, 0, 1, 8);
}

static void unmasking_looks_after_it_has_unmasked(void **state)
{
	(void)state;
	inbound_mask(&ring);
	airlock_fetch_hook = look_at_mask;
	assert_true(inbound_unmask(&ring));
	airlock_fetch_hook = NULL;
	assert_true(mask_was_clear);
	assert_packet(1, 8);
}

static void an_index_that_lies_is_something_to_read(void **state)
{
	(void)state;
	poke(&host, WRITE_INDEX, 0xfffffff7);
	assert_true(inbound_unmask(&ring));
	assert_dead(RING_RULE_INDEX_AT_BYTE_LIMIT);
	assert_false(inbound_unmask(&ring));
}

/* ---- both ends at work ---- */

/* The host's end of a long conversation: it blocks when there is no room, and says so. */
struct talk {
	u32 seed, id, wanted;		/* of the next packet */
	bool blocked;
	u64 signals, sent;		/* to us; packets */
};

static u32 free_room(void)
{
	return host.size - 8 - (host.at + host.size - peek(&host, READ_INDEX)) % host.size;
}

/* One step: a packet if there is room, else a wait for it. Returns whether it can go on. */
static bool talk_step(struct talk *t)
{
	u32 old = host.at;

	if (t->blocked)
		return false;
	if (free_room() < t->wanted) {
		poke(&host, PENDING, t->wanted);
		if (free_room() < t->wanted) {
			t->blocked = true;
			return false;
		}
		poke(&host, PENDING, 0);
	}
	host_write(IN_BAND, 0, t->id, t->wanted - DESCRIPTOR - TRAILER);
	host_publish();
	if (!peek(&host, MASK) && peek(&host, READ_INDEX) == old)
		t->signals++;
	t->id++;
	t->sent++;
	t->wanted = DESCRIPTOR + TRAILER + random_below(&t->seed, 200) * 8;
	return true;
}

static void a_long_conversation_loses_nothing(void **state)
{
	struct talk t = { .seed = 1, .wanted = 24 };
	u32 seed = 2, id = 0, sizes = 1, size, i, woken = 0;

	(void)state;
	poke(&host, FEATURES, 1);
	while (id < 20000) {
		for (i = random_below(&seed, 8); i && talk_step(&t); i--)
			;
		for (i = random_below(&seed, 8); i && id < t.sent; i--) {
			size = id ? random_below(&sizes, 200) * 8 : 0;
			assert_packet(id++, size);
		}
		if (!random_below(&seed, 2) && inbound_release(&ring)) {
			assert_true(t.blocked);		/* never without a reason */
			assert_true(free_room() >= t.wanted);
			t.blocked = false;
			poke(&host, PENDING, 0);
			woken++;
		}
		if (t.blocked && id == t.sent) {	/* all is read: now it must come */
			assert_true(peek(&host, READ_INDEX) != host.at);
			assert_true(inbound_release(&ring));
			t.blocked = false;
			poke(&host, PENDING, 0);
			woken++;
		}
	}
	assert_true(woken > 100);
	assert_int_equal(ring.signals, woken);
	assert_int_equal(ring.packets, id);
}

/* The same among threads: a signal that is lost stops both for good. */
#define TALKS 100000
#define PATIENCE 20000		/* ms without progress */

static struct {
	u32 to_guest, to_host;	/* signals */
	bool over;
} bell;

static bool wait_for(u32 *count, u32 seen)
{
	u32 ms;

	for (ms = 0; ms < PATIENCE * 10; ms++) {
		if (__atomic_load_n(count, __ATOMIC_SEQ_CST) != seen || __atomic_load_n(&bell.over, __ATOMIC_SEQ_CST))
			return true;
		usleep(100);
	}
	return false;
}

static void ring_bell(u32 *count)
{
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

static void *talk_thread(void *argument)
{
	struct talk *t = argument;
	u64 signals = 0;
	u32 seen;

	while (t->sent < TALKS) {
		seen = __atomic_load_n(&bell.to_host, __ATOMIC_SEQ_CST);
		if (talk_step(t)) {
			if (t->signals != signals)
				ring_bell(&bell.to_guest);
			signals = t->signals;
			continue;
		}
		if (!wait_for(&bell.to_host, seen))
			break;
		t->blocked = false;
		poke(&host, PENDING, 0);
	}
	__atomic_store_n(&bell.over, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Reads what is there, at most a few packets, as a tasklet does. Returns how many. */
static u32 run_reader(u32 *id, u32 *sizes)
{
	u32 count;

	for (count = 0; count < 5 && inbound_unmask(&ring); count++) {
		inbound_mask(&ring);
		assert_packet(*id, *id ? random_below(sizes, 200) * 8 : 0);
		++*id;
	}
	if (inbound_release(&ring))
		ring_bell(&bell.to_host);
	return count;
}

static void no_signal_is_lost_among_threads(void **state)
{
	struct talk t = { .seed = 1, .wanted = 24 };
	u32 id = 0, sizes = 1, seen;
	pthread_t thread;

	(void)state;
	poke(&host, FEATURES, 1);
	memset(&bell, 0, sizeof(bell));
	assert_int_equal(pthread_create(&thread, NULL, talk_thread, &t), 0);
	while (id < TALKS) {
		seen = __atomic_load_n(&bell.to_guest, __ATOMIC_SEQ_CST);
		if (run_reader(&id, &sizes) || inbound_unmask(&ring))
			continue;
		if (!wait_for(&bell.to_guest, seen))
			break;
	}
	pthread_join(thread, NULL);
	assert_int_equal(t.sent, TALKS);
	assert_int_equal(id, TALKS);
	assert_empty();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening_clears_all_of_the_memory),
		TEST(a_ring_without_data_or_too_large_is_refused),
		TEST(limits_that_cannot_be_are_refused),
		TEST(limits_say_nothing_of_where_we_stand),
		TEST(opening_fails_without_memory),
		TEST(a_closed_ring_is_left_alone),
		TEST(indices_start_over_whatever_the_host_left),
		TEST(an_empty_ring_has_no_packet),
		TEST(packets_come_in_order_and_once),
		TEST(kinds_of_packets_are_told_apart),
		TEST(a_packet_may_start_anywhere),
		TEST(a_packet_may_have_any_size),
		TEST(the_largest_packet_fills_the_private_room),
		TEST(the_largest_ring_works_at_its_end),
		TEST(each_write_index_is_true_or_a_lie),
		TEST(an_index_names_the_rule_it_breaks),
		TEST(less_than_a_packet_is_a_lie_and_not_looked_at),
		TEST(our_own_words_are_only_written),
		TEST(a_descriptor_that_lies_ends_the_ring),
		TEST(a_packet_that_lies_is_passed_over),
		TEST(a_channel_says_what_it_takes),
		TEST(each_byte_is_fetched_once_and_the_trailer_never),
		TEST(the_write_index_is_fetched_once_for_all_packets),
		TEST(what_changes_after_its_fetch_has_no_effect),
		TEST(no_storm_gets_through),
		TEST(features_are_looked_at_once_when_the_host_has_spoken),
		TEST(without_flow_control_nobody_waits),
		TEST(the_host_is_signalled_when_its_room_crosses_what_is_pending),
		TEST(the_mask_has_no_say_in_signals_about_room),
		TEST(a_release_of_nothing_does_nothing),
		TEST(a_host_that_does_not_wait_costs_one_look),
		TEST(a_bad_write_index_is_no_reason_to_signal),
		TEST(masking_is_written_and_unmasking_looks_again),
		TEST(unmasking_looks_after_it_has_unmasked),
		TEST(an_index_that_lies_is_something_to_read),
		TEST(a_long_conversation_loses_nothing),
		TEST(no_signal_is_lost_among_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
