/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What attacks on rings have in common: the two ends of the plain device's channel, and the
 * host's words and bytes in it.
 */
#ifndef AIRLOCK_TESTS_RING_ACT_H
#define AIRLOCK_TESTS_RING_ACT_H

#include <string.h>

#include "attack.h"
#include "memory.h"
#include "shim.h"

#define TO_HOST false
#define TO_GUEST true

/* The guest's end, and the host's. */
static inline struct airlock_channel *guest_end(void)
{
	return scene->echo_device->primary;
}

static inline struct host_channel *host_end(void)
{
	return scene->echo_channel;
}

/* Where byte @at of the data to the guest lies. */
static inline void *data_to_guest(uint32_t at)
{
	struct host_channel *h = host_end();

	return host_memory(h->ring_gfns[h->downstream + 1 + at / 4096], at % 4096, 1);
}

/* Writes a word the guest is going to fetch: it counts when it does. */
static inline void poke(bool to_guest, enum host_field field, uint32_t value, const char *what)
{
	host_poke(host_end(), to_guest, field, value);
	strike_on_fetch(host_field(host_end(), to_guest, field), 4, what);
}

/* A packet of the guest that asks for nothing; what airlock_send() said. */
static inline int guest_sends(uint32_t bytes)
{
	static u8 payload[4096];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = payload, .bytes = bytes };

	memset(payload, 0x77, sizeof(payload));
	return airlock_send(guest_end(), &p);
}

/* An honest packet of the host, with @payload of @size bytes, in-band, nothing asked. */
static inline bool host_says(const void *payload, uint32_t size)
{
	struct host_packet p = { .type = 6, .bytes = payload, .size = size };

	return host_send(host_end(), &p);
}

/* The same as it stands, lies and all; offset8 and length8 in units of 8 bytes. */
static inline bool host_lies(uint16_t type, uint16_t offset8, uint16_t length8, uint16_t flags, uint64_t transaction,
			     const void *payload, uint32_t size)
{
	struct host_packet p = {
		.type = type, .offset8 = offset8, .length8 = length8, .flags = flags, .transaction = transaction,
		.bytes = payload, .size = size, .raw = true,
	};

	strike_on_fetch(data_to_guest(host_end()->out_write), 8, "the packet");
	return host_send(host_end(), &p);
}

/* The ring has lied: the rule fires, the channel is put away, the rest goes on. */
static inline void ring_is_given_up(const char *rule)
{
	scene_run(50);
	expect_rule(rule);
	scene_quarantined(guest_end());
	expect(scene->echo_dead == 1);
	scene_end(0);
}

/* The packet has lied, the ring has not: it is dropped, and the next one is heard. */
static inline void packet_is_dropped(const char *rule)
{
	scene_run(50);
	expect_rule(rule);
	expect(!guest_end()->dead);
	scene_works();
	scene_end(0);
}

#endif
