/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits for an event. A wait without a deadline ends the process: the host could make it last for ever. */
#ifndef AIRLOCK_SHIM_COMPLETION_H
#define AIRLOCK_SHIM_COMPLETION_H

#include <pthread.h>

#include <linux/compiler.h>
#include <linux/types.h>

#define SHIM_COMPLETION 0xc0e71e7e

struct completion {
	u32 magic;
	unsigned int done;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
};

void init_completion(struct completion *x);
void reinit_completion(struct completion *x);
void complete(struct completion *x);
void complete_all(struct completion *x);
bool completion_done(struct completion *x);
bool try_wait_for_completion(struct completion *x);
void wait_for_completion(struct completion *x);
/* 0: the time is up; else the ticks that were left, at least 1. */
unsigned long wait_for_completion_timeout(struct completion *x, unsigned long ticks);

#define SHIM_COMPLETION_INITIALIZER                                                           \
	{ SHIM_COMPLETION, 0, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER }
#define DECLARE_COMPLETION(x) struct completion x = SHIM_COMPLETION_INITIALIZER
#define DECLARE_COMPLETION_ONSTACK(x) DECLARE_COMPLETION(x)

#endif
