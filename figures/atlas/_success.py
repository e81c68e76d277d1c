"""Success probabilities of ensembles, with Wilson intervals."""

import numpy as np
import xarray as xr
from scipy.stats import binomtest

from ._foreign_data import takes_data_of

CONFIDENCE = 0.95


@takes_data_of("lottery")
def success(solved: xr.DataArray, over: str = "start", confidence: float = CONFIDENCE) -> xr.Dataset:
    """Return the share of successes among starts, with its Wilson interval.

    NaN (a start that failed or diverged) counts as no success: it did not solve the task.

    Arguments: solved: 1 or 0 of every start. over: the dimension of starts. confidence: of the interval.
    Returns a data set of `p`, `low` and `high`; attribute `count`: starts.
    """
    hits = (solved == 1).sum(over)
    count = solved.sizes[over]
    bounds = np.array([wilson(int(k), count, confidence) for k in hits.values.ravel()]).reshape(*hits.shape, 2)
    low, high = (hits.copy(data=bounds[..., i]) for i in (0, 1))
    return xr.Dataset({"p": hits / count, "low": low, "high": high}, attrs={"count": count})


def wilson(hits: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson interval of a success probability, by SciPy.

    Arguments: hits: successes. count: trials. confidence: of the interval.
    Returns its lower and upper end.
    """
    interval = binomtest(hits, count).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
