#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The version: one line of the Makefile, which everything else says, too; and the
commit that luotrace was built from. Prints TAP."""

import os
import re
import shutil
import sys
import tempfile

from installed import install
from tap import LUOTRACE, TOP, check, run, run_tests

SCRIPT = "tools/build/version"
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.org")


def read(path):
    with open(path) as f:
        return f.read()


def version():
    return re.search(r"^VERSION := (\d+\.\d+)$", read(os.path.join(TOP, "Makefile")),
                     re.M).group(1)


def test_said():
    """All that has a version has that of the Makefile."""
    said = run([os.path.join(TOP, SCRIPT)]).stdout
    check(said == version() + "\n", "tools/build/version says it", said)
    commit = run([os.path.join(TOP, SCRIPT), "--commit"]).stdout.strip()
    said = run([LUOTRACE, "--version"]).stdout
    check(said.startswith("luotrace %s (%sJSON schema" % (
        version(), "commit %s, " % commit if commit else "")),
          "luotrace --version says it, and the commit if there is one", said, commit)
    with tempfile.TemporaryDirectory() as tmp:
        root, r = install(tmp, "PREFIX=/usr")
        r = run(["pkg-config", "--modversion", "libluo"], env=dict(
            os.environ, PKG_CONFIG_LIBDIR=root + "/usr/lib/pkgconfig"))
        check(r.stdout == version() + "\n", "libluo.pc says it", r.stdout, r.stderr)


def test_news():
    """NEWS.md begins with this version, and each has a date and says something."""
    text = read(os.path.join(TOP, "NEWS.md"))
    found = re.findall(r"^## (\d+)\.(\d+) \(\d{4}-\d\d-\d\d\)\n\n- ", text, re.M)
    check(len(found) == text.count("\n## ") and ".".join(found[0]) == version(),
          "NEWS.md begins with this version", found, version())
    numbers = [(int(major), int(minor)) for major, minor in found]
    check(numbers == sorted(set(numbers), reverse=True), "and goes back from it", found)


def copy_script(where):
    os.makedirs(os.path.join(where, "tools/build"))
    shutil.copy(os.path.join(TOP, SCRIPT), os.path.join(where, SCRIPT))
    shutil.copy(os.path.join(TOP, "Makefile"), where)
    return os.path.join(where, SCRIPT)


def commit(script, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "LUO_"))}
    r = run([script, "--commit"], env=dict(env, **more))
    return r.stdout if r.returncode == 0 and not r.stderr else r


def test_commit():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = os.path.realpath(tmp)
        script = copy_script(tmp)
        check(commit(script) == "", "a tree without a repository has no commit")
        run(["git", "init", "-q", tmp])
        check(commit(script) == "", "nor has a repository without one")
        run(["git", "-C", tmp, "add", "-A"])
        run(["git", "-C", tmp, *IDENTITY, "commit", "-q", "-m", "first"])
        head = run(["git", "-C", tmp, "rev-parse", "HEAD"]).stdout[:12]
        check(commit(script) == head + "\n", "a clone has its commit", commit(script))
        inner = copy_script(os.path.join(tmp, "inner"))
        check(commit(inner) == "", "a tree inside of another repository has none")
        os.utime(tmp + "/Makefile", (0, 0))
        check(commit(script) == head + "\n", "a file that was only touched is clean",
              commit(script))
        if os.getuid() == 0:
            os.chown(tmp, 1, 1)
            os.chown(tmp + "/.git", 1, 1)
            check(commit(script) == head + "\n",
                  "the clone can be that of another user", commit(script))
        with open(tmp + "/Makefile", "a") as f:
            f.write("\n")
        check(commit(script) == head + "-dirty\n", "a change is visible",
              commit(script))
        check(commit(inner, LUO_COMMIT="abc") == "abc\n" and
              commit(script, LUO_COMMIT="") == "\n", "a package's build can say it")
    r = run([os.path.join(TOP, SCRIPT), "--nonsense"])
    check(r.returncode == 2 and "usage:" in r.stderr, "another option is an error")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
