/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this guest admits, how long it waits, and what a violation costs. Plain values: the
 * connection copies them at start.
 */
#ifndef AIRLOCK_POLICY_H
#define AIRLOCK_POLICY_H

#include <linux/types.h>

enum policy_answer { POLICY_DROP, POLICY_QUARANTINE, POLICY_DISCONNECT, POLICY_PANIC };

/* What kind of offence a broken rule is. */
enum policy_offence {
	OFFENCE_MESSAGE,	/* a control message that is ill-formed, out of state or unmatched */
	OFFENCE_OFFER,		/* an offer this guest does not want, or cannot place */
	OFFENCE_FLOOD,		/* more than fits the budget */
	OFFENCE_RING,		/* a ring index or packet descriptor that lies: framing is lost */
	OFFENCE_PACKET,		/* a packet that is ill-formed, in a ring that is not */
	OFFENCE_COMPLETION,	/* a completion that answers nothing */
	OFFENCE_DEVICE,		/* a device message that is ill-formed or out of state */
	POLICY_OFFENCES
};

struct policy_rate { u32 burst, per_second; };

struct airlock_policy {
	bool isolated;			/* the hypervisor is not trusted: class list, floor, no monitors */
	bool confidential_required;	/* C-006, C-122 */
	bool monitors;			/* monitored notifications, in ordinary guests */
	bool hvsock;
	u32 version_floor, version_ceiling;
	u32 features;			/* to ask for, of 6.0 */
	u16 storage_floor;		/* lowest storage protocol version */

	const u8 *const *classes;	/* admitted; NULL: all */
	u32 class_count;
	u32 channels_max;		/* alive at once */
	u32 devices_per_class;
	u16 subchannels_max;
	struct policy_rate offers;	/* C-114, C-115 */

	/* milliseconds */
	u32 post_deadline, contact_deadline, offers_deadline, open_deadline, create_deadline,
	    teardown_deadline, modify_deadline, unload_deadline, step_deadline, drain_deadline, reset_deadline;

	u32 message_budget, packet_budget;	/* a run */
	u64 gpadl_bytes_max;
	u32 max_transfer;		/* bytes of one command */
	u32 pool_slots;			/* bounce pages of one device */

	enum policy_answer answers[POLICY_OFFENCES];
	u32 strikes;			/* after so many dropped ones on a channel: quarantine; 0: never */
};

/* For isolated and for ordinary guests. */
void policy_defaults(struct airlock_policy *p, bool isolated);

#endif
