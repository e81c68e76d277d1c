"""Family-wise test of many correlated means: are all of them zero?

The deviations of a quantity over the runs give a Student t. Those of one trajectory are strongly
correlated (the same runs at neighbouring alphas), so the distribution of the largest |t| under the null is taken
from the data by flipping the signs of whole runs (Westfall & Young 1993: the max-t method): exact if deviations
are symmetric about zero, and never more conservative than needed. With too few runs for enough sign patterns,
the Bonferroni bound on Student's t is used instead.
"""

import dataclasses

import numpy as np
from scipy import stats

FLIPS = 9999
FEWEST_RUNS_TO_FLIP = 12  # 2^11 distinct patterns: below that a significance of 1 % is out of reach or coarse


@dataclasses.dataclass(frozen=True)
class FamilyTest:
    """The verdict on a family of means.

    p: family-wise p-value of the largest |t|. threshold: |t| beyond which the family is rejected. method: in words.
    """

    p: float
    threshold: float
    method: str


def student_t(deviations: np.ndarray, extra: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return t (m,) of the mean of `deviations` (runs, m).

    extra (m,): a further standard error, of the reference. floor (m,): a variance per run that is known to be there
    (counting test samples), used where the runs happen to spread less.
    """
    runs = deviations.shape[0]
    variance = np.maximum(deviations.var(axis=0, ddof=1), floor) / runs + extra**2
    t: np.ndarray = deviations.mean(axis=0) / np.sqrt(variance)
    return t


def family_test(
    deviations: np.ndarray, t: np.ndarray, floor: np.ndarray, significance: float, rng: np.random.Generator
) -> FamilyTest:
    """Test at a family-wise significance whether the means behind `t` (m,) are all 0, given `deviations` (runs, m)."""
    if not t.size:
        return FamilyTest(1.0, 0.0, "nothing fluctuates")
    runs, means = deviations.shape
    largest = float(np.max(np.abs(t)))
    if runs < FEWEST_RUNS_TO_FLIP:
        p = min(1.0, means * 2 * float(stats.t.sf(largest, runs - 1)))
        threshold = float(stats.t.isf(significance / (2 * means), runs - 1))
        return FamilyTest(p, threshold, f"Bonferroni bound on Student's t, {runs - 1} degrees of freedom")
    flipped = _largest_t_of_flips(deviations, floor, rng)
    # The data themselves are one of the sign patterns: they count, so p is never 0. A flip that gives the same value,
    # such as that of all signs, may come out smaller by rounding, and must count too.
    p = (1 + int(np.sum(flipped >= largest * (1 - 1e-12)))) / (1 + flipped.size)
    threshold = float(np.sort(flipped)[::-1][max(int(significance * (flipped.size + 1)) - 1, 0)])
    return FamilyTest(p, threshold, f"max-t over {flipped.size} sign flips of whole runs")


def _largest_t_of_flips(deviations: np.ndarray, floor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the largest |t| of the family for each random assignment of signs to runs."""
    runs = deviations.shape[0]
    square = np.mean(deviations**2, axis=0)  # unchanged by flips
    largest = []
    for _ in range(9):  # not all at once: flips x means are many numbers
        signs = rng.choice([-1.0, 1.0], size=((FLIPS + 8) // 9, runs))
        mean = signs @ deviations / runs
        variance = np.maximum((square - mean**2) * runs / (runs - 1), floor)
        largest.append(np.max(np.abs(mean) / np.sqrt(variance / runs), axis=1))
    return np.concatenate(largest)[:FLIPS]
