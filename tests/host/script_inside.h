/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A script as it was read, for script_parse.c that reads it and script.c that does what it says.
 */
#ifndef AIRLOCK_TESTS_HOST_SCRIPT_INSIDE_H
#define AIRLOCK_TESTS_HOST_SCRIPT_INSIDE_H

#include "host.h"

#define ACTS_MAX 8		/* on a line */
#define ACT_BYTES 256
#define NAME_MAX_BYTES 24

enum trigger_kind { ON_OUTGOING, ON_INCOMING, ON_PACKET, ON_SENDING, ON_FETCH, ON_POST, ON_SIGNAL, AT_TIME };

enum act_kind {
	ACT_SET, ACT_SIZE, ACT_DROP, ACT_REPLAY, ACT_DELAY, ACT_HOLD, ACT_SLOT_TYPE, ACT_PAYLOAD_SIZE, ACT_FLAGS,
	ACT_CPU, ACT_NEVER, ACT_RESULT, ACT_RESCIND, ACT_OFFER, ACT_RELEASE, ACT_SIGNAL, ACT_EVENT, ACT_STORM,
	ACT_POST, ACT_POKE, ACT_WRITE, ACT_SILENCE, ACT_SPEAK,
};

enum who_kind { WHO_ANY, WHO_IT, WHO_RELID, WHO_DEVICE };

struct who {
	enum who_kind kind;
	uint32_t relid;
	char device[NAME_MAX_BYTES];
};

struct act {
	enum act_kind kind;
	uint64_t number[3];
	struct who who;
	bool to_guest;			/* poke */
	enum host_field field;
	uint8_t bytes[ACT_BYTES];
	uint32_t size;
};

struct trigger {
	enum trigger_kind kind;
	unsigned int line;
	uint32_t type;			/* of message or packet; 0: any */
	struct who who;			/* WHO_ANY: no matter */
	uint64_t nth;			/* 0: every one */
	bool onwards;
	enum host_area area;
	bool from_packet;
	uint32_t offset;
	uint64_t at;			/* ms, virtual */
	uint64_t seen, struck;
	struct act acts[ACTS_MAX];
	uint32_t act_count;
};

/* 0 or -1; *triggers is the caller's to free. */
int host_script_parse(const char *text, const char *name, struct trigger **triggers, uint32_t *count);

#endif
