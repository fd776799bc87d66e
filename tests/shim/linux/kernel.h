/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What everything needs: arithmetic, arrays, messages. The C library's sys/sysinfo.h wants
 * the user space header of this name.
 */
#ifndef AIRLOCK_SHIM_KERNEL_H
#define AIRLOCK_SHIM_KERNEL_H

#if __has_include_next(<linux/kernel.h>)
#include_next <linux/kernel.h>
#endif

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))

/* Ends the process in atomic context. */
void might_sleep(void);

#endif
