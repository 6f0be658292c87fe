# SPDX-License-Identifier: GPL-2.0
"""The directive ``.. kernel-doc:: FILE``: what the kernel's own tool makes of the
comments of a file. With ``:doc:`` only its DOC block of that title."""

import os
import subprocess

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class KernelDoc(Directive):
    required_arguments = 1
    option_spec = {"doc": directives.unchanged}

    def run(self):
        tree = os.environ["KERNEL_TREE"]
        path = os.path.join(TOP, self.arguments[0])
        self.state.document.settings.env.note_dependency(path)
        command = [os.path.join(tree, "scripts/kernel-doc"), "-rst"]
        if "doc" in self.options:
            command += ["-function", self.options["doc"]]
        else:
            command += ["-no-doc-sections"]
        done = subprocess.run(command + [path], capture_output=True, text=True)
        if done.returncode or not done.stdout.strip():
            raise self.error("kernel-doc of %s: %s" % (path, done.stderr or
                                                       "nothing found"))
        lines = StringList(done.stdout.expandtabs(8).splitlines(), path)
        section = nodes.section()
        section.document = self.state.document
        self.state.nested_parse(lines, self.content_offset, section,
                                match_titles=1)
        return section.children


def setup(app):
    app.add_directive("kernel-doc", KernelDoc)
    return {"parallel_read_safe": True}
