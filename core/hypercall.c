// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the result word of a hypercall means. The word is the host's: it is read once, by the
 * transport, and only the whole of it counts. Never takes a code it does not know for success.
 */
#include "transport.h"

/* Status codes with a meaning of their own; all others are final. */
#define STATUS_SUCCESS 0x00
#define STATUS_INSUFFICIENT_MEMORY 0x0b
#define STATUS_INVALID_CONNECTION_ID 0x12
#define STATUS_INSUFFICIENT_BUFFERS 0x13
#define STATUS_TIMEOUT 0x78

/**
 * hypercall_verdict() - what became of a message or a signal
 * @result: the result word of HvPostMessage or HvSignalEvent
 *
 * The status is in the low 16 bits. Neither call repeats anything, so the count of repetitions
 * (bits 43:32) is as reserved as the rest, and a word with any of these bits set is no success
 * (C-303), nor a promise that trying again helps.
 *
 * Context: any.
 * Return: whether it was done, may be tried again, found nobody at the other end, or failed for good.
 */
enum hypercall_verdict hypercall_verdict(u64 result)
{
	switch (result) {
	case STATUS_SUCCESS:
		return HYPERCALL_DONE;
	case STATUS_INSUFFICIENT_MEMORY:
	case STATUS_INSUFFICIENT_BUFFERS:
	case STATUS_TIMEOUT:
		return HYPERCALL_RETRY;
	case STATUS_INVALID_CONNECTION_ID:
		return HYPERCALL_NO_CONNECTION;
	default:
		return HYPERCALL_FAILED;
	}
}
