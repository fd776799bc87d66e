/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bits that somebody outside of the machine changes too: in user space all atomics are of that kind.
 */
#ifndef AIRLOCK_SHIM_SYNC_BITOPS_H
#define AIRLOCK_SHIM_SYNC_BITOPS_H

#define sync_set_bit(bit, words) ((void)__atomic_fetch_or((unsigned long *)(words), 1UL << (bit), __ATOMIC_SEQ_CST))

#endif
