#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
#     endure.sh MODEL cycles TIMES    the disk's controller goes and comes back TIMES times, half of them under
#                                     load; its driver is unbound and bound; modules go and come back under load
#     endure.sh MODEL die             the host process is killed while the disk is used
#
# What is allocated, shared and mapped is counted before and after. Only airlock.ko is loaded yet.
# shellcheck shell=dash source-path=SCRIPTDIR source=lib.sh
. /guest/lib.sh

model=$1
times=${3:-20}
bus=/sys/bus/vmbus
driver=$bus/drivers/airlock_scsi
timeout=10		# s of a command; what we test is not how long the default is
warm_up=4		# cycles, of each kind: what is made once is made then
ends=45			# s: a command's time, a reset's, and some for a slow machine

# ---- load: reads and writes, each until the first error ----

reads() {
	while dd if=/tmp/disk of=/dev/null bs=64k count=32 iflag=direct 2>/dev/null; do :; done
	touch /tmp/reads-ended
}

writes() {
	while dd if=/dev/zero of=/tmp/disk bs=128k count=32 oflag=direct conv=notrunc 2>/dev/null; do :; done
	touch /tmp/writes-ended
}

start_load() {
	rm -f /tmp/reads-ended /tmp/writes-ended
	reads &
	reader=$!
	writes &
	writer=$!
	sleep 0.3
}

runs() {
	[ ! -e /tmp/reads-ended ] && [ ! -e /tmp/writes-ended ]
}

has_ended() {
	[ -e /tmp/reads-ended ] && [ -e /tmp/writes-ended ]
}

# Both ended with an error within the deadline; how long that took is noted.
load_ends() {
	local start

	start=$(now)
	wait_for $ends has_ended || return
	wait "$reader" "$writer"
	took=$(($(now) - start))
	[ $took -le "$longest" ] || longest=$took
}

# ---- what is there ----

# Objects of the slab that code of ours allocated, by the tracks that slab_debug=U keeps; some are KFENCE's.
our_objects() {
	{
		cat /sys/kernel/debug/slab/kmalloc-*/alloc_traces 2>/dev/null
		echo ---
		cat /sys/kernel/debug/kfence/objects
	} | awk '
		function next_one(number) { if (ours) sum += count; count = number; ours = 0 }
		/^ *[0-9]+ / { next_one($1) }
		/^---/ { next_one(1) }
		/^freed by/ { count = 0 }
		/\[airlock/ { ours = 1 }
		END { next_one(0); print sum + 0 }'
}

# Objects in all caches of kmalloc(), by anybody. slab_debug makes these numbers exact.
kmalloc_objects() {
	awk '/^kmalloc-/ { sum += $2 } END { print sum }' /proc/slabinfo
}

shared() {
	cat $bus/airlock/shared_pages 2>/dev/null || echo none
}

leaked() {
	cat $bus/airlock/leaked_pages 2>/dev/null || echo none
}

interrupts() {
	grep -c airlock /proc/interrupts
}

areas() {
	grep -c '\[airlock' /proc/vmallocinfo
}

exact() {
	echo "$(our_objects) $(shared) $(leaked) $(interrupts) $(areas)"
}

is_as_before() {
	[ "$(exact)" = "$before" ]
}

# Remembers what is there once it has come to rest: sub-channels come after the disk.
measure() {
	local last=

	before=$(exact)
	until [ "$before" = "$last" ]; do
		sleep 1
		last=$before
		before=$(exact)
	done
	kmalloc=$(kmalloc_objects)
}

# $1 cycles of $2 since: a leak would grow by at least one object each, half of that is noise of the kernel.
check_leaks() {
	local after grown i

	i=0
	until is_as_before || [ $i -eq 3 ]; do
		i=$((i + 1))
		sleep 2
	done
	after=$(exact)
	# An object fewer is one that was about to go when they were counted first.
	[ "${after#* }" = "${before#* }" ] && [ "${after%% *}" -le "${before%% *}" ]
	report $? "after $1 $2: our slab objects, shared, leaked pages, interrupts, areas are as before: $before" "$after"
	grown=$(($(kmalloc_objects) - kmalloc))
	[ $grown -lt $((40 + $1 / 2)) ]
	report $? "after $1 $2: objects of kmalloc grew by $grown, less than $((40 + $1 / 2))" "$kmalloc before"
}

# ---- cycles ----

rescind_and_offer() {
	host rescind >&2 && wait_for 20 gone && host offer >&2 && make_node
}

under_load() {
	start_load
	runs && host rescind >&2 && load_ends && wait_for 20 gone && host offer >&2 && make_node
}

# Runs $2 $1 times, or until it fails; how often it worked is in $done.
repeat() {
	done=0
	while [ $done -lt "$1" ] && $2; do
		done=$((done + 1))
	done
	[ $done -eq "$1" ]
}

check_rescinds() {
	longest=0
	repeat $warm_up rescind_and_offer && repeat $warm_up under_load
	report $? "the disk goes and comes back $warm_up times, without and with load" "$done times"
	measure
	repeat $((times / 2)) rescind_and_offer
	report $? "$((times / 2)) times more" "$done times"
	repeat $((times - times / 2)) under_load
	report $? "$((times - times / 2)) times under load, which ends in $longest s at most" "$done times; $(ls /tmp)"
	check_leaks "$times" rescinds
}

unbind_and_bind() {
	local name

	name=$(basename "$(echo $bus/devices/*)")
	start_load
	runs && echo "$name" >$driver/unbind && load_ends && echo "$name" >$driver/bind && make_node
}

check_binding() {
	longest=0
	repeat 2 unbind_and_bind
	measure
	repeat 5 unbind_and_bind
	report $? "5 times its driver is unbound under load, which ends in $longest s at most, and bound" "$done times"
	check_leaks 5 bindings
}

load_modules() {
	insmod /modules/ours/airlock.ko 2>/dev/null
	insmod /modules/ours/airlock_scsi.ko timeout=$timeout
	insmod /modules/ours/airlock_testbed.ko
}

# The transport goes first, and takes the disk with it.
unload_under_load() {
	start_load
	runs && ! rmmod airlock_scsi 2>/dev/null && ! rmmod airlock 2>/dev/null && runs &&
		rmmod airlock_testbed && load_ends && rmmod airlock_scsi && rmmod airlock && [ ! -e $bus ]
}

reload_under_load() {
	unload_under_load && load_modules && make_node
}

# The driver alone, before and after the host is there.
reload_driver() {
	wait_for 5 rmmod airlock_scsi 2>/dev/null && wait_for 20 gone &&
		insmod /modules/ours/airlock_scsi.ko timeout=$timeout && make_node
}

check_modules() {
	longest=0
	repeat 5 reload_driver
	report $? '5 times the driver of disks is unloaded and loaded' "$done times"
	repeat 2 reload_under_load
	measure
	repeat 5 reload_under_load
	report $? "5 times all modules are unloaded under load, which ends in $longest s at most, and loaded" "$done times"
	check_leaks 5 reloads
	dd if=/dev/urandom of=/tmp/file bs=1M count=2 2>/dev/null
	dd if=/tmp/file of=/tmp/disk bs=64k oflag=direct conv=notrunc 2>/dev/null &&
		dd if=/tmp/disk bs=64k count=32 iflag=direct 2>/dev/null | cmp -s - /tmp/file
	report $? 'the disk is of use afterwards'
}

check_end() {
	rmmod airlock_testbed && rmmod airlock_scsi && rmmod airlock
	report $? 'all modules go'
	[ "$(interrupts) $(areas)" = '0 0' ] && ! grep -q airlock /proc/iomem
	report $? 'no interrupt, area or memory region of them is left' "$(grep airlock /proc/vmallocinfo /proc/iomem)"
	! dmesg | grep 'pages were leaked'
	report $? 'no page of the shared memory was leaked or kept'
}

check_death() {
	local start

	longest=0
	start_load
	runs
	report $? 'the disk is in use'
	host kill
	load_ends
	report $? "when the host process is killed, reads and writes end with errors, $longest s later" "$(dmesg | tail -n 1)"
	start=$(now)
	rmmod airlock_testbed && rmmod airlock_scsi && rmmod airlock && [ ! -e $bus ]
	report $? "all modules go, in $(($(now) - start)) s"
	[ "$(interrupts) $(areas)" = '0 0' ] && ! grep -q airlock /proc/iomem
	report $? 'no interrupt, area or memory region of them is left'
}

load_modules
make_node
report $? "disk $model appears"
case $2 in
cycles)
	check_rescinds
	check_binding
	check_modules
	check_end
	;;
die)
	check_death
	;;
esac
