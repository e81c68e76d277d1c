"""The picture of pruning and winning tickets."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ...pictures import drawing, legend_beside, look, looks, new_figure, put_letters
from ...sweeps import plain
from .._foreign_data import takes_data_of

NAMES = {"norm": "norm $|v_k|\\,\\|w_k\\|$", "means": "best at a mean", "loss": "least loss", "random": "at random"}


@takes_data_of("tickets")
def tickets(dataset: xr.Dataset) -> Figure:
    """Draw accuracy against units kept (readout fixed, readout trained), and success of tickets and their controls.

    Lines are theory, with a band of one standard error over starts. Points are means over runs with standard errors.

    Arguments: dataset: of `tickets_data`. Returns a matplotlib Figure.
    """
    with drawing("prl-wide"):
        figure = new_figure(7.0, 4.6)
        grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1))
        first = figure.add_subplot(grid[0, 0])
        second = figure.add_subplot(grid[0, 1], sharey=first)
        third = figure.add_subplot(grid[1, :])
        for axes, setting in zip((first, second), dataset["setting"].values, strict=True):
            _draw_accuracy(axes, dataset, setting)
            axes.set_title(plain(setting), loc="left")
        first.set_ylabel(r"accuracy $P(\mathrm{sign}\,\hat y = y)$")
        second.tick_params(labelleft=False)
        legend_beside(second, _rankings(dataset), loc="center left", bbox_to_anchor=(1.0, 0.5))
        _draw_success(third, dataset)
        third.set_title("$n$ units trained alone, from the start", loc="left")
        legend_beside(third, loc="center left", bbox_to_anchor=(1.0, 0.5))
        put_letters((first, second, third))
        return figure


def _rankings(dataset: xr.Dataset) -> list[Line2D]:
    """Return an entry of the legend for each ranking: a line of theory with the points of simulations."""
    names = [NAMES[ranking] for ranking in dataset["ranking"].values]
    style: Any = {"lw": 1.2, "ms": 3.5, "mfc": "none"}
    curves = zip(names, looks(len(names)), strict=True)
    return [Line2D([], [], color=c.colour, ls=c.line, marker=c.marker, label=name, **style) for name, c in curves]


def _draw_accuracy(axes: Axes, dataset: xr.Dataset, setting: str) -> None:
    """Draw a panel: accuracy against the units kept, for each way to rank them."""
    kept, rankings = dataset["kept"].values, dataset["ranking"].values
    for ranking, curve in zip(rankings, looks(len(rankings)), strict=True):
        values = dataset["accuracy"].sel(setting=setting, ranking=ranking)
        mean, error = values.mean("start").values, _error(values, "start")
        axes.plot(kept, mean, curve.line, color=curve.colour, lw=1.2, zorder=2)
        axes.fill_between(kept, mean - error, mean + error, color=curve.colour, alpha=0.2, lw=0)
        if setting == dataset["setting"].values[0]:  # the only one that was simulated
            runs = dataset["simulated_accuracy"].sel(ranking=ranking)
            style = curve.points | {"ms": 3.5}
            axes.errorbar(kept, runs.mean("run"), _error(runs, "run"), fmt=curve.marker, **style)
    axes.axhline(dataset.attrs["bayes_accuracy"], color="0.3", lw=0.9, ls=(0, (1, 2)), label="Bayes")
    axes.set_xscale("log")
    axes.margins(x=0.02)
    shown = [n for n in (1, 2, 4, 8, 20, 40) if n in kept]
    axes.set_xticks(shown, [str(n) for n in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("units kept $n$ (of $K$ = 40)")


def _error(values: xr.DataArray, over: str) -> np.ndarray:
    """Return the standard error of the mean over starts or runs."""
    return np.asarray((values.std(over, ddof=1) / np.sqrt(values.sizes[over])).values)


def _draw_success(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw the share of solved starts per candidate: sizes, settings and engines side by side in one group each."""
    candidates = dataset["candidate"].values
    series = [(s, n) for s in dataset["setting"].values for n in dataset["short"].values]
    for index, (setting, n) in enumerate(series):
        for engine in dataset["engine"].values:
            chosen = {"engine": engine, "setting": setting, "short": n}
            share = dataset["success"].sel(chosen).values
            if np.all(np.isnan(share)):
                continue
            low, high = (dataset[f"success_{end}"].sel(chosen).values for end in ("low", "high"))
            simulated = engine == "simulation"
            x = np.arange(len(candidates)) + 0.14 * (index - (len(series) - 1) / 2) + 0.07 * simulated
            curve = look(index)
            axes.errorbar(
                x,
                share,
                (np.maximum(share - low, 0), np.maximum(high - share, 0)),
                fmt=curve.marker,
                ms=4.5,
                mfc="none" if simulated else curve.colour,
                mew=0.9,
                lw=0.9,
                color=curve.colour,
                label=f"$n$ = {n}, {plain(setting)}" + (",\nsimulation" if simulated else ""),
            )
    axes.set_xticks(range(len(candidates)), [plain(name).replace(", ", ",\n") for name in candidates])
    axes.set_ylim(-0.05, 1.05)
    axes.margins(x=0.03)
    axes.set_ylabel("success (all means right)")
