#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace against known calls.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

luotrace check --json > /tmp/check.json || exit 1

# What each command loads and allocates.
cost() {
	name=$1
	start "$@"
	for fd in "/proc/$!/fdinfo/"*; do
		echo "fd:"
		cat "$fd"
	done > "/tmp/$name.cost"
	kill -INT $!
	wait $!
}
cost watch audit --watch
cost trace trace
cost one trace -s vm-a -o retrieve --errors
cost record record -o /tmp/cost.luotrace
cost latency latency

start latency latency --hist --json
start trace trace --kho --json
start byfile latency --by file --json -o preserve --min-us 5000
luotrace_test work || exit 1
kill -INT %1 %2 %3
wait
cat /tmp/latency.err /tmp/trace.err /tmp/byfile.err

# The last of them cannot keep up: its buffer is tiny and it is stopped.
start others latency --by file --json
start all trace --json
start tiny trace --json --buffer 4
kill -STOP %3
luotrace_test many || exit 1
kill -CONT %3
kill -INT %1 %2 %3
wait
cat /tmp/others.err /tmp/all.err /tmp/tiny.err

start busy latency --hist --json
luotrace_test busy || exit 1
kill -INT $!
wait
cat /tmp/busy.err

# Times beside the journal's, in local time: a line for each event, and for each reading.
stamp='20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}[+]0545'
seconds=' +[0-9]+\.[0-9]{6}'
export TZ=NPT-5:45
before=$(date +%Y-%m-%dT%H)
start stamped trace -t
luotrace_test many || exit 1
kill -INT $!
wait
lines=$(wc -l < /tmp/stamped.json)
[ "$lines" -gt 10 ] || exit 1
[ "$(grep -cE "^$stamp$seconds [a-z]" /tmp/stamped.json)" = "$lines" ] || exit 1
grep -q -e "^$before" -e "^$(date +%Y-%m-%dT%H)" /tmp/stamped.json || exit 1
timeout 60 luotrace latency -t -d 2 1 > /tmp/intervals || exit 1
[ "$(grep -cE "^$stamp$seconds\$" /tmp/intervals)" = 2 ] || exit 1
unset TZ
timeout 60 luotrace latency -t --json -d 2 1 > /tmp/intervals.json || exit 1
[ "$(grep -c '^{.*"wall_clock_ns":[0-9]\{19\}[,}]' /tmp/intervals.json)" = 2 ] &&
	[ "$(wc -l < /tmp/intervals.json)" = 2 ] || exit 1

# Two readings; a file that cannot be written fails at once; a file has the figures
# even if the text is lost.
timeout 60 luotrace latency -d 2 1 > /tmp/intervals || exit 1
[ "$(grep -c '^Handler calls' /tmp/intervals)" = 2 ] || exit 1
luotrace latency --json-file /no/such/file 2> /tmp/err
[ $? = 1 ] && ! grep -q tracing /tmp/err || exit 1
luotrace latency -d 1 --json-file /tmp/kept > /dev/full
[ $? = 1 ] && grep -q '"schema"' /tmp/kept || exit 1

# Two recorders on one file: the second one fails, the first one goes on.
start first record -o /tmp/two.luotrace
luotrace record -o /tmp/two.luotrace 2> /tmp/err
[ $? = 1 ] && grep -q "another luotrace record writes to '/tmp/two.luotrace'" /tmp/err ||
	exit 1
kill -INT $!
wait $! || exit 1
[ "$(grep -c '"end"' /tmp/two.luotrace)" = 1 ] || exit 1

# SIGHUP, which may come twice, ends luotrace with the figures so far; if it is ignored,
# luotrace goes on.
start hup latency --json
kill -HUP $!
kill -HUP $! 2> /dev/null
wait $! || exit 1
grep -q '"sessions_forgotten"' /tmp/hup.json || exit 1
(trap '' HUP; exec luotrace latency --json -d 4) > /tmp/nohup.json 2> /tmp/nohup.err &
await tracing /tmp/nohup.err || exit 1
kill -HUP $!
sleep 1
kill -0 $! || exit 1
wait $! || exit 1

su nobody -s /bin/sh -c 'luotrace latency' 2> /tmp/nobody
echo "$?" >> /tmp/nobody

luotrace_test > /tmp/luotrace.tap
ret=$?
vm-put /tmp/luotrace.tap
vm-put /tmp/latency.json
vm-put /tmp/check.json
vm-put /tmp/trace.json
vm-put /tmp/intervals.json
exit $ret
