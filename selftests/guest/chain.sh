#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three live updates, each into the kernel that the one before replaced.

[ "$STAGE" = 3 ] && exec vm-tap chain chain_test /state/chain last
vm-hold chain_test /state/chain hold || exit 1
if [ "$STAGE" = 1 ]; then
	vm-kexec
else
	vm-kexec --next
fi
exit 1
