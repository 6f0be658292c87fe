#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A program walks the table of errors. The last rows are walked while the state is FROZEN.

case $STAGE in
0)
	vm-tap out errno_test out
	vm-hold errno_test hold && vm-kexec
	exit 1
	;;
1)
	vm-tap in errno_test in
	vm-tap all errno_test all
	vm-tap frozen errno_test frozen
	# The kexec is under way.
	sleep 60
	exit 1
	;;
esac
