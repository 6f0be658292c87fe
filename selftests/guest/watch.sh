#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# After a live update that left leaks: luotrace audit --watch started late, with a
# command that hangs, with a slow reader.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

if [ "$STAGE" = 0 ]; then
	vm-hold leak_test hold 2 && vm-kexec
	exit 1
fi

failed=0

check() {
	[ "$1" = 0 ] && return
	echo "watch: not ok: $2"
	failed=1
}

# Await a text, but go on without it: later checks say more.
expect() {
	await "$@" || check 1 "'$1' in $2"
}

leaks() {
	grep -c '"event":"leak"' "$1"
}

# shellcheck disable=SC2016 # for the shell that luotrace runs
command='echo "$LUOTRACE_CLASS $LUOTRACE_SESSION" >> /tmp/late.out; echo noise'
timeout 60 luotrace audit --watch -t --json -d 2 --exec "$command" > /tmp/late.json \
	2> /tmp/late.err
check $((! ($? == 1))) "existing leaks are a finding"
grep -q '^unclaimed whole$' /tmp/late.out && grep -q '^refused ' /tmp/late.out
check $? "the command runs for existing leaks"
check $(($(wc -l < /tmp/late.out) != $(leaks /tmp/late.json))) "once for each"
dated=$(grep -c '"wall_clock_ns":[0-9]\{19\},' /tmp/late.json)
check $((dated != $(leaks /tmp/late.json))) "with the wall clock of each"
[ "$(grep -vc '^{.*}$' /tmp/late.json)" = 0 ] && grep -q noise /tmp/late.err
check $? "what it prints goes to standard error"
check $(($(wc -l < /tmp/late.json) != $(leaks /tmp/late.json) + 2)) \
	"a line for the audit, for each leak, and for the end"

timeout 60 luotrace audit --watch -d 1 --exec 'sleep 1000' > /dev/null 2> /tmp/hang.err
check $((! ($? == 1))) "a command that hangs does not hold up --duration"
# Whether the command, or a program of it, runs.
hangs() {
	# grep must not find itself.
	cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' ' | grep -q '[s]leep 1000'
}
timeout -s KILL 60 luotrace audit --watch --exec 'sleep 1000' > /dev/null \
	2> /tmp/hang.err &
expect tracing /tmp/hang.err
sleep 1
kill -TERM $!
wait $!
check $((! ($? == 1))) "a command that hangs does not hold up SIGTERM"
grep -q 'is not done for' /tmp/hang.err
check $? "and a message says so"
# What timeout leaves ends by itself; it has this in its arguments.
for _ in $(seq 100); do
	hangs || break
	sleep 0.1
done
hangs
check $((! $?)) "and no process of it is left"

age=$(($(cut -d. -f1 /proc/uptime) + 4))
timeout 120 luotrace audit --watch -t --max-age $age -d 30 > /tmp/dated.txt 2> /tmp/dated.err &
dated=$!
timeout 120 luotrace audit --watch --json --max-age $age -d 30 > /tmp/age.json \
	2> /tmp/age.err
[ "$(grep -c '"class":"unclaimed","session":"whole"' /tmp/age.json)" = 1 ] &&
	head -n 1 /tmp/age.json | grep -q '"unclaimed":0'
check $? "an unclaimed session is a leak when it is too old"
wait $dated
day='20[0-9][0-9]-[01][0-9]-[0-3][0-9]'
grep -qE "^${day}T[0-9:]{8}\.[0-9]{6}[+-][0-9]{4} +[0-9.]+ unclaimed +.*whole" /tmp/dated.txt
check $? "its line begins with the time: $(cat /tmp/dated.txt)"
grep -q "luotrace itself: .* of one CPU" /tmp/dated.err
check $? "what it cost is said: $(cat /tmp/dated.err)"

# The buffer is full: lost events are reported, and an audit finds the leak.
luotrace audit --watch --json > /tmp/flood.json 2> /tmp/flood.err &
expect tracing /tmp/flood.err
kill -STOP $!
leak_test flood || check 1 flood
kill -CONT $!
expect '"event":"lost"' /tmp/flood.json
expect '"class":"dropped","session":"spoiled".*"found_by":"audit"' /tmp/flood.json
expect 'events were dropped' /tmp/flood.err
kill -INT $!
wait $!

# The output is not read for a while, but no event is lost.
mkfifo /tmp/fifo
(while [ ! -e /tmp/go ]; do sleep 0.1; done; cat > /tmp/slow.json) < /tmp/fifo &
luotrace audit --watch --json > /tmp/fifo 2> /tmp/slow.err &
watch=$!
expect tracing /tmp/slow.err
leak_test flood || check 1 flood
touch /tmp/go
expect '"session":"spoiled".*"found_by":"event"' /tmp/slow.json
kill -INT $watch
wait $watch
got=$(grep -c '"session":"whole".*"found_by":"event"' /tmp/slow.json)
check $((got != 6000)) "a slow reader gets all: $(leaks /tmp/slow.json)"
grep -q dropped /tmp/slow.err
check $((! $?)) "and none is dropped: $(cat /tmp/slow.err)"
exit $failed
