/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model host, driven by bytes written here: no line of the guest's stack takes part. It
 * must answer as the catalogue says a host does, and notice what no honest guest does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "host.h"
#include "memory.h"
#include "script.h"
#include "shim.h"
#include "visibility.h"

#define FRAME 4096u
#define PAGES 96
#define CPUS 2
#define SLOT_AT 512
#define RELID 1
#define RING_HANDLE 0x77
#define DOWNSTREAM 3u			/* rings of two and three data pages */
#define RING_PAGES 7u

static struct host *h;
static struct host_device device = { .name = "echo", .class = "class of a test", .instance = "a device" };
static uint8_t *pages[PAGES];		/* of the guest; the first four are of the SynIC */
static unsigned int page_count, interrupts[CPUS][2];
static uint32_t our_write, our_read;	/* indices of the guest */
static uint32_t heard_type;		/* of the last packet that the device got */
static uint8_t heard[256];
static uint32_t heard_size;

/* ---- the guest ---- */

static uint64_t gfn(unsigned int page)
{
	return sim_visibility()->ops->gfn(sim_visibility(), pages[page]);
}

/* A new page, shared and cleared; its index. */
static unsigned int new_page(void)
{
	struct visibility *v = sim_visibility();
	uint8_t *at = v->ops->alloc(v, 1);

	assert_non_null(at);
	assert_int_equal(v->ops->share(v, at, 1), 0);
	memset(at, 0, FRAME);
	assert_true(page_count < PAGES);
	pages[page_count] = at;
	return page_count++;
}

static void interrupt(void *argument, uint32_t cpu, bool event)
{
	(void)argument;
	interrupts[cpu][event]++;
}

static void run(void)
{
	while (host_run(h))
		;
}

static void put_le(uint8_t *p, uint64_t value, unsigned int bytes)
{
	for (; bytes--; value >>= 8)
		*p++ = (uint8_t)value;
}

static uint64_t le(const uint8_t *p, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

/* Posts a message as it is, by this connection. */
static uint64_t post_by(uint32_t connection, const uint8_t *message, uint32_t size)
{
	uint8_t input[256] = { 0 };
	uint64_t result;

	put_le(input, connection, 4);
	put_le(input + 8, 1, 4);
	put_le(input + 12, size, 4);
	memcpy(input + 16, message, size);
	result = host_hear_post(h, input);
	run();
	return result;
}

static uint64_t post(const uint8_t *message, uint32_t size)
{
	return post_by(h->connection_id ? h->connection_id : 1, message, size);
}

/* Words of 4 bytes, the type first; the header's padding is put between. */
static void post_words(uint32_t type, uint32_t count, const uint32_t *words)
{
	uint8_t message[240] = { 0 };
	uint32_t i;

	put_le(message, type, 4);
	for (i = 0; i < count; i++)
		put_le(message + 8 + 4 * i, words[i], 4);
	post(message, 8 + 4 * count);
}

#define POST(type, ...) post_words(type, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (uint32_t[]){ __VA_ARGS__ })
#define POST_EMPTY(type) post_words(type, 0, NULL)

static uint8_t *slot(unsigned int cpu)
{
	return pages[2 * cpu] + SLOT_AT;
}

/* Takes the message out of a slot as a guest does. @type: what it has to be; 0: the slot has to be empty. */
static void take_from(unsigned int cpu, uint32_t type, uint8_t *message)
{
	uint8_t copy[256];

	run();
	memcpy(copy, slot(cpu), sizeof(copy));
	if (!type) {
		assert_int_equal(le(copy, 4), 0);
		return;
	}
	assert_int_equal(le(copy, 4), 1);
	assert_int_equal(le(copy + 16, 4), type);
	memset(slot(cpu), 0, 4);
	if (slot(cpu)[5] & 1)
		host_hear_eom(h, cpu);
	if (message)
		memcpy(message, copy + 16, 240);
	run();
}

static void take(uint32_t type, uint8_t *message)
{
	take_from(0, type, message);
}

/* The answer with a status at @at. */
static uint32_t take_status(uint32_t type, uint32_t at)
{
	uint8_t message[240];

	take(type, message);
	return (uint32_t)le(message + at, 4);
}

/* ---- steps that many tests begin with ---- */

static void heard_packet(struct host_channel *ch, const struct host_packet *p)
{
	heard_type = p->type;
	heard_size = p->payload_size;
	memcpy(heard, p->payload, p->payload_size < sizeof(heard) ? p->payload_size : sizeof(heard));
	if (p->flags & 1)
		host_complete(ch, p->transaction, p->payload, p->payload_size);
}

static int setup(void **state)
{
	unsigned int cpu;

	(void)state;
	shim_start(false, CPUS);
	sim_start(SIM_SNP, PAGES + 4);
	page_count = 0;
	our_write = our_read = 0;
	heard_type = 0;
	memset(interrupts, 0, sizeof(interrupts));
	h = host_create(CPUS);
	h->interrupt = interrupt;
	h->kicks = false;
	device.packet = heard_packet;
	device.flags = 0;
	for (cpu = 0; cpu < CPUS; cpu++) {
		new_page();
		new_page();
		host_set_synic(h, cpu, gfn(2 * cpu), gfn(2 * cpu + 1));
	}
	return 0;
}

static int teardown(void **state)
{
	struct visibility *v = sim_visibility();

	(void)state;
	host_destroy(h);
	while (page_count--) {
		if (v->ops->revoke(v, pages[page_count], 1))
			return -1;
		v->ops->free(v, pages[page_count], 1);
	}
	sim_stop(0);
	shim_stop();
	return 0;
}

static void contact(uint32_t version)
{
	uint8_t message[40] = { 14 };

	put_le(message + 8, version, 4);
	message[16] = version >= 0x50000 ? 2 : 0;
	post_by(version >= 0x50000 ? 4 : 1, message, sizeof(message));
}

static void connect_to(uint32_t version)
{
	uint8_t answer[240];

	contact(version);
	take(15, answer);
	assert_int_equal(answer[8], 1);
	assert_int_equal(answer[9], 0);
}

/* Up to the end of the offers; one device, of relid 1. */
static void enumerate(uint32_t version)
{
	assert_int_equal(host_offer(h, &device, 0)->relid, RELID);
	connect_to(version);
	POST_EMPTY(3);
	take(1, NULL);
	take(4, NULL);
}

/* Posts a GPADL of pages that begin with @first. */
static void post_gpadl(uint32_t handle, unsigned int first, uint32_t count)
{
	uint32_t sent = count < 26 ? count : 26, part, i;
	uint8_t message[240] = { 8 };

	put_le(message + 8, RELID, 4);
	put_le(message + 12, handle, 4);
	put_le(message + 16, 8 + 8 * count, 2);
	put_le(message + 18, 1, 2);
	put_le(message + 20, count * FRAME, 4);
	for (i = 0; i < sent; i++)
		put_le(message + 28 + 8 * i, gfn(first + i), 8);
	post(message, 28 + 8 * sent);
	for (; sent < count; sent += part) {
		part = count - sent < 28 ? count - sent : 28;
		memset(message, 0, sizeof(message));
		message[0] = 9;
		put_le(message + 12, handle, 4);
		for (i = 0; i < part; i++)
			put_le(message + 16 + 8 * i, gfn(first + sent + i), 8);
		post(message, 16 + 8 * part);
	}
}

/* New pages, named; the first one's index. */
static unsigned int name_pages(uint32_t handle, uint32_t count)
{
	unsigned int first = page_count;
	uint32_t i;

	for (i = 0; i < count; i++)
		new_page();
	post_gpadl(handle, first, count);
	return first;
}

static unsigned int ring_page;		/* the first one of both rings */

static uint32_t *word(bool to_guest, unsigned int at)
{
	return (uint32_t *)(pages[ring_page + (to_guest ? DOWNSTREAM : 0)] + at);
}

static void post_open(uint32_t open_id)
{
	uint8_t message[148] = { 5 };

	put_le(message + 8, RELID, 4);
	put_le(message + 12, open_id, 4);
	put_le(message + 16, RING_HANDLE, 4);
	put_le(message + 20, 1, 4);
	put_le(message + 24, DOWNSTREAM, 4);
	post(message, sizeof(message));
}

/* Up to an open channel, whose events go to processor 1. */
static struct host_channel *open_channel(uint32_t version)
{
	enumerate(version);
	ring_page = name_pages(RING_HANDLE, RING_PAGES);
	assert_int_equal(take_status(10, 16), 0);
	*word(false, 64) = 1;
	post_open(5);
	assert_int_equal(take_status(6, 16), 0);
	return host_find(h, RELID);
}

/* @size bytes of the data of a ring, from or to @bytes. */
static void copy_ring(bool to_guest, uint32_t at, uint8_t *bytes, uint32_t size, bool write)
{
	uint32_t data = (to_guest ? RING_PAGES - DOWNSTREAM - 1 : DOWNSTREAM - 1) * FRAME, i;

	for (i = 0; i < size; i++) {
		uint32_t place = (at + i) % data;
		uint8_t *byte = pages[ring_page + (to_guest ? DOWNSTREAM : 0) + 1 + place / FRAME] + place % FRAME;

		if (write)
			*byte = bytes[i];
		else
			bytes[i] = *byte;
	}
}

/* An in-band packet of @size bytes, all of them @fill; not signalled. */
static void write_packet(uint64_t id, uint32_t size, uint8_t fill)
{
	uint32_t padded = (size + 7) & ~7u, data = (DOWNSTREAM - 1) * FRAME;
	uint8_t *packet = calloc(1, 24 + padded);

	assert_non_null(packet);
	put_le(packet, 6, 2);
	put_le(packet + 2, 2, 2);
	put_le(packet + 4, 2 + padded / 8, 2);
	put_le(packet + 6, id != 0, 2);
	put_le(packet + 8, id, 8);
	memset(packet + 16, fill, size);
	put_le(packet + 20 + padded, our_write, 4);
	copy_ring(false, our_write, packet, 24 + padded, true);
	our_write = (our_write + 24 + padded) % data;
	*word(false, 0) = our_write;
	free(packet);
}

static uint64_t signal_host(void)
{
	uint8_t input[8] = { 0 };
	uint64_t result;

	put_le(input, 0x2000 + RELID, 4);
	result = host_hear_signal(h, input);
	run();
	return result;
}

/* The next packet to the guest, of @size bytes with its trailer; gives its room back. */
static void read_packet(uint8_t *packet, uint32_t size)
{
	uint32_t data = (RING_PAGES - DOWNSTREAM - 1) * FRAME;

	assert_true((*word(true, 0) + data - our_read) % data >= size);
	copy_ring(true, our_read, packet, size, false);
	assert_int_equal(le(packet + 4, 2) * 8 + 8, size);
	assert_int_equal(le(packet + size - 4, 4), our_read);
	our_read = (our_read + size) % data;
	*word(true, 4) = our_read;
}

static void no_errors(void)
{
	if (h->errors)
		print_error("%s\n", h->last_error);
	assert_int_equal(h->errors, 0);
}

static void noticed(const char *what)
{
	if (!h->errors || !strstr(h->last_error, what))
		print_error("last error: %s\n", h->last_error);
	assert_true(h->errors && strstr(h->last_error, what));
	h->errors = 0;
}

/* ---- contact ---- */

static void each_version_is_agreed_to(void **state)
{
	static const uint32_t versions[] = {
		0x10001, 0x20004, 0x30000, 0x40000, 0x40001, 0x50000, 0x50001, 0x50002, 0x50003, 0x60000,
	};
	uint8_t answer[240];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		contact(versions[i]);
		assert_int_equal(slot(0)[4], versions[i] == 0x60000 ? 20 : 16);
		take(15, answer);
		assert_int_equal(answer[8], 1);
		if (versions[i] < 0x50000)
			assert_int_equal(le(answer + 12, 4), versions[i]);
		else
			assert_int_equal(le(answer + 12, 4), h->connection_id);
	}
	no_errors();
}

static void a_version_it_does_not_know_is_declined(void **state)
{
	uint8_t answer[240];

	(void)state;
	contact(0x60001);
	assert_int_equal(slot(0)[4], 16);
	take(15, answer);
	assert_int_equal(answer[8], 0);
	assert_false(h->connected);
	no_errors();
}

static void an_old_host_has_no_port_for_new_contact(void **state)
{
	uint8_t message[40] = { 14 };

	(void)state;
	h->version_count = 5;
	put_le(message + 8, 0x50003, 4);
	message[16] = 2;
	assert_int_equal(post_by(4, message, sizeof(message)), 0x12);
	take(0, NULL);
}

static void features_are_what_both_sides_have(void **state)
{
	uint8_t message[40] = { 14 }, answer[240];

	(void)state;
	put_le(message + 8, 0x60000, 4);
	message[16] = 2;
	put_le(message + 20, 0x34, 4);
	post_by(4, message, sizeof(message));
	take(15, answer);
	assert_int_equal(le(answer + 16, 4), 0x24);	/* not confidential: it is no paravisor */
	h->trusted = true;
	post_by(4, message, sizeof(message));
	take(15, answer);
	assert_int_equal(le(answer + 16, 4), 0x34);
}

static void contact_again_starts_over(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	connect_to(0x50003);
	assert_int_equal(ch->state, HOST_WAITING);
	assert_null(h->gpadls);
	POST_EMPTY(3);
	take(1, NULL);
	take(4, NULL);
	no_errors();
}

static void nothing_else_is_heard_before_contact(void **state)
{
	(void)state;
	POST_EMPTY(3);
	noticed("request_offers without a connection");
	take(0, NULL);
}

/* ---- offers ---- */

static void offers_say_what_the_device_is(void **state)
{
	uint8_t offer[240];

	(void)state;
	device.mmio_megabytes = 7;
	host_offer(h, &device, 0);
	connect_to(0x50003);
	POST_EMPTY(3);
	assert_int_equal(slot(0)[4], 196);
	take(1, offer);
	assert_memory_equal(offer + 8, device.class, 16);
	assert_memory_equal(offer + 24, device.instance, 16);
	assert_int_equal(le(offer + 58, 2), 7);
	assert_int_equal(le(offer + 180, 2), 0);
	assert_int_equal(le(offer + 184, 4), RELID);
	assert_int_equal(offer[189], 0);
	assert_int_equal(le(offer + 190, 2), 1);
	assert_int_equal(le(offer + 192, 4), 0x2000 + RELID);
	take(4, NULL);
	device.mmio_megabytes = 0;
	no_errors();
}

static void a_device_may_come_later(void **state)
{
	struct host_device late = { .name = "late", .class = "x", .instance = "y" };
	uint8_t offer[240];

	(void)state;
	enumerate(0x50003);
	host_offer(h, &late, 0);
	take(1, offer);
	assert_int_equal(le(offer + 184, 4), 2);
	POST_EMPTY(3);
	noticed("twice");
	take(0, NULL);
}

static void a_relid_is_held_until_it_is_released(void **state)
{
	uint8_t message[240];
	struct host_channel *ch;

	(void)state;
	enumerate(0x50003);
	ch = host_find(h, RELID);
	host_rescind(h, ch);
	take(2, message);
	assert_int_equal(le(message + 8, 4), RELID);
	assert_ptr_equal(host_offer(h, &device, 0), ch);
	take(0, NULL);
	POST(13, RELID);
	take(1, message);
	assert_int_equal(le(message + 184, 4), RELID);
	POST(13, RELID);			/* refused: nobody comes back */
	take(0, NULL);
	assert_null(host_find(h, RELID));
	no_errors();
	POST(13, RELID);
	noticed("not offered");
}

/* ---- GPADLs ---- */

static void memory_is_named_in_one_or_more_parts(void **state)
{
	(void)state;
	enumerate(0x50003);
	name_pages(0x11, 1);
	assert_int_equal(take_status(10, 16), 0);
	name_pages(0x12, 26);
	assert_int_equal(take_status(10, 16), 0);
	name_pages(0x13, 55);
	assert_int_equal(take_status(10, 16), 0);
	assert_int_equal(h->gpadl_bytes, 82 * FRAME);
	POST(11, RELID, 0x12);
	assert_int_equal(take_status(12, 8), 0x12);
	assert_int_equal(h->gpadl_bytes, 56 * FRAME);
	no_errors();
}

static void there_is_a_limit_to_named_memory(void **state)
{
	(void)state;
	enumerate(0x50003);
	h->gpadl_bytes_max = 9 * FRAME;
	name_pages(0x11, 8);
	assert_int_equal(take_status(10, 16), 0);
	name_pages(0x12, 2);
	assert_int_equal(take_status(10, 16), 0x8000ffff);
	no_errors();
}

static void a_handle_in_use_is_refused(void **state)
{
	(void)state;
	enumerate(0x50003);
	name_pages(0x11, 1);
	take(10, NULL);
	name_pages(0x11, 1);
	assert_int_equal(take_status(10, 16), 0x8000ffff);
	noticed("in use");
	POST(11, RELID, 0x12);
	noticed("teardown of GPADL 0x12");
	take(0, NULL);
}

static void a_range_has_to_fit_its_pages(void **state)
{
	uint8_t message[36] = { 8 };

	(void)state;
	enumerate(0x50003);
	new_page();
	put_le(message + 8, RELID, 4);
	put_le(message + 12, 0x21, 4);
	put_le(message + 16, 16, 2);
	put_le(message + 18, 1, 2);
	put_le(message + 20, FRAME + 1, 4);
	put_le(message + 28, gfn(page_count - 1), 8);
	post(message, sizeof(message));
	assert_int_equal(take_status(10, 16), 0x8000ffff);
	noticed("range 0 of GPADL 0x21: 4097 bytes from 0");
}

static void memory_with_something_left_in_it_is_noticed(void **state)
{
	(void)state;
	enumerate(0x50003);
	pages[new_page()][9] = 1;
	post_gpadl(0x31, page_count - 1, 1);
	assert_int_equal(take_status(10, 16), 0);
	noticed("not cleared");
}

static void a_page_named_twice_is_noticed(void **state)
{
	unsigned int first;

	(void)state;
	enumerate(0x50003);
	first = name_pages(0x31, 2);
	take(10, NULL);
	no_errors();
	post_gpadl(0x32, first + 1, 1);
	noticed("another one too");
}

/* ---- channels and rings ---- */

static void packets_go_both_ways(void **state)
{
	uint8_t packet[64 + 24];
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	assert_int_equal(*word(false, 8), 0);	/* the host wants signals, */
	assert_int_equal(*word(true, 64), 1);	/* and can wait for room */
	write_packet(0x99, 64, 0xab);
	assert_int_equal(signal_host(), 0);
	assert_int_equal(heard_type, 6);
	assert_int_equal(heard_size, 64);
	assert_int_equal(heard[63], 0xab);
	assert_int_equal(*word(false, 4), our_write);
	assert_int_equal(interrupts[1][1], 1);
	assert_int_equal(pages[3][SLOT_AT], 1 << RELID);
	read_packet(packet, sizeof(packet));
	assert_int_equal(le(packet, 2), 11);
	assert_int_equal(le(packet + 8, 8), 0x99);
	assert_int_equal(packet[16], 0xab);
	assert_true(host_ring_empty(ch));
	assert_int_equal(ch->needless + ch->missed + ch->spurious, 0);
	no_errors();
}

/* So often that every multiple of 8 has been the place of the end of the ring. */
static void packets_go_round_the_end(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	uint8_t packet[2048];
	uint32_t i, size;

	(void)state;
	for (i = 0; i < 600; i++) {
		size = 1 + i * 13 % 1999;
		write_packet(i + 1, size, (uint8_t)i);
		signal_host();
		read_packet(packet, 24 + ((size + 7) & ~7u));
		assert_int_equal(le(packet + 8, 8), i + 1);
		assert_int_equal(packet[16 + size - 1], (uint8_t)i);
	}
	assert_int_equal(ch->received, 600);
	assert_int_equal(ch->needless + ch->missed + ch->spurious, 0);
	no_errors();
}

static void a_signal_is_due_when_the_ring_was_empty(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	write_packet(0, 8, 1);
	write_packet(0, 8, 2);		/* the ring is not empty: no other signal */
	signal_host();
	assert_int_equal(ch->received, 2);
	no_errors();
	write_packet(0, 8, 3);
	run();
	noticed("data without a signal");
	assert_int_equal(ch->missed, 1);
	signal_host();
	assert_int_equal(ch->received, 3);
	noticed("needless");
	signal_host();
	noticed("needless");
	assert_int_equal(ch->needless, 2);
}

static void too_many_signals_are_spurious(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	unsigned int i;

	(void)state;
	h->threads = true;		/* nothing is exact then, but credit */
	for (i = 0; i < 10; i++)
		host_hear_signal(h, (const uint8_t[8]){ RELID, 0x20 });
	assert_int_equal(ch->heard, 10);
	assert_int_equal(ch->spurious, 7);	/* one credit a ring, one for having drained it */
	no_errors();
}

static void a_host_that_polls_wants_no_signals(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	ch->mask_wanted = true;
	write_packet(0, 8, 1);
	signal_host();
	no_errors();
	assert_int_equal(*word(false, 8), 1);
	write_packet(0, 8, 2);
	run();
	assert_int_equal(ch->received, 2);
	no_errors();
	signal_host();
	noticed("needless");
}

static void room_given_back_is_signalled_to_who_waits(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	uint32_t before = interrupts[1][1];

	(void)state;
	write_packet(0, 4000, 1);
	write_packet(0, 4000, 2);
	*word(false, 12) = 4024;		/* 144 - 8 bytes are free */
	pages[3][SLOT_AT] = 0;
	signal_host();
	assert_int_equal(interrupts[1][1], before + 1);
	*word(false, 12) = 0;
	pages[3][SLOT_AT] = 0;
	write_packet(0, 4000, 3);
	signal_host();
	assert_int_equal(interrupts[1][1], before + 1);
	assert_int_equal(ch->received, 3);
	no_errors();
}

static void answers_wait_for_room(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	uint8_t packet[4024];
	unsigned int i;

	(void)state;
	for (i = 1; i <= 5; i++) {
		write_packet(i, 4000, (uint8_t)i);
		signal_host();
	}
	assert_int_equal(*word(true, 12), 4024);	/* the fourth one did not fit */
	assert_int_equal(ch->received, 4);
	read_packet(packet, sizeof(packet));
	signal_host();
	assert_int_equal(ch->received, 5);
	for (i = 2; i <= 4; i++) {
		read_packet(packet, sizeof(packet));
		assert_int_equal(le(packet + 8, 8), i);
		signal_host();
		h->errors = 0;			/* some of these were needless */
	}
	read_packet(packet, sizeof(packet));
	assert_int_equal(le(packet + 8, 8), 5);
	assert_int_equal(*word(true, 12), 0);
}

static void only_one_signal_says_that_there_is_room(void **state)
{
	uint8_t packet[4024];
	struct host_channel *ch = open_channel(0x50003);
	const struct host_packet p = { .type = 6, .bytes = packet, .size = 4000 };

	(void)state;
	memset(packet, 0, sizeof(packet));
	while (host_send(ch, &p))
		;
	assert_false(host_block(ch, 4024));
	signal_host();
	noticed("needless");
	read_packet(packet, sizeof(packet));
	signal_host();
	no_errors();
	read_packet(packet, sizeof(packet));
	signal_host();
	noticed("needless");
}

static void an_index_that_lies_ends_the_channel(void **state)
{
	static const uint32_t lies[] = { 2 * FRAME, 0xfffffff8, 12 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct host_channel *ch = i ? host_find(h, RELID) : open_channel(0x50003);

		ch->broken = false;
		ch->signalled = true;
		*word(false, 0) = lies[i];
		run();
		assert_true(ch->broken);
		noticed("the write index");
	}
}

static void an_index_goes_forward_only(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	write_packet(0, 64, 1);
	signal_host();
	ch->in_read = 0;		/* as if it had not yet read what it knows of */
	*word(false, 0) -= 8;
	ch->signalled = true;
	run();
	assert_true(ch->broken);
	noticed("the write index");
}

static void the_guest_cannot_have_read_what_was_not_written(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	const struct host_packet p = { .type = 6 };

	(void)state;
	*word(true, 4) = 8;
	assert_false(host_send(ch, &p));
	noticed("the read index");
}

static void bad_packets_end_the_channel(void **state)
{
	static const struct { uint32_t at, value; const char *what; } bad[] = {
		{ 0, 7, "the type of a packet" }, { 2, 1, "the payload's offset" }, { 2, 4, "the payload's offset" },
		{ 4, 4, "the length of a packet" }, { 6, 2, "the flags of a packet" },
	};
	struct host_channel *ch = open_channel(0x50003);
	uint8_t bytes[2];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ch->in_read = ch->in_known = ch->in_published = our_write = 0;
		write_packet(0, 8, 1);
		put_le(bytes, bad[i].value, 2);
		copy_ring(false, bad[i].at, bytes, 2, true);
		ch->broken = false;
		ch->signalled = true;
		run();
		assert_true(ch->broken);
		noticed(bad[i].what);
	}
}

static void trailers_and_ids_are_looked_at(void **state)
{
	uint8_t trailer[8] = { 0, 0, 0, 0, 8 };

	(void)state;
	open_channel(0x50003);
	write_packet(0, 8, 1);
	copy_ring(false, 24, trailer, sizeof(trailer), true);
	signal_host();
	noticed("a trailer");
	device.packet = NULL;
	write_packet(5, 8, 1);
	signal_host();
	no_errors();
	write_packet(5, 8, 1);
	signal_host();
	noticed("in use");
}

static void gpa_ranges_are_taken_apart(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	uint8_t packet[72] = { 9, 0, 6, 0, 8, 0 };
	unsigned int first = new_page();
	uint8_t data[8] = "in data";

	(void)state;
	new_page();
	put_le(packet + 20, 1, 4);
	put_le(packet + 24, 8, 4);
	put_le(packet + 28, 4092, 4);
	put_le(packet + 32, gfn(first), 8);
	put_le(packet + 40, gfn(first + 1), 8);
	copy_ring(false, 0, packet, sizeof(packet), true);
	*word(false, 0) = 72;
	signal_host();
	assert_int_equal(heard_type, 9);
	assert_int_equal(heard_size, 16);
	no_errors();
	host_write_range((uint64_t[]){ gfn(first), gfn(first + 1) }, 4092, data, 8);
	assert_memory_equal(pages[first] + 4092, "in d", 4);
	assert_memory_equal(pages[first + 1], "ata", 4);
	assert_int_equal(ch->received, 1);
}

static void closing_is_followed_by_teardown(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	POST(11, RELID, RING_HANDLE);
	noticed("which is open");
	take(0, NULL);
	POST(7, RELID);
	assert_int_equal(ch->state, HOST_OFFERED);
	POST(11, RELID, RING_HANDLE);
	assert_int_equal(take_status(12, 8), RING_HANDLE);
	POST(7, RELID);
	noticed("not open");
}

static void a_channel_is_opened_again(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	unsigned int i;

	(void)state;
	write_packet(0, 8, 1);
	signal_host();
	POST(7, RELID);
	post_open(6);
	take(6, NULL);
	noticed("a control page is not cleared");
	POST(7, RELID);
	for (i = 0; i < FRAME; i++)
		pages[ring_page][i] = pages[ring_page + DOWNSTREAM][i] = 0;
	*word(false, 64) = 1;
	post_open(7);
	assert_int_equal(take_status(6, 12), 7);
	assert_int_equal(ch->opens, 3);
	no_errors();
}

static void rings_have_to_be_named_in_whole(void **state)
{
	(void)state;
	enumerate(0x50003);
	post_open(5);
	assert_int_equal(take_status(6, 16), 0x8000ffff);
	noticed("rings in GPADL 0x77");
	name_pages(RING_HANDLE, DOWNSTREAM + 1);
	take(10, NULL);
	post_open(6);
	assert_int_equal(take_status(6, 16), 0x8000ffff);
	noticed("a ring from page 3 of 4");
}

static void a_rescinded_channel_is_silent(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	name_pages(0x41, 27);
	take(10, NULL);
	host_rescind(h, ch);
	take(2, NULL);
	POST(7, RELID);
	post_open(9);
	take(0, NULL);
	assert_int_equal(signal_host(), 0x12);
	POST(11, RELID, RING_HANDLE);
	assert_int_equal(take_status(12, 8), RING_HANDLE);
	POST(13, RELID);
	assert_null(h->gpadls);
	no_errors();
}

static void what_is_half_named_is_refused_at_a_rescind(void **state)
{
	uint8_t message[240] = { 8 };

	(void)state;
	enumerate(0x50003);
	put_le(message + 8, RELID, 4);
	put_le(message + 12, 0x51, 4);
	put_le(message + 16, 8 + 8 * 27, 2);
	put_le(message + 18, 1, 2);
	post(message, 236);
	host_rescind(h, host_find(h, RELID));
	assert_int_equal(take_status(10, 16), 0x8000ffff);
	take(2, NULL);
	no_errors();
}

static void subchannels_end_with_their_primary(void **state)
{
	struct host_channel *sub;
	uint8_t offer[240];

	(void)state;
	open_channel(0x50003);
	sub = host_offer(h, &device, 1);
	take(1, offer);
	assert_int_equal(le(offer + 180, 2), 1);
	POST(7, RELID);
	take(2, offer);
	assert_int_equal(le(offer + 8, 4), sub->relid);
	no_errors();
}

static void a_channel_moves_to_another_processor(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	POST(22, RELID, 0);
	assert_int_equal(take_status(24, 12), 0);
	host_signal(ch);
	assert_int_equal(interrupts[0][1], 1);
	POST(22, RELID, CPUS);
	assert_int_equal(take_status(24, 12), 0x8000ffff);
	noticed("moved");
}

static void before_5_3_a_move_has_no_answer(void **state)
{
	(void)state;
	open_channel(0x50002);
	POST(22, RELID, 0);
	take(0, NULL);
	no_errors();
}

static void unload_lets_go_of_everything(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	POST_EMPTY(16);
	take(17, NULL);
	assert_true(h->unloaded);
	assert_null(h->gpadls);
	assert_int_equal(ch->state, HOST_WAITING);
	no_errors();
	post_by(1, (const uint8_t[8]){ 16 }, 8);
	noticed("unload without a connection");
	take(0, NULL);
}

static void streams_are_refused(void **state)
{
	uint8_t message[56] = { 21 }, answer[240];

	(void)state;
	enumerate(0x50003);
	memset(message + 8, 0x5a, 48);
	post(message, sizeof(message));
	take(23, answer);
	assert_memory_equal(answer + 8, message + 8, 32);
	assert_int_equal(le(answer + 40, 4), 0xc0000236);
	no_errors();
}

/* ---- slots ---- */

static void a_taken_slot_asks_for_its_end(void **state)
{
	static const uint8_t first[8] = { 4 }, second[12] = { 2 };

	(void)state;
	host_post(h, first, sizeof(first));
	run();
	assert_int_equal(slot(0)[5] & 1, 0);
	host_post(h, second, sizeof(second));
	run();
	assert_int_equal(slot(0)[5] & 1, 1);
	assert_int_equal(slot(0)[16], 4);
	memset(slot(0), 0, 4);
	run();
	assert_int_equal(le(slot(0), 4), 0);	/* it was not told that the slot is free */
	host_hear_eom(h, 0);
	run();
	assert_int_equal(slot(0)[16], 2);
	assert_int_equal(interrupts[0][0], 2);
	host_hear_eom(h, 0);
	assert_int_equal(h->needless_eoms, 1);
}

static void messages_leave_when_they_are_due(void **state)
{
	struct host_message late = { .size = 8, .payload_size = 8, .slot_type = 1, .bytes = { 4 } };

	(void)state;
	late.due = shim_now() + 300;
	host_post_raw(h, &late);
	host_post(h, (const uint8_t[12]){ 2 }, 12);
	assert_int_equal(host_next(h), late.due);
	take(2, NULL);
	take(0, NULL);
	shim_run(300);
	take(4, NULL);
}

static void slots_are_of_one_processor(void **state)
{
	struct host_message m = { .size = 8, .payload_size = 8, .slot_type = 1, .cpu = 1, .bytes = { 4 } };

	(void)state;
	host_post_raw(h, &m);
	run();
	take(0, NULL);
	take_from(1, 4, NULL);
}

/* ---- what is noticed ---- */

static void bad_messages_are_noticed(void **state)
{
	static const struct { uint32_t size; uint8_t bytes[24]; const char *what; } bad[] = {
		{ 4, { 3 }, "a message of type 0" },
		{ 8, { 0 }, "a message of type 0" },
		{ 8, { 30 }, "a message of type 0x1e" },
		{ 20, { 6 }, "a message of type 0x6" },
		{ 8, { 7 }, "close in 8 bytes" },
		{ 16, { 7, 0, 0, 0, 0, 0, 0, 0, 1 }, "relid 1, which is not open" },
		{ 12, { 7, 0, 0, 0, 1, 0, 0, 0, 1 }, "relid 1, which is not open" },
		{ 12, { 13, 0, 0, 0, 0, 0, 0, 0, 9 }, "relid 9 released" },
		{ 16, { 22, 0, 0, 0, 0, 0, 0, 0, 1 }, "relid 1 moved" },
		{ 8, { 27 }, "pausing was not granted" },
		{ 24, { 25 }, "modify_connection was not granted" },
		{ 24, { 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8 }, "a body of GPADL 0x8" },
		{ 20, { 19, 0, 0, 0, 0, 0, 0, 0, 1 }, "no reserved channel" },
	};
	unsigned int i;

	(void)state;
	enumerate(0x50003);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		post(bad[i].bytes, bad[i].size);
		noticed(bad[i].what);
		memset(slot(0), 0, 4);
	}
}

static void what_should_be_zero_is_noticed(void **state)
{
	uint8_t input[256] = { 0 };

	(void)state;
	enumerate(0x50003);
	put_le(input, h->connection_id, 4);
	input[8] = 1;
	input[12] = 8;
	input[16] = 3;
	input[16 + 8] = 1;
	host_hear_post(h, input);
	noticed("more than its 8 bytes");
	input[16 + 8] = 0;
	input[4] = 1;
	host_hear_post(h, input);
	noticed("reserved word");
	input[4] = 0;
	memcpy(input + 100, sim_secret + 3, 6);
	host_hear_post(h, input);
	noticed("never written");
}

static void hypercalls_are_answered_as_hosts_do(void **state)
{
	uint8_t input[256] = { 0 };
	unsigned int i;

	(void)state;
	connect_to(0x50003);
	put_le(input, h->connection_id, 4);
	put_le(input + 12, 241, 4);
	input[8] = 1;
	assert_int_equal(host_hear_post(h, input), 5);
	noticed("241 bytes");
	put_le(input + 12, 8, 4);
	put_le(input, 0x999, 4);
	assert_int_equal(host_hear_post(h, input), 0x12);
	no_errors();
	put_le(input, h->connection_id, 4);
	for (i = 0; i < HOST_INBOX; i++)
		assert_int_equal(host_hear_post(h, input), 0);
	assert_int_equal(host_hear_post(h, input), 0x13);
}

static void messages_by_the_wrong_connection_are_noticed(void **state)
{
	(void)state;
	connect_to(0x50003);
	post_by(1, (const uint8_t[8]){ 3 }, 8);
	noticed("by connection 0x1, not 0x2045");
	take(4, NULL);
}

static void rings_taken_back_are_noticed(void **state)
{
	struct host_channel *ch = open_channel(0x50003);
	struct visibility *v = sim_visibility();

	(void)state;
	assert_true(host_reaches(ch));
	assert_int_equal(v->ops->revoke(v, pages[ring_page + 1], 1), 0);
	assert_false(host_reaches(ch));
	assert_false(host_complete(ch, 1, NULL, 0));
	noticed("took back");
	assert_int_equal(v->ops->share(v, pages[ring_page + 1], 1), 0);
}

static bool count_incoming(struct host *host, void *argument, const uint8_t *message, uint32_t size)
{
	(void)host;
	(void)size;
	++*(unsigned int *)argument;
	return message[0] != 3;
}

static bool spoil_outgoing(struct host *host, void *argument, struct host_message *m)
{
	(void)host;
	(void)argument;
	m->bytes[8] = 2;
	return m->bytes[0] != 17;
}

static void hooks_come_first(void **state)
{
	unsigned int count = 0;
	uint8_t answer[240];

	(void)state;
	h->hooks = (struct host_hooks){ .argument = &count, .incoming = count_incoming, .outgoing = spoil_outgoing };
	contact(0x50003);
	take(15, answer);
	assert_int_equal(answer[8], 2);
	POST_EMPTY(3);
	take(0, NULL);
	POST_EMPTY(16);
	take(0, NULL);
	assert_int_equal(count, 3);
}

static void a_silent_host_hears_everything(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	h->answers = false;
	heard_type = 0;
	write_packet(1, 8, 1);
	signal_host();
	assert_int_equal(ch->received, 1);
	assert_int_equal(heard_type, 0);
	POST_EMPTY(16);
	take(0, NULL);
	assert_false(h->connected);
	no_errors();
}

/* ---- scripts ---- */

static void script(const char *text)
{
	assert_int_equal(host_script(h, text, "script"), 0);
}

static void messages_are_altered(void **state)
{
	uint8_t offer[240];

	(void)state;
	script("# what this does\n"
	       "on all_offers: size 7\n"
	       "on offer 2+: set 184 32 0x12345678; set 24 8 255; slot-type 0x80000010; flags 1");
	host_offer(h, &device, 0);
	connect_to(0x50003);
	POST_EMPTY(3);
	take(1, offer);
	assert_int_equal(le(offer + 184, 4), RELID);
	assert_int_equal(slot(0)[4], 7);
	take(4, NULL);
	host_offer(h, &device, 1);
	run();
	assert_int_equal(le(slot(0), 4), 0x80000010);
	assert_int_equal(slot(0)[5], 1);
	assert_int_equal(le(slot(0) + 16 + 184, 4), 0x12345678);
	assert_int_equal(slot(0)[16 + 24], 255);
	assert_int_equal(host_script_struck(h, 1), 0);
	assert_int_equal(host_script_struck(h, 2), 1);
	assert_int_equal(host_script_struck(h, 3), 1);
}

static void messages_leave_late_or_often_or_never(void **state)
{
	(void)state;
	script("on version_response: replay 2\n"
	       "on all_offers: drop\n"
	       "on unload_response: delay 500\n"
	       "on offer: hold\n"
	       "at 700: release");
	host_offer(h, &device, 0);
	contact(0x50003);
	take(15, NULL);
	take(15, NULL);
	take(15, NULL);
	take(0, NULL);
	POST_EMPTY(3);
	take(0, NULL);
	POST_EMPTY(16);
	take(0, NULL);
	shim_run(500);
	take(17, NULL);
	assert_int_equal(host_next(h), 700);
	shim_run(200);
	take(1, NULL);
	assert_int_equal(host_script_struck(h, 5), 1);
}

static void messages_of_the_guest_are_not_heard(void **state)
{
	(void)state;
	script("on request_offers: never; post 0400000000000000");
	connect_to(0x50003);
	POST_EMPTY(3);
	assert_false(h->offers_requested);
	take(4, NULL);
}

static void hypercalls_fail(void **state)
{
	(void)state;
	script("on post request_offers 1: result 0x13\n"
	       "on post request_offers 2: result 0xb delivered\n"
	       "on post unload: result 0 lost\n"
	       "on signal: result 0x12");
	connect_to(0x50003);
	assert_int_equal(post((const uint8_t[8]){ 3 }, 8), 0x13);
	assert_false(h->offers_requested);
	assert_int_equal(post((const uint8_t[8]){ 3 }, 8), 0xb);
	assert_true(h->offers_requested);
	assert_int_equal(post((const uint8_t[8]){ 16 }, 8), 0);
	assert_false(h->unloaded);
	assert_int_equal(signal_host(), 0x12);
}

static void completions_are_altered(void **state)
{
	uint8_t packet[32];

	(void)state;
	open_channel(0x50003);
	script("on completion 1: set 8 64 0x1234; set 16 8 0x77; set 4 16 0\n"
	       "on completion 2: replay 1\n"
	       "on completion 3: drop\n"
	       "on completion 4 of echo: delay 50");
	write_packet(1, 8, 1);
	signal_host();
	copy_ring(true, 0, packet, sizeof(packet), false);
	assert_int_equal(le(packet + 8, 8), 0x1234);
	assert_int_equal(packet[16], 0x77);
	assert_int_equal(le(packet + 4, 2), 0);
	our_read = *word(true, 4) = 32;
	write_packet(2, 8, 1);
	signal_host();
	read_packet(packet, 32);
	read_packet(packet, 32);
	assert_int_equal(le(packet + 8, 8), 2);
	write_packet(3, 8, 1);
	signal_host();
	write_packet(4, 8, 1);
	signal_host();
	assert_int_equal(*word(true, 0), our_read);
	shim_run(50);
	run();
	read_packet(packet, 32);
	assert_int_equal(le(packet + 8, 8), 4);
	no_errors();
}

static void packets_lead_to_acts(void **state)
{
	struct host_channel *ch = open_channel(0x50003);

	(void)state;
	script("on packet 2 of echo: rescind; never\n"
	       "on packet: poke echo out pending 24; write 1 8 cafe; event 0 9\n"
	       "at 100: offer echo; silence");
	write_packet(0, 8, 1);
	signal_host();
	assert_int_equal(*word(true, 12), 24);
	assert_memory_equal(pages[ring_page + DOWNSTREAM + 1] + 8, "\xca\xfe", 2);
	assert_int_equal(pages[1][SLOT_AT + 1], 2);
	write_packet(0, 8, 1);
	signal_host();
	assert_int_equal(ch->state, HOST_RESCINDED);
	take(2, NULL);
	shim_run(100);
	run();
	assert_true(ch->reoffer);
	assert_false(h->answers);
}

static void storms_last_as_long_as_they_are_told(void **state)
{
	unsigned int i, runs = 0;

	(void)state;
	open_channel(0x50003);
	script("at 0: storm events echo 20");
	for (i = 0; i < 40; i++) {
		runs += host_run(h);
		pages[3][SLOT_AT] = 0;
	}
	assert_int_equal(interrupts[1][1], 20);
	assert_int_equal(runs, 20);
}

/* A guest whose addresses are those of the host. */
static bool locate(struct host *host, const void *at, struct host_place *place)
{
	const uint8_t *data = pages[ring_page + DOWNSTREAM + 1];

	(void)host;
	if ((const uint8_t *)at >= slot(0) && (const uint8_t *)at < slot(0) + 256) {
		*place = (struct host_place){ .area = HOST_SLOT, .offset = (uint32_t)((const uint8_t *)at - slot(0)) };
		return true;
	}
	*place = (struct host_place){
		.area = HOST_OUT_DATA, .relid = RELID, .offset = (uint32_t)((const uint8_t *)at - data), .packet = 32,
	};
	return true;
}

static void memory_changes_under_a_fetch(void **state)
{
	uint8_t *data;

	(void)state;
	open_channel(0x50003);
	h->locate = locate;
	data = pages[ring_page + DOWNSTREAM + 1];
	script("on fetch echo packet+4 2: set 4 16 0xffff\n"
	       "on fetch echo data+8: set 100 32 7\n"
	       "on fetch slot+16: set 4 8 255");
	h->script_hooks.fetching(h, h->script_hooks.argument, data + 32, 8);
	assert_int_equal(le(data + 36, 2), 0);
	h->script_hooks.fetching(h, h->script_hooks.argument, data + 32, 8);
	assert_int_equal(le(data + 36, 2), 0xffff);
	h->script_hooks.fetching(h, h->script_hooks.argument, data, 8);
	assert_int_equal(data[100], 0);
	h->script_hooks.fetching(h, h->script_hooks.argument, data + 1, 8);
	assert_int_equal(data[100], 7);
	h->script_hooks.fetching(h, h->script_hooks.argument, slot(0) + 16, 8);
	assert_int_equal(slot(0)[4], 255);
}

/* What host_script() prints for a script that is none. */
static void complaint(const char *text, char *message, size_t room)
{
	int saved = dup(2), result;
	FILE *file = tmpfile();
	size_t size;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), 2);
	result = host_script(h, text, "bad");
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	rewind(file);
	size = fread(message, 1, room - 1, file);
	message[size] = '\0';
	fclose(file);
	assert_int_equal(result, -1);
}

static void bad_scripts_are_told_where(void **state)
{
	static const struct { const char *text, *message; } bad[] = {
		{ "when offer: drop", "bad:1:1: a line begins with \"on\" or \"at\"\n" },
		{ "\n# fine\non offers: drop", "bad:3:4: there is no message \"offers\"\n" },
		{ "on offer drop", "bad:1:10: a colon ends the trigger, not \"drop\"\n" },
		{ "on offer: explode", "bad:1:11: there is no act \"explode\"\n" },
		{ "on offer:", "bad:1:10: there is no act \"\"\n" },
		{ "on offer: drop now", "bad:1:16: \"now\" is too much\n" },
		{ "on offer: never", "bad:1:11: \"never\" is no act of this trigger\n" },
		{ "on open: drop", "bad:1:10: \"drop\" is no act of this trigger\n" },
		{ "on packet: slot-type 1", "bad:1:12: \"slot-type\" is no act of this trigger\n" },
		{ "on offer: set 1 12 3", "bad:1:17: how many bits: 8, 16, 32 or 64, not \"12\"\n" },
		{ "on offer: set x 8 3", "bad:1:15: this has to be a number here, not \"x\"\n" },
		{ "on offer 0: drop", "bad:1:10: which time: 1, 2, ... or 2+, not \"0\"\n" },
		{ "on packet 1 of 0: never", "bad:1:16: relids are 1 to 2047\n" },
		{ "on fetch echo: drop", "bad:1:14: which place: data+0 or the like, not \":\"\n" },
		{ "on fetch echo heap+1: set 0 8 0", "bad:1:15: there is no place \"heap\"\n" },
		{ "on fetch data+1: set 0 8 0", "bad:1:10: a slot is of no channel, and all else of one\n" },
		{ "at soon: silence", "bad:1:4: a time in ms has to be a number here, not \"soon\"\n" },
		{ "at 1: post 0g00", "bad:1:12: \"0g\" is no byte\n" },
		{ "at 1: post 04", "bad:1:14: a message has 8 to 240 bytes\n" },
		{ "at 1: storm rings 1 2", "bad:1:13: a storm of events, not of \"rings\"\n" },
		{ "at 1: poke 1 up write 3", "bad:1:14: which ring: in or out, not \"up\"\n" },
		{ "at 1: poke 1 in size 3",
		  "bad:1:17: which field: write, read, mask, pending or features, not \"size\"\n" },
	};
	char message[200];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		complaint(bad[i].text, message, sizeof(message));
		assert_string_equal(message, bad[i].message);
	}
	assert_null(h->script_hooks.incoming);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_version_is_agreed_to),
		TEST(a_version_it_does_not_know_is_declined),
		TEST(an_old_host_has_no_port_for_new_contact),
		TEST(features_are_what_both_sides_have),
		TEST(contact_again_starts_over),
		TEST(nothing_else_is_heard_before_contact),
		TEST(offers_say_what_the_device_is),
		TEST(a_device_may_come_later),
		TEST(a_relid_is_held_until_it_is_released),
		TEST(memory_is_named_in_one_or_more_parts),
		TEST(there_is_a_limit_to_named_memory),
		TEST(a_handle_in_use_is_refused),
		TEST(a_range_has_to_fit_its_pages),
		TEST(memory_with_something_left_in_it_is_noticed),
		TEST(a_page_named_twice_is_noticed),
		TEST(packets_go_both_ways),
		TEST(packets_go_round_the_end),
		TEST(a_signal_is_due_when_the_ring_was_empty),
		TEST(too_many_signals_are_spurious),
		TEST(a_host_that_polls_wants_no_signals),
		TEST(room_given_back_is_signalled_to_who_waits),
		TEST(answers_wait_for_room),
		TEST(only_one_signal_says_that_there_is_room),
		TEST(an_index_that_lies_ends_the_channel),
		TEST(an_index_goes_forward_only),
		TEST(the_guest_cannot_have_read_what_was_not_written),
		TEST(bad_packets_end_the_channel),
		TEST(trailers_and_ids_are_looked_at),
		TEST(gpa_ranges_are_taken_apart),
		TEST(closing_is_followed_by_teardown),
		TEST(a_channel_is_opened_again),
		TEST(rings_have_to_be_named_in_whole),
		TEST(a_rescinded_channel_is_silent),
		TEST(what_is_half_named_is_refused_at_a_rescind),
		TEST(subchannels_end_with_their_primary),
		TEST(a_channel_moves_to_another_processor),
		TEST(before_5_3_a_move_has_no_answer),
		TEST(unload_lets_go_of_everything),
		TEST(streams_are_refused),
		TEST(a_taken_slot_asks_for_its_end),
		TEST(messages_leave_when_they_are_due),
		TEST(slots_are_of_one_processor),
		TEST(bad_messages_are_noticed),
		TEST(what_should_be_zero_is_noticed),
		TEST(hypercalls_are_answered_as_hosts_do),
		TEST(messages_by_the_wrong_connection_are_noticed),
		TEST(rings_taken_back_are_noticed),
		TEST(hooks_come_first),
		TEST(a_silent_host_hears_everything),
		TEST(messages_are_altered),
		TEST(messages_leave_late_or_often_or_never),
		TEST(messages_of_the_guest_are_not_heard),
		TEST(hypercalls_fail),
		TEST(completions_are_altered),
		TEST(packets_lead_to_acts),
		TEST(storms_last_as_long_as_they_are_told),
		TEST(memory_changes_under_a_fetch),
		TEST(bad_scripts_are_told_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
