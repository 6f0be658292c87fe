#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace on the base's own LUO, whose functions it traces, against the calls of the
# agent and the kernel's own profile of functions.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

insmod /tools/luo_test_module.ko || exit 1
luotrace check --json > /tmp/check.json || exit 1
luotrace check
if [ "$STAGE" = 1 ]; then
	luotrace audit --json > /tmp/unread.json
	[ $? = 1 ] || exit 1
	luotrace audit | tee /tmp/audit.txt
	grep -q '^LEAK: 1 finding: 1 unclaimed; incoming sessions are not known' \
		/tmp/audit.txt || exit 1
fi
start latency latency --json
start trace trace --json
start record record -o /tmp/record
# Only these: in an emulated VM it takes too long to patch every function.
echo 'memfd_luo_*' > /sys/kernel/tracing/set_ftrace_filter || exit 1
echo 1 > /sys/kernel/tracing/function_profile_enabled
stock_test "work$STAGE" || exit 1
echo 0 > /sys/kernel/tracing/function_profile_enabled
cat /sys/kernel/tracing/trace_stat/function* > /tmp/profile
kill -INT %1 %2 %3
wait
luotrace report --json /tmp/record > /tmp/report.json || exit 1
luotrace metrics > /tmp/metrics || exit 1
luotrace audit --json --files > /tmp/after.json
vm-put /tmp/latency.json
vm-put /tmp/after.json
stock_test "check$STAGE" > /tmp/stock.tap
ret=$?
vm-put /tmp/stock.tap
[ $ret = 0 ] || exit 1
[ "$STAGE" = 1 ] && exit 0
vm-hold stock_test hold && vm-kexec
exit 1
