/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold at build time. */
#ifndef AIRLOCK_SHIM_BUILD_BUG_H
#define AIRLOCK_SHIM_BUILD_BUG_H

#define BUILD_BUG_ON(condition) _Static_assert(!(condition), "BUILD_BUG_ON(" #condition ")")
#define BUILD_BUG_ON_MSG(condition, text) _Static_assert(!(condition), text)
#undef static_assert
#define static_assert(condition, ...) _Static_assert(condition, #condition)

#endif
