"""A curriculum as a strip of phases for HTML: along alpha, the shares of the levels as stacked areas."""

import html
from typing import TYPE_CHECKING

import numpy as np

from .._numbers import is_known

if TYPE_CHECKING:
    from ._curriculum import Curriculum

WIDTH, HEIGHT, BELOW = 360.0, 26.0, 14.0  # of the strip and of its axis, in pixels
# Okabe and Ito's colours, which the colour-blind tell apart, in an order that is light to dark in grey.
COLOURS = ("#56b4e9", "#d55e00", "#f0e442", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#000000")


def strip_of_phases(curriculum: "Curriculum") -> str:
    """Return an SVG element; nothing where the numbers are being traced."""
    if not is_known((curriculum.durations, curriculum.initial_shares, curriculum.final_shares)):
        return ""
    ends = np.concatenate([[0.0], np.cumsum(curriculum.durations)])
    scale = WIDTH / ends[-1]
    parts = []
    for p in range(len(ends) - 1):
        left, right = ends[p] * scale, ends[p + 1] * scale
        first, last = (np.concatenate([[0.0], np.cumsum(side[p])]) for side in _sides(curriculum))
        for l, name in enumerate(curriculum.level_names):
            corners = [(left, first[l]), (right, last[l]), (right, last[l + 1]), (left, first[l + 1])]
            if first[l] == first[l + 1] and last[l] == last[l + 1]:
                continue
            points = " ".join(f"{x:.1f},{HEIGHT * y:.1f}" for x, y in corners)
            title = f"<title>{html.escape(name)}, alpha {ends[p]:g} to {ends[p + 1]:g}</title>"
            parts.append(
                f'<polygon points="{points}" fill="{COLOURS[l % len(COLOURS)]}" stroke="white">{title}</polygon>'
            )
    marks = "".join(
        f'<text x="{min(max(end * scale, 4), WIDTH - 12):.1f}" y="{HEIGHT + BELOW - 2:.0f}" font-size="10" '
        f'text-anchor="middle" fill="currentColor">{end:g}</text>'
        for end in ends
    )
    names = ", ".join(
        f'<span style="color: {COLOURS[l % len(COLOURS)]}">&#9632;</span> {html.escape(name)}'
        for l, name in enumerate(curriculum.level_names)
    )
    size = f'width="{WIDTH:.0f}" height="{HEIGHT + BELOW:.0f}"'
    return f'<div><svg {size} role="img">{"".join(parts)}{marks}</svg><br>alpha = samples / N: {names}</div>'


def _sides(curriculum: "Curriculum") -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(curriculum.initial_shares), np.asarray(curriculum.final_shares)
