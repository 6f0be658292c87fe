#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace on a distribution's own kernel. It has no LUO: each command says so, or does
# what needs none, and none of them shows what libbpf or the verifier say.

exec 3> /tmp/distro.tap
nr=0

# result CODE NAME: print a result
result() {
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr $2" >&3
	else
		echo "not ok $nr $2" >&3
	fi
}

# A trace without events, which needs no kernel to be read.
echo '{"event":"start","trace_version":1,"kernel":"a","time_ns":1}' > /tmp/a.luotrace

# exit code, what one of the outputs must have, arguments
cat > /tmp/commands <<-'EOF'
3|^LUO *none in this kernel$|check
3|"flavour": "none"|check --json
3|has no Live Update Orchestrator|trace
3|has no Live Update Orchestrator|trace --errors --json
3|has no Live Update Orchestrator|latency 1 1
3|has no Live Update Orchestrator|top --once
3|has no Live Update Orchestrator|audit
3|has no Live Update Orchestrator|audit --watch
3|has no Live Update Orchestrator|metrics
3|has no Live Update Orchestrator|record -o /tmp/b.luotrace
3|has no Live Update Orchestrator|record --carry
3|needs a kernel with LUO|timeline
0|no update is saved|timeline --list
3|has no Live Update Orchestrator|finish --yes a
3|needs a kernel with LUO|mark a paused
3|no tree in /sys/kernel/debug/kho/|handover
0|Trace of kernel a: 0 events|report /tmp/a.luotrace
3|no row is known on both sides|compare /tmp/a.luotrace /tmp/a.luotrace
EOF

luotrace check > /tmp/check.txt
cat /tmp/check.txt
grep -q '^BTF *yes$' /tmp/check.txt
result $? "libbpf reads the kernel's types"
mount -t debugfs none /sys/kernel/debug 2> /dev/null
while IFS='|' read -r want text arguments; do
	# shellcheck disable=SC2086 # words
	timeout 60 luotrace $arguments < /dev/null > /tmp/out.txt 2>&1
	[ $? = "$want" ] && grep -q -- "$text" /tmp/out.txt &&
		! grep -qiE 'libbpf|verifier|^[0-9]+: \(' /tmp/out.txt
	code=$?
	result $code "'$arguments' ends with $want and says why"
	[ $code = 0 ] || sed 's/^/# /' /tmp/out.txt >&3
done < /tmp/commands
[ -z "$(ls /tmp/b.luotrace* 2> /dev/null)" ]
result $? "no recording is begun"
echo "1..$nr" >&3
vm-put /tmp/distro.tap
