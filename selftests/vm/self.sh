#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the runner must notice, by name.

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
	# Files and state cross a kexec whole.
	if [ "$STAGE" = 0 ]; then
		head -c 300000 /dev/urandom > /state/random
		vm-put /state/random
		sha256sum /state/random > /state/sum
		vm-kexec
		exit 1
	fi
	sha256sum -c /state/sum
	;;
esac
