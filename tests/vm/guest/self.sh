#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/vm/self.sh has machines do, right and wrong.
# shellcheck shell=dash
case $1 in
pass)
	echo 'vm: ok right'
	;;
fail)
	echo 'vm: ok right'
	echo 'vm: not ok wrong: by intent'
	;;
panic)
	echo c >/proc/sysrq-trigger
	;;
hang)
	while :; do :; done
	;;
sleep)
	sleep 1000
	;;
say)
	shift
	echo "<4>$*" >/dev/kmsg
	echo 'vm: ok right'
	;;
disk)
	insmod /modules/stock/scsi_debug.ko dev_size_mb=48
	exec sh /guest/disk.sh scsi_debug 16 20 pseudo
	;;
leave)
	poweroff -f
	;;
esac
