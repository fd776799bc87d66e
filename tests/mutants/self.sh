#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the making of mutants work? Tried on a program with checks whose fate is known.
#
#	self.sh RUNNER COMPILER...
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

runner=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
program=$scratch/self
"$@" -w -c -include tests/mutants/if.h -o "$scratch/self.o" tests/mutants/self.c &&
	"$@" -Wall -Wextra -Werror -o "$program" "$scratch/self.o" tests/mutants/switch.c
report $? 'a program builds with a switch at each if'

# Runs the runner on the tests given, with the list of survivors from standard input.
mutants() {
	cat >"$scratch/survivors"
	printf '%s\n' "$@" | "$runner" -j 2 -l 50 -o "$scratch/report" -s "$scratch/survivors" \
		tests/mutants/self.c >"$scratch/out" 2>&1
}

# The fate of the mutant MODE of the check in function FUNCTION that reads CONDITION.
has_fate() {
	awk -F '\t' -v mode="$1" -v fn="$2" -v text="$3" -v fate="$4" \
		'$1 == mode && $3 == fn && $4 == text && $5 == fate { n++ } END { exit n != 1 }' \
		"$scratch/report"
	report $? "$1 $2 ($3): $4"
}

mutants "$program" "$program odd" </dev/null
[ $? -eq 1 ]
report $? 'survivors without a reason are a failure'
has_fate never limit 'value > 10' failed
has_fate inverted limit 'value > 10' failed
has_fate never sum '!count--' stuck
has_fate inverted sum '!count--' failed
has_fate never unnoticed 'value == 3' survived
has_fate inverted unnoticed 'value == 3' survived
has_fate never impossible 'strlen(text) > 100' unseen
has_fate inverted impossible 'strlen(text) > 100' failed
has_fate never odd word failed
has_fate never odd 'limit(2) == 2' failed

wrong='limit(5) != 5 || limit(11) != 10 || sum(6) != 3 || impossible("text")'

list() {
	cat <<-END
		never tests/mutants/self.c unnoticed value == 3 -- only output changes
		inverted tests/mutants/self.c unnoticed value == 3 -- only output changes
		never tests/mutants/self.c impossible strlen(text) > 100 -- no text is so long
		never tests/mutants/self.c main $wrong -- all is well
	END
}

list | mutants "$program" "$program odd"
report $? 'survivors with a reason are none'
list | mutants "$program odd"
[ $? -eq 1 ]
report $? 'what no test reaches survives'
list | mutants "$program" "$program even"
[ $? -eq 1 ] && grep -q '^fails by itself' "$scratch/out"
report $? 'a test that fails by itself is a failure'
echo 'never somewhere' | mutants "$program"
[ $? -eq 2 ]
report $? 'a list that cannot be read is refused'
exit "$failed"
