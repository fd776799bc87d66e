/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory named to the host: handles, the messages that name it, and the moments of each
 * (the generated session "gpadl"). Nothing here waits or posts; core/gpadl.c does. The
 * caller of everything with a table serialises it (the connection's lock).
 */
#ifndef AIRLOCK_GPADL_H
#define AIRLOCK_GPADL_H

#include <linux/completion.h>
#include <linux/types.h>

#include "control.h"
#include "hostmem.h"

/* A handle is slot + 1 in the low 12 bits, which the last slot does not fit, and a generation above. */
#define GPADL_SLOTS 4096

struct gpadl {
	u32 handle;
	u32 relid;
	const struct hostmem *memory;
	u32 pages;		/* of it */
	u32 sent;		/* of them named so far */
	struct control_gpadl_session session;
	struct completion answered;
	int result;		/* of what was waited for: 0 or -errno */
};

/* All handles of a connection, and what the host takes at most (about 384 or 1280 MiB). */
struct gpadl_table {
	struct gpadl *slots[GPADL_SLOTS];
	u32 generations[GPADL_SLOTS];	/* of the last handle given out in the slot */
	u32 next;
	u64 bytes, bytes_max;
	u32 refused;			/* for that limit */
};

void gpadl_table_init(struct gpadl_table *t, u64 bytes_max);
int __must_check gpadl_add(struct gpadl_table *t, struct gpadl *g, const struct hostmem *memory,
			   u32 relid);
void gpadl_remove(struct gpadl_table *t, struct gpadl *g);
struct gpadl *gpadl_find(const struct gpadl_table *t, u32 handle);

/* 1: @msg is the next part; 0: all were sent; else -errno. The session moves with each. */
int __must_check gpadl_next_part(struct gpadl *g, const struct control_context *ctx, u8 *msg,
				 u32 room, u32 *size);
int __must_check gpadl_teardown_message(struct gpadl *g, const struct control_context *ctx, u8 *msg,
					u32 room, u32 *size);
/* 0, or the number of the control rule that an answer breaks; wakes who waits for it. */
int __must_check gpadl_receive(struct gpadl_table *t, const struct control_message *m);
/*
 * A deadline passed, or the channel or connection is dead ("abandon"): whoever waits gets @error.
 * "connection_gone" is only for a host that has said it let go of everything (unload_response).
 */
void gpadl_event(struct gpadl *g, u8 event, int error);
bool gpadl_is_live(const struct gpadl *g);
/* The host never named these pages, or has said that it is done with them. */
bool gpadl_given_back(const struct gpadl *g);

#endif
