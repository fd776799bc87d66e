#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ill-formed specifications: each file in bad/ shows one mistake (a few show several), and
# the compiler must say exactly what NAME.expect holds, refuse the file, and not crash.
# Prints "ok NAME" or "not ok NAME" for each. "bad.sh --accept" writes the .expect files
# anew: read their differences, they are the compiler's manners. AIRSPEC may name another
# compiler than build/airspec.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/bad" || exit
# shellcheck source=tests/lib.sh
. ../../../lib.sh

airspec=${AIRSPEC:-$PWD/../../../../build/airspec}
seconds=20

# What the compiler says about $1; its exit code is the last line.
complaint() {
	timeout "$seconds" "$airspec" check "$1" 2>&1 </dev/null
	echo "exit code $?"
}

check_one() {
	local name=$1 difference

	difference=$(diff -a <(cat "$name.expect"; echo "exit code 1") <(complaint "$name.spec"))
	report $? "$name"
	[ -z "$difference" ] || printf '%s\n' "$difference"
}

# The same mistake in lines that end as on Windows is the same mistake.
check_windows() {
	local directory status

	directory=$(mktemp -d)
	sed 's/$/\r/' "$1.spec" >"$directory/$1.spec"
	diff -a <(cat "$1.expect"; echo "exit code 1") <(cd "$directory" && complaint "$1.spec")
	status=$?
	rm -r "$directory"
	report $status "$1, with carriage returns"
}

accept() {
	local spec

	for spec in *.spec; do
		"$airspec" check "$spec" >"${spec%.spec}.expect" 2>&1 </dev/null
	done
}

# Files nobody would write.
absurd() {
	case $1 in
	noise) seq 100000 | gzip -n | head -c 100000 ;;
	whens) printf 'protocol bad frame f { a : u8 any'; yes ' when a = 1 {' | head -n 10000 ;;
	brackets) printf 'protocol bad frame f { a : u8 any rule r : '; printf '(%.0s' {1..100000} ;;
	unions) printf 'protocol bad frame f { a : '; yes 'union by k { a :' | head -n 10000 ;;
	letters) printf 'protocol bad frame '; printf 'x%.0s' {1..1000000} ;;
	fields) echo 'protocol bad frame f {'; seq -f 'f%.0f : u8 any' 2000; echo '}' ;;
	esac
}

# Any answer but a crash, within the time.
check_survives() {
	local status=0

	absurd "$1" | timeout "$seconds" "$airspec" check /dev/stdin >/dev/null 2>&1
	status=${PIPESTATUS[1]}
	[ "$status" -eq 1 ]
	report $? "$2 (exit code $status)"
}

if [ ! -x "$airspec" ]; then
	echo "not ok build/airspec is there"
	exit 1
fi
if [ "${1:-}" = --accept ]; then
	accept
	exit
fi
for spec in *.spec; do
	check_one "${spec%.spec}"
done
report $((count < 75)) "at least 75 specifications were tried ($count)"
for expect in *.expect; do
	[ -e "${expect%.expect}.spec" ] || report 1 "$expect belongs to a specification"
done
check_windows field_unknown
check_windows tabs
check_survives nothing "an empty file is refused"
check_survives noise "noise is refused"
check_survives whens "10000 whens inside each other are refused"
check_survives brackets "100000 brackets are refused"
check_survives unions "10000 unions inside each other are refused"
check_survives letters "a name of a million letters is refused"
check_survives fields "2000 fields in one frame are refused"
exit $failed
