// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the connection is doing: /sys/bus/vmbus/airlock/, of Airlock only. For people and for the tests;
 * one value a file, but for violations, where each broken rule has a line.
 */
#include "compat.h"
#include "inside.h"

static const char *status_state(struct airlock_connection *c)
{
	if (READ_ONCE(c->dead))
		return "dead";
	if (READ_ONCE(c->session.at.state) == CONTROL_STATE_CONNECTION_DISCONNECTED)
		return "down";
	return READ_ONCE(c->session.at.state) == CONTROL_STATE_CONNECTION_RUNNING ? "running" : "connecting";
}

static ssize_t print_state(struct airlock_connection *c, char *text)
{
	return sysfs_emit(text, "%s\n", status_state(c));
}

static ssize_t print_transport(struct airlock_connection *c, char *text)
{
	return sysfs_emit(text, "%s\n", c->transport->ops->name);
}

static ssize_t print_version(struct airlock_connection *c, char *text)
{
	u32 version = READ_ONCE(c->context.version);

	return sysfs_emit(text, "%u.%u\n", version >> 16, version & 0xffff);
}

static ssize_t print_features(struct airlock_connection *c, char *text)
{
	return sysfs_emit(text, "0x%08x\n", READ_ONCE(c->context.features));
}

static ssize_t print_shared_pages(struct airlock_connection *c, char *text)
{
	return sysfs_emit(text, "%d\n", atomic_read(&c->visibility->shared));
}

static ssize_t print_leaked_pages(struct airlock_connection *c, char *text)
{
	return sysfs_emit(text, "%d\n", atomic_read(&c->visibility->leaked));
}

/* "rule count" each, those without a line of their own as "others". */
static ssize_t print_violations(struct airlock_connection *c, char *text)
{
	struct violations *v = &c->violations;
	unsigned long flags;
	int size = 0;
	u32 i;

	spin_lock_irqsave(&v->lock, flags);
	for (i = 0; i < v->used; i++)
		size += sysfs_emit_at(text, size, "%08x %u\n", v->seen[i].rule, v->seen[i].count);
	if (v->others)
		size += sysfs_emit_at(text, size, "others %u\n", v->others);
	spin_unlock_irqrestore(&v->lock, flags);
	return size;
}

static ssize_t status_show(char *text, ssize_t (*print)(struct airlock_connection *c, char *text))
{
	struct airlock_connection *c = vmbus_hold();
	ssize_t size;

	if (!c)
		return -ENODEV;
	size = print(c, text);
	vmbus_let_go();
	return size;
}

#define STATUS(name)							\
static ssize_t name##_show(compat_bus *bus, char *text)			\
{									\
	return status_show(text, print_##name);				\
}									\
static struct bus_attribute status_of_##name = __ATTR_RO(name)

STATUS(state);
STATUS(transport);
STATUS(version);
STATUS(features);
STATUS(shared_pages);
STATUS(leaked_pages);
STATUS(violations);

static struct attribute *status_attributes[] = {
	&status_of_state.attr, &status_of_transport.attr, &status_of_version.attr, &status_of_features.attr,
	&status_of_shared_pages.attr, &status_of_leaked_pages.attr, &status_of_violations.attr,
	NULL
};

static const struct attribute_group status_group = { .name = "airlock", .attrs = status_attributes };

const struct attribute_group *vmbus_status_groups[] = { &status_group, NULL };
