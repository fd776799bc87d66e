// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hypervisor says of itself, honest and not: each honest guest starts, and each claim that
 * cannot be true is refused by its rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kernel.h>

#include "discovery.h"
#include "violation.h"

#define VTOM 46		/* the bit of the boundary */

static struct discovery_cpuid cpuid;
static struct discovery_hardware hardware;
static struct airlock_policy policy;
static struct discovery_result result;

static const struct discovery_range ram[] = { { 0, 0xc0000000 }, { 0x100000000, 0x240000000 } };

/* An ordinary guest. */
static void ordinary(void)
{
	cpuid = (struct discovery_cpuid){
		.max_leaf = 0x4000000c, .vendor = { 0x7263694d, 0x666f736f, 0x76482074 }, .interface = 0x31237648,
		.features_a = 0xe7f, .features_b = 0x30, .vps_max = 64,
	};
	hardware = (struct discovery_hardware){
		.kind = DISCOVERY_NONE, .address_bits = 48, .ram = ram, .ram_count = ARRAY_SIZE(ram), .cpus = 4,
	};
	policy = (struct airlock_policy){ 0 };
}

static void isolated(enum discovery_kind kind)
{
	ordinary();
	cpuid.features_b |= 1U << 22;
	cpuid.isolation_b = kind;
	hardware.kind = kind == DISCOVERY_VBS ? DISCOVERY_NONE : kind;
}

static void below_a_paravisor(enum discovery_kind kind)
{
	isolated(kind);
	cpuid.isolation_a = 1;
	cpuid.isolation_b |= 1U << 5 | VTOM << 6;
	hardware.paravisor = true;
}

static void confidential(enum discovery_kind kind)
{
	below_a_paravisor(kind);
	cpuid.stack_max_leaf = 0x40000082;
	cpuid.stack_signature = 0x31235356;
	cpuid.stack_properties = 1U << 3;
}

static void assert_refused(int rule)
{
	struct discovery_result before;

	memset(&result, 0xa5, sizeof(result));
	memcpy(&before, &result, sizeof(before));
	assert_int_equal(discovery_check(&cpuid, &hardware, &policy, &result), rule);
	assert_memory_equal(&result, &before, sizeof(result));
}

static void assert_accepted(void)
{
	memset(&result, 0xa5, sizeof(result));
	assert_int_equal(discovery_check(&cpuid, &hardware, &policy, &result), 0);
}

/* ---- honest ones ---- */

static void an_ordinary_guest_starts(void **state)
{
	(void)state;
	ordinary();
	assert_accepted();
	assert_int_equal(result.kind, DISCOVERY_NONE);
	assert_false(result.isolated || result.paravisor || result.confidential || result.nested);
	assert_true(result.boundary == 0);
	assert_int_equal(result.vps_max, 64);
	assert_int_equal(result.noted, 0);
	cpuid.max_leaf = 0x40000005;
	assert_accepted();
}

static void an_isolated_guest_starts(void **state)
{
	enum discovery_kind kind;

	(void)state;
	for (kind = DISCOVERY_VBS; kind <= DISCOVERY_TDX; kind++) {
		isolated(kind);
		assert_accepted();
		assert_true(result.isolated);
		assert_int_equal(result.kind, kind);
		assert_false(result.paravisor || result.confidential);
		assert_true(result.boundary == 0);
	}
}

static void a_guest_below_a_paravisor_starts(void **state)
{
	enum discovery_kind kind;

	(void)state;
	for (kind = DISCOVERY_SNP; kind <= DISCOVERY_TDX; kind++) {
		below_a_paravisor(kind);
		assert_accepted();
		assert_true(result.isolated && result.paravisor);
		assert_false(result.confidential);
		assert_true(result.boundary == 1ULL << VTOM);
		confidential(kind);
		assert_accepted();
		assert_true(result.confidential);
		policy.confidential_required = true;
		assert_accepted();
		assert_true(result.confidential);
	}
}

/* ---- C-007 ---- */

static void a_hypervisor_of_another_kind_is_refused(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ordinary();
		cpuid.vendor[i] ^= 1;
		assert_refused(CORE_RULE_DISCOVERY_LEAVES);
	}
	ordinary();
	cpuid.interface = 0;
	assert_refused(CORE_RULE_DISCOVERY_LEAVES);
}

static void absurd_numbers_of_leaves_are_refused(void **state)
{
	static const u32 absurd[] = { 0, 5, 0x40000004, 0x40010000, 0xffffffff };
	u32 i;

	(void)state;
	ordinary();
	for (i = 0; i < ARRAY_SIZE(absurd); i++) {
		cpuid.max_leaf = absurd[i];
		assert_refused(CORE_RULE_DISCOVERY_LEAVES);
	}
	cpuid.max_leaf = 0x4000ffff;
	assert_accepted();
}

static void what_vmbus_cannot_do_without_must_be_there(void **state)
{
	static const u32 a[] = { 2, 5, 6 }, b[] = { 4, 5 };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(a); i++) {
		ordinary();
		cpuid.features_a &= ~(1U << a[i]);
		assert_refused(CORE_RULE_DISCOVERY_LEAVES);
	}
	for (i = 0; i < ARRAY_SIZE(b); i++) {
		ordinary();
		cpuid.features_b &= ~(1U << b[i]);
		assert_refused(CORE_RULE_DISCOVERY_LEAVES);
	}
	ordinary();
	cpuid.features_a = 1U << 2 | 1U << 5 | 1U << 6;
	assert_accepted();
}

static void isolation_without_its_leaf_is_refused(void **state)
{
	(void)state;
	isolated(DISCOVERY_SNP);
	cpuid.max_leaf = 0x4000000b;
	assert_refused(CORE_RULE_DISCOVERY_LEAVES);
}

/* ---- C-001, C-002 ---- */

static void isolation_is_what_the_hardware_says(void **state)
{
	u32 claimed, kind;

	(void)state;
	for (kind = DISCOVERY_NONE; kind <= DISCOVERY_TDX; kind++)
		for (claimed = 0; claimed < 16; claimed++) {
			if (kind == DISCOVERY_VBS)
				continue;
			isolated(kind);
			cpuid.isolation_b = claimed;
			if (claimed == kind || (kind == DISCOVERY_NONE && claimed == DISCOVERY_VBS)) {
				assert_accepted();
				assert_int_equal(result.kind, claimed);
			} else {
				assert_refused(CORE_RULE_DISCOVERY_ISOLATION);
			}
		}
}

static void isolation_cannot_be_hidden(void **state)
{
	enum discovery_kind kind;

	(void)state;
	for (kind = DISCOVERY_SNP; kind <= DISCOVERY_TDX; kind++) {
		isolated(kind);
		cpuid.features_b &= ~(1U << 22);
		assert_refused(CORE_RULE_DISCOVERY_ISOLATION);
		cpuid.isolation_b = 0;
		assert_refused(CORE_RULE_DISCOVERY_ISOLATION);
	}
}

static void the_isolation_leaf_means_nothing_without_its_feature(void **state)
{
	(void)state;
	ordinary();
	cpuid.isolation_a = 1;
	cpuid.isolation_b = DISCOVERY_TDX | 1U << 5;
	assert_accepted();
	assert_false(result.isolated || result.paravisor);
	assert_true(result.boundary == 0);
}

/* ---- C-003 ---- */

static void a_paravisor_the_kernel_has_not_met_is_refused(void **state)
{
	enum discovery_kind kind;

	(void)state;
	for (kind = DISCOVERY_SNP; kind <= DISCOVERY_TDX; kind++) {
		below_a_paravisor(kind);
		hardware.paravisor = false;
		assert_refused(CORE_RULE_DISCOVERY_PARAVISOR);
		below_a_paravisor(kind);
		cpuid.isolation_a = 0;
		assert_refused(CORE_RULE_DISCOVERY_PARAVISOR);
		cpuid.isolation_a = ~1U;
		assert_refused(CORE_RULE_DISCOVERY_PARAVISOR);
	}
	ordinary();
	hardware.paravisor = true;
	assert_refused(CORE_RULE_DISCOVERY_PARAVISOR);
}

static void under_vbs_a_claimed_paravisor_is_not_believed(void **state)
{
	(void)state;
	isolated(DISCOVERY_VBS);
	cpuid.isolation_a = 1;
	assert_accepted();
	assert_true(result.isolated);
	assert_false(result.paravisor);
	assert_int_equal(result.noted, CORE_RULE_DISCOVERY_PARAVISOR);
}

/* ---- C-004 ---- */

static void a_boundary_lies_above_memory_and_within_reach(void **state)
{
	u32 bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		below_a_paravisor(DISCOVERY_SNP);
		cpuid.isolation_b = DISCOVERY_SNP | 1U << 5 | bit << 6;
		if (bit >= 34 && bit < 48) {	/* memory ends at 9 GiB */
			assert_accepted();
			assert_true(result.boundary == 1ULL << bit);
		} else {
			assert_refused(CORE_RULE_DISCOVERY_BOUNDARY);
		}
	}
}

static void a_boundary_may_be_where_memory_ends(void **state)
{
	static const struct discovery_range exact = { 0, 1ULL << 40 };

	(void)state;
	below_a_paravisor(DISCOVERY_TDX);
	hardware.ram = &exact;
	hardware.ram_count = 1;
	cpuid.isolation_b = DISCOVERY_TDX | 1U << 5 | 40U << 6;
	assert_accepted();
	cpuid.isolation_b = DISCOVERY_TDX | 1U << 5 | 39U << 6;
	assert_refused(CORE_RULE_DISCOVERY_BOUNDARY);
}

static void below_a_paravisor_there_is_a_boundary(void **state)
{
	(void)state;
	below_a_paravisor(DISCOVERY_SNP);
	cpuid.isolation_b &= ~(1U << 5);
	assert_refused(CORE_RULE_DISCOVERY_BOUNDARY);
}

static void vbs_may_have_a_boundary(void **state)
{
	(void)state;
	isolated(DISCOVERY_VBS);
	assert_accepted();
	assert_true(result.boundary == 0);
	cpuid.isolation_b |= 1U << 5 | 45U << 6;
	assert_accepted();
	assert_true(result.boundary == 1ULL << 45);
	cpuid.isolation_b |= 63U << 6;
	assert_refused(CORE_RULE_DISCOVERY_BOUNDARY);
}

static void without_a_paravisor_no_boundary_is_used(void **state)
{
	u32 bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		isolated(DISCOVERY_TDX);
		cpuid.isolation_b |= 1U << 5 | bit << 6;
		assert_accepted();
		assert_true(result.boundary == 0);
	}
}

/* ---- C-005, C-006 ---- */

static void confidential_vmbus_takes_a_paravisor_and_hardware(void **state)
{
	enum discovery_kind kind;

	(void)state;
	for (kind = DISCOVERY_NONE; kind <= DISCOVERY_TDX; kind++) {
		isolated(kind);
		cpuid.stack_max_leaf = 0x40000082;
		cpuid.stack_signature = 0x31235356;
		cpuid.stack_properties = 0xffffffff;
		assert_refused(CORE_RULE_DISCOVERY_CONFIDENTIAL);
		cpuid.stack_properties = ~(1U << 3);
		assert_accepted();
		assert_false(result.confidential);
	}
}

static void a_leaf_that_is_not_there_says_nothing(void **state)
{
	static const u32 absent[] = { 0, 0x40000081, 0x40000100, 0xffffffff };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		confidential(DISCOVERY_SNP);
		cpuid.stack_max_leaf = absent[i];
		assert_accepted();
		assert_false(result.confidential);
	}
	confidential(DISCOVERY_SNP);
	cpuid.stack_max_leaf = 0x400000ff;
	assert_accepted();
	assert_true(result.confidential);
	cpuid.stack_signature ^= 0x100;
	assert_accepted();
	assert_false(result.confidential);
}

static void what_policy_relies_on_cannot_be_taken_away(void **state)
{
	(void)state;
	confidential(DISCOVERY_TDX);
	policy.confidential_required = true;
	assert_accepted();
	cpuid.stack_properties = 0;
	assert_refused(CORE_RULE_DISCOVERY_CONFIDENTIAL);
	confidential(DISCOVERY_TDX);
	policy.confidential_required = true;
	cpuid.stack_max_leaf = 0;
	assert_refused(CORE_RULE_DISCOVERY_CONFIDENTIAL);
	ordinary();
	policy.confidential_required = true;
	assert_refused(CORE_RULE_DISCOVERY_CONFIDENTIAL);
}

/* ---- C-014 ---- */

static void isolated_guests_are_not_nested(void **state)
{
	(void)state;
	ordinary();
	cpuid.hints = 1U << 12;
	assert_accepted();
	assert_true(result.nested);
	assert_int_equal(result.noted, 0);
	isolated(DISCOVERY_SNP);
	cpuid.hints = 0xffffffff;
	assert_accepted();
	assert_false(result.nested);
	assert_int_equal(result.noted, CORE_RULE_DISCOVERY_NESTED);
}

/* ---- C-008 ---- */

static void there_are_as_many_numbers_as_processors(void **state)
{
	(void)state;
	ordinary();
	hardware.cpus = 65;
	assert_refused(CORE_RULE_DISCOVERY_VP);
	hardware.cpus = 64;
	assert_accepted();
	cpuid.vps_max = 0;
	assert_refused(CORE_RULE_DISCOVERY_VP);
}

static void a_processor_has_a_number_of_its_own(void **state)
{
	static const u32 others[] = { 0, 7, 63 };
	u32 vp;

	(void)state;
	ordinary();
	assert_accepted();
	for (vp = 0; vp < 70; vp++)
		assert_int_equal(discovery_check_vp(&result, others, 3, vp),
				 vp == 0 || vp == 7 || vp >= 63 ? CORE_RULE_DISCOVERY_VP : 0);
	assert_int_equal(discovery_check_vp(&result, others, 2, 63), 0);
	assert_int_equal(discovery_check_vp(&result, NULL, 0, 0), 0);
	assert_int_equal(discovery_check_vp(&result, NULL, 0, 0xffffffff), CORE_RULE_DISCOVERY_VP);
}

/* ---- C-009 ---- */

static void a_page_of_a_synic_is_nobody_elses(void **state)
{
	static const u64 others[] = { 0xd0000000, 0x1000000000 };
	static const struct { u64 page; bool good; } pages[] = {
		{ 0, false }, { 0x1000, false }, { 0xbffff000, false }, { 0xc0000000, true }, { 0xcffff000, true },
		{ 0xd0000000, false }, { 0xd0001000, true }, { 0xfffff000, true }, { 0x100000000, false },
		{ 0x23ffff000, false }, { 0x240000000, true }, { 0x1000000000, false }, { 0xfffffffff000, true },
		{ 0x1000000000000, false }, { 0xfffffffffffff000, false },
	};
	u32 i;

	(void)state;
	ordinary();
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		assert_int_equal(discovery_check_page(&hardware, others, 2, pages[i].page),
				 pages[i].good ? 0 : CORE_RULE_DISCOVERY_PAGES);
}

static void memory_that_ends_inside_of_a_page_is_memory(void **state)
{
	static const struct discovery_range odd = { 0x100800, 0x101800 };

	(void)state;
	ordinary();
	hardware.ram = &odd;
	hardware.ram_count = 1;
	assert_int_equal(discovery_check_page(&hardware, NULL, 0, 0xff000), 0);
	assert_int_equal(discovery_check_page(&hardware, NULL, 0, 0x100000), CORE_RULE_DISCOVERY_PAGES);
	assert_int_equal(discovery_check_page(&hardware, NULL, 0, 0x101000), CORE_RULE_DISCOVERY_PAGES);
	assert_int_equal(discovery_check_page(&hardware, NULL, 0, 0x102000), 0);
}

static void a_register_names_a_page_or_its_shared_alias(void **state)
{
	(void)state;
	ordinary();
	assert_accepted();
	assert_true(discovery_page(&result, 0xd0001fff) == 0xd0001000);
	assert_true(discovery_page(&result, 1) == 0);
	below_a_paravisor(DISCOVERY_SNP);
	assert_accepted();
	assert_true(discovery_page(&result, 1ULL << VTOM | 0xd0001001) == 0xd0001000);
	assert_true(discovery_page(&result, 1ULL << 47 | 0xd0001001) == (1ULL << 47 | 0xd0001000));
}

/* ---- C-010 ---- */

static void a_sint_is_written_whole(void **state)
{
	struct discovery_sint s = { .vector = 0xf3 };
	u64 value;

	(void)state;
	assert_true(discovery_sint_value(0, &s) == 0xf3);
	assert_true(discovery_sint_value(~0ULL, &s) == 0xffffffffffe0fff3);
	s.masked = true;
	assert_true(discovery_sint_value(0, &s) == 0x100f3);
	s = (struct discovery_sint){ .auto_eoi = true };
	assert_true(discovery_sint_value(0xff, &s) == 0x20000);
	s = (struct discovery_sint){ .polling = true };
	assert_true(discovery_sint_value(0x8000000000000000, &s) == 0x8000000000040000);
	s = (struct discovery_sint){ .proxy = true };
	assert_true(discovery_sint_value(0x1f0000, &s) == 0x100000);
	for (value = 1; value; value <<= 1)
		assert_true(discovery_sint_value(value, &s) == (0x100000 | (value & ~0x1f00ffULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_guest_starts),
		cmocka_unit_test(an_isolated_guest_starts),
		cmocka_unit_test(a_guest_below_a_paravisor_starts),
		cmocka_unit_test(a_hypervisor_of_another_kind_is_refused),
		cmocka_unit_test(absurd_numbers_of_leaves_are_refused),
		cmocka_unit_test(what_vmbus_cannot_do_without_must_be_there),
		cmocka_unit_test(isolation_without_its_leaf_is_refused),
		cmocka_unit_test(isolation_is_what_the_hardware_says),
		cmocka_unit_test(isolation_cannot_be_hidden),
		cmocka_unit_test(the_isolation_leaf_means_nothing_without_its_feature),
		cmocka_unit_test(a_paravisor_the_kernel_has_not_met_is_refused),
		cmocka_unit_test(under_vbs_a_claimed_paravisor_is_not_believed),
		cmocka_unit_test(a_boundary_lies_above_memory_and_within_reach),
		cmocka_unit_test(a_boundary_may_be_where_memory_ends),
		cmocka_unit_test(below_a_paravisor_there_is_a_boundary),
		cmocka_unit_test(vbs_may_have_a_boundary),
		cmocka_unit_test(without_a_paravisor_no_boundary_is_used),
		cmocka_unit_test(confidential_vmbus_takes_a_paravisor_and_hardware),
		cmocka_unit_test(a_leaf_that_is_not_there_says_nothing),
		cmocka_unit_test(what_policy_relies_on_cannot_be_taken_away),
		cmocka_unit_test(isolated_guests_are_not_nested),
		cmocka_unit_test(there_are_as_many_numbers_as_processors),
		cmocka_unit_test(a_processor_has_a_number_of_its_own),
		cmocka_unit_test(a_page_of_a_synic_is_nobody_elses),
		cmocka_unit_test(memory_that_ends_inside_of_a_page_is_memory),
		cmocka_unit_test(a_register_names_a_page_or_its_shared_alias),
		cmocka_unit_test(a_sint_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
