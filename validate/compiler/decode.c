/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * airspec decode: shows what the interpreter sees in a message, field by field, and its
 * verdict with the rule's name, id and line.
 */
#include <stdlib.h>
#include <string.h>

#include "interp.h"

#define MOST_BYTES 65536

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Blanks, ':' and '|' between bytes are for the reader. */
static bool read_hex(const char *hex, u8 *bytes, u32 *size)
{
	for (*size = 0; *hex; hex++) {
		if (strchr(" \n\t:|", *hex))
			continue;
		if (hex_digit(hex[0]) < 0 || hex_digit(hex[1]) < 0 || *size == MOST_BYTES) {
			fprintf(stderr, "airspec: expected two hexadecimal digits at '%.8s'\n", hex);
			return false;
		}
		bytes[(*size)++] = (u8)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	return true;
}

static bool read_version(const struct spec *spec, const char *text, u64 *value)
{
	unsigned int major, minor;
	char rest;

	if (sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2)
		return false;
	*value = (u64)major << spec->version_shift | minor;
	return true;
}

static bool set_value(const struct spec *spec, const char *text, u64 *values)
{
	const char *equals = strchr(text, '=');
	const struct context_value *context;
	u64 value;
	char *end;

	for (context = equals ? spec->context : NULL; context; context = context->next)
		if (strlen(context->name) == (size_t)(equals - text) &&
		    !strncmp(context->name, text, (size_t)(equals - text)))
			break;
	if (!context) {
		fprintf(stderr, "airspec: '%s' is no NAME=VALUE of a context value\n", text);
		return false;
	}
	value = strtoull(equals + 1, &end, 0);
	if ((*end || !equals[1]) && !(context->is_version && read_version(spec, equals + 1, &value))) {
		fprintf(stderr, "airspec: '%s' is no number\n", equals + 1);
		return false;
	}
	if ((s128)value < context->range.lo || (s128)value > context->range.hi) {
		fprintf(stderr, "airspec: %s can be %llu to %llu\n", context->name,
			(unsigned long long)context->range.lo, (unsigned long long)context->range.hi);
		return false;
	}
	values[context->index] = value;
	return true;
}

/* ---- what is seen ---- */

static const char *enumerator_of(const struct field *field, u64 value)
{
	const struct enumerator *one = field->type->kind == T_ENUM ? field->type->enumeration->values : NULL;

	for (; one; one = one->next)
		if (one->value == value)
			return one->name;
	return NULL;
}

static void show(void *arg, const struct field *field, const struct bitpart *bit, u32 offset, u32 width, u64 value)
{
	const char *name = bit ? NULL : enumerator_of(field, value);

	(void)arg;
	printf("%6u  %s%s%s = ", offset, field->name, bit ? "." : "", bit ? bit->name : "");
	if (!width && !bit)
		printf("%llu bytes\n", (unsigned long long)value);
	else if (name)
		printf("%s (%llu)\n", name, (unsigned long long)value);
	else
		printf(value > 9 ? "%llu (0x%llx)\n" : "%llu\n", (unsigned long long)value, (unsigned long long)value);
}

static int verdict(const struct spec *spec, u32 number)
{
	const struct rule *rule = spec_rule(spec, number);
	const char *start = spec->text;
	u32 i;

	if (!rule) {
		puts("accepted");
		return 0;
	}
	printf("rejected by %s, id %08x\n", rule->name, rule->id);
	for (i = 1; i < rule->loc.line && start; i++) {
		start = strchr(start, '\n');
		start = start ? start + 1 : NULL;
	}
	if (start)
		printf("%s:%u: %.*s\n", spec->path, rule->loc.line, (int)strcspn(start, "\n"), start);
	return 1;
}

/* What is assumed of the context unless the caller says otherwise: the newest version, wide limits, nothing else. */
static u64 assumed(const struct context_value *context)
{
	bool choice = context->type->kind != T_INT || context->range.hi <= 1;

	return (u64)(choice && !context->is_version ? context->range.lo : context->range.hi);
}

static void show_context(const struct spec *spec, const u64 *known)
{
	const struct context_value *context;

	for (context = spec->context; context; context = context->next) {
		printf(context == spec->context ? "with %s=" : " %s=", context->name);
		if (context->is_version)
			printf("%llu.%llu", (unsigned long long)known[context->index] >> spec->version_shift,
			       (unsigned long long)known[context->index] & ((1ULL << spec->version_shift) - 1));
		else
			printf("%llu", (unsigned long long)known[context->index]);
	}
	if (spec->context)
		putchar('\n');
}

/* A message that is recognised shows itself; of any other there is only the header. */
static u32 judge_any(const struct spec *spec, const struct interp_message *message)
{
	struct interp_observer observer = { .saw = show };
	const struct layout *layout;
	u32 rule = interp_receive(spec, message, &layout, NULL);

	if (layout)
		printf("this is '%s'\n", layout->name);
	if (!layout && spec->header && (s128)message->size >= spec->header->fixed_size)
		layout = spec->header;
	if (layout && layout->direction != REFUSED)
		interp_check(spec, layout, message, &observer);
	return rule;
}

static u32 judge(const struct spec *spec, const char *name, const struct interp_message *message, bool *known)
{
	struct interp_observer observer = { .saw = show };
	const struct layout *layout = spec_layout(spec, name);

	*known = true;
	if (!strcmp(name, "-"))
		return judge_any(spec, message);
	if (layout && (layout->kind == L_MESSAGE || layout->kind == L_FRAME))
		return interp_check(spec, layout, message, &observer);
	fprintf(stderr, "airspec: %s has no message or frame '%s' ('-': any from the host)\n", spec->path, name);
	*known = false;
	return 0;
}

int decode(const char *path, const char *name, const char *hex, int count, char **values)
{
	struct spec *spec = spec_read(path, stderr);
	static u8 bytes[MOST_BYTES];
	const struct context_value *context;
	struct interp_message message = { .bytes = bytes };
	u64 *known;
	bool found;
	u32 rule;
	int i;

	if (!spec || spec->errors || !read_hex(hex, bytes, &message.size))
		return 2;
	known = spec_alloc(spec, (spec->context_count + 1) * sizeof(*known));
	for (context = spec->context; context; context = context->next)
		known[context->index] = assumed(context);
	for (i = 0; i < count; i++)
		if (!set_value(spec, values[i], known))
			return 2;
	message.context = known;
	show_context(spec, known);
	rule = judge(spec, name, &message, &found);
	i = found ? verdict(spec, rule) : 2;
	spec_free(spec);
	return i;
}
