#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The script of the demonstration in the guest, in both kernels.

set -e

# shellcheck source=selftests/guest/lib.sh
. /test/lib

tracer=
start_tracer() {
	luotrace latency --hist --json-file /tmp/latency.json \
		> /tmp/latency.txt 2> /tmp/latency.err &
	tracer=$!
	await tracing /tmp/latency.err
}

stop_tracer() {
	kill -INT $tracer
	wait $tracer
	vm-put /tmp/latency.txt
	vm-put /tmp/latency.json
}

if [ "$STAGE" = 0 ]; then
	vm-note "preserving 20 memfds of 256 MiB in all"
	# The kexec ends this recorder.
	start record record -o /state/before.luotrace
	start_tracer
	luo_agent preserve plan /state/manifest.json /tmp/ready &
	agent=$!
	while [ ! -e /tmp/ready ]; do
		kill -0 $agent
		sleep 0.1
	done
	vm-put /state/manifest.json
	stop_tracer

	# The freeze happens inside reboot(); LUO itself records it.
	vm-kexec
	exit 1
fi

vm-note "retrieving and comparing"
start record record -o /tmp/after.luotrace
recorder=$!
start_tracer
set +e
luo_agent restore /state/manifest.json /tmp/restore.json
ret=$?
set -e
vm-put /tmp/restore.json
stop_tracer
kill -INT $recorder
wait $recorder
luotrace timeline > /tmp/timeline.txt
luotrace timeline --json > /tmp/timeline.json
cat /sys/kernel/liveupdate/recorder > /tmp/recorder
for f in timeline.txt timeline.json recorder after.luotrace; do
	vm-put /tmp/$f
done
vm-put /state/before.luotrace
exit $ret
