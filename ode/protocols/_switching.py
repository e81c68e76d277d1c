"""The switching function S_l = nu . f_l - mu_l of every level: what is worth least is to be shown."""

from __future__ import annotations

import dataclasses

import numpy as np

from ._costates import Costates
from ._hamiltonian import Slopes
from ._protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Switching:
    """S along a trajectory, of the levels of an order.

    Fields: S: (m, levels). excess: (m,) sum_l p_l S_l - min_l S_l, by how much what is shown is not the least. span:
    the largest difference of two S_l.
    """

    S: np.ndarray
    excess: np.ndarray
    span: float

    @property
    def violation(self) -> float:
        """The largest excess, in units of the span."""
        return float(np.max(self.excess)) / self.span


def switching_of(protocol: Protocol, solved: Costates, along: Slopes, mu: np.ndarray) -> Switching | None:
    """Return S of the levels that an order may show, with their prices mu (L,); None without such a control."""
    order = protocol.order
    if order is None:
        return None
    columns = [protocol.judge.problem.inputs.level_names.index(level) for level in order.levels]
    S, shares = (along.shares - mu)[:, columns], shares_along(solved, along)[:, columns]
    excess = np.sum(shares * S, axis=1) - S.min(axis=1)
    return Switching(S, excess, max(float(np.max(np.ptp(S, axis=1))), 1e-300))


def prices_of(protocol: Protocol, x: np.ndarray, multipliers: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Return what a unit of alpha of each level is worth by the constraints, by name and as (L,)."""
    problem, order = protocol.judge.problem, protocol.order
    mu = np.zeros(len(problem.inputs.level_names))
    if order is None or not protocol.constraints:
        return {}, mu
    part, first = protocol.of_order(x), 0
    rows = protocol.constraint_rows(x)
    for index, constraint in enumerate(protocol.constraints):
        equal, value, _ = rows[index]
        for row, v in enumerate(value):
            if not (equal or abs(v) < 1e-7):
                continue
            multiplier, first = float(multipliers[first]), first + 1
            for level in order.levels:
                per_alpha = constraint.per_alpha(order, part, level)[row]
                mu[problem.inputs.level_names.index(level)] += multiplier * per_alpha
    prices = {level: float(mu[problem.inputs.level_names.index(level)]) for level in order.levels}
    return {level: price for level, price in prices.items() if price}, mu


def shares_along(solved: Costates, along: Slopes) -> np.ndarray:
    """Return the shares (m, L) that are shown at the nodes."""
    curriculum = solved.path.problem.curriculum_of_all_levels()
    first, last = (
        np.asarray(side, float)[along.phases] for side in (curriculum.initial_shares, curriculum.final_shares)
    )
    ends, durations = np.asarray(curriculum.switches, float), np.asarray(curriculum.durations, float)
    done = (along.alphas - ends[along.phases] + durations[along.phases]) / durations[along.phases]
    shares: np.ndarray = first + np.clip(done, 0, 1)[:, None] * (last - first)
    return shares
