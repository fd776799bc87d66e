#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs difftest.c's comparison of a protocol's generated C with the interpreter, as built for
# a machine (host, clang: with sanitizers; ppc64: big-endian, and aarch64: both emulated), and
# says "ok" or "not ok" to what it found.
#
#	agree.sh MACHINE PROTOCOL INPUTS
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

machine=$1
protocol=$2
inputs=$3
where="$protocol on $machine"
spec=validate/spec/$protocol.spec
[ -e "$spec" ] || spec=tests/unit/spec/$protocol.spec

compare() {
	local command=("build/$machine/difftest-$protocol" "$spec" "$inputs")

	case $machine in
	host | clang) "${command[@]}" ;;
	*) "qemu-$machine" "${command[@]}" ;;
	esac
}

# What the pattern finds in the output, or nothing.
found() { sed -n "s/$1/\1/p" <<<"$output" | tail -n 1; }

output=$(compare 2>&1)
status=$?
printf '%s\n' "$output"
report $status "$where: the comparison ran to its end"
rules=$(found "^$protocol: [0-9]* vectors: \([0-9]* of [0-9]*\) rules broken.*")
[ -n "$rules" ] && [ "${rules% of *}" -eq "${rules#* of }" ] && [ "${rules#* of }" -gt 0 ]
report $? "$where: each rule is broken by its vector, and no other before it ($rules)"
agreed=$(found "^$protocol: \([0-9]*\) inputs:.* 0 disagreements.*")
[ "${agreed:-0}" -ge "$inputs" ]
report $? "$where: generated C and interpreter agree (${agreed:-0} inputs)"
exit $failed
