// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to make mutants of, with checks whose fate is known: see self.sh. It is its own
 * test: it ends with 0 if all is well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "never" and "inverted" change what it returns. */
static int limit(int value)
{
	if (value > 10)
		return 10;
	return value;
}

/* "never" does not end; "inverted" ends at once, with the wrong sum. */
static int sum(int count)
{
	int total = 0;

	for (;;) {
		if (!count--)
			return total;
		total += count & 1;
	}
}

/* What it does, nobody looks at: both survive. */
static void unnoticed(int value)
{
	if (value == 3)
		setvbuf(stdout, NULL, _IOLBF, 64);
}

/* Never true: "never" survives, "inverted" does not. */
static int impossible(const char *text)
{
	if (strlen(text) > 100)
		return -1;
	return 0;
}

/* Whether there is a word is decided by how the program is started: two tests. */
static int odd(const char *word)
{
	if (word)
		return strcmp(word, "odd") ? 0 : 2;
	else if (limit(2) == 2)
		return 1;
	return 0;
}

int main(int argc, char **argv)
{
	unnoticed(3);
	if (limit(5) != 5 || limit(11) != 10 || sum(6) != 3 || impossible("text"))
		return 1;
	return odd(argc > 1 ? argv[1] : NULL) != argc;
}
