#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap targets targets_test -F incoming
	vm-hold targets_test hold && vm-kexec
	exit 1
fi
exec vm-tap targets targets_test -f incoming
