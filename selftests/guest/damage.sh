#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# damage.sh FIRST COUNT: the damages from FIRST on, one in each live update.

first=$1
last=$(($1 + $2 - 1))
all=$(damage_test count)
[ "$last" -lt "$all" ] || last=$((all - 1))
number=$((first + STAGE))

[ "$STAGE" = 0 ] || vm-tap damage damage_test $((number - 1))
[ "$number" -le "$last" ] || exit 0

vm-hold damage_test hold "$number" && vm-kexec
exit 1
