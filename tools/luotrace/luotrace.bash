# SPDX-License-Identifier: GPL-2.0
# bash completion of luotrace. A test compares its words with those of --help.

_luotrace() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=
	local output="--json --no-color --quiet --verbose --help --usage"
	local trace="--session --handler --op --errors --min-us --duration
		--until-frozen --buffer"
	local ops="can_preserve preserve unpreserve prepare cancel freeze unfreeze
		retrieve can_finish finish boot"

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="check trace latency top timeline audit finish handover mark metrics record report compare --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi

	case $prev in
	--op) words=$ops ;;
	--sort) words="age task session handler" ;;
	--by) words="handler session file" ;;
	--output | --json-file | --folded | --memory | --textfile)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-o)
		case $command in
		trace | latency | top) words=$ops ;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		esac
		;;
	--agent | --session | --handler | --min-us | --duration | --buffer | --max-age | --exec | \
		--max-blackout | --max-freeze | --max-phase | -s | -H | -d) return ;;
	*)
		case $command in
		check) words=$output ;;
		trace) words="$output $trace --kho --timestamps" ;;
		latency) words="$output $trace --by --hist --json-file --stacks --folded
			--timestamps" ;;
		top) words="$output $trace --batch --once --sort" ;;
		timeline) words="$output --agent --dir --list --max-blackout --max-freeze --max-phase" ;;
		audit) words="$output --session --max-age --files --watch --exec
			--duration --timestamps" ;;
		finish) words="$output --yes" ;;
		handover) words="$output --memory --files" ;;
		mark) words=$output ;;
		metrics) words="$output --textfile --max-age" ;;
		record) words="$output $trace --kho --stacks --output --carry --dir" ;;
		report) words="$output --html --perfetto --otlp --folded --hist --output --dir" ;;
		compare) words="$output --html --output --dir" ;;
		esac
		if [ "${cur#-}" = "$cur" ]; then
			case $command in
			mark)
				mapfile -t COMPREPLY < <(compgen -W "paused resumed" -- "$cur")
				return
				;;
			timeline | handover | metrics | report | compare)
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
				;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _luotrace luotrace
