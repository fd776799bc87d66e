/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving way. */
#ifndef AIRLOCK_SHIM_SCHED_H
#define AIRLOCK_SHIM_SCHED_H

#if __has_include_next(<linux/sched.h>)
#include_next <linux/sched.h>
#endif

#include <linux/processor.h>

/* May sleep. */
int cond_resched(void);

#endif
