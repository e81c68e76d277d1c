"""The picture of width and curriculum: gains against the width, and curves of all widths at two clocks."""

import itertools
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ...pictures import colours_in_order as colours_of_widths
from ...pictures import drawing, look, new_figure, put_letters
from .._foreign_data import takes_data_of
from ._contrasts import FIRSTS, gains
from ._sgd_summary import compared

SHOWN = ("alpha", "learning times")
CLOCK_NAMES = {"alpha": r"budgets in $\alpha$", "learning times": "budgets in $t_K$"}
MEASURE = "accuracy on hard samples"
BARS: Any = {"lw": 1.0, "ms": 3.2, "mew": 0.8, "capsize": 0}
POINTS: Any = {"ms": 4.2, "mew": 0.9, "lw": 0.9, "capsize": 0, "zorder": 4}  # of SGD
MARKERS = dict(zip(FIRSTS, ("^", "v"), strict=True))  # of SGD's orders


@takes_data_of("width")
def width(dataset: xr.Dataset, sgd: xr.Dataset) -> Figure:
    """Draw what each order gains over mixed: against the width K, against the budget, and against learning times.

    There is one column for each law of starts and each easiness. First row: means over the budgets of a clock. Second
    and third row: a curve for each width. Where the third row's curves meet and the second row's do not, the gain is a
    matter of the budget in learning times. Error bars are standard errors over starts. Triangles are SGD.

    Arguments: dataset: of `width_data`. sgd: the same gains by SGD, of the same figure.
    Returns a matplotlib Figure.
    """
    found = {order: gains(dataset, MEASURE, order) for order in FIRSTS}
    names = ("convention", "easiness")
    kinds = list(itertools.product(*(dataset[name].values.tolist() for name in names)))
    with drawing("prl-wide"):
        figure = new_figure(7.0, 6.6)
        panels = figure.subplots(3, len(kinds), sharey="col", squeeze=False)
        for column, kind in enumerate(kinds):
            of_kind = {order: data.sel(dict(zip(names, kind, strict=True))) for order, data in found.items()}
            alphas = dataset["alpha"].sel(dict(zip(names, kind, strict=True)))
            times = dataset["learning_time"].sel(dict(zip(names, kind, strict=True))).values
            _against_width(panels[0, column], of_kind)
            _against_budget(panels[1, column], of_kind, alphas, np.ones_like(times))
            _against_budget(panels[2, column], of_kind, alphas, times)
            _simulated(panels[1, column], dataset, sgd, kind, np.ones_like(times))
            _simulated(panels[2, column], dataset, sgd, kind, times)
            panels[0, column].set_title(f"${_symbols(kind[0])}$\neasy {kind[1]}\n")  # above the letters
            panels[1, column].set_xlabel(r"budget $\alpha$")
            panels[2, column].set_xlabel(r"budget $\alpha / t_K$")
            panels[0, column].set_xlabel("width $K$")
        for row in panels:
            row[0].set_ylabel("gain in accuracy")
        put_letters(panels.ravel())
        figure.legend(handles=_legend(dataset, sgd), loc="outside lower center", ncols=4)
        return figure


def _symbols(convention: str) -> str:
    """Return the name of a law of readouts in the notation of formulas."""
    return convention.replace("+-", r"\pm ").replace("sqrt(K)", r"\sqrt{K}").replace("N(0, 1)", r"\,\mathcal{N}(0, 1)")


def _against_width(axes: Axes, found: dict[str, xr.Dataset]) -> None:
    for number, (order, clock) in enumerate(itertools.product(found, SHOWN)):
        row = found[order].sel(clock=clock)
        style = look(FIRSTS.index(order))
        fill = style.colour if clock == SHOWN[0] else "none"
        line = "-" if clock == SHOWN[0] else "--"
        shift = 2 ** (0.06 * (number - 1.5))  # error bars beside each other
        points = row["width"].values * shift
        values, errors = row["pooled"].values, row["pooled_se"].values
        axes.errorbar(points, values, errors, color=style.colour, ls=line, marker=style.marker, mfc=fill, **BARS)
    widths = next(iter(found.values()))["width"].values
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.03)
    axes.axhline(0.0, color="0.6", lw=0.6, zorder=0)


def _against_budget(axes: Axes, found: dict[str, xr.Dataset], alphas: xr.DataArray, times: np.ndarray) -> None:
    """Draw a curve for each width over all its budgets at the usual rate, in units of `times`."""
    for order, data in found.items():
        for w, colour in enumerate(colours_of_widths(data.sizes["width"])):
            usual = np.flatnonzero(alphas["clock"].values != "alpha, own rate")
            at = usual[np.argsort(alphas.isel(width=w).values[usual])]
            x = alphas.isel(width=w).values[at] / times[w]
            values, errors = (data[name].isel(width=w).values[at] for name in ("point", "point_se"))
            line = "-" if order == FIRSTS[0] else "--"
            axes.errorbar(x, values, errors, color=colour, ls=line, lw=1.0, elinewidth=0.7, capsize=0)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.margins(x=0.03)
    axes.axhline(0.0, color="0.6", lw=0.6, zorder=0)


def _simulated(axes: Axes, dataset: xr.Dataset, sgd: xr.Dataset, kind: tuple[str, str], times: np.ndarray) -> None:
    """Add the points of SGD in the colour of their width: a marker for each order, filled at the largest N."""
    widths = dataset["width"].values.tolist()
    colours = colours_of_widths(len(widths))
    largest = int(sgd["dim"].max())
    for each in compared(dataset, sgd):
        if (each.convention, each.easiness) != kind or each.width not in widths:
            continue
        w, large = widths.index(each.width), each.dim == largest
        style: Any = POINTS | {"color": colours[w], "fmt": MARKERS[each.order]}
        style["mfc"] = colours[w] if large else "white"
        x = each.alpha / times[w] * (1.04 if large else 0.96)  # beside each other
        axes.errorbar([x], [each.value], [each.se], **style)


def _legend(dataset: xr.Dataset, sgd: xr.Dataset) -> list[Line2D]:
    entries = []
    for order, clock in itertools.product(FIRSTS, SHOWN):
        style, first = look(FIRSTS.index(order)), clock == SHOWN[0]
        fill, line = (style.colour, "-") if first else ("none", "--")
        name = f"{order}, {CLOCK_NAMES[clock]}"
        entries.append(Line2D([], [], color=style.colour, ls=line, marker=style.marker, mfc=fill, ms=3.2, label=name))
    widths = dataset["width"].values.tolist()
    for colour, width_ in zip(colours_of_widths(len(widths)), widths, strict=True):
        entries.append(Line2D([], [], color=colour, lw=1.4, label=f"$K = {width_}$"))
    for order, line in zip(FIRSTS, ("-", "--"), strict=True):
        entries.append(Line2D([], [], color="0.3", ls=line, lw=1.0, label=f"{order} (e to l)"))
    dims = sorted(set(sgd["dim"].values.ravel().tolist()))
    for dim in dims:
        fill = "0.3" if dim == dims[-1] else "white"
        points: Any = {"marker": MARKERS[FIRSTS[0]], "ms": 4.2, "mfc": fill, "ls": "none"}
        entries.append(Line2D([], [], color="0.3", label=f"SGD, $N = {dim}$", **points))
    points = {"marker": MARKERS[FIRSTS[1]], "ms": 4.2, "mfc": "white", "ls": "none"}
    entries.append(Line2D([], [], color="0.3", label=f"SGD, {FIRSTS[1]}", **points))
    return entries
