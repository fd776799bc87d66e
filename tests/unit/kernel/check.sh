#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the sources of the stack as kernel modules, with every warning and sparse, against each
# kernel series whose headers "make setup" provides: what the user space tests try is kernel C,
# and uses only what kernels, and the module below, export. Prints "ok NAME" or "not ok NAME" a test.
# Nothing is loaded.
set -uo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

here=tests/unit/kernel
out=build/kernel
architecture=$(dpkg --print-architecture)

# The newest headers of series $1, installed or unpacked.
headers_of() {
	find /usr/src build/headers/usr/src -maxdepth 1 -path "*/linux-headers-$1.*-$architecture" \
		2>/dev/null | sort -V | tail -n 1
}

# Links the sources of rooms $2... into directory $1, a folder a room, and what makes a module of them.
gather_module() {
	local module=$1 room sources

	shift
	for room in "$@"; do
		mkdir -p "$module/$room"
		sources=("$PWD/$room"/*.[ch])
		[ ${#sources[@]} = 0 ] || ln -s "${sources[@]}" "$module/$room"
	done
	ln -s "$PWD/$here/stub.c" "$module"
}

# Lays out the sources of both modules in directory $1.
gather() {
	rm -rf "$1"
	mkdir -p "$1"
	ln -s "$PWD/$here/Kbuild" "$1"
	gather_module "$1/bus" bounce bounce/linux core policy validate/runtime
	ln -s "$PWD"/build/gen/{control,ring}.c "$1/bus"
	gather_module "$1/scsi" drivers/scsi
	ln -s "$PWD"/build/gen/storage.c "$1/scsi"
}

# kbuild in directory $1 against headers $2, targets and variables after that.
kbuild() {
	local directory=$PWD/$1 headers=$2

	shift 2
	make -j2 -C "$headers" M="$directory" AIRLOCK="$PWD" W=1 "$@"
}

# What gcc and sparse say of us in log $1, not of the kernel's own headers.
complaints() {
	grep -Ei 'warning|error' "$1" | grep -v 'linux-headers-[^ ]*/include/'
}

check_series() {
	local series=$1 headers log=$out/$1.log status=0

	headers=$(headers_of "$series")
	if [ -z "$headers" ]; then
		report 1 "kernel headers of series $series are there"
		return
	fi
	gather "$out/$series"
	kbuild "$out/$series" "$headers" C=2 modules >"$log" 2>&1 || status=$?
	report $status "the stack is two kernel modules in $(basename "$headers")"
	complaints "$log"
	report $((! $?)) "neither gcc W=1 nor sparse warns of the stack in $(basename "$headers")"
}

# sparse, and in user space clang, have something to say when host memory is looked at without a fetch.
check_notices() {
	local directory=$out/wrong log=$out/wrong.log

	gather "$directory"
	cat >"$directory/stub.c.new" <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only
		#include "hostmem.h"
		u8 airlock_peek(const struct hostmem *m);
		u8 airlock_peek(const struct hostmem *m) { return *m->at; }
	END
	mv "$directory/stub.c.new" "$directory/bus/stub.c"
	kbuild "$directory" "$(headers_of 6.1)" C=2 bus/stub.o >"$log" 2>&1
	complaints "$log" | grep -q 'stub.c.*dereference of noderef'
	report $? "a look at host memory past the fetch is noticed"
	clang -std=gnu11 -Wall -Werror -Itests/shim -Ibounce -fsyntax-only "$directory/bus/stub.c" >"$log" 2>&1
	grep -q 'stub.c.*Werror,-Wnoderef' "$log"
	report $? "and is an error for clang in user space"
}

check_series 6.1
check_series 6.12
check_notices
exit $failed
