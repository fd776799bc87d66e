/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policies of guests that have none: whole, and strict where the hypervisor is not trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "control.h"
#include "policy.h"
#include "storage.h"

static void no_wait_is_without_end(void **unused)
{
	struct airlock_policy p;
	bool isolated = false;

	(void)unused;
	do {
		const u32 *wait;

		policy_defaults(&p, isolated);
		for (wait = &p.post_deadline; wait <= &p.reset_deadline; wait++)
			assert_in_range(*wait, 1000, 100000);
		assert_in_range(p.message_budget, 1, 1000);
		assert_in_range(p.packet_budget, 1, 1000);
		assert_in_range(p.channels_max, 1, 2047);
		assert_true(p.offers.burst >= p.channels_max && p.offers.per_second);
		assert_true(p.gpadl_bytes_max && p.max_transfer && p.pool_slots && p.strikes);
		assert_true(p.pool_slots * 4096ULL >= p.max_transfer);
		isolated = !isolated;
	} while (isolated);
}

static bool admits(const struct airlock_policy *p, const u8 *class)
{
	u32 i;

	for (i = 0; i < p->class_count; i++)
		if (!memcmp(p->classes[i], class, 16))
			return true;
	return !p->classes;
}

static void an_isolated_guest_admits_what_it_needs(void **unused)
{
	struct airlock_policy p;

	(void)unused;
	policy_defaults(&p, true);
	assert_true(p.isolated);
	assert_true(admits(&p, control_device_class_scsi));
	assert_true(admits(&p, control_device_class_network));
	assert_true(admits(&p, control_device_class_pci));
	assert_true(admits(&p, control_device_class_time_sync));
	assert_true(admits(&p, control_device_class_heartbeat));
	assert_true(admits(&p, control_device_class_shutdown));
	assert_int_equal(p.class_count, 6);
	assert_false(admits(&p, control_device_class_memory));
	assert_int_equal(p.version_floor, CONTROL_VERSION_5_2);
	assert_int_equal(p.storage_floor, STORAGE_VERSION_6_0);
	assert_false(p.monitors || p.hvsock);
	assert_int_equal(p.answers[OFFENCE_RING], POLICY_QUARANTINE);
}

static void an_ordinary_guest_admits_all(void **unused)
{
	struct airlock_policy p;

	(void)unused;
	policy_defaults(&p, false);
	assert_false(p.isolated);
	assert_null(p.classes);
	assert_true(p.monitors);
	assert_int_equal(p.version_floor, CONTROL_VERSION_2_4);
	assert_int_equal(p.version_ceiling, CONTROL_VERSION_6_0);
	assert_int_equal(p.storage_floor, STORAGE_VERSION_2_0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wait_is_without_end),
		cmocka_unit_test(an_isolated_guest_admits_what_it_needs),
		cmocka_unit_test(an_ordinary_guest_admits_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
