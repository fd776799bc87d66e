#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Has a virtual machine use its disk while a plugin of QEMU watches what our modules fetch of host
# memory: no byte may be fetched twice within one message. Prints "ok NAME" or "not ok NAME" a test.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

plugin=$PWD/build/audit/fetches.so
directory=build/vm/audit

# The function that code address $1 is in, from where the guest says its modules are.
symbol() {
	local name base best=0 module=

	while read -r name base; do
		(($1 >= base && base > best)) && best=$((base)) module=$name
	done < <(sed -n 's/\r//; s/.*audit: \(airlock[a-z_]*\) \(0x[0-9a-f]*\).*/\1 \2/p' $directory/serial.log)
	[ -n "$module" ] || { echo "$1"; return; }
	printf '%s [%s]\n' "$(addr2line -f -j .text -e "$(echo build/modules/6.12*-amd64/"$module".ko | tr ' ' '\n' |
		grep -v cloud)" "$(printf '%#x' $(($1 - best)))" | tr '\n' ' ')" "$module"
}

mkdir -p build/audit
gcc -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -o "$plugin" tests/vm/audit/fetches.c -pthread
report $? "the plugin builds"
timeout 110 tests/vm/run --airlock --name audit --kernel 6.12 --limit 100 --qemu-args "-plugin $plugin" \
	audit.sh Virtual_Disk "${1:-4}" 30 vmbus || failed=1
while read -r _ _ _ at first _ second times; do
	echo "double fetch at ${at%:}: $(symbol "0x$first") then $(symbol "0x${second%,}"), $times"
done < <(grep '^fetches: double' $directory/qemu.log | sed 's/: \(f\)/ \1/')
verdict=$(grep 'double fetches in' $directory/qemu.log | tail -n 1)
[[ $verdict =~ ^"fetches: 0 double fetches in "[1-9][0-9]*" fetches of "[1-9] ]]
report $? "${verdict:-fetches: the plugin said nothing}"
exit $failed
