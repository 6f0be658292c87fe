#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

# shellcheck source=selftests/guest/lib.sh
. /test/lib

# marks CODE STDERR ARGUMENTS...: luotrace mark ends so, and says this
marks() {
	code=$1
	says=$2
	shift 2
	luotrace mark "$@" > /tmp/mark.json 2> /tmp/mark.err
	is=$?
	cat /tmp/mark.err
	if [ $is != "$code" ] || ! grep -q "$says" /tmp/mark.err; then
		echo "luotrace mark $* ended with $is, want $code and '$says'"
		exit 1
	fi
}

if [ "$STAGE" = 0 ]; then
	vm-tap words mark_test -f global || exit 1
	marks 1 "not paused, and this kernel was not booted" nobody resumed
	marks 0 "no outgoing session is named nobody" nobody paused
	luotrace mark --quiet nobody resumed > /tmp/mark.out 2>&1 || exit 1
	[ ! -s /tmp/mark.out ] || exit 1
	mark_test hold
	exit 1
fi
if [ "$STAGE" = 1 ]; then
	marks 0 "late was not marked as paused in the previous kernel" --json late resumed
	vm-put /tmp/mark.json
	mark_test restore || exit 1
	luotrace timeline > /tmp/timeline.txt
	cat /tmp/timeline.txt
	luotrace timeline --json > /tmp/timeline.json
	vm-put /tmp/timeline.json
	vm-tap mark mark_test -f mark || exit 1
	mark_tool_test alone
	exit 1
fi
if [ "$STAGE" = 2 ]; then
	luotrace timeline --json > /tmp/timeline.json || exit 1
	vm-tap alone mark_tool_test -f alone || exit 1
	mark_tool_test leave
	exit 1
fi
vm-tap left mark_tool_test -f left || exit 1
# Nothing failed: the session of the tool that was given up is no finding.
exec luotrace timeline
