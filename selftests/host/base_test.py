#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of tools/build/base-check, with a base made of what kernel/base.list asks
for. Prints TAP."""

import os
import re
import shutil
import sys
import tempfile

from apt_root import program
from tap import TOP, check, run, run_tests

LIST = os.path.join(TOP, "kernel/base.list")
DIR = "kernel/liveupdate/"
KEYWORDS = {"struct", "const", "void", "static", "inline", "bool", "unsigned", "define",
            "include", "long", "size", "enum", "error", "obj", "config", "source"}


def rows(keyword):
    with open(LIST) as f:
        return [line.split(None, 3)[1:] for line in f
                if line.startswith(keyword + "\t")]


def sample(text):
    """C text that fits a text of the list; of a regular expression, without its \\."""
    if text.startswith("/"):
        text = re.sub(r"\[\^}\]\*(\\b)?|\\b", "", text.strip("/"))
        text = text.replace("\\", "")
    return text


def make_base(tmp):
    """A tree with every text of the list, and none of the replaced files."""
    for file, _, *text in rows("needs"):
        path = os.path.join(tmp, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a") as f:
            f.write("".join(sample(t.strip()) + "\n" for t in text))
    return tmp


def change(base, file, old, new):
    path = os.path.join(base, file)
    with open(path) as f:
        text = f.read()
    assert old in text, (file, old)
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def add(base, file, text):
    path = os.path.join(base, file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as f:
        f.write(text)


def base_check(base):
    r = run(["tools/build/base-check", base])
    lines = r.stderr.splitlines()
    errors = [line for line in lines if "warning: " not in line]
    return r, errors, [line for line in lines if line not in errors]


def test_list():
    """Each file of the overlay uses what the list says that it relies on."""
    for file, user, *text in rows("needs"):
        path = os.path.join(TOP, user if "/" in user else DIR + user)
        with open(path) as f:
            words = set(re.findall(r"\w{4,}", f.read() + path))
        wanted = set(re.findall(r"\w{4,}", "".join(text) or file)) - KEYWORDS
        if not wanted & words or not os.path.exists(path):
            check(False, "%s uses %s" % (user, "".join(text) or file))
    check(len(rows("needs")) > 60, "all users use what they need")


def test_fits():
    """A base that has everything fits; white space and comments do not matter."""
    with tempfile.TemporaryDirectory() as tmp:
        base = make_base(tmp)
        r, errors, _ = base_check(base)
        check(r.returncode == 0 and not errors, "a base with all of the list fits",
              r.stderr)
        change(base, "include/linux/kexec_handover.h",
               "int kho_add_subtree(const char *name, void *blob, size_t size);",
               "int kho_add_subtree(const char * name, /* x */\n\t\tvoid *blob,\n"
               "\t\tsize_t size);")
        r, errors, _ = base_check(base)
        check(r.returncode == 0 and not errors, "and if it is formatted differently",
              r.stderr)


def test_each_need():
    """Without any one of the texts, the base does not fit, and the line names it."""
    wrong = []
    with tempfile.TemporaryDirectory() as tmp:
        make_base(os.path.join(tmp, "whole"))
        for file, user, *text in rows("needs"):
            base = os.path.join(tmp, "base")
            shutil.rmtree(base, ignore_errors=True)
            shutil.copytree(os.path.join(tmp, "whole"), base)
            want = user if "/" in user else DIR + user
            if text:
                change(base, file, sample(text[0].strip()) + "\n", "\n")
            else:
                os.unlink(os.path.join(base, file))
            r, errors, _ = base_check(base)
            if r.returncode != 1 or not any(
                    line.startswith("base-check: %s: " % file) and
                    line.endswith("; %s relies on it" % want) for line in errors):
                wrong.append((file, text, r.stderr))
    check(not wrong, "each thing that is missing is named", *wrong)


# file, text, what it is changed to
CHANGED = (
    ("include/linux/kexec_handover.h", "void *blob, size_t size", "void *blob"),
    ("include/linux/kho_block.h", "u64 head_pa", "u32 head_pa"),
    ("kernel/kexec_core.c", "error = liveupdate_reboot();", "liveupdate_reboot(x);"),
    ("include/linux/kmsg_dump.h", "int kmsg_dump_register",
     "int my_kmsg_dump_register"),
)


def test_changed():
    """A function with other parameters, a field of another type."""
    for file, old, new in CHANGED:
        with tempfile.TemporaryDirectory() as tmp:
            base = make_base(tmp)
            change(base, file, old, new)
            r, errors, _ = base_check(base)
            check(r.returncode == 1 and len(errors) == 1 and file in errors[0],
                  "%s has '%s'" % (file, new), r.stderr)


LOST = (
    ("a function", "include/linux/liveupdate.h", "int liveupdate_new(int x);\n",
     "drivers/x.c", "int y = liveupdate_new(1);\n", "'liveupdate_new', which its "
     "drivers/x.c uses"),
    ("an inline function", "include/linux/liveupdate.h",
     "static inline bool liveupdate_new(void)\n{\n\treturn true;\n}\n",
     "mm/x.c", "if (liveupdate_new())\n", "'liveupdate_new', which its mm/x.c uses"),
    ("a macro", "include/linux/kho/abi/luo.h", "#define LUO_NEW 5\n",
     "include/linux/x.h", "#define X LUO_NEW\n", "'LUO_NEW', which its "
     "include/linux/x.h uses"),
    ("a structure", "include/linux/liveupdate.h", "struct luo_new {\n\tint x;\n};\n",
     "kernel/x.c", "struct luo_new x;\n", "'luo_new', which its kernel/x.c uses"),
    ("an exported function", "kernel/liveupdate/luo_core.c",
     "int luo_core_new(void)\n{\n}\nEXPORT_SYMBOL_GPL(luo_core_new);\n",
     "fs/x.c", "x = luo_core_new();\n", "'luo_core_new', which its fs/x.c uses"),
    ("an option", "kernel/liveupdate/Kconfig", "config LIVEUPDATE_NEW\n\tbool\n", None,
     "",
     "the option 'LIVEUPDATE_NEW', the overlay's does not"),
    ("a source file", "kernel/liveupdate/kho_new.c", "int x;\n", None, "",
     "kernel/liveupdate/Makefile of the overlay does not build"),
    ("a file of its LUO", "kernel/liveupdate/luo_new.c", "int x;\n", None, "",
     "kernel/base.list does not know"),
)


def test_lost():
    """What the base has gained in a file that the overlay replaces."""
    for what, file, text, user, use, want in LOST:
        with tempfile.TemporaryDirectory() as tmp:
            base = make_base(tmp)
            add(base, file, text)
            if user:
                r, errors, warnings = base_check(base)
                check(r.returncode == 0 and any(file in line and "is not known" in line
                                                for line in warnings),
                      "%s that nothing uses is a warning" % what, r.stderr)
                add(base, user, use)
            r, errors, _ = base_check(base)
            check(r.returncode == 1 and len(errors) == 1 and file in errors[0] and
                  want in errors[0], "%s that the base has gained is named" % what,
                  r.stderr)


def test_kernel():
    """The kernel's build checks the base before it begins."""
    with tempfile.TemporaryDirectory() as tmp:
        base = make_base(os.path.join(tmp, "base"))
        change(base, "kernel/kexec_core.c", "error = liveupdate_reboot();", "")
        add(base, "Makefile", "kernelversion:\n\t@echo 7.9.0\n")
        program(os.path.join(tmp, "pahole"), "#!/bin/sh\n")
        env = dict(os.environ, KSRC=base, XDG_CACHE_HOME=os.path.join(tmp, "cache"),
                   PATH=tmp + ":" + os.environ["PATH"])
        r = run(["tools/build/kernel"], env=env)
        lines = r.stderr.splitlines()
        check(r.returncode == 1 and len(lines) > 1 and
              lines[0].startswith("base-check: kernel/kexec_core.c: ") and
              lines[-1].startswith("kernel: the overlay does not fit '%s'" % base) and
              not os.path.exists(os.path.join(tmp, "cache/luotrace/trees")),
              "it says what does not fit, and builds nothing", r.stderr)


def test_usage():
    """A directory that is no kernel, and a list with an error."""
    r = run(["tools/build/base-check", "/etc"])
    check(r.returncode == 2 and "want a Linux source tree" in r.stderr,
          "a directory that is no kernel is rejected", r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
