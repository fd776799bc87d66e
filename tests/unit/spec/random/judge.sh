#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tries one specification of a protocol called "sample", in DIRECTORY, which is to be empty: the
# compiler (with sanitizers) checks it and writes its C, gcc and clang compile that without a
# warning, and it agrees with the interpreter (both with sanitizers) on INPUTS inputs. Prints one
# line: "accepted", "refused: ..." (by the compiler, with an error) or "failed: ...". Only what
# failed stays in DIRECTORY.
#
#	judge.sh SPECIFICATION DIRECTORY INPUTS
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." || exit

work=$2
spec=$work/sample.spec
inputs=$3
seconds=120	# for each step

# Not 1, by which the compiler says that it refuses.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99
flags=(-g -D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Werror -Ivalidate/compiler -Ivalidate/runtime
	-Itests/shim -Itests/unit/spec -Ifuzz "-I$work")
sanitize=(-O1 -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all)
telling=' error: |ERROR: |DISAGREEMENT|VECTOR|VIEW|BUILDER'

# The line of the log that says most.
reason() { grep -aEm 1 "$telling" "$work/log" || tail -n 1 "$work/log"; }

run() { timeout "$seconds" "$@" >"$work/log" 2>&1 </dev/null; }

# $1: what the command that follows does.
step() {
	local what=$1 status

	shift
	run "$@"
	status=$?
	[ $status -eq 0 ] || echo "failed: $what, exit code $status: $(reason)"
	return $status
}

# What is in files sample$1.c, ... is compiled only to see that it compiles.
parts() { printf "$work/sample%s.c\n" "$@"; }

tried() {
	mapfile -t others < <(parts _glue _vectors _mutator _acsl)
	mapfile -t linked < <(parts '' _glue _vectors)
	step 'writing C' build/clang/airspec build -o "$work" "$spec" &&
		step 'gcc' gcc "${flags[@]}" -O2 -c -o "$work/sample.o" "$work/sample.c" &&
		step 'gcc' gcc "${flags[@]}" -fsyntax-only "${others[@]}" &&
		step 'clang' clang "${flags[@]}" -fsyntax-only "${others[@]}" &&
		step 'clang' clang "${flags[@]}" "${sanitize[@]}" -o "$work/difftest" "${linked[@]}" \
			build/clang/random.a &&
		step 'comparing' "$work/difftest" "$spec" "$inputs" &&
		echo 'accepted'
}

mkdir -p "$work"
[ "$1" -ef "$spec" ] || cp "$1" "$spec" || exit
run build/clang/airspec check "$spec"
case "$? $(tail -n 1 "$work/log")" in
'0 '* | '1 airspec: 0 errors'*) tried || exit 1 ;;
'1 airspec: '*) echo "refused: $(reason)" ;;
*)
	echo "failed: checking: $(reason)"
	exit 1
	;;
esac
rm -r "$work"
