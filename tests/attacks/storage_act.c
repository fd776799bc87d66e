// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tools of the attacks on storage. Every lie is laid in a ring whose bytes are watched,
 * so that it counts only once the guest has fetched it.
 */
#include <string.h>

#include <linux/workqueue.h>

#include "memory.h"
#include "shim.h"
#include "storage_act.h"

#define WATCHES 128
#define COMPLETION 11
#define IN_BAND 6
#define DESCRIPTOR 16

/* ---- fetches ---- */

void (*act_on_fetch)(const struct host_place *place, u32 size);
void (*act_on_data_fetch)(const u8 *at, u32 size);
void (*act_on_command)(struct host_channel *ch, const struct host_packet *p);

static struct watch watches[WATCHES];
static u32 watch_count;

struct watch *watch_ring(struct host_channel *ch, enum host_area area, u32 from, u32 size, const char *what)
{
	struct watch *w = &watches[watch_count++ % WATCHES];

	*w = (struct watch){ .channel = ch, .area = area, .from = from, .size = size, .what = what };
	return w;
}

static bool covers(const struct watch *w, const struct host_place *place, u32 size)
{
	return w->what && place->area == w->area && place->relid == w->channel->relid &&
	       place->offset < w->from + w->size && w->from < place->offset + size;
}

/* Everything of it was fetched: now it can be changed. */
static void change(struct watch *w)
{
	void (*then)(struct watch *w) = w->then;

	if (!then || w->bytes < w->size)
		return;
	w->then = NULL;
	then(w);
}

static void note_fetch(const struct host_place *place, u32 size)
{
	u32 i;

	for (i = 0; i < WATCHES; i++) {
		struct watch *w = &watches[i];

		if (!covers(w, place, size)) {
			change(w);
			continue;
		}
		if (!w->bytes)
			strike("fetched %s", w->what);
		w->bytes += size;
	}
}

static void fetching(struct host *h, void *argument, const void *at, u32 size)
{
	struct host_place place;

	(void)argument;
	if (!h->locate(h, at, &place)) {
		if (act_on_data_fetch)
			act_on_data_fetch(sim_host_address(at), size);
		return;
	}
	note_fetch(&place, size);
	if (act_on_fetch)
		act_on_fetch(&place, size);
}

/* ---- lies ---- */

struct held held[HELD_MAX];
u32 held_count, lies_told;

static struct {
	u32 operation;
	int command;
	u32 times;
	twist twist;
	const char *what;
} lie;

void lie_about(u32 operation, int command, u32 times, twist twist, const char *what)
{
	lie.operation = operation;
	lie.command = command;
	lie.times = times;
	lie.twist = twist;
	lie.what = what;
	lies_told = 0;
}

void lie_no_more(void)
{
	lie.twist = NULL;
}

static void hold(const struct target_answer *a)
{
	struct held *h = &held[held_count % HELD_MAX];

	held_count++;
	h->answer = *a;
	if (!a->cdb)
		return;
	memcpy(h->cdb, a->cdb, sizeof(h->cdb));
	h->answer.cdb = h->cdb;
}

bool withhold(struct target_answer *a)
{
	hold(a);
	return false;
}

void tell(struct target_answer *a, const char *what)
{
	if (what)
		watch_ring(a->channel, HOST_OUT_DATA, a->channel->out_write, DESCRIPTOR + a->payload_size, what);
	expect(target_send(&scene->target, a));
}

void release_held(void)
{
	u32 i, count = held_count;

	held_count = 0;
	for (i = 0; i < count && i < HELD_MAX; i++)
		tell(&held[i].answer, NULL);
}

static bool is_meant(const struct target_answer *a)
{
	if (!lie.twist || (lie.times && lies_told == lie.times))
		return false;
	if (lie.operation && lie.operation != a->request_operation)
		return false;
	return lie.command == ANY_COMMAND || (a->cdb && a->cdb[0] == lie.command);
}

static bool answering(struct target *t, void *argument, struct target_answer *a)
{
	(void)t;
	(void)argument;
	if (!is_meant(a))
		return true;
	lies_told++;
	if (!lie.twist(a))
		return false;
	tell(a, lie.what);
	return false;
}

u64 last_gfns[64];
u32 last_gfn_count, last_range_offset, last_bytes, last_packet_at, last_packet_size;
u64 last_id;

static bool commanded(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p)
{
	u32 total = p->size + 8;

	(void)t;
	(void)argument;
	last_gfn_count = p->gfn_count < 64 ? p->gfn_count : 64;
	if (last_gfn_count)
		memcpy(last_gfns, p->gfns, last_gfn_count * sizeof(*p->gfns));
	last_range_offset = p->byte_offset;
	last_bytes = p->byte_count;
	last_id = p->transaction;
	last_packet_size = p->size;
	last_packet_at = (ch->in_read + ch->in_size - total) % ch->in_size;
	if (act_on_command)
		act_on_command(ch, p);
	return true;
}

/* ---- packets ---- */

u8 packet_payload[256];
static struct host_packet packet;
static struct host_channel *packet_channel;

struct host_packet *make_packet(struct host_channel *ch, u16 type, u64 transaction, u32 operation, u32 size)
{
	memset(packet_payload, 0, sizeof(packet_payload));
	packet_payload[0] = operation;
	packet_payload[1] = operation >> 8;
	packet = (struct host_packet){
		.type = type, .offset8 = 2, .length8 = 2 + (size + 7) / 8, .transaction = transaction,
		.bytes = packet_payload, .size = size, .raw = true,
	};
	packet_channel = ch;
	return &packet;
}

void send_packet(struct host_packet *p, const char *what)
{
	watch_ring(packet_channel, HOST_OUT_DATA, packet_channel->out_write, DESCRIPTOR + p->size, what);
	expect(host_send(packet_channel, p));
}

void send_news(struct host_channel *ch, u32 operation, u64 transaction, const char *what)
{
	send_packet(make_packet(ch, IN_BAND, transaction, operation, 64), what);
}

void send_completion(struct host_channel *ch, u64 id, u32 operation, u32 size, const char *what)
{
	send_packet(make_packet(ch, COMPLETION, id, operation, size), what);
	scene_run(20);
}

/* ---- scenes ---- */

static void install(void)
{
	u32 i;

	memset(watches, 0, sizeof(watches));
	watch_count = held_count = lies_told = 0;
	lie_no_more();
	act_on_fetch = NULL;
	act_on_data_fetch = NULL;
	act_on_command = NULL;
	scene->host->hooks.fetching = fetching;
	scene->target.answer = answering;
	scene->target.command = commanded;
	for (i = 0; i < 4096 * BLOCK; i++)
		scene->target.luns[0].memory[i] = (u8)(i * 7 + i / BLOCK);
}

void act_prepare_as(unsigned int kind)
{
	scene_prepare(SCENE_ECHO | SCENE_DISK | kind);
	install();
}

void act_prepare(void)
{
	act_prepare_as(0);
}

void act_connect(void)
{
	expect(!scene_connect());
	scene_run(100);
}

void act_start(void)
{
	act_prepare();
	act_connect();
	expect(scene->engine_started);
}

void act_lenient(void)
{
	u32 i;

	for (i = 0; i < POLICY_OFFENCES; i++)
		scene->policy.answers[i] = POLICY_DROP;
	scene->policy.strikes = 0;
}

struct airlock_channel *disk_channel(void)
{
	expect(scene->disk_device);
	return scene->disk_device->primary;
}

/* Each scene has its own act. */
static void act_end(u32 leaks)
{
	expect(scene_strikes());
	scene_end(leaks);
}

static void act_no_more(void)
{
	lie_no_more();
	act_on_fetch = NULL;
	act_on_data_fetch = NULL;
	act_on_command = NULL;
	scene_run(10);
}

void act_works(void)
{
	act_no_more();
	scene_works();
	act_end(0);
}

void act_put_away(void)
{
	act_no_more();
	scene_quarantined(disk_channel());
	expect(!scene_disk());
	act_gone(0);
}

void act_gone(u32 leaks)
{
	act_no_more();
	expect(scene_echo());
	act_end(leaks);
}

void act_refused(void)
{
	expect(!scene->engine_started);
	expect(scene->disk_result < 0);
	evidence("probe failed with %d", scene->disk_result);
	act_gone(0);
}

u32 act_grow(u32 wanted)
{
	int granted = scsi_grow(&scene->engine, wanted);

	scene_run(100);
	return granted < 0 ? 0 : (u32)granted;
}

struct host_channel *host_subchannel(u16 index)
{
	u32 i;

	for (i = 1; i < HOST_CHANNELS; i++) {
		struct host_channel *ch = &scene->host->channels[i];

		if (ch->device == &scene->target.device && ch->index == index && ch->state == HOST_OPENED)
			return ch;
	}
	return NULL;
}

static struct delayed_work later;
static void (*later_act)(void);

static void later_work(struct work_struct *work)
{
	(void)work;
	later_act();
}

void act_later(u32 ms, void (*act)(void))
{
	later_act = act;
	INIT_DELAYED_WORK(&later, later_work);
	schedule_delayed_work(&later, msecs_to_jiffies(ms));
}

/* ---- commands ---- */

static void io_done(struct scsi_command *command)
{
	command->glue = command;
}

int io_queue(struct io *io, struct scsi_engine *engine, u32 cpu, const u8 *cdb, u32 cdb_bytes, u8 direction,
	     u32 size)
{
	struct scsi_command *c = &io->command;

	expect(size <= sizeof(io->bytes));
	memset(c, 0, sizeof(*c));
	memcpy(c->cdb, cdb, cdb_bytes);
	c->cdb_bytes = cdb_bytes;
	c->direction = direction;
	io->data = (struct kvec){ io->bytes, size };
	c->data = &io->data;
	c->pieces = 1;
	c->bytes = size;
	c->tagged = true;
	c->timeout = 60;
	c->done = io_done;
	return scsi_queue(engine, c, cpu);
}

static int io_start(struct io *io, const u8 *cdb, u32 cdb_bytes, u8 direction, u32 size)
{
	return io_queue(io, &scene->engine, 0, cdb, cdb_bytes, direction, size);
}

static int io_blocks(struct io *io, u8 opcode, u32 lba, u32 blocks, u8 direction)
{
	u8 cdb[10] = { opcode, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0, blocks >> 8, blocks, 0 };

	return io_start(io, cdb, sizeof(cdb), direction, blocks * BLOCK);
}

int io_read(struct io *io, u32 lba, u32 blocks)
{
	memset(io->bytes, 0x55, sizeof(io->bytes));
	return io_blocks(io, READ_10, lba, blocks, STORAGE_DATA_DIRECTION_READ);
}

int io_write(struct io *io, u32 lba, u32 blocks, u8 fill)
{
	memset(io->bytes, fill, sizeof(io->bytes));
	return io_blocks(io, WRITE_10, lba, blocks, STORAGE_DATA_DIRECTION_WRITE);
}

u64 live_read(struct io *io)
{
	held_count = 0;
	lie_about(0, READ_10, 0, withhold, NULL);
	expect(!io_read(io, 16, 8));
	scene_run(10);
	expect(held_count == 1 && !io->command.glue);
	lie_no_more();
	return held[0].answer.transaction;
}

void live_read_goes_on(struct io *io)
{
	expect(!io->command.glue);
	release_held();
	expect(io_wait(io) && io_is_good(io, 16));
}

bool io_failed(struct io *io)
{
	const struct scsi_command *c = &io->command;

	return io_wait(io) && c->verdict == SCSI_ERROR && !c->transferred && !c->sense_bytes &&
	       io_all(io, 0, io->data.iov_len, 0);
}

int io_plain(struct io *io, u8 opcode)
{
	u8 cdb[10] = { opcode };

	return io_start(io, cdb, opcode < 0x20 ? 6 : 10, STORAGE_DATA_DIRECTION_NONE, 0);
}

int io_get(struct io *io, const u8 *cdb, u32 cdb_bytes, u32 size)
{
	memset(io->bytes, 0x55, sizeof(io->bytes));
	return io_start(io, cdb, cdb_bytes, STORAGE_DATA_DIRECTION_READ, size);
}

bool io_wait(struct io *io)
{
	return scene_wait(&io->command, 5000);
}

bool io_is_good(const struct io *io, u32 lba)
{
	const struct scsi_command *c = &io->command;

	return c->glue && c->verdict == SCSI_DONE && !c->status && c->transferred == io->data.iov_len &&
	       !memcmp(io->bytes, scene->target.luns[0].memory + lba * BLOCK, io->data.iov_len);
}

void io_read_once(struct io *io)
{
	expect(!io_read(io, 16, 8));
	expect(io_wait(io));
}

bool io_all(const struct io *io, u32 from, u32 to, u8 value)
{
	while (from < to)
		if (io->bytes[from++] != value)
			return false;
	return true;
}
