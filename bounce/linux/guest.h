/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How pages change sides in a real guest; one table for each kind of guest. Which kind this
 * is, the kernel's own detection of the hardware decides, never the host's word alone (C-001).
 */
#ifndef AIRLOCK_LINUX_GUEST_H
#define AIRLOCK_LINUX_GUEST_H

#include "visibility.h"

extern const struct visibility_ops visibility_plain;	/* the hypervisor sees everything anyway */
extern const struct visibility_ops visibility_vbs;
extern const struct visibility_ops visibility_sev_snp;	/* with a paravisor and without */
extern const struct visibility_ops visibility_tdx;

#endif
