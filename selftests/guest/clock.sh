#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold clock_test hold && vm-kexec
	exit 1
fi
clock_test restore || exit 1
# A finding is none here.
luotrace timeline > /tmp/timeline.txt
[ $? -le 1 ] || exit 1
luotrace timeline --json > /tmp/timeline.json
[ $? -le 1 ] || exit 1
vm-put /tmp/timeline.txt
vm-put /tmp/timeline.json
exec vm-tap clock clock_test
