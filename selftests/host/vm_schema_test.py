#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The JSON that luotrace wrote in the VM tests is as its schemas say: it is what the
tests of the host cannot make it write, as they have no LUO. Prints TAP."""

import glob
import json
import os
import sys

import schema
from tap import TOP, check, end

# What the tests of the default kernel send, at least.
WANTED = {"audit", "check", "finish", "handover", "latency", "mark", "timeline",
          "timeline-list", "trace"}


def outputs(path):
    """The JSON values of a file: one, or one a line."""
    with open(path) as f:
        text = f.read()
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def main():
    seen = {}
    pattern = os.path.join(TOP, "build/vm/default/*/stage*/*.json")
    for path in sorted(glob.glob(pattern)):
        try:
            values = outputs(path)
        except ValueError as e:
            check(False, "%s is JSON" % path, str(e))
            continue
        # The first line of a stream names the command, too.
        command = values[0].get("command") if values else None
        if command not in schema.schemas():
            continue
        seen.setdefault(command, []).append(path)
        bad = [p for p in (schema.problem(command, v) for v in values) if p]
        check(not bad, "%s: %d values of %s are as their schema says" % (
            os.path.relpath(path, os.path.join(TOP, "build/vm")), len(values), command),
              *bad[:3])
    missing = WANTED - set(seen)
    check(not missing, "the VM tests sent JSON of all commands", *sorted(missing))
    return end()


if __name__ == "__main__":
    sys.exit(main())
