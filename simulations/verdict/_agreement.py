"""`simulations.agreement`: do theory and simulation agree? A statistic, a significance and a verdict."""

import dataclasses
import json
from typing import Any

import numpy as np
from scipy import special, stats

from teacher_student import Trajectory
from teacher_student.internal import PublicRecord, Usual, describe_ties, require_name

from ._comparable import check_comparable, check_predicted, check_trajectories, usable_alphas
from ._evidence import Deviation, Evidence, dim_of, gather, gather_predicted
from ._max_t import FamilyTest, family_test, student_t
from ._predicted import SpreadTest, mean_test, spread_test

FEWEST_RUNS = {"measured": 3, "predicted": 2}


@dataclasses.dataclass(frozen=True, repr=False)
class Agreement(PublicRecord):
    """The verdict on a theory trajectory and runs of the same problem.

    Fields:
      agrees: whether p is above the significance and nothing is against.
      significance: chance of "disagree" where theory is right, over all comparisons. p: family-wise p-value.
      worst_z, threshold_z: largest |z| and the one beyond which theory is rejected, as equally likely normal values.
      deviations: of every quantity at every alpha at which it fluctuates.
      fixed: quantities that do not fluctuate at some alphas, with their largest deviation there.
      dims, runs: dimension N and number of runs, of the simulation and of the smaller one.
      compared_to: the last alpha at which neither theory nor a run had diverged. recorded_to: the last recorded one.
      method: the family-wise test, in words. notes: what a reader should know beside.
      spread: the test of the predicted spread, if it was used.
      against: what disagrees whatever p is: quantities that do not fluctuate and are off, or runs that diverge alone.
      tie_probability: per level, how often the noiseless label is 0, in theory and simulation alike.
    """

    agrees: bool
    significance: float
    p: float
    worst_z: float
    threshold_z: float
    deviations: tuple[Deviation, ...]
    fixed: dict[str, float]
    dims: tuple[int, ...]
    runs: tuple[int, ...]
    compared_to: float
    recorded_to: float
    method: str
    notes: tuple[str, ...]
    spread: SpreadTest | None = None
    against: tuple[str, ...] = ()
    tie_probability: dict[str, float] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Agreement({self.verdict})"

    @property
    def worst(self) -> Deviation:
        """The deviation with the largest |z|, of all quantities and alphas. There is none where nothing fluctuates."""
        return max(self.deviations, key=lambda one: abs(one.z))

    @property
    def verdict(self) -> str:
        """The verdict in one line of text, with its statistic."""
        word = "AGREE" if self.agrees else "DISAGREE"
        if self.compared_to < self.recorded_to:
            word += f" up to alpha {self.compared_to:g} of {self.recorded_to:g}, where the first diverged"
        if self.against:
            word += f" ({'; '.join(self.against)})"
        if not self.deviations:
            return f"{word}: no quantity fluctuates; largest deviation {max(self.fixed.values()):.1e}"
        text = (
            f"{word}: largest |z| {self.worst_z:.2f} of {len(self.deviations)} comparisons "
            f"({self.worst.name} at alpha {self.worst.alpha:g}), threshold {self.threshold_z:.2f}; "
        )
        if self.spread is not None:
            s = self.spread
            text += (
                f"largest deviation of a variance {s.ratio:.3g} [{s.low:.3g}, {s.high:.3g}] times the predicted "
                f"({s.name} at alpha {s.alpha:g}); "
            )
        return text + f"family-wise p = {self.p:.3g}, significance {self.significance:g}"

    @property
    def table(self) -> str:
        """The verdict as a table in text: one row per quantity, with its worst deviation."""
        head = f"{'quantity':<24}{'alpha':>8}{'theory':>12}{'simulation':>24}{'1/N term':>24}{'worst z':>9}"
        rows = [head, "-" * len(head)]
        for name in dict.fromkeys(one.name for one in self.deviations):
            worst = max((one for one in self.deviations if one.name == name), key=lambda one: abs(one.z))
            simulated = f"{worst.simulation:.5f} +- {worst.standard_error:.5f}"
            term, its_error = worst.allowance, worst.allowance_error
            allowance = f"{term:+.5f} +- {its_error:.5f}" if len(self.dims) > 1 else "not measured"
            if self.spread is not None:
                allowance = f"{term:+.2e} +- {its_error:.0e}"
            rows.append(
                f"{name:<24}{worst.alpha:>8.4g}{worst.theory:>12.5f}{simulated:>24}{allowance:>24}{worst.z:>9.2f}"
            )
        if self.fixed:
            largest = max(self.fixed.values())
            rows.append(f"do not fluctuate (at some alpha): {', '.join(self.fixed)}; largest deviation {largest:.1e}")
        excess = "simulation - 1/N term" if len(self.dims) > 1 or self.spread is not None else "simulation"
        error = "predicted standard error" if self.spread is not None else "standard error over the runs"
        formula = f"({excess} - theory) / its {error}"
        rows.append(f"z = {formula}, each quantity at its worst alpha")
        rows += [f"note: {note}" for note in self.notes]
        return "\n".join(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in it as numbers, strings, lists and dicts, by the names of the fields.

        `verdict` and `number_of_deviations` are added. It is what report.json holds.
        """
        return dataclasses.asdict(self) | {"verdict": self.verdict, "number_of_deviations": len(self.deviations)}

    def to_json(self) -> str:
        """Return `to_dict` as JSON; it has no NaN, which JSON does not know."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def agreement(
    theory: Trajectory,
    runs: Trajectory,
    smaller: Trajectory | None = None,
    *,
    spread: str = "measured",
    significance: float = Usual.significance,
    seed: int = 0,
) -> Agreement:
    r"""Compare theory with runs, at one family-wise significance over all comparisons.

    With `smaller` (runs of the same problem and start at a dimension N' < N) the 1/N term of every quantity is
    measured and taken out: a pair of runs, one at each N, gives the sample
      x = (N x_N - N' x_N') / (N - N')        (mean: the limit N -> infinity, up to O(1/N^2))
    whose mean over pairs is compared with theory in units of its standard error, as a Student t. Without
    `smaller` the runs themselves are the samples, and any 1/N term counts as a deviation.

    With spread="predicted" the standard deviation of a run and the 1/N term are those that `ode.fluctuations` states,
    so that four runs are enough. Half of the significance then goes to a test of that spread itself
    (`Agreement.spread`). Predictions are of leading order in 1/N: thousands of runs at small N see the next order.
    Means are taken as normal, which errors of polynomial students on few test samples are not: raise the test samples.

    Accuracies that theory was not asked for are left out, and so are alphas at which theory or a run has diverged. A
    run that diverges where theory does not is a disagreement.

    Arguments:
      theory: a trajectory of `ode.solve` or `ode.fluctuations`, which has recorded the alphas of `runs`.
      runs: a trajectory of `simulations.run` at dimension N; its alphas are compared (alpha = samples / N).
      smaller: one at a smaller dimension, which has recorded these alphas too; None: no 1/N term is taken out.
      spread: "measured" or "predicted", the standard deviation over runs in which deviations are counted.
      significance: chance of "disagree" where theory is right. seed: of the sign flips.
    Returns an Agreement.
    Raises InputError for trajectories that cannot be compared: of other problems, starts or alphas, or of too few runs.
    Source: Westfall & Young 1993 (max-t).
    """
    require_name(spread, FEWEST_RUNS, "spread")
    check_trajectories(theory, runs, smaller)
    if spread == "predicted":
        check_predicted(theory, runs, smaller)
    check_comparable(theory, runs, smaller, significance, FEWEST_RUNS[spread])
    theory = theory.at(runs.alphas, "solve the theory at the runs' own: ode.solve(problem, start, runs.alphas)")
    if smaller is not None:
        smaller = smaller.at(runs.alphas, "take alphas that are whole numbers of steps (1/N each) at both dimensions")
    if not theory.accuracy:
        runs, smaller = _without_accuracy(runs), None if smaller is None else _without_accuracy(smaller)
    usable, notes, split = usable_alphas(theory, runs, smaller)
    if spread == "predicted":
        evidence = gather_predicted(theory, runs, usable)
        moving = evidence.moving
        z, test = mean_test(evidence, moving, significance / 2)
        scatter = spread_test(evidence, moving, significance / 2)
        p = min(1.0, 2 * min(test.p, 1.0 if scatter is None else scatter.p))
    else:
        evidence = gather(theory, runs, smaller, usable)
        moving, scatter = evidence.moving, None
        z, test = _measured(evidence, moving, significance, seed)
        p = test.p
    off = evidence.fixed_but_off
    against = [f"{name} does not fluctuate and differs from theory by {evidence.fixed[name]:.1e}" for name in off]
    if split:
        against.append("runs diverge where theory does not")
    notes += [f"theory states no spread of {name} at some alphas: not compared there" for name in evidence.unknown]
    ties = theory.tie_probability
    notes += _notes_on_ties(ties) + _notes_on_sampling(evidence) + _notes_on_sizes(runs, smaller)
    return Agreement(
        agrees=bool(p > significance and not against),
        significance=significance,
        p=p,
        worst_z=float(np.max(np.abs(z), initial=0.0)),
        threshold_z=test.threshold,
        deviations=tuple(
            evidence.deviation(column, value) for column, value in zip(np.flatnonzero(moving), z, strict=True)
        ),
        fixed=evidence.fixed,
        dims=tuple(dim_of(trajectory) for trajectory in (runs, smaller) if trajectory is not None),
        runs=tuple(int(trajectory.runs or 0) for trajectory in (runs, smaller) if trajectory is not None),
        compared_to=float(evidence.alphas[-1]),
        recorded_to=float(theory.alphas[-1]),
        method=test.method,
        notes=tuple(notes),
        spread=scatter,
        against=tuple(against),
        tie_probability=ties,
    )


def _measured(evidence: Evidence, moving: np.ndarray, significance: float, seed: int) -> tuple[np.ndarray, FamilyTest]:
    """Return z of the moving columns in measured standard errors, and the verdict on all of them.

    Both z and threshold are given as the equally likely normal values.
    """
    deviations, floor = (evidence.samples - evidence.theory)[:, moving], evidence.floor[moving]
    t = student_t(deviations, evidence.sampling[moving], floor)
    test = family_test(deviations, t, floor, significance, np.random.default_rng(seed))
    freedom = len(evidence.samples) - 1
    threshold = float(_normal_equivalent(np.array(test.threshold), freedom))
    return _normal_equivalent(t, freedom), dataclasses.replace(test, threshold=threshold)


def _without_accuracy(runs: Trajectory) -> Trajectory:
    return dataclasses.replace(runs, observables=dataclasses.replace(runs.observables, accuracy={}))


def _notes_on_ties(ties: dict[str, float]) -> list[str]:
    """Say what both engines have in common, so that no comparison of them can show it."""
    words = describe_ties(ties)
    return [f"ties: {words}; no output is right there, so accuracy cannot reach 1"] if words else []


def _notes_on_sampling(evidence: Evidence) -> list[str]:
    standard = evidence.samples.std(axis=0, ddof=1) / np.sqrt(len(evidence.samples))
    exceeds = (evidence.sampling > standard)[evidence.moving]
    share = float(np.mean(exceeds)) if exceeds.size else 0.0
    if share < 0.1:
        return []
    return [
        f"theory's sampling error exceeds the simulation's in {share:.0%} of the comparisons: "
        "raise the points of ode.Sampled"
    ]


def _notes_on_sizes(runs: Trajectory, smaller: Trajectory | None) -> list[str]:
    """Say whether N_b / N differs from the fractions: then the simulated problem is not quite the one solved."""
    notes = []
    for trajectory in (runs, smaller):
        if trajectory is None:
            continue
        inputs, dim = trajectory.problem.inputs, dim_of(trajectory)
        fractions = np.asarray(inputs.fractions)
        off = np.max(
            np.abs(np.array(inputs.sizes(dim, trajectory.problem.task.latents)) / dim - fractions)[fractions > 0]
        )
        if off > 1e-9 and not np.any(fractions == 0):
            notes.append(f"block sizes at N = {dim} differ from the fractions by up to {off:.2g}: take an N that fits")
    return notes


def _normal_equivalent(t: np.ndarray, freedom: int) -> np.ndarray:
    """Return the normal value with the same tail probability as Student's t with `freedom` degrees of freedom."""
    # By logarithms: the tail of a large |t| is 0 as a number, and its normal value would be infinite.
    z: np.ndarray = np.sign(t) * -special.ndtri_exp(stats.t.logsf(np.abs(t), freedom))
    return z
