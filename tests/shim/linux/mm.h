/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages. */
#ifndef AIRLOCK_SHIM_MM_H
#define AIRLOCK_SHIM_MM_H

#include <asm/page.h>
#include <linux/math.h>
#include <linux/slab.h>

#define PAGE_ALIGN(n) ALIGN(n, PAGE_SIZE)
#define PAGE_ALIGNED(n) IS_ALIGNED((unsigned long)(n), PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

#endif
