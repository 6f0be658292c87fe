#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""selftests/fuzz/dev_liveupdate.txt, LUO for syzkaller, against the headers: every call
with the right file, every member with its size and direction, every value. Its own
grammar, too, as far as it uses it: Debian has no syzkaller. Prints TAP."""

import os
import re
import sys

from tap import TOP, check, run_tests

NAME = "selftests/fuzz/dev_liveupdate.txt"
HEADERS = ("liveupdate.h", "liveupdate_test.h")
# Bytes of a member of a structure in C
C_TYPES = {"__u8": 1, "__u32": 4, "__s32": 4, "__aligned_u64": 8}
# Which descriptors a call is for; the test device has no such table.
RESOURCES = {"LUO_ON_DEVICE": "fd_luo", "LUO_ON_OUT": "fd_luo_out",
             "LUO_ON_IN": "fd_luo_in", "LUO_ON_SESSION": "fd_luo_session"}
# Defined in syzkaller's own descriptions and in other headers
ELSEWHERE = {"fd", "open_flags", "AT_FDCWD", "O_WRONLY", "MFD_CLOEXEC",
             "MFD_ALLOW_SEALING", "MFD_NOEXEC_SEAL", "MFD_EXEC"}
# Calls without a number, besides openat(), which is found by its path
OTHER_CALLS = {"memfd_create$luo", "write$luo_mark"}
FILES = {"/dev/liveupdate", "/dev/liveupdate_test", "/dev/liveupdate_pool",
         "/dev/liveupdate_client", "/sys/kernel/liveupdate/mark"}


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return f.read()


class Header:
    """The calls, structures and values of both headers."""

    def __init__(self):
        text = "".join(read("include/uapi/linux/" + h) for h in HEADERS)
        joined = text.replace("\\\n", " ")
        self.calls = set(re.findall(r"^#define (\w+)\s+_IO\(", joined, re.M))
        self.values = {n: int(v, 0) for n, v in re.findall(
            r"^#define (\w+)\s+(0x[0-9a-f]+|\d+)U?$", joined, re.M)}
        self.enums = {}
        for name, body in re.findall(r"^enum (\w+) {(.*?)^}", text, re.M | re.S):
            self.enums[name] = [n for n in re.findall(r"^\t(\w+) =", body, re.M)
                                if "_NR_" not in n]
        self.structs = {}       # name -> [(member, bytes, direction, what it says)]
        self.arg = {}           # call -> structure
        for doc, name, body in re.findall(
                r"^/\*\*\n((?: \*[^\n]*\n)+) \*/\nstruct (\w+) {(.*?)^};", text,
                re.M | re.S):
            call = re.match(r" \* struct %s - (\w+)" % name, doc).group(1)
            self.arg[call] = name
            self.structs[name] = [self.member(doc, *m) for m in re.findall(
                r"^\t(\w+)\s+(\w+)(?:\[(\w+)\])?;", body, re.M)]

    def member(self, doc, kind, name, count):
        said = re.search(
            r"^ \* @%s:\s+(in/out|in|out), (.*?)(?=^ \* @|^ \*$|\Z)" % name, doc,
            re.M | re.S)
        if not said:
            raise SystemExit("%s: the comment of @%s does not begin with in or out" %
                             (doc.splitlines()[0], name))
        size = C_TYPES[kind] * (self.number(count) if count else 1)
        return (name, size, said.group(1).replace("/", ""), said.group(2))

    def number(self, word):
        return self.values[word] if word in self.values else int(word, 0)


class Syzlang:
    """The descriptions. Raises ValueError for what is not in the grammar."""

    TYPE = re.compile(r'\s*(?:"([^"]*)"|([\w-]+(?::\w+)?)(\[)?)')

    def __init__(self, text, header):
        self.header = header
        self.resources, self.flags, self.calls, self.structs = {}, {}, {}, {}
        self.includes = []
        struct = None
        for number, line in enumerate(text.splitlines(), 1):
            line = line.rstrip()
            if not line or line.startswith("#"):
                continue
            try:
                struct = self.line(line, struct)
            except (ValueError, AttributeError, KeyError) as e:
                raise ValueError("%s:%d: %r: %s" % (NAME, number, line, e))
        if struct is not None:
            raise ValueError("%s: a structure does not end" % NAME)

    def line(self, line, struct):
        """Returns the structure that the line leaves open."""
        if struct is not None:
            if line == "}":
                return None
            name, kind, direction = re.fullmatch(
                r"\t(\w+)\t+(\S.*?)(?:\t\((in|out|inout)\))?", line).groups()
            self.structs[struct].append((name, self.whole(kind), direction))
            return struct
        for table, regex in ((self.includes, r"include <(uapi/linux/[\w.]+)>"),
                             (self.resources, r"resource (\w+)\[(\w+)\]"),
                             (self.flags, r"(\w+) = (.+)"),
                             (self.calls, r"(\w+\$\w+)\((.*)\)(?: (\w+))?"),
                             (self.structs, r"(\w+) {")):
            m = re.fullmatch(regex, line)
            if m:
                break
        else:
            raise ValueError("not in the grammar")
        if table is self.includes:
            table.append(m.group(1))
            return None
        if m.group(1) in table:
            raise ValueError("is there twice")
        if table is self.structs:
            table[m.group(1)] = []
            return m.group(1)
        if table is self.resources:
            table[m.group(1)] = m.group(2)
        elif table is self.flags:
            table[m.group(1)] = m.group(2).split(", ")
        else:
            table[m.group(1)] = (self.args(m.group(2)), m.group(3))
        return None

    def args(self, text):
        found = []
        while text:
            name, text = re.match(r"(\w+) (.*)", text).groups()
            kind, text = self.parse(text)
            found.append((name, kind))
            if text and not text.startswith(", "):
                raise ValueError("want a comma before '%s'" % text)
            text = text[2:]
        return found

    def whole(self, text):
        kind, rest = self.parse(text)
        if rest:
            raise ValueError("'%s' is too much" % rest)
        return kind

    def parse(self, text):
        """Returns the type at the start, (name, options), and what follows."""
        m = self.TYPE.match(text)
        if not m:
            raise ValueError("no type at '%s'" % text)
        rest, options = text[m.end():], []
        if m.group(1) is not None:
            return ('"' + m.group(1), []), rest
        while m.group(3):
            kind, rest = self.parse(rest)
            options.append(kind)
            if rest.startswith("]"):
                return (m.group(2), options), rest[1:]
            if not rest.startswith(","):
                raise ValueError("want a comma or a bracket before '%s'" % rest)
            rest = rest[1:]
        return (m.group(2), options), rest

    def size(self, kind):
        """Bytes of a member."""
        name, options = kind
        m = re.fullmatch(r"int(8|16|32|64)", name)
        if m:
            return int(m.group(1)) // 8
        if name in ("len", "flags", "const"):
            return self.size(options[1])
        if name == "string":
            return self.header.number(options[1][0])
        if name == "array":
            return self.size(options[0]) * self.header.number(options[1][0])
        while name != "fd":
            name = self.resources[name]
        return 4

    def words(self, kind):
        """All names that a type refers to."""
        name, options = kind
        own = set() if name in ("const", "flags", "ptr", "len", "string", "stringnoz",
                                "array", "bytesize") else {name}
        return own.union(*(self.words(o) for o in options))


HEADER = Header()


def described():
    try:
        return Syzlang(read(NAME), HEADER)
    except ValueError as e:
        return e


def argument(syz, call):
    """The direction and structure that a call gets a pointer to."""
    kind = dict(syz.calls["ioctl$" + call][0])["arg"]
    return (kind[1][0][0], kind[1][1][0]) if kind[0] == "ptr" else (None, None)


def compare_struct(syz, call, struct):
    """Returns what differs between the two of a structure."""
    if "ioctl$" + call not in syz.calls:
        return ["%s is not described" % call]
    direction, name = argument(syz, call)
    if name != struct or struct not in syz.structs:
        return ["%s is not described, or not its argument: %s" % (struct, name)]
    ours, bad = syz.structs[struct], []
    if [m[0] for m in ours] != [m[0] for m in HEADER.structs[struct]]:
        return ["members of %s: %s" % (struct, [m[0] for m in ours])]
    for (member, kind, own), (_, size, want, says) in zip(ours, HEADER.structs[struct]):
        if syz.size(kind) != size:
            bad.append("%s.%s has %d bytes, want %d" % (struct, member, syz.size(kind),
                                                        size))
        if (own or direction) != want:
            bad.append("%s.%s is %s, want %s" % (struct, member, own or direction,
                                                 want))
        enum = re.search(r"\benum (\w+)", says)
        if enum and want == "in" and (kind[0] != "flags" or syz.flags.get(
                kind[1][0][0]) != HEADER.enums[enum.group(1)]):
            bad.append("%s.%s lacks values of %s" % (struct, member, enum.group(1)))
        if member == "size" and kind != ("len", [("parent", []), ("int32", [])]):
            bad.append("%s.size is not its length" % struct)
        if member == "reserved" and kind[0] != "const":
            bad.append("%s.reserved is not constant" % struct)
    return bad


def test_calls(syz):
    numbers = {c[len("ioctl$"):] for c in syz.calls if c.startswith("ioctl$")}
    check(len(HEADER.calls) > 20 and HEADER.calls == numbers,
          "every ioctl of the headers is described, and no other",
          sorted(HEADER.calls ^ numbers))
    rest = {c for c in syz.calls if not c.startswith(("ioctl$", "openat$"))}
    check(rest == OTHER_CALLS, "so is what needs no ioctl", sorted(rest))
    files = set()
    for call, (args, _) in syz.calls.items():
        if call.startswith("openat$"):
            files.add(dict(args)["file"][1][1][1][0][0][1:])
    check(files == FILES, "and every file that has such calls", sorted(files))
    want = {"uapi/linux/" + h for h in HEADERS}
    check(want < set(syz.includes), "both headers are included", syz.includes)


def test_resources(syz):
    table = dict(re.findall(r"LUO_IOCTL\((\w+),\s*(LUO_ON_\w+)",
                            read("kernel/liveupdate/luo_ioctl.c")))
    check(set(table) == {c for c in HEADER.calls if "_TEST_" not in c},
          "the kernel has every ioctl of the header", sorted(table))
    for call, where in sorted(table.items()):
        args = dict(syz.calls.get("ioctl$" + call, ([], None))[0])
        check(args.get("fd", ("", ""))[0] == RESOURCES[where] and
              args.get("cmd") == ("const", [(call, [])]),
              "%s is called on %s" % (call, RESOURCES[where]), args)


def test_structs(syz):
    check(set(HEADER.structs) == set(syz.structs),
          "every structure of the headers is described, and no other",
          sorted(set(HEADER.structs) ^ set(syz.structs)))
    for call, struct in sorted(HEADER.arg.items()):
        bad = compare_struct(syz, call, struct)
        check(not bad, "%s has the members of the header" % struct, *bad)


def test_references(syz):
    """What syzkaller's compiler looks at first."""
    defined = (ELSEWHERE | set(syz.resources) | set(syz.flags) | set(syz.structs) |
               HEADER.calls | set(HEADER.values))
    used, made = set(syz.resources.values()), {"fd"}
    for args, result in syz.calls.values():
        made |= {result} - {None}
        for _, kind in args:
            used |= syz.words(kind)
    for members in syz.structs.values():
        for _, kind, direction in members:
            used |= syz.words(kind)
            made |= syz.words(kind) if direction == "out" else set()
    members = {v for enum in HEADER.enums.values() for v in enum}
    values = {v for words in syz.flags.values() for v in words}
    unknown = {w for w in (used | made) - defined
               if not re.match(r'"|in$|out$|inout$|parent$|buf$|int\d|\d', w)}
    unknown |= {v for v in values - members - defined
                if not re.match(r'"[^"]+"$|(0x[0-9a-f]+|\d+)$', v)}
    check(not unknown, "every name is defined", sorted(unknown))
    lists = set(syz.flags) | set(syz.structs)
    check(lists <= used, "every list and structure is used", sorted(lists - used))
    # A resource that another one is made of comes with that one.
    missing = set(syz.resources) - made - set(syz.resources.values())
    check(not missing, "a call returns each resource", sorted(missing))


def main():
    syz = described()
    check(isinstance(syz, Syzlang), "the descriptions keep to the grammar", syz)
    if not isinstance(syz, Syzlang):
        return run_tests({})
    return run_tests(globals(), syz)


if __name__ == "__main__":
    sys.exit(main())
