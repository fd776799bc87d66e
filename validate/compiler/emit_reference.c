/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference of a protocol, in Markdown: what the specification says, arranged for
 * looking up, with the name and id of each rule. Tables are collected with MARK between
 * their cells, so that a '|' of an expression can be told from one of the table.
 */
#include <stdlib.h>
#include <string.h>

#include "emit.h"

#define BAR "\x01"
#define MARK '\x01'

struct page {
	const struct spec *spec;
	FILE *out;
	u32 depth;			/* of whens */
	bool first;			/* no rule in this cell yet */
};

/* ---- small pieces ---- */

static void code(struct page *page, const struct expr *expr)
{
	fputc('`', page->out);
	emit_expr_text(page->out, page->spec, expr);
	fputc('`', page->out);
}

static void hex(struct page *page, u64 value, u32 bytes)
{
	fprintf(page->out, "0x%0*llx", (int)bytes * 2, (unsigned long long)value);
}

/* Without "protocol.owner.": the table stands below the owner's title. */
static const char *short_name(const struct page *page, const struct rule *rule)
{
	const char *name = rule->name + strlen(page->spec->name) + 1;
	const char *rest = strchr(name, '.');

	return rest ? rest + 1 : name;
}

/* A refused message has one rule; those of its fields are not numbered. */
static bool is_counted(const struct rule *rule)
{
	return rule && rule->number;
}

static void cell_rule(struct page *page, const struct rule *rule)
{
	if (!is_counted(rule))
		return;
	fprintf(page->out, "%s%s `%08x`", page->first ? "" : "<br>", short_name(page, rule), rule->id);
	page->first = false;
}

static void anchor_of(struct page *page, const char *kind, const char *name)
{
	fprintf(page->out, "[%s](#%s-%s)", name, kind, name);
}

static const char *kind_word(const struct layout *layout)
{
	static const char *const words[] = {
		[L_HEADER] = "header", [L_STRUCT] = "struct", [L_FRAME] = "frame", [L_MESSAGE] = "message",
	};

	return words[layout->kind];
}

static void indent_cell(struct page *page)
{
	u32 i;

	for (i = 0; i < page->depth; i++)
		fputs("&emsp;", page->out);
}

/* ---- declarations ---- */

static void title(struct page *page)
{
	const struct spec *spec = page->spec;
	const struct version *version;
	const char *slash = strrchr(spec->path, '/');

	fprintf(page->out, "# %s\n\n", spec->title ? spec->title : spec->name);
	fprintf(page->out, "Protocol `%s`, %s-endian. Written by `airspec` from `%s`; change that, not this.\n\n",
		spec->name, spec->big ? "big" : "little", slash ? slash + 1 : spec->path);
	if (spec->versions) {
		fputs("Versions: ", page->out);
		for (version = spec->versions; version; version = version->next)
			fprintf(page->out, "%u.%u (`0x%llx`)%s", version->major, version->minor,
				(unsigned long long)version->value, version->next ? ", " : ".\n\n");
	}
	fprintf(page->out, "%u messages, %u rules. A rule is shown as its name below its message, frame or struct, "
		"and its id.\n", spec->message_count, spec->rule_count);
}

static void context_row(struct page *page, const struct context_value *value)
{
	fprintf(page->out, BAR " %s " BAR " %s " BAR " ", value->name,
		value->is_version ? "version" : value->type->name);
	if (value->lo) {
		code(page, value->lo);
		fputs(" .. ", page->out);
		code(page, value->hi);
	} else {
		fputs("any", page->out);
	}
	fputs(" " BAR "\n", page->out);
}

static void contexts(struct page *page)
{
	const struct context_value *value;

	if (!page->spec->context)
		return;
	fputs("\n## Context\n\nWhat the guest knows and a message is checked against.\n\n"
	      BAR " name " BAR " type " BAR " range " BAR "\n" BAR "---" BAR "---" BAR "---" BAR "\n", page->out);
	for (value = page->spec->context; value; value = value->next)
		context_row(page, value);
}

static void constants(struct page *page)
{
	const struct constant *constant;

	if (!page->spec->constants)
		return;
	fputs("\n## Constants\n\n" BAR " name " BAR " value " BAR " stated as " BAR "\n"
	      BAR "---" BAR "--:" BAR "---" BAR "\n", page->out);
	for (constant = page->spec->constants; constant; constant = constant->next) {
		fprintf(page->out, BAR " %s " BAR " %llu " BAR " ", constant->name,
			(unsigned long long)constant->value);
		code(page, constant->expr);
		fputs(" " BAR "\n", page->out);
	}
}

static void enumeration(struct page *page, const struct enumeration *enumeration)
{
	const struct enumerator *value;

	fprintf(page->out, "\n### enum %s\n\n%s; other values are %s.\n\n" BAR " value " BAR " hex " BAR " name " BAR
		"\n" BAR "--:" BAR "--:" BAR "---" BAR "\n", enumeration->name, enumeration->type->name,
		enumeration->others_allowed ? "allowed" : "refused");
	for (value = enumeration->values; value; value = value->next) {
		fprintf(page->out, BAR " %llu " BAR " ", (unsigned long long)value->value);
		hex(page, value->value, enumeration->type->width);
		fprintf(page->out, " " BAR " %s " BAR "\n", value->name);
	}
}

static void flagset(struct page *page, const struct flagset *flagset)
{
	const struct flag *flag;

	fprintf(page->out, "\n### flags %s\n\n%s; other bits are %s.\n\n" BAR " bit " BAR " mask " BAR " name " BAR
		"\n" BAR "--:" BAR "--:" BAR "---" BAR "\n", flagset->name, flagset->type->name,
		flagset->others_zero ? "zero" : "ignored");
	for (flag = flagset->flags; flag; flag = flag->next) {
		fprintf(page->out, BAR " %u " BAR " ", flag->bit);
		hex(page, 1ULL << flag->bit, flagset->type->width);
		fprintf(page->out, " " BAR " %s " BAR "\n", flag->name);
	}
}

static void guidset(struct page *page, const struct guidset *guidset)
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	const struct guid *guid;
	u32 i;

	fprintf(page->out, "\n### guids %s\n\n" BAR " name " BAR " GUID " BAR "\n" BAR "---" BAR "---" BAR "\n",
		guidset->name);
	for (guid = guidset->guids; guid; guid = guid->next) {
		fprintf(page->out, BAR " %s " BAR " `", guid->name);
		for (i = 0; i < 16; i++)
			fprintf(page->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				guid->bytes[order[i]]);
		fputs("` " BAR "\n", page->out);
	}
}

static void named_values(struct page *page)
{
	const struct enumeration *e;
	const struct flagset *f;
	const struct guidset *g;

	if (page->spec->enumerations || page->spec->flagsets || page->spec->guidsets)
		fputs("\n## Values\n", page->out);
	for (e = page->spec->enumerations; e; e = e->next)
		enumeration(page, e);
	for (f = page->spec->flagsets; f; f = f->next)
		flagset(page, f);
	for (g = page->spec->guidsets; g; g = g->next)
		guidset(page, g);
}

/* ---- fields ---- */

/* The type, linked to where it is described. */
static void cell_type(struct page *page, const struct type *type)
{
	const struct type *named = type->kind == T_ARRAY || type->kind == T_FILL ? type->element : type;
	const char *kind = named->kind == T_ENUM ? "enum" : named->kind == T_FLAGS ? "flags" :
			   named->layout && named->layout->kind == L_STRUCT ? "struct" : NULL;
	bool linked = kind || named->layout;

	fputs(linked ? "[`" : "`", page->out);
	emit_type_text(page->out, page->spec, type);
	fputc('`', page->out);
	if (kind)
		fprintf(page->out, "](#%s-%s)", kind, named->name);
	else if (linked)
		fputs("](#header)", page->out);
}

static void cell_refinements(struct page *page, const struct refinement *refinement)
{
	for (; refinement; refinement = refinement->next) {
		fprintf(page->out, "%s`", page->first ? "" : "<br>");
		emit_refinement_text(page->out, page->spec, refinement);
		fputs(is_counted(refinement->rule) ? "` " : "`", page->out);
		page->first = true;	/* the rule stands beside what it says */
		cell_rule(page, refinement->rule);
		page->first = false;
	}
}

static void cell_size(struct page *page, const struct type *type)
{
	if (type->fixed_size >= 0)
		fprintf(page->out, "%u", (u32)type->fixed_size);
	else if (type->least_size > 0)
		fprintf(page->out, "%u or more", (u32)type->least_size);
	else
		fputs("varies", page->out);
}

static void cell_offset(struct page *page, const struct field *field)
{
	if (field->offset >= 0) {
		fprintf(page->out, "%u", (u32)field->offset);
	} else if (field->at) {
		fputs("at ", page->out);
		code(page, field->at);
	} else {
		fputs("next", page->out);
	}
}

static void bit_rows(struct page *page, const struct field *field)
{
	const struct bitpart *part;

	for (part = field->type->bits; part; part = part->next) {
		fprintf(page->out, BAR " " BAR " bit%s %u", part->width > 1 ? "s" : "", part->shift);
		if (part->width > 1)
			fprintf(page->out, "-%u", part->shift + part->width - 1);
		fputs(" " BAR " ", page->out);
		indent_cell(page);
		fprintf(page->out, "&emsp;.%s " BAR " " BAR " ", part->name);
		page->first = true;
		cell_refinements(page, part->refinements);
		fputs(" " BAR "\n", page->out);
	}
}

static void arm_rows(struct page *page, const struct type *type)
{
	const struct arm *arm;

	for (arm = type->arms; arm; arm = arm->next) {
		fputs(BAR " " BAR " ", page->out);
		cell_size(page, arm->type);
		fputs(" " BAR " ", page->out);
		indent_cell(page);
		fprintf(page->out, "&emsp;*if %s* " BAR " ", arm->name);
		cell_type(page, arm->type);
		fputs(" " BAR " " BAR "\n", page->out);
	}
	fputs(BAR " " BAR " " BAR " ", page->out);
	indent_cell(page);
	fprintf(page->out, "&emsp;*others* " BAR " %s " BAR " " BAR "\n",
		type->others_refused ? "refused" : "skipped");
}

static void field_row(struct page *page, const struct field *field)
{
	const struct rule *const own[] = {
		field->run_rule, field->bounds_rule, field->whole_rule, field->enum_rule, field->reserved_rule,
		field->text_rule, field->max_rule, field->link_rule, field->tag_rule, field->filled_rule,
	};
	size_t i;

	fputs(BAR " ", page->out);
	cell_offset(page, field);
	fputs(" " BAR " ", page->out);
	cell_size(page, field->type);
	fputs(" " BAR " ", page->out);
	indent_cell(page);
	fprintf(page->out, "**%s** " BAR " ", field->name);
	cell_type(page, field->type);
	fputs(" " BAR " ", page->out);
	page->first = true;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cell_rule(page, own[i]);
	cell_refinements(page, field->refinements);
	fputs(" " BAR "\n", page->out);
	bit_rows(page, field);
	if (field->type->kind == T_UNION)
		arm_rows(page, field->type);
}

static void word_row(struct page *page, const char *word, const char *name, const struct expr *expr,
		     const struct rule *rule)
{
	fputs(BAR " " BAR " " BAR " ", page->out);
	indent_cell(page);
	fprintf(page->out, "*%s* %s " BAR " ", word, name ? name : "");
	if (expr)
		code(page, expr);
	fputs(" " BAR " ", page->out);
	page->first = true;
	cell_rule(page, rule);
	fputs(" " BAR "\n", page->out);
}

static void item_rows(struct page *page, const struct item *items);

static void when_rows(struct page *page, const struct item *item)
{
	word_row(page, "when", NULL, item->expr, NULL);
	page->depth++;
	item_rows(page, item->then);
	page->depth--;
	if (!item->otherwise)
		return;
	word_row(page, "else", NULL, NULL, NULL);
	page->depth++;
	item_rows(page, item->otherwise);
	page->depth--;
}

static void item_rows(struct page *page, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		switch (item->kind) {
		case I_FIELD:
			field_row(page, item->field);
			break;
		case I_RULE:
			word_row(page, "rule", item->name, item->expr, item->rule);
			break;
		case I_LET:
			word_row(page, "let", item->name, item->expr, NULL);
			break;
		case I_EXTENT:
			word_row(page, "extent", NULL, item->expr, item->rule);
			break;
		case I_WHEN:
			when_rows(page, item);
			break;
		case I_TRAILING:
			word_row(page, "trailing bytes are ignored", NULL, NULL, NULL);
			break;
		}
	}
}

static void layout_table(struct page *page, const struct layout *layout)
{
	fputs("\n" BAR " offset " BAR " size " BAR " field " BAR " type " BAR " rules " BAR "\n"
	      BAR "--:" BAR "--:" BAR "---" BAR "---" BAR "---" BAR "\n", page->out);
	item_rows(page, layout->items);
	if (layout->trailing_rule)
		word_row(page, "nothing may follow", NULL, NULL, layout->trailing_rule);
}

/* ---- layouts ---- */

static void sizes(struct page *page, const struct layout *layout)
{
	u32 i;

	fputs("* Size: ", page->out);
	for (i = 0; i < layout->size_count; i++)
		fprintf(page->out, "%s%llu", i ? " or " : "", (unsigned long long)layout->sizes[i]);
	if (!layout->size_count)
		fprintf(page->out, "%u", (u32)layout->least_size);
	if (layout->or_more || (!layout->size_count && layout->fixed_size < 0) ||
	    (layout->trailing_ignored && !layout->size_count))
		fputs(" or more", page->out);
	fputs(" bytes\n", page->out);
}

static void linked_rule(struct page *page, const struct rule *rule)
{
	if (is_counted(rule))
		fprintf(page->out, " (%s `%08x`)", short_name(page, rule), rule->id);
}

static void answered_by(struct page *page, const struct layout *request)
{
	const struct layout *layout;
	bool first = true;

	if (!request->is_request)
		return;
	for (layout = page->spec->layouts; layout; layout = layout->next) {
		if (layout->request != request)
			continue;
		fputs(first ? "* Answered by: " : ", ", page->out);
		anchor_of(page, "message", layout->name);
		first = false;
	}
	fputs(first ? "" : "\n", page->out);
}

static void message_facts(struct page *page, const struct layout *layout)
{
	fprintf(page->out, "* Direction: %s", direction_text(layout->direction));
	linked_rule(page, layout->refused_rule);
	fputc('\n', page->out);
	if (layout->when) {
		fputs("* When: ", page->out);
		code(page, layout->when);
		linked_rule(page, layout->when_rule);
		fputc('\n', page->out);
	}
	if (layout->answers) {
		fputs("* Answers: ", page->out);
		anchor_of(page, "message", layout->answers);
		fputc('\n', page->out);
	}
	answered_by(page, layout);
}

static void parameters(struct page *page, const struct layout *layout)
{
	const struct param *param;

	if (!layout->params)
		return;
	fputs("* Parameters: ", page->out);
	for (param = layout->params; param; param = param->next) {
		fprintf(page->out, "%s : %s", param->name, param->type->name);
		if (param->lo) {
			fputs(" in ", page->out);
			code(page, param->lo);
			fputs(" .. ", page->out);
			code(page, param->hi);
		}
		fputs(param->next ? ", " : "\n", page->out);
	}
}

static void describe(struct page *page, const struct layout *layout)
{
	if (layout->kind == L_HEADER)
		fputs("\n## Header\n\nThe first bytes of every message.\n\n", page->out);
	else
		fprintf(page->out, "\n### %s %s\n\n", kind_word(layout), layout->name);
	if (layout->kind == L_MESSAGE)
		message_facts(page, layout);
	parameters(page, layout);
	sizes(page, layout);
	layout_table(page, layout);
}

static void message_index(struct page *page)
{
	const struct layout *layout;

	fputs("\n" BAR " message " BAR " direction " BAR " when " BAR " answers " BAR "\n"
	      BAR "---" BAR "---" BAR "---" BAR "---" BAR "\n", page->out);
	for (layout = page->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_MESSAGE)
			continue;
		fputs(BAR " ", page->out);
		anchor_of(page, "message", layout->name);
		fprintf(page->out, " " BAR " %s " BAR " ", direction_text(layout->direction));
		if (layout->when)
			code(page, layout->when);
		fputs(" " BAR " ", page->out);
		if (layout->answers)
			anchor_of(page, "message", layout->answers);
		fputs(" " BAR "\n", page->out);
	}
}

static void layouts_of(struct page *page, enum layout_kind kind, const char *heading)
{
	const struct layout *layout;
	bool any = false;

	for (layout = page->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != kind)
			continue;
		if (!any)
			fprintf(page->out, "\n## %s\n", heading);
		if (!any && kind == L_MESSAGE)
			message_index(page);
		any = true;
		describe(page, layout);
	}
}

/* ---- sessions ---- */

static bool same_event(const struct transition *line, const struct event *event)
{
	return line->event == event->kind && !strcmp(line->name, event->name);
}

/* Several lines for one event stand in the order in which they are tried. */
static void next_state_cell(struct page *page, const struct state *state, const struct event *event)
{
	const struct transition *line;
	bool any = false;

	for (line = state->transitions; line; line = line->next) {
		if (!same_event(line, event))
			continue;
		fputs(any ? "<br>" : "", page->out);
		any = true;
		if (line->when) {
			fputs("if ", page->out);
			code(page, line->when);
			fputs(": ", page->out);
		}
		fprintf(page->out, "%s%s", line->target_name, line->cancel ? " (cancel)" : "");
	}
	fputs(any ? "" : "-", page->out);
}

static void event_row(struct page *page, const struct session *session, const struct event *event)
{
	const struct state *state;

	fprintf(page->out, BAR " %s **%s** " BAR, event_text(event->kind), event->name);
	for (state = session->states; state; state = state->next) {
		fputc(' ', page->out);
		next_state_cell(page, state, event);
		fputs(" " BAR, page->out);
	}
	fputc(' ', page->out);
	page->first = true;
	cell_rule(page, event->state_rule);
	cell_rule(page, event->pairing_rule);
	fputs(" " BAR "\n", page->out);
}

static void session_table(struct page *page, const struct session *session)
{
	const struct event *event;
	const struct state *state;

	fputs("\n" BAR " event " BAR, page->out);
	for (state = session->states; state; state = state->next)
		fprintf(page->out, " in %s " BAR, state->name);
	fputs(" rules " BAR "\n" BAR "---" BAR, page->out);
	for (state = session->states; state; state = state->next)
		fputs("---" BAR, page->out);
	fputs("---" BAR "\n", page->out);
	for (event = session->events; event; event = event->next)
		event_row(page, session, event);
}

static void sessions(struct page *page)
{
	const struct session *session;

	if (page->spec->sessions)
		fputs("\n## Sessions\n\nA cell is the next state; \"-\": the event is rejected there and changes "
		      "nothing. \"(cancel)\" forgets all outstanding requests.\n", page->out);
	for (session = page->spec->sessions; session; session = session->next) {
		fprintf(page->out, "\n### session %s\n\nStarts in **%s**", session->name, session->start_name);
		if (session->key)
			fprintf(page->out, "; one machine for each value of `%s`", session->key);
		fputs(".\n", page->out);
		session_table(page, session);
	}
}

/* ---- rules ---- */

static void rules(struct page *page)
{
	static const char *const classes[] = {
		[RULE_LAYOUT] = "layout", [RULE_REQUEST] = "request", [RULE_SESSION] = "session",
	};
	const struct rule *rule;

	fputs("\n## Rules\n\nThe id is stable; the number is valid for one build.\n\n" BAR " id " BAR " rule " BAR
	      " decided by " BAR " line " BAR " number " BAR "\n"
	      BAR "---" BAR "---" BAR "---" BAR "--:" BAR "--:" BAR "\n", page->out);
	for (rule = page->spec->rules; rule; rule = rule->next)
		fprintf(page->out, BAR " `%08x` " BAR " %s " BAR " %s " BAR " %u " BAR " %u " BAR "\n", rule->id,
			rule->name, classes[rule->class], rule->loc.line, rule->number);
}

/* Turns marks into bars, and escapes the bars that were there in lines of tables. */
static void finish(const char *text, size_t length, FILE *out)
{
	bool table = false;
	size_t i;

	for (i = 0; i < length; i++) {
		if (!i || text[i - 1] == '\n')
			table = text[i] == MARK;
		if (text[i] == '|' && table)
			fputc('\\', out);
		fputc(text[i] == MARK ? '|' : text[i], out);
	}
}

void emit_reference(struct spec *spec, FILE *out)
{
	struct page page = { .spec = spec };
	size_t length = 0;
	char *text = NULL;

	page.out = open_memstream(&text, &length);
	if (!page.out) {
		fputs("airspec: out of memory\n", stderr);
		exit(3);
	}
	title(&page);
	contexts(&page);
	constants(&page);
	named_values(&page);
	if (spec->header)
		describe(&page, spec->header);
	layouts_of(&page, L_MESSAGE, "Messages");
	layouts_of(&page, L_FRAME, "Frames");
	layouts_of(&page, L_STRUCT, "Structs");
	sessions(&page);
	rules(&page);
	fclose(page.out);
	finish(text, length, out);
	free(text);
}
