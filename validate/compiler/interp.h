/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: decides about messages from the parsed specification alone. It shares no
 * code with the back end that writes C, so that an error in one shows against the other.
 * It also shows an observer what it looks at, and why: the search for test vectors
 * works from that.
 */
#ifndef AIRSPEC_INTERP_H
#define AIRSPEC_INTERP_H

#include "airspec.h"

/*
 * No verdict: an expression has no value, bytes are read that no rule vouched for, or a
 * rule that is needed is missing. Never for a specification without errors, unless a rule
 * is disabled.
 */
#define INTERP_UNDEFINED 0xffffffffu

struct interp_message {
	const u8 *bytes;
	u32 size;
	const u64 *context;		/* spec->context_count values, by index */
	const u64 *params;		/* a struct checked for itself: its parameters */
};

/* The bytes something may lie in; "end" is also where the words that set it say so. */
struct interp_region {
	s128 end;
	const struct interp_scope *scope;	/* end = base + expr, as seen in scope; */
	const struct expr *expr;		/* NULL: the end of the message */
	s128 base;
};

/* One message, struct or element being looked at. Its inside is the interpreter's. */
struct interp_scope {
	struct interp_walk *walk;
	const struct layout *layout;
	const struct field *field;		/* of "outer", which this is; NULL: outermost */
	const struct interp_scope *outer;	/* where "arguments" are seen */
	struct expr **arguments;
	u32 first, count;			/* its names among those of the walk */
	s128 start, cursor;
	struct interp_region region;
};

enum interp_site_kind {
	SITE_FITS,		/* size bytes at offset lie in the region */
	SITE_EXACT,		/* the region is size bytes */
	SITE_TEST,		/* expr holds */
	SITE_GUID,		/* as at size in the request; the first bytes: value, unit */
	SITE_ENUM,		/* value is one of the field's enum */
	SITE_RESERVED,		/* value has only bits of the field's flags */
	SITE_WHOLE,		/* size is a multiple of unit */
	SITE_TEXT,		/* the bytes are the string the field says */
	SITE_OVERLAP,		/* field and other are apart */
	SITE_MAX,		/* the list has room for one more element: count < expr */
	SITE_LINK,		/* value leads forward: at least size, less than unit */
	SITE_TAG,		/* some arm is meant by value */
	SITE_FILLED,		/* the arm ends at offset, as the union does at size, of value bytes */
	SITE_EXTENT,		/* value is in size .. unit */
	SITE_TRAILING,		/* nothing is left after offset */
	SITE_REFUSED, SITE_DISPATCH,
	/* no rules, but places where messages differ: */
	SITE_WHEN,		/* kept: expr holds */
	SITE_AMOUNT,		/* the field has size bytes; expr says so, unit bytes each */
	SITE_ARM,		/* value chooses what the union is */
	SITE_ELEMENT,		/* an element ended: from offset on, size bytes */
};

/* A place in the specification, as the interpreter passes it. */
struct interp_site {
	enum interp_site_kind kind;
	const struct rule *rule;	/* NULL: none */
	bool kept;
	const struct interp_scope *scope;
	const struct interp_region *region;	/* SITE_FITS: what it must fit */
	const struct field *field, *other;
	const struct expr *expr;
	s128 offset, size, unit, value;
	u32 count;
};

struct interp_observer {
	/*
	 * Each scalar (bit == NULL), each part of a bits word, and each byte range (value =
	 * its size, width = 0), in order; layout is where the field stands.
	 */
	void (*saw)(void *arg, const struct field *field, const struct bitpart *bit,
		    u32 offset, u32 width, u64 value);
	void (*passed)(void *arg, const struct interp_site *site);
	/*
	 * What is seen now is inside of @field, a struct, or its @arm, or (inside == false) no
	 * longer; @element: one of many. @offset is where it starts.
	 */
	void (*nested)(void *arg, const struct field *field, const struct arm *arm, bool element,
		       bool inside, u32 offset);
	void (*named)(void *arg, const struct item *let, u64 value);
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
	u64 outstanding;		/* bit n: the request message with event number n */
	struct interp_message request[64];	/* by event number; bytes owned by the caller */
};

/*
 * A message, accepted before, arrives in / leaves a session: 0, or the rule. The session
 * changes only on 0. INTERP_UNDEFINED: the session does not know this message.
 */
u32 interp_session_receive(const struct spec *spec, const struct session *session,
			   struct interp_session *run, const struct layout *layout,
			   const struct interp_message *message, struct interp_observer *observer);
u32 interp_session_send(const struct spec *spec, const struct session *session,
			struct interp_session *run, const struct layout *layout,
			const struct interp_message *message);
/* A deadline passes or we decide something; 1: happened, 0: means nothing in this state. */
u32 interp_session_local(const struct spec *spec, const struct session *session,
			 struct interp_session *run, const char *event);

/* ---- for those who change what the interpreter sees ---- */

enum interp_place_kind { PLACE_NONE, PLACE_BYTES, PLACE_CONTEXT, PLACE_PARAM };

/* Where a value comes from. */
struct interp_place {
	enum interp_place_kind kind;
	bool in_request;		/* PLACE_BYTES: of the request, not of the message */
	u32 offset, width;		/* PLACE_BYTES: of the whole scalar */
	bool big;
	u32 shift, bits;		/* the part of it that is meant */
	u32 index;			/* of the context value or parameter */
	struct interval range;		/* what it may be set to */
};

/* False: no value. */
bool interp_value(const struct interp_scope *scope, const struct expr *expr, s128 *value);
/* The place of a name; PLACE_NONE for a let or a constant. */
struct interp_place interp_place(const struct interp_scope *scope, const struct expr *expr);
/* The argument a parameter stands for, or NULL: given from outside. */
const struct expr *interp_argument(const struct interp_scope *scope, const struct expr *expr);
/* Where a field met before lies. */
bool interp_extent(const struct interp_scope *scope, const struct field *field, s128 *offset, s128 *size);

#endif
