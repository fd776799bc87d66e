/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversations with the host over the control path, through the generated validators,
 * builders and sessions: an honest host is heard in every version, and a hostile one is
 * stopped by the rule that is meant to stop it. Ids like C-101 name the attack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "control.h"

#define RELID 5
#define OTHER_RELID 6
#define HANDLE 0xe1e10001
#define OPEN_ID 77
#define FAILED 0xc0000001
#define NEITHER 0x00000103	/* a status that is no failure, nor success */
#define PAGE 4096
#define ALL_FEATURES 0xef	/* all but confidential channels */

/* Where everything stands that the guest remembers of a connection. */
struct sessions {
	struct control_connection_session connection;
	struct control_channel_session channel;
	struct control_gpadl_session gpadl;
	struct control_reserved_session reserved;
	struct control_stream_session stream;
};

static struct sessions now;
static struct control_context ctx;
static struct control_message in, out;
static struct bytes msg;		/* the host's message */
static u8 sent[256];			/* our last one */
static u32 sent_size;

static const u8 endpoint[16] = "endpoint-of-us", service[16] = "service-of-host";
static const u64 pfns[128] = { 0x1234, 0x1235, 0x1236 };

/* ---- the host speaks ---- */

#define message(type, ...) compose(type, (u32[]){ __VA_ARGS__ }, sizeof((u32[]){ __VA_ARGS__ }) / 4)

/* A message of 32-bit words behind its header. */
static void compose(u32 type, const u32 *words, u32 count)
{
	u32 i;

	bytes_clear(&msg);
	put(&msg, type, 4);
	put(&msg, 0, 4);
	for (i = 0; i < count; i++)
		put(&msg, words[i], 4);
}

static void version_response(u8 supported, u8 outcome, u32 word)
{
	message(CONTROL_MESSAGE_TYPE_VERSION_RESPONSE);
	put(&msg, supported, 1);
	put(&msg, outcome, 1);
	put(&msg, 0, 2);
	put(&msg, word, 4);
}

/* What an honest host says to the version asked for; all features are granted. */
static void accept_version(void)
{
	version_response(1, 0, ctx.version < CONTROL_VERSION_5_0 ? ctx.version : 9);
	if (ctx.version < CONTROL_VERSION_6_0)
		return;
	put(&msg, ctx.features, 4);
	if (!(ctx.features & CONTROL_FEATURE_HOST_MONITORS))
		return;
	put(&msg, 0, 4);
	put(&msg, 0x7fff0000, 8);
	put(&msg, 0x7fff1000, 8);
}

/* What a test may want to say in an offer; what it does not say is honest. */
struct offered {
	u16 flags, subchannel;
	u32 relid, connection_id;
	u8 monitor_id, monitor;
	bool shared;			/* no event connection of its own */
	u32 mode;			/* of a pipe, or an hvsock channel */
	u8 from_host, container;
};

static void compose_offer(const struct offered *o)
{
	message(CONTROL_MESSAGE_TYPE_OFFER);
	put_hex(&msg, "d9 63 61 ba a1 04 29 4d b6 05 72 e2 ff b1 dc 7f");	/* a SCSI controller */
	put_hex(&msg, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff");
	put_zeros(&msg, 16);
	put(&msg, o->flags, 2);
	put(&msg, 0x80, 2);
	put(&msg, o->mode, 4);
	put(&msg, o->from_host, 1);
	put(&msg, o->container, 1);
	put(&msg, 0x01020304, 4);
	put_zeros(&msg, 110);
	put(&msg, o->subchannel, 2);
	put(&msg, 0xffff, 2);
	put(&msg, o->relid ? o->relid : RELID, 4);
	put(&msg, o->monitor ? o->monitor_id : 255, 1);
	put(&msg, o->monitor, 1);
	put(&msg, !o->shared, 2);
	put(&msg, o->connection_id ? o->connection_id : 0x2005, 4);
}

#define offer(...) compose_offer(&(struct offered){ __VA_ARGS__ })

/* Sets 32 bits where a name of the test's own would not be clearer. */
static void set32(u32 offset, u32 value)
{
	u32 i;

	for (i = 0; i < 4; i++)
		msg.data[offset + i] = value >> 8 * i;
}

static void open_result(u32 relid, u32 open_id, u32 status)
{
	message(CONTROL_MESSAGE_TYPE_OPEN_RESULT, relid, open_id, status);
}

static void gpadl_created(u32 relid, u32 handle, u32 status)
{
	message(CONTROL_MESSAGE_TYPE_GPADL_CREATED, relid, handle, status);
}

static void tl_connect_result(const u8 *guest, const u8 *host, u32 status)
{
	message(CONTROL_MESSAGE_TYPE_TL_CONNECT_RESULT);
	put_zeros(&msg, 32);
	memcpy(msg.data + 8, guest, 16);
	memcpy(msg.data + 24, host, 16);
	put(&msg, status, 4);
}

/* ---- the guest hears ---- */

/* Only whether the message is well made. */
static int judge(void)
{
	memset(&in, STALE, sizeof(in));
	return control_receive(msg.data, msg.size, &ctx, &in);
}

static int pass_connection(struct sessions *s)
{
	switch (in.kind) {
	case CONTROL_MSG_OPEN_RESERVED_RESULT:
	case CONTROL_MSG_CLOSE_RESERVED_RESPONSE:
		return 0;	/* those channels outlive the connection */
	default:
		return control_connection_receive(&s->connection, &ctx, &in);
	}
}

static int pass_its_own(struct sessions *s)
{
	switch (in.kind) {
	case CONTROL_MSG_OFFER:
	case CONTROL_MSG_RESCIND:
	case CONTROL_MSG_OPEN_RESULT:
	case CONTROL_MSG_MODIFY_RESPONSE:
		return control_channel_receive(&s->channel, &ctx, &in);
	case CONTROL_MSG_GPADL_CREATED:
	case CONTROL_MSG_GPADL_TORNDOWN:
		return control_gpadl_receive(&s->gpadl, &in);
	case CONTROL_MSG_OPEN_RESERVED_RESULT:
	case CONTROL_MSG_CLOSE_RESERVED_RESPONSE:
		return control_reserved_receive(&s->reserved, &in);
	case CONTROL_MSG_TL_CONNECT_RESULT:
		return control_stream_receive(&s->stream, &in);
	default:
		return 0;
	}
}

/* The message as the guest takes it: every session agrees, or none has moved. */
static int hear(void)
{
	struct sessions next = now;
	int rule = judge();

	if (!rule)
		rule = pass_connection(&next);
	if (!rule)
		rule = pass_its_own(&next);
	if (!rule)
		now = next;
	return rule;
}

#define assert_heard() assert_int_equal(hear(), 0)
#define assert_refused(rule) assert_int_equal(hear(), CONTROL_RULE_##rule)
#define assert_malformed(rule) assert_int_equal(judge(), CONTROL_RULE_##rule)
#define assert_well_formed(type) do {					\
		assert_int_equal(judge(), 0);				\
		assert_int_equal(in.kind, CONTROL_MSG_##type);		\
	} while (0)
#define assert_state(session, is) \
	assert_int_equal(now.session.at.state, CONTROL_STATE_##is)

/* ---- the guest speaks ---- */

static int build(enum control_msg kind)
{
#define BUILD(NAME, name) case CONTROL_MSG_##NAME: \
	return control_build_##name(sent, sizeof(sent), &ctx, &out.name, &sent_size)
	switch (kind) {
	BUILD(INITIATE_CONTACT, initiate_contact);
	BUILD(REQUEST_OFFERS, request_offers);
	BUILD(UNLOAD, unload);
	BUILD(MODIFY_CONNECTION, modify_connection);
	BUILD(PAUSE, pause);
	BUILD(RESUME, resume);
	BUILD(RELID_RELEASED, relid_released);
	BUILD(OPEN, open);
	BUILD(CLOSE, close);
	BUILD(MODIFY_CHANNEL, modify_channel);
	BUILD(OPEN_RESERVED, open_reserved);
	BUILD(CLOSE_RESERVED, close_reserved);
	BUILD(GPADL_HEADER, gpadl_header);
	BUILD(GPADL_BODY, gpadl_body);
	BUILD(GPADL_TEARDOWN, gpadl_teardown);
	BUILD(TL_CONNECT, tl_connect);
	default:
		return CONTROL_RULES;
	}
#undef BUILD
}

static int send(enum control_msg kind)
{
	switch (kind) {
	case CONTROL_MSG_OPEN:
	case CONTROL_MSG_CLOSE:
	case CONTROL_MSG_MODIFY_CHANNEL:
	case CONTROL_MSG_RELID_RELEASED:
		return control_channel_send(&now.channel, &ctx, &out);
	case CONTROL_MSG_GPADL_HEADER:
	case CONTROL_MSG_GPADL_BODY:
	case CONTROL_MSG_GPADL_TEARDOWN:
		return control_gpadl_send(&now.gpadl, &out);
	case CONTROL_MSG_OPEN_RESERVED:
	case CONTROL_MSG_CLOSE_RESERVED:
		return control_reserved_send(&now.reserved, &out);
	case CONTROL_MSG_TL_CONNECT:
		return control_stream_send(&now.stream, &out);
	default:
		return control_connection_send(&now.connection, &ctx, &out);
	}
}

/* Fields of the message, in C: say(OPEN, open, .relid = RELID) */
#define say(NAME, name, ...) (						\
	out = (struct control_message){ .kind = CONTROL_MSG_##NAME,	\
					.name = { __VA_ARGS__ } },	\
	build(CONTROL_MSG_##NAME) ?: send(CONTROL_MSG_##NAME))

#define assert_said(...) assert_int_equal(say(__VA_ARGS__), 0)
#define assert_may_not_say(rule, ...) assert_int_equal(say(__VA_ARGS__), CONTROL_RULE_##rule)

#define slice(array) (struct wire_slice){ (const u8 *)(array), sizeof(array) }
#define THE_CONTACT INITIATE_CONTACT, initiate_contact, .requested = ctx.version, \
	.asked = ctx.features, .client = slice(endpoint)
#define THE_OPEN OPEN, open, .relid = RELID, .open_id = OPEN_ID, .ring = HANDLE, .downstream_page = 16
#define THE_MODIFICATION MODIFY_CHANNEL, modify_channel, .relid = RELID, .target_vp = 3
#define THE_GPADL GPADL_HEADER, gpadl_header, .relid = RELID, .handle = HANDLE, \
	.range_bytes = 8 + 8 * 3, .byte_count = 3 * PAGE, .pfns = { (const u8 *)pfns, 24 }
#define A_LONG_GPADL GPADL_HEADER, gpadl_header, .relid = RELID, .handle = HANDLE, \
	.range_bytes = 8 + 8 * 100, .byte_count = 100 * PAGE, .pfns = { (const u8 *)pfns, 208 }
#define A_BODY(pages) GPADL_BODY, gpadl_body, .handle = HANDLE, .pfns = { (const u8 *)pfns, 8 * (pages) }
#define THE_TEARDOWN GPADL_TEARDOWN, gpadl_teardown, .relid = RELID, .handle = HANDLE
#define THE_RESERVED_OPEN OPEN_RESERVED, open_reserved, .relid = RELID, .target_sint = 5, \
	.ring = HANDLE, .downstream_page = 16
#define THE_RESERVED_CLOSE CLOSE_RESERVED, close_reserved, .relid = RELID, .target_sint = 5
#define THE_CONNECT TL_CONNECT, tl_connect, .endpoint = slice(endpoint), .service = slice(service), \
	.silo = { endpoint, 16 }

/* A deadline, or a decision of our own. */
#define happens(session, SESSION, event) \
	session_local(&control_##session##_table, &now.session.at, CONTROL_EVENT_##SESSION##_##event)

/* ---- common beginnings ---- */

static int begin(void **state)
{
	(void)state;
	ctx = (struct control_context){
		.version = CONTROL_VERSION_5_3, .relid_max = 2047, .subchannel_max = 64,
	};
	memset(&now, STALE, sizeof(now));
	session_start(&control_connection_table, &now.connection.at);
	session_start(&control_channel_table, &now.channel.at);
	session_start(&control_gpadl_table, &now.gpadl.at);
	session_start(&control_reserved_table, &now.reserved.at);
	session_start(&control_stream_table, &now.stream.at);
	return 0;
}

static int end(void **state)
{
	(void)state;
	bytes_clear(&msg);
	return 0;
}

static void connect(void)
{
	assert_said(THE_CONTACT);
	accept_version();
	assert_heard();
	assert_state(connection, CONNECTION_CONNECTED);
}

static void enumerate(void)
{
	connect();
	assert_said(REQUEST_OFFERS, request_offers);
}

static void take_offer(void)
{
	enumerate();
	offer();
	assert_heard();
	assert_state(channel, CHANNEL_OFFERED);
}

static void open_channel(void)
{
	take_offer();
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID, 0);
	assert_heard();
	assert_state(channel, CHANNEL_OPENED);
}

static void create_gpadl(void)
{
	take_offer();
	assert_said(THE_GPADL);
	gpadl_created(RELID, HANDLE, 0);
	assert_heard();
	assert_state(gpadl, GPADL_LIVE);
}

static void rescind(u32 relid)
{
	message(CONTROL_MESSAGE_TYPE_RESCIND, relid);
}

/* ---- an honest host ---- */

static void refuse_version_then_accept(void)
{
	assert_said(THE_CONTACT);
	version_response(0, 0, 0);
	assert_heard();
	assert_state(connection, CONNECTION_DISCONNECTED);
	connect();
}

static void name_memory(void)
{
	assert_said(A_LONG_GPADL);
	assert_said(A_BODY(28));
	assert_said(A_BODY(28));
	assert_true(happens(gpadl, GPADL, LOCAL_LAST_BODY));
	assert_said(A_BODY(18));
	gpadl_created(RELID, HANDLE, 0);
	assert_heard();
	assert_state(gpadl, GPADL_LIVE);
}

static void use_channel(void)
{
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID, 0);
	assert_heard();
	if (ctx.version >= CONTROL_VERSION_4_1)
		assert_said(THE_MODIFICATION);
	if (ctx.version >= CONTROL_VERSION_5_3) {
		message(CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE, RELID, 0);
		assert_heard();
	}
	assert_said(CLOSE, close, .relid = RELID);
}

static void take_memory_back(void)
{
	assert_said(THE_TEARDOWN);
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE);
	assert_heard();
	assert_state(gpadl, GPADL_UNUSED);
	assert_true(happens(channel, CHANNEL, LOCAL_RING_TORN_DOWN));
	assert_state(channel, CHANNEL_OFFERED);
}

static void lose_channel(void)
{
	rescind(RELID);
	assert_heard();
	assert_said(RELID_RELEASED, relid_released, .relid = RELID);
	assert_state(channel, CHANNEL_GONE);
}

static void unload(void)
{
	assert_said(UNLOAD, unload);
	message(CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE);
	assert_heard();
	assert_state(connection, CONNECTION_DISCONNECTED);
}

static void a_whole_conversation_is_heard(void **state)
{
	ctx.version = *(const u32 *)*state;
	refuse_version_then_accept();
	assert_said(REQUEST_OFFERS, request_offers);
	offer();
	assert_heard();
	message(CONTROL_MESSAGE_TYPE_ALL_OFFERS);
	assert_heard();
	assert_state(connection, CONNECTION_RUNNING);
	name_memory();
	use_channel();
	take_memory_back();
	lose_channel();
	unload();
}

static void a_conversation_with_all_features_is_heard(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = ALL_FEATURES;
	connect();
	assert_int_equal(in.version_response.granted, ALL_FEATURES);
	assert_true(in.version_response.monitors.to_guest == 0x7fff0000);
	assert_true(in.version_response.monitors.to_host == 0x7fff1000);
	assert_said(PAUSE, pause);
	message(CONTROL_MESSAGE_TYPE_PAUSE_RESPONSE);
	assert_heard();
	assert_said(RESUME, resume);
	unload();
}

static void monitor_pages_are_changed(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = CONTROL_FEATURE_MODIFY_CONNECTION;
	connect();
	assert_said(MODIFY_CONNECTION, modify_connection, .monitors = { 2 * PAGE, 3 * PAGE });
	message(CONTROL_MESSAGE_TYPE_MODIFY_CONNECTION_RESPONSE);
	put(&msg, 0, 1);
	assert_heard();
}

static void a_reserved_channel_is_opened_and_closed_without_a_connection(void **state)
{
	(void)state;
	assert_said(THE_RESERVED_OPEN);
	ctx.reserved_slot = 1;
	open_result(RELID, 0, 0);
	assert_heard();
	assert_state(reserved, RESERVED_OPENED);
	ctx.reserved_slot = 0;
	assert_said(THE_RESERVED_CLOSE);
	ctx.reserved_slot = 1;
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, RELID);
	assert_heard();
	assert_state(reserved, RESERVED_CLOSED);
}

static void a_stream_is_refused(void **state)
{
	(void)state;
	enumerate();
	assert_said(THE_CONNECT);
	tl_connect_result(endpoint, service, 0xc0000236);
	assert_heard();
	assert_state(stream, STREAM_IDLE);
}

static void a_stream_is_taken_up(void **state)
{
	(void)state;
	enumerate();
	assert_said(THE_CONNECT);
	assert_true(happens(stream, STREAM, LOCAL_TAKEN_UP));	/* C-118 */
	assert_state(stream, STREAM_IDLE);
}

/* What an honest host says, in bytes. */
static void messages_are_read_from_their_bytes(void **state)
{
	(void)state;
	bytes_clear(&msg);
	put_hex(&msg, "0f 00 00 00 00 00 00 00 | 01 00 00 00 | 56 34 12 00");
	assert_well_formed(VERSION_RESPONSE);
	assert_int_equal(in.version_response.supported, 1);
	assert_int_equal(in.version_response.connection_id, 0x123456);
	bytes_clear(&msg);
	put_hex(&msg, "06 00 00 00 00 00 00 00 | fe 07 00 00 | 78 56 34 12 | 0d 00 00 c0");
	assert_well_formed(OPEN_RESULT);
	assert_int_equal(in.open_result.relid, 0x7fe);
	assert_int_equal(in.open_result.open_id, 0x12345678);
	assert_int_equal(in.open_result.status, 0xc000000d);
	bytes_clear(&msg);
	put_hex(&msg, "0a 00 00 00 00 00 00 00 | 05 00 00 00 | 01 00 e1 e1 | 00 00 00 00");
	assert_well_formed(GPADL_CREATED);
	assert_int_equal(in.gpadl_created.relid, 5);
	assert_int_equal(in.gpadl_created.handle, 0xe1e10001);
	assert_int_equal(in.gpadl_created.status, 0);
	bytes_clear(&msg);
	put_hex(&msg, "02 00 00 00 00 00 00 00 | 05 00 00 00");
	assert_well_formed(RESCIND);
	assert_int_equal(in.rescind.relid, 5);
}

/* ---- the slot ---- */

static void slot(u32 type, u8 payload_size)
{
	bytes_clear(&msg);
	put(&msg, type, 4);
	put(&msg, payload_size, 1);
	put_hex(&msg, "01 ff ff | 88 77 66 55 44 33 22 11");
	put_zeros(&msg, 240);
}

static struct control_message_slot taken;

static int take_slot(void)
{
	return control_check_message_slot(msg.data, msg.size, &taken);
}

/* C-024, C-037: neither what lies behind the payload nor who sent it matters. */
static void a_slot_gives_its_payload_and_no_more(void **state)
{
	(void)state;
	slot(1, 12);
	assert_int_equal(take_slot(), 0);
	assert_ptr_equal(taken.payload.data, msg.data + 16);
	assert_int_equal(taken.payload.size, 12);
	assert_int_equal(taken.flags_pending, 1);
}

static void a_slot_may_be_full(void **state)
{
	(void)state;
	slot(1, 240);
	assert_int_equal(take_slot(), 0);
	assert_int_equal(taken.payload.size, 240);
	slot(1, 8);
	assert_int_equal(take_slot(), 0);
}

/* C-021 */
static void a_message_of_the_hypervisor_is_no_channel_message(void **state)
{
	(void)state;
	slot(0x80000010, 12);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_TYPE_VALUE);
	slot(0, 12);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_TYPE_VALUE);
}

/* C-022, C-023 */
static void a_payload_beyond_the_slot_or_below_the_header_is_refused(void **state)
{
	static const u8 sizes[] = { 0, 7, 241, 255 };
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(sizes); i++) {
		slot(1, sizes[i]);
		assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_PAYLOAD_SIZE_RANGE);
	}
}

static void a_slot_that_was_not_copied_whole_is_refused(void **state)
{
	(void)state;
	slot(1, 12);
	bytes_resize(&msg, 257);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_TRAILING);
	bytes_resize(&msg, 255);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_STALE_BOUNDS);
	bytes_resize(&msg, 27);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_PAYLOAD_BOUNDS);
	bytes_resize(&msg, 15);
	assert_int_equal(take_slot(), CONTROL_RULE_MESSAGE_SLOT_SIZE);
}

/* ---- sizes, types, slots ---- */

/* C-036 */
static void the_padding_of_the_header_does_not_matter(void **state)
{
	(void)state;
	rescind(RELID);
	set32(4, 0xffffffff);
	assert_well_formed(RESCIND);
}

/* C-034 */
static void a_type_nobody_knows_is_refused(void **state)
{
	static const u32 types[] = { 0, 30, 0x101, 0x80000001, 0xffffffff };
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(types) / 4; i++) {
		message(types[i], RELID, 0, 0);
		assert_malformed(HEADER_TYPE_ENUM);
	}
}

/* C-035: every message that only a guest sends. */
static void our_own_messages_are_not_heard(void **state)
{
	static const u8 types[] = { 3, 5, 7, 8, 9, 11, 13, 14, 16, 18, 19, 21, 22, 25, 27, 29 };
	u32 i;

	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = ALL_FEATURES;
	for (i = 0; i < sizeof(types); i++) {
		message(types[i], RELID, 0, 0);
		assert_malformed(DISPATCH);
	}
}

/* C-034, C-172: known, but not part of what was agreed. */
static void a_message_that_was_not_negotiated_is_refused(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_5_2;
	message(CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE, RELID, 0);
	assert_malformed(DISPATCH);
	message(CONTROL_MESSAGE_TYPE_PAUSE_RESPONSE);
	assert_malformed(DISPATCH);
	message(CONTROL_MESSAGE_TYPE_MODIFY_CONNECTION_RESPONSE);
	put(&msg, 0, 1);
	assert_malformed(DISPATCH);
	ctx.version = CONTROL_VERSION_4_0;
	tl_connect_result(endpoint, service, FAILED);
	assert_malformed(DISPATCH);
}

static void nothing_shorter_than_a_header_is_a_message(void **state)
{
	(void)state;
	rescind(RELID);
	bytes_resize(&msg, 7);
	assert_malformed(HEADER_SIZE);
	bytes_clear(&msg);
	assert_malformed(HEADER_SIZE);
}

#define assert_takes_its_own(NAME, name) do {				\
		struct control_##name view;				\
		message(CONTROL_MESSAGE_TYPE_##NAME);			\
		assert_int_equal(control_check_##name(msg.data, 8, &ctx, &view), 0);	\
		msg.data[0] = CONTROL_MESSAGE_TYPE_OPEN;		\
		assert_int_equal(control_check_##name(msg.data, 8, &ctx, &view),	\
				 CONTROL_RULE_##NAME##_WHEN);		\
		msg.data[0] = 0;					\
		assert_int_equal(control_check_##name(msg.data, 8, &ctx, &view),	\
				 CONTROL_RULE_HEADER_TYPE_ENUM);	\
	} while (0)

static void messages_without_fields_differ_by_their_type(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = CONTROL_FEATURE_PAUSE;
	assert_takes_its_own(REQUEST_OFFERS, request_offers);
	assert_takes_its_own(ALL_OFFERS, all_offers);
	assert_takes_its_own(UNLOAD, unload);
	assert_takes_its_own(UNLOAD_RESPONSE, unload_response);
	assert_takes_its_own(PAUSE, pause);
	assert_takes_its_own(PAUSE_RESPONSE, pause_response);
	assert_takes_its_own(RESUME, resume);
}

/* C-024, C-025: exactly as long as its type. */
static void a_message_has_the_size_of_its_type(void **state)
{
	static const struct { u8 type; u8 size; u16 rule; } sizes[] = {
		{ 2, 12, CONTROL_RULE_RESCIND_SIZE },
		{ 4, 8, CONTROL_RULE_ALL_OFFERS_SIZE },
		{ 6, 20, CONTROL_RULE_OPEN_RESULT_SIZE },
		{ 10, 20, CONTROL_RULE_GPADL_CREATED_SIZE },
		{ 12, 12, CONTROL_RULE_GPADL_TORNDOWN_SIZE },
		{ 17, 8, CONTROL_RULE_UNLOAD_RESPONSE_SIZE },
		{ 23, 44, CONTROL_RULE_TL_CONNECT_RESULT_SIZE },
		{ 24, 16, CONTROL_RULE_MODIFY_RESPONSE_SIZE },
		{ 26, 9, CONTROL_RULE_MODIFY_CONNECTION_RESPONSE_SIZE },
		{ 28, 8, CONTROL_RULE_PAUSE_RESPONSE_SIZE },
	};
	u32 i;

	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = ALL_FEATURES;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		message(sizes[i].type);
		bytes_resize(&msg, sizes[i].size + 1);
		assert_int_equal(judge(), sizes[i].rule);
		if (sizes[i].size == 8)
			continue;
		bytes_resize(&msg, sizes[i].size - 1);
		assert_int_equal(judge(), sizes[i].rule);
	}
}

/* C-024, C-025 */
static void an_offer_has_196_bytes(void **state)
{
	(void)state;
	offer();
	assert_int_equal(msg.size, 196);
	bytes_resize(&msg, 197);
	assert_malformed(OFFER_TRAILING);
	bytes_resize(&msg, 195);
	assert_malformed(OFFER_SUBCHANNEL_BOUNDS);
	bytes_resize(&msg, 179);
	assert_malformed(OFFER_USER_BOUNDS);
	bytes_resize(&msg, 59);
	assert_malformed(OFFER_SIZE);
}

/* C-031: once channels may be confidential, the host itself is not heard any more. */
static void a_confidential_connection_hears_the_paravisor_only(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = CONTROL_FEATURE_CONFIDENTIAL;
	rescind(RELID);
	assert_malformed(HEADER_TRUSTED);
	ctx.trusted_path = 1;
	assert_well_formed(RESCIND);
}

/* C-030 */
static void the_reserved_slot_is_heard_for_its_answers_only(void **state)
{
	(void)state;
	ctx.reserved_slot = 1;
	rescind(RELID);
	assert_malformed(HEADER_RIGHT_SLOT);
	offer();
	assert_malformed(HEADER_RIGHT_SLOT);
	open_result(RELID, 0, 0);
	assert_well_formed(OPEN_RESERVED_RESULT);
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, RELID);
	assert_well_formed(CLOSE_RESERVED_RESPONSE);
	bytes_resize(&msg, 13);
	assert_malformed(CLOSE_RESERVED_RESPONSE_SIZE);
	ctx.reserved_slot = 0;
	bytes_resize(&msg, 12);
	assert_malformed(DISPATCH);
}

/* ---- contact ---- */

/* C-070, C-085, C-255 */
static void nothing_is_heard_before_our_own_contact(void **state)
{
	(void)state;
	accept_version();
	assert_refused(CONNECTION_VERSION_RESPONSE_STATE);
	offer();
	assert_refused(CONNECTION_OFFER_STATE);
	rescind(RELID);
	assert_refused(CONNECTION_RESCIND_STATE);
	open_result(RELID, OPEN_ID, 0);
	assert_refused(CONNECTION_OPEN_RESULT_STATE);
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(CONNECTION_GPADL_CREATED_STATE);
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE);
	assert_refused(CONNECTION_GPADL_TORNDOWN_STATE);
	message(CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE, RELID, 0);
	assert_refused(CONNECTION_MODIFY_RESPONSE_STATE);
	tl_connect_result(endpoint, service, FAILED);
	assert_refused(CONNECTION_TL_CONNECT_RESULT_STATE);
	message(CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE);
	assert_refused(CONNECTION_UNLOAD_RESPONSE_STATE);
}

/* C-071 */
static void the_first_answer_to_a_contact_is_the_only_one(void **state)
{
	(void)state;
	connect();
	version_response(0, 0, 0);
	assert_refused(CONNECTION_VERSION_RESPONSE_STATE);
	assert_state(connection, CONNECTION_CONNECTED);
}

/* C-072, C-083 */
static void no_answer_in_time_ends_the_connection(void **state)
{
	(void)state;
	assert_said(THE_CONTACT);
	assert_true(happens(connection, CONNECTION, AFTER_CONTACT_DEADLINE));
	accept_version();
	assert_refused(CONNECTION_VERSION_RESPONSE_STATE);
	assert_may_not_say(CONNECTION_INITIATE_CONTACT_STATE, THE_CONTACT);
}

static void one_contact_is_made_at_a_time(void **state)
{
	(void)state;
	assert_said(THE_CONTACT);
	assert_may_not_say(CONNECTION_INITIATE_CONTACT_STATE, THE_CONTACT);
}

/* C-073 */
static void a_version_is_supported_or_it_is_not(void **state)
{
	(void)state;
	version_response(2, 0, 9);
	assert_malformed(VERSION_RESPONSE_SUPPORTED_RANGE);
	version_response(0xff, 0, 9);
	assert_malformed(VERSION_RESPONSE_SUPPORTED_RANGE);
}

/* C-075 */
static void a_failed_connection_is_none_though_its_version_is_supported(void **state)
{
	u8 outcome;

	(void)state;
	for (outcome = 1; outcome <= 2; outcome++) {
		assert_said(THE_CONTACT);
		version_response(1, outcome, 9);
		assert_heard();
		assert_state(connection, CONNECTION_DISCONNECTED);
	}
}

static void an_outcome_nobody_knows_is_refused_from_2_4_on(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_2_4;
	version_response(1, 3, ctx.version);
	assert_malformed(VERSION_RESPONSE_OUTCOME_KNOWN);
	ctx.version = CONTROL_VERSION_1_1;
	version_response(1, 3, ctx.version);
	assert_said(THE_CONTACT);
	assert_heard();
	assert_state(connection, CONNECTION_CONNECTED);
}

/* C-076 */
static void another_version_than_asked_for_is_refused(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_4_1;
	version_response(1, 0, CONTROL_VERSION_4_0);
	assert_malformed(VERSION_RESPONSE_SELECTED_VALUE);
	version_response(1, 0, 0);
	assert_malformed(VERSION_RESPONSE_SELECTED_VALUE);
}

/* C-077 */
static void a_connection_id_has_24_bits_and_is_not_zero(void **state)
{
	(void)state;
	version_response(1, 0, 0);
	assert_malformed(VERSION_RESPONSE_CONNECTION_ID_RANGE);
	version_response(1, 0, 0x1000000);
	assert_malformed(VERSION_RESPONSE_CONNECTION_ID_RANGE);
	version_response(1, 0, 0xffffff);
	assert_well_formed(VERSION_RESPONSE);
}

static void contact_6_0(u32 features)
{
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = features;
	version_response(1, 0, 9);
}

/* C-078 */
static void features_nobody_asked_for_are_refused(void **state)
{
	(void)state;
	contact_6_0(CONTROL_FEATURE_CLIENT_ID);
	put(&msg, CONTROL_FEATURE_CLIENT_ID | CONTROL_FEATURE_PAUSE, 4);
	assert_malformed(VERSION_RESPONSE_UNASKED);
	contact_6_0(0xff);
	ctx.trusted_path = 1;
	put(&msg, 0x100, 4);
	assert_malformed(VERSION_RESPONSE_GRANTED_RESERVED);
}

static void fewer_features_than_asked_for_may_be_granted(void **state)
{
	(void)state;
	contact_6_0(CONTROL_FEATURE_CLIENT_ID | CONTROL_FEATURE_PAUSE);
	put(&msg, CONTROL_FEATURE_PAUSE, 4);
	assert_well_formed(VERSION_RESPONSE);
	assert_int_equal(in.version_response.granted, CONTROL_FEATURE_PAUSE);
}

/* C-080 */
static void an_answer_of_6_0_that_is_too_short_to_grant_is_refused(void **state)
{
	(void)state;
	contact_6_0(0);
	assert_malformed(VERSION_RESPONSE_GRANTED_BOUNDS);
	put(&msg, 0, 3);
	assert_malformed(VERSION_RESPONSE_GRANTED_BOUNDS);
	put(&msg, 0, 1);
	assert_well_formed(VERSION_RESPONSE);
}

static void an_answer_too_short_to_hold_its_version_is_refused(void **state)
{
	(void)state;
	accept_version();
	bytes_resize(&msg, 15);
	assert_malformed(VERSION_RESPONSE_CONNECTION_ID_BOUNDS);
	bytes_resize(&msg, 11);
	assert_malformed(VERSION_RESPONSE_SIZE);
	ctx.version = CONTROL_VERSION_4_1;
	accept_version();
	bytes_resize(&msg, 15);
	assert_malformed(VERSION_RESPONSE_SELECTED_BOUNDS);
	version_response(0, 0, 0);
	bytes_resize(&msg, 15);
	assert_malformed(VERSION_RESPONSE_RESERVED2_BOUNDS);
}

/* C-081 */
static void monitor_pages_we_did_not_ask_for_are_not_looked_at(void **state)
{
	(void)state;
	contact_6_0(CONTROL_FEATURE_PAUSE);
	put(&msg, CONTROL_FEATURE_PAUSE, 4);
	put_hex(&msg, "ff ff ff ff | 01 00 00 00 00 00 00 00 | 02 00 00 00 00 00 00 00");
	assert_well_formed(VERSION_RESPONSE);
	assert_true(in.version_response.monitors.to_guest == 0);
	assert_true(in.version_response.monitors.to_host == 0);
}

static void grant_monitors(u64 to_guest, u64 to_host)
{
	contact_6_0(CONTROL_FEATURE_HOST_MONITORS);
	put(&msg, CONTROL_FEATURE_HOST_MONITORS, 4);
	put(&msg, 0, 4);
	put(&msg, to_guest, 8);
	put(&msg, to_host, 8);
}

/* C-082 */
static void monitor_pages_of_the_host_are_whole_pages_and_present(void **state)
{
	(void)state;
	grant_monitors(0x1008, 0x2000);
	assert_malformed(HOST_MONITOR_PAGES_TO_GUEST_MULTIPLE);
	grant_monitors(0x1000, 0x2001);
	assert_malformed(HOST_MONITOR_PAGES_TO_HOST_MULTIPLE);
	grant_monitors(0x1000, 0);
	assert_malformed(HOST_MONITOR_PAGES_TO_HOST_LIMIT);
	grant_monitors(0, 0x2000);
	assert_well_formed(VERSION_RESPONSE);
	bytes_resize(&msg, 39);
	assert_malformed(VERSION_RESPONSE_RESERVED3_BOUNDS);
}

/* ---- offers ---- */

static void an_offer_is_read_from_its_bytes(void **state)
{
	(void)state;
	offer(.subchannel = 3, .relid = 0x123, .connection_id = 0x20123, .monitor = 1, .monitor_id = 17);
	assert_well_formed(OFFER);
	assert_memory_equal(in.offer.class.data, control_device_class_scsi, 16);
	assert_ptr_equal(in.offer.instance.data, msg.data + 24);
	assert_int_equal(in.offer.mmio_megabytes, 0x80);
	assert_ptr_equal(in.offer.user.data, msg.data + 60);
	assert_int_equal(in.offer.user.size, 120);
	assert_int_equal(in.offer.subchannel, 3);
	assert_int_equal(in.offer.relid, 0x123);
	assert_int_equal(in.offer.monitor_allocated, 1);
	assert_int_equal(in.offer.monitor_id, 17);
	assert_int_equal(in.offer.interrupt_dedicated, 1);
	assert_int_equal(in.offer.connection_id, 0x20123);
}

/* C-131 */
static void no_offer_is_heard_before_offers_are_requested(void **state)
{
	(void)state;
	connect();
	offer();
	assert_refused(CONNECTION_OFFER_STATE);
	rescind(RELID);
	assert_refused(CONNECTION_RESCIND_STATE);
}

/* C-100, C-101 */
static void a_channel_has_a_number_with_an_event_flag(void **state)
{
	(void)state;
	offer(.relid = 2048);
	assert_malformed(OFFER_RELID_RANGE);
	offer(.relid = 0xffffffff);
	assert_malformed(OFFER_RELID_RANGE);
	offer(.relid = 2047);
	assert_well_formed(OFFER);
	ctx.relid_max = 255;
	offer(.relid = 256);
	assert_malformed(OFFER_RELID_RANGE);
	set32(184, 0);
	assert_malformed(OFFER_RELID_RANGE);
}

/* C-102, C-260 */
static void the_number_of_a_live_channel_is_not_offered_again(void **state)
{
	(void)state;
	open_channel();
	offer();
	assert_refused(CHANNEL_OFFER_STATE);
	assert_state(channel, CHANNEL_OPENED);
}

/* C-103, C-159 */
static void the_number_of_a_rescinded_channel_is_ours_until_it_is_released(void **state)
{
	(void)state;
	take_offer();
	rescind(RELID);
	assert_heard();
	offer();
	assert_refused(CHANNEL_OFFER_STATE);
	assert_said(RELID_RELEASED, relid_released, .relid = RELID);
	assert_heard();
}

/* C-111 */
static void no_more_subchannels_are_offered_than_any_driver_asks_for(void **state)
{
	(void)state;
	offer(.subchannel = 65);
	assert_malformed(OFFER_SUBCHANNEL_LIMIT);
	offer(.subchannel = 64);
	assert_well_formed(OFFER);
}

static void grant_to_channels(u32 features)
{
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = features;
	ctx.trusted_path = 1;
}

/* C-120, ST-094 */
static void private_memory_comes_with_a_private_ring(void **state)
{
	(void)state;
	grant_to_channels(CONTROL_FEATURE_CONFIDENTIAL);
	offer(.flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY);
	assert_malformed(OFFER_RING_WITH_MEMORY);
	offer(.flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY | CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING);
	assert_well_formed(OFFER);
}

/* C-121, ST-094 */
static void a_private_ring_must_have_been_granted(void **state)
{
	(void)state;
	offer(.flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING);
	assert_malformed(OFFER_RING_GRANTED);
	grant_to_channels(CONTROL_FEATURE_CONFIDENTIAL);
	assert_well_formed(OFFER);
}

/* C-123 */
static void pinned_memory_must_have_been_granted(void **state)
{
	(void)state;
	offer(.flags = CONTROL_CHANNEL_FLAG_PINNED_MEMORY);
	assert_malformed(OFFER_PINNING_GRANTED);
	grant_to_channels(CONTROL_FEATURE_PINNING);
	assert_well_formed(OFFER);
}

/* C-125 */
static void a_pipe_carries_bytes_or_messages(void **state)
{
	(void)state;
	offer(.flags = CONTROL_CHANNEL_FLAG_PIPE, .mode = 4);
	assert_well_formed(OFFER);
	assert_int_equal(in.offer.pipe.mode, CONTROL_PIPE_MODE_MESSAGES);
	assert_ptr_equal(in.offer.pipe.data.data, msg.data + 64);
	assert_int_equal(in.offer.pipe.data.size, 112);
	offer(.flags = CONTROL_CHANNEL_FLAG_PIPE, .mode = 1);
	assert_malformed(PIPE_USER_MODE_ENUM);
	bytes_resize(&msg, 179);
	assert_malformed(OFFER_PIPE_BOUNDS);
}

#define HVSOCK (CONTROL_CHANNEL_FLAG_HVSOCK | CONTROL_CHANNEL_FLAG_PIPE)

/* C-125 */
static void a_stream_says_plainly_where_it_comes_from(void **state)
{
	(void)state;
	offer(.flags = HVSOCK, .from_host = 1);
	assert_well_formed(OFFER);
	assert_int_equal(in.offer.stream.from_host, 1);
	assert_int_equal(in.offer.stream.version, 0x01020304);
	assert_ptr_equal(in.offer.stream.silo.data, msg.data + 70);
	offer(.flags = HVSOCK, .from_host = 2);
	assert_malformed(HVSOCK_USER_FROM_HOST_RANGE);
	offer(.flags = HVSOCK, .container = 2);
	assert_malformed(HVSOCK_USER_CONTAINER_RANGE);
	offer(.flags = HVSOCK, .mode = 4);
	assert_malformed(HVSOCK_USER_MODE_VALUE);
	offer(.flags = HVSOCK, .mode = 3);
	assert_malformed(HVSOCK_USER_MODE_ENUM);
	bytes_resize(&msg, 179);
	assert_malformed(OFFER_STREAM_BOUNDS);
}

/* C-126 */
static void a_monitor_lies_inside_of_its_page(void **state)
{
	(void)state;
	offer(.monitor = 1, .monitor_id = 128);
	assert_malformed(OFFER_MONITOR_RANGE);
	offer(.monitor = 1, .monitor_id = 127);
	assert_well_formed(OFFER);
	offer(.monitor = 0xfe, .monitor_id = 128);
	assert_well_formed(OFFER);
	assert_int_equal(in.offer.monitor_allocated, 0);
}

/* C-128 */
static void an_event_connection_has_24_bits_and_is_not_zero(void **state)
{
	(void)state;
	offer(.connection_id = 0x1000000);
	assert_malformed(OFFER_CONNECTION_ID_RANGE);
	set32(192, 0);
	assert_malformed(OFFER_CONNECTION_ID_RANGE);
	offer(.connection_id = 0xffffff);
	assert_well_formed(OFFER);
}

/* C-129 */
static void from_2_4_on_each_channel_has_its_own_event_connection(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_2_4;
	offer(.shared = true);
	assert_malformed(OFFER_DEDICATED);
	ctx.version = CONTROL_VERSION_1_1;
	assert_well_formed(OFFER);
	assert_int_equal(in.offer.interrupt_dedicated, 0);
}

/* C-134 */
static void the_end_of_offers_is_heard_once_and_when_requested(void **state)
{
	(void)state;
	connect();
	message(CONTROL_MESSAGE_TYPE_ALL_OFFERS);
	assert_refused(CONNECTION_ALL_OFFERS_STATE);
	assert_said(REQUEST_OFFERS, request_offers);
	assert_heard();
	assert_state(connection, CONNECTION_RUNNING);
	assert_refused(CONNECTION_ALL_OFFERS_STATE);
}

/* C-133 */
static void start_up_does_not_wait_for_the_end_of_offers_for_ever(void **state)
{
	(void)state;
	enumerate();
	assert_true(happens(connection, CONNECTION, AFTER_OFFERS_DEADLINE));
	assert_state(connection, CONNECTION_RUNNING);
	message(CONTROL_MESSAGE_TYPE_ALL_OFFERS);
	assert_refused(CONNECTION_ALL_OFFERS_STATE);
	offer();
	assert_heard();
}

/* C-163 */
static void an_offer_can_be_refused(void **state)
{
	(void)state;
	take_offer();
	assert_said(RELID_RELEASED, relid_released, .relid = RELID);
	assert_state(channel, CHANNEL_GONE);
	assert_may_not_say(CHANNEL_RELID_RELEASED_STATE, RELID_RELEASED, relid_released, .relid = RELID);
}

/* ---- rescind ---- */

/* C-150 */
static void a_channel_that_does_not_exist_is_not_rescinded(void **state)
{
	(void)state;
	enumerate();
	rescind(RELID);
	assert_refused(CHANNEL_RESCIND_STATE);
	rescind(0);
	assert_refused(RESCIND_RELID_RANGE);
	rescind(2048);
	assert_refused(RESCIND_RELID_RANGE);
}

/* C-151 */
static void a_channel_is_rescinded_once(void **state)
{
	(void)state;
	open_channel();
	rescind(RELID);
	assert_heard();
	assert_refused(CHANNEL_RESCIND_STATE);
	assert_said(RELID_RELEASED, relid_released, .relid = RELID);
	assert_refused(CHANNEL_RESCIND_STATE);
}

/* C-156 */
static void a_channel_can_be_rescinded_while_it_closes(void **state)
{
	(void)state;
	open_channel();
	assert_said(CLOSE, close, .relid = RELID);
	rescind(RELID);
	assert_heard();
	assert_state(channel, CHANNEL_RESCINDED);
	assert_false(happens(channel, CHANNEL, LOCAL_RING_TORN_DOWN));
}

/* C-153, C-155, C-169 */
static void an_answer_that_comes_after_the_rescind_is_none(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	rescind(RELID);
	assert_heard();
	open_result(RELID, OPEN_ID, 0);
	assert_refused(CHANNEL_OPEN_RESULT_STATE);
	assert_true(now.channel.at.pending == 0);
}

/* C-163 */
static void the_number_of_a_channel_in_use_is_not_released(void **state)
{
	(void)state;
	open_channel();
	assert_may_not_say(CHANNEL_RELID_RELEASED_STATE, RELID_RELEASED, relid_released, .relid = RELID);
}

/* ---- open, modify, close ---- */

/* C-165, C-170 */
static void nothing_is_opened_by_a_result_nobody_waits_for(void **state)
{
	(void)state;
	take_offer();
	open_result(RELID, OPEN_ID, 0);
	assert_refused(CHANNEL_OPEN_RESULT_STATE);
}

/* C-166 */
static void the_first_open_result_is_the_only_one(void **state)
{
	(void)state;
	open_channel();
	open_result(RELID, OPEN_ID, FAILED);
	assert_refused(CHANNEL_OPEN_RESULT_STATE);
	assert_state(channel, CHANNEL_OPENED);
}

/* C-167 */
static void the_result_of_an_earlier_attempt_is_not_that_of_this_one(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID - 1, 0);
	assert_refused(OPEN_RESULT_OPEN_ID_VALUE);
	open_result(OTHER_RELID, OPEN_ID, 0);
	assert_refused(OPEN_RESULT_RELID_VALUE);
	assert_state(channel, CHANNEL_OPENING);
	open_result(RELID, OPEN_ID, 0);
	assert_heard();
}

static void an_open_result_names_a_channel(void **state)
{
	(void)state;
	open_result(0, OPEN_ID, 0);
	assert_malformed(OPEN_RESULT_RELID_RANGE);
	open_result(2048, OPEN_ID, 0);
	assert_malformed(OPEN_RESULT_RELID_RANGE);
}

/* C-164, C-169 */
static void a_channel_whose_open_went_unanswered_is_abandoned(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	assert_true(happens(channel, CHANNEL, AFTER_OPEN_DEADLINE));
	open_result(RELID, OPEN_ID, 0);
	assert_refused(CHANNEL_OPEN_RESULT_STATE);
	assert_may_not_say(CHANNEL_OPEN_STATE, THE_OPEN);
	rescind(RELID);
	assert_heard();
}

static void an_open_that_failed_may_be_tried_again(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID, CONTROL_FAILURE);
	assert_heard();
	assert_state(channel, CHANNEL_OFFERED);
	assert_said(THE_OPEN);
}

/* C-168 */
static void a_result_that_is_neither_yes_nor_no_leads_to_a_close(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID, NEITHER);
	assert_heard();
	assert_state(channel, CHANNEL_DOUBTFUL);
	assert_may_not_say(CHANNEL_OPEN_STATE, THE_OPEN);
	assert_said(CLOSE, close, .relid = RELID);
	assert_state(channel, CHANNEL_CLOSING);
}

static void a_status_is_a_failure_by_its_top_bit(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_OPEN);
	open_result(RELID, OPEN_ID, CONTROL_FAILURE - 1);
	assert_heard();
	assert_state(channel, CHANNEL_DOUBTFUL);
}

/* C-180 */
static void a_closed_channel_is_opened_again_once_its_ring_is_torn_down(void **state)
{
	(void)state;
	open_channel();
	assert_said(CLOSE, close, .relid = RELID);
	assert_may_not_say(CHANNEL_OPEN_STATE, THE_OPEN);
	assert_may_not_say(CHANNEL_CLOSE_STATE, CLOSE, close, .relid = RELID);
	assert_true(happens(channel, CHANNEL, LOCAL_RING_TORN_DOWN));
	assert_said(THE_OPEN);
}

static void modify_response(u32 relid, u32 status)
{
	message(CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE, relid, status);
}

/* C-172 */
static void a_change_of_processor_is_answered_once_and_for_its_channel(void **state)
{
	(void)state;
	open_channel();
	modify_response(RELID, 0);
	assert_refused(CHANNEL_MODIFY_RESPONSE_UNSOLICITED);
	assert_said(THE_MODIFICATION);
	modify_response(OTHER_RELID, 0);
	assert_refused(MODIFY_RESPONSE_RELID_VALUE);
	modify_response(0, 0);
	assert_refused(MODIFY_RESPONSE_RELID_RANGE);
	modify_response(RELID, 0);
	assert_heard();
	assert_refused(CHANNEL_MODIFY_RESPONSE_UNSOLICITED);
}

/* C-173 */
static void no_second_change_is_asked_for_while_the_first_is_outstanding(void **state)
{
	(void)state;
	open_channel();
	assert_said(THE_MODIFICATION);
	assert_may_not_say(CHANNEL_MODIFY_CHANNEL_OUTSTANDING, THE_MODIFICATION);
	assert_said(CLOSE, close, .relid = RELID);
	modify_response(RELID, 0);
	assert_heard();
}

static void before_5_3_no_answer_is_waited_for(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_5_2;
	open_channel();
	assert_said(THE_MODIFICATION);
	assert_said(THE_MODIFICATION);
	assert_true(now.channel.at.pending == 0);
}

static void a_closed_channel_does_not_change_its_processor(void **state)
{
	(void)state;
	take_offer();
	assert_may_not_say(CHANNEL_MODIFY_CHANNEL_STATE, THE_MODIFICATION);
	modify_response(RELID, 0);
	assert_refused(CHANNEL_MODIFY_RESPONSE_STATE);
}

/* ---- what is asked for rarely ---- */

/* C-176, C-177 */
static void a_reserved_channel_hears_answers_to_its_own_requests_only(void **state)
{
	(void)state;
	ctx.reserved_slot = 1;
	open_result(RELID, 0, 0);
	assert_refused(RESERVED_OPEN_RESERVED_RESULT_STATE);
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, RELID);
	assert_refused(RESERVED_CLOSE_RESERVED_RESPONSE_STATE);
	ctx.reserved_slot = 0;
	assert_said(THE_RESERVED_OPEN);
	ctx.reserved_slot = 1;
	assert_refused(RESERVED_CLOSE_RESERVED_RESPONSE_STATE);
	open_result(OTHER_RELID, 0, 0);
	assert_refused(OPEN_RESERVED_RESULT_RELID_VALUE);
	open_result(0, 0, 0);
	assert_refused(OPEN_RESERVED_RESULT_RELID_RANGE);
	open_result(RELID, 1, 0);
	assert_refused(OPEN_RESERVED_RESULT_OPEN_ID_ZERO);
	bytes_resize(&msg, 21);
	assert_refused(OPEN_RESERVED_RESULT_SIZE);
}

static void the_end_of_a_reserved_channel_names_that_channel(void **state)
{
	(void)state;
	assert_said(THE_RESERVED_CLOSE);
	ctx.reserved_slot = 1;
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, OTHER_RELID);
	assert_refused(CLOSE_RESERVED_RESPONSE_RELID_VALUE);
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, 0);
	assert_refused(CLOSE_RESERVED_RESPONSE_RELID_RANGE);
	assert_true(happens(reserved, RESERVED, AFTER_CLOSE_DEADLINE));
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, RELID);
	assert_refused(RESERVED_CLOSE_RESERVED_RESPONSE_STATE);
}

static void a_reserved_channel_of_an_earlier_kernel_is_closed(void **state)
{
	(void)state;
	assert_said(THE_RESERVED_CLOSE);
	ctx.reserved_slot = 1;
	message(CONTROL_MESSAGE_TYPE_CLOSE_RESERVED_RESPONSE, RELID);
	assert_heard();
	assert_state(reserved, RESERVED_CLOSED);
}

static void a_reserved_open_fails_or_is_doubtful_as_its_status_says(void **state)
{
	(void)state;
	assert_said(THE_RESERVED_OPEN);
	ctx.reserved_slot = 1;
	open_result(RELID, 0, FAILED);
	assert_heard();
	assert_state(reserved, RESERVED_CLOSED);
	ctx.reserved_slot = 0;
	assert_said(THE_RESERVED_OPEN);
	ctx.reserved_slot = 1;
	open_result(RELID, 0, NEITHER);
	assert_heard();
	assert_state(reserved, RESERVED_DOUBTFUL);
}

/* C-175 */
static void a_refusal_is_heard_by_the_socket_that_connects(void **state)
{
	(void)state;
	enumerate();
	tl_connect_result(endpoint, service, FAILED);
	assert_refused(STREAM_TL_CONNECT_RESULT_STATE);
	assert_said(THE_CONNECT);
	tl_connect_result(service, service, FAILED);
	assert_refused(TL_CONNECT_RESULT_ENDPOINT_VALUE);
	tl_connect_result(endpoint, endpoint, FAILED);
	assert_refused(TL_CONNECT_RESULT_SERVICE_VALUE);
	tl_connect_result(endpoint, service, 0);
	assert_refused(TL_CONNECT_RESULT_STATUS_VALUE);
	assert_true(happens(stream, STREAM, AFTER_CONNECT_DEADLINE));
	tl_connect_result(endpoint, service, FAILED);
	assert_refused(STREAM_TL_CONNECT_RESULT_STATE);
}

/* C-176 */
static void a_pause_is_answered_once_and_when_asked_for(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = CONTROL_FEATURE_PAUSE;
	connect();
	message(CONTROL_MESSAGE_TYPE_PAUSE_RESPONSE);
	assert_refused(CONNECTION_PAUSE_RESPONSE_UNSOLICITED);
	assert_said(PAUSE, pause);
	assert_may_not_say(CONNECTION_PAUSE_OUTSTANDING, PAUSE, pause);
	assert_heard();
	assert_refused(CONNECTION_PAUSE_RESPONSE_UNSOLICITED);
}

/* C-176 */
static void changed_monitor_pages_are_answered_once_and_when_asked_for(void **state)
{
	(void)state;
	ctx.version = CONTROL_VERSION_6_0;
	ctx.features = CONTROL_FEATURE_MODIFY_CONNECTION;
	connect();
	message(CONTROL_MESSAGE_TYPE_MODIFY_CONNECTION_RESPONSE);
	put(&msg, 0, 1);
	assert_refused(CONNECTION_MODIFY_CONNECTION_RESPONSE_UNSOLICITED);
	assert_said(MODIFY_CONNECTION, modify_connection);
	msg.data[8] = 3;
	assert_refused(MODIFY_CONNECTION_RESPONSE_OUTCOME_LIMIT);
	msg.data[8] = 2;
	assert_heard();
	assert_refused(CONNECTION_MODIFY_CONNECTION_RESPONSE_UNSOLICITED);
}

/* ---- GPADLs ---- */

/* C-200, C-201 */
static void a_creation_names_the_handle_and_channel_asked_for(void **state)
{
	(void)state;
	take_offer();
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(GPADL_GPADL_CREATED_STATE);
	assert_said(THE_GPADL);
	gpadl_created(RELID, HANDLE + 1, 0);
	assert_refused(GPADL_CREATED_HANDLE_VALUE);
	gpadl_created(OTHER_RELID, HANDLE, 0);
	assert_refused(GPADL_CREATED_RELID_VALUE);
	gpadl_created(0, HANDLE, 0);
	assert_refused(GPADL_CREATED_RELID_RANGE);
	gpadl_created(RELID, HANDLE, 0);
	assert_heard();
}

/* C-202, C-207 */
static void a_live_gpadl_is_neither_created_again_nor_does_it_fail(void **state)
{
	(void)state;
	create_gpadl();
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(GPADL_GPADL_CREATED_STATE);
	gpadl_created(RELID, HANDLE, FAILED);
	assert_refused(GPADL_GPADL_CREATED_STATE);
	assert_state(gpadl, GPADL_LIVE);
}

/* C-203 */
static void success_before_everything_was_told_costs_the_pages(void **state)
{
	(void)state;
	take_offer();
	assert_said(A_LONG_GPADL);
	assert_said(A_BODY(28));
	gpadl_created(RELID, HANDLE, 0);
	assert_heard();
	assert_state(gpadl, GPADL_LEAKED);
	assert_may_not_say(GPADL_GPADL_HEADER_STATE, THE_GPADL);
}

static void after_an_early_failure_the_rest_is_not_told(void **state)
{
	(void)state;
	take_offer();
	assert_said(A_LONG_GPADL);
	gpadl_created(RELID, HANDLE, FAILED);
	assert_heard();
	assert_state(gpadl, GPADL_UNUSED);
	assert_may_not_say(GPADL_GPADL_BODY_STATE, A_BODY(28));
}

static void twenty_six_pages_are_told_in_one_message(void **state)
{
	(void)state;
	take_offer();
	assert_said(GPADL_HEADER, gpadl_header, .relid = RELID, .handle = HANDLE,
		    .range_bytes = 8 + 8 * 26, .byte_count = 26 * PAGE, .pfns = { (const u8 *)pfns, 208 });
	assert_state(gpadl, GPADL_CREATING);
}

static void twenty_seven_pages_need_a_body(void **state)
{
	(void)state;
	take_offer();
	assert_said(GPADL_HEADER, gpadl_header, .relid = RELID, .handle = HANDLE,
		    .range_bytes = 8 + 8 * 27, .byte_count = 27 * PAGE, .pfns = { (const u8 *)pfns, 208 });
	assert_state(gpadl, GPADL_POSTING);
	assert_true(happens(gpadl, GPADL, LOCAL_LAST_BODY));
	assert_said(A_BODY(1));
	assert_state(gpadl, GPADL_CREATING);
}

/* C-204 */
static void a_creation_without_an_answer_costs_the_pages(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_GPADL);
	assert_true(happens(gpadl, GPADL, AFTER_CREATE_DEADLINE));
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(GPADL_GPADL_CREATED_STATE);
	assert_state(gpadl, GPADL_LEAKED);
}

/* C-205 */
static void a_failed_creation_leaves_nothing_that_could_succeed_later(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_GPADL);
	gpadl_created(RELID, HANDLE, CONTROL_FAILURE);
	assert_heard();
	assert_state(gpadl, GPADL_UNUSED);
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(GPADL_GPADL_CREATED_STATE);
}

/* C-206 */
static void a_doubtful_gpadl_is_torn_down_like_a_whole_one(void **state)
{
	(void)state;
	take_offer();
	assert_said(THE_GPADL);
	gpadl_created(RELID, HANDLE, NEITHER);
	assert_heard();
	assert_state(gpadl, GPADL_DOUBTFUL);
	assert_said(THE_TEARDOWN);
}

/* C-208 */
static void a_gpadl_ends_when_asked_to_and_under_its_own_handle(void **state)
{
	(void)state;
	create_gpadl();
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE);
	assert_refused(GPADL_GPADL_TORNDOWN_STATE);
	assert_said(THE_TEARDOWN);
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE + 1);
	assert_refused(GPADL_TORNDOWN_HANDLE_VALUE);
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE);
	assert_heard();
	assert_refused(GPADL_GPADL_TORNDOWN_STATE);
}

/* C-210, ST-096 */
static void an_end_that_is_not_confirmed_costs_the_pages(void **state)
{
	(void)state;
	create_gpadl();
	assert_said(THE_TEARDOWN);
	assert_true(happens(gpadl, GPADL, AFTER_TEARDOWN_DEADLINE));
	message(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, HANDLE);
	assert_refused(GPADL_GPADL_TORNDOWN_STATE);
	assert_state(gpadl, GPADL_LEAKED);
}

/* C-225 */
static void half_a_description_is_never_torn_down(void **state)
{
	(void)state;
	take_offer();
	assert_said(A_LONG_GPADL);
	assert_may_not_say(GPADL_GPADL_TEARDOWN_STATE, THE_TEARDOWN);
	assert_true(happens(gpadl, GPADL, LOCAL_ABANDON));
	assert_state(gpadl, GPADL_LEAKED);
	assert_may_not_say(GPADL_GPADL_TEARDOWN_STATE, THE_TEARDOWN);
}

/* ---- unload ---- */

/* C-250 */
static void the_end_of_a_connection_is_heard_only_while_unloading(void **state)
{
	(void)state;
	enumerate();
	message(CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE);
	assert_refused(CONNECTION_UNLOAD_RESPONSE_STATE);
	assert_said(UNLOAD, unload);
	assert_heard();
	assert_refused(CONNECTION_UNLOAD_RESPONSE_STATE);
}

/* C-256, C-131 */
static void while_unloading_only_its_answer_is_heard(void **state)
{
	(void)state;
	take_offer();
	assert_said(UNLOAD, unload);
	offer(.relid = OTHER_RELID);
	assert_refused(CONNECTION_OFFER_STATE);
	rescind(RELID);
	assert_refused(CONNECTION_RESCIND_STATE);
	gpadl_created(RELID, HANDLE, 0);
	assert_refused(CONNECTION_GPADL_CREATED_STATE);
	accept_version();
	assert_refused(CONNECTION_VERSION_RESPONSE_STATE);
}

/* C-251 */
static void an_unload_without_an_answer_ends_the_connection(void **state)
{
	(void)state;
	connect();
	assert_said(UNLOAD, unload);
	assert_true(happens(connection, CONNECTION, AFTER_UNLOAD_DEADLINE));
	message(CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE);
	assert_refused(CONNECTION_UNLOAD_RESPONSE_STATE);
	assert_may_not_say(CONNECTION_INITIATE_CONTACT_STATE, THE_CONTACT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define conversation(major, minor) {					\
	"a_whole_conversation_in_" #major "_" #minor "_is_heard",	\
	a_whole_conversation_is_heard, begin, end,			\
	&(u32){ CONTROL_VERSION_##major##_##minor } }

static int run_honest_host(void)
{
	const struct CMUnitTest tests[] = {
		conversation(1, 1),
		conversation(2, 4),
		conversation(3, 0),
		conversation(4, 0),
		conversation(4, 1),
		conversation(5, 0),
		conversation(5, 1),
		conversation(5, 2),
		conversation(5, 3),
		conversation(6, 0),
		test(a_conversation_with_all_features_is_heard),
		test(monitor_pages_are_changed),
		test(a_reserved_channel_is_opened_and_closed_without_a_connection),
		test(a_stream_is_refused),
		test(a_stream_is_taken_up),
		test(messages_are_read_from_their_bytes),
	};

	return cmocka_run_group_tests_name("control: an honest host", tests, NULL, NULL);
}

static int run_form(void)
{
	const struct CMUnitTest tests[] = {
		test(a_slot_gives_its_payload_and_no_more),
		test(a_slot_may_be_full),
		test(a_message_of_the_hypervisor_is_no_channel_message),
		test(a_payload_beyond_the_slot_or_below_the_header_is_refused),
		test(a_slot_that_was_not_copied_whole_is_refused),
		test(the_padding_of_the_header_does_not_matter),
		test(a_type_nobody_knows_is_refused),
		test(our_own_messages_are_not_heard),
		test(a_message_that_was_not_negotiated_is_refused),
		test(nothing_shorter_than_a_header_is_a_message),
		test(messages_without_fields_differ_by_their_type),
		test(a_message_has_the_size_of_its_type),
		test(an_offer_has_196_bytes),
		test(a_confidential_connection_hears_the_paravisor_only),
		test(the_reserved_slot_is_heard_for_its_answers_only),
	};

	return cmocka_run_group_tests_name("control: slots and sizes", tests, NULL, NULL);
}

static int run_contact(void)
{
	const struct CMUnitTest tests[] = {
		test(nothing_is_heard_before_our_own_contact),
		test(the_first_answer_to_a_contact_is_the_only_one),
		test(no_answer_in_time_ends_the_connection),
		test(one_contact_is_made_at_a_time),
		test(a_version_is_supported_or_it_is_not),
		test(a_failed_connection_is_none_though_its_version_is_supported),
		test(an_outcome_nobody_knows_is_refused_from_2_4_on),
		test(another_version_than_asked_for_is_refused),
		test(a_connection_id_has_24_bits_and_is_not_zero),
		test(features_nobody_asked_for_are_refused),
		test(fewer_features_than_asked_for_may_be_granted),
		test(an_answer_of_6_0_that_is_too_short_to_grant_is_refused),
		test(an_answer_too_short_to_hold_its_version_is_refused),
		test(monitor_pages_we_did_not_ask_for_are_not_looked_at),
		test(monitor_pages_of_the_host_are_whole_pages_and_present),
		test(the_end_of_a_connection_is_heard_only_while_unloading),
		test(while_unloading_only_its_answer_is_heard),
		test(an_unload_without_an_answer_ends_the_connection),
	};

	return cmocka_run_group_tests_name("control: contact and unload", tests, NULL, NULL);
}

static int run_offers(void)
{
	const struct CMUnitTest tests[] = {
		test(an_offer_is_read_from_its_bytes),
		test(no_offer_is_heard_before_offers_are_requested),
		test(a_channel_has_a_number_with_an_event_flag),
		test(the_number_of_a_live_channel_is_not_offered_again),
		test(the_number_of_a_rescinded_channel_is_ours_until_it_is_released),
		test(no_more_subchannels_are_offered_than_any_driver_asks_for),
		test(private_memory_comes_with_a_private_ring),
		test(a_private_ring_must_have_been_granted),
		test(pinned_memory_must_have_been_granted),
		test(a_pipe_carries_bytes_or_messages),
		test(a_stream_says_plainly_where_it_comes_from),
		test(a_monitor_lies_inside_of_its_page),
		test(an_event_connection_has_24_bits_and_is_not_zero),
		test(from_2_4_on_each_channel_has_its_own_event_connection),
		test(the_end_of_offers_is_heard_once_and_when_requested),
		test(start_up_does_not_wait_for_the_end_of_offers_for_ever),
		test(an_offer_can_be_refused),
		test(a_channel_that_does_not_exist_is_not_rescinded),
		test(a_channel_is_rescinded_once),
		test(a_channel_can_be_rescinded_while_it_closes),
		test(an_answer_that_comes_after_the_rescind_is_none),
		test(the_number_of_a_channel_in_use_is_not_released),
	};

	return cmocka_run_group_tests_name("control: offers and rescinds", tests, NULL, NULL);
}

static int run_channels(void)
{
	const struct CMUnitTest tests[] = {
		test(nothing_is_opened_by_a_result_nobody_waits_for),
		test(the_first_open_result_is_the_only_one),
		test(the_result_of_an_earlier_attempt_is_not_that_of_this_one),
		test(an_open_result_names_a_channel),
		test(a_channel_whose_open_went_unanswered_is_abandoned),
		test(an_open_that_failed_may_be_tried_again),
		test(a_result_that_is_neither_yes_nor_no_leads_to_a_close),
		test(a_status_is_a_failure_by_its_top_bit),
		test(a_closed_channel_is_opened_again_once_its_ring_is_torn_down),
		test(a_change_of_processor_is_answered_once_and_for_its_channel),
		test(no_second_change_is_asked_for_while_the_first_is_outstanding),
		test(before_5_3_no_answer_is_waited_for),
		test(a_closed_channel_does_not_change_its_processor),
		test(a_reserved_channel_hears_answers_to_its_own_requests_only),
		test(the_end_of_a_reserved_channel_names_that_channel),
		test(a_reserved_channel_of_an_earlier_kernel_is_closed),
		test(a_reserved_open_fails_or_is_doubtful_as_its_status_says),
		test(a_refusal_is_heard_by_the_socket_that_connects),
		test(a_pause_is_answered_once_and_when_asked_for),
		test(changed_monitor_pages_are_answered_once_and_when_asked_for),
	};

	return cmocka_run_group_tests_name("control: channels", tests, NULL, NULL);
}

static int run_gpadls(void)
{
	const struct CMUnitTest tests[] = {
		test(a_creation_names_the_handle_and_channel_asked_for),
		test(a_live_gpadl_is_neither_created_again_nor_does_it_fail),
		test(success_before_everything_was_told_costs_the_pages),
		test(after_an_early_failure_the_rest_is_not_told),
		test(twenty_six_pages_are_told_in_one_message),
		test(twenty_seven_pages_need_a_body),
		test(a_creation_without_an_answer_costs_the_pages),
		test(a_failed_creation_leaves_nothing_that_could_succeed_later),
		test(a_doubtful_gpadl_is_torn_down_like_a_whole_one),
		test(a_gpadl_ends_when_asked_to_and_under_its_own_handle),
		test(an_end_that_is_not_confirmed_costs_the_pages),
		test(half_a_description_is_never_torn_down),
	};

	return cmocka_run_group_tests_name("control: GPADLs", tests, NULL, NULL);
}

int main(void)
{
	int failed = run_honest_host();

	failed += run_form();
	failed += run_contact();
	failed += run_offers();
	failed += run_channels();
	failed += run_gpadls();
	return failed ? 1 : 0;
}
