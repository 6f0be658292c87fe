#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the kernel tested at boot: the results of its suites, without the nesting.

# What is reported very often is collected for a second before it is printed.
for _ in $(seq 100); do
	dmesg | grep -q "rejected .kunit-test." && break
	sleep 0.1
done
for suite in liveupdate liveupdate-events liveupdate-flb; do
	vm-tap "$suite" sed -e '1i KTAP version 1' -e '/^    /!d' -e 's/^    //' \
		"/sys/kernel/debug/kunit/$suite/results" || exit 1
done
