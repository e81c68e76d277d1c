"""How curves of one panel are told apart: by colour, dash and marker, and beyond eight by a bar of colours."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_hex
from matplotlib.lines import Line2D

# Okabe & Ito's colours for all eyes; their yellow, which is lost on white paper, is replaced by an olive of Paul Tol's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SEQUENTIAL = "cividis"  # of maps: for all eyes, and monotone in grey
DIVERGING = "RdBu_r"  # of signed maps: red is more, blue is less, white is none, for all eyes
MOST_TICKS, MOST_NAMES = 9, 24  # of a bar of colours: numbers between ticks are read off, names are not


@dataclasses.dataclass(frozen=True)
class Look:
    """How a curve is drawn: its colour, dash and marker."""

    colour: Any
    line: str
    marker: str

    @property
    def points(self) -> dict[str, Any]:
        """What matplotlib is told of points: open, so that those below are seen."""
        return {"color": self.colour, "ms": 3, "mfc": "none", "mew": 0.8, "lw": 0.8}


def look(index: int) -> Look:
    """Return the look of the curve of this number: no two of the first 32 are the same."""
    turn = index // len(COLOURS)
    return Look(COLOURS[index % len(COLOURS)], LINES[(index + turn) % len(LINES)], MARKERS[index % len(MARKERS)])


def looks(count: int, overlay: int = 0) -> list[Look]:
    """Return a look for each of `count` curves, all different: beyond eight, colours from dark to light.

    Arguments: count: of curves. overlay: how many such families of curves the panel has already.
    """
    if count <= len(COLOURS):
        return [look(index + overlay * count) for index in range(count)]
    line = LINES[overlay % len(LINES)]
    return [Look(colour, line, MARKERS[i % len(MARKERS)]) for i, colour in enumerate(colours_in_order(count))]


def looks_of_pairs(pairs: Sequence[tuple[int, int]], overlay: int = 0) -> list[Look] | None:
    """Return a look for each pair of units: colour by the first, dash and marker by the second.

    It is None where there are more units than colours or dashes, and for an overlay, which has the dashes already.
    """
    firsts, seconds = (sorted(set(units)) for units in zip(*pairs, strict=True))
    if overlay or len(firsts) > len(COLOURS) or len(seconds) > len(LINES):
        return None
    places = [(firsts.index(first), seconds.index(second)) for first, second in pairs]
    return [Look(COLOURS[first], LINES[second], MARKERS[second]) for first, second in places]


def colours_in_order(count: int) -> list[str]:
    """Return `count` colours from dark to light, without the lightest, which are lost on white paper."""
    return [to_hex(colour) for colour in mpl.colormaps["viridis"](np.linspace(0.0, 0.92, count))]


def bar_of_colours(axes: Axes, names: Sequence[str], label: str = "", *, ticks: int = MOST_TICKS) -> None:
    """Put a bar of the colours of `looks(len(names))` beside a panel, with the names of at most `ticks` of them."""
    count = len(names)
    colours = ListedColormap(colours_in_order(count))
    mappable = mpl.cm.ScalarMappable(BoundaryNorm(np.arange(count + 1) - 0.5, count), colours)
    bar = _figure_of(axes).colorbar(mappable, ax=axes, label=label, pad=0.02, aspect=30)
    shown = np.unique(np.linspace(0, count - 1, min(count, ticks)).round().astype(int))
    bar.set_ticks(shown.tolist(), labels=[names[index] for index in shown])
    bar.minorticks_off()


def _figure_of(axes: Axes) -> Any:
    """Return the figure of a panel, or the part of one in which it lies."""
    return axes.figure


def map_of(signed: bool) -> Colormap:
    """Return the colours of a map: for numbers of both signs those that part at white."""
    return mpl.colormaps[DIVERGING if signed else SEQUENTIAL]


def drawn_curves(axes: Axes) -> list[Line2D]:
    """Return the curves and points of a panel: what is drawn along both axes, and has at least one point to see."""
    return [line for line in axes.get_lines() if line.get_transform() == axes.transData and _has_points(line)]


def _has_points(line: Line2D) -> bool:
    return bool(np.any(np.all(np.isfinite(np.asarray(line.get_xydata(), float)), axis=1)))


def alike(axes: Axes) -> list[tuple[str, str]]:
    """Return the labels of every two curves of a panel that have the same colour, dash and marker: none is right."""
    shown = [(str(line.get_label()), _seen(line)) for line in drawn_curves(axes)]
    return [(one, other) for (one, a), (other, b) in itertools.combinations(shown, 2) if a == b]


def _seen(line: Line2D) -> tuple[Any, ...]:
    # A line's own dashes, in points: "--" and (0, (3.7, 1.6)) are seen as the same. Widths and opacity do not count.
    dashes: Any = line._unscaled_dash_pattern if line.get_linestyle() != "None" else "none"  # type: ignore[attr-defined]
    marker = line.get_marker()
    filled = marker not in ("", "None", None) and to_hex(line.get_markerfacecolor(), keep_alpha=True)
    return to_hex(line.get_color()), str(dashes), str(marker), filled
