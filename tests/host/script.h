/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hostile host does, in lines of text, interpreted while it runs.
 *
 *	# a comment
 *	on open_result: set 16 32 0x1
 *	on gpadl_created 2: delay 500
 *	on packet 3 of disk: rescind; never
 *	on completion 2+: replay 1
 *	on fetch echo packet+4: set 4 16 0xffff
 *	at 200: storm events echo 1000
 *
 * A line is a trigger, a colon, and acts with semicolons between them. A number is decimal or
 * hexadecimal (0x); bytes are a string of hexadecimal digits. Of a trigger that could strike more than
 * once, N means the N-th time only, N+ that one and all later ones; nothing means every time.
 *
 * Triggers
 *	on MESSAGE [N]		a control message of this name is about to leave, or has arrived
 *	on packet [N] [of WHO]	a packet of the guest has arrived
 *	on completion [N] [of WHO]	a completion is about to be written
 *	on in_band [N] [of WHO]	an in-band packet is about to be written
 *	on post [MESSAGE] [N]	the guest makes the hypercall that posts a message
 *	on signal [N]		or the one that signals a channel
 *	on fetch PLACE [N]	the guest is about to fetch a byte
 *	at MS			so many milliseconds after the script was given to the host
 *
 * WHO is a relid, the name of a device (its primary channel), or "it": the channel that the
 * trigger is about. PLACE is "WHO data+OFFSET" (in the ring to the guest), "WHO packet+OFFSET"
 * (from the oldest packet there that the guest has not taken), "WHO control+OFFSET" (the control page of
 * that ring), "WHO in-control+OFFSET" (of the ring of the guest) or "slot+OFFSET" (of messages).
 *
 * Acts on a message or packet about to leave
 *	set OFFSET BITS VALUE	BITS: 8, 16, 32, 64; offsets from the message's type, the packet's type
 *	size BYTES		of the message; of the packet's payload
 *	drop			it never leaves
 *	replay COUNT		so many times more
 *	delay MS
 *	hold			until "release"
 * and, messages only: slot-type VALUE, payload-size BYTES (as the slot has it), flags VALUE, cpu N.
 *
 * Acts on what has arrived
 *	never			it is not dealt with
 *
 * Acts on hypercalls
 *	result VALUE [lost|delivered]	lost unless VALUE is 0
 *
 * Acts on fetches
 *	set OFFSET BITS VALUE	right before the fetch; offsets as of PLACE: in data, from the packet, ...
 *
 * Acts anywhere
 *	rescind [WHO]		it
 *	offer WHO		again: the device of this channel
 *	release			what is held
 *	signal WHO		whether there is a reason or not
 *	event CPU BIT
 *	storm events WHO COUNT	an event each time the host runs
 *	post BYTES		a control message
 *	poke WHO in|out FIELD VALUE	FIELD: write, read, mask, pending, features; in: of the ring to the host
 *	write WHO OFFSET BYTES	into the data of the ring to the guest
 *	silence, speak		no answers of any kind any more; as before
 */
#ifndef AIRLOCK_TESTS_HOST_SCRIPT_H
#define AIRLOCK_TESTS_HOST_SCRIPT_H

#include "host.h"

/*
 * From now on @h does what @text says, instead of what an earlier script said. 0; -1: @text is no
 * script, and "@name:LINE:COLUMN: why" went to stderr. NULL: no script.
 */
int host_script(struct host *h, const char *text, const char *name);
/* How often the @line-th line (from 1) has struck. */
uint64_t host_script_struck(const struct host *h, unsigned int line);

#endif
