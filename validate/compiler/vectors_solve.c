/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Solves what a rule says for the values it mentions. Every answer is only a proposal:
 * the interpreter decides what it is worth.
 */
#include <stdlib.h>
#include <string.h>

#include "vectors_solve.h"

#define SCRATCH_CHANGES 48
#define MOST_FUEL 2000
#define MOST_LETS 6	/* inside of each other */

/* Values still to be solved for at this site: what is named often could take for ever. */
static u32 fuel, lets;

typedef struct interp_scope scope;

static void solve_value(const scope *s, const struct expr *expr, s128 target, struct changes *changes);
static void solve_truth(const scope *s, const struct expr *expr, bool want, struct changes *changes);

/* ---- inputs ---- */

struct input *input_new(u32 size, u32 request_size)
{
	struct input *input = calloc(1, sizeof(*input) + size + request_size);

	if (!input) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	input->size = size;
	input->request_size = request_size;
	input->bytes = input->data;
	input->request = input->data + size;
	return input;
}

static void copy_values(struct input *to, const struct input *from)
{
	memcpy(to->context, from->context, sizeof(to->context));
	memcpy(to->request_context, from->request_context, sizeof(to->request_context));
	memcpy(to->params, from->params, sizeof(to->params));
}

struct input *input_copy(const struct input *input)
{
	struct input *copy = input_new(input->size, input->request_size);

	copy_values(copy, input);
	memcpy(copy->data, input->data, (size_t)input->size + input->request_size);
	return copy;
}

/* The bytes of a message while it is changed. */
struct draft {
	u8 bytes[MOST_INPUT_BYTES];
	u32 size;
};

static bool set_bytes(struct draft *draft, const struct interp_place *place, u64 value)
{
	u64 mask = place->bits < 64 ? (1ULL << place->bits) - 1 : ~0ULL, word = 0;
	u32 i;

	if ((u64)place->offset + place->width > draft->size)
		return false;
	for (i = 0; i < place->width; i++)
		word = word << 8 | draft->bytes[place->offset + (place->big ? i : place->width - 1 - i)];
	word = (word & ~(mask << place->shift)) | (value & mask) << place->shift;
	for (i = 0; i < place->width; i++, word >>= 8)
		draft->bytes[place->offset + (place->big ? place->width - 1 - i : i)] = (u8)word;
	return true;
}

static bool repeat_bytes(struct draft *draft, const struct edit *edit)
{
	u64 more = edit->value * edit->length;
	u32 end = edit->at + edit->length;
	u64 i;

	if (end > draft->size || edit->value > MOST_INPUT_BYTES || draft->size + more > MOST_INPUT_BYTES)
		return false;
	memmove(draft->bytes + end + more, draft->bytes + end, draft->size - end);
	for (i = 0; i < more; i++)
		draft->bytes[end + i] = draft->bytes[edit->at + i % edit->length];
	draft->size += (u32)more;
	return true;
}

static bool insert_bytes(struct draft *draft, const struct edit *edit)
{
	u32 at = edit->at < draft->size ? edit->at : draft->size;

	if ((u64)draft->size + edit->length > MOST_INPUT_BYTES)
		return false;
	memmove(draft->bytes + at + edit->length, draft->bytes + at, draft->size - at);
	memset(draft->bytes + at, 0, edit->length);
	draft->size += edit->length;
	return true;
}

static bool delete_bytes(struct draft *draft, const struct edit *edit)
{
	u32 end = edit->at + edit->length;

	if (edit->at > draft->size || edit->length > draft->size - edit->at)
		return false;
	memmove(draft->bytes + edit->at, draft->bytes + end, draft->size - end);
	draft->size -= edit->length;
	return true;
}

static bool resize(struct draft *draft, u64 size)
{
	if (size > MOST_INPUT_BYTES)
		return false;
	if (size > draft->size)
		memset(draft->bytes + draft->size, 0, size - draft->size);
	draft->size = (u32)size;
	return true;
}

static bool edit_bytes(struct draft *draft, const struct edit *edit)
{
	switch (edit->kind) {
	case EDIT_SET:
		return set_bytes(draft, &edit->place, edit->value);
	case EDIT_FILL:
		if (edit->at > draft->size || edit->length > draft->size - edit->at)
			return false;
		memset(draft->bytes + edit->at, (int)edit->value, edit->length);
		return true;
	case EDIT_SIZE:
		return resize(draft, edit->value);
	case EDIT_INSERT:
		return insert_bytes(draft, edit);
	case EDIT_REPEAT:
		return repeat_bytes(draft, edit);
	default:
		return delete_bytes(draft, edit);
	}
}

static void set_value(u64 *word, const struct interp_place *place, u64 value)
{
	u64 mask = place->bits < 64 ? (1ULL << place->bits) - 1 : ~0ULL;

	*word = (*word & ~(mask << place->shift)) | (value & mask) << place->shift;
}

struct input *input_apply(const struct input *input, const struct change *change)
{
	static struct draft message, request;
	struct input *result;
	const struct edit *edit;
	u32 i;

	message.size = input->size;
	memcpy(message.bytes, input->bytes, input->size);
	request.size = input->request_size;
	memcpy(request.bytes, input->request, input->request_size);
	for (i = 0; i < change->count; i++) {
		edit = &change->edits[i];
		if (edit->kind == EDIT_SET && edit->place.kind != PLACE_BYTES)
			continue;
		if (!edit_bytes(edit->in_request ? &request : &message, edit))
			return NULL;
	}
	result = input_new(message.size, request.size);
	copy_values(result, input);
	memcpy(result->bytes, message.bytes, message.size);
	memcpy(result->request, request.bytes, request.size);
	for (i = 0; i < change->count; i++) {
		edit = &change->edits[i];
		if (edit->kind == EDIT_SET && edit->place.kind == PLACE_CONTEXT)
			set_value(edit->in_request ? &result->request_context[edit->place.index] :
				  &result->context[edit->place.index], &edit->place, edit->value);
		if (edit->kind == EDIT_SET && edit->place.kind == PLACE_PARAM)
			set_value(&result->params[edit->place.index], &edit->place, edit->value);
	}
	return result;
}

static u64 bytes_distance(const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
	u32 both = a_size < b_size ? a_size : b_size, i;
	u64 far = (u64)((a_size > b_size ? a_size : b_size) - both) * 256;

	for (i = 0; i < both; i++)
		if (a[i] != b[i])
			far += 256 + (u64)abs(a[i] - b[i]);
	return far;
}

u64 input_distance(const struct input *a, const struct input *b)
{
	u64 far = bytes_distance(a->bytes, a->size, b->bytes, b->size) +
		  bytes_distance(a->request, a->request_size, b->request, b->request_size);
	u32 i;

	for (i = 0; i < MOST_VALUES; i++)
		far += ((a->context[i] != b->context[i]) + (a->params[i] != b->params[i]) +
			(a->request_context[i] != b->request_context[i])) * 512;
	return far;
}

u64 input_hash(const struct input *input)
{
	u64 hash = 14695981039346656037ULL ^ input->size;
	u32 i;

	for (i = 0; i < input->size + input->request_size; i++)
		hash = (hash ^ input->data[i]) * 1099511628211ULL;
	for (i = 0; i < MOST_VALUES; i++)
		hash = ((hash ^ input->context[i]) * 1099511628211ULL ^ input->params[i] ^
			input->request_context[i] << 17) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* ---- changes ---- */

static struct change *new_change(struct changes *changes)
{
	static struct change spare;
	struct change *change = changes->count < changes->room ? &changes->list[changes->count++] : &spare;

	change->count = 0;
	change->desperate = changes->desperate;
	return change;
}

static struct edit *add_edit(const struct changes *changes, struct change *change, enum edit_kind kind)
{
	static struct edit spare;
	struct edit *edit = change->count < MOST_EDITS ? &change->edits[change->count++] : &spare;

	memset(edit, 0, sizeof(*edit));
	edit->kind = kind;
	edit->in_request = changes->in_request;
	return edit;
}

static void set_place(struct changes *changes, const struct interp_place *place, s128 value)
{
	struct edit *edit;

	if (place->kind == PLACE_NONE || value < place->range.lo || value > place->range.hi)
		return;
	edit = add_edit(changes, new_change(changes), EDIT_SET);
	edit->place = *place;
	edit->in_request |= place->in_request;
	edit->value = (u64)value;
}

static void set_size(struct changes *changes, s128 size)
{
	if (size >= 0 && size <= MOST_INPUT_BYTES && !changes->fixed_size)
		add_edit(changes, new_change(changes), EDIT_SIZE)->value = (u64)size;
}

static void add_bytes(struct changes *changes, struct change *change, enum edit_kind kind, s128 at, s128 length)
{
	struct edit *edit;

	if (at < 0 || at > MOST_INPUT_BYTES || length <= 0 || length > MOST_INPUT_BYTES || changes->fixed_size)
		return;
	edit = add_edit(changes, change, kind);
	edit->at = (u32)at;
	edit->length = (u32)length;
}

/* Two in a row: the changes of both lists together, one of each. */
static void both(const struct changes *first, const struct changes *second, struct changes *out)
{
	struct change *change;
	u32 i, j, k;

	for (i = 0; i < first->count && i < 12; i++) {
		for (j = 0; j < second->count && j < 12; j++) {
			if (first->list[i].count + second->list[j].count > MOST_EDITS)
				continue;
			change = new_change(out);
			*change = first->list[i];
			for (k = 0; k < second->list[j].count; k++)
				change->edits[change->count++] = second->list[j].edits[k];
		}
	}
}

struct changes *changes_new(u32 room)
{
	struct changes *changes = calloc(1, sizeof(*changes));

	if (changes)
		changes->list = malloc(room * sizeof(*changes->list));
	if (!changes || !changes->list) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	changes->room = room;
	return changes;
}

void changes_free(struct changes *changes)
{
	free(changes->list);
	free(changes);
}

struct changes *changes_copy(const struct changes *changes)
{
	struct changes *copy = changes_new(changes->count + 1);

	copy->count = changes->count;
	memcpy(copy->list, changes->list, changes->count * sizeof(*copy->list));
	return copy;
}

static struct changes *scratch(const struct changes *like)
{
	struct changes *changes = changes_new(SCRATCH_CHANGES);

	changes->in_request = like->in_request;
	changes->fixed_size = like->fixed_size;
	changes->desperate = like->desperate;
	return changes;
}

/* ---- values ---- */

/* To "end" bytes of message: alone, or with the bytes behind it moved along. */
static void solve_region(const struct interp_region *region, s128 end, struct changes *changes)
{
	s128 more = end - region->end;
	struct changes *alone;
	struct change *change;
	u32 i;

	if (!region->expr) {
		set_size(changes, end);
		return;
	}
	alone = scratch(changes);
	solve_value(region->scope, region->expr, end - region->base, alone);
	for (i = 0; i < alone->count; i++) {
		*new_change(changes) = alone->list[i];
		change = new_change(changes);
		*change = alone->list[i];
		if (more > 0)
			add_bytes(changes, change, EDIT_INSERT, region->end, more);
		else
			add_bytes(changes, change, EDIT_DELETE, end, -more);
	}
	changes_free(alone);
}

static void solve_end(const scope *s, s128 end, struct changes *changes)
{
	solve_region(&s->region, end, changes);
}

/* A field's size: its words say "target", and the bytes are there. */
static void solve_amount(const struct interp_site *site, s128 target, struct changes *changes)
{
	s128 unit = site->unit > 0 ? site->unit : 1, more = target - site->size;
	bool counts_bytes = !site->field || site->field->type->kind == T_FILL ||
			    site->field->type->kind == T_LIST || site->field->type->kind == T_UNION;
	struct changes *alone;
	struct change *change;
	u32 i;

	if (!site->expr || target < 0)
		return;
	alone = scratch(changes);
	solve_value(site->scope, site->expr, counts_bytes ? target : target / unit, alone);
	for (i = 0; i < alone->count; i++) {
		change = new_change(changes);
		*change = alone->list[i];
		if (more > 0)
			add_bytes(changes, change, EDIT_INSERT, site->offset + site->size, more);
		else
			add_bytes(changes, change, EDIT_DELETE, site->offset + target, -more);
		*new_change(changes) = alone->list[i];
	}
	changes_free(alone);
}

static void solve_product(const scope *s, const struct expr *expr, s128 a, s128 b, s128 target,
			  struct changes *changes)
{
	if (b > 0 && target % b == 0)
		solve_value(s, expr->a, target / b, changes);
	if (a > 0 && target % a == 0)
		solve_value(s, expr->b, target / a, changes);
}

static void solve_arithmetic(const scope *s, const struct expr *expr, s128 a, s128 b, s128 target,
			     struct changes *changes)
{
	switch (expr->op) {
	case OP_ADD:
		solve_value(s, expr->a, target - b, changes);
		solve_value(s, expr->b, target - a, changes);
		break;
	case OP_SUB:
		solve_value(s, expr->a, target + b, changes);
		solve_value(s, expr->b, a - target, changes);
		break;
	case OP_MUL:
		solve_product(s, expr, a, b, target, changes);
		break;
	case OP_DIV:
		if (target <= U64_TOP && b <= U64_TOP)
			solve_value(s, expr->a, target * b, changes);
		if (target > 0)
			solve_value(s, expr->b, a / target, changes);
		break;
	case OP_MOD:
		solve_value(s, expr->a, a - a % b + target, changes);
		if (a % b < target || !target)
			solve_value(s, expr->a, a - a % b + b + target, changes);
		break;
	case OP_SHL:
		if (b < 64 && (target >> (int)b) << (int)b == target)
			solve_value(s, expr->a, target >> (int)b, changes);
		break;
	case OP_SHR:
		if (b < 64 && target <= U64_TOP)
			solve_value(s, expr->a, target << (int)b, changes);
		break;
	case OP_AND:
		if (!(target & ~b))
			solve_value(s, expr->a, (a & ~b) | target, changes);
		if (!(target & ~a))
			solve_value(s, expr->b, (b & ~a) | target, changes);
		break;
	default:
		if ((target & b) == b)
			solve_value(s, expr->a, target & ~b, changes);
		if ((target & a) == a)
			solve_value(s, expr->b, target & ~a, changes);
		break;
	}
}

static void solve_name(const scope *s, const struct expr *expr, s128 target, struct changes *changes)
{
	const struct expr *argument = interp_argument(s, expr);
	struct interp_place place;

	if (argument) {
		solve_value(s->outer, argument, target, changes);
	} else if (expr->ref.kind == REF_LET) {
		if (++lets <= MOST_LETS)
			solve_value(s, expr->ref.let->expr, target, changes);
		lets--;
	} else {
		place = interp_place(s, expr);
		set_place(changes, &place, target);
	}
}

static void solve_value(const scope *s, const struct expr *expr, s128 target, struct changes *changes)
{
	s128 a, b;

	if (target < 0 || !fuel)
		return;
	fuel--;
	switch (expr->kind) {
	case E_NAME:
	case E_REQUEST:
		solve_name(s, expr, target, changes);
		break;
	case E_SIZE:
		solve_end(s, s->start + target, changes);
		break;
	case E_REMAINING:
		solve_end(s, s->cursor + target, changes);
		break;
	case E_BINARY:
		if (interp_value(s, expr->a, &a) && interp_value(s, expr->b, &b) && a >= 0 && b >= 0)
			solve_arithmetic(s, expr, a, b, target, changes);
		break;
	default:
		break;
	}
}

/* ---- truth ---- */

static bool holds(const scope *s, const struct expr *expr)
{
	s128 value;

	return interp_value(s, expr, &value) && value;
}

static enum op opposite(enum op op)
{
	static const enum op other[] = {
		[OP_EQ] = OP_NE, [OP_NE] = OP_EQ, [OP_LT] = OP_GE, [OP_LE] = OP_GT,
		[OP_GT] = OP_LE, [OP_GE] = OP_LT,
	};

	return other[op];
}

static void solve_either_side(const scope *s, const struct expr *left, const struct expr *right,
			      s128 a, s128 b, int step, struct changes *changes)
{
	solve_value(s, left, b + step, changes);
	solve_value(s, right, a - step, changes);
}

/* Each side in turn becomes what the other asks of it; the boundary first. */
static void solve_comparison(const scope *s, const struct expr *left, enum op op,
			     const struct expr *right, struct changes *changes)
{
	s128 a, b;

	if (!interp_value(s, left, &a) || !interp_value(s, right, &b))
		return;
	switch (op) {
	case OP_EQ:
	case OP_LE:
	case OP_GE:
		solve_either_side(s, left, right, a, b, 0, changes);
		break;
	case OP_LT:
		solve_either_side(s, left, right, a, b, -1, changes);
		break;
	case OP_GT:
		solve_either_side(s, left, right, a, b, 1, changes);
		break;
	default:
		solve_either_side(s, left, right, a, b, 1, changes);
		solve_either_side(s, left, right, a, b, -1, changes);
		break;
	}
	if (op == OP_LT || op == OP_LE || (op == OP_NE && b)) {
		solve_value(s, left, 0, changes);
	} else if (op == OP_GT || op == OP_GE || op == OP_NE) {
		solve_value(s, right, 0, changes);
		solve_value(s, left, left->range.hi, changes);
	}
}

/* a and b: both become true, or one of them false. */
static void solve_conjunction(const scope *s, const struct expr *a, bool a_want, const struct expr *b,
			      bool b_want, struct changes *changes)
{
	struct changes *first, *second;

	if (holds(s, a) == a_want || holds(s, b) == b_want) {
		if (holds(s, a) != a_want)
			solve_truth(s, a, a_want, changes);
		if (holds(s, b) != b_want)
			solve_truth(s, b, b_want, changes);
		return;
	}
	first = scratch(changes);
	second = scratch(changes);
	solve_truth(s, a, a_want, first);
	solve_truth(s, b, b_want, second);
	both(first, second, changes);
	changes_free(first);
	changes_free(second);
}

static void solve_logic(const scope *s, const struct expr *expr, bool want, struct changes *changes)
{
	bool a_want = expr->op == OP_IMPLIES ? !want : want;

	if ((expr->op == OP_BOTH) == want) {
		solve_conjunction(s, expr->a, a_want, expr->b, want, changes);
		return;
	}
	solve_truth(s, expr->a, a_want, changes);
	solve_truth(s, expr->b, want, changes);
}

static void solve_in_range(const scope *s, const struct expr *expr, bool want, struct changes *changes)
{
	s128 a, lo, hi;

	if (!interp_value(s, expr->a, &a) || !interp_value(s, expr->b, &lo) || !interp_value(s, expr->c, &hi))
		return;
	solve_value(s, expr->a, want ? lo : lo - 1, changes);
	solve_value(s, expr->a, want ? hi : hi + 1, changes);
	solve_value(s, expr->c, want ? a : a - 1, changes);
	solve_value(s, expr->b, want ? a : a + 1, changes);
	if (!want)
		solve_value(s, expr->a, expr->a->range.hi, changes);
}

static bool among(const scope *s, const struct expr *expr, s128 value)
{
	s128 one;
	u32 i;

	for (i = 0; i < expr->list_length; i++)
		if (interp_value(s, expr->list[i], &one) && one == value)
			return true;
	return false;
}

static void solve_in_set(const scope *s, const struct expr *expr, bool want, struct changes *changes)
{
	s128 one;
	u32 i;
	int step;

	for (i = 0; i < expr->list_length; i++) {
		if (!interp_value(s, expr->list[i], &one))
			continue;
		for (step = -1; step <= 1; step++)
			if ((step == 0) == want && among(s, expr, one + step) == want)
				solve_value(s, expr->a, one + step, changes);
	}
}

static void solve_truth(const scope *s, const struct expr *expr, bool want, struct changes *changes)
{
	if (!fuel)
		return;
	fuel--;
	switch (expr->kind) {
	case E_NOT:
		solve_truth(s, expr->a, !want, changes);
		break;
	case E_BINARY:
		if (expr->op >= OP_BOTH)
			solve_logic(s, expr, want, changes);
		else if (expr->op >= OP_EQ)
			solve_comparison(s, expr->a, want ? expr->op : opposite(expr->op), expr->b, changes);
		break;
	case E_RANGE:
		solve_in_range(s, expr, want, changes);
		break;
	case E_SET:
		solve_in_set(s, expr, want, changes);
		break;
	default:
		solve_value(s, expr, want, changes);
		break;
	}
}

/* Where nothing follows from a rule: values that often matter, for each name in it. */
static void solve_anyhow(const scope *s, const struct expr *expr, struct changes *changes)
{
	static const u64 often[] = { 0, 1, 2, 3, 4, 5, 8, 16, 64, 256, 4096 };
	u32 i;

	if (!expr)
		return;
	if (expr->kind == E_NAME || expr->kind == E_REQUEST)
		for (i = 0; i < sizeof(often) / sizeof(often[0]); i++)
			solve_value(s, expr, often[i], changes);
	solve_anyhow(s, expr->a, changes);
	solve_anyhow(s, expr->b, changes);
	solve_anyhow(s, expr->c, changes);
}

static void solve_test(const struct interp_site *site, bool want, struct changes *changes)
{
	solve_truth(site->scope, site->expr, want, changes);
	changes->desperate = true;
	solve_anyhow(site->scope, site->expr, changes);
	changes->desperate = false;
}

/* ---- the value of a field ---- */

static struct interp_place place_of(u32 offset, const struct type *type, const struct bitpart *bit)
{
	struct interp_place place = { .kind = PLACE_BYTES, .offset = offset, .width = type->width,
				      .big = type->big, .bits = type->width * 8 };

	if (bit) {
		place.shift = bit->shift;
		place.bits = bit->width;
	}
	place.range.hi = ((s128)1 << place.bits) - 1;
	return place;
}

static void set_field(const struct interp_site *site, s128 value, struct changes *changes)
{
	struct interp_place place;
	s128 offset, size;

	if (!interp_extent(site->scope, site->field, &offset, &size) || offset < 0 || offset > UINT32_MAX)
		return;
	place = place_of((u32)offset, site->field->type, NULL);
	set_place(changes, &place, value);
}

static bool in_enum(const struct enumeration *enumeration, s128 value)
{
	const struct enumerator *one;

	for (one = enumeration->values; one; one = one->next)
		if ((s128)one->value == value)
			return true;
	return false;
}

static void solve_enum(const struct interp_site *site, bool want, struct changes *changes)
{
	const struct enumeration *enumeration = site->field->type->enumeration;
	const struct enumerator *one;

	for (one = enumeration->values; one; one = one->next) {
		if (want)
			set_field(site, one->value, changes);
		else if (!in_enum(enumeration, (s128)one->value + 1))
			set_field(site, (s128)one->value + 1, changes);
		else if (!in_enum(enumeration, (s128)one->value - 1))
			set_field(site, (s128)one->value - 1, changes);
	}
}

static void solve_reserved(const struct interp_site *site, bool want, struct changes *changes)
{
	u64 mask = site->field->type->flagset->mask;
	u32 bit;

	if (want) {
		set_field(site, site->value & mask, changes);
		return;
	}
	for (bit = 0; bit < site->field->type->width * 8; bit++)
		if (!(mask >> bit & 1))
			set_field(site, site->value | (s128)1 << bit, changes);
}

void solve_scalar(const struct field *field, const struct bitpart *bit, u32 offset, u32 width, u64 value,
		  struct changes *changes)
{
	const struct type *type = field->type;
	const struct enumerator *one;
	struct interp_place place;
	u32 i;

	if (!width)
		return;
	place = place_of(offset, type, bit);
	for (one = type->enumeration ? type->enumeration->values : NULL; one; one = one->next) {
		set_place(changes, &place, one->value);
		set_place(changes, &place, (s128)one->value + 1);
	}
	set_place(changes, &place, 0);
	set_place(changes, &place, (s128)value + 1);
	set_place(changes, &place, (s128)value - 1);
	set_place(changes, &place, place.range.hi);
	for (i = 0; i < place.bits; i += 4)
		set_place(changes, &place, (s128)1 << i);
}

/* ---- strings ---- */

static void fill(struct changes *changes, s128 at, s128 length, u8 value)
{
	struct edit *edit;

	if (at < 0 || length <= 0 || at + length > MOST_INPUT_BYTES)
		return;
	edit = add_edit(changes, new_change(changes), EDIT_FILL);
	edit->at = (u32)at;
	edit->length = (u32)length;
	edit->value = value;
}

static void keep_text(const struct interp_site *site, struct changes *changes)
{
	s128 last = site->field->type->utf16 ? 2 : 1;

	if (site->size >= last)
		fill(changes, site->offset + site->size - last, last, 0);
	if (site->size >= last)
		fill(changes, site->offset, last, 0);
	if (site->size % last)
		solve_amount(site, site->size - 1, changes);
	fill(changes, site->offset, site->size, 0);
	fill(changes, site->offset, site->size, 'A');
	solve_amount(site, last, changes);
	solve_amount(site, site->size + 1, changes);
}

static void break_text(const struct interp_site *site, struct changes *changes)
{
	bool utf16 = site->field->type->utf16;

	if (site->field->type->terminated)
		fill(changes, site->offset, site->size, 'A');
	fill(changes, site->offset, 1, utf16 ? 0xd8 : 0x80);
	fill(changes, site->offset, site->size, utf16 ? 0xdc : 0x80);
	if (utf16)
		fill(changes, site->offset + 1, 1, 0xdc);
	if (utf16)
		solve_amount(site, site->size + 1, changes);
	solve_amount(site, utf16 ? 2 : 1, changes);
}

static void solve_guid(const struct interp_site *site, bool want, struct changes *changes)
{
	struct change *change;
	struct edit *edit;

	fill(changes, site->offset, 1, (u8)(want ? site->unit : site->value + 1));
	fill(changes, site->offset, 16, 0);
	if (!want || !changes->count)
		return;
	change = &changes->list[changes->count - 1];
	edit = add_edit(changes, change, EDIT_FILL);
	edit->at = (u32)site->size;
	edit->length = 16;
	edit->in_request = true;
}

/* ---- places of things ---- */

/* This field begins at "to", counted in the message. */
static void move_field(const struct interp_site *site, const struct field *field, s128 to,
		       struct changes *changes)
{
	if (field && field->at)
		solve_value(site->scope, field->at, to - site->scope->start, changes);
}

/* The struct this is in lies where something else does: behind the message there is room. */
static void solve_move(const struct interp_site *site, struct changes *changes)
{
	const scope *inner = site->scope, *outer = inner->outer;
	struct changes *places, *sizes;
	s128 end;

	if (!outer || !inner->field->at || !inner->field->type->layout)
		return;
	places = scratch(changes);
	sizes = scratch(changes);
	end = outer->region.end;
	solve_value(outer, inner->field->at, end - outer->start, places);
	solve_region(&outer->region, end + inner->field->type->layout->least_size, sizes);
	both(places, sizes, changes);
	changes_free(places);
	changes_free(sizes);
}

/* Nothing overlaps what is empty. */
static void solve_some(const struct interp_site *site, const struct field *field, s128 size,
		       struct changes *changes)
{
	const struct expr *words = field->type->count ? field->type->count : field->type->bytes;

	if (size || !words)
		return;
	solve_value(site->scope, words, 1, changes);
	solve_value(site->scope, words, 2, changes);
}

static void solve_overlap(const struct interp_site *site, bool want, struct changes *changes)
{
	s128 one, one_size, other, other_size;

	if (!interp_extent(site->scope, site->field, &one, &one_size) ||
	    !interp_extent(site->scope, site->other, &other, &other_size))
		return;
	if (want) {
		move_field(site, site->field, other + other_size, changes);
		move_field(site, site->field, other - one_size, changes);
		move_field(site, site->other, one + one_size, changes);
		return;
	}
	solve_some(site, site->field, one_size, changes);
	solve_some(site, site->other, other_size, changes);
	move_field(site, site->field, other + other_size - 1, changes);
	move_field(site, site->field, other - one_size + 1, changes);
	move_field(site, site->field, other, changes);
	move_field(site, site->other, one, changes);
}

static void solve_link(const struct interp_site *site, s128 link, struct changes *changes)
{
	struct interp_place place;
	s128 offset = 0;
	const struct item *item;

	FOR_ITEMS(item, site->field->type->layout->items) {
		if (item->kind != I_FIELD)
			continue;
		if (item->field == site->other)
			break;
		offset += item->field->type->least_size;
	}
	place = place_of((u32)(site->offset + offset), site->other->type, NULL);
	set_place(changes, &place, link);
}

/* More of the elements there are; the first, for the last may end the list. */
void solve_repeat(const struct interp_site *site, u64 times, struct changes *changes)
{
	struct changes *copies = scratch(changes), *sizes = scratch(changes);
	const struct type *type = site->field->type;
	const struct expr *words = type->bytes ? type->bytes : type->count;
	s128 before, more = (s128)times * (type->bytes ? site->size : 1);
	struct edit *edit;

	fuel = MOST_FUEL;
	edit = add_edit(copies, new_change(copies), EDIT_REPEAT);
	edit->at = (u32)site->offset;
	edit->length = (u32)site->size;
	edit->value = times;
	if (words && site->size > 0 && interp_value(site->scope, words, &before)) {
		solve_value(site->scope, words, before + more, sizes);
		both(copies, sizes, changes);
	}
	*new_change(changes) = copies->list[0];
	changes_free(copies);
	changes_free(sizes);
}

/* A second element behind the last, which becomes linked to it. */
static void link_on(const struct interp_site *site, struct changes *changes)
{
	struct changes *links = scratch(changes), *copies = scratch(changes);

	solve_repeat(site, 1, copies);
	solve_link(site, site->size, links);
	both(copies, links, changes);
	changes_free(links);
	changes_free(copies);
}

static void solve_tag(const struct interp_site *site, bool want, struct changes *changes)
{
	const struct type *type = site->field->type;
	const struct enumeration *enumeration = type->tag->ref.field ? type->tag->ref.field->type->enumeration : NULL;
	const struct enumerator *one;
	const struct arm *arm, *other;

	for (arm = want ? type->arms : NULL; arm; arm = arm->next)
		if ((s128)arm->value != site->value)
			solve_value(site->scope, type->tag, arm->value, changes);
	for (one = !want && enumeration ? enumeration->values : NULL; one; one = one->next) {
		for (arm = type->arms; arm && arm->value != one->value; arm = arm->next)
			;
		if (!arm)
			solve_value(site->scope, type->tag, one->value, changes);
	}
	for (arm = want ? NULL : type->arms; arm; arm = arm->next) {
		for (other = type->arms; other && other->value != arm->value + 1; other = other->next)
			;
		if (!other)
			solve_value(site->scope, type->tag, (s128)arm->value + 1, changes);
	}
}

/* ---- sites ---- */

static void keep_fits(const struct interp_site *site, struct changes *changes)
{
	s128 unit = site->unit > 0 ? site->unit : 1;

	solve_region(site->region, site->offset + site->size, changes);
	if (site->field)
		move_field(site, site->field, site->region->end - site->size, changes);
	if (site->field)
		move_field(site, site->field, site->scope->start, changes);
	if (site->field)
		move_field(site, site->field, site->scope->cursor, changes);
	if (!site->expr)
		return;
	if (site->value >= 0)
		solve_value(site->scope, site->expr,
			    site->field->type->kind == T_ARRAY ? site->value / unit : site->value, changes);
	solve_value(site->scope, site->expr, 0, changes);
}

static void break_fits(const struct interp_site *site, struct changes *changes)
{
	s128 end = site->offset + site->size;

	if (site->size > 0)
		solve_region(site->region, end - 1, changes);
	if (site->expr && site->value >= 0)
		solve_value(site->scope, site->expr, site->field->type->kind == T_ARRAY ?
			    site->value / (site->unit > 0 ? site->unit : 1) + 1 : site->value + 1, changes);
	if (site->field)
		move_field(site, site->field, site->region->end - site->size + 1, changes);
	if (site->field)
		move_field(site, site->field, site->region->end + 1, changes);
	if (site->size > 1)
		solve_region(site->region, site->offset + 1, changes);
	if (site->size > 0)
		solve_region(site->region, site->offset, changes);
}

static void solve_extent(const struct interp_site *site, bool want, struct changes *changes)
{
	solve_value(site->scope, site->expr, want ? site->size : site->size - 1, changes);
	solve_value(site->scope, site->expr, want ? site->unit : site->unit + 1, changes);
	if (want)
		solve_end(site->scope, site->scope->start + site->value, changes);
	else
		solve_end(site->scope, site->scope->start + site->value - 1, changes);
}

static void keep_max(const struct interp_site *site, struct changes *changes)
{
	s128 offset, size;

	solve_value(site->scope, site->expr, (s128)site->count + 1, changes);
	if (interp_extent(site->scope, site->field, &offset, &size))
		solve_amount(&(struct interp_site){ .scope = site->scope, .field = site->field,
						    .expr = site->field->type->bytes, .offset = offset,
						    .size = size }, site->offset - offset, changes);
}

static void solve_whole(const struct interp_site *site, bool want, struct changes *changes)
{
	s128 over = site->size % site->unit;

	solve_amount(site, want ? site->size - over : site->size + 1, changes);
	solve_amount(site, want ? site->size - over + site->unit : site->size - 1, changes);
}

static void solve_kept(const struct interp_site *site, struct changes *changes)
{
	switch (site->kind) {
	case SITE_FITS:
		keep_fits(site, changes);
		break;
	case SITE_EXACT:
		solve_end(site->scope, site->offset + site->size, changes);
		break;
	case SITE_TEST:
		solve_test(site, true, changes);
		break;
	case SITE_GUID:
		solve_guid(site, true, changes);
		break;
	case SITE_ENUM:
		solve_enum(site, true, changes);
		break;
	case SITE_RESERVED:
		solve_reserved(site, true, changes);
		break;
	case SITE_WHOLE:
		solve_whole(site, true, changes);
		break;
	case SITE_TEXT:
		keep_text(site, changes);
		break;
	case SITE_OVERLAP:
		solve_overlap(site, true, changes);
		break;
	case SITE_MAX:
		keep_max(site, changes);
		break;
	case SITE_LINK:
		solve_link(site, site->size, changes);
		solve_link(site, 0, changes);
		break;
	case SITE_TAG:
		solve_tag(site, true, changes);
		break;
	case SITE_FILLED:
		solve_value(site->scope, site->expr, site->offset - (site->size - site->value), changes);
		break;
	case SITE_EXTENT:
		solve_extent(site, true, changes);
		break;
	case SITE_TRAILING:
		solve_end(site->scope, site->offset, changes);
		break;
	default:
		break;
	}
}

void solve_keep(const struct interp_site *site, struct changes *changes)
{
	fuel = MOST_FUEL;
	solve_kept(site, changes);
	changes->desperate = true;
	solve_move(site, changes);
	changes->desperate = false;
}

void solve_break(const struct interp_site *site, struct changes *changes)
{
	fuel = MOST_FUEL;
	switch (site->kind) {
	case SITE_FITS:
		break_fits(site, changes);
		break;
	case SITE_EXACT:
		solve_end(site->scope, site->offset + site->size + 1, changes);
		solve_end(site->scope, site->offset + site->size - 1, changes);
		break;
	case SITE_TEST:
		solve_test(site, false, changes);
		break;
	case SITE_GUID:
		solve_guid(site, false, changes);
		break;
	case SITE_ENUM:
		solve_enum(site, false, changes);
		break;
	case SITE_RESERVED:
		solve_reserved(site, false, changes);
		break;
	case SITE_WHOLE:
		solve_whole(site, false, changes);
		break;
	case SITE_TEXT:
		break_text(site, changes);
		break;
	case SITE_OVERLAP:
		solve_overlap(site, false, changes);
		break;
	case SITE_MAX:
		solve_value(site->scope, site->expr, site->count, changes);
		break;
	case SITE_LINK:
		solve_link(site, site->size - 1, changes);
		solve_link(site, site->unit, changes);
		solve_link(site, 1, changes);
		break;
	case SITE_TAG:
		solve_tag(site, false, changes);
		break;
	case SITE_FILLED:
		solve_amount(&(struct interp_site){ .scope = site->scope, .expr = site->expr,
						    .offset = site->size - site->value, .size = site->value },
			     site->value + 1, changes);
		break;
	case SITE_EXTENT:
		solve_extent(site, false, changes);
		break;
	case SITE_TRAILING:
		solve_end(site->scope, site->offset + 1, changes);
		break;
	default:
		break;
	}
}

static void other_amounts(const struct interp_site *site, struct changes *changes)
{
	static const u32 amounts[] = { 0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64, 256 };
	s128 unit = site->unit > 0 ? site->unit : 1;
	const struct type *type = site->field->type;
	u32 i;

	if (site->size < 0) {
		for (i = 0; i < 4; i++)
			solve_value(site->scope, site->expr, i, changes);
		return;
	}
	if (type->kind == T_LIST)
		for (i = 1; i <= 3; i++)
			solve_amount(site, type->least_size * i, changes);
	for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		solve_amount(site, amounts[i] * unit, changes);
}

void solve_other(const struct interp_site *site, struct changes *changes)
{
	fuel = MOST_FUEL;
	switch (site->kind) {
	case SITE_WHEN:
		solve_truth(site->scope, site->expr, !site->kept, changes);
		break;
	case SITE_AMOUNT:
		if (site->expr)
			other_amounts(site, changes);
		if (site->field->at)
			move_field(site, site->field, site->scope->cursor, changes);
		break;
	case SITE_ARM:
		solve_tag(site, true, changes);
		if (!site->field->type->others_refused)
			solve_tag(site, false, changes);
		break;
	case SITE_ELEMENT:
		if (site->size > 0)
			solve_repeat(site, 1, changes);
		break;
	case SITE_LINK:
		if (!site->value)
			link_on(site, changes);
		break;
	default:
		break;
	}
}
