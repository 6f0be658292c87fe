# SPDX-License-Identifier: GPL-2.0
"""The instructions of each function in a step, counted by a plugin of the emulator."""

import bisect
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from vm import OUT, TOP, Update, memfds

KERNEL = 1 << 63
REBOOT = "LUO's part of reboot()"
# Steps that no program can count: {step: (first function, the one called after it)}.
WITHIN = {REBOOT: ("liveupdate_reboot", "kernel_restart_prepare")}


def build_plugin():
    """Compile functions.c. Returns the path."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    major = re.search(r"version (\d+)", version).group(1)
    path = os.path.join(OUT, "functions.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-DQEMU_MAJOR=" + major, "-o", path,
                    os.path.join(TOP, "selftests/bench/functions.c")], check=True)
    return path


def symbols(flavour):
    """([address], [name]) of the functions of a kernel."""
    with open(os.path.join(TOP, "build", flavour, "System.map")) as f:
        found = sorted((int(addr, 16), name) for addr, kind, name in
                       (line.split() for line in f) if kind in "tTwW")
    return [addr for addr, _ in found], [name for _, name in found]


def by_function(flavour, counted):
    """{function: instructions}, from lines of a block's address and instructions."""
    addrs, names = symbols(flavour)
    found = {}
    for line in counted:
        addr, number = int(line.split()[0], 16), int(line.split()[1])
        name = "(user space)"
        if addr & KERNEL:
            name = names[bisect.bisect_right(addrs, addr) - 1]
        found[name] = found.get(name, 0) + number
    return found


def measure(flavour, plugin, step, among):
    """{function: instructions of a call}."""
    path = os.path.join(OUT, "functions-%s.txt" % flavour)
    qemu = "-plugin %s,out=%s" % (plugin, path)
    if step in WITHIN:
        addrs, names = symbols(flavour)
        qemu += ",begin=%x,end=%x" % tuple(addrs[names.index(n)] for n in WITHIN[step])
    kind, _, number = among.partition(":")
    if number:
        Update(flavour, "memory.sh", "memory_test",
               [*memfds(kind, int(number)), kind, step], "7G", count=True,
               qemu=qemu)
        calls = 1
    else:
        vm = Update(flavour, "compare.sh", "compare_test", [among, step], "6G",
                    count=True, qemu=qemu)
        calls = step in WITHIN or \
            sum(r["calls"] for name in
                glob.glob(os.path.join(vm.out, "stage*/*.json"))
                for r in vm.lines(name) if r["step"] == "counted")
    with open(path) as f:
        found = by_function(flavour, f)
    if not found:
        sys.exit("bench: there is no step '%s' among %s" % (step, among))
    return {name: n / calls for name, n in found.items()}
