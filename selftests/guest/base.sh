#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# base.sh [back]: the base's tests of its LUO, compiled with its own <linux/liveupdate.h>,
# and agents with libluo, through a live update; "back" is a second one, from the next
# kernel into the first one.

# Each preserves in its first stage, with a child that holds the sessions, and checks
# in its second one.
two_stages="luo_kexec_simple luo_multi_session luo_stress_files luo_stress_sessions"
last=1
[ "$1" = back ] && last=2

preserve() {
	for p in $two_stages; do
		"base_$p" -s 1 || exit 1
	done
	printf 'one 1 4096\none 2 1000000\ntwo 3 12345\n' > /tmp/plan
	luo_agent preserve /tmp/plan /state/manifest /tmp/ready &
	while [ ! -e /tmp/ready ]; do
		kill -0 $! || exit 1
		sleep 0.1
	done
	# It keeps the device open.
	vm-hold libluo_test hold || exit 1
}

if [ "$STAGE" = 0 ]; then
	base_liveupdate > /tmp/base.tap
	ret=$?
	vm-put /tmp/base.tap
	[ $ret = 0 ] || exit 1
	vm-tap libluo libluo_test -f files || exit 1
	preserve
	vm-kexec --next
	exit 1
fi

n=0
bad=0
{
	echo "KTAP version 1"
	echo "1..5"
	for p in $two_stages; do
		n=$((n + 1))
		not=
		"base_$p" -s 2 > /tmp/log 2>&1 || not="not "
		sed 's/^\(not \)\?ok/# &/; /^#/!s/^/# /' /tmp/log
		echo "${not}ok $n $p"
		bad=$((bad + ${#not}))
	done
	not=
	luo_agent restore /state/manifest > /tmp/log 2>&1 || not="not "
	sed 's/^/# /' /tmp/log
	echo "${not}ok 5 luo_agent"
	bad=$((bad + ${#not}))
} > /tmp/base.tap
vm-put /tmp/base.tap
[ $bad = 0 ] || exit 1
vm-tap libluo libluo_test -t updated || exit 1
[ "$STAGE" = $last ] && exit
preserve
vm-kexec
exit 1
