/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names: every declaration once, values that fit, and the nearest known name for an
 * unknown one.
 */
#include <string.h>

#include "sema.h"

#define LONGEST_NAME 40

/* Edits between two names; anything long is far. */
static u32 distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b), i, j;
	u32 row[LONGEST_NAME + 1], diagonal, above, best;

	if (m > LONGEST_NAME || n > LONGEST_NAME)
		return 99;
	for (j = 0; j <= n; j++)
		row[j] = (u32)j;
	for (i = 1; i <= m; i++) {
		diagonal = row[0];
		row[0] = (u32)i;
		for (j = 1; j <= n; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[n];
}

/* Whether a name begins with another of at least some letters. */
static bool begins(const char *name, const char *with, size_t least)
{
	size_t length = strlen(with);

	return length >= least && !strncmp(name, with, length);
}

/* The nearer of two candidates, if near enough to be a slip of the pen. */
const char *nearest(const char *name, const char *best, const char *candidate)
{
	u32 limit = strlen(name) > 4 ? 2 : strlen(name) > 2;
	u32 far = distance(name, candidate);

	if (far > limit && !begins(candidate, name, 4) && !begins(name, candidate, 2))
		return best;
	return !best || far < distance(name, best) ? candidate : best;
}

#define FIND(kind, list)								\
	struct kind *found;								\
											\
	for (found = (list); found; found = found->next)				\
		if (!strcmp(found->name, name))						\
			break;								\
	return found

struct enumeration *find_enumeration(const struct spec *spec, const char *name)
{
	FIND(enumeration, spec->enumerations);
}

struct flagset *find_flagset(const struct spec *spec, const char *name)
{
	FIND(flagset, spec->flagsets);
}

struct constant *find_constant(const struct spec *spec, const char *name)
{
	FIND(constant, spec->constants);
}

struct context_value *find_context(const struct spec *spec, const char *name)
{
	FIND(context_value, spec->context);
}

struct enumerator *find_enumerator(const struct enumeration *enumeration, const char *name)
{
	FIND(enumerator, enumeration->values);
}

static const char *nearest_declared(const struct spec *spec, const char *name, const char *best)
{
	const struct context_value *context;
	const struct constant *constant;

	for (context = spec->context; context; context = context->next)
		best = nearest(name, best, context->name);
	for (constant = spec->constants; constant; constant = constant->next)
		best = nearest(name, best, constant->name);
	return best;
}

static const struct item *find_item(const struct item *items, const char *name, bool *inside)
{
	const struct item *item, *found = NULL;

	for (item = items; item && !found; item = item->next) {
		if ((item->kind == I_FIELD && !strcmp(item->field->name, name)) ||
		    (item->kind == I_LET && !strcmp(item->name, name)))
			return item;
		found = find_item(item->then, name, inside);
		if (!found)
			found = find_item(item->otherwise, name, inside);
		*inside |= !!found;
	}
	return found;
}

/* It is there, but not for those who ask here. */
static bool out_of_sight(struct walker *walker, struct loc loc, const char *name)
{
	bool inside = false, below;
	const struct item *item = walker->layout ? find_item(walker->layout->items, name, &inside) : NULL;

	if (!item)
		return false;
	below = item->loc.line > loc.line || (item->loc.line == loc.line && item->loc.column >= loc.column);
	if (item->kind == I_LET && !below && !inside)
		return true;	/* its own mistake was reported */
	error_at(walker->spec, loc, "'%s' cannot be used here%s", name, below ? ": it is declared only below" :
		 inside ? ": it is declared inside of a 'when'" : "");
	note_at(walker->spec, item->loc, "here");
	return true;
}

void unknown_name(struct walker *walker, struct loc loc, const char *name,
		  const struct enumeration *expected)
{
	const char *best = nearest_declared(walker->spec, name, NULL);
	const struct enumerator *value;
	const struct param *param;
	u32 i;

	if (out_of_sight(walker, loc, name))
		return;
	for (i = 0; i < walker->name_count; i++)
		best = nearest(name, best, walker->names[i].name);
	for (param = walker->layout ? walker->layout->params : NULL; param; param = param->next)
		best = nearest(name, best, param->name);
	for (value = expected ? expected->values : NULL; value; value = value->next)
		best = nearest(name, best, value->name);
	if (best)
		error_at(walker->spec, loc, "nothing here is called '%s'; did you mean '%s'?", name, best);
	else if (expected)
		error_at(walker->spec, loc, "nothing here is called '%s', nor has enum '%s' such a value",
			 name, expected->name);
	else
		error_at(walker->spec, loc, "nothing here is called '%s'", name);
}

/* ---- constants ---- */

static bool version_value(struct spec *spec, const struct expr *expr, u64 *value)
{
	u32 major = (u32)(expr->number >> 32), minor = (u32)expr->number;
	const struct version *version;

	for (version = spec->versions; version; version = version->next) {
		if (version->major != major || version->minor != minor)
			continue;
		*value = version->value;
		return true;
	}
	return false;
}

static bool fold(enum op op, u64 a, u64 b, u64 *value)
{
	switch (op) {
	case OP_ADD:
		return !__builtin_add_overflow(a, b, value);
	case OP_SUB:
		return !__builtin_sub_overflow(a, b, value);
	case OP_MUL:
		return !__builtin_mul_overflow(a, b, value);
	case OP_DIV:
		*value = b ? a / b : 0;
		return b;
	case OP_MOD:
		*value = b ? a % b : 0;
		return b;
	case OP_SHL:
		*value = b < 64 ? a << b : 0;
		return b < 64 && *value >> b == a;
	case OP_SHR:
		*value = b < 64 ? a >> b : 0;
		return true;
	case OP_AND:
		*value = a & b;
		return true;
	case OP_OR:
		*value = a | b;
		return true;
	default:
		return false;
	}
}

/* Whether an expression has one value, known here; what is not is no error. */
bool constant_value(struct spec *spec, const struct expr *expr, u64 *value)
{
	const struct layout *layout;
	struct constant *constant;
	u64 a, b;

	switch (expr->kind) {
	case E_NUMBER:
		*value = expr->number;
		return true;
	case E_VERSION:
		return version_value(spec, expr, value);
	case E_NAME:
		constant = expr->part ? NULL : find_constant(spec, expr->name);
		if (!constant || !constant->used)
			return false;
		constant->named = true;
		*value = constant->value;
		return true;
	case E_SIZEOF:
		layout = spec_layout(spec, expr->name);
		if (!layout || !layout->fixed)
			return false;
		*value = (u64)layout->fixed_size;
		return true;
	case E_BINARY:
		return constant_value(spec, expr->a, &a) && constant_value(spec, expr->b, &b) &&
		       fold(expr->op, a, b, value);
	default:
		return false;
	}
}

/* ---- declarations ---- */

struct interval type_range(const struct type *type)
{
	struct interval range = { 0, 0 };

	if (type->width)
		range.hi = ((s128)1 << type->width * 8) - 1;
	return range;
}

static void twice(struct spec *spec, struct loc loc, struct loc first, const char *what, const char *name)
{
	error_at(spec, loc, "%s '%s' is there already", what, name);
	note_at(spec, first, "here");
}

#define REFUSE_TWINS(kind, first, what)							\
	do {										\
		struct kind *one, *other;						\
											\
		for (one = (first); one; one = one->next) {				\
			for (other = (first); other != one; other = other->next) {	\
				if (strcmp(one->name, other->name))			\
					continue;					\
				twice(spec, one->loc, other->loc, what, one->name);	\
				break;							\
			}								\
		}									\
	} while (0)

static void declare_versions(struct spec *spec)
{
	struct version *version;

	for (version = spec->versions; version; version = version->next) {
		version->value = (u64)version->major << spec->version_shift | version->minor;
		if (version->minor >> spec->version_shift)
			error_at(spec, version->loc, "minor %u does not fit below a major shifted by %u",
				 version->minor, spec->version_shift);
		else if (version->next &&
			 version->value >= ((u64)version->next->major << spec->version_shift |
					    version->next->minor))
			error_at(spec, version->next->loc, "versions are listed from oldest to newest");
	}
}

/* Why an expression is no constant. */
static void no_constant(struct spec *spec, const struct expr *expr)
{
	u64 a, b;

	if (expr->kind == E_NAME)
		error_at(spec, expr->loc, "'%s' is no constant, or none declared above", expr->name);
	else if (expr->kind != E_BINARY)
		error_at(spec, expr->loc, "a constant is made of numbers, versions and constants above");
	else if (!constant_value(spec, expr->a, &a))
		no_constant(spec, expr->a);
	else if (!constant_value(spec, expr->b, &b))
		no_constant(spec, expr->b);
	else if ((expr->op == OP_DIV || expr->op == OP_MOD) && !b)
		error_at(spec, expr->b->loc, "this is 0, and is divided by");
	else
		error_at(spec, expr->loc, "this is no number of 0 to 64 bits");
}

static void declare_constants(struct spec *spec)
{
	struct constant *constant;

	for (constant = spec->constants; constant; constant = constant->next) {
		if (!constant_value(spec, constant->expr, &constant->value))
			no_constant(spec, constant->expr);
		constant->used = true;	/* visible from here on */
	}
}

static void declare_enumeration(struct spec *spec, struct enumeration *enumeration)
{
	struct interval range = type_range(enumeration->type);
	struct enumerator *value, *other;

	REFUSE_TWINS(enumerator, enumeration->values, "value");
	if (!enumeration->values)
		error_at(spec, enumeration->loc, "an enum has at least one value");
	for (value = enumeration->values; value; value = value->next) {
		if (value->value > (u64)range.hi)
			error_at(spec, value->loc, "%llu does not fit %s",
				 (unsigned long long)value->value, enumeration->type->name);
		for (other = enumeration->values; other != value; other = other->next)
			if (other->value == value->value)
				error_at(spec, value->loc, "'%s' has this number already", other->name);
	}
}

static void declare_flagset(struct spec *spec, struct flagset *flagset)
{
	struct flag *flag;

	REFUSE_TWINS(flag, flagset->flags, "flag");
	for (flag = flagset->flags; flag; flag = flag->next) {
		if (flagset->mask >> flag->bit & 1)
			error_at(spec, flag->loc, "bit %u has a name already", flag->bit);
		flagset->mask |= 1ULL << flag->bit;
	}
}

/* The ends of "in a .. b", both constant and inside of the type. */
static struct interval declared_range(struct spec *spec, const struct type *type,
				      const struct expr *lo, const struct expr *hi)
{
	struct interval range = type_range(type);
	u64 from, to;

	if (!lo)
		return range;
	if (!constant_value(spec, lo, &from))
		error_at(spec, lo->loc, "this end of the range is not a constant");
	else if (!constant_value(spec, hi, &to))
		error_at(spec, hi->loc, "this end of the range is not a constant");
	else if (from > to)
		error_at(spec, lo->loc, "the range is empty: %llu is more than %llu",
			 (unsigned long long)from, (unsigned long long)to);
	else if ((s128)to > range.hi)
		error_at(spec, hi->loc, "%llu does not fit the type", (unsigned long long)to);
	else
		range = (struct interval){ from, to };
	return range;
}

static struct interval version_range(const struct spec *spec)
{
	const struct version *last = spec->versions;

	while (last->next)
		last = last->next;
	return (struct interval){ spec->versions->value, last->value };
}

static void declare_context(struct spec *spec, struct context_value *value)
{
	struct type *type = value->type;

	if (value->is_version) {
		if (!spec->versions) {
			error_at(spec, value->loc, "a version, but no 'versions' are declared");
			return;
		}
		value->range = version_range(spec);
		return;
	}
	if (type->kind == T_STRUCT) {
		type->enumeration = find_enumeration(spec, type->name);
		type->flagset = find_flagset(spec, type->name);
		if (!type->enumeration && !type->flagset) {
			error_at(spec, type->loc, "no enum or flags are called '%s'", type->name);
			return;
		}
		type->kind = type->enumeration ? T_ENUM : T_FLAGS;
		type->width = type->enumeration ? type->enumeration->type->width : type->flagset->type->width;
	}
	value->range = declared_range(spec, type, value->lo, value->hi);
	if (type->enumeration)
		type->enumeration->used = true;
	if (type->flagset) {
		type->flagset->used = true;
		value->range.hi = type->flagset->mask;
	}
}

/* The C written has types of these names already. */
static void refuse_taken(struct spec *spec, const char *name, struct loc loc)
{
	static const char *const taken[] = { "context", "rule", "message", "msg" };
	size_t i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(name, taken[i]) && (i < 2 || spec->header))
			error_at(spec, loc, "'%s' is the name of a type in the C written", name);
}

static void declare_layouts(struct spec *spec)
{
	struct layout *layout;
	struct param *param;

	REFUSE_TWINS(layout, spec->layouts, "a struct, frame or message called");
	for (layout = spec->layouts; layout; layout = layout->next) {
		REFUSE_TWINS(param, layout->params, "parameter");
		for (param = layout->params; param; param = param->next)
			param->range = declared_range(spec, param->type, param->lo, param->hi);
		if (!strcmp(layout->name, "header"))
			error_at(spec, layout->loc, "only the header is called 'header'");
		refuse_taken(spec, layout->name, layout->loc);
		if (layout->kind == L_MESSAGE && !strcmp(layout->name, "kind"))
			error_at(spec, layout->loc, "a message called 'kind' could not be told from the kind of "
				 "message in the C written");
	}
}

/* In C, a constant must not be called like a value of an enum, or a flag. */
static void refuse_as_constant(struct spec *spec, const char *set, const char *name, struct loc loc)
{
	const char *both = spec_printf(spec, "%s_%s", set, name);
	const struct constant *constant = find_constant(spec, both);

	if (constant)
		twice(spec, constant->loc, loc, "in C, a constant called", both);
}

static void declare_c_names(struct spec *spec)
{
	const struct enumeration *enumeration;
	const struct flagset *flagset;
	const struct enumerator *value;
	const struct flag *flag;

	for (enumeration = spec->enumerations; enumeration; enumeration = enumeration->next)
		for (value = enumeration->values; value; value = value->next)
			refuse_as_constant(spec, enumeration->name, value->name, value->loc);
	for (flagset = spec->flagsets; flagset; flagset = flagset->next)
		for (flag = flagset->flags; flag; flag = flag->next)
			refuse_as_constant(spec, flagset->name, flag->name, flag->loc);
}

void declare(struct spec *spec)
{
	struct enumeration *enumeration;
	struct context_value *context;
	struct flagset *flagset;
	struct guidset *guidset;
	struct layout *layout;

	declare_versions(spec);
	REFUSE_TWINS(constant, spec->constants, "constant");
	declare_constants(spec);
	REFUSE_TWINS(enumeration, spec->enumerations, "enum");
	for (enumeration = spec->enumerations; enumeration; enumeration = enumeration->next) {
		declare_enumeration(spec, enumeration);
		refuse_taken(spec, enumeration->name, enumeration->loc);
		flagset = find_flagset(spec, enumeration->name);
		if (flagset)
			twice(spec, enumeration->loc, flagset->loc, "a type called", enumeration->name);
	}
	REFUSE_TWINS(flagset, spec->flagsets, "flag word");
	for (flagset = spec->flagsets; flagset; flagset = flagset->next)
		declare_flagset(spec, flagset);
	for (layout = spec->layouts; layout; layout = layout->next) {
		enumeration = find_enumeration(spec, layout->name);
		flagset = find_flagset(spec, layout->name);
		if (enumeration || (flagset && layout->kind == L_STRUCT))
			twice(spec, layout->loc, enumeration ? enumeration->loc : flagset->loc, "a type called",
			      layout->name);
	}
	REFUSE_TWINS(guidset, spec->guidsets, "GUID set");
	for (guidset = spec->guidsets; guidset; guidset = guidset->next)
		REFUSE_TWINS(guid, guidset->guids, "GUID");
	REFUSE_TWINS(context_value, spec->context, "context value");
	for (context = spec->context; context; context = context->next)
		declare_context(spec, context);
	declare_layouts(spec);
	declare_c_names(spec);
}
