#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks how the project's own files are written: license lines, white space, line lengths,
# shell scripts. Prints "ok NAME" or "not ok NAME" a check, after what was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

failed=0
columns=130

# Not the ill-formed and the random specifications that tests feed to the compiler.
find_files() {
	find . \( -path ./build -o -path ./.git -o -path '*/bad' -o -path '*/seeds' \) -prune -o -type f \( "$@" \) -print | sort
}

mapfile -t sources < <(find_files -name '*.[ch]')
mapfile -t scripts < <(find_files -name '*.sh' -o -path './.ci/run')
mapfile -t texts < <(find_files -name '*.[ch]' -o -name '*.sh' -o -name '*.spec' \
	-o -name Makefile -o -name Kbuild -o -path './.ci/run')

# $1 names a check, $2 is what was found against it.
nothing_found() {
	if [ -z "$2" ]; then
		echo "ok $1"
	else
		printf '%s\nnot ok %s\n' "$2" "$1"
		failed=1
	fi
}

without_license() {
	local file

	for file in "${texts[@]}"; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || echo "$file"
	done
}

not_executable() {
	local file

	for file in "${scripts[@]}"; do
		[ -x "$file" ] || echo "$file"
	done
}

# Tabs count as eight columns.
long_lines() {
	local file

	for file in "${sources[@]}" "${scripts[@]}"; do
		expand "$file" | awk -v file="$file" -v most="$columns" '
			length > most { print file ":" NR ": " length " columns" }'
	done
}

nothing_found 'every file names its license' "$(without_license)"
nothing_found 'no white space at the ends of lines' "$(grep -n '[[:space:]]$' "${texts[@]}")"
nothing_found 'C is indented with tabs' "$(grep -n '^        ' "${sources[@]}")"
nothing_found "no line is longer than $columns columns" "$(long_lines)"
nothing_found 'scripts can be executed' "$(not_executable)"
nothing_found 'shellcheck has nothing to say' "$(shellcheck "${scripts[@]}")"
exit $failed
