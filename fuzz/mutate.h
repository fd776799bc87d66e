/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structure-aware mutation of messages. The compiler writes the tables of a protocol
 * (build/gen/<protocol>_mutator.c); the engine in mutate.c is the same for all.
 */
#ifndef AIRLOCK_FUZZ_MUTATE_H
#define AIRLOCK_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* A number at a fixed place of a shape, and values worth trying in it. */
struct mutate_field {
	u32 offset;
	u8 width;		/* bytes */
	bool big;		/* big-endian */
	u16 first, count;	/* in mutate_tables.values */
};

/* An accepted message, frame or struct. */
struct mutate_shape {
	const u8 *bytes;
	u32 size;
	u32 first, count;	/* in mutate_tables.fields */
	u32 first_key, keys;	/* in mutate_tables.keys: fields that tell which message it is */
};

/* A value of the context: what it may be, and values worth trying. */
struct mutate_context {
	u64 lo, hi;
	u64 mask;		/* bits that mean something */
	u16 first, count;	/* in mutate_tables.values */
};

struct mutate_tables {
	const struct mutate_shape *shapes;
	const struct mutate_field *fields;
	const u32 *keys;	/* numbers of fields */
	const u64 *values;
	u32 shape_count;
	const struct mutate_context *context;
	u32 context_count;
	const u64 *contexts;		/* for each shape, one in which it is accepted */
	const char *const *whole;	/* messages and frames, which can be checked for themselves; NULL ends them */
};

/*
 * mutate - change a message a little, or turn it into another
 *
 * @size bytes at @data become at most @max; returns how many. The same @seed makes the same
 * change. Shapes are cut at @max.
 */
size_t mutate(const struct mutate_tables *tables, u8 *data, size_t size, size_t max, u32 seed);

/* A legal context: that of a shape, or one the selector puts together. */
void mutate_context(const struct mutate_tables *tables, u64 selector, u64 *values);

#endif
