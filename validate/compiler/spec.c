/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A specification as an object: its memory, its source text, its diagnostics. Memory comes
 * from an arena that lives as long as the specification; running out of it ends the program.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "airspec.h"

#define BLOCK_BYTES 65536
#define MOST_ERRORS 20

struct block {
	struct block *next;
	size_t used, room;
	max_align_t data[];
};

struct arena {
	struct spec spec;	/* first: a spec is found in its arena */
	struct block *blocks;
};

static struct block *new_block(struct arena *arena, size_t bytes)
{
	size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct block *block = calloc(1, sizeof(*block) + room);

	if (!block) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	block->room = room;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *spec_alloc(struct spec *spec, size_t bytes)
{
	struct arena *arena = (struct arena *)spec;
	struct block *block = arena->blocks;
	void *p;

	bytes = (bytes + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!block || block->room - block->used < bytes)
		block = new_block(arena, bytes);
	p = (char *)block->data + block->used;
	block->used += bytes;
	return p;
}

char *spec_printf(struct spec *spec, const char *format, ...)
{
	va_list args;
	char *text, nothing[1];
	int length;

	va_start(args, format);
	length = vsnprintf(nothing, 0, format, args);
	va_end(args);
	text = spec_alloc(spec, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void spec_free(struct spec *spec)
{
	struct arena *arena = (struct arena *)spec;
	struct block *block, *next;

	if (!spec)
		return;
	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

struct spec *spec_compile(const char *path, const char *text, size_t length, FILE *diagnostics)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	struct spec *spec;
	char *copy;

	if (!arena) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	spec = &arena->spec;
	spec->path = spec_printf(spec, "%s", path);
	copy = spec_alloc(spec, length + 1);
	if (length)
		memcpy(copy, text, length);
	spec->text = copy;
	spec->text_length = length;
	spec->diagnostics = diagnostics;
	parse(spec);
	if (!spec->errors)
		analyse(spec);
	return spec;
}

struct spec *spec_read(const char *path, FILE *diagnostics)
{
	FILE *file = fopen(path, "rb");
	struct spec *spec = NULL;
	char *text = NULL;
	size_t length = 0, room = 0, got;

	if (!file)
		return NULL;
	do {
		if (room - length < 4096) {
			room = room ? room * 2 : 16384;
			text = realloc(text, room);
			if (!text) {
				fputs("airspec: out of memory\n", stderr);
				exit(3);
			}
		}
		got = fread(text + length, 1, room - length, file);
		length += got;
	} while (got);
	if (!ferror(file))
		spec = spec_compile(path, text, length, diagnostics);
	free(text);
	fclose(file);
	return spec;
}

/* ---- diagnostics ---- */

static const char *line_start(const struct spec *spec, u32 line)
{
	const char *p = spec->text, *end = spec->text + spec->text_length;

	while (--line && p < end) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : end;
	}
	return p;
}

/* Anything that could confuse a terminal is shown as '?'. */
static void show_line(struct spec *spec, struct loc loc)
{
	const char *start = line_start(spec, loc.line), *p;
	const char *end = spec->text + spec->text_length;
	u32 column;

	fprintf(spec->diagnostics, "%5u | ", loc.line);
	for (p = start; p < end && *p != '\n' && *p != '\r' && p - start < 160; p++)
		fputc(*p == '\t' || ((u8)*p >= ' ' && *p != 127) ? *p : '?', spec->diagnostics);
	fputs("\n      | ", spec->diagnostics);
	for (column = 1, p = start; column < loc.column; column++, p++)
		fputc(p < end && *p == '\t' ? '\t' : ' ', spec->diagnostics);
	fputc('^', spec->diagnostics);
	for (column = 1; column < loc.length && column < 80; column++)
		fputc('~', spec->diagnostics);
	fputc('\n', spec->diagnostics);
}

static void diagnose(struct spec *spec, struct loc loc, const char *what,
		     const char *format, va_list args)
{
	if (!spec->diagnostics)
		return;
	fprintf(spec->diagnostics, "%s:%u:%u: %s: ", spec->path, loc.line, loc.column, what);
	vfprintf(spec->diagnostics, format, args);
	fputc('\n', spec->diagnostics);
	show_line(spec, loc);
}

void error_at(struct spec *spec, struct loc loc, const char *format, ...)
{
	va_list args;

	if (spec->errors++ == MOST_ERRORS && spec->diagnostics)
		fprintf(spec->diagnostics, "%s: more errors, not shown\n", spec->path);
	if (spec->errors > MOST_ERRORS)
		return;
	va_start(args, format);
	diagnose(spec, loc, "error", format, args);
	va_end(args);
}

void warn_at(struct spec *spec, struct loc loc, const char *format, ...)
{
	va_list args;

	spec->warnings++;
	va_start(args, format);
	diagnose(spec, loc, "warning", format, args);
	va_end(args);
}

void note_at(struct spec *spec, struct loc loc, const char *format, ...)
{
	va_list args;

	if (spec->errors > MOST_ERRORS)
		return;
	va_start(args, format);
	diagnose(spec, loc, "note", format, args);
	va_end(args);
}

/* ---- look-ups ---- */

struct rule *spec_rule(const struct spec *spec, u32 number)
{
	struct rule *rule;

	for (rule = spec->rules; rule; rule = rule->next)
		if (rule->number == number)
			return rule;
	return NULL;
}

struct layout *spec_layout(const struct spec *spec, const char *name)
{
	struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next)
		if (!strcmp(layout->name, name))
			return layout;
	if (spec->header && !strcmp(name, "header"))
		return spec->header;
	return NULL;
}

struct session *spec_session(const struct spec *spec, const char *name)
{
	struct session *session;

	for (session = spec->sessions; session; session = session->next)
		if (!strcmp(session->name, name))
			return session;
	return NULL;
}

bool is_sent(const struct layout *layout)
{
	return (layout->kind == L_MESSAGE && (layout->direction == TO_HOST || layout->direction == EITHER_WAY)) ||
	       (layout->kind == L_FRAME && layout->direction != FROM_HOST);
}

/* A message that is being written has no size yet. */
static bool asks_size(const struct expr *expr)
{
	u32 i;

	if (!expr)
		return false;
	for (i = 0; i < expr->list_length; i++)
		if (asks_size(expr->list[i]))
			return true;
	return expr->kind == E_SIZE || expr->kind == E_REMAINING || asks_size(expr->a) || asks_size(expr->b) ||
	       asks_size(expr->c);
}

/* Arguments, and the length of what is ignored, must be known; all others come with the view. */
static bool takes_size(const struct field *field)
{
	const struct expr *bytes = field->type->count ? field->type->count : field->type->bytes;
	u32 i;

	for (i = 0; i < field->type->argument_count && field->type->kind == T_STRUCT; i++)
		if (asks_size(field->type->arguments[i]))
			return true;
	return field->ignored && bytes && bytes->kind != E_REMAINING && asks_size(bytes);
}

static const struct field *first_field(const struct item *item)
{
	const struct field *field = item->field;

	if (item->kind == I_WHEN) {
		const struct item *inner;

		for (inner = item->then; inner && !field; inner = inner->next)
			field = first_field(inner);
		for (inner = item->otherwise; inner && !field; inner = inner->next)
			field = first_field(inner);
	}
	return field;
}

static const struct field *unbuildable_item(const struct item *item)
{
	const struct field *field = item->field, *inner;

	if (item->kind == I_WHEN) {
		if (asks_size(item->expr))
			return first_field(item);
		inner = unbuildable(item->then);
		return inner ? inner : unbuildable(item->otherwise);
	}
	if (item->kind != I_FIELD)
		return NULL;
	if (field->at || field->type->kind == T_UNION || takes_size(field))
		return field;
	return field->type->kind == T_STRUCT ? unbuildable(field->type->layout->items) : NULL;
}

/* Lists and arrays are handed to a builder as bytes, whatever is in them. */
const struct field *unbuildable(const struct item *items)
{
	const struct field *field = NULL;

	for (; items && !field; items = items->next)
		field = unbuildable_item(items);
	return field;
}
