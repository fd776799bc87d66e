/* SPDX-License-Identifier: GPL-2.0-only */
/* So many of something in a while. */
#ifndef AIRLOCK_SHIM_RATELIMIT_H
#define AIRLOCK_SHIM_RATELIMIT_H

#include <linux/param.h>
#include <linux/types.h>

#define DEFAULT_RATELIMIT_INTERVAL (5 * HZ)
#define DEFAULT_RATELIMIT_BURST 10

struct ratelimit_state {
	int interval, burst;		/* jiffies; how many in one interval */
	u64 run;			/* of the shim, in which this was begun: statics outlive it */
	u64 begin;			/* ms */
	int printed;
};

#define DEFINE_RATELIMIT_STATE(name, every, most)                                             \
	struct ratelimit_state name = { .interval = (every), .burst = (most) }

void ratelimit_state_init(struct ratelimit_state *state, int interval, int burst);
/* 0: too many. */
int __ratelimit(struct ratelimit_state *state);

#endif
