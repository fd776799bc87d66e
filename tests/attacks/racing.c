// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races: the threads, what the guest's do, and what is expected of every answer whoever
 * interferes: at most one for each request, none after the end, none for nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "racing.h"
#include "sanitize.h"

#define RACERS 16
#define LASTS 500		/* ms */
#define PATIENCE 30000		/* ms; then something hangs */
#define LEAST 10		/* acts of each */
#define ANSWER_WAIT 300		/* ms, before a guest does something else */
#define JOBS 64

unsigned int race_removes;

static struct racer racers[RACERS];
static unsigned int racer_count;
static bool over;

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

void race_failed(const char *format, ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	expect_that(false, text, "racing", 0);
	abort();
}

uint32_t race_random(struct racer *r, uint32_t below)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return (uint32_t)(r->seed >> 16) % below;
}

static void doze(struct racer *r, uint32_t most_us)
{
	usleep(race_random(r, most_us));
}

static void did(struct racer *r)
{
	__atomic_fetch_add(&r->good, 1, __ATOMIC_RELAXED);
}

/* ---- requests of the plain driver ---- */

/* LOST: nobody waits for it any more, the answer may still come. */
enum job_state { JOB_FREE, JOB_WAITED, JOB_LOST, JOB_DONE };

static struct job {
	int state;
	bool good;
	struct completion done;
	u8 bytes[64];
} jobs[JOBS];

static bool job_turns(struct job *job, int from, int to)
{
	return __atomic_compare_exchange_n(&job->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static struct job *take_job(struct racer *r)
{
	unsigned int i;

	for (i = 0; i < JOBS; i++) {
		struct job *job = &jobs[(i + 7 * r->number) % JOBS];

		if (job_turns(job, JOB_FREE, JOB_WAITED)) {
			memset(job->bytes, (int)race_random(r, 256), sizeof(job->bytes));
			return job;
		}
	}
	return NULL;
}

static void put_job(struct job *job)
{
	__atomic_store_n(&job->state, JOB_FREE, __ATOMIC_RELEASE);
}

static void answered(void *owner, const struct ring_completion *m)
{
	struct job *job = owner;

	job->good = m && m->payload.size == sizeof(job->bytes) &&
		    !memcmp(m->payload.data, job->bytes, sizeof(job->bytes));
	if (job_turns(job, JOB_WAITED, JOB_DONE))
		complete(&job->done);
	else if (!job_turns(job, JOB_LOST, JOB_FREE))
		race_failed("a request was answered twice");
}

static bool await_job(struct job *job)
{
	bool good;

	if (!wait_for_completion_timeout(&job->done, msecs_to_jiffies(ANSWER_WAIT))) {
		if (job_turns(job, JOB_WAITED, JOB_LOST))
			return false;
		if (!wait_for_completion_timeout(&job->done, msecs_to_jiffies(PATIENCE)))
			race_failed("a wait for what is there already");
	}
	good = job->good;
	put_job(job);
	return good;
}

static struct job *send_job(struct airlock_channel *channel, struct racer *r)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true };
	struct job *job = take_job(r);
	u64 id;

	if (!job)
		return NULL;
	id = request_reserve(&channel->requests, job);
	p.payload = job->bytes;
	p.bytes = sizeof(job->bytes);
	if (id && !airlock_send_request(channel, &p, id))
		return job;
	if (id)
		request_release(&channel->requests, id);
	put_job(job);
	return NULL;
}

static void finish_echo(struct racer *r, struct job *job)
{
	if (!job)
		doze(r, 300);
	else if (await_job(job))
		did(r);
}

void guest_echoes(struct racer *r)
{
	struct airlock_channel *channel = scene_hold_echo();
	struct job *job = channel ? send_job(channel, r) : NULL;

	finish_echo(r, job);
	if (channel)
		airlock_channel_put(channel);
}

/* With the devices entered: NULL is possible. */
static struct airlock_channel *echo_inside(void)
{
	return scene->echo_device ? scene->echo_device->primary : NULL;
}

void guest_echoes_inside(struct racer *r)
{
	struct airlock_channel *channel;
	struct job *job = NULL;

	scene_enter();
	channel = echo_inside();
	if (channel)
		job = send_job(channel, r);
	scene_leave();
	finish_echo(r, job);
}

void guest_sends(struct racer *r)
{
	static const u8 payload[RACE_BYTES] = { 0x77 };
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = payload };
	struct airlock_channel *channel = scene_hold_echo();
	int error = -ENODEV;

	p.bytes = 8 * (1 + race_random(r, RACE_BYTES / 8));
	if (channel) {
		error = airlock_send(channel, &p);
		airlock_channel_put(channel);
	}
	if (!error)
		did(r);
	else
		doze(r, 300);
}

/* ---- what else a driver does ---- */

void guest_moves(struct racer *r)
{
	struct airlock_channel *channel;
	int error = -ENODEV;

	scene_enter();
	channel = echo_inside();
	if (channel)
		error = airlock_channel_move(channel, race_random(r, 4));
	scene_leave();
	if (!error)
		did(r);
	doze(r, 500);
}

void guest_takes_offline(struct racer *r)
{
	if (!airlock_cpu_offline(&scene->connection, 1 + race_random(r, 3)))
		did(r);
	doze(r, 1000);
}

void guest_reopens(struct racer *r)
{
	int error = -ENODEV;

	scene_enter_alone();
	if (scene->echo_device) {
		scene_echo_close();
		error = scene_echo_open();
	}
	scene_leave();
	if (!error)
		did(r);
	doze(r, 2000);
}

void guest_names_memory(struct racer *r)
{
	struct airlock_channel *channel;
	struct hostmem memory = { 0 };
	struct gpadl g;
	int error = -ENODEV;

	if (hostmem_create(&memory, sim_visibility(), 2, false))
		race_failed("no memory to share");
	scene_enter();
	channel = echo_inside();
	if (channel)
		error = airlock_gpadl_create(channel, &g, &memory);
	if (!error)
		airlock_gpadl_teardown(channel, &g);
	hostmem_destroy(&memory, !channel || gpadl_given_back(&g));
	scene_leave();
	if (!error)
		did(r);
	doze(r, 300);
}

/* ---- commands ---- */

#define DATA 8192
#define UNTOUCHED 0x5a

static struct disk_job {
	struct scsi_command command;
	struct kvec data;
	struct completion done;
	int out;
	bool used;
	u8 bytes[DATA];
} disk_jobs[RACERS];

static uint64_t given_up;
uint32_t race_command_patience = PATIENCE;

uint64_t race_given_up(void)
{
	return __atomic_load_n(&given_up, __ATOMIC_RELAXED);
}

static void command_done(struct scsi_command *command)
{
	struct disk_job *job = command->glue;

	if (!__atomic_exchange_n(&job->out, 0, __ATOMIC_ACQ_REL))
		race_failed("a command was done twice");
	complete(&job->done);
}

/* Nobody has written to the buffer of a command that was done. */
static void look_for_late_data(struct disk_job *job)
{
	u32 i;

	for (i = 0; i < DATA && job->used; i++)
		if (job->bytes[i] != UNTOUCHED)
			race_failed("data of a command that was done long ago");
}

static void fill_command(struct disk_job *job, struct racer *r)
{
	bool write = race_random(r, 2);
	struct scsi_command *c = &job->command;

	memset(c, 0, sizeof(*c));
	c->cdb[0] = write ? 0x2a : 0x28;
	c->cdb[5] = (u8)(16 * r->number);
	c->cdb[8] = DATA / 512;
	c->cdb_bytes = 10;
	c->direction = write ? STORAGE_DATA_DIRECTION_WRITE : STORAGE_DATA_DIRECTION_READ;
	c->bytes = DATA;
	c->data = &job->data;
	c->pieces = 1;
	c->tagged = true;
	c->timeout = 60;
	c->done = command_done;
	c->glue = job;
	job->data = (struct kvec){ job->bytes, DATA };
	memset(job->bytes, 0x11, DATA);
}

static int queue_command(struct disk_job *job, struct racer *r)
{
	int error = -ENODEV;

	__atomic_store_n(&job->out, 1, __ATOMIC_RELEASE);
	scene_enter();
	if (scene->engine_started)
		error = scsi_queue(&scene->engine, &job->command, r->cpu);
	scene_leave();
	if (error && !__atomic_exchange_n(&job->out, 0, __ATOMIC_ACQ_REL))
		race_failed("a command that was refused was done");
	return error;
}

/* As the layer above does when its time is up: the engine is there as long as it has the command. */
static void give_up(struct disk_job *job)
{
	scene_enter();
	if (scene->disk_device)
		scsi_give_up(&scene->engine, &job->command);
	scene_leave();
	__atomic_fetch_add(&given_up, 1, __ATOMIC_RELAXED);
	if (!wait_for_completion_timeout(&job->done, msecs_to_jiffies(PATIENCE)))
		race_failed("a command that was given up is never done");
}

void guest_reads_and_writes(struct racer *r)
{
	struct disk_job *job = &disk_jobs[r->number];

	look_for_late_data(job);
	fill_command(job, r);
	if (queue_command(job, r)) {
		doze(r, 500);
	} else {
		if (!wait_for_completion_timeout(&job->done, msecs_to_jiffies(race_command_patience)))
			give_up(job);
		if (job->command.verdict == SCSI_DONE && !job->command.status)
			did(r);
	}
	memset(job->bytes, UNTOUCHED, DATA);
	job->used = true;
}

/* ---- hosts ---- */

bool race_store(uint64_t gfn, uint32_t offset, const void *bytes, uint32_t size)
{
	return sim_host_store(gfn, offset, bytes, size);
}

struct host_channel *race_channel(const struct host_device *device)
{
	struct host *h = scene->host;
	uint32_t i;

	for (i = 1; i < h->top; i++)
		if (h->channels[i].device == device && h->channels[i].state != HOST_GONE && !h->channels[i].index)
			return &h->channels[i];
	return NULL;
}

bool race_rings(struct race_rings *rings)
{
	struct host_channel *ch;
	bool open;

	host_lock(scene->host);
	ch = race_channel(&scene->echo);
	open = ch && ch->state == HOST_OPENED && ch->ring_pages <= 16;
	if (open) {
		memcpy(rings->gfns, ch->ring_gfns, ch->ring_pages * sizeof(rings->gfns[0]));
		rings->pages = ch->ring_pages;
		rings->downstream = ch->downstream;
		rings->in_size = ch->in_size;
		rings->out_size = ch->out_size;
	}
	host_unlock(scene->host);
	return open;
}

bool race_field(const struct race_rings *rings, bool to_guest, enum host_field field, uint32_t value)
{
	static const uint32_t offset[] = {
		[HOST_WRITE_INDEX] = 0, [HOST_READ_INDEX] = 4, [HOST_INTERRUPT_MASK] = 8, [HOST_PENDING_SIZE] = 12,
		[HOST_FEATURES] = 64,
	};

	return race_store(rings->gfns[to_guest ? rings->downstream : 0], offset[field], &value, 4);
}

void race_interrupt(uint32_t cpu, bool event)
{
	struct host *h = scene->host;

	host_lock(h);
	if (h->interrupt)
		h->interrupt(h->interrupt_argument, cpu, event);
	host_unlock(h);
}

static void come_and_go(struct host_device *device)
{
	struct host_channel *ch;

	host_lock(scene->host);
	ch = race_channel(device);
	if (ch)
		host_rescind(scene->host, ch);
	host_offer(scene->host, device, 0);
	host_unlock(scene->host);
}

void host_rescinds(struct racer *r)
{
	doze(r, 6000);
	come_and_go(&scene->echo);
}

void host_rescinds_disk(struct racer *r)
{
	doze(r, 150000);	/* it takes its time to come up */
	come_and_go(&scene->target.device);
}

/* ---- floods ---- */

static uint64_t flood_sent[HOST_CHANNELS], flood_heard;

uint64_t race_heard(void)
{
	return __atomic_load_n(&flood_heard, __ATOMIC_RELAXED);
}

/* Who reads the ring is one at a time: these are nobody else's, and ThreadSanitizer sees to it. */
static struct { struct airlock_channel *channel; uint64_t next; } reader;

static void heard(struct airlock_channel *channel, const struct ring_message *m)
{
	u64 number;

	if (m->kind != RING_MSG_IN_BAND || m->in_band.payload.size != 8 || scene->racing->config)
		return;
	memcpy(&number, m->in_band.payload.data, 8);
	if (number == 1)
		reader.channel = channel;
	else if (reader.channel != channel || reader.next != number)
		race_failed("packet %llu was heard, not %llu", (unsigned long long)number,
			    (unsigned long long)reader.next);
	reader.next = number + 1;
	__atomic_fetch_add(&flood_heard, 1, __ATOMIC_RELAXED);
}

void host_floods(struct racer *r)
{
	static uint32_t opens;
	struct host_channel *ch;
	uint64_t number;
	struct host_packet p = { .type = 6, .bytes = (const uint8_t *)&number, .size = 8 };

	host_lock(scene->host);
	ch = race_channel(&scene->echo);
	if (ch && ch->state == HOST_OPENED) {
		if (ch->opens != opens)
			flood_sent[ch->relid] = 0;
		opens = ch->opens;
		number = flood_sent[ch->relid] + 1;
		flood_sent[ch->relid] += host_send(ch, &p);
	}
	host_unlock(scene->host);
	doze(r, 100);
}

void host_storms(struct racer *r)
{
	const uint32_t ones = 0xffffffff;
	uint32_t cpu, word;

	for (cpu = 0; cpu < 4; cpu++) {
		for (word = 0; word < 64; word++)
			if (!race_store(scene->host->synic[cpu].flags, 512 + 4 * word, &ones, 4))
				race_failed("no event flags");
		race_interrupt(cpu, true);
	}
	doze(r, 500);
}

void host_interrupts_everywhere(struct racer *r)
{
	struct host_channel *ch;
	uint32_t cpu;

	host_lock(scene->host);
	ch = race_channel(&scene->echo);
	for (cpu = 0; ch && cpu < 4; cpu++)
		host_set_event(scene->host, cpu, ch->relid);
	host_unlock(scene->host);
	usleep(race_random(r, 200));
}

/* ---- races ---- */

static const struct scene_racing racing = { .answered = answered, .heard = heard };

void race_prepare(unsigned int what)
{
	unsigned int i;

	scene_prepare(what);
	scene->racing = &racing;
	scene->policy.offers.burst = 1000000;
	for (i = 0; i < JOBS; i++)
		init_completion(&jobs[i].done);
	for (i = 0; i < RACERS; i++)
		init_completion(&disk_jobs[i].done);
}

void race_connect(void)
{
	expect(!scene_connect());
	scene_check();
}

static void add(void (*act)(struct racer *r), unsigned int count, bool hostile)
{
	struct racer *r;

	while (count--) {
		expect(racer_count < RACERS);
		r = &racers[racer_count];
		*r = (struct racer){
			.act = act, .cpu = racer_count % 4, .number = racer_count, .hostile = hostile,
			.seed = 0x9e3779b97f4a7c15ULL * (racer_count + 1) ^ (uint64_t)getpid() << 20,
		};
		racer_count++;
	}
}

void race_guests(void (*act)(struct racer *r), unsigned int count)
{
	add(act, count, false);
}

void race_hosts(void (*act)(struct racer *r), unsigned int count)
{
	add(act, count, true);
}

static void *run(void *argument)
{
	struct racer *r = argument;

	if (!r->hostile)
		shim_set_cpu(r->cpu);
	while (!is_over()) {
		r->act(r);
		__atomic_fetch_add(&r->times, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint64_t acts(bool hostile)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < racer_count; i++)
		if (racers[i].hostile == hostile)
			sum += __atomic_load_n(&racers[i].times, __ATOMIC_RELAXED);
	return sum;
}

uint64_t race_good(void (*act)(struct racer *r))
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < racer_count; i++)
		if (racers[i].act == act)
			sum += __atomic_load_n(&racers[i].good, __ATOMIC_RELAXED);
	return sum;
}

/*
 * A channel that was put away stays so: the host takes the device back, and begins anew with another. One that
 * was rescinded goes by itself, soon.
 */
static bool revive(void)
{
	static struct airlock_channel *seen;
	struct airlock_channel *channel = scene_hold_echo();
	bool dead = channel && READ_ONCE(channel->dead), again = dead && channel == seen;

	if (channel)
		airlock_channel_put(channel);
	seen = dead && !again ? channel : NULL;
	if (again)
		come_and_go(&scene->echo);
	return again;
}

/* Nobody comes or goes any more: all there is is up, and is there still a while later. */
static void settle(void)
{
	uint64_t start = shim_now();
	unsigned int removes, probes;

	do {
		removes = READ_ONCE(scene->removes);
		probes = READ_ONCE(scene->probes);
		scene_run(100);
		scene_run(0);
		if (scene->what & SCENE_ECHO)
			revive();
	} while ((removes != READ_ONCE(scene->removes) || probes != READ_ONCE(scene->probes) || !scene_up()) &&
		 shim_now() < start + PATIENCE);
	expect(scene_up());
}

/* Each has had its chance, whatever else the machine does. */
static bool all_acted(void)
{
	unsigned int i;

	for (i = 0; i < racer_count; i++)
		if (__atomic_load_n(&racers[i].times, __ATOMIC_RELAXED) < LEAST)
			return false;
	return READ_ONCE(scene->removes) >= race_removes;
}

void race(const char *what)
{
	uint64_t start = shim_now(), put_away = 0;
	unsigned int i;

	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	for (i = 0; i < racer_count; i++)
		if (pthread_create(&racers[i].thread, NULL, run, &racers[i]))
			race_failed("no thread");
	while (shim_now() < start + LASTS || (!all_acted() && shim_now() < start + PATIENCE)) {
		scene_run(5);
		put_away += (scene->what & SCENE_ECHO) && revive();
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (i = 0; i < racer_count; i++)
		pthread_join(racers[i].thread, NULL);
	for (i = 0; i < racer_count; i++)
		if (racers[i].times < LEAST)
			race_failed("racer %u acted %llu times", i, (unsigned long long)racers[i].times);
	if (READ_ONCE(scene->removes) < race_removes)
		race_failed("only %u devices were removed", READ_ONCE(scene->removes));
	strike("%s: %llu acts of the host, %llu of the guest", what, (unsigned long long)acts(true),
	       (unsigned long long)acts(false));
	evidence("%llu acts against %llu", (unsigned long long)acts(true), (unsigned long long)acts(false));
	if (put_away)
		evidence("put away %llu times", (unsigned long long)put_away);
}

/* Whatever the race has left in the rings goes with them. */
void race_renew(void)
{
	uint64_t start = shim_now();
	unsigned int probes = READ_ONCE(scene->probes);

	come_and_go(&scene->echo);
	while (READ_ONCE(scene->probes) == probes && shim_now() < start + PATIENCE)
		scene_run(5);
	settle();
}

void race_end(void)
{
	racer_count = 0;
	settle();
	scene_works();
	scene_end(0);
}

/* One finding is enough, and the first is the one to look at. */
#ifdef __SANITIZE_THREAD__
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "halt_on_error=1:second_deadlock_stack=1";
}
#endif
