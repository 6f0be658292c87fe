#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The stacks of a recording in luotrace report: JSON, folded, and the flame graph on
the page, which a parser of XML reads and a browser draws. Prints TAP."""

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

from report_test import EVENTS, FROZEN, HEAD, MS, pixels, run, write
from schema import check_output
from tap import TOP, check, end, run as run_any

END = {"event": "end", "recorder": None, "box": None, "kho": None,
       "lost": {"events": 0, "calls_in_others": 0, "missed": 0, "functions": 0}}
EVIL = "<b>\"'&x</b> ]]>\x1b"


def stack(ns, *frames, on=True):
    return {"frames": list(frames), "on_cpu": on, "ns": ns, "count": 1}


def call(handler, op, *stacks):
    on, off = (sum(s["ns"] for s in stacks if s["on_cpu"] == x) for x in (True, False))
    return {"handler": handler, "op": op, "count": 2, "total_ns": on + off,
            "on_cpu_ns": on, "off_cpu_ns": off, "stacks": list(stacks)}


def stacks(*calls):
    return {"min_ns": MS, "period_ns": MS, "missing": None, "lost_stacks": 0,
            "lost_calls": 0, "calls": list(calls)}


def recording(directory, name, what):
    return write(os.path.join(directory, name),
                 [HEAD] + EVENTS + [dict(END, stacks=what)])


def drawing(path):
    """The boxes of the flame graph: class, name, ns text, x, y, width, height."""
    page = run("--html", path).stdout
    found = re.search(r'<svg class="flames".*?</svg>', page, re.S)
    root = xml.fromstring(found.group()) if found else xml.Element("svg")
    boxes = []
    for rect in root.iter("rect"):
        name, _, rest = rect.find("title").text.rpartition(": ")
        boxes.append((rect.get("class"), name, rest) + tuple(
            float(rect.get(key)) for key in ("x", "y", "width", "height")))
    return page, root, boxes


def parents(boxes):
    """Boxes below the first row that are not inside of exactly one of the row above."""
    rows = {}
    for b in boxes:
        rows.setdefault(b[4], []).append((b[3], b[3] + b[5]))
    heights = sorted(rows)
    lost = []
    for above, row in zip(heights, heights[1:]):
        for left, right in rows[row]:
            if sum(a - 0.02 <= left and right <= b + 0.02
                   for a, b in rows[above]) != 1:
                lost.append((row, left, right))
    return lost


def overlaps(boxes):
    """Boxes of a row that overlap."""
    ordered = sorted((b[4], b[3], b[3] + b[5]) for b in boxes)
    return [(a, b) for a, b in zip(ordered, ordered[1:])
            if a[0] == b[0] and a[2] > b[1] + 0.02]


def test_real(directory):
    """What the program makes of stacks of the kernel."""
    made = run_any([os.path.join(TOP, "build/host/stacks_test"), "json"]).stdout
    path = recording(directory, "real", json.loads(made))
    with open(path) as f:
        check_output("record", f.readlines()[-1:], "a recording with stacks")
    r = run("--json", path)
    one = json.loads(r.stdout)["traces"][0]
    check(one["stacks"] == json.loads(made), "report has the stacks of the recording",
          r.stdout, r.stderr)
    r = run("--folded", path)
    check(r.stdout.splitlines()[0] == "flb;prepare;h_freeze;burn 900000" and
          len(r.stdout.splitlines()) == 3, "folded", r.stdout, r.stderr)
    r = run(path)
    check("helper [my_mod] > __schedule" in r.stdout, "and as text", r.stdout)
    page = run("--html", path).stdout
    check("1 stack, and those of 2 calls, found no room" in page,
          "the page says what was lost")


def test_frozen(directory):
    """A recording that the kexec ended has the stacks of the last line with some."""
    lines = [HEAD] + EVENTS + [FROZEN]
    early, late = stacks(call("h", "prepare")), stacks(call("h", "freeze", stack(5)))
    path = write(os.path.join(directory, "frozen"), lines + [
        {"event": "stacks", "stacks": early}, {"event": "stacks", "stacks": late}])
    one = json.loads(run("--json", path).stdout)["traces"][0]
    check(one["stacks"] == late and not one["ended"],
          "stacks that were written before the end are there", one["stacks"])
    path = write(os.path.join(directory, "none"), lines)
    r = run("--json", path)
    check(json.loads(r.stdout)["traces"][0]["stacks"] is None,
          "without, there are none")
    check(run("--folded", path).stdout == "" and
          "flames\"" not in run("--html", path).stdout, "nor a drawing")


def test_drawing(directory):
    deep = ["f%d" % i for i in range(64)]
    path = recording(directory, "drawn", stacks(
        call(EVIL, "freeze", stack(60 * MS, "freeze", "burn"),
             stack(30 * MS, "freeze", "sleep", "__schedule", on=False),
             stack(5 * MS, "freeze"), stack(5 * MS, EVIL, "\u6f22\u6f22")),
        call("memfd-v2", "preserve", stack(100 * MS, *deep))))
    _, root, boxes = drawing(path)
    names = {(b[0], b[1]): b for b in boxes}
    spelled = EVIL.replace("\x1b", "\\x1b")
    check(len(boxes) > 70, "it is well-formed XML",
          len(boxes))
    check(("head", spelled) in names and ("on", spelled) in names,
          "names are as they are, but for what is not seen", sorted(names))
    check(not parents(boxes) and not overlaps(boxes),
          "a box is inside the one above it, and beside the others", parents(boxes),
          overlaps(boxes))
    # Half of all is of each handler.
    want = {("on", "burn"): 60, ("off", "sleep"): 30, ("off", "__schedule"): 30,
            ("on", "f63"): 100, ("head", "memfd-v2"): 100, ("head", spelled): 100,
            ("on", "on a CPU"): None, ("off", "off the CPU"): 30}
    bad = {k: names.get(k) for k, ms in want.items() if k not in names or
           ms and (abs(names[k][5] - 960 * ms / 200) > 0.02 or
                   names[k][2] != "%.3gms, %.1f %%".replace(
                       "3g", "1f" if ms < 100 else "0f") % (ms, ms / 2))}
    check(not bad, "a box is as wide as its time", bad)
    height = float(root.get("viewBox").split()[3])
    check(max(b[4] + b[6] for b in boxes) <= height <= 68 * 18,
          "the drawing is as high as its rows", height)
    # The checks can fail.
    moved = [b[:3] + (b[3] + 1,) + b[4:] if b[1] == "f63" else b for b in boxes]
    wider = [b[:5] + (b[5] + 1,) + b[6:] if b[1] == "burn" else b for b in boxes]
    check(parents(moved) and (overlaps(wider) or parents(wider)),
          "a box in the wrong place is detected")


def test_many(directory):
    """No more boxes than can be seen."""
    many = [stack(MS, "f", "g%05d" % i, "h") for i in range(20000)]
    path = recording(directory, "many", stacks(call(
        "h", "freeze", stack(20000 * MS, "f", "wide"), *many)))
    _, _, boxes = drawing(path)
    check({b[1] for b in boxes} == {"h", "freeze", "on a CPU", "f", "wide"},
          "boxes of less than 0.1 % are left out", len(boxes))
    path = recording(directory, "nothing", stacks(call("h", "freeze", stack(0, "f"))))
    page, _, boxes = drawing(path)
    check(not boxes and "Where calls of 1.00ms" in page, "no time is no drawing")


def test_bad(directory):
    good = call("h", "freeze", stack(5, "f"))
    for what, bad in (("no object", 7), ("no list", dict(stacks(), calls=None)),
                      ("no name", stacks({k: v for k, v in good.items()
                                          if k != "handler"})),
                      ("less than no time", stacks(call("h", "o", stack(-5)))),
                      ("frames beyond the last", stacks(call(
                          "h", "o", stack(5, *["f"] * 65))))):
        r = run("--html", recording(directory, "bad", bad))
        check(r.returncode == 3 and "damaged stacks" in r.stderr and not r.stdout,
              "rejected: " + what, r.stderr)
    r = run(write(os.path.join(directory, "bad"), [HEAD, {"event": "stacks"}]))
    check(r.returncode == 3 and "line 2: damaged stacks" in r.stderr,
          "rejected: a line of stacks without them", r.stderr)


def test_browser(directory):
    path = recording(directory, "seen", stacks(call(
        "h", "freeze", stack(60 * MS, "freeze", "burn"),
        stack(30 * MS, "freeze", "sleep", on=False))))
    page = os.path.join(directory, "page.html")
    run("--html", "-o", page, path)
    shot = os.path.join(directory, "page.png")
    r = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", "--window-size=900,2000", "--screenshot=" + shot,
         "file://" + page], capture_output=True, text=True, timeout=120,
        env=dict(os.environ, HOME=directory))
    drawn = pixels(shot) if os.path.exists(shot) else {}
    on, off = (drawn.get(bytes.fromhex(c), 0) for c in ("f0a868", "92b8dc"))
    check(off > 2000 and 1.5 < on / off < 2.5,
          "a browser draws time on and off the CPU in proportion", on, off,
          r.stderr[-500:])


def main():
    with tempfile.TemporaryDirectory() as directory:
        for name, test in sorted(globals().items()):
            if name.startswith("test_"):
                test(directory)
    return end()


if __name__ == "__main__":
    sys.exit(main())
