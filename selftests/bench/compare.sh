#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# compare.sh NUMBER|1GiB [STEP]: the times of an agent's calls in both kernels of a live
# update, with that many sessions and files; the kernel logs its own times. The functions
# of a STEP are counted, see functions.

tracing=/sys/kernel/tracing
suffix=
[ "$1" != 1GiB ] || suffix=-gib

if [ "$STAGE" = 1 ]; then
	# What the kernel did at boot, before the device could be opened.
	dmesg | grep -E '(calling|initcall) +(luo|liveupdate|kho)_' > /tmp/initcalls
	vm-put /tmp/initcalls
	compare_test in$suffix "$@" > /tmp/in.json || exit 1
	vm-put /tmp/in.json
	exit 0
fi

# All events are logged; those before the reboot need not be on the console.
dmesg -n 1 || exit 1
if [ -z "$suffix" ]; then
	compare_test out "$@" > /tmp/out.json || exit 1
	vm-put /tmp/out.json
fi
{
	# shellcheck disable=SC2016 # $ is of the kprobe
	echo 'p:luo/alloc kho_alloc_preserve size=%di:u64 caller=+0($stack):symstr'
	echo 'p:luo/reboot kernel_kexec'
	echo 'p:luo/freeze liveupdate_reboot'
	echo 'r:luo/frozen liveupdate_reboot'
} > $tracing/kprobe_events || exit 1
echo 'caller ~ "kho_block*"' > $tracing/events/luo/alloc/filter || exit 1
echo 65536 > $tracing/buffer_size_kb
echo 1 > $tracing/events/luo/alloc/enable
vm-hold compare_test hold$suffix "$@" > /tmp/hold.json || exit 1
vm-put /tmp/hold.json
grep -E 'alloc:|tracing_mark_write' $tracing/trace > /tmp/blocks
vm-put /tmp/blocks
vm-kexec --load || exit 1
echo 0 > $tracing/events/luo/alloc/enable
dmesg -n 6 || exit 1
# The probes would be among the functions.
[ $# -gt 1 ] || for event in reboot freeze frozen; do
	echo 1 > $tracing/events/luo/$event/enable
done
vm-kexec --exec
exit 1
