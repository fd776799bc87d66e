// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on event flags and interrupts.
 */
#include "control_act.h"

static struct airlock_channel *plain(void)
{
	return scene->echo_device->primary;
}

/* Sets a flag on a processor and interrupts it. */
static void flag(u32 cpu, u32 bit)
{
	u8 *page = host_memory(scene->host->synic[cpu].flags, SLOT_OF_VMBUS, 256);

	strike_on_fetch(page + bit / 32 * 4, 4, "the flag");
	host_set_event(scene->host, cpu, bit);
	scene_run(5);
}

ATTACK(bit_zero, "C-050", "flag 0, which is no channel's")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	flag(plain()->cpu, 0);
	message_is_dropped("core.event.bit_zero");
}

ATTACK(flag_unknown, "C-051", "flag of a channel that was never offered")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	flag(0, 1999);
	message_is_dropped("core.event.unknown");
}

ATTACK(flag_closed, "C-052", "flag of a channel that is offered and not open")
{
	u8 m[196];

	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(m, plain_class(), (const u8 *)"another-instance", 77);
	act("on open_result: set 16 32 0xc0000001");
	host_offers(m);
	scene_run(50);
	act_no_more();
	flag(0, 77);
	expect_rule("core.event.closed");
	scene_end(0);
}

ATTACK(flag_opening, "C-053", "flag of a channel whose ring is not mapped, while GPADL_CREATED is withheld")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.create_deadline = 200;
	act("on gpadl_created: drop");
	expect(!scene_connect());
	flag(0, scene->echo_channel->relid);
	flag(1, scene->echo_channel->relid);
	expect_rule("core.event.closed");
	scene_run(1000);
	acted();
	expect(scene->probe_result);
	scene_end(0);
}

ATTACK(flag_failed, "C-054", "flag after an open that failed")
{
	scene_prepare(SCENE_ECHO);
	act("on open_result: set 16 32 0xc0000001");
	expect(!scene_connect());
	scene_run(12000);
	acted();
	expect(scene->probe_result);
	flag(0, scene->echo_channel->relid);
	expect_rule("core.event.closed");
	scene_end(0);
}

/* As the guest closes: flags on every processor. */
static bool flag_at_close(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u32 cpu;

	(void)argument;
	(void)size;
	if (message[0] == CONTROL_MESSAGE_TYPE_CLOSE || message[0] == CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN)
		for (cpu = 0; cpu < 4; cpu++) {
			host_set_event(h, cpu, scene->echo_channel->relid);
			strike("flag while it closes");
		}
	return true;
}

ATTACK(flag_closing, "C-055", "flags while the channel is closed")
{
	scene_start(SCENE_ECHO);
	scene->host->hooks.incoming = flag_at_close;
	airlock_disconnect(&scene->connection);
	expect(scene->removes == 1);
	expect_rule("core.event.closed");
	scene->host->hooks.incoming = NULL;
	scene_end(0);
}

ATTACK(flag_rescinded, "C-056", "flags after the rescind")
{
	u32 relid;

	scene_start(SCENE_ECHO | SCENE_DISK);
	relid = scene->echo_channel->relid;
	host_rescind(scene->host, scene->echo_channel);
	airlock_message_interrupt(&scene->connection, hearing_cpu());
	host_set_event(scene->host, 0, relid);
	host_set_event(scene->host, 1, relid);
	strike("flags right behind the rescind");
	scene_run(100);
	flag(0, relid);
	expect(rule_fired("core.event.unknown") + rule_fired("core.event.closed"));
	evidence("core.event.unknown");
	scene_works();
	scene_end(0);
}

ATTACK(all_flags, "C-057", "all flags of all processors, again and again")
{
	u32 cpu, i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 20; i++) {
		for (cpu = 0; cpu < 4; cpu++) {
			memset(host_memory(scene->host->synic[cpu].flags, SLOT_OF_VMBUS, 256), 0xff, 256);
			airlock_event_interrupt(&scene->connection, cpu);
		}
		expect(scene_echo());
	}
	strike("%u flags", 20 * 4 * 2048);
	expect_rule("core.event.unknown");
	expect_rule("core.event.bit_zero");
	scene_works();
	scene_end(0);
}

ATTACK(no_flags, "C-058", "never a flag although there is data")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_poke(scene->echo_channel, true, HOST_INTERRUPT_MASK, 1);
	expect(!scene_echo_send());
	scene_run(100);
	strike("an answer lies in the ring, unannounced");
	expect(!scene->completed);
	airlock_channel_poll(plain());
	scene_run(10);
	expect(scene->completed == 1);
	evidence("nobody waits without a deadline; whoever polls finds the answer");
	scene_works();
	scene_end(0);
}

ATTACK(idle_flags, "C-059", "flags without data")
{
	unsigned int i;
	uint64_t events;

	scene_start(SCENE_ECHO | SCENE_DISK);
	events = plain()->events;
	for (i = 0; i < 50; i++)
		flag(plain()->cpu, plain()->relid);
	expect(plain()->events > events && !scene->received);
	evidence("one look at an empty ring each");
	scene_works();
	scene_end(0);
}

ATTACK(flag_elsewhere, "C-060", "a channel's flag on every other processor")
{
	u32 cpu;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (cpu = 0; cpu < 4; cpu++) {
		struct host_packet p = { .type = 6, .bytes = (const u8 *)"12345678", .size = 8 };

		host_poke(scene->echo_channel, true, HOST_INTERRUPT_MASK, 1);
		host_send(scene->echo_channel, &p);
		host_poke(scene->echo_channel, true, HOST_INTERRUPT_MASK, 0);
		flag(cpu, plain()->relid);
	}
	expect(scene->received == 4);
	evidence("heard on each of them");
	scene_works();
	scene_end(0);
}

ATTACK(flag_words, "C-061", "whole words of flags are written: cleared bits come back")
{
	u32 word, i, bit;

	scene_start(SCENE_ECHO | SCENE_DISK);
	bit = plain()->relid;
	for (i = 0; i < 30; i++) {
		word = 1U << bit % 32;
		memcpy(host_memory(scene->host->synic[plain()->cpu].flags, SLOT_OF_VMBUS + bit / 32 * 4, 4), &word, 4);
		airlock_event_interrupt(&scene->connection, plain()->cpu);
		scene_run(1);
	}
	strike("30 words");
	expect(!scene->received && !plain()->dead);
	evidence("spurious work, a look each");
	scene_works();
	scene_end(0);
}

static void flag_for_ever(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *page = host_memory(h->synic[1].flags, SLOT_OF_VMBUS, 256);

	(void)argument;
	(void)size;
	if ((const u8 *)at >= page && (const u8 *)at < page + 256) {
		memset(page, 0xff, 256);
		strike("flags set while they are drained");
	}
}

ATTACK(flags_offline, "C-062", "flags of a processor that goes away are set for ever")
{
	int error;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.fetching = flag_for_ever;
	error = airlock_cpu_offline(&scene->connection, 1);
	scene->host->hooks.fetching = NULL;
	expect(error == -EBUSY);
	evidence("after 3 tries: busy");
	scene_works();
	scene_end(0);
}

static bool early_data(struct host *h, void *argument, struct host_message *m)
{
	struct host_packet p = { .type = 6, .bytes = (const u8 *)"12345678", .size = 8 };

	(void)h;
	(void)argument;
	if (m->bytes[0] == CONTROL_MESSAGE_TYPE_OPEN_RESULT && get32(m->bytes + 8) == scene->echo_channel->relid) {
		host_send(scene->echo_channel, &p);
		m->due = shim_now() + 50;
		strike("event before OPEN_RESULT, which comes 50 ms later");
	}
	return true;
}

ATTACK(event_before_result, "C-063", "the channel's event comes before OPEN_RESULT, once")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.outgoing = early_data;
	expect(!scene_connect());
	scene_run(100);
	expect(scene->echo_device && scene->received == 1);
	evidence("the ring is looked at once the channel is open");
	scene->host->hooks.outgoing = NULL;
	scene_works();
	scene_end(0);
}
