// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a command, for every code and status a host can answer with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "inside.h"

#define GOOD 0x00
#define CHECK 0x02
#define BYTES 4096
#define READ_10 0x28
#define INQUIRY 0x12

static u8 fixed[20] = { 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0 };
static bool changed;

static struct scsi_command asked(u8 opcode)
{
	struct scsi_command c = { .cdb = { opcode }, .cdb_bytes = 10, .direction = STORAGE_DATA_DIRECTION_READ };

	c.bytes = BYTES;
	memset(c.sense, 0xa5, sizeof(c.sense));
	c.sense_bytes = 20;
	c.transferred = 77;
	return c;
}

static struct storage_srb_complete said(u8 code, u8 status, u32 transferred)
{
	return (struct storage_srb_complete){
		.srb_status_code = code, .scsi_status = status, .transferred = transferred,
		.sense = { fixed, 20 }, .sense_length = 20,
	};
}

static struct scsi_command judged(u8 opcode, u8 code, u8 status, u32 transferred)
{
	struct storage_srb_complete a = said(code, status, transferred);
	struct scsi_command c = asked(opcode);

	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	return c;
}

static struct scsi_command judged_with_sense(u8 opcode, u8 code, const u8 *sense, u32 size)
{
	struct storage_srb_complete a = said(code, CHECK, BYTES);
	struct scsi_command c = asked(opcode);

	a.srb_status_autosense = 1;
	a.sense.data = sense;
	a.sense_length = (u8)size;
	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	return c;
}

static void success_counts_its_bytes(void **state)
{
	struct scsi_command c = judged(READ_10, 1, GOOD, BYTES);

	(void)state;
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.status, GOOD);
	assert_int_equal(c.transferred, BYTES);
	assert_int_equal(c.sense_bytes, 0);
	assert_false(changed);
	c = judged(INQUIRY, 1, GOOD, 36);
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.transferred, 36);
}

static void a_short_read_or_write_of_the_medium_is_an_error(void **state)
{
	static const u8 opcodes[] = { 0x08, 0x0a, 0x28, 0x2a, 0x88, 0x8a, 0xa8, 0xaa };
	struct scsi_command c;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(opcodes); i++) {
		c = judged(opcodes[i], 1, GOOD, BYTES - 1);
		assert_int_equal(c.verdict, SCSI_ERROR);
		assert_int_equal(c.transferred, 0);
		c = judged(opcodes[i], 1, GOOD, BYTES);
		assert_int_equal(c.verdict, SCSI_DONE);
	}
}

static void only_the_code_for_success_is_success(void **state)
{
	struct scsi_command c;
	u32 code;

	(void)state;
	for (code = 0; code < 64; code++) {
		c = judged(READ_10, (u8)code, GOOD, BYTES);
		if (code == 1)
			assert_int_equal(c.verdict, SCSI_DONE);
		else if (code == 5)
			assert_int_equal(c.verdict, SCSI_BUSY);
		else if (code == 7 || code == 8 || code == 0x20 || code == 0x21)
			assert_int_equal(c.verdict, SCSI_NO_DEVICE);
		else
			assert_int_equal(c.verdict, SCSI_ERROR);
		assert_int_equal(c.transferred, code == 1 ? BYTES : 0);
	}
}

static void a_frozen_queue_and_a_stray_autosense_change_nothing(void **state)
{
	struct storage_srb_complete a = said(1, GOOD, BYTES);
	struct scsi_command c = asked(READ_10);

	(void)state;
	a.srb_status_queue_frozen = 1;
	a.srb_status_autosense = 1;
	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.sense_bytes, 0);
}

static void an_error_in_the_header_wins(void **state)
{
	struct storage_srb_complete a = said(1, GOOD, BYTES);
	struct scsi_command c = asked(READ_10);

	(void)state;
	a.header.status = 0xc0000001;
	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	assert_int_equal(c.verdict, SCSI_ERROR);
	assert_int_equal(c.transferred, 0);
}

static void only_known_statuses_of_the_target_are_believed(void **state)
{
	struct scsi_command c;
	u32 status;

	(void)state;
	for (status = 0; status < 256; status++) {
		c = judged(INQUIRY, 1, (u8)status, 36);
		switch (status) {
		case 0x00: case 0x04: case 0x10: case 0x14:
			assert_int_equal(c.verdict, SCSI_DONE);
			assert_int_equal(c.transferred, 36);
			break;
		case 0x08: case 0x28:
			assert_int_equal(c.verdict, SCSI_BUSY);
			break;
		case 0x18: case 0x22: case 0x40:
			assert_int_equal(c.verdict, SCSI_DONE);
			assert_int_equal(c.transferred, 0);
			break;
		default:		/* CHECK CONDITION too: there is no sense */
			assert_int_equal(c.verdict, SCSI_ERROR);
			assert_int_equal(c.transferred, 0);
		}
	}
}

static void an_overrun_counts_its_bytes_unless_blocks_were_moved(void **state)
{
	struct storage_srb_complete a = said(0x12, GOOD, 36);
	struct scsi_command c = asked(INQUIRY);

	(void)state;
	a.header.status = 0x80000005;
	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.transferred, 36);
	a.header.status = 0xc0000001;
	assert_int_equal(scsi_judge(&a, &c, &changed), 0);
	assert_int_equal(c.verdict, SCSI_ERROR);
	c = judged(READ_10, 0x12, GOOD, BYTES);
	assert_int_equal(c.verdict, SCSI_ERROR);
	assert_int_equal(c.transferred, 0);
}

static void sense_comes_with_its_status_and_its_bit(void **state)
{
	struct scsi_command c = judged_with_sense(READ_10, 4, fixed, 18);
	u8 zero[20] = { 0 };

	(void)state;
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.status, CHECK);
	assert_int_equal(c.sense_bytes, 18);
	assert_memory_equal(c.sense, fixed, 18);
	assert_int_equal(c.transferred, 0);
	c = judged(READ_10, 4, CHECK, BYTES);
	assert_int_equal(c.verdict, SCSI_ERROR);
	assert_int_equal(c.sense_bytes, 0);
	assert_memory_equal(c.sense, zero, sizeof(zero));
	c = judged_with_sense(READ_10, 1, fixed, 18);	/* success, says the host; the target does not */
	assert_int_equal(c.verdict, SCSI_DONE);
	assert_int_equal(c.status, CHECK);
}

static void sense_that_makes_none_is_no_sense(void **state)
{
	struct storage_srb_complete a = said(4, CHECK, 0);
	struct scsi_command c = asked(READ_10);
	u8 bad[20], zero[20] = { 0 };
	u32 size;

	(void)state;
	a.srb_status_autosense = 1;
	a.sense.data = bad;
	memcpy(bad, fixed, sizeof(bad));
	for (size = 0; size < 8; size++) {
		a.sense_length = (u8)size;
		assert_int_not_equal(scsi_judge(&a, &c, &changed), 0);
		assert_int_equal(c.verdict, SCSI_ERROR);
	}
	a.sense_length = 20;
	bad[0] = 0x7f;
	assert_int_equal(scsi_judge(&a, &c, &changed), STORAGE_RULE_SENSE_DATA_RESPONSE_FORMAT_RANGE);
	assert_int_equal(c.verdict, SCSI_ERROR);
	assert_int_equal(c.sense_bytes, 0);
	assert_memory_equal(c.sense, zero, sizeof(zero));
	bad[0] = 0x70;
	bad[7] = 255;
	assert_int_equal(scsi_judge(&a, &c, &changed), STORAGE_RULE_SENSE_DATA_MORE_BYTES_LIMIT);
	assert_int_equal(c.verdict, SCSI_ERROR);
}

static void bytes_behind_the_sense_do_not_come_along(void **state)
{
	struct scsi_command c = judged_with_sense(READ_10, 4, fixed, 20);

	(void)state;
	assert_int_equal(c.sense_bytes, 18);
}

static void a_change_is_worth_a_retry_and_another_look(void **state)
{
	static const struct { u8 code, qualifier; bool changed; } senses[] = {
		{ 0x2a, 0x09, true }, { 0x2a, 0x01, false }, { 0x3f, 0x01, true }, { 0x3f, 0x03, false },
		{ 0x3f, 0x0e, false }, { 0x3f, 0x00, true }, { 0x29, 0x00, false },
	};
	u8 sense[20], new[20] = { 0x72, 6 };
	struct scsi_command c;
	u32 i;

	(void)state;
	memcpy(sense, fixed, sizeof(sense));
	for (i = 0; i < sizeof(senses) / sizeof(*senses); i++) {
		sense[2] = 6;
		sense[12] = new[2] = senses[i].code;
		sense[13] = new[3] = senses[i].qualifier;
		c = judged_with_sense(READ_10, 4, sense, 18);
		assert_int_equal(changed, senses[i].changed);
		assert_int_equal(c.verdict, senses[i].changed ? SCSI_RETRY : SCSI_DONE);
		c = judged_with_sense(READ_10, 4, new, 8);
		assert_int_equal(changed, senses[i].changed);
		assert_int_equal(c.verdict, senses[i].changed ? SCSI_RETRY : SCSI_DONE);
	}
}

/* Layers above take "recovered" for data that are all there. */
static void a_sense_that_says_all_is_well_does_not_stand_for_data(void **state)
{
	struct scsi_command c;
	u8 sense[20];
	u32 key;

	(void)state;
	memcpy(sense, fixed, sizeof(sense));
	for (key = 0; key < 16; key++) {
		sense[2] = (u8)key;
		c = judged_with_sense(READ_10, 4, sense, 18);
		assert_int_equal(c.verdict, key < 2 ? SCSI_ERROR : SCSI_DONE);
		assert_int_equal(c.transferred, 0);
		c = judged_with_sense(INQUIRY, 4, sense, 18);
		assert_int_equal(c.verdict, SCSI_DONE);
	}
}

static void a_failed_inquiry_stays_failed(void **state)
{
	static const u8 opcodes[] = { 0x12, 0x1a, 0x5a };
	struct scsi_command c;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(opcodes); i++) {
		c = judged(opcodes[i], 4, GOOD, 36);
		assert_int_equal(c.verdict, SCSI_ERROR);
		assert_int_equal(c.transferred, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_counts_its_bytes),
		cmocka_unit_test(a_short_read_or_write_of_the_medium_is_an_error),
		cmocka_unit_test(only_the_code_for_success_is_success),
		cmocka_unit_test(a_frozen_queue_and_a_stray_autosense_change_nothing),
		cmocka_unit_test(an_error_in_the_header_wins),
		cmocka_unit_test(only_known_statuses_of_the_target_are_believed),
		cmocka_unit_test(an_overrun_counts_its_bytes_unless_blocks_were_moved),
		cmocka_unit_test(sense_comes_with_its_status_and_its_bit),
		cmocka_unit_test(sense_that_makes_none_is_no_sense),
		cmocka_unit_test(bytes_behind_the_sense_do_not_come_along),
		cmocka_unit_test(a_change_is_worth_a_retry_and_another_look),
		cmocka_unit_test(a_sense_that_says_all_is_well_does_not_stand_for_data),
		cmocka_unit_test(a_failed_inquiry_stays_failed),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
