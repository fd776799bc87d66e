/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A piece of memory that guest and host share: rings, bounce pools, SynIC pages. It is
 * cleared before the host is told of it and before anyone else gets its pages.
 */
#ifndef AIRLOCK_HOSTMEM_H
#define AIRLOCK_HOSTMEM_H

#include "visibility.h"

struct hostmem {
	struct visibility *visibility;
	struct page_run *runs;
	u32 run_count;
	u32 pages;
	bool private;		/* of a confidential channel: never shown to the host */
	u8 __host *at;		/* linear; NULL when there is none */
};

int __must_check hostmem_create(struct hostmem *m, struct visibility *v, u32 pages, bool private);
void hostmem_destroy(struct hostmem *m, bool given_back);
u64 hostmem_gfn(const struct hostmem *m, u32 page);
void hostmem_clear(struct hostmem *m);

#endif
