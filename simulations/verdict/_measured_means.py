r"""The questions about means where the covariance of the runs is estimated from the runs themselves.

With deviations x_r (m) of R runs in units of their root mean square, C = (1 - a) sum_r x_r x_r^T / R + a 1 is a shrunk
estimate of their second moments. It stays what it is when the signs of whole runs are flipped, and so does the law of
all that is computed with it, where the deviations are symmetric about 0: every statistic is ranked among its flips, and
holds its level however good the estimate is.
  largest:  Student's t of each deviation,
  all:      Hotelling's T^2 = R mean^T C^-1 mean,
  numbers:  Student's t of each run's estimate of each shift, with a C from which the run itself is left out.
Below FEWEST_RUNS_TO_FLIP runs there are too few sign patterns, and the largest t is judged by Bonferroni's bound alone.
Source: Ledoit & Wolf 2004 (shrinkage); Westfall & Young 1993 (flips).
"""

import dataclasses

import numpy as np
from scipy import stats

from teacher_student import Trajectory

from ._evidence import Evidence
from ._questions import DRAWS, Asked

FEWEST_RUNS_TO_FLIP = 12  # 2^11 distinct patterns: below that a significance of 1 % is out of reach or coarse
UNSEEN = 1e-9  # of the largest response to a relative change: what is below is an integration's error
PARTS = 9  # the flips are done in so many parts, as flips x deviations are many numbers


@dataclasses.dataclass(frozen=True)
class MeasuredMeans:
    """Deviations of R runs, m of them, and what they say of P numbers.

    Fields:
      deviations: (R, m) of every run from theory. floor: (m,) a variance of a run that is known to be there.
      extra: (m,) a further standard error, of theory.
      inverse: (R, R) X C^-1 X^T / R of the deviations X in their own units.
      names, values: (P,) of the numbers that move what is compared; none where theory has no responses.
      along: (R, P) the runs' estimates of the shift of each number. unseen: the names of those that move nothing.
    """

    deviations: np.ndarray
    floor: np.ndarray
    extra: np.ndarray
    inverse: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    along: np.ndarray
    unseen: tuple[str, ...]

    @property
    def freedom(self) -> int:
        """The degrees of freedom of every t."""
        return len(self.deviations) - 1

    @property
    def t(self) -> np.ndarray:
        """(m,) Student's t of every mean."""
        return student_t(self.deviations, self.extra, self.floor)

    @property
    def shift(self) -> np.ndarray:
        """(P,) the implied shift of each number."""
        return np.asarray(self.along.mean(axis=0))

    @property
    def shift_error(self) -> np.ndarray:
        """(P,) its standard error over the runs."""
        return np.asarray(self.along.std(axis=0, ddof=1) / np.sqrt(len(self.along)))


def student_t(deviations: np.ndarray, extra: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return t (m,) of the mean of `deviations` (runs, m).

    extra (m,): a further standard error, of the reference. floor (m,): a variance per run that is known to be there
    (counting test samples), used where the runs happen to spread less.
    """
    runs = deviations.shape[0]
    variance = np.maximum(deviations.var(axis=0, ddof=1), floor) / runs + extra**2
    t: np.ndarray = deviations.mean(axis=0) / np.sqrt(variance)
    return t


def measured_means(theory: Trajectory, evidence: Evidence) -> MeasuredMeans:
    """Return the means of the runs' deviations, whose covariance is estimated from the runs."""
    moving = evidence.moving
    X = (evidence.samples - evidence.theory)[:, moving]
    size = np.sqrt(np.maximum(np.mean(X**2, axis=0), np.maximum(evidence.floor[moving], 1e-300)))
    names, values, d, unseen = _responses(theory, evidence, moving)
    inverse, along = _shrunk(X / size, d / size[:, None])
    return MeasuredMeans(
        deviations=X,
        floor=evidence.floor[moving],
        extra=evidence.sampling[moving],
        inverse=inverse,
        names=names,
        values=values,
        along=along,
        unseen=unseen,
    )


def questions_about_measured(means: MeasuredMeans, seed: int) -> dict[str, Asked]:
    """Return the questions that so many runs answer, with their law under flips of the signs of whole runs."""
    (R, m), P, t = means.deviations.shape, len(means.names), means.t
    if not m:
        return {}
    largest, freedom = float(np.max(np.abs(t))), means.freedom
    bound = m * 2 * float(stats.t.sf(largest, freedom))
    text = f"largest |z| of {m} deviations (Student's t of {freedom})"
    if R < FEWEST_RUNS_TO_FLIP:
        # Bonferroni's bound as a law to draw from: the largest of m independent |t|.
        drawn = stats.t.isf(1 - (1 - np.random.default_rng(seed).uniform(size=DRAWS)) ** (1 / m), freedom)
        return {"largest": Asked(largest, drawn, bound, m, text)}
    drawn = [_flipped(means, signs) for signs in _signs(R, np.random.default_rng(seed))]
    largest_drawn, everything, numbers = (np.concatenate(parts)[:DRAWS] for parts in zip(*drawn, strict=True))
    _, observed, shift = (float(one[0]) for one in _flipped(means, np.ones((1, R))))
    asked = {
        "largest": Asked(largest, largest_drawn, 1.0, m, text),
        "all": Asked(observed, everything, 1.0, m, f"Hotelling's T^2 of all {m} deviations, shrunk"),
        "numbers": Asked(shift, numbers, 1.0, P, f"largest |z| of the implied shifts of {P} numbers"),
    }
    return asked if P else {name: asked[name] for name in ("largest", "all")}


def _signs(runs: int, rng: np.random.Generator) -> "list[np.ndarray]":
    return [rng.choice([-1.0, 1.0], size=((DRAWS + PARTS - 1) // PARTS, runs)) for _ in range(PARTS)]


def _flipped(means: MeasuredMeans, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three statistics (flips,) under each assignment of signs (flips, R) to runs."""
    return (
        _largest_t(means.deviations, means.floor, signs),
        np.einsum("fr,rs,fs->f", signs, means.inverse, signs, optimize=True),
        _largest_t(means.along, np.zeros(len(means.names)), signs),
    )


def _largest_t(x: np.ndarray, floor: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the largest |t| (flips,) over the columns of x (R, m)."""
    runs, square = len(x), np.mean(x**2, axis=0)  # unchanged by flips
    mean = signs @ x / runs
    variance = np.maximum((square - mean**2) * runs / (runs - 1), floor)
    variance = np.maximum(variance, 1e-300)  # a column that is the same in all runs
    largest: np.ndarray = np.max(np.abs(mean) / np.sqrt(variance / runs), axis=1, initial=0.0)
    return largest


def _shrunk(X: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return X C^-1 X^T / R (R, R), and every run's estimate (R, P) of each shift, for X (R, m) and d (m, P).

    The estimate of run r is (d . C_r^-1 x_r) / (d . C_r^-1 d), where C_r leaves out run r itself. With the run in it,
    the weights would fit its own noise, and the error over the runs would be stated several times too small.
    Nothing of size m x m is made: with M = (1-a) X^T X / (R-1) + a 1 and c = (1-a) / (R-1) it is C_r = M - c x_r x_r^T.
    """
    R = len(X)
    gram = X @ X.T
    a = _share(X, gram / R)
    inverse = (gram / R) @ np.linalg.inv(a * np.eye(R) + (1 - a) * gram / R)
    c = (1 - a) / (R - 1)
    # Woodbury: M^-1 = (1 - c X^T (a + c X X^T)^-1 X) / a.
    inner = np.linalg.inv(a * np.eye(R) + c * gram)
    own = np.diagonal(gram @ inner)[:, None]  # x_r . M^-1 x_r
    u = inner @ (X @ d)  # x_r . M^-1 d
    gain = (np.sum(d * d, axis=0) - c * np.sum((X @ d) * u, axis=0)) / a  # d . M^-1 d
    left = 1 - c * own
    along = (u / left) / (gain + c * u**2 / left)
    return inverse, along


def _share(X: np.ndarray, gram: np.ndarray) -> float:
    """Return Ledoit and Wolf's share of the target 1: the error of the second moments over their distance from 1."""
    R, m = X.shape
    square = float(np.sum(gram**2))  # of all entries of X^T X / R
    error = (float(np.sum(np.diagonal(gram * R) ** 2)) / R - square) / R
    distance = square - m  # the diagonal of the second moments is 1
    return float(np.clip(error / distance, 0.02, 1.0)) if distance > 0 else 1.0


def _responses(
    theory: Trajectory, evidence: Evidence, moving: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return names, values and derivatives (m, P) of the numbers that move something, and the names of the others."""
    fluctuations = theory.fluctuations
    if fluctuations is None or fluctuations.law is None:
        return (), np.zeros(0), np.zeros((int(moving.sum()), 0)), ()
    fluctuations = fluctuations.at(np.arange(evidence.alphas.size))
    law, responses = fluctuations.law, fluctuations.responses
    assert law is not None
    assert responses is not None
    d = responses.quantities(law).swapaxes(0, 1).reshape(-1, len(responses.names))[moving]
    scale = evidence.samples.std(axis=0, ddof=1)[moving]
    relative = d * np.where(responses.values == 0, 1.0, np.abs(responses.values))
    size = np.sqrt(np.sum((relative / np.maximum(scale, 1e-150)[:, None]) ** 2, axis=0))
    seen = size > UNSEEN * np.max(size, initial=0.0)
    names = np.array(responses.names)
    return tuple(map(str, names[seen])), np.asarray(responses.values)[seen], d[:, seen], tuple(map(str, names[~seen]))
