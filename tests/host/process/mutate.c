// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that changes at random what the guest is about to read: indices and masks of rings, packets,
 * data. It sleeps between, so that it wakes in the middle of what the guest does. Indices are put
 * back afterwards: a guest that did not look in between goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../inside.h"
#include "memory.h"
#include "process.h"
#include "shim.h"

#define PICKS 16		/* tries to find an open channel */

static struct {
	uint32_t what;
	uint64_t until;		/* ms; 0: for ever */
	uint64_t state;		/* of the random numbers; never 0 */
	bool runs;
} mutator;

static uint32_t random32(void)
{
	mutator.state ^= mutator.state << 13;
	mutator.state ^= mutator.state >> 7;
	mutator.state ^= mutator.state << 17;
	return (uint32_t)(mutator.state >> 32);
}

static void pause_a_little(void)
{
	struct timespec t = { 0, 50000 + random32() % 50000 };

	nanosleep(&t, NULL);
}

static struct host_channel *pick_channel(void)
{
	struct host *h = server.host;
	struct host_channel *ch;
	unsigned int i;

	for (i = 0; h && h->top > 1 && i < PICKS; i++) {
		ch = &h->channels[1 + random32() % (h->top - 1)];
		if (ch->state == HOST_OPENED && !ch->broken && host_reaches(ch))
			return ch;
	}
	return NULL;
}

/* What the host writes and the guest reads. */
static const struct {
	bool to_guest;
	enum host_field field;
} prey[] = {
	{ true, HOST_WRITE_INDEX }, { false, HOST_READ_INDEX }, { false, HOST_INTERRUPT_MASK }, { true, HOST_PENDING_SIZE },
};

/* One flip in four is no index at all. */
static uint32_t lie(uint32_t value, uint32_t size)
{
	return random32() % 4 ? (value + 8 * (1 + random32() % 64)) % size : random32();
}

static void mutate_index(struct host_channel *ch)
{
	uint32_t i = random32() % (sizeof(prey) / sizeof(*prey)), relid = ch->relid, opens = ch->opens, was, lied;
	bool to_guest = prey[i].to_guest;

	was = host_peek(ch, to_guest, prey[i].field);
	lied = lie(was, to_guest ? ch->out_size : ch->in_size);
	host_poke(ch, to_guest, prey[i].field, lied);
	pthread_mutex_unlock(&process_lock);
	pause_a_little();
	pthread_mutex_lock(&process_lock);
	ch = server.host ? &server.host->channels[relid] : NULL;
	if (ch && ch->state == HOST_OPENED && ch->opens == opens && host_reaches(ch) &&
	    host_peek(ch, to_guest, prey[i].field) == lied)
		host_poke(ch, to_guest, prey[i].field, was);
}

/* Lengths, types, transaction ids, contents: 8 bytes near where the last packet ended. */
static void mutate_packet(struct host_channel *ch)
{
	uint32_t back = 8 * (1 + random32() % 16), at = (ch->out_write + ch->out_size - back) % ch->out_size;
	uint8_t bytes[8] __attribute__((aligned(8)));

	host_ring_read(ch, true, at, bytes, sizeof(bytes));
	bytes[random32() % 8] ^= (uint8_t)(1 + random32() % 255);
	host_ring_write(ch, at, bytes, sizeof(bytes));
}

static bool mutate_data(void)
{
	uint64_t page = guest_data_page(random32());
	uint8_t bytes[8] __attribute__((aligned(8)));
	uint8_t *at;

	if (!page || !sim_is_shared(page))
		return false;
	at = host_page(false, page, random32() % (PAGE / 8) * 8, sizeof(bytes));
	host_shared_read(bytes, at, sizeof(bytes));
	bytes[random32() % 8] ^= (uint8_t)(1 + random32() % 255);
	host_shared_write(at, bytes, sizeof(bytes));
	return true;
}

static bool flip(void)
{
	struct host_channel *ch = pick_channel();
	uint32_t kind;

	if (!ch)
		return false;
	do
		kind = 1u << random32() % 3;
	while (!(kind & mutator.what));
	if (kind == MUTATE_DATA)
		return mutate_data();
	if (kind == MUTATE_PACKETS)
		mutate_packet(ch);
	else
		mutate_index(ch);
	return true;
}

static void *run(void *argument)
{
	(void)argument;
	for (;;) {
		pause_a_little();
		pthread_mutex_lock(&process_lock);
		if (mutator.until && shim_now() >= mutator.until)
			mutator.what = 0;
		if (!mutator.what)
			break;
		if (server.host)
			server.hostile = true;
		server.totals.mutations += flip();
		pthread_mutex_unlock(&process_lock);
	}
	mutator.runs = false;
	pthread_mutex_unlock(&process_lock);
	return NULL;
}

void mutate(uint32_t what, uint32_t seconds)
{
	pthread_t thread;

	mutator.what = what;
	mutator.until = seconds ? shim_now() + 1000ull * seconds : 0;
	if (!what || mutator.runs)
		return;
	if (getrandom(&mutator.state, sizeof(mutator.state), 0) != sizeof(mutator.state) || !mutator.state)
		mutator.state = 1;
	fprintf(stderr, "airlock-host: mutating, seed %#llx\n", (unsigned long long)mutator.state);
	if (pthread_create(&thread, NULL, run, NULL))
		return;
	pthread_detach(thread);
	mutator.runs = true;
}
