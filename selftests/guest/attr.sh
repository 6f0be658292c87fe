#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold attr_test hold && vm-kexec
	exit 1
fi
exec vm-tap attr attr_test
