#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From a kernel with the base's LUO into one with this LUO, and back: in each of the last
# two the agent compares the SHA-256 of all files with that of before, and the timeline of
# the black box explains the whole blackout.
#
#	back.sh same	once, into the kernel that is running

set -e

# shellcheck source=selftests/guest/lib.sh
. /test/lib

updates=/state/updates
last=2
[ "${1-}" = same ] && last=1

# 20 memfds of 256 MiB in all, as: session, token, bytes
plan() {
	n=100
	for mib in 64 64 32 16 4; do
		echo "vm-large $n $((mib << 20))"
		n=$((n + 1))
	done
	for mib in 16 16 8 8 4; do
		echo "vm-small $n $((mib << 20))"
		n=$((n + 1))
	done
	for kib in 8192 4096 4096 4096 2048 1024 512 200 304 8; do
		echo "scratch $n $((kib << 10))"
		n=$((n + 1))
	done
}

restore() {
	ret=0
	luo_agent restore /state/manifest.json /tmp/restore.json || ret=$?
	vm-put /tmp/restore.json
	[ $ret = 0 ]
}

preserve() {
	plan > /tmp/plan
	luo_agent preserve /tmp/plan /state/manifest.json /tmp/ready &
	agent=$!
	while [ ! -e /tmp/ready ]; do
		kill -0 $agent
		sleep 0.1
	done
}

timeline() {
	await_update $updates
	luotrace timeline --dir $updates > /tmp/timeline.txt
	luotrace timeline --dir $updates --list --json > /tmp/timeline-list.json
	luotrace report --dir $updates --html -o /tmp/timeline.html "$STAGE"
	ret=0
	phases_test /tmp/timeline.json > /tmp/phases.tap || ret=$?
	for f in timeline.txt timeline.json timeline-list.json timeline.html phases.tap; do
		vm-put /tmp/$f
	done
	[ $ret = 0 ]
}

start_box $updates
if [ "$STAGE" != 0 ]; then
	if [ "$STAGE" != $last ]; then
		luotrace handover > /tmp/handover.txt
		vm-put /tmp/handover.txt
	fi
	restore
	timeline
	luotrace audit > /tmp/audit.txt
	vm-put /tmp/audit.txt
fi
luotrace check > /tmp/check.txt
vm-put /tmp/check.txt
[ "$STAGE" != $last ] || exit 0
preserve
if [ "$STAGE" = 0 ] && [ $last = 2 ]; then
	vm-kexec --next
else
	vm-kexec
fi
exit 1
