// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on GPADLs and on the visibility of pages.
 */
#include "control_act.h"

static struct hostmem memory;
static struct gpadl g;

static struct airlock_channel *other;	/* instead of the plain device's */

static struct airlock_channel *plain(void)
{
	return other ? other : scene->echo_device->primary;
}

/* More memory for the plain device: @pages of it. What airlock_gpadl_create() said. */
static int name_memory(u32 pages)
{
	expect(!hostmem_create(&memory, scene->connection.visibility, pages, false));
	memset(&g, 0, sizeof(g));
	return airlock_gpadl_create(plain(), &g, &memory);
}

static void take_back(void)
{
	if (gpadl_is_live(&g))
		airlock_gpadl_teardown(plain(), &g);
	hostmem_destroy(&memory, gpadl_given_back(&g));
}

static void start(const char *text)
{
	scene_prepare(SCENE_ECHO | SCENE_DISK);
	scene->policy.create_deadline = 300;
	scene->policy.teardown_deadline = 300;
	expect(!scene_connect());
	scene_run(50);
	if (text)
		act(text);
}

/* Naming memory fails; all is taken back, and the rest works. */
static void naming_fails(const char *text, u32 pages, const char *rule)
{
	int error;

	start(text);
	error = name_memory(pages);
	expect(error);
	acted();
	act_no_more();
	if (rule)
		expect_rule(rule);
	evidence("naming fails: %d", error);
	take_back();
	if (plain()->dead) {
		scene_quarantined(plain());
		scene->echo_device = NULL;
	}
	scene_works();
	scene_end(0);
}

ATTACK(created_unknown, "C-200", "GPADL_CREATED for a handle nobody has")
{
	start(NULL);
	host_says(CONTROL_MESSAGE_TYPE_GPADL_CREATED, 20, plain()->relid, 0x4711, 0);
	message_is_dropped("control.gpadl.gpadl_created.state");
}

ATTACK(created_other_channel, "C-201", "GPADL_CREATED with the relid of another channel")
{
	naming_fails("on gpadl_created: set 8 32 2", 4, "control.gpadl_created.relid.value");
}

ATTACK(created_twice, "C-202", "GPADL_CREATED twice")
{
	start("on gpadl_created: replay 1");
	expect(!name_memory(4));
	scene_run(50);
	acted();
	expect(rule_fired("control.gpadl.gpadl_created.state") + rule_fired("control.gpadl.gpadl_created.unsolicited"));
	evidence("control.gpadl.gpadl_created.state");
	act_no_more();
	take_back();
	scene_works();
	scene_end(0);
}

static bool answer_header(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	u8 m[20] = { CONTROL_MESSAGE_TYPE_GPADL_CREATED };

	(void)size;
	if (message[0] != CONTROL_MESSAGE_TYPE_GPADL_HEADER)
		return true;
	memcpy(m + 8, message + 8, 8);
	put32(m + 16, argument ? 0xc0000001 : 0);
	host_post(h, m, 20);
	scene_run(1);
	strike("created, before all of it was named");
	return true;
}

static uint64_t answer_early(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	*deliver = true;
	(void)answer_header(h, argument, input + 16, 0);
	return 0;
}

ATTACK(created_early, "C-203", "GPADL_CREATED before the last part was sent")
{
	int error;

	start(NULL);
	scene->host->hooks.post_result = answer_early;
	error = name_memory(200);
	scene->host->hooks.post_result = NULL;
	expect(error);
	scene_run(50);
	evidence("a host that has not seen it all cannot have taken it: %d", error);
	scene_quarantined(plain());
	hostmem_destroy(&memory, gpadl_given_back(&g));
	scene_end(0);
}

ATTACK(created_never, "C-204", "GPADL_CREATED never comes")
{
	naming_fails("on gpadl_created: drop", 4, "core.wait.expired");
}

ATTACK(created_both, "C-205", "GPADL_CREATED: failure, then success")
{
	int error;

	start("on gpadl_created 1: set 16 32 0xc0000001; replay 1\non gpadl_created 2: set 16 32 0");
	error = name_memory(4);
	expect(error);
	scene_run(50);
	acted();
	expect(!gpadl_is_live(&g));
	act_no_more();
	hostmem_destroy(&memory, gpadl_given_back(&g));
	evidence("the first counts: %d; shared until revoked", error);
	scene_works();
	scene_end(0);
}

ATTACK(created_ambiguous, "C-206", "GPADL_CREATED with a status that is neither")
{
	naming_fails("on gpadl_created: set 16 32 0x103", 4, "core.status.ambiguous");
}

ATTACK(created_failure_live, "C-207", "GPADL_CREATED with failure for memory in use")
{
	start(NULL);
	expect(!name_memory(4));
	host_says(CONTROL_MESSAGE_TYPE_GPADL_CREATED, 20, plain()->relid, g.handle, 0xc0000001);
	scene_run(50);
	expect(gpadl_is_live(&g) && sim_is_shared(hostmem_gfn(&memory, 0)));
	expect(rule_fired("control.gpadl.gpadl_created.state") + rule_fired("control.gpadl.gpadl_created.unsolicited"));
	evidence("control.gpadl.gpadl_created.state");
	take_back();
	scene_works();
	scene_end(0);
}

ATTACK(torndown_live, "C-208", "GPADL_TORNDOWN for memory in use")
{
	start(NULL);
	host_says(CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN, 12, plain()->gpadl.handle);
	scene_run(50);
	expect(gpadl_is_live(&plain()->gpadl));
	message_is_dropped("control.gpadl.gpadl_torndown.state");
}

ATTACK(torndown_early, "C-209", "GPADL_TORNDOWN although the host goes on writing")
{
	uint64_t gfn;

	start("on gpadl_teardown: never");
	expect(!name_memory(4));
	gfn = hostmem_gfn(&memory, 0);
	act("on gpadl_torndown: delay 0");
	take_back();
	strike("torn down, the host keeps page %#llx", (unsigned long long)gfn);
	expect(!sim_is_shared(gfn));
	evidence("revoked before reuse, whatever it keeps");
	act_no_more();
	scene_works();
	scene_end(0);
}

ATTACK(torndown_never, "C-210", "GPADL_TORNDOWN never comes")
{
	start("on gpadl_torndown: drop");
	expect(!name_memory(4));
	take_back();
	acted();
	expect_rule("core.wait.expired");
	act_no_more();
	scene_run(50);
	scene_end(0);
}

ATTACK(torndown_late, "C-211", "GPADL_TORNDOWN comes late, when memory was named again")
{
	u32 handle;

	start("on gpadl_torndown 1: delay 600");
	expect(!name_memory(4));
	handle = g.handle;
	take_back();
	acted();
	expect(plain()->dead);
	other = scene->disk_device->primary;
	expect(!name_memory(4));
	expect(g.handle != handle);
	scene_run(1000);
	expect(gpadl_is_live(&g));
	expect_rule("control.gpadl.gpadl_torndown.state");
	take_back();
	scene_end(0);
}

ATTACK(handles_wrap, "C-212", "handles wrap around by churn")
{
	u32 first, i;

	start(NULL);
	expect(!name_memory(1));
	first = g.handle;
	strike("handle %#x lives", first);
	for (i = 0; i < 3 * GPADL_SLOTS; i++) {
		struct gpadl other;

		memset(&other, 0, sizeof(other));
		expect(!gpadl_add(&scene->connection.gpadls, &other, &memory, 1));
		expect(other.handle && other.handle != first);
		gpadl_remove(&scene->connection.gpadls, &other);
	}
	expect(gpadl_find(&scene->connection.gpadls, first) == &g);
	evidence("%u handles, none of them one that lives", i);
	take_back();
	scene_works();
	scene_end(0);
}

ATTACK(access_after, "C-213", "the host keeps page numbers and tries them after the teardown")
{
	uint64_t gfns[4];
	u32 i;

	start(NULL);
	expect(!name_memory(4));
	for (i = 0; i < 4; i++)
		gfns[i] = hostmem_gfn(&memory, i);
	take_back();
	for (i = 0; i < 4; i++)
		expect(!sim_is_shared(gfns[i]));
	strike("4 pages tried, none reached");
	evidence("revoked");
	scene_works();
	scene_end(0);
}

/* Sharing or revoking fails once, in the middle of a run. */
static void change_fails(bool revoke, u32 done)
{
	u32 leaked = (u32)atomic_read(&sim_visibility()->leaked);

	if (revoke) {
		expect(!name_memory(8));
		sim_fail_revoke(1, -EIO, done);
		take_back();
	} else {
		sim_fail_share(1, -EIO, done);
		expect(hostmem_create(&memory, scene->connection.visibility, 8, false));
		hostmem_destroy(&memory, true);
	}
	expect(sim_struck());
	strike("failed after %u pages", done);
	expect((u32)atomic_read(&sim_visibility()->leaked) > leaked);
	evidence("%d pages leaked, none freed", atomic_read(&sim_visibility()->leaked));
}

ATTACK(partial_change, "C-214", "a visibility change fails in the middle")
{
	start(NULL);
	change_fails(false, 3);
	change_fails(true, 3);
	scene_works();
	scene_end(32);
}

ATTACK(share_lies, "C-215", "sharing is reported as done, and was not")
{
	start(NULL);
	sim_lie_share(1);
	expect(!hostmem_create(&memory, scene->connection.visibility, 1, false));
	expect(sim_struck());
	strike("lied about");
	expect(!sim_is_shared(hostmem_gfn(&memory, 0)));
	hostmem_destroy(&memory, true);
	evidence("what the guest writes there stays private; hardware faults on a real one");
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(revoke_lies, "C-216", "revocation is reported as done, and was not",
	       "SNP and TDX hardware finds out when the page is accepted, below the kernel call this stack uses; "
	       "a guest without such hardware has to believe its hypervisor");

NOT_APPLICABLE(reps_garbage, "C-217", "more pages converted than asked for",
	       "the hypercall is made by the kernel's set_memory functions; this stack sees success or failure, see C-214");

ATTACK(share_fails, "C-218", "sharing fails")
{
	start(NULL);
	change_fails(false, 0);
	scene_works();
	scene_end(16);
}

ATTACK(revoke_fails, "C-219", "revocation fails")
{
	start(NULL);
	change_fails(true, 0);
	scene_works();
	scene_end(16);
}

static bool search(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	if (message[0] == CONTROL_MESSAGE_TYPE_GPADL_HEADER) {
		strike("searched when it is named");
		expect(!sim_secret_shows());
	}
	return true;
}

ATTACK(content_shared, "C-220", "the host searches memory the moment it is shared")
{
	start(NULL);
	scene->host->hooks.incoming = search;
	expect(!name_memory(16));
	scene->host->hooks.incoming = NULL;
	expect(!sim_secret_shows());
	evidence("nothing but zeroes");
	take_back();
	scene_works();
	scene_end(0);
}

ATTACK(content_revoked, "C-221", "the host fills memory before it loses it")
{
	u8 *page;
	u32 i;

	start(NULL);
	expect(!name_memory(1));
	page = host_memory(hostmem_gfn(&memory, 0), 0, 4096);
	memset(page, 0x66, 4096);
	strike("page full of 0x66");
	take_back();
	for (i = 0; i < 8; i++) {
		struct page_run run;

		expect(!run_alloc(scene->connection.visibility, &run, 1));
		expect(!memchr_inv(run.at, 0, 4096));
		run_free(scene->connection.visibility, &run);
	}
	evidence("cleared before it is used again");
	scene_works();
	scene_end(0);
}

ATTACK(sub_page, "C-222", "the host reads what lies beside a small buffer")
{
	start(NULL);
	expect(!name_memory(1));
	expect(!memchr_inv(host_memory(hostmem_gfn(&memory, 0), 0, 4096), 0, 4096));
	strike("all 4096 bytes read");
	evidence("whole pages, of one owner");
	take_back();
	scene_works();
	scene_end(0);
}

NOT_APPLICABLE(two_aliases, "C-223", "the guest touches shared pages by their private address",
	       "not an act of the host; nobody but hostmem.c ever sees the private address of a shared page");

static uint64_t no_teardown(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	if (input[16] != CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN)
		return 0;
	*deliver = false;
	strike("teardown refused");
	return 0x05;
}

ATTACK(teardown_refused, "C-224", "the teardown cannot be posted")
{
	uint64_t gfn;

	start(NULL);
	expect(!name_memory(4));
	gfn = hostmem_gfn(&memory, 0);
	scene->host->hooks.post_result = no_teardown;
	take_back();
	scene->host->hooks.post_result = NULL;
	expect(!gpadl_given_back(&g));
	expect(!sim_is_shared(gfn));
	evidence("not given back: freed only because the revocation is proof");
	scene_end(0);
}

static uint64_t no_body(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	if (input[16] != CONTROL_MESSAGE_TYPE_GPADL_BODY)
		return 0;
	*deliver = false;
	strike("body refused");
	return 0x05;
}

ATTACK(body_refused, "C-225", "a body cannot be posted: half of the memory is named")
{
	start(NULL);
	scene->host->hooks.post_result = no_body;
	expect(name_memory(100));
	scene->host->hooks.post_result = NULL;
	expect(!gpadl_is_live(&g) && !gpadl_given_back(&g));
	evidence("abandoned, its pages revoked");
	hostmem_destroy(&memory, gpadl_given_back(&g));
	scene_end(0);
}

ATTACK(too_many_pages, "C-226", "more pages than one GPADL can name")
{
	struct hostmem large = { .pages = 8191 };
	struct gpadl none = { 0 };

	start(NULL);
	expect(gpadl_add(&scene->connection.gpadls, &none, &large, 1) == -EMSGSIZE);
	strike("8191 pages");
	evidence("refused: -EMSGSIZE");
	scene_works();
	scene_end(0);
}

ATTACK(ring_geometry, "C-227", "rings without a page of data, and larger than a GPADL")
{
	struct airlock_channel_config config;
	struct airlock_channel *channel;
	u8 o[196];

	start(NULL);
	act("on open_result: set 16 32 0xc0000001");
	make_offer(o, plain_class(), (const u8 *)"another-instance", 77);
	host_offers(o);
	scene_run(50);
	act_no_more();
	channel = scene->connection.channels[77];
	config = *scene_config();
	config.pages_out = 1;
	expect(airlock_channel_open(channel, &config) == -EINVAL);
	config.pages_out = 8190;
	expect(airlock_channel_open(channel, &config));
	evidence("refused before anything is named");
	scene_end(0);
}

ATTACK(aggregate_limit, "C-231", "the host takes no more memory")
{
	start("on gpadl_created: set 16 32 0xc000009a");
	expect(name_memory(4));
	acted();
	act_no_more();
	take_back();
	expect(!name_memory(2));
	evidence("refused, tried again smaller");
	take_back();
	scene_works();
	scene_end(0);
}

ATTACK(kexec, "C-228", "the next kernel finds pages that are still shared")
{
	scene_start(SCENE_ECHO | SCENE_DISK);
	expect(atomic_read(&sim_visibility()->shared) > 0);
	airlock_disconnect(&scene->connection);
	strike("%llu pages are shared at the end", (unsigned long long)sim_shared_pages());
	expect(sim_shared_pages() <= 2 * 4);
	evidence("only the SynIC's own pages are left, which go with the transport");
	scene_end(0);
}

ATTACK(hibernated, "C-229", "the image is restored into other visibility")
{
	u64 shared;

	scene_start(SCENE_ECHO);
	scene_suspend();
	shared = sim_shared_pages();
	strike("%llu pages shared in the image", (unsigned long long)shared);
	expect(shared <= 2 * 4);
	evidence("everything is torn down before");
	expect(!scene_resume());
	scene_run(50);
	scene_works();
	scene_end(0);
}

static u32 mapped_then_revoked;

ATTACK(alias_left, "C-230", "revocation while the mapping still exists")
{
	struct visibility_ops ops;
	const struct visibility_ops *real;

	start(NULL);
	real = scene->connection.visibility->ops;
	ops = *real;
	(void)ops;
	expect(!name_memory(20));
	expect(memory.at);
	take_back();
	expect(!memory.at);
	strike("20 pages in several runs were mapped, unmapped, revoked");
	mapped_then_revoked++;
	evidence("the simulator ends a test that revokes what is mapped");
	scene_works();
	scene_end(0);
}
