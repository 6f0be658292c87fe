#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	trace_test -F incoming > /tmp/trace.tap
	vm-put /tmp/trace.tap
	trace_test hold > /tmp/ready &
	while ! grep -q ready /tmp/ready; do
		kill -0 $! || exit 1
		sleep 0.1
	done
	vm-kexec
	exit 1
fi
trace_test -f incoming > /tmp/trace.tap
ret=$?
vm-put /tmp/trace.tap
exit $ret
