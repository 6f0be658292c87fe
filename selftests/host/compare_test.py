#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace compare: what it reads, the sides, what it says as text, JSON and HTML, its
exit codes. compare_sets_test has the noise. Prints TAP."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from report_test import EVENTS, HEAD, MS, Page, write
from schema import check_output
from tap import LUOTRACE, TOP, check, end, run


def compare(*args, **kwargs):
    return run([LUOTRACE, "compare"] + list(args), **kwargs)


def made(name, *how):
    """A record that the program of another test writes."""
    path = os.path.join(TOP, "build/host", name)
    subprocess.run([os.path.join(TOP, "build/host/blackout_test"), path, "0"] +
                   list(how), check=True)
    return path


def timeline(path):
    return json.loads(run([LUOTRACE, "timeline", "--json", path]).stdout)


def slower(base, ns, handler="slow-v1"):
    """The timeline, with a handler that takes ns of the freeze."""
    t = copy.deepcopy(base)
    row = copy.deepcopy(t["old_kernel"]["calls"][0])
    row.update(handler=handler, count=1, total_ns=ns, wall_ns=ns, min_ns=ns, max_ns=ns)
    t["old_kernel"]["calls"].append(row)
    t["phases"][1]["duration_ns"] += ns
    t["freeze_window_ns"] += ns
    t["blackout_ns"] += ns
    t["known_ns"] += ns
    return t


def jittered(t, factor):
    """The timeline, with each time multiplied."""
    if isinstance(t, list):
        return [jittered(one, factor) for one in t]
    if isinstance(t, dict):
        return {k: int(v * factor) if k.endswith("_ns") and isinstance(v, int) else
                jittered(v, factor) for k, v in t.items()}
    return t


def save(path, t):
    with open(path, "w") as f:
        json.dump(t, f)
    return path


def verdicts(r):
    """{(what, name): verdict} of what is not the same."""
    return {(row["of"], row.get("handler") or row.get("subsystem") or row["phase"]):
            row["verdict"] for row in json.loads(r.stdout)["rows"]
            if row["verdict"] not in ("same", None)}


def sides(tmp, base, n, b):
    """Directories with n live updates each; b makes one of the second side."""
    for name in ("a", "b"):
        shutil.rmtree(os.path.join(tmp, name), ignore_errors=True)
        os.mkdir(os.path.join(tmp, name))
    for i in range(n):
        # In turns: no side is slower than the other one.
        save(os.path.join(tmp, "a/%d.json" % i), jittered(slower(base, MS),
                                                          1 + 0.02 * i))
        save(os.path.join(tmp, "b/%d.json" % i), jittered(b, 1 + 0.02 * i + 0.001))
    return os.path.join(tmp, "a"), os.path.join(tmp, "b")


def test_sources(tmp, record):
    """Whatever has a live update is the same as itself."""
    saved = os.path.join(tmp, "saved")
    os.mkdir(saved)
    last = json.loads(run([os.path.join(TOP, "build/host/steps_test"), "save",
                           saved]).stdout)
    recording = write(os.path.join(tmp, "one.luotrace"), [HEAD] + EVENTS + [dict(
        last, lost={"events": 0, "calls_in_others": 0, "missed": 0})])
    printed = save(os.path.join(tmp, "printed"), timeline(record))
    for what, a, b in (("a copy of a recorder", record, record),
                       ("its timeline as JSON", record, printed),
                       ("an update that was saved", "1", saved + "/000001.update"),
                       ("a recording", recording, "1")):
        r = compare("--json", "--dir", saved, a, b)
        check_output("compare", [r.stdout], "compare --json of " + what)
        rows = json.loads(r.stdout)["rows"]
        known = [row for row in rows if row["verdict"] == "same"]
        check(r.returncode == 0 and len(known) >= 11 and
              all(row["change_ns"] == 0 for row in known) and not r.stderr,
              what + " is read", r.stdout, r.stderr)
    r = compare("--json", "--dir", saved, saved, saved)
    check([len(json.loads(r.stdout)[k]) for k in "ab"] == [4, 4],
          "a directory has all its updates", r.stdout, r.stderr)


def test_calls(tmp, record):
    """A recording without a live update has calls; those that failed are apart."""
    end_line = {"event": "end", "recorder": None, "box": None, "kho": None,
                "lost": {"events": 0, "calls_in_others": 0, "missed": 0,
                         "functions": 0}}
    bare = write(os.path.join(tmp, "bare.luotrace"), [HEAD] + EVENTS + [end_line])
    r = compare("--json", bare, bare)
    check_output("compare", [r.stdout], "compare --json of recordings")
    rows = json.loads(r.stdout)["rows"]
    calls = [row for row in rows if row["of"] == "calls"]
    check(calls and all(row["recorded_by"] == "trace" and row["scope"] is None and
                        row["verdict"] == "same" for row in calls) and
          {row["of"] for row in rows} <= {"calls", "failed_calls"},
          "a recording without a live update has its calls", r.stdout, r.stderr)
    r = compare(bare, record)
    check(r.returncode == 3 and "no row is known on both sides" in r.stderr,
          "these are not the calls of a live update", r.stdout, r.stderr)


def test_sides(tmp, record):
    base = timeline(record)
    a = save(os.path.join(tmp, "a.json"), base)
    b = save(os.path.join(tmp, "b.json"), slower(base, 20 * MS))
    r = compare("--json", a, b)
    check(r.returncode == 1 and verdicts(r) == {("calls", "slow-v1"): "worse"},
          "a handler that is slower is found in one live update a side", r.stdout)
    r = compare("--json", b, a)
    check(r.returncode == 0 and verdicts(r) == {("calls", "slow-v1"): "better"},
          "one that is faster is nothing to fail for", r.stdout)
    r = compare("--json", "--", a, b)
    check(r.returncode == 2 and "no file before --" in r.stderr, "a side has a file",
          r.stderr)
    r = compare("--json", a, a, "--", b)
    check(r.returncode == 1 and [len(json.loads(r.stdout)[k]) for k in "ab"] == [2, 1],
          "-- is between the sides", r.stdout, r.stderr)
    for args, why in (((a,), "want A and B"), ((a, b, a), "want A and B"),
                      ((a, "--"), "no file after --"), ((), "want A and B"),
                      (("--html", "--json", a, b), "one of --html and --json")):
        r = compare(*args)
        check(r.returncode == 2 and why in r.stderr, "%d arguments: %s" % (
            len(args), why), r.stderr)


def test_several(tmp, record):
    base = timeline(record)
    a, b = sides(tmp, base, 5, slower(base, MS))
    r = compare(a, b)
    check(r.returncode == 0 and "no difference that is larger than the noise" in
          r.stdout, "equal sides are equal", r.stdout)
    a, b = sides(tmp, base, 5, slower(base, 21 * MS))
    r = compare("--json", a, b)
    check_output("compare", [r.stdout], "compare --json of directories")
    check(r.returncode == 1 and verdicts(r) == {
        ("calls", "slow-v1"): "worse", ("phase", "freeze"): "follows",
        ("freeze_window", None): "follows", ("blackout", None): "follows"},
        "what a handler is in follows it", r.stdout)
    r = compare(a, b)
    check(re.search(r"\n1 difference for the worse, 0 for the better, in 1\d rows\n\n"
                    r"\* handler slow-v1, freeze: 1\.04ms to 21\.9ms, 20\.8ms slower"
                    r"\n  therefore freeze: .*\n  therefore freeze window: .*\n"
                    r"  therefore blackout: .*\n\n", r.stdout) and
          re.search(r"^>   handler slow-v1, freeze\n +1\.04ms ", r.stdout, re.M) and
          re.search(r"^\. freeze  +3\.12ms ", r.stdout, re.M),
          "text has the difference first, then each row", r.stdout)
    check(max(map(len, r.stdout.splitlines())) <= 80, "text has 80 columns", r.stdout)
    # The phase is slower by more than its handler.
    t = slower(base, 21 * MS)
    for o, key in ((t["phases"][1], "duration_ns"), (t, "freeze_window_ns"),
                   (t, "blackout_ns")):
        o[key] += 30 * MS
    a, b = sides(tmp, base, 5, t)
    found = verdicts(compare("--json", a, b))
    check(found[("phase", "freeze")] == "worse" and
          found[("calls", "slow-v1")] == "worse" and
          found[("blackout", None)] == "follows",
          "a phase that is slower by more is a difference of its own", found)
    page_of(compare("--html", a, b))


def page_of(r):
    page = Page()
    page.feed(r.stdout)
    check(r.returncode == 1 and not page.open and not page.wrong and not page.links and
          page.tags["svg"] > 10 and "script" not in page.tags and
          "slow-v1" in r.stdout,
          "the page is whole, without scripts and other files", r.stderr)


def test_unknown(tmp, record):
    """Unknown is unknown, not zero; a target that is not called takes no time."""
    base = timeline(record)
    less = copy.deepcopy(base)
    less["phases"][4]["duration_ns"] = less["blackout_ns"] = None
    a = save(os.path.join(tmp, "a.json"), base)
    b = save(os.path.join(tmp, "b.json"), less)
    r = compare("--json", a, b)
    check(r.returncode == 0 and verdicts(r) == {
        ("blackout", None): "unknown", ("phase", "kernel init"): "unknown"},
        "what is not known is not compared", r.stdout)
    text = compare(a, b).stdout
    check(re.search(r"^  kernel init +5\.00ms +- +- +- +- +-$", text, re.M),
          "it is a dash", text)
    text = compare(a, "--", a, b).stdout
    check(re.search(r"^  kernel init +5\.00ms .*\n +B: known of 1 live update in 2$",
                    text, re.M), "or it is said of how many it is known", text)
    less["old_kernel"]["calls"] = []
    r = compare("--json", a, save(b, less))
    row = [row for row in json.loads(r.stdout)["rows"] if "handler" in row][0]
    check(row["b"]["median_ns"] == 0 and row["b"]["calls"] == 0 and
          row["verdict"] == "same", "no call takes no time", row)
    less["old_kernel"]["lost_calls"] = 3
    r = compare("--json", a, save(b, less))
    row = [row for row in json.loads(r.stdout)["rows"] if "handler" in row][0]
    check(row["b"]["median_ns"] is None and row["verdict"] == "unknown",
          "unless calls were lost", row)
    less = copy.deepcopy(base)
    less["old_kernel"]["calls"][0]["wall_ns"] = None
    r = compare("--json", a, save(b, less))
    row = [row for row in json.loads(r.stdout)["rows"] if "handler" in row][0]
    check(row["b"]["median_ns"] is None and row["verdict"] == "unknown",
          "calls whose time is unknown took some", row)


def test_one_call(tmp, record):
    """Of single live updates one long call is no difference, two are."""
    base = timeline(record)
    t = copy.deepcopy(base)
    t["old_kernel"]["calls"][0].update(total_ns=50 * MS, wall_ns=50 * MS,
                                       max_ns=49 * MS)
    a = save(os.path.join(tmp, "a.json"), base)
    b = save(os.path.join(tmp, "b.json"), t)
    r = compare("--json", a, b)
    row = [row for row in json.loads(r.stdout)["rows"] if "handler" in row][0]
    check(r.returncode == 0 and row["verdict"] == "same" and row["one_call"],
          "one long call is no difference", row)
    check("one call of several is longer, the others are not" in compare(a, b).stdout,
          "which is said")
    t["old_kernel"]["calls"][0]["max_ns"] = 25 * MS
    r = compare("--json", a, save(b, t))
    check(r.returncode == 1 and verdicts(r) == {("calls", "vfio-v1"): "worse"},
          "two are", r.stdout)


def test_untraced(tmp, record):
    """Where nobody traced from the beginning, a target may have been called."""
    base = timeline(record)
    row = dict(base["old_kernel"]["calls"][0], handler="new-v1", op="retrieve",
               scope="agent")
    more = copy.deepcopy(base)
    more["new_kernel"]["calls"].append(row)
    a = save(os.path.join(tmp, "a.json"), more)
    b = save(os.path.join(tmp, "b.json"), base)
    check(("calls", "new-v1") not in verdicts(compare("--json", a, b)),
          "a target that is not called took no time")
    base["new_kernel_note"] = "luotrace came late"
    save(b, base)
    check(verdicts(compare("--json", a, b)) == {("calls", "new-v1"): "unknown"},
          "if nobody traced, that is unknown")


def test_failed(tmp):
    t = timeline(made("record-failed", "failed"))
    slow = copy.deepcopy(t)
    slow["failed"] = jittered(slow["failed"], 10)
    r = compare(save(os.path.join(tmp, "a"), t), save(os.path.join(tmp, "b"), slow))
    check(r.returncode == 0 and "no difference" in r.stdout and
          re.search(r"slow-v1, freeze +2\.00s +- +20\.0s +- +- +-\n", r.stdout),
          "attempts that failed are shown, not compared", r.stdout)
    failed = made("record-failed", "failed")
    r = compare("--json", failed, failed)
    rows = [row for row in json.loads(r.stdout)["rows"] if row["of"] == "failed_calls"]
    compared = [row for row in json.loads(r.stdout)["rows"]
                if row["verdict"] not in (None, "unknown")]
    check(r.returncode == 0 and rows and all(row["verdict"] is None for row in rows) and
          json.loads(r.stdout)["tested"] == len(compared) and
          json.loads(r.stdout)["a"][0]["failed_reboots"] == 1,
          "attempts that failed are apart", r.stdout)
    text = compare(failed, failed).stdout
    check("before them 1 reboot failed, 1 PREPARE" in " ".join(text.split()) and
          "attempts that failed\n  handler slow-v1, freeze" in text,
          "in text, too", text)


def test_names(tmp, record):
    """A name can have any bytes."""
    odd = slower(timeline(record), 20 * MS, "<b>\\xff ü")
    a = save(os.path.join(tmp, "a.json"), timeline(record))
    b = save(os.path.join(tmp, "b<i>\x1b.json"), odd)
    r = compare("--json", a, b)
    check(("calls", "<b>\\xff ü") in verdicts(r), "in JSON", r.stdout)
    text = compare(a, b).stdout
    check("handler <b>\\xff\\x20ü, freeze" in text and "\x1b" not in text, "in text",
          text)
    page = compare("--html", a, b).stdout
    check("&lt;b&gt;\\xff" in page and "<b>\\xff" not in page and "<i>" not in page and
          "\x1b" not in page, "in the page", page)


def test_rejected(tmp, record):
    base = timeline(record)
    good = save(os.path.join(tmp, "good.json"), base)
    cases = [("/no/such", "No such file"), ("/dev/null", "is not a record"),
             ("7", "000007.update"), (os.path.join(tmp, "empty"), "has no *.update")]
    os.mkdir(os.path.join(tmp, "empty"))
    for i, (change, why) in enumerate((
            ({"command": "audit"}, "is not what luotrace timeline --json"),
            ({"phases": 5}, "not a timeline"), ({"blackout_ns": -1}, "not a timeline"),
            ({"blackout_ns": "x"}, "not a timeline"),
            ({"workloads": [{"name": "x" * 99, "blackout_ns": 1}]}, "not a timeline"),
            ({"old_kernel": {}}, "not a timeline"), ({"failed": 1}, "not a timeline"))):
        cases.append((save(os.path.join(tmp, "bad%d" % i), dict(base, **change)), why))
    cut = os.path.join(tmp, "cut")
    with open(good) as f, open(cut, "w") as to:
        to.write(f.read()[:-9])
    cases.append((cut, "is not what luotrace timeline --json"))
    for path, why in cases:
        r = compare("--dir", tmp, good, path)
        check(r.returncode == 3 and why in r.stderr and not r.stdout,
              "%s: %s" % (os.path.basename(path), why), r.returncode, r.stderr)


def test_output(tmp, record):
    path = os.path.join(tmp, "out")
    r = compare("-o", path, record, record)
    with open(path) as f:
        check(r.returncode == 0 and not r.stdout and f.read().startswith("A: "),
              "the output is written to a file", r.stderr)
    r = compare("-o", "/no/such/file", record, record)
    check(r.returncode == 1 and "cannot write" in r.stderr, "or that fails", r.stderr)


def main():
    record = made("record-compare")
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as tmp:
                test(*((tmp, record)[:test.__code__.co_argcount]))
    return end()


if __name__ == "__main__":
    sys.exit(main())
