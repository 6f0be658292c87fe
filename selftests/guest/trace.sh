#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap trace trace_test -F incoming
	vm-hold trace_test hold && vm-kexec
	exit 1
fi
exec vm-tap trace trace_test -f incoming
