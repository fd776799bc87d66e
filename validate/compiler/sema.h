/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the semantic analysis share. Each layout is walked once, in the order
 * its checks run; the walker knows at each place which names are visible, what values
 * they can still have, and which inequalities hold.
 */
#ifndef AIRSPEC_SEMA_H
#define AIRSPEC_SEMA_H

#include "airspec.h"

#define MOST_NAMES 1024
#define MOST_FACTS 1024

struct visible {
	const char *name;
	struct field *field;
	struct item *let;
};

/* The values of what "ref" names lie in "range". */
struct narrowed {
	struct ref ref;
	struct interval range;
};

/* small <= big */
struct fact {
	const struct expr *small, *big;
};

struct walker {
	struct spec *spec;
	struct layout *layout;
	struct visible names[MOST_NAMES];
	struct narrowed narrowed[MOST_FACTS];
	struct fact facts[MOST_FACTS];
	u32 name_count, narrowed_count, fact_count;
	struct interval region;		/* what "size" can be */
	u32 deep;			/* inside how many whens */
	bool extent;			/* there was one */
};

/* sema_names.c: declarations, look-ups, suggestions */
void declare(struct spec *spec);
struct enumeration *find_enumeration(const struct spec *spec, const char *name);
struct flagset *find_flagset(const struct spec *spec, const char *name);
struct constant *find_constant(const struct spec *spec, const char *name);
struct context_value *find_context(const struct spec *spec, const char *name);
struct enumerator *find_enumerator(const struct enumeration *enumeration, const char *name);
void unknown_name(struct walker *walker, struct loc loc, const char *name,
		  const struct enumeration *expected);
const char *nearest(const char *name, const char *best, const char *candidate);
bool constant_value(struct spec *spec, const struct expr *expr, u64 *value);
struct interval type_range(const struct type *type);

/* sema_layout.c: types, sizes, offsets, runs */
void resolve_layouts(struct spec *spec);

/* sema_expr.c */
struct expr_use {
	const struct enumeration *expected;	/* names may be its enumerators */
	bool truth;				/* a truth value is wanted */
};

/* False after an error. */
bool resolve(struct walker *walker, struct expr *expr, struct expr_use use);
bool resolve_number(struct walker *walker, struct expr *expr, const struct enumeration *expected);
bool resolve_truth(struct walker *walker, struct expr *expr);
bool resolve_request_guid(struct walker *walker, struct expr *expr);
/* 1: always, 0: never, -1: depends */
int always(const struct walker *walker, const struct expr *expr);
void learn(struct walker *walker, const struct expr *expr);	/* expr is true from here on */
void forget_size(struct walker *walker);
void unlearn(struct walker *walker, u32 narrowed, u32 facts);
void narrow(struct walker *walker, const struct ref *ref, struct interval range);
struct interval known(const struct walker *walker, const struct ref *ref);
const struct enumeration *enumeration_of(const struct expr *expr);
bool same_ref(const struct ref *a, const struct ref *b);
bool same_expr(const struct expr *a, const struct expr *b);
struct type *ref_type(const struct ref *ref);

/* sema_rules.c */
struct rule *new_rule(struct spec *spec, enum rule_class class, struct layout *owner,
		      struct session *session, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
void walk_layout(struct spec *spec, struct layout *layout);
void refuse_size(struct walker *walker, const struct expr *expr);
void settle_fields(struct spec *spec);
void make_visible(struct walker *walker, struct field *field, struct item *let);

/* sema_session.c */
void analyse_sessions(struct spec *spec);

/* sema_lint.c: what is legal but surely not meant */
void lint(struct spec *spec);

#endif
