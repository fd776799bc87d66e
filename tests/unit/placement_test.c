/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where channels interrupt: spread at first, moved on request by whatever means the version
 * has, and away from a processor before it goes.
 */
#include "guest.h"

static void start_version(u32 ceiling)
{
	guest_prepare(SIM_PLAIN);
	guest.policy.version_ceiling = ceiling;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(guest.opened, 0);
	assert_int_equal(primary()->cpu, 0);
}

static void busy_classes_are_spread(void **unused)
{
	static struct host_device disks[6];
	struct airlock_device *device;
	u32 i, cpu = 0;

	(void)unused;
	guest_prepare(SIM_SNP);
	for (i = 0; i < ARRAY_SIZE(disks); i++) {
		disks[i] = guest.device;
		memcpy(disks[i].class, control_device_class_scsi, GUID_BYTES);
		disks[i].instance[0] = (u8)i;
		host_offer(guest.host, &disks[i], 0);
	}
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	list_for_each_entry(device, &guest.connection.devices, node) {
		assert_int_equal(device->primary->cpu, cpu % CPUS);
		assert_int_equal(host_find(guest.host, device->primary->relid)->target_vp, cpu++ % CPUS);
	}
	assert_int_equal(cpu, ARRAY_SIZE(disks));
	guest_end();
}

static void the_others_are_not(void **unused)
{
	u8 any[GUID_BYTES] = "no known class";

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(placement_first(&guest.connection, any), 0);
	assert_int_equal(placement_first(&guest.connection, control_device_class_keyboard), 0);
	assert_int_equal(placement_first(&guest.connection, control_device_class_network), 0);
	assert_int_equal(placement_first(&guest.connection, control_device_class_network), 1);
	guest_end();
}

static void before_2_4_there_is_one_processor(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.policy.version_floor = CONTROL_VERSION_1_1;
	guest.policy.version_ceiling = CONTROL_VERSION_1_1;
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(placement_first(&guest.connection, control_device_class_network), 0);
	assert_int_equal(placement_first(&guest.connection, control_device_class_network), 0);
	guest_end();
}

static void a_channel_moves_when_the_host_says_so(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	assert_int_equal(primary()->cpu, 2);
	assert_int_equal(primary()->old_cpu, NO_CPU);
	assert_int_equal(guest.end->target_vp, 2);
	assert_true(round_trip(primary()));
	assert_int_equal(airlock_channel_move(primary(), CPUS), -EINVAL);
	assert_int_equal(airlock_channel_move(primary(), 1), 0);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static void and_stays_when_it_refuses(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	script("on modify_response 1: set 12 32 0x80000001");
	assert_int_equal(airlock_channel_move(primary(), 2), -EIO);
	assert_int_equal(primary()->cpu, 0);
	assert_int_equal(primary()->old_cpu, NO_CPU);
	assert_int_equal(broken(CORE_RULE_STATUS_FAILED), 1);
	assert_int_equal(airlock_channel_move(primary(), 1), 0);
	guest_end();
}

static void either_processor_counts_when_it_says_neither(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	script("on modify_response 1: set 12 32 0x1");
	assert_int_equal(airlock_channel_move(primary(), 2), -EPROTO);
	assert_int_equal(primary()->cpu, 0);
	assert_int_equal(primary()->old_cpu, 2);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), -EBUSY);
	guest_end();
}

static void without_an_answer_there_is_no_second_question(void **unused)
{
	u64 began;

	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	script("on modify_response 1: delay 6000");
	began = shim_now();
	assert_int_equal(airlock_channel_move(primary(), 2), -EBUSY);
	assert_int_equal(shim_now() - began, guest.policy.modify_deadline);
	assert_int_equal(primary()->cpu, 0);
	assert_int_equal(primary()->old_cpu, 2);
	listen_for(CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL);
	assert_int_equal(airlock_channel_move(primary(), 3), -EBUSY);
	assert_int_equal(heard_count, 0);
	/* The late answer is the answer. */
	shim_run(2000);
	assert_int_equal(primary()->cpu, 2);
	assert_int_equal(primary()->old_cpu, NO_CPU);
	assert_int_equal(airlock_channel_move(primary(), 3), 0);
	guest_end();
}

static void answers_nobody_asked_for_move_nothing(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	say(MODIFY_RESPONSE, primary()->relid, 0);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_MODIFY_RESPONSE_UNSOLICITED), 1);
	assert_int_equal(primary()->cpu, 0);
	guest_end();
}

static void a_rescind_ends_a_move(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	script("on modify_channel: rescind plain; never");
	assert_int_equal(airlock_channel_move(primary(), 2), -ENODEV);
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void before_5_3_it_is_never_known(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_2);
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	assert_int_equal(primary()->cpu, 2);
	assert_int_equal(primary()->old_cpu, 0);
	shim_run(10);
	assert_int_equal(guest.end->target_vp, 2);
	assert_int_equal(airlock_channel_move(primary(), 3), 0);
	assert_int_equal(primary()->old_cpu, 2);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), -EBUSY);
	/* The next open is a new start. */
	airlock_channel_close(primary());
	assert_int_equal(airlock_channel_open(primary(), &guest.config), 0);
	assert_int_equal(primary()->old_cpu, NO_CPU);
	assert_int_equal(guest.end->target_vp, 3);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), 0);
	guest_end();
}

static void before_4_1_nothing_moves(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_4_0);
	listen_for(CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL);
	assert_int_equal(airlock_channel_move(primary(), 2), -EOPNOTSUPP);
	assert_int_equal(heard_count, 0);
	assert_int_equal(primary()->cpu, 0);
	guest_end();
}

static void a_closed_channel_is_not_moved(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	airlock_channel_close(primary());
	assert_int_equal(airlock_channel_move(primary(), 2), -EBUSY);
	airlock_quarantine(primary());
	assert_int_equal(airlock_channel_move(primary(), 2), -ENODEV);
	guest_end();
}

static void the_processor_with_the_messages_stays(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 0), -EBUSY);
	airlock_disconnect(&guest.connection);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 0), 0);
	guest_end();
}

static void channels_leave_a_processor_that_goes(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), 0);
	assert_int_equal(primary()->cpu, 0);
	assert_int_equal(guest.end->target_vp, 0);
	airlock_channel_close(primary());
	primary()->cpu = 3;
	listen_for(CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 3), 0);
	assert_int_equal(heard_count, 0);
	assert_int_equal(primary()->cpu, 0);
	guest_end();
}

static void a_processor_stays_if_one_cannot(void **unused)
{
	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	script("on modify_response: drop");
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), -EBUSY);
	guest_end();
}

static void what_was_set_before_is_still_delivered(void **unused)
{
	u64 events;

	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	events = primary()->events;
	host_store32(guest.transport->ops->flags(guest.transport, 2), 1U << primary()->relid);
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), 0);
	assert_int_equal(primary()->events, events + 1);
	guest_end();
}

static u32 sets;

static bool set_again(struct host *h, void *argument)
{
	(void)h;
	(void)argument;
	sets++;
	host_store32(guest.transport->ops->flags(guest.transport, 2), 2);
	return false;
}

static void flags_without_end_are_not_waited_for(void **unused)
{
	u64 began;

	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	guest.host->hooks.running = set_again;
	host_store32(guest.transport->ops->flags(guest.transport, 2), 2);
	began = shim_now();
	assert_int_equal(airlock_cpu_offline(&guest.connection, 2), -EBUSY);
	assert_in_range(shim_now() - began, 20, 40);
	assert_true(sets > 2);
	guest_end();
}

static u32 nowhere(struct transport *t, u32 cpu)
{
	(void)t;
	(void)cpu;
	return ~0U;
}

static void a_processor_without_a_number_is_no_place(void **unused)
{
	const struct transport_ops *honest;
	struct transport_ops ops;

	(void)unused;
	start_version(CONTROL_VERSION_5_3);
	honest = guest.transport->ops;
	ops = *honest;
	ops.vp = nowhere;
	guest.transport->ops = &ops;
	listen_for(CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL);
	assert_int_equal(airlock_channel_move(primary(), 2), -EBUSY);
	assert_int_equal(heard_count, 0);
	guest.transport->ops = honest;
	assert_int_equal(airlock_channel_move(primary(), 2), 0);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy_classes_are_spread),
		cmocka_unit_test(the_others_are_not),
		cmocka_unit_test(before_2_4_there_is_one_processor),
		cmocka_unit_test(a_channel_moves_when_the_host_says_so),
		cmocka_unit_test(and_stays_when_it_refuses),
		cmocka_unit_test(either_processor_counts_when_it_says_neither),
		cmocka_unit_test(without_an_answer_there_is_no_second_question),
		cmocka_unit_test(answers_nobody_asked_for_move_nothing),
		cmocka_unit_test(a_rescind_ends_a_move),
		cmocka_unit_test(before_5_3_it_is_never_known),
		cmocka_unit_test(before_4_1_nothing_moves),
		cmocka_unit_test(a_closed_channel_is_not_moved),
		cmocka_unit_test(the_processor_with_the_messages_stays),
		cmocka_unit_test(channels_leave_a_processor_that_goes),
		cmocka_unit_test(a_processor_stays_if_one_cannot),
		cmocka_unit_test(what_was_set_before_is_still_delivered),
		cmocka_unit_test(flags_without_end_are_not_waited_for),
		cmocka_unit_test(a_processor_without_a_number_is_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
