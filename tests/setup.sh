#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gets the Debian 12 packages that Airlock's builds and tests use. Safe to run at any time:
# when everything is there it says nothing and touches nothing. It removes no package,
# changes no apt source, and installs no kernel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What they are for: building; generated C on other machines; proving; checking.
packages=(
	ccache clang clang-19 gcc gcc-12 libc6-dev libcmocka-dev
	libclang-rt-14-dev libclang-rt-19-dev llvm llvm-19 make
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	gcc-powerpc64-linux-gnu libc6-dev-ppc64-cross qemu-user
	cvc4 frama-c-base why3 z3
	busybox git iproute2 libelf1 pahole patch python3 shellcheck sparse tshark universal-ctags
)

# Headers of two kernel series: Debian 12's own is a package like the others. Those of the
# backport depend on the whole kernel, which would be the one to boot next: they are only
# unpacked, here.
own_series=6.1
backports_series=6.12
unpacked=$PWD/build/headers

architecture=$(dpkg --print-architecture 2>/dev/null || true)
packages+=("linux-headers-$architecture")

say() { printf 'setup: %s\n' "$*"; }

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

# apt-get as root, silent unless it fails.
apt() {
	local run=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@")
	local log

	[ "$(id -u)" -eq 0 ] || run=(sudo -- "${run[@]}")
	log=$(mktemp)
	if ! "${run[@]}" </dev/null >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		die "apt-get $1 failed, see above"
	fi
	rm -f "$log"
}

missing_packages() {
	local package

	for package in "${packages[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			printf '%s\n' "$package"
	done
}

has_headers() {
	local directory

	for directory in {,"$unpacked"}/usr/src/linux-headers-"$1".*-"$architecture"; do
		[ -e "$directory/Makefile" ] && return 0
	done
	return 1
}

check_machine() {
	local codename=''

	if [ -r /etc/os-release ]; then
		# shellcheck disable=SC1091
		codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	fi
	if [ "$codename" != bookworm ] || [ -z "$architecture" ]; then
		die "this script knows Debian 12 (bookworm) only; elsewhere install the like of:" \
			"${packages[*]}, and kernel headers of $own_series and $backports_series"
	fi
}

install_missing() {
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		die "needs root to install: $*; run 'make setup' as root, or install sudo"
	fi
	say "reading the package lists"
	apt update
	say "installing $*"
	apt install -y --no-install-recommends "$@"
}

# Backports come from the mirror that this machine uses, through an apt configuration of
# our own, which leaves the machine's alone and needs no root.
configure_backports() {
	local mirror

	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Codename: bookworm' 'Component: main' | head -n 1)
	[ -n "$mirror" ] || die "apt on this machine has no mirror for bookworm main"
	mkdir -p "$unpacked/apt/lists/partial" "$unpacked/apt/none"
	printf 'deb [signed-by=%s] %s bookworm-backports main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" \
		>"$unpacked/apt/sources.list"
	cat >"$unpacked/apt/apt.conf" <<-END
		Dir::State::lists "$unpacked/apt/lists";
		Dir::Etc::SourceList "$unpacked/apt/sources.list";
		Dir::Etc::SourceParts "$unpacked/apt/none";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		APT::Sandbox::User "";
		quiet "2";
	END
	export APT_CONFIG="$unpacked/apt/apt.conf"
}

# The names of $1's dependencies that match the pattern $2.
depends() {
	apt-cache show --no-all-versions "$1" | sed -n 's/^Depends://p' | tr -s ', |' '\n' |
		grep -x "$2"
}

unpack_headers() {
	local headers parts package

	say "unpacking kernel headers of series $backports_series in $unpacked"
	rm -rf "$unpacked"
	configure_backports
	apt-get update
	headers=$(depends "linux-headers-$architecture" "linux-headers-$backports_series\..*")
	mapfile -t parts < <(depends "$headers" 'linux-\(headers\|kbuild\)-.*')
	(cd "$unpacked/apt" && apt-get download "$headers" "${parts[@]}")
	for package in "$unpacked"/apt/*.deb; do
		dpkg-deb -x "$package" "$unpacked"
	done
	# They expect to lie in /usr/src; let them find each other by themselves.
	# shellcheck disable=SC2016
	sed -i 's|/usr/src/|$(dir $(lastword $(MAKEFILE_LIST)))../|' \
		"$unpacked/usr/src/$headers/Makefile"
	rm -rf "$unpacked/apt"
	has_headers $backports_series || die "no kernel headers of series $backports_series"
}

main() {
	local missing

	mapfile -t missing < <(missing_packages)
	if [ "${#missing[@]}" -eq 0 ] && has_headers $backports_series; then
		return 0
	fi
	check_machine
	[ "${#missing[@]}" -eq 0 ] || install_missing "${missing[@]}"
	has_headers $backports_series || unpack_headers
	say "done"
}

main
