// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport of the model host: hypercalls are function calls, SynIC pages are guest
 * memory, interrupts those of the shim. It believes and checks nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "airlock.h"
#include "audit.h"
#include "memory.h"
#include "model.h"
#include "shim.h"

#define SLOT_AT 512u		/* SINT 2, in both pages */

struct model {
	struct transport transport;
	struct host *host;
	struct hostmem slots[HOST_CPUS], flags[HOST_CPUS];
	struct audit *audit;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t posted;
	bool runs, stop, news;
};

/* There is one guest at a time. Interrupts may still come when the model is gone. */
static struct model *the_model;
static struct airlock_connection *listener;

static struct model *model_of(struct transport *t)
{
	return container_of(t, struct model, transport);
}

/* ---- the guest's side ---- */

static void wake_host(struct model *model)
{
	if (!model->host->threads)
		return;
	pthread_mutex_lock(&model->mutex);
	model->news = true;
	pthread_cond_signal(&model->posted);
	pthread_mutex_unlock(&model->mutex);
}

static u64 model_post(struct transport *t, const u8 *input)
{
	u64 result = host_hear_post(model_of(t)->host, input);

	wake_host(model_of(t));
	return result;
}

static u64 model_signal(struct transport *t, const u8 *input)
{
	u64 result = host_hear_signal(model_of(t)->host, input);

	wake_host(model_of(t));
	return result;
}

static u8 __host *model_slot(struct transport *t, u32 cpu)
{
	return cpu < t->cpus ? model_of(t)->slots[cpu].at + SLOT_AT : NULL;
}

static u32 __host *model_flags(struct transport *t, u32 cpu)
{
	return cpu < t->cpus ? (u32 __host *)(model_of(t)->flags[cpu].at + SLOT_AT) : NULL;
}

static void model_end_of_message(struct transport *t, u32 cpu)
{
	host_hear_eom(model_of(t)->host, cpu);
	wake_host(model_of(t));
}

static u32 model_vp(struct transport *t, u32 cpu)
{
	(void)t;
	return cpu;
}

static const struct transport_ops model_ops = {
	.name = "model", .post = model_post, .signal = model_signal, .slot = model_slot,
	.end_of_message = model_end_of_message, .flags = model_flags, .vp = model_vp,
};

/* ---- interrupts ---- */

static void on_message(void *argument, unsigned int cpu)
{
	struct airlock_connection *c = smp_load_acquire(&listener);

	(void)argument;
	if (c)
		airlock_message_interrupt(c, cpu);
}

static void on_event(void *argument, unsigned int cpu)
{
	struct airlock_connection *c = smp_load_acquire(&listener);

	(void)argument;
	if (c)
		airlock_event_interrupt(c, cpu);
}

static void interrupt(void *argument, uint32_t cpu, bool event)
{
	(void)argument;
	shim_interrupt(cpu, event ? on_event : on_message, NULL);
}

/* ---- fetches ---- */

static bool locate(struct host *h, const void *at, struct host_place *place)
{
	(void)h;
	return audit_locate(the_model->audit, at, place);
}

static void tell_hooks(struct host *h, const void *at, u32 size)
{
	if (h->hooks.fetching)
		h->hooks.fetching(h, h->hooks.argument, at, size);
	if (h->script_hooks.fetching)
		h->script_hooks.fetching(h, h->script_hooks.argument, at, size);
}

/* Hooks first: what they change is what is then fetched. */
static void __maybe_unused on_fetch(const void *at, u32 size)
{
	struct host *h = the_model->host;

	if (h->threads && !h->hooks.fetching && !h->script_hooks.fetching)
		return;
	host_lock(h);
	tell_hooks(h, at, size);
	if (!h->threads)
		audit_fetch(the_model->audit, at, size);
	host_unlock(h);
}

static void hook_fetches(bool on)
{
#ifdef AIRLOCK_FETCH_HOOK
	airlock_fetch_hook = on ? on_fetch : NULL;
#else
	(void)on;
#endif
}

uint64_t model_double_fetches(const struct model *model)
{
	return model->audit->double_fetches;
}

/* ---- the host's side ---- */

static bool world_run(void *argument)
{
	return host_run(((struct model *)argument)->host);
}

static uint64_t world_next(void *argument)
{
	return host_next(((struct model *)argument)->host);
}

static void wait_for_news(struct model *model)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&model->mutex);
	if (!model->news)
		pthread_cond_timedwait(&model->posted, &model->mutex, &until);
	model->news = false;
	pthread_mutex_unlock(&model->mutex);
}

static void *host_thread(void *argument)
{
	struct model *model = argument;

	while (!__atomic_load_n(&model->stop, __ATOMIC_ACQUIRE)) {
		if (!host_run(model->host))
			wait_for_news(model);
	}
	return NULL;
}

void model_start_thread(struct model *model)
{
	if (model->runs)
		return;
	model->runs = true;
	model->host->threads = true;
	model->stop = false;
	if (pthread_create(&model->thread, NULL, host_thread, model))
		abort();
}

void model_stop_thread(struct model *model)
{
	if (!model->runs)
		return;
	__atomic_store_n(&model->stop, true, __ATOMIC_RELEASE);
	pthread_join(model->thread, NULL);
	model->runs = false;
	model->host->threads = false;
}

void model_attach(struct model *model, struct airlock_connection *connection)
{
	model->audit->connection = connection;
	smp_store_release(&listener, connection);
	if (connection && shim_threads)
		model_start_thread(model);
}

/* ---- life ---- */

/* A host that looked whether it sees a page, with its lock, still does when it touches it. */
static void gate(void *argument, bool closed)
{
	struct host *h = argument;

	if (closed)
		host_lock(h);
	else
		host_unlock(h);
}

static void make_pages(struct model *model, u32 cpu)
{
	bool private = model->host->trusted;

	if (hostmem_create(&model->slots[cpu], sim_visibility(), 1, private) ||
	    hostmem_create(&model->flags[cpu], sim_visibility(), 1, private))
		abort();
	host_set_synic(model->host, cpu, hostmem_gfn(&model->slots[cpu], 0), hostmem_gfn(&model->flags[cpu], 0));
}

struct model *model_create(struct host *h, uint32_t cpus, bool trusted)
{
	struct model *model = calloc(1, sizeof(*model));
	u32 cpu;

	if (!model)
		abort();
	model->host = h;
	model->audit = audit_create(h);
	model->transport = (struct transport){ .ops = &model_ops, .trusted = trusted, .cpus = cpus };
	pthread_mutex_init(&model->mutex, NULL);
	pthread_cond_init(&model->posted, NULL);
	h->trusted = trusted;
	h->interrupt = interrupt;
	h->locate = locate;
	for (cpu = 0; cpu < cpus; cpu++)
		make_pages(model, cpu);
	the_model = model;
	hook_fetches(true);
	shim_world(world_run, world_next, model);
	sim_host_gate(gate, h);
	return model;
}

void model_destroy(struct model *model)
{
	struct host *h = model->host;
	u32 cpu;

	model_stop_thread(model);
	shim_world(NULL, NULL, NULL);
	sim_host_gate(NULL, NULL);
	hook_fetches(false);
	h->interrupt = NULL;
	h->locate = NULL;
	smp_store_release(&listener, NULL);
	the_model = NULL;
	for (cpu = 0; cpu < model->transport.cpus; cpu++) {
		host_set_synic(h, cpu, 0, 0);
		hostmem_destroy(&model->slots[cpu], true);
		hostmem_destroy(&model->flags[cpu], true);
	}
	audit_destroy(model->audit);
	pthread_cond_destroy(&model->posted);
	pthread_mutex_destroy(&model->mutex);
	free(model);
}

struct transport *model_transport(struct model *model)
{
	return &model->transport;
}
