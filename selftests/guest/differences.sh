#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A program makes the calls that return something else on the base's LUO, on either. The
# last ones are made while the kernel enters the next one, and need incoming sessions.

case $STAGE in
0)
	vm-tap out differences_test out
	insmod /tools/luo_test_*.ko || exit 1
	vm-hold differences_test late && vm-kexec
	exit 1
	;;
1)
	vm-tap open differences_test open
	vm-kexec
	exit 1
	;;
2)
	vm-hold differences_test hold && vm-kexec
	exit 1
	;;
3)
	vm-tap in differences_test in
	[ ! -e /tools/luo_test_module.ko ] || insmod /tools/luo_test_module.ko frozen_ms=8000
	vm-tap frozen differences_test frozen
	# The kexec is under way.
	sleep 60
	exit 1
	;;
esac
exec vm-tap all differences_test all
