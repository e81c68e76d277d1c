"""What a cost says of states at recorded alphas, whether they are those of a theory or of simulated runs."""

from __future__ import annotations

import dataclasses
import operator
from typing import Any

import jax
import numpy as np

import ode
import teacher_student as ts

BETWEEN = 33  # alphas at which runs are recorded for a cost that looks at all times
BESIDE = 9  # alphas, for the agreement of theory and simulation, beside those at which a cost looks


@dataclasses.dataclass(frozen=True)
class Judged:
    """A cost and the problem by whose inputs states are judged.

    Fields: cost: of `ode.protocols`. problem: as it was given, whatever a protocol does to its inputs on the way.
    end: of the curriculum. points: for accuracies and errors without a closed form, or None.
    """

    cost: Any
    problem: ts.Problem
    end: float
    points: Any

    @staticmethod
    def of(cost: Any, problem: ts.Problem) -> Judged:
        """Return the judge of a cost, with the first scrambling of sampled averages where something has no closed form.

        All protocols are judged by the same points.
        """
        with jax.enable_x64(True):
            closed = _has_closed_form(cost, problem)
            sample = None if closed else ode.Sampled().draw(problem.at(0.0))
            points = None if sample is None else jax.tree.map(lambda x: x[0], sample)
        return Judged(cost, problem, float(problem.curriculum.end), points)

    @property
    def at_all_times(self) -> bool:
        """Whether the cost looks at the whole way."""
        return isinstance(self.cost, (ode.protocols.Integrated, ode.protocols.TimeTo))

    @property
    def is_linear(self) -> bool:
        """Whether the mean cost is the cost of the mean errors."""
        return isinstance(self.cost, (ode.protocols.Final, ode.protocols.Integrated))

    @property
    def alphas(self) -> np.ndarray:
        """The alphas at which runs are recorded: those at which the cost looks, and some for the agreement."""
        if self.at_all_times:
            return np.linspace(0.0, self.end, BETWEEN)
        return np.unique(np.concatenate([self.cost.alphas(self.end), np.linspace(0.0, self.end, BESIDE)[1:]]))

    def values(self, overlaps: ts.Overlaps, alphas: np.ndarray) -> np.ndarray:
        """Return the cost (R,) of each of R ways through states with leading axes (R, A), NaN of one that diverged."""
        if isinstance(self.cost, ode.protocols.Own):
            return self._own(overlaps, alphas)
        index = np.arange(alphas.size) if self.at_all_times else self.looks_at(alphas)
        return self.of_series(self.series(_take(overlaps, index), alphas[index]), alphas[index])

    def series(self, overlaps: ts.Overlaps, alphas: np.ndarray) -> np.ndarray:
        """Return the error, or 1 - accuracy, of the cost's mixture (R, A)."""
        seen = self._seen(overlaps, alphas)
        rows = seen.accuracy if self.cost.of == "accuracy" else seen.error
        mean = sum(weight * np.asarray(rows[level]) for level, weight in self.cost.weights.items() if weight)
        return np.asarray(1 - mean if self.cost.of == "accuracy" else mean)

    def by_level(self, overlaps: ts.Overlaps, alphas: np.ndarray) -> dict[str, np.ndarray]:
        """Return the error, or 1 - accuracy, of each level that is judged (R, A); of a cost of one's own of all."""
        seen, wrong = self._seen(overlaps, alphas), self.cost.with_accuracy
        rows = seen.accuracy if wrong else seen.error
        weights = getattr(self.cost, "weights", dict.fromkeys(self.problem.inputs.level_names, 1.0))
        return {level: np.asarray(1 - rows[level] if wrong else rows[level]) for level, w in weights.items() if w}

    def of_series(self, series: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        """Return the cost (R,) of the error, or of 1 - accuracy, (R, A) at these alphas."""
        if isinstance(self.cost, ode.protocols.Integrated):
            return np.asarray(np.trapezoid(series, alphas, axis=1) / (alphas[-1] - alphas[0]))
        if isinstance(self.cost, ode.protocols.TimeTo):
            return np.array([_first_time(row, alphas, self.cost.value) for row in series])
        return np.asarray(series.mean(axis=1))

    def looks_at(self, alphas: np.ndarray) -> np.ndarray:
        """Return which of the recorded alphas are nearest to those at which the cost looks."""
        wanted = self.cost.alphas(self.end)
        return np.asarray(np.argmin(np.abs(np.asarray(alphas)[None] - wanted[:, None]), axis=1))

    def _own(self, overlaps: ts.Overlaps, alphas: np.ndarray) -> np.ndarray:
        index = self.looks_at(alphas)
        seen = self._seen(_take(overlaps, index), alphas[index])
        with jax.enable_x64(True):
            runs = [jax.tree.map(operator.itemgetter(r), seen) for r in range(np.shape(overlaps.readout)[0])]
            return np.array([float(self.cost.function(one)) for one in runs])

    def _seen(self, overlaps: ts.Overlaps, alphas: np.ndarray) -> ts.Observables:
        """Return what is observed of states (R, A), by the given problem at each alpha."""

        def observe(problem: ts.Problem, states: ts.Overlaps) -> ts.Observables:
            return ode.observe(problem, states, self.points, with_accuracy=self.cost.with_accuracy)

        if not self.problem.task_schedules:
            return observe(self.problem, overlaps)
        each = [observe(self.problem.at(float(a)), _take(overlaps, np.array([i]))) for i, a in enumerate(alphas)]
        whole: ts.Observables = jax.tree.map(lambda *x: np.concatenate(x, axis=1), *each)
        return whole


def _has_closed_form(cost: Any, problem: ts.Problem) -> bool:
    """Return whether what a cost sees of a state is a formula: it is tried out at one state."""
    B, K, M = problem.shape
    state = ts.Overlaps(
        Q=np.tile(np.eye(K), (B, 1, 1)),
        R=np.zeros((B, K, M)),
        T=np.tile(np.eye(M), (B, 1, 1)),
        readout=np.ones(K),
    )
    try:
        ode.observe(problem.at(0.0), state, with_accuracy=cost.with_accuracy)
    except ts.InputError:
        return False
    return True


def _take(overlaps: ts.Overlaps, index: np.ndarray) -> ts.Overlaps:
    """Return the states at some of the alphas, of leading axes (R, A)."""
    taken: ts.Overlaps = jax.tree.map(lambda x: np.take(np.asarray(x), index, axis=1), overlaps)
    return taken


def _first_time(series: np.ndarray, alphas: np.ndarray, value: float) -> float:
    """Return the alpha at which a series first falls to `value`, its logarithm interpolated; else what TimeTo says."""
    if not np.all(np.isfinite(series)):
        return float("nan")
    below = np.flatnonzero(series <= value)
    if not below.size:
        return float(alphas[-1] * (1 + np.log(series[-1] / value)))
    i = int(below[0])
    if i == 0:
        return float(alphas[0])
    before, after = np.log(series[i - 1] / value), np.log(max(series[i], 1e-300) / value)
    return float(alphas[i - 1] + (alphas[i] - alphas[i - 1]) * before / (before - after))
