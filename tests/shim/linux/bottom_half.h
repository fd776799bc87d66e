/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasklets of this processor wait. */
#ifndef AIRLOCK_SHIM_BOTTOM_HALF_H
#define AIRLOCK_SHIM_BOTTOM_HALF_H

void local_bh_disable(void);
void local_bh_enable(void);

#endif
