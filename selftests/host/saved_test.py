#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Updates that luotrace record --carry has saved: luotrace timeline lists and shows
them, luotrace report draws them, alone and in a trace. Prints TAP."""

import json
import os
import re
import subprocess
import sys
import tempfile

from report_test import EVENTS, HEAD, MS, Page, pixels, write
from schema import check_output
from tap import LUOTRACE, TOP, check, end, run


def timeline(directory, *args):
    return run([LUOTRACE, "timeline", "--dir", directory] + list(args))


def report(directory, *args):
    return run([LUOTRACE, "report", "--dir", directory] + list(args))


def test_list(directory):
    r = timeline(directory, "--list", "--json")
    check_output("timeline-list", [r.stdout], "timeline --list --json")
    updates = json.loads(r.stdout)["updates"]
    check(r.returncode == 0 and [u["number"] for u in updates] == [1, 2, 3, 4],
          "all updates are listed", r.stdout, r.stderr)
    check([u["blackout_ns"] for u in updates] == [36 * MS] * 3 + [None] and
          updates[3]["known_ns"] < 36 * MS, "a sum of some phases is no blackout",
          r.stdout)
    r = timeline(directory, "--list")
    check(len(r.stdout.splitlines()) == 5 and re.search(
        r"\n +1 .* 36\.0ms +\S+ +7\.3\.4 -> 7\.3\.4", r.stdout),
          "in text, too", r.stdout)
    empty = os.path.join(directory, "none")
    r = timeline(empty, "--list", "--json")
    check_output("timeline-list", [r.stdout], "a list of no update")
    check(timeline(empty, "--list").stdout == "no update is saved\n",
          "a list can be empty")
    check(timeline(directory, "--list", "1").returncode == 2,
          "a list is of all updates")


def test_timeline(directory):
    shown = {}
    for number in (1, 2, 3, 4):
        r = timeline(directory, str(number), "--json")
        check_output("timeline", [r.stdout], "timeline %d --json" % number)
        shown[number] = json.loads(r.stdout)
    one = shown[1]
    steps = one["shutdown"]["steps_ns"]
    check(list(steps.values()) == [ms * MS for ms in (3, 4, 5, 6, 7, 8)] and
          one["shutdown"]["seen_to_end"] and one["shutdown"]["devices"] == 52,
          "the shutdown has its steps", one["shutdown"])
    devices = [(d["device"], d["driver"], d["duration_ns"])
               for d in one["shutdown"]["longest_devices"]]
    check(devices[:2] == [("0000:00:04.0", "nvme <b>", 500000),
                          ("0000:00:03.0", None, 400000)] and len(devices) == 5,
          "and its devices", devices)
    check(one["observer"] == {"run_ns": 360000, "runs": 645, "observed_ns": 36 * MS,
                              "share": 0.01} and shown[3]["observer"]["runs"] is None,
          "a box has what it cost", one["observer"], shown[3]["observer"])
    check(one["old_kernel_by"] == "box" and one["new_kernel_note"] is None and
          one["liveupdate_number"] is None,
          "a kernel that does not tell the number has none", one)
    check(not shown[2]["shutdown"]["seen_to_end"] and
          shown[2]["shutdown"]["steps_ns"]["machine"] is None,
          "a box that did not see the kexec says so", shown[2]["shutdown"])
    check(shown[3]["shutdown"] is None and shown[3]["old_kernel_by"] == "recorder" and
          shown[3]["liveupdate_number"] == 7, "without a box there are no steps")
    check("before that is unknown" in shown[4]["new_kernel_note"] and
          shown[4]["old_kernel"] is None and shown[4]["blackout_ns"] is None,
          "what was not seen is unknown", shown[4]["new_kernel_note"])
    r = timeline(directory, "1")
    check(r.stdout.startswith("Live update at 20") and
          re.search(r"5\.00ms +shutdown of devices, 52 of them\n +500us +device "
                    r"0000:00:04\.0, driver nvme\\x20<b>\n", r.stdout),
          "text has the steps and the longest devices", r.stdout)
    r = timeline(directory, "4")
    check(r.returncode == 0 and "old kernel -" in r.stdout and
          "known in all" in r.stdout, "an update without an old kernel is shown",
          r.stdout, r.stderr)
    r = timeline(directory, "9")
    check(r.returncode == 3 and "000009.update" in r.stderr and not r.stdout,
          "an update that is missing is named", r.stderr)


def test_report(directory):
    path = os.path.join(directory, "000001.update")
    r = report(directory, "1")
    check(r.returncode == 0 and r.stdout == timeline(directory, "1").stdout + "\n",
          "a report of an update is its timeline", r.stdout, r.stderr)
    r = report(directory, "--json", "1", path)
    check_output("report", [r.stdout], "report --json of updates")
    one, two = json.loads(r.stdout)["traces"]
    check(one == two and one["timeline"]["shutdown"]["devices"] == 52 and
          not one["calls"] and one["ended"], "by its number or its file", r.stdout)
    events = json.loads(report(directory, "--perfetto", "1").stdout)["traceEvents"]
    spans = [e for e in events if e["ph"] == "X"]
    check(len(spans) == 8 and min(e["ts"] for e in spans) == 0 and
          events[0]["args"]["name"] == "blackout of live update",
          "Perfetto shows its phases, from the first one on", events[:2])
    r = report(directory, "9")
    check(r.returncode == 3 and "000009.update" in r.stderr,
          "a missing update is named", r.stderr)


def test_trace(directory, last):
    """A trace has the update of its kernel; an update that was saved goes first."""
    last = dict(last, lost={"events": 0, "calls_in_others": 0, "missed": 0})
    lines = [HEAD] + EVENTS + [last]
    trace = write(os.path.join(directory, "trace"), lines)
    schema_line = dict(last, lost=dict(last["lost"], functions=None))
    check_output("record", [json.dumps(schema_line)], "the last line of a recording")
    r = report(directory, "--json", trace)
    check_output("report", [r.stdout], "report --json of a trace with a box")
    shown = json.loads(r.stdout)["traces"][0]["timeline"]
    check(shown["shutdown"]["devices"] == 52 and shown["old_kernel_by"] == "box",
          "a trace has the steps of the shutdown", shown)
    text = report(directory, trace).stdout
    check("shutdown of devices, 52 of them" in text and "preserve" in text and
          "645 runs of BPF programs, 360us in 36.0ms, 1.000 % of" in " ".join(
              text.split()), "its text, too", text)
    page = report(directory, "--html", trace).stdout
    both = report(directory, "--html", trace, "1").stdout
    check(page.count("<h1>Live update") == both.count("<h1>Live update") == 1,
          "what a saved update tells is not told again")
    events = json.loads(report(directory, "--perfetto", trace, "1").stdout)
    names = [e["args"].get("name") for e in events["traceEvents"] if e["ph"] == "M"]
    check(names.count("blackout of live update") == 1, "nor is it in Perfetto", names)
    old = {k: v for k, v in last.items() if k != "box"}
    shown = json.loads(report(directory, "--json", write(
        trace, lines[:-1] + [old])).stdout)["traces"][0]["timeline"]
    check(shown["shutdown"] is None and shown["blackout_ns"] == 36 * MS,
          "a trace of an older luotrace has its record", shown)
    for what, box in (("no base64", "!"), ("cut", last["box"][:400]),
                      ("no text", 7), ("too long", last["box"] + "AAAA"),
                      ("changed", last["box"][:200] + "AAAA" + last["box"][204:])):
        r = report(directory, write(trace, lines[:-1] + [dict(last, box=box)]))
        check(r.returncode == 3 and "a damaged record" in r.stderr,
              "a damaged box is rejected: " + what, r.stderr)


def test_page(directory):
    path = os.path.join(directory, "page.html")
    r = report(directory, "--html", "-o", path, "1")
    with open(path) as f:
        text = f.read()
    page = Page()
    page.feed(text)
    check(r.returncode == 0 and not page.wrong and not page.open and
          page.tags["h1"] == page.tags["svg"] == 1, "an update is a page of its own",
          page.wrong, page.open, page.tags)
    check("No event below" not in text, "which does not miss events")
    check("<h1>Live update: blackout" in text and "driver nvme &lt;b&gt;" in text and
          "52 devices" in text and "645 runs of BPF programs" in text,
          "with the steps and the devices, and what it cost")
    late = report(directory, "--html", "4").stdout
    check("before that is unknown" in late, "and with what is unknown")
    cut = report(directory, "--html", "2").stdout
    check("the rest of the shutdown is unknown" in cut, "and until when a box saw")
    shot = os.path.join(directory, "page.png")
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                    "--hide-scrollbars", "--window-size=900,700",
                    "--screenshot=" + shot, "file://" + path], capture_output=True,
                   timeout=120, env=dict(os.environ, HOME=directory))
    drawn = pixels(shot) if os.path.exists(shot) else {}
    want = [bytes.fromhex(c) for c in ("66a182", "2e86ab", "a1c181")]
    check(all(drawn.get(c, 0) > 500 for c in want), "a browser draws it",
          {k.hex(): v for k, v in drawn.items() if v > 500})


def main():
    with tempfile.TemporaryDirectory() as directory:
        made = run([os.path.join(TOP, "build/host/steps_test"), "save", directory])
        check(made.returncode == 0, "updates are saved", made.stderr)
        test_list(directory)
        test_timeline(directory)
        test_report(directory)
        test_trace(directory, json.loads(made.stdout))
        test_page(directory)
    return end()


if __name__ == "__main__":
    sys.exit(main())
