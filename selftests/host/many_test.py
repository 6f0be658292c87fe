#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report of a million events, and of sessions with a thousand: how much memory
it takes, how its CPU time grows, and how large its output is. selftests/bench/report
measures the time in more cases. Prints TAP."""

import os
import sys
import tempfile

from many import report, write_many
from schema import check_output
from tap import TOP, check, end as end_of_tests

MB = 1000000
# events, sessions, bytes of memory that they may take; ten times as many events in all
SIZES = ((100000, 100, 30 * MB), (1000000, 250000, 300 * MB))
TIMES = 20
SLACK = 5       # seconds, as what begins and ends a report is not the same


def test_one(path, out, option, sessions, limit, took):
    """took: CPU seconds of the smaller sizes, by option."""
    binary = os.path.join(TOP, "build/luotrace")
    status, seconds, _, memory = report(binary, option, path, out)
    what = "%s of %d sessions" % (option, sessions)
    size = os.path.getsize(out)
    print("# %s: %.1f s of CPU, %.0f MB of memory, %.1f MB of output" % (
        what, seconds, memory / MB, size / MB))
    check(status == 0, what + " is written", status)
    check(memory < limit, "%s takes less than %d MB of memory" % (what, limit / MB),
          memory)
    few = took.setdefault(option, seconds)
    check(seconds < TIMES * few + SLACK, "and its time does not grow faster",
          seconds, few)
    return size


def spans_of(out, mark):
    with open(out) as f:
        return sum(line.count(mark) for line in f)


def main():
    with tempfile.TemporaryDirectory() as directory:
        took = {}
        path, out = (os.path.join(directory, name) for name in ("many", "out"))
        write_many(path, 8, 2)
        with open(path) as f:
            check_output("record", f.read().splitlines(), "such a recording")
        for events, sessions, limit in SIZES:
            write_many(path, events, sessions)
            size = test_one(path, out, "--html", sessions, limit, took)
            check(0 < size < 5 * MB, "a page has less than 5 MB", size)
            test_one(path, out, "--perfetto", sessions, limit, took)
            # A phase and a call in four events.
            spans = spans_of(out, '"ph":"X"')
            check(spans == events // 2, "all are in the trace for Perfetto", spans)
            test_one(path, out, "--otlp", sessions, limit, took)
            spans = spans_of(out, '"spanId"')
            check(spans == events // 2 + 1, "and in that for a collector", spans)
            test_one(path, out, "--json", sessions, limit, took)
            lives = spans_of(out, '"life"')
            check(lives == sessions, "all sessions are in the JSON", lives)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
