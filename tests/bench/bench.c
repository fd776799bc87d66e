// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the ways of bytes between guest and host: what our checks cost against a bare copy
 * and against the kernel's own ring. Prints tables in Markdown, and "bench:" lines for machines.
 *
 *	bench [TURNS]
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define TURNS_MAX 10000
#define TURN_NS 200000		/* of each subject, about */
#define PAGE 4096

u32 bench_bytes;

static cpu_set_t everywhere;
static char said[16384];
static unsigned int said_bytes;
static unsigned int turns = 301;
static double samples[SUBJECTS][TURNS_MAX], work[TURNS_MAX];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(void)
{
	qsort(work, turns, sizeof(*work), by_size);
	return work[turns / 2];
}

/* Nanoseconds a thing, of one turn. */
static double sample(const struct subject *s)
{
	double took = 0, start;
	u64 done = 0;

	while (took < TURN_NS) {
		s->prepare();
		start = now();
		done += s->run();
		took += now() - start;
	}
	return took / done;
}

void measure(const struct subject *subjects, unsigned int count, struct result *results)
{
	unsigned int turn, i;

	for (i = 0; i < count; i++)
		sample(&subjects[i]);
	for (turn = 0; turn < turns; turn++)
		for (i = 0; i < count; i++)
			samples[(turn + i) % count][turn] = sample(&subjects[(turn + i) % count]);
	for (i = 0; i < count; i++) {
		for (turn = 0; turn < turns; turn++)
			work[turn] = samples[i][turn];
		results[i].ns = median();
		for (turn = 0; turn < turns; turn++)
			work[turn] = samples[0][turn] / samples[i][turn];
		results[i].ratio = median();
		for (turn = 0; turn < turns; turn++)
			work[turn] = samples[i][turn] - samples[0][turn];
		results[i].extra = median();
	}
}

/* Kept until all tables are printed, so that these are tables. */
void say(const char *what, u32 bytes, const char *value, double is, const char *target, bool met)
{
	check(said_bytes < sizeof(said) - 200, "room for all that is said");
	said_bytes += (unsigned int)sprintf(said + said_bytes, "bench: %s %u %s %.3f%s%s%s\n", what, bytes, value, is,
					    target ? " target " : "", target ? target : "",
					    target ? met ? " met" : " MISSED" : "");
}

void check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "bench: wrong: %s\n", what);
	exit(1);
}

u8 *map_twice(u32 data_bytes)
{
	int file = memfd_create("ring", 0);
	u8 *at = mmap(NULL, PAGE + 2UL * data_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(file >= 0 && at != MAP_FAILED && !ftruncate(file, PAGE + data_bytes), "memory of a ring");
	check(mmap(at, PAGE + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, 0) == at &&
	      mmap(at + PAGE + data_bytes, data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
		   file, PAGE) == at + PAGE + data_bytes, "a ring is mapped twice");
	close(file);
	return at;
}

/* As arch/x86/lib does it where "rep movsb" is fast for short copies too. */
void *bench_kernel_memcpy(void *to, const void *from, size_t bytes)
{
#ifdef __x86_64__
	void *at = to;

	__asm__ __volatile__("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
#else
	return memcpy(to, from, bytes);
#endif
}

/* Not to be moved to another processor in the middle of a turn. */
static void stay(void)
{
	cpu_set_t here;

	sched_getaffinity(0, sizeof(everywhere), &everywhere);
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

bool other_processor(pthread_t *thread, void *(*run)(void *))
{
	cpu_set_t others = everywhere;
	pthread_attr_t attributes;

	CPU_CLR(sched_getcpu(), &others);
	if (!CPU_COUNT(&others))
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof(others), &others);
	check(!pthread_create(thread, &attributes, run, NULL), "a thread");
	pthread_attr_destroy(&attributes);
	return true;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		turns = atoi(argv[1]);
	check(turns >= 3 && turns <= TURNS_MAX, "a number of turns");
	stay();
	bench_inbound();
	bench_outbound();
	bench_pool();
	fputs(said, stdout);
	return 0;
}
