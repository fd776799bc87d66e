// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guest and host say to each other about the connection itself: contact, the request for
 * offers, the end. One contact at a time and none after one that went unanswered: an answer
 * does not say which question it belongs to (C-072).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "core.h"

static const u32 contact_versions[] = {
	CONTROL_VERSION_6_0, CONTROL_VERSION_5_3, CONTROL_VERSION_5_2, CONTROL_VERSION_5_1, CONTROL_VERSION_5_0,
	CONTROL_VERSION_4_1, CONTROL_VERSION_4_0, CONTROL_VERSION_3_0, CONTROL_VERSION_2_4, CONTROL_VERSION_1_1,
};

/* Linux names no client; the field is there only when asked for. */
static const u8 contact_client[16];

/* Monitors are of use without the interrupt page of old only where that page is gone. */
static void contact_fill(struct airlock_connection *c, struct control_initiate_contact *m)
{
	m->requested = c->context.version;
	m->target_vp = c->transport->ops->vp(c->transport, c->connect_cpu);
	m->asked = c->context.features;
	m->client.data = contact_client;
	m->client.size = sizeof(contact_client);
	if (!c->monitors.at || c->context.version < CONTROL_VERSION_5_0)
		return;
	m->monitors.to_guest = hostmem_gfn(&c->monitors, 0) * CONTROL_PAGE;
	m->monitors.to_host = hostmem_gfn(&c->monitors, 1) * CONTROL_PAGE;
}

static int contact_say(struct airlock_connection *c, u32 version, u32 features, u8 *message, u32 *size)
{
	struct control_message m = { .kind = CONTROL_MSG_INITIATE_CONTACT };
	unsigned long flags;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	c->context.version = version;
	c->context.features = features;
	c->message_id = version >= CONTROL_VERSION_5_0 ? CONNECTION_ID : CONNECTION_ID_OLD;
	c->contact_supported = false;
	reinit_completion(&c->contacted);
	contact_fill(c, &m.initiate_contact);
	error = c->dead ? -EPIPE : control_say_connection(c, &m, message, size);
	if (!error && m.initiate_contact.monitors.to_guest)
		c->told = true;
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/*
 * The host knows of no such connection id. Then it cannot have heard us, and there is no answer
 * to wait for; if one came all the same, this host is beyond belief.
 */
static int contact_take_back(struct airlock_connection *c)
{
	unsigned long flags;
	bool silent;

	spin_lock_irqsave(&c->lock, flags);
	silent = c->session.at.state == CONTROL_STATE_CONNECTION_CONTACTING;
	if (silent) {
		session_start(&control_connection_table, &c->session.at);
		c->told = false;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return silent ? -ENXIO : -EIO;
}

static int contact_verdict(struct airlock_connection *c)
{
	unsigned long flags;
	int error = 0;

	spin_lock_irqsave(&c->lock, flags);
	if (c->dead)
		error = -EPIPE;
	else if (!c->contact_supported)
		error = -EPROTONOSUPPORT;
	if (error == -EPROTONOSUPPORT)
		c->told = false;	/* whoever refuses contact keeps nothing of it */
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

/* 0; -EPROTONOSUPPORT: try a lower one; -ENXIO: try one that is posted elsewhere; else it is over. */
static int contact_try(struct airlock_connection *c, u32 version, u32 features)
{
	u8 message[MESSAGE_BYTES];
	u32 size;
	int error;

	error = contact_say(c, version, features, message, &size);
	if (error)
		return error;
	error = message_post(c, message, size, true);
	if (error == -ENXIO)
		error = contact_take_back(c);
	if (error == -ENXIO)
		return error;
	if (!error && !message_wait(c, &c->contacted, c->policy.contact_deadline))
		error = -ETIMEDOUT;
	if (error) {
		airlock_kill_connection(c);	/* the host may have heard it, or may answer yet */
		return error;
	}
	return contact_verdict(c);
}

/**
 * contact_host() - agree on a version and on features
 * @c: a connection that is down
 * @ceiling: the highest version to ask for
 * @floor: the lowest
 * @features: to ask for, where the version has any
 *
 * Context: process. Return: 0: c->context and c->message_id are as agreed; -EPROTONOSUPPORT: the host
 * speaks no version of ours; -ENXIO: nobody is there; else the connection is dead.
 */
int contact_host(struct airlock_connection *c, u32 ceiling, u32 floor, u32 features)
{
	int error = -EPROTONOSUPPORT;
	bool old = false;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(contact_versions); i++) {
		u32 version = contact_versions[i];

		if (version > ceiling || version < floor || (old && version >= CONTROL_VERSION_5_0))
			continue;
		error = contact_try(c, version, version >= CONTROL_VERSION_6_0 ? features : 0);
		if (error == -ENXIO && version >= CONTROL_VERSION_5_0)
			old = true;		/* and next time it is posted to the id of old */
		else if (error != -EPROTONOSUPPORT)
			break;
	}
	if (error == -ENXIO)
		violation_note(c, NULL, CORE_RULE_MESSAGE_NO_CONNECTION);
	if (error == -EPROTONOSUPPORT || (error == -ENXIO && floor >= CONTROL_VERSION_5_0))
		violation_note(c, NULL, CORE_RULE_VERSION_FLOOR);
	return error;
}

static int contact_say_plain(struct airlock_connection *c, enum control_msg kind, struct completion *answered,
			     u8 *message, u32 *size)
{
	struct control_message m = { .kind = kind };
	unsigned long flags;
	int error;

	spin_lock_irqsave(&c->lock, flags);
	reinit_completion(answered);
	error = c->dead ? -EPIPE : control_say_connection(c, &m, message, size);
	spin_unlock_irqrestore(&c->lock, flags);
	return error;
}

static void contact_end_offers(struct airlock_connection *c)
{
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	session_local(&control_connection_table, &c->session.at, CONTROL_EVENT_CONNECTION_AFTER_OFFERS_DEADLINE);
	spin_unlock_irqrestore(&c->lock, flags);
}

/* A host that never says "these are all" holds nothing up for longer than offers_deadline (C-133). */
int contact_request_offers(struct airlock_connection *c)
{
	u8 message[MESSAGE_BYTES];
	u32 size;
	int error;

	error = contact_say_plain(c, CONTROL_MSG_REQUEST_OFFERS, &c->offered, message, &size);
	if (!error)
		error = message_post(c, message, size, false);
	if (error) {
		airlock_kill_connection(c);
		return error;
	}
	if (!message_wait(c, &c->offered, c->policy.offers_deadline))
		contact_end_offers(c);
	return READ_ONCE(c->dead) ? -EPIPE : 0;
}

/* Hosts take their time to let go of everything; one that has stopped answering gets no more than another answer. */
bool contact_unload(struct airlock_connection *c)
{
	u32 deadline = READ_ONCE(c->silent) ? c->policy.teardown_deadline : c->policy.unload_deadline;
	u8 message[MESSAGE_BYTES];
	u32 size;

	if (contact_say_plain(c, CONTROL_MSG_UNLOAD, &c->unloaded, message, &size))
		return false;
	if (message_post(c, message, size, false) ||
	    !message_wait(c, &c->unloaded, deadline)) {
		airlock_kill_connection(c);
		return false;
	}
	return !READ_ONCE(c->dead);
}

/* From a dead connection: if the host is only slow, it lets go of our memory when it hears this (C-262). */
void contact_farewell(struct airlock_connection *c)
{
	struct control_message m = { .kind = CONTROL_MSG_UNLOAD };
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	bool first;
	u32 size;

	spin_lock_irqsave(&c->lock, flags);
	first = c->dead && !c->farewell && !control_say_connection(c, &m, message, &size);
	c->farewell |= first;
	spin_unlock_irqrestore(&c->lock, flags);
	if (first)
		message_post_once(c, message, size);
}
