"""`simulations.agreement`: do theory and simulation agree? A statistic, a level and a verdict."""

import dataclasses
import json
from typing import Any

import jax
import numpy as np
from scipy import special, stats

from teacher_student import InputError, Observables, Overlaps, Problem, Status, Trajectory, quantities

from ._family import family_test, student_t

ROUNDING = 64  # units in the last place of a recorded overlap: what accumulates in sums of N products
FEWEST_RUNS = 3


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One recorded quantity at one alpha.

    theory and simulation (mean over the runs at N), its standard error, the theory's own sampling error,
    the measured 1/N term at this N (`allowance`, 0 without a second dimension) with its standard error,
    and z: the deviation, after the allowance, in standard errors (Student t given as the equally likely normal value).
    """

    name: str
    kind: str
    alpha: float
    theory: float
    simulation: float
    standard_error: float
    sampling_error: float
    allowance: float
    allowance_error: float
    z: float


@dataclasses.dataclass(frozen=True, repr=False)
class Agreement:
    """The verdict on a theory trajectory and runs of the same problem.

    Fields: agrees; level (family-wise); p (family-wise p-value); worst_z and threshold_z (normal equivalents);
    comparisons; fixed: quantities that do not fluctuate at some alphas, with their largest deviation there;
    dims, runs: of the simulation, and of the smaller one; compared_to: the last alpha at which neither theory nor a run
    had diverged, of those recorded up to recorded_to; method; notes.
    """

    agrees: bool
    level: float
    p: float
    worst_z: float
    threshold_z: float
    comparisons: tuple[Comparison, ...]
    fixed: dict[str, float]
    dims: tuple[int, ...]
    runs: tuple[int, ...]
    compared_to: float
    recorded_to: float
    method: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Agreement({self.verdict})"

    @property
    def worst(self) -> Comparison:
        """The comparison with the largest |z|."""
        return max(self.comparisons, key=lambda c: abs(c.z))

    @property
    def verdict(self) -> str:
        """The verdict in one line, with its statistic."""
        word = "AGREE" if self.agrees else "DISAGREE"
        if self.compared_to < self.recorded_to:
            word += f" up to alpha {self.compared_to:g} of {self.recorded_to:g}, where the first diverged"
        if not self.comparisons:
            return f"{word}: no quantity fluctuates; largest deviation {max(self.fixed.values()):.1e}"
        return (
            f"{word}: largest |z| {self.worst_z:.2f} of {len(self.comparisons)} comparisons "
            f"({self.worst.name} at alpha {self.worst.alpha:g}), threshold {self.threshold_z:.2f}; "
            f"family-wise p = {self.p:.3g}, level {self.level:g}"
        )

    @property
    def table(self) -> str:
        """One row per quantity: its worst comparison."""
        head = f"{'quantity':<24}{'alpha':>8}{'theory':>12}{'simulation':>24}{'1/N term':>24}{'worst z':>9}"
        rows = [head, "-" * len(head)]
        for name in dict.fromkeys(c.name for c in self.comparisons):
            c = max((c for c in self.comparisons if c.name == name), key=lambda c: abs(c.z))
            simulated = f"{c.simulation:.5f} +- {c.standard_error:.5f}"
            allowance = f"{c.allowance:+.5f} +- {c.allowance_error:.5f}" if len(self.dims) > 1 else "not measured"
            rows.append(f"{name:<24}{c.alpha:>8.4g}{c.theory:>12.5f}{simulated:>24}{allowance:>24}{c.z:>9.2f}")
        if self.fixed:
            worst = max(self.fixed.values())
            rows.append(f"do not fluctuate (at some alpha): {', '.join(self.fixed)}; largest deviation {worst:.1e}")
        excess = "simulation - 1/N term" if len(self.dims) > 1 else "simulation"
        formula = f"({excess} - theory) / its standard error over the runs"
        rows.append(f"z = {formula}, each quantity at its worst alpha")
        rows += [f"note: {note}" for note in self.notes]
        return "\n".join(rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything in it, as numbers, strings, lists and dicts."""
        return dataclasses.asdict(self) | {"verdict": self.verdict, "number_of_comparisons": len(self.comparisons)}

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def agreement(
    theory: Trajectory,
    runs: Trajectory,
    smaller: Trajectory | None = None,
    *,
    level: float = 0.01,
    seed: int = 0,
) -> Agreement:
    r"""Compare theory with runs, at one family-wise level over all comparisons.

    With `smaller` (runs of the same problem and start at a dimension N' < N) the 1/N term of every quantity is
    measured and taken out: a pair of runs, one at each N, gives the sample
      x = (N x_N - N' x_N') / (N - N')        (mean: the limit N -> infinity, up to O(1/N^2))
    whose mean over pairs is compared with theory in units of its standard error, as a Student t. Without
    `smaller` the runs themselves are the samples, and any 1/N term counts as a deviation.

    Arguments: theory, runs, smaller: trajectories; the alphas of `runs` are compared, and the others must have
    recorded them too. level: chance of "disagree" where theory is right. seed: of the sign flips.
    Accuracies that theory was not asked for are left out, and so are alphas at which theory or a run has diverged;
    a run that diverges where theory does not is a disagreement.
    Raises InputError. Source: Westfall & Young 1993 (max-t).
    """
    _check(theory, runs, smaller, level)
    theory = theory.at(runs.alphas)
    smaller = smaller.at(runs.alphas) if smaller is not None else None
    if not theory.accuracy:
        runs, smaller = _without_accuracy(runs), None if smaller is None else _without_accuracy(smaller)
    usable, notes, split = _usable_alphas(theory, runs, smaller)
    evidence = _gather(theory, runs, smaller, usable)
    moving, off = evidence.moving, evidence.fixed_but_off
    deviations, floor = (evidence.samples - evidence.theory)[:, moving], evidence.floor[moving]
    t = student_t(deviations, evidence.sampling[moving], floor)
    test = family_test(deviations, t, floor, level, np.random.default_rng(seed))
    z = _normal_equivalent(t, evidence.samples.shape[0] - 1)
    notes += [f"{name} does not fluctuate and differs from theory by more than rounding" for name in off]
    notes += _notes_on_sampling(evidence) + _notes_on_sizes(runs, smaller)
    return Agreement(
        agrees=bool(test.p > level and not off and not split),
        level=level,
        p=test.p,
        worst_z=float(np.max(np.abs(z), initial=0.0)),
        threshold_z=float(_normal_equivalent(np.array(test.threshold), evidence.samples.shape[0] - 1)),
        comparisons=tuple(
            evidence.comparison(column, value) for column, value in zip(np.flatnonzero(moving), z, strict=True)
        ),
        fixed=evidence.fixed,
        dims=tuple(_dim(each) for each in (runs, smaller) if each is not None),
        runs=tuple(int(each.runs or 0) for each in (runs, smaller) if each is not None),
        compared_to=float(evidence.alphas[-1]),
        recorded_to=float(theory.alphas[-1]),
        method=test.method,
        notes=tuple(notes),
    )


@dataclasses.dataclass(frozen=True)
class _Evidence:
    """Every quantity at every usable alpha, alpha fastest, as columns m.

    theory, sampling: (m,) values and their sampling errors. big: (runs, m) at N. term: (pairs, m) 1/N terms at N.
    samples: (pairs, m) what is compared with theory. rounding: (m,) of the simulation. floor: (m,) variance that
    counting right signs on the test samples adds to `samples` (0 for all but accuracies): accuracies are discrete,
    and may be equal in all runs by chance.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    alphas: np.ndarray
    theory: np.ndarray
    sampling: np.ndarray
    big: np.ndarray
    term: np.ndarray
    samples: np.ndarray
    rounding: np.ndarray
    floor: np.ndarray

    @property
    def moving(self) -> np.ndarray:
        """Mask (m,) of what fluctuates between runs by more than rounding."""
        return (self.samples.std(axis=0, ddof=1) > self.rounding) | (self.floor > 0)

    @property
    def _fixed_deviation(self) -> np.ndarray:
        return np.abs(self.samples.mean(axis=0) - self.theory)

    @property
    def fixed(self) -> dict[str, float]:
        """Largest deviation of each quantity where it does not fluctuate."""
        found = np.where(self.moving, -np.inf, self._fixed_deviation).reshape(len(self.names), -1).max(axis=1)
        return {name: float(value) for name, value in zip(self.names, found, strict=True) if np.isfinite(value)}

    @property
    def fixed_but_off(self) -> list[str]:
        """Quantities that do not fluctuate and miss theory by more than rounding and their own 1/N term."""
        allowed = np.abs(self.term.mean(axis=0)) + 4 * self.sampling + self.rounding
        columns = np.flatnonzero(~self.moving & (self._fixed_deviation > allowed))
        return sorted({self.names[column // self.alphas.size] for column in columns})

    def comparison(self, column: Any, z: float) -> Comparison:
        """The report on one column."""
        which, when = divmod(int(column), self.alphas.size)
        return Comparison(
            name=self.names[which],
            kind=self.kinds[which],
            alpha=float(self.alphas[when]),
            theory=float(self.theory[column]),
            simulation=float(self.big[:, column].mean()),
            standard_error=_standard_error(self.big[:, column]),
            sampling_error=float(self.sampling[column]),
            allowance=float(self.term[:, column].mean()),
            allowance_error=_standard_error(self.term[:, column]),
            z=float(z),
        )


def _without_accuracy(runs: Trajectory) -> Trajectory:
    return dataclasses.replace(runs, observables=dataclasses.replace(runs.observables, accuracy={}))


def _gather(theory: Trajectory, runs: Trajectory, smaller: Trajectory | None, usable: np.ndarray) -> _Evidence:
    ours = _columns(theory.observables, theory, usable)
    big = _columns(runs.observables, runs, usable)
    term = np.zeros_like(big)
    if smaller is not None:
        small = _columns(smaller.observables, smaller, usable)
        pairs = min(len(big), len(small))
        term = (small[:pairs] - big[:pairs]) * _dim(smaller) / (_dim(runs) - _dim(smaller))
    found = quantities(runs.observables, runs.problem)
    kinds = tuple(quantity.kind for quantity in found)
    of_column = np.repeat(kinds, int(usable.sum()))
    counted = np.where(of_column == "accuracy", np.clip(ours * (1 - ours), 0.0, None), 0.0)
    return _Evidence(
        names=tuple(quantity.name for quantity in found),
        kinds=kinds,
        alphas=np.asarray(theory.alphas)[usable],
        theory=ours,
        sampling=np.zeros_like(ours)
        if theory.sampling_error is None
        else _columns(theory.sampling_error, theory, usable),
        big=big,
        term=term,
        samples=big[: len(term)] - term,
        rounding=ROUNDING * np.finfo(runs.source.precision).eps * _sizes(theory, ours),
        floor=counted / (runs.source.test_samples or 1) * _variance_factor(runs, smaller),
    )


def _sizes(theory: Trajectory, values: np.ndarray) -> np.ndarray:
    """(m,) scale of the sums that each recorded value was rounded in: overlaps add up products of weights."""
    norms = [np.nanmax(np.diagonal(x, axis1=-2, axis2=-1)) for x in (theory.overlaps.Q, theory.overlaps.T)]
    return np.maximum(max(1.0, *norms), np.abs(values))


def _variance_factor(runs: Trajectory, smaller: Trajectory | None) -> float:
    """Variance of a sample (N x_N - N' x_N') / (N - N') in units of that of x_N, where it does not depend on N."""
    if smaller is None:
        return 1.0
    return (_dim(runs) ** 2 + _dim(smaller) ** 2) / (_dim(runs) - _dim(smaller)) ** 2


def _notes_on_sampling(evidence: _Evidence) -> list[str]:
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
    """Whether N_b / N differs from the fractions: then the simulated problem is not quite the one solved."""
    notes = []
    for each in (runs, smaller):
        if each is None:
            continue
        inputs, dim = each.problem.inputs, _dim(each)
        fractions = np.asarray(inputs.fractions)
        off = np.max(np.abs(np.array(inputs.sizes(dim, each.problem.task.latents)) / dim - fractions)[fractions > 0])
        if off > 1e-9 and not np.any(fractions == 0):
            notes.append(f"block sizes at N = {dim} differ from the fractions by up to {off:.2g}: take an N that fits")
    return notes


def _dim(trajectory: Trajectory) -> int:
    assert trajectory.source.dim is not None  # `_check` comes first
    return trajectory.source.dim


def _check(theory: Trajectory, runs: Trajectory, smaller: Trajectory | None, level: float) -> None:
    if theory.runs is not None:
        raise InputError("a theory trajectory first", f"one with {theory.runs} runs", "agreement(theory, runs)")
    if not 0 < level < 1:
        raise InputError("a level between 0 and 1", level)
    for each, what in ((runs, "runs"), (smaller, "smaller")):
        if each is None:
            continue
        difference = _difference(theory.problem, each.problem)
        if difference:
            raise InputError(f"theory and {what} of the same problem", f"problems that differ in {difference}")
        _check_start(theory.start, each.start, what)
        if each.runs is None or each.source.dim is None or each.runs < FEWEST_RUNS:
            raise InputError(f"at least {FEWEST_RUNS} {what} to estimate a standard error", each.runs)
    if smaller is not None and not _dim(smaller) < _dim(runs):
        raise InputError("a smaller dimension in `smaller`", f"{_dim(smaller)} and {_dim(runs)}")


def _difference(mine: Problem, theirs: Problem) -> str:
    """Where two problems differ, in words; empty if they do not."""
    structures: list[Any] = [jax.tree.structure(each) for each in (mine, theirs)]
    if structures[0] != structures[1]:
        return "their structure (names, widths, activations, labels, loss)"
    pairs = zip(jax.tree.leaves_with_path(mine), jax.tree.leaves(theirs), strict=True)
    return ", ".join(jax.tree_util.keystr(path).lstrip(".") for (path, x), y in pairs if not np.array_equal(x, y))


def _check_start(theory: Overlaps, runs: Overlaps, what: str) -> None:
    for name in ("Q", "R", "T", "readout"):
        mine, theirs = np.asarray(getattr(theory, name)), np.asarray(getattr(runs, name))
        gap = float(np.max(np.abs(theirs - mine)))
        if gap > 1e-6 * max(1.0, float(np.max(np.abs(mine)))):
            raise InputError(
                f"{what} that start from theory's overlaps",
                f"starts whose {name} differ by {gap:.3g}",
                "pass the same start= to simulations.run and ode.solve",
            )


def _usable_alphas(
    theory: Trajectory, runs: Trajectory, smaller: Trajectory | None
) -> tuple[np.ndarray, list[str], bool]:
    """Mask of alphas at which theory and all runs are finite, notes, and whether divergence itself disagrees."""
    alphas = np.asarray(theory.alphas)
    notes: list[str] = []
    until = float(theory.reached)
    if theory.status != Status.OK:
        notes.append(f"theory: {theory.describe()}")
    split = False
    for each in (runs, smaller):
        if each is None or np.all(each.status == Status.OK):
            continue
        notes.append(f"simulation at N = {each.source.dim}: {each.describe()}")
        split = split or theory.status == Status.OK
        until = min(until, float(np.min(each.reached)))
    usable = alphas <= until
    if not np.any(usable & (alphas > 0)):
        raise InputError("a recorded alpha > 0 before theory or a run diverges", f"none up to {until:g}")
    return usable, notes, split


def _columns(observables: Observables, trajectory: Trajectory, usable: np.ndarray) -> np.ndarray:
    """Every quantity at every usable alpha, alpha fastest: (m,) for theory, (runs, m) for runs."""
    found = quantities(observables, trajectory.problem)
    return np.concatenate([np.asarray(q.values, np.float64)[..., usable] for q in found], axis=-1)


def _standard_error(samples: np.ndarray) -> float:
    return float(samples.std(ddof=1) / np.sqrt(samples.size))


def _normal_equivalent(t: np.ndarray, freedom: int) -> np.ndarray:
    """The normal value with the same tail probability as Student's t with `freedom` degrees of freedom."""
    return np.sign(t) * -special.ndtri_exp(stats.t.logsf(np.abs(t), freedom))
