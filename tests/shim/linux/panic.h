/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a guest: here it is noted, and returns, so that tests can look at what is left. */
#ifndef AIRLOCK_SHIM_PANIC_H
#define AIRLOCK_SHIM_PANIC_H

void panic(const char *format, ...);

#endif
