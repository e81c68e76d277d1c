"""The statements of the study: for each family one contrast for narrow students, one for wide ones, one for a trend."""

import dataclasses
import itertools

import numpy as np
import xarray as xr

from .._width_contrasts import QUESTIONS, Tested, contrast, holm, weights_of
from .._width_contrasts import in_words as words_of_signs
from ._plan import CLOCKS

MEASURES = {
    "accuracy on hard samples": "the accuracy on hard samples, at the end",
    "accuracy on the mixture": "the accuracy on easy and hard samples in equal parts, at the end",
    "solved": "1 if the outputs at all means are right, at the end; errors as if two starts more differed by +1 and -1",
    "sooner": "1 if it learns sooner than mixed, -1 if later; errors as if two starts more differed by +1 and -1",
}
FIRSTS = ("easy to hard", "hard to easy")


@dataclasses.dataclass(frozen=True)
class Statement(Tested):
    """One contrast of a family: its value, standard error, degrees of freedom, and p before and after Holm."""

    measure: str
    convention: str
    easiness: str
    clock: str
    order: str
    question: str
    value: float
    se: float
    degrees: float
    p: float
    adjusted: float = 1.0
    among: int = 1  # statements that hold together


def paired(data: xr.Dataset, measure: str, order: str) -> xr.DataArray:
    """Return `order` minus mixed of every start, over (width, convention, easiness, budget, start)."""
    if measure == "sooner":
        times = data["learnt"]
        first, second = times.sel(order=order, drop=True), times.sel(order="mixed", drop=True)
        # Never is as late as never; a difference of infinities would be NaN.
        apart = (first < second).astype(float) - (second < first).astype(float)
        return apart.where(first.notnull() & second.notnull())
    if measure == "accuracy on the mixture":
        values = (data["accuracy_easy"] + data["accuracy_hard"]) / 2
    else:
        values = data["solved" if measure == "solved" else "accuracy_hard"]
    return values.sel(order=order, drop=True) - values.sel(order="mixed", drop=True)


def gains(data: xr.Dataset, measure: str, order: str) -> xr.Dataset:
    """Return mean and standard error of `order` minus mixed at every point, and the mean over the budgets of a clock.

    Budgets of one start are not independent of each other: they are averaged first, start by start.
    """
    apart = paired(data, measure, order)
    signs = measure in ("solved", "sooner")
    pooled = xr.concat(
        [apart.sel(budget=apart["clock"] == clock).mean("budget", skipna=False) for clock in CLOCKS],
        xr.DataArray(list(CLOCKS), dims="clock", name="clock"),
    )
    result: dict[str, xr.DataArray] = {}
    points = apart.drop_vars(["clock", "number"])
    for name, values in {"point": points, "pooled": pooled}.items():
        result |= {name: values.mean("start"), f"{name}_se": _error(values, signs=signs)}
        result[f"{name}_count"] = values.notnull().sum("start")
    return xr.Dataset(result)


def _error(values: xr.DataArray, *, signs: bool) -> xr.DataArray:
    """Return the standard error of the mean over starts.

    Of signs it would vanish where all are equal: one start that is better and one that is worse are added to it, as
    Agresti & Min 2005 add half a pair to each of four outcomes.
    """
    count = values.notnull().sum("start")
    if not signs:
        return values.std("start", ddof=1) / np.sqrt(count)
    squares = ((values - values.mean("start")) ** 2).sum("start") + 2
    error: xr.DataArray = squares**0.5 / (count + 2)
    return error


def in_words(narrow: Statement, wide: Statement, trend: Statement) -> str:
    """Return what the three contrasts of a family say together."""
    return words_of_signs((narrow.sign, wide.sign, trend.sign))


def statements(data: xr.Dataset, measure: str) -> list[Statement]:
    """Return the statements of a measure, with p-values that hold for all of them together (Holm)."""
    found = []
    for order in FIRSTS:
        pooled = gains(data, measure, order)
        names = (pooled[dim].values.tolist() for dim in ("convention", "easiness", "clock"))
        for convention, easiness, clock in itertools.product(*names):
            row = pooled.sel(convention=convention, easiness=easiness, clock=clock)
            value, se, count = (row[f"pooled{end}"].values for end in ("", "_se", "_count"))
            for question in QUESTIONS:
                numbers = contrast(weights_of(question, data["width"].values), value, se, count)
                found.append(Statement(measure, convention, easiness, clock, order, question, *numbers))
    adjusted = holm(np.array([statement.p for statement in found]))
    return [
        dataclasses.replace(one, adjusted=float(p), among=len(found)) for one, p in zip(found, adjusted, strict=True)
    ]
