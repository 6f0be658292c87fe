# SPDX-License-Identifier: GPL-2.0
"""Reads the tables of this directory, whose first lines explain their keys, and checks
that they make sense."""

import errno
import itertools
import os
import re
import tomllib
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
UAPI = "include/uapi/linux/liveupdate.h"
# In the order of the pages.
FILES = ("global", "subsystem", "session", "file", "flb", "calls", "errors",
         "differences")
# With which the tests have a handler fail.
HANDLER_ERRNO = errno.EDOM
EVENTS = ("PREPARE", "FREEZE", "FINISH", "CANCEL")


class Error(Exception):
    """The tables are wrong."""


def number(name):
    """The number of an errno; 0 for success, -1 for a call that does not return."""
    if name in ("", "0"):
        return 0
    if name == "waits":
        return -1
    if name == "handler":
        return HANDLER_ERRNO
    value = getattr(errno, name, None)
    if not isinstance(value, int):
        raise Error("'%s' is no errno" % name)
    return value


def as_list(value):
    return value if isinstance(value, list) else [value]


@dataclass
class Machine:
    """A state machine."""

    name: str
    title: str
    text: str
    event: str
    states: dict


@dataclass
class Step:
    """A transition, of one state and one call."""

    machine: str
    old: str
    what: str
    new: str
    number: int
    events: list
    when: str


@dataclass
class Transition:
    """A row: transitions with the same result."""

    machine: str
    does: str
    froms: list
    whats: list
    to: str = ""
    errno: str = ""
    event: str = ""
    also: list = field(default_factory=list)
    word: str = ""
    when: str = ""

    def fill(self, machine, event, old, what):
        """An event of one transition of this row."""
        words = {"ret": -number(self.errno), "old": machine.states[old][0],
                 "new": machine.states[self.to or old][0]}
        if "{event}" in event:
            first = re.split(r"[ ,]", what)[0]
            if not self.word and first not in EVENTS:
                raise Error("%s, '%s': needs 'word'" % (self.machine, what))
            words["event"] = self.word or first.lower()
        return event.format(**words)

    def steps(self, machine):
        events = [self.event or machine.event] + self.also
        for old, what in itertools.product(self.froms, self.whats):
            yield Step(self.machine, old, what, self.to or old, number(self.errno),
                       [self.fill(machine, e, old, what) for e in events], self.when)

    def shown_events(self, machine):
        """The events of the row: what differs between its transitions is in italics."""
        names = {"old": "*from*", "new": "*to*", "event": "*event*"}
        for event in [self.event or machine.event] + self.also:
            words = {}
            for key, name in names.items():
                values = {self.fill(machine, "{%s}" % key, old, what)
                          for old in self.froms for what in self.whats} \
                    if "{%s}" % key in event else {""}
                words[key] = values.pop() if len(values) == 1 else name
            yield event.format(ret="*-errno*" if self.errno == "handler" else
                               -number(self.errno), **words)


@dataclass
class Call:
    """A call."""

    name: str
    on: str
    ioctl: str = ""
    struct: str = ""
    refused: str = ""
    title: str = ""
    groups: list = field(default_factory=list)
    number: int = 0


@dataclass
class Refusal:
    """An errno of one call."""

    call: str
    case: str
    number: int
    events: list
    elsewhere: str


@dataclass
class CallError:
    """A row: an errno of one or more calls."""

    calls: list
    errno: str
    case: str
    reason: str
    event: str = None
    also: list = field(default_factory=list)
    tested_by: str = ""

    def events(self, call):
        """Of this row: the event of the call, or of the row, and the others."""
        event = call.refused if self.event is None else self.event
        return [event] * bool(event) + self.also


@dataclass
class Difference:
    """What a call returns on this LUO and on that of the base."""

    call: str
    case: str
    base: str
    ours: str
    reason: str
    id: str
    tested_by: str = ""
    source: str = ""


def make(cls, keys, where):
    try:
        return cls(**keys)
    except TypeError as e:
        raise Error("%s: %s" % (where, str(e).split("() ")[-1])) from None


@dataclass
class Tables:
    """All of them."""

    machines: dict = field(default_factory=dict)
    transitions: list = field(default_factory=list)
    calls: dict = field(default_factory=dict)
    errors: list = field(default_factory=list)
    differences: list = field(default_factory=list)

    def group(self, name):
        """The calls that a name of the table of errors means."""
        ioctls = [c for c in self.calls.values() if c.ioctl]
        if name == "every ioctl":
            return ioctls
        if name.startswith("@"):
            found = [c for c in ioctls if name[1:] in c.groups]
        else:
            found = [self.calls[name]] if name in self.calls else []
        if not found:
            raise Error("no call is '%s'" % name)
        return found

    def all_transitions(self):
        return [step for row in self.transitions
                for step in row.steps(self.machines[row.machine])]

    def all_errors(self):
        found = []
        for row in self.errors:
            for call in itertools.chain(*(self.group(name) for name in row.calls)):
                events = ["%s ret=%d" % (event, -number(row.errno))
                          for event in row.events(call)]
                found.append(Refusal(call.name, row.case, number(row.errno), events,
                                     row.tested_by))
        return found


def add_transition(t, keys):
    keys = dict(keys)
    where = "%s, from %s, %s" % tuple(keys.get(k) for k in ("machine", "from", "what"))
    keys["froms"] = as_list(keys.pop("from", []))
    keys["whats"] = as_list(keys.pop("what", []))
    keys["also"] = keys.pop("with", [])
    row = make(Transition, keys, where)
    machine = t.machines.get(row.machine)
    if not machine:
        raise Error("%s: no such machine" % where)
    for state in row.froms + [row.to or row.froms[0]]:
        if state not in machine.states:
            raise Error("%s: '%s' is no state of '%s'" % (where, state, row.machine))
    t.transitions.append(row)


def add_error(t, keys):
    keys = dict(keys)
    where = "%s, %s" % (keys.get("call"), keys.get("case"))
    keys["calls"] = as_list(keys.pop("call", []))
    keys["also"] = keys.pop("with", [])
    row = make(CallError, keys, where)
    number(row.errno)
    for name in row.calls:
        t.group(name)
    t.errors.append(row)


def only_once(what, ids):
    seen = set()
    for one in ids:
        if one in seen:
            raise Error("%s twice: %s" % (what, one))
        seen.add(one)


def check(t):
    only_once("transition", ["%s, from %s, %s" % (s.machine, s.old, s.what)
                             for s in t.all_transitions()])
    only_once("error", ["%s: %s" % (e.call, e.case) for e in t.all_errors()])
    only_once("difference", [d.id for d in t.differences])
    for d in t.differences:
        if bool(d.tested_by) != bool(d.source):
            raise Error("difference %s: 'tested_by' and 'source' only both" % d.id)
    for step in t.all_transitions():
        ret = [f for f in step.events[0].split(" ") if f.startswith("ret=")]
        if step.number and step.old == step.new and len(step.events) == 1 and \
                ret != ["ret=-%d" % step.number]:
            raise Error("%s, from %s, %s: its event is %s" % (
                step.machine, step.old, step.what, step.events[0]))


def read_numbers(t):
    """Take the numbers of the ioctls from the header."""
    with open(os.path.join(TOP, UAPI)) as f:
        text = f.read()
    values = dict(re.findall(r"^\t(LIVEUPDATE_CMD_\w+) = (\w+),", text, re.M))
    commands = dict(re.findall(
        r"^#define (LIVEUPDATE_\w+)\s+\\\n\t_IO\(LIVEUPDATE_IOCTL_TYPE, (\w+)\)", text,
        re.M))
    for call in t.calls.values():
        if not call.ioctl:
            continue
        if call.ioctl not in commands:
            raise Error("%s has no %s" % (UAPI, call.ioctl))
        value = commands[call.ioctl]
        while value in values:
            value = values[value]
        call.number = int(value, 16)


def read(directory=HERE):
    """The tables."""
    data = {}
    for name in FILES:
        path = os.path.join(directory, name + ".toml")
        if not os.path.exists(path):
            continue
        with open(path, "rb") as f:
            try:
                one = tomllib.load(f)
            except tomllib.TOMLDecodeError as e:
                raise Error("%s: %s" % (path, e)) from None
        data.setdefault("machine", {}).update(one.pop("machine", {}))
        for key, rows in one.items():
            data.setdefault(key, []).extend(rows)
    t = Tables()
    for name, keys in data.pop("machine").items():
        t.machines[name] = make(Machine, {"name": name} | keys, name)
    for keys in data.pop("call"):
        call = make(Call, {"title": keys["name"]} | keys, keys["name"])
        t.calls[call.name] = call
    for keys in data.pop("transition"):
        add_transition(t, keys)
    for keys in data.pop("error"):
        add_error(t, keys)
    for keys in data.pop("difference", []):
        t.differences.append(make(Difference, keys, keys.get("id")))
    if data:
        raise Error("unknown tables: %s" % ", ".join(data))
    read_numbers(t)
    check(t)
    return t
