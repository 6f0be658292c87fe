#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Programs that were compiled with the base's own <linux/liveupdate.h>: the
# base's test of its LUO, and an agent through a live update.

if [ "$STAGE" = 0 ]; then
	base_liveupdate > /tmp/base.tap
	ret=$?
	vm-put /tmp/base.tap
	[ $ret = 0 ] || exit 1
	printf 'one 1 4096\none 2 1000000\ntwo 3 12345\n' > /tmp/plan
	luo_agent_basehdr preserve /tmp/plan /state/manifest /tmp/ready &
	while [ ! -e /tmp/ready ]; do
		kill -0 $! || exit 1
		sleep 0.1
	done
	vm-kexec
	exit 1
fi
luo_agent_basehdr restore /state/manifest
