/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From host memory to the use of a believed value, for Eva: host memory is volatile, so
 * each read of it may give another value. Fetched once and validated, the relid is a safe
 * index. With DOUBLE_FETCH the same code looks at the original again: Eva must alarm.
 */
#include "access.h"
#include "control.h"

#define RELIDS 2048

volatile u8 shared[244];		/* written by the host at any time */
static u8 private_copy[sizeof(shared)];
static int channels[RELIDS];

int receive_rescind(u32 size)
{
	const struct control_context ctx = { .relid_max = RELIDS - 1 };
	struct control_rescind m;

	if (size > sizeof(shared))
		return -1;
	host_fetch(private_copy, (const u8 __host *)(unsigned long)shared, size);
	if (control_check_rescind(private_copy, size, &ctx, &m))
		return -1;
#ifdef DOUBLE_FETCH
	return channels[shared[8] | shared[9] << 8];
#else
	return channels[m.relid];
#endif
}
