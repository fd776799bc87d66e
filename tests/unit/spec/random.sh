#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Specifications of no protocol: those in shapes/, and COUNT random ones. random/judge.sh says
# what each must stand. Prints "ok" or "not ok" with the reason for each that is accepted; those
# in shapes/ must be, and of the random ones a third, or else little is tested here. What failed
# is kept in build/random/NAME, the specification and all made of it.
#
#	random.sh [FIRST_SEED [COUNT]]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=tests/lib.sh
. tests/lib.sh

first=${1:-116}
number=${2:-19}
inputs=10000
kept=build/random
shapes=tests/unit/spec/shapes
accepted=0	# of the random ones

# The names of all, one a line.
names() {
	basename -s .spec $shapes/*.spec
	seq "$first" $((first + number - 1))
}

# Prints "NAME VERDICT".
# shellcheck disable=SC2317 # called by xargs
judge() {
	local spec=$shapes/$1.spec

	if [ ! -e "$spec" ]; then
		spec=$kept/$1.spec
		tests/unit/spec/random/generate.py "$1" >"$spec"
	fi
	echo "$1 $(tests/unit/spec/random/judge.sh "$spec" "$kept/$1" "$inputs")"
}

# Says what the verdict $2 means for $1.
tell() {
	local name="seed $1" is_shape=false

	if [ -e "$shapes/$1.spec" ]; then
		name=$1
		is_shape=true
	fi
	case $2 in
	accepted)
		$is_shape || accepted=$((accepted + 1))
		report 0 "$name"
		;;
	refused*)
		if $is_shape; then report 1 "$name: $2"; else echo "$name: $2"; fi
		;;
	*) report 1 "$name: ${2:-no verdict}; see $kept/$1" ;;
	esac
}

for program in build/clang/airspec build/clang/random.a; do
	[ -e $program ] || { echo "not ok $program is there; 'make $program' makes it"; exit 1; }
done
rm -rf $kept
mkdir -p $kept
export -f judge
export inputs kept shapes
while read -r name verdict; do
	tell "$name" "$verdict"
done < <(names | xargs -P "$(nproc)" -I {} bash -c 'judge {}')
[ $((accepted * 3)) -ge "$number" ]
report $? "at least a third of the random specifications is accepted ($accepted of $number)"
exit $failed
