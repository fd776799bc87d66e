// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds out which byte of which ring or slot the guest fetches, and whether it has done so
 * before. A byte of a ring is free again once the guest has published a read index behind it, a
 * slot when another message is in it. Some words must never be fetched: the guest's own.
 */
#include <stdlib.h>
#include <string.h>

#include "airlock.h"
#include "audit.h"
#include "memory.h"

#define FRAME 4096u
#define SLOT 256u
#define SLOT_AT (2 * SLOT)
#define SLOT_HEAD 8u		/* type, size and flags may be looked at again, by the rules of slots */

struct audit *audit_create(struct host *h)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->host = h;
	return a;
}

void audit_destroy(struct audit *a)
{
	uint32_t i;

	for (i = 0; i < HOST_CHANNELS; i++)
		free(a->rings[i].fetched);
	free(a->pages);
	free(a);
}

/* ---- pages ---- */

static struct audit_page *find_page(struct audit *a, uintptr_t address)
{
	uint32_t i = (uint32_t)(address / FRAME * 0x9e3779b1u);

	while (a->pages[i & (a->page_room - 1)].address &&
	       a->pages[i & (a->page_room - 1)].address != address)
		i++;
	return &a->pages[i & (a->page_room - 1)];
}

static void note_page(struct audit *a, bool private, uint64_t gfn, const struct host_place *place)
{
	struct audit_page *page;
	uint8_t *address;

	if (!private && !sim_is_shared(gfn))
		return;
	address = private ? sim_paravisor_memory(gfn, 0, 1) : sim_host_memory(gfn, 0, 1);
	page = find_page(a, (uintptr_t)address);
	page->address = (uintptr_t)address;
	page->place = *place;
}

static void note_ring(struct audit *a, const struct host_channel *ch, uint32_t first, uint32_t end, bool to_guest)
{
	struct host_place place = { .relid = ch->relid };
	uint32_t i;

	for (i = first; i < end; i++) {
		if (i == first)
			place.area = to_guest ? HOST_OUT_CONTROL : HOST_IN_CONTROL;
		else
			place.area = to_guest ? HOST_OUT_DATA : HOST_IN_DATA;
		place.offset = i == first ? 0 : (i - first - 1) * FRAME;
		note_page(a, a->host->trusted, ch->ring_gfns[i], &place);
	}
}

static void note_synic(struct audit *a, uint32_t cpu)
{
	const struct host_synic *synic = &a->host->synic[cpu];
	struct host_place place = { .cpu = cpu };

	if (!synic->enabled)
		return;
	place.area = HOST_SLOT;
	note_page(a, a->host->trusted, synic->slots, &place);
	place.area = HOST_FLAGS;
	note_page(a, a->host->trusted, synic->flags, &place);
}

static uint32_t count_pages(const struct host *h)
{
	uint32_t i, count = 2 * HOST_CPUS;

	for (i = 1; i < h->top; i++)
		count += h->channels[i].state == HOST_OPENED ? h->channels[i].ring_pages : 0;
	return count;
}

/* Once the host has opened or closed a channel. */
static void note_pages(struct audit *a)
{
	uint32_t i, room = 512;

	while (room < 2 * count_pages(a->host))
		room *= 2;
	free(a->pages);
	a->pages = calloc(room, sizeof(*a->pages));
	if (!a->pages)
		abort();
	a->page_room = room;
	a->layout = a->host->layout;
	for (i = 0; i < HOST_CPUS; i++)
		note_synic(a, i);
	for (i = 1; i < a->host->top; i++) {
		const struct host_channel *ch = &a->host->channels[i];

		if (ch->state != HOST_OPENED)
			continue;
		note_ring(a, ch, 0, ch->downstream, false);
		note_ring(a, ch, ch->downstream, ch->ring_pages, true);
	}
}

static struct airlock_channel *guests_channel(const struct audit *a, uint32_t relid)
{
	return a->connection ? a->connection->channels[relid] : NULL;
}

/* Of the slots, only VMBus's is of interest. */
static bool into_slot(struct host_place *place)
{
	if (place->area != HOST_SLOT && place->area != HOST_FLAGS)
		return true;
	if (place->offset < SLOT_AT || place->offset >= SLOT_AT + SLOT)
		return false;
	place->offset -= SLOT_AT;
	return true;
}

bool audit_locate(struct audit *a, const void *at, struct host_place *place)
{
	uintptr_t address = (uintptr_t)sim_host_address(at);
	const struct airlock_channel *channel;
	const struct audit_page *page;

	if (!a->pages || a->layout != a->host->layout)
		note_pages(a);
	page = find_page(a, address / FRAME * FRAME);
	if (!page->address)
		return false;
	*place = page->place;
	place->offset += address % FRAME;
	channel = guests_channel(a, place->relid);
	if (place->area == HOST_OUT_DATA && channel)
		place->packet = channel->in.context.our_index;
	return into_slot(place);
}

/* ---- marks ---- */

static void report(struct audit *a, const struct host_place *place, const char *what)
{
	static const char *const areas[] = {
		[HOST_OUT_DATA] = "the data to the guest", [HOST_OUT_CONTROL] = "the control page to the guest",
		[HOST_IN_DATA] = "the data of the guest", [HOST_IN_CONTROL] = "the control page of the guest",
		[HOST_SLOT] = "the message slot", [HOST_FLAGS] = "the event flags",
	};

	a->double_fetches++;
	host_error(a->host, "byte %u of %s, relid %u, %s", place->offset, areas[place->area], place->relid, what);
}

/* Marks for this open of the channel, without those of bytes that were given back. */
static struct audit_ring *ring_marks(struct audit *a, uint32_t relid)
{
	const struct host_channel *ch = &a->host->channels[relid];
	const struct airlock_channel *channel = guests_channel(a, relid);
	struct audit_ring *ring = &a->rings[relid];

	if (!channel)
		return NULL;
	if (!ring->fetched || ring->opens != ch->opens || ring->size != ch->out_size) {
		free(ring->fetched);
		ring->fetched = calloc(1, ch->out_size);
		if (!ring->fetched)
			abort();
		ring->opens = ch->opens;
		ring->size = ch->out_size;
		ring->released = 0;
	}
	while (ring->released != channel->in.published && channel->in.published < ring->size) {
		ring->fetched[ring->released] = 0;
		ring->released = (ring->released + 1) % ring->size;
	}
	return ring;
}

static void mark_ring(struct audit *a, const struct host_place *place)
{
	struct audit_ring *ring = ring_marks(a, place->relid);

	if (!ring || place->offset >= ring->size)
		return;
	if (ring->fetched[place->offset])
		report(a, place, "was fetched before");
	ring->fetched[place->offset] = 1;
}

/* The same message still is in the slot, as far as the guest can tell. */
static bool same_message(const struct audit_slot *slot, uint64_t delivered, uint32_t type)
{
	return type && slot->type == type && slot->delivered == delivered;
}

static void mark_slot(struct audit *a, const struct host_place *place, const uint8_t *at)
{
	struct audit_slot *slot = &a->slots[place->cpu];
	uint64_t delivered = a->host->synic[place->cpu].delivered;
	uint32_t type = __atomic_load_n((const uint32_t *)(at - place->offset), __ATOMIC_RELAXED);

	if (!same_message(slot, delivered, type)) {
		memset(slot, 0, sizeof(*slot));
		slot->delivered = delivered;
		slot->type = type;
	}
	if (!type || place->offset < SLOT_HEAD || place->offset >= SLOT)
		return;
	if (slot->fetched[place->offset])
		report(a, place, "was fetched before");
	slot->fetched[place->offset] = 1;
}

/* Of control pages the guest may fetch what is the host's, and nothing else. */
static bool may_fetch(const struct host_place *place)
{
	uint32_t word = place->offset / 4 * 4;

	if (place->area == HOST_OUT_CONTROL)
		return word == 0 || word == 12 || word == 64;
	return word == 4 || word == 8;
}

static void audit_byte(struct audit *a, const struct host_place *place, const uint8_t *at)
{
	switch (place->area) {
	case HOST_OUT_DATA:
		return mark_ring(a, place);
	case HOST_SLOT:
		return mark_slot(a, place, at);
	case HOST_IN_DATA:
		return report(a, place, "is the guest's own");
	case HOST_FLAGS:
		return;
	default:
		if (!may_fetch(place) && place->offset % 4 == 0)
			report(a, place, "is the guest's own");
	}
}

/* Bytes of one page. */
static void audit_piece(struct audit *a, const uint8_t *at, uint32_t size)
{
	const uint8_t *address = sim_host_address(at);
	struct host_place place;
	uint32_t i;

	if (!audit_locate(a, at, &place))
		return;
	for (i = 0; i < size; i++, place.offset++)
		audit_byte(a, &place, address + i);
}

void audit_fetch(struct audit *a, const void *at, uint32_t size)
{
	const uint8_t *p = at;
	uint32_t part;

	for (; size; size -= part, p += part) {
		part = FRAME - (uintptr_t)p % FRAME;
		part = part < size ? part : size;
		audit_piece(a, p, part);
	}
}
