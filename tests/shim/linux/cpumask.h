/* SPDX-License-Identifier: GPL-2.0-only */
/* How many processors there are: as many as shim_start() was told, all of them always online. */
#ifndef AIRLOCK_SHIM_CPUMASK_H
#define AIRLOCK_SHIM_CPUMASK_H

#include <linux/types.h>

unsigned int num_online_cpus(void);

#define num_possible_cpus() num_online_cpus()
#define nr_cpu_ids num_online_cpus()
#define cpu_online(cpu) ((cpu) < num_online_cpus())
#define cpu_active(cpu) cpu_online(cpu)
#define for_each_online_cpu(cpu) for ((cpu) = 0; (cpu) < num_online_cpus(); (cpu)++)
#define for_each_possible_cpu(cpu) for_each_online_cpu(cpu)

#endif
