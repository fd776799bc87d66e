/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inputs of the interpreter, and changes to them: what to change so that the rule at a
 * site is broken, or kept, or so that a message takes another way there.
 */
#ifndef AIRSPEC_VECTORS_SOLVE_H
#define AIRSPEC_VECTORS_SOLVE_H

#include "interp.h"

#define MOST_INPUT_BYTES (128 * 1024)
#define MOST_VALUES 64		/* context values; parameters of a struct */

/* A message with all that is needed to decide about it. */
struct input {
	u32 size, request_size;
	u64 context[MOST_VALUES], request_context[MOST_VALUES], params[MOST_VALUES];
	u8 *bytes, *request;	/* both in data */
	u8 data[];
};

enum edit_kind { EDIT_SET, EDIT_FILL, EDIT_SIZE, EDIT_INSERT, EDIT_REPEAT, EDIT_DELETE };

struct edit {
	enum edit_kind kind;
	bool in_request;
	struct interp_place place;	/* EDIT_SET */
	u64 value;			/* EDIT_SET, EDIT_FILL; EDIT_SIZE: bytes; EDIT_REPEAT: times */
	u32 at, length;			/* EDIT_REPEAT: the bytes to repeat right behind themselves */
};

#define MOST_EDITS 6

struct change {
	struct edit edits[MOST_EDITS];
	u32 count;
	bool desperate;			/* does not follow from the rule */
};

/* Changes of which each is enough; the one that changes least is first. More than "room" are lost. */
struct changes {
	struct change *list;
	u32 room, count;
	bool in_request;		/* the message looked at is the request */
	bool fixed_size;		/* of the message */
	bool desperate;			/* so are those added now */
};

struct changes *changes_new(u32 room);
struct changes *changes_copy(const struct changes *changes);
void changes_free(struct changes *changes);

struct input *input_new(u32 size, u32 request_size);	/* zeroed; ends the program if out of memory */
struct input *input_copy(const struct input *input);
/* A new input, or NULL if the change is not possible or changes nothing. */
struct input *input_apply(const struct input *input, const struct change *change);
/* How much two inputs differ. */
u64 input_distance(const struct input *a, const struct input *b);
u64 input_hash(const struct input *input);

void solve_keep(const struct interp_site *site, struct changes *changes);
void solve_break(const struct interp_site *site, struct changes *changes);
/* Other ways a message can go at this place. */
void solve_other(const struct interp_site *site, struct changes *changes);
/* More elements like the one that ended at this site. */
void solve_repeat(const struct interp_site *site, u64 times, struct changes *changes);
/* All values worth a try for what saw() shows. */
void solve_scalar(const struct field *field, const struct bitpart *bit, u32 offset, u32 width, u64 value,
		  struct changes *changes);

#endif
