"""The questions about means where theory predicts the joint law of the runs."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import stats

from teacher_student import Fluctuations, Responses, Trajectory

from ._evidence import Evidence, dim_of, scaled_scatter
from ._questions import DRAWS, Asked
from ._whitening import Whitening

UNSEEN = 1e-9  # of the largest whitened response to a relative change: what is below is an integration's error
AT_ONCE = 2**22  # numbers drawn at once


@dataclasses.dataclass(frozen=True)
class PredictedMeans:
    """The means over runs as the joint law sees them: w independent directions, m deviations, P numbers.

    Fields:
      z: (m,) the deviations in their own standard errors. xi: (w,) the whitened deviations.
      columns: (m, w) the z that a unit of each direction makes, rows of length 1 but for what theory's error adds.
      names, values: (P,) of the numbers that move what is compared. unseen: the names of those that move nothing.
      responses: (w, P) the whitened derivative in each number.
      ratio: the measured over the predicted variance of single runs, over all directions together, and freedom: of how
        many degrees. It takes out what the next order in 1/N adds to every variance.
      scatter: (S, w) the error of theory itself, from S scramblings of sampled averages; their squares add up. No rows
        where averages are exact.
    """

    z: np.ndarray
    xi: np.ndarray
    columns: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    responses: np.ndarray
    unseen: tuple[str, ...]
    scatter: np.ndarray
    ratio: float = 1.0
    freedom: float = np.inf

    @property
    def directions(self) -> np.ndarray:
        """(w, P) the responses as unit vectors."""
        unit: np.ndarray = self.responses / np.linalg.norm(self.responses, axis=0)
        return unit

    def drawn_ratios(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the ratio (count,) of variances as it is where theory is right."""
        if not np.isfinite(self.freedom):
            return np.ones(count)
        return np.asarray(rng.chisquare(self.freedom, count) / self.freedom)

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw whitened deviations (count, w) as they are where theory is right."""
        xi: np.ndarray = rng.standard_normal((count, self.xi.size))
        S = len(self.scatter)
        if S:
            # The scatter is estimated from S scramblings, so that its scale is as uncertain as a Student t's.
            scale = np.sqrt((S - 1) / rng.chisquare(S - 1, (count, 1)))
            xi += scale * rng.standard_normal((count, S)) @ self.scatter
        return xi


def predicted_means(theory: Trajectory, runs: Trajectory, evidence: Evidence) -> PredictedMeans:
    """Return the means under the joint law of `theory.fluctuations`, of evidence gathered with predicted spread."""
    assert theory.fluctuations is not None  # `check_predicted` comes first
    assert evidence.spread is not None
    error = np.sqrt(evidence.spread**2 / len(evidence.samples) + evidence.sampling**2)
    count = evidence.alphas.size
    fluctuations = theory.fluctuations.at(np.arange(count))
    responses = fluctuations.responses
    assert responses is not None
    whitening = whitening_of(theory, runs, count)
    deviations = (evidence.samples.mean(axis=0) - evidence.theory).reshape(len(evidence.names), count).T
    moving, (ratio, freedom) = evidence.moving, _measured_ratio(runs_alone(theory, runs, evidence))
    return PredictedMeans(
        z=deviations.T.ravel()[moving] / error[moving],
        xi=whitening.whitened(deviations),
        columns=_columns(whitening)[moving] / error[moving, None],
        scatter=_scatter(fluctuations, evidence, whitening),
        **_numbers(whitening, responses),
        ratio=ratio,
        freedom=freedom,
    )


def runs_alone(theory: Trajectory, runs: Trajectory, evidence: Evidence) -> np.ndarray:
    """Return the whitened deviations (w, R) of single runs from their mean."""
    whitening, R = whitening_of(theory, runs, evidence.alphas.size), len(evidence.samples)
    x = (evidence.samples - evidence.samples.mean(axis=0)).reshape(R, len(evidence.names), -1)
    alone: np.ndarray = whitening.whitened(x.transpose(2, 1, 0)) / np.sqrt(R)
    return alone


def _measured_ratio(alone: np.ndarray) -> tuple[float, float]:
    """Return the measured over the predicted variance of runs, and its degrees of freedom."""
    w, R = alone.shape
    freedom = w * (R - 1)
    return (float(np.sum(alone**2) / freedom), float(freedom)) if freedom else (1.0, np.inf)


def whitening_of(theory: Trajectory, runs: Trajectory, count: int) -> Whitening:
    """Return the whitening of the means over `runs` at the first `count` alphas of theory."""
    assert theory.fluctuations is not None
    law = theory.fluctuations.at(np.arange(count)).law
    assert law is not None
    return Whitening.of(law, dim_of(runs), int(runs.runs or 0), runs.source.test_samples)


def expected_means(theory: Trajectory, dim: int, test_samples: int | None) -> PredictedMeans:
    """Return the means of one run at N = `dim` as they are where theory is right, before anything is simulated."""
    fluctuations = theory.fluctuations
    assert fluctuations is not None  # `plan` checks it
    law, responses = fluctuations.law, fluctuations.responses
    assert law is not None
    assert responses is not None
    whitening = Whitening.of(law, dim, 1, test_samples)
    columns = _columns(whitening)
    length = np.linalg.norm(columns, axis=1)
    moving = length > 1e-12 * np.max(length, initial=0.0)
    return PredictedMeans(
        z=np.zeros(int(moving.sum())),
        xi=np.zeros(whitening.size),
        columns=columns[moving] / length[moving, None],
        scatter=np.zeros((0, whitening.size)),
        **_numbers(whitening, responses),
    )


def _columns(whitening: Whitening) -> np.ndarray:
    """Return the deviation of every quantity at every alpha, alpha fastest, by one unit of each direction (m, w)."""
    made = whitening.deviations().swapaxes(0, 1)
    return made.reshape(made.shape[0] * made.shape[1], whitening.size)


def _numbers(whitening: Whitening, responses: Responses) -> dict[str, Any]:
    """Return names, values and whitened derivatives of the numbers that move something, and the names of the others."""
    d, values = whitening.responses(responses), np.asarray(responses.values)
    size = np.linalg.norm(d, axis=0) * np.where(values == 0, 1.0, np.abs(values))
    seen = size > UNSEEN * np.max(size, initial=0.0)
    return dict(
        names=tuple(name for name, one in zip(responses.names, seen, strict=True) if one),
        values=values[seen],
        responses=d[:, seen],
        unseen=tuple(name for name, one in zip(responses.names, seen, strict=True) if not one),
    )


Statistics = tuple[np.ndarray, np.ndarray, np.ndarray]  # "largest", "all" and "numbers"


def drawn_statistics(means: PredictedMeans, seed: int) -> Statistics:
    """Draw the three statistics (DRAWS,) as they are together where theory is right; the data have no part in it."""
    rng = np.random.default_rng(seed)
    parts = [
        _statistics(means, xi @ means.columns.T, xi, means.drawn_ratios(len(xi), rng)) for xi in _in_parts(means, rng)
    ]
    largest, everything, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return largest, everything, numbers


def questions_about(means: PredictedMeans, drawn: Statistics) -> dict[str, Asked]:
    """Return the questions that the means answer, beside their law where theory is right, `drawn_statistics`."""
    m, w, P = len(means.z), means.xi.size, len(means.names)
    if not m:
        return {}
    # The data's z is that of each mean itself, also in directions that theory takes to be fixed.
    observed = [float(one[0]) for one in _statistics(means, means.z[None], means.xi[None], means.ratio)]
    normal, exact = stats.norm.sf, not len(means.scatter)
    tail = stats.f.sf(observed[1] / w, w, means.freedom) if w else 1.0
    bounds = (2 * m * normal(observed[0]), tail, 2 * P * normal(observed[2]))
    texts = (
        f"largest |z| of {m} deviations",
        f"chi^2 of all deviations in {w} independent directions",
        f"largest |z| of the implied shifts of {P} numbers",
    )
    asked = {
        name: Asked(statistic, law, float(bound) if exact else 1.0, size, text)
        for name, statistic, law, bound, size, text in zip(
            ("largest", "all", "numbers"), observed, drawn, bounds, (m, w, P), texts, strict=True
        )
    }
    return asked if P else {name: asked[name] for name in ("largest", "all")}


def _statistics(means: PredictedMeans, z: np.ndarray, xi: np.ndarray, ratio: float | np.ndarray) -> Statistics:
    """Return the three statistics of z (..., m) and of the whitened deviations (..., w) that belong to them.

    chi^2 is in units of the variance that the runs have, which is `ratio` (...) times the predicted one.
    """
    return (
        np.max(np.abs(z), axis=-1, initial=0.0),
        np.sum(xi**2, axis=-1) / ratio,
        np.max(np.abs(xi @ means.directions), axis=-1, initial=0.0),
    )


def _in_parts(means: PredictedMeans, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Draw DRAWS whitened deviations, some at a time: K = 8 and M = 4 have 1700 of them."""
    size = max(1, min(DRAWS, AT_ONCE // max(1, means.xi.size)))
    for first in range(0, DRAWS, size):
        yield means.draws(min(size, DRAWS - first), rng)


def _scatter(fluctuations: Fluctuations, evidence: Evidence, whitening: Whitening) -> np.ndarray:
    """Return the whitened error of theory (S, w) that its scramblings show, in the size that theory states.

    The points of `ode.fluctuations` may be others than those of the solve.
    """
    count, scatter = evidence.alphas.size, fluctuations.scatter
    if scatter is None or not np.any(evidence.sampling > 0):
        return np.zeros((0, whitening.size))
    stated = evidence.sampling.reshape(len(evidence.names), count).T
    return whitening.whitened(np.moveaxis(scaled_scatter(scatter, stated), 0, -1)).T
