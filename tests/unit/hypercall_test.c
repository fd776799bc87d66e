// SPDX-License-Identifier: GPL-2.0-only
/*
 * What result words of hypercalls are taken for: nothing but the one that says so is success.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "transport.h"

/* By the catalogue, 2.5. */
static enum hypercall_verdict expected(u32 status)
{
	if (status == 0)
		return HYPERCALL_DONE;
	if (status == 0x0b || status == 0x13 || status == 0x78)
		return HYPERCALL_RETRY;
	return status == 0x12 ? HYPERCALL_NO_CONNECTION : HYPERCALL_FAILED;
}

static void each_status_has_its_meaning(void **state)
{
	u32 status;

	(void)state;
	for (status = 0; status <= 0xffff; status++)
		assert_int_equal(hypercall_verdict(status), expected(status));
}

static void a_word_with_any_other_bit_is_a_failure(void **state)
{
	static const u32 statuses[] = { 0, 0x0b, 0x12, 0x13, 0x78, 0xffff };
	u32 bit, i;

	(void)state;
	for (bit = 16; bit < 64; bit++)
		for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
			assert_int_equal(hypercall_verdict(statuses[i] | 1ULL << bit), HYPERCALL_FAILED);
	assert_int_equal(hypercall_verdict(~0ULL), HYPERCALL_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_status_has_its_meaning),
		cmocka_unit_test(a_word_with_any_other_bit_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
