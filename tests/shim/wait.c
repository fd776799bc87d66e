// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions. Among threads each has a mutex and a condition variable of its own, so that
 * nothing else is ordered by them that would not be in a kernel.
 */
#include <limits.h>
#include <time.h>

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include "internal.h"

void init_completion(struct completion *x)
{
	x->magic = SHIM_COMPLETION;
	x->done = 0;
	pthread_mutex_init(&x->mutex, NULL);
	pthread_cond_init(&x->changed, NULL);
}

static void lock(struct completion *x, const char *what)
{
	if (x->magic != SHIM_COMPLETION)
		shim_bug("%s of a completion that was never initialised", what);
	if (shim_threads)
		pthread_mutex_lock(&x->mutex);
}

static void unlock(struct completion *x)
{
	if (shim_threads)
		pthread_mutex_unlock(&x->mutex);
}

void reinit_completion(struct completion *x)
{
	lock(x, "reinit_completion()");
	x->done = 0;
	unlock(x);
}

void complete(struct completion *x)
{
	lock(x, "complete()");
	if (x->done != UINT_MAX)
		x->done++;
	if (shim_threads)
		pthread_cond_signal(&x->changed);
	unlock(x);
}

void complete_all(struct completion *x)
{
	lock(x, "complete_all()");
	x->done = UINT_MAX;
	if (shim_threads)
		pthread_cond_broadcast(&x->changed);
	unlock(x);
}

bool completion_done(struct completion *x)
{
	bool done;

	lock(x, "completion_done()");
	done = x->done;
	unlock(x);
	return done;
}

/* With the lock. */
static bool take(struct completion *x)
{
	if (!x->done)
		return false;
	if (x->done != UINT_MAX)
		x->done--;
	return true;
}

bool try_wait_for_completion(struct completion *x)
{
	bool taken;

	lock(x, "try_wait_for_completion()");
	taken = take(x);
	unlock(x);
	return taken;
}

void wait_for_completion(struct completion *x)
{
	(void)x;
	shim_bug("wait_for_completion(): a wait without a deadline");
}

static bool is_done(void *argument)
{
	struct completion *x = argument;

	return take(x);
}

static bool wait_in_thread(struct completion *x, unsigned long ticks)
{
	struct timespec deadline;
	bool taken;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	ticks = min(ticks, 1000000000UL);
	deadline.tv_sec += (time_t)(ticks / 1000);
	deadline.tv_nsec += (long)(ticks % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	lock(x, "wait_for_completion_timeout()");
	while (!x->done)
		if (pthread_cond_clockwait(&x->changed, &x->mutex, CLOCK_MONOTONIC, &deadline))
			break;
	taken = take(x);
	unlock(x);
	return taken;
}

unsigned long wait_for_completion_timeout(struct completion *x, unsigned long ticks)
{
	u64 start = shim_us(), deadline = shim_after_ticks(ticks);
	bool taken;

	shim_may_sleep("wait_for_completion_timeout()");
	if (deadline == SHIM_NEVER)
		shim_bug("wait_for_completion_timeout(): %lu ticks are no deadline", ticks);
	lock(x, "wait_for_completion_timeout()");
	unlock(x);
	if (shim_threads)
		taken = wait_in_thread(x, ticks);
	else
		taken = shim_wait(is_done, x, deadline, "wait_for_completion_timeout()");
	shim_note_wait(shim_us() - start);
	if (!taken)
		return 0;
	return max(1UL, (unsigned long)((deadline - min(deadline, shim_us())) / 1000));
}
