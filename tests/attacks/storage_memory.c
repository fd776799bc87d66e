// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the memory that a storage device shares with the host, ST-086 to ST-097.
 */
#include <errno.h>
#include <string.h>

#include "memory.h"
#include "shim.h"
#include "storage_act.h"

#define PAGE 4096
#define RESET_BUS 6
#define OFFER 1
#define OFFER_CLASS 8
#define OFFER_FLAGS 56
#define GPADL_TORNDOWN 12
#define PRIVATE_RING 0x2
#define PRIVATE_MEMORY 0x4

static struct io io;

/* ---- what comes in ---- */

static u8 *page_of_read;
static u32 spoilt;

/* Each word turns into something else as soon as it was fetched. */
static void spoil_behind(const u8 *at, u32 size)
{
	if (!page_of_read || at < page_of_read || at >= page_of_read + PAGE)
		return;
	(void)size;
	spoilt = at - page_of_read;
	memset(page_of_read, 0xff, spoilt);
}

static void find_page(struct host_channel *ch, const struct host_packet *p)
{
	(void)ch;
	if (p->gfn_count)
		page_of_read = host_memory(p->gfns[0], 0, PAGE);
}

ATTACK(read_buffer_changes, "ST-086", "data of a read change while they are fetched, and once they were")
{
	act_start();
	act_on_command = find_page;
	act_on_data_fetch = spoil_behind;
	io_read_once(&io);
	expect(spoilt > PAGE / 2);
	strike("changed %u bytes behind the guest's back", spoilt);
	expect(io_is_good(&io, 16));
	memset(page_of_read, 0xff, PAGE);
	expect(io_is_good(&io, 16));
	evidence("each byte is copied once, before anyone is told");
	act_works();
}

/* ---- what goes out ---- */

static u8 sight[64 * PAGE];
static u32 sights;

/* The host looks at whole pages, whatever part of them it was told of. */
static void look(struct host_channel *ch, const struct host_packet *p)
{
	u32 i;

	(void)ch;
	memset(sight, 0xcc, sizeof(sight));
	for (i = 0; i < p->gfn_count && i < 64; i++)
		host_read_range(&p->gfns[i], 0, sight + i * PAGE, PAGE);
	sights += p->gfn_count != 0;
}

static bool sight_is(u32 from, u32 to, u8 value)
{
	while (from < to)
		if (sight[from++] != value)
			return false;
	return true;
}

ATTACK(neighbours_of_a_write, "ST-087", "the host reads beyond the bytes of a write, to the end of the page")
{
	u32 blocks;

	act_start();
	act_on_command = look;
	for (blocks = 23; blocks; blocks--) {		/* with less each time, in slots that held more */
		expect(!io_write(&io, 0, blocks, 0xee) && io_wait(&io));	/* what follows in memory is 0xee too */
		expect(sight_is(0, blocks * BLOCK, 0xee));
		expect(sight_is(blocks * BLOCK, (blocks * BLOCK + PAGE - 1) / PAGE * PAGE, 0));
	}
	strike("looked at %u pages in full", sights);
	evidence("zeros behind the data");
	act_works();
}

ATTACK(old_bytes_of_a_read, "ST-088", "the host looks into the buffer of a read before it fills it")
{
	u32 blocks;

	act_start();
	act_on_command = look;
	for (blocks = 1; blocks < 24; blocks++) {
		expect(!io_read(&io, 0, blocks) && io_wait(&io));		/* the private buffer is full of 0x55 */
		expect(sight_is(0, (blocks * BLOCK + PAGE - 1) / PAGE * PAGE, 0));
		expect(io_is_good(&io, 0));
	}
	strike("looked at %u empty buffers", sights);
	evidence("zeros");
	act_works();
}

static u64 seen_gfns[64];
static u32 seen_again;

static void look_for_slots(struct host_channel *ch, const struct host_packet *p)
{
	u32 i;

	look(ch, p);
	for (i = 0; p->gfn_count && i < ARRAY_SIZE(seen_gfns) && seen_gfns[i] != p->gfns[0]; i++)
		;
	seen_again += p->gfn_count && i < ARRAY_SIZE(seen_gfns);
	memmove(seen_gfns + 1, seen_gfns, sizeof(seen_gfns) - sizeof(seen_gfns[0]));
	if (p->gfn_count)
		seen_gfns[0] = p->gfns[0];
}

static bool nothing_moved(struct target_answer *a)
{
	a->transferred = 0;
	return true;
}

ATTACK(bytes_of_others, "ST-089", "a slot still holds the bytes of a request before")
{
	static const u8 inquiry[6] = { INQUIRY, 0, 0, 0, 96, 0 };
	u32 i;

	act_start();
	act_on_command = look_for_slots;
	lie_about(0, INQUIRY, 0, nothing_moved, "an answer without data");
	for (i = 0; i < 100; i++) {
		expect(!io_write(&io, 0, 128, 0x5a) && io_wait(&io));
		expect(!io_write(&io, 0, 1, 0x3c) && io_wait(&io));
		expect(sight_is(0, BLOCK, 0x3c) && sight_is(BLOCK, PAGE, 0));
		expect(!io_get(&io, inquiry, 6, 96) && io_wait(&io));
		expect(sight_is(0, PAGE, 0) && io_all(&io, 0, 96, 0));
	}
	expect(seen_again > 100);
	evidence("%u slots used again, each of them empty", seen_again);
	act_works();
}

/* ---- the ring to the host ---- */

/* Bytes of the request that was just heard, in the ring, from @from on. */
static void alter_request(struct host_channel *ch, u32 from, u32 size)
{
	u32 at;

	for (; size; size--, from++) {
		at = (last_packet_at + from) % ch->in_size;
		*(u8 *)host_memory(ch->ring_gfns[1 + at / PAGE], at % PAGE, 1) ^= 0x5f;
	}
}

static struct watch *altered;
static u32 alter_from, alter_size, alterations;

static void alter(struct host_channel *ch, const struct host_packet *p)
{
	u32 size = alter_size ? alter_size : p->size - alter_from;

	if (last_packet_at + p->size > ch->in_size)
		return;
	altered = watch_ring(ch, HOST_IN_DATA, last_packet_at + alter_from, size, "a request of its own");
	alter_request(ch, alter_from, size);
	alterations++;
}

static void with_altered_requests(u32 from, u32 size)
{
	u32 i;

	act_start();
	alter_from = from;
	alter_size = size;
	act_on_command = alter;
	for (i = 0; i < 50; i++) {
		io_read_once(&io);
		expect(io_is_good(&io, 16));
		expect(!altered->bytes);
	}
	strike("altered %u requests after they were sent", alterations);
	evidence("never read back");
	act_works();
}

ATTACK(request_altered, "ST-090", "page numbers and command of a request change once it was sent")
{
	with_altered_requests(16, 0);
}

ATTACK(id_altered, "ST-091", "the id of a request changes in the ring once it was sent")
{
	with_altered_requests(8, 8);
}

static u32 packets_seen, packets_dirty;

/* From the end of what the operation says to the end of the packet: zeros. */
static u32 said_bytes(const u8 *payload)
{
	switch (payload[0]) {
	case STORAGE_OPERATION_EXECUTE_SRB:
		return 60;
	case STORAGE_OPERATION_QUERY_VERSION:
		return 14;
	case STORAGE_OPERATION_CREATE_SUBCHANNELS:
		return 14;
	case STORAGE_OPERATION_RESET_BUS:
		return 20;
	}
	return 12;
}

static bool zeros(const u8 *p, u32 from, u32 to)
{
	while (from < to)
		if (p[from++])
			return false;
	return true;
}

static void look_at_padding(struct host_channel *ch, const struct host_packet *p)
{
	const u8 *payload = p->payload;
	bool clean = p->payload_size == 64 && zeros(payload, said_bytes(payload), 64);

	(void)ch;
	clean &= !host_leaks(p->bytes, p->size);
	clean &= p->type != 9 || zeros(p->bytes, 16, 20);
	if (payload[0] == STORAGE_OPERATION_EXECUTE_SRB)
		clean &= zeros(payload, 14, 16) && !payload[23] && zeros(payload, 28 + payload[20], 50);
	packets_seen++;
	packets_dirty += !clean;
}

ATTACK(padding_of_requests, "ST-092", "the host looks at every byte of every request, padding too")
{
	act_prepare();
	act_on_command = look_at_padding;
	act_connect();
	expect(act_grow(2) == 2);
	io_read_once(&io);
	expect(!io_write(&io, 0, 100, 0x11) && io_wait(&io));
	expect(!io_plain(&io, TEST_UNIT_READY) && io_wait(&io));
	expect(!scsi_reset(&scene->engine, RESET_BUS, 0, 0, 0));
	strike("looked at %u requests", packets_seen);
	expect(packets_seen >= 9 && !packets_dirty);
	evidence("zeros wherever nothing is said");
	act_works();
}

/* ---- quotas ---- */

static struct io many[16];

ATTACK(pool_exhausted, "ST-093", "all bounce pages of a device are held by commands that are not answered")
{
	u32 i, j;
	int error = 0;

	act_prepare();
	scene->policy.pool_slots = 64;
	act_connect();
	lie_about(0, READ_10, 0, withhold, NULL);
	for (i = 0; i < ARRAY_SIZE(many) && !error; i++) {
		error = io_read(&many[i], 0, 128);
		scene_run(5);
	}
	expect(error == -EAGAIN && i == 64 / 16 + 1);
	strike("%u commands of 16 pages are not answered", i - 1);
	expect(scene_echo());
	evidence("its own quota is used up, others work");
	lie_no_more();
	release_held();
	for (j = 0; j + 1 < i; j++)
		expect(io_wait(&many[j]) && io_is_good(&many[j], 0));
	act_works();
}

/* ---- private or not ---- */

static u8 more_flags;

/* The model host says nothing of flags it may not use; this one does. */
static bool add_flags(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != OFFER || memcmp(m->bytes + OFFER_CLASS, scene->target.device.class, 16))
		return true;
	m->bytes[OFFER_FLAGS] |= more_flags;
	strike("offered with flags %#x, on a connection that is not confidential", more_flags);
	return true;
}

static void offer_with(u8 flags, const char *rule)
{
	act_prepare();
	more_flags = flags;
	scene->host->hooks.outgoing = add_flags;
	act_connect();
	expect_rule(rule);
	expect(!scene->disk_device && !scene->engine_started);
	act_gone(0);
}

ATTACK(privacy_not_granted, "ST-094", "an offer promises private memory that was never granted")
{
	offer_with(PRIVATE_RING, "control.offer.ring_granted");
	offer_with(PRIVATE_RING | PRIVATE_MEMORY, "control.offer.ring_granted");
	offer_with(PRIVATE_MEMORY, "control.offer.ring_with_memory");
}

static u32 shared_seen, private_seen;

static void look_at_visibility(struct host_channel *ch, const struct host_packet *p)
{
	u32 i;

	(void)ch;
	for (i = 0; i < p->gfn_count; i++)
		*(sim_is_shared(p->gfns[i]) ? &shared_seen : &private_seen) += 1;
}

ATTACK(privacy_granted, "ST-095", "an offer promises private memory, rightly: is the data kept private?")
{
	act_prepare_as(SCENE_CONFIDENTIAL);
	scene->target.device.flags = PRIVATE_RING | PRIVATE_MEMORY;
	act_on_command = look_at_visibility;
	act_connect();
	expect(scene->engine_started);
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	expect(!io_write(&io, 16, 64, 0x77) && io_wait(&io));
	strike("commands of a device that keeps its promise: %u pages", private_seen);
	expect(private_seen && !shared_seen);
	evidence("%u pages, all private", private_seen);
	act_works();
}

/* ---- what is not given back ---- */

static bool drop_torndown(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != GPADL_TORNDOWN)
		return true;
	strike("the answer to a teardown is withheld");
	return false;
}

/* @busy: with a command on its way, whose page the host may still write. */
static void never_given_back(unsigned int kind, bool busy, u32 leaks)
{
	u64 began;

	act_prepare_as(kind);
	scene->policy.pool_slots = 256;
	act_connect();
	expect(scene->engine_started);
	if (busy)
		live_read(&io);
	else
		io_read_once(&io);
	scene->host->hooks.outgoing = drop_torndown;
	began = shim_now();
	scsi_stop(&scene->engine);
	expect(shim_now() - began <= scene->policy.drain_deadline + scene->policy.teardown_deadline + 1000);
	expect(io.command.glue && io.command.verdict == (busy ? SCSI_GONE : SCSI_DONE));
	scene->host->hooks.outgoing = NULL;
	expect((u32)atomic_read(&sim_visibility()->leaked) == leaks);
	act_gone(leaks);
}

ATTACK(teardown_unanswered, "ST-096", "the host never says that it is done with a ring")
{
	never_given_back(0, false, 0);
	never_given_back(0, true, 0);
	evidence("isolated: taken back by the processor, nothing is lost");
	never_given_back(SCENE_PLAIN, false, 2 * 32);
	never_given_back(SCENE_PLAIN, true, 2 * 32 + 256);
	evidence("ordinary: rings, and the pool if it was in use, are leaked, not freed");
}

ATTACK(revocation_fails, "ST-097", "pages cannot be made private again")
{
	u32 struck, leaked;

	act_start();
	io_read_once(&io);
	struck = sim_struck();
	sim_fail_revoke(1, -EIO, 3);
	scsi_stop(&scene->engine);
	expect(sim_struck() == struck + 1);
	strike("a revocation fails half-way");
	leaked = (u32)atomic_read(&sim_visibility()->leaked);
	expect(leaked);
	evidence("%u pages leaked, not freed", leaked);
	act_gone(leaked);
}
