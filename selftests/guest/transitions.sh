#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Programs walk the tables of selftests/tables in six kernels. The last rows before each
# kexec are walked while the global state is FROZEN.

# until_kexec MODE: walk these rows and enter the next kernel
until_kexec() {
	vm-tap "$1" transitions_test "$1"
	# The kexec is under way.
	sleep 60
	exit 1
}

case $STAGE in
0)
	vm-tap out transitions_test out
	until_kexec kexec-of-normal
	;;
1)
	vm-tap boot transitions_test boot
	vm-tap in transitions_test in
	vm-tap finish-fails transitions_test finish-fails
	until_kexec kexec-of-updated
	;;
2)
	vm-tap last transitions_test last
	until_kexec kexec-of-prepared
	;;
3)
	vm-tap finish transitions_test finish
	vm-tap over transitions_test over
	vm-hold transitions_test hold 4 && vm-kexec
	exit 1
	;;
4)
	vm-tap late transitions_test late
	vm-kexec
	exit 1
	;;
esac
vm-tap boot-without transitions_test boot-without
exec vm-tap all transitions_test all
