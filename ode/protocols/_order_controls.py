"""Controls of the order of levels: their shares over time, the times of switches, or both."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from teacher_student import Curriculum, InputError, Problem
from teacher_student.internal import as_count, require_name

from ._control import Control
from ._order_moves import Affine, OrderMoves


@dataclasses.dataclass(frozen=True, eq=False)
class Shares(Control):
    """The shares of all levels over time: constant in each of n equal phases, or linear between n + 1 knots.

      p_l(alpha) >= 0,   sum_l p_l(alpha) = 1,   0 <= alpha <= A

    A is the length of the problem's own curriculum. Shares between 0 and 1 mean a random order within the phase
    (`ts.Curriculum.mixed`). So the optimum over shares is the limit of ever finer sequences of levels.

    Arguments:
      phases: n, each of length A / n in alpha = samples / N.
      shape: "constant" or "linear".
      levels: those that may be shown; None: those of the problem's curriculum.
    Raises InputError for no phases and unknown shapes, and, in `ode.optimize`, for fewer than two levels.
    """

    phases: int = 12
    shape: str = "constant"
    levels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        as_count(self.phases, "number of phases")
        require_name(self.shape, ("constant", "linear"), "shape of shares")

    def of(self, problem: Problem) -> OrderMoves:
        levels = _levels(self.levels, problem)
        end = float(problem.curriculum.end)
        P, L = self.phases, len(levels)
        durations = np.full(P, end / P)
        free = L - 1  # of each row the last level has what is left
        rows = P if self.shape == "constant" else P + 1
        initial = np.zeros((P, L, rows * free))
        final = np.zeros((P, L, rows * free))
        for phase in range(P):
            for j in range(free):
                first = phase * free + j
                last = first if self.shape == "constant" else first + free
                for array, column in ((initial, first), (final, last)):
                    array[phase, j, column] += 1.0
                    array[phase, -1, column] -= 1.0
        base = np.zeros((P, L))
        base[:, -1] = 1.0
        names = tuple(f"share of {levels[j]}, {self._row(row)}" for row in range(rows) for j in range(free))
        x = _mean_shares(problem, levels, durations, rows == P)[:, :free].ravel()
        return OrderMoves(
            levels,
            Affine(durations, np.zeros((P, x.size))),
            Affine(base, initial),
            Affine(base, final),
            names,
            x,
            np.zeros(x.size),
            np.ones(x.size),
        )

    def _row(self, row: int) -> str:
        return f"phase {row + 1}" if self.shape == "constant" else f"knot {row + 1}"


@dataclasses.dataclass(frozen=True, eq=False)
class Switches(Control):
    """The times of switches between given phases, whose durations sum to the curriculum's.

    At the best times both levels are worth the same: S_l (t) = S_l' (t) at a switch from l to l'. A phase may shrink to
    nothing, so that a longer order includes the shorter ones.

    Arguments:
      order: the level, or the shares {level: share}, of each phase one after the other: ("easy", "hard", "easy").
    Raises InputError, in `ode.optimize`, for fewer than two phases, unknown levels, and shares that do not sum to 1.
    """

    order: Sequence[Any]

    def of(self, problem: Problem) -> OrderMoves:
        if isinstance(self.order, str) or len(self.order) < 2:
            raise InputError("two phases or more as an order of switches", repr(self.order), 'such as ("easy", "hard")')
        for phase in self.order:
            if not isinstance(phase, (str, Mapping)):
                raise InputError("a level or {level: share} for each phase of an order", repr(phase))
        mixtures = [{phase: 1.0} if isinstance(phase, str) else dict(phase) for phase in self.order]
        levels = tuple(dict.fromkeys(name for mixture in mixtures for name in mixture))
        levels = _levels(levels, problem)
        P, end = len(mixtures), float(problem.curriculum.end)
        base = np.array([[mixture.get(level, 0.0) for level in levels] for mixture in mixtures])
        if np.any(np.abs(base.sum(axis=1) - 1) > 1e-9) or np.any(base < 0):
            raise InputError("shares >= 0 that sum to 1 in each phase of an order", repr(self.order))
        durations = np.concatenate([np.eye(P - 1), -np.ones((1, P - 1))])
        nothing = np.zeros((P, len(levels), P - 1))
        whole = np.zeros(P)
        whole[-1] = end
        names = tuple(f"duration of phase {i + 1}" for i in range(P - 1))
        x = np.full(P - 1, end / P)
        return OrderMoves(
            levels,
            Affine(whole, durations),
            Affine(base, nothing),
            Affine(base, nothing),
            names,
            x,
            np.zeros(P - 1),
            np.full(P - 1, end),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Order(Control):
    """The order of levels at all times, whatever its shape: single levels, switches between them, and singular arcs.

    It is looked for on `phases` equal phases as Shares are. What is found there is then refined: the times of switches
    become free, and where levels stay mixed, the ends of that arc, and the shares at `ramps` + 1 knots of it. So the
    optimum has few variables, and its certificate names the arcs that are singular.

    Arguments:
      phases: n equal phases to begin with. An arc or a phase that is shorter than A / n may be overlooked.
      ramps: parts of each arc, in which shares are linear in alpha; 0: no arcs, only switches between single levels.
      levels: those that may be shown; None: those of the problem's curriculum.
    Raises InputError as Shares does.
    """

    phases: int = 24
    ramps: int = 4
    levels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        as_count(self.phases, "number of phases")
        as_count(self.ramps, "number of ramps", least=0)

    def of(self, problem: Problem) -> OrderMoves:
        return Shares(self.phases, levels=self.levels).of(problem)


def _levels(levels: Sequence[str] | None, problem: Problem) -> tuple[str, ...]:
    chosen = problem.curriculum.level_names if levels is None else tuple(levels)
    for level in chosen:
        require_name(level, problem.inputs.level_names, "level of a control")
        if chosen.count(level) > 1:
            raise InputError("each level once in a control", f"{level} {chosen.count(level)} times")
    if len(chosen) < 2:
        raise InputError("two levels or more whose shares can be chosen", ", ".join(chosen) or "none")
    return chosen


def _mean_shares(problem: Problem, levels: tuple[str, ...], durations: np.ndarray, of_phases: bool) -> np.ndarray:
    """Return the shares that the problem's own curriculum has in each phase on average, or at each knot."""
    ends = np.concatenate([[0.0], np.cumsum(durations)])
    own = problem.curriculum
    columns = [own.level_names.index(level) if level in own.level_names else None for level in levels]

    def shares(alpha: np.ndarray) -> np.ndarray:
        rows = np.stack([_shares_at(own, float(a)) for a in alpha])
        return np.stack([rows[:, c] if c is not None else np.zeros(len(rows)) for c in columns], axis=1)

    if not of_phases:
        return shares(ends)
    points = (np.arange(64) + 0.5) / 64
    return np.stack([shares(a + (b - a) * points).mean(axis=0) for a, b in itertools.pairwise(ends)])


def _shares_at(curriculum: Curriculum, alpha: float) -> np.ndarray:
    switches = np.asarray(curriculum.switches, float)
    phase = min(int(np.searchsorted(switches, alpha, side="right")), switches.size - 1)
    begun = switches[phase] - float(curriculum.durations[phase])
    done = np.clip((alpha - begun) / float(curriculum.durations[phase]), 0.0, 1.0)
    first, last = np.asarray(curriculum.initial_shares)[phase], np.asarray(curriculum.final_shares)[phase]
    return np.asarray(first + done * (last - first), float)
