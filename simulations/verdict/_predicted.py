"""Agreement with predicted spread: z-scores in standard deviations that theory states, and a test of those.

With the variance of single runs known, the mean of R runs is compared as a normal variable, also where R is too small
to estimate a variance; and the measured variance is compared with the predicted one,
  (R - 1) s^2 / sigma^2 ~ chi^2 of R - 1 degrees of freedom,
for overlaps and readouts; errors and accuracies are left out there, since what they spread by is mostly their test
samples, which are not Gaussian.
Both families of comparisons are judged by the Bonferroni bound, which holds for any correlations between them.
"""

import dataclasses

import numpy as np
from scipy import special, stats

from teacher_student.internal import PublicRecord

from ._evidence import Evidence
from ._max_t import FamilyTest


@dataclasses.dataclass(frozen=True)
class SpreadTest(PublicRecord):
    """The measured variance over runs against the predicted one, of every overlap and readout that fluctuates.

    p: family-wise p-value. number_of_deviations: how many variances were compared. The others are of the worst one:
    name, alpha (samples / N), ratio (measured / predicted variance) and its family-wise interval [low, high], which
    covers 1 where the two agree.
    """

    p: float
    name: str
    alpha: float
    ratio: float
    low: float
    high: float
    number_of_deviations: int


def mean_test(evidence: Evidence, moving: np.ndarray, significance: float) -> tuple[np.ndarray, FamilyTest]:
    """Return z (m,) of the moving columns, in predicted standard errors, and the verdict over all of them."""
    assert evidence.spread is not None
    runs = len(evidence.samples)
    error = np.sqrt(evidence.spread**2 / runs + evidence.sampling**2)[moving]
    z = (evidence.samples.mean(axis=0) - evidence.theory)[moving] / error
    if not z.size:
        return z, FamilyTest(1.0, 0.0, "nothing fluctuates")
    p = min(1.0, z.size * 2 * float(stats.norm.sf(np.max(np.abs(z)))))
    threshold = float(stats.norm.isf(significance / (2 * z.size)))
    return z, FamilyTest(p, threshold, "Bonferroni bound on normal deviations of predicted spread")


def spread_test(evidence: Evidence, moving: np.ndarray, significance: float) -> SpreadTest | None:
    """Test whether the runs spread as predicted; None if nothing fluctuates.

    The predicted variance has an error of its own, which widens every deviation and interval of log(s^2 / sigma^2).
    """
    assert evidence.spread is not None
    assert evidence.spread_error is not None
    of_states = np.repeat(np.isin(evidence.kinds, ("Q", "R", "readout")), evidence.alphas.size)
    columns = np.flatnonzero(moving & of_states)
    if not columns.size:
        return None
    freedom = len(evidence.samples) - 1
    ratio = evidence.big[:, columns].var(axis=0, ddof=1) / evidence.spread[columns] ** 2
    widened = np.sqrt(1 + evidence.spread_error[columns] ** 2 * freedom / 2)  # variance of log s^2: 2 / freedom
    # By logarithms of both tails: far out a tail is 0 as a number, and the worst deviation could not be told.
    upper = stats.chi2.logsf(ratio * freedom, freedom)
    lower = stats.chi2.logcdf(ratio * freedom, freedom)
    z = np.maximum(-special.ndtri_exp(upper), special.ndtri_exp(lower) * -1) / widened
    worst = int(np.argmax(z))
    tail = significance / (2 * columns.size)
    limits = [freedom / stats.chi2.isf(tail, freedom), freedom / stats.chi2.ppf(tail, freedom)]
    low, high = (ratio[worst] * limit ** widened[worst] for limit in limits)
    which, when = divmod(int(columns[worst]), evidence.alphas.size)
    p = min(1.0, columns.size * 2 * float(stats.norm.sf(z[worst])))
    return SpreadTest(
        p,
        evidence.names[which],
        float(evidence.alphas[when]),
        float(ratio[worst]),
        float(low),
        float(high),
        int(columns.size),
    )
