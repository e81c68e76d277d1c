"""The numbers of the finite-size figure, in words."""

import xarray as xr

from .._foreign_data import takes_data_of
from .._power_law import PowerLaw
from ._fit import Amplitude, escape_fit, mean_exponent, shift_amplitude, variance_amplitude, variance_exponent
from ._plan import SHOWN


@takes_data_of("finite-size")
def finite_size_text(deviation: xr.Dataset, escape: xr.Dataset) -> str:
    """Write exponents, amplitudes against theory and the escape's slope as text, each with its 95 % interval.

    Arguments: deviation: of `deviation_data`. escape: of `escape_data`.
    """
    runs = zip(deviation["dim"].values, deviation["runs"].values, strict=True)
    lines = [
        "Runs of finite N against theory: the built-in problem (K = 3, M = 2, relevant and irrelevant dimensions) by",
        "the overlap chain, one start for all N. Intervals: 95 %. All N are fitted jointly, signs and errors included.",
        "runs: " + ", ".join(f"{count} at N = {dim}" for dim, count in runs),
    ]
    for alpha in deviation["alpha"].values.tolist():
        lines += ["", f"alpha = {alpha:g}", *_exponents(deviation, alpha)]
    return "\n".join([*lines, "", *_escape(escape)])


def _exponents(data: xr.Dataset, alpha: float) -> list[str]:
    count = data.sizes["quantity"]
    rows = [
        _row("mean - ODE", f"all {count} overlaps", mean_exponent(data, alpha)),
        *(_row("mean - ODE", name, mean_exponent(data, alpha, [name])) for name in SHOWN),
        _row("variance", f"all {count} overlaps", variance_exponent(data, alpha)),
        *(_row("variance", name, variance_exponent(data, alpha, [name])) for name in SHOWN),
    ]
    rows.append(_amplitude("N (mean - ODE) / predicted shift", shift_amplitude(data, alpha)))
    rows.append(_amplitude("limit of N variance / predicted", variance_amplitude(data, alpha)))
    return rows


def _row(statistic: str, name: str, law: PowerLaw) -> str:
    marks = [] if law.low <= 1 <= law.high else ["outside the interval"]
    marks += [] if law.fits > 0.01 else ["a power law fits badly"]
    return (
        f"  {statistic:<12}{name:<22}~ N^{law.words} (expected -1{''.join(f', {mark}' for mark in marks)}; "
        f"chi^2 {law.chi2:.1f} of {law.freedom}, p = {law.fits:.2g})"
    )


def _amplitude(statistic: str, fitted: Amplitude) -> str:
    return (
        f"  {statistic}: {fitted.ratio:.3f} +- {fitted.se:.3f} (one standard error) over all overlaps; "
        f"theory itself: chi^2 {fitted.chi2:.1f} of {fitted.freedom}, p = {fitted.p:.2g}"
    )


def _escape(data: xr.Dataset) -> list[str]:
    fit, growth = escape_fit(data), data.attrs["growth"]
    rows = [
        "escape from the symmetric plateau (K = M = 2, random starts of asymmetry ~ 1/sqrt N): median alpha at which",
        f"the error falls below {data.attrs['share']:g} of the plateau's {data.attrs['height']:.5f}",
    ]
    for dim, runs, median, low, high in zip(fit.dims, data["runs"].values, fit.median, fit.low, fit.high, strict=True):
        rows.append(f"  N = {dim}: {median:.1f} [{low:.1f}, {high:.1f}] ({runs} runs)")
    side = "inside" if fit.slope_low <= 1 / (2 * growth) <= fit.slope_high else "outside"
    rows.append(
        f"  d alpha / d ln N = {fit.slope:.2f} [{fit.slope_low:.2f}, {fit.slope_high:.2f}]; predicted "
        f"1 / (2 lambda) = {1 / (2 * growth):.2f} with lambda = {growth:.5f}: {side} the interval "
        f"(straight line: chi^2 {fit.chi2:.1f} of {fit.freedom}, p = {fit.fits:.2g})"
    )
    return rows
