// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of requests of a channel: which are on their way, and whose they are. An id that
 * comes back from the host is looked up, never followed, and is good once. Slots are used again
 * as late as possible, so that a late duplicate meets a newer generation or a free slot.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "request.h"
#include "violation.h"

#define SLOT_MASK 0xffff
#define GENERATION_ONE 0x10000ULL	/* ids of one slot differ by multiples of it */

/* Caller holds the lock. */
static void append_free(struct request_table *t, u32 at)
{
	t->slots[at].state = REQUEST_FREE;
	t->slots[at].next_free = 0;
	if (t->last_free)
		t->slots[t->last_free - 1].next_free = at + 1;
	else
		t->first_free = at + 1;
	t->last_free = at + 1;
}

/**
 * request_table_create() - make room for requests
 * @t: the table
 * @count: the most that can be outstanding at once, 1 to REQUESTS_MAX
 *
 * Context: may sleep; nobody else knows the table yet.
 * Return: 0, -EINVAL for a count out of range, or -ENOMEM.
 */
int request_table_create(struct request_table *t, u32 count)
{
	u32 at;

	if (!count || count > REQUESTS_MAX)
		return -EINVAL;
	*t = (struct request_table){ .count = count };
	spin_lock_init(&t->lock);
	t->slots = kvcalloc(count, sizeof(*t->slots), GFP_KERNEL);
	if (!t->slots) {
		t->count = 0;
		return -ENOMEM;
	}
	for (at = 0; at < count; at++) {
		t->slots[at].id = at + 1;	/* generation 0: never issued */
		append_free(t, at);
	}
	return 0;
}

/**
 * request_table_destroy() - forget all requests
 * @t: the table; the owners of what is still in flight were told before
 *
 * Afterwards the table is full and knows no id. One that was never created, all zeros, has none to forget.
 *
 * Context: may sleep.
 */
void request_table_destroy(struct request_table *t)
{
	struct request_slot *slots = t->slots;
	unsigned long flags;

	if (!slots)
		return;
	spin_lock_irqsave(&t->lock, flags);
	t->slots = NULL;
	t->count = 0;
	t->first_free = 0;
	t->in_flight = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	kvfree(slots);
}

/* The slot with exactly this id, or NULL. Caller holds the lock. */
static struct request_slot *find(struct request_table *t, u64 id)
{
	u32 at = (id & SLOT_MASK) - 1;	/* 0 becomes the largest of all */
	struct request_slot *slot;

	if (at >= t->count)
		return NULL;
	slot = &t->slots[array_index_nospec(at, t->count)];
	return slot->id == id ? slot : NULL;
}

/**
 * request_reserve() - take an id for a request that is about to be sent
 * @t: the table
 * @owner: what request_take() gives back, not NULL
 *
 * The id is not good for anything before request_publish().
 *
 * Context: any.
 * Return: the id; 0 when as many are outstanding as can be.
 */
u64 request_reserve(struct request_table *t, void *owner)
{
	struct request_slot *slot;
	unsigned long flags;
	u64 id = 0;

	if (!owner)
		return 0;
	spin_lock_irqsave(&t->lock, flags);
	if (t->first_free) {
		slot = &t->slots[t->first_free - 1];
		t->first_free = slot->next_free;
		if (!t->first_free)
			t->last_free = 0;
		slot->id += GENERATION_ONE;
		slot->state = REQUEST_RESERVED;
		slot->owner = owner;
		t->in_flight++;
		id = slot->id;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return id;
}
EXPORT_SYMBOL_GPL(request_reserve);

/**
 * request_publish() - from now on the host may answer
 * @t: the table
 * @id: reserved
 *
 * Called right before the host can see the packet: a completion that comes earlier was guessed
 * one that comes at once is in time.
 *
 * Context: any.
 */
void request_publish(struct request_table *t, u64 id)
{
	struct request_slot *slot;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	slot = find(t, id);
	if (slot && slot->state == REQUEST_RESERVED)
		slot->state = REQUEST_IN_FLIGHT;
	spin_unlock_irqrestore(&t->lock, flags);
}
EXPORT_SYMBOL_GPL(request_publish);

/* Which rule an id of the host breaks; 0 if a request is in flight under it. Caller holds the lock. */
static int judge(struct request_table *t, u64 id, struct request_slot **found)
{
	u32 at = (id & SLOT_MASK) - 1;
	struct request_slot *slot;

	if (at >= t->count || id < GENERATION_ONE)
		return CORE_RULE_COMPLETION_UNKNOWN;
	slot = &t->slots[array_index_nospec(at, t->count)];
	if (id > slot->id)
		return CORE_RULE_COMPLETION_UNKNOWN;
	if (id < slot->id)
		return CORE_RULE_COMPLETION_STALE;	/* the slot has moved on */
	if (slot->state == REQUEST_RESERVED)
		return CORE_RULE_COMPLETION_EARLY;
	if (slot->state != REQUEST_IN_FLIGHT)
		return CORE_RULE_COMPLETION_STALE;	/* */
	*found = slot;
	return 0;
}

/**
 * request_take() - match a completion with its request, once
 * @t: the table
 * @id: the transaction id of the completion, whatever the host wrote there
 * @owner: the owner of the request, if it is one
 *
 * Context: any.
 * Return: 0, and the request is to be released by request_release() when it is dealt with; or
 * CORE_RULE_COMPLETION_UNKNOWN: no such id was ever given out, _STALE: it was, and that is over,
 * or _EARLY: its packet has not been published. The table is then as before.
 */
int request_take(struct request_table *t, u64 id, void **owner)
{
	struct request_slot *slot = NULL;
	unsigned long flags;
	int rule;

	spin_lock_irqsave(&t->lock, flags);
	rule = judge(t, id, &slot);
	if (!rule) {
		slot->state = REQUEST_TAKEN;
		*owner = slot->owner;
		t->in_flight--;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return rule;
}
EXPORT_SYMBOL_GPL(request_take);

/**
 * request_release() - the slot may be used again
 * @t: the table
 * @id: taken, or reserved and never published
 *
 * A request in flight stays where it is: the host may still answer it.
 *
 * Context: any.
 */
void request_release(struct request_table *t, u64 id)
{
	struct request_slot *slot;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	slot = find(t, id);
	if (slot && (slot->state == REQUEST_RESERVED || slot->state == REQUEST_TAKEN)) {
		if (slot->state == REQUEST_RESERVED)
			t->in_flight--;
		append_free(t, slot - t->slots);
	}
	spin_unlock_irqrestore(&t->lock, flags);
}
EXPORT_SYMBOL_GPL(request_release);

/**
 * request_reclaim() - take back a request the host will not answer any more
 * @t: the table of a channel that is closed
 * @id: its id, for request_release()
 *
 * Goes round the table, from where the last call stopped: taking back all costs two rounds.
 *
 * Context: any.
 * Return: the owner of a request that was in flight and now is taken; NULL when there is none.
 */
void *request_reclaim(struct request_table *t, u64 *id)
{
	struct request_slot *slot;
	unsigned long flags;
	void *owner = NULL;
	u32 left;

	spin_lock_irqsave(&t->lock, flags);
	for (left = t->in_flight ? t->count : 0; left && !owner; left--) {
		if (t->next_reclaim >= t->count)
			t->next_reclaim = 0;
		slot = &t->slots[t->next_reclaim++];
		if (slot->state != REQUEST_IN_FLIGHT)
			continue;
		slot->state = REQUEST_TAKEN;
		t->in_flight--;
		owner = slot->owner;
		*id = slot->id;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return owner;
}
EXPORT_SYMBOL_GPL(request_reclaim);
