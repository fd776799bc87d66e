/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens when a rule is broken: counted, for each rule and channel; one rate-limited
 * line; then the policy's answer. Rules of messages are generated, these are the core's own.
 */
#ifndef AIRLOCK_VIOLATION_H
#define AIRLOCK_VIOLATION_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "policy.h"

/* Never renumber: numbers that are missing are not used again. X(number, NAME, "name") */
#define CORE_RULES(X)                                                     \
	X(1, MESSAGE_WRONG_CPU, "core.message.wrong_cpu")                 \
	X(3, MESSAGE_NO_MEMORY, "core.message.no_memory")                 \
	X(4, MESSAGE_NO_CONNECTION, "core.message.no_connection")         \
	X(7, OFFER_CLASS, "core.offer.class")                             \
	X(8, OFFER_INSTANCE, "core.offer.instance")                       \
	X(9, OFFER_DUPLICATE, "core.offer.duplicate")                     \
	X(10, OFFER_NO_PRIMARY, "core.offer.no_primary")                  \
	X(11, OFFER_SURPLUS, "core.offer.surplus")                        \
	X(12, OFFER_INDEX, "core.offer.index")                            \
	X(13, OFFER_PRIVACY, "core.offer.privacy")                        \
	X(14, OFFER_PIPE, "core.offer.pipe")                              \
	X(15, OFFER_LIMIT, "core.offer.limit")                            \
	X(16, OFFER_RATE, "core.offer.rate")                              \
	X(17, OFFER_STREAM, "core.offer.stream")                          \
	X(18, OFFER_MMIO, "core.offer.mmio")                              \
	X(19, EVENT_UNKNOWN, "core.event.unknown")                        \
	X(20, EVENT_CLOSED, "core.event.closed")                          \
	X(21, EVENT_BIT_ZERO, "core.event.bit_zero")                      \
	X(22, COMPLETION_UNKNOWN, "core.completion.unknown")              \
	X(23, COMPLETION_STALE, "core.completion.stale")                  \
	X(24, COMPLETION_EARLY, "core.completion.early")                  \
	X(27, WAIT_EXPIRED, "core.wait.expired")                          \
	X(28, POST_FAILED, "core.post.failed")                            \
	X(29, SIGNAL_FAILED, "core.signal.failed")                        \
	X(30, VERSION_FLOOR, "core.version.floor")                        \
	X(31, VERSION_FEATURES, "core.version.features")                  \
	X(32, MONITOR_PAGE, "core.monitor.page")                          \
	X(33, STATUS_AMBIGUOUS, "core.status.ambiguous")                  \
	X(34, STATUS_FAILED, "core.status.failed")                        \
	X(35, PAGE_LEAKED, "core.page.leaked")                            \
	X(36, DISCOVERY_ISOLATION, "core.discovery.isolation")            \
	X(37, DISCOVERY_PARAVISOR, "core.discovery.paravisor")            \
	X(38, DISCOVERY_BOUNDARY, "core.discovery.boundary")              \
	X(39, DISCOVERY_CONFIDENTIAL, "core.discovery.confidential")      \
	X(40, DISCOVERY_LEAVES, "core.discovery.leaves")                  \
	X(41, DISCOVERY_VP, "core.discovery.vp")                          \
	X(42, DISCOVERY_PAGES, "core.discovery.pages")                    \
	X(43, DISCOVERY_NESTED, "core.discovery.nested")             \
	X(46, GPADL_EARLY, "core.gpadl.early")

/* Ids of generated rules are hashes of their names; these cannot be confused with them in practice. */
#define CORE_RULE_ID(number) (0xa1000000 | (number))

enum core_rule {
#define X(number, NAME, text) CORE_RULE_##NAME = number,
	CORE_RULES(X)
#undef X
};

#define RULES_SEEN 48

struct rule_count { u32 rule; u32 count; };

/* What was broken, by rule. "others" when the host has found too many ways. */
struct violations {
	spinlock_t lock;
	struct rule_count seen[RULES_SEEN];
	u32 used, others, total, dropped;
};

void violations_init(struct violations *v);
/* Returns the count after this one, of all rules. Any context. */
u32 violations_add(struct violations *v, u32 rule);
/* One more that was let pass; returns how many. */
u32 violations_drop(struct violations *v);
u32 violations_count(struct violations *v, u32 rule);

#endif
