#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-kexec
	exit 1
fi
exec vm-tap boot-marks boot_marks_test
