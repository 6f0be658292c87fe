#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cross.sh KERNEL NEXT: from one kernel into the next one, and back if they differ. What
# does not arrive does not end the test: the way back may be good.

kernel=$1
[ "$STAGE" = 1 ] && kernel=$2
last=2
[ "$1" = "$2" ] && last=1

if [ "$STAGE" != 0 ]; then
	vm-tap cross cross_test check "$kernel" "$STAGE" || touch /state/failed
	if [ "$STAGE" = $last ]; then
		[ ! -e /state/failed ]
		exit
	fi
fi
vm-hold cross_test hold "$kernel" $((STAGE + 1)) || exit 1
if [ "$STAGE" = 0 ]; then
	vm-kexec --next
else
	vm-kexec
fi
exit 1
