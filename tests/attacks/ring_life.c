// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the life of a ring: interrupts, rescinds and writes at the wrong time.
 */
#include <stdlib.h>

#include "ring_act.h"

static const u8 ordinary[64] = "an ordinary packet";

static void interrupt_now(uint32_t relid)
{
	uint32_t cpu;

	for (cpu = 0; cpu < scene->host->cpus; cpu++) {
		host_set_event(scene->host, cpu, relid);
		airlock_event_interrupt(&scene->connection, cpu);
	}
	strike("event of channel %u on all processors", relid);
}

/* Interrupts while the guest waits for the host's answer of type @argument. */
static bool interrupt_at(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	if (m->bytes[0] == (uint8_t)(unsigned long)argument)
		interrupt_now(scene->echo_channel->relid);
	return true;
}

ATTACK(before_mapped, "R-160", "interrupts while the ring is being made")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.outgoing = interrupt_at;
	scene->host->hooks.argument = (void *)10UL;
	expect(!scene_connect());
	scene_run(50);
	scene->host->hooks.outgoing = NULL;
	expect(rule_fired("core.event.closed"));
	evidence("core.event.closed");
	scene_works();
	scene_end(0);
}

static bool refuse_open(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] == 6 && m->bytes[8] == scene->echo_channel->relid)
		memcpy(m->bytes + 16, "\x01\x00\x00\xc0", 4);
	return true;
}

ATTACK(after_failed_open, "R-161", "interrupts after an open that failed, and after a close")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.outgoing = refuse_open;
	expect(!scene_connect());
	scene_run(12000);	/* the host takes the channel for open, and refuses the teardown */
	expect(scene->probe_result);
	interrupt_now(scene->echo_channel->relid);
	scene_run(10);
	expect_rule("core.event.closed");
	scene->host->hooks.outgoing = NULL;
	scene->echo_device = NULL;
	scene_works();
	scene_end(0);
}

static void rescind_at_packet(struct host *h, void *argument, const void *at, uint32_t size)
{
	static bool done;

	(void)argument;
	(void)size;
	if (done || at != data_to_guest(0))
		return;
	done = true;
	host_rescind(h, scene->echo_channel);
	host_run(h);
	strike("rescinded while its packet is fetched");
}

ATTACK(rescind_while_receive, "R-162", "rescind while a packet is being received")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.fetching = rescind_at_packet;
	host_says(ordinary, 64);
	airlock_event_interrupt(&scene->connection, guest_end()->cpu);
	scene_run(200);
	scene->host->hooks.fetching = NULL;
	expect(!scene->echo_device && scene->removes == 1);
	evidence("the run ends, then the ring goes");
	scene_works();
	scene_end(0);
}

ATTACK(rescind_blocked, "R-163", "rescind with a sender that is blocked and a request in flight")
{
	int rule = 0;

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!scene_echo_send());
	while (!guest_sends(1024))
		;
	expect(!outbound_block(&guest_end()->out, 2048, &rule));
	host_rescind(scene->host, host_end());
	strike("rescinded");
	scene_run(200);
	expect(!scene->echo_device && scene->removes == 1 && scene->echo_dead == 1);
	evidence("the driver was told, its request reclaimed");
	scene_works();
	scene_end(0);
}

static uint64_t *old_gfns;
static uint32_t old_pages;

ATTACK(write_after_close, "R-164", "the host writes to the ring after the close")
{
	uint32_t i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	old_pages = host_end()->ring_pages;
	old_gfns = calloc(old_pages, sizeof(*old_gfns));
	memcpy(old_gfns, host_end()->ring_gfns, old_pages * sizeof(*old_gfns));
	expect(sim_is_shared(old_gfns[0]));
	host_rescind(scene->host, host_end());
	scene_run(200);
	expect(!scene->echo_device);
	for (i = 0; i < old_pages; i++)
		expect(!sim_is_shared(old_gfns[i]));
	strike("%u pages tried: the host reaches none of them", old_pages);
	evidence("all revoked before they are used for anything else");
	free(old_gfns);
	scene_works();
	scene_end(0);
}

ATTACK(write_after_close_plain, "R-164", "the same to an ordinary guest: the host has not given the ring back")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK | SCENE_PLAIN);
	scene->policy.teardown_deadline = 100;
	expect(!scene_connect());
	scene_run(50);
	expect(scene->echo_device);
	scene->host->answers = false;
	strike("no TORNDOWN comes");
	scene->policy.unload_deadline = 100;
	scene->connection.policy.unload_deadline = 100;
	evidence("leaked, not freed");
	scene_end(100);
}

static bool revoke_failed;

ATTACK(revoke_in_use, "R-165", "revocation fails while the ring goes")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	sim_fail_revoke(1, -EIO, 1);
	host_rescind(scene->host, host_end());
	scene_run(200);
	revoke_failed = sim_struck() == 1;
	expect(revoke_failed && !scene->echo_device);
	strike("revocation failed");
	expect(atomic_read(&sim_visibility()->leaked) > 0);
	evidence("unmapped first, then %d pages leaked", atomic_read(&sim_visibility()->leaked));
	scene_works();
	scene_end(16);
}

ATTACK(both_processors, "R-166", "the old and the new processor are interrupted for one channel")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 20; i++) {
		host_says(ordinary, 64);
		interrupt_now(guest_end()->relid);
		scene_run(1);
	}
	expect(scene->received == 20);
	evidence("one reader: 20 packets, each once");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(weak_barriers, "R-167", "a weak barrier shows stale bytes",
	       "not an act of the host; the soak in threads moves millions of packets between processors and compares them");

ATTACK(compiler_reload, "R-168", "words change at every load: a load the compiler adds would show")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 10; i++) {
		poke(TO_GUEST, HOST_INTERRUPT_MASK, i & 1, "a word");
		host_says(ordinary, 64);
		scene_run(2);
		strike_on_fetch(host_field(host_end(), TO_GUEST, HOST_WRITE_INDEX), 4, "the write index");
		host_signal(host_end());
		scene_run(2);
	}
	expect(scene->received == 10);
	evidence("each word by an accessor that loads once; the testing build counts loads");
	scene_works();
	scene_end(0);
}

ATTACK(torn_loads, "R-169", "words and ids are rewritten piecewise while they are loaded")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!((unsigned long)host_field(host_end(), TO_GUEST, HOST_WRITE_INDEX) & 3));
	poke(TO_GUEST, HOST_WRITE_INDEX, host_end()->out_write + 0x10000, "half of a new index");
	host_signal(host_end());
	ring_is_given_up("ring.index.at_byte.limit");
}

NOT_APPLICABLE(crash_path, "R-170", "a crash while the ring's lock is held",
	       "no part of this stack sends by rings when the kernel has crashed");

ATTACK(hibernation, "R-171", "stale indices in the ring after suspend and resume")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo());
	host_rescind(scene->host, host_end());
	scene_run(100);
	scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	scene_run(100);
	expect(scene->echo_device);
	host_poke(host_end(), TO_GUEST, HOST_READ_INDEX, 88);
	strike("old read index in a new ring");
	expect(!guest_end()->in.context.our_index);
	evidence("a ring is made anew at each open");
	host_poke(host_end(), TO_GUEST, HOST_READ_INDEX, 0);
	scene_works();
	scene_end(0);
}

ATTACK(needless_signals, "R-172", "the host counts signals, to stall a guest that sends too many")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 50; i++) {
		expect(scene_echo() && scene_disk());
		strike("%llu signals heard", (unsigned long long)host_end()->heard);
	}
	expect(!host_end()->needless && !host_end()->missed && !host_end()->spurious);
	expect(!scene->disk_channel->needless && !scene->disk_channel->missed && !scene->disk_channel->spurious);
	evidence("%llu signals, none needless, none missed", (unsigned long long)host_end()->heard);
	scene_works();
	scene_end(0);
}

ATTACK(statistics, "R-173", "nonsense in the shared indices, read by statistics")
{
	uint64_t packets, bytes;

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo());
	packets = guest_end()->in.packets;
	bytes = guest_end()->in.bytes;
	host_poke(host_end(), TO_GUEST, HOST_READ_INDEX, 0xffffffff);
	host_poke(host_end(), TO_HOST, HOST_WRITE_INDEX, 0xffffffff);
	strike("own indices are all ones");
	expect(guest_end()->in.packets == packets && guest_end()->in.bytes == bytes && packets);
	evidence("statistics are private");
	host_poke(host_end(), TO_GUEST, HOST_READ_INDEX, guest_end()->in.published);
	scene_works();
	scene_end(0);
}

ATTACK(monitor_bits, "R-174", "the offer gives a monitor bit: the signal would be left where nobody looks")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	strike("monitor pages given to the host: %u", scene->connection.monitors.pages);
	expect(!scene->connection.monitors.pages && guest_end()->monitor == NO_MONITOR);
	expect(scene_echo() && !atomic_read(&scene->connection.monitor_signals));
	evidence("an isolated guest uses hypercalls only");
	scene_works();
	scene_end(0);
}
