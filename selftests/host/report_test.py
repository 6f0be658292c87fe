#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""luotrace report on a trace that is written by hand: the file format is a contract.
The output as text, JSON, HTML (drawn by a browser) and as a trace for Perfetto. Prints
TAP."""

import base64
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib

import jsonschema

from schema import check_output
from tap import LUOTRACE, TOP, check, end as end_of_tests

MS = 1000000
EVIL = "<b>x</b>&\"'\n"


def run(*args):
    r = subprocess.run([LUOTRACE, "report"] + list(args), text=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
    if "--json" in args and not r.returncode:
        check_output("report", [r.stdout], "report --json")
    return r


def call(ms, session, token, op, duration, ret=0, handler="memfd-v2"):
    return {"event": "luo_handler_exit", "time_ns": ms * MS, "number": 1,
            "session": session, "token": str(token), "compatible": handler,
            "op": op, "duration_ns": duration, "ret": ret, "pid": 7}


HEAD = {"schema": 1, "command": "record", "kernel": "7.3.4", "event": "start",
        "trace_version": 1, "wall_clock_ns": 1700000000 * 10**9,
        "monotonic_ns": 5}
EVENTS = [
    {"event": "luo_session_create", "time_ns": 0, "number": 1, "session": "vm-a",
     "dir": "out", "state": "normal", "files": 0, "ret": 0, "pid": 7},
    {"event": "luo_session_create", "time_ns": MS, "number": 1, "session": EVIL,
     "dir": "out", "state": "normal", "files": 0, "ret": 0, "pid": 7},
    call(2, "vm-a", 2**64 - 1, "preserve", 300000),
    call(3, "vm-a", 2, "preserve", 100000, -12),
    {"event": "luo_phase_begin", "time_ns": 4 * MS, "number": 1, "session": "",
     "phase": "prepare", "scope": "global", "sessions": 2, "files": 0, "ret": 0,
     "pid": 7},
    {"event": "luo_subsystem_exit", "time_ns": 5 * MS, "number": 1,
     "name": "luo-recorder", "op": "prepare", "duration_ns": 2000, "ret": 0,
     "pid": 7},
    {"event": "luo_phase_end", "time_ns": 6 * MS, "number": 1, "session": "",
     "phase": "prepare", "scope": "global", "sessions": 2, "files": 0, "ret": 0,
     "pid": 7},
    {"event": "luo_state", "time_ns": 6 * MS, "number": 1, "old": "normal",
     "new": "prepared", "requested": "prepare", "ret": 0, "pid": 7},
    call(9, "vm-a", 1, "freeze", 2000000, handler=EVIL[:20]),
]
FROZEN = {"event": "luo_state", "time_ns": 10 * MS, "number": 1, "old": "prepared",
          "new": "frozen", "requested": "freeze", "ret": 0, "pid": 7}
# 45 bytes of Latin-1, as luotrace record writes them.
LATIN = "g\\xe4ste\\x20vm\\x20f\\xfcr\\x20B\\xfcro\\x20=\\x204".replace("=", "\\x3d")


def end(*clocks):
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([os.path.join(TOP, "build/host/blackout_test"), f.name, "0",
                        *clocks], check=True)
        record = base64.b64encode(f.read()).decode()
    return {"event": "end", "recorder": record,
            "lost": {"events": 3, "calls_in_others": 0, "missed": 1},
            "observer": {"run_ns": 2500, "runs": 3, "observed_ns": 1000000,
                         "share": 0.0025},
            "kho": [{"action": "preserve", "kind": "folio", "calls": 4,
                     "errors": 0, "pages": 1024, "bytes": 4 << 20}],
            "folios": {"large_order": 9, "orders": [
                {"action": "preserve", "order": 0, "folio_bytes": 4096, "calls": 1024,
                 "pages": 1024, "bytes": 4 << 20, "timed": 1024, "timed_ns": 2048000,
                 "avg_ns": 2000}], "pieces": [
                {"action": "preserve", "calls": 1, "folios": 1024, "total_ns": 2048000,
                 "large_folios": 2, "rest_folios": 0, "estimate_ns": None,
                 "session": EVIL.replace("\n", "\\x0a"), "token": "7",
                 "handler": "memfd-v2",
                 "most_folios": 1024, "text": "x"}]}}


def write(path, lines, tail=""):
    with open(path, "w") as f:
        for line in lines:
            f.write(json.dumps(line) + "\n")
        f.write(tail)
    return path


def test_text(trace):
    r = run(trace)
    check(r.returncode == 0 and not r.stderr, "text is printed", r.stderr)
    for what, pattern in (
            ("the timeline", r"Live update 1 at .*\nblackout 36\.0ms"),
            ("calls with errors", r"preserve +2 +1 +200us"),
            ("subsystems", r"luo-recorder \(subsystem\)\n  prepare +1"),
            ("the longest call", r"2\.00ms  freeze"),
            ("tokens beyond 2^63", r"token 18446744073709551615"),
            ("memory", r"preserve +folio +4 +0 +1024 +4\.00MiB"),
            ("folios", r"preserve +4\.00KiB +1024 +1024 +4\.00MiB +2\.00us"),
            ("what larger ones would save",
             r"KHO took 2\.05ms to preserve 1024 folios of 4\.00KiB"),
            ("lives", r"vm-a +out +0  created 0\.000"),
            ("what tracing cost", r"3 runs of BPF programs, 2\.50us in 1\.00ms"),
            ("what was lost", r"Lost: 3 events dropped, .* 1 event missed")):
        check(re.search(pattern, r.stdout), "text has " + what, r.stdout)
    check(EVIL[:3] not in r.stdout or "\n'" not in r.stdout,
          "names are printable")


def test_json(trace):
    r = run("--json", trace)
    root = json.loads(r.stdout)
    one = root["traces"][0]
    calls = {(c.get("handler"), c["op"]): c for c in one["calls"]}
    freeze = calls[("memfd-v2", "preserve")]
    check(root["schema"] == 1 and one["ended"] and one["events"] == len(EVENTS) and
          freeze["count"] == 2 and freeze["errors"] == 1 and
          freeze["total_ns"] == 400000 and freeze["max_ns"] == 300000 and
          one["timeline"]["blackout_ns"] == 36000000 and
          one["kho"][0]["pages"] == 1024 and one["lost"]["events"] == 3 and
          one["observer"]["runs"] == 3,
          "JSON has the same figures", r.stdout)
    check(any(s["session"] == EVIL.replace("\n", "\\x0a") for s in one["sessions"]),
          "JSON keeps what is printable in a name as it is")
    check(not one["frozen"], "the state was not frozen")


def test_format():
    """The trace above is as the schema of the format says. Older files lack threads and
    a figure of the losses."""
    whole = end()
    whole["lost"]["functions"] = None
    check_output("record", [json.dumps(line) for line in (
        [HEAD] + [dict(e, tid=e["pid"]) for e in EVENTS + [FROZEN]] + [whole])],
        "a recording")


def test_odd(directory):
    """Unusual but valid traces."""
    older = dict(EVENTS[1], time_ns=MS - 100, session=LATIN, escaped=True)
    # Written by a luotrace that did not escape it.
    plain = dict(EVENTS[1], time_ns=2 * MS, session="c:\\xen")
    path = write(os.path.join(directory, "odd"),
                 [HEAD, dict(EVENTS[0], time_ns=MS), older, plain, FROZEN,
                  dict(end(), kho=[dict(end()["kho"][0], bytes=1024 << 16)])])
    one = json.loads(run("--json", path).stdout)["traces"][0]
    check(one["frozen"], "the state was frozen")
    latin = LATIN.replace("\\x20", " ").replace("\\x3d", "=")
    check([s["session"] for s in one["sessions"]] == ["vm-a", latin, "c:\\x5cxen"],
          "a name that is no UTF-8 is read", one["sessions"])
    check(one["kho"][0]["pages"] == 1024 and one["kho"][0]["bytes"] == 1024 << 16,
          "pages have the size of the traced machine's", one["kho"])
    check([s["life"][0]["time_ns"] for s in one["sessions"]] == [0, 0, MS],
          "an event older than the first one has its own time",
          one["sessions"])
    r = run(path)
    check(not re.search(r"created [1-9]", r.stdout) and "64.0MiB" in r.stdout,
          "in text, too", r.stdout)


# A name, and its spelling: invisible characters, those that reverse the line, bytes
# that are not UTF-8 and text that looks like them, wide letters.
NAMES = (
    ("a\u202eb\u2066c", r"a\xe2\x80\xaeb\xe2\x81\xa6c"),
    ("a\u200bb\u2028c\ufeffd", r"a\xe2\x80\x8bb\xe2\x80\xa8c\xef\xbb\xbfd"),
    ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
    ("\\xff\\xfe", r"\x5cxff\x5cxfe"),
    ("\u6f22" * 7, "\u6f22" * 7),
)
BYTES = r"\xff\xfe"
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e"
                    "\u2066-\u2069\ufeff]")


def test_names(directory):
    """No text of a file reaches a terminal or a page unchecked."""
    evil = "7.3\x1b]0;x\x07\u202e"
    events = [dict(EVENTS[0], session=n) for n, _ in NAMES]
    events += [dict(EVENTS[0], session=BYTES, escaped=True)]
    events += [call(2, n, 1, "preserve", 5000 + i, handler=n[:15])
               for i, (n, _) in enumerate(NAMES)]
    path = write(os.path.join(directory, "names"), [dict(HEAD, kernel=evil)] + events)
    spelled = [s for _, s in NAMES] + [BYTES]
    for what, option in (("text", []), ("HTML", ["--html"]), ("JSON", ["--json"]),
                         ("a trace for Perfetto", ["--perfetto"])):
        r = run(*option, path)
        out = r.stdout
        if what in ("JSON", "a trace for Perfetto"):
            # As a reader gets them, without the quotes of JSON.
            strings = []

            def keep(pairs):
                strings.extend(v for _, v in pairs if isinstance(v, str))
                return dict(pairs)
            json.loads(out, object_pairs_hook=keep)
            out = "\n".join(strings)
        check(r.returncode == 0 and not UNSEEN.search(out),
              what + " has nothing that is not seen", repr(out[:2000]))
        missing = [s for s in spelled if s not in out]
        check(not missing, what + " has each name as it is spelled", missing)
        check(r"7.3\x1b]0;x\x07\xe2\x80\xae" in out, what + " has the kernel's name")
    rows = [line for line in run(path).stdout.splitlines()
            if line.endswith("created 0.000")]
    columns = {line.index(" out") + line.count("\u6f22") for line in rows
               if len(line.split()[0]) <= 20}
    check(len(rows) == len(spelled) and columns == {22},
          "columns are aligned after wide letters", rows)


# The part of the Trace Event Format that is used.
SPAN = {"required": ["name", "cat", "ph", "ts", "dur", "pid", "tid", "args"],
        "properties": {"ph": {"const": "X"}, "dur": {"type": "number",
                                                     "minimum": 0}}}
MOMENT = {"required": ["name", "cat", "ph", "ts", "pid", "tid", "s"],
          "properties": {"ph": {"const": "i"}, "s": {"enum": ["g", "p", "t"]}}}
COUNTER = {"required": ["name", "ph", "ts", "pid", "args"],
           "properties": {"ph": {"const": "C"}, "args": {"additionalProperties": {
               "type": "integer", "minimum": 0}}}}
LABELS = {"required": ["name", "ph", "pid", "args"],
          "properties": {"ph": {"const": "M"}, "name": {"const": "process_labels"},
                         "args": {"required": ["labels"]}}}
META = {"required": ["name", "ph", "pid", "args"],
        "properties": {"ph": {"const": "M"},
                       "name": {"enum": ["process_name", "thread_name"]},
                       "args": {"required": ["name"]}}}
SCHEMA = {
    "type": "object", "required": ["traceEvents", "displayTimeUnit"],
    "properties": {
        "displayTimeUnit": {"enum": ["ns", "ms"]},
        "traceEvents": {"type": "array", "minItems": 1, "items": {
            "type": "object",
            "properties": {"ts": {"type": "number", "minimum": 0},
                           "pid": {"type": "integer"},
                           "tid": {"type": "integer"},
                           "name": {"type": "string", "minLength": 1},
                           "args": {"type": "object"}},
            "oneOf": [SPAN, MOMENT, COUNTER, LABELS, META]}}}}


def test_perfetto(trace):
    root = json.loads(run("--perfetto", trace).stdout)
    try:
        jsonschema.validate(root, SCHEMA)
        check(True, "the trace for Perfetto is in its format")
    except jsonschema.ValidationError as e:
        check(False, "the trace for Perfetto is in its format", e)
    spans = {e["name"]: e for e in root["traceEvents"] if e["ph"] == "X"}
    began = next(e["ts"] for e in root["traceEvents"] if e["name"] ==
                 "luo_session_create")
    freeze = [e for n, e in spans.items() if n.startswith("freeze ")][0]
    check(freeze["ts"] - began == 7000 and freeze["dur"] == 2000,
          "a call ends at the time of its event", freeze)
    check(spans["prepare"]["ts"] - began == 4000 and spans["prepare"]["dur"] == 2000,
          "a phase is a span", spans["prepare"])
    check(spans["freeze"]["dur"] == 2000 and
          round(spans["finish"]["ts"] + spans["finish"]["dur"] -
                spans["prepare in reboot"]["ts"], 3) == 36000,
          "the blackout has no gap")
    labels = [e["args"]["labels"] for e in root["traceEvents"]
              if e["name"] == "process_labels"]
    check(len(labels) == 1 and "3 runs of BPF programs, 2.50us in 1.00ms" in labels[0],
          "what tracing cost is a label of the kernel", labels)
    crossing = crossings(root)
    check(not crossing, "the spans of a track are nested or apart", crossing)


def crossings(root):
    """Spans of one track that overlap but are not nested."""
    tracks, bad = {}, []
    for e in root["traceEvents"]:
        if e["ph"] == "X":
            begin = round(e["ts"] * 1000)
            tracks.setdefault((e["pid"], e["tid"]), []).append(
                (begin, -(begin + round(e["dur"] * 1000)), e["name"]))
    for track, spans in tracks.items():
        around = []
        for begin, end, name in sorted(spans):
            while around and around[-1][0] <= begin:
                around.pop()
            if around and -end > around[-1][0]:
                bad.append((track, name, around[-1][1]))
            around.append((-end, name))
    return bad


def phase(ms, session, name, end=False, pid=7):
    return {"event": "luo_phase_end" if end else "luo_phase_begin",
            "time_ns": ms * MS, "number": 1, "session": session, "phase": name,
            "scope": "session" if session else "global", "sessions": 0, "files": 1,
            "ret": 0, "pid": pid}


def perfetto(path, *more):
    root = json.loads(run("--perfetto", path, *more).stdout)
    jsonschema.validate(root, SCHEMA)
    return root["traceEvents"], crossings(root)


def test_crossing(directory):
    """Two sessions in one thread, a call in another, phases without an end."""
    path = write(os.path.join(directory, "crossing"), [
        HEAD, phase(1, "a", "restore"), phase(2, "b", "restore"),
        phase(5, "a", "restore", True), phase(6, "b", "restore", True),
        phase(7, "", "finish"), call(9, "a", 1, "finish", MS), phase(10, "", "finish",
                                                                     True),
        # Two threads with one number, as in older recordings.
        call(20, "a", 2, "retrieve", 5 * MS), call(22, "b", 2, "retrieve", 5 * MS),
        # A call inside another one, and one that began before the trace.
        call(32, "a", 3, "retrieve", MS), call(33, "a", 4, "retrieve", 5 * MS),
        call(1, "a", 9, "retrieve", 5 * MS) | {"pid": 8},
        phase(34, "c", "restore", True), phase(35, "d", "restore"),
        dict(end(), recorder=None, lost={"events": 62528, "calls_in_others": 0,
                                         "missed": 0})])
    events, crossing = perfetto(path)
    check(not crossing, "sessions that overlap have tracks of their own",
          crossing)
    # The check can fail: on one track they would cross.
    one = {"traceEvents": [dict(e, tid=1) for e in events]}
    check(len(crossings(one)) > 1, "crossing spans are detected")
    spans = [(e["name"], round(e["ts"] / 1000), round(e["dur"] / 1000)) for e in events
             if e["ph"] == "X"]
    check(("restore a", 1, 4) in spans and ("restore b", 2, 4) in spans and
          ("retrieve memfd-v2", 15, 5) in spans and ("retrieve memfd-v2", 17, 5) in
          spans and ("retrieve memfd-v2", 28, 5) in spans, "all spans are shown", spans)
    check(("retrieve memfd-v2", 0, 1) in spans,
          "a call that began before the trace is cut", spans)
    names = {e["args"].get("name") for e in events if e["ph"] == "M"}
    check({"session a", "session b", "phases"} <= names, "tracks have names", names)
    check("kernel 7.3.4, 62528 events lost" in names,
          "the number of lost events is shown", names)
    moments = [(e["name"], e["args"].get("begin"), e["args"].get("end"))
               for e in events if e["ph"] == "i"]
    check(("restore c", "unknown", None) in moments,
          "a phase whose begin was lost is shown", moments)
    check(("restore d", None, "unknown") in moments,
          "and one that did not end", moments)
    events, _ = perfetto(write(os.path.join(directory, "cut"), [HEAD] + EVENTS))
    check(any("losses unknown" in e["args"].get("name", "") for e in events
              if e["ph"] == "M"), "the losses of a trace without an end are unknown")


def test_clocks(directory):
    """Kernels are placed by their clocks, with the blackout between them."""
    old = write(os.path.join(directory, "old"), [HEAD] + EVENTS + [dict(
        end(), recorder=None)])
    new = write(os.path.join(directory, "new"), [
        dict(HEAD, wall_clock_ns=HEAD["wall_clock_ns"] + 90 * 10**9),
        dict(EVENTS[0], dir="in"), dict(end(), recorder=None)])
    events, _ = perfetto(old, new)
    first = {p: min(e["ts"] for e in events if e["pid"] == p and e["ph"] != "M")
             for p in (1, 2)}
    check(first == {1: 0, 2: 90 * 10**6}, "each kernel begins when its clock says",
          first)
    # The record has the whole way from the old kernel's clocks, at 50 s, 3 s after its
    # start, to the first open in the new one, 21 ms later and 11 ms after its start:
    # this places both kernels, whatever their wall clocks say meanwhile.
    new = write(os.path.join(directory, "new"), [
        dict(HEAD, wall_clock_ns=HEAD["wall_clock_ns"] + 90 * 10**9),
        dict(EVENTS[0], dir="in"), end("clocks")])
    events, crossing = perfetto(old, new)
    began = [e["ts"] for e in events if e["pid"] == 2 and e["ph"] == "i"]
    check(abs(began[0] - 3010000) < 0.01, "a kernel is next to its blackout", began)
    spans = {e["name"]: e for e in events if e.get("cat") == "blackout"}
    check(len(spans) == 8 and not crossing and
          abs(spans["prepare in reboot"]["ts"] - 3 * 10**6) < 0.01 and
          abs(spans["freeze"]["ts"] - 3 * 10**6 - 1000) < 0.01,
          "the blackout is between them", spans)


class Page(html.parser.HTMLParser):
    """Collects tags, links, and tags that are not closed."""

    VOID = {"meta", "br"}
    LOOSE = {"th", "td", "tr", "li"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.wrong, self.links = [], {}, [], []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID | self.LOOSE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_endtag(self, tag):
        if tag in self.LOOSE:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def pixels(path):
    """The colours of a PNG of 8-bit RGB or RGBA, with the number of their pixels."""
    with open(path, "rb") as f:
        data = f.read()
    width, height = (int.from_bytes(data[i:i + 4], "big") for i in (16, 20))
    size = {2: 3, 6: 4}[data[25]]
    raw, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            raw += data[at + 8:at + 8 + length]
        at += length + 12
    raw = zlib.decompress(raw)
    colours, above, stride = {}, bytearray(width * size), width * size
    for y in range(height):
        kind = raw[y * (stride + 1)]
        line = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            a = line[i - size] if i >= size else 0
            b = above[i]
            c = above[i - size] if i >= size else 0
            if kind == 4:
                p = a + b - c
                a = min((abs(p - a), 0, a), (abs(p - b), 1, b),
                        (abs(p - c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, a)[kind]) & 255
        for x in range(0, stride, size):
            key = bytes(line[x:x + 3])
            colours[key] = colours.get(key, 0) + 1
        above = line
    return colours


def test_html(trace, directory):
    path = os.path.join(directory, "page.html")
    r = run("--html", "-o", path, trace, trace)
    check(r.returncode == 0 and not r.stdout, "the page is written", r.stderr)
    with open(path) as f:
        text = f.read()
    page = Page()
    page.feed(text)
    check(not page.wrong and not page.open, "its tags are closed",
          page.wrong, page.open)
    check(not page.links and "script" not in page.tags and "@import" not in text,
          "it needs no script and no other file", page.links)
    check(page.tags["svg"] > 6 and page.tags["h1"] == 3, "it has its drawings",
          page.tags)
    check("<b>" not in text and "&lt;b&gt;x" in text,
          "names are text, not markup")
    check("KHO took 2.05ms to preserve" in text,
          "it says what larger folios would save")
    last = end("spans")
    last["folios"]["pieces"][0]["total_ns"] = MS - 1
    less = run("--html", write(os.path.join(directory, "less"), [HEAD, last])).stdout
    check("size of its folios" in less and "to preserve" not in less,
          "unless that is less than a millisecond")
    check("vfio-v1 freeze 1.90ms; longest 1.80ms: session" in less and
          ">longest 3.00ms: session" in less,
          "calls follow their targets, if there are")
    shot = os.path.join(directory, "page.png")
    r = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", "--window-size=900,700", "--screenshot=" + shot,
         "file://" + path], capture_output=True, text=True, timeout=120,
        env=dict(os.environ, HOME=directory))
    drawn = pixels(shot) if os.path.exists(shot) else {}
    # The colours of kernel init, restore and finish, the longest spans.
    want = [bytes.fromhex(c) for c in ("66a182", "2e86ab", "a1c181")]
    check(all(drawn.get(c, 0) > 500 for c in want) and
          drawn.get(b"\xff\xff\xff", 0) > 100000,
          "a browser draws the phases", r.stderr[-500:],
          {k.hex(): v for k, v in drawn.items() if v > 500})


def test_bad(trace, directory):
    def made(name, lines, tail=""):
        return write(os.path.join(directory, name), lines, tail)

    r = run(made("cut", [HEAD] + EVENTS, '{"event": "luo_sta'))
    check(r.returncode == 0 and "without an end" in r.stdout,
          "a trace whose recorder was killed is read to its end", r.stderr)
    check("\nLost: - events dropped, 0 calls without a row of their own, "
          "- events missed" in r.stdout, "its losses are unknown", r.stdout)
    lost = json.loads(run("--json", os.path.join(directory, "cut")).stdout)
    check(lost["traces"][0]["lost"] == {"events": None, "missed": None,
                                        "functions": None, "calls_in_others": 0},
          "nor does JSON", lost["traces"][0]["lost"])
    page = run("--html", os.path.join(directory, "cut")).stdout
    check("Lost events: unknown" in page,
          "and so they are on the page")
    r = run("--json", made("part", [HEAD, dict(end(), lost={"events": 3})]))
    check(json.loads(r.stdout)["traces"][0]["lost"]["missed"] is None and
          json.loads(r.stdout)["traces"][0]["lost"]["events"] == 3,
          "one missing figure does not void the other", r.stdout)
    bad = dict(EVENTS[2])
    del bad["token"]
    for name, lines, says in (
            ("empty", [], "line 1: not a trace"),
            ("no head", EVENTS, "line 1: not a trace of this version"),
            ("other version", [dict(HEAD, trace_version=2)], "line 1: not a trace of"),
            ("unknown event", [HEAD, {"event": "x"}], "line 2: not an event that"),
            ("a field is missing", [HEAD, EVENTS[0], bad], "line 3: not an event"),
            ("damaged record", [HEAD, dict(end(), recorder="AAAA")],
             "line 2: a damaged record"),
            ("a row of memory is cut", [HEAD, dict(end(), kho=[{"calls": 1}])],
             "line 2: damaged figures of memory"),
            ("memory of an unknown kind", [HEAD, dict(end(), kho=[dict(
                end()["kho"][0], kind="x")])], "line 2: damaged figures"),
            ("memory that is no array", [HEAD, dict(end(), kho=7)],
             "line 2: damaged figures"),
            ("a token beyond 2^64", [HEAD, dict(EVENTS[2], token="9" * 21)],
             "line 2: not an event"),
            ("a token below 0", [HEAD, dict(EVENTS[2], token=" -5")],
             "line 2: not an event"),
            ("an invalid escape", [HEAD, dict(EVENTS[0], session="a\\b",
                                                   escaped=True)],
             "line 2: not an event"),
            ("no errno", [HEAD, dict(EVENTS[2], ret=2**32)], "line 2: not an event"),
            ("an invalid word", [HEAD, dict(EVENTS[0], state=7)],
             "line 2: not an event"),
            ("after the end", [HEAD, end(), EVENTS[0]],
             "line 3: a line after the end")):
        r = run(made("bad", lines))
        check(r.returncode == 3 and says in r.stderr and not r.stdout,
              "rejected: " + name, r.returncode, r.stderr)
    r = run(made("words", [HEAD, dict(EVENTS[0], state="?"), dict(
        call(2, "vm-a", 1, "preserve", 5), op="?"), dict(FROZEN, requested="?"),
                           dict(EVENTS[4], phase="new")]))
    check(r.returncode == 0 and re.search(r"^  \? +1 ", r.stdout, re.M),
          "unknown words are accepted", r.stdout, r.stderr)
    r = run("--perfetto", made("words", [HEAD, dict(EVENTS[4], phase="new")]))
    check(r.returncode == 0 and "luo_phase_begin" in r.stdout,
          "and are in a trace for Perfetto", r.stdout, r.stderr)
    r = run(made("text", [], "hello\n"))
    check(r.returncode == 3 and "line 1: not JSON" in r.stderr, "rejected: no JSON")
    r = run("/no/such")
    check(r.returncode == 3 and "cannot read '/no/such'" in r.stderr,
          "rejected: no file")
    r = run("--html", "-o", "/dev/full", trace)
    check(r.returncode == 1 and "cannot write '/dev/full'" in r.stderr,
          "a full disk is an error", r.stderr)
    r = run("--html", "-o", "/no/such/page", trace)
    check(r.returncode == 1 and "cannot write '/no/such/page'" in r.stderr,
          "a missing directory for the output is an error", r.stderr)
    check(run().returncode == 2, "a file must be given")


def main():
    with tempfile.TemporaryDirectory() as directory:
        trace = write(os.path.join(directory, "trace"), [HEAD] + EVENTS + [end()])
        test_text(trace)
        test_json(trace)
        test_format()
        test_odd(directory)
        test_names(directory)
        test_perfetto(trace)
        test_crossing(directory)
        test_clocks(directory)
        test_html(trace, directory)
        test_bad(trace, directory)
    return end_of_tests()


if __name__ == "__main__":
    sys.exit(main())
