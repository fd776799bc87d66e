#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
#     tests/vm/endure.sh [TIMES]
#
# What comes and goes leaves nothing behind: disks that are rescinded and offered again TIMES times, drivers,
# modules, all of them in use; nor does the end of the host process. Prints "ok NAME" or "not ok NAME" a test.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

times=${1:-20}
failed=0
common=(--airlock --load airlock --kernel 6.12 --smp 2 --retries 0)

timeout 3000 tests/vm/run "${common[@]}" --name endure --limit $((400 + times * 10)) \
	endure.sh Virtual_Disk cycles "$times" || failed=1
timeout 300 tests/vm/run "${common[@]}" --name endure-die --limit 280 endure.sh Virtual_Disk die || failed=1
exit $failed
