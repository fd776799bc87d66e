// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the life of a storage device, ST-108 to ST-114: rescinds, offers, suspends and
 * moves at the wrong time.
 */
#include <errno.h>
#include <string.h>

#include "shim.h"
#include "storage_act.h"

#define CLOSE_CHANNEL 7
#define MODIFY_RESPONSE 24
#define ENUMERATE_BUS 11
#define PAGE 4096

static struct io io, many[20];

/* ---- rescinds ---- */

static void withhold_many(u32 cpu)
{
	static const u8 read10[10] = { READ_10, [8] = 8 };
	u32 i;

	lie_about(0, READ_10, 0, withhold, NULL);
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		memset(many[i].bytes, 0x55, PAGE);
		expect(!io_queue(&many[i], &scene->engine, cpu, read10, 10, STORAGE_DATA_DIRECTION_READ, PAGE));
	}
	scene_run(20);
	expect(held_count == ARRAY_SIZE(many));
	lie_no_more();
}

static bool all_gone(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		if (!many[i].command.glue || many[i].command.verdict != SCSI_GONE || !io_all(&many[i], 0, PAGE, 0))
			return false;
	return true;
}

ATTACK(rescinded_in_flight, "ST-108", "the device is rescinded while commands are on their way")
{
	u64 began;

	act_start();
	withhold_many(0);
	began = shim_now();
	host_rescind(scene->host, scene->disk_channel);
	strike("rescinded with %u commands unanswered", (u32)ARRAY_SIZE(many));
	scene_run(1000);
	expect(all_gone() && scene->removes == 1 && !scene->disk_device);
	expect(shim_waited() < 1000 && shim_now() - began <= 1000);
	evidence("closed first, then all end, without a wait");
	act_gone(0);
}

/* ---- after a close ---- */

static u32 sent_late;

static bool talk_on(struct host *h, void *argument, const u8 *message, u32 size)
{
	u32 i;

	(void)argument;
	(void)size;
	if (message[0] != CLOSE_CHANNEL || sent_late)
		return true;
	for (i = 0; i < held_count; i++)
		sent_late += target_send(&scene->target, &held[i].answer);
	sent_late += target_news(&scene->target, scene->disk_channel, ENUMERATE_BUS);
	host_set_event(h, scene->disk_channel->target_vp, scene->disk_channel->relid);
	strike("sent %u packets and an event after the close", sent_late);
	return true;
}

ATTACK(ring_after_close, "ST-109", "packets and events come while the channel is being closed, and later")
{
	u32 vp, relid;

	act_start();
	withhold_many(0);
	vp = scene->disk_channel->target_vp;
	relid = scene->disk_channel->relid;
	scene->host->hooks.incoming = talk_on;
	scsi_stop(&scene->engine);
	expect(sent_late == ARRAY_SIZE(many) + 1);
	expect(all_gone() && !scene->rescans);
	expect_rule("core.event.closed");
	host_set_event(scene->host, vp, relid);
	scene_run(100);
	expect_rule("core.event.closed");
	act_gone(0);
}

/* ---- offers ---- */

static void offer_again(void)
{
	scene->disk_channel = host_offer(scene->host, &scene->target.device, 0);
	expect(scene->disk_channel);
	scene_run(100);
}

ATTACK(offered_anew, "ST-110", "the device comes back with another version and other limits")
{
	act_start();
	expect(scene->engine.limits.version == 0x0600);
	host_rescind(scene->host, scene->disk_channel);
	scene_run(1000);
	expect(!scene->disk_device && !scene->engine_started);
	scene->target.versions[scene->target.version_count++] = 0x0602;
	scene->target.max_transfer = 0x9000;
	scene->target.max_subchannels = 1;
	scene->target.luns[1].block_bytes = 512;
	offer_again();
	strike("came back as version 6.2, with less of everything");
	expect(scene->engine_started && scene->engine.limits.version == 0x0602);
	expect(scene->engine.limits.max_transfer == 0x9000 && scene->engine.limits.subchannels == 1);
	expect(io_read(&io, 0, 0x9000 / BLOCK + 8) == -EINVAL);
	evidence("everything is agreed anew");
	act_works();
}

static void resume_with(u32 versions, u32 transfer, int result)
{
	int error;

	act_prepare();
	scene->target.versions[scene->target.version_count++] = 0x0602;
	act_connect();
	expect(scene->engine.limits.version == 0x0602);
	scsi_stop(&scene->engine);
	scene->target.version_count = versions;
	scene->target.max_transfer = transfer;
	error = scsi_restart(&scene->engine);
	strike("resumed with %u versions known, %u bytes at once", versions, transfer);
	expect(error == result);
	if (!error) {
		expect(scene->engine.limits.version == 0x0602 && scene->engine.limits.max_transfer == 0x40000);
		act_works();
		return;
	}
	expect(io_read(&io, 0, 8) == -ENODEV);
	act_gone(0);
}

ATTACK(resumed_with_less, "ST-111", "after a suspend the host knows less than before")
{
	resume_with(4, 0x40000, -EOPNOTSUPP);
	resume_with(5, 0x3f000, -EPROTO);
	resume_with(5, 0x1000, -EPROTO);
	resume_with(5, 0x40000, 0);
	resume_with(5, 0x80000, 0);
	evidence("less fails the resume, more is not taken");
}

ATTACK(churn, "ST-112", "the device is offered and rescinded without end")
{
	u64 allocated, most = 0;
	u32 i;

	act_prepare();
	scene->policy.pool_slots = 64;
	act_connect();
	allocated = shim_allocated();
	for (i = 0; i < 1300; i++) {
		host_rescind(scene->host, scene->disk_channel);
		scene_run(i % 3);
		scene->disk_channel = host_offer(scene->host, &scene->target.device, 0);
		expect(scene->disk_channel);
		scene_run(i % 5);
		if (shim_allocated() > most)
			most = shim_allocated();
	}
	strike("offered and rescinded %u times in %u ms", i, (u32)shim_now());
	expect_rule("core.offer.rate");
	expect(most < 4 * allocated);
	evidence("%u probes", scene->probes);
	host_rescind(scene->host, scene->disk_channel);
	scene_run(100000);
	offer_again();
	expect(scene->engine_started && shim_allocated() <= allocated);
	act_works();
}

/* ---- one channel of several ---- */

ATTACK(subchannel_rescinded, "ST-113", "one sub-channel is rescinded, with commands on it")
{
	struct host_channel *ch;

	act_start();
	expect(act_grow(2) == 2 && scene->engine.usable_count == 3);
	withhold_many(1);
	ch = held[0].answer.channel;
	expect(ch->index);
	host_rescind(scene->host, ch);
	strike("sub-channel %u is rescinded with %u commands unanswered", ch->index, held_count);
	scene_run(1000);
	expect(all_gone() && scene->engine.usable_count == 2 && !scene->disk_failed);
	evidence("its commands end, the others work");
	held_count = 0;
	act_works();
}

/* ---- moves ---- */

static bool drop_modify(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != MODIFY_RESPONSE)
		return true;
	strike("the answer to a move is withheld");
	return false;
}

ATTACK(move_unanswered, "ST-114", "the host never answers that a channel has moved to another processor")
{
	u64 began;

	act_start();
	expect(!airlock_channel_move(disk_channel(), 1));
	scene->host->hooks.outgoing = drop_modify;
	began = shim_now();
	expect(airlock_channel_move(disk_channel(), 2) == -EBUSY);
	expect(shim_now() - began <= scene->policy.modify_deadline + 1000);
	expect_rule("core.wait.expired");
	expect(airlock_cpu_offline(&scene->connection, 1) == -EBUSY);
	expect(airlock_cpu_offline(&scene->connection, 2) == -EBUSY);
	expect(!airlock_cpu_offline(&scene->connection, 3));
	scene->host->hooks.outgoing = NULL;
	evidence("a deadline, and both processors are still listened to");
	act_works();
}
