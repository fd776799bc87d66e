// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles of memory, and the messages that name it to the host or end that. What has once
 * been given a handle keeps it until the host has let go; a handle that the host never let
 * go of is never given out again.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "gpadl.h"

#define SLOT_BITS 12
#define SLOT_MASK ((1U << SLOT_BITS) - 1)
#define SLOTS_USED SLOT_MASK			/* slot + 1 has to fit those bits */
#define GENERATION_MASK (0xffffffffU >> SLOT_BITS)

#define GPADL_PAGES_MAX 8190			/* control.spec: pages_max */
#define HEADER_PAGES 26				/* page numbers that fit a header, */
#define BODY_PAGES 28				/* and a body */

/* Stands in a slot whose handle the host may still use; its own handle, 0, is nobody's. */
static struct gpadl gpadl_lost;

/**
 * gpadl_table_init() - start with no handles
 * @t: the connection's
 * @bytes_max: what the host takes of one guest, bytes
 *
 * For each connection anew: with the last one the host forgot its handles. Context: any.
 */
void gpadl_table_init(struct gpadl_table *t, u64 bytes_max)
{
	memset(t, 0, sizeof(*t));
	t->bytes_max = bytes_max;
}

static u64 gpadl_bytes(const struct gpadl *g)
{
	return (u64)g->pages * PAGE_SIZE;
}

/* A free slot, searched from where the last one was found: handles come back late. */
static int gpadl_find_slot(struct gpadl_table *t, u32 *slot)
{
	u32 i;

	for (i = 0; i < SLOTS_USED; i++) {
		*slot = (t->next + i) % SLOTS_USED;
		if (!t->slots[*slot])
			return 0;
	}
	return -ENOSPC;
}

static u32 gpadl_new_handle(struct gpadl_table *t, u32 slot)
{
	t->generations[slot] = (t->generations[slot] + 1) & GENERATION_MASK;
	return t->generations[slot] << SLOT_BITS | (slot + 1);
}

/**
 * gpadl_add() - give memory a handle
 * @t: the connection's handles
 * @g: in no table; all of it is set
 * @memory: what is to be named; not to be destroyed until it is given back
 * @relid: of the channel it belongs to
 *
 * Context: any; the caller serialises.
 * Return: 0; -EINVAL, -EMSGSIZE for memory that no message can name; -ENOSPC beyond the host's
 * limit (C-231) or when all handles are taken.
 */
int gpadl_add(struct gpadl_table *t, struct gpadl *g, const struct hostmem *memory, u32 relid)
{
	u32 slot;

	memset(g, 0, sizeof(*g));
	if (!memory->pages)
		return -EINVAL;
	if (memory->pages > GPADL_PAGES_MAX)
		return -EMSGSIZE;
	g->memory = memory;
	g->pages = memory->pages;
	g->relid = relid;
	if (t->bytes > t->bytes_max || gpadl_bytes(g) > t->bytes_max - t->bytes) {
		t->refused++;
		return -ENOSPC;
	}
	if (gpadl_find_slot(t, &slot))
		return -ENOSPC;
	g->handle = gpadl_new_handle(t, slot);
	session_start(&control_gpadl_table, &g->session.at);
	init_completion(&g->answered);
	t->slots[slot] = g;
	t->next = slot + 1;
	t->bytes += gpadl_bytes(g);
	return 0;
}

/**
 * gpadl_remove() - forget a handle
 * @t: the connection's handles
 * @g: in @t, or never added; then nothing happens
 *
 * If the host has not given the memory back, its handle and its bytes stay taken (C-211).
 *
 * Context: any; the caller serialises.
 */
void gpadl_remove(struct gpadl_table *t, struct gpadl *g)
{
	u32 slot = (g->handle & SLOT_MASK) - 1;

	if (gpadl_find(t, g->handle) != g)
		return;
	if (gpadl_given_back(g)) {
		t->slots[slot] = NULL;
		t->bytes -= gpadl_bytes(g);
	} else {
		t->slots[slot] = &gpadl_lost;
	}
	g->handle = 0;
}

/**
 * gpadl_find() - whose handle it is
 * @t: the connection's handles
 * @handle: any value; the host's, perhaps
 *
 * Context: any; the caller serialises.
 * Return: its owner, or NULL.
 */
struct gpadl *gpadl_find(const struct gpadl_table *t, u32 handle)
{
	u32 slot = (handle & SLOT_MASK) - 1;
	struct gpadl *g;

	if (slot >= SLOTS_USED)
		return NULL;
	g = t->slots[wire_index(slot, SLOTS_USED)];
	return g && handle && g->handle == handle ? g : NULL;
}

/* The numbers of pages @first.., as messages carry them. */
static void gpadl_pfns(const struct gpadl *g, u32 first, u32 count, u8 *pfns)
{
	u32 i;

	for (i = 0; i < count; i++)
		wire_put_le64(pfns + 8 * i, hostmem_gfn(g->memory, first + i));
}

static int gpadl_header(struct gpadl *g, const struct control_context *ctx, u8 *msg, u32 room,
			u32 *size)
{
	u32 count = min_t(u32, g->pages, HEADER_PAGES);
	struct control_message m = { .kind = CONTROL_MSG_GPADL_HEADER };
	u8 pfns[8 * HEADER_PAGES];

	gpadl_pfns(g, 0, count, pfns);
	m.gpadl_header = (struct control_gpadl_header){
		.relid = g->relid,
		.handle = g->handle,
		.range_bytes = 8 + 8 * g->pages,
		.byte_count = g->pages * PAGE_SIZE,
		.pfns = { pfns, 8 * count },
	};
	if (control_build_gpadl_header(msg, room, ctx, &m.gpadl_header, size))
		return -EINVAL;
	if (control_gpadl_send(&g->session, &m))
		return -EPROTO;
	g->sent = count;
	g->result = -EINPROGRESS;
	return 1;
}

static int gpadl_body(struct gpadl *g, const struct control_context *ctx, u8 *msg, u32 room,
		      u32 *size)
{
	u32 left = g->pages - g->sent, count = min_t(u32, left, BODY_PAGES);
	struct control_message m = { .kind = CONTROL_MSG_GPADL_BODY };
	u8 pfns[8 * BODY_PAGES];

	gpadl_pfns(g, g->sent, count, pfns);
	m.gpadl_body = (struct control_gpadl_body){
		.handle = g->handle,
		.pfns = { pfns, 8 * count },
	};
	if (control_build_gpadl_body(msg, room, ctx, &m.gpadl_body, size))
		return -EINVAL;
	if (count == left)
		session_local(&control_gpadl_table, &g->session.at,
			      CONTROL_EVENT_GPADL_LOCAL_LAST_BODY);
	if (control_gpadl_send(&g->session, &m))
		return -EPROTO;
	g->sent += count;
	return 1;
}

/**
 * gpadl_next_part() - the next of the messages that name memory to the host
 * @g: in a table
 * @ctx: of the connection
 * @msg: room for a message
 * @room: bytes of it; 240 are enough
 * @size: bytes of the message
 *
 * The session counts the message as sent, so it must be; if that fails, it may have reached the
 * host all the same, and gpadl_event() with "abandon" is due (C-225, C-302). The host may answer
 * before it has heard everything: then the rest is not to be sent (C-203).
 *
 * Context: any; the caller serialises.
 * Return: 1 with a message, 0 if all were sent, -EINVAL for what cannot be said, else what the
 * host's early answer came to.
 */
int gpadl_next_part(struct gpadl *g, const struct control_context *ctx, u8 *msg, u32 room,
		    u32 *size)
{
	switch (g->session.at.state) {
	case CONTROL_STATE_GPADL_UNUSED:
		if (g->sent)
			break;
		return gpadl_header(g, ctx, msg, room, size);
	case CONTROL_STATE_GPADL_POSTING:
	case CONTROL_STATE_GPADL_LAST:
		return gpadl_body(g, ctx, msg, room, size);
	case CONTROL_STATE_GPADL_CREATING:
	case CONTROL_STATE_GPADL_LIVE:
	case CONTROL_STATE_GPADL_DOUBTFUL:
		return 0;
	}
	return g->result < 0 ? g->result : -EPROTO;
}

/**
 * gpadl_teardown_message() - ask the host to let go of memory
 * @g: live, or doubtful
 * @ctx: of the connection
 * @msg: room for a message
 * @room: bytes of it
 * @size: bytes of the message
 *
 * The session counts the message as sent. If it cannot be, the deadline of its answer takes care
 * of it (C-224).
 *
 * Context: any; the caller serialises.
 * Return: 0, -EINVAL if there is nothing to tear down.
 */
int gpadl_teardown_message(struct gpadl *g, const struct control_context *ctx, u8 *msg, u32 room,
			   u32 *size)
{
	struct control_message m = { .kind = CONTROL_MSG_GPADL_TEARDOWN };

	m.gpadl_teardown.relid = g->relid;
	m.gpadl_teardown.handle = g->handle;
	if (!gpadl_is_live(g))
		return -EINVAL;
	if (control_build_gpadl_teardown(msg, room, ctx, &m.gpadl_teardown, size))
		return -EINVAL;
	if (control_gpadl_send(&g->session, &m))
		return -EPROTO;
	reinit_completion(&g->answered);
	g->result = -EINPROGRESS;
	return 0;
}

/* What an answer that the session took came to, for whoever waits for it. */
static int gpadl_outcome(const struct gpadl *g, const struct control_message *m)
{
	u8 state = g->session.at.state;

	if (m->kind == CONTROL_MSG_GPADL_TORNDOWN || state == CONTROL_STATE_GPADL_LIVE)
		return 0;
	/* Refused; or neither refused nor done, or done before all was named (C-203, C-206). */
	return state == CONTROL_STATE_GPADL_UNUSED ? -EIO : -EPROTO;
}

/**
 * gpadl_receive() - the host answers
 * @t: the connection's handles
 * @m: a valid gpadl_created or gpadl_torndown
 *
 * An answer that nobody waits for, late, repeated or invented, changes nothing and wakes nobody
 * (C-200, C-202, C-207, C-208, C-211).
 *
 * Context: any; the caller serialises.
 * Return: 0, or the number of the control rule it breaks.
 */
int gpadl_receive(struct gpadl_table *t, const struct control_message *m)
{
	struct control_gpadl_session nobody = { 0 };
	struct gpadl *g = NULL;
	u64 handle;
	int rule;

	if (control_gpadl_key(m, &handle))
		g = gpadl_find(t, handle);
	if (!g) {
		/* Nothing was ever asked by that name: the moment is wrong for any answer. */
		session_start(&control_gpadl_table, &nobody.at);
		return control_gpadl_receive(&nobody, m);
	}
	rule = control_gpadl_receive(&g->session, m);
	if (rule)
		return rule;
	g->result = gpadl_outcome(g, m);
	complete(&g->answered);
	return 0;
}

/**
 * gpadl_event() - no answer will come, or none will count
 * @g: in a table
 * @event: a CONTROL_EVENT_GPADL_: a deadline; "abandon" when the channel or the connection is
 *	dead; "connection_gone" only once the host has said that it let go of everything
 * @error: what whoever waits is told, negative
 *
 * Wakes who waits even if the event means nothing to the session.
 *
 * Context: any; the caller serialises.
 */
void gpadl_event(struct gpadl *g, u8 event, int error)
{
	session_local(&control_gpadl_table, &g->session.at, event);
	if (g->result != -EINPROGRESS)
		return;
	g->result = error < 0 ? error : -EIO;
	complete(&g->answered);
}

/**
 * gpadl_is_live() - whether the host knows the memory, or may, and can be asked to let go of it
 * @g: in a table
 *
 * Context: any; the caller serialises.
 * Return: whether a teardown is due.
 */
bool gpadl_is_live(const struct gpadl *g)
{
	return g->session.at.state == CONTROL_STATE_GPADL_LIVE ||
	       g->session.at.state == CONTROL_STATE_GPADL_DOUBTFUL;
}

/**
 * gpadl_given_back() - whether the host has no claim on the memory
 * @g: was in a table, or is zeroed
 *
 * Context: any; the caller serialises.
 * Return: true if it was never named, was refused, or the host has let go of it. As far as its
 * word goes: hostmem_destroy() knows how far that is.
 */
bool gpadl_given_back(const struct gpadl *g)
{
	return g->session.at.state == CONTROL_STATE_GPADL_UNUSED;
}
