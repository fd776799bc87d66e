/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces of kernel memory. */
#ifndef AIRLOCK_SHIM_UIO_H
#define AIRLOCK_SHIM_UIO_H

#include <linux/types.h>

struct kvec {
	void *iov_base;
	size_t iov_len;
};

#endif
