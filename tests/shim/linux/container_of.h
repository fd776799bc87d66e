/* SPDX-License-Identifier: GPL-2.0-only */
/* From a member to what it is a member of. */
#ifndef AIRLOCK_SHIM_CONTAINER_OF_H
#define AIRLOCK_SHIM_CONTAINER_OF_H

#include <stddef.h>

#define container_of(p, type, member) ({                                                      \
	const __typeof__(((type *)0)->member) *shim_member = (p);                             \
	(type *)((char *)(unsigned long)shim_member - offsetof(type, member));                \
})

#endif
