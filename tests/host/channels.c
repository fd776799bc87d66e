// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels that are opened, moved to other processors and closed. What cannot be acted on has
 * no answer, as the catalogue says of a host in each state.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "shim.h"

#define KICK_MS 100

/* ---- open ---- */

static void say_result(struct host *h, const uint8_t *open, uint32_t status)
{
	uint8_t m[20] = { 0 };

	put(m, HOST_OPEN_RESULT, 4);
	memcpy(m + 8, open + 8, 8);		/* relid and open id, as they came */
	put(m + 16, status, 4);
	host_server_say(h, m, sizeof(m));
}

/* The GPADL of both rings, if it can be one. */
static struct host_gpadl *ring_memory(struct host *h, uint32_t handle, uint32_t relid, uint32_t downstream)
{
	struct host_gpadl *g = host_gpadl_find(h, handle);

	if (!g || !g->complete || g->relid != relid) {
		host_error(h, "rings in GPADL %#x, which relid %u does not have", handle, relid);
		return NULL;
	}
	if (g->range_count != 1 || g->byte_offset || g->byte_count != g->pages * FRAME) {
		host_error(h, "rings in %u ranges, of %u bytes from %u", g->range_count, g->byte_count, g->byte_offset);
		return NULL;
	}
	if (downstream < 2 || downstream + 2 > g->pages) {
		host_error(h, "a ring from page %u of %u", downstream, g->pages);
		return NULL;
	}
	return g;
}

static void take_rings(struct host_channel *ch, struct host_gpadl *g)
{
	ch->ring = g;
	free(ch->ring_gfns);
	ch->ring_gfns = host_need(malloc(g->pages * sizeof(*g->gfns)));
	memcpy(ch->ring_gfns, g->gfns, g->pages * sizeof(*g->gfns));
	ch->ring_pages = g->pages;
	ch->in_size = (ch->downstream - 1) * FRAME;
	ch->out_size = (g->pages - ch->downstream - 1) * FRAME;
}

/* The host's side of an open; false: it fails. */
static bool start_channel(struct host_channel *ch, struct host_gpadl *g)
{
	if (!g)
		return false;
	take_rings(ch, g);
	if (!host_ring_open(ch)) {
		ch->ring = NULL;
		return false;
	}
	ch->state = HOST_OPENED;
	ch->opens++;
	ch->host->layout++;
	if (ch->host->kicks)
		ch->kick_at = shim_now() + KICK_MS;
	if (ch->device->opened)
		ch->device->opened(ch);
	return true;
}

static bool has_long_form(const struct host *h)
{
	return h->granted & (FEATURE_GUEST_SIGNALS | FEATURE_REDIRECT);
}

/* What only the long form says: how the guest wants to be signalled. */
static void take_signal_parameters(struct host_channel *ch, const uint8_t *m)
{
	ch->event_flag = (uint16_t)ch->relid;
	if (has_long_form(ch->host) && ch->host->granted & FEATURE_GUEST_SIGNALS && get16(m + 152))
		ch->event_flag = get16(m + 152);
}

static void look_at_open(struct host *h, const uint8_t *m, uint32_t size)
{
	uint32_t vp = get32(m + 20);

	if (size != (has_long_form(h) ? 156 : 148))
		host_error(h, "open in %u bytes", size);
	if (vp >= h->cpus && vp != ALL_ONES)
		host_error(h, "a channel that interrupts processor %u", vp);
	if (!get32(m + 12))
		host_error(h, "an open without a number");
}

/* NULL: the state of the channel allows no open, and there is no answer. */
static struct host_channel *find_to_open(struct host *h, uint32_t relid)
{
	struct host_channel *ch = host_find(h, relid);

	if (ch && ch->state == HOST_OFFERED)
		return ch;
	if (!ch || ch->state != HOST_RESCINDED)
		host_error(h, "open of relid %u, which is %s", relid, ch ? "open, or not offered yet" : "not offered");
	return NULL;
}

void host_channel_open(struct host *h, const uint8_t *m, uint32_t size)
{
	struct host_channel *ch = find_to_open(h, get32(m + 8));

	if (!ch)
		return;
	if (has_long_form(h) && size < 156) {
		host_error(h, "open in %u bytes", size);
		return;
	}
	look_at_open(h, m, size);
	ch->open_id = get32(m + 12);
	ch->ring_handle = get32(m + 16);
	ch->target_vp = get32(m + 20);
	ch->downstream = get32(m + 24);
	memcpy(ch->user, m + 28, sizeof(ch->user));
	take_signal_parameters(ch, m);
	if (start_channel(ch, ring_memory(h, ch->ring_handle, ch->relid, ch->downstream)))
		say_result(h, m, 0);
	else
		say_result(h, m, STATUS_UNSUCCESSFUL);
}

/* ---- close ---- */

void host_channel_shut(struct host_channel *ch)
{
	if (ch->state != HOST_OPENED)
		return;
	ch->state = HOST_OFFERED;
	ch->host->layout++;
	if (ch->device->closed)
		ch->device->closed(ch);
	host_ring_close(ch);
	ch->ring = NULL;
}

/* Sub-channels do not outlive their own close, nor that of their primary. */
static void rescind_subchannels(struct host_channel *closed)
{
	struct host *h = closed->host;
	uint32_t i;

	if (closed->index)
		return host_rescind(h, closed);
	for (i = 1; i < h->top; i++) {
		if (h->channels[i].index && h->channels[i].device == closed->device)
			host_rescind(h, &h->channels[i]);
	}
}

void host_channel_close(struct host *h, const uint8_t *m)
{
	struct host_channel *ch = host_find(h, get32(m + 8));

	if (ch && ch->state == HOST_RESCINDED)
		return;
	if (!ch || ch->state != HOST_OPENED) {
		host_error(h, "close of relid %u, which is not open", get32(m + 8));
		return;
	}
	host_channel_shut(ch);
	rescind_subchannels(ch);
}

/* ---- other processors ---- */

static uint32_t move(struct host *h, uint32_t relid, uint32_t vp)
{
	struct host_channel *ch = host_find(h, relid);

	if (!ch || ch->state != HOST_OPENED || ch->target_vp == ALL_ONES || vp >= h->cpus) {
		if (!ch || ch->state != HOST_RESCINDED)
			host_error(h, "relid %u moved to processor %u", relid, vp);
		return STATUS_UNSUCCESSFUL;
	}
	ch->target_vp = vp;
	return 0;
}

void host_channel_modify(struct host *h, const uint8_t *m)
{
	uint8_t answer[16] = { 0 };

	if (h->version < VERSION(4, 1)) {
		host_error(h, "a channel moved in version %#x", h->version);
		return;
	}
	put(answer, HOST_MODIFY_RESPONSE, 4);
	put(answer + 8, get32(m + 8), 4);
	put(answer + 12, move(h, get32(m + 8), get32(m + 12)), 4);
	if (h->version >= VERSION(5, 3))
		host_server_say(h, answer, sizeof(answer));
}

/* ---- channels that outlive the connection ---- */

static void say_to(struct host *h, const uint8_t *answer, uint32_t size, uint32_t vp, uint32_t sint)
{
	struct host_message message = {
		.size = size, .payload_size = size, .slot_type = 1, .cpu = vp, .sint = sint, .due = shim_now(),
	};

	memcpy(message.bytes, answer, size);
	if (h->answers)
		host_slots_send(h, &message);
}

void host_channel_open_reserved(struct host *h, const uint8_t *m)
{
	struct host_channel *ch = find_to_open(h, get32(m + 8));
	uint8_t answer[20] = { 0 };
	bool open;

	if (!ch)
		return;
	ch->target_vp = ALL_ONES;
	ch->ring_handle = get32(m + 20);
	ch->downstream = get32(m + 24);
	open = start_channel(ch, ring_memory(h, ch->ring_handle, ch->relid, ch->downstream));
	put(answer, HOST_OPEN_RESULT, 4);
	put(answer + 8, ch->relid, 4);
	put(answer + 16, open ? 0 : STATUS_UNSUCCESSFUL, 4);
	say_to(h, answer, sizeof(answer), get32(m + 12), get32(m + 16));
}

void host_channel_close_reserved(struct host *h, const uint8_t *m)
{
	struct host_channel *ch = host_find(h, get32(m + 8));
	uint8_t answer[12] = { 0 };

	if (!ch || ch->state != HOST_OPENED || ch->target_vp != ALL_ONES) {
		host_error(h, "close of relid %u, which is no reserved channel", get32(m + 8));
		return;
	}
	host_channel_shut(ch);
	put(answer, HOST_CLOSE_RESERVED_RESPONSE, 4);
	put(answer + 8, ch->relid, 4);
	say_to(h, answer, sizeof(answer), get32(m + 12), get32(m + 16));
}
