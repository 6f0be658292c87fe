#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Arguments: sizes. Times of an agent's calls in both kernels of a live update.

if [ "$STAGE" = 0 ]; then
	compare_test out "$@" > /tmp/out.json || exit 1
	vm-put /tmp/out.json
	vm-hold compare_test hold "$@" && vm-kexec
	exit 1
fi
compare_test in "$@" > /tmp/in.json || exit 1
vm-put /tmp/in.json
