// SPDX-License-Identifier: GPL-2.0-only
/*
 * See session.h. Nothing is changed by an event that is not allowed.
 */
#include <linux/export.h>

#include "session.h"

/* The first line for this event in this state whose guard holds; none stands before "from". */
static const struct session_line *session_find(const struct session_table *table, u16 from, u8 state, u8 event,
					       u64 guards)
{
	u16 i;

	for (i = from; i < table->line_count; i++) {
		const struct session_line *line = &table->lines[i];

		if ((line->states >> state & 1) && line->event == event && (guards >> line->guard & 1))
			return line;
	}
	return NULL;
}

static u8 session_next(const struct session_line *line, u8 state)
{
	return line->next == SESSION_STAY ? state : line->next;
}

static const struct session_event *session_event_of(const struct session_event *events, u16 count, u16 kind)
{
	u16 i;

	for (i = 0; i < count; i++)
		if (events[i].kind == kind)
			return &events[i];
	return NULL;
}

/*
 * A message comes or goes. An answer ends a request, which must be on its way ("pending"); a
 * request begins one, which must not be. Without a pairing rule there is no request.
 */
static int session_step(const struct session_table *table, const struct session_state *s,
			const struct session_event *event, bool pending, u64 guards, struct session_state *next)
{
	const struct session_line *line;

	if (!event)
		return table->stranger;
	line = session_find(table, event->first, s->state, event->event, guards);
	if (!line)
		return event->state_rule;
	if (event->pairing_rule && !(s->pending & event->request) == pending)
		return event->pairing_rule;
	next->state = session_next(line, s->state);
	next->pending = line->cancel ? 0 : s->pending ^ event->request;
	return 0;
}

/**
 * session_start() - puts a session into its first state, with nothing asked
 * @table: the session's tables
 * @s: where the session stands
 */
void session_start(const struct session_table *table, struct session_state *s)
{
	s->state = table->start;
	s->pending = 0;
}
EXPORT_SYMBOL_GPL(session_start);

/**
 * session_receive() - whether a message may arrive now, and what it leads to
 * @table: the session's tables
 * @s: where the session stands; not changed
 * @kind: which message, as the generated enum numbers them
 * @guards: bit n: guard n holds for this message; bit 0 is always set
 * @next: where the session stands afterwards, if the message's request rules hold too
 *
 * Context: any; the caller holds whatever protects @s.
 * Return: 0, or the number of the rule the message breaks.
 */
int session_receive(const struct session_table *table, const struct session_state *s, u16 kind, u64 guards,
		    struct session_state *next)
{
	return session_step(table, s, session_event_of(table->on, table->on_count, kind), true, guards, next);
}
EXPORT_SYMBOL_GPL(session_receive);

/**
 * session_send() - whether we may send a message now, and what it leads to
 * @table: the session's tables
 * @s: where the session stands; not changed
 * @kind: which message
 * @guards: bit n: guard n holds for this message; bit 0 is always set
 * @next: where the session stands once the message is sent
 *
 * Context: any; the caller holds whatever protects @s.
 * Return: 0, or the number of the rule we would break.
 */
int session_send(const struct session_table *table, const struct session_state *s, u16 kind, u64 guards,
		 struct session_state *next)
{
	return session_step(table, s, session_event_of(table->send, table->send_count, kind), false, guards, next);
}
EXPORT_SYMBOL_GPL(session_send);

/**
 * session_local() - a deadline passes, or we decide something
 * @table: the session's tables
 * @s: where the session stands; changed if the event means something there
 * @event: the generated number of the event
 *
 * Context: any; the caller holds whatever protects @s.
 * Return: whether the event means anything in this state.
 */
bool session_local(const struct session_table *table, struct session_state *s, u8 event)
{
	const struct session_line *line = session_find(table, 0, s->state, event, 1);

	if (!line)
		return false;
	s->state = session_next(line, s->state);
	if (line->cancel)
		s->pending = 0;
	return true;
}
EXPORT_SYMBOL_GPL(session_local);
