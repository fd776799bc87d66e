/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Broken rules: what is counted where, and the four answers a policy can give.
 */
#include "guest.h"

static const u32 rule = CORE_RULE_ID(CORE_RULE_COMPLETION_STALE);

static void start_with(enum policy_answer answer, u32 strikes)
{
	guest_prepare(SIM_SNP);
	guest.policy.answers[OFFENCE_DEVICE] = answer;
	guest.policy.strikes = strikes;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
}

static void offend(struct airlock_channel *channel)
{
	airlock_violation(&guest.connection, channel, rule, OFFENCE_DEVICE);
	shim_run(10);
}

static void each_rule_is_counted_by_itself(void **unused)
{
	struct violations v;
	u32 i, j;

	(void)unused;
	shim_start(false, 1);
	violations_init(&v);
	for (i = 1; i <= 10; i++)
		for (j = 0; j < i; j++)
			violations_add(&v, 1000 + i);
	for (i = 1; i <= 10; i++)
		assert_int_equal(violations_count(&v, 1000 + i), i);
	assert_int_equal(violations_count(&v, 1000), 0);
	assert_int_equal(violations_add(&v, 1001), 56);
	assert_int_equal(v.others, 0);
	shim_stop();
}

static void too_many_kinds_are_counted_together(void **unused)
{
	struct violations v;
	u32 i;

	(void)unused;
	shim_start(false, 1);
	violations_init(&v);
	for (i = 0; i < RULES_SEEN + 7; i++)
		violations_add(&v, i + 1);
	assert_int_equal(v.used, RULES_SEEN);
	assert_int_equal(v.others, 7);
	assert_int_equal(v.total, RULES_SEEN + 7);
	assert_int_equal(violations_count(&v, RULES_SEEN), 1);
	assert_int_equal(violations_count(&v, RULES_SEEN + 1), 0);
	violations_add(&v, RULES_SEEN);
	assert_int_equal(violations_count(&v, RULES_SEEN), 2);
	shim_stop();
}

static void a_channels_are_the_connections_too(void **unused)
{
	(void)unused;
	start_with(POLICY_DROP, 0);
	offend(primary());
	offend(primary());
	offend(NULL);
	assert_int_equal(violations_count(&primary()->violations, rule), 2);
	assert_int_equal(violations_count(&guest.connection.violations, rule), 3);
	assert_int_equal(primary()->violations.dropped, 2);
	assert_false(primary()->dead);
	guest_end();
}

static void some_are_dropped(void **unused)
{
	u32 i;

	(void)unused;
	start_with(POLICY_DROP, 0);
	for (i = 0; i < 3000; i++)
		airlock_violation(&guest.connection, primary(), rule, OFFENCE_DEVICE);
	assert_false(primary()->dead);
	assert_true(round_trip(primary()));
	assert_in_range(shim_log_lines, 1, 99);
	guest_end();
}

static void but_not_too_many_of_one_channel(void **unused)
{
	u32 i;

	(void)unused;
	start_with(POLICY_DROP, 5);
	for (i = 1; i <= 4; i++) {
		offend(primary());
		offend(NULL);
		assert_false(primary()->dead);
	}
	assert_int_equal(guest.dead, 0);
	offend(primary());
	assert_true(primary()->dead);
	assert_int_equal(guest.dead, 1);
	guest_end();
}

static void some_cost_the_channel(void **unused)
{
	(void)unused;
	start_with(POLICY_QUARANTINE, 0);
	offend(NULL);				/* there is none to put away */
	assert_true(round_trip(primary()));
	offend(primary());
	assert_true(primary()->dead);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(primary()->session.at.state, CONTROL_STATE_CHANNEL_ABANDONED);
	assert_false(guest.connection.dead);
	assert_false(round_trip(primary()));
	/* The host may still take the device back, and bring it again. */
	host_rescind(guest.host, guest.end);
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	guest.end = host_offer(guest.host, &guest.device, 0);
	shim_run(100);
	assert_int_equal(guest.probes, 2);
	assert_true(round_trip(primary()));
	guest_end();
}

static void some_cost_the_connection(void **unused)
{
	(void)unused;
	start_with(POLICY_DISCONNECT, 0);
	listen_for(CONTROL_MESSAGE_TYPE_UNLOAD);
	offend(NULL);
	assert_true(guest.connection.dead);
	assert_true(primary()->dead);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(heard_count, 1);
	guest_end();
}

static void some_cost_everything(void **unused)
{
	(void)unused;
	start_with(POLICY_PANIC, 0);
	assert_false(shim_panicked);
	offend(primary());
	assert_true(shim_panicked);
	guest_end();
}

static void the_answer_is_that_of_the_offence(void **unused)
{
	(void)unused;
	start_with(POLICY_QUARANTINE, 0);
	airlock_violation(&guest.connection, primary(), rule, OFFENCE_PACKET);
	assert_false(primary()->dead);
	guest_end();
}

static void a_note_costs_nothing(void **unused)
{
	u32 i;

	(void)unused;
	guest_prepare(SIM_SNP);
	for (i = 0; i < POLICY_OFFENCES; i++)
		guest.policy.answers[i] = POLICY_PANIC;
	guest.policy.strikes = 1;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	violation_note(&guest.connection, primary(), CORE_RULE_SIGNAL_FAILED);
	assert_int_equal(violations_count(&primary()->violations, CORE_RULE_ID(CORE_RULE_SIGNAL_FAILED)), 1);
	assert_int_equal(broken(CORE_RULE_SIGNAL_FAILED), 1);
	assert_false(primary()->dead);
	assert_false(shim_panicked);
	guest_end();
}

static void ids_of_the_core_are_its_own(void **unused)
{
	u32 i;

	(void)unused;
	for (i = 1; i < CONTROL_RULES; i++)
		assert_int_not_equal(control_rule_ids[i] >> 24, CORE_RULE_ID(0) >> 24);
	for (i = 1; i < RING_RULES; i++)
		assert_int_not_equal(ring_rule_ids[i] >> 24, CORE_RULE_ID(0) >> 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_counted_by_itself),
		cmocka_unit_test(too_many_kinds_are_counted_together),
		cmocka_unit_test(a_channels_are_the_connections_too),
		cmocka_unit_test(some_are_dropped),
		cmocka_unit_test(but_not_too_many_of_one_channel),
		cmocka_unit_test(some_cost_the_channel),
		cmocka_unit_test(some_cost_the_connection),
		cmocka_unit_test(some_cost_everything),
		cmocka_unit_test(the_answer_is_that_of_the_offence),
		cmocka_unit_test(a_note_costs_nothing),
		cmocka_unit_test(ids_of_the_core_are_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
