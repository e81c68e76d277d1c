"""Gains by full-weight SGD beside those of the ODEs."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import xarray as xr

from ._contrasts import FIRSTS, gains
from ._plan import TUNED_AT


@dataclasses.dataclass(frozen=True)
class Simulated:
    """One gain by SGD, and theory's. z: of their difference, in joint standard errors; starts differ between them."""

    convention: str
    easiness: str
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


def compared(data: xr.Dataset, sgd: xr.Dataset) -> Iterator[Simulated]:
    """Yield order minus mixed of every simulated point, paired run by run."""
    for order in FIRSTS:
        found = gains(data, "accuracy on hard samples", order)
        budget = int(np.flatnonzero((data["clock"].values == "alpha") & (data["number"].values == TUNED_AT))[0])
        for number in range(sgd.sizes["point"]):
            point = sgd.isel(point=number)
            apart = (point["accuracy"].sel(order=order) - point["accuracy"].sel(order="mixed")).dropna("run").values
            names = {"convention": str(point["convention"].values), "easiness": str(point["easiness"].values)}
            width = int(point["width"])
            theory = found.isel(budget=budget).sel(names)
            known = theory.sel(width=width) if width in data["width"].values else theory.isel(width=0) * np.nan
            yield Simulated(
                names["convention"],
                names["easiness"],
                width,
                int(point["dim"]),
                apart.size,
                order,
                float(apart.mean()),
                float(apart.std(ddof=1) / np.sqrt(apart.size)),
                float(known["point"]),
                float(known["point_se"]),
            )
