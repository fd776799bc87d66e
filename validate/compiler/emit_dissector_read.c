/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of a dissector: each layout becomes one that reads its fields, shows them
 * and names the rules they break. In them, v are the values of the fields, w their places
 * as far as rules ask for them, a the parameters, c the context; at is the cursor.
 */
#include <string.h>

#include "emit_dissector.h"

/* ---- expressions ---- */

static void number(struct lua *lua, const struct expr *expr);

static void lua_literal(struct lua *lua, u64 value)
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
		lua_literal(lua, expr->number);
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
		lua_literal(lua, expr->number);
		break;
	}
}

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
	lua_truth(lua, expr->a);
	fputs(expr->op == OP_BOTH ? " and " : " or ", lua->out);
	lua_truth(lua, expr->b);
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

void lua_truth(struct lua *lua, const struct expr *expr)
{
	if (expr->kind == E_NOT) {
		fputs("(not ", lua->out);
		lua_truth(lua, expr->a);
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
	lua_truth(lua, condition);
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
		lua_line(lua, "if not room(p, %s, %s, %s, %s, %u) then return end", lua->tree, lua->pos, lua->limit,
		     bytes, rule->number);
	else
		lua_line(lua, "if not room(p, %s, %s, %s, %s) then return end", lua->tree, lua->pos, lua->limit, bytes);
}

static void read_scalar(struct lua *lua, const struct type *type, const char *behind)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "v[\"%s%s\"], i = int(p, %s, ", lua->field->name, behind, lua->tree);
	lua_key(lua, behind);
	fprintf(lua->out, ", %s, %s, %u%s)\n", lua->pos, lua->limit, type->width, type->big ? ", true" : "");
	lua_line(lua, "if not i then return end");
}

static void read_parts(struct lua *lua, const struct type *type)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "%s(p, i, ", type->kind == T_BITS ? "bits" : "flags");
	lua_key(lua, "");
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
		lua_line(lua, "holds(p, i, E[\"%s\"][tostring(v[\"%s\"])], %u)", type->enumeration->name, field->name,
		     field->enum_rule->number);
	if (field->reserved_rule) {
		emit_indent(lua->out, lua->depth);
		fprintf(lua->out, "holds(p, i, v[\"%s\"]:band(", field->name);
		lua_literal(lua, ~type->flagset->mask);
		fprintf(lua->out, ") == zero, %u)\n", field->reserved_rule->number);
	}
	lua_line(lua, "n = %u", type->width);
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
	lua_key(lua, behind);
	fprintf(lua->out, ", \"%s\", %s, %s, ", type->layout->name, lua->pos, lua->limit);
	arguments(lua, type);
	fputs(")\n", lua->out);
	lua_line(lua, "if not n then return end");
}

static void read_bytes(struct lua *lua, const char *behind)
{
	emit_indent(lua->out, lua->depth);
	fprintf(lua->out, "i = %s:add(F[", lua->tree);
	lua_key(lua, behind);
	fprintf(lua->out, "], p.tvb(%s, n))\n", lua->pos);
}

static void read_guid(struct lua *lua, const struct field *field)
{
	lua_line(lua, "n = 16");
	need(lua, "n", field->bounds_rule);
	emit_indent(lua->out, lua->depth);
	fputs("i = guid(p, t, ", lua->out);
	lua_key(lua, "");
	fprintf(lua->out, ", %s)\n", lua->pos);
}

static void read_text(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;
	const char *encoding = !type->utf16 ? "ENC_ASCII" :
			       lua->spec->big ? "ENC_UTF_16 + ENC_BIG_ENDIAN" : "ENC_UTF_16 + ENC_LITTLE_ENDIAN";

	emit_indent(lua->out, lua->depth);
	fputs("i = text(p, t, ", lua->out);
	lua_key(lua, "");
	fprintf(lua->out, ", %s, n, %s)\n", lua->pos, encoding);
	lua_line(lua, "holds(p, i, %s(p, %s, n, %s%s), %u)", type->utf16 ? "utf16" : "ascii", lua->pos,
	     type->terminated ? "true" : "false", type->utf16 && lua->spec->big ? ", true" : "",
	     field->text_rule->number);
}

/* Numbers, n bytes in all, or structs up to a limit, or a count of them. */
static void read_elements(struct lua *lua, const struct type *type, const char *limit, const char *count)
{
	const struct type *element = type->element;

	emit_indent(lua->out, lua->depth);
	if (element->kind != T_STRUCT) {
		fputs("i = ints(p, t, ", lua->out);
		lua_key(lua, "");
		fprintf(lua->out, ", %s, n, %u, %s)\n", lua->pos, element->width, element->big ? "true" : "false");
		lua_line(lua, "if not i then return end");
		return;
	}
	fputs("n, i = structs(p, t, ", lua->out);
	lua_key(lua, "");
	fprintf(lua->out, ", \"%s\", %s, %s, %s, ", element->layout->name, lua->pos, limit, count);
	arguments(lua, element);
	fputs(")\n", lua->out);
	lua_line(lua, "if not n then return end");
}

static void read_array(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;

	set_place(lua, "m", type->count);
	if (type->element->fixed_size >= 0) {
		lua_line(lua, "n = m * %u", (u32)type->element->fixed_size);
		need(lua, "n", field->bounds_rule);
	} else if (field->bounds_rule) {
		need(lua, "0", field->bounds_rule);
	}
	read_elements(lua, type, "limit", "m");
}

static void read_fill(struct lua *lua, const struct field *field)
{
	char past[16];

	set_place(lua, "n", field->type->bytes);
	need(lua, "n", field->bounds_rule);
	if (field->whole_rule)
		lua_line(lua, "if not holds(p, t, n %% %u == 0, %u) then return end",
		     (u32)field->type->element->fixed_size, field->whole_rule->number);
	snprintf(past, sizeof(past), "%s + n", lua->pos);
	read_elements(lua, field->type, past, "nil");
}

static void read_list(struct lua *lua, const struct field *field)
{
	const struct type *type = field->type;

	set_place(lua, "n", type->bytes);
	need(lua, "n", field->bounds_rule);
	set_place(lua, "m", type->max);
	emit_indent(lua->out, lua->depth);
	fputs("i = list(p, t, ", lua->out);
	lua_key(lua, "");
	fprintf(lua->out, ", \"%s\", %s, n, m, ", type->layout->name, lua->pos);
	arguments(lua, type);
	fprintf(lua->out, ", { max_rule = %u", field->max_rule->number);
	if (field->whole_rule)
		fprintf(lua->out, ", bounds_rule = %u, least = %u", field->whole_rule->number,
			(u32)type->layout->fixed_size);
	if (type->until) {
		fputs(", past = function(v) return ", lua->out);
		lua_truth(lua, type->until);
		fputs(" end", lua->out);
	}
	if (type->linked)
		fprintf(lua->out, ", link = \"%s\", link_rule = %u", type->linked, field->link_rule->number);
	fputs(" })\n", lua->out);
	lua_line(lua, "if not i then return end");
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
		lua_line(lua, "n = %u", arm->type->width);
	} else {
		set_place(lua, "n", arm->type->count);
		need(lua, "n", bounds);
		read_bytes(lua, behind);
	}
	if (lua->field->filled_rule)
		lua_line(lua, "holds(p, u, n == k, %u)", lua->field->filled_rule->number);
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
		lua_literal(lua, arm->value);
		fputs(" then\n", lua->out);
		lua->depth++;
		read_arm(lua, arm);
		lua->depth--;
	}
	lua_line(lua, type->arms ? "else" : "do");
	lua->depth++;
	if (field->tag_rule)
		lua_line(lua, "holds(p, u, false, %u)", field->tag_rule->number);
	lua_line(lua, "n = 0");
	lua->depth--;
	lua_line(lua, "end");
}

/* k: the stated size; m: the end of what an arm may use; u: the tree of the union. */
static void read_union(struct lua *lua, const struct field *field)
{
	if (field->type->bytes) {
		set_place(lua, "k", field->type->bytes);
		need(lua, "k", field->bounds_rule);
		lua_line(lua, "m = %s + k", lua->pos);
	} else {
		need(lua, "0", NULL);
		lua_line(lua, "m = limit");
	}
	emit_indent(lua->out, lua->depth);
	fputs("u = t:add(F[", lua->out);
	lua_key(lua, "");
	fprintf(lua->out, "], p.tvb(%s, m - %s))\n", lua->pos, lua->pos);
	lua->tree = "u";
	lua->limit = "m";
	read_arms(lua, field);
	if (field->type->bytes)
		lua_line(lua, "n = k");
	lua_line(lua, "u:set_len(n)");
	lua_line(lua, "i = u");
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
			lua_line(lua, "holds(p, i, apart(w[\"%s\"], w[\"%s\"]), %u)", field->name,
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
	lua_line(lua, "holds(p, t, limit - at %s %u, %u)", field->run_exact ? "==" : ">=", field->run_bytes,
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
		lua_line(lua, "q = base + q");
		snprintf(bytes, sizeof(bytes), "%u", field->type->fixed_size > 0 ? (u32)field->type->fixed_size : 0);
		if (field->bounds_rule)
			need(lua, bytes, field->bounds_rule);
	}
	read_type(lua, field);
	if (names_overlap(lua->layout->items, field))
		lua_line(lua, "w[\"%s\"] = { %s, n }", field->name, lua->pos);
	if (!field->at)
		lua_line(lua, "at = at + n");
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
	lua_truth(lua, item->expr);
	fputs(" then\n", lua->out);
	lua->depth++;
	read_items(lua, item->then);
	lua->depth--;
	if (item->otherwise) {
		lua_line(lua, "else");
		lua->depth++;
		read_items(lua, item->otherwise);
		lua->depth--;
	}
	lua_line(lua, "end");
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
	lua_line(lua, "if not holds(p, t, n >= at - base and n <= limit - base, %u) then return end",
		 item->rule->number);
	lua_line(lua, "limit = base + n");
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

void lua_layout(struct lua *lua, const struct layout *layout)
{
	lua->layout = layout;
	lua_line(lua, "-- line %u", layout->loc.line);
	lua_line(lua, "L[\"%s\"] = function(p, t, base, limit, a)", layout->name);
	lua->depth++;
	lua_line(lua, "local v, w, c, at = {}, {}, p.context, base");
	lua_line(lua, "local i, k, m, n, q, u");
	if (layout->refused_rule)
		lua_line(lua, "holds(p, t, false, %u)", layout->refused_rule->number);
	read_items(lua, layout->items);
	if (layout->trailing_rule || layout->has_extent || layout->kind == L_MESSAGE || layout->kind == L_FRAME)
		lua_line(lua, "if at < limit then t:add(F[\"capture-info.rest\"], p.tvb(at, limit - at)) end");
	if (layout->trailing_rule)
		lua_line(lua, "holds(p, t, at == limit, %u)", layout->trailing_rule->number);
	lua_line(lua, "return v, %s", layout->has_extent ? "limit" : "at");
	lua->depth--;
	lua_line(lua, "end");
	lua_line(lua, "%s", "");
}
