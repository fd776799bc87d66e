// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake on the first channel: begin, version, properties, names of a Fibre Channel
 * adapter, end. One step after the other; one that fails ends it. What the host says of limits
 * is cut to ours, never extended.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>

#include "inside.h"

#define TRANSFER_MAX 0x1000000			/* bytes: what the specification knows */
#define FIBRE_CHANNEL_TRANSFER_MAX 0x80000

/* Best first. Packets of those before 5.1 are shorter, in both directions. */
static const u16 scsi_versions[] = {
	STORAGE_VERSION_6_2, STORAGE_VERSION_6_0, STORAGE_VERSION_5_1, STORAGE_VERSION_4_2,
	STORAGE_VERSION_2_0,
};

static void scsi_propose(struct scsi_engine *engine, u16 version)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->context.version = version;
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* A step whose question is a header and nothing else, or has its fields set already. */
static int scsi_ask(struct scsi_engine *engine, struct storage_message *question,
		    enum storage_operation operation, struct storage_message *answer)
{
	/* All questions begin with it. */
	struct storage_header *header = &question->begin_initialization.header;

	header->operation = operation;
	header->flags = STORAGE_PACKET_FLAG_COMPLETION_REQUESTED;
	header->status = 0;
	return scsi_step(engine, question, engine->device->connection->policy.step_deadline,
			 STORAGE_EVENT_DEVICE_AFTER_STEP_DEADLINE, answer);
}

/* The same, of a step that has to succeed (ST-019). */
static int scsi_must(struct scsi_engine *engine, enum storage_msg kind,
		     enum storage_operation operation, struct storage_message *answer)
{
	struct storage_message question = { .kind = kind };
	int error = scsi_ask(engine, &question, operation, answer);

	if (!error && answer->begin_complete.header.status)
		error = -EIO;
	return error;
}

/* One version after the other, down to the floor (ST-020, ST-021): this device's alone (ST-041). */
static int scsi_agree(struct scsi_engine *engine, u16 floor)
{
	struct storage_message question = { .kind = STORAGE_MSG_QUERY_VERSION }, answer;
	int error;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(scsi_versions) && scsi_versions[i] >= floor; i++) {
		scsi_propose(engine, scsi_versions[i]);
		question.query_version.proposed = scsi_versions[i];
		error = scsi_ask(engine, &question, STORAGE_OPERATION_QUERY_VERSION, &answer);
		if (error)
			return error;
		if (!answer.version_complete.header.status) {
			engine->limits.version = scsi_versions[i];
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

/* The most we take, in bytes, whatever the host says (ST-027): also what the pool has room for. */
u32 scsi_own_transfer(const struct scsi_engine *engine)
{
	const struct airlock_policy *policy = &engine->device->connection->policy;
	u32 most = min_t(u32, policy->max_transfer, TRANSFER_MAX);

	if (engine->context.device == STORAGE_DEVICE_KIND_FIBRE_CHANNEL)
		most = min_t(u32, most, FIBRE_CHANNEL_TRANSFER_MAX);
	if (most / STORAGE_PAGE > policy->pool_slots)
		most = policy->pool_slots * STORAGE_PAGE;
	return round_down(most, STORAGE_PAGE);
}

/* Only if both fields of the properties say so (ST-031), and no more than are of use (ST-030). */
static u16 scsi_own_subchannels(const struct scsi_engine *engine,
				const struct storage_properties_complete *p)
{
	u32 most = min_t(u32, num_online_cpus() - 1, SCSI_CHANNELS_MAX - 1);

	most = min_t(u32, most, engine->device->connection->policy.subchannels_max);
	if (!(p->properties & STORAGE_PROPERTY_FLAG_MULTI_CHANNEL) ||
	    engine->limits.version < STORAGE_VERSION_5_1 ||
	    engine->context.device == STORAGE_DEVICE_KIND_IDE)
		most = 0;
	return min_t(u32, most, p->max_subchannels);
}

static void scsi_set_limits(struct scsi_engine *engine, const struct storage_properties_complete *p)
{
	struct scsi_limits *limits = &engine->limits;
	u32 most = min_t(u32, scsi_own_transfer(engine), p->max_transfer_bytes);
	unsigned long flags;

	limits->max_transfer = round_down(most, STORAGE_PAGE);	/* ST-028 */
	limits->subchannels = scsi_own_subchannels(engine, p);
	if (limits->max_transfer != p->max_transfer_bytes)
		atomic_inc(&engine->clamped);
	if (limits->subchannels != p->max_subchannels)
		atomic_inc(&engine->clamped);
	spin_lock_irqsave(&engine->lock, flags);
	engine->context.max_transfer = limits->max_transfer;
	engine->context.max_subchannels = max_t(u16, limits->subchannels, 1);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* Control is held. 0: the device is ready, and the limits are agreed. */
int scsi_handshake(struct scsi_engine *engine, u16 floor)
{
	struct storage_message answer;
	int error;

	scsi_propose(engine, scsi_versions[0]);
	error = scsi_must(engine, STORAGE_MSG_BEGIN_INITIALIZATION,
			  STORAGE_OPERATION_BEGIN_INITIALIZATION, &answer);
	if (!error)
		error = scsi_agree(engine, floor);
	if (!error)
		error = scsi_must(engine, STORAGE_MSG_QUERY_PROPERTIES,
				  STORAGE_OPERATION_QUERY_PROPERTIES, &answer);
	if (!error)
		scsi_set_limits(engine, &answer.properties_complete);
	if (!error && engine->context.device == STORAGE_DEVICE_KIND_FIBRE_CHANNEL) {
		error = scsi_must(engine, STORAGE_MSG_QUERY_NAMES,
				  STORAGE_OPERATION_FC_HBA_DATA, &answer);
		if (!error)
			engine->names = answer.names_complete.names;
	}
	if (!error)
		error = scsi_must(engine, STORAGE_MSG_END_INITIALIZATION,
				  STORAGE_OPERATION_END_INITIALIZATION, &answer);
	return error;
}
