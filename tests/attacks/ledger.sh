#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The attack ledger as a group of tests: each verdict, and the sum as tests/run.sh adds up.
#
#	ledger.sh PROGRAM [ARGUMENT...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$@" >"$log" 2>&1 || status=$?
cat "$log"
sum='^attacks: ([0-9]+) contained, ([0-9]+) failed, ([0-9]+) not applicable$'
if [[ $(tail -n 1 "$log") =~ $sum ]]; then
	echo "${BASH_REMATCH[1]} passed, ${BASH_REMATCH[2]} failed"
fi
exit "$status"
