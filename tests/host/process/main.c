// SPDX-License-Identifier: GPL-2.0-only
/*
 * airlock-host: the model host as a process of its own. It serves one QEMU at a time, sees
 * nothing of the guest but the BAR, runs as an ordinary user, and sleeps in poll(2) whenever nothing is
 * to be done.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "process.h"
#include "shim.h"

#define EXIT_USAGE 2
#define SCRIPT_BYTES 65536
#define POLLS (4 + CONTROL_CLIENTS + 1)

struct server server = {
	.pages = 16384, .cpus = 4, .controller_count = 1, .listener = -1, .qemu = -1, .look = -1, .control = -1,
};
pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;

/* Options that are used once everything else is known. */
static struct {
	const char *socket, *control, *script, *user;
	const char *disks[CONTROLLERS_MAX * TARGET_LUNS];
	uint32_t disk_count, subchannels;
	uint32_t mutate_seconds;
} options = { .subchannels = 4 };

static int signals = -1;
static int report_file = -1;

/* ---- what is said ---- */

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
	va_list list;

	fprintf(stderr, "airlock-host: ");
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
	exit(EXIT_USAGE);
}

void process_log(const char *format, ...)
{
	uint64_t now = shim_now();
	va_list list;

	if (!server.verbose)
		return;
	fprintf(stderr, "[%5llu.%03llu] ", (unsigned long long)(now / 1000), (unsigned long long)(now % 1000));
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\n");
}

static void print_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		if ((unsigned char)*text >= ' ')
			fputc(*text, f);
	}
}

static void print_number(FILE *f, const char *name, uint64_t value)
{
	fprintf(f, "\"%s\": %llu, ", name, (unsigned long long)value);
}

uint64_t process_commands(void)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < server.controller_count; i++)
		sum += server.controllers[i].target.commands;
	return sum;
}

/* A line of JSON. */
static void print_report(FILE *f)
{
	const struct totals *t = &server.totals;
	const struct host *h = server.host;

	fprintf(f, "{");
	print_number(f, "milliseconds", shim_now());
	print_number(f, "qemus", t->qemus);
	print_number(f, "guests", t->guests);
	print_number(f, "messages_in", t->messages_in + (h ? h->messages_in : 0));
	print_number(f, "messages_out", t->messages_out + (h ? h->delivered : 0));
	print_number(f, "packets_in", t->packets_in);
	print_number(f, "packets_out", t->packets_out);
	print_number(f, "commands", process_commands());
	print_number(f, "guest_errors", t->guest_errors + (h ? h->errors : 0));
	print_number(f, "acts", t->acts + guest_acts());
	print_number(f, "acts_skipped", t->skipped);
	print_number(f, "mutations", t->mutations);
	fprintf(f, "\"last_error\": \"");
	print_text(f, h && h->errors ? h->last_error : t->last_error);
	fprintf(f, "\"}\n");
}

void process_report(void)
{
	FILE *f;

	if (report_file < 0)
		return;
	f = fdopen(report_file, "w");
	report_file = -1;
	if (!f)
		return;
	print_report(f);
	fclose(f);
}

/* ---- options ---- */

static const char usage[] =
	"Usage: airlock-host --socket PATH [OPTION]...\n"
	"A VMBus host with SCSI disks, behind the ivshmem-doorbell device of a QEMU that connects to PATH.\n\n"
	"  --socket PATH       unix socket for QEMU's -chardev socket,path=PATH\n"
	"  --pages N           of shared memory, a power of two; 16384 (64 MiB)\n"
	"  --cpus N            processors that can be interrupted: at most vectors= of the device; 4\n"
	"  --disk FILE[,lun=N][,controller=N][,ro]\n"
	"                      a raw image, as the next free LUN of controller 0; may be repeated\n"
	"  --file FILE         opened now, for \"lun add N FILE\" later; may be repeated\n"
	"  --controllers N     SCSI controllers, named disk, disk1, ...; 1\n"
	"  --subchannels N     that a guest may ask of each; 4\n"
	"  --control PATH      unix socket for commands, a line each:\n"
	"        rescind [CONTROLLER], offer [CONTROLLER], lun add N FILE [CONTROLLER], lun remove N [CONTROLLER],\n"
	"        attack NAME, attack list, script TEXT (\"|\" ends a line; no TEXT ends the script; one that was\n"
	"        given while there was a guest ends with it),\n"
	"        mutate on|off|indices|packets|data [SECONDS], status, secret HEX, quit\n"
	"  --script FILE       a hostile host: what it does (tests/host/script.h); \"on fetch\" never happens here,\n"
	"                      and of \"result\" the guest only notices what is lost\n"
	"  --mutate SECONDS    changes indices, packets and data at random\n"
	"  --user NAME         becomes this user; nobody, if started by root\n"
	"  --once              ends when the first QEMU does\n"
	"  --report FILE       a line of JSON at the end\n"
	"  --verbose           says what happens\n\n"
	"Ends with status 0; 2: wrong options, or no way to start; 3: the guest led an honest host to a page that it\n"
	"does not show.\n";

enum { PAGES = 256, CPUS, CONTROLLERS, SUBCHANNELS, MUTATE, SOCKET, CONTROL, SCRIPT, USER, REPORT, DISK, SPARE, ONCE,
	VERBOSE, HELP };

static const struct option known[] = {
	{ "socket", 1, NULL, SOCKET }, { "pages", 1, NULL, PAGES }, { "cpus", 1, NULL, CPUS },
	{ "disk", 1, NULL, DISK }, { "file", 1, NULL, SPARE }, { "controllers", 1, NULL, CONTROLLERS },
	{ "subchannels", 1, NULL, SUBCHANNELS }, { "control", 1, NULL, CONTROL }, { "script", 1, NULL, SCRIPT },
	{ "mutate", 1, NULL, MUTATE }, { "user", 1, NULL, USER }, { "once", 0, NULL, ONCE },
	{ "report", 1, NULL, REPORT }, { "verbose", 0, NULL, VERBOSE }, { "help", 0, NULL, HELP }, { NULL, 0, NULL, 0 },
};

static uint32_t number(const char *option, const char *text, uint32_t least, uint32_t most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
		fail("--%s is a number from %u to %u, not \"%s\"", option, least, most, text);
	return (uint32_t)value;
}

static void add_disk_option(const char *text)
{
	if (options.disk_count == sizeof(options.disks) / sizeof(*options.disks))
		fail("--disk: no more than %zu", sizeof(options.disks) / sizeof(*options.disks));
	options.disks[options.disk_count++] = text;
}

static void add_spare(const char *path)
{
	struct spare_file *f = &server.files[server.file_count];

	if (server.file_count == FILES_MAX)
		fail("--file: no more than %d", FILES_MAX);
	f->path = path;
	f->file = open(path, O_RDWR | O_CLOEXEC);
	if (f->file < 0)
		fail("--file %s: %s", path, strerror(errno));
	server.file_count++;
}

static void take_number(int option, const char *text)
{
	switch (option) {
	case PAGES:
		server.pages = number("pages", text, 64, TESTBED_PAGES_MAX);
		if (server.pages & (server.pages - 1))
			fail("--pages has to be a power of two, not %u", server.pages);
		break;
	case CPUS:
		server.cpus = number("cpus", text, 1, TESTBED_CPUS_MAX);
		break;
	case CONTROLLERS:
		server.controller_count = number("controllers", text, 1, CONTROLLERS_MAX);
		break;
	case SUBCHANNELS:
		options.subchannels = number("subchannels", text, 0, 64);
		break;
	default:
		options.mutate_seconds = number("mutate", text, 1, 86400);
	}
}

static void take_option(int option, const char *text)
{
	if (option == SOCKET)
		options.socket = text;
	else if (option == CONTROL)
		options.control = text;
	else if (option == SCRIPT)
		options.script = text;
	else if (option == USER)
		options.user = text;
	else if (option == REPORT)
		server.report_path = text;
	else if (option == DISK)
		add_disk_option(text);
	else if (option == SPARE)
		add_spare(text);
	else if (option == ONCE)
		server.once = true;
	else if (option == VERBOSE)
		server.verbose = shim_verbose = true;
	else
		take_number(option, text);
}

static void take_options(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			exit(EXIT_USAGE);
		take_option(option, optarg);
	}
	if (optind < argc)
		fail("\"%s\" is no option; see --help", argv[optind]);
	if (!options.socket)
		fail("--socket is missing; see --help");
}

/* ---- disks ---- */

/* The rest of a --disk behind its file: lun=N, controller=N, ro. */
static void take_disk_words(char *words, long *lun, uint32_t *controller, bool *read_only)
{
	char *word, *save = NULL;

	for (word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (!strncmp(word, "lun=", 4))
			*lun = number("disk lun=", word + 4, 0, TARGET_LUNS - 1);
		else if (!strncmp(word, "controller=", 11))
			*controller = number("disk controller=", word + 11, 0, server.controller_count - 1);
		else if (!strcmp(word, "ro"))
			*read_only = true;
		else
			fail("--disk: lun=N, controller=N or ro, not \"%s\"", word);
	}
}

static void add_disk(const char *text)
{
	char *path = strdup(text), *words = path ? strchr(path, ',') : NULL, why[512];
	struct controller *c = server.controllers;
	bool read_only = false;
	uint32_t number_of_it = 0;
	long lun = -1;

	if (words)
		*words++ = '\0';
	if (words)
		take_disk_words(words, &lun, &number_of_it, &read_only);
	c += number_of_it;
	while (lun < 0 || c->target.luns[lun].present) {
		if (lun >= TARGET_LUNS - 1)
			fail("--disk %s: LUN %ld is taken, or there is no room", text, lun);
		lun++;
	}
	if (disk_add(c, (unsigned int)lun, path, read_only, why, sizeof(why)))
		fail("--disk %s", why);
	free(path);
}

static void add_controllers(void)
{
	uint32_t i;

	for (i = 0; i < server.controller_count; i++) {
		struct controller *c = &server.controllers[i];

		snprintf(c->name, sizeof(c->name), i ? "disk%u" : "disk", i);
		target_init(&c->target, c->name);
		c->target.max_subchannels = (uint16_t)options.subchannels;
		c->target.multi_channel = options.subchannels != 0;
		c->plugged = true;
	}
	for (i = 0; i < options.disk_count; i++)
		add_disk(options.disks[i]);
}

static void read_script(void)
{
	char *text = calloc(1, SCRIPT_BYTES), why[256];
	FILE *f = fopen(options.script, "r");

	if (!text || !f)
		fail("--script %s: %s", options.script, strerror(errno));
	if (fread(text, 1, SCRIPT_BYTES, f) == SCRIPT_BYTES)
		fail("--script %s: longer than %d bytes", options.script, SCRIPT_BYTES - 1);
	fclose(f);
	if (guest_script(text, options.script, why, sizeof(why)))
		fail("--script %s", why);
	free(text);
}

/* ---- who we are ---- */

/* All that needs more than a nobody has is open by now. */
static void drop_privileges(void)
{
	const char *name = options.user ? options.user : "nobody";
	const struct passwd *user = NULL;

	if (!geteuid() || options.user) {
		user = getpwnam(name);
		if (!user)
			fail("--user %s: there is no such user", name);
	}
	if (user && user->pw_uid != geteuid() &&
	    (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	     setresuid(user->pw_uid, user->pw_uid, user->pw_uid)))
		fail("--user %s: %s", name, strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail("no_new_privs: %s", strerror(errno));
}

static int listening(const char *option, const char *path)
{
	int fd = socket_listen(path);

	if (fd < 0)
		fail("--%s %s: %s", option, path, strerror(-fd));
	return fd;
}

static void catch_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		fail("signalfd: %s", strerror(errno));
}

static void open_report(void)
{
	if (!server.report_path)
		return;
	report_file = open(server.report_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (report_file < 0)
		fail("--report %s: %s", server.report_path, strerror(errno));
}

/* ---- the loop ---- */

static void end_qemu(void)
{
	process_log("QEMU has gone");
	guest_end("its machine is off");
	ivshmem_leave();
	if (server.once)
		server.quit = true;
}

static void meet_qemu(void)
{
	int error = ivshmem_accept();

	if (error)
		fprintf(stderr, "airlock-host: QEMU came, but: %s\n", strerror(-error));
	else
		process_log("QEMU has come");
}

/* Sleeps until something happens. The guest may be changed by the mutator meanwhile. */
static uint32_t wait_for_it(struct pollfd *polls, bool at_once)
{
	bool met = server.qemu >= 0;
	int timeout = at_once ? 0 : guest_timeout();
	uint32_t count;

	polls[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	polls[1] = (struct pollfd){ .fd = met ? server.qemu : server.listener, .events = POLLIN };
	polls[2] = (struct pollfd){ .fd = met ? server.look : -1, .events = POLLIN };
	count = 3 + control_poll(polls + 3);
	pthread_mutex_unlock(&process_lock);
	if (poll(polls, count, timeout) < 0)
		count = 0;
	pthread_mutex_lock(&process_lock);
	return count;
}

static void serve(const struct pollfd *polls, uint32_t count)
{
	bool met = server.qemu >= 0;

	if (!count)
		return;
	if (polls[0].revents)
		server.quit = true;
	if (polls[1].revents && !met)
		meet_qemu();
	else if (polls[1].revents && !ivshmem_alive())
		end_qemu();
	if (polls[2].revents && server.look >= 0)
		ivshmem_doorbell();
	control_serve(polls + 3, count - 3);
}

static void loop(void)
{
	struct pollfd polls[POLLS];
	bool more = false;

	while (!server.quit) {
		serve(polls, wait_for_it(polls, more));
		if (server.qemu >= 0)
			guest_look();
		more = guest_run();
	}
}

static void end(void)
{
	uint32_t i;

	process_report();
	guest_end("the host ends");
	ivshmem_leave();
	unlink(options.socket);
	if (options.control)
		unlink(options.control);
	for (i = 0; i < server.controller_count; i++)
		target_destroy(&server.controllers[i].target);
}

/* What we were started with is none of our business; 0 to 2 are taken by something, though. */
static void forget_inherited_files(void)
{
	int fd;

	closefrom(3);
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	forget_inherited_files();
	shim_now();
	take_options(argc, argv);
	catch_signals();
	add_controllers();
	open_report();
	server.listener = listening("socket", options.socket);
	if (options.control)
		server.control = listening("control", options.control);
	if (options.script)
		read_script();
	drop_privileges();
	pthread_mutex_lock(&process_lock);	/* to the end: then the mutator, too, stands still */
	if (options.mutate_seconds)
		mutate(MUTATE_ALL, options.mutate_seconds);
	loop();
	end();
	return 0;
}
