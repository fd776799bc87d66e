// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the ring from the host: its indices, descriptors, and what changes under the
 * guest's eyes.
 */
#include "ring_act.h"

#define DATA (3 * 4096)

static const u8 ordinary[64] = "an ordinary packet";

/* Changes bytes right before their nth fetch. */
static struct {
	const u8 *at;
	u32 size, value;
	unsigned int nth, seen;
} change;

static void changing(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)h;
	(void)argument;
	if (change.at >= (const u8 *)at + size || (const u8 *)at >= change.at + change.size)
		return;
	if (++change.seen == change.nth) {
		memcpy((void *)(unsigned long)change.at, &change.value, change.size);
		strike("%u bytes changed before fetch %u", change.size, change.seen);
	}
}

static void change_before(const void *at, u32 size, u32 value, unsigned int nth)
{
	change.at = at;
	change.size = size;
	change.value = value;
	change.nth = nth;
	change.seen = 0;
	scene->host->hooks.fetching = changing;
}

/* Moves the write index by @more and signals. */
static void write_index(uint32_t value)
{
	poke(TO_GUEST, HOST_WRITE_INDEX, value, "the write index");
	host_signal(host_end());
}

ATTACK(write_outside, "R-040", "write index at the end of the ring")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	write_index(DATA);
	ring_is_given_up("ring.index.at_byte.limit");
}

ATTACK(write_odd, "R-041", "write index between two packets")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	write_index(host_end()->out_write + 20);
	ring_is_given_up("ring.index.at_byte.multiple");
}

ATTACK(write_back, "R-042", "write index goes back before what was read: old packets again")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	host_says(ordinary, 64);
	scene_run(20);
	expect(scene->received == 2);
	write_index(88 - 16);
	scene_run(20);
	expect(scene->received == 2);
	evidence("as far as indices go this is a full ring: what comes next was never written");
	ring_is_given_up("ring.header.type.enum");
}

ATTACK(write_unwritten, "R-043", "write index advances over bytes nobody has written")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	write_index(host_end()->out_write + 4096);
	ring_is_given_up("ring.header.type.enum");
}

ATTACK(write_twice, "R-044", "write index changes right after it was checked")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	change_before(host_field(host_end(), TO_GUEST, HOST_WRITE_INDEX), 4, DATA + 4, 2);
	scene_run(20);
	expect(scene->received == 1);
	scene->host->hooks.fetching = NULL;
	ring_is_given_up("ring.index.at_byte.limit");
}

static uint64_t storm;

static void keep_writing(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	if (at == host_field(host_end(), TO_GUEST, HOST_WRITE_INDEX) && storm && storm--)
		host_says(ordinary, 64);
}

ATTACK(write_continuously, "R-045", "write index advances continuously: the ring is never empty")
{
	uint64_t runs;

	scene_start(SCENE_ECHO | SCENE_DISK);
	runs = guest_end()->runs;
	storm = 5000;
	scene->host->hooks.fetching = keep_writing;
	host_says(ordinary, 64);
	scene_run(500);
	strike("%llu packets while it reads", (unsigned long long)(5000 - storm));
	expect(guest_end()->runs - runs > 5);
	evidence("%llu packets in %llu runs, each within its budget", (unsigned long long)scene->received,
		 (unsigned long long)(guest_end()->runs - runs));
	scene->host->hooks.fetching = NULL;
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(partial_descriptor, "R-046", "8 bytes written: less than a packet can have")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	write_index(host_end()->out_write + 8);
	ring_is_given_up("ring.header.in_ring");
}

ATTACK(read_index_overwritten, "R-047", "the guest's own read index is overwritten")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	scene_run(20);
	change_before(host_field(host_end(), TO_GUEST, HOST_READ_INDEX), 4, 0, ~0U);
	host_poke(host_end(), TO_GUEST, HOST_READ_INDEX, 0);
	strike("own read index set to 0");
	host_end()->out_known = 0;
	host_says(ordinary, 64);
	airlock_channel_poll(guest_end());	/* the host has fooled itself out of a signal */
	scene_run(20);
	expect(scene->received == 2 && !change.seen);
	expect(host_peek(host_end(), TO_GUEST, HOST_READ_INDEX) == host_end()->out_write);
	evidence("never read back: the next packet is read where the last one ended");
	scene_works();
	scene_end(0);
}

ATTACK(length_zero, "R-048", "length 0: no progress")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 2, 0, 0, 0, ordinary, 64);
	ring_is_given_up("ring.header.inside");
}

ATTACK(length_beyond, "R-049", "length beyond what was written")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 2, 12, 0, 0, ordinary, 64);
	ring_is_given_up("ring.header.in_ring");
}

ATTACK(length_buffer, "R-050", "length beyond the private room, though it was all written")
{
	static const u8 large[8000];

	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 2, 2 + 1000, 0, 0, large, 8000);
	ring_is_given_up("ring.header.in_buffer");
}

ATTACK(length_changes, "R-051", "length changes between its check and the copy")
{
	u8 *at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = data_to_guest(host_end()->out_write);
	host_says(ordinary, 64);
	host_says(ordinary, 64);
	/* The second fetch of the descriptor never comes; so before the third 8 bytes, behind it. */
	change_before(at + 16, 1, 'X', 1);
	scene_run(20);
	memset(at, 0xff, 16);
	strike("descriptor overwritten once its packet was read");
	expect(scene->received == 2);
	expect(guest_end()->in.context.our_index == host_end()->out_write);
	evidence("fetched once: the private copy says how far the packet reaches");
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(offset_small, "R-052", "payload offset inside of the descriptor")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 1, 10, 0, 0, ordinary, 64);
	ring_is_given_up("ring.header.offset8.limit");
}

ATTACK(offset_transfer, "R-053", "transfer pages without room for their header")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(7, 2, 10, 1, 5, ordinary, 64);
	packet_is_dropped("ring.transfer_pages.extended");
}

ATTACK(offset_changes, "R-054", "payload offset changes after its check")
{
	u8 *at;
	unsigned int seen;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = data_to_guest(host_end()->out_write);
	change_before(at + 2, 2, 0xffff, 2);
	host_says(ordinary, 64);
	scene_run(20);
	seen = change.seen;
	scene->host->hooks.fetching = NULL;
	expect(scene->received == 1 && seen == 1);
	strike("offset set to 0xffff right after its one fetch");
	memset(at + 2, 0xff, 2);
	evidence("fetched once");
	scene_works();
	scene_end(0);
}

ATTACK(type_unknown, "R-055", "packets of unknown and of historical types")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(9, 2, 10, 0, 0, ordinary, 64);
	scene_run(20);
	expect_rule("ring.dispatch");
	expect(!guest_end()->dead);
	host_lies(0x4711, 2, 10, 0, 0, ordinary, 64);
	ring_is_given_up("ring.header.type.enum");
}

ATTACK(type_changes, "R-056", "the type changes once the packet was dispatched")
{
	u8 *at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = data_to_guest(host_end()->out_write);
	change_before(at, 2, 11, 2);
	host_says(ordinary, 64);
	scene_run(20);
	at[0] = 11;
	strike("type in the ring is that of a completion now");
	expect(scene->received == 1 && !scene->completed && change.seen == 1);
	evidence("the copy decides");
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(flags_reserved, "R-057", "flags without a meaning")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 2, 10, 2, 0, ordinary, 64);
	ring_is_given_up("ring.header.flags.reserved");
}

static bool deaf(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	(void)p;
	return ch != scene->echo_channel;
}

ATTACK(completions_wanted, "R-058", "every packet wants a completion, and none is read: the ring to the host is full")
{
	struct host_packet p = { .type = 6, .flags = 1, .bytes = ordinary, .size = 64, .transaction = 1 };
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = deaf;
	while (!guest_sends(1024))
		;
	host_poke(host_end(), TO_HOST, HOST_INTERRUPT_MASK, 1);
	for (i = 0; i < 40 && host_send(host_end(), &p); i++)
		p.transaction++;
	strike("%u packets that want answers, ring to the host full", i);
	airlock_channel_poll(guest_end());
	scene_run(20);
	expect(scene->received == i);
	evidence("receiving goes on, %llu answers had no room, nobody waited", (unsigned long long)scene->failed);
	scene->host->hooks.packet = NULL;
	host_poke(host_end(), TO_HOST, HOST_INTERRUPT_MASK, 0);
	host_end()->signalled = true;
	scene_run(50);
	expect(!guest_end()->dead);
	scene_end(0);
}

ATTACK(trailer_lies, "R-059", "trailers full of lies")
{
	u32 at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = host_end()->out_write + 16 + 64;
	host_says(ordinary, 64);
	memset(data_to_guest(at), 0xff, 8);
	change_before(data_to_guest(at), 8, 0, ~0U);
	strike("trailer is all ones");
	scene_run(20);
	expect(scene->received == 1 && !change.seen);
	evidence("never fetched");
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(payload_changes, "R-060", "payload changes while, and after, it is copied")
{
	struct host_packet p = { .type = 6, .flags = 1, .transaction = 77, .bytes = ordinary, .size = 64 };
	u8 *at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = data_to_guest(host_end()->out_write);
	host_send(host_end(), &p);
	change_before(at + 24, 4, 0x41414141, 1);
	scene_run(20);
	expect(scene->received == 1 && scene->host_completions == 1 && change.seen == 1);
	memset(at, 0xee, 80);
	evidence("one copy, whatever it caught; the driver never sees the ring");
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(payload_garbage, "R-061", "garbage behind the real message")
{
	u8 garbage[2048];

	scene_start(SCENE_ECHO | SCENE_DISK);
	memset(garbage, 0xbd, sizeof(garbage));
	host_lies(6, 2, 2 + 256, 0, 0, garbage, sizeof(garbage));
	scene_run(20);
	expect(scene->received == 1);
	evidence("delivered as bytes with their length; the device's validator bounds what is read");
	scene_works();
	scene_end(0);
}

ATTACK(buffer_large, "R-062", "a driver wants private room beyond the ring")
{
	static struct inbound in;
	struct ring_context limits = { .buffer_bytes = 2 * DATA };
	static u8 memory[4 * 4096] __attribute__((aligned(4096)));

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(inbound_open(&in, (u8 __host *)(unsigned long)memory, 4, &limits) == -EINVAL);
	strike("a packet of %u bytes allowed in a ring of %u", 2 * DATA, DATA);
	evidence("refused at open");
	scene_works();
	scene_end(0);
}

ATTACK(sums_overflow, "R-063", "indices and lengths at the limits of their types")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(6, 0xffff, 0xffff, 0, ~0ULL, ordinary, 64);
	scene_run(20);
	expect_rule("ring.header.in_ring");
	scene_quarantined(guest_end());
	scene_end(0);
}

ATTACK(every_wrap, "R-064", "packets that wrap at every multiple of 8, descriptors in two pieces")
{
	u8 payload[88];
	unsigned int i, bytes;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 4000; i++) {
		bytes = 8 + i * 8 % 80;
		memset(payload, (int)i, sizeof(payload));
		expect(host_says(payload, bytes));
		scene_run(1);
		expect(!memcmp(guest_end()->in.packet + 16, payload, bytes));
	}
	strike("%u packets, %llu times around", i, (unsigned long long)guest_end()->in.bytes / DATA);
	expect(scene->received == i && !guest_end()->dead);
	evidence("each whole");
	scene_works();
	scene_end(0);
}

ATTACK(event_without_data, "R-065", "events without data, data without an event")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 50; i++) {
		host_set_event(scene->host, guest_end()->cpu, guest_end()->relid);
		scene_run(1);
	}
	strike("50 events on an empty ring");
	expect(!scene->received && !guest_end()->dead);
	evidence("an empty ring is one look");
	scene_works();
	scene_end(0);
}

/* The host asks for a signal of space when @pending bytes are free, and the guest reads a packet. */
static uint64_t signals_for(uint32_t pending)
{
	uint64_t before = (uint64_t)atomic_read(&scene->connection.signals);

	expect(host_says(ordinary, 64));
	poke(TO_GUEST, HOST_PENDING_SIZE, pending, "the pending size");
	scene_run(5);
	return (uint64_t)atomic_read(&scene->connection.signals) - before;
}

ATTACK(pending_garbage, "R-066", "pending send size beyond the ring")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!signals_for(DATA + 8));
	expect(!signals_for(0xfffffff8));
	evidence("what can never be free is ignored");
	host_poke(host_end(), TO_GUEST, HOST_PENDING_SIZE, 0);
	scene_works();
	scene_end(0);
}

ATTACK(pending_odd, "R-067", "pending send size that is no multiple of 8, and exactly what becomes free")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(signals_for(DATA - 8) == 1);
	expect(signals_for(DATA - 1) == 1);
	expect(signals_for(DATA - 8 - 88) == 0);
	evidence("low bits do not count, the threshold is met inclusively, and crossed, not stood upon");
	host_poke(host_end(), TO_GUEST, HOST_PENDING_SIZE, 0);
	scene_works();
	scene_end(0);
}

ATTACK(pending_changes, "R-068", "pending send size changes during the decision")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	change_before(host_field(host_end(), TO_GUEST, HOST_PENDING_SIZE), 4, 8, 1);
	scene_run(20);
	expect(change.seen == 1);
	evidence("one load decides");
	scene->host->hooks.fetching = NULL;
	host_poke(host_end(), TO_GUEST, HOST_PENDING_SIZE, 0);
	scene_works();
	scene_end(0);
}

ATTACK(feature_cleared, "R-069", "the feature bit of the ring to the guest is cleared after the open")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(signals_for(DATA - 8) == 1 && guest_end()->in.flow_control);
	host_poke(host_end(), TO_GUEST, HOST_FEATURES, 0);
	change_before(host_field(host_end(), TO_GUEST, HOST_FEATURES), 4, 0, ~0U);
	strike("feature bits cleared");
	expect(signals_for(DATA - 8) == 1);
	expect(guest_end()->in.flow_control);
	evidence("looked at once, at open: space is still signalled");
	host_poke(host_end(), TO_GUEST, HOST_PENDING_SIZE, 0);
	scene_works();
	scene_end(0);
}

ATTACK(mask_ignored, "R-070", "the host interrupts although the guest has masked it")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	for (i = 0; i < 10; i++) {
		host_poke(host_end(), TO_GUEST, HOST_INTERRUPT_MASK, 0);
		host_set_event(scene->host, guest_end()->cpu, guest_end()->relid);
		airlock_event_interrupt(&scene->connection, guest_end()->cpu);
	}
	strike("mask cleared by the host, 10 interrupts");
	scene_run(20);
	expect(scene->received == 1);
	evidence("one tasklet runs, once");
	scene_works();
	scene_end(0);
}

ATTACK(mask_set, "R-071", "the host sets the guest's own mask, as if it must not interrupt")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_poke(host_end(), TO_GUEST, HOST_INTERRUPT_MASK, 1);
	change_before(host_field(host_end(), TO_GUEST, HOST_INTERRUPT_MASK), 4, 1, ~0U);
	strike("mask set to 1");
	airlock_channel_poll(guest_end());
	scene_run(20);
	expect(!host_peek(host_end(), TO_GUEST, HOST_INTERRUPT_MASK) && !change.seen);
	evidence("never read, stored anew after each run");
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(never_empty, "R-072", "the write index moves at each look after the mask was cleared")
{
	uint64_t runs;

	scene_start(SCENE_ECHO | SCENE_DISK);
	runs = guest_end()->runs;
	storm = 300;
	scene->host->hooks.fetching = keep_writing;
	airlock_channel_poll(guest_end());
	scene_run(300);
	expect(!storm);
	strike("300 packets, one at each look");
	evidence("%llu packets in %llu runs", (unsigned long long)scene->received,
		 (unsigned long long)(guest_end()->runs - runs));
	scene->host->hooks.fetching = NULL;
	scene_works();
	scene_end(0);
}

static bool fill_before_open(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != 6 || scene->echo_channel->state != HOST_OPENED || scene->echo_channel->sent)
		return true;
	host_poke(scene->echo_channel, TO_GUEST, HOST_WRITE_INDEX, 4096 + 8);
	host_poke(scene->echo_channel, TO_GUEST, HOST_READ_INDEX, 4096);
	strike_on_fetch(host_field(scene->echo_channel, TO_GUEST, HOST_WRITE_INDEX), 4, "the write index");
	return true;
}

ATTACK(filled_before_open, "R-073", "indices are not 0 when the channel opens")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.outgoing = fill_before_open;
	expect(!scene_connect());
	scene_run(50);
	expect(rule_fired("ring.header.type.enum") + rule_fired("ring.header.offset8.limit") +
	       rule_fired("ring.header.inside") == 1);
	evidence("read from our own 0 on, judged like any other bytes");
	scene_quarantined(guest_end());
	scene_end(0);
}

ATTACK(old_packets, "R-074", "after a re-open the write index covers the packets of the last time")
{
	uint32_t old;

	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(ordinary, 64);
	scene_run(20);
	old = host_end()->out_write;
	host_rescind(scene->host, host_end());
	scene_run(100);
	scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	scene_run(100);
	expect(scene->echo_device && scene->probes == 3);
	scene->received = 0;
	write_index(old);
	scene_run(20);
	expect(!scene->received);
	expect_rule("ring.header.type.enum");
	scene_quarantined(guest_end());
	scene_end(0);
}
