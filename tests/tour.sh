#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows the compiler at its work: it compiles the three specifications, judges honest and
# hostile messages by them, lets generated C and interpreter judge many more, and explains
# mistakes in a bad specification. Each verdict is compared with the one expected. Ends with "tour: PASS" or "tour: FAIL reason".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

control=validate/spec/control.spec
ring=validate/spec/ring.spec
storage=validate/spec/storage.spec
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	printf 'tour: FAIL %s\n' "$*"
	exit 1
}

step() { printf '\n== %s\n' "$*"; }

# Integers as they lie in a message, little-endian, and N zero bytes.
u8() { printf '%02x' "$1"; }
u16() { printf '%02x%02x' $(($1 & 255)) $(($1 >> 8)); }
u32() { u16 $(($1 & 65535)) && u16 $(($1 >> 16)); }
u64() { u32 $(($1 & 0xffffffff)) && u32 $(($1 >> 32)); }
zeros() { printf '%0*d' $((2 * $1)) 0; }

# ---- messages of the host ----

# An offer of the SCSI controller: relid, byte with "monitor allocated", monitor id.
offer() {
	u32 1 && u32 0
	printf 'd96361baa104294db60572e2ffb1dc7f' # class: scsi
	printf '0102030405060708090a0b0c0d0e0f10' # instance
	zeros 16 && u16 1 && u16 0 && zeros 120 && zeros 4
	u32 "$1" && u8 "$3" && u8 "$2" && u16 1 && u32 0x10001
}

# An answer to initiate_contact in version 6.0: supported, features granted.
version_response() { u32 15 && u32 0 && u8 "$1" && u8 0 && u16 0 && u32 4 && u32 "$2"; }

# A packet's descriptor: type, offset and length in units of 8 bytes, transaction.
descriptor() { u16 "$1" && u16 "$2" && u16 "$3" && u16 "${5:-0}" && u64 "$4"; }

# Received network data: one range of the receive buffer, count and offset.
transfer_pages() {
	descriptor 7 4 4 1 1 && u16 0xcafe && u16 0 && u32 1 && u32 "$1" && u32 "$2"
}

# The end of a SCSI command: bytes of sense data, bytes transferred.
srb_complete() {
	u32 1 && u32 0 && u32 0 && u16 0 && u8 1 && u8 0 && zeros 5 && u8 "$1" && u16 0
	u32 "$2" && zeros 20 && zeros 16
}

# ---- judging ----

# judge EXPECTED WORDS FILE MESSAGE HEX CONTEXT...: EXPECTED is "accepted" or a rule.
judge() {
	local expected=$1 words=$2 got

	shift 2
	build/airspec decode "$@" >"$scratch/verdict" 2>&1
	got=$(grep -E '^(accepted|rejected)' "$scratch/verdict")
	got=${got#rejected by }
	printf '%-44s %s\n' "$words" "$(grep -E '^(accepted|rejected)' "$scratch/verdict")"
	# The line that holds the rule.
	sed -n '/^rejected/,$s/^\([^ ]*\.spec:[^ ]*\) */    \1  /p' "$scratch/verdict" | sed 's/  *#/  #/'
	if [ "${got%%,*}" != "$expected" ]; then
		cat "$scratch/verdict"
		fail "expected $expected"
	fi
}

compile() {
	local protocol

	for protocol in control ring storage; do
		build/airspec build -o "$scratch" "validate/spec/$protocol.spec" ||
			fail "$protocol.spec does not compile"
		printf '%-8s %4d lines of specification -> %5d lines of C, %3d rules\n' "$protocol" \
			"$(wc -l <"validate/spec/$protocol.spec")" \
			"$(cat "$scratch/$protocol".[ch] | wc -l)" \
			"$(build/airspec rules "validate/spec/$protocol.spec" | wc -l)"
	done
}

show_one() {
	build/airspec decode $control - "$(version_response 1 0)" version=6.0 features=0 \
		trusted_path=0 reserved_slot=0 || fail "the answer is honest"
}

judge_control() {
	local context=(version=6.0 features=0 relid_max=2047 subchannel_max=16
		trusted_path=0 reserved_slot=0)

	judge accepted 'an offer of a SCSI controller' \
		$control - "$(offer 7 0 0)" "${context[@]}"
	judge control.offer.relid.range 'as channel 4294967295: an index' \
		$control - "$(offer 0xffffffff 0 0)" "${context[@]}"
	judge control.offer.monitor_range 'with monitor 200 of 128' \
		$control - "$(offer 7 1 200)" "${context[@]}"
	judge control.offer.subchannel.bounds 'cut short by a byte' \
		$control - "$(offer 7 0 0 | sed 's/..$//')" "${context[@]}"
	judge control.version_response.unasked 'a contact that grants what we did not ask' \
		$control - "$(version_response 1 0x40)" "${context[@]}"
	judge control.version_response.supported.range 'a contact that says neither yes nor no' \
		$control - "$(version_response 2 0)" "${context[@]}"
}

judge_ring() {
	local context=(ring_bytes=65536 available=4096 buffer_bytes=16384 takes_transfers=1
		transfer_set=0xcafe transfer_bytes=0x100000 ranges_max=375)

	judge accepted 'a network packet in the receive buffer' \
		$ring - "$(transfer_pages 1514 0xff000)" "${context[@]}"
	judge ring.transfer_range.byte_offset.limit 'across the end of the buffer' \
		$ring - "$(transfer_pages 1514 0xffff0)" "${context[@]}"
	judge ring.transfer_range.byte_offset.limit 'at an offset that wraps around 32 bits' \
		$ring - "$(transfer_pages 1514 0xfffffff0)" "${context[@]}"
	judge ring.header.inside 'a packet whose payload starts behind its end' \
		$ring - "$(descriptor 6 9 4 1)$(zeros 16)" "${context[@]}"
	judge ring.header.in_ring 'a packet longer than what is in the ring' \
		$ring - "$(descriptor 6 2 0xffff 1)$(zeros 16)" "${context[@]}"
}

judge_storage() {
	local context=(version=6.2 device=0 primary=1 kind=1 transaction=99 answering=3
		max_transfer=0x40000 max_subchannels=8)

	judge accepted 'a finished command of 4096 bytes' \
		$storage - "$(srb_complete 0 4096)" "${context[@]}"
	judge storage.srb_complete.sense_length.limit 'with 255 bytes of sense data in 20' \
		$storage - "$(srb_complete 255 4096)" "${context[@]}"
	judge storage.srb_complete.transferred.limit 'that has transferred 4 GiB' \
		$storage - "$(srb_complete 0 0xffffffff)" "${context[@]}"
}

agree() {
	local protocol

	for protocol in control ring storage; do
		"build/host/difftest-$protocol" "validate/spec/$protocol.spec" 300000 \
			>"$scratch/agree" 2>&1 || { cat "$scratch/agree"; fail "they disagree"; }
		grep -E "^$protocol: [0-9]+ (vectors|inputs):" "$scratch/agree" || fail "nothing compared"
	done
}

bad_specification() {
	cat >"$scratch/bad.spec" <<-'END'
		protocol bad
		enum kind : u32 { hello = 1  data = 2  others refused }
		header { kind : kind }
		message hello from host when kind = helo { name : bytes[8] }
		message data from host when kind = data {
		    data_length : u32
		    start       : u32 <= data_length
		    data        : bytes[data_length - start - 4]
		}
	END
	if build/airspec check "$scratch/bad.spec" 2>"$scratch/mistakes"; then
		fail "a bad specification was taken"
	fi
	sed "s|$scratch/||" "$scratch/mistakes"
	grep -q 'bad.spec:[0-9]*:[0-9]*: error:' "$scratch/mistakes" || fail "no error was shown"
}

# A few of the acts that a host can think of, against the whole stack in a process each.
attack() {
	build/clang/attacks C-020 C-102 C-153 C-208 C-219 R-004 R-049 R-054 R-093 ST-056 ST-067 >"$scratch/attacks" ||
		{ cat "$scratch/attacks"; fail "an attack was not contained"; }
	grep -E '^[A-Z]+-[0-9]+ (contained|not)|^attacks:' "$scratch/attacks" | cut -c1-110
}

soak() {
	build/host/soak -m 1 5 2>/dev/null || fail "the stack does not work"
}

main() {
	step 'Three specifications become kernel C'
	compile
	step 'What the compiler sees in the answer to our first message'
	show_one
	step 'The control path: honest, then hostile'
	judge_control
	step 'Rings'
	judge_ring
	step 'Storage'
	judge_storage
	step 'Generated C and interpreter, on a vector for and against each rule, and on random messages'
	agree
	step 'A specification with mistakes'
	bad_specification
	step 'The whole stack against a hostile host: some of its 428 acts ("make attacks" does them all)'
	attack
	step 'The whole stack and an honest host: 5 seconds of packets, with rescinds'
	soak
	printf '\ntour: PASS\n'
}

main
