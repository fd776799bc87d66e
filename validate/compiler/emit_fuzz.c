/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fuzzers need to know of a protocol: a dictionary of its values, and the tables of
 * its mutator (fuzz/mutate.c). Both list values at the edges of rules, where mistakes are.
 */
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "interp.h"
#include "vectors.h"

#define MOST_VALUES 512		/* of one field */
#define MOST_ENTRIES 8192	/* of a dictionary */
#define MOST_SHAPES 6		/* of one layout */
#define MOST_SHAPE_BYTES 4096
#define MOST_ALL_SHAPES 1024
#define MOST_FIELDS 32768
#define MOST_POOL 65535

/* ---- values worth trying ---- */

struct values {
	u64 list[MOST_VALUES];
	u32 count;
};

static u64 mask_of(u32 width)
{
	return width == 8 ? UINT64_MAX : (1ULL << (8 * width)) - 1;
}

static void add_value(struct values *values, u32 width, u64 value)
{
	u32 i;

	value &= mask_of(width);
	for (i = 0; i < values->count; i++)
		if (values->list[i] == value)
			return;
	if (values->count < MOST_VALUES)
		values->list[values->count++] = value;
}

static void add_edges(struct values *values, u32 width, const struct expr *expr)
{
	u64 value;

	if (!expr || expr->range.lo != expr->range.hi || expr->range.hi > U64_TOP)
		return;
	value = (u64)expr->range.lo;
	add_value(values, width, value);
	add_value(values, width, value - 1);
	add_value(values, width, value + 1);
}

static void add_operands(struct values *values, u32 width, const struct expr *expr)
{
	u32 i;

	if (!expr)
		return;
	add_edges(values, width, expr);
	add_operands(values, width, expr->a);
	add_operands(values, width, expr->b);
	add_operands(values, width, expr->c);
	for (i = 0; i < expr->list_length; i++)
		add_operands(values, width, expr->list[i]);
}

static void add_refinements(struct values *values, u32 width, const struct refinement *refinement)
{
	for (; refinement; refinement = refinement->next)
		if (refinement->test)
			add_operands(values, width, refinement->test);
}

/* Edges of a part, where the part lies in its word. */
static void add_part(struct values *values, const struct type *type, const struct bitpart *bit)
{
	struct values edges = { .count = 0 };
	u32 i;

	add_value(&edges, 8, 1);
	add_value(&edges, 8, (1ULL << bit->width) - 1);
	add_refinements(&edges, 8, bit->refinements);
	for (i = 0; i < edges.count; i++)
		add_value(values, type->width, (edges.list[i] & ((1ULL << bit->width) - 1)) << bit->shift);
}

static void add_type_values(struct values *values, const struct type *type)
{
	const struct enumerator *value;
	const struct bitpart *bit;
	const struct flag *flag;

	for (value = type->kind == T_ENUM ? type->enumeration->values : NULL; value; value = value->next)
		add_value(values, type->width, value->value);
	for (flag = type->kind == T_FLAGS ? type->flagset->flags : NULL; flag; flag = flag->next)
		add_value(values, type->width, 1ULL << flag->bit);
	if (type->kind == T_FLAGS) {
		add_value(values, type->width, type->flagset->mask);
		add_value(values, type->width, ~type->flagset->mask);
	}
	for (bit = type->bits; bit; bit = bit->next)
		add_part(values, type, bit);
}

static void add_versions(struct values *values, const struct spec *spec, const struct field *field)
{
	const struct version *version;

	for (version = spec->versions; version; version = version->next)
		if (field->type->width == 4 && strstr(field->name, "version"))
			add_value(values, 4, version->value);
}

/* What is special about the field comes first; what is so of any number, last. */
static void values_of(struct values *values, const struct spec *spec, const struct field *field)
{
	u32 width = field->type->width, bit;

	values->count = 0;
	add_type_values(values, field->type);
	add_versions(values, spec, field);
	add_refinements(values, width, field->refinements);
	add_value(values, width, 0);
	add_value(values, width, 1);
	add_value(values, width, UINT64_MAX);
	add_value(values, width, UINT64_MAX - 1);
	for (bit = 7; bit < width * 8; bit += 8) {
		add_value(values, width, 1ULL << bit);
		add_value(values, width, (1ULL << bit) - 1);
	}
}

static bool is_number(const struct field *field)
{
	return field->type->kind <= T_BITS;
}

/* ---- dictionary ---- */

struct entry {
	u32 length;
	u8 bytes[16];
};

struct dictionary {
	const struct spec *spec;
	FILE *out;
	struct entry entries[MOST_ENTRIES];
	u32 count;
	const struct field *field;	/* to be named before its first entry; NULL: done */
};

static bool known_entry(const struct dictionary *dictionary, const struct entry *entry)
{
	u32 i;

	for (i = 0; i < dictionary->count; i++)
		if (dictionary->entries[i].length == entry->length &&
		    !memcmp(dictionary->entries[i].bytes, entry->bytes, entry->length))
			return true;
	return dictionary->count == MOST_ENTRIES;
}

static void add_entry(struct dictionary *dictionary, const struct entry *entry)
{
	u32 i;

	if (known_entry(dictionary, entry))
		return;
	dictionary->entries[dictionary->count++] = *entry;
	if (dictionary->field) {
		fputs("\n# ", dictionary->out);
		emit_field_key(dictionary->out, dictionary->field);
		fputc('\n', dictionary->out);
		dictionary->field = NULL;
	}
	fputc('"', dictionary->out);
	for (i = 0; i < entry->length; i++)
		fprintf(dictionary->out, "\\x%02x", entry->bytes[i]);
	fputs("\"\n", dictionary->out);
}

static void add_number_entry(struct dictionary *dictionary, u64 value, u32 width, bool big)
{
	struct entry entry = { .length = width };
	u32 i;

	for (i = 0; i < width; i++, value >>= 8)
		entry.bytes[big ? width - 1 - i : i] = (u8)value;
	add_entry(dictionary, &entry);
}

static void add_field_entries(struct dictionary *dictionary, const struct field *field)
{
	struct values values;
	u32 i;

	if (!is_number(field))
		return;
	dictionary->field = field;
	values_of(&values, dictionary->spec, field);
	for (i = 0; i < values.count; i++)
		add_number_entry(dictionary, values.list[i], field->type->width, field->type->big);
}

static void add_item_entries(struct dictionary *dictionary, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			add_field_entries(dictionary, item->field);
		if (item->kind == I_WHEN) {
			add_item_entries(dictionary, item->then);
			add_item_entries(dictionary, item->otherwise);
		}
	}
}

static void add_guids(struct dictionary *dictionary)
{
	const struct guidset *guidset;
	const struct guid *guid;
	struct entry entry = { .length = 16 };

	for (guidset = dictionary->spec->guidsets; guidset; guidset = guidset->next) {
		fprintf(dictionary->out, "\n# guids %s\n", guidset->name);
		for (guid = guidset->guids; guid; guid = guid->next) {
			memcpy(entry.bytes, guid->bytes, 16);
			add_entry(dictionary, &entry);
		}
	}
}

/* Sizes of messages and structs, as a length field would hold them. */
static void add_sizes(struct dictionary *dictionary)
{
	const struct layout *layout;
	u32 i;

	fputs("\n# sizes\n", dictionary->out);
	for (layout = dictionary->spec->layouts; layout; layout = layout->next) {
		for (i = 0; i < layout->size_count; i++)
			add_number_entry(dictionary, layout->sizes[i], 4, dictionary->spec->big);
		add_number_entry(dictionary, (u64)layout->least_size, 2, dictionary->spec->big);
		add_number_entry(dictionary, (u64)layout->least_size, 4, dictionary->spec->big);
	}
}

void emit_dictionary(struct spec *spec, FILE *out)
{
	struct dictionary *dictionary = calloc(1, sizeof(*dictionary));
	const struct version *version;
	const struct layout *layout;

	if (!dictionary) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	dictionary->spec = spec;
	dictionary->out = out;
	fprintf(out, "# Values of protocol %s, for libFuzzer and AFL++; written by airspec.\n", spec->name);
	if (spec->header)
		add_item_entries(dictionary, spec->header->items);
	for (layout = spec->layouts; layout; layout = layout->next)
		add_item_entries(dictionary, layout->items);
	dictionary->field = NULL;
	if (spec->versions)
		fputs("\n# versions\n", out);
	for (version = spec->versions; version; version = version->next)
		add_number_entry(dictionary, version->value, 4, spec->big);
	add_guids(dictionary);
	add_sizes(dictionary);
	free(dictionary);
}

/* ---- mutator ---- */

/* A number of a shape, in the order of the observer. */
struct place {
	const struct field *field;
	u32 offset;
};

/* Values of one field of the specification, shared by all its places. */
struct pool {
	const struct field *field;
	u32 first, count;
};

struct tables {
	struct spec *spec;
	FILE *out;
	struct place places[MOST_FIELDS];
	u32 place_count, first_place;		/* first_place: of the shape at work */
	struct pool pools[MOST_FIELDS];
	u32 pool_count, value_count;
	u32 keys[MOST_FIELDS];
	u32 key_count;
	u32 size;				/* of the shape at work */
	u32 *context_first;			/* first values, by index */
};

static void note_place(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width,
		       u64 value)
{
	struct tables *tables = arg;

	(void)value;
	if (bit || !width || tables->place_count == MOST_FIELDS || offset > tables->size ||
	    width > tables->size - offset)
		return;
	tables->places[tables->place_count++] = (struct place){ field, offset };
}

static bool mentions(const struct expr *expr, const struct field *field)
{
	u32 i;

	if (!expr)
		return false;
	if (expr->kind == E_NAME && expr->ref.kind == REF_FIELD && expr->ref.field == field)
		return true;
	for (i = 0; i < expr->list_length; i++)
		if (mentions(expr->list[i], field))
			return true;
	return mentions(expr->a, field) || mentions(expr->b, field) || mentions(expr->c, field);
}

/* Keys are fields of the header that the message's "when" asks for. */
static void note_keys(struct tables *tables, const struct layout *layout)
{
	u32 i;

	for (i = tables->first_place; i < tables->place_count; i++)
		if (tables->places[i].field->layout == tables->spec->header &&
		    mentions(layout->when, tables->places[i].field) && tables->key_count < MOST_FIELDS)
			tables->keys[tables->key_count++] = i;
}

static const struct pool *find_pool(struct tables *tables, const struct field *field)
{
	struct pool *pool = tables->pools;

	while (pool < tables->pools + tables->pool_count && pool->field != field)
		pool++;
	return pool < tables->pools + tables->pool_count ? pool : NULL;
}

static void write_pool(struct tables *tables, const struct field *field)
{
	struct pool *pool = &tables->pools[tables->pool_count];
	struct values values;
	u32 i;

	values_of(&values, tables->spec, field);
	if (tables->pool_count == MOST_FIELDS || tables->value_count + values.count > MOST_POOL)
		return;
	*pool = (struct pool){ field, tables->value_count, values.count };
	tables->pool_count++;
	tables->value_count += values.count;
	fputs("\t/* ", tables->out);
	emit_field_key(tables->out, field);
	fputs(" */", tables->out);
	for (i = 0; i < values.count; i++)
		fprintf(tables->out, "%s0x%llx,", i % 8 ? " " : "\n\t", (unsigned long long)values.list[i]);
	fputc('\n', tables->out);
}

/* Versions, values of an enum and single flags are the contexts that differ most. */
static u32 write_context_pool(struct tables *tables, const struct context_value *value)
{
	struct values values = { .count = 0 };
	const struct version *version;
	u32 written = 0, i;

	for (version = value->is_version ? tables->spec->versions : NULL; version; version = version->next)
		add_value(&values, 8, version->value);
	if (!value->is_version)
		add_type_values(&values, value->type);
	fprintf(tables->out, "\t/* %s */\n", value->name);
	for (i = 0; i < values.count; i++) {
		if ((s128)values.list[i] < value->range.lo || (s128)values.list[i] > value->range.hi)
			continue;
		fprintf(tables->out, "\t0x%llx,\n", (unsigned long long)values.list[i]);
		written++;
	}
	return written;
}

static void write_values(struct tables *tables)
{
	const struct context_value *value;
	u32 i;

	fputs("\nstatic const u64 values[] = {\n", tables->out);
	for (value = tables->spec->context; value; value = value->next) {
		tables->context_first[value->index] = tables->value_count;
		tables->value_count += write_context_pool(tables, value);
		tables->context_first[value->index + 1] = tables->value_count;
	}
	for (i = 0; i < tables->place_count; i++)
		if (!find_pool(tables, tables->places[i].field))
			write_pool(tables, tables->places[i].field);
	fputs("\t0\n};\n", tables->out);
}

static void write_context(struct tables *tables)
{
	const struct context_value *value;
	u64 mask;
	u32 first;

	fputs("\n/* lowest, highest, bits, first value, number of values */\n"
	      "static const struct mutate_context context[] = {\n", tables->out);
	for (value = tables->spec->context; value; value = value->next) {
		first = tables->context_first[value->index];
		mask = value->type->kind == T_FLAGS ? value->type->flagset->mask : UINT64_MAX;
		fprintf(tables->out, "\t{ 0x%llx, 0x%llx, 0x%llx, %u, %u },\n", (unsigned long long)value->range.lo,
			(unsigned long long)value->range.hi, (unsigned long long)mask, first,
			tables->context_first[value->index + 1] - first);
	}
	fputs("\t{ 0, 0, 0, 0, 0 }\n};\n", tables->out);
}

static void write_fields(struct tables *tables)
{
	const struct place *place;
	const struct pool *pool;
	u32 i;

	fputs("\n/* offset, width, big-endian, first value, number of values */\n"
	      "static const struct mutate_field fields[] = {\n", tables->out);
	for (i = 0; i < tables->place_count; i++) {
		place = &tables->places[i];
		pool = find_pool(tables, place->field);
		fprintf(tables->out, "\t{ %u, %u, %d, %u, %u },\n", place->offset, place->field->type->width,
			place->field->type->big, pool ? pool->first : 0, pool ? pool->count : 0);
	}
	fputs("\t{ 0, 0, 0, 0, 0 }\n};\n", tables->out);
}

static void write_keys(struct tables *tables)
{
	u32 i;

	fputs("\n/* Numbers of the fields that tell which message a shape is. */\nstatic const u32 keys[] = {",
	      tables->out);
	for (i = 0; i < tables->key_count; i++)
		fprintf(tables->out, "%s%u,", i % 12 ? " " : "\n\t", tables->keys[i]);
	fputs("\n\t0\n};\n", tables->out);
}

static void write_bytes(struct tables *tables, const u8 *bytes, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		fprintf(tables->out, "%s0x%02x,", i % 12 ? " " : "\n\t", bytes[i]);
	fputs(size ? "\n" : "0", tables->out);
}

struct shape {
	const struct layout *layout;
	const u8 *bytes;
	u32 size;
	const u64 *context;
	u32 first_place, places, first_key, keys;
};

/* The interpreter knows where the numbers of a message lie. */
static void measure(struct tables *tables, struct shape *shape, const struct interp_message *message)
{
	struct interp_observer observer = { .saw = note_place, .arg = tables };

	tables->size = shape->size;
	tables->first_place = shape->first_place = tables->place_count;
	shape->first_key = tables->key_count;
	interp_check(tables->spec, shape->layout, message, &observer);
	if (shape->layout->kind == L_MESSAGE)
		note_keys(tables, shape->layout);
	shape->places = tables->place_count - shape->first_place;
	shape->keys = tables->key_count - shape->first_key;
}

static void write_shapes(struct tables *tables, const struct shape *shapes, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		fprintf(tables->out, "\n/* %s */\nstatic const u8 shape_%u[] = {", shapes[i].layout->name, i);
		write_bytes(tables, shapes[i].bytes, shapes[i].size);
		fputs("};\n", tables->out);
	}
	fputs("\n/* bytes, size, first field, fields, first key, keys */\n"
	      "static const struct mutate_shape shapes[] = {\n", tables->out);
	for (i = 0; i < count; i++)
		fprintf(tables->out, "\t{ shape_%u, %u, %u, %u, %u, %u },\n", i, shapes[i].size,
			shapes[i].first_place, shapes[i].places, shapes[i].first_key, shapes[i].keys);
	fputs("\t{ 0, 0, 0, 0, 0, 0 }\n};\n", tables->out);
}

static void write_contexts(struct tables *tables, const struct shape *shapes, u32 count)
{
	u32 i, j;

	fputs("\nstatic const u64 contexts[] = {\n", tables->out);
	for (i = 0; i < count; i++)
		for (j = 0; j < tables->spec->context_count; j++)
			fprintf(tables->out, "%s0x%llx,%s", j ? " " : "\t", (unsigned long long)shapes[i].context[j],
				j + 1 == tables->spec->context_count ? "\n" : "");
	fputs("\t0\n};\n", tables->out);
}

static void write_whole(struct tables *tables)
{
	const struct layout *layout;

	fputs("\nstatic const char *const whole[] = {\n", tables->out);
	for (layout = tables->spec->layouts; layout; layout = layout->next)
		if (layout->kind != L_STRUCT && layout->direction != REFUSED)
			fprintf(tables->out, "\t\"%s\",\n", layout->name);
	fputs("\tNULL\n};\n", tables->out);
}

static void write_tables(struct tables *tables, const struct shape *shapes, u32 count)
{
	const char *name = tables->spec->name;

	fprintf(tables->out, "/* SPDX-License-Identifier: GPL-2.0-only */\n"
		"/* Mutator of protocol %s: tables for fuzz/mutate.c, written by airspec. */\n"
		"#include \"mutate.h\"\n", name);
	write_values(tables);
	write_fields(tables);
	write_keys(tables);
	write_shapes(tables, shapes, count);
	write_context(tables);
	write_contexts(tables, shapes, count);
	write_whole(tables);
	fprintf(tables->out, "\nextern const struct mutate_tables %s_mutate_tables;\n"
		"const struct mutate_tables %s_mutate_tables = {\n"
		"\tshapes, fields, keys, values, %u, context, %u, contexts, whole\n};\n\n"
		"size_t %s_mutate(u8 *data, size_t size, size_t max, u32 seed);\n\n"
		"size_t %s_mutate(u8 *data, size_t size, size_t max, u32 seed)\n"
		"{\n\treturn mutate(&%s_mutate_tables, data, size, max, seed);\n}\n",
		name, name, count, tables->spec->context_count, name, name, name);
}

static u32 count_of(const struct shape *shapes, u32 count, const struct layout *layout)
{
	u32 found = 0;

	while (count--)
		found += shapes[count].layout == layout;
	return found;
}

static bool is_new(const struct shape *shapes, u32 count, const struct vector *vector)
{
	while (count--)
		if (shapes[count].layout == vector->layout && shapes[count].size == vector->size &&
		    !memcmp(shapes[count].bytes, vector->bytes, vector->size))
			return false;
	return true;
}

/* A few accepted inputs of each layout are shapes. */
static u32 find_shapes(struct tables *tables, struct shape *shapes)
{
	const struct vector *vector;
	struct shape *shape;
	u32 count = 0;

	for (vector = vectors_find(tables->spec); vector && count < MOST_ALL_SHAPES; vector = vector->next) {
		if (vector->breaks || vector->layout->kind == L_HEADER || vector->size > MOST_SHAPE_BYTES ||
		    !is_new(shapes, count, vector) || count_of(shapes, count, vector->layout) >= MOST_SHAPES)
			continue;
		shape = &shapes[count++];
		*shape = (struct shape){ .layout = vector->layout, .bytes = vector->bytes, .size = vector->size,
					  .context = vector->context };
		measure(tables, shape, &(struct interp_message){ vector->bytes, vector->size,
								  vector->context, vector->params });
	}
	return count;
}

void emit_mutator(struct spec *spec, FILE *out)
{
	struct tables *tables = calloc(1, sizeof(*tables));
	struct shape *shapes = calloc(MOST_ALL_SHAPES, sizeof(*shapes));

	if (!tables || !shapes) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	tables->spec = spec;
	tables->out = out;
	tables->context_first = spec_alloc(spec, (spec->context_count + 1) * sizeof(u32));
	write_tables(tables, shapes, find_shapes(tables, shapes));
	free(shapes);
	free(tables);
}
