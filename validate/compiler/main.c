/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of airspec.
 */
#include <errno.h>
#include <string.h>

#include "airspec.h"

static int check(int count, char **paths)
{
	u32 errors = 0, warnings = 0;
	struct spec *spec;
	int i;

	for (i = 0; i < count; i++) {
		spec = spec_read(paths[i], stderr);
		if (!spec) {
			fprintf(stderr, "airspec: %s: %s\n", paths[i], strerror(errno));
			return 2;
		}
		errors += spec->errors;
		warnings += spec->warnings;
		spec_free(spec);
	}
	if (errors || warnings)
		fprintf(stderr, "airspec: %u errors, %u warnings\n", errors, warnings);
	return errors || warnings;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "check"))
		return check(argc - 2, argv + 2);
	fputs("usage: airspec check FILE...\n", stderr);
	return 2;
}
