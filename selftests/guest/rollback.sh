#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From the base's own LUO into this one, which cannot read its handover: luotrace says
# so in both kernels.

said() {
	tr '\n' ' ' < /tmp/out | tr -s ' ' | grep -q "$1" && return
	cat /tmp/out
	echo "not said: $1"
	exit 1
}

luotrace check > /tmp/out || exit 1
if [ "$STAGE" = 0 ]; then
	said "next kernel must have the base kernel's own LUO"
	vm-hold stock_edge_test hold && vm-kexec --next
	exit 1
fi
said "next kernel must have the LUO of this project"
luotrace audit > /tmp/out
[ $? = 1 ] || exit 1
said "booted by a live update whose handover it cannot read"
luotrace timeline 2> /tmp/out
[ $? = 3 ] || exit 1
said "booted by a live update whose handover it cannot read"
luotrace handover > /tmp/out
said "the base kernel's own LUO wrote it, not as a tree"
