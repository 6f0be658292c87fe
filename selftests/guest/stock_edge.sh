#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Edge cases of luotrace on the base's own LUO: lists that change while they are walked,
# a function that cannot be traced, few capabilities, long names.

insmod /tools/luo_test_module.ko || exit 1
if [ "$STAGE" = 0 ]; then
	vm-hold stock_edge_test hold && vm-kexec
	exit 1
fi
vm-tap stock_edge stock_edge_test check
