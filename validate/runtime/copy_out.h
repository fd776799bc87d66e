/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one way a message leaves memory the host can write: copied to private memory, each
 * byte fetched exactly once. Nothing may look at the original before or after.
 */
#ifndef AIRLOCK_COPY_OUT_H
#define AIRLOCK_COPY_OUT_H

#include <linux/types.h>

/* Memory of the host: not to be dereferenced, which sparse makes sure of. */
#ifdef __CHECKER__
#define __host __attribute__((noderef, address_space(__host)))
#ifndef __force
#define __force __attribute__((force))
#endif
#else
#define __host
#ifndef __force
#define __force
#endif
#endif

/* Eight bytes at any address, of whatever type they were written. */
typedef u64 __attribute__((__may_alias__, __aligned__(1))) wire_word;

/**
 * wire_copy_out - fetch a message from host memory, once
 * @to: private memory, @size bytes
 * @from: host memory, @size bytes, at any alignment; the host may write it meanwhile
 * @size: bytes
 *
 * What is copied may be a mixture of several things the host wrote: it is one message
 * all the same, since nobody reads it twice. Any context.
 */
static inline void wire_copy_out(u8 *to, const volatile u8 __host *from, u32 size)
{
	const volatile u8 *host = (const volatile u8 __force *)from;	/* the only place that may */
	u32 at = 0;

	for (; size - at >= sizeof(wire_word); at += sizeof(wire_word))
		*(wire_word *)(to + at) = *(const volatile wire_word *)(host + at);
	for (; at < size; at++)
		to[at] = host[at];
}

#endif
