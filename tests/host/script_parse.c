// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads scripts (script.h): a line at a time, a word at a time. What it does not
 * understand it says where it stands, and takes nothing of such a script.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "script_inside.h"

#define WORD 600		/* bytes of the longest one */

struct reader {
	const char *name;
	const char *line_start, *at;	/* of the line being read */
	const char *word_start;
	char word[WORD];		/* ":" and ";" are words; "" at the end of the line */
	unsigned int line;
	bool failed;
};

static bool complain(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool complain(struct reader *r, const char *format, ...)
{
	va_list list;

	if (r->failed)
		return false;
	r->failed = true;
	fprintf(stderr, "%s:%u:%u: ", r->name, r->line, (unsigned int)(r->word_start - r->line_start) + 1);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
	return false;
}

/* ---- words ---- */

static bool ends_line(char c)
{
	return c == '\0' || c == '\n' || c == '#';
}

static void next_word(struct reader *r)
{
	size_t size = 0;

	while (*r->at == ' ' || *r->at == '\t')
		r->at++;
	r->word_start = r->at;
	if (*r->at == ':' || *r->at == ';') {
		size = 1;
	} else {
		while (!ends_line(r->at[size]) && !strchr(" \t:;", r->at[size]))
			size++;
	}
	if (size >= WORD) {
		complain(r, "this word is too long");
		size = 0;
	}
	memcpy(r->word, r->at, size);
	r->word[size] = '\0';
	r->at += size;
}

static bool is_word(const struct reader *r, const char *text)
{
	return !strcmp(r->word, text);
}

/* Takes the word if it is this one. */
static bool accept(struct reader *r, const char *text)
{
	if (!is_word(r, text))
		return false;
	next_word(r);
	return true;
}

static bool to_number(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	*value = strtoull(text, &end, 0);
	return *end == '\0';
}

static bool take_number(struct reader *r, uint64_t *value, const char *what)
{
	if (!to_number(r->word, value))
		return complain(r, "%s has to be a number here, not \"%s\"", what, r->word);
	next_word(r);
	return true;
}

static bool take_bits(struct reader *r, uint64_t *value)
{
	uint64_t bits;

	if (!to_number(r->word, &bits) || (bits != 8 && bits != 16 && bits != 32 && bits != 64))
		return complain(r, "how many bits: 8, 16, 32 or 64, not \"%s\"", r->word);
	*value = bits;
	next_word(r);
	return true;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

static bool take_bytes(struct reader *r, struct act *act)
{
	size_t length = strlen(r->word), i;

	if (!length || length % 2 || length / 2 > ACT_BYTES)
		return complain(r, "bytes are 1 to %d pairs of hexadecimal digits", ACT_BYTES);
	for (i = 0; i < length; i += 2) {
		if (digit(r->word[i]) < 0 || digit(r->word[i + 1]) < 0)
			return complain(r, "\"%.2s\" is no byte", r->word + i);
		act->bytes[i / 2] = (uint8_t)(digit(r->word[i]) << 4 | digit(r->word[i + 1]));
	}
	act->size = (uint32_t)(length / 2);
	next_word(r);
	return true;
}

/* ---- channels ---- */

static bool take_who(struct reader *r, struct who *who)
{
	uint64_t relid;

	if (to_number(r->word, &relid)) {
		if (!relid || relid >= HOST_CHANNELS)
			return complain(r, "relids are 1 to %d", HOST_CHANNELS - 1);
		who->kind = WHO_RELID;
		who->relid = (uint32_t)relid;
	} else if (is_word(r, "it")) {
		who->kind = WHO_IT;
	} else {
		if (!isalpha((unsigned char)r->word[0]) || strlen(r->word) >= NAME_MAX_BYTES)
			return complain(r, "which channel: a relid, a device or \"it\", not \"%s\"", r->word);
		who->kind = WHO_DEVICE;
		strcpy(who->device, r->word);
	}
	next_word(r);
	return true;
}

/* ---- acts ---- */

#define TO(kind) (1u << (kind))
#define LEAVES (TO(ON_OUTGOING) | TO(ON_SENDING))
#define ALL 0xffffffffu

/*
 * n: a number; b: 8, 16, 32 or 64; w: a channel; W: a channel, or nothing for "it"; x: bytes; r: in or
 * out; f: a field of a control page; e: the word "events"; l: lost, delivered, or nothing.
 */
static const struct act_form {
	const char *name, *form;
	uint32_t triggers;
} forms[] = {
	[ACT_SET] = { "set", "nbn", LEAVES | TO(ON_FETCH) },
	[ACT_SIZE] = { "size", "n", LEAVES },
	[ACT_DROP] = { "drop", "", LEAVES },
	[ACT_REPLAY] = { "replay", "n", LEAVES },
	[ACT_DELAY] = { "delay", "n", LEAVES },
	[ACT_HOLD] = { "hold", "", LEAVES },
	[ACT_SLOT_TYPE] = { "slot-type", "n", TO(ON_OUTGOING) },
	[ACT_PAYLOAD_SIZE] = { "payload-size", "n", TO(ON_OUTGOING) },
	[ACT_FLAGS] = { "flags", "n", TO(ON_OUTGOING) },
	[ACT_CPU] = { "cpu", "n", TO(ON_OUTGOING) },
	[ACT_NEVER] = { "never", "", TO(ON_INCOMING) | TO(ON_PACKET) },
	[ACT_RESULT] = { "result", "nl", TO(ON_POST) | TO(ON_SIGNAL) },
	[ACT_RESCIND] = { "rescind", "W", ALL },
	[ACT_OFFER] = { "offer", "w", ALL },
	[ACT_RELEASE] = { "release", "", ALL },
	[ACT_SIGNAL] = { "signal", "w", ALL },
	[ACT_EVENT] = { "event", "nn", ALL },
	[ACT_STORM] = { "storm", "ewn", ALL },
	[ACT_POST] = { "post", "x", ALL },
	[ACT_POKE] = { "poke", "wrfn", ALL },
	[ACT_WRITE] = { "write", "wnx", ALL },
	[ACT_SILENCE] = { "silence", "", ALL },
	[ACT_SPEAK] = { "speak", "", ALL },
};

static bool take_ring(struct reader *r, struct act *act)
{
	if (!is_word(r, "in") && !is_word(r, "out"))
		return complain(r, "which ring: in or out, not \"%s\"", r->word);
	act->to_guest = is_word(r, "out");
	next_word(r);
	return true;
}

static bool take_field(struct reader *r, struct act *act)
{
	static const char *const fields[] = {
		[HOST_WRITE_INDEX] = "write", [HOST_READ_INDEX] = "read", [HOST_INTERRUPT_MASK] = "mask",
		[HOST_PENDING_SIZE] = "pending", [HOST_FEATURES] = "features",
	};
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (accept(r, fields[i])) {
			act->field = (enum host_field)i;
			return true;
		}
	}
	return complain(r, "which field: write, read, mask, pending or features, not \"%s\"", r->word);
}

/* Whether the guest's hypercall still has its effect. */
static void take_fate(struct reader *r, struct act *act)
{
	act->number[1] = accept(r, "delivered") || (!is_word(r, "lost") && act->number[0] == 0);
	accept(r, "lost");
}

static bool take_optional_who(struct reader *r, struct act *act)
{
	act->who.kind = WHO_IT;
	return is_word(r, "") || is_word(r, ";") || take_who(r, &act->who);
}

static bool take_argument(struct reader *r, struct act *act, char form, unsigned int *number)
{
	switch (form) {
	case 'n':
		return take_number(r, &act->number[(*number)++], "this");
	case 'b':
		return take_bits(r, &act->number[(*number)++]);
	case 'w':
		return take_who(r, &act->who);
	case 'W':
		return take_optional_who(r, act);
	case 'x':
		return take_bytes(r, act);
	case 'r':
		return take_ring(r, act);
	case 'f':
		return take_field(r, act);
	case 'e':
		return accept(r, "events") || complain(r, "a storm of events, not of \"%s\"", r->word);
	default:
		take_fate(r, act);
		return true;
	}
}

static bool is_message(const struct act *act)
{
	return act->kind != ACT_POST || (act->size >= 8 && act->size <= HOST_MESSAGE_BYTES);
}

static bool take_act(struct reader *r, const struct trigger *trigger, struct act *act)
{
	unsigned int i = 0, number = 0;
	const char *form;

	while (i < sizeof(forms) / sizeof(forms[0]) && !is_word(r, forms[i].name))
		i++;
	if (i == sizeof(forms) / sizeof(forms[0]))
		return complain(r, "there is no act \"%s\"", r->word);
	if (!(forms[i].triggers & TO(trigger->kind)))
		return complain(r, "\"%s\" is no act of this trigger", r->word);
	act->kind = (enum act_kind)i;
	next_word(r);
	for (form = forms[i].form; *form; form++) {
		if (!take_argument(r, act, *form, &number))
			return false;
	}
	return is_message(act) || complain(r, "a message has 8 to %d bytes", HOST_MESSAGE_BYTES);
}

static bool take_acts(struct reader *r, struct trigger *trigger)
{
	do {
		if (trigger->act_count == ACTS_MAX)
			return complain(r, "more than %d acts", ACTS_MAX);
		if (!take_act(r, trigger, &trigger->acts[trigger->act_count++]))
			return false;
	} while (accept(r, ";"));
	return is_word(r, "") || complain(r, "\"%s\" is too much", r->word);
}

/* ---- triggers ---- */

static bool take_nth(struct reader *r, struct trigger *trigger)
{
	size_t length = strlen(r->word);
	uint64_t nth;

	if (!isdigit((unsigned char)r->word[0]))
		return true;
	if (r->word[length - 1] == '+') {
		trigger->onwards = true;
		r->word[length - 1] = '\0';
	}
	if (!to_number(r->word, &nth) || !nth)
		return complain(r, "which time: 1, 2, ... or 2+, not \"%s\"", r->word);
	trigger->nth = nth;
	next_word(r);
	return true;
}

static bool take_of_who(struct reader *r, struct trigger *trigger)
{
	return take_nth(r, trigger) && (!accept(r, "of") || take_who(r, &trigger->who));
}

static bool take_place(struct reader *r, struct trigger *trigger)
{
	static const struct { const char *name; enum host_area area; bool from_packet; } places[] = {
		{ "data", HOST_OUT_DATA, false }, { "packet", HOST_OUT_DATA, true },
		{ "control", HOST_OUT_CONTROL, false }, { "in-control", HOST_IN_CONTROL, false },
		{ "slot", HOST_SLOT, false },
	};
	char *plus = strchr(r->word, '+');
	uint64_t offset = 0;
	unsigned int i;

	if (!plus || !to_number(plus + 1, &offset))
		return complain(r, "which place: data+0 or the like, not \"%s\"", r->word);
	*plus = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (is_word(r, places[i].name))
			break;
	}
	if (i == sizeof(places) / sizeof(places[0]))
		return complain(r, "there is no place \"%s\"", r->word);
	trigger->area = places[i].area;
	trigger->from_packet = places[i].from_packet;
	trigger->offset = (uint32_t)offset;
	if ((trigger->area == HOST_SLOT) != (trigger->who.kind == WHO_ANY))
		return complain(r, "a slot is of no channel, and all else of one");
	next_word(r);
	return true;
}

static bool take_fetch(struct reader *r, struct trigger *trigger)
{
	if (!strchr(r->word, '+') && !take_who(r, &trigger->who))
		return false;
	return take_place(r, trigger) && take_nth(r, trigger);
}

static bool take_post(struct reader *r, struct trigger *trigger)
{
	trigger->type = host_message_type(r->word);
	if (trigger->type)
		next_word(r);
	else if (!isdigit((unsigned char)r->word[0]) && !is_word(r, ":"))
		return complain(r, "there is no message \"%s\"", r->word);
	return take_nth(r, trigger);
}

static bool from_host(uint32_t type)
{
	static const uint32_t messages = 1u << HOST_OFFER | 1u << HOST_RESCIND | 1u << HOST_ALL_OFFERS |
		1u << HOST_OPEN_RESULT | 1u << HOST_GPADL_CREATED | 1u << HOST_GPADL_TORNDOWN |
		1u << HOST_VERSION_RESPONSE | 1u << HOST_UNLOAD_RESPONSE | 1u << HOST_CLOSE_RESERVED_RESPONSE |
		1u << HOST_TL_CONNECT_RESULT | 1u << HOST_MODIFY_RESPONSE | 1u << HOST_MODIFY_CONNECTION_RESPONSE |
		1u << HOST_PAUSE_RESPONSE;

	return messages >> type & 1;
}

static bool take_message(struct reader *r, struct trigger *trigger)
{
	trigger->type = host_message_type(r->word);
	if (!trigger->type)
		return complain(r, "there is no message \"%s\"", r->word);
	trigger->kind = from_host(trigger->type) ? ON_OUTGOING : ON_INCOMING;
	next_word(r);
	return take_nth(r, trigger);
}

static bool take_on(struct reader *r, struct trigger *trigger)
{
	static const struct { const char *name; enum trigger_kind kind; uint32_t type; } kinds[] = {
		{ "packet", ON_PACKET, 0 }, { "completion", ON_SENDING, 11 }, { "in_band", ON_SENDING, 6 },
		{ "fetch", ON_FETCH, 0 }, { "post", ON_POST, 0 }, { "signal", ON_SIGNAL, 0 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!accept(r, kinds[i].name))
			continue;
		trigger->kind = kinds[i].kind;
		trigger->type = kinds[i].type;
		if (trigger->kind == ON_FETCH)
			return take_fetch(r, trigger);
		if (trigger->kind == ON_POST)
			return take_post(r, trigger);
		return trigger->kind == ON_SIGNAL ? take_nth(r, trigger) : take_of_who(r, trigger);
	}
	return take_message(r, trigger);
}

static bool take_trigger(struct reader *r, struct trigger *trigger)
{
	if (accept(r, "at")) {
		trigger->kind = AT_TIME;
		trigger->nth = 1;
		return take_number(r, &trigger->at, "a time in ms");
	}
	return accept(r, "on") ? take_on(r, trigger) : complain(r, "a line begins with \"on\" or \"at\"");
}

static bool take_line(struct reader *r, struct trigger *trigger)
{
	trigger->line = r->line;
	if (!take_trigger(r, trigger))
		return false;
	if (!accept(r, ":"))
		return complain(r, "a colon ends the trigger, not \"%s\"", r->word);
	return take_acts(r, trigger);
}

int host_script_parse(const char *text, const char *name, struct trigger **triggers, uint32_t *count)
{
	struct reader r = { .name = name, .line = 1 };
	size_t lines = 1;
	const char *p;

	for (p = text; *p; p++)
		lines += *p == '\n';
	*count = 0;
	*triggers = calloc(lines, sizeof(**triggers));
	if (!*triggers)
		abort();
	for (p = text; p && !r.failed; p = strchr(p, '\n'), r.line++) {
		p += r.line > 1;
		r.line_start = r.at = p;
		next_word(&r);
		if (!is_word(&r, "") && take_line(&r, &(*triggers)[*count]))
			(*count)++;
	}
	if (!r.failed)
		return 0;
	free(*triggers);
	*triggers = NULL;
	return -1;
}
