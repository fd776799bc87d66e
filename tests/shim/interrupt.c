// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and tasklets. Each processor has a queue of both, interrupts first; among
 * threads it also has a thread that serves them.
 */
#include <unistd.h>

#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/smp.h>

#include "internal.h"

/* Edges: one that is pending and comes again is still one. */
#define PENDING_MAX 256

struct pending {
	void (*handler)(void *argument, unsigned int cpu);
	void *argument;
};

static struct cpu {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct pending pending[PENDING_MAX];
	unsigned int pending_count;
	struct tasklet_struct *tasklets;
	unsigned int serving;		/* things, now */
	pthread_t thread;
	bool stop;
} cpus[SHIM_CPUS];

static unsigned int cpu_count;

static void lock(struct cpu *cpu)
{
	if (shim_threads)
		pthread_mutex_lock(&cpu->mutex);
}

static void unlock(struct cpu *cpu)
{
	if (shim_threads)
		pthread_mutex_unlock(&cpu->mutex);
}

static void wake(struct cpu *cpu)
{
	if (shim_threads)
		pthread_cond_signal(&cpu->changed);
}

/* ---- interrupts ---- */

static bool is_pending(const struct cpu *cpu, const struct pending *p)
{
	unsigned int i;

	for (i = 0; i < cpu->pending_count; i++)
		if (cpu->pending[i].handler == p->handler && cpu->pending[i].argument == p->argument)
			return true;
	return false;
}

void shim_interrupt(unsigned int number, void (*handler)(void *argument, unsigned int cpu), void *argument)
{
	struct pending p = { .handler = handler, .argument = argument };
	struct cpu *cpu = &cpus[number];

	if (number >= cpu_count)
		shim_bug("an interrupt of processor %u, which there is not", number);
	lock(cpu);
	if (!is_pending(cpu, &p)) {
		if (cpu->pending_count == PENDING_MAX)
			shim_bug("more than %d kinds of interrupts are pending", PENDING_MAX);
		cpu->pending[cpu->pending_count++] = p;
		wake(cpu);
	}
	unlock(cpu);
}

static bool take_interrupt(struct cpu *cpu, struct pending *p)
{
	unsigned int i;
	bool any;

	lock(cpu);
	any = cpu->pending_count;
	if (any) {
		*p = cpu->pending[0];
		cpu->pending_count--;
		cpu->serving++;
		for (i = 0; i < cpu->pending_count; i++)
			cpu->pending[i] = cpu->pending[i + 1];
	}
	unlock(cpu);
	return any;
}

static void served(struct cpu *cpu)
{
	lock(cpu);
	cpu->serving--;
	unlock(cpu);
}

static bool serve_interrupt(struct cpu *cpu)
{
	struct shim_context context;
	struct pending p;

	if (!take_interrupt(cpu, &p))
		return false;
	shim_enter(&context, SHIM_HARDIRQ, (unsigned int)(cpu - cpus));
	p.handler(p.argument, (unsigned int)(cpu - cpus));
	shim_leave(&context, "an interrupt handler");
	served(cpu);
	return true;
}

/* ---- tasklets ---- */

static void check(const struct tasklet_struct *t, const char *what)
{
	if (t->magic != SHIM_TASKLET)
		shim_bug("%s of a tasklet that was never set up", what);
}

void tasklet_setup(struct tasklet_struct *t, void (*callback)(struct tasklet_struct *t))
{
	*t = (struct tasklet_struct) { .magic = SHIM_TASKLET, .callback = callback };
}

void tasklet_schedule(struct tasklet_struct *t)
{
	struct cpu *cpu = &cpus[raw_smp_processor_id()];
	struct tasklet_struct **at = &cpu->tasklets;

	check(t, "tasklet_schedule()");
	if (atomic_xchg(&t->scheduled, 1))
		return;
	lock(cpu);
	while (*at)
		at = &(*at)->next;
	t->next = NULL;
	*at = t;
	wake(cpu);
	unlock(cpu);
}

bool tasklet_trylock(struct tasklet_struct *t)
{
	return !atomic_xchg(&t->running, 1);
}

void tasklet_unlock(struct tasklet_struct *t)
{
	if (!atomic_xchg(&t->running, 0))
		shim_bug("tasklet_unlock() of a tasklet that is not locked");
}

/* The first that is not disabled, and does not run elsewhere; locked. */
static struct tasklet_struct *take_tasklet(struct cpu *cpu)
{
	struct tasklet_struct **at, *t;

	lock(cpu);
	for (at = &cpu->tasklets; (t = *at) != NULL; at = &t->next) {
		if (!tasklet_trylock(t))
			continue;
		if (!atomic_read_acquire(&t->disabled))
			break;
		tasklet_unlock(t);
	}
	if (t) {
		*at = t->next;
		cpu->serving++;
	}
	unlock(cpu);
	return t;
}

static bool serve_tasklet(struct cpu *cpu)
{
	struct tasklet_struct *t = take_tasklet(cpu);
	struct shim_context context;

	if (!t)
		return false;
	if (!atomic_xchg(&t->scheduled, 0))
		shim_bug("a tasklet was set up again while it was scheduled");
	shim_enter(&context, SHIM_SOFTIRQ, (unsigned int)(cpu - cpus));
	t->callback(t);
	shim_leave(&context, "a tasklet");
	tasklet_unlock(t);
	served(cpu);
	return true;
}

static bool is_dead(void *argument)
{
	struct tasklet_struct *t = argument;

	return !atomic_read_acquire(&t->scheduled) && !atomic_read_acquire(&t->running);
}

static bool is_not_running(void *argument)
{
	struct tasklet_struct *t = argument;

	return !atomic_read_acquire(&t->running);
}

void tasklet_unlock_wait(struct tasklet_struct *t)
{
	shim_may_sleep("tasklet_unlock_wait()");
	shim_wait(is_not_running, t, SHIM_NEVER, "tasklet_unlock_wait()");
}

void tasklet_kill(struct tasklet_struct *t)
{
	check(t, "tasklet_kill()");
	shim_may_sleep("tasklet_kill()");
	if (atomic_read(&t->scheduled) && atomic_read(&t->disabled))
		shim_bug("tasklet_kill() of a tasklet that is scheduled and disabled, and never runs");
	shim_wait(is_dead, t, SHIM_NEVER, "tasklet_kill()");
}

void tasklet_disable_nosync(struct tasklet_struct *t)
{
	check(t, "tasklet_disable()");
	atomic_inc_return(&t->disabled);
}

void tasklet_disable(struct tasklet_struct *t)
{
	shim_may_sleep("tasklet_disable()");
	tasklet_disable_nosync(t);
	tasklet_unlock_wait(t);
}

void tasklet_enable(struct tasklet_struct *t)
{
	check(t, "tasklet_enable()");
	if (atomic_dec_return(&t->disabled) < 0)
		shim_bug("tasklet_enable() once too often");
}

bool shim_tasklet_within(const void *at, size_t size)
{
	const struct tasklet_struct *t;
	unsigned int i;

	for (i = 0; i < cpu_count; i++)
		for (t = cpus[i].tasklets; t; t = t->next)
			if (shim_is_within(t, at, size))
				return true;
	return false;
}

/* ---- serving ---- */

bool shim_run_interrupt(void)
{
	unsigned int i;

	for (i = 0; i < cpu_count; i++)
		if (serve_interrupt(&cpus[i]))
			return true;
	return false;
}

bool shim_run_tasklet(void)
{
	unsigned int i;

	for (i = 0; i < cpu_count; i++)
		if (serve_tasklet(&cpus[i]))
			return true;
	return false;
}

bool shim_cpus_idle(void)
{
	bool idle = true;
	unsigned int i;

	for (i = 0; i < cpu_count && idle; i++) {
		lock(&cpus[i]);
		idle = !cpus[i].pending_count && !cpus[i].tasklets && !cpus[i].serving;
		unlock(&cpus[i]);
	}
	return idle;
}

/* False: the end. */
static bool wait_for_something(struct cpu *cpu)
{
	bool stop;

	lock(cpu);
	while (!cpu->pending_count && !cpu->tasklets && !cpu->stop)
		pthread_cond_wait(&cpu->changed, &cpu->mutex);
	stop = cpu->stop;
	unlock(cpu);
	return !stop;
}

static bool serve_one(struct cpu *cpu)
{
	return serve_interrupt(cpu) || serve_tasklet(cpu);
}

static void *serve(void *argument)
{
	struct cpu *cpu = argument;

	shim_context()->cpu = (unsigned int)(cpu - cpus);
	while (wait_for_something(cpu))
		/* Tasklets that are disabled, or run elsewhere: nobody says when that ends. */
		if (!serve_one(cpu))
			usleep(50);
	return NULL;
}

void shim_cpus_start(unsigned int count)
{
	unsigned int i;

	cpu_count = count;
	for (i = 0; i < count; i++) {
		cpus[i] = (struct cpu) { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
		if (shim_threads && pthread_create(&cpus[i].thread, NULL, serve, &cpus[i]))
			shim_bug("no thread");
	}
}

static void stop_thread(struct cpu *cpu)
{
	lock(cpu);
	cpu->stop = true;
	wake(cpu);
	unlock(cpu);
	pthread_join(cpu->thread, NULL);
}

void shim_cpus_stop(void)
{
	unsigned int i;

	for (i = 0; i < cpu_count; i++) {
		if (shim_threads)
			stop_thread(&cpus[i]);
		if (cpus[i].tasklets)
			shim_bug("a tasklet is still scheduled at the end");
	}
	cpu_count = 0;
}
