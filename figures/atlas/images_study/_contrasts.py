"""The statements of the study: for each accuracy, order and pool of budgets, narrow students, wide ones, a trend."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import xarray as xr

from .._width_contrasts import QUESTIONS, Tested, contrast, holm, in_words, weights_of

SOURCES = {
    "images": "XOR of digits, images that were learnt from",
    "held_out": "XOR of digits, images held out",
    "theory": "XOR of digits, theory of the fitted mixture",
    "softmax": "ten digits with a softmax, images held out",
}
FIRSTS = ("easy to hard", "hard to easy")  # that statements are about
SHOWN = (*FIRSTS, "hard only")
POOLS = ("all budgets", "the scarce budget", "the ample budget")


@dataclasses.dataclass(frozen=True)
class Statement(Tested):
    """One contrast: its value, standard error, degrees of freedom, and p before and after Holm."""

    source: str
    order: str
    pool: str
    question: str
    value: float
    se: float
    degrees: float
    p: float
    adjusted: float = 1.0
    among: int = 1  # statements that hold together


@dataclasses.dataclass(frozen=True)
class Family:
    """Three contrasts of one accuracy, one order and one pool of budgets."""

    narrow: Statement
    wide: Statement
    trend: Statement

    @property
    def statements(self) -> tuple[Statement, Statement, Statement]:
        """All three."""
        return self.narrow, self.wide, self.trend

    @property
    def words(self) -> str:
        """What they say together."""
        return in_words((self.narrow.sign, self.wide.sign, self.trend.sign))


def accuracies(xor: xr.Dataset, softmax: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the four accuracies, each over (width, budget, order, run)."""
    return {source: (softmax if source == "softmax" else xor)[source] for source in SOURCES}


def gains(accuracy: xr.DataArray, order: str) -> xr.DataArray:
    """Return `order` minus mixed, run by run: (width, budget, run)."""
    return accuracy.sel(order=order, drop=True) - accuracy.sel(order="mixed", drop=True)


def mean_and_error(gain: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean over runs, its standard error, and the number of runs."""
    count = gain.notnull().sum("run")
    return gain.mean("run").values, (gain.std("run", ddof=1) / np.sqrt(count)).values, count.values


def pooled(gain: xr.DataArray, pool: str) -> xr.DataArray:
    """Return the gain (width, run) over a pool of budgets.

    Budgets of one run share its start, and are not independent of each other: they are averaged first, run by run.
    """
    if pool == POOLS[0]:
        return gain.mean("budget", skipna=False)
    budgets = gain["budget"].values
    return gain.isel(budget=int(np.argmin(budgets) if pool == POOLS[1] else np.argmax(budgets)), drop=True)


def families(found: Mapping[str, xr.DataArray]) -> list[Family]:
    """Return all statements of the figure, with p-values that hold for all of them together (Holm)."""
    each = []
    for source, accuracy in found.items():
        for order in FIRSTS:
            for pool in POOLS:
                numbers = mean_and_error(pooled(gains(accuracy, order), pool))
                for question in QUESTIONS:
                    weights = weights_of(question, accuracy["width"].values)
                    each.append(Statement(source, order, pool, question, *contrast(weights, *numbers)))
    adjusted = holm(np.array([one.p for one in each]))
    each = [dataclasses.replace(one, adjusted=float(p), among=len(each)) for one, p in zip(each, adjusted, strict=True)]
    return [Family(*each[first : first + len(QUESTIONS)]) for first in range(0, len(each), len(QUESTIONS))]
