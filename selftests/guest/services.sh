#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace's package as an administrator sees it, below a running systemd: its units are
# started, read about in the journal, upgraded, stopped and purged.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

box=luotrace-box.service
audit=luotrace-audit.service
metrics=luotrace-metrics.service
timer=luotrace-metrics.timer
exporter=/var/lib/prometheus/node-exporter
export DEBIAN_FRONTEND=noninteractive

# is UNIT PROPERTY VALUE
is() {
	value=$(systemctl show --value -p "$2" "$1")
	[ "$value" = "$3" ] && return
	echo "$2 of $1 is '$value', want '$3'"
	systemctl --no-pager status "$1"
	return 1
}

# says UNIT TEXT: wait for a line of the unit in the journal
says() {
	for _ in $(seq 200); do
		journalctl --no-pager -o cat -u "$1" > /tmp/journal
		grep -q "$2" /tmp/journal && return
		sleep 0.3
	done
	echo "the journal of $1 has no '$2':"
	cat /tmp/journal
	return 1
}

# When a unit was started last
since() {
	systemctl show --value -p ActiveEnterTimestampMonotonic "$1"
}

nothing_runs() {
	is $box UnitFileState disabled && is $audit UnitFileState disabled &&
		is $timer UnitFileState disabled && is $metrics UnitFileState static || return
	for unit in $box $audit $timer $metrics; do
		is "$unit" ActiveState inactive || return
	done
	! pidof luotrace
}

# As the manual has it after apt install.
luotrace_works() {
	luotrace check > /tmp/works || { cat /tmp/works; return 1; }
	! grep 'will not work' /tmp/works
}

start_box() {
	systemctl start $box && is $box ActiveState active &&
		is $box StatusText "the black box is ready" && says $box "the black box is ready"
}

start_audit() {
	systemctl start $audit && says $audit tracing && is $audit ActiveState active
}

# Without a node exporter nobody reads what it writes.
no_exporter() {
	! systemctl start $metrics && is $metrics Result exit-code &&
		says $metrics "luotrace: cannot write '$exporter/luo.prom'"
}

write_metrics() {
	mkdir -p $exporter && systemctl start $metrics && is $metrics Result success &&
		grep '^luo_' $exporter/luo.prom
}

start_timer() {
	rm $exporter/luo.prom
	systemctl start $timer && is $timer ActiveState active || return
	for _ in $(seq 200); do
		[ ! -e $exporter/luo.prom ] || return 0
		sleep 0.3
	done
	systemctl --no-pager list-timers
	return 1
}

see_status() {
	systemctl --no-pager status $box $audit $timer > /tmp/status
	cat /tmp/status
	[ "$(grep -c 'Active: active' /tmp/status)" = 3 ] && grep 'man:luotrace-record(8)' /tmp/status
}

upgrade() {
	box_since=$(since $box)
	audit_since=$(since $audit)
	luotrace --version
	dpkg -i /new/luotrace_*.deb || return
	luotrace --version
	for unit in $box $audit $timer; do
		is "$unit" ActiveState active || return
	done
	[ "$(since $box)" != "$box_since" ] && [ "$(since $audit)" != "$audit_since" ] &&
		is $box StatusText "the black box is ready" && is $box UnitFileState disabled
}

upgraded_program_runs() {
	for unit in $box $audit; do
		exe=$(readlink "/proc/$(systemctl show --value -p MainPID "$unit")/exe")
		case $exe in
		*/usr/sbin/luotrace) ;;
		*) echo "$unit runs '$exe'"; return 1 ;;
		esac
	done
}

stop() {
	systemctl stop $box $audit $timer $metrics && nothing_runs && is $box Result success &&
		is $audit Result success
}

upgrade_what_is_stopped() {
	dpkg -i /new/luotrace_*.deb && nothing_runs
}

remove() {
	systemctl start $box $timer && dpkg --remove luotrace && ! pidof luotrace &&
		! systemctl is-active $box && ! systemctl is-active $timer
}

purge() {
	# Where the box saves updates
	mkdir -p /var/lib/luotrace
	dpkg --purge luotrace || return
	left=$(find / -xdev \( -path /new -o -path /tmp -o -path /tools -o -path /test \
		-o -path /proc -o -path /sys -o -path /run/log \) -prune -o -name '*luotrace*' -print)
	units=$(systemctl --no-legend --no-pager --all list-units 'luotrace*')
	echo "left: $left; units: $units"
	[ -z "$left$units" ]
}

check "nothing runs after the installation" nothing_runs
check "luotrace check finds all that luotrace needs" luotrace_works
check "the box is started, and says that it is ready" start_box
check "the audit is started, and says that it traces" start_audit
check "metrics fail without a node exporter, and say where its directory is" no_exporter
check "metrics are written for a node exporter" write_metrics
check "the timer writes them" start_timer
check "systemctl status shows what runs, and its manual" see_status
check "an upgrade restarts what runs, and enables nothing" upgrade
check "the upgraded program runs" upgraded_program_runs
check "all is stopped" stop
check "an upgrade starts nothing that is stopped" upgrade_what_is_stopped
check "what runs is stopped when the package is removed" remove
check "what is purged leaves nothing" purge
journalctl --no-pager -u 'luotrace*'
send
