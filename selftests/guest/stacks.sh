#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The stacks of luotrace against calls that sleep and burn for known times.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

# descriptors PATTERN: how many of the last process of the background match
descriptors() {
	for fd in "/proc/$!/fd/"*; do
		readlink "$fd"
	done | grep -c "$1"
}

start latency latency --json --stacks=20ms --folded /tmp/folded
perf=$(descriptors perf_event)
all=$(descriptors .)
start record record --stacks=20ms -o /tmp/record
stacks_test work || exit 1
kill -INT %1 %2
wait
cat /tmp/latency.err /tmp/record.err
luotrace report --json /tmp/record > /tmp/report.json || exit 1
luotrace report --html -o /tmp/report.html /tmp/record || exit 1

# With few capabilities functions have no names.
stacks_test few luotrace latency --json --stacks=20ms > /tmp/few.json 2> /tmp/few.err &
await tracing /tmp/few.err || exit 1
stacks_test work || exit 1
kill -INT %1
wait
cat /tmp/few.err

# The last descriptors are those of the clocks, an event and a link each: without them time
# off the CPU is left.
stacks_test limit $((all - 2 * perf)) luotrace latency --json --stacks=20ms \
	> /tmp/none.json 2> /tmp/none.err &
await tracing /tmp/none.err || exit 1
stacks_test work || exit 1
kill -INT %1
wait
cat /tmp/none.err

stacks_test > /tmp/stacks.tap
ret=$?
vm-put /tmp/stacks.tap
vm-put /tmp/latency.json
vm-put /tmp/folded
vm-put /tmp/report.html
exit $ret
