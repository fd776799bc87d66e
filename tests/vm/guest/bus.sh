#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# /sys/bus/vmbus with a disk controller on it: what tools read there, what administrators write there.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

bus=/sys/bus/vmbus
class=ba6163d9-04a1-4d29-b605-72e2ffb1dc7f
driver=$bus/drivers/airlock_scsi

# $1 in file $2.
holds() {
	grep -qx -- "$1" "$2"
}

# File $1 holds $2.
check_file() {
	holds "$2" "$device/$1"
	report $? "$1 is as the kernel's own bus has it" "$(head -n 1 "$device/$1" 2>&1)"
}

has_device() {
	device=$(echo $bus/devices/*)
	[ -d "$device" ]
}

is_bound() {
	[ -e "$device/driver" ]
}

is_unbound() {
	! is_bound
}

has_disk() {
	[ -n "$(ls "$device"/host*/target*/*/block 2>/dev/null)" ]
}

# The directories of channels are $1 in number.
has_channels() {
	[ "$(find "$device/channels" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -eq "$1" ]
}

has_subchannels() {
	! has_channels 1 && ! has_channels 0
}

shared() {
	cat $bus/airlock/shared_pages
}

check_names() {
	local name

	name=$(basename "$device")
	echo "$name" | grep -Eqx '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
	report $? 'a device is named by its instance' "$name"
	check_file id '[1-9][0-9]*'
	check_file state 3
	check_file class_id "{$class}"
	check_file device_id "{$name}"
	check_file modalias 'vmbus:d96361baa104294db60572e2ffb1dc7f'
	check_file uevent 'MODALIAS=vmbus:d96361baa104294db60572e2ffb1dc7f'
	check_file vendor 0x1414
	check_file device 0x1
	check_file numa_node '-\?[0-9]*'
	check_file monitor_id '[0-9]*'
	check_file channel_vp_mapping "$(cat "$device/id"):[0-9]*"
	check_file driver_override '(null)'
}

check_channel() {
	local file channel

	channel=$device/channels/$(cat "$device/id")
	for file in cpu subchannel_id events interrupts in_mask out_mask read_avail write_avail intr_in_full \
		intr_out_empty out_full_total; do
		holds '[0-9]*' "$channel/$file"
		report $? "of a channel, $file is a number" "$(cat "$channel/$file" 2>&1)"
	done
	holds 0 "$channel/subchannel_id"
	report $? 'the channel of that name is the primary'
}

check_subchannels() {
	wait_for 10 has_subchannels
	report $? 'sub-channels have directories, too' "$(ls "$device/channels")"
	cut -d: -f1 "$device/channel_vp_mapping" | sort | tr '\n' ' ' >/tmp/mapping
	find "$device/channels" -mindepth 1 -maxdepth 1 | sed 's|.*/||' | sort | tr '\n' ' ' | cmp -s - /tmp/mapping
	report $? 'the processors of all of them are known' "$(cat /tmp/mapping)"
}

check_moves() {
	local channel processor

	channel=$device/channels/$(cat "$device/id")
	[ "$(nproc)" -gt 1 ] || return
	for processor in 1 0 1; do
		echo $processor >"$channel/cpu" && holds $processor "$channel/cpu"
		report $? "a channel moves to processor $processor" "$(cat "$channel/cpu")"
	done
	! echo 77 2>/dev/null >"$channel/cpu"
	report $? 'a channel does not move to a processor that is not there'
	echo 0 >/sys/devices/system/cpu/cpu1/online && holds 0 "$channel/cpu"
	report $? 'a processor that goes leaves its channels to others' "$(cat "$channel/cpu")"
	! echo 1 2>/dev/null >"$channel/cpu"
	report $? 'none moves to it then'
	echo 1 >/sys/devices/system/cpu/cpu1/online && echo 1 >"$channel/cpu" && holds 1 "$channel/cpu"
	report $? 'until it is back'
}

comes_and_goes() {
	echo "$1" >$driver/bind && wait_for 10 has_disk && echo "$1" >$driver/unbind && is_unbound
}

check_binding() {
	local name before i

	name=$(basename "$device")
	echo "$name" >$driver/unbind && is_unbound
	report $? 'a driver lets a device go'
	before=$(shared)
	wait_for 5 has_channels 1
	report $? 'and its sub-channels with it' "$(ls "$device/channels")"
	holds 0 "$device/state"
	report $? 'its channel is closed then' "$(cat "$device/state")"
	i=0
	while [ $i -lt 5 ] && comes_and_goes "$name"; do
		i=$((i + 1))
	done
	[ $i -eq 5 ]
	report $? 'and has it back, as often as one likes' "$i times"
	[ "$(shared)" -eq "$before" ]
	report $? 'no page stays with the host' "$(shared), not $before"
	echo nobody >"$device/driver_override"
	! echo "$name" 2>/dev/null >$driver/bind && is_unbound
	report $? 'a driver does not get a device that is for another'
	echo airlock_scsi >"$device/driver_override"
	echo "$name" >$driver/bind && wait_for 10 has_disk
	report $? 'one that it is for does'
	echo >"$device/driver_override"
	check_file driver_override '(null)'
}

# Until there is a file /tmp/enough.
bind_and_unbind() {
	local name=$1

	while [ ! -e /tmp/enough ]; do
		echo "$name" >$driver/unbind
		echo "$name" >$driver/bind
	done 2>/dev/null
}

# The host takes the device back and offers it again while the driver comes and goes.
check_races() {
	local name i=0

	name=$(basename "$device")
	rm -f /tmp/enough
	bind_and_unbind "$name" &
	while [ $i -lt 15 ] && host rescind && host offer; do
		i=$((i + 1))
	done
	touch /tmp/enough
	wait
	[ $i -eq 15 ]
	report $? 'the host may take a device back while its driver comes or goes' "$i times"
	wait_for 10 has_device
	is_bound || echo "$name" >$driver/bind
	wait_for 10 has_disk
	report $? 'it works afterwards'
}

check_connection() {
	holds running $bus/airlock/state
	report $? 'the connection runs' "$(cat $bus/airlock/state)"
	holds '[56]\.[0-9]' $bus/airlock/version
	report $? 'of a version that is good enough' "$(cat $bus/airlock/version)"
	holds 0 $bus/airlock/leaked_pages
	report $? 'no page is leaked'
	[ -z "$(cat $bus/airlock/violations)" ]
	report $? 'the host has broken no rule' "$(tr '\n' ';' <$bus/airlock/violations)"
}

check_end() {
	rmmod airlock_scsi && is_unbound
	report $? 'a driver goes'
	insmod /modules/ours/airlock_scsi.ko && wait_for 10 has_disk
	report $? 'and comes back'
	rmmod airlock_testbed && [ -z "$(ls $bus/devices)" ]
	report $? 'all devices go with the transport'
	! cat $bus/airlock/state 2>/dev/null
	report $? 'there is no connection then'
	rmmod airlock_scsi && rmmod airlock && [ ! -e $bus ]
	report $? 'and the bus goes at last'
	insmod /modules/ours/airlock.ko && insmod /modules/ours/airlock_testbed.ko &&
		insmod /modules/ours/airlock_scsi.ko && wait_for 10 has_device && wait_for 10 has_disk
	report $? 'all of it can come back'
}

wait_for 10 has_device
report $? 'there is a device' "$(ls $bus/devices)"
wait_for 10 has_disk
report $? 'there is a disk on it'
check_names
check_channel
check_subchannels
check_moves
check_binding
check_connection
check_races
check_end
