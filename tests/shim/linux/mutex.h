/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks whose holder may sleep. */
#ifndef AIRLOCK_SHIM_MUTEX_H
#define AIRLOCK_SHIM_MUTEX_H

#include <pthread.h>

#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/types.h>

#define SHIM_MUTEX 0x3c7e10cc

struct mutex {
	u32 magic;
	struct shim_lock_class *class;
	void *owner;			/* context */
	pthread_mutex_t mutex;
};

void shim_mutex_init(struct mutex *lock, struct shim_lock_class *class);
void shim_mutex_lock(struct mutex *lock, bool nested);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
bool mutex_is_locked(struct mutex *lock);
void mutex_destroy(struct mutex *lock);

#define mutex_init(lock) do {                                                                 \
	static struct shim_lock_class shim_class = { .name = #lock };                         \
	shim_mutex_init(lock, &shim_class);                                                   \
} while (0)
/* Outside functions only. */
#define DEFINE_MUTEX(lock)                                                                    \
	struct mutex lock = { SHIM_MUTEX, &(struct shim_lock_class){ .name = #lock }, NULL,   \
			      PTHREAD_MUTEX_INITIALIZER }
#define mutex_lock(lock) shim_mutex_lock(lock, false)
#define mutex_lock_nested(lock, level) shim_mutex_lock(lock, true)

#endif
