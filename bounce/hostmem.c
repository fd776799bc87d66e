// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory from its allocation to its end, made of runs because large pieces of
 * memory are rare. Whatever fails on the way, what has been shared is taken back or leaked,
 * and what has not is freed.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hostmem.h"

#define HOSTMEM_PAGES_MAX (1U << 19)	/* 2 GiB: more is a mistake */

/* Halves the runs until they can be had. Pages are cleared before the host may see them: not
 * every kind of guest has hardware that does so. */
static int hostmem_alloc(struct hostmem *m)
{
	u32 step = m->visibility->ops->max_run, left = m->pages;
	struct page_run *run;
	int error;

	while (left) {
		run = &m->runs[m->run_count];
		step = min(step, left);
		error = run_alloc(m->visibility, run, step);
		if (error && step == 1)
			return error;
		if (error) {
			step /= 2;
			continue;
		}
		memset(run->at, 0, step * PAGE_SIZE);
		m->run_count++;
		left -= step;
	}
	return 0;
}

static int hostmem_share(struct hostmem *m)
{
	int error;
	u32 i;

	for (i = 0; i < m->run_count && !m->private; i++) {
		error = run_share(m->visibility, &m->runs[i]);
		if (error)
			return error;
	}
	return 0;
}

static int hostmem_build(struct hostmem *m)
{
	int error;

	m->runs = kvcalloc(m->pages, sizeof(*m->runs), GFP_KERNEL);
	if (!m->runs)
		return -ENOMEM;
	error = hostmem_alloc(m);
	if (error)
		return error;
	error = hostmem_share(m);
	if (error)
		return error;
	m->at = m->visibility->ops->map(m->visibility, m->runs, m->run_count, m->private);
	return m->at ? 0 : -ENOMEM;
}

/**
 * hostmem_create() - make memory that guest and host share
 * @m: anything; filled in on success, zeroed on failure
 * @v: how pages change sides
 * @pages: how many, of 4096 bytes
 * @private: of a confidential channel: everything is the same, but the host is not shown it
 *
 * The memory is cleared after it was shared, too: a change of sides may have filled it with
 * anything, and its address must not be told before.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM, or why pages could not be shared.
 */
int hostmem_create(struct hostmem *m, struct visibility *v, u32 pages, bool private)
{
	int error;

	BUILD_BUG_ON(PAGE_SIZE != 4096);	/* a page of the host's is one of ours */
	*m = (struct hostmem){ .visibility = v, .pages = pages, .private = private };
	error = pages && pages <= HOSTMEM_PAGES_MAX ? hostmem_build(m) : -EINVAL;
	if (error)
		hostmem_destroy(m, true);	/* the host has not been told of it */
	else
		hostmem_clear(m);
	return error;
}
EXPORT_SYMBOL_GPL(hostmem_create);

/* What the host may still write is not used again. Revoking is proof that it cannot, but not in a
 * guest where it can reach private pages; of a private page nothing can be revoked. */
static void hostmem_retire(struct hostmem *m, struct page_run *run, bool given_back)
{
	struct visibility *v = m->visibility;

	if (!given_back && (m->private || v->ops->open))
		run_leak(v, run);
	if (run->state == RUN_SHARED && run_revoke(v, run))
		return;
	if (run->state == RUN_PRIVATE)
		memset(run->at, 0, run->pages * PAGE_SIZE);	/* the host's last words */
	run_free(v, run);
}

/**
 * hostmem_destroy() - take the memory back and free it, or leak it
 * @m: made by hostmem_create(), or zeroed; zeroed afterwards. Nobody uses it any more
 * @given_back: the host was never told of it, or has said that it is done with it
 *
 * Context: may sleep.
 */
void hostmem_destroy(struct hostmem *m, bool given_back)
{
	u32 i;

	/* First the mapping: no page may be private and mapped as a shared one. */
	if (m->at)
		m->visibility->ops->unmap(m->visibility, m->at);
	for (i = 0; i < m->run_count; i++)
		hostmem_retire(m, &m->runs[i], given_back);
	kvfree(m->runs);
	*m = (struct hostmem){ 0 };
}
EXPORT_SYMBOL_GPL(hostmem_destroy);

/**
 * hostmem_gfn() - by which number the host knows a page
 * @m: the memory
 * @page: counted from its start
 *
 * Context: any.
 * Return: the number, in units of 4096 bytes; 0 if there is no such page.
 */
u64 hostmem_gfn(const struct hostmem *m, u32 page)
{
	struct visibility *v = m->visibility;
	const struct page_run *run;
	u32 i;

	for (i = 0; i < m->run_count; i++) {
		run = &m->runs[i];
		if (page < run->pages)
			return v->ops->gfn(v, (const u8 *)run->at + page * PAGE_SIZE);
		page -= run->pages;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(hostmem_gfn);

/**
 * hostmem_clear() - fill all of it with zeros
 * @m: the memory
 *
 * Context: any.
 */
void hostmem_clear(struct hostmem *m)
{
	u32 page;

	for (page = 0; page < m->pages; page++)
		host_clear(m->at + page * PAGE_SIZE, PAGE_SIZE);
}
