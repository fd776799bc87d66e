// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory in simulated guests of each kind: what the host sees of it, what it never
 * sees, and what becomes of it when any step on its way fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "hostmem.h"
#include "memory.h"
#include "shim.h"

#define PAGES 40		/* of most memory here: several runs */
#define GUEST 400		/* pages of a guest */

static const enum sim_kind kinds[] = { SIM_PLAIN, SIM_SNP, SIM_TDX, SIM_VBS };

/*
 * The simulated guest with a look at each step: its pages come full of secrets, and what
 * happens to them is written down.
 */
static struct visibility_ops ops;
static struct visibility v;
static struct visibility *sim;

static struct {
	char steps[64];			/* s: share, m: map, u: unmap, r: revoke, f: free */
	u32 largest;			/* run that can be had; 0: any */
	bool no_room;			/* to map */
	u32 dirty_shares, dirty_frees;	/* of pages that were not cleared */
} seen;

static void note(char step)
{
	size_t n = strlen(seen.steps);

	if (n + 1 < sizeof(seen.steps) && (!n || seen.steps[n - 1] != step))
		seen.steps[n] = step;
}

static void *dirty_alloc(struct visibility *self, u32 pages)
{
	u8 *at;
	size_t i;

	(void)self;
	if (seen.largest && pages > seen.largest)
		return NULL;
	at = sim->ops->alloc(sim, pages);
	for (i = 0; at && i < pages * PAGE_SIZE; i += sizeof(sim_secret))
		memcpy(at + i, sim_secret, sizeof(sim_secret));
	return at;
}

static void noted_free(struct visibility *self, void *at, u32 pages)
{
	(void)self;
	note('f');
	seen.dirty_frees += memchr_inv(at, 0, pages * PAGE_SIZE) != NULL;
	sim->ops->free(sim, at, pages);
}

static int noted_share(struct visibility *self, void *at, u32 pages)
{
	(void)self;
	note('s');
	seen.dirty_shares += memchr_inv(at, 0, pages * PAGE_SIZE) != NULL;
	return sim->ops->share(sim, at, pages);
}

static int noted_revoke(struct visibility *self, void *at, u32 pages)
{
	(void)self;
	note('r');
	return sim->ops->revoke(sim, at, pages);
}

static u8 __host *noted_map(struct visibility *self, const struct page_run *runs, u32 count, bool private)
{
	(void)self;
	note('m');
	return seen.no_room ? NULL : sim->ops->map(sim, runs, count, private);
}

static void noted_unmap(struct visibility *self, u8 __host *at)
{
	(void)self;
	note('u');
	sim->ops->unmap(sim, at);
}

static void start(enum sim_kind kind)
{
	shim_start(false, 1);
	sim_start(kind, GUEST);
	sim = sim_visibility();
	memset(&seen, 0, sizeof(seen));
	memset(&v, 0, sizeof(v));
	ops = *sim->ops;
	ops.alloc = dirty_alloc;
	ops.free = noted_free;
	ops.share = noted_share;
	ops.revoke = noted_revoke;
	ops.map = noted_map;
	ops.unmap = noted_unmap;
	v.ops = &ops;
}

/* As many pages as were leaked are missing, and no other memory is. */
static void stop(void)
{
	assert_int_equal(atomic_read(&v.shared), 0);
	assert_int_equal(seen.dirty_shares, 0);
	assert_int_equal(seen.dirty_frees, 0);
	assert_true(shim_allocated() == 0);
	sim_stop(atomic_read(&v.leaked));
	shim_stop();
}

static void assert_zeroed(const struct hostmem *m)
{
	static const struct hostmem none;

	assert_memory_equal(m, &none, sizeof(none));
}

static u8 *page_of_host(const struct hostmem *m, u32 page)
{
	return sim_host_memory(hostmem_gfn(m, page), 0, PAGE_SIZE);
}

static void fill_by_host(const struct hostmem *m)
{
	u32 page;

	for (page = 0; page < m->pages; page++)
		memset(page_of_host(m, page), 0xbb, PAGE_SIZE);
}

/* ---- what the host sees ---- */

static void the_host_sees_zeros_and_nothing_else(void **state)
{
	struct hostmem m;
	u32 i, page;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
		assert_int_equal(m.pages, PAGES);
		assert_int_equal(atomic_read(&v.shared), PAGES);
		for (page = 0; page < PAGES; page++) {
			assert_true(sim_is_shared(hostmem_gfn(&m, page)));
			assert_null(memchr_inv(page_of_host(&m, page), 0, PAGE_SIZE));
		}
		assert_true(kinds[i] == SIM_PLAIN || !sim_secret_shows());
		hostmem_destroy(&m, true);
		stop();
	}
}

/* Guest and host mean the same page by the same number, and all of them are different. */
static void pages_are_mapped_in_the_order_of_their_numbers(void **state)
{
	struct hostmem m;
	u32 i, page;
	u8 byte;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
		for (page = 0; page < PAGES; page++)
			page_of_host(&m, page)[page] = page + 1;
		for (page = 0; page < PAGES; page++) {
			host_fetch(&byte, m.at + page * PAGE_SIZE + page, 1);
			assert_int_equal(byte, page + 1);
		}
		hostmem_clear(&m);
		for (page = 0; page < PAGES; page++)
			assert_null(memchr_inv(page_of_host(&m, page), 0, PAGE_SIZE));
		hostmem_destroy(&m, true);
		stop();
	}
}

static void pages_that_are_not_there_have_no_number(void **state)
{
	struct hostmem m, none = { 0 };

	(void)state;
	start(SIM_SNP);
	assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
	assert_true(hostmem_gfn(&m, PAGES - 1) != 0);
	assert_true(hostmem_gfn(&m, PAGES) == 0);
	assert_true(hostmem_gfn(&m, 0xffffffff) == 0);
	assert_true(hostmem_gfn(&none, 0) == 0);
	hostmem_destroy(&m, true);
	stop();
}

static void private_memory_is_cleared_and_mapped_but_never_shown(void **state)
{
	struct hostmem m;
	u8 byte = 1;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		assert_int_equal(hostmem_create(&m, &v, PAGES, true), 0);
		assert_int_equal(atomic_read(&v.changes), 0);
		assert_true(kinds[i] == SIM_PLAIN || sim_shared_pages() == 0);
		host_fetch(&byte, m.at + PAGES * PAGE_SIZE - 1, 1);
		assert_int_equal(byte, 0);
		hostmem_destroy(&m, true);
		assert_string_equal(seen.steps, "muf");
		assert_int_equal(atomic_read(&v.leaked), 0);
		stop();
	}
}

/* ---- its end ---- */

static void memory_is_unmapped_revoked_cleared_and_freed_in_this_order(void **state)
{
	struct hostmem m;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		assert_int_equal(hostmem_create(&m, &v, 10, false), 0);
		fill_by_host(&m);
		hostmem_destroy(&m, true);
		assert_string_equal(seen.steps, "smurf");
		assert_zeroed(&m);
		assert_int_equal(atomic_read(&v.leaked), 0);
		stop();
	}
}

/* C-209, C-210: revoking is what counts, where the hardware enforces it. */
static void what_an_isolated_guest_has_revoked_is_freed_whatever_the_host_says(void **state)
{
	struct hostmem m;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i] == SIM_PLAIN)
			continue;
		start(kinds[i]);
		assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
		hostmem_destroy(&m, false);
		assert_int_equal(atomic_read(&v.leaked), 0);
		stop();
	}
}

static void what_an_ordinary_host_has_not_given_back_is_leaked(void **state)
{
	struct hostmem m;

	(void)state;
	start(SIM_PLAIN);
	assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
	hostmem_destroy(&m, false);
	assert_string_equal(seen.steps, "smu");
	assert_zeroed(&m);
	assert_int_equal(atomic_read(&v.leaked), PAGES);
	stop();
}

/* Nothing was shared, so nothing can be revoked: the paravisor may still write there. */
static void private_memory_that_was_not_given_back_is_leaked(void **state)
{
	struct hostmem m;

	(void)state;
	start(SIM_SNP);
	assert_int_equal(hostmem_create(&m, &v, PAGES, true), 0);
	hostmem_destroy(&m, false);
	assert_int_equal(atomic_read(&v.leaked), PAGES);
	stop();
}

static void what_was_never_made_is_destroyed_without_effect(void **state)
{
	struct hostmem m = { 0 };

	(void)state;
	start(SIM_SNP);
	hostmem_destroy(&m, true);
	hostmem_destroy(&m, false);
	assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
	hostmem_destroy(&m, false);
	hostmem_destroy(&m, false);
	assert_zeroed(&m);
	stop();
}

/* ---- failures ---- */

static void sizes_that_make_no_sense_are_refused(void **state)
{
	struct hostmem m;

	(void)state;
	start(SIM_SNP);
	assert_int_equal(hostmem_create(&m, &v, 0, false), -EINVAL);
	assert_zeroed(&m);
	assert_int_equal(hostmem_create(&m, &v, 0xffffffff, false), -EINVAL);
	assert_zeroed(&m);
	stop();
}

static void smaller_runs_do_when_there_are_no_large_ones(void **state)
{
	struct hostmem m;
	u32 page, last;

	(void)state;
	for (last = 1; last <= 5; last++) {
		start(SIM_TDX);
		seen.largest = last;
		assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
		for (page = 0; page < m.run_count; page++)
			assert_true(m.runs[page].pages <= last);
		fill_by_host(&m);
		hostmem_destroy(&m, true);
		assert_int_equal(atomic_read(&v.leaked), 0);
		stop();
	}
}

/* Each allocation in turn fails: then it is -ENOMEM, or a smaller run did. Nothing is lost. */
static void a_failed_allocation_loses_nothing(void **state)
{
	struct hostmem m;
	u32 nth, every, failed = 0;
	int error;

	(void)state;
	for (every = 0; every < 3; every++)
		for (nth = 1; nth < 20; nth++) {
			start(SIM_SNP);
			shim_fail_allocations(nth, every);
			error = hostmem_create(&m, &v, PAGES, false);
			shim_fail_allocations(0, 0);
			assert_true(!error || error == -ENOMEM);
			failed += error != 0;
			hostmem_destroy(&m, true);
			assert_int_equal(atomic_read(&v.leaked), 0);
			assert_int_equal(atomic_read(&v.failures), 0);
			stop();
		}
	assert_true(failed > 0);
}

static void memory_larger_than_the_guest_is_not_to_be_had(void **state)
{
	struct hostmem m;

	(void)state;
	start(SIM_SNP);
	assert_int_equal(hostmem_create(&m, &v, GUEST + 1, false), -ENOMEM);
	assert_zeroed(&m);
	assert_int_equal(atomic_read(&v.changes), 0);
	assert_int_equal(hostmem_create(&m, &v, GUEST, false), 0);
	hostmem_destroy(&m, true);
	stop();
}

/* Sharing fails at each run in turn, after none, some or all of its pages: only that run is leaked. */
static void only_the_run_whose_sharing_failed_is_leaked(void **state)
{
	static const u32 done[] = { 0, 1, 100 };
	struct hostmem m;
	u32 i, j, nth, leaked;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (j = 0; j < ARRAY_SIZE(done); j++)
			for (nth = 1; nth <= 3; nth++) {
				leaked = nth < 3 ? 16 : PAGES - 2 * 16;
				start(kinds[i]);
				sim_fail_share(nth, -EPERM, done[j]);
				assert_int_equal(hostmem_create(&m, &v, PAGES, false), -EPERM);
				assert_int_equal(sim_struck(), 1);
				assert_zeroed(&m);
				assert_int_equal(atomic_read(&v.failures), 1);
				assert_int_equal(atomic_read(&v.leaked), leaked);
				stop();
			}
}

/* C-214, twice over: what had been shared before cannot be taken back either. */
static void what_cannot_be_taken_back_after_a_failure_is_leaked_too(void **state)
{
	struct hostmem m;

	(void)state;
	start(SIM_SNP);
	sim_fail_share(3, -EPERM, 2);
	sim_fail_revoke(1, -EPERM, 1);
	assert_int_equal(hostmem_create(&m, &v, PAGES, false), -EPERM);
	assert_int_equal(sim_struck(), 2);
	assert_int_equal(atomic_read(&v.failures), 2);
	assert_int_equal(atomic_read(&v.leaked), 8 + 16);
	stop();
}

static void memory_that_cannot_be_mapped_is_taken_back(void **state)
{
	struct hostmem m;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		seen.no_room = true;
		assert_int_equal(hostmem_create(&m, &v, PAGES, false), -ENOMEM);
		assert_zeroed(&m);
		assert_int_equal(atomic_read(&v.leaked), 0);
		stop();
	}
}

static void only_the_run_whose_revocation_failed_is_leaked(void **state)
{
	static const u32 done[] = { 0, 1, 100 };
	struct hostmem m;
	u32 i, j, nth;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (j = 0; j < ARRAY_SIZE(done); j++)
			for (nth = 1; nth <= 3; nth++) {
				start(kinds[i]);
				assert_int_equal(hostmem_create(&m, &v, PAGES, false), 0);
				sim_fail_revoke(nth, -EIO, done[j]);
				hostmem_destroy(&m, true);
				assert_zeroed(&m);
				assert_int_equal(sim_struck(), 1);
				assert_int_equal(atomic_read(&v.failures), 1);
				assert_int_equal(atomic_read(&v.leaked), nth < 3 ? 16 : 8);
				stop();
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_sees_zeros_and_nothing_else),
		cmocka_unit_test(pages_are_mapped_in_the_order_of_their_numbers),
		cmocka_unit_test(pages_that_are_not_there_have_no_number),
		cmocka_unit_test(private_memory_is_cleared_and_mapped_but_never_shown),
		cmocka_unit_test(memory_is_unmapped_revoked_cleared_and_freed_in_this_order),
		cmocka_unit_test(what_an_isolated_guest_has_revoked_is_freed_whatever_the_host_says),
		cmocka_unit_test(what_an_ordinary_host_has_not_given_back_is_leaked),
		cmocka_unit_test(private_memory_that_was_not_given_back_is_leaked),
		cmocka_unit_test(what_was_never_made_is_destroyed_without_effect),
		cmocka_unit_test(sizes_that_make_no_sense_are_refused),
		cmocka_unit_test(smaller_runs_do_when_there_are_no_large_ones),
		cmocka_unit_test(a_failed_allocation_loses_nothing),
		cmocka_unit_test(memory_larger_than_the_guest_is_not_to_be_had),
		cmocka_unit_test(only_the_run_whose_sharing_failed_is_leaked),
		cmocka_unit_test(what_cannot_be_taken_back_after_a_failure_is_leaked_too),
		cmocka_unit_test(memory_that_cannot_be_mapped_is_taken_back),
		cmocka_unit_test(only_the_run_whose_revocation_failed_is_leaked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
