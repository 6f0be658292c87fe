# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the guest scripts share; in the VM it is /test/lib.

# await TEXT FILE [PROCESS]: wait up to a minute and a half for a text in a file; no longer
# than the process that writes it runs
await() {
	for _ in $(seq 900); do
		grep -q "$1" "$2" && return
		[ ! "${3-}" ] || kill -0 "$3" || break
		sleep 0.1
	done
	echo "no '$1' in $2:"
	cat "$2"
	return 1
}

# await_klog TEXT: the same for the kernel log. LUO collects what it reports often for a
# second before it prints it.
await_klog() {
	for _ in $(seq 100); do
		dmesg | grep -q "$1" && return
		sleep 0.1
	done
	echo "no '$1' in the kernel log"
	return 1
}

# start NAME ARGUMENT...: run luotrace in the background until it traces; $! is its
# process, /tmp/NAME.json its output, /tmp/NAME.err its messages
start() {
	name=$1
	shift
	luotrace "$@" > "/tmp/$name.json" 2> "/tmp/$name.err" &
	await tracing "/tmp/$name.err" $! || exit 1
}

# start_box DIR: start the black box, which saves updates in DIR, until it is ready
start_box() {
	luotrace record --carry --dir "$1" > /tmp/box.out 2> /tmp/box.err &
	await "is ready" /tmp/box.err $! || exit 1
}

# await_update DIR: wait until the update that booted this kernel is over and saved; its
# timeline is then in /tmp/timeline.json
await_update() {
	for _ in $(seq 100); do
		luotrace timeline --dir "$1" --json > /tmp/timeline.json
		grep -q '"finished": true' /tmp/timeline.json && return
		sleep 0.3
	done
	echo "the live update is not over:"
	cat /tmp/timeline.json
	return 1
}

tests=0

# check TEXT COMMAND...: a result, as TAP
check() {
	what=$1
	shift
	tests=$((tests + 1))
	if "$@" > /tmp/check.out 2>&1; then
		echo "ok $tests $what" >> /tmp/script.tap
	else
		sed 's/^/# /' /tmp/check.out >> /tmp/script.tap
		echo "not ok $tests $what" >> /tmp/script.tap
	fi
}

# Send the results of check, if any, before the kernel or the script ends.
send() {
	[ "$tests" != 0 ] || return
	echo "1..$tests" >> /tmp/script.tap
	vm-put /tmp/script.tap
}
