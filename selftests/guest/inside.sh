#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-hold inside_test hold && vm-kexec
	exit 1
fi
inside_test restore || exit 1
luotrace timeline || exit 1
luotrace timeline --json > /tmp/timeline.json || exit 1
vm-put /tmp/timeline.json
exec vm-tap inside inside_test
