#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap state state_test -f luo
	vm-tap file-state file_state_test -f file
	vm-tap device device_test -f device
	vm-hold state_test hold && vm-hold file_state_test hold && vm-kexec
	exit 1
fi
vm-tap file-state file_state_test -f updated
vm-tap device device_test -f updated
# Finishes what is left.
exec vm-tap state state_test -f updated
