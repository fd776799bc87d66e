/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types and refinements.
 */
#include <string.h>

#include "lex.h"

static const struct {
	const char *name;
	u32 width;
	bool big;
} ints[] = {
	{ "u8", 1, false }, { "u16", 2, false }, { "u32", 4, false }, { "u64", 8, false },
	{ "u16be", 2, true }, { "u32be", 4, true }, { "u64be", 8, true },
};

static struct type *new_type(struct parser *parser, enum type_kind kind)
{
	struct type *type = spec_alloc(parser->spec, sizeof(*type));

	type->kind = kind;
	type->loc = parser->now.loc;
	return type;
}

static struct type *take_int(struct parser *parser)
{
	struct type *type;
	size_t i;

	if (parser->now.kind != TOKEN_NAME)
		return NULL;
	for (i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		if (strcmp(parser->now.text, ints[i].name))
			continue;
		type = new_type(parser, T_INT);
		type->width = ints[i].width;
		type->big = ints[i].big || (parser->spec->big && type->width > 1);
		type->name = ints[i].name;
		next(parser);
		return type;
	}
	return NULL;
}

struct type *parse_int(struct parser *parser)
{
	struct type *type = take_int(parser);

	if (!type)
		syntax_error(parser, parser->now.loc,
			     "expected an integer type: u8, u16, u32, u64, u16be, u32be or u64be");
	return type;
}

static struct bitpart *parse_bitpart(struct parser *parser)
{
	struct bitpart *part = spec_alloc(parser->spec, sizeof(*part));
	struct loc loc;
	u64 width;

	part->name = want_new_name(parser, &part->loc, "the name of a part, or '}'");
	want_mark(parser, ":", "after the name of the part");
	width = want_number(parser, &loc, "the width of the part in bits");
	if (width < 1 || width > 63)
		syntax_error(parser, loc, "a part is 1 to 63 bits wide");
	part->width = (u32)width;
	part->refinements = parse_refinements(parser);
	take_mark(parser, ",");
	return part;
}

static struct type *parse_bits(struct parser *parser)
{
	struct type *type = new_type(parser, T_BITS), *word;
	struct bitpart **tail = &type->bits;

	next(parser);
	word = parse_int(parser);
	type->width = word->width;
	type->big = word->big;
	want_mark(parser, "{", "before the parts");
	while (!take_mark(parser, "}")) {
		*tail = parse_bitpart(parser);
		tail = &(*tail)->next;
	}
	type->loc = span(type->loc, parser->last);
	return type;
}

static struct type *parse_bytes(struct parser *parser)
{
	struct type *type = new_type(parser, T_BYTES);

	next(parser);
	want_mark(parser, "[", "before the number of bytes");
	type->count = parse_expr(parser);
	want_mark(parser, "]", "after the number of bytes");
	return type;
}

static struct type *parse_string(struct parser *parser)
{
	struct type *type = new_type(parser, T_STRING);

	type->utf16 = at_word(parser, "utf16");
	next(parser);
	want_mark(parser, "[", "before the number of bytes");
	type->count = parse_expr(parser);
	want_mark(parser, "]", "after the number of bytes");
	type->terminated = want_either(parser, "terminated", "padded", "after a string's size");
	return type;
}

static void parse_arguments(struct parser *parser, struct type *type)
{
	if (take_mark(parser, "("))
		type->arguments = parse_list(parser, ")", &type->argument_count);
}

static struct type *parse_list_type(struct parser *parser)
{
	struct type *type = new_type(parser, T_LIST);

	next(parser);
	want_word(parser, "of", "after 'list'");
	type->name = want_name(parser, &type->loc, "the name of a struct");
	parse_arguments(parser, type);
	want_word(parser, "size", "to say how many bytes the list has");
	type->bytes = parse_value(parser);
	want_word(parser, "max", "to say how many elements the list may have");
	type->max = parse_value(parser);
	if (take_word(parser, "until")) {
		type->until = parse_expr(parser);
	} else if (take_word(parser, "linked")) {
		want_word(parser, "by", "after 'linked'");
		type->linked = want_name(parser, &type->linked_loc, "the name of the element's link field");
	}
	return type;
}

static struct arm *parse_arm(struct parser *parser)
{
	struct arm *arm = spec_alloc(parser->spec, sizeof(*arm));

	arm->name = want_new_name(parser, &arm->loc, "an enumerator, or 'others'");
	want_mark(parser, ":", "after the name of the arm");
	arm->type = parse_type(parser);
	take_mark(parser, ",");
	return arm;
}

static struct type *parse_union(struct parser *parser)
{
	struct type *type = new_type(parser, T_UNION);
	struct arm **tail = &type->arms;

	next(parser);
	want_word(parser, "by", "after 'union'");
	type->tag = parse_value(parser);
	if (take_word(parser, "size"))
		type->bytes = parse_value(parser);
	want_mark(parser, "{", "before the arms");
	while (!at_word(parser, "others")) {
		if (at_mark(parser, "}"))
			syntax_error(parser, parser->now.loc,
				     "a union ends with 'others refused' or 'others skipped'");
		*tail = parse_arm(parser);
		tail = &(*tail)->next;
	}
	next(parser);
	type->others_refused = want_either(parser, "refused", "skipped", "after 'others'");
	want_mark(parser, "}", "after the arms");
	return type;
}

static struct type *parse_base(struct parser *parser)
{
	struct type *type = take_int(parser);

	if (type)
		return type;
	if (at_word(parser, "bits"))
		return parse_bits(parser);
	if (at_word(parser, "bytes"))
		return parse_bytes(parser);
	if (at_word(parser, "ascii") || at_word(parser, "utf16"))
		return parse_string(parser);
	if (at_word(parser, "list"))
		return parse_list_type(parser);
	if (at_word(parser, "union"))
		return parse_union(parser);
	type = new_type(parser, T_STRUCT);
	if (take_word(parser, "guid")) {
		type->kind = T_GUID;
		return type;
	}
	type->name = want_name(parser, &type->loc, "a type");
	parse_arguments(parser, type);
	return type;
}

/* element[count], or element[] size bytes */
struct type *parse_type(struct parser *parser)
{
	struct type *element, *type;

	enter(parser);
	element = parse_base(parser);
	leave(parser);
	if (!at_mark(parser, "["))
		return element;
	type = new_type(parser, T_ARRAY);
	type->loc = element->loc;
	type->element = element;
	next(parser);
	if (take_mark(parser, "]")) {
		type->kind = T_FILL;
		want_word(parser, "size", "to say how many bytes the elements fill");
		type->bytes = parse_value(parser);
		return type;
	}
	type->count = parse_expr(parser);
	want_mark(parser, "]", "after the number of elements");
	return type;
}

/* ---- refinements ---- */

static const struct {
	const char *mark;
	enum op op;
} comparisons[] = {
	{ "=", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { "<=", OP_LE }, { ">", OP_GT }, { ">=", OP_GE },
};

static const struct {
	const char *word;
	enum role role;
} roles[] = {
	{ "index", ROLE_INDEX }, { "length", ROLE_LENGTH }, { "offset", ROLE_OFFSET },
	{ "count", ROLE_COUNT }, { "number", ROLE_NUMBER },
};

static bool take_comparison(struct parser *parser, struct refinement *refinement)
{
	size_t i;

	for (i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		if (!take_mark(parser, comparisons[i].mark))
			continue;
		refinement->kind = R_COMPARE;
		refinement->op = comparisons[i].op;
		refinement->a = parse_value(parser);
		return true;
	}
	return false;
}

static void parse_in_refinement(struct parser *parser, struct refinement *refinement)
{
	if (take_mark(parser, "{")) {
		refinement->kind = R_SET;
		refinement->list = parse_list(parser, "}", &refinement->list_length);
		return;
	}
	refinement->kind = R_RANGE;
	refinement->a = parse_value(parser);
	want_mark(parser, "..", "between the ends of a range");
	refinement->b = parse_value(parser);
}

static void parse_role(struct parser *parser, struct refinement *refinement)
{
	size_t i;

	refinement->kind = R_AS;
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (take_word(parser, roles[i].word)) {
			refinement->role = roles[i].role;
			return;
		}
	}
	syntax_error(parser, parser->now.loc, "expected index, length, offset, count or number after 'as'");
}

/* A word followed by ':' is the name of the next field, not a refinement. */
static bool take_refinement_word(struct parser *parser, const char *word)
{
	if (parser->ahead.kind == TOKEN_MARK && !strcmp(parser->ahead.text, ":"))
		return false;
	return take_word(parser, word);
}

static void parse_multiple(struct parser *parser, struct refinement *refinement)
{
	refinement->kind = R_MULTIPLE;
	refinement->a = parse_value(parser);
}

static void parse_no_overlap(struct parser *parser, struct refinement *refinement)
{
	struct loc loc;

	refinement->kind = R_NO_OVERLAP;
	refinement->name = want_name(parser, &loc, "the name of a field");
}

static bool take_refinement(struct parser *parser, struct refinement *refinement)
{
	if (take_refinement_word(parser, "any"))
		refinement->kind = R_ANY;
	else if (take_refinement_word(parser, "ignored"))
		refinement->kind = R_IGNORED;
	else if (take_refinement_word(parser, "zero"))
		refinement->kind = R_ZERO;
	else if (take_word(parser, "in"))
		parse_in_refinement(parser, refinement);
	else if (take_refinement_word(parser, "as"))
		parse_role(parser, refinement);
	else if (take_refinement_word(parser, "multiple_of"))
		parse_multiple(parser, refinement);
	else if (take_refinement_word(parser, "no_overlap"))
		parse_no_overlap(parser, refinement);
	else
		return take_comparison(parser, refinement);
	return true;
}

struct refinement *parse_refinements(struct parser *parser)
{
	struct refinement *first = NULL, **tail = &first, found;
	struct loc start;

	for (;;) {
		memset(&found, 0, sizeof(found));
		start = parser->now.loc;
		if (!take_refinement(parser, &found))
			return first;
		found.loc = span(start, parser->last);
		*tail = spec_alloc(parser->spec, sizeof(found));
		**tail = found;
		tail = &(*tail)->next;
		take_mark(parser, ",");
	}
}

static const struct alias *at_alias(const struct parser *parser)
{
	const struct alias *alias = parser->now.kind == TOKEN_NAME ? parser->aliases : NULL;

	for (; alias; alias = alias->next)
		if (!strcmp(alias->name, parser->now.text))
			return alias;
	return NULL;
}

/*
 * A type; if it is the name of one, what that name stands for, read anew, with its refinements. Their
 * place is where the name is used: that is the line a rule belongs to.
 */
struct refinement *parse_aliased(struct parser *parser, struct type **type)
{
	const struct alias *alias = at_alias(parser);
	struct loc loc = parser->now.loc;
	struct refinement *found, *one;
	struct place back;

	if (!alias) {
		*type = parse_type(parser);
		return NULL;
	}
	next(parser);
	back = mark_place(parser);
	go_to(parser, &alias->place);
	next(parser);
	*type = parse_type(parser);
	(*type)->loc = loc;
	found = parse_refinements(parser);
	for (one = found; one; one = one->next)
		one->loc = loc;
	go_to(parser, &back);
	return found;
}
