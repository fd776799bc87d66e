/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions that run later in process context. */
#ifndef AIRLOCK_SHIM_WORKQUEUE_H
#define AIRLOCK_SHIM_WORKQUEUE_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/types.h>

struct work_struct;
struct workqueue_struct;
typedef void (*work_func_t)(struct work_struct *work);

#define SHIM_WORK 0x50cc1e57

struct work_struct {
	struct work_struct *next;	/* queued */
	u32 magic;
	u32 cancelling;
	bool pending;			/* queued, or waiting for its time */
	u64 turn;			/* of its last queueing */
	struct workqueue_struct *queue;
	struct shim_lock_class *class;	/* what it locks is locked inside; what waits for it locks it */
	work_func_t func;
};

struct delayed_work {
	struct work_struct work;
	struct delayed_work *next;	/* waiting for their time */
	u64 due;			/* us */
	bool waiting;
};

extern struct workqueue_struct *system_wq;

#define WQ_MEM_RECLAIM 0x8U
#define WQ_HIGHPRI 0x10U
#define WQ_UNBOUND 0x2U

struct workqueue_struct *shim_workqueue(bool ordered, struct shim_lock_class *class, const char *function);
#define alloc_workqueue(text, flags, active, ...) ({                                          \
	static struct shim_lock_class shim_class = { .name = "work queue " text };            \
	shim_workqueue((active) == 1, &shim_class, __func__);                                 \
})
#define alloc_ordered_workqueue(text, flags, ...) alloc_workqueue(text, flags, 1, ##__VA_ARGS__)
void flush_workqueue(struct workqueue_struct *queue);
void drain_workqueue(struct workqueue_struct *queue);
void destroy_workqueue(struct workqueue_struct *queue);

void shim_work_init(struct work_struct *work, work_func_t func, struct shim_lock_class *class);
void shim_delayed_work_init(struct delayed_work *delayed, work_func_t func, struct shim_lock_class *class);
#define INIT_WORK(work, func) do {                                                            \
	static struct shim_lock_class shim_class = { .name = "work " #func };                 \
	shim_work_init(work, func, &shim_class);                                              \
} while (0)
#define INIT_DELAYED_WORK(delayed, func) do {                                                 \
	static struct shim_lock_class shim_class = { .name = "work " #func };                 \
	shim_delayed_work_init(delayed, func, &shim_class);                                   \
} while (0)

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

/* false: it was queued already. */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long ticks);
/* true: it was queued already, and is now due then. */
bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long ticks);
#define schedule_work(work) queue_work(system_wq, work)
#define schedule_delayed_work(delayed, ticks) queue_delayed_work(system_wq, delayed, ticks)

/* true: there was something to wait for, or to cancel. */
bool flush_work(struct work_struct *work);
bool flush_delayed_work(struct delayed_work *delayed);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work(struct delayed_work *delayed);
bool cancel_delayed_work_sync(struct delayed_work *delayed);
bool work_pending(struct work_struct *work);
#define delayed_work_pending(delayed) work_pending(&(delayed)->work)

#endif
