/* SPDX-License-Identifier: GPL-2.0-only */
/* Ordering of memory accesses, by the compiler's atomic built-ins. */
#ifndef AIRLOCK_SHIM_BARRIER_H
#define AIRLOCK_SHIM_BARRIER_H

#include <linux/compiler.h>

#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, value) __atomic_store_n(p, value, __ATOMIC_RELEASE)
#define smp_store_mb(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

#define mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb() mb()
#define smp_rmb() rmb()
#define smp_wmb() wmb()
#define virt_mb() mb()
#define virt_rmb() rmb()
#define virt_wmb() wmb()
#define virt_load_acquire(p) smp_load_acquire(p)
#define virt_store_release(p, value) smp_store_release(p, value)
#define dma_rmb() rmb()
#define dma_wmb() wmb()
#define smp_mb__before_atomic() mb()
#define smp_mb__after_atomic() mb()

#endif
