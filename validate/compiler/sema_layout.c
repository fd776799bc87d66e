/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types, sizes, offsets and runs: where everything lies, as far as it can be known
 * without a message at hand.
 */
#include <string.h>

#include "sema.h"

#define MOST_BYTES ((s128)1 << 31)	/* no message is larger; sizes are u32 in the C code */
#define DEEPEST_STRUCT 16

static bool size_layout(struct spec *spec, struct layout *layout, u32 depth);

/* ---- types ---- */

static bool sounds_like_c(const char *name)
{
	static const char *const words[] = { "int", "long", "short", "char", "byte", "word" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

static void unknown_type(struct spec *spec, const struct type *type)
{
	const struct enumeration *enumeration;
	const struct flagset *flagset;
	const struct layout *layout;
	const char *best = NULL;

	for (enumeration = spec->enumerations; enumeration; enumeration = enumeration->next)
		best = nearest(type->name, best, enumeration->name);
	for (flagset = spec->flagsets; flagset; flagset = flagset->next)
		best = nearest(type->name, best, flagset->name);
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_STRUCT)
			best = nearest(type->name, best, layout->name);
	if (best)
		error_at(spec, type->loc, "no type is called '%s'; did you mean '%s'?", type->name, best);
	else
		error_at(spec, type->loc, "no type is called '%s'%s", type->name,
			 sounds_like_c(type->name) ? "; integers are u8, u16, u32 and u64" : "");
}

/* A name stands for an enum, flags or a struct. */
static bool resolve_named(struct spec *spec, struct type *type)
{
	struct enumeration *enumeration = find_enumeration(spec, type->name);
	struct flagset *flagset = find_flagset(spec, type->name);
	struct type *word = enumeration ? enumeration->type : flagset ? flagset->type : NULL;

	if (word) {
		type->kind = enumeration ? T_ENUM : T_FLAGS;
		type->enumeration = enumeration;
		type->flagset = flagset;
		type->width = word->width;
		type->big = word->big;
		if (enumeration)
			enumeration->used = true;
		else
			flagset->used = true;
		return true;
	}
	type->layout = spec_layout(spec, type->name);
	if (!type->layout) {
		unknown_type(spec, type);
		return false;
	}
	if (type->layout->kind != L_STRUCT) {
		error_at(spec, type->loc, "'%s' is a %s; only a struct can be part of another layout",
			 type->name, type->layout->kind == L_FRAME ? "frame" : "message");
		return false;
	}
	type->layout->used = true;
	return true;
}

static bool size_struct(struct spec *spec, struct type *type, u32 depth)
{
	if (!size_layout(spec, type->layout, depth + 1))
		return false;
	type->fixed_size = type->layout->fixed ? type->layout->fixed_size : -1;
	type->least_size = type->layout->least_size;
	return true;
}

static bool size_counted(struct spec *spec, struct type *type, s128 element)
{
	u64 count;

	type->fixed_size = -1;
	type->least_size = 0;
	if (element < 0 || !constant_value(spec, type->count, &count))
		return true;
	if (count > (u64)MOST_BYTES || (s128)count * element > MOST_BYTES) {
		error_at(spec, type->count->loc, "this is more than 2 GiB");
		return false;
	}
	if (!count) {
		error_at(spec, type->count->loc, "nothing would be in here");
		return false;
	}
	type->fixed_size = type->least_size = (s128)count * element;
	return true;
}

static bool size_bits(struct spec *spec, struct type *type)
{
	struct bitpart *part, *other;
	u32 shift = 0;

	for (part = type->bits; part; part = part->next) {
		part->shift = shift;
		shift += part->width;
		for (other = type->bits; other != part; other = other->next) {
			if (strcmp(other->name, part->name))
				continue;
			error_at(spec, part->loc, "part '%s' is there already", part->name);
			note_at(spec, other->loc, "here");
			return false;
		}
	}
	if (shift == type->width * 8)
		return true;
	error_at(spec, type->loc, "the parts have %u bits in all, the word has %u", shift, type->width * 8);
	return false;
}

static bool size_type(struct spec *spec, struct type *type, u32 depth);

static bool size_union(struct spec *spec, struct type *type, u32 depth)
{
	struct arm *arm;
	s128 least = type->others_refused ? MOST_BYTES : 0;
	bool good = true;

	for (arm = type->arms; arm; arm = arm->next) {
		good &= size_type(spec, arm->type, depth);
		if (arm->type->least_size < least)
			least = arm->type->least_size;
		if (arm->type->kind != T_STRUCT && arm->type->kind != T_BYTES && arm->type->kind != T_INT) {
			error_at(spec, arm->type->loc, "an arm is a struct, an integer or bytes");
			good = false;
		}
	}
	type->fixed_size = -1;
	type->least_size = type->bytes || !type->arms ? 0 : least;
	return good;
}

static bool size_elements(struct spec *spec, struct type *type, u32 depth)
{
	struct type *element = type->element;

	if (!size_type(spec, element, depth))
		return false;
	if (element->kind != T_INT && element->kind != T_ENUM && element->kind != T_STRUCT) {
		error_at(spec, element->loc, "an element is an integer, an enum or a struct");
		return false;
	}
	if (element->least_size < 1) {
		error_at(spec, element->loc, "an element could be empty, so this could go on for ever");
		return false;
	}
	if (element->layout)
		element->layout->in_list = true;
	if (type->kind == T_ARRAY)
		return size_counted(spec, type, element->fixed_size);
	type->fixed_size = -1;
	return true;
}

static bool size_list(struct spec *spec, struct type *type, u32 depth)
{
	if (!resolve_named(spec, type))
		return false;
	if (!type->layout) {
		error_at(spec, type->loc, "the elements of a list are structs");
		return false;
	}
	if (!size_struct(spec, type, depth))
		return false;
	if (type->least_size < 1) {
		error_at(spec, type->loc, "an element could be empty, so this could go on for ever");
		return false;
	}
	type->layout->in_list = true;
	type->fixed_size = -1;
	type->least_size = 0;
	return true;
}

/* Finds what a type means and how long it is; false after an error. */
static bool size_type(struct spec *spec, struct type *type, u32 depth)
{
	switch (type->kind) {
	case T_STRUCT:
		if (!resolve_named(spec, type))
			return false;
		if (type->kind == T_STRUCT)
			return size_struct(spec, type, depth);
		if (type->argument_count)
			error_at(spec, type->loc, "'%s' takes no arguments", type->name);
		break;
	case T_BITS:
		if (!size_bits(spec, type))
			return false;
		break;
	case T_GUID:
		type->fixed_size = type->least_size = 16;
		return true;
	case T_BYTES:
	case T_STRING:
		return size_counted(spec, type, 1);
	case T_ARRAY:
	case T_FILL:
		return size_elements(spec, type, depth);
	case T_LIST:
		return size_list(spec, type, depth);
	case T_UNION:
		return size_union(spec, type, depth);
	default:
		break;
	}
	type->fixed_size = type->least_size = type->width;
	return true;
}

/* ---- layouts ---- */

static bool ends_run(const struct item *item)
{
	if (item->kind == I_FIELD)
		return !item->field->at && item->field->type->fixed_size < 0;
	return item->kind == I_WHEN || item->kind == I_EXTENT;
}

static bool in_run(const struct item *item)
{
	return item->kind == I_FIELD && !item->field->at && item->field->type->fixed_size >= 0;
}

/* Sets the length of each run on its first field. */
static void find_runs(struct item *items)
{
	struct field *first = NULL;
	struct item *item;

	FOR_ITEMS(item, items) {
		if (ends_run(item))
			first = NULL;
		if (item->kind == I_WHEN) {
			find_runs(item->then);
			find_runs(item->otherwise);
		}
		if (!in_run(item))
			continue;
		if (!first)
			first = item->field;
		first->run_bytes += (u32)item->field->type->fixed_size;
	}
}

/* The place of each field from the start, -1 once it is unknown. */
static s128 find_offsets(struct item *items, s128 offset)
{
	struct item *item;
	s128 then, otherwise;

	FOR_ITEMS(item, items) {
		if (item->kind == I_WHEN) {
			then = find_offsets(item->then, offset);
			otherwise = find_offsets(item->otherwise, offset);
			offset = then == otherwise ? then : -1;
		}
		if (item->kind != I_FIELD)
			continue;
		if (item->field->at) {
			item->field->offset = item->field->at->kind == E_NUMBER ? (s128)item->field->at->number : -1;
			continue;
		}
		item->field->offset = offset;
		if (offset >= 0)
			offset = item->field->type->fixed_size < 0 ? -1 : offset + item->field->type->fixed_size;
	}
	return offset;
}

static s128 least_of(struct item *items)
{
	struct item *item;
	s128 least = 0, then, otherwise;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD && !item->field->at)
			least += item->field->type->least_size;
		if (item->kind != I_WHEN)
			continue;
		then = least_of(item->then);
		otherwise = least_of(item->otherwise);
		least += then < otherwise ? then : otherwise;
	}
	return least;
}

static void note_items(struct layout *layout, struct item *items, bool conditional)
{
	struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD) {
			item->field->layout = layout;
			item->field->conditional = conditional;
		}
		if (item->kind != I_RULE && item->kind != I_LET && (item->kind != I_FIELD || !in_run(item)))
			layout->fixed = false;
		layout->has_extent |= item->kind == I_EXTENT;
		layout->trailing_ignored |= item->kind == I_TRAILING;
		if (item->kind == I_WHEN) {
			note_items(layout, item->then, true);
			note_items(layout, item->otherwise, true);
		}
	}
}

static bool size_items(struct spec *spec, struct item *items, u32 depth)
{
	struct item *item;
	bool good = true;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			good &= size_type(spec, item->field->type, depth);
		if (item->kind == I_WHEN) {
			good &= size_items(spec, item->then, depth);
			good &= size_items(spec, item->otherwise, depth);
		}
	}
	return good;
}

static bool size_layout(struct spec *spec, struct layout *layout, u32 depth)
{
	if (layout->walked)
		return layout->least_size >= 0;
	if (layout->walking) {
		error_at(spec, layout->loc, "'%s' would contain itself", layout->name);
		return false;
	}
	if (depth > DEEPEST_STRUCT) {
		error_at(spec, layout->loc, "structs are nested more than %d deep here", DEEPEST_STRUCT);
		return false;
	}
	layout->walking = true;
	layout->least_size = -1;
	layout->fixed = true;
	if (size_items(spec, layout->items, depth)) {
		note_items(layout, layout->items, false);
		find_runs(layout->items);
		find_offsets(layout->items, 0);
		layout->least_size = least_of(layout->items);
		if (layout->least_size > MOST_BYTES) {
			error_at(spec, layout->loc, "'%s' is larger than 2 GiB", layout->name);
			layout->least_size = -1;
		}
		layout->fixed_size = layout->fixed ? layout->least_size : -1;
	}
	layout->walking = false;
	layout->walked = true;
	return layout->least_size >= 0;
}

/* Each message starts with the header, as if it were written there. */
static void insert_header(struct spec *spec, struct layout *message)
{
	struct item *item = spec_alloc(spec, sizeof(*item));
	struct type *type = spec_alloc(spec, sizeof(*type));

	type->kind = T_STRUCT;
	type->name = "header";
	type->loc = message->loc;
	type->layout = spec->header;
	type->fixed_size = type->least_size = spec->header->fixed_size;
	item->kind = I_FIELD;
	item->loc = message->loc;
	item->field = spec_alloc(spec, sizeof(*item->field));
	item->field->name = "header";
	item->field->loc = message->loc;
	item->field->type = type;
	item->field->is_header = true;
	item->next = message->items;
	message->items = item;
}

/* The header is sized before; its item must not be looked up by name. */
static bool size_message(struct spec *spec, struct layout *message)
{
	struct item *header = message->items;
	bool good;

	good = size_items(spec, header->next, 0);
	message->walked = true;
	message->fixed = true;
	message->least_size = -1;
	if (!good)
		return false;
	note_items(message, message->items, false);
	find_runs(message->items);
	find_offsets(message->items, 0);
	message->least_size = least_of(message->items);
	message->fixed_size = message->fixed ? message->least_size : -1;
	return true;
}

static bool size_header(struct spec *spec)
{
	if (!spec->header) {
		if (!spec->message_count)
			return true;
		error_at(spec, spec->name_loc, "messages need a header to tell them apart");
		return false;
	}
	if (!size_layout(spec, spec->header, 0))
		return false;
	if (spec->header->fixed && spec->header->fixed_size > 0)
		return true;
	error_at(spec, spec->header->loc, spec->header->fixed ? "the header is empty, so it tells nothing apart" :
		 "the header has a fixed size: no whens, no variable fields");
	return false;
}

/* ---- stated sizes ---- */

#define MOST_SIZES 64

struct sizes {
	s128 size[MOST_SIZES];
	u32 count;
};

static void add_size(struct sizes *sizes, s128 size)
{
	u32 i;

	for (i = 0; i < sizes->count; i++)
		if (sizes->size[i] == size)
			return;
	if (sizes->count < MOST_SIZES)
		sizes->size[sizes->count++] = size;
}

/* All total sizes that the items may have; false if there is no end of them. */
static bool possible_sizes(struct item *items, const struct sizes *before, struct sizes *after)
{
	struct sizes now = *before, then, otherwise;
	struct item *item;
	u32 i;

	FOR_ITEMS(item, items) {
		if (item->kind == I_EXTENT || (item->kind == I_FIELD && !in_run(item)))
			return false;
		if (item->kind == I_FIELD)
			for (i = 0; i < now.count; i++)
				now.size[i] += item->field->type->fixed_size;
		if (item->kind != I_WHEN)
			continue;
		if (!possible_sizes(item->then, &now, &then) ||
		    !possible_sizes(item->otherwise, &now, &otherwise))
			return false;
		now = then;
		for (i = 0; i < otherwise.count; i++)
			add_size(&now, otherwise.size[i]);
	}
	*after = now;
	return true;
}

static bool states_size(const struct layout *message, s128 size)
{
	u32 i;

	for (i = 0; i < message->size_count; i++)
		if ((s128)message->sizes[i] == size)
			return true;
	return false;
}

static void check_sizes(struct spec *spec, struct layout *message)
{
	struct sizes start = { .count = 1 }, sizes;
	u32 i;

	if (!message->size_count)
		return;
	if (!possible_sizes(message->items, &start, &sizes)) {
		if (!message->or_more || message->size_count != 1 ||
		    (s128)message->sizes[0] != message->least_size)
			error_at(spec, message->loc, "the size of '%s' varies: say 'size %u or more', or nothing",
				 message->name, (u32)message->least_size);
		return;
	}
	message->trailing_ignored |= message->or_more;
	if (sizes.count == 1 && message->size_count == 1 && !states_size(message, sizes.size[0])) {
		error_at(spec, message->loc, "'%s' is %u bytes long, not %llu", message->name,
			 (u32)sizes.size[0], (unsigned long long)message->sizes[0]);
		return;
	}
	for (i = 0; i < sizes.count; i++)
		if (!states_size(message, sizes.size[i]))
			error_at(spec, message->loc, "'%s' can be %u bytes long, which is not a size it states",
				 message->name, (u32)sizes.size[i]);
	for (i = 0; i < message->size_count; i++) {
		u32 j = 0;

		while (j < sizes.count && sizes.size[j] != (s128)message->sizes[i])
			j++;
		if (j == sizes.count)
			error_at(spec, message->loc, "'%s' is never %llu bytes long", message->name,
				 (unsigned long long)message->sizes[i]);
	}
}

/* A message that is one run, with nothing behind it, has exactly the size of the run. */
static void find_exact(struct layout *layout)
{
	struct item *item = layout->items;

	while (item && item->kind != I_FIELD)
		item = item->next;
	if (layout->fixed && item && !layout->trailing_ignored)
		item->field->run_exact = true;
}

/* A fixed struct is part of a run of its user and has none of its own. */
static void drop_runs(struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items)
		if (item->kind == I_FIELD)
			item->field->run_bytes = 0;
}

void resolve_layouts(struct spec *spec)
{
	struct layout *layout;

	if (!size_header(spec))
		return;
	for (layout = spec->layouts; layout; layout = layout->next) {
		if (layout->kind == L_MESSAGE) {
			insert_header(spec, layout);
			if (!size_message(spec, layout))
				continue;
			check_sizes(spec, layout);
		} else if (!size_layout(spec, layout, 0)) {
			continue;
		}
		if (layout->kind == L_STRUCT && layout->fixed)
			drop_runs(layout->items);
		else
			find_exact(layout);
	}
	if (spec->header)
		drop_runs(spec->header->items);
	for (layout = spec->layouts; layout; layout = layout->next)
		layout->walked = layout->walking = false;
	if (spec->header)
		spec->header->walked = false;
}
