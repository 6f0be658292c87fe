#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

# After the third kexec, which hands over nothing, LUO is present.
[ "$STAGE" = 3 ] && exec test -c /dev/liveupdate

if [ "$STAGE" = 0 ]; then
	vm-tap reboot reboot_test
else
	vm-tap kexec kexec_test -f "stage$STAGE"
fi
ret=$?
if [ "$STAGE" = 2 ]; then
	[ $ret = 0 ] || exit 1
else
	vm-hold kexec_test "hold$STAGE" || exit 1
fi
vm-kexec
exit 1
