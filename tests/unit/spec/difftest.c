/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the generated C of a protocol with the interpreter of its specification: on
 * every test vector, on random and mutated messages, in random walks through its sessions;
 * and what a view holds with what the interpreter saw. Any difference ends the program.
 *
 *	difftest SPECIFICATION [INPUTS [SEED]]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "glue.h"
#include "interp.h"
#include "vector.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

extern const struct glue JOIN(PROTOCOL, _glue);
extern const struct test_vector JOIN(PROTOCOL, _vectors)[];
extern const u32 JOIN(PROTOCOL, _vector_count), JOIN(PROTOCOL, _rules_with_vectors);

static const struct glue *const glue = &JOIN(PROTOCOL, _glue);
static const struct test_vector *const vectors = JOIN(PROTOCOL, _vectors);

#define MOST_BYTES 65536
#define MOST_VALUES 64
#define MOST_SITES 48
#define GOOD 128		/* samples a layout: vectors it accepts, */
#define FRESH 32		/* what chance led to that it accepts, */
#define BAD 64			/* and vectors it rejects */
#define MOST_NUMBERS 1024
#define SLOTS 1024		/* of a hash table of members */

/* A message, what is known when it comes, and where its numbers lie. */
struct sample {
	u32 size, room, site_count;
	u8 *bytes;
	u64 context[MOST_VALUES], params[MOST_VALUES];
	struct {
		const struct field *field;
		u16 offset;
		u8 width;
	} sites[MOST_SITES];
};

/* A layout, in both worlds. */
struct subject {
	const struct glue_layout *c;
	const struct layout *layout;
	bool fixed;			/* its size is not asked */
	struct sample good[GOOD], fresh[FRESH], bad[BAD];
	u32 good_count, fresh_count, bad_count;
	u64 keys[SLOTS];		/* of members, by way from the layout to the field */
	u16 member[SLOTS];
	bool *twin, *in_union;		/* by member */
};

static struct spec *spec;
static struct subject *subjects;
static u8 *guard_end;			/* nothing can be read from here on */
static void *context, *view, *message, *request;
static u64 *hits, accepted, rejected, views, events, seed, state;

/* ---- chance ---- */

static u64 chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static u64 below(u64 n)
{
	return n ? (chance() >> 16) % n : 0;
}

/* ---- complaints ---- */

static const char *rule_name(u32 number)
{
	const struct rule *rule = number ? spec_rule(spec, number) : NULL;

	if (number == INTERP_UNDEFINED)
		return "no verdict";
	return !number ? "accepted" : rule ? rule->name : "unknown rule";
}

static void print_hex(const char *what, const u8 *bytes, u32 size)
{
	u32 i;

	printf("%s (%u bytes):", what, size);
	for (i = 0; i < size; i++)
		printf("%s%02x", i % 16 ? " " : "\n  ", bytes[i]);
	puts("");
}

static void print_values(const u64 *values, const u64 *params, const struct layout *layout)
{
	const struct context_value *value;
	const struct param *param;
	u32 i = 0;

	for (value = spec->context; value && values; value = value->next)
		printf("context %s = %" PRIu64 "\n", value->name, values[value->index]);
	for (param = layout->params; param && params; param = param->next)
		printf("parameter %s = %" PRIu64 "\n", param->name, params[i++]);
}

static void disagree(const char *door, const struct layout *layout, const struct interp_message *input,
		     u32 c, u32 interp)
{
	printf("DISAGREEMENT: %s %s\n", door, layout->name);
	printf("generated C: %u %s\ninterpreter: %u %s\n", c, rule_name(c), interp, rule_name(interp));
	print_values(input->context, input->params, layout);
	print_hex("message", input->bytes, input->size);
	exit(1);
}

static void wrong(const struct test_vector *vector, const char *who, u32 rule)
{
	printf("VECTOR of rule %s, which it %s: %s says %u %s\n", vector->rule_name,
	       vector->breaks ? "breaks" : "keeps", who, rule, rule_name(rule));
	print_hex(vector->layout, vector->bytes, vector->size);
	exit(1);
}

/* ---- members of views ---- */

static u64 mix(u64 a, const void *b)
{
	a = (a ^ (u64)(uintptr_t)b) * 0x9e3779b97f4a7c15ULL;
	return (a ^ a >> 29) | 1;
}

static void add_key(struct subject *subject, u64 key, u32 member)
{
	u32 i = key % SLOTS;

	while (subject->keys[i] && subject->keys[i] != key)
		i = (i + 1) % SLOTS;
	subject->keys[i] = key;
	subject->member[i] = (u16)member;
}

static int find_member(const struct subject *subject, u64 key)
{
	u32 i;

	for (i = key % SLOTS; subject->keys[i]; i = (i + 1) % SLOTS)
		if (subject->keys[i] == key)
			return subject->member[i];
	return -1;
}

static bool starts(const char *path, const char *name, const char **rest)
{
	size_t length = strlen(name);

	if (strncmp(path, name, length) || (path[length] && path[length] != '.'))
		return false;
	*rest = path[length] ? path + length + 1 : path + length;
	return true;
}

static void resolve(struct subject *subject, const struct item *items, const char *path, u64 key, u32 member);

static void resolve_field(struct subject *subject, const struct field *field, const char *rest, u64 key, u32 member)
{
	const struct bitpart *bit;
	const struct arm *arm;
	const char *behind;

	key = mix(key, field);
	if (!*rest) {
		add_key(subject, key, member);
		return;
	}
	if (field->type->kind == T_STRUCT)
		resolve(subject, field->type->layout->items, rest, key, member);
	for (bit = field->type->bits; bit; bit = bit->next)
		if (starts(rest, bit->name, &behind))
			add_key(subject, mix(key, bit), member);
	for (arm = field->type->arms; arm; arm = arm->next) {
		if (!starts(rest, arm->name, &behind))
			continue;
		subject->in_union[member] = true;
		if (*behind)
			resolve(subject, arm->type->layout->items, behind, mix(key, arm), member);
		else
			add_key(subject, mix(key, arm), member);
	}
}

/* All fields a member can stand for: the branches of a "when" may share a name. */
static void resolve(struct subject *subject, const struct item *items, const char *path, u64 key, u32 member)
{
	const struct item *item;
	const char *rest;

	FOR_ITEMS(item, items) {
		if (item->kind == I_FIELD && starts(path, item->field->name, &rest))
			resolve_field(subject, item->field, rest, key, member);
		if (item->kind == I_LET && starts(path, item->name, &rest))
			add_key(subject, mix(key, item), member);
		if (item->kind == I_WHEN) {
			resolve(subject, item->then, path, key, member);
			resolve(subject, item->otherwise, path, key, member);
		}
	}
}

static void resolve_members(struct subject *subject)
{
	const struct glue_member *members = subject->c->members;
	u32 i, j;

	subject->twin = calloc(subject->c->member_count + 1, sizeof(bool));
	subject->in_union = calloc(subject->c->member_count + 1, sizeof(bool));
	for (i = 0; i < subject->c->member_count; i++) {
		for (j = 0; j < i && strcmp(members[i].path, members[j].path); j++)
			;
		subject->twin[i] = j < i;
		if (j == i)
			resolve(subject, subject->layout->items, members[i].path, 1, i);
	}
}

/* ---- views ---- */

/* What the interpreter sees, held against a view. */
struct comparison {
	const struct subject *subject;
	const u8 *bytes;
	u64 keys[64];
	u32 depth, elements, arm_offset;
	bool seen[SLOTS];
	const char *wrong;		/* path of a member that differs */
	u64 c, interp;
};

static u64 member_number(const struct glue_member *member)
{
	const u8 *at = (const u8 *)view + member->offset;
	u16 half;
	u32 word;
	u64 number;

	switch (member->size) {
	case 1:
		return *at;
	case 2:
		memcpy(&half, at, 2);
		return half;
	case 4:
		memcpy(&word, at, 4);
		return word;
	default:
		memcpy(&number, at, 8);
		return number;
	}
}

static void note_difference(struct comparison *seen, const struct glue_member *member, u64 c, u64 interp)
{
	if (seen->wrong || c == interp)
		return;
	seen->wrong = member->path;
	seen->c = c;
	seen->interp = interp;
}

static void compare_slice(struct comparison *seen, const struct glue_member *member, u32 offset, u64 size)
{
	struct {
		const u8 *data;
		u32 size;
	} slice;

	memcpy(&slice, (const u8 *)view + member->offset, sizeof(slice));
	note_difference(seen, member, slice.size, size);
	note_difference(seen, member, slice.data ? (u64)(slice.data - seen->bytes) : UINT64_MAX, offset);
}

static void compare_member(struct comparison *seen, u64 key, u32 offset, u32 width, u64 value)
{
	int number = find_member(seen->subject, key);
	const struct glue_member *member;

	if (number < 0 || seen->elements)
		return;
	member = &seen->subject->c->members[number];
	seen->seen[number] = true;
	if (!member->size)
		compare_slice(seen, member, offset, value);
	else if (width)
		note_difference(seen, member, member_number(member), value);
}

static void saw(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width, u64 value)
{
	struct comparison *seen = arg;
	u64 key = mix(seen->keys[seen->depth], field);

	/* a namesake in another branch may be delivered where this field is not, ignored bits never are */
	if (!field->delivered)
		return;
	if (field->type->kind == T_FLAGS)
		value &= field->type->flagset->mask;
	compare_member(seen, bit ? mix(key, bit) : key, offset, width, value);
}

static void named(void *arg, const struct item *let, u64 value)
{
	struct comparison *seen = arg;

	compare_member(seen, mix(seen->keys[seen->depth], let), 0, 8, value);
}

static u64 load(const u8 *at, const struct type *type)
{
	u64 number = 0;
	u32 i;

	for (i = 0; i < type->width; i++)
		number = number << 8 | at[type->big ? i : type->width - 1 - i];
	return number;
}

static void nested(void *arg, const struct field *field, const struct arm *arm, bool element, bool inside, u32 offset)
{
	struct comparison *seen = arg;
	u64 key;

	if (!inside) {
		if (arm && arm->type->kind == T_BYTES)
			compare_member(seen, seen->keys[seen->depth], seen->arm_offset, 0,
				       offset - seen->arm_offset);
		if (arm && arm->type->kind == T_INT)
			compare_member(seen, seen->keys[seen->depth], offset, arm->type->width,
				       load(seen->bytes + seen->arm_offset, arm->type));
		seen->depth--;
		seen->elements -= element;
		return;
	}
	key = mix(seen->keys[seen->depth], field);
	seen->elements += element;
	seen->arm_offset = offset;
	seen->keys[++seen->depth] = arm ? mix(key, arm) : key;
}

/* Members the message does not have are zero. */
static void compare_unseen(struct comparison *seen)
{
	const struct subject *subject = seen->subject;
	const struct glue_member *member;
	u32 i, size, j;

	for (i = 0; i < subject->c->member_count; i++) {
		if (seen->seen[i] || subject->twin[i] || subject->in_union[i])
			continue;
		member = &subject->c->members[i];
		size = member->size ? member->size : sizeof(u8 *) + sizeof(u32);
		for (j = 0; j < size; j++)
			note_difference(seen, member, ((const u8 *)view)[member->offset + j], 0);
	}
}

static void compare_view(const struct subject *subject, const struct interp_message *input)
{
	struct comparison seen = { .subject = subject, .bytes = input->bytes, .keys = { 1 } };
	struct interp_observer observer = { .saw = saw, .nested = nested, .named = named, .arg = &seen };

	interp_check(spec, subject->layout, input, &observer);
	compare_unseen(&seen);
	views++;
	if (!seen.wrong)
		return;
	printf("VIEW: member %s of %s: generated C 0x%" PRIx64 ", interpreter 0x%" PRIx64 "\n", seen.wrong,
	       subject->layout->name, seen.c, seen.interp);
	print_values(input->context, input->params, subject->layout);
	print_hex("message", input->bytes, input->size);
	exit(1);
}

/* ---- both ---- */

static void fill(const u64 *values)
{
	if (glue->fill)
		glue->fill(values, context);
}

static u32 check_c(const struct subject *subject, const struct interp_message *input, void *to)
{
	u32 used;

	memset(to, 0xa5, subject->c->view_size);
	fill(input->context);
	return (u32)subject->c->check(input->bytes, input->size, context, input->params, to, &used);
}

static u32 check_both(const struct subject *subject, const struct interp_message *input, bool with_view)
{
	u32 c = check_c(subject, input, view);
	u32 interp = interp_check(spec, subject->layout, input, NULL);

	if (c != interp)
		disagree("check", subject->layout, input, c, interp);
	if (!c && with_view)
		compare_view(subject, input);
	return c;
}

static u32 receive_both(const struct interp_message *input)
{
	const struct layout *layout;
	u32 c, interp, kind;

	fill(input->context);
	c = (u32)glue->receive(input->bytes, input->size, context, message, &kind);
	interp = interp_receive(spec, input, &layout, NULL);
	if (c != interp)
		disagree("receive", layout ? layout : spec->header, input, c, interp);
	if (!c && (!layout || kind != layout->number))
		disagree("receive: other message", layout ? layout : spec->header, input, kind,
			 layout ? layout->number : 0);
	return c;
}

static struct subject *find_subject(const struct layout *layout)
{
	u32 i;

	for (i = 0; i < glue->layout_count; i++)
		if (subjects[i].layout == layout)
			return &subjects[i];
	return NULL;
}

/* The view of the message is there already, as check_both() left it. */
static u32 match_both(const struct subject *subject, const struct interp_message *input,
		      const struct interp_message *asked)
{
	const struct subject *other = find_subject(subject->layout->request);
	u32 c = 0, interp;

	if (subject->c->match && other->c->keep) {
		if (check_c(other, asked, message))
			return 0;
		other->c->keep(message, request);
		fill(input->context);
		c = (u32)subject->c->match(view, context, request);
	}
	interp = interp_match(spec, subject->layout, input, asked, NULL);
	if (c != interp)
		disagree("match", subject->layout, input, c, interp);
	return c;
}

/* ---- sessions ---- */

struct walk {
	const struct session *session;
	const struct glue_session *c;
	struct interp_session interp;
	void *at;
	struct sample sent[64];		/* the requests, by event number */
};

static void compare_states(const struct walk *walk, const struct event *event, u32 c, u32 interp)
{
	const struct event *sent;

	for (sent = walk->session->events; sent; sent = sent->next)
		if (sent->kind == EV_SEND && sent->message->is_request &&
		    walk->c->waits(walk->at, sent->message->number) !=
		    (walk->interp.outstanding >> sent->number & 1))
			break;
	if (c == interp && !sent && walk->c->state(walk->at) == walk->interp.state)
		return;
	printf("DISAGREEMENT: session %s, event %s\n", walk->session->name, event->name);
	printf("generated C: %u %s, state %u\ninterpreter: %u %s, state %u\n", c, rule_name(c),
	       walk->c->state(walk->at), interp, rule_name(interp), walk->interp.state);
	if (sent)
		printf("whether %s is outstanding differs\n", sent->name);
	exit(1);
}

static u32 pass_both(struct walk *walk, const struct event *event, const struct interp_message *input)
{
	const struct subject *subject = find_subject(event->message);
	u32 c, interp;

	if (check_c(subject, input, glue->wrap(message, subject->c->kind)))
		disagree("check before a session", subject->layout, input, 1, 0);
	if (event->kind == EV_ON) {
		c = (u32)walk->c->receive(walk->at, context, message);
		interp = interp_session_receive(spec, walk->session, &walk->interp, event->message, input, NULL);
	} else {
		c = (u32)walk->c->send(walk->at, context, message);
		interp = interp_session_send(spec, walk->session, &walk->interp, event->message, input);
	}
	events++;
	compare_states(walk, event, c, interp);
	return c;
}

static void local_both(struct walk *walk, const struct event *event)
{
	u32 c = walk->c->local(walk->at, event->number);
	u32 interp = interp_session_local(spec, walk->session, &walk->interp, event->name);

	events++;
	compare_states(walk, event, c, interp);
}

static void start_walk(struct walk *walk, const struct session *session)
{
	u32 i;

	memset(&walk->interp, 0, sizeof(walk->interp));
	walk->session = session;
	walk->interp.state = session->start->number;
	for (i = 0; i < glue->session_count; i++)
		if (!strcmp(glue->sessions[i].name, session->name))
			walk->c = &glue->sessions[i];
	free(walk->at);
	walk->at = calloc(1, walk->c->size);
	walk->c->start(walk->at);
}

/* ---- vectors ---- */

static struct interp_message vector_message(const struct test_vector *vector)
{
	u8 *bytes = guard_end - vector->size;

	if (vector->size)
		memcpy(bytes, vector->bytes, vector->size);
	return (struct interp_message){ bytes, vector->size, vector->context, vector->params };
}

static void pend(struct walk *walk, const struct test_vector *vector, const struct interp_message *asked)
{
	const struct event *event;
	const struct subject *subject;

	for (event = walk->session->events; event; event = event->next) {
		if (!(vector->outstanding >> event->number & 1))
			continue;
		subject = find_subject(event->message);
		check_c(subject, asked, view);
		walk->c->ask(walk->at, subject->c->kind, view);
		walk->interp.outstanding |= 1ULL << event->number;
		walk->interp.request[event->number] = *asked;
	}
}

static u32 moment_verdict(const struct test_vector *vector, const struct interp_message *input,
			  const struct interp_message *asked)
{
	static struct walk walk;
	const struct layout *layout = spec_layout(spec, vector->layout);
	const struct event *event;

	start_walk(&walk, spec_session(spec, vector->session));
	walk.c->enter(walk.at, vector->state);
	walk.interp.state = vector->state;
	pend(&walk, vector, asked);
	for (event = walk.session->events; event; event = event->next)
		if (event->message == layout && event->kind == (vector->door == TEST_ARRIVES ? EV_ON : EV_SEND))
			return pass_both(&walk, event, input);
	return INTERP_UNDEFINED;
}

static u32 vector_verdict(const struct test_vector *vector, const struct subject *subject)
{
	struct interp_message input = vector_message(vector);
	struct interp_message asked = { vector->request, vector->request_size, vector->request_context, NULL };
	u32 rule;

	if (vector->door == TEST_RECEIVE)
		return receive_both(&input);
	/* a message we send is the request itself */
	if (vector->door == TEST_SENDS)
		asked = input;
	rule = check_both(subject, &input, true);
	if (rule || vector->door == TEST_CHECK)
		return rule;
	if (vector->door == TEST_MATCH)
		return match_both(subject, &input, &asked);
	return moment_verdict(vector, &input, &asked);
}

static void check_vectors(void)
{
	const struct test_vector *vector;
	u32 rule, broken = 0, kept = 0;

	for (vector = vectors; vector->rule_name; vector++) {
		if (strcmp(rule_name(vector->rule), vector->rule_name))
			wrong(vector, "the specification", vector->rule);
		rule = vector_verdict(vector, find_subject(spec_layout(spec, vector->layout)));
		if (rule != (vector->breaks ? vector->rule : 0))
			wrong(vector, "both", rule);
		broken += vector->breaks;
		kept += !vector->breaks;
	}
	printf("%s: %u vectors: %u of %u rules broken, %u kept\n", glue->name, broken + kept, broken,
	       glue->rule_count, kept);
}

/* ---- samples ---- */

static void note_site(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width,
		      u64 value)
{
	struct sample *sample = arg;

	(void)value;
	if (bit || !width || sample->site_count == MOST_SITES || offset > UINT16_MAX)
		return;
	sample->sites[sample->site_count].field = field;
	sample->sites[sample->site_count].offset = (u16)offset;
	sample->sites[sample->site_count++].width = (u8)width;
}

static void set_sample(struct sample *sample, const struct subject *subject, const struct interp_message *input)
{
	struct interp_observer observer = { .saw = note_site, .arg = sample };
	const struct param *param;
	u32 count = 0;

	if (sample->room < input->size) {
		sample->room = input->size;
		sample->bytes = realloc(sample->bytes, sample->room);
	}
	sample->size = input->size;
	if (input->size)
		memcpy(sample->bytes, input->bytes, input->size);
	if (spec->context_count)
		memcpy(sample->context, input->context, spec->context_count * sizeof(u64));
	for (param = subject->layout->params; param && input->params; param = param->next, count++)
		sample->params[count] = input->params[count];
	sample->site_count = 0;
	interp_check(spec, subject->layout, input, &observer);
}

static void keep_vector(struct subject *subject, const struct interp_message *input)
{
	bool good = !interp_check(spec, subject->layout, input, NULL);

	if (good && subject->good_count < GOOD)
		set_sample(&subject->good[subject->good_count++], subject, input);
	else if (!good && subject->bad_count < BAD)
		set_sample(&subject->bad[subject->bad_count++], subject, input);
}

static void keep_fresh(struct subject *subject, const struct interp_message *input)
{
	u32 which = subject->fresh_count < FRESH ? subject->fresh_count++ : (u32)below(FRESH);

	set_sample(&subject->fresh[which], subject, input);
}

/* NULL: there is none. */
static const struct sample *accepted_sample(const struct subject *subject)
{
	u32 which = (u32)below(subject->good_count + subject->fresh_count);

	if (which < subject->good_count)
		return &subject->good[which];
	return subject->fresh_count ? &subject->fresh[which - subject->good_count] : NULL;
}

static const struct sample *any_sample(const struct subject *subject)
{
	if (subject->bad_count && below(3) == 0)
		return &subject->bad[below(subject->bad_count)];
	return accepted_sample(subject);
}

static struct interp_message sample_message(const struct sample *sample)
{
	return (struct interp_message){ sample->bytes, sample->size, sample->context, sample->params };
}

static u64 value_within(struct interval range, const struct type *type)
{
	const struct enumerator *one = type->enumeration ? type->enumeration->values : NULL;
	u64 width = (u64)(range.hi - range.lo), skip = below(8);

	if (one && below(8)) {
		while (one->next && skip--)
			one = one->next;
		return one->value;
	}
	switch (below(4)) {
	case 0:
		return (u64)range.lo;
	case 1:
		return (u64)range.hi;
	case 2:
		return (u64)range.lo + below(width < 64 ? width + 1 : 64);
	default:
		return (u64)range.lo + (width == UINT64_MAX ? chance() : below(width + 1));
	}
}

static u64 version_value(void)
{
	const struct version *version = spec->versions;
	u64 skip = below(12);

	while (version->next && skip--)
		version = version->next;
	return version->value;
}

static void change_context(u64 *values, const struct context_value *value)
{
	values[value->index] = value->is_version ? version_value() : value_within(value->range, value->type);
}

static void random_values(const struct subject *subject, u64 *values, u64 *params)
{
	const struct context_value *value;
	const struct param *param;
	u32 i = 0;

	for (value = spec->context; value; value = value->next)
		change_context(values, value);
	for (param = subject->layout->params; param; param = param->next)
		params[i++] = value_within(param->range, param->type);
}

/* ---- the specification's own numbers ---- */

static u64 numbers[MOST_NUMBERS];
static u32 number_count;

static void add_number(s128 number)
{
	u32 i;

	for (i = 0; i < number_count && numbers[i] != (u64)number; i++)
		;
	if (i == number_count && i < MOST_NUMBERS && number >= 0 && number <= U64_TOP)
		numbers[number_count++] = (u64)number;
}

static void add_numbers(const struct expr *expr)
{
	u32 i;

	if (!expr)
		return;
	if (!expr->is_truth) {
		add_number(expr->range.lo);
		add_number(expr->range.hi);
	}
	add_numbers(expr->a);
	add_numbers(expr->b);
	add_numbers(expr->c);
	for (i = 0; i < expr->list_length; i++)
		add_numbers(expr->list[i]);
}

static void collect_refinements(const struct refinement *refinement)
{
	for (; refinement; refinement = refinement->next)
		add_numbers(refinement->test);
}

static void collect_numbers(const struct item *items)
{
	const struct bitpart *bit;
	const struct item *item;

	FOR_ITEMS(item, items) {
		add_numbers(item->expr);
		if (item->kind == I_FIELD) {
			collect_refinements(item->field->refinements);
			for (bit = item->field->type->bits; bit; bit = bit->next)
				collect_refinements(bit->refinements);
		}
		collect_numbers(item->then);
		collect_numbers(item->otherwise);
	}
}

/* ---- mutations ---- */

/* The input being made; its bytes end where nothing can be read. */
static struct {
	u8 bytes[MOST_BYTES];
	u32 size;
	u64 context[MOST_VALUES], params[MOST_VALUES];
} draft;

/* The request that what is made now may answer; NULL: none. */
static const struct sample *asked;

/* A number near to one in the request. */
static u64 requested(void)
{
	const struct sample *sample = asked;
	u64 value = 0;
	u32 which, i;

	if (!sample || !sample->site_count)
		return below(32);
	which = (u32)below(sample->site_count);
	for (i = 0; i < sample->sites[which].width; i++)
		value = value << 8 | sample->bytes[sample->sites[which].offset +
			(sample->sites[which].field->type->big ? i : sample->sites[which].width - 1 - i)];
	return value + (below(2) ? 0 : below(16) - 8);
}

static u64 interesting(void)
{
	static const u64 often[] = {
		0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 63, 64, 127, 128, 255, 256,
		4095, 4096, 4097, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	};

	switch (below(asked ? 10 : 8)) {
	case 0:
		return chance() >> below(64);
	case 8:
	case 9:
		return requested();
	case 4:
	case 5:
		return number_count ? numbers[below(number_count)] - 1 + below(3) : 0;
	case 1:
		return draft.size - 2 + below(5);
	case 2:
		return spec->context_count ? draft.context[below(spec->context_count)] - 1 + below(3) : 1;
	case 3:
		return below(32);
	default:
		return often[below(sizeof(often) / sizeof(often[0]))];
	}
}

static void put(u32 offset, u32 width, u64 value, bool big)
{
	u32 i;

	if (offset > draft.size || width > draft.size - offset)
		return;
	for (i = 0; i < width; i++, value >>= 8)
		draft.bytes[offset + (big ? width - 1 - i : i)] = (u8)value;
}

static u64 get(u32 offset, u32 width, bool big)
{
	u64 value = 0;
	u32 i;

	if (offset > draft.size || width > draft.size - offset)
		return 0;
	for (i = 0; i < width; i++)
		value = value << 8 | draft.bytes[offset + (big ? i : width - 1 - i)];
	return value;
}

/* A value at, or just outside of, the ends of what the rules leave to a field. */
static u64 end_of(const struct field *field)
{
	const struct enumerator *one = field->type->enumeration ? field->type->enumeration->values : NULL;
	u64 end = (u64)(below(2) ? field->final.lo : field->final.hi), skip = below(8);

	if (!one || !below(3))
		return end - 1 + below(3);
	while (one->next && skip--)
		one = one->next;
	return one->value;
}

static void change_site(const struct sample *sample)
{
	u32 which = (u32)below(sample->site_count), offset, width;
	bool big;

	if (!sample->site_count)
		return;
	offset = sample->sites[which].offset;
	width = sample->sites[which].width;
	big = sample->sites[which].field->type->big;
	switch (below(3)) {
	case 0:
		put(offset, width, get(offset, width, big) - 1 + 2 * below(2), big);
		break;
	case 1:
		put(offset, width, end_of(sample->sites[which].field), big);
		break;
	default:
		put(offset, width, interesting(), big);
		break;
	}
}

static void change_size(void)
{
	u32 size = draft.size, by = 1 + (u32)below(below(4) ? 8 : 64);

	if (below(2))
		draft.size = size > by ? size - by : 0;
	else if (size + by <= MOST_BYTES) {
		memset(draft.bytes + size, below(2) ? 0 : (int)chance(), by);
		draft.size = size + by;
	}
}

/* The rest of another message behind a part of this one. */
static void splice(const struct subject *subject)
{
	const struct sample *other = any_sample(subject);
	u32 from;

	if (!other || !draft.size || !other->size)
		return;
	from = (u32)below(draft.size < other->size ? draft.size : other->size);
	memcpy(draft.bytes + from, other->bytes + from, other->size - from);
	draft.size = other->size;
}

static void repeat(void)
{
	u32 from = (u32)below(draft.size), length = 1 + (u32)below(16), to = (u32)below(draft.size);

	if (from + length > draft.size || to + length > draft.size)
		return;
	memmove(draft.bytes + to, draft.bytes + from, length);
}

static void mutate(const struct subject *subject, const struct sample *sample)
{
	const struct context_value *value = spec->context;
	u64 skip;

	switch (below(10)) {
	case 0:
		if (draft.size)
			draft.bytes[below(draft.size)] ^= (u8)(1 << below(8));
		break;
	case 1:
		put((u32)below(draft.size), 1u << below(4), interesting(), below(2));
		break;
	case 2:
		if (!subject->fixed)
			change_size();
		break;
	case 3:
		splice(subject);
		break;
	case 4:
		repeat();
		break;
	case 5:
		for (skip = below(spec->context_count); value && skip; skip--)
			value = value->next;
		if (value)
			change_context(draft.context, value);
		break;
	case 6:
		random_values(subject, below(4) ? (u64[MOST_VALUES]){ 0 } : draft.context, draft.params);
		break;
	default:
		change_site(sample);
		break;
	}
}

static void draft_sample(const struct subject *subject, const struct sample *sample)
{
	u64 rounds = below(5);

	draft.size = sample->size;
	if (sample->size)
		memcpy(draft.bytes, sample->bytes, sample->size);
	memcpy(draft.context, sample->context, sizeof(draft.context));
	memcpy(draft.params, sample->params, sizeof(draft.params));
	while (rounds--)
		mutate(subject, sample);
}

static void draft_random(const struct subject *subject)
{
	u32 i;

	draft.size = (u32)below(below(8) ? 96 : 1024);
	for (i = 0; i < draft.size; i += 8)
		put(i, draft.size - i < 8 ? 1 : 8, below(3) ? chance() & chance() & 0x0303030303030303 : chance(), false);
	random_values(subject, draft.context, draft.params);
}

static bool comes_in(const struct layout *layout)
{
	return layout->kind == L_MESSAGE && layout->direction != TO_HOST;
}

static void count_verdict(u32 rule)
{
	hits[rule]++;
	if (rule)
		rejected++;
	else
		accepted++;
}

/* An accepted request for what answers one. */
static void choose_request(const struct subject *subject)
{
	const struct subject *other = subject->layout->request ? find_subject(subject->layout->request) : NULL;

	asked = other ? accepted_sample(other) : NULL;
}

static void try_match(const struct subject *subject, const struct interp_message *input)
{
	struct interp_message with;

	if (!asked)
		return;
	with = sample_message(asked);
	hits[match_both(subject, input, &with)]++;
}

static void try_one(struct subject *subject, u64 number)
{
	const struct sample *sample = below(16) ? any_sample(subject) : NULL;
	struct interp_message input = { .context = draft.context, .params = draft.params };
	u32 rule;

	choose_request(subject);
	if (sample)
		draft_sample(subject, sample);
	else
		draft_random(subject);
	if (subject->fixed)
		draft.size = (u32)subject->layout->fixed_size;
	input.size = draft.size;
	input.bytes = guard_end - draft.size;
	memcpy(guard_end - draft.size, draft.bytes, draft.size);
	if (comes_in(subject->layout) && below(4) == 0) {
		count_verdict(receive_both(&input));
		return;
	}
	rule = check_both(subject, &input, number % 16 == 0);
	count_verdict(rule);
	if (rule)
		return;
	try_match(subject, &input);
	if (below(16) == 0)
		keep_fresh(subject, &input);
}

static void report(u64 done, u64 all)
{
	static time_t last;
	time_t now = time(NULL);

	if (now == last)
		return;
	last = now;
	fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " inputs\n", glue->name, done, all);
}

static void try_random(u64 count)
{
	u64 i;

	for (i = 0; i < count; i++) {
		try_one(&subjects[below(glue->layout_count)], i);
		if (i % 65536 == 0)
			report(i, count);
	}
}

/* ---- random walks ---- */

/* An accepted message for an event, often changed a little; NULL: none. */
static const struct sample *event_sample(const struct subject *subject)
{
	static struct sample changed;
	const struct sample *sample = accepted_sample(subject);
	struct interp_message input = { .context = draft.context, .params = draft.params };

	if (!sample || below(2))
		return sample;
	choose_request(subject);
	draft_sample(subject, sample);
	input.bytes = draft.bytes;
	input.size = draft.size;
	if (interp_check(spec, subject->layout, &input, NULL))
		return sample;
	set_sample(&changed, subject, &input);
	return &changed;
}

static void random_event(struct walk *walk)
{
	const struct event *event = walk->session->events;
	const struct subject *subject;
	const struct sample *sample;
	struct interp_message input;
	u64 skip = below(walk->session->event_count);

	while (skip--)
		event = event->next;
	if (event->kind != EV_ON && event->kind != EV_SEND) {
		local_both(walk, event);
		return;
	}
	subject = find_subject(event->message);
	sample = event_sample(subject);
	if (!sample)
		return;
	input = sample_message(sample);
	/* what is sent stays as it was for as long as it may be answered */
	if (event->kind == EV_SEND && !(walk->interp.outstanding >> event->number & 1)) {
		set_sample(&walk->sent[event->number], subject, &input);
		input = sample_message(&walk->sent[event->number]);
	}
	hits[pass_both(walk, event, &input)]++;
}

/* From any state, with any requests on their way: also where no walk leads. */
static void jump(struct walk *walk)
{
	const struct event *event;
	const struct subject *subject;
	const struct sample *sample;
	struct interp_message sent;

	walk->interp.state = (u32)below(walk->session->state_count);
	walk->c->enter(walk->at, walk->interp.state);
	for (event = walk->session->events; event; event = event->next) {
		subject = event->kind == EV_SEND && event->message->is_request ? find_subject(event->message) : NULL;
		sample = subject ? accepted_sample(subject) : NULL;
		if (!sample || below(3))
			continue;
		sent = sample_message(sample);
		check_c(subject, &sent, view);
		walk->c->ask(walk->at, subject->c->kind, view);
		walk->interp.outstanding |= 1ULL << event->number;
		walk->interp.request[event->number] = sent;
	}
}

static void walk_sessions(u64 count)
{
	static struct walk walk;
	const struct session *session;
	u64 i, round;

	for (session = spec->sessions; session; session = session->next) {
		for (i = 0; i < count; i += 64) {
			start_walk(&walk, session);
			if (below(2))
				jump(&walk);
			for (round = 0; round < 64; round++)
				random_event(&walk);
		}
	}
}

/* ---- the whole ---- */

static void *room(size_t bytes)
{
	void *p = calloc(1, bytes + 1);

	if (!p) {
		perror("difftest");
		exit(2);
	}
	return p;
}

static void prepare(void)
{
	long page = sysconf(_SC_PAGESIZE);
	u8 *map = mmap(NULL, MOST_BYTES * 4 + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u32 i, largest = 0;

	if (map == MAP_FAILED || mprotect(map + MOST_BYTES * 4, page, PROT_NONE)) {
		perror("difftest");
		exit(2);
	}
	guard_end = map + MOST_BYTES * 4;
	subjects = room(glue->layout_count * sizeof(*subjects));
	for (i = 0; i < glue->layout_count; i++) {
		subjects[i].c = &glue->layouts[i];
		subjects[i].layout = spec_layout(spec, glue->layouts[i].name);
		subjects[i].fixed = subjects[i].layout->kind == L_HEADER ||
				    (subjects[i].layout->kind == L_STRUCT && subjects[i].layout->fixed);
		resolve_members(&subjects[i]);
		collect_numbers(subjects[i].layout->items);
		if (glue->layouts[i].view_size > largest)
			largest = glue->layouts[i].view_size;
	}
	view = room(largest);
	message = room(glue->message_size + largest);
	request = room(glue->request_size);
	context = room(glue->context_size);
	hits = room((glue->rule_count + 1) * sizeof(*hits));
}

static void collect_samples(void)
{
	const struct test_vector *vector;
	struct interp_message input;
	struct subject *subject;

	for (vector = vectors; vector->rule_name; vector++) {
		subject = find_subject(spec_layout(spec, vector->layout));
		if (!subject || vector->size > MOST_BYTES / 2)
			continue;
		input = vector_message(vector);
		keep_vector(subject, &input);
		if (vector->request) {
			subject = find_subject(subject->layout->request);
			input = (struct interp_message){ vector->request, vector->request_size,
							 vector->request_context, NULL };
			keep_vector(subject, &input);
		}
	}
}

static void print_hits(void)
{
	u32 i, reached = 0;

	for (i = 1; i <= glue->rule_count; i++)
		reached += hits[i] != 0;
	printf("%s: rules reached by chance: %u of %u\n", glue->name, reached, glue->rule_count);
	for (i = 1; i <= glue->rule_count; i++)
		if (getenv("DIFFTEST_HITS") || !hits[i])
			printf("  %10" PRIu64 " %s\n", hits[i], rule_name(i));
}

int main(int argc, char **argv)
{
	u64 count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000000;
	clock_t start = clock();

	seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 20240229;
	state = seed * 2 + 1;
	spec = argc > 1 ? spec_read(argv[1], stderr) : NULL;
	if (!spec || spec->errors || spec->rule_count != glue->rule_count) {
		fprintf(stderr, "difftest: needs the specification of %s\n", glue->name);
		return 2;
	}
	prepare();
	printf("%s: seed %" PRIu64 "\n", glue->name, seed);
	check_vectors();
	collect_samples();
	try_random(count);
	walk_sessions(count / 20);
	print_hits();
	printf("%s: %" PRIu64 " inputs: %" PRIu64 " accepted, %" PRIu64 " rejected; %" PRIu64 " views, %" PRIu64
	       " session events; 0 disagreements (%.1f s)\n", glue->name, count, accepted, rejected, views, events,
	       (double)(clock() - start) / CLOCKS_PER_SEC);
	return 0;
}
