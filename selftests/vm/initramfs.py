# SPDX-License-Identifier: GPL-2.0
"""Writes an initramfs: a cpio archive in the newc format."""

import os
import stat

ALIGN = 512


class Cpio:
    """An archive under construction. Directories are created on demand."""

    def __init__(self):
        self._out = bytearray()
        self._ino = 1
        self._dirs = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        fields = (self._ino, mode, 0, 0, 1, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(name) + 1, 0)
        self._ino += 1
        self._out += b"070701" + b"".join(b"%08x" % f for f in fields)
        self._out += name.encode() + b"\0"
        self._out += b"\0" * (-len(self._out) % 4)
        self._out += data
        self._out += b"\0" * (-len(self._out) % 4)

    def _parents(self, name):
        parent = os.path.dirname(name)
        if parent and parent not in self._dirs:
            self.add_dir(parent)

    def add_dir(self, name, mode=0o755):
        self._parents(name)
        self._dirs.add(name)
        self._entry(name, stat.S_IFDIR | mode)

    def add_data(self, name, data, mode=0o644):
        self._parents(name)
        self._entry(name, stat.S_IFREG | mode, data)

    def add_file(self, path, name):
        """path: on the host, name: in the guest. The mode is kept."""
        with open(path, "rb") as f:
            data = f.read()
        self.add_data(name, data, stat.S_IMODE(os.stat(path).st_mode))

    def add_symlink(self, name, target):
        self._parents(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def add_char_device(self, name, major, minor):
        self._parents(name)
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def finish(self):
        """The archive, padded so that another one can follow it."""
        self._entry("TRAILER!!!", 0)
        self._out += b"\0" * (-len(self._out) % ALIGN)
        return bytes(self._out)
