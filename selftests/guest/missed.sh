#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace while calls preempt each other inside of its BPF programs.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

start missed latency --json
missed_test work || exit 1
kill -INT $!
wait $!
cat /tmp/missed.err
exec vm-tap missed missed_test
