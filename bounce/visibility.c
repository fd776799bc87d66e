// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a run of pages. Only what has come back to be private is ever freed; after
 * any doubt the run is leaked, and stays out of use until the guest ends.
 */
#include <linux/errno.h>

#include "visibility.h"

/**
 * run_alloc() - get private pages that lie side by side
 * @v: how pages change sides
 * @run: empty; filled in on success
 * @pages: how many, up to the back end's max_run
 *
 * Context: may sleep.
 * Return: 0, -EINVAL for a size that cannot be, -ENOMEM.
 */
int run_alloc(struct visibility *v, struct page_run *run, u32 pages)
{
	if (!pages || pages > v->ops->max_run)
		return -EINVAL;
	run->at = v->ops->alloc(v, pages);
	if (!run->at)
		return -ENOMEM;
	run->pages = pages;
	run->state = RUN_PRIVATE;
	return 0;
}

/* A change of sides that failed half-way: nobody knows what the host sees now (C-214). */
static int run_failed(struct visibility *v, struct page_run *run, int error)
{
	atomic_inc(&v->failures);
	run_leak(v, run);
	return error < 0 ? error : -EIO;
}

/**
 * run_share() - show pages to the host
 * @v: how pages change sides
 * @run: private
 *
 * What the pages hold afterwards is not defined. On failure they are leaked.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if the run is not private, else what the back end says.
 */
int run_share(struct visibility *v, struct page_run *run)
{
	int error;

	if (!run->at || run->state != RUN_PRIVATE)
		return -EINVAL;
	run->state = RUN_SHARING;
	atomic_inc(&v->changes);
	error = v->ops->share(v, run->at, run->pages);
	if (error)
		return run_failed(v, run, error);
	run->state = RUN_SHARED;
	atomic_add(run->pages, &v->shared);
	return 0;
}

/**
 * run_revoke() - take pages back from the host
 * @v: how pages change sides
 * @run: shared, and no longer mapped
 *
 * Success is what an isolated guest's secrets rest on, not what the host says. What the pages
 * hold then is the host's last word, not to be trusted. On failure they are leaked.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if the run is not shared, else what the back end says.
 */
int run_revoke(struct visibility *v, struct page_run *run)
{
	int error;

	if (!run->at || run->state != RUN_SHARED)
		return -EINVAL;
	run->state = RUN_REVOKING;
	atomic_sub(run->pages, &v->shared);
	atomic_inc(&v->changes);
	error = v->ops->revoke(v, run->at, run->pages);
	if (error)
		return run_failed(v, run, error);
	run->state = RUN_PRIVATE;
	return 0;
}

/**
 * run_leak() - give pages up for good
 * @v: how pages change sides
 * @run: in any state; nothing happens if it has no pages, or is leaked already
 *
 * Context: any.
 */
void run_leak(struct visibility *v, struct page_run *run)
{
	if (!run->at || run->state == RUN_LEAKED)
		return;
	if (run->state == RUN_SHARED)
		atomic_sub(run->pages, &v->shared);
	run->state = RUN_LEAKED;
	atomic_add(run->pages, &v->leaked);
}

/**
 * run_free() - free pages, if they are private
 * @v: how pages change sides
 * @run: empty afterwards; nothing happens if it is already
 *
 * Pages in any other state are leaked instead, and counted.
 *
 * Context: may sleep.
 */
void run_free(struct visibility *v, struct page_run *run)
{
	if (run->at && run->state == RUN_PRIVATE)
		v->ops->free(v, run->at, run->pages);
	else
		run_leak(v, run);
	*run = (struct page_run){ 0 };
}
