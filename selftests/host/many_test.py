#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report of a million events, and of sessions with a thousand: how much memory
and CPU time it takes, and how large its output is. selftests/bench/report measures the
time in more cases. Prints TAP."""

import os
import sys
import tempfile

from many import report, write_many
from schema import check_output
from tap import TOP, check, end as end_of_tests

MB = 1000000
CPU_SECONDS = 20
# events, sessions, bytes of memory that they may take
SIZES = ((1000000, 250000, 300 * MB), (100000, 100, 30 * MB))


def test_one(path, out, option, sessions, limit):
    binary = os.path.join(TOP, "build/luotrace")
    status, seconds, _, memory = report(binary, option, path, out)
    what = "%s of %d sessions" % (option, sessions)
    size = os.path.getsize(out)
    print("# %s: %.1f s of CPU, %.0f MB of memory, %.1f MB of output" % (
        what, seconds, memory / MB, size / MB))
    check(status == 0, what + " is written", status)
    check(memory < limit, "%s takes less than %d MB of memory" % (what, limit / MB),
          memory)
    check(seconds < CPU_SECONDS, "and less than %d s" % CPU_SECONDS, seconds)
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
        for events, sessions, limit in SIZES:
            write_many(path, events, sessions)
            size = test_one(path, out, "--html", sessions, limit)
            check(0 < size < 5 * MB, "a page has less than 5 MB", size)
            test_one(path, out, "--perfetto", sessions, limit)
            # A phase and a call in four events.
            spans = spans_of(out, '"ph":"X"')
            check(spans == events // 2, "all are in the trace for Perfetto", spans)
            test_one(path, out, "--otlp", sessions, limit)
            spans = spans_of(out, '"spanId"')
            check(spans == events // 2 + 1, "and in that for a collector", spans)
            test_one(path, out, "--json", sessions, limit)
            lives = spans_of(out, '"life"')
            check(lives == sessions, "all sessions are in the JSON", lives)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
