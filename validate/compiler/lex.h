/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tokens of a specification, one at a time, with one of look-ahead.
 */
#ifndef AIRSPEC_LEX_H
#define AIRSPEC_LEX_H

#include <setjmp.h>

#include "airspec.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_VERSION, TOKEN_STRING, TOKEN_MARK };

struct token {
	enum token_kind kind;
	struct loc loc;
	const char *text;		/* name, string, or mark ("{", "..", "->") */
	u64 number;
	u32 major, minor;
};

/* Where the lexer stands, to come back to it. */
struct place {
	const char *p, *line_start;
	u32 line;
	struct token now, ahead;
	struct loc last;
};

/* "type name = ...": the place of the '='. */
struct alias {
	struct alias *next;
	const char *name;
	struct loc loc;
	struct place place;
};

struct parser {
	struct spec *spec;
	const char *p, *line_start;
	u32 line;
	struct token now, ahead;
	struct loc last;		/* of the token before "now" */
	struct loc began;		/* where this declaration starts */
	const char *beginning;		/* its first word */
	u32 depth;			/* of nesting, bounded */
	bool skipping;			/* what is skipped after a mistake is not judged */
	struct alias *aliases;
	jmp_buf fail;			/* to the loop over declarations */
};

void lex_start(struct parser *parser, struct spec *spec);
void next(struct parser *parser);	/* go to the next token */
struct place mark_place(const struct parser *parser);
void go_to(struct parser *parser, const struct place *place);

/* Reports and leaves for the next declaration. */
void syntax_error(struct parser *parser, struct loc loc, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

bool at_mark(const struct parser *parser, const char *mark);
bool at_word(const struct parser *parser, const char *word);
bool at_end_of_line(const struct parser *parser);
struct loc behind(const struct parser *parser);		/* what came before */
struct loc place_of_missing(const struct parser *parser);
bool take_mark(struct parser *parser, const char *mark);
bool take_word(struct parser *parser, const char *word);
void want_mark(struct parser *parser, const char *mark, const char *where);
void want_word(struct parser *parser, const char *word, const char *where);
bool want_either(struct parser *parser, const char *yes, const char *no, const char *where);
const char *want_name(struct parser *parser, struct loc *loc, const char *what);
const char *want_new_name(struct parser *parser, struct loc *loc, const char *what);
u64 want_number(struct parser *parser, struct loc *loc, const char *what);
void enter(struct parser *parser);	/* one level deeper; refuses absurd nesting */
void leave(struct parser *parser);
struct loc span(struct loc from, struct loc to);

/* parse_type.c, parse_expr.c */
struct expr *parse_expr(struct parser *parser);		/* with comparisons and logic */
struct expr *parse_value(struct parser *parser);	/* arithmetic only */
struct expr **parse_list(struct parser *parser, const char *end, u32 *length);
struct type *parse_type(struct parser *parser);
struct type *parse_int(struct parser *parser);
struct refinement *parse_refinements(struct parser *parser);
struct refinement *parse_aliased(struct parser *parser, struct type **type);	/* a type, or the name of one */

#endif
