#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of make kernel-deb: configurations that are none, or that have no LUO.
They end before anything is built. Prints TAP."""

import gzip
import os
import shutil
import sys
import tempfile

from tap import TOP, check, run, run_tests

KCONFIG = """
config 64BIT
	bool "64-bit kernel" if "$(ARCH)" = "x86"

config X86_64
	def_bool y
	depends on 64BIT

config ARCH_SUPPORTS_KEXEC_HANDOVER
	def_bool X86_64

config ARCH_SUPPORTS_KEXEC_FILE
	def_bool X86_64

config SHMEM
	bool "Use full shmem filesystem" if EXPERT
	default y

config DEBUG_INFO_REDUCED
	bool "Reduce debugging information"

config DEBUG_INFO_BTF
	bool "Generate BTF type information"
	depends on !DEBUG_INFO_REDUCED
	depends on PAHOLE_VERSION >= 122
	depends on !RANDSTRUCT || COMPILE_TEST
	help
	  It depends on BTF.
	  depends on nothing
"""
WHOLE = ["64BIT", "X86_64", "ARCH_SUPPORTS_KEXEC_HANDOVER",
         "ARCH_SUPPORTS_KEXEC_FILE", "KEXEC_HANDOVER", "KEXEC_HANDOVER_DEBUGFS",
         "LIVEUPDATE", "LIVEUPDATE_MEMFD", "LIVEUPDATE_RECORDER", "MEMFD_CREATE",
         "SHMEM", "BPF_EVENTS", "DEBUG_INFO_BTF"]
CHAIN = ("it needs CONFIG_KEXEC_HANDOVER, which is not set: it needs "
         "CONFIG_ARCH_SUPPORTS_KEXEC_HANDOVER, which is not set: it needs "
         "CONFIG_X86_64, which is not set: it needs CONFIG_64BIT, which is not set: ")


def write(path, lines, opener=open):
    with opener(path, "wt") as f:
        f.write("".join(line + "\n" for line in lines))
    return path


def make_tree(tmp):
    """The Kconfig of this LUO, below a base with what it depends on."""
    other = KCONFIG.replace("depends on 64BIT", "depends on NOT_HERE")
    for where, text in (("arch/x86", KCONFIG), ("arch/um", other)):
        os.makedirs(os.path.join(tmp, where))
        write(os.path.join(tmp, where, "Kconfig"), [text])
    os.makedirs(os.path.join(tmp, "kernel/liveupdate"))
    shutil.copy(os.path.join(TOP, "kernel/liveupdate/Kconfig"),
                os.path.join(tmp, "kernel/liveupdate/Kconfig"))


# what was asked for, what olddefconfig left out, and what is said
CASES = (
    (["CONFIG_LIVEUPDATE=y"], [], 0, ""),
    (["# comment", "# CONFIG_LIVEUPDATE is not set"], ["LIVEUPDATE"], 1,
     "CONFIG_LIVEUPDATE is not set: line 2 of 'FILE' disables it"),
    (["CONFIG_LIVEUPDATE=n"], ["LIVEUPDATE"], 1, "line 1 of 'FILE' disables it"),
    (["CONFIG_SMP=y"], ["LIVEUPDATE"], 1,
     "CONFIG_LIVEUPDATE is not set: 'FILE' has no line CONFIG_LIVEUPDATE=y"),
    (["CONFIG_LIVEUPDATE=y", "# CONFIG_KEXEC_HANDOVER is not set"],
     ["LIVEUPDATE", "KEXEC_HANDOVER"], 1,
     "it needs CONFIG_KEXEC_HANDOVER, which is not set: line 2 of 'FILE' disables it"),
    (["CONFIG_LIVEUPDATE=y"], ["LIVEUPDATE", "KEXEC_HANDOVER"], 1,
     "which is not set: 'FILE' has no line CONFIG_KEXEC_HANDOVER=y"),
    (["# CONFIG_64BIT is not set", "CONFIG_LIVEUPDATE=y"], WHOLE, 1,
     CHAIN + "line 1 of 'FILE' disables it"),
    (["CONFIG_LIVEUPDATE=y"], ["LIVEUPDATE"], 1,
     "line 1 of 'FILE' has it, but it needs more; see kernel/liveupdate/Kconfig"),
    (["CONFIG_LIVEUPDATE=y", "# CONFIG_SHMEM is not set"],
     ["LIVEUPDATE_MEMFD", "SHMEM"], 0,
     "warning: no memfd can be preserved without CONFIG_LIVEUPDATE_MEMFD: it needs "
     "CONFIG_SHMEM, which is not set: line 2 of 'FILE' disables it"),
    (["CONFIG_LIVEUPDATE=y", "CONFIG_DEBUG_INFO_REDUCED=y"], ["DEBUG_INFO_BTF"], 0,
     "luotrace cannot trace without CONFIG_DEBUG_INFO_BTF: it needs "
     "'!DEBUG_INFO_REDUCED' (arch/x86/Kconfig); see line 2 of 'FILE'"),
)


def test_reasons():
    """What is missing has a reason: a line of the file, or what it depends on."""
    with tempfile.TemporaryDirectory() as tmp:
        make_tree(tmp)
        path, result = os.path.join(tmp, "given"), os.path.join(tmp, "result")
        for lines, gone, code, want in CASES:
            for opener in (open, gzip.open):
                write(path, lines, opener)
                write(result, ["CONFIG_%s=y" % n for n in WHOLE if n not in gone] +
                      [line for line in lines if "REDUCED" in line])
                r = run(["tools/build/config-check", tmp, "x86", path, result])
                said = r.stderr.replace(path, "FILE")
                check(r.returncode == code and want in said and
                      len(said.splitlines()) == (1 if want else 0),
                      "%s, compressed %s: %s" % (lines, opener is not open,
                                                 want or "nothing is missing"),
                      r.returncode, said)


def test_bad_files():
    """A file that cannot be a configuration ends the build before it begins."""
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "a file")
        header = "# Linux/arm64 7.3.4 Kernel Configuration"
        for make, want in (
                (lambda: None, "is no file; want a kernel configuration"),
                (lambda: os.mkdir(path), "is no file; want a kernel configuration"),
                (lambda: os.rmdir(path) or write(path, []),
                 "is no kernel configuration"),
                (lambda: write(path, ["LIVEUPDATE=y"]), "it has no line like"),
                (lambda: write(path, ["CONFIG_X="]), "it has no line like"),
                (lambda: write(path, [header, "CONFIG_LIVEUPDATE=y"]),
                 "is for arm64, this kernel is for x86"),
                (lambda: write(path, [header, "CONFIG_LIVEUPDATE=y"], gzip.open),
                 "is for arm64, this kernel is for x86")):
            make()
            r = run(["tools/build/kernel", "--deb", "--config", path])
            check(r.returncode == 1 and "CONFIG='%s' " % path in r.stderr and
                  want in r.stderr and len(r.stderr.splitlines()) == 1,
                  "a bad CONFIG: " + want, r.returncode, r.stderr)
    r = run(["tools/build/kernel", "--config", os.path.join(TOP, "Makefile")])
    check(r.returncode == 1 and "--config is for --deb" in r.stderr,
          "a flavour has its own configuration", r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
