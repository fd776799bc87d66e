/* SPDX-License-Identifier: GPL-2.0-only */
/* Single bits, and runs of them. */
#ifndef AIRLOCK_SHIM_BITS_H
#define AIRLOCK_SHIM_BITS_H

#define BITS_PER_BYTE 8
#define BITS_PER_LONG ((int)sizeof(long) * BITS_PER_BYTE)
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low) ((~0ULL << (low)) & (~0ULL >> (63 - (high))))

#endif
