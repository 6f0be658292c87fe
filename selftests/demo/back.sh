#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From a kernel with the base's LUO into one with this LUO, and back: in each of the last
# two the agent compares the SHA-256 of all files with that of before.

set -e

# 20 memfds of 256 MiB in all, as: session, token, bytes
plan() {
	n=100
	for mib in 64 64 32 16 4; do
		echo "vm-large $n $((mib << 20))"
		n=$((n + 1))
	done
	for mib in 16 16 8 8 4; do
		echo "vm-small $n $((mib << 20))"
		n=$((n + 1))
	done
	for kib in 8192 4096 4096 4096 2048 1024 512 200 304 8; do
		echo "scratch $n $((kib << 10))"
		n=$((n + 1))
	done
}

restore() {
	ret=0
	luo_agent restore /state/manifest.json /tmp/restore.json || ret=$?
	vm-put /tmp/restore.json
	[ $ret = 0 ]
}

preserve() {
	plan > /tmp/plan
	luo_agent preserve /tmp/plan /state/manifest.json /tmp/ready &
	agent=$!
	while [ ! -e /tmp/ready ]; do
		kill -0 $agent
		sleep 0.1
	done
}

luotrace check > /tmp/check.txt
vm-put /tmp/check.txt
case $STAGE in
0)
	preserve
	vm-kexec --next
	;;
1)
	luotrace handover > /tmp/handover.txt
	vm-put /tmp/handover.txt
	restore
	luotrace audit > /tmp/audit.txt
	vm-put /tmp/audit.txt
	preserve
	vm-kexec
	;;
*)
	restore
	exit 0
	;;
esac
exit 1
