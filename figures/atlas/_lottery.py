"""The lottery: P(all four means right) against the width, by theory, simulation and the coupon law."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import teacher_student as ts

from ..pictures import Look, drawing, in_symbols, legend_below, look, looks, new_figure, put_letters
from ..sweeps import plain
from ._foreign_data import takes_data_of
from ._success import success

MOST_TICKS = 8  # widths that an axis can name


@takes_data_of("lottery")
def odds(dataset: xr.Dataset) -> xr.Dataset:
    """Return P(all four means right) of every ensemble of starts in a sweep, with its 95 % Wilson interval.

    Arguments: dataset: a sweep that keeps means_right, with an axis named start.
    Returns a data set of `p`, `low` and `high`; attribute `count`: starts.
    """
    engine = dataset["engine"].values[0]
    return success(dataset["solved"].sel(engine=engine).isel(level=0, drop=True).reset_coords(drop=True))


@takes_data_of("lottery")
def lottery(theory: xr.Dataset, simulation: xr.Dataset, settings: xr.Dataset) -> Figure:
    """Draw the odds of a start, P(all four means right), against the width K.

    Panel (a) has the ODEs as a line with a 95 % band, full-weight SGD at each N as points, and the coupon law. Panels
    (b) and (c) show by how much the odds of the ODEs differ from the coupon law: how that moves with noise, and with
    the initial scale, the dimension of the start and a trained readout.

    Arguments: theory, simulation, settings: data sets of the recipes lottery/theory, lottery/simulation and
      lottery/settings.
    Returns a matplotlib Figure.
    """
    moved = odds(settings)
    groups = _groups(moved["setting"].values.tolist())
    with drawing("prl-wide"):
        figure = new_figure(7.0, 3.4)
        left, *others = figure.subplots(1, 1 + len(groups), squeeze=False)[0]
        _draw_odds(left, odds(theory), odds(simulation))
        for axes, (title, names) in zip(others, groups.items(), strict=True):
            _draw_settings(axes, moved, names)
            axes.set_title(title, loc="left")
            axes.sharey(others[0])
        others[0].set_ylabel("P(all four means right) $-$ coupon law")
        put_letters([left, *others])
        for axes in (left, *others):
            axes.set_xlabel("student width $K$")
            legend_below(axes, ncols=1 if axes is left else 2, columnspacing=1.0)
        return figure


def _groups(names: list[str]) -> dict[str, list[str]]:
    """Return the settings of each panel by its title: the first one of all, to which the others are compared, is in
    each."""
    reference, *others = names
    noisy = [name for name in others if "noise" in name]
    groups = {"noise": noisy, "start and readout": [name for name in others if name not in noisy]}
    return {title: [reference, *group] for title, group in groups.items() if group or not others}


def _scale(axes: Axes, widths: np.ndarray) -> None:
    axes.set_xscale("log", base=2)
    few = (1, 2, 4, 8, 16, 32) if widths.size > MOST_TICKS else widths.tolist()
    shown = [width for width in few if widths.min() <= width <= widths.max()]
    axes.set_xticks(shown, labels=[str(width) for width in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.02)


def _draw_odds(axes: Axes, theory: xr.Dataset, simulation: xr.Dataset) -> None:
    widths = theory["width"].values
    axes.plot(
        widths, theory["p"], look(0).line, color=look(0).colour, lw=1.2, label=f"ODEs, {theory.attrs['count']} starts"
    )
    axes.fill_between(widths, theory["low"], theory["high"], color=look(0).colour, alpha=0.25, lw=0)
    for index, (dim, runs) in enumerate(simulation.groupby("dim", squeeze=False)):
        shift = 1 + 0.04 * (index - (simulation.sizes["dim"] - 1) / 2)
        _draw_points(axes, runs.squeeze("dim"), look(index + 1), f"SGD, $N$ = {dim}", shift, line=False)
    fine = np.arange(int(widths.min()), int(widths.max()) + 1)
    axes.plot(fine, ts.coupon_law(fine), ":", color="0.2", lw=1.2, label="coupon law", zorder=3)
    axes.set_ylabel("P(all four means right)")
    _scale(axes, widths)


def _draw_settings(axes: Axes, moved: xr.Dataset, names: list[str]) -> None:
    """Draw what the settings of a panel add to the coupon law, side by side at each width."""
    law = xr.DataArray(ts.coupon_law(moved["width"].values), dims="width")
    apart = moved.assign({name: moved[name] - law for name in ("p", "low", "high")})
    axes.axhline(0.0, ls=":", color="0.2", lw=1.2)
    for index, (name, curve) in enumerate(zip(names, looks(len(names)), strict=True)):
        shift = 1 + 0.03 * (index - (len(names) - 1) / 2)
        _draw_points(axes, apart.sel(setting=name), curve, in_symbols(plain(name)), shift, line=True)
    _scale(axes, moved["width"].values)


def _draw_points(axes: Axes, shares: xr.Dataset, curve: Look, label: str, shift: float, *, line: bool) -> None:
    bars = np.maximum(np.stack([shares["p"] - shares["low"], shares["high"] - shares["p"]]), 0.0)
    style: Any = curve.points | {"ls": curve.line if line else "", "lw": 0.8, "elinewidth": 0.7, "ms": 3.5}
    axes.errorbar(shares["width"] * shift, shares["p"], bars, fmt=curve.marker, label=label, **style)


@takes_data_of("lottery")
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
