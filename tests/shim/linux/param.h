/* SPDX-License-Identifier: GPL-2.0-only */
/* Timer interrupts a second; the C library's sys/param.h wants the user space header of this name. */
#ifndef AIRLOCK_SHIM_PARAM_H
#define AIRLOCK_SHIM_PARAM_H

#include_next <linux/param.h>

#undef HZ
#define HZ 1000

#endif
