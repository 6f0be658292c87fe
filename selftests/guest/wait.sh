#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is seen of the frozen machine is in the kernel log, see the table of tests.

case $STAGE in
0)
	vm-tap wait wait_test || exit 1
	vm-hold wait_test hold && vm-kexec
	exit 1
	;;
1)
	wait_test frozen
	exit 1
	;;
esac
