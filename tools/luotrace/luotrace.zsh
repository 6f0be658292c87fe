#compdef luotrace
# SPDX-License-Identifier: GPL-2.0
# zsh completion of luotrace, installed as _luotrace. A test compares its words with those
# of --help.

_luotrace() {
	local curcontext=$curcontext state
	local -a commands common trace op line
	typeset -A opt_args

	commands=(
		'check:what this kernel offers, and which commands will work'
		'trace:what is happening, one line an event'
		'latency:how long handlers take, and how much they preserve'
		'top:which calls are in flight, and what they wait for'
		'timeline:where the last blackout went, phase by phase'
		'audit:what the previous kernel handed over and nothing has finished'
		'finish:give up sessions that no agent will claim'
		'handover:what one kernel hands over to the next'
		'mark:say that a workload is paused or resumed'
		'metrics:all of this as metrics, in the format of OpenMetrics'
		'record:record a trace in a file'
		'report:show a recorded trace as text, HTML, or for Perfetto'
		'compare:which phases and handlers differ between live updates'
	)
	op=(can_preserve preserve unpreserve prepare cancel freeze unfreeze retrieve
		can_finish finish boot)
	common=(
		'(-j --json)'{-j,--json}'[JSON on stdout]'
		'--no-color[no colours]'
		'(-q --quiet)'{-q,--quiet}'[only errors on stderr]'
		'(-v --verbose)'{-v,--verbose}'[show the messages of the BPF loader]'
		'(- *)'{-h,--help}'[describe the command]'
		'(- *)--usage[give a short usage message]'
	)
	trace=(
		'--errors[only failures]'
		'(-H --handler)'{-H,--handler=}'[only this file handler]:compatible: '
		'--min-us=[only handler calls of N microseconds or more]:microseconds: '
		'(-s --session)'{-s,--session=}'[only this session]:session: '
		'(-d --duration)'{-d,--duration=}'[stop after this time]:seconds: '
		'--until-frozen[stop when the global state is frozen]'
		'--buffer=[size of the buffer between kernel and luotrace]:KiB: '
	)

	_arguments -C '(- *)'{-h,--help}'[list the commands]' \
		'(- *)'{-V,--version}'[show the version]' \
		'1:command:->command' '*::argument:->argument' && return
	if [[ $state = command ]]; then
		_describe command commands
		return
	fi

	case $words[1] in
	check) _arguments -s : $common ;;
	trace)
		_arguments -s : $common $trace '(-k --kho)'{-k,--kho}'[also memory]' \
			'(-t --timestamps)'{-t,--timestamps}'[the wall clock, too]' \
			'*'{-o,--op=}"[only this operation]:operation:($op)"
		;;
	latency)
		_arguments -s : $common $trace '--hist[add histograms]' \
			'(-t --timestamps)'{-t,--timestamps}'[the time of each reading]' \
			'--by=[count by]:what:(handler session file)' \
			'--json-file=[also write JSON to a file]:file:_files' \
			'--folded=[also write stacks to a file]:file:_files' \
			'--stacks=-[functions in which long calls spent their time]::time: ' \
			'*'{-o,--op=}"[only this operation]:operation:($op)"
		;;
	top)
		_arguments -s : $common $trace '(-b --batch)'{-b,--batch}'[print]' \
			'--once[print once]' '--sort=[sort by]:what:(age task session handler)' \
			'*'{-o,--op=}"[only this operation]:operation:($op)"
		;;
	timeline)
		_arguments -s : $common '--dir=[saved updates are in]:directory:_files -/' \
			'--agent=[unit of the agent]:unit: ' \
			'--list[list the updates that were saved]' \
			'--max-blackout=[end with 4 if the blackout took longer]:time: ' \
			'--max-freeze=[end with 4 if the freeze window took longer]:time: ' \
			'*--max-phase=[end with 4 if a phase took longer]:phase=time: ' \
			'1:number or file:_files'
		;;
	audit)
		_arguments -s : $common '--files[list every file]' \
			'--max-age=[how long a session may be unclaimed or held]:seconds: ' \
			'(-s --session)'{-s,--session=}'[only this session]:session: ' \
			'(-d --duration)'{-d,--duration=}'[stop watching after this time]:seconds: ' \
			'(-t --timestamps)'{-t,--timestamps}'[the wall clock, too]' \
			'--exec=[run this at each leak]:command:_cmdstring' \
			'--watch[keep running, and print each leak]'
		;;
	finish) _arguments -s : $common '--yes[finish without asking]' '*:session: ' ;;
	handover)
		_arguments -s : $common '--files[list every file of a session]' \
			'--memory=[show what the table points at]:core:_files' '1:table:_files'
		;;
	mark) _arguments -s : $common '1:session: ' '2:state:(paused resumed)' ;;
	metrics)
		_arguments -s : $common '--textfile=[write to this file]:file:_files' \
			'--max-age=[how long a session may be unclaimed or held]:seconds: ' \
			'1:copy of a recorder:_files'
		;;
	record)
		_arguments -s : $common $trace '(-k --kho)'{-k,--kho}'[also memory]' \
			'--carry[keep a black box that the next kernel gets]' \
			'--stacks=-[functions in which long calls spent their time]::time: ' \
			'--dir=[save updates in]:directory:_files -/' \
			'(-o --output)'{-o,--output=}'[output file]:file:_files' \
			"*--op=[only this operation]:operation:($op)"
		;;
	report)
		_arguments -s : $common '--dir=[saved updates are in]:directory:_files -/' \
			'--hist[add histograms]' '--html[one HTML page with diagrams]' \
			'--perfetto[a trace for ui.perfetto.dev]' \
			'--folded[stacks of long calls]' \
			'--otlp[traces for an OpenTelemetry collector, JSON]' \
			'(-o --output)'{-o,--output=}'[output file]:file:_files' \
			'*:trace or number:_files'
		;;
	compare)
		_arguments -s : $common '--dir=[saved updates are in]:directory:_files -/' \
			'--html[one HTML page with diagrams]' \
			'(-o --output)'{-o,--output=}'[output file]:file:_files' \
			'*:live updates:_files'
		;;
	esac
}

_luotrace "$@"
