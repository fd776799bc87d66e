/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring from the host: packets are copied out whole, once, and handed on only as
 * validated views of the private copy. One reader at a time; it owns the structure.
 */
#ifndef AIRLOCK_INBOUND_H
#define AIRLOCK_INBOUND_H

#include <linux/types.h>

#include "access.h"
#include "ring.h"

struct inbound {
	u8 __host *control;
	u8 __host *data;
	struct ring_context context;	/* our_index: our read index; their_index: the host's, as last accepted */
	u32 published;			/* the read index the host knows */
	bool flow_control;		/* the host's feature bit, looked at once: before its first packet */
	bool features_known;
	bool dead;
	u8 *packet;			/* private copy of one packet */
	u64 packets, bytes, signals;
};

/* @memory: @pages of them; @limits: what the device class allows (host_may_ask, transfers, buffer_bytes). */
int __must_check inbound_open(struct inbound *r, u8 __host *memory, u32 pages, const struct ring_context *limits);
void inbound_close(struct inbound *r);
/*
 * 1: *m is a packet, good until the next call. 0: empty. -EBADMSG: the packet breaks *rule (of ring), but not
 * the framing: it is behind us and may be dropped. -EPROTO: *rule is broken, framing is lost. -EPIPE: it was.
 */
int __must_check inbound_next(struct inbound *r, struct ring_message *m, int *rule);
/* Gives what was read back to the host; true: it waits for room and is to be signalled. */
bool __must_check inbound_release(struct inbound *r);
void inbound_mask(struct inbound *r);
/* After unmasking: whether something came meanwhile (bad indices count as something). */
bool __must_check inbound_unmask(struct inbound *r);

#endif
