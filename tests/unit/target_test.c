// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model host's SCSI controller, alone: packets of a guest are put together here byte by
 * byte, and what leaves it is caught at the door. Guest memory is an array of frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "target.h"

#define FRAME 4096
#define FRAMES 16
#define BLOCK 512
#define BLOCKS 256

static struct target target;
static struct host_channel primary, other;
static uint8_t frames[FRAMES][FRAME];

/* What left last, and how many did. */
static uint8_t left[64];
static uint32_t left_size, left_count, offers;
static uint64_t left_id;
static struct host_packet news;
static int something;

/* ---- the host around it ---- */

bool host_complete(struct host_channel *ch, uint64_t transaction, const void *payload, uint32_t size)
{
	(void)ch;
	assert_in_range(size, 12, sizeof(left));
	memset(left, 0xa5, sizeof(left));
	memcpy(left, payload, size);
	left_size = size;
	left_id = transaction;
	left_count++;
	return true;
}

bool host_send(struct host_channel *ch, const struct host_packet *p)
{
	(void)ch;
	news = *p;
	left_size = p->size;
	memcpy(left, p->bytes, p->size);
	return true;
}

struct host_channel *host_offer(struct host *h, struct host_device *device, uint16_t index)
{
	(void)h;
	assert_ptr_equal(device, &target.device);
	assert_int_equal(index, offers + 1);
	offers++;
	return &other;
}

static void copy(const uint64_t *gfns, uint32_t offset, uint8_t *host, uint32_t size, bool to_host)
{
	uint32_t i;

	for (i = 0; i < size; i++) {
		uint8_t *guest = &frames[gfns[(offset + i) / FRAME]][(offset + i) % FRAME];

		if (to_host)
			host[i] = *guest;
		else
			*guest = host[i];
	}
}

void host_read_range(const uint64_t *gfns, uint32_t offset, void *to, uint32_t size)
{
	copy(gfns, offset, to, size, true);
}

void host_write_range(const uint64_t *gfns, uint32_t offset, const void *from, uint32_t size)
{
	uint8_t bytes[FRAMES * FRAME];

	memcpy(bytes, from, size);
	copy(gfns, offset, bytes, size, false);
}

/* ---- the guest ---- */

static void le(uint8_t *p, uint64_t value, unsigned int width)
{
	for (; width--; value >>= 8)
		*p++ = (uint8_t)value;
}

static uint64_t get(const uint8_t *p, unsigned int width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | p[width];
	return value;
}

static uint64_t get_be(const uint8_t *p, unsigned int width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | *p++;
	return value;
}

/* A packet in memory of its own, so that a look behind it is seen. */
static void say(struct host_channel *ch, struct host_packet *p, const uint8_t *payload, uint32_t size)
{
	uint8_t *bytes = malloc(16 + size);

	assert_non_null(bytes);
	memset(bytes, 0, 16);
	memcpy(bytes + 16, payload, size);
	p->bytes = bytes;
	p->size = 16 + size;
	p->payload = bytes + 16;
	p->payload_size = size;
	left_count = 0;
	target.device.packet(ch, p);
	free(bytes);
}

static void ask(uint32_t operation, uint32_t argument, uint32_t size)
{
	struct host_packet p = { .type = 6, .flags = 1, .transaction = 0x1234567890ull + operation };
	uint8_t payload[72] = { 0 };

	le(payload, operation, 4);
	le(payload + 4, 1, 4);
	le(payload + 12, argument, 2);
	say(&primary, &p, payload, size);
}

/* An answer has come, and says so. */
static void assert_answered(uint32_t status)
{
	assert_int_equal(left_count, 1);
	assert_int_equal(get(left, 4), 1);
	assert_int_equal(get(left + 8, 4), status);
}

static uint64_t where[FRAMES];	/* frames of the next command */
static uint32_t offset;

static void command_on(struct host_channel *ch, uint8_t lun, const uint8_t *cdb, uint8_t cdb_bytes, uint8_t in,
		       uint32_t bytes)
{
	struct host_packet p = { .type = bytes ? 9 : 6, .flags = 1, .transaction = 77 };
	uint8_t payload[64] = { 3, 0, 0, 0, 1 };

	p.range_count = bytes ? 1 : 0;
	p.byte_count = bytes;
	p.byte_offset = offset;
	p.gfns = where;
	p.gfn_count = (offset + bytes + FRAME - 1) / FRAME;
	payload[12] = 52;
	payload[19] = lun;
	payload[20] = cdb_bytes;
	payload[21] = 20;
	payload[22] = in;
	le(payload + 24, bytes, 4);
	memcpy(payload + 28, cdb, cdb_bytes);
	say(ch, &p, payload, sizeof(payload));
}

static void command(const uint8_t *cdb, uint8_t cdb_bytes, uint8_t in, uint32_t bytes)
{
	command_on(&primary, 0, cdb, cdb_bytes, in, bytes);
}

static void assert_good(uint32_t moved)
{
	assert_answered(0);
	assert_int_equal(left_size, 64);
	assert_int_equal(left_id, 77);
	assert_int_equal(left[14], 1);
	assert_int_equal(left[15], 0);
	assert_int_equal(get(left + 24, 4), moved);
}

static void assert_sense(uint8_t srb, uint8_t key, uint8_t asc)
{
	assert_int_equal(left_count, 1);
	assert_int_not_equal(get(left + 8, 4), 0);
	assert_int_equal(left[14], srb);
	assert_int_equal(left[15], 2);
	assert_int_equal(left[21], 20);
	assert_int_equal(get(left + 24, 4), 0);
	assert_int_equal(left[28], 0x70);
	assert_int_equal(left[30], key);
	assert_int_equal(left[28 + 7], 10);
	assert_int_equal(left[28 + 12], asc);
}

static int begin(void **state)
{
	unsigned int i;

	(void)state;
	target_init(&target, "target");
	target_add_disk(&target, 0, BLOCKS, BLOCK);
	memset(frames, 0xee, sizeof(frames));
	for (i = 0; i < FRAMES; i++)
		where[i] = i;
	offset = offers = 0;
	primary = (struct host_channel){ .device = &target.device };
	other = (struct host_channel){ .device = &target.device, .index = 1 };
	target.device.opened(&primary);
	return 0;
}

static int ready(void **state)
{
	begin(state);
	ask(7, 0, 64);
	ask(9, 0x600, 64);
	ask(10, 0, 64);
	ask(8, 0, 64);
	assert_answered(0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	target_destroy(&target);
	return 0;
}

/* ---- the handshake ---- */

static void the_handshake_has_one_order(void **state)
{
	(void)state;
	ask(10, 0, 64);
	assert_answered(0xc0000184);
	ask(7, 0, 64);
	assert_answered(0);
	ask(7, 0, 64);
	assert_answered(0xc0000184);
	ask(9, 0x602, 64);
	assert_answered(0xc0000059);
	assert_int_equal(get(left + 12, 2), 0x602);
	ask(9, 0x600, 64);
	assert_answered(0);
	assert_int_equal(left_id, 0x1234567899ull);
	assert_int_equal(get(left + 12, 2), 0x600);
	ask(10, 0, 64);
	assert_answered(0);
	assert_int_equal(get(left + 16, 2), 4);
	assert_int_equal(get(left + 20, 4), 1);
	assert_int_equal(get(left + 24, 4), 0x40000);
	ask(3, 0, 64);
	assert_answered(0xc0000184);
	ask(8, 0, 64);
	assert_answered(0);
}

static void closing_starts_it_over(void **state)
{
	(void)state;
	target.device.closed(&primary);
	target.device.opened(&primary);
	ask(8, 0, 64);
	assert_answered(0xc0000184);
	ask(7, 0, 64);
	assert_answered(0);
}

static void answers_are_sized_by_what_was_asked(void **state)
{
	static const uint32_t sizes[][2] = { { 48, 48 }, { 50, 56 }, { 56, 56 }, { 64, 64 }, { 72, 64 } };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ask(10, 0, sizes[i][0]);
		assert_int_equal(left_size, sizes[i][1]);
	}
}

static void subchannels_are_offered_as_asked_for(void **state)
{
	(void)state;
	ask(13, 5, 64);
	assert_answered(0xc000000d);
	assert_int_equal(offers, 0);
	ask(13, 3, 64);
	assert_answered(0);
	assert_int_equal(offers, 3);
	ask(13, 1, 64);
	assert_answered(0xc0000184);
	assert_int_equal(offers, 3);
}

static void subchannels_come_before_the_end_too(void **state)
{
	(void)state;
	ask(7, 0, 64);
	ask(9, 0x600, 64);
	ask(13, 2, 64);
	assert_answered(0xc0000184);
	ask(10, 0, 64);
	ask(13, 2, 64);
	assert_answered(0);
	assert_int_equal(offers, 2);
	ask(8, 0, 64);
	assert_answered(0);
}

static void a_subchannel_waits_for_the_primary(void **state)
{
	static const uint8_t test_unit_ready[6];

	(void)state;
	command_on(&other, 0, test_unit_ready, 6, 2, 0);
	assert_int_equal(left_count, 0);
	ask(7, 0, 64);
	ask(9, 0x600, 64);
	ask(10, 0, 64);
	ask(8, 0, 64);
	assert_int_equal(left_count, 2);
	assert_int_equal(left_id, 77);
}

static void what_no_guest_says_silences_it(void **state)
{
	struct host_packet p = { .type = 6, .transaction = 1 };
	uint8_t payload[64] = { 7 };

	(void)state;
	say(&primary, &p, payload, sizeof(payload));	/* wants no answer */
	assert_true(target.fatal);
	ask(7, 0, 64);
	assert_int_equal(left_count, 0);
}

/* ---- disks ---- */

static void blocks_are_written_and_read(void **state)
{
	static const uint8_t write10[10] = { 0x2a, 0, 0, 0, 0, 8, 0, 0, 16, 0 };
	static const uint8_t read16[16] = { 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 16 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 16 * BLOCK; i++)
		frames[(i + 100) / FRAME][(i + 100) % FRAME] = (uint8_t)(i * 7);
	offset = 100;
	command(write10, 10, 0, 16 * BLOCK);
	assert_good(16 * BLOCK);
	for (i = 0; i < 16 * BLOCK; i++)
		assert_int_equal(target.luns[0].memory[8 * BLOCK + i], (uint8_t)(i * 7));
	offset = 300;
	where[0] = 5, where[1] = 4, where[2] = 9;
	command(read16, 16, 1, 16 * BLOCK);
	assert_good(16 * BLOCK);
	for (i = 0; i < 16 * BLOCK; i++)
		assert_int_equal(frames[where[(i + 300) / FRAME]][(i + 300) % FRAME], (uint8_t)(i * 7));
	assert_int_equal(frames[5][299], 0xee);
	assert_int_equal(frames[9][300], 0xee);
	assert_int_equal(target.reads, 1);
	assert_int_equal(target.writes, 1);
}

static void every_length_of_command_is_understood(void **state)
{
	static const uint8_t read6[6] = { 0x08, 0, 0, 3, 2, 0 };
	static const uint8_t read12[12] = { 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0 };
	static const uint8_t write6[6] = { 0x0a, 0, 0, 5, 1, 0 };
	static const uint8_t write12[12] = { 0xaa, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0 };
	static const uint8_t write16[16] = { 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1 };

	(void)state;
	memset(target.luns[0].memory + 3 * BLOCK, 0x33, 2 * BLOCK);
	command(read6, 6, 1, 2 * BLOCK);
	assert_good(2 * BLOCK);
	assert_int_equal(frames[0][2 * BLOCK - 1], 0x33);
	command(read12, 12, 1, 2 * BLOCK);
	assert_good(2 * BLOCK);
	command(write6, 6, 0, BLOCK);
	assert_good(BLOCK);
	command(write12, 12, 0, BLOCK);
	assert_good(BLOCK);
	command(write16, 16, 0, BLOCK);
	assert_good(BLOCK);
	assert_int_equal(target.luns[0].memory[8 * BLOCK - 1], 0x33);
	assert_int_equal(target.luns[0].memory[8 * BLOCK], 0);
}

static void blocks_beyond_the_end_are_refused(void **state)
{
	static const uint8_t last[10] = { 0x28, 0, 0, 0, 0, 255, 0, 0, 1, 0 };
	static const uint8_t beyond[10] = { 0x28, 0, 0, 0, 0, 255, 0, 0, 2, 0 };
	static const uint8_t far_off[16] = { 0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 2 };

	(void)state;
	command(last, 10, 1, BLOCK);
	assert_good(BLOCK);
	command(beyond, 10, 1, 2 * BLOCK);
	assert_sense(0x86, 5, 0x21);
	command(far_off, 16, 1, 2 * BLOCK);
	assert_sense(0x86, 5, 0x21);
}

static void more_blocks_than_room_are_an_overrun(void **state)
{
	static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 4, 0 };

	(void)state;
	command(read10, 10, 1, 3 * BLOCK);
	assert_sense(0x92, 5, 0x24);
	assert_int_equal(get(left + 8, 4), 0x80000005);
	assert_int_equal(frames[0][0], 0xee);
	command(read10, 10, 0, 4 * BLOCK);	/* and the wrong way */
	assert_sense(0x92, 5, 0x24);
}

static void a_write_protected_disk_is_not_written(void **state)
{
	static const uint8_t write10[10] = { 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0 };
	static const uint8_t mode_sense[6] = { 0x1a, 0, 0x3f, 0, 255, 0 };

	(void)state;
	target.luns[0].read_only = true;
	command(write10, 10, 0, BLOCK);
	assert_sense(0x84, 7, 0x27);
	assert_int_equal(target.luns[0].memory[0], 0);
	command(mode_sense, 6, 1, 255);
	assert_good(4 + 20 + 12);
	assert_int_equal(frames[0][2] & 0x80, 0x80);
}

static void what_changed_is_said_once(void **state)
{
	static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };

	(void)state;
	target.luns[0].sense_key = 6;
	target.luns[0].asc = 0x2a;
	target.luns[0].ascq = 9;
	command(inquiry, 6, 1, 36);
	assert_good(36);
	command(read10, 10, 1, BLOCK);
	assert_sense(0x84, 6, 0x2a);
	assert_int_equal(left[28 + 13], 9);
	command(read10, 10, 1, BLOCK);
	assert_good(BLOCK);
}

static void unmapped_blocks_are_zero(void **state)
{
	static const uint8_t unmap[10] = { 0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0 };

	(void)state;
	memset(target.luns[0].memory, 0x11, BLOCKS * BLOCK);
	memset(frames[0], 0, 40);
	frames[0][1] = 38, frames[0][3] = 32;
	frames[0][15] = 3, frames[0][19] = 2;	/* blocks 3, 4 */
	frames[0][31] = 250, frames[0][35] = 6;
	command(unmap, 10, 0, 40);
	assert_good(40);
	assert_int_equal(target.luns[0].memory[3 * BLOCK - 1], 0x11);
	assert_int_equal(target.luns[0].memory[3 * BLOCK], 0);
	assert_int_equal(target.luns[0].memory[5 * BLOCK - 1], 0);
	assert_int_equal(target.luns[0].memory[5 * BLOCK], 0x11);
	assert_int_equal(target.luns[0].memory[BLOCKS * BLOCK - 1], 0);
	frames[0][35] = 7;
	command(unmap, 10, 0, 40);
	assert_sense(0x86, 5, 0x21);
	frames[0][3] = 48;			/* more than was sent */
	command(unmap, 10, 0, 40);
	assert_sense(0x86, 5, 0x26);
}

static void one_block_is_written_to_many_places(void **state)
{
	static const uint8_t same10[10] = { 0x41, 0, 0, 0, 0, 10, 0, 0, 3, 0 };
	static const uint8_t zero16[16] = { 0x93, 9, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 1 };

	(void)state;
	memset(frames[0], 0x77, BLOCK);
	command(same10, 10, 0, BLOCK);
	assert_good(BLOCK);
	assert_int_equal(target.luns[0].memory[10 * BLOCK - 1], 0);
	assert_int_equal(target.luns[0].memory[10 * BLOCK], 0x77);
	assert_int_equal(target.luns[0].memory[13 * BLOCK - 1], 0x77);
	assert_int_equal(target.luns[0].memory[13 * BLOCK], 0);
	command(zero16, 16, 2, 0);
	assert_good(0);
	assert_int_equal(target.luns[0].memory[11 * BLOCK], 0);
	assert_int_equal(target.luns[0].memory[12 * BLOCK], 0x77);
}

static void capacity_is_told_in_both_sizes(void **state)
{
	static const uint8_t small[10] = { 0x25 }, large[16] = { 0x9e, 0x10, [13] = 32 };

	(void)state;
	command(small, 10, 1, 8);
	assert_good(8);
	assert_int_equal(get_be(frames[0], 4), BLOCKS - 1);
	assert_int_equal(get_be(frames[0] + 4, 4), BLOCK);
	command(large, 16, 1, 32);
	assert_good(32);
	assert_int_equal(get_be(frames[0], 8), BLOCKS - 1);
	assert_int_equal(get_be(frames[0] + 8, 4), BLOCK);
}

static void identity_is_told_page_by_page(void **state)
{
	static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
	static const uint32_t sizes[] = { 4 + 6, 4 + 16, 4 + 48, 4 + 60, 4 + 60, 4 + 4 };
	uint8_t inquiry[6] = { 0x12, 0, 0, 0, 255, 0 };
	unsigned int i;

	(void)state;
	command(inquiry, 6, 1, 255);
	assert_good(36);
	assert_memory_equal(frames[0] + 8, "Msft    Virtual Disk    1.0 ", 28);
	inquiry[1] = 1;
	for (i = 0; i < sizeof(pages); i++) {
		inquiry[2] = pages[i];
		command(inquiry, 6, 1, 255);
		assert_good(sizes[i]);
		assert_int_equal(frames[0][1], pages[i]);
		assert_int_equal(get_be(frames[0] + 2, 2), sizes[i] - 4);
	}
	inquiry[2] = 0xb3;
	command(inquiry, 6, 1, 255);
	assert_sense(0x86, 5, 0x24);
	inquiry[1] = inquiry[2] = 0;
	inquiry[4] = 5;
	memset(frames[0], 0xee, FRAME);
	command(inquiry, 6, 1, 255);
	assert_good(5);
	assert_int_equal(frames[0][5], 0xee);
}

static void luns_are_listed(void **state)
{
	static const uint8_t report[12] = { 0xa0, [8] = 1 };
	static const uint8_t zeros[6];

	(void)state;
	target_add_disk(&target, 3, 16, 4096);
	command(report, 12, 1, 256);
	assert_good(24);
	assert_int_equal(get_be(frames[0], 4), 16);
	assert_int_equal(get_be(frames[0] + 8, 2), 0);
	assert_int_equal(get_be(frames[0] + 16, 2), 3);
	assert_memory_equal(frames[0] + 18, zeros, 6);
	command(report, 12, 1, 12);
	assert_good(12);
	command(report, 12, 1, 7);
	assert_good(0);
}

static void a_lun_that_is_not_there_says_so(void **state)
{
	static const uint8_t test_unit_ready[6], inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };

	(void)state;
	command_on(&primary, 2, test_unit_ready, 6, 2, 0);
	assert_answered(0xc00000c0);
	assert_int_equal(left[14], 0x20);
	assert_int_equal(left[15], 2);
	command_on(&primary, 2, inquiry, 6, 1, 36);
	assert_good(36);
	assert_int_equal(frames[0][0], 0x7f);
	assert_int_equal(frames[0][8], 0);
	command_on(&primary, 2, inquiry, 6, 1, 35);	/* no room for what it allows */
	assert_int_equal(left[14], 0x20);
}

static void small_commands_are_answered(void **state)
{
	static const uint8_t test_unit_ready[6], start[6] = { 0x1b, 0, 0, 0, 1, 0 }, flush[10] = { 0x35 };
	static const uint8_t flush16[16] = { 0x91 }, sense[6] = { 0x03, 0, 0, 0, 18, 0 };
	static const uint8_t mode10[10] = { 0x5a, 0, 0x08, 0, 0, 0, 0, 0, 255, 0 }, unknown[6] = { 0x1f };

	(void)state;
	command(test_unit_ready, 6, 2, 0);
	assert_good(0);
	command(start, 6, 2, 0);
	assert_good(0);
	command(flush, 10, 2, 0);
	assert_good(0);
	command(flush16, 16, 2, 0);
	assert_good(0);
	command(sense, 6, 1, 18);
	assert_good(18);
	assert_int_equal(frames[0][0], 0x70);
	command(mode10, 10, 1, 255);
	assert_good(28);
	assert_int_equal(frames[0][8], 0x08);
	assert_int_equal(frames[0][10], 4);
	command(unknown, 6, 2, 0);
	assert_sense(0x86, 5, 0x20);
}

static void a_command_larger_than_agreed_is_refused(void **state)
{
	static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 16, 0 };

	(void)state;
	target.max_transfer = FRAME;
	command(read10, 10, 1, 16 * BLOCK);
	assert_answered(0xc0000185);
	assert_int_equal(left[14], 0x06);
	assert_int_equal(frames[0][0], 0xee);
}

static void a_file_is_a_disk_too(void **state)
{
	static const uint8_t write10[10] = { 0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0 };
	static const uint8_t read10[10] = { 0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0 };
	char path[] = "/tmp/target-test-XXXXXX";
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, 8 * BLOCK), 0);
	close(file);
	assert_int_equal(target_add_file(&target, 1, path, BLOCK), 0);
	assert_true(target_add_file(&target, 2, "/nowhere", BLOCK) < 0);
	unlink(path);
	assert_int_equal(target.luns[1].blocks, 8);
	memset(frames[0], 0x66, BLOCK);
	command_on(&primary, 1, write10, 10, 0, BLOCK);
	assert_good(BLOCK);
	memset(frames[0], 0, BLOCK);
	command_on(&primary, 1, read10, 10, 1, BLOCK);
	assert_good(BLOCK);
	assert_int_equal(frames[0][BLOCK - 1], 0x66);
}

/* ---- the rest ---- */

static void resets_are_answered_and_counted(void **state)
{
	uint32_t operation;

	(void)state;
	for (operation = 4; operation <= 6; operation++) {
		ask(operation, 0, 64);
		assert_answered(0);
	}
	assert_int_equal(target.resets, 3);
}

static void news_comes_unasked(void **state)
{
	(void)state;
	assert_true(target_news(&target, &primary, 11));
	assert_int_equal(news.type, 6);
	assert_int_equal(news.flags, 0);
	assert_true(news.transaction == 0);
	assert_int_equal(left_size, 64);
	assert_int_equal(get(left, 4), 11);
}

static void old_versions_speak_in_48_bytes(void **state)
{
	struct host_packet p = { .type = 6, .flags = 1, .transaction = 77 };
	uint8_t payload[48] = { 3, 0, 0, 0, 1, [12] = 36, [20] = 6, [21] = 18, [22] = 2 };

	(void)state;
	ask(7, 0, 64);
	ask(9, 0x402, 48);
	assert_answered(0);
	ask(10, 0, 48);
	ask(13, 1, 48);
	assert_answered(0xc0000184);
	ask(8, 0, 48);
	say(&primary, &p, payload, sizeof(payload));
	assert_answered(0);
	assert_int_equal(left_size, 48);
	assert_int_equal(left[12], 36);
	target_news(&target, &primary, 11);
	assert_int_equal(left_size, 48);
}

static bool lie(struct target *t, void *argument, struct target_answer *a)
{
	assert_ptr_equal(t, &target);
	assert_ptr_equal(argument, &something);
	if (!a->cdb || a->cdb[0] == 0)
		return false;
	assert_int_equal(a->asked, BLOCK);
	a->transferred = 0x12345;
	a->srb_status = 0x44;
	a->transaction = 99;
	return true;
}

static void a_hook_changes_or_swallows_answers(void **state)
{
	static const uint8_t test_unit_ready[6], read10[10] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0 };

	(void)state;
	target.answer = lie;
	target.argument = &something;
	command(test_unit_ready, 6, 2, 0);
	assert_int_equal(left_count, 0);
	command(read10, 10, 1, BLOCK);
	assert_int_equal(left_count, 1);
	assert_int_equal(get(left + 24, 4), 0x12345);
	assert_int_equal(left[14], 0x44);
	assert_int_equal(left_id, 99);
}

#define TEST(name, before) cmocka_unit_test_setup_teardown(name, before, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_handshake_has_one_order, begin),
		TEST(closing_starts_it_over, ready),
		TEST(answers_are_sized_by_what_was_asked, begin),
		TEST(subchannels_are_offered_as_asked_for, ready),
		TEST(subchannels_come_before_the_end_too, begin),
		TEST(a_subchannel_waits_for_the_primary, begin),
		TEST(what_no_guest_says_silences_it, begin),
		TEST(blocks_are_written_and_read, ready),
		TEST(every_length_of_command_is_understood, ready),
		TEST(blocks_beyond_the_end_are_refused, ready),
		TEST(more_blocks_than_room_are_an_overrun, ready),
		TEST(a_write_protected_disk_is_not_written, ready),
		TEST(what_changed_is_said_once, ready),
		TEST(unmapped_blocks_are_zero, ready),
		TEST(one_block_is_written_to_many_places, ready),
		TEST(capacity_is_told_in_both_sizes, ready),
		TEST(identity_is_told_page_by_page, ready),
		TEST(luns_are_listed, ready),
		TEST(a_lun_that_is_not_there_says_so, ready),
		TEST(small_commands_are_answered, ready),
		TEST(a_command_larger_than_agreed_is_refused, ready),
		TEST(a_file_is_a_disk_too, ready),
		TEST(resets_are_answered_and_counted, ready),
		TEST(news_comes_unasked, ready),
		TEST(old_versions_speak_in_48_bytes, begin),
		TEST(a_hook_changes_or_swallows_answers, ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
