// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transport's part: the one connection there is, from when it is prepared until it is released.
 * Whoever else looks at it holds it meanwhile.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "inside.h"

struct vmbus_root {
	struct airlock_connection connection;
	struct device *parent;
};

/* Of the pointer, and held by those who look. Nothing is removed or waited for with it but by them. */
static DEFINE_MUTEX(root_mutex);
static struct vmbus_root *root;

static struct vmbus_root *root_of(struct airlock_connection *c)
{
	return container_of(c, struct vmbus_root, connection);
}

struct device *vmbus_parent(struct airlock_connection *c)
{
	return root_of(c)->parent;
}

struct airlock_connection *vmbus_hold(void)
{
	mutex_lock(&root_mutex);
	if (root)
		return &root->connection;
	mutex_unlock(&root_mutex);
	return NULL;
}

void vmbus_let_go(void)
{
	mutex_unlock(&root_mutex);
}

/* Who can keep pages from the host does not trust it. */
static int root_init(struct vmbus_root *new, struct transport *transport, struct visibility *visibility)
{
	struct airlock_policy policy;

	policy_defaults(&policy, !visibility->ops->open);
	return airlock_connection_init(&new->connection, transport, visibility, &vmbus_ops, &policy);
}

static int root_set(struct vmbus_root *new)
{
	int error = 0;

	mutex_lock(&root_mutex);
	if (root)
		error = -EBUSY;
	else
		root = new;
	mutex_unlock(&root_mutex);
	return error;
}

static void root_free(struct vmbus_root *old)
{
	airlock_connection_destroy(&old->connection);
	put_device(old->parent);
	kvfree(old);
}

/**
 * vmbus_prepare() - make the connection, which is down
 * @transport: how to reach the host
 * @visibility: whose pages are shared with it; if it can keep others from the host, the guest is isolated
 * @parent: of all devices that the host offers
 *
 * Its policy is the default one; until vmbus_connect() the transport may change it.
 *
 * Context: process; may sleep. Return: the connection; -EBUSY: there is one; -ENOMEM.
 */
struct airlock_connection *vmbus_prepare(struct transport *transport, struct visibility *visibility,
					 struct device *parent)
{
	struct vmbus_root *new = kvzalloc(sizeof(*new), GFP_KERNEL);
	int error;

	if (!new)
		return ERR_PTR(-ENOMEM);
	error = root_init(new, transport, visibility);
	if (error) {
		kvfree(new);
		return ERR_PTR(error);
	}
	new->parent = get_device(parent);
	error = root_set(new);
	if (error) {
		root_free(new);
		return ERR_PTR(error);
	}
	return &new->connection;
}
EXPORT_SYMBOL_GPL(vmbus_prepare);

/**
 * vmbus_connect() - find the host, agree with it, hear of its devices
 * @c: the connection
 *
 * Context: process; may sleep, within the policy's deadlines. Return: as airlock_connect(). After a
 * failure vmbus_disconnect() is still due.
 */
int vmbus_connect(struct airlock_connection *c)
{
	return airlock_connect(c);
}
EXPORT_SYMBOL_GPL(vmbus_connect);

/**
 * vmbus_disconnect() - remove all devices, end the connection
 * @c: the connection, in whatever state; interrupts are still passed on
 *
 * Context: process, but no driver's; may sleep, within the policy's deadlines.
 */
void vmbus_disconnect(struct airlock_connection *c)
{
	airlock_disconnect(c);
}
EXPORT_SYMBOL_GPL(vmbus_disconnect);

/**
 * vmbus_release() - the reverse of vmbus_prepare()
 * @c: the connection, which is down; no interrupt is passed on any more
 *
 * Context: process; may sleep.
 */
void vmbus_release(struct airlock_connection *c)
{
	mutex_lock(&root_mutex);
	root = NULL;
	mutex_unlock(&root_mutex);
	root_free(root_of(c));
}
EXPORT_SYMBOL_GPL(vmbus_release);
