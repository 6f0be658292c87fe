#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of lists that must be the same in two places. Prints TAP."""

import glob
import os
import re
import sys
import tomllib

from tap import TOP, check, run, run_tests

# (name, body) of the functions in a file of the kernel.
FUNCTION = re.compile(r"^[^\s/*][^;{}]*?\b(luo_\w+)\([^;{}]*\)\n{(.*?)^}", re.M | re.S)
# What calls a handler, or inlines something that does.
CALL = re.compile(r"_fn\)run->fn|luo_(run_int|file_set_(make|freeze))\(|ret = \(\(luo_|"
                  r"luo_session_freeze_inlined")


def lists_of(header):
    """The EM()/E_() lists of a trace header: name -> words."""
    with open(os.path.join(TOP, header)) as f:
        text = f.read().replace("\\\n", " ")
    return {name: re.findall(r'E[M_]\(\w+,\s*"([^"]+)"\)', body) for name, body
            in re.findall(r"^#define (\w+)[ \t]+(E[M_]\(.*)$", text, re.M)}


def test_words():
    ours = run([os.path.join(TOP, "build/host/luotrace_test"),
                "words"]).stdout.splitlines()
    kernel = lists_of("include/trace/events/luo.h")
    kernel.update(lists_of("include/trace/events/kho.h"))
    names = ("LUO_DIRS", "LUO_STATES", "LUO_EVENTS", "LUO_FILE_STATES",
             "LUO_OPS", "LUO_PHASES", "LUO_SCOPES", "LUO_LEAK_REASONS",
             "LUO_MARKS", "KHO_KINDS")
    check(set(names) == set(kernel), "this test knows every list of the headers",
          sorted(kernel))
    for name, line in zip(names, ours):
        check(line.split(", ") == kernel.get(name),
              "luotrace has the words of %s" % name, line, kernel.get(name))


def test_events():
    events = set()
    for header in ("luo", "kho"):
        with open(os.path.join(TOP, "include/trace/events/%s.h" % header)) as f:
            events |= set(re.findall(
                r"^(?:TRACE_EVENT\(|DEFINE_EVENT\(\w+, )(\w+),", f.read(),
                re.M))
    with open(os.path.join(TOP, "bpf/luotrace.h")) as f:
        ours = set(re.findall(r"X\([A-Z_]+,\s*(\w+)\)", f.read()))
    progs = set()
    for source in ("events", "calls"):
        with open(os.path.join(TOP, "bpf/%s.bpf.c" % source)) as f:
            progs |= set(re.findall(
                r'(?:SEC\("\??tp_btf/|_PROG\((?:"\??tp_btf/", )?)(\w+)', f.read()))
    progs.discard("_tp")
    check(events == ours, "luotrace knows every trace event", events ^ ours)
    check(events <= progs, "each event has a BPF program", events - progs)
    sizes = []
    for header in ("include/trace/events/luo.h", "bpf/luotrace.h"):
        with open(os.path.join(TOP, header)) as f:
            sizes += re.findall(r"#define L\w+_CALLED_MAX\s+(\d+)", f.read())
    check(len(sizes) == 2 and sizes[0] == sizes[1],
          "as many calls fit into an event as luotrace expects", sizes)


def test_callers():
    """Functions that luotrace finds in the stack of a task that is in a call."""
    with open(os.path.join(TOP, "tools/luotrace/probe.c")) as f:
        known = re.search(r"luo_callers\[\] = {(.*?)}", f.read(), re.S).group(1)
    ours, calls = set(), set()
    for path in glob.glob(os.path.join(TOP, "kernel/liveupdate/*.c")):
        with open(path) as f:
            text = f.read()
        ours |= set(re.findall(r"^(?:static )?noinline \w+ \*?(luo_\w*call_\w+)\(",
                               text, re.M))
        for name, body in FUNCTION.findall(text):
            if CALL.search(body):
                calls.add(name)
    check(len(ours) > 4 and ours == set(re.findall(r'"(\w+)"', known)),
          "luotrace knows every function that calls handlers", ours, known)
    check(calls == ours, "no other one does", calls ^ ours)


def printed_fields():
    """{event: the keys of its line in tracefs}, from the headers."""
    fields = {}
    for header in ("luo", "kho"):
        with open(os.path.join(TOP, "include/trace/events/%s.h" % header)) as f:
            text = f.read()
        shapes = {m.group(1): re.findall(r"(\w+)=(?:0x)?%", m.group(2))
                  for m in re.finditer(
            r'^(?:TRACE_EVENT|DECLARE_EVENT_CLASS)\((\w+),.*?TP_printk\("([^"]*)"',
            text, re.M | re.S)}
        fields.update((n, k) for n, k in shapes.items() if not n.endswith("_class"))
        for cls, name in re.findall(r"^DEFINE_EVENT\((\w+), (\w+),", text, re.M):
            fields[name] = shapes[cls]
    return fields


def test_documented_events():
    with open(os.path.join(TOP, "Documentation/trace/events-luo.rst")) as f:
        text = f.read()
    table = dict(re.findall(r"^((?:luo|kho)_\w+) +(\S.*)$", text, re.M))
    want = printed_fields()
    check(len(want) > 20 and set(table) == set(want),
          "Documentation lists every trace event", set(table) ^ set(want))
    for name, keys in sorted(want.items()):
        keys = [k for k in keys if k != "number"]
        check(table.get(name, "").split(", ") == keys,
              "Documentation has the fields of %s" % name, table.get(name), keys)
    # Lines may break anywhere.
    flat = " ".join(text.split())
    kernel = lists_of("include/trace/events/luo.h")
    for name, lead in (("LUO_OPS", "``op``: "), ("LUO_PHASES", "``phase``: "),
                       ("LUO_EVENTS", "``event``: ")):
        check(lead + ", ".join(kernel[name]) in flat,
              "Documentation has the words of %s" % name)


def existing_tests():
    """{where: its tests}, those of a row of the VM tests as ROW and as ROW:CASE."""
    with open(os.path.join(TOP, "selftests/vm/tests.toml"), "rb") as f:
        table = tomllib.load(f)
    found = {"VM": set(table), "KUnit": set(), "host": set(
        run([os.path.join(TOP, "selftests/host/run"), "--list"]).stdout.split())}
    for name, row in table.items():
        row = dict(table.get(row.get("like"), {}), **row)
        for program in row.get("programs", []):
            path = os.path.join(TOP, "selftests/guest/%s.c" % program)
            if os.path.exists(path):
                with open(path) as f:
                    cases = re.findall(r"^TEST(?:_F\(\w+, |\()(\w+)\)", f.read(), re.M)
                found["VM"] |= {"%s:%s" % (name, case) for case in cases}
    for path in glob.glob(os.path.join(TOP, "kernel/liveupdate/tests/*_kunit.c")):
        with open(path) as f:
            found["KUnit"] |= set(re.findall(r"KUNIT_CASE\w*\((\w+)", f.read()))
    return found


def test_threats():
    """The threat model names tests that exist, or says that there is none."""
    page = "Documentation/admin-guide/liveupdate/threats.rst"
    with open(os.path.join(TOP, page)) as f:
        text = f.read()
    rows = [" ".join(row.split()) for row in re.findall(
        r"^   \* - (?!At worst)(?:.*\n     [ -] )*.*$", text, re.M)]
    check(len(rows) > 30, "the threat model has rows", len(rows))
    proofs = [row.rsplit(" - ", 1)[1] for row in rows]
    bare = [row for row, proof in zip(rows, proofs)
            if row.count(" - ") < 3 or not re.search(r"\b(VM|host|KUnit) ``|[Nn]o test",
                                                     proof)]
    check(not bare, "each has a test, or says that there is none", *bare)
    tests = existing_tests()
    named = set(re.findall(r"\b(VM|host|KUnit)\s+``([^`]+)``", text))
    gone = ["%s %s" % (where, name) for where, name in named
            if name not in tests[where]]
    check(len(named) > 40 and not gone, "each test that it names exists", *sorted(gone))


def test_kunit_suites():
    """A suite that kunit.sh does not name may fail and nobody sees it."""
    suites = set()
    for path in glob.glob(os.path.join(TOP, "kernel/liveupdate/tests/*_kunit.c")):
        with open(path) as f:
            suites |= set(re.findall(r'\.name = "liveupdate-([\w-]+)"', f.read()))
    with open(os.path.join(TOP, "selftests/guest/kunit.sh")) as f:
        words = re.search(r"^for suite in (.*); do$", f.read(), re.M).group(1)
    named = set(words.split())
    check(len(suites) > 8 and suites == named, "the row kunit judges each suite",
          sorted(suites ^ named))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
