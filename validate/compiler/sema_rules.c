/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks each layout in the order its checks run: numbers the rules, resolves their
 * expressions, and learns from each rule what holds after it.
 */
#include <stdarg.h>
#include <string.h>

#include "sema.h"

static const struct interval any_size = { 0, UINT32_MAX };

/* ---- rules ---- */

static u32 hash(const char *name)
{
	u32 value = 2166136261u;

	for (; *name; name++)
		value = (value ^ (u8)*name) * 16777619u;
	return value;
}

static const struct rule *find_id(const struct spec *spec, u32 id)
{
	const struct rule *rule;

	for (rule = spec->rules; rule && rule->id != id; rule = rule->next)
		;
	return rule;
}

/* A second rule of one name becomes name.2, and so on. */
static const char *unique_name(struct spec *spec, const char *name)
{
	const char *tried = name;
	const struct rule *twin;
	u32 n;

	for (n = 2; (twin = find_id(spec, hash(tried))) && !strcmp(twin->name, tried); n++)
		tried = spec_printf(spec, "%s.%u", name, n);
	return tried;
}

static bool same_in_c(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("._", *a) && strchr("._", *b)))
			return false;
	return *a == *b;
}

/* A rule's constant in C has '_' where its name has dots. */
static void refuse_c_twin(struct spec *spec, const struct rule *rule)
{
	const struct rule *other;

	for (other = spec->rules; other; other = other->next)
		if (strcmp(other->name, rule->name) && same_in_c(other->name, rule->name))
			error_at(spec, rule->loc, "the rules '%s' and '%s' have the same name in C; rename one",
				 other->name, rule->name);
}

struct rule *new_rule(struct spec *spec, enum rule_class class, struct layout *owner,
		      struct session *session, struct loc loc, const char *format, ...)
{
	struct rule *rule = spec_alloc(spec, sizeof(*rule));
	const struct rule *twin;
	char text[256];
	va_list args;

	rule->owner = owner;
	rule->loc = loc;
	rule->name = "";
	if (owner && owner->direction == REFUSED && owner->walking && owner->refused_rule)
		return rule;	/* what is refused anyway has no further rules */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	rule->name = unique_name(spec, spec_printf(spec, "%s.%s", spec->name, text));
	rule->id = hash(rule->name);
	twin = find_id(spec, rule->id);
	if (twin)
		error_at(spec, loc, "the rules '%s' and '%s' have the same id; rename one", twin->name, rule->name);
	refuse_c_twin(spec, rule);
	rule->number = ++spec->rule_count;
	rule->class = class;
	rule->session = session;
	if (spec->last_rule)
		spec->last_rule->next = rule;
	else
		spec->rules = rule;
	spec->last_rule = rule;
	return rule;
}

static struct rule *layout_rule(struct walker *walker, struct loc loc, const char *name)
{
	return new_rule(walker->spec, RULE_LAYOUT, walker->layout, NULL, loc, "%s.%s",
			walker->layout->name, name);
}

static struct rule *field_rule(struct walker *walker, struct field *field, struct loc loc, const char *kind)
{
	return new_rule(walker->spec, RULE_LAYOUT, walker->layout, NULL, loc, "%s.%s.%s",
			walker->layout->name, field->name, kind);
}

/* ---- names ---- */

void make_visible(struct walker *walker, struct field *field, struct item *let)
{
	const char *name = field ? field->name : let->name;
	struct loc loc = field ? field->loc : let->loc;
	u32 i;

	for (i = 0; i < walker->name_count; i++) {
		if (strcmp(walker->names[i].name, name))
			continue;
		error_at(walker->spec, loc, "'%s' is there already", name);
		if (walker->names[i].field)
			note_at(walker->spec, walker->names[i].field->loc, "here");
		return;
	}
	if (find_constant(walker->spec, name))
		error_at(walker->spec, loc, "a constant is called '%s'; a field cannot be", name);
	if (walker->name_count == MOST_NAMES) {
		error_at(walker->spec, loc, "more than %d names in one place", MOST_NAMES);
		return;
	}
	walker->names[walker->name_count++] = (struct visible){ name, field, let };
}

/* ---- refinements ---- */

static struct expr *self(struct walker *walker, struct field *field, struct bitpart *bit, struct loc loc)
{
	struct expr *expr = spec_alloc(walker->spec, sizeof(*expr));

	expr->kind = E_NAME;
	expr->loc = loc;
	expr->name = field->name;
	expr->part = bit ? bit->name : NULL;
	expr->ref = (struct ref){ .kind = REF_FIELD, .field = field, .bit = bit };
	expr->range = known(walker, &expr->ref);
	return expr;
}

static struct expr *number(struct walker *walker, u64 value, struct loc loc)
{
	struct expr *expr = spec_alloc(walker->spec, sizeof(*expr));

	expr->kind = E_NUMBER;
	expr->loc = loc;
	expr->number = value;
	expr->range = (struct interval){ value, value };
	return expr;
}

static struct expr *binary(struct walker *walker, enum op op, struct expr *a, struct expr *b, struct loc loc)
{
	struct expr *expr = spec_alloc(walker->spec, sizeof(*expr));

	expr->kind = E_BINARY;
	expr->op = op;
	expr->loc = loc;
	expr->a = a;
	expr->b = b;
	expr->is_truth = op >= OP_EQ;
	expr->uses_request = a->uses_request || b->uses_request;
	expr->range = (struct interval){ 0, 1 };
	return expr;
}

/* value % unit */
static struct expr *remainder_of(struct walker *walker, struct expr *value, struct expr *unit, struct loc loc)
{
	struct expr *expr = binary(walker, OP_MOD, value, unit, loc);

	expr->range.hi = unit->range.hi - 1;
	if (unit->range.lo >= 1)
		return expr;
	error_at(walker->spec, unit->loc, "this can be 0, and nothing is a multiple of 0");
	expr->range.hi = U64_TOP;	/* that is all there is to say about it */
	return expr;
}

/* Where and how much something is must be known from the message alone. */
static bool resolve_place(struct walker *walker, struct expr *expr)
{
	if (!resolve_number(walker, expr, NULL))
		return false;
	if (!expr->uses_request)
		return true;
	error_at(walker->spec, expr->loc, "where the parts of a message lie cannot depend on the request");
	return false;
}

static bool resolve_operands(struct walker *walker, struct refinement *refinement,
			     const struct enumeration *expected)
{
	bool good = true;
	u32 i;

	if (refinement->a)
		good &= resolve_number(walker, refinement->a, expected);
	if (refinement->b)
		good &= resolve_number(walker, refinement->b, expected);
	for (i = 0; i < refinement->list_length; i++)
		good &= resolve_number(walker, refinement->list[i], expected);
	if (refinement->kind == R_SET && !refinement->list_length) {
		error_at(walker->spec, refinement->loc, "an empty set holds nothing");
		return false;
	}
	return good;
}

/* The refinement as an expression over the field itself. */
static struct expr *refinement_test(struct walker *walker, struct refinement *refinement, struct expr *value)
{
	struct expr *test;
	u32 i;

	switch (refinement->kind) {
	case R_ZERO:
		return binary(walker, OP_EQ, value, number(walker, 0, refinement->loc), refinement->loc);
	case R_COMPARE:
		return binary(walker, refinement->op, value, refinement->a, refinement->loc);
	case R_MULTIPLE:
		return binary(walker, OP_EQ, remainder_of(walker, value, refinement->a, refinement->loc),
			      number(walker, 0, refinement->loc), refinement->loc);
	default:
		test = binary(walker, OP_EQ, value, refinement->kind == R_RANGE ? refinement->a : value,
			      refinement->loc);
		test->kind = refinement->kind == R_RANGE ? E_RANGE : E_SET;
		test->b = refinement->a;
		test->c = refinement->b;
		test->list = refinement->list;
		test->list_length = refinement->list_length;
		for (i = 0; i < test->list_length; i++)
			test->uses_request |= test->list[i]->uses_request;
		if (test->c)
			test->uses_request |= test->c->uses_request;
		return test;
	}
}

static const char *refinement_kind(const struct refinement *refinement)
{
	switch (refinement->kind) {
	case R_ZERO:
		return "zero";
	case R_RANGE:
		return "range";
	case R_SET:
		return "set";
	case R_MULTIPLE:
		return "multiple";
	case R_NO_OVERLAP:
		return "overlap";
	default:
		return refinement->op == OP_EQ || refinement->op == OP_NE ? "value" : "limit";
	}
}

/* Rules about the request are checked when the bytes are gone: of the message there is the view. */
void refuse_size(struct walker *walker, const struct expr *expr)
{
	u32 i;

	if (!expr)
		return;
	if (expr->kind == E_SIZE || expr->kind == E_REMAINING)
		error_at(walker->spec, expr->loc, "this is known only while the message is checked: give it a name with 'let'");
	refuse_size(walker, expr->a);
	refuse_size(walker, expr->b);
	refuse_size(walker, expr->c);
	for (i = 0; i < expr->list_length; i++)
		refuse_size(walker, expr->list[i]);
}

static void judge(struct walker *walker, const struct expr *test, struct loc loc)
{
	int verdict = test->uses_request ? -1 : always(walker, test);

	if (verdict == 1)
		warn_at(walker->spec, loc, "this can never fail");
	else if (!verdict && test->kind == E_RANGE && test->b->range.lo > test->c->range.hi)
		error_at(walker->spec, loc, "this always fails: the range is empty");
	else if (!verdict)
		error_at(walker->spec, loc, "this always fails");
}

static void walk_test(struct walker *walker, struct field *field, struct bitpart *bit,
		      struct refinement *refinement)
{
	struct expr *value = self(walker, field, bit, refinement->loc);
	const struct enumeration *expected = bit ? NULL : enumeration_of(value);

	if (!resolve_operands(walker, refinement, expected))
		return;
	refinement->test = refinement_test(walker, refinement, value);
	refinement->uses_request = refinement->test->uses_request;
	judge(walker, refinement->test, refinement->loc);
	if (refinement->uses_request)
		refuse_size(walker, refinement->test);
	refinement->rule = new_rule(walker->spec, refinement->uses_request ? RULE_REQUEST : RULE_LAYOUT,
				    walker->layout, NULL, refinement->loc, "%s.%s%s%s.%s",
				    walker->layout->name, field->name, bit ? "." : "", bit ? bit->name : "",
				    refinement_kind(refinement));
	walker->layout->has_request_rules |= refinement->uses_request;
	learn(walker, refinement->test);
}

static bool has_place(const struct type *type)
{
	return !is_scalar(type) && type->kind != T_STRUCT && type->kind != T_UNION;
}

static void walk_no_overlap(struct walker *walker, struct field *field, struct refinement *refinement)
{
	u32 i;

	for (i = 0; i < walker->name_count; i++)
		if (walker->names[i].field && !strcmp(walker->names[i].name, refinement->name))
			refinement->other = walker->names[i].field;
	if (!refinement->other)
		unknown_name(walker, refinement->loc, refinement->name, NULL);
	else if (!has_place(field->type) || !has_place(refinement->other->type))
		error_at(walker->spec, refinement->loc, "only bytes, strings, arrays and lists can overlap");
	else if (field->ignored || refinement->other->ignored)
		error_at(walker->spec, refinement->loc, "what is ignored may lie anywhere");
	else
		refinement->rule = field_rule(walker, field, refinement->loc, "overlap");
}

static void note_constant(struct field *field, const struct refinement *refinement)
{
	const struct expr *test = refinement->test;

	if (!test || test->uses_request || refinement->kind == R_MULTIPLE || test->kind != E_BINARY ||
	    test->op != OP_EQ || test->b->range.lo != test->b->range.hi)
		return;
	field->constant = true;
	field->constant_value = (u64)test->b->range.lo;
}

/* What looks like an upper bound, up to a refinement. */
static const struct refinement *looks_like_bound(const struct field *field, const struct refinement *until)
{
	const struct refinement *one;

	for (one = field->refinements; one != until; one = one->next)
		if (one->kind == R_RANGE ||
		    (one->kind == R_COMPARE && (one->op == OP_LT || one->op == OP_LE || one->op == OP_EQ)))
			return one;
	return NULL;
}

static void check_role(struct walker *walker, struct field *field, struct refinement *refinement)
{
	const struct refinement *bound = looks_like_bound(field, refinement);
	struct interval now = known(walker, &(struct ref){ .kind = REF_FIELD, .field = field });

	field->role = refinement->role;
	field->checked = true;
	if (refinement->role == ROLE_NUMBER || now.hi < field->range.hi)
		return;
	if (bound)
		error_at(walker->spec, bound->loc, "this is no bound for '%s', which addresses memory: its other side has none",
			 field->name);
	else
		error_at(walker->spec, field->loc, "'%s' addresses memory and has no bound", field->name);
}

/* "endpoint : guid = request.endpoint": the only thing said about a GUID by a rule of its own. */
static void walk_guid(struct walker *walker, struct field *field, struct refinement *refinement)
{
	struct expr *asked = refinement->a;

	if (refinement->kind != R_COMPARE || refinement->op != OP_EQ || asked->kind != E_REQUEST || asked->part) {
		error_at(walker->spec, refinement->loc, "a GUID can only be compared so: '= request.%s'", field->name);
		return;
	}
	if (!resolve_request_guid(walker, asked))
		return;
	refinement->test = binary(walker, OP_EQ, self(walker, field, NULL, refinement->loc), asked, refinement->loc);
	refinement->uses_request = walker->layout->has_request_rules = true;
	refinement->rule = new_rule(walker->spec, RULE_REQUEST, walker->layout, NULL, refinement->loc, "%s.%s.value",
				    walker->layout->name, field->name);
}

/* Whether a field holds structs, with rules of their own. */
static bool has_parts(const struct type *type)
{
	return type->layout || type->kind == T_UNION || (type->element && type->element->layout);
}

static void walk_refinement(struct walker *walker, struct field *field, struct refinement *refinement)
{
	switch (refinement->kind) {
	case R_ANY:
		field->checked = true;
		return;
	case R_IGNORED:
		if (has_parts(field->type))
			error_at(walker->spec, refinement->loc,
				 "a struct says itself what its fields may hold, 'ignored' or not");
		field->ignored = field->checked = true;
		return;
	case R_NO_OVERLAP:
		walk_no_overlap(walker, field, refinement);
		return;
	case R_AS:
		if (!is_scalar(field->type))
			error_at(walker->spec, refinement->loc, "only numbers have a role");
		else
			check_role(walker, field, refinement);
		return;
	default:
		break;
	}
	if (field->type->kind == T_GUID) {
		walk_guid(walker, field, refinement);
		return;
	}
	if (!is_scalar(field->type) || field->type->kind == T_BITS) {
		error_at(walker->spec, refinement->loc, "only a number can be compared%s",
			 field->type->kind == T_BITS ? "; write this behind a part of the word" : "");
		return;
	}
	field->checked = true;
	walk_test(walker, field, NULL, refinement);
	note_constant(field, refinement);
}

/* "as" is looked at last: it asks what the others left open. */
static void walk_refinements(struct walker *walker, struct field *field)
{
	struct refinement *refinement;

	for (refinement = field->refinements; refinement; refinement = refinement->next)
		if (refinement->kind != R_AS)
			walk_refinement(walker, field, refinement);
	for (refinement = field->refinements; refinement; refinement = refinement->next)
		if (refinement->kind == R_AS)
			walk_refinement(walker, field, refinement);
}

/* ---- types ---- */

static void walk_bits(struct walker *walker, struct field *field)
{
	struct refinement *refinement;
	struct bitpart *bit;

	for (bit = field->type->bits; bit; bit = bit->next) {
		for (refinement = bit->refinements; refinement; refinement = refinement->next) {
			if (refinement->kind == R_NO_OVERLAP || refinement->kind == R_AS) {
				error_at(walker->spec, refinement->loc, "a part of a word has no such rule");
				continue;
			}
			bit->ignored |= refinement->kind == R_IGNORED || refinement->kind == R_ZERO;
			bit->checked = true;
			if (refinement->kind != R_ANY && refinement->kind != R_IGNORED)
				walk_test(walker, field, bit, refinement);
		}
		bit->final = known(walker, &(struct ref){ .kind = REF_FIELD, .field = field, .bit = bit });
	}
	field->checked = true;
}

static void walk_enum(struct walker *walker, struct field *field)
{
	const struct enumeration *enumeration = field->type->enumeration;
	struct interval range = { field->range.hi, 0 };
	const struct enumerator *value;

	field->checked = true;
	if (enumeration->others_allowed)
		return;
	for (value = enumeration->values; value; value = value->next) {
		range.lo = (s128)value->value < range.lo ? (s128)value->value : range.lo;
		range.hi = (s128)value->value > range.hi ? (s128)value->value : range.hi;
	}
	field->enum_rule = field_rule(walker, field, field->type->loc, "enum");
	narrow(walker, &(struct ref){ .kind = REF_FIELD, .field = field }, range);
}

static void walk_flags(struct walker *walker, struct field *field)
{
	field->checked = true;
	if (field->type->flagset->others_zero && (s128)field->type->flagset->mask != field->range.hi)
		field->reserved_rule = field_rule(walker, field, field->type->loc, "reserved");
	narrow(walker, &(struct ref){ .kind = REF_FIELD, .field = field },
	       (struct interval){ 0, (s128)field->type->flagset->mask });
}

static void check_arguments(struct walker *walker, struct type *type)
{
	struct param *param = type->layout->params;
	u32 i;

	for (i = 0; i < type->argument_count; i++, param = param ? param->next : NULL) {
		if (!param) {
			error_at(walker->spec, type->arguments[i]->loc, "'%s' takes no further arguments", type->name);
			return;
		}
		if (!resolve_place(walker, type->arguments[i]))
			continue;
		if (type->arguments[i]->range.lo < param->range.lo || type->arguments[i]->range.hi > param->range.hi)
			error_at(walker->spec, type->arguments[i]->loc,
				 "this can lie outside of what parameter '%s' may be", param->name);
	}
	if (param)
		error_at(walker->spec, type->loc, "'%s' also needs '%s'", type->name, param->name);
}

/* "remaining" bytes are there, whatever it is. */
static bool can_exceed(const struct field *field, const struct expr *bytes)
{
	return field->at || bytes->kind != E_REMAINING;
}

static void walk_struct(struct walker *walker, struct type *type)
{
	walk_layout(walker->spec, type->layout);
	if (!type->layout->fixed)
		walker->layout->uses_region = true;
	if (type->layout->kind != L_HEADER)
		check_arguments(walker, type);
}

/* The walk inside of an element: only its own fields have names. */
static void walk_until(struct walker *walker, struct type *type)
{
	struct walker *inner = spec_alloc(walker->spec, sizeof(*inner));
	struct item *item;

	inner->spec = walker->spec;
	inner->layout = type->layout;
	inner->region = any_size;
	FOR_ITEMS(item, type->layout->items)
		if (item->kind == I_FIELD && is_scalar(item->field->type))
			make_visible(inner, item->field, NULL);
	if (type->until)
		resolve_truth(inner, type->until);
}

static void find_link(struct walker *walker, struct type *type)
{
	struct item *item;

	FOR_ITEMS(item, type->layout->items)
		if (item->kind == I_FIELD && !strcmp(item->field->name, type->linked))
			break;
	if (!item || item->field->type->kind != T_INT || item->field->ignored) {
		error_at(walker->spec, type->linked_loc, "struct '%s' has no number '%s' to link its elements by",
			 type->layout->name, type->linked);
		return;
	}
	item->field->checked = item->field->referenced = true;
	type->link = (struct ref){ .kind = REF_FIELD, .field = item->field };
}

static void walk_list(struct walker *walker, struct field *field)
{
	struct type *type = field->type;

	resolve_place(walker, type->bytes);
	resolve_place(walker, type->max);
	if (can_exceed(field, type->bytes))
		field->bounds_rule = field_rule(walker, field, type->bytes->loc, "bounds");
	field->max_rule = field_rule(walker, field, type->max->loc, "max");
	if (type->fixed_size < 0 && type->layout->fixed && type->layout->fixed_size > 1)
		field->whole_rule = field_rule(walker, field, type->loc, "whole");
	walk_struct(walker, type);
	if (type->until)
		walk_until(walker, type);
	if (type->linked) {
		find_link(walker, type);
		field->link_rule = field_rule(walker, field, type->linked_loc, "link");
	}
}

static bool all_values(const struct type *type, const struct enumeration *enumeration)
{
	const struct enumerator *value;
	const struct arm *arm;

	if (enumeration->others_allowed)
		return false;
	for (value = enumeration->values; value; value = value->next) {
		for (arm = type->arms; arm && strcmp(arm->name, value->name); arm = arm->next)
			;
		if (!arm)
			return false;
	}
	return true;
}

/* An arm of fixed size fits into a union of a stated size, and fills it. */
static void check_room(struct walker *walker, const struct type *type, const struct arm *arm)
{
	s128 least = arm->type->least_size, most = arm->type->fixed_size;

	if (!type->bytes)
		return;
	if (least > type->bytes->range.hi)
		error_at(walker->spec, arm->loc, "this arm has at least %u bytes, the union at most %u",
			 (u32)least, (u32)type->bytes->range.hi);
	else if (most >= 0 && most < type->bytes->range.lo)
		error_at(walker->spec, arm->loc, "this arm has %u bytes, the union at least %llu",
			 (u32)most, (unsigned long long)type->bytes->range.lo);
}

static void no_value(struct walker *walker, const struct arm *arm, const struct enumeration *enumeration)
{
	const struct enumerator *value;
	const char *best = NULL;

	for (value = enumeration->values; value; value = value->next)
		best = nearest(arm->name, best, value->name);
	if (best)
		error_at(walker->spec, arm->loc, "enum '%s' has no value '%s'; did you mean '%s'?",
			 enumeration->name, arm->name, best);
	else
		error_at(walker->spec, arm->loc, "enum '%s' has no value '%s'", enumeration->name, arm->name);
}

static void walk_arms(struct walker *walker, struct type *type, const struct enumeration *enumeration)
{
	const struct enumerator *value;
	struct arm *arm, *other;

	for (arm = type->arms; arm; arm = arm->next) {
		value = find_enumerator(enumeration, arm->name);
		if (!value) {
			no_value(walker, arm, enumeration);
			continue;
		}
		arm->value = value->value;
		for (other = type->arms; other != arm; other = other->next)
			if (!strcmp(other->name, arm->name))
				error_at(walker->spec, arm->loc, "'%s' has an arm already", arm->name);
		if (arm->type->kind == T_STRUCT)
			walk_struct(walker, arm->type);
		else if (arm->type->count)
			resolve_place(walker, arm->type->count);
		check_room(walker, type, arm);
	}
}

static void walk_union(struct walker *walker, struct field *field)
{
	struct type *type = field->type;
	const struct enumeration *enumeration;

	walker->layout->uses_region = true;
	if (!resolve_place(walker, type->tag))
		return;
	enumeration = enumeration_of(type->tag);
	if (!enumeration) {
		error_at(walker->spec, type->tag->loc, "the tag of a union is a field of an enum");
		return;
	}
	if (type->bytes)
		resolve_place(walker, type->bytes);
	field->bounds_rule = field_rule(walker, field, type->loc, "bounds");
	if (type->others_refused && !all_values(type, enumeration))
		field->tag_rule = field_rule(walker, field, type->tag->loc, "tag");
	walk_arms(walker, type, enumeration);
	if (type->bytes)
		field->filled_rule = field_rule(walker, field, type->bytes->loc, "filled");
}

static void walk_elements(struct walker *walker, struct field *field)
{
	struct type *type = field->type, *element = type->element;
	struct expr *amount = type->kind == T_FILL ? type->bytes : type->count;

	if (resolve_place(walker, amount) && type->kind == T_ARRAY && element->fixed_size > 1 &&
	    amount->range.hi > U64_TOP / element->fixed_size)
		error_at(walker->spec, amount->loc, "the bytes of that many elements can exceed 64 bits: bound it first");
	if (type->fixed_size < 0 && (type->kind == T_FILL || element->fixed_size >= 0) &&
	    (can_exceed(field, amount) || (type->kind == T_ARRAY && element->fixed_size > 1)))
		field->bounds_rule = field_rule(walker, field, amount->loc, "bounds");
	if (type->kind == T_FILL && element->fixed_size > 1)
		field->whole_rule = field_rule(walker, field, amount->loc, "whole");
	if (element->kind == T_STRUCT)
		walk_struct(walker, element);
	if (element->kind == T_ENUM && !element->enumeration->others_allowed)
		error_at(walker->spec, element->loc, "elements of an enum are not checked one by one: "
			 "let others be allowed, or make them structs");
}

static void walk_counted(struct walker *walker, struct field *field)
{
	struct type *type = field->type;

	resolve_place(walker, type->count);
	if (type->fixed_size < 0 && can_exceed(field, type->count))
		field->bounds_rule = field_rule(walker, field, type->count->loc, "bounds");
	if (type->kind == T_STRING)
		field->text_rule = field_rule(walker, field, type->loc, type->utf16 ? "utf16" : "ascii");
}

static void walk_type(struct walker *walker, struct field *field)
{
	if (!is_scalar(field->type))
		field->checked = true;
	switch (field->type->kind) {
	case T_ENUM:
		walk_enum(walker, field);
		break;
	case T_FLAGS:
		walk_flags(walker, field);
		break;
	case T_BITS:
		walk_bits(walker, field);
		break;
	case T_STRUCT:
		walk_struct(walker, field->type);
		break;
	case T_BYTES:
	case T_STRING:
		walk_counted(walker, field);
		break;
	case T_ARRAY:
	case T_FILL:
		walk_elements(walker, field);
		break;
	case T_LIST:
		walk_list(walker, field);
		break;
	case T_UNION:
		walk_union(walker, field);
		break;
	default:
		break;
	}
}

/* ---- items ---- */

static void walk_items(struct walker *walker, struct item *items);

static bool is_first(const struct walker *walker, const struct field *field)
{
	const struct item *item = walker->layout->items;

	while (item && item->kind != I_FIELD && item->kind != I_WHEN)
		item = item->next;
	return item && item->field == field;
}

static void walk_run(struct walker *walker, struct field *field)
{
	if (!field->run_bytes && !field->run_exact)
		return;
	walker->layout->uses_region = true;
	if (is_first(walker, field))
		field->run_rule = layout_rule(walker, field->is_header ? walker->layout->loc : field->loc, "size");
	else
		field->run_rule = field_rule(walker, field, field->loc, "bounds");
	if (field->offset >= 0 && field->offset + field->run_bytes > walker->region.lo && !walker->layout->has_extent)
		walker->region.lo = field->offset + field->run_bytes;
	if (field->run_exact)
		walker->region.hi = walker->region.lo;
}

static bool is_delivered(const struct field *field)
{
	const struct bitpart *bit;

	if (field->ignored || (field->constant && !field->referenced))
		return false;
	for (bit = field->type->bits; bit; bit = bit->next)
		if (!bit->ignored)
			return true;
	return field->type->kind != T_BITS;
}

static void walk_when_rule(struct walker *walker, struct layout *message)
{
	if (!message->when)
		return;
	if (!resolve_truth(walker, message->when))
		return;
	if (message->when->uses_request)
		error_at(walker->spec, message->when->loc, "which message this is cannot depend on the request");
	judge(walker, message->when, message->when->loc);
	message->when_rule = layout_rule(walker, message->when->loc, "when");
	learn(walker, message->when);
}

static void walk_field(struct walker *walker, struct field *field)
{
	field->range = type_range(field->type);
	if (field->type->kind == T_BITS || is_scalar(field->type))
		field->final = field->range;
	walk_run(walker, field);
	if (field->at) {
		walker->layout->uses_region = true;
		resolve_place(walker, field->at);
		if (field->type->fixed_size >= 0 || field->type->kind == T_STRUCT ||
		    (field->type->kind == T_ARRAY && field->type->element->fixed_size < 0))
			field->bounds_rule = field_rule(walker, field, field->at->loc, "bounds");
	}
	walk_type(walker, field);
	walk_refinements(walker, field);
	if (field->is_header)
		walk_when_rule(walker, walker->layout);
	else
		make_visible(walker, field, NULL);
}

static void walk_rule_item(struct walker *walker, struct item *item)
{
	if (!resolve_truth(walker, item->expr))
		return;
	judge(walker, item->expr, item->expr->loc);
	if (item->expr->uses_request)
		refuse_size(walker, item->expr);
	item->rule = new_rule(walker->spec, item->expr->uses_request ? RULE_REQUEST : RULE_LAYOUT,
			      walker->layout, NULL, item->loc, "%s.%s", walker->layout->name, item->name);
	walker->layout->has_request_rules |= item->expr->uses_request;
	learn(walker, item->expr);
}

static void walk_let(struct walker *walker, struct item *item)
{
	if (!resolve_number(walker, item->expr, NULL))
		return;
	if (item->expr->uses_request)
		error_at(walker->spec, item->expr->loc, "a 'let' cannot depend on the request");
	item->range = item->expr->range;
	make_visible(walker, NULL, item);
}

static void walk_extent(struct walker *walker, struct item *item)
{
	if (walker->deep)
		error_at(walker->spec, item->loc, "'extent' stands at the top of a layout, not in a 'when'");
	if (walker->extent)
		error_at(walker->spec, item->loc, "a layout has one 'extent'");
	walker->extent = true;
	walker->layout->uses_region = true;
	if (!resolve_place(walker, item->expr))
		return;
	item->rule = layout_rule(walker, item->expr->loc, "extent");
	forget_size(walker);
	if (item->expr->range.hi < walker->region.hi)
		walker->region.hi = item->expr->range.hi;
	if (item->expr->range.lo > walker->region.lo)
		walker->region.lo = item->expr->range.lo;
}

static bool mentions_request(const struct expr *expr)
{
	u32 i;

	if (!expr)
		return false;
	for (i = 0; i < expr->list_length; i++)
		if (mentions_request(expr->list[i]))
			return true;
	return expr->kind == E_REQUEST || mentions_request(expr->a) || mentions_request(expr->b) ||
	       mentions_request(expr->c);
}

/* Whether there are rules about the request in here. */
static bool asks(const struct item *items)
{
	const struct refinement *refinement;
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_RULE && mentions_request(item->expr))
			return true;
		for (refinement = item->field ? item->field->refinements : NULL; refinement; refinement = refinement->next)
			if (mentions_request(refinement->a) || mentions_request(refinement->b))
				return true;
		if (asks(item->then) || asks(item->otherwise))
			return true;
	}
	return false;
}

static void walk_when(struct walker *walker, struct item *item)
{
	u32 narrowed = walker->narrowed_count, facts = walker->fact_count, names = walker->name_count;
	struct interval region = walker->region;
	int verdict;

	if (!resolve_truth(walker, item->expr))
		return;
	if (item->expr->uses_request)
		error_at(walker->spec, item->expr->loc, "what a message holds cannot depend on the request");
	verdict = always(walker, item->expr);
	if (verdict >= 0)
		warn_at(walker->spec, item->expr->loc, verdict ? "this is always so" : "this is never so");
	walker->deep++;
	learn(walker, item->expr);
	if (asks(item->then) || asks(item->otherwise))
		refuse_size(walker, item->expr);
	walk_items(walker, item->then);
	unlearn(walker, narrowed, facts);
	walker->name_count = names;
	walker->region = region;
	walk_items(walker, item->otherwise);
	unlearn(walker, narrowed, facts);
	walker->name_count = names;
	walker->region = region;
	walker->deep--;
}

static void walk_items(struct walker *walker, struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items) {
		switch (item->kind) {
		case I_FIELD:
			walk_field(walker, item->field);
			break;
		case I_RULE:
			walk_rule_item(walker, item);
			break;
		case I_LET:
			walk_let(walker, item);
			break;
		case I_EXTENT:
			walk_extent(walker, item);
			break;
		case I_WHEN:
			walk_when(walker, item);
			break;
		default:
			break;
		}
	}
}

static bool same_type(const struct type *a, const struct type *b)
{
	return a->kind == b->kind && a->width == b->width && a->layout == b->layout &&
	       a->kind != T_BITS && a->kind != T_UNION;
}

/* A name in a view: a field, a part of a word of bits, or a let. */
struct member {
	const char *name;
	struct loc loc;
	const struct type *type;	/* of a field that may share its name */
};

struct members {
	struct member member[MOST_NAMES];
	u32 count;
};

static void add_member(struct members *members, const char *name, struct loc loc, const struct type *type)
{
	if (members->count < MOST_NAMES)
		members->member[members->count++] = (struct member){ name, loc, type };
}

static void flatten(struct spec *spec, struct item *items, struct members *members)
{
	const struct bitpart *bit;
	struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			add_member(members, item->field->name, item->field->loc, item->field->type);
		if (item->kind == I_LET)
			add_member(members, item->name, item->loc, NULL);
		for (bit = item->kind == I_FIELD ? item->field->type->bits : NULL; bit; bit = bit->next)
			add_member(members, spec_printf(spec, "%s_%s", item->field->name, bit->name), bit->loc, NULL);
		flatten(spec, item->then, members);
		flatten(spec, item->otherwise, members);
	}
}

/* Fields of different branches may share a name if they are of one type; nothing else may. */
static void check_branches(struct spec *spec, struct layout *layout)
{
	struct members *members = spec_alloc(spec, sizeof(*members));
	const struct member *one, *other;

	flatten(spec, layout->items, members);
	for (one = members->member; one < members->member + members->count; one++) {
		for (other = members->member; other < one; other++) {
			if (strcmp(one->name, other->name))
				continue;
			if (one->type && other->type && same_type(one->type, other->type))
				continue;
			error_at(spec, one->loc, one->type && other->type ? "'%s' is there already, with another type" :
				 "'%s' is there already, in C at least", one->name);
			note_at(spec, other->loc, "here");
			return;
		}
	}
}

static void settle_items(struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			item->field->delivered = is_delivered(item->field);
		if (item->kind == I_WHEN) {
			settle_items(item->then);
			settle_items(item->otherwise);
		}
	}
}

static bool delivers(const struct item *items, const char *name)
{
	const struct item *item;

	FOR_ITEMS(item, items)
		if ((item->kind == I_FIELD && item->field->delivered && !strcmp(item->field->name, name)) ||
		    delivers(item->then, name) || delivers(item->otherwise, name))
			return true;
	return false;
}

/* A constant is delivered where a field of its name in another branch is. */
static void settle_namesakes(const struct layout *layout, struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD && item->field->constant && !item->field->ignored &&
		    delivers(layout->items, item->field->name))
			item->field->delivered = true;
		settle_namesakes(layout, item->then);
		settle_namesakes(layout, item->otherwise);
	}
}

/* Once all uses are known: what goes into the views. */
void settle_fields(struct spec *spec)
{
	struct layout *layout;

	if (spec->header)
		settle_items(spec->header->items);
	for (layout = spec->layouts; layout; layout = layout->next) {
		check_branches(spec, layout);
		settle_items(layout->items);
		settle_namesakes(layout, layout->items);
	}
}

/* What holds of the fields for those who use a struct or a header as a part. */
static void set_final(struct walker *walker, struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items)
		if (item->kind == I_FIELD)
			item->field->final = known(walker, &(struct ref){ .kind = REF_FIELD, .field = item->field });
}

static void find_request(struct spec *spec, struct layout *message)
{
	struct layout *request;

	if (!message->answers)
		return;
	request = spec_layout(spec, message->answers);
	if (!request || request->kind != L_MESSAGE)
		error_at(spec, message->answers_loc, "no message is called '%s'", message->answers);
	else if (request->direction == REFUSED || request->direction == FROM_HOST)
		error_at(spec, message->answers_loc, "'%s' is no message to the host", message->answers);
	else if (message->direction != FROM_HOST && message->direction != EITHER_WAY)
		error_at(spec, message->loc, "only a message from the host answers one of ours");
	else if (request == message)
		error_at(spec, message->answers_loc, "a message cannot answer itself");
	else
		message->request = request;
	if (!message->request)
		return;
	request->is_request = true;
	if (!request->walking)
		walk_layout(spec, request);
}

static bool takes_all(const struct field *field)
{
	const struct type *type = field->type;
	const struct expr *bytes = type->bytes ? type->bytes : type->kind == T_BYTES || type->kind == T_STRING ?
				   type->count : NULL;

	return !field->at && bytes && bytes->kind == E_REMAINING;
}

static bool wants_trailing(const struct layout *layout)
{
	const struct item *item;
	bool all = false;

	if (layout->trailing_ignored || (layout->kind == L_STRUCT && !layout->has_extent) || layout->kind == L_HEADER)
		return false;
	FOR_ITEMS(item, layout->items)
		if (item->kind == I_FIELD && item->field->run_exact)
			return false;
	FOR_ITEMS(item, layout->items)
		if (item->kind == I_WHEN || (item->kind == I_FIELD && !item->field->at))
			all = item->kind == I_FIELD && takes_all(item->field);
	return !all;
}

void walk_layout(struct spec *spec, struct layout *layout)
{
	struct walker *walker;
	struct loc loc = layout->loc;

	if (layout->walked || layout->walking || layout->least_size < 0)
		return;
	layout->walking = true;
	find_request(spec, layout);
	walker = spec_alloc(spec, sizeof(*walker));
	walker->spec = spec;
	walker->layout = layout;
	walker->region = any_size;
	if (layout->direction == REFUSED)
		layout->refused_rule = layout_rule(walker, layout->loc, "refused");
	walk_items(walker, layout->items);
	if (wants_trailing(layout)) {
		layout->uses_region = true;
		layout->trailing_rule = layout_rule(walker, loc, "trailing");
	}
	set_final(walker, layout->items);
	layout->walking = false;
	layout->walked = true;
}
