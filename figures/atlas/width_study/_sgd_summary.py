"""Gains by full-weight SGD beside those of the ODEs."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import xarray as xr

from ._contrasts import FIRSTS, gains


@dataclasses.dataclass(frozen=True)
class Compared:
    """One gain by SGD, and theory's. z: of their difference, in joint standard errors; starts differ between them."""

    convention: str
    easiness: str
    clock: str
    number: float  # of the clock
    alpha: float
    width: int
    dim: int
    runs: int
    order: str
    value: float
    se: float
    theory: float
    theory_se: float

    @property
    def z(self) -> float:
        """SGD minus theory in standard errors; NaN where theory has no such width."""
        return (self.value - self.theory) / float(np.hypot(self.se, self.theory_se))


def compared(data: xr.Dataset, sgd: xr.Dataset) -> Iterator[Compared]:
    """Yield order minus mixed of every simulated point, paired run by run."""
    for order in FIRSTS:
        found = gains(data, "accuracy on hard samples", order)
        for place in range(sgd.sizes["point"]):
            point = sgd.isel(point=place)
            clock, number = str(point["clock"].values), float(point["number"])
            budget = int(np.flatnonzero((data["clock"].values == clock) & (data["number"].values == number))[0])
            apart = (point["accuracy"].sel(order=order) - point["accuracy"].sel(order="mixed")).dropna("run").values
            names = {"convention": str(point["convention"].values), "easiness": str(point["easiness"].values)}
            width = int(point["width"])
            theory = found.isel(budget=budget).sel(names)
            known = theory.sel(width=width) if width in data["width"].values else theory.isel(width=0) * np.nan
            yield Compared(
                names["convention"],
                names["easiness"],
                clock,
                number,
                float(point["alpha"]),
                width,
                int(point["dim"]),
                apart.size,
                order,
                float(apart.mean()),
                float(apart.std(ddof=1) / np.sqrt(apart.size)),
                float(known["point"]),
                float(known["point_se"]),
            )
