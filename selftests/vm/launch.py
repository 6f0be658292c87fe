# SPDX-License-Identifier: GPL-2.0
"""What a test VM gets of the host: files, and programs with their libraries."""

import os
import re
import shutil
import subprocess
import sys


def guest_files(specs):
    """HOST:GUEST pairs; a guest name is relative to /, by default in /tools."""
    for spec in specs:
        host, _, guest = spec.partition(":")
        yield host, guest.lstrip("/") or "tools/" + os.path.basename(host)


def program_files(name):
    """HOST:GUEST pairs for a program of the host."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        sys.exit("run: %s is not installed; make deps installs it" % name)
    yield path, "tools/" + name


def libraries(path):
    """HOST:GUEST pairs for the libraries of a program, none for a static one."""
    ldd = subprocess.run(["ldd", path], capture_output=True, text=True,
                         check=False).stdout
    for lib in re.findall(r"(/\S+) \(0x", ldd):
        yield os.path.realpath(lib), lib.lstrip("/")
