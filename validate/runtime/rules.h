/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tools know of a rule; the tables are generated (P_tables.c) and indexed by the number a
 * validator returns. Not for the kernel: there, a rule is its number and its id.
 */
#ifndef AIRLOCK_RULES_H
#define AIRLOCK_RULES_H

#include <linux/types.h>

struct rule_name {
	u32 id;			/* the same in every build */
	const char *name;	/* protocol.owner.field.kind */
	const char *class;	/* layout, request or session */
	u32 line;		/* of the specification */
};

#endif
