r"""The questions that a verdict asks, and one family-wise level over all of them.

  largest:  the largest |z| of any quantity at any alpha,
  all:      chi^2 of all deviations together,
  numbers:  the largest |z| among the shifts of the numbers of problem and start that the simulation implies,
  spread:   whether the runs scatter as theory predicts (`_predicted.py`), which says nothing of the means.
The first sees a deviation of one quantity, the second one that is spread over many, and the third a small one that is
everywhere, which is what a wrong factor makes. Their joint law where theory is right is drawn: from normal numbers
(`_predicted_means.py`) or by flipping the signs of whole runs (`_measured_means.py`). The p-value of each question is a
rank among the draws. The verdict is the smallest of them, each divided by its weight, ranked among the draws again
(min-p, Westfall & Young 1993), so that no bound on correlations is paid for.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from teacher_student.internal import PublicRecord

from ._spread import SpreadTest

DRAWS = 9999
WEIGHTS = {"largest": 0.1, "all": 0.2, "numbers": 0.5, "spread": 0.2}  # of the level, fixed before any data are seen


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question to the data: its statistic, what it is where theory is right, and over how many it goes.

    Fields: drawn: (DRAWS,) statistics where theory is right. bound: an upper bound of the p-value beside the draws'
    own, which is sharper far out. size: over how many deviations, directions, numbers or variances it goes. text: in
    words.
    """

    statistic: float
    drawn: np.ndarray
    bound: float
    size: int
    text: str


@dataclasses.dataclass(frozen=True)
class Question(PublicRecord):
    """One question of a verdict, answered.

    Fields: name: "largest", "all", "numbers" or "spread". text: in words. statistic: its value. threshold: what it may
    not pass, at the level of the family. p: of this question alone. size: over how many deviations, directions, numbers
    or variances it goes.
    """

    name: str
    text: str
    statistic: float
    threshold: float
    p: float
    size: int


@dataclasses.dataclass(frozen=True)
class Family:
    """The answers together: p over all questions, and each of them with its threshold at the family's level."""

    p: float
    questions: tuple[Question, ...]

    def threshold(self, name: str) -> float:
        """Return the threshold of a question, infinite where it was not asked."""
        return next((question.threshold for question in self.questions if question.name == name), np.inf)


def judged(asked: Mapping[str, Asked], spread: SpreadTest | None, significance: float, seed: int) -> Family:
    """Return the verdict over all questions, at one family-wise level `significance`.

    Arguments: spread: the test of the spread, which is independent of the means; None: not asked.
    """
    # A p-value from draws is never 0: the data themselves are one of the cases that count.
    p = {name: min(_rank(one.drawn, one.statistic), one.bound) for name, one in asked.items()}
    drawn = {name: _ranks(one.drawn) for name, one in asked.items()}
    if spread is not None:
        p["spread"] = spread.p
        drawn["spread"] = np.random.default_rng([seed, 1]).uniform(size=DRAWS)
    if not p:
        return Family(1.0, ())
    weights = {name: WEIGHTS[name] / sum(WEIGHTS[other] for other in p) for name in p}
    smallest = np.min([drawn[name] / weights[name] for name in p], axis=0)
    observed = min(p[name] / weights[name] for name in p)
    # The weighted p-value itself is Bonferroni's, which is the sharper one where no draw is as far out.
    family = min(1.0, observed, (1 + float(np.sum(smallest <= observed))) / (1 + DRAWS))
    limit = max(float(np.sort(smallest)[max(int(significance * (1 + DRAWS)) - 2, 0)]), significance)
    questions = tuple(
        Question(name, one.text, one.statistic, _quantile(one.drawn, limit * weights[name]), p[name], one.size)
        for name, one in asked.items()
    )
    return Family(family, questions if spread is None else (*questions, _of_spread(spread)))


def _of_spread(spread: SpreadTest) -> Question:
    """Return the question about the spread, by the z of its worst variance."""
    text = f"largest z of {spread.number_of_deviations} variances, measured over predicted"
    return Question("spread", text, spread.z, spread.threshold_z, spread.p, spread.number_of_deviations)


def spread_share(asked_means: int) -> float:
    """Return the share of the level that the test of the spread has beside so many questions about means."""
    names = ("largest", "all", "numbers")[:asked_means]
    return WEIGHTS["spread"] / (WEIGHTS["spread"] + sum(WEIGHTS[name] for name in names))


def _rank(drawn: np.ndarray, observed: float) -> float:
    # A flip that gives the same value, such as that of all signs, may come out smaller by rounding, and must count too.
    return float((1 + np.sum(drawn >= observed * (1 - 1e-12))) / (1 + len(drawn)))


def _ranks(drawn: np.ndarray) -> np.ndarray:
    """Return the p-value of each draw among all of them."""
    ordered = np.sort(drawn)
    ranks: np.ndarray = (1 + len(drawn) - np.searchsorted(ordered, drawn * (1 - 1e-12))) / (1 + len(drawn))
    return ranks


def _quantile(drawn: np.ndarray, tail: float) -> float:
    """Return the value beyond which a statistic has a p-value of at most `tail`."""
    place = int(min(tail, 1.0) * (1 + len(drawn))) - 1
    return float(np.sort(drawn)[::-1][min(max(place, 0), len(drawn) - 1)])
