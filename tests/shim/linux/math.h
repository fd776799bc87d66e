/* SPDX-License-Identifier: GPL-2.0-only */
/* Quotients and multiples. round_up() and round_down(): to powers of two. */
#ifndef AIRLOCK_SHIM_MATH_H
#define AIRLOCK_SHIM_MATH_H

#define DIV_ROUND_UP(n, by) (((n) + (by) - 1) / (by))
#define roundup(n, by) (DIV_ROUND_UP(n, by) * (by))
#define rounddown(n, by) ((n) - (n) % (by))
#define round_up(n, power) ((((n) - 1) | ((__typeof__(n))((power) - 1))) + 1)
#define round_down(n, power) ((n) & ~((__typeof__(n))((power) - 1)))
#define ALIGN(n, power) round_up(n, power)
#define ALIGN_DOWN(n, power) round_down(n, power)
#define IS_ALIGNED(n, power) (((n) & ((__typeof__(n))(power) - 1)) == 0)

#endif
