/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A layout as a formula of ACSL: when its bytes are acceptable, and what its view then says.
 * Read from the specification alone, over whole numbers without limit; that the C
 * means the same is for the provers to find out, so nothing here may look at the C.
 */
#include <string.h>

#include "emit_acsl.h"

static void describe_items(struct acsl *a, const struct layout *layout, const struct item *items);

/* ---- pieces ---- */

static const char *both(struct spec *spec, const char *a, const char *b)
{
	return a && b ? spec_printf(spec, "%s &&\n%s", a, b) : a ? a : b;
}

static void require(struct acsl *a, const char *rule)
{
	a->rules = both(a->spec, a->rules, rule);
}

static void know(struct acsl *a, const char *fact)
{
	a->facts = both(a->spec, a->facts, fact);
}

static const char *number(struct spec *spec, u64 value)
{
	return spec_printf(spec, value < 10000 ? "%llu" : "0x%llx", (unsigned long long)value);
}

static const char *position(const struct acsl *a)
{
	if (!a->at)
		return number(a->spec, a->more);
	return a->more ? spec_printf(a->spec, "(%s + %llu)", a->at, (unsigned long long)a->more) : a->at;
}

static const char *pointer(const struct acsl *a, const char *at)
{
	return strcmp(at, "0") ? spec_printf(a->spec, "%s + %s", a->base, at) : a->base;
}

static const char *rest(const struct acsl *a)
{
	return a->at || a->more ? spec_printf(a->spec, "(%s - %s)", a->size, position(a)) : a->size;
}

static void move(struct acsl *a, const char *bytes)
{
	a->at = a->at || a->more ? spec_printf(a->spec, "(%s + %s)", position(a), bytes) : bytes;
	a->more = 0;
}

static struct acsl_place *put_place(struct acsl *a, const struct field *field, const char *at)
{
	struct acsl_place *place = spec_alloc(a->spec, sizeof(*place));

	place->next = a->places;
	place->field = field;
	place->at = at;
	a->places = place;
	return place;
}

static const struct acsl_place *place_of(const struct acsl *a, const struct field *field)
{
	const struct acsl_place *place;

	for (place = a->places; place && place->field != field; place = place->next)
		;
	return place;
}

/* ---- expressions ---- */

static const char *load(const struct acsl *a, const struct type *type, const char *at)
{
	if (type->width == 1)
		return spec_printf(a->spec, "*(%s)", pointer(a, at));
	return spec_printf(a->spec, "wire_%s%u(%s)", type->big ? "be" : "le", type->width * 8, pointer(a, at));
}

/* Flags that mean nothing are no part of the value. */
static const char *word(const struct acsl *a, const struct field *field, const char *at)
{
	const struct flagset *flagset = field->type->flagset;
	const char *value = load(a, field->type, at);

	if (flagset && !flagset->others_zero)
		return spec_printf(a->spec, "(%s & %s)", value, number(a->spec, flagset->mask));
	return value;
}

static const char *bit_of(const struct acsl *a, const char *value, u32 shift, u32 width)
{
	u64 mask = width < 64 ? (1ULL << width) - 1 : UINT64_MAX;

	if (shift)
		return spec_printf(a->spec, "((%s >> %u) & %s)", value, shift, number(a->spec, mask));
	return spec_printf(a->spec, "(%s & %s)", value, number(a->spec, mask));
}

const char *acsl_field(const struct acsl *a, const struct ref *ref)
{
	const struct field *outer = ref->path_length ? ref->path[0] : ref->field;
	const struct acsl_place *place = place_of(a, outer);
	const char *at = place ? place->at : "0", *value;
	u64 inside = 0;
	u32 i;

	for (i = 1; i < ref->path_length; i++)
		inside += (u64)ref->path[i]->offset;
	if (ref->path_length)
		inside += (u64)ref->field->offset;
	if (inside)
		at = strcmp(at, "0") ? spec_printf(a->spec, "%s + %llu", at, (unsigned long long)inside) :
		     number(a->spec, inside);
	value = ref->flag ? load(a, ref->field->type, at) : word(a, ref->field, at);
	return ref->bit ? bit_of(a, value, ref->bit->shift, ref->bit->width) : value;
}

static const char *let_value(const struct acsl *a, const struct item *let)
{
	const struct acsl_place *place;

	for (place = a->places; place && place->let != let; place = place->next)
		;
	return place ? place->value : "0";
}

static const char *name_value(const struct acsl *a, const struct expr *expr)
{
	const struct ref *ref = &expr->ref;

	switch (ref->kind) {
	case REF_FIELD:
		return acsl_field(a, ref);
	case REF_LET:
		return let_value(a, ref->let);
	case REF_PARAM:
		return c_param(a->spec, ref->param);
	case REF_CONTEXT:
		return spec_printf(a->spec, "ctx->%s", ref->context->name);
	default:
		return number(a->spec, expr->number);
	}
}

static const char *value_of(struct acsl *a, const struct expr *expr);

static const char *sum(struct acsl *a, const struct expr *expr)
{
	static const char *const operators[] = {
		[OP_MUL] = "*", [OP_DIV] = "/", [OP_MOD] = "%", [OP_ADD] = "+", [OP_SUB] = "-",
		[OP_SHL] = "<<", [OP_SHR] = ">>", [OP_AND] = "&", [OP_OR] = "|",
	};

	return spec_printf(a->spec, "(%s %s %s)", value_of(a, expr->a), operators[expr->op], value_of(a, expr->b));
}

static const char *value_of(struct acsl *a, const struct expr *expr)
{
	switch (expr->kind) {
	case E_SIZE:
		return a->size;
	case E_REMAINING:
		return rest(a);
	case E_BINARY:
		return sum(a, expr);
	case E_NAME:
		if (expr->ref.flag)
			return bit_of(a, name_value(a, expr), expr->ref.flag->bit, 1);
		return name_value(a, expr);
	default:
		return number(a->spec, expr->number);
	}
}

static const char *one_of(struct acsl *a, const struct expr *expr)
{
	const char *value = value_of(a, expr->a), *all = NULL;
	u32 i;

	for (i = 0; i < expr->list_length; i++)
		all = spec_printf(a->spec, "%s%s%s == %s", all ? all : "", all ? " || " : "", value,
				  value_of(a, expr->list[i]));
	return spec_printf(a->spec, "(%s)", all);
}

static const char *compared(struct acsl *a, const struct expr *expr)
{
	static const char *const operators[] = {
		[OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=",
		[OP_BOTH] = "&&", [OP_EITHER] = "||", [OP_IMPLIES] = "==>",
	};

	if (expr->op >= OP_BOTH)
		return spec_printf(a->spec, "(%s %s %s)", acsl_truth(a, expr->a), operators[expr->op],
				   acsl_truth(a, expr->b));
	return spec_printf(a->spec, "%s %s %s", value_of(a, expr->a), operators[expr->op], value_of(a, expr->b));
}

const char *acsl_truth(struct acsl *a, const struct expr *expr)
{
	if (expr->kind == E_NOT)
		return spec_printf(a->spec, "!(%s)", acsl_truth(a, expr->a));
	if (expr->kind == E_RANGE)
		return spec_printf(a->spec, "%s <= %s <= %s", value_of(a, expr->b), value_of(a, expr->a),
				   value_of(a, expr->c));
	if (expr->kind == E_SET)
		return one_of(a, expr);
	if (expr->kind == E_BINARY && expr->op >= OP_EQ)
		return compared(a, expr);
	if (expr->kind == E_NAME && expr->ref.flag)
		return spec_printf(a->spec, "(%s & %s) != 0", name_value(a, expr),
				   number(a->spec, 1ULL << expr->ref.flag->bit));
	return spec_printf(a->spec, "%s != 0", value_of(a, expr));
}

/* ---- scalars ---- */

static void require_enumerator(struct acsl *a, const struct field *field, const char *value)
{
	const struct enumerator *one;
	const char *all = NULL;
	u64 lo = UINT64_MAX, hi = 0;
	u32 count = 0;

	for (one = field->type->enumeration->values; one; one = one->next) {
		lo = one->value < lo ? one->value : lo;
		hi = one->value > hi ? one->value : hi;
		count++;
		all = spec_printf(a->spec, "%s%s%s == %s", all ? all : "", all ? " || " : "", value,
				  number(a->spec, one->value));
	}
	if (hi - lo == count - 1)
		require(a, spec_printf(a->spec, "%s <= %s <= %s", number(a->spec, lo), value, number(a->spec, hi)));
	else
		require(a, spec_printf(a->spec, "(%s)", all));
}

static void require_refinements(struct acsl *a, const struct refinement *refinement)
{
	for (; refinement; refinement = refinement->next)
		if (refinement->rule && refinement->test && !refinement->uses_request)
			require(a, acsl_truth(a, refinement->test));
}

static void describe_bits(struct acsl *a, const struct field *field)
{
	const char *value = load(a, field->type, position(a));
	const struct bitpart *bit;

	for (bit = field->type->bits; bit; bit = bit->next) {
		require_refinements(a, bit->refinements);
		if (!bit->ignored && field->delivered)
			know(a, spec_printf(a->spec, "m->%s_%s == %s", field->name, bit->name,
					    bit_of(a, value, bit->shift, bit->width)));
	}
}

static void describe_scalar(struct acsl *a, const struct field *field)
{
	const struct flagset *flagset = field->type->flagset;
	const char *value = word(a, field, position(a));

	if (field->type->kind == T_BITS) {
		describe_bits(a, field);
		return;
	}
	if (field->enum_rule)
		require_enumerator(a, field, value);
	if (field->reserved_rule)
		require(a, spec_printf(a->spec, "(%s & %s) == 0", value,
				       number(a->spec, (u64)field->range.hi & ~flagset->mask)));
	require_refinements(a, field->refinements);
	if (field->delivered)
		know(a, spec_printf(a->spec, "m->%s == %s", field->name, value));
}

/* ---- what structs, lists and texts ask for ---- */

static const char *arguments(struct acsl *a, const struct layout *layout, struct expr **list, u32 count)
{
	const char *all = uses_context(layout) ? ", ctx" : "";
	u32 i;

	for (i = 0; i < count; i++)
		all = spec_printf(a->spec, "%s, %s", all, value_of(a, list[i]));
	return all;
}

bool acsl_walk_uses_context(const struct type *type)
{
	return uses_context(type->kind == T_LIST ? type->layout : type->element->layout) ||
	       (type->kind == T_LIST && type->until && expr_uses_context(type->until));
}

const char *acsl_extra(struct spec *spec, const struct layout *layout, bool context, bool declare)
{
	const char *all = "";
	const struct param *param;

	if (context)
		all = declare ? spec_printf(spec, ", struct %s_context *ctx", spec->name) : ", ctx";
	for (param = layout->params; param; param = param->next)
		all = spec_printf(spec, "%s, %s%s", all, declare ? "integer " : "", c_param(spec, param));
	return all;
}

/* A struct in a region: what must hold, and its length, if it is not fixed. */
static const char *describe_struct(struct acsl *a, const struct type *type, const char *region)
{
	const struct layout *layout = type->layout;
	const char *list = arguments(a, layout, type->arguments, type->argument_count);
	const char *here = pointer(a, position(a));

	if (layout->fixed) {
		if (has_rules(a->spec, layout))
			require(a, spec_printf(a->spec, "%s_%s_ok(%s%s)", a->spec->name, layout->name, here, list));
		return number(a->spec, (u64)layout->fixed_size);
	}
	require(a, spec_printf(a->spec, "%s_%s_ok(%s, %s%s)", a->spec->name, layout->name, here, region, list));
	return spec_printf(a->spec, "%s_%s_length(%s, %s%s)", a->spec->name, layout->name, here, region, list);
}

bool acsl_walks(const struct spec *spec, const struct type *type)
{
	if (type->kind == T_LIST)
		return true;
	return (type->kind == T_ARRAY || type->kind == T_FILL) && type->element->kind == T_STRUCT &&
	       has_rules(spec, type->element->layout);
}

bool acsl_counted(const struct type *type)
{
	return type->kind == T_ARRAY && type->element->fixed_size < 0;
}

const char *acsl_walk_name(const struct acsl *a, const struct field *field)
{
	return spec_printf(a->spec, "%s_%s_%s", a->spec->name, field->layout->name, field->name);
}

/* The elements of a region, from its start on; the length of counted ones. */
static const char *describe_walk(struct acsl *a, const struct field *field, const char *at, const char *region)
{
	const struct type *type = field->type, *element = type->kind == T_LIST ? type : type->element;
	const char *list = spec_printf(a->spec, "%s%s", acsl_walk_uses_context(type) && !uses_context(element->layout) ?
				       ", ctx" : "", arguments(a, element->layout, element->arguments,
							       element->argument_count));
	const char *most = type->kind == T_LIST ? spec_printf(a->spec, ", 0, %s", value_of(a, type->max)) :
			   acsl_counted(type) ? spec_printf(a->spec, ", 0, %s", value_of(a, type->count)) : "";

	list = spec_printf(a->spec, "(%s, 0, %s%s%s)", pointer(a, at), region, most, list);
	require(a, spec_printf(a->spec, "%s_from%s", acsl_walk_name(a, field), list));
	a->lists = both(a->spec, a->lists, spec_printf(a->spec, "%s_from%s", acsl_walk_name(a, field), list));
	return acsl_counted(type) ? spec_printf(a->spec, "%s_end%s", acsl_walk_name(a, field), list) : NULL;
}

static void describe_text(struct acsl *a, const struct field *field, const char *at, const char *bytes)
{
	if (field->type->utf16)
		require(a, spec_printf(a->spec, "%s %% 2 == 0", bytes));
	require(a, spec_printf(a->spec, "wire_%s(%s, 0, %s, %d)", !field->type->utf16 ? "ascii" :
			       a->spec->big ? "utf16be" : "utf16", pointer(a, at),
			       bytes, field->type->terminated));
}

/* ---- regions ---- */

static const char *bytes_of(struct acsl *a, const struct field *field)
{
	const struct type *type = field->type;

	if (type->fixed_size >= 0)
		return number(a->spec, (u64)type->fixed_size);
	if (type->kind == T_BYTES || type->kind == T_STRING)
		return value_of(a, type->count);
	if (type->kind == T_ARRAY)
		return type->element->fixed_size < 0 ? NULL :
		       type->element->fixed_size == 1 ? value_of(a, type->count) :
		       spec_printf(a->spec, "(%s * %llu)", value_of(a, type->count),
				   (unsigned long long)type->element->fixed_size);
	return value_of(a, type->bytes);
}

static void know_slice(struct acsl *a, const struct field *field, const char *at, const char *bytes)
{
	if (field->delivered)
		know(a, spec_printf(a->spec, "m->%s.data == %s && m->%s.size == %s", field->name, pointer(a, at),
				    field->name, bytes));
}

/* The inside of a region that is known to be there; returns its length. */
static const char *describe_region(struct acsl *a, const struct field *field, const char *at, const char *bytes)
{
	const char *end = NULL;

	if (field->whole_rule && field->type->kind == T_FILL)
		require(a, spec_printf(a->spec, "%s %% %llu == 0", bytes,
				       (unsigned long long)field->type->element->fixed_size));
	if (field->text_rule)
		describe_text(a, field, at, bytes);
	if (acsl_walks(a->spec, field->type))
		end = describe_walk(a, field, at, bytes);
	if (end)
		bytes = end;
	know_slice(a, field, at, bytes);
	put_place(a, field, at)->bytes = bytes;
	return bytes;
}

static void describe_inline_region(struct acsl *a, const struct field *field)
{
	const char *bytes = bytes_of(a, field);

	if (field->type->fixed_size >= 0) {
		describe_region(a, field, position(a), bytes);
		return;
	}
	if (bytes && strcmp(bytes, rest(a)))
		require(a, spec_printf(a->spec, "%s <= %s", bytes, rest(a)));
	move(a, describe_region(a, field, position(a), bytes ? bytes : rest(a)));
}

/* ---- unions ---- */

/* What one arm asks for, if it is the one; returns its length. */
static const char *describe_arm(struct acsl *a, const struct arm *arm, const char *region)
{
	const struct type *type = arm->type;
	const char *bytes;

	if (type->kind == T_STRUCT && !type->layout->fixed)
		return describe_struct(a, type, region);
	bytes = type->kind == T_BYTES && type->fixed_size < 0 ? value_of(a, type->count) :
		number(a->spec, (u64)type->fixed_size);
	require(a, spec_printf(a->spec, "%s <= %s", bytes, region));
	if (type->kind == T_STRUCT)
		describe_struct(a, type, region);
	return bytes;
}

static void describe_union(struct acsl *a, const struct field *field)
{
	const struct type *type = field->type;
	const char *tag = value_of(a, type->tag), *before, *bytes, *length = "0", *none = NULL, *region = rest(a);
	const struct arm *arm;

	if (type->bytes) {
		region = value_of(a, type->bytes);
		if (strcmp(region, rest(a)))
			require(a, spec_printf(a->spec, "%s <= %s", region, rest(a)));
	}
	for (arm = type->arms; arm; arm = arm->next) {
		before = a->rules;
		a->rules = NULL;
		bytes = describe_arm(a, arm, region);
		if (type->bytes)
			require(a, spec_printf(a->spec, "%s == %s", bytes, region));
		a->rules = both(a->spec, before, spec_printf(a->spec, "(%s == %s ==> %s)", tag,
							     number(a->spec, arm->value), a->rules));
		length = spec_printf(a->spec, "(%s == %s ? %s : %s)", tag, number(a->spec, arm->value), bytes, length);
		none = spec_printf(a->spec, "%s%s%s == %s", none ? none : "", none ? " || " : "", tag,
				   number(a->spec, arm->value));
	}
	if (field->tag_rule)
		require(a, spec_printf(a->spec, "(%s)", none));
	move(a, type->bytes ? region : length);
}

/* ---- fields ---- */

static void describe_inline(struct acsl *a, const struct field *field)
{
	const struct type *type = field->type;
	const char *length;

	put_place(a, field, position(a));
	if (is_scalar(type)) {
		describe_scalar(a, field);
	} else if (type->kind == T_STRUCT) {
		length = describe_struct(a, type, rest(a));
		if (!type->layout->fixed)
			move(a, length);
	} else if (type->kind == T_UNION) {
		describe_union(a, field);
	} else if (type->kind == T_GUID) {
		know_slice(a, field, position(a), "16");
	} else {
		describe_inline_region(a, field);
	}
	if (type->fixed_size >= 0)
		a->more += (u64)type->fixed_size;
}

/* A field out of line: read with the cursor there, which then returns. */
static void describe_at(struct acsl *a, const struct field *field)
{
	const char *from = value_of(a, field->at), *bytes, *at = a->at;
	const struct type *type = field->type;
	bool looked_at = is_scalar(type) || type->kind == T_STRUCT || type->kind == T_UNION;
	u64 more = a->more;

	bytes = looked_at || type->kind == T_GUID ?
		(type->fixed_size >= 0 ? number(a->spec, (u64)type->fixed_size) : NULL) : bytes_of(a, field);
	require(a, spec_printf(a->spec, "%s <= %s", from, a->size));
	if (bytes)
		require(a, spec_printf(a->spec, "%s <= %s - %s", bytes, a->size, from));
	put_place(a, field, from);
	if (looked_at) {
		a->at = from;
		a->more = 0;
		if (is_scalar(type))
			describe_scalar(a, field);
		else if (type->kind == T_STRUCT)
			describe_struct(a, type, rest(a));
		else
			describe_union(a, field);
	} else if (type->kind == T_GUID) {
		know_slice(a, field, from, "16");
	} else {
		describe_region(a, field, from, bytes ? bytes : spec_printf(a->spec, "(%s - %s)", a->size, from));
	}
	a->at = at;
	a->more = more;
}

static void require_no_overlap(struct acsl *a, const struct field *field)
{
	const struct acsl_place *one = place_of(a, field), *other;
	const struct refinement *refinement;

	for (refinement = field->refinements; refinement; refinement = refinement->next) {
		if (refinement->kind != R_NO_OVERLAP)
			continue;
		other = place_of(a, refinement->other);
		require(a, spec_printf(a->spec, "(%s == 0 || %s == 0 || %s + %s <= %s || %s + %s <= %s)", one->bytes,
				       other->bytes, one->at, one->bytes, other->at, other->at, other->bytes, one->at));
	}
}

static void describe_field(struct acsl *a, const struct layout *layout, const struct field *field)
{
	if (field->run_exact)
		require(a, spec_printf(a->spec, "%s == %u", a->size, field->run_bytes));
	else if (field->run_bytes)
		require(a, spec_printf(a->spec, "%u <= %s", field->run_bytes, rest(a)));
	if (field->at)
		describe_at(a, field);
	else
		describe_inline(a, field);
	require_no_overlap(a, field);
	if (field->is_header && layout->when_rule)
		require(a, acsl_truth(a, layout->when));
}

/* ---- items ---- */

static void describe_extent(struct acsl *a, const struct item *item)
{
	const char *end = value_of(a, item->expr);

	require(a, spec_printf(a->spec, "%s <= %s <= %s", position(a), end, a->size));
	a->size = end;
}

/* One side of a "when", from the cursor of both; what it says holds under a condition. */
static struct acsl branch(struct acsl *a, const struct layout *layout, const struct item *items)
{
	struct acsl side = *a;

	side.rules = side.facts = side.lists = NULL;
	describe_items(&side, layout, items);
	a->places = side.places;
	return side;
}

static const char *given(struct spec *spec, const char *condition, const char *text)
{
	return text ? spec_printf(spec, "(%s ==>\n%s)", condition, text) : NULL;
}

static void describe_when(struct acsl *a, const struct layout *layout, const struct item *item)
{
	const char *condition = spec_printf(a->spec, "(%s)", acsl_truth(a, item->expr));
	const char *otherwise = spec_printf(a->spec, "!%s", condition);
	struct acsl then = branch(a, layout, item->then), other = branch(a, layout, item->otherwise);

	require(a, given(a->spec, condition, then.rules));
	require(a, given(a->spec, otherwise, other.rules));
	know(a, given(a->spec, condition, then.facts));
	know(a, given(a->spec, otherwise, other.facts));
	a->lists = both(a->spec, a->lists, given(a->spec, condition, then.lists));
	a->lists = both(a->spec, a->lists, given(a->spec, otherwise, other.lists));
	if (!strcmp(position(&then), position(&other))) {
		a->at = then.at;
		a->more = then.more;
	} else {
		a->at = spec_printf(a->spec, "(%s ? %s : %s)", condition, position(&then), position(&other));
		a->more = 0;
	}
}

static void describe_let(struct acsl *a, const struct item *item)
{
	struct acsl_place *place = put_place(a, NULL, NULL);

	place->let = item;
	place->value = value_of(a, item->expr);
	know(a, spec_printf(a->spec, "m->%s == %s", item->name, place->value));
}

static void describe_items(struct acsl *a, const struct layout *layout, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			describe_field(a, layout, item->field);
		else if (item->kind == I_RULE && !item->expr->uses_request)
			require(a, acsl_truth(a, item->expr));
		else if (item->kind == I_LET)
			describe_let(a, item);
		else if (item->kind == I_EXTENT)
			describe_extent(a, item);
		else if (item->kind == I_WHEN)
			describe_when(a, layout, item);
	}
}

void acsl_describe(struct acsl *a, const struct layout *layout)
{
	describe_items(a, layout, layout->items);
	if (layout->trailing_rule)
		require(a, spec_printf(a->spec, "%s == %s", position(a), a->size));
	a->at = layout->has_extent ? a->size : position(a);
	a->more = 0;
}
