/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's error numbers, in user space: the C library's are the same. */
#ifndef AIRLOCK_SHIM_ERRNO_H
#define AIRLOCK_SHIM_ERRNO_H

#include <errno.h>

#endif
