#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of the tables that documentation and guest tests are made of: they say
what the kernel's own tables do. Prints TAP."""

import glob
import os
import re
import sys

from tap import TOP, check, run, run_tests

sys.path[:0] = [os.path.join(TOP, "selftests", d) for d in ("tables", "vm")]

import table                       # noqa: E402
import tables                      # noqa: E402

KERNEL = "kernel/liveupdate/"
FILES = {"LUO_FILE_PRESERVED": "NORMAL", "LUO_FILE_PREPARED": "PREPARED",
         "LUO_FILE_FROZEN": "FROZEN", "LUO_FILE_INCOMING": "incoming",
         "LUO_FILE_RETRIEVED": "retrieved", "LUO_FILE_FAILED": "failed"}
SESSIONS = {"LUO_DIR_OUT": "session-out", "LUO_DIR_IN": "session-in"}
# What a call for the object itself is called, if not as its event.
WORDS = {("session-in", "FINISH"): "SET_EVENT FINISH"}
# By machine: who can fail to prepare once an object has, with itself first; who can
# fail to freeze once it has; and who fails to freeze before it does.
FAILURES = {
    "subsystem-out": (["the subsystem", "a later subsystem", "a session"],
                      ["the subsystem", "a later subsystem"], ["a session"]),
    "session-out": (["a handler", "a later session"],
                    ["a handler", "a later session", "a subsystem"], []),
    "file-out": (["the handler", "a later file", "a later session"],
                 ["the handler", "a later file", "a later session", "a subsystem"], []),
}
# Errnos that only kernel callers get, or user space of no call.
INTERNAL = {
    # of liveupdate_register_...(), liveupdate_flb_get_...() and initcalls
    "EOPNOTSUPP", "ENODATA", "EEXIST", "ENOSPC", "ENOMEM", "EINVAL", "ENOENT",
    # what events tell that end without a call
    "ECANCELED",
}


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return f.read()


def c_rows(path, name):
    """The rows of a table in C: lists of words without their common prefixes."""
    body = re.search(r"\b%s\[\] = {(.*?)^};" % name, read(path), re.S | re.M).group(1)
    return [[re.sub(r"^LIVEUPDATE_(STATE_)?", "", w) for w in re.split(r",\s*", row)]
            for row in re.findall(r"{ (.*?) }", body, re.S)]


def kernel_pairs():
    """{(machine, state, event)} that a table of the kernel has."""
    pairs = {("global", row[0], row[1]) for row in c_rows(
        KERNEL + "luo_state.c", "luo_events")}
    for side, state, event, _ in c_rows(KERNEL + "luo_session.c", "luo_session_events"):
        state = "claimed" if state == "UPDATED" else state
        pairs.add((SESSIONS[side], state, event))
    for state, event, _ in c_rows(KERNEL + "luo_file_event.c", "luo_file_events"):
        word = FILES[state]
        machine = "file-out" if word.isupper() else "file-in"
        pairs.add((machine, word, event))
        if word == "incoming":
            pairs.add((machine, "waiting", event))
    return pairs


def own_events(t):
    """{(machine, state, event): errno} of the rows of events of the object itself."""
    words = {v: k for k, v in WORDS.items()}
    found = {}
    for step in t.all_transitions():
        machine, event = words.get(step.what, (step.machine, step.what))
        if machine == step.machine and event in tables.EVENTS and \
                (machine, event) not in WORDS or step.what in words:
            found[step.machine, step.old, event] = step.number
    return found


def test_transitions():
    t = tables.read()
    kernel, ours = kernel_pairs(), own_events(t)
    refusals = (tables.number("EINVAL"), tables.number("EAGAIN"))
    check(len(kernel) > 15, "the kernel's tables have rows", sorted(kernel))
    accepted = {pair for pair, number in ours.items() if number not in refusals}
    check(kernel <= accepted, "the table accepts each event that the kernel does",
          sorted(kernel - accepted))
    check(accepted <= kernel, "the kernel accepts each event that the table does",
          sorted(accepted - kernel))
    states = {(m, s) for m, s, _ in ours}
    every = {(m, s, e) for m, s in states for e in tables.EVENTS}
    check(every == set(ours), "each event in each state has a row",
          sorted(every - set(ours)))
    want = {(m.name, s) for m in t.machines.values() for s in m.states
            if s not in ("none", "unclaimed", "given-up", "gone") and
            not m.name.startswith(("subsystem-", "flb-"))}
    check(states == want, "in each state that knows events", sorted(states ^ want))


def failures():
    """{(machine, state, what)}: each step of all, and who can fail when an object has
    made it or was about to."""
    for machine, (prepares, freezes, before) in FAILURES.items():
        for who in prepares:
            yield machine, "NORMAL", "global PREPARE, %s fails" % who
            yield machine, "NORMAL", "reboot, %s fails to prepare" % who
        for who in freezes + before:
            yield machine, "NORMAL", "reboot, %s fails" % who
        for who in freezes:
            yield machine, "PREPARED", "reboot, %s fails" % who


def test_failures():
    ours = {(s.machine, s.old, s.what) for s in tables.read().all_transitions()}
    for row in failures():
        check(row in ours, "%s from %s: %s" % row)


def test_closes():
    """A session can be closed by itself and with the device, in each state."""
    t = tables.read()
    ours = {(s.machine, s.old, s.what) for s in t.all_transitions()}
    for machine in SESSIONS.values():
        for state in t.machines[machine].states:
            if state in ("none", "unclaimed"):
                continue
            frozen = " while the global state is FROZEN"
            if state == "FROZEN":
                whats = ["close", "close" + frozen, "close of the device" + frozen]
            else:
                end = frozen if state == "given-up" else ""
                whats = ["close" + end, "close of the device" + end]
            for what in whats:
                check((machine, state, what) in ours, "%s from %s: %s" %
                      (machine, state, what))


def c_body(text, name):
    return re.search(r"^[^\s/*][^\n;]*\b%s\([^;{]*?\)\n{(.*?)^}" % name, text,
                     re.S | re.M).group(1)


def test_subsystems():
    """Each state that registration and its end change has a row."""
    ours = {(s.machine, s.old, s.what) for s in tables.read().all_transitions()}
    text = read(KERNEL + "luo_subsystem.c")
    calls = (("liveupdate_unregister_subsystem", "luo_subsystem_cancel",
              ("subsystem-out", "PREPARED", "unregister")),
             ("liveupdate_unregister_subsystem", "luo_subsystem_finish",
              ("subsystem-in", "UPDATED", "unregister")),
             ("luo_subsystem_boot", "luo_subsystem_finish",
              ("subsystem-in", "waiting",
               "load of its module, the live update is finished")))
    for name, called, row in calls:
        check(called + "(" in c_body(text, name), "%s() calls %s()" % (name, called))
        check(row in ours, "%s from %s: %s" % row)


def test_given_up():
    """Each kind of what was handed over ends with the kernel that did not finish it."""
    t = tables.read()
    rows = {(s.machine, s.new) for s in t.all_transitions()}
    calls = re.findall(r"\bluo_(\w+)_give_up_all\(", read(KERNEL + "luo_state.c"))
    undo = re.findall(r"\bluo_(\w+)_give_up_all\(", read(KERNEL + "luo_core.c"))
    kinds = {m.removesuffix("-in") for m in t.machines if m.endswith("-in")}
    check({(k + "-in", "given-up") for k in kinds} <= rows, "each has a row",
          sorted(kinds))
    # A session gives its files up.
    check(set(calls) | {"file"} == kinds, "reboot() gives all of them up", calls)
    check(sorted(calls) == sorted(undo), "so does what turns live update off", undo)


def test_global_results():
    ours = {(s.old, s.what): s.new for s in tables.read().all_transitions()
            if s.machine == "global"}
    for old, event, new, *_ in c_rows(KERNEL + "luo_state.c", "luo_events"):
        check(ours.get((old, event)) == new, "%s leads from %s to %s" %
              (event, old, new), ours.get((old, event)))


def c_calls():
    """{ioctl: (flags, zero, setup, reject)} of the kernel."""
    text = read(KERNEL + "luo_ioctl.c")
    body = re.search(r"luo_ioctl_ops\[\] = {(.*?)^};", text, re.S | re.M).group(1)
    found = {}
    for row in re.findall(r"LUO_IOCTL\((.*?)\),\n(?=\tLUO_IOCTL|$)", body, re.S):
        words = [w.strip() for w in re.split(r",\s*(?![^()]*\))", row)]
        found[words[0]] = (words[1], words[4], words[5], words[7])
    return found


def groups_of(flags, zero, setup, name):
    found = set()
    if "LUO_UNLOCKED" not in flags or name == "SET_EVENT":
        found.add("waits")
    if "LUO_RESPONDS" in flags:
        found.add("responds")
    if zero != "0":
        found.add("reserved")
    if setup in ("luo_setup_fd", "luo_setup_session"):
        found.add("fd")
    if setup == "luo_setup_session":
        found.add("opens")
    return found


ON = {"LUO_ON_DEVICE": "the device", "LUO_ON_OUT": "an outgoing session",
      "LUO_ON_IN": "an incoming session", "LUO_ON_SESSION": "any session"}


def test_calls():
    t = tables.read()
    kernel = c_calls()
    ours = {c.ioctl: c for c in t.calls.values() if c.ioctl}
    check(len(kernel) > 15 and set(kernel) == set(ours), "each ioctl has a row",
          sorted(set(kernel) ^ set(ours)))
    for ioctl, (flags, zero, setup, reject) in kernel.items():
        call = ours.get(ioctl)
        if not call:
            continue
        check(set(call.groups) == groups_of(flags, zero, setup, call.name),
              "groups of %s" % call.name, call.groups)
        check(call.on == ON[flags.split(" ")[0]], "%s is made on %s" %
              (call.name, call.on), flags)
        check(bool(call.refused) == (reject != "NULL"),
              "%s is traced if it is rejected" % call.name, call.refused)


def errnos(t, call):
    return {e.errno for e in t.errors
            if any(call in t.group(name) for name in e.calls)}


def test_errors():
    t = tables.read()
    known = {e.errno for e in t.errors}
    for path in sorted(glob.glob(os.path.join(TOP, KERNEL, "luo_*.c"))):
        name = os.path.relpath(path, TOP)
        code = re.sub(r"/\*.*?\*/", "", read(name), flags=re.S)
        found = set(re.findall(r"-(E[A-Z0-9]+)\b", code))
        check(found <= known | INTERNAL, "errnos of %s" % name,
              sorted(found - known - INTERNAL))


def named_errnos(t, text, call):
    """What the comment of a call names, and those of the calls that it refers to."""
    comment = re.search(r"/\*\*\n \* struct %s - .*?\*/" % call.struct, text, re.S)
    words = re.sub(r"\s*\n \*\s*", " ", comment.group(0))
    found = set(re.findall(r"\b(E[A-Z0-9]{3,})\b", words)) & \
        {n for n in dir(tables.errno) if n.startswith("E")}
    for ioctl in re.findall(r"(?:those of|[Aa]s) (LIVEUPDATE_\w+)", words):
        for other in t.calls.values():
            if other.ioctl == ioctl and other is not call:
                found |= named_errnos(t, text, other)
    return found


def test_header():
    """What the comments of the header name, the table has, and the other way round."""
    t = tables.read()
    text = read(tables.UAPI)
    for call in t.calls.values():
        if not call.ioctl:
            continue
        found = named_errnos(t, text, call)
        check(found <= errnos(t, call), "errnos in the comment of %s" % call.name,
              sorted(found - errnos(t, call)))
        # Of memory and direction the common comment says enough.
        own = {e.errno for e in t.errors if call.name in e.calls} - \
            {"handler", "ENOMEM", "EOPNOTSUPP"}
        check(own <= found, "the comment of %s has its own errnos" % call.name,
              sorted(own - found))
    listed = set(re.findall(r"^ \*  - (E[A-Z0-9]+):", text, re.M))
    ours = {e.errno for e in t.errors for name in e.calls for c in t.group(name)
            if c.ioctl} - {"handler"}
    check(listed == ours, "the list of errnos is complete", sorted(listed ^ ours))


def test_elsewhere():
    """Rows that the test of all rows cannot reach."""
    rows = table.read()
    suites = {}
    for path in glob.glob(os.path.join(TOP, KERNEL, "tests/*_kunit.c")):
        with open(path) as f:
            text = f.read()
        for suite in re.findall(r'\.name = "([\w-]+)"', text):
            suites[suite] = set(re.findall(r"KUNIT_CASE\w*\((\w+)", text))
    t = tables.read()
    named = [(", ".join(e.calls), e.case, e.tested_by) for e in t.errors] + \
        [(d.call, d.id, d.tested_by) for d in t.differences]
    for call, row, test in named:
        if not test:
            continue
        kind, _, rest = test.partition(":")
        suite, _, case = rest.partition(":")
        check(case in suites.get(suite, ()) if kind == "kunit" else test in rows,
              "%s, %s: %s is a test" % (call, row, test))


def test_differences():
    """What this LUO returns is in the table of errors, too."""
    t = tables.read()
    for d in t.differences:
        if d.call not in t.calls or d.ours == "0":
            continue
        known = errnos(t, t.calls[d.call])
        check(d.ours in known, "%s: %s is an errno of %s" % (d.id, d.ours, d.call),
              sorted(known))


def test_pages():
    r = run([os.path.join(TOP, "tools/build/tables"), "--check"])
    check(r.returncode == 0 and not r.stdout, "the pages are current",
          r.stdout + r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
