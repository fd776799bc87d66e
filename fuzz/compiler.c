/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer harness of the specification compiler: spec_compile() on any text, and every
 * back end on what it finds no errors in. It must neither crash nor hang, leak or touch
 * what is not its own. The mutator moves whole words, so that most texts still parse.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "airspec.h"

#define MOST_WORDS 8192
#define MOST_RULES 10

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

/* ---- the target ---- */

static FILE *nowhere(void)
{
	static FILE *file;

	if (!file)
		file = fopen("/dev/null", "w");
	if (!file)
		abort();
	return file;
}

/* Those that need test vectors search for them, which takes its time: in small ones only. */
static void emit_all(struct spec *spec, FILE *out)
{
	emit_header(spec, out);
	emit_source(spec, out, false);
	emit_source(spec, out, true);
	emit_tables(spec, out);
	emit_layout(spec, out);
	emit_glue(spec, out);
	emit_dictionary(spec, out);
	emit_dissector(spec, out);
	emit_reference(spec, out);
	if (spec->rule_count > MOST_RULES)
		return;
	emit_vectors(spec, out);
	emit_mutator(spec, out);
	emit_capture(spec, out, out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct spec *spec = spec_compile("fuzz.spec", (const char *)data, size, nowhere());

	if (!spec->errors)
		emit_all(spec, nowhere());
	spec_free(spec);
	return 0;
}

/* ---- the mutator ---- */

struct word {
	size_t start, length;
};

struct text {
	u8 *data;
	size_t size, max;
	struct word words[MOST_WORDS];
	size_t count;
	u32 random;
};

static size_t below(struct text *text, size_t limit)
{
	text->random = text->random * 1664525 + 1013904223;
	return limit ? (text->random >> 8) % limit : 0;
}

static bool is_name(u8 c)
{
	return isalnum(c) || c == '_';
}

static void find_words(struct text *text)
{
	size_t i = 0, start;

	text->count = 0;
	while (i < text->size && text->count < MOST_WORDS) {
		if (isspace(text->data[i])) {
			i++;
			continue;
		}
		start = i++;
		while (is_name(text->data[start]) && i < text->size && is_name(text->data[i]))
			i++;
		text->words[text->count++] = (struct word){ start, i - start };
	}
}

/* Puts @length bytes in the place of a word; a blank keeps it apart from its neighbours. */
static void replace(struct text *text, struct word word, const u8 *bytes, size_t length)
{
	u8 copy[256];
	size_t behind = word.start + word.length;

	if (length >= sizeof(copy) || text->size - word.length + length + 1 > text->max)
		return;
	memcpy(copy, bytes, length);
	copy[length++] = ' ';
	memmove(text->data + word.start + length, text->data + behind, text->size - behind);
	memcpy(text->data + word.start, copy, length);
	text->size = text->size - word.length + length;
}

static struct word any_word(struct text *text)
{
	return text->words[below(text, text->count)];
}

static void copy_word(struct text *text)
{
	struct word from = any_word(text), to = any_word(text);

	replace(text, to, text->data + from.start, from.length);
}

/* A word comes in front of another. */
static void insert_words(struct text *text)
{
	size_t first = below(text, text->count), length;
	struct word from = text->words[first], to = any_word(text), last;

	last = text->words[first + below(text, text->count - first < 12 ? text->count - first : 12)];
	length = last.start + last.length - from.start;
	to.length = 0;
	replace(text, to, text->data + from.start, length);
}

static void delete_word(struct text *text)
{
	replace(text, any_word(text), (const u8 *)"", 0);
}

static void change_number(struct text *text)
{
	static const char *const numbers[] = {
		"0", "1", "2", "7", "8", "63", "64", "65", "255", "256", "65535", "65536", "4294967295",
		"4294967296", "18446744073709551615", "18446744073709551616", "0x8000000000000000", "1.0",
	};
	const char *number = numbers[below(text, sizeof(numbers) / sizeof(numbers[0]))];
	struct word word;
	u32 tries;

	for (tries = 0; tries < 32; tries++) {
		word = any_word(text);
		if (isdigit(text->data[word.start])) {
			replace(text, word, (const u8 *)number, strlen(number));
			return;
		}
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned int seed)
{
	static struct text text;
	size_t changes;

	text.data = data;
	text.size = size;
	text.max = max;
	text.random = seed;
	if (!below(&text, 3))
		return LLVMFuzzerMutate(data, size, max);
	for (changes = 1 + below(&text, 3); changes; changes--) {
		static void (*const kinds[])(struct text *text) = {
			copy_word, copy_word, insert_words, delete_word, change_number,
		};

		find_words(&text);
		if (!text.count)
			return LLVMFuzzerMutate(data, text.size, max);
		kinds[below(&text, sizeof(kinds) / sizeof(kinds[0]))](&text);
	}
	return text.size;
}
