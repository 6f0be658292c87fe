# SPDX-License-Identifier: GPL-2.0
"""Boots the test VM and follows it through its stages.

A stage is one kernel: stage 0 is booted by QEMU, each kexec begins another. The
guest talks to the host over its second serial port in frames (see vmctl.c); the
first one is the console and is only kept and judged (klog.py).
"""

import glob
import os
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import klog
from arch import ARCHES, TOP
from initramfs import Cpio

HERE = os.path.dirname(os.path.abspath(__file__))
GUEST_TOOLS = ("vm-hello", "vm-note", "vm-put", "vm-exit", "vm-hold",
               "vm-tap", "vm-kexec")
BOOT_LIMIT = 60     # seconds from start or kexec to the guest's hello
STAGE_LIMIT = 120   # seconds from hello to exit or kexec
OFF_LIMIT = 30      # seconds from exit to the end of QEMU
TAIL = 40           # lines of the console in an error message

CMDLINE = ("console=%s loglevel=8 ignore_loglevel panic=-1 "
           "oops=panic retain_initrd kho=on "
           "kho_scratch=%s")
DEFAULT_APPEND = "liveupdate=on"
# One CPU, for which an instruction takes a nanosecond: measurements do not depend on
# the host and its load.
COUNTED = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1"]
COUNTED_KHZ = 1000000
# For root: larger than the limit of the system. Python has no name for it.
SO_SNDBUFFORCE = 32
PORT_BUFFER = 64 << 20
EMULATED = ["-accel", "tcg,thread=multi,tb-size=%d", "-smp"]
CPUS = 2
HZ = 250            # CONFIG_HZ of the test kernels


class Failure(Exception):
    """The VM failed. code: the runner's exit code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def say(message):
    print(message, file=sys.stderr, flush=True)


def tsc_khz():
    """Frequency of the host's TSC."""
    out = subprocess.run(["vm-tsc"], check=True, capture_output=True,
                         executable=ARCHES["x86"].program("selftests/vmctl"))
    return int(out.stdout)


def make_initramfs(arch, kernel, nxt, files, script, args, case):
    """files: list of (host path, guest name); case: for the programs of the script."""
    cpio = Cpio()
    for name in ("bin", "sbin", "usr/bin", "dev", "proc", "sys", "tmp", "root",
                 "etc", "state", "run", "tools", "boot", "test"):
        cpio.add_dir(name)
    cpio.add_char_device("dev/console", 5, 1)
    cpio.add_file(arch.busybox(), "bin/busybox")
    # Debian's have the same on all architectures.
    applets = subprocess.run(["/bin/busybox", "--list"], check=True,
                             capture_output=True, text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            cpio.add_symlink("bin/" + applet, "busybox")
    cpio.add_file(arch.program("selftests/vmctl"), "tools/vmctl")
    for tool in GUEST_TOOLS:
        cpio.add_symlink("tools/" + tool, "vmctl")
    cpio.add_file(os.path.join(HERE, "init"), "init")
    cpio.add_data("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"
                                b"nobody:x:65534:65534:nobody:/:/bin/sh\n")
    cpio.add_file(kernel, "boot/kernel")
    if nxt:
        cpio.add_file(nxt, "boot/next")
    else:
        cpio.add_symlink("boot/next", "kernel")
    for path, name in files:
        cpio.add_file(path, name)
    if script:
        cpio.add_file(script, "test/script")
        cpio.add_file(os.path.join(TOP, "selftests/guest/lib.sh"), "test/lib")
        cpio.add_data("test/command", ("TEST_CASE=%s exec sh ./script %s\n" % (
            shlex.quote(case), shlex.join(args))).encode())
    return cpio.finish()


def port():
    """Both ends of a serial port, the second one for QEMU.

    QEMU writes some bytes at a time, and gives up those that have no room soon: each
    write takes a buffer of its own, so that the default has room for some lines only.
    """
    here, there = socket.socketpair()
    try:
        there.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, PORT_BUFFER)
    except PermissionError:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PORT_BUFFER)
    return here, there


class Machine:
    """One VM from start to end."""

    def __init__(self, out, kernel, nxt=None, mem="1G", append=DEFAULT_APPEND,
                 files=(), script=None, args=(), stage_limit=STAGE_LIMIT,
                 prealloc=False, count=False, clock="given",
                 disk=None, case="", cpus=CPUS, ticks=False, arch=ARCHES["x86"],
                 qemu=""):
        self.out = out
        self.arch = arch
        self.kernel = kernel
        self.mem = ["-m", mem] + (["-mem-prealloc"] if prealloc else []) + qemu.split()
        self.append = append
        self.count = count
        self.cpus = cpus
        self.clock = clock
        self.disk = disk
        # Third serial port: [(time.monotonic(), byte)]; from when to when each kernel
        # was replaced by the next
        self.ticks = [] if ticks else None
        self.replaced = []
        self._kexec = 0
        self.stage_limit = stage_limit
        self.initrd = make_initramfs(arch, kernel, nxt, files, script, args, case)
        self.stage = 0
        self.doing = "booting"
        self.exit_code = None
        self.start = time.monotonic()
        self.deadline = None
        self._console = bytearray()
        self._buffer = bytearray()
        os.makedirs(out, exist_ok=True)
        # Files of an earlier run must not be taken for this one's.
        for name in os.listdir(out):
            if re.fullmatch(r"stage(\d+|-ticks)", name):
                shutil.rmtree(os.path.join(out, name))

    def _say(self, message):
        say("[%7.3fs] stage %d: %s" % (self.seconds(), self.stage, message))

    def _limit(self, seconds, doing):
        self.deadline = time.monotonic() + seconds
        self.doing = doing

    def command(self, initrd, extra):
        """The QEMU command line. initrd: path, extra: words for the kernel."""
        clock = self.arch.clocks[self.clock]
        if "%" in clock:
            khz = COUNTED_KHZ if self.count else tsc_khz()
            clock %= {"khz": khz, "lpj": khz * 1000 // HZ}
        words = [CMDLINE % (self.arch.console, self.arch.scratch), clock, self.append,
                 "vm.stage=0", "vm.initrd=%d" % len(self.initrd)] + extra
        if self.disk:
            words.append("vm.root=/dev/vda")
        return list(self.arch.qemu) + [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", self.kernel, "-initrd", initrd, "-append", " ".join(words)
        ] + self.mem + (COUNTED if self.count else [
            w.replace("%d", str(self.arch.tb_mib)) for w in EMULATED
        ] + [self.arch.smp.replace("%d", str(self.cpus))]) + self._drives()

    def _drives(self):
        """The disk, if the VM has one; writes to it are lost with the VM."""
        if not self.disk:
            return []
        return ["-drive", "if=none,id=root,format=raw,snapshot=on,file=" + self.disk,
                "-device", "virtio-blk-pci,drive=root"]

    def shell(self):
        """Give the terminal to the guest. Returns QEMU's exit code."""
        with tempfile.TemporaryDirectory() as tmp:
            initrd = os.path.join(tmp, "initrd")
            with open(initrd, "wb") as f:
                f.write(self.initrd)
            return subprocess.call(self.command(initrd, ["vm.shell=1"]) +
                                   ["-serial", "mon:stdio",
                                    "-chardev", "null,id=channel"] +
                                   self.arch.ports["channel"])

    def run(self):
        """Follow the VM to its end. Raises Failure, returns the exit code."""
        with tempfile.TemporaryDirectory() as tmp:
            initrd = os.path.join(tmp, "initrd")
            with open(initrd, "wb") as f:
                f.write(self.initrd)
            ends, ports, passed = [], [], []
            for name in ("console", "channel") + (("ticks",) if self.ticks is not None
                                                  else ()):
                here, there = port()
                ends.append(here)
                passed.append(there)
                ports += ["-chardev", "socket,id=%s,fd=%d" % (name, there.fileno())]
                ports += self.arch.ports.get(name, ["-serial", "chardev:" + name])
            with open(os.path.join(self.out, "qemu.log"), "wb") as log:
                qemu = subprocess.Popen(self.command(initrd, []) + ports,
                                        stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log,
                                        pass_fds=[s.fileno() for s in passed])
            for there in passed:
                there.close()
            try:
                self._follow(qemu, *ends)
            finally:
                qemu.kill()
                qemu.wait()
                self._save_console()
        return self.exit_code

    def _follow(self, qemu, console, channel, ticks=None):
        # A distribution's user space, and KUnit, are part of the boot.
        self._limit(max(BOOT_LIMIT, self.stage_limit), "booting")
        self._say("booting %s" % os.path.relpath(self.kernel))
        with selectors.DefaultSelector() as sel, console, channel:
            sel.register(console, selectors.EVENT_READ, self._on_console)
            sel.register(channel, selectors.EVENT_READ, self._on_channel)
            if ticks:
                sel.register(ticks, selectors.EVENT_READ, self._on_ticks)
            while sel.get_map():
                left = self.deadline - time.monotonic()
                if left <= 0 and self.doing == "dying":
                    raise Failure(3, "stage %d: the kernel panicked" %
                                  self.stage)
                if left <= 0:
                    raise Failure(4, "stage %d: time limit while %s" %
                                  (self.stage, self.doing))
                for key, _ in sel.select(left):
                    data = key.fileobj.recv(1 << 16)
                    if data:
                        key.data(data)
                    else:
                        sel.unregister(key.fileobj)
        qemu.wait()
        if self.exit_code is None:
            raise Failure(1, "stage %d: the VM ended while %s, see %s/qemu.log" %
                          (self.stage, self.doing, self.out))

    def _on_console(self, data):
        seen = len(self._console)
        self._console += data
        begin = self._console.rfind(b"\n", 0, seen) + 1
        for line in self._console[begin:].decode(errors="replace").split("\n"):
            if klog.is_fatal(line) and self.doing != "dying":
                self._limit(2, "dying")

    def _on_ticks(self, data):
        # Guests run until virtualization is switched off, and KVM then handles their
        # last exit again and again: an output comes more than once.
        if self.exit_code is not None:
            return
        now = time.monotonic()
        self.ticks += [(now, byte) for byte in data]

    def _on_channel(self, data):
        self._buffer += data
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                return
            words = self._buffer[:end].decode(errors="replace").split(" ", 4)
            if len(words) != 5 or words[0] != "luovm":
                raise Failure(1, "the guest sent an invalid frame: %r" % words)
            _, kind, stage, length, name = words
            length = int(length)
            if len(self._buffer) < end + 1 + length:
                return
            payload = bytes(self._buffer[end + 1:end + 1 + length])
            del self._buffer[:end + 1 + length]
            getattr(self, "_frame_" + kind)(int(stage), name, payload)

    def _frame_hello(self, stage, _name, _payload):
        if stage:
            self.replaced.append((self._kexec, time.monotonic()))
        self.stage = stage
        self._limit(self.stage_limit, "running the test script")
        self._say("up")

    def _frame_note(self, _stage, _name, payload):
        self.doing = payload.decode(errors="replace")
        self._say(self.doing)

    def _frame_file(self, stage, name, payload):
        path = os.path.join(self.out, "stage%d" % stage)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, os.path.basename(name)), "wb") as f:
            f.write(payload)

    def _frame_kexec(self, _stage, _name, _payload):
        self._kexec = time.monotonic()
        # The more preserved memory, the longer the boot.
        self._limit(max(BOOT_LIMIT, self.stage_limit), "in kexec")
        self._say("kexec")

    def _frame_stayed(self, _stage, name, _payload):
        self._limit(self.stage_limit, "running the test script")
        self._say("reboot() failed: %s" % name)

    def _frame_exit(self, _stage, name, _payload):
        self.exit_code = int(name)
        self._limit(OFF_LIMIT, "going down")

    def seconds(self):
        """How long the VM has been running."""
        return time.monotonic() - self.start

    def console(self):
        """The output of the kernels so far."""
        return self._console.decode(errors="replace").replace("\r", "")

    def logs(self):
        """The logs that the kernels sent, which the console may not have as a whole."""
        text = []
        for path in sorted(glob.glob(os.path.join(self.out, "stage*", "klog"))):
            with open(path, errors="replace") as f:
                text.append(f.read())
        return "".join(text)

    def _save_console(self):
        with open(os.path.join(self.out, "console.log"), "w") as f:
            f.write(self.console())

    def tail(self):
        """The end of the console, for a message."""
        return "\n".join("    | " + line for line in
                         self.console().splitlines()[-TAIL:])
