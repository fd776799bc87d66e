/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the generated builders make: exactly the bytes that are to be sent, with zeros where
 * a field is unused or reserved, whatever the buffer held before (C-280 to C-283, R-140 to
 * ST-092). Nothing that breaks a rule leaves a builder, and nothing is written
 * outside of the room it was given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "control.h"
#include "ring.h"
#include "storage.h"

#define PAGE 4096

static struct control_context control;
static struct ring_context ring;
static struct storage_context storage;
static u8 to[20000];
static u32 room, size;

static const u8 endpoint[16] = { 0xe0, 0xe1, 0xe2, 0xe3 };
static const u8 service[16] = { 0x50, 0x51, 0x52, 0x53 };
static const u8 silo[16] = { 0x70, 0x71, 0x72, 0x73 };
static const u8 pfns[] = {
	0x34, 0x12, 0, 0, 0, 0, 0, 0, 0x35, 0x12, 0, 0, 0, 0, 0, 0, 0x36, 0x12, 0, 0, 0, 0, 0, 0,
};
static const u8 user[3] = { 0xaa, 0xbb, 0xcc };
static const u8 zeros[240];

#define slice(array) (struct wire_slice){ array, sizeof(array) }
#define part(array, bytes) (struct wire_slice){ array, bytes }

static int begin(void **state)
{
	(void)state;
	control = (struct control_context){
		.version = CONTROL_VERSION_5_3, .relid_max = 2047, .subchannel_max = 64,
	};
	ring = (struct ring_context){
		.ring_bytes = 31 * PAGE, .available = 4096, .buffer_bytes = 4096, .ranges_max = 64,
		.transfer_bytes = PAGE,
	};
	storage = (struct storage_context){
		.version = STORAGE_VERSION_6_0, .kind = STORAGE_PACKET_KIND_OURS, .transaction = 2,
		.max_transfer = 0x40000, .max_subchannels = 4,
	};
	return 0;
}

static void fill_with_stale_bytes(u32 bytes)
{
	memset(to, STALE, sizeof(to));
	room = bytes;
	size = 0xdead;
}

static void assert_untouched_behind(u32 bytes)
{
	u32 i;

	for (i = bytes; i < bytes + 512; i++)
		assert_int_equal(to[i], STALE);
}

/*
 * In a large room and in one of exactly its size, these bytes, then zeros, are made, and the
 * validator takes them; in every smaller room nothing.
 */
#define assert_builds(build, check, too_small, total, text) do {	\
		fill_with_stale_bytes(sizeof(to));			\
		assert_int_equal(build, 0);				\
		assert_built(to, size, text, total);			\
		assert_untouched_behind(total);				\
		assert_int_equal(check, 0);				\
		fill_with_stale_bytes(total);				\
		assert_int_equal(build, 0);				\
		assert_built(to, size, text, total);			\
		for (u32 less = 0; less < (total); less++) {		\
			fill_with_stale_bytes(less);			\
			assert_int_equal(build, too_small);		\
			assert_untouched_behind(less);			\
		}							\
	} while (0)

#define control_builds(NAME, name, total, text, ...) do {		\
		struct control_##name m = { __VA_ARGS__ }, view;	\
		assert_builds(control_build_##name(to, room, &control, &m, &size),	\
			      control_check_##name(to, size, &control, &view),		\
			      CONTROL_RULE_##NAME##_SIZE, total, text);			\
	} while (0)

#define ring_builds(NAME, name, total, text, ...) do {			\
		struct ring_##name m = { __VA_ARGS__ }, view;		\
		assert_builds(ring_build_##name(to, room, &ring, &m, &size),		\
			      ring_check_##name(to, size, &ring, &view),		\
			      RING_RULE_##NAME##_SIZE, total, text);			\
	} while (0)

/* Behind the "fixed" bytes of a request lies padding. */
#define storage_builds(NAME, name, fixed, total, text, ...) do {	\
		struct storage_##name m = { .header.flags = 1, __VA_ARGS__ }, view;	\
		assert_builds(storage_build_##name(to, room, &storage, &m, &size),	\
			      storage_check_##name(to, size, &storage, &view),		\
			      room < (fixed) ? STORAGE_RULE_##NAME##_SIZE : STORAGE_RULE_HEADER_SIZE,	\
			      total, text);						\
	} while (0)

#define control_refuses(rule, name, ...) do {				\
		struct control_##name m = { __VA_ARGS__ };		\
		fill_with_stale_bytes(sizeof(to));			\
		assert_int_equal(control_build_##name(to, room, &control, &m, &size),	\
				 CONTROL_RULE_##rule);					\
	} while (0)

#define ring_refuses(rule, name, ...) do {				\
		struct ring_##name m = { __VA_ARGS__ };			\
		fill_with_stale_bytes(sizeof(to));			\
		assert_int_equal(ring_build_##name(to, room, &ring, &m, &size),		\
				 RING_RULE_##rule);					\
	} while (0)

#define storage_refuses(rule, name, ...) do {				\
		struct storage_##name m = { .header.flags = 1, __VA_ARGS__ };		\
		fill_with_stale_bytes(sizeof(to));			\
		assert_int_equal(storage_build_##name(to, room, &storage, &m, &size),	\
				 STORAGE_RULE_##rule);					\
	} while (0)

/* ---- hypercalls ---- */

#define A_POST .connection_id = 4, .payload_size = 12, .payload = part(pfns, 12)

/* C-280: all 256 bytes, for the host may see all of them. */
static void a_posted_message_fills_its_page_with_zeros(void **state)
{
	struct control_post_message m = { A_POST }, view;

	(void)state;
	assert_builds(control_build_post_message(to, room, &m, &size),
		      control_check_post_message(to, size, &view), CONTROL_RULE_POST_MESSAGE_SIZE, 256,
		      "04 00 00 00 | 00 00 00 00 | 01 00 00 00 | 0c 00 00 00 |"
		      "34 12 00 00 00 00 00 00 35 12 00 00");
}

static int post(struct control_post_message m)
{
	fill_with_stale_bytes(sizeof(to));
	return control_build_post_message(to, room, &m, &size);
}

static void a_message_that_does_not_fit_a_post_is_not_posted(void **state)
{
	struct control_post_message m = { A_POST }, view;

	(void)state;
	m.connection_id = 0x1000000;
	assert_int_equal(post(m), CONTROL_RULE_POST_MESSAGE_CONNECTION_ID_RANGE);
	m.connection_id = 0;
	assert_int_equal(post(m), CONTROL_RULE_POST_MESSAGE_CONNECTION_ID_RANGE);
	m.connection_id = 4;
	m.payload_size = 7;
	assert_int_equal(post(m), CONTROL_RULE_POST_MESSAGE_PAYLOAD_SIZE_RANGE);
	m.payload_size = 16;		/* but 12 bytes of payload */
	assert_int_equal(post(m), CONTROL_RULE_POST_MESSAGE_UNUSED_BOUNDS);
	m.payload_size = 8;
	assert_int_equal(post(m), CONTROL_RULE_POST_MESSAGE_TRAILING);
	m.payload_size = 240;
	m.payload = slice(zeros);
	assert_int_equal(post(m), 0);
	to[4] = 1;
	assert_int_equal(control_check_post_message(to, size, &view), CONTROL_RULE_POST_MESSAGE_RESERVED_ZERO);
	to[4] = 0;
	to[8] = 2;
	assert_int_equal(control_check_post_message(to, size, &view), CONTROL_RULE_POST_MESSAGE_TYPE_VALUE);
	to[8] = 1;
	assert_int_equal(control_check_post_message(to, 255, &view), CONTROL_RULE_POST_MESSAGE_PAYLOAD_BOUNDS);
}

static void a_signal_names_a_connection_and_a_flag_if_it_may(void **state)
{
	(void)state;
	control_builds(SIGNAL_EVENT, signal_event, 8, "05 20 00 00 00 00 00 00", .connection_id = 0x2005);
	control_refuses(SIGNAL_EVENT_OWN_FLAG, signal_event, .connection_id = 5, .flag = 1);
	control_refuses(SIGNAL_EVENT_CONNECTION_ID_RANGE, signal_event, .connection_id = 0);
	control_refuses(SIGNAL_EVENT_CONNECTION_ID_RANGE, signal_event, .connection_id = 0x1000000);
	control.features = CONTROL_FEATURE_GUEST_SIGNALS;
	control_builds(SIGNAL_EVENT, signal_event, 8, "05 00 00 00 ff 07 00 00", .connection_id = 5, .flag = 2047);
	control_refuses(SIGNAL_EVENT_FLAG_LIMIT, signal_event, .connection_id = 5, .flag = 2048);
}

/* ---- control messages ---- */

/* C-283 */
static void a_contact_before_5_0_has_an_interrupt_page(void **state)
{
	(void)state;
	control.version = CONTROL_VERSION_4_1;
	control_builds(INITIATE_CONTACT, initiate_contact, 40,
		       "0e 00 00 00 00 00 00 00 | 01 00 04 00 | 03 00 00 00 | 00 10 00 00 00 00 00 00 |"
		       "00 20 00 00 01 00 00 00 | 00 30 00 00 01 00 00 00",
		       .requested = 0x40001, .target_vp = 3, .interrupt_page = 0x1000,
		       .vtl = 2, .asked = 1,		/* not known to this version */
		       .monitors = { 0x100002000, 0x100003000 });
	control_refuses(INITIATE_CONTACT_INTERRUPT_PAGE_MULTIPLE, initiate_contact,
			.requested = 0x40001, .interrupt_page = 0x1008);
}

/* C-283 */
static void a_contact_from_5_0_on_names_an_interrupt_source(void **state)
{
	(void)state;
	control_builds(INITIATE_CONTACT, initiate_contact, 40,
		       "0e 00 00 00 00 00 00 00 | 03 00 05 00 | 00 00 00 00 | 02 02 00 00 00 00 00 00",
		       .requested = 0x50003, .vtl = 2, .interrupt_page = 0x1000);
	control.version = CONTROL_VERSION_5_0;
	control_refuses(INITIATE_CONTACT_ASKED_VTL, initiate_contact, .requested = 0x50000, .vtl = 2);
}

static void a_contact_of_6_0_asks_for_features_and_says_who_we_are(void **state)
{
	(void)state;
	control.version = CONTROL_VERSION_6_0;
	control_builds(INITIATE_CONTACT, initiate_contact, 40,
		       "0e 00 00 00 00 00 00 00 | 00 00 06 00 | 00 00 00 00 | 02 00 00 00 00 00 00 00",
		       .requested = 0x60000, .client = slice(endpoint));
	control.features = CONTROL_FEATURE_CLIENT_ID | CONTROL_FEATURE_PAUSE;
	control_builds(INITIATE_CONTACT, initiate_contact, 56,
		       "0e 00 00 00 00 00 00 00 | 00 00 06 00 | 00 00 00 00 | 02 00 00 00 28 00 00 00 |"
		       "00 00 00 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | e0 e1 e2 e3",
		       .requested = 0x60000, .asked = 0x28, .client = slice(endpoint));
}

static void a_contact_that_breaks_a_rule_is_not_made(void **state)
{
	(void)state;
	control_refuses(INITIATE_CONTACT_REQUESTED_VALUE, initiate_contact, .requested = 0x50002);
	control_refuses(INITIATE_CONTACT_VTL_LIMIT, initiate_contact, .requested = 0x50003, .vtl = 3);
	control_refuses(INITIATE_CONTACT_ASKED_VERSION, initiate_contact, .requested = 0x50003, .asked = 1);
	control_refuses(INITIATE_CONTACT_ASKED_RESERVED, initiate_contact, .requested = 0x50003, .asked = 0x100);
	control_refuses(MONITOR_PAGES_TO_GUEST_MULTIPLE, initiate_contact, .requested = 0x50003,
			.monitors = { 0x1001, 0x2000 });
	control_refuses(MONITOR_PAGES_TO_HOST_MULTIPLE, initiate_contact, .requested = 0x50003,
			.monitors = { 0x1000, 0x2800 });
	control_refuses(MONITOR_PAGES_BOTH_OR_NEITHER, initiate_contact, .requested = 0x50003,
			.monitors = { 0x1000, 0 });
	control_refuses(MONITOR_PAGES_BOTH_OR_NEITHER, initiate_contact, .requested = 0x50003,
			.monitors = { 0, 0x1000 });
	control.version = CONTROL_VERSION_6_0;
	control_refuses(INITIATE_CONTACT_ASKED_FEATURES, initiate_contact, .requested = 0x60000, .asked = 1);
	control.features = CONTROL_FEATURE_CLIENT_ID | CONTROL_FEATURE_PAUSE;
	control_refuses(INITIATE_CONTACT_SIZE, initiate_contact, .requested = 0x60000, .asked = 0x28,
			.client = part(zeros, 17));
}

static void messages_without_fields_are_a_header(void **state)
{
	(void)state;
	control.version = CONTROL_VERSION_6_0;
	control.features = CONTROL_FEATURE_PAUSE;
	control_builds(REQUEST_OFFERS, request_offers, 8, "03 00 00 00 00 00 00 00");
	control_builds(UNLOAD, unload, 8, "10 00 00 00 00 00 00 00");
	control_builds(PAUSE, pause, 8, "1b 00 00 00 00 00 00 00");
	control_builds(RESUME, resume, 8, "1d 00 00 00 00 00 00 00");
	control.features = 0;
	control_refuses(PAUSE_WHEN, pause);
	control_refuses(RESUME_WHEN, resume);
}

static void monitor_pages_are_changed_if_they_are_ours(void **state)
{
	(void)state;
	control.version = CONTROL_VERSION_6_0;
	control.features = CONTROL_FEATURE_MODIFY_CONNECTION;
	control_builds(MODIFY_CONNECTION, modify_connection, 24,
		       "19 00 00 00 00 00 00 00 | 00 20 00 00 00 00 00 00 | 00 30 00 00",
		       .monitors = { 0x2000, 0x3000 });
	control.features |= CONTROL_FEATURE_HOST_MONITORS;
	control_refuses(MODIFY_CONNECTION_OWN_PAGES, modify_connection);
	control.features = 0;
	control_refuses(MODIFY_CONNECTION_WHEN, modify_connection);
}

#define AN_OPEN .relid = 5, .open_id = 77, .ring = 0xe1e10001, .target_vp = 3, .downstream_page = 16
#define ZEROS_28 " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
#define OPEN_BYTES "05 00 00 00 00 00 00 00 | 05 00 00 00 | 4d 00 00 00 | 01 00 e1 e1 | 03 00 00 00 | 10 00 00 00 |"

/* C-281: a short user area is followed by zeros. */
static void an_open_leaves_nothing_stale_in_its_user_area(void **state)
{
	(void)state;
	control_builds(OPEN, open, 148, OPEN_BYTES "aa bb cc", AN_OPEN, .user = slice(user),
		       .connection_id = 7, .event_flag = 9, .redirect_interrupts = 1);	/* not agreed */
	control_refuses(OPEN_SIZE, open, AN_OPEN, .user = part(zeros, 121));
}

static void an_open_is_longer_where_features_need_it(void **state)
{
	(void)state;
	control.version = CONTROL_VERSION_6_0;
	control.features = CONTROL_FEATURE_GUEST_SIGNALS | CONTROL_FEATURE_REDIRECT_INTERRUPTS;
	control_builds(OPEN, open, 156, OPEN_BYTES "aa bb cc 00 00 00 00 00" ZEROS_28 ZEROS_28 ZEROS_28 ZEROS_28
		       "| 05 20 01 00 | 09 00 | 01 00", AN_OPEN, .user = slice(user),
		       .connection_id = 0x12005, .event_flag = 9, .redirect_interrupts = 1);
	control_refuses(OPEN_EVENT_FLAG_LIMIT, open, AN_OPEN, .event_flag = 2048);
	control_refuses(OPEN_CONNECTION_ID_LIMIT, open, AN_OPEN, .connection_id = 0x1000000);
	control.features = CONTROL_FEATURE_GUEST_SIGNALS;
	control_refuses(OPEN_REDIRECT_GRANTED, open, AN_OPEN, .redirect_interrupts = 1);
	control.features = CONTROL_FEATURE_REDIRECT_INTERRUPTS;
	control_refuses(OPEN_SIGNALS_GRANTED, open, AN_OPEN, .event_flag = 1);
	control_refuses(OPEN_SIGNALS_GRANTED, open, AN_OPEN, .connection_id = 1);
}

/* C-227 */
static void an_open_that_breaks_a_rule_is_not_made(void **state)
{
	(void)state;
	control_refuses(OPEN_RELID_RANGE, open, .open_id = 1, .ring = 1, .downstream_page = 1);
	control_refuses(OPEN_RELID_RANGE, open, .relid = 2048, .open_id = 1, .ring = 1, .downstream_page = 1);
	control_refuses(OPEN_OPEN_ID_VALUE, open, .relid = 5, .ring = 1, .downstream_page = 1);
	control_refuses(OPEN_RING_VALUE, open, .relid = 5, .open_id = 1, .downstream_page = 1);
	control_refuses(OPEN_DOWNSTREAM_PAGE_RANGE, open, .relid = 5, .open_id = 1, .ring = 1);
	control_refuses(OPEN_DOWNSTREAM_PAGE_RANGE, open, .relid = 5, .open_id = 1, .ring = 1,
			.downstream_page = 8190);
}

static void messages_about_a_channel_name_it(void **state)
{
	(void)state;
	control_builds(CLOSE, close, 12, "07 00 00 00 00 00 00 00 | ff 07 00 00", .relid = 2047);
	control_builds(RELID_RELEASED, relid_released, 12, "0d 00 00 00 00 00 00 00 | ff 07 00 00", .relid = 2047);
	control_builds(MODIFY_CHANNEL, modify_channel, 16, "16 00 00 00 00 00 00 00 | 05 00 00 00 | 03 00 00 00",
		       .relid = 5, .target_vp = 3);
	control_refuses(CLOSE_RELID_RANGE, close, .relid = 2048);
	control_refuses(RELID_RELEASED_RELID_RANGE, relid_released, .relid = 0);
	control_refuses(MODIFY_CHANNEL_RELID_RANGE, modify_channel, .relid = 0);
	control_refuses(MODIFY_CHANNEL_TARGET_VP_VALUE, modify_channel, .relid = 5, .target_vp = 0xffffffff);
	control.version = CONTROL_VERSION_4_0;
	control_refuses(MODIFY_CHANNEL_WHEN, modify_channel, .relid = 5);
}

static void reserved_channels_say_where_they_want_their_answer(void **state)
{
	(void)state;
	control_builds(OPEN_RESERVED, open_reserved, 28,
		       "12 00 00 00 00 00 00 00 | 05 00 00 00 | 03 00 00 00 | 0f 00 00 00 |"
		       "01 00 e1 e1 | 10 00 00 00", .relid = 5, .target_vp = 3, .target_sint = 15,
		       .ring = 0xe1e10001, .downstream_page = 16);
	control_builds(CLOSE_RESERVED, close_reserved, 20,
		       "13 00 00 00 00 00 00 00 | 05 00 00 00 | 03 00 00 00 | 0f 00 00 00",
		       .relid = 5, .target_vp = 3, .target_sint = 15);
	control_refuses(CLOSE_RESERVED_TARGET_SINT_LIMIT, close_reserved, .relid = 5, .target_sint = 16);
	control_refuses(CLOSE_RESERVED_RELID_RANGE, close_reserved, .relid = 0);
	control_refuses(OPEN_RESERVED_TARGET_SINT_LIMIT, open_reserved, .relid = 5, .target_sint = 16);
	control_refuses(OPEN_RESERVED_RELID_RANGE, open_reserved, .relid = 0);
	control_refuses(OPEN_RESERVED_RING_VALUE, open_reserved, .relid = 5);
	control_refuses(OPEN_RESERVED_DOWNSTREAM_PAGE_RANGE, open_reserved, .relid = 5, .ring = 1);
	control.version = CONTROL_VERSION_3_0;
	control_refuses(OPEN_RESERVED_WHEN, open_reserved, .relid = 5, .ring = 1, .downstream_page = 1);
}

/* C-226 */
static void a_gpadl_names_the_pages_its_bytes_cover(void **state)
{
	(void)state;
	control_builds(GPADL_HEADER, gpadl_header, 52,
		       "08 00 00 00 00 00 00 00 | 05 00 00 00 | 01 00 e1 e1 | 20 00 | 01 00 |"
		       "00 20 00 00 | 00 02 00 00 | 34 12 00 00 00 00 00 00 | 35 12 00 00 00 00 00 00 |"
		       "36 12 00 00 00 00 00 00", .relid = 5, .handle = 0xe1e10001, .range_bytes = 32,
		       .byte_count = 0x2000, .byte_offset = 0x200, .pfns = slice(pfns));
	control_refuses(GPADL_HEADER_COVERED, gpadl_header, .relid = 5, .handle = 1, .range_bytes = 32,
			.byte_count = 0x2000, .pfns = slice(pfns));
	control_refuses(GPADL_HEADER_COVERED, gpadl_header, .relid = 5, .handle = 1, .range_bytes = 16,
			.byte_count = PAGE, .byte_offset = 1, .pfns = part(pfns, 8));
}

static void a_gpadl_that_breaks_a_rule_is_not_made(void **state)
{
	(void)state;
	control_refuses(GPADL_HEADER_RELID_RANGE, gpadl_header, .handle = 1, .range_bytes = 16, .byte_count = 8);
	control_refuses(GPADL_HEADER_HANDLE_VALUE, gpadl_header, .relid = 5, .range_bytes = 16, .byte_count = 8);
	control_refuses(GPADL_HEADER_RANGE_BYTES_RANGE, gpadl_header, .relid = 5, .handle = 1, .range_bytes = 8);
	control_refuses(GPADL_HEADER_RANGE_BYTES_RANGE, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 8 + 8 * 8190 + 1);
	control_refuses(GPADL_HEADER_RANGE_BYTES_MULTIPLE, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 20, .byte_count = 8);
	control_refuses(GPADL_HEADER_BYTE_COUNT_RANGE, gpadl_header, .relid = 5, .handle = 1, .range_bytes = 16);
	control_refuses(GPADL_HEADER_BYTE_OFFSET_LIMIT, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 16, .byte_count = 8, .byte_offset = PAGE);
	control_refuses(GPADL_HEADER_PFNS_BOUNDS, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 16, .byte_count = 8);
	control_refuses(GPADL_HEADER_TRAILING, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 16, .byte_count = 8, .pfns = part(pfns, 16));
	control_refuses(GPADL_HEADER_SIZE, gpadl_header, .relid = 5, .handle = 1,
			.range_bytes = 8 + 8 * 27, .byte_count = 27 * PAGE, .pfns = part(zeros, 216));
}

/* C-282 */
static void the_header_of_a_long_gpadl_is_full(void **state)
{
	(void)state;
	control_builds(GPADL_HEADER, gpadl_header, 236,
		       "08 00 00 00 00 00 00 00 | 05 00 00 00 | 01 00 e1 e1 | e0 00 | 01 00 |"
		       "00 b0 01 00 | 00 00 00 00 | 34 12 00 00 00 00 00 00", .relid = 5, .handle = 0xe1e10001,
		       .range_bytes = 8 + 8 * 27, .byte_count = 27 * PAGE, .pfns = part(pfns, 8));
	control_builds(GPADL_BODY, gpadl_body, 24,
		       "09 00 00 00 00 00 00 00 | 00 00 00 00 | 01 00 e1 e1 | 34 12 00 00 00 00 00 00",
		       .handle = 0xe1e10001, .pfns = part(pfns, 8));
	control_builds(GPADL_BODY, gpadl_body, 240, "09 00 00 00 00 00 00 00 | 00 00 00 00 | 01 00 e1 e1",
		       .handle = 0xe1e10001, .pfns = part(zeros, 224));
}

static void a_body_holds_whole_frames_and_fits_a_message(void **state)
{
	(void)state;
	control_refuses(GPADL_BODY_HANDLE_VALUE, gpadl_body, .pfns = part(pfns, 8));
	control_refuses(GPADL_BODY_PART, gpadl_body, .handle = 1);
	control_refuses(GPADL_BODY_PART, gpadl_body, .handle = 1, .pfns = part(zeros, 232));
	control_refuses(GPADL_BODY_PFNS_WHOLE, gpadl_body, .handle = 1, .pfns = part(pfns, 12));
}

static void a_gpadl_is_torn_down_by_its_handle(void **state)
{
	(void)state;
	control_builds(GPADL_TEARDOWN, gpadl_teardown, 16, "0b 00 00 00 00 00 00 00 | 05 00 00 00 | 01 00 e1 e1",
		       .relid = 5, .handle = 0xe1e10001);
	control_refuses(GPADL_TEARDOWN_HANDLE_VALUE, gpadl_teardown, .relid = 5);
	control_refuses(GPADL_TEARDOWN_RELID_RANGE, gpadl_teardown, .handle = 1);
}

static void a_socket_that_connects_names_both_ends(void **state)
{
	(void)state;
	control_builds(TL_CONNECT, tl_connect, 56,
		       "15 00 00 00 00 00 00 00 | e0 e1 e2 e3 00 00 00 00 00 00 00 00 00 00 00 00 |"
		       "50 51 52 53 00 00 00 00 00 00 00 00 00 00 00 00 | 70 71 72 73",
		       .endpoint = slice(endpoint), .service = slice(service), .silo = slice(silo));
	control.version = CONTROL_VERSION_5_1;
	control_builds(TL_CONNECT, tl_connect, 40,
		       "15 00 00 00 00 00 00 00 | e0 e1 e2 e3 00 00 00 00 00 00 00 00 00 00 00 00 | 50 51 52 53",
		       .endpoint = slice(endpoint), .service = slice(service), .silo = slice(silo));
	control_refuses(TL_CONNECT_SIZE, tl_connect, .endpoint = part(zeros, 17), .service = slice(service));
	control_refuses(TL_CONNECT_SIZE, tl_connect, .endpoint = slice(endpoint), .service = part(zeros, 17));
	control.version = CONTROL_VERSION_5_3;
	control_refuses(TL_CONNECT_SIZE, tl_connect, .endpoint = slice(endpoint), .service = slice(service),
			.silo = part(zeros, 17));
	control.version = CONTROL_VERSION_3_0;
	control_refuses(TL_CONNECT_WHEN, tl_connect, .endpoint = slice(endpoint), .service = slice(service));
}

/* ---- ring packets ---- */

#define PLAIN(length) .offset8 = 2, .length8 = length

/* */
static void an_in_band_packet_carries_a_storage_request(void **state)
{
	struct storage_query_version query = { .header.flags = 1, .proposed = 0x600 };
	u8 request[64];
	u32 bytes;

	(void)state;
	memset(request, STALE, sizeof(request));
	assert_int_equal(storage_build_query_version(request, sizeof(request), &storage, &query, &bytes), 0);
	ring_builds(OUR_IN_BAND, our_in_band, 80,
		    "06 00 02 00 0a 00 01 00 | 02 00 00 00 00 00 00 00 |"
		    "09 00 00 00 01 00 00 00 00 00 00 00 | 00 06 00 00",
		    .header = { PLAIN(10), .flags = 1, .transaction = 2 }, .payload = { request, bytes });
}

/* */
static void a_completion_repeats_the_number_of_its_request(void **state)
{
	static const u8 returned[] = { 0x6c, 0, 0, 0, 1, 0, 0, 0 };

	(void)state;
	ring_builds(OUR_COMPLETION, our_completion, 24,
		    "0b 00 02 00 03 00 00 00 | 88 77 66 55 44 33 22 11 | 6c 00 00 00 01 00 00 00",
		    .header = { PLAIN(3), .transaction = 0x1122334455667788 }, .payload = slice(returned));
	ring_refuses(OUR_COMPLETION_SILENT, our_completion, .header = { PLAIN(3), .flags = 1 },
		     .payload = slice(returned));
	ring_refuses(OUR_COMPLETION_PLAIN, our_completion, .header = { .offset8 = 3, .length8 = 3 },
		     .payload = slice(returned));
	ring_refuses(OUR_COMPLETION_WHOLE, our_completion, .header = { PLAIN(4) }, .payload = slice(returned));
}

/* */
static void an_in_band_packet_that_breaks_a_rule_is_not_made(void **state)
{
	(void)state;
	ring_refuses(OUR_IN_BAND_HAS_ID, our_in_band, .header = { PLAIN(2), .flags = 1 });
	ring_refuses(OUR_IN_BAND_PLAIN, our_in_band, .header = { .offset8 = 3, .length8 = 3, .transaction = 2 });
	ring_refuses(OUR_IN_BAND_WHOLE, our_in_band, .header = { PLAIN(2) }, .payload = part(zeros, 8));
	ring_refuses(HEADER_FLAGS_RESERVED, our_in_band, .header = { PLAIN(2), .flags = 4 });
	ring.available = 31;
	ring_refuses(HEADER_IN_RING, our_in_band, .header = { PLAIN(3) }, .payload = part(zeros, 8));
}

/* One range: a byte count, an offset into its first page, and its frames. */
static const u8 range[] = {
	0x00, 0x20, 0, 0, 0x00, 0x02, 0, 0, 0x34, 0x12, 0, 0, 0, 0, 0, 0,
	0x35, 0x12, 0, 0, 0, 0, 0, 0, 0x36, 0x12, 0, 0, 0, 0, 0, 0,
};

static const u8 read_10[16] = { 0x28, 0, 0, 0, 0x10, 0, 0, 0, 0x10 };

#define A_READ .length = 52, .lun = 1, .cdb_length = 16, .sense_room = 20, .direction = 1, \
	.transfer_length = 0x2000, .cdb = slice(read_10), .queue_tag = 0xff, .queue_action = 0x20, \
	.srb_flags = 0x14a, .timeout = 60
#define READ_BYTES "03 00 00 00 01 00 00 00 00 00 00 00 | 34 00 00 00 | 00 00 00 01 | 10 14 01 00 | 00 20 00 00 |" \
	"28 00 00 00 10 00 00 00 10 00 00 00 00 00 00 00 | 00 00 00 00 | 00 00 ff 20 | 4a 01 00 00 | 3c 00 00 00 |" \
	"00 00 00 00"

/* */
static void a_read_of_eight_kilobytes_names_three_frames(void **state)
{
	struct storage_execute_srb m = { .header.flags = 1, A_READ };
	u8 request[64];
	u32 bytes;

	(void)state;
	memset(request, STALE, sizeof(request));
	assert_int_equal(storage_build_execute_srb(request, sizeof(request), &storage, &m, &bytes), 0);
	ring_builds(GPA_DIRECT, gpa_direct, 120,
		    "09 00 07 00 0f 00 01 00 | 06 00 00 00 00 00 00 00 | 00 00 00 00 | 01 00 00 00 |"
		    "00 20 00 00 | 00 02 00 00 | 34 12 00 00 00 00 00 00 | 35 12 00 00 00 00 00 00 |"
		    "36 12 00 00 00 00 00 00 |" READ_BYTES,
		    .header = { .offset8 = 7, .length8 = 15, .flags = 1, .transaction = 6 },
		    .range_count = 1, .ranges = slice(range), .payload = { request, bytes });
}

#define A_DIRECT(offset, length) .header = { .offset8 = offset, .length8 = length, .flags = 1, .transaction = 6 }

static void frames_that_break_a_rule_are_not_named(void **state)
{
	static const u8 off_its_page[] = { 1, 0, 0, 0, 0x00, 0x10, 0, 0 };

	(void)state;
	ring_refuses(GPA_DIRECT_IN_FRONT, gpa_direct, A_DIRECT(8, 8), .range_count = 1, .ranges = slice(range),
		     .payload = part(zeros, 8));
	ring_refuses(GPA_DIRECT_WHOLE, gpa_direct, A_DIRECT(7, 7), .range_count = 1, .ranges = slice(range),
		     .payload = part(zeros, 8));
	ring_refuses(GPA_DIRECT_RANGE_COUNT_RANGE, gpa_direct, A_DIRECT(7, 7), .ranges = slice(range));
	ring_refuses(GPA_DIRECT_EXTENDED, gpa_direct, A_DIRECT(2, 7), .range_count = 1, .ranges = slice(range));
	ring_refuses(GPA_DIRECT_HAS_ID, gpa_direct, .header = { .offset8 = 7, .length8 = 7, .flags = 1 },
		     .range_count = 1, .ranges = slice(range));
	ring_refuses(GPA_RANGE_PFNS_BOUNDS, gpa_direct, A_DIRECT(6, 6), .range_count = 1,
		     .ranges = part(range, 24));
	ring_refuses(GPA_RANGE_BYTE_COUNT_RANGE, gpa_direct, A_DIRECT(4, 4), .range_count = 1,
		     .ranges = part(zeros, 8));
	ring_refuses(GPA_RANGE_SIZE, gpa_direct, A_DIRECT(7, 7), .range_count = 2, .ranges = slice(range));
	ring_refuses(GPA_RANGE_BYTE_OFFSET_LIMIT, gpa_direct, A_DIRECT(4, 4), .range_count = 1,
		     .ranges = slice(off_its_page));
}

static void a_pipe_packet_says_how_much_it_carries(void **state)
{
	struct ring_pipe_packet m = { .length = 3, .data = slice(user) }, view;

	(void)state;
	assert_builds(ring_build_pipe_packet(to, room, &m, &size), ring_check_pipe_packet(to, size, &view),
		      RING_RULE_PIPE_PACKET_SIZE, 11, "01 00 00 00 | 03 00 00 00 | aa bb cc");
	m.length = 4;
	assert_int_equal(ring_build_pipe_packet(to, sizeof(to), &m, &size), RING_RULE_PIPE_PACKET_DATA_BOUNDS);
	m.length = 16385;
	assert_int_equal(ring_build_pipe_packet(to, sizeof(to), &m, &size), RING_RULE_PIPE_PACKET_LENGTH_LIMIT);
}

/* ---- storage requests ---- */

/* ST-092 */
static void requests_of_the_handshake_are_zero_but_for_their_fields(void **state)
{
	(void)state;
	storage_builds(BEGIN_INITIALIZATION, begin_initialization, 12, 64, "07 00 00 00 01 00 00 00");
	storage_builds(QUERY_VERSION, query_version, 16, 64, "09 00 00 00 01 00 00 00 00 00 00 00 | 00 06 00 00",
		       .proposed = 0x600);
	storage_builds(QUERY_PROPERTIES, query_properties, 12, 64, "0a 00 00 00 01 00 00 00");
	storage_builds(END_INITIALIZATION, end_initialization, 12, 64, "08 00 00 00 01 00 00 00");
	storage_builds(CREATE_SUBCHANNELS, create_subchannels, 14, 64, "0d 00 00 00 01 00 00 00 00 00 00 00 | 04 00",
		       .count = 4);
	storage.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	storage_builds(QUERY_NAMES, query_names, 12, 64, "0c 00 00 00 01 00 00 00");
	storage.version = STORAGE_VERSION_4_2;
	storage_builds(END_INITIALIZATION, end_initialization, 12, 48, "08 00 00 00 01 00 00 00");
}

static void requests_that_break_a_rule_are_not_made(void **state)
{
	struct storage_begin_initialization unanswered = { .header.flags = 0 };

	(void)state;
	assert_int_equal(storage_build_begin_initialization(to, sizeof(to), &storage, &unanswered, &size),
			 STORAGE_RULE_HEADER_ASKS_CLEANLY);
	storage_refuses(HEADER_ASKS_CLEANLY, begin_initialization, .header.status = 1);
	storage_refuses(QUERY_VERSION_PROPOSED_VALUE, query_version, .proposed = 0x602);
	storage_refuses(CREATE_SUBCHANNELS_COUNT_RANGE, create_subchannels, .count = 5);
	storage_refuses(CREATE_SUBCHANNELS_COUNT_RANGE, create_subchannels, .count = 0);
	storage_refuses(QUERY_NAMES_WHEN, query_names);
	storage_refuses(RESET_WHEN, reset, .header.operation = STORAGE_OPERATION_EXECUTE_SRB);
	storage.device = STORAGE_DEVICE_KIND_IDE;
	storage_refuses(CREATE_SUBCHANNELS_WHEN, create_subchannels, .count = 1);
}

static void a_reset_says_what_it_resets(void **state)
{
	struct storage_reset view, a_reset = {
		.header = { .operation = STORAGE_OPERATION_RESET_BUS, .flags = 1 },
	};

	(void)state;
	storage_builds(RESET, reset, 20, 64, "04 00 00 00 01 00 00 00 00 00 00 00 | 00 00 00 00 | 01 02 03 04",
		       .header.operation = STORAGE_OPERATION_RESET_LUN, .port = 1, .path = 2, .target = 3, .lun = 4);
	assert_int_equal(storage_build_reset(to, sizeof(to), &storage, &a_reset, &size), 0);
	assert_int_equal(storage_check_reset(to, 65, &storage, &view), STORAGE_RULE_RESET_TRAILING);
	assert_int_equal(storage_check_reset(to, 63, &storage, &view), STORAGE_RULE_PADDING_AFTER_BYTES_BOUNDS);
}

static void a_command_is_as_long_as_its_version_has_it(void **state)
{
	(void)state;
	storage_builds(EXECUTE_SRB, execute_srb, 64, 64, READ_BYTES, A_READ);
	storage_refuses(EXECUTE_SRB_LONG_SRB, execute_srb, .length = 36, .cdb_length = 6, .sense_room = 20);
	storage.version = STORAGE_VERSION_4_2;
	storage_builds(EXECUTE_SRB, execute_srb, 48, 48,
		       "03 00 00 00 01 00 00 00 00 00 00 00 | 24 00 00 00 | 00 00 00 00 | 06 12 02 00",
		       .length = 36, .cdb_length = 6, .sense_room = 18, .direction = 2,
		       .queue_tag = 0xff, .timeout = 60);	/* not known to this version */
	storage_refuses(EXECUTE_SRB_SHORT_SRB, execute_srb, .length = 52, .cdb_length = 6, .sense_room = 18);
}

static void a_command_that_breaks_a_rule_is_not_made(void **state)
{
	(void)state;
	storage_refuses(EXECUTE_SRB_LENGTH_SET, execute_srb, .length = 40);
	storage_refuses(EXECUTE_SRB_CDB_LENGTH_RANGE, execute_srb, .length = 52, .cdb_length = 5);
	storage_refuses(EXECUTE_SRB_CDB_LENGTH_RANGE, execute_srb, .length = 52, .cdb_length = 17);
	storage_refuses(EXECUTE_SRB_SENSE_ROOM_SET, execute_srb, .length = 52, .cdb_length = 6, .sense_room = 19);
	storage_refuses(EXECUTE_SRB_DIRECTION_ENUM, execute_srb, .length = 52, .cdb_length = 6, .sense_room = 20,
			.direction = 3);
	storage_refuses(EXECUTE_SRB_TRANSFER_LENGTH_LIMIT, execute_srb, .length = 52, .cdb_length = 6,
			.sense_room = 20, .transfer_length = 0x40001);
	storage_refuses(EXECUTE_SRB_NO_DATA, execute_srb, .length = 52, .cdb_length = 6, .sense_room = 20,
			.direction = 2, .transfer_length = 1);		/* ST-070 */
	storage_refuses(EXECUTE_SRB_SRB_FLAGS_RESERVED, execute_srb, .length = 52, .cdb_length = 6,
			.sense_room = 20, .srb_flags = 1);
	storage_refuses(EXECUTE_SRB_SIZE, execute_srb, .length = 52, .cdb_length = 6, .sense_room = 20,
			.cdb = part(zeros, 17));
}

#define test(name) cmocka_unit_test_setup(name, begin)

static int run_control(void)
{
	const struct CMUnitTest tests[] = {
		test(a_posted_message_fills_its_page_with_zeros),
		test(a_message_that_does_not_fit_a_post_is_not_posted),
		test(a_signal_names_a_connection_and_a_flag_if_it_may),
		test(a_contact_before_5_0_has_an_interrupt_page),
		test(a_contact_from_5_0_on_names_an_interrupt_source),
		test(a_contact_of_6_0_asks_for_features_and_says_who_we_are),
		test(a_contact_that_breaks_a_rule_is_not_made),
		test(messages_without_fields_are_a_header),
		test(monitor_pages_are_changed_if_they_are_ours),
		test(an_open_leaves_nothing_stale_in_its_user_area),
		test(an_open_is_longer_where_features_need_it),
		test(an_open_that_breaks_a_rule_is_not_made),
		test(messages_about_a_channel_name_it),
		test(reserved_channels_say_where_they_want_their_answer),
		test(a_gpadl_names_the_pages_its_bytes_cover),
		test(a_gpadl_that_breaks_a_rule_is_not_made),
		test(the_header_of_a_long_gpadl_is_full),
		test(a_body_holds_whole_frames_and_fits_a_message),
		test(a_gpadl_is_torn_down_by_its_handle),
		test(a_socket_that_connects_names_both_ends),
	};

	return cmocka_run_group_tests_name("builders: control", tests, NULL, NULL);
}

static int run_ring_and_storage(void)
{
	const struct CMUnitTest tests[] = {
		test(an_in_band_packet_carries_a_storage_request),
		test(a_completion_repeats_the_number_of_its_request),
		test(an_in_band_packet_that_breaks_a_rule_is_not_made),
		test(a_read_of_eight_kilobytes_names_three_frames),
		test(frames_that_break_a_rule_are_not_named),
		test(a_pipe_packet_says_how_much_it_carries),
		test(requests_of_the_handshake_are_zero_but_for_their_fields),
		test(requests_that_break_a_rule_are_not_made),
		test(a_reset_says_what_it_resets),
		test(a_command_is_as_long_as_its_version_has_it),
		test(a_command_that_breaks_a_rule_is_not_made),
	};

	return cmocka_run_group_tests_name("builders: ring and storage", tests, NULL, NULL);
}

int main(void)
{
	int failed = run_control();

	failed += run_ring_and_storage();
	return failed ? 1 : 0;
}
