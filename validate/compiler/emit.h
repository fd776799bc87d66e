/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that several back ends write: names in capitals, and pieces of the specification
 * in its own language again.
 */
#ifndef AIRSPEC_EMIT_H
#define AIRSPEC_EMIT_H

#include <stdarg.h>

#include "airspec.h"

void emit_upper(FILE *out, const char *name);
void emit_indent(FILE *out, u32 levels);		/* tabs */

/* In the specification's own language. */
void emit_number_text(FILE *out, u64 number);
void emit_version_text(FILE *out, const struct spec *spec, u64 value);	/* 5.2 */
void emit_expr_text(FILE *out, const struct spec *spec, const struct expr *expr);
void emit_type_text(FILE *out, const struct spec *spec, const struct type *type);
void emit_refinement_text(FILE *out, const struct spec *spec, const struct refinement *refinement);

/* emit_dissector.c: what fields are called in filters, and the link type of captures */
void emit_field_key(FILE *out, const struct field *field);
u32 capture_link_type(const struct spec *spec);		/* USER0 + n */

const char *direction_text(enum direction direction);	/* "from host" */
const char *event_text(enum event_kind kind);		/* "on" */
const char *operator_text(enum op op);			/* "<=" */

#endif
