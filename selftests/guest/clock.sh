#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# clock.sh [COUNTER WORDS]: the counter of the next kernel begins with COUNTER, unless
# that is empty; the finding of the timeline has WORDS.

if [ "$STAGE" = 0 ]; then
	vm-hold clock_test hold &&
		vm-kexec ${1:+--with "liveupdate_test_counter=$1"}
	exit 1
fi
[ -z "$2" ] || export FINDING="$2"
clock_test restore || exit 1
# 1 is a finding, which is no failure here.
luotrace timeline > /tmp/timeline.txt
[ $? -le 1 ] || exit 1
luotrace timeline --json > /tmp/timeline.json
[ $? -le 1 ] || exit 1
vm-put /tmp/timeline.txt
vm-put /tmp/timeline.json
exec vm-tap clock clock_test
