#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What test scripts share; they read it with "." and end with "exit $failed".
# shellcheck disable=SC2034

failed=0
count=0		# of tests so far

# $1: the exit code of what had to succeed; $2: what that shows.
report() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
		failed=1
	fi
}
