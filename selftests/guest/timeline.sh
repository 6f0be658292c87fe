#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

# shellcheck source=selftests/guest/lib.sh
. /test/lib

if [ "$STAGE" = 0 ]; then
	# Without a live update the timeline is empty, and says so.
	luotrace timeline
	[ $? = 3 ] || exit 1
	# The kexec ends this recorder; its file has the events until then.
	start record record -o /state/before.luotrace
	vm-hold timeline_agent hold && vm-kexec
	exit 1
fi
start record record -o /tmp/after.luotrace
recorder=$!
timeline_agent restore || exit 1
kill -INT $recorder
wait $recorder || exit 1
luotrace latency --json -d 1 > /tmp/latency.json || exit 1
# 1: the failed reboot is a finding.
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
