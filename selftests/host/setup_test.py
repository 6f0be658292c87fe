#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of the set-up: how programs are linked, what each suite of Debian has.
Prints TAP."""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
count = failed = 0

# Debian 13 has no static library with two functions that its libelf.a calls.
KINDS = {"bookworm": r"static$", "forky": r"static$",
         "trixie": r"dynamic, as this Debian's static libelf is not whole$"}


def check(ok, what, *talk):
    global count, failed
    count += 1
    failed += not ok
    if not ok:
        for text in talk:
            for line in str(text).splitlines():
                print("# " + line)
    print("%s %d %s" % ("ok" if ok else "not ok", count, what), flush=True)


def run(command, **kwargs):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **kwargs)


BROKEN = "int missing(void); int broken(void) { return missing(); }\n"
WHOLE = "int broken(void) { return 0; }\n"
MAIN = "int broken(void); int main(void) { return broken(); }\n"

ELF = "int elf_begin(void), elf_end(void *);\n" \
      "int main(void) { return elf_begin() + elf_end(0); }\n"


def test_link():
    """Static where the archives are whole, else dynamic; and it says which."""
    def kind(path):
        return "INTERP" in run(["readelf", "-l", path]).stdout

    with tempfile.TemporaryDirectory() as tmp:
        for name, text in (("broken", BROKEN), ("whole", WHOLE), ("main", MAIN),
                           ("wrong", MAIN.replace("broken", "nowhere")),
                           ("elf", ELF)):
            with open(os.path.join(tmp, name + ".c"), "w") as f:
                f.write(text)
            subprocess.run(["gcc", "-fPIC", "-c", name + ".c"], cwd=tmp, check=True)
        env = dict(os.environ, LD_LIBRARY_PATH=tmp)

        def link(source, *more):
            return run([os.path.join(TOP, "tools/build/link"), "prog", "broken", "--",
                        source, "-L" + tmp] + list(more), cwd=tmp, env=env)

        subprocess.run(["gcc", "-shared", "-o", "libbroken.so", "whole.o"], cwd=tmp,
                       check=True)
        for archive, want in (
                (None, "dynamic, as this Debian's static libbroken is not whole\n"),
                ("broken.o", "dynamic, as this Debian's static libbroken is not "
                 "whole\n"),
                ("whole.o", "static\n")):
            if archive:
                path = os.path.join(tmp, "libbroken.a")
                if os.path.exists(path):
                    os.unlink(path)
                subprocess.run(["ar", "rc", path, archive], cwd=tmp, check=True)
            r = link("main.c")
            prog = os.path.join(tmp, "prog")
            check(r.returncode == 0 and r.stdout == want and not r.stderr and
                  kind(prog) == want.startswith("dynamic") and
                  run([prog], env=env).returncode == 0,
                  "with an archive of %s: %s" % (archive, want.split(",")[0].strip()),
                  r.returncode, r.stdout, r.stderr)
        r = link("wrong.c")
        check(r.returncode and not r.stdout and "nowhere" in r.stderr,
              "a fault of the program is told as such", r.stdout, r.stderr)
        r = run([os.path.join(TOP, "tools/build/link"), "prog", "elf", "--", "elf.c"],
                cwd=tmp)
    dynamic = kind(os.path.join(TOP, "build/luotrace"))
    codename = run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"])
    check(dynamic == r.stdout.startswith("dynamic"),
          "build/luotrace is of the kind that can be", r.stdout, r.stderr)
    want = KINDS.get(codename.stdout.strip(), "static|dynamic, as ")
    check(re.match(want, r.stdout) is not None,
          "as is known of %s" % codename.stdout.strip(), r.stdout)


def test_packages():
    """Each package of the table is there to be installed in this suite."""
    with open(os.path.join(TOP, "tools/build/deps")) as f:
        names = sorted(set(re.findall(r"^\t(?:tool|kernel|vm|check|docs|suites|bench) "
                                      r"(\S+) ", f.read(), re.M)))
    r = run(["apt-cache", "policy"] + names, env=dict(os.environ, LC_ALL="C"))
    known = set(re.findall(r"^(\S+):\n  Installed: \S+\n  Candidate: (?!\(none\))",
                           r.stdout, re.M))
    check(len(names) > 30 and known == set(names),
          "every package of tools/build/deps is in this suite", set(names) - known)


def main():
    print("TAP version 13")
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test()
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
