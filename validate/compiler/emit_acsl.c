/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The annotated C: contracts, loop invariants and assertions around the very same code.
 * Whoever strips the comments that start with an at-sign is left with the plain file.
 * Lists are formulas that call themselves: the elements from here on are acceptable.
 */
#include <string.h>

#include "emit_acsl.h"

static struct acsl fresh(struct gen *gen, const char *base, const char *size)
{
	return (struct acsl){ .spec = gen->spec, .base = base, .size = size };
}

static const char *or_true(const char *formula)
{
	return formula ? formula : "\\true";
}

static bool is_sized(const struct layout *layout)
{
	return !(layout->kind == L_HEADER || (layout->kind == L_STRUCT && layout->fixed));
}

static bool tells_length(const struct layout *layout)
{
	return layout->kind == L_STRUCT && !layout->fixed;
}

/* A definition: its head, and its formula indented. */
static void define(struct gen *gen, const char *head, const char *formula)
{
	line(gen, "/*@ %s =", head);
	gen->indent = 1;
	line(gen, "%s;", formula);
	gen->indent = 0;
	line(gen, " */");
}

/* ---- what is assumed of context and parameters ---- */

static u64 top_of(const struct type *type)
{
	return type->width < 8 ? (1ULL << type->width * 8) - 1 : UINT64_MAX;
}

/* "lo <= name <= hi", or NULL if the type says as much. */
static const char *range_of(struct gen *gen, const char *name, const struct type *type, struct interval range)
{
	if (range.lo <= 0 && range.hi >= (s128)top_of(type))
		return NULL;
	return spec_printf(gen->spec, "%llu <= %s <= %llu", (unsigned long long)range.lo, name,
			   (unsigned long long)range.hi);
}

void acsl_prologue(struct gen *gen)
{
	const struct context_value *value;
	const char *range, *all = NULL;

	for (value = gen->spec->context; value; value = value->next) {
		range = range_of(gen, spec_printf(gen->spec, "ctx->%s", value->name), value->type, value->range);
		if (range)
			all = all ? spec_printf(gen->spec, "%s &&\n%s", all, range) : range;
	}
	if (gen->spec->context)
		define(gen, spec_printf(gen->spec, "predicate %s_context_ok(struct %s_context *ctx)", gen->spec->name,
					gen->spec->name), or_true(all));
}

static void require_extra(struct gen *gen, const struct layout *layout, bool context)
{
	const struct param *param;
	const char *range;

	if (context)
		line(gen, "    requires \\valid_read(ctx) && %s_context_ok(ctx);", gen->spec->name);
	for (param = layout->params; param; param = param->next) {
		range = range_of(gen, c_param(gen->spec, param), param->type, param->range);
		if (range)
			line(gen, "    requires %s;", range);
	}
}

/* ---- check functions ---- */

static const char *span(struct gen *gen, const struct layout *layout)
{
	if (is_sized(layout))
		return "msg + (0 .. size - 1)";
	return spec_printf(gen->spec, "msg + (0 .. %lld)", (long long)layout->fixed_size - 1);
}

static void write_predicate(struct gen *gen, const struct layout *layout, const struct acsl *a)
{
	const char *list = spec_printf(gen->spec, "(u8 *msg%s%s)", is_sized(layout) ? ", integer size" : "",
				       acsl_extra(gen->spec, layout, uses_context(layout), true));

	define(gen, spec_printf(gen->spec, "predicate %s_%s_ok%s", gen->spec->name, layout->name, list), or_true(a->rules));
	if (tells_length(layout))
		define(gen, spec_printf(gen->spec, "logic integer %s_%s_length%s", gen->spec->name, layout->name, list),
		       a->at);
}

static const char *holds(struct gen *gen, const struct layout *layout, const char *size)
{
	return spec_printf(gen->spec, "%s_%s_ok(msg%s%s)", gen->spec->name, layout->name, is_sized(layout) ? size : "",
			   acsl_extra(gen->spec, layout, uses_context(layout), false));
}

static void write_contract(struct gen *gen, const struct layout *layout, const struct acsl *a)
{
	const char *used = tells_length(layout) ? ", used" : "";

	line(gen, "/*@ requires \\valid_read(%s) && \\valid(m)%s;", span(gen, layout), *used ? " && \\valid(used)" : "");
	require_extra(gen, layout, uses_context(layout));
	line(gen, "    requires \\separated(m, msg + (..)%s%s);", uses_context(layout) ? ", ctx + (..)" : "", used);
	line(gen, "    terminates \\true;\n    assigns *m%s;", *used ? ", *used" : "");
	line(gen, "    ensures \\result == 0 <==> %s;", holds(gen, layout, ", size"));
	if (*used)
		line(gen, "    ensures \\result == 0 ==> *used == %s_%s_length(msg, size%s) && %lld <= *used <= size;",
		     gen->spec->name, layout->name, acsl_extra(gen->spec, layout, uses_context(layout), false),
		     (long long)layout->least_size);
	if (a->facts) {
		line(gen, "    ensures \\result == 0 ==>");
		gen->indent = 1;
		line(gen, "(%s);", a->facts);
		gen->indent = 0;
	}
	line(gen, " */");
}

/* ---- dispatch ---- */

/* The first message whose "when" holds is the one meant. */
static const char *write_choice(struct gen *gen, struct acsl *a, bool *context)
{
	const char *choice = "", *ending = "\\false";
	const struct layout *layout;

	for (layout = gen->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_MESSAGE || layout->direction == TO_HOST)
			continue;
		*context |= uses_context(layout);
		choice = spec_printf(gen->spec, "%s%s ? %s :\n", choice, layout->when ? acsl_truth(a, layout->when) :
				     "\\true", layout->direction == REFUSED ? "\\false" :
				     holds(gen, layout, ", size"));
	}
	return spec_printf(gen->spec, "(%s%s)", choice, ending);
}

static void receive_contract(struct gen *gen)
{
	const struct layout *header = gen->spec->header;
	struct acsl a = fresh(gen, "msg", "size");
	bool context = uses_context(header);
	const char *choice, *extra;

	choice = write_choice(gen, &a, &context);
	extra = context ? spec_printf(gen->spec, ", struct %s_context *ctx", gen->spec->name) : "";
	define(gen, spec_printf(gen->spec, "predicate %s_receive_ok(u8 *msg, integer size%s)", gen->spec->name, extra),
	       spec_printf(gen->spec, "%lld <= size && %s && %s", (long long)header->fixed_size, holds(gen, header, ""),
			   choice));
	line(gen, "/*@ requires \\valid_read(msg + (0 .. size - 1)) && \\valid(m);");
	if (context)
		line(gen, "    requires \\valid_read(ctx) && %s_context_ok(ctx);", gen->spec->name);
	line(gen, "    requires \\separated(m, msg + (..)%s);", context ? ", ctx + (..)" : "");
	line(gen, "    terminates \\true;\n    assigns *m;");
	line(gen, "    ensures \\result == 0 <==> %s_receive_ok(msg, size%s);\n */", gen->spec->name, context ? ", ctx" : "");
}

void acsl_contract(struct gen *gen, const struct layout *layout)
{
	struct acsl a = fresh(gen, "msg", "size");

	if (!layout) {
		receive_contract(gen);
		return;
	}
	acsl_describe(&a, layout);
	write_predicate(gen, layout, &a);
	write_contract(gen, layout, &a);
}

/*
 * Each way out says what it means, so that each is a proof of its own. What lists ask for is
 * said apart, lest a prover tries to follow a formula that calls itself.
 */
void acsl_return(struct gen *gen, u32 indent, bool accepts)
{
	const char *size = gen->layout->has_extent ? "\\at(size, Pre)" : "size";
	struct acsl a = fresh(gen, "msg", size);

	gen->indent = indent;
	acsl_describe(&a, gen->layout);
	if (accepts && a.lists)
		line(gen, "/*@ assert\n%s; */", a.lists);
	line(gen, "/*@ assert %s%s; */", accepts ? "" : "!", holds(gen, gen->layout, spec_printf(gen->spec, ", %s", size)));
	gen->indent = 0;
}

/* ---- lists and arrays ---- */

struct walk {
	const struct type *type;
	const struct layout *element;
	const char *name;
	const char *most;		/* "most", "count" or NULL */
	bool context;
	bool fits;			/* each element is asked whether it fits */
	const char *extra;
	const char *length;		/* of the element at "at" */
};

static struct walk walk_of(struct gen *gen, const struct field *field)
{
	const struct acsl a = fresh(gen, "msg", "size");
	const struct type *type = field->type;
	const struct layout *element = type->kind == T_LIST ? type->layout : type->element->layout;
	struct walk walk = { .type = type, .element = element, .name = acsl_walk_name(&a, field) };

	walk.fits = type->kind == T_LIST && field->whole_rule;
	walk.most = type->kind == T_LIST ? "most" : acsl_counted(type) ? "count" : NULL;
	walk.context = acsl_walk_uses_context(type);
	walk.extra = acsl_extra(gen->spec, element, walk.context, false);
	walk.length = element->fixed ? spec_printf(gen->spec, "%lld", (long long)element->fixed_size) :
		      spec_printf(gen->spec, "%s_%s_length(msg + at, size - at%s)", gen->spec->name, element->name,
				  acsl_extra(gen->spec, element, uses_context(element), false));
	return walk;
}

/* The call of a formula about the elements from "at" on. */
static const char *from(struct gen *gen, const struct walk *walk, const char *kind, const char *at, const char *i)
{
	const char *most = walk->most ? spec_printf(gen->spec, ", %s, %s", i, walk->most) : "";

	return spec_printf(gen->spec, "%s_%s(msg, %s, size%s%s)", walk->name, kind, at, most, walk->extra);
}

static const char *declared(struct gen *gen, const struct walk *walk, const char *what, const char *kind)
{
	const char *most = walk->most ? spec_printf(gen->spec, ", integer i, integer %s", walk->most) : "";

	return spec_printf(gen->spec, "%s %s_%s(u8 *msg, integer at, integer size%s%s)", what, walk->name, kind, most,
			   acsl_extra(gen->spec, walk->element, walk->context, true));
}

/* What must hold from one element on. */
static const char *onward(struct gen *gen, const struct walk *walk)
{
	struct acsl element = fresh(gen, "msg + at", "(size - at)");
	const char *rest = from(gen, walk, "from", spec_printf(gen->spec, "at + %s", walk->length), "i + 1"), *link;

	if (walk->type->until || walk->type->linked)
		acsl_describe(&element, walk->element);
	if (walk->type->linked) {
		link = acsl_field(&element, &walk->type->link);
		/* nothing follows at the end of the region: easier for provers than a second "or" */
		rest = spec_printf(gen->spec, "(%s == 0 || %s <= %s < size - at) &&\n%s", link, walk->length, link,
				   from(gen, walk, "from", spec_printf(gen->spec, "%s == 0 ? size : at + %s", link, link),
					"i + 1"));
	}
	if (walk->type->until)
		rest = spec_printf(gen->spec, "(%s || %s)", acsl_truth(&element, walk->type->until), rest);
	return rest;
}

static void write_walk_logic(struct gen *gen, const struct walk *walk)
{
	const char *element = spec_printf(gen->spec, "%s_%s_ok(msg + at%s%s)", gen->spec->name, walk->element->name,
					  walk->element->fixed ? "" : ", size - at",
					  acsl_extra(gen->spec, walk->element, uses_context(walk->element), false));

	if (walk->fits)
		element = spec_printf(gen->spec, "%s <= size - at && %s", walk->length, element);
	if (walk->type->kind == T_LIST)
		element = spec_printf(gen->spec, "i < most && %s", element);
	define(gen, declared(gen, walk, "predicate", "from"),
	       spec_printf(gen->spec, "%s ||\n(%s &&\n%s)", acsl_counted(walk->type) ? "i >= count" : "at >= size", element,
			   onward(gen, walk)));
	if (acsl_counted(walk->type))
		define(gen, declared(gen, walk, "logic integer", "end"),
		       spec_printf(gen->spec, "i >= count ? at : %s",
				   from(gen, walk, "end", spec_printf(gen->spec, "at + %s", walk->length), "i + 1")));
}

void acsl_walk(struct gen *gen, const struct field *field)
{
	const struct walk walk = walk_of(gen, field);
	const bool counted = acsl_counted(walk.type), context = walk.context;

	write_walk_logic(gen, &walk);
	line(gen, "/*@ requires \\valid_read(msg + (0 .. size - 1))%s;", counted ? " && \\valid(used)" : "");
	if (!walk.most)
		line(gen, "    requires size %% %s == 0;", walk.length);
	require_extra(gen, walk.element, walk.context);
	if (counted || context)
		line(gen, "    requires \\separated(msg + (..)%s%s);", context ? ", ctx + (..)" : "",
		     counted ? ", used" : "");
	line(gen, "    terminates \\true;\n    assigns %s;", counted ? "*used" : "\\nothing");
	line(gen, "    ensures \\result == 0 <==> %s;", from(gen, &walk, "from", "0", "0"));
	if (counted)
		line(gen, "    ensures \\result == 0 ==> *used == %s && *used <= size;", from(gen, &walk, "end", "0", "0"));
	line(gen, " */");
}

void acsl_loop(struct gen *gen, const struct field *field)
{
	const struct walk walk = walk_of(gen, field);
	const bool counted = acsl_counted(walk.type);

	line(gen, "/*@ loop invariant at <= size%s;",
	     !walk.most ? spec_printf(gen->spec, " && at %% %s == 0", walk.length) : counted ? " && i <= count" : "");
	line(gen, "    loop invariant\n\t%s <==>\n\t%s;", from(gen, &walk, "from", "0", "0"),
	     from(gen, &walk, "from", "at", "i"));
	if (counted)
		line(gen, "    loop invariant\n\t%s ==\n\t%s;", from(gen, &walk, "end", "0", "0"),
		     from(gen, &walk, "end", "at", "i"));
	line(gen, "    loop assigns at, rule, element%s%s;", walk.most ? ", i" : "", walk.element->fixed ? "" :
	     counted ? ", length" : ", part");
	line(gen, "    loop variant %s;\n */", counted ? "count - i" : "size - at");
}
