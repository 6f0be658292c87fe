#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap out fault_test out
	vm-hold fault_test hold && vm-kexec
	exit 1
fi
vm-tap in fault_test in
exec vm-tap all fault_test all
