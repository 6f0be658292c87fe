#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The leak tests, in five kernels: the second one leaks what the first one hands over
# in every way; the third one gets a damaged record, the fourth one what the third
# one leaks, the last one nothing.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

if [ "$STAGE" = 0 ]; then
	vm-hold leak_test hold 1 && vm-kexec
	exit 1
fi
if [ "$STAGE" = 1 ]; then
	# shellcheck disable=SC2016 # for the shell that luotrace runs
	start watch audit --watch --json \
		--exec 'echo "$LUOTRACE_CLASS $LUOTRACE_SESSION" >> /tmp/exec.out'
	start errors trace --errors --json
fi
luotrace audit > /tmp/audit.txt
luotrace metrics --textfile /tmp/luo.prom || exit 1
vm-put /tmp/luo.prom
leak_test "$STAGE" > "/tmp/leak.tap"
ret=$?
vm-put /tmp/leak.tap
vm-put /tmp/audit.txt
[ $ret = 0 ] || exit 1
case $STAGE in
1)
	kill -INT %1 %2
	wait %1
	[ $? = 1 ] || exit 1
	wait %2 || exit 1
	# The programs ran for these leaks, and what that cost is the last line.
	tail -n 1 /tmp/watch.json | grep -q '"event":"end".*"run_ns":[1-9].*"runs":[1-9]' &&
		grep -q "luotrace itself: [1-9].* of one CPU" /tmp/watch.err || exit 1
	# Each leak is traced as an error, and no call that succeeded.
	[ "$(grep -c '"luo_session_leak"' /tmp/errors.json)" = \
		"$(grep -c '"class":"dropped"' /tmp/watch.json)" ] || exit 1
	grep -q '"ret":0' /tmp/errors.json && exit 1
	vm-put /tmp/watch.json
	luotrace metrics --textfile /tmp/finished.prom || exit 1
	vm-put /tmp/finished.prom
	vm-hold leak_test hold 2 && vm-kexec
	;;
2 | 3) vm-kexec ;;
4) exit 0 ;;
esac
exit 1
