#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# many.sh UPDATES

if [ "$STAGE" = "$1" ]; then
	many_test /state/many last > /tmp/many.tap
	ret=$?
	vm-put /tmp/many.tap
	exit $ret
fi
way=again
[ "$STAGE" = 0 ] && way=first
many_test /state/many $way > /tmp/ready &
while ! grep -q ready /tmp/ready; do
	kill -0 $! || exit 1
	sleep 0.1
done
vm-kexec
exit 1
