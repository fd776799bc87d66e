/* SPDX-License-Identifier: GPL-2.0-only */
/* Mistakes of the guest itself: here each of them ends the process. */
#ifndef AIRLOCK_SHIM_BUG_H
#define AIRLOCK_SHIM_BUG_H

#include <linux/build_bug.h>
#include <linux/compiler.h>

__attribute__((noreturn)) void shim_bug_at(const char *what, const char *file, int line);

#define WARN_ON(condition) ({                                                                 \
	bool shim_warn_on = !!(condition);                                                    \
	if (shim_warn_on)                                                                     \
		shim_bug_at(#condition, __FILE__, __LINE__);                                  \
	shim_warn_on;                                                                         \
})
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#define BUG_ON(condition) ((void)WARN_ON(condition))
#define BUG() shim_bug_at("BUG()", __FILE__, __LINE__)

#endif
