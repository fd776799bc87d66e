/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests say to the shim: time, the world outside, faults. Two ways to run the same
 * kernel C:
 *
 * deterministic: one thread, virtual time. Who waits lets everything else run: interrupts,
 * tasklets, works, timers, the world (the model host); when nothing is left to do, time jumps to the
 * next timer or deadline. Nothing ever takes real time, and every run is the same.
 *
 * threads: spinlocks, completions, work queues and tasklets are real, time too. For races and soaks.
 *
 * A program is linked with all of tests/shim/, and with -lpthread.
 */
#ifndef AIRLOCK_SHIM_H
#define AIRLOCK_SHIM_H

#include <stdbool.h>
#include <stdint.h>

/* Starts over: no time has passed, nothing is queued. @threads: the other way to run. @cpus: processors. */
void shim_start(bool threads, unsigned int cpus);
extern bool shim_threads;		/* which way it is; not to be written */
/* Ends all threads, runs nothing more. Fails the test (exit) if works, timers or tasklets are still queued. */
void shim_stop(void);

/* Deterministic: what else there is in the world. @run returns whether it did something; @next when (ms) it will. */
void shim_world(bool (*run)(void *argument), uint64_t (*next)(void *argument), void *argument);
/* Runs until @ms have passed, then (one thread, or 0) until nothing is left to do at that time. */
void shim_run(uint64_t ms);
uint64_t shim_now(void);		/* ms since the start */
uint64_t shim_waited(void);		/* ms, the longest of all waits so far */

/* An interrupt of processor @cpu: @handler runs in hard interrupt context, soon. Any thread. */
void shim_interrupt(unsigned int cpu, void (*handler)(void *argument, unsigned int cpu), void *argument);
void shim_set_cpu(unsigned int cpu);	/* of this thread */

/* The @nth allocation from now fails (1: the next), then every @every-th; 0: none. Of pages too. */
void shim_fail_allocations(unsigned int nth, unsigned int every);
/* For what else allocates: whether it is to fail now. */
bool shim_allocation_fails(void);
/* Bytes, and blocks, allocated now. */
uint64_t shim_allocated(void);
uint64_t shim_allocated_blocks(void);
/* Prints what is allocated, with the function that did. */
void shim_print_allocated(void);

extern bool shim_panicked;		/* panic() was called; it returns here, once per test */
extern uint64_t shim_log_lines;		/* printk lines, rate limit applied */
extern bool shim_verbose;		/* print them */
extern bool shim_fast;			/* spin locks are bare, nothing about them is checked: for benchmarks */

/* A mistake no kernel forgives: sleeping in atomic context, a lock taken twice, a page touched that
 * is not ours. Prints and ends the process with status 97. */
void shim_bug(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
