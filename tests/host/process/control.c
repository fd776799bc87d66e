// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket: a command a line, answered by a line that begins with "ok" or "error".
 * Who may connect may do anything to the guest; the socket's permissions say who that is.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"

#define LINE 8192
#define ANSWER 4096
#define BLOCK 512
#define REMOVE_DEVICE 2			/* news of the storage protocol */
#define ENUMERATE_BUS 11
#define WORDS 5

struct client {
	int fd;				/* 0: nobody; this process has no such file open for a client */
	size_t size;
	char line[LINE];
};

static struct client clients[CONTROL_CLIENTS];
static char answer[ANSWER];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(answer, sizeof(answer), format, list);
	va_end(list);
}

/* ---- disks ---- */

static const struct spare_file *find_spare(const char *path)
{
	uint32_t i;

	for (i = 0; i < server.file_count; i++) {
		if (!strcmp(server.files[i].path, path))
			return &server.files[i];
	}
	return NULL;
}

static int open_disk(const char *path, bool read_only)
{
	const struct spare_file *spare = find_spare(path);
	int file = spare ? fcntl(spare->file, F_DUPFD_CLOEXEC, 3) : open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	return file < 0 ? -errno : file;
}

/* A LUN that was removed keeps its file until another takes its place. */
static void close_disk(struct target_lun *l)
{
	if (l->block_bytes && l->file >= 0)
		close(l->file);
	if (l->block_bytes)
		l->file = -1;
}

int disk_add(struct controller *c, unsigned int lun, const char *path, bool read_only, char *why, size_t room)
{
	int file = open_disk(path, read_only), error;

	if (file < 0) {
		snprintf(why, room, "%s: %s", path, strerror(-file));
		return file;
	}
	close_disk(&c->target.luns[lun]);
	error = target_add_opened(&c->target, lun, file, BLOCK);
	if (error) {
		snprintf(why, room, "%s: not a file of at least one block of %d bytes", path, BLOCK);
		close(file);
		return error;
	}
	c->target.luns[lun].read_only = read_only;
	return 0;
}

/* ---- controllers ---- */

/* NULL: there is none of this name. Without a name it is the first. */
static struct controller *find_controller(const char *name)
{
	uint32_t i;

	for (i = 0; i < server.controller_count; i++) {
		if (!*name || !strcmp(server.controllers[i].name, name))
			return &server.controllers[i];
	}
	say("error there is no controller \"%s\"", name);
	return NULL;
}

static struct host_channel *primary(const struct controller *c)
{
	uint32_t i;

	for (i = 1; server.host && i < server.host->top; i++) {
		struct host_channel *ch = &server.host->channels[i];

		if (ch->state != HOST_GONE && ch->device == &c->target.device && !ch->index)
			return ch;
	}
	return NULL;
}

static void news(struct controller *c, uint32_t operation)
{
	struct host_channel *ch = primary(c);

	if (ch && ch->state == HOST_OPENED)
		say("ok%s", target_news(&c->target, ch, operation) ? "" : " but the guest could not be told");
	else
		say("ok nobody to tell");
}

/* ---- commands: words[0] is what it is called ---- */

static void do_rescind(char **words)
{
	struct controller *c = find_controller(words[1]);

	if (!c)
		return;
	if (!c->plugged) {
		say("error %s is not there", c->name);
		return;
	}
	c->plugged = false;
	if (server.host)
		host_remove_device(server.host, &c->target.device);
	say("ok");
}

static void do_offer(char **words)
{
	struct controller *c = find_controller(words[1]);

	if (!c)
		return;
	if (c->plugged) {
		say("error %s is there", c->name);
		return;
	}
	c->plugged = true;
	if (server.host)
		host_offer(server.host, &c->target.device, 0);
	say("ok");
}

static bool take_number(const char *word, unsigned long most, unsigned long *number)
{
	char *end;

	*number = strtoul(word, &end, 0);
	if (isdigit((unsigned char)*word) && !*end && *number <= most)
		return true;
	say("error \"%s\" is no number up to %lu", word, most);
	return false;
}

/* "lun add N FILE [CONTROLLER]", "lun remove N [CONTROLLER]" */
static void do_lun(char **words)
{
	bool add = !strcmp(words[1], "add");
	struct controller *c = find_controller(words[add ? 4 : 3]);
	char why[ANSWER - 16];
	unsigned long lun;

	if (!c || !take_number(words[2], TARGET_LUNS - 1, &lun))
		return;
	if (!add && strcmp(words[1], "remove")) {
		say("error lun add or lun remove, not \"%s\"", words[1]);
	} else if (c->target.luns[lun].present == add) {
		say("error LUN %lu is %s", lun, add ? "there" : "not there");
	} else if (!add) {
		c->target.luns[lun].present = false;
		news(c, REMOVE_DEVICE);
	} else if (disk_add(c, (unsigned int)lun, words[3], false, why, sizeof(why))) {
		say("error %s", why);
	} else {
		news(c, ENUMERATE_BUS);
	}
}

static void run_script(const char *text, const char *name, const char *told)
{
	char why[256];

	if (guest_script(text, name, why, sizeof(why)))
		say("error %s", why);
	else
		say("ok%s%s", *told ? " " : "", told);
}

static void list_attacks(void)
{
	const struct catalogue_attack *a;
	size_t at = 2;
	uint32_t i;

	say("ok");
	for (i = 0; (a = catalogue_at(i)) && at < sizeof(answer); i++)
		at += (size_t)snprintf(answer + at, sizeof(answer) - at, " %s", a->name);
}

static void do_attack(char **words)
{
	const struct catalogue_attack *a = catalogue_find(words[1]);

	if (!strcmp(words[1], "list"))
		list_attacks();
	else if (a && !server.host && !strncmp(a->script, "at 0", 4))
		say("error this attack is on a guest that is there");
	else if (a)
		run_script(a->script, a->name, a->act);
	else
		say("error there is no attack \"%s\"", words[1]);
}

/* The rest of the line; "|" stands for the ends of lines. Nothing: the script ends. */
static void do_script(char *text)
{
	char *c;

	for (c = text; *c; c++) {
		if (*c == '|')
			*c = '\n';
	}
	run_script(*text ? text : NULL, "script", "");
}

static void do_mutate(char **words)
{
	static const struct {
		const char *name;
		uint32_t what;
	} kinds[] = {
		{ "on", MUTATE_ALL }, { "off", 0 }, { "indices", MUTATE_INDICES }, { "packets", MUTATE_PACKETS },
		{ "data", MUTATE_DATA },
	};
	unsigned long seconds = 0;
	unsigned int i;

	if (*words[2] && !take_number(words[2], 86400, &seconds))
		return;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(words[1], kinds[i].name))
			continue;
		mutate(kinds[i].what, (uint32_t)seconds);
		say("ok");
		return;
	}
	say("error mutate on, off, indices, packets or data, not \"%s\"", words[1]);
}

static const char *guest_state(void)
{
	if (server.qemu < 0)
		return "none";
	return server.host ? "ready" : "absent";
}

static void do_status(char **words)
{
	const struct totals *t = &server.totals;
	const struct host *h = server.host;
	uint32_t channels = 0, i;

	(void)words;
	for (i = 1; h && i < h->top; i++)
		channels += h->channels[i].state == HOST_OPENED;
	say("ok guest=%s guests=%llu version=%#x channels=%u packets_in=%llu packets_out=%llu commands=%llu "
	    "guest_errors=%llu acts=%llu skipped=%llu mutations=%llu last_error=%s",
	    guest_state(), (unsigned long long)t->guests, h ? h->version : 0, channels,
	    (unsigned long long)t->packets_in, (unsigned long long)t->packets_out,
	    (unsigned long long)process_commands(),
	    (unsigned long long)(t->guest_errors + (h ? h->errors : 0)), (unsigned long long)(t->acts + guest_acts()),
	    (unsigned long long)t->skipped, (unsigned long long)t->mutations,
	    h && h->errors ? h->last_error : t->last_error);
}

/* The whole BAR is searched: what stands there, the host can see. */
static void do_secret(char **words)
{
	size_t length = strlen(words[1]), i;
	uint64_t count, first = 0;
	uint8_t bytes[LINE / 2];
	unsigned int byte;

	if (length < 8 || length % 2 || strspn(words[1], "0123456789abcdefABCDEF") != length) {
		say("error a secret is at least 4 bytes in hexadecimal");
		return;
	}
	for (i = 0; i < length / 2; i++) {
		sscanf(words[1] + 2 * i, "%2x", &byte);
		bytes[i] = (uint8_t)byte;
	}
	count = bar_find(bytes, length / 2, &first);
	if (count)
		say("ok found %llu first %#llx", (unsigned long long)count, (unsigned long long)first);
	else
		say("ok found 0");
}

static const struct {
	const char *name;
	void (*run)(char **words);
} commands[] = {
	{ "rescind", do_rescind }, { "offer", do_offer }, { "lun", do_lun }, { "attack", do_attack },
	{ "mutate", do_mutate }, { "status", do_status }, { "secret", do_secret },
};

static void do_words(char *line)
{
	static char none[] = "";
	char *words[WORDS], *save = NULL;
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		words[i] = strtok_r(i ? NULL : line, " \t\r", &save);
		if (!words[i])
			words[i] = none;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(words[0], commands[i].name))
			return commands[i].run(words);
	}
	say("error there is no command \"%s\"", words[0]);
}

static void do_line(char *line)
{
	process_log("control: %s", line);
	if (!strcmp(line, "quit")) {
		server.quit = true;
		say("ok");
	} else if (!strncmp(line, "script", 6) && (line[6] == ' ' || !line[6])) {
		do_script(line + 6 + (line[6] == ' '));
	} else {
		do_words(line);
	}
}

/* ---- clients ---- */

static void leave(struct client *c)
{
	close(c->fd);
	c->fd = 0;
	c->size = 0;
}

static void reply(struct client *c)
{
	size_t length = strlen(answer);

	answer[strcspn(answer, "\n")] = ' ';
	answer[length] = '\n';
	if (send(c->fd, answer, length + 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		leave(c);
}

static void do_lines(struct client *c)
{
	char *end;

	while (c->fd && (end = memchr(c->line, '\n', c->size))) {
		*end = '\0';
		say("ok");
		do_line(c->line);
		answer[sizeof(answer) - 2] = '\0';
		reply(c);
		c->size -= (size_t)(end + 1 - c->line);
		memmove(c->line, end + 1, c->size);
	}
}

static void hear(struct client *c)
{
	ssize_t n = recv(c->fd, c->line + c->size, sizeof(c->line) - c->size, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {		/* gone, or its line is too long */
		leave(c);
		return;
	}
	c->size += (size_t)n;
	do_lines(c);
}

static void admit(void)
{
	int fd = accept4(server.control, NULL, NULL, SOCK_CLOEXEC);
	uint32_t i;

	for (i = 0; fd >= 0 && i < CONTROL_CLIENTS; i++) {
		if (clients[i].fd)
			continue;
		clients[i].fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

uint32_t control_poll(struct pollfd *polls)
{
	uint32_t count = 0, i;

	if (server.control < 0)
		return 0;
	polls[count++] = (struct pollfd){ .fd = server.control, .events = POLLIN };
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		if (clients[i].fd)
			polls[count++] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
	}
	return count;
}

void control_serve(const struct pollfd *polls, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		if (!polls[i].revents)
			continue;
		if (polls[i].fd == server.control)
			admit();
		for (j = 0; j < CONTROL_CLIENTS; j++) {
			if (clients[j].fd && clients[j].fd == polls[i].fd)
				hear(&clients[j]);
		}
	}
}
