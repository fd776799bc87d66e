/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest fetches, byte by byte. It must not look at anything twice: whoever can
 * change memory between two looks has the guest check one thing and use another.
 */
#ifndef AIRLOCK_TESTS_HOST_AUDIT_H
#define AIRLOCK_TESTS_HOST_AUDIT_H

#include "host.h"

struct airlock_connection;

/* Bytes of the ring to the guest that it has fetched and not given back. */
struct audit_ring {
	uint32_t opens;			/* of the channel, when this was begun */
	uint32_t size, released;
	uint8_t *fetched;
};

struct audit_slot {
	uint64_t delivered;		/* the message it is about */
	uint32_t type;
	uint8_t fetched[256];
};

/* A page of the host and where it belongs; an open hash. */
struct audit_page {
	uintptr_t address;
	struct host_place place;	/* of its first byte */
};

struct audit {
	struct host *host;
	struct airlock_connection *connection;
	struct audit_page *pages;
	uint32_t page_room;		/* a power of two */
	uint64_t layout;		/* of the host, when the pages were noted */
	struct audit_ring rings[HOST_CHANNELS];
	struct audit_slot slots[HOST_CPUS];
	uint64_t double_fetches;
};

struct audit *audit_create(struct host *h);
void audit_destroy(struct audit *a);
bool audit_locate(struct audit *a, const void *at, struct host_place *place);
/* @size bytes are about to be fetched. */
void audit_fetch(struct audit *a, const void *at, uint32_t size);

#endif
