/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions: every state says what every event means, every line can be taken, every
 * state can be reached. And messages: any two can be told apart.
 */
#include <string.h>

#include "sema.h"

#define MOST_GUARDS 63u	/* bits of a word, and one that is always set */

static struct state *find_state(const struct session *session, const char *name)
{
	struct state *state;

	for (state = session->states; state; state = state->next)
		if (!strcmp(state->name, name))
			return state;
	return NULL;
}

static struct state *want_state(struct spec *spec, const struct session *session, const char *name, struct loc loc)
{
	struct state *state = find_state(session, name);
	const struct state *other;
	const char *best = NULL;

	if (state)
		return state;
	for (other = session->states; other; other = other->next)
		best = nearest(name, best, other->name);
	if (best)
		error_at(spec, loc, "session '%s' has no state '%s'; did you mean '%s'?", session->name, name, best);
	else
		error_at(spec, loc, "session '%s' has no state '%s'", session->name, name);
	return NULL;
}

/* ---- events ---- */

static struct event *find_event(struct spec *spec, struct session *session, const struct transition *line)
{
	struct event **tail = &session->events;

	for (; *tail; tail = &(*tail)->next)
		if ((*tail)->kind == line->event && !strcmp((*tail)->name, line->name))
			return *tail;
	*tail = spec_alloc(spec, sizeof(**tail));
	(*tail)->kind = line->event;
	(*tail)->name = line->name;
	(*tail)->message = line->message;
	(*tail)->number = session->event_count++;
	return *tail;
}

static bool find_message(struct spec *spec, struct transition *line)
{
	struct layout *message = spec_layout(spec, line->name);
	const struct layout *other;
	const char *best = NULL;

	if (!message || message->kind != L_MESSAGE) {
		for (other = spec->layouts; other; other = other->next)
			if (other->kind == L_MESSAGE)
				best = nearest(line->name, best, other->name);
		error_at(spec, line->loc, "no message is called '%s'%s%s%s", line->name,
			 best ? "; did you mean '" : "", best ? best : "", best ? "'?" : "");
		return false;
	}
	if (message->direction == REFUSED ||
	    (line->event == EV_ON && message->direction == TO_HOST) ||
	    (line->event == EV_SEND && message->direction == FROM_HOST)) {
		error_at(spec, line->loc, line->event == EV_ON ? "'%s' never comes from the host" :
			 "'%s' is not ours to send", line->name);
		return false;
	}
	line->message = message;
	message->used = true;
	return true;
}

static bool sends(const struct session *session, const struct layout *message)
{
	const struct state *state;
	const struct transition *line;

	for (state = session->states; state; state = state->next)
		for (line = state->transitions; line; line = line->next)
			if (line->event == EV_SEND && line->message == message)
				return true;
	return false;
}

static void rule_events(struct spec *spec, struct session *session)
{
	struct event *event;
	bool paired;

	for (event = session->events; event; event = event->next) {
		if (event->kind != EV_ON && event->kind != EV_SEND)
			continue;
		event->state_rule = new_rule(spec, RULE_SESSION, event->message, session, session->loc,
					     "%s.%s.state", session->name, event->name);
		paired = event->kind == EV_SEND ? event->message->is_request :
			 event->message->request && sends(session, event->message->request);
		if (paired)
			event->pairing_rule = new_rule(spec, RULE_SESSION, event->message, session, session->loc,
						       "%s.%s.%s", session->name, event->name,
						       event->kind == EV_SEND ? "outstanding" : "unsolicited");
	}
}

/* ---- lines ---- */

static void show_fields(struct walker *walker, struct item *items)
{
	struct item *item;

	FOR_ITEMS(item, items)
		if (item->kind == I_FIELD && item->field->delivered && is_scalar(item->field->type) &&
		    !item->field->is_header) {
			make_visible(walker, item->field, NULL);
			narrow(walker, &(struct ref){ .kind = REF_FIELD, .field = item->field }, item->field->final);
		}
}

static void resolve_guard(struct spec *spec, struct transition *line)
{
	struct walker *walker;
	int verdict;

	if (!line->when || !line->message)
		return;
	walker = spec_alloc(spec, sizeof(*walker));
	walker->spec = spec;
	walker->layout = line->message;
	show_fields(walker, line->message->items);
	if (!resolve_truth(walker, line->when))
		return;
	refuse_size(walker, line->when);
	if (line->when->uses_request)
		error_at(spec, line->when->loc, "the next state cannot depend on the request");
	verdict = always(walker, line->when);
	if (verdict >= 0)
		warn_at(spec, line->when->loc, verdict ? "this is always so" : "this is never so");
}

/* After a line without "when" no other line for the same event can be taken. */
static void check_hidden(struct spec *spec, const struct state *state, const struct transition *line)
{
	const struct transition *other;

	for (other = state->transitions; other != line; other = other->next) {
		if (other->event == line->event && !other->when && !strcmp(other->name, line->name)) {
			error_at(spec, line->loc, "this line is never reached");
			note_at(spec, other->loc, "this one comes first and has no 'when'");
			return;
		}
	}
}

static void resolve_line(struct spec *spec, struct session *session, struct state *state, struct transition *line)
{
	line->target = want_state(spec, session, line->target_name, line->target_loc);
	if ((line->event == EV_ON || line->event == EV_SEND) && !find_message(spec, line))
		return;
	check_hidden(spec, state, line);
	resolve_guard(spec, line);
	line->event_number = find_event(spec, session, line)->number;
}

static bool handles(const struct state *state, const struct event *event)
{
	const struct transition *line;

	for (line = state->transitions; line; line = line->next)
		if (line->event == event->kind && !strcmp(line->name, event->name))
			return true;
	return false;
}

static void check_exhaustive(struct spec *spec, const struct session *session)
{
	const struct state *state;
	const struct event *event;

	if (session->others_drop)
		return;
	for (state = session->states; state; state = state->next)
		for (event = session->events; event; event = event->next)
			if (event->kind == EV_ON && !handles(state, event))
				error_at(spec, state->loc, "state '%s' does not say what '%s' means "
					 "(the session could end with 'others drop')", state->name, event->name);
}

static void reach(struct state *state)
{
	const struct transition *line;

	if (!state || state->reached)
		return;
	state->reached = true;
	for (line = state->transitions; line; line = line->next)
		reach(line->target);
}

static void number_states(struct spec *spec, struct session *session)
{
	struct state *state, *other;

	for (state = session->states; state; state = state->next) {
		state->number = session->state_count++;
		for (other = session->states; other != state; other = other->next)
			if (!strcmp(other->name, state->name))
				error_at(spec, state->loc, "state '%s' is there already", state->name);
	}
	if (session->state_count > 32)
		error_at(spec, session->loc, "more than 32 states");
}

static void check_key(struct spec *spec, const struct session *session)
{
	const struct event *event;
	const struct item *item;

	if (!session->key || find_context(spec, session->key))
		return;
	for (event = session->events; event; event = event->next) {
		if (!event->message)
			continue;
		for (item = event->message->items; item; item = item->next)
			if (item->kind == I_FIELD && !strcmp(item->field->name, session->key) &&
			    item->field->delivered && (is_scalar(item->field->type) || item->field->type->kind == T_GUID))
				return;
		for (item = spec->header->items; item; item = item->next)
			if (item->kind == I_FIELD && !strcmp(item->field->name, session->key))
				return;
	}
	error_at(spec, session->key_loc, "no message in session '%s' has a field '%s'", session->name,
		 session->key);
}

/* Lines with a condition; one that stands in several states counts once. */
static u32 count_guards(const struct session *session)
{
	const struct transition *line, *other;
	const struct state *state, *before;
	u32 count = 0;
	bool again;

	for (state = session->states; state; state = state->next)
		for (line = state->transitions; line; line = line->next) {
			again = !line->when;
			for (before = session->states; before != state && !again; before = before->next)
				for (other = before->transitions; other && !again; other = other->next)
					again = other->loc.line == line->loc.line && other->loc.column == line->loc.column;
			count += !again;
		}
	return count;
}

static void analyse_session(struct spec *spec, struct session *session)
{
	struct transition *line;
	struct state *state;

	number_states(spec, session);
	session->start = want_state(spec, session, session->start_name, session->start_loc);
	for (state = session->states; state; state = state->next)
		for (line = state->transitions; line; line = line->next)
			resolve_line(spec, session, state, line);
	if (spec->errors)
		return;
	if (session->event_count > 64)
		error_at(spec, session->loc, "more than 64 events");
	if (count_guards(session) > MOST_GUARDS)
		error_at(spec, session->loc, "more than %u lines with a 'when'", MOST_GUARDS);
	rule_events(spec, session);
	check_exhaustive(spec, session);
	check_key(spec, session);
	reach(session->start);
	for (state = session->states; state; state = state->next)
		if (!state->reached)
			warn_at(spec, state->loc, "state '%s' is never reached", state->name);
}

/* ---- telling messages apart ---- */

/* The set of values that "when" demands of a name, if it is one of a conjunction. */
static bool demands(const struct expr *when, const struct ref *ref, const struct expr **test)
{
	if (when->kind == E_BINARY && when->op == OP_BOTH)
		return demands(when->a, ref, test) || demands(when->b, ref, test);
	if ((when->kind == E_BINARY && when->op == OP_EQ) || when->kind == E_SET || when->kind == E_RANGE) {
		*test = when;
		return when->a->kind == E_NAME && same_ref(&when->a->ref, ref);
	}
	return false;
}

static bool set_meets(const struct expr *test, s128 value)
{
	u32 i;

	if (test->kind == E_BINARY)
		return test->b->range.lo <= value && value <= test->b->range.hi;
	if (test->kind == E_RANGE)
		return test->b->range.lo <= value && value <= test->c->range.hi;
	for (i = 0; i < test->list_length; i++)
		if (test->list[i]->range.lo <= value && value <= test->list[i]->range.hi)
			return true;
	return false;
}

static bool disjoint(const struct expr *a, const struct expr *b)
{
	u32 i;

	if (a->kind == E_SET) {
		for (i = 0; i < a->list_length; i++)
			if (a->list[i]->range.lo != a->list[i]->range.hi || set_meets(b, a->list[i]->range.lo))
				return false;
		return true;
	}
	if (a->kind == E_BINARY)
		return a->b->range.lo == a->b->range.hi && !set_meets(b, a->b->range.lo);
	return b->kind != E_RANGE && disjoint(b, a);
}

/* Some part of the one "when" excludes the other. */
static bool apart(const struct expr *one, const struct expr *other)
{
	const struct expr *test;

	if (one->kind == E_BINARY && one->op == OP_BOTH)
		return apart(one->a, other) || apart(one->b, other);
	if (one->kind != E_SET && one->kind != E_RANGE && !(one->kind == E_BINARY && one->op == OP_EQ))
		return false;
	return one->a->kind == E_NAME && demands(other, &one->a->ref, &test) && disjoint(one, test);
}

static bool comes_in(const struct layout *layout)
{
	return layout->kind == L_MESSAGE && layout->direction != TO_HOST;
}

static void tell_apart(struct spec *spec)
{
	const struct layout *one, *other;

	for (one = spec->layouts; one; one = one->next) {
		for (other = spec->layouts; comes_in(one) && other != one; other = other->next) {
			if (!comes_in(other) || (one->when && other->when && apart(one->when, other->when)))
				continue;
			error_at(spec, one->loc, "'%s' cannot be told from '%s'", one->name, other->name);
			note_at(spec, other->loc, "here");
		}
	}
}

void analyse_sessions(struct spec *spec)
{
	struct session *session, *other;

	tell_apart(spec);
	for (session = spec->sessions; session; session = session->next) {
		for (other = spec->sessions; other != session; other = other->next)
			if (!strcmp(other->name, session->name))
				error_at(spec, session->loc, "session '%s' is there already", session->name);
		if (!spec->header) {
			error_at(spec, session->loc, "a session, but no messages");
			return;
		}
		analyse_session(spec, session);
	}
}
