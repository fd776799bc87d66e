#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the soak find what it looks for? A second of it as it is, in one thread and in several, and
# then with one fault each.
#
#	self.sh PROGRAM
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

program=$1

# Runs it with the options given; fails unless it says what the pattern $1 says.
finds() {
	local said

	said=$(timeout 60 "$program" -m 1 "${@:2}" 1 2>&1 | tail -n 1)
	printf '%s\n' "$said" | grep -q "$1"
	report $? "soak ${*:2}: $1"
}

finds 'packets to the host'
finds 'packets to the host' -t
finds "another's answer" -f bit
finds 'an answer to nothing' -f twice
finds 'an answer is lost' -f lost
finds 'still shared\|still allocated' -f shared
finds "another's answer" -t -f bit
finds 'less than' -m 100000000
exit "$failed"
