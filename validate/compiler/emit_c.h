/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the C back end share. Text is built as strings in the arena of the
 * specification; a function's body is written first, its locals are known afterwards.
 */
#ifndef AIRSPEC_EMIT_C_H
#define AIRSPEC_EMIT_C_H

#include "airspec.h"

/* How wide C evaluates a text: int (small and promoted), u32 or u64. */
enum c_width { C_INT, C_U32, C_U64 };

/* A C expression, how tightly it binds, how wide it is. */
struct c_text {
	const char *text;
	int binds;
	enum c_width width;
};

enum { C_OR = 4, C_AND = 5, C_BIT_OR = 6, C_BIT_AND = 8, C_EQUAL = 9, C_LESS = 10, C_SHIFT = 11,
       C_SUM = 12, C_PRODUCT = 13, C_UNARY = 14, C_ATOM = 16 };

/* The function being written, and where its cursor stands. */
struct gen {
	struct spec *spec;
	const char *P;			/* the protocol in capitals */
	FILE *out;
	struct layout *layout;
	const char *view;		/* "m->": how fields are reached */
	u32 indent;
	u32 steady;			/* inside whens that leave the cursor where it is known */
	bool acsl;
	/* the cursor: base bytes behind the variable "at" if dynamic, else from the start */
	bool dynamic;
	u32 base;
	s128 absolute;			/* value of "at" if known, -1 if not */
	/* locals in use */
	bool at_read;			/* "at" is looked at, not only moved */
	bool at, rule, used, word, wide_word, bytes, wide_bytes, from, wide_from, end;
};

void line(struct gen *gen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void emit_body(struct gen *gen, FILE *out, const char *body);	/* without moves of an unread "at" */
void emit_unused(FILE *out, const char *body, const char *name);	/* a parameter the body may not look at */
void emit_unused_parameters(const struct gen *gen, FILE *out, const char *body);
void emit_packed(FILE *out, u32 *column, const char *text);	/* an entry of a list */
void put_lines(FILE *out, u32 indent, char *text);	/* text is cut up */
void emit_prototype(struct spec *spec, FILE *out, const char *head, bool must_check);
const char *upper(struct spec *spec, const char *name);
const char *file_name(const struct spec *spec);

/* emit_c_expr.c */
struct c_text c_number(struct gen *gen, const struct expr *expr);
const char *c_true(struct gen *gen, const struct expr *expr);	/* holds */
const char *c_false(struct gen *gen, const struct expr *expr);	/* does not hold */
const char *c_literal(struct spec *spec, u64 value);
const char *c_rest(struct gen *gen);			/* bytes from the cursor to the end */
const char *c_place(struct gen *gen, u32 more);		/* "8", "at + 8" */
const char *c_pointer(struct gen *gen, u32 more);	/* "msg + at + 8" */
struct c_text c_meaning(struct gen *gen, const struct type *type, const char *load);
const char *c_load(struct gen *gen, const struct type *type, const char *pointer);
const char *c_param(struct spec *spec, const struct param *param);
const char *c_rule(struct spec *spec, const struct rule *rule);
bool expr_uses_context(const struct expr *expr);
bool uses_context(const struct layout *layout);
bool has_rules(const struct spec *spec, const struct layout *layout);
const char *c_type(const struct type *type);		/* of a scalar in a view */

/* emit_c_check.c, emit_c_build.c, emit_c_session.c */
void emit_checks(struct spec *spec, FILE *out, bool acsl);
void emit_check_prototypes(struct spec *spec, FILE *out);
void emit_builders(struct spec *spec, FILE *out);
void emit_builder_prototypes(struct spec *spec, FILE *out);
void emit_session_types(struct spec *spec, FILE *out);
void emit_sessions(struct spec *spec, FILE *out, bool acsl);
const char *c_arguments(struct gen *gen, const struct layout *layout, struct expr **arguments, u32 count);
const char *c_parameters(struct spec *spec, const struct layout *layout);
bool has_members(const struct item *items);		/* of the view */
bool builds(const struct layout *layout);

#endif
