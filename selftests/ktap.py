# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP, the format in which tests print their results.

A result without subtests is a test; a result with subtests only sums them up. A
skipped test has neither passed nor failed.
"""

import re

RESULT = re.compile(r"( *)(ok|not ok) (\d+)\b(?: -)? ?(.*)")
PLAN = re.compile(r"( *)1\.\.(\d+)(?:$|\s+(.*))")
BAIL_OUT = re.compile(r" *Bail out!\s*(.*)")
SKIP = re.compile(r"#\s*SKIP\b", re.IGNORECASE)


class Level:
    """The results at one indentation that share a plan."""

    def __init__(self, failures):
        self.plan = None
        self.seen = 0
        self.failures = failures      # how many the reader had before it


class Reader:
    """Takes the lines of one program as they come.

    tests: [(verdict, text)] of all tests, verdict being "ok", "not ok" or "skip"
    talk: the diagnostic lines
    failures: what failed, as texts; what breaks the format is a failure, too
    """

    def __init__(self):
        self.tests = []
        self.talk = []
        self.failures = []
        self._levels = {}             # indentation -> Level

    def count(self, verdict):
        return sum(v == verdict for v, _ in self.tests)

    def line(self, line):
        """Take one line. What is not KTAP is passed over."""
        if found := RESULT.match(line):
            indent, verdict, _, text = found.groups()
            self._result(len(indent), verdict, text)
        elif found := PLAN.match(line):
            self._plan(len(found[1]), int(found[2]), found[3] or "")
        elif found := BAIL_OUT.match(line):
            self.failures.append("bailed out: " + found[1])
        elif line.startswith("#"):
            self.talk.append(line)

    def end(self, want_tests=True):
        """The program has ended. want_tests: that it ran none is a failure."""
        self._orphans(0)
        level = self._levels.pop(0, None)
        if level:
            self._close(level)
        if want_tests and not self.tests and not self.failures:
            self.failures.append("no test was run")
        return self

    def _level(self, indent):
        return self._levels.setdefault(indent, Level(len(self.failures)))

    def _inner(self, indent):
        return sorted(i for i in self._levels if i > indent)

    def _result(self, indent, verdict, text):
        inner = self._inner(indent)
        # In the order of the lines: this level has begun before its subtests.
        before = min([self._levels[i].failures for i in inner],
                     default=len(self.failures))
        for i in reversed(inner):
            self._close(self._levels.pop(i))
        below = self.failures[before:]
        self.failures[before:] = ["%s: %s" % (text, failure) for failure in below]
        self._level(indent).seen += 1
        if inner:
            # A parent of a failed test is counted once, with the test.
            if verdict == "not ok" and not below:
                self.failures.append(text)
            return
        if SKIP.search(text):
            verdict = "skip"
        self.tests.append((verdict, text))
        if verdict == "not ok":
            self.failures.append(text)

    def _plan(self, indent, number, text):
        self._orphans(indent)
        level = self._level(indent)
        if level.plan is not None:
            self.failures.append("a second plan")
        level.plan = number
        if not number and SKIP.search(text):
            self.tests.append(("skip", text))

    def _orphans(self, indent):
        """Subtests that no result of this level sums up."""
        for i in reversed(self._inner(indent)):
            self._close(self._levels.pop(i))
            self.failures.append("subtests without a result")

    def _close(self, level):
        if level.plan is None:
            self.failures.append("no plan")
        elif level.plan != level.seen:
            self.failures.append("%d results, %d were planned" %
                                 (level.seen, level.plan))


def read(text, want_tests=True):
    """The Reader of a whole output."""
    reader = Reader()
    for line in text.splitlines():
        reader.line(line)
    return reader.end(want_tests)
