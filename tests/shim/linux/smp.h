/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processor this is. */
#ifndef AIRLOCK_SHIM_SMP_H
#define AIRLOCK_SHIM_SMP_H

#include <linux/cpumask.h>

unsigned int raw_smp_processor_id(void);
/* Only where nothing can move us to another one. */
unsigned int smp_processor_id(void);
unsigned int get_cpu(void);
void put_cpu(void);

#endif
