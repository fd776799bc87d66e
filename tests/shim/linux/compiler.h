/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's words for the compiler, and loads and stores that happen once. They are
 * the compiler's atomic built-ins, so that ThreadSanitizer understands them.
 */
#ifndef AIRLOCK_SHIM_COMPILER_H
#define AIRLOCK_SHIM_COMPILER_H

#include <linux/types.h>

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)

#define barrier() __asm__ __volatile__("" : : : "memory")
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define data_race(x) (x)
#define OPTIMIZER_HIDE_VAR(x) __asm__("" : "=r"(x) : "0"(x))

/* The C library has some of these, with the same meaning. */
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#ifndef noinline
#define noinline __attribute__((__noinline__))
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#define __packed __attribute__((__packed__))
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#define __printf(format, first) __attribute__((__format__(printf, format, first)))
/* What races on purpose. */
#define __no_kcsan __attribute__((no_sanitize("thread")))
#define __maybe_unused __attribute__((__unused__))
#define __always_unused __attribute__((__unused__))
#ifndef __cold
#define __cold __attribute__((__cold__))
#endif
#define __force
#define __user
#define __iomem
#ifndef __rcu
#define __rcu
#endif
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)

#endif
