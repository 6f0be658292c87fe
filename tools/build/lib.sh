# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# SPDX-License-Identifier: GPL-2.0
# What the build scripts share; sourced, with prog set.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/luotrace
: "${prog:?}"

say() {
	printf '%s: %s\n' "$prog" "$*" >&2
}

die() {
	say "$@"
	exit 1
}

# Take the lock NAME in the cache until this process ends.
lock() {
	mkdir -p "$cache"
	exec 9> "$cache/$1.lock"
	flock -n 9 && return
	say "waiting for another build that uses '$cache'"
	flock 9
}

# Fail unless there are N GiB free where DIR is.
need_space() {
	local free

	mkdir -p "$1" || die "cannot create '$1'"
	free=$(df --output=avail -B1G "$1" | tail -n 1)
	[ "$free" -ge "$2" ] ||
		die "only ${free// /} GiB are free in '$1', $2 are needed; set XDG_CACHE_HOME to a larger place"
}

# The mirror of the machine's own Debian, from either form of apt's sources.
mirror() {
	local codename

	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016 # apt-get expands them
	apt-get indextargets --format '$(SITE)|$(CODENAME)|$(SUITE)|$(CREATED_BY)|$(REPO_URI)' |
		awk -F'|' -v c="$codename" '$4 == "Packages" && $2 == c && !n++ { print $5 }'
}

# Have apt, until this process ends, know the SUITEs alone, and keep what it fetches
# in DIR. It takes nothing as installed.
other_suites() {
	local dir=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite uri

	shift
	uri=${LUO_MIRROR-$(mirror)}
	[ -n "$uri" ] || die "apt's sources name no Debian mirror; run 'apt-get update' first"
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	: > "$dir/status"
	[ -e "$keyring" ] || die "'$keyring' is missing; install debian-archive-keyring"
	for suite; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done > "$dir/sources.list"
	cat > "$dir/apt.conf" <<-EOF
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/parts";
	Dir::State::Lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir";
	Dir::Cache::archives "$dir/archives";
	Acquire::Languages "none";
	Acquire::Retries "2";
	Acquire::http::Timeout "20";
	Acquire::https::Timeout "20";
	APT::Sandbox::User "root";
	APT::Architecture "amd64";
	APT::Install-Recommends "false";
	EOF
	export APT_CONFIG=$dir/apt.conf
}
