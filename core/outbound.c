// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring to the host. All of it is the host's to change at any time, so
 * nothing in it is read back but the host's own read index and interrupt mask: the write index,
 * whether we wait for room, and every packet live in private memory first.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "outbound.h"
#include "ring_layout.h"
#include "wire.h"

#define DESCRIPTOR RING_OUR_IN_BAND_SIZE_MIN
#define TRAILER 8		/* behind each packet: where it started, in the high half */
#define APART 8			/* bytes never written, so that full differs from empty */
#define KEPT_FREE 16		/* hosts refuse packets that leave less of an empty ring */
#define PACKET_MAX (0xffff * 8)	/* length8 says no more: R-020 */
#define WORD 8			/* everything in a ring is a multiple of it */

static u32 __host *control_word(const struct outbound *r, u32 offset)
{
	return (u32 __host *)(r->control + offset);
}

/**
 * outbound_open() - prepare the ring to the host
 * @r: the ring
 * @memory: its memory, linear: the control page, then the data
 * @pages: of 4096 bytes, the control page included
 * @room: bytes of the largest packet, descriptor included, trailer not
 *
 * Before the host is told of the memory, or at least before it is told to use it.
 *
 * Context: may sleep; nobody sends yet.
 * Return: 0; -EINVAL if this ring could never take such a packet; -ENOMEM.
 */
int outbound_open(struct outbound *r, u8 __host *memory, u32 pages, u32 room)
{
	u32 size;

	if (pages < 2 || pages - 1 > RING_RING_BYTES_MAX / RING_PAGE)
		return -EINVAL;
	size = (pages - 1) * RING_PAGE;
	if (room < DESCRIPTOR || room > PACKET_MAX || room > size - KEPT_FREE - TRAILER)
		return -EINVAL;
	room = round_up(room, WORD);
	*r = (struct outbound){
		.control = memory, .data = memory + RING_PAGE, .size = size, .room = room,
	};
	spin_lock_init(&r->lock);
	/* One half is the packet and its trailer, in the other its parts are made ready. */
	r->packet = kvzalloc(2 * (room + TRAILER), GFP_KERNEL);
	if (!r->packet) {
		r->dead = true;
		return -ENOMEM;
	}
	host_clear(memory, pages * RING_PAGE);	/* */
	host_store32(control_word(r, RING_CONTROL_PAGE_FEATURES_OFFSET), 1);
	return 0;
}

/**
 * outbound_close() - leave the ring's memory alone from now on
 * @r: the ring, opened at least once
 *
 * Whoever is sending has finished when this returns, and whoever comes later gets -EPIPE.
 *
 * Context: may sleep.
 */
void outbound_close(struct outbound *r)
{
	unsigned long flags;
	u8 *packet;

	spin_lock_irqsave(&r->lock, flags);
	packet = r->packet;
	r->dead = true;
	r->packet = NULL;
	r->control = NULL;
	r->data = NULL;
	spin_unlock_irqrestore(&r->lock, flags);
	kvfree(packet);
}

/*
 * Looks at the host's read index, once. It moved forward within what we wrote, or the ring is dead
 * . Caller holds the lock.
 */
static int accept_read_index(struct outbound *r)
{
	const struct ring_context ctx = {
		.ring_bytes = r->size, .our_index = r->write, .their_index = r->read,
	};
	struct ring_outbound_read_index view;
	u32 word;
	int rule;

	/* The packets it frees were read before it moved: our stores come after. */
	word = host_load32_acquire(control_word(r, RING_CONTROL_PAGE_READ_OFFSET));
	rule = ring_check_outbound_read_index((const u8 *)&word, sizeof(word), &ctx, &view);
	if (rule)
		r->dead = true;
	else
		r->read = view.read.at_byte;
	return rule;
}

/* Bytes that can be written now, trailers counted. Caller holds the lock. */
static u32 room_left(const struct outbound *r)
{
	u32 used = r->write >= r->read ? r->write - r->read : r->size - r->read + r->write;

	return r->size - used - APART;
}

/* Bytes of descriptor, extended descriptor and padded payload. */
static u64 packet_bytes(const struct outbound_packet *p)
{
	u64 bytes = DESCRIPTOR + round_up((u64)p->bytes, WORD);

	if (p->kind == RING_MSG_GPA_DIRECT)
		bytes += RING_GPA_DIRECT_RANGES_OFFSET - DESCRIPTOR + RING_GPA_RANGE_PFNS_OFFSET +
			 (u64)p->gfn_count * sizeof(u64);
	return bytes;
}

/**
 * outbound_total() - what a packet takes of the ring
 * @p: the packet
 *
 * Context: any. Return: bytes, padding and trailer included, as outbound_block() counts them.
 */
u32 outbound_total(const struct outbound_packet *p)
{
	return min_t(u64, packet_bytes(p) + TRAILER, U32_MAX);
}
EXPORT_SYMBOL_GPL(outbound_total);

/* The payload, padded by zeros: R-140. What has no padding is not copied. @at: room for it. */
static struct wire_slice padded_payload(const struct outbound_packet *p, u8 *at)
{
	u32 padded = round_up(p->bytes, WORD);

	if (padded == p->bytes)
		return (struct wire_slice){ p->payload, p->bytes };
	memcpy(at, p->payload, p->bytes);
	memset(at + p->bytes, 0, padded - p->bytes);
	return (struct wire_slice){ at, padded };
}

/* The range of frames as it stands in a packet. @at: room for it. */
static struct wire_slice gpa_range(const struct outbound_packet *p, u8 *at)
{
	u32 i;

	wire_put_le32(at, p->range_bytes);
	wire_put_le32(at + RING_GPA_RANGE_BYTE_OFFSET_OFFSET, p->range_offset);
	for (i = 0; i < p->gfn_count; i++)
		wire_put_le64(at + RING_GPA_RANGE_PFNS_OFFSET + i * sizeof(u64), p->gfns[i]);
	return (struct wire_slice){ at, RING_GPA_RANGE_PFNS_OFFSET + p->gfn_count * sizeof(u64) };
}

static int build_gpa_direct(struct outbound *r, const struct outbound_packet *p, const struct ring_header *header,
			    const struct ring_context *ctx, u32 *bytes)
{
	u8 *parts = r->packet + r->room + TRAILER;
	struct ring_gpa_direct m = { .header = *header, .range_count = 1 };

	m.ranges = gpa_range(p, parts);
	m.payload = padded_payload(p, parts + m.ranges.size);
	m.header.offset8 = (RING_GPA_DIRECT_RANGES_OFFSET + m.ranges.size) / WORD;
	return ring_build_gpa_direct(r->packet, r->room, ctx, &m, bytes);
}

/* Makes the packet in private memory. 0, or the rule it would break. Caller holds the lock. */
static int build(struct outbound *r, const struct outbound_packet *p, u32 *bytes)
{
	const struct ring_context ctx = {
		.ring_bytes = r->size, .our_index = r->write, .their_index = r->read,
		.available = room_left(r), .buffer_bytes = r->room, .ranges_max = 1,
	};
	const struct ring_header header = {
		.offset8 = DESCRIPTOR / WORD, .length8 = *bytes / WORD,
		.flags = p->wants_completion ? RING_PACKET_FLAG_COMPLETION_REQUESTED : 0,
		.transaction = p->transaction,
	};
	struct ring_our_completion completion;
	struct ring_our_in_band in_band;

	switch (p->kind) {
	case RING_MSG_GPA_DIRECT:
		return build_gpa_direct(r, p, &header, &ctx, bytes);
	case RING_MSG_OUR_COMPLETION:
		completion.header = header;
		completion.payload = padded_payload(p, r->packet + r->room + TRAILER);
		return ring_build_our_completion(r->packet, r->room, &ctx, &completion, bytes);
	case RING_MSG_OUR_IN_BAND:
		in_band.header = header;
		in_band.payload = padded_payload(p, r->packet + r->room + TRAILER);
		return ring_build_our_in_band(r->packet, r->room, &ctx, &in_band, bytes);
	default:
		return RING_RULE_DISPATCH;
	}
}

/* Stores packet and trailer, around the end of the ring if need be. Returns the next write index. */
static u32 store(struct outbound *r, u32 bytes)
{
	u32 total = bytes + TRAILER, until_end = r->size - r->write;

	wire_put_le64(r->packet + bytes, (u64)r->write << 32);	/* */
	if (total < until_end) {
		host_store(r->data + r->write, r->packet, total);
		return r->write + total;
	}
	host_store(r->data + r->write, r->packet, until_end);
	if (total > until_end)
		host_store(r->data, r->packet + until_end, total - until_end);
	return total - until_end;
}

/*
 * Shows the host everything before @next; true: it was waiting for it, and is to be signalled. One
 * decision for each packet, from state that the host cannot make us believe anything by: it can
 * have a signal too many or miss one. Caller holds the lock.
 */
static bool publish_index(struct outbound *r, u32 next)
{
	u32 old = r->write;

	r->write = next;
	host_store32_release(control_word(r, RING_CONTROL_PAGE_WRITE_OFFSET), next);
	virt_mb();	/* pairs with the host's: unmask, then look again */
	if (host_load32(control_word(r, RING_CONTROL_PAGE_INTERRUPT_MASK_OFFSET)))
		return false;
	virt_rmb();	/* the mask is looked at before the index */
	return host_load32(control_word(r, RING_CONTROL_PAGE_READ_OFFSET)) == old;
}

static int send_locked(struct outbound *r, const struct outbound_packet *p, u32 bytes,
		       void (*publish)(void *), void *argument, bool *signal, int *rule)
{
	u32 next;

	if (r->dead)
		return -EPIPE;
	if (bytes > r->room)
		return -EMSGSIZE;
	*rule = accept_read_index(r);
	if (*rule)
		return -EPROTO;
	if (bytes + TRAILER > room_left(r)) {
		r->full++;
		return -EAGAIN;
	}
	*rule = build(r, p, &bytes);
	if (*rule)
		return -EINVAL;
	next = store(r, bytes);
	if (publish)
		publish(argument);
	*signal = publish_index(r, next);
	r->packets++;
	r->bytes += bytes;
	r->signals += *signal;
	return 0;
}

/**
 * outbound_send() - send a packet
 * @r: the ring
 * @p: the packet
 * @publish: called with the ring's lock held right before the host can see the packet; or NULL
 * @argument: of @publish
 * @signal: whether the host is to be told
 * @rule: the rule of ring that was broken, or 0
 *
 * Context: any; takes the ring's lock with interrupts off.
 * Return: 0; -EAGAIN: no room now; -EMSGSIZE: larger than what this ring was opened for; -EPIPE: the
 * ring is dead; -EPROTO: the host's index breaks *@rule, and now it is; -EINVAL: the packet, which
 * is ours, breaks *@rule. But for 0, the host can see nothing of it.
 */
int outbound_send(struct outbound *r, const struct outbound_packet *p,
		  void (*publish)(void *), void *argument, bool *signal, int *rule)
{
	u64 bytes = packet_bytes(p);
	unsigned long flags;
	int result;

	*signal = false;
	*rule = 0;
	if (bytes > PACKET_MAX)
		return -EMSGSIZE;
	spin_lock_irqsave(&r->lock, flags);
	result = send_locked(r, p, bytes, publish, argument, signal, rule);
	spin_unlock_irqrestore(&r->lock, flags);
	return result;
}

/* Says how many bytes we wait for, and privately notes it: the host can overwrite it. */
static void set_pending(struct outbound *r, u32 pending)
{
	r->pending = pending;
	host_store32(control_word(r, RING_CONTROL_PAGE_PENDING_SEND_SIZE_OFFSET), pending);
}

static bool block_locked(struct outbound *r, u32 bytes, int *rule)
{
	u32 others = r->pending;

	if (r->dead)
		return true;
	set_pending(r, max(others, bytes));
	virt_mb();	/* pairs with the host's: free room, then look whether somebody waits */
	*rule = accept_read_index(r);
	if (*rule)
		return true;
	if (room_left(r) < bytes)
		return false;
	if (!others)
		set_pending(r, 0);
	return true;
}

/**
 * outbound_block() - ask the host to tell us when there is room
 * @r: the ring
 * @bytes: to wait for, as outbound_total() counts them
 * @rule: the rule of ring that was broken, or 0
 *
 * The caller waits with a deadline of its own: the host may never tell, or tell
 * too early. Asking again, after the deadline, is harmless. While several wait, the
 * host knows of the largest, and does until outbound_unblock(): then all of them try again.
 *
 * Context: any; takes the ring's lock with interrupts off.
 * Return: false: we will be told. true: there is no point in waiting, since there is room already, or
 * the ring is dead, which the next outbound_send() tells.
 */
bool outbound_block(struct outbound *r, u32 bytes, int *rule)
{
	unsigned long flags;
	bool now;

	*rule = 0;
	spin_lock_irqsave(&r->lock, flags);
	/* Never more than becomes free at all. */
	now = block_locked(r, round_up(clamp_t(u32, bytes, WORD, r->size - KEPT_FREE), WORD), rule);
	spin_unlock_irqrestore(&r->lock, flags);
	return now;
}
EXPORT_SYMBOL_GPL(outbound_block);

/**
 * outbound_unblock() - nobody waits for room any more
 * @r: the ring
 *
 * Context: any; takes the ring's lock with interrupts off.
 */
void outbound_unblock(struct outbound *r)
{
	unsigned long flags;

	spin_lock_irqsave(&r->lock, flags);
	if (!r->dead)
		set_pending(r, 0);
	spin_unlock_irqrestore(&r->lock, flags);
}
EXPORT_SYMBOL_GPL(outbound_unblock);

/**
 * outbound_free_bytes() - how much could be sent now
 * @r: the ring
 * @rule: the rule of ring that was broken, or 0
 *
 * Context: any; takes the ring's lock with interrupts off.
 * Return: bytes, as outbound_total() counts them; 0 when the ring is dead.
 */
u32 outbound_free_bytes(struct outbound *r, int *rule)
{
	unsigned long flags;
	u32 bytes = 0;

	*rule = 0;
	spin_lock_irqsave(&r->lock, flags);
	if (!r->dead)
		*rule = accept_read_index(r);
	if (!r->dead)
		bytes = room_left(r);
	spin_unlock_irqrestore(&r->lock, flags);
	return bytes;
}
EXPORT_SYMBOL_GPL(outbound_free_bytes);
