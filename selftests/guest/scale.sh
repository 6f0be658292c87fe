#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	scale_test hold > /tmp/times &
	while ! grep -q ready /tmp/times; do
		kill -0 $! || exit 1
		sleep 0.5
	done
	vm-put /tmp/times
	vm-kexec
	exit 1
fi
scale_test > /tmp/scale.tap
ret=$?
vm-put /tmp/scale.tap
exit $ret
