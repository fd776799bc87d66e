/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The validators: one function a layout, straight down in the order of the rules. Arrays
 * and lists get a small function of their own, so that loops stand alone. Every load is
 * behind the check that the bytes are there.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_acsl.h"
#include "emit_c.h"

static void emit_items(struct gen *gen, struct item *items);

/* ---- pieces ---- */

static bool is_simple(const struct expr *expr)
{
	return expr->kind != E_BINARY && expr->kind != E_REMAINING && !expr->ref.flag;
}

static void reject(struct gen *gen, const struct rule *rule)
{
	gen->indent++;
	line(gen, "return %s;\t/* %s:%u */", c_rule(gen->spec, rule), file_name(gen->spec), rule->loc.line);
	gen->indent--;
}

static void reject_if(struct gen *gen, const char *condition, const struct rule *rule)
{
	if (!strcmp(condition, "false"))
		return;
	line(gen, "if (%s)", condition);
	reject(gen, rule);
}

static void pass_on(struct gen *gen, const struct layout *layout, const char *call)
{
	if (!has_rules(gen->spec, layout)) {
		line(gen, "%s;", call);
		return;
	}
	gen->rule = true;
	line(gen, "rule = %s;", call);
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
}

/* Makes "at" stand where the cursor is. */
static void settle(struct gen *gen)
{
	if (!gen->dynamic) {
		line(gen, "at = %u;", gen->base);
		gen->absolute = gen->base;
	} else if (gen->base) {
		line(gen, "at += %u;", gen->base);
		gen->absolute = gen->absolute < 0 ? -1 : gen->absolute + gen->base;
	}
	gen->at = gen->dynamic = true;
	gen->base = 0;
}

/* Moves the cursor by an amount known at run time. */
static void advance(struct gen *gen, const char *bytes)
{
	bool read = gen->at_read;
	const char *place = c_place(gen, 0);

	if (!strcmp(place, "0"))
		line(gen, "at = %s;", bytes);
	else if (!strcmp(place, "at"))
		line(gen, "at += %s;", bytes);
	else
		line(gen, "at = %s + %s;", place, bytes);
	gen->at_read = read;
	gen->at = gen->dynamic = true;
	gen->base = 0;
	gen->absolute = -1;
}

/* A name for the value of an expression: itself if it is short, else a local. */
static const char *hold(struct gen *gen, const struct expr *expr, const char *small, const char *wide,
			bool *small_used, bool *wide_used)
{
	struct c_text value = c_number(gen, expr);
	bool is_wide = expr->range.hi > UINT32_MAX;

	if (strcmp(value.text, "size") && (is_simple(expr) || value.binds == C_ATOM))
		return value.text;
	*(is_wide ? wide_used : small_used) = true;
	line(gen, "%s = %s;", is_wide ? wide : small, value.text);
	return is_wide ? wide : small;
}

static const char *hold_bytes(struct gen *gen, const struct expr *expr)
{
	return hold(gen, expr, "bytes", "wide_bytes", &gen->bytes, &gen->wide_bytes);
}

/* count * element, as an expression that hold_bytes() can take */
static struct expr *times(struct gen *gen, struct expr *count, s128 element)
{
	struct expr *product, *factor;

	if (element == 1)
		return count;
	product = spec_alloc(gen->spec, sizeof(*product));
	factor = spec_alloc(gen->spec, sizeof(*factor));
	factor->kind = E_NUMBER;
	factor->number = (u64)element;
	factor->range = (struct interval){ element, element };
	product->kind = E_BINARY;
	product->op = OP_MUL;
	product->a = count;
	product->b = factor;
	product->range = (struct interval){ count->range.lo * element, count->range.hi * element };
	return product;
}

static void set_slice(struct gen *gen, const struct field *field, const char *pointer, const char *bytes)
{
	if (!field->delivered)
		return;
	line(gen, "m->%s = (struct wire_slice){ %s, %s };", field->name, pointer, bytes);
}

/* ---- arguments ---- */

const char *c_arguments(struct gen *gen, const struct layout *layout, struct expr **arguments, u32 count)
{
	const char *list = uses_context(layout) ? ", ctx" : "";
	u32 i;

	for (i = 0; i < count; i++)
		list = spec_printf(gen->spec, "%s, %s", list, c_number(gen, arguments[i]).text);
	return list;
}

const char *c_parameters(struct spec *spec, const struct layout *layout)
{
	const char *list = uses_context(layout) ?
		spec_printf(spec, ", const struct %s_context *ctx", spec->name) : "";
	const struct param *param;

	for (param = layout->params; param; param = param->next)
		list = spec_printf(spec, "%s, %s %s", list, c_type(param->type), c_param(spec, param));
	return list;
}

/* ---- scalars ---- */

static void test_refinement(struct gen *gen, const struct refinement *refinement)
{
	if (refinement->rule && refinement->test && !refinement->uses_request)
		reject_if(gen, c_false(gen, refinement->test), refinement->rule);
}

static void emit_enum_test(struct gen *gen, const struct field *field, const char *value)
{
	const struct enumerator *one;
	const char *all = NULL;
	u64 lo = UINT64_MAX, hi = 0;
	u32 count = 0;

	for (one = field->type->enumeration->values; one; one = one->next) {
		lo = one->value < lo ? one->value : lo;
		hi = one->value > hi ? one->value : hi;
		count++;
	}
	if (hi - lo == count - 1) {
		if (lo)
			all = spec_printf(gen->spec, "%s < %s", value, c_literal(gen->spec, lo));
		if ((s128)hi < field->range.hi)
			all = spec_printf(gen->spec, "%s%s%s > %s", all ? all : "", all ? " || " : "", value,
					  c_literal(gen->spec, hi));
	} else {
		for (one = field->type->enumeration->values; one; one = one->next)
			all = spec_printf(gen->spec, "%s%s%s != %s", all ? all : "", all ? " && " : "", value,
					  c_literal(gen->spec, one->value));
	}
	if (all)
		reject_if(gen, all, field->enum_rule);
}

/* Whether anything is delivered or checked of a word. */
static bool looks_at_bits(const struct field *field)
{
	const struct refinement *refinement;
	const struct bitpart *bit;

	for (bit = field->type->bits; bit; bit = bit->next) {
		if (!bit->ignored && field->delivered)
			return true;
		for (refinement = bit->refinements; refinement; refinement = refinement->next)
			if (refinement->rule)
				return true;
	}
	return false;
}

static void emit_bits(struct gen *gen, const struct field *field)
{
	const struct refinement *refinement;
	const struct bitpart *bit;
	const char *value;

	if (!looks_at_bits(field))
		return;
	line(gen, "word = %s;", c_load(gen, field->type, c_pointer(gen, 0)));
	*(field->type->width > 4 ? &gen->wide_word : &gen->word) = true;
	for (bit = field->type->bits; bit; bit = bit->next) {
		value = spec_printf(gen->spec, "%s & %s", bit->shift ? spec_printf(gen->spec, "word >> %u", bit->shift) :
				    "word", c_literal(gen->spec, (1ULL << bit->width) - 1));
		if (!bit->ignored && field->delivered)
			line(gen, "m->%s_%s = %s;", field->name, bit->name, value);
		for (refinement = bit->refinements; refinement; refinement = refinement->next)
			test_refinement(gen, refinement);
	}
}

/* The first value too large for a field that addresses memory, as far as it is stated. */
static const char *limit_of(struct gen *gen, const struct field *field)
{
	const struct refinement *refinement;
	struct expr *top, *sum, *one;

	for (refinement = field->refinements; refinement; refinement = refinement->next) {
		top = refinement->kind == R_RANGE ? refinement->b : refinement->kind == R_COMPARE &&
		      (refinement->op == OP_LE || refinement->op == OP_LT) ? refinement->a : NULL;
		if (!top || refinement->uses_request)
			continue;
		if (refinement->kind == R_COMPARE && refinement->op == OP_LT)
			return c_number(gen, top).text;
		one = spec_alloc(gen->spec, sizeof(*one));
		one->kind = E_NUMBER;
		one->number = 1;
		one->range = (struct interval){ 1, 1 };
		sum = spec_alloc(gen->spec, sizeof(*sum));
		sum->kind = E_BINARY;
		sum->op = OP_ADD;
		sum->a = top;
		sum->b = one;
		sum->range = (struct interval){ top->range.lo + 1, top->range.hi + 1 };
		if (sum->range.hi <= U64_TOP)
			return c_number(gen, sum).text;
	}
	return NULL;
}

/* Once accepted, it stays in bounds even where the processor guesses otherwise. */
static void clamp(struct gen *gen, const struct field *field)
{
	const char *limit;

	if (field->role == ROLE_NONE || field->role == ROLE_NUMBER || !field->delivered)
		return;
	limit = limit_of(gen, field);
	if (limit)
		line(gen, "m->%s = wire_index(m->%s, %s);", field->name, field->name, limit);
}

static void emit_scalar(struct gen *gen, const struct field *field)
{
	const struct refinement *refinement;
	const struct flagset *flagset = field->type->flagset;
	const char *load = NULL, *value = NULL;

	if (field->type->kind == T_BITS) {
		emit_bits(gen, field);
		return;
	}
	if (field->delivered || field->enum_rule || field->reserved_rule)
		value = load = c_load(gen, field->type, c_pointer(gen, 0));
	if (field->delivered) {
		value = spec_printf(gen->spec, "m->%s", field->name);
		line(gen, "%s = %s;", value, c_meaning(gen, field->type, load).text);
	}
	if (field->enum_rule)
		emit_enum_test(gen, field, value);
	if (field->reserved_rule)
		reject_if(gen, spec_printf(gen->spec, "%s & %s", value,
					   c_literal(gen->spec, (u64)field->range.hi & ~flagset->mask)),
			  field->reserved_rule);
	for (refinement = field->refinements; refinement; refinement = refinement->next)
		test_refinement(gen, refinement);
	clamp(gen, field);
}

/* ---- structs ---- */

static const char *member(struct gen *gen, const struct field *field)
{
	return spec_printf(gen->spec, "&m->%s", field->name);
}

static const char *check_call(struct gen *gen, const struct type *type, const char *pointer, const char *size,
			      const char *view)
{
	const struct layout *layout = type->layout;
	const char *arguments = c_arguments(gen, layout, type->arguments, type->argument_count);

	if (layout->fixed)
		return spec_printf(gen->spec, "%s_check_%s(%s%s, %s)", gen->spec->name, layout->name, pointer,
				   arguments, view);
	gen->used = true;
	return spec_printf(gen->spec, "%s_check_%s(%s, %s%s, %s, &part)", gen->spec->name, layout->name, pointer,
			   size, arguments, view);
}

static void emit_struct(struct gen *gen, const struct field *field)
{
	struct type *type = field->type;

	pass_on(gen, type->layout, check_call(gen, type, c_pointer(gen, 0), c_rest(gen), member(gen, field)));
	if (!type->layout->fixed && !field->at)
		advance(gen, "part");
}

/* ---- arrays and lists: a function of their own ---- */

static bool walks(const struct spec *spec, const struct type *type)
{
	if (type->kind == T_LIST)
		return true;
	return (type->kind == T_ARRAY || type->kind == T_FILL) && type->element->kind == T_STRUCT &&
	       has_rules(spec, type->element->layout);
}

static const struct type *element_type(const struct type *type)
{
	return type->kind == T_LIST ? type : type->element;
}

/* In an element's function: its arguments come as parameters of the same names. */
static const char *forward(struct spec *spec, const struct layout *layout)
{
	const char *list = uses_context(layout) ? ", ctx" : "";
	const struct param *param;

	for (param = layout->params; param; param = param->next)
		list = spec_printf(spec, "%s, %s", list, c_param(spec, param));
	return list;
}

static const char *walk_name(struct gen *gen, const struct field *field)
{
	return spec_printf(gen->spec, "%s_walk_%s_%s", gen->spec->name, field->layout->name, field->name);
}

/* Elements of fixed size fill their region; others are counted, and tell where they end. */
static bool is_counted(const struct type *type)
{
	return type->kind == T_ARRAY && type->element->fixed_size < 0;
}

static const char *count_type(const struct type *type)
{
	const struct expr *count = type->kind == T_LIST ? type->max : type->count;

	return count->range.hi > UINT32_MAX ? "u64" : "u32";
}

static const char *walk_head(struct gen *gen, const struct field *field)
{
	const struct type *type = field->type;
	const struct layout *element = element_type(type)->layout;
	const char *head = spec_printf(gen->spec, "static int %s(const u8 *msg, u32 size", walk_name(gen, field));

	if (type->kind == T_LIST)
		head = spec_printf(gen->spec, "%s, %s most", head, count_type(type));
	else if (is_counted(type))
		head = spec_printf(gen->spec, "%s, %s count", head, count_type(type));
	if (type->until && expr_uses_context(type->until) && !uses_context(element))
		head = spec_printf(gen->spec, "%s, const struct %s_context *ctx", head, gen->spec->name);
	head = spec_printf(gen->spec, "%s%s", head, c_parameters(gen->spec, element));
	return spec_printf(gen->spec, is_counted(type) ? "%s, u32 *used)" : "%s)", head);
}

/* How the loop goes on after an element was accepted. */
static void emit_step(struct gen *gen, const struct field *field)
{
	const struct type *type = field->type;
	const char *length = element_type(type)->layout->fixed ?
		spec_printf(gen->spec, "%u", (u32)element_type(type)->layout->fixed_size) : "part";
	const char *next;

	if (type->until) {
		gen->view = "element.";
		line(gen, "if (%s)", c_true(gen, type->until));
		line(gen, "\tbreak;");
		gen->view = "m->";
	}
	if (!type->linked) {
		line(gen, "at += %s;", length);
		return;
	}
	next = spec_printf(gen->spec, "element.%s", type->linked);
	line(gen, "if (!%s)", next);
	line(gen, "\tbreak;");
	reject_if(gen, spec_printf(gen->spec, "%s < %s || %s >= size - at", next, length, next), field->link_rule);
	line(gen, "at += %s;", next);
}

static void emit_element(struct gen *gen, const struct field *field)
{
	const struct layout *layout = element_type(field->type)->layout;
	const char *arguments = forward(gen->spec, layout);

	if (layout->fixed)
		line(gen, "rule = %s_check_%s(msg + at%s, &element);", gen->spec->name, layout->name, arguments);
	else
		line(gen, "rule = %s_check_%s(msg + at, size - at%s, &element, &part);", gen->spec->name,
		     layout->name, arguments);
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
}

static void walk_locals(struct gen *gen, const struct field *field)
{
	const struct type *type = field->type;
	const struct layout *element = element_type(type)->layout;

	line(gen, "struct %s_%s element;", gen->spec->name, element->name);
	if (type->kind == T_LIST || is_counted(type))
		line(gen, "%s i;", count_type(type));
	line(gen, "u32 at = 0%s;", is_counted(type) ? ", length = 0" : element->fixed ? "" : ", part = 0");
	line(gen, "int rule;");
	fputc('\n', gen->out);
}

/* Counted elements: so many, each where the one before ended. */
static void walk_counted_loop(struct gen *gen, const struct field *field)
{
	const struct layout *element = element_type(field->type)->layout;

	if (gen->acsl)
		acsl_loop(gen, field);
	line(gen, "for (i = 0; i < count; i++) {");
	gen->indent++;
	line(gen, "rule = %s_check_%s(msg + at, size - at%s, &element, &length);", gen->spec->name,
	     element->name, forward(gen->spec, element));
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
	line(gen, "at += length;");
	gen->indent--;
	line(gen, "}");
	line(gen, "*used = at;");
}

static void walk_region_loop(struct gen *gen, const struct field *field)
{
	bool limited = field->type->kind == T_LIST;

	if (gen->acsl)
		acsl_loop(gen, field);
	line(gen, limited ? "for (i = 0; at < size; i++) {" : "while (at < size) {");
	gen->indent++;
	if (limited)
		reject_if(gen, "i >= most", field->max_rule);
	if (limited && field->whole_rule)
		reject_if(gen, spec_printf(gen->spec, "size - at < %u", (u32)field->type->layout->fixed_size),
			  field->whole_rule);
	emit_element(gen, field);
	emit_step(gen, field);
	gen->indent--;
	line(gen, "}");
}

static void emit_walk(struct gen *gen, const struct field *field)
{
	u32 indent = gen->indent;

	gen->indent = 0;
	fputc('\n', gen->out);
	if (gen->acsl)
		acsl_walk(gen, field);
	line(gen, "/* The elements of %s in %s: %s:%u */", field->name, field->layout->name, file_name(gen->spec),
	     field->loc.line);
	line(gen, "%s", walk_head(gen, field));
	line(gen, "{");
	gen->indent = 1;
	walk_locals(gen, field);
	if (is_counted(field->type))
		walk_counted_loop(gen, field);
	else
		walk_region_loop(gen, field);
	line(gen, "return 0;");
	gen->indent = 0;
	line(gen, "}");
	gen->indent = indent;
}

static void emit_walks(struct gen *gen, struct item *items)
{
	struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_FIELD && walks(gen->spec, item->field->type))
			emit_walk(gen, item->field);
		emit_walks(gen, item->then);
		emit_walks(gen, item->otherwise);
	}
}

static void call_walk(struct gen *gen, const struct field *field, const char *pointer, const char *size)
{
	const struct type *type = field->type, *element = element_type(type);
	const char *count = type->kind == T_LIST ? c_number(gen, type->max).text :
			    is_counted(type) ? c_number(gen, type->count).text : NULL;
	bool context = type->until && expr_uses_context(type->until) && !uses_context(element->layout);
	const char *call = spec_printf(gen->spec, "%s(%s, %s%s%s%s%s", walk_name(gen, field), pointer, size,
				       count ? ", " : "", count ? count : "", context ? ", ctx" : "",
				       c_arguments(gen, element->layout, element->arguments, element->argument_count));

	gen->rule = true;
	gen->used |= is_counted(type);
	line(gen, is_counted(type) ? "rule = %s, &part);" : "rule = %s);", call);
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
}

/* ---- regions ---- */

/* The bytes a field covers, as an expression, or NULL: only its elements tell. */
static struct expr *bytes_of(struct gen *gen, const struct field *field)
{
	struct type *type = field->type;

	switch (type->kind) {
	case T_BYTES:
	case T_STRING:
		return type->count;
	case T_ARRAY:
		return type->element->fixed_size < 0 ? NULL : times(gen, type->count, type->element->fixed_size);
	default:
		return type->bytes;
	}
}

static void emit_text(struct gen *gen, const struct field *field, const char *pointer, const char *bytes)
{
	const char *how = spec_printf(gen->spec, "wire_%s(%s, %s, %s)", !field->type->utf16 ? "ascii" : gen->spec->big ?
				      "utf16be" : "utf16", pointer, bytes, field->type->terminated ? "true" : "false");

	reject_if(gen, spec_printf(gen->spec, "!%s", how), field->text_rule);
}

/* A region whose length is known: contained, then looked at. */
static void emit_contents(struct gen *gen, const struct field *field, const char *pointer, const char *bytes)
{
	const struct type *type = field->type;

	if (field->whole_rule && type->kind == T_FILL)
		reject_if(gen, spec_printf(gen->spec, "%s %% %u", bytes, (u32)type->element->fixed_size),
			  field->whole_rule);
	if (field->text_rule)
		emit_text(gen, field, pointer, bytes);
	if (walks(gen->spec, type))
		call_walk(gen, field, pointer, bytes);
	set_slice(gen, field, pointer, bytes);
}

static const char *narrow_text(struct gen *gen, const struct expr *expr, const char *text)
{
	return expr->range.hi > UINT32_MAX ? spec_printf(gen->spec, "(u32)%s", text) : text;
}

static void emit_counted_structs(struct gen *gen, const struct field *field)
{
	const char *pointer = c_pointer(gen, 0);

	call_walk(gen, field, pointer, c_rest(gen));
	set_slice(gen, field, pointer, "part");
	if (!field->at)
		advance(gen, "part");
}

static void emit_region(struct gen *gen, const struct field *field)
{
	struct expr *bytes = bytes_of(gen, field);
	const char *name;

	if (!bytes) {
		emit_counted_structs(gen, field);
		return;
	}
	if (field->type->fixed_size >= 0) {
		emit_contents(gen, field, c_pointer(gen, 0), spec_printf(gen->spec, "%u", (u32)field->type->fixed_size));
		return;
	}
	if (field->type->kind == T_BYTES && bytes->kind == E_REMAINING && !field->delivered) {
		line(gen, "at = size;");
		gen->at = gen->dynamic = true;
		gen->base = 0;
		gen->absolute = -1;
		return;
	}
	name = hold_bytes(gen, bytes);
	if (field->bounds_rule)
		reject_if(gen, spec_printf(gen->spec, "%s > %s", name, c_rest(gen)), field->bounds_rule);
	name = narrow_text(gen, bytes, name);
	emit_contents(gen, field, c_pointer(gen, 0), name);
	advance(gen, name);
}

/* Out of line: inside of the message or struct. What cannot fail is not asked. */
static void reject_beyond(struct gen *gen, const struct field *field, const char *from, const char *bytes)
{
	const char *start = field->at->range.hi ? spec_printf(gen->spec, "%s > size", from) : NULL;
	const char *rest = bytes ? spec_printf(gen->spec, "%s > size - %s", bytes, from) : NULL;

	if (start || rest)
		reject_if(gen, spec_printf(gen->spec, "%s%s%s", start ? start : "", start && rest ? " || " : "",
					   rest ? rest : ""), field->bounds_rule);
}

static void finish_region_at(struct gen *gen, const struct field *field, const char *from)
{
	struct expr *bytes = bytes_of(gen, field);
	const char *name, *pointer = spec_printf(gen->spec, "msg + %s", from);

	name = field->type->fixed_size >= 0 ? spec_printf(gen->spec, "%u", (u32)field->type->fixed_size) :
	       hold_bytes(gen, bytes);
	reject_beyond(gen, field, from, name);
	if (field->type->fixed_size < 0)
		name = narrow_text(gen, bytes, name);
	emit_contents(gen, field, pointer, name);
}

/* ---- unions ---- */

static void emit_arm(struct gen *gen, const struct field *field, const struct arm *arm, const char *region)
{
	struct type *type = arm->type;
	const char *bytes, *name;

	if (type->kind == T_STRUCT && !type->layout->fixed) {
		pass_on(gen, type->layout, check_call(gen, type, c_pointer(gen, 0), region,
						      spec_printf(gen->spec, "&m->%s.%s", field->name, arm->name)));
		return;
	}
	bytes = type->kind == T_BYTES && type->fixed_size < 0 ?
		hold(gen, type->count, "from", "wide_from", &gen->from, &gen->wide_from) :
		spec_printf(gen->spec, "%u", (u32)type->fixed_size);
	if (type->fixed_size)
		reject_if(gen, spec_printf(gen->spec, "%s < %s", region, bytes), field->bounds_rule);
	name = spec_printf(gen->spec, "m->%s.%s", field->name, arm->name);
	if (type->kind == T_STRUCT)
		pass_on(gen, type->layout, check_call(gen, type, c_pointer(gen, 0), region,
						      spec_printf(gen->spec, "&%s", name)));
	else if (type->kind == T_INT && field->delivered)
		line(gen, "%s = %s;", name, c_load(gen, type, c_pointer(gen, 0)));
	else if (field->delivered)
		line(gen, "%s = (struct wire_slice){ %s, %s };", name, c_pointer(gen, 0), bytes);
	gen->used = true;
	line(gen, "part = %s;", bytes);
}

static void emit_arms(struct gen *gen, const struct field *field, const char *region)
{
	const struct type *type = field->type;
	const char *tag = c_number(gen, type->tag).text;
	const struct enumeration *enumeration = type->tag->ref.field ? type->tag->ref.field->type->enumeration :
						type->tag->ref.param ? NULL : type->tag->ref.context->type->enumeration;
	const struct arm *arm;

	line(gen, "switch (%s) {", tag);
	for (arm = type->arms; arm; arm = arm->next) {
		line(gen, "case %s_%s_%s:", gen->P, upper(gen->spec, enumeration->name), upper(gen->spec, arm->name));
		gen->indent++;
		emit_arm(gen, field, arm, region);
		line(gen, "break;");
		gen->indent--;
	}
	line(gen, "default:");
	gen->indent++;
	gen->used = true;
	if (field->tag_rule)
		line(gen, "return %s;\t/* %s:%u */", c_rule(gen->spec, field->tag_rule), file_name(gen->spec),
		     field->tag_rule->loc.line);
	else
		line(gen, "part = %s;", type->bytes ? region : "0");
	gen->indent--;
	line(gen, "}");
}

static void emit_union(struct gen *gen, const struct field *field)
{
	struct expr *bytes = field->type->bytes;
	const char *region = c_rest(gen);

	if (bytes) {
		region = hold_bytes(gen, bytes);
		if (bytes->kind != E_REMAINING)
			reject_if(gen, spec_printf(gen->spec, "%s > %s", region, c_rest(gen)), field->bounds_rule);
		region = narrow_text(gen, bytes, region);
	}
	emit_arms(gen, field, region);
	if (field->filled_rule)
		reject_if(gen, spec_printf(gen->spec, "part != %s", region), field->filled_rule);
	advance(gen, "part");
}

/* ---- fields ---- */

static void emit_run(struct gen *gen, const struct field *field)
{
	const char *test;

	if (!field->run_bytes && !field->run_exact)
		return;
	if (field->run_exact)
		test = spec_printf(gen->spec, "size != %u", field->run_bytes);
	else
		test = spec_printf(gen->spec, "%s < %u", c_rest(gen), field->run_bytes);
	reject_if(gen, test, field->run_rule);
}

static void emit_no_overlap(struct gen *gen, const struct field *field)
{
	const struct refinement *refinement;

	for (refinement = field->refinements; refinement; refinement = refinement->next) {
		if (refinement->kind != R_NO_OVERLAP)
			continue;
		reject_if(gen, spec_printf(gen->spec, "wire_overlap(&m->%s, &m->%s)", field->name,
					   refinement->other->name), refinement->rule);
	}
}

/* Those whose contents are looked at from "at" on. */
static bool restores(const struct field *field)
{
	const struct type *type = field->type;

	return is_scalar(type) || type->kind == T_STRUCT || type->kind == T_UNION ||
	       (type->kind == T_ARRAY && type->element->fixed_size < 0);
}

/* A field out of line: the cursor stays. */
static void emit_field_at(struct gen *gen, const struct field *field)
{
	const char *from = hold(gen, field->at, "from", "wide_from", &gen->from, &gen->wide_from);
	const struct type *type = field->type;

	if (!restores(field) && type->kind != T_GUID) {
		finish_region_at(gen, field, from);
		return;
	}
	reject_beyond(gen, field, from, type->fixed_size < 0 ? NULL :
		      spec_printf(gen->spec, "%u", (u32)type->fixed_size));
	if (type->kind == T_GUID) {
		set_slice(gen, field, spec_printf(gen->spec, "msg + %s", from), "16");
		return;
	}
	line(gen, "at = %s;", narrow_text(gen, field->at, from));
	gen->at = gen->dynamic = true;
	gen->base = 0;
	gen->absolute = -1;
	if (is_scalar(type))
		emit_scalar(gen, field);
	else if (type->kind == T_STRUCT)
		emit_struct(gen, field);
	else if (type->kind == T_UNION)
		emit_union(gen, field);
	else
		emit_counted_structs(gen, field);
}

static void emit_inline(struct gen *gen, const struct field *field)
{
	const struct type *type = field->type;

	if (is_scalar(type))
		emit_scalar(gen, field);
	else if (type->kind == T_STRUCT)
		emit_struct(gen, field);
	else if (type->kind == T_UNION)
		emit_union(gen, field);
	else if (type->kind == T_GUID)
		set_slice(gen, field, c_pointer(gen, 0), "16");
	else
		emit_region(gen, field);
	if (type->fixed_size >= 0)
		gen->base += (u32)type->fixed_size;
}

static void emit_field(struct gen *gen, const struct field *field)
{
	emit_run(gen, field);
	if (!field->at) {
		emit_inline(gen, field);
	} else if (restores(field)) {
		/* "at" is borrowed; what it stood for must be known without it */
		u32 base = gen->base;
		bool dynamic = gen->dynamic;
		s128 absolute = gen->absolute;

		if (dynamic && absolute < 0)
			line(gen, "end = %s;", c_place(gen, 0));
		emit_field_at(gen, field);
		gen->base = dynamic && absolute < 0 ? 0 : base;
		gen->dynamic = dynamic;
		gen->absolute = absolute;
		if (dynamic && absolute < 0) {
			gen->end = true;
			line(gen, "at = end;");
		} else if (dynamic) {
			line(gen, "at = %u;", (u32)absolute);
		}
	} else {
		emit_field_at(gen, field);
	}
	emit_no_overlap(gen, field);
	if (field->is_header && gen->layout->when_rule)
		reject_if(gen, c_false(gen, gen->layout->when), gen->layout->when_rule);
}

/* ---- other items ---- */

static void emit_extent(struct gen *gen, const struct item *item)
{
	const char *place = c_place(gen, 0), *test;
	bool low = gen->dynamic ? true : item->expr->range.lo < gen->base;
	const char *value = hold_bytes(gen, item->expr);

	test = spec_printf(gen->spec, "%s > size", value);
	if (low)
		test = spec_printf(gen->spec, "%s < %s || %s", value, place, test);
	reject_if(gen, test, item->rule);
	line(gen, "size = %s;", narrow_text(gen, item->expr, value));
}

static void emit_branch(struct gen *gen, struct item *items)
{
	struct gen before = *gen;

	gen->indent++;
	emit_items(gen, items);
	if (gen->dynamic && gen->base != before.base && !gen->steady)
		settle(gen);
	gen->indent--;
	gen->base = before.base;
	gen->dynamic = before.dynamic;
	gen->absolute = before.absolute;
}

static bool moves(const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next)
		if ((item->kind == I_FIELD && !item->field->at) || moves(item->then) || moves(item->otherwise))
			return true;
	return false;
}

/* How many bytes items take, -1 if it varies. */
static s128 size_of_items(const struct item *items)
{
	const struct item *item;
	s128 total = 0, then;

	for (item = items; item; item = item->next) {
		if (item->kind == I_FIELD && !item->field->at) {
			if (item->field->type->fixed_size < 0)
				return -1;
			total += item->field->type->fixed_size;
		}
		if (item->kind != I_WHEN)
			continue;
		then = size_of_items(item->then);
		if (then < 0 || then != size_of_items(item->otherwise))
			return -1;
		total += then;
	}
	return total;
}

static void emit_branches(struct gen *gen, const struct item *item)
{
	line(gen, "if (%s) {", c_true(gen, item->expr));
	emit_branch(gen, item->then);
	if (item->otherwise) {
		line(gen, "} else {");
		emit_branch(gen, item->otherwise);
	}
	line(gen, "}");
}

/* Where both ways are of one length the place behind them is known; else "at" keeps it. */
static void emit_when(struct gen *gen, const struct item *item)
{
	bool moving = moves(item->then) || moves(item->otherwise);
	s128 length = size_of_items(item->then);

	if (length >= 0 && length == size_of_items(item->otherwise)) {
		gen->steady++;
		emit_branches(gen, item);
		gen->steady--;
		gen->base += (u32)length;
		return;
	}
	if (moving)
		settle(gen);
	emit_branches(gen, item);
	if (moving)
		gen->absolute = -1;
}

static void emit_items(struct gen *gen, struct item *items)
{
	struct item *item;

	for (item = items; item; item = item->next) {
		switch (item->kind) {
		case I_FIELD:
			emit_field(gen, item->field);
			break;
		case I_RULE:
			if (!item->expr->uses_request)
				reject_if(gen, c_false(gen, item->expr), item->rule);
			break;
		case I_LET:
			line(gen, "m->%s = %s;", item->name, c_number(gen, item->expr).text);
			break;
		case I_EXTENT:
			emit_extent(gen, item);
			break;
		case I_WHEN:
			emit_when(gen, item);
			break;
		default:
			break;
		}
	}
}

/* ---- whole functions ---- */

static bool is_sized(const struct layout *layout)
{
	return layout->kind != L_HEADER && !(layout->kind == L_STRUCT && layout->fixed);
}

static const char *check_head(struct spec *spec, const struct layout *layout)
{
	bool sized = is_sized(layout);
	const char *head = spec_printf(spec, "int %s_check_%s(const u8 *msg%s%s, struct %s_%s *m%s)", spec->name,
				       layout->name, sized ? ", u32 size" : "", c_parameters(spec, layout), spec->name,
				       layout->name, sized && layout->kind == L_STRUCT ? ", u32 *used" : "");

	return head;
}

/* Members that only some messages have are zero in the others. */
static void clear_conditional(struct gen *gen, const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_WHEN && has_members(gen->layout->items)) {
			line(gen, "*m = (struct %s_%s){ 0 };", gen->spec->name, gen->layout->name);
			return;
		}
	}
}

static void emit_locals(const struct gen *gen, FILE *out)
{
	if (gen->wide_bytes)
		fputs("\tu64 wide_bytes;\n", out);
	if (gen->wide_from)
		fputs("\tu64 wide_from;\n", out);
	if (gen->wide_word)
		fputs("\tu64 word;\n", out);
	if (gen->word && !gen->wide_word)
		fputs("\tu32 word;\n", out);
	if (gen->bytes)
		fputs("\tu32 bytes;\n", out);
	if (gen->from)
		fputs("\tu32 from;\n", out);
	if (gen->at && gen->at_read)
		fputs("\tu32 at;\n", out);
	if (gen->end)
		fputs("\tu32 end;\n", out);
	if (gen->used)
		fputs("\tu32 part = 0;\n", out);	/* compilers cannot tell that it is set before it is used */
	if (gen->rule)
		fputs("\tint rule;\n", out);
	if (gen->wide_bytes || gen->wide_from || gen->wide_word || gen->word || gen->bytes || gen->from ||
	    (gen->at && gen->at_read) || gen->end || gen->used || gen->rule)
		fputc('\n', out);
}

static void emit_ending(struct gen *gen)
{
	struct layout *layout = gen->layout;

	if (layout->trailing_rule)
		reject_if(gen, spec_printf(gen->spec, "size != %s", c_place(gen, 0)), layout->trailing_rule);
	if (layout->kind == L_STRUCT && !layout->fixed)
		line(gen, "*used = %s;", layout->has_extent ? "size" : c_place(gen, 0));
	line(gen, "return 0;");
}

static void emit_check(struct gen *gen, struct layout *layout)
{
	FILE *out = gen->out;
	char *body = NULL;
	size_t length = 0;

	*gen = (struct gen){ .spec = gen->spec, .P = gen->P, .out = out, .acsl = gen->acsl, .layout = layout,
			     .view = "m->", .absolute = -1 };
	emit_walks(gen, layout->items);
	gen->out = open_memstream(&body, &length);
	if (!gen->out)
		abort();
	gen->indent = 1;
	clear_conditional(gen, layout->items);
	emit_items(gen, layout->items);
	emit_ending(gen);
	fclose(gen->out);
	gen->out = out;
	gen->indent = 0;
	fputc('\n', out);
	if (gen->acsl)
		acsl_contract(gen, layout);
	line(gen, "/* %s:%u */", file_name(gen->spec), layout->loc.line);
	line(gen, "%s", check_head(gen->spec, layout));
	line(gen, "{");
	emit_locals(gen, out);
	emit_unused(out, body, "msg");
	emit_unused(out, body, "m");
	if (is_sized(layout))
		emit_unused(out, body, "size");
	emit_unused_parameters(gen, out, body);
	emit_body(gen, out, body);
	line(gen, "}");
	free(body);
}

/* Structs come before those who use them. */
static void emit_in_order(struct gen *gen, struct layout *layout, bool *done);

static void emit_parts(struct gen *gen, const struct type *type, bool *done)
{
	const struct arm *arm;

	if (!type)
		return;
	if (type->layout && type->layout->kind == L_STRUCT)
		emit_in_order(gen, type->layout, done);
	emit_parts(gen, type->element, done);
	for (arm = type->arms; arm; arm = arm->next)
		emit_parts(gen, arm->type, done);
}

static void emit_items_parts(struct gen *gen, const struct item *items, bool *done)
{
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_FIELD)
			emit_parts(gen, item->field->type, done);
		emit_items_parts(gen, item->then, done);
		emit_items_parts(gen, item->otherwise, done);
	}
}

static u32 index_of(const struct spec *spec, const struct layout *layout)
{
	const struct layout *one;
	u32 index = 0;

	for (one = spec->layouts; one != layout; one = one->next)
		index++;
	return index;
}

static void emit_in_order(struct gen *gen, struct layout *layout, bool *done)
{
	u32 index = index_of(gen->spec, layout);

	if (done[index])
		return;
	done[index] = true;
	emit_items_parts(gen, layout->items, done);
	if (layout->direction != REFUSED && (layout->kind != L_STRUCT || layout->used))
		emit_check(gen, layout);
}

void emit_checks(struct spec *spec, FILE *out, bool acsl)
{
	struct gen gen = { .spec = spec, .P = upper(spec, spec->name), .out = out, .acsl = acsl };
	struct layout *layout;
	bool *done;
	u32 count = 0;

	for (layout = spec->layouts; layout; layout = layout->next)
		count++;
	done = spec_alloc(spec, count + 1);
	if (spec->header)
		emit_check(&gen, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		emit_in_order(&gen, layout, done);
}

void emit_check_prototypes(struct spec *spec, FILE *out)
{
	const struct layout *layout;

	if (spec->header)
		emit_prototype(spec, out, check_head(spec, spec->header), has_rules(spec, spec->header));
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->direction != REFUSED && (layout->kind != L_STRUCT || layout->used))
			emit_prototype(spec, out, check_head(spec, layout), has_rules(spec, layout));
}
