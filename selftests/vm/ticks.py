# SPDX-License-Identifier: GPL-2.0
"""What guests inside the test VM say at each tick of their timer, seen from outside.

Each tick is a byte: the number of the guest, 1 to 7, above the low 5 bits of the tick's
number, which goes on after a live update. See selftests/vmm/guest.h.
"""

import glob
import json
import os
from dataclasses import dataclass, field

BITS = 5
PERIOD = 0.2   # seconds between two ticks
UNCOMPARED = "uncompared"


@dataclass
class Guest:
    """One guest, as it was heard."""

    number: int
    ticks: int = 0
    late: float = 0.0       # seconds, the latest tick that is not the first of a kernel
    faults: list = field(default_factory=list)     # gaps and repeats, as text
    still: dict = field(default_factory=dict)      # {replaced kernel, from 0: seconds}


def guests(heard, replaced):
    """{number: Guest}.

    heard: [(seconds, byte)] in order; replaced: [(from, to)] of each replaced kernel,
    by the same clock. The guest stands still from some time after from, beyond to.
    """
    found, last = {}, {}
    for when, byte in heard:
        number, low = byte >> BITS, byte & ((1 << BITS) - 1)
        guest = found.setdefault(number, Guest(number))
        if number in last:
            before, was = last[number]
            step = (low - was) % (1 << BITS)
            if step != 1:
                guest.faults.append("tick %d, %.3f s after the one before: %s" % (
                    guest.ticks, when - before, "twice" if step == 0 else
                    "%d are missing, or some came again" % (step - 1)))
            late = when - before - PERIOD
            stages = [i for i, (begin, end) in enumerate(replaced)
                      if before < end and when > begin]
            for i in stages:
                guest.still[i] = max(guest.still.get(i, 0), late)
            if not stages:
                guest.late = max(guest.late, late)
        last[number] = (when, low)
        guest.ticks += 1
    return found


def timelines(out):
    """{stage: {name of a workload: seconds that it stood still, or None}}.

    Its file "uncompared" has the names of those that are not to be compared; these are
    UNCOMPARED.
    """
    found = {}
    for path in glob.glob(os.path.join(out, "stage*/timeline.json")):
        where = os.path.dirname(path)
        with open(path) as f:
            workloads = json.load(f)["workloads"]
        uncompared = []
        if os.path.exists(os.path.join(where, "uncompared")):
            with open(os.path.join(where, "uncompared")) as f:
                uncompared = f.read().split()
        told = {w["name"]: None if w["blackout_ns"] is None else w["blackout_ns"] / 1e9
                for w in workloads}
        told |= {name: UNCOMPARED for name in uncompared}
        found[int(os.path.basename(where)[len("stage"):])] = told
    return found


def names(numbers):
    return ", ".join(map(str, sorted(numbers)))


def compare(guest, stage, told):
    """(ok, what is true then, why not) of one guest and one live update, in seconds.

    What a busy machine does to other ticks, it can do to the first one after that.
    """
    number, felt = guest.number, guest.still.get(stage - 1)
    if told is None:
        return (False, "the timeline of kernel %d knows how long guest %d stood still" %
                (stage, number), "it does not")
    what = "guest %d stood still for %s s by its ticks, %.3f s by the timeline of " \
           "kernel %d" % (number, "?" if felt is None else "%.3f" % felt, told, stage)
    good = felt is not None and abs(felt - told) <= PERIOD + guest.late
    return good, what, "further apart than a tick and what others were late"


def results(vm, wanted):
    """[(ok, what is true then, why not)] of a VM with these guests."""
    heard = guests(vm.ticks, vm.replaced)
    said = timelines(vm.out)
    lines = [(set(heard) == set(wanted), "guests that ticked: %s" % names(wanted),
              "those that did: %s" % names(heard))]
    for number, guest in sorted(heard.items()):
        lines.append((not guest.faults and guest.ticks > 10,
                      "guest %d: %d ticks, none missing, none twice, at most %.3f s "
                      "late" % (number, guest.ticks, guest.late),
                      "; ".join(guest.faults[:10])))
        for stage in range(1, len(vm.replaced) + 1):
            told = said.get(stage, {}).get("vm-%d" % number)
            if stage in said and told != UNCOMPARED:
                lines.append(compare(guest, stage, told))
    return lines


def write_tap(vm, wanted):
    """The results as the host's own part of what the VM sent."""
    lines = results(vm, wanted)
    path = os.path.join(vm.out, "stage-ticks")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "ticks.tap"), "w") as f:
        f.write("1..%d\n" % len(lines))
        for i, (ok, what, why) in enumerate(lines, 1):
            if not ok:
                f.write("# %s\n" % why)
            f.write("%s %d %s\n" % ("ok" if ok else "not ok", i, what))
