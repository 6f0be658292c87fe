#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every command of luotrace on a full disk, without memory, killed and stopped: what it
writes is whole or as it was, its exit code and message are right, and nothing is left.
Prints TAP.

Commands that trace need LUO; recordings on a full disk are those of recording_test. The
program is the one that is installed: a sanitizer needs terabytes of address space."""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

from report_test import EVENTS, FROZEN, HEAD, end as end_of_recording, write
from tap import TOP, check, end

LUOTRACE = os.path.join(TOP, "build/luotrace")
LIMIT = 60              # seconds for a command
OLD = "what was there\n"
STEP = 128              # KiB
LEAST = 12              # of the smallest limits
STACK = 640             # KiB, without which a program is killed, as its stack grows
SEED = 20261130
# What is read is in {in}, the file that is written in {out}; the others print.
COMMANDS = (
    "check", "check --json", "timeline {in}/record", "timeline --json {in}/record",
    "timeline --list", "metrics {in}/record", "metrics --json {in}/record",
    "metrics --textfile {out} {in}/record", "report {in}/recording",
    "report --json {in}/recording", "report --otlp {in}/recording",
    "report -o {out} {in}/recording", "report --html -o {out} {in}/recording",
    "report --perfetto -o {out} {in}/recording", "handover {in}/KHO",
    "handover --memory {in}/core --files --json {in}/KHO",
    "compare {in}/record {in}/record --json",
    "compare --html -o {out} {in}/record {in}/record",
    "trace", "latency 1 1", "top --once", "audit", "finish --yes a", "mark a paused",
    "record -o {out}", "record --carry --dir {out}")


def words(command, to):
    return [LUOTRACE] + [w.format(**{"in": INPUTS, "out": to}) for w in command.split()]


def start(command, to, **kwargs):
    return subprocess.Popen(words(command, to), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="replace", **kwargs)


def run(command, to, **kwargs):
    """Returns exit code, output, messages."""
    with start(command, to, **kwargs) as proc:
        out, err = proc.communicate(timeout=LIMIT)
    return proc.returncode, out, err


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return None


def prepare(directory, before):
    """The file to write, with what it has before; None: it is missing."""
    path = os.path.join(directory, "out")
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))
    if before is not None:
        with open(path, "w") as f:
            f.write(before)
    return path


def fill(directory):
    """Leave no room in its file system. Returns the names in it."""
    try:
        with open(os.path.join(directory, "room"), "wb", buffering=0) as f:
            while True:
                f.write(bytes(1024))
    except OSError:
        return sorted(os.listdir(directory))


def writes(command):
    return "{out}" in command and not command.startswith("record")


def settled(text):
    """Without what is of a moment."""
    return text and "\n".join(line for line in text.splitlines()
                              if "luo_audit_seconds" not in line and
                              "time" not in line.lower())


def is_whole(command, is_now, whole):
    if "metrics" in command:
        return is_now.endswith("# EOF\n")
    return settled(is_now) == settled(whole)


def make_inputs():
    write(os.path.join(INPUTS, "recording"),
          [HEAD] + EVENTS * 40 + [FROZEN, end_of_recording()])
    for program, arguments in (("blackout_test", [INPUTS + "/record", "0", "pauses"]),
                               ("handover_test", [INPUTS])):
        subprocess.run([os.path.join(TOP, "build/host", program)] + arguments,
                       check=True, stdout=subprocess.DEVNULL)


def test_full_disk(ends):
    """A file system without room: exit code 1 and why; the file is as it was."""
    for command in filter(writes, COMMANDS):
        for before in (None, OLD):
            with tempfile.TemporaryDirectory() as tmp:
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none",
                                tmp], check=True)
                try:
                    path = prepare(tmp, before)
                    left = fill(tmp)
                    code, _, err = run(command, path)
                    check(code == 1 and "No space left on device" in err and
                          read(path) == before and sorted(os.listdir(tmp)) == left,
                          "%s, the disk is full, %s" % (
                              command,
                              "a file is replaced" if before else "a new file"),
                          code, err, os.listdir(tmp))
                finally:
                    subprocess.run(["umount", tmp], check=True)
    for command in COMMANDS:
        if writes(command) or ends[command][0] == 3:
            continue
        with open("/dev/full", "w") as full:
            r = subprocess.run(words(command, "/dev/null"), stdout=full, text=True,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               timeout=LIMIT, check=False)
        check(r.returncode in (1, ends[command][0] or 1) and
              "No space left on device" in r.stderr, command + " > /dev/full",
              r.returncode, r.stderr)


def within(kib):
    """What sets a limit of the address space."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (kib * 1024, kib * 1024))


def sizes():
    """Limits in KiB: some large ones, and each step down to where main() has a stack,
    which takes more with shared libraries."""
    least = 13 * 1024
    while not run("--version", None, preexec_fn=within(least - STACK))[0]:
        least -= STEP
    return [64 * 1024, 40 * 1024, 28 * 1024, 20 * 1024, 16 * 1024] + \
        [least + i * STEP for i in range(LEAST, 0, -1)]


def test_no_memory(ends):
    """With ever less address space it works, or says why not: it is not killed."""
    limits = sizes()
    for command in COMMANDS:
        bad, codes = [], set()
        with tempfile.TemporaryDirectory() as tmp:
            for kib in limits:
                path = prepare(tmp, OLD if writes(command) else None)
                code, out, err = run(command, path, preexec_fn=within(kib))
                codes.add(code)
                wanted = (0, 1, 3, ends[command][0])
                whole = not writes(command) or read(path) == OLD or \
                    code == 0 and is_whole(command, read(path), ends[command][2])
                if code not in wanted or (code and not err and not out) or \
                        not whole or len(os.listdir(tmp)) > 1:
                    bad.append("%d KiB: ends with %d, '%s', %s" % (
                        kib, code, err[:300], os.listdir(tmp)))
        check(not bad, command + ", less and less memory", *bad)


def test_killed(ends, rnd):
    """Killed anywhere: the file is whole or as it was, and the next one writes it."""
    for command in filter(writes, COMMANDS):
        bad, killed = [], 0
        with tempfile.TemporaryDirectory() as tmp:
            path = prepare(tmp, OLD)
            for _ in range(12):
                with start(command, path) as proc:
                    time.sleep(rnd.random() * ends[command][3])
                    proc.kill()
                    proc.communicate()
                killed += proc.returncode == -signal.SIGKILL
                if read(path) != OLD and not is_whole(command, read(path),
                                                      ends[command][2]):
                    bad.append("half of it is written")
            code, _, err = run(command, path)
            if code or os.listdir(tmp) != ["out"]:
                bad.append("the next one: %d, %s, %s" % (code, err, os.listdir(tmp)))
        check(not bad and killed, "%s, killed anywhere" % command, killed, *bad)


def test_stopped(ends, rnd):
    """Stopped anywhere and continued: as if nothing was."""
    for command in COMMANDS:
        with tempfile.TemporaryDirectory() as tmp:
            path = prepare(tmp, None)
            with start(command, path) as proc:
                time.sleep(rnd.random() * ends[command][3])
                proc.send_signal(signal.SIGSTOP)
                time.sleep(0.05)
                proc.send_signal(signal.SIGCONT)
                proc.communicate(timeout=LIMIT)
            check(proc.returncode == ends[command][0] and
                  (not writes(command) or is_whole(command, read(path),
                                                   ends[command][2])),
                  command + ", stopped", proc.returncode)


def ends_of_all():
    """{command: (exit code, output, file, seconds)} of what nothing hinders."""
    ends = {}
    with tempfile.TemporaryDirectory() as tmp:
        for command in COMMANDS:
            path = prepare(tmp, None)
            begin = time.monotonic()
            code, out, err = run(command, path)
            ends[command] = (code, out, read(path), time.monotonic() - begin)
            check(code >= 0 and (not writes(command) or not code) and
                  (code != 3 or err or out), "%s ends with %d" % (command, code), err)
    return ends


def main():
    rnd = random.Random(SEED)
    make_inputs()
    ends = ends_of_all()
    test_full_disk(ends)
    test_no_memory(ends)
    test_killed(ends, rnd)
    test_stopped(ends, rnd)
    return end()


if __name__ == "__main__":
    # Mounts are of its own.
    if os.environ.get("HARDSHIP_NS") != "1":
        os.environ["HARDSHIP_NS"] = "1"
        os.execvp("unshare", ["unshare", "--mount"] + ["--map-root-user"] *
                  (os.getuid() != 0) + [sys.executable] + sys.argv)
    with tempfile.TemporaryDirectory() as INPUTS:
        sys.exit(main())
