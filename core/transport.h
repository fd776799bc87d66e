/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How messages and signals reach a host: the real one by hypercalls, the test bed, or the
 * model of the tests. A transport moves bytes and believes nothing.
 */
#ifndef AIRLOCK_TRANSPORT_H
#define AIRLOCK_TRANSPORT_H

#include <linux/types.h>

#include "access.h"

#define SLOT_BYTES 256			/* of a SynIC message slot */
#define POST_BYTES 256			/* of HvPostMessage's input */
#define FLAG_WORDS 64			/* 2048 event flags, 32 a word */

struct transport;

/**
 * struct transport_ops - a way to a host
 * @post: HvPostMessage with @input, all POST_BYTES of it. Any context but NMI
 * @signal: HvSignalEvent with @input, 8 bytes
 * Both return the hypercall's result word as the host gave it.
 * @slot: the message slot of a processor, SLOT_BYTES; NULL while it has none
 * @end_of_message: tells the SynIC of the slot that it is free. From another processor only where
 *	that is unavoidable (before contact, after a wait expired); it may be late then
 * @flags: the event flags of a processor, FLAG_WORDS; NULL while it has none
 * @vp: the host's number of a processor
 */
struct transport_ops {
	const char *name;
	u64 (*post)(struct transport *t, const u8 *input);
	u64 (*signal)(struct transport *t, const u8 *input);
	u8 __host *(*slot)(struct transport *t, u32 cpu);
	void (*end_of_message)(struct transport *t, u32 cpu);
	u32 __host *(*flags)(struct transport *t, u32 cpu);
	u32 (*vp)(struct transport *t, u32 cpu);
};

/* @trusted: messages come by way of a paravisor, not of the host. @cpus: processors with a SynIC. */
struct transport {
	const struct transport_ops *ops;
	bool trusted;
	u32 cpus;
};

/* What a result word means: core/hypercall.c. */
enum hypercall_verdict { HYPERCALL_DONE, HYPERCALL_RETRY, HYPERCALL_NO_CONNECTION, HYPERCALL_FAILED };

enum hypercall_verdict hypercall_verdict(u64 result);

#endif
