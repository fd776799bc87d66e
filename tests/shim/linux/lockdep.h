/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds what. Locks of one place of initialisation are a class; a class knows in which
 * contexts its locks are taken, and which classes are taken inside.
 */
#ifndef AIRLOCK_SHIM_LOCKDEP_H
#define AIRLOCK_SHIM_LOCKDEP_H

#include <linux/types.h>

struct shim_lock_class {
	const char *name;
	u32 number;		/* 1 and up, once it was used */
	u32 uses;		/* contexts, as bits */
	u64 inside;		/* classes taken while one of this was held */
};

bool shim_lock_held(const void *lock);
void shim_assert_held(const void *lock, const char *name);
#define lockdep_assert_held(lock) shim_assert_held(lock, #lock)
#define lockdep_is_held(lock) shim_lock_held(lock)

#endif
