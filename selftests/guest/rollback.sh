#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From the base's own LUO into this one, and back: nothing is lost, and luotrace says so
# in each kernel, before and after.

kernel=base
[ "$STAGE" = 1 ] && kernel=ours

# run CODE ARGUMENT...: luotrace ends with this code
run() {
	want=$1
	shift
	luotrace "$@" > /tmp/out 2>&1
	code=$?
	[ $code = "$want" ] && return
	cat /tmp/out
	echo "luotrace $*: code $code, want $want"
	exit 1
}

# said TEXT: it printed this, on one line or on more
said() {
	tr '\n' ' ' < /tmp/out | tr -s ' ' | grep -q "$1" && return
	cat /tmp/out
	echo "not said: $1"
	exit 1
}

run 0 check
if [ $kernel = ours ]; then
	said "next kernel may have this LUO or the base's own: both read what"
else
	said "next kernel may have the base's own LUO or that of this project"
fi

if [ "$STAGE" = 1 ]; then
	run 1 audit
	said "LEAK: 1000 findings: 1000 unclaimed; 1000 sessions with 10000 files"
	run 0 handover
	said "tables only LUO "
	said "this LUO restores what LUO leads to, without proof"
	run 0 timeline
	said "Live update 1: 1000 sessions with 10000 files"
	said "the previous kernel left no record"
elif [ "$STAGE" = 2 ]; then
	run 0 handover
	said "not shown: this kernel has read and freed it"
	run 1 audit
	said "reads what the previous kernel left when /dev/liveupdate is first opened"
fi

if [ "$STAGE" != 0 ]; then
	vm-tap rollback cross_test check $kernel "$STAGE" || exit 1
	run 0 audit
	said "clean; no incoming session is left"
	[ "$STAGE" = 2 ] && exit 0
fi

vm-hold cross_test hold $kernel $((STAGE + 1)) || exit 1
if [ "$STAGE" = 0 ]; then
	vm-kexec --next
else
	run 0 handover
	said "tables both LUO and LUO-FDT they agree"
	said "base's LUO restores all sessions, files and FLBs that LUO leads to"
	vm-kexec
fi
exit 1
