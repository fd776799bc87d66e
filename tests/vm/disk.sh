#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stock kernel with Airlock's modules uses a disk of the model host, which is another process: each
# kernel series once, with one processor and with two. What the guest wrote is then checked in the image.
# Prints "ok NAME" or "not ok NAME" a test.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

mib=${1:-16}
first_byte=$((2048 * 512))	# of the partition that the guest makes

# Machine $1 left a sound file system in its image, with the files that it summed.
check_image() {
	local directory=build/vm/$1 files

	files=$(mktemp -d)
	/sbin/e2fsck -f -n "$directory/disk?offset=$first_byte" >"$directory/fsck.log" 2>&1
	report $? "$1: the file system is sound in the image"
	/sbin/debugfs -R "rdump / $files" "$directory/disk?offset=$first_byte" >>"$directory/fsck.log" 2>&1
	(cd "$files" && sha256sum --quiet -c sums)
	report $? "$1: the files are the same in the image"
	rm -r "$files"
}

# Boots series $1 with $2 processors, and has it use the disk.
check_disk() {
	local name=disk-$1-$2

	timeout 300 tests/vm/run --airlock --name "$name" --kernel "$1" --smp "$2" --disk-size $((mib * 2 + 32))M \
		disk.sh Virtual_Disk "$mib" 20 vmbus || failed=1
	check_image "$name"
}

check_disk 6.1 1
check_disk 6.12 2
timeout 120 tests/vm/run --airlock --name rescind --kernel 6.12 rescind.sh Virtual_Disk 3 || failed=1
timeout 240 tests/vm/run --airlock --name bus --kernel 6.12 --smp 2 --limit 200 bus.sh || failed=1
exit $failed
