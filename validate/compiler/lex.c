/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lexer, and the small questions a parser asks of it. Any bytes are survived.
 */
#include <stdarg.h>
#include <string.h>

#include "lex.h"

#define DEEPEST 64
#define LONGEST_NAME 64

static const char *const marks[] = {
	"->", "..", "!=", "<=", ">=", "<<", ">>",
	"{", "}", "(", ")", "[", "]", ":", ",", "=", "<", ">", "+", "-", "*", "/", "%", "|", "&", ".",
};

static const char *text_end(const struct parser *parser)
{
	return parser->spec->text + parser->spec->text_length;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static struct loc here(const struct parser *parser, const char *start)
{
	return (struct loc){
		.line = parser->line,
		.column = (u32)(start - parser->line_start) + 1,
		.length = parser->p > start ? (u32)(parser->p - start) : 1,
	};
}

void syntax_error(struct parser *parser, struct loc loc, const char *format, ...)
{
	va_list args;
	char text[200];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_at(parser->spec, loc, "%s", text);
	longjmp(parser->fail, 1);
}

static void lex_error(struct parser *parser, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void lex_error(struct parser *parser, struct loc loc, const char *format, ...)
{
	va_list args;
	char text[200];

	if (parser->skipping)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	syntax_error(parser, loc, "%s", text);
}

static void skip_blanks(struct parser *parser)
{
	const char *end = text_end(parser);

	for (; parser->p < end; parser->p++) {
		if (*parser->p == '#') {
			while (parser->p < end && *parser->p != '\n')
				parser->p++;
			if (parser->p == end)
				return;
		}
		if (*parser->p == '\n') {
			parser->line++;
			parser->line_start = parser->p + 1;
		} else if (*parser->p != ' ' && *parser->p != '\t' && *parser->p != '\r') {
			return;
		}
	}
}

/* Reads digits of one base; false if they do not fit 64 bits. */
static bool digits(struct parser *parser, unsigned int base, u64 *value)
{
	const char *end = text_end(parser);
	bool fits = true;

	for (*value = 0; parser->p < end; parser->p++) {
		unsigned int digit = (unsigned int)digit_value(*parser->p);

		if (*parser->p == '_')
			continue;
		if (digit >= base)
			break;
		fits &= !__builtin_mul_overflow(*value, base, value) &&
			!__builtin_add_overflow(*value, digit, value);
	}
	return fits;
}

static bool starts_minor(const struct parser *parser)
{
	return parser->p + 1 < text_end(parser) && parser->p[0] == '.' && is_digit(parser->p[1]);
}

static void lex_number(struct parser *parser, struct token *token)
{
	const char *start = parser->p;
	bool hex = start + 1 < text_end(parser) && start[0] == '0' && start[1] == 'x';
	u64 minor = 0;
	bool fits;

	parser->p += hex ? 2 : 0;
	fits = digits(parser, hex ? 16 : 10, &token->number);
	token->kind = TOKEN_NUMBER;
	if (hex && parser->p == start + 2)
		lex_error(parser, here(parser, start), "no digits after 0x");
	if (!hex && starts_minor(parser)) {
		parser->p++;
		fits &= digits(parser, 10, &minor) && minor < 256 && token->number < 65536;
		token->kind = TOKEN_VERSION;
		token->major = (u32)token->number;
		token->minor = (u32)minor;
	}
	while (parser->p < text_end(parser) && (is_letter(*parser->p) || is_digit(*parser->p))) {
		parser->p++;
		fits = false;
	}
	token->loc = here(parser, start);
	if (!fits)
		lex_error(parser, token->loc, "this is not a number of at most 64 bits, nor a version");
}

static char *copy_text(struct parser *parser, const char *start, const char *end)
{
	return spec_printf(parser->spec, "%.*s", (int)(end - start), start);
}

static void lex_string(struct parser *parser, struct token *token)
{
	const char *start = parser->p++, *end = text_end(parser);

	while (parser->p < end && *parser->p != '"' && *parser->p != '\n')
		parser->p++;
	token->kind = TOKEN_STRING;
	token->loc = here(parser, start);
	token->text = copy_text(parser, start + 1, parser->p);
	if (parser->p == end || *parser->p == '\n') {
		lex_error(parser, token->loc, "this string has no closing quote on its line");
		return;
	}
	parser->p++;
	token->loc = here(parser, start);
}

/* What other languages write, and what we do. */
static const struct {
	const char *habit, *instead;
} habits[] = {
	{ "==", "equality is written '='" }, { "=>", "the arrow is written '->'" },
	{ "&&", "write 'and'" }, { "||", "write 'or'" },
	{ "//", "a comment starts with '#'" }, { "/*", "a comment starts with '#'" },
	{ "!", "write 'not'" }, { ";", "lines need no ';'" },
	{ "\xef\xbb\xbf", "the file starts with a byte order mark; save it without" },
};

static void refuse_habit(struct parser *parser)
{
	size_t left = (size_t)(text_end(parser) - parser->p), i, length;
	const char *start = parser->p;

	if (left > 1 && start[0] == '!' && start[1] == '=')
		return;
	for (i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		length = strlen(habits[i].habit);
		if (length > left || memcmp(start, habits[i].habit, length))
			continue;
		parser->p += length;
		lex_error(parser, here(parser, start), "%s", habits[i].instead);
		return;
	}
}

static bool is_foreign(char c)
{
	return (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* The whole of a name with letters we do not use. */
static void refuse_name(struct parser *parser, const char *start)
{
	const char *end = text_end(parser), *p;

	while (parser->p < end && (is_letter(*parser->p) || is_digit(*parser->p) || is_foreign(*parser->p)))
		parser->p++;
	for (p = start; p < parser->p; p++)
		if (is_foreign(*p))
			lex_error(parser, here(parser, start),
				  "names are written in small letters, a to z, digits and '_'");
	if (parser->p - start > LONGEST_NAME)
		lex_error(parser, here(parser, start), "a name has at most %d letters", LONGEST_NAME);
}

static void lex_mark(struct parser *parser, struct token *token)
{
	size_t left = (size_t)(text_end(parser) - parser->p), i, length;
	const char *start = parser->p;

	refuse_habit(parser);
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		length = strlen(marks[i]);
		if (length <= left && !memcmp(start, marks[i], length)) {
			parser->p = start + length;
			token->kind = TOKEN_MARK;
			token->text = marks[i];
			token->loc = here(parser, start);
			return;
		}
	}
	if (parser->p == start)
		parser->p++;
	if (*start > ' ' && *start < 127)
		lex_error(parser, here(parser, start), "'%c' means nothing here", *start);
	lex_error(parser, here(parser, start), "byte 0x%02x means nothing here", (u8)*start);
}

static void lex(struct parser *parser, struct token *token)
{
	const char *start;

	memset(token, 0, sizeof(*token));
	token->kind = TOKEN_MARK;	/* should this one fail */
	token->text = "";
	skip_blanks(parser);
	start = parser->p;
	if (start == text_end(parser)) {
		token->kind = TOKEN_END;
		token->loc = here(parser, start);
	} else if (is_letter(*start) || (*start >= 'A' && *start <= 'Z')) {
		refuse_name(parser, start);
		token->kind = TOKEN_NAME;
		token->text = copy_text(parser, start, parser->p);
		token->loc = here(parser, start);
	} else if (is_digit(*start)) {
		lex_number(parser, token);
	} else if (*start == '"') {
		lex_string(parser, token);
	} else {
		lex_mark(parser, token);
	}
}

void next(struct parser *parser)
{
	parser->last = parser->now.loc;
	parser->now = parser->ahead;
	lex(parser, &parser->ahead);
}

struct place mark_place(const struct parser *parser)
{
	return (struct place){
		.p = parser->p, .line_start = parser->line_start, .line = parser->line,
		.now = parser->now, .ahead = parser->ahead, .last = parser->last,
	};
}

void go_to(struct parser *parser, const struct place *place)
{
	parser->p = place->p;
	parser->line_start = place->line_start;
	parser->line = place->line;
	parser->now = place->now;
	parser->ahead = place->ahead;
	parser->last = place->last;
}

void lex_start(struct parser *parser, struct spec *spec)
{
	parser->spec = spec;
	parser->p = parser->line_start = spec->text;
	parser->line = 1;
	parser->depth = 0;
}

bool at_mark(const struct parser *parser, const char *mark)
{
	return parser->now.kind == TOKEN_MARK && !strcmp(parser->now.text, mark);
}

bool at_word(const struct parser *parser, const char *word)
{
	return parser->now.kind == TOKEN_NAME && !strcmp(parser->now.text, word);
}

bool take_mark(struct parser *parser, const char *mark)
{
	if (!at_mark(parser, mark))
		return false;
	next(parser);
	return true;
}

bool take_word(struct parser *parser, const char *word)
{
	if (!at_word(parser, word))
		return false;
	next(parser);
	return true;
}

/* What is missing at the end of a line is best shown right behind what came before it. */
struct loc behind(const struct parser *parser)
{
	struct loc loc = parser->last;

	if (!loc.line)
		return parser->now.loc;
	loc.column += loc.length;
	loc.length = 1;
	return loc;
}

bool at_end_of_line(const struct parser *parser)
{
	return parser->now.kind == TOKEN_END || parser->now.loc.line != parser->last.line;
}

void want_mark(struct parser *parser, const char *mark, const char *where)
{
	if (take_mark(parser, mark))
		return;
	if (at_end_of_line(parser))
		syntax_error(parser, behind(parser), "'%s' is missing %s", mark, where);
	syntax_error(parser, parser->now.loc, "'%s' is missing %s, before this", mark, where);
}

void want_word(struct parser *parser, const char *word, const char *where)
{
	if (!take_word(parser, word))
		syntax_error(parser, at_end_of_line(parser) ? behind(parser) : parser->now.loc,
			     "the word '%s' is missing %s", word, where);
}

/* One of two words; true: the first. */
bool want_either(struct parser *parser, const char *yes, const char *no, const char *where)
{
	if (take_word(parser, yes))
		return true;
	if (!take_word(parser, no))
		syntax_error(parser, at_end_of_line(parser) ? behind(parser) : parser->now.loc,
			     "expected '%s' or '%s' %s", yes, no, where);
	return false;
}

/* Where something else stands, that is wrong; where all ends, something is missing before. */
struct loc place_of_missing(const struct parser *parser)
{
	if (parser->now.kind == TOKEN_END || (at_end_of_line(parser) && at_mark(parser, "}")))
		return behind(parser);
	return parser->now.loc;
}

const char *want_name(struct parser *parser, struct loc *loc, const char *what)
{
	const char *name = parser->now.text;

	*loc = parser->now.loc;
	if (parser->now.kind != TOKEN_NAME)
		syntax_error(parser, place_of_missing(parser), "expected %s", what);
	next(parser);
	return name;
}

u64 want_number(struct parser *parser, struct loc *loc, const char *what)
{
	u64 number = parser->now.number;

	*loc = parser->now.loc;
	if (parser->now.kind != TOKEN_NUMBER)
		syntax_error(parser, place_of_missing(parser), "expected %s", what);
	next(parser);
	return number;
}

void enter(struct parser *parser)
{
	if (++parser->depth > DEEPEST)
		syntax_error(parser, parser->now.loc, "this is nested too deeply to be read by anyone");
}

void leave(struct parser *parser)
{
	parser->depth--;
}

struct loc span(struct loc from, struct loc to)
{
	if (to.line == from.line && to.column + to.length > from.column)
		from.length = to.column + to.length - from.column;
	return from;
}
