/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the C back end asks of the ACSL back end, at the places where annotations go.
 */
#ifndef AIRSPEC_EMIT_ACSL_H
#define AIRSPEC_EMIT_ACSL_H

#include "emit_c.h"

void acsl_prologue(struct gen *gen);				/* after the includes */
void acsl_contract(struct gen *gen, const struct layout *layout);	/* before a check function */
void acsl_walk(struct gen *gen, const struct field *field);	/* before the function of a list */
void acsl_loop(struct gen *gen, const struct field *field);	/* before its loop */

#endif
