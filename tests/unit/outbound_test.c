// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring to the host: every packet stands there as it was meant, a host that lies about what
 * it has read ends the ring, and it is signalled exactly when it is to be.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "memory.h"
#include "outbound.h"
#include "ring_host.h"
#include "shim.h"

#define DESCRIPTOR 16
#define TRAILER 8
#define ROOM (PAGE - 16 - TRAILER)	/* the largest packet of a ring with one page of data */
#define PADDED(bytes) (((bytes) + 7) & ~7U)

static struct ring_host host;
static struct outbound ring;

static void open_with(u32 pages, u32 room)
{
	ring_host_start(&host, pages);
	assert_int_equal(outbound_open(&ring, ring_host_memory(&host), pages, room), 0);
}

static int start(void **state)
{
	(void)state;
	shim_start(false, 1);
	open_with(2, ROOM);
	return 0;
}

static int start_threads(void **state)
{
	(void)state;
	shim_start(true, 2);
	open_with(2, ROOM);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	airlock_fetch_hook = NULL;
	outbound_close(&ring);
	ring_host_stop(&host);
	shim_stop();
	return shim_allocated() ? -1 : 0;
}

static void open_again(u32 pages, u32 room)
{
	outbound_close(&ring);
	ring_host_stop(&host);
	open_with(pages, room);
}

/* ---- our end ---- */

static u8 payload[PAGE * 2];

static struct outbound_packet in_band(u64 id, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		payload[i] = pattern(id, i);
	return (struct outbound_packet){
		.kind = RING_MSG_OUR_IN_BAND, .transaction = id, .payload = payload, .bytes = bytes,
	};
}

static void assert_send(const struct outbound_packet *p, int result, int broken)
{
	bool signal = true;
	int rule = -1;

	assert_int_equal(outbound_send(&ring, p, NULL, NULL, &signal, &rule), result);
	assert_int_equal(rule, broken);
	if (result)
		assert_false(signal);
}

/* Sends, and returns whether the host is to be told. */
static bool send(u64 id, u32 bytes)
{
	struct outbound_packet p = in_band(id, bytes);
	bool signal;
	int rule;

	assert_int_equal(outbound_send(&ring, &p, NULL, NULL, &signal, &rule), 0);
	assert_int_equal(rule, 0);
	return signal;
}

/* ---- the host's end ---- */

static u8 read_byte(u32 at)
{
	return host.data[(host.at + at) % host.size];
}

static u64 read_number(u32 at, u32 width)
{
	u64 value = 0;

	while (width--)
		value = value << 8 | read_byte(at + width);
	return value;
}

static u32 unread(void)
{
	return (peek(&host, WRITE_INDEX) + host.size - host.at) % host.size;
}

/* The next packet is one of ours, in every byte; and it is read. */
static void assert_read(u64 id, u32 bytes)
{
	u32 length = DESCRIPTOR + PADDED(bytes), i;

	assert_true(unread() >= length + TRAILER);
	assert_int_equal(read_number(0, 2), 6);
	assert_int_equal(read_number(2, 2), 2);
	assert_int_equal(read_number(4, 2), length / 8);
	assert_int_equal(read_number(6, 2), 0);
	assert_true(read_number(8, 8) == id);
	for (i = 0; i < bytes; i++)
		assert_int_equal(read_byte(DESCRIPTOR + i), pattern(id, i));
	for (; i < PADDED(bytes); i++)
		assert_int_equal(read_byte(DESCRIPTOR + i), 0);
	assert_true(read_number(length, 8) == (u64)host.at << 32);
	host.at = (host.at + length + TRAILER) % host.size;
}

static void give_back(void)
{
	poke(&host, READ_INDEX, host.at);
}

/* Both ends meet at @at, and the ring is empty. */
static void meet_at(u32 at)
{
	u32 need;

	while (host.at != at) {
		need = (at + host.size - host.at) % host.size;
		if (need < DESCRIPTOR + TRAILER || need > ROOM + TRAILER)
			need = DESCRIPTOR + TRAILER;
		send(1, need - DESCRIPTOR - TRAILER);
		assert_read(1, need - DESCRIPTOR - TRAILER);
		give_back();
	}
}

/* The packet that was just sent, byte for byte. */
static void assert_stands(u32 at, const char *text)
{
	struct bytes expected = { NULL, 0 };
	u32 i;

	put_hex(&expected, text);
	assert_int_equal(peek(&host, WRITE_INDEX), (at + expected.size) % host.size);
	for (i = 0; i < expected.size; i++)
		assert_int_equal(host.data[(at + i) % host.size], expected.data[i]);
	bytes_clear(&expected);
}

/* ---- opening and closing ---- */

static void opening_clears_the_memory_and_says_what_we_can_do(void **state)
{
	u32 i;

	(void)state;
	open_again(3, ROOM);
	assert_int_equal(peek(&host, FEATURES), 1);
	poke(&host, FEATURES, 0);
	for (i = 0; i < 3 * PAGE; i++)
		assert_int_equal(host.memory[i], 0);
}

static void a_ring_or_packet_that_cannot_be_is_refused(void **state)
{
	static const u32 refused[][2] = {
		{ 0, 64 }, { 1, 64 }, { 8190, 64 }, { 0xffffffff, 64 }, { 2, 0 }, { 2, 15 }, { 2, ROOM + 1 },
		{ 2, PAGE }, { 3, 0xffffffff }, { 2, 0xfffffff0 }, { 8189, 0xffff * 8 + 1 },
	};
	struct outbound other;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(outbound_open(&other, ring_host_memory(&host), refused[i][0], refused[i][1]), -EINVAL);
}

static void opening_fails_without_memory(void **state)
{
	struct outbound_packet p = in_band(1, 8);
	struct outbound other;
	bool signal;
	int rule;

	(void)state;
	shim_fail_allocations(1, 0);
	assert_int_equal(outbound_open(&other, ring_host_memory(&host), 2, 64), -ENOMEM);
	assert_int_equal(outbound_send(&other, &p, NULL, NULL, &signal, &rule), -EPIPE);
	outbound_close(&other);
}

static u32 fetches;

static void count_fetch(const void *at, u32 size)
{
	(void)at;
	(void)size;
	fetches++;
}

/* Nothing of the ring is looked at or changed by any call. */
static void assert_left_alone(void)
{
	struct outbound_packet p = in_band(1, 8);
	u8 before[2 * PAGE];
	int rule = -1;

	memcpy(before, host.memory, sizeof(before));
	fetches = 0;
	airlock_fetch_hook = count_fetch;
	assert_send(&p, -EPIPE, 0);
	assert_true(outbound_block(&ring, 64, &rule));
	assert_int_equal(rule, 0);
	outbound_unblock(&ring);
	rule = -1;
	assert_int_equal(outbound_free_bytes(&ring, &rule), 0);
	assert_int_equal(rule, 0);
	airlock_fetch_hook = NULL;
	assert_int_equal(fetches, 0);
	assert_memory_equal(host.memory, before, sizeof(before));
}

static void a_closed_ring_is_left_alone(void **state)
{
	(void)state;
	outbound_close(&ring);
	assert_left_alone();
}

/* ---- packets ---- */

static void packets_stand_as_the_catalogue_says(void **state)
{
	static const u64 gfns[] = { 0x1122334455667788, 0xffffffffffffffff };
	struct outbound_packet p = in_band(0x0807060504030201, 0);

	(void)state;
	p.payload = (const u8 *)"\x11\x22\x33";
	p.bytes = 3;
	p.wants_completion = true;
	assert_send(&p, 0, 0);
	assert_stands(0, "06 00 02 00 03 00 01 00 | 01 02 03 04 05 06 07 08 | 11 22 33 00 00 00 00 00 | 00 00 00 00 00 00 00 00");
	p.kind = RING_MSG_OUR_COMPLETION;
	p.transaction = 0;
	p.wants_completion = false;
	p.bytes = 0;
	assert_send(&p, 0, 0);
	assert_stands(32, "0b 00 02 00 02 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 00 00 20 00 00 00");
	p = (struct outbound_packet){
		.kind = RING_MSG_GPA_DIRECT, .transaction = 5, .wants_completion = true,
		.payload = (const u8 *)"\xaa\xbb\xcc\xdd\xee", .bytes = 5,
		.range_bytes = 4097, .range_offset = 4095, .gfns = gfns, .gfn_count = 2,
	};
	assert_send(&p, 0, 0);
	assert_stands(56, "09 00 06 00 07 00 01 00 | 05 00 00 00 00 00 00 00 | 00 00 00 00 01 00 00 00 |"
		      "01 10 00 00 ff 0f 00 00 |"
		      "88 77 66 55 44 33 22 11 | ff ff ff ff ff ff ff ff | aa bb cc dd ee 00 00 00 |"
		      "00 00 00 00 38 00 00 00");
	assert_int_equal(ring.packets, 3);
	assert_int_equal(ring.bytes, 24 + 16 + 56);
}

static void assert_goes_through(u32 at, u32 bytes)
{
	u32 i, total = DESCRIPTOR + PADDED(bytes) + TRAILER;

	meet_at(at);
	memset(host.data, STALE, host.size);
	send(at, bytes);
	assert_read(at, bytes);
	for (i = total; i < host.size; i++)
		assert_int_equal(host.data[(at + i) % host.size], STALE);
	give_back();
}

static void a_packet_may_start_anywhere(void **state)
{
	static const u32 sizes[] = { 0, 1, 8, 15, 16, 24, 2040, ROOM - DESCRIPTOR - 8, ROOM - DESCRIPTOR };
	u32 at, i;

	(void)state;
	for (at = 0; at < PAGE; at += 8)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			assert_goes_through(at, sizes[i]);
}

static void a_packet_may_have_any_size(void **state)
{
	static const u32 places[] = { 0, PAGE - 1000, PAGE - 8 };
	u32 bytes, i;

	(void)state;
	for (bytes = 0; bytes <= ROOM - DESCRIPTOR; bytes++)
		assert_goes_through(places[bytes % 3], bytes);
	for (i = 0; i < ARRAY_SIZE(places); i++)
		for (bytes = 0; bytes < 64; bytes++)
			assert_goes_through(places[i], bytes);
}

static void the_largest_ring_takes_the_largest_packet(void **state)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .bytes = 0xffff * 8 - DESCRIPTOR };
	u32 i;
	u8 *bytes = calloc(1, p.bytes + 8);

	(void)state;
	assert_non_null(bytes);
	p.payload = bytes;
	open_again(8189, 0xffff * 8);
	for (i = 0; i < 65; i++) {
		assert_send(&p, 0, 0);
		assert_int_equal(read_number(4, 2), 0xffff);
		host.at = peek(&host, WRITE_INDEX);
		give_back();
	}
	p.bytes++;
	assert_send(&p, -EMSGSIZE, 0);
	free(bytes);
}

/* Payloads of as many bytes as fit, and the room for a packet no larger than it must be. */
static void each_kind_may_fill_the_room(void **state)
{
	static const u64 gfns[20];
	struct outbound_packet p = in_band(1, 84);

	(void)state;
	open_again(2, DESCRIPTOR);
	p.bytes = 0;
	assert_send(&p, 0, 0);
	open_again(2, 100);
	p = in_band(0, 84);
	assert_send(&p, 0, 0);
	assert_read(0, 84);
	p.kind = RING_MSG_OUR_COMPLETION;
	assert_send(&p, 0, 0);
	assert_int_equal(read_number(0, 2), 11);
	assert_int_equal(read_byte(DESCRIPTOR + 83), pattern(0, 83));
	assert_int_equal(read_number(DESCRIPTOR + 84, 4), 0);
	host.at = (host.at + 112) % host.size;
	p.kind = RING_MSG_GPA_DIRECT;
	p.gfns = gfns;
	p.gfn_count = 2;
	p.range_bytes = 8192;
	p.bytes = 53;
	assert_send(&p, 0, 0);
	assert_int_equal(read_byte(48), pattern(0, 0));
	assert_int_equal(read_byte(48 + 52), pattern(0, 52));
	assert_int_equal(read_number(48 + 53, 3), 0);
	p.bytes = 57;
	assert_send(&p, -EMSGSIZE, 0);
}

static void nothing_but_the_packet_leaves(void **state)
{
	u32 bytes;

	(void)state;
	for (bytes = 0; bytes < 300; bytes++) {
		send(bytes, bytes);
		assert_read(bytes, bytes);
		give_back();
	}
	for (bytes = 0; bytes + sizeof(sim_secret) <= PAGE; bytes++)
		assert_memory_not_equal(host.data + bytes, sim_secret, sizeof(sim_secret));
}

static void a_packet_that_can_never_be_sent_is_refused(void **state)
{
	struct outbound_packet p = in_band(1, 113);

	(void)state;
	open_again(2, 128);
	assert_send(&p, -EMSGSIZE, 0);
	p.bytes = 0xffffffff;
	assert_send(&p, -EMSGSIZE, 0);
	p.bytes = 112;
	assert_send(&p, 0, 0);
	p.kind = RING_MSG_GPA_DIRECT;
	p.gfn_count = 0xffffffff;
	assert_send(&p, -EMSGSIZE, 0);
	p.gfn_count = 0x20000000;
	assert_send(&p, -EMSGSIZE, 0);
	p.gfn_count = 13;
	p.bytes = 0;
	assert_send(&p, -EMSGSIZE, 0);
}

static void a_packet_of_ours_that_breaks_a_rule_is_not_sent(void **state)
{
	static const u64 gfns[3];
	struct outbound_packet p = in_band(0, 8);

	(void)state;
	p.wants_completion = true;
	assert_send(&p, -EINVAL, RING_RULE_OUR_IN_BAND_HAS_ID);
	p.kind = RING_MSG_OUR_COMPLETION;
	assert_send(&p, -EINVAL, RING_RULE_OUR_COMPLETION_SILENT);
	p.kind = RING_MSG_TRANSFER_PAGES;
	assert_send(&p, -EINVAL, RING_RULE_DISPATCH);
	p = (struct outbound_packet){
		.kind = RING_MSG_GPA_DIRECT, .transaction = 1, .range_bytes = 8192, .gfns = gfns, .gfn_count = 2,
	};
	p.gfn_count = 3;
	assert_send(&p, -EINVAL, RING_RULE_GPA_DIRECT_IN_FRONT);
	p.gfn_count = 1;
	assert_send(&p, -EINVAL, RING_RULE_GPA_RANGE_PFNS_BOUNDS);
	p.gfn_count = 2;
	p.range_offset = 4096;
	assert_send(&p, -EINVAL, RING_RULE_GPA_RANGE_BYTE_OFFSET_LIMIT);
	p.range_offset = 0;
	p.range_bytes = 0;
	assert_send(&p, -EINVAL, RING_RULE_GPA_RANGE_BYTE_COUNT_RANGE);
	assert_int_equal(peek(&host, WRITE_INDEX), 0);
	assert_null(memchr(host.data, 6, PAGE));
	p.range_bytes = 8192;
	assert_send(&p, 0, 0);
	assert_int_equal(ring.packets, 1);
}

/* ---- room ---- */

static void eight_bytes_stay_free(void **state)
{
	struct outbound_packet p = in_band(1, 8);
	u32 sent = 0, at;
	int rule;

	(void)state;
	for (at = 0; at < PAGE; at += 520) {
		meet_at(at);
		for (sent = 0; sent < (PAGE - 8) / 32; sent++) {
			assert_int_equal(outbound_free_bytes(&ring, &rule), PAGE - 8 - sent * 32);
			send(sent, 8);
		}
		assert_int_equal(outbound_free_bytes(&ring, &rule), (PAGE - 8) % 32);
		assert_send(&p, -EAGAIN, 0);
		for (sent = 0; sent < (PAGE - 8) / 32; sent++)
			assert_read(sent, 8);
		give_back();
	}
	assert_int_equal(ring.full, (PAGE + 519) / 520);
}

static void a_packet_fits_exactly_or_not_at_all(void **state)
{
	u32 at, free_bytes, bytes;
	struct outbound_packet p;

	(void)state;
	for (at = 0; at < PAGE; at += 776)
		for (free_bytes = 24; free_bytes < 2000; free_bytes += 56) {
			meet_at(at);
			bytes = PAGE - 8 - free_bytes - DESCRIPTOR - TRAILER;
			send(1, bytes);
			p = in_band(2, free_bytes - DESCRIPTOR - TRAILER + 1);
			assert_send(&p, -EAGAIN, 0);
			send(3, free_bytes - DESCRIPTOR - TRAILER);
			assert_read(1, bytes);
			assert_read(3, free_bytes - DESCRIPTOR - TRAILER);
			give_back();
		}
}

static void a_total_counts_padding_and_trailer(void **state)
{
	struct outbound_packet p = in_band(1, 0);

	(void)state;
	assert_int_equal(outbound_total(&p), 24);
	p.bytes = 1;
	assert_int_equal(outbound_total(&p), 32);
	p.kind = RING_MSG_GPA_DIRECT;
	p.gfn_count = 3;
	assert_int_equal(outbound_total(&p), 16 + 8 + 8 + 24 + 8 + 8);
	p.gfn_count = 0xffffffff;
	assert_int_equal(outbound_total(&p), 0xffffffff);
}

/* ---- index lies ---- */

/* By the catalogue: in the ring, between packets, from where it was forward to where we are. */
static bool read_index_is_true(u32 last, u32 written, u32 index)
{
	return index < PAGE && index % 8 == 0 && (index + PAGE - last) % PAGE <= (written + PAGE - last) % PAGE;
}

static void try_read_index(u32 last, u32 written, u32 index)
{
	struct outbound_packet p = in_band(1, 0);
	int rule;

	open_again(2, ROOM);
	meet_at(last);
	assert_int_equal(outbound_free_bytes(&ring, &rule), PAGE - 8);	/* it has seen where the host is */
	if (written != last)
		send(2, (written + PAGE - last) % PAGE - DESCRIPTOR - TRAILER);
	poke(&host, READ_INDEX, index);
	if (read_index_is_true(last, written, index)) {
		assert_int_equal(outbound_free_bytes(&ring, &rule), PAGE - 8 - (written + PAGE - index) % PAGE);
		assert_int_equal(rule, 0);
		return;
	}
	assert_int_equal(outbound_free_bytes(&ring, &rule), 0);
	assert_true(rule >= RING_RULE_INDEX_AT_BYTE_LIMIT && rule <= RING_RULE_OUTBOUND_READ_INDEX_WRAPPED);
	assert_send(&p, -EPIPE, 0);
}

static void each_read_index_is_true_or_a_lie(void **state)
{
	static const u32 places[][2] = { { 0, 0 }, { 0, 24 }, { 800, 1600 }, { 2400, 2400 }, { 4000, 800 }, { 48, 24 } };
	u32 i, index;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		for (index = 0; index < PAGE + 64; index += index % 64 < 12 ? 1 : 4)
			try_read_index(places[i][0], places[i][1], index);
	try_read_index(800, 1600, 0x7ffffff8);
	try_read_index(800, 1600, 0xfffffff8);
	try_read_index(800, 1600, 0xffffffff);
}

static void a_lie_ends_the_ring_and_sends_nothing(void **state)
{
	static const struct { u32 index; int rule; } lies[] = {
		{ PAGE, RING_RULE_INDEX_AT_BYTE_LIMIT }, { 804, RING_RULE_INDEX_AT_BYTE_MULTIPLE },
		{ 792, RING_RULE_OUTBOUND_READ_INDEX_FORWARD }, { 1608, RING_RULE_OUTBOUND_READ_INDEX_FORWARD },
	};
	struct outbound_packet p = in_band(3, 8);
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		open_again(2, ROOM);
		meet_at(800);
		send(2, 800 - DESCRIPTOR - TRAILER);
		poke(&host, READ_INDEX, lies[i].index);
		assert_send(&p, -EPROTO, lies[i].rule);
		assert_int_equal(peek(&host, WRITE_INDEX), 1600);
		assert_int_equal(host.data[1600], 0);
		assert_left_alone();
	}
	open_again(2, ROOM);
	meet_at(4000);
	send(2, 200 - DESCRIPTOR - TRAILER);
	poke(&host, READ_INDEX, 3992);
	assert_send(&p, -EPROTO, RING_RULE_OUTBOUND_READ_INDEX_WRAPPED);
}

static void a_lie_is_told_to_those_who_wait_too(void **state)
{
	int rule;

	(void)state;
	send(1, 8);
	poke(&host, READ_INDEX, 4);
	assert_true(outbound_block(&ring, 64, &rule));
	assert_int_equal(rule, RING_RULE_INDEX_AT_BYTE_MULTIPLE);
	assert_int_equal(peek(&host, PENDING), 64);	/* nothing is written any more */
	assert_left_alone();
	open_again(2, ROOM);
	send(1, 4000);
	poke(&host, READ_INDEX, 4);
	assert_true(outbound_block(&ring, 1000, &rule));
	assert_int_equal(rule, RING_RULE_INDEX_AT_BYTE_MULTIPLE);
}

static void our_own_words_are_only_written(void **state)
{
	(void)state;
	send(1, 8);
	poke(&host, WRITE_INDEX, 0xffffffff);
	poke(&host, FEATURES, 0);
	poke(&host, PENDING, 0x1234);
	memset(host.data, STALE, PAGE);
	send(2, 8);
	assert_int_equal(peek(&host, WRITE_INDEX), 64);
	assert_int_equal(read_number(0, 4), STALE * 0x01010101U);
	host.at = 32;
	assert_read(2, 8);
}

/* ---- signals ---- */

static void the_host_is_signalled_when_it_has_read_all_and_wants_to_know(void **state)
{
	static const u32 masks[] = { 0, 1, 0x80000000 };
	u32 i, left, at;
	bool signal;

	(void)state;
	for (at = 0; at < PAGE; at += 1016)
		for (i = 0; i < ARRAY_SIZE(masks); i++)
			for (left = 0; left < 4; left++) {
				meet_at(at);
				poke(&host, MASK, 1);
				send(1, 8);
				send(2, 8);
				assert_read(1, 8);
				if (left < 3)
					assert_read(2, 8);
				if (left < 2)
					give_back();
				poke(&host, MASK, masks[i]);
				signal = send(3, 8);
				assert_int_equal(signal, left < 2 && !masks[i]);
				poke(&host, MASK, 0);
				if (left == 3)
					assert_read(2, 8);
				assert_read(3, 8);
				give_back();
			}
}

static void the_first_packet_signals_and_those_behind_it_do_not(void **state)
{
	u32 round, i;

	(void)state;
	for (round = 0; round < 1000; round++) {
		for (i = 0; i <= round % 7; i++)
			assert_int_equal(send(i, 8), i == 0);
		for (i = 0; i <= round % 7; i++)
			assert_read(i, 8);
		give_back();
	}
	assert_int_equal(ring.signals, 1000);
}

/* What is fetched, in which order, and what the host changes in between. */
static struct { u32 words[8]; u32 count; u32 word_to_change, value; } trace;

static void trace_fetch(const void *at, u32 size)
{
	u32 offset = (const u8 *)at - host.memory;

	assert_true(offset < PAGE && size == 4);
	assert_true(trace.count < ARRAY_SIZE(trace.words));
	if (trace.count == trace.word_to_change)
		poke(&host, offset, trace.value);
	trace.words[trace.count++] = offset;
}

static bool send_traced(u32 word_to_change, u32 value)
{
	bool signal;

	memset(&trace, 0, sizeof(trace));
	trace.word_to_change = word_to_change;
	trace.value = value;
	airlock_fetch_hook = trace_fetch;
	signal = send(9, 8);
	airlock_fetch_hook = NULL;
	return signal;
}

static void only_three_words_are_looked_at(void **state)
{
	(void)state;
	assert_true(send_traced(~0U, 0));
	assert_int_equal(trace.count, 3);
	assert_int_equal(trace.words[0], READ_INDEX);
	assert_int_equal(trace.words[1], MASK);
	assert_int_equal(trace.words[2], READ_INDEX);
	poke(&host, MASK, 1);
	assert_false(send_traced(~0U, 0));
	assert_int_equal(trace.count, 2);
}

static void what_changes_meanwhile_changes_no_more_than_a_signal(void **state)
{
	(void)state;
	assert_false(send_traced(1, 1));		/* masked at the last moment */
	poke(&host, MASK, 0);
	assert_true(send_traced(2, 32));		/* read it all at the last moment */
	assert_false(send_traced(2, 0xffffffff));	/* never an index to believe in: it only is not equal */
	host.at = 0;
	assert_read(9, 8);
	assert_read(9, 8);
	assert_read(9, 8);
	poke(&host, READ_INDEX, 32);
	assert_false(send(10, 8));
}

/* ---- publishing ---- */

static struct { u32 calls; u32 index; u8 first, last; } published;

static void note(void *argument)
{
	assert_ptr_equal(argument, &published);
	published.calls++;
	published.index = peek(&host, WRITE_INDEX);
	published.first = host.data[0];
	published.last = host.data[DESCRIPTOR + 7];
}

static void publishing_comes_right_before_the_host_can_see(void **state)
{
	struct outbound_packet p = in_band(1, 8);
	bool signal;
	int rule;

	(void)state;
	memset(&published, 0, sizeof(published));
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), 0);
	assert_int_equal(published.calls, 1);
	assert_int_equal(published.index, 0);
	assert_int_equal(published.first, 6);
	assert_int_equal(published.last, pattern(1, 7));
	assert_int_equal(peek(&host, WRITE_INDEX), 32);
}

static void what_is_not_sent_is_not_published(void **state)
{
	struct outbound_packet p = in_band(1, ROOM - DESCRIPTOR);
	bool signal;
	int rule;

	(void)state;
	memset(&published, 0, sizeof(published));
	send(1, 8);
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), -EAGAIN);
	p.bytes++;
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), -EMSGSIZE);
	p = in_band(0, 8);
	p.wants_completion = true;
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), -EINVAL);
	poke(&host, READ_INDEX, 1);
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), -EPROTO);
	assert_int_equal(outbound_send(&ring, &p, note, &published, &signal, &rule), -EPIPE);
	assert_int_equal(published.calls, 0);
}

/* ---- waiting for room ---- */

static void who_waits_is_told_to_the_host(void **state)
{
	int rule;

	(void)state;
	send(1, 4000);
	assert_false(outbound_block(&ring, 1001, &rule));
	assert_int_equal(rule, 0);
	assert_int_equal(peek(&host, PENDING), 1008);
	assert_int_equal(ring.pending, 1008);
	poke(&host, PENDING, 0);			/* */
	assert_false(outbound_block(&ring, 1001, &rule));
	assert_int_equal(peek(&host, PENDING), 1008);
	outbound_unblock(&ring);
	assert_int_equal(peek(&host, PENDING), 0);
	assert_int_equal(ring.pending, 0);
}

static void nobody_waits_for_room_there_is(void **state)
{
	u32 left = PAGE - 8 - 24 - 4000;
	int rule;

	(void)state;
	send(1, 4000);
	assert_true(outbound_block(&ring, left, &rule));
	assert_int_equal(peek(&host, PENDING), 0);
	assert_int_equal(ring.pending, 0);
	assert_false(outbound_block(&ring, left + 1, &rule));
	outbound_unblock(&ring);
	assert_read(1, 4000);
	give_back();
	assert_true(outbound_block(&ring, left + 1, &rule));
	assert_int_equal(peek(&host, PENDING), 0);
	assert_true(outbound_block(&ring, 0, &rule));
	assert_int_equal(peek(&host, PENDING), 0);
}

static void who_waits_is_not_forgotten_for_the_sake_of_others(void **state)
{
	int rule;

	(void)state;
	send(1, 4000);
	assert_false(outbound_block(&ring, 1000, &rule));
	assert_true(outbound_block(&ring, 24, &rule));	/* there is room for this one */
	assert_int_equal(peek(&host, PENDING), 1000);
	assert_false(outbound_block(&ring, 500, &rule));
	assert_int_equal(peek(&host, PENDING), 1000);
	assert_false(outbound_block(&ring, 2000, &rule));
	assert_int_equal(peek(&host, PENDING), 2000);
	assert_read(1, 4000);
	give_back();
	assert_true(outbound_block(&ring, 2000, &rule));
	assert_int_equal(peek(&host, PENDING), 2000);	/* the first is yet to be told */
	outbound_unblock(&ring);
	assert_int_equal(peek(&host, PENDING), 0);
}

static void nobody_waits_for_more_than_can_ever_be(void **state)
{
	int rule;

	(void)state;
	send(1, 0);
	assert_false(outbound_block(&ring, 0xffffffff, &rule));
	assert_int_equal(peek(&host, PENDING), PAGE - 16);
	outbound_unblock(&ring);
	assert_read(1, 0);
	give_back();
	assert_true(outbound_block(&ring, 0xffffffff, &rule));
}

static u32 pending_seen;

static void read_all_at_the_last_moment(const void *at, u32 size)
{
	(void)size;
	assert_ptr_equal(at, word_at(&host, READ_INDEX));
	pending_seen = peek(&host, PENDING);
	poke(&host, READ_INDEX, peek(&host, WRITE_INDEX));
}

static void room_is_looked_for_after_the_host_was_told(void **state)
{
	int rule;

	(void)state;
	send(1, 4000);
	airlock_fetch_hook = read_all_at_the_last_moment;
	assert_true(outbound_block(&ring, 1000, &rule));
	airlock_fetch_hook = NULL;
	assert_int_equal(pending_seen, 1000);
	assert_int_equal(peek(&host, PENDING), 0);
}

/* ---- both ends at work ---- */

#define SENDERS 2
#define SENT 40000		/* by each */
#define PATIENCE 20000		/* ms without progress */

static struct {
	u32 to_host, to_guest;	/* signals */
	u32 blocked, over;
	pthread_mutex_t senders;	/* one waits at a time */
} bell;

static bool wait_for(u32 *count, u32 seen)
{
	u32 ms;

	for (ms = 0; ms < PATIENCE * 10; ms++) {
		if (__atomic_load_n(count, __ATOMIC_SEQ_CST) != seen)
			return true;
		usleep(100);
	}
	return false;
}

static void ring_bell(u32 *count)
{
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

/* Waits until there is room for @p, or for ever if a signal is lost. */
static bool wait_for_room(const struct outbound_packet *p)
{
	bool told = true;
	int rule;
	u32 seen;

	pthread_mutex_lock(&bell.senders);
	seen = __atomic_load_n(&bell.to_guest, __ATOMIC_SEQ_CST);
	if (!outbound_block(&ring, outbound_total(p), &rule)) {
		told = wait_for(&bell.to_guest, seen);
		outbound_unblock(&ring);
	}
	pthread_mutex_unlock(&bell.senders);
	return told && !rule;
}

static void *sender(void *argument)
{
	u32 number = *(u32 *)argument, seed = number, i, j;
	u8 bytes[1000];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = bytes };
	int rule, result;
	bool signal;

	for (i = 0; i < SENT; i++) {
		p.transaction = (u64)number << 32 | i;
		p.bytes = random_below(&seed, sizeof(bytes));
		for (j = 0; j < p.bytes; j++)
			bytes[j] = pattern(p.transaction, j);
		while ((result = outbound_send(&ring, &p, NULL, NULL, &signal, &rule)) == -EAGAIN)
			if (!wait_for_room(&p))
				return NULL;
		if (result)
			return NULL;
		if (signal)
			ring_bell(&bell.to_host);
	}
	return argument;
}

/* By the catalogue, 7.3. */
static void give_back_among_threads(u32 *given)
{
	u32 before, after, pending, write;

	if (*given == host.at)
		return;
	__atomic_store_n(word_at(&host, READ_INDEX), host.at, __ATOMIC_SEQ_CST);
	pending = peek(&host, PENDING) & ~7U;
	write = peek(&host, WRITE_INDEX);
	after = host.size - (write + host.size - host.at) % host.size - 8;
	before = after - (host.at + host.size - *given) % host.size;
	*given = host.at;
	if (pending && (s32)before < (s32)pending && after >= pending)
		ring_bell(&bell.to_guest);
}

static u32 next_of[SENDERS + 1], seed_of[SENDERS + 1];

static bool all_are_read(void)
{
	return next_of[1] == SENT && next_of[2] == SENT;
}

static void read_one(void)
{
	u64 id = read_number(8, 8);
	u32 number = id >> 32;

	assert_true(number >= 1 && number <= SENDERS);
	assert_int_equal((u32)id, next_of[number]);
	next_of[number]++;
	assert_read(id, random_below(&seed_of[number], 1000));
}

/* Polls a while with the mask set, then asks to be signalled, as hosts do. */
static bool host_works(u32 *given, u32 *seed)
{
	u32 seen, most = 1 + random_below(seed, 8);

	poke(&host, MASK, 1);
	for (; most && unread(); most--)
		read_one();
	give_back_among_threads(given);
	seen = __atomic_load_n(&bell.to_host, __ATOMIC_SEQ_CST);
	poke(&host, MASK, 0);
	return unread() || all_are_read() || wait_for(&bell.to_host, seen);
}

static void no_signal_is_lost_among_threads(void **state)
{
	u32 numbers[SENDERS] = { 1, 2 }, given = 0, seed = 3, i;
	pthread_t threads[SENDERS];
	void *done;

	(void)state;
	memset(&bell, 0, sizeof(bell));
	pthread_mutex_init(&bell.senders, NULL);
	for (i = 0; i < SENDERS; i++) {
		next_of[i + 1] = 0;
		seed_of[i + 1] = i + 1;
		assert_int_equal(pthread_create(&threads[i], NULL, sender, &numbers[i]), 0);
	}
	while (!all_are_read() && host_works(&given, &seed))
		;
	for (i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], &done);
		assert_non_null(done);
	}
	assert_true(all_are_read());
	assert_int_equal(ring.packets, SENDERS * SENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening_clears_the_memory_and_says_what_we_can_do),
		TEST(a_ring_or_packet_that_cannot_be_is_refused),
		TEST(opening_fails_without_memory),
		TEST(a_closed_ring_is_left_alone),
		TEST(packets_stand_as_the_catalogue_says),
		TEST(a_packet_may_start_anywhere),
		TEST(a_packet_may_have_any_size),
		TEST(the_largest_ring_takes_the_largest_packet),
		TEST(each_kind_may_fill_the_room),
		TEST(nothing_but_the_packet_leaves),
		TEST(a_packet_that_can_never_be_sent_is_refused),
		TEST(a_packet_of_ours_that_breaks_a_rule_is_not_sent),
		TEST(eight_bytes_stay_free),
		TEST(a_packet_fits_exactly_or_not_at_all),
		TEST(a_total_counts_padding_and_trailer),
		TEST(each_read_index_is_true_or_a_lie),
		TEST(a_lie_ends_the_ring_and_sends_nothing),
		TEST(a_lie_is_told_to_those_who_wait_too),
		TEST(our_own_words_are_only_written),
		TEST(the_host_is_signalled_when_it_has_read_all_and_wants_to_know),
		TEST(the_first_packet_signals_and_those_behind_it_do_not),
		TEST(only_three_words_are_looked_at),
		TEST(what_changes_meanwhile_changes_no_more_than_a_signal),
		TEST(publishing_comes_right_before_the_host_can_see),
		TEST(what_is_not_sent_is_not_published),
		TEST(who_waits_is_told_to_the_host),
		TEST(nobody_waits_for_room_there_is),
		TEST(who_waits_is_not_forgotten_for_the_sake_of_others),
		TEST(nobody_waits_for_more_than_can_ever_be),
		TEST(room_is_looked_for_after_the_host_was_told),
		cmocka_unit_test_setup_teardown(no_signal_is_lost_among_threads, start_threads, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
