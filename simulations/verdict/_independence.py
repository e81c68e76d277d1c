"""What is not independent is noticed: runs that are the same, keys used twice, one run altered, equal quantities.

Every statistic of a verdict takes runs to be independent draws of one law. Data from elsewhere, or put together by
hand, may not be.
"""

import itertools

import numpy as np
from scipy import special, stats

from teacher_student import InputError, Trajectory

from ._evidence import Evidence

RARE = 1e-6  # chance that any run of a right ensemble is said to lie apart, of normal deviations
RARE_BY_LAW = 1e-9  # likewise, of a sum over many directions, whose tail is longer where N is small
FEWEST_RUNS = 4  # to tell one from the others
STATES = ("Q", "R", "readout")  # what has no noise of test samples, whose tails are long


def check_independent(runs: Trajectory, smaller: Trajectory | None) -> None:
    """Raise InputError for runs that are the same to the bit, and for two dimensions simulated with one key."""
    for trajectory, role in ((runs, "runs"), (smaller, "smaller")):
        if trajectory is not None:
            _check_each_once(trajectory, role)
    if smaller is not None and runs.source.seed is not None and runs.source.seed == smaller.source.seed:
        remedy = "give simulations.run another key at each dimension"
        raise InputError("keys that differ at the two dimensions", f"key {runs.source.seed} at both", remedy)


def _check_each_once(trajectory: Trajectory, role: str) -> None:
    overlaps = trajectory.overlaps
    rows = np.concatenate(
        [np.asarray(x).reshape(len(x), -1) for x in (overlaps.Q, overlaps.R, overlaps.readout)], axis=1
    )
    # Runs of which nothing moves beyond rounding are alike, as where the learning rate is 0; diverged ones are NaN.
    finite = np.isfinite(rows).all(axis=1)
    size = np.max(np.abs(rows[finite]), initial=1.0)
    if not finite.any() or np.max(np.ptp(rows[finite], axis=0), initial=0.0) < 1e-5 * size:
        return
    seen: dict[bytes, int] = {}
    for number in map(int, np.flatnonzero(finite)):
        first = seen.setdefault(rows[number].tobytes(), number)
        if first != number:
            got = f"runs {first} and {number} that are the same to the bit"
            raise InputError(f"independent {role}", got, "simulate each with a key of its own")


def notes_on_runs(evidence: Evidence) -> list[str]:
    """Say which run lies apart from all others, and which quantities are equal to the bit in every run."""
    return [*_runs_apart(evidence), *_equal_columns(evidence)]


def _runs_apart(evidence: Evidence) -> list[str]:
    """Name the run that lies furthest from the others, if one as far is next to impossible.

    Values, and their changes from one alpha to the next, are compared with mean and spread of the other runs:
    (x_r - mean) / (s sqrt(1 + 1/(R-1))), all over the others, is a Student t of R - 2 degrees of freedom.
    """
    R, count = len(evidence.big), evidence.alphas.size
    if R < FEWEST_RUNS:
        return []
    x = evidence.big.reshape(R, -1, count)[:, np.isin(evidence.kinds, STATES)]
    names = [name for name, kind in zip(evidence.names, evidence.kinds, strict=True) if kind in STATES]
    values = np.concatenate([x, np.diff(x, axis=-1)], axis=-1)
    mean = (values.sum(axis=0) - values) / (R - 1)
    square = (np.square(values - values.mean(axis=0)).sum(axis=0) - np.square(values - mean) * (R - 1) / R) / (R - 2)
    scale = np.sqrt(np.maximum(square, 0.0) * (1 + 1 / (R - 1)))
    # What spreads by rounding alone has no outliers.
    floor = np.max(evidence.rounding)
    t = np.where(scale > floor, np.abs(values - mean) / np.where(scale > floor, scale, 1.0), 0.0)
    run, which, when = np.unravel_index(int(np.argmax(t)), t.shape)
    tail = np.log(2 * t.size) + stats.t.logsf(t[run, which, when], R - 2)
    if tail > np.log(RARE):
        return []
    z = -special.ndtri_exp(tail - np.log(2 * t.size))
    alpha = evidence.alphas[when if when < count else when - count + 1]
    what = "value" if when < count else "change"
    return [f"run {run} lies apart from all others: {what} of {names[which]} at alpha {alpha:g}, z = {z:.1f}"]


def note_on_improbable_run(alone: np.ndarray) -> list[str]:
    """Name the run that is the least probable under the joint law, if one as improbable is next to impossible.

    Arguments: alone: (w, R) whitened deviations of single runs from their mean, in units of what all of them spread by.
    """
    w, R = alone.shape
    if R < FEWEST_RUNS or not w:
        return []
    # The other runs' spread is the yardstick, which an altered run would widen for itself.
    # Each run is part of the mean that it is compared with: R / (R - 1).
    squares = np.sum(alone**2, axis=0) * R / (R - 1)
    others = (squares.sum() - squares) / (w * (R - 1))
    run = int(np.argmax(squares / others))
    size = float(squares[run] / others[run])
    if np.log(R) + stats.f.logsf(size / w, w, w * (R - 2)) > np.log(RARE_BY_LAW):
        return []
    return [f"run {run} lies apart from all others: chi^2 {size:.0f} in {w} directions under the joint law"]


def _equal_columns(evidence: Evidence) -> list[str]:
    """Name pairs of fluctuating quantities that are equal in every run at every alpha."""
    x = evidence.big.reshape(len(evidence.big), -1, evidence.alphas.size)
    moving = np.any(evidence.moving.reshape(-1, evidence.alphas.size), axis=1)
    # By their bytes: wide students have thousands of quantities, and too many pairs to compare one by one.
    alike: dict[bytes, list[int]] = {}
    for i in np.flatnonzero(moving):
        alike.setdefault(x[:, i].tobytes(), []).append(int(i))
    equal = sorted(pair for same in alike.values() for pair in itertools.combinations(same, 2))
    return [f"{evidence.names[a]} and {evidence.names[b]} are equal to the bit in all runs" for a, b in equal]
