/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits. */
#ifndef AIRLOCK_SHIM_DELAY_H
#define AIRLOCK_SHIM_DELAY_H

void msleep(unsigned int ms);
void usleep_range(unsigned long least_us, unsigned long most_us);
/* Busy: allowed in any context. */
void udelay(unsigned long us);
#define mdelay(ms) udelay((ms) * 1000UL)

#endif
