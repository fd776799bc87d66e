// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on transactions, transfer pages and pipes.
 */
#include "ring_act.h"

static const u8 ordinary[64] = "an ordinary packet";
static uint64_t held;

/* Keeps the guest's request without an answer. */
static bool hold(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	if (ch != scene->echo_channel)
		return true;
	held = p->transaction;
	strike("request %#llx is held", (unsigned long long)p->transaction);
	return false;
}

/* A completion of 64 bytes for id @transaction, that nobody asked for. */
static void host_completes(uint64_t transaction)
{
	host_lies(11, 2, 10, 0, transaction, ordinary, 64);
}

static void completion_is_dropped(const char *rule)
{
	uint64_t completed = scene->completed;

	scene_run(20);
	expect_rule(rule);
	expect(scene->completed == completed && !guest_end()->dead);
}

ATTACK(never_issued, "R-090", "completion of an id that was never given out")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_completes(0x777);
	completion_is_dropped("core.completion.unknown");
	host_completes(~0ULL);
	completion_is_dropped("core.completion.unknown");
	scene_works();
	scene_end(0);
}

ATTACK(pointer_id, "R-091", "completion of an id that looks like a kernel address")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_completes((uint64_t)(unsigned long)&scene->connection);
	completion_is_dropped("core.completion.unknown");
	expect(!scene_echo_send());
	expect(scene->echo_id < 1ULL << 32);
	scene_run(20);
	scene_works();
	scene_end(0);
}

ATTACK(duplicate, "R-092", "the same completion twice")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo());
	host_completes(scene->echo_id);
	completion_is_dropped("core.completion.stale");
	scene_works();
	scene_end(0);
}

ATTACK(duplicate_reused, "R-093", "the same completion again, once its slot serves another request")
{
	uint64_t old;
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo());
	old = scene->echo_id;
	for (i = 0; i < 64; i++) {
		scene->host->hooks.packet = hold;
		expect(!scene_echo_send());
		scene_run(5);
		if ((scene->echo_id & 0xffff) == (old & 0xffff))
			break;
		scene->host->hooks.packet = NULL;
		host_complete(host_end(), held, ordinary, 64);
		scene_run(5);
	}
	expect((scene->echo_id & 0xffff) == (old & 0xffff) && scene->echo_id != old);
	host_completes(old);
	completion_is_dropped("core.completion.stale");
	scene->host->hooks.packet = NULL;
	host_complete(host_end(), held, ordinary, 64);
	scene_run(20);
	scene_works();
	scene_end(0);
}

ATTACK(not_asked, "R-094", "completion of a packet that asked for none")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!guest_sends(64));
	host_completes(0);
	scene_run(20);
	expect_rule("ring.completion.ours");
	scene_works();
	scene_end(0);
}

ATTACK(never_completed, "R-095", "no completion, ever: the table is full")
{
	unsigned int sent;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = hold;
	for (sent = 0; !scene_echo_send(); sent++)
		scene_run(5);
	expect(sent == 8);
	evidence("after 8 requests senders hear -EAGAIN; at the end all are reclaimed");
	scene_end(0);
}

static u64 predicted;

static void complete_early(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	if (at != host_field(host_end(), TO_HOST, HOST_READ_INDEX) || !predicted)
		return;
	host_lies(11, 2, 10, 0, predicted, ordinary, 64);
	predicted = 0;
	strike("completion written before its request is published");
}

ATTACK(predicted_id, "R-096", "completion of an id that is about to be used")
{
	u64 id;

	scene_start(SCENE_ECHO | SCENE_DISK);
	id = request_reserve(&guest_end()->requests, scene);
	host_completes(id);
	completion_is_dropped("core.completion.early");
	request_release(&guest_end()->requests, id);
	predicted = id;
	scene->host->hooks.fetching = complete_early;
	(void)scene_echo_send();
	scene->host->hooks.fetching = NULL;
	scene_run(50);
	expect(!guest_end()->dead);
	scene_works();
	scene_end(0);
}

ATTACK(other_channel, "R-097", "completion on another channel than that of its request")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = hold;
	expect(!scene_echo_send());
	scene_run(5);
	strike_on_fetch(host_memory(scene->disk_channel->ring_gfns[scene->disk_channel->downstream + 1 +
			scene->disk_channel->out_write / 4096], scene->disk_channel->out_write % 4096, 8), 8,
			"the completion, by the disk's ring");
	host_send(scene->disk_channel, &(struct host_packet){ .type = 11, .transaction = held | 1ULL << 40,
		  .bytes = ordinary, .size = 64 });
	scene_run(20);
	expect(rule_fired("core.completion.unknown") + rule_fired("core.completion.stale") == 1);
	evidence("each channel has a table of its own");
	scene->host->hooks.packet = NULL;
	host_complete(host_end(), held, ordinary, 64);
	scene_run(20);
	scene_works();
	scene_end(0);
}

static bool shorten(struct host_channel *ch, void *argument, struct host_packet *p)
{
	(void)argument;
	if (ch != scene->echo_channel || p->type != 11)
		return true;
	p->size = 8;
	p->length8 = 2 + 1;
	strike("completion of 8 bytes instead of 64");
	return true;
}

ATTACK(payload_short, "R-098", "completion with less than what was asked for")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.sending = shorten;
	expect(!scene_echo());
	expect(scene->completed == 1);
	scene->host->hooks.sending = NULL;
	evidence("the driver sees 8 bytes, no more, and fails its request");
	scene_works();
	scene_end(0);
}

static uint64_t order[4];
static unsigned int ordered;

static bool collect(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	if (ch != scene->echo_channel)
		return true;
	order[ordered++ & 3] = p->transaction;
	return false;
}

ATTACK(any_order, "R-099", "completions in reverse order")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = collect;
	for (i = 0; i < 4; i++)
		expect(!scene_echo_send());
	scene_run(10);
	expect(ordered == 4);
	for (i = 4; i-- > 0;)
		host_complete(host_end(), order[i], ordinary, 64);
	strike("4 requests answered backwards");
	scene_run(20);
	expect(scene->completed == 4 && !guest_end()->requests.in_flight);
	evidence("each found its own");
	scene->host->hooks.packet = NULL;
	scene_works();
	scene_end(0);
}

ATTACK(id_zero, "R-100", "id 0 would never be answered")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 100; i++) {
		u64 id = request_reserve(&guest_end()->requests, scene);

		expect(id && (id & 0xffff));
		request_release(&guest_end()->requests, id);
	}
	strike("100 ids");
	evidence("none is 0");
	scene_works();
	scene_end(0);
}

/* A transfer packet with one range, or as many as @count says. */
static void host_lends(uint16_t set, uint32_t count, uint32_t bytes, uint32_t offset, uint16_t offset8, uint16_t flags)
{
	u8 body[64] = { 0 };

	memcpy(body, &set, 2);
	memset(body + 2, 0xee, 2);
	memcpy(body + 4, &count, 4);
	memcpy(body + 8, &bytes, 4);
	memcpy(body + 12, &offset, 4);
	host_lies(7, offset8, 10, flags, 99, body, 64);
}

ATTACK(ranges_count, "R-101", "no ranges; more ranges than the header holds")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lends(7, 0, 64, 0, 4, 1);
	scene_run(20);
	expect_rule("ring.transfer_pages.range_count.range");
	host_lends(7, 0xffffffff, 64, 0, 4, 1);
	scene_run(20);
	expect_rule("ring.transfer_pages.range_count.range");
	host_lends(7, 5, 64, 0, 4, 1);
	packet_is_dropped("ring.transfer_pages.in_front");
}

ATTACK(ranges_outside, "R-102", "a range outside of the receive buffer, also by a sum that wraps")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lends(7, 1, 4096, 0xfffff000, 4, 1);
	scene_run(20);
	expect_rule("ring.transfer_range.byte_offset.limit");
	host_lends(7, 1, 65537, 0, 4, 1);
	packet_is_dropped("ring.transfer_range.byte_count.range");
}

ATTACK(set_unknown, "R-103", "another buffer than the one agreed on")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lends(8, 1, 64, 0, 4, 1);
	packet_is_dropped("ring.transfer_pages.set.value");
}

ATTACK(ranges_overlap, "R-104", "ranges that overlap")
{
	u8 body[64] = { 7, 0, 0, 0, 2, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 32 };

	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(7, 5, 10, 1, 99, body, 64);
	scene_run(20);
	expect(scene->received == 1);
	evidence("allowed and harmless: each is copied out before it is looked at");
	scene_works();
	scene_end(0);
}

static void change_buffer(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)h;
	(void)argument;
	if (size == 8)
		memset((void *)(unsigned long)at, 0xcc, 1);
}

ATTACK(buffer_changes, "R-105", "the receive buffer changes after its range was judged")
{
	struct hostmem memory;
	u8 copy[64];

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!hostmem_create(&memory, scene->connection.visibility, 1, false));
	scene->host->hooks.fetching = change_buffer;
	strike_on_fetch(host_address(memory.at), 64, "the buffer, as it changes");
	host_fetch(copy, memory.at, 64);
	scene->host->hooks.fetching = NULL;
	memset(host_memory(hostmem_gfn(&memory, 0), 0, 64), 0xdd, 64);
	expect(copy[0] == 0xcc && !copy[1]);
	evidence("copied out by host_fetch(), each byte once; later changes do not matter");
	hostmem_destroy(&memory, true);
	scene_works();
	scene_end(0);
}

ATTACK(transfer_silent, "R-106", "a lent buffer that is not to be given back")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lends(7, 1, 64, 0, 4, 0);
	packet_is_dropped("ring.transfer_pages.returned");
}

ATTACK(transfer_garbage, "R-107", "garbage where the header has reserved bytes")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lends(7, 1, 64, 0, 4, 1);
	scene_run(20);
	expect(scene->received == 1);
	evidence("never delivered to anyone");
	scene_works();
	scene_end(0);
}

ATTACK(gpa_direct, "R-108", "a packet that names frames to the guest")
{
	u8 body[64] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 1 };

	scene_start(SCENE_ECHO | SCENE_DISK);
	host_lies(9, 6, 10, 1, 99, body, 64);
	packet_is_dropped("ring.dispatch");
}

ATTACK(gpadl_packets, "R-109", "packets of older days that name memory")
{
	static const struct { u16 type; const char *rule; } old[] = {
		{ 2, "ring.add_transfer_set.refused" }, { 3, "ring.remove_transfer_set.refused" },
		{ 4, "ring.establish_gpadl.refused" }, { 5, "ring.teardown_gpadl.refused" },
		{ 8, "ring.gpadl_data.refused" },
	};
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 5; i++) {
		host_lies(old[i].type, 2, 10, 0, 0, ordinary, 64);
		scene_run(20);
		expect_rule(old[i].rule);
	}
	expect(!guest_end()->dead && !scene->received);
	scene_works();
	scene_end(0);
}

ATTACK(legacy_packets, "R-110", "cancel, additional packets, additional data, synch")
{
	static const struct { u16 type; const char *rule; } old[] = {
		{ 1, "ring.synch.refused" }, { 10, "ring.cancel.refused" },
		{ 12, "ring.additional_packets.refused" }, { 13, "ring.additional_data.refused" },
	};
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 4; i++) {
		host_lies(old[i].type, 2, 10, 0, 0, ordinary, 64);
		scene_run(20);
		expect_rule(old[i].rule);
	}
	expect(!guest_end()->dead && !scene->received);
	scene_works();
	scene_end(0);
}

/* A pipe message with @type and @length in a payload of @size bytes. */
static void host_pipes(uint32_t type, uint32_t length, uint32_t size)
{
	static u8 payload[4000];

	memcpy(payload, &type, 4);
	memcpy(payload + 4, &length, 4);
	host_lies(6, 2, (uint16_t)(2 + size / 8), 0, 0, payload, size);
}

static void start_pipe(void)
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->pipe = true;
	expect(!scene_connect());
	scene_run(50);
	expect(scene->echo_device);
}

ATTACK(pipe_length, "R-120", "pipe length beyond the payload")
{
	start_pipe();
	host_pipes(1, 100, 64);
	packet_is_dropped("ring.pipe_packet.data.bounds");
}

ATTACK(pipe_huge, "R-121", "pipe length beyond what a pipe carries")
{
	start_pipe();
	host_pipes(1, 16385, 3200);
	packet_is_dropped("ring.pipe_packet.length.limit");
}

ATTACK(pipe_empty, "R-122", "pipe length 0")
{
	start_pipe();
	host_pipes(1, 0, 8);
	scene_run(20);
	expect(scene->pipe_messages == 1 && !scene->pipe_bytes);
	evidence("delivered as an empty message, one step further");
	scene_works();
	scene_end(0);
}

ATTACK(pipe_type, "R-123", "pipe types that never travel")
{
	start_pipe();
	host_pipes(2, 8, 16);
	scene_run(20);
	expect_rule("ring.pipe_packet.type.value");
	host_pipes(9, 8, 16);
	packet_is_dropped("ring.pipe_packet.type.enum");
}

ATTACK(pipe_reread, "R-124", "the pipe header changes after part of the message was read")
{
	start_pipe();
	host_pipes(1, 56, 64);
	scene_run(20);
	expect(scene->pipe_bytes == 56);
	host_ring_write(host_end(), 16 + 4, "\xff\xff\x00\x00", 4);
	strike("length in the ring changed after the packet was taken");
	scene_run(20);
	expect(scene->pipe_bytes == 56);
	evidence("the message is a private copy");
	scene_works();
	scene_end(0);
}

ATTACK(pipe_tiny, "R-125", "a stream of pipe messages with one byte each")
{
	uint64_t runs;
	unsigned int i;

	start_pipe();
	runs = guest_end()->runs;
	for (i = 0; i < 300; i++)
		host_pipes(1, 1, 16);
	scene_run(50);
	expect(scene->pipe_messages == 300);
	evidence("300 messages in %llu runs", (unsigned long long)(guest_end()->runs - runs));
	scene_works();
	scene_end(0);
}
