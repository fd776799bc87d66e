/* SPDX-License-Identifier: GPL-2.0-only */
/* The size of a page, also to the host. */
#ifndef AIRLOCK_SHIM_PAGE_H
#define AIRLOCK_SHIM_PAGE_H

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#endif
