# SPDX-License-Identifier: GPL-2.0
"""Recordings with many events, and what a report of one costs; for tests and for the
benchmark."""

import json
import os
import re
import resource
import subprocess
import time

HEAD = {"schema": 1, "command": "record", "kernel": "7.3.4", "event": "start",
        "trace_version": 1, "wall_clock_ns": 1700000000 * 10**9, "monotonic_ns": 5}
END = {"event": "end", "recorder": None, "kho": None,
       "lost": {"events": 0, "calls_in_others": 0, "missed": 0, "functions": None}}
MS = 1000000


def steps():
    """The events of one file, which its session restores in four: a text with numbers
    left out, which is filled in faster than json writes a million events."""
    same = {"time_ns": "%(time)d", "number": 1, "session": "vm-%(session)d", "ret": 0,
            "pid": 7, "tid": "%(tid)d"}
    phase = dict(same, phase="restore", scope="session", sessions=0, files=1)
    file = dict(same, token="%(at)s", compatible="memfd-v2")
    text = "".join(json.dumps(event) + "\n" for event in (
        dict(phase, event="luo_phase_begin"),
        dict(file, event="luo_file_state", old="incoming", new="retrieved"),
        dict(file, event="luo_handler_exit", op="retrieve", duration_ns="%(duration)d"),
        dict(phase, event="luo_phase_end")))
    return re.sub(r'"(%\(\w+\)d)"', r"\1", text)


def write_many(path, n, sessions):
    """A recording of n events, of so many sessions in turn."""
    text = steps()
    with open(path, "w") as f:
        f.write(json.dumps(HEAD) + "\n")
        for at in range(n // 4):
            f.write(text % {"at": at, "time": at * MS, "session": at % sessions,
                            "tid": 7 + at % 5, "duration": 2000 + at % 977})
        f.write(json.dumps(END) + "\n")


def report(binary, option, path, out):
    """(exit code, CPU seconds, seconds, bytes of memory at most) of a report."""
    limit = 2 << 30
    begin = time.monotonic()
    proc = subprocess.Popen(
        [binary, "report", option, "-o", out, path], stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    _, status, used = os.wait4(proc.pid, 0)
    return (os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime,
            time.monotonic() - begin, used.ru_maxrss * 1024)
