# SPDX-License-Identifier: GPL-2.0
"""What a test VM gets of the host: files, and programs with their libraries."""

import glob
import os
import re
import shutil
import subprocess
import sys


def guest_files(specs):
    """HOST:GUEST pairs; a guest name is relative to /, by default in /tools. ?HOST is
    left out if there is none."""
    for spec in specs:
        host, _, guest = spec.removeprefix("?").partition(":")
        if not spec.startswith("?") or os.path.exists(host):
            yield host, guest.lstrip("/") or "tools/" + os.path.basename(host)


def program_files(name, arch):
    """HOST:GUEST pairs for a program of Debian."""
    where = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if arch.root != "/":
        where = os.path.join(arch.root, "usr/sbin") + ":" + \
            os.path.join(arch.root, "usr/bin")
    path = shutil.which(name, path=where)
    if not path:
        sys.exit("run: %s is not installed; make deps installs it" % name)
    yield path, "tools/" + name


def libraries(path, arch):
    """HOST:GUEST pairs for the libraries of a program, none for a static one."""
    if arch.root != "/":
        found = list(foreign_libraries(path, arch.root))
        if found and os.path.basename(path) == "luotrace":
            sys.exit("run: %s is not static; it is to run on every distribution" % path)
        yield from found
        return
    ldd = subprocess.run(["ldd", path], capture_output=True, text=True,
                         check=False).stdout
    for lib in re.findall(r"(/\S+) \(0x", ldd):
        yield os.path.realpath(lib), lib.lstrip("/")


def foreign_libraries(path, root):
    """The same for a program of another architecture, which ldd cannot start."""
    elf = subprocess.run(["readelf", "-dlW", path], capture_output=True, text=True,
                         check=False).stdout
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", elf)
    names += [os.path.basename(i) for i in re.findall(r"interpreter: (\S+)\]", elf)]
    for name in names:
        found = glob.glob(os.path.join(root, "lib/*-linux-gnu", name)) + \
            glob.glob(os.path.join(root, "usr/lib/*-linux-gnu", name))
        if not found:
            sys.exit("run: %s needs %s, which is not unpacked" % (path, name))
        yield os.path.realpath(found[0]), "lib/" + name
        yield from foreign_libraries(found[0], root)
