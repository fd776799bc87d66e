// SPDX-License-Identifier: GPL-2.0-only
/*
 * To the host: an empty ring is filled, by memcpy(), by core/outbound.c, which builds and checks
 * what it sends, by the kernel's ring. And how often the host is signalled, which it counts.
 */
#include <stdio.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/kernel.h>

#include "bench.h"
#include "outbound.h"

#define PAGE 4096
#define PAGES 65
#define RING ((PAGES - 1) * PAGE)
#define LARGEST 16384
#define DESCRIPTOR 16
#define TRAILER 8

enum { WRITE_INDEX, READ_INDEX, INTERRUPT_MASK };

static u8 *memory, *data;
static u8 payload[LARGEST];
static struct outbound ring;
static u32 packets, at;

static u32 *control(void)
{
	return (u32 *)memory;
}

/* The host reads everything, and does not want to be signalled. */
static void drain(void)
{
	control()[READ_INDEX] = control()[WRITE_INDEX];
	control()[INTERRUPT_MASK] = 1;
}

/* The kernel keeps its write index in the ring, we keep ours to ourselves. */
static void prepare_copy(void)
{
	drain();
	at = control()[WRITE_INDEX];
}

static u64 run_copy(void)
{
	u32 i;

	for (i = 0; i < packets; i++) {
		memcpy(data + at, payload, bench_bytes);
		__asm__ __volatile__("" : : : "memory");
		at += bench_bytes + TRAILER;
		if (at >= RING)
			at -= RING;
	}
	return packets;
}

static void prepare_outbound(void)
{
	drain();
	ring.write = control()[WRITE_INDEX];
	ring.read = ring.write;
}

static int send(u64 transaction, bool *signal)
{
	const struct outbound_packet p = {
		.kind = RING_MSG_OUR_IN_BAND, .transaction = transaction, .wants_completion = true,
		.payload = payload, .bytes = bench_bytes - DESCRIPTOR,
	};
	int rule;

	return outbound_send(&ring, &p, NULL, NULL, signal, &rule);
}

static u64 run_outbound(void)
{
	u64 done = 0;
	bool signal;

	while (!send(done + 1, &signal))
		done++;
	return done;
}

static u64 run_ring(const struct kernel_ring *kernel)
{
	u64 done = 0;

	while (!kernel->send(payload, bench_bytes - DESCRIPTOR, done + 1, true))
		done++;
	return done;
}

static u64 run_kernel(void)
{
	return run_ring(&kernel_ring);
}

static u64 run_kernel_libc(void)
{
	return run_ring(&kernel_ring_libc);
}

static const struct subject subjects[] = {
	{ "memcpy", prepare_copy, run_copy },
	{ "airlock", prepare_outbound, run_outbound },
	{ "kernel", prepare_copy, run_kernel },
	{ "kernel, memcpy of the C library", prepare_copy, run_kernel_libc },
};

static void report(const struct result *r, bool kernel)
{
	printf("| %u B | %.1f | %.1f | %.1f |", bench_bytes, r[0].ns, r[1].ns, r[1].extra);
	if (kernel)
		printf(" %.1f | %.2f | %.1f | %.2f |", r[2].ns, r[2].ns / r[1].ns, r[3].ns, r[3].ns / r[1].ns);
	printf("\n");
	say("outbound", bench_bytes, "ns", r[1].ns, NULL, true);
	if (!kernel)
		return;
	say("outbound", bench_bytes, "against-kernel", r[2].ns / r[1].ns, NULL, true);
	say("outbound", bench_bytes, "against-kernel-with-libc-memcpy", r[3].ns / r[1].ns, NULL, true);
}

static void measure_sends(bool kernel)
{
	static const u32 sizes[] = { 64, 256, 1024, 4096, 16384 };
	struct result results[SUBJECTS];
	unsigned int i;

	printf("To the host, one packet, median ns:\n\n"
	       "| packet | memcpy | airlock, built, checked and copied | ns on top |%s\n|---|---|---|---|%s\n", kernel ?
	       " kernel ring | airlock against it | kernel ring with the C library's memcpy | airlock against it |" : "",
	       kernel ? "---|---|---|---|" : "");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_bytes = sizes[i];
		packets = (RING - 16) / (bench_bytes + TRAILER);
		measure(subjects, kernel ? 4 : 2, results);
		report(results, kernel);
	}
	printf("\n");
}

/* What the host does between our packets. */
enum host { READS_EACH, READS_IN_TENS, IS_POLLING, HAS_STOPPED };

static void host_acts(enum host host, u32 sent)
{
	control()[INTERRUPT_MASK] = host == IS_POLLING;
	if (host == READS_EACH || host == IS_POLLING || (host == READS_IN_TENS && sent % 10 == 0))
		control()[READ_INDEX] = control()[WRITE_INDEX];
}

/* Signals for a thousand packets; kernel: of the kernel's ring. */
static u32 count_signals(enum host host, bool kernel)
{
	u64 before = kernel ? kernel_ring.signals() : 0;
	u32 count = 0, i;
	bool signal;

	bench_bytes = 64;
	prepare_outbound();
	for (i = 0; i < 1000; i++) {
		host_acts(host, i);
		if (kernel) {
			check(!kernel_ring.send(payload, bench_bytes - DESCRIPTOR, i + 1, true), "room for a packet");
			continue;
		}
		check(!send(i + 1, &signal), "room for a packet");
		count += signal;
	}
	return kernel ? kernel_ring.signals() - before : count;
}

static void report_signals(bool kernel)
{
	static const struct {
		const char *text, *key;
		enum host host;
		u32 due;
	} cases[] = {
		{ "reads each packet before the next comes", "reads-each", READS_EACH, 1000 },
		{ "reads ten at a time", "reads-in-tens", READS_IN_TENS, 100 },
		{ "polls, with signals masked", "polls", IS_POLLING, 0 },
		{ "reads nothing", "stopped", HAS_STOPPED, 1 },
	};
	unsigned int i;

	printf("Signals for 1000 packets:\n\n| the host | by the rules | airlock |%s\n|---|---|---|%s\n",
	       kernel ? " kernel ring |" : "", kernel ? "---|" : "");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 ours = count_signals(cases[i].host, false);

		printf("| %s | %u | %u |", cases[i].text, cases[i].due, ours);
		if (kernel)
			printf(" %u |", count_signals(cases[i].host, true));
		printf("\n");
		say("signals", 1000, cases[i].key, ours, NULL, true);
		check(ours == cases[i].due, "the host is signalled exactly when it is to be");
	}
	printf("\n");
}

void bench_outbound(void)
{
	bool kernel = &kernel_ring;

	memory = map_twice(RING);
	data = memory + PAGE;
	memset(payload, 0x5a, sizeof(payload));
	check(!outbound_open(&ring, memory, PAGES, LARGEST), "a ring to the host");
	if (kernel) {
		kernel_ring.open(memory, PAGES, LARGEST);
		kernel_ring_libc.open(memory, PAGES, LARGEST);
	}
	measure_sends(kernel);
	report_signals(kernel);
	outbound_close(&ring);
	if (kernel) {
		kernel_ring.close();
		kernel_ring_libc.close();
	}
}
