// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by rescinds, and by answers to requests about channels.
 */
#include <stdio.h>

#include "control_act.h"

static struct airlock_channel *plain(void)
{
	return scene->echo_device->primary;
}

static u32 relid(void)
{
	return scene->echo_channel->relid;
}

static void rescind(u32 of)
{
	host_says(CONTROL_MESSAGE_TYPE_RESCIND, 12, of);
	/* The host itself knows nothing of it, and refuses the teardown: a deadline passes. */
	scene_run(12000);
}

/* The plain device's open meets with what the script says, and fails. */
static void open_fails(const char *text, unsigned int pages)
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.open_deadline = 300;
	scene->policy.create_deadline = 300;
	scene->policy.teardown_deadline = 300;
	act(text);
	expect(!scene_connect());
	scene_run(1500);
	acted();
	act_no_more();
	expect(scene->probe_result);
	scene->echo_device = NULL;
	(void)pages;
}

ATTACK(rescind_unknown, "C-150", "rescind of channels that do not exist")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	rescind(0);
	expect_rule("control.rescind.relid.range");
	rescind(2048);
	expect_rule("control.rescind.relid.range");
	rescind(0xffffffff);
	expect_rule("control.rescind.relid.range");
	rescind(1234);
	expect(!scene->removes);
	message_is_dropped("control.channel.rescind.state");
}

ATTACK(rescind_twice, "C-151", "rescind twice, while the first is dealt with")
{
	u8 m[12] = { CONTROL_MESSAGE_TYPE_RESCIND };

	scene_start(SCENE_ECHO | SCENE_DISK);
	put32(m + 8, relid());
	strike_on_fetch(slot_of(hearing_cpu()), 256, "the first");
	host_post(scene->host, m, 12);
	host_post(scene->host, m, 12);
	while (host_run(scene->host))
		airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene_run(12000);
	expect(scene->removes == 1);
	expect(rule_fired("control.channel.rescind.state") == 1);
	evidence("control.channel.rescind.state");
	scene_works();
	scene_end(0);
}

static bool rescind_at(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)size;
	if (message[0] != (u8)(unsigned long)argument || scene->echo_channel->state == HOST_RESCINDED)
		return true;
	host_rescind(h, scene->echo_channel);
	strike("rescind at message %u of the guest", message[0]);
	return true;
}

/* Rescinded as the guest's message of this type arrives, before or instead of an answer. */
static void rescinded_at(u32 type)
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = rescind_at;
	scene->host->hooks.argument = (void *)(unsigned long)type;
	expect(!scene_connect());
	scene_run(12000);
	expect(scene->probe_result);
	expect(shim_waited() <= 11000);
	scene->host->hooks.incoming = NULL;
	scene->echo_device = NULL;
}

ATTACK(rescind_offered, "C-152", "rescind while the driver is being found")
{
	u8 m[12] = { CONTROL_MESSAGE_TYPE_RESCIND };
	u8 o[196];

	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(o, plain_class(), (const u8 *)"another-instance", 77);
	put32(m + 8, 77);
	host_offers(o);
	host_post(scene->host, m, 12);
	scene_run(12000);
	expect(!scene->connection.channels[77]);
	evidence("probes %u, removals %u, the number is free again", scene->probes, scene->removes);
	scene_end(0);
}

ATTACK(rescind_opening, "C-153", "rescind while GPADL_CREATED, then while OPEN_RESULT is awaited")
{
	rescinded_at(CONTROL_MESSAGE_TYPE_GPADL_HEADER);
	evidence("awaiting GPADL_CREATED: %d", scene->probe_result);
	scene_works();
	scene_end(0);
}

ATTACK(rescind_opening_late, "C-153", "rescind while OPEN_RESULT is awaited")
{
	rescinded_at(CONTROL_MESSAGE_TYPE_OPEN);
	evidence("awaiting OPEN_RESULT: %d", scene->probe_result);
	scene_works();
	scene_end(0);
}

static bool deaf(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	(void)p;
	return ch != scene->echo_channel && ch != scene->disk_channel;
}

ATTACK(rescind_in_flight, "C-154", "rescind with requests on their way")
{
	u8 read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0 };
	static u8 data[4096];
	struct kvec to = { data, sizeof(data) };
	static struct scsi_command c;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = deaf;
	expect(!scene_echo_send());
	expect(!scene_command(&c, read10, 10, STORAGE_DATA_DIRECTION_READ, &to));
	scene_run(10);
	rescind(scene->disk_channel->relid);
	expect(scene_wait(&c, 60000) && c.verdict == SCSI_GONE);
	rescind(relid());
	scene_run(60000);
	expect(scene->removes == 2 && scene->echo_dead == 1);
	evidence("each ended once: the command as gone, the request reclaimed");
	scene_end(0);
}

static int moved;

static bool rescind_at_move(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)argument;
	(void)size;
	if (message[0] != CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL)
		return true;
	host_rescind(h, scene->echo_channel);
	strike("rescind instead of MODIFYCHANNEL_RESPONSE");
	return false;
}

ATTACK(rescind_moving, "C-155", "rescind while MODIFYCHANNEL_RESPONSE is awaited")
{
	struct airlock_channel *channel;

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = rescind_at_move;
	channel = plain();
	airlock_channel_get(channel);
	moved = airlock_channel_move(channel, (channel->cpu + 1) % 4);
	airlock_channel_put(channel);
	expect(moved && shim_waited() < 5000);
	scene_run(100);
	expect(scene->removes == 1);
	evidence("told so: %d", moved);
	scene_works();
	scene_end(0);
}

static bool rescind_at_close(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u32 type = (u32)(unsigned long)argument;

	(void)size;
	if (message[0] == type && scene->echo_channel->state != HOST_RESCINDED && scene->probes) {
		host_rescind(h, scene->echo_channel);
		strike("rescind at message %u", type);
	}
	return true;
}

ATTACK(rescind_closing, "C-156", "rescind while the channel is closed, and while its GPADL is torn down")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = rescind_at_close;
	scene->host->hooks.argument = (void *)(unsigned long)CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN;
	airlock_disconnect(&scene->connection);
	expect(scene->removes == 2);
	expect(shim_waited() <= 11000);
	evidence("closed once, torn down once");
	scene_end(0);
}

/* A sub-channel of the plain device, opened. */
static struct host_channel *open_subchannel(void)
{
	struct host_channel *sub;

	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->open_subchannels = true;
	expect(!scene_connect());
	scene_run(50);
	airlock_subchannels_wanted(scene->echo_device, 2);
	sub = host_offer(scene->host, &scene->echo, 1);
	scene_run(50);
	expect(scene->subchannels == 1 && !scene->subchannel_result);
	return sub;
}

ATTACK(rescind_primary, "C-157", "rescind of a device whose sub-channel lives")
{
	struct host_channel *sub = open_subchannel();
	u32 number = sub->relid;

	rescind(relid());
	scene_run(200);
	expect(!scene->subchannels && scene->removes == 1);
	expect(!scene->connection.channels[number] || scene->connection.channels[number]->dead);
	evidence("the sub-channel went first");
	scene_works();
	scene_end(0);
}

ATTACK(rescind_subchannel, "C-158", "rescind of a sub-channel alone")
{
	struct host_channel *sub = open_subchannel();

	host_rescind(scene->host, sub);
	strike("rescinded");
	scene_run(200);
	expect(!scene->subchannels && !scene->removes);
	evidence("its driver was told, the device lives");
	scene_works();
	scene_end(0);
}

ATTACK(rescind_offer, "C-159", "rescind and offer of the same relid at once")
{
	u8 o[196], r[12] = { CONTROL_MESSAGE_TYPE_RESCIND };

	scene_start(SCENE_ECHO | SCENE_DISK);
	put32(r + 8, relid());
	make_offer(o, plain_class(), scene->echo.instance, relid());
	host_post(scene->host, r, 12);
	host_offers(o);
	while (host_run(scene->host))
		airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene_run(12000);
	expect_rule("control.channel.offer.state");
	expect(scene->removes == 1);
	scene_works();
	scene_end(0);
}

ATTACK(rescind_suspended, "C-160", "rescind while the guest is suspended")
{
	scene_start(SCENE_ECHO);
	scene_suspend();
	host_says(CONTROL_MESSAGE_TYPE_RESCIND, 12, 1);
	scene_run(50);
	expect_rule("control.connection.rescind.state");
	act("on offer: drop");
	(void)scene_resume();
	expect(scene->echo_resumed != 1);
	evidence("a device that does not come back stays dead");
	scene_end(0);
}

ATTACK(stream_never_rescinded, "C-161", "a channel that was closed is never rescinded")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	act("on rescind: drop");
	host_rescind(scene->host, scene->echo_channel);
	scene_run(50);
	acted();
	airlock_disconnect(&scene->connection);
	expect(scene->removes == 2 && shim_waited() <= 11000);
	evidence("nothing waits for a rescind");
	scene_end(0);
}

ATTACK(rescind_all_waiters, "C-162", "rescind with several who wait on the channel")
{
	struct hostmem memory;
	static struct gpadl g;
	int error;

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(!hostmem_create(&memory, scene->connection.visibility, 4, false));
	scene->host->hooks.incoming = rescind_at;
	scene->host->hooks.argument = (void *)(unsigned long)CONTROL_MESSAGE_TYPE_GPADL_HEADER;
	act("on gpadl_created: drop");
	error = airlock_gpadl_create(plain(), &g, &memory);
	expect(error && shim_waited() < 10000);
	act_no_more();
	scene->host->hooks.incoming = NULL;
	hostmem_destroy(&memory, gpadl_given_back(&g));
	scene_run(200);
	expect(scene->removes == 1);
	evidence("all are told: %d", error);
	scene_works();
	scene_end(0);
}

static bool released_once(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	static unsigned int released;

	(void)h;
	(void)argument;
	(void)size;
	if (message[0] == CONTROL_MESSAGE_TYPE_RELID_RELEASED) {
		expect(get32(message + 8) == 77 && !released++);
		strike("released: %u", get32(message + 8));
	}
	return true;
}

ATTACK(release_foreign, "C-163", "a relid is to be released that serves another channel by now")
{
	u8 o[196];

	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(o, plain_class(), (const u8 *)"another-instance", 77);
	host_offers(o);
	scene_run(50);
	scene->host->hooks.incoming = released_once;
	rescind(77);
	rescind(77);
	scene_run(200);
	expect(!scene->connection.channels[77]);
	evidence("released once, from the one state that allows it");
	scene->host->hooks.incoming = NULL;
	scene_end(0);
}

ATTACK(open_never, "C-164", "OPEN_RESULT never comes")
{
	open_fails("on open_result 1: drop", 8);
	expect_rule("core.wait.expired");
	expect(shim_waited() < 1000 || shim_waited() <= 10500);
	scene_works();
	scene_end(0);
}

ATTACK(open_unsolicited, "C-165", "OPEN_RESULT for a channel that is open, and for one that does not exist")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_OPEN_RESULT, 20, relid(), plain()->open_id, 0xc0000001);
	scene_run(20);
	expect_rule("control.channel.open_result.state");
	host_says(CONTROL_MESSAGE_TYPE_OPEN_RESULT, 20, 1234, 1, 0);
	message_is_dropped("control.channel.open_result.state");
}

ATTACK(open_duplicate, "C-166", "OPEN_RESULT again, with the opposite status")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on open_result 1: replay 1\non open_result 2: set 16 32 0xc0000001");
	expect(!scene_connect());
	scene_run(50);
	acted();
	expect(scene->echo_device && !scene->probe_result);
	message_is_dropped("control.channel.open_result.state");
}

ATTACK(open_stale, "C-167", "the result of an earlier open for the present one")
{
	open_fails("on open_result 1: set 12 32 0x7777", 8);
	expect_rule("control.open_result.open_id.value");
	scene_works();
	scene_end(0);
}

ATTACK(open_ambiguous, "C-168", "a status that is neither success nor failure")
{
	open_fails("on open_result 1: set 16 32 0x103", 0);
	expect_rule("core.status.ambiguous");
	expect(!sim_is_shared(scene->echo_channel->ring_gfns[0]));
	evidence("closed and torn down before the ring is used for anything else");
	scene_works();
	scene_end(0);
}

ATTACK(open_too_late, "C-169", "success after the guest has given up")
{
	open_fails("on open_result 1: delay 900", 8);
	expect_rule("control.channel.open_result.state");
	scene_works();
	scene_end(0);
}

static bool result_early(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u8 m[20] = { CONTROL_MESSAGE_TYPE_OPEN_RESULT };

	(void)argument;
	(void)size;
	if (message[0] != CONTROL_MESSAGE_TYPE_GPADL_HEADER || get32(message + 8) != relid())
		return true;
	put32(m + 8, relid());
	put32(m + 12, 1);
	host_post(h, m, 20);
	put32(m + 12, 2);
	host_post(h, m, 20);
	strike("OPEN_RESULT for the ids 1 and 2 before OPEN");
	return true;
}

ATTACK(open_predicted, "C-170", "success for an open that was not yet posted")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = result_early;
	expect(!scene_connect());
	scene->host->hooks.incoming = NULL;
	scene_run(50);
	message_is_dropped("control.channel.open_result.state");
}

ATTACK(never_served, "C-171", "an open channel that the host never serves")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.packet = deaf;
	expect(!scene_echo());
	strike("2 seconds without an answer");
	evidence("the core waits for nothing; the driver's own deadline ends its request");
	scene->host->hooks.packet = NULL;
	scene_end(0);
}

ATTACK(move_unsolicited, "C-172", "MODIFYCHANNEL_RESPONSE nobody asked for, and of another channel")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE, 16, relid(), 0);
	scene_run(20);
	expect_rule("control.channel.modify_response.unsolicited");
	act("on modify_response: replay 1");
	expect(!airlock_channel_move(plain(), (plain()->cpu + 1) % 4));
	acted();
	message_is_dropped("control.channel.modify_response.unsolicited");
}

ATTACK(move_never, "C-173", "MODIFYCHANNEL_RESPONSE never comes")
{
	u32 before;

	scene_start(SCENE_ECHO | SCENE_DISK);
	before = plain()->cpu;
	act("on modify_response: drop");
	expect(airlock_channel_move(plain(), (before + 1) % 4));
	acted();
	expect(shim_waited() <= scene->policy.modify_deadline + 1000);
	expect_rule("core.wait.expired");
	expect(airlock_cpu_offline(&scene->connection, before ? before : 1));
	act_no_more();
	scene_works();
	scene_end(0);
}

ATTACK(move_old_processor, "C-174", "moved, yet the old processor is still interrupted")
{
	u32 before;

	scene_start(SCENE_ECHO | SCENE_DISK);
	before = plain()->cpu;
	expect(!airlock_channel_move(plain(), (before + 1) % 4));
	host_set_event(scene->host, before, relid());
	strike("flag on the old processor");
	scene_run(20);
	evidence("heard there as anywhere; a processor is let go only once its flags stay clear");
	scene_works();
	scene_end(0);
}

ATTACK(stream_result, "C-175", "a result for a socket nobody asked for")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_TL_CONNECT_RESULT, 44, 1, 2, 3, 4, 5, 6, 7, 8, 0xc0000236);
	scene_run(20);
	expect_rule("control.stream.tl_connect_result.state");
	scene_works();
	scene_end(0);
}

ATTACK(answers_unasked, "C-176", "answers to close_reserved, modify_connection and pause, which were never sent")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, 12, relid());
	scene_run(20);
	expect_rule("control.dispatch");
	host_says(CONTROL_MESSAGE_TYPE_MODIFY_CONNECTION_RESPONSE, 9, 0);
	scene_run(20);
	expect_rule("control.dispatch");
	host_says(CONTROL_MESSAGE_TYPE_PAUSE_RESPONSE, 8, 0);
	message_is_dropped("control.dispatch");
}

ATTACK(answer_other_kind, "C-177", "GPADL_CREATED for a handle whose teardown is awaited")
{
	u8 text[100];

	scene_start(SCENE_ECHO | SCENE_DISK);
	snprintf((char *)text, sizeof(text), "on gpadl_teardown 1: post 0a00000000000000%02x000000%02x%02x%02x%02x00000000",
		 relid(), plain()->gpadl.handle & 0xff, plain()->gpadl.handle >> 8 & 0xff,
		 plain()->gpadl.handle >> 16 & 0xff, plain()->gpadl.handle >> 24);
	act((const char *)text);
	rescind(relid());
	acted();
	expect(scene->removes == 1);
	expect(rule_fired("control.gpadl.gpadl_created.state") + rule_fired("control.gpadl.gpadl_created.unsolicited"));
	evidence("control.gpadl.gpadl_created.state");
	scene_works();
	scene_end(0);
}

ATTACK(replies_withheld, "C-178", "no reply of any kind while the guest leaves")
{
	uint64_t before;

	scene_start(SCENE_ECHO | SCENE_DISK);
	act("on close: silence");
	before = shim_now();
	airlock_disconnect(&scene->connection);
	acted();
	expect(shim_now() - before < 10 * 60 * 1000);
	expect_rule("core.wait.expired");
	evidence("gone after %llu s", (unsigned long long)(shim_now() - before) / 1000);
	scene_end(0);
}

static uint64_t answer_at_once(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)argument;
	(void)deliver;
	(void)input;
	host_set_event(h, 0, 1);
	return 0;
}

static uint64_t deliver_now(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	u8 m[20] = { 0 };

	(void)argument;
	if (input[16] != CONTROL_MESSAGE_TYPE_OPEN || get32(input + 24) != scene->echo_channel->relid)
		return 0;
	*deliver = true;
	put32(m, CONTROL_MESSAGE_TYPE_OPEN_RESULT);
	put32(m + 8, get32(input + 24));
	put32(m + 12, get32(input + 28));
	host_post(h, m, 20);
	scene_run(1);
	strike("the answer is there before the hypercall returns");
	return answer_at_once(h, argument, input, deliver);
}

ATTACK(reply_at_once, "C-179", "the answer arrives before the question's hypercall has returned")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.post_result = deliver_now;
	expect(!scene_connect());
	scene_run(50);
	scene->host->hooks.post_result = NULL;
	expect(scene->echo_device && !scene->probe_result);
	evidence("the session moves before the post: it finds who asked");
	scene_works();
	scene_end(0);
}

ATTACK(close_ignored, "C-180", "the host goes on using the ring after CLOSE")
{
	uint64_t gfn;

	scene_start(SCENE_ECHO | SCENE_DISK);
	gfn = scene->echo_channel->ring_gfns[0];
	act("on close: never");
	rescind(relid());
	expect(scene->removes == 1);
	expect(!sim_is_shared(gfn));
	strike("the host tries the ring: page %#llx is not its any more", (unsigned long long)gfn);
	evidence("torn down and revoked before reuse");
	scene_works();
	scene_end(0);
}
