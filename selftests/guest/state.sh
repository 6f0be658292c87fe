#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap state state_test -f luo
	vm-hold state_test hold && vm-kexec
	exit 1
fi
exec vm-tap state state_test -f updated
