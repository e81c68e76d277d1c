"""Why the gain changes with width: do curves meet when budgets are learning times? Is the rest a matter of tickets?"""

import dataclasses
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from .._width_contrasts import contrast, weights_of
from ._contrasts import paired

DRAWS, CONFIDENCE = 2000, 0.95
NOTHING = 1e-3  # of accuracy: no spread between widths that anybody would ask about
FEWEST = 5  # starts of a kind, below which a width is left out
PAST = 2.0  # learning times, from which on training outlasts learning


@dataclasses.dataclass(frozen=True)
class Collapse:
    """How far apart the curves of different widths lie: a root mean square in accuracy, without the noise of starts.

    fixed: at equal budgets in samples / N. scaled: at equal budgets in learning times. Each with its interval. ratio:
    of scaled to fixed, with its interval. p: of equal gains of all widths at equal learning times.
    """

    convention: str
    easiness: str
    order: str
    fixed: tuple[float, float, float]
    scaled: tuple[float, float, float]
    ratio: tuple[float, float, float]
    p: float


@dataclasses.dataclass(frozen=True)
class Tickets:
    """The gain of students that drew all coupons at the start, and of those that did not, past learning.

    Each as (mean, standard error, starts), pooled over widths that have starts of both kinds. difference: with minus
    without, its standard error and p. trend: of the gain per doubling of the width, its standard error and p, among
    starts with all coupons.
    """

    convention: str
    easiness: str
    order: str
    widths: tuple[int, ...]
    drawn: tuple[float, float]
    lacking: tuple[float, float]
    difference: tuple[float, float, float]
    trend: tuple[float, float, float]


def collapse(data: xr.Dataset, convention: str, easiness: str, order: str, seed: int = 0) -> Collapse:
    """Compare the spread of gains between widths at equal alpha with that at equal learning times.

    Intervals are by a bootstrap of starts, the same ones for both clocks.
    """
    apart = paired(data, "accuracy on hard samples", order).sel(convention=convention, easiness=easiness)
    clocks = [_by_width(apart.sel(budget=apart["clock"] == clock)) for clock in ("alpha", "learning times")]
    value = [_spread(starts) for starts in clocks]
    generator = np.random.default_rng(seed)
    draws = np.empty((DRAWS, 2))
    for draw in range(DRAWS):
        again = [generator.integers(0, len(starts), len(starts)) for starts in clocks[0]]
        draws[draw] = [_spread([starts[i] for starts, i in zip(clock, again, strict=True)]) for clock in clocks]
    fixed, scaled = ((value[i], *_interval(draws[:, i])) for i in range(2))
    known = value[0] > NOTHING  # else there is nothing to collapse
    ratio = (
        (value[1] / value[0], *_interval(draws[:, 1] / np.maximum(draws[:, 0], NOTHING))) if known else (np.nan,) * 3
    )
    return Collapse(convention, easiness, order, fixed, scaled, ratio, _equal(clocks[1]))


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _by_width(apart: xr.DataArray) -> list[np.ndarray]:
    """Return (starts, budgets) of each width."""
    tables = [apart.isel(width=w).transpose("start", "budget").values for w in range(apart.sizes["width"])]
    return [table[np.isfinite(table).all(axis=1)] for table in tables]


def _spread(widths: list[np.ndarray]) -> float:
    """Return the root of the mean variance between widths at equal budgets, without what starts add to it."""
    means = np.array([table.mean(axis=0) for table in widths])
    noise = np.array([table.var(axis=0, ddof=1) / len(table) for table in widths])
    return float(np.sqrt(max(np.mean(means.var(axis=0, ddof=1) - noise.mean(axis=0)), 0.0)))


def _equal(widths: list[np.ndarray]) -> float:
    """Return p of equal mean gains of all widths: Welch's analysis of variance, Bonferroni over the budgets."""
    values = []
    for column in range(widths[0].shape[1]):
        samples = [table[:, column] for table in widths]
        w = np.array([len(x) / max(x.var(ddof=1), 1e-12) for x in samples])
        m = np.array([x.mean() for x in samples])
        k, h = len(samples), np.sum((1 - w / w.sum()) ** 2 / (np.array([len(x) for x in samples]) - 1))
        f = np.sum(w * (m - (w @ m) / w.sum()) ** 2) / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * h)
        values.append(stats.f.sf(f, k - 1, (k**2 - 1) / (3 * h)))
    return float(min(1.0, len(values) * min(values)))


def tickets(data: xr.Dataset, convention: str, easiness: str, order: str) -> Tickets:
    """Compare the gains of starts that drew all coupons with those of other starts, at PAST learning times and more."""
    apart = paired(data, "accuracy on hard samples", order).sel(convention=convention, easiness=easiness)
    late = apart.sel(budget=(apart["clock"] == "learning times") & (apart["number"] >= PAST)).mean(
        "budget", skipna=False
    )
    drawn = data["coupons"].sel(convention=convention)
    parts = {True: late.where(drawn == 1), False: late.where(drawn == 0)}
    count = {kind: values.notnull().sum("start").values for kind, values in parts.items()}
    mean = {kind: values.mean("start").values for kind, values in parts.items()}
    error = {kind: values.std("start", ddof=1).values / np.sqrt(count[kind]) for kind, values in parts.items()}
    both = (count[True] >= FEWEST) & (count[False] >= FEWEST)
    weights = both / max(both.sum(), 1)
    of = {kind: contrast(weights[both], mean[kind][both], error[kind][both], count[kind][both]) for kind in parts}
    difference = contrast(
        np.concatenate([weights[both], -weights[both]]),
        *(np.concatenate([x[True][both], x[False][both]]) for x in (mean, error, count)),
    )
    enough = count[True] >= FEWEST
    widths = data["width"].values
    trend = contrast(weights_of("trend", widths[enough]), mean[True][enough], error[True][enough], count[True][enough])
    names = tuple(int(width) for width in widths[both])
    pairs: Any = of[True][:2], of[False][:2], (*difference[:2], difference[3]), (*trend[:2], trend[3])
    return Tickets(convention, easiness, order, names, *pairs)
