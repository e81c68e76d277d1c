"""Success probabilities of ensembles, with Wilson intervals."""

import numpy as np
import xarray as xr
from scipy.stats import binomtest

CONFIDENCE = 0.95


def success(solved: xr.DataArray, over: str = "start", confidence: float = CONFIDENCE) -> xr.Dataset:
    """Share of 1s among 0s and 1s along `over`: variables `p`, `low`, `high` (Wilson interval); attribute `count`.

    NaN (a start that failed or diverged) counts as no success: it did not solve the task.
    """
    hits = (solved == 1).sum(over)
    count = solved.sizes[over]
    bounds = np.array([wilson(int(k), count, confidence) for k in hits.values.ravel()]).reshape(*hits.shape, 2)
    low, high = (hits.copy(data=bounds[..., i]) for i in (0, 1))
    return xr.Dataset({"p": hits / count, "low": low, "high": high}, attrs={"count": count})


def wilson(hits: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson interval of a success probability (scipy's)."""
    interval = binomtest(hits, count).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
