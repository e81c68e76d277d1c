"""The picture of the finite-size study."""

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ...pictures import COLOURS, LINES, MARKERS, STYLE
from ._fit import along_shift, escape_fit, mean_exponent, variance_exponent
from ._plan import SHOWN

CERTAIN = 1.96  # standard errors beyond which a deviation is drawn as a point, not as an upper limit


def finite_size(deviation: xr.Dataset, escape: xr.Dataset) -> Figure:
    """Draw deviation of the run mean, variance over runs, and escape time against N, with theory's lines.

    Arguments: deviation: of `deviation_data`. escape: of `escape_data`. Returns a matplotlib Figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        one, two, three = figure.subplots(1, 3)
        alpha = float(deviation["alpha"][-1])
        _draw_means(one, deviation, alpha)
        _draw_variances(two, deviation, alpha)
        _draw_escape(three, escape)
        for axes in (one, two, three):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.set_xlabel("input dimension $N$")
        handles, labels = two.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), frameon=False)
        return figure


def _label(name: str) -> str:
    symbol, *rest = name.replace("]", "").split("[")
    block, units = rest if len(rest) == 2 else ("", rest[0])
    return f"${symbol}^{{\\mathrm{{{block[:3]}}}}}_{{{units.replace(',', '')}}}$"


def _style(index: int) -> dict[str, Any]:
    return {"color": COLOURS[index], "ms": 4, "mfc": "none", "lw": 0.8}


def _draw_means(axes: Axes, data: xr.Dataset, alpha: float) -> None:
    """Draw the deviation of all overlaps along the predicted shift, with 95 % bars.

    Triangles are upper limits of what is not told from 0.
    """
    dims, (value, error) = data["dim"].values, along_shift(data, alpha)
    half, style = CERTAIN * error, {**_style(0), "color": "black"}
    seen = value > half
    axes.errorbar(dims[seen], value[seen], half[seen], fmt="o", **style)
    axes.plot(dims[~seen], np.maximum(value + half, 0)[~seen], "v", **style)
    axes.plot(dims, 1 / dims, "-", color=COLOURS[1], lw=1.0, label="theory, $1/N$")
    axes.legend(frameon=False, loc="lower left")
    axes.set_yscale("log")
    axes.set_ylabel("(mean over runs $-$ ODE) / predicted $m_1$")
    words = mean_exponent(data, alpha).words
    axes.set_title(f"(a) $\\alpha = {alpha:g}$: fit $N^p$ to all overlaps,\n$p$ = {words}", loc="left")


def _draw_variances(axes: Axes, data: xr.Dataset, alpha: float) -> None:
    """Draw variances with 95 % bars."""
    for index, name in enumerate(SHOWN):
        of_quantity = data.sel(alpha=alpha, quantity=name, other=name)
        dims, variance = of_quantity["dim"].values, of_quantity["covariance"].values
        half = CERTAIN * variance * np.sqrt((of_quantity["fourth"].values - 1) / of_quantity["runs"].values)
        style = _style(index)
        axes.errorbar(dims, variance, half, fmt=MARKERS[index], **style)
        axes.plot(dims, float(of_quantity["fluctuation"]) / dims, LINES[index], color=COLOURS[index], lw=1.0)
        axes.plot([], [], LINES[index] + MARKERS[index], label=_label(name), **style)
    axes.set_yscale("log")
    axes.set_ylabel("variance over runs")
    axes.set_title(
        f"(b) $\\alpha = {alpha:g}$: fit $N^p$ to all overlaps,\n$p$ = {variance_exponent(data, alpha).words}",
        loc="left",
    )


def _draw_escape(axes: Axes, data: xr.Dataset) -> None:
    """Draw medians with 95 % bars, the line through them, and theory's slope through the same centre."""
    fit, predicted = escape_fit(data), 1 / (2 * data.attrs["growth"])
    x = np.log(fit.dims)
    bars = (fit.median - fit.low, fit.high - fit.median)
    axes.errorbar(
        fit.dims, fit.median, bars, fmt="o", color=COLOURS[0], ms=4, mfc="none", lw=0.8, label="median of runs"
    )
    axes.plot(fit.dims, fit.intercept + fit.slope * x, "-", color=COLOURS[0], lw=1.0, label="fit")
    middle = float(np.mean(x))
    line = fit.intercept + fit.slope * middle + predicted * (x - middle)
    axes.plot(fit.dims, line, "--", color=COLOURS[1], lw=1.2, label=r"slope $1/(2\lambda)$")
    axes.set_ylabel(r"escape from the plateau, $\alpha$")
    words = f"{fit.slope:.2f} [{fit.slope_low:.2f}, {fit.slope_high:.2f}]"
    axes.set_title(f"(c) $d\\alpha/d\\ln N$ = {words},\npredicted {predicted:.2f}", loc="left")
    axes.legend(frameon=False, loc="upper left")
