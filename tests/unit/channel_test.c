/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels: every way an open can end, every way a channel can, and who owns the memory then;
 * events and packets on the way.
 */
#include "guest.h"

static u8 state(void)
{
	return primary()->session.at.state;
}

/* A guest whose driver leaves the channel alone until the test opens it. */
static void start_closed(enum sim_kind kind)
{
	guest_prepare(kind);
	guest.keep_closed = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
}

static int open_it(void)
{
	return airlock_channel_open(primary(), &guest.config);
}

static void opens_and_works(void)
{
	assert_int_equal(open_it(), 0);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OPENED);
	assert_true(round_trip(primary()));
	assert_int_equal(guest.host->errors, 0);
}

/* ---- the ordinary life ---- */

static void a_channel_opens_works_and_closes(void **unused)
{
	u64 shared;

	(void)unused;
	start_closed(SIM_SNP);
	shared = sim_shared_pages();
	opens_and_works();
	assert_int_equal(sim_shared_pages(), shared + 2 * RING_PAGES);
	plain_close(primary());
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
	assert_true(primary()->given_back);
	assert_int_equal(sim_shared_pages(), shared);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static void each_attempt_has_a_number_of_its_own(void **unused)
{
	u32 ids[3], i;

	(void)unused;
	start_closed(SIM_SNP);
	for (i = 0; i < 3; i++) {
		opens_and_works();
		ids[i] = guest.end->open_id;
		airlock_channel_close(primary());
	}
	assert_true(ids[0] && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
	guest.connection.next_open_id = ~0U;
	opens_and_works();
	assert_int_equal(guest.end->open_id, 1);
	guest_end();
}

static void the_open_message_holds_nothing_it_should_not(void **unused)
{
	u32 i;

	(void)unused;
	start_closed(SIM_SNP);
	guest.config.user = plain_instance;
	guest.config.user_bytes = 5;
	listen_for(CONTROL_MESSAGE_TYPE_OPEN);
	opens_and_works();
	assert_int_equal(heard_size, 148);
	assert_int_equal(wire_le32(heard_message + 8), primary()->relid);
	assert_int_equal(wire_le32(heard_message + 16), primary()->gpadl.handle);
	assert_int_equal(wire_le32(heard_message + 20), primary()->cpu);
	assert_int_equal(wire_le32(heard_message + 24), RING_PAGES);
	assert_memory_equal(heard_message + 28, plain_instance, 5);
	for (i = 33; i < 148; i++)
		assert_int_equal(heard_message[i], 0);
	guest_end();
}

static void rings_that_cannot_be_are_refused(void **unused)
{
	struct airlock_channel_config good;

	(void)unused;
	start_closed(SIM_SNP);
	good = guest.config;
	guest.config.pages_out = 1;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.pages_in = 1;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.pages_in = CONTROL_PAGES_MAX - 1;
	assert_int_equal(open_it(), -EINVAL);
	guest.config.pages_in = 0xfffffffe;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.receive = NULL;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.user_bytes = 121;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.send_bytes = 8192;		/* more than its ring */
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	guest.config.packet_bytes = 8192;
	assert_int_equal(open_it(), -EINVAL);
	guest.config = good;
	opens_and_works();
	guest_end();
}

static void an_open_channel_is_not_opened_again(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	assert_int_equal(open_it(), -EBUSY);
	assert_true(round_trip(primary()));
	guest_end();
}

static void a_closed_channel_can_be_closed(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	airlock_channel_close(primary());
	airlock_channel_forget(primary());
	opens_and_works();
	airlock_channel_close(primary());
	airlock_channel_close(primary());
	guest_end();
}

static void without_requests_no_completion_is_anyones(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	guest.config.requests = 0;
	assert_int_equal(open_it(), 0);
	assert_int_equal(request_reserve(&primary()->requests, &guest), 0);
	host_complete(guest.end, 0x10001, plain_class, 16);
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_COMPLETION_UNKNOWN), 1);
	guest_end();
}

static void memory_that_runs_out_leaves_nothing_behind(void **unused)
{
	u32 nth, failures = 0;
	u64 bytes;
	int error;

	(void)unused;
	start_closed(SIM_SNP);
	bytes = shim_allocated();
	for (nth = 1; nth < 10; nth++) {
		shim_fail_allocations(nth, 0);
		error = open_it();
		shim_fail_allocations(0, 0);
		assert_true(!error || error == -ENOMEM);
		failures += !!error;
		plain_close(primary());
		assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
		assert_int_equal(shim_allocated(), bytes);
	}
	assert_in_range(failures, 4, 8);
	opens_and_works();
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

static void pages_that_cannot_be_shared_are_lost(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	sim_fail_share(1, -EIO, 1);
	assert_int_equal(open_it(), -EIO);
	assert_int_equal(broken(CORE_RULE_PAGE_LEAKED), 1);
	opens_and_works();
	guest_end_with((unsigned int)atomic_read(&sim_visibility()->leaked));
}

static void pages_that_cannot_be_taken_back_are_lost(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	sim_fail_revoke(1, -EIO, 1);
	airlock_channel_close(primary());
	assert_true(atomic_read(&sim_visibility()->leaked) > 0);
	assert_int_equal(broken(CORE_RULE_PAGE_LEAKED), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
	opens_and_works();
	guest_end_with((unsigned int)atomic_read(&sim_visibility()->leaked));
}

/* ---- answers to open ---- */

static void a_refused_open_can_be_tried_again(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	script("on open: never\nat 1: post 0600000000000000010000000100000001000080");
	assert_int_equal(open_it(), -EIO);
	assert_int_equal(broken(CORE_RULE_STATUS_FAILED), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
	assert_true(primary()->given_back);
	assert_int_equal(sim_shared_pages(), 2 * CPUS);
	script("");
	opens_and_works();
	guest_end();
}

static void an_answer_that_is_neither_is_closed_and_torn_down(void **unused)
{
	(void)unused;
	start_closed(SIM_PLAIN);
	listen_for(CONTROL_MESSAGE_TYPE_CLOSE);
	script("on open_result 1: set 16 32 0x1");
	assert_int_equal(open_it(), -EPROTO);
	assert_int_equal(heard_count, 1);
	assert_int_equal(broken(CORE_RULE_STATUS_AMBIGUOUS), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_OFFERED);
	assert_int_equal(guest.end->state, HOST_OFFERED);
	opens_and_works();
	guest_end();
}

static void no_answer_is_the_end_of_the_channel(void **unused)
{
	int changes;
	u64 began;

	(void)unused;
	start_closed(SIM_SNP);
	script("on open_result: drop");
	began = shim_now();
	assert_int_equal(open_it(), -ETIMEDOUT);
	assert_int_equal(shim_now() - began, guest.policy.open_deadline);
	assert_int_equal(broken(CORE_RULE_WAIT_EXPIRED), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_false(primary()->given_back);
	changes = atomic_read(&sim_visibility()->changes);
	assert_int_equal(open_it(), -ENODEV);
	assert_int_equal(atomic_read(&sim_visibility()->changes), changes);
	say(OPEN_RESULT, primary()->relid, primary()->open_id, 0);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OPEN_RESULT_STATE), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	guest_end();
}

static void an_ordinary_guest_loses_its_rings_then(void **unused)
{
	(void)unused;
	start_closed(SIM_PLAIN);
	script("on open_result: drop");
	assert_int_equal(open_it(), -ETIMEDOUT);
	guest_end_with(2 * RING_PAGES);
}

static void the_result_of_another_attempt_opens_nothing(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	script("on open_result 1: set 12 32 0x77");
	assert_int_equal(open_it(), -ETIMEDOUT);
	assert_int_equal(broken_control(CONTROL_RULE_OPEN_RESULT_OPEN_ID_VALUE), 1);
	guest_end();
}

static void a_result_nobody_asked_for_is_dropped(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	say(OPEN_RESULT, primary()->relid, 1, 0);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OPEN_RESULT_STATE), 1);
	say(OPEN_RESULT, 77, 1, 0);		/* no such channel */
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_OPEN_RESULT_STATE), 2);
	opens_and_works();
	guest_end();
}

static void an_open_that_cannot_be_posted_may_have_been_heard(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	script("on post open: result 0x6 delivered");
	listen_for(CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
	assert_int_equal(open_it(), -EIO);
	assert_int_equal(heard_count, 0);
	assert_int_equal(broken(CORE_RULE_POST_FAILED), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_int_equal(sim_shared_pages(), 2 * CPUS);
	guest_end();
}

/* ---- rescinds ---- */

static void rescinded_while_opening(const char *when, u64 within)
{
	u64 began;

	start_closed(SIM_SNP);
	script(when);
	began = shim_now();
	assert_int_equal(open_it(), -ENODEV);
	assert_in_range(shim_now() - began, 0, within);
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	assert_int_equal(guest.connection.channel_count, 0);
	assert_int_equal(guest.host->errors, 0);
	/* It may come back, under the same number. */
	script("");
	guest.end = host_offer(guest.host, &guest.device, 0);
	shim_run(100);
	assert_int_equal(guest.probes, 2);
	opens_and_works();
	guest_end();
}

static void a_rescind_ends_an_open_at_once(void **unused)
{
	(void)unused;
	rescinded_while_opening("on gpadl_header 1: rescind plain; never", 10);
	rescinded_while_opening("on gpadl_created 1: rescind plain; drop", 10);
	rescinded_while_opening("on gpadl_created 1: rescind plain", 10);
	rescinded_while_opening("on open 1: rescind plain; never", 10);
	rescinded_while_opening("on open_result 1: rescind plain; drop", 10);
}

static bool created;

static bool more_follows(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	created = m->bytes[0] == CONTROL_MESSAGE_TYPE_GPADL_CREATED;
	m->flags |= created;
	return true;
}

/* Right behind the answer, before anyone can act on it. */
static void rescind_behind(struct transport *t, u32 cpu)
{
	u8 *slot = host_address(t->ops->slot(t, cpu));

	if (!created)
		return;
	created = false;
	memset(slot, 0, SLOT_BYTES);
	wire_put_le32(slot, 1);
	slot[4] = 12;
	slot[16] = CONTROL_MESSAGE_TYPE_RESCIND;
	wire_put_le32(slot + 24, guest.end->relid);
}

static void a_rescind_between_ring_and_open_ends_the_open(void **unused)
{
	const struct transport_ops *honest;
	struct transport_ops ops;

	(void)unused;
	start_closed(SIM_SNP);
	honest = guest.transport->ops;
	ops = *honest;
	ops.end_of_message = rescind_behind;
	guest.transport->ops = &ops;
	guest.host->hooks.outgoing = more_follows;
	listen_for(CONTROL_MESSAGE_TYPE_OPEN);
	assert_int_equal(open_it(), -ENODEV);
	assert_int_equal(heard_count, 0);
	guest.transport->ops = honest;
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	guest_end();
}

static void a_rescind_ends_an_open_channel(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	host_rescind(guest.host, guest.end);
	shim_run(100);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(guest.removes, 1);
	assert_int_equal(guest.connection.channel_count, 0);
	assert_int_equal(guest.end->state, HOST_GONE);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

static void a_rescind_is_heard_once(void **unused)
{
	u32 relid;

	(void)unused;
	guest_start(SIM_SNP);
	relid = primary()->relid;
	script("on gpadl_torndown: delay 500");
	host_rescind(guest.host, guest.end);
	shim_run(10);
	say(RESCIND, relid);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_RESCIND_STATE), 1);
	shim_run(1000);
	assert_int_equal(guest.removes, 1);
	say(RESCIND, relid);
	assert_int_equal(broken_control(CONTROL_RULE_CHANNEL_RESCIND_STATE), 2);
	say(RESCIND, 0);
	say(RESCIND, 2048);
	assert_int_equal(broken_control(CONTROL_RULE_RESCIND_RELID_RANGE), 2);
	guest_end();
}

static void a_rescind_while_closing_changes_nothing_for_who_closes(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	script("on gpadl_teardown: rescind plain");
	airlock_channel_close(primary());
	assert_true(primary()->given_back);
	shim_run(100);
	assert_int_equal(guest.removes, 1);
	assert_int_equal(guest.end->state, HOST_GONE);
	guest_end();
}

static void requests_in_flight_can_be_reclaimed_after_a_rescind(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = 16 };
	struct airlock_channel *channel;
	u64 id, back;

	(void)unused;
	start_closed(SIM_SNP);
	assert_int_equal(open_it(), 0);
	channel = primary();
	script("on packet: never");
	id = request_reserve(&channel->requests, &p);
	assert_int_equal(airlock_send_request(channel, &p, id), 0);
	shim_run(10);
	airlock_channel_close(channel);
	assert_ptr_equal(request_reclaim(&channel->requests, &back), &p);
	assert_true(back == id);
	assert_null(request_reclaim(&channel->requests, &back));
	airlock_channel_forget(channel);
	guest_end();
}

/* ---- GPADLs ---- */

static void a_ring_that_is_refused_can_be_tried_again(void **unused)
{
	(void)unused;
	start_closed(SIM_PLAIN);
	script("on gpadl_header 1: never\nat 1: post 0a000000000000000100000001100000010000c0");
	assert_int_equal(open_it(), -EIO);
	assert_int_equal(broken(CORE_RULE_STATUS_FAILED), 1);
	assert_true(primary()->given_back);
	script("");
	opens_and_works();
	guest_end();
}

static void a_ring_that_is_never_created_ends_the_channel(void **unused)
{
	u64 began;

	(void)unused;
	start_closed(SIM_SNP);
	script("on gpadl_created: drop");
	began = shim_now();
	assert_int_equal(open_it(), -ETIMEDOUT);
	assert_int_equal(shim_now() - began, guest.policy.create_deadline);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_int_equal(guest.dead, 0);	/* its driver has heard of it by the result */
	assert_int_equal(guest.connection.gpadls.bytes, 2 * RING_PAGES * 4096);
	guest_end();
}

static void a_ring_created_perhaps_is_torn_down(void **unused)
{
	(void)unused;
	start_closed(SIM_PLAIN);
	listen_for(CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
	script("on gpadl_created 1: set 16 32 0x40");
	assert_int_equal(open_it(), -EPROTO);
	assert_int_equal(heard_count, 1);
	assert_int_equal(broken(CORE_RULE_STATUS_AMBIGUOUS), 1);
	assert_true(primary()->given_back);
	assert_int_equal(guest.connection.gpadls.bytes, 0);
	opens_and_works();
	guest_end();
}

static u64 created_too_early(struct host *h, void *argument, const u8 *input, bool *deliver)
{
	u8 created[20] = { CONTROL_MESSAGE_TYPE_GPADL_CREATED };

	(void)argument;
	(void)deliver;
	if (input[16] != CONTROL_MESSAGE_TYPE_GPADL_HEADER)
		return 0;
	memcpy(created + 8, input + 24, 8);		/* relid, handle */
	host_post(h, created, sizeof(created));
	shim_run(1);
	return 0;
}

static void a_ring_created_before_it_was_named_ends_the_channel(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	guest.config.pages_in = 64;		/* more than a header names */
	guest.host->hooks.post_result = created_too_early;
	assert_int_equal(open_it(), -EPROTO);
	assert_int_equal(broken(CORE_RULE_GPADL_EARLY), 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_false(primary()->given_back);
	guest_end();
}

static void half_a_description_is_given_up(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	guest.config.pages_in = 64;
	script("on post gpadl_body 1: result 0x6");
	listen_for(CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
	assert_int_equal(open_it(), -EIO);
	assert_int_equal(heard_count, 0);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_false(primary()->given_back);
	guest_end();
}

static void a_ring_that_is_never_torn_down_ends_the_channel(void **unused)
{
	u64 began;

	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	script("on gpadl_torndown: drop");
	began = shim_now();
	airlock_channel_close(primary());
	assert_int_equal(shim_now() - began, guest.policy.teardown_deadline);
	assert_false(primary()->given_back);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_int_equal(sim_shared_pages(), 2 * CPUS);	/* revoked all the same */
	assert_int_equal(open_it(), -ENODEV);
	guest_end();
}

static void a_close_that_cannot_be_posted_ends_the_channel(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	script("on post close: result 0x6");
	listen_for(CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
	airlock_channel_close(primary());
	assert_int_equal(heard_count, 0);
	assert_false(primary()->given_back);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	guest_end();
}

static void a_teardown_that_cannot_be_posted_gives_nothing_back(void **unused)
{
	(void)unused;
	start_closed(SIM_PLAIN);
	opens_and_works();
	script("on post gpadl_teardown: result 0x6");
	airlock_channel_close(primary());
	assert_false(primary()->given_back);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_true(primary()->dead);
	guest_end_with(2 * RING_PAGES);
}

static void more_memory_can_be_named(void **unused)
{
	struct hostmem memory;
	struct gpadl g;

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 300, false), 0);
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), 0);
	assert_int_equal(guest.connection.gpadls.bytes, (300 + 2 * RING_PAGES) * 4096);
	airlock_gpadl_teardown(primary(), &g);
	assert_true(gpadl_given_back(&g));
	airlock_gpadl_teardown(primary(), &g);		/* harmless */
	hostmem_destroy(&memory, true);
	assert_int_equal(guest.host->errors, 0);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static void but_not_more_than_the_host_takes(void **unused)
{
	struct hostmem memory;
	struct gpadl g;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.gpadl_bytes_max = 8 * 4096;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 5, false), 0);
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), -ENOSPC);
	assert_true(gpadl_given_back(&g));
	hostmem_destroy(&memory, gpadl_given_back(&g));
	guest_end();
}

static void answers_of_another_channel_are_dropped(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	script("on gpadl_created 1: set 8 32 0x2");
	assert_int_equal(open_it(), -ETIMEDOUT);
	assert_int_equal(broken_control(CONTROL_RULE_GPADL_CREATED_RELID_VALUE), 1);
	say(GPADL_TORNDOWN, 0x1234);
	assert_int_equal(broken_control(CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE), 1);
	guest_end();
}

static void a_live_ring_is_not_torn_down_by_the_host(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	say(GPADL_TORNDOWN, primary()->gpadl.handle);
	assert_int_equal(broken_control(CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE), 1);
	say(GPADL_CREATED, primary()->relid, primary()->gpadl.handle, 0x80000001);
	assert_int_equal(broken_control(CONTROL_RULE_GPADL_GPADL_CREATED_STATE), 1);
	assert_true(round_trip(primary()));
	guest_end();
}

/* ---- events ---- */

static void events_that_mean_nothing_are_counted_and_dropped(void **unused)
{
	u32 bit;

	(void)unused;
	start_closed(SIM_SNP);
	for (bit = 0; bit < RELIDS; bit++)
		host_set_event(guest.host, 1, bit);
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_EVENT_BIT_ZERO), 1);
	assert_in_range(broken(CORE_RULE_EVENT_UNKNOWN), 1, 64);
	assert_int_equal(broken(CORE_RULE_EVENT_CLOSED), 1);
	assert_int_equal(primary()->runs, 0);
	for (bit = 0; bit < FLAG_WORDS; bit++)
		assert_int_equal(host_load32(guest.transport->ops->flags(guest.transport, 1) + bit), 0);
	opens_and_works();
	guest_end();
}

static void an_event_works_on_any_processor(void **unused)
{
	u64 runs;

	(void)unused;
	guest_start(SIM_SNP);
	runs = primary()->runs;
	host_set_event(guest.host, 3, primary()->relid);
	shim_run(10);
	assert_int_equal(primary()->runs, runs + 1);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static bool send_before_result(struct host *h, void *argument, struct host_message *m)
{
	struct host_packet p = { .type = 6, .bytes = plain_class, .size = 16 };

	(void)h;
	(void)argument;
	if (m->bytes[0] != CONTROL_MESSAGE_TYPE_OPEN_RESULT)
		return true;
	assert_true(host_send(guest.end, &p));
	host_set_event(guest.host, 0, guest.end->relid);
	m->due = shim_now() + 50;
	return true;
}

static void an_event_before_the_result_is_kept_for_later(void **unused)
{
	(void)unused;
	start_closed(SIM_SNP);
	guest.host->hooks.outgoing = send_before_result;
	assert_int_equal(open_it(), 0);
	assert_int_equal(guest.packets, 0);
	shim_run(1);
	assert_int_equal(guest.packets, 1);
	assert_int_equal(guest.connection.violations.total, 0);
	guest_end();
}

static void nothing_is_called_after_a_close(void **unused)
{
	u64 runs;

	(void)unused;
	guest_start(SIM_SNP);
	runs = primary()->runs;
	airlock_channel_close(primary());
	host_set_event(guest.host, 0, primary()->relid);
	airlock_channel_poll(primary());
	shim_run(10);
	assert_int_equal(primary()->runs, runs);
	assert_int_equal(broken(CORE_RULE_EVENT_CLOSED), 1);
	guest_end();
}

/* ---- packets ---- */

static void host_says(u16 type, u64 transaction)
{
	struct host_packet p = { .type = type, .transaction = transaction, .bytes = plain_class, .size = 16 };

	assert_true(host_send(guest.end, &p));
}

static void packets_are_handed_on_in_runs(void **unused)
{
	u32 i;

	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.packet_budget = 10;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	primary()->runs = 0;
	for (i = 0; i < 55; i++)
		host_says(6, i);
	shim_run(10);
	assert_int_equal(guest.packets, 55);
	assert_int_equal(guest.last_transaction, 54);
	assert_memory_equal(guest.last, plain_class, 16);
	assert_in_range(primary()->runs, 6, 8);
	guest_end();
}

static void a_ring_that_lies_is_put_away(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	host_poke(guest.end, true, HOST_WRITE_INDEX, 4096);
	host_signal(guest.end);
	shim_run(10);
	assert_int_equal(violations_count(&primary()->violations, ring_rule_ids[RING_RULE_INDEX_AT_BYTE_LIMIT]), 1);
	assert_true(primary()->dead);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(state(), CONTROL_STATE_CHANNEL_ABANDONED);
	assert_false(round_trip(primary()));
	host_signal(guest.end);
	shim_run(10);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(broken(CORE_RULE_EVENT_CLOSED), 1);
	guest_end();
}

static void so_is_one_that_lies_to_a_sender(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = 16 };

	(void)unused;
	guest_start(SIM_SNP);
	host_poke(guest.end, false, HOST_READ_INDEX, 8);
	assert_int_equal(airlock_send(primary(), &p), -ENODEV);
	assert_true(primary()->dead);
	shim_run(10);
	assert_int_equal(guest.dead, 1);
	assert_int_equal(airlock_send(primary(), &p), -ENODEV);
	guest_end();
}

static void a_policy_cannot_make_it_go_on(void **unused)
{
	(void)unused;
	guest_prepare(SIM_SNP);
	guest.policy.answers[OFFENCE_RING] = POLICY_DROP;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	host_poke(guest.end, true, HOST_WRITE_INDEX, 3);
	host_signal(guest.end);
	shim_run(10);
	assert_true(primary()->dead);
	guest_end();
}

static void packets_that_lie_are_dropped_one_by_one(void **unused)
{
	struct host_packet p = { .type = 6, .bytes = plain_class, .size = 16, .flags = 1, .transaction = 5 };

	(void)unused;
	guest_start(SIM_SNP);
	assert_true(host_send(guest.end, &p));
	host_says(6, 1);
	shim_run(10);
	assert_int_equal(violations_count(&primary()->violations, ring_rule_ids[RING_RULE_IN_BAND_UNASKED]), 1);
	assert_false(primary()->dead);
	assert_int_equal(guest.packets, 1);
	guest_end();
}

static void completions_that_answer_nothing_are_dropped(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = 16 };
	u64 id;

	(void)unused;
	guest_start(SIM_SNP);
	assert_true(round_trip(primary()));
	assert_int_equal(guest.completions, 1);
	host_says(11, 0x10001);				/* again */
	host_says(11, 0xffffffffffffffff);
	id = request_reserve(&primary()->requests, &p);
	host_says(11, id);				/* before it was sent */
	shim_run(10);
	assert_int_equal(broken(CORE_RULE_COMPLETION_STALE), 1);
	assert_int_equal(broken(CORE_RULE_COMPLETION_UNKNOWN), 1);
	assert_int_equal(broken(CORE_RULE_COMPLETION_EARLY), 1);
	assert_int_equal(guest.completions, 1);
	request_release(&primary()->requests, id);
	assert_true(round_trip(primary()));
	guest_end();
}

static void a_sender_is_told_when_there_is_room(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = sim_secret, .bytes = 0 };
	u32 sent = 0;

	(void)unused;
	guest_start(SIM_SNP);
	while (!airlock_send(primary(), &p))
		sent++;
	assert_int_equal(airlock_send(primary(), &p), -EAGAIN);
	assert_true(sent > 100);
	assert_int_equal(guest.writable, 0);
	transfer_tasklet(&primary()->tasklet);
	assert_int_equal(guest.writable, 0);		/* still none */
	shim_run(10);
	assert_int_equal(guest.writable, 1);
	assert_int_equal(airlock_send(primary(), &p), 0);
	shim_run(10);
	assert_int_equal(guest.end->received, sent + 1);
	assert_int_equal(guest.writable, 1);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

static void a_packet_that_never_fits_is_refused(void **unused)
{
	static u8 large[2048];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = large, .bytes = sizeof(large) };

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(airlock_send(primary(), &p), -EMSGSIZE);
	assert_true(round_trip(primary()));
	guest_end();
}

static void nothing_is_sent_on_a_closed_channel(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = 16 };

	(void)unused;
	start_closed(SIM_SNP);
	assert_int_equal(airlock_send(primary(), &p), -ENODEV);
	opens_and_works();
	airlock_channel_close(primary());
	assert_int_equal(airlock_send(primary(), &p), -ENODEV);
	guest_end();
}

static void a_signal_that_fails_is_counted(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	script("on signal: result 0x12");
	assert_false(round_trip(primary()));
	assert_int_equal(broken(CORE_RULE_SIGNAL_FAILED), 1);
	assert_false(primary()->dead);
	guest_end();
}

static void an_ordinary_guest_signals_by_its_monitor_page(void **unused)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = plain_class, .bytes = 16 };
	u64 signals;
	u8 *page;
	u32 id;

	(void)unused;
	guest_prepare(SIM_PLAIN);
	guest.device.flags = CONTROL_CHANNEL_FLAG_MONITORED;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	id = primary()->monitor = 77;
	signals = guest.end->heard;
	page = host_address(guest.connection.monitors.at + 4096);
	assert_int_equal(airlock_send(primary(), &p), 0);
	assert_int_equal(atomic_read(&guest.connection.monitor_signals), 1);
	assert_int_equal(atomic_read(&guest.connection.signals), 0);
	assert_int_equal(guest.end->heard, signals);
	assert_int_equal(wire_le32(page + 8 + 8 * (id / 32)), 1U << id % 32);
	guest_end();
}

/* ---- private channels ---- */

static void a_private_ring_is_never_shown_to_the_host(void **unused)
{
	u64 shared;

	(void)unused;
	guest_prepare(SIM_TDX);
	guest.trusted = true;
	guest.host->features = CONTROL_FEATURE_CONFIDENTIAL;
	guest.device.flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING;
	guest.keep_closed = true;
	guest.end = host_offer(guest.host, &guest.device, 0);
	assert_int_equal(guest_connect(), 0);
	shim_run(100);
	shared = sim_shared_pages();
	opens_and_works();
	assert_int_equal(sim_shared_pages(), shared);
	assert_true(primary()->memory.private);
	guest_end();
}

/* ---- the connection ends meanwhile ---- */

static u8 killed_at;

static bool kill_at(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != killed_at)
		return true;
	airlock_kill_connection(&guest.connection);
	return false;
}

static void the_end_of_the_connection_ends_an_open(void **unused)
{
	u64 began;

	(void)unused;
	killed_at = CONTROL_MESSAGE_TYPE_OPEN_RESULT;
	start_closed(SIM_SNP);
	guest.host->hooks.outgoing = kill_at;
	began = shim_now();
	assert_int_equal(open_it(), -ENODEV);
	assert_in_range(shim_now() - began, 0, 10);
	guest_end();

	killed_at = CONTROL_MESSAGE_TYPE_GPADL_CREATED;
	start_closed(SIM_SNP);
	guest.host->hooks.outgoing = kill_at;
	began = shim_now();
	assert_int_equal(open_it(), -EPIPE);
	assert_in_range(shim_now() - began, 0, 10);
	guest_end();
}

static void the_end_of_the_connection_ends_a_close(void **unused)
{
	u64 began;

	(void)unused;
	start_closed(SIM_SNP);
	opens_and_works();
	killed_at = CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN;
	guest.host->hooks.outgoing = kill_at;
	began = shim_now();
	airlock_channel_close(primary());
	assert_in_range(shim_now() - began, 0, 10);
	assert_false(primary()->given_back);
	guest_end();
}

static u32 busy;

static u64 busy_then_killed(struct host *h, void *argument, const u8 *input, bool *deliver)
{
	(void)h;
	(void)argument;
	(void)input;
	*deliver = false;
	if (++busy == 3)
		airlock_kill_connection(&guest.connection);
	return 0x13;
}

static void the_end_of_the_connection_ends_a_post(void **unused)
{
	u64 began;

	(void)unused;
	start_closed(SIM_SNP);
	busy = 0;
	guest.host->hooks.post_result = busy_then_killed;
	began = shim_now();
	assert_int_equal(open_it(), -EPIPE);
	assert_int_equal(busy, 3);
	assert_in_range(shim_now() - began, 0, 10);
	guest_end();
}

static void nothing_is_torn_down_after_it(void **unused)
{
	struct hostmem memory;
	struct gpadl g;
	u64 began;

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 3, false), 0);
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), 0);
	airlock_kill_connection(&guest.connection);
	began = shim_now();
	listen_for(CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
	airlock_gpadl_teardown(primary(), &g);
	assert_int_equal(shim_now(), began);
	assert_int_equal(heard_count, 0);
	assert_false(gpadl_given_back(&g));
	hostmem_destroy(&memory, gpadl_given_back(&g));
	guest_end();
}

static void half_a_description_of_more_memory_ends_the_channel(void **unused)
{
	struct hostmem memory;
	struct gpadl g;

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 100, false), 0);
	script("on post gpadl_body 2: result 0x6");
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), -EIO);
	assert_int_equal(g.session.at.state, CONTROL_STATE_GPADL_LEAKED);
	assert_false(gpadl_given_back(&g));
	assert_true(primary()->dead);
	hostmem_destroy(&memory, gpadl_given_back(&g));
	guest_end();
}

static void what_a_driver_did_not_tear_down_is_forgotten(void **unused)
{
	struct hostmem memory;
	struct gpadl g;
	u32 handle;

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 3, false), 0);
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), 0);
	handle = g.handle;
	assert_ptr_equal(gpadl_find(&guest.connection.gpadls, handle), &g);
	airlock_disconnect(&guest.connection);
	assert_null(gpadl_find(&guest.connection.gpadls, handle));
	assert_true(gpadl_given_back(&g));
	hostmem_destroy(&memory, true);
	guest_end();
}

static void unless_the_host_did_not_let_go(void **unused)
{
	struct hostmem memory;
	struct gpadl g;

	(void)unused;
	guest_start(SIM_SNP);
	assert_int_equal(hostmem_create(&memory, sim_visibility(), 3, false), 0);
	assert_int_equal(airlock_gpadl_create(primary(), &g, &memory), 0);
	script("on unload_response: drop");
	airlock_disconnect(&guest.connection);
	assert_null(gpadl_find(&guest.connection.gpadls, g.handle));
	assert_false(gpadl_given_back(&g));
	hostmem_destroy(&memory, false);
	guest_end();
}

/* ---- senders that wait ---- */

static const struct outbound_packet small = { .kind = RING_MSG_OUR_IN_BAND };

static void fill_the_ring(void)
{
	while (!airlock_send(primary(), &small))
		;
}

static void a_ring_that_lies_while_a_sender_waits_is_put_away(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	fill_the_ring();
	host_poke(guest.end, false, HOST_READ_INDEX, 4090);
	transfer_tasklet(&primary()->tasklet);
	assert_true(primary()->dead);
	assert_int_equal(guest.writable, 0);
	assert_int_equal(guest.dead, 1);
	guest_end();
}

static void so_is_one_that_lies_when_a_sender_begins_to_wait(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	primary()->config.writable = NULL;
	fill_the_ring();
	primary()->config.writable = plain_writable;
	script("on fetch plain in-control+4 2: set 4 32 4090");
	assert_int_equal(airlock_send(primary(), &small), -ENODEV);
	assert_true(primary()->dead);
	guest_end();
}

static void room_that_comes_just_then_is_used(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	primary()->config.writable = NULL;
	fill_the_ring();
	assert_int_equal(airlock_send(primary(), &small), -EAGAIN);
	primary()->config.writable = plain_writable;
	script("on fetch plain in-control+4 2: set 4 32 240");
	assert_int_equal(airlock_send(primary(), &small), 0);
	assert_int_equal(primary()->out.pending, 0);
	guest_end();
}

static void who_does_not_want_to_know_is_not_told(void **unused)
{
	int rule;

	(void)unused;
	guest_start(SIM_SNP);
	primary()->config.writable = NULL;
	fill_the_ring();
	assert_false(outbound_block(&primary()->out, 24, &rule));
	shim_run(10);
	transfer_tasklet(&primary()->tasklet);
	assert_int_equal(guest.writable, 0);
	assert_false(primary()->dead);
	guest_end();
}

static void a_signal_that_cannot_be_said_is_not_sent(void **unused)
{
	(void)unused;
	guest_start(SIM_SNP);
	primary()->signal_id = 0;
	assert_int_equal(airlock_send(primary(), &small), 0);
	assert_int_equal(atomic_read(&guest.connection.signals), 0);
	assert_int_equal(guest.host->errors, 0);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_opens_works_and_closes),
		cmocka_unit_test(each_attempt_has_a_number_of_its_own),
		cmocka_unit_test(the_open_message_holds_nothing_it_should_not),
		cmocka_unit_test(rings_that_cannot_be_are_refused),
		cmocka_unit_test(an_open_channel_is_not_opened_again),
		cmocka_unit_test(a_closed_channel_can_be_closed),
		cmocka_unit_test(without_requests_no_completion_is_anyones),
		cmocka_unit_test(memory_that_runs_out_leaves_nothing_behind),
		cmocka_unit_test(pages_that_cannot_be_shared_are_lost),
		cmocka_unit_test(pages_that_cannot_be_taken_back_are_lost),
		cmocka_unit_test(a_refused_open_can_be_tried_again),
		cmocka_unit_test(an_answer_that_is_neither_is_closed_and_torn_down),
		cmocka_unit_test(no_answer_is_the_end_of_the_channel),
		cmocka_unit_test(an_ordinary_guest_loses_its_rings_then),
		cmocka_unit_test(the_result_of_another_attempt_opens_nothing),
		cmocka_unit_test(a_result_nobody_asked_for_is_dropped),
		cmocka_unit_test(an_open_that_cannot_be_posted_may_have_been_heard),
		cmocka_unit_test(a_rescind_ends_an_open_at_once),
		cmocka_unit_test(a_rescind_between_ring_and_open_ends_the_open),
		cmocka_unit_test(a_rescind_ends_an_open_channel),
		cmocka_unit_test(a_rescind_is_heard_once),
		cmocka_unit_test(a_rescind_while_closing_changes_nothing_for_who_closes),
		cmocka_unit_test(requests_in_flight_can_be_reclaimed_after_a_rescind),
		cmocka_unit_test(a_ring_that_is_refused_can_be_tried_again),
		cmocka_unit_test(a_ring_that_is_never_created_ends_the_channel),
		cmocka_unit_test(a_ring_created_perhaps_is_torn_down),
		cmocka_unit_test(a_ring_created_before_it_was_named_ends_the_channel),
		cmocka_unit_test(half_a_description_is_given_up),
		cmocka_unit_test(a_ring_that_is_never_torn_down_ends_the_channel),
		cmocka_unit_test(a_close_that_cannot_be_posted_ends_the_channel),
		cmocka_unit_test(a_teardown_that_cannot_be_posted_gives_nothing_back),
		cmocka_unit_test(more_memory_can_be_named),
		cmocka_unit_test(but_not_more_than_the_host_takes),
		cmocka_unit_test(answers_of_another_channel_are_dropped),
		cmocka_unit_test(a_live_ring_is_not_torn_down_by_the_host),
		cmocka_unit_test(events_that_mean_nothing_are_counted_and_dropped),
		cmocka_unit_test(an_event_works_on_any_processor),
		cmocka_unit_test(an_event_before_the_result_is_kept_for_later),
		cmocka_unit_test(nothing_is_called_after_a_close),
		cmocka_unit_test(packets_are_handed_on_in_runs),
		cmocka_unit_test(a_ring_that_lies_is_put_away),
		cmocka_unit_test(so_is_one_that_lies_to_a_sender),
		cmocka_unit_test(a_policy_cannot_make_it_go_on),
		cmocka_unit_test(packets_that_lie_are_dropped_one_by_one),
		cmocka_unit_test(completions_that_answer_nothing_are_dropped),
		cmocka_unit_test(a_sender_is_told_when_there_is_room),
		cmocka_unit_test(a_packet_that_never_fits_is_refused),
		cmocka_unit_test(nothing_is_sent_on_a_closed_channel),
		cmocka_unit_test(a_signal_that_fails_is_counted),
		cmocka_unit_test(an_ordinary_guest_signals_by_its_monitor_page),
		cmocka_unit_test(a_private_ring_is_never_shown_to_the_host),
		cmocka_unit_test(the_end_of_the_connection_ends_an_open),
		cmocka_unit_test(the_end_of_the_connection_ends_a_close),
		cmocka_unit_test(the_end_of_the_connection_ends_a_post),
		cmocka_unit_test(nothing_is_torn_down_after_it),
		cmocka_unit_test(half_a_description_of_more_memory_ends_the_channel),
		cmocka_unit_test(what_a_driver_did_not_tear_down_is_forgotten),
		cmocka_unit_test(unless_the_host_did_not_let_go),
		cmocka_unit_test(a_ring_that_lies_while_a_sender_waits_is_put_away),
		cmocka_unit_test(so_is_one_that_lies_when_a_sender_begins_to_wait),
		cmocka_unit_test(room_that_comes_just_then_is_used),
		cmocka_unit_test(who_does_not_want_to_know_is_not_told),
		cmocka_unit_test(a_signal_that_cannot_be_said_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
