"""SGD on images beside its theory, run by run: both have the same starts."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import xarray as xr

from ._contrasts import SHOWN, gains

PAIR = ("images", "theory")


@dataclasses.dataclass(frozen=True)
class Beside:
    """A number of SGD on the images that it learns from, theory's, and the paired difference of both."""

    width: int
    budget: float
    order: str  # whose gain it is; "mixed": its accuracy
    sgd: tuple[float, float]  # mean over runs, and its standard error
    theory: tuple[float, float]
    difference: tuple[float, float]
    scatter: float  # root mean square of the difference of a single run

    @property
    def z(self) -> float:
        """SGD minus theory in standard errors of the paired difference."""
        value, error = self.difference
        return value / error if error > 0 else np.nan


def compared(xor: xr.Dataset) -> Iterator[Beside]:
    """Yield the accuracy of mixed and the gains of the orders, at every width and budget."""
    for order in ("mixed", *SHOWN):
        pair = [xor[source].sel(order=order) if order == "mixed" else gains(xor[source], order) for source in PAIR]
        for width in xor["width"].values.tolist():
            for budget in xor["budget"].values.tolist():
                sgd, theory = (values.sel(width=width, budget=budget).values for values in pair)
                known = np.isfinite(sgd) & np.isfinite(theory)
                apart = (sgd - theory)[known]
                numbers = _mean(sgd[known]), _mean(theory[known]), _mean(apart)
                yield Beside(width, budget, order, *numbers, float(np.sqrt(np.mean(apart**2))))


def _mean(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
