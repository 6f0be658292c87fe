#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cost.sh FILES ROUNDS

bench_test "$1" "$2" > /tmp/bench.json || exit 1
vm-put /tmp/bench.json
