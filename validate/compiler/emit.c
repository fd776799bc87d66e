/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that several back ends write. What is written in the specification's language
 * means the same as the source it came from, with only the brackets that are needed.
 */
#include <ctype.h>

#include "emit.h"

/* How tightly an expression binds, loosest first; the parser's order. */
enum {
	BIND_IMPLIES, BIND_EITHER, BIND_BOTH, BIND_NOT, BIND_COMPARE,
	BIND_OR, BIND_AND, BIND_SHIFT, BIND_SUM, BIND_PRODUCT, BIND_PRIMARY,
};

static const struct {
	const char *text;
	int bind;
} operators[] = {
	[OP_MUL] = { "*", BIND_PRODUCT }, [OP_DIV] = { "/", BIND_PRODUCT },
	[OP_MOD] = { "%", BIND_PRODUCT }, [OP_ADD] = { "+", BIND_SUM },
	[OP_SUB] = { "-", BIND_SUM }, [OP_SHL] = { "<<", BIND_SHIFT },
	[OP_SHR] = { ">>", BIND_SHIFT }, [OP_AND] = { "&", BIND_AND },
	[OP_OR] = { "|", BIND_OR }, [OP_EQ] = { "=", BIND_COMPARE },
	[OP_NE] = { "!=", BIND_COMPARE }, [OP_LT] = { "<", BIND_COMPARE },
	[OP_LE] = { "<=", BIND_COMPARE }, [OP_GT] = { ">", BIND_COMPARE },
	[OP_GE] = { ">=", BIND_COMPARE }, [OP_BOTH] = { "and", BIND_BOTH },
	[OP_EITHER] = { "or", BIND_EITHER }, [OP_IMPLIES] = { "implies", BIND_IMPLIES },
};

void emit_upper(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(toupper((unsigned char)*name), out);
}

void emit_indent(FILE *out, u32 levels)
{
	while (levels--)
		fputc('\t', out);
}

const char *operator_text(enum op op)
{
	return operators[op].text;
}

const char *direction_text(enum direction direction)
{
	static const char *const texts[] = {
		[FROM_HOST] = "from host", [TO_HOST] = "to host",
		[EITHER_WAY] = "either way", [REFUSED] = "refused",
	};

	return texts[direction];
}

const char *event_text(enum event_kind kind)
{
	static const char *const texts[] = {
		[EV_ON] = "on", [EV_SEND] = "send", [EV_AFTER] = "after", [EV_LOCAL] = "local",
	};

	return texts[kind];
}

static int binding(const struct expr *expr)
{
	switch (expr->kind) {
	case E_BINARY:
		return operators[expr->op].bind;
	case E_NOT:
		return BIND_NOT;
	case E_RANGE:
	case E_SET:
		return BIND_COMPARE;
	default:
		return BIND_PRIMARY;
	}
}

static void emit_bound(FILE *out, const struct spec *spec, const struct expr *expr, int least)
{
	bool brackets = binding(expr) < least;

	if (brackets)
		fputc('(', out);
	emit_expr_text(out, spec, expr);
	if (brackets)
		fputc(')', out);
}

static void emit_exprs(FILE *out, const struct spec *spec, struct expr **list, u32 length)
{
	u32 i;

	for (i = 0; i < length; i++) {
		fputs(i ? ", " : "", out);
		emit_bound(out, spec, list[i], BIND_OR);
	}
}

static void emit_named(FILE *out, const struct expr *expr)
{
	fputs(expr->name, out);
	if (expr->part)
		fprintf(out, ".%s", expr->part);
	if (expr->subpart)
		fprintf(out, ".%s", expr->subpart);
}

static void emit_binary(FILE *out, const struct spec *spec, const struct expr *expr)
{
	int bind = operators[expr->op].bind;

	/* Comparisons do not chain: both sides are values. */
	emit_bound(out, spec, expr->a, bind == BIND_COMPARE ? bind + 1 : bind);
	fprintf(out, " %s ", operators[expr->op].text);
	emit_bound(out, spec, expr->b, bind + 1);
}

void emit_version_text(FILE *out, const struct spec *spec, u64 value)
{
	fprintf(out, "%llu.%llu", (unsigned long long)(value >> spec->version_shift),
		(unsigned long long)(value & ((1ULL << spec->version_shift) - 1)));
}

void emit_number_text(FILE *out, u64 number)
{
	fprintf(out, number < 10000 ? "%llu" : "0x%llx", (unsigned long long)number);
}

static void emit_in(FILE *out, const struct spec *spec, const struct expr *expr)
{
	emit_bound(out, spec, expr->a, BIND_OR);
	fputs(" in ", out);
	if (expr->kind == E_RANGE) {
		emit_bound(out, spec, expr->b, BIND_OR);
		fputs(" .. ", out);
		emit_bound(out, spec, expr->c, BIND_OR);
		return;
	}
	fputs("{ ", out);
	emit_exprs(out, spec, expr->list, expr->list_length);
	fputs(" }", out);
}

void emit_expr_text(FILE *out, const struct spec *spec, const struct expr *expr)
{
	switch (expr->kind) {
	case E_NUMBER:
		emit_number_text(out, expr->number);
		break;
	case E_VERSION:
		emit_version_text(out, spec, expr->number);
		break;
	case E_REQUEST:
		fputs("request.", out);
		emit_named(out, expr);
		break;
	case E_NAME:
		emit_named(out, expr);
		break;
	case E_SIZEOF:
		fprintf(out, "sizeof(%s)", expr->name);
		break;
	case E_OFFSETOF:
		fprintf(out, "offset_of(%s)", expr->name);
		break;
	case E_SIZE:
		fputs("size", out);
		break;
	case E_REMAINING:
		fputs("remaining", out);
		break;
	case E_NOT:
		fputs("not ", out);
		emit_bound(out, spec, expr->a, BIND_COMPARE);
		break;
	case E_BINARY:
		emit_binary(out, spec, expr);
		break;
	case E_RANGE:
	case E_SET:
		emit_in(out, spec, expr);
		break;
	}
}

static void emit_arguments(FILE *out, const struct spec *spec, const struct type *type)
{
	if (!type->argument_count)
		return;
	fputc('(', out);
	emit_exprs(out, spec, type->arguments, type->argument_count);
	fputc(')', out);
}

static void emit_list_text(FILE *out, const struct spec *spec, const struct type *type)
{
	fprintf(out, "list of %s", type->name);
	emit_arguments(out, spec, type);
	fputs(" size ", out);
	emit_expr_text(out, spec, type->bytes);
	fputs(" max ", out);
	emit_expr_text(out, spec, type->max);
	if (type->until) {
		fputs(" until ", out);
		emit_expr_text(out, spec, type->until);
	}
	if (type->linked)
		fprintf(out, " linked by %s", type->linked);
}

static void emit_sized(FILE *out, const struct spec *spec, const char *word, const struct expr *size)
{
	fprintf(out, "%s[", word);
	emit_expr_text(out, spec, size);
	fputc(']', out);
}

static void emit_union_text(FILE *out, const struct spec *spec, const struct type *type)
{
	fputs("union by ", out);
	emit_expr_text(out, spec, type->tag);
	if (type->bytes) {
		fputs(" size ", out);
		emit_expr_text(out, spec, type->bytes);
	}
}

void emit_type_text(FILE *out, const struct spec *spec, const struct type *type)
{
	switch (type->kind) {
	case T_INT:
	case T_ENUM:
	case T_FLAGS:
	case T_STRUCT:
		fputs(type->name, out);
		emit_arguments(out, spec, type);
		break;
	case T_BITS:
		fprintf(out, "bits u%u%s", type->width * 8, type->big && type->width > 1 ? "be" : "");
		break;
	case T_GUID:
		fputs("guid", out);
		break;
	case T_BYTES:
		emit_sized(out, spec, "bytes", type->count);
		break;
	case T_STRING:
		emit_sized(out, spec, type->utf16 ? "utf16" : "ascii", type->count);
		fputs(type->terminated ? " terminated" : " padded", out);
		break;
	case T_ARRAY:
		emit_type_text(out, spec, type->element);
		emit_sized(out, spec, "", type->count);
		break;
	case T_FILL:
		emit_type_text(out, spec, type->element);
		fputs("[] size ", out);
		emit_expr_text(out, spec, type->bytes);
		break;
	case T_LIST:
		emit_list_text(out, spec, type);
		break;
	case T_UNION:
		emit_union_text(out, spec, type);
		break;
	}
}

static const char *role_text(enum role role)
{
	static const char *const texts[] = {
		[ROLE_NONE] = "", [ROLE_INDEX] = "index", [ROLE_LENGTH] = "length",
		[ROLE_OFFSET] = "offset", [ROLE_COUNT] = "count", [ROLE_NUMBER] = "number",
	};

	return texts[role];
}

void emit_refinement_text(FILE *out, const struct spec *spec, const struct refinement *refinement)
{
	switch (refinement->kind) {
	case R_ANY:
		fputs("any", out);
		break;
	case R_IGNORED:
		fputs("ignored", out);
		break;
	case R_ZERO:
		fputs("zero", out);
		break;
	case R_RANGE:
		fputs("in ", out);
		emit_expr_text(out, spec, refinement->a);
		fputs(" .. ", out);
		emit_expr_text(out, spec, refinement->b);
		break;
	case R_SET:
		fputs("in { ", out);
		emit_exprs(out, spec, refinement->list, refinement->list_length);
		fputs(" }", out);
		break;
	case R_COMPARE:
		fprintf(out, "%s ", operators[refinement->op].text);
		emit_expr_text(out, spec, refinement->a);
		break;
	case R_MULTIPLE:
		fputs("multiple_of ", out);
		emit_expr_text(out, spec, refinement->a);
		break;
	case R_NO_OVERLAP:
		fprintf(out, "no_overlap %s", refinement->name);
		break;
	case R_AS:
		fprintf(out, "as %s", role_text(refinement->role));
		break;
	}
}
