"""What a verdict looked at: |z| of every deviation, and the shift of every number that the simulation implies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..sweeps import label_of, plain
from ._canvas import as_axes, new_axes, require_as_many, say_above
from ._legends import legend_beside
from ._looks import COLOURS, look
from ._notation import in_figures
from ._panels import ALPHA, SYMBOLS, chosen_names
from ._read_report import check_report, words_of
from ._style import drawing, put_letters
from ._trajectory_plot import end_with_data

RATES = ("sgd.learning_rate", "sgd.readout_learning_rate", "sgd.weight_decay")  # which have symbols
WIDTH_OF_A_LETTER = 0.55  # in units of the font's size
MOST_OF_A_PANEL = 0.7  # that names may take
MOST_SHIFTS = 12  # rows that a panel can hold


def plot_verdict(
    report: Mapping[str, Any], ax: Any = None, level: Any = None, quantities: Any = None
) -> tuple[Figure, np.ndarray]:
    """Draw |z| of every deviation, and the implied shift of every number. See `Agreement.plot`."""
    report = check_report(report)
    known = list(dict.fromkeys((one["kind"], one["name"]) for one in report["deviations"]))
    names = chosen_names(known, None, level, quantities)
    with drawing() as style:
        panels = ["deviations", *(["shifts"] if report.get("shifts") else [])]
        axes = as_axes(ax)
        if axes is None:
            figure, axes = new_axes(len(panels), style, shown=True)
            word = words_of(report)
            say_above(figure, f"theory and simulation {word} ($p$ = {report['p']:.2g}); dashed: family-wise limits")
            put_letters(axes)
        elif len(axes) == 1:
            panels = panels[:1]
        require_as_many(axes, panels)
        draw_sizes(axes[0], report, names)
        end_with_data(axes[0])
        axes[0].set_xlabel(ALPHA)
        if len(panels) > 1:
            draw_shifts(axes[1], report["shifts"])
        return axes[0].figure, axes


def draw_sizes(axes: Axes, report: Mapping[str, Any], names: set[str] | None = None) -> None:
    """Draw |z| of every deviation against alpha, and the threshold beyond which it alone rejects theory.

    Arguments: names: of the quantities to draw; None: all.
    """
    for index, (kind, name) in enumerate(SYMBOLS.items()):
        chosen = [
            one for one in report["deviations"] if one["kind"] == kind and (names is None or one.get("name") in names)
        ]
        if chosen:
            curve = look(index)
            alphas, z = [one["alpha"] for one in chosen], [abs(one["z"]) for one in chosen]
            axes.plot(alphas, z, curve.marker, ls="", label=name, **curve.points)
    axes.axhline(report["threshold_z"], color="0.3", lw=0.8, ls="--")
    axes.set_ylabel("$|z|$ of each deviation")
    axes.set_ylim(0.0, max(1.1 * report["threshold_z"], 1.1 * report["worst_z"], 0.1))
    legend_beside(axes)


def draw_shifts(axes: Axes, shifts: Sequence[Mapping[str, Any]]) -> None:
    """Draw the implied shift of every number with its error, in units of the smallest that would be seen.

    What would be seen stands beside each name. Where there are too many, the learning rule and the furthest are shown.
    """
    order = sorted(shifts, key=lambda one: (not one["name"].startswith("sgd."), -abs(one["z"])))
    shown = [one for one in order[:MOST_SHIFTS] if one["detectable"] > 0]
    axes.set_xlabel("implied shift / what would be seen")
    if not shown:
        return
    rows = np.arange(len(shown))[::-1]
    unit = np.array([one["detectable"] for one in shown])
    shift, error = (np.array([one[name] for one in shown]) / unit for name in ("shift", "standard_error"))
    axes.errorbar(shift, rows, xerr=error, fmt="o", ms=3, mfc="none", mew=0.8, lw=0.8, color=COLOURS[0])
    axes.axvline(0.0, color="0.3", lw=0.6)
    for side in (-1, 1):
        axes.axvline(side, color="0.3", lw=0.8, ls="--")
    # Names stand within the axes: outside they would push the panels above aside.
    names, size = [_row_name(one) for one in shown], 0.75 * float(axes.xaxis.label.get_fontsize())
    for row, text in zip(rows, names, strict=True):
        axes.text(0.01, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=size)
    axes.set_yticks([])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    reach = max(1.25, 1.1 * float(np.max(np.abs(shift) + error, initial=0.0)))
    share = _share_of_names(axes, names, size)
    axes.set_xlim(-reach - 2 * reach * share / (1 - share), reach)
    axes.set_xticks([-1, 0, 1])
    if len(shown) < len(shifts):
        axes.set_xlabel(f"implied shift / what would be seen ({len(shown)} of {len(shifts)})")


def _share_of_names(axes: Axes, names: Sequence[str], size: float) -> float:
    """Return which share of the panel's width the longest name takes, about; at most MOST_OF_A_PANEL."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # the panel has been made in one
    width = axes.get_position().width * figure.get_figwidth() * 72
    longest = max(len(text.replace("$", "").replace("\\", "")) for text in names) * WIDTH_OF_A_LETTER * size
    return min(longest / width, MOST_OF_A_PANEL)


def _row_name(one: Mapping[str, Any]) -> str:
    """Return the name of a row, with what would be seen of it."""
    known = label_of(one["name"]) if one["name"] in RATES else plain(one["label"])
    value, seen = one["value"], one["detectable"]
    return f"{known}: {in_figures(100 * seen / abs(value), 2)} %" if value else f"{known}: {in_figures(seen, 2)}"
