#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Without liveupdate=on: no device, no handler, and a kexec is a plain one.

[ ! -e /dev/liveupdate ] || exit 1
[ ! -e /dev/liveupdate_test ] || exit 1
[ "$STAGE" = 1 ] && exit 0
vm-kexec
exit 1
