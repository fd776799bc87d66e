/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACSL back end: what the C back end asks of it, at the places where annotations go,
 * and what its two halves share.
 */
#ifndef AIRSPEC_EMIT_ACSL_H
#define AIRSPEC_EMIT_ACSL_H

#include "emit_c.h"

void acsl_prologue(struct gen *gen);				/* after the includes */
void acsl_contract(struct gen *gen, const struct layout *layout);	/* before a check function; NULL: receive */
void acsl_walk(struct gen *gen, const struct field *field);	/* before the function of a list */
void acsl_loop(struct gen *gen, const struct field *field);	/* before its loop */
void acsl_return(struct gen *gen, u32 indent, bool accepts);	/* before a return of a check function */

/* What is known of a field or let: where it lies, how many bytes it covers, or its value. */
struct acsl_place {
	struct acsl_place *next;
	const struct field *field;
	const struct item *let;
	const char *at, *bytes, *value;
};

/* A layout read as logic: the cursor, and what was said so far. */
struct acsl {
	struct spec *spec;
	const char *base;		/* where the layout starts: "msg" */
	const char *size;		/* how long its region is */
	const char *at;			/* the cursor: this, if not NULL, */
	u64 more;			/* and so many bytes */
	struct acsl_place *places;
	const char *rules;		/* all that must hold; NULL: nothing */
	const char *facts;		/* what an accepted view says; NULL: nothing */
	const char *lists;		/* the rules that are about lists; NULL: none */
};

/* emit_acsl_layout.c: a layout from its specification alone, as one formula */
void acsl_describe(struct acsl *a, const struct layout *layout);
const char *acsl_truth(struct acsl *a, const struct expr *expr);
const char *acsl_field(const struct acsl *a, const struct ref *ref);
const char *acsl_extra(struct spec *spec, const struct layout *layout, bool context, bool declare);	/* parameters */
bool acsl_walk_uses_context(const struct type *type);
bool acsl_walks(const struct spec *spec, const struct type *type);
bool acsl_counted(const struct type *type);
const char *acsl_walk_name(const struct acsl *a, const struct field *field);

#endif
