/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the ledger and the scenes: how one attack is run and what it says at its end.
 */
#ifndef AIRLOCK_TESTS_LEDGER_H
#define AIRLOCK_TESTS_LEDGER_H

#include <stdbool.h>

struct attack;

/* How the lines begin that carry the verdict. */
#define LEDGER_CONTAINED "contained: "
#define LEDGER_FAILED "failed: "

/* Attacks run in threads, instead of in virtual time. */
extern bool ledger_threads;

/* Runs it and prints its verdict; ends the process with status 1 if the attack was not contained. */
void ledger_run(const struct attack *a);

#endif
