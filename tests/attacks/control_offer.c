// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by offers.
 */
#include "control_act.h"

static u8 m[196];
static const u8 *const another = (const u8 *)"another-instance";

/* An honest offer of a second plain device, on channel 77. */
static void start_offer(void)
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(m, plain_class(), another, 77);
}

/* The offer is refused, no device comes of it; its relid is given back when it was not in use. */
static void offer_is_refused(const char *rule)
{
	unsigned int probes = scene->probes, channels = scene->connection.channel_count;

	host_offers(m);
	scene_run(100);
	expect_rule(rule);
	expect(scene->probes == probes && scene->connection.channel_count == channels);
}

static void refused_and_over(const char *rule)
{
	offer_is_refused(rule);
	scene_works();
	scene_end(0);
}

/* The index-th sub-channel of the plain device. */
static void make_subchannel(u16 index, u32 relid)
{
	make_offer(m, plain_class(), scene->echo.instance, relid);
	put16(m + 180, index);
}

static void flags(u16 value)
{
	put16(m + 56, value);
}

ATTACK(relid_zero, "C-100", "relid 0")
{
	start_offer();
	put32(m + 184, 0);
	refused_and_over("control.offer.relid.range");
}

ATTACK(relid_large, "C-101", "relids beyond the table, and the number that means none")
{
	start_offer();
	put32(m + 184, 2048);
	offer_is_refused("control.offer.relid.range");
	put32(m + 184, 0xffffffff);
	refused_and_over("control.offer.relid.range");
}

ATTACK(relid_taken, "C-102", "the relid of a live channel")
{
	start_offer();
	put32(m + 184, scene->echo_channel->relid);
	refused_and_over("control.channel.offer.state");
}

ATTACK(relid_held, "C-103", "a relid that was rescinded and not yet released")
{
	unsigned int probes;

	start_offer();
	probes = scene->probes;
	put32(m + 184, scene->echo_channel->relid);
	host_rescind(scene->host, scene->echo_channel);
	host_offers(m);
	while (host_run(scene->host))
		airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene_run(100);
	expect_rule("control.channel.offer.state");
	expect(scene->removes == 1 && scene->probes == probes);
	scene_works();
	scene_end(0);
}

ATTACK(primary_again, "C-104", "the same device once more, under another relid")
{
	start_offer();
	make_offer(m, plain_class(), scene->echo.instance, 77);
	refused_and_over("core.offer.duplicate");
}

/* Ends the connection as for hibernation, with its drivers closed. */
static void hibernate(void)
{
	scene_suspend();
	strike("suspended, now it resumes");
}

ATTACK(return_changed, "C-105", "on resume the device comes back with other flags")
{
	scene_start(SCENE_ECHO);
	hibernate();
	act("on offer: set 56 16 0x10");
	(void)scene_resume();
	acted();
	expect(rule_fired("core.offer.privacy") + rule_fired("core.offer.pipe"));
	evidence("core.offer.privacy");
	expect(scene->echo_resumed != 1);
	scene_end(0);
}

ATTACK(instance_taken, "C-106", "the instance of another device, in another class")
{
	start_offer();
	make_offer(m, control_device_class_scsi, scene->echo.instance, 77);
	refused_and_over("core.offer.instance");
}

ATTACK(no_primary, "C-107", "a sub-channel without its device")
{
	start_offer();
	put16(m + 180, 1);
	refused_and_over("core.offer.no_primary");
}

ATTACK(subchannel_first, "C-108", "a sub-channel right behind its device, before the driver runs")
{
	start_offer();
	host_offers(m);
	put16(m + 180, 1);
	put32(m + 184, 78);
	host_post(scene->host, m, 196);
	scene_run(100);
	expect(!scene->subchannels);
	expect_rule("core.offer.no_primary");
	evidence("the device came up alone");
	scene_end(0);
}

ATTACK(subchannel_unasked, "C-109", "sub-channels nobody asked for")
{
	start_offer();
	make_subchannel(1, 77);
	offer_is_refused("core.offer.surplus");
	airlock_subchannels_wanted(scene->echo_device, 1);
	host_offers(m);
	scene_run(50);
	expect(scene->subchannels == 1);
	make_subchannel(2, 78);
	refused_and_over("core.offer.surplus");
}

ATTACK(subchannel_twice, "C-110", "the same sub-channel twice")
{
	start_offer();
	airlock_subchannels_wanted(scene->echo_device, 2);
	make_subchannel(1, 77);
	host_offers(m);
	scene_run(50);
	expect(scene->subchannels == 1);
	make_subchannel(1, 78);
	refused_and_over("core.offer.index");
}

ATTACK(subchannel_huge, "C-111", "sub-channel index 65535, and one more than was asked for")
{
	start_offer();
	airlock_subchannels_wanted(scene->echo_device, 2);
	make_subchannel(0xffff, 77);
	offer_is_refused("control.offer.subchannel.limit");
	make_subchannel(3, 77);
	refused_and_over("core.offer.index");
}

ATTACK(subchannel_closing, "C-112", "a sub-channel while its device goes")
{
	start_offer();
	airlock_subchannels_wanted(scene->echo_device, 2);
	host_rescind(scene->host, scene->echo_channel);
	make_subchannel(1, 77);
	host_offers(m);
	scene_run(100);
	expect_rule("core.offer.no_primary");
	expect(!scene->subchannels && scene->removes == 1);
	scene_works();
	scene_end(0);
}

ATTACK(subchannel_flags, "C-113", "a sub-channel with other flags than its device's")
{
	start_offer();
	airlock_subchannels_wanted(scene->echo_device, 2);
	make_subchannel(1, 77);
	flags(CONTROL_CHANNEL_FLAG_PIPE);
	put32(m + 60, 4);
	refused_and_over("core.offer.privacy");
}

ATTACK(offers_2047, "C-114", "2047 offers at once")
{
	u32 i;

	start_offer();
	for (i = 100; i < 2040; i++) {
		put32(m + 184, i);
		put32(m + 36, i);
		host_post(scene->host, m, 196);
	}
	strike("%u offers", i - 100);
	scene_run(5000);
	expect(rule_fired("core.offer.limit") + rule_fired("core.offer.rate") > 1000);
	expect(scene->connection.channel_count <= scene->policy.channels_max);
	evidence("core.offer.limit: %u channels", scene->connection.channel_count);
	scene_end(0);
}

ATTACK(churn, "C-115", "offer and rescind of the same channel, for ever")
{
	u8 rescind[12] = { CONTROL_MESSAGE_TYPE_RESCIND };
	u32 i;

	start_offer();
	scene->connection.policy.offers.burst = 16;
	scene->connection.offer_tokens = 16;
	put32(rescind + 8, 77);
	for (i = 0; i < 200; i++) {
		host_post(scene->host, m, 196);
		host_post(scene->host, rescind, 12);
		scene_run(1);
	}
	strike("%u times", i);
	scene_run(2000);
	expect_rule("core.offer.rate");
	expect(scene->probes < 60);
	evidence("%u probes of 200 offers", scene->probes - 2);
	scene_works();
	scene_end(0);
}

ATTACK(class_unwanted, "C-116", "classes this guest does not want")
{
	static const u8 *const classes[] = {
		control_device_class_key_value, control_device_class_memory, control_device_class_video,
		control_device_class_file_copy, (const u8 *)"nobody knows it!",
	};
	u32 i;

	start_offer();
	for (i = 0; i < 4; i++) {
		make_offer(m, classes[i], another, 77);
		offer_is_refused("core.offer.class");
	}
	make_offer(m, classes[4], another, 77);
	refused_and_over("core.offer.class");
}

ATTACK(stream_class, "C-117", "the socket flag on a class that is not admitted")
{
	start_offer();
	make_offer(m, control_device_class_memory, another, 77);
	flags(CONTROL_CHANNEL_FLAG_HVSOCK);
	m[64] = 1;
	offer_is_refused("core.offer.stream");
	scene->connection.policy.hvsock = true;
	refused_and_over("core.offer.stream");
}

ATTACK(stream_unasked, "C-118", "a socket that answers a request nobody made")
{
	start_offer();
	scene->connection.policy.hvsock = true;
	make_offer(m, (const u8 *)"a socket service", another, 77);
	flags(CONTROL_CHANNEL_FLAG_HVSOCK);
	refused_and_over("core.offer.stream");
}

ATTACK(stream_flood, "C-119", "sockets from the host, which nobody listens for")
{
	u32 i;

	start_offer();
	make_offer(m, (const u8 *)"a socket service", another, 77);
	flags(CONTROL_CHANNEL_FLAG_HVSOCK);
	m[64] = 1;
	for (i = 0; i < 20; i++) {
		put32(m + 184, 77 + i);
		offer_is_refused("core.offer.stream");
	}
	scene_works();
	scene_end(0);
}

ATTACK(memory_without_ring, "C-120", "confidential memory without a confidential ring, then a rescind")
{
	start_offer();
	flags(CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY);
	offer_is_refused("control.offer.ring_with_memory");
	host_rescind(scene->host, scene->echo_channel);
	scene_run(100);
	expect(scene->removes == 1);
	evidence("rescinds still work");
	scene_works();
	scene_end(0);
}

ATTACK(ring_not_granted, "C-121", "a confidential ring on a connection that is not")
{
	start_offer();
	flags(CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING);
	refused_and_over("control.offer.ring_granted");
}

ATTACK(ring_readable, "C-122", "a readable ring where the policy wants a private one")
{
	start_offer();
	scene->connection.policy.confidential_required = true;
	refused_and_over("core.offer.privacy");
}

ATTACK(pinning, "C-123", "memory to be pinned, which was not granted")
{
	start_offer();
	flags(CONTROL_CHANNEL_FLAG_PINNED_MEMORY);
	refused_and_over("control.offer.pinning_granted");
}

ATTACK(pipe_flag, "C-124", "the pipe flag on a class that speaks without")
{
	start_offer();
	make_offer(m, control_device_class_scsi, another, 77);
	flags(CONTROL_CHANNEL_FLAG_PIPE);
	put32(m + 60, 4);
	refused_and_over("core.offer.pipe");
}

ATTACK(user_area, "C-125", "a pipe mode nobody knows")
{
	start_offer();
	flags(CONTROL_CHANNEL_FLAG_PIPE);
	put32(m + 60, 3);
	refused_and_over("control.pipe_user.mode.enum");
}

ATTACK(monitor_id, "C-126", "monitor id 200 of 128")
{
	start_offer();
	m[188] = 200;
	m[189] = 1;
	refused_and_over("control.offer.monitor_range");
}

ATTACK(monitor_no_page, "C-127", "a monitor bit without monitor pages")
{
	start_offer();
	m[188] = 5;
	m[189] = 1;
	host_offers(m);
	scene_run(50);
	expect(scene->probes == 3);
	expect(scene->connection.channels[77]->monitor == NO_MONITOR);
	evidence("taken without the monitor");
	scene_end(0);
}

ATTACK(signal_id, "C-128", "connection id 0, and one beyond 24 bits")
{
	start_offer();
	put32(m + 192, 0);
	offer_is_refused("control.offer.connection_id.range");
	put32(m + 192, 0x1000001);
	refused_and_over("control.offer.connection_id.range");
}

ATTACK(not_dedicated, "C-129", "no dedicated interrupt: the interrupt page of old")
{
	start_offer();
	put16(m + 190, 0);
	refused_and_over("control.offer.dedicated");
}

ATTACK(mmio, "C-130", "65535 megabytes of memory-mapped space")
{
	start_offer();
	put16(m + 58, 0xffff);
	refused_and_over("core.offer.mmio");
}

static bool offer_early(struct host *h, void *argument, struct host_message *out)
{
	(void)argument;
	if (out->bytes[0] != CONTROL_MESSAGE_TYPE_VERSION_RESPONSE)
		return true;
	make_offer(m, (const u8 *)"airlock-echo-dev", another, 77);
	host_post(h, m, 196);
	strike("offer before the answer to the contact");
	return true;
}

ATTACK(offer_early_or_late, "C-131", "offers before they are requested, and after the unload")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.outgoing = offer_early;
	expect(!scene_connect());
	scene->host->hooks.outgoing = NULL;
	scene_run(50);
	expect_rule("control.connection.offer.state");
	expect(scene->probes == 2);
	scene_works();
	airlock_disconnect(&scene->connection);
	host_post(scene->host, m, 196);
	airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene_run(50);
	expect_rule("control.connection.offer.state");
	scene_end(0);
}

ATTACK(hot_add, "C-132", "an offer after all were delivered")
{
	start_offer();
	host_offers(m);
	scene_run(50);
	expect(scene->probes == 3);
	evidence("legal: taken, and counted against rate and limit");
	scene_end(0);
}

ATTACK(all_offers_never, "C-133", "ALLOFFERS_DELIVERED never comes")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on all_offers: drop");
	expect(!scene_connect());
	acted();
	expect(shim_waited() <= scene->policy.offers_deadline + 1000);
	expect_rule("core.wait.expired");
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(all_offers_early, "C-134", "ALLOFFERS_DELIVERED before it was asked for, and twice")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on version_response: post 0400000000000000\non all_offers: replay 1");
	expect(!scene_connect());
	acted();
	scene_run(50);
	expect(scene->probes == 2);
	message_is_dropped("control.connection.all_offers.state");
}

NOT_APPLICABLE(instances_swapped, "C-135", "the instances of two disks are swapped",
	       "who a disk is cannot be seen at the bus; a disk's contents are to be authenticated above it");

ATTACK(fixed_instance, "C-136", "a class with one known instance, offered with another, and twice")
{
	static const u8 *const wanted[] = { control_device_class_heartbeat };

	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->connection.policy.classes = wanted;
	scene->connection.policy.class_count = 1;
	make_offer(m, control_device_class_heartbeat, another, 77);
	flags(CONTROL_CHANNEL_FLAG_PIPE);
	offer_is_refused("core.offer.instance");
	memcpy(m + 24, control_device_instance_heartbeat, 16);
	host_offers(m);
	scene_run(20);
	put32(m + 184, 78);
	refused_and_over("core.offer.duplicate");
}

ATTACK(ids_change, "C-137", "on resume relid and connection id are others")
{
	scene_start(SCENE_ECHO);
	hibernate();
	host_rescind(scene->host, scene->echo_channel);
	(void)host_offer(scene->host, &scene->target.device, 0);	/* takes the first number */
	scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	expect(!scene_resume());
	scene_run(50);
	expect(scene->echo_resumed == 1);
	expect(scene->echo_device->primary->relid == scene->echo_channel->relid);
	expect(scene->echo_device->primary->signal_id == scene->echo_channel->connection_id);
	expect(scene_echo());
	evidence("taken from the new offer: channel %u", scene->echo_channel->relid);
	scene_end(0);
}
