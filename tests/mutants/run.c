// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes mutants and counts how many the tests catch. Reads tests from standard input, a command
 * a line, its first word a program linked with switch.c:
 *
 *	run [-j JOBS] [-k MOST] [-l LEAST] [-o REPORT] [-s SURVIVORS] PREFIX... < tests
 *
 * Checks are the ifs in files whose names start with one of the prefixes. Each test runs once
 * unchanged, which shows what conditions it saw true and false. Then there are two mutants of a check:
 * "never" (what it guards never happens) and "inverted"; each meets those tests that can tell,
 * first those that caught its neighbours, then the quickest, until one fails or MOST have not.
 * SURVIVORS holds those that are known, with the reason:
 *
 *	MODE FILE FUNCTION CONDITION -- REASON
 *
 * Ends with 1 if less than LEAST % were caught, if one survived without a reason, or if a test
 * fails by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 16		/* of a command */
#define SLOWEST 60000		/* ms, a test by itself */
#define PATIENCE 2000		/* ms that a mutant's test gets in addition to ten times its own */
#define JOBS_MAX 64
#define KEEN 8

enum { FALSE_SEEN = 1, TRUE_SEEN = 2 };
enum mode { NEVER, INVERTED, MODES };

static const char *const mode_names[] = { "never", "inverted" };

struct check {
	char *file, *function, *text;
	unsigned int line;
	unsigned int seen;		/* by any test */
};

struct program {
	char *path;
	unsigned int count;
	unsigned int *checks;		/* its numbers -> ours; NOT_OURS: another's code */
};

struct test {
	char *command;
	char *words[WORDS + 1];
	const struct program *program;
	unsigned int ms;
	unsigned char *seen;		/* by number of a check */
};

struct survivor {
	enum mode mode;
	char *file, *function, *text, *reason;
	unsigned int met;
};

enum fate { WAITING, FAILED, STUCK, SURVIVED, UNSEEN };

struct mutant {
	enum fate fate;
	unsigned int test;		/* that caught it */
	unsigned int runs;
};

/* What worker processes write. */
struct shared {
	unsigned int next, done, caught;
	struct mutant mutants[];
};

#define NOT_OURS (~0U)

static struct check *checks;
static unsigned int check_count;
static struct program *programs;
static unsigned int program_count;
static struct test *tests;
static unsigned int test_count, broken;
static struct survivor *survivors;
static unsigned int survivor_count;
static struct shared *shared;

static unsigned int jobs = 2, most = 60;
static double least = 95;
static const char *report_path, *survivors_path;
static char **prefixes;
static char scratch[] = "/tmp/mutants.XXXXXX";
static char scratch_list[64], scratch_seen[64];

/* ---- small things ---- */

static void die(const char *what)
{
	fprintf(stderr, "mutants: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void refuse(const char *what, const char *why)
{
	fprintf(stderr, "mutants: %s %s\n", what, why);
	exit(2);
}

static void *more(void *array, unsigned int count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		die("memory");
	return array;
}

static char *copy(const char *text)
{
	char *s = strdup(text);

	if (!s)
		die("memory");
	return s;
}

static unsigned int now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned int)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static unsigned int mutant_count(void)
{
	return check_count * MODES;
}

/* ---- running a program ---- */

/* In the child: in a group of its own, silent, dying with us, and never eating the machine. */
static void become(char *const *words, const char *name, const char *value)
{
	static const struct rlimit seconds = { 60, 60 }, core = { 0, 0 };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	setrlimit(RLIMIT_CPU, &seconds);
	setrlimit(RLIMIT_CORE, &core);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	setenv(name, value, 1);
	execv(words[0], words);
	_exit(99);
}

static bool wait_for_child(unsigned int ms)
{
	struct timespec limit = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	return sigtimedwait(&child, NULL, &limit) == SIGCHLD;
}

/* Its wait status, or -1 when time was up. SIGCHLD is blocked; one child at a time. */
static int run(char *const *words, const char *name, const char *value, unsigned int ms)
{
	pid_t pid = fork();
	int status = -1;
	bool ended;

	if (pid < 0)
		die("fork");
	if (!pid)
		become(words, name, value);
	setpgid(pid, pid);
	ended = wait_for_child(ms);
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	while (wait_for_child(0))
		;
	return ended ? status : -1;
}

/* ---- checks and programs ---- */

static bool is_ours(const char *file)
{
	char **prefix;

	for (prefix = prefixes; *prefix; prefix++)
		if (!strncmp(file, *prefix, strlen(*prefix)))
			return true;
	return false;
}

static unsigned int intern(const char *file, unsigned int line, const char *function, const char *text)
{
	unsigned int i;

	for (i = 0; i < check_count; i++)
		if (checks[i].line == line && !strcmp(checks[i].file, file) &&
		    !strcmp(checks[i].function, function) && !strcmp(checks[i].text, text))
			return i;
	checks = more(checks, check_count, sizeof(*checks));
	checks[check_count] = (struct check){ copy(file), copy(function), copy(text), line, 0 };
	return check_count++;
}

static void add_check(struct program *p, char *line)
{
	char *file = strtok(line, "\t"), *number = strtok(NULL, "\t");
	char *function = strtok(NULL, "\t"), *text = strtok(NULL, "\n");

	if (!text)
		refuse(p->path, "lists a check that is none");
	p->checks = more(p->checks, p->count, sizeof(*p->checks));
	p->checks[p->count++] = is_ours(file) ? intern(file, (unsigned int)atoi(number), function, text) : NOT_OURS;
}

static void read_checks(struct program *p)
{
	char *words[] = { p->path, NULL }, *line = NULL;
	size_t room = 0;
	FILE *file;

	if (run(words, "MUTANT_LIST", scratch_list, SLOWEST))
		refuse(p->path, "does not run, or does not list its checks");
	file = fopen(scratch_list, "r");
	if (!file)
		die(scratch_list);
	while (getline(&line, &room, file) > 0)
		add_check(p, line);
	free(line);
	fclose(file);
}

static unsigned int find_program(const char *path)
{
	unsigned int i;

	for (i = 0; i < program_count; i++)
		if (!strcmp(programs[i].path, path))
			return i;
	programs = more(programs, program_count, sizeof(*programs));
	programs[i] = (struct program){ .path = copy(path) };
	read_checks(&programs[i]);
	program_count++;
	return i;
}

/* ---- tests ---- */

static void add_test(const char *command)
{
	struct test t = { .command = copy(command) };
	unsigned int count = 0;
	char *word;

	for (word = strtok(copy(command), " "); word && count < WORDS; word = strtok(NULL, " "))
		t.words[count++] = word;
	if (!count)
		return;
	tests = more(tests, test_count, sizeof(*tests));
	tests[test_count++] = t;
}

static void read_tests(void)
{
	char *line = NULL;
	size_t room = 0;
	unsigned int i;

	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = 0;
		add_test(line);
	}
	free(line);
	for (i = 0; i < test_count; i++)
		find_program(tests[i].words[0]);
	for (i = 0; i < test_count; i++)
		tests[i].program = &programs[find_program(tests[i].words[0])];
}

static void read_seen(struct test *t)
{
	FILE *file = fopen(scratch_seen, "r");
	unsigned int i;

	t->seen = calloc(check_count, 1);
	if (!file || !t->seen)
		die(scratch_seen);
	for (i = 0; i < t->program->count; i++) {
		unsigned int check = t->program->checks[i];
		int seen = fgetc(file);

		if (check == NOT_OURS || seen == EOF)
			continue;
		t->seen[check] |= (unsigned char)seen;
		checks[check].seen |= (unsigned int)seen;
	}
	fclose(file);
}

/* Runs the test as it is; false if it fails. */
static bool learn(struct test *t)
{
	unsigned int start = now();
	int status = run(t->words, "MUTANT_SEEN", scratch_seen, SLOWEST);

	t->ms = now() - start;
	if (!status) {
		read_seen(t);
		return true;
	}
	printf("fails by itself: %s\n", t->command);
	return false;
}

static int quickest(const void *a, const void *b)
{
	const struct test *x = a, *y = b;

	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

static void learn_all(void)
{
	unsigned int i, good = 0;

	for (i = 0; i < test_count; i++)
		if (learn(&tests[i]))
			tests[good++] = tests[i];
	broken = test_count - good;
	test_count = good;
	qsort(tests, test_count, sizeof(*tests), quickest);
}

/* ---- mutants ---- */

/* The numbers of a check in a program, for MUTANT; an inline function is in many places. */
static bool describe(const struct program *p, unsigned int check, enum mode mode, char *to, size_t room)
{
	size_t used = (size_t)snprintf(to, room, "%s", mode_names[mode]);
	bool any = false;
	unsigned int i;

	for (i = 0; i < p->count && used < room; i++) {
		if (p->checks[i] != check)
			continue;
		used += (size_t)snprintf(to + used, room - used, " %u", i);
		any = true;
	}
	return any && used < room;
}

/* Whether the test fails for the mutant: that is what tests are for. */
static bool catches(const struct test *t, unsigned int check, enum mode mode, struct mutant *m)
{
	char how[4096];
	int status;

	if (!describe(t->program, check, mode, how, sizeof(how)))
		return false;
	m->runs++;
	status = run(t->words, "MUTANT", how, 10 * t->ms + PATIENCE);
	m->fate = status == -1 ? STUCK : status ? FAILED : SURVIVED;
	return status != 0;
}

/* Of this worker: tests that caught something lately, the last one first. They may well again. */
static unsigned int keen[KEEN], keen_count;

static void remember(unsigned int test)
{
	unsigned int i = 0;

	while (i < keen_count && keen[i] != test)
		i++;
	if (i == keen_count && keen_count < KEEN)
		keen_count++;
	if (i == KEEN)
		i--;
	memmove(keen + 1, keen, i * sizeof(*keen));
	keen[0] = test;
}

static bool is_keen(unsigned int test)
{
	unsigned int i;

	for (i = 0; i < keen_count; i++)
		if (keen[i] == test)
			return true;
	return false;
}

/* One more test; true: no more are needed. */
static bool try_test(unsigned int number, unsigned int test)
{
	struct mutant *m = &shared->mutants[number];
	unsigned int check = number / MODES;
	enum mode mode = (enum mode)(number % MODES);
	unsigned int telling = mode == NEVER ? TRUE_SEEN : TRUE_SEEN | FALSE_SEEN;

	if (!(tests[test].seen[check] & telling))
		return false;
	if (!catches(&tests[test], check, mode, m))
		return m->runs == most;
	m->test = test;
	remember(test);
	__atomic_fetch_add(&shared->caught, 1, __ATOMIC_RELAXED);
	return true;
}

static void try_mutant(unsigned int number)
{
	unsigned int i, tried = keen_count, first[KEEN];

	memcpy(first, keen, sizeof(first));
	for (i = 0; i < tried; i++)
		if (try_test(number, first[i]))
			return;
	for (i = 0; i < test_count; i++)
		if (!is_keen(i) && try_test(number, i))
			return;
}

static void work(void)
{
	unsigned int number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		number = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
		if (number >= mutant_count())
			_exit(0);
		shared->mutants[number].fate = UNSEEN;
		try_mutant(number);
		__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELAXED);
	}
}

static void progress(unsigned int start)
{
	if (isatty(1))
		printf("\r");
	printf("%u of %u mutants, %u caught, %u s%s", shared->done, mutant_count(), shared->caught,
	       (now() - start) / 1000, isatty(1) ? "" : "\n");
	fflush(stdout);
}

static void try_all(void)
{
	size_t size = sizeof(*shared) + mutant_count() * sizeof(shared->mutants[0]);
	unsigned int start = now(), shown = 0, i, running = jobs;
	bool terminal = isatty(1);

	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("memory");
	fflush(stdout);
	for (i = 0; i < jobs; i++)
		if (!fork())
			work();
	while (running) {
		wait_for_child(500);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			running--;
		if (now() - shown < (terminal ? 500 : 10000))
			continue;
		shown = now();
		progress(start);
	}
	progress(start);
	printf(terminal ? "\n" : "");
}

/* ---- survivors ---- */

static void refuse_line(unsigned int number, const char *why)
{
	fprintf(stderr, "mutants: %s:%u: %s\n", survivors_path, number, why);
	exit(2);
}

static void add_survivor(char *line, unsigned int number)
{
	struct survivor s = { 0 };
	char *mode = strtok(line, " "), *reason;

	s.file = strtok(NULL, " ");
	s.function = strtok(NULL, " ");
	s.text = strtok(NULL, "\n");
	reason = s.text ? strstr(s.text, " -- ") : NULL;
	if (!reason || !reason[4])
		refuse_line(number, "not MODE FILE FUNCTION CONDITION -- REASON");
	*reason = 0;
	s.reason = reason + 4;
	while (s.mode < MODES && strcmp(mode, mode_names[s.mode]))
		s.mode++;
	if (s.mode == MODES)
		refuse_line(number, "no such mode");
	survivors = more(survivors, survivor_count, sizeof(*survivors));
	survivors[survivor_count++] = s;
}

static void read_survivors(void)
{
	FILE *file = survivors_path ? fopen(survivors_path, "r") : NULL;
	unsigned int number = 0;
	char *line = NULL;
	size_t room = 0;

	if (survivors_path && !file)
		die(survivors_path);
	while (file && getline(&line, &room, file) > 0) {
		number++;
		if (*line != '#' && *line != '\n')
			add_survivor(copy(line), number);
	}
	free(line);
	if (file)
		fclose(file);
}

static struct survivor *find_survivor(const struct check *c, enum mode mode)
{
	unsigned int i;

	for (i = 0; i < survivor_count; i++) {
		struct survivor *s = &survivors[i];

		if (s->mode == mode && !strcmp(s->file, c->file) && !strcmp(s->function, c->function) &&
		    !strcmp(s->text, c->text))
			return s;
	}
	return NULL;
}

/* ---- report ---- */

static bool is_caught(const struct mutant *m)
{
	return m->fate == FAILED || m->fate == STUCK;
}

/* What is known of it, or why it should not have survived. */
static const char *excuse(const struct check *c, enum mode mode, const struct mutant *m, bool *known)
{
	struct survivor *s = find_survivor(c, mode);

	if (s)
		s->met++;
	*known = s;
	if (s)
		return s->reason;
	if (m->fate == SURVIVED)
		return m->runs == most ? "UNEXPLAINED: many tests see it and pass" : "UNEXPLAINED: tests see it and pass";
	return c->seen ? "UNEXPLAINED: never true in a test" : "UNEXPLAINED: in no test";
}

/* Prints the survivors, those without a reason first; returns how many of these there are. */
static unsigned int print_survivors(bool wanted)
{
	unsigned int i, count = 0;

	for (i = 0; i < mutant_count(); i++) {
		const struct mutant *m = &shared->mutants[i];
		const struct check *c = &checks[i / MODES];
		enum mode mode = (enum mode)(i % MODES);
		const char *why;
		bool known;

		if (is_caught(m))
			continue;
		why = excuse(c, mode, m, &known);
		if (known != wanted)
			continue;
		printf("%s:%u: %s %s (%s): %s\n", c->file, c->line, mode_names[mode], c->function, c->text, why);
		count++;
	}
	return count;
}

static void print_row(const char *name, unsigned int ifs, unsigned int caught, unsigned int stuck)
{
	unsigned int all = ifs * MODES;

	printf("%-36s %7u %9u %8u %8u %8.1f %%\n", name, ifs, all, caught, stuck, all ? 100.0 * caught / all : 100.0);
}

static void print_files(void)
{
	unsigned int first, i, ifs = 0, caught = 0, stuck = 0;

	printf("%-36s %7s %9s %8s %8s\n", "file", "checks", "mutants", "caught", "by time");
	for (first = 0; first < check_count; first += ifs) {
		for (ifs = caught = stuck = 0, i = first;
		     i < check_count && !strcmp(checks[i].file, checks[first].file); i++, ifs++) {
			unsigned int mode;

			for (mode = 0; mode < MODES; mode++) {
				const struct mutant *m = &shared->mutants[i * MODES + mode];

				caught += is_caught(m);
				stuck += m->fate == STUCK;
			}
		}
		print_row(checks[first].file, ifs, caught, stuck);
	}
}

/* Lines of the list that met nothing are of code that is gone, or of mutants that are caught now. */
static void print_unmet(void)
{
	unsigned int i;

	for (i = 0; i < survivor_count; i++)
		if (!survivors[i].met)
			printf("listed, but no survivor: %s %s %s %s\n", mode_names[survivors[i].mode], survivors[i].file,
			       survivors[i].function, survivors[i].text);
}

static void write_report(void)
{
	static const char *const fates[] = { "waiting", "failed", "stuck", "survived", "unseen" };
	FILE *file = fopen(report_path, "w");
	unsigned int i;

	if (!file)
		die(report_path);
	for (i = 0; i < mutant_count(); i++) {
		const struct mutant *m = &shared->mutants[i];
		const struct check *c = &checks[i / MODES];

		fprintf(file, "%s\t%s:%u\t%s\t%s\t%s\t%u\t%s\n", mode_names[i % MODES], c->file, c->line, c->function,
			c->text, fates[m->fate], m->runs, is_caught(m) ? tests[m->test].command : "");
	}
	if (fclose(file))
		die(report_path);
}

static int verdict(void)
{
	unsigned int known = print_survivors(true), unknown = print_survivors(false), caught = shared->caught;
	double share = mutant_count() ? 100.0 * caught / mutant_count() : 0;

	print_unmet();
	printf("mutants: %u of %u caught (%.1f %%), %u survivors with a reason, %u without, %u tests, %u of them broken\n",
	       caught, mutant_count(), share, known, unknown, test_count + broken, broken);
	return share < least || unknown || broken;
}

/* ---- start ---- */

static int by_place(const void *a, const void *b)
{
	const struct check *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order)
		return order;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Sorts the checks by file and line, and renumbers those of the programs. */
static void sort_checks(void)
{
	struct check *before = calloc(check_count + 1, sizeof(*before));
	unsigned int i, j, *renumbered = calloc(check_count + 1, sizeof(*renumbered));

	if (!before || !renumbered)
		die("memory");
	memcpy(before, checks, check_count * sizeof(*before));
	qsort(checks, check_count, sizeof(*checks), by_place);
	for (i = 0; i < check_count; i++)
		renumbered[i] = intern(before[i].file, before[i].line, before[i].function, before[i].text);
	for (i = 0; i < program_count; i++)
		for (j = 0; j < programs[i].count; j++)
			if (programs[i].checks[j] != NOT_OURS)
				programs[i].checks[j] = renumbered[programs[i].checks[j]];
	free(before);
	free(renumbered);
}

static void read_arguments(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "j:k:l:o:s:")) != -1) {
		switch (option) {
		case 'j': jobs = (unsigned int)atoi(optarg); break;
		case 'k': most = (unsigned int)atoi(optarg); break;
		case 'l': least = atof(optarg); break;
		case 'o': report_path = optarg; break;
		case 's': survivors_path = optarg; break;
		default: exit(2);
		}
	}
	prefixes = argv + optind;
	if (!*prefixes || !jobs || jobs > JOBS_MAX) {
		fprintf(stderr, "usage: run [-j JOBS] [-k MOST] [-l LEAST] [-o REPORT] [-s SURVIVORS] PREFIX... < tests\n");
		exit(2);
	}
}

static void clean_up(void)
{
	unlink(scratch_list);
	unlink(scratch_seen);
	rmdir(scratch);
}

int main(int argc, char **argv)
{
	sigset_t child;

	read_arguments(argc, argv);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (!mkdtemp(scratch))
		die(scratch);
	snprintf(scratch_list, sizeof(scratch_list), "%s/list", scratch);
	snprintf(scratch_seen, sizeof(scratch_seen), "%s/seen", scratch);
	atexit(clean_up);
	read_survivors();
	read_tests();
	sort_checks();
	learn_all();
	try_all();
	if (report_path)
		write_report();
	print_files();
	return verdict();
}
