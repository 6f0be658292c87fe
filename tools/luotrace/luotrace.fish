# SPDX-License-Identifier: GPL-2.0
# fish completion of luotrace. A test compares its words with those of --help.

# The command is the first word, and one of these.
function __luotrace_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

function __luotrace_first
    test (count (commandline -opc)) = 1
end

# Of these commands: the options that follow.
function __luotrace_of
    set -l commands (string split ' ' -- $argv[1])
    complete -c luotrace -n "__luotrace_is $commands" $argv[2..]
end

set -l ops 'can_preserve preserve unpreserve prepare cancel freeze unfreeze retrieve can_finish finish boot'
set -l all 'check trace latency top timeline audit finish handover mark metrics record report compare'
set -l tracers 'trace latency top record'

complete -c luotrace -f
complete -c luotrace -n __luotrace_first -s h -l help -d 'List the commands'
complete -c luotrace -n __luotrace_first -s V -l version -d 'Show the version'
complete -c luotrace -n __luotrace_first -a check -d 'What this kernel offers'
complete -c luotrace -n __luotrace_first -a trace -d 'What is happening, one line an event'
complete -c luotrace -n __luotrace_first -a latency -d 'How long handlers take'
complete -c luotrace -n __luotrace_first -a top -d 'Which calls are in flight'
complete -c luotrace -n __luotrace_first -a timeline -d 'Where the last blackout went'
complete -c luotrace -n __luotrace_first -a audit -d 'What nothing has finished'
complete -c luotrace -n __luotrace_first -a finish -d 'Give up sessions'
complete -c luotrace -n __luotrace_first -a handover -d 'What is handed over'
complete -c luotrace -n __luotrace_first -a mark -d 'A workload is paused or resumed'
complete -c luotrace -n __luotrace_first -a metrics -d 'In the format of OpenMetrics'
complete -c luotrace -n __luotrace_first -a record -d 'Record a trace in a file'
complete -c luotrace -n __luotrace_first -a report -d 'Show a recorded trace'
complete -c luotrace -n __luotrace_first -a compare -d 'Which phases and handlers differ'

__luotrace_of $all -s j -l json -d 'JSON on stdout'
__luotrace_of $all -l no-color -d 'No colours'
__luotrace_of $all -s q -l quiet -d 'Only errors on stderr'
__luotrace_of $all -s v -l verbose -d 'Show the messages of the BPF loader'
__luotrace_of $all -s h -l help -d 'Describe the command'
__luotrace_of $all -l usage -d 'Give a short usage message'

__luotrace_of $tracers -l errors -d 'Only failures'
__luotrace_of $tracers -s H -l handler -x -d 'Only this file handler'
__luotrace_of $tracers -l min-us -x -d 'Only calls of N microseconds or more'
__luotrace_of $tracers -l until-frozen -d 'Stop when the global state is frozen'
__luotrace_of $tracers -l buffer -x -d 'KiB between kernel and luotrace'
__luotrace_of "$tracers audit" -s s -l session -x -d 'Only this session'
__luotrace_of "$tracers audit" -s d -l duration -x -d 'Stop after this time'
__luotrace_of 'trace latency top' -s o -l op -x -a $ops -d 'Only this operation'

__luotrace_of 'trace record' -s k -l kho -d 'Also memory'
__luotrace_of 'trace latency audit' -s t -l timestamps -d 'The wall clock, too'
__luotrace_of latency -l by -x -a 'handler session file' -d 'Count by'
__luotrace_of latency -l json-file -r -F -d 'Also write JSON to a file'
__luotrace_of latency -l folded -r -F -d 'Also write stacks to a file'
__luotrace_of 'latency record' -l stacks -d 'In which functions long calls spent their time'
__luotrace_of 'latency report' -l hist -d 'Add histograms'
__luotrace_of top -s b -l batch -d 'Print'
__luotrace_of top -l once -d 'Print once'
__luotrace_of top -l sort -x -a 'age task session handler' -d 'Sort by'
__luotrace_of 'timeline record report compare' -l dir -x -a '(__fish_complete_directories)' -d 'Saved updates'
__luotrace_of timeline -l agent -x -d 'Unit of the agent'
__luotrace_of timeline -l list -d 'List the updates that were saved'
__luotrace_of timeline -l max-blackout -x -d 'End with 4 if the blackout took longer'
__luotrace_of timeline -l max-freeze -x -d 'End with 4 if the freeze window took longer'
__luotrace_of timeline -l max-phase -x -d 'End with 4 if a phase took longer'
__luotrace_of 'audit handover' -l files -d 'List every file'
__luotrace_of 'audit metrics' -l max-age -x -d 'Seconds that a session may be unclaimed or held'
__luotrace_of audit -l exec -x -a '(__fish_complete_command)' -d 'Run this at each leak'
__luotrace_of audit -l watch -d 'Keep running, and print each leak'
__luotrace_of finish -l yes -d 'Finish without asking'
__luotrace_of handover -l memory -r -F -d 'A core'
__luotrace_of mark -a 'paused resumed'
__luotrace_of metrics -l textfile -r -F -d 'Write to this file'
__luotrace_of record -l carry -d 'Keep a black box that the next kernel gets'
__luotrace_of record -l op -x -a $ops -d 'Only this operation'
__luotrace_of 'record report compare' -s o -l output -r -F -d 'Output file'
__luotrace_of 'report compare' -l html -d 'One HTML page with diagrams'
__luotrace_of report -l folded -d 'Stacks of long calls'
__luotrace_of report -l perfetto -d 'A trace for ui.perfetto.dev'
__luotrace_of report -l otlp -d 'Traces for an OpenTelemetry collector, JSON'
__luotrace_of 'timeline handover metrics report compare' -F

functions -e __luotrace_of
