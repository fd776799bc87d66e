/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disks of the model host's SCSI controller: what commands do to blocks in memory or in a
 * file. Nothing here knows of rings or of the guest.
 */
#ifndef AIRLOCK_TESTS_DISK_H
#define AIRLOCK_TESTS_DISK_H

#include "target.h"

#define SENSE_BYTES 18

/* In the words of the storage protocol. */
enum {
	SRB_SUCCESS = 0x01, SRB_ERROR = 0x04, SRB_INVALID_REQUEST = 0x06, SRB_DATA_OVERRUN = 0x12,
	SRB_INVALID_LUN = 0x20, SRB_AUTOSENSE = 0x80,
	SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02,
};

struct disk_command {
	const uint8_t *cdb;	/* 16 bytes */
	uint8_t path, target, lun;
	bool in;		/* data goes to the guest */
	uint8_t *data;		/* the host's own copy */
	uint32_t room;		/* bytes of it */
	/* out */
	uint32_t moved;		/* bytes: to the guest they are copied, and no more */
	uint8_t srb_status, scsi_status;
	uint8_t sense[SENSE_BYTES];	/* with SRB_AUTOSENSE */
};

void disk_execute(struct target *t, struct disk_command *c);

#endif
