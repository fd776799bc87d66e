/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The transport of the model host, and the auditor of fetches: a guest of one ring, the real
 * reader of rings on it, and looks at host memory that are one too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mm.h>

#include "airlock.h"
#include "host.h"
#include "memory.h"
#include "model.h"
#include "script.h"
#include "shim.h"

#define CPUS 2
#define RELID 1
#define HANDLE 0x21
#define DOWNSTREAM 2u
#define RING_PAGES 4u		/* a page of data each way */
#define PACKET (16 + 32 + 8)
#define REQUESTS 20000u

static struct host *h;
static struct model *model;
static struct transport *transport;
static struct host_device device = { .name = "echo", .class = "class of a test", .instance = "a device" };
static struct hostmem rings;
static struct outbound out;
static struct airlock_connection *guest;	/* nothing of it is set up but its one channel */
static struct airlock_channel channel;
static struct host_channel *ch;

/* ---- a guest that speaks by hand ---- */

static u64 post_by(u32 connection, const u8 *message, u32 size)
{
	u8 input[POST_BYTES] = { 0 };

	memcpy(input, &connection, 4);
	input[8] = 1;
	input[12] = (u8)size;
	memcpy(input + 16, message, size);
	return transport->ops->post(transport, input);
}

static void post(const u8 *message, u32 size)
{
	assert_int_equal(post_by(h->connection_id, message, size), 0);
	while (!h->threads && host_run(h))
		;
}

/* Copies the slot once, frees it, tells of its end if told to. */
static void take(u32 type, u8 *slot)
{
	u8 __host *at = transport->ops->slot(transport, 0);

	while (!host_load32((u32 __host *)at) && h->threads)
		sched_yield();
	host_fetch(slot, at, SLOT_BYTES);
	assert_int_equal(slot[0], 1);
	assert_int_equal(slot[16], type);
	assert_true(host_replace32((u32 __host *)at, 1, 0));
	if (host_load32((u32 __host *)(at + 4)) & 0x100)
		transport->ops->end_of_message(transport, 0);
	while (!h->threads && host_run(h))
		;
}

static void contact(void)
{
	u8 message[40] = { 14, 0, 0, 0, 0, 0, 0, 0, 3, 0, 5 }, slot[SLOT_BYTES];

	message[16] = 2;
	assert_int_equal(post_by(4, message, sizeof(message)), 0);
	while (!h->threads && host_run(h))
		;
	take(15, slot);
	post((const u8[8]){ 3 }, 8);
	take(1, slot);
	take(4, slot);
}

static void name_rings(void)
{
	u8 message[28 + 8 * RING_PAGES] = { 8, 0, 0, 0, 0, 0, 0, 0, RELID, 0, 0, 0, HANDLE };
	u8 slot[SLOT_BYTES];
	u64 gfn;
	u32 i;

	message[16] = 8 + 8 * RING_PAGES;
	message[18] = 1;
	message[21] = 16 * RING_PAGES;
	for (i = 0; i < RING_PAGES; i++) {
		gfn = hostmem_gfn(&rings, i);
		memcpy(message + 28 + 8 * i, &gfn, 8);
	}
	post(message, sizeof(message));
	take(10, slot);
}

static void open_channel(void)
{
	u8 message[148] = { 5, 0, 0, 0, 0, 0, 0, 0, RELID, 0, 0, 0, 1, 0, 0, 0, HANDLE };
	struct ring_context limits = { .buffer_bytes = 1024, .host_may_ask = 1 };
	u8 slot[SLOT_BYTES];

	assert_int_equal(inbound_open(&channel.in, rings.at + DOWNSTREAM * PAGE_SIZE, RING_PAGES - DOWNSTREAM, &limits), 0);
	assert_int_equal(outbound_open(&out, rings.at, DOWNSTREAM, 2048), 0);
	message[24] = DOWNSTREAM;
	post(message, sizeof(message));
	take(6, slot);
}

static void send_packets(u32 count)
{
	const u8 payload[32] = "thirty-one characters to look at";
	const struct host_packet p = { .type = 6, .bytes = payload, .size = sizeof(payload) };

	while (count--)
		assert_true(host_send(ch, &p));
}

/* Fetches with the auditor watching. */
static int next_packet(struct ring_message *m)
{
	int rule, result;

	model_attach(model, guest);
	result = inbound_next(&channel.in, m, &rule);
	model_attach(model, NULL);
	return result;
}

static u64 look_at(const u8 __host *at, u32 size)
{
	u64 bytes = 0;

	model_attach(model, guest);
	if (size == 4)
		bytes = host_load32((const u32 __host *)at);
	else
		host_fetch_range(&bytes, at, size);
	model_attach(model, NULL);
	return bytes;
}

static void release(void)
{
	assert_false(inbound_release(&channel.in));
}

/* ---- setup ---- */

static void start(bool threads)
{
	shim_start(threads, CPUS);
	sim_start(SIM_TDX, 64);
	h = host_create(CPUS);
	h->kicks = false;
	model = model_create(h, CPUS, false);
	transport = model_transport(model);
	guest = calloc(1, sizeof(*guest));
	assert_non_null(guest);
	memset(&channel, 0, sizeof(channel));
	guest->channels[RELID] = &channel;
	if (threads)
		model_start_thread(model);
	ch = host_offer(h, &device, 0);
	assert_int_equal(hostmem_create(&rings, sim_visibility(), RING_PAGES, false), 0);
	contact();
	name_rings();
	open_channel();
}

static int setup(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(model_double_fetches(model), 0);
	assert_int_equal(h->errors, 0);
	return 0;
}

static int setup_threads(void **state)
{
	(void)state;
	start(true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (h->threads)
		model_stop_thread(model);
	inbound_close(&channel.in);
	outbound_close(&out);
	hostmem_destroy(&rings, true);
	free(guest);
	model_destroy(model);
	shim_run(0);
	host_destroy(h);
	shim_stop();
	sim_stop(0);
	return 0;
}

static void nothing_fetched_twice(void)
{
	if (model_double_fetches(model))
		print_error("%s\n", h->last_error);
	assert_int_equal(model_double_fetches(model), 0);
}

static void fetched_too_often(u64 times, const char *what)
{
	assert_int_equal(model_double_fetches(model), times);
	if (!strstr(h->last_error, what))
		print_error("last error: %s\n", h->last_error);
	assert_non_null(strstr(h->last_error, what));
}

/* ---- rings ---- */

static void a_reader_fetches_each_byte_once(void **state)
{
	struct ring_message m;
	unsigned int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		send_packets(3);
		assert_int_equal(next_packet(&m), 1);
		assert_int_equal(next_packet(&m), 1);
		release();
		assert_int_equal(next_packet(&m), 1);
		assert_int_equal(m.kind, RING_MSG_IN_BAND);
		assert_int_equal(next_packet(&m), 0);
		release();
	}
	nothing_fetched_twice();
}

static void a_second_look_at_a_packet_is_caught(void **state)
{
	struct ring_message m;

	(void)state;
	send_packets(2);
	assert_int_equal(next_packet(&m), 1);
	look_at(channel.in.data + 16, 8);
	fetched_too_often(8, "byte 23 of the data to the guest, relid 1, was fetched before");
	release();
	look_at(channel.in.data + 16, 8);	/* given back: whatever it is, it is new */
	look_at(channel.in.data + PACKET, 8);
	fetched_too_often(8, "byte 23");
	look_at(channel.in.data + PACKET + 7, 1);
	fetched_too_often(9, "byte 63");
}

static void words_of_the_guest_are_not_to_be_read(void **state)
{
	(void)state;
	look_at(channel.in.control + 0, 4);
	look_at(channel.in.control + 12, 4);
	look_at(channel.in.control + 64, 4);
	look_at(rings.at + 4, 4);
	look_at(rings.at + 8, 4);
	nothing_fetched_twice();
	look_at(channel.in.control + 4, 4);
	fetched_too_often(1, "byte 4 of the control page to the guest");
	look_at(channel.in.control + 8, 4);
	look_at(rings.at + 0, 4);
	fetched_too_often(3, "byte 0 of the control page of the guest");
	look_at(rings.at + 12, 4);
	look_at(rings.at + PAGE_SIZE + 16, 8);
	fetched_too_often(12, "the data of the guest, relid 1, is the guest's own");
}

static void a_channel_opened_again_starts_anew(void **state)
{
	u8 close[12] = { 7, 0, 0, 0, 0, 0, 0, 0, RELID };
	struct ring_message m;

	(void)state;
	send_packets(1);
	assert_int_equal(next_packet(&m), 1);
	post(close, sizeof(close));
	look_at(channel.in.data, 8);		/* nobody's ring now */
	inbound_close(&channel.in);
	outbound_close(&out);
	hostmem_clear(&rings);
	open_channel();
	send_packets(1);
	assert_int_equal(next_packet(&m), 1);
	nothing_fetched_twice();
}

/* ---- slots ---- */

static void a_second_look_at_a_message_is_caught(void **state)
{
	u8 __host *slot = transport->ops->slot(transport, 0);
	u8 copy[SLOT_BYTES];

	(void)state;
	host_post(h, (const u8[12]){ 2 }, 12);
	host_post(h, (const u8[12]){ 2 }, 12);
	host_run(h);
	look_at(slot, 4);
	host_fetch(copy, slot, SLOT_BYTES);
	nothing_fetched_twice();
	look_at(slot + 4, 4);
	nothing_fetched_twice();
	look_at(slot + 20, 4);
	fetched_too_often(4, "byte 23 of the message slot");
	host_store32((u32 __host *)slot, 0);
	look_at(slot + 24, 4);			/* empty: nothing is in there */
	host_hear_eom(h, 0);
	host_run(h);
	look_at(slot + 24, 4);			/* another message */
	fetched_too_often(4, "byte 23");
}

/* ---- scripts ---- */

static void a_script_changes_what_is_being_fetched(void **state)
{
	struct ring_message m;

	(void)state;
	assert_int_equal(host_script(h, "on fetch echo packet+4 1: set 4 16 0x8000\n"
				     "on fetch echo control+0: set 0 32 0x12", "script"), 0);
	send_packets(1);
	assert_int_equal(next_packet(&m), -EPROTO);
	assert_int_equal(host_script_struck(h, 2), 1);
	nothing_fetched_twice();
}

static void a_script_strikes_in_the_middle_of_a_message(void **state)
{
	struct ring_message m;

	(void)state;
	assert_int_equal(host_script(h, "on fetch echo packet+24: set 16 8 0x21; set 24 8 0x22; set 32 8 0x23", "script"), 0);
	send_packets(1);
	assert_int_equal(next_packet(&m), 1);
	assert_int_equal(m.in_band.payload.data[0], 't');	/* too late */
	assert_int_equal(m.in_band.payload.data[8], 0x22);
	assert_int_equal(m.in_band.payload.data[16], 0x23);
	nothing_fetched_twice();
}

/* ---- both rings, and both ends ---- */

static void echo(struct host_channel *from, const struct host_packet *p)
{
	host_complete(from, p->transaction, p->payload, p->payload_size);
}

static void signal_host(bool wanted)
{
	u8 input[8] = { 0 };
	u32 id = ch->connection_id;

	memcpy(input, &id, sizeof(id));
	if (wanted)
		assert_int_equal(transport->ops->signal(transport, input), 0);
}

/* Requests and answers of many sizes, all of them more than fits the rings at once. */
static u32 size_of(u32 number)
{
	return 8 + number * 40 % 1000;
}

/* Whether there was room for it; if not, we are told when there is. */
static bool request(u32 number)
{
	u8 payload[1008];
	const struct outbound_packet p = {
		.kind = RING_MSG_OUR_IN_BAND, .transaction = number + 1, .wants_completion = true,
		.payload = payload, .bytes = size_of(number),
	};
	int rule, result;
	bool signal;

	memset(payload, (int)number, sizeof(payload));
	result = outbound_send(&out, &p, NULL, NULL, &signal, &rule);
	if (result == -EAGAIN) {
		assert_false(outbound_block(&out, size_of(number) + 24, &rule) && rule);
		return false;
	}
	assert_int_equal(result, 0);
	outbound_unblock(&out);
	signal_host(signal);
	return true;
}

static bool answer(u32 number)
{
	struct ring_message m;
	int rule, result = inbound_next(&channel.in, &m, &rule);

	signal_host(inbound_release(&channel.in));
	assert_true(result >= 0);
	if (!result)
		return false;
	assert_int_equal(m.kind, RING_MSG_COMPLETION);
	assert_true(m.completion.header.transaction == number + 1);
	assert_int_equal(m.completion.payload.size, size_of(number));
	assert_int_equal(m.completion.payload.data[size_of(number) - 1], (u8)number);
	return true;
}

static void converse(void)
{
	u32 asked = 0, answered = 0, turn;

	device.packet = echo;
	for (turn = 0; answered < REQUESTS; turn++) {
		if (asked < REQUESTS)
			asked += request(asked);
		answered += answer(answered);
		if (!h->threads && turn % 16 == 0)
			host_run(h);
	}
	device.packet = NULL;
	assert_true(out.full);			/* they had to wait for room */
}

static void each_request_is_answered_once(void **state)
{
	(void)state;
	converse();
	nothing_fetched_twice();
	assert_int_equal(ch->received, REQUESTS);
	assert_int_equal(ch->needless + ch->missed + ch->spurious, 0);
	assert_int_equal(h->errors, 0);
}

/* ---- threads ---- */

static void each_request_is_answered_while_both_run(void **state)
{
	(void)state;
	converse();
	assert_int_equal(ch->received, REQUESTS);
	assert_int_equal(ch->spurious, 0);
	assert_int_equal(h->errors, 0);
}

/* The reader of a ring and the host at the same time; every packet comes, whole and in order. */
static void packets_cross_while_both_run(void **state)
{
	struct ring_message m;
	u32 sent = 0, got = 0;
	int rule, result;

	(void)state;
	while (got < 20000) {
		struct host_packet p = { .type = 6, .bytes = (const u8 *)&sent, .size = sizeof(sent) };

		if (sent < 20000 && host_send(ch, &p))
			sent++;
		result = inbound_next(&channel.in, &m, &rule);
		assert_true(result >= 0);
		if (result) {
			assert_memory_equal(m.in_band.payload.data, &got, sizeof(got));
			got++;
		}
		if (got % 8 == 0)
			release();
	}
	assert_int_equal(h->errors, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reader_fetches_each_byte_once),
		TEST(a_second_look_at_a_packet_is_caught),
		TEST(words_of_the_guest_are_not_to_be_read),
		TEST(a_channel_opened_again_starts_anew),
		TEST(a_second_look_at_a_message_is_caught),
		TEST(a_script_changes_what_is_being_fetched),
		TEST(a_script_strikes_in_the_middle_of_a_message),
		TEST(each_request_is_answered_once),
		cmocka_unit_test_setup_teardown(each_request_is_answered_while_both_run, setup_threads, teardown),
		cmocka_unit_test_setup_teardown(packets_cross_while_both_run, setup_threads, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
