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

# Take the lock NAME, for what it says USES, until this process ends. Its file names the
# holder: /proc/locks has only the process of flock, which is gone.
lock() {
	local file=$cache/$1.lock who pid words

	mkdir -p "$cache" || die "cannot create '$cache'"
	while :; do
		exec {lock_fd}>> "$file"
		if ! flock -n "$lock_fd"; then
			who=$(cat "$file")
			say "waiting for ${who:-another process}, which uses ${2:-"'$cache'"}"
			flock "$lock_fd"
		fi
		# It is a new file if make distclean ran meanwhile.
		[ ! "$file" -ef "/proc/self/fd/$lock_fd" ] || break
		exec {lock_fd}>&-
	done
	# In a PID namespace, $$ is another process of /proc.
	read -r pid _ < /proc/self/stat
	mapfile -d '' words < /proc/self/cmdline
	who=$(tr -c '[:print:]' ' ' <<< "${words[*]}" | sed 's,^[^ ]*bash ,,; s/ *$//')
	printf 'pid %s, %s\n' "$pid" "$who" 2> /dev/null > "$file" || true
}

# Take the lock of PART of the build/ of this tree.
lock_tree() {
	lock "tree-$(printf '%s' "$top" | sha256sum | cut -c1-12)-$1" "'$top/build'"
}

# The rest of a message about room in DIR.
room_advice() {
	case $1/ in
	"$cache"/*) printf 'free some, or set XDG_CACHE_HOME to a larger place' ;;
	*) printf 'free some' ;;
	esac
}

# Fail unless N GiB are free in DIR.
need_space() {
	local dir=$1 gib=$2 free on

	mkdir -p "$dir" || die "cannot create '$dir'"
	read -r free on < <(df --output=avail,target -B1G "$dir" | tail -n 1)
	[ "$free" -ge "$gib" ] ||
		die "only $free GiB are free in '$dir' (file system '$on'), $gib are needed; $(room_advice "$dir")"
}

# Check whether a program's ERRORS are those of a full disk.
is_full() {
	grep -qE 'No space left on device|Disk quota exceeded|enough free space in|Wrote only [0-9]+ of' <<< "$1"
}

# Fail because DIR is full; NEED says what needs how much.
die_full() {
	local dir=$1 need=$2 free on

	read -r free on < <(df --output=avail,target -BM "$dir" | tail -n 1)
	die "the file system '$on' is full, ${free%M} MiB are free in '$dir': $need; $(room_advice "$dir")" 2>&7
}

# Run a command that writes to DIR. If it fails, say WHAT failed, or that it needs NEED
# more room.
fill() {
	local dir=$1 need=$2 what=$3 errors code=0

	shift 3
	{ errors=$("$@" 2>&1 >&3) || code=$?; } 3>&1
	[ $code != 0 ] || return 0
	! is_full "$errors" || die_full "$dir" "$what needs $need"
	printf '%s\n' "$errors" | tail -n 5 >&2
	die "$what failed"
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
	local begin=$SECONDS reported='' who code options=(-o DPkg::Lock::Timeout=5)

	[ -z "${LUO_ALLOW_EXPIRED-}" ] || options+=(-o Acquire::Check-Valid-Until=false)
	while :; do
		who=$(apt_holder)
		code=100
		if [ -z "$who" ]; then
			[ -z "$reported" ] || say "apt's locks are free after $((SECONDS - begin)) s, going on" 2>&7
			reported=
			code=0
			{ apt_errors=$(LC_ALL=C apt-get "${options[@]}" "$@" 2>&1 >&3) || code=$?; } 3>&1
			[ $code != 0 ] || break
			grep -qE 'Could not get lock|Unable to (acquire|lock)' <<< "$apt_errors" || break
			# Taken meanwhile, or by a process that is not visible here.
			who=$(sed -n "s/^E: \(Could not get lock.*\)/\1/p" <<< "$apt_errors" | head -n 1)
			who=${who:-a lock of apt is held by a process that is not visible here}
		fi
		if [ $((SECONDS - begin)) -ge "$apt_limit" ]; then
			die "gave up after $((SECONDS - begin)) s: $who; let it end, or see what it waits for, and run this again" 2>&7
		fi
		[ "$who" = "$reported" ] || say "waiting for apt: $who" 2>&7
		reported=$who
		sleep 1
	done
	[ -z "$apt_errors" ] || printf '%s\n' "$apt_errors" >&2
	[ "$1" != update ] || apt_update_errors=$apt_errors
	return $code
}

# Run apt-get. If it fails, end with one line: the reason, as far as it is known, or
# MESSAGE.
apt_must() {
	local message=$1 reason

	shift
	apt_get "$@" && return
	! is_full "$apt_errors" || apt_full "$@"
	reason=$(apt_reason)
	die "${reason:-$message}" 2>&7
}

# Print why apt-get failed, if its last errors, or those of its last update, are known ones.
apt_reason() {
	local errors=${apt_update_errors-}$'\n'$apt_errors proxy
	local stale='.*Release file for \([^ ]*\) is expired (invalid since \([^)]*\)).*'
	local early='.*Release file for \([^ ]*\) is not valid yet (invalid for another \([^)]*\)).*'

	proxy=$(apt_proxies)
	if grep -q "$stale" <<< "$errors"; then
		sed -n "s|$stale|the mirror is out of date: \1 is expired since \2; use another mirror in apt's sources, or set LUO_ALLOW_EXPIRED=1 to accept it for this run, which still checks signatures but may miss security updates|p" \
			<<< "$errors" | head -n 1
	elif grep -q "$early" <<< "$errors"; then
		sed -n "s|$early|the clock of this machine or of the mirror is wrong: \1 is valid only in \2; set the clock|p" \
			<<< "$errors" | head -n 1
	elif grep -qE 'NO_PUBKEY|KEYSIG|BADSIG|is not signed|unauthenticated|signature verification failed' <<< "$errors"; then
		printf 'a signature of the mirror is missing, wrong, or of an unknown key; correct the mirror or its key in apt'\''s sources'
	elif ! grep -qiE 'connect|resolv|proxy|timed out| (40[37]|50[0-9]) ' <<< "$errors"; then
		return
	elif [ -n "$proxy" ]; then
		printf 'the mirror cannot be reached through the proxy %s; is it right, and does it run?' "$proxy"
	else
		printf 'the mirror in apt'\''s sources cannot be reached; if this machine needs a proxy, set http_proxy, or Acquire::http::Proxy in apt'\''s configuration'
	fi
}

# Print where apt reaches mirrors through, without passwords.
apt_proxies() {
	local http='' https='' all

	eval "$(apt-config shell http Acquire::http::Proxy https Acquire::https::Proxy)"
	# shellcheck disable=SC2016 # quotes in the text
	all=$(printf '%s\n' "${http:+'$http' (Acquire::http::Proxy)}" \
		"${https:+'$https' (Acquire::https::Proxy)}" \
		"${http_proxy:+'$http_proxy' (http_proxy)}" \
		"${https_proxy:+'$https_proxy' (https_proxy)}" | sed '/^$/d; s,//[^@/]*@,//,')
	printf '%s' "${all//$'\n'/, }"
}

# Fail because a file system that apt-get writes to is full; its arguments tell how much
# is needed.
apt_full() {
	local dir=/ lists archives status args=() arg need

	eval "$(apt-config shell lists Dir::State::lists/d archives Dir::Cache::archives/d \
		status Dir::State::status/f)"
	dir=$(df --output=avail,file -B1M / /usr "$PWD" "$lists" "$archives" "${status%/*}" \
		"${TMPDIR:-/tmp}" 2> /dev/null | tail -n +2 | sort -n | head -n 1 |
		sed 's/^ *[^ ]* //')
	for arg; do
		case $arg in -y|-q|-qq) ;; *) args+=("$arg") ;; esac
	done
	need=$(LC_ALL=C apt-get -o Debug::NoLocking=true --assume-no "${args[@]}" 2> /dev/null |
		grep -E 'Need to get|After this operation|Download size|Space needed' |
		sed 's/^ *//; s/\.$//' | paste -sd, | sed 's/,\([A-Z]\)/, \1/g' || true)
	die_full "$dir" "apt-get says: ${need:-nothing of how much it needs}"
}

# Have programs use the proxies that apt uses.
use_proxy() {
	local http='' https=''

	eval "$(apt-config shell http Acquire::http::Proxy https Acquire::https::Proxy)"
	http=${http:-${http_proxy-}}
	https=${https:-${https_proxy-$http}}
	unset http_proxy https_proxy
	[ "${http:-DIRECT}" = DIRECT ] || export http_proxy=$http
	[ "${https:-DIRECT}" = DIRECT ] || export https_proxy=$https
}

# The mirror of the installed Debian, from either form of apt's sources.
mirror() {
	local codename

	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016 # apt-get expands them
	apt-get indextargets --format '$(SITE)|$(CODENAME)|$(SUITE)|$(CREATED_BY)|$(REPO_URI)' |
		awk -F'|' -v c="$codename" '$4 == "Packages" && $2 == c && !n++ { print $5 }'
}

# Until this process ends, let apt know only the SUITEs, for the ARCHITECTURE, with its
# files in DIR and no package installed.
other_suites() {
	local dir=$1 arch=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite uri

	shift 2
	uri=${LUO_MIRROR-$(mirror)}
	[ -n "$uri" ] || die "apt's sources name no Debian mirror; run 'apt-get update' first"
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	: > "$dir/status"
	[ -e "$keyring" ] || die "'$keyring' is missing; install debian-archive-keyring"
	for suite; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done > "$dir/sources.list"
	cat > "$dir/apt.conf" <<-EOF
	${APT_CONFIG:+#include "$APT_CONFIG";}
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
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; };
	APT::Install-Recommends "false";
	EOF
	export APT_CONFIG=$dir/apt.conf
}

# Make a minimal root of SUITE in DIR, with more PACKAGES, from the mirror of the installed
# apt, through its proxy and with its keys. ARGs are for debootstrap. Its output goes to LOG.
bootstrap() {
	local suite=$1 dir=$2 log=$3 packages=$4 uri script=$1
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	shift 4
	uri=${LUO_MIRROR-$(mirror)}
	[ -n "$uri" ] || die "apt's sources name no Debian mirror; run 'apt-get update' first"
	[ -e "$keyring" ] || die "'$keyring' is missing; install debian-archive-keyring"
	command -v debootstrap > /dev/null ||
		die "debootstrap is missing; 'make deps-suites' installs it"
	# An older debootstrap does not know a newer suite by name.
	[ -e "/usr/share/debootstrap/scripts/$suite" ] || script=sid
	case $uri in https:*) packages=$packages,ca-certificates ;; esac
	use_proxy
	say "making a minimal root of $suite, a minute or two with a good mirror"
	debootstrap --variant=minbase --include="$packages" --force-check-gpg \
		--keyring="$keyring" "$@" "$suite" "$dir" "$uri" "$script" > "$log" 2>&1 || {
		! is_full "$(cat "$log")" || die_full "${dir%/*}" "a root of $suite needs 3 GiB"
		tail -n 5 "$log" >&2
		die "debootstrap failed, all of its output is in $log${http_proxy:+; it used a proxy}"
	}
}
