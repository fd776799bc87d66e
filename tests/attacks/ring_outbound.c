// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the ring to the host: its indices, its mask, what lies in it, its signals.
 */
#include "ring_act.h"

#define DATA (3 * 4096)		/* bytes of the plain device's rings */

static unsigned int fetches;
static const void *watched;
static uint32_t replacement;
static unsigned int replace_at;

/* Changes the watched word right before its @replace_at-th fetch. */
static void watch(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	if (at != watched)
		return;
	if (++fetches == replace_at) {
		memcpy((void *)(unsigned long)watched, &replacement, 4);
		strike("word changed before fetch %u", fetches);
	}
}

static void watch_word(void *word, unsigned int nth, uint32_t value)
{
	watched = word;
	fetches = 0;
	replace_at = nth;
	replacement = value;
	scene->host->hooks.fetching = watch;
}

ATTACK(read_index_outside, "R-001", "read index at the end of the ring, and far beyond")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	poke(TO_HOST, HOST_READ_INDEX, DATA, "the read index");
	expect(guest_sends(64));
	ring_is_given_up("ring.index.at_byte.limit");
}

ATTACK(read_index_odd, "R-002", "read index between two packets")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	poke(TO_HOST, HOST_READ_INDEX, 4, "the read index");
	expect(guest_sends(64));
	ring_is_given_up("ring.index.at_byte.multiple");
}

ATTACK(read_index_back, "R-003", "read index goes back over what was read")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo() && scene_echo());
	expect(guest_end()->out.read);
	poke(TO_HOST, HOST_READ_INDEX, 0, "the read index");
	expect(guest_sends(64));
	ring_is_given_up("ring.outbound_read_index.forward");
}

ATTACK(read_index_ahead, "R-004", "read index jumps past what was written")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	poke(TO_HOST, HOST_READ_INDEX, guest_end()->out.write + 64, "the read index");
	expect(guest_sends(64));
	ring_is_given_up("ring.outbound_read_index.forward");
}

ATTACK(read_index_changes, "R-005", "read index changes between space check and signal decision")
{
	uint32_t before;

	scene_start(SCENE_ECHO | SCENE_DISK);
	before = host_peek(host_end(), TO_HOST, HOST_READ_INDEX);
	watch_word(host_field(host_end(), TO_HOST, HOST_READ_INDEX), 2, DATA * 5);
	expect(!guest_sends(64));
	expect(fetches == 2);
	scene->host->hooks.fetching = NULL;
	host_poke(host_end(), TO_HOST, HOST_READ_INDEX, before);
	host_signal(host_end());
	evidence("the second load is only compared");
	scene_run(50);
	expect(!guest_end()->dead);
	host_end()->signalled = true;	/* the host has fooled itself out of a signal */
	scene_run(10);
	scene_end(0);
}

ATTACK(read_index_twice, "R-006", "read index changes right after it was loaded for the space check")
{
	uint32_t write;

	scene_start(SCENE_ECHO | SCENE_DISK);
	write = guest_end()->out.write;
	watch_word(host_field(host_end(), TO_HOST, HOST_READ_INDEX), 2, write + 8);
	expect(!guest_sends(64));
	expect(fetches <= 2);
	expect(guest_end()->out.write == write + 16 + 64 + 8);
	evidence("one load for the space check, one to compare: %u", fetches);
	scene->host->hooks.fetching = NULL;
	host_poke(host_end(), TO_HOST, HOST_READ_INDEX, write);
	host_end()->signalled = true;
	scene_run(10);
	scene_end(0);
}

ATTACK(read_index_stands, "R-007", "the host never reads: the ring is full for ever")
{
	unsigned int sent = 0;
	uint64_t before;
	int error;

	scene_start(SCENE_ECHO | SCENE_DISK);
	while (!(error = guest_sends(1024)))
		sent++;
	expect(error == -EAGAIN && sent > 4);
	strike("%u packets fill the ring", sent);
	before = shim_now();
	expect(guest_sends(1024) == -EAGAIN);
	expect(shim_now() == before);
	evidence("the sender is told at once, waits for nobody");
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(write_index_overwritten, "R-008", "the guest's own write index is overwritten before it sends")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	watch_word(host_field(host_end(), TO_HOST, HOST_WRITE_INDEX), ~0U, 0);
	host_poke(host_end(), TO_HOST, HOST_WRITE_INDEX, DATA - 8);
	strike("own write index is %u", DATA - 8);
	expect(!guest_sends(64));
	expect(!fetches);
	expect(host_peek(host_end(), TO_HOST, HOST_WRITE_INDEX) == guest_end()->out.write);
	evidence("never read back, published anew");
	scene_works();
	scene_end(0);
}

ATTACK(write_index_after, "R-009", "the guest's own write index is overwritten after it was published")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	watch_word(host_field(host_end(), TO_HOST, HOST_WRITE_INDEX), ~0U, 0);
	expect(!guest_sends(64));
	host_poke(host_end(), TO_HOST, HOST_WRITE_INDEX, 8);
	strike("published index replaced by 8");
	expect(!guest_sends(64));
	expect(!fetches);
	expect(host_peek(host_end(), TO_HOST, HOST_WRITE_INDEX) == guest_end()->out.write);
	evidence("the next packet continues at the private index");
	scene_works();
	scene_end(0);
}

ATTACK(mask_stuck, "R-010", "interrupt mask stuck at 1")
{
	uint64_t heard;

	scene_start(SCENE_ECHO | SCENE_DISK);
	poke(TO_HOST, HOST_INTERRUPT_MASK, 1, "the mask");
	heard = host_end()->heard;
	expect(!scene_echo_send());
	expect(host_end()->heard == heard);
	evidence("no signal, no wait; the request is the driver's to time out");
	host_poke(host_end(), TO_HOST, HOST_INTERRUPT_MASK, 0);
	host_end()->signalled = true;
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(mask_toggles, "R-011", "interrupt mask toggles at each look")
{
	uint64_t heard;
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	heard = host_end()->heard;
	for (i = 0; i < 32; i++) {
		watch_word(host_field(host_end(), TO_HOST, HOST_INTERRUPT_MASK), 1, i & 1);
		expect(!guest_sends(8));
		expect(fetches == 1);
		scene_run(1);
	}
	expect(host_end()->heard - heard <= 32);
	evidence("the mask is loaded once a packet, %llu signals for 32 packets",
		 (unsigned long long)(host_end()->heard - heard));
	scene->host->hooks.fetching = NULL;
	host_poke(host_end(), TO_HOST, HOST_INTERRUPT_MASK, 0);
	host_end()->signalled = true;
	scene_run(50);
	scene_works();
	scene_end(0);
}

/* Fills the ring with the guest as a blocked sender. */
static void block_the_guest(void)
{
	int rule = 0;

	while (!guest_sends(1024))
		;
	expect(!outbound_block(&guest_end()->out, 1024 + 24, &rule));
	expect(host_peek(host_end(), TO_HOST, HOST_PENDING_SIZE));
}

ATTACK(pending_cleared, "R-012", "the guest's own pending send size is overwritten by 0")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	block_the_guest();
	host_poke(host_end(), TO_HOST, HOST_PENDING_SIZE, 0);
	strike("pending send size cleared");
	expect(guest_end()->out.pending);
	scene_run(50);
	expect(!guest_sends(1024));
	outbound_unblock(&guest_end()->out);
	evidence("that a sender waits is remembered in private, room is looked at again when it tries");
	scene_works();
	scene_end(0);
}

ATTACK(pending_small, "R-013", "the guest's own pending send size is made small")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	block_the_guest();
	host_poke(host_end(), TO_HOST, HOST_PENDING_SIZE, 8);
	host_signal(host_end());
	strike("pending send size is 8, signalled at once");
	expect(guest_sends(1024) == -EAGAIN);
	evidence("woken early, the sender finds no room and says so");
	scene_run(50);
	outbound_unblock(&guest_end()->out);
	scene_works();
	scene_end(0);
}

ATTACK(features_cleared, "R-014", "the feature bit of the ring to the host is cleared: no signal for space")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	block_the_guest();
	host_poke(host_end(), TO_HOST, HOST_FEATURES, 0);
	strike("feature bits cleared while a sender is blocked");
	scene_run(50);
	expect(!guest_sends(1024));
	outbound_unblock(&guest_end()->out);
	evidence("a sender that tries again finds the room by itself");
	host_poke(host_end(), TO_HOST, HOST_FEATURES, 1);
	scene_works();
	scene_end(0);
}

ATTACK(ring_rewritten, "R-015", "the host rewrites a packet in the ring while the guest is at it")
{
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	expect(!scene_echo_send());
	memset(host_memory(host_end()->ring_gfns[1 + at / 4096], at % 4096, 8), 0xff, 8);
	strike("descriptor and transaction id overwritten in the ring");
	expect(guest_end()->requests.in_flight == 1);
	evidence("the guest knows its request from private memory");
	scene_run(50);
	scene_end(0);
}

ATTACK(length_read_back, "R-016", "the host changes the length of a published packet")
{
	uint32_t at;

	scene_start(SCENE_ECHO | SCENE_DISK);
	at = guest_end()->out.write;
	watch_word(host_memory(host_end()->ring_gfns[1 + at / 4096], at % 4096, 8), ~0U, 0);
	expect(!guest_sends(64));
	memset((void *)(unsigned long)watched, 0xff, 8);
	strike("length in the ring is 0xffff");
	expect(!guest_sends(64));
	expect(!fetches && guest_end()->out.write == at + 2 * (16 + 64 + 8));
	evidence("nothing in the ring to the host is ever fetched");
	scene_run(50);
	scene_end(0);
}

ATTACK(space_signals, "R-017", "signals of space again and again, though nothing was freed")
{
	uint64_t runs;
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	block_the_guest();
	runs = guest_end()->runs;
	for (i = 0; i < 100; i++) {
		host_set_event(scene->host, guest_end()->cpu, guest_end()->relid);
		scene->host->hooks.packet = NULL;
		airlock_channel_poll(guest_end());
	}
	strike("100 signals");
	expect(guest_sends(1024) == -EAGAIN);
	scene_run(50);
	expect(guest_end()->runs - runs <= 102);
	evidence("%llu runs, each looks once", (unsigned long long)(guest_end()->runs - runs));
	outbound_unblock(&guest_end()->out);
	scene_works();
	scene_end(0);
}

ATTACK(space_never, "R-018", "no signal of space, ever")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	block_the_guest();
	strike("a full ring, a blocked sender, a silent host");
	evidence("blocking is a note, not a wait: senders hear -EAGAIN");
	expect(guest_sends(1024) == -EAGAIN);
	outbound_unblock(&guest_end()->out);
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(packet_larger, "R-019", "a packet that can never fit the ring")
{
	static u8 payload[65536];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = payload, .bytes = DATA };

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(airlock_send(guest_end(), &p) == -EMSGSIZE);
	strike("%u bytes for a ring of %u", DATA, DATA);
	evidence("refused for good: -EMSGSIZE");
	scene_works();
	scene_end(0);
}

ATTACK(length_truncated, "R-020", "a packet longer than its length field can say")
{
	static u8 payload[600000];
	struct outbound_packet p = { .kind = RING_MSG_OUR_IN_BAND, .payload = payload, .bytes = sizeof(payload) };

	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(airlock_send(guest_end(), &p) == -EMSGSIZE);
	strike("%zu bytes", sizeof(payload));
	evidence("refused: -EMSGSIZE");
	scene_works();
	scene_end(0);
}

static uint64_t no_signal(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	(void)input;
	*deliver = false;
	strike("signal swallowed");
	return 0x12;
}

ATTACK(signal_fails, "R-021", "the signal hypercall fails, the host never looks")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.signal_result = no_signal;
	expect(!scene_echo_send());
	expect_rule("core.signal.failed");
	scene->host->hooks.signal_result = NULL;
	host_end()->signalled = true;
	scene_run(50);
	scene_works();
	scene_end(0);
}

static void rescind_while_sending(struct host *h, void *argument, const void *at, uint32_t size)
{
	(void)argument;
	(void)size;
	if (at != watched || fetches++)
		return;
	host_rescind(h, scene->echo_channel);
	host_run(h);
	strike("rescinded between the loads of a send");
}

ATTACK(rescind_while_send, "R-022", "the channel is rescinded in the middle of a send")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	watch_word(host_field(host_end(), TO_HOST, HOST_READ_INDEX), ~0U, 0);
	scene->host->hooks.fetching = rescind_while_sending;
	(void)guest_sends(64);
	scene->host->hooks.fetching = NULL;
	scene_run(200);
	expect(!scene->echo_device && scene->removes == 1);
	evidence("the packet ends, then the ring goes");
	scene_works();
	scene_end(0);
}
