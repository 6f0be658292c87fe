# SPDX-License-Identifier: GPL-2.0
"""Sphinx configuration of the man pages: one for luotrace, one for each command."""

import glob
import os

project = "LUO and luotrace"
author = copyright = "the LUO and luotrace developers"
root_doc = "luotrace"
exclude_patterns = ["black-box.rst", "guide.rst", "stock.rst"]
man_pages = [(name, name, "", "", 8) for name in sorted(
    os.path.basename(path)[:-len(".rst")]
    for path in glob.glob(os.path.join(os.path.dirname(__file__), "luotrace*.rst")))]


def no_toctree(app, env):
    """Each page stands alone."""
    for name in env.found_docs:
        env.metadata[name]["orphan"] = ""


def setup(app):
    app.connect("env-updated", no_toctree)
