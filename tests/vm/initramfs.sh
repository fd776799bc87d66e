#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the initramfs of a test machine: busybox, stock modules, tools for disks, our init and guest
# scripts, and FILES (modules go to /modules/ours, all else to /files).
#
#     tests/vm/initramfs.sh KERNEL_RELEASE OUT [FILES...]
#
# The stock part is made once a release and kept in build/vm/base.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../../build
# Loaded in this order, each after what it depends on. What ext4 asks the crypto layer for, nothing depends on.
stock=(pvpanic pvpanic-pci crct10dif_generic crc32c_generic scsi_mod sd_mod ext4)
# Aboard for scripts that ask for them.
spare=(scsi_debug)
tools=(busybox mke2fs e2fsck sfdisk sha256sum)

# A directory as an archive, the same for the same files.
archive() {
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet --null -o -H newc -R 0:0 --reproducible | gzip -1n)
}

copy_program() {
	local library path

	path=$(command -v "$2")
	install -D "$path" "$1/bin/$2"
	while read -r library; do
		[ -e "$1$library" ] || install -D "$library" "$1$library"
	done < <(ldd "$path" 2>/dev/null | grep -o '/[^ ]*')
}

# Files of modules $2... for release $1, in the order to load them. Built-in ones have none.
modules() {
	local name release=$1

	shift
	for name in "$@"; do
		modprobe --dirname "$build/kernels/$release" --set-version "$release" --show-depends "$name" 2>/dev/null ||
			true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Copies what modules of release $1 the directory $2 needs, and writes down their order.
copy_modules() {
	local module name

	mkdir -p "$2/modules/stock" "$2/modules/ours"
	modules "$1" "${stock[@]}" | sed 's|.*/||; s/\.xz$//' >"$2/modules/stock/order"
	while read -r module; do
		name=$(basename "${module%.xz}")
		case $module in
		*.xz) xz -dc "$module" >"$2/modules/stock/$name" ;;
		*) cp "$module" "$2/modules/stock/$name" ;;
		esac
	done < <(modules "$1" "${stock[@]}" "${spare[@]}")
}

make_base() {
	local root tool

	root=$(mktemp -d)
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,mnt,run,etc,files}
	for tool in "${tools[@]}"; do
		copy_program "$root" "$tool"
	done
	copy_modules "$1" "$root"
	mkdir -p "$(dirname "$2")"
	archive "$root" >"$2.new"
	mv "$2.new" "$2"
	rm -r "$root"
}

# What changes often: a second archive, which the kernel unpacks over the first.
make_ours() {
	local root file

	root=$(mktemp -d)
	mkdir -p "$root/modules/ours" "$root/files"
	install "$here/init" "$root/init"
	cp -r "$here/guest" "$root/guest"
	for file in "$@"; do
		case $file in
		*.ko) cp "$file" "$root/modules/ours" ;;
		*) cp "$file" "$root/files" ;;
		esac
	done
	archive "$root"
	rm -r "$root"
}

main() {
	local release=$1 out=$2 base=$build/vm/base/$1.gz

	shift 2
	[ -e "$build/kernels/$release/vmlinuz" ] || { echo "no kernel $release: make setup" >&2; exit 1; }
	if [ ! "$base" -nt "${BASH_SOURCE[0]}" ] || [ ! "$base" -nt "$build/kernels/$release/vmlinuz" ]; then
		make_base "$release" "$base"
	fi
	mkdir -p "$(dirname "$out")"
	{ cat "$base"; make_ours "$@"; } >"$out.new"
	mv "$out.new" "$out"
}

main "$@"
