#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report --otlp: what it writes are messages of OTLP, read by the definitions
of the protocol as Debian packages them; a trace over both kernels whose spans are
inside their parents. Prints TAP."""

import base64
import copy
import json
import os
import subprocess
import sys
import tempfile

from google.protobuf import json_format

import report_test
from report_test import EVENTS, HEAD, MS, end, run, write
from tap import TOP, check, end as end_of_tests

NS = 10**9
REBOOT = 1700000050 * NS
IDS = ("traceId", "spanId", "parentSpanId")
SUITE = "/usr/lib/python3/dist-packages"


def call(at, *args, **kwargs):
    return dict(report_test.call(0, *args, **kwargs), time_ns=round(at * MS))


def phase(at, *args):
    return dict(report_test.phase(0, *args), time_ns=round(at * MS))


def protocol(directory):
    """The definitions, from the machine's Debian; Debian 12 does not have them."""
    where = SUITE
    if not os.path.isdir(os.path.join(SUITE, "opentelemetry/proto/trace")):
        r = subprocess.run([os.path.join(TOP, "tools/build/unpacked"), "--newest",
                            "python3-opentelemetry-proto"], stdout=subprocess.PIPE,
                           text=True, check=True)
        # Without the other packages of that suite.
        where = os.path.join(directory, "packages")
        os.makedirs(where)
        os.symlink(r.stdout.strip() + SUITE + "/opentelemetry",
                   os.path.join(where, "opentelemetry"))
    sys.path.insert(0, where)
    from opentelemetry.proto.trace.v1 import trace_pb2
    return trace_pb2


class Trace:
    """The spans of an output, as the protocol's definitions read them."""

    def __init__(self, pb, text):
        self.lines = text.splitlines()
        self.spans, self.resources, self.wrong = [], [], []
        for line in self.lines:
            message = json.loads(line, object_hook=self.binary_ids)
            data = json_format.ParseDict(message, pb.TracesData())
            for resource in data.resource_spans:
                self.resources.append(values(resource.resource.attributes))
                for scope in resource.scope_spans:
                    self.spans += scope.spans
        self.by_id = {s.span_id: s for s in self.spans}

    def binary_ids(self, o):
        """Ids are hex in OTLP, while bytes are base64 in the JSON of protobuf; integers
        of 64 bits are strings, enumerations are numbers."""
        for key in set(o) & set(IDS):
            raw = bytes.fromhex(o[key])
            if o[key] != o[key].lower() or len(raw) != (16 if key == "traceId" else 8):
                self.wrong.append((key, o[key]))
            o[key] = base64.b64encode(raw).decode()
        self.wrong += [(k, v) for k, v in o.items()
                       if (k.endswith("UnixNano") or k == "intValue")
                       and not isinstance(v, str)]
        self.wrong += [(k, v) for k, v in o.items()
                       if k in ("kind", "code") and not isinstance(v, int)]
        return o

    def named(self, name):
        return [s for s in self.spans if s.name == name]

    def parent(self, span):
        return self.by_id.get(span.parent_span_id)

    def outside(self):
        """Spans whose parent is missing, or does not contain them."""
        bad = []
        for s in self.spans:
            p = self.parent(s)
            if s.parent_span_id and not (
                    p and p.start_time_unix_nano <= s.start_time_unix_nano <=
                    s.end_time_unix_nano <= p.end_time_unix_nano):
                bad.append((s.name, p and p.name))
        return bad

    def path(self, span):
        """Names from the root to a span."""
        p = self.parent(span)
        return (self.path(p) if p else []) + [span.name]


def values(attributes):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


def ms(span):
    """Begin and end after the reboot, ms."""
    return tuple((t - REBOOT) / MS for t in (span.start_time_unix_nano,
                                             span.end_time_unix_nano))


def by_session(spans):
    return {values(s.attributes)["luo.session"]: s for s in spans}


def otlp(pb, *args):
    r = run("--otlp", *args)
    check(r.returncode == 0 and not r.stderr, "a report is written", r.stderr)
    t = Trace(pb, r.stdout)
    check(not t.wrong, "ids, numbers and enumerations are spelled as OTLP does",
          t.wrong)
    check(not t.outside(), "spans are inside their parents", t.outside())
    check(all(len(line) < 1 << 20 for line in t.lines), "no message is too long",
          [len(line) for line in t.lines])
    check(len(t.by_id) == len(t.spans), "no two spans have one id")
    return t


# The phases of the record, with their lengths in ms.
PHASES = ["prepare in reboot", "freeze", "shutdown", "kexec, early boot", "kernel init",
          "user-space start", "restore", "finish"]


def test_record(pb, directory):
    """What the record alone has: phases, the longest sessions and calls."""
    path = write(os.path.join(directory, "new"), [HEAD, end("spans")])
    t = otlp(pb, path)
    root, = t.named("live update")
    check(len({s.trace_id for s in t.spans}) == 1 and len(t.lines) == 1 and
          [s.name for s in t.spans if not s.parent_span_id] == ["live update"],
          "an update is one trace with one root")
    begin = 0
    for i, name in enumerate(PHASES, 1):
        span, = t.named(name)
        check(ms(span) == (begin, begin + i) and t.parent(span) == root and
              values(span.attributes)["luo.kernel"] == ("new" if i > 3 else "old"),
              name + " is where the record has it", span)
        begin += i
    freeze, = t.named("freeze vfio-v1")
    check(t.path(freeze) == ["live update", "freeze", "session freeze",
                             "freeze vfio-v1"] and ms(freeze) == (1.1, 2.9),
          "a call is in its session, in a phase", t.path(freeze), ms(freeze))
    sessions = by_session(t.named("session restore"))
    check(ms(sessions["vm-a"]) == (22, 28) and
          values(sessions["vm-a"].attributes)["luo.duration_ns"] == 8 * MS,
          "a session that outlasts its phase is cut to it, and says so",
          sessions["vm-a"])
    calls = by_session(s for s in t.named("retrieve memfd-v2") if ms(s) != (23, 24))
    apart, = [s for s in t.named("retrieve memfd-v2") if ms(s) == (23, 24)]
    check(t.parent(apart).name == "restore", "nor is one before that of its session",
          t.path(apart))
    check({n: t.parent(s).name for n, s in calls.items()} ==
          {"vm-a": "session restore", "vm-b": "session restore", "vm-c": "restore"},
          "a call without a session is in its phase", t.path(calls["vm-c"]))
    check(values(calls["vm-a"].attributes)["luo.token"] == str(2**64 - 1),
          "tokens are whole")
    check(ms(calls["vm-c"]) == (21, 22) and
          values(calls["vm-c"].attributes)["luo.duration_ns"] == 2 * MS,
          "a call that began before its phase is cut", ms(calls["vm-c"]))
    test_status(pb, t, calls, sessions)
    test_workloads(t)


def test_status(pb, t, calls, sessions):
    error = pb.Status.STATUS_CODE_ERROR
    failed = {s.span_id for s in t.spans if s.status.code == error}
    check(failed == {calls["vm-b"].span_id, sessions["vm-b"].span_id},
          "what failed has the status of an error, nothing else has", failed)
    check(calls["vm-b"].status.message == "Cannot allocate memory" and
          values(calls["vm-b"].attributes)["error.type"] == "ENOMEM", "with its errno",
          calls["vm-b"])


def test_workloads(t):
    paused = {values(s.attributes)["luo.workload"]: ms(s)
              for s in t.named("workload paused")}
    check(paused == {"vm-small": (-20, 30), "vm-large": (-10, 3400),
                     "<vm> \\xff": (0.5, 41.5)},
          "workloads stand still as long as they say, and only those that say", paused)


def test_ids(pb, directory):
    path = write(os.path.join(directory, "ids"), [HEAD, end("spans")])
    first, again = run("--otlp", path).stdout, run("--otlp", path).stdout
    check(first and first == again, "two reports of an update are equal")
    # The same update, seen by another file.
    other = otlp(pb, write(path, [dict(HEAD, wall_clock_ns=5), end("spans")]))
    third = otlp(pb, write(path, [HEAD, end("clocks")]))
    t = Trace(pb, first)
    first, other, third = (x.spans[0].trace_id for x in (t, other, third))
    check(first == other, "its id is that of the update")
    check(first != third, "another update has another one")


def test_resource(pb, directory):
    path = os.path.join(directory, "host")
    t = otlp(pb, write(path, [dict(HEAD, host="vmhost-3", host_id="0" * 31 + "7"),
                              end("spans")]))
    check(t.resources == [{
        "service.name": "liveupdate", "os.type": "linux", "host.name": "vmhost-3",
        "host.id": "0" * 31 + "7", "luo.kernel.old": "7.3.4",
        "luo.kernel.new": "7.3.4"}],
          "the machine and its kernels are the resource", t.resources)
    t = otlp(pb, write(path, [dict(HEAD, host=None, host_id=None), end("spans")]))
    check("host.name" not in t.resources[0] and "host.id" not in t.resources[0],
          "a machine that is unknown is not made up", t.resources)


def later(events, at):
    return [dict(e, time_ns=e["time_ns"] + at * MS) for e in events]


def test_events(pb, directory):
    """Traces of both kernels, with all calls. The clock of the old kernel is at 3 s at
    the reboot, that of the new one at 11 ms when the device is opened; their wall
    clocks are wrong."""
    old = [call(0, "vm-a", 1, "preserve", 1000), phase(3, "", "prepare"),
           phase(4, "vm-a", "prepare"), call(5, "vm-a", 1, "prepare", 500000, -5),
           phase(6, "vm-a", "prepare", True),
           dict(phase(7, "", "prepare", True), ret=-5)]
    freeze = [phase(1.01, "", "freeze"), phase(1.05, "vm-a", "freeze"),
              call(2.95, "vm-a", 42, "freeze", 1800000, handler="vfio-v1"),
              phase(2.96, "vm-a", "freeze", True), phase(3, "", "freeze", True)]
    new = [phase(0.1, "vm-a", "restore"), call(3, "vm-a", 5, "retrieve", 1000000),
           # 20 us after the mark that ends the phase.
           call(7.02, "vm-a", 6, "retrieve", 3000000),
           phase(9, "vm-a", "restore", True),
           call(12, "vm-z", 6, "unpreserve", 1000000),
           # It begins 30 us before that mark.
           call(7.97, "vm-z", 7, "unpreserve", 1000000)]
    before = write(os.path.join(directory, "before"), [
        dict(HEAD, monotonic_ns=2 * NS)] + old + later(freeze, 1000) +
        [dict(end(), recorder=None)])
    after = write(os.path.join(directory, "after"), [
        dict(HEAD, monotonic_ns=11 * MS, wall_clock_ns=REBOOT + 9 * NS)] +
        new + [end("spans")])
    t = otlp(pb, before, after)
    check(len({s.trace_id for s in t.spans}) == len(t.named("live update")) ==
          len(t.lines) == 1, "two kernels are one trace")
    frozen = t.named("freeze vfio-v1")
    check(len(frozen) == 1 and ms(frozen[0]) == (1.15, 2.95) and t.path(frozen[0]) ==
          ["live update", "freeze", "session freeze", "freeze vfio-v1"],
          "a call that trace and record have is shown once, by the kernel's clock",
          [(t.path(s), ms(s)) for s in frozen])
    failed, = t.named("prepare memfd-v2")
    check(t.path(failed) == ["live update", "prepare", "session prepare",
                             "prepare memfd-v2"] and ms(failed) == (-995.5, -995) and
          t.parent(t.parent(failed)).status.code == pb.Status.STATUS_CODE_ERROR,
          "a PREPARE before the reboot is a phase of the update", t.path(failed))
    last = [s for s in t.named("retrieve memfd-v2")
            if values(s.attributes).get("luo.token") == "6"]
    check([t.path(s) for s in last] == [["live update", "restore", "session restore",
                                         "retrieve memfd-v2"]] and
          ms(last[0]) == (25.02, 28), "stamps of one moment can differ",
          [(t.path(s), ms(s)) for s in last])
    early, late = sorted(t.named("unpreserve memfd-v2"), key=ms)
    check(t.parent(early).name == t.parent(late).name == "finish" and
          ms(early) == (28, 28.97), "a call of any session is in a phase",
          t.path(early), t.path(late), ms(early))
    # The trace has the session, and lost the call.
    whole, = [s for s in t.named("retrieve memfd-v2") if ms(s) == (23, 26)]
    check(t.parent(whole).name == "session restore" and
          t.parent(whole) == t.parent(last[0]),
          "a call that only the record has is in the session of the trace",
          t.path(whole))
    names = [values(s.attributes)["luo.session"] for s in t.named("session restore")]
    check(sorted(names) == ["vm-a", "vm-b"], "sessions that only the record has stay",
          names)
    root = values(t.named("live update")[0].attributes)
    check(root["luo.lost_events"] == 8 and root["luo.losses_known"],
          "the root says what was lost", root)
    check(root["luo.observer.run_ns"] == 5000 and
          root["luo.observer.observed_ns"] == 2 * MS,
          "and what tracing cost in both kernels", root)


def test_odd(pb, directory):
    """A trace without a record, without an end, of two updates, with odd names."""
    path = os.path.join(directory, "odd")
    other = [dict(e, number=2) for e in EVENTS]
    t = otlp(pb, write(path, [HEAD] + EVENTS + other))
    check(len({s.trace_id for s in t.spans}) == 2 and len(t.lines) == 2,
          "two updates are two traces")
    root = values(t.named("live update")[0].attributes)
    check("luo.lost_events" not in root and not root["luo.losses_known"],
          "losses that are unknown are not said to be none", root)
    check(not any(key.startswith("luo.observer") for key in root),
          "nor is what tracing cost", root)
    lost = [e for e in EVENTS if e["event"] != "luo_phase_end"]
    t = otlp(pb, write(path, [HEAD] + lost))
    check(not t.named("prepare"), "a phase without an end is no span")
    # Restores overlap, and each is longer than any phase of all sessions.
    t = otlp(pb, write(path, [
        HEAD, phase(1, "a", "restore"), phase(2, "", "finish"),
        phase(3, "b", "restore"),
        call(4, "a", 1, "retrieve", MS), phase(40, "a", "restore", True),
        call(41, "b", 1, "retrieve", MS), call(42, "a", 1, "finish", MS),
        phase(43, "", "finish", True), phase(50, "b", "restore", True)]))
    check(len(t.spans) == 7 and t.path(t.named("finish memfd-v2")[0]) ==
          ["live update", "finish", "finish memfd-v2"],
          "phases that cross are beside each other", [t.path(s) for s in t.spans])
    t = otlp(pb, write(path, [HEAD, dict(end(), recorder=None)]))
    check(not t.lines, "a trace of no update has no message")
    check(run("--otlp", "/no/such").returncode == 3, "no file")


def test_large(pb, directory):
    """Many spans: messages of a size that receivers take."""
    lines = [HEAD]
    for i in range(3000):
        lines += [phase(3 * i, "vm-%d" % (i % 9), "restore"),
                  call(3 * i + 2, "vm-%d" % (i % 9), i, "retrieve", MS),
                  phase(3 * i + 2, "vm-%d" % (i % 9), "restore", True)]
    t = otlp(pb, write(os.path.join(directory, "large"), lines))
    check(len(t.spans) == 6001 and len(t.lines) > 3,
          "a large trace is in several messages", len(t.spans), len(t.lines))
    paths = {tuple(t.path(s)) for s in t.named("retrieve memfd-v2")}
    check(paths == {("live update", "session restore", "retrieve memfd-v2")},
          "each call is in its session", paths)


def test_checks(pb, directory):
    """The checks above can fail."""
    path = write(os.path.join(directory, "new"), [HEAD, end("spans")])
    whole = json.loads(run("--otlp", path).stdout)
    for what, key, value in (("an id that is too short", "spanId", "00"),
                             ("a time that is a number", "startTimeUnixNano", 5),
                             ("a kind that is a word", "kind", "SPAN_KIND_INTERNAL"),
                             ("a parent that is missing", "parentSpanId", "ab" * 8),
                             ("a span that begins too early", "startTimeUnixNano", "5"),
                             ("a field that OTLP does not have", "begin", 1)):
        broken = copy.deepcopy(whole)
        span = broken["resourceSpans"][0]["scopeSpans"][0]["spans"][3]
        span[key] = value
        try:
            t = Trace(pb, json.dumps(broken))
            found = t.wrong or t.outside()
        except json_format.ParseError:
            found = True
        check(found, "found: " + what)


def main():
    with tempfile.TemporaryDirectory() as directory:
        pb = protocol(directory)
        for test in (test_record, test_ids, test_resource, test_events, test_odd,
                     test_large, test_checks):
            test(pb, directory)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
