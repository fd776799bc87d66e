/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the dissector's back end share.
 */
#ifndef AIRSPEC_EMIT_DISSECTOR_H
#define AIRSPEC_EMIT_DISSECTOR_H

#include "emit.h"

struct lua {
	FILE *out;
	const struct spec *spec;
	const struct layout *layout;
	u32 depth;
	const struct field *field;	/* being read */
	const char *pos;		/* where it lies: "at" or "q" */
	const char *tree, *limit;	/* "t" and "limit", or "u" and "m" in a union */
};

/* emit_dissector.c */
void lua_line(struct lua *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The quoted key of the field being read, with something behind it. */
void lua_key(struct lua *lua, const char *behind);

/* emit_dissector_read.c */
void lua_truth(struct lua *lua, const struct expr *expr);
void lua_layout(struct lua *lua, const struct layout *layout);	/* the function that reads it */

#endif
