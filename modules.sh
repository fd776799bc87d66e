#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel modules, built by kbuild beside the sources: a directory of links for each kernel, so that
# several can be built from the one tree, and only what changed is built again.
#
#   modules.sh list             the kernels that there are headers of, here or unpacked: a directory a line
#   modules.sh lay DIRECTORY    links to all sources of modules in DIRECTORY, none to what is gone
#   modules.sh build HEADERS [MAKE ARGUMENTS]
#                               builds, with every warning an error, in build/modules/RELEASE
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")"

series=(6.1 6.12)
rooms=(bounce core policy validate/runtime drivers)
generated=(build/gen/{control,ring,storage}{,_layout}.[ch])

architecture=$(dpkg --print-architecture 2>/dev/null || echo amd64)

# The newest of each series, of the generic flavour and the cloud's.
list() {
	local one flavour

	for one in "${series[@]}"; do
		for flavour in "" cloud-; do
			find /usr/src "$PWD/build/headers/usr/src" -maxdepth 1 2>/dev/null |
				grep -E "/linux-headers-${one//./\\.}\.[^-]*(-[0-9]+)?-$flavour$architecture\$" |
				sort -V | tail -n 1 || :
		done
	done
}

# Links are left alone where they are right: what kbuild made from them stays good.
lay() {
	local directory=$1 file

	{
		echo Kbuild
		find "${rooms[@]}" -name '*.[ch]'
		printf '%s\n' "${generated[@]}"
	} | while read -r file; do
		[ ! "$directory/$file" -ef "$file" ] || continue
		mkdir -p "$directory/$(dirname "$file")"
		ln -sf "$PWD/$file" "$directory/$file"
	done
	find "$directory" -xtype l -delete
}

build() {
	local headers=$1 release directory

	shift
	release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$headers/include/generated/utsrelease.h")
	[ -n "$release" ] || exit
	directory=$PWD/build/modules/$release
	lay "$directory"
	make -C "$headers" M="$directory" W=1 KCFLAGS=-Werror "$@"
}

command=${1:?list, lay or build}
shift
"$command" "$@"
