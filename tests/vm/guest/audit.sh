#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Says where modules are, for the fetch auditor, then has the disk used: arguments are those of disk.sh.
# shellcheck shell=dash
sed -n 's/^\(airlock[a-z_]*\) .* \(0x[0-9a-f]*\).*/audit: \1 \2/p' /proc/modules
sh /guest/disk.sh "$@"
