#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# race.sh SECONDS

race_test "$1" > /tmp/race.tap
ret=$?
vm-put /tmp/race.tap
exit $ret
