// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of the soak. It sends requests as fast as there is room, on all channels of all
 * devices, and keeps account of each: it is answered once, rightly, or its channel goes away.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "airlock.h"
#include "soak.h"

#define REQUESTS 64		/* outstanding, of a channel */
#define BURST 24

enum { REQUEST_NONE, REQUEST_SENT };

struct request {
	u64 number;
	int state;
};

/* Answers to the host that found no room. Only the channel's tasklet touches them. */
struct answers {
	u64 numbers[ASKS_MAX];
	u32 first, count;
};

/* The guest's end of a channel. */
struct lane {
	struct mutex mutex;	/* senders, and who opens and closes */
	struct airlock_channel *channel;
	bool open;
	u32 number;		/* of the open */
	u64 sent;
	u64 answered;		/* this host answers in turn */
	u64 heard;		/* news */
	struct request requests[REQUESTS];
	struct answers answers;
	u32 waiting;		/* answers */
};

const u8 soak_class[16] = "airlock-soak-dev";

static struct lane lanes[DEVICES][1 + SUBCHANNELS];
static atomic_t opens, closes;
static u64 answered, failed, sent, heard, told_answers;

static void count(u64 *counter, u64 by)
{
	__atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

/* ---- from the host ---- */

/* Transaction ids of the host are numbers of its news, from 1 on. */
static bool send_answer(struct lane *lane, u64 number)
{
	struct soak_packet packet = { SOAK_NEWS_ANSWER, lane->number, number };
	u8 bytes[LARGEST];
	struct outbound_packet p = {
		.kind = RING_MSG_OUR_COMPLETION, .transaction = number + 1, .payload = bytes,
		.bytes = soak_fill(&packet, bytes),
	};
	int error = airlock_send(lane->channel, &p);

	if (error && error != -EAGAIN && error != -ENODEV)
		soak_fail("an answer is not sent: %d", error);
	if (!error)
		count(&told_answers, 1);
	return error != -EAGAIN;
}

static void send_answers(struct lane *lane)
{
	struct answers *a = &lane->answers;

	while (a->count && send_answer(lane, a->numbers[a->first % ASKS_MAX])) {
		a->first++;
		a->count--;
	}
	WRITE_ONCE(lane->waiting, a->count);
}

static void hear_news(struct lane *lane, const struct ring_in_band *m)
{
	struct soak_packet packet = { SOAK_NEWS, lane->number, lane->heard };
	struct answers *a = &lane->answers;

	if (!soak_holds(&packet, m->payload.data, m->payload.size))
		soak_fail("open %u: news %llu is not what the host told", lane->number, (unsigned long long)lane->heard);
	if (m->header.transaction != lane->heard + 1 || !m->header.flags != !!(lane->heard % ASK_EVERY))
		soak_fail("open %u: news out of turn", lane->number);
	if (m->header.flags) {
		if (a->count == ASKS_MAX)
			soak_fail("open %u: too many answers wait", lane->number);
		a->numbers[(a->first + a->count++) % ASKS_MAX] = lane->heard;
		send_answers(lane);
	}
	WRITE_ONCE(lane->heard, lane->heard + 1);
	count(&heard, 1);
}

static void hear_answer(struct lane *lane, const struct ring_completion *m)
{
	struct request *request = airlock_take_completion(lane->channel, m);
	struct soak_packet packet = { SOAK_ANSWER, lane->number, request ? request->number : 0 };

	if (!request)
		soak_fail("open %u: an answer to nothing: %#llx", lane->number, (unsigned long long)m->header.transaction);
	if (!soak_holds(&packet, m->payload.data, m->payload.size))
		soak_fail("open %u: request %llu has another's answer", lane->number, (unsigned long long)request->number);
	if (request->number != lane->answered++)
		soak_fail("open %u: an answer is lost, to request %llu", lane->number,
			  (unsigned long long)lane->answered - 1);
	request_release(&lane->channel->requests, m->header.transaction);
	if (__atomic_exchange_n(&request->state, REQUEST_NONE, __ATOMIC_ACQ_REL) != REQUEST_SENT)
		soak_fail("open %u: request %llu was answered before", lane->number, (unsigned long long)request->number);
	count(&answered, 1);
}

static void soak_receive(struct airlock_channel *channel, const struct ring_message *m)
{
	struct lane *lane = channel->config.driver;

	if (m->kind == RING_MSG_COMPLETION)
		hear_answer(lane, &m->completion);
	else if (m->kind == RING_MSG_IN_BAND)
		hear_news(lane, &m->in_band);
	else
		soak_fail("open %u: a packet of kind %d", lane->number, m->kind);
}

static void soak_writable(struct airlock_channel *channel)
{
	send_answers(channel->config.driver);
}

/* ---- to the host ---- */

/* False: there is no room now. */
static bool send_request(struct lane *lane)
{
	struct request *request = &lane->requests[lane->sent % REQUESTS];
	struct soak_packet packet = { SOAK_REQUEST, lane->number, lane->sent };
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND };
	u8 bytes[LARGEST];
	int error;
	u64 id;

	if (__atomic_load_n(&request->state, __ATOMIC_ACQUIRE) != REQUEST_NONE)
		return false;
	id = request_reserve(&lane->channel->requests, request);
	if (!id)
		return false;
	request->number = lane->sent;
	__atomic_store_n(&request->state, REQUEST_SENT, __ATOMIC_RELEASE);
	p.payload = bytes;
	p.bytes = soak_fill(&packet, bytes);
	error = airlock_send_request(lane->channel, &p, id);
	if (!error) {
		WRITE_ONCE(lane->sent, lane->sent + 1);
		count(&sent, 1);
		return true;
	}
	if (error != -EAGAIN && error != -ENODEV)
		soak_fail("open %u: a request is not sent: %d", lane->number, error);
	__atomic_store_n(&request->state, REQUEST_NONE, __ATOMIC_RELEASE);
	request_release(&lane->channel->requests, id);
	return false;
}

static u32 lane_send(struct lane *lane)
{
	u32 done = 0;

	if (!mutex_trylock(&lane->mutex))
		return 0;
	while (done < BURST && lane->open && send_request(lane))
		done++;
	mutex_unlock(&lane->mutex);
	return done;
}

uint32_t soak_guest_send(void)
{
	u32 done = 0, first = soak_random(DEVICES), i, j;

	for (i = 0; i < DEVICES; i++)
		for (j = 0; j <= SUBCHANNELS; j++)
			done += lane_send(&lanes[(first + i) % DEVICES][j]);
	return done;
}

/* ---- the driver ---- */

static int lane_open(struct lane *lane, struct airlock_channel *channel)
{
	struct airlock_channel_config config = {
		.pages_out = 4, .pages_in = 5, .packet_bytes = LARGEST + 64, .send_bytes = LARGEST + 64,
		.requests = REQUESTS, .host_may_ask = true, .driver = lane, .receive = soak_receive,
		.writable = soak_writable,
	};
	int error;

	mutex_lock(&lane->mutex);
	lane->channel = channel;
	lane->number = (u32)atomic_inc_return(&opens);
	lane->answered = 0;
	WRITE_ONCE(lane->sent, 0);
	WRITE_ONCE(lane->heard, 0);
	lane->answers = (struct answers){ 0 };
	WRITE_ONCE(lane->waiting, 0);
	config.user = (const u8 *)&lane->number;
	config.user_bytes = sizeof(lane->number);
	error = airlock_channel_open(channel, &config);
	WRITE_ONCE(lane->open, !error);
	mutex_unlock(&lane->mutex);
	return error;
}

/* Whatever has no answer yet gets none. */
static void lane_forget(struct lane *lane)
{
	struct request *request;
	u64 id;

	while ((request = request_reclaim(&lane->channel->requests, &id))) {
		if (__atomic_exchange_n(&request->state, REQUEST_NONE, __ATOMIC_ACQ_REL) != REQUEST_SENT)
			soak_fail("open %u: reclaimed what was answered", lane->number);
		request_release(&lane->channel->requests, id);
		count(&failed, 1);
	}
}

static void lane_close(struct lane *lane)
{
	u32 i;

	mutex_lock(&lane->mutex);
	if (lane->open)
		atomic_inc(&closes);
	WRITE_ONCE(lane->open, false);
	mutex_unlock(&lane->mutex);
	airlock_channel_close(lane->channel);
	lane_forget(lane);
	airlock_channel_forget(lane->channel);
	for (i = 0; i < REQUESTS; i++)
		if (lane->requests[i].state != REQUEST_NONE)
			soak_fail("open %u: request %llu was lost", lane->number,
				  (unsigned long long)lane->requests[i].number);
	WRITE_ONCE(lane->waiting, 0);
}

/* The instance's last byte says which device it is. */
static struct lane *lane_of(const struct airlock_device *device, u16 index)
{
	if (device->instance[15] >= DEVICES || index > SUBCHANNELS)
		soak_fail("a channel that was never offered");
	return &lanes[device->instance[15]][index];
}

static int soak_probe(struct airlock_device *device)
{
	airlock_subchannels_wanted(device, SUBCHANNELS);
	return lane_open(lane_of(device, 0), device->primary);
}

static void soak_remove(struct airlock_device *device)
{
	lane_close(lane_of(device, 0));
}

static void soak_subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	/* It may be gone again, or its primary. */
	if (lane_open(lane_of(device, channel->index), channel))
		return;
}

static void soak_subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	lane_close(lane_of(device, channel->index));
}

static const struct airlock_driver soak_driver = {
	.name = "soak", .class = soak_class, .probe = soak_probe, .remove = soak_remove,
	.subchannel = soak_subchannel, .subchannel_gone = soak_subchannel_gone,
};

/* A device that was taken back before its channel was open is none. */
static int bus_add(struct airlock_device *device)
{
	device->driver = &soak_driver;
	(void)!soak_probe(device);
	return 0;
}

static void bus_remove(struct airlock_device *device)
{
	soak_remove(device);
	device->driver = NULL;
}

const struct airlock_bus_ops soak_bus = { .add = bus_add, .remove = bus_remove };

/* ---- accounts ---- */

void soak_guest_start(void)
{
	u32 i, j;

	for (i = 0; i < DEVICES; i++)
		for (j = 0; j <= SUBCHANNELS; j++)
			mutex_init(&lanes[i][j].mutex);
}

uint32_t soak_guest_waiting(void)
{
	u32 waiting = 0, i, j, k;

	for (i = 0; i < DEVICES; i++)
		for (j = 0; j <= SUBCHANNELS; j++) {
			waiting += READ_ONCE(lanes[i][j].waiting);
			for (k = 0; k < REQUESTS; k++)
				waiting += READ_ONCE(lanes[i][j].requests[k].state) != REQUEST_NONE;
		}
	return waiting;
}

uint32_t soak_guest_open(void)
{
	u32 open = 0, i, j;

	for (i = 0; i < DEVICES; i++)
		for (j = 0; j <= SUBCHANNELS; j++)
			open += READ_ONCE(lanes[i][j].open);
	return open;
}

bool soak_guest_lane(uint32_t device, uint16_t index, uint64_t *was_sent, uint64_t *was_heard)
{
	struct lane *lane = &lanes[device][index];

	*was_sent = READ_ONCE(lane->sent);
	*was_heard = READ_ONCE(lane->heard);
	return READ_ONCE(lane->open);
}

void soak_guest_totals(struct soak_totals *t)
{
	t->sent = READ_ONCE(sent);
	t->answered = READ_ONCE(answered);
	t->failed = READ_ONCE(failed);
	t->heard = READ_ONCE(heard);
	t->told_answers = READ_ONCE(told_answers);
	t->opens = (u64)atomic_read(&opens);
	t->closes = (u64)atomic_read(&closes);
}
