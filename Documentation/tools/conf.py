# SPDX-License-Identifier: GPL-2.0
"""Sphinx configuration of the man pages: one for luotrace, one for each command, one
for the library."""

import glob
import os

HERE = os.path.dirname(os.path.abspath(__file__))

project = "LUO and luotrace"
author = copyright = "the LUO and luotrace developers"
root_doc = "luotrace/luotrace"
exclude_patterns = ["luotrace/black-box.rst", "luotrace/guide.rst",
                    "luotrace/installing.rst", "luotrace/stock.rst"]
man_pages = [
    (page[:-len(".rst")], os.path.basename(page)[:-len(".rst")], "", "", section)
    for pages, section in (("luotrace/luotrace*.rst", 8), ("libluo/*.rst", 3))
    for page in sorted(glob.glob(pages, root_dir=HERE))]


def no_toctree(app, env):
    """Each page stands alone."""
    for name in env.found_docs:
        env.metadata[name]["orphan"] = ""


def setup(app):
    app.connect("env-updated", no_toctree)
