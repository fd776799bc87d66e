/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loop that waits for another processor calls. */
#ifndef AIRLOCK_SHIM_PROCESSOR_H
#define AIRLOCK_SHIM_PROCESSOR_H

void cpu_relax(void);

#endif
