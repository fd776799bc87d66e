// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start and end, time, the log. What the rest of the shim needs to know of how it runs.
 */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/processor.h>
#include <linux/sched.h>

#include "internal.h"

#define BUG_STATUS 97

bool shim_threads;
u64 shim_runs;
bool shim_panicked;
bool shim_verbose;
uint64_t shim_log_lines;

static unsigned int cpus_online = 1;
static u64 real_start;
static u64 longest_wait;

/* ---- mistakes ---- */

/* In one piece: other processes may write there too. */
void shim_bug(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fflush(NULL);
	dprintf(STDERR_FILENO, "shim: %s\n", text);
	_exit(BUG_STATUS);
}

void shim_bug_at(const char *what, const char *file, int line)
{
	shim_bug("%s:%d: %s", file, line, what);
}

/* ---- start and end ---- */

static u64 real_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

void shim_start(bool threads, unsigned int cpus)
{
	if (!cpus || cpus > SHIM_CPUS)
		shim_bug("%u processors", cpus);
	shim_threads = threads;
	cpus_online = cpus;
	shim_runs++;
	real_start = real_us();
	longest_wait = 0;
	shim_panicked = false;
	shim_log_lines = 0;
	shim_fail_allocations(0, 0);
	shim_set_context(NULL);
	*shim_context() = (struct shim_context) { .kind = SHIM_TASK };
	shim_fibers_start();
	shim_works_start();
	shim_cpus_start(cpus);
}

void shim_stop(void)
{
	shim_cpus_stop();
	shim_works_stop();
	shim_fibers_stop();
	if (shim_context()->held_count)
		shim_bug("lock %s is still held at the end", shim_context()->held[0].class->name);
}

unsigned int num_online_cpus(void)
{
	return cpus_online;
}

/* ---- time ---- */

u64 shim_us(void)
{
	return shim_threads ? real_us() - real_start : shim_fiber_us();
}

uint64_t shim_now(void)
{
	return shim_us() / 1000;
}

unsigned long shim_jiffies(void)
{
	shim_step();
	return INITIAL_JIFFIES + shim_now();
}

u64 shim_after_ticks(unsigned long ticks)
{
	return ticks > MAX_JIFFY_OFFSET / 1000 ? SHIM_NEVER : shim_us() + (u64)ticks * 1000;
}

void shim_note_wait(u64 us)
{
	u64 longest = __atomic_load_n(&longest_wait, __ATOMIC_RELAXED);

	while (us > longest)
		if (__atomic_compare_exchange_n(&longest_wait, &longest, us, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
}

uint64_t shim_waited(void)
{
	return DIV_ROUND_UP(__atomic_load_n(&longest_wait, __ATOMIC_RELAXED), 1000);
}

/* Tests of what others do; what is awaited often has a condition variable of its own. */
static bool poll_wait(bool (*met)(void *argument), void *argument, u64 deadline_us)
{
	while (!met || !met(argument)) {
		if (shim_us() >= deadline_us)
			return false;
		usleep(50);
	}
	return true;
}

bool shim_wait(bool (*met)(void *argument), void *argument, u64 deadline_us, const char *what)
{
	u64 start = shim_us();
	bool done;

	done = shim_threads ? poll_wait(met, argument, deadline_us) :
			      shim_fiber_wait(met, argument, deadline_us, what);
	shim_note_wait(shim_us() - start);
	return done;
}

static bool all_idle(void *argument)
{
	(void)argument;
	return shim_cpus_idle() && shim_works_idle() && shim_cpus_idle();
}

void shim_run(uint64_t ms)
{
	shim_may_sleep("shim_run()");
	if (shim_threads) {
		if (ms)
			poll_wait(NULL, NULL, shim_us() + ms * 1000);
		else
			poll_wait(all_idle, NULL, SHIM_NEVER);
		return;
	}
	if (ms)
		shim_fiber_wait(NULL, NULL, shim_us() + ms * 1000, "shim_run()");
	shim_fiber_run_until_idle();
}

void msleep(unsigned int ms)
{
	shim_may_sleep("msleep()");
	shim_wait(NULL, NULL, shim_us() + (u64)ms * 1000, "msleep()");
}

void usleep_range(unsigned long least_us, unsigned long most_us)
{
	shim_may_sleep("usleep_range()");
	if (least_us > most_us)
		shim_bug("usleep_range(%lu, %lu)", least_us, most_us);
	shim_wait(NULL, NULL, shim_us() + least_us, "usleep_range()");
}

void udelay(unsigned long us)
{
	if (shim_threads)
		usleep((useconds_t)us);
	else
		shim_pass_time(us);
}

void cpu_relax(void)
{
	shim_step();
	if (shim_threads)
		sched_yield();
}

int cond_resched(void)
{
	shim_may_sleep("cond_resched()");
	cpu_relax();
	return 0;
}

/* ---- log ---- */

static void print(const char *format, va_list arguments)
{
	char line[512];

	if (format[0] == '\001')
		format += 2;
	vsnprintf(line, sizeof(line), format, arguments);
	if (shim_verbose)
		fprintf(stderr, "[%8llu] %s", (unsigned long long)shim_now(), line);
}

int printk(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
	__atomic_fetch_add(&shim_log_lines, 1, __ATOMIC_RELAXED);
	return 0;
}

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
	if (shim_verbose)
		fputc('\n', stderr);
	__atomic_store_n(&shim_panicked, true, __ATOMIC_RELAXED);
}

void ratelimit_state_init(struct ratelimit_state *state, int interval, int burst)
{
	*state = (struct ratelimit_state) { .interval = interval, .burst = burst, .run = shim_runs };
}

/* Counts may be off by a few among threads; that they race is no news to ThreadSanitizer. */
int __ratelimit(struct ratelimit_state *state)
{
	u64 now = shim_us() / 1000;

	if (READ_ONCE(state->run) != shim_runs || now - READ_ONCE(state->begin) >= (u64)state->interval) {
		WRITE_ONCE(state->run, shim_runs);
		WRITE_ONCE(state->begin, now);
		WRITE_ONCE(state->printed, 0);
	}
	return __atomic_fetch_add(&state->printed, 1, __ATOMIC_RELAXED) < state->burst;
}
