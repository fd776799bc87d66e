#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gets the Debian 12 packages that Airlock's builds and tests use. Safe to run at any time:
# when everything is there it says nothing and touches nothing. It removes no package,
# changes no apt source, and installs no kernel: those that tests boot are only unpacked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What they are for: building; generated C on other machines; proving; checking; machines to boot.
packages=(
	ccache clang clang-19 gcc gcc-12 libc6-dev libcmocka-dev
	libclang-rt-14-dev libclang-rt-19-dev llvm llvm-19 make
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	gcc-powerpc64-linux-gnu libc6-dev-ppc64-cross qemu-user
	cvc4 frama-c-base why3 z3
	busybox git iproute2 libelf1 pahole patch python3 shellcheck sparse tshark universal-ctags
	cpio e2fsprogs fdisk kmod qemu-system-x86 xz-utils
)

# Headers of two kernel series: Debian 12's own is a package like the others. Those of the
# backport depend on the whole kernel, which would be the one to boot next: they are only
# unpacked, here.
own_series=6.1
backports_series=6.12
unpacked=$PWD/build/headers
# Of both series, what virtual machines boot: a folder a release, vmlinuz and lib/modules.
kernels=$PWD/build/kernels
# A QEMU that has TCG plugins of today, from the backports.
qemu=$PWD/build/qemu

architecture=$(dpkg --print-architecture 2>/dev/null || true)
packages+=("linux-headers-$architecture")
# The kernels of clouds are built otherwise; there are such for two architectures.
flavours=1
if [[ $architecture =~ ^(amd64|arm64)$ ]]; then
	packages+=("linux-headers-cloud-$architecture")
	flavours=2
fi

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
	[ "$(./modules.sh list | grep -c "/linux-headers-$1\.")" -ge $flavours ]
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
# our own in directory $1, which leaves the machine's alone and needs no root.
configure_backports() {
	local mirror

	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Codename: bookworm' 'Component: main' | head -n 1)
	[ -n "$mirror" ] || die "apt on this machine has no mirror for bookworm main"
	mkdir -p "$1/lists/partial" "$1/none"
	printf 'deb [signed-by=%s] %s bookworm-backports main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" >"$1/sources.list"
	cat >"$1/apt.conf" <<-END
		Dir::State::lists "$1/lists";
		Dir::Etc::SourceList "$1/sources.list";
		Dir::Etc::SourceParts "$1/none";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		APT::Sandbox::User "";
		quiet "2";
	END
	export APT_CONFIG="$1/apt.conf"
	apt-get update
}

# The names of $1's dependencies that match the pattern $2.
depends() {
	apt-cache show --no-all-versions "$1" | sed -n 's/^Depends://p' | tr -s ', |' '\n' |
		grep -x "$2"
}

unpack_headers() (
	local meta headers parts package

	say "unpacking kernel headers of series $backports_series in $unpacked"
	rm -rf "$unpacked"
	configure_backports "$unpacked/apt"
	for meta in "${packages[@]}"; do
		[[ $meta == linux-headers-* ]] || continue
		headers=$(depends "$meta" "linux-headers-$backports_series\..*")
		mapfile -t parts < <(depends "$headers" 'linux-\(headers\|kbuild\)-.*')
		(cd "$unpacked/apt" && apt-get download "$headers" "${parts[@]}")
	done
	for package in "$unpacked"/apt/*.deb; do
		dpkg-deb -x "$package" "$unpacked"
	done
	# They expect to lie in /usr/src; let them find each other by themselves.
	# shellcheck disable=SC2016
	sed -i 's|/usr/src/|$(dir $(lastword $(MAKEFILE_LIST)))../|' "$unpacked"/usr/src/*-"$architecture"/Makefile
	rm -rf "$unpacked/apt"
	has_headers $backports_series || die "no kernel headers of series $backports_series"
)

# The releases to boot: those that modules are built for, and their cloud flavour.
releases() {
	local series

	for series in $own_series $backports_series; do
		find /usr/src "$unpacked/usr/src" -maxdepth 1 -name "linux-headers-$series.*-$architecture" 2>/dev/null |
			sed 's|.*/linux-headers-||' | grep -Ev -- '-(cloud|rt)-' | sort -V | tail -n 1 |
			sed "p; s/-$architecture\$/-cloud-$architecture/" || true
	done
}

missing_kernels() {
	local release

	[ "$architecture" = amd64 ] || return 0
	while read -r release; do
		[ -e "$kernels/$release/lib/modules/$release/modules.dep" ] || printf '%s\n' "$release"
	done < <(releases)
}

# Unpacks packages $2... in directory $1.
unpack() {
	local directory=$1 scratch package

	shift
	scratch=$(mktemp -d)
	(cd "$scratch" && apt-get -qq -o APT::Sandbox::User= download "$@") || die "cannot get $*"
	mkdir -p "$directory"
	for package in "$scratch"/*.deb; do
		dpkg-deb -x "$package" "$directory"
	done
	rm -r "$scratch"
}

# The image of release $1; what lists the modules is made by a package's scripts, which do not run here.
unpack_kernel() {
	local new=$kernels/new

	say "unpacking kernel $1 in $kernels"
	rm -rf "$new" "${kernels:?}/$1"
	unpack "$new" "linux-image-$1"
	mv "$new/boot/vmlinuz-$1" "$new/vmlinuz"
	/sbin/depmod -b "$new" "$1"
	mv "$new" "$kernels/$1"
}

unpack_kernels() (
	for release in "$@"; do
		[[ $release != $own_series.* ]] || unpack_kernel "$release"
	done
	configure_backports "$kernels/apt"
	for release in "$@"; do
		[[ $release == $own_series.* ]] || unpack_kernel "$release"
	done
	rm -r "$kernels/apt"
)

has_qemu() {
	[ "$architecture" != amd64 ] || [ -x "$qemu/usr/bin/qemu-system-x86_64" ]
}

# The libraries it needs are those of the QEMU that is a package of Debian 12.
unpack_qemu() (
	say "unpacking QEMU in $qemu"
	rm -rf "$qemu" "$qemu.new"
	configure_backports "$qemu.new/apt"
	unpack "$qemu.new" qemu-system-x86 qemu-system-data seabios
	rm -r "$qemu.new/apt"
	mv "$qemu.new" "$qemu"
)

main() {
	local missing

	mapfile -t missing < <(missing_packages)
	if [ "${#missing[@]}" -eq 0 ] && has_headers $backports_series && [ -z "$(missing_kernels)" ] && has_qemu; then
		return 0
	fi
	check_machine
	[ "${#missing[@]}" -eq 0 ] || install_missing "${missing[@]}"
	has_headers $backports_series || unpack_headers
	mapfile -t missing < <(missing_kernels)
	[ "${#missing[@]}" -eq 0 ] || unpack_kernels "${missing[@]}"
	has_qemu || unpack_qemu
	say "done"
}

main
