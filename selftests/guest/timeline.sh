#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	# Before any live update there is nothing to show, and it says so.
	luotrace timeline
	[ $? = 3 ] || exit 1
	vm-hold timeline_test hold && vm-kexec
	exit 1
fi
timeline_test restore || exit 1
luotrace timeline > /tmp/timeline.txt || exit 1
luotrace timeline --json > /tmp/timeline.json || exit 1
cat /tmp/timeline.txt
vm-put /tmp/timeline.txt
vm-put /tmp/timeline.json
exec vm-tap timeline timeline_test
