#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# guest.sh FILES ROUNDS

ulimit -n 100000
bench_test "$1" "$2" > /tmp/bench.json || exit 1
vm-put /tmp/bench.json
