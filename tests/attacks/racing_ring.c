// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races in rings: words and bytes change while the guest is at them, channels go while it sends
 * and receives. A channel that was lied to is put away, and the device comes again.
 */
#include "racing.h"

#define BURST 64		/* stores, before the rings are looked for again */
#define TO_HOST false
#define TO_GUEST true

/* Values a word of a ring of @size bytes should not have, and some that it may. */
static uint32_t some_index(struct racer *r, uint32_t size)
{
	switch (race_random(r, 6)) {
	case 0:
		return size;
	case 1:
		return 0xffffffff;
	case 2:
		return size - 8;
	case 3:
		return race_random(r, size);
	default:
		return 8 * race_random(r, size / 8);
	}
}

static void scribble(struct racer *r, bool to_guest, enum host_field field)
{
	struct race_rings rings;
	uint32_t i;

	usleep(race_random(r, 3000));
	if (!race_rings(&rings))
		return;
	for (i = 0; i < BURST; i++)
		if (!race_field(&rings, to_guest, field,
				some_index(r, to_guest ? rings.out_size : rings.in_size)))
			return;
}

/* ---- to the host ---- */

static void scribble_read(struct racer *r)
{
	scribble(r, TO_HOST, HOST_READ_INDEX);
}

RACING_ATTACK(read_index_scribbled, "R-001", "the read index is scribbled on while three threads send")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_sends, 2);
	race_guests(guest_echoes, 1);
	race_hosts(scribble_read, 2);
	race("read indices");
	expect(rule_fired("ring.index.at_byte.limit") + rule_fired("ring.index.at_byte.multiple"));
	expect(race_good(guest_sends));
	race_renew();
	race_end();
}

/* Where it is, and where it might be: nothing that is a lie for sure. */
static void swap_read(struct racer *r)
{
	struct race_rings rings;
	uint32_t i, write = 0;
	struct host_channel *ch;

	usleep(race_random(r, 1000));
	if (!race_rings(&rings))
		return;
	for (i = 0; i < BURST; i++) {
		host_lock(scene->host);
		ch = race_channel(&scene->echo);
		if (ch)
			write = i & 1 ? ch->in_known : ch->in_read;
		host_unlock(scene->host);
		if (!race_field(&rings, TO_HOST, HOST_READ_INDEX, write))
			return;
	}
}

RACING_ATTACK(read_index_swapped, "R-005", "the read index goes to and fro between check and signal")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_sends, 2);
	race_guests(guest_echoes, 1);
	race_hosts(swap_read, 2);
	race("read indices");
	expect(race_good(guest_sends));
	evidence("room and signals from one look each");
	race_renew();
	race_end();
}

static void toggle_mask(struct racer *r)
{
	struct race_rings rings;
	uint32_t i;

	if (!race_rings(&rings))
		return;
	for (i = 0; i < BURST; i++)
		race_field(&rings, TO_HOST, HOST_INTERRUPT_MASK, i & 1);
	usleep(race_random(r, 200));
}

RACING_ATTACK(mask_toggled, "R-011", "the interrupt mask is toggled while three threads send")
{
	struct airlock_channel *channel;
	u64 packets, signals;
	unsigned long flags;

	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	host_lock(scene->host);
	scene->echo_channel->mask_wanted = true;	/* it polls, signalled or not */
	host_unlock(scene->host);
	race_guests(guest_sends, 2);
	race_guests(guest_echoes, 1);
	race_hosts(toggle_mask, 2);
	race("masks");
	channel = scene_hold_echo();
	expect(channel && !READ_ONCE(channel->dead));
	spin_lock_irqsave(&channel->out.lock, flags);
	packets = channel->out.packets;
	signals = channel->out.signals;
	spin_unlock_irqrestore(&channel->out.lock, flags);
	airlock_channel_put(channel);
	expect(packets && signals <= packets);
	evidence("%llu signals for %llu packets", (unsigned long long)signals, (unsigned long long)packets);
	race_renew();
	race_end();
}

/* ---- to the guest ---- */

static void scribble_write(struct racer *r)
{
	scribble(r, TO_GUEST, HOST_WRITE_INDEX);
}

RACING_ATTACK(write_index_scribbled, "R-044", "the write index is scribbled on while packets are read")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_echoes, 3);
	race_hosts(scribble_write, 1);
	race_hosts(host_storms, 1);
	race("write indices");
	expect(rule_fired("ring.index.at_byte.limit") + rule_fired("ring.index.at_byte.multiple"));
	race_renew();
	race_end();
}

/* Packets of 32 bytes, so that everyone knows where payloads are. */
static void send_pipe_messages(struct racer *r)
{
	static const uint8_t message[8] = { 1, 0, 0, 0, 0, 0, 0, 0 };
	struct host_packet p = { .type = 6, .bytes = message, .size = 8 };
	struct host_channel *ch;

	host_lock(scene->host);
	ch = race_channel(&scene->echo);
	if (ch && ch->state == HOST_OPENED)
		host_send(ch, &p);
	host_unlock(scene->host);
	usleep(race_random(r, 50));
}

/* Anywhere in the data, a descriptor's first half that may pass and may not. */
static void scribble_descriptors(struct racer *r)
{
	static const uint16_t types[] = { 6, 7, 9, 11, 0xffff };
	struct race_rings rings;
	uint16_t d[4];
	uint32_t i, at;

	usleep(race_random(r, 2000));
	if (!race_rings(&rings))
		return;
	for (i = 0; i < BURST; i++) {
		d[0] = types[race_random(r, 5)];
		d[1] = (uint16_t)(2 + race_random(r, 3));
		d[2] = (uint16_t)(2 + race_random(r, 20));
		d[3] = (uint16_t)race_random(r, 3);
		at = 8 * race_random(r, rings.out_size / 8);
		if (!race_store(rings.gfns[rings.downstream + 1 + at / 4096], at % 4096, d, 8))
			return;
	}
}

RACING_ATTACK(descriptors_scribbled, "R-051", "lengths, offsets and types change while packets are copied")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->racing = NULL;
	race_connect();
	race_guests(guest_sends, 1);
	race_hosts(send_pipe_messages, 1);
	race_hosts(scribble_descriptors, 2);
	race_hosts(host_storms, 1);
	race("descriptors");
	expect(rule_fired("ring.header.in_ring") + rule_fired("ring.header.inside") + rule_fired("ring.header.type.enum") +
	       rule_fired("ring.header.in_buffer"));
	race_renew();
	race_end();
}

/* Payloads of packets the driver believes to be pipe messages; the framing stays what it was, mostly. */
static void scribble_payloads(struct racer *r)
{
	struct race_rings rings;
	uint32_t i, at, word;

	usleep(race_random(r, 1000));
	if (!race_rings(&rings))
		return;
	for (i = 0; i < BURST; i++) {
		word = race_random(r, 3) ? race_random(r, 64) : 0xffffffff;
		at = 16 + 32 * race_random(r, rings.out_size / 32 - 1) + 4 * race_random(r, 2);
		if (!race_store(rings.gfns[rings.downstream + 1 + at / 4096], at % 4096, &word, 4))
			return;
	}
}

static const struct scene_racing pipes = { .answered = NULL };

RACING_ATTACK(payloads_scribbled, "R-060", "payloads change while they are copied and parsed")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->racing = &pipes;
	scene->pipe = true;
	race_connect();
	race_guests(guest_sends, 1);
	race_hosts(send_pipe_messages, 2);
	race_hosts(scribble_payloads, 2);
	race("payloads");
	expect(READ_ONCE(scene->received));
	evidence("%llu packets heard, each from its copy", (unsigned long long)READ_ONCE(scene->received));
	race_renew();
	race_end();
}

/* ---- completions ---- */

static uint64_t ids[64];
static unsigned int id_count;

/* In the host's thread, with its lock. */
static bool note_id(struct host_channel *ch, void *argument, const struct host_packet *p)
{
	(void)argument;
	if (ch->device == &scene->echo && p->flags & 1)
		ids[id_count++ % 64] = p->transaction;
	return true;
}

static void complete_again(struct racer *r)
{
	const u8 payload[64] = { 0 };
	struct host_packet p = { .type = 11, .bytes = payload, .size = sizeof(payload) };
	struct host_channel *ch;

	host_lock(scene->host);
	ch = race_channel(&scene->echo);
	p.transaction = ids[race_random(r, 64)] + (race_random(r, 4) ? 0 : 0x10000);
	if (ch && ch->state == HOST_OPENED)
		host_send(ch, &p);
	host_unlock(scene->host);
	usleep(race_random(r, 100));
}

RACING_ATTACK(completions_again, "R-092", "two threads complete what is, was, or is about to be asked")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.strikes = 0;
	scene->host->hooks.packet = note_id;
	race_connect();
	race_guests(guest_echoes, 3);
	race_hosts(complete_again, 2);
	race("completions");
	expect_rule("core.completion.stale");
	expect(race_good(guest_echoes));
	race_renew();
	race_end();
}

/* ---- rescinds ---- */

RACING_ATTACK(rescind_of_sending, "R-022", "rescinds while four threads send, holding a channel that is closed under them")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_sends, 3);
	race_guests(guest_echoes, 1);
	race_hosts(host_rescinds, 1);
	race_removes = 5;
	race("rescinds of channels being sent on");
	expect(race_good(guest_sends) && race_good(guest_echoes));
	race_end();
}

RACING_ATTACK(rescind_of_receiving, "R-162", "rescinds while the receive function runs")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	race_connect();
	race_guests(guest_echoes, 1);
	race_hosts(host_floods, 1);
	race_hosts(host_interrupts_everywhere, 1);
	race_hosts(host_rescinds, 1);
	race_removes = 5;
	race("rescinds of channels being read");
	expect(race_heard());
	race_end();
}

/* ---- blocked senders ---- */

static struct { pthread_mutex_t lock; struct completion room; u64 blocked; } senders = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static void room_or_end(struct airlock_channel *channel)
{
	(void)channel;
	complete(&senders.room);
}

static struct airlock_channel_config blocking_config;
static const struct scene_racing *usual;
static struct scene_racing blocking;

/* Waits for room, or for the end: one of them comes. */
static void send_and_block(struct racer *r)
{
	static const u8 payload[RACE_BYTES];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = payload, .bytes = RACE_BYTES };
	struct airlock_channel *channel;
	int error = 0;

	pthread_mutex_lock(&senders.lock);
	channel = scene_hold_echo();
	if (channel) {
		reinit_completion(&senders.room);
		error = airlock_send(channel, &p);
		if (error == -EAGAIN) {
			senders.blocked++;
			if (!wait_for_completion_timeout(&senders.room, msecs_to_jiffies(20000)))
				race_failed("a sender that waits for room is never woken");
		}
		airlock_channel_put(channel);
	}
	pthread_mutex_unlock(&senders.lock);
	if (!error)
		__atomic_fetch_add(&r->good, 1, __ATOMIC_RELAXED);
}

/* Reads nothing for a while, so that the ring fills, then takes it away. */
static void block_and_rescind(struct racer *r)
{
	struct host_channel *ch;

	host_lock(scene->host);
	usleep(3000 + race_random(r, 4000));
	ch = race_channel(&scene->echo);
	if (ch && race_random(r, 2)) {
		host_rescind(scene->host, ch);
		host_offer(scene->host, &scene->echo, 0);
	}
	host_unlock(scene->host);
	usleep(3000);
}

RACING_ATTACK(rescind_of_blocked, "R-163", "rescinds while senders wait for room in a ring nobody reads")
{
	race_prepare(SCENE_ECHO | SCENE_DISK);
	usual = scene->racing;
	init_completion(&senders.room);
	blocking_config = *scene_config();
	blocking_config.writable = room_or_end;
	blocking = *usual;
	blocking.config = &blocking_config;
	blocking.dead = room_or_end;
	scene->racing = &blocking;
	race_connect();
	race_guests(send_and_block, 1);
	race_hosts(block_and_rescind, 1);
	race_removes = 5;
	race("rescinds of channels with blocked senders");
	expect(senders.blocked);
	evidence("woken %llu times", (unsigned long long)senders.blocked);
	race_renew();
	race_end();
}
