#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# self.sh WHAT: what the runner must notice

case $1 in
warning) echo 'WARNING: CPU: 0 PID: 1 at mm/slub.c:1 made for a test' > /dev/kmsg ;;
fails) exit 7 ;;
hangs) sleep 1000 ;;
panics)
	echo 'Kernel panic - not syncing: made for a test' > /dev/kmsg
	sleep 1000
	;;
ends) reboot -f ;;
carries)
	# Files and state cross a kexec unchanged.
	if [ "$STAGE" = 0 ]; then
		head -c 300000 /dev/urandom > /state/random
		vm-put /state/random
		sha256sum /state/random > /state/sum
		vm-kexec
		exit 1
	fi
	sha256sum -c /state/sum
	;;
arguments)
	# The arguments in the table of tests.
	shift
	n=0
	echo 1..6 > /tmp/arguments.tap
	for want in 'two words' "it's \$HOME" '' --flag '*'; do
		n=$((n + 1))
		not=
		[ $# -gt 0 ] && [ "$1" = "$want" ] || not="not "
		echo "${not}ok $n argument '$want' is '$1'"
		[ $# = 0 ] || shift
	done >> /tmp/arguments.tap
	not=
	[ $# = 0 ] || not="not "
	echo "${not}ok 6 no more arguments" >> /tmp/arguments.tap
	vm-put /tmp/arguments.tap
	;;
esac
