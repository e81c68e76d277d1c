"""The picture of the finite-size study."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from ...pictures import drawing, legend_below, look, looks, new_figure, put_letters
from .._foreign_data import takes_data_of
from ._fit import along_shift, escape_fit, mean_exponent, variance_exponent
from ._plan import SHOWN

CERTAIN = 1.96  # standard errors beyond which a deviation is drawn as a point, not as an upper limit


@takes_data_of("finite-size")
def finite_size(deviation: xr.Dataset, escape: xr.Dataset) -> Figure:
    """Draw deviation of the run mean, variance over runs, and escape time against N, with theory's lines.

    Arguments: deviation: of `deviation_data`. escape: of `escape_data`. Returns a matplotlib Figure.
    """
    with drawing("prl-wide"):
        figure = new_figure(7.0, 3.3)
        one, two, three = figure.subplots(1, 3)
        alpha = float(deviation["alpha"][-1])
        _draw_means(one, deviation, alpha)
        _draw_variances(two, deviation, alpha)
        _draw_escape(three, escape)
        for axes in (one, two, three):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.set_xlabel("input dimension $N$")
            axes.margins(x=0.02)
        put_letters((one, two, three))
        for axes, handles, columns in ((one, (), 1), (two, _shown_quantities(), 2), (three, (), 1)):
            legend_below(axes, handles, ncols=columns)
        return figure


def _label(name: str) -> str:
    symbol, *rest = name.replace("]", "").split("[")
    block, units = rest if len(rest) == 2 else ("", rest[0])
    return f"${symbol}^{{\\mathrm{{{block[:3]}}}}}_{{{units.replace(',', '')}}}$"


def _shown_quantities() -> list[Line2D]:
    """Return an entry of the legend for each quantity: a line of theory with the points of runs."""
    style: Any = {"lw": 1.0, "ms": 4, "mfc": "none"}
    curves = zip(SHOWN, looks(len(SHOWN)), strict=True)
    return [
        Line2D([], [], color=c.colour, ls=c.line, marker=c.marker, label=_label(name), **style) for name, c in curves
    ]


def _signed(words: str) -> str:
    """Return numbers with the minus signs of mathematics."""
    return words.replace("-", "\N{MINUS SIGN}")


def _draw_means(axes: Axes, data: xr.Dataset, alpha: float) -> None:
    """Draw the deviation of all overlaps along the predicted shift, with 95 % bars.

    Triangles are upper limits of what is not told from 0.
    """
    dims, (value, error) = data["dim"].values, along_shift(data, alpha)
    half, style = CERTAIN * error, look(0).points | {"color": "black", "ms": 4}
    seen = value > half
    axes.errorbar(dims[seen], value[seen], half[seen], fmt="o", label="runs, 95 %", **style)
    axes.plot(dims[~seen], np.maximum(value + half, 0)[~seen], "v", ls="", label="upper end, 95 %", **style)
    axes.plot(dims, 1 / dims, "-", color=look(1).colour, lw=1.0, label="theory, $1/N$")
    axes.set_yscale("log")
    axes.set_ylabel("(mean over runs $-$ ODE) / predicted $m_1$")
    words = mean_exponent(data, alpha).words
    axes.set_title(f"$\\alpha$ = {alpha:g}: fit $N^p$ to all overlaps,\n$p$ = {_signed(words)}", loc="left")


def _draw_variances(axes: Axes, data: xr.Dataset, alpha: float) -> None:
    """Draw variances with 95 % bars."""
    for index, name in enumerate(SHOWN):
        of_quantity = data.sel(alpha=alpha, quantity=name, other=name)
        dims, variance = of_quantity["dim"].values, of_quantity["covariance"].values
        half = CERTAIN * variance * np.sqrt((of_quantity["fourth"].values - 1) / of_quantity["runs"].values)
        curve = looks(len(SHOWN))[index]
        axes.errorbar(dims, variance, half, fmt=curve.marker, **(curve.points | {"ms": 4}))
        axes.plot(dims, float(of_quantity["fluctuation"]) / dims, curve.line, color=curve.colour, lw=1.0)
    axes.set_yscale("log")
    axes.set_ylabel("variance over runs")
    axes.set_title(
        f"$\\alpha$ = {alpha:g}: fit $N^p$ to all overlaps,\n$p$ = {_signed(variance_exponent(data, alpha).words)}",
        loc="left",
    )


def _draw_escape(axes: Axes, data: xr.Dataset) -> None:
    """Draw medians with 95 % bars, the line through them, and theory's slope through the same centre."""
    fit, predicted = escape_fit(data), 1 / (2 * data.attrs["growth"])
    x = np.log(fit.dims)
    bars = (fit.median - fit.low, fit.high - fit.median)
    axes.errorbar(fit.dims, fit.median, bars, fmt="o", label="median of runs, 95 %", **(look(0).points | {"ms": 4}))
    axes.plot(fit.dims, fit.intercept + fit.slope * x, "-", color=look(0).colour, lw=1.0, label="fit")
    middle = float(np.mean(x))
    line = fit.intercept + fit.slope * middle + predicted * (x - middle)
    axes.plot(fit.dims, line, "--", color=look(1).colour, lw=1.2, label=r"theory, slope $1/(2\lambda)$")
    axes.set_ylabel(r"escape from the plateau, $\alpha$")
    words = f"{fit.slope:.2f} [{fit.slope_low:.2f}, {fit.slope_high:.2f}]"
    axes.set_title(f"$d\\alpha/d\\ln N$: predicted {predicted:.2f},\nmeasured {words}", loc="left")
