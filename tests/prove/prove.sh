#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Proves every generated validator with Frama-C: WP for all lengths and all bytes, Eva for
# the way out of host memory. Shows that it can fail, too: with a check taken out, or with
# host memory read twice, something must be left unproven. Run by "make prove", which has
# generated build/gen/. Usage: prove.sh [PROTOCOL...] (default: all of them)
set -euo pipefail

out=build/prove
rte_flags=(-c11 -cpp-extra-args="-Itests/shim -Ivalidate/runtime -Ibuild/gen -I$out")
wp_flags=("${rte_flags[@]}" -wp -wp-rte -warn-unsigned-overflow -wp-model Typed+ref -wp-no-init-const -wp-no-pruning
	-wp-prover "cvc4,z3" -wp-par 2 -wp-cache update -wp-cache-dir "$out/cache")
validators=0 goals=0 unproved=0 wrong=0

complain() {
	echo "FAIL: $*"
	wrong=$((wrong + 1))
}

# The functions of C file "$1" that check messages of protocol "$2", one a line.
functions_of() {
	grep -oE "^(static )?int $2_((check|walk)_[a-z0-9_]+|receive)\(" "$1" | sed -E 's/.* ([a-z0-9_]+)\(/\1/'
}

# An annotated file without its annotations.
strip() {
	sed -E '/^\t*\/\*@.*\*\/$/d; /^\t*\/\*@/,/\*\/$/d' "$1"
}

# Runs WP on the functions "$2" of file "$1", showing progress; its output goes to "$3". A goal
# gets "$4" seconds; more options may follow.
run_wp() {
	frama-c "${wp_flags[@]}" -wp-timeout "$4" "${@:5}" -wp-fct "$2" "$1" 2>&1 | tee "$3" |
		awk -v name="$(basename "$1" .c)" '
			/goals scheduled/ { all = $2 }
			/^\[wp\] \[.*\] Goal / && ++n % 200 == 0 { print "  " name ": " n " of " all " goals"; fflush() }' ||
		true
}

# "PROVED ALL" of a log; nothing if WP did not come to its end.
count_goals() {
	sed -nE 's/^\[wp\] Proved goals: +([0-9]+) \/ ([0-9]+)$/\1 \2/p' "$1"
}

unproved_goals() {
	sed -nE '/ Valid/d; s/^\[wp\] \[[^]]*\] Goal ([^ ]+).*/\1/p' "$1" | sed -E 's/^typed_ref_//'
}

# "FUNCTION GOAL" for each goal of log "$1", by the longest name of list "$2" that fits.
goals_by_function() {
	sed -nE 's/^\[wp\] \[[^]]*\] Goal (typed_ref_)?([^ ]+).*/\2/p' "$1" |
		awk 'NR == FNR { name[$1] = 1; next }
		     { for (n = length($1); n; n--) if (substr($1, n, 1) == "_" && substr($1, 1, n - 1) in name) {
				print substr($1, 1, n - 1), $1; break } }' <(echo "$2" | tr , '\n') -
}

functions_without_goals() {
	comm -13 <(goals_by_function "$1" "$2" | cut -d' ' -f1 | sort -u) <(echo "$2" | tr , '\n' | sort)
}

# The functions of list "$2" that have goals unproved in log "$1", with commas.
functions_unproved() {
	join <(unproved_goals "$1" | sort) <(goals_by_function "$1" "$2" | sort -k2,2) -2 2 -o 2.1 | sort -u | paste -sd,
}

# The kinds of goal unproved in log "$1", as WP selects them.
kinds_unproved() {
	unproved_goals "$1" | sed -nE 's/.*_(assert|ensures|requires|assigns|terminates)(_.*)?$/@\1/p
		s/.*_loop_(invariant|variant|assigns).*/@\1/p' | sort -u | paste -sd,
}

# What WP's memory model supposes about the functions "$2", one a line. All of it stands in the contracts' "requires",
# so callers have to prove it; whatever else it might suppose is an error.
other_hypotheses() {
	awk -v list=",$2," '/Memory model hypotheses for/ { on = index(list, "," substr($NF, 2, length($NF) - 3) ","); next }
		/\*\// { on = 0 } on' "$1" | tr -d '\n' | tr ';' '\n' |
		sed -E 's/.*requires +//; s/ +/ /g; /^ *$/d' | sort -u | grep -vE \
		'^\\(valid\((m|used|a|b)\)|separated\((m|used|a|b)(, (m|used|b|(msg|ctx) \+ \(\.\.\)))+\))$' || true
}

# What "$1" (a log) says of file "$2" whose functions are "$3". What is left unproven is tried
# again case by case, one goal for each way through the function.
judge() {
	local log=$1 file=$2 list=$3 proved all name again left_proved left_all
	read -r proved all < <(count_goals "$log") || true
	if [ -z "${all:-}" ]; then
		complain "$file: WP did not come to its end:"
		tail -3 "$log"
		return
	fi
	again=$(functions_unproved "$log" "$list")
	if [ "$proved" != "$all" ] && [ -n "$again" ]; then
		echo "  $((all - proved)) goals again, case by case: $again"
		run_wp "$file" "$again" "${log%.log}_cases.log" 30 -wp-split -wp-prop="$(kinds_unproved "$log")"
		log=${log%.log}_cases.log
		read -r left_proved left_all < <(count_goals "$log") || true
		[ -n "${left_all:-}" ] || complain "$file: WP did not come to its end"
		[ "${left_proved:-}" != "${left_all:-}" ] || proved=$all
	fi
	goals=$((goals + all))
	unproved=$((unproved + all - proved))
	while read -r name; do
		echo "  UNPROVED $name in $file"
	done < <(unproved_goals "$log")
	log=$1
	while read -r name; do
		complain "$file: WP supposes $name"
	done < <(other_hypotheses "$log" "$list")
	while read -r name; do
		complain "$file: no goals for $name"
	done < <(functions_without_goals "$log" "$list")
	echo "  $(basename "$file"): $proved of $all goals proved"
}

prove_protocol() {
	local plain=build/gen/$1.c annotated=build/gen/$1_acsl.c list count
	if ! diff <(functions_of "$plain" "$1") <(functions_of "$annotated" "$1") > "$out/$1.diff"; then
		complain "$annotated: not the validators of $plain:"
		cat "$out/$1.diff"
	fi
	strip "$annotated" | diff "$plain" - > "$out/$1.diff" || complain "$annotated: not $plain with annotations"
	list=$(functions_of "$plain" "$1" | paste -sd,)
	count=$(functions_of "$plain" "$1" | grep -cv '_walk_')
	validators=$((validators + count))
	echo "$1: $count validators"
	run_wp "$annotated" "$list" "$out/$1.log" 30
	judge "$out/$1.log" "$annotated" "$list"
}

# The loads, stores and text checks that all validators call.
prove_runtime() {
	local file=tests/prove/runtime.c list
	list=$(cat validate/runtime/wire.h validate/runtime/wire_text.h |
		sed -nE 's/^static inline [a-z0-9]+ ([a-z0-9_]+)\(.*/\1/p' | paste -sd,)
	echo "run-time: $(echo "$list" | tr , '\n' | wc -l) functions"
	frama-c "${wp_flags[@]}" -wp-timeout 30 "$file" > "$out/runtime.log" 2>&1 || true
	judge "$out/runtime.log" "$file" "$list"
}

# Every construct of the language, also those no protocol here uses yet.
prove_shapes() {
	local file=$out/shapes_acsl.c list
	build/airspec build -o "$out" tests/prove/shapes.spec > "$out/shapes.build" 2>&1
	list=$(functions_of "$file" shapes | paste -sd,)
	echo "shapes of the language:"
	run_wp "$file" "$list" "$out/shapes.log" 30
	judge "$out/shapes.log" "$file" "$list"
}

# ---- controls ----

mutate() {
	local what=$1 expression=$2 file=$out/negative_$3.c log=$out/negative_$3.log proved all
	sed -E "$expression" "$out/negative_acsl.c" > "$file"
	if [ "$3" != whole ] && cmp -s "$file" "$out/negative_acsl.c"; then
		complain "control '$what' changes nothing"
		return
	fi
	run_wp "$file" "$(functions_of "$file" negative | paste -sd,)" "$log" 5
	read -r proved all < <(count_goals "$log") || true
	if [ -z "${all:-}" ]; then
		complain "control '$what': WP did not come to its end"
	elif [ "$3" = whole ] && [ "$proved" != "$all" ]; then
		complain "control '$what': $proved of $all goals"
	elif [ "$3" != whole ] && [ "$proved" = "$all" ]; then
		complain "control '$what' was not noticed"
	fi
	echo "  control: $what: $((${all:-0} - ${proved:-0})) of ${all:-0} goals unproved"
}

prove_controls() {
	build/airspec build -o "$out" tests/prove/negative.spec
	mutate 'nothing taken out' '' whole
	mutate 'size of a message' 's/if \(size < 8\)/if (0)/' size
	mutate 'range of a field' 's/if \(!m->count \|\| m->count > 16\)/if (!m->count)/' range
	mutate 'bounds of an array' 's/if \(bytes > size - 8\)/if (0)/' bounds
	mutate 'limit of an index' 's/if \(m->at_byte >= ctx->room\)/if (0)/' limit
	mutate 'step of a loop' 's/at \+= 4;/at += 0;/' step
	mutate 'result of a callee' 's/rule = negative_check_entry.*/rule = 0;/' call
}

# ---- Eva ----

# Of the fetch word by word: the processor's own copy, where it has one, is a single instruction.
alarms() {
	frama-c "${rte_flags[@]}" -cpp-extra-args="-Ibounce -DAIRLOCK_FETCH_WORDS $1" -eva -main receive_rescind \
		-lib-entry -eva-slevel 1000 -eva-split-return full \
		tests/prove/copy_out.c bounce/access.c build/gen/control.c > "$out/copy_out$1.log" 2>&1 || true
	sed -nE 's/^ +([0-9]+) alarms? generated by the analysis.*/\1/p' "$out/copy_out$1.log"
}

prove_single_fetch() {
	local once twice
	once=$(alarms "-DSINGLE_FETCH")
	twice=$(alarms "-DDOUBLE_FETCH")
	echo "copy-out: ${once:-no result} alarms with volatile host memory; control, fetched twice: ${twice:-no result}"
	[ "${once:-x}" = 0 ] || complain "tests/prove/copy_out.c: see $out/copy_out-DSINGLE_FETCH.log"
	[ "${twice:-0}" -gt 0 ] || complain "tests/prove/copy_out.c: the second fetch was not noticed"
}

# ---- what the proofs rest on ----

print_assumptions() {
	cat <<-'END'
	These proofs take for granted:
	  - what a caller owes (each contract's "requires"): the message is readable for its size and does
	    not change; view, message and context do not overlap; context values are in their stated ranges
	  - the kernel's array_index_nospec() has the value of the one in tests/shim/linux/nospec.h
	  - what the processor's own copy (bounce/access.c) does for long messages is what words do for short ones
	  - Frama-C (WP with model Typed+ref, Eva), Why3, Z3 or CVC4, and the compiler
	END
	if grep -nE '\b(admit|axiom|axiomatic)\b' build/gen/*_acsl.c tests/prove/*.c validate/runtime/*.h; then
		complain "something is admitted"
	fi
}

mkdir -p "$out/cache"
[ -e ~/.why3.conf ] || why3 config detect > "$out/why3.log" 2>&1
if [ $# = 0 ]; then
	for spec in validate/spec/*.spec; do
		set -- "$@" "$(basename "$spec" .spec)"
	done
fi
prove_runtime
for protocol; do
	prove_protocol "$protocol"
done
prove_shapes
prove_controls
prove_single_fetch
print_assumptions
[ "$wrong" = 0 ] || echo "$wrong checks of the proofs themselves failed"
echo "proved: $validators validators, $goals goals, $unproved unproved"
[ "$unproved" = 0 ] && [ "$wrong" = 0 ] && [ "$validators" -gt 0 ]
