/* SPDX-License-Identifier: GPL-2.0-only */
/* Division of 64 bits, which some processors need help with. */
#ifndef AIRLOCK_SHIM_MATH64_H
#define AIRLOCK_SHIM_MATH64_H

#include <linux/types.h>

static inline u64 div_u64(u64 n, u32 by)
{
	return n / by;
}

static inline u64 div64_u64(u64 n, u64 by)
{
	return n / by;
}

#endif
