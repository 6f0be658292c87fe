# SPDX-License-Identifier: GPL-2.0
"""The JSON Schemas of luotrace's outputs, and whether an output is as they say."""

import functools
import glob
import json
import os

import jsonschema

from tap import TOP, check

DIRECTORY = os.path.join(TOP, "Documentation/tools/luotrace/schema")
SUFFIX = ".schema.json"


@functools.lru_cache(maxsize=None)
def schemas():
    """{name of the file without its suffix: schema}"""
    found = {}
    for path in glob.glob(os.path.join(DIRECTORY, "*" + SUFFIX)):
        with open(path) as f:
            found[os.path.basename(path)[:-len(SUFFIX)]] = json.load(f)
    return found


@functools.lru_cache(maxsize=None)
def validator(command):
    """A validator that finds the other files by their names in $ref."""
    files = {name + SUFFIX: schema for name, schema in schemas().items()}
    resolver = jsonschema.RefResolver(command + SUFFIX, schemas()[command], files)
    return jsonschema.Draft202012Validator(schemas()[command], resolver=resolver)


def innermost(error):
    """Of an error of oneOf or anyOf, that of the alternative that is meant: the one
    of the same kind that lacks the fewest keys."""
    while error.context:
        branches = {}
        for sub in error.context:
            branches.setdefault(sub.schema_path[0], []).append(sub)
        error = min(branches.values(), key=lambda subs: (
            any(sub.validator in ("const", "enum", "type") and len(sub.path) < 2
                for sub in subs), sum(not sub.path for sub in subs)))[0]
    return error


def problem(command, output):
    """Where an output, from json.loads(), is not as its schema says; None if it is."""
    for error in validator(command).iter_errors(output):
        error = innermost(error)
        return "%s: %s" % (error.json_path, error.message[:200])
    return None


def check_output(command, texts, what):
    """Check each of these outputs of a command."""
    bad = [p for p in (problem(command, json.loads(text)) for text in texts) if p]
    check(texts and not bad, what + " is as its schema says", *bad)
