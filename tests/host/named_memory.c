// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory the guest has named: put together from a header and bodies, checked as OpenVMM
 * checks it, and also for what no host needs to check: that the guest shows these pages, and that
 * nothing of its own is left in them.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define HEADER 20		/* bytes in front of the range data */
#define BODY 16

struct host_gpadl *host_gpadl_find(struct host *h, uint32_t handle)
{
	struct host_gpadl *g;

	for (g = h->gpadls; g && g->handle != handle; g = g->next)
		;
	return g;
}

static void unlink_gpadl(struct host *h, struct host_gpadl *g)
{
	struct host_gpadl **link = &h->gpadls;

	while (*link != g)
		link = &(*link)->next;
	*link = g->next;
	if (g->complete)
		h->gpadl_bytes -= (uint64_t)g->pages * FRAME;
	free(g->gfns);
	free(g->data);
	free(g);
}

void host_gpadl_release_all(struct host *h, uint32_t relid)
{
	struct host_gpadl *g, *next;

	for (g = h->gpadls; g; g = next) {
		next = g->next;
		if (!relid || g->relid == relid)
			unlink_gpadl(h, g);
	}
}

static void say_created(struct host *h, uint32_t relid, uint32_t handle, uint32_t status)
{
	uint8_t m[20] = { 0 };

	put(m, HOST_GPADL_CREATED, 4);
	put(m + 8, relid, 4);
	put(m + 12, handle, 4);
	put(m + 16, status, 4);
	host_server_say(h, m, sizeof(m));
}

static void refuse(struct host *h, struct host_gpadl *g)
{
	h->refused_handle = g->handle;
	say_created(h, g->relid, g->handle, STATUS_UNSUCCESSFUL);
	unlink_gpadl(h, g);
}

void host_gpadl_fail_unfinished(struct host *h, uint32_t relid)
{
	struct host_gpadl *g, *next;

	for (g = h->gpadls; g; g = next) {
		next = g->next;
		if (g->relid == relid && !g->complete)
			refuse(h, g);
	}
}

/* ---- what was named ---- */

/* The ranges one behind the other; false: they do not fill what was announced. */
static bool take_ranges(struct host *h, struct host_gpadl *g)
{
	uint32_t at = 0, range, i, count;

	for (range = 0; range < g->range_count && at < g->words; range++) {
		uint32_t bytes = (uint32_t)g->data[at], offset = (uint32_t)(g->data[at] >> 32);

		at++;
		count = (uint32_t)(((uint64_t)offset + bytes + FRAME - 1) / FRAME);
		if (!bytes || offset >= FRAME || count > g->words - at) {
			host_error(h, "range %u of GPADL %#x: %u bytes from %u", range, g->handle, bytes, offset);
			return false;
		}
		if (range == 0) {
			g->byte_count = bytes;
			g->byte_offset = offset;
		}
		for (i = 0; i < count; i++)
			g->gfns[g->pages++] = g->data[at++];
	}
	if (at != g->words || range != g->range_count)
		host_error(h, "GPADL %#x has %u words for %u ranges", g->handle, g->words, g->range_count);
	return at == g->words && range == g->range_count;
}

static bool is_private(const struct host *h, uint32_t relid)
{
	const struct host_channel *ch = &h->channels[relid];

	return h->granted & FEATURE_CONFIDENTIAL && ch->device && ch->device->flags & FLAG_PRIVATE_RING;
}

#define LOOKED_FOR 4096		/* pages; more would take too long */

static bool named_twice(const struct host *h, const struct host_gpadl *but, uint64_t gfn)
{
	const struct host_gpadl *g;
	uint32_t i;

	if (h->gpadl_bytes / FRAME + but->pages > LOOKED_FOR)
		return false;
	for (g = h->gpadls; g; g = g->next) {
		for (i = 0; i < g->pages; i++) {
			if (g != but && g->gfns[i] == gfn)
				return true;
		}
	}
	return false;
}

/*
 * Nothing a host would mind; but an honest guest shows all of it, cleared, and only once. One that has heard of
 * a rescind meanwhile may have taken it back.
 */
static void look_at_pages(struct host *h, const struct host_gpadl *g)
{
	bool private = is_private(h, g->relid);
	uint32_t i;

	if (h->channels[g->relid].state == HOST_RESCINDED)
		return;
	for (i = 0; i < g->pages; i++) {
		if (!host_page_visible(private, g->gfns[i])) {
			host_error(h, "page %u of GPADL %#x is not shared", i, g->handle);
			return;
		}
		if (named_twice(h, g, g->gfns[i]))
			host_error(h, "page %u of GPADL %#x is of another one too", i, g->handle);
	}
	if (!host_pages_clear(private, g->gfns, g->pages))
		host_error(h, "GPADL %#x is not cleared", g->handle);
}

static void finish(struct host *h, struct host_gpadl *g)
{
	g->gfns = host_need(calloc(g->words + 1, sizeof(*g->gfns)));
	if (!take_ranges(h, g))
		return refuse(h, g);
	look_at_pages(h, g);
	if (h->gpadl_bytes + (uint64_t)g->pages * FRAME > h->gpadl_bytes_max)
		return refuse(h, g);
	g->complete = true;
	h->gpadl_bytes += (uint64_t)g->pages * FRAME;
	say_created(h, g->relid, g->handle, 0);
}

/* Range data of a header or body; what is too much has to be padding. */
static void take_words(struct host *h, struct host_gpadl *g, const uint8_t *p, uint32_t size)
{
	for (; size >= 8 && g->words < g->words_wanted; p += 8, size -= 8)
		g->data[g->words++] = get(p, 8);
	if (any_set(p, size))
		host_error(h, "GPADL %#x has more data than it says", g->handle);
	if (g->words == g->words_wanted)
		finish(h, g);
}

/* ---- messages ---- */

static struct host_gpadl *new_gpadl(struct host *h, const uint8_t *m)
{
	struct host_gpadl *g = host_need(calloc(1, sizeof(*g)));

	g->relid = get32(m + 8);
	g->handle = get32(m + 12);
	g->words_wanted = get16(m + 16) / 8;
	g->range_count = get16(m + 18);
	g->pages_wanted = g->words_wanted - g->range_count;
	g->data = host_need(calloc(g->words_wanted + 1, sizeof(*g->data)));
	g->next = h->gpadls;
	h->gpadls = g;
	return g;
}

void host_gpadl_header(struct host *h, const uint8_t *m, uint32_t size)
{
	uint32_t relid = get32(m + 8), handle = get32(m + 12), bytes = get16(m + 16), ranges = get16(m + 18);
	struct host_channel *ch = host_find(h, relid);

	if (!ch || ch->state == HOST_WAITING || !handle || host_gpadl_find(h, handle)) {
		host_error(h, "GPADL %#x for relid %u: %s", handle, relid, ch ? "in use, or 0" : "not offered");
		h->refused_handle = handle;
		return say_created(h, relid, handle, STATUS_UNSUCCESSFUL);
	}
	if (!ranges || bytes % 8 || bytes / 8 < 2 * ranges) {
		host_error(h, "GPADL %#x: %u bytes for %u ranges", handle, bytes, ranges);
		h->refused_handle = handle;
		return say_created(h, relid, handle, STATUS_UNSUCCESSFUL);
	}
	take_words(h, new_gpadl(h, m), m + HEADER, size - HEADER);
}

void host_gpadl_body(struct host *h, const uint8_t *m, uint32_t size)
{
	uint32_t handle = get32(m + 12);
	struct host_gpadl *g = host_gpadl_find(h, handle);

	if (get32(m + 8))
		host_error(h, "a body of GPADL %#x has a number", handle);
	if (g && !g->complete)
		take_words(h, g, m + BODY, size - BODY);
	else if (handle != h->refused_handle)
		host_error(h, "a body of GPADL %#x, which is not begun", handle);
}

void host_gpadl_teardown(struct host *h, const uint8_t *m)
{
	uint32_t relid = get32(m + 8), handle = get32(m + 12);
	struct host_gpadl *g = host_gpadl_find(h, handle);
	uint8_t answer[12] = { 0 };

	if (!g || !g->complete || g->relid != relid) {
		host_error(h, "teardown of GPADL %#x of relid %u, which is not there", handle, relid);
		return;
	}
	if (h->channels[relid].ring == g) {
		host_error(h, "teardown of the rings of relid %u, which is open", relid);
		return;
	}
	unlink_gpadl(h, g);
	put(answer, HOST_GPADL_TORNDOWN, 4);
	put(answer + 8, handle, 4);
	host_server_say(h, answer, sizeof(answer));
}
