// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a curious host finds in the memory it is shown. Private memory of the simulation is full of
 * one pattern, so whatever was not written shows; sim_secret_shows() looks at every shared page.
 */
#include "ring_act.h"

/* A packet of the guest as it lies in the ring. */
static void read_packet(uint32_t at, void *bytes, uint32_t size)
{
	host_ring_read(host_end(), TO_HOST, at, bytes, size);
	strike("the host reads %u bytes at %u", size, at);
}

ATTACK(padding, "R-140", "the host reads the padding of a packet whose length is no multiple of 8")
{
	u8 bytes[16 + 64 + 8];
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	expect(!guest_sends(57));
	read_packet(at, bytes, sizeof(bytes));
	expect(bytes[16 + 56] == 0x77 && !memchr_inv(bytes + 16 + 57, 0, 7));
	expect(!sim_secret_shows());
	evidence("7 bytes of padding, all 0");
	scene_run(20);
	scene_works();
	scene_end(0);
}

ATTACK(reserved_words, "R-141", "the host reads the reserved words of a header with frames")
{
	static const u64 gfns[1] = { 0x100001 };
	struct outbound_packet p = {
		.kind = RING_MSG_GPA_DIRECT, .range_bytes = 100, .gfns = gfns, .gfn_count = 1,
		.payload = (const u8 *)"12345678", .bytes = 8,
	};
	u8 bytes[16 + 8 + 16 + 8];
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	expect(!airlock_send(guest_end(), &p));
	read_packet(at, bytes, sizeof(bytes));
	expect(!memchr_inv(bytes + 16, 0, 4));
	evidence("reserved word is 0");
	scene_end(0);
}

ATTACK(structures, "R-142", "the host searches all it sees for bytes of structures that were never written")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo() && scene_disk());
	strike("%llu shared pages searched", (unsigned long long)sim_shared_pages());
	expect(!sim_secret_shows());
	expect(!scene->host->errors);
	evidence("not one; the host has no complaint about reserved bytes either");
	scene_works();
	scene_end(0);
}

ATTACK(trailer_low, "R-143", "the host reads the trailers of packets")
{
	u8 bytes[16 + 64 + 8];
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	expect(!guest_sends(64));
	read_packet(at, bytes, sizeof(bytes));
	expect(!memchr_inv(bytes + 80, 0, 4) && !memcmp(bytes + 84, &at, 4));
	evidence("8 bytes, written whole");
	scene_run(20);
	scene_works();
	scene_end(0);
}

static bool look_at_id(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	if (ch == scene->echo_channel)
		strike("transaction id %#llx", (unsigned long long)p->transaction);
	expect(p->transaction < 1ULL << 40);
	return true;
}

ATTACK(transaction_pointer, "R-144", "the host collects transaction ids, to learn of addresses")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = look_at_id;
	scene_works();
	evidence("a slot and a generation");
	scene_end(0);
}

static bool search_at_gpadl(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	if (message[0] == 8) {
		strike("memory is named, searched before it is used");
		expect(!sim_secret_shows());
	}
	return true;
}

static void share_of_kind(unsigned int what)
{
	scene_prepare(SCENE_ECHO | what);
	scene->host->hooks.incoming = search_at_gpadl;
	expect(!scene_connect());
	scene_run(50);
	expect(scene->echo_device && !sim_secret_shows());
}

ATTACK(at_share, "R-145", "the host reads rings the moment they are shared")
{
	share_of_kind(0);
	scene_works();
	evidence("cleared before, for memory that keeps what it holds, and after, for what is scrambled");
	scene_end(0);
}

ATTACK(unpublished, "R-146", "the host reads bytes of packets that were never published")
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true, .bytes = 64 };
	static u8 payload[64];
	u8 bytes[16];
	uint32_t at;
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	memset(payload, 0x99, sizeof(payload));
	p.payload = payload;
	for (i = 0; i < 8; i++)
		expect(request_reserve(&guest_end()->requests, scene));
	at = guest_end()->out.write;
	expect(!request_reserve(&guest_end()->requests, scene));
	read_packet(at, bytes, sizeof(bytes));
	expect(!memchr_inv(bytes, 0, sizeof(bytes)));
	evidence("the id comes first: without one nothing is copied");
	scene_end(0);
}

static uint8_t slack[4096];
static uint32_t slack_count;

static bool look_at_pages(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	uint32_t last;

	(void)t;
	(void)argument;
	(void)ch;
	if (!p->gfn_count)
		return true;
	last = (p->byte_offset + p->byte_count) % 4096;
	if (!last)
		return true;
	memcpy(slack, host_memory(p->gfns[p->gfn_count - 1], 0, 4096), 4096);
	slack_count = 4096 - last;
	strike("%u bytes behind the data", slack_count);
	expect(!memchr_inv(slack + last, 0, slack_count));
	return true;
}

ATTACK(partial_pages, "R-147", "the host reads behind the data of a partial page")
{
	u8 write10[10] = { 0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0 };
	static u8 data[512];
	struct kvec from = { data, sizeof(data) };
	static struct scsi_command c;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->target.command = look_at_pages;
	memset(data, 0x42, sizeof(data));
	expect(scene_execute(&c, write10, 10, STORAGE_DATA_DIRECTION_WRITE, &from));
	expect(slack_count == 3584 && !sim_secret_shows());
	evidence("whole pages of the pool, cleared behind the data");
	scene_works();
	scene_end(0);
}

ATTACK(stale_completion, "R-148", "the host reads completions that the guest sends it")
{
	struct host_packet p = { .type = 6, .flags = 1, .transaction = 5, .bytes = (const u8 *)"ask", .size = 3 };
	u8 bytes[16 + 8 + 8];
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	host_send(host_end(), &p);
	scene_run(20);
	read_packet(at, bytes, sizeof(bytes));
	expect(!memcmp(bytes + 16, "ask\0\0\0\0\0", 8) && !sim_secret_shows());
	evidence("built over a cleared buffer");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(process_mapping, "R-149", "a process maps the ring",
	       "no part of this stack maps rings for processes; there is nothing to ask for it");
