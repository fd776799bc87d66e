#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gets the in-tree VMBus ring out of Debian's linux-source-6.12, for the benchmark that is
# compared with it: three files, in build/kernel. Nothing is installed, nothing else kept.
# Does nothing if they are there. Empty headers stand in for what bench/kernel/stubs.h has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

package=linux-source-6.12
there=$PWD/build/kernel
files=(drivers/hv/ring_buffer.c include/linux/hyperv.h include/uapi/linux/hyperv.h)
stubs=(
	linux/{device,io,mod_devicetable,prefetch,reciprocal_div,scatterlist,timer,vmalloc}.h
	asm/{hyperv-tlfs,mshyperv}.h hyperv_vmbus.h
)

die() {
	printf 'kernel-source: %s\n' "$*" >&2
	exit 1
}

# Backports come from the mirror that this machine uses for everything else, through an apt
# configuration of our own.
configure_backports() {
	local mirror

	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Codename: bookworm' 'Component: main' | head -n 1)
	[ -n "$mirror" ] || die "apt on this machine has no mirror for bookworm main"
	mkdir -p "$there/apt/lists/partial" "$there/apt/none"
	printf 'deb [signed-by=%s] %s bookworm-backports main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" >"$there/apt/sources.list"
	cat >"$there/apt/apt.conf" <<-END
		Dir::State::lists "$there/apt/lists";
		Dir::Etc::SourceList "$there/apt/sources.list";
		Dir::Etc::SourceParts "$there/apt/none";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		APT::Sandbox::User "";
		quiet "2";
	END
	export APT_CONFIG="$there/apt/apt.conf"
	apt-get update
}

# Debian 12 has had it in backports and, since, in its security updates.
download() {
	mkdir -p "$there/apt"
	apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || configure_backports
	(cd "$there/apt" && apt-get -qq -o APT::Sandbox::User=root download "$package") ||
		die "cannot download $package"
}

unpack() {
	local file

	dpkg-deb --fsys-tarfile "$there"/apt/"$package"_*.deb |
		tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$there" --strip-components=1 "${files[@]/#/$package/}"
	# shellcheck disable=SC2016
	dpkg-deb --show --showformat '${Package} ${Version}\n' "$there"/apt/"$package"_*.deb \
		>"$there/version"
	# On its own, so that the header it asks for by name is not the one beside it.
	mv "$there/drivers/hv/ring_buffer.c" "$there/ring_buffer.c"
	rm -r "$there/drivers"
	for file in "${stubs[@]}"; do
		mkdir -p "$(dirname "$there/stubs/$file")"
		: >"$there/stubs/$file"
	done
}

if [ -e "$there/complete" ]; then
	exit 0
fi
printf 'kernel-source: getting %s for its VMBus ring\n' "$package"
rm -rf "$there"
download
unpack
rm -rf "$there/apt"
touch "$there/complete"
