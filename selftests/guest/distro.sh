#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace on a distribution's own kernel, whose types are from a newer pahole. It has
# no LUO, and each command says so.

exec 3> /tmp/distro.tap
nr=0

# result CODE NAME: print a result
result() {
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr $2" >&3
	else
		echo "not ok $nr $2" >&3
	fi
}

luotrace check > /tmp/check.txt
[ $? = 3 ]
result $? "check ends with 3"
cat /tmp/check.txt
grep -q '^BTF *yes$' /tmp/check.txt
result $? "libbpf reads the kernel's types"
grep -q '^LUO *none in this kernel$' /tmp/check.txt
result $? "check says that LUO is missing"
for command in trace latency audit metrics; do
	timeout 20 luotrace $command > /tmp/out.txt 2> /tmp/err.txt
	[ $? = 3 ] && grep -q 'has no Live Update Orchestrator' /tmp/err.txt
	result $? "$command ends with 3 and says why"
done
echo "1..$nr" >&3
vm-put /tmp/distro.tap
