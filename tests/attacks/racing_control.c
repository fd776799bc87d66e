// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races on the control path: slots, flags, rescinds at every moment of a channel's life, moves.
 */
#include "racing.h"

#define SLOT 512u		/* SINT 2 */

/* ---- slots ---- */

/* Bytes of two messages that mean nothing here, mixed; the slot's own fields too. */
static void rewrite_slot(struct racer *r)
{
	static const u8 type[] = { CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN };
	static const u8 size[] = { 0, 8, 12, 20, 240, 255 };
	uint32_t cpu = scene->connection.connect_cpu, i, word, slot_type = 1;
	uint64_t gfn = scene->host->synic[cpu].slots;
	u8 head[8] = { size[race_random(r, 6)], (u8)race_random(r, 2) };

	for (i = 0; i < 16; i++) {
		word = i ? 0xffffffff - race_random(r, 2) : type[race_random(r, 2)];
		race_store(gfn, SLOT + 16 + 4 * i * (1 + !!i * race_random(r, 3)), &word, 4);
	}
	race_store(gfn, SLOT + 4, head, 8);
	race_store(gfn, SLOT, &slot_type, 4);
	race_interrupt(cpu, false);
	if (!race_random(r, 8))
		usleep(200);
}

/* Honest again: the slot is free, and whoever waited for its end of message need not. */
static void free_slots(void)
{
	const uint32_t none[2] = { 0, 0 };
	uint32_t cpu;

	scene_run(0);
	for (cpu = 0; cpu < 4; cpu++) {
		race_store(scene->host->synic[cpu].slots, SLOT, none, 8);
		host_hear_eom(scene->host, cpu);
	}
}

RACING_ATTACK(slot_rewritten, "C-020", "two threads rewrite the slot while it is copied")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.modify_deadline = 40;
	race_connect();
	race_guests(guest_echoes, 2);
	race_guests(guest_reads_and_writes, 1);
	race_guests(guest_moves, 1);
	race_hosts(rewrite_slot, 2);
	race("slots rewritten");
	free_slots();
	expect_rule("control.message_slot.payload_size.range");
	expect_rule("control.gpadl.gpadl_torndown.state");
	expect(race_good(guest_echoes) && race_good(guest_reads_and_writes) && !scene->removes);
	race_end();
}

static void post_elsewhere(struct racer *r)
{
	struct host_message m = { .size = 12, .slot_type = 1, .payload_size = 12 };
	uint32_t hearing = scene->connection.connect_cpu;

	m.bytes[0] = CONTROL_MESSAGE_TYPE_RESCIND;
	m.bytes[8] = (u8)(1 + race_random(r, 2));
	m.cpu = (hearing + 1 + race_random(r, 3)) % 4;
	host_lock(scene->host);
	if (scene->host->queued < 32)
		host_post_raw(scene->host, &m);
	host_unlock(scene->host);
	usleep(50);
}

RACING_ATTACK(slots_at_once, "C-030", "rescinds in the slots of all other processors at once")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_echoes, 1);
	race_guests(guest_reads_and_writes, 1);
	race_guests(guest_moves, 1);
	race_guests(guest_names_memory, 1);
	race_hosts(post_elsewhere, 3);
	race("messages elsewhere");
	expect_rule("core.message.wrong_cpu");
	expect(race_good(guest_echoes) && race_good(guest_moves) && race_good(guest_names_memory));
	expect(!scene->removes);
	race_end();
}

/* ---- flags ---- */

RACING_ATTACK(flags_storm, "C-057", "all flags of all processors, from two threads")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_echoes, 2);
	race_guests(guest_reads_and_writes, 1);
	race_hosts(host_storms, 2);
	race("storms of events");
	expect_rule("core.event.unknown");
	expect_rule("core.event.bit_zero");
	expect(race_good(guest_echoes) && race_good(guest_reads_and_writes));
	race_end();
}

/* A read and a write, as of a host that knows no locked access: bits that the guest has taken come back. */
static void write_word(struct racer *r)
{
	static uint32_t word = 7;
	uint32_t cpu = race_random(r, 4), kept = __atomic_load_n(&word, __ATOMIC_RELAXED);

	race_store(scene->host->synic[cpu].flags, 512, &kept, 4);
	race_interrupt(cpu, true);
	__atomic_store_n(&word, race_random(r, 4) ? 6 : 0xffff, __ATOMIC_RELAXED);
	usleep(race_random(r, 100));
}

RACING_ATTACK(flags_resurrected, "C-061", "whole words of flags written while they are taken")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_echoes, 2);
	race_guests(guest_reads_and_writes, 1);
	race_hosts(write_word, 2);
	race("flags written as words");
	expect_rule("core.event.unknown");
	expect(race_good(guest_echoes) && race_good(guest_reads_and_writes));
	race_end();
}

/* ---- rescinds ---- */

/* What an honest guest does is honest however it is interrupted. */
static void end_of_rescinds(void)
{
	expect(!rule_fired("core.wait.expired"));
	evidence("devices went %u times, nobody was left waiting", READ_ONCE(scene->removes));
	host_lock(scene->host);
	if (scene->host->errors)
		race_failed("the guest breaks rules: %s", scene->host->last_error);
	host_unlock(scene->host);
	race_end();
}

RACING_ATTACK(rescind_of_opening, "C-153", "rescinds while channels are opened, and closed, in a loop")
{
	race_prepare(SCENE_ECHO);
	race_connect();
	race_guests(guest_reopens, 2);
	race_guests(guest_echoes_inside, 1);
	race_hosts(host_rescinds, 1);
	race_removes = 5;
	race("rescinds of channels being opened");
	expect(race_good(guest_reopens));
	end_of_rescinds();
}

RACING_ATTACK(rescind_of_moving, "C-155", "rescinds while two threads move the channel")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_moves, 2);
	race_guests(guest_echoes, 1);
	race_hosts(host_rescinds, 1);
	race_removes = 5;
	race("rescinds of channels being moved");
	expect(race_good(guest_moves));
	end_of_rescinds();
}

/* Right when the guest says that it closes, or wants its memory back. In the host's thread, with its lock. */
static bool rescind_in_close(struct host *h, void *argument, const uint8_t *m, uint32_t size)
{
	static unsigned int turn;
	struct host_channel *ch = race_channel(&scene->echo);

	(void)argument;
	(void)size;
	if ((m[0] == CONTROL_MESSAGE_TYPE_CLOSE || m[0] == CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN) &&
	    ch && ch->state != HOST_RESCINDED && turn++ % 3 == 0) {
		host_rescind(h, ch);
		host_offer(h, &scene->echo, 0);
	}
	return true;
}

/* Storms meanwhile. */
RACING_ATTACK(rescind_of_closing, "C-156", "rescinds in the middle of close and teardown, events all the time")
{
	race_prepare(SCENE_ECHO);
	scene->host->hooks.incoming = rescind_in_close;
	race_connect();
	race_guests(guest_reopens, 1);
	race_guests(guest_names_memory, 1);
	race_guests(guest_echoes_inside, 1);
	race_hosts(host_storms, 1);
	race_removes = 5;
	race("rescinds of channels being closed");
	host_lock(scene->host);
	scene->host->hooks.incoming = NULL;
	host_unlock(scene->host);
	end_of_rescinds();
}

/* No answer will come to who is not told of the rescind. In the host's thread, with its lock. */
static bool ignore_rescinded(struct host *h, void *argument, const uint8_t *m, uint32_t size)
{
	struct host_channel *ch = race_channel(&scene->echo);

	(void)h;
	(void)argument;
	(void)size;
	return m[0] != CONTROL_MESSAGE_TYPE_GPADL_HEADER || !ch || ch->state != HOST_RESCINDED;
}

RACING_ATTACK(rescind_of_waiters, "C-162", "rescinds, and no answers, while several threads wait on one channel")
{
	race_prepare(SCENE_ECHO);
	scene->host->hooks.incoming = ignore_rescinded;
	race_connect();
	race_guests(guest_names_memory, 3);
	race_guests(guest_moves, 1);
	race_hosts(host_rescinds, 1);
	race_removes = 5;
	race("rescinds of channels waited on");
	expect(race_good(guest_names_memory) && race_good(guest_moves));
	end_of_rescinds();
}

/* ---- sub-channels ---- */

static void rescind_subchannel(struct racer *r)
{
	struct host *h = scene->host;
	uint16_t index = (uint16_t)(1 + race_random(r, 2));
	uint32_t i;

	usleep(race_random(r, 5000));
	host_lock(h);
	for (i = 1; i < h->top; i++) {
		struct host_channel *ch = &h->channels[i];

		if (ch->device == &scene->target.device && ch->index == index && ch->state != HOST_GONE) {
			host_rescind(h, ch);
			host_offer(h, &scene->target.device, index);
			break;
		}
	}
	host_unlock(h);
}

RACING_ATTACK(rescind_of_subchannels, "C-158", "rescinds of sub-channels that commands are sent on")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->target.multi_channel = true;
	scene->target.max_subchannels = 3;
	race_connect();
	expect(scsi_grow(&scene->engine, 2) == 2);
	race_guests(guest_reads_and_writes, 4);
	race_hosts(rescind_subchannel, 2);
	race("rescinds of sub-channels");
	expect(race_good(guest_reads_and_writes) && !scene->removes && !scene->disk_failed);
	race_end();
}

/* ---- processors ---- */

RACING_ATTACK(both_processors_at_once, "R-166", "all processors are interrupted for one channel, which moves")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_moves, 1);
	race_guests(guest_echoes, 1);
	race_guests(guest_reads_and_writes, 1);
	race_hosts(host_floods, 1);
	race_hosts(host_interrupts_everywhere, 2);
	race("interrupts on all processors");
	expect(race_good(guest_moves) && race_good(guest_echoes) && race_heard());
	evidence("%llu packets in order, one reader", (unsigned long long)race_heard());
	race_end();
}

RACING_ATTACK(offline_while_interrupted, "C-174", "processors go away while the host interrupts them")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_takes_offline, 2);
	race_guests(guest_moves, 1);
	race_guests(guest_echoes, 1);
	race_hosts(host_interrupts_everywhere, 1);
	race_hosts(host_floods, 1);
	race("interrupts of processors that go");
	expect(race_good(guest_echoes) && race_heard());
	race_end();
}

/* ---- the end ---- */

static void withhold(struct racer *r)
{
	host_lock(scene->host);
	scene->host->answers = race_random(r, 2);
	host_unlock(scene->host);
	usleep(race_random(r, 20000));
}

static void short_deadlines(struct airlock_policy *p)
{
	p->open_deadline = p->create_deadline = p->teardown_deadline = p->modify_deadline = 60;
	p->step_deadline = p->drain_deadline = p->reset_deadline = 60;
	p->unload_deadline = p->post_deadline = 200;
}

/* The guest leaves in the middle of it; its threads learn of that by errors. */
static void leave(struct racer *r)
{
	if (r->times == 5)
		airlock_disconnect(&scene->connection);
	usleep(20000);
}

RACING_ATTACK(leaving_unanswered, "C-178", "replies withheld at random while the guest leaves, devices come and go")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	expect(!scene_connect());
	scene_check();
	short_deadlines(&scene->connection.policy);
	race_command_patience = 50;
	race_guests(leave, 1);
	race_guests(guest_echoes, 1);
	race_guests(guest_moves, 1);
	race_guests(guest_reads_and_writes, 1);
	race_guests(guest_names_memory, 1);
	race_hosts(withhold, 1);
	race_hosts(host_storms, 1);
	race_hosts(host_rescinds_disk, 1);
	race("replies withheld");
	expect(!scene->echo_device && !scene->engine_started);
	evidence("left in time");
	scene_end(0);
}
