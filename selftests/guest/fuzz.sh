#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh STAGES SECONDS SEED: random calls in each stage, which begins with what the one
# before has handed over. Corpus and coverage go along.

[ -e /state/corpus ] || cp /test/corpus /state/corpus
echo 1 > /sys/kernel/tracing/events/luo/enable
echo 1 > /sys/kernel/tracing/events/kho/enable
vm-kexec --load || exit 1
vm-tap fuzz fuzz_ioctl run "$2" "$(($3 + STAGE))" /state/corpus /test/points /state/seen
ret=$?
vm-put /state/corpus
vm-put /state/seen
[ $ret = 0 ] || exit 1
[ "$STAGE" = "$(($1 - 1))" ] && exit 0
vm-hold fuzz_ioctl hold && vm-kexec
exit 1
