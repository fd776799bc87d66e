/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spin locks as cheap as the kernel's, one atomic instruction to take and a store to release: the
 * test shim's check every rule there is, and would be all that is measured.
 */
#ifndef AIRLOCK_BENCH_SPINLOCK_H
#define AIRLOCK_BENCH_SPINLOCK_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>

typedef struct spinlock {
	int held;
} spinlock_t;

static inline void spin_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		;
}

static inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = 0;
}

static inline int spin_is_locked(spinlock_t *lock)
{
	return __atomic_load_n(&lock->held, __ATOMIC_RELAXED);
}

#define spin_lock_irqsave(lock, flags) do { (flags) = 0; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) do { (void)(flags); spin_unlock(lock); } while (0)

#endif
