/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine of the generated sessions: finds the line of a state table that an event
 * takes, and keeps count of the requests on their way. It knows nothing of messages;
 * what it is given has passed a validator. The caller serialises access to a session, and
 * of several sessions that a message passes, puts those back that moved before one refused.
 */
#ifndef AIRLOCK_SESSION_H
#define AIRLOCK_SESSION_H

#include <linux/types.h>

#define SESSION_STAY 0xff	/* as "next": the state stays what it is */

/* In each of "states" (bits), "event" leads to "next" if guard number "guard" holds; guard 0 always does. */
struct session_line {
	u32 states;
	u8 event, guard, next;
	bool cancel;		/* forget all requests on their way */
};

/* An event that is a message: its rules, and the bit of the request it starts or ends. */
struct session_event {
	u16 kind;
	u8 event;
	u16 state_rule, pairing_rule;	/* pairing_rule 0: no pairing */
	u64 request;
	u16 first;			/* where its first line stands */
};

struct session_table {
	const struct session_line *lines;
	const struct session_event *on, *send;
	u16 line_count, on_count, send_count;
	u16 stranger;		/* the rule for messages the session does not know */
	u8 start;		/* the first state */
};

/* Where a session stands. */
struct session_state {
	u8 state;
	u64 pending;		/* a bit for each request on its way */
};

void session_start(const struct session_table *table, struct session_state *s);
int __must_check session_receive(const struct session_table *table, const struct session_state *s, u16 kind,
				 u64 guards, struct session_state *next);
int __must_check session_send(const struct session_table *table, const struct session_state *s, u16 kind,
			      u64 guards, struct session_state *next);
bool session_local(const struct session_table *table, struct session_state *s, u8 event);

#endif
