// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the BAR, as memory that can be shown to the host. It is all the host can ever see: what is
 * not in the BAR is private, by construction. Pages of the BAR are used for nothing but sharing, and go
 * back to nobody but this allocator. So the host, which can write a revoked page as well as a shared
 * one, gains nothing by it, and a revocation may count as proof (visibility_ops.open).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "testbed.h"

#define RUN_PAGES 64

static struct testbed *testbed_of(struct visibility *v)
{
	return container_of(v, struct testbed, visibility);
}

static u32 page_number(const struct testbed *t, const void *at)
{
	return (u32)((at - t->at) / PAGE_SIZE);
}

/* The pages freed last are used last: a host that is late with its last words meets nobody there. */
static u32 memory_find(struct testbed *t, u32 pages)
{
	unsigned long first = bitmap_find_next_zero_area(t->used, t->pages, t->next_page, pages, 0);

	if (first >= t->pages)
		first = bitmap_find_next_zero_area(t->used, t->pages, TESTBED_FIRST_PAGE, pages, 0);
	return first < t->pages ? (u32)first : 0;
}

static void *memory_alloc(struct visibility *v, u32 pages)
{
	struct testbed *t = testbed_of(v);
	void *at;
	u32 first;

	mutex_lock(&t->pages_lock);
	first = memory_find(t, pages);
	if (first) {
		bitmap_set(t->used, first, pages);
		t->next_page = first + pages;
	}
	mutex_unlock(&t->pages_lock);
	if (!first)
		return NULL;
	at = t->at + first * PAGE_SIZE;
	memset(at, 0, pages * PAGE_SIZE);
	return at;
}

static void memory_free(struct visibility *v, void *at, u32 pages)
{
	struct testbed *t = testbed_of(v);

	mutex_lock(&t->pages_lock);
	bitmap_clear(t->used, page_number(t, at), pages);
	mutex_unlock(&t->pages_lock);
}

/* The table tells an honest host what we mean a page to be. It is never read here. */
static void memory_mark(struct testbed *t, const void *at, u32 pages, u8 state)
{
	u8 __host *states = testbed_byte(t, TESTBED_PAGE_STATES + page_number(t, at));
	u32 i;

	for (i = 0; i < pages; i++)
		host_store(states + i, &state, 1);
}

static int memory_share(struct visibility *v, void *at, u32 pages)
{
	memory_mark(testbed_of(v), at, pages, TESTBED_PAGE_SHARED);
	return 0;
}

static int memory_revoke(struct visibility *v, void *at, u32 pages)
{
	memory_mark(testbed_of(v), at, pages, TESTBED_PAGE_HIDDEN);
	return 0;
}

static void runs_list(const struct page_run *runs, u32 count, struct page **list)
{
	u32 i, page;

	for (i = 0; i < count; i++)
		for (page = 0; page < runs[i].pages; page++)
			*list++ = virt_to_page(runs[i].at + page * PAGE_SIZE);
}

static void *runs_map(const struct page_run *runs, u32 count)
{
	struct page **list;
	u32 pages = 0, i;
	void *at;

	for (i = 0; i < count; i++)
		pages += runs[i].pages;
	list = kvmalloc_array(pages, sizeof(*list), GFP_KERNEL);
	if (!list)
		return NULL;
	runs_list(runs, count, list);
	at = vmap(list, pages, VM_MAP, PAGE_KERNEL);
	kvfree(list);
	return at;
}

/* One run is mapped already, with the BAR. */
static u8 __host *memory_map(struct visibility *v, const struct page_run *runs, u32 count, bool private)
{
	void *at = count == 1 ? runs[0].at : runs_map(runs, count);

	return (u8 __host *)(unsigned long)at;
}

static void memory_unmap(struct visibility *v, u8 __host *at)
{
	void *mapped = host_address(at);

	if (is_vmalloc_addr(mapped))
		vunmap(mapped);
}

static u64 memory_gfn(struct visibility *v, const void *at)
{
	return page_number(testbed_of(v), at);
}

static const struct visibility_ops memory_ops = {
	.name = "testbed",
	.open = false,
	.max_run = RUN_PAGES,
	.alloc = memory_alloc,
	.free = memory_free,
	.share = memory_share,
	.revoke = memory_revoke,
	.map = memory_map,
	.unmap = memory_unmap,
	.gfn = memory_gfn,
};

void testbed_memory_init(struct testbed *t)
{
	t->visibility.ops = &memory_ops;
	t->next_page = TESTBED_FIRST_PAGE;
	mutex_init(&t->pages_lock);
}

/* Pages that are neither free nor of the ABI's own: once everything is released, the leaked ones. */
u32 testbed_memory_used(struct testbed *t)
{
	u32 used;

	mutex_lock(&t->pages_lock);
	used = bitmap_weight(t->used, t->pages);
	mutex_unlock(&t->pages_lock);
	return used;
}
