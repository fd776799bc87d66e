/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine of the structure-aware mutators. It never leaves data[0 .. max), and takes
 * all decisions from the seed, so that a finding can be made again.
 */
#include <string.h>

#include "mutate.h"

struct job {
	const struct mutate_tables *tables;
	const struct mutate_shape *shape;	/* what the message seems to be */
	u8 *data;
	size_t size, max;
	u64 random;
};

static u32 below(struct job *job, size_t limit)
{
	job->random = job->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return limit ? (u32)((job->random >> 33) % limit) : 0;
}

/* ---- numbers in the message ---- */

static bool is_there(const struct job *job, const struct mutate_field *field)
{
	return field->offset <= job->size && field->width <= job->size - field->offset;
}

static u32 byte_place(const struct mutate_field *field, u32 i)
{
	return field->offset + (field->big ? field->width - 1 - i : i);
}

static u64 load(const u8 *bytes, const struct mutate_field *field)
{
	u64 value = 0;
	u32 i;

	for (i = field->width; i-- > 0;)
		value = value << 8 | bytes[byte_place(field, i)];
	return value;
}

static void store(u8 *bytes, const struct mutate_field *field, u64 value)
{
	u32 i;

	for (i = 0; i < field->width; i++, value >>= 8)
		bytes[byte_place(field, i)] = (u8)value;
}

static const struct mutate_field *key_field(const struct job *job, const struct mutate_shape *shape, u32 i)
{
	return &job->tables->fields[job->tables->keys[shape->first_key + i]];
}

/* ---- which message it is ---- */

static bool fits(const struct job *job, const struct mutate_shape *shape)
{
	const struct mutate_field *key;
	u32 i;

	for (i = 0; i < shape->keys; i++) {
		key = key_field(job, shape, i);
		if (!is_there(job, key) || load(job->data, key) != load(shape->bytes, key))
			return false;
	}
	return true;
}

/* Any of the shapes that fit; if none does, any at all. */
static const struct mutate_shape *recognise(struct job *job)
{
	u32 count = job->tables->shape_count, start = below(job, count), i;
	const struct mutate_shape *shape;

	for (i = 0; i < count; i++) {
		shape = &job->tables->shapes[(start + i) % count];
		if (fits(job, shape))
			return shape;
	}
	return &job->tables->shapes[start];
}

static const struct mutate_shape *any_shape(struct job *job)
{
	return &job->tables->shapes[below(job, job->tables->shape_count)];
}

/* One of the fields of the shape that the message is long enough for, or NULL. */
static const struct mutate_field *any_field(struct job *job)
{
	const struct mutate_field *field;
	u32 tries;

	for (tries = 0; tries < 8 && job->shape->count; tries++) {
		field = &job->tables->fields[job->shape->first + below(job, job->shape->count)];
		if (is_there(job, field))
			return field;
	}
	return NULL;
}

/* ---- the changes ---- */

static void set_value(struct job *job)
{
	const struct mutate_field *field = any_field(job);

	if (field && field->count)
		store(job->data, field, job->tables->values[field->first + below(job, field->count)]);
}

static void nudge_value(struct job *job)
{
	const struct mutate_field *field = any_field(job);

	if (field)
		store(job->data, field, load(job->data, field) + below(job, 17) - 8);
}

/* Lengths, counts and offsets are most often about the size or about each other. */
static void relate_value(struct job *job)
{
	const struct mutate_field *field = any_field(job), *other = any_field(job);
	u64 value;

	if (!field)
		return;
	switch (below(job, 4)) {
	case 0:
		value = job->size;
		break;
	case 1:
		value = job->size - field->offset - field->width;
		break;
	case 2:
		value = below(job, job->size + 1);
		break;
	default:
		value = load(job->data, other ? other : field);
		break;
	}
	store(job->data, field, value);
}

/* New bytes come from the shape, zeros behind its end. */
static void resize(struct job *job, size_t size)
{
	size_t i;

	if (size > job->max)
		size = job->max;
	for (i = job->size; i < size; i++)
		job->data[i] = i < job->shape->size ? job->shape->bytes[i] : 0;
	job->size = size;
}

static void change_size(struct job *job)
{
	static const int steps[] = { 0, 0, 0, -1, 1, -4, 4, -8, 8, 16 };
	size_t size = below(job, 2) ? job->shape->size : job->size;
	int step = steps[below(job, sizeof(steps) / sizeof(steps[0]))];

	if (step < 0 && size < (size_t)-step)
		size = 0;
	else
		size += (size_t)step;
	resize(job, size);
}

static void become(struct job *job, const struct mutate_shape *shape)
{
	job->size = shape->size < job->max ? shape->size : job->max;
	memcpy(job->data, shape->bytes, job->size);
	job->shape = shape;
}

/* The type of another message; the rest stays, and what is missing comes from there. */
static void change_type(struct job *job)
{
	const struct mutate_shape *shape = any_shape(job);
	const struct mutate_field *key;
	u32 i;

	job->shape = shape;
	if (job->size < shape->size)
		resize(job, shape->size);
	for (i = 0; i < shape->keys; i++) {
		key = key_field(job, shape, i);
		if (is_there(job, key))
			store(job->data, key, load(shape->bytes, key));
	}
}

/* A piece of another shape, at the same place. */
static void splice(struct job *job)
{
	const struct mutate_shape *shape = any_shape(job);
	size_t common = shape->size < job->size ? shape->size : job->size, from, length;

	if (!common)
		return;
	from = below(job, common);
	if (common > 8)
		from &= ~(size_t)3;
	length = 1 + below(job, common - from);
	memcpy(job->data + from, shape->bytes + from, length);
}

/* Elements of lists come and go. */
static void repeat(struct job *job)
{
	size_t from, length, room = job->max - job->size;

	if (!job->size || !room)
		return;
	from = below(job, job->size) & ~(size_t)3;
	length = 1 + below(job, job->size - from < 64 ? job->size - from : 64);
	if (length > room)
		length = room;
	memmove(job->data + from + length, job->data + from, job->size - from);
	job->size += length;
}

static void remove_piece(struct job *job)
{
	size_t from, length;

	if (!job->size)
		return;
	from = below(job, job->size) & ~(size_t)3;
	length = 1 + below(job, job->size - from < 64 ? job->size - from : 64);
	memmove(job->data + from, job->data + from + length, job->size - from - length);
	job->size -= length;
}

static void flip(struct job *job)
{
	if (job->size)
		job->data[below(job, job->size)] ^= (u8)(1 << below(job, 8));
}

static void change(struct job *job)
{
	static void (*const changes[])(struct job *job) = {
		set_value, set_value, set_value, set_value, nudge_value, nudge_value, relate_value,
		relate_value, change_size, change_size, change_type, splice, repeat, remove_piece, flip,
	};

	changes[below(job, sizeof(changes) / sizeof(changes[0]))](job);
}

size_t mutate(const struct mutate_tables *tables, u8 *data, size_t size, size_t max, u32 seed)
{
	struct job job = { .tables = tables, .data = data, .size = size, .max = max, .random = seed };
	u32 changes;

	if (!tables->shape_count || size > max)
		return size < max ? size : max;
	below(&job, 1);
	if (!size || !below(&job, 16))
		become(&job, any_shape(&job));
	else
		job.shape = recognise(&job);
	for (changes = 1 + below(&job, 4); changes; changes--)
		change(&job);
	return job.size;
}

static u64 context_value(struct job *job, const struct mutate_context *value)
{
	u64 span = value->hi - value->lo, any;

	switch (below(job, value->count ? 6 : 4)) {
	case 0:
		return value->lo;
	case 1:
		return value->hi;
	case 2:
	case 3:
		any = (u64)below(job, 1u << 31) << 33 | (u64)below(job, 1u << 31) << 2 | below(job, 4);
		return (value->lo + (span == UINT64_MAX ? any : any % (span + 1))) & value->mask;
	default:
		return job->tables->values[value->first + below(job, value->count)];
	}
}

void mutate_context(const struct mutate_tables *tables, u64 selector, u64 *values)
{
	struct job job = { .tables = tables, .random = selector };
	u32 i, shape;

	below(&job, 1);
	shape = below(&job, tables->shape_count);
	if (tables->shape_count && below(&job, 2)) {
		memcpy(values, tables->contexts + (size_t)shape * tables->context_count,
		       tables->context_count * sizeof(*values));
		return;
	}
	for (i = 0; i < tables->context_count; i++)
		values[i] = context_value(&job, &tables->context[i]);
}
