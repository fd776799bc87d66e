// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the rings of a storage controller and the frames of its packets, ST-001 to ST-017.
 */
#include <string.h>

#include "shim.h"
#include "storage_act.h"

#define IN_BAND 6
#define COMPLETION 11
#define ENUMERATE_BUS 11
#define DESCRIPTOR 16

static struct io io;

/* ---- descriptors ---- */

/* A packet whose frame lies: nothing behind it can be trusted, the channel is put away. */
static void lost_framing(u16 type, u16 offset8, u16 length8, u32 size, const char *rule)
{
	struct host_packet *p;

	act_start();
	p = make_packet(scene->disk_channel, type, type == COMPLETION ? 1 : 0, ENUMERATE_BUS, size);
	p->offset8 = offset8;
	p->length8 = length8;
	send_packet(p, "a descriptor");
	scene_run(50);
	expect_rule(rule);
	expect(scene->disk_failed == 1);
	act_put_away();
}

ATTACK(length_without_progress, "ST-001", "packet lengths of 0, 1, and less than the offset of the payload")
{
	lost_framing(IN_BAND, 2, 0, 64, "ring.header.inside");
	lost_framing(COMPLETION, 2, 1, 64, "ring.header.inside");
	lost_framing(COMPLETION, 9, 8, 64, "ring.header.inside");
}

ATTACK(length_beyond_all, "ST-002", "packets longer than what is in the ring, and than any packet of storage")
{
	lost_framing(COMPLETION, 2, 12, 64, "ring.header.in_ring");
	lost_framing(COMPLETION, 2, 0xffff, 64, "ring.header.in_ring");
	lost_framing(IN_BAND, 2, 2 + 96 / 8, 96, "ring.header.in_buffer");
}

ATTACK(payload_in_the_descriptor, "ST-003", "payload offsets of 0, 1, and beyond the packet")
{
	lost_framing(IN_BAND, 0, 10, 64, "ring.header.offset8.limit");
	lost_framing(COMPLETION, 1, 10, 64, "ring.header.offset8.limit");
	lost_framing(IN_BAND, 11, 10, 64, "ring.header.inside");
}

ATTACK(payload_starts_late, "ST-004", "payloads that start behind an extended header, in kinds that have none")
{
	struct host_packet *p;

	act_prepare();
	act_lenient();
	act_connect();
	p = make_packet(scene->disk_channel, IN_BAND, 0, ENUMERATE_BUS, 64);
	p->offset8 = 3;
	send_packet(p, "news with payload from byte 24 on");
	scene_run(50);
	expect_rule("ring.in_band.plain");
	expect(!scene->rescans);
	p = make_packet(scene->disk_channel, COMPLETION, live_read(&io), 1, 64);
	p->offset8 = 4;
	send_packet(p, "a completion with payload from byte 32 on");
	scene_run(50);
	expect_rule("ring.completion.plain");
	live_read_goes_on(&io);
	act_works();
}

/* ---- what changes under the guest's eyes ---- */

static void scribble(struct watch *w)
{
	u8 junk[128];

	memset(junk, 0xff, sizeof(junk));
	host_ring_write(w->channel, w->from, junk, w->size);
	strike("changed %s after it was fetched", w->what);
}

static u32 changed_from, changed_size;
static struct watch *changed;

/* The honest answer; what lies in the ring turns into something else as soon as it was fetched. */
static bool change_later(struct target_answer *a)
{
	changed = watch_ring(a->channel, HOST_OUT_DATA, (a->channel->out_write + changed_from) % a->channel->out_size,
			     changed_size, "an answer");
	changed->then = scribble;
	return true;
}

static void change_after_fetch(u32 from, u32 size)
{
	act_start();
	changed_from = from;
	changed_size = size;
	lie_about(0, READ_10, 1, change_later, NULL);
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	expect(changed->bytes == changed_size && !changed->then);
	evidence("fetched once");
	act_works();
}

ATTACK(descriptor_changes, "ST-005", "a descriptor is another one once it was looked at")
{
	change_after_fetch(0, DESCRIPTOR);
}

ATTACK(payload_changes, "ST-006", "operation, status and lengths are others once they were looked at")
{
	change_after_fetch(DESCRIPTOR, 64);
}

/* ---- indices ---- */

static void lie_about_write_index(u32 value, const char *rule)
{
	struct host_channel *ch;

	act_start();
	ch = scene->disk_channel;
	watch_ring(ch, HOST_OUT_CONTROL, 0, 4, "a write index that lies");
	host_poke(ch, true, HOST_WRITE_INDEX, value);
	host_signal(ch);
	scene_run(50);
	expect_rule(rule);
	act_put_away();
}

/* While the guest still has to give back what it has read. */
static void step_back(struct watch *w)
{
	host_poke(w->channel, true, HOST_WRITE_INDEX, w->channel->out_write - 8);
	strike("took the write index back by 8 bytes");
}

static void take_back_write_index(void)
{
	act_start();
	watch_ring(scene->disk_channel, HOST_OUT_DATA, scene->disk_channel->out_write, DESCRIPTOR + 64,
		   "the packet before")->then = step_back;
	send_news(scene->disk_channel, ENUMERATE_BUS, 0, "news");
	scene_run(50);
	expect_rule("ring.inbound_write_index.forward");
	act_put_away();
}

ATTACK(inbound_write_index, "ST-007", "the host's write index: beyond the ring, odd, backwards")
{
	lie_about_write_index(0x7ffffff8, "ring.index.at_byte.limit");
	lie_about_write_index(0xfffffffc, "ring.index.at_byte.limit");
	lie_about_write_index(0x1004, "ring.index.at_byte.multiple");
	take_back_write_index();
}

static void lie_about_read_index(u32 value, const char *rule)
{
	act_start();
	watch_ring(scene->disk_channel, HOST_IN_CONTROL, 4, 4, "a read index that lies");
	host_poke(scene->disk_channel, false, HOST_READ_INDEX,
		  value ? value : host_peek(scene->disk_channel, false, HOST_WRITE_INDEX) + 8);
	expect(io_read(&io, 0, 8) < 0 || (io_wait(&io) && io.command.verdict == SCSI_GONE));
	evidence("the command fails in words");
	expect_rule(rule);
	act_put_away();
}

ATTACK(outbound_read_index, "ST-008", "the host's read index: beyond the ring, and beyond what was written")
{
	lie_about_read_index(0x7ffffff8, "ring.index.at_byte.limit");
	lie_about_read_index(0, "ring.outbound_read_index.forward");
}

ATTACK(outbound_write_index, "ST-009", "the host changes the guest's own write index")
{
	u32 before;

	act_start();
	before = host_peek(scene->disk_channel, false, HOST_WRITE_INDEX);
	watch_ring(scene->disk_channel, HOST_IN_CONTROL, 4, 4, "the control page, to send");
	host_poke(scene->disk_channel, false, HOST_WRITE_INDEX, 0x7ffffff8);
	expect(!io_read(&io, 0, 8));
	expect(host_peek(scene->disk_channel, false, HOST_WRITE_INDEX) == before + 32 + 8 * 1 + 64 + 8);
	evidence("the guest's own index counts, and is stored again");
	expect(io_wait(&io) && io_is_good(&io, 0));
	act_works();
}

/* ---- kinds and flags of packets ---- */

ATTACK(kinds_of_packets, "ST-010", "packets of all other kinds, under the id of a command on its way")
{
	static const u16 types[] = { 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13 };
	u32 i, broken;
	u64 id;

	act_prepare();
	act_lenient();
	act_connect();
	id = live_read(&io);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		broken = scene->connection.violations.total;
		send_packet(make_packet(scene->disk_channel, types[i], id, 1, 64), "a packet of another kind");
		scene_run(20);
		expect(scene->connection.violations.total == broken + 1);
	}
	expect_rule("ring.dispatch");
	expect_rule("ring.cancel.refused");
	live_read_goes_on(&io);
	act_works();
	lost_framing(14, 2, 10, 64, "ring.header.type.enum");
	lost_framing(0, 2, 10, 64, "ring.header.type.enum");
}

static u32 answers_of_the_guest;

static bool heard(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)ch;
	(void)argument;
	answers_of_the_guest += p->type == COMPLETION;
	return true;
}

ATTACK(flags_of_packets, "ST-011", "the host wants an answer, and sets flags that mean nothing")
{
	struct host_packet *p;

	act_start();
	scene->host->hooks.packet = heard;
	p = make_packet(scene->disk_channel, IN_BAND, 77, ENUMERATE_BUS, 64);
	p->flags = 1;
	send_packet(p, "news that wants an answer");
	scene_run(50);
	expect_rule("ring.in_band.unasked");
	expect(!answers_of_the_guest && !scene->rescans);
	evidence("never answered");
	p = make_packet(scene->disk_channel, COMPLETION, live_read(&io), 1, 64);
	p->flags = 0x8000;
	send_packet(p, "a completion with a flag of no meaning");
	expect(io_wait(&io) && io.command.verdict == SCSI_GONE);
	expect_rule("ring.header.flags.reserved");
	act_put_away();
}

/* ---- sizes ---- */

static const u32 wrong_sizes[] = { 0, 8, 16, 32, 48, 56 };

ATTACK(short_packets, "ST-012", "completions of less than 64 bytes, news of less than 12")
{
	struct host_packet *p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(wrong_sizes); i++) {
		act_prepare();
		act_lenient();
		act_connect();
		p = make_packet(scene->disk_channel, COMPLETION, live_read(&io), 1, wrong_sizes[i]);
		send_packet(p, "a short completion");
		expect(io_wait(&io) && io.command.verdict == SCSI_ERROR && !io.command.transferred);
		expect(io_all(&io, 0, 4096, 0));
		expect(rule_fired("storage.header.size") + rule_fired("storage.srb_complete.size") +
		       rule_fired("storage.srb_complete.echo3.bounds"));
		send_packet(make_packet(scene->disk_channel, IN_BAND, 0, ENUMERATE_BUS, wrong_sizes[i]), "short news");
		scene_run(50);
		expect(rule_fired("storage.header.size") + rule_fired("storage.padding_after.bytes.bounds"));
		expect(!scene->rescans);
		act_works();
	}
	evidence("storage.*.size");
}

ATTACK(long_packets, "ST-013", "packets of more than 64 bytes, and more than any room for them")
{
	lost_framing(COMPLETION, 2, 2 + 72 / 8, 72, "ring.header.in_buffer");
	lost_framing(IN_BAND, 2, 2 + 240 / 8, 240, "ring.header.in_buffer");
}

/* ---- floods ---- */

static u32 refills;

/* With each packet that the guest takes, the next one is there. */
static void refill(const struct host_place *place, u32 size)
{
	(void)size;
	if (place->area != HOST_OUT_DATA || place->relid != scene->disk_channel->relid ||
	    place->offset != place->packet || !refills)
		return;
	refills--;
	send_news(scene->disk_channel, ENUMERATE_BUS, 0, "news without end");
}

ATTACK(refill_while_draining, "ST-014", "the ring is never empty: a packet more for each that is taken")
{
	u64 completed, runs;

	act_start();
	completed = scene->completed;
	runs = disk_channel()->runs;
	refills = 4000;
	act_on_fetch = refill;
	send_news(scene->disk_channel, ENUMERATE_BUS, 0, "the first one");
	expect(!scene_echo_send());
	while (scene->completed == completed && refills)
		scene_run(1);
	expect(scene->completed == completed + 1);
	evidence("others are served meanwhile");
	scene_run(50);
	expect(!refills);
	expect(disk_channel()->runs - runs >= 4000 / scene->policy.packet_budget);
	evidence("a budget for each run");
	act_works();
}

ATTACK(storm_of_signals, "ST-015", "a storm of interrupts for an empty ring")
{
	u64 allocated, lines, packets;
	u32 i;

	act_start();
	scene_run(200);
	allocated = shim_allocated();
	lines = shim_log_lines;
	packets = disk_channel()->in.packets;
	watch_ring(scene->disk_channel, HOST_OUT_CONTROL, 0, 4, "the index of an empty ring");
	for (i = 0; i < 20000; i++) {
		host_signal(scene->disk_channel);
		scene_run(0);
	}
	expect(shim_allocated() == allocated && shim_log_lines == lines);
	expect(disk_channel()->in.packets == packets && !disk_channel()->dead);
	evidence("nothing allocated, nothing logged");
	act_works();
}

/* ---- hints ---- */

static struct watch *trailer;

static bool spoil_trailer(struct target_answer *a)
{
	static const u8 junk[8] = { 0xff, 0xff, 0xff, 0xff, 0xf8, 0xff, 0xff, 0x7f };
	u32 at = (a->channel->out_write + DESCRIPTOR + 64) % a->channel->out_size;

	tell(a, "an answer with a trailer that lies");
	host_ring_write(a->channel, at, junk, sizeof(junk));
	trailer = watch_ring(a->channel, HOST_OUT_DATA, at, sizeof(junk), "the trailer");
	return false;
}

ATTACK(trailer_lies, "ST-016", "the trailer names another start of the packet")
{
	act_start();
	lie_about(0, READ_10, 1, spoil_trailer, NULL);
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	expect(lies_told == 1 && !trailer->bytes);
	evidence("the trailer is not read");
	act_works();
}

static void poke_hints(bool to_guest, enum host_field field, u32 value)
{
	u32 before = host_peek(scene->disk_channel, to_guest, field);

	host_poke(scene->disk_channel, to_guest, field, value);
	host_signal(scene->disk_channel);
	scene_run(50);
	expect(!io_read(&io, 0, 8));
	scene_run(50);
	host_poke(scene->disk_channel, to_guest, field, before);
	scene->disk_channel->signalled = true;	/* the host looks, whether it was signalled or not */
	expect(io_wait(&io) && io_is_good(&io, 0));
}

ATTACK(hints_lie, "ST-017", "pending sizes, interrupt masks and feature bits of any value")
{
	static const u32 values[] = { 0xffffffff, 1, 8, 0x80000000, 0x7ffffff8 };
	u32 i;

	act_start();
	watch_ring(scene->disk_channel, HOST_IN_CONTROL, 8, 4, "the mask");
	watch_ring(scene->disk_channel, HOST_OUT_CONTROL, 12, 4, "the pending size");
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		poke_hints(true, HOST_PENDING_SIZE, values[i]);
		poke_hints(false, HOST_PENDING_SIZE, values[i]);
		poke_hints(true, HOST_INTERRUPT_MASK, values[i]);
		poke_hints(false, HOST_INTERRUPT_MASK, values[i]);
		poke_hints(true, HOST_FEATURES, values[i]);
		poke_hints(false, HOST_FEATURES, values[i]);
	}
	evidence("hints only");
	act_works();
}
