#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tshark with the generated dissector over the generated capture of each protocol, and
# compares every field and verdict with what the interpreter saw (format: emit_capture.c).
# Fails on a Lua error, a difference, or when nothing was compared.
#
# usage: dissector.sh [DIRECTORY [PROTOCOL...]]		(build/gen, and all in it)
set -euo pipefail

directory=${1:-build/gen}
shift || true

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	printf 'dissector: %s\n' "$*" >&2
	exit 1
}

# dissect PROTOCOL SCRIPT, without the settings and plugins of whoever runs this.
dissect() {
	WIRESHARK_CONFIG_DIR="$scratch" timeout 600 tshark -n -X "lua_script:$2" \
		-r "$directory/$1.pcap" -T pdml >"$scratch/$1.pdml" 2>"$scratch/$1.errors" ||
		fail "protocol $1: tshark failed: $(tail -n 3 "$scratch/$1.errors")"
}

has_lua_errors() {
	grep -hm 3 -i 'lua.*error\|error.*lua' "$scratch/$1.errors" "$scratch/$1.pdml"
}

# An error in the script is seen: when it is read, and when it dissects.
prove_errors() {
	sed '1s/^/no Lua\n/' "$directory/$1.lua" >"$scratch/unreadable.lua"
	sed 's/^\tlocal tree = root:add.*/&\n\tif tvb:len() % 16 == 1 then error("planted") end/' \
		"$directory/$1.lua" >"$scratch/failing.lua"
	for script in unreadable failing; do
		dissect "$1" "$scratch/$script.lua"
		has_lua_errors "$1" >/dev/null || fail "protocol $1: $script script went unnoticed"
	done
}

# Prints "packets fields"; fails with the first differences.
compare() {
	awk -v protocol="$1" '
	function attribute(name,    from) {
		if (!match($0, " " name "=\"[^\"]*\""))
			return ""
		from = RSTART + length(name) + 3
		return substr($0, from, RLENGTH - length(name) - 4)
	}
	function differ(text) {
		if (differences++ < 5)
			printf "dissector: packet %d: %s\n", packet, text >"/dev/stderr"
	}
	# A token: name@offset+size, and "=" shown or "~" bytes.
	function check(token,    name, place, end, got) {
		end = match(token, /[=~]/) ? RSTART : length(token) + 1
		place = substr(token, 1, end - 1)
		name = place
		sub(/@.*/, "", name)
		got = ++used[name]
		fields++
		if (got > count[name])
			differ("not shown: " token)
		else if (places[name, got] != place)
			differ("expected " token ", shown at " places[name, got])
		else if (substr(token, end, 1) == "=" && shown[name, got] != substr(token, end + 1))
			differ("expected " token ", shown " shown[name, got])
		else if (substr(token, end, 1) == "~" && bytes[name, got] != substr(token, end + 1))
			differ("expected " token ", shown " bytes[name, got])
	}
	function finish(    tokens, n, i, name) {
		n = split(expected[++packet], tokens, "\t")
		if (!n)
			differ("none was expected")
		if (tokens[1] != verdict)
			differ("expected to be " tokens[1] ", shown as " verdict)
		for (i = 2; i <= n; i++)
			check(tokens[i])
		for (name in count)
			if (tokens[1] == "kept" && known[name] && count[name] != used[name])
				differ("shown too often: " name)
	}
	FNR == NR {
		expected[FNR] = $0
		lines = FNR
		n = split($0, tokens, "\t")
		for (i = 2; i <= n; i++) {
			sub(/@.*/, "", tokens[i])
			known[tokens[i]] = 1
		}
		next
	}
	/^<packet>/ {
		split("", count)
		split("", used)
		verdict = "not dissected"
	}
	/<field name="airlock\./ {
		name = substr(attribute("name"), length("airlock." protocol ".") + 1)
		if (name == "capture-info.verdict")
			verdict = attribute("show")
		if (name == "strange")
			verdict = "strange"
		n = ++count[name]
		places[name, n] = name "@" attribute("pos") "+" attribute("size")
		shown[name, n] = attribute("show")
		bytes[name, n] = attribute("value")
	}
	/^<\/packet>/ { finish() }
	END {
		if (packet != lines)
			differ("the last one; expected " lines)
		print packet + 0, fields + 0
		exit differences > 0
	}' "$2" "$scratch/$1.pdml"
}

# The comparison itself must notice a wrong value, a wrong verdict and a missing packet.
prove_comparison() {
	local expect=$directory/$1.expect

	sed '0,/=[0-9]/s/\(=[0-9]\)/\17/' "$expect" >"$scratch/value"
	sed '0,/^kept/s/^kept/lost/' "$expect" >"$scratch/verdict"
	sed '$d' "$expect" >"$scratch/missing"
	for wrong in value verdict missing; do
		if compare "$1" "$scratch/$wrong" >/dev/null 2>&1; then
			fail "protocol $1: a wrong $wrong went unnoticed"
		fi
	done
}

check_protocol() {
	local result packets fields

	prove_errors "$1"
	dissect "$1" "$directory/$1.lua"
	if has_lua_errors "$1" >&2; then
		fail "protocol $1: error in Lua"
	fi
	result=$(compare "$1" "$directory/$1.expect") || fail "protocol $1: differences"
	read -r packets fields <<<"$result"
	if [ "$packets" -eq 0 ] || [ "$fields" -eq 0 ]; then
		fail "protocol $1: nothing was compared"
	fi
	prove_comparison "$1"
	printf 'dissector: protocol %s: %d packets, %d fields compared\n' "$1" "$packets" "$fields"
}

if [ $# -eq 0 ]; then
	for file in "$directory"/*.lua; do
		[ -e "$file" ] || fail "no dissectors in $directory"
		set -- "$@" "$(basename "$file" .lua)"
	done
fi
for protocol in "$@"; do
	check_protocol "$protocol"
done
