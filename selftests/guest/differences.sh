#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A program makes the calls that return something else on the base's LUO, on either.

case $STAGE in
0)
	vm-tap out differences_test out
	vm-hold differences_test hold && vm-kexec
	exit 1
	;;
1)
	vm-tap in differences_test in
	insmod /tools/luo_test_*.ko || exit 1
	vm-hold differences_test late && vm-kexec
	exit 1
	;;
esac
vm-tap open differences_test open
exec vm-tap all differences_test all
