// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an answer means: pure functions of a believed message and the command it answers.
 * There are three places where a host can say that a command failed; the worst of them
 * counts (ST-078), and what says success in an unknown way does not.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "inside.h"

/* Codes of srb_status, bits 0 to 5 (ST-077). Those not listed are errors. */
#define SRB_SUCCESS 0x01
#define SRB_ABORTED 0x02
#define SRB_ERROR 0x04
#define SRB_BUSY 0x05
#define SRB_INVALID_REQUEST 0x06
#define SRB_INVALID_PATH 0x07
#define SRB_NO_DEVICE 0x08
#define SRB_TIMEOUT 0x09
#define SRB_SELECTION_TIMEOUT 0x0a
#define SRB_BUS_RESET 0x0e
#define SRB_OVERRUN 0x12
#define SRB_INVALID_LUN 0x20
#define SRB_INVALID_TARGET 0x21
#define SRB_INTERNAL_ERROR 0x30

#define NTSTATUS_BUFFER_OVERFLOW 0x80000005u

#define SENSE_KEY_NONE 0
#define SENSE_KEY_RECOVERED 1
#define ASC_PARAMETERS_CHANGED 0x2a
#define ASCQ_CAPACITY_CHANGED 0x09
#define ASC_TARGET_CHANGED 0x3f
#define ASCQ_INQUIRY_CHANGED 0x03
#define ASCQ_LUNS_CHANGED 0x0e

/* What the device thinks of a command, or nobody does. */
enum outcome {
	OUTCOME_GOOD, OUTCOME_SHORT, OUTCOME_FAILED, OUTCOME_BUSY, OUTCOME_NO_DEVICE, OUTCOME_ERROR,
};

static enum outcome scsi_outcome(const struct storage_srb_complete *a)
{
	switch (a->srb_status_code) {
	case SRB_SUCCESS:
		return a->header.status ? OUTCOME_ERROR : OUTCOME_GOOD;
	case SRB_OVERRUN:
		if (a->header.status && a->header.status != NTSTATUS_BUFFER_OVERFLOW)
			return OUTCOME_FAILED;
		return OUTCOME_SHORT;
	case SRB_ABORTED:
	case SRB_ERROR:
	case SRB_INVALID_REQUEST:
	case SRB_TIMEOUT:
	case SRB_SELECTION_TIMEOUT:
	case SRB_BUS_RESET:
	case SRB_INTERNAL_ERROR:
		return OUTCOME_FAILED;
	case SRB_BUSY:
		return OUTCOME_BUSY;
	case SRB_INVALID_LUN:
	case SRB_INVALID_TARGET:
	case SRB_INVALID_PATH:
	case SRB_NO_DEVICE:
		return OUTCOME_NO_DEVICE;
	default:
		return OUTCOME_ERROR;
	}
}

/* Reads and writes of the medium, where a part is not enough (ST-068). */
static bool scsi_moves_blocks(const struct scsi_command *command)
{
	/* Of 6, 10, 16 and 12 bytes. */
	static const u8 opcodes[] = { 0x08, 0x0a, 0x28, 0x2a, 0x88, 0x8a, 0xa8, 0xaa };

	return memchr(opcodes, command->cdb[0], sizeof(opcodes));
}

static u32 sense_room(const struct storage_sense_data *s)
{
	return 8 + s->more_bytes;
}

/*
 * Sense counts only with its status and its bit, and as many bytes of it as were sent and make
 * sense (ST-071 to ST-075). 0, or the rule it breaks: then there is none. These are the target's
 * bytes, not the protocol's: counted, not punished.
 */
static int scsi_take_sense(const struct storage_srb_complete *a, struct scsi_command *command,
			   struct storage_sense_data *s)
{
	int rule;

	if (!a->srb_status_autosense)
		return 0;
	rule = storage_check_sense_data(a->sense.data, a->sense_length, s);
	if (rule)
		return rule;
	command->sense_bytes = min_t(u32, a->sense_length, sense_room(s));
	memcpy(command->sense, a->sense.data, command->sense_bytes);
	return 0;
}

static u8 sense_key(const struct storage_sense_data *s)
{
	return s->response_format <= 0x71 ? s->condition_key : s->verdict_key;
}

/* Capacity or parameters are others now: worth a retry, and another look (ST-080). */
static bool sense_says_changed(const struct storage_sense_data *s)
{
	if (s->code == ASC_PARAMETERS_CHANGED)
		return s->qualifier == ASCQ_CAPACITY_CHANGED;
	return s->code == ASC_TARGET_CHANGED && s->qualifier != ASCQ_INQUIRY_CHANGED &&
	       s->qualifier != ASCQ_LUNS_CHANGED;
}

/* A sense that says all is well would have the caller use data that do not count. */
static bool sense_says_well(const struct storage_sense_data *s)
{
	return sense_key(s) == SENSE_KEY_NONE || sense_key(s) == SENSE_KEY_RECOVERED;
}

static int scsi_judge_sense(const struct storage_srb_complete *a, struct scsi_command *command,
			    bool *changed)
{
	struct storage_sense_data sense = {};
	int rule = scsi_take_sense(a, command, &sense);

	if (!command->sense_bytes)		/* ST-074 */
		return rule;
	*changed = sense_says_changed(&sense);
	if (*changed)
		command->verdict = SCSI_RETRY;
	else if (!scsi_moves_blocks(command) || !sense_says_well(&sense))
		command->verdict = SCSI_DONE;
	return 0;
}

/* The target is content. Whether the host is, and how much of the data there are. */
static void scsi_judge_good(const struct storage_srb_complete *a, struct scsi_command *command,
			    enum outcome outcome)
{
	bool all = outcome == OUTCOME_GOOD && a->transferred == command->bytes;

	if (outcome != OUTCOME_GOOD && outcome != OUTCOME_SHORT)
		return;
	if (scsi_moves_blocks(command) && !all)
		return;
	command->verdict = SCSI_DONE;
	command->transferred = a->transferred;
}

/* By the target's status, where the host has let the target speak. */
static int scsi_judge_status(const struct storage_srb_complete *a, struct scsi_command *command,
			     enum outcome outcome, bool *changed)
{
	switch (a->scsi_status) {
	case STORAGE_SCSI_STATUS_GOOD:
	case STORAGE_SCSI_STATUS_CONDITION_MET:
	case STORAGE_SCSI_STATUS_INTERMEDIATE:
	case STORAGE_SCSI_STATUS_INTERMEDIATE_MET:
		scsi_judge_good(a, command, outcome);
		return 0;
	case STORAGE_SCSI_STATUS_CHECK_CONDITION:
		return scsi_judge_sense(a, command, changed);
	case STORAGE_SCSI_STATUS_BUSY:
	case STORAGE_SCSI_STATUS_QUEUE_FULL:
		command->verdict = SCSI_BUSY;
		return 0;
	case STORAGE_SCSI_STATUS_RESERVATION_CONFLICT:
	case STORAGE_SCSI_STATUS_COMMAND_TERMINATED:
	case STORAGE_SCSI_STATUS_TASK_ABORTED:
		command->verdict = SCSI_DONE;
		return 0;
	default:		/* ST-076 */
		return 0;
	}
}

/*
 * Fills in what came of a command: verdict, status, sense, bytes that count. Failures of INQUIRY
 * and MODE SENSE are failures like others: nobody is told of success over a buffer that was not
 * filled (ST-082).
 */
int scsi_judge(const struct storage_srb_complete *a, struct scsi_command *command, bool *changed)
{
	enum outcome outcome = scsi_outcome(a);
	int rule = 0;

	*changed = false;
	command->verdict = SCSI_ERROR;
	command->status = a->scsi_status;
	command->transferred = 0;
	command->sense_bytes = 0;
	memset(command->sense, 0, sizeof(command->sense));
	if (outcome == OUTCOME_BUSY)
		command->verdict = SCSI_BUSY;
	else if (outcome == OUTCOME_NO_DEVICE)
		command->verdict = SCSI_NO_DEVICE;
	else if (outcome != OUTCOME_ERROR)
		rule = scsi_judge_status(a, command, outcome, changed);
	return rule;
}
