#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
#     demo.sh TIMEOUT MIB SECOND ATTACK...
#
# What a user of a disk does, and what a hostile host does meanwhile: a file system of MIB MiB that outlives a
# rescind, a second LUN from the host's file SECOND, a rescind under I/O, each ATTACK of the host's list. After each of them
# the disk has to work, if need be after it went and came again. Commands may take TIMEOUT seconds.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

bus=/sys/bus/vmbus
timeout=$1
mib=$2
second=$3
file_mib=16
shift 3
exec 3>&1	# the log, also where output is caught

# Has the host process do $*; what it says is in $answer. 0 if "ok".
tell() {
	echo "vm: host $*" >&3
	read -r answer </dev/ttyS0
	[ "${answer%% *}" = ok ]
}

# The disk with LUN $1, such as "sda".
disk_of() {
	local device

	for device in "$bus"/devices/*/host*/target*/*:"$1"/block/*; do
		[ -d "$device" ] || continue
		basename "$device"
		return
	done
	return 1
}

there() {
	disk_of "$1" >/dev/null
}

gone() {
	! there "$1"
}

is_block() {
	[ -b "$1" ]
}

must() {
	local step=$1 why status

	shift
	why=$("$@" 2>&1)
	status=$?
	report $status "$step" "$(echo "$why" | tail -n 1)"
	[ $status -eq 0 ] || exit 0
}

# A MiB of noise, and its number in front of each copy: quick to make, and no two are alike.
write_files() {
	local i=0 j

	dd if=/dev/urandom of=/tmp/noise bs=1M count=1 2>/dev/null
	while [ $i -lt $((mib / file_mib)) ]; do
		j=0
		while [ $j -lt $file_mib ]; do
			echo "$i $j"
			cat /tmp/noise
			j=$((j + 1))
		done >"/mnt/file$i" || return 1
		i=$((i + 1))
		[ $((i % 4)) -ne 0 ] || echo "vm: progress $((i * file_mib)) of $mib MiB written" >&3
	done
}

sums() {
	(cd /mnt && sha256sum file*)
}

same_sums() {
	sums | cmp -s - /tmp/sums
}

again() {
	tell rescind
	wait_for 20 gone 0 || return 1
	tell offer
	wait_for 20 there 0
}

# ---- a user ----

file_system() {
	local disk

	must 'a disk appears' wait_for 20 there 0
	disk=$(disk_of 0)
	report 0 "it is $disk, $(cat "/sys/block/$disk/size") blocks of \"$(sed 's/ *$//' "/sys/block/$disk/device/model")\""
	echo 'label: gpt
type=linux' >/tmp/table
	must 'it takes a partition table' sfdisk --quiet "/dev/$disk" </tmp/table
	must 'the partition is there' wait_for 5 is_block "/dev/${disk}1"
	must 'mkfs.ext4' mke2fs -q -t ext4 "/dev/${disk}1"
	must 'mount' mount -t ext4 "/dev/${disk}1" /mnt
	must "$mib MiB of files are written" write_files
	sync
	sums >/tmp/sums
	cp /tmp/sums /mnt/sums
	must 'sync, and umount' umount /mnt
	must 'the host takes the disk away and offers it again' again
	disk=$(disk_of 0)
	must 'the partition is there again' wait_for 5 is_block "/dev/${disk}1"
	must 'mount, once more' mount -t ext4 "/dev/${disk}1" /mnt
	must 'SHA-256 of every file is what it was' same_sums
	must 'umount, once more' umount /mnt
}

second_disk() {
	local disk

	tell lun add 1 "$second"
	must 'a second LUN appears while the machine runs' wait_for 20 there 1
	disk=$(disk_of 1)
	must 'it takes a file system' mke2fs -q -t ext4 "/dev/$disk"
	tell lun remove 1
	must 'it is taken away, and gone' wait_for 20 gone 1
}

under_load() {
	local disk writer

	disk=$(disk_of 0)
	must 'the file system is mounted' mount -t ext4 "/dev/${disk}1" /mnt
	dd if=/dev/zero of=/mnt/load bs=64k count=100000 conv=fsync >/dev/null 2>&1 &
	writer=$!
	sleep 1
	tell rescind
	must 'the disk is taken away while it is written to' wait_for 30 gone 0
	! wait $writer
	report $? 'the writer hears of it'
	umount -l /mnt
	tell offer
	must 'the disk comes back' wait_for 20 there 0
	disk=$(disk_of 0)
	must 'its partition, too' wait_for 5 is_block "/dev/${disk}1"
	e2fsck -p "/dev/${disk}1" >/dev/null 2>&1
	[ $? -le 1 ]
	report $? 'its journal is played back'
	must 'mount, after that' mount -t ext4 "/dev/${disk}1" /mnt
	must 'the files are what they were' same_sums
	must 'umount, after that' umount /mnt
}

# ---- a hostile host ----

acts() {
	tell status
	echo "$answer" | tr ' ' '\n' | sed -n 's/^acts=//p'
}

# What was noticed: "rule count" lines of the connection, and the controller's counters.
noticed() {
	cat $bus/airlock/violations
	cat /sys/class/scsi_host/host*/violations /sys/class/scsi_host/host*/refused 2>/dev/null | sed 's/^/scsi /'
}

# Eight blocks, read past the cache, are what they always were.
reads() {
	local disk

	disk=$(disk_of 0) || return 1
	timeout 4 dd if="/dev/$disk" bs=4k count=8 skip=256 iflag=direct 2>/dev/null | sha256sum | cmp -s - /tmp/blocks
}

# "vm: attack ID VERDICT ..." for the report.
attack() {
	local before after evidence words

	before=$(acts)
	noticed >/tmp/before
	if ! tell attack "$1"; then
		echo "vm: not ok attack $1: $answer"
		return
	fi
	words=${answer#ok }
	sleep 0.3
	reads
	sleep 0.2
	after=$(acts)
	tell script
	evidence=works
	if ! reads && ! { sleep 1 && reads; }; then
		evidence='works after it went and came again'
		again || evidence=
		[ -z "$evidence" ] || wait_for 20 reads || evidence=
	fi
	noticed >/tmp/after
	rules=$(grep -vxFf /tmp/before /tmp/after | awk '{print $1}' | sort -u | paste -sd ' ' -)
	if [ "$after" -le "$before" ]; then
		echo "vm: not ok attack $1 ($words): it never struck"
	elif [ -z "$evidence" ]; then
		echo "vm: not ok attack $1 ($words): the disk is lost"
	else
		echo "vm: ok attack $1 ($words): acts $((after - before)); noticed ${rules:-nothing}; $evidence"
	fi
}

attacks() {
	local disk

	disk=$(disk_of 0)
	dd if="/dev/$disk" bs=4k count=8 skip=256 iflag=direct 2>/dev/null | sha256sum >/tmp/blocks
	while [ $# -gt 0 ]; do
		attack "$1"
		shift
	done
}

# ---- secrets ----

hex() {
	od -An -v -tx1 "$1" | tr -d ' \n'
}

# 32 bytes that the guest keeps to itself; the host is told them afterwards, and must not have them.
hide_secret() {
	dd if=/dev/urandom of=/tmp/secret bs=32 count=1 2>/dev/null
	secret=$(hex /tmp/secret)
	[ ${#secret} -eq 64 ]
	report $? 'a secret of 32 bytes is in private memory'
}

look_for_secret() {
	tell secret "$secret"
	[ "$answer" = 'ok found 0' ] && [ "$(hex /tmp/secret)" = "$secret" ]
	report $? 'it is nowhere in the memory that the host sees' "$answer"
	# Between the partition table and the first partition nobody else writes.
	dd if=/tmp/secret of="/dev/$(disk_of 0)" bs=512 seek=64 conv=notrunc,fsync 2>/dev/null
	report $? 'now the guest writes it to the disk itself'
}

insmod /modules/ours/airlock_scsi.ko "timeout=$timeout"
report $? 'module airlock_scsi is loaded'
insmod /modules/ours/airlock_testbed.ko
report $? 'module airlock_testbed is loaded, and finds the host'
hide_secret
file_system
second_disk
under_load
attacks "$@"
must 'the disk goes and comes once more' again
disk=$(disk_of 0)
must 'the partition is there at last' wait_for 5 is_block "/dev/${disk}1"
must 'mount, at last' mount -t ext4 "/dev/${disk}1" /mnt
must 'SHA-256 of every file, at last' same_sums
must 'umount, at last' umount /mnt
look_for_secret
echo "vm: pages shared $(cat $bus/airlock/shared_pages) leaked $(cat $bus/airlock/leaked_pages)"
