// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks of the catalogues as scripts (script.h), as far as a host can do them from where it is: by messages,
 * rings, packets and interrupts. Those that need a look at the guest's fetches are in tests/attacks.
 *
 * Where an offer or a packet is altered, an honest copy of it goes along, so that the device can be used
 * afterwards, unless the act is just that it cannot.
 */
#include <string.h>

#include "process.h"

/* The disk goes and comes again: there are offers, opens and a handshake to meddle with. */
#define AGAIN "at 0: rescind disk; offer disk\n"
#define ON_OFFER AGAIN "on offer 1: replay 1; "
#define OTHER "set 24 64 0x1020304050607080; "		/* another instance */
#define ON_ANSWER "on completion 1: replay 1; "

static const struct catalogue_attack attacks[] = {
	/* The slot, and messages. */
	{ "C-021", "a hypervisor message where channel messages come", ON_OFFER "slot-type 0x80000010" },
	{ "C-022", "payload size beyond the slot", ON_OFFER "payload-size 255" },
	{ "C-023", "payload too small for a message type", ON_OFFER "payload-size 4" },
	{ "C-024", "a message shorter than its layout", ON_OFFER "size 60" },
	{ "C-025", "a message longer than its layout", ON_OFFER "size 240" },
	{ "C-026", "the pending flag is always set", AGAIN "on offer: flags 1\non open_result: flags 1" },
	{ "C-030", "a message in the slot of another processor", ON_OFFER "cpu 1" },
	{ "C-034", "a message type nobody knows", "at 0: post 6300000000000000" },
	{ "C-035", "the guest's own message types come back",
	  "at 0: post 0e00000000000000; post 0300000000000000; post 1000000000000000" },
	{ "C-036", "noise in padding and reserved words", ON_OFFER "set 4 32 0xdeadbeef; set 182 16 0xffff" },
	/* Events. */
	{ "C-050", "flag 0, which is no channel's", "at 0: event 0 0" },
	{ "C-051", "flag of a channel that was never offered", "at 0: event 0 1999" },
	{ "C-059", "a storm of flags without data", "at 0: storm events disk 100000" },
	/* Contact. */
	{ "C-070", "VERSION_RESPONSE in a running connection", "at 0: post 0f00000000000000010000004520000000000000" },
	/* Offers. */
	{ "C-100", "relid 0", ON_OFFER OTHER "set 184 32 0" },
	{ "C-101", "a relid beyond the table", ON_OFFER OTHER "set 184 32 0x800" },
	{ "C-101b", "the relid that means none", ON_OFFER OTHER "set 184 32 0xffffffff" },
	{ "C-102", "the relid of a live channel", ON_OFFER OTHER "set 58 16 0" },
	{ "C-104", "the same device once more, under another relid", ON_OFFER "set 184 32 900" },
	{ "C-107", "a sub-channel without its device", ON_OFFER OTHER "set 180 16 3; set 184 32 901" },
	{ "C-111", "sub-channel index 65535", ON_OFFER "set 180 16 0xffff; set 184 32 902" },
	{ "C-116", "a class this guest does not want", ON_OFFER OTHER "set 8 64 0x1122334455667788; set 184 32 903" },
	{ "C-126", "monitor id 200 of 128", ON_OFFER OTHER "set 188 8 200; set 189 8 1; set 184 32 904" },
	{ "C-128", "connection id 0", ON_OFFER OTHER "set 192 32 0; set 184 32 905" },
	{ "C-134", "ALLOFFERS_DELIVERED once more", "at 0: post 0400000000000000" },
	/* Rescinds, opens, moves. */
	{ "C-150", "rescind of a channel that does not exist", "at 0: post 0200000000000000dc050000" },
	{ "C-151", "rescind twice, while the first is dealt with", AGAIN "on rescind 1: replay 1" },
	{ "C-159", "rescind and offer of the same relid at once", AGAIN },
	{ "C-164", "OPEN_RESULT never comes", AGAIN "on open_result 1: drop" },
	{ "C-165", "OPEN_RESULT for a channel that does not exist", "at 0: post 0600000000000000dc0500000100000000000000" },
	{ "C-166", "OPEN_RESULT again, with the opposite status", AGAIN "on open_result 1: replay 1; set 16 32 0xc0000001" },
	{ "C-168", "a status of an open that is neither success nor failure", AGAIN "on open_result 1: set 16 32 0x40000000" },
	{ "C-172", "MODIFYCHANNEL_RESPONSE nobody asked for", "at 0: post 18000000000000000100000000000000" },
	{ "C-175", "a result for a socket nobody asked for",
	  "at 0: post 1700000000000000" "000000000000000000000000000000000000000000000000000000000000000000000000" },
	{ "C-176", "answers to close_reserved and pause, which were never sent",
	  "at 0: post 140000000000000001000000; post 1c00000000000000" },
	/* GPADLs. */
	{ "C-200", "GPADL_CREATED for a handle nobody has", "at 0: post 0a0000000000000001000000ffffffff00000000" },
	{ "C-201", "GPADL_CREATED with the relid of another channel", AGAIN "on gpadl_created 1: set 8 32 77" },
	{ "C-202", "GPADL_CREATED twice", AGAIN "on gpadl_created 1: replay 1" },
	{ "C-204", "GPADL_CREATED never comes", AGAIN "on gpadl_created 1: drop" },
	{ "C-206", "GPADL_CREATED with a status that is neither", AGAIN "on gpadl_created 1: set 16 32 0x40000000" },
	{ "C-208", "GPADL_TORNDOWN for a handle nobody tears down", "at 0: post 0c00000000000000ffffffff" },
	{ "C-250", "UNLOAD_RESPONSE while the connection runs", "at 0: post 1100000000000000" },
	/* Indices. */
	{ "R-001", "read index far beyond the ring", "at 0: poke disk in read 0xfffffff0" },
	{ "R-002", "read index between two packets", "at 0: poke disk in read 4" },
	{ "R-010", "interrupt mask stuck at 1", "at 0: poke disk in mask 1\non packet: poke disk in mask 1" },
	{ "R-040", "write index far beyond the ring", "at 0: poke disk out write 0xfffffff0; signal disk" },
	{ "R-041", "write index between two packets", "at 0: poke disk out write 12; signal disk" },
	/* Packets. */
	{ "R-048", "length 0: no progress", "on completion 1: set 4 16 0" },
	{ "R-049", "length beyond what was written", "on completion 1: set 4 16 0xffff" },
	{ "R-052", "payload offset inside of the descriptor", "on completion 1: set 2 16 1" },
	{ "R-052b", "payload offset beyond the packet", "on completion 1: set 2 16 0xfff" },
	{ "R-057", "a packet of a type nobody knows", "on completion 1: replay 1; set 0 16 99" },
	{ "R-090", "completion of an id that was never given out", ON_ANSWER "set 8 64 0xdeadbeef" },
	{ "R-091", "completion of an id that looks like a kernel address", ON_ANSWER "set 8 64 0xffff888000001000" },
	{ "R-092", "the same completion twice", "on completion 1: replay 1" },
	{ "R-095", "no completion, once", "on completion 1: drop" },
	{ "R-099", "a completion a second late, behind those of others", "on completion 1: delay 1000" },
	{ "R-100", "id 0", ON_ANSWER "set 8 64 0" },
	{ "R-108", "a packet that names frames to the guest", ON_ANSWER "set 0 16 9" },
	/* Storage: handshake, then answers. */
	{ "ST-019", "the host refuses to begin", AGAIN "on completion 1: set 24 32 0xc0000001" },
	{ "ST-022", "the answer agrees to a version that was not proposed", AGAIN "on completion 2: set 28 16 0x9999" },
	{ "ST-023", "an answer comes again, when the next step waits for its own", AGAIN "on completion 1: replay 1" },
	{ "ST-026", "commands may move no data", AGAIN "on completion 3: set 40 32 0" },
	{ "ST-027", "commands may move more than numbers hold", AGAIN "on completion 3: set 40 32 0xffffffff" },
	{ "ST-030", "65535 more channels are offered", AGAIN "on completion 3: set 32 16 0xffff" },
	{ "ST-011", "the host wants an answer, and sets flags that mean nothing", "on completion 1: set 6 16 0xffff" },
	{ "ST-012", "a completion of less than 64 bytes", ON_ANSWER "size 16" },
	{ "ST-013", "a packet of more than 64 bytes", ON_ANSWER "size 2048" },
	{ "ST-045", "a storm of news", ON_ANSWER "set 0 16 6; set 16 32 11; set 8 64 0; replay 100" },
	{ "ST-051", "operations of the future", ON_ANSWER "set 0 16 6; set 16 32 77; set 8 64 0" },
	{ "ST-062", "the completion of a command says to be something else", ON_ANSWER "set 16 32 99" },
	{ "ST-067", "more bytes were transferred than were asked for", "on completion 1: set 40 32 0x7fffffff" },
	{ "ST-068", "a transfer is good, but short", "on completion 1: set 40 32 1" },
	{ "ST-071", "sense of 255 bytes, in a field of 20", "on completion 1: set 30 8 0x84; set 31 8 2; set 37 8 255" },
	{ "ST-076", "a status that no target has", "on completion 1: set 31 8 0x7f" },
	{ "ST-077", "an SRB status without a meaning", "on completion 1: set 30 8 0x3f" },
	{ "ST-078", "one status says success, another failure", "on completion 1: set 24 32 0xc0000185" },
	{ "ST-083", "the answer names another LUN", "on completion 1: set 35 8 7" },
	{ "ST-108", "the device is rescinded while commands are on their way", "on packet 5 of disk: rescind; offer disk" },
};

const struct catalogue_attack *catalogue_at(uint32_t i)
{
	return i < sizeof(attacks) / sizeof(*attacks) ? &attacks[i] : NULL;
}

const struct catalogue_attack *catalogue_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
		if (!strcmp(attacks[i].name, name))
			return &attacks[i];
	}
	return NULL;
}
