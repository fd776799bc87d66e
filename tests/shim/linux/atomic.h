/* SPDX-License-Identifier: GPL-2.0-only */
/* Atomic integers and words, by the compiler's built-ins. What returns a value is a full barrier. */
#ifndef AIRLOCK_SHIM_ATOMIC_H
#define AIRLOCK_SHIM_ATOMIC_H

#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/types.h>

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define ATOMIC_INIT(value) { (value) }
#define ATOMIC64_INIT(value) { (value) }

#define xchg(p, value) ({                                                                     \
	__typeof__(p) shim_xchg_p = (p);                                                      \
	__atomic_exchange_n(shim_xchg_p, (value), __ATOMIC_SEQ_CST);                          \
})
#define cmpxchg(p, from, to) ({                                                               \
	__typeof__(p) shim_cmpxchg_p = (p);                                                   \
	__typeof__(*shim_cmpxchg_p + 0) shim_cmpxchg_from = (from);                           \
	__atomic_compare_exchange_n(shim_cmpxchg_p, &shim_cmpxchg_from, (to), false,          \
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                      \
	shim_cmpxchg_from;                                                                    \
})
#define sync_cmpxchg(p, from, to) cmpxchg(p, from, to)
#define try_cmpxchg(p, from, to)                                                              \
	__atomic_compare_exchange_n(p, from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define SHIM_ATOMICS(atomic, type, integer)                                                   \
static inline integer atomic##_read(const type *v)                                            \
{                                                                                             \
	return READ_ONCE(v->counter);                                                         \
}                                                                                             \
static inline integer atomic##_read_acquire(const type *v)                                    \
{                                                                                             \
	return smp_load_acquire(&v->counter);                                                 \
}                                                                                             \
static inline void atomic##_set(type *v, integer value)                                       \
{                                                                                             \
	WRITE_ONCE(v->counter, value);                                                        \
}                                                                                             \
static inline void atomic##_set_release(type *v, integer value)                               \
{                                                                                             \
	smp_store_release(&v->counter, value);                                                \
}                                                                                             \
static inline integer atomic##_xchg(type *v, integer value)                                   \
{                                                                                             \
	return xchg(&v->counter, value);                                                      \
}                                                                                             \
static inline integer atomic##_cmpxchg(type *v, integer from, integer to)                     \
{                                                                                             \
	return cmpxchg(&v->counter, from, to);                                                \
}                                                                                             \
static inline integer atomic##_add_return(integer by, type *v)                                \
{                                                                                             \
	return __atomic_add_fetch(&v->counter, by, __ATOMIC_SEQ_CST);                         \
}                                                                                             \
static inline integer atomic##_sub_return(integer by, type *v)                                \
{                                                                                             \
	return __atomic_sub_fetch(&v->counter, by, __ATOMIC_SEQ_CST);                         \
}                                                                                             \
static inline integer atomic##_fetch_add(integer by, type *v)                                 \
{                                                                                             \
	return __atomic_fetch_add(&v->counter, by, __ATOMIC_SEQ_CST);                         \
}                                                                                             \
static inline integer atomic##_fetch_or(integer bits, type *v)                                \
{                                                                                             \
	return __atomic_fetch_or(&v->counter, bits, __ATOMIC_SEQ_CST);                        \
}                                                                                             \
static inline integer atomic##_fetch_and(integer bits, type *v)                               \
{                                                                                             \
	return __atomic_fetch_and(&v->counter, bits, __ATOMIC_SEQ_CST);                       \
}                                                                                             \
static inline void atomic##_add(integer by, type *v)                                          \
{                                                                                             \
	__atomic_fetch_add(&v->counter, by, __ATOMIC_RELAXED);                                \
}                                                                                             \
static inline void atomic##_sub(integer by, type *v)                                          \
{                                                                                             \
	__atomic_fetch_sub(&v->counter, by, __ATOMIC_RELAXED);                                \
}                                                                                             \
static inline void atomic##_or(integer bits, type *v)                                         \
{                                                                                             \
	__atomic_fetch_or(&v->counter, bits, __ATOMIC_SEQ_CST);                               \
}                                                                                             \
static inline void atomic##_and(integer bits, type *v)                                        \
{                                                                                             \
	__atomic_fetch_and(&v->counter, bits, __ATOMIC_SEQ_CST);                              \
}                                                                                             \
static inline void atomic##_inc(type *v)                                                      \
{                                                                                             \
	atomic##_add(1, v);                                                                   \
}                                                                                             \
static inline void atomic##_dec(type *v)                                                      \
{                                                                                             \
	atomic##_sub(1, v);                                                                   \
}                                                                                             \
static inline integer atomic##_inc_return(type *v)                                            \
{                                                                                             \
	return atomic##_add_return(1, v);                                                     \
}                                                                                             \
static inline integer atomic##_dec_return(type *v)                                            \
{                                                                                             \
	return atomic##_sub_return(1, v);                                                     \
}                                                                                             \
static inline bool atomic##_dec_and_test(type *v)                                             \
{                                                                                             \
	return atomic##_dec_return(v) == 0;                                                   \
}                                                                                             \
static inline bool atomic##_add_unless(type *v, integer by, integer unless)                   \
{                                                                                             \
	integer now = atomic##_read(v);                                                       \
											      \
	while (now != unless)                                                                 \
		if (try_cmpxchg(&v->counter, &now, now + by))                                 \
			return true;                                                          \
	return false;                                                                         \
}                                                                                             \
static inline bool atomic##_inc_not_zero(type *v)                                             \
{                                                                                             \
	return atomic##_add_unless(v, 1, 0);                                                  \
}

SHIM_ATOMICS(atomic, atomic_t, int)
SHIM_ATOMICS(atomic64, atomic64_t, s64)
#undef SHIM_ATOMICS

#endif
