#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# many.sh UPDATES

[ "$STAGE" = "$1" ] && exec vm-tap many many_test /state/many last

way=again
[ "$STAGE" = 0 ] && way=first
vm-hold many_test /state/many $way && vm-kexec
exit 1
