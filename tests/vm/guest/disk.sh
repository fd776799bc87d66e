#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
#     disk.sh MODEL [MIB [SECONDS [BUS]]]
#
# A SCSI disk of this model (blanks as "_") appears within SECONDS, on BUS of /sys/bus. It gets a partition and
# a file system, MIB of random files, and gives them back unchanged after all caches were dropped.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

model=$1
mib=${2:-16}
seconds=${3:-20}
bus=${4:-}
file_mib=4

# One of the directories above the disk is a device of the bus.
on_bus() {
	local device

	[ -n "$bus" ] || return 0
	device=$(readlink -f "/sys/block/$disk")
	while [ "$device" != / ]; do
		[ "$(basename "$(readlink -f "$device/subsystem")")" != "$bus" ] || return 0
		device=$(dirname "$device")
	done
	return 1
}

# The rest makes no sense when one of these fails.
must() {
	local why status

	why=$("$@" 2>&1)
	status=$?
	report $status "$step" "$(echo "$why" | tail -n 1)"
	[ $status -eq 0 ] || exit 0
}

write_files() {
	local i=0

	while [ $i -lt $((mib / file_mib)) ]; do
		dd if=/dev/urandom of=/mnt/file$i bs=1M count=$file_mib 2>/dev/null || return 1
		i=$((i + 1))
	done
}

sums() {
	(cd /mnt && sha256sum file*)
}

same_sums() {
	sums | cmp -s - /tmp/sums
}

step="disk $model appears"
must wait_for "$seconds" find_disk
find_disk
on_bus
report $? "disk $model is on its bus" "$(readlink -f "/sys/block/$disk")"
step="disk $model takes a partition table"
echo 'label: gpt
type=linux' >/tmp/table
must sfdisk --quiet "/dev/$disk" </tmp/table
step="disk $model has a partition"
must wait_for 5 [ -b "/dev/${disk}1" ]
step="disk $model takes a file system"
must mke2fs -q -t ext4 "/dev/${disk}1"
step="disk $model is mounted"
must mount -t ext4 "/dev/${disk}1" /mnt
step="disk $model takes $mib MiB of files"
must write_files
sync
sums >/tmp/sums
cp /tmp/sums /mnt/sums
step="disk $model is unmounted"
must umount /mnt
echo 3 >/proc/sys/vm/drop_caches
step="disk $model is mounted again"
must mount -t ext4 "/dev/${disk}1" /mnt
step="disk $model gives back what was written"
must same_sums
umount /mnt
step="the file system on disk $model is sound"
must e2fsck -f -n "/dev/${disk}1"
