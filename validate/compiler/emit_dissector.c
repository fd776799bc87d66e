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
#include "emit.h"

struct lua {
	FILE *out;
	const struct spec *spec;
	const struct layout *layout;
	u32 depth;
	const struct field *field;	/* being read */
	const char *pos;		/* where it lies: "at" or "q" */
	const char *tree, *limit;	/* "t" and "limit", or "u" and "m" in a union */
};

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
		fprintf(out, "_%u", twins + 1);
}

static void key(struct lua *lua, const char *behind)
{
	fputc('"', lua->out);
	emit_field_key(lua->out, lua->field);
	fprintf(lua->out, "%s\"", behind);
}

static void __attribute__((format(printf, 2, 3))) line(struct lua *lua, const char *format, ...)
{
	va_list args;

	emit_indent(lua->out, lua->depth);
	va_start(args, format);
	vfprintf(lua->out, format, args);
	va_end(args);
	fputc('\n', lua->out);
}

/* ---- expressions ---- */

static void number(struct lua *lua, const struct expr *expr);

static void literal(struct lua *lua, u64 value)
{
	u32 low = (u32)value, high = (u32)(value >> 32);

	if (!value)
		fputs("zero", lua->out);
	else if (high)
		fprintf(lua->out, "U(%u, %u)", low, high);
	else
		fprintf(lua->out, "U(%u)", low);
}

static void base_of_ref(struct lua *lua, const struct ref *ref)
{
	u32 i;

	switch (ref->kind) {
	case REF_FIELD:
		fputs("v", lua->out);
		for (i = 0; i < ref->path_length; i++)
			fprintf(lua->out, "[\"%s\"]", ref->path[i]->name);
		fprintf(lua->out, "[\"%s\"]", ref->field->name);
		break;
	case REF_LET:
		fprintf(lua->out, "v[\"%s\"]", ref->let->name);
		break;
	case REF_PARAM:
		fprintf(lua->out, "a[\"%s\"]", ref->param->name);
		break;
	default:
		fprintf(lua->out, "c[%u]", ref->context->index + 1);
		break;
	}
}

static void name(struct lua *lua, const struct expr *expr)
{
	const struct ref *ref = &expr->ref;

	if (ref->kind == REF_CONST || ref->kind == REF_ENUMERATOR) {
		literal(lua, expr->number);
		return;
	}
	fputs(ref->flag || ref->bit ? "part(" : "", lua->out);
	base_of_ref(lua, ref);
	if (ref->flag)
		fprintf(lua->out, ", %u, 1)", ref->flag->bit);
	else if (ref->bit)
		fprintf(lua->out, ", %u, %u)", ref->bit->shift, ref->bit->width);
}

static void call(struct lua *lua, const char *before, const struct expr *expr, const char *between,
		 const char *after)
{
	fputs(before, lua->out);
	number(lua, expr->a);
	fputs(between, lua->out);
	number(lua, expr->b);
	fputs(after, lua->out);
}

static void arithmetic(struct lua *lua, const struct expr *expr)
{
	static const struct {
		const char *before, *between, *after;
	} forms[] = {
		[OP_MUL] = { "(", " * ", ")" }, [OP_DIV] = { "div(", ", ", ")" },
		[OP_MOD] = { "mod(", ", ", ")" }, [OP_ADD] = { "(", " + ", ")" },
		[OP_SUB] = { "(", " - ", ")" }, [OP_SHL] = { "shl(", ", ", ")" },
		[OP_SHR] = { "shr(", ", ", ")" }, [OP_AND] = { "", ":band(", ")" },
		[OP_OR] = { "", ":bor(", ")" },
	};

	call(lua, forms[expr->op].before, expr, forms[expr->op].between, forms[expr->op].after);
}

static void number(struct lua *lua, const struct expr *expr)
{
	switch (expr->kind) {
	case E_NAME:
		name(lua, expr);
		break;
	case E_SIZE:
		fputs("U(limit - base)", lua->out);
		break;
	case E_REMAINING:
		fputs("U(limit - at)", lua->out);
		break;
	case E_BINARY:
		arithmetic(lua, expr);
		break;
	default:
		literal(lua, expr->number);
		break;
	}
}

static void truth(struct lua *lua, const struct expr *expr);

static void comparison(struct lua *lua, const struct expr *expr)
{
	static const char *const texts[] = {
		[OP_EQ] = " == ", [OP_NE] = " ~= ", [OP_LT] = " < ", [OP_LE] = " <= ",
		[OP_GT] = " > ", [OP_GE] = " >= ",
	};

	call(lua, "(", expr, texts[expr->op], ")");
}

static void logic(struct lua *lua, const struct expr *expr)
{
	fputs(expr->op == OP_IMPLIES ? "(not " : "(", lua->out);
	truth(lua, expr->a);
	fputs(expr->op == OP_BOTH ? " and " : " or ", lua->out);
	truth(lua, expr->b);
	fputc(')', lua->out);
}

static void membership(struct lua *lua, const struct expr *expr)
{
	u32 i;

	if (expr->kind == E_RANGE) {
		call(lua, "(", expr, " >= ", " and ");
		number(lua, expr->a);
		fputs(" <= ", lua->out);
		number(lua, expr->c);
		fputc(')', lua->out);
		return;
	}
	fputs("among(", lua->out);
	number(lua, expr->a);
	fputs(", { ", lua->out);
	for (i = 0; i < expr->list_length; i++) {
		fputs(i ? ", " : "", lua->out);
		number(lua, expr->list[i]);
	}
	fputs(" })", lua->out);
}

static void truth(struct lua *lua, const struct expr *expr)
{
	if (expr->kind == E_NOT) {
		fputs("(not ", lua->out);
		truth(lua, expr->a);
		fputc(')', lua->out);
	} else if (expr->kind == E_RANGE || expr->kind == E_SET) {
		membership(lua, expr);
	} else if (expr->kind == E_BINARY && expr->op >= OP_BOTH) {
		logic(lua, expr);
	} else if (expr->kind == E_BINARY && expr->op >= OP_EQ) {
		comparison(lua, expr);
	} else {
		fputc('(', lua->out);
		number(lua, expr);
		fputs(" ~= zero)", lua->out);
	}
}

/* Takes an item, and complains there if the condition does not hold. */
static void check(struct lua *lua, const char *item, const struct expr *condition, const struct rule *rule)
{
	if (!rule || condition->uses_request)
		return;
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "holds(p, %s, ", item);
	truth(lua, condition);
	fprintf(lua->out, ", %u)\n", rule->number);
}

/* ---- reading fields ---- */

static void set_place(struct lua *lua, const char *what, const struct expr *expr)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "%s = place(", what);
	number(lua, expr);
	fputs(")\n", lua->out);
}

static void need(struct lua *lua, const char *bytes, const struct rule *rule)
{
	if (rule)
		line(lua, "if not room(p, %s, %s, %s, %s, %u) then return end", lua->tree, lua->pos, lua->limit,
		     bytes, rule->number);
	else
		line(lua, "if not room(p, %s, %s, %s, %s) then return end", lua->tree, lua->pos, lua->limit, bytes);
}

static void read_scalar(struct lua *lua, const struct type *type, const char *behind)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "v[\"%s%s\"], i = int(p, %s, ", lua->field->name, behind, lua->tree);
	key(lua, behind);
	fprintf(lua->out, ", %s, %s, %u%s)\n", lua->pos, lua->limit, type->width, type->big ? ", true" : "");
	line(lua, "if not i then return end");
}

static void read_parts(struct lua *lua, const struct type *type)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "%s(p, i, ", type->kind == T_BITS ? "bits" : "flags");
	key(lua, "");
	if (type->kind == T_FLAGS)
		fprintf(lua->out, ", \"%s\"", type->flagset->name);
	fprintf(lua->out, ", %s, %u, %s, v[\"%s\"])\n", lua->pos, type->width, type->big ? "true" : "false",
		lua->field->name);
}

static void read_number(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;

	read_scalar(lua, type, "");
	if (type->kind == T_BITS || type->kind == T_FLAGS)
		read_parts(lua, type);
	if (field->enum_rule)
		line(lua, "holds(p, i, E[\"%s\"][tostring(v[\"%s\"])], %u)", type->enumeration->name, field->name,
		     field->enum_rule->number);
	if (field->reserved_rule) {
		emit_indent(lua->out, lua->depth);
		fprintf(lua->out, "holds(p, i, v[\"%s\"]:band(", field->name);
		literal(lua, ~type->flagset->mask);
		fprintf(lua->out, ") == zero, %u)\n", field->reserved_rule->number);
	}
	line(lua, "n = %u", type->width);
}

static void arguments(struct lua *lua, const struct type *type)
{
	const struct param *param = type->layout->params;
	u32 i;

	fputs("{ ", lua->out);
	for (i = 0; i < type->argument_count && param; i++, param = param->next) {
		fprintf(lua->out, "%s[\"%s\"] = ", i ? ", " : "", param->name);
		number(lua, type->arguments[i]);
	}
	fputs(" }", lua->out);
}

static void read_struct(struct lua *lua, const struct type *type, const char *behind)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "v[\"%s%s\"], n, i = sub(p, %s, ", lua->field->name, behind, lua->tree);
	key(lua, behind);
	fprintf(lua->out, ", \"%s\", %s, %s, ", type->layout->name, lua->pos, lua->limit);
	arguments(lua, type);
	fputs(")\n", lua->out);
	line(lua, "if not n then return end");
}

static void read_bytes(struct lua *lua, const char *behind)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "i = %s:add(F[", lua->tree);
	key(lua, behind);
	fprintf(lua->out, "], p.tvb(%s, n))\n", lua->pos);
}

static void read_guid(struct lua *lua, const struct field *field)
{
	line(lua, "n = 16");
	need(lua, "n", field->bounds_rule);
	emit_indent(lua->out, lua->depth);
	fputs("i = guid(p, t, ", lua->out);
	key(lua, "");
	fprintf(lua->out, ", %s)\n", lua->pos);
}

static void read_text(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;
	const char *encoding = !type->utf16 ? "ENC_ASCII" :
			       lua->spec->big ? "ENC_UTF_16 + ENC_BIG_ENDIAN" : "ENC_UTF_16 + ENC_LITTLE_ENDIAN";

	emit_indent(lua->out, lua->depth);
	fputs("i = text(p, t, ", lua->out);
	key(lua, "");
	fprintf(lua->out, ", %s, n, %s)\n", lua->pos, encoding);
	line(lua, "holds(p, i, %s(p, %s, n, %s%s), %u)", type->utf16 ? "utf16" : "ascii", lua->pos,
	     type->terminated ? "true" : "false", type->utf16 && lua->spec->big ? ", true" : "",
	     field->text_rule->number);
}

/* Elements of "size" bytes each are known to fit; others find out one by one. */
static void read_elements(struct lua *lua, const struct type *type, const char *count)
{
	const struct type *element = type->element;

	emit_indent(lua->out, lua->depth);
	if (element->kind != T_STRUCT) {
		fputs("i = ints(p, t, ", lua->out);
		key(lua, "");
		fprintf(lua->out, ", %s, n, %u, %s)\n", lua->pos, element->width, element->big ? "true" : "false");
		line(lua, "if not i then return end");
		return;
	}
	fputs("n, i = structs(p, t, ", lua->out);
	key(lua, "");
	fprintf(lua->out, ", \"%s\", %s, %s, %s, ", element->layout->name, lua->pos, count[0] == 'm' ? "limit" : count,
		count[0] == 'm' ? count : "nil");
	arguments(lua, element);
	fputs(")\n", lua->out);
	line(lua, "if not n then return end");
}

static void read_array(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;

	set_place(lua, "m", type->count);
	if (type->element->fixed_size >= 0) {
		line(lua, "n = m * %u", (u32)type->element->fixed_size);
		need(lua, "n", field->bounds_rule);
	} else if (field->bounds_rule) {
		need(lua, "0", field->bounds_rule);
	}
	read_elements(lua, type, "m");
}

static void read_fill(struct lua *lua, const struct field *field)
{
	char past[16];

	set_place(lua, "n", field->type->bytes);
	need(lua, "n", field->bounds_rule);
	if (field->whole_rule)
		line(lua, "if not holds(p, t, n %% %u == 0, %u) then return end",
		     (u32)field->type->element->fixed_size, field->whole_rule->number);
	snprintf(past, sizeof(past), "%s + n", lua->pos);
	read_elements(lua, field->type, past);
}

static void read_list(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;

	set_place(lua, "n", type->bytes);
	need(lua, "n", field->bounds_rule);
	set_place(lua, "m", type->max);
	emit_indent(lua->out, lua->depth);
	fputs("i = list(p, t, ", lua->out);
	key(lua, "");
	fprintf(lua->out, ", \"%s\", %s, n, m, ", type->layout->name, lua->pos);
	arguments(lua, type);
	fprintf(lua->out, ", { max_rule = %u", field->max_rule->number);
	if (type->layout->fixed)
		fprintf(lua->out, ", bounds_rule = %u, least = %u", field->bounds_rule->number,
			(u32)type->layout->fixed_size);
	if (type->until) {
		fputs(", past = function(v) return ", lua->out);
		truth(lua, type->until);
		fputs(" end", lua->out);
	}
	if (type->linked)
		fprintf(lua->out, ", link = \"%s\", link_rule = %u", type->linked, field->link_rule->number);
	fputs(" })\n", lua->out);
	line(lua, "if not i then return end");
}

static void read_arm(struct lua *lua, const struct arm *arm)
{
	const struct rule *bounds = lua->field->bounds_rule;
	char behind[80], bytes[16];

	snprintf(behind, sizeof(behind), ".%.70s", arm->name);
	snprintf(bytes, sizeof(bytes), "%u", (u32)arm->type->least_size);
	if (arm->type->kind == T_STRUCT) {
		if (arm->type->layout->fixed)
			need(lua, bytes, bounds);
		read_struct(lua, arm->type, behind);
	} else if (arm->type->kind == T_INT) {
		need(lua, bytes, bounds);
		read_scalar(lua, arm->type, behind);
		line(lua, "n = %u", arm->type->width);
	} else {
		set_place(lua, "n", arm->type->count);
		need(lua, "n", bounds);
		read_bytes(lua, behind);
	}
	if (lua->field->filled_rule)
		line(lua, "holds(p, u, n == k, %u)", lua->field->filled_rule->number);
}

static void read_arms(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;
	const struct arm *arm;

	for (arm = type->arms; arm; arm = arm->next) {
		emit_indent(lua->out, lua->depth);
		fputs(arm == type->arms ? "if " : "elseif ", lua->out);
		number(lua, type->tag);
		fputs(" == ", lua->out);
		literal(lua, arm->value);
		fputs(" then\n", lua->out);
		lua->depth++;
		read_arm(lua, arm);
		lua->depth--;
	}
	line(lua, type->arms ? "else" : "do");
	lua->depth++;
	if (field->tag_rule)
		line(lua, "holds(p, u, false, %u)", field->tag_rule->number);
	line(lua, "n = 0");
	lua->depth--;
	line(lua, "end");
}

/* k: the stated size; m: the end of what an arm may use; u: the tree of the union. */
static void read_union(struct lua *lua, const struct field *field)
{
	if (field->type->bytes) {
		set_place(lua, "k", field->type->bytes);
		need(lua, "k", field->bounds_rule);
		line(lua, "m = %s + k", lua->pos);
	} else {
		need(lua, "0", NULL);
		line(lua, "m = limit");
	}
	emit_indent(lua->out, lua->depth);
	fputs("u = t:add(F[", lua->out);
	key(lua, "");
	fprintf(lua->out, "], p.tvb(%s, m - %s))\n", lua->pos, lua->pos);
	lua->tree = "u";
	lua->limit = "m";
	read_arms(lua, field);
	if (field->type->bytes)
		line(lua, "n = k");
	line(lua, "u:set_len(n)");
	line(lua, "i = u");
}

static void read_type(struct lua *lua, const struct field *field)
{
	switch (field->type->kind) {
	case T_INT:
	case T_ENUM:
	case T_FLAGS:
	case T_BITS:
		read_number(lua, field);
		break;
	case T_GUID:
		read_guid(lua, field);
		break;
	case T_STRUCT:
		read_struct(lua, field->type, "");
		break;
	case T_BYTES:
	case T_STRING:
		set_place(lua, "n", field->type->count);
		need(lua, "n", field->bounds_rule);
		if (field->type->kind == T_BYTES)
			read_bytes(lua, "");
		else
			read_text(lua, field);
		break;
	case T_ARRAY:
		read_array(lua, field);
		break;
	case T_FILL:
		read_fill(lua, field);
		break;
	case T_LIST:
		read_list(lua, field);
		break;
	case T_UNION:
		read_union(lua, field);
		break;
	}
}

static void refine(struct lua *lua, const struct field *field)
{
	const struct refinement *refinement;
	const struct bitpart *bit;

	for (bit = field->type->bits; bit; bit = bit->next)
		for (refinement = bit->refinements; refinement; refinement = refinement->next)
			if (refinement->test)
				check(lua, "i", refinement->test, refinement->rule);
	for (refinement = field->refinements; refinement; refinement = refinement->next) {
		if (refinement->test)
			check(lua, "i", refinement->test, refinement->rule);
		else if (refinement->kind == R_NO_OVERLAP)
			line(lua, "holds(p, i, apart(w[\"%s\"], w[\"%s\"]), %u)", field->name,
			     refinement->other->name, refinement->rule->number);
	}
}

static bool names_overlap(const struct item *items, const struct field *field)
{
	const struct refinement *refinement;
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_WHEN && (names_overlap(item->then, field) ||
					     names_overlap(item->otherwise, field)))
			return true;
		for (refinement = item->kind == I_FIELD ? item->field->refinements : NULL; refinement;
		     refinement = refinement->next)
			if (refinement->kind == R_NO_OVERLAP && (item->field == field || refinement->other == field))
				return true;
	}
	return false;
}

/* The first field of a run: all of it must be there. */
static void read_run(struct lua *lua, const struct field *field)
{
	if (!field->run_rule)
		return;
	line(lua, "holds(p, t, limit - at %s %u, %u)", field->run_exact ? "==" : ">=", field->run_bytes,
	     field->run_rule->number);
}

static void read_message_when(struct lua *lua)
{
	const struct layout *message = lua->layout;

	if (message->when_rule)
		check(lua, "i", message->when, message->when_rule);
}

static void read_field(struct lua *lua, const struct field *field)
{
	char bytes[16];

	lua->field = field;
	lua->pos = field->at ? "q" : "at";
	lua->tree = "t";
	lua->limit = "limit";
	read_run(lua, field);
	if (field->at) {
		set_place(lua, "q", field->at);
		line(lua, "q = base + q");
		snprintf(bytes, sizeof(bytes), "%u", field->type->fixed_size > 0 ? (u32)field->type->fixed_size : 0);
		if (field->bounds_rule)
			need(lua, bytes, field->bounds_rule);
	}
	read_type(lua, field);
	if (names_overlap(lua->layout->items, field))
		line(lua, "w[\"%s\"] = { %s, n }", field->name, lua->pos);
	if (!field->at)
		line(lua, "at = at + n");
	refine(lua, field);
	if (field->is_header)
		read_message_when(lua);
}

/* ---- items ---- */

static void read_items(struct lua *lua, const struct item *items);

static void read_when(struct lua *lua, const struct item *item)
{
	emit_indent(lua->out, lua->depth);
	fputs("if ", lua->out);
	truth(lua, item->expr);
	fputs(" then\n", lua->out);
	lua->depth++;
	read_items(lua, item->then);
	lua->depth--;
	if (item->otherwise) {
		line(lua, "else");
		lua->depth++;
		read_items(lua, item->otherwise);
		lua->depth--;
	}
	line(lua, "end");
}

static void read_let(struct lua *lua, const struct item *item)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "v[\"%s\"] = ", item->name);
	number(lua, item->expr);
	fputc('\n', lua->out);
}

static void read_extent(struct lua *lua, const struct item *item)
{
	set_place(lua, "n", item->expr);
	line(lua, "if not holds(p, t, n >= at - base and n <= limit - base, %u) then return end", item->rule->number);
	line(lua, "limit = base + n");
}

static void read_items(struct lua *lua, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		switch (item->kind) {
		case I_FIELD:
			read_field(lua, item->field);
			break;
		case I_RULE:
			check(lua, "t", item->expr, item->rule);
			break;
		case I_LET:
			read_let(lua, item);
			break;
		case I_EXTENT:
			read_extent(lua, item);
			break;
		case I_WHEN:
			read_when(lua, item);
			break;
		case I_TRAILING:
			break;
		}
	}
}

static void layout_function(struct lua *lua, const struct layout *layout)
{
	lua->layout = layout;
	line(lua, "-- line %u", layout->loc.line);
	line(lua, "L[\"%s\"] = function(p, t, base, limit, a)", layout->name);
	lua->depth++;
	line(lua, "local v, w, c, at = {}, {}, p.context, base");
	line(lua, "local i, k, m, n, q, u");
	if (layout->refused_rule)
		line(lua, "holds(p, t, false, %u)", layout->refused_rule->number);
	read_items(lua, layout->items);
	if (layout->trailing_rule || layout->has_extent || layout->kind == L_MESSAGE || layout->kind == L_FRAME)
		line(lua, "if at < limit then t:add(F[\"capture-info.rest\"], p.tvb(at, limit - at)) end");
	if (layout->trailing_rule)
		line(lua, "holds(p, t, at == limit, %u)", layout->trailing_rule->number);
	line(lua, "return v, %s", layout->has_extent ? "limit" : "at");
	lua->depth--;
	line(lua, "end");
	line(lua, "%s", "");
}

/* ---- field declarations ---- */

static void declare(struct lua *lua, const char *behind, const char *shown, const char *kind, const char *more)
{
	fputs("F[", lua->out);
	key(lua, behind);
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
	key(lua, "");
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

	line(lua, "local V = {}");
	for (enumeration = lua->spec->enumerations; enumeration; enumeration = enumeration->next) {
		line(lua, "V[\"%s\"] = {", enumeration->name);
		for (value = enumeration->values; value; value = value->next)
			if (value->value < 1ULL << 53)
				line(lua, "\t[%llu] = \"%s\",", (unsigned long long)value->value, value->name);
		line(lua, "}");
		if (enumeration->others_allowed)
			continue;
		line(lua, "E[\"%s\"] = {", enumeration->name);
		for (value = enumeration->values; value; value = value->next)
			line(lua, "\t[\"%llu\"] = true,", (unsigned long long)value->value);
		line(lua, "}");
	}
}

static void flag_tables(struct lua *lua)
{
	const struct flagset *flagset;
	const struct flag *flag;

	for (flagset = lua->spec->flagsets; flagset; flagset = flagset->next) {
		line(lua, "S[\"%s\"] = {", flagset->name);
		for (flag = flagset->flags; flag; flag = flag->next)
			line(lua, "\t{ \"%s\", %u },", flag->name, flag->bit);
		line(lua, "}");
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
			line(lua, "R[%u] = \"%s\"", rule->number, rule->name);
}

static void own_field(struct lua *lua, const char *key, const char *kind, const char *more)
{
	line(lua, "F[\"%s\"] = ProtoField.%s(\"airlock.%s.%s\", \"%s\"%s)", key, kind, lua->spec->name, key,
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

	line(lua, "local layouts = {");
	for (layout = lua->spec->layouts; layout; layout = layout->next)
		line(lua, "\t\"%s\",", layout->name);
	line(lua, "}");
	line(lua, "local header_size = %u", lua->spec->header ? (u32)lua->spec->header->fixed_size : 0);
	line(lua, "local short_rule, dispatch_rule = %u, %u",
	     lua->spec->short_rule ? lua->spec->short_rule->number : 0,
	     lua->spec->dispatch_rule ? lua->spec->dispatch_rule->number : 0);
	for (layout = lua->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_MESSAGE)
			continue;
		fprintf(lua->out, "M[#M + 1] = { name = \"%s\", from = %s, to = %s, when = function(c, v) return ",
			layout->name, layout->direction == TO_HOST ? "false" : "true",
			layout->direction == FROM_HOST ? "false" : "true");
		if (layout->when)
			truth(lua, layout->when);
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
		layout_function(&lua, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		layout_function(&lua, layout);
	parameter_table(&lua);
	message_table(&lua);
	lines(out, postlude, sizeof(postlude) / sizeof(postlude[0]));
	fprintf(out, "proto.experts = { broken, strange }\nlocal all = {}\n"
		"for _, field in pairs(F) do all[#all + 1] = field end\nproto.fields = all\n"
		"DissectorTable.get(\"wtap_encap\"):add(wtap.USER%u, proto)\n", capture_link_type(spec));
}
