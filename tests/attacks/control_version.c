// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the negotiation of version and features.
 */
#include "control_act.h"

/* VERSION_RESPONSE: version supported @8, state @9, id or version @12, features @16. */

static void contact_fails(const char *text, unsigned int what)
{
	scene_prepare(SCENE_ECHO | what);
	act(text);
	expect(scene_connect());
	acted();
	expect(shim_waited() <= scene->policy.contact_deadline + 1000);
}

ATTACK(response_unsolicited, "C-070", "VERSION_RESPONSE in a running connection")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	host_says(CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, 20, 0, 0x4711, 0);
	scene_run(20);
	host_says(CONTROL_MESSAGE_TYPE_VERSION_RESPONSE, 20, 1, 0x4711, 0);
	message_is_dropped("control.connection.version_response.state");
}

ATTACK(response_twice, "C-071", "a second VERSION_RESPONSE, with other values, right behind the first")
{
	u32 id;

	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on version_response: replay 1");
	expect(!scene_connect());
	acted();
	id = scene->connection.message_id;
	expect(id == scene->host->connection_id);
	message_is_dropped("control.connection.version_response.state");
}

ATTACK(response_late, "C-072", "the answer to the contact comes after its deadline")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.contact_deadline = 500;
	act("on version_response 1: delay 800");
	expect(scene_connect());
	acted();
	scene_run(2000);
	expect(scene->connection.dead && !scene->probes);
	evidence("no second attempt, the late answer changes nothing");
	scene_end(0);
}

ATTACK(supported_strange, "C-073", "a third answer to \"supported?\"")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.contact_deadline = 500;
	act("on version_response: set 8 8 2");
	expect(scene_connect());
	acted();
	expect_rule("control.version_response.supported.range");
	scene_end(0);
}

ATTACK(downgrade, "C-074", "no to all versions above the floor")
{
	scene_prepare(SCENE_ECHO);
	scene->host->version_count = 2;
	scene->host->versions[0] = CONTROL_VERSION_3_0;
	scene->host->versions[1] = CONTROL_VERSION_4_1;
	expect(scene_connect());
	strike("%llu contacts refused", (unsigned long long)scene->host->messages_in);
	expect_rule("core.version.floor");
	scene_end(0);
}

ATTACK(state_failed, "C-075", "supported, but the connection has failed")
{
	contact_fails("on version_response: set 9 8 2", 0);
	expect(!scene->probes);
	evidence("each refused, none taken");
	scene_end(0);
}

ATTACK(selected_other, "C-076", "another version than asked for")
{
	scene_prepare(SCENE_ECHO | SCENE_PLAIN);
	scene->policy.contact_deadline = 500;
	scene->host->version_count = 1;
	scene->host->versions[0] = CONTROL_VERSION_4_0;
	act("on version_response: set 12 32 0x60000");
	expect(scene_connect());
	acted();
	expect_rule("control.version_response.selected.value");
	scene_end(2);	/* monitor pages: told to the host, and never given back */
}

ATTACK(connection_id, "C-077", "connection id 0, one beyond 24 bits, one that is dead")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.contact_deadline = 500;
	act("on version_response: set 12 32 0");
	expect(scene_connect());
	acted();
	expect_rule("control.version_response.connection_id.range");
	scene_end(0);
}

ATTACK(connection_id_dead, "C-077", "a connection id at which nobody hears")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.post_deadline = 2000;
	act("on version_response: set 12 32 0x99");
	expect(scene_connect());
	acted();
	expect(scene->connection.dead && shim_waited() < 10000);
	evidence("tried again within its deadline, then given up");
	scene_end(0);
}

ATTACK(features_unasked, "C-078", "features nobody asked for")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.contact_deadline = 500;
	scene->policy.features = 0;
	act("on version_response: set 16 32 0x10");
	expect(scene_connect());
	acted();
	expect_rule("control.version_response.unasked");
	scene_end(0);
}

ATTACK(not_confidential, "C-079", "confidential channels asked for, not granted")
{
	scene_prepare(SCENE_ECHO | SCENE_CONFIDENTIAL);
	scene->policy.features = CONTROL_FEATURE_CONFIDENTIAL;
	scene->policy.confidential_required = true;
	scene->host->features = 0;
	expect(scene_connect());
	strike("granted: %#x", scene->host->granted);
	expect_rule("core.version.features");
	scene_end(0);
}

ATTACK(response_short, "C-080", "a 6.0 answer without its feature word")
{
	scene_prepare(SCENE_ECHO);
	scene->policy.contact_deadline = 500;
	act("on version_response: size 16");
	expect(scene_connect());
	acted();
	expect(rule_fired("control.version_response.size") + rule_fired("control.version_response.granted.bounds"));
	evidence("control.version_response.granted.bounds");
	scene_end(0);
}

ATTACK(response_long, "C-081", "monitor pages of the host that nobody asked for")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	act("on version_response: size 40; set 24 64 0x1000; set 32 64 0x2000");
	expect(!scene_connect());
	acted();
	scene_run(50);
	expect(!scene->connection.monitors.pages);
	evidence("not looked at");
	scene_works();
	scene_end(0);
}

ATTACK(monitor_pages, "C-082", "monitor pages of the host inside of the guest's memory")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.contact_deadline = 500;
	act("on version_response: size 40; set 16 32 0x40; set 24 64 0x100000000; set 32 64 0x100001000");
	expect(scene_connect());
	acted();
	expect_rule("control.version_response.unasked");
	evidence("the feature is never asked for");
	scene_end(0);
}

ATTACK(no_response, "C-083", "no answer to the contact")
{
	scene_prepare(SCENE_ECHO);
	act("on version_response: drop");
	expect(scene_connect());
	acted();
	expect_rule("core.wait.expired");
	expect(shim_waited() <= scene->policy.contact_deadline + 1000);
	scene_end(0);
}

static uint64_t no_connection(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	(void)input;
	*deliver = false;
	strike("HV_STATUS_INVALID_CONNECTION_ID");
	return 0x12;
}

ATTACK(no_connection_id, "C-084", "no connection id is known for the contact")
{
	uint64_t before;

	scene_prepare(SCENE_ECHO | SCENE_PLAIN);
	scene->host->hooks.post_result = no_connection;
	before = shim_now();
	expect(scene_connect());
	expect(shim_now() - before < 5000);
	evidence("one attempt a version, %llu ms in all", (unsigned long long)(shim_now() - before));
	scene_end(2);	/* monitor pages: told to the host, for all anyone knows */
}

ATTACK(left_over, "C-085", "messages of the last kernel's connection still lie in the slots")
{
	u8 *slot;
	u32 cpu;

	scene_prepare(SCENE_ECHO | SCENE_DISK);
	for (cpu = 0; cpu < 4; cpu++) {
		slot = host_memory(scene->host->synic[cpu].slots, SLOT_OF_VMBUS, 256);
		put32(slot, 1);
		slot[4] = 20;
		put32(slot + 16, CONTROL_MESSAGE_TYPE_VERSION_RESPONSE);
		slot[24] = 1;
		put32(slot + 28, 0x77);
		strike("stale VERSION_RESPONSE on processor %u", cpu);
	}
	expect(!scene_connect());
	scene_run(50);
	expect(scene->connection.message_id == scene->host->connection_id);
	evidence("slots are emptied, unread, before the first contact");
	scene_works();
	scene_end(0);
}
