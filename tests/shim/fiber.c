// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread, virtual time. Every task (the test, and each work that runs) has a stack of its
 * own; who waits hands the thread to whoever can go on, so tasks wait for each other as in a
 * kernel. The order is fixed: interrupts, tasklets, timers, tasks in the order in which they
 * began to wait, works, the world; if nothing is left to do, time jumps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <linux/kernel.h>

#include "internal.h"
#include "sanitize.h"

#define STACK_BYTES (1U << 20)
#define GUARD_BYTES 4096U
/* So many things done without time moving are a livelock. */
#define STEPS_MAX 2000000

/* What a task waits for. */
struct wait {
	bool (*met)(void *argument);	/* NULL: nothing but the time */
	void *argument;
	u64 deadline;
	bool until_idle;
	const char *what;
};

struct fiber {
	struct fiber *next;		/* waiting, or idle */
	struct shim_context own;
	struct shim_context *context;
	struct shim_worker worker;
	ucontext_t registers;
	void *stack;
	struct wait wait;
	bool was_met;
	/* for sanitizers */
	const void *bottom;
	size_t size;
	void *fake_stack, *tsan;
};

static struct fiber main_fiber;
static struct fiber *running = &main_fiber;
static struct fiber *left;		/* the one that ran before */
static struct fiber *waiting;		/* oldest first */
static struct fiber *idle;
static u64 now_us;
static u64 steps;

static bool (*world_run)(void *argument);
static u64 (*world_next)(void *argument);
static void *world_argument;

void shim_world(bool (*run)(void *argument), uint64_t (*next)(void *argument), void *argument)
{
	world_run = run;
	world_next = next;
	world_argument = argument;
}

u64 shim_fiber_us(void)
{
	return now_us;
}

void shim_pass_time(u64 us)
{
	now_us += us;
	if (us)
		steps = 0;
}

void shim_step(void)
{
	if (!shim_threads && ++steps > STEPS_MAX)
		shim_bug("so much happens, and no time passes: a livelock");
}

/* ---- switching ---- */

/* The first thing after a switch, on the stack that was switched to. */
static void arrive(void)
{
	const void *bottom = NULL;
	size_t size = 0;

	__sanitizer_finish_switch_fiber(running->fake_stack, &bottom, &size);
	if (!left->bottom) {
		left->bottom = bottom;
		left->size = size;
	}
	shim_set_context(running->context);
}

/*
 * Not swapcontext(): AddressSanitizer has a warning and a slow way for it. ThreadSanitizer believes
 * to be on the other stack already while this still uses its own.
 */
static UNSEEN void swap_registers(struct fiber *from, const struct fiber *to)
{
	volatile bool back = false;

	getcontext(&from->registers);
	if (back)
		return;
	back = true;
	__tsan_switch_to_fiber(to->tsan, 0);
	setcontext(&to->registers);
}

static void switch_to(struct fiber *to)
{
	if (to == running)
		return;
	left = running;
	running = to;
	__sanitizer_start_switch_fiber(&left->fake_stack, to->bottom, to->size);
	swap_registers(left, to);
	arrive();
}

static void go_on(void);

static void work_for_ever(void)
{
	arrive();
	for (;;) {
		shim_run_work(&running->worker);
		running->next = idle;
		idle = running;
		go_on();
	}
}

static struct fiber *new_fiber(void)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));
	u8 *stack = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!fiber || stack == MAP_FAILED || mprotect(stack, GUARD_BYTES, PROT_NONE))
		shim_bug("no memory for a stack");
	fiber->stack = stack;
	fiber->bottom = stack + GUARD_BYTES;
	fiber->size = STACK_BYTES;
	fiber->tsan = __tsan_create_fiber(0);
	fiber->context = &fiber->own;
	fiber->own.worker = &fiber->worker;
	getcontext(&fiber->registers);
	fiber->registers.uc_stack.ss_sp = stack + GUARD_BYTES;
	fiber->registers.uc_stack.ss_size = STACK_BYTES;
	makecontext(&fiber->registers, work_for_ever, 0);
	shim_worker_add(&fiber->worker);
	return fiber;
}

/* ---- who is next ---- */

static bool can_go_on(struct fiber *fiber)
{
	fiber->was_met = fiber->wait.met && fiber->wait.met(fiber->wait.argument);
	return fiber->was_met || now_us >= fiber->wait.deadline;
}

static struct fiber *take_waiting(bool (*test)(struct fiber *fiber))
{
	struct fiber **at, *fiber;

	for (at = &waiting; (fiber = *at) != NULL; at = &fiber->next)
		if (test(fiber)) {
			*at = fiber->next;
			return fiber;
		}
	return NULL;
}

/* Whose work is next. */
static struct fiber *take_worker(void)
{
	struct fiber *fiber = idle;

	if (!shim_work_is_due())
		return NULL;
	if (fiber)
		idle = fiber->next;
	else
		fiber = new_fiber();
	shim_take_work(&fiber->worker);
	return fiber;
}

static bool waits_for_idleness(struct fiber *fiber)
{
	return fiber->wait.until_idle;
}

static bool run_world(void)
{
	struct shim_context context;
	bool did;

	if (!world_run)
		return false;
	shim_enter(&context, SHIM_WORLD, 0);
	did = world_run(world_argument);
	shim_leave(&context, "the world");
	return did;
}

static u64 world_due(void)
{
	u64 ms = world_next ? world_next(world_argument) : SHIM_NEVER;

	/* What is due already it would just have done. */
	return ms > now_us / 1000 && ms < SHIM_NEVER / 1000 ? ms * 1000 : SHIM_NEVER;
}

static void deadlock(void)
{
	const struct fiber *fiber;

	for (fiber = waiting; fiber; fiber = fiber->next)
		fprintf(stderr, "shim: waits without end: %s\n", fiber->wait.what);
	shim_bug("nothing is left that could happen: a deadlock");
}

static void jump(void)
{
	u64 next = min(shim_next_timer(), world_due());
	const struct fiber *fiber;

	for (fiber = waiting; fiber; fiber = fiber->next)
		next = min(next, fiber->wait.deadline);
	if (next == SHIM_NEVER)
		deadlock();
	now_us = max(now_us, next);
	steps = 0;
}

/* Runs other things and tasks, until this one is chosen. */
static void go_on(void)
{
	struct fiber *next;

	for (;;) {
		shim_step();
		if (shim_run_interrupt() || shim_run_tasklet() || shim_fire_timers())
			continue;
		next = take_waiting(can_go_on);
		if (!next)
			next = take_worker();
		if (!next && run_world())
			continue;
		if (!next)
			next = take_waiting(waits_for_idleness);
		if (next)
			break;
		jump();
	}
	switch_to(next);
}

/* ---- waiting ---- */

static bool wait_for(struct wait wait)
{
	struct fiber *me = running, **at = &waiting;

	if (shim_context() != me->context)
		shim_bug("%s: a wait in an interrupt", wait.what);
	me->wait = wait;
	me->next = NULL;
	while (*at)
		at = &(*at)->next;
	*at = me;
	go_on();
	return me->was_met;
}

bool shim_fiber_wait(bool (*met)(void *argument), void *argument, u64 deadline_us, const char *what)
{
	if (met && met(argument))
		return true;
	return wait_for((struct wait) {
		.met = met, .argument = argument, .deadline = deadline_us, .what = what,
	});
}

void shim_fiber_run_until_idle(void)
{
	wait_for((struct wait) { .deadline = SHIM_NEVER, .until_idle = true, .what = "shim_run()" });
}

/* ---- start, end, checks ---- */

void shim_fibers_start(void)
{
	running = &main_fiber;
	main_fiber.context = shim_context();
	main_fiber.tsan = __tsan_get_current_fiber();
	waiting = NULL;
	now_us = 0;
	steps = 0;
	shim_world(NULL, NULL, NULL);
}

void shim_fibers_stop(void)
{
	if (waiting)
		shim_bug("a task still waits at the end: %s", waiting->wait.what);
	if (running != &main_fiber)
		shim_bug("shim_stop() in a work");
}

const char *shim_fibers_within(const void *at, size_t size)
{
	const struct fiber *fiber;

	if (shim_holds_within(shim_context(), at, size) || shim_holds_within(main_fiber.context, at, size))
		return "a lock that is held";
	for (fiber = waiting; fiber; fiber = fiber->next) {
		if (fiber->wait.argument && shim_is_within(fiber->wait.argument, at, size))
			return "what a task waits for";
		if (shim_holds_within(fiber->context, at, size))
			return "a lock that is held";
	}
	return NULL;
}
