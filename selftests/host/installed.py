# SPDX-License-Identifier: GPL-2.0
"""make install, for tests of what it installs."""

import os

from tap import TOP, run


def install(tmp, *args):
    """Run make install with libluo as it is, and with a luotrace and man pages that are
    none, from a tree in tmp into tmp/root. Returns the directory and how make ended."""
    r = run([os.path.join(TOP, "tools/build/alone"), "build", "make", "-s", "-C",
             os.path.join(TOP, "tools/libluo")])
    if r.returncode:
        raise RuntimeError("tools/libluo cannot be built: " + r.stderr)
    os.makedirs(os.path.join(tmp, "build/man"))
    for name in ("Documentation", "tools", "build/libluo"):
        os.symlink(os.path.join(TOP, name), os.path.join(tmp, name))
    for name in ("luotrace", "luotrace-core"):
        os.symlink("/bin/true", os.path.join(tmp, "build", name))
    for name in ("luotrace.8", "libluo.3"):
        with open(os.path.join(tmp, "build/man", name), "w") as f:
            f.write(name)
    root = os.path.join(tmp, "root")
    return root, run(["make", "-f", os.path.join(TOP, "Makefile"), "install",
                      "DESTDIR=" + root] + list(args), cwd=tmp)
