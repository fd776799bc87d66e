// SPDX-License-Identifier: GPL-2.0-only
/*
 * See rules_table.h: the generated tables, and the core's own rules, in one.
 */
#include <string.h>

#include "control.h"
#include "ring.h"
#include "rules_table.h"
#include "violation.h"
#include "storage.h"

#include "../../validate/runtime/rules.h"

extern const struct rule_name control_rule_names[], ring_rule_names[], storage_rule_names[];

static const struct rule_name core_rule_names[] = {
#define X(number, NAME, text) { CORE_RULE_ID(number), text, "core", 0 },
	CORE_RULES(X)
#undef X
};

static const struct {
	const struct rule_name *names;
	u32 count;
} tables[] = {
	{ control_rule_names, CONTROL_RULES }, { ring_rule_names, RING_RULES }, { storage_rule_names, STORAGE_RULES },
	{ core_rule_names, sizeof(core_rule_names) / sizeof(core_rule_names[0]) },
};

static const struct rule_name *find(const char *name, u32 id)
{
	u32 t, i;

	for (t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (i = 0; i < tables[t].count; i++)
			if (name ? !strcmp(tables[t].names[i].name, name) : tables[t].names[i].id == id)
				return &tables[t].names[i];
	return NULL;
}

bool rule_by_name(const char *name, u32 *id)
{
	const struct rule_name *rule = find(name, 0);

	if (rule)
		*id = rule->id;
	return rule;
}

const char *rule_by_id(u32 id)
{
	const struct rule_name *rule = find(NULL, id);

	return rule ? rule->name : "unknown";
}
