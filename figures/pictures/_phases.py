"""The phases of a curriculum: as shades behind curves, and as a picture of their own."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import teacher_student as ts
from teacher_student import internal

from ..sweeps import plain
from ._canvas import as_axes
from ._legends import legend_beside
from ._looks import COLOURS, colours_in_order
from ._panels import ALPHA
from ._style import drawing, new_figure

CHARACTER = 0.55  # width of a letter, as a share of its height
SHADE = "0.93"
HATCHES = (None, "///", "...", "xxx")  # of stacked areas, in turn


def shade_phases(axes: Axes, curriculum: ts.Curriculum, alphas: Any, *, named: bool) -> list[Artist]:
    """Shade every second phase between the first and the last alpha, and name the phases above the panel.

    Returns shades and names. The limits of the axis stay. A name that is wider than its phase is left out where there
    are many phases.
    """
    last, ends = float(alphas[-1]), np.asarray(curriculum.switches, float)
    left, right = axes.get_xlim()
    ends = np.where(ends >= last * (1 - 1e-9), right, ends)  # the shade goes on to the frame
    begins = np.maximum(np.concatenate([[left], ends[:-1]]), left)
    to_axes = axes.transData + axes.transAxes.inverted()
    size = 0.9 * float(axes.yaxis.label.get_fontsize())
    drawn: list[Artist] = []
    letter = CHARACTER * size / 72 * axes.figure.dpi / axes.get_window_extent().width
    for index, (begin, end, name) in enumerate(zip(begins, ends, curriculum.phase_names(), strict=True)):
        if end <= begin or begin > last:
            continue
        if index % 2:
            drawn.append(axes.axvspan(begin, end, color=SHADE, lw=0, zorder=-2))
        shown = plain(name)
        from_, to = (to_axes.transform((alpha, 1.0))[0] for alpha in (begin, end))
        width = letter * len(shown)
        if named and len(ends) > 1 and (width < 1.05 * (to - from_) or len(ends) < 4):
            middle = np.clip((from_ + to) / 2, width / 2, max(1 - width / 2, width / 2))
            style: Any = {"ha": "center", "va": "bottom", "fontsize": size, "color": "0.25"}
            drawn.append(axes.annotate(shown, (middle, 1.01), xycoords="axes fraction", **style))
    axes.set_xlim(left, right)
    return drawn


def plot_curriculum(curriculum: ts.Curriculum, ax: Any = None) -> tuple[Figure, np.ndarray]:
    """Draw the share of every level against alpha, stacked, and name the levels beside. See `Curriculum.plot`."""
    numbers = (curriculum.durations, curriculum.initial_shares, curriculum.final_shares)
    if not internal.is_known(numbers):
        raise ts.InputError("a curriculum of numbers to draw it", "one of numbers that are being traced")
    with drawing() as style:
        given = as_axes(ax)
        if given is None:
            figure = new_figure(0.62 * style.width if style.columns > 1 else style.width, 0.8 * style.row, shown=True)
            given = np.array([figure.add_subplot()], dtype=object)
        elif len(given) != 1:
            raise ts.InputError("one Axes as ax for a curriculum", len(given))
        draw_curriculum(given[0], curriculum)
        return given[0].figure, given


def draw_curriculum(axes: Axes, curriculum: ts.Curriculum, *, hatched: bool = False) -> None:
    """Draw the shares of the levels as stacked areas, which change linearly within a phase.

    Arguments: hatched: whether all areas but the first are hatched, so that they differ in grey too.
    """
    ends = np.concatenate([[0.0], np.cumsum(np.asarray(curriculum.durations, float))])
    alphas = np.repeat(ends, 2)[1:-1]
    shares = np.stack([curriculum.initial_shares, curriculum.final_shares], axis=1).reshape(len(alphas), -1)
    names, count = curriculum.level_names, len(curriculum.level_names)
    colours = COLOURS if count <= len(COLOURS) else colours_in_order(count)
    below = np.zeros(len(alphas))
    for index, name in enumerate(names):
        above = below + shares[:, index]
        hatch = HATCHES[index % len(HATCHES)] if hatched else None
        style: dict[str, Any] = {"facecolor": colours[index], "edgecolor": "white", "alpha": 0.75, "lw": 0}
        axes.fill_between(alphas, below, above, hatch=hatch, label=plain(name), **style)
        below = above
    for end in ends[1:-1]:
        axes.axvline(end, color="white", lw=1.0)
    axes.set(xlim=(0.0, ends[-1]), ylim=(0.0, 1.0), xlabel=ALPHA, ylabel="share of samples")
    legend_beside(axes)
