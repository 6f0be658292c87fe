# SPDX-License-Identifier: GPL-2.0
"""The JSON Schemas of luotrace's outputs, and whether an output is as they say."""

import functools
import glob
import json
import os

import jsonschema
from jsonschema.exceptions import best_match

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


def problem(command, output):
    """Where an output, from json.loads(), is not as its schema says; None if it is."""
    e = best_match(validator(command).iter_errors(output))
    return e and "%s: %s" % (e.json_path, e.message[:200])


def check_output(command, texts, what):
    """Check each of these outputs of a command."""
    bad = [p for p in (problem(command, json.loads(text)) for text in texts) if p]
    check(texts and not bad, what + " is as its schema says", *bad)
