// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both rings of a channel from the host's side. Its own indices are private; those of the
 * guest are believed only within the rules, and a guest that breaks them loses the channel. Signals
 * follow the exact rules, and those of the guest are held against them.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "shim.h"

#define DESCRIPTOR 16u
#define TRAILER 8u
#define IN_BAND 6
#define GPA_DIRECT 9
#define COMPLETION 11
#define WANTS_COMPLETION 1
#define CREDITS_MAX 64
#define PACKETS_A_RUN 256

static const uint16_t field_offset[] = {
	[HOST_WRITE_INDEX] = 0, [HOST_READ_INDEX] = 4, [HOST_INTERRUPT_MASK] = 8, [HOST_PENDING_SIZE] = 12,
	[HOST_FEATURES] = 64,
};

/* ---- memory ---- */

static bool is_private(const struct host_channel *ch)
{
	return ch->host->granted & FEATURE_CONFIDENTIAL && ch->device && ch->device->flags & FLAG_PRIVATE_RING;
}

/* Page numbers of a ring, its control page first. */
static const uint64_t *pages_of(const struct host_channel *ch, bool to_guest)
{
	return to_guest ? ch->ring_gfns + ch->downstream : ch->ring_gfns;
}

uint32_t *host_field(struct host_channel *ch, bool to_guest, enum host_field field)
{
	return (uint32_t *)host_page(is_private(ch), *pages_of(ch, to_guest), field_offset[field], 4);
}

void host_poke(struct host_channel *ch, bool to_guest, enum host_field field, uint32_t value)
{
	__atomic_store_n(host_field(ch, to_guest, field), value, __ATOMIC_RELEASE);
}

uint32_t host_peek(struct host_channel *ch, bool to_guest, enum host_field field)
{
	return __atomic_load_n(host_field(ch, to_guest, field), __ATOMIC_ACQUIRE);
}

/* Between what one side stores and what it then loads of the other. A locked access, so that it is seen as one. */
static void full_barrier(struct host_channel *ch)
{
	__atomic_fetch_add(&ch->barriers, 1, __ATOMIC_SEQ_CST);
}

bool host_reaches(struct host_channel *ch)
{
	uint32_t i;

	for (i = 0; i < ch->ring_pages; i++) {
		if (!host_page_visible(is_private(ch), ch->ring_gfns[i]))
			return false;
	}
	return ch->ring_pages != 0;
}

typedef void (*move)(void *bytes, uint8_t *shared, uint32_t size);

static void move_in(void *bytes, uint8_t *shared, uint32_t size)
{
	host_shared_read(bytes, shared, size);
}

static void move_out(void *bytes, uint8_t *shared, uint32_t size)
{
	host_shared_write(shared, bytes, size);
}

/* @bytes to or from the data area at @at, around its end if need be. */
static void for_pieces(struct host_channel *ch, bool to_guest, uint32_t at, void *bytes, uint32_t size, move move)
{
	const uint64_t *pages = pages_of(ch, to_guest) + 1;
	uint32_t ring = to_guest ? ch->out_size : ch->in_size, part;
	uint8_t *p = bytes;

	for (; size; size -= part, p += part, at += part) {
		at %= ring;
		part = FRAME - at % FRAME;
		part = part < size ? part : size;
		move(p, host_page(is_private(ch), pages[at / FRAME], at % FRAME, part), part);
	}
}

void host_ring_read(struct host_channel *ch, bool to_guest, uint32_t at, void *bytes, uint32_t size)
{
	for_pieces(ch, to_guest, at, bytes, size, move_in);
}

void host_ring_write(struct host_channel *ch, uint32_t at, const void *bytes, uint32_t size)
{
	for_pieces(ch, true, at, (void *)(uintptr_t)bytes, size, move_out);
}

/* ---- indices ---- */

static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : size - from + to;
}

static void break_rings(struct host_channel *ch, const char *what, uint32_t value)
{
	host_error(ch->host, "relid %u: %s is %u", ch->relid, what, value);
	ch->broken = true;
}

/* An index of the guest lies in the ring, and between where it was and where it may be: @room bytes on. */
static bool accept_index(struct host_channel *ch, const char *what, uint32_t index, uint32_t *known, uint32_t size,
			 uint32_t room)
{
	if (index >= size || index % 8 || distance(*known, index, size) > room) {
		break_rings(ch, what, index);
		return false;
	}
	*known = index;
	return true;
}

static bool load_guests_write(struct host_channel *ch)
{
	uint32_t write = host_peek(ch, false, HOST_WRITE_INDEX);
	uint32_t unread = distance(ch->in_read, ch->in_known, ch->in_size);

	return accept_index(ch, "the write index", write, &ch->in_known, ch->in_size, ch->in_size - 8 - unread);
}

static bool load_guests_read(struct host_channel *ch)
{
	uint32_t read = host_peek(ch, true, HOST_READ_INDEX);

	return accept_index(ch, "the read index", read, &ch->out_known, ch->out_size,
			    distance(ch->out_known, ch->out_write, ch->out_size));
}

/* Without the 8 bytes that stay free, so that full is not empty. */
static uint32_t out_room(const struct host_channel *ch)
{
	return ch->out_size - 8 - distance(ch->out_known, ch->out_write, ch->out_size);
}

/* ---- open and close ---- */

static void give_credit(struct host_channel *ch)
{
	if (ch->credits < CREDITS_MAX)
		ch->credits++;
}

/* What a guest leaves in its control pages: its feature bits and nothing else. */
static void look_at_control_pages(struct host_channel *ch)
{
	uint8_t page[FRAME] __attribute__((aligned(8)));
	int to_guest;

	for (to_guest = 0; to_guest < 2; to_guest++) {
		host_shared_read(page, host_page(is_private(ch), *pages_of(ch, to_guest), 0, FRAME), FRAME);
		if (to_guest && page[64] == 1)		/* Linux writes them in both rings */
			page[64] = 0;
		if (!to_guest && page[64]-- != 1)
			host_error(ch->host, "relid %u: flow control is not announced", ch->relid);
		if (any_set(page, FRAME))
			host_error(ch->host, "relid %u: a control page is not cleared", ch->relid);
	}
}

static bool load_first_indices(struct host_channel *ch)
{
	ch->in_read = host_peek(ch, false, HOST_READ_INDEX);
	ch->in_known = host_peek(ch, false, HOST_WRITE_INDEX);
	ch->out_known = host_peek(ch, true, HOST_READ_INDEX);
	ch->out_write = host_peek(ch, true, HOST_WRITE_INDEX);
	ch->in_published = ch->in_read;
	return !((ch->in_read | ch->in_known | ch->out_known | ch->out_write) % 8) && ch->in_read < ch->in_size &&
	       ch->in_known < ch->in_size && ch->out_known < ch->out_size && ch->out_write < ch->out_size;
}

bool host_ring_open(struct host_channel *ch)
{
	if (!host_reaches(ch)) {
		host_error(ch->host, "relid %u: rings that are not shared", ch->relid);
		return false;
	}
	look_at_control_pages(ch);
	if (!load_first_indices(ch)) {
		host_error(ch->host, "relid %u: indices outside of the rings", ch->relid);
		return false;
	}
	ch->broken = false;
	ch->blocked = 0;
	ch->credits = 2;
	ch->signalled = true;
	ch->expecting = false;
	ch->flow_control = host_peek(ch, false, HOST_FEATURES) & 1;
	ch->backlog_end = &ch->backlog;
	host_poke(ch, true, HOST_FEATURES, 1);
	host_poke(ch, true, HOST_PENDING_SIZE, 0);
	host_poke(ch, false, HOST_INTERRUPT_MASK, 1);
	return true;
}

static void drop_backlog(struct host_channel *ch)
{
	struct host_backlog *b;

	while ((b = ch->backlog)) {
		ch->backlog = b->next;
		free(b);
	}
	ch->backlog_end = &ch->backlog;
}

void host_ring_close(struct host_channel *ch)
{
	drop_backlog(ch);
	ch->asked.count = 0;
	ch->asking.count = 0;
	ch->kick_at = 0;
	ch->signalled = false;
}

static bool usable(struct host_channel *ch)
{
	if (ch->state != HOST_OPENED || ch->broken)
		return false;
	if (host_reaches(ch))
		return true;
	host_error(ch->host, "relid %u: the guest took back the rings of an open channel", ch->relid);
	ch->broken = true;
	return false;
}

/* ---- transaction ids ---- */

static void add_id(struct host_ids *set, uint64_t id)
{
	if (set->count == set->room) {
		set->room = set->room ? 2 * set->room : 16;
		set->ids = host_need(realloc(set->ids, set->room * sizeof(*set->ids)));
	}
	set->ids[set->count++] = id;
}

/* The oldest first: completions mostly come in order. */
static uint32_t find_id(const struct host_ids *set, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < set->count && set->ids[i] != id; i++)
		;
	return i;
}

static bool remove_id(struct host_ids *set, uint64_t id)
{
	uint32_t i = find_id(set, id);

	if (i == set->count)
		return false;
	memmove(set->ids + i, set->ids + i + 1, (set->count - i - 1) * sizeof(*set->ids));
	set->count--;
	return true;
}

/* Each request that wants an answer has a number of its own; each answer has a request. */
static void look_at_id(struct host_channel *ch, const struct host_packet *p)
{
	unsigned long long id = p->transaction;

	if (p->type == COMPLETION) {
		if (!remove_id(&ch->asking, id))
			host_error(ch->host, "relid %u: a completion of %#llx, which nobody asked for", ch->relid, id);
		return;
	}
	if (!(p->flags & WANTS_COMPLETION))
		return;
	if (!id || find_id(&ch->asked, id) < ch->asked.count)
		host_error(ch->host, "relid %u: a request under %#llx, %s", ch->relid, id, id ? "which is in use" : "");
	add_id(&ch->asked, id);
}

/* ---- signals to the guest ---- */

void host_signal(struct host_channel *ch)
{
	if (ch->target_vp == ALL_ONES)
		return;
	ch->signals++;
	host_set_event(ch->host, ch->target_vp, ch->event_flag);
}

bool host_ring_empty(struct host_channel *ch)
{
	return host_peek(ch, true, HOST_READ_INDEX) == ch->out_write;
}

/* ---- signals of the guest ---- */

/*
 * New data in a ring that was drained; or room for a sender who waits for it. With one thread
 * nothing has moved since the guest decided to signal.
 */
static bool has_reason(struct host_channel *ch)
{
	if (ch->expecting && host_peek(ch, false, HOST_WRITE_INDEX) != ch->in_read) {
		ch->expecting = false;
		return true;
	}
	if (ch->blocked && load_guests_read(ch) && out_room(ch) >= ch->blocked) {
		ch->blocked = 0;
		return true;
	}
	return false;
}

void host_ring_heard(struct host_channel *ch)
{
	ch->heard++;
	if (ch->credits)
		ch->credits--;
	else
		ch->spurious++;
	if (!ch->host->threads && usable(ch) && !has_reason(ch)) {
		ch->needless++;
		host_error(ch->host, "relid %u: a needless signal", ch->relid);
	}
	ch->signalled = true;
}

/* Data in a ring that was drained, the mask is off, and no signal. */
void host_ring_look_for_missed(struct host_channel *ch)
{
	if (!ch->expecting || ch->signalled || !usable(ch) || host_peek(ch, false, HOST_INTERRUPT_MASK))
		return;
	if (host_peek(ch, false, HOST_WRITE_INDEX) == ch->in_read)
		return;
	ch->expecting = false;
	ch->missed++;
	host_error(ch->host, "relid %u: data without a signal", ch->relid);
}

/* ---- packets of the guest ---- */

static bool refuse_packet(struct host_channel *ch, const char *what, uint32_t value)
{
	break_rings(ch, what, value);
	return false;
}

static bool take_descriptor(struct host_channel *ch, struct host_packet *p, uint32_t used)
{
	uint8_t descriptor[DESCRIPTOR] __attribute__((aligned(8)));

	if (used < DESCRIPTOR + TRAILER)
		return refuse_packet(ch, "what is in the ring", used);
	host_ring_read(ch, false, ch->in_read, descriptor, DESCRIPTOR);
	p->type = get16(descriptor);
	p->offset8 = get16(descriptor + 2);
	p->length8 = get16(descriptor + 4);
	p->flags = get16(descriptor + 6);
	p->transaction = get(descriptor + 8, 8);
	if (p->type != IN_BAND && p->type != GPA_DIRECT && p->type != COMPLETION)
		return refuse_packet(ch, "the type of a packet", p->type);
	if (p->flags & ~WANTS_COMPLETION || (p->flags && p->type == COMPLETION))
		return refuse_packet(ch, "the flags of a packet", p->flags);
	if (p->offset8 < (p->type == GPA_DIRECT ? 3 : 2) || p->offset8 > p->length8)
		return refuse_packet(ch, "the payload's offset", p->offset8);
	if (p->length8 * 8u + TRAILER > used)
		return refuse_packet(ch, "the length of a packet", p->length8);
	return true;
}

/* What stands behind each packet: nothing, and where it starts. */
static void look_at_trailer(struct host_channel *ch, uint32_t size)
{
	uint8_t trailer[TRAILER] __attribute__((aligned(8)));

	host_ring_read(ch, false, (ch->in_read + size) % ch->in_size, trailer, TRAILER);
	if (get32(trailer) || get32(trailer + 4) != ch->in_read)
		host_error(ch->host, "relid %u: a trailer of %#x and %#x, not %#x", ch->relid, get32(trailer),
			   get32(trailer + 4), ch->in_read);
}

/* The ranges of a GPA_DIRECT packet; the frames of the first one are copied out for the device. */
static bool take_ranges(struct host_channel *ch, struct host_packet *p, uint64_t *gfns)
{
	uint32_t room = p->offset8 * 8u - 24, at = 24, i, j, bytes, offset, count;

	if (get32(p->bytes + 16))
		host_error(ch->host, "relid %u: %#x in a reserved word", ch->relid, get32(p->bytes + 16));
	p->range_count = get32(p->bytes + 20);
	p->gfns = gfns;
	for (i = 0; i < p->range_count; i++) {
		if (room < 16)
			return refuse_packet(ch, "the number of ranges", p->range_count);
		bytes = get32(p->bytes + at);
		offset = get32(p->bytes + at + 4);
		count = (uint32_t)(((uint64_t)offset + bytes + FRAME - 1) / FRAME);
		if (!bytes || offset >= FRAME || count > (room - 8) / 8)
			return refuse_packet(ch, "the length of a range", bytes);
		for (j = 0; i == 0 && j < count; j++)
			gfns[j] = get(p->bytes + at + 8 + 8 * j, 8);
		if (i == 0) {
			p->byte_count = bytes;
			p->byte_offset = offset;
			p->gfn_count = count;
		}
		at += 8 + 8 * count;
		room -= 8 + 8 * count;
	}
	if (!p->range_count || room)
		return refuse_packet(ch, "what the ranges leave", room);
	return true;
}

static bool asks_hooks(struct host_channel *ch, const struct host_packet *p)
{
	const struct host_hooks *hooks = &ch->host->hooks, *script = &ch->host->script_hooks;

	if (hooks->packet && !hooks->packet(ch, hooks->argument, p))
		return false;
	return !script->packet || script->packet(ch, script->argument, p);
}

static void hand_on(struct host_channel *ch, struct host_packet *p)
{
	p->payload = p->bytes + p->offset8 * 8u;
	p->payload_size = (p->length8 - p->offset8) * 8u;
	if (host_leaks(p->bytes, p->size))
		host_error(ch->host, "relid %u: a packet shows memory that was never written", ch->relid);
	look_at_id(ch, p);
	ch->received++;
	if (asks_hooks(ch, p) && ch->host->answers && ch->device->packet)
		ch->device->packet(ch, p);
}

/* One packet; false: there is none, or it ended the channel. */
static bool take_packet(struct host_channel *ch)
{
	uint32_t used = distance(ch->in_read, ch->in_known, ch->in_size), size;
	struct host_packet p = { 0 };
	uint8_t *bytes;
	uint64_t *gfns;
	bool good;

	if (!used || !take_descriptor(ch, &p, used))
		return false;
	size = p.length8 * 8u;
	bytes = host_need(aligned_alloc(8, size));
	gfns = host_need(calloc(size / 8, sizeof(*gfns)));
	host_ring_read(ch, false, ch->in_read, bytes, size);
	look_at_trailer(ch, size);
	p.bytes = bytes;
	p.size = size;
	good = p.type != GPA_DIRECT || take_ranges(ch, &p, gfns);
	ch->in_read = (ch->in_read + size + TRAILER) % ch->in_size;
	if (good)
		hand_on(ch, &p);
	free(gfns);
	free(bytes);
	return good && ch->state == HOST_OPENED && !ch->broken;
}

/* Gives room back to the guest, who is signalled if it waits for that much. */
static void publish_read(struct host_channel *ch)
{
	uint32_t before, after, pending;

	if (ch->in_published == ch->in_read)
		return;
	before = ch->in_size - 8 - distance(ch->in_published, ch->in_known, ch->in_size);
	ch->in_published = ch->in_read;
	host_poke(ch, false, HOST_READ_INDEX, ch->in_read);
	if (!ch->flow_control)
		return;
	full_barrier(ch);
	pending = host_peek(ch, false, HOST_PENDING_SIZE) & ~7u;
	if (!load_guests_write(ch))
		return;
	after = ch->in_size - 8 - distance(ch->in_read, ch->in_known, ch->in_size);
	if (pending && before < pending && after >= pending)
		host_signal(ch);
}

/* Packets, as many as one run may take; then true: more are there. */
static bool take_packets(struct host_channel *ch, bool *any)
{
	uint32_t count = 0;

	while (count < PACKETS_A_RUN && !ch->backlog && take_packet(ch))
		count++;
	*any |= count != 0;
	if (ch->state != HOST_OPENED || ch->broken)
		return false;
	if (count)
		publish_read(ch);
	return count == PACKETS_A_RUN;
}

/* Drained: from here on new data deserves a signal, unless some came just before that. */
static bool rest(struct host_channel *ch)
{
	ch->expecting = !ch->mask_wanted;
	if (ch->in_known != ch->in_read || ch->backlog)
		return false;
	give_credit(ch);
	if (ch->mask_wanted)
		return true;
	host_poke(ch, false, HOST_INTERRUPT_MASK, 0);
	full_barrier(ch);
	if (!load_guests_write(ch) || ch->in_known == ch->in_read)
		return true;
	host_poke(ch, false, HOST_INTERRUPT_MASK, 1);
	return false;
}

static bool flush_backlog(struct host_channel *ch);

bool host_ring_service(struct host_channel *ch)
{
	bool any = ch->signalled, more;

	if ((!any && !ch->mask_wanted) || !usable(ch))
		return false;
	ch->signalled = false;
	if (!flush_backlog(ch))
		return any;
	host_poke(ch, false, HOST_INTERRUPT_MASK, 1);
	ch->expecting = false;
	do {
		if (!load_guests_write(ch))
			return any;
		more = take_packets(ch, &any);
		if (ch->state != HOST_OPENED || ch->broken)
			return any;
		if (more) {
			ch->signalled = true;	/* the rest in the next run */
			return true;
		}
	} while (!ch->backlog && !rest(ch) && !ch->broken);
	return any;
}

/* ---- packets to the guest ---- */

/* What an honest host would write, where the caller leaves it open. */
static void fill_in(const struct host_packet *p, struct host_packet *filled)
{
	*filled = *p;
	if (p->raw)
		return;
	if (!p->offset8)
		filled->offset8 = DESCRIPTOR / 8;
	if (!p->length8)
		filled->length8 = (uint16_t)((DESCRIPTOR + p->size + 7) / 8);
}

static bool may_leave(struct host_channel *ch, struct host_packet *p)
{
	const struct host_hooks *hooks = &ch->host->hooks, *script = &ch->host->script_hooks;

	if (hooks->sending && !hooks->sending(ch, hooks->argument, p))
		return false;
	return !script->sending || script->sending(ch, script->argument, p);
}

static void write_packet(struct host_channel *ch, const struct host_packet *p, uint32_t total)
{
	uint8_t *bytes = host_need(aligned_alloc(8, total));

	memset(bytes, 0, total);
	put(bytes, p->type, 2);
	put(bytes + 2, p->offset8, 2);
	put(bytes + 4, p->length8, 2);
	put(bytes + 6, p->flags, 2);
	put(bytes + 8, p->transaction, 8);
	if (p->size)
		memcpy(bytes + DESCRIPTOR, p->bytes, p->size);
	put(bytes + total - 4, ch->out_write, 4);
	host_ring_write(ch, ch->out_write, bytes, total);
	free(bytes);
}

/* The packet is in the ring: shows it, and signals if the guest had read everything before. */
static void publish_packet(struct host_channel *ch, uint32_t total)
{
	uint32_t old = ch->out_write;

	ch->out_write = (old + total) % ch->out_size;
	ch->sent++;
	host_poke(ch, true, HOST_WRITE_INDEX, ch->out_write);
	full_barrier(ch);
	if (host_peek(ch, true, HOST_INTERRUPT_MASK))
		return;
	if (host_peek(ch, true, HOST_READ_INDEX) == old)
		host_signal(ch);
}

enum sent { SENT, NO_ROOM, NO_RING };

static enum sent send_now(struct host_channel *ch, const struct host_packet *p)
{
	uint32_t total = DESCRIPTOR + ((p->size + 7) & ~7u) + TRAILER;
	struct host_packet packet;

	if (!usable(ch) || total > ch->out_size - 16 || !load_guests_read(ch))
		return NO_RING;
	if (out_room(ch) < total)
		return NO_ROOM;
	fill_in(p, &packet);
	if (!may_leave(ch, &packet))
		return SENT;
	total = DESCRIPTOR + ((packet.size + 7) & ~7u) + TRAILER;
	if (out_room(ch) < total)
		return NO_ROOM;
	if (packet.type != COMPLETION && packet.flags & WANTS_COMPLETION)
		add_id(&ch->asking, packet.transaction);
	write_packet(ch, &packet, total);
	publish_packet(ch, total);
	return SENT;
}

bool host_send(struct host_channel *ch, const struct host_packet *p)
{
	bool sent;

	host_lock(ch->host);
	sent = send_now(ch, p) == SENT;
	host_unlock(ch->host);
	return sent;
}

bool host_block(struct host_channel *ch, uint32_t bytes)
{
	bool free_already;

	host_lock(ch->host);
	ch->blocked = (bytes + 7) & ~7u;
	give_credit(ch);
	host_poke(ch, true, HOST_PENDING_SIZE, ch->blocked);
	full_barrier(ch);
	free_already = load_guests_read(ch) && out_room(ch) >= ch->blocked;
	if (free_already) {
		ch->blocked = 0;
		host_poke(ch, true, HOST_PENDING_SIZE, 0);
	}
	host_unlock(ch->host);
	return free_already;
}

/* ---- what found no room ---- */

static void keep(struct host_channel *ch, const struct host_packet *p)
{
	struct host_backlog *b = host_need(malloc(sizeof(*b) + p->size));

	b->packet = *p;
	b->next = NULL;
	if (p->size)
		memcpy(b->payload, p->bytes, p->size);
	b->packet.bytes = b->payload;
	*ch->backlog_end = b;
	ch->backlog_end = &b->next;
}

static uint32_t total_of(const struct host_packet *p)
{
	return DESCRIPTOR + ((p->size + 7) & ~7u) + TRAILER;
}

/* true: nothing waits any more. */
static bool flush_backlog(struct host_channel *ch)
{
	struct host_backlog *b;
	enum sent sent;

	if (ch->backlog)
		host_poke(ch, true, HOST_PENDING_SIZE, 0);
	while ((b = ch->backlog)) {
		sent = send_now(ch, &b->packet);
		if (sent == NO_ROOM && !host_block(ch, total_of(&b->packet)))
			return false;
		if (sent == NO_ROOM)
			continue;
		ch->backlog = b->next;
		if (!ch->backlog)
			ch->backlog_end = &ch->backlog;
		free(b);
	}
	return true;
}

bool host_complete(struct host_channel *ch, uint64_t transaction, const void *payload, uint32_t size)
{
	const struct host_packet p = {
		.type = COMPLETION, .transaction = transaction, .bytes = payload, .size = size,
	};
	enum sent sent = NO_ROOM;

	host_lock(ch->host);
	if (!ch->backlog)
		sent = send_now(ch, &p);
	if (sent != NO_RING)
		remove_id(&ch->asked, transaction);
	if (sent == NO_ROOM) {
		keep(ch, &p);
		if (ch->backlog_end == &ch->backlog->next)
			flush_backlog(ch);
	}
	host_unlock(ch->host);
	return sent != NO_RING;
}
