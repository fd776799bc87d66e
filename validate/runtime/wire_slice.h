/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Byte ranges inside a private copy: what builders and rules about overlap do with them.
 */
#ifndef AIRLOCK_WIRE_SLICE_H
#define AIRLOCK_WIRE_SLICE_H

#include <linux/string.h>

#include "wire.h"

/*@ requires \valid(a) && \valid(b) && \separated(a, b);
    requires a->size == 0 || b->size == 0 || \base_addr(a->data) == \base_addr(b->data);
    terminates \true;
    assigns \nothing;
    ensures \result != 0 <==>
	a->size != 0 && b->size != 0 && a->data < b->data + b->size && b->data < a->data + a->size;
 */
/* Whether two ranges of one message have a byte in common. */
static inline bool wire_overlap(const struct wire_slice *a, const struct wire_slice *b)
{
	return a->size && b->size && a->data < b->data + b->size && b->data < a->data + a->size;
}

/* Copies a range out of private memory; there is room, the caller has looked. */
static inline void wire_put(u8 *to, const struct wire_slice *from)
{
	if (from->size)
		memcpy(to, from->data, from->size);
}

#endif
