"""`simulations.difference_agreement`: is the difference between two curricula, or two rates, what theory says it is?"""

import dataclasses
from typing import Any

import numpy as np
from scipy import optimize, stats

from teacher_student import InputError, Trajectory, quantities
from teacher_student.internal import Usual

from ._agreement import Agreement, agreement_of, answers_by_measured_spread
from ._comparable import check_comparable, check_trajectories, usable_alphas, without_accuracy
from ._evidence import Evidence, columns_of, dim_of, gather
from ._independence import check_independent
from ._measured_means import responses_of
from ._shifts import CHANCE
from ._where_it_holds import before, earlier, first_breakdown

FEWEST_RUNS = 3
PARTS = 2000  # of the law of a measured standard deviation: its quantiles


def difference_agreement(
    theories: Any, runs: Any, *, significance: float = Usual.significance, seed: int = 0
) -> Agreement:
    """Compare the difference of two theories with that of their simulations, run by run.

    With runs that see the same samples (`simulations.run_many`) most of their noise falls out of the difference, so
    that a far smaller effect of a curriculum or a rate is seen than in either of them. The questions are those of
    `agreement` with measured spread, that of the differences: how two simulations on the same samples vary together is
    not predicted. Of theories with fluctuations the 1/N terms are taken out.

    Arguments:
      theories: two trajectories of `ode.solve` or `ode.fluctuations`, at the runs' alphas.
      runs: the two simulations of these problems, with equal alphas, dimensions and numbers of runs; run r of the one
        is paired with run r of the other.
      significance: chance of "disagree" where both theories are right. seed: of the sign flips.
    Returns an Agreement, whose values are those of the first minus those of the second. Each `Deviation.detectable` is
    by how much theory's difference may be off so that it is seen 9 times in 10; the verdict says it of the last errors.
    Raises InputError for trajectories that cannot be compared or paired.
    """
    pairs = _checked_pairs(theories, runs, significance)
    usable, notes, split = np.ones(np.size(pairs[0][1].alphas), bool), [], False
    for theory, simulated in pairs:
        mask, more, apart = usable_alphas(theory, simulated, None)
        usable, split = usable & mask, split or apart
        notes += more
    if pairs[0][1].source.seed != pairs[1][1].source.seed:
        notes.append("the runs do not see the same samples (simulations.run_many gives such): their noise adds up")
    end = earlier(*(first_breakdown(theory, simulated) for theory, simulated in pairs))
    usable &= before(end, pairs[0][0])
    if not np.any(usable & (np.asarray(pairs[0][0].alphas) > 0)):
        raise InputError("theories whose expansion in 1/N holds at a recorded alpha > 0", end.text if end else "none")
    evidences = [_evidence(theory, simulated, usable) for theory, simulated in pairs]
    evidence = _difference(*evidences, tests=pairs[0][1].source.test_samples or 1)
    # A difference has no responses of its own: only its first theory's names and ties are looked at.
    alone = dataclasses.replace(pairs[0][0], fluctuations=None)
    answers = answers_by_measured_spread(evidence, responses_of(alone, evidence), significance, seed)
    verdict = agreement_of(answers, alone, [pairs[0][1]], significance, notes, split=split, end=end)
    found = _detectable(evidence, answers.threshold_z)
    deviations = (
        dataclasses.replace(one, detectable=float(x)) for one, x in zip(verdict.deviations, found, strict=True)
    )
    return dataclasses.replace(verdict, deviations=tuple(deviations))


def _detectable(evidence: Evidence, threshold_z: float) -> np.ndarray:
    """Return by how much each deviation (m,) may be off so that its |t| is found with the chance CHANCE."""
    moving, count = evidence.moving, len(evidence.samples)
    variance = np.maximum(evidence.samples.var(axis=0, ddof=1), evidence.floor)[moving]
    standard_error = np.sqrt(variance / count + evidence.sampling[moving] ** 2)
    if not standard_error.size:
        return np.zeros(0)
    # The runs' own spread is uncertain too: t is (off + a normal number) / s, where s^2 is chi^2 over its freedom.
    threshold = float(stats.t.isf(stats.norm.sf(threshold_z), count - 1))
    s = np.sqrt(stats.chi2.isf((np.arange(PARTS) + 0.5) / PARTS, count - 1) / (count - 1))

    def missed(off: float) -> float:
        return float(np.mean(stats.norm.sf(off - threshold * s)) - (1 - CHANCE))

    reach = optimize.brentq(missed, 0.0, threshold * s[0] + 10) if missed(0.0) > 0 else 0.0
    return np.asarray(reach * standard_error)


def _checked_pairs(theories: Any, runs: Any, significance: float) -> list[tuple[Trajectory, Trajectory]]:
    for two, what in ((theories, "theories"), (runs, "simulations")):
        if not isinstance(two, (tuple, list)) or len(two) != 2:
            raise InputError(f"two {what}", f"{len(two)}" if isinstance(two, (tuple, list)) else type(two).__name__)
    for theory, simulated in zip(theories, runs, strict=True):
        check_trajectories(theory, simulated, None)
        check_comparable(theory, simulated, None, significance, FEWEST_RUNS)
        check_independent(simulated, None)
    first, second = runs
    for what, a, b in (
        ("alphas", np.asarray(first.alphas).tolist(), np.asarray(second.alphas).tolist()),
        ("dimensions N", first.source.dim, second.source.dim),
        ("numbers of runs", first.runs, second.runs),
    ):
        if a != b:
            raise InputError(f"equal {what} of the two simulations", f"{a} and {b}", "take simulations.run_many")
    theories = [theory.at(simulated.alphas) for theory, simulated in zip(theories, runs, strict=True)]
    if not all(theory.accuracy for theory in theories):
        theories, runs = ([without_accuracy(x) for x in two] for two in (theories, runs))
    names = [[q.name for q in quantities(theory.observables, theory.problem)] for theory in theories]
    if names[0] != names[1]:
        raise InputError("two problems with the same quantities", "blocks, levels or widths that differ")
    return list(zip(theories, runs, strict=True))


def _evidence(theory: Trajectory, runs: Trajectory, usable: np.ndarray) -> Evidence:
    """Return the evidence of one of the two, with the 1/N term that theory predicts, if it does."""
    evidence = gather(theory, runs, None, usable)
    if theory.fluctuations is None:
        return evidence
    shift = columns_of(theory.fluctuations.mean_shift(dim_of(runs)), theory, usable)
    term = np.broadcast_to(shift, evidence.big.shape)
    return dataclasses.replace(evidence, term=term, samples=evidence.big - term)


def _difference(first: Evidence, second: Evidence, *, tests: int) -> Evidence:
    """Return the evidence on the difference, run by run; errors add up as if they were independent."""
    expected = np.abs(first.theory - second.theory)
    counted = np.repeat(np.array(first.kinds) == "accuracy", first.alphas.size)
    return dataclasses.replace(
        first,
        theory=first.theory - second.theory,
        sampling=np.hypot(first.sampling, second.sampling),
        scatter=np.concatenate([first.scatter, second.scatter]),
        big=first.big - second.big,
        term=first.term - second.term,
        samples=first.samples - second.samples,
        rounding=first.rounding + second.rounding,
        integrated=first.integrated + second.integrated,
        # Differences of accuracies are multiples of 1 / tests, and few runs may have the same one by chance. A share of
        # samples of at least the expected difference is right in one of the two only, and one sample may always be.
        floor=np.where(counted, expected * (1 - expected) / tests + 1 / tests**2, 0.0),
    )
