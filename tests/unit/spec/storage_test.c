/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversations with a storage controller of the host, through the generated validators,
 * builders and sessions: an honest one is heard in every version, and a hostile one is
 * stopped by the rule that is meant to stop it. Ids like ST-067 name the attack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "storage.h"

#define ID 0x1000000000000007ull	/* of the ring packet */
#define REFUSED 0xc0000059		/* a status */
#define PAGE 4096

struct sessions {
	struct storage_device_session device;
	struct storage_rescan_session rescan;
	struct storage_srb_session srb;
};

static struct sessions now;
static struct storage_context ctx;
static struct storage_message in, out;
static struct bytes msg;
static u8 sent[64];
static u32 sent_size;

static const u8 cdb[16] = { 0x28 };

/* ---- the host speaks ---- */

/* Every packet of a version has the same size. */
static u32 whole(void)
{
	return ctx.version < STORAGE_VERSION_5_1 ? 48 : 64;
}

static void header(u32 operation, u32 flags, u32 status)
{
	bytes_clear(&msg);
	put(&msg, operation, 4);
	put(&msg, flags, 4);
	put(&msg, status, 4);
}

/* An answer to a request for "operation", without anything but its status. */
static void answer(u32 operation, u32 status)
{
	ctx.kind = STORAGE_PACKET_KIND_ANSWER;
	ctx.transaction = ID;
	ctx.answering = operation;
	header(STORAGE_OPERATION_COMPLETE_IO, 0, status);
	bytes_resize(&msg, whole());
}

static void news(u32 operation)
{
	ctx.kind = STORAGE_PACKET_KIND_NEWS;
	ctx.transaction = 0;
	header(operation, 0, 0);
	bytes_resize(&msg, whole());
}

static void set(u32 offset, u64 value, u32 width)
{
	u32 i;

	for (i = 0; i < width; i++)
		msg.data[offset + i] = value >> 8 * i;
}

static void version_complete(u32 status, u16 chosen)
{
	answer(STORAGE_OPERATION_QUERY_VERSION, status);
	set(12, chosen, 2);
}

static void properties_complete(u32 status, u32 max_transfer)
{
	answer(STORAGE_OPERATION_QUERY_PROPERTIES, status);
	set(16, 4, 2);
	set(20, 1, 4);
	set(24, max_transfer, 4);
}

static void srb_complete(u32 transferred, u8 sense_length)
{
	answer(STORAGE_OPERATION_EXECUTE_SRB, 0);
	set(12, 52, 2);
	set(14, 0x01, 1);
	set(21, sense_length, 1);
	set(24, transferred, 4);
}

/* ---- the guest hears and speaks ---- */

static int judge(void)
{
	memset(&in, STALE, sizeof(in));
	return storage_receive(msg.data, msg.size, &ctx, &in);
}

static int pass(struct sessions *s)
{
	int rule;

	switch (in.kind) {
	case STORAGE_MSG_ENUMERATE_BUS:
	case STORAGE_MSG_REMOVE_DEVICE:
		return storage_rescan_receive(&s->rescan, &in);
	case STORAGE_MSG_SRB_COMPLETE:
		rule = storage_device_receive(&s->device, &ctx, &in);
		return rule ?: storage_srb_receive(&s->srb, &in);
	default:
		return storage_device_receive(&s->device, &ctx, &in);
	}
}

/* The packet as the guest takes it: every session agrees, or none has moved. */
static int hear(void)
{
	struct sessions next = now;
	int rule = judge();

	if (!rule)
		rule = pass(&next);
	if (!rule)
		now = next;
	return rule;
}

static int build(enum storage_msg kind)
{
#define BUILD(NAME, name) case STORAGE_MSG_##NAME: \
	return storage_build_##name(sent, sizeof(sent), &ctx, &out.name, &sent_size)
	switch (kind) {
	BUILD(BEGIN_INITIALIZATION, begin_initialization);
	BUILD(QUERY_VERSION, query_version);
	BUILD(QUERY_PROPERTIES, query_properties);
	BUILD(QUERY_NAMES, query_names);
	BUILD(END_INITIALIZATION, end_initialization);
	BUILD(CREATE_SUBCHANNELS, create_subchannels);
	BUILD(EXECUTE_SRB, execute_srb);
	BUILD(RESET, reset);
	default:
		return STORAGE_RULES;
	}
#undef BUILD
}

static int send(enum storage_msg kind)
{
	ctx.kind = STORAGE_PACKET_KIND_OURS;
	ctx.transaction = ID;
	return build(kind) ?: kind == STORAGE_MSG_EXECUTE_SRB ?
	       storage_srb_send(&now.srb, &out) : storage_device_send(&now.device, &ctx, &out);
}

/* Fields of the packet, in C: say(RESET, reset, .lun = 3) */
#define say(NAME, name, ...) (						\
	out = (struct storage_message){					\
		.kind = STORAGE_MSG_##NAME,				\
		.name = { .header.flags = 1, __VA_ARGS__ } },		\
	send(STORAGE_MSG_##NAME))

#define assert_said(...) assert_int_equal(say(__VA_ARGS__), 0)
#define assert_may_not_say(rule, ...) assert_int_equal(say(__VA_ARGS__), STORAGE_RULE_##rule)
#define assert_heard() assert_int_equal(hear(), 0)
#define assert_refused(rule) assert_int_equal(hear(), STORAGE_RULE_##rule)
#define assert_malformed(rule) assert_int_equal(judge(), STORAGE_RULE_##rule)
#define assert_well_formed(type) do {					\
		assert_int_equal(judge(), 0);				\
		assert_int_equal(in.kind, STORAGE_MSG_##type);		\
	} while (0)
#define assert_state(session, is) assert_int_equal(now.session.at.state, STORAGE_STATE_##is)
#define happens(session, SESSION, event) \
	session_local(&storage_##session##_table, &now.session.at, STORAGE_EVENT_##SESSION##_##event)

#define THE_VERSION QUERY_VERSION, query_version, .proposed = ctx.version
#define A_RESET(which) RESET, reset, .header.operation = STORAGE_OPERATION_RESET_##which
#define A_READ(bytes) EXECUTE_SRB, execute_srb, .length = ctx.version < STORAGE_VERSION_5_1 ? 36 : 52, \
	.cdb_length = 10, .sense_room = 20, .direction = STORAGE_DATA_DIRECTION_READ, \
	.transfer_length = bytes, .cdb = { cdb, 16 }

/* ---- common beginnings ---- */

static int begin(void **state)
{
	(void)state;
	ctx = (struct storage_context){
		.version = STORAGE_VERSION_6_0, .device = STORAGE_DEVICE_KIND_SCSI, .primary = 1,
		.max_transfer = 0x40000, .max_subchannels = 4,
	};
	memset(&now, STALE, sizeof(now));
	session_start(&storage_device_table, &now.device.at);
	session_start(&storage_rescan_table, &now.rescan.at);
	session_start(&storage_srb_table, &now.srb.at);
	return 0;
}

static int end(void **state)
{
	(void)state;
	bytes_clear(&msg);
	return 0;
}

static void begin_initialization(void)
{
	assert_said(BEGIN_INITIALIZATION, begin_initialization);
	answer(STORAGE_OPERATION_BEGIN_INITIALIZATION, 0);
	assert_heard();
	assert_state(device, DEVICE_BEGUN);
}

static void agree_version(void)
{
	assert_said(THE_VERSION);
	version_complete(0, ctx.version);
	assert_heard();
	assert_state(device, DEVICE_AGREED);
}

static void ask_properties(void)
{
	assert_said(QUERY_PROPERTIES, query_properties);
	properties_complete(0, 0x40000);
	assert_heard();
	assert_state(device, DEVICE_KNOWN);
}

static void end_initialization(void)
{
	assert_said(END_INITIALIZATION, end_initialization);
	answer(STORAGE_OPERATION_END_INITIALIZATION, 0);
	assert_heard();
	assert_state(device, DEVICE_READY);
}

static void get_ready(void)
{
	begin_initialization();
	agree_version();
	ask_properties();
	end_initialization();
}

static void read_from_disk(u32 bytes)
{
	assert_true(happens(srb, SRB, LOCAL_RESERVE));
	assert_said(A_READ(bytes));
	assert_state(srb, SRB_IN_FLIGHT);
}

/* ---- an honest host ---- */

static void a_whole_conversation_is_heard(void **state)
{
	ctx.version = *(const u32 *)*state;
	begin_initialization();
	assert_said(THE_VERSION);
	version_complete(REFUSED, ctx.version);
	assert_heard();
	assert_state(device, DEVICE_BEGUN);
	agree_version();
	ask_properties();
	end_initialization();
	read_from_disk(0x2000);
	srb_complete(0x2000, 20);
	assert_heard();
	assert_true(happens(srb, SRB, LOCAL_RELEASE));
	assert_state(srb, SRB_FREE);
	assert_said(A_RESET(BUS));
	answer(STORAGE_OPERATION_RESET_BUS, 0);
	assert_heard();
	assert_true(happens(device, DEVICE, LOCAL_DRAIN));
	assert_true(happens(device, DEVICE, LOCAL_DRAINED));
	assert_state(device, DEVICE_CLOSED);
}

static void subchannels_are_created(void **state)
{
	(void)state;
	get_ready();
	assert_said(CREATE_SUBCHANNELS, create_subchannels, .count = 4);
	answer(STORAGE_OPERATION_CREATE_SUBCHANNELS, 0);
	assert_heard();
	assert_state(device, DEVICE_READY);
}

static void a_fibre_channel_adapter_tells_its_names(void **state)
{
	(void)state;
	ctx.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	begin_initialization();
	agree_version();
	ask_properties();
	assert_may_not_say(DEVICE_END_INITIALIZATION_STATE, END_INITIALIZATION, end_initialization);
	assert_said(QUERY_NAMES, query_names);
	answer(STORAGE_OPERATION_FC_HBA_DATA, 0);
	set(0, STORAGE_OPERATION_FC_HBA_DATA, 4);	/* no answer that says it is one */
	assert_malformed(HEADER_ANSWER_SAYS_SO);
	answer(STORAGE_OPERATION_FC_HBA_DATA, 0);
	set(12, 2, 1);			/* ST-039 */
	set(16, 0x8877665544332211, 8);
	set(40, 0x1122334455667788, 8);
	assert_heard();
	assert_int_equal(in.names_complete.names.primary_active, 2);
	assert_true(in.names_complete.names.primary_port == 0x1122334455667788);
	assert_true(in.names_complete.names.secondary_node == 0x8877665544332211);
	end_initialization();
}

static void an_honest_answer_is_read_from_its_bytes(void **state)
{
	(void)state;
	answer(STORAGE_OPERATION_QUERY_PROPERTIES, 0);
	bytes_clear(&msg);
	put_hex(&msg, "01 00 00 00 00 00 00 00 00 00 00 00");
	put_hex(&msg, "00 00 00 00 04 00 00 00 01 00 00 00 00 00 04 00");
	put_zeros(&msg, 36);
	assert_well_formed(PROPERTIES_COMPLETE);
	assert_int_equal(in.properties_complete.max_subchannels, 4);
	assert_int_equal(in.properties_complete.properties, STORAGE_PROPERTY_FLAG_MULTI_CHANNEL);
	assert_int_equal(in.properties_complete.max_transfer_bytes, 0x40000);
	answer(STORAGE_OPERATION_QUERY_VERSION, 0);
	bytes_clear(&msg);
	put_hex(&msg, "01 00 00 00 00 00 00 00 00 00 00 00 | 00 06 00 00");
	put_zeros(&msg, 48);
	assert_well_formed(VERSION_COMPLETE);
	assert_int_equal(in.version_complete.chosen, STORAGE_VERSION_6_0);
}

static void a_completion_is_read_from_its_bytes(void **state)
{
	(void)state;
	answer(STORAGE_OPERATION_EXECUTE_SRB, 0);
	bytes_clear(&msg);
	put_hex(&msg, "01 00 00 00 00 00 00 00 00 00 00 00 | 34 00 84 02 00 00 00 00 10 14 00 00");
	put_hex(&msg, "00 20 00 00 | 70 00 05 00 00 00 00 0a");
	bytes_resize(&msg, 64);
	assert_well_formed(SRB_COMPLETE);
	assert_int_equal(in.srb_complete.srb_status_code, 4);	/* ST-077: 6 bits */
	assert_int_equal(in.srb_complete.srb_status_queue_frozen, 0);
	assert_int_equal(in.srb_complete.srb_status_autosense, 1);
	assert_int_equal(in.srb_complete.scsi_status, STORAGE_SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(in.srb_complete.sense_length, 20);
	assert_int_equal(in.srb_complete.transferred, 0x2000);
	assert_ptr_equal(in.srb_complete.sense.data, msg.data + 28);
	assert_int_equal(in.srb_complete.sense.size, 20);
}

/* ---- form ---- */

/* ST-012, ST-013 */
static void every_answer_has_the_size_of_its_version(void **state)
{
	static const struct { u8 operation; u16 longer; } answers[] = {
		{ STORAGE_OPERATION_BEGIN_INITIALIZATION, STORAGE_RULE_BEGIN_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_QUERY_VERSION, STORAGE_RULE_VERSION_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_END_INITIALIZATION, STORAGE_RULE_END_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_CREATE_SUBCHANNELS, STORAGE_RULE_CREATE_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_FC_HBA_DATA, STORAGE_RULE_NAMES_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_RESET_LUN, STORAGE_RULE_RESET_COMPLETE_TRAILING },
		{ STORAGE_OPERATION_EXECUTE_SRB, STORAGE_RULE_SRB_COMPLETE_TRAILING },
	};
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		ctx.version = STORAGE_VERSION_6_2;
		answer(answers[i].operation, 0);
		bytes_resize(&msg, 65);
		assert_int_equal(judge(), answers[i].longer);
		ctx.version = STORAGE_VERSION_4_2;
		answer(answers[i].operation, 0);
		bytes_resize(&msg, 64);
		assert_int_equal(judge(), answers[i].longer);
	}
}

/* ST-012 */
static void no_answer_is_shorter_than_its_version_demands(void **state)
{
	(void)state;
	answer(STORAGE_OPERATION_BEGIN_INITIALIZATION, 0);
	bytes_resize(&msg, 63);
	assert_malformed(PADDING_AFTER_BYTES_BOUNDS);
	ctx.version = STORAGE_VERSION_4_2;
	bytes_resize(&msg, 47);
	assert_malformed(PADDING_AFTER_BYTES_BOUNDS_2);
	bytes_resize(&msg, 11);
	assert_malformed(HEADER_SIZE);
	ctx.version = STORAGE_VERSION_6_0;
	srb_complete(0, 0);
	bytes_resize(&msg, 48);
	assert_malformed(SRB_COMPLETE_ECHO3_BOUNDS);
	bytes_resize(&msg, 47);
	assert_malformed(SRB_COMPLETE_SIZE);
	answer(STORAGE_OPERATION_QUERY_VERSION, 0);
	bytes_resize(&msg, 15);
	assert_malformed(VERSION_COMPLETE_SIZE);
	answer(STORAGE_OPERATION_QUERY_PROPERTIES, 0);
	bytes_resize(&msg, 35);
	assert_malformed(PROPERTIES_COMPLETE_SIZE);
	answer(STORAGE_OPERATION_FC_HBA_DATA, 0);
	bytes_resize(&msg, 47);
	assert_malformed(NAMES_COMPLETE_SIZE);
}

/* ST-018, ST-062 */
static void an_answer_says_that_it_is_one(void **state)
{
	(void)state;
	answer(STORAGE_OPERATION_EXECUTE_SRB, 0);
	set(0, STORAGE_OPERATION_EXECUTE_SRB, 4);
	assert_malformed(HEADER_ANSWER_SAYS_SO);
	set(0, STORAGE_OPERATION_ENUMERATE_BUS, 4);
	assert_malformed(HEADER_ANSWER_SAYS_SO);
}

/* ST-051 */
static void an_operation_nobody_knows_is_refused(void **state)
{
	static const u32 operations[] = { 0, 15, 0x10b, 0xffffffff };
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(operations) / 4; i++) {
		news(operations[i]);
		assert_malformed(HEADER_OPERATION_ENUM);
	}
}

/* ST-010: our own requests, spoken by the host. */
static void our_own_requests_are_not_heard(void **state)
{
	static const u8 operations[] = { 3, 4, 5, 6, 7, 8, 9, 10, 13 };
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(operations); i++) {
		news(operations[i]);
		assert_malformed(DISPATCH);
	}
}

/* The validator of a request of ours takes that one only, and in the size of its version. */
#define assert_takes_its_own(NAME, name) do {				\
		struct storage_##name view;				\
		header(STORAGE_OPERATION_##NAME, 1, 0);			\
		put(&msg, STORAGE_OPERATION_##NAME == 9 ? ctx.version : 1, 2);	\
		bytes_resize(&msg, 64);					\
		assert_int_equal(storage_check_##name(msg.data, 64, &ctx, &view), 0);	\
		bytes_resize(&msg, 65);					\
		assert_int_equal(storage_check_##name(msg.data, 65, &ctx, &view),	\
				 STORAGE_RULE_##NAME##_TRAILING);			\
		bytes_resize(&msg, 63);					\
		assert_int_equal(storage_check_##name(msg.data, 63, &ctx, &view),	\
				 STORAGE_RULE_PADDING_AFTER_BYTES_BOUNDS);		\
		bytes_resize(&msg, 64);					\
		set(0, STORAGE_OPERATION_EXECUTE_SRB, 4);		\
		assert_int_equal(storage_check_##name(msg.data, 64, &ctx, &view),	\
				 STORAGE_RULE_##NAME##_WHEN);				\
		set(4, 0, 4);						\
		assert_int_equal(storage_check_##name(msg.data, 64, &ctx, &view),	\
				 STORAGE_RULE_HEADER_ASKS_CLEANLY);			\
	} while (0)

#define STORAGE_OPERATION_QUERY_NAMES STORAGE_OPERATION_FC_HBA_DATA

static void our_own_requests_have_the_size_of_their_version(void **state)
{
	(void)state;
	ctx.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	assert_takes_its_own(BEGIN_INITIALIZATION, begin_initialization);
	assert_takes_its_own(QUERY_VERSION, query_version);
	assert_takes_its_own(QUERY_PROPERTIES, query_properties);
	assert_takes_its_own(QUERY_NAMES, query_names);
	assert_takes_its_own(END_INITIALIZATION, end_initialization);
	assert_takes_its_own(CREATE_SUBCHANNELS, create_subchannels);
}

/* ---- handshake ---- */

/* ST-023, ST-024 */
static void no_step_is_answered_before_it_is_taken(void **state)
{
	(void)state;
	answer(STORAGE_OPERATION_BEGIN_INITIALIZATION, 0);
	assert_refused(DEVICE_BEGIN_COMPLETE_STATE);
	version_complete(0, ctx.version);
	assert_refused(DEVICE_VERSION_COMPLETE_STATE);
	properties_complete(0, 0x40000);
	assert_refused(DEVICE_PROPERTIES_COMPLETE_STATE);
	answer(STORAGE_OPERATION_FC_HBA_DATA, 0);
	assert_refused(DEVICE_NAMES_COMPLETE_STATE);
	answer(STORAGE_OPERATION_END_INITIALIZATION, 0);
	assert_refused(DEVICE_END_COMPLETE_STATE);
	answer(STORAGE_OPERATION_CREATE_SUBCHANNELS, 0);
	assert_refused(DEVICE_CREATE_COMPLETE_STATE);
	assert_state(device, DEVICE_CLOSED);
}

/* ST-023, ST-024 */
static void a_step_is_answered_once(void **state)
{
	(void)state;
	begin_initialization();
	assert_refused(DEVICE_BEGIN_COMPLETE_STATE);
	agree_version();
	assert_refused(DEVICE_VERSION_COMPLETE_STATE);
	ask_properties();
	assert_refused(DEVICE_PROPERTIES_COMPLETE_STATE);
	end_initialization();
	assert_refused(DEVICE_END_COMPLETE_STATE);
}

/* ST-019 */
static void a_step_that_fails_fails_the_device(void **state)
{
	(void)state;
	assert_said(BEGIN_INITIALIZATION, begin_initialization);
	answer(STORAGE_OPERATION_BEGIN_INITIALIZATION, 0xc0000184);
	assert_heard();
	assert_state(device, DEVICE_FAILED);
	assert_may_not_say(DEVICE_QUERY_VERSION_STATE, THE_VERSION);
	assert_true(happens(device, DEVICE, LOCAL_CHANNEL_CLOSED));
	begin_initialization();
	agree_version();
	ask_properties();
	assert_said(END_INITIALIZATION, end_initialization);
	answer(STORAGE_OPERATION_END_INITIALIZATION, 1);
	assert_heard();
	assert_state(device, DEVICE_FAILED);
}

/* ST-019 */
static void properties_that_are_refused_fail_the_device(void **state)
{
	(void)state;
	begin_initialization();
	agree_version();
	assert_said(QUERY_PROPERTIES, query_properties);
	properties_complete(0xc0000001, 0);
	assert_heard();
	assert_state(device, DEVICE_FAILED);
}

/* ST-022 */
static void another_version_than_proposed_is_refused(void **state)
{
	(void)state;
	begin_initialization();
	assert_said(THE_VERSION);
	version_complete(0, STORAGE_VERSION_6_2);
	assert_refused(VERSION_COMPLETE_ECHO);
	assert_state(device, DEVICE_PROPOSING);
	version_complete(0, 0);		/* some hosts do not repeat it */
	assert_heard();
	assert_state(device, DEVICE_AGREED);
}

/* ST-020 */
static void a_refusal_may_name_any_version(void **state)
{
	(void)state;
	begin_initialization();
	assert_said(THE_VERSION);
	version_complete(REFUSED, 0x999);
	assert_heard();
	assert_state(device, DEVICE_BEGUN);
}

/* ST-025 */
static void a_step_without_an_answer_fails_the_device(void **state)
{
	(void)state;
	assert_said(BEGIN_INITIALIZATION, begin_initialization);
	assert_true(happens(device, DEVICE, AFTER_STEP_DEADLINE));
	answer(STORAGE_OPERATION_BEGIN_INITIALIZATION, 0);
	assert_refused(DEVICE_BEGIN_COMPLETE_STATE);
	assert_state(device, DEVICE_FAILED);
}

/* ST-026 */
static void transfers_of_less_than_a_page_are_of_no_use(void **state)
{
	(void)state;
	properties_complete(0, PAGE - 1);
	assert_malformed(PROPERTIES_COMPLETE_USABLE);
	properties_complete(0, 0);
	assert_malformed(PROPERTIES_COMPLETE_USABLE);
	properties_complete(0, PAGE);
	assert_well_formed(PROPERTIES_COMPLETE);
	properties_complete(REFUSED, 0);
	assert_well_formed(PROPERTIES_COMPLETE);
}

/* ST-033 */
static void without_more_channels_the_device_goes_on_with_one(void **state)
{
	(void)state;
	get_ready();
	assert_said(CREATE_SUBCHANNELS, create_subchannels, .count = 1);
	assert_true(happens(device, DEVICE, AFTER_STEP_DEADLINE));
	assert_state(device, DEVICE_READY);
	answer(STORAGE_OPERATION_CREATE_SUBCHANNELS, 0);
	assert_refused(DEVICE_CREATE_COMPLETE_STATE);
}

/* ST-040 */
static void a_device_may_fail_in_every_state(void **state)
{
	(void)state;
	get_ready();
	assert_true(happens(device, DEVICE, LOCAL_FAIL));
	assert_state(device, DEVICE_FAILED);
	srb_complete(0, 0);
	assert_refused(DEVICE_SRB_COMPLETE_STATE);
}

/* ST-110 */
static void a_new_start_goes_through_every_step(void **state)
{
	(void)state;
	get_ready();
	assert_may_not_say(DEVICE_BEGIN_INITIALIZATION_STATE, BEGIN_INITIALIZATION, begin_initialization);
	assert_true(happens(device, DEVICE, LOCAL_DRAIN));
	assert_true(happens(device, DEVICE, LOCAL_DRAINED));
	assert_may_not_say(DEVICE_QUERY_PROPERTIES_STATE, QUERY_PROPERTIES, query_properties);
	get_ready();
}

/* ---- resets ---- */

/* ST-061 */
static void a_reset_is_answered_as_the_reset_it_was(void **state)
{
	(void)state;
	get_ready();
	assert_said(A_RESET(LUN));
	answer(STORAGE_OPERATION_RESET_BUS, 0);
	assert_refused(RESET_COMPLETE_SAME_RESET);
	answer(STORAGE_OPERATION_RESET_LUN, 0);
	assert_heard();
}

/* ST-063 */
static void no_reset_is_answered_that_was_not_asked_for(void **state)
{
	(void)state;
	get_ready();
	answer(STORAGE_OPERATION_RESET_ADAPTER, 0);
	assert_refused(DEVICE_RESET_COMPLETE_STATE);
	assert_said(A_RESET(ADAPTER));
	assert_may_not_say(DEVICE_RESET_STATE, A_RESET(ADAPTER));
	assert_true(happens(device, DEVICE, AFTER_RESET_DEADLINE));
	answer(STORAGE_OPERATION_RESET_ADAPTER, 0);
	assert_refused(DEVICE_RESET_COMPLETE_STATE);
}

/* ---- commands ---- */

/* ST-055, R-092, R-096 */
static void a_command_is_answered_only_once_it_was_sent(void **state)
{
	(void)state;
	get_ready();
	srb_complete(0, 0);
	assert_refused(SRB_SRB_COMPLETE_STATE);
	assert_true(happens(srb, SRB, LOCAL_RESERVE));
	assert_refused(SRB_SRB_COMPLETE_STATE);		/* ST-058 */
	assert_said(A_READ(PAGE));
	srb_complete(PAGE, 0);
	assert_heard();
}

/* ST-056, ST-057 */
static void a_command_is_answered_once(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(PAGE);
	srb_complete(PAGE, 0);
	assert_heard();
	assert_refused(SRB_SRB_COMPLETE_STATE);
	assert_true(happens(srb, SRB, LOCAL_RELEASE));
	assert_refused(SRB_SRB_COMPLETE_STATE);
}

static void a_command_is_sent_once(void **state)
{
	(void)state;
	get_ready();
	assert_may_not_say(SRB_EXECUTE_SRB_STATE, A_READ(PAGE));
	read_from_disk(PAGE);
	assert_may_not_say(SRB_EXECUTE_SRB_STATE, A_READ(PAGE));
}

/* ST-065, ST-066 */
static void memory_told_to_the_host_is_kept_until_it_has_answered(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(PAGE);
	assert_true(happens(srb, SRB, LOCAL_GIVE_UP));
	assert_false(happens(srb, SRB, LOCAL_RELEASE));
	assert_false(happens(srb, SRB, LOCAL_RESERVE));
	srb_complete(PAGE, 0);
	assert_heard();
	assert_state(srb, SRB_FREE);
}

static void memory_comes_back_when_the_channel_is_gone(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(PAGE);
	assert_true(happens(srb, SRB, LOCAL_CHANNEL_GONE));
	assert_true(now.srb.at.pending == 0);
	srb_complete(PAGE, 0);
	assert_refused(SRB_SRB_COMPLETE_STATE);
}

/* ST-067 */
static void no_more_is_transferred_than_was_asked_for(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(PAGE);
	srb_complete(PAGE + 1, 0);
	assert_refused(SRB_COMPLETE_TRANSFERRED_LIMIT_2);
	assert_state(srb, SRB_IN_FLIGHT);
	srb_complete(0x40001, 0);
	assert_malformed(SRB_COMPLETE_TRANSFERRED_LIMIT);
	srb_complete(0xffffffff, 0);
	assert_malformed(SRB_COMPLETE_TRANSFERRED_LIMIT);
	srb_complete(PAGE - 1, 0);
	assert_heard();
}

/* ST-070 */
static void nothing_is_transferred_where_nothing_was_asked_for(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(0);
	srb_complete(1, 0);
	assert_refused(SRB_COMPLETE_TRANSFERRED_LIMIT_2);
	srb_complete(0, 0);
	assert_heard();
}

/* ST-071 */
static void sense_data_fits_its_field(void **state)
{
	(void)state;
	srb_complete(0, 21);
	assert_malformed(SRB_COMPLETE_SENSE_LENGTH_LIMIT);
	srb_complete(0, 255);
	assert_malformed(SRB_COMPLETE_SENSE_LENGTH_LIMIT);
	srb_complete(0, 20);
	assert_well_formed(SRB_COMPLETE);
}

/* ST-083, ST-084: the request knows what it was about. */
static void what_a_completion_repeats_of_its_request_does_not_matter(void **state)
{
	(void)state;
	srb_complete(0, 0);
	set(12, 0xffff, 2);
	set(16, 0xffffffffff, 5);
	set(22, 0xffff, 2);
	set(48, ~0ull, 8);
	set(56, ~0ull, 8);
	assert_well_formed(SRB_COMPLETE);
}

/* ST-076 */
static void an_unknown_scsi_status_is_no_broken_packet(void **state)
{
	(void)state;
	srb_complete(0, 0);
	set(15, 0xfe, 1);
	assert_well_formed(SRB_COMPLETE);
	assert_int_equal(in.srb_complete.scsi_status, 0xfe);
}

/* ST-061: a request of another kind, answered with the bytes of a completion. */
static void the_kind_of_the_request_decides_what_its_answer_is(void **state)
{
	(void)state;
	srb_complete(0, 21);
	ctx.answering = STORAGE_OPERATION_BEGIN_INITIALIZATION;
	assert_well_formed(BEGIN_COMPLETE);
	answer(STORAGE_OPERATION_EXECUTE_SRB, 0);
	assert_well_formed(SRB_COMPLETE);
}

/* ST-064 */
static void a_draining_device_still_hears_its_commands(void **state)
{
	(void)state;
	get_ready();
	read_from_disk(PAGE);
	assert_true(happens(device, DEVICE, LOCAL_DRAIN));
	srb_complete(PAGE, 0);
	assert_heard();
	assert_may_not_say(DEVICE_RESET_STATE, A_RESET(BUS));
	assert_true(happens(device, DEVICE, AFTER_DRAIN_DEADLINE));
	assert_state(device, DEVICE_FAILED);
}

/* ---- news ---- */

/* ST-050, ST-054 */
static void news_comes_under_no_number(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_ENUMERATE_BUS);
	ctx.transaction = ID;
	assert_malformed(HEADER_NEWS_HAS_NO_ID);
	ctx.transaction = 0;
	assert_well_formed(ENUMERATE_BUS);
}

/* ST-047 */
static void news_does_not_say_to_be_an_answer(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_COMPLETE_IO);
	assert_malformed(DISPATCH);
}

/* ST-053 */
static void news_comes_by_the_first_channel(void **state)
{
	(void)state;
	ctx.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	ctx.primary = 0;
	news(STORAGE_OPERATION_ENUMERATE_BUS);
	assert_malformed(DISPATCH);
	news(STORAGE_OPERATION_REMOVE_DEVICE);
	assert_malformed(DISPATCH);
	news(STORAGE_OPERATION_FC_HBA_DATA);
	assert_malformed(DISPATCH);
}

/* ST-043, ST-045, ST-046 */
static void the_wish_for_another_look_is_one_wish(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_ENUMERATE_BUS);
	assert_refused(RESCAN_ENUMERATE_BUS_STATE);
	assert_true(happens(rescan, RESCAN, LOCAL_CHANNEL_OPENED));
	assert_heard();
	assert_state(rescan, RESCAN_WANTED);
	news(STORAGE_OPERATION_REMOVE_DEVICE);
	assert_heard();
	assert_true(happens(rescan, RESCAN, LOCAL_SCAN));
	assert_state(rescan, RESCAN_CLEAR);
	assert_false(happens(rescan, RESCAN, LOCAL_SCAN));
	assert_heard();
	assert_state(rescan, RESCAN_WANTED);
}

/* ST-044 */
static void no_wish_is_heard_once_the_device_drains(void **state)
{
	(void)state;
	assert_true(happens(rescan, RESCAN, LOCAL_CHANNEL_OPENED));
	assert_true(happens(rescan, RESCAN, LOCAL_DRAIN));
	news(STORAGE_OPERATION_ENUMERATE_BUS);
	assert_refused(RESCAN_ENUMERATE_BUS_STATE);
	news(STORAGE_OPERATION_REMOVE_DEVICE);
	assert_refused(RESCAN_REMOVE_DEVICE_STATE);
}

/* ST-048, ST-049 */
static void new_names_come_whole_and_from_such_an_adapter(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_FC_HBA_DATA);
	assert_malformed(DISPATCH);
	ctx.device = STORAGE_DEVICE_KIND_FIBRE_CHANNEL;
	assert_well_formed(NEW_NAMES);
	assert_refused(DEVICE_NEW_NAMES_STATE);
	bytes_resize(&msg, 65);
	assert_malformed(NEW_NAMES_TRAILING);
	bytes_resize(&msg, 63);
	assert_malformed(PADDING_AFTER_BYTES_BOUNDS);
	bytes_resize(&msg, 47);
	assert_malformed(NEW_NAMES_SIZE);
	answer(STORAGE_OPERATION_EXECUTE_SRB, 0);
	set(0, STORAGE_OPERATION_FC_HBA_DATA, 4);
	assert_malformed(HEADER_ANSWER_SAYS_SO);
}

/* ST-048 */
static void news_has_the_size_of_its_version(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_ENUMERATE_BUS);
	bytes_resize(&msg, 65);
	assert_malformed(ENUMERATE_BUS_TRAILING);
	bytes_resize(&msg, 63);
	assert_malformed(PADDING_AFTER_BYTES_BOUNDS);
	news(STORAGE_OPERATION_REMOVE_DEVICE);
	bytes_resize(&msg, 65);
	assert_malformed(REMOVE_DEVICE_TRAILING);
}

/* ST-051, ST-052 */
static void notifications_of_events_are_refused(void **state)
{
	(void)state;
	news(STORAGE_OPERATION_EVENT_NOTIFICATION);
	assert_malformed(EVENT_NOTIFICATION_REFUSED);
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define conversation(major, minor) {					\
	"a_whole_conversation_in_" #major "_" #minor "_is_heard",	\
	a_whole_conversation_is_heard, begin, end,			\
	&(u32){ STORAGE_VERSION_##major##_##minor } }

static int run_handshake(void)
{
	const struct CMUnitTest tests[] = {
		conversation(2, 0),
		conversation(4, 2),
		conversation(5, 1),
		conversation(6, 0),
		conversation(6, 2),
		test(subchannels_are_created),
		test(a_fibre_channel_adapter_tells_its_names),
		test(an_honest_answer_is_read_from_its_bytes),
		test(no_step_is_answered_before_it_is_taken),
		test(a_step_is_answered_once),
		test(a_step_that_fails_fails_the_device),
		test(properties_that_are_refused_fail_the_device),
		test(another_version_than_proposed_is_refused),
		test(a_refusal_may_name_any_version),
		test(a_step_without_an_answer_fails_the_device),
		test(transfers_of_less_than_a_page_are_of_no_use),
		test(without_more_channels_the_device_goes_on_with_one),
		test(a_device_may_fail_in_every_state),
		test(a_new_start_goes_through_every_step),
		test(a_reset_is_answered_as_the_reset_it_was),
		test(no_reset_is_answered_that_was_not_asked_for),
	};

	return cmocka_run_group_tests_name("storage: a device", tests, NULL, NULL);
}

static int run_commands(void)
{
	const struct CMUnitTest tests[] = {
		test(a_completion_is_read_from_its_bytes),
		test(a_command_is_answered_only_once_it_was_sent),
		test(a_command_is_answered_once),
		test(a_command_is_sent_once),
		test(memory_told_to_the_host_is_kept_until_it_has_answered),
		test(memory_comes_back_when_the_channel_is_gone),
		test(no_more_is_transferred_than_was_asked_for),
		test(nothing_is_transferred_where_nothing_was_asked_for),
		test(sense_data_fits_its_field),
		test(what_a_completion_repeats_of_its_request_does_not_matter),
		test(an_unknown_scsi_status_is_no_broken_packet),
		test(the_kind_of_the_request_decides_what_its_answer_is),
		test(a_draining_device_still_hears_its_commands),
	};

	return cmocka_run_group_tests_name("storage: commands", tests, NULL, NULL);
}

static int run_form_and_news(void)
{
	const struct CMUnitTest tests[] = {
		test(every_answer_has_the_size_of_its_version),
		test(no_answer_is_shorter_than_its_version_demands),
		test(an_answer_says_that_it_is_one),
		test(an_operation_nobody_knows_is_refused),
		test(our_own_requests_are_not_heard),
		test(our_own_requests_have_the_size_of_their_version),
		test(news_comes_under_no_number),
		test(news_does_not_say_to_be_an_answer),
		test(news_comes_by_the_first_channel),
		test(the_wish_for_another_look_is_one_wish),
		test(no_wish_is_heard_once_the_device_drains),
		test(new_names_come_whole_and_from_such_an_adapter),
		test(news_has_the_size_of_its_version),
		test(notifications_of_events_are_refused),
	};

	return cmocka_run_group_tests_name("storage: form and news", tests, NULL, NULL);
}

int main(void)
{
	int failed = run_handshake();

	failed += run_commands();
	failed += run_form_and_news();
	return failed ? 1 : 0;
}
