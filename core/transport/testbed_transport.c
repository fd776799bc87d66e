// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and signals by way of the BAR: what would be hypercalls and SynIC registers of a processor.
 * Each word of the host is fetched once and bounded. Nobody here waits for the host but when
 * the guest begins.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "testbed.h"

#define REGISTER_DOORBELL 12		/* of BAR 0: peer << 16 | vector */
#define PEER_MAX 0xffff
#define WAIT_HOST_MS 5000
#define WAIT_STEP_MS 20

/* What a hypercall would say; nobody says it here, see docs/testbed-abi.md. */
#define RESULT_SUCCESS 0x00
#define RESULT_INSUFFICIENT_BUFFERS 0x13

static struct testbed *testbed_of(struct transport *t)
{
	return container_of(t, struct testbed, transport);
}

/* Whatever was stored before is there when the host looks: writel() orders it. */
static void doorbell(const struct testbed *t)
{
	writel(t->peer << 16 | TESTBED_DOORBELL_LOOK, t->registers + REGISTER_DOORBELL);
}

/*
 * Locked. An index that cannot be makes the queue look full: that costs the host our messages, and us a
 * deadline. It may be honest, too: left over from an earlier guest, until the host has seen us.
 */
static bool post_entry(struct testbed *t, const u8 *input)
{
	u32 head = host_load32_acquire(testbed_word(t, TESTBED_POST_HEAD)), tail = t->post_tail;

	if (tail - head >= TESTBED_POSTS)
		return false;
	host_store(testbed_byte(t, TESTBED_POST_ENTRIES + tail % TESTBED_POSTS * POST_BYTES), input, POST_BYTES);
	t->post_tail = tail + 1;
	host_store32_release(testbed_word(t, TESTBED_POST_TAIL), t->post_tail);
	return true;
}

static u64 testbed_post(struct transport *transport, const u8 *input)
{
	struct testbed *t = testbed_of(transport);
	unsigned long flags;
	bool posted;

	spin_lock_irqsave(&t->post_lock, flags);
	posted = post_entry(t, input);
	spin_unlock_irqrestore(&t->post_lock, flags);
	doorbell(t);		/* of a full queue, too: the host may have missed the last one */
	return posted ? RESULT_SUCCESS : RESULT_INSUFFICIENT_BUFFERS;
}

/* The flag number in @input is always 0: nobody asks for anything else. */
static u64 testbed_signal(struct transport *transport, const u8 *input)
{
	struct testbed *t = testbed_of(transport);
	u32 bit;

	memcpy(&bit, input, sizeof(bit));
	bit %= TESTBED_SIGNALS;
	host_set_bit32(testbed_word(t, TESTBED_SIGNAL_BITS) + bit / 32, bit % 32);
	doorbell(t);
	return RESULT_SUCCESS;
}

static void testbed_end_of_message(struct transport *transport, u32 cpu)
{
	struct testbed *t = testbed_of(transport);

	if (cpu >= transport->cpus)
		return;
	host_set_bit32(testbed_word(t, TESTBED_GUEST_EOM), cpu);
	doorbell(t);
}

static u8 __host *testbed_slot(struct transport *transport, u32 cpu)
{
	if (cpu >= transport->cpus)
		return NULL;
	return testbed_of(transport)->cpus[cpu].messages.at + TESTBED_SYNIC_SLOT;
}

static u32 __host *testbed_flags(struct transport *transport, u32 cpu)
{
	if (cpu >= transport->cpus)
		return NULL;
	return (u32 __host *)(testbed_of(transport)->cpus[cpu].events.at + TESTBED_SYNIC_SLOT);
}

static u32 testbed_vp(struct transport *transport, u32 cpu)
{
	return cpu;
}

static const struct transport_ops testbed_ops = {
	.name = "testbed",
	.post = testbed_post,
	.signal = testbed_signal,
	.slot = testbed_slot,
	.end_of_message = testbed_end_of_message,
	.flags = testbed_flags,
	.vp = testbed_vp,
};

void testbed_transport_init(struct testbed *t)
{
	t->transport.ops = &testbed_ops;
	spin_lock_init(&t->post_lock);
}

/* ---- the host's part of page 0 ---- */

static int wait_host(struct testbed *t)
{
	u32 left;

	for (left = WAIT_HOST_MS / WAIT_STEP_MS; left; left--) {
		if (host_load32_acquire(testbed_word(t, TESTBED_HOST_STATE)) == TESTBED_HOST_READY)
			return 0;
		msleep(WAIT_STEP_MS);
	}
	return -ETIMEDOUT;
}

static bool host_speaks_abi(struct testbed *t)
{
	u64 magic;

	host_fetch(&magic, testbed_byte(t, TESTBED_HOST_MAGIC), sizeof(magic));
	return magic == TESTBED_MAGIC && host_load32(testbed_word(t, TESTBED_HOST_VERSION)) == TESTBED_VERSION;
}

/**
 * testbed_meet_host() - find out who is there
 * @t: mapped; its transport has as many processors as there are vectors
 *
 * Afterwards there are no more processors than the host can interrupt, and no more pages than the BAR has.
 *
 * Context: process; may sleep. Return: 0; -ETIMEDOUT: nobody is ready; -EPROTONOSUPPORT: one that speaks
 * something else; -EPROTO: one whose numbers cannot be.
 */
int testbed_meet_host(struct testbed *t)
{
	int error = wait_host(t);
	u32 cpus;

	if (error)
		return error;
	if (!host_speaks_abi(t))
		return -EPROTONOSUPPORT;
	t->peer = host_load32(testbed_word(t, TESTBED_HOST_PEER));
	t->pages = host_load32(testbed_word(t, TESTBED_HOST_PAGES));
	cpus = host_load32(testbed_word(t, TESTBED_HOST_CPUS));
	if (t->peer > PEER_MAX || t->pages <= TESTBED_FIRST_PAGE || t->pages > t->bar_pages || !cpus)
		return -EPROTO;
	t->transport.cpus = min(t->transport.cpus, cpus);
	return 0;
}

/* ---- ours ---- */

static void tell_state(struct testbed *t, enum testbed_guest_state state)
{
	host_store32_release(testbed_word(t, TESTBED_GUEST_STATE), state);
	doorbell(t);
}

/**
 * testbed_begin() - whatever an earlier guest left is gone
 * @t: the host is met
 *
 * It may have ended without a word. An honest host touches none of its pages from here on.
 *
 * Context: process.
 */
void testbed_begin(struct testbed *t)
{
	tell_state(t, TESTBED_GUEST_ABSENT);
	host_clear(testbed_byte(t, TESTBED_PAGE_STATES), t->pages);
	host_clear(testbed_byte(t, TESTBED_SIGNAL_BITS), TESTBED_SIGNALS / 8);
	host_store32(testbed_word(t, TESTBED_GUEST_EOM), 0);
	host_store32(testbed_word(t, TESTBED_POST_TAIL), 0);
	host_store32(testbed_word(t, TESTBED_POST_HEAD), 0);
}

static int synic_create_one(struct testbed *t, struct testbed_cpu *cpu)
{
	int error = hostmem_create(&cpu->messages, &t->visibility, 1, false);

	return error ? error : hostmem_create(&cpu->events, &t->visibility, 1, false);
}

int testbed_synic_create(struct testbed *t)
{
	int error = 0;
	u32 i;

	for (i = 0; i < t->transport.cpus && !error; i++)
		error = synic_create_one(t, &t->cpus[i]);
	if (error)
		testbed_synic_destroy(t);
	return error;
}

void testbed_synic_destroy(struct testbed *t)
{
	u32 i;

	for (i = 0; i < t->transport.cpus; i++) {
		hostmem_destroy(&t->cpus[i].messages, false);
		hostmem_destroy(&t->cpus[i].events, false);
	}
}

/**
 * testbed_ready() - the host may look at us from now on
 * @t: its interrupts are enabled, its SynIC pages made
 *
 * The incarnation may be any number but the last one, whoever wrote that.
 *
 * Context: process.
 */
void testbed_ready(struct testbed *t)
{
	u32 incarnation = host_load32(testbed_word(t, TESTBED_GUEST_INCARNATION));
	u32 __host *synic = testbed_word(t, TESTBED_GUEST_SYNIC);
	u32 i;

	for (i = 0; i < t->transport.cpus; i++) {
		host_store32(synic + 2 * i, (u32)hostmem_gfn(&t->cpus[i].messages, 0));
		host_store32(synic + 2 * i + 1, (u32)hostmem_gfn(&t->cpus[i].events, 0));
	}
	host_store32(testbed_word(t, TESTBED_GUEST_CPUS), t->transport.cpus);
	host_store32(testbed_word(t, TESTBED_GUEST_INCARNATION), incarnation + 1);
	tell_state(t, TESTBED_GUEST_READY);
}

/* An honest host touches nothing from now on. */
void testbed_gone(struct testbed *t)
{
	tell_state(t, TESTBED_GUEST_GONE);
}
