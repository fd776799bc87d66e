// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hours of ordinary work in a minute: devices whose guest and host send each other as much as the
 * rings hold, and compare every byte; now and then one is rescinded in the middle of it and offered
 * again. At the end nothing may be lost, doubled, leaked or left over.
 *
 *	soak SECONDS [threads]
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "airlock.h"
#include "host.h"
#include "memory.h"
#include "model.h"
#include "shim.h"

#define DEVICES 4
#define CPUS 4
#define REQUESTS 64
#define PAYLOAD_MAX 512
#define HEAD 16			/* of a payload: sequence number, size, where it comes from */

/* A request of the guest, from its reservation to its one end. */
struct request {
	bool waits;
	u64 sequence;
	u32 size;
};

struct side {
	struct host_device device;
	struct host_channel *host_end;
	bool offered;

	pthread_mutex_t lock;		/* of what follows */
	struct airlock_channel *channel;
	struct request requests[REQUESTS];
	u64 sequence;			/* of the guest's next request */
	u64 heard;			/* of the host's next packet, as expected */
	u64 issued, completed, reclaimed;

	/* the host's, in its context */
	u64 says, asks, answered, lost_asks;
	u64 opens;
};

static struct side sides[DEVICES];
static struct airlock_connection connection;
static struct host *host;
static struct model *model;
static bool threads;
static volatile bool over;
static u64 to_host, to_guest, rescinds, reoffers, lies;
static const u8 class[16] = "airlock-soak-dev";

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

/* ---- payloads ---- */

/* Every byte follows from the sequence number and who says it. */
static void fill(u8 *bytes, u32 size, u64 sequence, u32 from)
{
	u64 value = sequence * 0x9e3779b97f4a7c15ULL + from;
	u32 i;

	memcpy(bytes, &sequence, 8);
	memcpy(bytes + 8, &size, 4);
	memcpy(bytes + 12, &from, 4);
	for (i = HEAD; i < size; i++) {
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		bytes[i] = value >> 56;
	}
}

static u64 check(const u8 *bytes, u32 room, u32 from, u32 *size)
{
	static __thread u8 expected[PAYLOAD_MAX];
	u64 sequence;

	if (room < HEAD)
		die("a payload of %u bytes", room);
	memcpy(&sequence, bytes, 8);
	memcpy(size, bytes + 8, 4);
	if (*size > room || *size > PAYLOAD_MAX || room - *size > 7)
		die("a payload of %u bytes says that it has %u", room, *size);
	fill(expected, *size, sequence, from);
	if (memcmp(expected, bytes, *size))
		die("a payload is not what was sent: sequence %llu of %#x", (unsigned long long)sequence, from);
	return sequence;
}

static u32 any(u32 below)
{
	static __thread u64 state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(state >> 33) % below;
}

static u32 any_size(void)
{
	return HEAD + any(8) * any(8) * 8;
}

/* ---- the guest ---- */

static struct side *side_of(const struct airlock_device *device)
{
	return &sides[device->instance[15] - '0'];
}

static void hear_completion(struct side *s, struct airlock_channel *channel, const struct ring_completion *m)
{
	struct request *r = airlock_take_completion(channel, m);
	u64 sequence;
	u32 size;

	if (!r)
		die("a completion that answers nothing");
	sequence = check(m->payload.data, m->payload.size, 0x100, &size);
	pthread_mutex_lock(&s->lock);
	if (!r->waits || r->sequence != sequence || r->size != size)
		die("a completion answers another request");
	r->waits = false;
	s->completed++;
	pthread_mutex_unlock(&s->lock);
	request_release(&channel->requests, m->header.transaction);
}

static void receive(struct airlock_channel *channel, const struct ring_message *m)
{
	struct side *s = side_of(channel->device);
	struct outbound_packet answer = { .kind = RING_MSG_OUR_COMPLETION };
	u64 sequence;
	u32 size;

	__atomic_add_fetch(&to_guest, 1, __ATOMIC_RELAXED);
	if (m->kind == RING_MSG_COMPLETION)
		return hear_completion(s, channel, &m->completion);
	sequence = check(m->in_band.payload.data, m->in_band.payload.size, 0x200, &size);
	if (sequence != s->heard++)
		die("packet %llu of the host came as number %llu", (unsigned long long)sequence,
		    (unsigned long long)s->heard - 1);
	if (!m->in_band.header.flags)
		return;
	answer.transaction = m->in_band.header.transaction;
	answer.payload = m->in_band.payload.data;
	answer.bytes = m->in_band.payload.size;
	/* No room: this answer is lost, and the host counts it so. */
	if (!airlock_send(channel, &answer))
		__atomic_add_fetch(&to_host, 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&s->lost_asks, 1, __ATOMIC_RELAXED);
}

static const struct airlock_channel_config config = {
	.pages_out = 16, .pages_in = 16, .packet_bytes = 1024, .send_bytes = 1024, .requests = REQUESTS,
	.host_may_ask = true, .receive = receive,
};

static struct request *free_request(struct side *s)
{
	u32 i;

	for (i = 0; i < REQUESTS; i++)
		if (!s->requests[i].waits)
			return &s->requests[i];
	return NULL;
}

/* Sends one request; false: not now. Locked. */
static bool send_request(struct side *s, struct airlock_channel *channel)
{
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .wants_completion = true };
	struct request *r = free_request(s);
	u8 payload[PAYLOAD_MAX];
	u64 id;

	id = r ? request_reserve(&channel->requests, r) : 0;
	if (!id)
		return false;
	r->waits = true;
	r->sequence = s->sequence;
	r->size = any_size();
	fill(payload, r->size, r->sequence, 0x100);
	p.payload = payload;
	p.bytes = r->size;
	if (airlock_send_request(channel, &p, id)) {
		r->waits = false;
		request_release(&channel->requests, id);
		return false;
	}
	s->sequence++;
	s->issued++;
	__atomic_add_fetch(&to_host, 1, __ATOMIC_RELAXED);
	return true;
}

static bool pump(struct side *s, u32 most)
{
	bool sent = false;

	pthread_mutex_lock(&s->lock);
	while (most-- && s->channel && send_request(s, s->channel))
		sent = true;
	pthread_mutex_unlock(&s->lock);
	return sent;
}

static int probe(struct airlock_device *device)
{
	struct side *s = side_of(device);
	int error;

	s->heard = 0;
	error = airlock_channel_open(device->primary, &config);
	if (error)
		return error;
	pthread_mutex_lock(&s->lock);
	s->channel = device->primary;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static void reclaim(struct side *s, struct airlock_channel *channel)
{
	struct request *r;
	u64 id;

	while ((r = request_reclaim(&channel->requests, &id))) {
		if (!r->waits)
			die("a request was reclaimed that nobody waits for");
		r->waits = false;
		s->reclaimed++;
		request_release(&channel->requests, id);
	}
}

static void remove_device(struct airlock_device *device)
{
	struct side *s = side_of(device);

	pthread_mutex_lock(&s->lock);
	s->channel = NULL;
	pthread_mutex_unlock(&s->lock);
	airlock_channel_close(device->primary);
	reclaim(s, device->primary);
	airlock_channel_forget(device->primary);
}

static const struct airlock_driver driver = { .name = "soak", .class = class, .probe = probe, .remove = remove_device };

static int bus_add(struct airlock_device *device)
{
	device->driver = &driver;
	if (probe(device))
		device->driver = NULL;
	return 0;
}

static void bus_remove(struct airlock_device *device)
{
	if (device->driver)
		remove_device(device);
}

static const struct airlock_bus_ops bus = { .add = bus_add, .remove = bus_remove };

/* ---- the host ---- */

static void host_opened(struct host_channel *ch)
{
	struct side *s = ch->device->state;

	s->says = 0;
	s->opens++;
}

static void host_hears(struct host_channel *ch, const struct host_packet *p)
{
	struct side *s = ch->device->state;
	u32 size;

	if (p->type == RING_PACKET_TYPE_COMPLETION) {
		check(p->payload, p->payload_size, 0x200, &size);
		s->answered++;
		return;
	}
	check(p->payload, p->payload_size, 0x100, &size);
	host_complete(ch, p->transaction, p->payload, p->payload_size);
}

/* The host says something of its own accord. */
static bool host_speaks(struct side *s)
{
	u8 payload[PAYLOAD_MAX];
	struct host_packet p = { .type = 6, .bytes = payload, .size = any_size() };

	if (!s->host_end || s->host_end->state != HOST_OPENED)
		return false;
	fill(payload, p.size, s->says, 0x200);
	p.flags = any(8) == 0;
	p.transaction = p.flags ? s->says + 1 : 0;
	if (!host_send(s->host_end, &p))
		return false;
	s->says++;
	s->asks += p.flags;
	return true;
}

/* Some packets from the host, and once in a while a rescind or a new offer. */
static void host_acts(u32 odds)
{
	struct side *s = &sides[any(DEVICES)];
	u32 i;

	host_lock(host);
	for (i = 0; i < DEVICES; i++) {
		u32 most = any(32);

		while (most-- && host_speaks(&sides[i]))
			;
	}
	if (!any(odds) && s->host_end && s->host_end->state == HOST_OPENED) {
		host_rescind(host, s->host_end);
		s->host_end = host_offer(host, &s->device, 0);
		rescinds++;
	}
	host_unlock(host);
}

static void make_side(u32 i)
{
	struct side *s = &sides[i];

	pthread_mutex_init(&s->lock, NULL);
	s->device.name = "soak";
	memcpy(s->device.class, class, 16);
	memcpy(s->device.instance, "soak-instance-0?", 16);
	s->device.instance[15] = (u8)('0' + i);
	s->device.opened = host_opened;
	s->device.packet = host_hears;
	s->device.state = s;
	s->host_end = host_offer(host, &s->device, 0);
}

/* ---- both ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *pump_for_ever(void *argument)
{
	struct side *s = argument;

	shim_set_cpu((u32)(s - sides) % CPUS);
	while (!over)
		if (!pump(s, 16))
			sched_yield();
	return NULL;
}

static void *act_for_ever(void *argument)
{
	(void)argument;
	while (!over) {
		host_acts(300);
		sched_yield();
	}
	return NULL;
}

static void progress(double since, double now, double end)
{
	fprintf(stderr, "\r%3.0f s: %llu packets to the host, %llu to the guest, %llu rescinds ",
		now - since, (unsigned long long)__atomic_load_n(&to_host, __ATOMIC_RELAXED),
		(unsigned long long)__atomic_load_n(&to_guest, __ATOMIC_RELAXED), (unsigned long long)rescinds);
	(void)end;
}

static void soak(double length)
{
	pthread_t pumps[DEVICES], actor;
	double start = seconds(), next = start + 1;
	u32 i, round = 0;

	if (threads) {
		for (i = 0; i < DEVICES; i++)
			pthread_create(&pumps[i], NULL, pump_for_ever, &sides[i]);
		pthread_create(&actor, NULL, act_for_ever, NULL);
	}
	while (seconds() < start + length) {
		if (threads) {
			usleep(100000);
		} else {
			for (i = 0; i < DEVICES; i++)
				pump(&sides[i], 1 + any(24));
			host_acts(300);
			shim_run(++round % 8 ? 0 : 1);
		}
		if (seconds() > next) {
			progress(start, seconds(), start + length);
			next += 1;
		}
	}
	over = true;
	for (i = 0; threads && i < DEVICES; i++)
		pthread_join(pumps[i], NULL);
	if (threads)
		pthread_join(actor, NULL);
	fputc('\n', stderr);
}

static void add_up(void)
{
	u64 issued = 0, completed = 0, reclaimed = 0, needless = 0;
	u32 i, r;

	for (i = 0; i < DEVICES; i++) {
		struct side *s = &sides[i];

		for (r = 0; r < REQUESTS; r++)
			if (s->requests[r].waits)
				die("a request was lost");
		issued += s->issued;
		completed += s->completed;
		reclaimed += s->reclaimed;
		reoffers += s->opens;
		needless += s->host_end ? s->host_end->needless + s->host_end->missed : 0;
	}
	if (issued != completed + reclaimed)
		die("%llu requests, %llu completed and %llu reclaimed", (unsigned long long)issued,
		    (unsigned long long)completed, (unsigned long long)reclaimed);
	if (host->errors)
		die("the host complains %llu times: %s", (unsigned long long)host->errors, host->last_error);
	if (connection.violations.total)
		die("the guest complains: rule %08x", connection.violations.seen[0].rule);
	if (needless)
		die("%llu signals needless or missing", (unsigned long long)needless);
	printf("packets-to-host: %llu\npackets-to-guest: %llu\nrequests: %llu\ncompleted: %llu\nreclaimed: %llu\n"
	       "rescinds: %llu\nopens: %llu\n", (unsigned long long)to_host, (unsigned long long)to_guest,
	       (unsigned long long)issued, (unsigned long long)completed, (unsigned long long)reclaimed,
	       (unsigned long long)rescinds, (unsigned long long)reoffers);
}

static void begin(void)
{
	struct airlock_policy policy;
	u32 i;

	shim_start(threads, CPUS);
	sim_start(SIM_SNP, 4096);
	host = host_create(CPUS);
	model = model_create(host, CPUS, false);
	policy_defaults(&policy, true);
	policy.classes = NULL;
	policy.offers.burst = 1000000;
	policy.offers.per_second = 1000000;
	for (i = 0; i < DEVICES; i++)
		make_side(i);
	if (airlock_connection_init(&connection, model_transport(model), sim_visibility(), &bus, &policy))
		die("no connection");
	model_attach(model, &connection);
	if (threads)
		model_start_thread(model);
	if (airlock_connect(&connection))
		die("no contact");
}

static void end(void)
{
	airlock_disconnect(&connection);
	add_up();
	airlock_connection_destroy(&connection);
	if (threads)
		model_stop_thread(model);
	lies = model_double_fetches(model);
	model_destroy(model);
	if (lies)
		die("%llu bytes were fetched twice", (unsigned long long)lies);
	if (atomic_read(&sim_visibility()->leaked))
		die("%d pages leaked", atomic_read(&sim_visibility()->leaked));
	shim_stop();
	host_destroy(host);
	if (shim_allocated()) {
		shim_print_allocated();
		die("%llu bytes are still allocated", (unsigned long long)shim_allocated());
	}
	sim_stop(0);
	printf("soak: every byte compared, nothing lost, doubled, leaked or left over\n");
}

int main(int argc, char **argv)
{
	threads = argc > 2 && !strcmp(argv[2], "threads");
	begin();
	soak(argc > 1 ? atof(argv[1]) : 60);
	end();
	return 0;
}
