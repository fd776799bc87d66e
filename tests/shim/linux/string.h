/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's memory functions, in user space: the C library's have the same contracts. */
#ifndef AIRLOCK_SHIM_STRING_H
#define AIRLOCK_SHIM_STRING_H

#include <string.h>

#include <linux/errno.h>
#include <linux/types.h>

/* Not to be optimised away. */
static inline void memzero_explicit(void *p, size_t size)
{
	volatile u8 *at = p;

	for (; size; size--)
		*at++ = 0;
}

/* The first byte that is not @byte, or NULL. */
static inline void *memchr_inv(const void *p, int byte, size_t size)
{
	const u8 *at = p;

	for (; size; at++, size--)
		if (*at != (u8)byte)
			return (void *)(unsigned long)at;
	return NULL;
}

#endif
