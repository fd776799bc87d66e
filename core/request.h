/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transaction ids of one channel. An id is a slot and a generation, never an address: the
 * low 16 bits are slot + 1, above them a count of how often the slot was used. An id is
 * good for one completion, from the moment its packet is published.
 */
#ifndef AIRLOCK_REQUEST_H
#define AIRLOCK_REQUEST_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define REQUESTS_MAX 0xffff

enum request_state { REQUEST_FREE, REQUEST_RESERVED, REQUEST_IN_FLIGHT, REQUEST_TAKEN };

struct request_slot {
	u64 id;			/* current, or last */
	enum request_state state;
	void *owner;
	u16 next_free;
};

struct request_table {
	spinlock_t lock;
	struct request_slot *slots;
	u32 count;
	u16 first_free;		/* slot + 1; 0: none */
	u16 last_free;		/* the same: the longest free is used first, so that a late answer finds it free */
	u32 in_flight;		/* reserved ones too */
	u32 next_reclaim;	/* where to look next */
};

int __must_check request_table_create(struct request_table *t, u32 count);
void request_table_destroy(struct request_table *t);
u64 __must_check request_reserve(struct request_table *t, void *owner);	/* 0: the table is full */
void request_publish(struct request_table *t, u64 id);
/* 0 and the owner: this completion is the one. Else the CORE_RULE_COMPLETION_* it breaks. */
int __must_check request_take(struct request_table *t, u64 id, void **owner);
/* After it was taken, or when it was never published. */
void request_release(struct request_table *t, u64 id);
/* Once the channel is closed: the next request still in flight, taken; NULL: none is left. */
void *request_reclaim(struct request_table *t, u64 *id);

#endif
