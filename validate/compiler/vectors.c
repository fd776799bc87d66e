/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks for test vectors, with the interpreter as the judge: first accepted messages that
 * together go all ways a layout allows, then from these, for each rule, one that breaks it.
 * The search is bounded and has no chance in it: the same specification, the same vectors.
 */
#include <stdlib.h>
#include <string.h>

#include "vectors.h"
#include "vectors_solve.h"

#define MOST_NODES 4096
#define MOST_ANSWERS 160	/* changes that follow from one look */
#define MOST_WAYS 1200
#define MOST_BASES 160
#define MOST_LOOKS 60000		/* per subject, for its accepted messages */
#define SEEN_SLOTS 16384
#define DESPERATE 500		/* how much later guesses are tried than answers */
#define SMALL_BYTES 256		/* a vector no one minds to read */

/* What is decided about, and how. */
struct subject {
	enum vector_door door;
	const struct layout *layout;
	struct input *bases[MOST_BASES];	/* accepted */
	u8 *met[MOST_BASES];			/* by rule number: checked there */
	u32 base_count;
	struct subject *next;
};

/* What one look at an input showed. */
struct look {
	const struct subject *subject;
	const struct rule *goal;		/* to be broken; NULL: none */
	bool want_break, want_other, want_scalars;
	bool met, broken;			/* the goal */
	u32 progress;				/* rules kept */
	struct changes *keep;			/* the first other rule broken */
	struct changes *keep_goal, *break_goal, *other;
	struct interp_site first;		/* element of the list last met */
	u8 *rules;				/* met, by number; or NULL */
	u64 *features;				/* hashes of the ways taken; or NULL */
	u32 feature_count;
};

#define MOST_FEATURES 512

struct node {
	struct input *input;
	int key;			/* more is better; of equals the newest batch, and its first */
	u32 batch;
};

struct finder {
	struct spec *spec;
	struct subject *subjects;
	struct vector **tail;
	u64 seen[SEEN_SLOTS];			/* inputs of this search */
	u64 known[SEEN_SLOTS];			/* features of the subject's bases */
	struct look look;
	struct node nodes[MOST_NODES];
	u32 node_count, batch, looks;
	u32 complete;
};

/* ---- sets of hashes ---- */

/* True: it is new. A full set knows everything. */
static bool insert(u64 *set, u64 hash)
{
	u32 i, tries;

	hash |= 1;
	for (i = hash % SEEN_SLOTS, tries = 0; set[i] && tries < 64; i = (i + 1) % SEEN_SLOTS, tries++)
		if (set[i] == hash)
			return false;
	if (tries == 64)
		return false;
	set[i] = hash;
	return true;
}

static bool is_new(const u64 *set, u64 hash)
{
	u32 i;

	hash |= 1;
	for (i = hash % SEEN_SLOTS; set[i]; i = (i + 1) % SEEN_SLOTS)
		if (set[i] == hash)
			return false;
	return true;
}

static u64 mix(u64 a, u64 b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ULL;
	return a ^ a >> 31;
}

/* ---- looking ---- */

static void note_feature(struct look *look, const void *where, u64 what)
{
	if (look->features && look->feature_count < MOST_FEATURES)
		look->features[look->feature_count++] = mix((u64)(uintptr_t)where, what + 1);
}

static u64 few(s128 n)
{
	return n < 3 ? (u64)n : 3;
}

static bool known_tag(const struct field *field, s128 tag)
{
	const struct arm *arm;

	for (arm = field->type->arms; arm; arm = arm->next)
		if ((s128)arm->value == tag)
			return true;
	return false;
}

static void note_way(struct look *look, const struct interp_site *site)
{
	switch (site->kind) {
	case SITE_WHEN:
		note_feature(look, site->expr, site->kept);
		break;
	case SITE_AMOUNT:
		note_feature(look, site->field, few(site->size) + 10);
		break;
	case SITE_ARM:
		note_feature(look, site->field, 20 + (known_tag(site->field, site->value) ? (u64)site->value : 0));
		break;
	case SITE_ELEMENT:
		note_feature(look, site->field, 14 + few(site->count));
		break;
	case SITE_LINK:
		note_feature(look, site->rule, site->value > 0);
		break;
	default:
		break;
	}
	if (site->rule)
		note_feature(look, site->rule, 0);
}

/* Lists with more elements than they may have. */
static void overflow(struct look *look, const struct interp_site *site)
{
	struct interp_site first;
	s128 max;

	if (!site->count)
		look->first = *site;
	if (!look->goal || site->field->max_rule != look->goal || look->first.field != site->field ||
	    !interp_value(site->scope, site->field->type->max, &max) || max < site->count)
		return;
	first = look->first;
	first.scope = site->scope;
	solve_repeat(&first, (u64)(max - site->count), look->break_goal);
}

static void passed_goal(struct look *look, const struct interp_site *site)
{
	look->met = true;
	if (!site->kept) {
		look->broken = true;
		solve_keep(site, look->keep_goal);
	} else if (look->want_break) {
		solve_break(site, look->break_goal);
	}
}

static void passed(void *arg, const struct interp_site *site)
{
	struct look *look = arg;

	note_way(look, site);
	if (look->want_other)
		solve_other(site, look->other);
	if (site->kind == SITE_ELEMENT && look->want_break)
		overflow(look, site);
	if (!site->rule)
		return;
	if (look->rules)
		look->rules[site->rule->number] = 1;
	if (look->goal && site->rule == look->goal)
		passed_goal(look, site);
	else if (site->kept)
		look->progress++;
	else
		solve_keep(site, look->keep);
}

static void saw(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width,
		u64 value)
{
	struct look *look = arg;

	if (look->want_scalars)
		solve_scalar(field, bit, offset, width, value, look->other);
}

static void about_request(struct look *look, bool in_request)
{
	look->keep->in_request = look->keep_goal->in_request = in_request;
	look->break_goal->in_request = look->other->in_request = in_request;
}

static void start_look(struct look *look, const struct subject *subject)
{
	bool fixed = subject->layout && subject->layout->kind == L_STRUCT && subject->layout->fixed;

	look->subject = subject;
	look->met = look->broken = false;
	look->progress = look->feature_count = 0;
	look->keep->count = look->keep_goal->count = look->break_goal->count = look->other->count = 0;
	look->keep->fixed_size = look->keep_goal->fixed_size = fixed;
	look->break_goal->fixed_size = look->other->fixed_size = fixed;
	look->first.field = NULL;
	about_request(look, false);
}

static u32 decide(struct finder *finder, const struct subject *subject, const struct input *input,
		  struct interp_observer *observer)
{
	const struct interp_message message = { input->bytes, input->size, input->context, input->params };
	const struct interp_message request = { input->request, input->request_size,
						input->request_context, NULL };
	const struct layout *layout;
	u32 rule;

	if (subject->door == DOOR_RECEIVE)
		return interp_receive(finder->spec, &message, &layout, observer);
	rule = interp_check(finder->spec, subject->layout, &message, observer);
	if (rule || subject->door != DOOR_MATCH)
		return rule;
	if (observer)
		about_request(&finder->look, true);
	rule = interp_check(finder->spec, subject->layout->request, &request, observer);
	if (rule)
		return rule;
	if (observer)
		about_request(&finder->look, false);
	return interp_match(finder->spec, subject->layout, &message, &request, observer);
}

/* The first rule broken, but for the goal; finder->look shows the rest. */
static u32 look_at(struct finder *finder, const struct subject *subject, const struct input *input)
{
	struct look *look = &finder->look;
	struct interp_observer observer = {
		.passed = passed, .saw = saw, .arg = look, .disabled = look->goal ? look->goal->number : 0,
	};

	finder->looks++;
	start_look(look, subject);
	return decide(finder, subject, input, &observer);
}

static void want_nothing(struct look *look)
{
	look->goal = NULL;
	look->want_break = look->want_other = look->want_scalars = false;
	look->rules = NULL;
	look->features = NULL;
}

/* Nothing in this look that the subject's bases did not show. */
static bool is_stale(const struct finder *finder)
{
	u32 i;

	if (!finder->look.features)
		return false;
	for (i = 0; i < finder->look.feature_count; i++)
		if (is_new(finder->known, finder->look.features[i]))
			return false;
	return true;
}

/* ---- searching ---- */

static void push(struct finder *finder, struct input *input, int key)
{
	if (!input)
		return;
	if (finder->node_count == MOST_NODES || !insert(finder->seen, input_hash(input))) {
		free(input);
		return;
	}
	finder->nodes[finder->node_count++] = (struct node){ input, key, finder->batch };
}

static bool better(const struct node *a, const struct node *b)
{
	return a->key > b->key || (a->key == b->key && a->batch > b->batch);
}

static struct node pop(struct finder *finder)
{
	struct node best;
	u32 i, at = 0;

	for (i = 1; i < finder->node_count; i++)
		if (better(&finder->nodes[i], &finder->nodes[at]))
			at = i;
	best = finder->nodes[at];
	memmove(&finder->nodes[at], &finder->nodes[at + 1],
		(--finder->node_count - at) * sizeof(finder->nodes[0]));
	return best;
}

static void start_search(struct finder *finder)
{
	memset(finder->seen, 0, sizeof(finder->seen));
	finder->node_count = 0;
}

static void end_search(struct finder *finder)
{
	while (finder->node_count)
		free(finder->nodes[--finder->node_count].input);
}

/* Pushes all that @changes make of an input. */
static void branch(struct finder *finder, const struct input *input, const struct changes *changes, int key)
{
	u32 i;

	finder->batch++;
	for (i = 0; i < changes->count; i++)
		push(finder, input_apply(input, &changes->list[i]),
		     key - (changes->list[i].desperate ? DESPERATE : 0));
}

static u32 affordable(const struct input *input, u32 budget)
{
	u32 most = (32u << 20) / (input->size + 1024);

	return budget < most ? budget : most;
}

/*
 * From @start, which is not changed, to an accepted input, not too far from @near if that
 * is given; NULL: none found.
 */
static struct input *accept(struct finder *finder, const struct subject *subject,
			    const struct input *start, const struct input *near, u32 budget)
{
	struct node node;
	int key;

	budget = affordable(start, budget);
	start_search(finder);
	push(finder, input_copy(start), 0);
	while (finder->node_count && budget--) {
		node = pop(finder);
		if (!look_at(finder, subject, node.input) && !is_stale(finder)) {
			end_search(finder);
			return node.input;
		}
		key = (int)finder->look.progress * 4 - (int)(node.input->size / 64);
		if (near)
			key -= (int)(input_distance(near, node.input) / 1024);
		branch(finder, node.input, finder->look.keep, key);
		free(node.input);
	}
	end_search(finder);
	return NULL;
}

/* How an input stands to the goal of breaking one rule only. */
static void approach(struct finder *finder, const struct input *input, u32 verdict)
{
	struct look *look = &finder->look;
	int key = (int)look->progress + (look->broken ? 2000 : 0) - (int)(input->size / 64);

	if (verdict) {
		branch(finder, input, look->keep, key);
		return;
	}
	branch(finder, input, look->other, key);
	branch(finder, input, look->break_goal, key + 1000);
}

/*
 * From @start to an input that breaks @goal, and nothing else unless *also is wanted:
 * then something else may be broken behind it.
 */
static struct input *breaking(struct finder *finder, const struct subject *subject,
			      const struct input *start, const struct rule *goal, u32 budget, u32 *also)
{
	struct node node;
	u32 verdict;

	budget = affordable(start, budget);
	want_nothing(&finder->look);
	finder->look.goal = goal;
	finder->look.want_break = true;
	finder->look.want_scalars = subject->door == DOOR_RECEIVE;
	start_search(finder);
	push(finder, input_copy(start), 0);
	while (finder->node_count && budget--) {
		node = pop(finder);
		verdict = look_at(finder, subject, node.input);
		if (finder->look.broken && (!verdict || also) &&
		    decide(finder, subject, node.input, NULL) == goal->number) {
			if (also)
				*also = verdict;
			end_search(finder);
			return node.input;
		}
		approach(finder, node.input, verdict);
		free(node.input);
	}
	end_search(finder);
	return NULL;
}

/* ---- accepted messages ---- */

static bool brings_news(struct finder *finder, const u64 *features, u32 count)
{
	bool news = false;
	u32 i;

	for (i = 0; i < count; i++)
		news |= insert(finder->known, features[i]);
	return news;
}

/* Keeps an accepted input if it goes some way that no other one went. Takes it over. */
static void add_base(struct finder *finder, struct subject *subject, struct input *input)
{
	u64 features[MOST_FEATURES];
	u8 *rules;

	if (!input || subject->base_count == MOST_BASES) {
		free(input);
		return;
	}
	rules = spec_alloc(finder->spec, finder->spec->rule_count + 1);
	want_nothing(&finder->look);
	finder->look.features = features;
	finder->look.rules = rules;
	if (look_at(finder, subject, input) || !brings_news(finder, features, finder->look.feature_count)) {
		want_nothing(&finder->look);
		free(input);
		return;
	}
	want_nothing(&finder->look);
	subject->met[subject->base_count] = rules;
	subject->bases[subject->base_count++] = input;
}

static struct input *blank(const struct finder *finder, const struct layout *layout, u32 which)
{
	struct input *input = input_new(which == 2 ? 0 : (u32)layout->least_size, 0);
	const struct context_value *context;
	const struct param *param;
	u32 i = 0;

	for (context = finder->spec->context; context && context->index < MOST_VALUES; context = context->next)
		input->context[context->index] = (u64)(which ? context->range.hi : context->range.lo);
	for (param = layout->params; param && i < MOST_VALUES; param = param->next)
		input->params[i++] = (u64)(which ? param->range.hi : param->range.lo);
	return input;
}

/* All other ways from one accepted input. */
static void explore_from(struct finder *finder, struct subject *subject, const struct input *base)
{
	struct changes *other;
	struct input *input, *found;
	u64 features[MOST_FEATURES];
	u32 i;

	want_nothing(&finder->look);
	finder->look.want_other = true;
	look_at(finder, subject, base);
	other = changes_copy(finder->look.other);
	for (i = 0; i < other->count && finder->looks < MOST_LOOKS; i++) {
		input = input_apply(base, &other->list[i]);
		if (!input)
			continue;
		want_nothing(&finder->look);
		finder->look.features = features;
		found = accept(finder, subject, input, NULL, 60);
		free(input);
		add_base(finder, subject, found);
	}
	changes_free(other);
}

static u32 param_count(const struct layout *layout)
{
	const struct param *param;
	u32 count = 0;

	for (param = layout->params; param; param = param->next)
		count++;
	return count;
}

static void explore(struct finder *finder, struct subject *subject)
{
	struct input *start;
	u32 i;

	if (subject->layout->least_size > MOST_INPUT_BYTES || param_count(subject->layout) > MOST_VALUES)
		return;
	memset(finder->known, 0, sizeof(finder->known));
	finder->looks = 0;
	for (i = 0; i < 3; i++) {
		start = blank(finder, subject->layout, i);
		want_nothing(&finder->look);
		add_base(finder, subject, accept(finder, subject, start, NULL, 3000));
		free(start);
	}
	for (i = 0; i < subject->base_count && finder->looks < MOST_LOOKS; i++)
		explore_from(finder, subject, subject->bases[i]);
}

/* A message with a request, from accepted ones of both. */
static struct input *pair(const struct input *message, const struct input *request)
{
	struct input *input = input_new(message->size, request->size);

	memcpy(input->context, message->context, sizeof(input->context));
	memcpy(input->request_context, request->context, sizeof(input->context));
	memcpy(input->bytes, message->bytes, message->size);
	memcpy(input->request, request->bytes, request->size);
	return input;
}

static struct subject *find_subject(const struct finder *finder, enum vector_door door,
				    const struct layout *layout)
{
	struct subject *subject = finder->subjects;

	while (subject && (subject->door != door || subject->layout != layout))
		subject = subject->next;
	return subject;
}

static struct subject *new_subject(struct finder *finder, enum vector_door door, const struct layout *layout)
{
	struct subject *subject = spec_alloc(finder->spec, sizeof(*subject)), **tail;

	subject->door = door;
	subject->layout = layout;
	for (tail = &finder->subjects; *tail; tail = &(*tail)->next)
		;
	*tail = subject;
	return subject;
}

static void explore_pairs(struct finder *finder, struct subject *subject)
{
	const struct subject *messages = find_subject(finder, DOOR_CHECK, subject->layout);
	const struct subject *requests = find_subject(finder, DOOR_CHECK, subject->layout->request);
	struct input *start;
	u32 i, j;

	memset(finder->known, 0, sizeof(finder->known));
	finder->looks = 0;
	for (i = 0; messages && i < messages->base_count; i++) {
		for (j = 0; requests && j < requests->base_count && finder->looks < MOST_LOOKS; j++) {
			start = pair(messages->bases[i], requests->bases[j]);
			want_nothing(&finder->look);
			add_base(finder, subject, accept(finder, subject, start, NULL, 300));
			free(start);
		}
	}
}

/* What is accepted as a message is accepted when it is received. */
static void collect_received(struct finder *finder, struct subject *subject)
{
	const struct subject *other;
	u32 i;

	memset(finder->known, 0, sizeof(finder->known));
	for (other = finder->subjects; other; other = other->next)
		for (i = 0; i < other->base_count && other->door == DOOR_CHECK && i < 4; i++)
			if (other->layout->kind == L_MESSAGE && other->layout->direction != TO_HOST)
				add_base(finder, subject, input_copy(other->bases[i]));
}

static void prepare_subjects(struct finder *finder)
{
	const struct layout *layout;
	struct subject *subject;

	for (layout = finder->spec->layouts; layout; layout = layout->next)
		if (layout->kind != L_STRUCT && layout->direction != REFUSED)
			explore(finder, new_subject(finder, DOOR_CHECK, layout));
	if (finder->spec->header)
		collect_received(finder, new_subject(finder, DOOR_RECEIVE, finder->spec->header));
	for (layout = finder->spec->layouts; layout; layout = layout->next)
		if (layout->request)
			explore_pairs(finder, new_subject(finder, DOOR_MATCH, layout));
	for (layout = finder->spec->layouts; layout; layout = layout->next) {
		if (layout->kind != L_STRUCT)
			continue;
		subject = new_subject(finder, DOOR_CHECK, layout);
		explore(finder, subject);
	}
}

/* ---- vectors ---- */

static const void *keep_bytes(struct spec *spec, const void *bytes, size_t size)
{
	void *copy = spec_alloc(spec, size + 1);

	memcpy(copy, bytes, size);
	return copy;
}

static struct vector *add_vector(struct finder *finder, const struct rule *rule, bool breaks,
				 enum vector_door door, const struct layout *layout, const struct input *input)
{
	struct spec *spec = finder->spec;
	struct vector *vector = spec_alloc(spec, sizeof(*vector));

	vector->rule = rule;
	vector->breaks = breaks;
	vector->door = door;
	vector->layout = layout;
	vector->size = input->size;
	vector->bytes = keep_bytes(spec, input->bytes, input->size);
	vector->context = keep_bytes(spec, input->context, sizeof(input->context));
	if (layout->params)
		vector->params = keep_bytes(spec, input->params, sizeof(input->params));
	if (input->request_size) {
		vector->request = keep_bytes(spec, input->request, input->request_size);
		vector->request_size = input->request_size;
		vector->request_context = keep_bytes(spec, input->request_context,
						     sizeof(input->request_context));
	}
	*finder->tail = vector;
	finder->tail = &vector->next;
	return vector;
}

/* Accepted, and the rule was asked, unless it is one that only speaks where nothing else fits. */
static bool keeps(struct finder *finder, const struct subject *subject, const struct input *input,
		  const struct rule *rule)
{
	bool silent = rule == finder->spec->dispatch_rule || (rule->owner && rule == rule->owner->refused_rule);

	finder->look.goal = rule;
	finder->look.want_break = false;
	return !look_at(finder, subject, input) && !finder->look.broken && (silent || finder->look.met);
}

static void nearer(const struct input *to, struct input *candidate, struct input **best)
{
	if (!candidate)
		return;
	if (*best && input_distance(to, candidate) >= input_distance(to, *best)) {
		free(candidate);
		return;
	}
	free(*best);
	*best = candidate;
}

/* Of all accepted inputs that one step, or a few repairs behind it, lead to: the nearest. */
static struct input *nearest_keeping(struct finder *finder, const struct subject *subject,
				     const struct input *broken, const struct rule *rule, bool repair)
{
	struct changes *changes;
	struct input *input, *found, *best = NULL;
	u32 i;

	want_nothing(&finder->look);
	finder->look.goal = rule;
	look_at(finder, subject, broken);
	changes = changes_copy(finder->look.keep_goal);
	for (i = 0; i < changes->count && (!repair || i < 8); i++) {
		input = input_apply(broken, &changes->list[i]);
		want_nothing(&finder->look);
		found = input && repair ? accept(finder, subject, input, broken, 200) : input;
		if (found != input)
			free(input);
		if (found && !keeps(finder, subject, found, rule)) {
			free(found);
			found = NULL;
		}
		nearer(broken, found, &best);
	}
	changes_free(changes);
	return best;
}

static struct input *nearest_base(struct finder *finder, const struct subject *subject,
				  const struct input *broken, const struct rule *rule)
{
	struct input *best = NULL;
	u32 i;

	for (i = 0; i < subject->base_count; i++)
		if (keeps(finder, subject, subject->bases[i], rule))
			nearer(broken, input_copy(subject->bases[i]), &best);
	return best;
}

static struct input *keeping(struct finder *finder, const struct subject *subject,
			     const struct input *broken, const struct rule *rule)
{
	struct input *input = nearest_keeping(finder, subject, broken, rule, false);

	if (!input)
		input = nearest_keeping(finder, subject, broken, rule, true);
	return input ? input : nearest_base(finder, subject, broken, rule);
}

/* The message a received input is meant as. */
static const struct layout *meant(struct finder *finder, const struct subject *subject,
				  const struct input *input)
{
	const struct interp_message message = { input->bytes, input->size, input->context, NULL };
	const struct layout *layout = NULL;

	if (subject->door != DOOR_RECEIVE)
		return subject->layout;
	interp_receive(finder->spec, &message, &layout, NULL);
	return layout ? layout : finder->spec->header;
}

static void add_pair(struct finder *finder, const struct subject *subject, const struct rule *rule,
		     struct input *broken, u32 also)
{
	struct input *kept = keeping(finder, subject, broken, rule);
	struct vector *vector;

	vector = add_vector(finder, rule, true, subject->door, meant(finder, subject, broken), broken);
	vector->also = also && also != INTERP_UNDEFINED ? spec_rule(finder->spec, also) : NULL;
	if (kept)
		add_vector(finder, rule, false, subject->door, meant(finder, subject, kept), kept);
	finder->complete += !!kept;
	free(broken);
	free(kept);
}

static bool is_door_rule(const struct finder *finder, const struct rule *rule)
{
	return rule->owner == finder->spec->header || (rule->owner && rule == rule->owner->refused_rule);
}

static bool concerns(const struct finder *finder, const struct subject *subject, const struct rule *rule)
{
	if (rule->class == RULE_REQUEST)
		return subject->door == DOOR_MATCH && subject->layout == rule->owner;
	return subject->door == (is_door_rule(finder, rule) ? DOOR_RECEIVE : DOOR_CHECK);
}

/* What was found so far to break a rule. */
struct catch {
	const struct subject *subject;
	struct input *input;
	u32 also, tried;
};

static void break_from(struct finder *finder, const struct subject *subject, u32 base,
		       const struct rule *rule, bool alone, struct catch *catch)
{
	u32 also = 0;
	struct input *input = breaking(finder, subject, subject->bases[base], rule, 600, alone ? NULL : &also);

	catch->tried++;
	if (!input || (catch->input && catch->input->size <= input->size)) {
		free(input);
		return;
	}
	free(catch->input);
	*catch = (struct catch){ subject, input, also, catch->tried };
}

static bool enough(const struct catch *catch)
{
	return catch->input ? catch->tried > 5 || catch->input->size <= SMALL_BYTES : catch->tried > 16;
}

/* Where the rule was asked, or where it was not. */
static void break_in(struct finder *finder, const struct subject *subject, const struct rule *rule,
		     bool met, bool alone, struct catch *catch)
{
	u32 i;

	if (!catch->input)
		catch->tried = 0;
	for (i = 0; i < subject->base_count && !enough(catch); i++)
		if ((subject->met[i][rule->number] != 0) == met)
			break_from(finder, subject, i, rule, alone, catch);
}

static bool break_rule(struct finder *finder, const struct rule *rule, bool alone)
{
	struct catch catch = { 0 };
	const struct subject *subject;

	for (subject = finder->subjects; subject; subject = subject->next)
		if (concerns(finder, subject, rule))
			break_in(finder, subject, rule, true, alone, &catch);
	for (subject = finder->subjects; subject && !catch.input; subject = subject->next)
		if (concerns(finder, subject, rule) &&
		    (subject->layout == rule->owner || subject->door == DOOR_RECEIVE))
			break_in(finder, subject, rule, false, alone, &catch);
	if (catch.input)
		add_pair(finder, catch.subject, rule, catch.input, catch.also);
	return catch.input;
}

/* ---- sessions ---- */

static const struct event *event_of(const struct session *session, const struct rule *rule)
{
	const struct event *event = session->events;

	while (event && event->state_rule != rule && event->pairing_rule != rule)
		event = event->next;
	return event;
}

static const struct event *event_for(const struct session *session, enum event_kind kind,
				     const struct layout *message)
{
	const struct event *event = session->events;

	while (event && (event->kind != kind || event->message != message))
		event = event->next;
	return event;
}

static u32 decide_moment(struct finder *finder, const struct session *session, const struct event *event,
			 const struct input *input, u32 state, u64 outstanding)
{
	const struct interp_message message = { input->bytes, input->size, input->context, NULL };
	struct interp_session run = { .state = state, .outstanding = outstanding };
	u32 i;

	for (i = 0; i < 64; i++)
		run.request[i] = (struct interp_message){ input->request, input->request_size,
							  input->request_context, NULL };
	if (event->kind == EV_ON)
		return interp_session_receive(finder->spec, session, &run, event->message, &message, NULL);
	return interp_session_send(finder->spec, session, &run, event->message, &message);
}

static struct vector *moment_vector(struct finder *finder, const struct rule *rule, bool breaks,
				    const struct event *event, const struct input *input)
{
	return add_vector(finder, rule, breaks, event->kind == EV_ON ? DOOR_ARRIVES : DOOR_SENDS,
			  event->message, input);
}

/* A state and outstanding requests in which @input is judged so. */
static bool find_moment(struct finder *finder, const struct rule *rule, const struct event *event,
			const struct input *input, bool breaks)
{
	const struct event *asked = event->kind == EV_SEND ? event : event->message->request ?
		event_for(rule->session, EV_SEND, event->message->request) : NULL;
	u64 pending = asked ? 1ULL << asked->number : 0;
	bool first = (event->kind == EV_ON) == (rule == event->state_rule || !breaks);
	struct vector *vector;
	u32 state, try;
	u64 outstanding;

	for (state = 0; state < rule->session->state_count; state++) {
		for (try = 0; try < 2; try++) {
			outstanding = (try == 0) == first ? pending : 0;
			if (decide_moment(finder, rule->session, event, input, state, outstanding) !=
			    (breaks ? rule->number : 0))
				continue;
			vector = moment_vector(finder, rule, breaks, event, input);
			vector->session = rule->session;
			vector->state = state;
			vector->outstanding = outstanding;
			return true;
		}
	}
	return false;
}

static bool break_moment(struct finder *finder, const struct rule *rule)
{
	const struct event *event = event_of(rule->session, rule);
	bool paired = event->kind == EV_ON && event->message->request &&
		      event_for(rule->session, EV_SEND, event->message->request);
	const struct subject *subject = find_subject(finder, paired ? DOOR_MATCH : DOOR_CHECK, event->message);
	u32 i, j;

	for (i = 0; subject && i < subject->base_count; i++) {
		if (!find_moment(finder, rule, event, subject->bases[i], true))
			continue;
		for (j = 0; j < subject->base_count; j++) {
			if (find_moment(finder, rule, event, subject->bases[(i + j) % subject->base_count], false)) {
				finder->complete++;
				break;
			}
		}
		return true;
	}
	return false;
}

/* ---- the whole ---- */

static void find_all(struct finder *finder)
{
	const struct rule *rule;
	bool found;

	if (finder->spec->context_count <= MOST_VALUES)
		prepare_subjects(finder);
	for (rule = finder->spec->rules; rule; rule = rule->next) {
		if (rule->class == RULE_SESSION)
			found = break_moment(finder, rule);
		else
			found = break_rule(finder, rule, true) || break_rule(finder, rule, false);
		if (!found)
			warn_at(finder->spec, rule->loc, "no input was found that breaks rule '%s' first", rule->name);
	}
}

static void start_finder(struct finder *finder)
{
	struct look *look = &finder->look;

	look->keep = changes_new(MOST_ANSWERS);
	look->keep_goal = changes_new(MOST_ANSWERS);
	look->break_goal = changes_new(MOST_ANSWERS);
	look->other = changes_new(MOST_WAYS);
}

static void end_finder(struct finder *finder)
{
	struct look *look = &finder->look;
	struct subject *subject;

	changes_free(look->keep);
	changes_free(look->keep_goal);
	changes_free(look->break_goal);
	changes_free(look->other);

	for (subject = finder->subjects; subject; subject = subject->next)
		while (subject->base_count)
			free(subject->bases[--subject->base_count]);
}

static struct {
	const struct spec *spec;
	const struct vector *first;
	u32 complete;
} found;

const struct vector *vectors_find(struct spec *spec)
{
	struct vector *first = NULL;
	struct finder *finder;

	if (found.spec == spec)
		return found.first;
	finder = spec_alloc(spec, sizeof(*finder));
	finder->spec = spec;
	finder->tail = &first;
	start_finder(finder);
	find_all(finder);
	end_finder(finder);
	found.spec = spec;
	found.first = first;
	found.complete = finder->complete;
	return first;
}

u32 vectors_complete(struct spec *spec)
{
	vectors_find(spec);
	return found.complete;
}
