// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the host: a ring full of packets is read, by memcpy() that happens to know where they are,
 * by core/inbound.c, which copies and validates, by the kernel's ring, which copies. All of them read
 * the same packets from the same memory, written a moment ago: by another processor, as hosts do, or
 * by this one, so that everything is in its cache and nothing hides what checks cost.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>

#include "bench.h"
#include "inbound.h"
#include "wire.h"

#define PAGE 4096
#define PAGES 65		/* 256 KiB of data */
#define RING ((PAGES - 1) * PAGE)
#define LARGEST 16384
#define TRAILER 8
#define COMPLETION 11

static u8 *memory, *data;
static u8 payload[LARGEST], private[LARGEST];
static struct inbound ring;
static u32 start, packets;	/* where the next lot begins; how many are a lot */
static u64 sum, wanted, next_id;
static bool elsewhere;		/* another processor is the host; it sleeps while we read */
static bool over;
static sem_t wanting, written;

static u32 *index_of_host(void)
{
	return (u32 *)memory;
}

static u32 after(u32 at)
{
	at += bench_bytes + TRAILER;
	return at < RING ? at : at - RING;
}

/* The host writes all packets of a lot; completions, as most are. */
static void fill(void)
{
	u32 at = start, i;

	wanted = 0;
	for (i = 0; i < packets; i++, at = after(at)) {
		u8 *p = data + at;

		memcpy(p, payload, bench_bytes);
		wire_put_le16(p, COMPLETION);
		wire_put_le16(p + 2, 2);
		wire_put_le16(p + 4, bench_bytes / 8);
		wire_put_le16(p + 6, 0);
		wire_put_le64(p + 8, ++next_id);
		wire_put_le64(p + bench_bytes, (u64)at << 32);
		wanted += next_id;
	}
	index_of_host()[0] = at;
	index_of_host()[1] = start;
	start = at;
	sum = 0;
}

static void *host(void *unused)
{
	(void)unused;
	for (;;) {
		sem_wait(&wanting);
		if (over)
			return NULL;
		fill();
		sem_post(&written);
	}
}

static void prepare_copy(void)
{
	check(sum == wanted, "every packet was read once");
	if (!elsewhere) {
		fill();
		return;
	}
	sem_post(&wanting);
	sem_wait(&written);
}

static __always_inline u64 copy_all(void *(*copy)(void *, const void *, size_t))
{
	u32 at = index_of_host()[1], i;

	for (i = 0; i < packets; i++, at = after(at)) {
		copy(private, data + at, bench_bytes);
		__asm__ __volatile__("" : : "r"(private) : "memory");
		sum += *(u64 *)(private + 8);
	}
	return packets;
}

static u64 run_copy(void)
{
	return copy_all(memcpy);
}

static u64 run_kernel_copy(void)
{
	return copy_all(bench_kernel_memcpy);
}

static void prepare_inbound(void)
{
	prepare_copy();
	ring.context.our_index = index_of_host()[1];
	ring.context.their_index = ring.context.our_index;
	ring.published = ring.context.our_index;
}

static u64 run_inbound(void)
{
	struct ring_message m;
	u64 done = 0;
	int rule;

	while (inbound_next(&ring, &m, &rule) > 0) {
		sum += m.completion.header.transaction;
		done++;
	}
	check(!inbound_release(&ring), "no signal when nobody waits");
	return done;
}

static void prepare_kernel(void)
{
	prepare_copy();
	kernel_ring.reading_at(index_of_host()[1]);
}

static u64 run_kernel(void)
{
	return kernel_ring.read_all(&sum);
}

static void prepare_kernel_libc(void)
{
	prepare_copy();
	kernel_ring_libc.reading_at(index_of_host()[1]);
}

static u64 run_kernel_libc(void)
{
	return kernel_ring_libc.read_all(&sum);
}

enum { LIBC_COPY, AIRLOCK, KERNEL_COPY, KERNEL, KERNEL_LIBC };

static const struct subject subjects[SUBJECTS] = {
	{ "memcpy", prepare_copy, run_copy },
	{ "airlock", prepare_inbound, run_inbound },
	{ "kernel memcpy", prepare_copy, run_kernel_copy },
	{ "kernel", prepare_kernel, run_kernel },
	{ "kernel, memcpy of the C library", prepare_kernel_libc, run_kernel_libc },
};

static void report_kernel(const char *what, const struct result *r)
{
	double against = r[KERNEL].ns / r[AIRLOCK].ns, libc = r[KERNEL_LIBC].ns / r[AIRLOCK].ns;

	printf(" %.1f | %.2f | %.1f | %.2f |", r[KERNEL].ns, against, r[KERNEL_LIBC].ns, libc);
	say(what, bench_bytes, "against-kernel", against, ">=1", against >= 1);
	say(what, bench_bytes, "against-kernel-with-libc-memcpy", libc, NULL, true);
}

static void report(const struct result *r, bool kernel)
{
	const char *what = elsewhere ? "inbound" : "inbound-cached";

	printf("| %u B | %.1f | %.1f | %.1f | %.2f | %.2f | %.1f |", bench_bytes, r[LIBC_COPY].ns, r[KERNEL_COPY].ns,
	       r[AIRLOCK].ns, r[AIRLOCK].ratio, r[KERNEL_COPY].ns / r[AIRLOCK].ns, r[AIRLOCK].extra);
	if (bench_bytes == 64)
		say(what, bench_bytes, "extra-ns", r[AIRLOCK].extra, "<=25", r[AIRLOCK].extra <= 25);
	say(what, bench_bytes, "against-memcpy", r[AIRLOCK].ratio, bench_bytes >= 1024 ? ">=0.9" : NULL,
	    r[AIRLOCK].ratio >= 0.9);
	say(what, bench_bytes, "against-kernel-memcpy", r[KERNEL_COPY].ns / r[AIRLOCK].ns, NULL, true);
	if (kernel)
		report_kernel(what, r);
	printf("\n");
}

static void measure_reads(bool kernel)
{
	static const u32 sizes[] = { 64, 256, 1024, 4096, 16384 };
	struct result results[SUBJECTS];
	unsigned int i;

	printf("From the host, one packet, median ns; written by %s processor:\n\n"
	       "| packet | memcpy | the kernel's memcpy | airlock, copied and validated | bandwidth against memcpy "
	       "| against the kernel's | ns on top |%s\n|---|---|---|---|---|---|---|%s\n",
	       elsewhere ? "another" : "the same", kernel ?
	       " kernel ring, copied | airlock against it | kernel ring with the C library's memcpy | airlock against it |" : "",
	       kernel ? "---|---|---|---|" : "");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_bytes = sizes[i];
		packets = (RING - 16) / (bench_bytes + TRAILER);
		measure(subjects, kernel ? 5 : 3, results);
		report(results, kernel);
	}
	printf("\n");
}

static void measure_elsewhere(bool kernel)
{
	pthread_t thread;

	sem_init(&wanting, 0, 0);
	sem_init(&written, 0, 0);
	if (!other_processor(&thread, host))
		return;
	elsewhere = true;
	measure_reads(kernel);
	elsewhere = false;
	over = true;
	sem_post(&wanting);
	pthread_join(thread, NULL);
}

void bench_inbound(void)
{
	const struct ring_context limits = { .buffer_bytes = LARGEST };
	bool kernel = &kernel_ring;

	memory = map_twice(RING);
	data = memory + PAGE;
	memset(payload, 0x5a, sizeof(payload));
	check(!inbound_open(&ring, memory, PAGES, &limits), "a ring from the host");
	if (kernel) {
		kernel_ring.open(memory, PAGES, LARGEST);
		kernel_ring_libc.open(memory, PAGES, LARGEST);
	}
	index_of_host()[16] = 1;
	measure_elsewhere(kernel);
	measure_reads(kernel);
	inbound_close(&ring);
	if (kernel) {
		kernel_ring.close();
		kernel_ring_libc.close();
	}
}
