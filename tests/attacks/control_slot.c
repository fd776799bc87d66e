// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on message slots.
 */
#include "control_act.h"

/* A message as it stands in the slot, lies and all. */
static struct host_message raw(u32 type, u32 size)
{
	struct host_message m = { .size = size, .slot_type = 1, .payload_size = size, .cpu = hearing_cpu() };

	put32(m.bytes, type);
	return m;
}

static void host_slips(const struct host_message *m)
{
	strike_on_fetch(slot_of(m->cpu), 256, "the slot");
	host_post_raw(scene->host, m);
	scene_run(20);
}

static unsigned int steps;

/* Rewrites the rest of the slot as soon as the guest begins to copy it, and again later. */
static void rewrite_slot(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *slot = slot_of(hearing_cpu());

	(void)h;
	(void)argument;
	if ((const u8 *)at <= slot + 24 && (const u8 *)at + size > slot + 24)
		put32(slot + 24, 0xffffffff);	/* of a rescind: the relid, right before its one fetch */
	else if ((const u8 *)at > slot + 24 && (const u8 *)at < slot + 256 && !steps++)
		put32(slot + 24, scene->echo_channel->relid);
}

ATTACK(slot_changes, "C-020", "a slot changes while it is copied, and between check and use")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_RESCIND, 12);
	put32(m.bytes + 8, scene->echo_channel->relid);
	scene->host->hooks.fetching = rewrite_slot;
	host_slips(&m);
	scene->host->hooks.fetching = NULL;
	expect(steps);
	expect_rule("control.rescind.relid.range");
	expect(!scene->removes);
	scene_works();
	scene_end(0);
}

ATTACK(slot_type, "C-021", "a hypervisor message where channel messages come")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8);
	m.slot_type = 0x80000010;
	host_slips(&m);
	message_is_dropped("control.message_slot.type.value");
}

ATTACK(slot_long, "C-022", "payload size beyond the slot")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8);
	m.payload_size = 255;
	host_slips(&m);
	message_is_dropped("control.message_slot.payload_size.range");
}

ATTACK(slot_short, "C-023", "payload too small for a message type")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8);
	m.payload_size = 7;
	host_slips(&m);
	message_is_dropped("control.message_slot.payload_size.range");
}

ATTACK(message_short, "C-024", "messages shorter than their layout, over stale bytes of an earlier one")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_RESCIND, 8);
	put32(m.bytes + 8, scene->echo_channel->relid);
	host_slips(&m);
	expect(!scene->removes);
	message_is_dropped("control.rescind.size");
}

ATTACK(message_long, "C-025", "messages longer than their layout")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_RESCIND, 16, scene->echo_channel->relid, 0xffffffff);
	scene_run(20);
	expect(!scene->removes);
	message_is_dropped("control.rescind.size");
}

ATTACK(pending_always, "C-026", "the pending flag is always set")
{
	struct host_message m;
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 20; i++) {
		uint64_t before = scene->host->needless_eoms;

		m = raw(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8);
		m.flags = 1;
		host_slips(&m);
		expect(scene->host->needless_eoms - before <= 1);
	}
	evidence("one end of message for each slot");
	message_is_dropped("control.connection.all_offers.state");
}

static bool hide_pending;

static void clear_pending(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *slot = slot_of(hearing_cpu());

	(void)h;
	(void)argument;
	(void)size;
	if (hide_pending && (const u8 *)at >= slot && (const u8 *)at < slot + 256)
		slot[5] = 0;
}

ATTACK(pending_never, "C-027", "the pending flag is never set although more is queued")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	hide_pending = true;
	scene->host->hooks.fetching = clear_pending;
	(void)scene_connect();
	scene_run(1000);
	strike("pending cleared at every fetch");
	hide_pending = false;
	expect(shim_waited() <= scene->policy.offers_deadline + scene->policy.contact_deadline);
	evidence("no wait beyond its deadline: %llu ms", (unsigned long long)shim_waited());
	scene->host->hooks.fetching = NULL;
	scene_end(0);
}

static unsigned int refills;

/* As soon as the guest has freed the slot and looks at the flags: the same message again. */
static void refill(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *slot = slot_of(hearing_cpu());

	(void)argument;
	(void)size;
	if (at == slot + 4 && !get32(slot) && refills++ < 5) {
		put32(slot, 1);
		h->synic[hearing_cpu()].delivered++;
		strike("slot filled again before the end of message");
	}
}

ATTACK(slot_refilled, "C-028", "the slot is filled again right after it was freed")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.fetching = refill;
	host_says(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8, 0);
	scene_run(50);
	airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene->host->hooks.fetching = NULL;
	message_is_dropped("control.connection.all_offers.state");
}

static unsigned int swaps;

static bool copied;

/* The type changes between the copy and the attempt to free the slot. */
static void swap_type(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *slot = slot_of(hearing_cpu());

	(void)h;
	(void)argument;
	/* The first look at the type says that there is a message; the next is the attempt to free the slot. */
	if (at == slot + 4)
		copied = true;
	else if (at == slot && size == 4 && copied && get32(slot) == 1) {
		put32(slot, 1 | 0x100);
		swaps++;
		strike("type changed under the compare-and-swap");
	}
}

ATTACK(slot_never_free, "C-029", "the slot cannot be freed: its type changes under each attempt")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.fetching = swap_type;
	host_says(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8, 0);
	scene_run(50);
	expect(swaps && swaps < 64);
	scene->host->hooks.fetching = NULL;
	put32(slot_of(hearing_cpu()), 0);
	expect_rule("control.connection.all_offers.state");
	evidence("%u attempts, no loop", swaps);
	scene_works();
	scene_end(0);
}

ATTACK(other_processor, "C-030", "a message in the slot of another processor")
{
	struct host_message m;

	scene_start(SCENE_ECHO | SCENE_DISK);
	m = raw(CONTROL_MESSAGE_TYPE_RESCIND, 12);
	put32(m.bytes + 8, scene->echo_channel->relid);
	m.cpu = (hearing_cpu() + 1) % 4;
	host_post_raw(scene->host, &m);
	strike("rescind in the slot of processor %u", m.cpu);
	scene_run(20);
	expect(!scene->removes);
	expect(!get32(slot_of(m.cpu)));
	message_is_dropped("core.message.wrong_cpu");
}

ATTACK(untrusted_path, "C-031", "a confidential connection gets messages from the host's own page")
{
	u8 rescind[12] = { CONTROL_MESSAGE_TYPE_RESCIND };

	scene_prepare(SCENE_ECHO | SCENE_DISK | SCENE_CONFIDENTIAL);
	scene->host->features |= CONTROL_FEATURE_CONFIDENTIAL;
	scene->policy.features |= CONTROL_FEATURE_CONFIDENTIAL;
	expect(!scene_connect());
	scene_run(50);
	expect(scene->connection.context.features & CONTROL_FEATURE_CONFIDENTIAL);
	scene->connection.context.trusted_path = 0;
	strike("the next message does not come by way of the paravisor");
	put32(rescind + 8, scene->echo_channel->relid);
	host_post(scene->host, rescind, 12);
	scene_run(20);
	expect(!scene->removes);
	expect_rule("control.header.trusted");
	scene->connection.context.trusted_path = 1;
	scene_works();
	scene_end(0);
}

ATTACK(no_memory, "C-032", "an offer while there is no memory")
{
	u8 m[196];

	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(m, plain_class(), (const u8 *)"another-instance", 77);
	shim_fail_allocations(1, 1);
	host_offers(m);
	scene_run(20);
	shim_fail_allocations(0, 0);
	expect(!get32(slot_of(hearing_cpu())));
	message_is_dropped("core.message.no_memory");
}

ATTACK(message_storm, "C-033", "a valid message at each end of message, for ever")
{
	u8 m[196];
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 3000; i++) {
		make_offer(m, plain_class(), (const u8 *)"instance-in-storm", 100 + i % 1900);
		put32(m + 36, i);
		host_post(scene->host, m, 196);
		if (i % 16 == 0)
			scene_run(1);
	}
	scene_run(1000);
	strike("3000 offers");
	expect(rule_fired("core.offer.rate") + rule_fired("core.offer.limit") > 1000);
	evidence("core.offer.rate, core.offer.limit: %u channels of 3000 offers", scene->connection.channel_count);
	expect(scene->connection.channel_count <= scene->policy.channels_max);
	scene_end(0);
}

static unsigned int refilled;

/* Whenever the guest has freed the slot, a message of the same kind is there again. */
static void refill_for_ever(struct host *h, void *argument, const void *at, uint32_t size)
{
	u8 *slot = slot_of(hearing_cpu());

	(void)argument;
	(void)size;
	if (at != slot + 4 || get32(slot) || refilled == 100000)
		return;
	put32(slot, 1);
	h->synic[hearing_cpu()].delivered++;
	refilled++;
}

ATTACK(storm_at_the_end, "C-033", "the slot is full at each look, and the guest wants to leave")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	airlock_disconnect(&scene->connection);
	scene->host->hooks.fetching = refill_for_ever;
	host_says(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8, 0);
	while (!get32(slot_of(hearing_cpu())) && host_run(scene->host))
		;
	airlock_message_interrupt(&scene->connection, hearing_cpu());
	airlock_connection_destroy(&scene->connection);
	scene->initialized = false;
	strike("%u messages while it left", refilled);
	expect(refilled && refilled <= 2 * scene->policy.message_budget);
	evidence("one budget, then nothing is read any more");
	scene->host->hooks.fetching = NULL;
	scene_end(0);
}

ATTACK(types_unknown, "C-034", "message types nobody knows, or has negotiated")
{
	static const u32 types[] = { 0, 30, 0x80000000, 0xffffffff };
	u32 i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 4; i++) {
		host_says(types[i], 8, 0);
		scene_run(10);
		expect_rule("control.header.type.enum");
	}
	host_says(28, 8, 0);
	message_is_dropped("control.dispatch");
}

ATTACK(types_reflected, "C-035", "the guest's own message types come back")
{
	static const u8 types[] = { 3, 5, 7, 8, 9, 11, 13, 14, 16, 18, 19, 21, 22, 25, 27, 29 };
	u32 i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < sizeof(types); i++) {
		host_says(types[i], 148, scene->echo_channel->relid);
		scene_run(10);
		expect(rule_fired("control.dispatch") == 1);
	}
	evidence("control.dispatch, %u times", i);
	scene_works();
	scene_end(0);
}

ATTACK(reserved_noise, "C-036", "noise in padding and reserved words")
{
	u8 m[196];

	scene_start(SCENE_ECHO | SCENE_DISK);
	make_offer(m, plain_class(), (const u8 *)"another-instance", 77);
	memset(m + 4, 0xff, 4);
	memset(m + 40, 0xff, 16);
	host_offers(m);
	scene_run(50);
	expect(scene->probes == 3);
	evidence("accepted: never looked at, never copied back");
	scene_end(0);
}

ATTACK(sender_id, "C-037", "the sender field of the slot names a trusted port")
{
	u8 *slot;

	scene_start(SCENE_ECHO | SCENE_DISK);
	slot = slot_of(hearing_cpu());
	memset(slot + 8, 0xff, 8);
	strike_on_fetch(slot + 8, 8, "the sender field");
	host_says(CONTROL_MESSAGE_TYPE_ALL_OFFERS, 8, 0);
	message_is_dropped("control.connection.all_offers.state");
}

ATTACK(malformed_storm, "C-038", "malformed messages at a high rate")
{
	unsigned int i;
	uint64_t lines;

	scene_start(SCENE_ECHO | SCENE_DISK);
	lines = shim_log_lines;
	for (i = 0; i < 500; i++) {
		host_says(0x4242, 8, 0);
		scene_run(1);
	}
	expect(shim_log_lines - lines <= 30);
	evidence("%llu lines of log for 500 messages", (unsigned long long)(shim_log_lines - lines));
	message_is_dropped("control.header.type.enum");
}

ATTACK(unused_slots, "C-039", "messages in the slots of other interrupt sources")
{
	u8 *page;
	u32 i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	page = host_memory(scene->host->synic[hearing_cpu()].slots, 0, 4096);
	for (i = 0; i < 16; i++)
		if (i * 256 != SLOT_OF_VMBUS)
			put32(page + i * 256, 1);
	strike("15 slots filled");
	airlock_message_interrupt(&scene->connection, hearing_cpu());
	scene_run(20);
	for (i = 0; i < 16; i++)
		expect(i * 256 == SLOT_OF_VMBUS || get32(page + i * 256) == 1);
	evidence("never looked at");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(wrong_synic, "C-040", "an end of message to the wrong SynIC",
	       "there is one SynIC in this transport; confidential VMBus with two of them is a transport of its own");
