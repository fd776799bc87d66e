/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C back end: headers with constants, views and prototypes; sources with validators,
 * dispatch, builders and sessions; and the tables for tools.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emit_acsl.h"
#include "emit_c.h"

#define WIDEST 100

static void put_indent(FILE *out, u32 columns)
{
	for (; columns >= 8; columns -= 8)
		fputc('\t', out);
	for (; columns; columns--)
		fputc(' ', out);
}

/* The last place to break before the line is too wide, and where its rest belongs. */
static size_t find_break(const char *text, u32 column, u32 *next_column)
{
	u32 open[64], depth = 0;
	size_t i, found = 0;

	for (i = 0; text[i] && column < WIDEST; i++) {
		column += text[i] == '\t' ? 8 - column % 8 : 1;
		if (text[i] == '(' && depth < 64)
			open[depth++] = column;
		else if (text[i] == ')' && depth)
			depth--;
		if (text[i + 1] != ' ' || !depth)
			continue;
		if (text[i] == ',' || !strncmp(text + i - (i > 0), "&&", 2) || !strncmp(text + i - (i > 0), "||", 2)) {
			found = i + 1;
			*next_column = open[depth - 1];
		}
	}
	return text[i] ? found : 0;
}

/*
 * One line of C, broken where it would be too wide, its rest aligned with the open bracket;
 * of a function's head only if there is room, else two tabs in.
 */
static void put_line(FILE *out, u32 indent, const char *text)
{
	u32 column = indent * 8, next = 0;
	size_t length;

	put_indent(out, column);
	while ((length = find_break(text, column, &next))) {
		fwrite(text, 1, length, out);
		fputc('\n', out);
		text += length + 1;
		if (!indent && next + strlen(text) > WIDEST)
			next = 16;
		put_indent(out, next);
		column = next;
	}
	fputs(text, out);
	fputc('\n', out);
}

void put_lines(FILE *out, u32 indent, char *text)
{
	char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		*end = 0;
		if (*text)
			put_line(out, indent, text);
		else
			fputc('\n', out);
	}
	put_line(out, indent, text);
}

/* What a function says is not to be ignored, if it can say more than one thing. */
void emit_prototype(struct spec *spec, FILE *out, const char *head, bool must_check)
{
	const char *name = strchr(head, ' ');

	put_lines(out, 0, spec_printf(spec, "%.*s%s%s;", (int)(name - head), head, must_check ? " __must_check" : "", name));
}

void line(struct gen *gen, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	put_lines(gen->out, gen->indent, text);
	free(text);
}

const char *upper(struct spec *spec, const char *name)
{
	char *copy = spec_printf(spec, "%s", name), *p;

	for (p = copy; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return copy;
}

const char *file_name(const struct spec *spec)
{
	const char *slash = strrchr(spec->path, '/');

	return slash ? slash + 1 : spec->path;
}

static bool mentions(const char *body, const char *name)
{
	const char *found;

	for (found = strstr(body, name); found; found = strstr(found + 1, name))
		if (!isalnum((unsigned char)found[strlen(name)]) && found[strlen(name)] != '_' &&
		    (found == body || (!isalnum((unsigned char)found[-1]) && found[-1] != '_')))
			return true;
	return false;
}

void emit_unused(FILE *out, const char *body, const char *name)
{
	if (!mentions(body, name))
		fprintf(out, "\t(void)%s;\n", name);
}

void emit_unused_parameters(const struct gen *gen, FILE *out, const char *body)
{
	const struct param *param;

	if (uses_context(gen->layout))
		emit_unused(out, body, "ctx");
	for (param = gen->layout->params; param; param = param->next)
		emit_unused(out, body, c_param(gen->spec, param));
}

void emit_body(struct gen *gen, FILE *out, const char *body)
{
	const char *start, *end;

	for (; *body; body = end) {
		end = strchr(body, '\n') + 1;
		start = body + strspn(body, "\t");
		if (gen->acsl && !strncmp(start, "return ", 7))
			acsl_return(gen, (u32)(start - body), !strncmp(start, "return 0;", 9));
		if (gen->at_read || (strncmp(start, "at = ", 5) && strncmp(start, "at += ", 6)))
			fwrite(body, 1, (size_t)(end - body), out);
	}
}

bool has_members(const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next)
		if (item->kind == I_LET || (item->kind == I_FIELD && item->field->delivered) ||
		    has_members(item->then) || has_members(item->otherwise))
			return true;
	return false;
}

const char *c_type(const struct type *type)
{
	static const char *const names[] = { [1] = "u8", [2] = "u16", [4] = "u32", [8] = "u64" };

	return names[type->width];
}

/* ---- constants ---- */

/* Values stay grouped in lines as their author wrote them. */
static void emit_value(struct spec *spec, FILE *out, const char *set, const char *name, u64 value, bool first,
		       bool new_line)
{
	fprintf(out, "%s%s_%s_%s = %s,", first ? "\t" : new_line ? "\n\t" : " ", upper(spec, spec->name), upper(spec, set),
		upper(spec, name), c_literal(spec, value));
}

static void emit_enumerations(struct spec *spec, FILE *out)
{
	const struct enumeration *enumeration;
	const struct enumerator *value;
	u32 at;

	for (enumeration = spec->enumerations; enumeration; enumeration = enumeration->next) {
		fprintf(out, "\nenum %s_%s {\n", spec->name, enumeration->name);
		for (value = enumeration->values, at = 0; value; at = value->loc.line, value = value->next)
			emit_value(spec, out, enumeration->name, value->name, value->value, !at, value->loc.line != at);
		fputs("\n};\n", out);
	}
}

static void emit_flagsets(struct spec *spec, FILE *out)
{
	const struct flagset *flagset;
	const struct flag *flag;
	u32 at;

	for (flagset = spec->flagsets; flagset; flagset = flagset->next) {
		fprintf(out, "\nenum %s_%s {\n", spec->name, flagset->name);
		for (flag = flagset->flags, at = 0; flag; at = flag->loc.line, flag = flag->next)
			emit_value(spec, out, flagset->name, flag->name, 1ULL << flag->bit, !at, flag->loc.line != at);
		fputs("\n};\n", out);
	}
}

/* A list that has no lines in the specification fills its own. */
void emit_packed(FILE *out, u32 *column, const char *text)
{
	u32 length = (u32)strlen(text) + 2;

	if (!*column || *column + length > 100) {
		fprintf(out, "%s\t%s,", *column ? "\n" : "", text);
		*column = 8 + length;
		return;
	}
	fprintf(out, " %s,", text);
	*column += length;
}

static void emit_constants(struct spec *spec, FILE *out)
{
	const struct constant *constant;
	const struct version *version;
	const char *P = upper(spec, spec->name);

	if (spec->versions || spec->constants)
		fputc('\n', out);
	for (version = spec->versions; version; version = version->next)
		fprintf(out, "#define %s_VERSION_%u_%u 0x%llx\n", P, version->major, version->minor,
			(unsigned long long)version->value);
	for (constant = spec->constants; constant; constant = constant->next)
		fprintf(out, "#define %s_%s %s\n", P, upper(spec, constant->name), c_literal(spec, constant->value));
}

static void emit_guid_bytes(FILE *out, const struct guid *guid)
{
	u32 i;

	for (i = 0; i < 16; i++)
		fprintf(out, "%s0x%02x", i ? ", " : "", guid->bytes[i]);
}

static void emit_guids(struct spec *spec, FILE *out, bool declare)
{
	const struct guidset *guidset;
	const struct guid *guid;

	for (guidset = spec->guidsets; guidset; guidset = guidset->next) {
		fputc('\n', out);
		for (guid = guidset->guids; guid; guid = guid->next) {
			fprintf(out, declare ? "extern const u8 %s_%s_%s[16]" : "const u8 %s_%s_%s[16] = { ",
				spec->name, guidset->name, guid->name);
			if (!declare) {
				emit_guid_bytes(out, guid);
				fputs(" }", out);
			}
			fputs(";\n", out);
		}
	}
}

static void emit_context(struct spec *spec, FILE *out)
{
	const struct context_value *value;

	if (!spec->context)
		return;
	fprintf(out, "\n/* What the guest knows when a message arrives. */\nstruct %s_context {\n", spec->name);
	for (value = spec->context; value; value = value->next)
		fprintf(out, "\t%s %s;\n", c_type(value->type), value->name);
	fputs("};\n", out);
}

static void emit_rule_numbers(struct spec *spec, FILE *out)
{
	const struct rule *rule;
	u32 column = 0;

	fprintf(out, "\n/* What a validator returns: 0, or the number of the first rule broken. */\n");
	fprintf(out, "enum %s_rule {\n", spec->name);
	for (rule = spec->rules; rule; rule = rule->next)
		emit_packed(out, &column, spec_printf(spec, "%s%s", c_rule(spec, rule), rule->number == 1 ? " = 1" : ""));
	fprintf(out, "\n\t%s_RULES\n};\n", upper(spec, spec->name));
	fprintf(out, "\n/* The rules' ids, the same in every build. */\nextern const u32 %s_rule_ids[%s_RULES];\n",
		spec->name, upper(spec, spec->name));
}

static void emit_rule_ids(struct spec *spec, FILE *out)
{
	const struct rule *rule;
	u32 column = 1;

	fprintf(out, "\nconst u32 %s_rule_ids[%s_RULES] = {\n\t0,", spec->name, upper(spec, spec->name));
	for (rule = spec->rules; rule; rule = rule->next, column++)
		fprintf(out, "%s0x%08x,", column % 8 ? " " : "\n\t", rule->id);
	fputs("\n};\n", out);
}

/* ---- views ---- */

static void emit_member(struct spec *spec, FILE *out, const struct field *field);

static void emit_union_member(struct spec *spec, FILE *out, const struct field *field)
{
	const struct arm *arm;

	fputs("\tunion {\n", out);
	for (arm = field->type->arms; arm; arm = arm->next) {
		if (arm->type->kind == T_STRUCT)
			fprintf(out, "\t\tstruct %s_%s %s;\n", spec->name, arm->type->layout->name, arm->name);
		else
			fprintf(out, "\t\t%s %s;\n", arm->type->kind == T_INT ? c_type(arm->type) : "struct wire_slice",
				arm->name);
	}
	fprintf(out, "\t} %s;\n", field->name);
}

static void emit_member(struct spec *spec, FILE *out, const struct field *field)
{
	const struct type *type = field->type;
	const struct bitpart *bit;

	if (type->kind == T_BITS) {
		for (bit = type->bits; bit; bit = bit->next)
			if (!bit->ignored)
				fprintf(out, "\t%s %s_%s;\n", c_type(type), field->name, bit->name);
	} else if (is_scalar(type)) {
		fprintf(out, "\t%s %s;\n", c_type(type), field->name);
	} else if (type->kind == T_STRUCT) {
		fprintf(out, "\tstruct %s_%s %s;\n", spec->name, type->layout->name, field->name);
	} else if (type->kind == T_UNION) {
		emit_union_member(spec, out, field);
	} else {
		fprintf(out, "\tstruct wire_slice %s;\n", field->name);
	}
}

static bool seen_before(const struct item *items, const struct item *until, const char *name, bool *found)
{
	const struct item *item;

	for (item = items; item && !*found; item = item->next) {
		if (item == until) {
			*found = true;
			return false;
		}
		if (item->kind == I_FIELD && item->field->delivered && !strcmp(item->field->name, name))
			return true;
		if (seen_before(item->then, until, name, found) || seen_before(item->otherwise, until, name, found))
			return true;
	}
	return false;
}

static void emit_members(struct spec *spec, FILE *out, const struct layout *layout, const struct item *items)
{
	const struct item *item;
	bool found;

	for (item = items; item; item = item->next) {
		found = false;
		if (item->kind == I_FIELD && item->field->delivered &&
		    !seen_before(layout->items, item, item->field->name, &found))
			emit_member(spec, out, item->field);
		if (item->kind == I_LET)
			fprintf(out, "\t%s %s;\n", item->range.hi > UINT32_MAX ? "u64" : "u32", item->name);
		emit_members(spec, out, layout, item->then);
		emit_members(spec, out, layout, item->otherwise);
	}
}

static void emit_view(struct spec *spec, FILE *out, struct layout *layout);

static void emit_view_parts(struct spec *spec, FILE *out, const struct type *type)
{
	const struct arm *arm;

	if (!type)
		return;
	if (type->layout && type->layout->kind == L_STRUCT)
		emit_view(spec, out, type->layout);
	emit_view_parts(spec, out, type->element);
	for (arm = type->arms; arm; arm = arm->next)
		emit_view_parts(spec, out, arm->type);
}

static void emit_items_parts(struct spec *spec, FILE *out, const struct item *items)
{
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_FIELD)
			emit_view_parts(spec, out, item->field->type);
		emit_items_parts(spec, out, item->then);
		emit_items_parts(spec, out, item->otherwise);
	}
}

/* "walking" marks a view as written; the analysis is done with it. */
static void emit_view(struct spec *spec, FILE *out, struct layout *layout)
{
	if (layout->walking || layout->direction == REFUSED)
		return;
	layout->walking = true;
	emit_items_parts(spec, out, layout->items);
	fprintf(out, "\n/* %s:%u */\nstruct %s_%s {\n", file_name(spec), layout->loc.line, spec->name, layout->name);
	emit_members(spec, out, layout, layout->items);
	if (!has_members(layout->items))
		fputs("\tu8 nothing;\n", out);
	fputs("};\n", out);
}

static void emit_views(struct spec *spec, FILE *out)
{
	struct layout *layout;

	if (spec->header)
		emit_view(spec, out, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		emit_view(spec, out, layout);
	for (layout = spec->layouts; layout; layout = layout->next)
		layout->walking = false;
	if (spec->header)
		spec->header->walking = false;
}

/* ---- dispatch ---- */

static bool comes_in(const struct layout *layout)
{
	return layout->kind == L_MESSAGE && layout->direction != TO_HOST;
}

static void emit_message_type(struct spec *spec, FILE *out)
{
	const struct layout *layout;
	const char *P = upper(spec, spec->name);
	u32 column = 0;

	if (!spec->header)
		return;
	fprintf(out, "\nenum %s_msg {\n", spec->name);
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_MESSAGE && layout->direction != REFUSED)
			emit_packed(out, &column, spec_printf(spec, "%s_MSG_%s = %u", P, upper(spec, layout->name),
							      layout->number));
	fprintf(out, "\n};\n\n/* A believed message of any kind. */\nstruct %s_message {\n\tenum %s_msg kind;\n\tunion {\n",
		spec->name, spec->name);
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_MESSAGE && layout->direction != REFUSED)
			fprintf(out, "\t\tstruct %s_%s %s;\n", spec->name, layout->name, layout->name);
	fputs("\t};\n};\n", out);
}

static bool any_uses_context(const struct spec *spec)
{
	const struct layout *layout;

	if (spec->header && uses_context(spec->header))
		return true;
	for (layout = spec->layouts; layout; layout = layout->next)
		if (comes_in(layout) && uses_context(layout))
			return true;
	return false;
}

static const char *receive_head(struct spec *spec)
{
	return spec_printf(spec, "int %s_receive(const u8 *msg, u32 size%s, struct %s_message *m)", spec->name,
			   any_uses_context(spec) ?
			   spec_printf(spec, ", const struct %s_context *ctx", spec->name) : "", spec->name);
}

/* Whether a message is known by one value of one header field, the same field for all. */
static bool by_one_field(const struct spec *spec, const struct field **field)
{
	const struct layout *layout;
	const struct expr *when;

	*field = NULL;
	for (layout = spec->layouts; layout; layout = layout->next) {
		if (!comes_in(layout))
			continue;
		when = layout->when;
		if (!when || when->kind != E_BINARY || when->op != OP_EQ || when->a->kind != E_NAME ||
		    when->a->ref.kind != REF_FIELD || when->a->ref.bit || when->a->ref.flag ||
		    when->b->range.lo != when->b->range.hi || (*field && *field != when->a->ref.field))
			return false;
		*field = when->a->ref.field;
	}
	return *field;
}

static void emit_accept(struct gen *gen, const struct layout *layout)
{
	if (layout->direction == REFUSED) {
		line(gen, "\treturn %s;\t/* %s:%u */", c_rule(gen->spec, layout->refused_rule), file_name(gen->spec),
		     layout->loc.line);
		return;
	}
	line(gen, "\tm->kind = %s_MSG_%s;", gen->P, upper(gen->spec, layout->name));
	line(gen, "\treturn %s_check_%s(msg, size%s, &m->%s);", gen->spec->name, layout->name,
	     uses_context(layout) ? ", ctx" : "", layout->name);
}

static void emit_switch(struct gen *gen, const struct field *field)
{
	const struct layout *layout;

	line(gen, "switch (header.%s) {", field->name);
	for (layout = gen->spec->layouts; layout; layout = layout->next) {
		if (!comes_in(layout))
			continue;
		line(gen, "case %s:", c_number(gen, layout->when->b).text);
		emit_accept(gen, layout);
	}
	line(gen, "default:");
	line(gen, "\treturn %s;", c_rule(gen->spec, gen->spec->dispatch_rule));
	line(gen, "}");
}

static void emit_chain(struct gen *gen)
{
	struct layout *layout;

	for (layout = gen->spec->layouts; layout; layout = layout->next) {
		if (!comes_in(layout))
			continue;
		gen->layout = layout;
		if (layout->when)
			line(gen, "if (%s) {", c_true(gen, layout->when));
		else
			line(gen, "{");
		emit_accept(gen, layout);
		line(gen, "}");
	}
	line(gen, "return %s;", c_rule(gen->spec, gen->spec->dispatch_rule));
}

static void emit_receive(struct spec *spec, FILE *out, bool acsl)
{
	struct gen gen = { .spec = spec, .P = upper(spec, spec->name), .out = out, .acsl = acsl, .absolute = -1,
			   .view = "" };
	const struct field *field;

	fputc('\n', out);
	if (acsl)
		acsl_contract(&gen, NULL);
	line(&gen, "/* Which message from the host this is, and whether it is one. */");
	line(&gen, "%s", receive_head(spec));
	line(&gen, "{");
	gen.indent = 1;
	line(&gen, "struct %s_header header;", spec->name);
	if (has_rules(spec, spec->header))
		line(&gen, "int rule;");
	fputc('\n', out);
	line(&gen, "if (size < %u)", (u32)spec->header->fixed_size);
	line(&gen, "\treturn %s;", c_rule(spec, spec->short_rule));
	if (has_rules(spec, spec->header)) {
		line(&gen, "rule = %s_check_header(msg%s, &header);", spec->name,
		     uses_context(spec->header) ? ", ctx" : "");
		line(&gen, "if (rule)");
		line(&gen, "\treturn rule;");
	} else {
		line(&gen, "%s_check_header(msg, &header);", spec->name);
	}
	if (by_one_field(spec, &field))
		emit_switch(&gen, field);
	else
		emit_chain(&gen);
	gen.indent = 0;
	line(&gen, "}");
}

static bool any_comes_in(const struct spec *spec)
{
	const struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next)
		if (comes_in(layout))
			return true;
	return false;
}

/* ---- files ---- */

static void emit_banner(struct spec *spec, FILE *out, const char *what)
{
	fprintf(out, "/* SPDX-License-Identifier: GPL-2.0-only */\n");
	fprintf(out, "/*\n * %s%s%s: %s. Generated by airspec from %s; do not edit.\n */\n", spec->name,
		spec->title ? ", " : "", spec->title ? spec->title : "", what, file_name(spec));
}

void emit_header(struct spec *spec, FILE *out)
{
	const char *P = upper(spec, spec->name);

	emit_banner(spec, out, "constants, views, and who makes them");
	fprintf(out, "#ifndef AIRLOCK_%s_H\n#define AIRLOCK_%s_H\n\n#include \"wire.h\"\n#include \"session.h\"\n", P, P);
	emit_constants(spec, out);
	emit_enumerations(spec, out);
	emit_flagsets(spec, out);
	emit_guids(spec, out, true);
	emit_context(spec, out);
	emit_views(spec, out);
	emit_message_type(spec, out);
	emit_rule_numbers(spec, out);
	fprintf(out, "\n/* Validators: 0 or a rule; on 0 the view is complete and points into msg. */\n");
	emit_check_prototypes(spec, out);
	if (any_comes_in(spec))
		emit_prototype(spec, out, receive_head(spec), true);
	emit_builder_prototypes(spec, out);
	emit_session_types(spec, out);
	fprintf(out, "\n#endif\n");
}

void emit_source(struct spec *spec, FILE *out, bool acsl)
{
	struct gen gen = { .spec = spec, .P = upper(spec, spec->name), .out = out, .acsl = acsl };

	emit_banner(spec, out, "validators, builders and sessions");
	fprintf(out, "#include \"%s.h\"\n", spec->name);
	fprintf(out, "#include \"wire_slice.h\"\n#include \"wire_text.h\"\n");
	if (acsl)
		acsl_prologue(&gen);
	emit_rule_ids(spec, out);
	emit_guids(spec, out, false);
	emit_checks(spec, out, acsl);
	if (any_comes_in(spec))
		emit_receive(spec, out, acsl);
	emit_builders(spec, out);
	emit_sessions(spec, out, acsl);
}

void emit_tables(struct spec *spec, FILE *out)
{
	static const char *const classes[] = { "layout", "request", "session" };
	const struct rule *rule;

	emit_banner(spec, out, "the names of the rules, for tools");
	fprintf(out, "#include \"rules.h\"\n\nconst struct rule_name %s_rule_names[] = {\n", spec->name);
	fprintf(out, "\t{ 0, \"accepted\", \"\", 0 },\n");
	for (rule = spec->rules; rule; rule = rule->next)
		fprintf(out, "\t{ 0x%08x, \"%s\", \"%s\", %u },\n", rule->id, rule->name, classes[rule->class],
			rule->loc.line);
	fprintf(out, "};\n\nconst u32 %s_rule_count = %u;\n", spec->name, spec->rule_count);
}

static void emit_offsets(struct spec *spec, FILE *out, const struct layout *layout, const struct item *items)
{
	const struct item *item;
	const char *prefix;
	bool found;

	for (item = items; item; item = item->next) {
		found = false;
		if (item->kind == I_FIELD && item->field->offset >= 0 &&
		    !seen_before(layout->items, item, item->field->name, &found)) {
			prefix = spec_printf(spec, "%s_%s_%s", upper(spec, spec->name), upper(spec, layout->name),
					     upper(spec, item->field->name));
			fprintf(out, "#define %s_OFFSET %u\n", prefix, (u32)item->field->offset);
			if (item->field->type->fixed_size >= 0)
				fprintf(out, "#define %s_SIZE %u\n", prefix, (u32)item->field->type->fixed_size);
		}
		emit_offsets(spec, out, layout, item->then);
		emit_offsets(spec, out, layout, item->otherwise);
	}
}

void emit_layout(struct spec *spec, FILE *out)
{
	const struct layout *layout;

	emit_banner(spec, out, "where the fields lie, for tests");
	if (spec->header)
		emit_offsets(spec, out, spec->header, spec->header->items);
	for (layout = spec->layouts; layout; layout = layout->next) {
		fprintf(out, "\n#define %s_%s_SIZE_MIN %u\n", upper(spec, spec->name), upper(spec, layout->name),
			(u32)layout->least_size);
		emit_offsets(spec, out, layout, layout->items);
	}
}
