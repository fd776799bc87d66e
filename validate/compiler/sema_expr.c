/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions: what each name means, what values each part can have, and whether 64 bits
 * hold them. Nothing that could overflow, go below zero or divide by zero gets past here.
 */
#include <string.h>

#include "sema.h"

static const s128 S128_TOP = (s128)(~(u128)0 >> 1);

/* ---- equality ---- */

bool same_ref(const struct ref *a, const struct ref *b)
{
	u32 i;

	if (a->kind != b->kind || a->field != b->field || a->let != b->let || a->param != b->param ||
	    a->context != b->context || a->flag != b->flag || a->bit != b->bit ||
	    a->path_length != b->path_length)
		return false;
	for (i = 0; i < a->path_length; i++)
		if (a->path[i] != b->path[i] && !(a->path[i]->is_header && b->path[i]->is_header))
			return false;
	return a->kind != REF_NONE;
}

bool same_expr(const struct expr *a, const struct expr *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case E_NUMBER:
	case E_VERSION:
	case E_SIZEOF:
	case E_OFFSETOF:
		return a->number == b->number;
	case E_NAME:
		return same_ref(&a->ref, &b->ref) && a->number == b->number;
	case E_SIZE:
		return true;
	case E_BINARY:
		return a->op == b->op && same_expr(a->a, b->a) && same_expr(a->b, b->b);
	default:
		return false;	/* "remaining" changes from place to place */
	}
}

/* ---- what is known ---- */

static struct interval ref_range(const struct ref *ref)
{
	if (ref->flag)
		return (struct interval){ 0, 1 };
	if (ref->bit)
		return ref->path_length ? ref->bit->final :
			(struct interval){ 0, ((s128)1 << ref->bit->width) - 1 };
	if (ref->kind == REF_FIELD)
		return ref->path_length ? ref->field->final : ref->field->range;
	if (ref->kind == REF_LET)
		return ref->let->range;
	if (ref->kind == REF_PARAM)
		return ref->param->range;
	return ref->context->range;
}

struct interval known(const struct walker *walker, const struct ref *ref)
{
	u32 i;

	for (i = walker->narrowed_count; i-- > 0;)
		if (same_ref(&walker->narrowed[i].ref, ref))
			return walker->narrowed[i].range;
	return ref_range(ref);
}

void narrow(struct walker *walker, const struct ref *ref, struct interval range)
{
	struct interval now = known(walker, ref);
	struct narrowed *entry;

	if (range.lo > now.lo)
		now.lo = range.lo;
	if (range.hi < now.hi)
		now.hi = range.hi;
	if (now.lo > now.hi || walker->narrowed_count == MOST_FACTS)
		return;
	entry = &walker->narrowed[walker->narrowed_count++];
	entry->ref = *ref;
	entry->range = now;
}

static void add_fact(struct walker *walker, const struct expr *small, const struct expr *big)
{
	if (walker->fact_count < MOST_FACTS)
		walker->facts[walker->fact_count++] = (struct fact){ small, big };
}

static bool mentions_size(const struct expr *expr)
{
	return expr && (expr->kind == E_SIZE || mentions_size(expr->a) || mentions_size(expr->b));
}

/* From an extent on, "size" is another number. */
void forget_size(struct walker *walker)
{
	u32 i, kept = 0;

	for (i = 0; i < walker->fact_count; i++)
		if (!mentions_size(walker->facts[i].small) && !mentions_size(walker->facts[i].big))
			walker->facts[kept++] = walker->facts[i];
	walker->fact_count = kept;
}

void unlearn(struct walker *walker, u32 narrowed, u32 facts)
{
	walker->narrowed_count = narrowed;
	walker->fact_count = facts;
}

static bool not_more(const struct walker *walker, const struct expr *small, const struct expr *big)
{
	u32 i;

	if (small->range.hi <= big->range.lo || same_expr(small, big))
		return true;
	for (i = 0; i < walker->fact_count; i++)
		if (same_expr(walker->facts[i].small, small) && same_expr(walker->facts[i].big, big))
			return true;
	return false;
}

/* What a comparison says of "size"; the caller puts the old region back where it no longer holds. */
static void learn_size(struct walker *walker, const struct expr *small, const struct expr *big, int strict)
{
	s128 lo = small->range.lo + strict, hi = big->range.hi - strict;

	if (big->kind == E_SIZE && lo > walker->region.lo && lo <= walker->region.hi)
		walker->region.lo = lo;
	if (small->kind == E_SIZE && hi < walker->region.hi && hi >= walker->region.lo)
		walker->region.hi = hi;
}

/* Something whose values can turn out to be fewer than it was declared with. */
static bool is_narrowable(const struct expr *expr)
{
	return expr->kind == E_NAME && expr->ref.kind != REF_NONE && expr->ref.kind < REF_CONST;
}

static void learn_less(struct walker *walker, const struct expr *small, const struct expr *big, int strict)
{
	learn_size(walker, small, big, strict);
	if (is_narrowable(small))
		narrow(walker, &small->ref, (struct interval){ 0, big->range.hi - strict });
	if (is_narrowable(big))
		narrow(walker, &big->ref, (struct interval){ small->range.lo + strict, U64_TOP });
	add_fact(walker, small, big);
}

/* Knowledge is taken from an expression's parts as they were when it was resolved. */
void learn(struct walker *walker, const struct expr *expr)
{
	u32 i;
	struct interval range = { S128_TOP, -1 };

	if (expr->uses_request)
		return;
	if (expr->kind == E_RANGE) {
		learn_less(walker, expr->b, expr->a, 0);
		learn_less(walker, expr->a, expr->c, 0);
	} else if (expr->kind == E_SET && is_narrowable(expr->a)) {
		for (i = 0; i < expr->list_length; i++) {
			if (expr->list[i]->range.lo < range.lo)
				range.lo = expr->list[i]->range.lo;
			if (expr->list[i]->range.hi > range.hi)
				range.hi = expr->list[i]->range.hi;
		}
		narrow(walker, &expr->a->ref, range);
	} else if (expr->kind == E_BINARY && expr->op == OP_BOTH) {
		learn(walker, expr->a);
		learn(walker, expr->b);
	} else if (expr->kind == E_BINARY && (expr->op == OP_EQ || expr->op == OP_LE || expr->op == OP_LT)) {
		learn_less(walker, expr->a, expr->b, expr->op == OP_LT);
		if (expr->op == OP_EQ)
			learn_less(walker, expr->b, expr->a, 0);
	} else if (expr->kind == E_BINARY && (expr->op == OP_GE || expr->op == OP_GT)) {
		learn_less(walker, expr->b, expr->a, expr->op == OP_GT);
	} else if (is_narrowable(expr) && expr->range.hi == 1) {
		narrow(walker, &expr->ref, (struct interval){ 1, 1 });
	}
}

/* ---- names ---- */

bool is_scalar(const struct type *type)
{
	return type->kind == T_INT || type->kind == T_ENUM || type->kind == T_FLAGS || type->kind == T_BITS;
}

struct type *ref_type(const struct ref *ref)
{
	if (ref->flag || ref->bit)
		return NULL;
	if (ref->kind == REF_FIELD)
		return ref->field->type;
	if (ref->kind == REF_PARAM)
		return ref->param->type;
	return ref->kind == REF_CONTEXT ? ref->context->type : NULL;
}

const struct enumeration *enumeration_of(const struct expr *expr)
{
	const struct type *type = expr->kind == E_NAME || expr->kind == E_REQUEST ? ref_type(&expr->ref) : NULL;

	return type && type->kind == T_ENUM ? type->enumeration : NULL;
}

static struct field *struct_field(const struct layout *layout, const char *name)
{
	struct item *item;

	FOR_ITEMS(item, layout->items)
		if (item->kind == I_FIELD && !strcmp(item->field->name, name))
			return item->field;
	return NULL;
}

static bool find_visible(const struct walker *walker, const char *name, struct ref *ref)
{
	const struct visible *visible;
	struct param *param;
	u32 i;

	for (i = walker->name_count; i-- > 0;) {
		visible = &walker->names[i];
		if (strcmp(visible->name, name))
			continue;
		ref->kind = visible->field ? REF_FIELD : REF_LET;
		ref->field = visible->field;
		ref->let = visible->let;
		return true;
	}
	for (param = walker->layout ? walker->layout->params : NULL; param; param = param->next) {
		if (strcmp(param->name, name))
			continue;
		ref->kind = REF_PARAM;
		ref->param = param;
		param->used = true;
		return true;
	}
	return false;
}

/* A bare name of a header field, inside of a message. */
static bool find_header_field(const struct walker *walker, const char *name, struct ref *ref)
{
	struct layout *layout = walker->layout;

	if (!layout || layout->kind != L_MESSAGE)
		return false;
	ref->field = struct_field(walker->spec->header, name);
	if (!ref->field)
		return false;
	ref->kind = REF_FIELD;
	ref->path[ref->path_length++] = layout->items->field;
	return true;
}

static bool find_context_value(const struct walker *walker, const char *name, struct ref *ref)
{
	ref->context = find_context(walker->spec, name);
	if (!ref->context)
		return false;
	ref->context->used = true;
	ref->kind = REF_CONTEXT;
	return true;
}

/* ", did you mean" and the like, if there is something near. */
static const char *suggest(struct spec *spec, const char *best)
{
	return best ? spec_printf(spec, "; did you mean '%s'?", best) : "";
}

static void no_field(struct walker *walker, const struct expr *expr, const struct layout *layout,
		     const char *what, const char *name)
{
	const char *best = NULL;
	const struct item *item;
	struct loc loc = expr->loc;

	FOR_ITEMS(item, layout->items)
		if (item->kind == I_FIELD)
			best = nearest(name, best, item->field->name);
	/* not the "request." before it */
	if (expr->kind == E_REQUEST && !expr->part && loc.length > strlen(name)) {
		loc.column += loc.length - (u32)strlen(name);
		loc.length = (u32)strlen(name);
	}
	error_at(walker->spec, loc, "%s '%s' has no field '%s'%s", what, layout->name, name,
		 suggest(walker->spec, best));
}

static void no_part(struct walker *walker, const struct expr *expr, const struct type *type, const char *name)
{
	const struct bitpart *bit;
	const struct flag *flag;
	const char *best = NULL;

	for (flag = type && type->kind == T_FLAGS ? type->flagset->flags : NULL; flag; flag = flag->next)
		best = nearest(name, best, flag->name);
	for (bit = type && type->kind == T_BITS ? type->bits : NULL; bit; bit = bit->next)
		best = nearest(name, best, bit->name);
	error_at(walker->spec, expr->loc, "'%s' has no part '%s'%s", expr->name, name,
		 suggest(walker->spec, best));
}

static bool take_part(struct walker *walker, struct expr *expr, const char *name, struct ref *ref);

/* ref names a struct field: go inside. */
static bool go_inside(struct walker *walker, struct expr *expr, const char *name, struct ref *ref)
{
	struct field *inner = struct_field(ref->field->type->layout, name);

	if (!ref->field->type->layout->fixed) {
		error_at(walker->spec, expr->loc, "'%s' has no fixed size, so its fields cannot be named from outside",
			 ref->field->name);
		return false;
	}
	if (!inner) {
		no_field(walker, expr, ref->field->type->layout, "struct", name);
		return false;
	}
	ref->path[ref->path_length++] = ref->field;
	ref->field = inner;
	inner->checked = true;
	return true;
}

static bool take_part(struct walker *walker, struct expr *expr, const char *name, struct ref *ref)
{
	const struct type *type = ref_type(ref);
	struct bitpart *bit;
	struct flag *flag;

	if (type && type->kind == T_STRUCT && type->layout && ref->path_length < 3)
		return go_inside(walker, expr, name, ref);
	for (flag = type && type->kind == T_FLAGS ? type->flagset->flags : NULL; flag; flag = flag->next) {
		if (!strcmp(flag->name, name)) {
			ref->flag = flag;
			return true;
		}
	}
	for (bit = type && type->kind == T_BITS ? type->bits : NULL; bit; bit = bit->next) {
		if (!strcmp(bit->name, name)) {
			ref->bit = bit;
			bit->checked = true;
			return true;
		}
	}
	no_part(walker, expr, type, name);
	return false;
}

static bool finish_ref(struct walker *walker, struct expr *expr, struct ref *ref)
{
	const struct type *type;

	if (expr->part && !take_part(walker, expr, expr->part, ref))
		return false;
	if (expr->subpart && !take_part(walker, expr, expr->subpart, ref))
		return false;
	type = ref_type(ref);
	if (type && !is_scalar(type)) {
		error_at(walker->spec, expr->loc, "'%s' is not a number", expr->subpart ? expr->subpart :
			 expr->part ? expr->part : expr->name);
		return false;
	}
	if (ref->kind == REF_FIELD) {
		ref->field->checked = true;
		ref->field->referenced = true;
		if (walker->layout && walker->layout->walked)	/* by a session, when the views are settled */
			ref->field->delivered |= !ref->field->ignored;
		if (ref->bit ? ref->bit->ignored : ref->field->ignored) {
			error_at(walker->spec, expr->loc, "'%s' is ignored, so nothing may depend on it",
				 expr->subpart ? expr->subpart : expr->part ? expr->part : expr->name);
			return false;
		}
	}
	expr->ref = *ref;
	expr->range = known(walker, ref);
	return true;
}

static bool number_ref(struct expr *expr, enum ref_kind kind, u64 number)
{
	expr->ref.kind = kind;
	expr->number = number;
	expr->range = (struct interval){ number, number };
	return true;
}

static bool resolve_name(struct walker *walker, struct expr *expr, const struct enumeration *expected)
{
	const struct enumerator *value = expected && !expr->part ? find_enumerator(expected, expr->name) : NULL;
	struct constant *constant;
	struct ref ref = { 0 };

	if (value) {
		expr->enumeration = expected;
		return number_ref(expr, REF_ENUMERATOR, value->value);
	}
	if (find_visible(walker, expr->name, &ref) || find_header_field(walker, expr->name, &ref) ||
	    find_context_value(walker, expr->name, &ref))
		return finish_ref(walker, expr, &ref);
	constant = expr->part ? NULL : find_constant(walker->spec, expr->name);
	if (constant) {
		constant->named = true;
		return number_ref(expr, REF_CONST, constant->value);
	}
	unknown_name(walker, expr->loc, expr->name, expected);
	return false;
}

static bool resolve_request(struct walker *walker, struct expr *expr)
{
	struct layout *request = walker->layout ? walker->layout->request : NULL;
	struct ref ref = { .kind = REF_FIELD };

	expr->uses_request = true;
	if (!request) {
		error_at(walker->spec, expr->loc, "'request' means nothing here: this is no message that answers another");
		return false;
	}
	ref.field = struct_field(request, expr->name);
	if (!ref.field && walker->spec->header) {
		ref.field = struct_field(walker->spec->header, expr->name);
		if (ref.field)
			ref.path[ref.path_length++] = request->items->field;
	}
	if (!ref.field) {
		no_field(walker, expr, request, "message", expr->name);
		return false;
	}
	if (ref.field->type->kind == T_STRUCT) {
		error_at(walker->spec, expr->loc, "'%s' is a struct: only fields of the request itself are kept", expr->name);
		return false;
	}
	if (!finish_ref(walker, expr, &ref))
		return false;
	ref.field->requested = true;
	expr->range = ref.flag ? (struct interval){ 0, 1 } : ref.field->range;
	return true;
}

/* request.f, where f is a GUID: no number, so only compared as it stands. */
bool resolve_request_guid(struct walker *walker, struct expr *expr)
{
	struct layout *request = walker->layout->request;
	struct field *field = request ? struct_field(request, expr->name) : NULL;

	if (!field || field->type->kind != T_GUID || field->ignored) {
		error_at(walker->spec, expr->loc, request ? "message '%s' has no GUID '%s'" :
			 "'request' means nothing here: this is no message that answers another",
			 request ? request->name : "", expr->name);
		return false;
	}
	expr->uses_request = field->requested = field->referenced = true;
	expr->ref = (struct ref){ .kind = REF_FIELD, .field = field };
	return true;
}

/* Whether a name could be resolved as it stands, without enumerators; says nothing. */
static const struct enumeration *peek_enumeration(struct walker *walker, const struct expr *expr)
{
	struct ref ref = { 0 };
	const struct type *type;
	struct layout *request = walker->layout ? walker->layout->request : NULL;

	if (expr->kind == E_REQUEST && request)
		ref.field = struct_field(request, expr->name), ref.kind = ref.field ? REF_FIELD : REF_NONE;
	else if (expr->kind != E_NAME ||
		 (!find_visible(walker, expr->name, &ref) && !find_header_field(walker, expr->name, &ref) &&
		  !find_context_value(walker, expr->name, &ref)))
		return NULL;
	if (ref.kind == REF_NONE)
		return NULL;
	type = ref_type(&ref);
	if (type && type->kind == T_STRUCT && type->layout && expr->part) {
		ref.field = struct_field(type->layout, expr->part);
		type = ref.field ? ref.field->type : NULL;
	}
	return type && type->kind == T_ENUM ? type->enumeration : NULL;
}

/* ---- arithmetic ---- */

static s128 product(s128 a, s128 b)
{
	s128 result;

	return __builtin_mul_overflow(a, b, &result) ? S128_TOP : result;
}

static s128 power_above(s128 value)
{
	s128 power = 1;

	while (power <= value && power < U64_TOP)
		power *= 2;
	return power - 1;
}

static s128 most(s128 a, s128 b)
{
	return a > b ? a : b;
}

static s128 least(s128 a, s128 b)
{
	return a < b ? a : b;
}

static bool shift_range(struct walker *walker, struct expr *expr)
{
	struct interval a = expr->a->range, b = expr->b->range;

	if (b.hi > 63) {
		error_at(walker->spec, expr->b->loc, "a shift is by 0 to 63 bits; this can be more");
		return false;
	}
	if (expr->op == OP_SHL)
		expr->range = (struct interval){ product(a.lo, (s128)1 << b.lo), product(a.hi, (s128)1 << b.hi) };
	else
		expr->range = (struct interval){ a.lo >> b.hi, a.hi >> b.lo };
	return true;
}

static bool division_range(struct walker *walker, struct expr *expr)
{
	struct interval a = expr->a->range, b = expr->b->range;

	if (b.lo < 1) {
		error_at(walker->spec, expr->b->loc, "this can be 0, and is divided by");
		return false;
	}
	if (expr->op == OP_DIV)
		expr->range = (struct interval){ a.lo / b.hi, a.hi / b.lo };
	else
		expr->range = (struct interval){ 0, least(a.hi, b.hi - 1) };
	return true;
}

static bool difference_range(struct walker *walker, struct expr *expr)
{
	struct interval a = expr->a->range, b = expr->b->range;

	expr->range = (struct interval){ most(a.lo - b.hi, 0), a.hi - b.lo };
	if (a.lo >= b.hi)
		return true;
	expr->negative_ok = not_more(walker, expr->b, expr->a);
	if (expr->negative_ok && expr->range.hi >= 0)
		return true;
	error_at(walker->spec, expr->loc, "this can go below zero: nothing above says that the right side "
		 "is not more than the left");
	return false;
}

static bool arithmetic_range(struct walker *walker, struct expr *expr)
{
	struct interval a = expr->a->range, b = expr->b->range;

	switch (expr->op) {
	case OP_ADD:
		expr->range = (struct interval){ a.lo + b.lo, a.hi + b.hi };
		return true;
	case OP_MUL:
		expr->range = (struct interval){ product(a.lo, b.lo), product(a.hi, b.hi) };
		return true;
	case OP_SUB:
		return difference_range(walker, expr);
	case OP_DIV:
	case OP_MOD:
		return division_range(walker, expr);
	case OP_SHL:
	case OP_SHR:
		return shift_range(walker, expr);
	case OP_AND:
		expr->range = (struct interval){ 0, least(a.hi, b.hi) };
		return true;
	default:
		expr->range = (struct interval){ most(a.lo, b.lo), power_above(most(a.hi, b.hi)) };
		return true;
	}
}

static bool resolve_arithmetic(struct walker *walker, struct expr *expr)
{
	bool good = resolve_number(walker, expr->a, NULL);

	good &= resolve_number(walker, expr->b, NULL);
	expr->uses_request = expr->a->uses_request || expr->b->uses_request;
	if (!good || !arithmetic_range(walker, expr))
		return false;
	if (expr->range.hi <= U64_TOP)
		return true;
	error_at(walker->spec, expr->loc, "this can exceed 64 bits: bound its parts first");
	return false;
}

/* ---- truth ---- */

static bool resolve_comparison(struct walker *walker, struct expr *expr)
{
	const struct enumeration *a = peek_enumeration(walker, expr->a);
	const struct enumeration *b = peek_enumeration(walker, expr->b);
	bool good = resolve_number(walker, expr->a, b);

	return resolve_number(walker, expr->b, a) && good;
}

static bool resolve_logic(struct walker *walker, struct expr *expr)
{
	u32 narrowed = walker->narrowed_count, facts = walker->fact_count;
	struct interval region = walker->region;
	bool good = resolve_truth(walker, expr->a);

	/* the right side matters only where the left holds */
	if (good && expr->op != OP_EITHER)
		learn(walker, expr->a);
	good &= resolve_truth(walker, expr->b);
	unlearn(walker, narrowed, facts);
	walker->region = region;
	return good;
}

static bool resolve_truth_binary(struct walker *walker, struct expr *expr)
{
	bool good = expr->op >= OP_BOTH ? resolve_logic(walker, expr) : resolve_comparison(walker, expr);

	expr->uses_request = expr->a->uses_request || expr->b->uses_request;
	return good;
}

static bool resolve_membership(struct walker *walker, struct expr *expr)
{
	const struct enumeration *expected = peek_enumeration(walker, expr->a);
	bool good = resolve_number(walker, expr->a, NULL);
	u32 i;

	expr->uses_request = expr->a->uses_request;
	if (expr->kind == E_RANGE) {
		good &= resolve_number(walker, expr->b, expected);
		good &= resolve_number(walker, expr->c, expected);
		expr->uses_request |= expr->b->uses_request || expr->c->uses_request;
		return good;
	}
	for (i = 0; i < expr->list_length; i++) {
		good &= resolve_number(walker, expr->list[i], expected);
		expr->uses_request |= expr->list[i]->uses_request;
	}
	if (!expr->list_length) {
		error_at(walker->spec, expr->loc, "an empty set holds nothing");
		return false;
	}
	return good;
}

static bool resolve_leaf(struct walker *walker, struct expr *expr, const struct enumeration *expected)
{
	struct layout *layout;
	u64 value;
	u32 i;

	switch (expr->kind) {
	case E_NUMBER:
		expr->range = (struct interval){ expr->number, expr->number };
		return true;
	case E_VERSION:
		if (constant_value(walker->spec, expr, &value))
			return number_ref(expr, REF_NONE, value);
		error_at(walker->spec, expr->loc, "this version is not among the 'versions' declared");
		return false;
	case E_SIZEOF:
		layout = spec_layout(walker->spec, expr->name);
		if (layout && layout->fixed) {
			layout->used = true;
			return number_ref(expr, REF_NONE, (u64)layout->fixed_size);
		}
		error_at(walker->spec, expr->loc, layout ? "'%s' has no fixed size" : "no struct is called '%s'",
			 expr->name);
		return false;
	case E_OFFSETOF:
		for (i = 0; i < walker->name_count; i++)
			if (walker->names[i].field && !strcmp(walker->names[i].name, expr->name) &&
			    walker->names[i].field->offset >= 0)
				return number_ref(expr, REF_NONE, (u64)walker->names[i].field->offset);
		if (walker->layout && struct_field(walker->layout, expr->name) &&
		    struct_field(walker->layout, expr->name)->offset >= 0)
			return number_ref(expr, REF_NONE,
					  (u64)struct_field(walker->layout, expr->name)->offset);
		error_at(walker->spec, expr->loc, "no field at a fixed place here is called '%s'", expr->name);
		return false;
	case E_SIZE:
	case E_REMAINING:
		if (!walker->layout || walker->layout->fixed_size >= 0) {
			if (walker->layout && walker->layout->kind != L_STRUCT && walker->layout->kind != L_HEADER) {
				walker->layout->uses_region = true;
				expr->range = walker->region;
				return true;
			}
			error_at(walker->spec, expr->loc, "here the size is fixed, or nothing has one");
			return false;
		}
		walker->layout->uses_region = true;
		expr->range = walker->region;
		if (expr->kind == E_REMAINING)
			expr->range.lo = 0;
		return true;
	case E_NAME:
		return resolve_name(walker, expr, expected);
	default:
		return resolve_request(walker, expr);
	}
}

bool resolve(struct walker *walker, struct expr *expr, struct expr_use use)
{
	bool good;

	expr->is_truth = expr->kind == E_NOT || expr->kind == E_RANGE || expr->kind == E_SET ||
			 (expr->kind == E_BINARY && expr->op >= OP_EQ);
	if (expr->kind == E_BINARY && !expr->is_truth)
		good = resolve_arithmetic(walker, expr);
	else if (expr->kind == E_BINARY)
		good = resolve_truth_binary(walker, expr);
	else if (expr->kind == E_RANGE || expr->kind == E_SET)
		good = resolve_membership(walker, expr);
	else if (expr->kind == E_NOT)
		good = resolve_truth(walker, expr->a);
	else
		good = resolve_leaf(walker, expr, use.expected);
	if (expr->kind == E_NOT)
		expr->uses_request = expr->a->uses_request;
	if (expr->is_truth)
		expr->range = (struct interval){ 0, 1 };
	if (good && use.truth && !expr->is_truth && (expr->range.hi > 1 || expr->kind == E_NUMBER)) {
		error_at(walker->spec, expr->loc, "this is a number, not something true or false");
		return false;
	}
	if (good && !use.truth && expr->is_truth) {
		error_at(walker->spec, expr->loc, "this is true or false, not a number");
		return false;
	}
	return good;
}

bool resolve_number(struct walker *walker, struct expr *expr, const struct enumeration *expected)
{
	return resolve(walker, expr, (struct expr_use){ .expected = expected });
}

bool resolve_truth(struct walker *walker, struct expr *expr)
{
	return resolve(walker, expr, (struct expr_use){ .truth = true });
}

/* ---- what can be told in advance ---- */

static int always_compare(enum op op, struct interval a, struct interval b)
{
	switch (op) {
	case OP_EQ:
		return a.lo == a.hi && b.lo == b.hi && a.lo == b.lo ? 1 : a.hi < b.lo || b.hi < a.lo ? 0 : -1;
	case OP_NE:
		return a.hi < b.lo || b.hi < a.lo ? 1 : a.lo == a.hi && b.lo == b.hi && a.lo == b.lo ? 0 : -1;
	case OP_LT:
		return a.hi < b.lo ? 1 : a.lo >= b.hi ? 0 : -1;
	case OP_LE:
		return a.hi <= b.lo ? 1 : a.lo > b.hi ? 0 : -1;
	case OP_GT:
		return always_compare(OP_LT, b, a);
	default:
		return always_compare(OP_LE, b, a);
	}
}

static int always_set(const struct expr *expr)
{
	int any = 0, one;
	u32 i;

	for (i = 0; i < expr->list_length; i++) {
		one = always_compare(OP_EQ, expr->a->range, expr->list[i]->range);
		if (one == 1)
			return 1;
		if (one)
			any = -1;
	}
	return any;
}

static int always_logic(enum op op, int a, int b)
{
	switch (op) {
	case OP_BOTH:
		return !a || !b ? 0 : a == 1 && b == 1 ? 1 : -1;
	case OP_EITHER:
		return a == 1 || b == 1 ? 1 : !a && !b ? 0 : -1;
	default:
		return !a || b == 1 ? 1 : a == 1 && !b ? 0 : -1;
	}
}

int always(const struct walker *walker, const struct expr *expr)
{
	int inner;

	switch (expr->kind) {
	case E_NOT:
		inner = always(walker, expr->a);
		return inner < 0 ? inner : !inner;
	case E_RANGE:
		if (expr->b->range.lo > expr->c->range.hi)
			return 0;
		return always_logic(OP_BOTH, always_compare(OP_LE, expr->b->range, expr->a->range),
				    always_compare(OP_LE, expr->a->range, expr->c->range));
	case E_SET:
		return always_set(expr);
	case E_BINARY:
		if (expr->op < OP_EQ)
			break;
		if (expr->op >= OP_BOTH)
			return always_logic(expr->op, always(walker, expr->a), always(walker, expr->b));
		if (same_expr(expr->a, expr->b))
			return expr->op == OP_EQ || expr->op == OP_LE || expr->op == OP_GE;
		return always_compare(expr->op, expr->a->range, expr->b->range);
	default:
		break;
	}
	return expr->range.lo == expr->range.hi ? expr->range.lo == 1 : -1;
}
