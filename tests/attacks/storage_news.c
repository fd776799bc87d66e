// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by what a storage host says unasked, ST-043 to ST-054.
 */
#include <string.h>

#include "shim.h"
#include "storage_act.h"

#define IN_BAND 6
#define COMPLETE_IO 1
#define REMOVE_DEVICE 2
#define ENUMERATE_BUS 11
#define FC_HBA_DATA 12
#define EVENT_NOTIFICATION 14

static struct io io;

static void start_lenient(void)
{
	act_prepare();
	act_lenient();
	act_connect();
	expect(scene->engine_started);
}

/* ---- moments ---- */

static u32 rescans_before_ready;

static bool news_first(struct target_answer *a)
{
	send_news(a->channel, ENUMERATE_BUS, 0, "news in the middle of the handshake");
	send_news(a->channel, REMOVE_DEVICE, 0, "news in the middle of the handshake");
	rescans_before_ready += scene->rescans;
	return true;
}

ATTACK(news_in_the_handshake, "ST-043", "news of disks, before the handshake has ended")
{
	act_prepare();
	lie_about(0, ANY_COMMAND, 4, news_first, NULL);
	act_connect();
	expect(lies_told == 4 && scene->engine_started);
	scene_run(1500);
	expect(!rescans_before_ready && scene->rescans == 1);
	evidence("one scan, once all is ready");
	act_works();
}

static void news_while_draining(void)
{
	expect(scene->engine.draining);
	send_news(scene->disk_channel, ENUMERATE_BUS, 0, "news while the device goes");
	send_news(scene->disk_channel, REMOVE_DEVICE, 0, "news while the device goes");
}

ATTACK(news_while_removed, "ST-044", "news of disks, while the device is being removed")
{
	u32 rescans;

	start_lenient();
	live_read(&io);
	rescans = scene->rescans;
	act_later(100, news_while_draining);
	scsi_stop(&scene->engine);
	expect_rule("storage.rescan.enumerate_bus.state");
	expect_rule("storage.rescan.remove_device.state");
	expect(io.command.glue && io.command.verdict == SCSI_GONE);
	scene_run(3000);
	expect(scene->rescans == rescans);
	act_gone(0);
}

ATTACK(storm_of_news, "ST-045", "a storm of news")
{
	u32 i;

	act_start();
	for (i = 0; i < 3000; i++) {
		send_news(scene->disk_channel, ENUMERATE_BUS, 0, "news");
		scene_run(1);
	}
	expect(scene->rescans >= 1 && scene->rescans <= 4);
	evidence("3000 times in 3 s: %u scans", scene->rescans);
	act_works();
}

ATTACK(removal_in_flight, "ST-046", "a disk is said to be removed, while commands are on their way")
{
	act_start();
	live_read(&io);
	send_news(scene->disk_channel, REMOVE_DEVICE, 0, "a removal");
	scene_run(1500);
	expect(scene->rescans == 1 && !disk_channel()->dead);
	evidence("another look at the bus, no more");
	live_read_goes_on(&io);
	act_works();
}

/* ---- operations ---- */

ATTACK(completion_of_nothing, "ST-047", "COMPLETE_IO under the id 0, as an answer and as news")
{
	start_lenient();
	send_completion(scene->disk_channel, 0, COMPLETE_IO, 64, "an answer to nothing");
	expect_rule("ring.completion.ours");
	send_news(scene->disk_channel, COMPLETE_IO, 0, "news that says to be an answer");
	scene_run(20);
	expect_rule("storage.dispatch");
	act_works();
}

ATTACK(names_of_no_adapter, "ST-048", "names of an adapter, short ones, without such an adapter")
{
	static const u32 sizes[] = { 12, 16, 40, 48, 64 };
	u32 i;

	start_lenient();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		send_packet(make_packet(scene->disk_channel, IN_BAND, 0, FC_HBA_DATA, sizes[i]), "names");
		scene_run(20);
		expect_rule("storage.dispatch");
	}
	expect(!scene->engine.names.primary_port);
	act_works();
}

/* An answer to a live command that says to be something else: the command fails, its pages rest. */
static void answer_with(u32 operation)
{
	start_lenient();
	send_completion(scene->disk_channel, live_read(&io), operation, 64, "an answer that is none");
	expect(io_failed(&io));
	expect_rule("storage.header.answer_says_so");
	expect(scene->engine.pinned == 1);
	release_held();			/* the answer proper is too late */
	scene_run(20);
	expect_rule("core.completion.stale");
	act_works();
}

ATTACK(names_for_a_command, "ST-049", "names of an adapter as the answer to a command")
{
	answer_with(FC_HBA_DATA);
}

ATTACK(news_for_a_command, "ST-050", "news under the id of a command")
{
	u64 id;

	answer_with(ENUMERATE_BUS);
	answer_with(REMOVE_DEVICE);
	start_lenient();
	id = live_read(&io);
	send_news(scene->disk_channel, ENUMERATE_BUS, id, "news under a live id");
	send_news(scene->disk_channel, REMOVE_DEVICE, id, "news under a live id");
	scene_run(1500);
	expect_rule("storage.header.news_has_no_id");
	expect(!scene->rescans);
	live_read_goes_on(&io);
	act_works();
}

ATTACK(unknown_operations, "ST-051", "operations of the future")
{
	static const u32 operations[] = { 0, 15, 99, 0x80000000, 0xffffffff };
	u32 i;

	start_lenient();
	send_news(scene->disk_channel, EVENT_NOTIFICATION, 0, "an event");
	scene_run(20);
	expect_rule("storage.event_notification.refused");
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		struct host_packet *p = make_packet(scene->disk_channel, IN_BAND, 0, operations[i], 64);

		packet_payload[2] = operations[i] >> 16;
		packet_payload[3] = operations[i] >> 24;
		send_packet(p, "an unknown operation");
		scene_run(20);
		expect_rule("storage.header.operation.enum");
	}
	act_works();
}

ATTACK(event_out_of_range, "ST-052", "an event of a disk that cannot be")
{
	struct host_packet *p;

	start_lenient();
	p = make_packet(scene->disk_channel, IN_BAND, 0, EVENT_NOTIFICATION, 64);
	memset(packet_payload + 12, 0xff, 4);
	send_packet(p, "an event of lun 255, target 255, path 255");
	scene_run(20);
	expect_rule("storage.event_notification.refused");
	act_works();
}

ATTACK(news_on_a_subchannel, "ST-053", "news by a sub-channel")
{
	struct host_channel *ch;

	start_lenient();
	expect(act_grow(2) == 2);
	ch = host_subchannel(1);
	expect(ch);
	send_news(ch, ENUMERATE_BUS, 0, "news by a sub-channel");
	send_news(ch, REMOVE_DEVICE, 0, "news by a sub-channel");
	scene_run(1500);
	expect_rule("storage.dispatch");
	expect(!scene->rescans);
	act_works();
}

ATTACK(news_under_an_id, "ST-054", "news under an id that was never given out")
{
	static const u64 ids[] = { 1, 0x7777, 0xffffffffffffffff, 0x8000000000000001 };
	u32 i;

	start_lenient();
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		send_news(scene->disk_channel, ENUMERATE_BUS, ids[i], "news under some id");
		scene_run(20);
		expect_rule("storage.header.news_has_no_id");
	}
	scene_run(1500);
	expect(!scene->rescans);
	act_works();
}
