# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of tools/build/kernel, which sources this
# SPDX-License-Identifier: GPL-2.0
# Debian packages of a kernel, by the base's own bindeb-pkg.

# Fail unless $config is a configuration of a kernel of $arch, or a part of one, perhaps
# compressed. Before anything is downloaded or built.
check_config() {
	local lines other

	[ -n "$deb" ] || die "--config is for --deb; the flavours have their configuration in kernel/configs"
	[ -f "$config" ] ||
		die "CONFIG='$config' is no file; want a kernel configuration, such as those in /boot"
	lines=$(zcat -f "$config" | tr -d '\0') || die "CONFIG='$config' cannot be read"
	grep -qE '^(CONFIG_\w+=.|# CONFIG_\w+ is not set)' <<< "$lines" ||
		die "CONFIG='$config' is no kernel configuration: it has no line like 'CONFIG_LIVEUPDATE=y'"
	other=$(sed -n 's,^# Linux/\(\w*\) .* Kernel Configuration$,\1,p' <<< "$lines" | head -n 1)
	# Some name it after the machine.
	other=${other/x86_64/x86}
	[ "${other:-"$arch"}" = "$arch" ] ||
		die "CONFIG='$config' is for $other, this kernel is for $arch"
}

# A distribution's configuration names its certificates, which the base does not have.
drop_keys() {
	local option file

	for option in SYSTEM_TRUSTED_KEYS SYSTEM_REVOCATION_KEYS; do
		file=$(sed -n "s/^CONFIG_$option=\"\(..*\)\"$/\1/p" "$obj/.config")
		[ -n "$file" ] && [ ! -e "$src/$file" ] && [ ! -e "$obj/$file" ] || continue
		say "CONFIG_$option is left out: '$file' is not in the base"
		sed -i "s/^CONFIG_$option=.*/CONFIG_$option=\"\"/" "$obj/.config"
	done
}

configure_with_file() {
	# A later build without a file is configured again.
	rm -f "$work/allconfig"
	zcat -f "$config" > "$obj/.config"
	drop_keys
	kmake olddefconfig
	"$top/tools/build/config-check" "$src" "$arch" "$config" "$obj/.config" ||
		die "no kernel with LUO comes of CONFIG='$config', for the reason above"
}

make_packages() {
	local file

	"$top/tools/build/deps" kernel-deb
	# From killed builds.
	rm -f "$src"/linux-*.{deb,changes,buildinfo}
	say "building packages of ${config:-"the $flavour configuration"} from $base_id; the time depends on what it enables"
	progress {lock_fd}>&- &
	reporter=$!
	trap 'kill $reporter 2> /dev/null || true' EXIT
	# The debugging symbols are some GiB of a distribution's configuration.
	DEB_BUILD_PROFILES=${DEB_BUILD_PROFILES-pkg.linux-upstream.nokerneldbg} \
		DEBFULLNAME="LUO and luotrace developers" DEBEMAIL=kexec@lists.infradead.org \
		KDEB_CHANGELOG_DIST=unstable kmake LOCALVERSION=-luo bindeb-pkg
	kill $reporter 2> /dev/null || true
	[ ! -t 2 ] || printf '\n' >&2
	lock_tree kernel
	mkdir -p "$top/build/deb"
	rm -f "$top"/build/deb/linux-*.deb
	for file in "$src"/linux-*.deb; do
		fill "$top/build" "about 1 GiB" "the copy of ${file##*/} in build/deb" \
			mv "$file" "$top/build/deb/"
		say "build/deb/${file##*/}, $((SECONDS - start)) s"
	done
	rm -f "$src"/linux-*.{changes,buildinfo}
}
