"""An order of levels as a table of durations and shares, and the derivative of a cost in them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from teacher_student import Problem
from teacher_student.internal import with_fields

from ._control import Moves
from ._costates import Costates
from ._hamiltonian import Slopes, hamiltonian
from ._judge import Judge

EMPTY = 1e-12  # of the whole, below which a phase is left out of what is integrated


@dataclasses.dataclass(frozen=True)
class Affine:
    """A table that is affine in the variables: base + slope x."""

    base: np.ndarray
    slope: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        value: np.ndarray = self.base + self.slope @ x
        return value

    def back(self, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the derivative in x of a number whose derivative in the table is `gradient`."""
        pulled: np.ndarray = np.tensordot(gradient, self.slope, axes=gradient.ndim)
        return pulled


@dataclasses.dataclass(frozen=True)
class OrderMoves(Moves):
    """An order of levels: durations (P,), and shares (P, levels) at the beginning and the end of each phase."""

    levels: tuple[str, ...]
    durations: Affine
    initial_shares: Any  # an Affine; of arcs a Quotient
    final_shares: Any
    names: tuple[str, ...]
    initial: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        if np.any(self.durations.slope):
            return np.full(self.initial.size, float(self.durations(self.initial).sum()) / (self.initial.size + 1))
        return np.full(self.initial.size, 1 / len(self.levels))

    def install(self, problem: Problem, x: np.ndarray) -> Problem:
        durations, first, last = self.durations(x), self.initial_shares(x), self.final_shares(x)
        kept = self.kept(x)
        # Rounding and a search leave shares a little outside [0, 1]; they are moved in where that is all.
        curriculum = with_fields(
            problem.curriculum,
            level_names=self.levels,
            durations=durations[kept],
            initial_shares=_tidy(first[kept]),
            final_shares=_tidy(last[kept]),
        )
        return with_fields(problem, curriculum=curriculum)

    def kept(self, x: np.ndarray) -> np.ndarray:
        """Return the phases that last longer than nothing."""
        durations = self.durations(x)
        return np.flatnonzero(durations > EMPTY * durations.sum())

    def amounts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how much of each level is shown, in alpha (levels,), and the derivative of that (levels, n)."""
        durations, mean = self.durations(x), (self.initial_shares(x) + self.final_shares(x)) / 2
        slope = (self.initial_shares.slope + self.final_shares.slope) / 2
        rows = np.einsum("p,pln->ln", durations, slope) + np.einsum("pl,pn->ln", mean, self.durations.slope)
        return durations @ mean, rows

    def inside(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what is >= 0 beside the variables: the last phase's duration, the last of several levels' shares.

        Each comes with its derivative (m, n).
        """
        rows = []
        if np.any(self.durations.slope):
            rows.append((self.durations(x)[-1:], self.durations.slope[-1:]))
        if len(self.levels) > 2:
            for table in (self.initial_shares, self.final_shares):
                if np.any(table.slope):
                    rows.append((table(x)[:, -1], table.slope[:, -1]))
        return rows

    def gradient(self, x: np.ndarray, judge: Judge, solved: Costates, slopes: Slopes) -> np.ndarray:
        durations, first, last = self.durations(x), self.initial_shares(x), self.final_shares(x)
        ends, kept = np.cumsum(durations), self.kept(x)
        columns = [judge.problem.inputs.level_names.index(level) for level in self.levels]
        S = slopes.shares[:, columns]
        phase = kept[slopes.phases]
        begun = ends[phase] - durations[phase]
        done = (slopes.alphas - begun) / durations[phase]
        of_first, of_last = np.zeros(first.shape), np.zeros(last.shape)
        np.add.at(of_first, phase, (slopes.weights * (1 - done))[:, None] * S)
        np.add.at(of_last, phase, (slopes.weights * done)[:, None] * S)
        total: np.ndarray = self.initial_shares.back(of_first, x) + self.final_shares.back(of_last, x)
        if np.any(self.durations.slope):
            total = total + self.durations.back(self._of_durations(x, judge, solved, of_first, of_last, columns), x)
        return total

    def _of_durations(
        self, x: np.ndarray, judge: Judge, solved: Costates, of_first: Any, of_last: Any, columns: list[int]
    ) -> np.ndarray:
        """Return dJ/d(duration): the switches t_j after a phase move with it, and ramps are stretched.

        dJ/dt_j = S(t_j) . (p just before - p just after) - (ramps on either side that are stretched)
        """
        durations, first, last = self.durations(x), self.initial_shares(x), self.final_shares(x)
        ends, kept = np.cumsum(durations), self.kept(x)
        whole = ends[-1]
        inner = np.clip(ends[:-1], 0.0, whole)
        # Each switch is looked at in the phase before it, of those that last; all have the same overlaps there.
        order = np.minimum(np.searchsorted(ends[kept], inner, side="left"), kept.size - 1)
        at = np.minimum(inner, solved.end)
        S = hamiltonian(judge, solved, at, order)[1][:, columns] * (inner <= solved.end)[:, None]
        of_times = np.sum(S * (last[:-1] - first[1:]), axis=1)
        rise = last - first
        lasting = durations > EMPTY * whole
        stretch = np.where(lasting, durations, 1.0)
        of_end = np.where(lasting, -np.sum(of_last * rise, axis=1) / stretch, 0.0)
        of_begin = np.where(lasting, -np.sum(of_first * rise, axis=1) / stretch, 0.0)
        half = np.sum(S * rise[:-1], axis=1) / 2, np.sum(S * rise[1:], axis=1) / 2  # of phases that last no time
        of_times = of_times + np.where(lasting[:-1], of_end[:-1], -half[0])
        of_times = of_times + np.where(lasting[1:], of_begin[1:], -half[1])
        # A phase's duration moves all switches behind it, but the end, which stays.
        return np.concatenate([np.cumsum(of_times[::-1])[::-1], [0.0]])


def _tidy(shares: np.ndarray) -> np.ndarray:
    shares = np.where(np.abs(shares) < 1e-9, 0.0, np.where(np.abs(shares - 1) < 1e-9, 1.0, shares))
    shares = np.clip(shares, 0.0, 1.0)
    tidy: np.ndarray = shares / shares.sum(axis=1, keepdims=True)
    return tidy
