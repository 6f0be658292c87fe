#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The records of a handover are freed when they are read, except for rejected ones:
# update 1 of damage_test gives table and tree versions that the next kernel does not know.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

in=/sys/kernel/debug/kho/in/sub_fdts/LUO-FDT
if [ "$STAGE" = 0 ]; then
	vm-hold damage_test hold 1 || exit 1
	luotrace handover --json > /state/out.json || exit 1
	vm-kexec
	exit 1
fi
luotrace handover --json > /tmp/in.json
[ $? = 1 ] || exit 1
sed 's/luo-fdt-v9/luo-fdt-v1/' $in > /tmp/mended
# The memory of accepted records is reused.
luotrace handover --json --files --memory /proc/kcore /tmp/mended > /tmp/memory.json
luotrace handover --files --memory /proc/kcore /tmp/mended > /tmp/memory.txt
await_klog "handover rejected" || exit 1
vm-put $in LUO-FDT.fdt
vm-put /sys/kernel/debug/kho/in/fdt KHO.fdt
vm-put /tmp/memory.txt
vm-put /tmp/in.json
vm-put /tmp/memory.json
exec vm-tap handover handover_test
