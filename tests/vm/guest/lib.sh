#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What guest scripts share; they read it with ".".
# shellcheck shell=dash

# $1: the exit code of what had to succeed; $2: what that shows; $3: why it did not, if known.
report() {
	if [ "$1" -eq 0 ]; then
		echo "vm: ok $2"
	else
		echo "vm: not ok $2${3:+: $3}"
	fi
}

# Waits up to $1 seconds for the command after it.
wait_for() {
	local tries=$(($1 * 10))

	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# Has the host process do $*, a command of its control socket: what it answers is printed. 0 if "ok".
host() {
	local answer

	echo "vm: host $*"
	read -r answer </dev/ttyS0
	echo "host: $answer"
	[ "${answer%% *}" = ok ]
}

# $disk is a disk of model $model (blanks as "_"), such as "sda".
# shellcheck disable=SC2154
find_disk() {
	local device

	for device in /sys/block/sd*; do
		[ -e "$device/device/model" ] || continue
		[ "$(sed 's/ *$//; s/ /_/g' "$device/device/model" 2>/dev/null)" = "$model" ] || continue
		disk=${device##*/}
		return 0
	done
	return 1
}

gone() {
	! find_disk
}

# A node of our own: opening it makes no file where there is no disk.
make_node() {
	wait_for 20 find_disk || return
	rm -f /tmp/disk
	# shellcheck disable=SC2046
	mknod /tmp/disk b $(tr ':' ' ' <"/sys/block/$disk/dev")
}

now() {
	cut -d. -f1 /proc/uptime
}
