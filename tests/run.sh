#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs groups of tests, one after the other, all of them, and adds up.
#
#     tests/run.sh NAME=COMMAND...
#
# A group is a shell command. It prints "ok ..." or "not ok ..." at the start of a line for
# each of its tests, or a line "N passed, N failed" (if both, that line counts). A group that
# ends with an error without having named a failed test, that counts no test at all, or that
# takes longer than GROUP_SECONDS, is one failure. Its output is kept in build/logs/NAME.log;
# with VERBOSE=1 it is shown as it comes. What failed is explained at the end, where a reader
# looks. The last line is the sum; the exit code is 1 if anything failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export CMOCKA_MESSAGE_OUTPUT=TAP
logs=build/logs
limit=${GROUP_SECONDS:-2700}
passed=0
failed=0
losers=()

summary='^([a-z]+: )?([0-9]+) passed, ([0-9]+) failed'

# Prints "PASSED FAILED" as summed by the group itself, or else counted from its lines.
count() {
	local line

	line=$(grep -aE "$summary" "$1" | tail -n 1)
	if [[ $line =~ $summary ]]; then
		printf '%s %s\n' "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
	else
		printf '%s %s\n' "$(grep -ac '^ok\b' "$1")" "$(grep -ac '^not ok\b' "$1")"
	fi
}

# What to look at first when group $1 with log $2 failed.
explain() {
	printf '    --- %s, from %s\n' "$1" "$2"
	{ grep -a '^not ok\b' "$2" | head -n 20; tail -n 25 "$2"; } | sed 's/^/    /'
	printf '    ---\n'
}

run_group() {
	local name=$1 command=$2 log=$logs/$1.log status=0 good bad start=$SECONDS why=''

	if [ -n "${VERBOSE:-}" ]; then
		timeout "$limit" bash -c "$command" </dev/null 2>&1 | tee "$log"
		status=${PIPESTATUS[0]}
	else
		timeout "$limit" bash -c "$command" </dev/null >"$log" 2>&1 || status=$?
	fi
	read -r good bad < <(count "$log")
	if [ "$status" -eq 124 ]; then
		why=" (stopped after $limit s)"
	elif [ "$status" -ne 0 ]; then
		why=" (exit code $status)"
	elif [ $((good + bad)) -eq 0 ]; then
		why=' (ran no test)'
	fi
	[ -z "$why" ] || [ "$bad" -gt 0 ] || bad=1
	printf '%4d passed, %d failed%s, %d s\n' "$good" "$bad" "$why" $((SECONDS - start))
	passed=$((passed + good))
	failed=$((failed + bad))
	[ "$bad" -eq 0 ] || losers+=("$name")
}

main() {
	local group number=0

	mkdir -p "$logs"
	for group in "$@"; do
		number=$((number + 1))
		printf '[%d/%d] %-16s' "$number" "$#" "${group%%=*}"
		run_group "${group%%=*}" "${group#*=}"
	done
	for group in "${losers[@]}"; do
		explain "$group" "$logs/$group.log"
	done
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main "$@"
