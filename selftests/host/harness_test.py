#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of what runs the tests: how results are counted, the table of VM tests,
the check of kernel logs, what the VM boots with. Prints TAP."""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from tap import TOP, check, run, run_tests

sys.path[:0] = [os.path.join(TOP, "selftests"), os.path.join(TOP, "selftests/vm")]

from arch import ARCHES           # noqa: E402
import klog                       # noqa: E402
import ktap                       # noqa: E402
import launch                     # noqa: E402
import table                      # noqa: E402
import tree                       # noqa: E402
from initramfs import Cpio        # noqa: E402

# (name, lines, passed, failed, skipped)
KTAP = (
    ("all pass", "1..2\nok 1 a\nok 2 b", 2, 0, 0),
    ("one fails", "1..2\nok 1 a\nnot ok 2 b", 1, 1, 0),
    ("the plan is last", "ok 1 a\nok 2 b\n1..2", 2, 0, 0),
    ("no plan", "ok 1 a", 1, 1, 0),
    ("a second plan", "1..1\nok 1 a\n1..1", 1, 1, 0),
    ("less than planned", "1..3\nok 1 a\nok 2 b", 2, 1, 0),
    ("more than planned", "1..1\nok 1 a\nok 2 b", 2, 1, 0),
    ("nothing", "", 0, 1, 0),
    ("a plan and nothing", "1..2", 0, 1, 0),
    ("none planned", "1..0", 0, 1, 0),
    ("all skipped", "1..0 # SKIP no kernel", 0, 0, 1),
    ("one skipped", "1..2\nok 1 a # SKIP why\nok 2 b", 1, 0, 1),
    ("skipped in small letters", "1..1\nok 1 a # skip", 0, 0, 1),
    ("failed and skipped", "1..1\nnot ok 1 a # SKIP", 0, 0, 1),
    ("subtests count, their parent does not",
     "1..1\n    1..2\n    ok 1 a\n    ok 2 b\nok 1 all", 2, 0, 0),
    ("a subtest fails", "1..1\n    1..2\n    ok 1 a\n    not ok 2 b\nnot ok 1 all",
     1, 1, 0),
    ("a subtest fails, its parent does not say so",
     "1..1\n    1..1\n    not ok 1 a\nok 1 all", 0, 1, 0),
    ("a parent fails for itself", "1..1\n    1..1\n    ok 1 a\nnot ok 1 all", 1, 1, 0),
    ("a skipped subtest", "1..1\n    1..1\n    ok 1 a # SKIP\nok 1 all", 0, 0, 1),
    ("a parent and a test", "1..2\n    1..1\n    ok 1 a\nok 1 x\nok 2 y", 2, 0, 0),
    ("subtests end early", "1..1\n    1..2\n    ok 1 a\nok 1 all", 1, 1, 0),
    ("subtests without a plan", "1..1\n    ok 1 a\nok 1 all", 1, 1, 0),
    ("subtests without a parent", "1..1\n    1..1\n    ok 1 a\n", 1, 2, 0),
    ("three levels",
     "1..2\n    1..2\n        1..1\n        not ok 1 a\n    not ok 1 b\n    ok 2 c\n"
     "not ok 1 d\nok 2 e", 2, 1, 0),
    ("bails out", "1..2\nok 1 a\nBail out! no memory", 1, 2, 0),
    ("bails out inside", "1..1\n    1..1\n    Bail out!\nnot ok 1 a", 0, 2, 0),
    ("garbage between", "KTAP version 1\nx\n1..1\n\x00\nok\nokay 3\n# talk\nok 1 - a\n"
     "1.2\n", 1, 0, 0),
)


def test_ktap():
    for what, text, *want in KTAP:
        reader = ktap.read(text)
        have = [reader.count("ok"), len(reader.failures), reader.count("skip")]
        check(have == want, "KTAP: " + what, have, reader.failures)
    reader = ktap.read("1..1\n    1..1\n    not ok 1 a\nnot ok 1 all")
    check(reader.failures == ["all: a"], "KTAP: a failure has its parents' names",
          reader.failures)
    check(not ktap.read("1..0", want_tests=False).failures,
          "KTAP: a program without the wanted case is whole")


def names_of(script):
    """The functions of a script, which is not run."""
    source = {"__name__": "under_test", "__file__": os.path.join(TOP, script)}
    with open(source["__file__"]) as f:
        exec(compile(f.read(), source["__file__"], "exec"), source)
    return source


class Job:
    """What a VM test left in a directory."""

    def __init__(self, out, case):
        self.out, self.case, self.is_unknown = out, case, False


def test_cases():
    """Of the tests that the guest sent those of one case count."""
    subtests = names_of("selftests/vm/check")["subtests"]
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in (("stage0/a.tap", "# other case: x.two\n1..0\n"),
                           ("stage1/a.tap", "1..2\nok 1 y.one\nnot ok 2 three of y\n"),
                           ("stage1/log", "not ok 1\n")):
            os.makedirs(os.path.dirname(os.path.join(tmp, name)), exist_ok=True)
            with open(os.path.join(tmp, name), "w") as f:
                f.write(text)
        for case, lines, bad in (
                ("", [("ok", "stage1: y.one"), ("not ok", "stage1: three of y")],
                 ["a.tap of stage0: no test was run", "stage1: three of y"]),
                ("one", [("ok", "stage1: y.one")], []),
                ("y.*", [("ok", "stage1: y.one")], []),
                ("three*", [("not ok", "stage1: three of y")], ["stage1: three of y"]),
                ("four", [], ["no case 'four'; known are: x.two; y.one; three of y"])):
            job = Job(tmp, case)
            have = subtests(job)
            check(have == (lines, bad) and job.is_unknown == (case == "four"),
                  "a run of case '%s'" % case, have)


def test_said():
    """A failed VM test repeats the last that the project's programs said."""
    source = names_of("selftests/vm/check")
    source["SAID_LINES"] = 2
    with tempfile.TemporaryDirectory() as tmp:
        check(source["said"](tmp) == [], "a VM that was not started has said nothing")
        with open(os.path.join(tmp, "console.log"), "w") as f:
            f.write("[    1.0] luo_test: registered\nluo_keeper: vm-1: one\nround 1\n"
                    "luotrace: two\nluo_agentd: three\nluotrace is ready\n")
        have = source["said"](tmp)
        check(have == [("#", "# console: luotrace: two"),
                       ("#", "# console: luo_agentd: three")],
              "a failed VM test repeats the last that programs said", have)


def test_order():
    """The VM test that may take longest begins first; all are printed in order."""
    source, began = names_of("selftests/vm/check"), []

    def run_job(job):
        began.append(job.row.name)
        return [], ["bad"] if job.row.name == "c" else [], 2

    source.update(run_job=run_job, ThreadPoolExecutor=lambda max_workers:
                  ThreadPoolExecutor(1))
    jobs = [source["Job"](table.Row(name, options=options), "default", "")
            for name, options in (("a", {"stage_limit": 3}), ("b", {}),
                                  ("c", {"stage_limit": 400}))]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = source["run_all"](jobs)
    check(began == ["c", "b", "a"], "the longest VM test begins first", began)
    want = ["ok 1 a (2 s)", "ok 2 b (2 s)", "not ok 3 c (2 s)"]
    have = [line for line in out.getvalue().splitlines() if " (" in line]
    check(have == want and code == 1, "VM tests are printed in the order of the table",
          have)


def test_command():
    """tools/build/check counts what a part prints, and a part that ends badly."""
    source = names_of("tools/build/check")
    with open(os.devnull, "w") as null:
        stdout, sys.stdout = sys.stdout, null
        try:
            results = [source["run_part"]("part", steps)[0].failures for steps in (
                [["true"], ["printf", "1..1\nok 1 a\n"]],
                [["false"], ["printf", "1..1\nok 1 a\n"]],
                [["sh", "-c", "echo 1..1; echo ok 1 a; exit 3"]])]
            why = source["run_part"]("part", [[
                "printf", "1..3\n# of a\nok 1 a\n    1..1\n    # of b\n    not ok 1 x\n"
                "not ok 2 b\n# of c\nok 3 c\n"]])[1]
        finally:
            sys.stdout = stdout
    check(results == [[], ["false failed"], ["ended with code 3"]],
          "a part fails if one of its commands does", results)
    check(why == ["# of b"], "what a failed test has said is kept", why)


def test_host_tests():
    """Two host tests run at a time, one that measures time runs alone."""
    source = names_of("selftests/host/run")
    ran, running, workers = [], [], []
    both = threading.Barrier(2, timeout=60)

    def pool(max_workers):
        workers.append(max_workers)
        return ThreadPoolExecutor(2)

    def run_test(name, talk):
        running.append(name)
        ran.append((name, len(running)))
        # They pass only together.
        if name in ("long", "first"):
            both.wait()
        running.remove(name)
        return ["of " + name] + talk.splitlines(), not talk

    source.update(TESTS=["first", "alone", "broken", "long"], ALONE={"alone"},
                  LONG=["long"], ThreadPoolExecutor=pool, run_test=run_test,
                  call=lambda _: "", build=lambda name: "x" * (name == "broken"))
    argv, sys.argv = sys.argv, ["run"]
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = source["main"]()
    finally:
        sys.argv = argv
    check(set(workers) == {os.cpu_count()}, "as many run as there are CPUs", workers)
    check(ran[0] == ("alone", 1) and
          {name for name, _ in ran[1:3]} == {"long", "first"},
          "one that measures time runs alone, a long one begins", ran)
    want = "".join("    of %s\n%s %d %s\n" % (
        name + "\n    x" * (name == "broken"),
        "not ok" if name == "broken" else "ok", i, name)
        for i, name in enumerate(source["TESTS"], 1))
    check(out.getvalue() == "KTAP version 1\n1..4\n" + want and code == 1,
          "host tests print their results in order, and one fails all", code,
          out.getvalue())
    run_test = names_of("selftests/host/run")["run_test"]
    have = [run_test(name, "gcc failed") for name in ("python", "uapi_test")]
    check(have == [(["# gcc failed"], False)] * 2, "a test that cannot be built fails",
          have)


def test_kernels():
    """What a test boots is built before it runs, the next kernel too."""
    kernels = names_of("tools/build/check")["kernels"]
    build = "tools/build/kernel"
    for flavour, options, want in (
            ("stock", {}, [[build, "--stock"]]),
            ("stock", {"next": "default"}, [[build, "--stock"], [build]]),
            ("default", {"next": "7.2"}, [[build], [build, "--series", "7.2"]]),
            ("arm64-stock", {"next": "default"},
             [[build, "--arm64-stock"], [build, "--arm64"]]),
            ("arm64", {"next": "stock"},
             [[build, "--arm64"], [build, "--arm64-stock"]]),
            ("arm64", {"next": "arm64"}, "test 'a': nothing builds 'arm64-arm64'"),
            ("default", {"next": "7.4"}, "test 'a': nothing builds '7.4'")):
        try:
            have = kernels(table.Row("a", options=options), flavour)
        except table.Error as e:
            have = str(e)
        check(have == want, "kernels of %s, %s" % (flavour, options), have)
    bad = [row.name for row in table.read().values() for flavour in row.flavours
           if not kernels(row, flavour)]
    check(not bad, "each kernel of the table is built", bad)


def read_table(text):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(text)
        f.flush()
        try:
            return table.read(f.name)
        except table.Error as e:
            return str(e)


def test_table():
    rows = read_table(
        '[a]\nproves = "it"\nscript = "a.sh"\nargs = ["two words"]\nmem = "2G"\n'
        'flavours = ["debug", "default"]\nexpect_klog = ["x", "y"]\n'
        'programs = ["luotrace", "a_test"]\nmodules = ["m.ko"]\n'
        '[b]\nlike = "a"\nargs = ["z"]\n')
    command = rows["a"].command("debug")
    check(command == [
        "--flavour", "debug", "--file", "build/luotrace", "--file",
        "build/selftests/guest/a_test", "--file", "KERNEL/m.ko", "--expect-klog=x",
        "--expect-klog=y", "--mem=2G", "--", "selftests/guest/a.sh", "two words"],
        "a row is a command", command)
    rows["a"].options["next"] = "stock"
    command = rows["a"].command("arm64")
    check(command[2:6] == ["--file", "build/arm64/luotrace", "--file",
                           "build/arm64/selftests/guest/a_test"] and
          "--next=" + os.path.join(TOP, "build/arm64-stock/Image") in command,
          "on another architecture it has programs and kernels of that", command)
    del rows["a"].options["next"]
    check(rows["b"].args == ["z"] and rows["b"].options == rows["a"].options and
          rows["b"].flavours == table.DEFAULT_FLAVOURS,
          "a row like another has its own flavours", rows["b"])
    for text, want in (
            ('[a]\nscript = "a.sh"\nproves = "it"\nexpect_log = ["x"]',
             "unknown keys: expect_log"),
            ('[a]\nscript = "a.sh"', "needs script and proves"),
            ('[a]\nlike = "b"', "is like 'b', which is none"),
            ('[a]\nargs = [', "Invalid")):
        said = read_table(text)
        check(want in str(said), "a wrong table: " + want, said)


def test_selection():
    rows = table.read()
    names = [(row.name, flavour) for row, flavour in table.select(
        rows, ["boot-faults", "state"])]
    check(names == [("boot-faults", "debug"), ("state", "default")],
          "a test runs with its first flavour", names)
    names = [flavour for _, flavour in table.select(rows, ["faults", "state"], "7.2")]
    check(names == ["7.2", "7.2"], "or with the one that is given", names)
    names = [row.name for row, _ in table.select(rows, [], "default", short=True)]
    check("state" in names and "many" not in names,
          "make check has no test that takes long", names)
    with open(os.path.join(TOP, "Makefile")) as f:
        calls = re.findall(r"^(check|check-all):.*\n.*tools/build/check (--short )?",
                           f.read(), re.M)
    check(calls == [("check", "--short "), ("check-all", "")],
          "and make check-all has all", calls)
    bad = [row.name for row in rows.values() if not row.flavours or not os.path.isfile(
        os.path.join(TOP, "selftests/guest", row.script))]
    check(not bad and len(rows) > 40, "each VM test has flavours and a script", bad)
    with open(table.TABLE) as f:
        long = [line for line in f if len(line.expandtabs(8)) > 101]
    check(not long, "no line of the table has more than 100 columns", "".join(long))


def test_names():
    """A name that is not known: exit code 2, what is near, and all that is known."""
    for command, said in (
            (["tools/build/check", "--tests", "stat", "vm"],
             ("no test 'stat'", "did you mean 'state'", "known are: self-warning")),
            (["tools/build/check", "--tests", "state", "--flavour", "debgu", "vm"],
             ("no flavour 'debgu'", "did you mean 'debug'")),
            (["tools/build/check", "--tests", "audit", "host"],
             ("no test 'audit'", "'audit_test'", "known are: shellcheck")),
            (["tools/build/check", "hots"], ("no part 'hots'", "'host'")),
            (["selftests/vm/check", "nonsense:x"], ("no test 'nonsense'",)),
            (["selftests/host/run", "nonsense"], ("no test 'nonsense'",))):
        r = run(command)
        check(r.returncode == 2 and not r.stdout and
              all(text in r.stderr for text in said),
              " ".join(command[-4:]) + " is unknown", r.returncode, r.stdout, r.stderr)


KLOG = (
    ("[    1.0] WARNING: CPU: 0 PID: 1 at mm/slub.c:1 foo+0x1/0x2", "warning"),
    ("[    1.0] WARNING: mm/slub.c:1 at foo+0x1/0x2, CPU#0: a/1", "warning"),
    # Without CONFIG_DEBUG_BUGVERBOSE.
    ("[    1.0] WARNING: at foo+0x1/0x2, CPU#0: a/1", "warning"),
    ("[    1.0] WARNING: possible circular locking dependency", "warning"),
    ("[    1.0] BUG: KASAN: slab-use-after-free in luo_x", "bug"),
    ("[    1.0] BUG: sleeping function called from invalid context", "bug"),
    ("[    1.0] Oops: 0000 [#1] SMP", "oops"),
    ("[    1.0] Internal error: synchronous external abort: 0 [#1] SMP", "oops"),
    ("[    1.0] Kernel panic - not syncing: x", "panic"),
    ("[    1.0] rcu: INFO: rcu_preempt self-detected stall", "rcu"),
    ("[    1.0] UBSAN: array-index-out-of-bounds in x.c", "ubsan"),
    ("[    1.0] INFO: task x:1 blocked for more than 120 seconds", "hung task"),
    ("[    1.0] foo: 3 objects leaked", "leak"),
    ("[    1.0] refcount_t: underflow; use-after-free.", "refcount"),
    ("[    1.0] list_del corruption. next->prev should be", "list"),
    ("[    1.0] busybox[7]: segfault at 0 ip 0", "user fault"),
)


def test_klog():
    for line, name in KLOG:
        found = klog.findings("x\n%s\ny" % line)
        check(len(found) == 1 and found[0].startswith(name + ":"),
              "a kernel log with %s is bad" % name, found)
    good = "[ 0.1] ... MAX_LOCK_DEPTH: 48\n[ 0.2] luo: live update 1: 0 sessions\n" \
           "[ 0.3] Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF"
    check(klog.findings(good) == [], "a good kernel log is good",
          klog.findings(good))
    line = KLOG[0][0]
    check(klog.findings(line, [r"slub\.c"]) == [], "an expected line is fine")
    check(len(klog.findings(good, ["slub"])) == 1,
          "an expected line that is missing is not")
    check(klog.findings(good, ["slub"], required=False) == [],
          "unless one case is run, which does not print all")


def test_cpio():
    cpio = Cpio()
    cpio.add_data("a/b", b"hello", 0o600)
    cpio.add_symlink("a/c", "b")
    data = cpio.finish()
    check(len(data) % 512 == 0, "an archive can be followed by another")
    r = subprocess.run(["busybox", "cpio", "-tv"], input=data,
                       capture_output=True)
    check(b"a/b" in r.stdout and b"a/c -> b" in r.stdout, "cpio can read it",
          r.stdout, r.stderr)


def test_files():
    """What a VM gets of the host."""
    with tempfile.TemporaryDirectory() as tmp:
        there, absent = os.path.join(tmp, "there"), os.path.join(tmp, "absent")
        source = os.path.join(tmp, "main.c")
        for path in (there, source):
            with open(path, "w") as f:
                f.write("int main(void) { return 0; }\n")
        got = list(launch.guest_files([there, "?%s:/lib/x" % there, absent + ":y",
                                       "?" + absent]))
        check(got == [(there, "tools/there"), (there, "lib/x"), (absent, "y")],
              "what is optional is left out where it is missing, nothing else", got)
        for kind, options, want in (
                ("static", ["-static"], []),
                ("dynamic", [], ["ld-linux-x86-64.so.2", "libc.so.6"])):
            prog = os.path.join(tmp, kind)
            subprocess.run(["gcc", "-o", prog, source] + options, check=True)
            got = sorted(os.path.basename(guest) for _, guest in
                         launch.libraries(prog, ARCHES["x86"]))
            check(got == want, "a %s program has %d libraries" % (kind, len(want)), got)
        root = os.path.join(tmp, "root")
        os.makedirs(os.path.join(root, "lib/x86_64-linux-gnu"))
        for name, path in launch.libraries(os.path.join(tmp, "dynamic"), ARCHES["x86"]):
            os.symlink(name, os.path.join(root, "lib/x86_64-linux-gnu",
                                          os.path.basename(path)))
        got = {guest for _, guest in launch.foreign_libraries(
            os.path.join(tmp, "dynamic"), root)}
        check(got == {"lib/ld-linux-x86-64.so.2", "lib/libc.so.6"},
              "one of another architecture has the same", got)


def test_tree():
    """Which files are of the tree."""
    with tempfile.TemporaryDirectory() as tmp:
        tmp = os.path.realpath(tmp)
        for name, text in ((".gitignore", "/build/\n"), ("a", ""), ("build/b", "")):
            os.makedirs(os.path.dirname(os.path.join(tmp, name)), exist_ok=True)
            with open(os.path.join(tmp, name), "w") as f:
                f.write(text)
        run(["git", "init", "-q", tmp])
        if os.getuid() == 0:
            for name in ("", ".git"):
                os.chown(os.path.join(tmp, name), 1, 1)
        check(tree.names(tmp) == [".gitignore", "a"], "new ones, but not ignored ones, "
              "in the clone of another user", tree.names(tmp))


def test_fuzz_corpus():
    """Each input: the number of its operations, and 8 bytes for each of them."""
    with open(os.path.join(TOP, "selftests/fuzz/corpus.bin"), "rb") as f:
        data = f.read()
    at, inputs = 0, []
    while at < len(data):
        size = 4 + 8 * int.from_bytes(data[at:at + 4], "little")
        inputs.append(data[at:at + size])
        at += size
    check(at == len(data) and inputs, "the corpus of the fuzzer ends with an input", at)
    check(len(set(inputs)) == len(inputs), "it has no input twice",
          "%d of %d are" % (len(inputs) - len(set(inputs)), len(inputs)))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
