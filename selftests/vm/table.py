# SPDX-License-Identifier: GPL-2.0
"""Reads the table of VM tests, tests.toml, which explains its keys."""

import difflib
import os
import tomllib
from dataclasses import dataclass, field

import arch

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "tests.toml")
# The same tests on both bases and architectures.
DEFAULT_FLAVOURS = ("default", "7.2", "arm64")
# Keys that are options of selftests/vm/run, and whether they can be given repeatedly.
OPTIONS = {"append": False, "clock": False, "cpus": False, "disk": False,
           "expect_exit": False, "expect_klog": True, "mem": False, "next": False,
           "qemu": False, "stage_limit": False, "ticks": True}


class Error(Exception):
    """The table, or a name that is looked up in it, is wrong."""


@dataclass
class Row:
    """A test."""

    name: str
    proves: str = ""
    script: str = ""
    like: str = ""
    args: list = field(default_factory=list)
    flavours: tuple = DEFAULT_FLAVOURS
    long: list = field(default_factory=list)
    programs: list = field(default_factory=list)
    modules: list = field(default_factory=list)
    host_programs: list = field(default_factory=list)
    files: list = field(default_factory=list)
    options: dict = field(default_factory=dict)

    def next(self, flavour):
        """The flavour of the kernel after one of a flavour; None: the same."""
        name = self.options.get("next")
        return name and arch.same_arch(name, flavour)

    def command(self, flavour):
        """Arguments of selftests/vm/run, but for --out."""
        words = ["--flavour", flavour]
        for path in ([program_path(p) for p in self.programs] +
                     ["KERNEL/" + m for m in self.modules] + self.files):
            words += ["--file", built_for(path, flavour)]
        for name in self.host_programs:
            words += ["--program", name]
        options = dict(self.options)
        if "next" in options:
            options["next"] = arch.kernel(self.next(flavour))
        for key, value in options.items():
            for one in value if OPTIONS[key] else [value]:
                # Options of QEMU look like options of this one.
                words.append("--%s=%s" % (key.replace("_", "-"), one))
        # An argument that looks like an option is none.
        return words + ["--", "selftests/guest/" + self.script] + self.args


def built_for(path, flavour):
    """The path of a file where what is built for the flavour's architecture is."""
    programs = arch.of(flavour).programs
    optional = "?" if path.startswith("?") else ""
    rest = path.removeprefix("?")
    if programs and rest.startswith("build/"):
        return "%sbuild/%s/%s" % (optional, programs, rest[len("build/"):])
    return path


def program_path(name):
    return "build/luotrace" if name == "luotrace" else "build/selftests/guest/" + name


def make_row(name, table):
    """The row of a table, with what it takes from the one that it is like."""
    keys = table[name]
    if "like" in keys:
        if keys["like"] not in table:
            raise Error("test '%s' is like '%s', which is none" % (name, keys["like"]))
        taken = {k: v for k, v in table[keys["like"]].items()
                 if k not in ("flavours", "long")}
        keys = taken | keys
    unknown = set(keys) - set(OPTIONS) - (set(Row.__dataclass_fields__) - {"options"})
    if unknown:
        raise Error("test '%s' has unknown keys: %s" %
                    (name, ", ".join(sorted(unknown))))
    options = {k: keys[k] for k in OPTIONS if k in keys}
    row = Row(name, options=options,
              **{k: v for k, v in keys.items() if k not in OPTIONS})
    if not set(row.long) <= set(row.flavours):
        raise Error("test '%s' is long with flavours that it does not run with" % name)
    if not row.script or not row.proves:
        raise Error("test '%s' needs script and proves" % name)
    return row


def read(path=TABLE):
    """{name: Row}, in the order of the table."""
    with open(path, "rb") as f:
        try:
            table = tomllib.load(f)
        except tomllib.TOMLDecodeError as e:
            raise Error("%s: %s" % (path, e)) from None
    return {name: make_row(name, table) for name in table}


def unknown_name(kind, name, names):
    """A message with what could be meant."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    text = "no %s '%s'; " % (kind, name)
    if near:
        text += "did you mean %s? " % " or ".join("'%s'" % n for n in near)
    words = " " if not any(" " in n for n in names) else "; "
    return text + "known are: " + words.join(names)


def select(rows, wanted, flavour=None, short=False):
    """[(Row, flavour)] of the tests that are wanted.

    wanted: names, which then run with their first flavour unless one is given; without
    names all of the flavour, or if short is true those that are not long with it.
    """
    flavours = list(dict.fromkeys(f for row in rows.values() for f in row.flavours))
    if flavour and flavour not in flavours:
        raise Error(unknown_name("flavour", flavour, flavours))
    for name in wanted:
        if name not in rows:
            raise Error(unknown_name("test", name, list(rows)))
    if wanted:
        return [(rows[name], flavour or rows[name].flavours[0]) for name in wanted]
    flavour = flavour or "default"
    return [(row, flavour) for row in rows.values() if flavour in row.flavours and
            not (short and flavour in row.long)]
