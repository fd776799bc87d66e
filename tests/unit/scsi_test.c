// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI engine on the whole stack, against the model host's controller, in virtual time.
 * Every byte that comes back is compared with the disk, every command counted in and out.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/delay.h>

#include "host.h"
#include "inside.h"
#include "memory.h"
#include "model.h"
#include "shim.h"
#include "target.h"

#define CPUS 4
#define PAGES 32768
#define BLOCK 512
#define BLOCKS 8192
#define DEPTH 400
#define READ_10 0x28
#define WRITE_10 0x2a
#define TEST_UNIT_READY 0x00

/* Everything of one test. */
static struct {
	struct host *host;
	struct model *model;
	struct target target;
	struct airlock_connection connection;
	struct airlock_policy policy;
	struct airlock_device *device;
	struct scsi_engine engine;
	struct host_channel *channel;
	int started;
	u32 rescans, failures, removes;
	u32 commands[HOST_CHANNELS];	/* heard by the host, by relid */
	bool threads;
	u64 last_scan;			/* ms */
	u64 scan_gap;			/* the shortest between two scans */
} rig;

static const u8 *const classes[] = {
	control_device_class_scsi, control_device_class_ide, control_device_class_fibre_channel,
};

/* ---- the guest above the engine ---- */

static void rescan(struct scsi_engine *engine)
{
	u64 now = shim_now();

	assert_ptr_equal(engine, &rig.engine);
	if (rig.rescans++ && now - rig.last_scan < rig.scan_gap)
		rig.scan_gap = now - rig.last_scan;
	rig.last_scan = now;
}

static void failed(struct scsi_engine *engine)
{
	assert_ptr_equal(engine, &rig.engine);
	rig.failures++;
}

static const struct scsi_engine_ops ops = { .rescan = rescan, .failed = failed };

static int probe(struct airlock_device *device)
{
	int error;

	rig.device = device;
	error = scsi_start(&rig.engine, device, &ops, NULL);
	__atomic_store_n(&rig.started, error, __ATOMIC_RELEASE);
	return error;
}

static void remove_device(struct airlock_device *device)
{
	(void)device;
	if (!rig.started)
		scsi_stop(&rig.engine);
	rig.device = NULL;
	__atomic_add_fetch(&rig.removes, 1, __ATOMIC_RELEASE);
}

static void subchannel(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scsi_subchannel(&rig.engine, channel);
}

static void subchannel_gone(struct airlock_device *device, struct airlock_channel *channel)
{
	(void)device;
	scsi_subchannel_gone(&rig.engine, channel);
}

static const struct airlock_driver driver = {
	.name = "scsi", .class = control_device_class_scsi, .probe = probe, .remove = remove_device,
	.subchannel = subchannel, .subchannel_gone = subchannel_gone,
};

static int bus_add(struct airlock_device *device)
{
	device->driver = &driver;
	if (driver.probe(device))
		device->driver = NULL;
	return 0;
}

static void bus_remove(struct airlock_device *device)
{
	if (device->driver)
		driver.remove(device);
	device->driver = NULL;
}

static const struct airlock_bus_ops bus = { .add = bus_add, .remove = bus_remove };

/* ---- the rig ---- */

static bool heard(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	(void)t;
	(void)argument;
	(void)p;
	rig.commands[ch->relid]++;
	return true;
}

static void fill_disk(void)
{
	u32 i;

	for (i = 0; i < BLOCKS * BLOCK; i++)
		rig.target.luns[0].memory[i] = (u8)(i * 7 + i / BLOCK);
}

static void prepare_as(enum sim_kind kind, bool paravisor, bool threads)
{
	memset(&rig, 0, sizeof(rig));
	rig.started = 1;
	rig.scan_gap = UINT64_MAX;
	rig.threads = threads;
	shim_start(threads, CPUS);
	sim_start(kind, PAGES);
	rig.host = host_create(CPUS);
	rig.model = model_create(rig.host, CPUS, paravisor);
	policy_defaults(&rig.policy, kind != SIM_PLAIN);
	rig.policy.classes = classes;
	rig.policy.class_count = 3;
	target_init(&rig.target, "disk");
	target_add_disk(&rig.target, 0, BLOCKS, BLOCK);
	target_add_disk(&rig.target, 1, 64, 4096);
	rig.target.command = heard;
	fill_disk();
}

static void prepare(void)
{
	prepare_as(SIM_SNP, false, false);
}

static void connect_guest(void)
{
	rig.channel = host_offer(rig.host, &rig.target.device, 0);
	assert_int_equal(airlock_connection_init(&rig.connection, model_transport(rig.model), sim_visibility(), &bus,
						 &rig.policy), 0);
	model_attach(rig.model, &rig.connection);
	assert_int_equal(airlock_connect(&rig.connection), 0);
	shim_run(100);
}

static void start(void)
{
	prepare();
	connect_guest();
	assert_int_equal(rig.started, 0);
}

/* Nothing is left of the guest: no memory, no shared page, no work, no wait. */
static void end_with(u32 leaked)
{
	airlock_disconnect(&rig.connection);
	airlock_connection_destroy(&rig.connection);
	assert_int_equal(rig.engine.outstanding, 0);
	assert_int_equal(atomic_read(&sim_visibility()->leaked), leaked);
	assert_false(sim_secret_shows());
	if (!rig.threads && model_double_fetches(rig.model)) {
		print_message("%s\n", rig.host->last_error);
		fail();
	}
	model_destroy(rig.model);
	shim_stop();
	target_destroy(&rig.target);
	host_destroy(rig.host);
	if (shim_allocated())
		shim_print_allocated();
	assert_int_equal(shim_allocated(), 0);
	sim_stop(leaked);
}

static void end(void)
{
	end_with(0);
}

static u32 fired(u32 rule)
{
	return violations_count(&rig.connection.violations, rule);
}

static u32 core_fired(enum core_rule rule)
{
	return fired(CORE_RULE_ID(rule));
}

/* ---- commands ---- */

struct io {
	struct scsi_command command;
	struct kvec pieces[4];
	u32 done, lba;
	u8 *bytes;
};

static struct io ios[DEPTH];
static u8 buffers[DEPTH][65536];

static void done(struct scsi_command *command)
{
	struct io *io = command->glue;

	__atomic_add_fetch(&io->done, 1, __ATOMIC_RELEASE);
}

static void io_prepare(struct io *io, u8 opcode, u32 lba, u32 blocks, u8 direction)
{
	const u8 cdb[10] = { opcode, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0, blocks >> 8, blocks, 0 };
	struct scsi_command *c = &io->command;

	memset(io, 0, sizeof(*io));
	io->lba = lba;
	io->bytes = buffers[io - ios];
	memcpy(c->cdb, cdb, sizeof(cdb));
	c->cdb_bytes = 10;
	c->direction = direction;
	c->bytes = blocks * BLOCK;
	c->data = io->pieces;
	c->pieces = blocks ? 1 : 0;
	io->pieces[0] = (struct kvec){ io->bytes, c->bytes };
	c->tagged = true;
	c->timeout = 60;
	c->done = done;
	c->glue = io;
}

static int io_read(struct io *io, u32 lba, u32 blocks, u32 cpu)
{
	io_prepare(io, READ_10, lba, blocks, STORAGE_DATA_DIRECTION_READ);
	memset(io->bytes, 0x55, io->command.bytes);
	return scsi_queue(&rig.engine, &io->command, cpu);
}

static int io_write(struct io *io, u32 lba, u32 blocks, u8 fill, u32 cpu)
{
	io_prepare(io, WRITE_10, lba, blocks, STORAGE_DATA_DIRECTION_WRITE);
	memset(io->bytes, fill, io->command.bytes);
	return scsi_queue(&rig.engine, &io->command, cpu);
}

static bool io_is_good(const struct io *io)
{
	const struct scsi_command *c = &io->command;

	return io->done == 1 && c->verdict == SCSI_DONE && !c->status && c->transferred == c->bytes &&
	       !memcmp(io->bytes, rig.target.luns[0].memory + io->lba * BLOCK, c->bytes);
}

static bool io_is_zero(const struct io *io)
{
	u32 i;

	for (i = 0; i < io->command.bytes; i++)
		if (io->bytes[i])
			return false;
	return true;
}

static void assert_works(void)
{
	assert_int_equal(io_write(&ios[0], 100, 32, 0xc3, 0), 0);
	shim_run(10);
	assert_true(io_is_good(&ios[0]));
	assert_int_equal(io_read(&ios[0], 96, 64, 1), 0);
	shim_run(10);
	assert_true(io_is_good(&ios[0]));
}

static void assert_ended(u32 count, enum scsi_verdict verdict)
{
	u32 i;

	for (i = 0; i < count; i++) {
		assert_int_equal(ios[i].done, 1);
		assert_int_equal(ios[i].command.verdict, verdict);
		assert_int_equal(ios[i].command.transferred, 0);
	}
}

/* ---- answers that a hook keeps back, or changes ---- */

static struct target_answer held[DEPTH];
static u8 held_cdb[DEPTH][16];
static u32 held_count;

static bool hold(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	assert_in_range(held_count, 0, DEPTH - 1);
	held[held_count] = *a;
	if (a->cdb)
		held[held_count].cdb = memcpy(held_cdb[held_count], a->cdb, 16);
	held_count++;
	return false;
}

/* Commands wait, the rest is answered. */
static bool hold_commands(struct target *t, void *argument, struct target_answer *a)
{
	return !a->cdb || hold(t, argument, a);
}

static void let_go(void)
{
	u32 i;

	rig.target.answer = NULL;
	for (i = 0; i < held_count; i++)
		assert_true(target_send(&rig.target, &held[i]));
	held_count = 0;
	shim_run(10);
}

static void hold_from_now(bool (*hook)(struct target *t, void *argument, struct target_answer *a))
{
	held_count = 0;
	rig.target.answer = hook;
}

static u32 all_free_slots(void)
{
	struct bounce_pool *pool = &rig.engine.pool;
	u32 count = pool->free_count, i;

	for (i = 0; i < pool->cache_count; i++)
		count += pool->caches[i].count;
	return count;
}

static void assert_pool_is_whole(void)
{
	unsigned long flags;

	spin_lock_irqsave(&rig.engine.lock, flags);
	assert_int_equal(rig.engine.outstanding, 0);
	assert_int_equal(rig.engine.orphans, 0);
	spin_unlock_irqrestore(&rig.engine.lock, flags);
	assert_int_equal(all_free_slots(), rig.policy.pool_slots);
}

/* ---- the handshake ---- */

static u32 silent_step;		/* the operation that a hook makes an exception of */

static void a_controller_agrees_on_the_best_version_both_know(void **state)
{
	(void)state;
	start();
	assert_int_equal(rig.engine.limits.version, STORAGE_VERSION_6_0);
	assert_int_equal(rig.engine.limits.max_transfer, 0x40000);
	assert_int_equal(rig.engine.limits.subchannels, 3);
	assert_int_equal(rig.engine.session.at.state, STORAGE_STATE_DEVICE_READY);
	assert_int_equal(atomic_read(&rig.engine.clamped), 1);	/* one channel too many */
	assert_works();
	assert_int_equal(rig.connection.violations.total, 0);
	end();
}

static void limits_are_the_lesser_of_both(void **state)
{
	(void)state;
	prepare();
	rig.policy.pool_slots = 16;
	rig.target.max_subchannels = 3;
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_int_equal(rig.engine.limits.max_transfer, 16 * 4096);
	assert_int_equal(rig.engine.limits.subchannels, 3);
	assert_int_equal(atomic_read(&rig.engine.clamped), 1);
	assert_works();
	end();
	prepare();
	rig.policy.max_transfer = 0x9fff;
	rig.policy.subchannels_max = 2;
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_int_equal(rig.engine.limits.max_transfer, 0x9000);
	assert_int_equal(rig.engine.limits.subchannels, 2);
	assert_int_equal(atomic_read(&rig.engine.clamped), 2);
	assert_works();
	end();
	prepare();
	rig.target.max_transfer = 0x5001;
	rig.target.max_subchannels = 3;
	rig.target.multi_channel = false;
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_int_equal(rig.engine.limits.max_transfer, 0x5000);
	assert_int_equal(rig.engine.limits.subchannels, 0);
	end();
}

static void a_policy_without_room_for_a_page_starts_nothing(void **state)
{
	(void)state;
	prepare();
	rig.policy.max_transfer = 4095;
	connect_guest();
	assert_int_equal(rig.started, -EINVAL);
	assert_int_equal(rig.channel->state, HOST_OFFERED);
	end();
}

static bool refuse_a_step(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (a->request_operation == silent_step)
		a->status = 0xc0000001;
	return true;
}

static bool lie_in_a_step(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (a->request_operation == silent_step)
		a->operation = 3;
	return true;
}

static void a_step_that_fails_ends_the_handshake(void **state)
{
	u32 steps[] = { 7, 10, 8 }, i;

	(void)state;
	for (i = 0; i < 3; i++) {
		prepare();
		silent_step = steps[i];
		rig.target.answer = refuse_a_step;
		connect_guest();
		assert_int_equal(rig.started, -EIO);
		assert_int_equal(rig.connection.violations.total, 0);
		end();
		prepare();
		rig.target.answer = lie_in_a_step;
		connect_guest();
		assert_int_equal(rig.started, -EPROTO);
		assert_int_equal(fired(storage_rule_ids[STORAGE_RULE_HEADER_ANSWER_SAYS_SO]), 1);
		assert_int_equal(atomic_read(&rig.engine.violations), 1);
		end();
	}
}

/* The answer, and right behind it a packet that is none: framing is lost. */
static bool answer_and_break(struct target *t, void *argument, struct target_answer *a)
{
	static const u8 nothing[64];
	const struct host_packet p = { .type = 6, .offset8 = 9, .length8 = 2, .bytes = nothing, .size = 64, .raw = true };

	(void)argument;
	if (a->request_operation != silent_step)
		return true;
	assert_true(target_send(t, a));
	assert_true(host_send(a->channel, &p));
	return false;
}

static void a_channel_that_dies_between_steps_ends_the_handshake(void **state)
{
	u32 steps[] = { 7, 9, 10, 8 }, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		prepare();
		silent_step = steps[i];
		rig.target.answer = answer_and_break;
		connect_guest();
		assert_int_equal(rig.started, -ENODEV);
		assert_int_equal(rig.failures, 0);
		end();
	}
}

static void every_version_works_and_those_below_the_floor_are_refused(void **state)
{
	static const u16 versions[] = { 0x0200, 0x0402, 0x0501, 0x0600, 0x0602 };
	u32 i;

	(void)state;
	for (i = 0; i < 5; i++) {
		prepare();
		rig.policy.storage_floor = STORAGE_VERSION_2_0;
		rig.target.versions[0] = versions[i];
		rig.target.version_count = 1;
		connect_guest();
		assert_int_equal(rig.started, 0);
		assert_int_equal(rig.engine.limits.version, versions[i]);
		assert_int_equal(rig.engine.limits.subchannels, versions[i] < 0x0501 ? 0 : 3);
		assert_works();
		assert_int_equal(rig.connection.violations.total, 0);
		end();
	}
	prepare();
	rig.target.version_count = 3;		/* up to 5.1 */
	connect_guest();
	assert_int_equal(rig.started, -EOPNOTSUPP);
	end();
}

static bool say_nothing_to(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	return a->request_operation != silent_step;
}

static void a_host_that_does_not_answer_a_step_has_its_deadline(void **state)
{
	u32 steps[] = { 7, 9, 10, 8 }, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		prepare();
		silent_step = steps[i];
		rig.target.answer = say_nothing_to;
		connect_guest();
		shim_run(rig.policy.step_deadline + 1000);
		assert_int_equal(rig.started, -ETIMEDOUT);
		assert_int_equal(core_fired(CORE_RULE_WAIT_EXPIRED), 1);
		assert_in_range(shim_waited(), 1, rig.policy.step_deadline + 1000);
		end();
	}
}

static void a_rescind_ends_a_step_that_waits(void **state)
{
	u64 before;

	(void)state;
	prepare();
	silent_step = 10;
	rig.target.answer = say_nothing_to;
	connect_guest();
	assert_int_equal(rig.started, 1);	/* still waiting */
	before = shim_now();
	host_rescind(rig.host, rig.channel);
	shim_run(100);
	assert_int_equal(rig.started, -ENODEV);
	assert_in_range(shim_now() - before, 0, 1000);
	end();
}

static void memory_that_is_not_there_fails_the_start_and_nothing_else(void **state)
{
	u32 nth, failures = 0;

	(void)state;
	for (nth = 1; nth < 60; nth++) {
		prepare();
		rig.channel = host_offer(rig.host, &rig.target.device, 0);
		assert_int_equal(airlock_connection_init(&rig.connection, model_transport(rig.model),
							 sim_visibility(), &bus, &rig.policy), 0);
		model_attach(rig.model, &rig.connection);
		shim_fail_allocations(nth, 0);
		if (!airlock_connect(&rig.connection))
			shim_run(100);
		shim_fail_allocations(0, 0);
		if (!rig.started)
			assert_works();
		assert_true(rig.started == 1 || rig.started == 0 || rig.started == -ENOMEM);
		failures += rig.started == -ENOMEM;
		end();
	}
	assert_in_range(failures, 3, 50);
}

/* ---- commands ---- */

static void data_of_every_size_arrives_as_it_was_sent(void **state)
{
	static const u32 sizes[] = { 1, 2, 7, 8, 9, 15, 16, 17, 64, 127, 128 };
	u32 i;

	(void)state;
	start();
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(io_read(&ios[i], i * 131, sizes[i], i), 0);
		assert_int_equal(io_write(&ios[i + 20], 4000 + i * 128, sizes[i], (u8)(i + 1), i), 0);
	}
	shim_run(10);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_true(io_is_good(&ios[i]));
		assert_true(io_is_good(&ios[i + 20]));
	}
	assert_pool_is_whole();
	end();
}

static void the_largest_transfer_goes_through_in_pieces(void **state)
{
	static u8 large[0x40000];
	struct io *io = &ios[0];
	u32 cut[] = { 1, 4095, 100000, 0x40000 - 1 - 4095 - 100000 }, at = 0, i;

	(void)state;
	start();
	io_prepare(io, READ_10, 8, 0x40000 / BLOCK, STORAGE_DATA_DIRECTION_READ);
	memset(large, 0x55, sizeof(large));
	io->bytes = large;
	for (i = 0; i < 4; at += cut[i++])
		io->pieces[i] = (struct kvec){ large + at, cut[i] };
	io->command.pieces = 4;
	assert_int_equal(scsi_queue(&rig.engine, &io->command, 0), 0);
	shim_run(10);
	assert_true(io_is_good(io));
	shim_fail_allocations(1, 0);		/* frames of a large one need memory */
	assert_int_equal(scsi_queue(&rig.engine, &io->command, 0), -EAGAIN);
	shim_fail_allocations(0, 0);
	assert_pool_is_whole();
	end();
}

static void commands_that_cannot_be_are_not_sent(void **state)
{
	struct scsi_command *c = &ios[0].command;
	u32 i;

	(void)state;
	start();
	for (i = 0; i < 11; i++) {
		io_prepare(&ios[0], READ_10, 0, 8, STORAGE_DATA_DIRECTION_READ);
		memset(ios[0].bytes, 0xd7, c->bytes);
		if (i == 0)
			c->cdb_bytes = 5;
		else if (i == 1)
			c->cdb_bytes = 17;
		else if (i == 2)
			c->direction = 3;
		else if (i == 3)
			c->direction = STORAGE_DATA_DIRECTION_NONE;
		else if (i == 4)
			c->bytes = 0;
		else if (i == 5)
			c->bytes = 4097;
		else if (i == 6)
			c->pieces = 0;
		else if (i == 7)
			c->done = NULL;
		else if (i == 8)
			c->bytes = c->pieces = 0;
		else if (i == 9)
			ios[0].pieces[0].iov_len = c->bytes = 0x40000 + 1;
		else
			ios[0].pieces[0].iov_len = c->bytes - 1;
		assert_int_equal(scsi_queue(&rig.engine, c, 0), -EINVAL);
		assert_int_equal(ios[0].done, 0);
		assert_int_equal(sim_find(ios[0].bytes, 16), 0);	/* nothing of it left */
	}
	assert_int_equal(rig.target.commands, 0);
	assert_pool_is_whole();
	end();
}

/* What left last: the packet as the host has found it. */
static u8 last_packet[256];
static u32 last_size;

static bool keep_packet(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	(void)t;
	(void)argument;
	(void)ch;
	last_size = p->size < sizeof(last_packet) ? p->size : sizeof(last_packet);
	memcpy(last_packet, p->bytes, last_size);
	return true;
}

/* All bytes of it, but for ids and frames. */
static void assert_packet(const u8 *srb, u32 pages)
{
	const u8 zero[8] = { 0 };
	u32 at = pages ? 32 + 8 * pages : 16;

	assert_int_equal(last_size, at + 64);
	assert_int_equal(last_packet[0], pages ? 9 : 6);
	assert_int_equal(last_packet[2], at / 8);
	assert_int_equal(last_packet[4], (at + 64) / 8);
	assert_int_equal(last_packet[6], 1);
	assert_memory_not_equal(last_packet + 8, zero, 8);
	assert_memory_equal(last_packet + at, srb, 64);
	if (!pages)
		return;
	assert_memory_equal(last_packet + 16, zero, 4);
	assert_int_equal(last_packet[20], 1);
	assert_int_equal(last_packet[25], 8192 >> 8);
	assert_memory_equal(last_packet + 28, zero, 4);
}

static void commands_look_as_the_catalogue_says(void **state)
{
	u8 srb[64] = {
		3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 10, 20, 1, 0, 0, 0x20, 0, 0,
		0x28, 0, 0, 0, 0, 8, 0, 0, 16, 0, [50] = 0xff, 0x20, 0x4a, 1, 0, 0, 60,
	};
	struct io *io = &ios[0];

	(void)state;
	start();
	rig.target.command = keep_packet;
	assert_int_equal(io_read(io, 8, 16, 0), 0);
	shim_run(10);
	assert_packet(srb, 2);
	assert_int_equal(io_write(io, 8, 16, 1, 0), 0);
	shim_run(10);
	srb[22] = 0;
	srb[28] = WRITE_10;
	srb[52] = 0x8a;
	assert_packet(srb, 2);
	io_prepare(io, WRITE_10, 8, 16, STORAGE_DATA_DIRECTION_WRITE);
	io->command.tagged = false;
	io->command.timeout = 0x1234;
	io->command.path = 1;
	io->command.target = 2;
	io->command.lun = 3;
	assert_int_equal(scsi_queue(&rig.engine, &io->command, 0), 0);
	shim_run(10);
	srb[17] = 1;
	srb[18] = 2;
	srb[19] = 3;
	srb[50] = srb[51] = srb[53] = 0;
	srb[52] = 0x88;
	srb[56] = 0x34;
	srb[57] = 0x12;
	assert_packet(srb, 2);
	io_prepare(io, TEST_UNIT_READY, 0, 0, STORAGE_DATA_DIRECTION_NONE);
	assert_int_equal(scsi_queue(&rig.engine, &io->command, 0), 0);
	shim_run(10);
	memset(srb + 17, 0, 47);
	srb[20] = 10;
	srb[21] = 20;
	srb[22] = 2;
	memcpy(srb + 50, "\xff\x20\x0a\x01\0\0\x3c", 7);
	assert_packet(srb, 0);
	assert_int_equal(io->command.verdict, SCSI_DONE);
	end();
}

static void ordinary_commands_need_no_memory(void **state)
{
	(void)state;
	start();
	shim_fail_allocations(1, 1);
	assert_int_equal(io_read(&ios[0], 8, 128, 0), 0);
	shim_fail_allocations(0, 0);
	shim_run(10);
	assert_true(io_is_good(&ios[0]));
	end();
}

static void a_target_that_fails_says_why(void **state)
{
	struct scsi_command *c = &ios[0].command;

	(void)state;
	start();
	assert_int_equal(io_read(&ios[0], BLOCKS, 8, 0), 0);
	shim_run(10);
	assert_int_equal(ios[0].done, 1);
	assert_int_equal(c->verdict, SCSI_DONE);
	assert_int_equal(c->status, 0x02);
	assert_in_range(c->sense_bytes, 14, 18);
	assert_int_equal(c->sense[2] & 0xf, 5);
	assert_int_equal(c->sense[12], 0x21);
	assert_int_equal(c->transferred, 0);
	assert_true(io_is_zero(&ios[0]));
	end();
}

static void a_missing_lun_is_said_to_be_missing(void **state)
{
	(void)state;
	start();
	io_prepare(&ios[0], TEST_UNIT_READY, 0, 0, STORAGE_DATA_DIRECTION_NONE);
	ios[0].command.lun = 5;
	assert_int_equal(scsi_queue(&rig.engine, &ios[0].command, 0), 0);
	shim_run(10);
	assert_int_equal(ios[0].done, 1);
	assert_int_equal(ios[0].command.verdict, SCSI_NO_DEVICE);
	end();
}

static void a_full_table_says_try_again_and_empties(void **state)
{
	u32 queued = 0, i;

	(void)state;
	start();
	hold_from_now(hold_commands);
	while (queued < DEPTH && !io_read(&ios[queued], queued, 1, 0)) {
		queued++;
		shim_run(0);
	}
	assert_int_equal(queued, SCSI_REQUESTS);
	assert_int_equal(io_read(&ios[queued], 0, 1, 0), -EAGAIN);
	/* A reset still finds an id, and waits for them all. */
	assert_int_equal(rig.engine.outstanding, SCSI_REQUESTS);
	let_go();
	for (i = 0; i < queued; i++)
		assert_true(io_is_good(&ios[i]));
	assert_pool_is_whole();
	assert_works();
	end();
}

/* 64 pages, four times the same buffer. */
static int io_write_large(struct io *io, u32 lba)
{
	u32 i;

	io_prepare(io, WRITE_10, lba, 512, STORAGE_DATA_DIRECTION_WRITE);
	for (i = 0; i < 4; i++)
		io->pieces[i] = (struct kvec){ io->bytes, 0x10000 };
	io->command.pieces = 4;
	return scsi_queue(&rig.engine, &io->command, 0);
}

/* The host does not run in between. */
static u32 fill_ring(void)
{
	u32 queued = 0;

	while (queued < DEPTH && !io_write_large(&ios[queued], queued))
		queued++;
	assert_in_range(queued, 150, SCSI_REQUESTS - 1);
	assert_int_equal(io_write_large(&ios[queued], queued), -EAGAIN);
	return queued;
}

static void start_with_a_large_pool(void)
{
	prepare();
	rig.policy.pool_slots = 16384;
	rig.target.command = NULL;
	connect_guest();
	assert_int_equal(rig.started, 0);
}

static void a_full_ring_says_try_again(void **state)
{
	u32 queued, i;

	(void)state;
	start_with_a_large_pool();
	queued = fill_ring();
	assert_int_equal(all_free_slots(), 16384 - 64 * queued);
	shim_run(100);
	for (i = 0; i < queued; i++)
		assert_int_equal(ios[i].command.verdict, SCSI_DONE);
	assert_pool_is_whole();
	assert_works();
	end();
}

static uint64_t lose_signals(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)h;
	(void)argument;
	(void)input;
	*deliver = false;
	return 0;
}

static void a_reset_that_finds_no_room_has_its_deadline(void **state)
{
	u32 queued, i;
	u64 before;

	(void)state;
	start_with_a_large_pool();
	rig.host->hooks.signal_result = lose_signals;	/* so that the host empties nothing */
	queued = fill_ring();
	before = shim_now();
	assert_int_equal(scsi_reset(&rig.engine, STORAGE_OPERATION_RESET_BUS, 0, 0, 0), -ETIMEDOUT);
	assert_in_range(shim_now() - before, rig.policy.reset_deadline, rig.policy.reset_deadline + 100);
	assert_int_equal(core_fired(CORE_RULE_WAIT_EXPIRED), 1);
	assert_int_equal(rig.failures, 1);
	rig.host->hooks.signal_result = NULL;
	shim_run(20000);
	for (i = 0; i < queued; i++)
		assert_int_equal(ios[i].command.verdict, SCSI_GONE);
	end();
}

static void a_reset_that_finds_no_room_waits_for_it(void **state)
{
	(void)state;
	start_with_a_large_pool();
	fill_ring();
	assert_int_equal(scsi_reset(&rig.engine, STORAGE_OPERATION_RESET_BUS, 0, 0, 0), 0);
	assert_int_equal(rig.failures, 0);
	assert_works();
	end();
}

static void an_empty_pool_says_try_again(void **state)
{
	u32 queued = 0, i;

	(void)state;
	prepare();
	rig.policy.pool_slots = 64;
	connect_guest();
	hold_from_now(hold_commands);
	while (!io_read(&ios[queued], queued, 128, 0))
		queued++;
	assert_int_equal(queued, 4);
	shim_run(10);
	let_go();
	for (i = 0; i < queued; i++)
		assert_true(io_is_good(&ios[i]));
	assert_works();
	assert_pool_is_whole();
	end();
}

/* ---- giving up ---- */

static void a_command_given_up_ends_now_and_its_pages_rest_until_the_answer(void **state)
{
	u32 free_slots;

	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	assert_int_equal(io_write(&ios[1], 70, 16, 0x11, 0), 0);
	shim_run(10);
	scsi_give_up(&rig.engine, &ios[0].command);
	assert_ended(1, SCSI_ABORTED);
	assert_true(io_is_zero(&ios[0]));
	memset(&ios[0].command, 0xff, sizeof(ios[0].command));	/* it is the caller's again */
	memset(ios[0].bytes, 0xee, 8192);
	free_slots = all_free_slots();
	assert_int_equal(free_slots, rig.policy.pool_slots - 4);
	assert_int_equal(rig.engine.orphans, 1);
	assert_int_equal(io_write(&ios[2], 200, 16, 0x22, 0), 0);
	scsi_give_up(&rig.engine, &ios[2].command);
	assert_int_equal(ios[2].command.verdict, SCSI_ABORTED);
	assert_int_equal(ios[2].bytes[100], 0x22);		/* what was to be written is the caller's to keep */
	shim_run(10);
	let_go();
	assert_int_equal(ios[0].bytes[0], 0xee);		/* a late answer goes nowhere */
	assert_int_equal(ios[0].done, 1);
	assert_true(io_is_good(&ios[1]));
	assert_pool_is_whole();
	assert_works();
	end();
}

static void giving_up_what_is_done_does_nothing(void **state)
{
	(void)state;
	start();
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	scsi_give_up(&rig.engine, &ios[0].command);
	assert_true(io_is_good(&ios[0]));
	assert_int_equal(rig.engine.orphans, 0);
	end();
}

static void an_answer_that_comes_twice_counts_once(void **state)
{
	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	assert_true(target_send(&rig.target, &held[0]));
	let_go();
	assert_true(io_is_good(&ios[0]));
	assert_int_equal(core_fired(CORE_RULE_COMPLETION_STALE), 1);
	assert_pool_is_whole();
	assert_works();
	end();
}

static void a_host_that_keeps_too_many_commands_has_failed(void **state)
{
	u32 i;

	(void)state;
	start();
	hold_from_now(hold_commands);
	for (i = 0; i <= SCSI_STUCK_MAX; i++) {
		assert_int_equal(rig.failures, 0);
		assert_int_equal(io_read(&ios[i], i, 1, 0), 0);
		shim_run(0);
		scsi_give_up(&rig.engine, &ios[i].command);
	}
	assert_ended(SCSI_STUCK_MAX + 1, SCSI_ABORTED);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(io_read(&ios[0], 0, 1, 0), -ENODEV);
	shim_run(20000);
	end();
}

/* ---- answers that lie ---- */

static u32 lie_at;

static bool lie(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (!a->cdb)
		return true;
	if (lie_at == 0)
		a->transferred = a->asked + 1;
	else if (lie_at == 1)
		a->operation = 3;
	else if (lie_at == 2)
		a->payload_size = 56;
	else
		a->sense_bytes = 21;
	return true;
}

static void an_answer_that_lies_ends_the_command_and_frees_no_page(void **state)
{
	static const int rules[] = {
		STORAGE_RULE_SRB_COMPLETE_TRANSFERRED_LIMIT_2, STORAGE_RULE_HEADER_ANSWER_SAYS_SO,
		STORAGE_RULE_SRB_COMPLETE_ECHO3_BOUNDS, STORAGE_RULE_SRB_COMPLETE_SENSE_LENGTH_LIMIT,
	};

	(void)state;
	start();
	for (lie_at = 0; lie_at < 4; lie_at++) {
		rig.target.answer = lie;
		assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
		shim_run(10);
		assert_ended(1, SCSI_ERROR);
		assert_true(io_is_zero(&ios[0]));
		assert_int_equal(fired(storage_rule_ids[rules[lie_at]]), 1);
		assert_int_equal(rig.engine.pinned, lie_at + 1);
		assert_int_equal(all_free_slots(), rig.policy.pool_slots - 2 * (lie_at + 1));
	}
	rig.target.answer = NULL;
	assert_works();
	end();
}

static void a_host_that_lies_too_often_has_failed(void **state)
{
	u32 i;

	(void)state;
	start();
	lie_at = 0;
	rig.target.answer = lie;
	for (i = 0; i <= SCSI_STUCK_MAX; i++) {
		assert_int_equal(rig.failures, 0);
		assert_int_equal(io_read(&ios[i], i, 1, 0), 0);
		shim_run(10);
	}
	assert_ended(SCSI_STUCK_MAX + 1, SCSI_ERROR);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(io_read(&ios[0], 0, 1, 0), -ENODEV);
	shim_run(20000);
	end();
}

static bool cut_short(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (a->cdb)
		a->transferred -= 512;
	return true;
}

static void a_short_read_of_the_medium_is_an_error_and_shows_nothing(void **state)
{
	(void)state;
	start();
	rig.target.answer = cut_short;
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	assert_ended(1, SCSI_ERROR);
	assert_true(io_is_zero(&ios[0]));
	assert_pool_is_whole();
	end();
}

/* ---- resets ---- */

static int reset(void)
{
	return scsi_reset(&rig.engine, STORAGE_OPERATION_RESET_BUS, 0, 0, 0);
}

static void a_reset_waits_for_commands_and_all_goes_on(void **state)
{
	(void)state;
	start();
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	assert_int_equal(reset(), 0);
	assert_int_equal(rig.target.resets, 1);
	assert_true(io_is_good(&ios[0]));
	assert_int_equal(scsi_reset(&rig.engine, STORAGE_OPERATION_RESET_LUN, 0, 0, 1), 0);
	assert_int_equal(scsi_reset(&rig.engine, STORAGE_OPERATION_EXECUTE_SRB, 0, 0, 1), -EINVAL);
	assert_works();
	assert_int_equal(rig.failures, 0);
	end();
}

static bool refuse_resets(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (a->request_operation == STORAGE_OPERATION_RESET_BUS)
		a->status = 0xc0000001;
	return true;
}

static void a_refused_reset_fails_and_nothing_else_does(void **state)
{
	(void)state;
	start();
	rig.target.answer = refuse_resets;
	assert_int_equal(reset(), -EIO);
	assert_works();
	assert_int_equal(rig.failures, 0);
	end();
}

static void a_reset_without_an_answer_is_the_end(void **state)
{
	u64 before;

	(void)state;
	start();
	hold_from_now(hold);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	before = shim_now();
	assert_int_equal(reset(), -ETIMEDOUT);
	assert_in_range(shim_now() - before, rig.policy.reset_deadline, rig.policy.reset_deadline + 1000);
	assert_int_equal(rig.failures, 1);
	shim_run(20000);
	assert_ended(1, SCSI_GONE);		/* nobody had to stop the engine for that */
	assert_int_equal(reset(), -ENODEV);
	assert_int_equal(rig.failures, 1);	/* said once */
	end();
}

static void commands_that_survive_a_reset_are_the_end(void **state)
{
	u64 before;

	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	assert_int_equal(io_read(&ios[1], 7, 16, 0), 0);
	shim_run(10);
	scsi_give_up(&rig.engine, &ios[1].command);
	assert_int_equal(ios[1].command.verdict, SCSI_ABORTED);
	before = shim_now();
	assert_int_equal(reset(), -ETIMEDOUT);
	assert_in_range(shim_now() - before, rig.policy.drain_deadline, rig.policy.drain_deadline + 1000);
	assert_int_equal(rig.failures, 1);
	shim_run(20000);
	assert_ended(1, SCSI_GONE);
	assert_int_equal(ios[1].done, 1);
	end();
}

static void a_reset_waits_for_commands_given_up_too(void **state)
{
	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	scsi_give_up(&rig.engine, &ios[0].command);
	assert_int_equal(reset(), -ETIMEDOUT);
	assert_int_equal(rig.failures, 1);
	end();
}

static void a_failed_engine_does_not_listen(void **state)
{
	(void)state;
	start();
	hold_from_now(hold);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	assert_int_equal(reset(), -ETIMEDOUT);
	let_go();
	shim_run(20000);
	assert_ended(1, SCSI_GONE);
	assert_int_equal(rig.connection.violations.total, core_fired(CORE_RULE_WAIT_EXPIRED));
	end();
}

static bool hold_growth(struct target *t, void *argument, struct target_answer *a)
{
	return a->request_operation != STORAGE_OPERATION_CREATE_SUBCHANNELS || hold(t, argument, a);
}

/* The reset's own answer is late, that to another step comes when it waits. */
static void steps_without_answers_leave_nothing_behind(void **state)
{
	u32 i;

	(void)state;
	start();
	silent_step = STORAGE_OPERATION_CREATE_SUBCHANNELS;
	rig.target.answer = say_nothing_to;
	for (i = 0; i < 5; i++)
		assert_int_equal(scsi_grow(&rig.engine, 3), 0);
	assert_int_equal(core_fired(CORE_RULE_WAIT_EXPIRED), 5);
	assert_int_equal(rig.device->primary->requests.in_flight, 0);
	hold_from_now(hold_commands);
	for (i = 0; i < SCSI_REQUESTS; i++) {
		assert_int_equal(io_read(&ios[i], i, 1, 0), 0);
		shim_run(0);
	}
	let_go();
	assert_int_equal(reset(), 0);
	assert_works();
	end();
}

static bool answer_the_wrong_step(struct target *t, void *argument, struct target_answer *a)
{
	(void)argument;
	if (a->request_operation != STORAGE_OPERATION_RESET_BUS)
		return true;
	assert_true(target_send(t, &held[0]));
	assert_int_equal(core_fired(CORE_RULE_COMPLETION_STALE), 0);
	held[0] = *a;
	return false;
}

static void a_late_answer_to_a_step_answers_no_later_one(void **state)
{
	(void)state;
	start();
	hold_from_now(hold_growth);
	assert_int_equal(scsi_grow(&rig.engine, 3), 0);		/* nobody answers in time */
	assert_int_equal(rig.engine.session.at.state, STORAGE_STATE_DEVICE_READY);
	assert_int_equal(held_count, 1);
	rig.target.answer = answer_the_wrong_step;
	assert_int_equal(reset(), -ETIMEDOUT);
	assert_int_equal(core_fired(CORE_RULE_COMPLETION_STALE), 1);
	end();
}

/* ---- sub-channels ---- */

static struct host_channel *host_subchannel(u16 index)
{
	u32 i;

	for (i = 1; i < HOST_CHANNELS; i++) {
		struct host_channel *ch = &rig.host->channels[i];

		if (ch->device == &rig.target.device && ch->index == index && ch->state == HOST_OPENED)
			return ch;
	}
	return NULL;
}

static void grow(u32 wanted)
{
	assert_int_equal(scsi_grow(&rig.engine, wanted), wanted);
	shim_run(100);
	assert_int_equal(rig.engine.usable_count, wanted + 1);
}

static void commands_spread_over_channels(void **state)
{
	u32 i;

	(void)state;
	start();
	grow(3);
	assert_int_equal(scsi_grow(&rig.engine, 3), -EALREADY);
	memset(rig.commands, 0, sizeof(rig.commands));
	for (i = 0; i < 40; i++)
		assert_int_equal(io_read(&ios[i], i, 16, i % 4), 0);
	shim_run(10);
	for (i = 0; i < 40; i++)
		assert_true(io_is_good(&ios[i]));
	assert_int_equal(rig.commands[rig.channel->relid], 10);
	for (i = 1; i <= 3; i++)
		assert_int_equal(rig.commands[host_subchannel((u16)i)->relid], 10);
	assert_int_equal(rig.connection.violations.total, 0);
	end();
}

static void a_subchannel_that_goes_takes_its_commands_along_and_no_others(void **state)
{
	u32 i, gone = 0;

	(void)state;
	start();
	grow(3);
	hold_from_now(hold_commands);
	for (i = 0; i < 40; i++)
		assert_int_equal(io_read(&ios[i], i, 16, i % 4), 0);
	shim_run(10);
	host_rescind(rig.host, host_subchannel(2));
	shim_run(1000);
	for (i = 0; i < 40; i++) {
		if (!ios[i].done)
			continue;
		assert_int_equal(ios[i].done, 1);
		assert_int_equal(ios[i].command.verdict, SCSI_GONE);
		gone++;
	}
	assert_int_equal(gone, 10);
	assert_int_equal(rig.engine.usable_count, 3);
	assert_int_equal(rig.engine.subchannel_sessions[2].at.state, STORAGE_STATE_SUBCHANNEL_UNASKED);
	assert_int_equal(rig.engine.subchannel_sessions[1].at.state, STORAGE_STATE_SUBCHANNEL_USABLE);
	rig.target.answer = NULL;
	for (i = 0; i < held_count; i++)
		if (held[i].channel->state == HOST_OPENED)
			assert_true(target_send(&rig.target, &held[i]));
	shim_run(10);
	for (i = 0; i < 40; i++)
		assert_true(io_is_good(&ios[i]) || ios[i].command.verdict == SCSI_GONE);
	assert_int_equal(rig.failures, 0);
	assert_works();
	assert_pool_is_whole();		/* the host said that it was done with the channel */
	end();
}

static void pages_that_rest_come_back_with_the_end_of_their_channel(void **state)
{
	(void)state;
	start();
	grow(1);
	lie_at = 0;
	rig.target.answer = lie;
	assert_int_equal(io_read(&ios[0], 7, 16, 1), 0);
	shim_run(10);
	assert_ended(1, SCSI_ERROR);
	rig.target.answer = NULL;
	assert_int_equal(rig.engine.pinned, 1);
	assert_int_equal(all_free_slots(), rig.policy.pool_slots - 2);
	host_rescind(rig.host, host_subchannel(1));
	shim_run(1000);
	assert_int_equal(rig.engine.pinned, 0);
	assert_pool_is_whole();
	assert_works();
	end();
}

static bool refuse_growth(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (a->request_operation == STORAGE_OPERATION_CREATE_SUBCHANNELS)
		a->status = 0xc000000d;
	return true;
}

static void a_host_that_refuses_channels_is_used_without(void **state)
{
	(void)state;
	start();
	rig.target.answer = refuse_growth;
	assert_int_equal(scsi_grow(&rig.engine, 3), 0);
	shim_run(100);
	assert_int_equal(rig.engine.usable_count, 1);
	assert_works();
	end();
}

static u32 signals_to_come;

/* A signal is what a sender does last, inside of the engine: there its channel goes, and is waited for. */
static uint64_t rescind_while_sending(struct host *h, void *argument, const uint8_t *input, bool *deliver)
{
	(void)argument;
	(void)input;
	(void)deliver;
	if (!signals_to_come || --signals_to_come)
		return 0;
	host_rescind(h, host_subchannel(1));
	shim_run(3500);
	assert_non_null(rig.engine.lanes[1]);
	assert_int_equal(rig.engine.lanes[1]->senders, 1);
	assert_int_equal(rig.engine.usable_count, 1);
	return 0;
}

static void a_channel_is_not_closed_under_its_sender(void **state)
{
	u32 i;

	(void)state;
	start();
	grow(1);
	for (i = 0; i < 5; i++) {		/* others have sent and left before */
		assert_int_equal(io_read(&ios[1], i, 16, 1), 0);
		shim_run(10);
		assert_true(io_is_good(&ios[1]));
	}
	hold_from_now(hold_commands);
	rig.host->hooks.signal_result = rescind_while_sending;
	signals_to_come = 1;
	assert_int_equal(io_read(&ios[0], 7, 16, 1), 0);
	assert_int_equal(signals_to_come, 0);
	shim_run(500);
	assert_ended(1, SCSI_GONE);
	assert_null(rig.engine.lanes[1]);
	rig.target.answer = NULL;
	assert_works();
	assert_pool_is_whole();
	end();
}

/* Its ring holds nonsense before anyone has looked. */
static void open_and_break(struct host_channel *ch)
{
	static const u8 nothing[64];
	const struct host_packet p = { .type = 6, .offset8 = 9, .length8 = 2, .bytes = nothing, .size = 64, .raw = true };

	if (ch->index)
		assert_true(host_send(ch, &p));
}

static void a_subchannel_that_dies_at_once_is_used_by_nobody(void **state)
{
	(void)state;
	start();
	rig.target.device.opened = open_and_break;
	assert_int_equal(scsi_grow(&rig.engine, 2), 2);
	shim_run(20000);
	assert_int_equal(rig.engine.usable_count, 1);
	assert_null(rig.engine.lanes[1]);
	assert_null(rig.engine.lanes[2]);
	assert_int_equal(rig.failures, 0);
	assert_works();
	end();
}

static void a_subchannel_that_is_not_opened_is_missed_by_nobody(void **state)
{
	u64 before;

	(void)state;
	start();
	hold_from_now(hold);
	before = shim_now();
	assert_int_equal(scsi_grow(&rig.engine, 0), 0);	/* the host is not asked */
	assert_int_equal(shim_now(), before);
	assert_int_equal(held_count, 0);
	rig.target.answer = NULL;
	/* Its lane, then its requests, cannot be had; then the third channel is opened. */
	assert_int_equal(scsi_grow(&rig.engine, 3), 3);
	shim_fail_allocations(1, 0);
	shim_run(100);
	shim_fail_allocations(0, 0);
	assert_int_equal(rig.engine.usable_count, 3);
	assert_works();
	end();
}

/* The controller is put away right before the host has opened a sub-channel of it. */
static bool fail_before_opened(struct host *h, void *argument, struct host_message *m)
{
	(void)h;
	(void)argument;
	if (m->bytes[0] == CONTROL_MESSAGE_TYPE_OPEN_RESULT && rig.engine.lanes[1])
		airlock_quarantine(rig.engine.lanes[0]->channel);
	return true;
}

static void a_subchannel_opened_too_late_is_used_by_nobody(void **state)
{
	(void)state;
	start();
	rig.host->hooks.outgoing = fail_before_opened;
	assert_int_equal(scsi_grow(&rig.engine, 1), 1);
	shim_run(100);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(rig.engine.usable_count, 0);
	assert_null(rig.engine.lanes[1]);
	end();
}

static void channels_nobody_asked_for_stay_closed(void **state)
{
	(void)state;
	start();
	assert_non_null(host_offer(rig.host, &rig.target.device, 1));
	shim_run(100);
	assert_int_equal(rig.engine.usable_count, 1);
	assert_null(host_subchannel(1));
	assert_works();
	end();
}

static void a_subchannel_put_away_ends_its_commands(void **state)
{
	u32 i;

	(void)state;
	start();
	grow(1);
	hold_from_now(hold_commands);
	for (i = 0; i < 10; i++)
		assert_int_equal(io_read(&ios[i], i, 16, 1), 0);
	shim_run(10);
	airlock_quarantine(rig.engine.lanes[1]->channel);
	shim_run(20000);
	assert_ended(10, SCSI_GONE);
	assert_int_equal(rig.engine.usable_count, 1);
	assert_int_equal(rig.failures, 0);
	rig.target.answer = NULL;
	assert_works();
	/* The host was never asked to let go of that channel: those pages rest until the end. */
	assert_int_equal(all_free_slots(), rig.policy.pool_slots - 20);
	end();
}

/* ---- the end ---- */

static void a_rescind_ends_what_is_in_flight_once(void **state)
{
	u32 i;

	(void)state;
	start();
	grow(2);
	hold_from_now(hold_commands);
	for (i = 0; i < 60; i++)
		assert_int_equal(i % 2 ? io_read(&ios[i], i, 16, i) : io_write(&ios[i], i * 16, 16, 0x77, i), 0);
	shim_run(10);
	scsi_give_up(&rig.engine, &ios[59].command);
	host_rescind(rig.host, rig.channel);
	shim_run(1000);
	assert_ended(59, SCSI_GONE);
	assert_int_equal(ios[59].done, 1);
	assert_int_equal(ios[59].command.verdict, SCSI_ABORTED);
	assert_int_equal(rig.removes, 1);
	assert_int_equal(scsi_queue(&rig.engine, &ios[0].command, 0), -ENODEV);
	end();
}

static bool answered_late;

static bool answer_later(struct host *h, void *argument)
{
	(void)h;
	(void)argument;
	if (answered_late || shim_now() < rig.last_scan + 100)
		return false;
	answered_late = true;
	rig.target.answer = NULL;
	while (held_count)
		assert_true(target_send(&rig.target, &held[--held_count]));
	return true;
}

static uint64_t when_later(struct host *h, void *argument)
{
	(void)h;
	(void)argument;
	return answered_late ? UINT64_MAX : rig.last_scan + 100;
}

static void stop_with_commands_out(u32 count)
{
	u64 before;
	u32 i;

	start();
	hold_from_now(hold_commands);
	for (i = 0; i < count; i++)
		assert_int_equal(io_read(&ios[i], i, 16, i), 0);
	shim_run(10);
	before = rig.last_scan = shim_now();
	answered_late = false;
	rig.host->hooks.running = answer_later;
	rig.host->hooks.next = when_later;
	scsi_stop(&rig.engine);
	assert_in_range(shim_now() - before, 100, 200);
	for (i = 0; i < count; i++)
		assert_true(io_is_good(&ios[i]));
	assert_int_equal(rig.connection.violations.total, 0);
	end();
}

static void a_stop_is_over_when_the_last_answer_has_come(void **state)
{
	(void)state;
	stop_with_commands_out(40);
	stop_with_commands_out(1);
}

static void a_stop_waits_for_a_host_that_answers(void **state)
{
	u32 i;

	(void)state;
	start();
	for (i = 0; i < 40; i++)
		assert_int_equal(io_read(&ios[i], i, 16, i), 0);
	scsi_stop(&rig.engine);
	for (i = 0; i < 40; i++)
		assert_true(io_is_good(&ios[i]));
	assert_int_equal(rig.engine.session.at.state, STORAGE_STATE_DEVICE_CLOSED);
	assert_int_equal(scsi_queue(&rig.engine, &ios[0].command, 0), -ENODEV);
	scsi_stop(&rig.engine);
	end();
}

static void a_stop_does_not_wait_for_ever_for_one_that_does_not(void **state)
{
	u64 before;

	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	before = shim_now();
	scsi_stop(&rig.engine);
	assert_in_range(shim_now() - before, rig.policy.drain_deadline, rig.policy.drain_deadline + 1000);
	assert_ended(1, SCSI_GONE);
	assert_int_equal(core_fired(CORE_RULE_WAIT_EXPIRED), 1);
	assert_int_equal(rig.engine.session.at.state, STORAGE_STATE_DEVICE_CLOSED);
	end();
}

static bool being_told;

static void slow_done(struct scsi_command *command)
{
	being_told = true;
	msleep(50);
	being_told = false;
	((struct io *)command->glue)->done++;
}

static void give_up_work(struct work_struct *work)
{
	(void)work;
	scsi_give_up(&rig.engine, &ios[0].command);
}

static void a_stop_is_not_over_before_a_command_given_up_has_ended(void **state)
{
	struct work_struct work;

	(void)state;
	start();
	hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	ios[0].command.done = slow_done;
	INIT_WORK(&work, give_up_work);
	schedule_work(&work);
	shim_run(10);
	assert_true(being_told);
	airlock_quarantine(rig.engine.lanes[0]->channel);
	scsi_stop(&rig.engine);
	assert_false(being_told);
	assert_ended(1, SCSI_ABORTED);
	cancel_work_sync(&work);
	end();
}

static void slow_failed(struct scsi_engine *engine)
{
	being_told = true;
	msleep(50);
	being_told = false;
	failed(engine);
}

static void reset_work(struct work_struct *work)
{
	(void)work;
	assert_int_equal(scsi_reset(&rig.engine, STORAGE_OPERATION_RESET_BUS, 0, 0, 0), -ETIMEDOUT);
}

static void a_stop_is_not_over_before_a_failure_is_told(void **state)
{
	static const struct scsi_engine_ops told_slowly = { .rescan = rescan, .failed = slow_failed };
	struct work_struct work;

	(void)state;
	start();
	hold_from_now(hold);
	rig.engine.ops = &told_slowly;
	INIT_WORK(&work, reset_work);
	schedule_work(&work);
	shim_run(rig.policy.reset_deadline + 10);
	assert_true(being_told);
	scsi_stop(&rig.engine);
	assert_false(being_told);
	assert_int_equal(rig.failures, 1);
	cancel_work_sync(&work);
	end();
}

static void a_stopped_controller_starts_again_with_what_it_had(void **state)
{
	(void)state;
	start();
	assert_works();
	scsi_stop(&rig.engine);
	rig.target.max_transfer = 0x80000;
	rig.target.versions[rig.target.version_count++] = STORAGE_VERSION_6_2;
	assert_int_equal(scsi_restart(&rig.engine), 0);
	assert_int_equal(rig.engine.limits.max_transfer, 0x40000);
	assert_int_equal(rig.engine.limits.version, STORAGE_VERSION_6_2);
	io_prepare(&ios[0], READ_10, 0, 8, STORAGE_DATA_DIRECTION_READ);
	ios[0].pieces[0].iov_len = ios[0].command.bytes = 0x41000;	/* the host would take it */
	assert_int_equal(scsi_queue(&rig.engine, &ios[0].command, 0), -EINVAL);
	assert_works();
	grow(2);
	assert_works();
	end();
}

static void a_restarted_controller_grows_again(void **state)
{
	(void)state;
	start();
	grow(2);
	scsi_stop(&rig.engine);
	assert_int_equal(scsi_restart(&rig.engine), 0);
	assert_int_equal(rig.engine.usable_count, 1);
	assert_works();
	grow(3);
	assert_works();
	end();
}

static void a_host_that_offers_less_than_before_fails_the_restart(void **state)
{
	(void)state;
	start();
	scsi_stop(&rig.engine);
	rig.target.max_transfer = 0x20000;
	assert_int_equal(scsi_restart(&rig.engine), -EPROTO);
	rig.target.max_transfer = 0x40000;
	rig.target.version_count = 3;
	rig.policy.storage_floor = rig.connection.policy.storage_floor = 0;
	assert_int_equal(scsi_restart(&rig.engine), -EOPNOTSUPP);
	rig.target.version_count = 4;
	assert_int_equal(scsi_restart(&rig.engine), 0);
	assert_int_equal(rig.engine.limits.max_transfer, 0x40000);
	assert_works();
	end();
}

static void a_first_channel_put_away_ends_everything(void **state)
{
	u32 i;

	(void)state;
	start();
	grow(2);
	hold_from_now(hold_commands);
	for (i = 0; i < 30; i++)
		assert_int_equal(io_read(&ios[i], i, 16, i), 0);
	shim_run(10);
	airlock_quarantine(rig.device->primary);
	assert_int_equal(io_read(&ios[30], 7, 16, 0), -ENODEV);
	shim_run(20000);
	assert_ended(30, SCSI_GONE);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(scsi_grow(&rig.engine, 1), -ENODEV);
	end();
}

/* ---- memory ---- */

static bool is_teardown(const uint8_t *message)
{
	return message[0] == 11 && !message[1];
}

static bool never_tear_down(struct host *h, void *argument, const uint8_t *message, uint32_t size)
{
	(void)h;
	(void)argument;
	(void)size;
	return !is_teardown(message);
}

static u32 leaked_after_stop(enum sim_kind kind, bool answered)
{
	prepare_as(kind, false, false);
	connect_guest();
	assert_int_equal(rig.started, 0);
	if (!answered)
		hold_from_now(hold_commands);
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	rig.host->hooks.incoming = never_tear_down;
	scsi_stop(&rig.engine);
	assert_int_equal(ios[0].done, 1);
	assert_int_equal(ios[0].command.verdict, answered ? SCSI_DONE : SCSI_GONE);
	return (u32)atomic_read(&sim_visibility()->leaked);
}

static void pages_an_ordinary_host_may_still_write_are_given_up(void **state)
{
	u32 leaked;

	(void)state;
	leaked = leaked_after_stop(SIM_PLAIN, false);
	assert_int_equal(leaked, 2 * SCSI_RING_PAGES + rig.policy.pool_slots);
	end_with(leaked);
	leaked = leaked_after_stop(SIM_PLAIN, true);	/* all it knew of the pool it has answered */
	assert_int_equal(leaked, 2 * SCSI_RING_PAGES);
	end_with(leaked);
	leaked = leaked_after_stop(SIM_SNP, false);	/* here it cannot write them any more */
	assert_int_equal(leaked, 0);
	end_with(leaked);
}

static void a_private_controller_has_private_pages(void **state)
{
	u64 shared;

	(void)state;
	prepare_as(SIM_TDX, true, false);
	rig.target.device.flags = CONTROL_CHANNEL_FLAG_CONFIDENTIAL_RING |
				  CONTROL_CHANNEL_FLAG_CONFIDENTIAL_MEMORY;
	shared = sim_shared_pages();
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_true(rig.engine.pool.memory.private);
	assert_works();
	assert_int_equal(sim_shared_pages(), shared);
	end();
}

static void a_controller_without_that_promise_has_shared_ones(void **state)
{
	u64 shared;

	(void)state;
	prepare_as(SIM_TDX, true, false);
	shared = sim_shared_pages();
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_false(rig.engine.pool.memory.private);
	assert_works();
	assert_in_range(sim_shared_pages() - shared, rig.policy.pool_slots, rig.policy.pool_slots + 200);
	end();
}

/* ---- other controllers ---- */

static void an_ide_disk_has_one_of_two_addresses(void **state)
{
	(void)state;
	prepare();
	memcpy(rig.target.device.class, control_device_class_ide, 16);
	rig.target.device.instance[4] = 1;
	rig.target.device.instance[5] = 0;
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_int_equal(rig.engine.target, 1);
	assert_int_equal(rig.engine.limits.subchannels, 0);
	assert_works();
	end();
	prepare();
	memcpy(rig.target.device.class, control_device_class_ide, 16);
	rig.target.device.instance[4] = 1;
	rig.target.device.instance[5] = 1;
	connect_guest();
	assert_int_equal(rig.started, -EINVAL);
	end();
}

/* The model's controller knows nothing of names. */
static bool answer_names(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	u8 payload[64] = { 1 };

	if (p->payload[0] != 12)
		return heard(t, argument, ch, p);
	payload[12] = 2;
	payload[16 + 7] = 0x42;
	assert_true(host_complete(ch, p->transaction, payload, sizeof(payload)));
	return false;
}

static void a_fibre_channel_adapter_has_names_and_smaller_transfers(void **state)
{
	u8 payload[64] = { 12 };
	const struct host_packet p = {
		.type = 6, .offset8 = 2, .length8 = 10, .bytes = payload, .size = sizeof(payload),
	};

	(void)state;
	prepare();
	memcpy(rig.target.device.class, control_device_class_fibre_channel, 16);
	rig.target.command = answer_names;
	rig.target.max_transfer = 0x100000;
	connect_guest();
	assert_int_equal(rig.started, 0);
	assert_int_equal(rig.engine.names.primary_active, 2);
	assert_int_equal(rig.engine.names.primary_port, 0x42);
	assert_int_equal(rig.engine.limits.max_transfer, 0x80000);
	payload[12 + 4] = 0x77;
	assert_true(host_send(rig.channel, &p));
	shim_run(10);
	assert_int_equal(rig.engine.names.primary_port, 0x7700000000000000);
	assert_works();
	end();
}

/* ---- all at once ---- */

#define WORKERS 3
#define ROUNDS 1500
#define REGION (BLOCKS / WORKERS)

static u32 working;

/* In a thread, where assertions of cmocka mean nothing. */
static void insist_on(bool condition, const char *what)
{
	if (condition)
		return;
	print_error("not so: %s\n", what);
	abort();
}

static void wait_for(const struct io *io)
{
	while (!__atomic_load_n(&io->done, __ATOMIC_ACQUIRE))
		usleep(20);
}

/* Until it is done: what found no room, or went with its channel, goes again. */
static void insist(struct io *io, u32 cpu)
{
	int error;

	for (;;) {
		io->done = 0;
		error = scsi_queue(&rig.engine, &io->command, cpu);
		insist_on(!error || error == -EAGAIN, "there is a channel");
		if (error) {
			usleep(100);
			continue;
		}
		wait_for(io);
		if (io->command.verdict != SCSI_GONE)
			return;
	}
}

/* Gives up a read, which may be done all the same. */
static void begin_and_give_up(struct io *io, u32 lba, u32 cpu)
{
	if (io_read(io, lba, 8, cpu))
		return;
	scsi_give_up(&rig.engine, &io->command);
	wait_for(io);
	insist_on(io->done == 1, "done once");
}

static void *work(void *argument)
{
	u32 n = *(u32 *)argument, round, lba, i;
	struct io *w = &ios[2 * n], *r = &ios[2 * n + 1];

	shim_set_cpu(n);
	for (round = 0; round < ROUNDS; round++) {
		lba = n * REGION + round * 24 % (REGION - 24);
		io_prepare(w, WRITE_10, lba, 24, STORAGE_DATA_DIRECTION_WRITE);
		memset(w->bytes, (u8)(round + n), w->command.bytes);
		insist(w, round);
		if (round % 16 == 5)
			begin_and_give_up(r, lba, round);
		io_prepare(r, READ_10, lba, 24, STORAGE_DATA_DIRECTION_READ);
		insist(r, round + 1);
		insist_on(w->command.verdict == SCSI_DONE && r->command.verdict == SCSI_DONE, "done");
		for (i = 0; i < r->command.bytes; i++)
			insist_on(r->bytes[i] == (u8)(round + n), "what was written is read");
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void disturb(void)
{
	struct host_channel *second = host_subchannel(2);
	u32 i;

	for (i = 0; i < 12 || __atomic_load_n(&working, __ATOMIC_ACQUIRE); i++) {
		if (i == 8)
			host_rescind(rig.host, second);
		if (i % 4 == 3)
			assert_int_equal(reset(), 0);
		target_news(&rig.target, rig.channel, 11);
		shim_run(5);
	}
}

static u32 channels_in_use(void)
{
	unsigned long flags;
	u32 count;

	spin_lock_irqsave(&rig.engine.lock, flags);
	count = rig.engine.usable_count;
	spin_unlock_irqrestore(&rig.engine.lock, flags);
	return count;
}

static void start_threaded(void)
{
	u32 i;

	connect_guest();
	for (i = 0; i < 200 && __atomic_load_n(&rig.started, __ATOMIC_ACQUIRE) > 0; i++)
		shim_run(50);
	assert_int_equal(rig.started, 0);
	assert_int_equal(scsi_grow(&rig.engine, 3), 3);
	for (i = 0; i < 200 && channels_in_use() < 4; i++)
		shim_run(50);
	assert_int_equal(channels_in_use(), 4);
}

static void threads_that_give_up_and_reset_and_rescind_lose_nothing(void **state)
{
	u32 numbers[WORKERS], i;
	pthread_t threads[WORKERS];

	(void)state;
	prepare_as(SIM_SNP, false, true);
	rig.target.command = NULL;
	start_threaded();
	working = WORKERS;
	for (i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
	}
	disturb();
	for (i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	shim_run(100);
	assert_int_equal(channels_in_use(), 3);
	assert_int_equal(rig.failures, 0);
	/* A signal may meet the rescind of its channel. */
	assert_int_equal(rig.connection.violations.total, core_fired(CORE_RULE_SIGNAL_FAILED));
	assert_pool_is_whole();
	end();
}

/* Sends until the device is gone; each command that was taken ends once, in whatever way. */
static void *work_to_the_end(void *argument)
{
	u32 n = *(u32 *)argument, i;
	int error = 0;

	shim_set_cpu(n);
	for (i = 0; error != -ENODEV; i++) {
		struct io *io = &ios[n * 100 + i % 100];

		wait_for(io);
		error = i % 2 ? io_read(io, n * REGION, 24, i) : io_write(io, n * REGION + 64, 24, (u8)i, i);
		insist_on(!error || error == -EAGAIN || error == -ENODEV, "there is room, or no device");
		if (error == -EAGAIN)
			usleep(100);
		if (error)
			io->done = 1;
		else if (i % 64 == 13)
			scsi_give_up(&rig.engine, &io->command);
	}
	for (i = 0; i < 100; i++) {
		wait_for(&ios[n * 100 + i]);
		insist_on(ios[n * 100 + i].done == 1, "done once");
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void a_rescind_under_load_ends_everything_once(void **state)
{
	u32 numbers[WORKERS], i;
	pthread_t threads[WORKERS];

	(void)state;
	prepare_as(SIM_SNP, false, true);
	rig.target.command = NULL;
	start_threaded();
	for (i = 0; i < 100 * WORKERS; i++)
		ios[i].done = 1;
	working = WORKERS;
	for (i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, work_to_the_end, &numbers[i]), 0);
	}
	shim_run(50);
	host_rescind(rig.host, rig.channel);
	for (i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < 200 && !__atomic_load_n(&rig.removes, __ATOMIC_ACQUIRE); i++)
		shim_run(50);
	assert_int_equal(rig.removes, 1);
	end();
}

/* ---- news ---- */

static void wishes_to_look_are_one_wish_and_a_second_apart(void **state)
{
	u32 i;

	(void)state;
	start();
	for (i = 0; i < 500; i++) {
		assert_true(target_news(&rig.target, rig.channel, i % 2 ? 11 : 2));
		shim_run(10);
	}
	shim_run(2000);
	assert_in_range(rig.rescans, 4, 7);
	assert_in_range(rig.scan_gap, 1000, 10000);
	assert_int_equal(rig.connection.violations.total, 0);
	i = rig.rescans;
	shim_run(10000);
	assert_int_equal(rig.rescans, i);
	assert_works();
	end();
}

static bool scanning;

static void slow_rescan(struct scsi_engine *engine)
{
	(void)engine;
	scanning = true;
	msleep(50);
	scanning = false;
	rig.rescans++;
}

static const struct scsi_engine_ops slow_ops = { .rescan = slow_rescan, .failed = failed };

static void a_scan_that_runs_is_over_when_the_engine_has_stopped(void **state)
{
	(void)state;
	start();
	rig.engine.ops = &slow_ops;
	assert_true(target_news(&rig.target, rig.channel, 11));
	shim_run(10);
	assert_true(scanning);
	scsi_stop(&rig.engine);
	assert_false(scanning);
	assert_int_equal(rig.rescans, 1);
	end();
}

static void a_wish_dies_with_the_engine(void **state)
{
	(void)state;
	start();
	assert_true(target_news(&rig.target, rig.channel, 11));
	shim_run(10);
	assert_int_equal(rig.rescans, 1);
	assert_true(target_news(&rig.target, rig.channel, 11));	/* its scan is due in a second */
	shim_run(10);
	scsi_stop(&rig.engine);
	shim_run(2000);
	assert_int_equal(rig.rescans, 1);
	end();
}

static bool talk_early(struct target *t, void *argument, struct target_answer *a)
{
	(void)argument;
	assert_int_equal(rig.rescans, 0);
	assert_true(target_news(t, a->channel, 11));
	return true;
}

static void a_wish_from_before_ready_is_heard_and_acted_on_later(void **state)
{
	(void)state;
	prepare();
	rig.target.answer = talk_early;
	connect_guest();
	assert_int_equal(rig.started, 0);
	rig.target.answer = NULL;
	shim_run(100);
	assert_int_equal(rig.rescans, 1);
	assert_int_equal(rig.connection.violations.total, 0);
	end();
}

static void other_news_is_refused(void **state)
{
	static const u32 operations[] = { 1, 3, 12, 14, 15, 0, 0xffffffff };
	u32 i;

	(void)state;
	start();
	grow(1);
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		assert_true(target_news(&rig.target, rig.channel, operations[i]));
		shim_run(10);
		assert_int_equal(rig.connection.violations.total, i + 1);
	}
	assert_int_equal(fired(storage_rule_ids[STORAGE_RULE_EVENT_NOTIFICATION_REFUSED]), 1);
	assert_true(target_news(&rig.target, host_subchannel(1), 11));	/* on the wrong channel */
	shim_run(10);
	assert_int_equal(rig.connection.violations.total, i + 1);
	shim_run(2000);
	assert_int_equal(rig.rescans, 0);
	assert_int_equal(atomic_read(&rig.engine.violations), i + 1);
	assert_works();
	end();
}

static void a_disk_that_changed_is_tried_again_and_looked_at(void **state)
{
	(void)state;
	start();
	rig.target.luns[0].sense_key = 6;
	rig.target.luns[0].asc = 0x2a;
	rig.target.luns[0].ascq = 9;
	assert_int_equal(io_read(&ios[0], 7, 16, 0), 0);
	shim_run(10);
	assert_ended(1, SCSI_RETRY);
	shim_run(2000);
	assert_int_equal(rig.rescans, 1);
	assert_works();
	end();
}

/* With an argument: only tests whose names match it. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_controller_agrees_on_the_best_version_both_know),
		cmocka_unit_test(limits_are_the_lesser_of_both),
		cmocka_unit_test(a_policy_without_room_for_a_page_starts_nothing),
		cmocka_unit_test(a_step_that_fails_ends_the_handshake),
		cmocka_unit_test(a_channel_that_dies_between_steps_ends_the_handshake),
		cmocka_unit_test(every_version_works_and_those_below_the_floor_are_refused),
		cmocka_unit_test(a_host_that_does_not_answer_a_step_has_its_deadline),
		cmocka_unit_test(a_rescind_ends_a_step_that_waits),
		cmocka_unit_test(memory_that_is_not_there_fails_the_start_and_nothing_else),
		cmocka_unit_test(data_of_every_size_arrives_as_it_was_sent),
		cmocka_unit_test(the_largest_transfer_goes_through_in_pieces),
		cmocka_unit_test(commands_that_cannot_be_are_not_sent),
		cmocka_unit_test(commands_look_as_the_catalogue_says),
		cmocka_unit_test(ordinary_commands_need_no_memory),
		cmocka_unit_test(a_target_that_fails_says_why),
		cmocka_unit_test(a_missing_lun_is_said_to_be_missing),
		cmocka_unit_test(a_full_table_says_try_again_and_empties),
		cmocka_unit_test(a_full_ring_says_try_again),
		cmocka_unit_test(a_reset_that_finds_no_room_has_its_deadline),
		cmocka_unit_test(a_reset_that_finds_no_room_waits_for_it),
		cmocka_unit_test(an_empty_pool_says_try_again),
		cmocka_unit_test(a_command_given_up_ends_now_and_its_pages_rest_until_the_answer),
		cmocka_unit_test(giving_up_what_is_done_does_nothing),
		cmocka_unit_test(an_answer_that_comes_twice_counts_once),
		cmocka_unit_test(a_host_that_keeps_too_many_commands_has_failed),
		cmocka_unit_test(an_answer_that_lies_ends_the_command_and_frees_no_page),
		cmocka_unit_test(a_host_that_lies_too_often_has_failed),
		cmocka_unit_test(a_short_read_of_the_medium_is_an_error_and_shows_nothing),
		cmocka_unit_test(a_reset_waits_for_commands_and_all_goes_on),
		cmocka_unit_test(a_refused_reset_fails_and_nothing_else_does),
		cmocka_unit_test(a_reset_without_an_answer_is_the_end),
		cmocka_unit_test(commands_that_survive_a_reset_are_the_end),
		cmocka_unit_test(a_reset_waits_for_commands_given_up_too),
		cmocka_unit_test(a_failed_engine_does_not_listen),
		cmocka_unit_test(steps_without_answers_leave_nothing_behind),
		cmocka_unit_test(a_late_answer_to_a_step_answers_no_later_one),
		cmocka_unit_test(commands_spread_over_channels),
		cmocka_unit_test(a_subchannel_that_goes_takes_its_commands_along_and_no_others),
		cmocka_unit_test(pages_that_rest_come_back_with_the_end_of_their_channel),
		cmocka_unit_test(a_host_that_refuses_channels_is_used_without),
		cmocka_unit_test(a_channel_is_not_closed_under_its_sender),
		cmocka_unit_test(a_subchannel_that_dies_at_once_is_used_by_nobody),
		cmocka_unit_test(a_subchannel_that_is_not_opened_is_missed_by_nobody),
		cmocka_unit_test(a_subchannel_opened_too_late_is_used_by_nobody),
		cmocka_unit_test(channels_nobody_asked_for_stay_closed),
		cmocka_unit_test(a_subchannel_put_away_ends_its_commands),
		cmocka_unit_test(a_rescind_ends_what_is_in_flight_once),
		cmocka_unit_test(a_stop_is_over_when_the_last_answer_has_come),
		cmocka_unit_test(a_stop_waits_for_a_host_that_answers),
		cmocka_unit_test(a_stop_does_not_wait_for_ever_for_one_that_does_not),
		cmocka_unit_test(a_stop_is_not_over_before_a_command_given_up_has_ended),
		cmocka_unit_test(a_stop_is_not_over_before_a_failure_is_told),
		cmocka_unit_test(a_stopped_controller_starts_again_with_what_it_had),
		cmocka_unit_test(a_restarted_controller_grows_again),
		cmocka_unit_test(a_host_that_offers_less_than_before_fails_the_restart),
		cmocka_unit_test(a_first_channel_put_away_ends_everything),
		cmocka_unit_test(pages_an_ordinary_host_may_still_write_are_given_up),
		cmocka_unit_test(a_private_controller_has_private_pages),
		cmocka_unit_test(a_controller_without_that_promise_has_shared_ones),
		cmocka_unit_test(an_ide_disk_has_one_of_two_addresses),
		cmocka_unit_test(a_fibre_channel_adapter_has_names_and_smaller_transfers),
		cmocka_unit_test(threads_that_give_up_and_reset_and_rescind_lose_nothing),
		cmocka_unit_test(a_rescind_under_load_ends_everything_once),
		cmocka_unit_test(wishes_to_look_are_one_wish_and_a_second_apart),
		cmocka_unit_test(a_scan_that_runs_is_over_when_the_engine_has_stopped),
		cmocka_unit_test(a_wish_dies_with_the_engine),
		cmocka_unit_test(a_wish_from_before_ready_is_heard_and_acted_on_later),
		cmocka_unit_test(other_news_is_refused),
		cmocka_unit_test(a_disk_that_changed_is_tried_again_and_looked_at),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("scsi", tests, NULL, NULL);
}
