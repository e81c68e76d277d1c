r"""The questions that a verdict asks of the deviations from theory, and one family-wise level over all of them.

With the whitened deviations xi (`Whitening`), which are independent standard normal numbers where theory is right:
  largest:   max |z| over every quantity at every alpha,
  all:       chi^2 = |xi|^2 on w degrees of freedom,
  numbers:   max |z_p| over the numbers p of problem and start, z_p = d_p . xi / |d_p|, d_p = d(xi)/d(number),
  spread:    whether the runs scatter as predicted (`_predicted.py`), which says nothing of the means.
The law of all of them together, where theory is right, is drawn: the p-value of each is a rank among the draws, and the
verdict is the smallest p-value, each divided by its weight, ranked among the draws again (Westfall & Young 1993, min-p).
"""

import dataclasses

import numpy as np
from scipy import stats

DRAWS = 9999
WEIGHTS = {"largest": 0.1, "all": 0.2, "numbers": 0.5, "spread": 0.2}  # of the level, fixed before any data are seen
MEMORY = 2**22  # numbers drawn at once


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Each question's statistic: of one experiment, or of many draws (leading axis)."""

    largest: np.ndarray
    all: np.ndarray
    numbers: np.ndarray


@dataclasses.dataclass(frozen=True)
class Means:
    """What the questions about means are asked of.

    Fields, with w independent directions, m deviations and P numbers that can be seen:
      z: (m,) the deviations in their own standard errors. xi: (w,) the whitened deviations.
      columns: (m, w) the z of each deviation that a unit of each direction makes: rows of length 1 but for what theory's
        own error adds.
      numbers: (w, P) unit vectors d_p / |d_p|.
      scatter: (S, w) the error of theory itself, from S scramblings of sampled averages; their squares add up. No rows
        where averages are exact.
    """

    z: np.ndarray
    xi: np.ndarray
    columns: np.ndarray
    numbers: np.ndarray
    scatter: np.ndarray

    @property
    def observed(self) -> Statistics:
        """The statistics of the data."""
        return dataclasses.replace(self.statistics(self.xi), largest=np.max(np.abs(self.z), initial=0.0))

    def statistics(self, xi: np.ndarray) -> Statistics:
        """Return the statistics of whitened deviations (..., w)."""
        return Statistics(
            np.max(np.abs(xi @ self.columns.T), axis=-1, initial=0.0),
            np.sum(xi**2, axis=-1),
            np.max(np.abs(xi @ self.numbers), axis=-1, initial=0.0),
        )

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw whitened deviations (count, w) as they are where theory is right."""
        xi = rng.standard_normal((count, self.xi.size))
        S = len(self.scatter)
        if S:
            # The scatter is estimated from S scramblings, so that its scale is as uncertain as a Student t's.
            scale = np.sqrt((S - 1) / rng.chisquare(S - 1, (count, 1)))
            xi += scale * rng.standard_normal((count, S)) @ self.scatter
        return xi


def drawn_statistics(means: Means, seed: int) -> Statistics:
    """Return DRAWS statistics of each question where theory is right."""
    rng, parts = np.random.default_rng(seed), []
    at_once = max(1, min(DRAWS, MEMORY // max(1, means.xi.size)))
    for first in range(0, DRAWS, at_once):
        parts.append(means.statistics(means.draws(min(at_once, DRAWS - first), rng)))
    return Statistics(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("largest", "all", "numbers")))


@dataclasses.dataclass(frozen=True)
class Question:
    """One question of a verdict.

    name: "largest", "all", "numbers" or "spread". statistic: its value. threshold: beyond it the verdict is DISAGREE.
    p: of this question alone. size: over how many deviations, directions, numbers or variances it goes. text: in words.
    """

    name: str
    statistic: float
    threshold: float
    p: float
    size: int
    text: str


@dataclasses.dataclass(frozen=True)
class Family:
    """The answers together: p over all questions, and each of them with its threshold at the family's level."""

    p: float
    questions: tuple[Question, ...]


TEXTS = {
    "largest": "largest |z| of {size} deviations",
    "all": "chi^2 of all deviations, {size} degrees of freedom",
    "numbers": "largest |z| of the shifts of {size} numbers",
}


def judged(means: Means, drawn: Statistics, spread_p: float | None, significance: float, seed: int) -> Family:
    """Return the verdict over all questions, at one family-wise level `significance`.

    Arguments: spread_p: the p-value of the test of the spread, an upper bound that means do not change, or None.
    """
    observed = means.observed
    names = ["largest", "all", "numbers"] if means.numbers.size else ["largest", "all"]
    # A p-value from draws is never 0: the data themselves count. Far out the bounds below are sharper.
    p = {name: _rank(getattr(drawn, name), getattr(observed, name)) for name in names}
    bounds = _bounds(means, observed) if not len(means.scatter) else {}
    p = {name: min(value, bounds.get(name, 1.0)) for name, value in p.items()}
    each = {name: _ranks(getattr(drawn, name)) for name in names}
    if spread_p is not None:
        p["spread"] = spread_p
        each["spread"] = np.random.default_rng([seed, 1]).uniform(size=DRAWS)
    weights = {name: WEIGHTS[name] / sum(WEIGHTS[other] for other in p) for name in p}
    smallest = np.min([each[name] / weights[name] for name in p], axis=0)
    worst = min(p[name] / weights[name] for name in p)
    family = min(1.0, worst, (1 + np.sum(smallest <= worst)) / (1 + DRAWS))
    # The largest weighted p-value that still disagrees, and so the statistic of each question that does.
    limit = max(float(np.sort(smallest)[max(int(significance * (1 + DRAWS)) - 2, 0)]), significance)
    sizes = {"largest": len(means.columns), "all": means.xi.size, "numbers": means.numbers.shape[1]}
    questions = tuple(
        Question(
            name,
            float(getattr(observed, name)),
            float(np.quantile(getattr(drawn, name), 1 - min(1.0, limit * weights[name]), method="higher")),
            float(p[name]),
            sizes[name],
            TEXTS[name].format(size=sizes[name]),
        )
        for name in names
    )
    return Family(float(family), questions)


def _rank(drawn: np.ndarray, observed: np.ndarray) -> float:
    return float((1 + np.sum(drawn >= observed)) / (1 + len(drawn)))


def _ranks(drawn: np.ndarray) -> np.ndarray:
    """Return the p-value of each draw among all of them."""
    order = np.argsort(np.argsort(-drawn))
    return (1 + order) / (1 + len(drawn))


def _bounds(means: Means, observed: Statistics) -> dict[str, float]:
    """Return upper bounds of the p-values, where theory has no error of its own: exact for chi^2, Bonferroni else."""
    tail = stats.norm.sf
    return {
        "largest": float(2 * len(means.columns) * tail(observed.largest)),
        "all": float(stats.chi2.sf(observed.all, means.xi.size)),
        "numbers": float(2 * means.numbers.shape[1] * tail(observed.numbers)),
    }
