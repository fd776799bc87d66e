// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on the handshake with a storage controller, ST-018 to ST-042.
 */
#include <errno.h>
#include <string.h>

#include "shim.h"
#include "storage_act.h"

#define OFFER 1
#define OFFER_FLAGS 56
#define OPEN_RESULT 6
#define CPUS 4

static struct io io;

static const u32 steps[] = {
	STORAGE_OPERATION_BEGIN_INITIALIZATION, STORAGE_OPERATION_QUERY_VERSION,
	STORAGE_OPERATION_QUERY_PROPERTIES, STORAGE_OPERATION_END_INITIALIZATION,
};

/* The probe meets one lie. */
static void probe_with(u32 operation, u32 times, twist twist, const char *what)
{
	act_prepare();
	lie_about(operation, ANY_COMMAND, times, twist, what);
	act_connect();
	expect(lies_told);
}

/* ---- answers to steps ---- */

static bool other_operation(struct target_answer *a)
{
	a->operation = a->request_operation;
	return true;
}

ATTACK(step_answered_by_a_request, "ST-018", "the answer to a step says to be something else")
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		probe_with(steps[i], 1, other_operation, "an answer that is no COMPLETE_IO");
		expect_rule("storage.header.answer_says_so");
		act_refused();
	}
}

static bool bad_status(struct target_answer *a)
{
	a->status = 0xc0000001;
	return true;
}

ATTACK(step_refused, "ST-019", "the host refuses to begin, to tell its limits, to end")
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i] == STORAGE_OPERATION_QUERY_VERSION)
			continue;
		probe_with(steps[i], 1, bad_status, "a refusal");
		act_refused();
	}
}

static u16 lowest_proposed;
static u32 proposals;

static bool note_proposal(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	u16 version;

	(void)t;
	(void)argument;
	(void)ch;
	if (p->payload[0] != STORAGE_OPERATION_QUERY_VERSION)
		return true;
	version = p->payload[12] | p->payload[13] << 8;
	if (!proposals++ || version < lowest_proposed)
		lowest_proposed = version;
	strike("version %#x is proposed, and refused if unknown", version);
	return true;
}

static void know_versions(u16 a, u16 b)
{
	struct target *t = &scene->target;

	t->version_count = 0;
	if (a)
		t->versions[t->version_count++] = a;
	if (b)
		t->versions[t->version_count++] = b;
	t->command = note_proposal;
	proposals = 0;
}

ATTACK(no_version, "ST-020", "the host refuses every version")
{
	act_prepare();
	know_versions(0, 0);
	act_connect();
	expect(proposals && proposals < 10);
	act_refused();
}

ATTACK(downgrade, "ST-021", "the host knows only old versions")
{
	act_prepare();
	know_versions(0x0501, 0x0402);
	act_connect();
	expect(lowest_proposed >= 0x0600);
	evidence("nothing below %#x was proposed", lowest_proposed);
	act_refused();
}

static bool other_version(struct target_answer *a)
{
	a->payload[12] = 0x01;
	a->payload[13] = 0x05;
	return !a->status;
}

ATTACK(another_version, "ST-022", "the answer agrees to a version that was not proposed")
{
	act_prepare();
	know_versions(0x0602, 0);
	lie_about(STORAGE_OPERATION_QUERY_VERSION, ANY_COMMAND, 0, other_version, "another version");
	act_connect();
	expect_rule("storage.version_complete.echo");
	act_refused();
}

/* ---- answers at another time ---- */

static bool twice(struct target_answer *a)
{
	tell(a, "an answer");
	tell(a, "the same answer, when the next step is waiting");
	return false;
}

ATTACK(step_answered_twice, "ST-023", "an answer comes again, when the next step waits for its own")
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		act_prepare();
		act_lenient();
		lie_about(steps[i], ANY_COMMAND, 1, twice, NULL);
		act_connect();
		expect(lies_told);
		expect(rule_fired("core.completion.stale") + rule_fired("core.completion.unknown"));
		expect(scene->engine_started);
		expect(scene->engine.limits.max_transfer == 0x40000);
		act_works();
	}
	evidence("core.completion.stale");
}

static struct target_answer kept;

static bool keep(struct target_answer *a)
{
	kept = *a;
	return true;
}

ATTACK(step_answered_late, "ST-024", "the answer to a step comes again, when all is long agreed")
{
	act_prepare();
	lie_about(STORAGE_OPERATION_QUERY_PROPERTIES, ANY_COMMAND, 1, keep, "limits");
	act_connect();
	kept.payload[26] = 0x10;		/* other limits than before */
	tell(&kept, "limits once more");
	scene_run(50);
	expect(rule_fired("core.completion.stale") + rule_fired("core.completion.unknown"));
	evidence("core.completion.stale");
	expect(scene->engine.limits.max_transfer == 0x40000);
	act_works();
}

static u64 withheld_at;

static bool withhold_step(struct target_answer *a)
{
	strike("the answer to operation %u is withheld", a->request_operation);
	withheld_at = shim_now();
	return false;
}

ATTACK(step_never_answered, "ST-025", "a step is never answered")
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		act_prepare();
		lie_about(steps[i], ANY_COMMAND, 1, withhold_step, NULL);
		expect(!scene_connect());
		scene_run(scene->policy.step_deadline + 1000);
		expect(lies_told && scene->disk_result == -ETIMEDOUT);
		expect(shim_waited() <= scene->policy.step_deadline + 1000);
		evidence("%u ms", scene->policy.step_deadline);
		act_refused();
	}
}

/* ---- limits ---- */

static u32 told_transfer;
static u16 told_channels;
static bool told_multi;

static void put32(u8 *p, u32 value)
{
	p[0] = value;
	p[1] = value >> 8;
	p[2] = value >> 16;
	p[3] = value >> 24;
}

static bool other_limits(struct target_answer *a)
{
	a->payload[16] = told_channels;
	a->payload[17] = told_channels >> 8;
	put32(a->payload + 20, told_multi);
	put32(a->payload + 24, told_transfer);
	return true;
}

static void probe_with_limits(u32 transfer, u16 channels, bool multi)
{
	told_transfer = transfer;
	told_channels = channels;
	told_multi = multi;
	probe_with(STORAGE_OPERATION_QUERY_PROPERTIES, 0, other_limits, "limits that lie");
}

ATTACK(transfer_of_nothing, "ST-026", "commands may move no data, or less than a page")
{
	static const u32 values[] = { 0, 1, 512, 4095 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		probe_with_limits(values[i], 4, true);
		expect_rule("storage.properties_complete.usable");
		act_refused();
	}
}

ATTACK(transfer_without_limit, "ST-027", "commands may move more than numbers hold")
{
	static const u32 values[] = { 0x0ffff000, 0x10000000, 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		probe_with_limits(values[i], 4, true);
		expect(scene->engine_started);
		expect(scene->engine.limits.max_transfer <= scene->policy.max_transfer);
		act_works();
	}
	evidence("cut to %u bytes", scene->policy.max_transfer);
}

ATTACK(transfer_of_odd_bytes, "ST-028", "commands may move a number of bytes that is no whole pages")
{
	probe_with_limits(0x20000 + 1234, 4, true);
	expect(scene->engine_started);
	expect(scene->engine.limits.max_transfer == 0x20000);
	evidence("rounded down to pages");
	act_works();
}

ATTACK(other_limits_each_time, "ST-029", "limits differ each time they are asked for")
{
	int error;

	act_start();
	scene->target.max_transfer = 0x8000;
	scsi_stop(&scene->engine);
	told_transfer = 0x8000;
	told_channels = 4;
	told_multi = true;
	lie_about(STORAGE_OPERATION_QUERY_PROPERTIES, ANY_COMMAND, 0, other_limits, "smaller limits");
	error = scsi_restart(&scene->engine);
	expect(error < 0 && lies_told == 1);
	evidence("smaller limits fail the resume: %d", error);
	act_gone(0);
}

ATTACK(channels_without_number, "ST-030", "65535 more channels are offered")
{
	probe_with_limits(0x40000, 0xffff, true);
	expect(scene->engine_started);
	expect(scene->engine.limits.subchannels <= CPUS - 1);
	scene->target.max_subchannels = 0xffff;
	expect(act_grow(0xffff) <= CPUS - 1);
	expect(scene->engine.usable_count <= CPUS);
	evidence("%u more channels", scene->engine.limits.subchannels);
	act_works();
}

ATTACK(channels_in_two_minds, "ST-031", "more channels by one field, none by the other")
{
	probe_with_limits(0x40000, 4, false);
	expect(scene->engine_started && !scene->engine.limits.subchannels);
	expect(!act_grow(4));
	act_works();
	probe_with_limits(0x40000, 0, true);
	expect(scene->engine_started && !scene->engine.limits.subchannels);
	expect(!act_grow(4));
	evidence("only if both say so");
	act_works();
}

static bool fill_reserved(struct target_answer *a)
{
	memset(a->payload + 12, 0xff, 4);
	memset(a->payload + 18, 0xff, 2);
	memset(a->payload + 21, 0xff, 3);
	memset(a->payload + 28, 0xff, 36);
	return true;
}

ATTACK(reserved_properties, "ST-032", "fields without a meaning are full")
{
	probe_with(STORAGE_OPERATION_QUERY_PROPERTIES, 1, fill_reserved, "properties");
	expect(scene->engine_started);
	expect(scene->engine.limits.max_transfer == 0x40000 && scene->engine.limits.subchannels == CPUS - 1);
	evidence("never looked at");
	act_works();
}

/* ---- sub-channels ---- */

ATTACK(no_subchannels, "ST-033", "more channels are promised, then refused, or never answered for")
{
	u64 began;

	act_start();
	lie_about(STORAGE_OPERATION_CREATE_SUBCHANNELS, ANY_COMMAND, 1, bad_status, "a refusal");
	expect(!act_grow(3) && lies_told == 1);
	act_works();
	act_start();
	lie_about(STORAGE_OPERATION_CREATE_SUBCHANNELS, ANY_COMMAND, 1, withhold_step, NULL);
	scene->target.answers = true;
	began = shim_now();
	expect(scsi_grow(&scene->engine, 3) <= 0 && lies_told == 1);
	expect(shim_now() - began <= scene->policy.step_deadline + 1000);
	evidence("on with one channel");
	act_works();
}

/* The host offers more channels, this one by name; none of it was asked for. */
static void offer_more(u16 index)
{
	expect(host_offer(scene->host, &scene->target.device, index));
	scene_run(100);
	strike("offered a channel of index %u", index);
}

ATTACK(more_subchannels_than_asked, "ST-034", "more channels than were asked for")
{
	act_start();
	expect(act_grow(2) == 2);
	expect(scene->engine.usable_count == 3);
	offer_more(3);
	offer_more(4);
	expect(rule_fired("core.offer.surplus") + rule_fired("core.offer.index"));
	expect(scene->engine.usable_count == 3);
	evidence("core.offer.surplus");
	act_works();
}

ATTACK(odd_subchannels, "ST-035", "channels of an index that is taken, zero, or beyond the number asked for")
{
	act_start();
	expect(act_grow(2) == 2);
	offer_more(1);
	expect(rule_fired("core.offer.index") + rule_fired("core.offer.duplicate") + rule_fired("core.offer.surplus"));
	offer_more(0);
	expect(rule_fired("core.offer.instance") + rule_fired("core.offer.duplicate"));
	offer_more(0xffff);
	expect(rule_fired("core.offer.index") + rule_fired("control.offer.subchannel.limit") +
	       rule_fired("core.offer.surplus"));
	expect(scene->engine.usable_count == 3 && scene->probes == 2);
	evidence("core.offer.*");
	host_rescind(scene->host, host_subchannel(1));
	scene_run(100);
	expect(scene->engine.usable_count == 2);
	offer_more(1);				/* asked for once, and had */
	expect_rule("core.offer.surplus");
	expect(scene->engine.usable_count == 2);
	act_works();
}

static bool offer_early(struct target_answer *a)
{
	(void)a;
	expect(host_offer(scene->host, &scene->target.device, 1));
	strike("offered a channel in the middle of the handshake");
	return true;
}

ATTACK(early_subchannels, "ST-036", "channels before the handshake has ended, or before they are asked for")
{
	probe_with(STORAGE_OPERATION_QUERY_PROPERTIES, 1, offer_early, NULL);
	expect(rule_fired("core.offer.surplus") + rule_fired("core.offer.index"));
	expect(scene->engine.usable_count == 1);
	act_works();
	act_start();
	offer_more(1);
	expect(rule_fired("core.offer.surplus") + rule_fired("core.offer.index"));
	expect(scene->engine.usable_count == 1);
	evidence("core.offer.surplus");
	act_works();
}

static bool promise(struct target_answer *a)
{
	scene->target.subchannels = 0;		/* and nothing follows */
	return a->status == 0;
}

static bool drop_open_results(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != OPEN_RESULT)
		return true;
	strike("the result of an open is withheld");
	return false;
}

ATTACK(promised_subchannels, "ST-037", "promised channels never come, or never open")
{
	act_start();
	lie_about(STORAGE_OPERATION_CREATE_SUBCHANNELS, ANY_COMMAND, 1, promise, "a promise");
	expect(act_grow(3) == 3);
	expect(scene->engine.usable_count == 1);
	act_works();
	act_start();
	scene->host->hooks.outgoing = drop_open_results;
	expect(scsi_grow(&scene->engine, 2) == 2);
	scene_run(2 * scene->policy.open_deadline + 1000);
	expect(scene->engine.usable_count == 1);
	expect(shim_waited() <= scene->policy.open_deadline + 1000);
	scene->host->hooks.outgoing = NULL;
	evidence("nobody waits for them");
	act_works();
}

static bool flag_offers(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] != OFFER)
		return true;
	m->bytes[OFFER_FLAGS] |= 0x2;
	strike("offers a private channel of a device that is not");
	return true;
}

ATTACK(subchannel_of_other_privacy, "ST-038", "a channel that is private, while its device is not")
{
	scene_prepare(SCENE_ECHO | SCENE_DISK | SCENE_CONFIDENTIAL);
	expect(!scene_connect());
	scene_run(100);
	expect(scene->engine_started);
	scene->host->hooks.outgoing = flag_offers;
	act_grow(2);
	expect_rule("core.offer.privacy");
	expect(scene->engine.usable_count == 1);
	scene->host->hooks.outgoing = NULL;
	act_works();
}

/* ---- other controllers ---- */

static struct target second;
static struct scsi_engine second_engine;
static const u8 *const more_classes[] = {
	control_device_class_scsi, control_device_class_ide, control_device_class_fibre_channel,
};
static u32 second_failed;

static void second_rescan(struct scsi_engine *engine)
{
	(void)engine;
}

static void second_has_failed(struct scsi_engine *engine)
{
	(void)engine;
	second_failed++;
}

static const struct scsi_engine_ops second_ops = { .rescan = second_rescan, .failed = second_has_failed };

/* A controller of a class that no driver of the scene wants, so that the attack drives it. */
static void prepare_second(const u8 *class)
{
	act_prepare();
	scene->policy.classes = more_classes;
	scene->policy.class_count = ARRAY_SIZE(more_classes);
	memset(&second, 0, sizeof(second));
	memset(&second_engine, 0, sizeof(second_engine));
	target_init(&second, "second");
	memcpy(second.device.class, class, 16);
	target_add_disk(&second, 0, 256, BLOCK);
}

static struct airlock_device *second_device(void)
{
	struct airlock_device *device;

	list_for_each_entry(device, &scene->connection.devices, node) {
		if (!memcmp(device->class, second.device.class, 16))
			return device;
	}
	expect(false);
	return NULL;
}

static int start_second(void)
{
	expect(host_offer(scene->host, &second.device, 0));
	expect(!scene_connect());
	scene_run(100);
	expect(scene->engine_started);
	return scsi_start(&second_engine, second_device(), &second_ops, NULL);
}

static void end_second(void)
{
	scsi_stop(&second_engine);
	act_works();
	target_destroy(&second);
}

/* A block of the second controller's disk. */
static bool second_reads(void)
{
	static const u8 read10[10] = { READ_10, [5] = 3, [8] = 1 };

	memset(second.luns[0].memory + 3 * BLOCK, 0x3c, BLOCK);
	if (io_queue(&io, &second_engine, 0, read10, 10, STORAGE_DATA_DIRECTION_READ, BLOCK) || !io_wait(&io))
		return false;
	return io.command.verdict == SCSI_DONE && io_all(&io, 0, BLOCK, 0x3c);
}

static u8 active;

/* Names of the adapter, which the plain controller does not know of. */
static bool answer_names(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	u8 names[64] = { 1, [12] = active, [16] = 0x11, [24] = 0x22, [32] = 0x33, [40] = 0x44 };

	(void)t;
	(void)argument;
	if (p->payload[0] != STORAGE_OPERATION_FC_HBA_DATA)
		return true;
	watch_ring(ch, HOST_OUT_DATA, ch->out_write, 80, "names");
	expect(host_complete(ch, p->transaction, names, sizeof(names)));
	return false;
}

ATTACK(names_of_odd_truth, "ST-039", "the flag that says which names count is neither 0 nor 1")
{
	static const u8 values[] = { 2, 0x80, 0xff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		active = values[i];
		prepare_second(control_device_class_fibre_channel);
		second.command = answer_names;
		expect(!start_second());
		expect(second_engine.names.primary_active == values[i]);
		expect(second_engine.names.primary_port == 0x1100000000000000ull);
		end_second();
	}
	evidence("whatever is not 0 is true");
}

static bool rescind_now(struct target_answer *a)
{
	host_rescind(scene->host, a->channel);
	strike("rescinded while operation %u waits", a->request_operation);
	return false;
}

ATTACK(rescinded_in_a_step, "ST-040", "the device is rescinded in the middle of each step")
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		probe_with(steps[i], 1, rescind_now, NULL);
		expect(shim_waited() < 1000);
		act_refused();
	}
	evidence("who waits is woken");
}

ATTACK(two_versions, "ST-041", "two controllers agree to different versions")
{
	prepare_second(control_device_class_ide);
	memset(second.device.instance, 0, 16);
	second.device.instance[6] = 0x99;
	second.device.instance[7] = 0x88;
	second.versions[second.version_count++] = 0x0602;
	expect(!start_second());
	strike("one controller agreed to %#x, the other to %#x", scene->target.version, second.version);
	expect(second_engine.limits.version == 0x0602 && second_engine.context.version == 0x0602);
	expect(scene->engine.limits.version == 0x0600 && scene->engine.context.version == 0x0600);
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	expect(second_reads());
	evidence("each has its own");
	end_second();
}

ATTACK(ide_address, "ST-042", "an IDE disk whose number is none")
{
	static const u8 numbers[][2] = { { 2, 0 }, { 0, 1 }, { 0xff, 0xff } };
	u32 i;
	int error;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		prepare_second(control_device_class_ide);
		memset(second.device.instance, 0, 16);
		memcpy(second.device.instance + 4, numbers[i], 2);
		second.device.instance[6] = 0x99;
		second.device.instance[7] = 0x88;
		error = start_second();
		strike("an IDE disk of number %u", numbers[i][0] | numbers[i][1] << 8);
		expect(error < 0);
		act_works();
		target_destroy(&second);
	}
	evidence("refused");
}
