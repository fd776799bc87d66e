/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SCSI controller of the model host, with disks in memory or in files: the storage
 * handshake, sub-channels, and the commands that disks get. Hooks let it lie.
 */
#ifndef AIRLOCK_TESTS_TARGET_H
#define AIRLOCK_TESTS_TARGET_H

#include "host.h"

#define TARGET_LUNS 8

struct target;

struct target_lun {
	bool present, read_only, removable;
	uint32_t block_bytes;
	uint64_t blocks;
	uint8_t *memory;		/* or a file: */
	int file;
	uint8_t serial[16];
	uint8_t sense_key, asc, ascq;	/* of a unit attention to report next; 0: none */
};

/* An answer about to leave, in host order; a hook changes it, or returns false and it never leaves. */
struct target_answer {
	uint32_t operation, flags, status;
	uint8_t srb_status, scsi_status, sense_bytes;
	uint32_t transferred;
	uint8_t sense[20];
	uint8_t payload[64];		/* as sent, but for the fields above; of an SRB, more of them */
	uint32_t payload_size;
	uint64_t transaction;
	const uint8_t *cdb;		/* of the command that it answers; NULL: a handshake step */
	uint32_t asked;			/* bytes */
	uint32_t request_operation;
	uint8_t lun;
	struct host_channel *channel;	/* it leaves on */
};

/* A packet on a sub-channel that waits for the end of the handshake. */
struct target_waiting {
	struct host_channel *channel;
	struct target_waiting *next;
	struct host_packet packet;
	uint64_t *gfns;
	uint8_t bytes[];
};

struct target {
	struct host_device device;	/* offer this */
	struct target_lun luns[TARGET_LUNS];
	uint16_t versions[8];
	uint32_t version_count;
	uint16_t version;
	uint16_t max_subchannels, subchannels;
	uint32_t max_transfer;
	bool multi_channel;
	int step;			/* of the handshake */
	bool answers;			/* false: never */
	bool fatal;			/* the guest broke the protocol: nothing is answered any more */
	const char *last_error;		/* and how */
	struct target_waiting *early;	/* packets before READY */
	uint64_t commands, reads, writes, resets;
	void *argument;
	bool (*answer)(struct target *t, void *argument, struct target_answer *a);
	bool (*command)(struct target *t, void *argument, struct host_channel *ch, const struct host_packet *p);
};

void target_init(struct target *t, const char *name);
void target_add_disk(struct target *t, unsigned int lun, uint64_t blocks, uint32_t block_bytes);
/* @file is the target's from then on, if this succeeds. */
int target_add_opened(struct target *t, unsigned int lun, int file, uint32_t block_bytes);
int target_add_file(struct target *t, unsigned int lun, const char *path, uint32_t block_bytes);
void target_destroy(struct target *t);
/* In-band news: ENUMERATE_BUS, REMOVE_DEVICE and whatever else. */
bool target_news(struct target *t, struct host_channel *ch, uint32_t operation);
/* An answer leaves as it is, past the hook: for a hook that held it back, or wants it twice. */
bool target_send(struct target *t, const struct target_answer *a);

#endif
