// SPDX-License-Identifier: GPL-2.0-only
/*
 * An honest host and a guest exchange packets for as long as they are told to, on the channels of
 * several devices, which come and go meanwhile. Each byte is looked at by both sides; at the
 * end nothing may be lost, doubled, leaked, left shared, or signalled for no reason.
 *
 *	soak [-t] [-s SEED] [-m LEAST] [-f FAULT] [SECONDS]
 *
 * -f: bit, twice, lost or shared: something that has to be found. -t: guest and host in threads, real time;
 * else one thread, the same run for a seed (but for its length).
 * -m: packets each way that are the least. The last line is "soak: ..."; the exit code 0 if all is well.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "airlock.h"
#include "host.h"
#include "memory.h"
#include "model.h"
#include "rules_table.h"
#include "shim.h"
#include "soak.h"
#include "violation.h"

#define CPUS 2
#define PAGES 4096
#define SENDERS 2

static unsigned int seconds = 60;
static uint64_t least = 5000000;
static bool threads;
static uint32_t seed = 1;
static _Thread_local uint32_t chance;

static struct host *h;
static struct model *model;
static struct airlock_connection connection;
static bool stop;
static uint64_t removals;

void soak_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "soak: FAILED: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; seed %u\n", seed);
	_exit(1);
}

uint32_t soak_random(uint32_t below)
{
	if (!chance)
		chance = seed * 2654435761u | 1;
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	return chance % below;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- start ---- */

static void start(void)
{
	struct airlock_policy policy;
	static const u8 *const classes[] = { soak_class };

	shim_start(threads, CPUS);
	sim_start(SIM_SNP, PAGES);
	h = host_create(CPUS);
	model = model_create(h, CPUS, false);
	policy_defaults(&policy, true);
	policy.classes = classes;
	policy.class_count = 1;
	policy.devices_per_class = DEVICES;
	policy.subchannels_max = SUBCHANNELS;
	policy.offers = (struct policy_rate){ 1000000, 1000000 };
	soak_guest_start();
	soak_host_start(h);
	if (airlock_connection_init(&connection, model_transport(model), sim_visibility(), &soak_bus, &policy))
		soak_fail("no connection");
	model_attach(model, &connection);
	if (airlock_connect(&connection))
		soak_fail("the host does not answer");
}

/* ---- meanwhile ---- */

static void progress(double since)
{
	static uint64_t sent_before, heard_before;
	struct soak_totals t;

	soak_guest_totals(&t);
	printf("%3.0f s: to the host %llu (+%llu), from the host %llu (+%llu), %u channels, %llu removals\n", now() - since,
	       (unsigned long long)t.sent, (unsigned long long)(t.sent - sent_before),
	       (unsigned long long)(t.answered + t.heard), (unsigned long long)(t.answered + t.heard - heard_before),
	       soak_guest_open(), (unsigned long long)removals);
	sent_before = t.sent;
	heard_before = t.answered + t.heard;
	fflush(stdout);
}

/* A device goes, or one that is gone comes back. */
static void disturb(void)
{
	uint32_t device = soak_random(DEVICES);

	if (!soak_host_offered(device)) {
		soak_host_offer(device);
		return;
	}
	soak_host_remove(device);
	removals++;
	if (soak_random(2))
		soak_host_offer(device);	/* while the guest still holds it */
}

static void *sender(void *number)
{
	chance = (uint32_t)(uintptr_t)number * 7919 + seed;
	shim_set_cpu((unsigned int)(uintptr_t)number % CPUS);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		if (!soak_guest_send())
			usleep(20);
	return NULL;
}

static void run_threads(double since)
{
	pthread_t senders[SENDERS];
	double shown = since;
	uintptr_t i;

	soak_host_allow(UINT64_MAX);
	for (i = 0; i < SENDERS; i++)
		if (pthread_create(&senders[i], NULL, sender, (void *)(i + 1)))
			soak_fail("no thread");
	while (now() - since < seconds) {
		usleep(1000 * (1 + soak_random(150)));
		disturb();
		if (now() - shown < 1)
			continue;
		shown = now();
		progress(since);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
}

static void run_alone(double since)
{
	double shown = since;
	uint32_t turn;

	for (turn = 1; now() - since < seconds; turn++) {
		soak_guest_send();
		soak_host_allow(DEVICES * (1 + SUBCHANNELS) * 16);
		shim_run(soak_random(4) ? 0 : 1);
		if (!soak_random(20))
			disturb();
		if (turn % 64 || now() - shown < 1)
			continue;
		shown = now();
		progress(since);
	}
}

/* ---- the end ---- */

/* All devices are there, and everything that was sent has arrived. */
static bool is_quiet(void)
{
	uint64_t sent, heard, requests, news, unanswered;
	uint32_t device;
	uint16_t index;

	if (soak_guest_waiting())
		return false;
	for (device = 0; device < DEVICES; device++)
		for (index = 0; index <= SUBCHANNELS; index++)
			if (!soak_guest_lane(device, index, &sent, &heard) ||
			    !soak_host_lane(device, index, &requests, &news, &unanswered) ||
			    sent != requests || heard != news || unanswered)
				return false;
	return true;
}

static void settle(void)
{
	double until = now() + (threads ? 20 : 3);
	uint32_t device;

	soak_host_allow(0);
	for (device = 0; device < DEVICES; device++)
		if (!soak_host_offered(device))
			soak_host_offer(device);
	while (!is_quiet()) {
		if (now() > until)
			soak_fail("lost: %u requests or answers wait, %u channels are open", soak_guest_waiting(),
				  soak_guest_open());
		if (soak_guest_open() < DEVICES * (1 + SUBCHANNELS))
			soak_guest_send();	/* sub-channels come when a device is used */
		shim_run(10);
	}
}

/* Memory that the guest forgets. */
static void leave_shared(void)
{
	static struct hostmem forgotten;

	if (hostmem_create(&forgotten, sim_visibility(), 1, false))
		soak_fail("no memory");
}

static void tear_down(void)
{
	if (soak_fault == FAULT_SHARED)
		leave_shared();
	airlock_disconnect(&connection);
	if (soak_guest_open())
		soak_fail("channels are open after the end");
	airlock_connection_destroy(&connection);
	model_destroy(model);
	shim_stop();
	if (shim_allocated()) {
		shim_print_allocated();
		soak_fail("%llu bytes are still allocated", (unsigned long long)shim_allocated());
	}
	if (sim_shared_pages())
		soak_fail("%llu pages are still shared", (unsigned long long)sim_shared_pages());
}

/*
 * What guest and host say to each other while the host takes a channel back may cross: a signal to what is
 * gone, the refusal of memory that was named too late. Nothing else has an excuse.
 */
static bool may_cross(uint32_t rule)
{
	return rule == CORE_RULE_ID(CORE_RULE_SIGNAL_FAILED) ||
	       rule == control_rule_ids[CONTROL_RULE_GPADL_GPADL_CREATED_STATE];
}

static void look_for_violations(void)
{
	const struct violations *v = &connection.violations;
	uint32_t i;

	for (i = 0; i < v->used; i++) {
		if (!may_cross(v->seen[i].rule))
			soak_fail("an honest host has broken %s, %u times", rule_by_id(v->seen[i].rule), v->seen[i].count);
		printf("crossed a removal: %s, %u times\n", rule_by_id(v->seen[i].rule), v->seen[i].count);
	}
}

static void account(const struct soak_totals *t, const struct soak_host_totals *host, uint64_t double_fetches)
{
	if (t->sent != t->answered + t->failed)
		soak_fail("%llu requests, %llu answered, %llu failed", (unsigned long long)t->sent,
			  (unsigned long long)t->answered, (unsigned long long)t->failed);
	if (host->requests > t->sent || host->requests < t->answered || t->heard > host->news ||
	    host->answers > t->told_answers)
		soak_fail("more arrived than was sent");
	if (h->errors)
		soak_fail("the host has found %llu errors: %s", (unsigned long long)h->errors, h->last_error);
	if (host->spurious || host->needless || host->missed)
		soak_fail("signals: %llu spurious, %llu needless, %llu missed", (unsigned long long)host->spurious,
			  (unsigned long long)host->needless, (unsigned long long)host->missed);
	if (double_fetches)
		soak_fail("%llu bytes were fetched twice: %s", (unsigned long long)double_fetches, h->last_error);
	look_for_violations();
	if (atomic_read(&sim_visibility()->leaked))
		soak_fail("%d pages leaked", atomic_read(&sim_visibility()->leaked));
}

static void finish(void)
{
	struct soak_host_totals host;
	struct soak_totals t;
	uint64_t to_host, from_host, double_fetches;

	settle();
	soak_host_totals(&host);
	double_fetches = model_double_fetches(model);
	airlock_disconnect(&connection);
	soak_guest_totals(&t);
	account(&t, &host, double_fetches);
	tear_down();
	to_host = t.sent + t.told_answers;
	from_host = t.answered + t.heard;
	host_destroy(h);
	sim_stop(0);
	printf("soak: %llu packets to the host, %llu from it, %llu requests failed with their channel, "
	       "%llu removals, %llu opens\n",
	       (unsigned long long)to_host, (unsigned long long)from_host, (unsigned long long)t.failed,
	       (unsigned long long)removals, (unsigned long long)t.opens);
	if (to_host < least || from_host < least)
		soak_fail("less than %llu packets each way", (unsigned long long)least);
}

static enum soak_fault fault_of(const char *name)
{
	static const char *const names[] = { "none", "bit", "twice", "lost", "shared" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return (enum soak_fault)i;
	soak_fail("no such fault");
}

static void read_arguments(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "f:m:s:t")) != -1) {
		switch (option) {
		case 'f': soak_fault = fault_of(optarg); break;
		case 'm': least = strtoull(optarg, NULL, 0); break;
		case 's': seed = (uint32_t)strtoul(optarg, NULL, 0); break;
		case 't': threads = true; break;
		default: exit(2);
		}
	}
	if (optind < argc)
		seconds = (unsigned int)atoi(argv[optind]);
}

int main(int argc, char **argv)
{
	double since;

	read_arguments(argc, argv);
	start();
	since = now();
	if (threads)
		run_threads(since);
	else
		run_alone(since);
	finish();
	return 0;
}
