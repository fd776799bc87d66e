/* SPDX-License-Identifier: GPL-2.0-only */
/* The user space header has the numbers, and the C library's errno.h wants it; the kernel has some more. */
#ifndef AIRLOCK_SHIM_ERRNO_H
#define AIRLOCK_SHIM_ERRNO_H

#if __has_include_next(<linux/errno.h>)
#include_next <linux/errno.h>
#else
#include <errno.h>	/* a prover has only its own C library */
#endif

#define ENOTSUPP 524

#endif
