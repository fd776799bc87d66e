/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the kernel's, by the C library's allocator. Not cleared, it is full of what
 * must not leave (sim_secret); all of it is counted, with the function that asked for it.
 */
#ifndef AIRLOCK_SHIM_SLAB_H
#define AIRLOCK_SHIM_SLAB_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/types.h>

/* @large: memory that need not be contiguous. */
void *shim_alloc(size_t count, size_t size, gfp_t flags, bool large, const char *function)
	__attribute__((malloc, warn_unused_result));
void *shim_memdup(const void *from, size_t size, gfp_t flags, const char *function)
	__attribute__((malloc, warn_unused_result));

void kfree(const void *p);
void kvfree(const void *p);
void kfree_sensitive(const void *p);

#define kmalloc(size, flags) shim_alloc(1, size, flags, false, __func__)
#define kzalloc(size, flags) shim_alloc(1, size, (flags) | __GFP_ZERO, false, __func__)
#define kmalloc_array(count, size, flags) shim_alloc(count, size, flags, false, __func__)
#define kcalloc(count, size, flags) shim_alloc(count, size, (flags) | __GFP_ZERO, false, __func__)
#define kvmalloc(size, flags) shim_alloc(1, size, flags, true, __func__)
#define kvzalloc(size, flags) shim_alloc(1, size, (flags) | __GFP_ZERO, true, __func__)
#define kvmalloc_array(count, size, flags) shim_alloc(count, size, flags, true, __func__)
#define kvcalloc(count, size, flags) shim_alloc(count, size, (flags) | __GFP_ZERO, true, __func__)
#define kmemdup(from, size, flags) shim_memdup(from, size, flags, __func__)

#endif
