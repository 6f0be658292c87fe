#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

# Run the tests of this stage, send their results.
run() {
	kexec_test -f "stage$STAGE" > /tmp/kexec.tap
	ret=$?
	vm-put /tmp/kexec.tap
}

# Hold sessions until the jump.
hold() {
	kexec_test "$1" > /tmp/ready &
	pid=$!
	while ! grep -q ready /tmp/ready; do
		kill -0 $pid || exit 1
		sleep 0.1
	done
}

case $STAGE in
0)
	run
	hold hold0
	vm-kexec
	exit 1
	;;
1)
	run
	hold hold1
	vm-kexec
	exit 1
	;;
2)
	# A third jump, with nothing to hand over.
	run
	[ $ret = 0 ] || exit 1
	vm-kexec
	exit 1
	;;
esac
[ "$(ls /dev/liveupdate)" = /dev/liveupdate ]
