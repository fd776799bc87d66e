// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets: the last thing to try with a host that has stopped answering commands, and the
 * point where it is given up.
 */
#include "inside.h"

/* While a reset is under way no command begins. */
static int scsi_hold(struct scsi_engine *engine)
{
	unsigned long flags;
	int error = -ENODEV;

	spin_lock_irqsave(&engine->lock, flags);
	if (scsi_running(engine)) {
		engine->resetting = true;
		error = 0;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return error;
}

static void scsi_let_go(struct scsi_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->resetting = false;
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* The host says that it is reset, then everything out has to come back (ST-064). */
static int scsi_reset_and_drain(struct scsi_engine *engine, const struct storage_message *question)
{
	const struct airlock_policy *policy = &engine->device->connection->policy;
	struct storage_message answer;
	int error;

	error = scsi_step(engine, question, policy->reset_deadline,
			  STORAGE_EVENT_DEVICE_AFTER_RESET_DEADLINE, &answer);
	if (error)
		return error;
	if (answer.reset_complete.header.status)
		return -EIO;
	return scsi_drain(engine, policy->drain_deadline);
}

/**
 * scsi_reset() - resets, then waits for all commands to end, those that were given up included
 * @engine: that was started
 * @operation: STORAGE_OPERATION_RESET_BUS, RESET_LUN or RESET_ADAPTER
 * @path: where, as far as the operation needs it
 * @target: likewise
 * @lun: likewise
 *
 * A host that does not answer within the policy's reset_deadline, or keeps commands beyond its
 * drain_deadline, is given up: the engine has failed, and what is out ends with SCSI_GONE.
 *
 * Context: may sleep.
 * Return: 0; -EIO: the host refuses; -EINVAL: no reset; any other: the device is of no more use.
 */
int scsi_reset(struct scsi_engine *engine, u32 operation, u8 path, u8 target, u8 lun)
{
	const struct storage_message question = {
		.kind = STORAGE_MSG_RESET,
		.reset = {
			.header.operation = operation,
			.header.flags = STORAGE_PACKET_FLAG_COMPLETION_REQUESTED,
			.path = path, .target = target, .lun = lun,
		},
	};
	int error;

	mutex_lock(&engine->control);
	error = scsi_hold(engine);
	if (!error) {
		error = scsi_reset_and_drain(engine, &question);
		scsi_let_go(engine);
	}
	mutex_unlock(&engine->control);
	if (error && error != -EIO && error != -EINVAL)
		scsi_fail(engine);
	return error;
}
