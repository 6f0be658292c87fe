# SPDX-License-Identifier: GPL-2.0
"""What differs between the architectures of the test VM."""

import functools
import os
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build")
# The timer of an emulated VM may be late on a busy host. A kernel that checks it then
# panics: "IO-APIC + timer doesn't work!".
TRUSTED_TIMER = " no_timer_check"


@dataclass(frozen=True)
class Arch:
    """An architecture.

    programs: the directory of its programs, in build/; image: the name of its kernels;
    qemu: the command and the machine; tb_mib: of the emulator's buffer, see below;
    smp: how CPUs are given; console: of the kernel; scratch: of KHO, room for the next
    kernel, its initramfs and its page structures; ports: each port, but the first one,
    as QEMU takes it after a chardev of the same name; clocks: words for the kernel by
    what the VM has for a clock.
    """

    programs: str
    image: str
    qemu: tuple
    tb_mib: int
    smp: str
    console: str
    scratch: str
    ports: dict
    clocks: dict

    def program(self, name):
        """The path of a program that was built for it."""
        return os.path.join(BUILD, self.programs, name)

    def busybox(self):
        """The path of Debian's static busybox for it."""
        return os.path.join(self.root, "bin/busybox")

    @functools.cached_property
    def root(self):
        """Where Debian's programs and libraries for it are."""
        if not self.programs:
            return "/"
        return subprocess.run([os.path.join(TOP, "tools/build/sysroot"), self.programs],
                              check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()


# A page of which the emulator has translated code is slow to write until the last of
# it is overwritten. Memory that held programs of one kernel holds data of the next,
# which is several times slower on arm64 with a large buffer of translations. A small
# one is emptied often.
ARCHES = {
    "x86": Arch(
        programs="", image="bzImage",
        qemu=("qemu-system-x86_64", "-M", "pc,hpet=off", "-cpu", "max,la57=off"),
        tb_mib=64, smp="%d,sockets=%d", console="ttyS0,115200", scratch="32M,256M,32M",
        ports={"channel": ["-serial", "chardev:channel"],
               "ticks": ["-serial", "chardev:ticks"]},
        # An emulated VM has the TSC of the host, the same on all CPUs. The kernel
        # cannot know this, and to measure its frequency against an emulated timer fails
        # now and then; without a TSC the kernel counts time in ticks. Each CPU is a
        # package, whose delay loop would be measured, too.
        clocks={"given": "tsc=reliable tsc_early_khz=%(khz)d lpj=%(lpj)d" +
                         TRUSTED_TIMER,
                "jiffies": "notsc clocksource=jiffies" + TRUSTED_TIMER,
                # Nothing: the kernel finds out by itself.
                "own": ""}),
    "arm64": Arch(
        programs="arm64", image="Image",
        # To sign addresses with the architecture's own cipher takes an emulator long.
        qemu=("qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on"),
        # If the first area has room for the kernel, it must have room for the rest,
        # which is loaded above the kernel: the second area may be below.
        tb_mib=32, smp="%d", console="ttyAMA0", scratch="128M,128M,32M",
        ports={"channel": ["-device", "virtio-serial-device",
                           "-device", "virtconsole,chardev=channel"]},
        # Its counter has a known frequency.
        clocks={"given": "", "own": ""}),
}


def of(flavour):
    """The architecture of a kernel."""
    return ARCHES["arm64" if flavour.startswith("arm64") else "x86"]


def same_arch(name, flavour):
    """The flavour that has a name on x86-64, on the architecture of another one."""
    names = [of(flavour).programs, "" if name == "default" else name]
    return "-".join(filter(None, names)) or "default"


def directory(flavour):
    """Where the kernel of a flavour is."""
    return os.path.join(BUILD, "" if flavour == "default" else flavour)


def kernel(flavour):
    """The path of the kernel of a flavour."""
    return os.path.join(directory(flavour), of(flavour).image)
