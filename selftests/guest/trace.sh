#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap format trace_format_test
	vm-tap trace trace_test
	vm-hold trace_in_test hold && vm-kexec
	exit 1
fi
exec vm-tap trace trace_in_test
