/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The value of the kernel's array_index_nospec(), without its effect on speculation.
 */
#ifndef AIRLOCK_SHIM_NOSPEC_H
#define AIRLOCK_SHIM_NOSPEC_H

#define array_index_nospec(index, size) ((index) < (size) ? (index) : 0)

#endif
