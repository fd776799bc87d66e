/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts of references. Here what a kernel would warn of and survive ends the process. */
#ifndef AIRLOCK_SHIM_REFCOUNT_H
#define AIRLOCK_SHIM_REFCOUNT_H

#include <linux/atomic.h>
#include <linux/bug.h>

typedef struct { atomic_t refs; } refcount_t;

#define REFCOUNT_INIT(n) { .refs = ATOMIC_INIT(n) }

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return (unsigned int)atomic_read(&r->refs);
}

static inline void refcount_inc(refcount_t *r)
{
	WARN_ON(atomic_fetch_add(1, &r->refs) <= 0);
}

static inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	return atomic_inc_not_zero(&r->refs);
}

static inline bool __must_check refcount_dec_and_test(refcount_t *r)
{
	int left = atomic_dec_return(&r->refs);

	WARN_ON(left < 0);
	return left == 0;
}

static inline void refcount_dec(refcount_t *r)
{
	WARN_ON(atomic_dec_return(&r->refs) <= 0);
}

#endif
