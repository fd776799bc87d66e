/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generated test vectors of a protocol: for each rule one input that breaks it, and,
 * as near to that as was found, one that keeps it and is accepted.
 */
#ifndef AIRLOCK_TEST_VECTOR_H
#define AIRLOCK_TEST_VECTOR_H

#include <linux/types.h>

enum test_door {
	TEST_CHECK,		/* the validator of "layout" */
	TEST_RECEIVE,		/* what a message is, is found out */
	TEST_MATCH,		/* accepted; then its rules about "request" */
	TEST_ARRIVES,		/* accepted; then what "session" says, in "state" */
	TEST_SENDS,		/* likewise, when we send it */
};

struct test_vector {
	const char *rule_name;
	u16 rule;		/* its number in this build */
	bool breaks;		/* else: kept, and accepted */
	u16 also;		/* broken behind the rule, which cannot be broken alone; 0: nothing */
	enum test_door door;
	const char *layout;	/* "header": no message is meant */
	const u8 *bytes;	/* NULL if size is 0 */
	u32 size;
	const u64 *context;	/* in the order declared; NULL: the protocol has none */
	const u64 *params;	/* of a struct; NULL: none */
	const u8 *request;	/* what is answered; NULL: nothing */
	u32 request_size;
	const u64 *request_context;
	const char *session;	/* NULL: none */
	u16 state;
	u64 outstanding;	/* requests on their way, by number of the event that sent them */
};

#endif
