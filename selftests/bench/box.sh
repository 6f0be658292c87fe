#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# box.sh FUNCTION FILES ROUNDS

[ ! -e /tools/luo_test_module.ko ] || insmod /tools/luo_test_module.ko || exit 1
box_cost_test "$@" > /tmp/box.json || exit 1
vm-put /tmp/box.json
