# SPDX-License-Identifier: GPL-2.0
"""Sphinx configuration."""

import os
import sys

sys.path.insert(0, os.path.abspath("ext"))
sys.dont_write_bytecode = True

project = "LUO and luotrace"
author = "the LUO and luotrace developers"
copyright = author
extensions = ["kerneldoc"]
exclude_patterns = ["ext"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "240px"}
primary_domain = "c"
highlight_language = "none"

# One page for the tool, one for each command.
_pages = ("luotrace", "luotrace-check", "luotrace-trace", "luotrace-latency",
          "luotrace-timeline", "luotrace-audit", "luotrace-finish",
          "luotrace-handover", "luotrace-metrics", "luotrace-record", "luotrace-report")
man_pages = [("tools/luotrace/" + name, name, "", "", 8) for name in _pages]
