/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring to the host. A packet is built in private memory by a generated builder and then
 * stored; the write index is ours and private, the host's read index is fetched where it is
 * needed, once, and must have moved forward within what we wrote.
 */
#ifndef AIRLOCK_OUTBOUND_H
#define AIRLOCK_OUTBOUND_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "access.h"
#include "ring.h"

struct outbound {
	spinlock_t lock;
	u8 __host *control;	/* the control page; the data follows it */
	u8 __host *data;
	u32 size;		/* of the data area, bytes */
	u32 write;		/* our index: never read back */
	u32 read;		/* the host's, as last accepted */
	u32 pending;		/* bytes a blocked sender waits for; 0: none */
	bool dead;
	u8 *packet;		/* private room for one packet */
	u32 room;
	u64 packets, bytes, signals, full;
};

/* A packet to send: one of the three kinds we send. */
struct outbound_packet {
	enum ring_msg kind;	/* OUR_IN_BAND, OUR_COMPLETION or GPA_DIRECT */
	u64 transaction;
	bool wants_completion;
	const u8 *payload;
	u32 bytes;
	/* GPA_DIRECT: one range of the host's frames */
	u32 range_bytes, range_offset;
	const u64 *gfns;
	u32 gfn_count;
};

/* @memory: @pages of them, the control page first; @room: bytes of the largest packet, trailer not counted. */
int __must_check outbound_open(struct outbound *r, u8 __host *memory, u32 pages, u32 room);
void outbound_close(struct outbound *r);
/*
 * 0: sent, and *signal says whether the host is to be told. -EAGAIN: no room now. -EMSGSIZE: never.
 * -EPIPE: the ring is dead. -EPROTO: the host's index lies, *rule says which rule it broke. -EINVAL: the
 * packet, ours, breaks *rule.
 * @publish (may be NULL) is called with the ring's lock held, right before the host can see the packet.
 */
int __must_check outbound_send(struct outbound *r, const struct outbound_packet *p,
			       void (*publish)(void *), void *argument, bool *signal, int *rule);
/* Bytes of the ring that a packet takes, padding and trailer counted: what the next three mean by bytes. */
u32 outbound_total(const struct outbound_packet *p);
/*
 * Asks to be told when @bytes are free; true: they are already, or the ring is dead. Several may
 * wait: the most counts, until outbound_unblock().
 */
bool outbound_block(struct outbound *r, u32 bytes, int *rule);
void outbound_unblock(struct outbound *r);
u32 outbound_free_bytes(struct outbound *r, int *rule);

#endif
