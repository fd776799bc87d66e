#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command that makes network namespaces: as it is if we are root, else as the root of a
# user namespace of its own, which needs no right that users do not have.
set -euo pipefail

if [ "$(id -u)" -eq 0 ]; then
	exec "$@"
fi
# "ip netns" keeps its names in /run.
exec unshare --map-root-user --net --mount bash -c 'mount -t tmpfs none /run && exec "$@"' - "$@"
