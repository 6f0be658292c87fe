#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report of a million events: how much memory it takes, and how large its
output is. The time is measured by selftests/bench/report. Prints TAP."""

import os
import sys
import tempfile

from many import report, write_many
from schema import check_output
from tap import TOP, check, end as end_of_tests

EVENTS = 1000000
MB = 1000000


def test_one(path, out, option, sessions):
    binary = os.path.join(TOP, "build/luotrace")
    status, _, _, memory = report(binary, option, path, out)
    what = "%s of %d sessions" % (option, sessions)
    size = os.path.getsize(out)
    print("# %s: %.0f MB of memory, %.1f MB of output" % (what, memory / MB, size / MB))
    check(status == 0, what + " is written", status)
    check(memory < 300 * MB, what + " takes less than 300 MB of memory", memory)
    return size


def spans_of(out, mark):
    with open(out) as f:
        return sum(line.count(mark) for line in f)


def main():
    with tempfile.TemporaryDirectory() as directory:
        path, out = (os.path.join(directory, name) for name in ("many", "out"))
        write_many(path, 8, 2)
        with open(path) as f:
            check_output("record", f.read().splitlines(), "such a recording")
        for sessions in (1000, EVENTS // 4):
            write_many(path, EVENTS, sessions)
            size = test_one(path, out, "--html", sessions)
            check(0 < size < 5 * MB, "a page has less than 5 MB", size)
            test_one(path, out, "--perfetto", sessions)
            # A phase and a call in four events.
            spans = spans_of(out, '"ph":"X"')
            check(spans == EVENTS // 2, "all are in the trace for Perfetto", spans)
            test_one(path, out, "--otlp", sessions)
            spans = spans_of(out, '"spanId"')
            check(spans == EVENTS // 2 + 1, "and in that for a collector", spans)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
