/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions in C. The analysis has shown the values of each part; here they get types
 * wide enough, so that C computes what the specification means.
 */
#include <limits.h>
#include <string.h>

#include "emit_c.h"
#include "sema.h"

static struct c_text text(const char *string, int binds, enum c_width width)
{
	return (struct c_text){ string, binds, width };
}

static const char *wrap(struct gen *gen, struct c_text inner, int least)
{
	return inner.binds < least ? spec_printf(gen->spec, "(%s)", inner.text) : inner.text;
}

const char *c_literal(struct spec *spec, u64 value)
{
	if (value < 10000)
		return spec_printf(spec, "%llu", (unsigned long long)value);
	return spec_printf(spec, value > UINT32_MAX ? "0x%llxULL" : "0x%llx", (unsigned long long)value);
}

static enum c_width literal_width(u64 value)
{
	return value > UINT32_MAX ? C_U64 : value > INT_MAX ? C_U32 : C_INT;
}

static enum c_width bytes_width(u32 bytes)
{
	return bytes > 4 ? C_U64 : bytes == 4 ? C_U32 : C_INT;
}

/* ---- places ---- */

const char *c_place(struct gen *gen, u32 more)
{
	u32 offset = gen->base + more;

	if (!gen->dynamic)
		return spec_printf(gen->spec, "%u", offset);
	if (gen->absolute >= 0)
		return spec_printf(gen->spec, "%u", (u32)gen->absolute + offset);
	gen->at_read = true;
	return offset ? spec_printf(gen->spec, "at + %u", offset) : "at";
}

const char *c_pointer(struct gen *gen, u32 more)
{
	const char *place = c_place(gen, more);

	return strcmp(place, "0") ? spec_printf(gen->spec, "msg + %s", place) : "msg";
}

const char *c_rest(struct gen *gen)
{
	const char *place;

	if (!gen->dynamic || gen->absolute >= 0) {
		place = c_place(gen, 0);
		return strcmp(place, "0") ? spec_printf(gen->spec, "size - %s", place) : "size";
	}
	gen->at_read = true;
	return gen->base ? spec_printf(gen->spec, "size - at - %u", gen->base) : "size - at";
}

/* Bits that are ignored have no part in what a flags word is worth. */
struct c_text c_meaning(struct gen *gen, const struct type *type, const char *load)
{
	if (!type->flagset || type->flagset->others_zero)
		return text(load, C_ATOM, bytes_width(type->width));
	return text(spec_printf(gen->spec, "%s & %s", load, c_literal(gen->spec, type->flagset->mask)), C_BIT_AND,
		    bytes_width(type->width));
}

const char *c_load(struct gen *gen, const struct type *type, const char *pointer)
{
	if (type->width > 1)
		return spec_printf(gen->spec, "wire_%s%u(%s)", type->big ? "be" : "le", type->width * 8, pointer);
	if (!strcmp(pointer, "msg"))
		return "msg[0]";
	return spec_printf(gen->spec, "msg[%s]", pointer + strlen("msg + "));
}

/* ---- names ---- */

const char *c_param(struct spec *spec, const struct param *param)
{
	static const char *const taken[] = {
		"msg", "size", "room", "ctx", "m", "used", "part", "done", "at", "rule", "word", "bytes", "from", "end", "i",
		"most", "count", "length", "element", "wide_bytes", "wide_from",
	};
	size_t i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(taken[i], param->name))
			return spec_printf(spec, "%s_", param->name);
	return param->name;
}

const char *c_rule(struct spec *spec, const struct rule *rule)
{
	char *name = spec_printf(spec, "%s_RULE_%s", upper(spec, spec->name),
				 upper(spec, rule->name + strlen(spec->name) + 1)), *p;

	for (p = name; *p; p++)
		if (*p == '.')
			*p = '_';
	return name;
}

static const char *field_path(struct gen *gen, const struct ref *ref, bool request)
{
	const char *path = request ? "request->" : gen->view;
	u32 i;

	for (i = 0; i < ref->path_length; i++)
		if (!request)
			path = spec_printf(gen->spec, "%s%s.", path, ref->path[i]->name);
	return spec_printf(gen->spec, "%s%s", path, ref->field->name);
}

/* A field that only its own rules look at is not in the view: it is loaded for them. */
static struct c_text loaded_field(struct gen *gen, const struct ref *ref)
{
	const struct type *type = ref->field->type;
	enum c_width width = bytes_width(type->width);
	u64 mask;

	if (!ref->bit)
		return c_meaning(gen, type, c_load(gen, type, c_pointer(gen, 0)));
	mask = (1ULL << ref->bit->width) - 1;
	if (!ref->bit->shift)
		return text(spec_printf(gen->spec, "word & %s", c_literal(gen->spec, mask)), C_BIT_AND, width);
	return text(spec_printf(gen->spec, "word >> %u & %s", ref->bit->shift, c_literal(gen->spec, mask)),
		    C_BIT_AND, width);
}

static struct c_text field_text(struct gen *gen, const struct ref *ref, bool request)
{
	const struct type *type = ref->field->type;
	enum c_width width = bytes_width(type->width);
	const char *path;

	if (!ref->field->delivered || (ref->bit && ref->bit->ignored))
		return loaded_field(gen, ref);
	path = field_path(gen, ref, request);
	if (ref->bit)
		path = spec_printf(gen->spec, "%s_%s", path, ref->bit->name);
	return text(path, C_ATOM, width);
}

static const char *flag_name(struct gen *gen, const struct flagset *flagset, const struct flag *flag)
{
	return spec_printf(gen->spec, "%s_%s_%s", gen->P, upper(gen->spec, flagset->name),
			   upper(gen->spec, flag->name));
}

static struct c_text word_text(struct gen *gen, const struct expr *expr)
{
	struct ref ref = expr->ref;

	ref.flag = NULL;
	if (ref.kind == REF_FIELD)
		return field_text(gen, &ref, expr->kind == E_REQUEST);
	if (ref.kind == REF_PARAM)
		return text(c_param(gen->spec, ref.param), C_ATOM, bytes_width(ref.param->type->width));
	if (ref.kind == REF_LET)
		return text(spec_printf(gen->spec, "%s%s", gen->view, ref.let->name), C_ATOM,
			    ref.let->range.hi > UINT32_MAX ? C_U64 : C_U32);
	return text(spec_printf(gen->spec, "ctx->%s", ref.context->name), C_ATOM,
		    bytes_width(ref.context->type->width));
}

static const struct flagset *flagset_of(const struct ref *ref)
{
	return ref->kind == REF_FIELD ? ref->field->type->flagset : ref->context->type->flagset;
}

/* word & FLAG, as a truth value */
static struct c_text flag_truth(struct gen *gen, const struct expr *expr)
{
	struct c_text word = word_text(gen, expr);

	return text(spec_printf(gen->spec, "%s & %s", word.text,
				flag_name(gen, flagset_of(&expr->ref), expr->ref.flag)), C_BIT_AND, word.width);
}

static struct c_text name_text(struct gen *gen, const struct expr *expr)
{
	struct spec *spec = gen->spec;
	struct c_text word;

	if (expr->ref.kind == REF_ENUMERATOR)
		return text(spec_printf(spec, "%s_%s_%s", gen->P, upper(spec, expr->enumeration->name),
					upper(spec, expr->name)), C_ATOM, literal_width(expr->number));
	if (expr->ref.kind == REF_CONST)
		return text(spec_printf(spec, "%s_%s", gen->P, upper(spec, expr->name)), C_ATOM,
			    literal_width(expr->number));
	if (!expr->ref.flag)
		return word_text(gen, expr);
	word = word_text(gen, expr);
	return text(expr->ref.flag->bit ? spec_printf(spec, "%s >> %u & 1", word.text, expr->ref.flag->bit) :
		    spec_printf(spec, "%s & 1", word.text), C_BIT_AND, word.width);
}

/* ---- numbers ---- */

static const struct {
	const char *text;
	int binds;
} operators[] = {
	[OP_MUL] = { "*", C_PRODUCT }, [OP_DIV] = { "/", C_PRODUCT }, [OP_MOD] = { "%", C_PRODUCT },
	[OP_ADD] = { "+", C_SUM }, [OP_SUB] = { "-", C_SUM }, [OP_SHL] = { "<<", C_SHIFT },
	[OP_SHR] = { ">>", C_SHIFT }, [OP_AND] = { "&", C_BIT_AND }, [OP_OR] = { "|", C_BIT_OR },
	[OP_EQ] = { "==", C_EQUAL }, [OP_NE] = { "!=", C_EQUAL }, [OP_LT] = { "<", C_LESS },
	[OP_LE] = { "<=", C_LESS }, [OP_GT] = { ">", C_LESS }, [OP_GE] = { ">=", C_LESS },
};

static bool is_literal(const struct expr *expr)
{
	return expr->kind == E_NUMBER || expr->kind == E_VERSION || expr->kind == E_SIZEOF ||
	       expr->kind == E_OFFSETOF || (expr->kind == E_NAME && expr->ref.kind >= REF_CONST);
}

static bool grows(enum op op)
{
	return op == OP_ADD || op == OP_MUL || op == OP_SUB || op == OP_SHL;
}

static bool is_shift(enum op op)
{
	return op == OP_SHL || op == OP_SHR;
}

/* The width C must compute in, so that neither operand nor result is cut. */
static enum c_width wanted_width(const struct expr *expr, enum c_width natural)
{
	if (expr->range.hi > UINT32_MAX || (is_shift(expr->op) && expr->b->range.hi > 31))
		return C_U64;
	if (natural == C_INT && grows(expr->op) &&
	    (!is_literal(expr->a) || !is_literal(expr->b) || expr->range.hi > INT_MAX))
		return C_U32;
	return natural;
}

static struct c_text binary_number(struct gen *gen, const struct expr *expr)
{
	struct c_text a = c_number(gen, expr->a), b = c_number(gen, expr->b);
	int binds = operators[expr->op].binds;
	int left = binds, right = binds + 1;
	enum c_width natural = a.width > b.width || is_shift(expr->op) ? a.width : b.width, width;

	width = wanted_width(expr, natural);
	if (width > natural) {
		a.text = spec_printf(gen->spec, "(%s)%s", width == C_U64 ? "u64" : "u32", wrap(gen, a, C_UNARY));
		a.binds = C_UNARY;
	}
	if (expr->op == OP_AND || expr->op == OP_OR || is_shift(expr->op))
		left = right = C_UNARY;
	return text(spec_printf(gen->spec, "%s %s %s", wrap(gen, a, left), operators[expr->op].text,
				wrap(gen, b, right)), binds, width);
}

struct c_text c_number(struct gen *gen, const struct expr *expr)
{
	u32 major, minor;

	switch (expr->kind) {
	case E_NUMBER:
	case E_SIZEOF:
	case E_OFFSETOF:
		return text(c_literal(gen->spec, expr->number), C_ATOM, literal_width(expr->number));
	case E_VERSION:
		major = (u32)(expr->number >> gen->spec->version_shift);
		minor = (u32)(expr->number & ((1u << gen->spec->version_shift) - 1));
		return text(spec_printf(gen->spec, "%s_VERSION_%u_%u", gen->P, major, minor), C_ATOM,
			    literal_width(expr->number));
	case E_SIZE:
		return text("size", C_ATOM, C_U32);
	case E_REMAINING:
		return text(c_rest(gen), strcmp(c_rest(gen), "size") ? C_SUM : C_ATOM, C_U32);
	case E_BINARY:
		return binary_number(gen, expr);
	default:
		return name_text(gen, expr);
	}
}

/* ---- truth ---- */

static struct c_text truth(struct gen *gen, const struct expr *expr, bool wanted);

static enum op opposite(enum op op)
{
	static const enum op other[] = {
		[OP_EQ] = OP_NE, [OP_NE] = OP_EQ, [OP_LT] = OP_GE, [OP_LE] = OP_GT, [OP_GT] = OP_LE, [OP_GE] = OP_LT,
	};

	return other[op];
}

/* The GUID of a message and the one of its request. */
static struct c_text compare_guids(struct gen *gen, enum op op, const struct expr *a, const struct expr *b)
{
	return text(spec_printf(gen->spec, "%smemcmp(%s%s.data, request->%s, 16)", op == OP_EQ ? "!" : "", gen->view,
				a->ref.field->name, b->ref.field->name), op == OP_EQ ? C_UNARY : C_ATOM, C_INT);
}

static bool is_guid(const struct expr *expr)
{
	return expr->ref.kind == REF_FIELD && !expr->ref.bit && !expr->ref.flag && expr->ref.field->type->kind == T_GUID;
}

/* The largest value of a name that its type leaves room for. */
static s128 top_of(const struct expr *expr)
{
	const struct ref *ref = &expr->ref;

	if (expr->kind == E_SIZE || expr->kind == E_REMAINING)
		return UINT32_MAX;
	if (ref->flag)
		return 1;
	if (ref->bit)
		return ((s128)1 << ref->bit->width) - 1;
	if (ref->kind == REF_FIELD)
		return ref->field->range.hi;
	if (ref->kind == REF_PARAM)
		return ((s128)1 << ref->param->type->width * 8) - 1;
	return ref->kind == REF_CONTEXT ? ((s128)1 << ref->context->type->width * 8) - 1 : U64_TOP;
}

/* Numbers, and what is computed of them alone. */
static bool is_constant_sum(const struct expr *expr)
{
	return is_literal(expr) || (expr->kind == E_BINARY && is_constant_sum(expr->a) && is_constant_sum(expr->b));
}

static enum op mirrored(enum op op)
{
	static const enum op other[] = {
		[OP_EQ] = OP_EQ, [OP_NE] = OP_NE, [OP_LT] = OP_GT, [OP_LE] = OP_GE, [OP_GT] = OP_LT, [OP_GE] = OP_LE,
	};

	return other[op];
}

/* "x & 6" is never 1, "x | 6" never 8. */
static bool never_equal(const struct expr *a, const struct expr *b)
{
	const struct expr *mask;

	if (a->kind != E_BINARY || (a->op != OP_AND && a->op != OP_OR))
		return false;
	mask = is_constant_sum(a->a) ? a->a : a->b;
	if (!is_constant_sum(mask))
		return false;
	return a->op == OP_AND ? b->range.lo & ~mask->range.lo : mask->range.lo & ~b->range.lo;
}

/* 1 or 0 where the type alone decides: compilers complain if they are asked such things. */
static int decided(enum op op, const struct expr *a, const struct expr *b)
{
	s128 top;

	if (same_expr(a, b))
		return op == OP_EQ || op == OP_LE || op == OP_GE;
	if (is_constant_sum(a) && !is_constant_sum(b))
		return decided(mirrored(op), b, a);
	if (!is_constant_sum(b))
		return -1;
	if ((op == OP_EQ || op == OP_NE) && never_equal(a, b))
		return op == OP_NE;
	top = top_of(a);
	if (op == OP_LT || op == OP_GE)
		return !b->range.hi ? op == OP_GE : b->range.lo > top ? op == OP_LT : -1;
	if (op == OP_LE || op == OP_GT)
		return b->range.lo >= top ? op == OP_LE : -1;
	return b->range.lo > top ? op == OP_NE : -1;
}

static struct c_text constant(bool truth)
{
	return text(truth ? "true" : "false", C_ATOM, C_INT);
}

static bool is_constant(struct c_text value, bool truth)
{
	return !strcmp(value.text, truth ? "true" : "false");
}

static struct c_text compare_numbers(struct gen *gen, enum op op, const struct expr *a, const struct expr *b)
{
	struct c_text left = c_number(gen, a), right = c_number(gen, b);
	bool zero = b->kind == E_NUMBER && !b->number, one = b->kind == E_NUMBER && b->number == 1;

	if (decided(op, a, b) >= 0)
		return constant(decided(op, a, b));
	if ((op == OP_LT || op == OP_GE) && zero)
		return text(op == OP_GE ? "true" : "false", C_ATOM, C_INT);
	if ((op == OP_NE && zero) || (op == OP_GE && one) || (op == OP_GT && zero))
		return left;
	if ((op == OP_EQ && zero) || (op == OP_LE && zero) || (op == OP_LT && one))
		return text(spec_printf(gen->spec, "!%s", wrap(gen, left, C_UNARY)), C_UNARY, C_INT);
	return text(spec_printf(gen->spec, "%s %s %s", wrap(gen, left, C_SHIFT), operators[op].text,
				wrap(gen, right, C_SHIFT)), operators[op].binds, C_INT);
}

/* gcc wants brackets around && inside of ||. */
static struct c_text join(struct gen *gen, struct c_text a, struct c_text b, bool and)
{
	int least = and ? C_AND : C_BIT_OR;

	if (is_constant(a, !and) || is_constant(b, and))
		return a;
	if (is_constant(a, and) || is_constant(b, !and))
		return b;
	if (!and && a.binds == C_OR)
		a.binds = C_BIT_OR;
	return text(spec_printf(gen->spec, "%s %s %s", wrap(gen, a, least), and ? "&&" : "||", wrap(gen, b, least)),
		    and ? C_AND : C_OR, C_INT);
}

/* For a value v >= 0, "v >= 1" says "v", and "v < 1" says "!v". */
static struct c_text compare(struct gen *gen, enum op op, const struct expr *a, const struct expr *b)
{
	return is_guid(a) ? compare_guids(gen, op, a, b) : compare_numbers(gen, op, a, b);
}

static struct c_text set_truth(struct gen *gen, const struct expr *expr, bool wanted)
{
	struct c_text all = compare(gen, wanted ? OP_EQ : OP_NE, expr->a, expr->list[0]);
	u32 i;

	for (i = 1; i < expr->list_length; i++)
		all = join(gen, all, compare(gen, wanted ? OP_EQ : OP_NE, expr->a, expr->list[i]), !wanted);
	return all;
}

/* The half of a range that the values known here make sure of is left out. */
static struct c_text range_truth(struct gen *gen, const struct expr *expr, bool wanted)
{
	bool low = expr->a->range.lo < expr->b->range.hi, high = expr->a->range.hi > expr->c->range.lo;
	struct c_text lower, upper_half;

	lower = compare(gen, wanted ? OP_GE : OP_LT, expr->a, expr->b);
	upper_half = compare(gen, wanted ? OP_LE : OP_GT, expr->a, expr->c);
	if (!low || !high)
		return low ? lower : upper_half;
	return join(gen, lower, upper_half, wanted);
}

static struct c_text logic(struct gen *gen, const struct expr *expr, bool wanted)
{
	if (expr->op == OP_BOTH)
		return join(gen, truth(gen, expr->a, wanted), truth(gen, expr->b, wanted), wanted);
	if (expr->op == OP_EITHER)
		return join(gen, truth(gen, expr->a, wanted), truth(gen, expr->b, wanted), !wanted);
	return join(gen, truth(gen, expr->a, !wanted), truth(gen, expr->b, wanted), !wanted);
}

static struct c_text truth(struct gen *gen, const struct expr *expr, bool wanted)
{
	struct c_text value;

	switch (expr->kind) {
	case E_NOT:
		return truth(gen, expr->a, !wanted);
	case E_SET:
		return set_truth(gen, expr, wanted);
	case E_RANGE:
		return range_truth(gen, expr, wanted);
	case E_BINARY:
		if (expr->op >= OP_BOTH)
			return logic(gen, expr, wanted);
		if (expr->op >= OP_EQ)
			return compare(gen, wanted ? expr->op : opposite(expr->op), expr->a, expr->b);
		break;
	default:
		break;
	}
	value = expr->ref.flag ? flag_truth(gen, expr) : c_number(gen, expr);
	if (wanted)
		return value.binds == C_BIT_AND ? text(wrap(gen, value, C_ATOM), C_ATOM, value.width) : value;
	return text(spec_printf(gen->spec, "!%s", wrap(gen, value, C_UNARY)), C_UNARY, C_INT);
}

/* An "a implies b" that must fail is "a and not b": logic() above, both sides the other way round. */
const char *c_true(struct gen *gen, const struct expr *expr)
{
	if (expr->kind == E_NAME && expr->ref.flag)
		return flag_truth(gen, expr).text;
	return truth(gen, expr, true).text;
}

const char *c_false(struct gen *gen, const struct expr *expr)
{
	return truth(gen, expr, false).text;
}

/* ---- questions about layouts ---- */

bool expr_uses_context(const struct expr *expr)
{
	u32 i;

	if (!expr)
		return false;
	if (expr->kind == E_NAME && expr->ref.kind == REF_CONTEXT)
		return true;
	for (i = 0; i < expr->list_length; i++)
		if (expr_uses_context(expr->list[i]))
			return true;
	return expr_uses_context(expr->a) || expr_uses_context(expr->b) || expr_uses_context(expr->c);
}

static bool type_uses_context(const struct type *type)
{
	const struct arm *arm;
	u32 i;

	if (!type)
		return false;
	for (arm = type->arms; arm; arm = arm->next)
		if (type_uses_context(arm->type))
			return true;
	for (i = 0; i < type->argument_count; i++)
		if (expr_uses_context(type->arguments[i]))
			return true;
	return type_uses_context(type->element) || (type->layout && uses_context(type->layout)) ||
	       expr_uses_context(type->count) || expr_uses_context(type->bytes) ||
	       expr_uses_context(type->max) || expr_uses_context(type->until) || expr_uses_context(type->tag);
}

static bool field_uses_context(const struct field *field)
{
	const struct refinement *refinement;
	const struct bitpart *bit;

	for (refinement = field->refinements; refinement; refinement = refinement->next)
		if (refinement->test && !refinement->uses_request && expr_uses_context(refinement->test))
			return true;
	for (bit = field->type->bits; bit; bit = bit->next)
		for (refinement = bit->refinements; refinement; refinement = refinement->next)
			if (refinement->test && !refinement->uses_request && expr_uses_context(refinement->test))
				return true;
	return type_uses_context(field->type) || expr_uses_context(field->at);
}

static bool items_use_context(const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next)
		if ((item->field && field_uses_context(item->field)) ||
		    (item->expr && !item->expr->uses_request && expr_uses_context(item->expr)) ||
		    items_use_context(item->then) || items_use_context(item->otherwise))
			return true;
	return false;
}

bool uses_context(const struct layout *layout)
{
	return expr_uses_context(layout->when) || items_use_context(layout->items);
}

static bool type_has_rules(const struct spec *spec, const struct type *type)
{
	return type && ((type->layout && has_rules(spec, type->layout)) || type_has_rules(spec, type->element));
}

/* Whether checking this layout can fail; a fixed struct may be only a shape. */
bool has_rules(const struct spec *spec, const struct layout *layout)
{
	const struct rule *rule;
	const struct item *item;

	for (rule = spec->rules; rule; rule = rule->next)
		if (rule->owner == layout && rule->class == RULE_LAYOUT && rule != spec->short_rule &&
		    rule != spec->dispatch_rule)
			return true;
	for (item = layout->items; item; item = item->next)
		if (item->kind == I_FIELD && type_has_rules(spec, item->field->type))
			return true;
	return !layout->fixed;
}
