#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace on recordings and records with random damage: it reads them or says why not,
in time, without an error of memory, and prints nothing that moves a cursor. Prints TAP.

usage: mangled_test.py [INPUTS [SEED]]
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from report_test import EVENTS, EVIL, FROZEN, HEAD, end as end_of_recording, write
from tap import LUOTRACE, TOP, check, end

INPUTS, SEED = 60, 20261130
LIMIT = 60      # seconds for a command
# What reads each kind of file
COMMANDS = {
    "recording": (["report"], ["report", "--html"], ["report", "--json"],
                  ["report", "--perfetto"], ["report", "--otlp"], ["compare"]),
    "record": (["timeline"], ["timeline", "--json"], ["metrics"]),
}
# What stands for a number, for a string, and for either
NUMBERS = ("-1", "0", "1", "4294967296", "9223372036854775807", "-9223372036854775808",
           "18446744073709551615")
STRINGS = ('""', json.dumps(EVIL), r'"\u001b[2J\u009b"', '"%s"' % ("x" * 300))
OTHERS = ("1e308", "null", "true", "[]", "{}", "[" * 3000)
VALUE = re.compile(r': ?(-?\d+|"[^"]*"|true|false|null)')
UNSEEN = re.compile(b"[\x00-\x08\x0b-\x1f\x7f]")


def swap_values(rnd, data):
    text = data.decode("utf-8", "replace")
    for _ in range(rnd.choice((1, 1, 2))):
        found = list(VALUE.finditer(text))
        if not found:
            break
        m = rnd.choice(found)
        same = STRINGS if m.group(1).startswith('"') else NUMBERS
        new = rnd.choice(same if rnd.random() < 0.95 else OTHERS)
        text = text[:m.start(1)] + new + text[m.end(1):]
    return text.encode("utf-8", "replace")


def overwrite(rnd, data):
    """Where something is: most of a record is zeros."""
    at = rnd.choice(list(re.finditer(b"[^\0]", data))).start()
    size = rnd.choice((1, 2, 4, 8))
    at -= at % size
    new = rnd.choice((b"\xff" * size, bytes(size), rnd.randbytes(size)))
    return data[:at] + new + data[at + size:]


def cut(rnd, data):
    at = rnd.randrange(len(data))
    return data[:at] + data[at + rnd.randrange(1, 400):]


def repeat(rnd, data):
    at, of = rnd.randrange(len(data)), rnd.randrange(len(data))
    return data[:at] + data[of:of + rnd.randrange(1, 400)] + data[at:]


def truncate(rnd, data):
    return data[:rnd.randrange(len(data))]


def mangle(rnd, data):
    ways = [overwrite] * 8 + [cut, repeat, truncate]
    if data.startswith(b"{"):
        ways += [swap_values] * 40
    for _ in range(rnd.choice((1, 1, 1, 2))):
        data = rnd.choice(ways)(rnd, data) or data
    return data


def fault(command):
    """Returns the exit code, None if there is none, and what is wrong, or None."""
    try:
        r = subprocess.run([LUOTRACE] + command, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=LIMIT,
                           env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    except subprocess.TimeoutExpired:
        return None, "takes more than %d s" % LIMIT
    said = r.stdout + r.stderr
    if r.returncode < 0 or b"Sanitizer" in said or b"runtime error" in said:
        return None, "ends with %d: %s" % (r.returncode, r.stderr[-2000:].decode(
            "utf-8", "replace"))
    if UNSEEN.search(said):
        return r.returncode, "prints %r" % UNSEEN.search(said).group()
    if not r.returncode and "--json" in command:
        json.loads(r.stdout)
    return r.returncode, None


def whole_files(directory):
    """{kind: a file that is not damaged}"""
    files = {kind: os.path.join(directory, kind) for kind in COMMANDS}
    write(files["recording"], [HEAD] + EVENTS + [FROZEN, end_of_recording()])
    writer = os.path.join(TOP, "build/host/blackout_test")
    subprocess.run([writer, files["record"], "0"], check=True)
    return files


def arguments(command, path, whole):
    return command + [path] + ([whole] if command == ["compare"] else [])


def try_one(rnd, name, kind, whole):
    """Damage the file and have two commands read it. Returns their exit codes and what
    is wrong."""
    path = os.path.join(os.path.dirname(whole), "mangled")
    with open(whole, "rb") as f:
        data = mangle(rnd, f.read())
    with open(path, "wb") as f:
        f.write(data)
    codes, wrong = [], []
    for command in rnd.sample(COMMANDS[kind], 2):
        code, what = fault(arguments(command, path, whole))
        codes.append(code)
        if what:
            wrong.append("%s on %s %s" % (" ".join(command), name, what))
    if wrong:
        shutil.copy(path, name)
    return codes, wrong


def main():
    inputs, seed = [int(a) for a in sys.argv[1:3]] + [INPUTS, SEED][len(sys.argv) - 1:]
    rnd = random.Random(seed)
    codes, wrong = Counter(), []
    print("# %d inputs, seed %d" % (inputs, seed))
    with tempfile.TemporaryDirectory() as directory:
        files = whole_files(directory)
        ends = [(c, fault(arguments(c, files[kind], files[kind])))
                for kind, commands in COMMANDS.items() for c in commands]
        check(all(end == (0, None) for _, end in ends), "what is whole is read", ends)
        for number in range(inputs):
            kind = "record" if number % 4 == 3 else "recording"
            more, what = try_one(rnd, os.path.join(
                TOP, "build/host/mangled-%d-%d" % (seed, number)), kind, files[kind])
            codes.update(more)
            wrong += what
    check(not wrong, "what is mangled does no harm", *wrong)
    check(codes[0] > inputs // 4 and codes[0] < 2 * inputs, "it is read, or is not",
          codes)
    return end()


if __name__ == "__main__":
    sys.exit(main())
