#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# damaged.sh [--next]: enter the next kernel, or another one, with a damaged record.

if [ "$STAGE" = 0 ]; then
	vm-hold differences_test damage && vm-kexec "$@"
	exit 1
fi
exec vm-tap damaged differences_test damaged
