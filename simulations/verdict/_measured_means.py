r"""The questions about means where the covariance of the runs is estimated from the runs themselves.

With deviations x_r (m) of R runs in units of their root mean square, C = (1 - a) sum_r x_r x_r^T / R + a 1 is a shrunk
estimate of their second moments. It stays what it is when the signs of whole runs are flipped, and so does the law of
all that is computed with it, where the deviations are symmetric about 0: every statistic is ranked among its flips, and
holds its level however good the estimate is.
  largest:  Student's t of each deviation,
  all:      Hotelling's T^2 = R mean^T C^-1 mean,
  numbers:  Student's t of each run's estimate of each shift, with a C from which the run itself is left out.
The error of theory itself, where its averages are sampled, is common to all runs, so that no flip shows it: it is drawn
from what the scramblings show, and added to the mean of every flip.
Below FEWEST_RUNS_TO_FLIP runs there are too few sign patterns, and the largest t is judged by Bonferroni's bound alone.
Source: Ledoit & Wolf 2004 (shrinkage); Westfall & Young 1993 (flips).
"""

import dataclasses
from typing import Any

import numpy as np
from scipy import special, stats

from teacher_student import Trajectory

from ._evidence import Evidence
from ._questions import DRAWS, Asked

FEWEST_RUNS_TO_FLIP = 12  # 2^11 distinct patterns: below that a significance of 1 % is out of reach or coarse
UNSEEN = 1e-9  # of the largest response to a relative change: what is below is an integration's error
Responses = tuple[tuple[str, ...], np.ndarray, np.ndarray]  # names (P,), values (P,), derivatives (columns, P)
PARTS = 9  # the flips are done in so many parts, as flips x deviations are many numbers


@dataclasses.dataclass(frozen=True)
class MeasuredMeans:
    """Deviations of R runs, m of them, and what they say of P numbers.

    Fields:
      deviations: (R, m) of every run from theory. floor: (m,) a variance of a run that is known to be there.
      scatter: (S, m) the error of theory itself, from S scramblings; their squares add up. No rows where it is exact.
      inverse: (R, R), beside: (R, S), below: (S, S): X C^-1 X^T / R of the deviations X in their own units,
        X C^-1 E^T of the scatter E in the same units, and R E C^-1 E^T.
      names, values: (P,) of the numbers that move what is compared; none where theory has no responses.
      along: (R, P) the runs' estimates of the shift of each number. scatter_along: (S, P) what theory's error makes of
        them. unseen: the names of those that move nothing.
    """

    deviations: np.ndarray
    floor: np.ndarray
    scatter: np.ndarray
    inverse: np.ndarray
    beside: np.ndarray
    below: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    along: np.ndarray
    scatter_along: np.ndarray
    unseen: tuple[str, ...]

    @property
    def runs(self) -> int:
        """The number R of runs."""
        return len(self.deviations)

    @property
    def are_flipped(self) -> bool:
        """Whether there are runs enough for flips of their signs to judge them."""
        return self.runs >= FEWEST_RUNS_TO_FLIP

    @property
    def t(self) -> np.ndarray:
        """(m,) Student's t of every mean."""
        return student_t(self.deviations, _size(self.scatter), self.floor)

    @property
    def freedom(self) -> np.ndarray:
        """(m,) the degrees of freedom of every t.

        Without flips to judge by they are Welch's: the error of theory is less well known than that of many runs.
        """
        freedom, S = np.full(self.deviations.shape[1], self.runs - 1.0), len(self.scatter)
        if S < 2 or self.are_flipped:
            return freedom
        variance = np.maximum(self.deviations.var(axis=0, ddof=1), self.floor) / self.runs
        extra = _size(self.scatter) ** 2
        parts = variance**2 / (self.runs - 1) + extra**2 / (S - 1)
        return np.where(parts > 0, (variance + extra) ** 2 / np.where(parts > 0, parts, 1.0), freedom)

    @property
    def z(self) -> np.ndarray:
        """(m,) the deviations, as the normal values that are as unlikely as their t."""
        return normal_equivalent(self.t, self.freedom)

    @property
    def shift(self) -> np.ndarray:
        """(P,) the implied shift of each number."""
        return np.asarray(self.along.mean(axis=0))

    @property
    def shift_error(self) -> np.ndarray:
        """(P,) its standard error over the runs."""
        over_runs = self.along.std(axis=0, ddof=1) / np.sqrt(len(self.along))
        return np.asarray(np.hypot(over_runs, _size(self.scatter_along)))

    def drawn_scatter(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw weights (count, S) of the scramblings, whose sum is an error of theory as they let it be expected."""
        S = len(self.scatter)
        # The scale of the scatter is as uncertain as a Student t's.
        scale = np.sqrt((S - 1) / rng.chisquare(S - 1, (count, 1))) if S > 1 else 0.0
        return np.asarray(scale * rng.standard_normal((count, S)))


def _size(scatter: np.ndarray) -> np.ndarray:
    """Return the standard error that the scramblings (S, ...) make together."""
    return np.asarray(np.sqrt(np.sum(scatter**2, axis=0)))


def normal_equivalent(t: Any, freedom: Any) -> np.ndarray:
    """Return the normal value with the same tail probability as Student's t with `freedom` degrees of freedom."""
    # By logarithms: the tail of a large |t| is 0 as a number, and its normal value would be infinite.
    z: np.ndarray = np.sign(t) * -special.ndtri_exp(stats.t.logsf(np.abs(t), freedom))
    return z


def student_t(deviations: np.ndarray, extra: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return t (m,) of the mean of `deviations` (runs, m).

    extra (m,): a further standard error, of the reference. floor (m,): a variance per run that is known to be there
    (counting test samples), used where the runs happen to spread less.
    """
    runs = deviations.shape[0]
    variance = np.maximum(deviations.var(axis=0, ddof=1), floor) / runs + extra**2
    t: np.ndarray = deviations.mean(axis=0) / np.sqrt(variance)
    return t


def measured_means(evidence: Evidence, responses: Responses) -> MeasuredMeans:
    """Return the means of the runs' deviations, whose covariance is estimated from the runs."""
    moving = evidence.moving
    X = (evidence.samples - evidence.theory)[:, moving]
    size = np.sqrt(np.maximum(np.mean(X**2, axis=0), np.maximum(evidence.floor[moving], 1e-300)))
    names, values, d, unseen = _seen(responses, evidence, moving)
    scatter = evidence.scatter[:, moving]
    return MeasuredMeans(
        deviations=X,
        floor=evidence.floor[moving],
        scatter=scatter,
        names=names,
        values=values,
        unseen=unseen,
        **_shrunk(X / size, d / size[:, None], scatter / size),
    )


def questions_about_measured(means: MeasuredMeans, seed: int) -> dict[str, Asked]:
    """Return the questions that so many runs answer, with their law under flips of the signs of whole runs."""
    (R, m), P = means.deviations.shape, len(means.names)
    if not m:
        return {}
    largest, rng = float(np.max(np.abs(means.z))), np.random.default_rng(seed)
    text = f"largest |z| of {m} deviations (Student's t of {R - 1})"
    if not means.are_flipped:
        # Bonferroni's bound as a law to draw from: the largest of m independent |z|.
        drawn = stats.norm.isf((1 - (1 - rng.uniform(size=DRAWS)) ** (1 / m)) / 2)
        return {"largest": Asked(largest, drawn, m * 2 * float(stats.norm.sf(largest)), m, text)}
    size = (DRAWS + PARTS - 1) // PARTS
    drawn = [
        _flipped(means, rng.choice([-1.0, 1.0], size=(size, R)), means.drawn_scatter(size, rng)) for _ in range(PARTS)
    ]
    largest_drawn, everything, numbers = (np.concatenate(parts)[:DRAWS] for parts in zip(*drawn, strict=True))
    nothing = np.zeros((1, len(means.scatter)))
    _, observed, shift = (float(one[0]) for one in _flipped(means, np.ones((1, R)), nothing))
    shifts = float(normal_equivalent(shift, R - 1)), normal_equivalent(numbers, R - 1)
    asked = {
        "largest": Asked(largest, normal_equivalent(largest_drawn, R - 1), 1.0, m, text),
        "all": Asked(observed, everything, 1.0, m, f"Hotelling's T^2 of all {m} deviations, shrunk"),
        "numbers": Asked(*shifts, 1.0, P, f"largest |z| of the implied shifts of {P} numbers"),
    }
    return asked if P else {name: asked[name] for name in ("largest", "all")}


def _flipped(means: MeasuredMeans, signs: np.ndarray, of_theory: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the three statistics (flips,) under signs (flips, R) of the runs and an error (flips, S) of theory."""
    everything = np.einsum("fr,rs,fs->f", signs, means.inverse, signs, optimize=True)
    everything += 2 * np.einsum("fr,rs,fs->f", signs, means.beside, of_theory, optimize=True)
    everything += np.einsum("fr,rs,fs->f", of_theory, means.below, of_theory, optimize=True)
    no_floor = np.zeros(len(means.names))
    return (
        _largest_t(means.deviations, means.floor, means.scatter, signs, of_theory),
        everything,
        _largest_t(means.along, no_floor, means.scatter_along, signs, of_theory),
    )


def _largest_t(
    x: np.ndarray, floor: np.ndarray, scatter: np.ndarray, signs: np.ndarray, of_theory: np.ndarray
) -> np.ndarray:
    """Return the largest |t| (flips,) over the columns of x (R, m), to whose means an error of theory is added."""
    runs, square = len(x), np.mean(x**2, axis=0)  # unchanged by flips
    mean = signs @ x / runs
    variance = np.maximum((square - mean**2) * runs / (runs - 1), floor)
    variance = np.maximum(variance, 1e-300)  # a column that is the same in all runs
    error = np.sqrt(variance / runs + np.sum(scatter**2, axis=0))
    largest: np.ndarray = np.max(np.abs(mean + of_theory @ scatter) / error, axis=1, initial=0.0)
    return largest


def _shrunk(X: np.ndarray, d: np.ndarray, E: np.ndarray) -> dict[str, np.ndarray]:
    r"""Return what `MeasuredMeans` has of C^-1, for the deviations X (R, m), derivatives d (m, P) and scatter E (S, m).

    The estimate of run r is (d . C_r^-1 x_r) / (d . C_r^-1 d), where C_r leaves out run r itself. With the run in it,
    the weights would fit its own noise, and the error over the runs would be stated several times too small.
    Nothing of size m x m is made: with M = (1-a) X^T X / (R-1) + a 1 and c = (1-a) / (R-1) it is C_r = M - c x_r x_r^T.
    """
    R = len(X)
    gram = X @ X.T
    a = _share(X, gram / R)
    whole = np.linalg.inv(a * np.eye(R) + (1 - a) * gram / R)  # X C^-1 = whole X
    beside, c = whole @ (X @ E.T), (1 - a) / R
    c_inverse_d = (d - c * X.T @ (whole @ (X @ d))) / a
    scatter_along = E @ c_inverse_d / np.sum(d * c_inverse_d, axis=0)
    below = R * (E @ E.T - c * (X @ E.T).T @ beside) / a
    c = (1 - a) / (R - 1)
    # Woodbury: M^-1 = (1 - c X^T (a + c X X^T)^-1 X) / a.
    inner = np.linalg.inv(a * np.eye(R) + c * gram)
    own = np.diagonal(gram @ inner)[:, None]  # x_r . M^-1 x_r
    u = inner @ (X @ d)  # x_r . M^-1 d
    gain = (np.sum(d * d, axis=0) - c * np.sum((X @ d) * u, axis=0)) / a  # d . M^-1 d
    left = 1 - c * own
    return {
        "inverse": (gram / R) @ whole,
        "beside": beside,
        "below": below,
        "along": (u / left) / (gain + c * u**2 / left),
        "scatter_along": scatter_along,
    }


def _share(X: np.ndarray, gram: np.ndarray) -> float:
    """Return Ledoit and Wolf's share of the target 1: the error of the second moments over their distance from 1."""
    R, m = X.shape
    square = float(np.sum(gram**2))  # of all entries of X^T X / R
    error = (float(np.sum(np.diagonal(gram * R) ** 2)) / R - square) / R
    distance = square - m  # the diagonal of the second moments is 1
    return float(np.clip(error / distance, 0.02, 1.0)) if distance > 0 else 1.0


def responses_of(theory: Trajectory, evidence: Evidence) -> Responses:
    """Return the responses that theory states of what is compared; none where it has no fluctuations."""
    fluctuations = theory.fluctuations
    if fluctuations is None or fluctuations.law is None:
        return (), np.zeros(0), np.zeros((evidence.theory.size, 0))
    fluctuations = fluctuations.at(np.arange(evidence.alphas.size))
    law, responses = fluctuations.law, fluctuations.responses
    assert law is not None
    assert responses is not None
    d = responses.quantities(law).swapaxes(0, 1).reshape(-1, len(responses.names))
    return tuple(responses.names), np.asarray(responses.values), d


def _seen(
    responses: Responses, evidence: Evidence, moving: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return names, values and derivatives (m, P) of the numbers that move something, and the names of the others."""
    names, values, d = np.array(responses[0], dtype=str), responses[1], responses[2][moving]
    scale = evidence.samples.std(axis=0, ddof=1)[moving]
    relative = d * np.where(values == 0, 1.0, np.abs(values))
    size = np.sqrt(np.sum((relative / np.maximum(scale, 1e-150)[:, None]) ** 2, axis=0))
    seen = size > UNSEEN * np.max(size, initial=0.0)
    return tuple(map(str, names[seen])), values[seen], d[:, seen], tuple(map(str, names[~seen]))
