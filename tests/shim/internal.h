/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the shim know of each other. Kernel C never sees this.
 *
 * shim.c: start, stop, time, log.  fiber.c: the deterministic way to run.  context.c, lock.c:
 * what may be done where.  wait.c, interrupt.c, work.c: what runs, and who waits for it.
 */
#ifndef AIRLOCK_SHIM_INTERNAL_H
#define AIRLOCK_SHIM_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/lockdep.h>
#include <linux/types.h>

#include "shim.h"

#define SHIM_CPUS 64
#define SHIM_HELD 16
#define SHIM_NEVER UINT64_MAX

/* ---- contexts ---- */

enum shim_kind { SHIM_TASK, SHIM_SOFTIRQ, SHIM_HARDIRQ, SHIM_WORLD };

struct shim_held {
	const void *lock;
	struct shim_lock_class *class;
	u32 way;			/* enum shim_lock_way */
	bool irqs_were_off;
};

struct shim_worker;

/* What runs: a task, or what has interrupted it. */
struct shim_context {
	enum shim_kind kind;
	unsigned int cpu;
	unsigned int atomic;		/* spin locks held, and preempt_disable() */
	unsigned int bh_off;
	bool irqs_off;
	struct shim_held held[SHIM_HELD];
	unsigned int held_count;
	struct shim_context *outer;	/* was interrupted */
	struct shim_worker *worker;	/* whose task this is; NULL: a test's own */
};

struct shim_context *shim_context(void);
/* NULL: the thread's own. */
void shim_set_context(struct shim_context *context);
void shim_enter(struct shim_context *context, enum shim_kind kind, unsigned int cpu);
void shim_leave(struct shim_context *context, const char *what);
bool shim_can_sleep(const struct shim_context *context);
/* shim_bug() where sleeping is not allowed. */
void shim_may_sleep(const char *what);
/* Whether @context, or what it has interrupted, holds a lock in a piece of memory. */
bool shim_holds_within(const struct shim_context *context, const void *at, size_t size);

static inline bool shim_is_within(const void *p, const void *at, size_t size)
{
	return (uintptr_t)p - (uintptr_t)at < size;
}

/*
 * Works and their queues as locks that are held while a work runs: who waits for one with a lock
 * held that it wants may wait for ever, and is found out though it did not happen.
 */
void shim_hold(const void *what, struct shim_lock_class *class);
void shim_let_go(const void *what);
void shim_check_order(struct shim_lock_class *class);

/* Flags of interrupts, told from what was never saved. */
#define SHIM_FLAGS(irqs_off) (0x5a7ed000UL | (unsigned long)(irqs_off))

/* ---- time, and waits ---- */

extern bool shim_threads;
extern u64 shim_runs;			/* how often shim_start() was called */

u64 shim_us(void);			/* since the start */
u64 shim_after_ticks(unsigned long ticks);	/* us; SHIM_NEVER if it is too far */
void shim_note_wait(u64 us);
/* Something happened, or was asked, without time moving. Too much of it is a livelock. */
void shim_step(void);

/*
 * Lets everything else run until @met (may be NULL: never) or the deadline. Returns whether
 * it was met. @what: for people.
 */
bool shim_wait(bool (*met)(void *argument), void *argument, u64 deadline_us, const char *what);

/* ---- deterministic ---- */

void shim_fibers_start(void);
void shim_fibers_stop(void);
bool shim_fiber_wait(bool (*met)(void *argument), void *argument, u64 deadline_us, const char *what);
void shim_fiber_run_until_idle(void);
void shim_pass_time(u64 us);		/* nothing else runs meanwhile */
u64 shim_fiber_us(void);
/* Whether any task waits for, or holds, what is in a piece of memory; says what. */
const char *shim_fibers_within(const void *at, size_t size);

/* ---- interrupts ---- */

void shim_cpus_start(unsigned int cpus);
void shim_cpus_stop(void);
bool shim_run_interrupt(void);		/* false: there is none */
bool shim_run_tasklet(void);
bool shim_cpus_idle(void);
bool shim_tasklet_within(const void *at, size_t size);

/* ---- works ---- */

void shim_works_start(void);
void shim_works_stop(void);
bool shim_fire_timers(void);		/* false: none is due */
u64 shim_next_timer(void);
bool shim_works_idle(void);
bool shim_work_within(const void *at, size_t size);
bool shim_work_is_due(void);
/* @worker gets the next work that may run. */
void shim_take_work(struct shim_worker *worker);
void shim_run_work(struct shim_worker *worker);

struct shim_worker {
	struct shim_worker *next;
	struct work_struct *work;	/* that runs; not to be looked into: it may free itself */
	void (*func)(struct work_struct *work);
	struct shim_lock_class *class;
	struct workqueue_struct *queue;
	u64 turn;
	pthread_t thread;
};

void shim_worker_add(struct shim_worker *worker);

/* ---- memory ---- */

void shim_fill_with_secret(u8 *to, size_t size);

#endif
