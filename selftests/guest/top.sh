#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace top while handlers hang. The base's LUO has a test handler in a module.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

[ -e /dev/liveupdate_test ] || insmod /tools/luo_test_module.ko || exit 1

# One call hangs; another top begins meanwhile.
: > /tmp/hangs
start top top --json
start other top --json -s other
top_test hang &
hang=$!
await hangs /tmp/hangs || exit 1
luotrace top --once 2 > /tmp/late.txt 2> /tmp/late.err || exit 1
luotrace top --json 1 2 > /tmp/late.json 2>> /tmp/late.err || exit 1
cat /tmp/late.txt
wait $hang || exit 1
sleep 2
kill -INT %1 %2
wait %1 && wait %2 || exit 1

# Many sessions at once, each in a call.
start many top --json
top_test many || exit 1
sleep 2
kill -INT $!
wait $!
cat /tmp/top.err /tmp/many.err
vm-put /tmp/top.json
vm-put /tmp/late.txt
exec vm-tap top top_test
