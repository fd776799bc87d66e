/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spin locks. In one thread a lock that is held can never be waited for, so finding it held is a
 * mistake; among threads it is a mutex. Both ways all rules about contexts are checked.
 */
#ifndef AIRLOCK_SHIM_SPINLOCK_H
#define AIRLOCK_SHIM_SPINLOCK_H

#include <pthread.h>

#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/types.h>

#define SHIM_SPINLOCK 0x5b1a10cc

typedef struct spinlock {
	u32 magic;
	struct shim_lock_class *class;
	void *owner;			/* context */
	pthread_mutex_t mutex;
} spinlock_t;

enum shim_lock_way { SHIM_LOCK_PLAIN, SHIM_LOCK_BH, SHIM_LOCK_IRQ, SHIM_LOCK_SAVE };

void shim_spin_init(spinlock_t *lock, struct shim_lock_class *class);
unsigned long shim_spin_lock(spinlock_t *lock, enum shim_lock_way way, bool nested);
bool shim_spin_trylock(spinlock_t *lock, enum shim_lock_way way, unsigned long *flags);
void shim_spin_unlock(spinlock_t *lock, enum shim_lock_way way, unsigned long flags);
unsigned long shim_irq_save(void);
void shim_irq_restore(unsigned long flags);

#define spin_lock_init(lock) do {                                                             \
	static struct shim_lock_class shim_class = { .name = #lock };                         \
	shim_spin_init(lock, &shim_class);                                                    \
} while (0)
/* Outside functions only. */
#define DEFINE_SPINLOCK(lock)                                                                 \
	spinlock_t lock = { SHIM_SPINLOCK, &(struct shim_lock_class){ .name = #lock }, NULL,  \
			    PTHREAD_MUTEX_INITIALIZER }

#define spin_lock(lock) ((void)shim_spin_lock(lock, SHIM_LOCK_PLAIN, false))
#define spin_lock_nested(lock, level) ((void)shim_spin_lock(lock, SHIM_LOCK_PLAIN, true))
#define spin_unlock(lock) shim_spin_unlock(lock, SHIM_LOCK_PLAIN, 0)
#define spin_lock_bh(lock) ((void)shim_spin_lock(lock, SHIM_LOCK_BH, false))
#define spin_unlock_bh(lock) shim_spin_unlock(lock, SHIM_LOCK_BH, 0)
#define spin_lock_irq(lock) ((void)shim_spin_lock(lock, SHIM_LOCK_IRQ, false))
#define spin_unlock_irq(lock) shim_spin_unlock(lock, SHIM_LOCK_IRQ, 0)
#define spin_lock_irqsave(lock, flags)                                                        \
	((flags) = shim_spin_lock(lock, SHIM_LOCK_SAVE, false), (void)(flags))
#define spin_lock_irqsave_nested(lock, flags, level)                                          \
	((flags) = shim_spin_lock(lock, SHIM_LOCK_SAVE, true), (void)(flags))
#define spin_unlock_irqrestore(lock, flags) shim_spin_unlock(lock, SHIM_LOCK_SAVE, flags)
#define spin_trylock(lock) shim_spin_trylock(lock, SHIM_LOCK_PLAIN, NULL)
#define spin_trylock_bh(lock) shim_spin_trylock(lock, SHIM_LOCK_BH, NULL)
#define spin_trylock_irqsave(lock, flags) shim_spin_trylock(lock, SHIM_LOCK_SAVE, &(flags))
#define assert_spin_locked(lock) lockdep_assert_held(lock)

#define local_irq_save(flags) ((flags) = shim_irq_save(), (void)(flags))
#define local_irq_restore(flags) shim_irq_restore(flags)

#endif
