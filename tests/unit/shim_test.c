// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shim below the user space build: that time, works and waits go as a kernel's do, and
 * that each mistake it watches for ends the process.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "memory.h"
#include "shim.h"
#include "visibility.h"

#define BUG_STATUS 97

static int start(void **state)
{
	(void)state;
	shim_start(false, 2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	shim_stop();
	return shim_allocated() ? -1 : 0;
}

/* All that is written to @from, as a string. */
static void read_all(int from, char *to, size_t room)
{
	ssize_t size;

	while ((size = read(from, to, room - 1)) > 0) {
		to += size;
		room -= (size_t)size;
	}
	*to = '\0';
}

/* Whether @mistake ends a process, as shim_bug() does, with a line that has @words in it. */
static void assert_bug(void (*mistake)(void), const char *words)
{
	char said[1024];
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		mistake();
		_exit(0);
	}
	close(ends[1]);
	read_all(ends[0], said, sizeof(said));
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != BUG_STATUS || !strstr(said, words))
		fail_msg("status %#x and \"%s\", not \"%s\"", status, said, words);
}

/* ---- time ---- */

static void time_passes_only_in_waits(void **state)
{
	(void)state;
	assert_int_equal(shim_now(), 0);
	msleep(250);
	assert_int_equal(shim_now(), 250);
	usleep_range(1500, 2000);
	assert_int_equal(shim_now(), 251);
	udelay(500);
	assert_int_equal(shim_now(), 252);
	shim_run(0);
	assert_int_equal(shim_now(), 252);
	shim_run(48);
	assert_int_equal(shim_now(), 300);
}

static void jiffies_wrap_after_five_minutes(void **state)
{
	unsigned long before = jiffies;

	(void)state;
	msleep(301000);
	assert_true((u32)before > (u32)jiffies);
	assert_true(time_after(jiffies, before));
	assert_int_equal(jiffies - before, msecs_to_jiffies(301000));
}

static void a_wait_ends_at_its_deadline(void **state)
{
	DECLARE_COMPLETION_ONSTACK(x);

	(void)state;
	assert_int_equal(wait_for_completion_timeout(&x, msecs_to_jiffies(40)), 0);
	assert_int_equal(shim_now(), 40);
	assert_int_equal(shim_waited(), 40);
	complete(&x);
	assert_int_equal(wait_for_completion_timeout(&x, 1000), 1000);
	assert_int_equal(shim_now(), 40);
	assert_false(completion_done(&x));
}

static void complete_all_ends_every_wait(void **state)
{
	DECLARE_COMPLETION_ONSTACK(x);

	(void)state;
	complete_all(&x);
	assert_true(wait_for_completion_timeout(&x, 1));
	assert_true(wait_for_completion_timeout(&x, 1));
	reinit_completion(&x);
	assert_false(try_wait_for_completion(&x));
}

/* ---- the world ---- */

struct world {
	u64 due;
	unsigned int runs;
	struct completion answered;
};

static bool run_world(void *argument)
{
	struct world *w = argument;

	if (!w->due || shim_now() < w->due)
		return false;
	w->due = 0;
	w->runs++;
	complete(&w->answered);
	return true;
}

static u64 world_is_due(void *argument)
{
	struct world *w = argument;

	return w->due ? w->due : UINT64_MAX;
}

static void the_world_runs_when_it_is_due(void **state)
{
	struct world w = { .due = 30 };

	(void)state;
	init_completion(&w.answered);
	shim_world(run_world, world_is_due, &w);
	assert_int_equal(wait_for_completion_timeout(&w.answered, 1000), 970);
	assert_int_equal(shim_now(), 30);
	assert_int_equal(w.runs, 1);
}

/* ---- interrupts and tasklets ---- */

static char trace[64];

static void note(char what)
{
	size_t length = strlen(trace);

	assert_true(length + 1 < sizeof(trace));
	trace[length] = what;
	trace[length + 1] = '\0';
}

static struct tasklet_struct tasklet;

static void on_tasklet(struct tasklet_struct *t)
{
	assert_ptr_equal(t, &tasklet);
	assert_true(in_interrupt());
	assert_false(in_hardirq());
	note('t');
}

static void on_interrupt(void *argument, unsigned int cpu)
{
	assert_null(argument);
	assert_int_equal(cpu, 1);
	assert_int_equal(smp_processor_id(), 1);
	assert_true(in_hardirq());
	tasklet_schedule(&tasklet);
	note('i');
}

static void interrupts_come_before_tasklets_and_both_only_in_waits(void **state)
{
	(void)state;
	trace[0] = '\0';
	tasklet_setup(&tasklet, on_tasklet);
	tasklet_schedule(&tasklet);
	shim_interrupt(1, on_interrupt, NULL);
	shim_interrupt(1, on_interrupt, NULL);
	assert_string_equal(trace, "");
	shim_run(0);
	assert_string_equal(trace, "it");
	shim_interrupt(1, on_interrupt, NULL);
	shim_run(0);
	assert_string_equal(trace, "itit");
}

static void a_disabled_tasklet_waits(void **state)
{
	(void)state;
	trace[0] = '\0';
	tasklet_setup(&tasklet, on_tasklet);
	tasklet_disable(&tasklet);
	tasklet_schedule(&tasklet);
	shim_run(10);
	assert_string_equal(trace, "");
	tasklet_enable(&tasklet);
	tasklet_kill(&tasklet);
	assert_string_equal(trace, "t");
}

/* ---- works ---- */

struct job {
	struct work_struct work;
	struct delayed_work later;
	char name;
	unsigned int sleep;
	struct job *other;
};

static void do_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	note(job->name);
	if (job->sleep)
		msleep(job->sleep);
	note((char)(job->name - 'a' + 'A'));
}

static void do_later(struct work_struct *work)
{
	struct job *job = container_of(to_delayed_work(work), struct job, later);

	note(job->name);
}

static void job_init(struct job *job, char name, unsigned int sleep)
{
	*job = (struct job) { .name = name, .sleep = sleep };
	INIT_WORK(&job->work, do_job);
	INIT_DELAYED_WORK(&job->later, do_later);
	trace[0] = '\0';
}

static void an_ordered_queue_runs_one_after_the_other(void **state)
{
	struct workqueue_struct *queue = alloc_ordered_workqueue("test", 0);
	struct job a, b;

	(void)state;
	assert_non_null(queue);
	job_init(&a, 'a', 10);
	job_init(&b, 'b', 0);
	assert_true(queue_work(queue, &a.work));
	assert_true(queue_work(queue, &b.work));
	assert_false(queue_work(queue, &b.work));
	flush_workqueue(queue);
	assert_string_equal(trace, "aAbB");
	assert_int_equal(shim_now(), 10);
	destroy_workqueue(queue);
}

static void other_queues_run_beside_each_other(void **state)
{
	struct job a, b;

	(void)state;
	job_init(&a, 'a', 10);
	job_init(&b, 'b', 5);
	schedule_work(&a.work);
	schedule_work(&b.work);
	assert_true(flush_work(&a.work));
	assert_string_equal(trace, "abBA");
	assert_int_equal(shim_now(), 10);
	assert_false(flush_work(&b.work));
}

static void a_work_never_runs_twice_at_a_time(void **state)
{
	struct job a;

	(void)state;
	job_init(&a, 'a', 10);
	schedule_work(&a.work);
	shim_run(1);
	assert_string_equal(trace, "a");
	assert_true(schedule_work(&a.work));
	shim_run(1);
	assert_string_equal(trace, "a");
	flush_work(&a.work);
	assert_string_equal(trace, "aAaA");
	assert_int_equal(shim_now(), 20);
}

static void a_work_is_cancelled_before_it_runs_or_waited_for(void **state)
{
	struct job a;

	(void)state;
	job_init(&a, 'a', 10);
	schedule_work(&a.work);
	assert_true(cancel_work_sync(&a.work));
	shim_run(1);
	assert_string_equal(trace, "");
	schedule_work(&a.work);
	shim_run(1);
	assert_false(cancel_work_sync(&a.work));
	assert_string_equal(trace, "aA");
}

static void delayed_works_run_in_their_time(void **state)
{
	struct job a, b;

	(void)state;
	job_init(&a, 'a', 0);
	job_init(&b, 'b', 0);
	assert_true(schedule_delayed_work(&a.later, msecs_to_jiffies(20)));
	assert_true(schedule_delayed_work(&b.later, msecs_to_jiffies(10)));
	assert_false(schedule_delayed_work(&b.later, 0));
	shim_run(9);
	assert_string_equal(trace, "");
	assert_true(mod_delayed_work(system_wq, &a.later, 0));
	shim_run(0);
	assert_string_equal(trace, "a");
	shim_run(1);
	assert_string_equal(trace, "ab");
	schedule_delayed_work(&a.later, 1);
	assert_true(cancel_delayed_work_sync(&a.later));
	shim_run(100);
	assert_string_equal(trace, "ab");
}

/* Tasks that wait for each other, not in the order in which they began. */
static DEFINE_MUTEX(shared_mutex);
static struct completion go;

static void wait_with_mutex(struct work_struct *work)
{
	(void)work;
	mutex_lock(&shared_mutex);
	note('2');
	assert_true(wait_for_completion_timeout(&go, 100));
	note('4');
	mutex_unlock(&shared_mutex);
}

static void tasks_wait_for_each_other_in_any_order(void **state)
{
	struct work_struct work;

	(void)state;
	trace[0] = '\0';
	init_completion(&go);
	INIT_WORK(&work, wait_with_mutex);
	mutex_lock(&shared_mutex);
	schedule_work(&work);
	shim_run(5);
	note('1');
	mutex_unlock(&shared_mutex);
	shim_run(5);
	note('3');
	complete(&go);
	mutex_lock(&shared_mutex);
	note('5');
	mutex_unlock(&shared_mutex);
	assert_string_equal(trace, "12345");
	assert_int_equal(shim_now(), 10);
}

/* ---- memory of the guest ---- */

static void allocations_fail_when_they_are_told_to(void **state)
{
	void *p[4];
	unsigned int i;

	(void)state;
	shim_fail_allocations(2, 2);
	for (i = 0; i < 4; i++)
		p[i] = kmalloc(8, GFP_KERNEL);
	assert_non_null(p[0]);
	assert_null(p[1]);
	assert_non_null(p[2]);
	assert_null(p[3]);
	assert_int_equal(shim_allocated(), 16);
	assert_int_equal(shim_allocated_blocks(), 2);
	kfree(p[0]);
	kfree(p[2]);
	shim_fail_allocations(1, 0);
	assert_null(kvcalloc(3, 5, GFP_KERNEL));
	p[0] = kvcalloc(3, 5, GFP_KERNEL);
	assert_null(memchr_inv(p[0], 0, 15));
	kvfree(p[0]);
	assert_null(kcalloc(SIZE_MAX / 4, 8, GFP_KERNEL));
}

static void memory_that_was_not_cleared_is_full_of_the_secret(void **state)
{
	u8 *p = kmalloc(40, GFP_KERNEL);

	(void)state;
	assert_memory_equal(p, sim_secret, 16);
	assert_memory_equal(p + 32, sim_secret, 8);
	kfree(p);
}

static void pages_go_to_the_host_and_back(void **state)
{
	const struct visibility_ops *ops;
	struct visibility *v;
	u8 *at, *host;
	u64 gfn;

	(void)state;
	sim_start(SIM_VBS, 8);
	v = sim_visibility();
	ops = v->ops;
	at = ops->alloc(v, 2);
	assert_non_null(at);
	assert_null(memchr_inv(at, 0, 8192));
	gfn = ops->gfn(v, at);
	assert_false(sim_is_shared(gfn));
	assert_int_equal(ops->share(v, at, 2), 0);
	assert_int_equal(sim_shared_pages(), 2);
	host = sim_host_memory(gfn, 4090, 12);
	memcpy(host, "across pages", 12);
	assert_memory_equal(at + 4090, "across pages", 12);
	assert_int_equal(sim_find("across", 6), 1);
	assert_false(sim_secret_shows());
	memcpy(at + 77, sim_secret + 14, 2);
	memcpy(at + 79, sim_secret, 2);
	assert_true(sim_secret_shows());
	assert_int_equal(ops->revoke(v, at, 2), 0);
	assert_int_equal(sim_shared_pages(), 0);
	assert_memory_equal(at + 4090, "across pages", 12);
	ops->free(v, at, 2);
	sim_stop(0);
}

static void pages_change_with_their_side(void **state)
{
	static const u8 zero[16];
	struct visibility *v;
	u8 *at;

	(void)state;
	sim_start(SIM_SNP, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 1);
	memcpy(at, "sixteen letters", 16);
	assert_int_equal(v->ops->share(v, at, 1), 0);
	assert_memory_not_equal(at, "sixteen letters", 16);
	assert_memory_not_equal(at, zero, 16);
	assert_int_equal(v->ops->revoke(v, at, 1), 0);
	v->ops->free(v, at, 1);
	sim_stop(0);

	sim_start(SIM_TDX, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 1);
	memcpy(at, "sixteen letters", 16);
	assert_int_equal(v->ops->share(v, at, 1), 0);
	assert_memory_equal(at, zero, 16);
	assert_int_equal(v->ops->revoke(v, at, 1), 0);
	assert_memory_not_equal(at, zero, 16);
	v->ops->free(v, at, 1);
	sim_stop(0);
}

static void a_conversion_fails_half_way(void **state)
{
	struct visibility *v;
	u64 gfn;
	u8 *at;

	(void)state;
	sim_start(SIM_SNP, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 4);
	gfn = v->ops->gfn(v, at);
	sim_fail_share(1, -EIO, 1);
	assert_int_equal(v->ops->share(v, at, 4), -EIO);
	assert_true(sim_is_shared(gfn));
	assert_false(sim_is_shared(gfn + 1));
	sim_fail_revoke(2, -EBUSY, 0);
	assert_int_equal(v->ops->revoke(v, at, 4), 0);
	sim_lie_share(1);
	assert_int_equal(v->ops->share(v, at, 4), 0);
	assert_int_equal(sim_shared_pages(), 0);
	assert_int_equal(v->ops->revoke(v, at, 4), -EBUSY);
	assert_int_equal(sim_struck(), 3);
	assert_int_equal(v->ops->revoke(v, at, 4), 0);
	v->ops->free(v, at, 4);
	sim_stop(0);
}

static void runs_are_mapped_side_by_side(void **state)
{
	struct page_run runs[2] = { { .pages = 2 }, { .pages = 1 } };
	struct visibility *v;
	u8 __host *mapped;
	u8 *at;
	u32 i;

	(void)state;
	sim_start(SIM_PLAIN, 8);
	v = sim_visibility();
	for (i = 0; i < 2; i++) {
		runs[i].at = v->ops->alloc(v, runs[i].pages);
		assert_int_equal(v->ops->share(v, runs[i].at, runs[i].pages), 0);
	}
	mapped = v->ops->map(v, runs, 2, false);
	at = host_address(mapped);
	memcpy(at + 8190, "seam", 4);
	assert_memory_equal((u8 *)runs[0].at + 8190, "se", 2);
	assert_memory_equal(runs[1].at, "am", 2);
	assert_ptr_equal(sim_host_address(at + 8192 + 7), (u8 *)runs[1].at + 7);
	assert_ptr_equal(sim_host_address(runs), runs);
	v->ops->unmap(v, mapped);
	mapped = v->ops->map(v, runs, 1, false);
	assert_ptr_equal(host_address(mapped), runs[0].at);
	v->ops->unmap(v, mapped);
	for (i = 0; i < 2; i++) {
		assert_int_equal(v->ops->revoke(v, runs[i].at, runs[i].pages), 0);
		v->ops->free(v, runs[i].at, runs[i].pages);
	}
	sim_stop(0);
}

static void pages_run_out(void **state)
{
	struct visibility *v;
	void *a, *b;

	(void)state;
	sim_start(SIM_PLAIN, 20);
	v = sim_visibility();
	a = v->ops->alloc(v, 16);
	b = v->ops->alloc(v, 4);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(v->ops->alloc(v, 1));
	v->ops->free(v, a, 16);
	sim_stop(4);
}

/* ---- the log ---- */

static void the_log_is_limited(void **state)
{
	unsigned int i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 50; i++)
			pr_warn_ratelimited("line %u\n", i);
		assert_int_equal(shim_log_lines, 10 * (round + 1));
		msleep(5000);
	}
	pr_info("one more\n");
	assert_int_equal(shim_log_lines, 21);
}

static void panic_returns_and_is_noted(void **state)
{
	(void)state;
	assert_false(shim_panicked);
	panic("%s", "at the disco");
	assert_true(shim_panicked);
}

/* ---- mistakes ---- */

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static DEFINE_MUTEX(mutex_a);

#define MISTAKES(X)                                                                           \
	X(sleeps_with_a_lock, "msleep() may sleep",                                           \
	  spin_lock(&lock_a); msleep(1);)                                                     \
	X(allocates_with_a_lock, "GFP_KERNEL may sleep",                                      \
	  spin_lock_bh(&lock_a); kfree(kmalloc(1, GFP_KERNEL));)                              \
	X(takes_a_mutex_with_interrupts_off, "mutex_lock() may sleep",                        \
	  unsigned long flags; local_irq_save(flags); mutex_lock(&mutex_a);)                  \
	X(takes_a_lock_twice, "is taken twice",                                               \
	  spin_lock(&lock_a); spin_lock(&lock_a);)                                            \
	X(takes_a_mutex_twice, "is taken twice",                                              \
	  mutex_lock(&mutex_a); mutex_lock(&mutex_a);)                                        \
	X(unlocks_what_is_free, "does not hold it",                                           \
	  spin_unlock(&lock_a);)                                                              \
	X(unlocks_another_way, "in another way",                                              \
	  spin_lock_bh(&lock_a); spin_unlock(&lock_a);)                                       \
	X(unlocks_with_flags_of_another, "flags of another",                                  \
	  unsigned long f, g; spin_lock_irqsave(&lock_a, f); spin_lock_irqsave(&lock_b, g);   \
	  spin_unlock_irqrestore(&lock_b, f);)                                                \
	X(enables_interrupts_too_early, "would enable them",                                  \
	  unsigned long f; spin_lock_irqsave(&lock_a, f); spin_lock_irq(&lock_b);)            \
	X(locks_in_two_orders, "elsewhere is taken inside it",                                \
	  spin_lock(&lock_a); spin_lock(&lock_b); spin_unlock(&lock_b); spin_unlock(&lock_a); \
	  spin_lock(&lock_b); spin_lock(&lock_a);)                                            \
	X(locks_what_it_did_not_initialise, "never initialised",                              \
	  spinlock_t l = { .magic = 0 }; spin_lock(&l);)                                      \
	X(waits_without_a_deadline, "without a deadline",                                     \
	  DECLARE_COMPLETION_ONSTACK(x); wait_for_completion(&x);)                            \
	X(waits_for_ever, "no deadline",                                                      \
	  DECLARE_COMPLETION_ONSTACK(x); wait_for_completion_timeout(&x, ~0UL >> 1);)         \
	X(spins_for_ever, "a livelock",                                                       \
	  unsigned long end = jiffies + 1; while (time_before(jiffies, end)) cpu_relax();)    \
	X(frees_twice, "which is not allocated",                                              \
	  static u8 block[256]; kfree(block + 128);)                                          \
	X(frees_large_memory_as_small, "kfree() of memory",                                    \
	  kfree(kvmalloc(100, GFP_KERNEL));)                                                  \
	X(allocates_too_much, "too much for kmalloc()",                                       \
	  kfree(kmalloc(8 << 20, GFP_KERNEL));)                                               \
	X(asks_which_processor_where_it_may_change, "may be moved",                           \
	  assert_int_equal(smp_processor_id(), 0);)                                           \
	X(drops_a_reference_too_many, "left < 0",                                             \
	  refcount_t r = REFCOUNT_INIT(0); (void)!refcount_dec_and_test(&r);)                 \
	X(revives_the_dead, "<= 0",                                                           \
	  refcount_t r = REFCOUNT_INIT(0); refcount_inc(&r);)                                 \
	X(removes_from_a_list_twice, "list.h",                                                \
	  LIST_HEAD(h); struct list_head n; list_add(&n, &h); list_del(&n); list_del(&n);)    \
	X(ends_with_a_lock, "still held at the end",                                          \
	  mutex_lock(&mutex_a); shim_stop();)

#define X(name, words, ...)                                                                   \
	static void who_##name(void)                                                          \
	{                                                                                     \
		shim_start(false, 2);                                                         \
		__VA_ARGS__                                                                   \
	}                                                                                     \
	static void a_program_that_##name##_ends(void **state)                                \
	{                                                                                     \
		(void)state;                                                                  \
		assert_bug(who_##name, words);                                                \
	}
MISTAKES(X)
#undef X

static void take_lock_a(struct tasklet_struct *t)
{
	(void)t;
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
}

static void sleep_a_little(struct tasklet_struct *t)
{
	(void)t;
	msleep(1);
}

static void keep_lock_a(struct tasklet_struct *t)
{
	(void)t;
	spin_lock(&lock_a);
}

static void schedule_again(struct tasklet_struct *t)
{
	tasklet_schedule(t);
}

static void run_tasklet(void (*callback)(struct tasklet_struct *t))
{
	tasklet_setup(&tasklet, callback);
	tasklet_schedule(&tasklet);
	shim_run(0);
}

static void lock_for_tasklet_without_bh(void)
{
	run_tasklet(take_lock_a);
	spin_lock_bh(&lock_a);
	spin_unlock_bh(&lock_a);
	spin_lock(&lock_a);
}

static void lock_for_interrupt_with_bh(void)
{
	spin_lock_bh(&lock_a);
	spin_unlock_bh(&lock_a);
	shim_interrupt(0, (void (*)(void *, unsigned int))(void *)take_lock_a, &tasklet);
	shim_run(0);
}

static void sleep_in_tasklet(void)
{
	run_tasklet(sleep_a_little);
}

static void return_from_tasklet_with_lock(void)
{
	run_tasklet(keep_lock_a);
}

static void schedule_for_ever(void)
{
	run_tasklet(schedule_again);
}

static void wait_for_what_never_ends(void)
{
	tasklet_setup(&tasklet, on_tasklet);
	assert_true(tasklet_trylock(&tasklet));
	tasklet_unlock_wait(&tasklet);
}

static void tasklets_are_watched(void **state)
{
	(void)state;
	assert_bug(lock_for_tasklet_without_bh, "taken by tasklets, and with tasklets enabled");
	assert_bug(lock_for_interrupt_with_bh, "taken by interrupts, and with interrupts enabled");
	assert_bug(sleep_in_tasklet, "msleep() may sleep: in a tasklet");
	assert_bug(return_from_tasklet_with_lock, "a tasklet returned with lock lock_a held");
	assert_bug(schedule_for_ever, "a livelock");
	assert_bug(wait_for_what_never_ends, "a deadlock");
}

static void cancel_oneself(struct work_struct *work)
{
	cancel_work_sync(work);
}

static void lock_for_ever(struct work_struct *work)
{
	(void)work;
	mutex_lock(&mutex_a);
}

static void mutex_for_a_moment(struct work_struct *work)
{
	(void)work;
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
}

static void work_that_cancels_itself(void)
{
	struct work_struct work;

	INIT_WORK(&work, cancel_oneself);
	schedule_work(&work);
	flush_work(&work);
}

static void work_that_waits_for_who_waits_for_it(void)
{
	struct work_struct work;

	INIT_WORK(&work, lock_for_ever);
	mutex_lock(&mutex_a);
	schedule_work(&work);
	flush_work(&work);
}

static void work_freed_while_queued(void)
{
	struct work_struct *work = kmalloc(sizeof(*work), GFP_KERNEL);

	INIT_WORK(work, lock_for_ever);
	schedule_work(work);
	kfree(work);
}

static void mutex_freed_while_held(void)
{
	struct mutex *mutex = kmalloc(sizeof(*mutex), GFP_KERNEL);

	mutex_init(mutex);
	mutex_lock(mutex);
	kfree(mutex);
}

static void end_with_a_work(void)
{
	static struct work_struct work;

	INIT_WORK(&work, lock_for_ever);
	schedule_work(&work);
	shim_stop();
}

static struct work_struct harmless;

/* Nothing is locked meanwhile, but might have been. */
static void work_waited_for_with_a_lock_that_it_takes(void)
{
	INIT_WORK(&harmless, mutex_for_a_moment);
	schedule_work(&harmless);
	shim_run(0);
	mutex_lock(&mutex_a);
	cancel_work_sync(&harmless);
}

static void queue_waited_for_with_a_lock_that_its_works_take(void)
{
	struct workqueue_struct *queue = alloc_workqueue("test", 0, 0);

	INIT_WORK(&harmless, mutex_for_a_moment);
	queue_work(queue, &harmless);
	shim_run(0);
	mutex_lock(&mutex_a);
	flush_workqueue(queue);
}

static void works_are_watched(void **state)
{
	(void)state;
	assert_bug(work_that_cancels_itself, "cancel_work_sync() of a work in that work");
	assert_bug(work_that_waits_for_who_waits_for_it, "elsewhere is taken inside it");
	assert_bug(work_waited_for_with_a_lock_that_it_takes, "elsewhere is taken inside it");
	assert_bug(queue_waited_for_with_a_lock_that_its_works_take, "elsewhere is taken inside it");
	assert_bug(work_freed_while_queued, "a work that is queued");
	assert_bug(mutex_freed_while_held, "a lock that is held");
	assert_bug(end_with_a_work, "still queued at the end");
}

static void host_reads_a_private_page(void)
{
	struct visibility *v;

	sim_start(SIM_SNP, 8);
	v = sim_visibility();
	sim_host_memory(v->ops->gfn(v, v->ops->alloc(v, 1)), 0, 1);
}

static void host_reads_beyond_a_shared_page(void)
{
	struct visibility *v;
	void *at;

	sim_start(SIM_SNP, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 1);
	assert_int_equal(v->ops->share(v, at, 1), 0);
	sim_host_memory(v->ops->gfn(v, at), 4095, 2);
}

static void guest_frees_a_shared_page(void)
{
	struct visibility *v;
	void *at;

	sim_start(SIM_TDX, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 2);
	sim_fail_revoke(1, -EIO, 1);
	assert_int_equal(v->ops->share(v, at, 2), 0);
	assert_int_equal(v->ops->revoke(v, at, 2), -EIO);
	v->ops->free(v, at, 2);
}

static void guest_shares_twice(void)
{
	struct visibility *v;
	void *at;

	sim_start(SIM_PLAIN, 8);
	v = sim_visibility();
	at = v->ops->alloc(v, 1);
	assert_int_equal(v->ops->share(v, at, 1), 0);
	assert_int_equal(v->ops->share(v, at, 1), 0);
}

static void guest_forgets_a_page(void)
{
	sim_start(SIM_PLAIN, 8);
	sim_visibility()->ops->alloc(sim_visibility(), 1);
	sim_stop(0);
}

static void pages_are_watched(void **state)
{
	(void)state;
	assert_bug(host_reads_a_private_page, "which it cannot see");
	assert_bug(host_reads_beyond_a_shared_page, "which it cannot see");
	assert_bug(guest_frees_a_shared_page, "freed while it is shared");
	assert_bug(guest_shares_twice, "shared twice");
	assert_bug(guest_forgets_a_page, "still allocated");
}

/* ---- threads ---- */

#define ROUNDS 2000

static struct {
	spinlock_t lock;
	struct tasklet_struct tasklet;
	struct delayed_work later;
	struct work_struct work;
	struct completion done, timed;
	struct mutex mutex;
	unsigned int interrupts, tasklets, works;
	u8 *memory;
} real;

static void real_interrupt(void *argument, unsigned int cpu)
{
	unsigned long flags;

	assert_ptr_equal(argument, &real);
	assert_int_equal(cpu, raw_smp_processor_id());
	spin_lock_irqsave(&real.lock, flags);
	real.interrupts++;
	spin_unlock_irqrestore(&real.lock, flags);
	tasklet_schedule(&real.tasklet);
}

static void real_tasklet(struct tasklet_struct *t)
{
	assert_ptr_equal(t, &real.tasklet);
	real.tasklets++;
	schedule_work(&real.work);
}

static void real_work(struct work_struct *work)
{
	(void)work;
	mutex_lock(&real.mutex);
	real.works++;
	kfree(real.memory);
	real.memory = kzalloc(real.works % 100 + 1, GFP_KERNEL);
	mutex_unlock(&real.mutex);
	complete(&real.done);
}

static void real_later(struct work_struct *work)
{
	(void)work;
	complete_all(&real.timed);
}

static int start_threads(void **state)
{
	(void)state;
	shim_start(true, 2);
	spin_lock_init(&real.lock);
	mutex_init(&real.mutex);
	init_completion(&real.done);
	init_completion(&real.timed);
	tasklet_setup(&real.tasklet, real_tasklet);
	INIT_WORK(&real.work, real_work);
	INIT_DELAYED_WORK(&real.later, real_later);
	return 0;
}

static void threads_do_what_one_thread_does(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		shim_interrupt(i % 2, real_interrupt, &real);
		assert_true(wait_for_completion_timeout(&real.done, msecs_to_jiffies(10000)));
	}
	shim_run(0);
	tasklet_kill(&real.tasklet);
	cancel_work_sync(&real.work);
	assert_int_equal(real.works, ROUNDS);
	assert_int_equal(real.tasklets, ROUNDS);
	assert_int_equal(real.interrupts, ROUNDS);
	kfree(real.memory);
}

static void threads_wait_in_real_time(void **state)
{
	u64 before = shim_now();

	(void)state;
	assert_int_equal(wait_for_completion_timeout(&real.done, msecs_to_jiffies(20)), 0);
	assert_true(shim_now() - before >= 20);
	schedule_delayed_work(&real.later, msecs_to_jiffies(30));
	assert_true(wait_for_completion_timeout(&real.timed, msecs_to_jiffies(10000)));
	assert_true(shim_now() - before >= 50);
	schedule_delayed_work(&real.later, msecs_to_jiffies(3600000));
	assert_true(cancel_delayed_work_sync(&real.later));
}

static void *post_interrupts(void *argument)
{
	unsigned int i;

	(void)argument;
	for (i = 0; i < ROUNDS; i++)
		shim_interrupt(i % 2, real_interrupt, &real);
	return NULL;
}

static void tasklets_of_two_processors_never_run_together(void **state)
{
	pthread_t threads[2];
	unsigned int i;

	(void)state;
	real.works = 0;
	real.memory = NULL;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_interrupts, NULL), 0);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	shim_run(0);
	assert_true(real.works > 0);
	kfree(real.memory);
}

#define ONE_THREAD(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define THREADS(name) cmocka_unit_test_setup_teardown(name, start_threads, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: ThreadSanitizer has its difficulties when a program with several stacks forks. */
#define X(name, words, ...) cmocka_unit_test(a_program_that_##name##_ends),
		MISTAKES(X)
#undef X
		ONE_THREAD(tasklets_are_watched),
		ONE_THREAD(works_are_watched),
		ONE_THREAD(pages_are_watched),
		ONE_THREAD(time_passes_only_in_waits),
		ONE_THREAD(jiffies_wrap_after_five_minutes),
		ONE_THREAD(a_wait_ends_at_its_deadline),
		ONE_THREAD(complete_all_ends_every_wait),
		ONE_THREAD(the_world_runs_when_it_is_due),
		ONE_THREAD(interrupts_come_before_tasklets_and_both_only_in_waits),
		ONE_THREAD(a_disabled_tasklet_waits),
		ONE_THREAD(an_ordered_queue_runs_one_after_the_other),
		ONE_THREAD(other_queues_run_beside_each_other),
		ONE_THREAD(a_work_never_runs_twice_at_a_time),
		ONE_THREAD(a_work_is_cancelled_before_it_runs_or_waited_for),
		ONE_THREAD(delayed_works_run_in_their_time),
		ONE_THREAD(tasks_wait_for_each_other_in_any_order),
		ONE_THREAD(allocations_fail_when_they_are_told_to),
		ONE_THREAD(memory_that_was_not_cleared_is_full_of_the_secret),
		ONE_THREAD(pages_go_to_the_host_and_back),
		ONE_THREAD(pages_change_with_their_side),
		ONE_THREAD(a_conversion_fails_half_way),
		ONE_THREAD(runs_are_mapped_side_by_side),
		ONE_THREAD(pages_run_out),
		ONE_THREAD(the_log_is_limited),
		ONE_THREAD(panic_returns_and_is_noted),
		THREADS(threads_do_what_one_thread_does),
		THREADS(threads_wait_in_real_time),
		THREADS(tasklets_of_two_processors_never_run_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
