/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes what lets one test program drive the generated C of any protocol:
 * tests/unit/spec/glue.h. No product code uses it.
 */
#include <string.h>

#include "emit.h"

/* ---- members of views ---- */

static void emit_members(FILE *out, const struct spec *spec, const struct layout *top,
			 const struct item *items, const char *prefix, struct spec *arena);

static void emit_member(FILE *out, const struct spec *spec, const struct layout *top, const char *path,
			const char *member, bool slice)
{
	fprintf(out, "\t{ \"%s\", offsetof(struct %s_%s, %s), ", path, spec->name, top->name, member);
	if (slice)
		fputs("0 },\n", out);
	else
		fprintf(out, "sizeof(((struct %s_%s *)0)->%s) },\n", spec->name, top->name, member);
}

static void emit_bit_members(FILE *out, const struct spec *spec, const struct layout *top,
			     const struct field *field, const char *prefix, struct spec *arena)
{
	const struct bitpart *bit;

	for (bit = field->type->bits; bit; bit = bit->next)
		if (!bit->ignored)
			emit_member(out, spec, top,
				    spec_printf(arena, "%s%s.%s", prefix, field->name, bit->name),
				    spec_printf(arena, "%s%s_%s", prefix, field->name, bit->name), false);
}

static void emit_arm_members(FILE *out, const struct spec *spec, const struct layout *top,
			     const struct field *field, const char *prefix, struct spec *arena)
{
	const struct arm *arm;
	const char *path;

	for (arm = field->type->arms; arm; arm = arm->next) {
		path = spec_printf(arena, "%s%s.%s", prefix, field->name, arm->name);
		if (arm->type->kind == T_STRUCT)
			emit_members(out, spec, top, arm->type->layout->items,
				     spec_printf(arena, "%s.", path), arena);
		else
			emit_member(out, spec, top, path, path, arm->type->kind == T_BYTES);
	}
}

static void emit_field_members(FILE *out, const struct spec *spec, const struct layout *top,
			       const struct field *field, const char *prefix, struct spec *arena)
{
	const char *path = spec_printf(arena, "%s%s", prefix, field->name);
	enum type_kind kind = field->type->kind;

	if (!field->delivered)
		return;
	if (kind == T_BITS)
		emit_bit_members(out, spec, top, field, prefix, arena);
	else if (kind == T_STRUCT)
		emit_members(out, spec, top, field->type->layout->items, spec_printf(arena, "%s.", path), arena);
	else if (kind == T_UNION)
		emit_arm_members(out, spec, top, field, prefix, arena);
	else
		emit_member(out, spec, top, path, path, kind > T_BITS);
}

static void emit_members(FILE *out, const struct spec *spec, const struct layout *top,
			 const struct item *items, const char *prefix, struct spec *arena)
{
	const struct item *item;
	const char *path;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD)
			emit_field_members(out, spec, top, item->field, prefix, arena);
		if (item->kind == I_WHEN) {
			emit_members(out, spec, top, item->then, prefix, arena);
			emit_members(out, spec, top, item->otherwise, prefix, arena);
		}
		if (item->kind == I_LET) {
			path = spec_printf(arena, "%s%s", prefix, item->name);
			emit_member(out, spec, top, path, path, false);
		}
	}
}

/* ---- layouts ---- */

static bool has_check(const struct layout *layout)
{
	return layout->direction != REFUSED && (layout->kind != L_STRUCT || layout->used);
}

static bool takes_size(const struct layout *layout)
{
	return layout->kind != L_HEADER && !(layout->kind == L_STRUCT && layout->fixed);
}

static bool gives_used(const struct layout *layout)
{
	return layout->kind == L_STRUCT && !layout->fixed;
}

/* The parameters of a validator, with or without the context: types, or what is passed. */
static void emit_signature(FILE *out, const struct spec *spec, const struct layout *layout, bool context,
			   bool types)
{
	const struct param *param;
	u32 i = 0;

	fputs(types ? "(const u8 *" : "(bytes", out);
	if (takes_size(layout))
		fputs(types ? ", u32" : ", size", out);
	if (context && types)
		fprintf(out, ", const struct %s_context *", spec->name);
	else if (context)
		fputs(", context", out);
	for (param = layout->params; param; param = param->next, i++) {
		if (types)
			fprintf(out, ", u%u", param->type->width * 8);
		else
			fprintf(out, ", (u%u)params[%u]", param->type->width * 8, i);
	}
	if (types)
		fprintf(out, ", struct %s_%s *", spec->name, layout->name);
	else
		fputs(", view", out);
	if (gives_used(layout))
		fputs(types ? ", u32 *" : ", used", out);
	fputc(')', out);
}

static void emit_check(FILE *out, const struct spec *spec, const struct layout *layout)
{
	fprintf(out, "static int check_%s(const u8 *bytes, u32 size, const void *context, const u64 *params,\n"
		"\t\tvoid *view, u32 *used)\n{\n"
		"\t(void)size, (void)context, (void)params, (void)used;\n"
		"\treturn GLUE_CALL(%s_check_%s,\n\t\t", layout->name, spec->name, layout->name);
	emit_signature(out, spec, layout, true, true);
	fputs(",\n\t\t", out);
	emit_signature(out, spec, layout, true, false);
	fputs(",\n\t\t", out);
	emit_signature(out, spec, layout, false, true);
	fputs(",\n\t\t", out);
	emit_signature(out, spec, layout, false, false);
	fputs(");\n}\n\n", out);
}

static bool some_requested(const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items)
		if (item->kind == I_FIELD && (item->field->requested ||
		    (item->field->is_header && some_requested(item->field->type->layout->items))))
			return true;
	return false;
}

static bool is_kept(const struct layout *layout)
{
	return layout->is_request && some_requested(layout->items);
}

static void emit_keep(FILE *out, const char *P, const char *name)
{
	fprintf(out, "static void keep_%s(const void *view, void *request)\n{\n"
		"\t%s_keep_%s(view, request);\n}\n\n", name, P, name);
}

static void emit_match(FILE *out, const char *P, const struct layout *layout)
{
	const char *name = layout->name, *asked = layout->request->name;

	fprintf(out, "static int match_%s(const void *view, const void *context, const void *request)\n{\n"
		"\t(void)context;\n"
		"\treturn GLUE_CALL(%s_match_%s,\n", name, P, name);
	fprintf(out, "\t\t(const struct %s_%s *, const struct %s_context *, const struct %s_%s_request *),\n"
		"\t\t(view, context, request),\n", P, name, P, P, asked);
	fprintf(out, "\t\t(const struct %s_%s *, const struct %s_%s_request *),\n"
		"\t\t(view, request));\n}\n\n", P, name, P, asked);
}

static void emit_layout_parts(FILE *out, const struct spec *spec, struct spec *arena, const struct layout *layout)
{
	if (!has_check(layout))
		return;
	fprintf(out, "static const struct glue_member members_%s[] = {\n", layout->name);
	emit_members(out, spec, layout, layout->items, "", arena);
	fputs("\t{ NULL, 0, 0 },\n};\n\n", out);
	emit_check(out, spec, layout);
	if (is_kept(layout))
		emit_keep(out, spec->name, layout->name);
	if (layout->has_request_rules)
		emit_match(out, spec->name, layout);
}

static void emit_layout_entry(FILE *out, const struct spec *spec, const struct layout *layout)
{
	const char *name = layout->name;

	if (!has_check(layout))
		return;
	fprintf(out, "\t{ .name = \"%s\", .check = check_%s, .view_size = sizeof(struct %s_%s),\n"
		"\t  .members = members_%s, .member_count = sizeof(members_%s) / sizeof(members_%s[0]) - 1,\n"
		"\t  .kind = %u", name, name, spec->name, name, name, name, name,
		layout->kind == L_MESSAGE ? layout->number : 0);
	if (is_kept(layout))
		fprintf(out, ", .keep = keep_%s", name);
	if (layout->has_request_rules)
		fprintf(out, ", .match = match_%s", name);
	fputs(" },\n", out);
}

static void emit_layouts(FILE *out, const struct spec *spec, struct spec *arena)
{
	const struct layout *layout;

	if (spec->header)
		emit_layout_parts(out, spec, arena, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		emit_layout_parts(out, spec, arena, layout);
	fputs("static const struct glue_layout layouts[] = {\n", out);
	if (spec->header)
		emit_layout_entry(out, spec, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		emit_layout_entry(out, spec, layout);
	fputs("};\n\n", out);
}

/* ---- messages ---- */

static void emit_fill(FILE *out, const struct spec *spec)
{
	const struct context_value *value;

	if (!spec->context)
		return;
	fprintf(out, "static void fill(const u64 *values, void *context)\n{\n"
		"\tstruct %s_context *ctx = context;\n\n", spec->name);
	for (value = spec->context; value; value = value->next)
		fprintf(out, "\tctx->%s = values[%u];\n", value->name, value->index);
	fputs("}\n\n", out);
}

static bool any_comes_in(const struct spec *spec)
{
	const struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_MESSAGE && layout->direction != TO_HOST)
			return true;
	return false;
}

static void emit_receive(FILE *out, const char *P)
{
	fprintf(out, "static int receive(const u8 *bytes, u32 size, const void *context, void *message, u32 *kind)\n"
		"{\n\tstruct %s_message *m = message;\n\tint rule;\n\n\t(void)context;\n"
		"\trule = GLUE_CALL(%s_receive,\n", P, P);
	fprintf(out, "\t\t(const u8 *, u32, const struct %s_context *, struct %s_message *),\n"
		"\t\t(bytes, size, context, m),\n"
		"\t\t(const u8 *, u32, struct %s_message *),\n"
		"\t\t(bytes, size, m));\n"
		"\t*kind = rule ? 0 : m->kind;\n\treturn rule;\n}\n\n", P, P, P);
}

static void emit_wrap(FILE *out, const struct spec *spec)
{
	const struct layout *layout;

	fprintf(out, "static void *wrap(void *message, u32 kind)\n{\n\tstruct %s_message *m = message;\n\n"
		"\tm->kind = kind;\n\tswitch (kind) {\n", spec->name);
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_MESSAGE && has_check(layout))
			fprintf(out, "\tcase %u:\n\t\treturn &m->%s;\n", layout->number, layout->name);
	fputs("\t}\n\treturn NULL;\n}\n\n", out);
}

/* ---- sessions ---- */

static void emit_session_passes(FILE *out, const char *P, const char *S, const char *what)
{
	fprintf(out, "static int %s_%s(void *session, const void *context, const void *message)\n{\n"
		"\t(void)context;\n\treturn GLUE_CALL(%s_%s_%s,\n", S, what, P, S, what);
	fprintf(out, "\t\t(struct %s_%s_session *, const struct %s_context *, const struct %s_message *),\n"
		"\t\t(session, context, message),\n"
		"\t\t(struct %s_%s_session *, const struct %s_message *),\n"
		"\t\t(session, message));\n}\n\n", P, S, P, P, P, S, P);
}

static void emit_session_state(FILE *out, const char *P, const char *S)
{
	fprintf(out, "static void %s_start(void *session)\n{\n"
		"\tsession_start(&%s_%s_table, &((struct %s_%s_session *)session)->at);\n}\n\n", S, P, S, P, S);
	fprintf(out, "static bool %s_local(void *session, u32 event)\n{\n"
		"\treturn session_local(&%s_%s_table, &((struct %s_%s_session *)session)->at, event);\n}\n\n",
		S, P, S, P, S);
	fprintf(out, "static u32 %s_state(const void *session)\n{\n"
		"\treturn ((const struct %s_%s_session *)session)->at.state;\n}\n\n", S, P, S);
	fprintf(out, "static void %s_enter(void *session, u32 state)\n{\n"
		"\t((struct %s_%s_session *)session)->at.state = state;\n}\n\n", S, P, S);
	fprintf(out, "static bool %s_waits(const void *session, u32 kind)\n{\n"
		"\treturn ((const struct %s_%s_session *)session)->at.pending & request_bit(&%s_%s_table, kind);\n"
		"}\n\n", S, P, S, P, S);
}

static void emit_ask(FILE *out, const char *P, const struct session *session)
{
	const char *S = session->name;
	const struct event *event;

	fprintf(out, "static void %s_ask(void *session, u32 kind, const void *view)\n{\n"
		"\tstruct %s_%s_session *s = session;\n\n"
		"\t(void)view;\n\ts->at.pending |= request_bit(&%s_%s_table, kind);\n", S, P, S, P, S);
	for (event = session->events; event; event = event->next)
		if (event->kind == EV_SEND && is_kept(event->message))
			fprintf(out, "\tif (kind == %u)\n\t\t%s_keep_%s(view, &s->%s);\n",
				event->message->number, P, event->name, event->name);
	fputs("}\n\n", out);
}

static void emit_request_bit(FILE *out)
{
	fputs("static u64 request_bit(const struct session_table *table, u32 kind)\n{\n\tu32 i;\n\n"
	      "\tfor (i = 0; i < table->send_count; i++)\n\t\tif (table->send[i].kind == kind)\n"
	      "\t\t\treturn table->send[i].request;\n\treturn 0;\n}\n\n", out);
}

static void emit_sessions_table(FILE *out, const struct spec *spec)
{
	const struct session *session;
	const char *P = spec->name, *S;

	for (session = spec->sessions; session; session = session->next) {
		emit_session_passes(out, P, session->name, "receive");
		emit_session_passes(out, P, session->name, "send");
		emit_session_state(out, P, session->name);
		emit_ask(out, P, session);
	}
	fputs("static const struct glue_session sessions[] = {\n", out);
	for (session = spec->sessions; session; session = session->next) {
		S = session->name;
		fprintf(out, "\t{ .name = \"%s\", .size = sizeof(struct %s_%s_session), .start = %s_start,\n"
			"\t  .receive = %s_receive, .send = %s_send, .local = %s_local, .state = %s_state,\n"
			"\t  .enter = %s_enter, .waits = %s_waits, .ask = %s_ask },\n",
			S, P, S, S, S, S, S, S, S, S, S);
	}
	fputs("};\n\n", out);
}

/* ---- the whole ---- */

static void emit_request_size(FILE *out, const struct spec *spec)
{
	const struct layout *layout;

	fputs("union request {\n\tu8 nothing;\n", out);
	for (layout = spec->layouts; layout; layout = layout->next)
		if (is_kept(layout))
			fprintf(out, "\tstruct %s_%s_request %s;\n", spec->name, layout->name, layout->name);
	fputs("};\n\n", out);
}

static void emit_table(FILE *out, const struct spec *spec)
{
	fprintf(out, "const struct glue %s_glue = {\n\t.name = \"%s\", .rule_count = %u,\n"
		"\t.layouts = layouts, .layout_count = sizeof(layouts) / sizeof(layouts[0]),\n"
		"\t.request_size = sizeof(union request),\n", spec->name, spec->name, spec->rule_count);
	if (spec->context)
		fprintf(out, "\t.context_size = sizeof(struct %s_context), .fill = fill,\n", spec->name);
	if (spec->message_count)
		fprintf(out, "\t.message_size = sizeof(struct %s_message), .wrap = wrap,\n", spec->name);
	if (any_comes_in(spec))
		fputs("\t.receive = receive,\n", out);
	if (spec->sessions)
		fputs("\t.sessions = sessions, .session_count = sizeof(sessions) / sizeof(sessions[0]),\n", out);
	fputs("};\n", out);
}

void emit_glue(struct spec *spec, FILE *out)
{
	fprintf(out, "/* SPDX-License-Identifier: GPL-2.0-only */\n"
		"/*\n * %s for the test program. Generated by airspec; do not edit.\n */\n"
		"#include \"%s.h\"\n#include \"glue.h\"\n\n", spec->name, spec->name);
	if (!spec->context)
		fprintf(out, "struct %s_context;\n\n", spec->name);
	emit_layouts(out, spec, spec);
	emit_fill(out, spec);
	emit_request_size(out, spec);
	if (any_comes_in(spec))
		emit_receive(out, spec->name);
	if (spec->message_count)
		emit_wrap(out, spec);
	if (spec->sessions) {
		emit_request_bit(out);
		emit_sessions_table(out, spec);
	}
	emit_table(out, spec);
}
