#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests that run programs: luotrace's command line, the set-up scripts. Prints
TAP."""

import fcntl
import os
import pty
import re
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios

from schema import check_output
from tap import HERE, LUOTRACE, TOP, check, run, run_tests

HANDOVER = os.path.join(TOP, "build/host/handover")

# arguments, exit code, regex of stdout, regex of stderr
COMMAND_LINE = (
    ("--version", 0, r"^luotrace \d+\.\d+ \((commit \S+, )?JSON schema 1, record of "
     r"LUO \d+, recording 1\)\n$", r"^$"),
    ("-V", 0, r"^luotrace \d", r"^$"),
    ("", 2, r"^$", r"usage: luotrace COMMAND"),
    ("nonsense", 2, r"^$", r"unknown command 'nonsense'"),
    ("--help", 0, r"(?s)check.*trace.*latency.*exit codes", r"^$"),
    ("-h", 0, r"usage: luotrace", r"^$"),
    ("check -h", 0, r"(?s)Usage: luotrace check.*Examples:", r"^$"),
    ("trace --help", 0, r"(?s)Usage: luotrace trace.*Examples:", r"^$"),
    ("latency -h", 0, r"(?s)Usage: luotrace latency.*Examples:", r"^$"),
    ("latency --nonsense", 2, r"^$", r"unrecognized option"),
    ("latency -o nonsense", 2, r"^$", r"unknown operation 'nonsense', want "
     r"one of can_preserve, preserve,"),
    ("latency --by colour", 2, r"^$", r"want handler, session or file"),
    ("latency 0", 2, r"^$", r"INTERVAL is at least 1 second"),
    ("latency 1 0", 2, r"^$", r"COUNT is at least 1"),
    ("latency 1 2 3", 2, r"^$", r"too many arguments"),
    ("latency x", 2, r"^$", r"'x' is not a number of seconds"),
    ("latency --stacks=x", 2, r"^$", r"'x' is not a time, such as 20ms"),
    ("latency --stacks=20", 2, r"^$", r"'20' is not a time, such as 20ms"),
    ("latency --stacks --errors", 2, r"^$", r"want no --errors with it"),
    ("latency --stacks 1", 2, r"^$", r"want no INTERVAL"),
    ("latency --folded x", 2, r"^$", r"want --stacks with it"),
    ("record --carry --stacks", 2, r"^$", r"want no filter, duration or format"),
    ("latency -d -1", 2, r"^$", r"'-1' is not a number of seconds"),
    ("top --sort colour", 2, r"^$", r"want age, task, session or handler"),
    ("top 0", 2, r"^$", r"INTERVAL is at least 1 second"),
    ("top 1 0", 2, r"^$", r"COUNT is at least 1"),
    ("top 1 2 3", 2, r"^$", r"too many arguments"),
    ("top --errors", 2, r"^$", r"a call in flight has no result yet"),
    ("top --once", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("trace --min-us 1e3", 2, r"^$", r"'1e3' is not a number of microseconds"),
    ("trace --buffer 5", 2, r"^$", r"'5' KiB is not a power of two from 4 on"),
    ("trace -s " + "x" * 64, 2, r"^$", r"a session has 1 to 63 bytes"),
    ("trace -H " + "x" * 48, 2, r"^$", r"a handler has 1 to 47 bytes"),
    # The host has no LUO with trace events.
    ("trace", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("latency 1", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("timeline", 3, r"^$", r"/sys/kernel/liveupdate/recorder is missing; it needs"),
    ("timeline a b", 2, r"^$", r"too many arguments"),
    ("timeline /dev/null", 3, r"^$", r"'/dev/null' is not a record of a live "
     r"update; this luotrace knows version 5"),
    ("timeline /no/such", 3, r"^$", r"cannot read '/no/such': No such file"),
    ("timeline --no-color @RECORD@", 0, r"^Live update 1 at 1970-01-01 "
     r"00:00:00 UTC: 0 sessions with 0 files\nblackout 36.0ms, freeze window "
     r"5.00ms\n\n\* finish is 22 % of the blackout \(8\.00ms\), all of it outside of "
     r"calls of LUO:\n  start the workloads' processes before the last", r"^$"),
    ("timeline --json @RECORD@", 0, r'(?s)"command": "timeline".*"blackout_ns": '
     r'36000000, *\n.*"freeze_window_ns": 5000000', r"^$"),
    ("timeline --no-color --max-blackout 36ms --max-freeze 5ms @RECORD@", 0,
     r"^Live update 1 ", r"^$"),
    ("timeline --max-blackout 35ms --max-freeze 4.9ms --max-phase freeze=2ms "
     "@RECORD@", 4, r"^Live update 1 ", r"^luotrace: budget broken: blackout took "
     r"36\.0ms, 1\.00ms more than 35\.0ms; 8\.00ms of it in finish\nluotrace: budget "
     r"broken: freeze window took 5\.00ms, 100us more than 4\.90ms; 1\.90ms of it in "
     r"handler vfio-v1, freeze\n$"),
    ("timeline --max-phase finish=7ms -q @WORSE@", 4, r"given up by it",
     r"^luotrace: budget broken: finish took 8\.00ms"),
    ("timeline --max-phase finish=8ms @WORSE@", 1, r"given up by it", r"^$"),
    ("timeline --json --max-blackout 35ms --max-phase finish=8ms @RECORD@", 4,
     r'(?s)"budgets": \[\s*\{\s*"of": "blackout",\s*"phase": null,\s*"max_ns": '
     r'35000000,\s*"duration_ns": 36000000,\s*"known_ns": 36000000,\s*"verdict": '
     r'"broken",.*"of": "phase",\s*"phase": "finish",.*"verdict": "kept"',
     r"budget broken"),
    ("timeline --max-blackout soon", 2, r"^$", r"'soon' is not a time; want a number "
     r"and s, ms, us or ns"),
    ("timeline --max-freeze 5", 2, r"^$", r"'5' is not a time; want"),
    ("timeline --max-phase freez=5ms", 2, r"^$", r"unknown phase 'freez', want one of "
     r"'prepare in reboot', 'freeze', "),
    ("timeline --max-phase freeze", 2, r"^$", r"'freeze' is not NAME=TIME"),
    ("timeline --list --max-freeze 5ms", 2, r"^$", r"want no budget with it"),
    ("timeline @WORSE@", 1, r"(?s)blackout 36.0ms.*\* 2 sessions of the previous "
     r"update were given up by it", r"^$"),
    ("timeline --json @WORSE@", 1, r'(?s)"blackout_ns": 36000000.*"given_up": 2',
     r"^$"),
    ("timeline @PAUSED@", 0, r"^vm-large stood still for 3\.41s\nvm-small stood still "
     r"for 50\.0ms\n<vm>\\x20\\xff stood still .*\n\.\.\. and 2 more\nLive", r"^$"),
    ("timeline --json @PAUSED@", 0, r'(?s)"workloads": \[\s*\{\s*"name": "vm-large"'
     r',\s*"blackout_ns": 3410000000,\s*"paused_to_reboot_ns": 10000000,\s*'
     r'"start_to_resumed_ns": 3390000000\s*\}.*"name": "stranger",\s*"blackout_ns": '
     r'null,\s*"paused_to_reboot_ns": null.*"start_to_resumed_ns": null\s*\}\s*\],\s*'
     r'"lost_workload_marks": 0', r"^$"),
    ("metrics @PAUSED@", 0, r'(?s)# UNIT luo_workload_blackout_seconds seconds\n'
     r'luo_workload_blackout_seconds\{workload="vm-large"\} 3\.41\n'
     r'luo_workload_blackout_seconds\{workload="vm-small"\} 0\.05\n'
     r'luo_workload_blackout_seconds\{workload="<vm>\\\\x20\\\\xff"\} 0\.041\n[^l]',
     r"^$"),
    ("record --carry -o x", 2, r"^$", r"see --dir; want no --output"),
    ("record --carry -d 5", 2, r"^$", r"want no filter, duration or format"),
    ("record --carry --session a", 2, r"^$", r"want no filter, duration or format"),
    ("record --dir x -o y", 2, r"^$", r"want --carry"),
    ("record --carry", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("timeline --list 3", 2, r"^$", r"want no NUMBER or FILE"),
    ("timeline --agent a 3", 2, r"^$", r"--agent asks this system; want no --list, N"),
    ("timeline --agent=", 2, r"^$", r"'' is not the name of a unit"),
    ("timeline --agent a/b", 2, r"^$", r"'a/b' is not the name of a unit"),
    ("timeline --agent a", 3, r"^$", r"/sys/kernel/liveupdate/recorder is missing"),
    ("timeline --list --dir /no/such", 0, r"^no update is saved\n$", r"^$"),
    ("timeline --dir /no/such 3", 3, r"^$", r"/no/such/000003.update': No such file"),
    ("mark", 2, r"^$", r"want SESSION paused\|resumed"),
    ("mark vm-a", 2, r"^$", r"want SESSION paused\|resumed"),
    ("mark vm-a stopped", 2, r"^$", r"'stopped' is neither paused nor resumed"),
    ("mark vm-a paused b", 2, r"^$", r"too many arguments"),
    ("mark vm\\x0aa paused", 2, r"^$", r"the name of a workload has no newline"),
    ("mark " + "x" * 64 + " paused", 2, r"^$", r"a workload has 1 to 63 bytes"),
    ("mark vm-a paused", 3, r"^$", r"nothing records marks here: \S+/mark is missing, "
     r"which needs .*; nor does 'luotrace record --carry' run, "),
    ("mark --json vm-a resumed", 3, r"^$", r"nothing records marks here"),
    ("audit", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("audit --exec true", 2, r"^$", r"--exec, --duration and --timestamps go with --w"),
    ("audit -t", 2, r"^$", r"--timestamps go with --watch"),
    ("latency -t", 2, r"^$", r"--timestamps is for several readings, want INTERVAL"),
    ("audit --max-age soon", 2, r"^$", r"'soon' is not a number of seconds"),
    ("audit -s " + "x" * 64, 2, r"^$", r"a session has 1 to 63 bytes"),
    ("handover", 3, r"^$", r"no tree in /sys/kernel/debug/kho/; it needs"),
    ("handover /no/such", 3, r"^$", r"cannot read '/no/such': No such file"),
    ("handover a b", 2, r"^$", r"too many arguments"),
    ("handover --memory x", 2, r"^$", r"--memory needs the FILE with the table"),
    ("handover --memory /dev/null @HANDOVER@/LUO", 3, r"^$",
     r"'/dev/null' is not a core, such as a vmcore"),
    ("handover /dev/null", 1, r"^tree +-\n! offset 0: 0 bytes are too few", r"^$"),
    ("handover @HANDOVER@/LUO-FDT", 0, r"^tree +luo-fdt-v1\nCRC-32 +right\n"
     r"live update +3\nsessions +2 in 2 blocks from 0x1000 on\n"
     r"FLBs +2 in 1 block from 0x6000 on\nsubsystems +1\n"
     r"  subsystem luo-recorder: data 0x7000\n"
     r"base's LUO +reads LUO, which is not given\n", r"^$"),
    ("handover --json @HANDOVER@/LUO-FDT", 0, r'(?s)"sessions_at": \{\s*"count": "2".*'
     r'"sessions": null.*"nr_problems": 0.*"tables": \[\s*\{\s*"base": null,\s*"tree": '
     r'true', r"^$"),
    ("handover --json /dev/null", 1, r'"tree": null', r"^$"),
    ("handover @HANDOVER@/LUO", 0, r"^table +luo-v5\nlive update +3\n"
     r"sessions +from 0x1000 on\nFLBs +from 0x6000 on\nbase's LUO +restores all",
     r"^$"),
    ("handover --json @HANDOVER@/LUO", 0, r'(?s)"tree": "luo-v5",\s*"kind": "base".*'
     r'"subsystems": null.*"nr_problems": 0', r"^$"),
    ("handover @HANDOVER@/KHO", 0, r"^tree +kho-v4\nmemory map +0x3000\n"
     r"  subtree LUO: 32B at 0x8000\n  subtree LUO-FDT: 4.00KiB at 0x9000\n$", r"^$"),
    ("handover --files --memory @HANDOVER@/core @HANDOVER@/KHO", 0, r"(?s)^tree +kho-v4"
     r"\n.*\n\nLUO, subtree of .*\ntable +luo-v5\n.*\n\nLUO-FDT, subtree of .*\ntree +"
     r"luo-fdt-v1\n.*token 1 memfd-v2 .*proven +6 of 6 blocks, 8 of 8 records\n.*\n"
     r"tables +both LUO and LUO-FDT\nthey agree ", r"^$"),
    ("handover --json --memory @HANDOVER@/core @HANDOVER@/KHO", 0, r'(?s)"subtree": '
     r'"LUO-FDT".*"agree": true', r"^$"),
    ("handover --memory @HANDOVER@/damaged-core @HANDOVER@/KHO", 1, r"(?s)! files of "
     r'session "a", token 1: record\'s sum is wrong\n.*\nthey agree ', r"^$"),
    ("handover --json --files --memory @HANDOVER@/damaged-core @HANDOVER@/KHO", 1,
     r'"proof": "damaged"', r"^$"),
    ("handover --memory @HANDOVER@/differing-core @HANDOVER@/KHO", 1,
     r"! the tables differ in live update: 4 in LUO, 3 in LUO-FDT\n", r"^$"),
    ("handover --memory @HANDOVER@/core @HANDOVER@/KHO-elsewhere", 1,
     r"! subtree 'LUO' is not in memory\n", r"^$"),
    ("latency --json --json-file x", 2, r"^$", r"want one of them"),
    ("latency --json-file x 1", 2, r"^$", r"want --json with INTERVAL"),
    ("record --json -o x", 2, r"^$", r"the file is always JSON"),
    ("report /", 3, r"^$", r"'/' line 1: Is a directory"),
    ("compare @RECORD@ @RECORD@", 0, r"\nno difference that is larger than the noise, "
     r"in 12 rows\n", r"^$"),
    ("compare --json @RECORD@ @PAUSED@", 0, r'"verdict": "same"', r"^$"),
    ("compare @RECORD@", 2, r"^$", r"want A and B, or -- between the files of both"),
    ("compare @RECORD@ /no/such", 3, r"^$", r"cannot read '/no/such': No such file"),
    ("metrics", 3, r"^$", r"^luotrace: this kernel .*; \w+"),
    ("metrics /no/such", 3, r"^$", r"cannot read '/no/such': No such file"),
    ("metrics --json --textfile x", 2, r"^$", r"does not read --json"),
    ("metrics @RECORD@", 0, r'(?s)^# HELP luo_info .*\nluo_info\{kernel="7.3.4"\} '
     r'1\n.*luo_blackout_seconds 0.036\n.*# EOF\n$', r"^$"),
    ("metrics @RECORD@", 0, r'(?s)'
     r'le="0.000524288"\} 0\n[^\n]*le="0.001048576"\} 2\n[^\n]*le="0.002097152"\} '
     r'3\n.*luo_call_seconds_bucket\{kind="handler",name="vfio-v1",op="freeze",'
     r'le="\+Inf"\} 3\nluo_call_seconds_sum\{[^}]*\} 0.0019\n'
     r'luo_call_seconds_count\{[^}]*\} 3\n', r"^$"),
    ("metrics @RECORD@", 0, r'(?s)le="2.147483648"\} 0\n[^\n]*le="4.294967296"\} 0\n'
     r'[^\n]*le="8.589934592"\} 0\n[^\n]*le="17.179869184"\} 1\n.*le="\+Inf"\} 1\n'
     r'luo_call_seconds_sum\{kind="subsystem",name="long",[^}]*\} 12.5\n', r"^$"),
    ("metrics --json @RECORD@", 0, r'(?s)"name": "luo_blackout_seconds",\s*'
     r'"labels": \{\},\s*"value": 0.036', r"^$"),
    ("metrics --textfile /no/such/luo.prom @RECORD@", 1, r"^$",
     r"cannot write '/no/such/luo.prom': No such file"),
    ("check", 3, r"(?s)kernel .*will not work\s+because .*", r"^$"),
    ("check --json", 3, r'(?s)"schema": 1.*"works": false', r"^$"),
)


def options_of_help(command):
    r = run([LUOTRACE, command, "--help"])
    return set(re.findall(r"(--[a-z][a-z-]*)", r.stdout.split("\nMandatory")[0]))


def options_of_completion(command):
    script = (". tools/luotrace/luotrace.bash; COMP_WORDS=(luotrace %s --); "
              "COMP_CWORD=2; _luotrace; echo \"${COMPREPLY[*]}\"" % command)
    return set(run(["bash", "-c", script]).stdout.split())


def options_of_page(command):
    text = ""
    with open(os.path.join(TOP, "Documentation/tools/luotrace/luotrace-%s.rst" %
                           command)) as f:
        page = f.read()
    for name in re.findall(r"include:: (\S+)", page):
        with open(os.path.join(TOP, "Documentation/tools/luotrace", name)) as f:
            text += f.read()
    return set(re.findall(r"``(--[a-z][a-z-]*)``",
                          page.split("OPTIONS\n")[1] + text))


def test_word_lists():
    """Commands and options are the same in the help, the completion, the pages."""
    listed = re.findall(r"^  ([a-z]+) ", run([LUOTRACE, "--help"]).stdout, re.M)
    script = (". tools/luotrace/luotrace.bash; COMP_WORDS=(luotrace ''); "
              "COMP_CWORD=1; _luotrace; echo \"${COMPREPLY[*]}\"")
    completed = run(["bash", "-c", script]).stdout.split()
    check(listed + ["--help", "--version"] == completed,
          "completion has all commands", listed,
          completed)
    with open(os.path.join(TOP, "Documentation/tools/luotrace/luotrace.rst")) as f:
        check(re.findall(r"^\*\*luotrace-([a-z]+)\*\*", f.read(), re.M) == listed,
              "luotrace.8 has all commands")
    for command in listed:
        helped = options_of_help(command)
        check(len(helped) > 5 and helped == options_of_completion(command),
              "completion of luotrace %s" % command, sorted(helped),
              sorted(options_of_completion(command)))
        check(helped == options_of_page(command),
              "man page of luotrace %s" % command, sorted(helped),
              sorted(options_of_page(command)))


def make_records():
    """Records of this luotrace: those of an earlier run may be of another version."""
    record = os.path.join(TOP, "build/host/record")
    worse = record + "-given-up"
    paused = record + "-paused"
    for made in ((record, "0"), (worse, "2"), (paused, "0", "pauses")):
        subprocess.run((os.path.join(TOP, "build/host/blackout_test"),) + made,
                       check=True)
    return record, worse, paused


def test_command_line():
    record, worse, paused = make_records()
    os.makedirs(HANDOVER, exist_ok=True)
    subprocess.run([os.path.join(TOP, "build/host/handover_test"), HANDOVER],
                   check=True)
    for args, code, out, err in COMMAND_LINE:
        args = args.replace("@RECORD@", record).replace("@WORSE@", worse)
        args = args.replace("@PAUSED@", paused)
        args = args.replace("@HANDOVER@", HANDOVER)
        r = run([LUOTRACE] + args.split())
        check(r.returncode == code and re.search(out, r.stdout) and
              re.search(err, r.stderr), "luotrace %s ends with %d" % (
                  args.replace(TOP, "")[:40], code),
              r.returncode, r.stdout, r.stderr)
        if "--json " in args + " " and r.stdout:
            check_output(args.split()[0], [r.stdout],
                         "luotrace " + args.replace(TOP, "")[:60])
    for args in ("--help", "check --help", "audit -h", "check --json"):
        with open("/dev/full", "w") as full:
            r = run([LUOTRACE] + args.split(), stdout=full)
        check(r.returncode == (3 if "json" in args else 1) and
              r.stderr.count("cannot write the output: No space left") == 1,
              "a full disk is an error of " + args, r.returncode, r.stderr)
    r = run(["sh", "-c", "exec %s --help >&-" % LUOTRACE])
    check(r.returncode == 1 and "cannot write the output" in r.stderr,
          "a closed standard output is an error", r.returncode, r.stderr)
    r = run(["sh", "-c", "exec %s metrics --textfile build/host/luo.prom %s >&-" % (
        LUOTRACE, record)])
    check(r.returncode == 0 and not r.stderr,
          "unless nothing is printed", r.returncode, r.stderr)
    for text in (run([LUOTRACE] + a.split()).stdout
                 for a in ("check", "check -h", "trace -h", "latency -h", "top -h",
                           "timeline -h", "audit -h", "mark -h", "handover -h",
                           "metrics -h", "record -h", "report -h", "compare -h",
                           "-h")):
        longest = max(len(line) for line in text.splitlines())
        check(longest <= 80, "help and output fit the terminal", longest)


def test_privilege():
    """luotrace check sees which capabilities it has; CAP_SYS_ADMIN has the others."""
    for dropped, want in (("", "yes"), ("-bpf,-perfmon", "yes"), ("-sys_admin", "yes"),
                          ("-sys_admin,-bpf", "no"), ("-sys_admin,-perfmon", "no"),
                          ("-all", "no")):
        r = run((["setpriv", "--bounding-set=" + dropped] if dropped else []) +
                [LUOTRACE, "check"])
        check(re.search(r"^privilege +%s\n" % want, r.stdout, re.M),
              "privilege without %s: %s" % (dropped or "nothing", want), r.stdout,
              r.stderr)


def on_terminal(env, columns=0):
    """The output of luotrace timeline on a terminal."""
    record = os.path.join(TOP, "build/host/record")
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    text = b""
    # Held open: what is not read when the last user closes a terminal can be lost.
    with subprocess.Popen([LUOTRACE, "timeline", record], stdout=secondary,
                          env=env) as tool:
        ended = False
        while not ended or select.select([primary], [], [], 0)[0]:
            ended = tool.poll() is not None
            if select.select([primary], [], [], 0.05)[0]:
                text += os.read(primary, 65536)
    os.close(secondary)
    os.close(primary)
    return text


def test_colours():
    """Colours are only for terminals that have them."""
    env = {k: v for k, v in os.environ.items() if k not in ("TERM", "NO_COLOR")}
    for more, coloured in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
                           ({}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        text = on_terminal(dict(env, **more))
        check(b"blackout" in text and (b"\x1b" in text) == coloured,
              "%s colours with %s" % ("prints" if coloured else "no", more), text)


def test_width():
    """Text is as wide as a terminal, 80 columns at most."""
    env = dict(os.environ, TERM="dumb")
    for columns, least, most in ((0, 71, 80), (200, 71, 80), (60, 51, 60),
                                 (40, 31, 40)):
        text = on_terminal(env, columns).decode().replace("\r", "")
        finding = re.search(r"^\* (?:.+\n)+", text, re.M)
        longest = max(map(len, finding.group().splitlines())) if finding else 0
        check(least <= longest <= most, "a terminal of %d columns" % columns, longest,
              text)


def test_textfile():
    """The file is replaced in one step or not at all."""
    record = os.path.join(TOP, "build/host/record")
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "luo.prom")
        with open(path, "w") as f:
            f.write("old")
        before = os.stat(path).st_ino
        r = run([LUOTRACE, "metrics", "--textfile", path, record])
        with open(path) as f:
            text = f.read()
        check(r.returncode == 0 and text.startswith("# HELP") and
              text.endswith("# EOF\n") and os.listdir(tmp) == ["luo.prom"],
              "metrics replace the file and leave no other file", os.listdir(tmp),
              r.stderr)
        made = os.stat(path)
        check(made.st_ino != before and made.st_mode & 0o777 == 0o644,
              "by a new file, which everyone may read")
        os.mkdir(os.path.join(tmp, "dir.prom"))
        r = run([LUOTRACE, "metrics", "--textfile", os.path.join(tmp, "dir.prom"),
                 record])
        check(r.returncode == 1 and "is not a regular file" in r.stderr and
              sorted(os.listdir(tmp)) == ["dir.prom", "luo.prom"],
              "a failure leaves nothing", os.listdir(tmp), r.stderr)


def test_textfile_kinds():
    """Only regular files are replaced; a link stays a link."""
    record = os.path.join(TOP, "build/host/record")

    def metrics(path, **kwargs):
        return subprocess.run([LUOTRACE, "metrics", "--textfile", path, record],
                              text=True, capture_output=True, timeout=60, **kwargs)

    with tempfile.TemporaryDirectory() as tmp:
        fifo, link, target, dangling = (os.path.join(tmp, n) for n in (
            "fifo.prom", "link.prom", "target", "dangling.prom"))
        os.mkfifo(fifo)
        r = metrics(fifo)
        check(r.returncode == 1 and "is not a regular file" in r.stderr and
              stat.S_ISFIFO(os.lstat(fifo).st_mode), "a FIFO stays one", r.stderr)
        os.symlink("/dev/null", os.path.join(tmp, "null.prom"))
        r = metrics(os.path.join(tmp, "null.prom"))
        check(r.returncode == 1 and "is not a regular file" in r.stderr and
              os.readlink(os.path.join(tmp, "null.prom")) == "/dev/null" and
              stat.S_ISCHR(os.stat("/dev/null").st_mode), "a device stays a device",
              r.stderr)
        os.mkdir(target)
        open(os.path.join(target, "real"), "w").close()
        os.symlink("target/real", link)
        r = metrics(link)
        with open(os.path.join(target, "real")) as f:
            check(r.returncode == 0 and os.readlink(link) == "target/real" and
                  f.read().endswith("# EOF\n") and os.listdir(target) == ["real"],
                  "the target of a link is replaced", r.stderr, os.listdir(target))
        os.symlink("nowhere", dangling)
        r = metrics(dangling)
        check(r.returncode == 1 and "a dangling symbolic link" in r.stderr and
              os.readlink(dangling) == "nowhere", "a dangling link stays", r.stderr)

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "luo.prom")

        def cut():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        for _ in range(3):
            r = metrics(path, preexec_fn=cut)
            check(r.returncode == -signal.SIGXFSZ, "it is killed while it writes",
                  r.returncode, r.stderr)
        check(os.listdir(tmp) == ["luo.prom.new"],
              "a killed luotrace leaves one file at most", os.listdir(tmp))
        r = metrics(path)
        check(r.returncode == 0 and os.listdir(tmp) == ["luo.prom"],
              "which the next one replaces", r.stderr, os.listdir(tmp))
        os.symlink("/dev/null", path + ".new")
        r = metrics(path)
        check(r.returncode == 1 and "cannot write" in r.stderr and
              stat.S_ISCHR(os.stat("/dev/null").st_mode), "it follows no link",
              r.stderr)


def test_setup():
    """The set-up scripts say what is wrong and leave nothing."""
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        env = dict(os.environ, XDG_CACHE_HOME=tmp)
        env.pop("KSRC", None)

        r = run(["tools/build/base"], env=dict(env, KSRC="/etc"))
        check(r.returncode == 1 and "KSRC='/etc' is no Linux source tree" in
              r.stderr, "a wrong KSRC is rejected", r.stderr)

        r = run(["tools/build/base"],
                env=dict(env, LUO_MIRROR="http://127.0.0.1:9/debian"))
        left = [n for n in os.listdir(tmp + "/luotrace")
                if not n.endswith(".lock") and n != "base"]
        check(r.returncode == 1 and "cannot be reached" in r.stderr,
              "an unreachable archive is reported", r.stderr)
        check(not left and not os.listdir(tmp + "/luotrace/base"),
              "and leaves nothing", left)

        r = run(["tools/build/base", "--nonsense"], env=env)
        check(r.returncode == 1 and "usage:" in r.stderr,
              "an unknown argument is rejected", r.stderr)

    bad = run(["tools/build/deps", "nonsense"])
    check(bad.returncode == 1 and "no group 'nonsense'" in bad.stderr,
          "an unknown group of packages is rejected", bad.stderr)
    with tempfile.TemporaryDirectory() as tmp:
        # A dpkg-query that knows no package, and a user who is not root.
        fake = os.path.join(tmp, "dpkg-query")
        with open(fake, "w") as f:
            f.write("#!/bin/sh\nexit 1\n")
        os.chmod(fake, 0o755)
        fake = os.path.join(tmp, "id")
        with open(fake, "w") as f:
            f.write("#!/bin/sh\necho 1000\n")
        os.chmod(fake, 0o755)
        r = run(["tools/build/deps", "tool"],
                env=dict(os.environ, PATH=tmp + ":" + os.environ["PATH"]))
        check(r.returncode == 1 and "not root, cannot install: gcc" in r.stderr
              and "sudo make deps" in r.stderr,
              "without root, the message says what to do", r.stderr)


def test_space():
    """With a df that shows a file system that is too small."""
    with tempfile.TemporaryDirectory() as tmp:
        fake = os.path.join(tmp, "df")
        with open(fake, "w") as f:
            f.write("#!/bin/sh\necho Avail\necho 5\n")
        os.chmod(fake, 0o755)
        r = run(["tools/build/base"],
                env={"PATH": tmp + ":" + os.environ["PATH"], "HOME": tmp})
        check(r.returncode == 1 and "only 5 GiB are free" in r.stderr,
              "too little space is reported", r.stderr)


def test_finish_asks():
    """luotrace finish asks before it finishes; this host has no session."""
    for answer, code, said in (("n", 1, "nothing is finished"),
                               ("", 1, "nothing is finished"),
                               ("yes", 3, "luotrace: ")):
        primary, secondary = pty.openpty()
        with subprocess.Popen([LUOTRACE, "finish", "-q", "vm-a"], stdin=secondary,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as proc:
            os.write(primary, (answer + "\n").encode())
            out, err = proc.communicate(timeout=60)
        os.close(primary)
        os.close(secondary)
        check(proc.returncode == code and said in err and not out and
              "vm-a" in err and "[y/N]" in err,
              "finish asks, the answer is %r" % answer, proc.returncode, err)


def main():
    make_records()
    return run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
