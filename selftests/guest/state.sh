#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	state_test -f luo > /tmp/state.tap
	vm-put /tmp/state.tap
	state_test hold > /tmp/ready &
	while ! grep -q ready /tmp/ready; do
		kill -0 $! || exit 1
		sleep 0.1
	done
	vm-kexec
	exit 1
fi
state_test -f updated > /tmp/state.tap
ret=$?
vm-put /tmp/state.tap
exit $ret
