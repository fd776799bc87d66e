#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does what docs/adding-a-message.md says: applies its patch to a copy of control.spec, builds, compiles,
# and holds each claim against the result.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit

doc=docs/adding-a-message.md
work=build/example
spec=$work/validate/spec/control.spec
answer="1f000000 00000000 05000000"
bad=0

claim() {
	local what=$1

	shift
	if "$@" >"$work/log" 2>&1; then
		printf 'ok %s\n' "$what"
	else
		printf 'not ok %s\n' "$what"
		sed 's/^/    /' "$work/log"
		bad=1
	fi
}

# The code blocks of language $1, one after the other.
blocks() {
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$doc" | sed '/^```/d'
}

# Every line of C the document shows is in the generated file; comments aside.
shown() {
	local line

	while IFS= read -r line; do
		[ -z "$line" ] || grep -qxF -- "$line" <(sed 's,\t/\* .* \*/$,,' "$work/control.c") ||
			{ printf 'not generated: %s\n' "$line"; return 1; }
	done < <(blocks c)
}

old_ids_stay() {
	local lost

	lost=$(comm -23 <(build/airspec rules validate/spec/control.spec | awk '{ print $1, $4 }' | sort) \
		<(build/airspec rules "$spec" | awk '{ print $1, $4 }' | sort))
	[ -z "$lost" ] || { printf 'lost: %s\n' "$lost"; return 1; }
}

compiles() {
	gcc -std=gnu11 -Wall -Wextra -Werror -O2 -Itests/shim -Ivalidate/runtime -I"$work" -c "$work/control.c" \
		-o "$work/control.o"
}

decodes() {
	{ build/airspec decode "$spec" - "$answer $1" version=6.0 || true; } | grep -q "$2"
}

# For each new rule a line of the table of vectors.
has_vectors() {
	local name

	for name in latency_set.size latency_set.when latency_set.nanoseconds.range latency_set.nanoseconds.limit \
		channel.latency_set.state channel.latency_set.unsolicited; do
		grep -q "control.$name" "$work/control_vectors.c" || { printf 'none for %s\n' "$name"; return 1; }
	done
}

forgetting_is_noticed() {
	sed '/send set_latency/d' "$spec" >"$work/forgot.spec"
	if build/airspec check "$work/forgot.spec" 2>"$work/said"; then
		return 1
	fi
	grep -q "no session says when 'set_latency' may come" "$work/said"
}

rm -rf "$work"
mkdir -p "$work/validate/spec"
cp validate/spec/control.spec "$spec"
claim 'the patch of the document applies' patch -s -p1 -d "$work" -i <(blocks diff)
claim 'the changed specification is accepted' build/airspec check "$spec"
claim 'everything is generated' build/airspec build -o "$work" "$spec"
claim 'the generated C is as shown' shown
claim 'the generated C compiles' compiles
claim 'the ids of all older rules stay' old_ids_stay
claim 'the new rules have vectors' has_vectors
claim 'an answer in range is accepted' decodes e8030000 '^accepted$'
claim 'an answer out of range is rejected' decodes 50000000 'rejected by control.latency_set.nanoseconds.range, id 53d15027'
claim 'a forgotten moment is noticed' forgetting_is_noticed
exit "$bad"
