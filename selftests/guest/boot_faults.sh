#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# boot_faults.sh read STEP: in each of STEP kernels another part of the allocations fails that
# are made while the handover is read.
# boot_faults.sh setup FUNCTION...: in each kernel those that one function makes fail. If LUO
# is off then, the next kernel is started without.

leaks() {
	for _ in 1 2; do
		echo scan > /sys/kernel/debug/kmemleak
		sleep 5
	done
}

next() {
	vm-hold boot_fault_test hold && vm-kexec --with "luo_test_fail_boot=$1"
	exit 1
}

if [ "$1" = read ]; then
	if [ "$STAGE" != 0 ]; then
		vm-tap check boot_fault_test check
		leaks
	fi
	[ "$STAGE" != "$2" ] || exec vm-tap all boot_fault_test all
	next "$((STAGE + 1)),$2"
fi

shift
at=$(cat /state/at 2> /dev/null || echo 0)
failed=$(cat /state/failed 2> /dev/null)
shift "$at"
case $failed in
"") ;;
none) vm-tap none boot_fault_test none ;;
*) vm-tap setup boot_fault_test setup "$failed" && leaks ;;
esac
if [ ! -e /dev/liveupdate ]; then
	echo none > /state/failed
	vm-kexec --with luo_test_fail_boot=0
	exit 1
fi
[ $# != 0 ] || exit 0
echo $((at + 1)) > /state/at
echo "$1" > /state/failed
next "$1"
