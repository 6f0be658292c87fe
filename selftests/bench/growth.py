# SPDX-License-Identifier: GPL-2.0
"""A plot of how long a call takes by the number of sessions or files: a panel for
each step that has at least three sizes, both axes logarithmic, a line for each
kernel."""

import math

KERNELS = (("bench", "this LUO", "#2a6fb0"), ("bench-stock", "the base's", "#c0504d"))
WIDE, HIGH, COLUMNS = 250, 150, 3
LEFT, TOP, RIGHT, BOTTOM = 58, 26, 24, 26
# {unit: [(divisor, what is written after it)]}
LABELS = {"ns": [(1, " ns"), (1e3, " us"), (1e6, " ms")],
          "instructions": [(1, ""), (1e3, " k"), (1e6, " M"), (1e9, " G")]}


def panels(calls, unit):
    """{step: {kernel: [(n, value)]}}"""
    found = {}
    for call in calls:
        if call["unit"] != unit or not call["among"].isdigit():
            continue
        step = found.setdefault(call["step"], {})
        for kernel, value in call["median"].items():
            step.setdefault(kernel, []).append((int(call["among"]), value))
    return {s: lines for s, lines in found.items() if len(lines["bench"]) > 2}


def text(x, y, words, anchor="start", size=10, colour="#333"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s">' \
        "%s</text>" % (x, y, anchor, size, colour, words)


def label(value, unit):
    by, name = max(((by, name) for by, name in LABELS[unit] if value >= by),
                   default=LABELS[unit][0])
    return "%g%s" % (value / by, name)


def panel(step, lines, left, top, unit):
    """The SVG elements of one step."""
    points = [p for line in lines.values() for p in line]
    low = math.floor(math.log10(min(v for _, v in points)))
    high = max(math.ceil(math.log10(max(v for _, v in points))), low + 1)
    first, last = (f(math.log10(n) for n, _ in points) for f in (min, max))

    def x(n):
        return left + LEFT + (math.log10(n) - first) / (last - first) * (
            WIDE - LEFT - RIGHT)

    def y(value):
        return top + HIGH - BOTTOM - (math.log10(value) - low) / (high - low) * (
            HIGH - TOP - BOTTOM)

    out = [text(left + LEFT, top + 16, step, size=12)]
    for power in range(low, high + 1):
        at = y(10.0 ** power)
        out.append('<path d="M%.1f %.1fH%.1f" stroke="#ddd"/>' % (
            left + LEFT, at, left + WIDE - RIGHT))
        out.append(text(left + LEFT - 4, at + 3, label(10.0 ** power, unit), "end"))
    for n in sorted({n for n, _ in points}):
        out.append(text(x(n), top + HIGH - BOTTOM + 14, "{:,}".format(n), "middle"))
    for kernel, _, colour in KERNELS:
        line = sorted(lines.get(kernel, []))
        at = ["%.1f %.1f" % (x(n), y(v)) for n, v in line]
        if len(at) > 1:
            out.append('<path d="M%s" fill="none" stroke="%s" stroke-width="2"/>' % (
                "L".join(at), colour))
        out += ['<circle cx="%s" cy="%s" r="3" fill="%s"/>' % (
            *p.split(), colour) for p in at]
    return out


def plot(calls, path, unit, title, what):
    """Write the plot of calls, as they are in the JSON, to path."""
    steps = panels(calls, unit)
    rows = -(-len(steps) // COLUMNS)
    out = [text(10, 20, title, size=14), text(10, 38, what)]
    for i, (_, name, colour) in enumerate(KERNELS):
        out.append(text(COLUMNS * WIDE - 20 - 90 * i, 20, name, "end", 12, colour))
    for i, (step, lines) in enumerate(steps.items()):
        out += panel(step, lines, i % COLUMNS * WIDE, 44 + i // COLUMNS * HIGH, unit)
    with open(path, "w") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                'font-family="sans-serif">\n<rect width="100%%" height="100%%" '
                'fill="white"/>\n%s\n</svg>\n' % (
                    COLUMNS * WIDE, 50 + rows * HIGH, "\n".join(out)))
