#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
#     rescind.sh MODEL TIMES
#
# The host takes the disk's controller away and offers it again, TIMES times.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

model=$1
times=${2:-3}

there() {
	cat /sys/block/sd*/device/model 2>/dev/null | sed 's/ *$//; s/ /_/g' | grep -qx "$model"
}

gone() {
	! there
}

wait_for 20 there
report $? "disk $model is there"
i=0
while [ $i -lt "$times" ]; do
	i=$((i + 1))
	host rescind
	wait_for 10 gone
	report $? "disk $model goes, $i"
	host offer
	wait_for 10 there
	report $? "disk $model comes back, $i"
done
