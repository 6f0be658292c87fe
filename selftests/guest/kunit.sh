#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The results of the KUnit suites that ran at boot, without the nesting.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

await_klog "rejected .kunit-test." || exit 1
for suite in kho array damage events files flb flb-end handover marks recorder sessions subsystems tasks; do
	vm-tap "liveupdate-$suite" sed -e '1i KTAP version 1' -e '/^    /!d' -e 's/^    //' \
		"/sys/kernel/debug/kunit/liveupdate-$suite/results" || exit 1
done
