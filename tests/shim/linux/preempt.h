/* SPDX-License-Identifier: GPL-2.0-only */
/* In which context this runs. */
#ifndef AIRLOCK_SHIM_PREEMPT_H
#define AIRLOCK_SHIM_PREEMPT_H

#include <linux/types.h>

void preempt_disable(void);
void preempt_enable(void);
bool in_hardirq(void);
bool in_task(void);
bool irqs_disabled(void);
#define in_interrupt() (!in_task())

#endif
