/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer harness of the generated validators of one protocol (-DPROTOCOL=control). Targets:
 * <protocol>_receive() and the sessions behind it, and the check of each frame and message.
 * An input is 8 bytes that choose a context and a target, and a message. The message is judged twice, in
 * copies of different alignment that end where their memory ends, into views that held
 * different bytes before: verdict and view must be the same, and point into the message.
 *
 * With AIRLOCK_FUZZ_PLANT set, an accepted message is a crash: so the harness shows that it
 * gets that far.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glue.h"
#include "mutate.h"
#include "wire_slice.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define GLUE JOIN(PROTOCOL, _glue)
#define TABLES JOIN(PROTOCOL, _mutate_tables)
#define MUTATE JOIN(PROTOCOL, _mutate)

#define SELECTOR_BYTES 8
#define MOST_VALUES 64
#define MOST_TARGETS 256

extern const struct glue GLUE;
extern const struct mutate_tables TABLES;
size_t MUTATE(u8 *data, size_t size, size_t max, u32 seed);

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

/* One of the two copies, and all that came of it. */
struct side {
	u8 *memory, *bytes;	/* bytes: in memory, up to its end */
	u32 size;
	void *view;
	int rule;
	u32 kind;
};

static const struct glue_layout *targets[MOST_TARGETS];
static bool accepted[MOST_TARGETS];
static u32 target_count;
static void *context, *views[2];
static bool planted;

static void *get_memory(size_t bytes)
{
	void *memory = calloc(1, bytes + 1);

	if (!memory)
		abort();
	return memory;
}

static void disagree(const char *what, const char *where)
{
	fprintf(stderr, "fuzz: protocol %s: %s: %s\n", GLUE.name, where, what);
	abort();
}

/* ---- what there is to check ---- */

static const struct glue_layout *find_layout(const char *name)
{
	u32 i;

	for (i = 0; i < GLUE.layout_count; i++)
		if (!strcmp(GLUE.layouts[i].name, name))
			return &GLUE.layouts[i];
	return NULL;
}

static bool is_message(u32 kind)
{
	u32 i;

	for (i = 0; i < GLUE.layout_count; i++)
		if (kind && GLUE.layouts[i].kind == kind)
			return true;
	return false;
}

/* How far we came. */
static void report(void)
{
	u32 count = 0, i;

	for (i = 0; i < target_count; i++)
		count += accepted[i];
	fprintf(stderr, "stat::accepted: %u of %u\n", count, target_count);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	u32 largest = GLUE.message_size, i;

	(void)count;
	(void)arguments;
	for (i = 0; TABLES.whole[i] && target_count < MOST_TARGETS; i++) {
		targets[target_count] = find_layout(TABLES.whole[i]);
		if (!targets[target_count])
			disagree("is in the mutator's tables only", TABLES.whole[i]);
		if (targets[target_count]->view_size > largest)
			largest = targets[target_count]->view_size;
		target_count++;
	}
	if (TABLES.context_count > MOST_VALUES || !target_count)
		disagree("too many values, or nothing to check", "tables");
	context = get_memory(GLUE.context_size);
	views[0] = get_memory(largest);
	views[1] = get_memory(largest);
	planted = getenv("AIRLOCK_FUZZ_PLANT");
	atexit(report);
	return 0;
}

/* ---- the two sides ---- */

static void prepare(struct side *side, const u8 *message, u32 size, u32 misaligned, void *view)
{
	side->memory = malloc(size + misaligned + !(size + misaligned));
	if (!side->memory)
		abort();
	side->bytes = side->memory + misaligned + !(size + misaligned);
	side->size = size;
	if (size)
		memcpy(side->bytes, message, size);
	side->view = view;
}

/* A slice is inside of the message; where, is the same on both sides. */
static void compare_slices(const struct side *sides, const struct glue_member *member)
{
	struct wire_slice slices[2];
	size_t offsets[2] = { 0, 0 };
	u32 i;

	for (i = 0; i < 2; i++) {
		memcpy(&slices[i], (const u8 *)sides[i].view + member->offset, sizeof(slices[i]));
		if (!slices[i].data)
			continue;
		offsets[i] = (size_t)(slices[i].data - sides[i].bytes);
		if (offsets[i] > sides[i].size || slices[i].size > sides[i].size - offsets[i])
			disagree("points out of the message", member->path);
	}
	if (!slices[0].data != !slices[1].data || slices[0].size != slices[1].size || offsets[0] != offsets[1])
		disagree("differs with the alignment or the view's memory", member->path);
}

static void compare_views(const struct side *sides, const struct glue_layout *layout)
{
	const struct glue_member *member;
	u32 i;

	for (i = 0; i < layout->member_count; i++) {
		member = &layout->members[i];
		if (!member->size)
			compare_slices(sides, member);
		else if (memcmp((const u8 *)sides[0].view + member->offset,
				(const u8 *)sides[1].view + member->offset, member->size))
			disagree("differs with the alignment or the view's memory", member->path);
	}
	if (planted)
		disagree("accepted, as planted", layout->name);
}

static void check_target(struct side *sides, u32 target)
{
	const struct glue_layout *layout = targets[target];
	u32 used, i;

	for (i = 0; i < 2; i++) {
		memset(sides[i].view, i ? 0xff : 0, layout->view_size);
		sides[i].rule = layout->check(sides[i].bytes, sides[i].size, context, NULL, sides[i].view, &used);
	}
	if (sides[0].rule != sides[1].rule)
		disagree("two verdicts", layout->name);
	if ((u32)sides[0].rule > GLUE.rule_count)
		disagree("no rule has this number", layout->name);
	if (sides[0].rule)
		return;
	accepted[target] = true;
	compare_views(sides, layout);
}

/* ---- what has arrived goes to the sessions ---- */

/* A few decisions and deadlines, then the message as one of ours, then as one of the host's. */
static int run_session(const struct glue_session *session, void *run, u64 selector, const void *message)
{
	u32 i;
	int rule;

	session->start(run);
	for (i = 0; i < 4; i++, selector >>= 5)
		session->local(run, selector & 31);
	rule = session->send(run, context, message);
	return session->receive(run, context, message) << 16 | rule;
}

static void pass_on(const struct glue_session *session, const struct side *sides, u64 selector)
{
	void *runs[2];
	int rules[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		runs[i] = get_memory(session->size);
		rules[i] = run_session(session, runs[i], selector, sides[i].view);
	}
	if (rules[0] != rules[1] || session->state(runs[0]) != session->state(runs[1]))
		disagree("two verdicts of a session", session->name);
	free(runs[0]);
	free(runs[1]);
}

static void receive(struct side *sides, u64 selector)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		memset(sides[i].view, i ? 0xff : 0, GLUE.message_size);
		sides[i].rule = GLUE.receive(sides[i].bytes, sides[i].size, context, sides[i].view, &sides[i].kind);
	}
	if (sides[0].rule != sides[1].rule || (!sides[0].rule && sides[0].kind != sides[1].kind))
		disagree("two verdicts", "receive");
	if (sides[0].rule)
		return;
	if (!is_message(sides[0].kind))
		disagree("accepted a message of no kind", "receive");
	for (i = 0; i < GLUE.session_count; i++)
		pass_on(&GLUE.sessions[i], sides, selector);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 values[MOST_VALUES], selector = 0;
	struct side sides[2];
	u32 at_first;

	if (size < SELECTOR_BYTES)
		return 0;
	memcpy(&selector, data, SELECTOR_BYTES);
	mutate_context(&TABLES, selector, values);
	if (GLUE.fill)
		GLUE.fill(values, context);
	size -= SELECTOR_BYTES;
	at_first = (u32)selector & 7;
	prepare(&sides[0], data + SELECTOR_BYTES, (u32)size, at_first, views[0]);
	prepare(&sides[1], data + SELECTOR_BYTES, (u32)size, at_first ^ 1, views[1]);
	check_target(sides, (u32)(selector >> 32) % target_count);
	if (GLUE.receive)
		receive(sides, selector);
	free(sides[0].memory);
	free(sides[1].memory);
	return 0;
}

/* ---- the mutator ---- */

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned int seed)
{
	u64 selector = seed * 0x9e3779b97f4a7c15ULL;

	if (max <= SELECTOR_BYTES || !(seed % 8))
		return LLVMFuzzerMutate(data, size, max);
	if (size < SELECTOR_BYTES || !(seed % 5)) {
		memcpy(data, &selector, SELECTOR_BYTES);
		size = size < SELECTOR_BYTES ? SELECTOR_BYTES : size;
	}
	return SELECTOR_BYTES + MUTATE(data + SELECTOR_BYTES, size - SELECTOR_BYTES, max - SELECTOR_BYTES, seed);
}
