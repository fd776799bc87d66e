/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations: turns the text into the tree of airspec.h. After a mistake it goes on
 * with the next declaration that starts a line. Looks nothing up; sema.c does.
 */
#include <string.h>

#include "lex.h"

#define MOST_STATES 32

static const char *const reserved[] = {
	"size", "remaining", "request", "sizeof", "offset_of", "and", "or", "not", "implies", "in",
};

/* Members of C structures are called like our fields; the last are macros somewhere. */
static const char *const words_of_c[] = {
	"asm", "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
	"extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return",
	"short", "signed", "static", "struct", "switch", "typedef", "typeof", "union", "unsigned", "void",
	"volatile", "while", "bool", "true", "false", "u8", "u16", "u32", "u64", "current", "linux", "unix",
};

static bool is_among(const char *name, const char *const *words, size_t count)
{
	while (count--)
		if (!strcmp(name, words[count]))
			return true;
	return false;
}

#define IS_AMONG(name, words) is_among(name, words, sizeof(words) / sizeof((words)[0]))

/* The name of an enumerator, a flag or a state: capitals in C, or part of a longer name. */
static const char *want_value_name(struct parser *parser, struct loc *loc, const char *what)
{
	const char *name = want_name(parser, loc, what);

	if (IS_AMONG(name, reserved))
		syntax_error(parser, *loc, "'%s' is a word of the language and cannot be a name", name);
	return name;
}

const char *want_new_name(struct parser *parser, struct loc *loc, const char *what)
{
	const char *name = want_value_name(parser, loc, what);

	if (IS_AMONG(name, words_of_c))
		syntax_error(parser, *loc, "'%s' is a word of C and cannot be a name", name);
	return name;
}

/* ---- items ---- */

static struct item *parse_items(struct parser *parser);

static struct item *new_item(struct parser *parser, enum item_kind kind)
{
	struct item *item = spec_alloc(parser->spec, sizeof(*item));

	item->kind = kind;
	item->loc = parser->now.loc;
	return item;
}

static bool starts_field(const struct parser *parser)
{
	return parser->now.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_MARK &&
	       !strcmp(parser->ahead.text, ":");
}

static struct item *parse_field(struct parser *parser)
{
	struct item *item = new_item(parser, I_FIELD);
	struct field *field = spec_alloc(parser->spec, sizeof(*field));
	struct refinement **tail;

	item->field = field;
	field->name = want_new_name(parser, &field->loc, "the name of a field");
	next(parser);
	field->refinements = parse_aliased(parser, &field->type);
	if (take_word(parser, "at"))
		field->at = parse_value(parser);
	for (tail = &field->refinements; *tail; tail = &(*tail)->next)
		;
	*tail = parse_refinements(parser);
	return item;
}

static struct item *parse_rule(struct parser *parser)
{
	struct item *item = new_item(parser, I_RULE);

	next(parser);
	item->name = want_name(parser, &item->loc, "the name of the rule");
	want_mark(parser, ":", "after the name of the rule");
	item->expr = parse_expr(parser);
	return item;
}

static struct item *parse_let(struct parser *parser)
{
	struct item *item = new_item(parser, I_LET);

	next(parser);
	item->name = want_new_name(parser, &item->loc, "a name");
	want_mark(parser, "=", "after the name");
	item->expr = parse_expr(parser);
	return item;
}

static struct item *parse_when(struct parser *parser)
{
	struct item *item = new_item(parser, I_WHEN);

	next(parser);
	item->expr = parse_expr(parser);
	want_mark(parser, "{", "after the condition");
	item->then = parse_items(parser);
	if (take_word(parser, "else")) {
		want_mark(parser, "{", "after 'else'");
		item->otherwise = parse_items(parser);
	}
	return item;
}

static struct item *parse_item(struct parser *parser)
{
	struct item *item;

	if (starts_field(parser))
		return parse_field(parser);
	if (at_word(parser, "rule"))
		return parse_rule(parser);
	if (at_word(parser, "let"))
		return parse_let(parser);
	if (at_word(parser, "when"))
		return parse_when(parser);
	item = new_item(parser, at_word(parser, "extent") ? I_EXTENT : I_TRAILING);
	if (take_word(parser, "extent")) {
		item->expr = parse_value(parser);
		return item;
	}
	if (at_word(parser, "at"))
		syntax_error(parser, item->loc, "'at' stands right behind the type, before what the field may hold");
	if (!take_word(parser, "trailing"))
		syntax_error(parser, item->loc, "expected 'name : type', rule, let, when, extent, trailing or '}'");
	want_word(parser, "ignored", "after 'trailing'");
	return item;
}

static bool at_declaration(const struct parser *parser, size_t *which);

/* The next declaration, or the end of the file: nothing that belongs into the one begun. */
static void refuse_open_end(struct parser *parser)
{
	size_t which;

	if (parser->now.kind == TOKEN_END || (parser->now.loc.column == 1 && !starts_field(parser) &&
					      at_declaration(parser, &which)))
		syntax_error(parser, behind(parser), "'}' is missing: the '%s' begun in line %u is still open",
			     parser->beginning, parser->began.line);
}

/* Up to and with the closing brace. */
static struct item *parse_items(struct parser *parser)
{
	struct item *first = NULL, **tail = &first;

	enter(parser);
	while (!at_mark(parser, "}")) {
		refuse_open_end(parser);
		*tail = parse_item(parser);
		tail = &(*tail)->next;
		take_mark(parser, ",");
	}
	next(parser);
	leave(parser);
	return first;
}

/* ---- layouts ---- */

static struct layout *new_layout(struct parser *parser, enum layout_kind kind)
{
	struct layout *layout = spec_alloc(parser->spec, sizeof(*layout)), **tail;

	layout->kind = kind;
	layout->loc = parser->now.loc;
	next(parser);
	if (kind == L_HEADER) {
		layout->name = "header";
		return layout;
	}
	layout->name = want_new_name(parser, &layout->loc, "a name");
	for (tail = &parser->spec->layouts; *tail; tail = &(*tail)->next)
		;
	*tail = layout;
	return layout;
}

static void parse_range(struct parser *parser, struct expr **lo, struct expr **hi)
{
	if (!take_word(parser, "in"))
		return;
	*lo = parse_value(parser);
	want_mark(parser, "..", "between the ends of a range");
	*hi = parse_value(parser);
}

static struct param *parse_param(struct parser *parser)
{
	struct param *param = spec_alloc(parser->spec, sizeof(*param));

	param->name = want_new_name(parser, &param->loc, "the name of a parameter");
	want_mark(parser, ":", "after the name of the parameter");
	param->type = parse_int(parser);
	parse_range(parser, &param->lo, &param->hi);
	take_mark(parser, ",");
	return param;
}

static void parse_body(struct parser *parser, struct layout *layout, const char *where)
{
	want_mark(parser, "{", where);
	layout->items = parse_items(parser);
}

static void parse_header(struct parser *parser)
{
	struct layout *header;

	if (parser->spec->header)
		syntax_error(parser, parser->now.loc, "there is a header already");
	header = new_layout(parser, L_HEADER);
	parse_body(parser, header, "after 'header'");
	parser->spec->header = header;
}

static void parse_struct(struct parser *parser)
{
	struct layout *layout = new_layout(parser, L_STRUCT);
	struct param **tail = &layout->params;

	if (take_mark(parser, "(")) {
		while (!take_mark(parser, ")")) {
			*tail = parse_param(parser);
			tail = &(*tail)->next;
		}
	}
	parse_body(parser, layout, "before the fields");
}

static enum direction parse_direction(struct parser *parser)
{
	static const struct {
		const char *first, *second;
		enum direction direction;
	} directions[] = {
		{ "from", "host", FROM_HOST }, { "to", "host", TO_HOST },
		{ "either", "way", EITHER_WAY }, { "refused", NULL, REFUSED },
	};
	size_t i;

	for (i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		if (!take_word(parser, directions[i].first))
			continue;
		if (directions[i].second)
			want_word(parser, directions[i].second, "in the message's direction");
		return directions[i].direction;
	}
	syntax_error(parser, parser->now.loc,
		     "a message says its direction: from host, to host, either way or refused");
}

static void parse_frame(struct parser *parser)
{
	struct layout *frame = new_layout(parser, L_FRAME);

	if (!at_mark(parser, "{"))
		frame->direction = parse_direction(parser);
	if (frame->direction == REFUSED)
		syntax_error(parser, frame->loc, "a frame that is always refused would say nothing");
	parse_body(parser, frame, "before the fields");
}

static void parse_sizes(struct parser *parser, struct layout *layout)
{
	u64 sizes[16];
	struct loc loc;

	do {
		if (layout->size_count == 16)
			syntax_error(parser, parser->now.loc, "more than 16 sizes");
		sizes[layout->size_count++] = want_number(parser, &loc, "a size in bytes");
	} while (take_mark(parser, ","));
	layout->sizes = spec_alloc(parser->spec, sizeof(sizes));
	memcpy(layout->sizes, sizes, sizeof(sizes));
	if (take_word(parser, "or")) {
		want_word(parser, "more", "after 'or'");
		layout->or_more = true;
	}
}

static void parse_message(struct parser *parser)
{
	struct layout *layout = new_layout(parser, L_MESSAGE);

	layout->number = ++parser->spec->message_count;
	layout->direction = parse_direction(parser);
	if (take_word(parser, "when"))
		layout->when = parse_expr(parser);
	if (take_word(parser, "answers"))
		layout->answers = want_name(parser, &layout->answers_loc, "the name of the request");
	if (take_word(parser, "size"))
		parse_sizes(parser, layout);
	parse_body(parser, layout, "before the fields");
}

/* ---- named values ---- */

static void parse_const(struct parser *parser)
{
	struct constant *constant = spec_alloc(parser->spec, sizeof(*constant)), **tail;

	next(parser);
	constant->name = want_new_name(parser, &constant->loc, "a name");
	want_mark(parser, "=", "after the name");
	constant->expr = parse_value(parser);
	for (tail = &parser->spec->constants; *tail; tail = &(*tail)->next)
		;
	*tail = constant;
}

static struct enumerator *parse_enumerator(struct parser *parser)
{
	struct enumerator *value = spec_alloc(parser->spec, sizeof(*value));
	struct loc loc;

	value->name = want_value_name(parser, &value->loc, "a name, or 'others'");
	want_mark(parser, "=", "between the name and its number");
	value->value = want_number(parser, &loc, "the number of this value");
	take_mark(parser, ",");
	return value;
}

static void parse_enum(struct parser *parser)
{
	struct enumeration *found = spec_alloc(parser->spec, sizeof(*found)), **end;
	struct enumerator **tail = &found->values;

	next(parser);
	found->name = want_new_name(parser, &found->loc, "a name");
	want_mark(parser, ":", "between the name and the integer type");
	found->type = parse_int(parser);
	want_mark(parser, "{", "before the values");
	while (!at_word(parser, "others")) {
		if (at_mark(parser, "}"))
			syntax_error(parser, parser->now.loc,
				     "an enum ends with 'others refused' or 'others allowed'");
		*tail = parse_enumerator(parser);
		tail = &(*tail)->next;
	}
	next(parser);
	found->others_allowed = !want_either(parser, "refused", "allowed", "after 'others'");
	want_mark(parser, "}", "after the values");
	for (end = &parser->spec->enumerations; *end; end = &(*end)->next)
		;
	*end = found;
}

static struct flag *parse_flag(struct parser *parser, u32 width)
{
	struct flag *flag = spec_alloc(parser->spec, sizeof(*flag));
	struct loc loc;
	u64 bit;

	flag->name = want_value_name(parser, &flag->loc, "a name, or 'others'");
	want_mark(parser, "=", "between the name and the number of its bit");
	bit = want_number(parser, &loc, "the number of a bit, from 0");
	if (bit >= width * 8)
		syntax_error(parser, loc, "bit %llu is outside of %u bits",
			     (unsigned long long)bit, width * 8);
	flag->bit = (u32)bit;
	take_mark(parser, ",");
	return flag;
}

static void parse_flags(struct parser *parser)
{
	struct flagset *found = spec_alloc(parser->spec, sizeof(*found)), **end;
	struct flag **tail = &found->flags;

	next(parser);
	found->name = want_new_name(parser, &found->loc, "a name");
	want_mark(parser, ":", "between the name and the integer type");
	found->type = parse_int(parser);
	want_mark(parser, "{", "before the flags");
	while (!at_word(parser, "others")) {
		if (at_mark(parser, "}"))
			syntax_error(parser, parser->now.loc,
				     "flags end with 'others zero' or 'others ignored'");
		*tail = parse_flag(parser, found->type->width);
		tail = &(*tail)->next;
	}
	next(parser);
	found->others_zero = want_either(parser, "zero", "ignored", "after 'others'");
	want_mark(parser, "}", "after the flags");
	for (end = &parser->spec->flagsets; *end; end = &(*end)->next)
		;
	*end = found;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The first three groups of a GUID go little-endian on the wire, the rest as written. */
static bool guid_bytes(const char *text, u8 bytes[16])
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	u32 i;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			return false;
		bytes[order[i]] = (u8)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	return !*text;
}

static struct guid *parse_guid(struct parser *parser)
{
	struct guid *guid = spec_alloc(parser->spec, sizeof(*guid));

	guid->name = want_new_name(parser, &guid->loc, "a name, or '}'");
	want_mark(parser, "=", "after the name");
	if (parser->now.kind != TOKEN_STRING || !guid_bytes(parser->now.text, guid->bytes))
		syntax_error(parser, parser->now.loc,
			     "expected a GUID: \"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\" in small hexadecimal digits");
	next(parser);
	take_mark(parser, ",");
	return guid;
}

static void parse_guids(struct parser *parser)
{
	struct guidset *found = spec_alloc(parser->spec, sizeof(*found)), **end;
	struct guid **tail = &found->guids;

	next(parser);
	found->name = want_new_name(parser, &found->loc, "a name");
	want_mark(parser, "{", "before the GUIDs");
	while (!take_mark(parser, "}")) {
		*tail = parse_guid(parser);
		tail = &(*tail)->next;
	}
	for (end = &parser->spec->guidsets; *end; end = &(*end)->next)
		;
	*end = found;
}

static struct type *parse_context_type(struct parser *parser, struct context_value *value)
{
	struct type *type;

	if (at_word(parser, "version")) {
		value->is_version = true;
		type = spec_alloc(parser->spec, sizeof(*type));
		type->kind = T_INT;
		type->width = 4;
		type->loc = parser->now.loc;
		next(parser);
		return type;
	}
	type = parse_type(parser);
	if (type->kind != T_INT && type->kind != T_STRUCT)
		syntax_error(parser, type->loc, "a context value is an integer, a version, an enum or flags");
	return type;
}

static void parse_context(struct parser *parser)
{
	struct context_value **tail = &parser->spec->context, *value;

	if (*tail)
		syntax_error(parser, parser->now.loc, "there is a context already");
	next(parser);
	want_mark(parser, "{", "after 'context'");
	while (!take_mark(parser, "}")) {
		value = spec_alloc(parser->spec, sizeof(*value));
		value->name = want_new_name(parser, &value->loc, "the name of a context value, or '}'");
		want_mark(parser, ":", "after the name");
		value->type = parse_context_type(parser, value);
		parse_range(parser, &value->lo, &value->hi);
		value->index = parser->spec->context_count++;
		take_mark(parser, ",");
		*tail = value;
		tail = &value->next;
	}
}

/* The words are read again wherever the name is used. */
static void parse_alias(struct parser *parser)
{
	struct alias *alias = spec_alloc(parser->spec, sizeof(*alias)), **tail;

	next(parser);
	alias->name = want_new_name(parser, &alias->loc, "a name");
	if (!at_mark(parser, "="))
		want_mark(parser, "=", "after the name");
	alias->place = mark_place(parser);
	next(parser);
	parse_type(parser);
	parse_refinements(parser);
	for (tail = &parser->aliases; *tail; tail = &(*tail)->next)
		if (!strcmp((*tail)->name, alias->name))
			syntax_error(parser, alias->loc, "type '%s' is there already", alias->name);
	*tail = alias;
}

static void parse_versions(struct parser *parser)
{
	struct version **tail = &parser->spec->versions, *version;
	struct loc loc;
	u64 shift;

	if (*tail)
		syntax_error(parser, parser->now.loc, "there are versions already");
	next(parser);
	want_word(parser, "shift", "after 'versions'");
	shift = want_number(parser, &loc, "the number of bits by which the major number is shifted");
	if (shift < 1 || shift > 16)
		syntax_error(parser, loc, "the major number is shifted by 1 to 16 bits");
	parser->spec->version_shift = (u32)shift;
	want_mark(parser, "{", "before the versions");
	while (!take_mark(parser, "}")) {
		if (parser->now.kind != TOKEN_VERSION)
			syntax_error(parser, parser->now.loc, "expected a version like 5.2, or '}'");
		version = spec_alloc(parser->spec, sizeof(*version));
		version->loc = parser->now.loc;
		version->major = parser->now.major;
		version->minor = parser->now.minor;
		*tail = version;
		tail = &version->next;
		next(parser);
		take_mark(parser, ",");
	}
}

static void parse_byte_order(struct parser *parser)
{
	next(parser);
	want_word(parser, "order", "after 'byte'");
	if (parser->spec->layouts || parser->spec->header || parser->spec->enumerations ||
	    parser->spec->flagsets)
		syntax_error(parser, parser->now.loc, "the byte order is stated before the first type");
	parser->spec->big = !want_either(parser, "little", "big", "after 'byte order'");
}

/* ---- sessions ---- */

static struct transition *parse_transition(struct parser *parser)
{
	static const char *const words[] = { "on", "send", "after", "local" };
	struct transition *line = spec_alloc(parser->spec, sizeof(*line));
	u32 i;

	for (i = 0; i < 4 && !take_word(parser, words[i]); i++)
		;
	if (i == 4)
		syntax_error(parser, parser->now.loc, "expected on, send, after, local or '}'");
	line->event = (enum event_kind)i;
	line->name = want_name(parser, &line->loc, i < 2 ? "the name of a message" : "a name");
	if (i < 2 && take_word(parser, "when"))
		line->when = parse_expr(parser);
	if (take_mark(parser, "->"))
		line->target_name = want_name(parser, &line->target_loc, "the name of the next state");
	if (at_mark(parser, ",") && parser->ahead.kind == TOKEN_NAME &&
	    !strcmp(parser->ahead.text, "cancel")) {
		next(parser);
		next(parser);
		line->cancel = true;
	}
	take_mark(parser, ",");
	return line;
}

/* A state may be opened more than once; its lines add up. */
static struct state *open_state(struct parser *parser, struct session *session)
{
	struct state **tail = &session->states;
	struct loc loc;
	const char *name = want_value_name(parser, &loc, "the name of the state");

	for (; *tail; tail = &(*tail)->next)
		if (!strcmp((*tail)->name, name))
			return *tail;
	*tail = spec_alloc(parser->spec, sizeof(**tail));
	(*tail)->name = name;
	(*tail)->loc = loc;
	return *tail;
}

/* One line for several states: each has its own, with the same place in the source. */
static void add_line(struct parser *parser, struct state *state, const struct transition *line)
{
	struct transition **tail = &state->transitions;

	while (*tail)
		tail = &(*tail)->next;
	*tail = spec_alloc(parser->spec, sizeof(**tail));
	**tail = *line;
	if (!line->target_name) {
		(*tail)->target_name = state->name;
		(*tail)->target_loc = line->loc;
	}
}

static void parse_states(struct parser *parser, struct session *session)
{
	struct state *states[MOST_STATES];
	struct transition *line;
	u32 count = 0, i;

	next(parser);
	do {
		if (count == MOST_STATES)
			syntax_error(parser, parser->now.loc, "more than %d states", MOST_STATES);
		states[count++] = open_state(parser, session);
	} while (take_mark(parser, ","));
	want_mark(parser, "{", "after the name of the state");
	while (!take_mark(parser, "}")) {
		line = parse_transition(parser);
		for (i = 0; i < count; i++)
			add_line(parser, states[i], line);
	}
}

static void parse_session(struct parser *parser)
{
	struct session *session = spec_alloc(parser->spec, sizeof(*session)), **end;

	next(parser);
	session->name = want_new_name(parser, &session->loc, "the name of the session");
	if (take_word(parser, "by"))
		session->key = want_name(parser, &session->key_loc, "the name of the field that tells sessions apart");
	want_mark(parser, "{", "before the states");
	want_word(parser, "start", "(with the name of the first state) before the states");
	session->start_name = want_name(parser, &session->start_loc, "the name of the first state");
	while (at_word(parser, "state"))
		parse_states(parser, session);
	if (take_word(parser, "others")) {
		want_word(parser, "drop", "after 'others'");
		session->others_drop = true;
	}
	want_mark(parser, "}", "after the states");
	for (end = &parser->spec->sessions; *end; end = &(*end)->next)
		;
	*end = session;
}

/* ---- the file ---- */

static const struct {
	const char *word;
	void (*parse)(struct parser *parser);
} declarations[] = {
	{ "byte", parse_byte_order }, { "versions", parse_versions }, { "const", parse_const },
	{ "enum", parse_enum }, { "flags", parse_flags }, { "guids", parse_guids },
	{ "context", parse_context }, { "struct", parse_struct }, { "header", parse_header },
	{ "frame", parse_frame }, { "type", parse_alias }, { "message", parse_message }, { "session", parse_session },
};

static bool at_declaration(const struct parser *parser, size_t *which)
{
	for (*which = 0; *which < sizeof(declarations) / sizeof(declarations[0]); ++*which)
		if (at_word(parser, declarations[*which].word))
			return true;
	return false;
}

static void parse_declaration(struct parser *parser)
{
	size_t which;

	parser->began = parser->now.loc;
	parser->beginning = parser->now.text;
	if (at_mark(parser, "}"))
		syntax_error(parser, parser->now.loc, "this '}' closes nothing");
	if (!at_declaration(parser, &which))
		syntax_error(parser, parser->now.loc,
			     "expected a declaration: byte order, versions, const, type, enum, flags, "
			     "guids, context, struct, header, frame, message or session");
	declarations[which].parse(parser);
}

/* After a mistake: on to a declaration that starts in the first column. */
static void recover(struct parser *parser)
{
	size_t which;

	parser->depth = 0;
	parser->skipping = true;
	if (parser->now.loc.line == parser->began.line && parser->now.loc.column == parser->began.column)
		next(parser);
	while (parser->now.kind != TOKEN_END &&
	       !(parser->now.loc.column == 1 && at_declaration(parser, &which)))
		next(parser);
	parser->skipping = false;
}

static void parse_protocol(struct parser *parser)
{
	size_t which;

	next(parser);
	next(parser);
	want_word(parser, "protocol", "at the start of the file");
	if (at_end_of_line(parser) && (parser->now.kind != TOKEN_NAME || at_declaration(parser, &which)))
		syntax_error(parser, behind(parser), "expected the name of the protocol");
	parser->spec->name = want_new_name(parser, &parser->spec->name_loc, "the name of the protocol");
	if (parser->now.kind == TOKEN_STRING) {
		parser->spec->title = parser->now.text;
		next(parser);
	}
}

void parse(struct spec *spec)
{
	struct parser *parser = spec_alloc(spec, sizeof(*parser));

	lex_start(parser, spec);
	spec->name = "unnamed";
	if (setjmp(parser->fail))
		return;
	parse_protocol(parser);
	setjmp(parser->fail);
	if (spec->errors)
		recover(parser);
	while (parser->now.kind != TOKEN_END)
		parse_declaration(parser);
}
