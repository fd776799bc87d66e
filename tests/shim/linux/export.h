/* SPDX-License-Identifier: GPL-2.0-only */
/* One program: nothing is exported. */
#ifndef AIRLOCK_SHIM_EXPORT_H
#define AIRLOCK_SHIM_EXPORT_H

#define EXPORT_SYMBOL(name) _Static_assert(1, #name)
#define EXPORT_SYMBOL_GPL(name) _Static_assert(1, #name)

#endif
