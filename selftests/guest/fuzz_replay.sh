#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

vm-kexec --load || exit 1
exec vm-tap fuzz fuzz_ioctl replay /test/corpus
