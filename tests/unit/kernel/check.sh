#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the sources of the stack as a kernel module, with every warning and sparse, against each
# kernel series whose headers "make setup" provides: what the user space tests try is kernel C,
# and uses only what kernels export. Prints "ok NAME" or "not ok NAME" a test. Nothing is loaded.
# Usage: check.sh [ROOM...] (default: all of them)
set -uo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

here=tests/unit/kernel
out=build/kernel
architecture=$(dpkg --print-architecture)
rooms=("$@")
[ $# != 0 ] || rooms=(bounce bounce/linux core policy drivers/scsi)

# The newest headers of series $1, installed or unpacked.
headers_of() {
	find /usr/src build/headers/usr/src -maxdepth 1 -path "*/linux-headers-$1.*-$architecture" \
		2>/dev/null | sort -V | tail -n 1
}

# Lays out the module's sources in directory $1.
gather() {
	local room

	rm -rf "$1"
	mkdir -p "$1"/generated "$1"/runtime
	ln -s "$PWD/$here"/{Kbuild,stub.c} "$1"
	ln -s "$PWD"/build/gen/{control,ring,storage}.c "$1/generated"
	ln -s "$PWD"/validate/runtime/*.c "$1/runtime"
	for room in "${rooms[@]}"; do
		mkdir -p "$1/$room"
		sources=("$PWD/$room"/*.[ch])
		[ ${#sources[@]} = 0 ] || ln -s "${sources[@]}" "$1/$room"
	done
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
	report $status "the stack is a kernel module in $(basename "$headers")"
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
	mv "$directory/stub.c.new" "$directory/stub.c"
	kbuild "$directory" "$(headers_of 6.1)" C=2 stub.o >"$log" 2>&1
	complaints "$log" | grep -q 'stub.c.*dereference of noderef'
	report $? "a look at host memory past the fetch is noticed"
	clang -std=gnu11 -Wall -Werror -Itests/shim -Ibounce -fsyntax-only "$directory/stub.c" >"$log" 2>&1
	grep -q 'stub.c.*Werror,-Wnoderef' "$log"
	report $? "and is an error for clang in user space"
}

check_series 6.1
check_series 6.12
check_notices
exit $failed
