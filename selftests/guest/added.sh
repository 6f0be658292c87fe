#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap refused added_test refused || exit 1
	vm-hold added_test hold && vm-kexec
	exit 1
fi
exec vm-tap added added_test restored
