/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else (-include), makes each "if" of a source file a check that can be
 * switched off at run time, as the kernel's branch profiler makes one that can be counted. The
 * condition is evaluated as ever; only what follows from it changes. #if is not touched.
 */
#ifndef AIRLOCK_MUTANTS_IF_H
#define AIRLOCK_MUTANTS_IF_H

/* One "if"; @seen gets bit 0 when its condition was false, bit 1 when it was true. */
struct mutant_check {
	const char *file, *function, *text;
	int line;
	unsigned char keep, flip;	/* what follows is (condition & keep) ^ flip */
	unsigned char *seen;
};

extern unsigned char mutant_unseen;

static inline int mutant_decide(int holds, const struct mutant_check *check)
{
	*check->seen |= (unsigned char)(1 << holds);
	return (holds & check->keep) ^ check->flip;
}

#define mutant_if(holds, condition) ({								\
	static struct mutant_check mutant_here = {						\
		__FILE__, __func__, condition, __LINE__, 1, 0, &mutant_unseen			\
	};											\
	static struct mutant_check *const mutant_listed						\
		__attribute__((used, section("mutant_checks"))) = &mutant_here;			\
	mutant_decide(holds, mutant_listed);							\
})

#define if(...) if (mutant_if(!!(__VA_ARGS__), #__VA_ARGS__))

#endif
