#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report --perfetto: every slice is inside the one around it, as a reader
takes them, which drops others; counters of files and memory; one clock for all. Prints
TAP."""

import json
import os
import random
import subprocess
import sys
import tempfile

import jsonschema

from report_test import HEAD, MS, SCHEMA, end, run, write
from otlp_test import call, later, phase
from tap import TOP, check, end as end_of_tests


def events_of(*paths):
    r = run("--perfetto", *paths)
    root = json.loads(r.stdout)
    jsonschema.validate(root, SCHEMA)
    return root["traceEvents"]


def ns(us):
    return round(us * 1000)


def dropped(events):
    """Slices that are not inside the one around them. A reader sorts by begin; of those
    with one begin the first one is around the others."""
    bad, open_slices = [], {}
    slices = [e for e in events if e["ph"] == "X"]
    for e in sorted(slices, key=lambda e: ns(e["ts"])):
        begin, finish = ns(e["ts"]), ns(e["ts"]) + ns(e["dur"])
        around = open_slices.setdefault((e["pid"], e["tid"]), [])
        while around and around[-1][0] <= begin:
            around.pop()
        if around and finish > around[-1][0]:
            bad.append((e["name"], begin, finish, around[-1]))
        else:
            around.append((finish, e["name"]))
    return bad


def counters(events):
    """{(counter, series): [(ms, value)]}"""
    found = {}
    for e in events:
        for series, value in e["args"].items() if e["ph"] == "C" else ():
            found.setdefault((e["name"], series), []).append((e["ts"] / 1000, value))
    return found


def test_nesting(directory):
    """Calls and phases at random, with many that begin or end together."""
    rng = random.Random(4)
    lines, slices = [], 0
    opened = {}
    for at in range(1, 3000):
        tid = rng.randrange(4)
        name = "vm-%d" % rng.randrange(3)
        what = rng.choice(("restore", "finish", "freeze"))
        if rng.random() < 0.5:
            lines.append(dict(call(at // 3, name, at, "retrieve",
                                   rng.choice((1, 2, 3, 8, 90)) * MS), tid=tid))
            slices += 1
        else:
            closes = (name, what) in opened
            slices += closes
            lines.append(phase(at // 3, name, what, closes))
            opened.pop((name, what)) if closes else opened.setdefault((name, what), at)
    events = events_of(write(os.path.join(directory, "random"), [HEAD] + lines))
    found = [e for e in events if e["ph"] == "X"]
    check(not dropped(events), "slices are inside each other", *dropped(events)[:5])
    check(len(found) == slices, "none is missing", len(found), slices)
    check(len(dropped([dict(e, tid=1) for e in events])) > 100,
          "on one track many would be dropped")
    # All of them began before the trace did.
    events = events_of(write(os.path.join(directory, "cut"), [HEAD] + [
        call(at, "a", at, "retrieve", 9 * MS) for at in (1, 2, 3)]))
    check(not dropped(events) and sum(e["ph"] == "X" for e in events) == 3,
          "slices with one begin are on tracks of their own", dropped(events))


def test_blackout(directory):
    """A counter that was reset, and a new kernel whose clock is behind."""
    events = events_of(write(os.path.join(directory, "reset"), [HEAD, end("reset")]))
    spans = {e["name"]: e for e in events if e.get("cat") == "blackout"}
    check(len(spans) == 7 and "jump, early boot" not in spans,
          "a span that is not known is not drawn", sorted(spans))
    check(ns(spans["kernel init"]["ts"]) == ns(spans["prepare in reboot"]["ts"]) and
          not dropped(events), "kernels that seem to overlap are on two tracks", spans)


def file_state(at, token, old, new, ret=0):
    return {"event": "luo_file_state", "time_ns": at * MS, "number": 1, "session": "a",
            "token": str(token), "compatible": "memfd-v2", "old": old, "new": new,
            "ret": ret, "pid": 7}


def memory(at, action, pages, ret=0):
    return {"event": "kho_" + action, "time_ns": at * MS, "kind": "folio", "pfn": 1,
            "pages": pages, "ret": ret, "pid": 7}


def test_counters(directory):
    path = write(os.path.join(directory, "counters"), [
        HEAD, file_state(0, 1, "none", "preserved"),
        file_state(1, 2, "none", "preserved"),
        file_state(2, 1, "preserved", "prepared"),
        file_state(3, 3, "frozen", "prepared"), file_state(4, 2, "preserved", "none"),
        file_state(5, 1, "prepared", "failed", -5),
        file_state(6, 9, "none", "none", -22),
        memory(7, "preserve", 512), memory(8, "preserve", 9, -12),
        memory(9, "unpreserve", 500), memory(10, "unpreserve", 500),
        memory(11, "restore", 2), memory(12, "restore", 3),
        dict(end(), recorder=None, kho=[dict(end()["kho"][0], bytes=1024 << 16)])])
    found = counters(events_of(path))
    check(found.get(("files", "preserved")) == [(0, 1), (1, 2), (2, 1), (4, 0)],
          "files are counted by their state", found)
    check(found.get(("files", "prepared")) == [(2, 1), (3, 2), (5, 1)] and
          ("files", "frozen") not in found and ("files", "none") not in found,
          "one that the trace did not see before is counted from then on", found)
    check(found.get(("files", "failed")) == [(5, 1)], "and one that failed", found)
    page = 1 << 16
    check(found.get(("memory", "preserved bytes")) == [
        (7, 512 * page), (9, 12 * page), (10, 0)], "memory is counted in bytes of the "
          "traced machine's pages", found)
    check(found.get(("memory", "restored bytes")) == [(11, 2 * page), (12, 5 * page)],
          "restored memory, too", found)


def test_whole(directory):
    """Each event that there is, read from a recording and written again."""
    r = subprocess.run([os.path.join(TOP, "build/host/luotrace_test"), "events"],
                       text=True, stdout=subprocess.PIPE, check=True)
    lines = [dict(json.loads(line), time_ns=at) for at, line in
             enumerate(r.stdout.splitlines())
             if json.loads(line)["event"] not in ("start", "end")]
    events = events_of(write(os.path.join(directory, "whole"), [HEAD] + lines))
    shown = [e["args"] for e in events if e["ph"] in "Xi"]
    missing = []
    for line in lines:
        want = {k: v for k, v in line.items() if k not in ("time_ns", "escaped")}
        if not any(want.items() <= args.items() for args in shown):
            missing.append(want)
    # The begin of a phase is a part of its slice, or is an instant with less.
    missing = [m for m in missing if m["event"] != "luo_phase_begin"]
    check(len(lines) > 25 and not missing, "each event has all of its fields", *missing)


def test_clock(directory):
    """A phase of the old kernel, the same in its trace, and the new kernel's, which
    both recorded with wrong wall clocks."""
    freeze = [phase(1, "", "freeze"), phase(3, "", "freeze", True)]
    before = write(os.path.join(directory, "before"), [
        dict(HEAD, monotonic_ns=2 * 10**9)] + later(freeze, 1000) +
        [dict(end(), recorder=None)])
    after = write(os.path.join(directory, "after"), [
        dict(HEAD, monotonic_ns=11 * MS, wall_clock_ns=5), phase(0, "", "restore"),
        phase(7, "", "restore", True), end("spans")])
    events = events_of(before, after)
    where = {}
    for e in events:
        if e["ph"] == "X":
            where.setdefault(e["name"], set()).add((ns(e["ts"]), ns(e["dur"])))
    check(len(where["freeze"]) == 1 and len(where["restore"]) == 1,
          "traces and blackout are on one clock", where)


def main():
    with tempfile.TemporaryDirectory() as directory:
        for test in (test_nesting, test_blackout, test_counters, test_whole,
                     test_clock):
            test(directory)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
