#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	# Without a session the live update is over before user space starts.
	vm-hold box_test hold 1 && vm-kexec
	exit 1
fi
exec vm-tap boot-marks boot_marks_test
