/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's names for integers, in user space: what generated and portable kernel C
 * needs of linux/types.h. 64 bits are the C library's type, not unsigned long long, so
 * that these names may meet the compiler's in one program.
 */
#ifndef AIRLOCK_SHIM_TYPES_H
#define AIRLOCK_SHIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The C library's own headers want the kernel's user space header of this name. */
#if __has_include_next(<linux/types.h>)
#include_next <linux/types.h>
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* The compiler's part of the kernel defines it for everyone. */
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif

#endif
