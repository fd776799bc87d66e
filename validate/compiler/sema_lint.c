/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is legal and surely not meant: fields nobody looks at, names that promise a bound,
 * declarations nobody uses, messages without a moment.
 */
#include <string.h>

#include "sema.h"

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && !strcmp(name + length - tail, end);
}

/* A name that says: this addresses memory. */
static bool addresses(const char *name)
{
	static const char *const ends[] = { "length", "_size", "_bytes", "_count", "offset", "index" };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, ends[i]))
			return true;
	return !strcmp(name, "count");
}

static bool has_bound(const struct field *field)
{
	const struct refinement *refinement;

	if (field->role != ROLE_NONE || field->ignored || field->constant || field->final.hi < field->range.hi)
		return true;
	for (refinement = field->refinements; refinement; refinement = refinement->next)
		if (refinement->test && (refinement->kind == R_RANGE || refinement->kind == R_SET ||
					 (refinement->kind == R_COMPARE && refinement->op != OP_NE)))
			return true;
	return false;
}

static void lint_field(struct spec *spec, const struct field *field)
{
	const struct refinement *refinement;
	bool any = false;

	for (refinement = field->refinements; refinement; refinement = refinement->next)
		any |= refinement->kind == R_ANY;
	if (!field->checked)
		warn_at(spec, field->loc, "'%s' is never checked: say what it may hold, or 'any'", field->name);
	else if (any && field->type->kind == T_INT && addresses(field->name) && !has_bound(field))
		warn_at(spec, field->loc, "'%s' sounds as if it addressed memory, and has no bound: "
			"bound it, or say 'as number'", field->name);
}

/* A word of bits is looked at part by part. */
static void lint_bits(struct spec *spec, const struct field *field)
{
	const struct bitpart *bit;

	for (bit = field->type->kind == T_BITS ? field->type->bits : NULL; bit; bit = bit->next)
		if (!bit->checked)
			warn_at(spec, bit->loc, "'%s' is never checked: say what it may hold, or 'any'", bit->name);
}

static void lint_items(struct spec *spec, const struct item *items)
{
	const struct item *item;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD && !item->field->is_header) {
			lint_field(spec, item->field);
			lint_bits(spec, item->field);
		}
		if (item->kind == I_WHEN) {
			lint_items(spec, item->then);
			lint_items(spec, item->otherwise);
		}
	}
}

static void lint_layout(struct spec *spec, const struct layout *layout)
{
	const struct field *field = is_sent(layout) ? unbuildable(layout->items) : NULL;
	const struct param *param;

	lint_items(spec, layout->items);
	for (param = layout->params; param; param = param->next)
		if (!param->used)
			warn_at(spec, param->loc, "parameter '%s' is never used", param->name);
	if (layout->kind == L_STRUCT && !layout->used)
		warn_at(spec, layout->loc, "struct '%s' is never used", layout->name);
	if (layout->kind == L_MESSAGE && spec->sessions && !layout->used && layout->direction != REFUSED)
		warn_at(spec, layout->loc, "no session says when '%s' may come", layout->name);
	if (field)
		warn_at(spec, field->loc, "'%s' gets no builder: none can place %s", layout->name,
			field->at ? "a field with 'at'" : field->type->kind == T_UNION ? "a union" :
			"what depends on 'size' or 'remaining'");
}

/* Whether a session can move on an event, or counts its requests by it. */
static bool moves(const struct session *session, const struct event *event)
{
	const struct transition *line;
	const struct state *state;

	for (state = session->states; state; state = state->next)
		for (line = state->transitions; line; line = line->next)
			if (line->event == event->kind && line->message == event->message &&
			    (line->target != state || line->cancel))
				return true;
	return event->pairing_rule;
}

/* A message passes its sessions in order; one that moved before another refused has to be put back. */
static void lint_order(struct spec *spec, const struct session *session)
{
	const struct session *later;
	const struct event *event, *other;

	for (event = session->events; event; event = event->next) {
		if (!event->message || !moves(session, event))
			continue;
		for (later = session->next; later; later = later->next)
			for (other = later->events; other; other = other->next)
				if (other->kind == event->kind && other->message == event->message)
					warn_at(spec, session->loc, "'%s' moves session '%s' before session '%s' can refuse it",
						event->name, session->name, later->name);
	}
}

void lint(struct spec *spec)
{
	const struct enumeration *enumeration;
	const struct context_value *context;
	const struct constant *constant;
	const struct flagset *flagset;
	const struct session *session;
	const struct layout *layout;

	if (spec->header)
		lint_layout(spec, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		lint_layout(spec, layout);
	for (enumeration = spec->enumerations; enumeration; enumeration = enumeration->next)
		if (!enumeration->used)
			warn_at(spec, enumeration->loc, "enum '%s' is never used", enumeration->name);
	for (flagset = spec->flagsets; flagset; flagset = flagset->next)
		if (!flagset->used)
			warn_at(spec, flagset->loc, "flags '%s' are never used", flagset->name);
	for (constant = spec->constants; constant; constant = constant->next)
		if (!constant->named)
			warn_at(spec, constant->loc, "constant '%s' is never used", constant->name);
	for (context = spec->context; context; context = context->next)
		if (!context->used)
			warn_at(spec, context->loc, "context value '%s' is never used", context->name);
	for (session = spec->sessions; session; session = session->next)
		lint_order(spec, session);
}
