/* SPDX-License-Identifier: GPL-2.0-only */
/* Time in ticks, which wrap in 32 bits five minutes after the start, as in a kernel. */
#ifndef AIRLOCK_SHIM_JIFFIES_H
#define AIRLOCK_SHIM_JIFFIES_H

#include <linux/param.h>
#include <linux/types.h>

#define INITIAL_JIFFIES ((unsigned long)(unsigned int)(-300 * HZ))
#define MAX_JIFFY_OFFSET ((~0UL >> 2) - 1)
#define jiffies shim_jiffies()

unsigned long shim_jiffies(void);

/* HZ is 1000. */
static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ms;
}

static inline unsigned long usecs_to_jiffies(unsigned int us)
{
	return us / 1000 + !!(us % 1000);
}

static inline unsigned int jiffies_to_msecs(unsigned long ticks)
{
	return (unsigned int)ticks;
}

#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
#define time_is_before_jiffies(a) time_after(jiffies, a)
#define time_is_after_jiffies(a) time_before(jiffies, a)

static inline u64 get_jiffies_64(void)
{
	return jiffies;
}

#endif
