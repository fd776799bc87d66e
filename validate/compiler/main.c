/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of airspec: check, build, decode.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airspec.h"

static int usage(FILE *out, int status)
{
	fputs("usage: airspec check FILE...                    report mistakes\n"
	      "       airspec build -o DIRECTORY FILE...       write everything made from a specification\n"
	      "       airspec rules FILE...                    list the rules: id, number, line, name\n"
	      "       airspec decode FILE MESSAGE HEX [NAME=VALUE...]\n"
	      "                                                judge one message; NAME is a context value\n", out);
	return status;
}

static struct spec *read_or_complain(const char *path)
{
	struct spec *spec = spec_read(path, stderr);

	if (!spec)
		fprintf(stderr, "airspec: %s: %s\n", path, strerror(errno));
	return spec;
}

static int check(int count, char **paths)
{
	u32 errors = 0, warnings = 0;
	struct spec *spec;
	int i;

	for (i = 0; i < count; i++) {
		spec = read_or_complain(paths[i]);
		if (!spec)
			return 2;
		errors += spec->errors;
		warnings += spec->warnings;
		spec_free(spec);
	}
	if (errors || warnings)
		fprintf(stderr, "airspec: %u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s",
			warnings, warnings == 1 ? "" : "s");
	return errors || warnings;
}

/* ---- build ---- */

static void plain_source(struct spec *spec, FILE *out)
{
	emit_source(spec, out, false);
}

static void annotated_source(struct spec *spec, FILE *out)
{
	emit_source(spec, out, true);
}

static const struct {
	const char *ending;
	void (*emit)(struct spec *spec, FILE *out);
} outputs[] = {
	{ ".h", emit_header }, { ".c", plain_source }, { "_acsl.c", annotated_source },
	{ "_tables.c", emit_tables }, { "_layout.h", emit_layout }, { "_glue.c", emit_glue },
	{ "_vectors.c", emit_vectors }, { ".dict", emit_dictionary }, { "_mutator.c", emit_mutator },
	{ ".lua", emit_dissector }, { ".md", emit_reference },
};

static FILE *create(const char *directory, const char *name, const char *ending)
{
	char path[4096];
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s%s", directory, name, ending) >= (int)sizeof(path)) {
		fprintf(stderr, "airspec: the path of %s%s is too long\n", name, ending);
		return NULL;
	}
	file = fopen(path, "w");
	if (!file)
		fprintf(stderr, "airspec: %s: %s\n", path, strerror(errno));
	return file;
}

static bool finish(FILE *file, const char *name)
{
	bool good = !ferror(file);

	if (fclose(file) || !good) {
		fprintf(stderr, "airspec: %s: %s\n", name, strerror(errno));
		return false;
	}
	return true;
}

static bool build_capture(struct spec *spec, const char *directory)
{
	FILE *capture = create(directory, spec->name, ".pcap");
	FILE *expected = capture ? create(directory, spec->name, ".expect") : NULL;

	if (!expected)
		return false;
	emit_capture(spec, capture, expected);
	return finish(capture, spec->name) && finish(expected, spec->name);
}

static bool build_one(struct spec *spec, const char *directory)
{
	FILE *file;
	size_t i;

	for (i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		file = create(directory, spec->name, outputs[i].ending);
		if (!file)
			return false;
		outputs[i].emit(spec, file);
		if (!finish(file, spec->name))
			return false;
	}
	return build_capture(spec, directory);
}

static int build(const char *directory, int count, char **paths)
{
	struct spec *spec;
	bool good = true;
	int i;

	for (i = 0; i < count && good; i++) {
		spec = read_or_complain(paths[i]);
		if (!spec)
			return 2;
		good = !spec->errors && build_one(spec, directory);
		if (spec->errors)
			fprintf(stderr, "airspec: %s: nothing written\n", paths[i]);
		spec_free(spec);
	}
	return good ? 0 : 1;
}

/* ---- rules ---- */

static int rules(int count, char **paths)
{
	const struct rule *rule;
	struct spec *spec;
	int i;

	for (i = 0; i < count; i++) {
		spec = read_or_complain(paths[i]);
		if (!spec || spec->errors)
			return 2;
		for (rule = spec->rules; rule; rule = rule->next)
			printf("%08x %4u %s:%u %s\n", rule->id, rule->number, paths[i], rule->loc.line, rule->name);
		spec_free(spec);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "check"))
		return check(argc - 2, argv + 2);
	if (argc > 4 && !strcmp(argv[1], "build") && !strcmp(argv[2], "-o"))
		return build(argv[3], argc - 4, argv + 4);
	if (argc > 2 && !strcmp(argv[1], "rules"))
		return rules(argc - 2, argv + 2);
	if (argc > 4 && !strcmp(argv[1], "decode"))
		return decode(argv[2], argv[3], argv[4], argc - 5, argv + 5);
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")))
		return usage(stdout, 0);
	return usage(stderr, 2);
}
