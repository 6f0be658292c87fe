#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Damage number FIRST, FIRST + 1 and so on, COUNT of them, one each live update.

first=$1
last=$(($1 + $2 - 1))
all=$(damage_test count)
[ "$last" -lt "$all" ] || last=$((all - 1))
number=$((first + STAGE))

if [ "$STAGE" -gt 0 ]; then
	damage_test $((number - 1)) > /tmp/damage.tap
	vm-put /tmp/damage.tap
fi
[ "$number" -le "$last" ] || exit 0

damage_test hold "$number" > /tmp/ready &
pid=$!
while ! grep -q ready /tmp/ready; do
	kill -0 $pid || exit 1
	sleep 0.1
done
vm-kexec
exit 1
