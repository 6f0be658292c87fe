# SPDX-License-Identifier: GPL-2.0
"""The files of this tree."""

import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def names(top=TOP):
    """Sorted paths in a clone, those of new files too, which git does not ignore. The
    clone may belong to another user."""
    listed = subprocess.run(["git", "-c", "safe.directory=" + top, "ls-files", "-z",
                             "--cached", "--others", "--exclude-standard"], cwd=top,
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    return [name for name in sorted(set(listed.split("\0")))
            if os.path.isfile(os.path.join(top, name))]
