#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold agent32 hold && vm-kexec
	exit 1
fi
exec vm-tap compat agent32 restore
