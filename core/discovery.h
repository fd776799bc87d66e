/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may be believed of what a hypervisor says of itself and of this guest: its CPUID leaves, the
 * numbers of processors, the SynIC's registers. Judged here from plain values, before anything is
 * done on their strength. What the kernel has learnt from the hardware wins.
 */
#ifndef AIRLOCK_DISCOVERY_H
#define AIRLOCK_DISCOVERY_H

#include <linux/types.h>

#include "policy.h"

/* As CPUID 0x4000000c numbers them. */
enum discovery_kind { DISCOVERY_NONE, DISCOVERY_VBS, DISCOVERY_SNP, DISCOVERY_TDX };

/* Registers of leaves, as read; of a leaf that does not exist, anything. */
struct discovery_cpuid {
	u32 max_leaf, vendor[3];		/* 0x40000000: eax; ebx, ecx, edx */
	u32 interface;				/* 0x40000001: eax */
	u32 features_a, features_b;		/* 0x40000003: eax, ebx */
	u32 hints;				/* 0x40000004: eax */
	u32 vps_max;				/* 0x40000005: eax */
	u32 isolation_a, isolation_b;		/* 0x4000000c: eax, ebx */
	u32 stack_max_leaf;			/* 0x40000080: eax */
	u32 stack_signature;			/* 0x40000081: eax */
	u32 stack_properties;			/* 0x40000082: eax */
};

struct discovery_range { u64 start, end; };	/* bytes; the end is not part of it */

/* What the kernel knows without asking the hypervisor. */
struct discovery_hardware {
	enum discovery_kind kind;		/* NONE, SNP or TDX */
	bool paravisor;				/* one is above us: vTOM, or a partition of a TD */
	u32 address_bits;			/* of physical addresses, at most 63 */
	const struct discovery_range *ram;
	u32 ram_count;
	u32 cpus;
};

struct discovery_result {
	bool isolated;
	enum discovery_kind kind;
	bool paravisor;				/* CPUID, native registers and messages are its own, and trusted */
	bool confidential;			/* VMBus messages and rings can be kept from the host */
	bool nested;				/* nested SynIC registers and hypercalls */
	u64 boundary;				/* addresses from here on are shared aliases; 0: none */
	u32 vps_max;
	u32 noted;				/* CORE_RULE_* of a claim that was not believed, and does no harm; 0 */
};

/* 0 and the result, or the CORE_RULE_DISCOVERY_* broken: then there is no VMBus for this guest. */
int __must_check discovery_check(const struct discovery_cpuid *c, const struct discovery_hardware *h,
				 const struct airlock_policy *policy, struct discovery_result *result);

/* 0 or CORE_RULE_DISCOVERY_VP: the number of one more processor, when @count @others are known. */
int __must_check discovery_check_vp(const struct discovery_result *d, const u32 *others, u32 count, u32 vp);

/* The address of the page a SIMP or SIEFP register holds. */
u64 discovery_page(const struct discovery_result *d, u64 value);
/* 0 or CORE_RULE_DISCOVERY_PAGES: one more page of a SynIC, named by a register the host answers for. */
int __must_check discovery_check_page(const struct discovery_hardware *h, const u64 *others, u32 count, u64 page);

/* How we want a synthetic interrupt source to be. */
struct discovery_sint {
	u8 vector;
	bool masked, auto_eoi, polling, proxy;
};

/* The value to write to a SINT register that now reads @value. */
u64 discovery_sint_value(u64 value, const struct discovery_sint *s);

#endif
