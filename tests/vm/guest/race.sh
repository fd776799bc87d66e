#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
#     race.sh MODEL SECONDS
#
# A host that changes indices, packets and data at random while the disk is written, read and compared. Then
# it stops, the disk goes and comes back, and has to work. A secret stays in memory that is not shared.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

model=$1
seconds=$2
bus=/sys/bus/vmbus
timeout=3		# s of a command: the host loses some
blocks=16		# of 64 KiB
ends=40

# As host(), but what it answers is all that is printed.
ask() {
	local answer

	echo "vm: host $*" >&2
	read -r answer </dev/ttyS0
	echo "$answer"
}

# $1 of an answer of "status" or "secret" in $2.
value() {
	echo "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

random_hex() {
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# ---- the disk ----

# File $1 is written at block $2 of 64 KiB.
put() {
	dd if="$1" of=/tmp/disk bs=64k seek="$2" oflag=direct conv=notrunc 2>/dev/null
}

# What is at block $1 goes to file $2.
get() {
	dd if=/tmp/disk of="$2" bs=64k skip="$1" count=$blocks iflag=direct 2>/dev/null
}

fresh() {
	dd if=/dev/urandom of=/tmp/pattern bs=64k count=$blocks 2>/dev/null
	sum=$(sha256sum </tmp/pattern)
}

# All of it, with a host that is honest.
verify() {
	fresh
	put /tmp/pattern 0 && get 0 /tmp/back && cmp -s /tmp/pattern /tmp/back
}

# Until told to stop: a line a time, of kind $1 and "same", "other" or "error".
compares() {
	while [ ! -e /tmp/enough ]; do
		if ! get 0 /tmp/read; then
			echo "$1 error"
			sleep 0.2
		elif cmp -s /tmp/pattern /tmp/read; then
			echo "$1 same"
		else
			echo "$1 other"
		fi
	done >>/tmp/compared
	touch /tmp/compares-ended
}

writes() {
	while [ ! -e /tmp/enough ]; do
		put /tmp/pattern 64 || sleep 0.2
	done
	touch /tmp/writes-ended
}

have_ended() {
	[ -e /tmp/compares-ended ] && [ -e /tmp/writes-ended ]
}

# ---- rounds ----

# What the bus and the disk's controller have caught the host at.
caught() {
	cat $bus/airlock/violations /sys/class/scsi_host/host*/violations 2>/dev/null |
		awk '{ sum += $NF } END { print sum + 0 }'
}

come_back() {
	host rescind >&2 && wait_for 20 gone && host offer >&2 && make_node
}

# One kind of change, $1, while the disk is used; all of that ends.
attack() {
	local before=$violations

	rm -f /tmp/enough /tmp/compares-ended /tmp/writes-ended
	compares "$1" &
	writes &
	host mutate "$1" >&2
	sleep 1
	host mutate off >&2
	touch /tmp/enough
	violations=$((violations + $(caught) - ignored))
	host rescind >&2
	wait_for $ends have_ended || return
	wait
	wait_for 20 gone && host offer >&2 && make_node || return
	ignored=$(caught)
	[ "$violations" -ge "$before" ]
}

round() {
	step="verify before $1"
	verify || return
	step="attack $1"
	attack "$1" || return
	step="private memory after $1"
	[ "$(sha256sum </tmp/pattern)" = "$sum" ] || return
	step="verify after $1"
	verify || return
	step="secret after $1"
	[ "$(ask secret "$secret")" = 'ok found 0' ]
}

# Every kind as often as any other, for as long as was asked, and until a read has met no change: that is chance.
rounds() {
	local kind

	while [ $count -eq 0 ] || [ "$(now)" -lt "$until" ] || { [ "$(count_lines same)" -eq 0 ] && [ $count -lt 16 ]; }; do
		for kind in indices packets data on; do
			round $kind || return
			count=$((count + 1))
		done
	done
}

count_lines() {
	grep -c "$1" /tmp/compared
}

# A second secret, which is written to the disk again and again, is found: the search works.
check_search() {
	local tries=0 found

	shown=$(random_hex)
	rm -f /tmp/shown /tmp/enough
	while [ $tries -lt 2048 ]; do
		echo "$shown"
		tries=$((tries + 1))
	done | sed 's/../\\x&/g' | while read -r line; do printf '%b' "$line"; done >/tmp/shown
	while [ ! -e /tmp/enough ]; do put /tmp/shown 200; done &
	tries=0
	found='ok found 0'
	while [ "$found" = 'ok found 0' ] && [ $tries -lt 20 ]; do
		found=$(ask secret "$shown")
		tries=$((tries + 1))
	done
	touch /tmp/enough
	wait
	[ "$found" != 'ok found 0' ] && [ "${found#ok found}" != "$found" ]
	report $? 'what is written to the disk is found in shared memory meanwhile: the search works' "$found"
}

insmod /modules/ours/airlock_scsi.ko timeout=$timeout
insmod /modules/ours/airlock_testbed.ko
make_node
report $? "disk $model appears"
secret=$(random_hex)
echo "$secret" | sed 's/../\\x&/g' | while read -r line; do printf '%b' "$line"; done >/tmp/secret
[ "$(od -An -v -tx1 </tmp/secret | tr -d ' \n')" = "$secret" ]
report $? 'there is a secret in private memory'
check_search

: >/tmp/compared
violations=0
ignored=$(caught)
count=0
until=$(($(now) + seconds))
rounds
report $? "$count rounds of attacks, the disk works after each, and private memory is as it was" "$step"
status=$(ask status)
flips=$(value mutations "$status")
[ "$flips" -gt 0 ]
report $? "the host changed $flips words" "$status"
[ "$violations" -gt 0 ]
report $? "it was caught $violations times" "$(tr '\n' ';' <$bus/airlock/violations)"
[ "$(count_lines same)" -gt 0 ]
report $? "reads meanwhile: $(count_lines same) right, $(count_lines other) of other data, $(count_lines error) errors"
# Who flips indices only does not touch what is on the disk, nor what is on its way.
for kind in indices packets data on; do
	echo "$kind: $(count_lines "$kind same") right, $(count_lines "$kind other") of other data," \
		"$(count_lines "$kind error") errors"
done
found=$(ask secret "$secret")
[ "$found" = 'ok found 0' ] && [ "$(od -An -v -tx1 </tmp/secret | tr -d ' \n')" = "$secret" ]
report $? 'the secret was never in memory that the host can see' "$found"
rmmod airlock_testbed && rmmod airlock_scsi && rmmod airlock
report $? 'all modules go'
