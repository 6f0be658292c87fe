#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of ticks.py, which judges what guests in the test VM say at each tick."""

import json
import os
import sys
import tempfile
from types import SimpleNamespace

import tap
from tap import check

sys.path.insert(0, os.path.join(tap.TOP, "selftests/vm"))
import ticks    # noqa: E402
from machine import Machine    # noqa: E402

P = ticks.PERIOD


def tick(number, n):
    return number << ticks.BITS | n % (1 << ticks.BITS)


def run(count, number=1, still=0.0, after=50, skip=None, twice=None, late=0.0):
    """[(seconds, byte)] of a guest that stands still after some ticks. Another one is
    late."""
    heard, now = [], 100.0
    for n in range(count):
        now += P + (still if n == after else late if n == after + 5 else 0)
        if n != skip:
            heard.append((now, tick(number, n)))
        if n == twice:
            heard.append((now + P / 2, tick(number, n)))
    return heard


def test_all_ticks():
    guest = ticks.guests(run(200), [])[1]
    check(guest.ticks == 200 and not guest.faults and not guest.still,
          "ticks in order, beyond the largest number of a byte", guest)


def test_gap():
    guest = ticks.guests(run(100, skip=70), [])[1]
    check(len(guest.faults) == 1 and "0.400 s" in guest.faults[0] and
          "missing" in guest.faults[0], "a tick that is missing is found, and when",
          guest.faults)


def test_repeat():
    guest = ticks.guests(run(100, twice=70), [])[1]
    check(len(guest.faults) == 1 and "twice" in guest.faults[0],
          "a tick that comes twice is found", guest.faults)


def test_after_the_end():
    vm = SimpleNamespace(ticks=[], exit_code=None)
    Machine._on_ticks(vm, bytes([tick(1, 0), tick(1, 1)]))
    vm.exit_code = 0
    Machine._on_ticks(vm, bytes([tick(1, 1)]))
    check([byte for _, byte in vm.ticks] == [tick(1, 0), tick(1, 1)],
          "what guests say after the end of the script does not count", vm.ticks)


def test_two_guests():
    heard = sorted(run(60) + run(60, number=2, skip=30))
    found = ticks.guests(heard, [])
    check(not found[1].faults and len(found[2].faults) == 1,
          "the guests are told apart", found)


def test_still():
    heard = run(100, still=3.5)
    # The guest is paused after the update has begun, and resumed after the next kernel
    # is up.
    begin = 100 + 48 * P
    found = ticks.guests(heard, [(begin, begin + 2)])[1]
    check(abs(found.still[0] - 3.5) < 0.001,
          "how long it stood still is the longest gap", found.still)


def results_of(heard, told, wanted=(1,), uncompared=""):
    """The results for one live update, of which the timeline tells so many ns."""
    with tempfile.TemporaryDirectory() as out:
        os.mkdir(os.path.join(out, "stage1"))
        with open(os.path.join(out, "stage1/timeline.json"), "w") as f:
            json.dump({"workloads": [{"name": "vm-1", "blackout_ns": told}]}, f)
        if uncompared:
            with open(os.path.join(out, "stage1/uncompared"), "w") as f:
                f.write(uncompared)
        begin = 100 + 48 * P
        vm = SimpleNamespace(ticks=heard, replaced=[(begin, begin + 2)], out=out)
        ticks.write_tap(vm, wanted)
        with open(os.path.join(out, "stage-ticks/ticks.tap")) as f:
            written = f.read()
        return ticks.results(vm, wanted), written


def test_agreement():
    heard = run(100, still=3.5)
    for told, good in ((3.5, True), (3.5 + 0.9 * P, True), (3.5 + 1.1 * P, False),
                       (3.5 - 1.1 * P, False)):
        results, written = results_of(heard, int(told * 1e9))
        check(all(ok for ok, _, _ in results) is good and
              ("not ok" in written) is not good,
              "%.3f s of the timeline %s 3.5 s of the ticks" % (
                  told, "agree with" if good else "differ from"), results)


def test_busy_machine():
    for told, good in ((3.5 + 0.9, True), (3.5 + 1.1 + P, False)):
        results, _ = results_of(run(100, still=3.5, late=1.0), int(told * 1e9))
        check(all(ok for ok, _, _ in results) is good,
              "%.3f s of the timeline %s 3.5 s of ticks that are 1 s late" % (
                  told, "agree with" if good else "differ from"), results)
    check("at most 1.000 s late" in results[1][1], "how late they are is said", results)


def test_without_timeline():
    results, _ = results_of(run(100, still=3.5), None)
    check(not results[2][0], "a timeline that does not know it fails", results)
    results, _ = results_of(run(100, still=3.5, number=2), int(3.5e9), wanted=(2,))
    check(not results[2][0], "and so does one without the guest", results)
    results, _ = results_of(run(100, still=9), int(3.5e9), uncompared="vm-1")
    check(len(results) == 2, "what is not to be compared is not", results)


def test_other_guests():
    results, written = results_of(run(100, still=3.5), None, wanted=(1, 2))
    check(not results[0][0] and "not ok 1" in written,
          "a guest that is not heard fails", results)
    results, _ = results_of(run(5), None)
    check(not results[1][0], "and so does one that ticks a few times only", results)


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
