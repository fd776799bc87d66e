// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on unload, suspend and resume; what the guest gives away; hypercall results.
 */
#include "control_act.h"
#include "discovery.h"

static void leaves(const char *text)
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	act(text);
	airlock_disconnect(&scene->connection);
	acted();
	expect(scene->removes == 2);
}

ATTACK(unload_unsolicited, "C-250", "UNLOAD_RESPONSE while the connection runs, and forged right after the post")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE, 8, 0);
	message_is_dropped("control.connection.unload_response.state");
}

ATTACK(unload_forged, "C-250", "UNLOAD_RESPONSE forged while channels are still being torn down")
{
	leaves("on gpadl_teardown 1: post 1100000000000000");
	expect_rule("control.connection.unload_response.state");
	scene_end(0);
}

ATTACK(unload_never, "C-251", "UNLOAD_RESPONSE never comes")
{
	leaves("on unload_response: drop");
	expect_rule("core.wait.expired");
	expect(shim_waited() <= scene->policy.unload_deadline + 1000);
	evidence("after %llu s", (unsigned long long)shim_waited() / 1000);
	scene_end(0);
}

ATTACK(unload_elsewhere, "C-252", "UNLOAD_RESPONSE to another processor")
{
	leaves("on unload_response: cpu 2");
	expect_rule("core.message.wrong_cpu");
	expect(shim_waited() <= scene->policy.unload_deadline + 1000);
	scene_end(0);
}

NOT_APPLICABLE(crash_slot, "C-253", "the slot changes while a crashed kernel polls it",
	       "the crash path belongs to the Hyper-V transport, which is not part of this stack yet");
NOT_APPLICABLE(crash_pending, "C-254", "the unload of a crashed kernel is never answered",
	       "the crash path belongs to the Hyper-V transport, which is not part of this stack yet");

ATTACK(kdump_messages, "C-255", "offers, rescinds and results of a dead connection before our own contact")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on version_response 1: post 020000000000000001000000; post 0600000000000000010000000100000000000000; "
	    "post 0a00000000000000010000000100000000000000");
	expect(!scene_connect());
	acted();
	scene_run(50);
	expect(scene->probes == 2);
	expect(rule_fired("control.connection.rescind.state") + rule_fired("control.connection.open_result.state") +
	       rule_fired("control.connection.gpadl_created.state") >= 1);
	evidence("control.connection.rescind.state");
	scene_works();
	scene_end(0);
}

static bool while_unloading(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u8 m[196];

	(void)argument;
	(void)size;
	if (message[0] != CONTROL_MESSAGE_TYPE_UNLOAD)
		return true;
	make_offer(m, plain_class(), (const u8 *)"another-instance", 77);
	host_post(h, m, 196);
	put32(m, CONTROL_MESSAGE_TYPE_RESCIND);
	put32(m + 8, 1);
	host_post(h, m, 12);
	strike("offer and rescind while it unloads");
	return true;
}

ATTACK(messages_unloading, "C-256", "messages while UNLOAD is outstanding")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = while_unloading;
	airlock_disconnect(&scene->connection);
	expect_rule("control.connection.offer.state");
	expect_rule("control.connection.rescind.state");
	expect(scene->probes == 2);
	scene->host->hooks.incoming = NULL;
	scene_end(0);
}

ATTACK(messages_suspended, "C-257", "offers and rescinds while the guest is suspended")
{
	u8 m[196];

	scene_start(SCENE_ECHO);
	scene_suspend();
	make_offer(m, plain_class(), (const u8 *)"another-instance", 77);
	host_offers(m);
	scene_run(50);
	expect_rule("control.connection.offer.state");
	expect(!scene_resume());
	scene_run(50);
	scene_works();
	scene_end(0);
}

ATTACK(not_back, "C-258", "on resume the device does not come back")
{
	scene_start(SCENE_ECHO);
	scene_suspend();
	act("on offer: drop");
	(void)scene_resume();
	acted();
	expect(scene->echo_resumed != 1);
	evidence("dead; nothing was sent for a number it does not have");
	scene_end(0);
}

ATTACK(resume_version, "C-259", "on resume the old version is refused")
{
	scene_start(SCENE_ECHO);
	scene_suspend();
	scene->host->version_count = 1;
	scene->host->versions[0] = CONTROL_VERSION_5_2;
	strike("the host speaks only 5.2 now");
	expect(scene_resume());
	expect(scene->echo_resumed != 1);
	evidence("the resume fails: no other version is tried");
	scene_end(0);
}

ATTACK(resume_relid, "C-260", "on resume two devices get the same relid")
{
	scene_start(SCENE_ECHO);
	scene_suspend();
	act("on offer: replay 1; set 36 32 0x12345678");
	(void)scene_resume();
	acted();
	scene_run(50);
	expect(rule_fired("control.channel.offer.state") == 1);
	evidence("control.channel.offer.state: the first keeps it");
	scene_end(0);
}

ATTACK(flags_after_unload, "C-261", "event flags after the unload")
{
	u32 relid;

	scene_start(SCENE_ECHO | SCENE_DISK);
	relid = scene->echo_channel->relid;
	airlock_disconnect(&scene->connection);
	host_set_event(scene->host, 0, relid);
	airlock_event_interrupt(&scene->connection, 0);
	strike("flag of channel %u, interrupt", relid);
	scene_run(20);
	evidence("there is no channel to find");
	scene_end(0);
}

ATTACK(contact_given_up, "C-262", "the contact is answered after the guest has given up")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.contact_deadline = 300;
	act("on version_response: delay 600");
	expect(scene_connect());
	scene_run(2000);
	acted();
	expect(scene->host->unloaded || !scene->host->connected);
	evidence("unload was sent all the same: the host lets go");
	scene_end(0);
}

/* ---- what leaves the guest ---- */

static uint32_t posts_seen;

static uint64_t look_at_post(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	u32 size = get32(input + 12);

	(void)h;
	(void)argument;
	(void)deliver;
	posts_seen++;
	expect(!get32(input + 4) && size <= 240);
	expect(!memchr_inv(input + 16 + size, 0, 240 - size));
	return 0;
}

ATTACK(post_tail, "C-280", "the host reads all 256 bytes of each post")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.post_result = look_at_post;
	expect(!scene_connect());
	scene_run(50);
	strike("%u posts read to their end", posts_seen);
	evidence("zero behind each message");
	scene_works();
	airlock_disconnect(&scene->connection);
	scene_end(0);
}

/* What of the guest's messages of one type is to be zero, or is to be shown. */
static struct { u32 type, from, bytes, seen; } zero;

static bool look_at_zero(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)h;
	(void)argument;
	if (message[0] != zero.type)
		return true;
	zero.seen++;
	expect(zero.from + zero.bytes <= size);
	expect(!memchr_inv(message + zero.from, 0, zero.bytes));
	strike("%u bytes of message %u read", zero.bytes, zero.type);
	return true;
}

static void is_zero(u32 type, u32 from, u32 bytes)
{
	zero.type = type;
	zero.from = from;
	zero.bytes = bytes;
	zero.seen = 0;
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = look_at_zero;
	expect(!scene_connect());
	scene_run(50);
	expect(zero.seen && !scene->host->errors && !sim_secret_shows());
	evidence("%u bytes at %u are 0", bytes, from);
	scene_works();
	scene_end(0);
}

ATTACK(open_user, "C-281", "the host reads the device data of OPENCHANNEL")
{
	is_zero(CONTROL_MESSAGE_TYPE_OPEN, 28, 120);
}

ATTACK(reserved_of_ours, "C-282", "the host reads padding and reserved words of the guest's messages")
{
	is_zero(CONTROL_MESSAGE_TYPE_GPADL_HEADER, 4, 4);
}

ATTACK(contact_words, "C-283", "the host reads pages and reserved words of the contact")
{
	is_zero(CONTROL_MESSAGE_TYPE_INITIATE_CONTACT, 24, 16);
}

ATTACK(client_id, "C-284", "the host asks for the client's id")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.features |= CONTROL_FEATURE_CLIENT_ID;
	scene->host->features |= CONTROL_FEATURE_CLIENT_ID;
	zero.type = CONTROL_MESSAGE_TYPE_INITIATE_CONTACT;
	zero.from = 40;
	zero.bytes = 16;
	scene->host->hooks.incoming = look_at_zero;
	expect(!scene_connect());
	scene_run(50);
	expect(zero.seen);
	evidence("a constant: 0");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(ghcb_page, "C-285", "the GHCB page keeps the arguments of earlier calls",
	       "the GHCB is the Hyper-V transport's, which is not part of this stack yet");
NOT_APPLICABLE(tdcall_mask, "C-286", "a TDCALL shows more registers than it must",
	       "registers are exposed by the Hyper-V transport, which is not part of this stack yet");
NOT_APPLICABLE(ghcb_pointer, "C-287", "an address in the GHCB's output field",
	       "the GHCB is the Hyper-V transport's, which is not part of this stack yet");

ATTACK(page_slack, "C-288", "the host reads the slack of every page it was named")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(scene_echo() && scene_disk());
	strike("%llu pages read whole", (unsigned long long)sim_shared_pages());
	expect(!sim_secret_shows());
	evidence("whole pages, cleared; no byte of private memory among them");
	scene_works();
	scene_end(0);
}

ATTACK(pages_at_share, "C-289", "the host reads SynIC pages and rings as they are shared")
{
	u32 cpu;

	scene_prepare(SCENE_ECHO);
	for (cpu = 0; cpu < 4; cpu++) {
		expect(!memchr_inv(host_memory(scene->host->synic[cpu].slots, 0, 4096), 0, 4096));
		expect(!memchr_inv(host_memory(scene->host->synic[cpu].flags, 0, 4096), 0, 4096));
	}
	expect(!scene_connect());
	strike("8 pages read");
	expect(!sim_secret_shows());
	evidence("cleared after they were shared, and before");
	scene_run(50);
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(frame_numbers, "C-290", "frame numbers show where memory lies",
	       "the host has to know the frames it is to use; documented, harmless to secrecy of contents");

static bool look_at_ids(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u32 handle;

	(void)h;
	(void)argument;
	(void)size;
	if (message[0] == CONTROL_MESSAGE_TYPE_OPEN)
		strike("open id %u", get32(message + 12));
	if (message[0] == CONTROL_MESSAGE_TYPE_OPEN)
		expect(get32(message + 12) && get32(message + 12) < 1000);
	if (message[0] != CONTROL_MESSAGE_TYPE_GPADL_HEADER)
		return true;
	handle = get32(message + 12);
	strike("handle %#x", handle);
	expect(handle && handle >> 12 < 1000);
	return true;
}

ATTACK(ids_pointers, "C-291", "the host collects open ids and handles, to learn of addresses")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.incoming = look_at_ids;
	expect(!scene_connect());
	scene_run(50);
	evidence("counters, slots and generations");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(crash_report, "C-292", "the crash report shows the kernel's log",
	       "this stack reports no crashes to the host");
NOT_APPLICABLE(os_id, "C-293", "the guest's OS id shows its version",
	       "written by the kernel before any module runs; by design");
NOT_APPLICABLE(signal_timing, "C-294", "signals show when the guest is active",
	       "cannot be hidden from who delivers them");

/* ---- results of hypercalls ---- */

static uint64_t the_result;
static u32 the_type;
static unsigned int results;
static bool delivered;

static uint64_t give_result(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	if (the_type && input[16] != the_type)
		return 0;
	*deliver = delivered;
	if (!results++)
		strike("result %#llx", (unsigned long long)the_result);
	return the_result;
}

static void results_are(uint64_t result, u32 type, bool deliver)
{
	the_result = result;
	the_type = type;
	delivered = deliver;
	results = 0;
	scene->host->hooks.post_result = give_result;
}

ATTACK(retry_for_ever, "C-300", "\"try again\" for ever")
{
	uint64_t before;

	scene_prepare(SCENE_ECHO);
	results_are(0x13, CONTROL_MESSAGE_TYPE_REQUEST_OFFERS, false);
	before = shim_now();
	expect(scene_connect());
	expect(shim_now() - before <= scene->policy.post_deadline + 2000 && results > 3);
	expect(scene->connection.dead);
	expect_rule("core.post.failed");
	evidence("%u attempts in %llu ms, then it is over", results, (unsigned long long)(shim_now() - before));
	scene->host->hooks.post_result = NULL;
	scene_end(0);
}

ATTACK(lost, "C-301", "success reported, nothing delivered")
{
	scene_prepare(SCENE_ECHO);
	results_are(0, CONTROL_MESSAGE_TYPE_INITIATE_CONTACT, false);
	expect(scene_connect());
	expect(shim_waited() <= scene->policy.contact_deadline + 1000);
	expect_rule("core.wait.expired");
	scene->host->hooks.post_result = NULL;
	scene_end(0);
}

ATTACK(delivered_twice, "C-302", "failure reported, the message was delivered: it is sent again, and answered twice")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	act("on post gpadl_header 1: result 0x13 delivered");
	host_rescind(scene->host, scene->echo_channel);
	scene_run(200);
	scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	scene_run(12000);
	acted();
	act_no_more();
	expect_rule("control.gpadl.gpadl_created.state");
	expect(scene->echo_device && !scene->probe_result);
	evidence("the first answer counts, the other finds nobody waiting");
	scene_works();
	scene_end(0);
}

ATTACK(status_unknown, "C-303", "unknown status codes, and success with reserved bits set")
{
	static const u64 strange[] = { 0x4242, 1ULL << 16, 1ULL << 63, 0xffff };
	u32 i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 4; i++)
		expect(hypercall_verdict(strange[i]) == HYPERCALL_FAILED);
	expect(hypercall_verdict(0) == HYPERCALL_DONE);
	scene_end(0);
	scene_prepare(SCENE_ECHO);
	results_are(1ULL << 40, CONTROL_MESSAGE_TYPE_REQUEST_OFFERS, true);
	expect(scene_connect());
	evidence("none of them is success");
	scene_end(0);
}

NOT_APPLICABLE(ghcb_status, "C-304", "the status word in the GHCB changes after it was read",
	       "the GHCB is the Hyper-V transport's, which is not part of this stack yet");
NOT_APPLICABLE(ghcb_transport, "C-305", "the GHCB call fails and leaves an old status",
	       "the GHCB is the Hyper-V transport's, which is not part of this stack yet");

ATTACK(msr_values, "C-306", "arbitrary values from registers that the host answers for")
{
	static const struct discovery_range ram = { 0, 0x100000000 };
	struct discovery_hardware hardware = { .address_bits = 46, .ram = &ram, .ram_count = 1 };
	struct discovery_result none = { 0 };
	struct discovery_sint masked = { .masked = true, .vector = 0xf3 };
	u64 value, page;
	u32 i;

	scene_start(SCENE_ECHO);
	for (i = 0, value = 1; i < 1000; i++, value = value * 6364136223846793005ULL + 1442695040888963407ULL) {
		page = discovery_page(&none, value);
		expect(!(page & 4095));
		if (!discovery_check_page(&hardware, NULL, 0, page))
			expect(page >= ram.end && page < 1ULL << 46);
		expect((discovery_sint_value(value, &masked) & 0x1f00ff) == (0x100f3));
	}
	strike("%u values", i);
	evidence("a page is taken outside of RAM and inside of the address width only; no foreign bit of a SINT stays");
	scene_works();
	scene_end(0);
}

static uint64_t no_signals(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	(void)input;
	*deliver = false;
	strike("signal refused");
	return 0x06;
}

ATTACK(signals_fail, "C-307", "signals are dropped with an error")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	scene->host->hooks.signal_result = no_signals;
	expect(!scene_echo());
	expect_rule("core.signal.failed");
	scene->host->hooks.signal_result = NULL;
	scene->echo_channel->signalled = true;
	scene_run(50);
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(slow_hypercalls, "C-308", "the processor is not resumed after a hypercall",
	       "whoever runs the processors can always stop them");

ATTACK(reordered, "C-309", "the host reorders and replays what the guest posts")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	act("on gpadl_created: delay 30; replay 1\non open_result: replay 2");
	host_rescind(scene->host, scene->echo_channel);
	scene_run(200);
	scene->echo_channel = host_offer(scene->host, &scene->echo, 0);
	scene_run(1000);
	acted();
	act_no_more();
	expect(rule_fired("control.channel.open_result.state") == 2);
	evidence("control.channel.open_result.state: answers still match once");
	scene_works();
	scene_end(0);
}
