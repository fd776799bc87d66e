#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the kernel modules, with every warning and sparse, against the headers of each kernel that "make
# setup" provides: what the user space tests try is kernel C, and uses only what kernels, and the modules
# below, export. Prints "ok NAME" or "not ok NAME" a test. Nothing is loaded.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

out=build/kernel
mkdir -p "$out"
mapfile -t kernels < <(./modules.sh list)

# What gcc and sparse say of us in log $1, not of the kernel's own headers.
complaints() {
	grep -Ei 'warning|error' "$1" | grep -v 'linux-headers-[^ ]*/include/'
}

# All that there are sources of.
are_built() {
	local module

	for module in airlock airlock_scsi airlock_testbed; do
		[ -e "build/modules/$1/$module.ko" ] || return
	done
}

check_kernel() {
	local headers=$1 release log status=0

	release=${headers##*/linux-headers-}
	log=$out/$release.log
	rm -f "build/modules/$release"/*.ko
	./modules.sh build "$headers" -j2 C=2 modules >"$log" 2>&1 || status=$?
	[ $status -ne 0 ] || are_built "$release" || status=$?
	report $status "the modules are built for $release"
	complaints "$log"
	report $((! $?)) "neither gcc W=1 nor sparse warns of them for $release"
}

# For the series $1: both flavours.
check_series() {
	local headers found=0

	for headers in "${kernels[@]}"; do
		[[ $headers == */linux-headers-"$1".* ]] || continue
		found=$((found + 1))
		check_kernel "$headers"
	done
	report $((found < 2)) "kernel headers of series $1 are there, generic and for clouds"
}

# sparse, and in user space clang, have something to say when host memory is looked at without a fetch.
check_notices() {
	local directory=$out/wrong log=$out/wrong.log

	rm -rf "$directory"
	./modules.sh lay "$directory"
	cat >"$directory/core/wrong.c" <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only
		#include "hostmem.h"
		u8 airlock_peek(const struct hostmem *m);
		u8 airlock_peek(const struct hostmem *m) { return *m->at; }
	END
	make -C "${kernels[0]}" M="$PWD/$directory" W=1 C=2 core/wrong.o >"$log" 2>&1
	complaints "$log" | grep -q 'wrong.c.*dereference of noderef'
	report $? "a look at host memory past the fetch is noticed"
	clang -std=gnu11 -Wall -Werror -Itests/shim -Ibounce -fsyntax-only "$directory/core/wrong.c" >"$log" 2>&1
	grep -q 'wrong.c.*Werror,-Wnoderef' "$log"
	report $? "and is an error for clang in user space"
}

check_series 6.1
check_series 6.12
check_notices
exit $failed
