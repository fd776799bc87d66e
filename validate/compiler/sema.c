/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The semantic analysis, step by step. Each step may rely on what those before it found
 * to be good; after an error the later steps, which could only repeat it, do not run.
 */
#include "sema.h"

/* Rules of the dispatcher come first: they are checked first. */
static void rule_dispatch(struct spec *spec)
{
	if (!spec->header)
		return;
	spec->short_rule = new_rule(spec, RULE_LAYOUT, spec->header, NULL, spec->header->loc, "header.size");
	spec->dispatch_rule = new_rule(spec, RULE_LAYOUT, spec->header, NULL, spec->header->loc, "dispatch");
}

static void walk_layouts(struct spec *spec)
{
	struct layout *layout;

	rule_dispatch(spec);
	if (spec->header)
		walk_layout(spec, spec->header);
	for (layout = spec->layouts; layout; layout = layout->next)
		walk_layout(spec, layout);
	if (!spec->errors)
		settle_fields(spec);
}

void analyse(struct spec *spec)
{
	static void (*const steps[])(struct spec *spec) = {
		declare, resolve_layouts, walk_layouts, analyse_sessions, lint,
	};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !spec->errors; i++)
		steps[i](spec);
}
