// SPDX-License-Identifier: GPL-2.0-only
/*
 * How messages and events reach the guest: what is due goes into the slot of its processor
 * once that is free, in order; a flag says that more waits, and then the end of the message must be
 * told. Event flags are set, and interrupt only when they were not set before.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "shim.h"

#define SLOT 256u
#define SLOT_HEAD 16u
#define VMBUS_SINT 2u
#define SLOT_PENDING 1u

/* ---- the queue ---- */

void host_post_raw(struct host *h, const struct host_message *m)
{
	host_lock(h);
	if (h->queued == h->queue_room) {
		h->queue_room = h->queue_room ? 2 * h->queue_room : 16;
		h->queue = host_need(realloc(h->queue, h->queue_room * sizeof(*h->queue)));
	}
	h->queue[h->queued++] = *m;
	h->messages_out++;
	host_unlock(h);
}

static void make_message(struct host *h, struct host_message *m, const void *bytes, uint32_t size)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->bytes, bytes, size);
	m->size = size;
	m->payload_size = size;
	m->slot_type = 1;
	m->cpu = h->target_vp;
	m->due = h->paused ? HOST_PAUSED : shim_now();
}

void host_post(struct host *h, const void *message, uint32_t size)
{
	struct host_message m;

	host_lock(h);
	make_message(h, &m, message, size);
	host_post_raw(h, &m);
	host_unlock(h);
}

static bool may_leave(struct host *h, struct host_message *m)
{
	if (h->hooks.outgoing && !h->hooks.outgoing(h, h->hooks.argument, m))
		return false;
	return !h->script_hooks.outgoing || h->script_hooks.outgoing(h, h->script_hooks.argument, m);
}

void host_slots_send(struct host *h, struct host_message *m)
{
	if (may_leave(h, m))
		host_post_raw(h, m);
}

void host_server_say(struct host *h, const uint8_t *message, uint32_t size)
{
	struct host_message m;

	if (!h->answers)
		return;
	make_message(h, &m, message, size);
	host_slots_send(h, &m);
}

/* ---- the slots ---- */

static uint8_t *slot_of(struct host *h, const struct host_message *m)
{
	uint32_t sint = m->sint ? m->sint : VMBUS_SINT;

	if (m->cpu >= h->cpus || m->cpu >= HOST_CPUS || !h->synic[m->cpu].enabled || sint > 15)
		return NULL;
	return host_page(h->trusted, h->synic[m->cpu].slots, sint * SLOT, SLOT);
}

static uint32_t slot_type(const uint8_t *slot)
{
	return __atomic_load_n((const uint32_t *)slot, __ATOMIC_ACQUIRE);
}

static bool another_waits(const struct host *h, uint32_t but, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < h->queued; i++) {
		if (i != but && h->queue[i].cpu == h->queue[but].cpu && h->queue[i].due <= now)
			return true;
	}
	return false;
}

static void write_slot(struct host *h, uint8_t *slot, const struct host_message *m, bool more)
{
	uint8_t head[SLOT_HEAD - 4] = { (uint8_t)m->payload_size, m->flags };

	if (more)
		head[1] |= SLOT_PENDING;
	h->synic[m->cpu].waiting = head[1] & SLOT_PENDING;
	put(head + 4, 0x20 + m->cpu, 8);		/* a port, of no use to anyone */
	host_shared_write(slot + 4, head, sizeof(head));
	host_shared_write(slot + SLOT_HEAD, m->bytes, m->size);
	__atomic_store_n((uint32_t *)slot, m->slot_type, __ATOMIC_RELEASE);
	host_interrupt(h, m->cpu, false);
	h->synic[m->cpu].delivered++;
	h->delivered++;
}

/*
 * The slot is taken: asks for an end of message. The guest may have freed it before it could see
 * that, and then nothing will come: look again.
 */
static bool must_wait(struct host *h, uint8_t *slot, uint32_t cpu)
{
	if (slot_type(slot) == 0)
		return h->synic[cpu].waiting;
	if (h->synic[cpu].waiting)
		return true;
	__atomic_fetch_or(slot + 5, SLOT_PENDING, __ATOMIC_SEQ_CST);
	h->synic[cpu].waiting = slot_type(slot) != 0;
	return h->synic[cpu].waiting;
}

static void remove_message(struct host *h, uint32_t i)
{
	memmove(h->queue + i, h->queue + i + 1, (h->queued - i - 1) * sizeof(*h->queue));
	h->queued--;
}

/* One message; those behind it that go to the same slot have to wait for it. */
static bool deliver_one(struct host *h, uint32_t i, uint64_t now)
{
	struct host_message m = h->queue[i];
	uint8_t *slot = slot_of(h, &m);

	if (slot && must_wait(h, slot, m.cpu))
		return false;
	if (slot)
		write_slot(h, slot, &m, another_waits(h, i, now));
	remove_message(h, i);		/* a slot that is not there loses it */
	return true;
}

bool host_slots_deliver(struct host *h)
{
	bool done[HOST_CPUS] = { false };
	uint64_t now = shim_now();
	bool any = false;
	uint32_t i = 0;

	while (i < h->queued) {
		uint32_t cpu = h->queue[i].cpu % HOST_CPUS;

		if (h->queue[i].due > now || done[cpu]) {
			i++;
			continue;
		}
		done[cpu] = true;
		if (deliver_one(h, i, now))
			any = true;
		else
			i++;
	}
	return any;
}

uint64_t host_slots_next(const struct host *h)
{
	uint64_t next = UINT64_MAX, now = shim_now();
	uint32_t i;

	for (i = 0; i < h->queued; i++) {
		if (h->queue[i].due > now && h->queue[i].due < HOST_PAUSED && h->queue[i].due < next)
			next = h->queue[i].due;
	}
	return next;
}

void host_hear_eom(struct host *h, uint32_t cpu)
{
	host_lock(h);
	if (cpu < HOST_CPUS) {
		if (h->synic[cpu].waiting)
			h->eom = true;
		else
			h->needless_eoms++;
		h->synic[cpu].waiting = false;
	}
	host_unlock(h);
}

/* ---- events ---- */

void host_set_event(struct host *h, uint32_t cpu, uint32_t bit)
{
	uint32_t old, *word;

	host_lock(h);
	if (cpu < h->cpus && cpu < HOST_CPUS && h->synic[cpu].enabled && bit < 8 * SLOT) {
		word = (uint32_t *)host_page(h->trusted, h->synic[cpu].flags,
					       VMBUS_SINT * SLOT + bit / 32 * 4, 4);
		old = __atomic_fetch_or(word, 1u << bit % 32, __ATOMIC_SEQ_CST);
		if (!(old >> bit % 32 & 1))
			host_interrupt(h, cpu, true);
	}
	host_unlock(h);
}
