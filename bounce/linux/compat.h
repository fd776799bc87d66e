/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions, and nothing else: the only place that may ask which
 * version this is.
 */
#ifndef AIRLOCK_LINUX_COMPAT_H
#define AIRLOCK_LINUX_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <asm/mshyperv.h>

/* What functions of a bus are given has become constant, one argument after another. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
typedef const struct device_driver compat_driver;	/* match() */
#else
typedef struct device_driver compat_driver;
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef const struct device compat_device;		/* uevent() */
#else
typedef struct device compat_device;
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
typedef const struct bus_type compat_bus;		/* show() of its attributes */
#else
typedef struct bus_type compat_bus;
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
static inline void *compat_map_shared(struct page **pages, u32 count)
{
	return vmap(pages, count, VM_MAP, pgprot_decrypted(PAGE_KERNEL));
}
#else
/* With a paravisor, shared pages lie above the boundary, where there are no page structures. */
static inline void *compat_map_above(struct page **pages, u32 count, u64 boundary)
{
	unsigned long *pfns = kvmalloc_array(count, sizeof(*pfns), GFP_KERNEL);
	void *at;
	u32 i;

	if (!pfns)
		return NULL;
	for (i = 0; i < count; i++)
		pfns[i] = page_to_pfn(pages[i]) + (boundary >> PAGE_SHIFT);
	at = vmap_pfn(pfns, count, PAGE_KERNEL);
	kvfree(pfns);
	return at;
}

static inline void *compat_map_shared(struct page **pages, u32 count)
{
	if (ms_hyperv.shared_gpa_boundary)
		return compat_map_above(pages, count, ms_hyperv.shared_gpa_boundary);
	return vmap(pages, count, VM_MAP, pgprot_decrypted(PAGE_KERNEL));
}
#endif

#endif
