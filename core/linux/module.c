// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: the bus, and word of processors that go away. It touches no host: that is a
 * transport's to begin.
 */
#include <linux/cpuhotplug.h>
#include <linux/init.h>
#include <linux/module.h>

#include "inside.h"

static int hotplug_state;

/* Its channels move; if one cannot, or it has the messages, the processor stays. */
static int module_cpu_offline(unsigned int cpu)
{
	struct airlock_connection *c = vmbus_hold();
	int error = 0;

	if (!c)
		return 0;
	if (cpu < c->transport->cpus)
		error = airlock_cpu_offline(c, cpu);
	vmbus_let_go();
	return error;
}

static int __init airlock_init(void)
{
	int error = vmbus_bus_init();

	if (error)
		return error;
	error = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "airlock:online", NULL, module_cpu_offline);
	if (error < 0) {
		vmbus_bus_exit();
		return error;
	}
	hotplug_state = error;
	return 0;
}

static void __exit airlock_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	vmbus_bus_exit();
}

module_init(airlock_init);
module_exit(airlock_exit);
MODULE_DESCRIPTION("Airlock: a VMBus that does not believe its host");
MODULE_LICENSE("GPL");
