#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the agent waited for while systemd started the system, compared with the figures of
# systemd-analyze.

# shellcheck source=selftests/guest/lib.sh
. /test/lib

status=$(systemctl show --value -p StatusText luotrace-box.service)
[ "$status" = "the black box is ready" ] || {
	echo "luotrace-box.service: $status"
	exit 1
}
if [ "$STAGE" = 0 ]; then
	vm-hold agents_test hold || exit 1
	vm-kexec
	exit 1
fi
await_update /var/lib/luotrace
# The figures of its end come with the next save.
sleep 2
# systemd-analyze has figures only of a start that is over.
for _ in $(seq 100); do
	systemd-analyze critical-chain --no-pager chain-agent.service > /tmp/chain && break
	sleep 0.3
done
systemctl show -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic \
	-p InactiveEnterTimestampMonotonic -p Id chain-first.service chain-slow.service \
	chain-agent.service > /tmp/stamps
luotrace timeline --json > /tmp/timeline.json
luotrace timeline --agent chain-slow --json > /tmp/other.json
luotrace timeline > /tmp/timeline.txt
cat /tmp/chain /tmp/stamps /tmp/timeline.txt
vm-put /tmp/timeline.json
exec vm-tap start-chain start_chain_test
