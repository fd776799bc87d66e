/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers of two. */
#ifndef AIRLOCK_SHIM_LOG2_H
#define AIRLOCK_SHIM_LOG2_H

#include <linux/bitops.h>
#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* Of n > 0, rounded down. */
#define ilog2(n) (fls64(n) - 1)
#define roundup_pow_of_two(n) (1UL << fls64((n) - 1UL))

#endif
