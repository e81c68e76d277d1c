"""Legends stand beside their panel, or below it where that would take too much of its room, never over the data."""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.transforms import ScaledTranslation

from ._notation import in_lines, letters_of

BESIDE: Any = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
BELOW: Any = {"loc": "upper center", "borderaxespad": 0.0}
SHORT: Any = {"frameon": False, "handlelength": 2.4, "handletextpad": 0.5, "labelspacing": 0.35}
MOST_ROWS = 10  # of a legend beside a panel
# A legend stands beside its panel where it takes a small share of the place for both, or leaves these inches.
SMALL_SHARE, WIDE_ENOUGH = 0.22, 2.45
LETTER = 0.52  # width of a letter on average, as a share of its height
KEY, GAP = 2.9, 2.0  # widths of a key with its pad and of the space between columns, in heights of a letter


def entries(axes: Axes, handles: Iterable[Any] = ()) -> tuple[list[Any], list[str]]:
    """Return handles and labels for a legend: the line and the points of one name are one entry."""
    together: dict[str, list[Any]] = {}
    for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
        together.setdefault(label, []).append(handle)
    for handle in handles:
        together.setdefault(handle.get_label(), []).append(handle)
    return [tuple(found) if len(found) > 1 else found[0] for found in together.values()], list(together)


def legend_beside(axes: Axes, handles: Iterable[Any] = (), **options: Any) -> Legend | None:
    """Put the legend beside its panel, or below it where there is little room; None where nothing has a name."""
    shown, labels = entries(axes, handles)
    if not labels:
        return None
    columns = -(-len(labels) // MOST_ROWS)
    size = size_of_letters()
    width = columns * _width_of_entry(labels, size)
    title = LETTER * letters_of(options.get("title") or "") * size / 72
    room = _room_of(axes)
    if "loc" not in options and max(width, title) > max(SMALL_SHARE * room, room - WIDE_ENOUGH):
        return legend_below(axes, handles, **({"ncols": columns_within(room, labels, size)} | options))
    return axes.legend(shown, labels, **(BESIDE | SHORT | {"ncols": columns} | options))


def legend_below(axes: Axes, handles: Iterable[Any] = (), **options: Any) -> Legend | None:
    """Put the legend below the axis' label of its panel; None where nothing has a name."""
    shown, labels = entries(axes, handles)
    if not labels:
        return None
    # Ticks and label of the axis take a length on paper, not a share of the panel.
    down = ScaledTranslation(0.0, -3.8 * float(axes.xaxis.label.get_fontsize()) / 72, axes.figure.dpi_scale_trans)
    place: Any = {"bbox_to_anchor": (0.5, 0.0), "bbox_transform": axes.transAxes + down}
    return axes.legend(shown, labels, **(BELOW | place | SHORT | options))


def columns_within(width: float, labels: Sequence[str], size: float) -> int:
    """Return how many columns of a legend stand side by side.

    Arguments: width: in inches. labels: of the legend. size: of its letters, in points.
    """
    return max(1, min(len(labels), int((width + GAP * size / 72) / _width_of_entry(labels, size))))


def _width_of_entry(labels: Sequence[str], size: float) -> float:
    """Return the width of the longest entry of a legend, with the space to the next, in inches."""
    longest = max(letters_of(line) for label in labels for line in label.split("\n"))
    return (KEY + GAP + LETTER * longest) * size / 72


def size_of_letters() -> float:
    """Return the size of a legend's letters, in points."""
    return float(FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points())


def _room_of(axes: Axes) -> float:
    """Return the width that a panel and its legend have together, in inches."""
    figure: Any = axes.figure  # or a part of one
    place, width = axes.get_subplotspec(), figure.bbox.width / figure.dpi
    if place is None:
        return float(width)
    return float(width * len(place.colspan) / place.get_gridspec().ncols)


def along(axes: Axes, label: str, share: float = 1.0) -> str:
    """Return the label of an upright axis of a panel in as many lines as its height asks for.

    Arguments: share: of its present height that the panel will keep where a legend goes below it.
    """
    return _within(axes, label, share * axes.get_window_extent().height)


def below(axes: Axes, label: str) -> str:
    """Return the label of a panel's axis to the right in as many lines as its width asks for."""
    return _within(axes, label, axes.get_window_extent().width)


def _within(axes: Axes, label: str, pixels: float) -> str:
    points = 72 * pixels / axes.figure.dpi
    return in_lines(label, points / (LETTER * float(axes.yaxis.label.get_fontsize())))
