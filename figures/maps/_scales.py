"""Axes of pictures: linear, logarithmic where the values are spaced so, or names in a row."""

from typing import Any

import numpy as np
from matplotlib.axis import XAxis, YAxis
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from ..sweeps import plain


def is_log(values: np.ndarray) -> bool:
    """Say whether positive values are spaced evenly by their logarithm, and not themselves."""
    values = np.asarray(values)
    if values.dtype.kind not in "if" or values.size < 3 or np.min(values) <= 0:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.allclose(ratios, ratios[0], rtol=1e-6) and not np.allclose(steps, steps[0], rtol=1e-6))


def positions_of(values: Any) -> np.ndarray:
    """Return where values stand on their axis: numbers at themselves, names at 0, 1, 2 ..."""
    values = np.asarray(values)
    return values.astype(float) if values.dtype.kind in "if" else np.arange(float(values.size))


def scale_axis(axis: XAxis | YAxis, values: Any) -> None:
    """Set scale and ticks of a picture's axis for the values of a sweep's axis."""
    values = np.asarray(values)
    if values.dtype.kind not in "if":
        axis.set_ticks(list(range(values.size)), labels=[plain(value) for value in values])
        for label in axis.get_ticklabels():
            label.set_usetex(False)  # names are no TeX, whatever matplotlib is told
        return
    if not is_log(values):
        return
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    if np.ptp(np.log10(values)) < 3:  # few decades: 1, 2, 5 in plain numbers
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
