#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# guest.sh [ram|tick|rest]: the script of the demonstration in the VM, in both kernels: a
# guest of it lives on. With an argument it is broken on purpose after the live update.

set -e

# shellcheck source=selftests/guest/lib.sh
. /test/lib
# shellcheck source=selftests/guest/vmm_lib.sh
. /test/vmm_lib

if [ "$STAGE" = 0 ]; then
	vm-note "starting a guest"
	started 1
	guest_check --sum "$(ram 1)" > /state/sum1
	start_box /state/updates
	vm-kexec --load
	vm-note "replacing the kernel below the guest"
	vm-kexec --announce
	# The agent calls reboot(2) itself.
	luo_agentd update
	exit 1
fi

vm-note "looking at what the guest has"
await_restored 1
[ -z "$1" ] || guest_check --break "$1" "$(ram 1)"
if by_kvm 1; then
	echo kvm > /tmp/accel
else
	echo tcg > /tmp/accel
fi
ret=0
guest_check --pass 1 "$(ram 1)" /state/sum1 > /tmp/proof.txt 2>&1 || ret=$?
start_box /state/updates
await_update /state/updates
luotrace timeline --dir /state/updates > /tmp/timeline.txt || [ $? = 1 ]
luotrace report --dir /state/updates --html -o /tmp/report.html 1
for f in accel proof.txt timeline.txt timeline.json report.html; do
	vm-put /tmp/$f
done
exit $ret
