/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interpreter of specifications. It walks a message item by item, as the language
 * describes it, with whole numbers that cannot overflow and a check of every byte it
 * reads. It allocates nothing and trusts nothing the C back end computes.
 */
#include <string.h>

#include "interp.h"

#define MOST_RECORDS 4096
#define MOST_STEPS 65536	/* elements, once a rule that bounds them is disabled */

/* A name that has a value: a field, a let or a parameter. */
struct record {
	const void *key;
	s128 value, offset, size;
};

struct interp_walk {
	const struct spec *spec;
	const struct interp_message *message;
	struct interp_observer *observer;
	const struct interp_scope *request;	/* of the request this message answers */
	bool matching;				/* rules about the request are judged, too */
	bool blind;				/* saw() is not called */
	u32 verdict, steps;
	struct record *records;
};

typedef struct interp_scope scope;

static s128 value(const scope *s, const struct expr *expr);
static bool walk_struct(const scope *outer, const struct field *field, const struct type *type, s128 start,
			const struct interp_region *region, scope *inner);

/* ---- verdicts ---- */

static s128 undefined(const scope *s)
{
	if (!s->walk->verdict)
		s->walk->verdict = INTERP_UNDEFINED;
	return 0;
}

static bool disabled(const scope *s)
{
	return s->walk->observer && s->walk->observer->disabled;
}

/* True: go on. */
static bool judge(const scope *s, const struct interp_site *site)
{
	struct interp_walk *walk = s->walk;
	struct interp_site full = *site;

	if (walk->verdict)
		return false;
	full.scope = s;
	if (walk->observer && walk->observer->passed)
		walk->observer->passed(walk->observer->arg, &full);
	if (site->kept)
		return true;
	if (!site->rule)
		return undefined(s);
	if (walk->observer && walk->observer->disabled == site->rule->number)
		return true;
	walk->verdict = site->rule->number;
	return false;
}

static bool quiet(const scope *s, bool kept)
{
	return kept && !s->walk->observer && !s->walk->verdict;
}

/* A place where messages differ: for the observer only. */
static void tell(const scope *s, const struct interp_site *site)
{
	struct interp_site full = *site;

	if (!s->walk->observer || !s->walk->observer->passed)
		return;
	full.scope = s;
	full.rule = NULL;
	s->walk->observer->passed(s->walk->observer->arg, &full);
}

static void saw(const scope *s, const struct field *field, const struct bitpart *bit,
		s128 offset, u32 width, s128 number)
{
	struct interp_observer *observer = s->walk->observer;

	if (observer && observer->saw && !s->walk->blind)
		observer->saw(observer->arg, field, bit, (u32)offset, width, (u64)number);
}

static void nested(const scope *s, const struct field *field, const struct arm *arm, bool element,
		   bool inside, s128 offset)
{
	struct interp_observer *observer = s->walk->observer;

	if (observer && observer->nested && !s->walk->blind)
		observer->nested(observer->arg, field, arm, element, inside, (u32)offset);
}

/* ---- bytes ---- */

/* Past the end, where only a disabled rule can lead, bytes are zero. */
static u8 byte_at(const scope *s, s128 offset)
{
	const struct interp_message *message = s->walk->message;

	if (offset >= 0 && offset < message->size)
		return message->bytes[(u32)offset];
	if (!disabled(s))
		undefined(s);
	return 0;
}

static u64 load(const scope *s, s128 offset, u32 width, bool big)
{
	u64 number = 0;
	u32 i;

	for (i = 0; i < width; i++)
		number = number << 8 | byte_at(s, offset + (big ? i : width - 1 - i));
	return number;
}

/* ---- names ---- */

static struct record *find(const scope *s, const void *key)
{
	struct record *record = &s->walk->records[s->first + s->count];
	u32 left;

	for (left = s->count; left; left--)
		if ((--record)->key == key)
			return record;
	return NULL;
}

static struct record *add(scope *s, const void *key, s128 number, s128 offset, s128 size)
{
	static struct record spare;
	struct record *record = &s->walk->records[s->first + s->count];

	if (s->first + s->count >= MOST_RECORDS - 1) {
		undefined(s);
		return &spare;
	}
	*record = (struct record){ key, number, offset, size };
	s->count++;
	return record;
}

static s128 part_of(const struct ref *ref, s128 number)
{
	if (ref->flag)
		return (number >> ref->flag->bit) & 1;
	if (ref->bit)
		return (number >> ref->bit->shift) & (((s128)1 << ref->bit->width) - 1);
	return number;
}

/* From the start of a fixed struct to one of its fields. */
static s128 inner_offset(const struct layout *layout, const struct field *field)
{
	const struct item *item;
	s128 offset = 0;

	FOR_ITEMS(item, layout->items) {
		if (item->kind != I_FIELD)
			continue;
		if (item->field == field)
			return offset;
		offset += item->field->type->fixed_size;
	}
	return -1;
}

/* The place of a field inside of nested fixed structs. */
static s128 nested_offset(const struct ref *ref, s128 offset)
{
	const struct field *inner;
	s128 step;
	u32 i;

	for (i = 0; i < ref->path_length; i++) {
		inner = i + 1 < ref->path_length ? ref->path[i + 1] : ref->field;
		step = inner_offset(ref->path[i]->type->layout, inner);
		if (step < 0)
			return -1;
		offset += step;
	}
	return offset;
}

/* Bits that are ignored have no part in what a flags word is worth. */
static s128 meaning(const struct type *type, s128 number)
{
	const struct flag *flag;
	s128 known = 0;

	if (type->kind != T_FLAGS || type->flagset->others_zero)
		return number;
	for (flag = type->flagset->flags; flag; flag = flag->next)
		known |= (s128)1 << flag->bit;
	return number & known;
}

static s128 field_value(const scope *s, const struct ref *ref)
{
	const struct record *record = find(s, ref->path_length ? ref->path[0] : ref->field);
	const struct type *type = ref->field->type;
	s128 offset;

	if (!record)
		return undefined(s);
	if (!ref->path_length)
		return record->value;
	offset = nested_offset(ref, record->offset);
	return offset < 0 ? undefined(s) : meaning(type, load(s, offset, type->width, type->big));
}

static s128 name_value(const scope *s, const struct expr *expr)
{
	const struct ref *ref = &expr->ref;
	const struct record *record;

	switch (ref->kind) {
	case REF_FIELD:
		return part_of(ref, field_value(s, ref));
	case REF_LET:
	case REF_PARAM:
		record = find(s, ref->kind == REF_LET ? (const void *)ref->let : ref->param);
		return record ? record->value : undefined(s);
	case REF_CONTEXT:
		return part_of(ref, s->walk->message->context[ref->context->index]);
	case REF_CONST:
	case REF_ENUMERATOR:
		return expr->number;
	default:
		return undefined(s);
	}
}

/* ---- expressions ---- */

static s128 compute(const scope *s, enum op op, s128 a, s128 b)
{
	s128 result = 0;
	bool bad = false;

	switch (op) {
	case OP_ADD:
		bad = __builtin_add_overflow(a, b, &result);
		break;
	case OP_SUB:
		bad = __builtin_sub_overflow(a, b, &result);
		break;
	case OP_MUL:
		bad = __builtin_mul_overflow(a, b, &result);
		break;
	case OP_SHL:
		bad = b < 0 || b > 63 || __builtin_mul_overflow(a, (s128)1 << (int)b, &result);
		break;
	case OP_SHR:
		bad = a < 0 || b < 0 || b > 63;
		result = bad ? 0 : a >> (int)b;
		break;
	case OP_DIV:
		bad = a < 0 || b <= 0;
		result = bad ? 0 : a / b;
		break;
	case OP_MOD:
		bad = a < 0 || b <= 0;
		result = bad ? 0 : a % b;
		break;
	case OP_AND:
		bad = a < 0 || b < 0;
		result = a & b;
		break;
	default:
		bad = a < 0 || b < 0;
		result = a | b;
		break;
	}
	return bad ? undefined(s) : result;
}

static bool compare(enum op op, s128 a, s128 b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	default:
		return a >= b;
	}
}

/* The right side of "and", "or" and "implies" may have a value only where it matters. */
static s128 binary_value(const scope *s, const struct expr *expr)
{
	s128 a = value(s, expr->a), b;

	if (expr->op == OP_BOTH)
		return a && value(s, expr->b);
	if (expr->op == OP_EITHER)
		return a || value(s, expr->b);
	if (expr->op == OP_IMPLIES)
		return !a || value(s, expr->b);
	b = value(s, expr->b);
	return expr->op >= OP_EQ ? compare(expr->op, a, b) : compute(s, expr->op, a, b);
}

static bool member(const scope *s, s128 number, struct expr **list, u32 length)
{
	u32 i;

	for (i = 0; i < length; i++)
		if (value(s, list[i]) == number)
			return true;
	return false;
}

static s128 value(const scope *s, const struct expr *expr)
{
	s128 a;

	switch (expr->kind) {
	case E_NUMBER:
	case E_VERSION:
	case E_SIZEOF:
	case E_OFFSETOF:
		return expr->number;
	case E_NAME:
		return name_value(s, expr);
	case E_REQUEST:
		return s->walk->request ? part_of(&expr->ref, field_value(s->walk->request, &expr->ref)) :
					  undefined(s);
	case E_SIZE:
		return s->region.end - s->start;
	case E_REMAINING:
		return s->region.end - s->cursor;
	case E_NOT:
		return !value(s, expr->a);
	case E_BINARY:
		return binary_value(s, expr);
	case E_RANGE:
		a = value(s, expr->a);
		return value(s, expr->b) <= a && a <= value(s, expr->c);
	case E_SET:
		return member(s, value(s, expr->a), expr->list, expr->list_length);
	}
	return undefined(s);
}

/* ---- refinements ---- */

static bool overlaps(const scope *s, const struct refinement *refinement, const struct field *field)
{
	const struct record *one = find(s, field), *other = find(s, refinement->other);

	if (!one || !other)
		return undefined(s);
	return one->size && other->size && one->offset < other->offset + other->size &&
	       other->offset < one->offset + one->size;
}

static bool refinement_holds(const scope *s, const struct refinement *refinement,
			     const struct field *field, s128 number)
{
	switch (refinement->kind) {
	case R_ZERO:
		return !number;
	case R_RANGE:
		return value(s, refinement->a) <= number && number <= value(s, refinement->b);
	case R_SET:
		return member(s, number, refinement->list, refinement->list_length);
	case R_COMPARE:
		return compare(refinement->op, number, value(s, refinement->a));
	case R_MULTIPLE:
		return !compute(s, OP_MOD, number, value(s, refinement->a));
	case R_NO_OVERLAP:
		return !overlaps(s, refinement, field);
	default:
		return true;
	}
}

/* "= request.f", where both are GUIDs: byte for byte. */
static bool check_guid(const scope *s, const struct refinement *refinement, const struct field *field)
{
	const struct record *one = find(s, field), *other;
	const scope *asked = s->walk->request;
	s128 same = 0;

	other = asked ? find(asked, refinement->a->ref.field) : NULL;
	if (!one || !other)
		return undefined(s);
	while (same < 16 && byte_at(s, one->offset + same) == byte_at(asked, other->offset + same))
		same++;
	return quiet(s, same == 16) ||
	       judge(s, &(struct interp_site){ .kind = SITE_GUID, .rule = refinement->rule,
					       .kept = same == 16, .field = field, .offset = one->offset,
					       .size = other->offset, .value = byte_at(s, one->offset),
					       .unit = byte_at(asked, other->offset) });
}

/* Rules about the request wait until it is known. */
static bool refine(const scope *s, const struct refinement *refinement, const struct field *field,
		   s128 number)
{
	bool kept;

	for (; refinement; refinement = refinement->next) {
		if (refinement->kind == R_ANY || refinement->kind == R_IGNORED || refinement->kind == R_AS)
			continue;
		if (refinement->uses_request && !s->walk->matching)
			continue;
		if (field->type->kind == T_GUID) {
			if (!check_guid(s, refinement, field))
				return false;
			continue;
		}
		kept = refinement_holds(s, refinement, field, number);
		if (!quiet(s, kept) &&
		    !judge(s, &(struct interp_site){
				.kind = refinement->kind == R_NO_OVERLAP ? SITE_OVERLAP : SITE_TEST,
				.rule = refinement->rule, .kept = kept, .field = field,
				.other = refinement->other, .expr = refinement->test, .value = number }))
			return false;
	}
	return true;
}

/* ---- scalars ---- */

static bool in_enum(const struct enumeration *enumeration, s128 number)
{
	const struct enumerator *one;

	for (one = enumeration->values; one; one = one->next)
		if ((s128)one->value == number)
			return true;
	return false;
}

static bool only_flags(const struct flagset *flagset, s128 number)
{
	const struct flag *flag;

	for (flag = flagset->flags; flag; flag = flag->next)
		number &= ~((s128)1 << flag->bit);
	return !number;
}

static bool check_enum(const scope *s, const struct field *field, s128 number)
{
	bool kept = field->type->enumeration->others_allowed || in_enum(field->type->enumeration, number);

	return quiet(s, kept) || (kept && field->type->enumeration->others_allowed) ||
	       judge(s, &(struct interp_site){ .kind = SITE_ENUM, .rule = field->enum_rule, .kept = kept,
					       .field = field, .value = number });
}

static bool check_flags(const scope *s, const struct field *field, s128 number)
{
	bool kept = !field->type->flagset->others_zero || only_flags(field->type->flagset, number);

	return quiet(s, kept) || (kept && !field->reserved_rule) ||
	       judge(s, &(struct interp_site){ .kind = SITE_RESERVED, .rule = field->reserved_rule,
					       .kept = kept, .field = field, .value = number });
}

static bool check_bits(const scope *s, const struct field *field, s128 offset, s128 number)
{
	const struct bitpart *bit;
	s128 part;

	for (bit = field->type->bits; bit; bit = bit->next) {
		part = number & (((s128)1 << bit->width) - 1);
		number >>= bit->width;
		saw(s, field, bit, offset, field->type->width, part);
		if (!refine(s, bit->refinements, field, part))
			return false;
	}
	return true;
}

static bool walk_scalar(scope *s, const struct field *field, s128 offset)
{
	const struct type *type = field->type;
	s128 number = load(s, offset, type->width, type->big);

	add(s, field, meaning(type, number), offset, type->width);
	saw(s, field, NULL, offset, type->width, number);
	if (type->kind == T_ENUM && !check_enum(s, field, number))
		return false;
	if (type->kind == T_FLAGS && !check_flags(s, field, number))
		return false;
	if (type->kind == T_BITS && !check_bits(s, field, offset, number))
		return false;
	return refine(s, field->refinements, field, meaning(type, number));
}

/* ---- strings ---- */

/* No further than the bytes there are: those a disabled rule adds are zero, and end it. */
static s128 readable(const scope *s, s128 offset, s128 size)
{
	s128 there = (s128)s->walk->message->size - offset;

	if (there < 0)
		there = 0;
	return size <= there ? size : disabled(s) ? there : undefined(s);
}

static bool is_ascii(const scope *s, s128 offset, s128 size, bool terminated)
{
	s128 there = readable(s, offset, size), i;
	u8 c;

	for (i = 0; i < there; i++) {
		c = byte_at(s, offset + i);
		if (!c)
			return true;
		if (c > 127)
			return false;
	}
	return !terminated || there < size;
}

static bool is_utf16(const scope *s, s128 offset, s128 size, bool terminated)
{
	s128 there = readable(s, offset, size), i;
	bool high = false;
	u64 unit;

	if (size % 2)
		return false;
	for (i = 0; i + 1 < there; i += 2) {
		unit = load(s, offset + i, 2, s->walk->spec->big);
		if (high != (unit >= 0xdc00 && unit <= 0xdfff))
			return false;
		if (!unit)
			return true;
		high = unit >= 0xd800 && unit <= 0xdbff;
	}
	return !high && (!terminated || there < size);
}

static bool walk_string(const scope *s, const struct field *field, s128 offset, s128 size)
{
	const struct type *type = field->type;
	bool kept = type->utf16 ? is_utf16(s, offset, size, type->terminated) :
				  is_ascii(s, offset, size, type->terminated);

	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_TEXT, .rule = field->text_rule, .kept = kept,
					       .field = field, .offset = offset, .size = size,
					       .expr = type->fixed_size < 0 ? type->count : NULL });
}

/* ---- containment ---- */

/*
 * site->size bytes at site->offset lie in the region. If the rule that says so is disabled,
 * the region is taken to be as long as that needs.
 */
static bool judge_fits(const scope *s, struct interp_region *region, const struct interp_site *site)
{
	struct interp_site full = *site;

	full.region = region;
	if (!judge(s, &full))
		return false;
	if (!site->kept && site->size >= 0 && site->offset >= 0 && region->end < site->offset + site->size)
		region->end = site->offset + site->size;
	return true;
}

/* ---- sequences ---- */

static bool step(const scope *s)
{
	if (!disabled(s) || ++s->walk->steps < MOST_STEPS)
		return true;
	return undefined(s);
}

static bool walk_elements(const scope *s, const struct field *field, s128 offset, s128 size, s128 *end)
{
	const struct type *type = field->type, *element = type->element;
	struct interp_region region = s->region;
	s128 count, i;
	scope inner;

	*end = offset + size;
	if (type->kind == T_FILL) {
		count = U64_TOP;
		region = (struct interp_region){ offset + size, s, type->bytes, offset };
	} else {
		count = value(s, type->count);
	}
	if (element->kind != T_STRUCT)
		return !s->walk->verdict;
	for (i = 0; i < count && (type->kind != T_FILL || offset < *end); i++) {
		nested(s, field, NULL, true, true, offset);
		if (!step(s) || !walk_struct(s, field, element, offset, &region, &inner))
			return false;
		nested(s, field, NULL, true, false, offset);
		tell(s, &(struct interp_site){ .kind = SITE_ELEMENT, .field = field, .offset = offset,
					       .size = inner.cursor - offset, .count = (u32)i });
		offset = inner.cursor;
	}
	*end = offset;
	return true;
}

static bool check_max(const scope *s, const struct field *field, s128 offset, u32 count)
{
	bool kept = count < value(s, field->type->max);

	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_MAX, .rule = field->max_rule, .kept = kept,
					       .field = field, .expr = field->type->max, .offset = offset,
					       .count = count });
}

/* To the next element; the last has the link 0. */
static bool follow(const scope *s, const struct field *field, const scope *element, s128 end, s128 *next)
{
	s128 link = field_value(element, &field->type->link);
	s128 size = element->cursor - element->start, room = end - element->start;
	bool kept = !link || (link >= size && link < room);

	*next = link ? element->start + link : end;
	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_LINK, .rule = field->link_rule, .kept = kept,
					       .field = field, .other = field->type->link.field,
					       .offset = element->start, .size = size, .unit = room,
					       .value = link });
}

/* Fixed structs have no rule about their size: the list's own speaks for them. */
static bool element_fits(const scope *s, const struct field *field, struct interp_region *region,
			 s128 offset)
{
	s128 size = field->type->layout->fixed ? field->type->layout->fixed_size : 0;
	s128 room = region->end - offset;

	return quiet(s, size <= room) ||
	       judge_fits(s, region,
			  &(struct interp_site){ .kind = SITE_FITS, .rule = field->whole_rule,
						 .kept = size <= room, .field = field, .offset = offset,
						 .size = size, .value = room });
}

static bool walk_list(const scope *s, const struct field *field, s128 offset, s128 size)
{
	const struct type *type = field->type;
	struct interp_region region = { offset + size, s, type->bytes, offset };
	s128 end = offset + size;
	scope element;
	u32 count;

	for (count = 0; offset < end; count++) {
		nested(s, field, NULL, true, true, offset);
		if (!step(s) || !check_max(s, field, offset, count) ||
		    !element_fits(s, field, &region, offset) ||
		    !walk_struct(s, field, type, offset, &region, &element))
			return false;
		nested(s, field, NULL, true, false, offset);
		tell(s, &(struct interp_site){ .kind = SITE_ELEMENT, .field = field, .offset = offset,
					       .size = element.cursor - offset, .count = count });
		offset = element.cursor;
		if (type->until && value(&element, type->until))
			break;
		if (type->linked && !follow(s, field, &element, end, &offset))
			return false;
	}
	return !s->walk->verdict;
}

/* ---- unions ---- */

static bool arm_fits(const scope *s, const struct field *field, struct interp_region *region,
		     s128 offset, s128 size, const struct expr *count)
{
	s128 room = region->end - offset;

	return quiet(s, size >= 0 && size <= room) ||
	       judge_fits(s, region,
			  &(struct interp_site){ .kind = SITE_FITS, .rule = field->bounds_rule,
						 .kept = size >= 0 && size <= room, .field = field,
						 .offset = offset, .size = size, .unit = 1,
						 .value = room, .expr = count });
}

static bool walk_arm(const scope *s, const struct field *field, const struct type *type,
		     struct interp_region *region, s128 offset, s128 *end)
{
	s128 size = type->fixed_size;
	scope inner;

	if (size < 0 && type->kind == T_BYTES)
		size = value(s, type->count);
	if (type->kind != T_STRUCT || type->layout->fixed) {
		if (!arm_fits(s, field, region, offset, size, type->fixed_size < 0 ? type->count : NULL))
			return false;
		*end = offset + size;
	}
	if (type->kind != T_STRUCT)
		return true;
	if (!walk_struct(s, field, type, offset, region, &inner))
		return false;
	*end = inner.cursor;
	return true;
}

static bool check_tag(const scope *s, const struct field *field, s128 tag, bool found)
{
	bool kept = found || !field->type->others_refused;

	/* where each value of the enum has an arm, its own rule came first */
	if (quiet(s, kept) || (!field->tag_rule && (found || disabled(s))))
		return true;
	return judge(s, &(struct interp_site){ .kind = SITE_TAG, .rule = field->tag_rule, .kept = kept,
					       .field = field, .expr = field->type->tag, .value = tag });
}

static bool check_filled(const scope *s, const struct field *field, s128 arm_end, s128 end, s128 size)
{
	bool kept = arm_end >= end;

	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_FILLED, .rule = field->filled_rule, .kept = kept,
					       .field = field, .expr = field->type->bytes,
					       .offset = arm_end, .size = end, .value = size });
}

static bool walk_union(const scope *s, const struct field *field, s128 offset, s128 size, s128 *end)
{
	const struct type *type = field->type;
	struct interp_region region = s->region;
	s128 tag = value(s, type->tag), arm_end = offset;
	const struct arm *arm = type->arms;

	if (type->bytes)
		region = (struct interp_region){ offset + size, s, type->bytes, offset };
	while (arm && (s128)arm->value != tag)
		arm = arm->next;
	tell(s, &(struct interp_site){ .kind = SITE_ARM, .field = field, .expr = type->tag, .value = tag });
	if (!check_tag(s, field, tag, arm))
		return false;
	nested(s, field, arm, false, true, offset);
	if (arm && !walk_arm(s, field, arm->type, &region, offset, &arm_end))
		return false;
	nested(s, field, arm, false, false, arm_end);
	*end = type->bytes ? offset + size : arm_end;
	return !arm || !type->bytes || check_filled(s, field, arm_end, offset + size, size);
}

/* ---- fields ---- */

/* The bytes a field has, as far as that is said beside it; -1: its own fields decide. */
static s128 stated_size(const scope *s, const struct type *type)
{
	if (type->fixed_size >= 0)
		return type->fixed_size;
	if (type->kind == T_BYTES || type->kind == T_STRING)
		return value(s, type->count);
	if (type->kind == T_ARRAY && type->element->fixed_size >= 0)
		return compute(s, OP_MUL, value(s, type->count), type->element->fixed_size);
	return type->kind != T_STRUCT && type->bytes ? value(s, type->bytes) : -1;
}

static const struct expr *size_words(const struct type *type)
{
	return type->fixed_size >= 0 ? NULL : type->bytes ? type->bytes : type->count;
}

static bool field_fits(scope *s, const struct field *field, s128 offset, s128 size)
{
	s128 room = s->region.end - offset, needed = size < 0 ? 0 : size;
	bool sized = field->type->fixed_size < 0 && size != -1;
	bool kept = size >= -1 && offset >= s->start && room >= 0 && needed <= room;
	s128 unit = field->type->element ? field->type->element->fixed_size : 1;

	if (!field->at && !sized && field->type->kind != T_ARRAY)
		return true;
	tell(s, &(struct interp_site){ .kind = SITE_AMOUNT, .kept = true, .field = field, .offset = offset,
				       .size = size, .unit = unit, .expr = size_words(field->type) });
	if (!field->at && !sized)
		return true;
	return quiet(s, kept) ||
	       judge_fits(s, &s->region,
			  &(struct interp_site){ .kind = SITE_FITS, .rule = field->bounds_rule,
						 .kept = kept, .field = field, .offset = offset,
						 .size = needed, .unit = unit, .value = room,
						 .expr = size_words(field->type) });
}

static bool check_whole(const scope *s, const struct field *field, s128 offset, s128 size)
{
	s128 unit = field->type->element->fixed_size;
	bool kept = unit <= 1 || size % unit == 0;

	return quiet(s, kept) || unit <= 1 ||
	       judge(s, &(struct interp_site){ .kind = SITE_WHOLE, .rule = field->whole_rule, .kept = kept,
					       .field = field, .expr = field->type->bytes, .offset = offset,
					       .size = size, .unit = unit });
}

static bool walk_nested(const scope *s, const struct field *field, s128 offset, s128 *end)
{
	scope inner;

	nested(s, field, NULL, false, true, offset);
	if (!walk_struct(s, field, field->type, offset, &s->region, &inner))
		return false;
	nested(s, field, NULL, false, false, offset);
	*end = inner.cursor;
	return true;
}

static bool walk_type(scope *s, const struct field *field, s128 offset, s128 size, s128 *end)
{
	switch (field->type->kind) {
	case T_STRUCT:
		return walk_nested(s, field, offset, end);
	case T_STRING:
		return walk_string(s, field, offset, size);
	case T_FILL:
		return check_whole(s, field, offset, size) && walk_elements(s, field, offset, size, end);
	case T_ARRAY:
		return walk_elements(s, field, offset, size < 0 ? 0 : size, end);
	case T_LIST:
		return walk_list(s, field, offset, size);
	case T_UNION:
		return walk_union(s, field, offset, size, end);
	default:
		return true;
	}
}

static bool walk_field(scope *s, const struct field *field)
{
	s128 offset = field->at ? s->start + value(s, field->at) : s->cursor;
	s128 size = stated_size(s, field->type), end = offset + (size < 0 ? 0 : size);
	enum type_kind kind = field->type->kind;
	struct record *record;

	if (!field_fits(s, field, offset, size))
		return false;
	if (kind <= T_BITS) {
		if (!walk_scalar(s, field, offset))
			return false;
	} else {
		record = add(s, field, 0, offset, size);
		if (!walk_type(s, field, offset, size, &end))
			return false;
		record->size = end - offset;
		if (kind != T_STRUCT)
			saw(s, field, NULL, offset, 0, end - offset);
		if (!refine(s, field->refinements, field, 0))
			return false;
	}
	if (!field->at)
		s->cursor = end;
	return !s->walk->verdict;
}

/* ---- items ---- */

static bool in_run(const struct item *item)
{
	return item->kind == I_FIELD && !item->field->at && item->field->type->fixed_size >= 0;
}

static bool ends_run(const struct item *item)
{
	return item->kind == I_WHEN || item->kind == I_EXTENT ||
	       (item->kind == I_FIELD && !item->field->at && item->field->type->fixed_size < 0);
}

/* Whether a message is one run and nothing else. */
static bool is_one_run(const struct layout *layout)
{
	const struct item *item;
	bool some = false;

	if (layout->kind == L_STRUCT || layout->trailing_ignored)
		return false;
	FOR_ITEMS(item, layout->items) {
		if (!in_run(item) && item->kind != I_RULE && item->kind != I_LET)
			return false;
		some |= in_run(item);
	}
	return some;
}

/* The run that starts with @item must fit. */
static bool check_run(scope *s, const struct item *item)
{
	const struct field *field = item->field;
	s128 size = 0, room = s->region.end - s->cursor;
	bool exact, kept;

	for (; item && !ends_run(item); item = item->next)
		if (in_run(item))
			size += item->field->type->fixed_size;
	exact = is_one_run(s->layout);
	kept = exact ? room == size : size <= room;
	return quiet(s, kept) ||
	       judge_fits(s, &s->region,
			  &(struct interp_site){ .kind = exact ? SITE_EXACT : SITE_FITS,
						 .rule = field->run_rule, .kept = kept, .offset = s->cursor,
						 .size = size, .value = room });
}

static bool walk_test(const scope *s, const struct item *item)
{
	bool kept;

	if (item->expr->uses_request && !s->walk->matching)
		return true;
	kept = value(s, item->expr);
	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_TEST, .rule = item->rule, .kept = kept,
					       .expr = item->expr });
}

static bool walk_extent(scope *s, const struct item *item)
{
	s128 extent = value(s, item->expr), least = s->cursor - s->start, most = s->region.end - s->start;
	bool kept = extent >= least && extent <= most;

	if (!quiet(s, kept) &&
	    !judge(s, &(struct interp_site){ .kind = SITE_EXTENT, .rule = item->rule, .kept = kept,
					     .expr = item->expr, .size = least, .unit = most,
					     .value = extent }))
		return false;
	s->region = (struct interp_region){ s->start + extent, s, item->expr, s->start };
	return true;
}

/* Behind the header: is this the message? */
static bool check_when(const scope *s)
{
	const struct layout *message = s->layout;
	bool kept = !message->when || value(s, message->when);

	return !message->when || quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_TEST, .rule = message->when_rule, .kept = kept,
					       .expr = message->when });
}

static bool walk_let(scope *s, const struct item *item)
{
	s128 number = value(s, item->expr);
	struct interp_observer *observer = s->walk->observer;

	add(s, item, number, 0, 0);
	if (observer && observer->named && !s->walk->blind)
		observer->named(observer->arg, item, (u64)number);
	return !s->walk->verdict;
}

static bool walk_items(scope *s, const struct item *items);

static bool walk_when(scope *s, const struct item *item)
{
	bool holds = value(s, item->expr);

	if (s->walk->verdict)
		return false;
	tell(s, &(struct interp_site){ .kind = SITE_WHEN, .kept = holds, .expr = item->expr });
	return walk_items(s, holds ? item->then : item->otherwise);
}

static bool has_runs(const struct layout *layout)
{
	return layout->kind != L_HEADER && !(layout->kind == L_STRUCT && layout->fixed);
}

static bool walk_item(scope *s, const struct item *item, bool *running)
{
	if (ends_run(item))
		*running = false;
	switch (item->kind) {
	case I_FIELD:
		if (in_run(item) && !*running) {
			*running = true;
			if (has_runs(s->layout) && !check_run(s, item))
				return false;
		}
		return walk_field(s, item->field) && (!item->field->is_header || check_when(s));
	case I_RULE:
		return walk_test(s, item);
	case I_LET:
		return walk_let(s, item);
	case I_EXTENT:
		return walk_extent(s, item);
	case I_WHEN:
		return walk_when(s, item);
	case I_TRAILING:
		return true;
	}
	return undefined(s);
}

static bool walk_items(scope *s, const struct item *items)
{
	const struct item *item;
	bool running = false;

	FOR_ITEMS(item, items)
		if (!walk_item(s, item, &running))
			return false;
	return true;
}

static bool check_trailing(const scope *s)
{
	const struct layout *layout = s->layout;
	bool kept = s->cursor >= s->region.end;

	if (layout->kind == L_HEADER || (layout->kind == L_STRUCT && !layout->has_extent))
		return true;
	if (layout->trailing_ignored || is_one_run(layout))
		return true;
	return quiet(s, kept) ||
	       judge(s, &(struct interp_site){ .kind = SITE_TRAILING, .rule = layout->trailing_rule,
					       .kept = kept, .offset = s->cursor });
}

/* An extent is where the struct ends, whatever its fields use of it. */
static bool walk_layout(scope *s)
{
	if (s->layout->kind == L_MESSAGE && s->layout->direction == REFUSED)
		return judge(s, &(struct interp_site){ .kind = SITE_REFUSED,
						       .rule = s->layout->refused_rule });
	if (!walk_items(s, s->layout->items) || !check_trailing(s))
		return false;
	if (s->layout->has_extent)
		s->cursor = s->region.end;
	return !s->walk->verdict;
}

static bool walk_struct(const scope *outer, const struct field *field, const struct type *type, s128 start,
			const struct interp_region *region, scope *inner)
{
	const struct param *param;
	u32 i = 0;

	*inner = (scope){ .walk = outer->walk, .layout = type->layout, .field = field, .outer = outer,
			  .arguments = type->arguments, .first = outer->first + outer->count,
			  .start = start, .cursor = start, .region = *region };
	for (param = type->layout->params; param; param = param->next, i++) {
		if (i >= type->argument_count)
			return undefined(outer);
		add(inner, param, value(outer, type->arguments[i]), 0, 0);
	}
	return walk_layout(inner);
}

/* ---- messages ---- */

static scope outermost(struct interp_walk *walk, const struct layout *layout)
{
	scope s = { .walk = walk, .layout = layout };
	const struct param *param;
	u32 i = 0;

	s.region.end = walk->message->size;
	for (param = layout->params; param; param = param->next)
		add(&s, param, walk->message->params ? (s128)walk->message->params[i++] : undefined(&s), 0, 0);
	return s;
}

u32 interp_check(const struct spec *spec, const struct layout *layout,
		 const struct interp_message *message, struct interp_observer *observer)
{
	struct record records[MOST_RECORDS];
	struct interp_walk walk = { .spec = spec, .message = message, .observer = observer,
				    .records = records };
	scope s = outermost(&walk, layout);

	walk_layout(&s);
	return walk.verdict;
}

/* The header alone: long enough, and its own rules. */
static u32 check_header(struct interp_walk *walk)
{
	const struct spec *spec = walk->spec;
	scope s = outermost(walk, spec->header);
	bool kept = walk->message->size >= spec->header->fixed_size;

	if (judge_fits(&s, &s.region,
		       &(struct interp_site){ .kind = SITE_FITS, .rule = spec->short_rule, .kept = kept,
					      .size = spec->header->fixed_size,
					      .value = walk->message->size }))
		walk_layout(&s);
	return walk->verdict;
}

static const struct layout *recognise(struct interp_walk *walk)
{
	const struct layout *layout;
	scope s;

	for (layout = walk->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_MESSAGE || layout->direction == TO_HOST)
			continue;
		s = outermost(walk, layout);
		add(&s, layout->items->field, 0, 0, layout->items->field->type->fixed_size);
		if (!layout->when || value(&s, layout->when))
			return layout;
	}
	return NULL;
}

u32 interp_receive(const struct spec *spec, const struct interp_message *message,
		   const struct layout **layout, struct interp_observer *observer)
{
	struct record records[MOST_RECORDS];
	struct interp_walk walk = { .spec = spec, .message = message, .observer = observer,
				    .records = records, .blind = true };
	scope s;

	*layout = NULL;
	if (!spec->header)
		return INTERP_UNDEFINED;
	if (check_header(&walk))
		return walk.verdict;
	*layout = recognise(&walk);
	if (*layout && (*layout)->direction != REFUSED)
		return interp_check(spec, *layout, message, observer);
	s = outermost(&walk, *layout ? *layout : spec->header);
	judge(&s, &(struct interp_site){ .kind = *layout ? SITE_REFUSED : SITE_DISPATCH,
					 .rule = *layout ? (*layout)->refused_rule : spec->dispatch_rule });
	return walk.verdict;
}

u32 interp_match(const struct spec *spec, const struct layout *layout,
		 const struct interp_message *message, const struct interp_message *request,
		 struct interp_observer *observer)
{
	struct record records[MOST_RECORDS], request_records[MOST_RECORDS];
	struct interp_walk walk = { .spec = spec, .message = message, .observer = observer,
				    .records = records, .matching = true, .blind = true };
	struct interp_walk request_walk = { .spec = spec, .message = request, .records = request_records };
	scope s, asked;

	if (!layout->request)
		return INTERP_UNDEFINED;
	asked = outermost(&request_walk, layout->request);
	if (!walk_layout(&asked))
		return INTERP_UNDEFINED;
	walk.request = &asked;
	s = outermost(&walk, layout);
	walk_layout(&s);
	return walk.verdict;
}

/* ---- sessions ---- */

static const struct state *current(const struct session *session, u32 number)
{
	const struct state *state = session->states;

	while (state && number--)
		state = state->next;
	return state;
}

static const struct event *find_event(const struct session *session, enum event_kind kind,
				      const struct layout *message)
{
	const struct event *event = session->events;

	while (event && (event->kind != kind || event->message != message))
		event = event->next;
	return event;
}

/* What a line's condition says of a message, which was accepted before. */
static bool line_holds(const struct spec *spec, const struct transition *line,
		       const struct layout *layout, const struct interp_message *message)
{
	struct record records[MOST_RECORDS];
	struct interp_walk walk = { .spec = spec, .message = message, .records = records };
	scope s;

	if (!line->when)
		return true;
	s = outermost(&walk, layout);
	return walk_layout(&s) && value(&s, line->when) && !walk.verdict;
}

static const struct transition *find_line(const struct spec *spec, const struct state *state,
					  enum event_kind kind, const struct layout *layout,
					  const struct interp_message *message)
{
	const struct transition *line;

	for (line = state ? state->transitions : NULL; line; line = line->next)
		if (line->event == kind && line->message == layout && line_holds(spec, line, layout, message))
			return line;
	return NULL;
}

static void take(const struct session *session, struct interp_session *run, const struct transition *line)
{
	const struct state *state;
	u32 number = 0;

	for (state = session->states; state != line->target; state = state->next)
		number++;
	run->state = number;
	if (line->cancel)
		run->outstanding = 0;
}

u32 interp_session_receive(const struct spec *spec, const struct session *session,
			   struct interp_session *run, const struct layout *layout,
			   const struct interp_message *message, struct interp_observer *observer)
{
	const struct event *event = find_event(session, EV_ON, layout), *asked;
	const struct transition *line;
	u32 rule;

	if (!event)
		return INTERP_UNDEFINED;
	line = find_line(spec, current(session, run->state), EV_ON, layout, message);
	if (!line)
		return event->state_rule->number;
	asked = layout->request ? find_event(session, EV_SEND, layout->request) : NULL;
	if (asked) {
		if (!(run->outstanding >> asked->number & 1))
			return event->pairing_rule ? event->pairing_rule->number : INTERP_UNDEFINED;
		rule = interp_match(spec, layout, message, &run->request[asked->number], observer);
		if (rule)
			return rule;
		run->outstanding &= ~(1ULL << asked->number);
	}
	take(session, run, line);
	return 0;
}

u32 interp_session_send(const struct spec *spec, const struct session *session,
			struct interp_session *run, const struct layout *layout,
			const struct interp_message *message)
{
	const struct event *event = find_event(session, EV_SEND, layout);
	const struct transition *line;

	if (!event)
		return INTERP_UNDEFINED;
	line = find_line(spec, current(session, run->state), EV_SEND, layout, message);
	if (!line)
		return event->state_rule->number;
	if (layout->is_request && run->outstanding >> event->number & 1)
		return event->pairing_rule ? event->pairing_rule->number : INTERP_UNDEFINED;
	if (layout->is_request) {
		run->outstanding |= 1ULL << event->number;
		run->request[event->number] = *message;
	}
	take(session, run, line);
	return 0;
}

u32 interp_session_local(const struct spec *spec, const struct session *session,
			 struct interp_session *run, const char *event)
{
	const struct state *state = current(session, run->state);
	const struct transition *line;

	(void)spec;
	for (line = state ? state->transitions : NULL; line; line = line->next) {
		if ((line->event != EV_AFTER && line->event != EV_LOCAL) || strcmp(line->name, event))
			continue;
		take(session, run, line);
		return 1;
	}
	return 0;
}

/* ---- places ---- */

bool interp_value(const struct interp_scope *scope, const struct expr *expr, s128 *number)
{
	u32 before = scope->walk->verdict;
	bool good;

	scope->walk->verdict = 0;
	*number = value(scope, expr);
	good = !scope->walk->verdict;
	scope->walk->verdict = before;
	return good;
}

static struct interp_place field_place(const scope *s, const struct ref *ref)
{
	const struct record *record = find(s, ref->path_length ? ref->path[0] : ref->field);
	const struct type *type = ref->field->type;
	struct interp_place place = { .kind = PLACE_NONE };
	s128 offset;

	if (!record)
		return place;
	offset = ref->path_length ? nested_offset(ref, record->offset) : record->offset;
	if (offset < 0 || offset + type->width > UINT32_MAX)
		return place;
	place.kind = PLACE_BYTES;
	place.offset = (u32)offset;
	place.width = type->width;
	place.big = type->big;
	place.bits = type->width * 8;
	return place;
}

static void narrow_place(struct interp_place *place, const struct ref *ref)
{
	if (ref->flag) {
		place->shift = ref->flag->bit;
		place->bits = 1;
	} else if (ref->bit) {
		place->shift = ref->bit->shift;
		place->bits = ref->bit->width;
	}
	if (place->kind == PLACE_BYTES || ref->flag)
		place->range = (struct interval){ 0, ((s128)1 << place->bits) - 1 };
}

struct interp_place interp_place(const struct interp_scope *scope, const struct expr *expr)
{
	const struct interp_scope *seen = expr->kind == E_REQUEST ? scope->walk->request : scope;
	struct interp_place place = { .kind = PLACE_NONE };
	const struct param *param;
	const struct ref *ref = &expr->ref;

	if ((expr->kind != E_NAME && expr->kind != E_REQUEST) || !seen)
		return place;
	if (ref->kind == REF_FIELD) {
		place = field_place(seen, ref);
		place.in_request = expr->kind == E_REQUEST;
	} else if (ref->kind == REF_CONTEXT) {
		place.kind = PLACE_CONTEXT;
		place.index = ref->context->index;
		place.bits = 64;
		place.range = ref->context->range;
	} else if (ref->kind == REF_PARAM && !scope->outer) {
		place.kind = PLACE_PARAM;
		for (param = scope->layout->params; param != ref->param; param = param->next)
			place.index++;
		place.bits = 64;
		place.range = ref->param->range;
	}
	narrow_place(&place, ref);
	return place;
}

const struct expr *interp_argument(const struct interp_scope *scope, const struct expr *expr)
{
	const struct param *param = scope->layout->params;
	u32 i = 0;

	if (expr->kind != E_NAME || expr->ref.kind != REF_PARAM || !scope->outer)
		return NULL;
	for (; param != expr->ref.param; param = param->next)
		i++;
	return scope->arguments[i];
}

bool interp_extent(const struct interp_scope *scope, const struct field *field, s128 *offset, s128 *size)
{
	const struct record *record = find(scope, field);

	if (!record)
		return false;
	*offset = record->offset;
	*size = record->size;
	return true;
}
