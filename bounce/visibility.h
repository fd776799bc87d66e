/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages the host can see, and the one rule about them: a page whose return to
 * privacy is not proven is never used again. It is leaked, and counted.
 *
 *	private -> sharing -> shared -> revoking -> private
 *	              \______________________\----> leaked
 */
#ifndef AIRLOCK_VISIBILITY_H
#define AIRLOCK_VISIBILITY_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "access.h"

enum run_state { RUN_PRIVATE, RUN_SHARING, RUN_SHARED, RUN_REVOKING, RUN_LEAKED };

/* Pages that lie side by side in guest memory and change their state together. */
struct page_run {
	void *at;
	u32 pages;
	enum run_state state;
};

struct visibility;

/**
 * struct visibility_ops - how pages change sides: plain, SEV-SNP, TDX, or a simulator of one
 * @name: for people
 * @open: the host can reach private pages too (an ordinary guest), so that a revocation proves
 *	nothing about memory the host has not given back
 * @max_run: the most pages of one run
 * @alloc: private pages, zeroed, page-aligned; NULL if there are none. May sleep
 * @free: private pages only
 * @share: shows pages to the host. 0, or -errno: then nobody knows which of them it sees.
 *	What the pages hold afterwards is not defined. May sleep
 * @revoke: the reverse, with the same uncertainty
 * @map: one linear mapping of shared (@private: of private) runs; NULL if there is no room
 * @unmap: undoes @map
 * @gfn: the number by which the host knows a page, in units of 4096 bytes
 */
struct visibility_ops {
	const char *name;
	bool open;
	u32 max_run;
	void *(*alloc)(struct visibility *v, u32 pages);
	void (*free)(struct visibility *v, void *at, u32 pages);
	int (*share)(struct visibility *v, void *at, u32 pages);
	int (*revoke)(struct visibility *v, void *at, u32 pages);
	u8 __host *(*map)(struct visibility *v, const struct page_run *runs, u32 count,
			  bool private);
	void (*unmap)(struct visibility *v, u8 __host *at);
	u64 (*gfn)(struct visibility *v, const void *at);
};

/* Counts are of pages, since the guest started. */
struct visibility {
	const struct visibility_ops *ops;
	atomic_t shared;		/* now */
	atomic_t leaked;
	atomic_t changes;		/* of runs: share and revoke calls */
	atomic_t failures;		/* of share and revoke */
};

int __must_check run_alloc(struct visibility *v, struct page_run *run, u32 pages);
int __must_check run_share(struct visibility *v, struct page_run *run);
int __must_check run_revoke(struct visibility *v, struct page_run *run);
void run_leak(struct visibility *v, struct page_run *run);
void run_free(struct visibility *v, struct page_run *run);

#endif
