#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap parts parts_test -F incoming
	vm-hold parts_test hold && vm-kexec
	exit 1
fi
exec vm-tap parts parts_test -f incoming
