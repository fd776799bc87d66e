// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device of the soak: answers each request, tells news as fast as there is room, and takes
 * no packet but the next one. All of it runs with the host's lock.
 */
#include <string.h>

#include "host.h"
#include "soak.h"

#define IN_BAND 6
#define COMPLETION 11
#define WANTS_COMPLETION 1
#define BURST 24
#define DESCRIPTOR_AND_TRAILER 24
#define FAULT_AT 1000		/* requests */

/* The host's end of a channel, by relid. */
struct side {
	bool open;
	uint32_t number;		/* of the open, as the guest counts them */
	uint64_t requests;		/* heard */
	uint64_t news;			/* told */
	uint64_t answers;		/* to news that asked for one */
};

enum soak_fault soak_fault;

static struct host *host;
static struct host_device devices[DEVICES];
static bool offered[DEVICES];
static struct side sides[HOST_CHANNELS];
static uint64_t allowed;
static struct soak_host_totals totals;

static uint32_t device_number(const struct host_channel *ch)
{
	return (uint32_t)(ch->device - devices);
}

/* ---- channels ---- */

static void opened(struct host_channel *ch)
{
	sides[ch->relid] = (struct side){ .open = true };
	memcpy(&sides[ch->relid].number, ch->user, 4);
}

/* Once a guest has its primary open, and uses it. */
static void offer_subchannels(const struct host_channel *ch)
{
	uint16_t i;

	for (i = 1; i <= SUBCHANNELS; i++)
		if (!host_offer(host, ch->device, i))
			soak_fail("no room for a sub-channel");
}

static void add_signals(const struct host_channel *ch)
{
	totals.spurious += ch->spurious;
	totals.needless += ch->needless;
	totals.missed += ch->missed;
}

static void closed(struct host_channel *ch)
{
	sides[ch->relid].open = false;
	add_signals(ch);
	ch->spurious = ch->needless = ch->missed = 0;
}

/* ---- packets of the guest ---- */

/* One fault for the test of this test, in the middle of everything. */
static enum soak_fault fault_now(void)
{
	return totals.requests == FAULT_AT ? soak_fault : FAULT_NONE;
}

static void answer_request(struct host_channel *ch, uint64_t transaction, uint8_t *answer, uint32_t size)
{
	enum soak_fault fault = fault_now();

	if (fault == FAULT_LOST)
		return;
	if (fault == FAULT_BIT)
		answer[size / 2] ^= 4;
	if (!host_complete(ch, transaction, answer, size + (fault == FAULT_BIT && !size)))
		soak_fail("host: no ring for an answer");
	if (fault == FAULT_TWICE)
		(void)host_complete(ch, transaction, answer, size);
}

static void hear_request(struct host_channel *ch, const struct host_packet *p)
{
	struct side *side = &sides[ch->relid];
	struct soak_packet packet = { SOAK_REQUEST, side->number, side->requests };
	uint8_t answer[LARGEST];
	uint32_t size;

	if (!soak_holds(&packet, p->payload, p->payload_size))
		soak_fail("host: open %u: request %llu is not what was sent", side->number,
			  (unsigned long long)side->requests);
	packet.kind = SOAK_ANSWER;
	size = soak_fill(&packet, answer);
	answer_request(ch, p->transaction, answer, size);
	if (!side->requests++ && !ch->index)
		offer_subchannels(ch);
	totals.requests++;
}

static void hear_answer(struct host_channel *ch, const struct host_packet *p)
{
	struct side *side = &sides[ch->relid];
	struct soak_packet packet = { SOAK_NEWS_ANSWER, side->number, side->answers * ASK_EVERY };

	if (p->transaction != packet.number + 1 || packet.number >= side->news)
		soak_fail("host: open %u: an answer to nothing", side->number);
	if (!soak_holds(&packet, p->payload, p->payload_size))
		soak_fail("host: open %u: news %llu has another's answer", side->number,
			  (unsigned long long)packet.number);
	side->answers++;
	totals.answers++;
}

static void hear(struct host_channel *ch, const struct host_packet *p)
{
	if (!sides[ch->relid].open)
		soak_fail("host: a packet on a channel that is closed");
	if (p->type == COMPLETION)
		hear_answer(ch, p);
	else if (p->type == IN_BAND)
		hear_request(ch, p);
	else
		soak_fail("host: a packet of type %u", p->type);
}

/* ---- news ---- */

static uint64_t asked(const struct side *side)
{
	return (side->news + ASK_EVERY - 1) / ASK_EVERY;
}

/* False: not now. */
static bool tell(struct host_channel *ch, struct side *side)
{
	struct soak_packet packet = { SOAK_NEWS, side->number, side->news };
	struct host_packet p = { .type = IN_BAND, .transaction = side->news + 1 };
	uint8_t bytes[LARGEST];

	if (!allowed || ch->backlog || asked(side) - side->answers >= ASKS_MAX)
		return false;
	p.flags = side->news % ASK_EVERY ? 0 : WANTS_COMPLETION;
	p.bytes = bytes;
	p.size = soak_fill(&packet, bytes);
	if (!host_send(ch, &p)) {
		host_block(ch, DESCRIPTOR_AND_TRAILER + (p.size + 7) / 8 * 8);
		return false;
	}
	side->news++;
	totals.news++;
	allowed -= allowed != UINT64_MAX;
	return true;
}

static bool running(struct host *h, void *unused)
{
	uint32_t told = 0, relid, i;

	(void)unused;
	for (relid = 1; relid < h->top; relid++) {
		struct host_channel *ch = &h->channels[relid];

		if (ch->state != HOST_OPENED || !sides[relid].open)
			continue;
		for (i = 0; i < BURST && tell(ch, &sides[relid]); i++)
			told++;
	}
	return told;
}

/* ---- life ---- */

void soak_host_start(struct host *h)
{
	uint32_t i;

	host = h;
	for (i = 0; i < DEVICES; i++) {
		devices[i] = (struct host_device){
			.name = "soak", .opened = opened, .closed = closed, .packet = hear,
			.instance = "airlock-soaking", .class = "airlock-soak-de",
		};
		devices[i].class[15] = 'v';
		devices[i].instance[15] = (uint8_t)i;
		soak_host_offer(i);
	}
	h->hooks.running = running;
}

void soak_host_offer(uint32_t device)
{
	if (!host_offer(host, &devices[device], 0))
		soak_fail("no room for a device");
	offered[device] = true;
}

void soak_host_remove(uint32_t device)
{
	host_remove_device(host, &devices[device]);
	offered[device] = false;
}

bool soak_host_offered(uint32_t device)
{
	return offered[device];
}

void soak_host_allow(uint64_t news)
{
	host_lock(host);
	allowed = news;
	host_unlock(host);
}

/* Also of channels that are open. */
void soak_host_totals(struct soak_host_totals *t)
{
	struct soak_host_totals before;
	uint32_t relid;

	host_lock(host);
	before = totals;
	for (relid = 1; relid < host->top; relid++)
		add_signals(&host->channels[relid]);
	*t = totals;
	totals = before;
	host_unlock(host);
}

bool soak_host_lane(uint32_t device, uint16_t index, uint64_t *requests, uint64_t *news, uint64_t *unanswered)
{
	bool found = false;
	uint32_t relid;

	host_lock(host);
	for (relid = 1; relid < host->top && !found; relid++) {
		const struct host_channel *ch = &host->channels[relid];
		const struct side *side = &sides[relid];

		if (ch->state != HOST_OPENED || ch->index != index || device_number(ch) != device)
			continue;
		found = true;
		*requests = side->requests;
		*news = side->news;
		*unanswered = asked(side) - side->answers;
	}
	host_unlock(host);
	return found;
}
