/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of the processor's cache. */
#ifndef AIRLOCK_SHIM_CACHE_H
#define AIRLOCK_SHIM_CACHE_H

#define L1_CACHE_BYTES 64
#define SMP_CACHE_BYTES L1_CACHE_BYTES
#define ____cacheline_aligned __attribute__((__aligned__(SMP_CACHE_BYTES)))
#define ____cacheline_aligned_in_smp ____cacheline_aligned
#define __read_mostly

#endif
