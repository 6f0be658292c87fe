# SPDX-License-Identifier: GPL-2.0
"""A live update in a VM, of which times are taken, and the tables of them."""

import json
import os
import re
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(TOP, "build/bench")
KERNELS = ("bench", "bench-stock")
STAMP = r"\[ *([\d.]+)s?\]"
FILE_PAGES = 32768
FILES_PER_GIB = 8
# The emulator crashes when one CPU patches code, as static keys do, that another one
# runs.
ONE_CPU = "liveupdate=on maxcpus=1"


class Update:
    """One that went through, in a VM without other programs.

    script: in this directory; program: of the guest; options: for the runner. With
    count a nanosecond is an instruction. qemu: words for its command line. A VM
    that fails ends the measurement, also for what its kernels log.
    """

    def __init__(self, flavour, script, program, args, mem, append="", count=False,
                 qemu=""):
        name = os.path.splitext(script)[0]
        self.out = os.path.join(OUT, "vm-%s-%s" % (name, flavour))
        done = subprocess.run(
            [os.path.join(TOP, "selftests/vm/run"), "--out", self.out,
             "--flavour", flavour, "--mem", mem, "--prealloc",
             *(["--count"] if count else []),
             *(["--qemu=" + qemu] if qemu else []),
             "--append", ONE_CPU + append, "--stage-limit", "600",
             "--file", os.path.join(TOP, "build/selftests/guest", program),
             os.path.join(TOP, "selftests/bench", script), *map(str, args)],
            check=False, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        self.told = done.stderr

    def read(self, name):
        """A file of the VM."""
        with open(os.path.join(self.out, name), errors="replace") as f:
            return f.read()

    def lines(self, name):
        """The lines of JSON in a file of the VM."""
        return map(json.loads, re.findall("^{.*", self.read(name), re.M))


def memfds(kind, among):
    """How many memfds so many GiB or pages apart are, and of how many pages."""
    return (1, among) if kind == "apart" else (among * FILES_PER_GIB, FILE_PAGES)


def stamp(log, what):
    """The time of a line in the log of the kernel or the runner, in ns."""
    found = re.search(STAMP + ".*" + what, log)
    if not found:
        sys.exit("bench: the log has no '%s'" % what)
    return float(found.group(1)) * 1e9


def medians(runs, unit):
    """{kernel: {(step, among): [value of each round]}} in the format of the JSON."""
    # In the order of a live update, each step by size.
    steps = list(dict.fromkeys(step for step, _ in runs[KERNELS[0]]))
    calls = []
    for step, among in sorted(runs[KERNELS[0]], key=lambda key: steps.index(key[0])):
        took = {k: runs[k][step, among] for k in KERNELS
                if (step, among) in runs[k]}
        calls.append({"step": step, "among": among,
                      "unit": "bytes" if "handover" in step else unit,
                      "median": {k: statistics.median(v) for k, v in took.items()},
                      "runs": took})
    return calls


# {unit: (divisor, its name)}
SHOWN = {"ns": (1e3, "us"), "ms": (1, "ms"), "bytes": (1, " B"),
         "instructions": (1, "  ")}


def ratio(value, to):
    return "-" if value is None or to is None else "%.2f" % (value / to)


def table(calls):
    """Print the calls. The last columns are what each kernel needs, divided by what it
    needs for the fewest."""
    print("  %-26s %7s %16s %16s %7s %9s %9s" % (
        "", "among", "this LUO", "the base's", "ratio", "to fewest", "base's"))
    first = {}
    for call in calls:
        by, unit = SHOWN[call["unit"]]
        values = [call["median"].get(k) for k in KERNELS]
        fewest = first.setdefault(call["step"], values)
        grown = map(ratio, values, fewest) if call["among"].isdigit() else "--"
        print("  %-26s %7s %16s %16s %7s %9s %9s" % (
            call["step"], call["among"],
            *("-" if v is None else "%.1f %s" % (v / by, unit) for v in values),
            ratio(*values), *grown))
