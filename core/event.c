// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event flags: a bit for each channel with news, in a page the host writes. A bit carries
 * nothing but "look": it is cleared before it is acted upon, and at worst costs a look at an
 * empty ring. All that happens in the interrupt is one pass over 64 words.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "core.h"

/* What one pass has found that means nothing. */
struct event_strays { bool zero, unknown, closed; };

/*
 * Locked: who is dead or closed is not scheduled (C-052 to C-056). While the open result is under
 * way an event need not be remembered: whoever opens looks when it is there (C-063).
 */
static void event_deliver(struct airlock_channel *channel, struct event_strays *strays)
{
	channel->events++;
	if (!channel->ready || channel->dead)
		strays->closed = true;
	else if (channel_is_open(channel))
		tasklet_schedule(&channel->tasklet);
}

static void event_word(struct airlock_connection *c, u32 first, u32 bits, struct event_strays *strays)
{
	for (; bits; bits &= bits - 1) {
		u32 relid = first + (u32)__ffs(bits);

		if (!relid)
			strays->zero = true;
		else if (!c->channels[relid])
			strays->unknown = true;
		else
			event_deliver(c->channels[relid], strays);
	}
}

/* Counted once a pass, however many the host has set. */
static void event_report(struct airlock_connection *c, const struct event_strays *strays)
{
	if (strays->zero)
		violation_note(c, NULL, CORE_RULE_EVENT_BIT_ZERO);
	if (strays->unknown)
		violation_note(c, NULL, CORE_RULE_EVENT_UNKNOWN);
	if (strays->closed)
		violation_note(c, NULL, CORE_RULE_EVENT_CLOSED);
}

bool event_scan(struct airlock_connection *c, u32 cpu)
{
	u32 __host *words = c->transport->ops->flags(c->transport, cpu);
	struct event_strays strays = { false, false, false };
	unsigned long flags;
	bool any = false;
	u32 i, bits;

	for (i = 0; words && i < FLAG_WORDS; i++) {
		if (!host_load32(words + i))
			continue;
		bits = host_take32(words + i);
		any |= bits;
		spin_lock_irqsave(&c->lock, flags);
		event_word(c, 32 * i, bits, &strays);
		spin_unlock_irqrestore(&c->lock, flags);
	}
	event_report(c, &strays);
	return any;
}

/**
 * airlock_event_interrupt() - there may be event flags of a processor
 * @c: an initialised connection, connected or not
 * @cpu: the processor
 *
 * Context: hard interrupt, of any processor.
 */
void airlock_event_interrupt(struct airlock_connection *c, u32 cpu)
{
	event_scan(c, cpu);
}
EXPORT_SYMBOL_GPL(airlock_event_interrupt);
