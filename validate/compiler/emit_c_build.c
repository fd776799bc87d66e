/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The builders of what we send. A builder zeroes each stretch of the buffer before it
 * fills it, and lets the message's own validator judge the result: nothing leaves that
 * the specification does not allow, and nothing that nobody wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_c.h"

bool builds(const struct layout *layout)
{
	return is_sent(layout) && !unbuildable(layout->items);
}

static const char *build_head(struct spec *spec, const struct layout *layout)
{
	return spec_printf(spec, "int %s_build_%s(u8 *msg, u32 room%s, const struct %s_%s *m, u32 *size)", spec->name,
			   layout->name, uses_context(layout) ?
			   spec_printf(spec, ", const struct %s_context *ctx", spec->name) : "",
			   spec->name, layout->name);
}

/* ---- values ---- */

static void store(struct gen *gen, const struct type *type, const char *value)
{
	const char *pointer = c_pointer(gen, 0);

	if (type->width == 1)
		line(gen, "msg[%s] = %s;", c_place(gen, 0), value);
	else
		line(gen, "wire_put_%s%u(%s, %s);", type->big ? "be" : "le", type->width * 8, pointer, value);
}

static const char *bits_value(struct gen *gen, const struct field *field, const char *view)
{
	const struct bitpart *bit;
	const char *all = NULL, *one;

	for (bit = field->type->bits; bit; bit = bit->next) {
		if (bit->ignored)
			continue;
		one = spec_printf(gen->spec, "(%s%s%s_%s & %s)", field->type->width == 8 ? "(u64)" : "", view,
				  field->name, bit->name, c_literal(gen->spec, (1ULL << bit->width) - 1));
		if (bit->shift)
			one = spec_printf(gen->spec, "%s << %u", one, bit->shift);
		all = all ? spec_printf(gen->spec, "%s | %s", all, one) : one;
	}
	return all;
}

static void put_scalar(struct gen *gen, const struct field *field, const char *view)
{
	const char *value;

	if (field->constant) {
		if (field->constant_value)
			store(gen, field->type, c_literal(gen->spec, field->constant_value));
		return;
	}
	if (field->ignored)
		return;
	value = field->type->kind == T_BITS ? bits_value(gen, field, view) :
		spec_printf(gen->spec, "%s%s", view, field->name);
	if (value)
		store(gen, field->type, value);
}

/* ---- parts of fixed size ---- */

static const char *room_rule(struct gen *gen)
{
	const struct item *item = gen->layout->items;

	while (item && !(item->kind == I_FIELD && item->field->run_rule))
		item = item->next;
	return c_rule(gen->spec, item ? item->field->run_rule : gen->spec->rules);
}

/* Fewer bytes than there is room for leave the rest zero; more are refused. */
static void put_fixed(struct gen *gen, const struct field *field, const char *view)
{
	if (field->ignored)
		return;
	line(gen, "if (%s%s.size > %u)", view, field->name, (u32)field->type->fixed_size);
	line(gen, "\treturn %s;", room_rule(gen));
	line(gen, "wire_put(%s, &%s%s);", c_pointer(gen, 0), view, field->name);
}

static void put_part(struct gen *gen, const struct field *field, const char *view)
{
	const char *inner = spec_printf(gen->spec, "%s%s.", view, field->name);
	const struct item *item;
	u32 base = gen->base;

	if (is_scalar(field->type)) {
		put_scalar(gen, field, view);
		return;
	}
	if (field->type->kind != T_STRUCT) {
		put_fixed(gen, field, view);
		return;
	}
	for (item = field->type->layout->items; item; item = item->next) {
		if (item->kind != I_FIELD)
			continue;
		put_part(gen, item->field, inner);
		gen->base += (u32)item->field->type->fixed_size;
	}
	gen->base = base;
}

/* ---- the header ---- */

/* What "when" says a header field is. */
static const struct expr *demanded(const struct expr *when, const struct field *field)
{
	const struct expr *found;

	if (!when || when->kind != E_BINARY)
		return NULL;
	if (when->op == OP_BOTH) {
		found = demanded(when->a, field);
		return found ? found : demanded(when->b, field);
	}
	return when->op == OP_EQ && when->a->ref.kind == REF_FIELD && when->a->ref.field == field && !when->a->ref.flag &&
	       !when->a->ref.bit && when->b->range.lo == when->b->range.hi ? when->b : NULL;
}

static void put_header(struct gen *gen)
{
	const struct expr *value;
	const struct item *item;

	for (item = gen->spec->header->items; item; item = item->next) {
		if (item->kind != I_FIELD)
			continue;
		value = demanded(gen->layout->when, item->field);
		if (value)
			store(gen, item->field->type, c_number(gen, value).text);
		else
			put_part(gen, item->field, "m->header.");
		gen->base += (u32)item->field->type->fixed_size;
	}
}

/* ---- fields ---- */

static void put_items(struct gen *gen, const struct item *items);

/* Bytes from the cursor to the end of the room; what was written before is inside of it. */
static const char *room_left(struct gen *gen)
{
	const char *place = c_place(gen, 0);

	if (!strcmp(place, "0"))
		return "room";
	return gen->dynamic && gen->absolute < 0 && gen->base ? spec_printf(gen->spec, "room - at - %u", gen->base) :
	       spec_printf(gen->spec, "room - %s", place);
}

static void want_room(struct gen *gen, u32 bytes)
{
	line(gen, "if (%s < %u)", room_left(gen), bytes);
	line(gen, "\treturn %s;", room_rule(gen));
	line(gen, "memset(%s, 0, %u);", c_pointer(gen, 0), bytes);
}

static void move_on(struct gen *gen, const char *bytes)
{
	const char *place = c_place(gen, 0);

	if (!strcmp(place, "0"))
		line(gen, "at = %s;", bytes);
	else if (strcmp(place, "at"))
		line(gen, "at = %s + %s;", place, bytes);
	else
		line(gen, "at += %s;", bytes);
	gen->at = gen->dynamic = true;
	gen->base = 0;
	gen->absolute = -1;
}

static const char *ignored_bytes(struct gen *gen, const struct field *field, const struct expr *count)
{
	struct c_text number = c_number(gen, count);

	if (field->type->kind != T_ARRAY || field->type->element->fixed_size == 1)
		return number.text;
	return spec_printf(gen->spec, "%uULL * (%s)", (u32)field->type->element->fixed_size, number.text);
}

/* What nobody looks at is zero. */
static void put_ignored(struct gen *gen, const struct field *field)
{
	const struct expr *bytes = field->type->count ? field->type->count : field->type->bytes;

	if (!bytes || bytes->kind == E_REMAINING)
		return;
	gen->bytes = true;
	line(gen, "bytes = %s;", ignored_bytes(gen, field, bytes));
	line(gen, "if (%s < bytes)", room_left(gen));
	line(gen, "\treturn %s;", room_rule(gen));
	line(gen, "memset(%s, 0, bytes);", c_pointer(gen, 0));
	move_on(gen, "bytes");
}

/* A variable struct has a function of its own. */
static void put_variable_struct(struct gen *gen, const struct field *field)
{
	const struct layout *layout = field->type->layout;

	gen->rule = gen->used = true;
	line(gen, "rule = %s_put_%s(%s, %s%s, &m->%s, &used);", gen->spec->name, layout->name, c_pointer(gen, 0),
	     room_left(gen), c_arguments(gen, layout, field->type->arguments, field->type->argument_count), field->name);
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
	move_on(gen, "used");
}

static void put_variable(struct gen *gen, const struct field *field)
{
	if (field->type->kind == T_STRUCT) {
		put_variable_struct(gen, field);
		return;
	}
	if (!field->delivered) {
		put_ignored(gen, field);
		return;
	}
	line(gen, "if (%s < m->%s.size)", room_left(gen), field->name);
	line(gen, "\treturn %s;", room_rule(gen));
	line(gen, "wire_put(%s, &m->%s);", c_pointer(gen, 0), field->name);
	move_on(gen, spec_printf(gen->spec, "m->%s.size", field->name));
}

static void put_field(struct gen *gen, const struct field *field)
{
	const struct type *type = field->type;

	if (field->run_bytes)
		want_room(gen, field->run_bytes);
	if (field->is_header) {
		put_header(gen);
		return;
	}
	if (type->fixed_size < 0)
		put_variable(gen, field);
	else
		put_part(gen, field, "m->");
	if (type->fixed_size >= 0)
		gen->base += (u32)type->fixed_size;
}

static void put_branch(struct gen *gen, const struct item *items)
{
	struct gen before = *gen;

	gen->indent++;
	put_items(gen, items);
	if (gen->base)
		line(gen, "at += %u;", gen->base);
	gen->indent--;
	gen->base = before.base;
	gen->absolute = before.absolute;
}

static bool has_fields(const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next)
		if (item->kind == I_FIELD || has_fields(item->then) || has_fields(item->otherwise))
			return true;
	return false;
}

static void put_when(struct gen *gen, const struct item *item)
{
	if (!has_fields(item->then) && !has_fields(item->otherwise))
		return;
	line(gen, gen->dynamic ? "at += %u;" : "at = %u;", gen->base);
	gen->absolute = gen->dynamic ? -1 : (s128)gen->base;
	gen->at = gen->dynamic = true;
	gen->base = 0;
	line(gen, "if (%s) {", c_true(gen, item->expr));
	put_branch(gen, item->then);
	if (item->otherwise) {
		line(gen, "} else {");
		put_branch(gen, item->otherwise);
	}
	line(gen, "}");
	gen->absolute = -1;
}

static void put_items(struct gen *gen, const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_FIELD && !item->field->at)
			put_field(gen, item->field);
		else if (item->kind == I_WHEN)
			put_when(gen, item);
	}
}

/* ---- functions ---- */

static void put_locals(const struct gen *gen, FILE *out)
{
	if (gen->bytes)
		fputs("\tu64 bytes;\n", out);
	if (gen->at)
		fputs("\tu32 at;\n", out);
	if (gen->used)
		fputs("\tu32 used;\n", out);
	if (gen->rule)
		fputs("\tint rule;\n", out);
}

static char *put_body(struct gen *gen, const struct layout *layout)
{
	char *body = NULL;
	size_t length = 0;

	gen->out = open_memstream(&body, &length);
	if (!gen->out)
		abort();
	gen->indent = 1;
	put_items(gen, layout->items);
	if (layout->kind == L_STRUCT) {
		line(gen, "*done = %s;", c_place(gen, 0));
		line(gen, "return 0;");
	} else {
		line(gen, "*size = %s;", c_place(gen, 0));
		line(gen, "return %s_check_%s(msg, *size%s, &built);", gen->spec->name, layout->name,
		     uses_context(layout) ? ", ctx" : "");
	}
	fclose(gen->out);
	gen->indent = 0;
	return body;
}

static struct gen fresh(const struct gen *gen, struct layout *layout)
{
	return (struct gen){ .spec = gen->spec, .P = gen->P, .layout = layout, .view = "m->", .absolute = -1 };
}

static void emit_put(struct gen *gen, struct layout *layout)
{
	FILE *out = gen->out;
	char *body;

	*gen = fresh(gen, layout);
	body = put_body(gen, layout);
	gen->out = out;
	line(gen, "\nstatic int %s_put_%s(u8 *msg, u32 room%s, const struct %s_%s *m, u32 *done)\n{", gen->spec->name,
	     layout->name, c_parameters(gen->spec, layout), gen->spec->name, layout->name);
	put_locals(gen, out);
	if (gen->bytes || gen->at || gen->used || gen->rule)
		fputc('\n', out);
	emit_unused(out, body, "m");
	emit_unused_parameters(gen, out, body);
	fputs(body, out);
	line(gen, "}");
	free(body);
}

static void emit_build(struct gen *gen, struct layout *layout)
{
	FILE *out = gen->out;
	char *body;

	*gen = fresh(gen, layout);
	body = put_body(gen, layout);
	gen->out = out;
	line(gen, "\n/* %s:%u */\n%s\n{", file_name(gen->spec), layout->loc.line, build_head(gen->spec, layout));
	line(gen, "\tstruct %s_%s built;", gen->spec->name, layout->name);
	put_locals(gen, out);
	fputc('\n', out);
	emit_unused(out, body, "m");
	fputs(body, out);
	line(gen, "}");
	free(body);
}

/* Variable structs inside of what we send, innermost first, each once. */
static void emit_puts(struct gen *gen, const struct item *items)
{
	const struct item *item;
	struct layout *layout;

	for (item = items; item; item = item->next) {
		emit_puts(gen, item->then);
		emit_puts(gen, item->otherwise);
		layout = item->kind == I_FIELD && item->field->type->kind == T_STRUCT ? item->field->type->layout : NULL;
		if (!layout || layout->fixed || layout->walking || item->field->at)
			continue;
		layout->walking = true;		/* written; the analysis is done with this mark */
		emit_puts(gen, layout->items);
		emit_put(gen, layout);
	}
}

void emit_builders(struct spec *spec, FILE *out)
{
	struct gen gen = { .spec = spec, .P = upper(spec, spec->name), .out = out };
	struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next) {
		if (!builds(layout))
			continue;
		emit_puts(&gen, layout->items);
		emit_build(&gen, layout);
	}
	for (layout = spec->layouts; layout; layout = layout->next)
		layout->walking = false;
}

void emit_builder_prototypes(struct spec *spec, FILE *out)
{
	const struct layout *layout;
	bool any = false;

	for (layout = spec->layouts; layout; layout = layout->next) {
		if (!builds(layout))
			continue;
		if (!any)
			fprintf(out, "\n/* Builders: 0 and the size in bytes, or the rule the message would break. */\n");
		any = true;
		emit_prototype(spec, out, build_head(spec, layout), true);
	}
}
