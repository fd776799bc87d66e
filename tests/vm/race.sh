#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
#     tests/vm/race.sh [SECONDS]
#
# A thread of the host changes ring indices, packets and data at random while a machine with two processors
# verifies its disk. Prints "ok NAME" or "not ok NAME" a test.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

seconds=${1:-60}
exec timeout $((seconds + 300)) tests/vm/run --airlock --load airlock --kernel 6.12 --smp 2 --retries 0 --name race \
	--limit $((seconds + 200)) race.sh Virtual_Disk "$seconds"
