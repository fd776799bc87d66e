// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a run of pages, on a back end that does as it is told: what is not proven to
 * be private is never freed, and every leak is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <linux/errno.h>
#include <linux/kernel.h>

#include "visibility.h"

#define MOST 8

static u8 pages_here[MOST * 4096];

/* What the back end answers, how often it was asked, and what it saw of the run meanwhile. */
static struct {
	void *memory;
	int share, revoke;
	u32 allocs, frees, shares, revokes;
	u32 freed_pages;
	const struct page_run *run;
	enum run_state seen;
} back;

static void *back_alloc(struct visibility *v, u32 pages)
{
	(void)v;
	(void)pages;
	back.allocs++;
	return back.memory;
}

static void back_free(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	assert_ptr_equal(at, pages_here);
	back.frees++;
	back.freed_pages = pages;
}

static int back_share(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	assert_ptr_equal(at, pages_here);
	assert_int_equal(pages, back.run->pages);
	back.shares++;
	back.seen = back.run->state;
	return back.share;
}

static int back_revoke(struct visibility *v, void *at, u32 pages)
{
	(void)v;
	assert_ptr_equal(at, pages_here);
	assert_int_equal(pages, back.run->pages);
	back.revokes++;
	back.seen = back.run->state;
	return back.revoke;
}

static const struct visibility_ops ops = {
	.name = "told",
	.max_run = MOST,
	.alloc = back_alloc,
	.free = back_free,
	.share = back_share,
	.revoke = back_revoke,
};

static struct visibility v;
static struct page_run run;

static int start(void **state)
{
	(void)state;
	memset(&back, 0, sizeof(back));
	memset(&v, 0, sizeof(v));
	memset(&run, 0, sizeof(run));
	v.ops = &ops;
	back.memory = pages_here;
	back.run = &run;
	return 0;
}

static void assert_counts(int shared, int leaked, int changes, int failures)
{
	assert_int_equal(atomic_read(&v.shared), shared);
	assert_int_equal(atomic_read(&v.leaked), leaked);
	assert_int_equal(atomic_read(&v.changes), changes);
	assert_int_equal(atomic_read(&v.failures), failures);
}

static void start_in(enum run_state state)
{
	assert_int_equal(run_alloc(&v, &run, 3), 0);
	run.state = state;
	if (state == RUN_SHARED)
		atomic_set(&v.shared, 3);
	if (state == RUN_LEAKED)
		atomic_set(&v.leaked, 3);
}

static void pages_are_private_when_they_are_allocated(void **state)
{
	(void)state;
	run.state = RUN_LEAKED;		/* of a run that was here before */
	assert_int_equal(run_alloc(&v, &run, 3), 0);
	assert_ptr_equal(run.at, pages_here);
	assert_int_equal(run.pages, 3);
	assert_int_equal(run.state, RUN_PRIVATE);
	assert_counts(0, 0, 0, 0);
}

static void runs_have_a_page_at_least_and_what_the_back_end_takes_at_most(void **state)
{
	(void)state;
	assert_int_equal(run_alloc(&v, &run, 0), -EINVAL);
	assert_int_equal(run_alloc(&v, &run, MOST + 1), -EINVAL);
	assert_int_equal(back.allocs, 0);
	assert_int_equal(run_alloc(&v, &run, MOST), 0);
}

static void no_pages_is_no_run(void **state)
{
	(void)state;
	back.memory = NULL;
	assert_int_equal(run_alloc(&v, &run, 1), -ENOMEM);
	run_leak(&v, &run);
	run_free(&v, &run);
	assert_int_equal(run_share(&v, &run), -EINVAL);
	assert_int_equal(run_revoke(&v, &run), -EINVAL);
	assert_int_equal(back.frees + back.shares + back.revokes, 0);
	assert_counts(0, 0, 0, 0);
}

static void private_pages_are_shared(void **state)
{
	(void)state;
	start_in(RUN_PRIVATE);
	assert_int_equal(run_share(&v, &run), 0);
	assert_int_equal(back.seen, RUN_SHARING);
	assert_int_equal(run.state, RUN_SHARED);
	assert_counts(3, 0, 1, 0);
}

static void shared_pages_are_revoked(void **state)
{
	(void)state;
	start_in(RUN_SHARED);
	assert_int_equal(run_revoke(&v, &run), 0);
	assert_int_equal(back.seen, RUN_REVOKING);
	assert_int_equal(run.state, RUN_PRIVATE);
	assert_counts(0, 0, 1, 0);
}

/* C-214: nobody knows how many of them the host can see now. */
static void pages_whose_sharing_failed_are_leaked(void **state)
{
	(void)state;
	start_in(RUN_PRIVATE);
	back.share = -EPERM;
	assert_int_equal(run_share(&v, &run), -EPERM);
	assert_int_equal(run.state, RUN_LEAKED);
	assert_counts(0, 3, 1, 1);
	run_free(&v, &run);
	assert_int_equal(back.frees, 0);
	assert_counts(0, 3, 1, 1);
}

static void pages_whose_revocation_failed_are_leaked(void **state)
{
	(void)state;
	start_in(RUN_SHARED);
	back.revoke = -EPERM;
	assert_int_equal(run_revoke(&v, &run), -EPERM);
	assert_int_equal(run.state, RUN_LEAKED);
	assert_counts(0, 3, 1, 1);
	run_free(&v, &run);
	assert_int_equal(back.frees, 0);
	assert_counts(0, 3, 1, 1);
}

static void an_answer_that_is_no_errno_is_a_failure_too(void **state)
{
	(void)state;
	start_in(RUN_PRIVATE);
	back.share = 1;
	assert_int_equal(run_share(&v, &run), -EIO);
	assert_int_equal(run.state, RUN_LEAKED);
	start(NULL);
	start_in(RUN_SHARED);
	back.revoke = 5;
	assert_int_equal(run_revoke(&v, &run), -EIO);
	assert_int_equal(run.state, RUN_LEAKED);
}

static void only_private_pages_are_shared(void **state)
{
	static const enum run_state others[] = { RUN_SHARING, RUN_SHARED, RUN_REVOKING, RUN_LEAKED };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		start(state);
		start_in(others[i]);
		assert_int_equal(run_share(&v, &run), -EINVAL);
		assert_int_equal(run.state, others[i]);
		assert_int_equal(back.shares, 0);
	}
}

static void only_shared_pages_are_revoked(void **state)
{
	static const enum run_state others[] = { RUN_PRIVATE, RUN_SHARING, RUN_REVOKING, RUN_LEAKED };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		start(state);
		start_in(others[i]);
		assert_int_equal(run_revoke(&v, &run), -EINVAL);
		assert_int_equal(run.state, others[i]);
		assert_int_equal(back.revokes, 0);
	}
}

static void private_pages_are_freed(void **state)
{
	(void)state;
	start_in(RUN_PRIVATE);
	run_free(&v, &run);
	assert_int_equal(back.frees, 1);
	assert_int_equal(back.freed_pages, 3);
	assert_null(run.at);
	run_free(&v, &run);
	assert_int_equal(back.frees, 1);
	assert_counts(0, 0, 0, 0);
}

static void pages_in_any_other_state_are_leaked_instead_of_freed(void **state)
{
	static const enum run_state others[] = { RUN_SHARING, RUN_SHARED, RUN_REVOKING, RUN_LEAKED };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		start(state);
		start_in(others[i]);
		run_free(&v, &run);
		assert_int_equal(back.frees, 0);
		assert_null(run.at);
		assert_counts(0, 3, 0, 0);
	}
}

static void pages_are_leaked_once(void **state)
{
	(void)state;
	start_in(RUN_SHARED);
	run_leak(&v, &run);
	run_leak(&v, &run);
	assert_int_equal(run.state, RUN_LEAKED);
	assert_counts(0, 3, 0, 0);
	assert_int_equal(run_share(&v, &run), -EINVAL);
	assert_int_equal(run_revoke(&v, &run), -EINVAL);
}

static void private_pages_can_be_leaked(void **state)
{
	(void)state;
	start_in(RUN_PRIVATE);
	run_leak(&v, &run);
	run_free(&v, &run);
	assert_int_equal(back.frees, 0);
	assert_counts(0, 3, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_are_private_when_they_are_allocated),
		TEST(runs_have_a_page_at_least_and_what_the_back_end_takes_at_most),
		TEST(no_pages_is_no_run),
		TEST(private_pages_are_shared),
		TEST(shared_pages_are_revoked),
		TEST(pages_whose_sharing_failed_are_leaked),
		TEST(pages_whose_revocation_failed_are_leaked),
		TEST(an_answer_that_is_no_errno_is_a_failure_too),
		TEST(only_private_pages_are_shared),
		TEST(only_shared_pages_are_revoked),
		TEST(private_pages_are_freed),
		TEST(pages_in_any_other_state_are_leaked_instead_of_freed),
		TEST(pages_are_leaked_once),
		TEST(private_pages_can_be_leaked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
