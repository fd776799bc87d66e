#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the numbers the project holds itself to, one "key: value" a line; "stats.sh check"
# says "ok" or "not ok" for each that has a limit. Expects the generated files in build/gen.
# Lines that hold only white space or comment never count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

gen=build/gen
protocols=()
for spec in validate/spec/*.spec; do
	protocols+=("$(basename "$spec" .spec)")
done

# Generated C: all that is compiled into a module, headers included. Tables of names,
# vectors, mutators and annotated copies are for tools and tests.
generated=()
for protocol in "${protocols[@]}"; do
	generated+=("$gen/$protocol.c" "$gen/$protocol.h")
done

mapfile -t written < <(find . -path ./build -prune -o -path ./.git -prune -o \
	-name '*.[ch]' -print | sort)

spec_lines() {
	cat validate/spec/*.spec | grep -cv '^[[:space:]]*\(#.*\)\?$'
}

# Lines of C in the files given.
c_lines() {
	awk '
		{
			line = $0
			code = ""
			while (line != "") {
				if (comment) {
					end = index(line, "*/")
					if (!end)
						break
					line = substr(line, end + 2)
					comment = 0
				}
				start = index(line, "/*")
				if (!start) {
					code = code line
					break
				}
				code = code substr(line, 1, start - 1)
				line = substr(line, start + 2)
				comment = 1
			}
			sub(/\/\/.*/, "", code)
			if (code ~ /[^[:space:]]/)
				lines++
		}
		END { print lines + 0 }
	' "$@"
}

rules() {
	local protocol

	for protocol in "${protocols[@]}"; do
		build/airspec rules "validate/spec/$protocol.spec"
	done | wc -l
}

# Rules with a vector that breaks them and one that keeps them.
rules_with_vectors() {
	local protocol

	for protocol in "${protocols[@]}"; do
		sed -n 's/.*\.rule_name = "\([^"]*\)".*\.breaks = \([a-z]*\).*/\1 \2/p' \
			"$gen/${protocol}_vectors.c" | sort -u | cut -d ' ' -f 1 | uniq -d
	done | wc -l
}

# The length of each function body in the files given, braces included, shortest first.
function_lengths() {
	ctags -x --language-force=C --kinds-C=f --_xformat='%{line} %{end} %F' "$@" |
		while read -r line end file; do
			awk -v from="$line" -v to="$end" '
				NR >= from && /\{/ { print to - NR + 1; exit }
			' "$file"
		done | sort -n
}

# Prints the three keys about functions, prefixed with $1, for the files that follow.
function_stats() {
	local prefix=$1

	shift
	function_lengths "$@" | awk -v prefix="$prefix" '
		{ length_of[NR] = $1 }
		$1 > 100 { long++ }
		END {
			printf "%s-functions: %d\n", prefix, NR
			printf "%s-functions-over-100-lines: %d\n", prefix, long
			printf "%s-median-function-lines: %d\n", prefix, length_of[int((NR + 1) / 2)]
		}
	'
}

numbers() {
	local spec c

	spec=$(spec_lines)
	c=$(c_lines "${generated[@]}")
	printf 'spec-lines: %d\n' "$spec"
	printf 'generated-c-lines: %d\n' "$c"
	awk -v c="$c" -v spec="$spec" 'BEGIN { printf "c-per-spec-line: %.2f\n", c / spec }'
	printf 'rules: %d\n' "$(rules)"
	printf 'rules-with-vectors: %d\n' "$(rules_with_vectors)"
	function_stats generated "${generated[@]}"
	printf 'hand-written-c-lines: %d\n' "$(c_lines "${written[@]}")"
	function_stats hand-written "${written[@]}"
}

# Reads the numbers and compares them with their limits.
check() {
	awk -F ': ' '
		function expect(holds, words) {
			print (holds ? "ok " : "not ok ") words
			failed += !holds
		}
		{ value[$1] = $2; print }
		END {
			expect(value["c-per-spec-line"] > 0 && value["c-per-spec-line"] < 6,
				"less than 6 lines of C for a line of specification")
			expect(value["rules"] > 0 && value["rules-with-vectors"] == value["rules"],
				"each rule has a vector that breaks it and one that keeps it")
			expect(value["generated-functions"] > 0 &&
				value["generated-functions-over-100-lines"] == 0,
				"no generated function is longer than 100 lines")
			expect(value["hand-written-functions"] > 0 &&
				value["hand-written-functions-over-100-lines"] == 0,
				"no hand-written function is longer than 100 lines")
			expect(value["hand-written-median-function-lines"] <= 12,
				"half of the hand-written functions have 12 lines or less")
			exit failed > 0
		}
	'
}

if [ "${1:-}" = check ]; then
	numbers | check
else
	numbers
fi
