/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasklets: functions that run soon in softirq context, each on one processor at a time. */
#ifndef AIRLOCK_SHIM_INTERRUPT_H
#define AIRLOCK_SHIM_INTERRUPT_H

/* The kernel's brings as much, and more. */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/types.h>

#define SHIM_TASKLET 0x7a5c1e70

struct tasklet_struct {
	struct tasklet_struct *next;	/* scheduled, of the same processor */
	u32 magic;
	atomic_t scheduled, running;
	atomic_t disabled;		/* how often */
	void (*callback)(struct tasklet_struct *t);
};

void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *t));
void tasklet_schedule(struct tasklet_struct *t);
/* What was scheduled runs once more. Nobody may schedule it meanwhile. May sleep. */
void tasklet_kill(struct tasklet_struct *t);
void tasklet_disable(struct tasklet_struct *t);
void tasklet_disable_nosync(struct tasklet_struct *t);
void tasklet_enable(struct tasklet_struct *t);
bool tasklet_trylock(struct tasklet_struct *t);
void tasklet_unlock(struct tasklet_struct *t);
void tasklet_unlock_wait(struct tasklet_struct *t);

#define tasklet_hi_schedule(t) tasklet_schedule(t)
#define from_tasklet(at, t, member) container_of(t, __typeof__(*(at)), member)

#endif
