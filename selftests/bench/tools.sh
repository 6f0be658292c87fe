#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tools.sh TOOL: the resources of one of three tools with the same question: how long
# does each operation of each file handler take?

tool=$1
case $tool in
luotrace)
	once="luotrace latency -d 1"
	set -- luotrace latency --hist --json
	;;
bpftrace)
	cat > /tmp/ask.bt <<-'EOF'
	tracepoint:luo:luo_handler_exit
	{
		@took[str(args->compatible), args->op] = hist(args->duration_ns);
	}
	EOF
	once="bpftrace /tmp/once.bt"
	{ cat /tmp/ask.bt; echo 'interval:s:1 { exit(); }'; } > /tmp/once.bt
	set -- bpftrace /tmp/ask.bt
	;;
perf)
	once="perf trace -e luo:luo_handler_exit sleep 1"
	set -- perf trace -e luo:luo_handler_exit -a
	;;
esac
for _ in 1 2 3; do
	# shellcheck disable=SC2086 # words
	tool_test start $once >> /tmp/start.json || { cat /tmp/tool.err /tmp/tool.out; exit 1; }
done
tool_test load 10 "$@" > /tmp/load.json || { cat /tmp/tool.err /tmp/tool.out; exit 1; }

# The calls of the load that it has seen: counted, or printed one by one.
case $tool in
luotrace) cp /tmp/tool.out /tmp/answer ;;
bpftrace) sed -n 's/.*) *\([0-9][0-9]*\) |.*/\1/p' /tmp/tool.out > /tmp/answer ;;
perf) grep -c luo_handler_exit /tmp/tool.err > /tmp/answer ;;
esac
vm-put /tmp/start.json
vm-put /tmp/load.json
vm-put /tmp/answer
