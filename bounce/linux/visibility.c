// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the kernel, and the kernel's own way to show them to the host or take them back.
 * It makes the hypercalls and accepts the pages; here is only what it is asked to do.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "guest.h"

#define RUN_PAGES 512	/* a large page of the kernel's mapping: sharing splits it anyway */

/* Large runs are welcome but not worth waiting for: there are always smaller ones. */
static void *pages_alloc(struct visibility *v, u32 pages)
{
	gfp_t flags = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;

	return alloc_pages_exact(pages * PAGE_SIZE, pages > 1 ? flags | __GFP_NORETRY : flags);
}

static void pages_free(struct visibility *v, void *at, u32 pages)
{
	free_pages_exact(at, pages * PAGE_SIZE);
}

static int pages_share(struct visibility *v, void *at, u32 pages)
{
	return set_memory_decrypted((unsigned long)at, pages);
}

static int pages_revoke(struct visibility *v, void *at, u32 pages)
{
	return set_memory_encrypted((unsigned long)at, pages);
}

static int pages_keep(struct visibility *v, void *at, u32 pages)
{
	return 0;
}

static u32 runs_pages(const struct page_run *runs, u32 count)
{
	u32 pages = 0, i;

	for (i = 0; i < count; i++)
		pages += runs[i].pages;
	return pages;
}

static void runs_list(const struct page_run *runs, u32 count, struct page **list)
{
	u32 i, page;

	for (i = 0; i < count; i++)
		for (page = 0; page < runs[i].pages; page++)
			*list++ = virt_to_page(runs[i].at + page * PAGE_SIZE);
}

static u8 __host *runs_map(const struct page_run *runs, u32 count, bool private)
{
	u32 pages = runs_pages(runs, count);
	struct page **list = kvmalloc_array(pages, sizeof(*list), GFP_KERNEL);
	void *at;

	if (!list)
		return NULL;
	runs_list(runs, count, list);
	at = private ? vmap(list, pages, VM_MAP, PAGE_KERNEL) : compat_map_shared(list, pages);
	kvfree(list);
	return (u8 __host *)(unsigned long)at;
}

static u8 __host *pages_map(struct visibility *v, const struct page_run *runs, u32 count,
			    bool private)
{
	return runs_map(runs, count, private);
}

/* Where nothing is encrypted, one run is mapped already. */
static u8 __host *plain_map(struct visibility *v, const struct page_run *runs, u32 count,
			    bool private)
{
	if (count == 1)
		return (u8 __host *)(unsigned long)runs[0].at;
	return runs_map(runs, count, true);
}

static void pages_unmap(struct visibility *v, u8 __host *at)
{
	void *mapped = host_address(at);

	if (is_vmalloc_addr(mapped))
		vunmap(mapped);
}

/* Without the bit of the shared-memory boundary: hosts take either, and this one is always true. */
static u64 pages_gfn(struct visibility *v, const void *at)
{
	return page_to_pfn(virt_to_page(at));
}

const struct visibility_ops visibility_plain = {
	.name = "plain",
	.open = true,
	.max_run = RUN_PAGES,
	.alloc = pages_alloc,
	.free = pages_free,
	.share = pages_keep,
	.revoke = pages_keep,
	.map = plain_map,
	.unmap = pages_unmap,
	.gfn = pages_gfn,
};

#define ENCRYPTED_GUEST(guest)		\
	{				\
		.name = guest,		\
		.max_run = RUN_PAGES,	\
		.alloc = pages_alloc,	\
		.free = pages_free,	\
		.share = pages_share,	\
		.revoke = pages_revoke,	\
		.map = pages_map,	\
		.unmap = pages_unmap,	\
		.gfn = pages_gfn,	\
	}

const struct visibility_ops visibility_vbs = ENCRYPTED_GUEST("vbs");
const struct visibility_ops visibility_sev_snp = ENCRYPTED_GUEST("sev-snp");
const struct visibility_ops visibility_tdx = ENCRYPTED_GUEST("tdx");
