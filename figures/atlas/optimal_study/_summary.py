"""Cells as data sets, and what these say: orders, gains over named orders, boundaries, and gains of other starts."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from ._classes import order_of
from ._found import Found
from ._plan import BASE, JUDGED, NAMED, PerceptronCell, XorCell

PARTS = ("duration", "easy at the beginning", "easy at the end")
PROTOCOLS = ("optimum", *NAMED)
STARTS = ("own", "other")
NUMBERS = ("cost", "kkt", "slopes", "violation", "to_gain", "mixed_at_most")
CONFIDENCE = 0.95


def perceptron_set(found: Mapping[PerceptronCell, Found]) -> xr.Dataset:
    """Return the data set of the perceptron's map, over cells."""
    cells, results = list(found), list(found.values())
    names = (*BASE, "judged", "tuned")
    coords = {name: ("cell", [getattr(cell, name) for cell in cells]) for name in names}
    variables = _common(results) | {
        "untuned_cost": (("cell", "named"), [[each.untuned[name] for name in NAMED] for each in results]),
        "kelley": ("cell", [np.nan if each.kelley is None else each.kelley for each in results]),
        "rate_over_time": (("cell", "rate_phase"), _padded([each.rates for each in results])),
    }
    return xr.Dataset(variables, coords | {"named": list(NAMED), "part": list(PARTS)})


def xor_set(found: Mapping[XorCell, Found]) -> xr.Dataset:
    """Return the data set of the XOR mixture, over cells: one random start each."""
    cells, results = list(found), list(found.values())
    coords: dict[str, Any] = {
        name: ("cell", [getattr(cell, name) for cell in cells]) for name in ("kind", "width", "start")
    }
    coords |= {"named": list(NAMED), "part": list(PARTS), "protocol": list(PROTOCOLS), "of_start": list(STARTS)}
    dims = ("cell", "protocol", "of_start", "quantity", "replicate")
    variables = _common(results) | {"evaluated": (dims, np.array([each.evaluated for each in results], float))}
    return xr.Dataset(variables, coords | {"quantity": ["error", "accuracy"]})


def _common(results: Sequence[Found]) -> dict[str, Any]:
    variables: dict[str, Any] = {name: ("cell", [getattr(each, name) for each in results]) for name in NUMBERS}
    variables |= {name: ("cell", [getattr(each, name) for each in results]) for name in ("verdict", "status", "method")}
    return variables | {
        "named_cost": (("cell", "named"), [[each.named[name] for name in NAMED] for each in results]),
        "phases": (("cell", "phase", "part"), _padded([each.phases for each in results], len(PARTS))),
        "search_cost": (("cell", "search"), _padded([[cost for _, cost, _ in each.searches] for each in results])),
        "evaluations": ("cell", [sum(count for _, _, count in each.searches) for each in results]),
    }


def _padded(rows: Sequence[Sequence[Any]], width: int = 0) -> np.ndarray:
    """Return rows of different lengths as one array, with NaN behind the shorter ones."""
    longest = max((len(row) for row in rows), default=0)
    table = np.full((len(rows), longest, *([width] if width else [])), np.nan)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = np.reshape(row, (len(row), *([width] if width else [])))
    return table


def orders(dataset: xr.Dataset) -> list[str]:
    """Return the class of every cell's order."""
    phases, coarse = dataset["phases"].values, dataset["mixed_at_most"].values
    return [order_of(rows[np.isfinite(rows[:, 0])], switch) for rows, switch in zip(phases, coarse, strict=True)]


def gains(dataset: xr.Dataset) -> np.ndarray:
    """Return by how much each optimum is below the best named order."""
    gained: np.ndarray = dataset["named_cost"].values.min(axis=1) - dataset["cost"].values
    return gained


def best_named(dataset: xr.Dataset) -> list[str]:
    """Return the best named order of each cell."""
    names = dataset["named"].values
    return [str(names[index]) for index in dataset["named_cost"].values.argmin(axis=1)]


def row_of(dataset: xr.Dataset, axis: str, judged: str) -> xr.Dataset:
    """Return the cells that differ from the base point in one number at most, in the order of that number."""
    mask = (dataset["judged"].values == judged) & ~dataset["tuned"].values.astype(bool)
    for name, value in BASE.items():
        if name != axis:
            mask &= dataset[name].values == value
    row = dataset.isel(cell=np.flatnonzero(mask))
    return row.isel(cell=np.argsort(row[axis].values))


def axes_of(dataset: xr.Dataset) -> list[str]:
    """Return the numbers that have more values than one."""
    return [axis for axis in BASE if any(row_of(dataset, axis, judged).sizes["cell"] > 1 for judged in JUDGED)]


@dataclasses.dataclass(frozen=True)
class Boundary:
    """Between two values of a number, where the optimal order changes: `below` at `low`, `above` at `high`."""

    axis: str
    judged: str
    low: float
    high: float
    below: str
    above: str


def boundaries(dataset: xr.Dataset) -> Iterator[Boundary]:
    """Yield every change of the optimal order along the axes."""
    for axis, judged in itertools.product(axes_of(dataset), JUDGED):
        row = row_of(dataset, axis, judged)
        points = zip(row[axis].values.tolist(), orders(row), strict=True)
        for (low, below), (high, above) in itertools.pairwise(points):
            if below != above:
                yield Boundary(axis, judged, low, high, below, above)


@dataclasses.dataclass(frozen=True)
class Gain:
    """What the optimum gains over a named order of the XOR mixture on hard samples, over random starts.

    mean, se: over starts. low, high: Student's 95 % interval. sampling: the standard error that the points leave.
    """

    mean: float
    se: float
    low: float
    high: float
    sampling: float

    @property
    def verdict(self) -> str:
        """Whether the interval leaves 0 out."""
        if not np.isfinite(self.se):
            return "one start says nothing of others"
        return "gains" if self.low > 0 else "loses" if self.high < 0 else "no gain seen"


def xor_rows(dataset: xr.Dataset) -> Iterator[tuple[str, int, xr.Dataset]]:
    """Yield kind of easiness, width and the cells of both."""
    for kind in dict.fromkeys(dataset["kind"].values.tolist()):
        of_kind = dataset.isel(cell=np.flatnonzero(dataset["kind"].values == kind))
        for width in sorted(set(of_kind["width"].values.tolist())):
            yield kind, int(width), of_kind.isel(cell=np.flatnonzero(of_kind["width"].values == width))


def best_on_average(row: xr.Dataset) -> str:
    """Return the named order of the least mean error over starts."""
    means = row["evaluated"].sel(of_start="own", quantity="error").mean(("cell", "replicate"))
    return NAMED[int(means.sel(protocol=list(NAMED)).values.argmin())]


def gain_of(row: xr.Dataset, quantity: str, of_start: str, named: str) -> Gain:
    """Return the gain of the optimum over a named order: less error, or more accuracy, on the same points."""
    values = row["evaluated"].sel(quantity=quantity, of_start=of_start)
    paired = values.sel(protocol=named) - values.sel(protocol="optimum")
    differences = (paired if quantity == "error" else -paired).transpose("cell", "replicate").values
    per_start, (starts, replicates) = differences.mean(axis=1), differences.shape
    mean = float(per_start.mean())
    se = float(per_start.std(ddof=1) / np.sqrt(starts)) if starts > 1 else float("nan")
    sampling = float("nan")
    if replicates > 1:
        sampling = float(np.sqrt(np.mean(differences.var(axis=1, ddof=1)) / replicates / starts))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, starts - 1)) * se if starts > 1 else float("nan")
    return Gain(mean, se, mean - reach, mean + reach, sampling)
