#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The JSON Schemas of luotrace's outputs: each command has one, they describe each key,
they are installed. Outputs that programs of other tests print are as they say. Prints
TAP."""

import json
import os
import re
import sys
import tempfile

import jsonschema

from installed import install
from schema import DIRECTORY, SUFFIX, check_output, problem, schemas
from tap import LUOTRACE, TOP, check, run, run_tests

MONITORING = os.path.join(TOP, "Documentation/monitoring")
# Not the output of a command: what they share, and the format of a file. And another
# output of a command, with an option.
OTHERS = {"common", "record", "timeline-list"}


def printed(program, listing):
    """Lines of JSON that the program of a test prints."""
    r = run([os.path.join(TOP, "build/host", program), listing])
    check(r.returncode == 0 and r.stdout, "%s prints %s" % (program, listing), r.stderr)
    return r.stdout.splitlines()


def parts(schema, where):
    """All schemas in a schema, itself first, and where they are."""
    yield where, schema
    for key in ("properties", "$defs"):
        for name, sub in schema.get(key, {}).items():
            yield from parts(sub, "%s/%s/%s" % (where, key, name))
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from parts(schema[key], "%s/%s" % (where, key))
    for key in ("oneOf", "anyOf"):
        for i, sub in enumerate(schema.get(key, [])):
            yield from parts(sub, "%s/%s/%d" % (where, key, i))


def target(name, schema):
    """What the $ref of a schema in a file leads to, and the file."""
    path, _, pointer = schema["$ref"].partition("#")
    name = path[:-len(SUFFIX)] if path else name
    found = schemas()[name]
    for word in pointer.split("/")[1:]:
        found = found[word]
    return name, found


def undescribed(name, where, schema):
    """Why this is not the whole description of a key; None if it is."""
    text = None
    while "$ref" in schema:
        text = text or schema.get("description")
        name, schema = target(name, schema)
    text = text or schema.get("description", "")
    if not text.endswith("."):
        return where + " has no description"
    if not {"type", "enum", "const", "anyOf", "oneOf"} & set(schema):
        return where + " has no type"
    for unit, word in (("_ns", r"\bns\b"), ("bytes", r"\bbytes\b"),
                       ("pages", r"\bpages\b")):
        if where.endswith(unit) and not re.search(word, text):
            return where + " has no unit"
    return None


def defects(name, where, part):
    """What is wrong with a part of a schema."""
    if "$ref" in part:
        try:
            target(name, part)
        except KeyError:
            yield "%s: %s leads nowhere" % (where, part["$ref"])
    if "properties" in part:
        if part.get("additionalProperties") is not False:
            yield where + " allows other keys"
        if not set(part["required"]) <= set(part["properties"]):
            yield where + " requires an unknown key"
        yield from filter(None, (undescribed(name, "%s/%s" % (where, key), sub)
                                 for key, sub in part["properties"].items()))


def test_schemas():
    """They are valid, every $ref leads somewhere, every key is described."""
    check(len(schemas()) > 10, "there are schemas")
    for name, schema in sorted(schemas().items()):
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            error = None
        except jsonschema.SchemaError as e:
            error = e
        check(error is None, "%s is a valid schema" % name, error)
        bad = [d for where, part in parts(schema, name)
               for d in defects(name, where, part)]
        check(not bad, "%s describes each key" % name, *bad)


def test_commands():
    """Each command with --json has a schema, and no other one has."""
    commands = re.findall(r"^  ([a-z]+) ", run([LUOTRACE, "--help"]).stdout, re.M)
    # record takes the option only to reject it.
    want = {c for c in commands if c != "record" and
            "--json" in run([LUOTRACE, c, "--help"]).stdout}
    check(len(want) > 5 and set(schemas()) == want | OTHERS,
          "each command with --json has a schema", set(schemas()) ^ (want | OTHERS))


def test_words():
    """The schemas have the words of luotrace."""
    lines = [line.split(", ") for line in printed("luotrace_test", "words")]
    defs = schemas()["common"]["$defs"]
    scope, mark = (schemas()["trace"]["$defs"][n]["properties"][key]["enum"]
                   for n, key in (("phase", "scope"), ("mark", "mark")))
    enums = [defs[n]["enum"] for n in (
        "dir", "state", "requested", "file_state", "op", "phase")]
    enums += [scope, defs["leak_reason"]["enum"], mark, defs["kho_kind"]["enum"]]
    check([e[:-1] for e in enums] == lines and all(e[-1] == "?" for e in enums),
          "the schemas have the words of luotrace", enums, lines)


def test_events():
    lines = printed("luotrace_test", "events")
    check_output("trace", lines, "each event of luotrace trace")
    check_output("record", lines, "each event of luotrace record")
    known = {word for _, part in parts(schemas()["trace"], "trace")
             for word in part.get("properties", {}).get("event", {}).get("enum", [])}
    check({json.loads(line)["event"] for line in lines} == known and len(known) > 20,
          "the schema knows these events and no other one", known)


def test_outputs():
    check_output("latency", printed("luotrace_test", "latency"), "luotrace latency")
    check_output("top", printed("top_test", "json"), "luotrace top")
    check_output("audit", printed("audit_test", "json"), "luotrace audit")


def renamed(o, path):
    """Copies of an output of which one key has another name each, with its path."""
    if isinstance(o, list):
        for i, one in enumerate(o):
            yield from ((p, o[:i] + [c] + o[i + 1:])
                        for p, c in renamed(one, "%s[%d]" % (path, i)))
    if isinstance(o, dict):
        for key, one in o.items():
            yield "%s.%s" % (path, key), {
                k + "x" if k == key else k: v for k, v in o.items()}
            yield from ((p, dict(o, **{key: c}))
                        for p, c in renamed(one, "%s.%s" % (path, key)))


def test_renamed():
    """No key can get another name without the schema."""
    for command, program, listing in (("trace", "luotrace_test", "events"),
                                      ("latency", "luotrace_test", "latency"),
                                      ("top", "top_test", "json"),
                                      ("audit", "audit_test", "json")):
        passed = [path for line in printed(program, listing)
                  for path, copy in renamed(json.loads(line), command)
                  if not problem(command, copy)]
        check(not passed, "no key of %s can be renamed" % command, *passed)


def check_units(root):
    where = os.path.join(root, "usr/lib/systemd/system")
    found = sorted(os.listdir(where))
    wanted = [name for name in sorted(os.listdir(MONITORING))
              if name.endswith((".service", ".timer"))]
    check(len(wanted) == 4 and found == wanted, "and the units", found, wanted)
    for name in (name for name in found if name.endswith(".service")):
        with open(os.path.join(where, name)) as f:
            text = f.read()
        check(re.search(r"^ExecStart=/usr/sbin/luotrace \w", text, re.M) and
              "/usr/local" not in text, name + " has the path of luotrace", text)


def test_install():
    """make install installs them, with what it finds in the tree that it runs in."""
    with tempfile.TemporaryDirectory() as tmp:
        root, r = install(tmp, "PREFIX=/usr")
        where = os.path.join(root, "usr/share/luotrace/schema")
        found = sorted(os.listdir(where)) if os.path.isdir(where) else []
        check(r.returncode == 0 and found == sorted(os.listdir(DIRECTORY)),
              "make install installs the schemas", r.stderr, found)
        header = os.path.join(root, "usr/include/luotrace_mark.h")
        r = run(["gcc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                 "-pedantic", "-fsyntax-only", "-x", "c", "-include", header,
                 "/dev/null"])
        check(r.returncode == 0, "and the header for agents, which is C99", r.stderr)
        check_units(root)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
