// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller in front of the disks: the steps of the handshake as the host sees them,
 * sub-channels, commands with their data fetched from and stored to the guest's pages, answers
 * of the size that the request asks for. Written after the catalogue of facts, sections 2 to 9.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "memory.h"

enum {
	COMPLETE_IO = 1, EXECUTE_SRB = 3, RESET_LUN = 4, RESET_ADAPTER = 5, RESET_BUS = 6,
	BEGIN_INITIALIZATION = 7, END_INITIALIZATION = 8, QUERY_PROTOCOL_VERSION = 9,
	QUERY_PROPERTIES = 10, CREATE_SUB_CHANNELS = 13,
};

enum { IN_BAND = 6, GPA_DIRECT = 9 };

enum { STEP_BEGIN, STEP_VERSION, STEP_PROPERTIES, STEP_END, STEP_READY };

#define STATUS_INVALID_PARAMETER	0xc000000d
#define STATUS_REVISION_MISMATCH	0xc0000059
#define STATUS_INVALID_DEVICE_STATE	0xc0000184

#define HEADER 12		/* of a storage packet */
#define LARGEST 64
#define SRB_SHORT 36
#define SRB_LONG 52
#define FRAME 4096
#define FLAG_PRIVATE_MEMORY 0x4	/* of an offer */

static uint64_t le(const uint8_t *p, unsigned int width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | p[width];
	return value;
}

static void put_le(uint8_t *p, uint64_t value, unsigned int width)
{
	for (; width--; value >>= 8)
		*p++ = (uint8_t)value;
}

/* The guest broke the protocol: this controller says nothing any more. */
static void fatal(struct target *t, const char *how)
{
	t->fatal = true;
	t->last_error = how;
}

/* ---- answers ---- */

/* Whatever else a hook has left in the payload leaves with it. */
static void fill_srb(const struct target_answer *a, uint8_t *p)
{
	p[HEADER + 2] = a->srb_status;
	p[HEADER + 3] = a->scsi_status;
	p[HEADER + 9] = a->sense_bytes;
	put_le(p + HEADER + 12, a->transferred, 4);
	memcpy(p + HEADER + 16, a->sense, sizeof(a->sense));
}

bool target_send(struct target *t, const struct target_answer *a)
{
	uint8_t p[LARGEST];

	(void)t;
	memcpy(p, a->payload, sizeof(p));
	put_le(p, a->operation, 4);
	put_le(p + 4, a->flags, 4);
	put_le(p + 8, a->status, 4);
	if (a->cdb)
		fill_srb(a, p);
	return host_complete(a->channel, a->transaction, p, a->payload_size);
}

static void append(struct target_waiting **list, struct target_waiting *w)
{
	while (*list)
		list = &(*list)->next;
	*list = w;
}

static void free_waiting(struct target_waiting *w)
{
	free(w->gfns);
	free(w);
}

static void finish(struct target *t, struct target_answer *a)
{
	if (t->answers && (!t->answer || t->answer(t, t->argument, a)))
		target_send(t, a);
}

/* An answer has room for what the request had, rounded up, and never for more than an SRB. */
static uint32_t answer_size(uint32_t request)
{
	uint32_t body = request - HEADER;

	if (body > SRB_LONG)
		body = SRB_LONG;
	return (HEADER + body + 7) & ~7u;
}

static void begin_answer(struct target_answer *a, struct host_channel *ch, const struct host_packet *p)
{
	memset(a, 0, sizeof(*a));
	a->operation = COMPLETE_IO;
	a->transaction = p->transaction;
	a->channel = ch;
	a->payload_size = answer_size(p->payload_size);
	a->request_operation = (uint32_t)le(p->payload, 4);
}

/* ---- the handshake ---- */

static bool knows_version(const struct target *t, uint16_t version)
{
	uint32_t i;

	for (i = 0; i < t->version_count; i++) {
		if (t->versions[i] == version)
			return true;
	}
	return false;
}

static bool query_version(struct target *t, struct target_answer *a, const struct host_packet *p)
{
	uint16_t version;

	if (p->payload_size < HEADER + 4) {
		fatal(t, "a version query without a version");
		return false;
	}
	version = (uint16_t)le(p->payload + HEADER, 2);
	put_le(a->payload + HEADER, version, 2);
	if (!knows_version(t, version)) {
		a->status = STATUS_REVISION_MISMATCH;
		return true;
	}
	t->version = version;
	t->step = STEP_PROPERTIES;
	return true;
}

static void query_properties(struct target *t, struct target_answer *a)
{
	put_le(a->payload + HEADER + 4, t->max_subchannels, 2);
	put_le(a->payload + HEADER + 8, t->multi_channel, 4);
	put_le(a->payload + HEADER + 12, t->max_transfer, 4);
	t->step = STEP_END;
}

/* Once accepted, and the answer is on its way, the channels are offered. */
static bool create_subchannels(struct target *t, struct target_answer *a, const struct host_packet *p)
{
	uint16_t count;

	if (p->payload_size < HEADER + 2) {
		fatal(t, "a wish for sub-channels without a number");
		return false;
	}
	count = (uint16_t)le(p->payload + HEADER, 2);
	if (t->version < 0x0501 || t->subchannels || a->channel->index)
		a->status = STATUS_INVALID_DEVICE_STATE;
	else if (!count || count > t->max_subchannels)
		a->status = STATUS_INVALID_PARAMETER;
	else
		t->subchannels = count;
	return true;
}

static bool is_step(const struct target *t, uint32_t operation)
{
	static const uint32_t next[] = {
		BEGIN_INITIALIZATION, QUERY_PROTOCOL_VERSION, QUERY_PROPERTIES, END_INITIALIZATION,
	};

	if (operation == CREATE_SUB_CHANNELS)
		return t->step >= STEP_END;
	return t->step < STEP_READY && operation == next[t->step];
}

static void step(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	uint16_t before = t->subchannels, index;
	struct target_answer a;
	bool goes_on = true;

	begin_answer(&a, ch, p);
	if (!is_step(t, a.request_operation))
		a.status = STATUS_INVALID_DEVICE_STATE;
	else if (a.request_operation == BEGIN_INITIALIZATION)
		t->step = STEP_VERSION;
	else if (a.request_operation == QUERY_PROTOCOL_VERSION)
		goes_on = query_version(t, &a, p);
	else if (a.request_operation == QUERY_PROPERTIES)
		query_properties(t, &a);
	else if (a.request_operation == END_INITIALIZATION)
		t->step = STEP_READY;
	else
		goes_on = create_subchannels(t, &a, p);
	if (!goes_on)
		return;
	finish(t, &a);
	for (index = 1; !before && t->answers && index <= t->subchannels; index++)
		host_offer(ch->host, &t->device, index);
}

/* ---- commands ---- */

/* The header's status follows from the SRB's. */
static uint32_t nt_status(uint8_t srb_status)
{
	switch (srb_status & 0x3f) {
	case SRB_SUCCESS:
		return 0;
	case SRB_DATA_OVERRUN:
		return 0x80000005;
	case SRB_INVALID_LUN:
		return 0xc00000c0;
	}
	return 0xc0000185;
}

/* The one range of the packet holds what the command moves. */
static bool range_holds(struct target *t, const struct host_packet *p, uint32_t bytes)
{
	if (p->type != GPA_DIRECT) {
		if (bytes)
			fatal(t, "data without a range");
		return !bytes;
	}
	if (p->range_count != 1 || !p->byte_count || p->byte_offset >= FRAME)
		fatal(t, "a range that is none");
	else if (bytes > p->byte_count)
		fatal(t, "a command larger than its range");
	else if (((uint64_t)p->byte_offset + p->byte_count + FRAME - 1) / FRAME > p->gfn_count)
		fatal(t, "a range without all of its pages");
	return !t->fatal;
}

static void answer_command(struct target *t, struct target_answer *a, const struct disk_command *c)
{
	a->srb_status = c->srb_status;
	a->scsi_status = c->scsi_status;
	a->status = nt_status(c->srb_status);
	a->transferred = c->moved;
	a->sense_bytes = sizeof(a->sense);
	if (c->srb_status & SRB_AUTOSENSE)
		memcpy(a->sense, c->sense, SENSE_BYTES);
	finish(t, a);
}

static void refuse(struct target *t, struct target_answer *a)
{
	struct disk_command c = { .srb_status = SRB_INVALID_REQUEST };

	answer_command(t, a, &c);
}

/* Private pages, which a paravisor reaches, and which were promised to this device's guest. */
static bool is_private(const struct host_channel *ch)
{
	return ch->device->flags & FLAG_PRIVATE_MEMORY && ch->host && ch->host->trusted;
}

static void move_private(const struct host_packet *p, uint8_t *data, uint32_t size, bool to_guest)
{
	uint32_t offset = p->byte_offset, part;
	uint8_t *page;

	for (; size; size -= part, data += part, offset += part) {
		part = FRAME - offset % FRAME;
		part = part < size ? part : size;
		page = sim_paravisor_memory(p->gfns[offset / FRAME], offset % FRAME, part);
		memcpy(to_guest ? page : data, to_guest ? data : page, part);
	}
}

static void move(const struct host_channel *ch, const struct host_packet *p, uint8_t *data, uint32_t size,
		 bool to_guest)
{
	if (is_private(ch))
		move_private(p, data, size, to_guest);
	else if (to_guest)
		host_write_range(p->gfns, p->byte_offset, data, size);
	else
		host_read_range(p->gfns, p->byte_offset, data, size);
}

static void run_command(struct target *t, struct target_answer *a, const struct host_packet *p,
			struct disk_command *c)
{
	c->data = calloc(1, c->room ? c->room : 1);
	if (!c->data)
		abort();
	if (!c->in && c->room)
		move(a->channel, p, c->data, c->room, false);
	disk_execute(t, c);
	if (c->in && c->moved)
		move(a->channel, p, c->data, c->moved, true);
	free(c->data);
	answer_command(t, a, c);
}

static void execute(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	uint32_t srb = t->version < 0x0501 ? SRB_SHORT : SRB_LONG;
	const uint8_t *s = p->payload + HEADER;
	struct disk_command c = { 0 };
	struct target_answer a;
	uint8_t cdb[16];

	if (p->payload_size < HEADER + srb) {
		fatal(t, "a short command");
		return;
	}
	c.path = s[5];
	c.target = s[6];
	c.lun = s[7];
	c.in = s[10] != 0;
	c.room = (uint32_t)le(s + 12, 4);
	c.cdb = memcpy(cdb, s + 16, sizeof(cdb));
	memset(cdb + (s[8] < 16 ? s[8] : 16), 0, s[8] < 16 ? 16 - s[8] : 0);
	if (!range_holds(t, p, c.room))
		return;
	begin_answer(&a, ch, p);
	a.cdb = cdb;
	a.asked = c.room;
	a.lun = c.lun;
	put_le(a.payload + HEADER, srb, 2);
	a.payload[HEADER + 8] = sizeof(cdb);
	t->commands++;
	if (c.room > t->max_transfer)
		refuse(t, &a);
	else
		run_command(t, &a, p, &c);
}

static void reset(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	struct target_answer a;

	begin_answer(&a, ch, p);
	t->resets++;
	finish(t, &a);
}

/* ---- packets ---- */

static void dispatch(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	uint32_t operation = (uint32_t)le(p->payload, 4);

	switch (operation) {
	case EXECUTE_SRB:
	case RESET_LUN:
	case RESET_ADAPTER:
	case RESET_BUS:
		if (t->step != STEP_READY)
			step(t, ch, p);		/* which refuses it */
		else if (operation == EXECUTE_SRB)
			execute(t, ch, p);
		else
			reset(t, ch, p);
		break;
	case BEGIN_INITIALIZATION:
	case END_INITIALIZATION:
	case QUERY_PROTOCOL_VERSION:
	case QUERY_PROPERTIES:
	case CREATE_SUB_CHANNELS:
		step(t, ch, p);
		break;
	default:
		fatal(t, "an unknown operation");
	}
}

/* Sub-channels are not heard before the controller is ready. */
static void keep(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	struct target_waiting *w = calloc(1, sizeof(*w) + p->size);
	size_t gfns = p->gfn_count * sizeof(*p->gfns);

	if (!w)
		abort();
	w->channel = ch;
	w->packet = *p;
	memcpy(w->bytes, p->bytes, p->size);
	w->packet.bytes = w->bytes;
	w->packet.payload = w->bytes + (p->payload - p->bytes);
	if (gfns) {
		w->gfns = malloc(gfns);
		if (!w->gfns)
			abort();
		memcpy(w->gfns, p->gfns, gfns);
		w->packet.gfns = w->gfns;
	}
	append(&t->early, w);
}

static void hear(struct target *t, struct host_channel *ch, const struct host_packet *p)
{
	if (t->command && !t->command(t, t->argument, ch, p))
		return;
	if (p->type != IN_BAND && p->type != GPA_DIRECT)
		fatal(t, "a packet of a kind that asks for nothing");
	else if (!(p->flags & 1))
		fatal(t, "a request without the wish for an answer");
	else if (p->payload_size < HEADER)
		fatal(t, "a short packet");
	else
		dispatch(t, ch, p);
}

static void packet(struct host_channel *ch, const struct host_packet *p)
{
	struct target *t = ch->device->state;
	struct target_waiting *w;

	if (t->fatal)
		return;
	if (ch->index && t->step != STEP_READY) {
		keep(t, ch, p);
		return;
	}
	hear(t, ch, p);
	while (!t->fatal && t->step == STEP_READY && (w = t->early)) {
		t->early = w->next;
		hear(t, w->channel, &w->packet);
		free_waiting(w);
	}
}

static void drop_waiting(struct target_waiting **list, const struct host_channel *ch)
{
	struct target_waiting *w;

	while ((w = *list)) {
		if (ch && w->channel != ch) {
			list = &w->next;
			continue;
		}
		*list = w->next;
		free_waiting(w);
	}
}

static void begin_anew(struct target *t)
{
	t->step = STEP_BEGIN;
	t->version = 0;
	t->subchannels = 0;
	t->fatal = false;
	t->last_error = NULL;
}

static void opened(struct host_channel *ch)
{
	if (!ch->index)
		begin_anew(ch->device->state);
}

static void closed(struct host_channel *ch)
{
	struct target *t = ch->device->state;

	drop_waiting(&t->early, ch);
	if (!ch->index)
		begin_anew(t);
}

bool target_news(struct target *t, struct host_channel *ch, uint32_t operation)
{
	uint32_t size = t->version && t->version < 0x0501 ? 48 : LARGEST;
	uint8_t payload[LARGEST] = { 0 };
	struct host_packet p = { .type = IN_BAND, .bytes = payload, .size = size };

	p.offset8 = 2;
	p.length8 = (uint16_t)(2 + size / 8);
	put_le(payload, operation, 4);
	return host_send(ch, &p);
}

/* ---- setting up ---- */

/* A GUID of its own for each name. */
static void name_instance(struct target *t, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;
	unsigned int i;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	for (i = 0; i < 16; i++) {
		t->device.instance[i] = (uint8_t)(hash >> 56);
		hash = (hash ^ i) * 0x100000001b3;
	}
}

void target_init(struct target *t, const char *name)
{
	static const uint8_t scsi[16] = {
		0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d,
		0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f,
	};
	static const uint16_t versions[] = { 0x0200, 0x0402, 0x0501, 0x0600 };

	memset(t, 0, sizeof(*t));
	t->device.name = name;
	memcpy(t->device.class, scsi, sizeof(scsi));
	name_instance(t, name);
	t->device.opened = opened;
	t->device.closed = closed;
	t->device.packet = packet;
	t->device.state = t;
	memcpy(t->versions, versions, sizeof(versions));
	t->version_count = sizeof(versions) / sizeof(*versions);
	t->max_transfer = 0x40000;
	t->max_subchannels = 4;
	t->multi_channel = true;
	t->answers = true;
}

static struct target_lun *new_lun(struct target *t, unsigned int lun, uint64_t blocks, uint32_t block_bytes)
{
	struct target_lun *l = &t->luns[lun];
	char serial[17];

	memset(l, 0, sizeof(*l));
	l->present = true;
	l->blocks = blocks;
	l->block_bytes = block_bytes;
	l->file = -1;
	snprintf(serial, sizeof(serial), "%02x%02x%02x%02x-%07u", t->device.instance[0],
		 t->device.instance[1], t->device.instance[2], t->device.instance[3], lun % 10000000);
	memcpy(l->serial, serial, sizeof(l->serial));
	return l;
}

void target_add_disk(struct target *t, unsigned int lun, uint64_t blocks, uint32_t block_bytes)
{
	struct target_lun *l = new_lun(t, lun, blocks, block_bytes);

	l->memory = calloc(blocks, block_bytes);
	if (!l->memory)
		abort();
}

int target_add_opened(struct target *t, unsigned int lun, int file, uint32_t block_bytes)
{
	struct target_lun *l;
	struct stat s;

	if (fstat(file, &s) || s.st_size < (off_t)block_bytes)
		return -EINVAL;
	l = new_lun(t, lun, (uint64_t)s.st_size / block_bytes, block_bytes);
	l->file = file;
	return 0;
}

int target_add_file(struct target *t, unsigned int lun, const char *path, uint32_t block_bytes)
{
	int file = open(path, O_RDWR | O_CLOEXEC), error;

	if (file < 0)
		return -errno;
	error = target_add_opened(t, lun, file, block_bytes);
	if (error)
		close(file);
	return error;
}

void target_destroy(struct target *t)
{
	unsigned int i;

	drop_waiting(&t->early, NULL);
	for (i = 0; i < TARGET_LUNS; i++) {
		if (!t->luns[i].block_bytes)	/* never was one; what is absent now may have been */
			continue;
		free(t->luns[i].memory);
		if (t->luns[i].file >= 0)
			close(t->luns[i].file);
		memset(&t->luns[i], 0, sizeof(t->luns[i]));
	}
}
