# SPDX-License-Identifier: GPL-2.0
"""The lines that a kernel log must not have.

Every test reads the log of every kernel it booted and fails if a line matches
one of these patterns, except for lines that the test expects.
"""

import re

# (name of the report, pattern of its first line)
BAD = (
    ("warning", r"WARNING: (CPU|(.* )?at |possible|suspicious|bad|lock|inconsistent|"
                r"chain)"),
    ("bug", r"\bBUG:"),
    ("bug", r"kernel BUG at"),
    ("oops", r"Oops:|Internal error:|general protection fault|Unable to handle kernel"),
    ("panic", r"Kernel panic"),
    ("lockdep", r"INFO: possible (circular|recursive|irq)|INFO: inconsistent lock|"
                r"INFO: trying to register non-static key|held lock freed|"
                r"lock held when returning to user space|BUG: MAX_LOCK|"
                r"INFO: lockdep is turned off"),
    ("rcu", r"rcu: INFO:|suspicious RCU usage|rcu_\w+ (detected|self-detected) stall"),
    ("kasan", r"KASAN:"),
    ("kcsan", r"KCSAN:"),
    ("ubsan", r"UBSAN:"),
    ("kmemleak", r"kmemleak: \d+ new suspected|unreferenced object"),
    # Not the page fault whose allocation a test has let fail.
    ("leak", r"\bleaked\b(?! out to the #PF handler)"),
    ("hung task", r"INFO: task .* blocked for more than|soft lockup|hard LOCKUP"),
    ("refcount", r"refcount_t:"),
    ("list", r"list_(add|del) corruption"),
    ("page", r"Bad page (state|map)|page_owner|bad_page"),
    ("sleep", r"sleeping function called from invalid context|scheduling while atomic"),
    ("user fault", r"segfault at|traps: .* (trap|general protection)"),
    ("out of memory", r"Out of memory:|oom-kill|page allocation failure"),
)

_BAD = tuple((name, re.compile(pattern)) for name, pattern in BAD)
FATAL = re.compile(r"Kernel panic|---\[ end Kernel panic")


def findings(text, expected=(), required=True):
    """Check a log.

    text: the log; expected: regular expressions of lines that are no finding, and that
    the log must have if they are required. Returns a list of messages, empty if the log
    is clean.
    """
    wanted = [re.compile(e) for e in expected]
    seen = [False] * len(wanted)
    found = []
    for line in text.splitlines():
        hits = [i for i, w in enumerate(wanted) if w.search(line)]
        for i in hits:
            seen[i] = True
        if hits:
            continue
        for name, pattern in _BAD:
            if pattern.search(line):
                found.append("%s: %s" % (name, line.strip()))
                break
    for i, w in enumerate(wanted):
        if required and not seen[i]:
            found.append("expected line is missing: %s" % w.pattern)
    return found


def is_fatal(line):
    """Whether the kernel stops after this line."""
    return bool(FATAL.search(line))
