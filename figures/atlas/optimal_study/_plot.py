"""The picture of optimal orders."""

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from ...pictures import Look, drawing, legend_below, legend_beside, look, new_figure, put_letters
from .._foreign_data import takes_data_of
from ._plan import BASE, FACTORS, JUDGED, NAMED
from ._summary import (
    best_named,
    best_on_average,
    gain_of,
    gains,
    orders,
    row_of,
    xor_rows,
)

SYMBOLS = {
    "share": "easy share $p$",
    "irrelevant": r"irrelevant $\rho_i$",
    "rate": r"rate $\eta$",
    "contrast": r"contrast $\Delta$",
    "budget": r"budget $\alpha$",
}
LETTERS = {"easy, hard": "EH", "hard, easy": "HE", "mixed": "M"}  # of named orders
PLACES = {"outside of the plane": "out of the plane", "in the plane": "in the plane"}  # where samples are easy
LETTER_STYLE: Any = {"ha": "center", "va": "bottom", "fontsize": 5.5}
RESOLVED = 1e-3  # a gain in error up to which the axis is linear
MOST = 6  # classes with a look of their own; rarer ones are "another order"
OTHER = "another order"
TIMES = 121  # rows of a map of shares


@takes_data_of("optimal")
def optimal(perceptron: xr.Dataset, xor: xr.Dataset) -> Figure:
    """Draw the optimal order along every number of the perceptron with its gain, and the gain on the XOR mixture.

    Maps: the share of easy samples over time, white where only easy ones are shown, dark where only hard ones are.
    Below: the gain over the best named order, whose letters stand at the bottom. Last row: named orders with rates of
    their own, and the gain against the width K with standard errors over starts.

    Arguments: perceptron, xor: of `optimal_data`. Returns a matplotlib Figure.
    """
    seen = _looks(perceptron)
    with drawing("prl-wide"):
        figure = new_figure(7.0, 7.6)
        outer = figure.add_gridspec(4, 1, height_ratios=(1, 1, 1.5, 1.7))
        rows = [outer[i].subgridspec(1, len(BASE)) for i in range(3)]
        panels: list[list[Axes]] = []
        for index, row in enumerate(rows):
            panels.append([])
            for column in range(len(BASE)):
                first = panels[-1][0] if column and index < len(JUDGED) else None
                panels[-1].append(figure.add_subplot(row[0, column], sharey=first))
        for column, axis in enumerate(BASE):
            for of_judged, judged in zip(panels, JUDGED, strict=False):
                _draw_orders(of_judged[column], row_of(perceptron, axis, judged), axis)
            _draw_gains(panels[2][column], perceptron, axis, seen)
            panels[2][column].set_xlabel(SYMBOLS[axis])
        for upper, words in zip(panels[:2], ("judged on both", "judged on hard"), strict=True):
            upper[0].set_ylabel(f"{words}\ntime / end")
            for axes in upper[1:]:
                axes.tick_params(labelleft=False)
        panels[2][0].set_ylabel("gain (%)")
        last = outer[3].subgridspec(1, 3, width_ratios=(1.5, 1, 1))
        tuned, *of_xor = (figure.add_subplot(last[0, i]) for i in range(3))
        _draw_tuned(tuned, perceptron)
        _draw_xor(of_xor, xor)
        put_letters([*panels[0], *panels[1], *panels[2], tuned, *of_xor])
        figure.legend(handles=_entries(seen), loc="outside lower center", ncols=5)
        return figure


def _looks(data: xr.Dataset) -> dict[str, Look]:
    """Return a look for each of the most frequent classes."""
    common = [name for name, _ in Counter(orders(data)).most_common(MOST)]
    return {name: look(index) for index, name in enumerate(common)}


def _of_class(name: str, seen: dict[str, Look]) -> Look:
    return seen.get(name, look(6))


def _entries(seen: dict[str, Look]) -> list[Any]:
    style: Any = {"ls": "none", "ms": 4.5, "mew": 0.9}
    shown = [Line2D([], [], color=each.colour, marker=each.marker, label=name, **style) for name, each in seen.items()]
    judged: Any = {"color": "0.5", "marker": "o", "ms": 3.5, "mec": "0.2", "lw": 0.8}
    return [
        *shown,
        Line2D([], [], color=look(6).colour, marker=look(6).marker, label=OTHER, **style),
        Patch(fc="1.0", ec="0.3", lw=0.6, label="easy"),
        Patch(fc="0.25", ec="0.3", lw=0.6, label="hard"),
        Patch(fc="0.6", ec="0.3", lw=0.6, label="mix of both"),
        Patch(fc=look(1).colour, lw=0, label="the order changes"),
        Line2D([], [], ls="-", mfc="0.2", label="judged on both", **judged),
        Line2D([], [], ls=":", mfc="w", label="judged on hard", **judged),
    ]


def easy_share(phases: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the share of easy samples at times between 0 and 1 of the whole run.

    Arguments: phases: (duration, easy share at the beginning, at the end) of each.
    """
    ends = np.cumsum(phases[:, 0]) / phases[:, 0].sum()
    begins = np.concatenate([[0.0], ends[:-1]])
    index = np.minimum(np.searchsorted(ends, times, side="right"), len(ends) - 1)
    done = np.clip((times - begins[index]) / (ends - begins)[index], 0, 1)
    shares: np.ndarray = phases[index, 1] + done * (phases[index, 2] - phases[index, 1])
    return shares


def _draw_orders(axes: Axes, row: xr.Dataset, axis: str) -> None:
    """Draw the share of easy samples over time at each value of the number."""
    values, phases = row[axis].values, row["phases"].values
    times = (np.arange(TIMES) + 0.5) / TIMES
    shares = np.stack([easy_share(each[each[:, 0] > 0], times) for each in phases], axis=1)
    heights = np.linspace(0, 1, TIMES + 1)
    shades = 0.25 + 0.75 * shares
    axes.pcolormesh(_edges(values, axis), heights, shades, cmap="gray", vmin=0, vmax=1, rasterized=True)
    for low, high in _brackets(row, axis):
        axes.axvspan(low, high, 0, 0.06, color=look(1).colour, lw=0)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1])
    _scale(axes, axis, values)


def _brackets(row: xr.Dataset, axis: str) -> list[tuple[float, float]]:
    """Return the neighbouring values between which the class of the order changes."""
    names, values = orders(row), row[axis].values.tolist()
    return [(values[i], values[i + 1]) for i, (one, other) in enumerate(itertools.pairwise(names)) if one != other]


def _edges(values: np.ndarray, axis: str) -> np.ndarray:
    """Return the middles between neighbouring values, and as much beyond the first and the last."""
    points = np.log(values) if axis in FACTORS else values
    steps = np.diff(points) if len(points) > 1 else np.array([2.0])
    middles = (points[1:] + points[:-1]) / 2
    edges = np.concatenate([[points[0] - steps[0] / 2], middles, [points[-1] + steps[-1] / 2]])
    return np.exp(edges) if axis in FACTORS else edges


def _scale(axes: Axes, axis: str, values: np.ndarray) -> None:
    """Let the axis end with its values."""
    if axis in FACTORS:
        axes.set_xscale("log")
        shown = [x for x in (0.25, 0.5, 1, 2, 4, 8, 16) if values[0] <= x <= values[-1]]
        axes.set_xticks(shown, [f"{x:g}" for x in shown])
        axes.xaxis.set_minor_locator(NullLocator())
    points = np.log(values) if axis in FACTORS else values
    reach = 0.035 * (points[-1] - points[0]) or 0.5
    ends = points[0] - reach, points[-1] + reach
    axes.set_xlim(*(np.exp(ends) if axis in FACTORS else ends))


def _draw_gains(axes: Axes, data: xr.Dataset, axis: str, seen: dict[str, Look]) -> None:
    """Draw the gains in per cent of the best named order's cost, with what finer phases could add, by class."""
    top = 0.0
    for judged, line in zip(JUDGED, ("-", ":"), strict=True):
        row = row_of(data, axis, judged)
        values, best = row[axis].values, row["named_cost"].values.min(axis=1)
        names = np.array([name if name in seen else OTHER for name in orders(row)])
        gained, more = 100 * gains(row) / best, 100 * row["to_gain"].values * row["cost"].values / best
        axes.plot(values, gained, line, color="0.5", lw=0.8, zorder=1)
        for name in dict.fromkeys(names.tolist()):
            shown, here = _of_class(name, seen), names == name
            axes.errorbar(
                values[here],
                gained[here],
                [0 * more[here], more[here]],
                fmt=shown.marker,
                color=shown.colour,
                ms=3.5,
                mfc=shown.colour if judged == "mixture" else "white",
                mew=0.8,
                lw=0.8,
            )
        top = max(top, float(np.max(gained + more)))
        height = 0.14 if judged == "mixture" else 0.02
        for x, letters in _runs(values, [LETTERS[name] for name in best_named(row)], axis):
            style: Any = {
                "ha": "center",
                "va": "bottom",
                "fontsize": 5.5,
                "color": "k" if judged == "mixture" else "0.45",
            }
            axes.annotate(letters, (x, height), xycoords=("data", "axes fraction"), **style)
    axes.set_ylim(-0.35 * max(top, 1e-3), 1.12 * max(top, 1e-3))
    _scale(axes, axis, values)


def _runs(values: Iterable[float], names: list[str], axis: str) -> list[tuple[float, str]]:
    """Return one name in the middle of each run of equal ones."""
    places: list[tuple[list[float], str]] = []
    for value, name in zip(values, names, strict=True):
        if places and places[-1][1] == name:
            places[-1][0].append(value)
        else:
            places.append(([value], name))
    if axis in FACTORS:
        return [(float(np.sqrt(run[0] * run[-1])), name) for run, name in places]
    return [((run[0] + run[-1]) / 2, name) for run, name in places]


def _draw_tuned(axes: Axes, data: xr.Dataset) -> None:
    """Draw the cost of every named order above that of the optimum, where each has rates of its own."""
    cells = data.isel(cell=np.flatnonzero(data["tuned"].values.astype(bool)))
    axes.set_title("with rates of its own", loc="left")
    axes.set_ylabel("cost over the optimum's (%)")
    count = cells.sizes["cell"]
    for index, name in enumerate(NAMED):
        over = 100 * (cells["named_cost"].sel(named=name) / cells["cost"] - 1).values
        shown = look(index)
        x = np.arange(count) + 0.2 * (index - 1)
        axes.plot(x, over, shown.marker, color=shown.colour, ms=4, mfc="none", mew=0.9, label=LETTERS[name])
    axes.axhline(0.0, color="0.7", lw=0.8, zorder=0)
    axes.set_xticks(range(count), [_point_in_symbols(cells.isel(cell=i)) for i in range(count)])
    axes.margins(x=0.035)
    legend_beside(axes, title="order")


def _point_in_symbols(cell: xr.Dataset) -> str:
    """Return what differs from the base point, and what is judged, in few letters."""
    changes = [f"{SYMBOLS[axis].split()[-1]}={float(cell[axis]):g}" for axis in BASE if float(cell[axis]) != BASE[axis]]
    judged = "mix." if str(cell["judged"].values) == "mixture" else "hard"
    return "\n".join([*(changes or ["base"]), judged])


def _draw_xor(panels: list[Axes], data: xr.Dataset) -> None:
    """Draw the gain in error against K, for each kind of easiness: over random order, and over the best named one."""
    kinds = list(dict.fromkeys(data["kind"].values.tolist()))
    for axes, kind in zip(panels, kinds, strict=True):
        rows = [(width, row) for each, width, row in xor_rows(data) if each == kind]
        best = [best_on_average(row) for _, row in rows]
        curves = {"over random order": ("own", ["mixed"] * len(rows)), "over the best named order": ("own", best)}
        curves["the same, at another start"] = ("other", best)
        for index, (label, (where, others)) in enumerate(curves.items()):
            found = [gain_of(row, "error", where, other) for (_, row), other in zip(rows, others, strict=True)]
            widths = np.array([width for width, _ in rows], float) * 1.06 ** (index - 1)
            shown = look(index)
            error = [each.se if np.isfinite(each.se) else 0.0 for each in found]
            means = [each.mean for each in found]
            axes.errorbar(widths, means, error, fmt=shown.marker + shown.line, label=label, **shown.points)
        axes.axhline(0.0, color="0.7", lw=0.8, zorder=0)
        axes.set_xscale("log", base=2)
        axes.set_yscale("symlog", linthresh=RESOLVED)
        axes.set_xticks([width for width, _ in rows], [f"{width}" for width, _ in rows])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.035, y=0.3)
        for (width, _), name in zip(rows, best, strict=True):
            axes.annotate(LETTERS[name], (width, 0.02), xycoords=("data", "axes fraction"), **LETTER_STYLE)
        axes.set_title(f"XOR, {PLACES.get(kind, kind)}", loc="left")
        axes.set_xlabel("width $K$")
    panels[0].set_ylabel("gain in error on hard")
    legend_below(panels[0])
