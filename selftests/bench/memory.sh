#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# memory.sh FILES PAGES KIND [STEP]: a live update of an agent with these memfds, see
# memory_test.c. It ends where the agent has all of them again.

if [ "$STAGE" = 1 ]; then
	memory_test restore "$@" > /tmp/restore.json || exit 1
	vm-note restored
	vm-put /tmp/restore.json
	exit 0
fi
vm-hold memory_test hold "$@" > /tmp/hold.json || exit 1
vm-put /tmp/hold.json
vm-kexec
exit 1
