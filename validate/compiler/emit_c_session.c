/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions in C: tables for the engine in session.c, the guards of their lines, and the
 * comparison of answers with what was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_c.h"

/* ---- what is kept of a request ---- */

static bool keeps(const struct layout *request)
{
	const struct item *item;

	for (item = request->items; item; item = item->next)
		if (item->kind == I_FIELD && item->field->requested)
			return true;
	return false;
}

static bool has_field(const struct layout *layout, const char *name)
{
	const struct item *item;

	for (item = layout->items; item; item = item->next)
		if (item->kind == I_FIELD && !strcmp(item->field->name, name))
			return true;
	return false;
}

/* The next header field that answers look at; not what a field of the request itself hides. */
static const struct field *requested_header(const struct spec *spec, const struct layout *request,
					    const struct item **item)
{
	for (*item = *item ? (*item)->next : spec->header->items; *item; *item = (*item)->next)
		if ((*item)->kind == I_FIELD && (*item)->field->requested && !has_field(request, (*item)->field->name))
			return (*item)->field;
	return NULL;
}

static bool keeps_header(const struct spec *spec, const struct layout *request)
{
	const struct item *item = NULL;

	return requested_header(spec, request, &item);
}

static bool is_kept(const struct spec *spec, const struct layout *layout)
{
	return layout->kind == L_MESSAGE && layout->is_request && (keeps(layout) || keeps_header(spec, layout));
}

static void kept_member(FILE *out, const struct field *field)
{
	const struct bitpart *bit;

	if (field->type->kind == T_GUID) {
		fprintf(out, "\tu8 %s[16];\n", field->name);
		return;
	}
	for (bit = field->type->bits; bit; bit = bit->next)
		if (!bit->ignored)
			fprintf(out, "\t%s %s_%s;\n", c_type(field->type), field->name, bit->name);
	if (field->type->kind != T_BITS)
		fprintf(out, "\t%s %s;\n", c_type(field->type), field->name);
}

static void kept_type(struct spec *spec, FILE *out, const struct layout *request)
{
	const struct item *item = NULL;
	const struct field *field;

	fprintf(out, "\n/* What answers to %s are compared with. */\nstruct %s_%s_request {\n", request->name,
		spec->name, request->name);
	while ((field = requested_header(spec, request, &item)))
		kept_member(out, field);
	for (item = request->items; item; item = item->next)
		if (item->kind == I_FIELD && item->field->requested)
			kept_member(out, item->field);
	fputs("};\n", out);
}

static void keep_member(struct gen *gen, const struct field *field, const char *view)
{
	const struct bitpart *bit;

	if (field->type->kind == T_GUID) {
		line(gen, "memset(request->%s, 0, 16);", field->name);
		line(gen, "if (%s%s.size == 16)", view, field->name);
		line(gen, "\twire_put(request->%s, &%s%s);", field->name, view, field->name);
		return;
	}
	for (bit = field->type->bits; bit; bit = bit->next)
		if (!bit->ignored)
			line(gen, "request->%s_%s = %s%s_%s;", field->name, bit->name, view, field->name, bit->name);
	if (field->type->kind != T_BITS)
		line(gen, "request->%s = %s%s;", field->name, view, field->name);
}

static const char *keep_head(struct spec *spec, const struct layout *request)
{
	return spec_printf(spec, "void %s_keep_%s(const struct %s_%s *m, struct %s_%s_request *request)", spec->name,
			   request->name, spec->name, request->name, spec->name, request->name);
}

static void emit_keep(struct gen *gen, const struct layout *request)
{
	const struct item *item = NULL;
	const struct field *field;

	line(gen, "\n%s\n{", keep_head(gen->spec, request));
	gen->indent = 1;
	while ((field = requested_header(gen->spec, request, &item)))
		keep_member(gen, field, "m->header.");
	for (item = request->items; item; item = item->next)
		if (item->kind == I_FIELD && item->field->requested)
			keep_member(gen, item->field, "m->");
	gen->indent = 0;
	line(gen, "}");
}

/* ---- request rules ---- */

static bool asks(const struct item *items)
{
	const struct refinement *refinement;
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_RULE && item->expr->uses_request)
			return true;
		for (refinement = item->field ? item->field->refinements : NULL; refinement; refinement = refinement->next)
			if (refinement->uses_request)
				return true;
		if (asks(item->then) || asks(item->otherwise))
			return true;
	}
	return false;
}

/* Whether the rules about the request, or the whens around them, look at the context. */
static bool match_uses_context(const struct item *items)
{
	const struct refinement *refinement;
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_RULE && item->expr->uses_request && expr_uses_context(item->expr))
			return true;
		for (refinement = item->field ? item->field->refinements : NULL; refinement; refinement = refinement->next)
			if (refinement->uses_request && expr_uses_context(refinement->test))
				return true;
		if (item->kind == I_WHEN && (asks(item->then) || asks(item->otherwise)) &&
		    (expr_uses_context(item->expr) || match_uses_context(item->then) ||
		     match_uses_context(item->otherwise)))
			return true;
	}
	return false;
}

static const char *match_head(struct spec *spec, const struct layout *message)
{
	return spec_printf(spec, "int %s_match_%s(const struct %s_%s *m%s, const struct %s_%s_request *request)",
			   spec->name, message->name, spec->name, message->name, match_uses_context(message->items) ?
			   spec_printf(spec, ", const struct %s_context *ctx", spec->name) : "",
			   spec->name, message->request->name);
}

static void match_rule(struct gen *gen, const struct expr *test, const struct rule *rule)
{
	if (!strcmp(c_false(gen, test), "false"))
		return;
	line(gen, "if (%s)", c_false(gen, test));
	line(gen, "\treturn %s;\t/* %s:%u */", c_rule(gen->spec, rule), file_name(gen->spec), rule->loc.line);
}

static void match_items(struct gen *gen, const struct item *items);

static void match_branch(struct gen *gen, const char *condition, const struct item *items)
{
	if (!asks(items))
		return;
	line(gen, "if (%s) {", condition);
	gen->indent++;
	match_items(gen, items);
	gen->indent--;
	line(gen, "}");
}

static void match_items(struct gen *gen, const struct item *items)
{
	const struct refinement *refinement;
	const struct item *item;

	for (item = items; item; item = item->next) {
		if (item->kind == I_RULE && item->expr->uses_request)
			match_rule(gen, item->expr, item->rule);
		for (refinement = item->field ? item->field->refinements : NULL; refinement; refinement = refinement->next)
			if (refinement->uses_request)
				match_rule(gen, refinement->test, refinement->rule);
		if (item->kind == I_WHEN) {
			match_branch(gen, c_true(gen, item->expr), item->then);
			match_branch(gen, c_false(gen, item->expr), item->otherwise);
		}
	}
}

static void emit_match(struct gen *gen, struct layout *message)
{
	FILE *out = gen->out;
	char *body = NULL;
	size_t length = 0;

	gen->layout = message;
	gen->out = open_memstream(&body, &length);
	if (!gen->out)
		abort();
	gen->indent = 1;
	match_items(gen, message->items);
	line(gen, "return 0;");
	gen->indent = 0;
	fclose(gen->out);
	gen->out = out;
	line(gen, "\n/* Whether %s answers what was asked. */\n%s\n{", message->name, match_head(gen->spec, message));
	emit_unused(out, body, "m");
	fputs(body, out);
	line(gen, "}");
	free(body);
}

/* ---- names ---- */

static const char *state_name(struct spec *spec, const struct session *session, const struct state *state)
{
	return spec_printf(spec, "%s_STATE_%s_%s", upper(spec, spec->name), upper(spec, session->name),
			   upper(spec, state->name));
}

static const char *event_name(struct spec *spec, const struct session *session, const struct event *event)
{
	static const char *const kinds[] = { "ON", "SEND", "AFTER", "LOCAL" };

	return spec_printf(spec, "%s_EVENT_%s_%s_%s", upper(spec, spec->name), upper(spec, session->name),
			   kinds[event->kind], upper(spec, event->name));
}

static const struct event *event_by_number(const struct session *session, u32 number)
{
	const struct event *event = session->events;

	while (event->number != number)
		event = event->next;
	return event;
}

static bool has_guards(const struct session *session, const struct layout *message);

static bool guards_use_context(const struct session *session)
{
	const struct transition *one;
	const struct state *state;

	for (state = session->states; state; state = state->next)
		for (one = state->transitions; one; one = one->next)
			if (one->when && expr_uses_context(one->when))
				return true;
	return false;
}

static bool matches_use_context(const struct session *session)
{
	const struct event *event;

	for (event = session->events; event; event = event->next)
		if (event->kind == EV_ON && event->pairing_rule && match_uses_context(event->message->items))
			return true;
	return false;
}

static bool step_uses_context(const struct session *session, const char *what)
{
	return guards_use_context(session) || (*what == 'r' && matches_use_context(session));
}

static const char *step_head(struct spec *spec, const struct session *session, const char *what)
{
	return spec_printf(spec, "int %s_%s_%s(struct %s_%s_session *s%s, const struct %s_message *m)", spec->name,
			   session->name, what, spec->name, session->name, step_uses_context(session, what) ?
			   spec_printf(spec, ", const struct %s_context *ctx", spec->name) : "", spec->name);
}

static const char *key_head(struct spec *spec, const struct session *session)
{
	return spec_printf(spec, "bool %s_%s_key(const struct %s_message *m, u64 *key)", spec->name, session->name,
			   spec->name);
}

/* ---- types ---- */

static bool starts_request(const struct spec *spec, const struct event *event)
{
	return event->kind == EV_SEND && event->message->is_request && is_kept(spec, event->message);
}

/* A number of the session's messages; a context value or a GUID is told apart by who asks. */
static bool has_key(const struct spec *spec, const struct session *session)
{
	const struct event *event;
	const struct item *item;

	for (event = session->key ? session->events : NULL; event; event = event->next) {
		for (item = event->message ? event->message->items : NULL; item; item = item->next)
			if (item->kind == I_FIELD && item->field->delivered && is_scalar(item->field->type) &&
			    !strcmp(item->field->name, session->key))
				return true;
		for (item = spec->header->items; item; item = item->next)
			if (item->kind == I_FIELD && item->field->delivered && !strcmp(item->field->name, session->key))
				return true;
	}
	return false;
}

static void session_type(struct spec *spec, FILE *out, const struct session *session)
{
	const struct event *event;
	const struct state *state;
	u32 column = 0;

	fprintf(out, "\n/* %s:%u */\nenum %s_%s_states {\n", file_name(spec), session->loc.line, spec->name, session->name);
	for (state = session->states; state; state = state->next)
		emit_packed(out, &column, state_name(spec, session, state));
	fprintf(out, "\n};\n\nenum %s_%s_events {\n", spec->name, session->name);
	for (event = session->events, column = 0; event; event = event->next)
		emit_packed(out, &column, event_name(spec, session, event));
	fprintf(out, "\n};\n\nstruct %s_%s_session {\n\tstruct session_state at;\n", spec->name, session->name);
	for (event = session->events; event; event = event->next)
		if (starts_request(spec, event))
			fprintf(out, "\tstruct %s_%s_request %s;\n", spec->name, event->name, event->name);
	fprintf(out, "};\n\nextern const struct session_table %s_%s_table;\n", spec->name, session->name);
	emit_prototype(spec, out, step_head(spec, session, "receive"), true);
	emit_prototype(spec, out, step_head(spec, session, "send"), true);
	if (has_key(spec, session))
		emit_prototype(spec, out, key_head(spec, session), true);
}

void emit_session_types(struct spec *spec, FILE *out)
{
	const struct session *session;
	const struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next) {
		if (!is_kept(spec, layout))
			continue;
		kept_type(spec, out, layout);
		put_lines(out, 0, spec_printf(spec, "%s;", keep_head(spec, layout)));
	}
	for (layout = spec->layouts; layout; layout = layout->next)
		if (layout->has_request_rules)
			emit_prototype(spec, out, match_head(spec, layout), true);
	for (session = spec->sessions; session; session = session->next)
		session_type(spec, out, session);
}

/* ---- tables ---- */

static int line_order(const struct transition *a, const struct transition *b)
{
	if (a->loc.line != b->loc.line)
		return a->loc.line < b->loc.line ? -1 : 1;
	return a->loc.column < b->loc.column ? -1 : a->loc.column > b->loc.column;
}

/*
 * The line written next after another, or the first. A line written for several states stands
 * in each of them; in the order written it comes once, and in no state before its turn.
 */
static const struct transition *next_line(const struct session *session, const struct transition *after)
{
	const struct transition *one, *next = NULL;
	const struct state *state;

	for (state = session->states; state; state = state->next)
		for (one = state->transitions; one; one = one->next)
			if ((!after || line_order(one, after) > 0) && (!next || line_order(one, next) < 0))
				next = one;
	return next;
}

/* Guards are numbered from 1 in the order of the lines. */
static u32 guard_number(const struct session *session, const struct transition *wanted)
{
	const struct transition *one = NULL;
	u32 number = 0;

	if (!wanted->when)
		return 0;
	do {
		one = next_line(session, one);
		number += one->when != NULL;
	} while (line_order(one, wanted));
	return number;
}

/* The states a line was written for, as bits. */
static const char *states_of(struct gen *gen, const struct session *session, const struct transition *line, bool *stays)
{
	const struct transition *one;
	const struct state *state;
	const char *all = NULL;

	*stays = true;
	for (state = session->states; state; state = state->next) {
		for (one = state->transitions; one && line_order(one, line); one = one->next)
			;
		if (!one)
			continue;
		*stays &= one->target == state;
		all = spec_printf(gen->spec, "%s%s1u << %s", all ? all : "", all ? " | " : "",
				  state_name(gen->spec, session, state));
	}
	return all;
}

static void emit_line(struct gen *gen, const struct session *session, const struct transition *one)
{
	bool stays;
	const char *states = states_of(gen, session, one, &stays);

	line(gen, "\t{ %s, %s, %u, %s, %s },\t/* %s:%u */", states,
	     event_name(gen->spec, session, event_by_number(session, one->event_number)), guard_number(session, one),
	     stays ? "SESSION_STAY" : state_name(gen->spec, session, one->target), one->cancel ? "true" : "false",
	     file_name(gen->spec), one->loc.line);
}

static u32 emit_lines(struct gen *gen, const struct session *session)
{
	const struct transition *one = NULL;
	u32 count = 0;

	line(gen, "\nstatic const struct session_line %s_%s_lines[] = {", gen->spec->name, session->name);
	while ((one = next_line(session, one)) != NULL) {
		emit_line(gen, session, one);
		count++;
	}
	line(gen, "};");
	return count;
}

static const struct event *request_event(const struct session *session, const struct event *event)
{
	const struct event *one;

	if (event->kind == EV_SEND)
		return event->pairing_rule ? event : NULL;
	for (one = session->events; one; one = one->next)
		if (one->kind == EV_SEND && event->pairing_rule && one->message == event->message->request)
			return one;
	return NULL;
}

/* How many lines stand before the first of an event. */
static u32 lines_before(const struct session *session, const struct event *event)
{
	const struct transition *one = NULL;
	u32 count = 0;

	while ((one = next_line(session, one)) != NULL && one->event_number != event->number)
		count++;
	return count;
}

static u32 emit_events(struct gen *gen, const struct session *session, enum event_kind kind)
{
	const struct event *event, *request;
	u32 count = 0;

	for (event = session->events; event; event = event->next)
		count += event->kind == kind;
	if (!count)
		return 0;
	line(gen, "\nstatic const struct session_event %s_%s_%s[] = {", gen->spec->name, session->name,
	     kind == EV_ON ? "on" : "sent");
	for (event = session->events; event; event = event->next) {
		if (event->kind != kind)
			continue;
		request = request_event(session, event);
		line(gen, "\t{ %s_MSG_%s, %s, %s, %s, %s%llx, %u },", gen->P, upper(gen->spec, event->name),
		     event_name(gen->spec, session, event), c_rule(gen->spec, event->state_rule),
		     event->pairing_rule ? c_rule(gen->spec, event->pairing_rule) : "0", request ? "0x" : "",
		     request ? 1ULL << request->number : 0, lines_before(session, event));
	}
	line(gen, "};");
	return count;
}

static void emit_table(struct gen *gen, const struct session *session)
{
	const char *name = spec_printf(gen->spec, "%s_%s", gen->spec->name, session->name);
	u32 lines = emit_lines(gen, session), on, send;

	on = emit_events(gen, session, EV_ON);
	send = emit_events(gen, session, EV_SEND);
	line(gen, "\nconst struct session_table %s_table = {", name);
	line(gen, "\t.lines = %s_lines, .line_count = %u,", name, lines);
	if (on)
		line(gen, "\t.on = %s_on, .on_count = %u,", name, on);
	if (send)
		line(gen, "\t.send = %s_sent, .send_count = %u,", name, send);
	line(gen, "\t.start = %s, .stranger = %s,\n};", state_name(gen->spec, session, session->start),
	     c_rule(gen->spec, gen->spec->dispatch_rule));
}

/* ---- guards ---- */

static bool has_guards(const struct session *session, const struct layout *message)
{
	const struct transition *one;
	const struct state *state;

	for (state = session->states; state; state = state->next)
		for (one = state->transitions; one; one = one->next)
			if (one->when && (!message || one->message == message))
				return true;
	return false;
}

static void emit_guard_case(struct gen *gen, const struct session *session, struct layout *message)
{
	const struct transition *one = NULL;

	gen->layout = message;
	gen->view = spec_printf(gen->spec, "m->%s.", message->name);
	line(gen, "case %s_MSG_%s:", gen->P, upper(gen->spec, message->name));
	gen->indent++;
	while ((one = next_line(session, one)) != NULL) {
		if (!one->when || one->message != message)
			continue;
		line(gen, "if (%s)", c_true(gen, one->when));
		line(gen, "\tholds |= 1ULL << %u;\t/* %s:%u */", guard_number(session, one),
		     file_name(gen->spec), one->when->loc.line);
	}
	line(gen, "break;");
	gen->indent--;
	gen->view = "m->";
}

static void emit_guards(struct gen *gen, const struct session *session)
{
	struct layout *layout;

	if (!has_guards(session, NULL))
		return;
	line(gen, "\nstatic u64 %s_%s_guards(%sconst struct %s_message *m)\n{", gen->spec->name, session->name,
	     guards_use_context(session) ? spec_printf(gen->spec, "const struct %s_context *ctx, ", gen->spec->name) : "",
	     gen->spec->name);
	gen->indent = 1;
	line(gen, "u64 holds = 1;");
	fputc('\n', gen->out);
	line(gen, "switch (m->kind) {");
	for (layout = gen->spec->layouts; layout; layout = layout->next)
		if (layout->kind == L_MESSAGE && has_guards(session, layout))
			emit_guard_case(gen, session, layout);
	line(gen, "default:");
	line(gen, "\tbreak;");
	line(gen, "}");
	line(gen, "return holds;");
	gen->indent = 0;
	line(gen, "}");
}

/* ---- steps ---- */

static bool has_keeps(const struct spec *spec, const struct session *session)
{
	const struct event *event;

	for (event = session->events; event; event = event->next)
		if (starts_request(spec, event))
			return true;
	return false;
}

static void begin_step(struct gen *gen, const struct session *session, const char *what)
{
	const char *ctx = guards_use_context(session) ? "ctx, " : "";

	line(gen, "\n%s\n{", step_head(gen->spec, session, what));
	gen->indent = 1;
	line(gen, "struct session_state next;");
	line(gen, "int rule;");
	fputc('\n', gen->out);
	line(gen, "rule = session_%s(&%s_%s_table, &s->at, m->kind, %s, &next);", what, gen->spec->name, session->name,
	     has_guards(session, NULL) ?
	     spec_printf(gen->spec, "%s_%s_guards(%sm)", gen->spec->name, session->name, ctx) : "1");
}

static void end_step(struct gen *gen)
{
	line(gen, "if (rule)");
	line(gen, "\treturn rule;");
	line(gen, "s->at = next;");
	line(gen, "return 0;");
	gen->indent = 0;
	line(gen, "}");
}

static void emit_receive_step(struct gen *gen, const struct session *session)
{
	const struct event *event;

	begin_step(gen, session, "receive");
	for (event = session->events; event; event = event->next) {
		if (event->kind != EV_ON || !event->pairing_rule || !event->message->has_request_rules)
			continue;
		line(gen, "if (!rule && m->kind == %s_MSG_%s)", gen->P, upper(gen->spec, event->name));
		line(gen, "\trule = %s_match_%s(&m->%s, %s&s->%s);", gen->spec->name, event->name, event->name,
		     match_uses_context(event->message->items) ? "ctx, " : "", event->message->request->name);
	}
	end_step(gen);
}

static void emit_send_step(struct gen *gen, const struct session *session)
{
	const struct event *event;

	begin_step(gen, session, "send");
	if (has_keeps(gen->spec, session)) {
		for (event = session->events; event; event = event->next) {
			if (!starts_request(gen->spec, event))
				continue;
			line(gen, "if (!rule && m->kind == %s_MSG_%s)", gen->P, upper(gen->spec, event->name));
			line(gen, "\t%s_keep_%s(&m->%s, &s->%s);", gen->spec->name, event->name, event->name, event->name);
		}
	}
	end_step(gen);
}

static const char *key_of(struct gen *gen, const struct layout *message, const char *key)
{
	const struct item *item;

	for (item = message->items; item; item = item->next)
		if (item->kind == I_FIELD && item->field->delivered && is_scalar(item->field->type) &&
		    !strcmp(item->field->name, key))
			return spec_printf(gen->spec, "m->%s.%s", message->name, key);
	for (item = gen->spec->header->items; item; item = item->next)
		if (item->kind == I_FIELD && item->field->delivered && !strcmp(item->field->name, key))
			return spec_printf(gen->spec, "m->%s.header.%s", message->name, key);
	return NULL;
}

static bool knows(const struct session *session, const struct layout *message)
{
	const struct event *event;

	for (event = session->events; event; event = event->next)
		if (event->message == message)
			return true;
	return false;
}

static void emit_key(struct gen *gen, const struct session *session)
{
	const struct layout *layout;
	const char *key;

	line(gen, "\n/* Which session of its kind a message belongs to, if it says so. */\n%s\n{",
	     key_head(gen->spec, session));
	gen->indent = 1;
	line(gen, "switch (m->kind) {");
	for (layout = gen->spec->layouts; layout; layout = layout->next) {
		key = layout->kind == L_MESSAGE && knows(session, layout) ? key_of(gen, layout, session->key) : NULL;
		if (!key)
			continue;
		line(gen, "case %s_MSG_%s:", gen->P, upper(gen->spec, layout->name));
		line(gen, "\t*key = %s;", key);
		line(gen, "\treturn true;");
	}
	line(gen, "default:");
	line(gen, "\treturn false;");
	line(gen, "}");
	gen->indent = 0;
	line(gen, "}");
}

static void emit_session(struct gen *gen, const struct session *session)
{
	emit_table(gen, session);
	emit_guards(gen, session);
	emit_receive_step(gen, session);
	emit_send_step(gen, session);
	if (has_key(gen->spec, session))
		emit_key(gen, session);
}

void emit_sessions(struct spec *spec, FILE *out, bool acsl)
{
	struct gen gen = { .spec = spec, .P = upper(spec, spec->name), .out = out, .view = "m->", .absolute = -1,
			   .acsl = acsl };
	const struct session *session;
	struct layout *layout;

	for (layout = spec->layouts; layout; layout = layout->next) {
		if (is_kept(spec, layout))
			emit_keep(&gen, layout);
		if (layout->has_request_rules)
			emit_match(&gen, layout);
	}
	for (session = spec->sessions; session; session = session->next)
		emit_session(&gen, session);
}
