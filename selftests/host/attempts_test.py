#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Failed attempts before a live update are apart from it, in a report and in metrics;
what workloads felt is on the page and in metrics;
events of another live update, and unknown figures, are marked. Prints TAP."""

import json
import os
import re
import subprocess
import sys
import tempfile

from report_test import EVENTS, FROZEN, HEAD, MS, call, end, phase, run, write
from tap import LUOTRACE, TOP, check, end as end_of_tests


def state(ms, old, new, requested, ret=0):
    return {"event": "luo_state", "time_ns": ms * MS, "number": 1, "old": old,
            "new": new, "requested": requested, "ret": ret, "pid": 7}


# A reboot that fails, a PREPARE that is cancelled, then one that succeeds.
ATTEMPTS = [
    EVENTS[0], call(1, "vm-a", 1, "preserve", 100),
    phase(2, "", "prepare"), call(3, "vm-a", 1, "prepare", 1000),
    phase(4, "", "prepare", True),
    phase(5, "", "freeze"), call(2006, "vm-a", 1, "freeze", 2000 * MS, -5, "slow-v1"),
    phase(2007, "", "freeze", True), call(2008, "vm-a", 1, "cancel", 7000),
    state(2009, "normal", "normal", "freeze", -5),
    phase(3000, "", "prepare"), call(3001, "vm-a", 1, "prepare", 5000),
    state(3002, "normal", "prepared", "prepare"),
    call(3003, "vm-a", 2, "preserve", 200),
    phase(3004, "", "cancel"), call(3005, "vm-a", 1, "cancel", 9000),
    state(3006, "prepared", "normal", "cancel"),
    phase(4000, "", "prepare"), call(4001, "vm-a", 1, "prepare", 3000),
    state(4002, "normal", "prepared", "prepare"),
    phase(4003, "", "prepare"), phase(4004, "", "freeze"),
    call(4005, "vm-a", 1, "freeze", 200000), FROZEN,
]


def test_attempts(directory):
    """Failed attempts have tables of their own."""
    path = write(os.path.join(directory, "attempts"),
                 [HEAD] + ATTEMPTS + [end("failed")])
    one = json.loads(run("--json", path).stdout)["traces"][0]

    def counted(key):
        return sorted((c["handler"], c["op"], c["count"], c["max_ns"])
                      for c in one[key])

    check(counted("calls") == [
        ("memfd-v2", "freeze", 1, 200000), ("memfd-v2", "prepare", 1, 3000),
        ("memfd-v2", "preserve", 2, 200)],
        "calls are those of the live update", one["calls"])
    check(counted("failed_calls") == [
        ("memfd-v2", "cancel", 2, 9000), ("memfd-v2", "prepare", 2, 5000),
        ("slow-v1", "freeze", 1, 2000 * MS)],
        "calls of attempts that failed or were cancelled are apart",
        one["failed_calls"])
    check(one["slowest"][0]["duration_ns"] == 200000 and
          one["failed_slowest"][0]["handler"] == "slow-v1",
          "so are the longest ones", one["slowest"])
    failed = one["timeline"]["failed"]
    check(failed["reboots"] == 1 and failed["cancelled"] == 1 and
          failed["last_ret"] == -5 and failed["last_ns"] == 2010 * MS and
          [(c["handler"], c["scope"], c["wall_ns"]) for c in failed["calls"]] ==
          [("slow-v1", "failed", 2000 * MS)] and
          failed["slowest"][0]["session"] == "vm-c" and
          failed["sessions"][0]["phase"] == "freeze",
          "the record has them apart, too", failed)
    check("slow-v1" not in json.dumps([one["timeline"][k] for k in (
        "phases", "findings", "old_kernel")]), "and no other table has them")
    check(one["timeline"]["blackout_ns"] is None and one["timeline"]["finished"] and
          one["timeline"]["known_ns"] == 32 * MS and
          [p["measured_by"] for p in one["timeline"]["phases"]] ==
          ["clock"] * 3 + [None] + ["clock"] * 4,
          "unknown figures are null, the others are not")
    boot = one["timeline"]["new_kernel"]["calls"][0]
    check(boot["op"] == "boot" and boot["total_ns"] is None,
          "the duration of a call that no clock could measure is unknown", boot)
    text = run(path).stdout
    for what, pattern in (
            ("the headline", r"blackout at least 32\.0ms \(the span across the "
             r"kexec is unknown\)"),
            ("the paragraph", r"\nearlier attempts that failed\n  1 reboot failed with "
             r"Input/output error after 2\.01s; 1 PREPARE failed or was\n  cancelled\n"
             r" +2\.00s   handler slow-v1, freeze, 1 call\n"
             r" +2\.00s   session vm-c, freeze, 1 file: Input/output error\n"
             r" +2\.00s   file vm-c/42, freeze of slow-v1\n"),
            ("the table", r"Calls in attempts that failed or were cancelled\n.*\n"
             r"memfd-v2\n  prepare +2 +0"),
            ("no time for the boot call",
             r" -   subsystem luo-recorder, boot, 1 call\n"),
            ("which shares", r"known in all +32\.0ms; shares are of this")):
        check(re.search(pattern, text), "text has " + what, text)
    check(all(len(line) <= 80 for line in text.splitlines()
              if not line.startswith("Lost")), "in 80 columns",
          [line for line in text.splitlines() if len(line) > 80])
    page = run("--html", path).stdout
    check("<h1>Live update 1: blackout at least 32.0ms" in page and
          -1 < page.find("Earlier attempts that failed") <
          page.find("Calls in attempts that failed") and
          page.count("slow-v1") == 3, "the page has them apart", page)


def test_workloads(directory):
    """What workloads felt is the first thing on the page."""
    paused = run("--html", write(os.path.join(directory, "paused"),
                                 [HEAD] + EVENTS + [end("pauses")])).stdout
    check(re.search(r"<h1>Live update 1: .*</h1>\n<p.*</p>\n<ul>\n"
                    r"<li><b>vm-large stood still for 3\.41s</b></li>\n"
                    r"<li><b>vm-small stood still for 50\.0ms</b></li>\n"
                    r"<li><b>&lt;vm&gt;\\x20\\xff stood still", paused) and
          "<li><b>vm-held: paused 2.00ms before the reboot" in paused,
          "the page begins with the workloads", paused)
    plain = run("--html", write(os.path.join(directory, "plain"),
                                [HEAD] + EVENTS + [end()])).stdout
    check("stood still" not in plain and "<li><b>" not in plain,
          "a page without workloads has no list of them", plain)


def test_metrics(directory):
    """The metrics of such a record keep them apart, too."""
    record = os.path.join(directory, "record")
    writer = os.path.join(TOP, "build/host/blackout_test")
    subprocess.run([writer, record, "0", "failed"], check=True)
    text = subprocess.run([LUOTRACE, "metrics", record], text=True,
                          capture_output=True).stdout
    slow = [line for line in text.splitlines() if "slow-v1" in line]
    check(slow and all(line.startswith("luo_failed_attempt_call_") for line in slow) and
          'luo_failed_attempt_call_seconds_sum{kind="handler",name="slow-v1",'
          'op="freeze"} 2.0' in slow, "metrics of attempts that failed are apart", text)
    check(not re.search(r"^luo_blackout_seconds|phase=\"jump", text, re.M) and
          "\nluo_blackout_known_seconds 0.032\n" in text and
          "\nluo_liveupdate_finished 1\n" in text and
          'luo_blackout_phase_seconds{phase="restore",kernel="new"} 0.007' in text,
          "unknown figures have no metric, known ones have", text)
    check('luo_cancelled_prepares{update="last"} 1' in text and
          'luo_failed_reboots{update="last"} 1' in text, "the number of attempts")
    subprocess.run([writer, record, "0"], check=True)
    text = subprocess.run([LUOTRACE, "metrics", record], text=True,
                          capture_output=True).stdout
    check("\nluo_blackout_seconds 0.036\n" in text and
          "luo_workload_blackout" not in text,
          "a blackout that is known; no workload was paused", text)


def test_other_update(directory):
    """A record is of one live update, the events can be of another."""
    def made(name, number, has_end):
        return write(os.path.join(directory, name), [HEAD] + [
            dict(e, number=number) for e in EVENTS] + ([end()] if has_end else []))

    same, other = made("same", 1, True), made("other", 2, True)
    later = made("later", 2, False)
    says = "No event below is of this live update."
    check(says in run("--html", other).stdout, "the page says so")
    check(says not in run("--html", same).stdout, "not if they are of it")
    page = run("--html", same, later).stdout
    check(says not in page and "events of live update 1<" in page and
          "events of live update 2;" in page, "each trace says which", page)
    check("events of live update 2\n" in run(other).stdout, "in text, too")
    one = write(os.path.join(directory, "one"), [HEAD, EVENTS[0]])
    check(re.search(r"1 event of live update 1, without", run(one).stdout),
          "one event is one event", run(one).stdout)


def main():
    with tempfile.TemporaryDirectory() as directory:
        test_attempts(directory)
        test_workloads(directory)
        test_metrics(directory)
        test_other_update(directory)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
