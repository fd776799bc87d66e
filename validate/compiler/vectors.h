/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test vectors: for each rule one input that breaks just that rule, and one, as near to
 * it as was found, that just keeps it.
 */
#ifndef AIRSPEC_VECTORS_H
#define AIRSPEC_VECTORS_H

#include "airspec.h"

enum vector_door {
	DOOR_CHECK,		/* layout is known: interp_check() */
	DOOR_RECEIVE,		/* interp_receive() */
	DOOR_MATCH,		/* accepted, then interp_match() with the request */
	DOOR_ARRIVES,		/* accepted, then interp_session_receive() in a state */
	DOOR_SENDS,		/* the same for interp_session_send() */
};

struct vector {
	struct vector *next;
	const struct rule *rule;
	bool breaks;			/* else it keeps the rule, and all others */
	/*
	 * Broken as well, behind the rule: some rules cannot be broken alone, because another
	 * says more about the same thing. NULL: no other rule is broken.
	 */
	const struct rule *also;
	enum vector_door door;
	const struct layout *layout;	/* DOOR_RECEIVE: spec->header if no message is meant */
	const u8 *bytes;
	u32 size;
	const u64 *context;		/* spec->context_count values */
	const u64 *params;		/* a struct's own; NULL: none */
	const u8 *request;		/* NULL: none */
	u32 request_size;
	const u64 *request_context;	/* as it was when the request was sent */
	const struct session *session;
	u32 state;
	u64 outstanding;		/* by event number; each with the request above */
};

/*
 * All vectors of a specification, by rule number; a breaking one comes before the keeping one.
 * Searched for once. A rule without a breaking one is warned about.
 */
const struct vector *vectors_find(struct spec *spec);
/* Rules that have both. */
u32 vectors_complete(struct spec *spec);

#endif
