#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel is up, modules of ours that are aboard are loaded, or can be.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

is_loaded() {
	grep -q "^$1 " /proc/modules
}

[ -d /sys/kernel/debug/tracing ]
report $? 'kernel is up'
is_loaded pvpanic_pci || [ -d /sys/bus/pci/drivers/pvpanic-pci ]
report $? 'a panic ends the machine'
for module in airlock airlock_testbed airlock_scsi; do
	[ -e "/modules/ours/$module.ko" ] || continue
	is_loaded $module || insmod "/modules/ours/$module.ko"
	report $? "module $module is loaded"
done
