/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connection: versions and features, its deadlines, its end and whether there is a life after
 * it; and the slots and posts its messages go by.
 */
#include "guest.h"

static const u32 all_versions[] = {
	CONTROL_VERSION_6_0, CONTROL_VERSION_5_3, CONTROL_VERSION_5_2, CONTROL_VERSION_5_1, CONTROL_VERSION_5_0,
	CONTROL_VERSION_4_1, CONTROL_VERSION_4_0, CONTROL_VERSION_3_0, CONTROL_VERSION_2_4, CONTROL_VERSION_1_1,
};

static u8 state(void)
{
	return guest.connection.session.at.state;
}

/* ---- init ---- */

static void a_policy_without_budgets_is_refused(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.message_budget = 0;
	assert_int_equal(guest_init(), -EINVAL);
	model_destroy(guest.model);
	guest.policy.message_budget = 1;
	guest.policy.packet_budget = 0;
	assert_int_equal(guest_init(), -EINVAL);
	model_destroy(guest.model);
	guest.policy.packet_budget = 1;
	guest.policy.channels_max = RELIDS;
	assert_int_equal(guest_init(), -EINVAL);
	model_destroy(guest.model);
	guest.policy.channels_max = RELIDS - 1;
	assert_int_equal(guest_init(), 0);
	guest_end();
}

static void without_memory_there_is_no_connection(void **unused)
{
	unsigned int nth;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.model = model_create(guest.host, CPUS, false);
	guest.transport = model_transport(guest.model);
	for (nth = 1; nth <= 2; nth++) {
		shim_fail_allocations(nth, 0);
		assert_int_equal(airlock_connection_init(&guest.connection, guest.transport, sim_visibility(),
							 &plain_bus, &guest.policy), -ENOMEM);
		shim_fail_allocations(0, 0);
	}
	guest_end();
}

/* ---- versions ---- */

static void only(u32 version)
{
	guest.host->versions[0] = version;
	guest.host->version_count = 1;
}

static void each_version_is_found(void **unused)
{
	u32 i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(all_versions); i++) {
		guest_prepare(SIM_PLAIN);
		guest.policy.version_floor = CONTROL_VERSION_1_1;
		only(all_versions[i]);
		assert_int_equal(guest_connect(), 0);
		assert_int_equal(guest.connection.context.version, all_versions[i]);
		assert_int_equal(guest.host->version, all_versions[i]);
		assert_int_equal(guest.connection.message_id,
				 all_versions[i] >= CONTROL_VERSION_5_0 ? guest.host->connection_id : 1);
		assert_int_equal(state(), CONTROL_STATE_CONNECTION_RUNNING);
		assert_int_equal(guest.host->errors, 0);
		assert_int_equal(guest.connection.violations.total, 0);
		guest_end();
	}
}

static void the_highest_version_of_both_is_taken(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.version_ceiling = CONTROL_VERSION_5_3;
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(guest.connection.context.version, CONTROL_VERSION_5_3);
	guest_end();
}

static void nothing_below_the_floor_is_asked_for(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	only(CONTROL_VERSION_5_1);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), -EPROTONOSUPPORT);
	assert_int_equal(heard_count, 3);
	assert_int_equal(wire_le32(heard_message + 8), CONTROL_VERSION_5_2);
	assert_int_equal(broken(CORE_RULE_VERSION_FLOOR), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
	/* Nothing was agreed, so nothing stands in the way of another attempt. */
	only(CONTROL_VERSION_5_2);
	assert_int_equal(guest_connect(), 0);
	guest_end();
}

static void a_connection_is_made_once(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(guest_connect(), -EBUSY);
	assert_true(round_trip(primary()));
	guest_end();
}

static void contact_says_where_we_listen(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	only(CONTROL_VERSION_5_3);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(heard_size, 40);
	assert_int_equal(wire_le32(heard_message + 12), 0);	/* VP */
	assert_int_equal(wire_le64(heard_message + 16), 2);	/* SINT, VTL, no features */
	assert_int_equal(wire_le64(heard_message + 24), 0);	/* no monitor pages */
	assert_int_equal(wire_le64(heard_message + 32), 0);
	guest_end();
}

static void an_ordinary_guest_names_two_monitor_pages(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(guest.host->monitor_pages[0], hostmem_gfn(&guest.connection.monitors, 0));
	assert_int_equal(guest.host->monitor_pages[1], hostmem_gfn(&guest.connection.monitors, 1));
	guest_end();
}

static void an_isolated_guest_never_does(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.policy.monitors = true;
	assert_int_equal(guest_connect(), 0);
	assert_null(guest.connection.monitors.at);
	guest_end();
}

static void contact_fails_without_memory_for_monitors(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	assert_int_equal(guest_init(), 0);
	shim_fail_allocations(1, 0);
	assert_int_equal(guest_connect(), -ENOMEM);
	shim_fail_allocations(0, 0);
	assert_int_equal(guest_connect(), 0);
	guest_end();
}

/* ---- features ---- */

static void privacy_is_asked_of_the_paravisor_only(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(wire_le32(heard_message + 20), 0);
	guest_end();

	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.host->features = CONTROL_FEATURE_CONFIDENTIAL | CONTROL_FEATURE_PAUSE;
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(wire_le32(heard_message + 20), CONTROL_FEATURE_CONFIDENTIAL);
	assert_int_equal(guest.connection.context.features, CONTROL_FEATURE_CONFIDENTIAL);
	guest_end();
}

static void what_is_not_understood_is_not_asked_for(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.policy.features = ~0U;
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(wire_le32(heard_message + 20), CONTROL_FEATURE_CONFIDENTIAL | CONTROL_FEATURE_CLIENT_ID);
	assert_int_equal(heard_size, 56);
	guest_end();
}

static void demanded_privacy_needs_a_paravisor(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.policy.confidential_required = true;
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), -EACCES);
	assert_int_equal(heard_count, 0);
	assert_int_equal(broken(CORE_RULE_VERSION_FEATURES), 1);
	guest_end();
}

static void demanded_privacy_that_is_not_granted_ends_the_contact(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.policy.confidential_required = true;
	guest.policy.features = 0;
	guest.host->features = 0;
	listen_for(CONTROL_MESSAGE_TYPE_UNLOAD);
	assert_int_equal(guest_connect(), -EACCES);
	assert_int_equal(heard_count, 1);
	assert_int_equal(broken(CORE_RULE_VERSION_FEATURES), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
	guest.host->features = CONTROL_FEATURE_CONFIDENTIAL;
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(guest.connection.context.features, CONTROL_FEATURE_CONFIDENTIAL);
	guest_end();
}

static void demanded_privacy_has_no_older_version(void **unused)
{
	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.policy.confidential_required = true;
	only(CONTROL_VERSION_5_3);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), -EPROTONOSUPPORT);
	assert_int_equal(heard_count, 1);
	guest_end();
}

static void an_old_host_takes_less_memory(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	assert_int_equal(guest_connect(), 0);
	assert_true(guest.connection.gpadls.bytes_max == guest.policy.gpadl_bytes_max);
	guest_end();
	guest_prepare(SIM_PLAIN);
	only(CONTROL_VERSION_5_1);
	assert_int_equal(guest_connect(), 0);
	assert_true(guest.connection.gpadls.bytes_max == LIMIT_GPADL_OLD);
	guest_end();
}

/* ---- hosts that do not answer ---- */

static void a_contact_without_an_answer_is_the_last_one(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	script("on version_response: drop");
	assert_int_equal(guest_connect(), -ETIMEDOUT);
	assert_int_equal(heard_count, 1);
	assert_int_equal(shim_now(), guest.policy.contact_deadline);
	assert_int_equal(broken(CORE_RULE_WAIT_EXPIRED), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DEAD);
	listen_for(CONTROL_MESSAGE_TYPE_UNLOAD);
	shim_run(10);
	assert_int_equal(heard_count, 1);		/* with little hope */
	script("");
	assert_int_equal(guest_connect(), -EPIPE);
	guest_end();
}

static void pages_named_in_it_are_given_up(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	script("on version_response: drop");
	assert_int_equal(guest_connect(), -ETIMEDOUT);
	guest_end_with(2);
}

static void an_answer_after_that_changes_nothing(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	script("on version_response: hold\nat 31000: release");
	assert_int_equal(guest_connect(), -ETIMEDOUT);
	shim_run(2000);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_VERSION_RESPONSE_STATE), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DEAD);
	guest_end();
}

static void start_up_waits_for_all_offers_only_so_long(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.end = host_offer(guest.host, &guest.device, 0);
	script("on all_offers: drop");
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(shim_now(), guest.policy.offers_deadline);
	assert_int_equal(broken(CORE_RULE_WAIT_EXPIRED), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_RUNNING);
	assert_true(round_trip(primary()));
	guest_end();
}

static void an_unload_without_an_answer_is_the_end(void **unused)
{
	u64 began;

	(void)unused;
	guest_start(SIM_SNP);
	script("on unload_response: drop");
	began = shim_now();
	airlock_disconnect(&guest.connection);
	assert_in_range(shim_now() - began, guest.policy.unload_deadline, guest.policy.unload_deadline + 50);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DEAD);
	assert_int_equal(guest_connect(), -EPIPE);
	guest_end();
}

static void monitor_pages_are_given_up_with_it(void **unused)
{
	(void)unused;
	guest_start(SIM_PLAIN);
	script("on unload_response: drop");
	airlock_disconnect(&guest.connection);
	assert_int_equal(broken(CORE_RULE_PAGE_LEAKED), 1);
	guest_end_with(2);
}

static void a_host_that_falls_silent_costs_one_deadline_not_one_a_channel(void **unused)
{
	static struct host_device more[8];
	u64 began;
	u32 i;

	(void)unused;
	guest_start(SIM_SNP);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		more[i] = guest.device;
		more[i].instance[0] = (u8)i;
		host_offer(guest.host, &more[i], 0);
	}
	shim_run(100);
	assert_int_equal(guest.probes, 9);
	guest.host->answers = false;
	began = shim_now();
	airlock_disconnect(&guest.connection);
	/* One of the channels, and as much again for the goodbye. */
	assert_in_range(shim_now() - began, guest.policy.teardown_deadline,
			2 * guest.policy.teardown_deadline + 100);
	guest_end();
}

static void after_a_clean_end_there_is_another_start(void **unused)
{
	int round;

	(void)unused;
	guest_start(SIM_SNP);
	for (round = 2; round < 5; round++) {
		airlock_disconnect(&guest.connection);
		assert_int_equal(guest.removes, round - 1);
		assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
		assert_int_equal(guest_connect(), 0);
		shim_run(100);
		assert_int_equal(guest.probes, round);
		assert_true(round_trip(primary()));
	}
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

/* ---- hypercalls ---- */

static u64 refused_id, result_of_posts;
static u32 refused_posts, posts_left;

static u64 refuse_id(struct host *h, void *argument, const u8 *input, bool *deliver)
{
	(void)h;
	(void)argument;
	if (refused_id && wire_le32(input) != refused_id)
		return 0;
	if (!posts_left)
		return 0;
	posts_left--;
	refused_posts++;
	*deliver = false;
	return result_of_posts;
}

static void refuse_posts(u64 id, u64 result, u32 count)
{
	refused_id = id;
	result_of_posts = result;
	refused_posts = 0;
	posts_left = count;
	guest.host->hooks.post_result = refuse_id;
}

static void without_connection_4_the_older_versions_are_left(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	refuse_posts(CONNECTION_ID, 0x12, ~0U);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(refused_posts, 1);
	assert_int_equal(guest.connection.context.version, CONTROL_VERSION_4_1);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static void and_none_are_left_above_the_floor(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	refuse_posts(0, 0x12, ~0U);
	assert_int_equal(guest_connect(), -ENXIO);
	assert_int_equal(refused_posts, 1);
	assert_int_equal(broken(CORE_RULE_VERSION_FLOOR), 1);
	guest_end();
}

static void a_host_without_any_connection_is_no_host(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	refuse_posts(0, 0x12, ~0U);
	assert_int_equal(guest_connect(), -ENXIO);
	assert_int_equal(refused_posts, 2);
	assert_int_equal(shim_now(), 0);
	assert_int_equal(broken(CORE_RULE_MESSAGE_NO_CONNECTION), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DISCONNECTED);
	guest_end();
}

static u64 deny_and_answer(struct host *h, void *argument, const u8 *input, bool *deliver)
{
	static const u8 answer[20] = { CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, [8] = 1, [12] = 5 };

	(void)argument;
	(void)input;
	*deliver = false;
	host_post(h, answer, sizeof(answer));
	shim_run(1);
	return 0x12;
}

static void an_answer_to_what_was_not_delivered_is_a_lie(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.host->hooks.post_result = deny_and_answer;
	assert_int_equal(guest_connect(), -EIO);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DEAD);
	guest_end_with(2);
}

static void a_post_is_tried_again_while_the_host_is_busy(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	airlock_channel_close(primary());
	refuse_posts(0, 0x13, 4);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), 0);
	assert_int_equal(refused_posts, 4);
	assert_int_equal(guest.connection.retries, 4);
	assert_true(round_trip(primary()));
	guest_end();
}

static void a_host_that_is_always_busy_is_dead(void **unused)
{
	u64 began;

	(void)unused;
	guest_start(SIM_SNP);
	airlock_channel_close(primary());
	refuse_posts(0, 0x0b, ~0U);
	began = shim_now();
	assert_int_equal(airlock_channel_open(primary(), &guest.config), -ETIMEDOUT);
	assert_int_equal(shim_now() - began, guest.policy.post_deadline);
	assert_in_range(refused_posts, 100, 200);
	assert_int_equal(broken(CORE_RULE_POST_FAILED), 1);
	assert_true(guest.connection.dead);
	guest_end();
}

static void an_id_that_died_is_tried_within_the_deadline_only(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	airlock_channel_close(primary());
	refuse_posts(0, 0x12, ~0U);
	assert_int_equal(airlock_channel_open(primary(), &guest.config), -ETIMEDOUT);
	assert_true(guest.connection.dead);
	guest_end();
}

static void a_contact_that_is_refused_for_good_is_not_repeated(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	refuse_posts(0, 0x06, 1);
	listen_for(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
	assert_int_equal(guest_connect(), -EIO);
	assert_int_equal(heard_count, 0);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_DEAD);
	guest_end();
}

static void a_request_for_offers_that_is_refused_is_the_end(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	script("on post request_offers: result 0x6");
	assert_int_equal(guest_connect(), -EIO);
	assert_true(guest.connection.dead);
	guest_end();
}

static void nothing_unused_is_posted(void **unused)
{
	u32 i;

	(void)unused;
	guest_prepare(SIM_SNP);
	listen_for(CONTROL_MESSAGE_TYPE_REQUEST_OFFERS);
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(heard_size, 8);
	for (i = 4; i < 8; i++)
		assert_int_equal(heard_message[i], 0);
	guest_end();
}

/* ---- slots ---- */

static u8 *slot_of(u32 cpu)
{
	return host_address(guest.transport->ops->slot(guest.transport, cpu));
}

static void slots_are_emptied_unread_before_contact(void **unused)
{
	static const u8 stale[SLOT_BYTES] = {
		1, [4] = 20, [16] = CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, [24] = 1, [28] = 9,
	};
	u32 cpu;

	(void)unused;
	guest_prepare(SIM_SNP);
	assert_int_equal(guest_init(), 0);
	for (cpu = 0; cpu < CPUS; cpu++)
		memcpy(slot_of(cpu), stale, sizeof(stale));
	assert_int_equal(guest_connect(), 0);
	assert_int_equal(guest.connection.violations.total, 0);
	assert_int_equal(guest.connection.message_id, guest.host->connection_id);
	for (cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(wire_le32(slot_of(cpu)), 0);
	guest_end();
}

static void messages_are_heard_on_one_processor(void **unused)
{
	static const u8 message[SLOT_BYTES] = { 1, [4] = 8, [16] = CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE };
	u64 messages;

	(void)unused;
	guest_start(SIM_SNP);
	messages = guest.connection.messages;
	memcpy(slot_of(2), message, sizeof(message));
	airlock_message_interrupt(&guest.connection, 2);
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_MESSAGE_WRONG_CPU), 1);
	assert_int_equal(wire_le32(slot_of(2)), 0);
	assert_int_equal(guest.connection.messages, messages);
	airlock_message_interrupt(&guest.connection, 3);	/* nothing there */
	assert_int_equal(broken(CORE_RULE_MESSAGE_WRONG_CPU), 1);
	guest_end();
}

static void put_in_slot(const u8 *message)
{
	memcpy(slot_of(0), message, SLOT_BYTES);
	airlock_message_interrupt(&guest.connection, 0);
	shim_run(10);
	assert_int_equal(wire_le32(slot_of(0)), 0);
}

static void what_is_no_channel_message_is_dropped(void **unused)
{
	static const u8 timer[SLOT_BYTES] = { 0x10, 0, 0, 0x80, [4] = 8, [16] = CONTROL_MESSAGE_TYPE_ALL_OFFERS };
	static const u8 empty[SLOT_BYTES] = { 1, [4] = 4, [16] = CONTROL_MESSAGE_TYPE_ALL_OFFERS };
	static const u8 large[SLOT_BYTES] = { 1, [4] = 241, [16] = CONTROL_MESSAGE_TYPE_ALL_OFFERS };

	(void)unused;
	guest_start(SIM_SNP);
	put_in_slot(timer);
	assert_int_equal(broken_control(CONTROL_RULE_MESSAGE_SLOT_TYPE_VALUE), 1);
	put_in_slot(empty);
	put_in_slot(large);
	assert_int_equal(broken_control(CONTROL_RULE_MESSAGE_SLOT_PAYLOAD_SIZE_RANGE), 2);
	assert_int_equal(guest.connection.violations.total, 3);
	assert_true(round_trip(primary()));
	guest_end();
}

static const u8 with_more[SLOT_BYTES] = { 1, [4] = 8, [5] = 1, [16] = CONTROL_MESSAGE_TYPE_ALL_OFFERS };
static u32 refills;

static void refill(struct transport *t, u32 cpu)
{
	(void)t;
	assert_int_equal(cpu, 0);
	assert_int_equal(wire_le32(slot_of(0)), 0);
	if (!refills)
		return;
	refills--;
	memcpy(slot_of(0), with_more, SLOT_BYTES);
}

static void a_slot_that_is_never_empty_does_not_keep_the_processor(void **unused)
{
	struct transport_ops ops;
	u64 messages;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.message_budget = 5;
	assert_int_equal(guest_connect(), 0);
	ops = *guest.transport->ops;
	ops.end_of_message = refill;
	guest.transport->ops = &ops;
	messages = guest.connection.messages;
	refills = 11;
	memcpy(slot_of(0), with_more, SLOT_BYTES);
	message_tasklet(&guest.connection.tasklet);
	assert_int_equal(guest.connection.messages, messages + 5);
	assert_int_equal(refills, 6);
	/* It has asked to run again, and does until there is nothing. */
	shim_run(10);
	assert_int_equal(guest.connection.messages, messages + 12);
	assert_int_equal(refills, 0);
	guest_end();
}

static void only_what_was_asked_of_the_session_is_heard(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	say(ALL_OFFERS);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_ALL_OFFERS_STATE), 1);
	say(UNLOAD_RESPONSE);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_UNLOAD_RESPONSE_STATE), 1);
	say(VERSION_RESPONSE, 1, 5, 0);
	assert_int_equal(broken_control(CONTROL_RULE_CONNECTION_VERSION_RESPONSE_STATE), 1);
	say(REQUEST_OFFERS);
	assert_int_equal(broken_control(CONTROL_RULE_DISPATCH), 1);
	say(TL_CONNECT_RESULT, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	assert_int_equal(broken_control(CONTROL_RULE_STREAM_TL_CONNECT_RESULT_STATE), 1);
	assert_int_equal(state(), CONTROL_STATE_CONNECTION_RUNNING);
	assert_true(round_trip(primary()));
	guest_end();
}

/* ---- the end, from inside ---- */

static bool kill_at_all_offers(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != CONTROL_MESSAGE_TYPE_ALL_OFFERS)
		return true;
	airlock_kill_connection(&guest.connection);
	return false;
}

static void a_killed_connection_wakes_who_waits(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.host->hooks.outgoing = kill_at_all_offers;
	assert_int_equal(guest_connect(), -EPIPE);
	assert_true(shim_now() < 10);
	listen_for(CONTROL_MESSAGE_TYPE_UNLOAD);
	shim_run(10);
	assert_int_equal(heard_count, 1);
	airlock_kill_connection(&guest.connection);
	shim_run(10);
	assert_int_equal(heard_count, 1);
	guest_end();
}

static void a_dead_connection_ends_at_once(void **unused)
{
	u64 began;

	(void)unused;
	guest_start(SIM_SNP);
	airlock_kill_connection(&guest.connection);
	shim_run(10);
	assert_int_equal(guest.dead, 1);
	assert_false(round_trip(primary()));
	began = shim_now();
	airlock_disconnect(&guest.connection);
	assert_int_equal(shim_now(), began);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void an_ordinary_guest_loses_what_a_dead_host_had(void **unused)
{
	(void)unused;
	guest_start(SIM_PLAIN);
	airlock_kill_connection(&guest.connection);
	guest_end_with(2 * RING_PAGES + 2);
}

static bool kill_at_version(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] == CONTROL_MESSAGE_TYPE_VERSION_RESPONSE)
		airlock_kill_connection(&guest.connection);
	return false;
}

static void who_waits_for_contact_too(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.host->hooks.outgoing = kill_at_version;
	assert_int_equal(guest_connect(), -EPIPE);
	assert_true(shim_now() < 10);
	assert_int_equal(contact_host(&guest.connection, CONTROL_VERSION_6_0, CONTROL_VERSION_6_0, 0), -EPIPE);
	guest_end_with(2);			/* named in it */
}

static void a_farewell_that_is_refused_is_not_repeated(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	refuse_posts(0, 0x06, 1);
	airlock_kill_connection(&guest.connection);
	shim_run(10);
	assert_int_equal(refused_posts, 1);
	assert_int_equal(broken(CORE_RULE_POST_FAILED), 1);
	guest_end();

	guest_start(SIM_SNP);
	airlock_kill_connection(&guest.connection);
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_POST_FAILED), 0);
	guest_end();
}

static void whoever_refuses_contact_keeps_nothing_of_it(void **unused)
{
	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.policy.version_floor = CONTROL_VERSION_5_2;
	only(CONTROL_VERSION_5_0);
	assert_int_equal(guest_connect(), -EPROTONOSUPPORT);
	guest_end();
}

static void what_is_not_ours_to_say_is_not_said(void **unused)
{
	struct control_message m = { .kind = CONTROL_MSG_PAUSE };
	u8 message[MESSAGE_BYTES] = { 0 };
	unsigned long flags;
	u32 size;

	(void)unused;
	guest_start(SIM_SNP);
	spin_lock_irqsave(&guest.connection.lock, flags);
	assert_int_equal(control_say_connection(&guest.connection, &m, message, &size), -EINVAL);
	m.kind = CONTROL_MSG_RELID_RELEASED;		/* of no relid */
	assert_int_equal(control_say_channel(&guest.connection, &primary()->session, &m, message, &size), -EINVAL);
	m.kind = CONTROL_MSG_REQUEST_OFFERS;
	assert_int_equal(control_say_connection(&guest.connection, &m, message, &size), -EPROTO);
	spin_unlock_irqrestore(&guest.connection.lock, flags);
	assert_int_equal(message_post(&guest.connection, message, 4, false), -EINVAL);
	assert_int_equal(message_post(&guest.connection, message, 241, false), -EINVAL);
	guest_end();
}

static u8 __host *no_slot(struct transport *t, u32 cpu)
{
	(void)t;
	(void)cpu;
	return NULL;
}

static void processors_without_a_slot_have_no_messages(void **unused)
{
	const struct transport_ops *honest;
	struct transport_ops ops;

	(void)unused;
	guest_start(SIM_SNP);
	honest = guest.transport->ops;
	ops = *honest;
	guest.transport->ops = &ops;
	ops.slot = no_slot;
	airlock_message_interrupt(&guest.connection, 0);
	airlock_message_interrupt(&guest.connection, 1);
	message_empty_slots(&guest.connection);
	shim_run(10);
	guest.transport->ops = honest;
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static u32 ends;

static void refill_at_end(struct transport *t, u32 cpu)
{
	ends++;
	refill(t, cpu);
}

static void slots_are_emptied_of_all_that_is_queued(void **unused)
{
	struct transport_ops ops;

	(void)unused;
	guest_prepare(SIM_SNP);
	assert_int_equal(guest_init(), 0);
	ops = *guest.transport->ops;
	guest.transport->ops = &ops;
	ops.end_of_message = refill_at_end;
	refills = 3;
	ends = 0;
	memcpy(slot_of(0), with_more, SLOT_BYTES);
	message_empty_slots(&guest.connection);
	assert_int_equal(refills, 0);
	assert_int_equal(ends, 4);
	assert_int_equal(wire_le32(slot_of(0)), 0);
	/* And not for ever. */
	refills = 1000;
	memcpy(slot_of(0), with_more, SLOT_BYTES);
	message_empty_slots(&guest.connection);
	assert_int_equal(refills, 1000 - guest.policy.message_budget);
	refills = 0;
	memset(slot_of(0), 0, SLOT_BYTES);
	guest_end();
}

static u64 asked_at;

/* The host had the answer all the while, and did not say so. */
static void answer_when_asked(struct transport *t, u32 cpu)
{
	static const u8 answer[SLOT_BYTES] = {
		1, [4] = 20, [16] = CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, [24] = 1, [28] = 5,
	};

	(void)t;
	assert_int_equal(cpu, 0);
	if (!asked_at)
		memcpy(slot_of(0), answer, SLOT_BYTES);
	asked_at = asked_at ? asked_at : shim_now();
}

static void the_host_is_asked_once_before_time_is_up(void **unused)
{
	struct transport_ops ops;

	(void)unused;
	guest_prepare(SIM_SNP);
	assert_int_equal(guest_init(), 0);
	ops = *guest.transport->ops;
	ops.end_of_message = answer_when_asked;
	guest.transport->ops = &ops;
	asked_at = 0;
	script("on version_response: drop");
	assert_int_equal(contact_host(&guest.connection, CONTROL_VERSION_6_0, CONTROL_VERSION_6_0, 0), 0);
	assert_int_equal(asked_at, guest.policy.contact_deadline - guest.policy.contact_deadline / 8);
	assert_int_equal(shim_now(), asked_at);
	assert_int_equal(broken(CORE_RULE_WAIT_EXPIRED), 0);
	assert_int_equal(guest.connection.message_id, 5);
	airlock_kill_connection(&guest.connection);
	guest_end();
}

/* It cannot: there is room for all that can happen. If it could, the connection would end, not the guest. */
static void a_queue_without_room_is_the_end(void **unused)
{
	LIST_HEAD(kept);

	(void)unused;
	guest_start(SIM_SNP);
	list_splice_init(&guest.connection.free_events, &kept);
	host_rescind(guest.host, guest.end);
	shim_run(10);
	assert_true(guest.connection.dead);
	list_splice_init(&kept, &guest.connection.free_events);
	guest_end();

	guest_prepare(SIM_SNP);
	assert_int_equal(guest_connect(), 0);
	list_splice_init(&guest.connection.free_events, &kept);
	host_offer(guest.host, &guest.device, 0);
	shim_run(10);
	assert_true(guest.connection.dead);
	list_splice_init(&kept, &guest.connection.free_events);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_without_budgets_is_refused),
		cmocka_unit_test(without_memory_there_is_no_connection),
		cmocka_unit_test(each_version_is_found),
		cmocka_unit_test(the_highest_version_of_both_is_taken),
		cmocka_unit_test(nothing_below_the_floor_is_asked_for),
		cmocka_unit_test(a_connection_is_made_once),
		cmocka_unit_test(contact_says_where_we_listen),
		cmocka_unit_test(an_ordinary_guest_names_two_monitor_pages),
		cmocka_unit_test(an_isolated_guest_never_does),
		cmocka_unit_test(contact_fails_without_memory_for_monitors),
		cmocka_unit_test(privacy_is_asked_of_the_paravisor_only),
		cmocka_unit_test(what_is_not_understood_is_not_asked_for),
		cmocka_unit_test(demanded_privacy_needs_a_paravisor),
		cmocka_unit_test(demanded_privacy_that_is_not_granted_ends_the_contact),
		cmocka_unit_test(demanded_privacy_has_no_older_version),
		cmocka_unit_test(an_old_host_takes_less_memory),
		cmocka_unit_test(a_contact_without_an_answer_is_the_last_one),
		cmocka_unit_test(pages_named_in_it_are_given_up),
		cmocka_unit_test(an_answer_after_that_changes_nothing),
		cmocka_unit_test(start_up_waits_for_all_offers_only_so_long),
		cmocka_unit_test(an_unload_without_an_answer_is_the_end),
		cmocka_unit_test(monitor_pages_are_given_up_with_it),
		cmocka_unit_test(a_host_that_falls_silent_costs_one_deadline_not_one_a_channel),
		cmocka_unit_test(after_a_clean_end_there_is_another_start),
		cmocka_unit_test(without_connection_4_the_older_versions_are_left),
		cmocka_unit_test(and_none_are_left_above_the_floor),
		cmocka_unit_test(a_host_without_any_connection_is_no_host),
		cmocka_unit_test(an_answer_to_what_was_not_delivered_is_a_lie),
		cmocka_unit_test(a_post_is_tried_again_while_the_host_is_busy),
		cmocka_unit_test(a_host_that_is_always_busy_is_dead),
		cmocka_unit_test(an_id_that_died_is_tried_within_the_deadline_only),
		cmocka_unit_test(a_contact_that_is_refused_for_good_is_not_repeated),
		cmocka_unit_test(a_request_for_offers_that_is_refused_is_the_end),
		cmocka_unit_test(nothing_unused_is_posted),
		cmocka_unit_test(slots_are_emptied_unread_before_contact),
		cmocka_unit_test(messages_are_heard_on_one_processor),
		cmocka_unit_test(what_is_no_channel_message_is_dropped),
		cmocka_unit_test(a_slot_that_is_never_empty_does_not_keep_the_processor),
		cmocka_unit_test(only_what_was_asked_of_the_session_is_heard),
		cmocka_unit_test(a_killed_connection_wakes_who_waits),
		cmocka_unit_test(a_dead_connection_ends_at_once),
		cmocka_unit_test(an_ordinary_guest_loses_what_a_dead_host_had),
		cmocka_unit_test(who_waits_for_contact_too),
		cmocka_unit_test(a_farewell_that_is_refused_is_not_repeated),
		cmocka_unit_test(whoever_refuses_contact_keeps_nothing_of_it),
		cmocka_unit_test(what_is_not_ours_to_say_is_not_said),
		cmocka_unit_test(processors_without_a_slot_have_no_messages),
		cmocka_unit_test(slots_are_emptied_of_all_that_is_queued),
		cmocka_unit_test(the_host_is_asked_once_before_time_is_up),
		cmocka_unit_test(a_queue_without_room_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
