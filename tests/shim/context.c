// SPDX-License-Identifier: GPL-2.0-only
/*
 * In which context something runs, and whether it may sleep there. Deterministic: contexts
 * of all tasks are the one thread's. Threads: each has its own.
 */
#include <linux/bottom_half.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "internal.h"

static _Thread_local struct shim_context own;
static _Thread_local struct shim_context *current;

struct shim_context *shim_context(void)
{
	return current ? current : &own;
}

void shim_set_context(struct shim_context *context)
{
	current = context;
}

void shim_enter(struct shim_context *context, enum shim_kind kind, unsigned int cpu)
{
	*context = (struct shim_context) {
		.kind = kind,
		.cpu = cpu,
		.irqs_off = kind == SHIM_HARDIRQ,
		.outer = shim_context(),
	};
	shim_set_context(context);
}

void shim_leave(struct shim_context *context, const char *what)
{
	if (shim_context() != context)
		shim_bug("%s ended in another context than it began in", what);
	if (context->held_count)
		shim_bug("%s returned with lock %s held", what, context->held[0].class->name);
	if (context->atomic || context->bh_off || context->irqs_off != (context->kind == SHIM_HARDIRQ))
		shim_bug("%s returned with preemption, tasklets or interrupts disabled", what);
	shim_set_context(context->outer == &own ? NULL : context->outer);
}

bool shim_can_sleep(const struct shim_context *context)
{
	return context->kind == SHIM_TASK && !context->atomic && !context->bh_off && !context->irqs_off;
}

static const char *kind_name(enum shim_kind kind)
{
	static const char *const names[] = { "a task", "a tasklet", "an interrupt", "the world" };

	return names[kind];
}

void shim_may_sleep(const char *what)
{
	const struct shim_context *context = shim_context();

	if (shim_can_sleep(context))
		return;
	if (context->held_count)
		shim_bug("%s may sleep: in %s, with lock %s held", what, kind_name(context->kind),
			 context->held[context->held_count - 1].class->name);
	shim_bug("%s may sleep: in %s%s%s", what, kind_name(context->kind),
		 context->atomic || context->bh_off ? ", preemption disabled" : "",
		 context->irqs_off ? ", interrupts disabled" : "");
}

bool shim_holds_within(const struct shim_context *context, const void *at, size_t size)
{
	unsigned int i;

	for (; context; context = context->outer)
		for (i = 0; i < context->held_count; i++)
			if (shim_is_within(context->held[i].lock, at, size))
				return true;
	return false;
}

void might_sleep(void)
{
	shim_may_sleep("might_sleep()");
}

void shim_set_cpu(unsigned int cpu)
{
	if (cpu >= num_online_cpus())
		shim_bug("there is no processor %u", cpu);
	shim_context()->cpu = cpu;
}

unsigned int raw_smp_processor_id(void)
{
	return shim_context()->cpu;
}

unsigned int smp_processor_id(void)
{
	if (shim_can_sleep(shim_context()))
		shim_bug("smp_processor_id() in a task that may be moved");
	return raw_smp_processor_id();
}

unsigned int get_cpu(void)
{
	preempt_disable();
	return raw_smp_processor_id();
}

void put_cpu(void)
{
	preempt_enable();
}

void preempt_disable(void)
{
	shim_context()->atomic++;
}

void preempt_enable(void)
{
	struct shim_context *context = shim_context();

	if (!context->atomic)
		shim_bug("preempt_enable() once too often");
	context->atomic--;
}

void local_bh_disable(void)
{
	shim_context()->bh_off++;
}

void local_bh_enable(void)
{
	struct shim_context *context = shim_context();

	if (!context->bh_off)
		shim_bug("local_bh_enable() once too often");
	if (context->irqs_off)
		shim_bug("local_bh_enable() with interrupts disabled");
	context->bh_off--;
}

bool in_hardirq(void)
{
	return shim_context()->kind == SHIM_HARDIRQ;
}

bool in_task(void)
{
	return shim_context()->kind == SHIM_TASK && !shim_context()->bh_off;
}

bool irqs_disabled(void)
{
	return shim_context()->irqs_off;
}

unsigned long shim_irq_save(void)
{
	struct shim_context *context = shim_context();
	unsigned long flags = SHIM_FLAGS(context->irqs_off);

	context->irqs_off = true;
	return flags;
}

void shim_irq_restore(unsigned long flags)
{
	struct shim_context *context = shim_context();

	if (flags != SHIM_FLAGS(flags & 1))
		shim_bug("flags of interrupts restored that were never saved");
	if (!context->irqs_off)
		shim_bug("flags of interrupts restored while they are enabled");
	context->irqs_off = flags & 1;
}
