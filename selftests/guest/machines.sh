#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# machines.sh KIND UPDATES SEED: live updates of random agents on a machine of a kind, once
# it is seen in this kernel that it is one.

kind=$1
shift

fail() {
	echo "not a machine with $kind: $*"
	exit 1
}

# meminfo FIELD: a value of /proc/meminfo
meminfo() {
	sed -n "s/^$1: *\([0-9]*\).*/\1/p" /proc/meminfo
}

# node N FIELD: a value of its meminfo
node() {
	sed -n "s/.* $2: *\([0-9]*\).*/\1/p" "/sys/devices/system/node/node$1/meminfo"
}

case $kind in
nodes)
	# Uneven; one with a CPU and without memory, which is numbered first, and one
	# without a CPU.
	[ "$(node 0 MemTotal)" -gt $((3 * $(node 2 MemTotal) / 2)) ] || fail "node 2 is as large"
	[ -z "$(cat /sys/devices/system/node/node2/cpulist)" ] || fail "node 2 has a CPU"
	[ ! -e /sys/devices/system/node/node1/meminfo ] || [ "$(node 1 MemTotal)" = 0 ] ||
		fail "node 1 has memory"
	;;
hotplug)
	grep -q offline /sys/devices/system/memory/memory*/state && fail "it is not online"
	[ "$(meminfo MemTotal)" -gt 1200000 ] || fail "it was not added"
	;;
large) [ "$(meminfo MemTotal)" -gt 7000000 ] || fail "$(meminfo MemTotal) KiB" ;;
small) [ "$(meminfo MemTotal)" -lt 500000 ] || fail "$(meminfo MemTotal) KiB" ;;
hugetlb) [ "$(meminfo HugePages_Total)" = 64 ] || fail "$(meminfo HugePages_Total) pages" ;;
crash-kernel) [ "$(cat /sys/kernel/kexec_crash_size)" -gt 0 ] || fail "nothing is reserved" ;;
huge-pages)
	echo always > /sys/kernel/mm/transparent_hugepage/shmem_enabled || fail "not of memfds"
	;;
swap)
	echo 256M > /sys/block/zram0/disksize
	mkswap /dev/zram0 > /dev/null
	swapon /dev/zram0 || fail "no swap"
	;;
group)
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo +memory > /sys/fs/cgroup/cgroup.subtree_control
	mkdir /sys/fs/cgroup/agents
	echo 48M > /sys/fs/cgroup/agents/memory.max
	grep -q 50331648 /sys/fs/cgroup/agents/memory.max || fail "no group"
	echo $$ > /sys/fs/cgroup/agents/cgroup.procs || fail "not in the group"
	;;
kfence)
	awk '/^allocations|^total allocations/ { n += $NF } END { exit n == 0 }' \
		/sys/kernel/debug/kfence/stats || fail "it checks nothing"
	;;
profiling)
	awk '/liveupdate/ && $2 { n++ } END { exit n == 0 }' /proc/allocinfo ||
		fail "nothing of LUO is counted"
	;;
*) fail "nobody knows it" ;;
esac
# shellcheck source=selftests/guest/soak.sh
. /test/soak
