/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Suspend and resume: what comes back has to be what it was, and the rest is gone.
 */
#include <linux/delay.h>

#include "guest.h"

static struct host_channel *sub_end;

static u8 state(void)
{
	return guest.connection.session.at.state;
}

/* Suspended, with the host's device gone with the connection; the test says what is offered on resume. */
static void suspended(enum sim_kind kind)
{
	guest_start(kind);
	assert_true(round_trip(primary()));
	airlock_channel_close(primary());
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
	assert_int_equal(guest.connection.channel_count, 0);
	assert_int_equal(primary()->relid, 0);
	assert_int_equal(guest.removes, 0);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), -ENODEV);
}

static int resume(void)
{
	int error = airlock_resume(&guest.connection);

	shim_run(100);
	return error;
}

static void a_device_comes_back_as_the_same(void **unused)
{
	struct airlock_device *device;

	(void)unused;
	suspended(SIM_SNP);
	device = guest.probed;
	assert_int_equal(resume(), 0);
	assert_int_equal(guest.probes, 1);
	assert_int_equal(guest.removes, 0);
	assert_ptr_equal(guest.probed, device);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), 0);
	assert_true(round_trip(primary()));
	assert_int_equal(guest.connection.violations.total, 0);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

static bool renumber(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] == CONTROL_MESSAGE_TYPE_OFFER) {
		wire_put_le32(m->bytes + 184, 900);
		wire_put_le32(m->bytes + 192, 0x123456);
	}
	return true;
}

static void its_numbers_are_taken_anew(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	guest.host->hooks.outgoing = renumber;
	assert_int_equal(resume(), 0);
	assert_int_equal(primary()->relid, 900);
	assert_int_equal(primary()->signal_id, 0x123456);
	assert_ptr_equal(guest.connection.channels[900], primary());
	guest_end();
}

static void a_device_that_does_not_come_back_is_removed(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	script("on offer: drop");
	assert_int_equal(airlock_resume(&guest.connection), 0);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), -ENODEV);
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	assert_true(list_empty(&guest.connection.devices));
	guest_end();
}

static u8 changed_at, changed_to;

static bool change(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] == CONTROL_MESSAGE_TYPE_OFFER)
		m->bytes[changed_at] ^= changed_to;
	return true;
}

static void comes_back_changed(u8 at, u8 bits, enum core_rule rule)
{
	suspended(SIM_SNP);
	changed_at = at;
	changed_to = bits;
	guest.host->hooks.outgoing = change;
	assert_int_equal(resume(), 0);
	assert_int_equal(broken(rule), 1);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void what_comes_back_must_be_what_it_was(void **unused)
{
	(void)unused;
	comes_back_changed(8, 0xff, CORE_RULE_OFFER_INSTANCE);	/* its class */
	comes_back_changed(56, 1, CORE_RULE_OFFER_PRIVACY);	/* its flags */
}

static void so_must_the_mode_of_a_pipe(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.device.flags = CONTROL_CHANNEL_FLAG_PIPE;
	guest.keep_closed = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	changed_at = 60;
	changed_to = CONTROL_PIPE_MODE_MESSAGES;
	guest.host->hooks.outgoing = change;
	assert_int_equal(resume(), 0);
	assert_int_equal(broken(CORE_RULE_OFFER_PIPE), 1);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void only_a_resume_brings_devices_back(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	assert_int_equal(resume(), 0);
	changed_at = 184;
	changed_to = 64;			/* another relid */
	say(ALL_OFFERS);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_ALL_OFFERS_STATE), 1);
	guest.end = NULL;
	assert_false(guest.connection.resuming);
	guest_end();
}

static void a_new_device_may_come_with_them(void **unused)
{
	static struct host_device other;

	(void)unused;
	suspended(SIM_SNP);
	other = guest.device;
	other.instance[0] = 'T';
	host_offer(guest.host, &other, 0);
	assert_int_equal(resume(), 0);
	assert_int_equal(guest.probes, 2);
	guest_end();
}

static void sleep_work(struct work_struct *work)
{
	(void)work;
	msleep(50);
}

/* It was heard, and nobody above knows of it yet: it is as if it had never been offered. */
static void a_device_offered_right_before_a_suspend_comes_with_the_resume(void **unused)
{
	static struct host_device other;
	struct work_struct busy;

	(void)unused;
	guest_start(SIM_SNP);
	airlock_channel_close(primary());
	INIT_WORK(&busy, sleep_work);
	queue_work(guest.connection.queue, &busy);
	shim_run(10);
	other = guest.device;
	other.instance[0] = 'T';
	host_offer(guest.host, &other, 0);
	shim_run(10);
	assert_int_equal(guest.connection.channel_count, 2);
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	assert_int_equal(guest.probes, 1);
	assert_int_equal(guest.connection.channel_count, 0);
	assert_int_equal(resume(), 0);
	assert_int_equal(guest.probes, 2);
	assert_int_equal(guest.removes, 0);
	assert_int_equal(guest.connection.channel_count, 2);
	guest_end();
}

static void sub_channels_do_not_outlive_a_suspend(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.wanted = 2;
	guest.grow = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	sub_end = host_offer(guest.host, &guest.device, 1);
	shim_run(100);
	assert_int_equal(guest.subchannels, 1);
	airlock_channel_close(primary());
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	assert_int_equal(guest.subchannels_gone, 1);
	assert_true(list_empty(&guest.probed->subchannels));
	assert_int_equal(guest.probed->subchannels_wanted, 0);
	guest_end();
}

static void what_is_open_cannot_be_suspended(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(airlock_suspend(&guest.connection), -EBUSY);
	assert_false(guest.connection.suspended);
	assert_true(round_trip(primary()));
	assert_int_equal(airlock_resume(&guest.connection), -EINVAL);
	guest_end();
}

static void a_suspended_guest_does_not_connect(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	assert_int_equal(guest_connect(), -EBUSY);
	assert_int_equal(airlock_suspend(&guest.connection), -EBUSY);
	guest_end();
}

static void a_dead_connection_is_not_suspended(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	airlock_kill_connection(&guest.connection);
	assert_int_equal(airlock_suspend(&guest.connection), -EPIPE);
	guest_end();
}

static void a_host_that_does_not_let_go_is_dead(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	airlock_channel_close(primary());
	script("on unload_response: drop");
	assert_int_equal(airlock_suspend(&guest.connection), -ETIMEDOUT);
	assert_int_equal(airlock_resume(&guest.connection), -EPIPE);
	guest_end();
}

static void no_other_version_is_resumed(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	guest.host->versions[0] = CONTROL_VERSION_5_3;
	guest.host->version_count = 1;
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(resume(), -EPROTONOSUPPORT);
	assert_int_equal(heard_count, 1);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void no_fewer_features_are_resumed(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.host->features = CONTROL_FEATURE_CONFIDENTIAL;
	guest.keep_closed = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	guest.host->features = 0;
	listen_for(CONTROL_MESSAGE_TYPE_UNLOAD);
	assert_int_equal(resume(), -EPROTO);
	assert_int_equal(broken(CORE_RULE_VERSION_FEATURES), 1);
	assert_int_equal(heard_count, 1);
	assert_int_equal(guest.removes, 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
	guest_end();
}

static void a_suspended_guest_can_leave(void **unused)
{
	(void)unused;
	suspended(SIM_SNP);
	airlock_disconnect(&guest.connection);
	assert_int_equal(guest.removes, 1);
	assert_int_equal(guest_connect(), 0);
	guest_end();
}

static void nothing_of_an_ordinary_guest_is_lost(void **unused)
{
	(void)unused;
	suspended(SIM_PLAIN);
	assert_int_equal(resume(), 0);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), 0);
	assert_true(round_trip(primary()));
	assert_int_equal(guest.host->monitor_pages[0], hostmem_gfn(&guest.connection.monitors, 0));
	guest_end();
}

static void all_that_do_not_come_back_are_removed(void **unused)
{
	static struct host_device other;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.keep_closed = true;
	other = guest.device;
	other.instance[0] = 'T';
	guest.end = host_offer(guest.host, &guest.device, 0);
	host_offer(guest.host, &other, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(guest.probes, 2);
	assert_int_equal(airlock_suspend(&guest.connection), 0);
	script("on offer: drop");
	assert_int_equal(resume(), 0);
	assert_int_equal(guest.removes, 2);
	assert_true(list_empty(&guest.connection.devices));
	guest_end();
}

static void a_queue_without_room_is_the_end(void **unused)
{
	LIST_HEAD(kept);

	(void)unused;
	suspended(SIM_SNP);
	list_splice_init(&guest.connection.free_events, &kept);
	script("on offer: drop");
	assert_int_equal(resume(), 0);
	assert_true(guest.connection.dead);
	list_splice_init(&kept, &guest.connection.free_events);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_comes_back_as_the_same),
		cmocka_unit_test(its_numbers_are_taken_anew),
		cmocka_unit_test(a_device_that_does_not_come_back_is_removed),
		cmocka_unit_test(what_comes_back_must_be_what_it_was),
		cmocka_unit_test(so_must_the_mode_of_a_pipe),
		cmocka_unit_test(only_a_resume_brings_devices_back),
		cmocka_unit_test(a_new_device_may_come_with_them),
		cmocka_unit_test(a_device_offered_right_before_a_suspend_comes_with_the_resume),
		cmocka_unit_test(sub_channels_do_not_outlive_a_suspend),
		cmocka_unit_test(what_is_open_cannot_be_suspended),
		cmocka_unit_test(a_suspended_guest_does_not_connect),
		cmocka_unit_test(a_dead_connection_is_not_suspended),
		cmocka_unit_test(a_host_that_does_not_let_go_is_dead),
		cmocka_unit_test(no_other_version_is_resumed),
		cmocka_unit_test(no_fewer_features_are_resumed),
		cmocka_unit_test(a_suspended_guest_can_leave),
		cmocka_unit_test(nothing_of_an_ordinary_guest_is_lost),
		cmocka_unit_test(all_that_do_not_come_back_are_removed),
		cmocka_unit_test(a_queue_without_room_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
