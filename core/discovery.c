// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges what a hypervisor says before there is a connection. In a guest
 * without a paravisor all of it comes from the host. A claim that contradicts what the kernel
 * knows from the hardware ends discovery; nothing is guessed in its place.
 */
#include <linux/kernel.h>

#include "discovery.h"
#include "violation.h"

/* Leaves */
#define LEAF_VPS 0x40000005		/* the last that every hypervisor has */
#define LEAF_ISOLATION 0x4000000c
#define LEAF_LAST 0x4000ffff
#define LEAF_STACK_PROPERTIES 0x40000082
#define LEAF_STACK_LAST 0x400000ff

/* "Microsoft Hv", "Hv#1", "VS#1" */
#define VENDOR_B 0x7263694d
#define VENDOR_C 0x666f736f
#define VENDOR_D 0x76482074
#define INTERFACE 0x31237648
#define STACK_SIGNATURE 0x31235356

/* Features a: SynIC, hypercalls, processor numbers; b: post messages, signal events. We use them all. */
#define FEATURES_A (1U << 2 | 1U << 5 | 1U << 6)
#define FEATURES_B (1U << 4 | 1U << 5)
#define FEATURE_B_ISOLATION (1U << 22)
#define HINT_NESTED (1U << 12)

#define ISOLATION_A_PARAVISOR (1U << 0)
#define ISOLATION_B_KIND 0xfU
#define ISOLATION_B_BOUNDARY (1U << 5)
#define ISOLATION_B_BOUNDARY_BIT_SHIFT 6
#define ISOLATION_B_BOUNDARY_BIT 0x3fU
#define PROPERTY_CONFIDENTIAL (1U << 3)

#define SYNIC_PAGE_BYTES 4096

#define SINT_MASKED (1ULL << 16)
#define SINT_AUTO_EOI (1ULL << 17)
#define SINT_POLLING (1ULL << 18)
#define SINT_PROXY (1ULL << 20)
#define SINT_DEFINED 0x1f00ffULL	/* vector, and bits 16 to 20: 19 is for hypervisors */

/* C-007 */
static bool leaves_are_sound(const struct discovery_cpuid *c)
{
	if (c->max_leaf < LEAF_VPS || c->max_leaf > LEAF_LAST)
		return false;
	if (c->vendor[0] != VENDOR_B || c->vendor[1] != VENDOR_C || c->vendor[2] != VENDOR_D)
		return false;
	if (c->interface != INTERFACE)
		return false;
	if ((c->features_a & FEATURES_A) != FEATURES_A || (c->features_b & FEATURES_B) != FEATURES_B)
		return false;
	return !(c->features_b & FEATURE_B_ISOLATION) || c->max_leaf >= LEAF_ISOLATION;
}

/*
 * The kind of isolation must be the hardware's (C-001, C-002). Only of VBS, which is the hypervisor's
 * own, the hardware knows nothing; believing in it costs us nothing but trust in the host.
 */
static int check_kind(const struct discovery_cpuid *c, const struct discovery_hardware *h,
		      struct discovery_result *d)
{
	u32 kind = DISCOVERY_NONE;

	if (c->features_b & FEATURE_B_ISOLATION)
		kind = c->isolation_b & ISOLATION_B_KIND;
	if (kind != h->kind && !(kind == DISCOVERY_VBS && h->kind == DISCOVERY_NONE))
		return CORE_RULE_DISCOVERY_ISOLATION;
	d->kind = kind;
	d->isolated = kind != DISCOVERY_NONE;
	return 0;
}

/*
 * A paravisor makes CPUID, registers and messages trustworthy: one that the kernel has not met by itself
 * does not exist (C-003), and one that denies itself is none either. Under VBS nothing rests on it.
 */
static int check_paravisor(const struct discovery_cpuid *c, const struct discovery_hardware *h,
			   struct discovery_result *d)
{
	bool claimed = d->isolated && c->isolation_a & ISOLATION_A_PARAVISOR;

	d->paravisor = h->paravisor;
	if (d->kind == DISCOVERY_VBS && claimed && !h->paravisor) {
		d->noted = CORE_RULE_DISCOVERY_PARAVISOR;
		return 0;
	}
	return claimed == h->paravisor ? 0 : CORE_RULE_DISCOVERY_PARAVISOR;
}

static u64 end_of_ram(const struct discovery_hardware *h)
{
	u64 end = 0;
	u32 i;

	for (i = 0; i < h->ram_count; i++)
		end = max(end, h->ram[i].end);
	return end;
}

/*
 * Where shared aliases of our memory begin: above all of it, and where the processor can reach
 * (C-004). Without a paravisor the page tables say what is shared, and no boundary is used.
 */
static int check_boundary(const struct discovery_cpuid *c, const struct discovery_hardware *h,
			  struct discovery_result *d)
{
	u32 bit = c->isolation_b >> ISOLATION_B_BOUNDARY_BIT_SHIFT & ISOLATION_B_BOUNDARY_BIT;

	if (!d->paravisor && d->kind != DISCOVERY_VBS)
		return 0;
	if (!(c->isolation_b & ISOLATION_B_BOUNDARY))
		return d->paravisor ? CORE_RULE_DISCOVERY_BOUNDARY : 0;
	if (bit >= h->address_bits || 1ULL << bit < end_of_ram(h))
		return CORE_RULE_DISCOVERY_BOUNDARY;
	d->boundary = 1ULL << bit;
	return 0;
}

/*
 * Confidential VMBus has us believe messages, so that it takes somebody to believe in: C-005. Where
 * policy relies on it, a host cannot talk us out of it: C-006.
 */
static int check_confidential(const struct discovery_cpuid *c, const struct airlock_policy *policy,
			      struct discovery_result *d)
{
	bool hardware = d->kind == DISCOVERY_SNP || d->kind == DISCOVERY_TDX;

	d->confidential = c->stack_max_leaf >= LEAF_STACK_PROPERTIES && c->stack_max_leaf <= LEAF_STACK_LAST &&
			  c->stack_signature == STACK_SIGNATURE && c->stack_properties & PROPERTY_CONFIDENTIAL;
	if (d->confidential && !(d->paravisor && hardware))
		return CORE_RULE_DISCOVERY_CONFIDENTIAL;
	if (policy->confidential_required && !d->confidential)
		return CORE_RULE_DISCOVERY_CONFIDENTIAL;
	return 0;
}

/* Isolated guests are not nested, whatever the hint says: other registers would be used (C-014). */
static void note_nesting(const struct discovery_cpuid *c, struct discovery_result *d)
{
	d->nested = c->hints & HINT_NESTED;
	if (d->nested && d->isolated) {
		d->nested = false;
		d->noted = CORE_RULE_DISCOVERY_NESTED;
	}
}

/**
 * discovery_check() - judge what CPUID says
 * @c: what it says
 * @h: what the kernel knows by itself
 * @policy: confidential_required counts
 * @result: what may be acted upon; only after success
 *
 * Context: any.
 * Return: 0; or CORE_RULE_DISCOVERY_LEAVES: no hypervisor of this kind, or one that lacks what VMBus needs;
 * _ISOLATION, _PARAVISOR, _BOUNDARY, _CONFIDENTIAL: a claim that cannot be true, or the lack of
 * one that has to be; _VP: fewer processor numbers than processors.
 */
int discovery_check(const struct discovery_cpuid *c, const struct discovery_hardware *h,
		    const struct airlock_policy *policy, struct discovery_result *result)
{
	struct discovery_result d = { .vps_max = c->vps_max };
	int rule;

	if (!leaves_are_sound(c))
		return CORE_RULE_DISCOVERY_LEAVES;
	rule = check_kind(c, h, &d);
	if (!rule)
		rule = check_paravisor(c, h, &d);
	if (!rule)
		rule = check_boundary(c, h, &d);
	if (!rule)
		rule = check_confidential(c, policy, &d);
	if (rule)
		return rule;
	if (c->vps_max < h->cpus)
		return CORE_RULE_DISCOVERY_VP;
	note_nesting(c, &d);
	*result = d;
	return 0;
}

/**
 * discovery_check_vp() - judge the number the hypervisor has for a processor
 * @d: what is known of the hypervisor
 * @others: the numbers of other processors
 * @count: how many of them
 * @vp: the number, as its register reads
 *
 * Interrupts go where these numbers say (C-008).
 *
 * Context: any.
 * Return: 0, or CORE_RULE_DISCOVERY_VP: too large, or another processor's.
 */
int discovery_check_vp(const struct discovery_result *d, const u32 *others, u32 count, u32 vp)
{
	u32 i;

	if (vp >= d->vps_max)
		return CORE_RULE_DISCOVERY_VP;
	for (i = 0; i < count; i++)
		if (others[i] == vp)
			return CORE_RULE_DISCOVERY_VP;
	return 0;
}

/**
 * discovery_page() - the page a SynIC register names
 * @d: what is known of the hypervisor
 * @value: of a SIMP or SIEFP register; it may name the shared alias of the page
 *
 * Context: any.
 * Return: its address, below the boundary.
 */
u64 discovery_page(const struct discovery_result *d, u64 value)
{
	return value & ~d->boundary & ~(u64)(SYNIC_PAGE_BYTES - 1);
}

/**
 * discovery_check_page() - judge a page that is to be mapped as part of a SynIC
 * @h: where our memory is
 * @others: addresses of pages of the SynIC that are known, of all processors
 * @count: how many of them
 * @page: the address, of discovery_page()
 *
 * The host chose it: it could be memory of ours, or two things at once (C-009).
 *
 * Context: any.
 * Return: 0, or CORE_RULE_DISCOVERY_PAGES.
 */
int discovery_check_page(const struct discovery_hardware *h, const u64 *others, u32 count, u64 page)
{
	u32 i;

	if (!page || page >> h->address_bits)
		return CORE_RULE_DISCOVERY_PAGES;
	for (i = 0; i < h->ram_count; i++)
		if (page < h->ram[i].end && h->ram[i].start < page + SYNIC_PAGE_BYTES)
			return CORE_RULE_DISCOVERY_PAGES;
	for (i = 0; i < count; i++)
		if (others[i] == page)
			return CORE_RULE_DISCOVERY_PAGES;
	return 0;
}

/**
 * discovery_sint_value() - compose a SINT register
 * @value: what it reads now, as the host likes
 * @s: how it is to be
 *
 * All that has a meaning is ours (C-010), the rest stays as it is.
 *
 * Context: any.
 * Return: the value to write.
 */
u64 discovery_sint_value(u64 value, const struct discovery_sint *s)
{
	value &= ~SINT_DEFINED;
	value |= s->vector;
	if (s->masked)
		value |= SINT_MASKED;
	if (s->auto_eoi)
		value |= SINT_AUTO_EOI;
	if (s->polling)
		value |= SINT_POLLING;
	if (s->proxy)
		value |= SINT_PROXY;
	return value;
}
