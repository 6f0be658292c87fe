#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of the set-up: apt's locks, how programs are linked, the packages of each
Debian suite. Prints TAP."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from apt_root import apt_root, program
from tap import TOP, check, run, run_tests

# Holds a lock on argv[1] until argv[2] seconds are over.
HOLDER = """
import fcntl, sys, time
f = open(sys.argv[1], "w")
fcntl.lockf(f, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""
# Debian 13 has no static library with two functions that its libelf.a calls. What
# testing has changes.
KINDS = {"bookworm": r"static$",
         "trixie": r"dynamic, as this Debian's static libelf is not whole$"}


def hold(path, seconds):
    proc = subprocess.Popen([sys.executable, "-c", HOLDER, path, str(seconds)],
                            stdout=subprocess.PIPE, text=True)
    proc.stdout.readline()
    return proc


def free_when_waiting(command, holder, env):
    """Run a command; end the holder once it waits. Returns its code and stderr."""
    said = ""
    with subprocess.Popen(command, env=dict(env, LUO_APT_LIMIT="60"), cwd=TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as proc:
        for line in proc.stderr:
            said += line
            if "waiting for apt" in line:
                holder.kill()
                holder.wait()
    return proc.returncode, said


def lib(command):
    return ["bash", "-c", "set -eu -o pipefail; prog=deps; . tools/build/lib.sh; " +
            command]


# the lock, what is run while it is held
WAITS = (
    ("dpkg/lock-frontend", ["tools/build/deps", "tool"]),
    ("dpkg/lock", ["tools/build/deps", "tool"]),
    ("archives/lock", ["tools/build/deps", "tool"]),
    ("lists/lock", ["tools/build/deps", "tool"]),
    ("lists/lock", lib("apt_get update -qq")),
    ("dpkg/lock-frontend", lib("apt_get install -qq --simulate make")),
)


def test_apt_lock():
    """The scripts wait for apt's locks and name the process that holds them."""
    for lock, command in WAITS:
        with tempfile.TemporaryDirectory() as tmp:
            env, _ = apt_root(tmp)
            path = os.path.join(tmp, lock)
            holder = hold(path, 600)
            code, said = free_when_waiting(command, holder, env)
            free = holder.poll() is not None
            holder.kill()
            holder.wait()
            want = r"deps: waiting for apt: '%s' is held by pid %d, \S*python3 -c" % (
                re.escape(path), holder.pid)
            what = "%s, %s" % (lock, command[0] if "deps" in command[0] else
                               command[-1].split("; ")[-1])
            check(code == 0 and free, "waits for " + what, code, said)
            check(re.search(want, said) is not None and "locks are free" in said,
                  "and names the process: " + what, want, said)
            check(said.count("waiting for apt") == 1, "once: " + what, said)


def test_apt_lock_limit():
    """After the limit it ends with a message that says what to do."""
    with tempfile.TemporaryDirectory() as tmp:
        env, _ = apt_root(tmp)
        holder = hold(os.path.join(tmp, "dpkg/lock-frontend"), 600)
        r = run(["tools/build/deps", "tool"], env=dict(env, LUO_APT_LIMIT="2"),
                cwd=TOP)
        check(holder.poll() is None and r.returncode == 1 and
              "gave up after" in r.stderr and "pid %d" % holder.pid in r.stderr and
              "run this again" in r.stderr, "ends after the limit", r.stderr)
        holder.send_signal(signal.SIGKILL)
        holder.wait()


def test_apt_lock_unseen():
    """A lock that is taken meanwhile, or by a process that is not visible."""
    with tempfile.TemporaryDirectory() as tmp:
        env, _ = apt_root(tmp)
        marker = os.path.join(tmp, "tries")
        program(os.path.join(tmp, "bin/apt-get"),
                "#!/bin/sh\necho x >> %s\n[ $(wc -l < %s) -gt 2 ] && exit\n"
                "echo 'E: Could not get lock /x/lock. It is held by process 7 "
                "(apt-get)' >&2\nexit 100\n" % (marker, marker))
        r = run(lib("apt_get update"), env=env, cwd=TOP)
        check(r.returncode == 0 and "waiting for apt: Could not get lock /x/lock. It "
              "is held by process 7 (apt-get)" in r.stderr, "is waited for, too",
              r.stderr)
        program(os.path.join(tmp, "bin/apt-get"),
                "#!/bin/sh\necho 'E: Unable to locate package x' >&2\nexit 100\n")
        start = time.monotonic()
        r = run(lib("apt_get install x"), env=dict(env, LUO_APT_LIMIT="60"), cwd=TOP)
        check(r.returncode == 100 and "Unable to locate" in r.stderr and
              "waiting" not in r.stderr and time.monotonic() - start < 60,
              "it does not wait after another error of apt", r.returncode, r.stderr)


def test_apt_everywhere():
    """No script calls apt or dpkg without waiting for the locks."""
    for name in os.listdir(os.path.join(TOP, "tools/build")):
        with open(os.path.join(TOP, "tools/build", name)) as f:
            lines = [line for line in f if not line.lstrip().startswith("#")]
        bad = [line for line in lines
               if re.search(r"(^|[\s({!;])apt(-get)? (-\S+ )*(update|install|download)"
                            r"\b(?!')", line)]
        check(not bad, "tools/build/%s uses apt_get" % name, *bad)


BROKEN = "int missing(void); int broken(void) { return missing(); }\n"
WHOLE = "int broken(void) { return 0; }\n"
MAIN = "int broken(void); int main(void) { return broken(); }\n"

ELF = "int elf_begin(void), elf_end(void *);\n" \
      "int main(void) { return elf_begin() + elf_end(0); }\n"


def test_link():
    """Static if the archives are complete, else dynamic; and it prints which."""
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
        r = run([os.path.join(TOP, "tools/build/link"), "--dynamic", "prog", "broken",
                 "--", "main.c", "-L" + tmp], cwd=tmp, env=env)
        check(r.returncode == 0 and r.stdout == "dynamic\n" and kind(prog) and
              run([prog], env=env).returncode == 0,
              "--dynamic with a whole archive: dynamic", r.returncode, r.stdout,
              r.stderr)
        r = link("wrong.c")
        check(r.returncode and not r.stdout and "nowhere" in r.stderr,
              "an error of the program is reported as such", r.stdout, r.stderr)
        r = run([os.path.join(TOP, "tools/build/link"), "prog", "elf", "--", "elf.c"],
                cwd=tmp)
    dynamic = kind(os.path.join(TOP, "build/luotrace"))
    codename = run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"])
    check(dynamic == r.stdout.startswith("dynamic"),
          "build/luotrace is of the kind that can be", r.stdout, r.stderr)
    want = KINDS.get(codename.stdout.strip(), "static|dynamic, as ")
    check(re.match(want, r.stdout) is not None,
          "as is known of %s" % codename.stdout.strip(), r.stdout)


def test_link_twice():
    """Two archives with a function of the same name."""
    with tempfile.TemporaryDirectory() as tmp:
        for name in ("one", "two"):
            with open(os.path.join(tmp, name + ".c"), "w") as f:
                f.write("int same(void) { return 0; }\nint %s(void) { return 0; }\n"
                        % name)
            for command in (["gcc", "-fPIC", "-c", name + ".c"],
                            ["gcc", "-shared", "-o", "lib%s.so" % name, name + ".o"],
                            ["ar", "rc", "lib%s.a" % name, name + ".o"]):
                subprocess.run(command, cwd=tmp, check=True)
        with open(os.path.join(tmp, "main.c"), "w") as f:
            f.write("int one(void), two(void);\n"
                    "int main(void) { return one() + two(); }\n")
        env = dict(os.environ, LD_LIBRARY_PATH=tmp)
        r = run([os.path.join(TOP, "tools/build/link"), "prog", "one", "two", "--",
                 "main.c", "-L" + tmp], cwd=tmp, env=env)
        want = "dynamic, as this Debian's static libone and libtwo both have same()\n"
        prog = run([os.path.join(tmp, "prog")], env=env)
        check(r.stdout == want and prog.returncode == 0,
              "two archives with the same function: dynamic", r.stdout, r.stderr)


def test_packages():
    """This suite has a package of each row of the table."""
    with open(os.path.join(TOP, "tools/build/deps")) as f:
        rows = sorted(set(re.findall(r"^\t(?!unpacked )[a-z0-9-]+ (\S+) \S+ .*",
                                     f.read().split("EOF")[1], re.M)))
    names = [name for row in rows for name in row.split("|")]
    r = run(["apt-cache", "policy"] + names, env=dict(os.environ, LC_ALL="C"))
    known = set(re.findall(r"^(\S+):\n  Installed: \S+\n  Candidate: (?!\(none\))",
                           r.stdout, re.M))
    what = "every package of tools/build/deps is in this suite"
    if not re.search(r"^ +\d+ \S+://", r.stdout, re.M):
        what += " # SKIP apt has no lists"
        known = set(names)
    absent = [row for row in rows if not known.intersection(row.split("|"))]
    check(len(rows) > 30 and not absent, what, *absent)


# what the suite has, what is installed, what is asked for
CHOICES = (
    (("libclang-rt-dev", "libclang-rt-14-dev"), "", "libclang-rt-dev"),
    (("libclang-rt-14-dev",), "", "libclang-rt-14-dev"),
    ((), "", "libclang-rt-dev"),
    (("libclang-rt-dev",), "libclang-rt-14-dev", None),
)


def test_alternatives():
    """Of the names of a package, the one that the suite has is installed."""
    for suite, installed, want in CHOICES:
        with tempfile.TemporaryDirectory() as tmp:
            env, _ = apt_root(tmp)
            program(os.path.join(tmp, "bin/id"), "#!/bin/sh\necho 1000\n")
            program(os.path.join(tmp, "bin/dpkg-query"), "#!/bin/sh\n[ \"$4\" = '%s' ] "
                    "&& echo -n install ok installed\n" % installed)
            program(os.path.join(tmp, "bin/apt-cache"), "#!/bin/sh\ncase $2 in %s) "
                    "echo \"$2 | 1\";; esac\n" % ("|".join(suite) or "none"))
            r = run(["tools/build/deps", "check"], env=env)
            names = re.search(r"cannot install: (.*); run", r.stderr).group(1).split()
            check([n for n in names if n.startswith("libclang")] ==
                  ([want] if want else []) and "chromium" in names,
                  "with %s in the suite and '%s' installed: %s"
                  % (" and ".join(suite) or "neither", installed, want), r.stderr)


def test_arch():
    """An architecture that there is no build for."""
    for command, want in (
            (["make", "luotrace", "ARCH=foo"],
             "ARCH=foo: want arm64, or none for this machine"),
            (["tools/build/sysroot", "foo"], "no sysroot for 'foo', want arm64")):
        r = run(command, cwd=TOP)
        check(r.returncode and want in r.stderr and not r.stdout,
              "%s is refused" % " ".join(command), r.returncode, r.stdout, r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
