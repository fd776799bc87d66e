#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs generality.c over bytes that other programs make, here and now: a TCP conversation
# over 127.0.0.1 and one between busybox's DHCP client and server, each in network
# namespaces of its own, captured by tshark; and ELF files of this machine. Needs root, for
# namespaces and capturing; without it, it fails and says so. Prints "ok"/"not ok" lines.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit

airspec=${AIRSPEC:-$PWD/build/airspec}
work=$PWD/build/generality
port=54321
here=airlock-$$-a
there=airlock-$$-b
jobs=()

die() {
	printf 'not ok generality: %s\n' "$*"
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	local job

	for job in "${jobs[@]}"; do
		kill "$job" 2>/dev/null
	done
	wait
	ip netns del "$here" 2>/dev/null
	ip netns del "$there" 2>/dev/null
}

check_tools() {
	local tool

	[ "$(id -u)" -eq 0 ] || die "needs root, to make network namespaces and to capture in them"
	for tool in tshark ip busybox gcc; do
		command -v "$tool" >/dev/null || die "$tool is missing; 'make setup' installs it"
	done
	[ -x "$airspec" ] || die "build/airspec is missing; 'make airspec' makes it"
}

build() {
	local compiler=validate/compiler part parts=()

	for part in spec lex parse parse_type parse_expr sema sema_names sema_expr sema_rules \
		sema_layout sema_session sema_lint interp; do
		parts+=("$compiler/$part.c")
	done
	rm -rf "$work"
	mkdir -p "$work/gen"
	timeout 300 "$airspec" build -o "$work/gen" tests/unit/spec/{packet,elf64,dhcp}.spec ||
		die "the specifications do not compile"
	gcc -O1 -g -std=gnu11 -Wall -Wextra -Werror -fsanitize=address,undefined \
		-fno-sanitize-recover=all -Itests/shim -Ivalidate/runtime -I"$compiler" -I"$work/gen" \
		-o "$work/generality" tests/unit/spec/generality.c "$work"/gen/{packet,elf64,dhcp}.c \
		"${parts[@]}" || die "it does not build"
	printf 'int airlock_zero;\nint airlock_one = 1;\n' |
		gcc -g -c -x c -o "$work/object.o" - || die "no object file"
}

# Captures in namespace $1 on interface $2, what filter $3 lets pass, for $4 seconds, into $5.
start_capture() {
	local log=$5.log waited=0

	: >"$log"
	timeout $(($4 + 10)) ip netns exec "$1" tshark -q -i "$2" -f "$3" -a "duration:$4" \
		-F pcap -w "$5" >"$log" 2>&1 &
	jobs+=($!)
	capture=$!
	until grep -q 'Capture started' "$log"; do
		if [ $((waited++)) -ge 100 ] || ! kill -0 "$capture" 2>/dev/null; then
			die "capturing on $2 is not possible here: $(tail -n 1 "$log")"
		fi
		sleep 0.1
	done
}

capture_tcp() {
	if ! ip netns add "$here" || ! ip -n "$here" link set lo up; then
		die "no network namespace of our own can be made here"
	fi
	start_capture "$here" lo "tcp port $port" 5 "$work/tcp.pcap"
	ip netns exec "$here" "$work/generality" traffic $port || die "no TCP traffic"
	wait "$capture"
	ip netns del "$here"
}

capture_dhcp() {
	if ! { ip netns add "$here" && ip netns add "$there" &&
		ip -n "$here" link add name client type veth peer name server netns "$there" &&
		ip -n "$there" address add 192.0.2.1/24 dev server &&
		ip -n "$here" link set client up && ip -n "$there" link set server up; }; then
		die "no pair of network interfaces of our own can be made here"
	fi
	printf '%s\n' 'interface server' 'start 192.0.2.10' 'end 192.0.2.20' 'option subnet 255.255.255.0' \
		'option router 192.0.2.1' 'option dns 192.0.2.1 192.0.2.2' 'option lease 600' \
		"lease_file $work/leases" "pidfile $work/udhcpd.pid" >"$work/udhcpd.conf"
	: >"$work/leases"
	start_capture "$there" server 'udp port 67 or udp port 68' 8 "$work/dhcp.pcap"
	timeout 20 ip netns exec "$there" busybox udhcpd -f "$work/udhcpd.conf" >"$work/udhcpd.log" 2>&1 &
	jobs+=($!)
	sleep 0.5
	timeout 10 ip netns exec "$here" busybox udhcpc -f -n -q -i client -t 3 -T 2 -s /bin/true \
		-x hostname:airlock -V airlock-test >"$work/udhcpc.log" 2>&1 ||
		die "no DHCP lease: $(tail -n 1 "$work/udhcpc.log")"
	wait "$capture"
}

trap clean_up EXIT
check_tools
build
capture_tcp
capture_dhcp
failed=0
"$work/generality" packet "$work/tcp.pcap" || failed=1
"$work/generality" dhcp "$work/dhcp.pcap" || failed=1
"$work/generality" elf64 "$work/object.o" /bin/ls /bin/bash "$(command -v gcc)" "$work/generality" \
	"$(ldd /bin/ls | sed -n 's/.*=> \(.*libc\.so[^ ]*\).*/\1/p')" || failed=1
exit $failed
