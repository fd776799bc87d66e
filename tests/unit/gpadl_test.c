// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory named to the host: the messages byte by byte, the handles, and the host's answers at
 * the right moment and at every wrong one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "bytes.h"
#include "gpadl.h"
#include "shim.h"

#define RELID 17
#define PAGES_MAX 8190
#define LIMIT ((u64)384 << 20)
#define ROOM 240

/* ---- memory of any size, which is only numbers ---- */

static u64 gfn_of(struct visibility *v, const void *at)
{
	(void)v;
	return 0x100000000000 + (uintptr_t)at / PAGE_SIZE;
}

static const struct visibility_ops ops = { .name = "numbers", .gfn = gfn_of };
static struct visibility visibility = { .ops = &ops };
static struct page_run runs[2];
static struct hostmem memory;

/* Two runs with a gap between. */
static void set_memory(u32 pages)
{
	runs[0] = (struct page_run){ (void *)(uintptr_t)PAGE_SIZE, pages / 2, RUN_SHARED };
	runs[1] = (struct page_run){ (void *)(uintptr_t)(PAGE_SIZE << 16), pages - pages / 2,
				     RUN_SHARED };
	memory = (struct hostmem){
		.visibility = &visibility, .runs = runs, .run_count = 2, .pages = pages,
	};
}

static u64 expected_pfn(u32 page)
{
	u32 half = memory.pages / 2;

	return 0x100000000000 + (page < half ? 1 + page : (1 << 16) + page - half);
}

/* ---- the guest ---- */

static struct gpadl_table table;
static const struct control_context ctx = { .version = CONTROL_VERSION_5_3, .relid_max = 2047 };
static u8 msg[ROOM];
static u32 size;

static int start(void **state)
{
	(void)state;
	shim_start(false, 1);
	gpadl_table_init(&table, LIMIT);
	set_memory(1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	shim_stop();
	return 0;
}

static void add(struct gpadl *g, u32 pages)
{
	set_memory(pages);
	assert_int_equal(gpadl_add(&table, g, &memory, RELID), 0);
}

static int next_part(struct gpadl *g)
{
	memset(msg, STALE, sizeof(msg));
	return gpadl_next_part(g, &ctx, msg, sizeof(msg), &size);
}

/* Everything that has to be said is said. */
static void post_all(struct gpadl *g)
{
	int more;

	while ((more = next_part(g)) == 1)
		;
	assert_int_equal(more, 0);
}

static void ask_back(struct gpadl *g)
{
	assert_int_equal(gpadl_teardown_message(g, &ctx, msg, sizeof(msg), &size), 0);
}

/* ---- the host ---- */

static int answer_created(u32 relid, u32 handle, u32 status)
{
	struct control_message m = { .kind = CONTROL_MSG_GPADL_CREATED };

	m.gpadl_created = (struct control_gpadl_created){
		.relid = relid, .handle = handle, .status = status,
	};
	return gpadl_receive(&table, &m);
}

static int answer_torndown(u32 handle)
{
	struct control_message m = { .kind = CONTROL_MSG_GPADL_TORNDOWN };

	m.gpadl_torndown = (struct control_gpadl_torndown){ .handle = handle };
	return gpadl_receive(&table, &m);
}

static void make_live(struct gpadl *g)
{
	post_all(g);
	assert_int_equal(answer_created(RELID, g->handle, 0), 0);
	assert_true(try_wait_for_completion(&g->answered));
	assert_int_equal(g->result, 0);
}

static void assert_woken(struct gpadl *g, int result)
{
	assert_true(try_wait_for_completion(&g->answered));
	assert_false(try_wait_for_completion(&g->answered));
	assert_int_equal(g->result, result);
}

static void assert_asleep(struct gpadl *g)
{
	assert_false(completion_done(&g->answered));
	assert_int_equal(g->result, -EINPROGRESS);
}

/* ---- messages ---- */

static void assert_pfns(u32 at, u32 first, u32 count)
{
	u32 i;

	assert_int_equal(size, at + 8 * count);
	for (i = 0; i < count; i++)
		assert_true(wire_le64(msg + at + 8 * i) == expected_pfn(first + i));
	for (i = size; i < sizeof(msg); i++)
		assert_int_equal(msg[i], STALE);
}

static void assert_header(const struct gpadl *g, u32 pages)
{
	assert_int_equal(wire_le32(msg), 8);
	assert_int_equal(wire_le32(msg + 4), 0);
	assert_int_equal(wire_le32(msg + 8), RELID);
	assert_int_equal(wire_le32(msg + 12), g->handle);
	assert_int_equal(wire_le16(msg + 16), 8 + 8 * pages);
	assert_int_equal(wire_le16(msg + 18), 1);
	assert_int_equal(wire_le32(msg + 20), pages * 4096);
	assert_int_equal(wire_le32(msg + 24), 0);
	assert_pfns(28, 0, pages < 26 ? pages : 26);
}

static void assert_body(const struct gpadl *g, u32 first, u32 count)
{
	assert_int_equal(wire_le32(msg), 9);
	assert_int_equal(wire_le32(msg + 4), 0);
	assert_int_equal(wire_le32(msg + 8), 0);
	assert_int_equal(wire_le32(msg + 12), g->handle);
	assert_pfns(16, first, count);
}

/* Sizes around each boundary; every page is named once, in order. */
static void memory_is_named_in_a_header_and_as_many_bodies_as_it_takes(void **state)
{
	static const struct { u32 pages, bodies, last; } cases[] = {
		{ 1, 0, 0 }, { 25, 0, 0 }, { 26, 0, 0 }, { 27, 1, 1 }, { 53, 1, 27 },
		{ 54, 1, 28 }, { 55, 2, 1 }, { 82, 2, 28 }, { 83, 3, 1 }, { PAGES_MAX - 1, 292, 15 }, { PAGES_MAX, 292, 16 },
	};
	struct gpadl g;
	u32 i, body;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		add(&g, cases[i].pages);
		assert_int_equal(next_part(&g), 1);
		assert_header(&g, cases[i].pages);
		for (body = 0; body < cases[i].bodies; body++) {
			assert_int_equal(next_part(&g), 1);
			assert_body(&g, 26 + 28 * body, body + 1 < cases[i].bodies ? 28 : cases[i].last);
		}
		assert_int_equal(next_part(&g), 0);
		assert_int_equal(next_part(&g), 0);
		assert_int_equal(answer_created(RELID, g.handle, 0), 0);
		ask_back(&g);
		assert_int_equal(answer_torndown(g.handle), 0);
		gpadl_remove(&table, &g);
	}
}

static void memory_no_message_can_name_is_refused(void **state)
{
	struct gpadl g;

	(void)state;
	set_memory(0);
	assert_int_equal(gpadl_add(&table, &g, &memory, RELID), -EINVAL);
	set_memory(PAGES_MAX + 1);
	assert_int_equal(gpadl_add(&table, &g, &memory, RELID), -EMSGSIZE);
	assert_true(table.bytes == 0);
	gpadl_remove(&table, &g);
	assert_true(gpadl_given_back(&g));
}

static void what_cannot_be_said_moves_nothing(void **state)
{
	struct gpadl g;

	(void)state;
	set_memory(30);
	assert_int_equal(gpadl_add(&table, &g, &memory, ctx.relid_max + 1), 0);
	assert_int_equal(next_part(&g), -EINVAL);
	assert_int_equal(g.sent, 0);
	assert_true(gpadl_given_back(&g));
	gpadl_remove(&table, &g);
	add(&g, 30);
	assert_int_equal(gpadl_next_part(&g, &ctx, msg, 28 + 8 * 26 - 1, &size), -EINVAL);
	assert_true(gpadl_given_back(&g));
	assert_int_equal(next_part(&g), 1);
	assert_int_equal(gpadl_next_part(&g, &ctx, msg, 16, &size), -EINVAL);
	assert_int_equal(g.sent, 26);
	assert_int_equal(next_part(&g), 1);
	assert_body(&g, 26, 4);
	assert_int_equal(gpadl_teardown_message(&g, &ctx, msg, 15, &size), -EINVAL);
}

static void a_teardown_names_channel_and_handle(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 3);
	make_live(&g);
	memset(msg, STALE, sizeof(msg));
	ask_back(&g);
	assert_int_equal(size, 16);
	assert_int_equal(wire_le32(msg), 11);
	assert_int_equal(wire_le32(msg + 4), 0);
	assert_int_equal(wire_le32(msg + 8), RELID);
	assert_int_equal(wire_le32(msg + 12), g.handle);
	assert_int_equal(msg[16], STALE);
	assert_asleep(&g);
}

/* ---- handles ---- */

static void handles_are_never_zero_and_find_their_owner(void **state)
{
	struct gpadl a, b;

	(void)state;
	add(&a, 1);
	add(&b, 1);
	assert_true(a.handle && b.handle && a.handle != b.handle);
	assert_ptr_equal(gpadl_find(&table, a.handle), &a);
	assert_ptr_equal(gpadl_find(&table, b.handle), &b);
	assert_null(gpadl_find(&table, 0));
	assert_null(gpadl_find(&table, 0xfff));
	assert_null(gpadl_find(&table, 0xffffffff));
	assert_null(gpadl_find(&table, a.handle ^ 1 << 12));
	assert_null(gpadl_find(&table, a.handle ^ 1U << 31));
	assert_null(gpadl_find(&table, (a.handle & 0xfff) | 0));
}

/* C-211: in the same slot, too. */
static void a_handle_is_not_given_out_again(void **state)
{
	struct gpadl g;
	u32 i, old;

	(void)state;
	add(&g, 1);
	for (i = 0; i < 3 * GPADL_SLOTS; i++) {
		old = g.handle;
		gpadl_remove(&table, &g);
		assert_null(gpadl_find(&table, old));
		table.next = (old & 0xfff) - 1;
		add(&g, 1);
		assert_int_equal(g.handle & 0xfff, old & 0xfff);
		assert_int_not_equal(g.handle, old);
		assert_null(gpadl_find(&table, old));
	}
}

/* After a million of them in one slot the count starts over; no handle is ever 0. */
static void generations_wrap_around(void **state)
{
	struct gpadl g;

	(void)state;
	table.generations[0] = 0xfffff;
	add(&g, 1);
	assert_int_equal(g.handle, 1);
	assert_ptr_equal(gpadl_find(&table, 1), &g);
}

static void slots_come_round_late(void **state)
{
	struct gpadl g;
	u32 first, i;

	(void)state;
	add(&g, 1);
	first = g.handle & 0xfff;
	for (i = 0; i < 4094; i++) {
		gpadl_remove(&table, &g);
		add(&g, 1);
		assert_int_not_equal(g.handle & 0xfff, first);
	}
	gpadl_remove(&table, &g);
	add(&g, 1);
	assert_int_equal(g.handle & 0xfff, first);
}

static struct gpadl many[GPADL_SLOTS];

static void slots_in_use_are_skipped_until_there_are_none(void **state)
{
	struct gpadl g;
	u32 i, free_slot;

	(void)state;
	for (i = 0; i < 4095; i++)
		add(&many[i], 1);
	assert_int_equal(gpadl_add(&table, &g, &memory, RELID), -ENOSPC);
	gpadl_remove(&table, &g);
	assert_int_equal(table.refused, 0);
	free_slot = many[1000].handle & 0xfff;
	gpadl_remove(&table, &many[1000]);
	add(&g, 1);
	assert_int_equal(g.handle & 0xfff, free_slot);
	for (i = 0; i < 4095; i++)
		if (i != 1000)
			assert_ptr_equal(gpadl_find(&table, many[i].handle), &many[i]);
	assert_ptr_equal(gpadl_find(&table, g.handle), &g);
}

static void what_the_host_never_let_go_of_keeps_handle_and_bytes(void **state)
{
	struct gpadl g;
	u32 handle;

	(void)state;
	add(&g, 5);
	handle = g.handle;
	post_all(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_AFTER_CREATE_DEADLINE, -ETIMEDOUT);
	assert_false(gpadl_given_back(&g));
	gpadl_remove(&table, &g);
	assert_false(gpadl_given_back(&g));
	assert_int_equal(g.handle, 0);
	g.handle = handle;		/* whatever becomes of it: the table does not look */
	assert_null(gpadl_find(&table, handle));
	assert_true(table.bytes == 5 * PAGE_SIZE);
	table.next = (handle & 0xfff) - 1;
	add(&g, 1);
	assert_int_not_equal(g.handle & 0xfff, handle & 0xfff);
	assert_int_equal(answer_created(RELID, handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(answer_torndown(handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
}

static void a_handle_is_removed_once(void **state)
{
	struct gpadl a, b;

	(void)state;
	add(&a, 1);
	gpadl_remove(&table, &a);
	table.next = 0;
	add(&b, 1);
	gpadl_remove(&table, &a);
	assert_ptr_equal(gpadl_find(&table, b.handle), &b);
	assert_true(table.bytes == PAGE_SIZE);
}

/* C-231. */
static void the_hosts_limit_is_kept_and_counted(void **state)
{
	struct gpadl a, b, c;

	(void)state;
	gpadl_table_init(&table, 100 * PAGE_SIZE);
	add(&a, 60);
	set_memory(41);
	assert_int_equal(gpadl_add(&table, &b, &memory, RELID), -ENOSPC);
	assert_int_equal(table.refused, 1);
	gpadl_remove(&table, &b);
	add(&b, 40);
	set_memory(1);
	assert_int_equal(gpadl_add(&table, &c, &memory, RELID), -ENOSPC);
	assert_int_equal(table.refused, 2);
	gpadl_remove(&table, &a);
	add(&c, 60);
	assert_true(table.bytes == 100 * PAGE_SIZE);
}

/* ---- answers at their moment ---- */

static void memory_is_live_once_the_host_says_so(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 60);
	assert_true(gpadl_given_back(&g));
	assert_false(gpadl_is_live(&g));
	post_all(&g);
	assert_asleep(&g);
	assert_false(gpadl_given_back(&g));
	assert_false(gpadl_is_live(&g));
	assert_int_equal(answer_created(RELID, g.handle, 0), 0);
	assert_woken(&g, 0);
	assert_true(gpadl_is_live(&g));
	assert_false(gpadl_given_back(&g));
	ask_back(&g);
	assert_false(gpadl_is_live(&g));
	assert_asleep(&g);
	assert_int_equal(answer_torndown(g.handle), 0);
	assert_woken(&g, 0);
	assert_true(gpadl_given_back(&g));
	assert_int_equal(next_part(&g), -EPROTO);
}

/* Whoever waited for the creation left when the answer was already there. */
static void an_answer_nobody_fetched_does_not_answer_the_next_question(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	post_all(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0), 0);
	ask_back(&g);
	assert_asleep(&g);
	assert_int_equal(answer_torndown(g.handle), 0);
	assert_woken(&g, 0);
}

static void memory_the_host_refuses_is_given_back(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 60);
	post_all(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0x8000ffff), 0);
	assert_woken(&g, -EIO);
	assert_false(gpadl_is_live(&g));
	assert_true(gpadl_given_back(&g));
	assert_int_equal(next_part(&g), -EIO);
	assert_int_equal(gpadl_teardown_message(&g, &ctx, msg, sizeof(msg), &size), -EINVAL);
}

/* C-206: it may believe either, so it is asked to let go. */
static void an_ambiguous_status_is_a_failure_that_has_to_be_torn_down(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 60);
	post_all(&g);
	assert_int_equal(answer_created(RELID, g.handle, 1), 0);
	assert_woken(&g, -EPROTO);
	assert_true(gpadl_is_live(&g));
	assert_false(gpadl_given_back(&g));
	ask_back(&g);
	assert_int_equal(answer_torndown(g.handle), 0);
	assert_woken(&g, 0);
	assert_true(gpadl_given_back(&g));
}

/* C-203, after the header and after each body but the last. */
static void an_early_failure_stops_the_rest(void **state)
{
	struct gpadl g;
	u32 parts, i;

	(void)state;
	for (parts = 1; parts <= 3; parts++) {
		add(&g, 26 + 28 * 3);
		for (i = 0; i < parts; i++)
			assert_int_equal(next_part(&g), 1);
		assert_int_equal(answer_created(RELID, g.handle, 0xc0000001), 0);
		assert_woken(&g, -EIO);
		assert_int_equal(next_part(&g), -EIO);
		assert_true(gpadl_given_back(&g));
		gpadl_remove(&table, &g);
	}
}

static void an_early_success_is_a_lie_and_its_memory_is_lost(void **state)
{
	struct gpadl g;
	u32 parts, i;

	(void)state;
	for (parts = 1; parts <= 3; parts++) {
		add(&g, 26 + 28 * 3);
		for (i = 0; i < parts; i++)
			assert_int_equal(next_part(&g), 1);
		assert_int_equal(answer_created(RELID, g.handle, 0), 0);
		assert_woken(&g, -EPROTO);
		assert_int_equal(next_part(&g), -EPROTO);
		assert_false(gpadl_is_live(&g));
		assert_false(gpadl_given_back(&g));
		gpadl_remove(&table, &g);
	}
}

/* ---- answers at the wrong moment ---- */

/* C-200: also before anything was said. */
static void answers_that_nobody_asked_for_break_a_rule(void **state)
{
	struct gpadl g;

	(void)state;
	assert_int_equal(answer_created(RELID, 1, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(answer_torndown(1), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_int_equal(answer_torndown(0), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	add(&g, 1);
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(answer_torndown(g.handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_false(completion_done(&g.answered));
	assert_true(gpadl_given_back(&g));
	post_all(&g);
	assert_int_equal(answer_torndown(g.handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_int_equal(answer_created(RELID, g.handle + 1, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_asleep(&g);
}

/* C-201. */
static void an_answer_on_behalf_of_another_channel_breaks_a_rule(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	post_all(&g);
	assert_int_equal(answer_created(RELID + 1, g.handle, 0), CONTROL_RULE_GPADL_CREATED_RELID_VALUE);
	assert_asleep(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0), 0);
	assert_woken(&g, 0);
}

/* C-202, C-205, C-207, C-208. */
static void answers_of_a_second_time_wake_nobody(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	make_live(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(answer_created(RELID, g.handle, 0x80000000), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(answer_torndown(g.handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_true(gpadl_is_live(&g));
	assert_false(completion_done(&g.answered));
	ask_back(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_asleep(&g);
	assert_int_equal(answer_torndown(g.handle), 0);
	assert_woken(&g, 0);
	assert_int_equal(answer_torndown(g.handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_true(gpadl_given_back(&g));
	assert_false(completion_done(&g.answered));
}

static void a_success_after_a_refusal_changes_nothing(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	post_all(&g);
	assert_int_equal(answer_created(RELID, g.handle, 0x80000000), 0);
	assert_woken(&g, -EIO);
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(g.result, -EIO);
	assert_false(gpadl_is_live(&g));
}

static void a_message_that_is_no_answer_breaks_a_rule(void **state)
{
	struct control_message m = { .kind = CONTROL_MSG_ALL_OFFERS };

	(void)state;
	assert_int_not_equal(gpadl_receive(&table, &m), 0);
}

/* ---- what happens without an answer ---- */

/* C-204: and the answer that comes after all is too late. */
static void memory_whose_creation_was_never_answered_is_lost(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 30);
	post_all(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_AFTER_CREATE_DEADLINE, -ETIMEDOUT);
	assert_woken(&g, -ETIMEDOUT);
	assert_false(gpadl_given_back(&g));
	assert_false(gpadl_is_live(&g));
	assert_int_equal(answer_created(RELID, g.handle, 0), CONTROL_RULE_GPADL_GPADL_CREATED_STATE);
	assert_int_equal(g.result, -ETIMEDOUT);
	assert_int_equal(gpadl_teardown_message(&g, &ctx, msg, sizeof(msg), &size), -EINVAL);
}

/* C-210. */
static void memory_whose_teardown_was_never_answered_is_lost(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 30);
	make_live(&g);
	ask_back(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_AFTER_TEARDOWN_DEADLINE, -ETIMEDOUT);
	assert_woken(&g, -ETIMEDOUT);
	assert_false(gpadl_given_back(&g));
	assert_int_equal(answer_torndown(g.handle), CONTROL_RULE_GPADL_GPADL_TORNDOWN_STATE);
	assert_false(gpadl_given_back(&g));
}

/* C-153, C-225: after each part, and while the answer is due. */
static void what_is_abandoned_half_way_is_lost(void **state)
{
	struct gpadl g;
	u32 parts, i;

	(void)state;
	for (parts = 1; parts <= 3; parts++) {
		add(&g, 26 + 28 * 2);
		for (i = 0; i < parts; i++)
			assert_int_equal(next_part(&g), 1);
		gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, -ENODEV);
		assert_woken(&g, -ENODEV);
		assert_int_equal(next_part(&g), -ENODEV);
		assert_false(gpadl_given_back(&g));
		gpadl_remove(&table, &g);
	}
}

/* The session stays as it is, and the host may still let go of it. */
static void who_waits_for_a_teardown_is_woken_when_the_channel_dies(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	make_live(&g);
	ask_back(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, -ENODEV);
	assert_woken(&g, -ENODEV);
	assert_false(gpadl_given_back(&g));
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, -ENODEV);
	assert_false(completion_done(&g.answered));
	assert_int_equal(answer_torndown(g.handle), 0);
	assert_true(gpadl_given_back(&g));
}

static void a_live_one_that_nobody_waits_for_is_left_alone(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	make_live(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, -ENODEV);
	gpadl_event(&g, CONTROL_EVENT_GPADL_AFTER_CREATE_DEADLINE, -ETIMEDOUT);
	assert_false(completion_done(&g.answered));
	assert_int_equal(g.result, 0);
	assert_true(gpadl_is_live(&g));
}

static void what_nobody_waits_for_wakes_nobody(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, -ENODEV);
	assert_false(completion_done(&g.answered));
	assert_true(gpadl_given_back(&g));
}

/* No event makes a failure look like success. */
static void whoever_waits_is_told_an_error(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 1);
	post_all(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_ABANDON, 0);
	assert_woken(&g, -EIO);
}

static void everything_is_given_back_when_the_connection_is_gone(void **state)
{
	struct gpadl g;

	(void)state;
	add(&g, 60);
	assert_int_equal(next_part(&g), 1);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_CONNECTION_GONE, -ENODEV);
	assert_woken(&g, -ENODEV);
	assert_true(gpadl_given_back(&g));
	assert_int_equal(next_part(&g), -ENODEV);
	gpadl_remove(&table, &g);
	add(&g, 1);
	make_live(&g);
	gpadl_event(&g, CONTROL_EVENT_GPADL_LOCAL_CONNECTION_GONE, -ENODEV);
	assert_false(completion_done(&g.answered));
	assert_true(gpadl_given_back(&g));
	gpadl_remove(&table, &g);
	assert_true(table.bytes == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_is_named_in_a_header_and_as_many_bodies_as_it_takes),
		TEST(memory_no_message_can_name_is_refused),
		TEST(what_cannot_be_said_moves_nothing),
		TEST(a_teardown_names_channel_and_handle),
		TEST(handles_are_never_zero_and_find_their_owner),
		TEST(a_handle_is_not_given_out_again),
		TEST(generations_wrap_around),
		TEST(slots_come_round_late),
		TEST(slots_in_use_are_skipped_until_there_are_none),
		TEST(what_the_host_never_let_go_of_keeps_handle_and_bytes),
		TEST(a_handle_is_removed_once),
		TEST(the_hosts_limit_is_kept_and_counted),
		TEST(memory_is_live_once_the_host_says_so),
		TEST(an_answer_nobody_fetched_does_not_answer_the_next_question),
		TEST(memory_the_host_refuses_is_given_back),
		TEST(an_ambiguous_status_is_a_failure_that_has_to_be_torn_down),
		TEST(an_early_failure_stops_the_rest),
		TEST(an_early_success_is_a_lie_and_its_memory_is_lost),
		TEST(answers_that_nobody_asked_for_break_a_rule),
		TEST(an_answer_on_behalf_of_another_channel_breaks_a_rule),
		TEST(answers_of_a_second_time_wake_nobody),
		TEST(a_success_after_a_refusal_changes_nothing),
		TEST(a_message_that_is_no_answer_breaks_a_rule),
		TEST(memory_whose_creation_was_never_answered_is_lost),
		TEST(memory_whose_teardown_was_never_answered_is_lost),
		TEST(what_is_abandoned_half_way_is_lost),
		TEST(who_waits_for_a_teardown_is_woken_when_the_channel_dies),
		TEST(a_live_one_that_nobody_waits_for_is_left_alone),
		TEST(what_nobody_waits_for_wakes_nobody),
		TEST(whoever_waits_is_told_an_error),
		TEST(everything_is_given_back_when_the_connection_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
