// SPDX-License-Identifier: GPL-2.0-only
/*
 * Works, and the queues that run them: an ordered one its works in turn, others all that
 * there are at once, but no work twice at a time. Who runs them is a worker: a task of
 * fiber.c, or a thread.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"

#define THREADS_MAX 64

struct workqueue_struct {
	bool ordered;
	unsigned int running;
	struct shim_lock_class *class;
};

static struct shim_lock_class system_class = { .name = "the system's work queue" };
static struct workqueue_struct system_queue = { .class = &system_class };
struct workqueue_struct *system_wq = &system_queue;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queued, timed;
static struct work_struct *pending;		/* in the order in which they were queued */
static struct delayed_work *delayed;		/* soonest first */
static struct shim_worker *workers;
static unsigned int worker_count, idle_count;
static pthread_t timer_thread;
static u64 turns;
static bool stopping;

static void lock(void)
{
	if (shim_threads)
		pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
	if (shim_threads)
		pthread_mutex_unlock(&mutex);
}

/* ---- workers; all with the lock ---- */

void shim_worker_add(struct shim_worker *worker)
{
	worker->next = workers;
	workers = worker;
}

static const struct shim_worker *runs(const struct work_struct *work)
{
	const struct shim_worker *worker;

	for (worker = workers; worker; worker = worker->next)
		if (worker->work == work)
			return worker;
	return NULL;
}

static bool may_run(const struct work_struct *work)
{
	return !(work->queue->ordered && work->queue->running) && !runs(work);
}

static struct work_struct **find_due(void)
{
	struct work_struct **at;

	for (at = &pending; *at; at = &(*at)->next)
		if (may_run(*at))
			return at;
	return NULL;
}

static bool take_due(struct shim_worker *worker)
{
	struct work_struct **at = find_due(), *work;

	if (!at)
		return false;
	work = *at;
	*at = work->next;
	work->pending = false;
	worker->work = work;
	worker->func = work->func;
	worker->class = work->class;
	worker->queue = work->queue;
	worker->turn = work->turn;
	work->queue->running++;
	return true;
}

bool shim_work_is_due(void)
{
	return find_due();
}

void shim_take_work(struct shim_worker *worker)
{
	if (!take_due(worker))
		shim_bug("no work is due");
}

static void check_after(struct shim_context *context)
{
	if (context->held_count)
		shim_bug("a work returned with lock %s held", context->held[0].class->name);
	if (!shim_can_sleep(context))
		shim_bug("a work returned with preemption, tasklets or interrupts disabled");
}

/* Without the lock. */
void shim_run_work(struct shim_worker *worker)
{
	shim_hold(worker->queue, worker->queue->class);
	shim_hold(worker, worker->class);
	worker->func(worker->work);
	shim_let_go(worker);
	shim_let_go(worker->queue);
	check_after(shim_context());
	lock();
	worker->queue->running--;
	worker->work = NULL;
	worker->queue = NULL;
	if (shim_threads)
		pthread_cond_broadcast(&queued);
	unlock();
}

static void *work_in_thread(void *argument)
{
	struct shim_worker *worker = argument;

	shim_context()->worker = worker;
	lock();
	while (!stopping) {
		if (take_due(worker)) {
			unlock();
			shim_run_work(worker);
			lock();
			continue;
		}
		idle_count++;
		pthread_cond_wait(&queued, &mutex);
		idle_count--;
	}
	unlock();
	return NULL;
}

static void add_thread(void)
{
	struct shim_worker *worker = calloc(1, sizeof(*worker));

	shim_worker_add(worker);
	worker_count++;
	if (pthread_create(&worker->thread, NULL, work_in_thread, worker))
		shim_bug("no thread");
}

/* ---- queueing; all with the lock ---- */

static void enqueue(struct workqueue_struct *queue, struct work_struct *work)
{
	struct work_struct **at = &pending;

	while (*at)
		at = &(*at)->next;
	*at = work;
	work->next = NULL;
	work->pending = true;
	work->queue = queue;
	work->turn = ++turns;
	if (!shim_threads)
		return;
	if (!idle_count && worker_count < THREADS_MAX)
		add_thread();
	pthread_cond_signal(&queued);
}

static void enqueue_later(struct workqueue_struct *queue, struct delayed_work *d, unsigned long ticks)
{
	struct delayed_work **at = &delayed;

	if (!ticks) {
		enqueue(queue, &d->work);
		return;
	}
	d->due = shim_after_ticks(ticks);
	while (*at && (*at)->due <= d->due)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
	d->waiting = true;
	d->work.pending = true;
	d->work.queue = queue;
	if (shim_threads)
		pthread_cond_signal(&timed);
}

static bool remove_pending(struct work_struct *work)
{
	struct work_struct **at;

	for (at = &pending; *at; at = &(*at)->next)
		if (*at == work) {
			*at = work->next;
			work->pending = false;
			return true;
		}
	return false;
}

static bool remove_delayed(struct delayed_work *d)
{
	struct delayed_work **at;

	if (!d->waiting)
		return remove_pending(&d->work);
	for (at = &delayed; *at != d; at = &(*at)->next)
		if (!*at)
			shim_bug("a delayed work was initialised again while it was queued");
	*at = d->next;
	d->waiting = false;
	d->work.pending = false;
	return true;
}

static void check_work(const struct work_struct *work, const char *what)
{
	if (work->magic != SHIM_WORK)
		shim_bug("%s of a work that was never initialised", what);
}

void shim_work_init(struct work_struct *work, work_func_t func, struct shim_lock_class *class)
{
	*work = (struct work_struct) { .magic = SHIM_WORK, .func = func, .class = class };
}

void shim_delayed_work_init(struct delayed_work *d, work_func_t func, struct shim_lock_class *class)
{
	*d = (struct delayed_work) { .due = 0 };
	shim_work_init(&d->work, func, class);
}

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	bool can;

	check_work(work, "queue_work()");
	lock();
	can = !work->pending && !work->cancelling;
	if (can)
		enqueue(queue, work);
	unlock();
	return can;
}

bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *d, unsigned long ticks)
{
	bool can;

	check_work(&d->work, "queue_delayed_work()");
	lock();
	can = !d->work.pending && !d->work.cancelling;
	if (can)
		enqueue_later(queue, d, ticks);
	unlock();
	return can;
}

bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *d, unsigned long ticks)
{
	bool was = false;

	check_work(&d->work, "mod_delayed_work()");
	lock();
	if (!d->work.cancelling) {
		was = remove_delayed(d);
		enqueue_later(queue, d, ticks);
	}
	unlock();
	return was;
}

bool work_pending(struct work_struct *work)
{
	bool is;

	lock();
	is = work->pending;
	unlock();
	return is;
}

/* ---- waiting ---- */

/* For all of a queue (@work is NULL) or one work, up to a turn. */
struct until {
	const struct work_struct *work;
	const struct workqueue_struct *queue;
	u64 turn;
};

static bool concerns(const struct until *u, const struct work_struct *work,
		     const struct workqueue_struct *queue, u64 turn)
{
	return turn <= u->turn && (u->work ? u->work == work : u->queue == queue);
}

/* With the lock. */
static bool is_left(const struct until *u)
{
	const struct shim_worker *worker;
	const struct work_struct *work;

	for (work = pending; work; work = work->next)
		if (concerns(u, work, work->queue, work->turn))
			return true;
	for (worker = workers; worker; worker = worker->next)
		if (worker->work && concerns(u, worker->work, worker->queue, worker->turn))
			return true;
	return false;
}

static bool is_over(void *argument)
{
	bool left;

	lock();
	left = is_left(argument);
	unlock();
	return !left;
}

/* A work that waits for itself, or for what cannot run before it has returned. */
static void check_self(const struct until *u, const struct workqueue_struct *queue, const char *what)
{
	const struct shim_worker *me = shim_context()->worker;

	shim_may_sleep(what);
	if (!me || !me->work)
		return;
	if (u->work && me->work == u->work)
		shim_bug("%s of a work in that work", what);
	if (me->queue == queue && (!u->work || queue->ordered))
		shim_bug("%s in a work of the same queue", what);
}

static bool wait_until(struct until u, const char *what)
{
	if (is_over(&u))
		return false;
	shim_wait(is_over, &u, SHIM_NEVER, what);
	return true;
}

bool flush_work(struct work_struct *work)
{
	struct until u = { .work = work };
	struct workqueue_struct *queue;

	check_work(work, "flush_work()");
	lock();
	u.turn = turns;
	queue = work->pending ? work->queue : NULL;
	unlock();
	check_self(&u, queue, "flush_work()");
	shim_check_order(work->class);
	return wait_until(u, "flush_work()");
}

bool flush_delayed_work(struct delayed_work *d)
{
	lock();
	if (d->waiting) {
		remove_delayed(d);
		enqueue(d->work.queue, &d->work);
	}
	unlock();
	return flush_work(&d->work);
}

/* Removed before it could run, or waits until it has; meanwhile nobody can queue it. */
static bool cancel(struct work_struct *work, struct delayed_work *d, const char *what)
{
	struct until u = { .work = work, .turn = SHIM_NEVER };
	bool was;

	check_work(work, what);
	check_self(&u, NULL, what);
	shim_check_order(work->class);
	lock();
	work->cancelling++;
	was = d ? remove_delayed(d) : remove_pending(work);
	unlock();
	wait_until(u, what);
	lock();
	work->cancelling--;
	unlock();
	return was;
}

bool cancel_work_sync(struct work_struct *work)
{
	return cancel(work, NULL, "cancel_work_sync()");
}

bool cancel_delayed_work_sync(struct delayed_work *d)
{
	return cancel(&d->work, d, "cancel_delayed_work_sync()");
}

bool cancel_delayed_work(struct delayed_work *d)
{
	bool was;

	check_work(&d->work, "cancel_delayed_work()");
	lock();
	was = remove_delayed(d);
	unlock();
	return was;
}

/* ---- queues ---- */

struct workqueue_struct *shim_workqueue(bool ordered, struct shim_lock_class *class, const char *function)
{
	struct workqueue_struct *queue;

	shim_may_sleep("alloc_workqueue()");
	queue = shim_alloc(1, sizeof(*queue), GFP_KERNEL | __GFP_ZERO, false, function);
	if (queue) {
		queue->ordered = ordered;
		queue->class = class;
	}
	return queue;
}

void flush_workqueue(struct workqueue_struct *queue)
{
	struct until u = { .queue = queue };

	lock();
	u.turn = turns;
	unlock();
	check_self(&u, queue, "flush_workqueue()");
	shim_check_order(queue->class);
	wait_until(u, "flush_workqueue()");
}

void drain_workqueue(struct workqueue_struct *queue)
{
	struct until u = { .queue = queue, .turn = SHIM_NEVER };

	check_self(&u, queue, "drain_workqueue()");
	shim_check_order(queue->class);
	wait_until(u, "drain_workqueue()");
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	const struct delayed_work *d;

	drain_workqueue(queue);
	lock();
	for (d = delayed; d; d = d->next)
		if (d->work.queue == queue)
			shim_bug("a work queue is destroyed while a delayed work waits for its time");
	unlock();
	kfree(queue);
}

/* ---- time ---- */

/* With the lock. */
static bool fire(void)
{
	struct delayed_work *d = delayed;

	if (!d || d->due > shim_us())
		return false;
	remove_delayed(d);
	enqueue(d->work.queue, &d->work);
	return true;
}

bool shim_fire_timers(void)
{
	return fire();
}

u64 shim_next_timer(void)
{
	return delayed ? delayed->due : SHIM_NEVER;
}

static void *fire_in_thread(void *argument)
{
	struct timespec when;
	u64 us;

	(void)argument;
	lock();
	while (!stopping) {
		if (fire())
			continue;
		us = delayed ? delayed->due - min(delayed->due, shim_us()) : 1000000;
		clock_gettime(CLOCK_MONOTONIC, &when);
		us += (u64)when.tv_nsec / 1000;
		when.tv_sec += (time_t)(us / 1000000);
		when.tv_nsec = (long)(us % 1000000) * 1000;
		pthread_cond_clockwait(&timed, &mutex, CLOCK_MONOTONIC, &when);
	}
	unlock();
	return NULL;
}

/* ---- start, end, checks ---- */

bool shim_works_idle(void)
{
	const struct shim_worker *worker;
	bool idle;

	lock();
	idle = !pending;
	for (worker = workers; worker && idle; worker = worker->next)
		idle = !worker->work;
	unlock();
	return idle;
}

bool shim_work_within(const void *at, size_t size)
{
	const struct work_struct *work;
	const struct delayed_work *d;

	for (work = pending; work; work = work->next)
		if (shim_is_within(work, at, size))
			return true;
	for (d = delayed; d; d = d->next)
		if (shim_is_within(d, at, size))
			return true;
	return false;
}

void shim_works_start(void)
{
	struct shim_worker *worker;

	pending = NULL;
	delayed = NULL;
	turns = 0;
	stopping = false;
	system_queue.running = 0;
	for (worker = workers; worker; worker = worker->next)
		worker->work = NULL;
	pthread_cond_init(&queued, NULL);
	pthread_cond_init(&timed, NULL);
	if (shim_threads && pthread_create(&timer_thread, NULL, fire_in_thread, NULL))
		shim_bug("no thread");
}

/* Only threads end; tasks wait for the next start. */
static void join_all(void)
{
	struct shim_worker **at = &workers, *worker;

	lock();
	stopping = true;
	pthread_cond_broadcast(&queued);
	pthread_cond_signal(&timed);
	unlock();
	pthread_join(timer_thread, NULL);
	while ((worker = *at) != NULL) {
		if (!worker->thread) {
			at = &worker->next;
			continue;
		}
		pthread_join(worker->thread, NULL);
		*at = worker->next;
		free(worker);
	}
	worker_count = 0;
	idle_count = 0;
}

void shim_works_stop(void)
{
	if (shim_threads)
		join_all();
	if (pending || delayed)
		shim_bug("a work is still queued at the end");
}
