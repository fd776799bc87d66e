/* SPDX-License-Identifier: GPL-2.0-only */
/* The smaller and the larger of two, which must be of one type. */
#ifndef AIRLOCK_SHIM_MINMAX_H
#define AIRLOCK_SHIM_MINMAX_H

#define SHIM_CHOOSE(type_a, a, op, type_b, b) ({                                              \
	type_a shim_a = (a);                                                                  \
	type_b shim_b = (b);                                                                  \
	(void)(&shim_a == &shim_b);                                                           \
	shim_a op shim_b ? shim_a : shim_b;                                                   \
})
#define min(a, b) SHIM_CHOOSE(__typeof__(a), a, <, __typeof__(b), b)
#define max(a, b) SHIM_CHOOSE(__typeof__(a), a, >, __typeof__(b), b)
#define min_t(type, a, b) SHIM_CHOOSE(type, a, <, type, b)
#define max_t(type, a, b) SHIM_CHOOSE(type, a, >, type, b)
#define min3(a, b, c) min(min(a, b), c)
#define max3(a, b, c) max(max(a, b), c)
#define clamp(value, low, high) min(max(value, low), high)
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#define swap(a, b) do {                                                                       \
	__typeof__(a) shim_swap = (a);                                                        \
	(a) = (b);                                                                            \
	(b) = shim_swap;                                                                      \
} while (0)

#endif
