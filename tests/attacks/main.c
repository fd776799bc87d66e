// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attack ledger. Runs each attack of the catalogue in a process of its own and prints
 * "ID verdict evidence" a line; the last line adds up. An id of the catalogue without an
 * attack is a failure, like an attack that never reached the guest.
 *
 *	attacks                 all, with one line each
 *	attacks ID...           some of them, with all they have to say
 *	attacks --one ID        one, in this very process (for tools that count checks)
 *	attacks --list          ids, for tools
 *	attacks --racing [ID...]  those that race, in threads
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"
#include "ledger.h"

#define SECONDS 60		/* that one attack may take */
#define CATALOGUE "docs/attack-coverage.md"

extern const struct attack *const __start_attacks[], *const __stop_attacks[];

struct result {
	const struct attack *attack;
	bool contained;
	char text[400];
};

static unsigned int contained, failed, not_applicable;

/* Each attack looks for leaks by itself, and more strictly. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* A child says what it has found in lines; the last line is its verdict. */
static void run_child(const struct attack *a, int out, bool quiet)
{
	dup2(out, STDOUT_FILENO);
	if (quiet)
		dup2(out, STDERR_FILENO);
	ledger_run(a);
	fflush(stdout);
	_exit(0);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Everything the child says, until it ends or its time is over. */
static bool hear_child(int in, pid_t child, char *said, size_t room, int *status)
{
	long long end = now_ms() + SECONDS * 1000LL;
	struct pollfd waiting = { in, POLLIN, 0 };
	size_t used = 0;
	ssize_t got;

	for (;;) {
		long long left = end - now_ms();

		if (left <= 0 || poll(&waiting, 1, (int)left) <= 0) {
			kill(child, SIGKILL);
			waitpid(child, status, 0);
			said[used] = '\0';
			return false;
		}
		got = read(in, said + used, room - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
		if (used == room - 1)
			used = room / 2;	/* keep what was said last */
	}
	said[used] = '\0';
	waitpid(child, status, 0);
	return true;
}

/* The line after @mark, the last one that has it. */
static bool find_line(const char *said, const char *mark, char *line, size_t room)
{
	const char *at = said, *found = NULL;
	size_t size;

	for (; (at = strstr(at, mark)); at += strlen(mark))
		if (at == said || at[-1] == '\n')
			found = at + strlen(mark);
	if (!found)
		return false;
	size = strcspn(found, "\n");
	if (size >= room)
		size = room - 1;
	memcpy(line, found, size);
	line[size] = '\0';
	return true;
}

static void judge(const struct attack *a, bool in_time, int status, const char *said, struct result *r)
{
	r->attack = a;
	r->contained = false;
	if (!in_time)
		snprintf(r->text, sizeof(r->text), "did not end within %d seconds", SECONDS);
	else if (find_line(said, LEDGER_FAILED, r->text, sizeof(r->text)))
		;
	else if (find_line(said, "shim: ", r->text, sizeof(r->text)) ||
		 find_line(said, "SUMMARY: ", r->text, sizeof(r->text)))
		;
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		snprintf(r->text, sizeof(r->text), "ended with status %#x", (unsigned int)status);
	else if (find_line(said, LEDGER_CONTAINED, r->text, sizeof(r->text)))
		r->contained = true;
	else
		snprintf(r->text, sizeof(r->text), "said nothing");
}

static void run_attack(const struct attack *a, bool quiet, struct result *r)
{
	static char said[1 << 20];
	int pipes[2], status = 0;
	bool in_time;
	pid_t child;

	if (pipe(pipes) || (fflush(stdout), child = fork()) < 0) {
		perror("attacks");
		exit(2);
	}
	if (!child) {
		close(pipes[0]);
		run_child(a, pipes[1], true);
	}
	close(pipes[1]);
	in_time = hear_child(pipes[0], child, said, sizeof(said), &status);
	close(pipes[0]);
	judge(a, in_time, status, said, r);
	if (!quiet || (!r->contained && getenv("VERBOSE")))
		fputs(said, stdout);
}

static void report(const struct attack *a, bool quiet)
{
	struct result r;

	if (a->not_applicable) {
		printf("%s not applicable: %s\n", a->id, a->not_applicable);
		not_applicable++;
		return;
	}
	run_attack(a, quiet, &r);
	printf("%s %s: %s\n", a->id, r.contained ? "contained" : "FAILED", r.text);
	fflush(stdout);
	contained += r.contained;
	failed += !r.contained;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct attack *const *)a)->id, (*(const struct attack *const *)b)->id);
}

/* All attacks, in the order of their ids. */
static const struct attack **list_attacks(size_t *count)
{
	const struct attack **list;
	size_t i;

	*count = (size_t)(__stop_attacks - __start_attacks);
	list = calloc(*count, sizeof(*list));
	if (!list)
		exit(2);
	for (i = 0; i < *count; i++)
		list[i] = __start_attacks[i];
	qsort(list, *count, sizeof(*list), by_id);
	return list;
}

static bool has_attack(const struct attack **list, size_t count, const char *id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(list[i]->id, id) && !list[i]->racing)
			return true;
	return false;
}

/* Every id that has a row in the catalogue has an attack. */
static void check_complete(const struct attack **list, size_t count)
{
	FILE *in = fopen(CATALOGUE, "r");
	char line[1024], id[16];

	if (!in) {
		printf("FAILED: cannot read %s: %s\n", CATALOGUE, strerror(errno));
		failed++;
		return;
	}
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "| %15[CRST0-9-] |", id) != 1 || !strchr(id, '-') || id[0] == '-')
			continue;
		if (!has_attack(list, count, id)) {
			printf("%s FAILED: no attack has this id\n", id);
			failed++;
		}
	}
	fclose(in);
}

static int run_one(const struct attack **list, size_t count, const char *id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(list[i]->id, id) && list[i]->run && !list[i]->racing)
			ledger_run(list[i]);
	fflush(stdout);
	return 0;
}

static bool wanted(const struct attack *a, char **ids, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strncmp(a->id, ids[i], strlen(ids[i])))
			return true;
	return !count;
}

int main(int argc, char **argv)
{
	size_t count, i;
	const struct attack **list = list_attacks(&count);
	bool racing = argc > 1 && !strcmp(argv[1], "--racing");
	int first;

	if (argc > 1 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < count; i++)
			if (list[i]->run && !list[i]->racing)
				printf("%s\n", list[i]->id);
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "--one"))
		return run_one(list, count, argv[2]);
	if (argc == 1)
		check_complete(list, count);
	ledger_threads = racing;
	first = racing ? 2 : 1;
	for (i = 0; i < count; i++) {
		if (list[i]->racing == racing && wanted(list[i], argv + first, argc - first))
			report(list[i], argc == first);
	}
	printf("attacks: %u contained, %u failed, %u not applicable\n", contained, failed, not_applicable);
	free(list);
	return failed ? 1 : 0;
}
