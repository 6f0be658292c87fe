#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the kernel tested at boot: the results of its suite, without the nesting.

{
	echo "KTAP version 1"
	sed -n 's/^    //p' /sys/kernel/debug/kunit/liveupdate/results
} > /tmp/kunit.tap
vm-put /tmp/kunit.tap
! grep -q "^not ok" /tmp/kunit.tap
