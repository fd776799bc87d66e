// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers: which of them this guest takes. One that it does not take costs no memory: its relid
 * is noted, and given back by and by. One that it takes gets its channel and its place here,
 * in the order of arrival; the rest happens in process context.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "core.h"

/* What a sub-channel must have in common with its device (C-113). */
#define OFFER_LIKENESS (CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING | CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY | \
			CONTROL_CHANNEL_FLAG_PINNED_MEMORY | CONTROL_CHANNEL_FLAG_PIPE | CONTROL_CHANNEL_FLAG_HVSOCK)
#define OFFER_HOLD 1000			/* ms: how long a host out of tokens waits for its relids */

static bool guid_is(const struct wire_slice *guid, const u8 *other)
{
	return !memcmp(guid->data, other, 16);
}

/* The bucket fills with time, never above its size. */
static void offer_refill(struct airlock_connection *c)
{
	const struct policy_rate *rate = &c->policy.offers;
	u32 second = (u32)msecs_to_jiffies(1000), now = (u32)jiffies;
	u64 tokens = (u64)(now - c->offer_time) * rate->per_second;

	tokens = tokens > U32_MAX ? rate->burst : (u32)tokens / second;
	if (!tokens)
		return;
	c->offer_time = now;
	c->offer_tokens = min_t(u64, c->offer_tokens + tokens, rate->burst);
}

static bool offer_take_token(struct airlock_connection *c)
{
	offer_refill(c);
	if (!c->offer_tokens)
		return false;
	c->offer_tokens--;
	return true;
}

static bool offer_is_admitted(const struct airlock_policy *policy, const struct control_offer *o)
{
	u32 i;

	if (!policy->classes)
		return true;
	for (i = 0; i < policy->class_count; i++)
		if (guid_is(&o->class, policy->classes[i]))
			return true;
	return false;
}

/*
 * Class and instance of a socket are the host's to choose, so the class list does not hold; but
 * no socket is a device (C-117), and one that answers must have been asked for (C-118, C-119).
 */
static int offer_judge_stream(const struct airlock_connection *c, const struct control_offer *o)
{
	if (!c->policy.hvsock || class_is_known(o->class.data))
		return CORE_RULE_OFFER_STREAM;
	if (!o->stream.from_host && !c->stream_requests)
		return CORE_RULE_OFFER_STREAM;
	return 0;
}

static int offer_judge_class(const struct airlock_connection *c, const struct control_offer *o)
{
	const struct device_class *class = class_find(o->class.data);
	bool pipe = o->flags & CONTROL_CHANNEL_FLAG_PIPE;

	if (!offer_is_admitted(&c->policy, o))
		return CORE_RULE_OFFER_CLASS;		/* C-116 */
	if (pipe ? class->pipe == PIPE_NEVER : class->pipe == PIPE_ALWAYS)
		return CORE_RULE_OFFER_PIPE;		/* C-124 */
	if (o->mmio_megabytes > class->mmio_megabytes_max)
		return CORE_RULE_OFFER_MMIO;		/* C-130 */
	if (class->instance && !guid_is(&o->instance, class->instance))
		return CORE_RULE_OFFER_INSTANCE;	/* C-136 */
	return 0;
}

static int offer_judge_privacy(const struct airlock_connection *c, const struct control_offer *o)
{
	if (c->policy.confidential_required && !(o->flags & CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING))
		return CORE_RULE_OFFER_PRIVACY;		/* C-122 */
	return 0;
}

static struct airlock_device *offer_find_device(struct airlock_connection *c, const struct control_offer *o)
{
	struct airlock_device *device;

	list_for_each_entry(device, &c->devices, node)
		if (guid_is(&o->instance, device->instance))
			return device;
	return NULL;
}

static u32 offer_count_class(struct airlock_connection *c, const struct control_offer *o)
{
	struct airlock_device *device;
	u32 count = 0;

	list_for_each_entry(device, &c->devices, node)
		count += guid_is(&o->class, device->class);
	return count;
}

static int offer_judge_room(struct airlock_connection *c)
{
	return c->channel_count < c->policy.channels_max ? 0 : CORE_RULE_OFFER_LIMIT;
}

/* A device that this guest does not know. */
static int offer_judge_device(struct airlock_connection *c, const struct control_offer *o,
			      const struct airlock_device *same)
{
	if (same)	/* C-104, C-106 */
		return guid_is(&o->class, same->class) ? CORE_RULE_OFFER_DUPLICATE : CORE_RULE_OFFER_INSTANCE;
	if (offer_count_class(c, o) >= c->policy.devices_per_class)
		return CORE_RULE_OFFER_LIMIT;		/* C-114 */
	return offer_judge_room(c);
}

/* A device that comes back must be what it was (C-105). */
static int offer_judge_return(const struct control_offer *o, const struct airlock_device *device)
{
	const struct airlock_channel *primary = device->primary;

	if (!guid_is(&o->class, device->class))
		return CORE_RULE_OFFER_INSTANCE;
	if (o->flags != primary->flags)
		return CORE_RULE_OFFER_PRIVACY;
	if ((o->flags & CONTROL_CHANNEL_FLAG_PIPE) && o->pipe.mode != wire_le32(primary->user))
		return CORE_RULE_OFFER_PIPE;
	return 0;
}

static bool offer_index_is_taken(const struct airlock_device *device, u16 index)
{
	struct airlock_channel *channel;

	list_for_each_entry(channel, &device->subchannels, node)
		if (channel->index == index)
			return true;
	return false;
}

static u32 offer_count_subchannels(const struct airlock_device *device)
{
	struct airlock_channel *channel;
	u32 count = 0;

	list_for_each_entry(channel, &device->subchannels, node)
		count++;
	return count;
}

/* A sub-channel needs a device whose driver runs and has asked for it (C-107 to C-113). */
static int offer_judge_subchannel(struct airlock_connection *c, const struct control_offer *o,
				  const struct airlock_device *device)
{
	if (!device || !guid_is(&o->class, device->class) || device->state > DEVICE_BOUND ||
	    device->primary->dead || !channel_is_open(device->primary))
		return CORE_RULE_OFFER_NO_PRIMARY;
	if (offer_count_subchannels(device) >= device->subchannels_wanted)
		return CORE_RULE_OFFER_SURPLUS;
	if (o->subchannel > device->subchannels_wanted || offer_index_is_taken(device, o->subchannel))
		return CORE_RULE_OFFER_INDEX;
	if ((o->flags ^ device->primary->flags) & OFFER_LIKENESS)
		return CORE_RULE_OFFER_PRIVACY;
	return offer_judge_room(c);
}

static bool offer_is_return(const struct airlock_connection *c, const struct control_offer *o,
			    const struct airlock_device *device)
{
	return device && c->resuming && !o->subchannel && !device->primary->relid;
}

static int offer_judge(struct airlock_connection *c, const struct control_offer *o,
		       const struct airlock_device *device)
{
	int rule;

	if (o->flags & CONTROL_CHANNEL_FLAG_HVSOCK)
		rule = offer_judge_stream(c, o);
	else
		rule = offer_judge_class(c, o);
	if (!rule)
		rule = offer_judge_privacy(c, o);
	if (rule)
		return rule;
	if (offer_is_return(c, o, device))
		return offer_judge_return(o, device);
	return o->subchannel ? offer_judge_subchannel(c, o, device) : offer_judge_device(c, o, device);
}

/* A relid that is not in use is given back; the host may use it again only then (C-163). */
static void offer_refuse(struct airlock_connection *c, u32 relid, struct finding *found, int rule)
{
	bool flood = rule == CORE_RULE_OFFER_RATE;

	__set_bit(relid, c->releases);
	/* Whoever offers too much waits for its relids before it can offer more (C-115). */
	mod_delayed_work(c->queue, &c->release_work, flood ? msecs_to_jiffies(OFFER_HOLD) : 0);
	found->rule = CORE_RULE_ID(rule);
	found->offence = flood ? OFFENCE_FLOOD : OFFENCE_OFFER;
}

static struct airlock_channel *offer_create(struct airlock_connection *c, const struct control_offer *o,
					    struct airlock_device *device)
{
	struct airlock_channel *channel;

	if (o->subchannel) {
		channel = channel_create(device);
		if (channel)
			list_add_tail(&channel->node, &device->subchannels);
		return channel;
	}
	device = device_create(c, o);
	return device ? device->primary : NULL;
}

static int offer_place(struct airlock_connection *c, const struct control_message *m,
		       const struct control_channel_session *session, struct airlock_device *device,
		       struct finding *found)
{
	const struct control_offer *o = &m->offer;
	bool back = offer_is_return(c, o, device);
	struct airlock_channel *channel = back ? device->primary : offer_create(c, o, device);

	if (!channel)
		return CORE_RULE_MESSAGE_NO_MEMORY;
	channel->session = *session;
	channel_take_offer(channel, o);
	channel_insert(channel);
	if (o->flags & CONTROL_CHANNEL_FLAG_HVSOCK && !o->stream.from_host)
		c->stream_requests--;
	/* Also one that came right before a suspend and that no bus has heard of yet. */
	if ((!back || device->state == DEVICE_OFFERED) && !device_queue(c, channel, false))
		found->fatal = true;
	found->channel = channel;
	return 0;
}

/* Whether the number is free: C-102, C-103, C-159, C-260. */
static int offer_step(struct airlock_connection *c, const struct control_message *m,
		      struct control_channel_session *session)
{
	struct airlock_channel *channel = c->channels[m->offer.relid];

	if (channel)
		return control_channel_receive(&channel->session, &c->context, m);
	session_start(&control_channel_table, &session->at);
	if (test_bit(m->offer.relid, c->releases))
		session->at.state = CONTROL_STATE_CHANNEL_OFFERED;
	return control_channel_receive(session, &c->context, m);
}

void offer_hear(struct airlock_connection *c, const struct control_message *m, struct finding *found)
{
	struct control_channel_session session = { 0 };
	int rule = offer_step(c, m, &session);
	struct airlock_device *device;

	if (rule) {
		found->rule = control_rule_ids[rule];
		return;
	}
	device = offer_find_device(c, &m->offer);
	rule = offer_take_token(c) ? offer_judge(c, &m->offer, device) : CORE_RULE_OFFER_RATE;
	if (!rule)
		rule = offer_place(c, m, &session, device, found);
	if (rule)
		offer_refuse(c, m->offer.relid, found, rule);
}

/* Locked: the message that gives one relid back, if there is one to give. */
static bool offer_next_release(struct airlock_connection *c, u32 *relid, u8 *message, u32 *size)
{
	struct control_channel_session refused = { .at.state = CONTROL_STATE_CHANNEL_OFFERED };
	struct control_message m = { .kind = CONTROL_MSG_RELID_RELEASED };

	for (; *relid < RELIDS; ++*relid) {
		if (!test_bit(*relid, c->releases))
			continue;
		__clear_bit(*relid, c->releases);
		m.relid_released.relid = *relid;
		return !c->dead && !control_say_channel(c, &refused, &m, message, size);
	}
	return false;
}

/* The bit goes before the message does: the host may use the number again at once. */
void offer_release_work(struct work_struct *work)
{
	struct airlock_connection *c = container_of(to_delayed_work(work), struct airlock_connection, release_work);
	u8 message[MESSAGE_BYTES];
	unsigned long flags;
	u32 relid = 0, size;
	bool more;

	do {
		spin_lock_irqsave(&c->lock, flags);
		more = offer_next_release(c, &relid, message, &size);
		spin_unlock_irqrestore(&c->lock, flags);
		if (more)
			message_tell(c, message, size);
	} while (more);
}
