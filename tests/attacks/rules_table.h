/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules by name, of all protocols and of the core. */
#ifndef AIRLOCK_TESTS_RULES_TABLE_H
#define AIRLOCK_TESTS_RULES_TABLE_H

#include <linux/types.h>

bool rule_by_name(const char *name, u32 *id);
const char *rule_by_id(u32 id);

#endif
