// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into every program that mutants are made of; acts before main(), on the environment:
 *
 *	MUTANT_LIST=FILE	write what checks there are, in the order of their numbers, and end
 *	MUTANT_SEEN=FILE	note in FILE, a byte a check, which conditions were true and false;
 *				in shared memory, so that children count and a crash loses nothing
 *	MUTANT="MODE N..."	checks N...: never (as if the condition were false) or inverted
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "if.h"

#undef if

unsigned char mutant_unseen;

/* By the linker, around what if.h put there; nothing, where there is no check. */
extern struct mutant_check *const __start_mutant_checks[] __attribute__((weak));
extern struct mutant_check *const __stop_mutant_checks[] __attribute__((weak));

static void die(const char *what)
{
	perror(what);
	_exit(99);
}

static unsigned int count(void)
{
	return (unsigned int)(__stop_mutant_checks - __start_mutant_checks);
}

static void list(const char *path)
{
	FILE *file = fopen(path, "w");
	unsigned int i;

	if (!file)
		die(path);
	for (i = 0; i < count(); i++) {
		const struct mutant_check *check = __start_mutant_checks[i];

		fprintf(file, "%s\t%d\t%s\t%s\n", check->file, check->line, check->function, check->text);
	}
	if (fclose(file))
		die(path);
	_exit(0);
}

static void see(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *seen;
	unsigned int i;

	if (file < 0 || ftruncate(file, count()))
		die(path);
	seen = mmap(NULL, count(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (seen == MAP_FAILED)
		die(path);
	close(file);
	for (i = 0; i < count(); i++)
		__start_mutant_checks[i]->seen = &seen[i];
}

static void mutate(const char *how)
{
	unsigned char inverted = !strncmp(how, "inverted ", 9);
	char *at;

	if (!inverted && strncmp(how, "never ", 6))
		die(how);
	at = strchr(how, ' ');
	while (*at) {
		unsigned long number = strtoul(at, &at, 10);

		if (number >= count() || (*at && *at != ' '))
			die(how);
		__start_mutant_checks[number]->keep = inverted;
		__start_mutant_checks[number]->flip = inverted;
	}
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("MUTANT_LIST"), *seen = getenv("MUTANT_SEEN"), *how = getenv("MUTANT");

	if (path)
		list(path);
	if (seen)
		see(seen);
	if (how)
		mutate(how);
}
