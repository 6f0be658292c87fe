#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold scale_test hold > /tmp/times || exit 1
	vm-put /tmp/times
	vm-kexec
	exit 1
fi
exec vm-tap scale scale_test
