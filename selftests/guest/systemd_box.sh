#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A live update by systemd with luotrace-box.service, which goes on through the shutdown:
# the timeline has what systemd preserved, and the shutdown to its end.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

unit=luotrace-box.service

# state PROPERTY VALUE: the unit has it
state() {
	value=$(systemctl show --value -p "$1" $unit)
	[ "$value" = "$2" ] && return
	systemctl --no-pager status $unit
	echo "$1 of $unit is '$value', want '$2'"
	exit 1
}

# Stopped and started again by hand, it ends by itself and is ready again.
restart() {
	systemctl stop $unit
	state Result success
	state ActiveState inactive
	systemctl start $unit || exit 1
	state StatusText "the black box is ready"
}

# A mount namespace of its own would keep file systems mounted.
check_mounts() {
	pid=$(systemctl show --value -p MainPID $unit)
	[ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink /proc/1/ns/mnt)" ] && return
	echo "$unit has a mount namespace of its own"
	exit 1
}

# The box sees the end of the update at one of its snapshots, and saves it with its steps.
await_over() {
	for _ in $(seq 100); do
		luotrace timeline --json > /tmp/timeline.json
		grep -q '"finished": true' /tmp/timeline.json &&
			grep -q '"seen_to_end"' /tmp/timeline.json && return
		sleep 0.3
	done
	echo "the update is not over"
	luotrace timeline
	exit 1
}

state ActiveState active
state StatusText "the black box is ready"
if [ "$STAGE" = 0 ]; then
	restart
	check_mounts
	vm-kexec --load || exit 1
	vm-note "systemctl kexec"
	systemctl --no-block kexec || exit 1
	# systemd ends this script with all other services.
	sleep 600
	exit 1
fi
await_over
systemctl --no-pager status $unit luo-store.service
systemd-analyze time > /tmp/analyze
systemctl show -p KernelTimestamp -p UserspaceTimestamp \
	-p PreviousShutdownStartTimestamp -p PreviousShutdownFinishTimestamp \
	-p PreviousShutdownLateStartTimestamp -p PreviousShutdownLateFinishTimestamp \
	-p UserspaceTimestampMonotonic -p PreviousShutdownStartTimestampMonotonic \
	-p PreviousShutdownFinishTimestampMonotonic \
	-p PreviousShutdownLateStartTimestampMonotonic \
	-p PreviousShutdownLateFinishTimestampMonotonic --timestamp=us+utc > /tmp/stamps
luotrace timeline > /tmp/timeline.txt
cat /tmp/analyze /tmp/stamps /tmp/timeline.txt
for file in analyze stamps timeline.txt timeline.json; do
	vm-put /tmp/$file
done
exec vm-tap systemd-box systemd_box_test
