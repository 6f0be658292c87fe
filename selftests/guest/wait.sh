#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The results in frozen state are in the kernel log, see tests.toml.

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
