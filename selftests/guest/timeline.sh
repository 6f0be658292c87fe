#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

# Start a recorder, wait until it traces.
record() {
	luotrace record -o "$1" 2> /tmp/record.err &
	recorder=$!
	for _ in $(seq 100); do
		grep -q tracing /tmp/record.err && return
		sleep 0.1
	done
	exit 1
}

if [ "$STAGE" = 0 ]; then
	# Before any live update there is nothing to show, and it says so.
	luotrace timeline
	[ $? = 3 ] || exit 1
	# The jump ends this recorder; what it saw by then is in its file.
	record /state/before.luotrace
	vm-hold timeline_agent hold && vm-kexec
	exit 1
fi
record /tmp/after.luotrace
timeline_agent restore || exit 1
kill -INT $recorder
wait $recorder || exit 1
luotrace latency --json -d 1 > /tmp/latency.json || exit 1
# A reboot failed before, which is a finding.
luotrace timeline > /tmp/timeline.txt
[ $? = 1 ] || exit 1
luotrace timeline --json > /tmp/timeline.json
[ $? = 1 ] || exit 1
cat /tmp/timeline.txt
vm-put /tmp/timeline.txt
vm-put /tmp/timeline.json
vm-put /state/before.luotrace
vm-put /tmp/after.luotrace
luotrace report --json -o /tmp/report.json /state/before.luotrace \
	/tmp/after.luotrace || exit 1
luotrace report --html -o /tmp/report.html /state/before.luotrace \
	/tmp/after.luotrace || exit 1
vm-put /tmp/report.html
exec vm-tap timeline timeline_test
