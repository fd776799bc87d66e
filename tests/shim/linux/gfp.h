/* SPDX-License-Identifier: GPL-2.0-only */
/* What an allocation may do to succeed. */
#ifndef AIRLOCK_SHIM_GFP_H
#define AIRLOCK_SHIM_GFP_H

typedef unsigned int gfp_t;

#define __GFP_DIRECT_RECLAIM 0x001U	/* may sleep */
#define __GFP_HIGH 0x002U
#define __GFP_ZERO 0x100U
#define __GFP_NOWARN 0x200U
#define __GFP_NORETRY 0x400U

#define GFP_KERNEL (__GFP_DIRECT_RECLAIM)
#define GFP_ATOMIC (__GFP_HIGH)
#define GFP_NOWAIT 0U

#endif
