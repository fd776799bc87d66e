/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Wireshark dissector of a protocol, in Lua: shows every field, and names each rule
 * of the layout that a message breaks. It is a third reading of the specification, beside
 * the generated C and the interpreter, and shares no code with either. The capture it
 * reads is described in emit_capture.c.
 */
#include <stdlib.h>
#include <string.h>

#include "dissector_prelude.h"
#include "emit_dissector.h"

static const struct {
	const char *name;
	u32 number;
} link_types[] = {
	{ "control", 0 }, { "ring", 1 }, { "storage", 2 },
};

/* Link-layer type of captures, as a distance from USER0; specifications of others share one. */
u32 capture_link_type(const struct spec *spec)
{
	size_t i;

	for (i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++)
		if (!strcmp(spec->name, link_types[i].name))
			return link_types[i].number;
	return 3;
}

/* ---- keys: how fields are called in filters ---- */

static bool count_twins(const struct item *items, const struct field *field, u32 *twins)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD) {
			if (item->field == field)
				return true;
			*twins += !strcmp(item->field->name, field->name);
		}
		if (item->kind == I_WHEN && (count_twins(item->then, field, twins) ||
					     count_twins(item->otherwise, field, twins)))
			return true;
	}
	return false;
}

/* "owner.field"; fields of one name in the branches of a when are numbered. */
void emit_field_key(FILE *out, const struct field *field)
{
	u32 twins = 0;

	count_twins(field->layout->items, field, &twins);
	fprintf(out, "%s.%s", field->layout->name, field->name);
	if (twins)
		fprintf(out, ".%u", twins + 1);
}

void lua_key(struct lua *lua, const char *behind)
{
	fputc('"', lua->out);
	emit_field_key(lua->out, lua->field);
	fprintf(lua->out, "%s\"", behind);
}

void lua_line(struct lua *lua, const char *format, ...)
{
	va_list args;

	emit_indent(lua->out, lua->depth);
	va_start(args, format);
	vfprintf(lua->out, format, args);
	va_end(args);
	fputc('\n', lua->out);
}

/* ---- field declarations ---- */

static void declare(struct lua *lua, const char *behind, const char *shown, const char *kind, const char *more)
{
	fputs("F[", lua->out);
	lua_key(lua, behind);
	fprintf(lua->out, "] = ProtoField.%s(\"airlock.%s.", kind, lua->spec->name);
	emit_field_key(lua->out, lua->field);
	fprintf(lua->out, "%s\", \"%s\"%s)\n", behind, shown, more);
}

static void declare_int(struct lua *lua, const char *behind, const char *shown, const struct type *type)
{
	char kind[16], more[160] = ", base.DEC";

	snprintf(kind, sizeof(kind), "uint%u", type->width * 8);
	if (type->kind == T_ENUM)
		snprintf(more, sizeof(more), ", base.DEC, V[\"%.100s\"]", type->enumeration->name);
	if (type->kind == T_FLAGS || type->kind == T_BITS)
		snprintf(more, sizeof(more), ", base.HEX");
	declare(lua, behind, shown, kind, more);
}

static void declare_bits(struct lua *lua, const struct type *type)
{
	const struct bitpart *bit;
	char kind[16], behind[80], more[64];

	snprintf(kind, sizeof(kind), "uint%u", type->width * 8);
	for (bit = type->bits; bit; bit = bit->next) {
		snprintf(behind, sizeof(behind), ".%.70s", bit->name);
		snprintf(more, sizeof(more), ", base.DEC");
		if (type->width <= 4)
			snprintf(more, sizeof(more), ", base.DEC, nil, 0x%llx",
				 (unsigned long long)(((1ULL << bit->width) - 1) << bit->shift));
		declare(lua, behind, bit->name, kind, more);
	}
}

static void declare_flags(struct lua *lua, const struct type *type)
{
	const struct flag *flag;
	char behind[80], more[64];

	for (flag = type->flagset->flags; flag; flag = flag->next) {
		snprintf(behind, sizeof(behind), ".%.70s", flag->name);
		snprintf(more, sizeof(more), ", base.NONE");
		if (type->width <= 4)
			snprintf(more, sizeof(more), ", %u, nil, 0x%llx", type->width * 8, 1ULL << flag->bit);
		declare(lua, behind, flag->name, "bool", more);
	}
}

static void declare_arms(struct lua *lua, const struct type *type)
{
	const struct arm *arm;
	char behind[80];

	for (arm = type->arms; arm; arm = arm->next) {
		snprintf(behind, sizeof(behind), ".%.70s", arm->name);
		if (arm->type->kind == T_INT)
			declare_int(lua, behind, arm->name, arm->type);
		else
			declare(lua, behind, arm->name, arm->type->kind == T_BYTES ? "bytes" : "none", "");
	}
}

static void declare_element(struct lua *lua, const struct type *type)
{
	const char *shown = type->kind == T_LIST ? type->layout->name : type->element->name;

	declare(lua, "", lua->field->name, "none", "");
	if (type->kind != T_LIST && type->element->kind != T_STRUCT)
		declare_int(lua, ".element", shown, type->element);
	else
		declare(lua, ".element", shown, "none", "");
}

static void declare_field(struct lua *lua, const struct field *field)
{
	static const char *const kinds[] = {
		[T_GUID] = "guid", [T_STRUCT] = "none", [T_BYTES] = "bytes", [T_STRING] = "string",
	};

	lua->field = field;
	switch (field->type->kind) {
	case T_INT:
	case T_ENUM:
	case T_FLAGS:
	case T_BITS:
		declare_int(lua, "", field->name, field->type);
		if (field->type->kind == T_FLAGS)
			declare_flags(lua, field->type);
		declare_bits(lua, field->type);
		break;
	case T_ARRAY:
	case T_FILL:
	case T_LIST:
		declare_element(lua, field->type);
		break;
	case T_UNION:
		declare(lua, "", field->name, "none", "");
		declare_arms(lua, field->type);
		break;
	default:
		declare(lua, "", field->name, kinds[field->type->kind], "");
		break;
	}
}

static void declare_bit_table(struct lua *lua, const struct field *field)
{
	const struct bitpart *bit;

	lua->field = field;
	fputs("B[", lua->out);
	lua_key(lua, "");
	fputs("] = { ", lua->out);
	for (bit = field->type->bits; bit; bit = bit->next)
		fprintf(lua->out, "{ \"%s\", %u, %u }, ", bit->name, bit->shift, bit->width);
	fputs("}\n", lua->out);
}

static void declare_items(struct lua *lua, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			declare_field(lua, item->field);
		if (item->kind == I_FIELD && item->field->type->kind == T_BITS)
			declare_bit_table(lua, item->field);
		if (item->kind == I_WHEN) {
			declare_items(lua, item->then);
			declare_items(lua, item->otherwise);
		}
	}
}

/* ---- tables ---- */

/* Wireshark keys names by Lua numbers, which hold 53 bits. */
static void enum_tables(struct lua *lua)
{
	const struct enumeration *enumeration;
	const struct enumerator *value;

	lua_line(lua, "local V = {}");
	for (enumeration = lua->spec->enumerations; enumeration; enumeration = enumeration->next) {
		lua_line(lua, "V[\"%s\"] = {", enumeration->name);
		for (value = enumeration->values; value; value = value->next)
			if (value->value < 1ULL << 53)
				lua_line(lua, "\t[%llu] = \"%s\",", (unsigned long long)value->value, value->name);
		lua_line(lua, "}");
		if (enumeration->others_allowed)
			continue;
		lua_line(lua, "E[\"%s\"] = {", enumeration->name);
		for (value = enumeration->values; value; value = value->next)
			lua_line(lua, "\t[\"%llu\"] = true,", (unsigned long long)value->value);
		lua_line(lua, "}");
	}
}

static void flag_tables(struct lua *lua)
{
	const struct flagset *flagset;
	const struct flag *flag;

	for (flagset = lua->spec->flagsets; flagset; flagset = flagset->next) {
		lua_line(lua, "S[\"%s\"] = {", flagset->name);
		for (flag = flagset->flags; flag; flag = flag->next)
			lua_line(lua, "\t{ \"%s\", %u },", flag->name, flag->bit);
		lua_line(lua, "}");
	}
}

static void guid_table(struct lua *lua)
{
	const struct guidset *guidset;
	const struct guid *guid;
	u32 i;

	for (guidset = lua->spec->guidsets; guidset; guidset = guidset->next) {
		for (guid = guidset->guids; guid; guid = guid->next) {
			fputs("G[\"", lua->out);
			for (i = 0; i < 16; i++)
				fprintf(lua->out, "%02x", guid->bytes[i]);
			fprintf(lua->out, "\"] = \"%s\"\n", guid->name);
		}
	}
}

static void rule_table(struct lua *lua)
{
	const struct rule *rule;

	for (rule = lua->spec->rules; rule; rule = rule->next)
		if (rule->class == RULE_LAYOUT)
			lua_line(lua, "R[%u] = \"%s\"", rule->number, rule->name);
}

static void own_field(struct lua *lua, const char *key, const char *kind, const char *more)
{
	lua_line(lua, "F[\"%s\"] = ProtoField.%s(\"airlock.%s.%s\", \"%s\"%s)", key, kind, lua->spec->name, key,
	     strrchr(key, '.') ? strrchr(key, '.') + 1 : key, more);
}

static void context_tables(struct lua *lua)
{
	const struct context_value *value;
	char more[160], key[160];

	fputs("local context = { ", lua->out);
	for (value = lua->spec->context; value; value = value->next)
		fprintf(lua->out, "\"%s\", ", value->name);
	fputs("}\n", lua->out);
	own_field(lua, "capture-info.kind", "uint8", ", base.DEC, "
		  "{ [0] = \"message from the host\", \"message to the host\", \"structure\" }");
	own_field(lua, "capture-info.verdict", "string", "");
	own_field(lua, "capture-info.rest", "bytes", "");
	own_field(lua, "capture-info.context", "none", "");
	for (value = lua->spec->context; value; value = value->next) {
		snprintf(key, sizeof(key), "capture-info.context.%.120s", value->name);
		snprintf(more, sizeof(more), ", base.DEC");
		if (value->type->kind == T_ENUM)
			snprintf(more, sizeof(more), ", base.DEC, V[\"%.100s\"]", value->type->enumeration->name);
		own_field(lua, key, "uint64", value->type->kind == T_FLAGS || value->is_version ? ", base.HEX" : more);
	}
}

static void parameter_table(struct lua *lua)
{
	const struct layout *layout;
	const struct param *param;

	for (layout = lua->spec->layouts; layout; layout = layout->next) {
		if (!layout->params)
			continue;
		fprintf(lua->out, "P[\"%s\"] = { ", layout->name);
		for (param = layout->params; param; param = param->next)
			fprintf(lua->out, "\"%s\", ", param->name);
		fputs("}\n", lua->out);
	}
}

static void message_table(struct lua *lua)
{
	const struct layout *layout;

	lua_line(lua, "local layouts = {");
	for (layout = lua->spec->layouts; layout; layout = layout->next)
		lua_line(lua, "\t\"%s\",", layout->name);
	lua_line(lua, "}");
	lua_line(lua, "local header_size = %u", lua->spec->header ? (u32)lua->spec->header->fixed_size : 0);
	lua_line(lua, "local short_rule, dispatch_rule = %u, %u",
	     lua->spec->short_rule ? lua->spec->short_rule->number : 0,
	     lua->spec->dispatch_rule ? lua->spec->dispatch_rule->number : 0);
	for (layout = lua->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_MESSAGE)
			continue;
		fprintf(lua->out, "M[#M + 1] = { name = \"%s\", from = %s, to = %s, when = function(c, v) return ",
			layout->name, layout->direction == TO_HOST ? "false" : "true",
			layout->direction == FROM_HOST ? "false" : "true");
		if (layout->when)
			lua_truth(lua, layout->when);
		else
			fputs("true", lua->out);
		fputs(" end }\n", lua->out);
	}
}

static void lines(FILE *out, const char *const *text, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		fprintf(out, "%s\n", text[i]);
}

void emit_dissector(struct spec *spec, FILE *out)
{
	struct lua lua = { .out = out, .spec = spec };
	const struct layout *layout;

	fprintf(out, "-- SPDX-License-Identifier: GPL-2.0-only\n"
		"-- Wireshark dissector of protocol %s, written by airspec. Captures have link type USER%u.\n"
		"local name = \"%s\"\nlocal proto = Proto(\"airlock.%s\", \"Airlock %s\")\n",
		spec->name, capture_link_type(spec), spec->name, spec->name, spec->name);
	lines(out, prelude, sizeof(prelude) / sizeof(prelude[0]));
	rule_table(&lua);
	enum_tables(&lua);
	flag_tables(&lua);
	guid_table(&lua);
	context_tables(&lua);
	if (spec->header)
		declare_items(&lua, spec->header->items);
	for (layout = spec->layouts; layout; layout = layout->next)
		declare_items(&lua, layout->items);
	for (layout = spec->layouts; layout; layout = layout->next)
		fprintf(out, "F[\"%s\"] = ProtoField.none(\"airlock.%s.%s\", \"%s\")\n", layout->name, spec->name,
			layout->name, layout->name);
	if (spec->header)
		own_field(&lua, "header", "none", "");
	fputc('\n', out);
	if (spec->header)
		lua_layout(&lua, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		lua_layout(&lua, layout);
	parameter_table(&lua);
	message_table(&lua);
	lines(out, postlude, sizeof(postlude) / sizeof(postlude[0]));
	fprintf(out, "proto.experts = { broken, strange }\nlocal all = {}\n"
		"for _, field in pairs(F) do all[#all + 1] = field end\nproto.fields = all\n"
		"DissectorTable.get(\"wtap_encap\"):add(wtap.USER%u, proto)\n", capture_link_type(spec));
}
