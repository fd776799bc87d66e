#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tries the harness itself: what machines do right is a pass, and whatever can go wrong in one is a
# failure, with its reason. Prints "ok NAME" or "not ok NAME" a test. The newest kernel comes from a
# snapshot in all but one of them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

logs=build/vm/self
mkdir -p $logs

# Boots for test $1 with options and arguments $2...; its exit code is in $status, its output in $log.
boot() {
	local name=$1

	log=$logs/$name.log
	status=0
	shift
	timeout 100 tests/vm/run --name "self-$name" "$@" >"$log" 2>&1 || status=$?
}

# The last run ended with exit code $1 and printed a line that matches $2; $3 says what that shows.
expect() {
	[ "$status" -eq "$1" ] && grep -qE "$2" "$log"
	report $? "$3"
	[ "$status" -eq "$1" ] || { echo "exit code $status instead of $1:"; tail -n 3 "$log"; }
}

again=(--snapshot --kernel 6.12 self.sh)

boot old --kernel 6.1 smoke.sh
expect 0 '^ok kernel is up' 'kernel 6.1 boots'
boot new --kernel 6.12 --smp 2 smoke.sh
expect 0 '^ok kernel is up' 'kernel 6.12 boots with two processors'
boot pass "${again[@]}" pass
expect 0 '^ok right' 'a machine is saved and restored'
boot fail "${again[@]}" fail
expect 1 '^not ok wrong: by intent' 'a failed test is a failure'
boot panic "${again[@]}" panic
expect 1 '^not ok .*panic - not syncing: sysrq' 'a panic is a failure'
boot warning "${again[@]}" say 'WARNING: CPU: 0 PID: 1 at some.c:1'
expect 1 '^not ok .*WARNING: CPU: 0' 'a warning of the kernel is a failure'
boot slab "${again[@]}" say 'BUG kmalloc-64 (Not tainted): Left Redzone overwritten'
expect 1 '^not ok .*Redzone' 'a report of the slab is a failure'
boot leave "${again[@]}" leave
expect 1 '^not ok .*without a verdict' 'an end without a verdict is a failure'
boot hang --limit 3 "${again[@]}" hang
expect 3 '^not ok .*no verdict after 3 s' 'time runs out'
grep -q 'Kernel panic.*NMI' build/vm/self-hang/serial.log
report $? 'a machine that hangs says where'
boot broken --kernel 1.0 smoke.sh
expect 2 'no kernel 1.0' 'a missing kernel is an error of its own'
boot disk "${again[@]}" disk
expect 0 '^ok the file system on disk scsi_debug is sound' 'the test of disks passes on one of the kernel'
exit $failed
