#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What an agent does between its calls, which luotrace traces on the base; and what the kernel
# log and the processes tell of the time before.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

updates=/state/updates

start_box $updates
if [ "$STAGE" = 0 ]; then
	vm-hold agents_test hold || exit 1
	vm-kexec
	exit 1
fi
agents_test restore > /tmp/own || exit 1
await_update $updates
# The figures of its end come with the next save.
sleep 2
luotrace timeline --dir $updates --json > /tmp/timeline.json
luotrace timeline --dir $updates > /tmp/timeline.txt
cat /tmp/own /tmp/timeline.txt /tmp/box.err
vm-put /tmp/timeline.json
cp $updates/000001.update /tmp/update && vm-put /tmp/update
exec vm-tap agents agents_test
