"""The picture of pruning and winning tickets."""

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ...pictures import COLOURS, LINES, MARKERS, STYLE
from ...sweeps import plain

NAMES = {"norm": "norm $|v_k|\\,\\|w_k\\|$", "means": "best at a mean", "loss": "least loss", "random": "at random"}
BESIDE: Any = {"frameon": False, "loc": "center left", "bbox_to_anchor": (1.0, 0.5), "borderaxespad": 0.3}


def tickets(dataset: xr.Dataset) -> Figure:
    """Draw accuracy against units kept (readout fixed, readout trained), and success of tickets and their controls.

    Lines are theory, with a band of one standard error over starts. Points are means over runs with standard errors.

    Arguments: dataset: of `tickets_data`. Returns a matplotlib Figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.6), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1))
        first = figure.add_subplot(grid[0, 0])
        second = figure.add_subplot(grid[0, 1], sharey=first)
        for axes, setting, letter in zip((first, second), dataset["setting"].values, "ab", strict=True):
            _draw_accuracy(axes, dataset, setting, f"({letter}) {plain(setting)}")
        first.set_ylabel(r"accuracy $P(\mathrm{sign}\,\hat y = y)$")
        second.tick_params(labelleft=False)
        second.legend(*first.get_legend_handles_labels(), **BESIDE, handlelength=2.6)
        _draw_success(figure.add_subplot(grid[1, :]), dataset)
        return figure


def _draw_accuracy(axes: Axes, dataset: xr.Dataset, setting: str, title: str) -> None:
    kept = dataset["kept"].values
    for index, ranking in enumerate(dataset["ranking"].values):
        colour, line, marker = COLOURS[index], LINES[index], MARKERS[index]
        values = dataset["accuracy"].sel(setting=setting, ranking=ranking)
        mean, error = values.mean("start").values, _error(values, "start")
        axes.plot(kept, mean, line, color=colour, lw=1.2, zorder=2)
        axes.fill_between(kept, mean - error, mean + error, color=colour, alpha=0.2, lw=0)
        simulated = setting == dataset["setting"].values[0]
        if simulated:
            runs = dataset["simulated_accuracy"].sel(ranking=ranking)
            axes.errorbar(
                kept,
                runs.mean("run"),
                _error(runs, "run"),
                fmt=marker,
                ms=3.5,
                mfc="none",
                mew=0.8,
                lw=0.8,
                color=colour,
            )
        axes.plot([], [], line + marker, color=colour, ms=3.5, mfc="none", lw=1.2, label=NAMES[ranking])
    axes.axhline(dataset.attrs["bayes_accuracy"], color="0.3", lw=0.9, ls=":", label="Bayes")
    axes.set_xscale("log")
    axes.set_xticks([n for n in (1, 2, 4, 8, 20, 40) if n in kept], [str(n) for n in (1, 2, 4, 8, 20, 40) if n in kept])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("units kept $n$ (of $K = 40$)")
    axes.set_title(title, loc="left")


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
            colour = COLOURS[index]
            axes.errorbar(
                x,
                share,
                (np.maximum(share - low, 0), np.maximum(high - share, 0)),
                fmt=MARKERS[index],
                ms=4.5,
                mfc="none" if simulated else colour,
                mew=0.9,
                lw=0.9,
                color=colour,
                label=f"$n = {n}$, {plain(setting)}" + (",\nsimulation" if simulated else ""),
            )
    axes.set_xticks(range(len(candidates)), [plain(name).replace(", ", ",\n") for name in candidates])
    axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel("success (all means right)")
    axes.set_title("(c) $n$ units trained alone, from the start", loc="left")
    axes.legend(**BESIDE)
