// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scenes of attacks: a model host, the guest's stack above it, a driver for a plain test
 * device and the SCSI engine; what of it an attack may rely on, and how it is judged.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "ledger.h"
#include "memory.h"
#include "model.h"
#include "rules_table.h"
#include "shim.h"

#define CPUS 4
#define MARKS 512

struct scene *scene;
bool ledger_threads;

static struct scene the_scene;
static struct model *model;
static bool ended;
static unsigned int strikes, strikes_before;
static char evidence_text[300];

/* Host memory that the guest is expected to fetch. */
static struct { const u8 *at; u32 size; const char *what; } marks[MARKS];
static unsigned int mark_count;

static const u8 echo_class[16] = "airlock-echo-dev", echo_instance[16] = "airlock-echo-one";
static const u8 *const admitted[] = { echo_class, control_device_class_scsi };

/* ---- verdicts ---- */

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
	va_list args;

	printf(LEDGER_FAILED);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static void print_rules(void)
{
	u32 i;

	for (i = 0; i < scene->connection.violations.used; i++)
		printf("fired: %s\n", rule_by_id(scene->connection.violations.seen[i].rule));
}

void expect_that(bool condition, const char *text, const char *file, int line)
{
	if (!condition)
		print_rules();
	if (!condition)
		fail("%s:%d: not so: %s", file, line, text);
}

void strike(const char *format, ...)
{
	va_list args;

	strikes++;
	va_start(args, format);
	printf("strike: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void evidence(const char *format, ...)
{
	size_t used = strlen(evidence_text);
	char text[sizeof(evidence_text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!strstr(evidence_text, text))	/* an attack of several scenes says it once */
		snprintf(evidence_text + used, sizeof(evidence_text) - used, "%s%s", used ? "; " : "", text);
}

unsigned int scene_strikes(void)
{
	return strikes - strikes_before;
}

/* ---- fetches ---- */

static void (*fetched_before)(const void *at, u32 size) __maybe_unused;

static void __maybe_unused scene_fetching(const void *at, u32 size)
{
	const u8 *from = sim_host_address(at);
	unsigned int i;

	for (i = 0; i < mark_count; i++)
		if (from < marks[i].at + marks[i].size && marks[i].at < from + size && marks[i].what) {
			strike("fetched %s", marks[i].what);
			marks[i].what = NULL;
		}
	if (fetched_before)
		fetched_before(at, size);
}

/* Among threads nobody is asked before a fetch: it would put in order what is to race. */
static void hook_fetches(bool on)
{
#ifdef AIRLOCK_FETCH_HOOK
	if (ledger_threads)
		return;
	if (on)
		fetched_before = airlock_fetch_hook;
	airlock_fetch_hook = on ? scene_fetching : fetched_before;
#else
	(void)on;
#endif
}

void strike_on_fetch(const void *at, uint32_t size, const char *what)
{
	unsigned int i = 0;

	while (i < mark_count && marks[i].what)
		i++;
	expect(i < MARKS);
	marks[i].at = at;
	marks[i].size = size;
	marks[i].what = what;
	if (i == mark_count)
		mark_count++;
}

/* ---- rules ---- */

static struct rule_count looked_at[256];
static unsigned int looked_count;

/* How often the rule had fired when it was last looked at. */
static u32 *last_look(u32 rule)
{
	unsigned int i;

	for (i = 0; i < looked_count; i++)
		if (looked_at[i].rule == rule)
			return &looked_at[i].count;
	expect(looked_count < 256);
	looked_at[looked_count] = (struct rule_count){ .rule = rule };
	return &looked_at[looked_count++].count;
}

uint32_t rule_fired(const char *name)
{
	u32 rule, count, *seen;

	if (!rule_by_name(name, &rule))
		fail("there is no rule \"%s\"", name);
	seen = last_look(rule);
	count = violations_count(&scene->connection.violations, rule) - *seen;
	*seen += count;
	return count;
}

void expect_rule(const char *name)
{
	if (!rule_fired(name)) {
		print_rules();
		fail("rule %s did not fire", name);
	}
	evidence("%s", name);
}

/* ---- the plain device ---- */

#define ECHO_BYTES 64

static struct { u64 id; u8 bytes[ECHO_BYTES]; bool waits, done, failed; } echo_request;

/* Counts and flags that tasklets of several channels, and other threads, are at. */
#define count(what) __atomic_fetch_add(&(what), 1, __ATOMIC_RELAXED)

static void echo_complete(struct airlock_channel *channel, const struct ring_completion *m)
{
	void *owner = airlock_take_completion(channel, m);

	if (!owner)
		return;
	count(scene->completed);
	if (owner == &echo_request) {
		echo_request.failed = m->payload.size != ECHO_BYTES ||
			memcmp(m->payload.data, echo_request.bytes, ECHO_BYTES);
		echo_request.waits = false;
		smp_store_release(&echo_request.done, true);
	} else if (scene->racing) {
		scene->racing->answered(owner, m);
	}
	request_release(&channel->requests, m->header.transaction);
}

/* As a driver of a pipe does: believes the header only after its validator. */
static void echo_pipe(struct airlock_channel *channel, const struct ring_in_band *m)
{
	struct ring_pipe_packet p;
	int rule = ring_check_pipe_packet(m->payload.data, m->payload.size, &p);

	if (rule) {
		airlock_violation(channel->connection, channel, ring_rule_ids[rule], OFFENCE_DEVICE);
		return;
	}
	count(scene->pipe_messages);
	__atomic_fetch_add(&scene->pipe_bytes, p.length, __ATOMIC_RELAXED);
}

static void echo_receive(struct airlock_channel *channel, const struct ring_message *m)
{
	struct outbound_packet answer = { .kind = RING_MSG_OUR_COMPLETION };

	count(scene->received);
	if (scene->racing && scene->racing->heard)
		scene->racing->heard(channel, m);
	if (m->kind == RING_MSG_COMPLETION) {
		echo_complete(channel, &m->completion);
		return;
	}
	if (m->kind != RING_MSG_IN_BAND)
		return;
	if (scene->pipe)
		echo_pipe(channel, &m->in_band);
	if (!m->in_band.header.flags)
		return;
	answer.transaction = m->in_band.header.transaction;
	answer.payload = m->in_band.payload.data;
	answer.bytes = m->in_band.payload.size;
	if (airlock_send(channel, &answer))
		count(scene->failed);
}

static void echo_dead(struct airlock_channel *channel)
{
	(void)channel;
	count(scene->echo_dead);
	if (scene->racing && scene->racing->dead)
		scene->racing->dead(channel);
}

static const struct airlock_channel_config echo_config = {
	.pages_out = 4, .pages_in = 4, .packet_bytes = 4096, .send_bytes = 4096, .requests = 8,
	.host_may_ask = true, .takes_transfers = true, .transfer_set = 7, .transfer_bytes = 65536,
	.ranges_max = 16, .receive = echo_receive, .dead = echo_dead,
};

const struct airlock_channel_config *scene_config(void)
{
	return &echo_config;
}

/* Who uses the devices of a scene in threads, holds it; who makes them come and go, alone. */
static pthread_rwlock_t usage = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void scene_enter(void)
{
	pthread_rwlock_rdlock(&usage);
}

void scene_enter_alone(void)
{
	pthread_rwlock_wrlock(&usage);
}

void scene_leave(void)
{
	pthread_rwlock_unlock(&usage);
}

static void set_echo_device(struct airlock_device *device)
{
	scene_enter_alone();
	scene->echo_device = device;
	scene_leave();
}

struct airlock_channel *scene_hold_echo(void)
{
	struct airlock_channel *channel;

	scene_enter();
	channel = scene->echo_device ? scene->echo_device->primary : NULL;
	if (channel)
		airlock_channel_get(channel);
	scene_leave();
	return channel;
}

static const struct airlock_channel_config *wanted_config(void)
{
	return scene->racing && scene->racing->config ? scene->racing->config : &echo_config;
}

static int echo_probe(struct airlock_device *device)
{
	int error;

	count(scene->probes);
	if (memcmp(device->instance, echo_instance, 16))	/* another one */
		return airlock_channel_open(device->primary, &echo_config);
	if (!ledger_threads)
		scene->echo_device = device;
	error = airlock_channel_open(device->primary, wanted_config());
	WRITE_ONCE(scene->probe_result, error);
	if (ledger_threads && !error)
		set_echo_device(device);
	return error;
}

static void echo_forget(struct airlock_channel *channel)
{
	void *owner;
	u64 id;

	while ((owner = request_reclaim(&channel->requests, &id))) {
		if (scene->racing && owner != &echo_request) {
			scene->racing->answered(owner, NULL);
		} else {
			echo_request.waits = false;
			echo_request.failed = true;
		}
		request_release(&channel->requests, id);
	}
}

static void echo_close(struct airlock_channel *channel)
{
	airlock_channel_close(channel);
	echo_forget(channel);
	airlock_channel_forget(channel);
}

static void echo_remove(struct airlock_device *device)
{
	count(scene->removes);
	if (ledger_threads)
		set_echo_device(NULL);
	echo_close(device->primary);
	if (!ledger_threads && device == scene->echo_device)
		scene->echo_device = NULL;
}

int scene_echo_open(void)
{
	return airlock_channel_open(scene->echo_device->primary, wanted_config());
}

void scene_echo_close(void)
{
	echo_close(scene->echo_device->primary);
}

static void echo_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scene->subchannels++;
	scene->subchannel = channel;
	if (scene->open_subchannels)
		scene->subchannel_result = airlock_channel_open(channel, &echo_config);
}

static void echo_subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scene->subchannels--;
	scene->subchannel = NULL;
	if (scene->open_subchannels)
		echo_close(channel);
}

static const struct airlock_driver echo_driver = {
	.name = "echo", .class = echo_class, .probe = echo_probe, .remove = echo_remove,
	.subchannel = echo_subchannel, .subchannel_gone = echo_subchannel_gone,
};

/* ---- the controller ---- */

static void disk_rescan(struct scsi_engine *engine)
{
	(void)engine;
	count(scene->rescans);
}

static void disk_failed(struct scsi_engine *engine)
{
	(void)engine;
	count(scene->disk_failed);
}

static const struct scsi_engine_ops disk_ops = { .rescan = disk_rescan, .failed = disk_failed };

static int disk_probe(struct airlock_device *device)
{
	int error;

	count(scene->probes);
	if (!ledger_threads)
		scene->disk_device = device;
	error = scsi_start(&scene->engine, device, &disk_ops, scene);
	scene_enter_alone();
	scene->disk_device = device;
	scene->engine_started = !error;
	scene->disk_result = error;
	scene_leave();
	return error;
}

static void disk_remove(struct airlock_device *device)
{
	bool started;

	(void)device;
	count(scene->removes);
	scene_enter_alone();
	started = scene->engine_started;
	if (ledger_threads)
		scene->engine_started = false;	/* nobody begins a command any more */
	scene_leave();
	if (started)
		scsi_stop(&scene->engine);
	scene_enter_alone();
	scene->engine_started = false;
	scene->disk_device = NULL;
	scene_leave();
}

static void disk_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scsi_subchannel(&scene->engine, channel);
}

static void disk_subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scsi_subchannel_gone(&scene->engine, channel);
}

static const struct airlock_driver disk_driver = {
	.name = "scsi", .class = control_device_class_scsi, .probe = disk_probe, .remove = disk_remove,
	.subchannel = disk_subchannel, .subchannel_gone = disk_subchannel_gone,
};

/* ---- the bus ---- */

static const struct airlock_driver *const drivers[] = { &echo_driver, &disk_driver };

static int bus_add(struct airlock_device *device)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!memcmp(device->class, drivers[i]->class, 16)) {
			device->driver = drivers[i];
			if (drivers[i]->probe(device))
				device->driver = NULL;
		}
	return 0;
}

static void bus_remove(struct airlock_device *device)
{
	if (device->driver)
		device->driver->remove(device);
	device->driver = NULL;
}

static const struct airlock_bus_ops bus = { .add = bus_add, .remove = bus_remove };

/* ---- the host's plain device ---- */

static void host_echo(struct host_channel *ch, const struct host_packet *p)
{
	if (p->type == RING_PACKET_TYPE_IN_BAND && (p->flags & 1))
		host_complete(ch, p->transaction, p->payload, p->payload_size);
	else if (p->type == RING_PACKET_TYPE_COMPLETION)
		scene->host_completions++;
}

/* ---- scenes ---- */

static const struct {
	unsigned int what;
	enum sim_kind kind;
} memories[] = { { SCENE_PLAIN, SIM_PLAIN }, { SCENE_CONFIDENTIAL, SIM_TDX }, { 0, SIM_SNP } };

static enum sim_kind memory_kind(unsigned int what)
{
	unsigned int i = 0;

	while (memories[i].what && !(what & memories[i].what))
		i++;
	return memories[i].kind;
}

static void prepare_devices(void)
{
	struct host_device *echo = &scene->echo;

	echo->name = "echo";
	memcpy(echo->class, echo_class, 16);
	memcpy(echo->instance, echo_instance, 16);
	echo->packet = host_echo;
	target_init(&scene->target, "disk");
	target_add_disk(&scene->target, 0, 4096, 512);
	target_add_disk(&scene->target, 1, 512, 4096);
}

void scene_prepare(unsigned int what)
{
	scene = &the_scene;
	memset(scene, 0, sizeof(*scene));
	scene->what = what;
	looked_count = mark_count = 0;
	strikes_before = strikes;
	host_races = ledger_threads;
	shim_start(ledger_threads, CPUS);
	sim_start(memory_kind(what), 16384);
	scene->host = host_create(CPUS);
	model = model_create(scene->host, CPUS, what & SCENE_CONFIDENTIAL);
	scene->transport = model_transport(model);
	policy_defaults(&scene->policy, !(what & SCENE_PLAIN));
	scene->policy.classes = admitted;
	scene->policy.class_count = ARRAY_SIZE(admitted);
	scene->policy.pool_slots = 256;
	prepare_devices();
	if (what & SCENE_ECHO)
		scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	if (what & SCENE_DISK)
		scene->disk_channel = host_offer(scene->host, &scene->target.device, 0);
	hook_fetches(true);
}

int scene_connect(void)
{
	int error = airlock_connection_init(&scene->connection, scene->transport, sim_visibility(), &bus,
					    &scene->policy);

	expect(!error);
	model_attach(model, &scene->connection);
	scene->initialized = true;
	return airlock_connect(&scene->connection);
}

/* What a scene in threads is given, ms, before it counts as hanging; the machine may be busy. */
#define PATIENCE 20000

static bool all_up(void)
{
	bool up;

	scene_enter();
	up = (!(scene->what & SCENE_ECHO) || scene->echo_device) &&
	     (!(scene->what & SCENE_DISK) || scene->engine_started);
	scene_leave();
	return up;
}

bool scene_up(void)
{
	unsigned int ms;

	for (ms = 0; ledger_threads && !all_up() && ms < PATIENCE; ms += 10)
		scene_run(10);
	return all_up();
}

/* All is as it should be before anything hostile happens. */
void scene_check(void)
{
	if (ledger_threads)
		expect(scene_up());
	else
		scene_run(100);
	host_lock(scene->host);
	if (scene->what & SCENE_ECHO)
		expect(scene->echo_device && !READ_ONCE(scene->probe_result));
	if (scene->what & SCENE_DISK)
		expect(scene->engine_started);
	expect(!scene->host->errors);
	host_unlock(scene->host);
}

void scene_start(unsigned int what)
{
	scene_prepare(what);
	expect(!scene_connect());
	scene_check();
}

void scene_run(unsigned int ms)
{
	shim_run(ms);
}

void scene_suspend(void)
{
	echo_close(scene->echo_device->primary);
	expect(!airlock_suspend(&scene->connection));
}

int scene_resume(void)
{
	int error = airlock_resume(&scene->connection);

	if (scene->echo_device)
		scene->echo_resumed = airlock_channel_open(scene->echo_device->primary, &echo_config) ? -1 : 1;
	return error;
}

/* ---- ordinary work ---- */

static void fill(u8 *bytes, u32 size)
{
	static u32 seed = 1;
	u32 i;

	for (i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = seed >> 24;
	}
}

/* Sends one request of the plain driver; 0 or -errno. */
int scene_echo_send(void)
{
	struct airlock_channel *channel = scene->echo_device->primary;
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true };
	int error;

	fill(echo_request.bytes, ECHO_BYTES);
	echo_request.failed = false;
	smp_store_release(&echo_request.done, false);
	echo_request.waits = true;
	echo_request.id = request_reserve(&channel->requests, &echo_request);
	if (!echo_request.id)
		return -EAGAIN;
	p.payload = echo_request.bytes;
	p.bytes = ECHO_BYTES;
	error = airlock_send_request(channel, &p, echo_request.id);
	if (error)
		request_release(&channel->requests, echo_request.id);
	scene->echo_id = echo_request.id;
	return error;
}

bool scene_echo(void)
{
	unsigned int ms;

	if (!scene->echo_device || scene_echo_send())
		return false;
	for (ms = 0; !smp_load_acquire(&echo_request.done) && ms < (ledger_threads ? PATIENCE : 2000); ms += 10)
		scene_run(10);
	return smp_load_acquire(&echo_request.done) && !echo_request.failed;
}

static void command_done(struct scsi_command *command)
{
	smp_store_release(&command->glue, command);	/* done */
}

int scene_command(struct scsi_command *command, const u8 *cdb, u32 cdb_bytes, u8 direction, struct kvec *data)
{
	memcpy(command->cdb, cdb, cdb_bytes);
	command->cdb_bytes = (u8)cdb_bytes;
	command->direction = direction;
	command->data = data;
	command->pieces = data ? 1 : 0;
	command->bytes = data ? (u32)data->iov_len : 0;
	command->tagged = true;
	command->timeout = 60;
	command->done = command_done;
	command->glue = NULL;
	return scsi_queue(&scene->engine, command, 0);
}

bool scene_wait(struct scsi_command *command, unsigned int ms)
{
	unsigned int at;

	for (at = 0; !smp_load_acquire(&command->glue) && at < ms; at += 10)
		scene_run(10);
	return smp_load_acquire(&command->glue);
}

/* A whole command: queued, waited for. */
bool scene_execute(struct scsi_command *command, const u8 *cdb, u32 cdb_bytes, u8 direction, struct kvec *data)
{
	return !scene_command(command, cdb, cdb_bytes, direction, data) &&
	       scene_wait(command, ledger_threads ? PATIENCE : 5000);
}

bool scene_disk(void)
{
	static u8 written[16384], read[16384];
	static struct scsi_command w, r;
	u8 write10[10] = { 0x2a, 0, 0, 0, 0, 64, 0, 0, sizeof(written) / 512, 0 };
	u8 read10[10] = { 0x28, 0, 0, 0, 0, 64, 0, 0, sizeof(read) / 512, 0 };
	struct kvec from = { written, sizeof(written) }, to = { read, sizeof(read) };

	if (!scene->engine_started)
		return false;
	fill(written, sizeof(written));
	memset(read, 0x55, sizeof(read));
	memset(&w, 0, sizeof(w));
	memset(&r, 0, sizeof(r));
	if (!scene_execute(&w, write10, 10, STORAGE_DATA_DIRECTION_WRITE, &from) || w.verdict != SCSI_DONE || w.status)
		return false;
	if (!scene_execute(&r, read10, 10, STORAGE_DATA_DIRECTION_READ, &to) || r.verdict != SCSI_DONE || r.status)
		return false;
	return r.transferred == sizeof(read) && !memcmp(written, read, sizeof(read));
}

void scene_works(void)
{
	if (scene->echo_device && !scene_echo())
		fail("afterwards the plain device does not work: %d %d, dead %d, host errors %llu (%s)", echo_request.done,
		     echo_request.failed, scene->echo_device->primary->dead, (unsigned long long)scene->host->errors,
		     scene->host->last_error);
	if (scene->engine_started && !scene_disk())
		fail("afterwards the disk does not work");
	expect(scene->echo_device || scene->engine_started);
	evidence("works on");
}

void scene_quarantined(struct airlock_channel *channel)
{
	if (!channel->dead)
		fail("the channel lives on");
	evidence("channel put away");
}

/* ---- the end ---- */

static void look_for_leaks(unsigned int leaks)
{
	if (sim_secret_shows())
		fail("private bytes show in host memory");
	if (model_double_fetches(model))
		fail("fetched twice: %s", scene->host->last_error);
	if ((unsigned int)atomic_read(&sim_visibility()->leaked) > leaks)
		fail("%d pages leaked", atomic_read(&sim_visibility()->leaked));
	if (shim_panicked && !scene->may_panic)
		fail("panic");
}

/* Interrupts that are under way end before what they are for is gone. */
static void hear_no_more(void)
{
	model_stop_thread(model);
	model_attach(model, NULL);
	scene_run(0);
}

void scene_end(unsigned int leaks)
{
	if (sim_secret_shows())
		fail("private bytes show in host memory");
	if (scene->initialized) {
		airlock_disconnect(&scene->connection);
		if (ledger_threads)
			hear_no_more();
		airlock_connection_destroy(&scene->connection);
	}
	look_for_leaks(leaks);
	hook_fetches(false);
	model_destroy(model);
	shim_stop();
	target_destroy(&scene->target);
	host_destroy(scene->host);
	leaks = (unsigned int)atomic_read(&sim_visibility()->leaked);
	if (shim_allocated()) {
		shim_print_allocated();
		fail("%llu bytes are still allocated", (unsigned long long)shim_allocated());
	}
	sim_stop(leaks);
	ended = true;
}

void ledger_run(const struct attack *a)
{
	printf("%s: %s\n", a->id, a->act);
	a->run();
	if (!ended)
		fail("the scene was not ended");
	if (!strikes)
		fail("the act never reached the guest");
	if (!evidence_text[0])
		fail("nothing shows what the guest did about it");
	printf(LEDGER_CONTAINED "%s\n", evidence_text);
}
