#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the generated C as a kernel module, with every warning and sparse, against each
# kernel series whose headers "make setup" provides, and has layout.c compare its layouts
# with the kernel's. Prints "ok NAME" or "not ok NAME" a test. Nothing is loaded.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

here=tests/unit/layout
architecture=$(dpkg --print-architecture)

# The newest headers of series $1, installed or unpacked.
headers_of() {
	find /usr/src build/headers/usr/src -maxdepth 1 -path "*/linux-headers-$1.*-$architecture" ! -name '*-cloud-*' \
		2>/dev/null | sort -V | tail -n 1
}

# Lays out the module's sources in directory $1.
gather() {
	rm -rf "$1"
	mkdir -p "$1"
	ln -s "$PWD/$here"/{Kbuild,layout.c,guids.c} "$PWD"/build/gen/{control,ring,storage}.c \
		"$PWD"/validate/runtime/*.c "$1"
}

# kbuild in directory $1 against headers $2, targets and variables after that.
kbuild() {
	local directory=$PWD/$1 headers=$2

	shift 2
	make -j2 -C "$headers" M="$directory" AIRLOCK="$PWD" W=1 "$@"
}

# The module builds against series $1, and neither compiler nor sparse has anything to say
# (what sparse says about the kernel's own headers is not for us).
check_series() {
	local series=$1 headers directory=build/layout/$1 log=build/layout/$1.log status=0

	headers=$(headers_of "$series")
	if [ -z "$headers" ]; then
		report 1 "kernel headers of series $series are there"
		return
	fi
	gather "$directory"
	kbuild "$directory" "$headers" C=2 modules >"$log" 2>&1 || status=$?
	report $status "generated C is a kernel module, and its layouts agree, in $(basename "$headers")"
	grep -Ei 'warning|error' "$log" | grep -v 'linux-headers-[^ ]*/include/'
	report $((! $?)) "neither gcc W=1 nor sparse warns in $(basename "$headers")"
}

# The comparison notices what differs: in a copy of generated file $2, changed by sed's $3, object
# $4 is refused with a message that names $1.
check_notices() {
	local name=$1 file=$2 directory=build/layout/wrong log=build/layout/wrong.log

	gather "$directory"
	rm -f "$directory/$file"
	sed "$3" "build/gen/$file" >"$directory/$file"
	if cmp -s "build/gen/$file" "$directory/$file"; then
		report 1 "$name is in $file"
		return
	fi
	! kbuild "$directory" "$(headers_of 6.1)" "$4" >"$log" 2>&1 && grep -q "error:.*$name" "$log"
	report $? "a wrong $name is noticed"
}

# Every kernel structure compared is in the documentation, and no other.
check_documented() {
	diff <(grep -o '^SAME[A-Z_]*(struct [a-z0-9_]*' $here/layout.c | sed 's/.*struct //' | sort -u) \
		<(grep -o '^| `struct [a-z0-9_]*' docs/layout-check.md | sed 's/.*struct //' | sort -u)
	report $? "docs/layout-check.md lists the structures that are compared"
}

check_series 6.1
check_series 6.12
check_notices CONTROL_OFFER_RELID_OFFSET control_layout.h \
	's/\(CONTROL_OFFER_RELID_OFFSET\) .*/\1 185/' layout.o
check_notices CONTROL_MESSAGE_TYPE_OPEN control.h \
	's/\(CONTROL_MESSAGE_TYPE_OPEN\) = 5/\1 = 50/' layout.o
check_notices scsi control.c 's/0xd9, 0x63, 0x61, 0xba/0xd9, 0x63, 0x61, 0xbb/' guids.o
check_documented
exit $failed
