#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# box.sh updates|faults|odd|clock: the black box through several live updates; the same
# script runs in each kernel.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

dir=/state/updates
files=400
own=
[ ! -e /sys/kernel/liveupdate/recorder ] || own=1

update() {
	send
	vm-kexec "$@"
	exit 1
}

box() {
	luotrace record --carry --dir $dir > /tmp/box.out 2> /tmp/box.err &
	box=$!
}

# Loading BPF programs takes an emulated CPU a while.
ready() {
	await "is ready" /tmp/box.err > /dev/null || await "is ready" /tmp/box.err || exit 1
}

# A finding, such as a failed reboot, is no failure of the command.
timeline() {
	luotrace timeline --dir $dir > /tmp/timeline.txt
	[ $? -le 1 ] || return 1
	luotrace timeline --dir $dir --json > /tmp/timeline.json
	[ $? -le 1 ]
}

# Wait until the update is over and saved.
await_over() {
	for _ in $(seq 100); do
		luotrace timeline --dir $dir --json > /tmp/timeline.json
		grep -q '"finished": true' /tmp/timeline.json && break
		sleep 0.3
	done
	# The figures of its end come with the next save.
	sleep 2
	timeline
	vm-put /tmp/timeline.txt
	vm-put /tmp/timeline.json
	cat /tmp/timeline.txt /tmp/box.err
}

# shellcheck disable=SC2317 # check calls it
# audited STATE N: the audit is clean, and so many sessions are of this state
audited() {
	luotrace audit --json > /tmp/audit.json || return 1
	cat /tmp/audit.json
	grep -q "\"clean\": *true" /tmp/audit.json &&
		grep -q "\"$1\": *$2\>" /tmp/audit.json
}

# shellcheck disable=SC2317
says() {
	grep "$1" "$2"
}

# shellcheck disable=SC2317
# cannot TEXT COMMAND...: it ends with 3 and has this message
cannot() {
	words=$1
	shift
	"$@" 2>&1 | grep "$words" && "$@" > /dev/null 2>&1
	[ $? = 3 ]
}

# shellcheck disable=SC2317
# shown NUMBER: a saved update; that a reboot failed before it is a finding
shown() {
	luotrace timeline --dir "$dir" "$1"
	[ $? -le 1 ]
}

# shellcheck disable=SC2317
gone() {
	! kill -0 "$box"
}

# shellcheck disable=SC2317
blocked() {
	box
	await "cannot create its session" /tmp/box.err
	said=$?
	kill "$box"
	wait "$box"
	return "$said"
}

# An emulated CPU translates code when it first runs, which takes part of a millisecond and
# comes between two clocks: a reboot that fails comes first where they are compared, in each
# kernel.
warm_update() {
	[ "$own" ] || update
	vm-kexec --load
	box_test fail || exit 1
	luotrace mark -q vm-large paused || exit 1
	update --exec
}

updates() {
	box
	ready
	[ "$STAGE" = 0 ] || {
		box_test restore || exit 1
		luotrace mark vm-large resumed || exit 1
		await_over
		vm-tap update box_test update $files
	}
	[ "$STAGE" = 2 ] || {
		vm-hold box_test hold $files
		luotrace mark -q vm-large paused || exit 1
		warm_update
	}
	luotrace timeline --dir $dir --list --json > /tmp/timeline-list.json
	vm-put /tmp/timeline-list.json
	luotrace timeline --dir $dir --list > /tmp/list
	check "both updates are listed" [ "$(grep -c UTC /tmp/list)" = 2 ]
	check "the first can be shown" shown 1
	check "nothing is left" audited box 0
	send
}

# The device is held by an agent, a reboot fails; then it is kernel 1.
faults_0() {
	vm-hold box_test hold $files wait
	box
	await "is held by process" /tmp/box.err || exit 1
	check "who holds the device is named" says "[0-9] (box_test)" /tmp/box.err
	sleep 3
	check "said once" [ "$(grep -c "is held by process" /tmp/box.err)" = 1 ]
	check "the box is not ready" sh -c '! grep "is ready" /tmp/box.err'
	touch /tmp/go
	ready
	vm-kexec --load
	check "a reboot fails" box_test fail
	check "the box goes on" kill -0 "$box"
	# The next snapshot has its calls.
	sleep 4
	update --exec
}

# No service here: the box waits for whom it concerns.
faults_1() {
	box_test restore || exit 1
	check "a box that waits is no leak" audited box 1
	check "nor is it in metrics" sh -c \
		'! luotrace metrics | grep "^luo_leaks.* [1-9]"'
	timeline || exit 1
	cp /tmp/timeline.json /tmp/first.json
	vm-put /tmp/timeline.json
	cat /tmp/timeline.txt
	vm-tap failed box_test failed $files
	timeline
	check "a second call shows the same" cmp /tmp/first.json /tmp/timeline.json
	[ "$own" ] || check "the box is taken out" audited box 0
	box
	ready
	vm-hold box_test hold $files
	kill -9 "$box"
	wait "$box"
	check "the box is killed before the update" gone
	update
}

# The box of stage 1 was killed: its session was closed with it.
faults_2() {
	# The base reads the handover when the device is first opened.
	check "agents have all of theirs" box_test restore
	check "no session of a box" audited box 0
	if [ "$own" ]; then
		check "the kernel recorded the update" luotrace timeline --dir $dir
	else
		check "what is unknown is said, and what to do" \
			cannot "has to run in the kernel before" luotrace timeline --dir $dir
	fi
	box
	ready
	vm-hold box_test hold $files
	update
}

# Nobody takes the box out, so that the update to kernel 4 gives it up.
faults_3() {
	check "agents have their sessions beside it" box_test restore
	check "the box waits" audited box 1
	vm-hold box_test hold $files
	update
}

faults_4() {
	check "agents lost nothing" box_test restore
	check "the box is gone, and no leak" audited box 0
	[ ! "$own" ] ||
		check "nor does the timeline report it" luotrace timeline --dir $dir
	box
	ready
	check "the next box is made" says "is ready" /tmp/box.err
	send
}

# A box of another version, no memory for one; then kernel 1.
odd_0() {
	vm-hold box_test foreign
	check "without memory it ends with a message" \
		cannot "no memory for the black box" \
		box_test unlocked luotrace record --carry --dir $dir
	check "a session of its name keeps it from being made" blocked
	vm-hold box_test hold $files
	update
}

odd_1() {
	check "the update went on without it" box_test restore
	box
	ready
	check "a box of another version is named" \
		says "of another version of luotrace" /tmp/box.err
	check "its session is finished" audited box 0
	date -s "2030-01-01 00:00:00"
	vm-hold box_test hold $files
	luotrace mark -q vm-large paused || exit 1
	update
}

# The clock was set before the update: that proves nothing about the counter.
odd_2() {
	box
	ready
	box_test restore || exit 1
	luotrace mark vm-large resumed || exit 1
	date -s "2031-01-01 00:00:00"
	await_over
	vm-tap update box_test update $files
	send
}

clock() {
	box
	ready
	[ "$STAGE" = 1 ] || {
		vm-hold box_test hold $files
		update
	}
	box_test restore || exit 1
	await_over
	vm-tap alone box_test alone $files
}

# Nobody marks a guest of KVM, and it is known when it stood still.
guest() {
	box
	ready
	[ "$STAGE" = 1 ] || {
		vm-hold box_test hold-guest
		update
	}
	box_test restore-guest || exit 1
	await_over
	vm-tap guest box_test guest
}

[ ! -e /tools/luo_test_module.ko ] || insmod /tools/luo_test_module.ko || exit 1
case $1-$STAGE in
updates-*) updates ;;
clock-*) clock ;;
guest-*) guest ;;
faults-0) faults_0 ;;
faults-1) faults_1 ;;
faults-2) faults_2 ;;
faults-3) faults_3 ;;
faults-4) faults_4 ;;
odd-0) odd_0 ;;
odd-1) odd_1 ;;
odd-2) odd_2 ;;
esac
exit 0
