#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs each fuzzer for some seconds from specifications or from nothing, and says "ok" if
# it found no fault. That a fuzzer of validators gets as far as an accepted message, and that
# a fault stops it, is shown by planting one. What is found is left in build/fuzz.
#
#	smoke.sh SECONDS PROTOCOL...
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

seconds=$1
shift

# Fuzzer $1 for $2 seconds with dictionary $3 over its corpus; its log and findings beside it.
fuzz() {
	timeout $(($2 + 60)) "build/fuzz/$1" -max_total_time="$2" -seed=20240229 -dict="$3" \
		-timeout=10 -max_len=16384 -print_final_stats=1 -artifact_prefix="build/fuzz/$1." \
		"build/fuzz/corpus/$1" >"build/fuzz/$1.log" 2>&1
}

statistic() {
	sed -n "s/^stat::$1: *//p" "build/fuzz/$2.log" | tail -n 1
}

report_run() {
	local status=$? runs rate accepted

	runs=$(statistic number_of_executed_units "$1")
	rate=$(statistic average_exec_per_sec "$1")
	accepted=$(statistic accepted "$1")
	rate="${runs:-0} runs, ${rate:-0} a second${accepted:+, accepted $accepted layouts}"
	report $status "fuzzing $1 finds nothing ($rate)"
	[ $status -eq 0 ] || tail -n 20 "build/fuzz/$1.log"
	[ "${runs:-0}" -ge "$2" ]
	report $? "it runs at least $2 times"
}

rm -rf build/fuzz/corpus
mkdir -p build/fuzz/corpus/compiler
cp fuzz/seeds/*.spec validate/spec/*.spec tests/unit/spec/*.spec tests/unit/spec/bad/*.spec build/fuzz/corpus/compiler
fuzz compiler "$seconds" fuzz/airspec.dict
report_run compiler 200
for protocol in "$@"; do
	mkdir -p "build/fuzz/corpus/validators-$protocol"
	fuzz "validators-$protocol" "$seconds" "build/gen/$protocol.dict"
	report_run "validators-$protocol" 20000
	AIRLOCK_FUZZ_PLANT=1 fuzz "validators-$protocol" "$seconds" "build/gen/$protocol.dict"
	grep -q 'accepted, as planted' "build/fuzz/validators-$protocol.log"
	report $? "a fault planted behind the validators of $protocol is found"
	rm -f "build/fuzz/validators-$protocol.crash-"*
done
exit $failed
