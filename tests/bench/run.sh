#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds and runs the benchmarks; the results go to standard output, in Markdown. What is measured
# is compiled as a kernel would be, without vector registers, and without the testing build's hooks.
#
#	run.sh [TURNS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

there=build/bench
kernel=build/kernel
measured=(
	bounce/access.c bounce/hostmem.c bounce/pool.c bounce/visibility.c
	core/inbound.c core/outbound.c build/gen/ring.c
)
flags=(-O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror)
as_kernel=(-mgeneral-regs-only -fno-strict-aliasing -fno-common)
includes=(-Itests/bench/shim -Itests/shim -Itests/bench -Ibounce -Icore -Ipolicy -Ivalidate/runtime -Ibuild/gen)
kernel_includes=(-Itests/bench/shim -Itests/shim -I"$kernel/stubs" -I"$kernel/include" -include tests/bench/kernel/stubs.h)
objects=()

# compile SOURCE FLAGS...
compile() {
	local object=$there/${1%.c}.o

	mkdir -p "${object%/*}"
	gcc "${flags[@]}" "${@:2}" -c -o "$object" "$1"
	objects+=("$object")
}

# kernel_ring NAME FLAGS...: the kernel's ring, of which only NAME is seen from outside.
kernel_ring() {
	local name=$1 all=("${objects[@]}")

	shift
	objects=()
	compile "$kernel/ring_buffer.c" -w "${kernel_includes[@]}" "${as_kernel[@]}" "$@"
	compile tests/bench/kernel/ring.c -w "${kernel_includes[@]}" "-DKERNEL_RING=$name" "$@"
	ld -r -o "$there/$name.o" "${objects[@]}"
	objcopy --keep-global-symbol="$name" "$there/$name.o"
	objects=("${all[@]}" "$there/$name.o")
}

build() {
	local file

	for file in "${measured[@]}"; do
		compile "$file" "${includes[@]}" "${as_kernel[@]}"
	done
	for file in tests/bench/*.c; do
		compile "$file" "${includes[@]}"
	done
	if [ -e "$kernel/complete" ]; then
		kernel_ring kernel_ring -DKERNEL_MEMCPY
		kernel_ring kernel_ring_libc
	fi
	gcc "${flags[@]}" -o "$there/bench" "${objects[@]}" -lpthread
}

tests/bench/kernel-source.sh >&2 || echo 'bench: no kernel ring to compare with' >&2
build
printf 'Measured on: %s; %s; kernel ring: %s.\n\n' \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(gcc --version | head -n 1)" \
	"$(cat "$kernel/version" 2>/dev/null || echo none)"
"$there/bench" "$@"
