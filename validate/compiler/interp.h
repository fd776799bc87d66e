/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: decides about messages from the parsed specification alone. It shares no
 * code with the back end that writes C, so that an error in one shows against the other.
 */
#ifndef AIRSPEC_INTERP_H
#define AIRSPEC_INTERP_H

#include "airspec.h"

struct interp_message {
	const u8 *bytes;
	u32 size;
	const u64 *context;		/* spec->context_count values, by index */
};

/*
 * Called for each scalar (bit == NULL), each part of a bits word, and each byte range
 * (value = its size, width = 0) the interpreter looks at, in order.
 */
struct interp_observer {
	void (*saw)(void *arg, const struct field *field, const struct bitpart *bit,
		    u32 offset, u32 width, u64 value);
	void (*checked)(void *arg, const struct rule *rule, const struct expr *expr);	/* passed */
	void *arg;
	u32 disabled;			/* number of a rule taken as kept; 0: none */
};

/* The number of the first rule broken, 0 if none. @observer may be NULL. */
u32 interp_check(const struct spec *spec, const struct layout *layout,
		 const struct interp_message *message, struct interp_observer *observer);

/*
 * Which message this is, and whether it is one: the first rule broken. Messages to the host
 * only are not considered. *layout is NULL if no message was recognised; then the rule is the
 * header's, or spec->dispatch_rule.
 */
u32 interp_receive(const struct spec *spec, const struct interp_message *message,
		   const struct layout **layout, struct interp_observer *observer);

/* The request rules of @layout for a message and the request it answers, both accepted before. */
u32 interp_match(const struct spec *spec, const struct layout *layout,
		 const struct interp_message *message, const struct interp_message *request,
		 struct interp_observer *observer);

/* A session's run-time state: the current state, and the requests on their way. */
struct interp_session {
	u32 state;
	u32 outstanding;		/* bit n: the request message with event number n */
	struct interp_message request[32];	/* by event number; bytes owned by the caller */
};

/* A message arrives in / leaves a session; 0 or the session's rule, state updated only on 0. */
u32 interp_session_receive(const struct spec *spec, const struct session *session,
			   struct interp_session *run, const struct layout *layout,
			   const struct interp_message *message, struct interp_observer *observer);
u32 interp_session_send(const struct spec *spec, const struct session *session,
			struct interp_session *run, const struct layout *layout,
			const struct interp_message *message);
/* A deadline passes or we decide something; 1: happened, 0: means nothing in this state. */
u32 interp_session_local(const struct spec *spec, const struct session *session,
			 struct interp_session *run, const char *event);

#endif
