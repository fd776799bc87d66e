/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subjects are measured side by side in one run: in turns, many times, and what is compared is
 * always their times of the same turn, so that a busy machine is as bad for all of them.
 */
#ifndef AIRLOCK_BENCH_H
#define AIRLOCK_BENCH_H

#include <pthread.h>

#include <linux/types.h>

#define SUBJECTS 5

struct subject {
	const char *name;
	void (*prepare)(void);	/* not timed */
	u64 (*run)(void);	/* timed; returns how many things it did */
};

/* Medians over all turns. Ratios and differences are to subject 0. */
struct result {
	double ns;		/* a thing */
	double ratio;		/* ns of subject 0 / ns: above 1 it is faster */
	double extra;		/* ns - ns of subject 0 */
};

void measure(const struct subject *subjects, unsigned int count, struct result *results);
/* A line for machines, and what was wanted of it; "target" may be NULL. */
void say(const char *what, u32 bytes, const char *value, double is, const char *target, bool met);
void check(bool holds, const char *what);
/* Memory of a ring: a control page, the data, and the data again behind it. */
u8 *map_twice(u32 data_bytes);
/* Starts a thread on another processor; false: there is none. */
bool other_processor(pthread_t *thread, void *(*run)(void *));

extern u32 bench_bytes;		/* what is being measured: size of a packet, or of an I/O */

void bench_inbound(void);
void bench_outbound(void);
void bench_pool(void);

/* memcpy() as the kernel has it on today's processors. */
void *bench_kernel_memcpy(void *to, const void *from, size_t bytes);

/* The kernel's ring, when there is one to compare with (kernel/ring.c). */
struct kernel_ring {
	void (*open)(u8 *memory, u32 pages, u32 packet_bytes);
	void (*close)(void);
	void (*reading_at)(u32 index);
	u64 (*read_all)(u64 *sum);
	int (*send)(const u8 *payload, u32 bytes, u64 transaction, bool wants_completion);
	u64 (*signals)(void);
};

/* With memcpy() as the kernel has it, and with the C library's. */
extern const struct kernel_ring kernel_ring __attribute__((weak)), kernel_ring_libc __attribute__((weak));

#endif
