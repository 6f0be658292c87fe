# SPDX-License-Identifier: GPL-2.0
"""What the host tests in Python share: they print one result a line, as TAP."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LUOTRACE = os.path.join(TOP, "build/san/luotrace")
_count = _failed = 0


def check(ok, what, *talk):
    """Print a result; what says what is true if it passed, talk is shown if not."""
    global _count, _failed
    _count += 1
    _failed += not ok
    if not ok:
        for text in talk:
            for line in str(text).splitlines()[:40]:
                print("# " + line)
    print("%s %d %s" % ("ok" if ok else "not ok", _count, what), flush=True)


def run(command, **kwargs):
    """Run a program to its end, with its output as text."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(command, stderr=subprocess.PIPE, text=True,
                          cwd=kwargs.pop("cwd", TOP), **kwargs)


def end():
    """Print the plan. Returns the exit code."""
    print("1..%d" % _count)
    return 1 if _failed else 0


def run_tests(names, *args):
    """Run each test_ function of a module's names. Returns the exit code."""
    for name, test in sorted(names.items()):
        if name.startswith("test_"):
            test(*args)
    return end()
