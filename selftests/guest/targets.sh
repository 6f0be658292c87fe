#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap pair pair_test -F incoming
	vm-tap targets targets_test -F incoming
	vm-hold pair_test hold && vm-hold targets_test hold && vm-kexec
	exit 1
fi
# The last of the others finishes the live update.
vm-tap pair pair_test -f incoming
exec vm-tap targets targets_test -f incoming
