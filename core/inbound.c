// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring from the host. The write index is fetched once for all packets up to
 * it, a packet's bytes once each; where we stand is private. What has been copied is judged, and
 * what has been judged is handed on; nothing that lies is bent into something that does not.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "inbound.h"
#include "ring_layout.h"

#define DESCRIPTOR RING_IN_BAND_SIZE_MIN
#define LENGTH8 4		/* where a descriptor says how long the packet is, in words */
#define TRAILER 8		/* behind each packet, never read: R-059 */
#define APART 8			/* bytes never written, so that full differs from empty */
#define WORD 8			/* everything in a ring is a multiple of it */

static u32 __host *control_word(const struct inbound *r, u32 offset)
{
	return (u32 __host *)(r->control + offset);
}

/* What validators take for granted of their context. */
static bool limits_are_sound(const struct ring_context *limits, u32 size)
{
	if (limits->buffer_bytes < DESCRIPTOR || limits->buffer_bytes > size)	/* */
		return false;
	if (limits->host_may_ask > 1 || limits->takes_transfers > 1)
		return false;
	return !limits->takes_transfers ||
	       (limits->transfer_bytes && limits->transfer_bytes <= S32_MAX &&
		limits->ranges_max && limits->ranges_max <= 0xffff - 3);
}

/**
 * inbound_open() - prepare the ring from the host
 * @r: the ring
 * @memory: its memory, linear: the control page, then the data
 * @pages: of 4096 bytes, the control page included
 * @limits: of this channel: host_may_ask, buffer_bytes (the largest packet, trailer not counted),
 *	takes_transfers and what belongs to it; the rest is ignored
 *
 * Before the host is told of the memory, or at least before it is told to use it.
 *
 * Context: may sleep; nobody reads yet.
 * Return: 0; -EINVAL for a ring or limits that cannot be; -ENOMEM.
 */
int inbound_open(struct inbound *r, u8 __host *memory, u32 pages, const struct ring_context *limits)
{
	u32 size;

	*r = (struct inbound){ .dead = true };
	if (pages < 2 || pages - 1 > RING_RING_BYTES_MAX / RING_PAGE)
		return -EINVAL;
	size = (pages - 1) * RING_PAGE;
	if (!limits_are_sound(limits, size))
		return -EINVAL;
	r->packet = kvzalloc(limits->buffer_bytes, GFP_KERNEL);
	if (!r->packet)
		return -ENOMEM;
	r->context = *limits;
	r->context.ring_bytes = size;
	r->context.our_index = 0;	/* whatever stands in the ring */
	r->context.their_index = 0;
	r->context.available = 0;
	r->control = memory;
	r->data = memory + RING_PAGE;
	r->dead = false;
	host_clear(memory, pages * RING_PAGE);	/* */
	return 0;
}

/**
 * inbound_close() - leave the ring's memory alone from now on
 * @r: the ring, whose reader is stopped
 *
 * Context: may sleep.
 */
void inbound_close(struct inbound *r)
{
	r->dead = true;
	r->control = NULL;
	r->data = NULL;
	kvfree(r->packet);
	r->packet = NULL;
}

/* Bytes from @from to @to, going forward. */
static u32 distance(const struct inbound *r, u32 from, u32 to)
{
	return to >= from ? to - from : r->context.ring_bytes - from + to;
}

/*
 * The host's write index, once, with all that it wrote before. What we have read
 * and not yet given back is not the host's to write to. 0, or the rule it breaks.
 */
static int load_write_index(const struct inbound *r, u32 *write)
{
	const struct ring_context ctx = {
		.ring_bytes = r->context.ring_bytes, .our_index = r->published, .their_index = r->context.their_index,
	};
	struct ring_inbound_write_index view;
	u32 word;
	int rule;

	word = host_load32_acquire(control_word(r, RING_CONTROL_PAGE_WRITE_OFFSET));
	rule = ring_check_inbound_write_index((const u8 *)&word, sizeof(word), &ctx, &view);
	*write = view.write.at_byte;
	return rule;
}

/*
 * The host says what it can do while it opens its end, so that it is too early to ask when we open
 * ours, and never too late when it has sent something. It is asked once.
 */
static void look_at_features(struct inbound *r)
{
	r->flow_control = host_load32(control_word(r, RING_CONTROL_PAGE_FEATURES_OFFSET)) & 1;
	r->features_known = true;
}

/* Learns how much there is to read. 0, or the rule the write index breaks. */
static int refill(struct inbound *r)
{
	u32 write;
	int rule;

	rule = load_write_index(r, &write);
	if (rule)
		return rule;
	r->context.their_index = write;
	r->context.available = distance(r, r->context.our_index, write);
	if (r->context.available && !r->features_known)
		look_at_features(r);
	return 0;
}

/* @at: where to start, on or beyond the end of the ring or so near to it that @size bytes go round: R-064. */
static noinline void fetch_round(struct inbound *r, u8 *to, u32 at, u32 size)
{
	u32 until_end;

	if (at >= r->context.ring_bytes) {
		host_fetch(to, r->data + (at - r->context.ring_bytes), size);
		return;
	}
	until_end = r->context.ring_bytes - at;
	host_fetch(to, r->data + at, until_end);
	host_fetch(to + until_end, r->data, size - until_end);
}

/* Copies out @size bytes, @skip behind our index. In line, for the sake of sizes known beforehand. */
static __always_inline void fetch(struct inbound *r, u32 skip, u32 size)
{
	u32 at = r->context.our_index + skip;

	if (likely(at + size <= r->context.ring_bytes))
		host_fetch(r->packet + skip, r->data + at, size);
	else
		fetch_round(r, r->packet + skip, at, size);
}

/* The rule that the descriptor in our copy breaks: nobody knows where the next packet starts. 0: none. */
static noinline int judge_descriptor(const struct inbound *r)
{
	struct ring_header header;

	return ring_check_header(r->packet, &r->context, &header);
}

/*
 * Copies out one packet: its descriptor, then as much as that says, if there is so much, and room
 * for it. What the bytes are worth is judged when all are here, once. 0, or the rule that is broken.
 */
static __always_inline int copy_out(struct inbound *r, u32 *bytes)
{
	u32 size, room;

	if (unlikely(r->context.available < DESCRIPTOR + TRAILER))
		return RING_RULE_HEADER_IN_RING;	/* */
	fetch(r, 0, DESCRIPTOR);
	size = wire_le16(r->packet + LENGTH8) * WORD;
	room = min(r->context.available - TRAILER, r->context.buffer_bytes);
	if (unlikely(size < DESCRIPTOR || size > room))
		return judge_descriptor(r) ?: RING_RULE_HEADER_IN_RING;
	/* Also where the processor guesses that there is room, no byte beyond ours is written. */
	*bytes = array_index_nospec(size, r->context.buffer_bytes + 1);
	if (likely(*bytes > DESCRIPTOR))
		fetch(r, DESCRIPTOR, *bytes - DESCRIPTOR);
	return 0;
}

static void advance(struct inbound *r, u32 bytes)
{
	u32 at = r->context.our_index + bytes;

	r->context.our_index = at < r->context.ring_bytes ? at : at - r->context.ring_bytes;
	r->context.available -= bytes;
}

/* A packet breaks a rule; with a descriptor that can be believed, it is behind us. */
static noinline int refuse(struct inbound *r, u32 bytes, int *rule)
{
	int first = judge_descriptor(r);

	if (first) {
		*rule = first;
		r->dead = true;
		return -EPROTO;
	}
	advance(r, bytes + TRAILER);
	return -EBADMSG;
}

/**
 * inbound_next() - the next packet of the host
 * @r: the ring; one reader at a time
 * @m: the packet: a view of our private copy, good until the next call
 * @rule: the rule of ring that was broken, or 0
 *
 * The caller has a budget: a host can go on for ever.
 *
 * Context: any, of the one reader.
 * Return: 1: @m is a packet. 0: there is none. -EBADMSG: there was one, but it breaks *@rule; the ring is in
 * order and the packet is behind us. -EPROTO: the index or a descriptor breaks *@rule, and the ring
 * is dead. -EPIPE: it was dead before.
 */
int inbound_next(struct inbound *r, struct ring_message *m, int *rule)
{
	u32 bytes = 0;

	*rule = 0;
	if (unlikely(r->dead))
		return -EPIPE;
	if (!r->context.available) {
		*rule = refill(r);
		if (!*rule && !r->context.available)
			return 0;
	}
	if (likely(!*rule))
		*rule = copy_out(r, &bytes);
	if (unlikely(*rule)) {
		r->dead = true;
		return -EPROTO;
	}
	*rule = ring_receive(r->packet, bytes, &r->context, m);
	if (unlikely(*rule))
		return refuse(r, bytes, rule);
	advance(r, bytes + TRAILER);
	r->packets++;
	r->bytes += bytes;
	return 1;
}

/*
 * Whether the host waits for room, and this release gave it as much as it waits for: net room
 * went from below to at least what is pending. The mask has no say in it.
 */
static bool host_waits(const struct inbound *r, u32 released)
{
	u32 pending, write, room;

	pending = host_load32(control_word(r, RING_CONTROL_PAGE_PENDING_SEND_SIZE_OFFSET));	/* once */
	pending = round_down(pending, WORD);	/* */
	if (!pending || pending > r->context.ring_bytes)	/* */
		return false;
	virt_rmb();	/* what is pending is looked at before how much is written */
	if (load_write_index(r, &write))
		return false;
	room = r->context.ring_bytes - distance(r, r->context.our_index, write) - APART;
	return room >= pending && room - pending < released;
}

/**
 * inbound_release() - give what was read back to the host
 * @r: the ring; one reader at a time
 *
 * Context: any, of the one reader.
 * Return: true: the host waits for just that, and is to be signalled.
 */
bool inbound_release(struct inbound *r)
{
	u32 released = distance(r, r->published, r->context.our_index);

	if (r->dead || !released)
		return false;
	r->published = r->context.our_index;
	/* The host may write over it from here on: every fetch is done. */
	host_store32_release(control_word(r, RING_CONTROL_PAGE_READ_OFFSET), r->published);
	if (!r->flow_control)
		return false;
	virt_mb();	/* pairs with the host's: say what is pending, then look for room again */
	if (!host_waits(r, released))
		return false;
	r->signals++;
	return true;
}

/**
 * inbound_mask() - ask the host not to signal new packets
 * @r: the ring; one reader at a time
 *
 * It may all the same.
 *
 * Context: any, of the one reader.
 */
void inbound_mask(struct inbound *r)
{
	if (r->dead)
		return;
	host_store32(control_word(r, RING_CONTROL_PAGE_INTERRUPT_MASK_OFFSET), 1);
	virt_mb();
}

/**
 * inbound_unmask() - ask the host to signal new packets
 * @r: the ring; one reader at a time
 *
 * What it wrote while it was not to signal, it will not signal: the caller reads it, if there is any, within
 * its budget. Written, never looked at: R-071.
 *
 * Context: any, of the one reader.
 * Return: whether there is something to read, be it an index that lies.
 */
bool inbound_unmask(struct inbound *r)
{
	if (r->dead)
		return false;
	host_store32(control_word(r, RING_CONTROL_PAGE_INTERRUPT_MASK_OFFSET), 0);
	virt_mb();	/* pairs with the host's: write, then look at the mask */
	return r->context.available ||
	       host_load32(control_word(r, RING_CONTROL_PAGE_WRITE_OFFSET)) != r->context.our_index;
}
