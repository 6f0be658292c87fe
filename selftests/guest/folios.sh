#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace latency and report by the size of folios, before and after a live update.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

start latency latency --json
start record record -o /tmp/trace
if [ "$STAGE" = 0 ]; then
	vm-hold folios_test hold || exit 1
else
	folios_test retrieve || exit 1
fi
kill -INT %1 %2
wait
cat /tmp/latency.err
luotrace report --json /tmp/trace > /tmp/report.json || exit 1
luotrace report /tmp/trace | sed -n '/^That memory/,/^$/p'
vm-put /tmp/latency.json
vm-tap folios folios_test || exit 1
[ "$STAGE" = 1 ] && exit 0
vm-kexec
exit 1
