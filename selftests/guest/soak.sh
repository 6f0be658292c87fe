#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# soak.sh UPDATES SEED [pair]: pair: into kernels of this LUO and of the base, by turns

[ "$STAGE" = "$1" ] && exec vm-tap soak soak_test last "$2" "$STAGE"
next=
kernel=
if [ "$3" = pair ]; then
	# The kernel of the VM has this LUO, --next the base's.
	[ $((STAGE % 2)) = 0 ] && next=base && kernel=--next
fi
# A reboot that is vetoed needs a kernel that is loaded; /state goes along with the second.
vm-kexec --load $kernel || exit 1
vm-hold soak_test next "$2" "$STAGE" $next && vm-kexec $kernel
exit 1
