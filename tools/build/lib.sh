# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# SPDX-License-Identifier: GPL-2.0
# Functions of the build scripts, which set prog and source this.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/luotrace
apt_limit=${LUO_APT_LIMIT-1800}
: "${prog:?}"

# Messages go here if the output of a command is captured.
exec 7>&2

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

# Fail unless N GiB are free in DIR.
need_space() {
	local free

	mkdir -p "$1" || die "cannot create '$1'"
	free=$(df --output=avail -B1G "$1" | tail -n 1)
	[ "$free" -ge "$2" ] ||
		die "only ${free// /} GiB are free in '$1', $2 are needed; set XDG_CACHE_HOME to a larger place"
}

# The lock files of apt and dpkg, as apt is configured here.
apt_locks() {
	local lists archives status

	eval "$(apt-config shell lists Dir::State::lists/d archives Dir::Cache::archives/d \
		status Dir::State::status/f)"
	printf '%s\n' "${lists}lock" "${archives}lock" "${status%/*}/lock-frontend" \
		"${status%/*}/lock"
}

# The process that holds a lock on FILE, with its command. /proc/locks has the inode; on
# some file systems its device differs from that of stat, so the process must have the
# file open.
lock_holder() {
	local file=$1 inode pid fd

	inode=$(stat -c %i "$file" 2> /dev/null) || return
	# shellcheck disable=SC2013 # one word a line
	for pid in $(awk -v i=":$inode\$" '$2 == "POSIX" && $6 ~ i { print $5 }' /proc/locks); do
		for fd in /proc/"$pid"/fd/*; do
			[ "$fd" -ef "$file" ] || continue
			printf 'pid %s, ' "$pid"
			{ tr -c '[:print:]' ' ' < "/proc/$pid/cmdline"; } 2> /dev/null | cut -c1-100 |
				sed 's/ *$//'
			return
		done
	done
	return 1
}

# Print the first of apt's locks that is held, and its holder.
apt_holder() {
	local file who

	apt_locks | while read -r file; do
		who=$(lock_holder "$file") || continue
		printf "'%s' is held by %s\n" "$file" "$who"
		break
	done
}

# Run apt-get when no other process, such as an automatic upgrade, holds its locks. apt
# can only wait for dpkg's lock, and does not name its holder.
apt_get() {
	local begin=$SECONDS reported='' who errors code

	errors=$(mktemp)
	while :; do
		who=$(apt_holder)
		code=100
		if [ -z "$who" ]; then
			[ -z "$reported" ] || say "apt's locks are free after $((SECONDS - begin)) s, going on" 2>&7
			reported=
			code=0
			LC_ALL=C apt-get -o DPkg::Lock::Timeout=5 "$@" 2> "$errors" || code=$?
			[ $code != 0 ] || break
			grep -qE 'Could not get lock|Unable to (acquire|lock)' "$errors" || break
			# Taken meanwhile, or by a process that is not visible here.
			who=$(sed -n "s/^E: \(Could not get lock.*\)/\1/p" "$errors" | head -n 1)
			who=${who:-a lock of apt is held by a process that is not visible here}
		fi
		if [ $((SECONDS - begin)) -ge "$apt_limit" ]; then
			rm -f "$errors"
			die "gave up after $((SECONDS - begin)) s: $who; let it end, or see what it waits for, and run this again" 2>&7
		fi
		[ "$who" = "$reported" ] || say "waiting for apt: $who" 2>&7
		reported=$who
		sleep 1
	done
	cat "$errors" >&2
	rm -f "$errors"
	return $code
}

# The mirror of the installed Debian, from either form of apt's sources.
mirror() {
	local codename

	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016 # apt-get expands them
	apt-get indextargets --format '$(SITE)|$(CODENAME)|$(SUITE)|$(CREATED_BY)|$(REPO_URI)' |
		awk -F'|' -v c="$codename" '$4 == "Packages" && $2 == c && !n++ { print $5 }'
}

# Until this process ends, let apt know only the SUITEs, with its files in DIR and no
# package installed.
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
