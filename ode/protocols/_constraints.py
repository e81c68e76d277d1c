"""What a protocol must keep to: how much of each level it shows, and what its samples may cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from teacher_student import InputError, Problem
from teacher_student.internal import PublicRecord, as_numbers, check_at_least, require_name

from ._order_moves import OrderMoves


@dataclasses.dataclass(frozen=True, eq=False)
class Constraint(PublicRecord):
    """What a protocol must keep to: one of FixedShares and Budget."""

    equal: bool = dataclasses.field(default=False, init=False)

    def check(self, moves: OrderMoves | None, problem: Problem) -> None:
        """Raise InputError unless the controls can keep to it."""
        raise NotImplementedError

    def excess(self, moves: OrderMoves, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is 0 (equal) or >= 0 where it is kept, (m,), and its derivative (m, n)."""
        raise NotImplementedError

    def per_alpha(self, moves: OrderMoves, x: np.ndarray, level: str) -> np.ndarray:
        """Return the derivative (m,) of `excess` in the amount, in alpha, of a level."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, eq=False)
class FixedShares(Constraint):
    """Each level has a fixed share of the whole run: integral of p_l dalpha = share_l A, exactly.

    The constraint's multiplier mu_l, the price of a level's samples, is in the certificate: dJ by one unit of alpha
    more of the level, in place of the last level.

    Arguments:
      shares: {level: share}, of sum 1.
    Raises InputError for shares that do not sum to 1, and, in `ode.optimize`, where no control can meet them.
    """

    shares: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "equal", True)
        if not isinstance(self.shares, Mapping) or not self.shares:
            raise InputError("{level: share, ...} as fixed shares", repr(self.shares))
        values = as_numbers(list(self.shares.values()), "fixed shares")
        check_at_least(values, 0.0, "fixed shares")
        if abs(float(np.sum(values)) - 1) > 1e-9:
            raise InputError("fixed shares that sum to 1", f"a sum of {float(np.sum(values)):.12g}")

    def check(self, moves: OrderMoves | None, problem: Problem) -> None:
        for level in self.shares:
            require_name(level, problem.inputs.level_names, "level of fixed shares")
        if moves is None:
            raise InputError("protocols.Order, Shares or Switches among the controls, for fixed shares", "none of them")
        for level, share in self.shares.items():
            if share > 0 and level not in moves.levels:
                raise InputError(f"shares that the controls can meet (levels {', '.join(moves.levels)})", repr(level))
        # What a level may have at least and at most, each phase being free to shrink.
        low, high = reachable(moves)
        for i, level in enumerate(moves.levels):
            share = float(self.shares.get(level, 0.0))
            if not low[i] - 1e-9 <= share <= high[i] + 1e-9:
                required = f"a share of {level} between {low[i]:.4g} and {high[i]:.4g}, which the controls can meet"
                raise InputError(required, f"{share:.4g}")

    def excess(self, moves: OrderMoves, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        amounts, slope = moves.amounts(x)
        whole = moves.durations(x).sum()
        wanted = np.array([self.shares.get(level, 0.0) for level in moves.levels])
        # Of the shares, which sum to 1, the last follows from the others.
        return (amounts / whole - wanted)[:-1], slope[:-1] / whole

    def per_alpha(self, moves: OrderMoves, x: np.ndarray, level: str) -> np.ndarray:
        return np.asarray(np.eye(len(moves.levels))[moves.levels.index(level)][:-1] / moves.durations(x).sum())


@dataclasses.dataclass(frozen=True, eq=False)
class Budget(Constraint):
    """What all samples cost together is bounded: integral of sum_l k_l p_l dalpha <= at_most.

    Arguments:
      prices: {level: k_l}, >= 0, of one unit of alpha = samples / N. A level that is not named is free.
      at_most: in the unit of the prices.
    Raises InputError for prices below 0, and, in `ode.optimize`, where no control can keep to it.
    """

    prices: Mapping[str, float]
    at_most: float

    def __post_init__(self) -> None:
        if not isinstance(self.prices, Mapping) or not self.prices:
            raise InputError("{level: price, ...} of a budget", repr(self.prices))
        check_at_least(as_numbers(list(self.prices.values()), "prices of a budget"), 0.0, "prices of a budget")
        check_at_least(self.at_most, 0.0, "what a budget allows", strict=True)

    def check(self, moves: OrderMoves | None, problem: Problem) -> None:
        for level in self.prices:
            require_name(level, problem.inputs.level_names, "level of a budget")
        if moves is None:
            raise InputError("protocols.Order, Shares or Switches among the controls, for a budget", "none of them")
        least = min(self.prices.get(level, 0.0) for level in moves.levels) * float(problem.curriculum.end)
        if least > self.at_most * (1 + 1e-12):
            raise InputError(f"a budget of at least {least:.4g}, what the cheapest level costs", f"{self.at_most:.4g}")

    def excess(self, moves: OrderMoves, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        prices = np.array([self.prices.get(level, 0.0) for level in moves.levels])
        amounts, slope = moves.amounts(x)
        return np.array([1 - prices @ amounts / self.at_most]), -(prices @ slope)[None] / self.at_most

    def per_alpha(self, moves: OrderMoves, x: np.ndarray, level: str) -> np.ndarray:
        return np.array([-self.prices.get(level, 0.0) / self.at_most])


def reachable(moves: OrderMoves) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the largest share (levels,) that each level can have of the whole run."""
    free = bool(np.any(moves.durations.slope))
    corners = [moves.initial_shares(np.where(side, moves.upper, moves.lower)) for side in (False, True)]
    if free:
        shares = moves.initial_shares.base
        return shares.min(axis=0), shares.max(axis=0)
    low, high = np.minimum(*corners).min(axis=0), np.maximum(*corners).max(axis=0)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
