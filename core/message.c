// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control messages on their way: out of the slot of one processor, copied once, and into the
 * host by hypercall. What a message means is control.c's; here it is bytes.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "core.h"

#define SLOT_FLAGS 4			/* the word that holds them */
#define SLOT_PENDING (1U << 8)
#define POST_SLEEP_MAX 64		/* ms between two attempts */
#define LAST_LOOK 8			/* the last eighth of a wait comes after a look at what is queued */

/*
 * Frees a slot whose message is copied, or is not wanted: one attempt, the host may change it
 * under us for ever (C-029). One end-of-message if more is queued (C-026). True: the slot was freed.
 */
static bool slot_free(struct airlock_connection *c, u32 cpu, u8 __host *slot, u32 type)
{
	const struct transport_ops *ops = c->transport->ops;
	bool freed = host_replace32((u32 __host *)slot, type, 0);

	/* The exchange is a full barrier: the flags are looked at after the slot is seen to be free. */
	if (host_load32((const u32 __host *)(slot + SLOT_FLAGS)) & SLOT_PENDING)
		ops->end_of_message(c->transport, cpu);
	return freed;
}

/* True: a message was there, and another may be. */
static bool message_take(struct airlock_connection *c)
{
	u8 __host *at = c->transport->ops->slot(c->transport, c->connect_cpu);
	struct control_message_slot slot;
	u8 copy[SLOT_BYTES];
	bool freed;
	u32 type;
	int rule;

	if (!at)
		return false;
	/* The type says that the rest is there. */
	type = host_load32_acquire((const u32 __host *)at);
	if (!type)
		return false;
	memcpy(copy, &type, sizeof(type));
	host_fetch(copy + sizeof(type), at + sizeof(type), sizeof(copy) - sizeof(type));
	/* Freed before anything can fail: a message that cannot be dealt with stops no other (C-032). */
	freed = slot_free(c, c->connect_cpu, at, type);
	c->messages++;
	rule = control_check_message_slot(copy, sizeof(copy), &slot);
	if (rule)
		airlock_violation(c, NULL, control_rule_ids[rule], OFFENCE_MESSAGE);
	else
		control_hear(c, slot.payload.data, slot.payload_size);
	return freed;
}

void message_tasklet(struct tasklet_struct *t)
{
	struct airlock_connection *c = from_tasklet(c, t, tasklet);
	u32 left;

	for (left = c->policy.message_budget; left; left--)
		if (!message_take(c))
			return;
	/* The host fills the slot as fast as we empty it: others run first (C-033), and we may leave. */
	if (!READ_ONCE(c->closing))
		tasklet_schedule(&c->tasklet);
}

/* A message where none may be: two readers would run at once, and order would be lost (C-030). */
static void message_drop(struct airlock_connection *c, u32 cpu)
{
	u8 __host *at = c->transport->ops->slot(c->transport, cpu);
	u32 type;

	if (!at)
		return;
	type = host_load32((const u32 __host *)at);
	if (!type)
		return;
	slot_free(c, cpu, at, type);
	violation_note(c, NULL, CORE_RULE_MESSAGE_WRONG_CPU);
}

/**
 * airlock_message_interrupt() - there may be a message in a processor's slot
 * @c: an initialised connection, connected or not
 * @cpu: the processor
 *
 * Context: hard interrupt of @cpu.
 */
void airlock_message_interrupt(struct airlock_connection *c, u32 cpu)
{
	if (cpu == c->connect_cpu)
		tasklet_schedule(&c->tasklet);
	else
		message_drop(c, cpu);
}
EXPORT_SYMBOL_GPL(airlock_message_interrupt);

/* Whatever another kernel left behind is no answer to us (C-085). */
void message_empty_slots(struct airlock_connection *c)
{
	u32 cpu, left;

	for (cpu = 0; cpu < c->transport->cpus; cpu++) {
		u8 __host *at = c->transport->ops->slot(c->transport, cpu);

		for (left = c->policy.message_budget; at && left; left--) {
			u32 type = host_load32((const u32 __host *)at);

			if (!type || !slot_free(c, cpu, at, type))
				break;
		}
	}
}

static enum hypercall_verdict post_attempt(struct airlock_connection *c, const u8 *input, bool again)
{
	u64 result = c->transport->ops->post(c->transport, input);
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	c->posts++;
	c->retries += again;
	spin_unlock_irqrestore(&c->lock, flags);
	return hypercall_verdict(result);
}

/* The host may see all of the input, so it is built over zeroes, whole (C-280). */
static int post_build(struct airlock_connection *c, u8 *input, const u8 *message, u32 size)
{
	struct control_post_message post = {
		.payload_size = size,
		.payload = { .data = message, .size = size },
	};
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	post.connection_id = c->message_id;
	spin_unlock_irqrestore(&c->lock, flags);
	return control_build_post_message(input, POST_BYTES, &post, &size) ? -EINVAL : 0;
}

/*
 * The host that always says "later", or says that its own connection id is none (C-077), costs
 * post_deadline and not more, asleep and without a lock (C-300).
 */
static int post_repeat(struct airlock_connection *c, const u8 *input, bool contact)
{
	unsigned long end = jiffies + msecs_to_jiffies(c->policy.post_deadline);
	enum hypercall_verdict verdict = post_attempt(c, input, false);
	unsigned long now;
	u32 sleep = 1;

	while (verdict != HYPERCALL_DONE) {
		if (verdict == HYPERCALL_FAILED)
			return -EIO;
		if (verdict == HYPERCALL_NO_CONNECTION && contact)
			return -ENXIO;
		if (READ_ONCE(c->dead))
			return -EPIPE;
		now = jiffies;
		if (time_after_eq(now, end))
			return -ETIMEDOUT;
		msleep(min_t(u32, sleep, jiffies_to_msecs(end - now)));
		sleep = min_t(u32, 2 * sleep, POST_SLEEP_MAX);
		verdict = post_attempt(c, input, true);
	}
	return 0;
}

int message_post(struct airlock_connection *c, const u8 *message, u32 size, bool contact)
{
	u8 input[POST_BYTES];
	int error;

	if (post_build(c, input, message, size))
		return -EINVAL;
	error = post_repeat(c, input, contact);
	if (error == -EIO || error == -ETIMEDOUT)
		violation_note(c, NULL, CORE_RULE_POST_FAILED);
	if (error == -ETIMEDOUT)
		airlock_kill_connection(c);
	return error;
}

void message_tell(struct airlock_connection *c, const u8 *message, u32 size)
{
	int error = message_post(c, message, size, false);

	(void)error;				/* counted, and acted upon, there */
}

void message_post_once(struct airlock_connection *c, const u8 *message, u32 size)
{
	u8 input[POST_BYTES];

	if (!post_build(c, input, message, size) && post_attempt(c, input, false) != HYPERCALL_DONE)
		violation_note(c, NULL, CORE_RULE_POST_FAILED);
}

/*
 * The host may have queued the answer without saying so in the slot's flags (C-027): before the
 * time is up it is asked for what it has, once.
 */
bool message_wait(struct airlock_connection *c, struct completion *answered, u32 ms)
{
	u32 last = ms / LAST_LOOK;

	if (wait_for_completion_timeout(answered, msecs_to_jiffies(ms - last)))
		return true;
	c->transport->ops->end_of_message(c->transport, c->connect_cpu);
	tasklet_schedule(&c->tasklet);
	if (wait_for_completion_timeout(answered, msecs_to_jiffies(last)))
		return true;
	violation_note(c, NULL, CORE_RULE_WAIT_EXPIRED);
	return false;
}
