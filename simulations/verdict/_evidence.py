"""What theory and runs say of every quantity at every alpha, side by side, as columns of numbers."""

import dataclasses
from typing import Any

import numpy as np

from teacher_student import Observables, Trajectory, quantities
from teacher_student.internal import PublicRecord

INTEGRATED = 1e-7  # relative error of a solve at the default tolerances, at most
ROUNDING = 64  # units in the last place of a recorded overlap: what accumulates in sums of N products


@dataclasses.dataclass(frozen=True)
class Deviation(PublicRecord):
    """One recorded quantity at one alpha: theory, simulation, and how far apart they are.

    name, kind: of the quantity, as in `ts.quantities`. alpha: samples / N. theory: its value.
    simulation: the mean over the runs at N, and standard_error: its error. sampling_error: that of theory itself.
    allowance: the measured or predicted 1/N term at this N (0 without either), and allowance_error: its standard error.
    z: the deviation after the allowance, in standard errors (Student's t as the equally likely normal value).
    predicted_spread: the standard deviation of one run that theory states (None if spread is measured).
    detectable: of a difference of two simulations, by how much theory may be off so that the largest |z| alone finds it
      with a chance of 90 % (None: not computed). All questions together find at least that.
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
    predicted_spread: float | None = None
    detectable: float | None = None


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Every quantity at every usable alpha, alpha fastest, as columns m.

    names, kinds: of the quantities. alphas: the usable ones.
    theory, sampling: (m,) values and their sampling errors.
    big, small: (runs, m) at N and at the smaller N', None if there is none.
    term: (pairs, m) 1/N terms at N, and term_error: (m,) their standard error.
    samples: (pairs, m) what is compared with theory.
    rounding: (m,) error of the simulation by rounding. integrated: (m,) error of the solve.
    floor: (m,) variance that counting right signs on the test samples adds to `samples` (0 for all but accuracies):
    accuracies are discrete, and may be equal in all runs by chance.
    spread: (m,) predicted standard deviation of one run, and spread_error: the relative error of its square (None where
    spread is measured).
    scatter: (S, m) the error of theory that S scramblings of sampled averages show, in the size that `sampling` states:
    its squares add up to those of `sampling`. No rows where theory is exact, or says nothing of its scramblings.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    alphas: np.ndarray
    theory: np.ndarray
    sampling: np.ndarray
    big: np.ndarray
    small: np.ndarray | None
    term: np.ndarray
    samples: np.ndarray
    rounding: np.ndarray
    integrated: np.ndarray
    floor: np.ndarray
    term_error: np.ndarray
    scatter: np.ndarray
    spread: np.ndarray | None = None
    spread_error: np.ndarray | None = None

    @property
    def moving(self) -> np.ndarray:
        """Mask (m,) of what fluctuates between runs by more than rounding: by theory's word where it has one."""
        if self.spread is not None:
            return np.asarray(self.spread > self.rounding)
        return np.asarray((self.samples.std(axis=0, ddof=1) > self.rounding) | (self.floor > 0))

    @property
    def _fixed_deviation(self) -> np.ndarray:
        return np.asarray(np.abs(self.samples.mean(axis=0) - self.theory))

    @property
    def _unknown(self) -> np.ndarray:
        return np.zeros(self.theory.size, bool) if self.spread is None else ~np.isfinite(self.spread)

    @property
    def unknown(self) -> list[str]:
        """Quantities whose spread theory was to state and could not."""
        return sorted({self.names[column // self.alphas.size] for column in np.flatnonzero(self._unknown)})

    @property
    def fixed(self) -> dict[str, float]:
        """Largest deviation of each quantity where it does not fluctuate."""
        deviations = (
            np.where(self.moving | self._unknown, -np.inf, self._fixed_deviation)
            .reshape(len(self.names), -1)
            .max(axis=1)
        )
        return {name: float(value) for name, value in zip(self.names, deviations, strict=True) if np.isfinite(value)}

    @property
    def fixed_but_off(self) -> list[str]:
        """Quantities that do not fluctuate and miss theory by more than numerical errors and their own 1/N term."""
        allowed = np.abs(self.term.mean(axis=0)) + 4 * self.sampling + self.rounding + self.integrated
        off = self._fixed_deviation > allowed
        if self.spread is not None:  # theory says that it does not fluctuate
            off |= self.samples.std(axis=0, ddof=1) > self.rounding
        columns = np.flatnonzero(~self.moving & ~self._unknown & off)
        return sorted({self.names[column // self.alphas.size] for column in columns})

    def deviation(self, column: "int | np.integer[Any]", z: float) -> Deviation:
        """Return theory and simulation of one column, which are `z` standard errors apart."""
        which, when = divmod(int(column), self.alphas.size)
        return Deviation(
            name=self.names[which],
            kind=self.kinds[which],
            alpha=float(self.alphas[when]),
            theory=float(self.theory[column]),
            simulation=float(self.big[:, column].mean()),
            standard_error=standard_error(self.big[:, column]),
            sampling_error=float(self.sampling[column]),
            allowance=float(self.term[:, column].mean()),
            allowance_error=float(self.term_error[column]),
            z=float(z),
            predicted_spread=None if self.spread is None else float(self.spread[column]),
        )


def gather(theory: Trajectory, runs: Trajectory, smaller: Trajectory | None, usable: np.ndarray) -> Evidence:
    """Gather the evidence with measured spread, and with the 1/N term measured where there are `smaller` runs."""
    expected = columns_of(theory.observables, theory, usable)
    big = columns_of(runs.observables, runs, usable)
    term, small = np.zeros_like(big), None
    if smaller is not None:
        small = columns_of(smaller.observables, smaller, usable)
        pairs = min(len(big), len(small))
        term = (small[:pairs] - big[:pairs]) * dim_of(smaller) / (dim_of(runs) - dim_of(smaller))
    recorded = quantities(runs.observables, runs.problem)
    kinds = tuple(quantity.kind for quantity in recorded)
    of_column = np.repeat(kinds, int(usable.sum()))
    counted = np.where(of_column == "accuracy", np.clip(expected * (1 - expected), 0.0, None), 0.0)
    sampling = np.zeros_like(expected)
    if theory.sampling_error is not None:
        sampling = _known(columns_of(theory.sampling_error, theory, usable))
    return Evidence(
        names=tuple(quantity.name for quantity in recorded),
        kinds=kinds,
        alphas=np.asarray(theory.alphas)[usable],
        theory=expected,
        sampling=sampling,
        scatter=_scatter_of(theory, usable, sampling),
        big=big,
        small=small,
        term=term,
        samples=big[: len(term)] - term,
        integrated=INTEGRATED * _sizes(theory, expected),
        rounding=ROUNDING * np.finfo(runs.source.precision).eps * _sizes(theory, expected),
        floor=counted / (runs.source.test_samples or 1) * _variance_factor(runs, smaller),
        term_error=term.std(axis=0, ddof=1) / np.sqrt(len(term)),
    )


def gather_predicted(theory: Trajectory, runs: Trajectory, usable: np.ndarray) -> Evidence:
    """Gather the evidence with spread and 1/N term as `theory.fluctuations` predicts them."""
    measured, predicted, dim = gather(theory, runs, None, usable), theory.fluctuations, dim_of(runs)
    assert predicted is not None  # `check_predicted` comes first
    spread, shift, variance_error, shift_error = (
        columns_of(observables, theory, usable)
        for observables in (
            predicted.spread(dim, runs.source.test_samples),
            predicted.mean_shift(dim),
            predicted.variance_error,
            predicted.shift_error,
        )
    )
    variance_error, shift_error = _known(variance_error), _known(shift_error)
    error = [measured.sampling, shift_error / dim]
    if theory.integrator_error is not None:
        error.append(columns_of(theory.integrator_error, theory, usable))
    term = np.broadcast_to(shift, measured.big.shape)
    return dataclasses.replace(
        measured,
        sampling=np.sqrt(np.sum(np.square(error), axis=0)),
        term=term,
        samples=measured.big - term,
        term_error=shift_error / dim,
        spread=spread,
        # A spread of 0 must not divide by 0; the square of 1e-150 is still a normal number.
        spread_error=variance_error / dim / np.maximum(spread, 1e-150) ** 2,
    )


def _scatter_of(theory: Trajectory, usable: np.ndarray, sampling: np.ndarray) -> np.ndarray:
    """Return what scramblings show of theory's error, (S, m), scaled to the standard errors `sampling` (m,)."""
    if theory.scatter is None:
        return np.zeros((0, sampling.size))
    return scaled_scatter(columns_of(theory.scatter, theory, usable), sampling)


def scaled_scatter(scatter: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Return the differences of S scramblings from their mean, (S, ...), so that their squares add up to `stated`^2.

    What is stated may be more than they show, as where half of the points give another mean.
    """
    shown = np.sqrt(np.sum(np.square(scatter), axis=0))
    scaled: np.ndarray = scatter * np.where(shown > 0, stated / np.where(shown > 0, shown, 1.0), 0.0)
    return scaled


def _known(error: np.ndarray) -> np.ndarray:
    """Return a standard error over scramblings with 0 where there was one scrambling, from which none is known."""
    known: np.ndarray = np.nan_to_num(error, nan=0.0)
    return known


def _sizes(theory: Trajectory, values: np.ndarray) -> np.ndarray:
    """Return the scale (m,) of the sums that each recorded value was rounded in: overlaps add up products of weights.

    An overlap near 0 is a difference of large sums, and has their rounding error, not one of its own size.
    """
    norms = [np.nanmax(np.diagonal(x, axis1=-2, axis2=-1)) for x in (theory.overlaps.Q, theory.overlaps.T)]
    return np.asarray(np.maximum(max(1.0, *norms), np.abs(values)))


def _variance_factor(runs: Trajectory, smaller: Trajectory | None) -> float:
    """Return the variance of a sample (N x_N - N' x_N') / (N - N') in units of that of x_N, if both have the same."""
    if smaller is None:
        return 1.0
    return (dim_of(runs) ** 2 + dim_of(smaller) ** 2) / (dim_of(runs) - dim_of(smaller)) ** 2


def dim_of(trajectory: Trajectory) -> int:
    """Return the dimension N of a simulation."""
    assert trajectory.source.dim is not None  # `_check` comes first
    return trajectory.source.dim


def columns_of(observables: Observables, trajectory: Trajectory, usable: np.ndarray) -> np.ndarray:
    """Return every quantity at every usable alpha, alpha fastest: (m,) for theory, (runs, m) for runs."""
    recorded = quantities(observables, trajectory.problem)
    return np.concatenate([np.asarray(q.values, np.float64)[..., usable] for q in recorded], axis=-1)


def standard_error(samples: np.ndarray) -> float:
    """Return the standard error of the mean of independent samples."""
    return float(samples.std(ddof=1) / np.sqrt(samples.size))
