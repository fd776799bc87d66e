#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a mutant of each check of the stack and of the generated validators, two in fact, and
# shows them to the tests named: unit-test programs, the comparison with the interpreter on
# every test vector, each attack of the ledger. See docs/mutants.md.
#
#	run.sh PROGRAM...	programs in build/mutants/
#
# The whole list is written to build/mutants/report.txt: mode, place, function, condition,
# fate, runs, and the test that caught it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

where=build/mutants
inputs=2000	# random ones of a protocol, besides its vectors

# A mutant may well allocate for ever.
export ASAN_OPTIONS=hard_rss_limit_mb=1500:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1

commands() {
	local program protocol

	for program in "$@"; do
		case ${program##*/} in
		attacks)
			"$program" --list | sed "s|^|$program --one |"
			;;
		difftest-*)
			protocol=${program##*/difftest-}
			echo "$program validate/spec/$protocol.spec $inputs"
			;;
		*)
			echo "$program"
			;;
		esac
	done
}

commands "$@" | "$where/run" -k 2000 -j "$(nproc)" -l 95 -o "$where/report.txt" -s tests/mutants/survivors.txt \
	bounce/ core/ policy/ drivers/ validate/runtime/ build/gen/{control,ring,storage}.
