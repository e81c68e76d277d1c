"""`simulations.preference`: which of two theories do the runs prefer? A likelihood ratio, calibrated under both."""

import dataclasses

import numpy as np
from scipy import stats

from teacher_student import InputError, Trajectory
from teacher_student.internal import PublicRecord, Usual, is_number

from ._comparable import check_predicted, check_trajectories, usable_alphas, without_accuracy
from ._evidence import gather_predicted
from ._independence import check_independent
from ._predicted_means import whitening_of
from ._where_it_holds import earlier, first_breakdown


@dataclasses.dataclass(frozen=True)
class Preference(PublicRecord):
    """Which of two theories the runs prefer.

    Fields:
      preferred: "first", "second", "neither" (both are rejected) or "undecided" (none is).
      p_first, p_second: how likely it is that runs lie as far off along the line between the two, if the first, or the
        second, is right.
      separation: how many standard errors of the runs' means lie between the two.
      chance: with which runs like these tell the two apart.
      significance: chance of rejecting a theory that is right.
      log_ratio: log of the likelihood of the second over that of the first, along the line between the two.
    """

    preferred: str
    p_first: float
    p_second: float
    separation: float
    chance: float
    significance: float
    log_ratio: float

    def _words(self) -> str:
        return f"Preference({self.verdict})"

    @property
    def verdict(self) -> str:
        """The answer in one line."""
        words = {
            "first": "the runs prefer the FIRST theory",
            "second": "the runs prefer the SECOND theory",
            "neither": "the runs reject BOTH theories",
            "undecided": "the runs do not tell the theories apart",
        }[self.preferred]
        return (
            f"{words}: p = {self.p_first:.3g} if the first is right and {self.p_second:.3g} if the second is, "
            f"significance {self.significance:g}; they lie {self.separation:.2g} standard errors apart, "
            f"which is seen with a chance of {self.chance:.0%}"
        )


def preference(
    first: Trajectory, second: Trajectory, runs: Trajectory, *, significance: float = Usual.significance
) -> Preference:
    r"""Say which of two theories the runs prefer, by the likelihood ratio under the joint law of the fluctuations.

    With xi the whitened deviations of the means from a theory, and Delta those of the other theory from it,
      t = Delta . xi / |Delta|
    is standard normal if the theory is right, and has the mean |Delta| if the other one is. A theory is rejected where
    |t| is beyond its quantile: towards the other theory, or away from it, where both are wrong. Along this line no test
    is sharper (Neyman & Pearson 1933), and it is far sharper than two verdicts that each look everywhere. That a theory
    is preferred does not say that it is right in other directions: `agreement` asks that.

    Arguments:
      first, second: trajectories of `ode.fluctuations` at the runs' alphas, of problems that may differ in numbers, in
        their equations or in their starts.
      runs: the simulation, from theory's start, or with a start each where both theories have a start_covariance.
      significance: chance of rejecting a theory that is right, for each of the two.
    Returns a Preference.
    Raises InputError for theories without fluctuations, or with other quantities than the runs, and where the expansion
    in 1/N of one of them does not hold at the runs' alphas and N (`Trajectory.breakdown`).
    """
    if not is_number(significance) or not 0 < significance < 1:
        raise InputError("a significance between 0 and 1", repr(significance))
    for theory in (first, second):
        check_trajectories(theory, runs, None)
        if theory.runs is not None or runs.runs is None:
            raise InputError("two theories, and then runs", "them in another order", "preference(first, second, runs)")
        check_predicted(theory, runs, None)
    check_independent(runs, None)
    first, second = (theory.at(runs.alphas) for theory in (first, second))
    end = earlier(first_breakdown(first, runs), first_breakdown(second, runs))
    if end is not None:
        remedy = "compare at the alphas before, with runs.at(alphas)"
        raise InputError("theories whose expansion in 1/N holds at the runs' alphas", end.text, remedy)
    if not (first.accuracy and second.accuracy):
        first, second, runs = (without_accuracy(x) for x in (first, second, runs))
    usable = usable_alphas(first, runs, None)[0] & usable_alphas(second, runs, None)[0]
    t, separations = zip(*(_towards(*pair, runs, usable) for pair in ((first, second), (second, first))), strict=True)
    separation = float(np.mean(separations))
    if separation < 1e-9:  # rounding
        raise InputError("two theories that differ at the runs' alphas", "two that say the same")
    p = [float(2 * stats.norm.sf(abs(value))) for value in t]
    rejected = [value <= significance for value in p]
    answer = {(False, False): "undecided", (True, False): "second", (False, True): "first", (True, True): "neither"}
    chance = float(stats.norm.sf(stats.norm.isf(significance / 2) - separation))
    ratio = separation * (t[0] - separation / 2)
    return Preference(answer[rejected[0], rejected[1]], p[0], p[1], separation, chance, significance, float(ratio))


def _towards(theory: Trajectory, other: Trajectory, runs: Trajectory, usable: np.ndarray) -> tuple[float, float]:
    """Return t of the means from `theory` towards the `other`, and the distance of the two, by the law of `theory`."""
    evidence, its = (gather_predicted(one, runs, usable) for one in (theory, other))
    if evidence.names != its.names:
        raise InputError("theories with the quantities of the runs", "blocks, levels or widths that differ")
    whitening = whitening_of(theory, runs, int(usable.sum()))

    def whitened(columns: np.ndarray) -> np.ndarray:
        return whitening.whitened(columns.reshape(len(evidence.names), -1).T)

    xi = whitened(evidence.samples.mean(axis=0) - evidence.theory)
    # Both predict a mean of their own at this N, the 1/N term included.
    Delta = whitened(its.theory + its.term[0] - evidence.theory - evidence.term[0])
    distance = float(np.linalg.norm(Delta))
    return (float(Delta @ xi / distance) if distance else 0.0), distance
