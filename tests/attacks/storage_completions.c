// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by completions of a storage host, ST-055 to ST-085: whose they are, what they say,
 * how often they come.
 */
#include <errno.h>
#include <string.h>

#include "shim.h"
#include "storage_act.h"

#define COMPLETE_IO 1
#define RESET_BUS 6

static struct io io;
static struct target_answer kept;
static u8 kept_cdb[16];

/* ---- ids ---- */

ATTACK(id_of_nothing, "ST-055", "completions under ids that were never given out")
{
	static const u64 ids[] = {
		1, 2, 0xffff, 0x10000, 0x10400, 0x5ffff, 0x7fff0001, 0x123456789abcdef0, 0xffffffffffffffff,
	};
	u32 i;

	act_start();
	live_read(&io);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		send_completion(scene->disk_channel, ids[i], COMPLETE_IO, 64, "a completion of nothing");
		expect_rule("core.completion.unknown");
	}
	live_read_goes_on(&io);
	act_works();
}

static bool keep(struct target_answer *a)
{
	kept = *a;
	memcpy(kept_cdb, a->cdb, sizeof(kept_cdb));
	kept.cdb = kept_cdb;
	return true;
}

ATTACK(id_of_the_past, "ST-056", "the completion of a command that ended long ago")
{
	u32 i;

	act_start();
	lie_about(0, READ_10, 1, keep, "an answer");
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	for (i = 0; i < 3; i++) {
		tell(&kept, "the same answer once more");
		scene_run(20);
		expect_rule("core.completion.stale");
		io_read_once(&io);
		expect(io_is_good(&io, 16));
	}
	expect(!scene->engine.outstanding && !scene->engine.pinned);
	act_works();
}

static bool twice(struct target_answer *a)
{
	tell(a, "an answer");
	tell(a, "its twin, right behind it");
	return false;
}

ATTACK(id_twice, "ST-057", "a completion twice, one right behind the other")
{
	u32 i;

	act_start();
	for (i = 0; i < 20; i++) {
		lie_about(0, READ_10, 1, twice, NULL);
		io_read_once(&io);
		scene_run(10);
		expect(io_is_good(&io, 16));
		expect_rule("core.completion.stale");
	}
	expect(!scene->engine.outstanding && !scene->engine.orphans);
	act_works();
}

ATTACK(id_too_early, "ST-058", "a completion for a command that was not sent yet")
{
	struct request_table *requests;
	u64 id;

	act_start();
	requests = &disk_channel()->requests;
	id = request_reserve(requests, &io);
	expect(id);
	send_completion(scene->disk_channel, id, COMPLETE_IO, 64, "an answer to a question yet to be asked");
	expect_rule("core.completion.early");
	request_release(requests, id);
	act_works();
}

ATTACK(id_in_part, "ST-059", "completions under ids that are right in their low half")
{
	u64 id;
	u32 bit;

	act_start();
	id = live_read(&io);
	for (bit = 16; bit < 64; bit++) {
		send_completion(scene->disk_channel, id ^ 1ull << bit, COMPLETE_IO, 64, "an id that is almost right");
		expect(rule_fired("core.completion.unknown") + rule_fired("core.completion.stale") == 1);
	}
	evidence("core.completion.unknown, core.completion.stale");
	live_read_goes_on(&io);
	act_works();
}

ATTACK(id_of_another_channel, "ST-060", "the completion comes by another channel than the command")
{
	struct host_channel *ch;
	u64 id;

	act_start();
	expect(act_grow(2) == 2);
	ch = host_subchannel(1);
	expect(ch);
	id = live_read(&io);
	expect(held[0].answer.channel == scene->disk_channel);
	send_completion(ch, id, COMPLETE_IO, 64, "a completion by another channel");
	expect_rule("core.completion.unknown");
	live_read_goes_on(&io);
	act_works();
}

/* The reset is answered as a command would be, and the command as a reset. */
static bool swap_answers(struct target_answer *a)
{
	memset(a->payload + 12, 0xff, 52);
	a->payload[14] = 0x01;
	tell(a, "the answer of a command, to a reset");
	held[0].answer.cdb = NULL;
	memset(held[0].answer.payload, 0, 64);
	tell(&held[0].answer, "the answer of a reset, to a command");
	held_count = 0;
	return false;
}

ATTACK(kinds_of_ids, "ST-061", "a reset is answered like a command, and a command like a reset")
{
	act_start();
	live_read(&io);
	lie_about(RESET_BUS, ANY_COMMAND, 1, swap_answers, NULL);
	expect(!scsi_reset(&scene->engine, RESET_BUS, 0, 0, 0));
	expect(lies_told == 1);
	expect(io_failed(&io));
	evidence("each by the kind of its request: the command failed");
	act_works();
}

ATTACK(operation_of_a_request, "ST-062", "the completion of a command says to be something else")
{
	static const u32 operations[] = { 0, 2, 3, 4, 11, 12, 14, 0xffff };
	u32 i;

	act_start();
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		send_completion(scene->disk_channel, live_read(&io), operations[i], 64, "no COMPLETE_IO");
		expect(io_failed(&io));
		expect(rule_fired("storage.header.answer_says_so") + rule_fired("storage.header.operation.enum") == 1);
		expect(scene->engine.pinned == i + 1 && !scene->engine.outstanding);
	}
	evidence("storage.header.answer_says_so; pages rest");
	act_works();
}

/* ---- resets ---- */

static bool keep_reset(struct target_answer *a)
{
	kept = *a;
	return true;
}

static bool the_last_reset_again(struct target_answer *a)
{
	tell(&kept, "the answer to the reset before");
	return withhold(a);
}

static u64 released_at;

static void release_later(void)
{
	released_at = shim_now();
	release_held();
}

ATTACK(reset_of_the_past, "ST-063", "the answer to a reset comes again, without one and during the next")
{
	act_start();
	lie_about(RESET_BUS, ANY_COMMAND, 1, keep_reset, "an answer");
	expect(!scsi_reset(&scene->engine, RESET_BUS, 0, 0, 0));
	tell(&kept, "the answer, when no reset is on its way");
	scene_run(20);
	expect_rule("core.completion.stale");
	lie_about(RESET_BUS, ANY_COMMAND, 1, the_last_reset_again, NULL);
	act_later(500, release_later);
	expect(!scsi_reset(&scene->engine, RESET_BUS, 0, 0, 0));
	expect(released_at && shim_now() >= released_at);
	expect_rule("core.completion.stale");
	evidence("the next reset waits for its own");
	act_works();
}

ATTACK(reset_without_end, "ST-064", "a reset is answered, but the commands before it never are")
{
	u64 began;

	act_start();
	live_read(&io);
	began = shim_now();
	expect(scsi_reset(&scene->engine, RESET_BUS, 0, 0, 0) == -ETIMEDOUT);
	strike("a command is never answered, and waited for");
	expect(shim_now() - began <= scene->policy.drain_deadline + 1000);
	scene_run(100);
	expect(io.command.glue && io.command.verdict == SCSI_GONE);
	expect(scene->disk_failed == 1);
	evidence("given up after %u ms", scene->policy.drain_deadline);
	act_gone(0);
}

/* ---- answers that never come, or too early ---- */

static struct io many[200];
static u64 given_up_gfns[200];

static void give_up_reads(u32 count)
{
	u32 i;

	lie_about(0, READ_10, 0, withhold, NULL);
	for (i = 0; i < count && !scene->engine.failed; i++) {
		expect(!io_read(&many[i], 16, 8));
		scene_run(5);
		given_up_gfns[i] = last_gfns[0];
		scsi_give_up(&scene->engine, &many[i].command);
		expect(many[i].command.glue && many[i].command.verdict == SCSI_ABORTED);
		expect(io_all(&many[i], 0, 4096, 0));
	}
	strike("%u commands are never answered, and given up", i);
	lie_no_more();
}

/* The page of the command that ran last is none of those. */
static bool is_another_page(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (given_up_gfns[i] == last_gfns[0])
			return false;
	return true;
}

ATTACK(never_completed, "ST-065", "commands are never answered")
{
	u32 i;

	act_start();
	give_up_reads(20);
	expect(scene->engine.orphans == 20 && !scene->engine.outstanding);
	for (i = 0; i < 300; i++) {
		io_read_once(&io);
		expect(io_is_good(&io, 16) && is_another_page(20));
	}
	release_held();
	scene_run(20);
	expect(!scene->engine.orphans);
	for (i = 0; i < 20; i++)
		expect(io_all(&many[i], 0, 4096, 0));
	evidence("pages are the host's until it answers; late answers are taken and thrown away");
	act_works();
	act_start();
	give_up_reads(ARRAY_SIZE(many));
	expect(scene->engine.failed && scene->disk_failed == 1);
	evidence("who keeps too many has failed");
	act_gone(0);
}

static bool is_shared_now(u64 gfn)
{
	static const u8 junk[4096] = { 0x99 };

	if (!host_memory(gfn, 0, 4096))
		return false;
	host_write_range(&gfn, 0, junk, sizeof(junk));
	return true;
}

ATTACK(completed_too_early, "ST-066", "a read is answered first and written afterwards")
{
	u64 gfn;

	act_start();
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	gfn = last_gfns[0];
	expect(is_shared_now(gfn));
	strike("page %#llx was written after the answer", (unsigned long long)gfn);
	expect(io_is_good(&io, 16));
	evidence("the page is the pool's, for its whole life; the data were copied before");
	act_works();
}

/* ---- lengths ---- */

static u32 told_bytes;

static bool other_length(struct target_answer *a)
{
	a->transferred = told_bytes;
	return true;
}

ATTACK(more_than_asked, "ST-067", "more bytes were transferred than were asked for")
{
	static const u32 values[] = { 4097, 8192, 0x40001, 0x7fffffff, 0xffffffff };
	u32 i;

	act_start();
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		told_bytes = values[i];
		lie_about(0, READ_10, 1, other_length, "a length that lies");
		io_read_once(&io);
		expect(io_failed(&io));
		expect(rule_fired("storage.srb_complete.transferred.limit") +
		       rule_fired("storage.srb_complete.transferred.limit.2") == 1);
	}
	evidence("storage.srb_complete.transferred.limit, .limit.2; nothing delivered");
	act_works();
}

ATTACK(less_than_asked, "ST-068", "a read is good, but short")
{
	static const u8 inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };

	act_start();
	told_bytes = 2048;
	lie_about(0, READ_10, 1, other_length, "a short read");
	io_read_once(&io);
	expect(io_failed(&io));
	told_bytes = 5;
	lie_about(0, INQUIRY, 1, other_length, "a short inquiry");
	expect(!io_get(&io, inquiry, 6, 36) && io_wait(&io));
	expect(io.command.verdict == SCSI_DONE && io.command.transferred == 5);
	expect(io_all(&io, 5, 36, 0));
	evidence("an error for blocks; what else is short ends in zeros");
	act_works();
}

static bool fail_with_bytes(struct target_answer *a)
{
	a->srb_status = 0x04 | AUTOSENSE;
	a->scsi_status = CHECK_CONDITION;
	a->status = 0xc0000185;
	memset(a->sense, 0, sizeof(a->sense));
	a->sense[0] = 0x70;
	a->sense[2] = 3;
	a->sense[7] = 10;
	a->sense[12] = 0x11;
	a->sense_bytes = 18;
	return true;
}

ATTACK(bytes_of_a_failure, "ST-069", "a command has failed, and yet moved bytes")
{
	act_start();
	lie_about(0, READ_10, 1, fail_with_bytes, "a failure with data");
	io_read_once(&io);
	expect(io.command.verdict == SCSI_DONE && io.command.status == CHECK_CONDITION);
	expect(!io.command.transferred && io_all(&io, 0, 4096, 0));
	expect(io.command.sense_bytes == 18 && io.command.sense[2] == 3);
	evidence("no bytes count");
	act_works();
}

ATTACK(bytes_of_nothing, "ST-070", "a command without data has moved bytes")
{
	act_start();
	told_bytes = 512;
	lie_about(0, TEST_UNIT_READY, 1, other_length, "bytes of no data");
	expect(!io_plain(&io, TEST_UNIT_READY) && io_failed(&io));
	expect_rule("storage.srb_complete.transferred.limit.2");
	act_works();
}

/* ---- sense ---- */

static struct { u8 length, srb, status, sense[20]; } told;

static bool other_sense(struct target_answer *a)
{
	a->transferred = 0;
	a->srb_status = told.srb;
	a->scsi_status = told.status;
	a->status = (told.srb & 0x3f) == 1 ? 0 : 0xc0000185;
	a->sense_bytes = told.length;
	memcpy(a->sense, told.sense, sizeof(a->sense));
	return true;
}

/* TEST UNIT READY fails with this sense; the command's own room is full of something older. */
static void told_sense(u8 length)
{
	told.length = length;
	lie_about(0, TEST_UNIT_READY, 1, other_sense, "sense that lies");
	expect(!io_plain(&io, TEST_UNIT_READY));
	memset(io.command.sense, 0xaa, sizeof(io.command.sense));
	expect(io_wait(&io));
}

static bool no_sense(void)
{
	u32 i;

	for (i = 0; i < sizeof(io.command.sense) && !io.command.sense[i]; i++)
		;
	return !io.command.sense_bytes && i == sizeof(io.command.sense);
}

static void tell_medium_error(void)
{
	memset(&told, 0, sizeof(told));
	told.srb = 0x04 | AUTOSENSE;
	told.status = CHECK_CONDITION;
	told.sense[0] = 0x70;
	told.sense[2] = 3;
	told.sense[7] = 10;
	told.sense[12] = 0x11;
}

ATTACK(sense_too_long, "ST-071", "sense of 21 to 255 bytes, in a field of 20")
{
	u32 length;

	act_start();
	tell_medium_error();
	for (length = 21; length < 256; length += length < 30 ? 1 : 25) {
		told_sense(length);
		expect(io.command.verdict == SCSI_ERROR && no_sense());
		expect_rule("storage.srb_complete.sense_length.limit");
	}
	act_works();
}

ATTACK(sense_too_short, "ST-072", "sense of less than 8 bytes, after longer sense before")
{
	u32 length;

	act_start();
	tell_medium_error();
	told_sense(18);
	expect(io.command.verdict == SCSI_DONE && io.command.sense_bytes == 18);
	for (length = 0; length < 8; length++) {
		told_sense(length);
		expect(io.command.verdict == SCSI_ERROR && no_sense());
	}
	expect(atomic_read(&scene->engine.refused) == 8);
	evidence("none, and nothing old in its place");
	act_works();
}

ATTACK(sense_of_success, "ST-073", "sense with a status that has none")
{
	act_start();
	tell_medium_error();
	told.srb = 0x01 | AUTOSENSE;
	told.status = GOOD;
	told_sense(18);
	expect(io.command.verdict == SCSI_DONE && !io.command.status && no_sense());
	told.srb = 0x04 | AUTOSENSE;
	told_sense(18);
	expect(io.command.verdict == SCSI_ERROR && no_sense());
	evidence("only with CHECK CONDITION");
	act_works();
}

ATTACK(check_condition_without_sense, "ST-074", "CHECK CONDITION without the sense that says why")
{
	act_start();
	tell_medium_error();
	told.srb = 0x04;
	told_sense(18);
	expect(io.command.verdict == SCSI_ERROR && no_sense());
	told.srb = 0x01;
	told_sense(0);
	expect(io.command.verdict == SCSI_ERROR && no_sense());
	evidence("the command fails");
	act_works();
}

ATTACK(sense_of_nonsense, "ST-075", "sense of unknown formats, endless lengths, and lists without end")
{
	static const u8 formats[] = { 0x00, 0x6f, 0x74, 0x7f };
	u32 i;

	act_start();
	tell_medium_error();
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		told.sense[0] = formats[i];
		told_sense(20);
		expect(io.command.verdict == SCSI_ERROR && no_sense());
		expect_rule("storage.sense_data.response.format.range");
	}
	told.sense[0] = 0x70;
	told.sense[7] = 255;
	told_sense(20);
	expect(io.command.verdict == SCSI_ERROR && no_sense());
	expect_rule("storage.sense_data.more_bytes.limit");
	told.sense[0] = 0x72;
	told.sense[7] = 12;
	memset(told.sense + 8, 0, 12);		/* entries of no length */
	told_sense(20);
	expect(io.command.verdict == SCSI_ERROR && no_sense());
	expect_rule("storage.sense_data.descriptors.max");
	act_works();
}

/* ---- statuses ---- */

static void told_status(u8 srb, u8 status, enum scsi_verdict verdict)
{
	told.srb = srb;
	told.status = status;
	lie_about(0, TEST_UNIT_READY, 1, other_sense, "a status that lies");
	expect(!io_plain(&io, TEST_UNIT_READY) && io_wait(&io));
	expect(io.command.verdict == verdict);
}

ATTACK(unknown_scsi_status, "ST-076", "statuses that no target has")
{
	static const u8 values[] = { 0x01, 0x03, 0x06, 0x30, 0x77, 0xff };
	u32 i;

	act_start();
	memset(&told, 0, sizeof(told));
	for (i = 0; i < ARRAY_SIZE(values); i++)
		told_status(0x01, values[i], SCSI_ERROR);
	evidence("the host's error");
	act_works();
}

ATTACK(odd_srb_status, "ST-077", "SRB statuses without a meaning, and success with bits beside it")
{
	static const u8 values[] = { 0x00, 0x0c, 0x17, 0x31, 0x3f, 0x40, 0xbf, 0xff };
	u32 i;

	act_start();
	memset(&told, 0, sizeof(told));
	for (i = 0; i < ARRAY_SIZE(values); i++)
		told_status(values[i], GOOD, SCSI_ERROR);
	told_status(0x41, GOOD, SCSI_DONE);
	told_status(0x81, GOOD, SCSI_DONE);
	told_status(0xc1, GOOD, SCSI_DONE);
	evidence("6 bits count, and unknown ones are errors");
	act_works();
}

static u32 told_header;
static u8 told_srb;

static bool two_minds(struct target_answer *a)
{
	a->status = told_header;
	a->srb_status = told_srb;
	return true;
}

ATTACK(statuses_disagree, "ST-078", "one status says success, another failure")
{
	act_start();
	told_header = 0xc0000185;
	told_srb = 0x01;
	lie_about(0, READ_10, 1, two_minds, "failure outside, success inside");
	io_read_once(&io);
	expect(io_failed(&io));
	told_header = 0;
	told_srb = 0x04;
	lie_about(0, READ_10, 1, two_minds, "success outside, failure inside");
	io_read_once(&io);
	expect(io_failed(&io));
	evidence("the worse one counts");
	act_works();
}

static bool no_such_lun(struct target_answer *a)
{
	a->srb_status = 0x20;
	a->scsi_status = CHECK_CONDITION;
	a->status = 0xc00000c0;
	return true;
}

ATTACK(lun_is_gone, "ST-079", "the LUN does not exist, says the answer to each command")
{
	u32 i;

	act_start();
	for (i = 0; i < 20; i++) {
		lie_about(0, READ_10, 1, no_such_lun, "the LUN is gone");
		io_read_once(&io);
		expect(io.command.verdict == SCSI_NO_DEVICE && io_all(&io, 0, 4096, 0));
	}
	expect(!scene->removes && scene->engine_started && !scene->disk_failed);
	evidence("to be confirmed before it is believed; nothing is removed");
	act_works();
}

/* A lie to each of many commands, and what the engine makes of it; none is sent twice. */
static void always(twist twist, const char *what, enum scsi_verdict verdict)
{
	u64 commands = scene->target.commands;
	u32 i;

	lie_about(0, TEST_UNIT_READY, 0, twist, what);
	for (i = 0; i < 200; i++) {
		expect(!io_plain(&io, TEST_UNIT_READY) && io_wait(&io));
		expect(io.command.verdict == verdict);
		scene_run(10);
	}
	expect(scene->target.commands == commands + 200);
	lie_no_more();
}

ATTACK(always_changed, "ST-080", "capacity and parameters have changed, says each answer")
{
	u32 rescans;

	act_start();
	rescans = scene->rescans;
	tell_medium_error();
	told.length = 18;
	told.sense[2] = 6;
	told.sense[12] = 0x2a;
	told.sense[13] = 0x09;
	always(other_sense, "the capacity has changed", SCSI_RETRY);
	told.sense[12] = 0x3f;
	told.sense[13] = 0x02;
	always(other_sense, "the parameters have changed", SCSI_RETRY);
	scene_run(2000);
	expect(scene->rescans - rescans >= 1);
	expect(scene->rescans - rescans <= shim_now() / 1000 + 1);
	evidence("400 times: %u scans, no command sent twice by us", scene->rescans - rescans);
	act_works();
}

static bool busy(struct target_answer *a)
{
	a->scsi_status = 0x08;
	return true;
}

static bool queue_full(struct target_answer *a)
{
	a->scsi_status = 0x28;
	a->srb_status = 0x04;
	return true;
}

static bool srb_busy(struct target_answer *a)
{
	a->srb_status = 0x05;
	a->status = 0x80000011;
	return true;
}

ATTACK(always_busy, "ST-081", "the target is busy, for ever")
{
	act_start();
	always(busy, "BUSY", SCSI_BUSY);
	always(queue_full, "QUEUE FULL", SCSI_BUSY);
	always(srb_busy, "a busy SRB", SCSI_BUSY);
	evidence("said to the caller, who counts; nothing is repeated by us");
	act_works();
}

static bool fail_inquiry(struct target_answer *a)
{
	a->srb_status = 0x04;
	a->scsi_status = GOOD;
	a->status = 0xc0000185;
	return true;
}

ATTACK(inquiry_fails, "ST-082", "INQUIRY and MODE SENSE fail, and their buffers are not filled")
{
	static const u8 inquiry[6] = { 0x12, 0, 0, 0, 36, 0 }, mode[6] = { 0x1a, 0, 0x3f, 0, 192, 0 };

	act_start();
	lie_about(0, INQUIRY, 1, fail_inquiry, "a failed INQUIRY");
	expect(!io_get(&io, inquiry, 6, 36) && io_failed(&io));
	lie_about(0, 0x1a, 1, fail_inquiry, "a failed MODE SENSE");
	expect(!io_get(&io, mode, 6, 192) && io_failed(&io));
	evidence("failures like others, over buffers of zeros");
	act_works();
}

/* ---- fields of no meaning ---- */

static bool other_address(struct target_answer *a)
{
	memset(a->payload + 16, 0xff, 4);	/* port, path, target, lun */
	a->payload[19] = 1;
	return true;
}

ATTACK(answer_of_another_lun, "ST-083", "the answer names another LUN")
{
	act_start();
	lie_about(0, READ_10, 1, other_address, "the address of another LUN");
	io_read_once(&io);
	expect(io_is_good(&io, 16) && io.command.lun == 0);
	evidence("the request knows what it was about");
	act_works();
}

static bool other_echo(struct target_answer *a)
{
	memset(a->payload + 12, 0xff, 2);	/* length */
	a->payload[20] = 0xff;			/* of the CDB */
	memset(a->payload + 22, 0xff, 2);
	memset(a->payload + 48, 0xff, 16);
	return true;
}

ATTACK(echo_of_nonsense, "ST-084", "lengths and queue fields of the answer are nonsense")
{
	act_start();
	lie_about(0, READ_10, 1, other_echo, "nonsense in what echoes the request");
	io_read_once(&io);
	expect(io_is_good(&io, 16));
	evidence("never looked at");
	act_works();
}

/* ---- floods ---- */

ATTACK(flood_of_completions, "ST-085", "a flood of completions that answer nothing")
{
	u64 lines;
	u32 i;

	act_start();
	lines = shim_log_lines;
	for (i = 0; i < 20000 && !disk_channel()->dead; i++) {
		send_packet(make_packet(scene->disk_channel, 11, 0x100000000ull * (i + 1), COMPLETE_IO, 64),
			    "a completion of nothing");
		if (i % 50 == 49)
			scene_run(1);
	}
	expect(i < 20000 && i >= scene->policy.strikes);
	expect_rule("core.completion.unknown");
	expect(shim_log_lines - lines <= 50);
	evidence("put away after %u, %u lines of log", i, (u32)(shim_log_lines - lines));
	act_put_away();
}
