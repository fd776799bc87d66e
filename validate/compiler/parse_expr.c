/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions: one function reads all binary operators by their strength.
 */
#include <string.h>

#include "lex.h"

#define LONGEST 100

enum { IMPLIES = 1, OR, AND, NOT, COMPARE, BIT_OR, BIT_AND, SHIFT, SUM, PRODUCT };

static const struct operator {
	const char *text;
	int strength;
	enum op op;
} operators[] = {
	{ "implies", IMPLIES, OP_IMPLIES }, { "or", OR, OP_EITHER }, { "and", AND, OP_BOTH },
	{ "=", COMPARE, OP_EQ }, { "!=", COMPARE, OP_NE }, { "<", COMPARE, OP_LT },
	{ "<=", COMPARE, OP_LE }, { ">", COMPARE, OP_GT }, { ">=", COMPARE, OP_GE },
	{ "|", BIT_OR, OP_OR }, { "&", BIT_AND, OP_AND }, { "<<", SHIFT, OP_SHL },
	{ ">>", SHIFT, OP_SHR }, { "+", SUM, OP_ADD }, { "-", SUM, OP_SUB },
	{ "*", PRODUCT, OP_MUL }, { "/", PRODUCT, OP_DIV }, { "%", PRODUCT, OP_MOD },
};

static struct expr *parse_strength(struct parser *parser, int least);

static struct expr *new_expr(struct parser *parser, enum expr_kind kind, struct loc loc)
{
	struct expr *expr = spec_alloc(parser->spec, sizeof(*expr));

	expr->kind = kind;
	expr->loc = loc;
	return expr;
}

static const struct operator *at_operator(const struct parser *parser)
{
	size_t i;

	if (parser->now.kind != TOKEN_MARK && parser->now.kind != TOKEN_NAME)
		return NULL;
	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strcmp(parser->now.text, operators[i].text))
			return &operators[i];
	return NULL;
}

struct expr **parse_list(struct parser *parser, const char *end, u32 *length)
{
	struct expr *items[256], **list;

	*length = 0;
	while (!at_mark(parser, end)) {
		if (*length == 256)
			syntax_error(parser, parser->now.loc, "more than 256 values in one list");
		items[(*length)++] = parse_value(parser);
		take_mark(parser, ",");
	}
	next(parser);
	list = spec_alloc(parser->spec, (*length + 1) * sizeof(*list));
	memcpy(list, items, *length * sizeof(*list));
	return list;
}

/* After a first name: the parts behind dots. */
static void parse_parts(struct parser *parser, struct expr *expr)
{
	struct loc loc;

	if (take_mark(parser, "."))
		expr->part = want_name(parser, &loc, "the name of a part after '.'");
	if (expr->part && take_mark(parser, "."))
		expr->subpart = want_name(parser, &loc, "the name of a part after '.'");
	expr->loc = span(expr->loc, parser->last);
}

static struct expr *parse_call(struct parser *parser, enum expr_kind kind, const char *what)
{
	struct expr *expr = new_expr(parser, kind, parser->now.loc);
	struct loc loc;

	next(parser);
	want_mark(parser, "(", "after this word");
	expr->name = want_name(parser, &loc, what);
	want_mark(parser, ")", "after the name");
	expr->loc = span(expr->loc, parser->last);
	return expr;
}

static struct expr *parse_named(struct parser *parser)
{
	struct loc loc = parser->now.loc;
	struct expr *expr;

	if (at_word(parser, "sizeof"))
		return parse_call(parser, E_SIZEOF, "the name of a struct");
	if (at_word(parser, "offset_of"))
		return parse_call(parser, E_OFFSETOF, "the name of a field");
	if (take_word(parser, "size"))
		return new_expr(parser, E_SIZE, loc);
	if (take_word(parser, "remaining"))
		return new_expr(parser, E_REMAINING, loc);
	expr = new_expr(parser, E_NAME, loc);
	if (take_word(parser, "request")) {
		expr->kind = E_REQUEST;
		want_mark(parser, ".", "after 'request'");
	} else if (at_operator(parser) || at_word(parser, "in") || at_word(parser, "not")) {
		syntax_error(parser, loc, "expected a value before '%s'", parser->now.text);
	}
	expr->name = want_name(parser, &loc, "a value");
	parse_parts(parser, expr);
	return expr;
}

static struct expr *parse_primary(struct parser *parser)
{
	struct token token = parser->now;
	struct expr *expr;

	if (token.kind == TOKEN_NAME)
		return parse_named(parser);
	if (take_mark(parser, "(")) {
		expr = parse_expr(parser);
		want_mark(parser, ")", "to match '('");
		return expr;
	}
	if (at_mark(parser, "-"))
		syntax_error(parser, token.loc, "there are no negative numbers");
	if (token.kind != TOKEN_NUMBER && token.kind != TOKEN_VERSION)
		syntax_error(parser, place_of_missing(parser), "expected a value");
	expr = new_expr(parser, token.kind == TOKEN_NUMBER ? E_NUMBER : E_VERSION, token.loc);
	expr->number = token.kind == TOKEN_NUMBER ? token.number :
			(u64)token.major << 32 | token.minor;
	next(parser);
	return expr;
}

static struct expr *parse_in(struct parser *parser, struct expr *value)
{
	struct expr *expr = new_expr(parser, E_RANGE, value->loc);

	next(parser);
	expr->a = value;
	if (take_mark(parser, "{")) {
		expr->kind = E_SET;
		expr->list = parse_list(parser, "}", &expr->list_length);
	} else {
		expr->b = parse_value(parser);
		want_mark(parser, "..", "between the ends of a range");
		expr->c = parse_value(parser);
	}
	expr->loc = span(expr->loc, parser->last);
	return expr;
}

static struct expr *parse_prefix(struct parser *parser, int least)
{
	struct expr *expr;

	if (!at_word(parser, "not"))
		return parse_primary(parser);
	if (least > NOT)
		syntax_error(parser, parser->now.loc, "'not' needs brackets around it here");
	expr = new_expr(parser, E_NOT, parser->now.loc);
	next(parser);
	expr->a = parse_strength(parser, COMPARE);
	expr->loc = span(expr->loc, parser->last);
	return expr;
}

static struct expr *parse_binary(struct parser *parser, struct expr *left,
				 const struct operator *operator)
{
	struct expr *expr = new_expr(parser, E_BINARY, left->loc);
	const struct operator *again;

	next(parser);
	expr->op = operator->op;
	expr->a = left;
	expr->b = parse_strength(parser, operator->strength + 1);
	expr->loc = span(expr->loc, parser->last);
	again = at_operator(parser);
	if (operator->strength == COMPARE && again && again->strength == COMPARE)
		syntax_error(parser, parser->now.loc, "comparisons cannot be chained; join them with 'and'");
	return expr;
}

static struct expr *parse_strength(struct parser *parser, int least)
{
	const struct operator *operator;
	struct expr *expr;
	u32 terms = 0;

	enter(parser);
	expr = parse_prefix(parser, least);
	for (;;) {
		if (++terms > LONGEST)
			syntax_error(parser, parser->now.loc, "more than %d operators in a row", LONGEST);
		operator = at_operator(parser);
		if (operator && operator->strength >= least)
			expr = parse_binary(parser, expr, operator);
		else if (at_word(parser, "in") && least <= COMPARE)
			expr = parse_in(parser, expr);
		else
			break;
	}
	leave(parser);
	return expr;
}

struct expr *parse_expr(struct parser *parser)
{
	return parse_strength(parser, IMPLIES);
}

struct expr *parse_value(struct parser *parser)
{
	return parse_strength(parser, BIT_OR);
}
