"""Exponents of growth: least squares of log seconds against log size."""

import numpy as np

from ._records import Fit


def exponent(sizes: object, seconds: object, first: float = 0.0) -> Fit | None:
    """seconds = c size^p over sizes >= first: p and its standard error from the scatter; None below three points."""
    x, y = (np.asarray(each, float) for each in (sizes, seconds))
    chosen = x >= first
    if chosen.sum() < 3:
        return None
    x, y = np.log(x[chosen]), np.log(y[chosen])
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - slope * centred
    error = np.sqrt(rest @ rest / (x.size - 2) / (centred @ centred))
    return Fit(slope, float(error), float(np.exp(x[0])))
