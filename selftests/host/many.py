# SPDX-License-Identifier: GPL-2.0
"""Recordings with many events, and what a report of one costs; for tests and for the
benchmark."""

import json
import os
import resource
import subprocess
import time

HEAD = {"schema": 1, "command": "record", "kernel": "7.3.4", "event": "start",
        "trace_version": 1, "wall_clock_ns": 1700000000 * 10**9, "monotonic_ns": 5}
END = {"event": "end", "recorder": None, "kho": None,
       "lost": {"events": 0, "calls_in_others": 0, "missed": 0, "functions": None}}
MS = 1000000


def steps(at, session):
    """The events of one file: its session restores it in four."""
    same = {"time_ns": at * MS, "number": 1, "session": session, "ret": 0, "pid": 7,
            "tid": 7 + at % 5}
    phase = dict(same, phase="restore", scope="session", sessions=0, files=1)
    yield dict(phase, event="luo_phase_begin")
    yield dict(same, event="luo_file_state", token=str(at), compatible="memfd-v2",
               old="incoming", new="retrieved")
    yield dict(same, event="luo_handler_exit", token=str(at), compatible="memfd-v2",
               op="retrieve", duration_ns=2000 + at % 977)
    yield dict(phase, event="luo_phase_end")


def write_many(path, n, sessions):
    """A recording of n events, of so many sessions in turn."""
    with open(path, "w") as f:
        f.write(json.dumps(HEAD) + "\n")
        for at in range(n // 4):
            for event in steps(at, "vm-%d" % (at % sessions)):
                f.write(json.dumps(event) + "\n")
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
