/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's memory functions, in user space: the C library's have the same contracts. */
#ifndef AIRLOCK_SHIM_STRING_H
#define AIRLOCK_SHIM_STRING_H

#include <string.h>

#include <linux/types.h>

#endif
