# SPDX-License-Identifier: GPL-2.0
"""The machine that the figures are from."""

import os
import platform


def machine():
    with open("/proc/cpuinfo") as f:
        model = [line.split(":")[1].strip() for line in f
                 if line.startswith("model name")]
    return "%d x %s, QEMU TCG" % (os.cpu_count(), (model or [platform.machine()])[0])
