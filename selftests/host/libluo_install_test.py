#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of libluo as others use it: its symbols, header, manual, and programs that
are built with what make install installs. Prints TAP."""

import os
import re
import sys
import tempfile

from installed import install
from tap import TOP, check, run, run_tests

CC = ["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
HEADER = os.path.join(TOP, "tools/libluo/libluo.h")
SYMBOLS = os.path.join(TOP, "tools/packaging/debian/libluo1.symbols")
PAGE = os.path.join(TOP, "Documentation/tools/libluo/libluo.rst")
GUESTS = os.path.join(TOP, "Documentation/admin-guide/liveupdate/virtual-machines.rst")
PREFIX = "/opt/luo"
# Needs no kernel.
PROGRAM = r"""
#include <libluo.h>
#include <stdio.h>

int main(void)
{
	return printf("%d %d\n", luo_session_create(-1, ""), luo_session_finish(-1)) != 7;
}
"""
SAYS = "-22 -9\n"      # EINVAL, EBADF


def read(path):
    with open(path) as f:
        return f.read()


def prototypes(text):
    """{name: declaration} of the functions that a header or a manual declares."""
    return {name: " ".join(whole.split()) for whole, name in
            re.findall(r"^\s*(int (luo_\w+)\([^)]*\));$", text, re.M)}


def symbols(path, *options):
    """The names of the global symbols that a library defines."""
    r = run(["nm", "--extern-only", "--defined-only", "--format=posix"] +
            list(options) + [path])
    return sorted(line.split()[0] for line in r.stdout.splitlines()
                  if len(line.split()) > 2)


def dynamic(path):
    """Names in the dynamic section, by the tag."""
    found = {}
    for tag, name in re.findall(r"\((SONAME|NEEDED)\).*\[(.*)\]",
                                run(["readelf", "-d", path]).stdout):
        found.setdefault(tag, []).append(name)
    return found


def test_header():
    """It needs nothing of the kernel, and does not collide with what is there."""
    r = run(CC + ["-fsyntax-only", "-x", "c", "-include", HEADER, "/dev/null"])
    check(r.returncode == 0, "the header is C99 and needs no other one", r.stderr)
    for name in ("linux/liveupdate.h", "luotrace_mark.h"):
        r = run(CC + ["-D_GNU_SOURCE", "-fsyntax-only", "-x", "c", "-Iinclude/uapi",
                      "-Itools/luotrace", "-include", HEADER, "-include", name,
                      "/dev/null"])
        check(r.returncode == 0, "it can be used with <%s>" % name, r.stderr)
    r = run(["clang", "-std=c++11", *CC[2:], "-fsyntax-only", "-x", "c++", "-include",
             HEADER, "/dev/null"])
    check(r.returncode == 0, "it is C++, too", r.stderr)
    included = re.findall(r"^#include (.*)", read(HEADER), re.M)
    check(included == ["<stdint.h>"], "it includes only <stdint.h>", included)


def test_documented():
    """Every function has a doc comment and is in the manual, no other one is."""
    declared = prototypes(read(HEADER))
    page = read(PAGE)
    check(len(declared) == 20, "the header declares 20 functions", declared)
    listed = prototypes(page.partition("DESCRIPTION")[0])
    check(listed == declared, "the manual declares the same", listed, declared)
    text = page.partition("DESCRIPTION")[2]
    missing = [name for name in declared if "**%s**\\ ()" % name not in text]
    check(not missing, "the manual says what each does", missing)
    missing = [name for name in declared
               if not re.search(r"^/\*\*\n \* %s - .*?^ \* Return: .*?^ \*/\nint %s\(" %
                                (name, name), read(HEADER), re.M | re.S)]
    check(not missing, "each has a doc comment that says what it returns", missing)


def check_libraries(where):
    declared = sorted(prototypes(read(HEADER)))
    exported = symbols(where + "/libluo.so.1", "--dynamic", "--with-symbol-versions")
    # Some versions of nm list the version, too.
    exported = [name for name in exported if not name.startswith("LIBLUO_1")]
    check([name.partition("@@")[0] for name in exported] == declared,
          "libluo.so.1 exports these functions", exported)
    listed = re.findall(r"^ (luo_\w+@[\w.]+) ", read(SYMBOLS), re.M)
    check([name.replace("@@", "@") for name in exported] == listed,
          "each has the version that Debian's packages know", exported, listed)
    found = symbols(where + "/libluo.a")
    check(found == declared, "libluo.a has no other global symbol", found)
    found = dynamic(where + "/libluo.so.1")
    check(found == {"SONAME": ["libluo.so.1"], "NEEDED": ["libc.so.6"]},
          "the name is libluo.so.1, libc is all that it needs", found)


def build(tmp, root, libdir, *options):
    """Build tmp/prog from tmp/prog.c with the words of the installed libluo.pc."""
    env = dict(os.environ, PKG_CONFIG_LIBDIR=root + libdir + "/pkgconfig",
               PKG_CONFIG_SYSROOT_DIR=root)
    static = ["--static"] if "-static" in options else []
    words = run(["pkg-config", "--cflags", "--libs", "libluo"] + static, env=env)
    r = run(CC + list(options) + ["-o", "prog", "prog.c"] + words.stdout.split(),
            cwd=tmp)
    return r.returncode == 0 and words.returncode == 0, words.stderr + r.stderr


def check_programs(tmp, root, libdir):
    prog = os.path.join(tmp, "prog")
    with open(prog + ".c", "w") as f:
        f.write(PROGRAM)
    for name, options, env, needed in (
            ("libluo.so.1", (), dict(os.environ, LD_LIBRARY_PATH=root + libdir),
             ["libluo.so.1", "libc.so.6"]),
            ("libluo.a", ("-static",), {}, None)):
        ok, talk = build(tmp, root, libdir, *options)
        r = run([prog], env=env) if ok else None
        check(ok and r.stdout == SAYS and dynamic(prog).get("NEEDED") == needed,
              "a program with %s/%s" % (libdir, name), talk, r)


def check_examples(tmp, root, libdir):
    """The examples of the manual are programs."""
    programs = re.findall(r"::\n\n((?:   .*\n|\n)*?   }\n)\n",
                          read(PAGE).partition("EXAMPLES")[2])
    check(len(programs) == 2, "the manual has two", programs)
    for i, code in enumerate(programs, 1):
        with open(os.path.join(tmp, "prog.c"), "w") as f:
            f.write(code)
        ok, talk = build(tmp, root, libdir)
        check(ok, "example %d of the manual can be built" % i, talk)


def check_guests(tmp, root):
    """The example of the page on virtual machines: a header and two programs."""
    page = read(GUESTS).partition("\nAn example with libluo\n")[2]
    blocks = re.findall(r"::\n\n((?:   .*\n|\n)+)", page)[:3]
    names = ["vmm.h", "keep.c", "back.c"]
    for name, block in zip(names, blocks):
        with open(os.path.join(tmp, name), "w") as f:
            f.write(block)
    r = run(CC + ["-I" + root + PREFIX + "/include", "-c"] + names[1:], cwd=tmp)
    mains = [block.count("int main(void)") for block in blocks]
    check(r.returncode == 0 and mains == [0, 1, 1],
          "the example of the page on virtual machines can be built", r.stderr, mains)


def modes(root, names):
    return {name: oct(os.lstat(root + name).st_mode & 0o7777)
            if os.path.exists(root + name) and not os.path.islink(root + name) else None
            for name in names}


def test_install():
    with tempfile.TemporaryDirectory() as tmp:
        root, r = install(tmp, "PREFIX=" + PREFIX)
        lib = PREFIX + "/lib"
        names = [PREFIX + "/include/libluo.h", lib + "/libluo.a", lib + "/libluo.so.1",
                 lib + "/pkgconfig/libluo.pc", PREFIX + "/share/man/man3/libluo.3"]
        found = modes(root, names)
        check(r.returncode == 0 and set(found.values()) == {"0o644"},
              "make install installs all of it", r.stderr, found)
        link = root + lib + "/libluo.so"
        check(os.path.islink(link) and os.readlink(link) == "libluo.so.1",
              "libluo.so is a link to it, within the directory")
        check(read(root + names[0]) == read(HEADER) and
              read(root + names[-1]) == "libluo.3", "header and man page as they are")
        check_libraries(root + lib)
        check_programs(tmp, root, lib)
        check_examples(tmp, root, lib)
        check_guests(tmp, root)
    with tempfile.TemporaryDirectory() as tmp:
        lib = "/opt/luo/lib/x86_64-linux-gnu"
        root, r = install(tmp, "PREFIX=" + PREFIX, "LIBDIR=" + lib)
        check(r.returncode == 0 and not os.path.exists(root + PREFIX + "/lib/libluo.a"),
              "LIBDIR takes the libraries elsewhere", r.stderr)
        check_programs(tmp, root, lib)


def test_missing():
    """What was not built is named, with what builds it."""
    with tempfile.TemporaryDirectory() as tmp:
        os.makedirs(os.path.join(tmp, "build"))
        for name in ("luotrace", "luotrace-core"):
            os.symlink("/bin/true", os.path.join(tmp, "build", name))
        r = run(["make", "-f", os.path.join(TOP, "Makefile"), "install",
                 "DESTDIR=" + tmp + "/root"], cwd=tmp)
        check(r.returncode and "make libluo builds it" in r.stderr and
              not os.path.exists(tmp + "/root"),
              "make install without libluo says what builds it", r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
