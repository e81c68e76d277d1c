"""What a verdict looked at: |z| of every deviation, and the shift of every number that the simulation implies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

import teacher_student as ts

from ..sweeps import plain

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")  # Okabe & Ito
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SYMBOLS = {"Q": "$Q$", "R": "$R$", "readout": "$v$", "error": r"$\epsilon_g$", "accuracy": "accuracy"}
MOST_SHIFTS = 12  # rows that a panel can hold


def draw_sizes(axes: Axes, report: Mapping[str, Any], theory: ts.Trajectory) -> None:
    """Draw |z| of every deviation against alpha, and the threshold beyond which it alone rejects theory."""
    for index, (kind, name) in enumerate(SYMBOLS.items()):
        chosen = [one for one in report["deviations"] if one["kind"] == kind]
        if chosen:
            alphas, z = [one["alpha"] for one in chosen], [abs(one["z"]) for one in chosen]
            marker, colour = MARKERS[index], COLOURS[index]
            axes.plot(alphas, z, marker, ms=3, mfc="none", mew=0.6, color=colour, label=name)
    axes.axhline(report["threshold_z"], color="0.3", lw=0.8, ls="--")
    axes.set_ylabel("$|z|$ of each deviation")
    axes.set_xlim(left=float(theory.alphas[0]))
    # Room above for the legend.
    axes.set_ylim(0.0, 1.3 * max(1.1 * report["threshold_z"], report["worst_z"], 0.1))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, ncols=5, loc="upper left", columnspacing=0.8, handletextpad=0.1)


def draw_shifts(axes: Axes, shifts: Sequence[Mapping[str, Any]]) -> None:
    """Draw the implied shift of every number with its error, in units of the smallest that would be seen.

    What would be seen stands beside each name. Where there are too many, the learning rule and the furthest are shown.
    """
    order = sorted(shifts, key=lambda one: (not one["name"].startswith("sgd."), -abs(one["z"])))
    shown = [one for one in order[:MOST_SHIFTS] if one["detectable"] > 0]
    rows = np.arange(len(shown))[::-1]
    if not shown:
        return
    unit = np.array([one["detectable"] for one in shown])
    shift, error = (np.array([one[name] for one in shown]) / unit for name in ("shift", "standard_error"))
    axes.errorbar(shift, rows, xerr=error, fmt="o", ms=3, mfc="none", mew=0.8, lw=0.8, color=COLOURS[0])
    axes.axvline(0.0, color="0.3", lw=0.6)
    for side in (-1, 1):
        axes.axvline(side, color="0.3", lw=0.8, ls="--")
    # Names stand within the axes: outside they would push the panels above aside.
    for row, one in zip(rows, shown, strict=True):
        axes.text(0.01, row, _row_name(one), transform=axes.get_yaxis_transform(), va="center", fontsize=5.5)
    axes.set_yticks([])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    reach = max(1.25, 1.1 * float(np.max(np.abs(shift) + error, initial=0.0)))
    axes.set_xlim(-2.6 * reach, reach)
    axes.set_xticks([-1, 0, 1])
    left_out = f" ({len(shown)} of {len(shifts)})" if len(shown) < len(shifts) else ""
    axes.set_xlabel(f"implied shift / what would be seen{left_out}")


def _row_name(one: Mapping[str, Any]) -> str:
    """Return the name of a row, with what would be seen of it."""
    label, value, seen = plain(one["label"]), one["value"], one["detectable"]
    return f"{label}, {100 * seen / abs(value):.2g} %" if value else f"{label}, {seen:.2g}"
