#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the kernel tested at boot: the results of its suite, without the nesting.

exec vm-tap kunit sed -e '1i KTAP version 1' -e '/^    /!d' -e 's/^    //' \
	/sys/kernel/debug/kunit/liveupdate/results
