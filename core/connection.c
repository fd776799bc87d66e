// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection: what it owns, how it starts and how it ends. After a clean end it may start
 * again; a dead one may not, for nobody knows what the host still believes.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

#define SPARE_EVENTS 16
#define MONITOR_PAGES 2

/* Whatever a policy asks for, more is not understood here. */
#define FEATURES (CONTROL_FEATURE_CONFIDENTIAL | CONTROL_FEATURE_CLIENT_ID)

static int connection_alloc_events(struct airlock_connection *c)
{
	u32 count = 2 * c->policy.channels_max + SPARE_EVENTS;
	u32 i;

	c->event_pool = kvcalloc(count, sizeof(*c->event_pool), GFP_KERNEL);
	if (!c->event_pool)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		list_add_tail(&c->event_pool[i].node, &c->free_events);
	return 0;
}

static void connection_init_plain(struct airlock_connection *c)
{
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->devices);
	INIT_LIST_HEAD(&c->events);
	INIT_LIST_HEAD(&c->free_events);
	init_completion(&c->contacted);
	init_completion(&c->offered);
	init_completion(&c->unloaded);
	violations_init(&c->violations);
	session_start(&control_connection_table, &c->session.at);
	tasklet_setup(&c->tasklet, message_tasklet);
	INIT_WORK(&c->work, device_work);
	INIT_DELAYED_WORK(&c->release_work, offer_release_work);
}

/**
 * airlock_connection_init() - make a connection, which is down
 * @c: the connection
 * @transport: how to reach the host; its interrupts may come from now on
 * @visibility: whose pages are shared with the host
 * @bus: what devices are added to
 * @policy: copied
 *
 * Context: process. Return: 0 or -errno.
 */
int airlock_connection_init(struct airlock_connection *c, struct transport *transport,
			    struct visibility *visibility, const struct airlock_bus_ops *bus,
			    const struct airlock_policy *policy)
{
	int error;

	if (policy->channels_max >= RELIDS || !policy->message_budget || !policy->packet_budget)
		return -EINVAL;
	memset(c, 0, sizeof(*c));
	c->transport = transport;
	c->visibility = visibility;
	c->bus = bus;
	c->policy = *policy;
	c->context.relid_max = RELIDS - 1;
	c->context.subchannel_max = policy->subchannels_max;
	c->context.trusted_path = transport->trusted;
	c->leaked = atomic_read(&visibility->leaked);
	connection_init_plain(c);
	gpadl_table_init(&c->gpadls, policy->gpadl_bytes_max);
	error = connection_alloc_events(c);
	if (error)
		return error;
	c->queue = alloc_ordered_workqueue("airlock", WQ_MEM_RECLAIM);
	if (c->queue)
		return 0;
	kvfree(c->event_pool);
	c->event_pool = NULL;
	return -ENOMEM;
}
EXPORT_SYMBOL_GPL(airlock_connection_init);

static void connection_hear_version(struct airlock_connection *c, const struct control_version_response *m)
{
	c->contact_supported = c->session.at.state == CONTROL_STATE_CONNECTION_CONNECTED;
	if (c->contact_supported) {
		c->context.features = m->granted;
		if (c->context.version >= CONTROL_VERSION_5_0)
			c->message_id = m->connection_id;
	}
	complete(&c->contacted);
}

/* The session has taken it: it is the first answer to what was asked, and the only one. */
void connection_hear(struct airlock_connection *c, const struct control_message *m)
{
	if (m->kind == CONTROL_MSG_VERSION_RESPONSE)
		connection_hear_version(c, &m->version_response);
	else if (m->kind == CONTROL_MSG_ALL_OFFERS)
		complete(&c->offered);
	else if (m->kind == CONTROL_MSG_UNLOAD_RESPONSE)
		complete(&c->unloaded);
}

/* An isolated guest signals by hypercall only: the pages would tell the host nothing it needs. */
static int connection_share_monitors(struct airlock_connection *c)
{
	int error;

	if (!c->policy.monitors || c->policy.isolated || c->monitors.at)
		return 0;
	error = hostmem_create(&c->monitors, c->visibility, MONITOR_PAGES, false);
	violation_note_leaks(c, NULL);
	return error;
}

static void connection_unshare_monitors(struct airlock_connection *c)
{
	if (c->monitors.at)
		hostmem_destroy(&c->monitors, !c->told);
	violation_note_leaks(c, NULL);
}

/* Only the paravisor can grant privacy from the host, so the host is not asked for it. */
static u32 connection_features(const struct airlock_connection *c)
{
	u32 features = c->policy.features & FEATURES;

	if (c->policy.confidential_required)
		features |= CONTROL_FEATURE_CONFIDENTIAL;
	return c->transport->trusted ? features : features & ~CONTROL_FEATURE_CONFIDENTIAL;
}

static u32 connection_floor(const struct airlock_connection *c)
{
	return c->policy.confidential_required ? max_t(u32, c->policy.version_floor, CONTROL_VERSION_6_0) :
		c->policy.version_floor;
}

/* What the host agreed to is less than this guest may live with (C-006, C-079). */
static bool connection_is_refused(struct airlock_connection *c)
{
	if (!c->policy.confidential_required || (c->context.features & CONTROL_FEATURE_CONFIDENTIAL))
		return false;
	violation_note(c, NULL, CORE_RULE_VERSION_FEATURES);
	return true;
}

static int connection_is_idle(struct airlock_connection *c)
{
	unsigned long flags;
	int error = 0;

	spin_lock_irqsave(&c->lock, flags);
	if (c->dead)
		error = -EPIPE;
	else if (c->suspended || c->session.at.state != CONTROL_STATE_CONNECTION_DISCONNECTED)
		error = -EBUSY;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

static u64 connection_gpadl_limit(const struct airlock_connection *c)
{
	u64 limit = c->policy.gpadl_bytes_max;

	return c->context.version < CONTROL_VERSION_5_2 ? min_t(u64, limit, LIMIT_GPADL_OLD) : limit;
}

int connection_contact(struct airlock_connection *c, u32 ceiling, u32 floor, u32 features)
{
	int error = connection_share_monitors(c);

	if (error)
		return error;
	message_empty_slots(c);
	c->offer_tokens = c->policy.offers.burst;
	c->offer_time = (u32)jiffies;
	error = contact_host(c, ceiling, floor, features);
	if (error)
		return error;
	/* With the last connection the host forgot its handles, and what it took. */
	gpadl_table_init(&c->gpadls, connection_gpadl_limit(c));
	return 0;
}

/**
 * airlock_connect() - find the host, agree with it, hear of its devices
 * @c: a connection that is down
 *
 * Returns when the host has said that it offered everything, or has not said so in time; devices
 * are added behind the caller's back.
 *
 * Context: process; may sleep. Return: 0; -EPROTONOSUPPORT: no version in common; -ENXIO: no host;
 * -EACCES: the host grants less than the policy demands; -ETIMEDOUT, -EIO, -EPIPE: the connection is dead.
 */
int airlock_connect(struct airlock_connection *c)
{
	int error = connection_is_idle(c);

	if (error)
		return error;
	if (c->policy.confidential_required && !c->transport->trusted) {
		violation_note(c, NULL, CORE_RULE_VERSION_FEATURES);
		return -EACCES;
	}
	error = connection_contact(c, c->policy.version_ceiling, connection_floor(c), connection_features(c));
	if (error)
		return error;
	if (connection_is_refused(c)) {
		airlock_disconnect(c);
		return -EACCES;
	}
	return contact_request_offers(c);
}
EXPORT_SYMBOL_GPL(airlock_connect);

/* Locked. The host, or the end of the connection, has no more claim to them. */
static void connection_forget_channels(struct airlock_connection *c)
{
	struct airlock_channel *channel;
	u32 relid = 0;

	while ((channel = channel_next(c, &relid)) != NULL) {
		session_local(&control_channel_table, &channel->session.at,
			      CONTROL_EVENT_CHANNEL_LOCAL_CONNECTION_GONE);
		channel_remove(channel);
	}
}

/* The relids go with the connection; none is to be given back from now on. */
void connection_forget(struct airlock_connection *c)
{
	unsigned long flags;

	cancel_delayed_work_sync(&c->release_work);
	spin_lock_irqsave(&c->lock, flags);
	memset(c->releases, 0, sizeof(c->releases));
	connection_forget_channels(c);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* Nobody is left who could own memory of the connection. True: the host has let go of it. */
bool connection_unload(struct airlock_connection *c)
{
	bool unloaded = contact_unload(c);
	unsigned long flags;

	flush_workqueue(c->queue);		/* a farewell may be on it */
	spin_lock_irqsave(&c->lock, flags);
	gpadl_forget_all(c, unloaded);
	if (unloaded)
		c->told = false;
	spin_unlock_irqrestore(&c->lock, flags);
	return unloaded;
}

static void connection_set_leaving(struct airlock_connection *c, bool leaving)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->leaving = leaving;
	c->silent = false;
	c->suspended = false;
	c->resuming = false;
	spin_unlock_irqrestore(&c->lock, flags);
}

/**
 * airlock_disconnect() - remove all devices, tell the host, forget everything
 * @c: the connection, in whatever state
 *
 * Within the policy's deadlines, whatever the host does; what it does not give back is revoked, or
 * given up. If it answered, the connection may be used again.
 *
 * Context: process, but no driver's; may sleep.
 */
void airlock_disconnect(struct airlock_connection *c)
{
	connection_set_leaving(c, true);
	queue_work(c->queue, &c->work);
	flush_workqueue(c->queue);
	/* Before the host is told: none of its events finds a channel afterwards (C-261). */
	connection_forget(c);
	connection_unload(c);
	connection_unshare_monitors(c);
	connection_set_leaving(c, false);
}
EXPORT_SYMBOL_GPL(airlock_disconnect);

/**
 * airlock_connection_destroy() - the reverse of airlock_connection_init()
 * @c: a disconnected connection; its transport interrupts no more
 *
 * Context: process; may sleep.
 */
void airlock_connection_destroy(struct airlock_connection *c)
{
	WRITE_ONCE(c->closing, true);
	tasklet_kill(&c->tasklet);
	cancel_delayed_work_sync(&c->release_work);
	if (c->queue)
		destroy_workqueue(c->queue);
	kvfree(c->event_pool);
	c->queue = NULL;
	c->event_pool = NULL;
}
EXPORT_SYMBOL_GPL(airlock_connection_destroy);
