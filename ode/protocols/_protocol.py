"""All controls of a problem as one vector, the cost of it, and its gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from teacher_student import InputError, Problem

from ._constraints import Constraint
from ._control import Control, Moves
from ._costates import Costates, costates
from ._forward import forward
from ._hamiltonian import Slopes, slopes
from ._judge import Judge
from ._number_controls import ValueMoves
from ._order_moves import OrderMoves

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What may be chosen of a problem: n variables in all, and what they must keep to.

    Fields: judge: what is integrated and judged. moves: of each control, one after the other. constraints: of them.
    """

    judge: Judge
    moves: tuple[Moves, ...]
    constraints: tuple[Constraint, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for moves in self.moves for name in moves.names)

    @property
    def lower(self) -> np.ndarray:
        return np.concatenate([moves.lower for moves in self.moves])

    @property
    def upper(self) -> np.ndarray:
        return np.concatenate([moves.upper for moves in self.moves])

    @property
    def initial(self) -> np.ndarray:
        return np.concatenate([moves.initial for moves in self.moves])

    @property
    def order(self) -> OrderMoves | None:
        """The control of the order of levels, if there is one."""
        return next((moves for moves in self.moves if isinstance(moves, OrderMoves)), None)

    def scale(self, x: np.ndarray) -> np.ndarray:
        """Return how large a change (n,) of each variable is one, near x."""
        parts = zip(self.moves, self.split(x), strict=True)
        return np.concatenate([moves.scale(part) for moves, part in parts])

    def split(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the variables of each control."""
        return np.split(x, np.cumsum([moves.initial.size for moves in self.moves])[:-1])

    def of_order(self, x: np.ndarray) -> np.ndarray:
        """Return the variables of the order of levels."""
        return next(part for moves, part in zip(self.moves, self.split(x), strict=True) if moves is self.order)

    def problem(self, x: np.ndarray) -> Problem:
        """Return the problem under the variables x (n,)."""
        problem = self.judge.problem
        for moves, part in zip(self.moves, self.split(x), strict=True):
            problem = moves.install(problem, part)
        return problem

    def solve(self, x: np.ndarray) -> tuple[Costates, Slopes]:
        """Return the costates under x, and the derivatives of H along the trajectory. Raises Diverged."""
        solved = costates(self.judge, forward(self.judge, self.problem(x)))
        return solved, slopes(self.judge, solved)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return J and dJ/dx (n,). Raises Diverged."""
        solved, along = self.solve(x)
        return solved.value, self.gradient(x, solved, along)

    def gradient(self, x: np.ndarray, solved: Costates, along: Slopes) -> np.ndarray:
        """Return dJ/dx (n,) from the costates."""
        parts = zip(self.moves, self.split(x), strict=True)
        return np.concatenate([moves.gradient(part, self.judge, solved, along) for moves, part in parts])

    def constraint_rows(self, x: np.ndarray) -> list[tuple[bool, np.ndarray, np.ndarray]]:
        """Return (whether it is an equation, what is 0 or >= 0 (m,), its derivative (m, n)) of each constraint."""
        rows = []
        for moves, part, first in zip(self.moves, self.split(x), self._offsets(), strict=True):
            if isinstance(moves, OrderMoves):
                rows += [
                    (constraint.equal, *_placed(*constraint.excess(moves, part), first, x.size))
                    for constraint in self.constraints
                ]
                rows += [(False, *_placed(*row, first, x.size)) for row in moves.inside(part)]
            elif isinstance(moves, ValueMoves) and moves.monotone is not None:
                sign = 1.0 if moves.monotone == "increasing" else -1.0
                steps = sign * np.diff(np.eye(part.size), axis=0)
                rows.append((False, *_placed(steps @ part, steps, first, x.size)))
        return rows

    def _offsets(self) -> list[int]:
        return [0, *np.cumsum([moves.initial.size for moves in self.moves])[:-1].tolist()]


def _placed(value: np.ndarray, slope: np.ndarray, first: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a constraint's derivative in its own variables as one in all of them."""
    whole = np.zeros((value.size, size))
    whole[:, first : first + slope.shape[1]] = slope
    return value, whole


def protocol_of(
    judge: Judge, controls: Sequence[Control] | Control, constraints: Sequence[Constraint] | Constraint
) -> Protocol:
    """Return the protocol of a problem. Raises InputError for controls and constraints that do not fit it."""
    controls = _several(controls, Control, "controls as ode.protocols.Shares, Switches, Values or Number")
    constraints = _several(constraints, Constraint, "constraints as ode.protocols.FixedShares or Budget")
    if not controls:
        raise InputError("at least one control, such as ode.protocols.Shares()", "none")
    moves = tuple(control.of(judge.problem) for control in controls)
    orders = [each for each in moves if isinstance(each, OrderMoves)]
    if len(orders) > 1:
        raise InputError("one control of the order of levels (Shares or Switches)", f"{len(orders)} of them")
    named = [name for each in moves if not isinstance(each, OrderMoves) for name in each.place.names]  # type: ignore[attr-defined]
    for name in named:
        if named.count(name) > 1:
            raise InputError("each number in one control", f"{name} in {named.count(name)}")
        for other in named:
            if other.startswith(f"{name}."):
                raise InputError("controls of a schedule or of its numbers", f"{name} and {other}")
    for constraint in constraints:
        constraint.check(orders[0] if orders else None, judge.problem)
    return Protocol(judge, moves, tuple(constraints))


def _several(given: Any, kind: type[T], required: str) -> list[T]:
    """Return one or several objects of a kind as a list. Raises InputError for anything else."""
    several = [given] if isinstance(given, kind) else given
    if not isinstance(several, (list, tuple)):
        raise InputError(required, repr(given))
    for each in several:
        if not isinstance(each, kind):
            raise InputError(required, repr(each))
    return list(several)
