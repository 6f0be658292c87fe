#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The test reads the iterators that bpftool pins.

mkdir -p /sys/fs/bpf
mount -t bpf bpf /sys/fs/bpf
bpftool iter pin /tools/luo_session.bpf.o /sys/fs/bpf/luo_session || exit 1
bpftool iter pin /tools/luo_file.bpf.o /sys/fs/bpf/luo_file || exit 1
if [ "$STAGE" = 0 ]; then
	vm-tap inspect inspect_test || exit 1
	vm-hold inspect_test hold && vm-kexec
	exit 1
fi
exec vm-tap inspect inspect_test incoming
