"""The lottery: P(all four means right) against the width, by theory, simulation and the coupon law."""

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import teacher_student as ts

from ..pictures import COLOURS, LINES, MARKERS, STYLE
from ..sweeps import plain
from ._success import success


def odds(dataset: xr.Dataset) -> xr.Dataset:
    """Return P(all four means right) of every ensemble of starts in a sweep, with its 95 % Wilson interval.

    Arguments: dataset: a sweep that keeps means_right, with an axis named start.
    Returns a data set of `p`, `low` and `high`; attribute `count`: starts.
    """
    engine = dataset["engine"].values[0]
    return success(dataset["solved"].sel(engine=engine).isel(level=0, drop=True).reset_coords(drop=True))


def lottery(theory: xr.Dataset, simulation: xr.Dataset, settings: xr.Dataset) -> Figure:
    """Draw the odds of a start, P(all four means right), against the width K.

    Panel (a) has the ODEs as a line with a 95 % band, full-weight SGD at each N as points, and the coupon law. Panel
    (b) shows how the odds move with noise, initial scale, dimension of the start and a trained readout.

    Arguments: theory, simulation, settings: data sets of the recipes lottery/theory, lottery/simulation and
      lottery/settings.
    Returns a matplotlib Figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _draw_law(left, theory["width"].values)
        _draw_theory(left, odds(theory))
        for index, (dim, runs) in enumerate(odds(simulation).groupby("dim", squeeze=False)):
            _points(left, runs.squeeze("dim"), index + 1, f"SGD, $N$ = {dim}", shift=1 + 0.02 * (index - 0.5))
        _draw_law(right, settings["width"].values)
        moved = odds(settings)
        for index, label in enumerate(moved["setting"].values.tolist()):
            shift = 1 + 0.01 * (index - moved.sizes["setting"] / 2)
            _points(right, moved.sel(setting=label), index, plain(label), shift=shift, line=True)
        for letter, axes in zip("ab", (left, right), strict=True):
            axes.set_xscale("log", base=2)
            axes.set_xticks([1, 2, 4, 8, 16, 32], labels=["1", "2", "4", "8", "16", "32"])
            axes.set_xlabel("student width $K$")
            axes.set_title(f"({letter})", loc="left", fontsize=8)
            axes.legend(frameon=False, fontsize=6)
        right.set_xlim(left=0.95 * float(settings["width"][0]))
        left.set_ylabel("P(all four means right)")
        return figure


def _draw_law(axes: Axes, widths: np.ndarray) -> None:
    fine = np.arange(int(widths.min()), int(widths.max()) + 1)
    axes.plot(fine, ts.coupon_law(fine), ":", color="0.2", lw=1.2, label="coupon law", zorder=3)


def _draw_theory(axes: Axes, shares: xr.Dataset) -> None:
    label = f"ODEs, {shares.attrs['count']} starts"
    axes.plot(shares["width"], shares["p"], "-", color=COLOURS[0], lw=1.2, label=label)
    axes.fill_between(shares["width"], shares["low"], shares["high"], color=COLOURS[0], alpha=0.25, lw=0)


def _points(axes: Axes, shares: xr.Dataset, index: int, label: str, *, shift: float, line: bool = False) -> None:
    colour = COLOURS[index % len(COLOURS)]
    bars = np.maximum(np.stack([shares["p"] - shares["low"], shares["high"] - shares["p"]]), 0.0)
    style: dict[str, Any] = {
        "color": colour,
        "mfc": "none" if index < len(COLOURS) else colour,
        "ms": 3.5,
        "mew": 0.8,
        "lw": 0.7,
        "elinewidth": 0.7,
    }
    marker = MARKERS[index % len(MARKERS)]
    path = LINES[(index + index // len(COLOURS)) % len(LINES)] if line else ""  # no style twice
    axes.errorbar(shares["width"] * shift, shares["p"], bars, fmt=marker, ls=path, label=label, **style)


def lottery_text(theory: xr.Dataset, simulation: xr.Dataset, settings: xr.Dataset) -> str:
    """Write the numbers of the figure as text, with intervals, and where theory leaves the coupon law.

    Arguments: theory, simulation, settings: as in `lottery`.
    """
    solved, law = odds(theory), ts.coupon_law(theory["width"].values)
    simulated = odds(simulation)
    n = solved.attrs["count"]
    rows = [f"P(all four means right), 95 % Wilson intervals; ODEs: {n} starts, SGD: {simulated.attrs['count']} runs"]
    rows.append(f"{'K':>3}  {'coupon law':>10}  {'ODEs':<22}{'law inside':<12}SGD")
    outside = []
    for index, width in enumerate(solved["width"].values.tolist()):
        share = solved.isel(width=index)
        inside = bool(share["low"] <= law[index] <= share["high"])
        outside += [] if inside else [width]
        row = f"{width:>3}  {law[index]:>10.4f}  {_interval(share):<22}{'yes' if inside else 'NO':<12}"
        if width in simulated["width"]:
            runs = simulated.sel(width=width)
            row += "; ".join(f"N={dim}: {_interval(runs.sel(dim=dim))}" for dim in runs["dim"].values.tolist())
        rows.append(row.rstrip())
    words = f"outside at K = {', '.join(map(str, outside))}" if outside else "inside at every K"
    rows.append(f"the coupon law is {words}; {0.05 * solved.sizes['width']:.1f} exceptions are expected by chance")
    rows.append("")
    moved = odds(settings)
    rows.append(f"{'setting':<18}" + "".join(f"K={width:<20}" for width in moved["width"].values.tolist()))
    rows.append(f"{'coupon law':<18}" + "".join(f"{p:<22.3f}" for p in ts.coupon_law(moved["width"].values)).rstrip())
    for label in moved["setting"].values.tolist():
        cells = (_interval(moved.sel(setting=label).isel(width=i)) for i in range(moved.sizes["width"]))
        rows.append(f"{label:<18}" + "".join(f"{cell:<22}" for cell in cells).rstrip())
    return "\n".join(rows)


def _interval(share: xr.Dataset) -> str:
    return f"{float(share['p']):.3f} [{float(share['low']):.3f}, {float(share['high']):.3f}]"
