#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	parts_test -F incoming > /tmp/parts.tap
	vm-put /tmp/parts.tap
	parts_test hold > /tmp/ready &
	while ! grep -q ready /tmp/ready; do
		kill -0 $! || exit 1
		sleep 0.1
	done
	vm-kexec
	exit 1
fi
parts_test -f incoming > /tmp/parts.tap
ret=$?
vm-put /tmp/parts.tap
exit $ret
