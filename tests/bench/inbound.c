// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the host: a ring full of packets is read, (a) by memcpy() that happens to know where they are,
 * (b) by core/inbound.c, which copies and validates, (c) by the kernel's ring, which copies. All three read
 * the same packets from the same memory, written a moment ago: by another processor, as hosts do, or
 * by this one, so that everything is in its cache and nothing hides what checks cost.
 */
#include <pthread.h>
#include <sched.h>
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
static bool elsewhere;		/* another processor is the host */
static int turn;		/* 1: the host's, 2: no more to do */

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
	int whose;

	(void)unused;
	while ((whose = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) != 2) {
		if (whose == 1) {
			fill();
			__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
		}
		sched_yield();
	}
	return NULL;
}

static void prepare_copy(void)
{
	check(sum == wanted, "every packet was read once");
	if (!elsewhere) {
		fill();
		return;
	}
	__atomic_store_n(&turn, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE))
		sched_yield();
}

static u64 run_copy(void)
{
	u32 at = index_of_host()[1], i;

	for (i = 0; i < packets; i++, at = after(at)) {
		memcpy(private, data + at, bench_bytes);
		__asm__ __volatile__("" : : "r"(private) : "memory");
		sum += *(u64 *)(private + 8);
	}
	return packets;
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

static const struct subject subjects[] = {
	{ "memcpy", prepare_copy, run_copy },
	{ "airlock", prepare_inbound, run_inbound },
	{ "kernel", prepare_kernel, run_kernel },
};

static void report(const struct result *r, bool kernel)
{
	const char *what = elsewhere ? "inbound" : "inbound-cached";
	double against = kernel ? r[2].ns / r[1].ns : 0;

	printf("| %u B | %.1f | %.1f | %.2f | %.1f |", bench_bytes, r[0].ns, r[1].ns, r[1].ratio, r[1].extra);
	if (kernel)
		printf(" %.1f | %.2f |", r[2].ns, against);
	printf("\n");
	if (bench_bytes == 64)
		say(what, bench_bytes, "extra-ns", r[1].extra, "<=25", r[1].extra <= 25);
	say(what, bench_bytes, "against-memcpy", r[1].ratio, bench_bytes >= 1024 ? ">=0.9" : NULL, r[1].ratio >= 0.9);
	if (kernel)
		say(what, bench_bytes, "against-kernel", against, ">=1", against >= 1);
}

static void measure_reads(bool kernel)
{
	static const u32 sizes[] = { 64, 256, 1024, 4096, 16384 };
	struct result results[SUBJECTS];
	unsigned int i;

	printf("From the host, one packet, median ns; written by %s processor:\n\n"
	       "| packet | memcpy | airlock, copied and validated | bandwidth against memcpy | ns on top |%s\n"
	       "|---|---|---|---|---|%s\n", elsewhere ? "another" : "the same",
	       kernel ? " kernel ring, copied | airlock against kernel |" : "", kernel ? "---|---|" : "");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_bytes = sizes[i];
		packets = (RING - 16) / (bench_bytes + TRAILER);
		measure(subjects, kernel ? 3 : 2, results);
		report(results, kernel);
	}
	printf("\n");
}

static void measure_elsewhere(bool kernel)
{
	pthread_t thread;

	if (!other_processor(&thread, host))
		return;
	elsewhere = true;
	measure_reads(kernel);
	elsewhere = false;
	__atomic_store_n(&turn, 2, __ATOMIC_RELEASE);
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
	if (kernel)
		kernel_ring.open(memory, PAGES, LARGEST);
	index_of_host()[16] = 1;
	measure_elsewhere(kernel);
	measure_reads(kernel);
	inbound_close(&ring);
	if (kernel)
		kernel_ring.close();
}
