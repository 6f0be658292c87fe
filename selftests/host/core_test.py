#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests luotrace handover --memory: each kind of core shows the same, and what cannot
be read is said. Debian's makedumpfile writes the cores, from an ELF core that has what
it needs of a kernel. Prints TAP."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import zlib

from tap import LUOTRACE, TOP, check, run, run_tests

PAGE = 4096
X86_64, AARCH64 = 62, 183   # machines of ELF
DIRECT_MAP = 0xffff888000000000
KERNEL_MAP = 0xffffffff80000000
SIZE = 1 << 20              # bytes of RAM; the core has all but the first page
# What is at which address; below are LUO's pages, by selftests/host/handover_make.h.
PGD, PUD, SECTION_ROOT, SECTION, MEM_MAP, UTS = (
    0x10000, 0x11000, 0x20000, 0x21000, 0x50000, 0x80000)
PAGE_STRUCT = 64
MAPPING = 24                # offset in a struct page; bit 0 says memory of a process
FLBS = 6                    # number of the page
GUEST = 7                   # of one that the handover does not need

VMCOREINFO = """OSRELEASE=7.3.4
PAGESIZE=4096
SYMBOL(init_uts_ns)=%(uts)x
SYMBOL(node_online_map)=%(online)x
SYMBOL(swapper_pg_dir)=%(pgd)x
SYMBOL(init_top_pgt)=%(pgd)x
SYMBOL(_stext)=ffffffff80000000
SYMBOL(vmap_area_list)=ffffffff80000000
SYMBOL(mem_section)=%(root)x
SYMBOL(phys_base)=%(base)x
LENGTH(mem_section)=2048
SIZE(mem_section)=16
OFFSET(mem_section.section_mem_map)=0
NUMBER(SECTION_SIZE_BITS)=27
NUMBER(MAX_PHYSMEM_BITS)=46
SIZE(page)=64
OFFSET(page.flags)=0
OFFSET(page.lru)=8
OFFSET(page.mapping)=24
OFFSET(page.private)=40
OFFSET(page._mapcount)=48
OFFSET(page._refcount)=52
SIZE(pglist_data)=1000
OFFSET(pglist_data.node_zones)=0
OFFSET(pglist_data.nr_zones)=900
OFFSET(pglist_data.node_start_pfn)=904
OFFSET(pglist_data.node_spanned_pages)=912
OFFSET(pglist_data.node_id)=920
SIZE(list_head)=16
OFFSET(list_head.next)=0
OFFSET(list_head.prev)=8
SIZE(nodemask_t)=8
NUMBER(PG_lru)=4
NUMBER(PG_private)=13
NUMBER(PG_swapcache)=10
NUMBER(phys_base)=0
NUMBER(pgtable_l5_enabled)=0
NUMBER(KERNEL_IMAGE_SIZE)=1073741824
KERNELOFFSET=0
""" % {"uts": KERNEL_MAP + UTS, "online": KERNEL_MAP + 0x30000, "pgd": KERNEL_MAP + PGD,
       "root": KERNEL_MAP + SECTION_ROOT, "base": KERNEL_MAP + 0x30100}


def note(name, kind, text):
    """A note of an ELF file."""
    out = struct.pack("<III", len(name) + 1, len(text), kind)
    for part in (name + b"\0", text):
        out += part + bytes(-len(part) % 4)
    return out


def elf_core(memory, more=(), page=PAGE, machine=X86_64):
    """An ELF core with memory from its second page on, and more segments."""
    info = VMCOREINFO.replace("PAGESIZE=4096", "PAGESIZE=%d" % page)
    notes = note(b"CORE", 1, bytes(336 if machine == X86_64 else 392)) + \
        note(b"VMCOREINFO", 0, info.encode())
    segments = 2 + len(more)
    begin = 64 + 56 * segments
    data = -(-(begin + len(notes)) // page) * page
    out = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 4, machine, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0)
    out += struct.pack("<IIQQQQQQ", 4, 0, begin, 0, 0, len(notes), len(notes), 4)
    size = len(memory) - page
    for segment in [(data, DIRECT_MAP + page, page, size)] + list(more):
        out += struct.pack("<IIQQQQQQ", 1, 7, *segment, segment[-1], 0)
    return (out + notes).ljust(data, b"\0") + memory[page:]


def kernel_memory(luo):
    """Memory with LUO's pages, and as much of a kernel as makedumpfile reads."""
    memory = bytearray(SIZE)
    memory[PAGE:PAGE + len(luo)] = luo

    def put(at, *words):
        memory[at:at + 8 * len(words)] = struct.pack("<%dQ" % len(words), *words)

    # The direct map and that of the kernel, of a GiB each
    put(PGD + 8 * 273, PUD + 0x1000 | 0x63)
    put(PGD + 8 * 511, PUD | 0x63)
    put(PUD + 8 * 510, 0x1e3)
    put(PUD + 0x1000, 0x1e3)
    put(SECTION_ROOT, DIRECT_MAP + SECTION)
    put(SECTION, DIRECT_MAP + SECTION + 0x100)
    put(SECTION + 0x100, DIRECT_MAP + MEM_MAP | 3)
    put(0x30000, 1)
    names = b"".join(name.ljust(65, b"\0") for name in (
        b"Linux", b"host", b"7.3.4", b"#1", b"x86_64", b""))
    memory[UTS + 4:UTS + 4 + len(names)] = names
    # Debian's makedumpfile can leave out what belongs to a process.
    for page in (FLBS, GUEST):
        put(MEM_MAP + page * PAGE_STRUCT + MAPPING, page == GUEST)
    return memory


def runs(data):
    """Data in parts, each with whether all of its bytes are the same."""
    at = 0
    for m in re.finditer(rb"(.)\1{63,}", data, re.S):
        if m.start() > at:
            yield data[at:m.start()], False
        yield m.group(), True
        at = m.end()
    if at < len(data):
        yield data[at:], False


def zstd_page(data):
    """A frame of blocks that are plain, or of one byte."""
    out = struct.pack("<IBH", 0xfd2fb528, 0x60, len(data) - 256)
    left = len(data)
    for part, same in runs(data):
        left -= len(part)
        out += (len(part) << 3 | same << 1 | (not left)).to_bytes(3, "little")
        out += part[:1] if same else part
    return out


def snappy_page(data):
    """Literals, and copies of the byte before."""
    out = bytes((len(data) & 0x7f | 0x80, len(data) >> 7))
    for part, same in runs(data):
        head = part[:1] if same else part
        out += bytes((61 << 2,)) + (len(head) - 1).to_bytes(2, "little") + head
        left = len(part) - len(head)
        while left:
            size = min(left, 64)
            out += bytes((size - 1 << 2 | 2, 1, 0))
            left -= size
    return out


def recode(core, flag, encode):
    """A core of makedumpfile -c with its pages compressed in another way."""
    block, sub, bitmaps = struct.unpack_from("<III", core, 428)
    table = (1 + sub + bitmaps) * block
    bits = core[(1 + sub) * block:table][bitmaps * block // 2:]
    nr = sum(bin(byte).count("1") for byte in bits)
    out = bytearray(core[:table + 24 * nr])
    for i in range(nr):
        at, size, old, flags = struct.unpack_from("<QIIQ", core, table + 24 * i)
        data = core[at:at + size]
        plain = zlib.decompress(data) if old & 1 else data
        data = encode(plain)
        # As makedumpfile does: compressed only if it is smaller
        if len(data) >= len(plain):
            data, used = plain, 0
        else:
            used = flag
        struct.pack_into("<QIIQ", out, table + 24 * i, len(out), len(data), used, flags)
        out += data
    return bytes(out)


class Cores:
    """The cores in a directory."""

    def __init__(self, tmp):
        self.tmp = tmp
        subprocess.run([os.path.join(TOP, "build/host/handover_test"), tmp], check=True)
        with open(self.path("core"), "rb") as f:
            luo = f.read()[120:]
        memory = kernel_memory(luo)
        self.write("elf", elf_core(memory))
        # As /proc/kcore has them: of memory that is at no one physical address
        self.write("kcore", elf_core(memory, [
            (PAGE, 0xffffc90000000000, (1 << 64) - 1, PAGE)]))
        memory[MEM_MAP + FLBS * PAGE_STRUCT + MAPPING] = 1
        self.write("processes", elf_core(memory))

    def path(self, name):
        return os.path.join(self.tmp, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def make(self, source, name, *options):
        """Have makedumpfile write a core."""
        to = self.path(name)
        r = run(["makedumpfile"] + list(options) + [self.path(source), to])
        check(r.returncode == 0, "makedumpfile writes " + name, r.stdout, r.stderr)
        return name

    def show(self, name, luotrace=LUOTRACE, timeout=60):
        """What luotrace shows with a core."""
        return run([luotrace, "handover", "--files", "--memory", self.path(name),
                    self.path("KHO")], timeout=timeout)


def show_kinds(cores):
    """Each kind of core has the same handover."""
    want = cores.show("core")
    check(want.returncode == 0 and "8 of 8 records" in want.stdout,
          "a core without notes", want.stdout, want.stderr)
    cores.make("elf", "zlib", "-c", "-d", "0")
    cores.make("elf", "left out", "-c", "-d", "15")
    cores.make("elf", "lzo", "-l", "-d", "1")
    cores.make("elf", "elf of makedumpfile", "-E", "-d", "15")
    cores.write("zstd", recode(cores.read("zlib"), 0x20, zstd_page))
    cores.write("snappy", recode(cores.read("zlib"), 4, snappy_page))
    cores.write("plain", recode(cores.read("zlib"), 0, bytes))
    for name in ("elf", "kcore", "zlib", "left out", "lzo", "elf of makedumpfile",
                 "zstd", "snappy", "plain"):
        r = cores.show(name)
        check(r.returncode == 0 and r.stdout == want.stdout and not r.stderr,
              "a core, " + name, r.returncode, r.stdout, r.stderr)
    plain = len(cores.read("plain"))
    check(plain > SIZE - PAGE and all(len(cores.read(name)) < plain // 4 for name in (
        "zlib", "left out", "lzo", "zstd", "snappy")), "these are compressed")


def left_out(cores):
    """The page that makedumpfile has left out is named, with why."""
    cores.make("processes", "no processes", "-c", "-d", "15")
    r = cores.show("no processes")
    check(r.returncode == 1 and
          "! block at 0x6000: is not in the core: the page at 0x6000 was left out by\n"
          "  makedumpfile -d 15 (page cache, private page cache, memory of processes)\n"
          "  (FLBs)\n" in r.stdout, "a page that was left out", r.returncode, r.stdout,
          r.stderr)


def damaged(cores):
    """A core that is cut or damaged is not taken for one of zeros."""
    whole = cores.read("zlib")
    for name, size in (("elf", 100), ("elf", 9000), ("elf", SIZE - PAGE),
                       ("zlib", 100), ("zlib", 9000), ("zlib", 20000),
                       ("zlib", len(whole) - 1000), ("plain", 100000)):
        cores.write("cut", cores.read(name)[:size])
        r = cores.show("cut")
        check(r.returncode == 3 and not r.stdout and
              ("cut' is cut: it has %d bytes, its headers need " % size in r.stderr or
               size == 100 and "cut' is not a core" in r.stderr),
              "%s, cut to %d bytes" % (name, size), r.returncode, r.stdout, r.stderr)
    block, sub, bitmaps = struct.unpack_from("<III", whole, 428)
    entry = (1 + sub + bitmaps) * block + 24 * (FLBS - 1)
    at, = struct.unpack_from("<Q", whole, entry)
    cores.write("damaged", whole[:at] + b"\xff" * 8 + whole[at + 8:])
    r = cores.show("damaged")
    check(r.returncode == 1 and "! block at 0x6000: cannot be read from the core at "
          "0x6000: " in r.stdout, "a page that is damaged", r.returncode, r.stdout,
          r.stderr)


def refused(cores):
    """What is not a core."""
    with open(cores.path("elf"), "rb") as f, open(cores.path("flat"), "wb") as out:
        subprocess.run(["makedumpfile", "-F", "-c", "-d", "0", cores.path("elf")],
                       stdin=f, stdout=out, stderr=subprocess.DEVNULL, check=True)
    r = cores.show("flat")
    # libkdumpfile reads them from 0.5.3 on.
    check(r.returncode == 0 and "8 of 8 records" in r.stdout or
          r.returncode == 3 and "is a flattened core; 'makedumpfile -R" in r.stderr,
          "a flattened core", r.returncode, r.stdout, r.stderr)
    for path, want in (("/dev/null", "'/dev/null' is not a core, such as a vmcore, "),
                       (LUOTRACE, "luotrace' is not a core, such as a vmcore, "),
                       (cores.path("none"), "none': No such file"),
                       (cores.tmp, "' is not a core, such as a vmcore, ")):
        r = run([LUOTRACE, "handover", "--memory", path, cores.path("KHO")])
        check(r.returncode == 3 and not r.stdout and want in r.stderr,
              "not a core: " + os.path.basename(path), r.returncode, r.stdout, r.stderr)


def helper(cores):
    """luotrace-core is found where it is installed; luotrace outlives it."""
    installed = cores.path("root/sbin/luotrace")
    core = cores.path("root/libexec/luotrace/luotrace-core")
    os.makedirs(os.path.dirname(installed))
    os.makedirs(os.path.dirname(core))
    shutil.copy(LUOTRACE, installed)
    r = cores.show("zlib", installed)
    check(r.returncode == 3 and "cannot find luotrace-core, which reads cores; its "
          "place is " in r.stderr, "luotrace-core is missing", r.returncode, r.stderr)
    shutil.copy(LUOTRACE + "-core", core)
    r = cores.show("zlib", installed)
    check(r.returncode == 0 and "8 of 8 records" in r.stdout, "it is installed",
          r.returncode, r.stdout, r.stderr)
    for script, want in (("kill -9 $$", "was killed by signal 9"),
                         ("exit 127", "has ended with status 127")):
        cores.write(core, b"#!/bin/sh\n" + script.encode() + b"\n")
        r = cores.show("zlib", installed)
        check(r.returncode == 3 and
              "zlib' cannot be read: luotrace-core " + want in r.stderr,
              "it ends: " + script, r.returncode, r.stderr)
    # A reply without memory to the opening, and then nothing.
    cores.write(core, b"#!/bin/sh\nprintf '\\0\\0\\0\\0\\0\\0\\0\\0'\nkill -7 $$\n")
    r = cores.show("zlib", installed)
    check(r.returncode == 1 and "! subtree 'LUO' cannot be read: luotrace-core was "
          "killed by signal 7\n" in r.stdout, "it ends while it is read", r.returncode,
          r.stdout, r.stderr)
    # What it says of a core may quote it.
    cores.write(core, b"#!/bin/sh\nprintf '\\11\\0\\0\\0\\0\\0\\0\\0"
                b"is \\033[2Jno'\n")
    r = cores.show("zlib", installed)
    check(r.returncode == 3 and r.stderr.endswith("zlib' is \\x1b[2Jno\n"),
          "what it says is printable", r.returncode, r.stderr)
    r = run([LUOTRACE + "-core"])
    check(r.returncode == 2 and "is started by luotrace handover --memory" in r.stderr,
          "somebody starts it", r.returncode, r.stderr)


def sandboxed(cores):
    """When it has opened a core, it has no capability, and a filter of system calls."""
    ours, theirs = socket.socketpair()
    with open(cores.path("zlib"), "rb") as core, subprocess.Popen(
            [LUOTRACE + "-core"], stdin=core, stdout=theirs) as proc:
        theirs.close()
        reply = ours.recv(8, socket.MSG_WAITALL)
        with open("/proc/%d/status" % proc.pid) as f:
            status = dict(re.findall(r"^(\w+):\s*(.*)$", f.read(), re.M))
        ours.close()
    check(reply == struct.pack("<II", 0, PAGE) and proc.returncode == 0,
          "it opens a core in its sandbox, and ends", reply, proc.returncode)
    have = [status[key] for key in ("CapPrm", "CapEff", "NoNewPrivs", "Seccomp")]
    check(have == ["0" * 16, "0" * 16, "1", "2"],
          "there it has no capability, cannot gain one, and few system calls", have)


def large_pages(cores):
    """Blocks are as large as a page of the kernel that wrote them."""
    subprocess.run([os.path.join(TOP, "build/host/handover_64k_test"), cores.tmp],
                   check=True)
    memory = bytes(65536) + cores.read("pages")
    cores.write("arm64", elf_core(memory, page=65536, machine=AARCH64))
    r = run([LUOTRACE, "handover", "--memory", cores.path("arm64"),
             cores.path("LUO-FDT")])
    check(r.returncode == 0 and "session a: 3 files, 320KiB" in r.stdout and
          "proven        6 of 6 blocks, 8 of 8 records" in r.stdout,
          "an arm64 core of 64 KiB pages", r.returncode, r.stdout, r.stderr)


def test_cores():
    with tempfile.TemporaryDirectory() as tmp:
        cores = Cores(tmp)
        for part in (show_kinds, left_out, damaged, refused, helper, sandboxed,
                     large_pages):
            part(cores)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
