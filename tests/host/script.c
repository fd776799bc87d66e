// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what a script says (script.h): sits in the second set of hooks of a host, counts what
 * each line waits for, and lets messages and packets leave altered, late, twice or never.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "script.h"
#include "script_inside.h"
#include "shim.h"

#define SLOT_AT 512u
#define DESCRIPTOR 16u
#define PACKET_MAX 65536u

/* A packet that leaves later, or again. */
struct late_packet {
	struct host_channel *ch;
	uint32_t opens;			/* of the channel: it does not go to another open */
	uint64_t due;
	struct host_packet packet;
	struct late_packet *next;
	uint8_t payload[];
};

struct storm {
	struct host_channel *ch;
	uint64_t left;
};

struct script {
	struct host *host;
	struct trigger *triggers;
	uint32_t trigger_count;
	uint64_t start;
	struct late_packet *late;
	struct storm storm;
	bool sending_late;		/* the hook lets it pass */
	uint8_t *scratch;		/* the packet being altered */
	uint32_t scratch_room;
};

/* What a trigger is about; acts find here what they work on. */
struct moment {
	struct script *script;
	struct host_channel *it;	/* may be NULL */
	bool leaves;			/* or is dealt with, or delivered */
	struct host_message *message;
	struct host_packet *packet;
	const struct host_place *place;
	uint64_t result;
};

static struct script *script_of(const struct host *h)
{
	return h->script_hooks.argument;
}

/* ---- who ---- */

static struct host_channel *find_device(struct host *h, const char *name)
{
	uint32_t i;

	for (i = 1; i < h->top; i++) {
		struct host_channel *ch = &h->channels[i];

		if (ch->state != HOST_GONE && !ch->index && ch->device->name && !strcmp(ch->device->name, name))
			return ch;
	}
	return NULL;
}

static struct host_channel *find_who(struct host *h, const struct who *who, struct host_channel *it)
{
	switch (who->kind) {
	case WHO_RELID:
		return host_find(h, who->relid);
	case WHO_DEVICE:
		return find_device(h, who->device);
	default:
		return it;
	}
}

/* ---- packets altered, late, or again ---- */

/* A private copy of the whole packet, descriptor included, that may be altered. */
static uint8_t *open_packet(struct script *s, const struct host_packet *p, uint32_t payload)
{
	uint32_t need = DESCRIPTOR + payload;

	if (need > s->scratch_room) {
		s->scratch = host_need(realloc(s->scratch, need));
		s->scratch_room = need;
	}
	if (p->size && p->bytes != s->scratch + DESCRIPTOR)
		memcpy(s->scratch + DESCRIPTOR, p->bytes, p->size < payload ? p->size : payload);
	if (payload > p->size)
		memset(s->scratch + DESCRIPTOR + p->size, 0, payload - p->size);
	put(s->scratch, p->type, 2);
	put(s->scratch + 2, p->offset8, 2);
	put(s->scratch + 4, p->length8, 2);
	put(s->scratch + 6, p->flags, 2);
	put(s->scratch + 8, p->transaction, 8);
	return s->scratch;
}

static void close_packet(struct script *s, struct host_packet *p, uint32_t payload)
{
	p->type = get16(s->scratch);
	p->offset8 = get16(s->scratch + 2);
	p->length8 = get16(s->scratch + 4);
	p->flags = get16(s->scratch + 6);
	p->transaction = get(s->scratch + 8, 8);
	p->bytes = s->scratch + DESCRIPTOR;
	p->size = payload;
	p->raw = true;
}

static void send_later(struct moment *m, uint64_t due)
{
	struct late_packet **link = &m->script->late, *late;

	late = host_need(calloc(1, sizeof(*late) + m->packet->size));
	late->ch = m->it;
	late->opens = m->it->opens;
	late->due = due;
	late->packet = *m->packet;
	late->packet.raw = true;
	late->packet.bytes = late->payload;
	if (m->packet->size)
		memcpy(late->payload, m->packet->bytes, m->packet->size);
	while (*link)
		link = &(*link)->next;
	*link = late;
}

static struct late_packet *take_due(struct script *s)
{
	struct late_packet **link = &s->late, *late;

	while (*link && (*link)->due > shim_now())
		link = &(*link)->next;
	late = *link;
	if (late)
		*link = late->next;
	return late;
}

static bool send_late(struct script *s)
{
	struct late_packet *late;
	bool any = false;

	s->sending_late = true;
	while ((late = take_due(s))) {
		if (late->ch->state == HOST_OPENED && late->ch->opens == late->opens)
			host_send(late->ch, &late->packet);
		free(late);
		any = true;
	}
	s->sending_late = false;
	return any;
}

/* ---- acts on what leaves ---- */

static void set_message(struct host_message *m, const struct act *act)
{
	uint32_t bytes = (uint32_t)act->number[1] / 8;

	if (act->number[0] + bytes <= HOST_MESSAGE_BYTES)
		put(m->bytes + act->number[0], act->number[2], bytes);
}

static void set_packet(struct moment *m, const struct act *act)
{
	uint32_t bytes = (uint32_t)act->number[1] / 8, payload = m->packet->size;
	uint8_t *packet;

	if (act->number[0] + bytes > DESCRIPTOR + (uint64_t)payload)
		return;
	packet = open_packet(m->script, m->packet, payload);
	put(packet + act->number[0], act->number[2], bytes);
	close_packet(m->script, m->packet, payload);
}

static void size_packet(struct moment *m, uint64_t size)
{
	uint32_t payload = size < PACKET_MAX ? (uint32_t)size : PACKET_MAX;

	open_packet(m->script, m->packet, payload);
	close_packet(m->script, m->packet, payload);
	m->packet->length8 = (uint16_t)((DESCRIPTOR + payload + 7) / 8);
}

static void size_message(struct host_message *m, uint64_t size)
{
	m->size = size < HOST_MESSAGE_BYTES ? (uint32_t)size : HOST_MESSAGE_BYTES;
	m->payload_size = (uint32_t)size;
}

static void replay(struct moment *m, uint64_t count)
{
	while (count--) {
		if (m->message)
			host_post_raw(m->script->host, m->message);
		else
			send_later(m, 0);
	}
}

static void delay(struct moment *m, uint64_t due)
{
	if (m->message) {
		m->message->due = due;
		return;
	}
	send_later(m, due);
	m->leaves = false;
}

/* ---- acts on memory ---- */

static void write_channel(struct host_channel *ch, const struct host_place *place, uint32_t at, const uint8_t *value,
			  uint32_t bytes)
{
	bool to_guest = place->area == HOST_OUT_CONTROL;

	if (place->area == HOST_OUT_DATA)
		host_ring_write(ch, at % ch->out_size, value, bytes);
	else if (at + bytes <= FRAME)
		host_shared_write((uint8_t *)host_field(ch, to_guest, HOST_WRITE_INDEX) + at, value, bytes);
}

static void write_slot(struct host *h, uint32_t cpu, uint32_t at, const uint8_t *value, uint32_t bytes)
{
	if (at + bytes <= 256)
		host_shared_write(host_page(h->trusted, h->synic[cpu].slots, SLOT_AT + at, bytes), value, bytes);
}

/* Right before the guest fetches. */
static void set_place(struct moment *m, const struct act *act, const struct trigger *trigger)
{
	uint32_t bytes = (uint32_t)act->number[1] / 8, at = (uint32_t)act->number[0];
	uint8_t value[8] __attribute__((aligned(8)));

	put(value, act->number[2], 8);
	if (m->place->area == HOST_SLOT)
		write_slot(m->script->host, m->place->cpu, at, value, bytes);
	else if (m->it)
		write_channel(m->it, m->place, trigger->from_packet ? m->place->packet + at : at, value, bytes);
}

static void set_anything(struct moment *m, const struct act *act, const struct trigger *trigger)
{
	if (m->message)
		set_message(m->message, act);
	else if (m->packet)
		set_packet(m, act);
	else
		set_place(m, act, trigger);
}

/* ---- acts anywhere ---- */

static void release(struct script *s)
{
	struct host *h = s->host;
	struct late_packet *late;
	uint32_t i;

	for (i = 0; i < h->queued; i++) {
		if (h->queue[i].due == HOST_HELD)
			h->queue[i].due = shim_now();
	}
	for (late = s->late; late; late = late->next) {
		if (late->due == HOST_HELD)
			late->due = shim_now();
	}
}

/* Of a channel; one that is not there, or has no rings, is left alone. */
static void act_on_channel(struct moment *m, const struct act *act)
{
	struct host_channel *ch = find_who(m->script->host, &act->who, m->it);
	struct host *h = m->script->host;

	if (!ch)
		return;
	if (act->kind == ACT_RESCIND)
		host_rescind(h, ch);
	else if (act->kind == ACT_OFFER)
		host_offer(h, ch->device, ch->index);
	else if (act->kind == ACT_STORM)
		m->script->storm = (struct storm){ ch, act->number[0] };
	else if (!host_reaches(ch))
		return;
	else if (act->kind == ACT_SIGNAL)
		host_signal(ch);
	else if (act->kind == ACT_POKE)
		host_poke(ch, act->to_guest, act->field, (uint32_t)act->number[0]);
	else
		host_ring_write(ch, (uint32_t)(act->number[0] % ch->out_size), act->bytes, act->size);
}

static void act_anywhere(struct moment *m, const struct act *act)
{
	struct host *h = m->script->host;

	switch (act->kind) {
	case ACT_RELEASE:
		return release(m->script);
	case ACT_EVENT:
		return host_set_event(h, (uint32_t)act->number[0], (uint32_t)act->number[1]);
	case ACT_POST:
		return host_post(h, act->bytes, act->size);
	case ACT_SILENCE:
	case ACT_SPEAK:
		h->answers = act->kind == ACT_SPEAK;
		return;
	default:
		act_on_channel(m, act);
	}
}

static void perform(struct moment *m, const struct act *act, const struct trigger *trigger)
{
	uint64_t number = act->number[0];

	switch (act->kind) {
	case ACT_SET:
		return set_anything(m, act, trigger);
	case ACT_SIZE:
		return m->message ? size_message(m->message, number) : size_packet(m, number);
	case ACT_DROP:
	case ACT_NEVER:
		m->leaves = false;
		return;
	case ACT_REPLAY:
		return replay(m, number);
	case ACT_DELAY:
		return delay(m, shim_now() + number);
	case ACT_HOLD:
		return delay(m, HOST_HELD);
	case ACT_SLOT_TYPE:
		m->message->slot_type = (uint32_t)number;
		return;
	case ACT_PAYLOAD_SIZE:
		m->message->payload_size = (uint32_t)number;
		return;
	case ACT_FLAGS:
		m->message->flags = (uint8_t)number;
		return;
	case ACT_CPU:
		m->message->cpu = (uint32_t)number;
		return;
	case ACT_RESULT:
		m->result = number;
		m->leaves = act->number[1];
		return;
	default:
		act_anywhere(m, act);
	}
}

/* ---- triggers ---- */

/* It has happened once more; whether this is a time that counts. */
static bool is_time(struct trigger *t)
{
	t->seen++;
	return !t->nth || t->seen == t->nth || (t->onwards && t->seen > t->nth);
}

static void strike(struct moment *m, struct trigger *t)
{
	uint32_t i;

	if (!is_time(t))
		return;
	t->struck++;
	for (i = 0; i < t->act_count; i++)
		perform(m, &t->acts[i], t);
}

static bool is_about(const struct trigger *t, struct host *h, struct host_channel *ch)
{
	return t->who.kind == WHO_ANY || (ch && find_who(h, &t->who, ch) == ch);
}

static void strike_all(struct moment *m, enum trigger_kind kind, uint32_t type)
{
	struct script *s = m->script;
	uint32_t i;

	for (i = 0; i < s->trigger_count; i++) {
		struct trigger *t = &s->triggers[i];

		if (t->kind == kind && (!t->type || t->type == type) && is_about(t, s->host, m->it))
			strike(m, t);
	}
}

/* The channel a message is about. */
static struct host_channel *channel_of(struct host *h, const uint8_t *message, uint32_t size)
{
	uint32_t type = size >= 8 ? get32(message) : 0, at = type == HOST_OFFER ? 184 : 8;

	if (type == HOST_INITIATE_CONTACT || type == HOST_GPADL_BODY || type == HOST_GPADL_TORNDOWN ||
	    type == HOST_VERSION_RESPONSE || at + 4 > size)
		return NULL;
	return host_find(h, get32(message + at));
}

static bool script_incoming(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	struct moment m = { .script = argument, .it = channel_of(h, message, size), .leaves = true };

	strike_all(&m, ON_INCOMING, size >= 4 ? get32(message) : 0);
	return m.leaves;
}

static bool script_outgoing(struct host *h, void *argument, struct host_message *message)
{
	struct moment m = {
		.script = argument, .it = channel_of(h, message->bytes, message->size), .leaves = true,
		.message = message,
	};

	strike_all(&m, ON_OUTGOING, get32(message->bytes));
	return m.leaves;
}

static bool script_packet(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	struct moment m = { .script = argument, .it = ch, .leaves = true };

	strike_all(&m, ON_PACKET, p->type);
	return m.leaves;
}

static bool script_sending(struct host_channel *ch, void *argument, struct host_packet *p)
{
	struct moment m = { .script = argument, .it = ch, .leaves = true, .packet = p };

	if (!m.script->sending_late)
		strike_all(&m, ON_SENDING, p->type);
	return m.leaves;
}

static uint64_t on_hypercall(struct host *h, enum trigger_kind kind, uint32_t type, bool *deliver)
{
	struct moment m = { .script = script_of(h), .leaves = true };

	strike_all(&m, kind, type);
	*deliver = m.leaves;
	return m.result;
}

static uint64_t script_post_result(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)argument;
	return on_hypercall(h, ON_POST, get32(input + 16), deliver);
}

static uint64_t script_signal_result(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)argument;
	(void)input;
	return on_hypercall(h, ON_SIGNAL, 0, deliver);
}

/* ---- fetches ---- */

/* Whether the byte that the trigger waits for is among those fetched. */
static bool is_at(struct host *h, const struct trigger *t, const struct host_place *place, uint32_t size)
{
	struct host_channel *ch = host_find(h, place->relid);
	uint32_t wanted = t->offset;

	if (place->area != t->area)
		return false;
	if (place->area != HOST_SLOT && (!ch || find_who(h, &t->who, ch) != ch))
		return false;
	if (t->from_packet)
		wanted = (place->packet + wanted) % ch->out_size;
	return wanted >= place->offset && wanted - place->offset < size;
}

static void script_fetching(struct host *h, void *argument, const void *at, uint32_t size)
{
	struct moment m = { .script = argument };
	struct host_place place = { 0 };
	uint32_t i;

	if (!h->locate || !h->locate(h, at, &place))
		return;
	m.it = host_find(h, place.relid);
	m.place = &place;
	for (i = 0; i < m.script->trigger_count; i++) {
		struct trigger *t = &m.script->triggers[i];

		if (t->kind == ON_FETCH && is_at(h, t, &place, size))
			strike(&m, t);
	}
}

/* ---- time ---- */

static bool blow(struct storm *storm)
{
	if (!storm->left)
		return false;
	storm->left--;
	host_set_event(storm->ch->host, storm->ch->state == HOST_OPENED ? storm->ch->target_vp : 0, storm->ch->relid);
	return true;
}

static bool is_due(const struct script *s, const struct trigger *t)
{
	return t->kind == AT_TIME && !t->seen && shim_now() >= s->start + t->at;
}

static bool script_running(struct host *h, void *argument)
{
	struct moment m = { .script = argument };
	bool any = false;
	uint32_t i;

	(void)h;
	for (i = 0; i < m.script->trigger_count; i++) {
		if (is_due(m.script, &m.script->triggers[i])) {
			strike(&m, &m.script->triggers[i]);
			any = true;
		}
	}
	any |= blow(&m.script->storm);
	return send_late(m.script) || any;
}

static uint64_t script_next(struct host *h, void *argument)
{
	const struct script *s = argument;
	const struct late_packet *late;
	uint64_t next = UINT64_MAX;
	uint32_t i;

	(void)h;
	for (i = 0; i < s->trigger_count; i++) {
		const struct trigger *t = &s->triggers[i];

		if (t->kind == AT_TIME && !t->seen && s->start + t->at < next)
			next = s->start + t->at;
	}
	for (late = s->late; late; late = late->next) {
		if (late->due < next)
			next = late->due;
	}
	return next;
}

/* ---- life ---- */

static void end_script(struct host *h)
{
	struct script *s = script_of(h);
	struct late_packet *late;

	while ((late = s->late)) {
		s->late = late->next;
		free(late);
	}
	free(s->triggers);
	free(s->scratch);
	free(s);
	memset(&h->script_hooks, 0, sizeof(h->script_hooks));
	h->script_end = NULL;
}

static void install(struct host *h, struct trigger *triggers, uint32_t count)
{
	struct script *s = host_need(calloc(1, sizeof(*s)));

	s->host = h;
	s->triggers = triggers;
	s->trigger_count = count;
	s->start = shim_now();
	h->script_end = end_script;
	h->script_hooks = (struct host_hooks){
		.argument = s, .incoming = script_incoming, .outgoing = script_outgoing, .packet = script_packet,
		.sending = script_sending, .fetching = script_fetching, .post_result = script_post_result,
		.signal_result = script_signal_result, .running = script_running, .next = script_next,
	};
}

int host_script(struct host *h, const char *text, const char *name)
{
	struct trigger *triggers = NULL;
	uint32_t count = 0;

	if (text && host_script_parse(text, name, &triggers, &count))
		return -1;
	host_lock(h);
	if (h->script_end)
		h->script_end(h);
	if (text)
		install(h, triggers, count);
	host_unlock(h);
	return 0;
}

uint64_t host_script_struck(const struct host *h, unsigned int line)
{
	const struct script *s = script_of(h);
	uint32_t i;

	for (i = 0; s && i < s->trigger_count; i++) {
		if (s->triggers[i].line == line)
			return s->triggers[i].struck;
	}
	return 0;
}
