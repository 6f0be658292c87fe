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
