/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offers made by hand: which are taken, which are not, by which rule, and what becomes of their
 * relids; devices and sub-channels as they come and go.
 */
#include "guest.h"

#define OFFER_BYTES 196

/* What an offer says; zero is what an honest host would say. */
struct said {
	const u8 *class, *instance;
	u16 flags, mmio, index;
	u32 relid, connection_id, monitor;	/* monitor: id + 0x100 */
	u8 user[120];
};

static void fill_offer(u8 *m, const struct said *o)
{
	memset(m, 0, OFFER_BYTES);
	wire_put_le32(m, CONTROL_MESSAGE_TYPE_OFFER);
	memcpy(m + 8, o->class ? o->class : plain_class, GUID_BYTES);
	memcpy(m + 24, o->instance ? o->instance : plain_instance, GUID_BYTES);
	wire_put_le16(m + 56, o->flags);
	wire_put_le16(m + 58, o->mmio);
	memcpy(m + 60, o->user, 120);
	wire_put_le16(m + 180, o->index);
	wire_put_le32(m + 184, o->relid);
	m[188] = o->monitor ? (u8)o->monitor : 0xff;
	m[189] = o->monitor >> 8;
	wire_put_le16(m + 190, 1);
	wire_put_le32(m + 192, o->connection_id ? o->connection_id : 0x2000 + o->relid);
}

static void offer(const struct said *o)
{
	u8 m[OFFER_BYTES];

	fill_offer(m, o);
	host_post(guest.host, m, sizeof(m));
	shim_run(10);
}

#define OFFER(...) offer(&(struct said){ __VA_ARGS__ })

static void connect_with(enum sim_kind kind)
{
	guest.isolated = kind != SIM_PLAIN;
	assert_int_equal(guest_connect(), 0);
	listen_for(CONTROL_MESSAGE_TYPE_RELID_RELEASED);
	guest.keep_closed = true;
	guest.opened = -1;
}

static void connected(enum sim_kind kind)
{
	guest_prepare(kind);
	connect_with(kind);
}

/* Refused by this rule, and the relid given back. */
static void is_refused(enum core_rule rule, u32 relid)
{
	assert_int_equal(broken(rule), 1);
	assert_int_equal(heard_count, 1);
	assert_int_equal(wire_le32(heard_message + 8), relid);
	assert_null(guest.connection.channels[relid]);
	heard_count = 0;
	memset(&guest.connection.violations.seen, 0, sizeof(guest.connection.violations.seen));
	guest.connection.violations.used = 0;
}

static void is_taken(u32 relid)
{
	assert_non_null(guest.connection.channels[relid]);
	assert_int_equal(heard_count, 0);
	assert_int_equal(guest.connection.violations.total, 0);
}

/* ---- what is taken ---- */

static void an_offer_becomes_a_device(void **unused)
{
	struct airlock_device *device;
	u8 class[GUID_BYTES] = "another class", instance[GUID_BYTES] = "another one";

	(void)unused;
	connected(SIM_SNP);
	OFFER(.class = class, .instance = instance, .relid = 2047, .connection_id = 0xffffff, .mmio = 64,
	      .user = "user data", .flags = 1);
	is_taken(2047);
	assert_int_equal(guest.probes, 1);
	device = guest.probed;
	assert_memory_equal(device->class, class, GUID_BYTES);
	assert_memory_equal(device->instance, instance, GUID_BYTES);
	assert_int_equal(device->mmio_megabytes, 64);
	assert_int_equal(device->state, DEVICE_BOUND);
	assert_int_equal(device->primary->relid, 2047);
	assert_int_equal(device->primary->signal_id, 0xffffff);
	assert_int_equal(device->primary->flags, 1);
	assert_int_equal(device->primary->monitor, NO_MONITOR);
	assert_string_equal((char *)device->primary->user, "user data");
	guest_end();
}

static void the_user_area_of_a_pipe_is_kept_whole(void **unused)
{
	u8 user[120], i;
	struct said o = { .relid = 1, .flags = CONTROL_CHANNEL_FLAG_PIPE };

	(void)unused;
	connected(SIM_SNP);
	for (i = 0; i < 120; i++)
		user[i] = i < 4 || i >= 116 ? 0 : i;
	user[0] = CONTROL_PIPE_MODE_MESSAGES;
	user[116] = 1;
	memcpy(o.user, user, sizeof(user));
	offer(&o);
	is_taken(1);
	assert_memory_equal(guest.probed->primary->user, user, sizeof(user));
	guest_end();
}

static void a_device_the_bus_does_not_want_is_given_back(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	guest.refuse = true;
	OFFER(.relid = 5);
	assert_null(guest.connection.channels[5]);
	assert_int_equal(heard_count, 1);
	assert_true(list_empty(&guest.connection.devices));
	guest.refuse = false;
	heard_count = 0;
	OFFER(.relid = 5);
	is_taken(5);
	guest_end();
}

static void devices_come_in_the_order_of_their_offers(void **unused)
{
	u8 instance[GUID_BYTES] = { 0 };
	struct airlock_device *device;
	u32 relid = 1;

	(void)unused;
	connected(SIM_SNP);
	for (; relid < 6; relid++) {
		instance[0] = (u8)relid;
		OFFER(.relid = relid, .instance = instance);
	}
	relid = 1;
	list_for_each_entry(device, &guest.connection.devices, node)
		assert_int_equal(device->primary->relid, relid++);
	assert_int_equal(relid, 6);
	guest_end();
}

/* ---- what is not ---- */

static void numbers_without_an_event_flag_are_refused(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 0);
	OFFER(.relid = 2048);
	OFFER(.relid = 0xffffffff);
	assert_int_equal(broken_control(CONTROL_RULE_OFFER_RELID_RANGE), 3);
	assert_int_equal(heard_count, 0);
	assert_int_equal(guest.connection.channel_count, 0);
	guest_end();
}

static void a_number_in_use_is_refused_and_kept(void **unused)
{
	u8 instance[GUID_BYTES] = "another one";

	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 3);
	OFFER(.relid = 3, .instance = instance);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OFFER_STATE), 1);
	assert_int_equal(heard_count, 0);
	assert_ptr_equal(guest.connection.channels[3], guest.probed->primary);
	assert_memory_equal(guest.probed->instance, plain_instance, GUID_BYTES);
	guest_end();
}

static void a_number_that_is_not_given_back_yet_is_refused(void **unused)
{
	u8 instance[GUID_BYTES] = "another one";
	u32 relid;

	(void)unused;
	guest_start(SIM_SNP);
	listen_for(CONTROL_MESSAGE_TYPE_RELID_RELEASED);
	relid = guest.end->relid;
	script("on gpadl_torndown: delay 500");
	host_rescind(guest.host, guest.end);
	shim_run(10);
	OFFER(.relid = relid, .instance = instance);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OFFER_STATE), 1);
	assert_int_equal(heard_count, 0);
	shim_run(1000);
	assert_int_equal(heard_count, 1);
	guest.keep_closed = true;
	OFFER(.relid = relid, .instance = instance);
	assert_int_equal(guest.probes, 2);
	guest_end();
}

static void a_refused_number_is_in_use_until_it_is_given_back(void **unused)
{
	static const u8 *const none[] = { control_device_class_scsi };
	u8 m[OFFER_BYTES];

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.classes = none;
	guest.policy.class_count = 1;
	connect_with(SIM_SNP);
	fill_offer(m, &(struct said){ .relid = 9 });
	host_post(guest.host, m, sizeof(m));
	script("on post relid_released 1: result 0x13");	/* takes a millisecond */
	host_post(guest.host, m, sizeof(m));
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_OFFER_CLASS) + broken_control(CONTROL_RULE_CHANNEL_OFFER_STATE), 2);
	assert_int_equal(heard_count, broken(CORE_RULE_OFFER_CLASS));
	guest_end();
}

static void classes_that_are_not_admitted_are_refused(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	policy_defaults(&guest.policy, true);
	connect_with(SIM_SNP);
	OFFER(.relid = 4);
	is_refused(CORE_RULE_OFFER_CLASS, 4);
	OFFER(.relid = 4, .class = control_device_class_memory, .instance = control_device_instance_memory);
	is_refused(CORE_RULE_OFFER_CLASS, 4);
	assert_int_equal(guest.probes, 0);
	OFFER(.relid = 4, .class = control_device_class_network);
	assert_int_equal(guest.probes, 1);
	guest_end();
}

static void an_ordinary_guest_admits_all(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	policy_defaults(&guest.policy, false);
	connect_with(SIM_PLAIN);
	OFFER(.relid = 4);
	OFFER(.relid = 5, .class = control_device_class_memory, .instance = control_device_instance_memory);
	is_taken(5);
	guest_end();
}

static void a_device_is_offered_once(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 1);
	OFFER(.relid = 2);
	is_refused(CORE_RULE_OFFER_DUPLICATE, 2);
	assert_int_equal(guest.probed->primary->relid, 1);
	assert_int_equal(guest.probes, 1);
	guest_end();
}

static void an_instance_belongs_to_one_class(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 1);
	OFFER(.relid = 2, .class = control_device_class_scsi);
	is_refused(CORE_RULE_OFFER_INSTANCE, 2);
	guest_end();
}

static void some_classes_have_one_instance(void **unused)
{
	static const struct { const u8 *class, *instance; bool pipe; } ones[] = {
		{ control_device_class_video, control_device_instance_video, false },
		{ control_device_class_keyboard, control_device_instance_keyboard, false },
		{ control_device_class_mouse, control_device_instance_mouse, true },
		{ control_device_class_key_value, control_device_instance_key_value, true },
		{ control_device_class_time_sync, control_device_instance_time_sync, true },
		{ control_device_class_heartbeat, control_device_instance_heartbeat, true },
		{ control_device_class_shutdown, control_device_instance_shutdown, true },
		{ control_device_class_file_copy, control_device_instance_file_copy, true },
		{ control_device_class_backup, control_device_instance_backup, true },
		{ control_device_class_memory, control_device_instance_memory, false },
	};
	u32 i;

	(void)unused;
	connected(SIM_SNP);
	for (i = 0; i < ARRAY_SIZE(ones); i++) {
		struct said o = { .relid = 100, .class = ones[i].class, .user[0] = 4 };

		o.flags = ones[i].pipe ? CONTROL_CHANNEL_FLAG_PIPE : 0;
		offer(&o);
		is_refused(CORE_RULE_OFFER_INSTANCE, 100);
		o.relid = i + 1;
		o.instance = ones[i].instance;
		offer(&o);
		assert_int_equal(guest.probes, i + 1);
	}
	guest_end();
}

static void pipes_are_pipes_and_others_are_not(void **unused)
{
	static const struct { const u8 *class, *instance; bool pipe; } wrong[] = {
		{ control_device_class_ide, NULL, true },
		{ control_device_class_scsi, NULL, true },
		{ control_device_class_fibre_channel, NULL, true },
		{ control_device_class_network, NULL, true },
		{ control_device_class_network_direct, NULL, true },
		{ control_device_class_pci, NULL, true },
		{ control_device_class_keyboard, control_device_instance_keyboard, true },
		{ control_device_class_memory, control_device_instance_memory, true },
		{ control_device_class_key_value, control_device_instance_key_value, false },
		{ control_device_class_time_sync, control_device_instance_time_sync, false },
		{ control_device_class_heartbeat, control_device_instance_heartbeat, false },
		{ control_device_class_shutdown, control_device_instance_shutdown, false },
		{ control_device_class_file_copy, control_device_instance_file_copy, false },
		{ control_device_class_backup, control_device_instance_backup, false },
	};
	u32 i;

	(void)unused;
	connected(SIM_SNP);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct said o = { .relid = i + 1, .class = wrong[i].class, .instance = wrong[i].instance };

		o.flags = wrong[i].pipe ? CONTROL_CHANNEL_FLAG_PIPE : 0;
		offer(&o);
		is_refused(CORE_RULE_OFFER_PIPE, i + 1);
	}
	guest_end();
}

static void mapped_space_is_bounded(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 1, .mmio = 65);
	is_refused(CORE_RULE_OFFER_MMIO, 1);
	OFFER(.relid = 1, .class = control_device_class_video, .instance = control_device_instance_video, .mmio = 257);
	is_refused(CORE_RULE_OFFER_MMIO, 1);
	OFFER(.relid = 1, .class = control_device_class_pci, .mmio = 4097);
	is_refused(CORE_RULE_OFFER_MMIO, 1);
	OFFER(.relid = 1, .class = control_device_class_video, .instance = control_device_instance_video, .mmio = 256);
	assert_int_equal(guest.probes, 1);
	guest_end();
}

static void channels_are_limited_in_all(void **unused)
{
	u8 instance[GUID_BYTES] = { 0 };
	u32 relid;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.channels_max = 3;
	connect_with(SIM_SNP);
	for (relid = 1; relid <= 4; relid++) {
		instance[0] = (u8)relid;
		OFFER(.relid = relid, .instance = instance);
	}
	is_refused(CORE_RULE_OFFER_LIMIT, 4);
	assert_int_equal(guest.probes, 3);
	/* One goes, one may come. */
	say(RESCIND, 2);
	OFFER(.relid = 4, .instance = instance);
	assert_int_equal(guest.probes, 4);
	guest_end();
}

static void devices_are_limited_by_class(void **unused)
{
	u8 instance[GUID_BYTES] = { 0 };
	u32 relid;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.devices_per_class = 2;
	connect_with(SIM_SNP);
	for (relid = 1; relid <= 3; relid++) {
		instance[0] = (u8)relid;
		OFFER(.relid = relid, .instance = instance);
	}
	is_refused(CORE_RULE_OFFER_LIMIT, 3);
	OFFER(.relid = 3, .instance = instance, .class = control_device_class_scsi);
	assert_int_equal(guest.probes, 3);
	guest_end();
}

static void offers_are_limited_in_rate(void **unused)
{
	u32 i;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.offers.burst = 4;
	guest.policy.offers.per_second = 2;
	connect_with(SIM_SNP);
	for (i = 0; i < 4; i++) {
		OFFER(.relid = 7);
		assert_int_equal(guest.probes, i + 1);
		say(RESCIND, 7);
	}
	assert_int_equal(heard_count, 4);
	OFFER(.relid = 7);
	assert_int_equal(broken(CORE_RULE_OFFER_RATE), 1);
	assert_int_equal(heard_count, 4);		/* its relid is held back */
	OFFER(.relid = 7);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OFFER_STATE), 1);
	shim_run(900);
	assert_int_equal(heard_count, 4);
	shim_run(200);
	assert_int_equal(heard_count, 5);
	/* One token in half a second, never more than the burst. */
	OFFER(.relid = 7);
	assert_int_equal(guest.probes, 5);
	say(RESCIND, 7);
	shim_run(60000);
	assert_int_equal(guest.connection.offer_tokens <= 4, 1);
	for (i = 0; i < 5; i++) {
		OFFER(.relid = 8);
		say(RESCIND, 8);
	}
	assert_int_equal(guest.probes, 9);
	assert_int_equal(broken(CORE_RULE_OFFER_RATE), 2);
	guest_end();
}

static void memory_that_runs_out_costs_the_offer(void **unused)
{
	u8 m[OFFER_BYTES];
	u32 nth;

	(void)unused;
	connected(SIM_SNP);
	fill_offer(m, &(struct said){ .relid = 6 });
	for (nth = 1; nth <= 2; nth++) {
		host_post(guest.host, m, sizeof(m));
		shim_fail_allocations(nth, 0);
		shim_run(10);
		shim_fail_allocations(0, 0);
		is_refused(CORE_RULE_MESSAGE_NO_MEMORY, 6);
		assert_true(list_empty(&guest.connection.devices));
	}
	offer(&(struct said){ .relid = 6 });
	assert_int_equal(guest.probes, 1);
	guest_end();
}

/* ---- privacy ---- */

static void private_channels_have_to_be_granted(void **unused)
{
	(void)unused;
	connected(SIM_TDX);
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING);
	assert_int_equal(broken_control(CONTROL_RULE_OFFER_RING_GRANTED), 1);
	assert_int_equal(guest.probes, 0);
	guest_end();
}

static void demanded_privacy_is_demanded_of_each_channel(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.host->features = CONTROL_FEATURE_CONFIDENTIAL;
	guest.policy.confidential_required = true;
	connect_with(SIM_TDX);
	OFFER(.relid = 1);
	is_refused(CORE_RULE_OFFER_PRIVACY, 1);
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING);
	assert_int_equal(guest.probes, 1);
	guest_end();
}

/* ---- monitors ---- */

static void a_monitor_needs_a_page(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 1, .monitor = 0x100 + 5);
	assert_int_equal(broken(CORE_RULE_MONITOR_PAGE), 1);
	assert_int_equal(guest.probed->primary->monitor, NO_MONITOR);
	guest_end();

	connected(SIM_PLAIN);
	OFFER(.relid = 1, .monitor = 0x100 + 127);
	is_taken(1);
	assert_int_equal(guest.probed->primary->monitor, 127);
	guest_end();
}

static void a_monitor_without_the_page_of_old_needs_version_5(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.policy.version_ceiling = CONTROL_VERSION_4_1;
	connect_with(SIM_PLAIN);
	assert_int_equal(guest.host->monitor_pages[0], 0);
	OFFER(.relid = 1, .monitor = 0x100 + 5);
	assert_int_equal(guest.probed->primary->monitor, NO_MONITOR);
	guest_end();
}

/* ---- sockets ---- */

static void sockets_are_refused_where_there_are_none(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_HVSOCK, .user[4] = 1);
	is_refused(CORE_RULE_OFFER_STREAM, 1);
	guest_end();
}

static void a_socket_is_no_device_and_was_asked_for(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.hvsock = true;
	connect_with(SIM_SNP);
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_HVSOCK, .user[4] = 1, .class = control_device_class_scsi);
	is_refused(CORE_RULE_OFFER_STREAM, 1);
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_HVSOCK);
	is_refused(CORE_RULE_OFFER_STREAM, 1);
	guest.connection.stream_requests = 1;
	OFFER(.relid = 1, .flags = CONTROL_CHANNEL_FLAG_HVSOCK);
	assert_int_equal(guest.probes, 1);
	assert_int_equal(guest.connection.stream_requests, 0);
	assert_int_equal(guest.probed->primary->user[0], 0);
	OFFER(.relid = 2, .flags = CONTROL_CHANNEL_FLAG_HVSOCK, .instance = plain_class, .user[4] = 1);
	assert_int_equal(guest.probes, 2);
	assert_int_equal(guest.probed->primary->user[0], 1);
	guest_end();
}

/* ---- moments ---- */

static void offers_are_heard_only_when_asked_for(void **unused)
{
	(void)unused;
	connected(SIM_SNP);
	guest.connection.leaving = true;
	OFFER(.relid = 1);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_OFFER_STATE), 1);
	guest.connection.leaving = false;
	guest.connection.suspended = true;
	OFFER(.relid = 1);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_OFFER_STATE), 2);
	say(RESCIND, 1);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_RESCIND_STATE), 1);
	guest.connection.suspended = false;
	assert_int_equal(heard_count, 0);
	airlock_disconnect(&guest.connection);
	OFFER(.relid = 1);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_OFFER_STATE), 3);
	guest_end();
}

/* While the driver of another one waits for its host, nothing else is added or removed. */
static void a_device_rescinded_before_it_was_added_never_is(void **unused)
{
	u8 instance[GUID_BYTES] = "another one";

	(void)unused;
	connected(SIM_SNP);
	guest.keep_closed = false;
	script("on open_result: drop");
	guest.end = host_offer(guest.host, &guest.device, 0);
	shim_run(10);
	assert_int_equal(guest.probes, 1);
	OFFER(.relid = 300, .instance = instance);
	say(RESCIND, 300);
	assert_int_equal(heard_count, 0);
	shim_run(guest.policy.open_deadline);
	assert_int_equal(guest.opened, -ETIMEDOUT);
	assert_int_equal(guest.probes, 1);
	assert_int_equal(heard_count, 1);
	assert_int_equal(wire_le32(heard_message + 8), 300);
	assert_null(guest.connection.channels[300]);
	guest_end();
}

/* ---- sub-channels: of a device that the host really has ---- */

static struct host_channel *sub_end[8];

static void with_subchannels(u16 wanted)
{
	guest_prepare(SIM_SNP);
	guest.wanted = wanted;
	guest.grow = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(guest.opened, 0);
	listen_for(CONTROL_MESSAGE_TYPE_RELID_RELEASED);
}

static void grow(u16 index)
{
	sub_end[index] = host_offer(guest.host, &guest.device, index);
	shim_run(100);
}

static void sub_channels_that_were_asked_for_are_taken(void **unused)
{
	struct airlock_channel *channel;
	u16 index = 1;

	(void)unused;
	with_subchannels(3);
	for (; index <= 3; index++)
		grow(index);
	assert_int_equal(guest.subchannels, 3);
	index = 1;
	list_for_each_entry(channel, &guest.probed->subchannels, node) {
		assert_int_equal(channel->index, index++);
		assert_ptr_equal(channel->device, guest.probed);
		assert_true(round_trip(channel));
	}
	assert_int_equal(guest.connection.violations.total, 0);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
	assert_int_equal(guest.subchannels_gone, 3);
}

static void a_surplus_is_refused(void **unused)
{
	(void)unused;
	with_subchannels(0);
	grow(1);
	is_refused(CORE_RULE_OFFER_SURPLUS, sub_end[1]->relid);
	airlock_subchannels_wanted(guest.probed, 1);
	grow(1);
	assert_int_equal(guest.subchannels, 1);
	grow(2);
	assert_int_equal(broken(CORE_RULE_OFFER_SURPLUS), 1);
	assert_int_equal(guest.subchannels, 1);
	guest_end();
}

static void what_is_wanted_is_bounded_by_the_policy(void **unused)
{
	(void)unused;
	with_subchannels(0);
	airlock_subchannels_wanted(guest.probed, 1000);
	assert_int_equal(guest.probed->subchannels_wanted, guest.policy.subchannels_max);
	guest_end();
}

static void an_index_is_used_once_and_not_beyond_what_was_asked(void **unused)
{
	(void)unused;
	with_subchannels(3);
	grow(2);
	assert_int_equal(guest.subchannels, 1);
	OFFER(.relid = 500, .index = 2);
	is_refused(CORE_RULE_OFFER_INDEX, 500);
	OFFER(.relid = 500, .index = 4);
	is_refused(CORE_RULE_OFFER_INDEX, 500);
	OFFER(.relid = 500, .index = 65);
	assert_int_equal(broken_control(CONTROL_RULE_OFFER_SUBCHANNEL_LIMIT), 1);
	grow(3);
	assert_int_equal(guest.subchannels, 2);
	guest_end();
}

static void a_sub_channel_is_like_its_device(void **unused)
{
	(void)unused;
	with_subchannels(3);
	OFFER(.relid = 500, .index = 1, .flags = CONTROL_CHANNEL_FLAG_PIPE, .user[0] = 4);
	is_refused(CORE_RULE_OFFER_PRIVACY, 500);
	OFFER(.relid = 500, .index = 1, .class = control_device_class_scsi);
	is_refused(CORE_RULE_OFFER_NO_PRIMARY, 500);
	guest_end();
}

static void a_sub_channel_needs_a_device(void **unused)
{
	u8 instance[GUID_BYTES] = "another one";

	(void)unused;
	with_subchannels(3);
	OFFER(.relid = 500, .index = 1, .instance = instance);
	is_refused(CORE_RULE_OFFER_NO_PRIMARY, 500);
	guest_end();
}

static void a_sub_channel_needs_an_open_device(void **unused)
{
	(void)unused;
	with_subchannels(3);
	airlock_channel_close(primary());
	OFFER(.relid = 500, .index = 1);
	is_refused(CORE_RULE_OFFER_NO_PRIMARY, 500);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), 0);
	airlock_quarantine(primary());
	OFFER(.relid = 500, .index = 1);
	is_refused(CORE_RULE_OFFER_NO_PRIMARY, 500);
	guest_end();
}

static void one_sub_channel_can_go_and_come_back(void **unused)
{
	(void)unused;
	with_subchannels(2);
	grow(1);
	grow(2);
	host_rescind(guest.host, sub_end[1]);
	shim_run(100);
	assert_int_equal(guest.subchannels_gone, 1);
	assert_int_equal(guest.removes, 0);
	assert_int_equal(heard_count, 1);
	assert_true(list_is_singular(&guest.probed->subchannels));
	grow(1);
	assert_int_equal(guest.subchannels, 3);
	assert_true(round_trip(primary()));
	guest_end();
}

static void sub_channels_go_before_their_device(void **unused)
{
	(void)unused;
	with_subchannels(2);
	grow(1);
	grow(2);
	host_rescind(guest.host, guest.end);
	shim_run(100);
	assert_int_equal(guest.subchannels_gone, 2);	/* that none was later, the driver has seen to */
	assert_int_equal(guest.removes, 1);
	host_rescind(guest.host, sub_end[1]);
	host_rescind(guest.host, sub_end[2]);
	shim_run(100);
	assert_int_equal(heard_count, 3);
	assert_int_equal(guest.connection.channel_count, 0);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

static void a_driver_may_know_of_no_sub_channels(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.simple = true;
	guest.wanted = 1;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	grow(1);
	assert_int_equal(guest.connection.channel_count, 2);
	assert_int_equal(guest.subchannels, 0);
	host_rescind(guest.host, sub_end[1]);
	shim_run(100);
	assert_int_equal(guest.connection.channel_count, 1);
	assert_int_equal(guest.subchannels_gone, 0);
	guest_end();
}

/* A token takes half a second, however often it is asked for. */
static void impatience_does_not_cost_tokens(void **unused)
{
	u8 instance[GUID_BYTES] = { 0 };
	u32 relid = 1;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.offers.burst = 1;
	guest.policy.offers.per_second = 2;
	connect_with(SIM_SNP);
	for (; relid <= 14; relid++) {
		instance[0] = (u8)relid;
		OFFER(.relid = relid, .instance = instance);
		shim_run(90);
	}
	assert_int_equal(guest.probes, 3);
	assert_int_equal(broken(CORE_RULE_OFFER_RATE), 11);
	/* Nor do relids that were held back get lost. */
	shim_run(1000);
	assert_int_equal(heard_count, 11);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_becomes_a_device),
		cmocka_unit_test(the_user_area_of_a_pipe_is_kept_whole),
		cmocka_unit_test(a_device_the_bus_does_not_want_is_given_back),
		cmocka_unit_test(devices_come_in_the_order_of_their_offers),
		cmocka_unit_test(numbers_without_an_event_flag_are_refused),
		cmocka_unit_test(a_number_in_use_is_refused_and_kept),
		cmocka_unit_test(a_number_that_is_not_given_back_yet_is_refused),
		cmocka_unit_test(a_refused_number_is_in_use_until_it_is_given_back),
		cmocka_unit_test(classes_that_are_not_admitted_are_refused),
		cmocka_unit_test(an_ordinary_guest_admits_all),
		cmocka_unit_test(a_device_is_offered_once),
		cmocka_unit_test(an_instance_belongs_to_one_class),
		cmocka_unit_test(some_classes_have_one_instance),
		cmocka_unit_test(pipes_are_pipes_and_others_are_not),
		cmocka_unit_test(mapped_space_is_bounded),
		cmocka_unit_test(channels_are_limited_in_all),
		cmocka_unit_test(devices_are_limited_by_class),
		cmocka_unit_test(offers_are_limited_in_rate),
		cmocka_unit_test(memory_that_runs_out_costs_the_offer),
		cmocka_unit_test(private_channels_have_to_be_granted),
		cmocka_unit_test(demanded_privacy_is_demanded_of_each_channel),
		cmocka_unit_test(a_monitor_needs_a_page),
		cmocka_unit_test(a_monitor_without_the_page_of_old_needs_version_5),
		cmocka_unit_test(sockets_are_refused_where_there_are_none),
		cmocka_unit_test(a_socket_is_no_device_and_was_asked_for),
		cmocka_unit_test(offers_are_heard_only_when_asked_for),
		cmocka_unit_test(a_device_rescinded_before_it_was_added_never_is),
		cmocka_unit_test(sub_channels_that_were_asked_for_are_taken),
		cmocka_unit_test(a_surplus_is_refused),
		cmocka_unit_test(what_is_wanted_is_bounded_by_the_policy),
		cmocka_unit_test(an_index_is_used_once_and_not_beyond_what_was_asked),
		cmocka_unit_test(a_sub_channel_is_like_its_device),
		cmocka_unit_test(a_sub_channel_needs_a_device),
		cmocka_unit_test(a_sub_channel_needs_an_open_device),
		cmocka_unit_test(one_sub_channel_can_go_and_come_back),
		cmocka_unit_test(sub_channels_go_before_their_device),
		cmocka_unit_test(a_driver_may_know_of_no_sub_channels),
		cmocka_unit_test(impatience_does_not_cost_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
