/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run-time part of the validators: integers, text and ranges in private memory, and the
 * engine of the sessions, on tables made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "session.h"
#include "wire.h"
#include "wire_slice.h"
#include "wire_text.h"

/* ---- integers ---- */

/* Loaded from and stored at each of eight addresses, seven of them odd for some width. */
#define PLACES 8

static const u8 ladder[] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };

static void loads_are_right_at_any_address(void **state)
{
	u8 buffer[PLACES + sizeof(ladder)];
	u32 at;

	(void)state;
	for (at = 0; at < PLACES; at++) {
		memset(buffer, 0, sizeof(buffer));
		memcpy(buffer + at, ladder, sizeof(ladder));
		assert_int_equal(wire_le16(buffer + at), 0x9281);
		assert_int_equal(wire_le32(buffer + at), 0xb4a39281);
		assert_true(wire_le64(buffer + at) == 0xf8e7d6c5b4a39281);
		assert_int_equal(wire_be16(buffer + at), 0x8192);
		assert_int_equal(wire_be32(buffer + at), 0x8192a3b4);
		assert_true(wire_be64(buffer + at) == 0x8192a3b4c5d6e7f8);
	}
}

/* Only the bytes of the integer are written. */
static void assert_stored(const u8 *buffer, u32 at, u32 width, bool reversed)
{
	u32 i;

	for (i = 0; i < PLACES + 8; i++)
		if (i < at || i >= at + width)
			assert_int_equal(buffer[i], STALE);
		else
			assert_int_equal(buffer[i], ladder[reversed ? width - 1 - (i - at) : i - at]);
}

static void stores_are_right_at_any_address(void **state)
{
	u8 buffer[PLACES + 8];
	u32 at;

	(void)state;
#define ASSERT_STORES(store, value, width, reversed) do {	\
		memset(buffer, STALE, sizeof(buffer));		\
		store(buffer + at, value);			\
		assert_stored(buffer, at, width, reversed);	\
	} while (0)
	for (at = 0; at < PLACES; at++) {
		ASSERT_STORES(wire_put_le16, 0x9281, 2, false);
		ASSERT_STORES(wire_put_le32, 0xb4a39281, 4, false);
		ASSERT_STORES(wire_put_le64, 0xf8e7d6c5b4a39281, 8, false);
		ASSERT_STORES(wire_put_be16, 0x9281, 2, true);
		ASSERT_STORES(wire_put_be32, 0xb4a39281, 4, true);
		ASSERT_STORES(wire_put_be64, 0xf8e7d6c5b4a39281, 8, true);
	}
#undef ASSERT_STORES
}

static void an_index_in_bounds_stays_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(wire_index(0, 1), 0);
	assert_int_equal(wire_index(239, 240), 239);
}

static void an_index_out_of_bounds_becomes_zero(void **state)
{
	(void)state;
	assert_int_equal(wire_index(240, 240), 0);
	assert_int_equal(wire_index(~0ull, 240), 0);
}

/* ---- ranges ---- */

static const u8 room[16];

static bool overlap(u32 a, u32 a_size, u32 b, u32 b_size)
{
	struct wire_slice first = { room + a, a_size }, second = { room + b, b_size };

	assert_int_equal(wire_overlap(&first, &second), wire_overlap(&second, &first));
	return wire_overlap(&first, &second);
}

static void ranges_with_a_byte_in_common_overlap(void **state)
{
	(void)state;
	assert_true(overlap(2, 4, 5, 4));
	assert_true(overlap(2, 8, 4, 2));
	assert_true(overlap(2, 4, 2, 4));
}

static void ranges_that_touch_do_not_overlap(void **state)
{
	(void)state;
	assert_false(overlap(2, 4, 6, 4));
	assert_false(overlap(0, 1, 15, 1));
}

static void an_empty_range_overlaps_nothing(void **state)
{
	struct wire_slice absent = { NULL, 0 }, whole = { room, sizeof(room) };

	(void)state;
	assert_false(overlap(4, 0, 2, 8));
	assert_false(overlap(4, 0, 4, 0));
	assert_false(wire_overlap(&absent, &whole));
	assert_false(wire_overlap(&whole, &absent));
}

static void a_range_is_copied_whole(void **state)
{
	struct wire_slice from = { ladder + 1, 3 };
	u8 to[5] = { STALE, STALE, STALE, STALE, STALE };

	(void)state;
	wire_put(to + 1, &from);
	assert_memory_equal(to, ((u8[]){ STALE, 0x92, 0xa3, 0xb4, STALE }), 5);
}

static void an_absent_range_is_copied_as_nothing(void **state)
{
	struct wire_slice absent = { NULL, 0 };
	u8 to = STALE;

	(void)state;
	wire_put(&to, &absent);
	assert_int_equal(to, STALE);
}

/* ---- text ---- */

#define TERMINATED true
#define PADDED false

/* From a block of exactly these bytes. */
static bool ascii(const char *hex, bool terminated)
{
	struct bytes text = { NULL, 0 };
	bool good;

	put_hex(&text, hex);
	good = wire_ascii(text.data, text.size, terminated);
	bytes_clear(&text);
	return good;
}

static bool utf16(const char *hex, bool terminated)
{
	struct bytes text = { NULL, 0 };
	bool good;

	put_hex(&text, hex);
	good = wire_utf16(text.data, text.size, terminated);
	bytes_clear(&text);
	return good;
}

static void ascii_goes_from_1_to_127(void **state)
{
	(void)state;
	assert_true(ascii("01 41 7f 00", TERMINATED));
	assert_false(ascii("80 00", TERMINATED));
	assert_false(ascii("41 ff 00", TERMINATED));
	assert_false(ascii("41 42 80", PADDED));
}

static void terminated_ascii_has_a_nul(void **state)
{
	(void)state;
	assert_true(ascii("41 42 00", TERMINATED));
	assert_false(ascii("41 42 43", TERMINATED));
	assert_false(ascii("", TERMINATED));
}

static void padded_ascii_may_fill_its_field(void **state)
{
	(void)state;
	assert_true(ascii("41 42 43", PADDED));
	assert_true(ascii("", PADDED));
}

static void nothing_is_looked_at_behind_the_nul(void **state)
{
	(void)state;
	assert_true(ascii("41 00 ff", TERMINATED));
	assert_true(ascii("00 80", PADDED));
	assert_true(utf16("41 00 00 00 00 dc", TERMINATED));
}

static void utf16_takes_all_but_surrogates_singly(void **state)
{
	(void)state;
	assert_true(utf16("41 00 ff d7 00 e0 ff ff 01 00 00 00", TERMINATED));
}

static void surrogates_come_in_pairs(void **state)
{
	(void)state;
	assert_true(utf16("00 d8 00 dc 00 00", TERMINATED));
	assert_true(utf16("ff db ff df 00 00", TERMINATED));
	assert_true(utf16("41 00 00 d8 00 dc", PADDED));
}

static void a_high_surrogate_without_a_low_one_is_no_text(void **state)
{
	(void)state;
	assert_false(utf16("00 d8 41 00 00 00", TERMINATED));
	assert_false(utf16("00 d8 ff db 00 00", TERMINATED));
	assert_false(utf16("00 d8 00 e0 00 00", TERMINATED));
	assert_false(utf16("00 d8 00 00 00 00", TERMINATED));
	assert_false(utf16("ff db", PADDED));
	assert_false(utf16("41 00 00 d8", PADDED));
}

static void a_low_surrogate_alone_is_no_text(void **state)
{
	(void)state;
	assert_false(utf16("00 dc 00 00", TERMINATED));
	assert_false(utf16("ff df 00 00", TERMINATED));
	assert_false(utf16("00 d8 00 dc 00 dc 00 00", TERMINATED));
}

static void utf16_has_an_even_size(void **state)
{
	(void)state;
	assert_false(utf16("41 00 00", PADDED));
	assert_false(utf16("41 00 00 00 00", TERMINATED));
	assert_false(utf16("41", PADDED));
}

static void terminated_utf16_has_a_nul(void **state)
{
	(void)state;
	assert_false(utf16("41 00 42 00", TERMINATED));
	assert_false(utf16("00 41 00 42", TERMINATED));
	assert_false(utf16("", TERMINATED));
}

static void padded_utf16_may_fill_its_field(void **state)
{
	(void)state;
	assert_true(utf16("41 00 42 00", PADDED));
	assert_true(utf16("", PADDED));
}

/* ---- sessions ---- */

/*
 * A door: asks before it opens, may be told to stay open, gives up after a while. Guard 1
 * says that the answer is yes, guard 2 that it is doubtful.
 */
enum { SHUT, ASKING, OPEN, STUCK };
enum { SEND_ASK, ON_ANSWER, ON_KNOCK, SEND_NOTE, ON_SHUT, AFTER_DEADLINE, LOCAL_FORCE };
enum { ASK = 1, ANSWER, KNOCK, NOTE, NOTED, SHUT_NOW, UNHEARD_OF };
enum { YES = 1 << 1, DOUBTFUL = 1 << 2, ALWAYS = 1 };
enum {
	STRANGER = 1, ASK_STATE, ASK_OUTSTANDING, ANSWER_STATE, ANSWER_UNSOLICITED, KNOCK_STATE,
	NOTE_STATE, NOTE_OUTSTANDING, NOTED_STATE, NOTED_UNSOLICITED, SHUT_STATE,
};

#define IN(state) (1u << (state))
#define ASKED 1ull
#define NOTED_DOWN (1ull << 63)

static const struct session_line lines[] = {
	{ IN(SHUT) | IN(ASKING), SEND_ASK, 0, ASKING, false },
	{ IN(ASKING), ON_ANSWER, 1, OPEN, false },
	{ IN(ASKING), ON_ANSWER, 2, STUCK, true },
	{ IN(ASKING), ON_ANSWER, 0, SHUT, false },
	{ IN(SHUT) | IN(OPEN), ON_KNOCK, 0, SESSION_STAY, false },
	{ IN(ASKING) | IN(OPEN), SEND_NOTE, 1, SESSION_STAY, true },
	{ IN(ASKING) | IN(OPEN), SEND_NOTE, 0, SESSION_STAY, false },
	{ IN(OPEN), ON_SHUT, 0, SHUT, true },
	{ IN(ASKING), AFTER_DEADLINE, 0, STUCK, true },
	{ IN(ASKING) | IN(STUCK), LOCAL_FORCE, 0, OPEN, false },
};

static const struct session_event on[] = {
	{ ANSWER, ON_ANSWER, ANSWER_STATE, ANSWER_UNSOLICITED, ASKED, 1 },
	{ KNOCK, ON_KNOCK, KNOCK_STATE, 0, 0, 4 },
	{ NOTED, ON_KNOCK, NOTED_STATE, NOTED_UNSOLICITED, NOTED_DOWN, 4 },
	{ SHUT_NOW, ON_SHUT, SHUT_STATE, 0, 0, 7 },
};

static const struct session_event out[] = {
	{ ASK, SEND_ASK, ASK_STATE, ASK_OUTSTANDING, ASKED, 0 },
	{ NOTE, SEND_NOTE, NOTE_STATE, NOTE_OUTSTANDING, NOTED_DOWN, 5 },
};

static const struct session_table door = {
	.lines = lines, .on = on, .send = out, .line_count = 10, .on_count = 4, .send_count = 2,
	.stranger = STRANGER, .start = SHUT,
};

static struct session_state now, next;

/* Judges the event; "now" must not move, whatever comes of it. */
static int hear(u16 kind, u64 guards)
{
	struct session_state before = now;
	int rule = session_receive(&door, &now, kind, guards | ALWAYS, &next);

	assert_int_equal(now.state, before.state);
	assert_true(now.pending == before.pending);
	return rule;
}

static int say(u16 kind, u64 guards)
{
	struct session_state before = now;
	int rule = session_send(&door, &now, kind, guards | ALWAYS, &next);

	assert_int_equal(now.state, before.state);
	assert_true(now.pending == before.pending);
	return rule;
}

static void assert_at(const struct session_state *s, u8 state, u64 pending)
{
	assert_int_equal(s->state, state);
	assert_true(s->pending == pending);
}

static void at(u8 state, u64 pending)
{
	now = (struct session_state){ state, pending };
	next = (struct session_state){ 0xee, 0xee };
}

static void a_session_starts_in_its_first_state_with_nothing_asked(void **state)
{
	struct session_table ajar = door;

	(void)state;
	ajar.start = OPEN;
	at(STUCK, ~0ull);
	session_start(&ajar, &now);
	assert_at(&now, OPEN, 0);
}

static void a_request_moves_the_session_and_is_outstanding(void **state)
{
	(void)state;
	at(SHUT, 0);
	assert_int_equal(say(ASK, 0), 0);
	assert_at(&next, ASKING, ASKED);
}

static void an_answer_ends_its_request_and_no_other(void **state)
{
	(void)state;
	at(ASKING, ASKED | NOTED_DOWN);
	assert_int_equal(hear(ANSWER, YES), 0);
	assert_at(&next, OPEN, NOTED_DOWN);
}

static void of_several_lines_the_first_whose_guard_holds_is_taken(void **state)
{
	(void)state;
	at(ASKING, ASKED);
	assert_int_equal(hear(ANSWER, YES | DOUBTFUL), 0);
	assert_at(&next, OPEN, 0);
	assert_int_equal(hear(ANSWER, DOUBTFUL), 0);
	assert_at(&next, STUCK, 0);
	assert_int_equal(hear(ANSWER, 0), 0);
	assert_at(&next, SHUT, 0);
}

static void a_line_without_a_next_state_stays(void **state)
{
	(void)state;
	at(OPEN, ASKED);
	assert_int_equal(hear(KNOCK, 0), 0);
	assert_at(&next, OPEN, ASKED);
	at(SHUT, 0);
	assert_int_equal(hear(KNOCK, 0), 0);
	assert_at(&next, SHUT, 0);
}

static void what_no_line_of_the_state_allows_breaks_the_rule_of_the_state(void **state)
{
	(void)state;
	at(STUCK, ASKED);
	assert_int_equal(hear(KNOCK, 0), KNOCK_STATE);
	assert_int_equal(hear(ANSWER, YES), ANSWER_STATE);
	assert_int_equal(say(ASK, 0), ASK_STATE);
	assert_int_equal(say(NOTE, YES), NOTE_STATE);
	at(ASKING, ASKED);
	assert_int_equal(hear(SHUT_NOW, 0), SHUT_STATE);
}

static void an_answer_without_its_request_is_unsolicited(void **state)
{
	(void)state;
	at(ASKING, 0);
	assert_int_equal(hear(ANSWER, YES), ANSWER_UNSOLICITED);
	at(ASKING, NOTED_DOWN);
	assert_int_equal(hear(ANSWER, YES), ANSWER_UNSOLICITED);
	at(OPEN, ASKED);
	assert_int_equal(hear(NOTED, 0), NOTED_UNSOLICITED);
}

static void the_state_is_looked_at_before_the_request(void **state)
{
	(void)state;
	at(SHUT, 0);
	assert_int_equal(hear(ANSWER, YES), ANSWER_STATE);
	at(STUCK, ASKED);
	assert_int_equal(say(ASK, 0), ASK_STATE);
}

static void a_request_is_not_sent_while_another_is_outstanding(void **state)
{
	(void)state;
	at(ASKING, ASKED);
	assert_int_equal(say(ASK, 0), ASK_OUTSTANDING);
	at(ASKING, NOTED_DOWN);
	assert_int_equal(say(ASK, 0), 0);
	assert_at(&next, ASKING, ASKED | NOTED_DOWN);
	assert_int_equal(say(NOTE, 0), NOTE_OUTSTANDING);
}

static void messages_the_session_does_not_know_are_strangers(void **state)
{
	(void)state;
	at(OPEN, 0);
	assert_int_equal(hear(UNHEARD_OF, 0), STRANGER);
	assert_int_equal(say(UNHEARD_OF, 0), STRANGER);
	assert_int_equal(hear(ASK, 0), STRANGER);
	assert_int_equal(say(ANSWER, 0), STRANGER);
}

static void cancel_forgets_every_request(void **state)
{
	(void)state;
	at(OPEN, ASKED | NOTED_DOWN);
	assert_int_equal(hear(SHUT_NOW, 0), 0);
	assert_at(&next, SHUT, 0);
	at(ASKING, ASKED | NOTED_DOWN);
	assert_int_equal(hear(ANSWER, DOUBTFUL), 0);
	assert_at(&next, STUCK, 0);
}

static void cancel_forgets_also_the_request_just_sent(void **state)
{
	(void)state;
	at(ASKING, ASKED);
	assert_int_equal(say(NOTE, YES), 0);
	assert_at(&next, ASKING, 0);
	assert_int_equal(say(NOTE, 0), 0);
	assert_at(&next, ASKING, ASKED | NOTED_DOWN);
}

static void nothing_is_written_when_an_event_is_refused(void **state)
{
	(void)state;
	at(STUCK, ASKED);
	assert_int_equal(hear(KNOCK, 0), KNOCK_STATE);
	assert_at(&next, 0xee, 0xee);
	assert_int_equal(say(ASK, 0), ASK_STATE);
	assert_at(&next, 0xee, 0xee);
}

static void a_deadline_moves_the_session_and_cancels(void **state)
{
	(void)state;
	at(ASKING, ASKED);
	assert_true(session_local(&door, &now, AFTER_DEADLINE));
	assert_at(&now, STUCK, 0);
}

static void a_decision_of_our_own_keeps_what_is_outstanding(void **state)
{
	(void)state;
	at(ASKING, ASKED);
	assert_true(session_local(&door, &now, LOCAL_FORCE));
	assert_at(&now, OPEN, ASKED);
}

static void a_deadline_that_means_nothing_changes_nothing(void **state)
{
	(void)state;
	at(OPEN, ASKED);
	assert_false(session_local(&door, &now, AFTER_DEADLINE));
	assert_at(&now, OPEN, ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_are_right_at_any_address),
		cmocka_unit_test(stores_are_right_at_any_address),
		cmocka_unit_test(an_index_in_bounds_stays_what_it_is),
		cmocka_unit_test(an_index_out_of_bounds_becomes_zero),
		cmocka_unit_test(ranges_with_a_byte_in_common_overlap),
		cmocka_unit_test(ranges_that_touch_do_not_overlap),
		cmocka_unit_test(an_empty_range_overlaps_nothing),
		cmocka_unit_test(a_range_is_copied_whole),
		cmocka_unit_test(an_absent_range_is_copied_as_nothing),
		cmocka_unit_test(ascii_goes_from_1_to_127),
		cmocka_unit_test(terminated_ascii_has_a_nul),
		cmocka_unit_test(padded_ascii_may_fill_its_field),
		cmocka_unit_test(nothing_is_looked_at_behind_the_nul),
		cmocka_unit_test(utf16_takes_all_but_surrogates_singly),
		cmocka_unit_test(surrogates_come_in_pairs),
		cmocka_unit_test(a_high_surrogate_without_a_low_one_is_no_text),
		cmocka_unit_test(a_low_surrogate_alone_is_no_text),
		cmocka_unit_test(utf16_has_an_even_size),
		cmocka_unit_test(terminated_utf16_has_a_nul),
		cmocka_unit_test(padded_utf16_may_fill_its_field),
		cmocka_unit_test(a_session_starts_in_its_first_state_with_nothing_asked),
		cmocka_unit_test(a_request_moves_the_session_and_is_outstanding),
		cmocka_unit_test(an_answer_ends_its_request_and_no_other),
		cmocka_unit_test(of_several_lines_the_first_whose_guard_holds_is_taken),
		cmocka_unit_test(a_line_without_a_next_state_stays),
		cmocka_unit_test(what_no_line_of_the_state_allows_breaks_the_rule_of_the_state),
		cmocka_unit_test(an_answer_without_its_request_is_unsolicited),
		cmocka_unit_test(the_state_is_looked_at_before_the_request),
		cmocka_unit_test(a_request_is_not_sent_while_another_is_outstanding),
		cmocka_unit_test(messages_the_session_does_not_know_are_strangers),
		cmocka_unit_test(cancel_forgets_every_request),
		cmocka_unit_test(cancel_forgets_also_the_request_just_sent),
		cmocka_unit_test(nothing_is_written_when_an_event_is_refused),
		cmocka_unit_test(a_deadline_moves_the_session_and_cancels),
		cmocka_unit_test(a_decision_of_our_own_keeps_what_is_outstanding),
		cmocka_unit_test(a_deadline_that_means_nothing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
