#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

if [ "$STAGE" = 0 ]; then
	vm-tap torn recorder_test -f global || exit 1
	recorder_test hold
	exit 1
fi
recorder_test restore || exit 1
exec vm-tap recorder recorder_test -f recorder
