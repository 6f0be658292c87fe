#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold scale_test hold > /tmp/times || exit 1
	vm-put /tmp/times
	vm-kexec
	exit 1
fi
vm-tap audit scale_test audit > /tmp/audit.out 2>&1 || exit 1
grep '^#' /tmp/audit.tap
exec vm-tap scale scale_test
