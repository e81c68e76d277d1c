"""`simulations.agreement`: do theory and simulation agree? A statistic, a level and a verdict."""

import dataclasses
import json
from typing import Any

import numpy as np
from scipy import special, stats

from teacher_student import InputError, Observables, Quantity, Status, Trajectory, quantities

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


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The verdict on a theory trajectory and runs of the same problem.

    Fields: agrees; level (family-wise); p (family-wise p-value); worst_z and threshold_z (normal equivalents);
    comparisons; fixed: quantities that do not fluctuate at some alphas, with their largest deviation there;
    dims, runs: of the simulation, and of the smaller one; method; notes.
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
    method: str
    notes: tuple[str, ...]

    @property
    def worst(self) -> Comparison:
        """The comparison with the largest |z|."""
        return max(self.comparisons, key=lambda c: abs(c.z))

    @property
    def verdict(self) -> str:
        """The verdict in one line, with its statistic."""
        word = "AGREE" if self.agrees else "DISAGREE"
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
            rows.append(f"{len(self.fixed)} quantities that do not fluctuate: largest deviation {worst:.1e}")
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
    recorded them too. level: chance of "disagree" where theory is
    right. seed: of the sign flips. Alphas at which theory or a run has diverged are left out, and a run that
    diverges where theory does not is a disagreement.
    Raises InputError. Source: Westfall & Young 1993 (max-t).
    """
    _check(theory, runs, smaller, level)
    theory = theory.at(runs.alphas)
    smaller = smaller.at(runs.alphas) if smaller is not None else None
    usable, notes, split = _usable_alphas(theory, runs, smaller)
    names, kinds = zip(*((q.name, q.kind) for q in _quantities(runs)), strict=True)
    ours, sampling = _columns(theory.observables, theory, usable), np.zeros(usable.sum() * len(names))
    if theory.sampling_error is not None:
        sampling = _columns(theory.sampling_error, theory, usable)
    big = _columns(runs.observables, runs, usable)
    dims, counts, samples, term = (runs.source.dim,), (big.shape[0],), big, np.zeros_like(big)
    if smaller is not None:
        small = _columns(smaller.observables, smaller, usable)
        dims, counts = (*dims, smaller.source.dim), (*counts, small.shape[0])
        pairs = min(counts)
        term = (small[:pairs] - big[:pairs]) * dims[1] / (dims[0] - dims[1])
        samples = big[:pairs] - term
    rounding = ROUNDING * np.finfo(runs.source.precision).eps * np.maximum(1.0, np.abs(ours))
    moving = samples.std(axis=0, ddof=1) > rounding
    fixed_excess = np.abs(samples.mean(axis=0) - ours) - np.abs(term.mean(axis=0)) - 4 * sampling - rounding
    if not moving.any():
        raise InputError("at least one quantity that fluctuates between runs", "none", "record alphas > 0")
    deviations = (samples - ours)[:, moving]
    t = student_t(deviations, sampling[moving])
    test = family_test(deviations, t, level, np.random.default_rng(seed))
    z = _normal_equivalent(t, samples.shape[0] - 1)
    alphas = np.asarray(theory.alphas)[usable]
    comparisons = tuple(
        Comparison(
            name=names[column // alphas.size],
            kind=kinds[column // alphas.size],
            alpha=float(alphas[column % alphas.size]),
            theory=float(ours[column]),
            simulation=float(big[:, column].mean()),
            standard_error=_standard_error(big[:, column]),
            sampling_error=float(sampling[column]),
            allowance=float(term[:, column].mean()),
            allowance_error=_standard_error(term[:, column]),
            z=float(z[place]),
        )
        for place, column in enumerate(np.flatnonzero(moving))
    )
    fixed = _largest_per_name(names, alphas.size, np.where(moving, -np.inf, np.abs(samples.mean(axis=0) - ours)))
    off = sorted({names[column // alphas.size] for column in np.flatnonzero(~moving & (fixed_excess > 0))})
    notes += [f"{name} does not fluctuate and differs from theory by more than rounding" for name in off]
    if np.mean(sampling[moving] > samples.std(axis=0, ddof=1)[moving] / np.sqrt(samples.shape[0])) > 0.1:
        notes.append("theory's sampling error exceeds the simulation's: raise the points of ode.Sampled")
    return Agreement(
        agrees=bool(test.p > level and not off and not split),
        level=level,
        p=test.p,
        worst_z=float(np.max(np.abs(z))),
        threshold_z=float(_normal_equivalent(np.array(test.threshold), samples.shape[0] - 1)),
        comparisons=comparisons,
        fixed=fixed,
        dims=dims,
        runs=counts,
        method=test.method,
        notes=tuple(notes),
    )


def _check(theory: Trajectory, runs: Trajectory, smaller: Trajectory | None, level: float) -> None:
    if theory.runs is not None:
        raise InputError("a theory trajectory first", f"one with {theory.runs} runs", "agreement(theory, runs)")
    if not 0 < level < 1:
        raise InputError("a level between 0 and 1", level)
    for each, what in ((runs, "runs"), (smaller, "smaller")):
        if each is None:
            continue
        if each.runs is None or each.runs < FEWEST_RUNS:
            raise InputError(f"at least {FEWEST_RUNS} {what} to estimate a standard error", each.runs)
    if smaller is not None and not smaller.source.dim < runs.source.dim:
        raise InputError("a smaller dimension in `smaller`", f"{smaller.source.dim} and {runs.source.dim}")


def _usable_alphas(
    theory: Trajectory, runs: Trajectory, smaller: Trajectory | None
) -> tuple[np.ndarray, list[str], bool]:
    """Mask of alphas at which theory and all runs are finite, notes, and whether divergence itself disagrees."""
    alphas, notes = np.asarray(theory.alphas), []
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


def _quantities(trajectory: Trajectory) -> list[Quantity]:
    return quantities(trajectory.observables, trajectory.problem)


def _columns(observables: Observables, trajectory: Trajectory, usable: np.ndarray) -> np.ndarray:
    """Every quantity at every usable alpha, alpha fastest: (m,) for theory, (runs, m) for runs."""
    found = quantities(observables, trajectory.problem)
    return np.concatenate([np.asarray(q.values, np.float64)[..., usable] for q in found], axis=-1)


def _standard_error(samples: np.ndarray) -> float:
    return float(samples.std(ddof=1) / np.sqrt(samples.size))


def _normal_equivalent(t: np.ndarray, freedom: int) -> np.ndarray:
    """The normal value with the same tail probability as Student's t with `freedom` degrees of freedom."""
    return np.sign(t) * -special.ndtri_exp(stats.t.logsf(np.abs(t), freedom))


def _largest_per_name(names: tuple[str, ...], alphas: int, values: np.ndarray) -> dict[str, float]:
    largest = values.reshape(len(names), alphas).max(axis=1)
    return {name: float(value) for name, value in zip(names, largest, strict=True) if np.isfinite(value)}
