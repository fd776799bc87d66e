// SPDX-License-Identifier: GPL-2.0-only
/*
 * One guest after the other at the host's door: who becomes READY meets a fresh host with the
 * same devices. What it leaves in the BAR is taken from there and believed within bounds only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../inside.h"
#include "memory.h"
#include "process.h"
#include "script.h"
#include "shim.h"

#define EVENT_CONNECTION 0x2000		/* + relid: what a channel is signalled by */
#define ROUNDS 64			/* of the host, before others have their turn */
#define HEADER_MS 200			/* between looks at our own words, while there is no guest */
#define DATA_PAGES 64
#define LINES_SHOWN 200			/* of errors of guests; they could fill a disk */

/* Pages of data that packets have lately named: the mutator's prey. */
static uint64_t data_pages[DATA_PAGES];
static uint32_t data_count;

/* ---- what is the host's of page 0 ---- */

static bool header_stands(void)
{
	uint64_t magic;

	bar_copy(&magic, TESTBED_HOST_MAGIC, sizeof(magic));
	return magic == TESTBED_MAGIC && bar_load(TESTBED_HOST_VERSION) == TESTBED_VERSION &&
	       bar_load(TESTBED_HOST_PEER) == 1 && bar_load(TESTBED_HOST_PAGES) == server.pages &&
	       bar_load(TESTBED_HOST_CPUS) == server.cpus && bar_load(TESTBED_HOST_STATE) == TESTBED_HOST_READY;
}

/* A machine that was saved and is restored brings back what stood here when it was saved. */
void guest_header(void)
{
	uint64_t magic = TESTBED_MAGIC;

	if (header_stands())
		return;
	bar_store(TESTBED_HOST_STATE, TESTBED_HOST_ABSENT);
	bar_write(TESTBED_HOST_MAGIC, &magic, sizeof(magic));
	bar_store(TESTBED_HOST_VERSION, TESTBED_VERSION);
	bar_store(TESTBED_HOST_PEER, 1);
	bar_store(TESTBED_HOST_PAGES, server.pages);
	bar_store(TESTBED_HOST_CPUS, server.cpus);
	bar_store(TESTBED_HOST_STATE, TESTBED_HOST_READY);
}

/* ---- hooks: they only watch ---- */

static const char *name_of(const uint8_t *message, uint32_t size)
{
	const char *name = size >= 4 ? host_message_name(get32(message)) : NULL;

	return name ? name : "a message of no known type";
}

static bool watch_incoming(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)h;
	(void)argument;
	process_log("guest: %s, %u bytes, %#x", name_of(message, size), size, size >= 12 ? get32(message + 8) : 0);
	return true;
}

static bool watch_outgoing(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	process_log("host: %s, %u bytes, to processor %u", name_of(m->bytes, m->size), m->size, m->cpu);
	return true;
}

static bool watch_packet(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	uint32_t i;

	(void)ch;
	(void)argument;
	server.totals.packets_in++;
	for (i = 0; i < p->gfn_count && i < DATA_PAGES; i++)
		data_pages[data_count++ % DATA_PAGES] = p->gfns[i];
	return true;
}

static bool watch_sending(struct host_channel *ch, void *argument, struct host_packet *p)
{
	(void)ch;
	(void)argument;
	(void)p;
	server.totals.packets_out++;
	return true;
}

uint64_t guest_data_page(uint32_t random)
{
	uint32_t count = data_count < DATA_PAGES ? data_count : DATA_PAGES;

	return count ? data_pages[random % count] : 0;
}

static void interrupt(void *argument, uint32_t cpu, bool event)
{
	(void)argument;
	(void)event;
	ivshmem_interrupt(cpu);
}

/* ---- pages that are not there ---- */

/* Nobody may have told us of the end of the one we knew. */
static bool is_another(void)
{
	return bar_load(TESTBED_GUEST_INCARNATION) != server.incarnation;
}

/* An honest host is not led to such a page by an honest guest. A hostile one may try anything. */
static void refused(uint64_t page)
{
	if (server.hostile || !server.host || bar_load(TESTBED_GUEST_STATE) != TESTBED_GUEST_READY || is_another()) {
		server.totals.skipped++;
		return;
	}
	host_error(server.host, "the host was led to page %#llx, which is not shared", (unsigned long long)page);
	fprintf(stderr, "airlock-host: guest error: %s\n", server.host->last_error);
	process_report();
	fflush(NULL);
	_exit(EXIT_BAD_PAGE);
}

/* ---- scripts ---- */

uint64_t guest_acts(void)
{
	const char *text = server.script;
	uint64_t acts = 0;
	unsigned int line;

	for (line = 1; server.host && text; line++) {
		acts += host_script_struck(server.host, line);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return acts;
}

/*
 * Two things of scripts have no effect across this boundary: nobody tells us of fetches ("on fetch"), and of
 * "result" the guest only notices whether its message or signal was lost.
 *
 * What the reader of scripts complains of goes to stderr: for this once, that is @why.
 */
static int try_script(struct host *h, const char *text, const char *name, char *why, size_t room)
{
	FILE *console = stderr, *memory = fmemopen(why, room, "w");
	int error;

	if (memory)
		stderr = memory;
	error = host_script(h, text, name);
	stderr = console;
	if (memory)
		fclose(memory);
	why[room - 1] = '\0';
	why[strcspn(why, "\n")] = '\0';
	return error;
}

int guest_script(const char *text, const char *name, char *why, size_t room)
{
	struct host *h = server.host ? server.host : host_create(1);
	uint64_t acts = guest_acts();
	int error;

	memset(why, 0, room);
	error = try_script(h, text, name, why, room);
	if (h != server.host)
		host_destroy(h);
	if (error)
		return error;
	server.totals.acts += acts;
	free(server.script);
	server.script = text ? host_need(strdup(text)) : NULL;
	server.script_stays = !server.host;
	snprintf(server.script_name, sizeof(server.script_name), "%s", name);
	server.hostile |= text != NULL;
	return 0;
}

/* ---- a guest comes and goes ---- */

static bool take_synic(uint32_t cpu)
{
	const uint32_t *pages = server.synic[cpu];

	if (sim_is_shared(pages[0]) && sim_is_shared(pages[1])) {
		host_set_synic(server.host, cpu, pages[0], pages[1]);
		return true;
	}
	host_error(server.host, "processor %u has SynIC pages %u and %u, which are not shared", cpu, pages[0], pages[1]);
	return false;
}

static void read_synic(uint32_t pages[TESTBED_CPUS_MAX][2], uint32_t cpus)
{
	uint32_t cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		pages[cpu][0] = bar_load(TESTBED_GUEST_SYNIC + 8 * cpu);
		pages[cpu][1] = bar_load(TESTBED_GUEST_SYNIC + 8 * cpu + 4);
	}
}

/* A guest goes on counting where the last one stopped; one that begins at 0 is understood as well. */
static void take_post_index(void)
{
	uint32_t head = bar_load(TESTBED_POST_HEAD), tail = bar_load(TESTBED_POST_TAIL);

	if (tail - head > TESTBED_POSTS)
		head = tail <= TESTBED_POSTS ? 0 : tail;
	server.post_head = head;
	bar_store(TESTBED_POST_HEAD, head);
}

static void make_host(void)
{
	struct host *h = host_create(server.guest_cpus);

	h->threads = true;
	h->interrupt = interrupt;
	h->hooks = (struct host_hooks){
		.incoming = watch_incoming, .outgoing = watch_outgoing, .packet = watch_packet, .sending = watch_sending,
	};
	server.host = h;
}

static void begin(void)
{
	uint32_t cpus = bar_load(TESTBED_GUEST_CPUS), i;

	server.incarnation = bar_load(TESTBED_GUEST_INCARNATION);
	server.guest_cpus = cpus && cpus <= server.cpus ? cpus : server.cpus;
	make_host();
	server.totals.guests++;
	server.hostile = server.script != NULL;
	bar_refused = refused;
	data_count = 0;
	process_log("a guest with %u processors is ready", cpus);
	if (cpus != server.guest_cpus)
		host_error(server.host, "a guest with %u processors", cpus);
	read_synic(server.synic, server.guest_cpus);
	for (i = 0; i < server.guest_cpus; i++)
		take_synic(i);
	take_post_index();
	if (server.script)
		host_script(server.host, server.script, server.script_name);
	for (i = 0; i < server.controller_count; i++) {
		if (server.controllers[i].plugged)
			host_offer(server.host, &server.controllers[i].target.device, 0);
	}
}

static void add_up(const struct host *h)
{
	struct totals *t = &server.totals;

	t->messages_in += h->messages_in;
	t->messages_out += h->delivered;
	t->guest_errors += h->errors;
	t->acts += guest_acts();
	if (h->errors)
		memcpy(t->last_error, h->last_error, sizeof(t->last_error));
}

void guest_end(const char *why)
{
	struct host *h = server.host;

	if (!h)
		return;
	process_log("the guest is gone: %s", why);
	add_up(h);
	host_server_reset(h);
	server.host = NULL;
	host_destroy(h);
	if (!server.script_stays) {
		free(server.script);
		server.script = NULL;
	}
}

/* ---- what it has left ---- */

static void take_ends_of_messages(void)
{
	uint32_t bits = bar_take(TESTBED_GUEST_EOM), cpu;

	for (cpu = 0; bits; cpu++, bits >>= 1) {
		if (bits & 1)
			host_hear_eom(server.host, cpu);
	}
}

static void take_posts(void)
{
	uint32_t tail = bar_load(TESTBED_POST_TAIL), waiting = tail - server.post_head;
	uint8_t input[256];
	uint64_t result;

	if (waiting > TESTBED_POSTS) {
		host_error(server.host, "posts up to %u, and the host is at %u", tail, server.post_head);
		server.post_head = tail;
		waiting = 0;
	}
	for (; waiting; waiting--) {
		bar_copy(input, TESTBED_POST_ENTRIES + server.post_head++ % TESTBED_POSTS * sizeof(input), sizeof(input));
		result = host_hear_post(server.host, input);
		if (result)
			process_log("a post is refused: %#llx", (unsigned long long)result);
	}
	bar_store(TESTBED_POST_HEAD, server.post_head);
}

static void take_signals_of(uint32_t word)
{
	uint32_t offset = TESTBED_SIGNAL_BITS + 4 * word, bits, bit;
	uint8_t input[8] = { 0 };

	if (!bar_load(offset))
		return;
	bits = bar_take(offset);
	for (bit = 0; bits; bit++, bits >>= 1) {
		if (!(bits & 1))
			continue;
		put(input, EVENT_CONNECTION + 32 * word + bit, 4);
		host_hear_signal(server.host, input);
	}
}

void guest_look(void)
{
	uint32_t state = bar_load(TESTBED_GUEST_STATE), word;

	if (server.host && state != TESTBED_GUEST_READY)
		guest_end(state == TESTBED_GUEST_GONE ? "it says so" : "it says that it never was there");
	else if (server.host && is_another())
		guest_end("there is another one");
	if (!server.host && state == TESTBED_GUEST_READY)
		begin();
	if (!server.host) {
		guest_header();
		return;
	}
	take_ends_of_messages();
	take_posts();
	for (word = 0; word < TESTBED_SIGNALS / 32; word++)
		take_signals_of(word);
}

/* ---- the run ---- */

static void tell_errors(uint64_t before)
{
	static unsigned int shown;

	if (server.host->errors == before || shown > LINES_SHOWN || shim_verbose)
		return;
	fprintf(stderr, "airlock-host: guest error: %s\n", server.host->last_error);
	if (++shown > LINES_SHOWN)
		fprintf(stderr, "airlock-host: errors of guests are no longer shown\n");
}

bool guest_run(void)
{
	static uint64_t errors;
	unsigned int round;
	bool more = true;

	if (!server.host) {
		errors = 0;
		return false;
	}
	for (round = 0; round < ROUNDS && more; round++)
		more = host_run(server.host);
	if (server.host->errors < errors)
		errors = 0;
	tell_errors(errors);
	errors = server.host->errors;
	return more;
}

int guest_timeout(void)
{
	uint64_t next, now;

	if (!server.host)
		return server.qemu >= 0 ? HEADER_MS : -1;
	next = host_next(server.host);
	now = shim_now();
	if (next >= HOST_PAUSED)
		return -1;
	if (next <= now)
		return 0;
	return next - now < 60000 ? (int)(next - now) : 60000;
}
